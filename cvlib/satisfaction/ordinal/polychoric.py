"""Polychoric correlations from pairwise tables, many at once, and their influence functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

EDGE = 8.5  # where the normal distribution ends for every purpose here
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_LIMIT = 0.9999


def bivariate_normal(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Φ₂(h, k; ρ), by Gauss-Legendre quadrature over the angle; arrays broadcast.

    ``Φ(h)Φ(k) + 1/(2π) ∫₀^{asin ρ} exp(-(h² + k² - 2hk sin t) / (2 cos² t)) dt``

    References
    ----------
    Drezner & Wesolowsky (1990), J. Statist. Comput. Simul. 35:101-107.
    """
    h, k, rho = np.broadcast_arrays(h, k, rho)
    half = np.arcsin(rho) / 2
    squares, product = (h**2 + k**2) / 2, h * k
    total = np.zeros(h.shape)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        sine = np.sin(half * (1 + node))
        total += weight * np.exp((product * sine - squares) / (1 - sine**2))
    return special.ndtr(h) * special.ndtr(k) + total * half / (2 * np.pi)


def thresholds(shares: np.ndarray) -> np.ndarray:
    """Cuts (..., C + 1) of a standard normal variable, its ends included, from shares (..., C)."""
    below = np.cumsum(shares, axis=-1)[..., :-1]
    cuts = np.clip(special.ndtri(np.clip(below, 0.0, 1.0)), -EDGE, EDGE)
    ends = np.full((*cuts.shape[:-1], 1), EDGE)
    return np.concatenate([-ends, cuts, ends], axis=-1)


def _cells(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (M, C, D) of the cells and their derivatives by ρ."""
    corners = np.zeros((len(rho), a.shape[1], b.shape[1]))
    slope = np.zeros_like(corners)
    h, k, r = a[:, 1:-1, None], b[:, None, 1:-1], rho[:, None, None]
    corners[:, 1:-1, 1:-1] = bivariate_normal(h, k, r)
    corners[:, -1, 1:] = special.ndtr(b[:, 1:])
    corners[:, 1:, -1] = special.ndtr(a[:, 1:])
    corners[:, -1, -1] = 1.0
    left = 1 - r**2
    slope[:, 1:-1, 1:-1] = np.exp(-(h**2 - 2 * r * h * k + k**2) / (2 * left)) / (
        2 * np.pi * np.sqrt(left)
    )
    return tuple(np.diff(np.diff(x, axis=1), axis=2) for x in (corners, slope))  # type: ignore[return-value]


def polychoric(tables: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Polychoric correlations (M,) of M tables, thresholds given (two-step).

    Parameters
    ----------
    tables : ndarray (M, C, D)
        Counts, rows by the first variable.
    a, b : ndarray (M, C + 1), (M, D + 1)
        Cuts of both variables, from `thresholds`; classes nobody used have equal cuts.

    Returns
    -------
    ndarray (M,)
        Where Σ n (∂P/∂ρ) / P is zero; within ±0.9999.

    References
    ----------
    Olsson (1979), Psychometrika 44:443-460 (two-step). Checked against R lavaan.
    """
    total = tables.sum(axis=(1, 2))
    row, column = np.arange(tables.shape[1]), np.arange(tables.shape[2])
    mean_a = tables.sum(axis=2) @ row / total
    mean_b = tables.sum(axis=1) @ column / total
    cross = np.einsum("mij,i,j->m", tables, row, column) / total - mean_a * mean_b
    spread = np.sqrt(
        (tables.sum(axis=2) @ row**2 / total - mean_a**2)
        * (tables.sum(axis=1) @ column**2 / total - mean_b**2)
    )
    rho = np.clip(cross / np.where(spread > 0, spread, 1.0), -0.95, 0.95)
    low, high = np.full(len(rho), -_LIMIT), np.full(len(rho), _LIMIT)
    active = np.arange(len(rho))
    for _ in range(60):
        probability, slope = _cells(a[active], b[active], rho[active])
        counts = tables[active]
        safe = np.where(counts > 0, np.maximum(probability, 1e-300), 1.0)
        score = (counts * slope / safe).sum(axis=(1, 2))
        used = np.maximum(probability, 1e-12)
        information = total[active] * (slope**2 / used).sum(axis=(1, 2))
        step = score / np.maximum(information, 1e-12)
        # the likelihood rises towards its root: keep it between two bounds
        low[active] = np.where(score > 0, rho[active], low[active])
        high[active] = np.where(score < 0, rho[active], high[active])
        new = rho[active] + step
        outside = (new <= low[active]) | (new >= high[active])
        new = np.where(outside, (low[active] + high[active]) / 2, new)
        moved = np.abs(new - rho[active])
        rho[active] = new
        active = active[moved > 1e-12]
        if not len(active):
            break
    return rho


@dataclass(frozen=True, eq=False)
class Influence:
    """What each respondent adds to thresholds and polychorics.

    Attributes
    ----------
    correlations : ndarray (n, p (p - 1) / 2)
        In the order of the lower triangle; their mean product is the asymptotic covariance of
        √n times the estimates.
    thresholds : list of ndarray (n, C - 1)
        Of every item.
    """

    correlations: np.ndarray
    thresholds: list[np.ndarray]

    @property
    def gamma(self) -> np.ndarray:
        """Asymptotic covariance (q, q) of the correlations, times n."""
        return self.correlations.T @ self.correlations / len(self.correlations)


def influence(classes: np.ndarray, cuts: list[np.ndarray], rho: np.ndarray) -> Influence:
    """Casewise influence on two-step estimates.

    Parameters
    ----------
    classes : ndarray of int (n, p)
        Class of each answer, 0 to C - 1.
    cuts : list of p ndarrays (C + 1,)
        From `thresholds`.
    rho : ndarray (p, p)
        Polychoric correlations.

    References
    ----------
    Muthén (1984), Psychometrika 49:115-132. Checked against R lavaan.
    """
    rows, items = classes.shape
    first: list[np.ndarray] = []
    for i in range(items):
        own, cut = classes[:, i], cuts[i]
        share = np.diff(special.ndtr(cut))
        density = stats.norm.pdf(cut[1:-1])
        at = np.arange(len(density))
        score = density * ((own[:, None] == at) / share[:-1] - (own[:, None] == at + 1) / share[1:])
        first.append(rows * score @ np.linalg.inv(score.T @ score))
    below, beside = np.tril_indices(items, -1)
    found = np.empty((rows, len(below)))
    for number, (i, j) in enumerate(zip(below.tolist(), beside.tolist(), strict=True)):
        u, v, r = classes[:, i], classes[:, j], rho[i, j]
        probability, slope = (x[0] for x in _cells(cuts[i][None], cuts[j][None], np.array([r])))
        score = (slope / probability)[u, v]
        carried = np.zeros(rows)
        for one, other, p, mine, theirs, steps in (
            (cuts[i], cuts[j], probability, u, v, first[i]),
            (cuts[j], cuts[i], probability.T, v, u, first[j]),
        ):
            inner = np.diff(special.ndtr((other - r * one[1:-1, None]) / np.sqrt(1 - r**2)))
            edge = stats.norm.pdf(one[1:-1])[:, None] * inner  # ∂P/∂τ of the class below the cut
            at = np.arange(len(edge))
            by_cut = (mine[:, None] == at) * edge[at][:, theirs].T / p[at][:, theirs].T - (
                mine[:, None] == at + 1
            ) * edge[at][:, theirs].T / p[at + 1][:, theirs].T
            carried += steps @ (score @ by_cut) / rows
        found[:, number] = rows * (score - carried) / (score @ score)
    return Influence(found, first)
