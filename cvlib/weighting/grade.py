"""Grades from scores: pyramid, ABC, quantiles, cut-offs, natural breaks, rank-sum ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.statistics import classes as classes_of
from cvlib.statistics.ranks import mid_ranks
from cvlib.weighting.breaks import natural_breaks, rank_sum_ratio_cuts
from cvlib.weighting.scale import Normalised
from cvlib.weighting.smaa import acceptability
from cvlib.words.message import Message, joined, message

PYRAMID = dict(zip(("VIP", "major", "ordinary", "small"), classes_of.PYRAMID, strict=True))
# Edges of the classes of how often a customer keeps the grade.
KEPT = (0.5, 0.75, 0.9, 0.99)
SCHEMES = ("pyramid", "abc", "quantiles", "cutoffs", "natural_breaks", "rank_sum_ratio")


@dataclass(frozen=True, eq=False, repr=False)
class Grades(Result):
    """Customers in grades.

    Attributes
    ----------
    customers : pandas.DataFrame
        customer, score, rank, grade (ordered, best first). Equal scores always share a grade.
    grades : pandas.DataFrame
        grade, customers, share, score_low, score_high (NaN where a grade is empty) and, with a
        value, value, value_share.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("grades",)
    told_by: ClassVar[str] = "cvlib.words.usual:graded"
    charts: ClassVar[dict[str, str]] = {"grades": "cvlib.figures.weighting:grade_chart"}

    customers: pd.DataFrame
    grades: pd.DataFrame
    warnings: tuple[str, ...]


def grade(
    scores: pd.Series,
    scheme: str = "pyramid",
    *,
    shares: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    cutoffs: Sequence[float] = (0.8, 0.6, 0.4),
    classes: int = 4,
    cumulate: pd.Series | None = None,
    value: pd.Series | None = None,
) -> Grades:
    """Put customers in grades.

    Parameters
    ----------
    scores : pandas.Series
        Score of each customer; higher is better.
    scheme : str
        ``pyramid``: shares of customers, 1/4/15/80 per cent unless `shares` says otherwise.
        ``quantiles``: `classes` equal shares. ``abc``: A holds the customers with the first 80
        per cent of the total of `cumulate` (sales, say; else of the score itself), B to 95 per
        cent, C the rest (`shares` changes 0.80, 0.15, 0.05). ``cutoffs``: a grade for each of
        `cutoffs` and one below. ``natural_breaks``: `classes` groups with the least squared
        deviation within (exact). ``rank_sum_ratio``: scores are ratios; groups by the fitted
        probit line.
    shares, labels, cutoffs, classes : sequences, and int
        See the schemes; labels name the grades, best first.
    cumulate : pandas.Series, optional
        What ABC adds up, by customer.
    value : pandas.Series, optional
        What each customer is worth, by customer, for the value share of the grades.

    Returns
    -------
    Grades
        Grade by customer, and size, score and value by grade.

    Raises
    ------
    InputError
        Gaps, labels that do not name every grade, or too few distinct scores for so many.

    References
    ----------
    Jenks & Caspall (1971); Wang & Song (2011), R Journal 3(2), 29 (exact one-dimensional
    k-means); Tian Fengtiao (1993) (rank-sum ratio) [M].

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> scores = pd.Series([0.9, 0.7, 0.1])
    >>> found = cv.weighting.grade(scores, "cutoffs", labels=["A", "B", "C", "D"])
    >>> found.grades["grade"].tolist()
    ['A', 'B', 'C', 'D']
    """
    one_of("grading scheme", scheme, SCHEMES)
    if scores.isna().any() or not len(scores):
        raise InputError("the scores to grade", message("refusals.are_none_or_have_gaps"),
                         message("refusals.complete_them"))  # fmt: skip
    worth = scores if value is None else value.reindex(scores.index)
    total = scores if cumulate is None else cumulate.reindex(scores.index)
    if worth.isna().any() or total.isna().any():
        raise InputError("the value of customers", message("refusals.is_missing_for_some"),
                         message("refusals.give_one_for_each"))  # fmt: skip
    x = np.round(scores.to_numpy(float), 12)
    warnings: list[str] = []
    intended: Sequence[float] = ()
    if scheme == "abc":
        given = list(shares or classes_of.ABC)
        names = list(labels or "ABC"[: len(given)])
        code = classes_of.by_value(total.to_numpy(float), given)
    elif scheme in ("pyramid", "quantiles"):
        equal = [1 / classes] * classes
        given = list(shares or (PYRAMID.values() if scheme == "pyramid" else equal))
        code = classes_of.by_number(x, given)
        pyramid = list(PYRAMID) if scheme == "pyramid" and len(given) == 4 else None
        names = list(labels or pyramid or _numbered(len(given)))
        intended = given
    else:
        if scheme == "cutoffs":
            cuts = np.sort(np.asarray(cutoffs, dtype=float))[::-1]
        elif scheme == "natural_breaks":
            cuts = natural_breaks(x, classes)
        else:
            cuts, r_squared = rank_sum_ratio_cuts(x, classes)
            warnings.append(message("weighting.probit_fit", r_squared=r_squared))
        code = _below(x, cuts)
        names = list(labels or _numbered(len(cuts) + 1))
    size = int(code.max()) + 1
    if len(names) < max(size, len(intended)) or len(set(names)) != len(names):
        raise InputError(
            "grade labels", message("refusals.do_not_name_grades", names=names, size=size),
            message("refusals.name_each_once"),
        )  # fmt: skip
    actual = np.bincount(code, minlength=len(names)) / len(x)
    off = [n for n, a, s in zip(names, actual, intended, strict=False) if abs(a - s) > 0.01]
    if off:
        warnings.append(message("weighting.ties_in_grades", grades=off))
    grades = pd.Categorical.from_codes(code, names, ordered=True)
    customers = pd.DataFrame({"customer": scores.index, "score": scores.to_numpy(float)})
    customers["rank"], customers["grade"] = mid_ranks(x), grades
    rows = customers.assign(value=worth.to_numpy(float)).groupby("grade", observed=False)
    table = rows.agg(
        customers=("customer", "size"), score_low=("score", "min"), score_high=("score", "max"),
        value=("value", "sum"),
    ).reset_index()  # fmt: skip
    table.insert(2, "share", table["customers"] / len(x))
    table["value_share"] = table["value"] / worth.sum() if worth.sum() else np.nan
    empty = list(table.loc[table["customers"] == 0, "grade"])
    if empty:
        warnings.append(message("weighting.empty_grades", grades=empty))
    if value is None:
        table = table.drop(columns=["value", "value_share"])
    return Grades(customers, table, tuple(warnings))


