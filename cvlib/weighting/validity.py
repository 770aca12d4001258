"""What a weighting is worth: how well its scores order customers by what they later did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest

CURVE = ("method", "share_of_customers", "share_of_outcome")
COLUMNS = (
    "method", "metric", "estimate", "ci_low", "ci_high", "difference", "difference_ci_low",
    "difference_ci_high", "ceiling",
)  # fmt: skip
# Customers times draws held at once.
BLOCK = 2_000_000
METRICS: tuple[str, ...] = ("spearman", "top_decile_capture", "auc")


@dataclass(frozen=True, eq=False)
class Validity:
    """Criterion validity of several scores.

    Attributes
    ----------
    validity : pandas.DataFrame
        method, metric (spearman; top_decile_capture: share of the outcome's total held by the
        best-scored tenth; auc: of any outcome above 0), estimate, ci_low, ci_high, difference
        (from the baseline), difference_ci_low, difference_ci_high, ceiling (what the outcome
        itself would reach). Intervals are percentile bootstrap over customers, the same
        resamples for every method.
    capture : pandas.DataFrame
        method, share_of_customers, share_of_outcome: the capture curves.
    best : str
        The method that never saw the outcome (nor is the baseline) with the highest Spearman.
    verdict : str
        What the differences mean, in words.
    settings : dict
        ``baseline, draws, level, seed``; empty without an outcome.
    warnings : tuple of str
    """

    validity: pd.DataFrame
    capture: pd.DataFrame
    best: str
    verdict: str
    settings: dict[str, Any]
    warnings: tuple[str, ...]


def read_outcome(
    data: pd.DataFrame, outcome: str, customers: pd.Index, customer: str = ""
) -> pd.Series | None:
    """Take the outcome's column for the customers who are scored.

    Parameters
    ----------
    data : pandas.DataFrame
        The table the indicators came from.
    outcome : str
        Column with what customers did later; empty: there is none, and the result is None.
    customers : pandas.Index
        Customers scored.
    customer : str
        Column with the customer's identifier; empty: the table's index.

    Returns
    -------
    pandas.Series or None
    """
    if not outcome:
        return None
    if outcome not in data.columns:
        raise InputError(
            "parameter outcome",
            f"names no column {outcome!r}",
            nearest(outcome, [str(column) for column in data.columns])
            + " Leave it empty if there is no outcome.",
        )
    index = pd.Index(data[customer]) if customer else data.index
    values = pd.to_numeric(data[outcome], errors="coerce")
    return pd.Series(values.to_numpy(float), index=index).reindex(customers)


def criterion_validity(
    scores: pd.DataFrame,
    outcome: pd.Series | None,
    *,
    baseline: str = "equal",
    learned: tuple[str, ...] = (),
    draws: int = 500,
    level: float = 0.95,
    seed: int = 20261121,
    labels: Mapping[str, str] | None = None,
) -> Validity:
    """Compare scores by a later outcome (spend, repurchase; for churn use its absence).

    Parameters
    ----------
    scores : pandas.DataFrame, customers by methods
        Higher is better.
    outcome : pandas.Series or None
        Of the same customers; not negative; more is better. 0/1 outcomes are allowed. None: the
        tables are empty and the verdict says that nothing can be said.
    baseline : str
        The method that the others are compared with.
    learned : tuple of str
        Methods fitted to the outcome: kept out of the verdict on weightings.
    draws : int
        Bootstrap draws.
    level : float
        Confidence level.
    seed : int
        Seed of the resamples.
    labels : mapping of method to label, optional
        What the verdict calls the methods.

    Returns
    -------
    Validity

    Notes
    -----
    Customers with equal scores share mean ranks, and split the place at the edge of the top
    tenth in proportion, so no arbitrary order enters.
    """
    if outcome is None:
        told = "Without an outcome these data cannot say which weighting is best."
        empty = [pd.DataFrame(columns=names) for names in (COLUMNS, CURVE)]
        return Validity(empty[0], empty[1], "", told, {}, ())
    y = outcome.reindex(scores.index).to_numpy(float)
    if np.isnan(y).any() or scores.isna().to_numpy().any():
        raise InputError("the outcome", "or a score is missing for some customers", "Complete it.")
    if (y < 0).any() or y.min() == y.max():
        fault = "is the same for everybody" if y.min() == y.max() else "has negative values"
        raise InputError("the outcome", fault, "Give an amount or a 0/1 event that varies.")
    if baseline not in scores.columns:
        raise InputError("the baseline", f"{baseline!r} is not among the scores", "Add it.")
    methods = list(scores.columns)
    orders = {m: Order.of(np.round(scores[m].to_numpy(float), 12)) for m in methods}
    truth = Order.of(y)
    metrics, warnings = METRICS, []
    if y.min() > 0:
        metrics = METRICS[:2]
        warnings.append("Every customer has an outcome above 0: there is no event for an AUC.")
    once = np.ones((1, len(y)))
    rank_y = truth.mid_ranks(once)
    point = {m: _metrics(order, y, rank_y, once)[:, 0] for m, order in orders.items()}
    ceiling = _metrics(truth, y, rank_y, once)[:, 0]
    drawn = {m: np.empty((len(METRICS), draws)) for m in methods}
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // len(y))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        picks = rng.integers(len(y), size=(size, len(y)))
        counts = np.stack([np.bincount(row, minlength=len(y)) for row in picks]).astype(float)
        rank_y = truth.mid_ranks(counts)
        for m, order in orders.items():
            drawn[m][:, start : start + size] = _metrics(order, y, rank_y, counts)
    tail = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for m in methods:
        for k, metric in enumerate(metrics):
            row: dict[str, object] = {"method": m, "metric": metric, "estimate": point[m][k]}
            difference = drawn[m][k] - drawn[baseline][k]
            if draws:
                row["ci_low"], row["ci_high"] = _interval(drawn[m][k], tail)
            row["difference"] = point[m][k] - point[baseline][k]
            if draws:
                row["difference_ci_low"], row["difference_ci_high"] = _interval(difference, tail)
            rows.append({**row, "ceiling": ceiling[k]})
    table = pd.DataFrame(rows)
    flat = [m for m in methods if np.isnan(point[m][0])]
    if flat:
        warnings.append(f"{', '.join(flat)} score every customer the same: no rank correlation.")
    curves = [_capture(m, orders[m].group, y) for m in methods]
    curves.append(_capture("outcome itself", truth.group, y))
    best, told = verdict(table, baseline, learned, level, labels)
    return Validity(
        table,
        pd.concat(curves, ignore_index=True),
        best,
        told,
        {"baseline": baseline, "draws": draws, "level": level, "seed": seed},
        tuple(warnings),
    )


def verdict(
    table: pd.DataFrame,
    baseline: str,
    learned: tuple[str, ...],
    level: float,
    labels: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Name the weighting that ranks customers closest to the outcome; say how certain that is."""
    called = {name: name for name in (*table["method"], baseline)} | dict(labels or {})
    rho = table[table["metric"] == "spearman"].set_index("method").dropna(subset=["estimate"])
    blind = rho.drop(index=[m for m in (*learned, baseline) if m in rho.index])
    if blind.empty or baseline not in rho.index or "difference_ci_low" not in rho:
        return "", "Without bootstrap draws and two methods that vary there is no verdict."
    name = str(blind["estimate"].idxmax())
    best = blind.loc[name]
    if best["difference_ci_low"] > 0:
        ending = "more than resampling the customers explains"
    elif best["difference_ci_high"] < 0:
        ending = f"so every one of them ranks customers worse than {called[baseline]}"
    else:
        ending = f"so these data do not show it to be better than {called[baseline]}"
    text = (
        f"Of {len(blind)} methods that never saw the outcome, {called[name]} ranks customers "
        f"closest to it: Spearman {best['estimate']:.3f} against "
        f"{rho.loc[baseline, 'estimate']:.3f} for {called[baseline]} "
        f"(difference {best['difference']:+.3f}, {level:.0%} interval "
        f"{best['difference_ci_low']:+.3f} to {best['difference_ci_high']:+.3f}, not corrected "
        f"for picking the best), {ending}."
    )
    fitted = rho.loc[[m for m in learned if m in rho.index]]
    if len(fitted):
        top = str(fitted["estimate"].idxmax())
        text += (
            f" Learned from the outcome, and tested on customers held back, {called[top]} reaches "
            f"{fitted.loc[top, 'estimate']:.3f}."
        )
    return name, text


