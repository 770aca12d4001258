"""Maximum likelihood for covariance models: Fisher scoring on many moment matrices at once.

Every array has two leading axes, (problems, groups): a problem is a sample or a resample, a group
is a respondent group or a pattern of missing answers. One function therefore serves the single
fit, several starts, the bootstrap, invariance and full-information likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, MEAN, Floats, Layout

# Real everywhere but in complex-step differentiation.
Numbers = npt.NDArray[Any]

_STEP = 1e-30  # of the complex step: no subtraction, so no rounding to balance against
_PATIENCE = 150  # iterations after which a nearly flat valley is followed less far


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics: covariances (divisor n) and means of each group of each problem.

    Attributes
    ----------
    covariance : array (problems, groups, p, p)
    mean : array (problems, groups, p)
    share : array (problems, groups)
        Share of the respondents in each group.
    present : array (groups, p)
        1 where the variable was answered in the group (missing-data pattern), else 0. The
        moments of absent variables are 0.
    """

    covariance: Floats
    mean: Floats
    share: Floats
    present: Floats

    def take(self, problems: npt.NDArray[np.int64]) -> Moments:
        """Only (or repeatedly) the given problems."""
        return Moments(
            self.covariance[problems], self.mean[problems], self.share[problems], self.present
        )


def moments_of(groups: list[Floats]) -> Moments:
    """Moments of one complete sample, possibly in several groups of rows."""
    n, p = sum(len(rows) for rows in groups), groups[0].shape[1]
    return Moments(
        np.stack([np.cov(rows, rowvar=False, ddof=0).reshape(p, p) for rows in groups])[None],
        np.stack([rows.mean(axis=0) for rows in groups])[None],
        np.array([[len(rows) / n for rows in groups]]),
        np.ones((len(groups), p)),
    )


@dataclass(frozen=True)
class Implied:
    """What a model implies at parameters (problems, k), per problem and group.

    With a model of one group and several patterns of missing answers, matrices of all variables
    have one group, those of the observed variables one per pattern.

    The derivative by the value at a place is dSigma = c (u w' + w u') and dmu = f u: rank two, so
    that gradient and information need no p(p+1)/2-row Jacobian.
    """

    arrows: Numbers  # A
    residual: Numbers  # S
    total: Numbers  # (I - A)^-1
    covariance: Numbers  # of all variables, latent and observed
    sigma: Numbers  # of the observed; an identity block where absent
    mu: Numbers
    u: Numbers  # (problems, groups, p, places)
    w: Numbers
    c: Numbers  # (problems, groups, places)
    f: Numbers


def implied(layout: Layout, theta: Numbers, moments: Moments) -> Implied:
    """Matrices and derivative factors of the model at parameters (problems, k)."""
    v, observed = len(layout.names), layout.row - layout.latent
    value: Numbers = layout.value
    if layout.relative.any():
        variance = np.diagonal(moments.covariance, axis1=-2, axis2=-1)
        value = value + layout.relative * variance[..., np.maximum(observed, 0)]
    place = np.where(layout.parameter >= 0, theta[:, layout.parameter], value)
    is_arrow, is_mean = layout.matrix == ARROW, layout.matrix == MEAN
    is_covariance = layout.matrix == COVARIANCE
    row, col = layout.row, layout.col
    arrows = np.zeros((*place.shape[:2], v, v), dtype=place.dtype)
    residual, mean = np.zeros_like(arrows), np.zeros_like(arrows[..., 0])
    arrows[..., row[is_arrow], col[is_arrow]] = place[..., is_arrow]
    residual[..., row[is_covariance], col[is_covariance]] = place[..., is_covariance]
    residual[..., col[is_covariance], row[is_covariance]] = place[..., is_covariance]
    mean[..., row[is_mean]] = place[..., is_mean]
    total = _inverse(np.eye(v) - arrows)
    covariance = total @ residual @ total.swapaxes(-1, -2)
    if layout.unit:
        item = np.arange(layout.latent, v)
        residual[..., item, item] = 1.0 - covariance[..., item, item]
        covariance[..., item, item] = 1.0
    mean_all = (total @ mean[..., None])[..., 0]

    present = moments.present
    effects = total[..., layout.latent :, :] * present[..., None]
    crossed = covariance[..., layout.latent :, :] * present[..., None]
    sigma = crossed[..., layout.latent :] * present[:, None, :]
    diagonal = np.arange(present.shape[-1])
    sigma[..., diagonal, diagonal] += 1.0 - present
    half = is_covariance & (row == col)
    c = np.where(half, 0.5, np.where(is_mean, 0.0, 1.0))
    f = np.where(is_arrow, mean_all[..., col], 1.0 * is_mean)
    return Implied(
        arrows=arrows,
        residual=residual,
        total=total,
        covariance=covariance,
        sigma=sigma,
        mu=mean_all[..., layout.latent :] * present,
        u=effects[..., row],
        w=np.where(is_arrow, crossed[..., col], effects[..., col]),
        c=np.broadcast_to(c, (*sigma.shape[:2], len(row))),
        f=np.broadcast_to(f, (*sigma.shape[:2], len(row))),
    )


