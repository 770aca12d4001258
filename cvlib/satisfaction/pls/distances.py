"""How far the correlations that a PLS model implies lie from those observed, for many fits at once.

Constructs of mode A under consistent PLS are common factors; every other construct is a composite,
whose items may correlate among themselves as they like.
"""

from __future__ import annotations

import numpy as np

from cvlib.satisfaction.model.higher_order import disjoint_first, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit, first_order_correlation

BLOCK = 128  # fits compared at a time: their matrices stay in the processor's own memory


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
        Estimated.
    r_squared : ndarray (B, k)
        0 for exogenous constructs.

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
        Standardised.
    construct_correlation : ndarray (B, k, k)
        Estimated or, for the fit of the whole model, from `implied_construct_correlation`.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.
    factor : ndarray of bool (k,)
        True for a common factor, False for a composite.

    References
    ----------
    Henseler et al. (2014), Organizational Research Methods 17:182-209; Schuberth, Henseler &
    Dijkstra (2018), Frontiers in Psychology 9:2541 (composites).
    """
    block = membership.argmax(axis=1)
    implied = loadings[:, :, None] * loadings[:, None]
    implied *= construct_correlation[:, block[:, None], block]
    kept = (block[:, None] == block) & ~factor[block]
    np.copyto(implied, item_correlation, where=kept)
    index = np.arange(len(block))
    implied[:, index, index] = 1.0
    return implied


def distances(observed: np.ndarray, implied: np.ndarray) -> dict[str, np.ndarray]:
    """SRMR, d_ULS, d_G and d_ML between two stacks of correlation matrices, each (B,).

    ``srmr`` is the root of the mean squared difference over the lower triangle with the diagonal,
    ``d_uls`` half the sum of squared differences, ``d_g_natural`` half the sum of squared natural
    logarithms of the eigenvalues of ``inverse(observed) implied``, ``d_g`` the same with decimal
    logarithms, as the R package cSEM prints it (smaller by ln(10)² = 5.3), ``d_ml`` the
    maximum-likelihood discrepancy. NaN where a matrix is not positive definite.

    References
    ----------
    Dijkstra & Henseler (2015), CSDA 81:10-23, sec. 3.
    """
    items = observed.shape[-1]
    found = {name: np.empty(len(observed))
             for name in ("srmr", "d_uls", "d_g_natural", "d_g", "d_ml")}  # fmt: skip
    for at in range(0, len(observed), BLOCK):
        part = slice(at, at + BLOCK)
        square, logs = _apart(observed[part], implied[part])
        found["srmr"][part] = np.sqrt(square / 2 / (items * (items + 1) / 2))
        found["d_uls"][part] = square / 2
        found["d_g_natural"][part] = (logs**2).sum(axis=1) / 2
        found["d_ml"][part] = (logs + np.exp(-logs) - 1).sum(axis=1)
    found["d_g"] = found["d_g_natural"] / np.log(10) ** 2
    return found


def _apart(observed: np.ndarray, implied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of squared differences (B,), and log eigenvalues (B, p) of inverse(observed) implied."""
    square = ((observed - implied) ** 2).sum(axis=(1, 2))
    values = np.full(observed.shape[:2], np.nan)
    sound = np.isfinite(square)
    if not sound.all():
        observed, implied = observed[sound], implied[sound]
    lower, definite = _roots(observed)
    if not definite.all():
        implied, sound[sound] = implied[definite], definite
    # L⁻¹ implied L⁻ᵀ has the same eigenvalues
    half = _inverse(lower)
    across = np.ascontiguousarray(half.swapaxes(1, 2))
    values[sound] = np.linalg.eigvalsh(half @ implied @ across)
    return square, np.log(np.where(values > 1e-12, values, np.nan))


def _roots(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factors of the matrices that have one, and which these are."""
    try:
        lower = np.linalg.cholesky(matrices)
        if (np.diagonal(lower, axis1=1, axis2=2) > 1e-6).all():
            return lower, np.ones(len(matrices), dtype=bool)
    except np.linalg.LinAlgError:
        pass
    definite = np.asarray(np.linalg.eigvalsh(matrices)[:, 0] > 1e-12)
    return np.linalg.cholesky(matrices[definite]), definite


def _inverse(lower: np.ndarray) -> np.ndarray:
    """Inverses of lower triangular matrices (B, p, p): half the work of a general inverse."""
    found = np.zeros_like(lower)
    pivot = 1 / np.einsum("bii->bi", lower)
    for i in range(lower.shape[-1]):
        done = (lower[:, i, None, :i] @ found[:, :i, :i])[:, 0]
        found[:, i, :i] = -pivot[:, i, None] * done
        found[:, i, i] = pivot[:, i]
    return found


def model_distances(
    model: Model, estimator: str, saturated: bool, fit: PLSFit
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Distances of B fits, and their implied item correlations (B, p, p).

    Parameters
    ----------
    model : Model
        Without moderation.
    estimator : {"pls", "plsc"}
        Under "plsc" mode A constructs of several items are common factors.
    saturated : bool
        True: construct correlations as estimated (fit of the measurement alone).
    fit : PLSFit
        Any number of fits.
    """
    between = fit.construct_correlation
    if not saturated:
        between = implied_construct_correlation(fit.paths, between, fit.r_squared)
    items, loadings = fit.item_correlation, fit.loadings
    if isinstance(fit, StagedFit) and fit.first is not None:  # judged by the items of both orders
        between, loadings = first_order_correlation(
            model, fit, between, factors(second_order(model), estimator)
        )
        items, model = fit.first.item_correlation, disjoint_first(model)
    implied = implied_item_correlation(
        items, loadings, between, model.membership, factors(model, estimator)
    )
    return distances(items, implied), implied


def factors(model: Model, estimator: str) -> np.ndarray:
    """Which constructs are common factors, bool (k,)."""
    return (np.array(model.modes) == "A") & (estimator == "plsc")