def _interval(drawn: np.ndarray, tail: list[float]) -> np.ndarray:
    """Quantiles of the draws in which the metric exists."""
    known = drawn[np.isfinite(drawn)]
    return np.quantile(known, tail) if len(known) else np.full(2, np.nan)


class Order(NamedTuple):
    """How a score orders customers: sorted places, starts of equal scores, group of each."""

    order: np.ndarray
    first: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Order:
        """Sort once; the resamples only count."""
        order = np.argsort(x, kind="stable")
        first = np.flatnonzero(np.append(True, np.diff(x[order]) > 0))
        group = np.empty(len(x), dtype=int)
        group[order] = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(x))))
        return cls(order, first, group)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over customers of equal score, lowest score first, in each row."""
        return np.add.reduceat(values[:, self.order], self.first, axis=1)

    def mid_ranks(self, counts: np.ndarray) -> np.ndarray:
        """Mean ranks of customers, 1 the lowest, in each resample."""
        size = self.sums(counts)
        return (np.cumsum(size, axis=1) - (size - 1) / 2)[:, self.group]


def _metrics(order: Order, y: np.ndarray, rank_y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Spearman, top-decile capture and AUC (rows) in each resample (columns of counts' rows)."""
    rank_x = order.mid_ranks(counts)
    m = counts.sum(axis=1)
    # Spearman: Pearson correlation of mid-ranks, whose mean is (m + 1)/2.
    dx, dy = rank_x - (m[:, None] + 1) / 2, rank_y - (m[:, None] + 1) / 2
    cross, in_x, in_y = ((counts * a * b).sum(axis=1) for a, b in ((dx, dy), (dx, dx), (dy, dy)))
    room = np.sqrt(in_x * in_y)
    spearman = np.divide(cross, room, out=np.full(len(m), np.nan), where=room > 0)
    # AUC from the rank sum of those with an event (Mann & Whitney).
    event = counts * (y > 0)
    n1 = event.sum(axis=1)
    u = (event * rank_x).sum(axis=1) - n1 * (n1 + 1) / 2
    both = n1 * (m - n1)
    auc = np.divide(u, both, out=np.full(len(m), np.nan), where=both > 0)
    # Capture: whole groups of equal score from the top, the last in proportion.
    size, worth = order.sums(counts)[:, ::-1], order.sums(counts * y)[:, ::-1]
    before = np.cumsum(size, axis=1) - size
    part = np.clip((0.1 * m[:, None] - before) / np.where(size > 0, size, 1), 0, 1)
    total = worth.sum(axis=1)
    held = (part * worth).sum(axis=1)
    capture = np.divide(held, total, out=np.full(len(m), np.nan), where=total > 0)
    return np.array([spearman, capture, auc])


def _capture(method: str, group: np.ndarray, y: np.ndarray, points: int = 101) -> pd.DataFrame:
    """The capture curve at even shares of customers, ties in proportion."""
    size, worth = np.bincount(group)[::-1], np.bincount(group, y)[::-1]
    at = np.linspace(0, 1, points)
    share = np.append(0, np.cumsum(size)) / len(y)
    held = np.append(0, np.cumsum(worth)) / y.sum()
    curve = {"share_of_customers": at, "share_of_outcome": np.interp(at, share, held)}
    return pd.DataFrame({"method": method, **curve})
