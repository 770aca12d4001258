"""GGom/NBD: gamma purchase rates, Gompertz lifetimes with gamma dropout rates that rise with age.

The dropout rate at age y is η b exp(by), η ~ gamma(s, rate β): survival is (1 + g(y)/B)^-s with
g(y) = (exp(by) - 1)/b and B = β/b. Coordinates are log r, log α, log s, log B and log(1 + β): at
β = 0 g(y) = y, and the model is the Pareto/NBD with β = B, to the last digit and with a slope.

References
----------
Bemmaor & Glady (2012), Management Science 58(5), 1012-1021.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, exprel

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import pareto_nbd
from cvlib.lifetime.repeat_buying.special import (
    digamma_rising,
    gauss,
    log1p_exp,
    log_rising,
    nbd_pmf,
)
from cvlib.lifetime.repeat_buying.suffix_sums import between, grid_of

PARAMETERS: tuple[str, ...] = ("r", "alpha", "b", "s", "beta")
PAIRS: tuple[tuple[str, str, str], ...] = (
    ("r", "alpha", "purchase rates"),
    ("s", "beta_over_b", "initial dropout rates"),
)
SHARES: tuple[str, ...] = ()
PROPORTIONAL = pareto_nbd.PROPORTIONAL
# Of log(1 + β); at the lower end dropout rates do not rise with age.
LIMITS = (0.0, 20.0)
_NODES = 32
_ROWS = 1 << 13
# e-folds after which nothing is left of an integrand
_GONE = 45.0


def starts(histories: Histories) -> list[np.ndarray]:
    """Points to climb from: those of the Pareto/NBD, with dropout rates that rise with age.

    Returns
    -------
    list of (5,) ndarray
        Log r, log α, log s, log B and log(1 + β); time in the unit of the histories.
    """
    return [
        np.append(start, np.log1p(beta))
        for start, beta in zip(pareto_nbd.starts(histories), (0.05, 0.5, 5.0), strict=True)
    ]


def estimates(theta: np.ndarray) -> dict[str, float]:
    """Parameters and derived quantities by name; ``beta_over_b`` is the Pareto/NBD's β at b = 0."""
    r, alpha, s, scale = np.exp(theta[:4])
    beta = float(np.expm1(theta[4]))
    return {
        "r": r,
        "alpha": alpha,
        "b": beta / scale,
        "s": s,
        "beta": beta,
        "beta_over_b": scale,
        "mean_purchase_rate": r / alpha,
        "purchase_rate_cv": r**-0.5,
        "mean_initial_dropout_rate": s / scale,
    }


def _values(theta: Any) -> tuple[Any, Any, Any, Any, Any]:
    """r, α, s, B, b."""
    r, alpha, s, scale = (np.exp(value) for value in theta[:4])
    return r, alpha, s, scale, np.expm1(theta[4]) / scale


class _Life:
    """Survival and dropout at age y, in forms that hold at b = 0 and at any age."""

    def __init__(self, y: Any, s: Any, scale: Any, b: Any) -> None:
        self.y, self.s, self.b = y, s, b
        self.aged = b * y
        self.young = np.exp(-self.aged)
        self.grown = y * exprel(-self.aged)  # g(y) exp(-by)
        self.room = scale * self.young + self.grown  # (B + g(y)) exp(-by)
        early = np.log1p(y * exprel(np.minimum(self.aged, 1.0)) / scale)
        #: log(1 + g(y)/B): survival is exp(-s v)
        self.v = np.where(self.aged <= 1, early, self.aged + np.log(self.room / scale))

    def log_density(self) -> np.ndarray:
        """Log of the density of the time of dropout."""
        return np.log(self.s) - np.log(self.room) - self.s * self.v

    def share(self) -> np.ndarray:
        """g/(B + g), minus the slope of v in log B."""
        return self.grown / self.room

    def by_b(self) -> np.ndarray:
        """The slope of v in b."""
        h = self.aged
        series = 0.5 - h / 6 + h**2 / 24
        with np.errstate(divide="ignore", invalid="ignore"):
            closed = (1 - exprel(-h)) / h
        return self.y**2 * np.where(np.abs(h) < 1e-3, series, closed) / self.room