@dataclass(frozen=True)
class Evaluation:
    """Objective (problems,), gradient (problems, k) and expected Hessian (problems, k, k).

    The objective is sum_g share_g [ln|Sigma| + tr(S Sigma^-1) + (m - mu)' Sigma^-1 (m - mu)],
    which is -2 log-likelihood / N without its constant; infinite where Sigma is not positive
    definite. The means count only in a model that has them.
    """

    objective: Floats
    gradient: Numbers
    hessian: Floats


def evaluate(
    layout: Layout, theta: Numbers, moments: Moments, *, curvature: bool = True
) -> Evaluation:
    """Objective, analytic gradient and expected Hessian; see `Evaluation`.

    With complex `theta` (complex-step differentiation) only the gradient is meaningful.
    """
    model = implied(layout, theta, moments)
    free = (layout.parameter >= 0).any(axis=0)
    u, w, c, f = model.u[..., free], model.w[..., free], model.c[..., free], model.f[..., free]
    parameter = layout.parameter[:, free]
    sigma, log_determinant = model.sigma, np.zeros(model.sigma.shape[:2])
    if not np.iscomplexobj(theta):
        log_determinant = _log_determinant(sigma)
        sigma = np.where(np.isinf(log_determinant)[..., None, None], np.eye(sigma.shape[-1]), sigma)
    inverse = np.linalg.inv(sigma)
    sample, gap = moments.covariance, (moments.mean - model.mu) * layout.has_means
    if layout.has_means:
        sample = sample + gap[..., :, None] * gap[..., None, :]
    weighted = inverse @ sample
    trace = np.trace(weighted, axis1=-2, axis2=-1).real
    objective = (moments.share * (log_determinant + trace)).sum(-1)

    share = moments.share[..., None]
    gradient = 2.0 * c * (u * ((inverse - weighted @ inverse) @ w)).sum(-2)
    if layout.has_means:
        gradient = gradient - 2.0 * f * (u * (inverse @ gap[..., None])).sum(-2)
    gradient = _gather(gradient * share, parameter, layout.parameters)
    if not curvature:
        return Evaluation(objective, gradient, np.empty((0, 0, 0)))
    solved = inverse @ w
    uu, uw = u.swapaxes(-1, -2) @ (inverse @ u), u.swapaxes(-1, -2) @ solved
    hessian = uu * (w.swapaxes(-1, -2) @ solved) + uw * uw.swapaxes(-1, -2)
    hessian = 2.0 * hessian * (c[..., :, None] * c[..., None, :])
    if layout.has_means:
        hessian = hessian + 2.0 * (f[..., :, None] * f[..., None, :]) * uu
    hessian = _gather_both(hessian * share[..., None], parameter, layout.parameters)
    return Evaluation(objective, gradient, hessian)


