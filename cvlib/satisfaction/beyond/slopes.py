"""Simple slopes and the Johnson-Neyman region of a product term."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.statistics import resample


@dataclass(frozen=True)
class Product:
    """A slope that changes with a moderator: ``slope(m) = b1 + b3 m``.

    For a quadratic effect ``b3`` is twice the coefficient of the square.

    Attributes
    ----------
    b1, b3 : float
        Slope at the moderator's mean, and its change per standard deviation of the moderator.
    v11, v13, v33 : float
        Their variances and covariance.
    degrees : float
        Of Student's t.
    """

    b1: float
    b3: float
    v11: float
    v13: float
    v33: float
    degrees: float

    @classmethod
    def of_draws(cls, b1: float, b3: float, draws: np.ndarray, degrees: float) -> Product:
        """With the covariance of bootstrap draws (B, 2) of b1 and b3."""
        spread = np.cov(draws, rowvar=False)
        return cls(b1, b3, float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1]), degrees)


def simple_slopes(product: Product, at: np.ndarray, level: float = 0.95) -> pd.DataFrame:
    """The slope at values of the moderator, with ``v11 + 2 m v13 + m² v33`` as its variance.

    Parameters
    ----------
    product : Product
        Coefficients and their covariance.
    at : ndarray
        Values of the standardised moderator.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        moderator_at, slope, std_error, t, p, ci_low, ci_high.

    References
    ----------
    Aiken & West (1991), Multiple Regression: Testing and Interpreting Interactions, ch. 2.
    """
    at = np.asarray(at, dtype=float)
    slope = product.b1 + product.b3 * at
    error = np.sqrt(product.v11 + 2 * at * product.v13 + at**2 * product.v33)
    t = slope / error
    reach = resample.reach(level, product.degrees) * error
    return pd.DataFrame({
        "moderator_at": at, "slope": slope, "std_error": error, "t": t,
        "p": 2 * stats.t.sf(np.abs(t), product.degrees),
        "ci_low": slope - reach, "ci_high": slope + reach,
    })  # fmt: skip


def johnson_neyman(product: Product, level: float = 0.95) -> tuple[tuple[float, ...], str]:
    """Where the slope differs from 0: the roots of its t statistic less the critical value.

    Parameters
    ----------
    product : Product
        Coefficients and their covariance.
    level : float
        One less the significance level.

    Returns
    -------
    roots : tuple of float
        None, or two in rising order, in standard deviations of the moderator.
    region : {"outside_roots", "between_roots", "everywhere", "nowhere"}
        Where the slope is significant.

    References
    ----------
    Johnson & Neyman (1936), Statistical Research Memoirs 1:57-93; Bauer & Curran (2005),
    Multivariate Behavioral Research 40:373-400.
    """
    t2 = resample.reach(level, product.degrees) ** 2
    a = product.b3**2 - t2 * product.v33
    b = 2 * (product.b1 * product.b3 - t2 * product.v13)
    c = product.b1**2 - t2 * product.v11
    inside = b * b - 4 * a * c
    if inside <= 0 or a == 0:
        return (), "everywhere" if c > 0 else "nowhere"
    q = -(b + np.copysign(np.sqrt(inside), b)) / 2  # no digits lost where b² is far above 4ac
    low, high = sorted((q / a, c / q))
    return (float(low), float(high)), "outside_roots" if a > 0 else "between_roots"


def significant(values: np.ndarray, roots: tuple[float, ...], region: str) -> np.ndarray:
    """Which values of the moderator lie where the slope differs from 0."""
    if not roots:
        return np.full(len(values), region == "everywhere")
    between = (values > roots[0]) & (values < roots[1])
    return between if region == "between_roots" else ~between
