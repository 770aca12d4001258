"""What a weighting is worth: how well its scores order customers by what they later did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.audit import TOO_GOOD
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import Table
from cvlib.results import Result
from cvlib.statistics import multiple, ranks, resample
from cvlib.statistics.ranks import Order, Ranked
from cvlib.words.message import Message, joined, message

OF_TRANSACTIONS = ("holdout_spend", "holdout_purchases")
CURVE = ("method", "share_of_customers", "share_of_outcome")
COLUMNS = (
    "method", "metric", "estimate", "ci_low", "ci_high", "difference", "difference_ci_low",
    "difference_ci_high", "p_holm", "ceiling",
)  # fmt: skip
# Customers times draws held at once.
BLOCK = 2_000_000
METRICS: tuple[str, ...] = ("spearman", "top_decile_capture", "auc")


@dataclass(frozen=True, eq=False, repr=False)
class Validity(Result):
    """Criterion validity of several scores.

    Attributes
    ----------
    validity : pandas.DataFrame
        method, metric (spearman; top_decile_capture: share of the outcome's total held by the
        best-scored tenth; auc: of any outcome above 0), estimate, ci_low, ci_high, difference
        (from the baseline), difference_ci_low, difference_ci_high, p_holm (of no difference,
        adjusted over all methods that never saw the outcome), ceiling (what the outcome itself
        would reach). Intervals are percentile bootstrap over customers, the same
        resamples for every method.
    capture : pandas.DataFrame
        method, share_of_customers, share_of_outcome: the capture curves.
    best : str
        The method that never saw the outcome (nor is the baseline) with the highest Spearman.
    verdict : Message
        What the differences mean, in words.
    settings : dict
        ``baseline, learned, draws, level, seed``; empty without an outcome.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("validity",)

    validity: pd.DataFrame
    capture: pd.DataFrame
    best: str
    verdict: Message
    settings: dict[str, Any]
    warnings: tuple[str, ...]
    charts: ClassVar[dict[str, str]] = {
        "validity": "cvlib.figures.weighting:validity_chart",
        "capture": "cvlib.figures.weighting:capture_chart",
    }

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with."""
        told = {"language": language, "baseline": self.settings.get("baseline", "equal")}
        if name == "capture":
            return {"capture": self.capture, **told}
        told |= {key: self.settings[key] for key in ("learned", "level") if key in self.settings}
        return {"validity": self.validity, **told}


def read_outcome(
    data: pd.DataFrame | Table, outcome: str, customers: pd.Index, customer: str = ""
) -> pd.Series | None:
    """Take the outcome's column for the customers who are scored.

    Parameters
    ----------
    data : pandas.DataFrame or Table
        The table the indicators came from.
    outcome : str
        Column with what customers did later; empty: there is none, and the result is None. So it
        is for what only transactions have (`OF_TRANSACTIONS`), where the data are none.
    customers : pandas.Index
        Customers scored.
    customer : str
        Column with the customer's identifier; empty: the table's index.

    Returns
    -------
    pandas.Series or None
    """
    table = data if isinstance(data, Table) else Table(data)
    data = table.data
    if not outcome or (outcome in OF_TRANSACTIONS and outcome not in data.columns):
        return None
    if outcome not in data.columns:
        raise InputError(
            table.source,
            message("refusals.outcome_no_column", name=outcome),
            joined([
                nearest(outcome, [str(column) for column in data.columns]), table.elsewhere,
                message("refusals.outcome_no_column_remedy"),
            ]),
        )  # fmt: skip
    index = pd.Index(data[customer]) if customer else data.index
    values = pd.to_numeric(data[outcome], errors="coerce")
    later = pd.Series(values.to_numpy(float), index=index).reindex(customers)
    wrong = later.isna() | (later < 0)
    if outcome in OF_TRANSACTIONS and not wrong.any() and later.nunique() < 2:
        return None  # nobody bought later, or for nothing: not the reader's column to mend
    if wrong.any() or later.nunique() < 2:
        raise InputError(
            table.place(outcome),
            message("refusals.outcome_unusable", count=int(wrong.sum()), rows=len(later),
                    customer=str(wrong.idxmax()))
            if wrong.any()
            else message("refusals.outcome_constant"),
            message("refusals.outcome_remedy"),
        )  # fmt: skip
    return later


def criterion_validity(
    scores: pd.DataFrame,
    outcome: pd.Series | None,
    *,
    baseline: str = "equal",
    learned: tuple[str, ...] = (),
    draws: int = 500,
    level: float = 0.95,
    seed: int = resample.SEED,
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

    Returns
    -------
    Validity

    Notes
    -----
    Customers with equal scores share mean ranks, and split the place at the edge of the top
    tenth in proportion, so no arbitrary order enters.
    """
    if outcome is None:
        told = message("weighting.no_outcome")
        empty = [pd.DataFrame(columns=names) for names in (COLUMNS, CURVE)]
        return Validity(empty[0], empty[1], "", told, {}, ())
    y = outcome.reindex(scores.index).to_numpy(float)
    if np.isnan(y).any() or scores.isna().to_numpy().any():
        raise InputError(
            "the outcome",
            message("refusals.or_a_score_is_missing"),
            message("refusals.complete_it"),
        )
    if (y < 0).any() or y.min() == y.max():
        fault = "is the same for everybody" if y.min() == y.max() else "has negative values"
        raise InputError("the outcome", fault, message("refusals.give_an_amount_or_a"))
    if baseline not in scores.columns:
        raise InputError(
            "the baseline",
            message("refusals.is_not_among_the_scores", baseline=baseline),
            message("refusals.add_it"),
        )
    methods = list(scores.columns)
    orders = {m: Order.of(scores[m].to_numpy(float), decimals=12) for m in methods}
    truth = Order.of(y)
    metrics, warnings = METRICS, []
    if y.min() > 0:
        metrics = METRICS[:2]
        warnings.append(message("weighting.no_event"))
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
    lines: list[dict[str, object]] = []
    errors: dict[tuple[str, str], float] = {}
    for m in methods:
        for k, metric in enumerate(metrics):
            row: dict[str, object] = {"method": m, "metric": metric, "estimate": point[m][k]}
            difference = drawn[m][k] - drawn[baseline][k]
            if draws:
                row["ci_low"], row["ci_high"] = _interval(drawn[m][k], level)
            row["difference"] = point[m][k] - point[baseline][k]
            if draws:
                row["difference_ci_low"], row["difference_ci_high"] = _interval(difference, level)
                known = difference[np.isfinite(difference)]
                errors[m, metric] = float(known.std(ddof=1)) if len(known) > 1 else np.nan
            lines.append({**row, "ceiling": ceiling[k]})
    table = pd.DataFrame(lines)
    if draws:
        _holm(table, [m for m in methods if m not in (*learned, baseline)], errors)
        table["ceiling"] = table.pop("ceiling")
    flat = [m for m in methods if np.isnan(point[m][0])]
    if flat:
        warnings.append(message("weighting.flat_scores", methods=flat))
    # one indicator alone that orders customers like the outcome is the outcome under another name
    warnings += [
        message("weighting.outcome_known", method=m, value=float(point[m][0]))
        for m in methods
        if m.startswith("only_") and abs(point[m][0]) > TOO_GOOD
    ]
    curves = [_capture(m, orders[m], y) for m in methods]
    curves.append(_capture("outcome itself", truth, y))
    best, told = verdict(table, baseline, learned, level)
    return Validity(
        table,
        pd.concat(curves, ignore_index=True),
        best,
        told,
        {"baseline": baseline, "learned": learned, "draws": draws, "level": level, "seed": seed},
        tuple(warnings),
    )


