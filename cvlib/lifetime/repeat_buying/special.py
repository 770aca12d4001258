"""Integrals that several purchase models share, in forms that stay finite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import (
    betainc,
    betaincinv,
    digamma,
    expit,
    gammaln,
    hyp2f1,
    log_expit,
    logit,
    roots_legendre,
    xlogy,
)

# Rows integrated at once, which bounds the memory of their nodes.
_ROWS = 1 << 14
# Distinct values of a parameter up to which rows are taken value by value.
_VALUES = 50
# From here the asymptotic series of log-gamma are exact to rounding.
_LARGE = 100.0


def log1p_exp(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log(1 + exp(odds)) and its derivative, from one exponential."""
    small = np.exp(-np.abs(odds))
    return np.maximum(odds, 0.0) + np.log1p(small), np.where(odds > 0, 1.0, small) / (1.0 + small)


def log_rising(z: Any, k: Any) -> Any:
    """log Γ(z + k)/Γ(z) for k >= 0: of two large log-gammas no digit of the difference is left."""
    if np.ndim(z) == 0 and z < _LARGE:
        return gammaln(z + k) - gammaln(z)
    w = z + k
    ends = [1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5) for y in (z, w)]
    series = k * np.log(z) + (w - 0.5) * np.log1p(k / z) - k + (ends[1] - ends[0])
    return np.where(z < _LARGE, gammaln(w) - gammaln(z), series) if np.ndim(z) else series


def digamma_rising(z: Any, k: Any) -> Any:
    """ψ(z + k) - ψ(z) for k >= 0, the slope of `log_rising` in z, with a small relative error."""
    if np.ndim(z) == 0 and z < _LARGE:
        return digamma(z + k) - digamma(z)
    w = z + k
    ends = [1 / (12 * y**2) - 1 / (120 * y**4) + 1 / (252 * y**6) for y in (z, w)]
    series = np.log1p(k / z) + k / (2 * z * w) + (ends[0] - ends[1])
    return np.where(z < _LARGE, digamma(w) - digamma(z), series) if np.ndim(z) else series


def nbd_pmf(n: np.ndarray, r: float, alpha: float, t: np.ndarray) -> np.ndarray:
    """P(N = n) purchases within t at rates gamma(r, rate alpha), without dropout."""
    ways = log_rising(r, n) - gammaln(n + 1)
    return np.exp(ways - r * np.log1p(t / alpha) + xlogy(n, t / (alpha + t)))


def nbd_tail(n: np.ndarray, r: float, alpha: float, t: np.ndarray) -> np.ndarray:
    """P(N >= n) of the same."""
    return np.where(n > 0, betainc(np.maximum(n, 1), r, t / (alpha + t)), 1.0)