def _nodes(
    p: Any, first: Any, s: Any, scale: Any, b: Any, length: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights over [0, length] for (1 + y/first)^-p times a function of the lifetime.

    Nodes lie densest at 0 and, when dropout rates first rise and then level off (B b > 1), on both
    sides of that age, log(B b)/b. Their spacing grows with the distance from these points, and
    nothing is spent on what 45 e-folds have made vanish.
    """
    p, first, s, scale, b, length = np.broadcast_arrays(p, first, s, scale, b, length)
    aging = np.maximum(b, 0.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        bought = first * np.expm1(_GONE / p)
        log_grown = np.log(scale) + _GONE / s + np.log1p(-np.exp(-_GONE / s))
        log_aged = np.log(aging) + log_grown
        lived = np.where(log_aged < -30, np.exp(log_grown), np.logaddexp(0, log_aged) / aging)
        turn = np.where(scale * b > 1, np.log(scale * aging) / aging, 0.0)
        turn = np.minimum(turn, length)
        fallen = np.minimum((first + turn) * np.expm1(_GONE / p), lived)
    per_purchase, narrow = p / first, 1 / length.clip(min=1e-300)
    steps = [1 / (per_purchase + s / scale + aging + narrow)]
    if not turn.any():
        pieces = [(0.0 * turn, np.minimum(length, np.minimum(bought, lived)), 1.0)]
    else:
        near = np.minimum(turn / 2, bought)
        steps += [1 / (p / (first + turn) + (1 + s) * aging + narrow)] * 2
        pieces = [
            (0.0 * turn, near, 1.0),
            (turn, turn - near, -1.0),
            (turn, np.minimum(length - turn, fallen), 1.0),
        ]
    at, weight = gauss(_NODES)
    nodes, weights = [], []
    for (start, reach, sign), step in zip(pieces, steps, strict=True):
        span, step = np.log1p(reach / step)[..., None], step[..., None]
        nodes.append(start[..., None] + sign * step * np.expm1(span * at))
        weights.append(weight * span * step * np.exp(span * at))
    return np.concatenate(nodes, axis=-1).clip(min=0.0), np.concatenate(weights, axis=-1)


def total(theta: np.ndarray, data: Histories) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in the coordinates of `theta`."""
    r, alpha, s, scale, b = _values(theta)
    x, T, count = data.x, data.T, data.count
    shrink, whole = np.log1p(T / alpha), _Life(T, s, scale, b)
    value = data.sum_over_x(log_rising(r, data.x_values))
    value -= count @ ((r + x) * shrink + x * np.log(alpha) + s * whole.v)
    slope_r = data.sum_over_x(digamma_rising(r, data.x_values)) - count @ shrink

    log_odds, slopes = _all_dropouts(theta, data)
    either, gone = log1p_exp(log_odds)
    value += count @ either
    by_r, by_alpha, by_s, by_scale, by_b = slopes @ (count * gone)
    by_b += -s * (count @ whole.by_b())
    by_scale += s * (count @ whole.share())
    beta = b * scale
    slope = [
        r * (slope_r + by_r),
        count @ (T / (alpha + T) * (r + x) - x) + by_alpha,
        by_s - s * (count @ whole.v),
        # β is held, so that b = β/B falls as B rises
        by_scale - b * by_b,
        by_b * (1 + beta) / scale,
    ]
    return value, np.array(slope)


def _all_dropouts(theta: Any, data: Histories) -> tuple[np.ndarray, np.ndarray]:
    """As `_dropout` with slopes: on one grid of times where that keeps its digits, else singly."""
    grid = grid_of(data)
    if grid is None:
        return _dropout(theta, data.x, data.t_x, data.T, slopes=True)
    r, alpha, s, scale, b = _values(theta)
    y, _ = grid.nodes
    life, whole, p = _Life(y, s, scale, b), _Life(data.T, s, scale, b), r + data.x
    shrink = np.log1p(y / alpha)
    mass = life.log_density() - (r + data.x_values)[:, None, None] * shrink
    near = alpha / (alpha + y)
    functions = [shrink, near, life.v, life.share(), life.y - (s + 1) * life.by_b()]
    steep = p / (alpha + data.t_x) + (s + 1) * (1 / (scale + data.t_x) + max(float(b), 0.0))
    integral, means, doubtful = between(grid, mass, functions, steep)
    longer = np.log1p(data.T / alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(integral) + p * longer + s * whole.v
    table = np.stack(
        [
            longer - means[0],
            p * (alpha / (alpha + data.T) - means[1]),
            1 + s * (whole.v - means[2]),
            (s + 1) * means[3] - 1 - s * whole.share(),
            means[4] + s * whole.by_b(),
        ]
    )
    rows = np.flatnonzero(doubtful)
    if rows.size:
        log_odds[rows], table[:, rows] = _dropout(
            theta, data.x[rows], data.t_x[rows], data.T[rows], slopes=True
        )
    return log_odds, table


def _dropout(
    theta: Any, x: Any, t_x: Any, T: Any, *, slopes: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of having dropped out, and their slopes (r, log α, log s, log B, b; one row each).

    The odds are the integral, over the time of dropout, of its density times ((α+T)/(α+y))^(r+x),
    over the survival at T: a positive integrand.
    """
    r, alpha, s, scale, b = _values(theta)
    x, t_x, T = np.broadcast_arrays(x, t_x, T)
    shape, (x, t_x, T) = x.shape, (np.ravel(value) for value in (x, t_x, T))
    log_odds, table = np.empty(x.size), np.empty((5 if slopes else 0, x.size))
    for begin in range(0, x.size, _ROWS):
        rows = slice(begin, begin + _ROWS)
        xs, ts, Ts = (value[rows, None] for value in (x, t_x, T))
        own = [np.asarray(value) for value in (r, alpha, s, scale, b)]
        R, A, S, B, G = (v if v.ndim == 0 else v.reshape(-1, 1)[rows] for v in own)
        p, then = R + xs, _Life(ts, S, B, G)
        y, weight = _nodes(
            *(v[:, 0] for v in np.broadcast_arrays(p, A + ts, S, then.room, G, Ts - ts))
        )
        life, whole = _Life(ts + y, S, B, G), _Life(Ts, S, B, G)
        ahead = np.log1p((Ts - ts - y) / (A + ts + y))
        with np.errstate(divide="ignore"):
            log_mass = life.log_density() + S * whole.v + p * ahead + np.log(weight)
        top = log_mass.max(axis=1, keepdims=True)
        mass = np.exp(log_mass - np.where(np.isfinite(top), top, 0.0))
        sum_of = mass.sum(axis=1)
        with np.errstate(divide="ignore"):
            log_odds[rows] = np.log(sum_of) + np.where(np.isfinite(top), top, 0.0)[:, 0]
        if not slopes:
            continue
        mean = mass / np.where(sum_of > 0, sum_of, 1.0)[:, None]
        terms = (
            ahead,
            p * (A / (A + Ts) - A / (A + ts + y)),
            1 + S * (whole.v - life.v),
            (S + 1) * life.share() - 1 - S * whole.share(),
            life.y - (S + 1) * life.by_b() + S * whole.by_b(),
        )
        for place, term in enumerate(terms):
            table[place, rows] = (mean * term).sum(axis=1)
    return log_odds.reshape(shape), table


def p_alive(theta: Any, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Probability of not having dropped out by T.

    Parameters
    ----------
    theta : (5,) sequence of float or ndarray
        Log r, log α, log s, log B and log(1 + β), each a number or an array by customer.
    x, t_x, T : ndarray
        Repeat purchases, time of the last one and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Probabilities, one per customer.
    """
    return expit(-_dropout(theta, x, t_x, T)[0])


def _ahead(theta: Any, power: Any, first: Any, t: Any, T: Any) -> np.ndarray:
    """∫ (1 + y/first)^-power P(alive at T + y | alive at T) dy over [0, t]."""
    _, _, s, scale, b = _values(theta)
    # who is alive at T has a residual life of the same form
    left = _Life(T, s, scale, b).room
    arrays = np.broadcast_arrays(power, first, s, left, b, t)
    shape, flat = arrays[0].shape, [np.ravel(value) for value in arrays]
    result = np.empty(flat[0].size)
    for begin in range(0, result.size, _ROWS):
        rows = [value[begin : begin + _ROWS] for value in flat]
        y, weight = _nodes(*rows)
        p, A, S, B, G = (value[:, None] for value in rows[:5])
        mass = np.exp(-p * np.log1p(y / A) - S * _Life(y, S, B, G).v)
        result[begin : begin + _ROWS] = (mass * weight).sum(axis=1)
    return result.reshape(shape)


def expected_if_alive(theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T.

    Parameters
    ----------
    theta : (5,) sequence of float or ndarray
        Log r, log α, log s, log B and log(1 + β), each a number or an array by customer.
    t, x, T : ndarray
        Time ahead, repeat purchases and time observed, broadcast against each other.

    Returns
    -------
    ndarray
        Purchases, one value per customer and time ahead.
    """
    r, alpha, *_ = _values(theta)
    return (r + x) / (alpha + T) * _ahead(theta, 0.0, alpha + T, t, T)


def chance_if_alive(theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """At least one purchase within t of a living customer: the time of the next one, if alive."""
    r, alpha, *_ = _values(theta)
    return (r + x) / (alpha + T) * _ahead(theta, r + x + 1, alpha + T, t, T)


def expected_from_start(theta: Any, t: np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer by age t, in the shape of `t`."""
    return expected_if_alive(theta, t, np.zeros(()), np.zeros(()))


def distribution(theta: Any, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    """P(X(t) = n): alive at t, or dropped out at y with n purchases before."""
    r, alpha, s, scale, b = _values(theta)
    n, t = np.broadcast_arrays(n, t)
    y, weight = _nodes(0.0, alpha, s, scale, b, t)
    gone = nbd_pmf(n[..., None], r, alpha, y) * np.exp(_Life(y, s, scale, b).log_density())
    living = nbd_pmf(n, r, alpha, t) * np.exp(-s * _Life(t, s, scale, b).v)
    return living + (gone * weight).sum(axis=-1)


def time_scale(theta: Any, T: np.ndarray) -> np.ndarray:
    """Time over which to lay out an integral ahead of T: B + T, in the unit of T."""
    return np.exp(theta[3]) + T
