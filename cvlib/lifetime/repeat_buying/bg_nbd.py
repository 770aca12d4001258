"""BG/NBD: gamma purchase rates, a beta chance of dropping out after every repeat purchase.

References
----------
Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284. Fader, Hardie & Lee (2019),
brucehardie.com/notes/039. Functions with `early` also serve the MBG/NBD, in which customers may
drop out right after their first purchase (early = 1).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, expit

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.special import (
    digamma_rising,
    log1p_exp,
    log_rising,
    nbd_pmf,
    nbd_tail,
    purchases_until_dropout,
)

PARAMETERS: tuple[str, ...] = ("r", "alpha", "a", "b")
# (first, second, what their mixture describes): the second of a gamma pair is a rate
PAIRS: tuple[tuple[str, str, str], ...] = (
    ("r", "alpha", "purchase rates"),
    ("a", "b", "dropout chances"),
)
SHARES: tuple[str, ...] = ("mean_dropout_chance",)
BY_RELATIVE_TIME = True  # purchases ahead depend on T through t / (alpha + T) alone


def starts(histories: Histories) -> list[np.ndarray]:
    """Points to climb from, around the purchase rate of the histories.

    Returns
    -------
    list of (4,) ndarray
        Logs of r, alpha, a, b; time in the unit of the histories.
    """
    rate = histories.count @ histories.x / (histories.count @ histories.T)
    return [
        np.log([r, r / (rate * faster), a, a * (1 - p) / p])
        for r, faster, a, p in ((0.5, 1.5, 1.0, 0.25), (1.5, 3.0, 0.5, 0.4), (0.3, 1.1, 5.0, 0.05))
    ]


def derived(r: float, alpha: float, a: float, b: float) -> dict[str, float]:
    """What the parameters say of purchase rates and dropout.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma purchase rates; `alpha` in units of time.
    a, b : float
        Of the beta dropout chances.

    Returns
    -------
    dict
        Mean purchase rate per unit of time, its coefficient of variation, mean chance of dropping
        out after a purchase; where it is finite (a > 1), mean purchases until dropout.
    """
    values = {
        "mean_purchase_rate": r / alpha,
        "purchase_rate_cv": r**-0.5,
        "mean_dropout_chance": a / (a + b),
    }
    if a > 1:
        values["mean_purchases_until_dropout"] = (a + b - 1) / (a - 1)
    return values


def total(theta: np.ndarray, data: Histories, early: int = 0) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters."""
    r, alpha, a, b = np.exp(theta)
    x, stays = data.x_values, data.x_values + early
    value = data.sum_over_x(log_rising(r, x) + log_rising(b, stays) - log_rising(a + b, stays))
    spread_a = -digamma_rising(a + b, stays)
    slope_r = data.sum_over_x(digamma_rising(r, x))
    slope_a = data.sum_over_x(spread_a)
    slope_b = data.sum_over_x(spread_a + digamma_rising(b, stays))

    shrink = np.log1p(data.T / alpha)
    value -= data.count @ ((r + data.x) * shrink + data.x * np.log(alpha))
    slope_r -= data.count @ shrink
    slope_alpha = data.count @ (data.T / (alpha + data.T) * (r + data.x) - data.x)

    # customers who can have dropped out: all with early = 1, those with a repeat purchase else
    some = slice(0 if early or data.x[0] > 0 else _first_repeat(data), None)
    x, T, t_x, count = data.x[some], data.T[some], data.t_x[some], data.count[some]
    since = np.log1p((T - t_x) / (alpha + t_x))
    last = b + (x + early - 1)  # in this order a b near 0 is not rounded away
    odds = np.log(a / last) + (r + x) * since
    either, gone = log1p_exp(odds)
    dead = count * gone
    value += count @ either
    slope_r += dead @ since
    slope_alpha += alpha * (dead @ ((r + x) * (1 / (alpha + T) - 1 / (alpha + t_x))))
    return value, np.array(
        [r * slope_r, slope_alpha, a * slope_a + dead.sum(), b * (slope_b - dead @ (1 / last))]
    )


def _first_repeat(data: Histories) -> int:
    return int(data.x_start[1]) if data.x_start.size > 1 else data.x.size


def p_alive(
    theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, early: int = 0
) -> np.ndarray:
    """Probability of not having dropped out by T.

    Parameters
    ----------
    theta : (4,) ndarray
        Logs of r, alpha, a, b.
    x, t_x, T : ndarray
        Repeat purchases, time of the last one and time observed, broadcast against each other.
    early : int
        1 where customers may drop out right after their first purchase (MBG/NBD), else 0.

    Returns
    -------
    ndarray
        Probabilities, one per customer.
    """
    r, alpha, a, b = (np.exp(value) for value in theta)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(a / (b + (x + early - 1))) + (r + x) * np.log1p((T - t_x) / (alpha + t_x))
    return np.where(x + early > 0, expit(-odds), 1.0)


def expected_if_alive(
    theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray, early: int = 0
) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T.

    Parameters
    ----------
    theta : (4,) ndarray
        Logs of r, alpha, a, b.
    t, x, T : ndarray
        Time ahead, repeat purchases and time observed, broadcast against each other.
    early : int
        1 where customers may drop out right after their first purchase (MBG/NBD), else 0.

    Returns
    -------
    ndarray
        Purchases, one value per customer and time ahead.
    """
    r, alpha, a, b = (np.exp(value) for value in theta)
    return purchases_until_dropout(r + x, alpha + T, a, b + x + early, t)


def chance_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """At least one purchase within t of a living customer: dropout only follows a purchase."""
    r, alpha = (np.exp(value) for value in theta[:2])
    return -np.expm1(-(r + x) * np.log1p(t / (alpha + T)))


def expected_from_start(theta: np.ndarray, t: np.ndarray, early: int = 0) -> np.ndarray:
    """Expected repeat purchases of a new customer by age t.

    Parameters
    ----------
    theta : (4,) ndarray
        Logs of r, alpha, a, b.
    t : ndarray
        Ages, in the unit of the histories.
    early : int
        1 where customers may drop out right after their first purchase (MBG/NBD), else 0.

    Returns
    -------
    ndarray
        Purchases, in the shape of `t`.
    """
    r, alpha, a, b = (np.exp(value) for value in theta)
    stays = b / (a + b) if early else 1.0
    return stays * purchases_until_dropout(r, alpha, a, b + early, t)


def distribution(theta: np.ndarray, n: np.ndarray, t: np.ndarray, early: int = 0) -> np.ndarray:
    """P(X(t) = n), equation (8) of the paper with the sum written as an NBD tail."""
    r, alpha, a, b = np.exp(theta)
    living = np.exp(betaln(a, b + n + early) - betaln(a, b)) * nbd_pmf(n, r, alpha, t)
    gone = n + early > 0
    last = np.where(gone, b + (n + early - 1), 1.0)
    dropped = np.where(gone, betaln(a + 1, last) - betaln(a, b), -np.inf)
    return living + np.exp(dropped) * nbd_tail(n, r, alpha, t)


def time_scale(theta: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The time over which a living customer's expectation bends."""
    return np.exp(theta[1]) + T