@cache
def gauss(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    at, weight = roots_legendre(nodes)
    return (at + 1) / 2, weight / 2


def purchases_until_dropout(R: Any, A: Any, a: Any, B: Any, t: Any) -> np.ndarray:
    """Mean of (1 - exp(-λpt))/p over λ ~ gamma(R, rate A) and p ~ beta(a, B).

    The textbook form (1-z)^R 2F1(R, B; a+B-1; z) is infinity times zero from R of about 1,000;
    Euler's transformation gives (1-z)^(a-1) 2F1(a+B-1-R, a-1; a+B-1; z), which stays finite. For
    large a, and on rows where library versions of 2F1 lose digits, the mean over p is taken by
    quadrature.
    """
    if np.ndim(a):  # of its own for every customer, by covariates
        return _each_with_its_own(R, A, a, B, t)
    if a > 8:
        return _mean_over_dropout(R, A, a, B, t)
    if abs(a - 1) < 2e-4:
        # 0/0 at a = 1, where the mean itself is smooth: a cubic through four points around it
        nodes = 1 + np.array([-8e-4, -4e-4, 4e-4, 8e-4])
        cubic = [np.prod([(a - n) / (node - n) for n in nodes if n != node]) for node in nodes]
        values = [purchases_until_dropout(R, A, node, B, t) for node in nodes]
        return np.tensordot(cubic, np.stack(values), axes=1)
    c = a + B - 1
    bend = hyp2f1(c - R, a - 1, c, t / (A + t)) * np.exp(-(a - 1) * np.log1p(t / A))
    value = np.asarray(c / (a - 1) * (1 - bend))
    # 2F1 gives up on some rows, and where dropout hardly matters the difference has no digits left
    lost = np.where(np.abs(c - R) > 50, 10.0, 1e3) * np.abs(value)  # many terms, fewer digits
    doubtful = ~np.isfinite(value) | (np.abs(c / (a - 1)) > lost)
    if doubtful.any():
        R, A, B, t = (row[doubtful] for row in np.broadcast_arrays(R, A, B, t))
        value[doubtful] = _mean_over_dropout(R, A, a, B, t)
    return value


def _each_with_its_own(R: Any, A: Any, a: Any, B: Any, t: Any) -> np.ndarray:
    """The same where `a` differs by row: rows of one `a` together, many of them by quadrature."""
    values, place = np.unique(a, return_inverse=True)
    if values.size > _VALUES:
        return _mean_over_dropout(R, A, a, B, t)
    place = np.broadcast_to(
        place.reshape(np.shape(a)), np.broadcast_shapes(*map(np.shape, (R, A, a, B, t)))
    )
    R, A, B, t = (np.broadcast_to(value, place.shape) for value in (R, A, B, t))
    result = np.empty(place.shape)
    for number, value in enumerate(values):
        rows = place == number
        own = (R[rows], A[rows], float(value), B[rows], t[rows])
        result[rows] = purchases_until_dropout(*own)
    return result


def _mean_over_dropout(R: Any, A: Any, a: Any, B: Any, t: Any) -> np.ndarray:
    """The same mean by Gauss-Legendre in logit p, in pieces around the bulk and the bend."""
    arrays = np.broadcast_arrays(R, A, a, B, t)
    shape, columns = arrays[0].shape, [np.reshape(array, (-1, 1)) for array in arrays]
    result = np.empty(columns[0].shape[0])
    at, weight = gauss(40)
    for begin in range(0, result.size, _ROWS):
        part = slice(begin, begin + _ROWS)
        r, rate, a, b, ahead = (column[part] for column in columns)
        pace = ahead / rate
        # below `low` 1 - exp(-λpt) is λpt, above `high` p is 1; both tails have known masses
        bend = -np.log(np.maximum(r * pace, 1e-300))
        low = np.maximum(logit(betaincinv(a, b, 1e-16).clip(1e-300)), np.minimum(bend, 0) - 40)
        # from the other end, as 1 - p may be too small to be told from 0
        high = np.minimum(-logit(betaincinv(b, a, 1e-16).clip(1e-300)), 40.0)
        high = np.maximum(high, low + 1.0)
        few, many = betainc(a, b, expit(low))[:, 0], betainc(b, a, expit(-high))[:, 0]
        middle = np.log(a / b)  # of the bulk
        edges = np.sort([low, middle.clip(low, high), bend.clip(low, high), high], axis=0)
        mass, total = np.zeros((2, r.shape[0]))
        for left, right in pairwise(edges):
            v = left + (right - left) * at
            p = expit(v)
            # relative to the density in the middle, which keeps the exponent small
            shift = a * (log_expit(v) - log_expit(middle)) + b * (
                log_expit(-v) - log_expit(-middle)
            )
            density = np.exp(shift) * weight * (right - left)
            mass += density.sum(axis=1)
            total += (density * -np.expm1(-r * np.log1p(p * pace)) / p).sum(axis=1)
        inner = total / np.where(mass > 0, mass, 1.0) * np.maximum(1 - few - many, 0.0)
        tails = few * (r * pace)[:, 0] - many * np.expm1(-r * np.log1p(pace))[:, 0]
        result[part] = inner + tails
    return result.reshape(shape)


@dataclass(frozen=True)
class Decay:
    """∫ (1+y/A)^-p (1+y/B)^-q dy over [0, length], and means under that integrand.

    ``log_first`` of log(1+y/A), ``log_second`` of log(1+y/B), ``inverse_first`` of 1/(A+y),
    ``inverse_second`` of 1/(B+y).
    """

    value: np.ndarray
    log_first: np.ndarray
    log_second: np.ndarray
    inverse_first: np.ndarray
    inverse_second: np.ndarray


def decay(p: Any, A: Any, q: Any, B: Any, length: Any) -> Decay:
    """Integrate two power decays by Gauss-Legendre in u = log(1 + y/min(A, B)).

    In u the integrand is an exponential times a smooth factor, cut off where it has fallen by 45
    e-folds. Rows that reach far or fall steeply get more nodes.
    """
    p, A, q, B, length = np.broadcast_arrays(p, A, q, B, length)
    shape = p.shape
    p, A, q, B, length = (np.ravel(value) for value in (p, A, q, B, length))
    first = A <= B
    c = np.minimum(A, B)
    far = np.maximum(A, B)
    near_power, far_power = np.where(first, p, q), np.where(first, q, p)
    reach = np.log1p(length / c)
    fall = near_power + far_power * c / far - 1
    reach = np.where(fall * reach > 45, 45 / np.maximum(fall, 1e-300), reach)
    steep = np.maximum(np.abs(fall) * reach, 4 * reach)
    out = np.full((5, p.size), np.nan)
    for low, high, nodes in ((-1.0, 8.0, 12), (8.0, 20.0, 20), (20.0, np.inf, 64)):
        chosen = np.flatnonzero((steep > low) & (steep <= high))
        for rows in np.split(chosen, range(_ROWS, chosen.size, _ROWS)):
            out[:, rows] = _decay_rows(
                near_power[rows], c[rows], far_power[rows], far[rows], reach[rows], nodes
            )
    value, near_log, far_log, near_inverse, far_inverse = out
    tables = (
        value,
        np.where(first, near_log, far_log),
        np.where(first, far_log, near_log),
        np.where(first, near_inverse, far_inverse),
        np.where(first, far_inverse, near_inverse),
    )
    return Decay(*(table.reshape(shape) for table in tables))


def _decay_rows(
    near_power: np.ndarray,
    c: np.ndarray,
    far_power: np.ndarray,
    far: np.ndarray,
    reach: np.ndarray,
    nodes: int,
) -> np.ndarray:
    at, weight = gauss(nodes)
    u = reach * at[:, None]
    grown = np.exp(u)
    beyond = np.log1p((c / far) * (grown - 1))
    density = weight[:, None] * np.exp(u - near_power * u - far_power * beyond)
    mass = density.sum(axis=0)
    share = density / mass
    return np.stack(
        [
            c * reach * mass,
            (share * u).sum(axis=0),
            (share * beyond).sum(axis=0),
            (share / grown).sum(axis=0) / c,
            (share * np.exp(-beyond)).sum(axis=0) / far,
        ]
    )
