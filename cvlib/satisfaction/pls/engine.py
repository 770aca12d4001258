"""Partial least squares path modelling from moment matrices, many fits at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.regressions import Regressions, solve
from cvlib.satisfaction.solution import Solution

TOLERANCE = 1e-10  # of a weight from its limit
SCHEMES = ("path", "factorial", "centroid")
ROUGH = 7  # iterations in single precision


@dataclass(frozen=True)
class PLSFit(Solution):
    """B fits by partial least squares; loadings of PLSc are corrected for attenuation.

    Attributes
    ----------
    composite_correlation : ndarray (B, k, k)
        Of the construct scores; `construct_correlation` is the same for PLS and corrected for
        attenuation in PLSc.
    rho_a : ndarray (B, k)
        Reliability that PLSc corrects for (Dijkstra-Henseler, mode A constructs of several items);
        1 elsewhere and under PLS.
    converged : ndarray of bool (B,)
    iterations : ndarray of int (B,)
    degenerate : ndarray of bool (B,)
        An item without variance or a regression without a solution: every estimate is NaN.
    admissible : ndarray of bool (B,)
        Converged, not degenerate and, for PLSc, no loading above one in size, no reliability
        outside (0, 1], no R² above one, construct correlations positive definite.
    interactions : ndarray (B, m) or None
        Coefficients of the model's moderations (`moderation.moderate`).
    """

    composite_correlation: np.ndarray
    rho_a: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray
    degenerate: np.ndarray
    admissible: np.ndarray
    interactions: np.ndarray | None = None


def fit_pls(
    model: Model,
    mean: np.ndarray,
    covariance: np.ndarray,
    *,
    scheme: str = "path",
    estimator: str = "pls",
    tolerance: float = TOLERANCE,
    max_iterations: int = 300,
    reliability: np.ndarray | None = None,
) -> PLSFit:
    """Fit a model to B sets of moments.

    The algorithm of Lohmöller (1989) on correlation matrices: outer weights give construct
    correlations, these give inner weights (`scheme`), inner proxies give new outer weights (mode A:
    covariances with the proxy; mode B: regression on the block; unit: left alone), until no
    weight of a standardised score is farther than `tolerance` from its limit, judged by the last
    two steps. A converged fit is never touched again, so
    results do not depend on which fits share a call.

    Sign rule: a construct is turned so that its loadings sum to a positive number (with a sum of
    zero, so that its first loading is positive).

    Parameters
    ----------
    model : Model
        Constructs, modes and paths.
    mean : ndarray (B, p)
        Of the items; only handed on.
    covariance : ndarray (B, p, p)
        Of the items in the order of `model.items`, recoded ones already turned round.
    scheme : {"path", "factorial", "centroid"}
        Inner weights: regression on causes and correlation with effects; correlations; their signs.
    estimator : {"pls", "plsc"}
        "plsc" corrects mode A constructs of several items for attenuation by rho_A.
    tolerance : float
        Largest distance of a weight from its limit at which a fit has converged.
    max_iterations : int
        A fit that needs more has not converged.
    reliability : ndarray (B, p), optional
        Of items that are scores themselves, under "plsc": a construct that is not of mode A is then
        corrected by w'Tw, T the correlations of its items with their reliabilities on the diagonal.

    Returns
    -------
    PLSFit

    References
    ----------
    Lohmöller (1989), Latent variable path modeling with partial least squares, ch. 2.
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), CSDA 48:159-205.
    Dijkstra & Henseler (2015), Consistent PLS path modeling, MIS Quarterly 39:297-316, eq. 3-4.

    Notes
    -----
    Checked against R seminr 2.3.1 and cSEM (mode A, path weighting) to 1e-8, and against a
    row-based implementation written for the tests (other modes and schemes).
    """
    if len(mean) == 1:  # numpy sums a lone column in another order: give it company
        pair = fit_pls(
            model, np.repeat(mean, 2, axis=0), np.repeat(covariance, 2, axis=0), scheme=scheme,
            estimator=estimator, tolerance=tolerance, max_iterations=max_iterations,
            reliability=None if reliability is None else np.repeat(reliability, 2, axis=0),
        )  # fmt: skip
        return PLSFit(**{f.name: getattr(pair, f.name)[:1] for f in fields(pair)[:-1]})
    correlation, deviation, degenerate = _standardise(covariance)
    inverse = _block_inverses(model, correlation, degenerate)
    weights, iterations, converged = _settle(
        model, correlation, inverse, scheme, tolerance, max_iterations
    )
    cross = _cross(model, correlation, weights)
    loadings = cross[np.arange(len(model.items)), model.block]
    totals = _sums(model, loadings)
    turn = np.sign(np.where(totals == 0, loadings[model.starts], totals))
    turn[turn == 0] = 1.0
    weights, loadings = weights * turn[model.block], loadings * turn[model.block]
    composite = _blocks(model, weights, cross * turn[None])
    rho_a = np.ones_like(totals)
    corrected = composite
    if estimator == "plsc":
        rho_a, loadings = _attenuation(model, correlation, weights, loadings, reliability)
        root = np.sqrt(np.maximum(rho_a, 0.0))
        root[root == 0] = np.nan  # no correction exists; told as inadmissible below
        corrected = composite / (root[:, None] * root[None])
        corrected[np.arange(len(root)), np.arange(len(root))] = 1.0
    paths, sound = Regressions(model.adjacency)(corrected)
    r_squared = (paths * corrected).sum(axis=0)
    sound &= np.isfinite(r_squared).all(axis=0)
    degenerate = degenerate | ~sound | ~np.isfinite(weights).all(axis=0)
    admissible = converged & ~degenerate
    if estimator == "plsc":
        admissible &= ~inadmissible(loadings, rho_a, r_squared, corrected).any(axis=0)

    def finish(values: np.ndarray) -> np.ndarray:
        if degenerate.any():
            values = np.where(degenerate, np.nan, values)
        return np.ascontiguousarray(np.moveaxis(values, -1, 0))

    return PLSFit(
        mean=mean,
        standard_deviation=deviation,
        item_correlation=finish(correlation),
        weights=finish(weights),
        loadings=finish(loadings),
        composite_correlation=finish(composite),
        construct_correlation=finish(corrected),
        rho_a=finish(rho_a),
        paths=finish(paths),
        r_squared=finish(r_squared),
        converged=converged & ~degenerate,
        iterations=iterations,
        degenerate=degenerate,
        admissible=admissible,
    )


PLSC_PROBLEMS = (
    "loading_above_one",
    "reliability_outside",
    "r_squared_above_one",
    "not_positive_definite",
)


def inadmissible(
    loadings: np.ndarray, rho_a: np.ndarray, r_squared: np.ndarray, correlation: np.ndarray
) -> np.ndarray:
    """Which of `PLSC_PROBLEMS` each fit has: bool (4, B); arrays with the draws last."""
    matrices = np.moveaxis(correlation, -1, 0)
    finite = np.isfinite(matrices).all(axis=(1, 2))
    smallest = np.full(len(matrices), -np.inf)
    smallest[finite] = np.linalg.eigvalsh(matrices[finite])[:, 0]
    return np.array([
        (np.abs(loadings) > 1 + 1e-12).any(axis=0),
        (~(rho_a > 0) | (rho_a > 1 + 1e-12)).any(axis=0),
        (r_squared > 1 + 1e-12).any(axis=0),
        smallest <= 1e-12,
    ])  # fmt: skip


def construct_scores(model: Model, fit: PLSFit, values: np.ndarray) -> np.ndarray:
    """Standardised scores (n, k) of complete answers (n, p), by the first fit."""
    standard = (values - fit.mean[0]) / fit.standard_deviation[0]
    return np.asarray(standard @ (fit.weights[0][:, None] * model.membership))


def _standardise(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlations (p, p, B), standard deviations (B, p), and where an item does not vary (B,)."""
    # the draws go last: every step below is then arithmetic along contiguous memory
    last = np.ascontiguousarray(np.moveaxis(covariance, 0, -1))
    variance = np.diagonal(last).T
    degenerate = np.asarray(~(variance > 1e-12).all(axis=0))
    deviation = np.sqrt(np.where(variance > 1e-12, variance, 1.0))
    correlation = deviation[:, None] * deviation
    np.divide(last, correlation, out=correlation)
    if degenerate.any():  # computed all the same, then discarded
        correlation[..., degenerate] = (0.5 + 0.5 * np.eye(len(last)))[..., None]
    return correlation, np.ascontiguousarray(deviation.T), degenerate


