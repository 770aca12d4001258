"""NBD: gamma purchase rates and no dropout, the rival that every churn model has to beat.

References
----------
Ehrenberg (1959), Applied Statistics 8(1), 26-41.
"""

from __future__ import annotations

import numpy as np

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.special import digamma_rising, log_rising, nbd_pmf

PARAMETERS: tuple[str, ...] = ("r", "alpha")
PAIRS: tuple[tuple[str, str, str], ...] = (("r", "alpha", "purchase rates"),)
SHARES: tuple[str, ...] = ()
PROPORTIONAL = True  # purchases ahead are r + x times what depends on T alone


def starts(histories: Histories) -> list[np.ndarray]:
    """Points to climb from, around the purchase rate of the histories.

    Returns
    -------
    list of (2,) ndarray
        Logs of r and alpha; time in the unit of the histories.
    """
    rate = histories.count @ histories.x / (histories.count @ histories.T)
    return [np.log([r, r / rate]) for r in (0.5, 2.0)]


def derived(r: float, alpha: float) -> dict[str, float]:
    """Mean purchase rate per unit of time, r/alpha, and its coefficient of variation, r^(-1/2)."""
    return {"mean_purchase_rate": r / alpha, "purchase_rate_cv": r**-0.5}


def total(theta: np.ndarray, data: Histories) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters.

    Parameters
    ----------
    theta : (2,) ndarray
        Logs of r and alpha.
    data : Histories
        The customers.

    Returns
    -------
    value : float
    gradient : (2,) ndarray
    """
    r, alpha = np.exp(theta)
    shrink = np.log1p(data.T / alpha)
    value = data.sum_over_x(log_rising(r, data.x_values))
    value -= data.count @ ((r + data.x) * shrink + data.x * np.log(alpha))
    slope = data.sum_over_x(digamma_rising(r, data.x_values)) - data.count @ shrink
    slope_alpha = data.count @ (data.T / (alpha + data.T) * (r + data.x) - data.x)
    return value, np.array([r * slope, slope_alpha])


def p_alive(theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """One for every customer: nobody drops out."""
    return np.ones(np.broadcast_shapes(x.shape, T.shape))


def expected_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T.

    Parameters
    ----------
    theta : (2,) ndarray
        Logs of r and alpha.
    t, x, T : ndarray
        Time ahead, repeat purchases and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Purchases, one value per customer and time ahead.
    """
    r, alpha = np.exp(theta)
    return (r + x) / (alpha + T) * t


def chance_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Probability of a purchase in (T, T + t].

    Parameters
    ----------
    theta : (2,) ndarray
        Logs of r and alpha.
    t, x, T : ndarray
        Time ahead, repeat purchases and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Probabilities, one per customer and time ahead.
    """
    r, alpha = np.exp(theta)
    return -np.expm1(-(r + x) * np.log1p(t / (alpha + T)))


def expected_from_start(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer by age t: the mean rate times t, in its shape."""
    return np.exp(theta[0] - theta[1]) * t


def distribution(theta: np.ndarray, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    """P(X(t) = n) repeat purchases of a new customer by age t; `n` and `t` are broadcast."""
    r, alpha = np.exp(theta)
    return nbd_pmf(n, r, alpha, t)


def time_scale(theta: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Time over which to lay out an integral ahead of T: alpha + T, in the unit of T."""
    return np.exp(theta[1]) + T