def grade_by_each(
    scores: pd.DataFrame, scheme: str = "pyramid", *, value: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grade the same customers by several scores.

    Parameters
    ----------
    scores : pandas.DataFrame, customers by methods
        Higher is better.
    scheme : str
        See `grade`.
    value : pandas.Series, optional
        What each customer is worth.

    Returns
    -------
    tuple
        The grade tables of all methods (method, then the columns of ``Grades.grades``), and the
        grades of customers by methods.
    """
    found = {str(m): grade(scores[m], scheme, value=value) for m in scores.columns}
    tables = [result.grades.assign(method=m) for m, result in found.items()]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    codes = {m: result.customers["grade"].array for m, result in found.items()}
    return table, pd.DataFrame(codes, index=scores.index)


def grade_by_schemes(
    scores: pd.Series,
    *,
    classes: int = 4,
    cutoffs: Sequence[float] = (0.75, 0.5, 0.25),
    ratio: pd.Series | None = None,
    cumulate: pd.Series | None = None,
    value: pd.Series | None = None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Grade the same score by every scheme.

    Parameters
    ----------
    scores : pandas.Series
        Score of each customer; higher is better.
    ratio : pandas.Series, optional
        Rank-sum ratios, for the scheme of that name; without them it is not used.
    classes, cutoffs, cumulate, value
        See `grade`.

    Returns
    -------
    tuple
        The grade tables (method, the scheme, then the columns of ``Grades.grades``) and the
        warnings; a scheme that does not apply to these scores is named there with the reason.
    """
    options = {"classes": classes, "cutoffs": cutoffs, "cumulate": cumulate, "value": value}
    tables, warnings = [], []
    for scheme in SCHEMES if ratio is not None else SCHEMES[:-1]:
        base = ratio if ratio is not None and scheme == SCHEMES[-1] else scores
        try:
            found = grade(base, scheme, **options)  # type: ignore[arg-type]
        except InputError as error:
            reason = str(error)
            warnings.append(message("weighting.scheme_left_out", scheme=scheme, reason=reason))
            continue
        tables.append(found.grades.astype({"grade": str}).assign(method=scheme))
        warnings += [
            message("weighting.of_scheme", scheme=scheme, text=text) for text in found.warnings
        ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    return table, tuple(warnings)


def schemes_caption(method: str) -> Message:
    """What a table of `grade_by_schemes` is called.

    Parameters
    ----------
    method : str
        Name of the scoring method, or what it is called in print.
    """
    return message("weighting.schemes_caption", method=method)


def grade_stability(
    normalised: Normalised,
    scores: pd.Series,
    weights: np.ndarray,
    *,
    shares: Sequence[float] = tuple(PYRAMID.values()),
    labels: Sequence[str] = tuple(PYRAMID),
    chance: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often each customer keeps the grade when the weights vary.

    Parameters
    ----------
    normalised : Normalised
        The customers.
    scores : pandas.Series
        Weighted-sum score of each customer at the central weights.
    weights : ndarray, draws by items
        From `draw_weights`.
    shares, labels : sequences
        The grades: shares of customers and names, best first.
    chance : pandas.DataFrame, optional
        ``classes`` of `acceptability` with these weights and shares, where it was called before.

    Returns
    -------
    tuple
        Per customer: customer, grade, stability (share of weight vectors that give this grade),
        likeliest_grade. Per grade: grade, customers, mean_stability, unstable (customers who keep
        it in less than half of the draws), and the shares of the grade's customers by how often
        they keep it: below_50, from_50, from_75, from_90 and from_99 per cent of the draws.

    Raises
    ------
    InputError
        Scores with gaps, or too few distinct ones for so many grades.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> scaled = cv.weighting.normalise(customers)
    >>> weights = cv.weighting.draw_weights(scaled.values.columns, draws=50)
    >>> scores = scaled.values.mean(axis=1)
    >>> customer, grade = cv.weighting.grade_stability(scaled, scores, weights, shares=[0.5, 0.5],
    ...                                                labels=["A", "B"])
    >>> len(customer)
    3
    """
    graded = grade(scores, "pyramid", shares=shares, labels=labels).customers
    if chance is None:
        chance = acceptability(normalised, weights, shares=shares, labels=labels, small=0).classes
    own = chance.to_numpy()[np.arange(len(chance)), graded["grade"].cat.codes]
    likeliest = chance.to_numpy().argmax(axis=1)
    table = graded[["customer", "grade"]].assign(
        stability=own, likeliest_grade=pd.Categorical.from_codes(likeliest, list(labels), True)
    )
    rows = table.assign(unstable=own < 0.5).groupby("grade", observed=False)
    summary = rows.agg(
        customers=("customer", "size"), mean_stability=("stability", "mean"),
        unstable=("unstable", "sum"),
    ).reset_index()  # fmt: skip
    people = summary["customers"].clip(lower=1)
    often = np.searchsorted(KEPT, own, side="right")
    crossed = pd.crosstab(graded["grade"].cat.codes, often)
    crossed = crossed.reindex(index=range(len(labels)), columns=range(len(KEPT) + 1), fill_value=0)
    names = ["below_50", *(f"from_{round(100 * edge)}" for edge in KEPT)]
    summary[names] = crossed.to_numpy() / people.to_numpy()[:, None]
    return table, summary


def stability_verdict(summary: pd.DataFrame, items: int = 2) -> tuple[float, Message]:
    """How safely customers are in their grades, in a sentence.

    Parameters
    ----------
    summary : pandas.DataFrame
        The table per grade of `grade_stability`; grades left blank for publication are passed over.
    items : int
        How many indicators share the weights: with one, nothing can change.

    Returns
    -------
    tuple
        Mean stability of the best grade that is published (NaN if none is), and the sentence.
    """
    if items < 2:
        return 1.0, message("weighting.stability_fixed")
    known = summary.dropna(subset=["mean_stability", "customers"]).query("customers > 0")
    if known.empty:
        return float("nan"), message("weighting.stability_unknown")
    best, worst = known.iloc[0], known.loc[known["mean_stability"].idxmin()]
    told = [message("weighting.stability_best", grade=best["grade"], kept=best["mean_stability"])]
    if best["grade"] != worst["grade"]:
        least = {"grade": worst["grade"], "kept": worst["mean_stability"]}
        told.append(message("weighting.stability_least", **least))
    return float(best["mean_stability"]), joined(told)


def _below(x: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Number of cut-offs above each score: the code of its grade."""
    return (x[:, None] < np.asarray(cuts) - 1e-12).sum(axis=1)


def _numbered(size: int) -> list[str]:
    return [f"grade {i + 1}" for i in range(size)]
