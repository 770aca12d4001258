"""The likelihood of covariance models and its derivatives, on many moment matrices at once.

Every array has two leading axes, (problems, groups): a problem is a sample or a resample, a group
is a respondent group or a pattern of missing answers. One function therefore serves the single
fit, several starts, the bootstrap, invariance and full-information likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, MEAN, Floats, Layout

# Real everywhere but in complex-step differentiation.
Numbers = npt.NDArray[Any]

_STEP = 1e-30  # of the complex step: no subtraction, so no rounding to balance against


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
    effects: Numbers  # of all variables on the observed: rows of `total`, 0 where absent
    crossed: Numbers  # covariances of the observed with all, 0 where absent
    layout: Layout
    c: Numbers  # (problems, groups, places)
    f: Numbers

    @property
    def u(self) -> Numbers:
        """(problems, groups, p, places)."""
        return self.effects[..., self.layout.row]

    @property
    def w(self) -> Numbers:
        """(problems, groups, p, places)."""
        col, is_arrow = self.layout.col, self.layout.matrix == ARROW
        return np.where(is_arrow, self.crossed[..., col], self.effects[..., col])


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
        effects=effects,
        crossed=crossed,
        layout=layout,
        c=np.broadcast_to(c, (*sigma.shape[:2], len(row))),
        f=np.broadcast_to(f, (*sigma.shape[:2], len(row))),
    )


@dataclass(eq=False)
class Evaluation:
    """Objective, gradient and curvature at parameters; what is not asked for is not computed.

    The objective is sum_g share_g [ln|Sigma| + tr(S Sigma^-1) + (m - mu)' Sigma^-1 (m - mu)],
    which is -2 log-likelihood / N without its constant; infinite where Sigma is not positive
    definite. The means count only in a model that has them.

    All second derivatives follow from the products u'Vu, u'Vw, w'Vw (V = Sigma^-1) and the same
    with VSV between them: with dSigma_i = c_i (u_i w_i' + w_i u_i') of rank two, every trace is a
    sum of products of two such numbers. With complex parameters (complex-step differentiation)
    only the gradient is meaningful.
    """

    layout: Layout
    objective: Floats
    share: Floats
    total: Numbers
    covariance: Numbers
    columns: Numbers  # of Sigma's derivatives: E (I - A)^-1, then E C
    inverse: Numbers  # of Sigma
    sample: Numbers  # second moments about the model's means
    gap: Numbers  # sample less model means
    f: Numbers

    def take(self, problems: npt.NDArray[Any]) -> Evaluation:
        """Only the given problems."""
        parts = [getattr(self, field.name)[problems] for field in fields(self)[1:]]
        return Evaluation(self.layout, *parts)

    @cached_property
    def _between(self) -> tuple[Numbers, Numbers]:
        """V and VSV times the columns."""
        once = self.inverse @ self.columns
        return once, self.inverse @ (self.sample @ once)

    @cached_property
    def _products(self) -> tuple[Numbers, Numbers]:
        """The columns' products with V and with VSV between them, flat."""
        left = self.columns.swapaxes(-1, -2)
        return tuple(_flat(left @ part) for part in self._between)  # type: ignore[return-value]

    @cached_property
    def _towards(self) -> Numbers:
        """V times the gap of the means, seen along every column."""
        turned = self.columns.swapaxes(-1, -2) @ (self.inverse @ self.gap[..., None])
        return turned[..., 0]

    @cached_property
    def gradient(self) -> Numbers:
        """First derivatives (problems, k)."""
        at, v = self.layout.places, len(self.layout.names)
        once, twice = self._between
        seen = _flat(self.columns[..., :v].swapaxes(-1, -2) @ (once - twice))
        gradient = 2.0 * at.c * seen[..., at.uw]
        if self.layout.has_means:
            gradient = gradient - 2.0 * self.f * self._towards[..., at.u]
        return _gather(gradient * self.share[..., None], at.parameter, self.layout.parameters)

    @cached_property
    def hessian(self) -> Floats:
        """Expected second derivatives (problems, k, k)."""
        at, (v, _) = self.layout.places, self._products
        uu, uw = at.square(v, "uu"), at.square(v, "uw")
        hessian = at.square(v, "ww")
        hessian *= uu
        hessian += uw * uw.swapaxes(-1, -2)
        hessian *= 2.0 * at.cc
        if self.layout.has_means:
            hessian += 2.0 * (self.f[..., :, None] * self.f[..., None, :]) * uu
        return self._gathered(hessian)

    @cached_property
    def scale(self) -> Floats:
        """The diagonal of `hessian` (problems, k), where a parameter stands in one place."""
        at, (v, _) = self.layout.places, self._products
        own = v[..., at.own_uu] * v[..., at.own_ww] + v[..., at.uw] ** 2
        own = 2.0 * at.c**2 * own + 2.0 * self.f**2 * v[..., at.own_uu]
        return _gather(own * self.share[..., None], at.parameter, self.layout.parameters)

    @cached_property
    def exact(self) -> Floats:
        """Second derivatives (problems, k, k)."""
        at, (v, q), f = self.layout.places, self._products, self.f
        uu, uw, rest = at.square(v, "uu"), at.square(v, "uw"), q - 0.5 * v
        half = at.square(rest, "uw")
        half *= uw.swapaxes(-1, -2)
        hessian = at.square(v, "ww")
        hessian *= at.square(rest, "uu")
        hessian += uu * at.square(rest, "ww")
        hessian += half
        hessian += half.swapaxes(-1, -2)
        hessian *= 2.0 * at.cc
        # how the columns themselves move: only with an arrow
        chain = _flat(np.concatenate([self.total, self.covariance], axis=-1))
        reach, moved = at.strip(chain, "reach"), at.strip(v - q, "uu")
        along = 2.0 * at.c * at.strip(chain, "weigh") * moved
        strip = 2.0 * at.c * reach * at.strip(v - q, "uw") + along
        if self.layout.has_means:
            seen = self._towards
            once = uu * (at.c * seen[..., at.w])[..., None, :]
            once = once + uw * (at.c * seen[..., at.u])[..., None, :]
            once = 2.0 * f[..., :, None] * once
            mean = 2.0 * (f[..., :, None] * f[..., None, :]) * uu
            hessian += once + once.swapaxes(-1, -2) + mean
            strip = strip - 2.0 * reach * f[..., None, :] * seen[..., at.u[at.arrows], None]
        hessian[..., at.arrows, :] += strip
        hessian[..., at.arrows] += strip.swapaxes(-1, -2)
        hessian[..., at.arrows[:, None], at.arrows] -= along[..., at.arrows]  # counted twice
        return self._gathered(hessian)

    def _gathered(self, places: Floats) -> Floats:
        if places.shape[1] > 1:
            places = places * self.share[..., None, None]  # one group has them all
        return _gather_both(places, self.layout.places.parameter, self.layout.parameters)


def _flat(matrices: Numbers) -> Numbers:
    return matrices.reshape(*matrices.shape[:-2], -1)


def evaluate(layout: Layout, theta: Numbers, moments: Moments) -> Evaluation:
    """The objective at parameters (problems, k), and its derivatives; see `Evaluation`."""
    model = implied(layout, theta, moments)
    sigma, log_determinant = model.sigma, np.zeros(model.sigma.shape[:2])
    if not np.iscomplexobj(theta):
        log_determinant = _log_determinant(sigma)
        sigma = np.where(np.isinf(log_determinant)[..., None, None], np.eye(sigma.shape[-1]), sigma)
    inverse = np.linalg.inv(sigma)
    sample, gap = moments.covariance, (moments.mean - model.mu) * layout.has_means
    if layout.has_means:
        sample = sample + gap[..., :, None] * gap[..., None, :]
    trace = np.trace(inverse @ sample, axis1=-2, axis2=-1).real
    return Evaluation(
        layout=layout,
        objective=(moments.share * (log_determinant + trace)).sum(-1),
        share=moments.share,
        total=model.total,
        covariance=model.covariance,
        columns=np.concatenate([model.effects, model.crossed], axis=-1),
        inverse=inverse,
        sample=sample,
        gap=gap,
        f=model.f[..., layout.places.free],
    )


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
        places = places.sum(axis=1, keepdims=True) if places.shape[1] > 1 else places
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
    return evaluate(layout, theta[None], moments).exact[0] / 2.0