def _block_inverses(
    model: Model, correlation: np.ndarray, degenerate: np.ndarray
) -> dict[int, np.ndarray]:
    """Inverse item correlations (m, m, B) of each mode B block; a singular one is degenerate."""
    found = {}
    for j, mode in enumerate(model.modes):
        if mode == "B":
            own = np.flatnonzero(model.block == j)
            matrix = correlation[np.ix_(own, own)]
            right = np.broadcast_to(np.eye(len(own))[:, :, None], matrix.shape)
            found[j], sound = solve(matrix, right)
            degenerate |= ~sound
    return found


def _sums(model: Model, values: np.ndarray) -> np.ndarray:
    """Sums (k, ..., B) within each construct of values (p, ..., B)."""
    sums = np.empty((len(model.starts), *values.shape[1:]), dtype=values.dtype)
    for j, own in enumerate(model.slices):
        np.add.reduce(values[own], axis=0, out=sums[j])
    return sums


def _cross(
    model: Model, correlation: np.ndarray, weights: np.ndarray, scratch: np.ndarray | None = None
) -> np.ndarray:
    """Covariance (p, k, B) of every item with every weighted sum.

    `scratch` (p, largest block, B) spares the memory of the products being asked for each time.
    """
    if scratch is None:
        scratch = np.empty_like(correlation)
    shape = len(weights), len(model.starts), weights.shape[-1]
    cross = np.empty(shape, dtype=weights.dtype)
    for j, own in enumerate(model.slices):
        products = scratch[:, : own.stop - own.start]
        np.multiply(correlation[:, own], weights[own], out=products)
        np.add.reduce(products, axis=1, out=cross[:, j])
    return cross


