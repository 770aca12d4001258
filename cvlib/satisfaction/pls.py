"""Partial least squares path modelling from moment matrices, many fits at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvlib.satisfaction.model import Model

SCHEMES = ("path", "factorial", "centroid")


@dataclass(frozen=True)
class PLSFit:
    """B fits of a model with p items and k constructs, as arrays.

    Attributes
    ----------
    mean, standard_deviation : ndarray (B, p)
        Of the items.
    item_correlation : ndarray (B, p, p)
    weights : ndarray (B, p)
        Outer weights for standardised items; every construct score has variance one.
    loadings : ndarray (B, p)
        Correlation of each item with its own construct (PLSc: corrected for attenuation).
    composite_correlation : ndarray (B, k, k)
        Of the construct scores.
    construct_correlation : ndarray (B, k, k)
        The same for PLS; corrected for attenuation in PLSc. Paths and R² come from it.
    rho_a : ndarray (B, k)
        Dijkstra-Henseler reliability of mode A constructs; 1 for single items and other modes.
    paths : ndarray (B, k, k)
        Standardised coefficients, [source, target].
    r_squared : ndarray (B, k)
        0 for exogenous constructs.
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

    mean: np.ndarray
    standard_deviation: np.ndarray
    item_correlation: np.ndarray
    weights: np.ndarray
    loadings: np.ndarray
    composite_correlation: np.ndarray
    construct_correlation: np.ndarray
    rho_a: np.ndarray
    paths: np.ndarray
    r_squared: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray
    degenerate: np.ndarray
    admissible: np.ndarray
    interactions: np.ndarray | None = None