class Standing(NamedTuple):
    """Spearman's row of each method, and which that never saw the outcome differ surely."""

    rho: pd.DataFrame
    best: str
    better: list[str]
    worse: list[str]
    compared: int


def standing(
    table: pd.DataFrame, baseline: str, learned: tuple[str, ...], level: float
) -> Standing | None:
    """Which methods order customers surely better or worse than the baseline.

    Parameters
    ----------
    table, baseline, learned, level
        As of `verdict`.

    Returns
    -------
    Standing or None
        Nothing without intervals, or without a second method that varies.
    """
    if "p_holm" not in table:
        return None
    rho = table[table["metric"] == "spearman"].set_index("method").dropna(subset=["estimate"])
    blind = rho.drop(index=[m for m in (*learned, baseline) if m in rho.index])
    if blind.empty or baseline not in rho.index:
        return None
    certain = blind["p_holm"] <= 1 - level
    better = list(blind.index[certain & (blind["difference"] > 0)])
    worse = list(blind.index[certain & (blind["difference"] < 0)])
    return Standing(rho, str(blind["estimate"].idxmax()), better, worse, len(blind))


def verdict(
    table: pd.DataFrame, baseline: str, learned: tuple[str, ...], level: float
) -> tuple[str, Message]:
    """Name the weighting that ranks customers closest to the outcome, and tell all comparisons.

    Parameters
    ----------
    table : pandas.DataFrame
        As ``Validity.validity``.
    baseline : str
        The method the others are compared with.
    learned : tuple of str
        Methods that saw the outcome.
    level : float
        Confidence: a difference counts where its Holm-adjusted p is at most 1 − level.

    Returns
    -------
    tuple
        The best method ("" where there is no verdict) and the sentence: how many of all methods
        rank customers better than the baseline, worse, or no differently.
    """
    found = standing(table, baseline, learned, level)
    if found is None:
        return "", message("weighting.no_verdict")
    rho, best, better, worse = found.rho, found.best, found.better, found.worse
    parts = [
        message(f"weighting.some_{word}", count=len(names), methods=names)
        if names
        else message(f"weighting.none_{word}")
        for word, names in (("better", better), ("worse", worse))
    ]
    if alike := found.compared - len(better) - len(worse):
        parts.append(message("weighting.some_alike", count=alike))
    estimates = {"rho": rho.loc[best, "estimate"], "base_rho": rho.loc[baseline, "estimate"]}
    compared = {"baseline": baseline, "count": found.compared}
    told = [
        message("weighting.closest", best=best, **compared, **estimates),
        message("weighting.compared", level=1 - level, parts=parts, **compared),
    ]
    fitted = rho.loc[[m for m in learned if m in rho.index], "estimate"]
    if len(fitted):
        top = str(fitted.idxmax())
        told.append(message("weighting.learned_reaches", best=top, rho=fitted[top]))
    return best, joined(told)


def _holm(table: pd.DataFrame, compared: list[str], errors: dict[tuple[str, str], float]) -> None:
    """Add the p of no difference from the baseline, adjusted over the methods, to the table.

    Normal with the bootstrap's standard error: the smallest p of a count of draws could not pass
    a correction for many comparisons.
    """
    from scipy.stats import norm

    table["p_holm"] = np.nan
    for _, rows in table[table["method"].isin(compared)].groupby("metric"):
        keys = zip(rows["method"], rows["metric"], strict=True)
        error = np.array([errors[key] for key in keys])
        apart = rows["difference"].abs().to_numpy(float)
        z = np.divide(apart, error, out=np.where(apart > 1e-12, np.inf, 0.0), where=error > 0)
        known = np.isfinite(apart) & ~np.isnan(error)
        p = 2 * norm.sf(z[known])
        if len(p):
            table.loc[rows.index[known], "p_holm"] = multiple.adjusted(p, "holm")


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
