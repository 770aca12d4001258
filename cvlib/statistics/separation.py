"""Levels whose outcome is too lopsided to have been written down before it: a test by odds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cvlib.statistics.ranks import Order, Ranked, auc, equal_counts

Array = np.ndarray
FEWEST = 30  # people of a level that is looked at
FACTOR = 10.0  # how much smaller or larger the odds may be before time order is doubted [P]
CHANCE = 1e-4  # of a false alarm, over all levels [P]
SUSPECT, WARNING = 0.90, 0.80  # area under the curve of the score alone [P]


def tenths(score: Array) -> Array:
    """(n,) 1 to 10: the tenth each value stands in, equal values together."""
    return equal_counts(score, 10) + 1


def separation(levels: Mapping[str, Array], happened: Array) -> pd.DataFrame:
    """Each level's outcome against what odds ten times smaller or larger could bring about.

    Parameters
    ----------
    levels : mapping of str to ndarray (n,)
        Levels of each variable; NaN belongs to none.
    happened : ndarray of bool (n,)
        The outcome.

    Returns
    -------
    DataFrame
        variable, level, people, happened, share, chance (of an outcome so lopsided at odds ten
        times those of all), suspect.
    """
    from scipy.stats import binom

    y = np.asarray(happened, bool)
    share = y.mean() if len(y) else np.nan
    odds = share / (1 - share) if 0 < share < 1 else np.nan
    low, high = odds / FACTOR / (1 + odds / FACTOR), FACTOR * odds / (1 + FACTOR * odds)
    rows = []
    for name, values in levels.items():
        values = np.asarray(values, float)
        for level in np.unique(values[~np.isnan(values)]):
            inside = values == level
            n, k = int(inside.sum()), int(y[inside].sum())
            if n >= FEWEST and np.isfinite(odds):
                chance = min(binom.cdf(k, n, low), binom.sf(k - 1, n, high))
                rows.append((name, float(level), n, k, k / n, float(chance)))
    found = pd.DataFrame(
        rows, columns=["variable", "level", "people", "happened", "share", "chance"]
    )
    return found.assign(suspect=found["chance"] < CHANCE / max(len(found), 1))


def area(score: Array, happened: Array) -> float:
    """AUC of a score for an outcome, in whichever direction it tells more."""
    ranked = Ranked(Order.of(score, 12), np.ones((1, len(score))))
    value = float(auc(ranked, np.asarray(happened, float))[0])
    return max(value, 1 - value)