def _blocks(model: Model, weights: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Covariance (k, k, B) of the weighted sums, from their covariance with the items."""
    return _sums(model, weights[:, None] * cross)


def _unit(
    model: Model, weights: np.ndarray, cross: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, covariances with items and correlations of scores brought to variance one."""
    among = _blocks(model, weights, cross)
    variance = np.einsum("jjb->jb", among)
    # where a construct's weights all vanish there is nothing to bring to one
    scale = 1 / np.sqrt(np.where(variance > 0, variance, 1.0))
    cross *= scale
    among *= scale[:, None] * scale
    return weights * scale[model.block], cross, among


def _attenuation(
    model: Model,
    correlation: np.ndarray,
    weights: np.ndarray,
    loadings: np.ndarray,
    reliability: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """rho_A (k, B) and consistent loadings (p, B) of the mode A constructs of several items.

    With reliabilities of the items (B, p) also of the other constructs.
    """
    rho_a, corrected = np.ones((len(model.starts), weights.shape[-1])), loadings.copy()
    for j, own in enumerate(model.slices):
        if model.modes[j] != "A":
            if reliability is not None:
                error = weights[own] * (1 - reliability.T[own])
                rho_a[j] = 1 - (weights[own] * error).sum(axis=0)
                root = np.sqrt(np.where(rho_a[j] > 0, rho_a[j], np.nan))
                corrected[own] = (loadings[own] - error) / root
            continue
        w, matrix = weights[own], correlation[own, own]
        products = w[:, None] * w[None]
        off = ~np.eye(len(w), dtype=bool)
        length = (w**2).sum(axis=0)
        ratio = (products * matrix)[off].sum(axis=0) / (products**2)[off].sum(axis=0)
        rho_a[j] = length**2 * ratio
        corrected[own] = w * np.sqrt(np.maximum(rho_a[j], 0.0)) / length
    return rho_a, corrected


def _inner(
    model: Model, correlation: np.ndarray, scheme: str, regressions: Regressions
) -> np.ndarray:
    """Inner weights (k, k, B): [i, j] is the part of construct i in the proxy of construct j."""
    linked = (model.adjacency | model.adjacency.T)[:, :, None]
    if scheme == "centroid":
        return np.sign(correlation) * linked
    if scheme == "factorial":
        return correlation * linked
    # effects by their correlation; causes, where that is zeroed, by their coefficient
    return correlation * model.adjacency.T[:, :, None] + regressions(correlation)[0]


def _settle(
    model: Model,
    correlation: np.ndarray,
    inverse: dict[int, np.ndarray],
    scheme: str,
    tolerance: float,
    max_iterations: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outer weights (p, B) of unit-variance scores, iterations (B,) and convergence (B,).

    The first iterations only have to come near, so they run in single precision, at half the cost;
    the rest, and every test of convergence, in double.
    """
    rough = min(ROUGH, max_iterations - 1)
    start = np.ones(correlation.shape[1:], dtype=np.float32)
    single = {j: matrix.astype(np.float32) for j, matrix in inverse.items()}
    start, _, _ = _iterate(model, correlation.astype(np.float32), single, scheme, start, 0.0, rough)
    near = np.where(np.isfinite(start).all(axis=0), start, 1.0).astype(float)
    weights, iterations, converged = _iterate(
        model, correlation, inverse, scheme, near, tolerance, max_iterations - rough
    )
    return weights, iterations + rough, converged


def _iterate(
    model: Model,
    correlation: np.ndarray,
    inverse: dict[int, np.ndarray],
    scheme: str,
    current: np.ndarray,
    tolerance: float,
    max_iterations: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The iterations from given weights, in the precision of the correlations."""
    items, draws = correlation.shape[1:]
    fixed = np.array([mode == "unit" for mode in model.modes])[model.block]
    weights = np.empty_like(current)
    iterations = np.zeros(draws, dtype=int)
    converged = np.zeros(draws, dtype=bool)

    blocks = model.slices
    largest = max(own.stop - own.start for own in blocks)
    scratch = np.empty((items, largest, draws), dtype=correlation.dtype)
    who = np.arange(draws)  # the fits still in the working arrays
    going = np.ones(draws, dtype=bool)
    before = np.zeros(draws)
    regressions = Regressions(model.adjacency)
    current, cross, among = _unit(model, current, _cross(model, correlation, current, scratch))
    for step in range(1, max_iterations + 1):
        inner = _inner(model, among, scheme, regressions)
        # covariance of each item with the proxy of its own construct
        proposed = np.empty_like(current)
        for j, own in enumerate(blocks):
            np.add.reduce(cross[own] * inner[:, j], axis=1, out=proposed[own])
        for j in inverse:
            target = proposed[blocks[j]]
            target[:] = (inverse[j][..., who] * target).sum(axis=1)
        if fixed.any():
            proposed[fixed] = current[fixed]
        proposed, cross, among = _unit(
            model, proposed, _cross(model, correlation, proposed, scratch)
        )
        moved = np.abs(proposed - current).max(axis=0)
        # steps shrink by a steady ratio: what is left to go is moved r / (1 - r); steps at the
        # limit of the arithmetic have no ratio
        left = moved**2 < tolerance * (before - moved)
        settled = going & (left | (moved < 1e-2 * tolerance))
        current, before = proposed, moved
        done = going if step == max_iterations else settled
        if done.any():
            weights[:, who[done]] = current[:, done]
            iterations[who[done]] = step
            converged[who[settled]] = True
            going = going & ~done
            if not going.any():
                break
            if 2 * going.sum() < len(going) > 2:
                # never fewer than two, as above
                keep = going | (np.cumsum(~going) <= max(0, 2 - going.sum()))
                correlation, current, before, cross, among, scratch = (
                    np.compress(keep, a, axis=-1)
                    for a in (correlation, current, before, cross, among, scratch)
                )
                who, going = who[keep], going[keep]
    return weights, iterations, converged
