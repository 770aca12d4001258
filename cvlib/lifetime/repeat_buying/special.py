"""Integrals that several purchase models share, in forms that stay finite."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.special import hyp2f1, log1p, roots_legendre


@cache
def gauss(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    at, weight = roots_legendre(nodes)
    return (at + 1) / 2, weight / 2


def purchases_until_dropout(R: Any, A: Any, a: Any, B: Any, t: Any) -> np.ndarray:
    """Mean of (1 - exp(-λpt))/p over λ ~ gamma(R, rate A) and p ~ beta(a, B).

    The textbook form (1-z)^R 2F1(R, B; a+B-1; z) is infinity times zero from R of about 1,000;
    Euler's transformation gives (1-z)^(a-1) 2F1(a+B-1-R, a-1; a+B-1; z), which stays finite.
    """
    if abs(a - 1) < 4e-3:
        # 0/0 at a = 1, where the mean itself is smooth: a cubic through four points around it
        nodes = np.array([1 - 8e-3, 1 - 4e-3, 1 + 4e-3, 1 + 8e-3])
        values = [purchases_until_dropout(R, A, node, B, t) for node in nodes]
        weights = [
            np.prod([(a - other) / (node - other) for other in nodes if other != node])
            for node in nodes
        ]
        return sum(weight * value for weight, value in zip(weights, values, strict=True))
    c = a + B - 1
    bend = hyp2f1(c - R, a - 1, c, t / (A + t)) * np.exp(-(a - 1) * log1p(t / A))
    return c / (a - 1) * (1 - bend)


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
    reach = log1p(length / c)
    fall = near_power + far_power * c / far - 1
    reach = np.where(fall * reach > 45, 45 / np.maximum(fall, 1e-300), reach)
    steep = np.maximum(np.abs(fall) * reach, 4 * reach)
    out = np.empty((5, p.size))
    for low, high, nodes in ((-1.0, 8.0, 12), (8.0, 20.0, 20), (20.0, np.inf, 48)):
        rows = np.flatnonzero((steep > low) & (steep <= high))
        if rows.size:
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
    beyond = log1p((c / far) * (grown - 1))
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
