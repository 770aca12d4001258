"""Fit of a PLS model: distances between observed and implied correlations, exact-fit test, R².

Constructs of mode A under consistent PLS are common factors; every other construct is a composite,
whose items may correlate among themselves as they like.
"""

from __future__ import annotations

import numpy as np


def implied_construct_correlation(
    paths: np.ndarray, construct_correlation: np.ndarray, r_squared: np.ndarray
) -> np.ndarray:
    """Construct correlations that the paths alone reproduce, (B, k, k).

    Exogenous correlations are kept; disturbances are uncorrelated.

    Parameters
    ----------
    paths : ndarray (B, k, k)
        [source, target].
    construct_correlation : ndarray (B, k, k)
    r_squared : ndarray (B, k)

    References
    ----------
    Bollen (1989), Structural equations with latent variables, ch. 4.
    """
    count = paths.shape[-1]
    exogenous = ~(paths != 0).any(axis=(0, 1))
    disturbance = np.where(exogenous[:, None] & exogenous, construct_correlation, 0.0)
    index = np.arange(count)
    disturbance[:, index, index] = np.where(exogenous, 1.0, 1 - r_squared)
    # recursive paths: the inverse of I - B is the finite sum of the powers of B
    reach = power = np.broadcast_to(np.eye(count), paths.shape)
    for _ in range(count - 1):
        power = power @ paths
        reach = reach + power
    implied = np.swapaxes(reach, 1, 2) @ disturbance @ reach
    implied[:, index, index] = 1.0
    return implied


def implied_item_correlation(
    item_correlation: np.ndarray,
    loadings: np.ndarray,
    construct_correlation: np.ndarray,
    membership: np.ndarray,
    factor: np.ndarray,
) -> np.ndarray:
    """Item correlations implied by loadings and construct correlations, (B, p, p).

    Parameters
    ----------
    item_correlation : ndarray (B, p, p)
        Observed; kept within the block of a composite.
    loadings : ndarray (B, p)
    construct_correlation : ndarray (B, k, k)
        Estimated or, for the fit of the whole model, from `implied_construct_correlation`.
    membership : ndarray of bool (p, k)
    factor : ndarray of bool (k,)
        True for a common factor, False for a composite.

    References
    ----------
    Henseler et al. (2014), Organizational Research Methods 17:182-209; Schuberth, Henseler &
    Dijkstra (2018), Frontiers in Psychology 9:2541 (composites).
    """
    block = membership.argmax(axis=1)
    implied = construct_correlation[:, block[:, None], block]
    implied = implied * (loadings[:, :, None] * loadings[:, None])
    kept = (block[:, None] == block) & ~factor[block]
    implied = np.where(kept, item_correlation, implied)
    index = np.arange(len(block))
    implied[:, index, index] = 1.0
    return implied


def distances(observed: np.ndarray, implied: np.ndarray) -> dict[str, np.ndarray]:
    """SRMR, d_ULS, d_G and d_ML between two stacks of correlation matrices, each (B,).

    ``srmr`` is the root of the mean squared difference over the lower triangle with the diagonal,
    ``d_uls`` half the sum of squared differences, ``d_g`` half the sum of squared logarithms of
    the eigenvalues of ``inverse(observed) implied``, ``d_ml`` the maximum-likelihood discrepancy.
    d_g and d_ml are NaN where a matrix is not positive definite.

    References
    ----------
    Dijkstra & Henseler (2015), CSDA 81:10-23, sec. 3.
    """
    items = observed.shape[-1]
    square = ((observed - implied) ** 2).sum(axis=(1, 2))
    found = {"srmr": np.sqrt(square / 2 / (items * (items + 1) / 2)), "d_uls": square / 2}
    values = np.full(observed.shape[:2], np.nan)
    sound = np.isfinite(square)
    sound[sound] = np.linalg.eigvalsh(observed[sound])[:, 0] > 1e-12
    lower = np.linalg.cholesky(observed[sound])
    half = np.linalg.solve(lower, implied[sound])
    values[sound] = np.linalg.eigvalsh(np.linalg.solve(lower, np.swapaxes(half, 1, 2)))
    logs = np.log(np.where(values > 1e-12, values, np.nan))
    found["d_g"] = (logs**2).sum(axis=1) / 2
    found["d_ml"] = (logs + np.exp(-logs) - 1).sum(axis=1)
    return found