def _inverse(matrices: Numbers) -> Numbers:
    """Inverse of a stack of matrices, NaN for those that have none."""
    try:
        return np.linalg.inv(matrices)
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.full_like(matrices, np.nan)
        return np.stack([_inverse(matrix) for matrix in matrices])


def _log_determinant(sigma: Floats) -> Floats:
    """ln|Sigma|, infinite where Sigma is not positive definite to working precision."""
    lost = np.asarray(~np.isfinite(sigma).all(axis=(-1, -2)))
    if lost.any():
        sigma = np.where(lost[..., None, None], np.eye(sigma.shape[-1]), sigma)
        return np.where(lost, np.inf, _log_determinant(sigma))
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        bad = np.linalg.eigvalsh(sigma)[..., 0] <= 0
        if not bad.any():  # a hair from singular
            return np.full(sigma.shape[:-2], np.inf)
        sigma = np.where(bad[..., None, None], np.eye(sigma.shape[-1]), sigma)
        return np.where(bad, np.inf, _log_determinant(sigma))
    pivot = np.diagonal(root, axis1=-2, axis2=-1)
    # Share of a variable's variance not determined by the ones before it.
    share = (pivot**2 / np.diagonal(sigma, axis1=-2, axis2=-1)).min(-1)
    return np.where(share < 1e-10, np.inf, 2.0 * np.log(pivot).sum(-1))


def _choice(parameter: npt.NDArray[np.int64], count: int) -> Floats:
    """Which parameter stands at each place, as 0/1 (groups, places, k)."""
    return (parameter[..., None] == np.arange(count)).astype(float)


def _gather(places: Numbers, parameter: npt.NDArray[np.int64], count: int) -> Numbers:
    """Sum (problems, groups, places) over the places of each parameter: (problems, k)."""
    if len(parameter) == 1:
        places = places.sum(axis=1, keepdims=True)
        if np.array_equal(parameter[0], np.arange(count)):
            return places[:, 0]
    return np.einsum("bgl,glk->bk", places, _choice(parameter, count))


def _gather_both(places: Floats, parameter: npt.NDArray[np.int64], count: int) -> Floats:
    """Sum (problems, groups, places, places) to (problems, k, k)."""
    if len(parameter) == 1:
        places = places.sum(axis=1, keepdims=True)
        if np.array_equal(parameter[0], np.arange(count)):
            return places[:, 0]
    choice = _choice(parameter, count)
    return (choice.swapaxes(-1, -2) @ places @ choice).sum(axis=1)


def derivative(function: Callable[[Numbers], Numbers], theta: Floats, batch: int = 256) -> Floats:
    """Jacobian (values, k) of a function of stacked parameters, by complex steps: exact.

    References
    ----------
    Squire & Trapp (1998). Using complex variables to estimate derivatives of real functions. SIAM
    Review 40(1), 110-112 [M].
    """
    steps = theta + 1j * _STEP * np.eye(len(theta))
    parts = [function(steps[at : at + batch]).imag for at in range(0, len(theta), batch)]
    return np.concatenate(parts).T / _STEP


def repeated(moments: Moments, count: int) -> Moments:
    """The same single problem `count` times."""
    return moments.take(np.zeros(count, dtype=np.int64))


