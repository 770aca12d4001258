"""Where grades are cut: natural breaks, and the rank-sum ratio with its cuts at probits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.weighting.scale import Normalised
from cvlib.words.message import message

# Cumulative normal cuts for 2 to 5 grades of the rank-sum ratio (Tian 1993) [M].
_PROBITS = {2: (5.0,), 3: (4.0, 6.0), 4: (3.5, 5.0, 6.5), 5: (3.2, 4.4, 5.6, 6.8)}


def natural_breaks(x: np.ndarray, classes: int) -> np.ndarray:
    """Cut-offs (falling) of the grouping with the least sum of squares within groups.

    Exact, by dynamic programming over the distinct values with divide and conquer.

    Parameters
    ----------
    x : ndarray
        Scores.
    classes : int
        Number of groups; at most the number of distinct scores.

    Returns
    -------
    ndarray
        Smallest score of each group but the lowest.
    """
    values, counts = np.unique(x, return_counts=True)
    n = len(values)
    if not 2 <= classes <= n:
        raise InputError(
            "natural breaks",
            message("refusals.cannot_make_groups_of_distinct", classes=classes, n=n),
            message("refusals.use_fewer"),
        )
    centred = values - np.average(values, weights=counts)
    sums = [np.append(0.0, np.cumsum(counts * centred**power)) for power in range(3)]

    def within(first: np.ndarray, last: int | np.ndarray) -> np.ndarray:
        weight, total, square = (s[last + 1] - s[first] for s in sums)
        return square - total**2 / weight

    cost = within(np.array(0), np.arange(n))
    starts = np.zeros((classes, n), dtype=int)
    for k in range(1, classes):
        # The best start of the last group never moves left as the range grows.
        best, pending = np.full(n, np.inf), [(k, n - 1, k, n - 1)]
        while pending:
            left, right, low, high = pending.pop()
            if left > right:
                continue
            middle = (left + right) // 2
            first = np.arange(low, min(middle, high) + 1)
            total = cost[first - 1] + within(first, middle)
            at = int(total.argmin())
            best[middle], starts[k, middle] = total[at], first[at]
            pending += [(left, middle - 1, low, first[at]), (middle + 1, right, first[at], high)]
        cost = best
    cuts, end = [], n - 1
    for k in range(classes - 1, 0, -1):
        cuts.append(values[starts[k, end]])
        end = starts[k, end] - 1
    return np.array(cuts)


def rank_sum_ratio(normalised: Normalised, weights: pd.Series) -> pd.Series:
    """Rank-sum ratio (秩和比) of each customer: weighted mean rank over m, 1/m to 1.

    Parameters
    ----------
    normalised : Normalised
        The customers; in each item the best has rank m, ties the mean rank.
    weights : pandas.Series
        Global weight of each item.

    Returns
    -------
    pandas.Series
    """
    z, total = normalised.complete(), np.zeros(len(normalised.values))
    for j, weight in enumerate(weights.reindex(normalised.values.columns).to_numpy(float)):
        total += weight * stats.rankdata(np.round(z[:, j], 12))
    return pd.Series(np.round(total / len(z), 12), index=normalised.values.index)


def rank_sum_ratio_cuts(ratio: np.ndarray, classes: int) -> tuple[np.ndarray, float]:
    """Cut-offs (falling) of rank-sum ratios at the probits of equal width, and the line's R².

    Each distinct ratio's mean rank over m is its cumulative frequency, the last corrected to
    1 − 1/(4m); the ratio is regressed on the probit (5 + normal quantile).
    """
    if classes not in _PROBITS:
        raise InputError(
            "rank-sum ratio", message("refusals.has_no_cuts_for_grades", classes=classes),
            message("refusals.use_to"),
        )  # fmt: skip
    m = len(ratio)
    values, where, counts = np.unique(ratio, return_inverse=True, return_counts=True)
    if len(values) < 3:
        raise InputError("rank-sum ratio", message("refusals.has_fewer_than_three_distinct"), "")
    mean_rank = np.bincount(where, stats.rankdata(ratio)) / counts
    frequency = np.where(mean_rank >= m, 1 - 1 / (4 * m), mean_rank / m)
    line = stats.linregress(5 + stats.norm.ppf(frequency), values)
    cuts = line.intercept + line.slope * np.array(_PROBITS[classes])[::-1]
    return cuts, float(line.rvalue**2)
