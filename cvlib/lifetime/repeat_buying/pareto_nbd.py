"""Pareto/NBD: gamma purchase rates, exponential lifetimes with gamma dropout rates.

References
----------
Schmittlein, Morrison & Colombo (1987), Management Science 33, 1-24. Fader & Hardie (2005),
brucehardie.com/notes/009. Covariates: Fader & Hardie (2007), brucehardie.com/notes/019.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, exprel

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.special import (
    decay,
    digamma_rising,
    gauss,
    log1p_exp,
    log_rising,
    nbd_pmf,
)
from cvlib.lifetime.repeat_buying.suffix_sums import Grid, between, grid_of

PARAMETERS: tuple[str, ...] = ("r", "alpha", "s", "beta")
PAIRS: tuple[tuple[str, str, str], ...] = (
    ("r", "alpha", "purchase rates"),
    ("s", "beta", "dropout rates"),
)
SHARES: tuple[str, ...] = ()
PROPORTIONAL = True  # purchases ahead are r + x times what depends on T alone


def starts(histories: Histories) -> list[np.ndarray]:
    """Points to climb from, around the purchase rate of the histories.

    Returns
    -------
    list of (4,) ndarray
        Logs of r, alpha, s, beta; time in the unit of the histories.
    """
    length = histories.count @ histories.T / histories.customers
    rate = histories.count @ histories.x / (histories.count @ histories.T)
    return [
        np.log([r, r / (rate * faster), s, s * length * lives])
        for r, faster, s, lives in (
            (0.5, 1.5, 0.6, 0.5),
            (1.5, 3.0, 1.5, 0.3),
            (0.8, 1.1, 3.0, 5.0),
        )
    ]


def derived(r: float, alpha: float, s: float, beta: float) -> dict[str, float]:
    """What the parameters say of purchase and dropout rates.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma purchase rates; `alpha` in units of time.
    s, beta : float
        Shape and rate of the gamma dropout rates; `beta` in units of time.

    Returns
    -------
    dict
        Mean purchase rate, its coefficient of variation and mean dropout rate, per unit of time.
    """
    return {
        "mean_purchase_rate": r / alpha,
        "purchase_rate_cv": r**-0.5,
        "mean_dropout_rate": s / beta,
    }


def with_covariates(base: np.ndarray, coefficients: np.ndarray, z: np.ndarray) -> list[Any]:
    """Log-parameters by row: exp(γ'z) multiplies the purchase rate, its like the dropout rate."""
    width = z.shape[1]
    buy, drop = z @ coefficients[:width], z @ coefficients[width:]
    return [base[0], base[1] - buy, base[2], base[3] - drop]


def total(
    theta: np.ndarray, data: Histories, coefficients: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters (and coefficients)."""
    either, shrink, fade, slopes = _rows(theta, data, coefficients)
    x, count = data.x, data.count
    own = theta if coefficients is None else with_covariates(theta, coefficients, data.z)
    r, s = np.exp(own[0]), np.exp(own[2])
    value = data.sum_over_x(log_rising(r, data.x_values))
    value -= count @ ((r + x) * shrink + x * own[1] + s * fade)
    value += count @ either
    by_r, by_alpha, by_s, by_beta = (count * each for each in slopes)
    rising = data.sum_over_x(digamma_rising(r, data.x_values))
    slope = [r * rising + by_r.sum(), by_alpha.sum(), by_s.sum(), by_beta.sum()]
    if coefficients is not None:
        slope += [*(-by_alpha @ data.z), *(-by_beta @ data.z)]
    return value, np.array(slope)


def scores(
    theta: np.ndarray, data: Histories, coefficients: np.ndarray | None = None
) -> np.ndarray:
    """(m, 4 + 2k) gradient of one customer of each history, for errors that do not trust the model.

    In log-parameters and coefficients; Σ count x scores is the gradient of `total`.
    """
    *_, (by_r, by_alpha, by_s, by_beta) = _rows(theta, data, coefficients)
    r = float(np.exp(theta[0]))
    by_r = by_r + r * data.spread(lambda x: digamma_rising(r, x))
    columns = [each[:, None] for each in (by_r, by_alpha, by_s, by_beta)]
    if coefficients is not None:
        columns += [-by_alpha[:, None] * data.z, -by_beta[:, None] * data.z]
    return np.hstack(columns)


def _rows(
    theta: np.ndarray, data: Histories, coefficients: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """By history: log(1 + odds of dropout), log(1 + T/α), log(1 + T/β), slopes in log-parameters.

    The slope in log r lacks its term in x alone, which customers of one x share.
    """
    own = theta if coefficients is None else with_covariates(theta, coefficients, data.z)
    r, alpha, s, beta = (np.exp(value) for value in own)
    x, t_x, T = data.x, data.t_x, data.T
    shrink, fade = np.log1p(T / alpha), np.log1p(T / beta)
    grid = grid_of(data) if coefficients is None else None
    odds = (
        _odds(r, alpha, s, beta, x, t_x, T)
        if grid is None
        else _odds_on_grid(grid, (r, alpha, s, beta), data, shrink, fade)
    )
    log_odds, by_r, by_s, near_first, near_second = odds
    either, gone = log1p_exp(log_odds)
    by_s = 1 + s * by_s
    by_alpha = (r + x) * (alpha / (alpha + T) - alpha * near_first)
    by_beta = s * beta / (beta + T) - (s + 1) * beta * near_second
    return either, shrink, fade, [
        r * (gone * by_r - shrink),
        T / (alpha + T) * (r + x) - x + gone * by_alpha,
        gone * by_s - s * fade,
        s * T / (beta + T) + gone * by_beta,
    ]  # fmt: skip


def _odds(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any) -> Any:
    """Log-odds of dropout; means, over its time y, of log (α+T)/(α+y), of the same in β, of
    1/(α+y) and of 1/(β+y): history by history.
    """
    log_odds, near = _dropout(r, alpha, s, beta, x, t_x, T)
    return [
        log_odds,
        np.log1p((T - t_x) / (alpha + t_x)) - near.log_first,
        np.log1p((T - t_x) / (beta + t_x)) - near.log_second,
        near.inverse_first,
        near.inverse_second,
    ]


def _odds_on_grid(
    grid: Grid, natural: tuple[Any, ...], data: Histories, shrink: np.ndarray, fade: np.ndarray
) -> np.ndarray:
    """The same for all histories at once; those without twelve digits are done singly."""
    r, alpha, s, beta = natural
    y, _ = grid.nodes
    first, second, power = np.log1p(y / alpha), np.log1p(y / beta), r + data.x
    log_mass = np.log(s / beta) - (s + 1) * second - (r + data.x_values)[:, None, None] * first
    steep = power / (alpha + data.t_x) + (s + 1) / (beta + data.t_x)
    functions = [first, second, 1 / (alpha + y), 1 / (beta + y)]
    integral, means, doubtful = between(grid, log_mass, functions, steep)
    with np.errstate(divide="ignore"):
        log_odds = np.log(integral) + power * shrink + s * fade
    found = np.stack([log_odds, shrink - means[0], fade - means[1], means[2], means[3]])
    rows = np.flatnonzero(doubtful)
    if rows.size:
        own = (data.x[rows], data.t_x[rows], data.T[rows])
        found[:, rows] = _odds(r, alpha, s, beta, *own)
    return found


def _dropout(r: Any, alpha: Any, s: Any, beta: Any, x: Any, t_x: Any, T: Any) -> tuple[Any, Any]:
    """Log-odds of having dropped out: s ∫ over the time of dropout, a positive integrand."""
    first, second = alpha + t_x, beta + t_x
    integral = decay(r + x, first, s + 1, second, T - t_x)
    with np.errstate(divide="ignore"):
        log_odds = (
            np.log(s / second)
            + (r + x) * np.log1p((T - t_x) / first)
            + s * np.log1p((T - t_x) / second)
            + np.log(integral.value)
        )
    return log_odds, integral


def p_alive(theta: Any, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Probability of not having dropped out by T.

    Parameters
    ----------
    theta : (4,) sequence of float or ndarray
        Logs of r, alpha, s, beta, each a number or an array by customer.
    x, t_x, T : ndarray
        Repeat purchases, time of the last one and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Probabilities, one per customer.
    """
    r, alpha, s, beta = (np.exp(value) for value in theta)
    return expit(-_dropout(r, alpha, s, beta, x, t_x, T)[0])


def expected_if_alive(theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T.

    Parameters
    ----------
    theta : (4,) sequence of float or ndarray
        Logs of r, alpha, s, beta, each a number or an array by customer.
    t, x, T : ndarray
        Time ahead, repeat purchases and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Purchases, one value per customer and time ahead.
    """
    r, alpha, s, beta = (np.exp(value) for value in theta)
    length = np.log1p(t / (beta + T))
    return (r + x) / (alpha + T) * (beta + T) * length * exprel((1 - s) * length)


def chance_if_alive(theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """At least one purchase within t of a living customer: the time of the next one, if alive."""
    r, alpha, s, beta = (np.exp(value) for value in theta)
    return (r + x) / (alpha + T) * decay(r + x + 1, alpha + T, s, beta + T, t).value


def expected_from_start(theta: Any, t: np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer by age t, in the shape of `t`."""
    return expected_if_alive(theta, t, np.zeros(()), np.zeros(()))


def distribution(theta: Any, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    """P(X(t) = n): alive at t, or dropped out at y with n purchases before."""
    r, alpha, s, beta = (np.exp(value) for value in theta)
    n, t = (value[..., None] for value in np.broadcast_arrays(n, t))
    scale = min(alpha, beta)
    at, weight = gauss(64)
    length = np.log1p(t / scale)
    y = scale * np.expm1(at * length)
    lives = -(s + 1) * np.log1p(y / beta)
    gone = nbd_pmf(n, r, alpha, y) * (s / beta) * np.exp(lives) * (scale + y) * length
    living = nbd_pmf(n, r, alpha, t) * np.exp(-s * np.log1p(t / beta))
    return living[..., 0] + gone @ weight


def time_scale(theta: Any, T: np.ndarray) -> np.ndarray:
    """Time over which to lay out an integral ahead of T: beta + T, in the unit of T."""
    return np.exp(theta[3]) + T
