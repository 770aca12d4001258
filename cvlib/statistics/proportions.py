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


def newcombe(
    successes: tuple[float, float], n: tuple[float, float], level: float = 0.95
) -> tuple[float, float, float]:
    """Difference of two independent proportions, first less second, with Newcombe's interval.

    Parameters
    ----------
    successes, n : tuple of two float
        Successes among so many trials in each of two groups.
    level : float
        Confidence.

    Returns
    -------
    difference, low, high : float

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17:873-890, method 10 (Wilson's limits, squared and
    added).

    Examples
    --------
    >>> from cvlib.statistics.proportions import newcombe
    >>> [round(v, 4) for v in newcombe((56, 48), (70, 80))]
    [0.2, 0.0524, 0.3339]
    """
    k, trials = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    p = k / trials
    low, high = wilson(k, trials, level)
    gap = float(p[0] - p[1])
    below = float(np.hypot(p[0] - low[0], high[1] - p[1]))
    above = float(np.hypot(high[0] - p[0], p[1] - low[1]))
    return gap, gap - below, gap + above
