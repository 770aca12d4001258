"""Fuzzy AHP: judgements as triangles, weights by Buckley with the bounds that can really occur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.words.message import message

MOST_EXACT = 6  # items whose bounds are found over all vertices


@dataclass(frozen=True, eq=False, repr=False)
class FuzzyWeights(Result):
    """Weights from fuzzy judgements.

    Attributes
    ----------
    weights : pandas.DataFrame
        item, buckley (centroid, divided by the sum), low, modal, high (Buckley's triangle),
        possible_low, possible_high (what reciprocal judgements within the triangles can give;
        NaN above `MOST_EXACT` items), crisp (row geometric mean of the modal judgements) and
        chang (extent analysis, to replicate).
    warnings : tuple of str
        Items to which Chang's method gives no weight at all.
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("weights",)
    told_by: ClassVar[str] = "cvlib.words.usual:heaviest"

    weights: pd.DataFrame
    warnings: tuple[str, ...]


def fuzzy_ahp(judgements: Mapping[str, object]) -> FuzzyWeights:
    """Weights from triangular judgements ``{"a|b": (l, m, u), ...}``, or from plain ones.

    Parameters
    ----------
    judgements : mapping
        Upper triangle. A plain number x is fuzzified: from 2 on (x − 1, x, min(9, x + 1)), 1 is
        (½, 1, 2), linear between, reciprocals below 1 [P].

    Returns
    -------
    FuzzyWeights
        Buckley's weights with possible bounds, and Chang's beside them.

    Raises
    ------
    InputError
        A missing pair, or a triangle that is not 0 < l ≤ m ≤ u.

    References
    ----------
    Buckley, J. J. (1985). Fuzzy hierarchical analysis. Fuzzy Sets and Systems 17, 233-247.
    Krejčí, J., Pavlačka, O. & Talašová, J. (2017). Fuzzy Optimization and Decision Making 16,
    89-110 (constrained bounds). Chang, D.-Y. (1996). EJOR 95, 649-655; Wang, Luo & Hua (2008),
    EJOR 186, 735-747 (why its zero weights mislead).

    Examples
    --------
    >>> import cvlib as cv
    >>> pairs = {"a|b": (2, 3, 4), "a|c": (6, 7, 8), "b|c": (4, 5, 6)}
    >>> cv.weighting.fuzzy_ahp(pairs).weights["buckley"].round(3).tolist()
    [0.643, 0.285, 0.072]
    """
    names = list(dict.fromkeys(part.strip() for pair in judgements for part in pair.split("|")))
    matrix = np.full((len(names), len(names), 3), np.nan)
    matrix[np.arange(len(names)), np.arange(len(names))] = 1.0
    for pair, value in judgements.items():
        row, _, column = (part.strip() for part in pair.partition("|"))
        i, j = names.index(row), names.index(column) if column in names else -1
        triangle = _triangle(value, f"judgement {pair!r}")
        if i == j or j < 0:
            raise InputError(
                f"judgement {pair!r}",
                message("refusals.does_not_name_two_items"),
                message("refusals.write_it_a"),
            )
        matrix[i, j], matrix[j, i] = triangle, 1 / triangle[::-1]
    empty = np.argwhere(np.isnan(matrix[:, :, 1]))
    if len(empty):
        i, j = empty[0]
        raise InputError(
            f"judgement '{names[i]}|{names[j]}'",
            message("refusals.is_not_given"),
            message("refusals.fuzzy_ahp_needs_every_pair"),
        )
    return from_triangles(matrix, names)


def fuzzified(crisp: np.ndarray) -> np.ndarray:
    """Plain judgements as triangles (l, m, u), in a last axis of three."""
    x = np.asarray(crisp, dtype=float)
    large = np.maximum(x, 1 / x)
    low = np.where(large >= 2, large - 1, 0.5 + 0.5 * (large - 1))
    high = np.where(large >= 2, np.minimum(9, large + 1), 2 + (large - 1))
    high = np.maximum(high, large)
    up = np.stack([low, large, high], axis=-1)
    return np.where((x >= 1)[..., None], up, 1 / up[..., ::-1])


def from_triangles(matrix: np.ndarray, names: list[str]) -> FuzzyWeights:
    """Weights from an array items by items by (l, m, u), reciprocal with ones on its diagonal."""
    triangles = buckley(matrix)
    centroid = triangles.mean(axis=1)
    crisp = np.exp(np.log(matrix[:, :, 1]).mean(axis=1))
    extent = chang(matrix)
    if len(names) <= MOST_EXACT:
        low, high = possible(matrix)
    else:
        low = high = np.full(len(names), np.nan)
    table = pd.DataFrame({"item": names, "buckley": centroid / centroid.sum()})
    table[["low", "modal", "high"]] = triangles
    table["possible_low"], table["possible_high"] = low, high
    table["crisp"], table["chang"] = crisp / crisp.sum(), extent
    warnings = []
    zero = [name for name, w in zip(names, extent, strict=True) if w == 0]
    if zero:
        at = table.set_index("item")["crisp"].loc[zero]
        warnings.append(message("weighting.chang_zero", items=zero, crisp=float(at.max())))
    if len(names) > MOST_EXACT:
        warnings.append(message("weighting.fuzzy_bounds_many", items=len(names), most=MOST_EXACT))
    return FuzzyWeights(table, tuple(warnings))


def buckley(matrix: np.ndarray) -> np.ndarray:
    """Fuzzy weights (l, m, u) of each item: fuzzy geometric means over their fuzzy sum."""
    means = np.exp(np.log(matrix).mean(axis=1))
    return np.asarray(means / means.sum(axis=0)[::-1])


def chang(matrix: np.ndarray) -> np.ndarray:
    """Weights of the extent analysis: least possibilities, divided by their sum."""
    least = least_possibility(extents(matrix))
    return np.asarray(least / least.sum())


def extents(matrix: np.ndarray) -> np.ndarray:
    """Fuzzy extents (l, m, u) of each item: row sums over the sum of all judgements."""
    sums = matrix.sum(axis=1)
    return np.asarray(sums / sums.sum(axis=0)[::-1])


def least_possibility(extent: np.ndarray) -> np.ndarray:
    """Least possibility that an item's extent exceeds another's, 0 to 1, for each item."""
    low, mode, high = extent.T
    least = np.ones(len(extent))
    for i in range(len(extent)):
        for k in range(len(extent)):
            if i == k or mode[i] >= mode[k]:
                continue
            if low[k] >= high[i]:
                least[i] = 0.0
                continue
            above = (low[k] - high[i]) / ((mode[i] - high[i]) - (mode[k] - low[k]))
            least[i] = min(least[i], above)
    return least


def possible(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact bounds of the row geometric mean over reciprocal matrices within the triangles.

    A weight is largest with its own judgements at their top and the others' means as small as
    they get, a convex problem in the logarithms; smallest with its own at the bottom and the
    others' means as large as they get, which happens at a corner.
    """
    n = len(matrix)
    logs = np.log(matrix)
    low, high = np.empty(n), np.empty(n)
    for i in range(n):
        rest = [k for k in range(n) if k != i]
        for bound, end in ((low, 0), (high, 2)):
            own = np.exp(logs[i, :, end].sum() / n)
            against = np.array([-logs[i, k, end] for k in rest])
            bound[i] = own / (own + _others(logs[np.ix_(rest, rest)], against, n, end == 0))
    return low, high


def _others(logs: np.ndarray, against: np.ndarray, n: int, largest: bool) -> float:
    """Largest or smallest sum of the geometric means of the other items."""
    rows, columns = np.triu_indices(len(logs), 1)
    if not len(rows):
        return float(np.exp(against / n).sum())
    ends = logs[rows, columns][:, [0, 2]]
    signs = np.zeros((len(logs), len(rows)))
    signs[rows, np.arange(len(rows))], signs[columns, np.arange(len(rows))] = 1, -1

    def total(x: np.ndarray) -> float:
        return float(np.exp((against + signs @ x) / n).sum())

    def slope(x: np.ndarray) -> np.ndarray:
        return np.asarray(signs.T @ np.exp((against + signs @ x) / n) / n)

    if largest:
        return max(total(np.array(corner)) for corner in product(*ends))
    options = {"ftol": 1e-15, "gtol": 1e-11}
    found = minimize(total, ends.mean(axis=1), jac=slope, bounds=ends, options=options)
    return float(found.fun)


def _triangle(value: object, where: str) -> np.ndarray:
    try:
        given = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        given = np.array([np.nan])
    plain = given.ndim == 0
    if plain and given > 0:
        given = fuzzified(given)
    if given.shape != (3,) or not (0 < given[0] <= given[1] <= given[2] < np.inf):
        raise InputError(
            where,
            message("refusals.is_no_triangle", value=value),
            message("refusals.give_with_or_one_number"),
        )
    return given
