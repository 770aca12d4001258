"""Finite mixture of path models: segments whose paths differ, by EM on construct scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvlib.statistics import resample

TOLERANCE, MOST = 1e-9, 5000  # relative change of the log-likelihood per step, and steps
FINE = 1e-13  # of the solution that is kept
_FLOOR = 1e-3  # of an error variance: below it a segment explains a handful of respondents
SAME = 1e-3  # log-likelihoods nearer than this are one optimum


@dataclass(frozen=True, eq=False)
class Mixture:
    """One solution with K segments.

    Attributes
    ----------
    log_likelihood : float
    shares : ndarray (K,)
        Of the segments.
    slopes : list of ndarray (K, causes + 1)
        Per endogenous construct: intercept, then its causes.
    variances : ndarray (K, endogenous)
    membership : ndarray (n, K)
        Probability of each segment, rows sum to one.
    converged : bool
    agreeing, starts : int
        How many starts reach this log-likelihood, of how many.
    """

    log_likelihood: float
    shares: np.ndarray
    slopes: list[np.ndarray]
    variances: np.ndarray
    membership: np.ndarray
    converged: bool
    agreeing: int = 1
    starts: int = 1


def equations(scores: np.ndarray, adjacency: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Outcome (n,) and design (n, causes + 1) of every endogenous construct."""
    found = []
    for j in np.flatnonzero(adjacency.any(axis=0)):
        own = np.flatnonzero(adjacency[:, j])
        found.append((scores[:, j], np.column_stack([np.ones(len(scores)), scores[:, own]])))
    return found


def parameters(adjacency: np.ndarray, segments: int) -> int:
    """Free parameters: per segment and equation intercept, slopes and variance; K - 1 shares."""
    causes = adjacency.sum(axis=0)
    return int(segments * (causes[causes > 0] + 2).sum() + segments - 1)


def climb(
    systems: list[tuple[np.ndarray, np.ndarray]],
    membership: np.ndarray,
    mass: np.ndarray,
    tolerance: float = TOLERANCE,
) -> Mixture:
    """EM from a first membership (n, K) until the log-likelihood stands still."""
    number, segments = membership.shape
    last, converged = -np.inf, False
    for _ in range(MOST):
        weights = membership * mass[:, None]
        totals = weights.sum(axis=0)
        shares = totals / totals.sum()
        density = np.tile(np.log(np.maximum(shares, 1e-300)), (number, 1))
        slopes, variances = [], np.empty((segments, len(systems)))
        for e, (y, design) in enumerate(systems):
            left = np.einsum("nk,np,nq->kpq", weights, design, design, optimize=True)
            right = np.einsum("nk,np,n->kp", weights, design, y, optimize=True)
            left += 1e-10 * np.eye(design.shape[1])
            slope = np.linalg.solve(left, right[:, :, None])[:, :, 0]
            error = y[:, None] - design @ slope.T
            variance = (weights * error**2).sum(axis=0) / np.maximum(totals, 1e-12)
            variance = np.maximum(variance, _FLOOR)
            density -= 0.5 * (np.log(2 * np.pi * variance) + error**2 / variance)
            slopes.append(slope)
            variances[:, e] = variance
        top = density.max(axis=1)
        share = np.exp(density - top[:, None])
        total = share.sum(axis=1)
        value = float((mass * (top + np.log(total))).sum())
        membership = share / total[:, None]
        if abs(value - last) < tolerance * max(1.0, abs(value)):
            converged = True
            break
        last = value
    return Mixture(value, shares, slopes, variances, membership, converged)


def mixture(
    scores: np.ndarray, adjacency: np.ndarray, segments: int, *,
    starts: int, seed: int, mass: np.ndarray | None = None,
) -> Mixture:  # fmt: skip
    """The best of several starts, with how many of them reach it.

    Parameters
    ----------
    scores : ndarray (n, k)
        Standardised construct scores.
    adjacency : ndarray of bool (k, k)
        [source, target].
    segments : int
        K.
    starts : int
        Memberships to begin from: at random, near random respondents, and undecided, in turn.
    seed : int
        Of the random numbers.
    mass : ndarray (n,), optional
        Survey weights, mean one.

    Returns
    -------
    Mixture
        Segments in falling order of size.

    References
    ----------
    Hahn, Johnson, Herrmann & Huber (2002), Schmalenbach Business Review 54:243-269; with
    intercepts, which that paper does not have. [M]
    """
    systems = equations(scores, adjacency)
    weight = np.ones(len(scores)) if mass is None else mass
    best: Mixture | None = None
    values = []
    for number, rng in enumerate(resample.spawned(seed, starts if segments > 1 else 1)):
        found = climb(systems, _start(scores, segments, number, rng), weight)
        if not found.converged or (found.shares * len(scores) < 2).any():
            continue
        values.append(found.log_likelihood)
        if best is None or found.log_likelihood > best.log_likelihood + SAME:
            best = found
    if best is None:
        raise np.linalg.LinAlgError("no start of the mixture converged")
    polished = climb(systems, best.membership, weight, FINE)
    if polished.converged and polished.log_likelihood >= best.log_likelihood - SAME:
        best = polished
    order = np.argsort(-best.shares, kind="stable")
    agreeing = int((np.array(values) > best.log_likelihood - SAME).sum())
    return Mixture(
        best.log_likelihood, best.shares[order], [slope[order] for slope in best.slopes],
        best.variances[order], best.membership[:, order], best.converged, agreeing,
        starts if segments > 1 else 1,
    )  # fmt: skip


def _start(
    scores: np.ndarray, segments: int, number: int, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """A first membership (n, K); kinds of start reach different optima."""
    if number % 3 == 0:
        return np.asarray(np.eye(segments)[rng.integers(0, segments, len(scores))])
    if number % 3 == 1:
        centres = scores[rng.choice(len(scores), segments, replace=False)]
        nearest = ((scores[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        return np.asarray(0.9 * np.eye(segments)[nearest] + 0.1 / segments)
    return rng.dirichlet(np.full(segments, 0.5), len(scores))


def criteria(found: Mixture, adjacency: np.ndarray, rows: float) -> dict[str, float]:
    """Information criteria of a mixture, smaller is better, and the entropy EN (1: certain)."""
    segments = len(found.shares)
    free = parameters(adjacency, segments)
    deviance = -2 * found.log_likelihood
    share = found.membership
    entropy = -(share * np.log(np.maximum(share, 1e-300))).sum()
    certain = 1 - entropy / (len(share) * np.log(segments)) if segments > 1 else np.nan
    return {
        "parameters": free, "log_likelihood": found.log_likelihood,
        "aic3": deviance + 3 * free, "aic4": deviance + 4 * free,
        "bic": deviance + free * np.log(rows), "caic": deviance + free * (np.log(rows) + 1),
        "hq": deviance + 2 * free * np.log(np.log(rows)), "entropy": float(certain),
    }  # fmt: skip
