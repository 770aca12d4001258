"""Many comparisons at once: adjusted p values, ranks with confidence, letters that sum them up."""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of

ADJUSTMENTS = ("holm", "benjamini_hochberg", "none")
_METHODS = {"holm": "holm", "benjamini_hochberg": "fdr_bh"}  # what statsmodels calls them


def adjusted(p: np.ndarray, method: str = "holm") -> np.ndarray:
    """p values adjusted for their number; NaN ones stay NaN and do not count.

    Parameters
    ----------
    p : ndarray (m,)
        Of one family of tests.
    method : {"holm", "benjamini_hochberg", "none"}
        Family-wise error, or false discovery rate.

    References
    ----------
    Holm (1979), Scandinavian J. Statistics 6:65-70; Benjamini & Hochberg (1995), JRSS B
    57:289-300; computed by statsmodels.
    """
    one_of("adjustment", method, ADJUSTMENTS)
    found = np.array(p, dtype=float)
    there = ~np.isnan(found)
    if method != "none" and there.any():
        from statsmodels.stats.multitest import multipletests

        gc.freeze()  # its Holm collects garbage: .07 s a call where much is loaded
        try:
            found[there] = multipletests(found[there], method=_METHODS[method])[1]
        finally:
            gc.unfreeze()
    return found


def adjusted_within(table: pd.DataFrame, column: str, by: list[str], method: str) -> pd.Series:
    """`adjusted` p values of a column, every combination of the columns `by` a family."""
    return table.groupby(by, sort=False)[column].transform(lambda p: adjusted(p.to_numpy(), method))


def rank_intervals(
    estimate: np.ndarray, draws: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank of every group, 1 for the highest, with confidence limits.

    For each group the differences to all others get simultaneous intervals (largest studentised
    deviation over the draws). Groups surely above it give the best rank it can have, groups surely
    below it the worst. Counting ranks within the draws would be too sure where groups are close.

    Parameters
    ----------
    estimate : ndarray (G,)
        Indices.
    draws : ndarray (G, B)
        Bootstrap values; draws with a NaN are left out.
    level : float
        Confidence for each group's rank.

    Returns
    -------
    rank, ci_low, ci_high : ndarray of int (G,)

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91:476-518 [M]
    (marginal confidence sets for ranks).
    """
    number = len(estimate)
    rank = 1 + (estimate[None] > estimate[:, None] + 1e-12).sum(axis=1)
    low, high = np.ones(number, dtype=int), np.full(number, number)
    drawn = draws[:, ~np.isnan(draws).any(axis=0)]
    if drawn.shape[1] < 2:
        return rank, low, high
    for j in range(number):
        others = np.delete(np.arange(number), j)
        gap = estimate[others] - estimate[j]
        moved = drawn[others] - drawn[j]
        error = moved.std(axis=1, ddof=1)
        error = np.where(error > 1e-12, error, np.inf)
        largest = np.abs((moved - gap[:, None]) / error[:, None]).max(axis=0)
        reach = np.quantile(largest, level) * np.where(np.isinf(error), 0, error)
        low[j] = 1 + (gap - reach > 0).sum()
        high[j] = number - (gap + reach < 0).sum()
    return rank, low, high


def compact_letters(estimate: np.ndarray, different: np.ndarray) -> list[str]:
    """Letters of each group: two groups share one exactly when they do not differ.

    Parameters
    ----------
    estimate : ndarray (G,)
        Letters run from the highest down.
    different : ndarray of bool (G, G)
        Symmetric.

    References
    ----------
    Piepho (2004), J. Computational and Graphical Statistics 13:456-466 (insert and absorb).
    """
    number = len(estimate)
    sets = [frozenset(range(number))]
    for i, j in zip(*np.nonzero(np.triu(different, 1)), strict=True):
        split = [s for s in sets if i in s and j in s]
        whole = [s for s in sets if not (i in s and j in s)]
        new = {s - {gone} for s in split for gone in (i, j)}
        sets = whole + [
            s for s in new if not any(s < o for o in new) and not any(s <= o for o in whole)
        ]
    place = np.argsort(np.argsort(-estimate, kind="stable"))
    ordered = sorted(sets, key=lambda s: sorted(place[i] for i in s))
    return [
        "".join(_letter(n) for n, members in enumerate(ordered) if i in members)
        for i in range(number)
    ]


def _letter(n: int) -> str:
    return chr(97 + n % 26) * (1 + n // 26)
