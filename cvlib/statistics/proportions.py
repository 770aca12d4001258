"""Proportions and their intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def wilson(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval of a proportion, without continuity correction.

    Parameters
    ----------
    successes, n : array_like
        Successes among so many trials, one or more.
    level : float
        Confidence.

    Returns
    -------
    low, high : ndarray

    References
    ----------
    Wilson (1927) JASA 22:209-212; computed by statsmodels.
    """
    from statsmodels.stats.proportion import proportion_confint

    k, trials = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    low, high = proportion_confint(k, trials, alpha=1 - level, method="wilson")
    return np.asarray(low), np.asarray(high)
