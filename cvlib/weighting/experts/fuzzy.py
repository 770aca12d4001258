"""Fuzzy comprehensive evaluation (模糊综合评价): grades as matters of degree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.weighting.scale import Normalised
from cvlib.words.message import message

OPERATORS = ("product_sum", "min_max", "product_max", "min_sum")
BLOCK = 20_000  # customers evaluated at a time


def fuzzy_operator(weights: np.ndarray, membership: np.ndarray, operator: str) -> np.ndarray:
    """B = w ∘ R of fuzzy comprehensive evaluation.

    Parameters
    ----------
    weights : ndarray, n
        Weights of the factors, sum 1.
    membership : ndarray, … by n by g
        Membership of each factor in each grade.
    operator : {"product_sum", "min_max", "product_max", "min_sum"}
        M(·,+), M(∧,∨), M(·,∨), M(∧,+); the last is bounded at 1.

    Returns
    -------
    ndarray, … by g
    """
    one_of("operator", operator, OPERATORS)
    w = np.asarray(weights)[:, None]
    joined = w * membership if operator.startswith("product") else np.minimum(w, membership)
    if operator.endswith("sum"):
        return np.minimum(joined.sum(axis=-2), 1.0)
    return joined.max(axis=-2)


@dataclass(frozen=True, eq=False)
class FuzzyEvaluation:
    """Fuzzy comprehensive evaluation (模糊综合评价) of customers.

    Attributes
    ----------
    membership : pandas.DataFrame
        Customers by grades, normalised to sum 1.
    scores : pandas.DataFrame
        customer, score (grade values weighted by membership), grade (largest membership),
        validity (alpha = (g β − 1)/(2 γ (g − 1)) of that choice; below 0.5 the largest
        membership is a poor guide; infinite where it is the only one).
    settings : dict
        ``operator`` and ``grades``.
    warnings : tuple of str
    """

    membership: pd.DataFrame
    scores: pd.DataFrame
    settings: dict[str, Any]
    warnings: tuple[str, ...]


def fuzzy_evaluation(
    normalised: Normalised,
    weights: pd.DataFrame,
    *,
    grades: Sequence[str] = ("excellent", "good", "fair", "poor"),
    operator: str = "product_sum",
) -> FuzzyEvaluation:
    """Multi-level fuzzy evaluation: memberships from triangles, joined from the leaves up.

    The grades' centres are spread evenly from 1 to 0; a value belongs to the two nearest in
    proportion to its nearness.

    Parameters
    ----------
    normalised : Normalised
        The customers.
    weights : pandas.DataFrame
        Tidy weights of one method: indicator, parent, local_weight.
    grades : sequence of str
        Names of two grades or more, best first.
    operator : str
        See `fuzzy_operator`; used at every level.

    Returns
    -------
    FuzzyEvaluation
        Customers who fail a gate belong wholly to the last grade.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> frame = pd.DataFrame({"recency": [3, 9, 4], "frequency": [4, 1, 2], "monetary": [8, 1, 9]})
    >>> customers = cv.weighting.indicators(frame, "rfm")
    >>> weights = cv.weighting.choose_weights(customers, "equal").weights
    >>> found = cv.weighting.fuzzy_evaluation(cv.weighting.normalise(customers), weights)
    >>> type(found).__name__
    'FuzzyEvaluation'
    """
    z, g = normalised.complete(), len(grades)
    centres = np.linspace(1, 0, g)
    membership = np.empty((len(z), g))
    for start in range(0, len(z), BLOCK):  # a grade for each item of each customer is much
        part = slice(start, start + BLOCK)
        found = {
            str(name): np.clip(1 - np.abs(z[part, j, None] - centres) * (g - 1), 0, 1)
            for j, name in enumerate(normalised.values.columns)
        }
        joined = join_memberships(found, weights, operator)
        membership[part] = joined / joined.sum(axis=1, keepdims=True)
    membership[normalised.vetoed.to_numpy()] = np.eye(g)[-1]
    ordered = np.sort(membership, axis=1)
    with np.errstate(divide="ignore"):
        validity = (g * ordered[:, -1] - 1) / (2 * ordered[:, -2] * (g - 1))
    scores = pd.DataFrame(
        {
            "customer": normalised.values.index,
            "score": membership @ centres,
            "grade": pd.Categorical.from_codes(membership.argmax(axis=1), list(grades), True),
            "validity": validity,
        }
    )
    weak = int((validity < 0.5).sum())
    warnings = (message("weighting.no_clear_membership", customers=weak),) if weak else ()
    table = pd.DataFrame(membership, index=normalised.values.index, columns=list(grades))
    settings = {"operator": operator, "grades": tuple(grades)}
    return FuzzyEvaluation(table, scores, settings, warnings)


def join_memberships(
    membership: Mapping[str, np.ndarray], weights: pd.DataFrame, operator: str = "product_sum"
) -> np.ndarray:
    """Join the memberships of a tree's indicators from the leaves up to the root.

    Parameters
    ----------
    membership : mapping of indicator to ndarray, … by g
        Membership of each weight-carrying indicator in the grades, for one object or many.
    weights : pandas.DataFrame
        Tidy weights of one method: indicator, parent, local_weight.
    operator : str
        See `fuzzy_operator`; used at every level.

    Returns
    -------
    ndarray, … by g
        B of the root, not normalised.
    """
    found = dict(membership)
    # Parents come before their children in the table, so go through it backwards.
    for parent in reversed(list(dict.fromkeys(weights["parent"]))):
        rows = weights[weights["parent"] == parent]
        stacked = np.stack([found[str(name)] for name in rows["indicator"]], axis=-2)
        found[str(parent)] = fuzzy_operator(rows["local_weight"].to_numpy(float), stacked, operator)
    return found[str(weights["parent"].iloc[0])]


def membership_from_ratings(ratings: pd.DataFrame, grades: Sequence[str]) -> pd.DataFrame:
    """Membership of each indicator in each grade: the share of raters who gave it.

    Parameters
    ----------
    ratings : pandas.DataFrame, raters by indicators
        Grades given; an empty cell is not counted.
    grades : sequence of str
        Names of the grades, best first.

    Returns
    -------
    pandas.DataFrame, indicators by grades
        The matrix R; rows sum to 1.
    """
    rows = {}
    for name in ratings.columns:
        given = ratings[name].dropna()
        strange = sorted(set(given) - set(grades))
        if strange or given.empty:
            fault = f"holds {strange[0]!r}, not a grade" if strange else "has no rating"
            raise InputError(
                f"ratings of {name!r}", fault, message("refusals.grades", names=", ".join(grades))
            )
        rows[name] = given.value_counts(normalize=True).reindex(list(grades), fill_value=0.0)
    return pd.DataFrame(rows).T
