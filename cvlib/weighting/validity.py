"""What a weighting is worth: how well its scores order customers by what they later did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.statistics import ranks, resample
from cvlib.statistics.ranks import Order, Ranked

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
    seed: int = resample.SEED,
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
    orders = {m: Order.of(scores[m].to_numpy(float), decimals=12) for m in methods}
    truth = Order.of(y)
    metrics, warnings = METRICS, []
    if y.min() > 0:
        metrics = METRICS[:2]
        warnings.append("Every customer has an outcome above 0: there is no event for an AUC.")
    once = np.ones((1, len(y)))
    actual = Ranked(truth, once)
    point = {m: _metrics(Ranked(order, once), y, actual)[:, 0] for m, order in orders.items()}
    ceiling = _metrics(actual, y, actual)[:, 0]
    drawn = {m: np.empty((len(METRICS), draws)) for m in methods}
    own, start = resample.generator(seed), 0
    for rows in resample.counts(len(y), draws, own, chunk=max(1, BLOCK // len(y))):
        counts = rows.astype(float)
        actual = Ranked(truth, counts)
        for m, order in orders.items():
            found = _metrics(Ranked(order, counts), y, actual)
            drawn[m][:, start : start + len(rows)] = found
        start += len(rows)
    lines = []
    for m in methods:
        for k, metric in enumerate(metrics):
            row: dict[str, object] = {"method": m, "metric": metric, "estimate": point[m][k]}
            difference = drawn[m][k] - drawn[baseline][k]
            if draws:
                row["ci_low"], row["ci_high"] = _interval(drawn[m][k], level)
            row["difference"] = point[m][k] - point[baseline][k]
            if draws:
                row["difference_ci_low"], row["difference_ci_high"] = _interval(difference, level)
            lines.append({**row, "ceiling": ceiling[k]})
    table = pd.DataFrame(lines)
    flat = [m for m in methods if np.isnan(point[m][0])]
    if flat:
        warnings.append(f"{', '.join(flat)} score every customer the same: no rank correlation.")
    curves = [_capture(m, orders[m], y) for m in methods]
    curves.append(_capture("outcome itself", truth, y))
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


def _interval(drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits from the draws in which the metric exists."""
    return resample.percentile_limits(drawn[np.isfinite(drawn)], level)


def _metrics(ranked: Ranked, y: np.ndarray, outcome: Ranked) -> np.ndarray:
    """Spearman, top-decile capture and AUC (rows) in each resample (columns)."""
    return np.array([
        ranks.spearman(ranked, outcome), ranks.capture(ranked, y, 0.1), ranks.auc(ranked, y > 0)
    ])  # fmt: skip


def _capture(method: str, order: Order, y: np.ndarray, points: int = 101) -> pd.DataFrame:
    """The capture curve at even shares of customers."""
    at = np.linspace(0, 1, points)
    curve = {"share_of_customers": at, "share_of_outcome": ranks.capture_curve(order, y, at)}
    return pd.DataFrame({"method": method, **curve})