def observed_information(layout: Layout, theta: Floats, moments: Moments) -> Floats:
    """Half the second derivatives of the objective (k, k)."""

    def gradient(stack: Numbers) -> Numbers:
        return evaluate(layout, stack, repeated(moments, len(stack)), curvature=False).gradient

    hessian = derivative(gradient, theta, max(1, 512 // len(moments.present)))
    return (hessian + hessian.T) / 4.0


@dataclass(frozen=True)
class Solution:
    """Where the minimiser stopped, one row per problem (and start).

    `gradient` is projected: at an active bound an outward gradient counts as 0. `decrement` is
    g' H^-1 g, twice the distance of the objective from its local minimum, free of units: 1e-14 is
    aimed at (1e-11 in flat valleys), and less than 1e-8 counts as converged.
    """

    theta: Floats
    objective: Floats
    gradient: Floats
    decrement: Floats
    iterations: npt.NDArray[np.int64]
    converged: npt.NDArray[np.bool_]


def minimise(
    layout: Layout,
    moments: Moments,
    start: Floats,
    *,
    max_iterations: int = 500,
    exact: bool = False,
) -> Solution:
    """Fisher scoring with Levenberg-Marquardt damping and variances kept at or above zero.

    Parameters
    ----------
    layout : Layout
        The model.
    moments : Moments
        Of as many problems as `start` has rows.
    start : array (problems, k)
        Where to begin; raised to the lower bounds.
    max_iterations : int
        Of each problem.
    exact : bool
        Use the exact Hessian (Newton), not the expected one: dearer, and worth it near the end.

    References
    ----------
    Bertsekas, D. (1982). Projected Newton methods. SIAM J. Control Optim. 20(2), 221-246 [M].
    """
    lower, theta = layout.lower, np.maximum(start, layout.lower)
    state = evaluate(layout, theta, moments)
    objective, gradient, hessian = state.objective, state.gradient.copy(), state.hessian.copy()
    damping, iterations = np.full(len(theta), 1e-3), np.zeros(len(theta), dtype=np.int64)
    running, diagonal = np.isfinite(objective), np.arange(theta.shape[1])

    def propose(at: npt.NDArray[np.int64], relaxed: Floats) -> tuple[Numbers, Floats]:
        """Steps of some problems, and their decrements."""
        held = (theta[at] <= lower) & (gradient[at] > 0)
        slope, curve = np.where(held, 0.0, gradient[at]), hessian[at]
        scale = np.where(held, 0.0, curve[:, diagonal, diagonal])
        scale = np.where(scale > 0, scale, 1.0)
        if exact:
            each = [observed_information(layout, theta[i], moments.take(np.array([i]))) for i in at]
            curve = 2.0 * np.stack(each)
        curve = np.where(held[:, :, None] | held[:, None, :], 0.0, curve)
        curve[:, diagonal, diagonal] += scale * (relaxed[:, None] + held)
        step = _solve(curve, slope)
        return step, (slope * step).sum(-1)

    for iteration in range(max_iterations):
        at = np.flatnonzero(running)
        if not len(at):
            break
        iterations[at] += 1
        step, decrement = propose(at, damping[at])
        aim = 1e-14 if iteration < _PATIENCE else 1e-11
        done = (np.abs(decrement) < aim) & (damping[at] < 1e-5)
        running[at[done]] = False
        at, step = at[~done], step[~done]
        if not len(at):
            continue
        proposal = np.maximum(theta[at] - step, lower)
        with np.errstate(over="ignore", invalid="ignore"):  # a wild proposal is refused below
            trial = evaluate(layout, proposal, moments.take(at))
        slack = 1e-14 * (1.0 + np.abs(objective[at]))
        better = trial.objective <= objective[at] + slack
        kept = at[better]
        theta[kept], objective[kept] = proposal[better], trial.objective[better]
        gradient[kept], hessian[kept] = trial.gradient[better], trial.hessian[better]
        damping[at] = np.where(better, np.maximum(damping[at] / 10.0, 1e-12), damping[at] * 10.0)
        running[at[damping[at] > 1e12]] = False
    final, at = np.full(len(theta), np.inf), np.flatnonzero(np.isfinite(objective))
    if len(at):
        final[at] = np.abs(propose(at, np.full(len(at), 1e-9))[1])
    held = (theta <= lower) & (gradient > 0)
    return Solution(
        theta, objective, np.where(held, 0.0, gradient), final, iterations, final < 1e-8
    )


def _solve(matrices: Floats, vectors: Floats) -> Numbers:
    """Solve a stack of symmetric systems; an exactly singular one by its pseudo-inverse."""
    try:
        return np.linalg.solve(matrices, vectors[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.stack(
            [np.linalg.pinv(m, hermitian=True) @ g for m, g in zip(matrices, vectors, strict=True)]
        )