def _solve(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve m x m symmetric systems of correlations, draws on the last axis.

    Elimination written over the draws: the same bits whoever shares the batch, and no exception
    for the one draw that is singular. Returns the solution (m, r, B) and where it exists (B,).
    """
    left, out = matrix.copy(), right.copy()
    size = len(left)
    sound = np.ones(left.shape[-1], dtype=bool)
    for i in range(size):
        pivot = left[i, i].copy()
        # a pivot is the share of variance the earlier variables leave unexplained; corrected
        # correlations can make it negative, which is inadmissible but has a solution
        weak = ~(np.abs(pivot) > 1e-12)
        sound &= ~weak
        pivot[weak] = 1.0
        for j in range(i + 1, size):
            factor = left[j, i] / pivot
            left[j, i + 1 :] -= factor * left[i, i + 1 :]
            out[j] -= factor * out[i]
        left[i, i] = pivot
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            out[i] -= left[i, j] * out[j]
        out[i] /= left[i, i]
    return out, sound


def regressions(correlation: np.ndarray, adjacency: np.ndarray) -> tuple[np.ndarray, ...]:
    """Regress every construct on its causes.

    Parameters
    ----------
    correlation : ndarray (k, k, B)
        Of the constructs, draws last.
    adjacency : ndarray of bool (k, k)
        [source, target].

    Returns
    -------
    coefficients : ndarray (k, k, B)
    r_squared : ndarray (k, B)
    sound : ndarray of bool (B,)
        False where a regression has no unique solution.
    """
    coefficients = np.zeros_like(correlation)
    r_squared = np.zeros(correlation.shape[1:])
    sound = np.ones(correlation.shape[-1], dtype=bool)
    for target in np.flatnonzero(adjacency.any(axis=0)):
        causes = np.flatnonzero(adjacency[:, target])
        with_target = correlation[causes, target]
        found, fine = _solve(correlation[np.ix_(causes, causes)], with_target[:, None])
        coefficients[causes, target] = found[:, 0]
        r_squared[target] = (found[:, 0] * with_target).sum(axis=0)
        sound &= fine
    return coefficients, r_squared, sound


def fit_pls(
    model: Model,
    mean: np.ndarray,
    covariance: np.ndarray,
    *,
    scheme: str = "path",
    estimator: str = "pls",
    tolerance: float = 1e-10,
    max_iterations: int = 300,
) -> PLSFit:
    """Fit a model to B sets of moments.

    The algorithm of Lohmöller (1989) on correlation matrices: outer weights give construct
    correlations, these give inner weights (`scheme`), inner proxies give new outer weights (mode A:
    covariances with the proxy; mode B: regression on the block; unit: left alone), until no
    weight of a standardised score moves by `tolerance`. A converged fit is never touched again, so
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
        Largest change of a weight at which a fit has converged.
    max_iterations : int
        A fit that needs more has not converged.

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
    correlation, deviation, degenerate = _standardise(covariance)
    inverse = _block_inverses(model, correlation, degenerate)
    weights, iterations, converged = _iterate(
        model, correlation, inverse, scheme, tolerance, max_iterations
    )
    cross = _cross(model, correlation, weights)
    loadings = cross[np.arange(len(model.items)), model.block]
    totals = _sums(model, loadings)
    turn = np.sign(np.where(totals == 0, loadings[model.starts], totals))
    turn[turn == 0] = 1.0
    weights, loadings = weights * turn[model.block], loadings * turn[model.block]
    composite = _blocks(model, weights, cross * turn[None])
    rho_a, consistent = _attenuation(model, correlation, weights, loadings)
    corrected = composite
    if estimator == "plsc":
        loadings = consistent
        root = np.sqrt(np.maximum(rho_a, 0.0))
        root[root == 0] = np.nan  # no correction exists; told as inadmissible below
        corrected = composite / (root[:, None] * root[None])
        corrected[np.arange(len(root)), np.arange(len(root))] = 1.0
    paths, r_squared, sound = regressions(corrected, model.adjacency)
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
    "a loading above one (a negative error variance)",
    "a reliability rho_A outside (0, 1]",
    "an R² above one (a negative disturbance variance)",
    "construct correlations that are not positive definite",
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
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    degenerate = np.asarray(~(variance > 1e-12).all(axis=1))
    deviation = np.sqrt(np.where(variance > 1e-12, variance, 1.0))
    correlation = covariance / (deviation[:, :, None] * deviation[:, None, :])
    correlation[degenerate] = 0.5 + 0.5 * np.eye(covariance.shape[1])  # computed, then discarded
    # the draws go last: every step below is then arithmetic along contiguous memory
    return np.ascontiguousarray(np.moveaxis(correlation, 0, -1)), deviation, degenerate


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
            found[j], sound = _solve(matrix, right)
            degenerate |= ~sound
    return found


def _sums(model: Model, values: np.ndarray) -> np.ndarray:
    """Sums (k, ..., B) within each construct of values (p, ..., B)."""
    return np.stack([values[own].sum(axis=0) for own in _own(model)])


def _own(model: Model) -> list[slice]:
    """The items of each construct, which stand together."""
    ends = [*model.starts[1:], len(model.items)]
    return [slice(start, end) for start, end in zip(model.starts, ends, strict=True)]


def _cross(model: Model, correlation: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Covariance (p, k, B) of every item with every weighted sum."""
    cross = np.empty((len(weights), len(model.starts), weights.shape[-1]))
    for j, own in enumerate(_own(model)):
        (correlation[:, own] * weights[None, own]).sum(axis=1, out=cross[:, j])
    return cross


def _blocks(model: Model, weights: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Covariance (k, k, B) of the weighted sums, from their covariance with the items."""
    return _sums(model, weights[:, None] * cross)


def _variance(model: Model, weights: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Variance (k, B) of the weighted sums; one where a construct's weights all vanish."""
    variance = _sums(model, weights * cross[np.arange(len(weights)), model.block])
    return np.where(variance > 0, variance, 1.0)


def _attenuation(
    model: Model, correlation: np.ndarray, weights: np.ndarray, loadings: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """rho_A (k, B) and consistent loadings (p, B) of the mode A constructs of several items."""
    rho_a, corrected = np.ones((len(model.starts), weights.shape[-1])), loadings.copy()
    for j, own in enumerate(_own(model)):
        if model.modes[j] != "A":
            continue
        w, matrix = weights[own], correlation[own, own]
        products = w[:, None] * w[None]
        off = ~np.eye(len(w), dtype=bool)
        length = (w**2).sum(axis=0)
        ratio = (products * matrix)[off].sum(axis=0) / (products**2)[off].sum(axis=0)
        rho_a[j] = length**2 * ratio
        corrected[own] = w * np.sqrt(np.maximum(rho_a[j], 0.0)) / length
    return rho_a, corrected


def _inner(model: Model, correlation: np.ndarray, scheme: str) -> np.ndarray:
    """Inner weights (k, k, B): [i, j] is the part of construct i in the proxy of construct j."""
    linked = (model.adjacency | model.adjacency.T)[:, :, None]
    if scheme == "centroid":
        return np.sign(correlation) * linked
    inner = correlation * linked
    if scheme == "path":
        coefficients = regressions(correlation, model.adjacency)[0]
        inner = np.where(model.adjacency[:, :, None], coefficients, inner)
    return inner


def _iterate(
    model: Model,
    correlation: np.ndarray,
    inverse: dict[int, np.ndarray],
    scheme: str,
    tolerance: float,
    max_iterations: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outer weights (p, B) of unit-variance scores, iterations (B,) and convergence (B,)."""
    items, draws = correlation.shape[1:]
    fixed = np.array([mode == "unit" for mode in model.modes])[model.block]
    rows = {j: np.flatnonzero(model.block == j) for j in inverse}
    weights = np.empty((items, draws))
    iterations = np.zeros(draws, dtype=int)
    converged = np.zeros(draws, dtype=bool)

    who = np.arange(draws)  # the fits still in the working arrays
    going = np.ones(draws, dtype=bool)
    current = np.ones((items, draws))
    cross = _cross(model, correlation, current)
    root = np.sqrt(_variance(model, current, cross))
    current, cross = current / root[model.block], cross / root[None]
    for step in range(1, max_iterations + 1):
        inner = _inner(model, _blocks(model, current, cross), scheme)
        # covariance of each item with the proxy of its own construct
        proposed = (cross * inner[:, model.block].swapaxes(0, 1)).sum(axis=1)
        for j, own in rows.items():
            proposed[own] = (inverse[j][..., who] * proposed[own][None]).sum(axis=1)
        proposed[fixed] = current[fixed]
        cross = _cross(model, correlation, proposed)
        root = np.sqrt(_variance(model, proposed, cross))
        proposed, cross = proposed / root[model.block], cross / root[None]
        settled = going & (np.abs(proposed - current).max(axis=0) < tolerance)
        current = proposed
        done = going if step == max_iterations else settled
        if done.any():
            weights[:, who[done]] = current[:, done]
            iterations[who[done]] = step
            converged[who[settled]] = True
            going = going & ~done
            if not going.any():
                break
            if 2 * going.sum() < len(going) > 2:
                # never fewer than two: numpy sums a lone column in another order
                keep = going | (np.cumsum(~going) <= max(0, 2 - going.sum()))
                correlation, current, cross = (a[..., keep] for a in (correlation, current, cross))
                who, going = who[keep], going[keep]
    return weights, iterations, converged
