"""BG/BB: discrete opportunities, beta purchase chances, beta dropout chances.

T counts opportunities, t_x is the opportunity of the last purchase, x <= t_x.

References
----------
Fader, Hardie & Shang (2010), Marketing Science 29, 1086-1108; brucehardie.com/notes/010.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import betaln, gammaln, logsumexp

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.special import digamma_rising, log_rising
from cvlib.words.message import message

PARAMETERS: tuple[str, ...] = ("alpha", "beta", "gamma", "delta")
PAIRS: tuple[tuple[str, str, str], ...] = (
    ("alpha", "beta", "purchase chances"),
    ("gamma", "delta", "dropout chances"),
)
SHARES: tuple[str, ...] = ("mean_purchase_chance", "mean_dropout_chance")


def check(data: Histories) -> None:
    """Refuse histories that are not counts of opportunities."""
    if (data.T % 1 != 0).any() or (data.x > data.t_x).any():
        raise InputError(
            "histories",
            message("refusals.bg_bb_needs_whole_numbers"),
            message("refusals.summarise_purchases_per_period_first"),
        )


def starts(histories: Histories) -> list[np.ndarray]:
    """Points to climb from, around the purchases per opportunity of the histories.

    Returns
    -------
    list of (4,) ndarray
        Logs of alpha, beta, gamma, delta.
    """
    share = histories.count @ histories.x / (histories.count @ histories.T)
    return [
        np.log([k * p, k * (1 - p), m * d, m * (1 - d)])
        for k, p, m, d in (
            (2.0, min(1.5 * share, 0.9), 3.0, 0.2),
            (1.0, min(3.0 * share, 0.9), 1.0, 0.4),
            (5.0, min(1.1 * share, 0.9), 10.0, 0.05),
        )
    ]


def derived(alpha: float, beta: float, gamma: float, delta: float) -> dict[str, float]:
    """Mean chances of a purchase and of dropping out at an opportunity.

    Parameters
    ----------
    alpha, beta, gamma, delta : float
        Of the beta distributions of the two chances.

    Returns
    -------
    dict
        Name to value, both between 0 and 1.
    """
    return {
        "mean_purchase_chance": alpha / (alpha + beta),
        "mean_dropout_chance": gamma / (gamma + delta),
    }


def total(theta: np.ndarray, data: Histories) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters."""
    alpha, beta, gamma, delta = np.exp(theta)
    x, t_x, n = (value[:, None] for value in (data.x, data.t_x, data.T))
    # column 0: alive to the end; column 1 + i: dropped out i opportunities after the last purchase
    i = np.arange(int((data.T - data.t_x).max()))[None, :]
    misses = np.concatenate([n - x, t_x - x + i], axis=1)
    stays = np.concatenate([n, t_x + i], axis=1)
    drops = np.concatenate([0 * n, 1 + 0 * (n + i)], axis=1)
    # every term is relative to B(alpha, beta) B(gamma, delta): near an end both are huge
    terms = (
        log_rising(alpha, x) + log_rising(beta, misses) - log_rising(alpha + beta, x + misses)
        + log_rising(gamma, drops) + log_rising(delta, stays)
        - log_rising(gamma + delta, drops + stays)
    )  # fmt: skip
    terms[:, 1:][i >= n - t_x] = -np.inf
    rows = logsumexp(terms, axis=1)
    share = np.exp(terms - rows[:, None])
    both = digamma_rising(alpha + beta, x + misses)
    life = digamma_rising(gamma + delta, drops + stays)
    slopes = (
        (digamma_rising(alpha, x) - both, alpha),
        (digamma_rising(beta, misses) - both, beta),
        (digamma_rising(gamma, drops) - life, gamma),
        (digamma_rising(delta, stays) - life, delta),
    )
    gradient = [size * float(data.count @ (share * slope).sum(axis=1)) for slope, size in slopes]
    return float(data.count @ rows), np.array(gradient)


def p_alive(theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Probability of being alive at the next opportunity, T + 1."""
    alpha, beta, gamma, delta = np.exp(theta)
    x, t_x, T = np.broadcast_arrays(x, t_x, T)
    if (x > t_x).any() or (T % 1 != 0).any():
        raise InputError(
            "histories",
            message("refusals.have_more_purchases_than_opportunities"),
            message("refusals.bg_bb_allows_one_at"),
        )
    living = betaln(alpha + x, beta + (T - x)) + betaln(gamma, delta + T)
    likelihood = living.copy()
    for i in range(int((T - t_x).max(initial=0))):
        gone = betaln(alpha + x, beta + (t_x - x + i)) + betaln(gamma + 1, delta + t_x + i)
        likelihood = np.logaddexp(likelihood, np.where(i < T - t_x, gone, -np.inf))
    return np.exp(living - likelihood) * (delta + T) / (gamma + delta + T)


def _ahead(theta: np.ndarray, t: np.ndarray, T: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Opportunities 1, 2, ... ahead and the chance to live to each, given life at the first."""
    _, _, gamma, delta = np.exp(theta)
    if (t % 1 != 0).any():
        raise InputError(
            "horizon",
            message("refusals.is_not_a_whole_number_2"),
            message("refusals.bg_bb_is_discrete"),
        )
    first = None
    for k in range(1, int(t.max(initial=0)) + 1):  # one at a time: long horizons need no memory
        later = delta + T + k
        log_lives = gammaln(later) - gammaln(later + gamma)
        first = log_lives if first is None else first
        yield k, np.where(k <= t, np.exp(log_lives - first), 0.0)


def expected_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T + 1, the next opportunity.

    Parameters
    ----------
    theta : (4,) ndarray
        Logs of alpha, beta, gamma, delta.
    t, x, T : ndarray
        Opportunities ahead, repeat purchases and opportunities had, broadcast against each other.

    Returns
    -------
    ndarray
        Purchases, one value per customer and horizon.
    """
    alpha, beta, _, _ = np.exp(theta)
    t, x, T = np.broadcast_arrays(t, x, T)
    life = sum((lives for _, lives in _ahead(theta, t, T)), np.zeros(T.shape))
    return (alpha + x) / (alpha + beta + T) * life


def chance_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The first purchase comes at opportunity k: alive so long, k - 1 misses, one hit."""
    alpha, beta, _, _ = np.exp(theta)
    t, x, T = np.broadcast_arrays(t, x, T)
    hit, miss = alpha + x, beta + (T - x)
    chance = np.zeros(T.shape)
    for k, lives in _ahead(theta, t, T):
        chance = chance + np.exp(betaln(hit + 1, miss + k - 1) - betaln(hit, miss)) * lives
    return chance


def expected_from_start(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer in the first t opportunities.

    Parameters
    ----------
    theta : (4,) ndarray
        Logs of alpha, beta, gamma, delta.
    t : ndarray
        Whole numbers of opportunities.

    Returns
    -------
    ndarray
        Purchases, in the shape of `t`.
    """
    gamma, delta = np.exp(theta[2:])
    zero = np.zeros_like(t)
    return delta / (gamma + delta) * expected_if_alive(theta, t, zero, zero)


def distribution(theta: np.ndarray, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    """P(X(t) = n), equation (8) of the paper."""
    alpha, beta, gamma, delta = np.exp(theta)
    n, t = np.broadcast_arrays(n, t)

    def hits(trials: np.ndarray | float) -> np.ndarray:
        ways = gammaln(trials + 1.0) - gammaln(n + 1.0) - gammaln(np.maximum(trials - n, 0) + 1.0)
        chance = betaln(alpha + n, beta + np.maximum(trials - n, 0)) - betaln(alpha, beta)
        return np.where(trials >= n, np.exp(ways + chance), 0.0)

    result = hits(t) * np.exp(betaln(gamma, delta + t) - betaln(gamma, delta))
    for i in range(int(t.max(initial=0))):
        gone = math.exp(betaln(gamma + 1, delta + i) - betaln(gamma, delta))
        result = result + np.where(i < t, hits(float(i)) * gone, 0.0)
    return result


def discounted_if_alive(
    theta: np.ndarray, force: float, horizon: float | None, x: np.ndarray, T: np.ndarray
) -> np.ndarray:
    """Discounted expected purchases of a living customer, the next one a period away."""
    alpha, beta, gamma, delta = np.exp(theta)
    hit = (alpha + x) / (alpha + beta + T)
    if horizon is None:
        return hit * math.exp(-force) * _discounted_life(gamma, delta + T + 1, force)
    ahead = _ahead(theta, np.full(T.shape, float(horizon)), T)
    return hit * sum((lives * math.exp(-force * k) for k, lives in ahead), np.zeros(T.shape))


def _discounted_life(gamma: float, b: np.ndarray, force: float) -> np.ndarray:
    """2F1(1, b; gamma + b; exp(-force)) by Gauss's continued fraction, evaluated from its tail.

    Library versions give NaN for long histories at small rates. All partial numerators lie between
    0 and 1, so that nothing cancels; the error falls by exp(-2 √(1 - z)) with every term.
    """
    z, rest = math.exp(-force), math.sqrt(-math.expm1(-force))
    c = gamma + b
    tail = np.full(np.shape(b), (1 + rest) / 2)
    for n in range(math.ceil(18 / rest) + 10, 0, -1):
        m = n // 2
        if n % 2:
            part = (b + m) * (c + m - 1) / ((c + 2 * m - 1) * (c + 2 * m))
        else:
            part = m * (gamma + m - 1) / ((c + 2 * m - 2) * (c + 2 * m - 1))
        tail = 1 - part * z / tail
    return 1 / tail
