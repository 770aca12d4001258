"""What makes customers leave: hazards with covariates whose customers differ beyond them (G2G)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.statistics.glm import fit_glm, with_constant

Array = np.ndarray
LINKS = ("g2g", "cloglog", "logit", "cox", "beta_logistic")
LEAST_LOG_VARIANCE = -6.0  # below it a variance of the hazards cannot be told from none
_STEPS = 100
_FAR = 0.1  # a step of ln v that gains nothing and is longer: the likelihood is flat in v


class Leaving(NamedTuple):
    """Leaving as a function of covariates.

    Attributes
    ----------
    model : str
    coefficients : ndarray (1 + k,)
        Constant (NaN for Cox) and one per covariate: log hazard, or log odds of leaving.
    covariance : ndarray (1 + k, 1 + k)
    heterogeneity : float
        v, the variance of customers' hazards beyond their covariates (beta-logistic: 1/(φ + 1));
        0 where the model has none or the estimate lies at its bound.
    log_likelihood : float
    converged : bool
    """

    model: str
    coefficients: Array
    covariance: Array
    heterogeneity: float
    log_likelihood: float
    converged: bool

    @property
    def errors(self) -> Array:
        """(1 + k,) standard errors."""
        return np.sqrt(np.diag(self.covariance))

    def survival(self, covariates: Array, periods: int) -> Array:
        """(n, periods) chance of still being there after 0, 1, ... periods."""
        eta = with_constant(covariates) @ self.coefficients
        t = np.arange(periods)
        if self.model == "logit":
            return np.exp(-t * np.logaddexp(0.0, eta)[:, None])
        if self.model == "beta_logistic":
            return _beta_logistic_curve(eta, self.heterogeneity, t)
        return g2g_survival(eta, self.heterogeneity, t)


def g2g_survival(eta: Array, variance: float, t: Array) -> Array:
    """(n, len(t)) S(t) = (1 + vΛ)^(-1/v), Λ = t e^η; exp(-Λ) without heterogeneity."""
    total = np.exp(np.minimum(eta, 30.0))[:, None] * t
    if variance <= 0:
        return np.exp(-total)
    return np.exp(-np.log1p(variance * total) / variance)


def fit_leaving(
    model: str,
    duration: Array,
    left: Array,
    covariates: Array,
    weights: Array | None = None,
    start: Leaving | None = None,
) -> Leaving:
    """Fit a model of leaving in whole periods to customers seen for different lengths of time.

    Parameters
    ----------
    model : {"g2g", "cloglog", "logit", "cox", "beta_logistic"}
        G2G: gamma heterogeneity around a complementary log-log hazard (Lancaster 1979,
        Econometrica 47:939-956); cloglog: without it; logit: discrete-time logit (Allison 1982);
        cox: partial likelihood with Efron ties, by lifelines; beta_logistic: Heckman & Willis
        1977, Journal of Political Economy 85:27-58.
    duration : ndarray (n,)
        Whole periods, 1 or more: the one in which the customer left, or the last one seen.
    left : ndarray of bool (n,)
        Whether the customer left.
    covariates : ndarray (n, k)
        Constant over time, without a column of ones.
    weights : ndarray (n,), optional
        How often each customer counts.
    start : Leaving, optional
        A fit of the same model to begin at.

    Returns
    -------
    Leaving
        Coefficients, covariance, heterogeneity and log-likelihood.

    Raises
    ------
    InputError
        Of an unknown model.

    References
    ----------
    Fader & Hardie (2007), Journal of Interactive Marketing 21(1):76-90 (sBG); Fader, Hardie,
    Liu, Davin & Steenburgh (2018), ibid. 43:1-16 (BdW).

    Examples
    --------
    >>> import numpy as np
    >>> import cvlib as cv
    >>> x = np.repeat([0.0, 1.0], 200)
    >>> left = np.arange(400) % 4 < 1 + 2 * x
    >>> fit = cv.lifetime.fit_leaving("cloglog", np.full(400, 2), left, x[:, None])
    >>> bool(fit.coefficients[1] > 0)
    True
    """
    one_of("link", model, LINKS)
    t, d = np.asarray(duration, float), np.asarray(left, float)
    w = np.ones(len(t)) if weights is None else np.asarray(weights, float)
    x = np.asarray(covariates, float).reshape(len(t), -1)
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = with_constant((x - middle) / spread)
    back = np.diag(np.append(1.0, 1 / spread))
    back[0, 1:] = -middle / spread
    begin = None if start is None else np.linalg.solve(back, start.coefficients)
    if model == "cox":
        return _cox(t, d, x, w)
    if model in ("logit", "cloglog"):
        fit = fit_glm(model, d, design, trials=t, weights=w, start=begin)
        found = (fit.coefficients, fit.covariance, 0.0, fit.log_likelihood, fit.converged)
    elif model == "g2g":
        found = _g2g(t, d, design, w, begin, start.heterogeneity if start else 0.2)
    else:
        found = _beta_logistic(t, d, design, w, begin, start.heterogeneity if start else 0.1)
    beta, covariance, v, value, converged = found
    return Leaving(model, back @ beta, back @ covariance @ back.T, v, value, converged)


def _half(eta: Array, v: float, t: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
    """log S(t), its derivatives by η and ln v, and the second ones (ηη, ηω, ωω)."""
    total = t * np.exp(np.minimum(eta, 30.0))
    grown = 1 + v * total
    log_s = -np.log1p(v * total) / v
    by_eta = -total / grown
    by_v = -log_s + by_eta
    cross = v * (total / grown) ** 2
    return log_s, by_eta, by_v, by_eta / grown, cross, log_s - by_eta + cross


def _g2g_parts(t: Array, d: Array, x: Array, w: Array, theta: Array) -> tuple[float, Array, Array]:
    """Log-likelihood, gradient and Hessian in (β, ln v)."""
    eta, v = x @ theta[:-1], float(np.exp(theta[-1]))
    end, begin = _half(eta, v, t), _half(eta, v, t - 1)
    gap = -np.expm1(np.minimum(end[0] - begin[0], -1e-300))  # S(t-1) - S(t) over S(t-1)
    value = np.where(d > 0, begin[0] + np.log(gap), end[0])
    a = np.where(d > 0, 1 / gap, 0.0)
    b = np.where(d > 0, 1 / gap - 1, -1.0)  # weights of the two halves; censored: end alone
    g1, g2 = (a * begin[i] - b * end[i] for i in (1, 2))
    left = d > 0
    h11 = a * (begin[3] + left * begin[1] ** 2) - b * (end[3] + left * end[1] ** 2) - left * g1**2
    h12 = a * (begin[4] + left * begin[1] * begin[2])
    h12 = h12 - b * (end[4] + left * end[1] * end[2]) - left * g1 * g2
    h22 = a * (begin[5] + left * begin[2] ** 2) - b * (end[5] + left * end[2] ** 2) - left * g2**2
    score = np.append(x.T @ (w * g1), w @ g2)
    hessian = np.empty((len(theta), len(theta)))
    hessian[:-1, :-1] = x.T @ ((w * h11)[:, None] * x)
    hessian[:-1, -1] = hessian[-1, :-1] = x.T @ (w * h12)
    hessian[-1, -1] = w @ h22
    return float(w @ value), score, hessian


def _g2g(
    t: Array, d: Array, x: Array, w: Array, begin: Array | None, v: float
) -> tuple[Array, Array, float, float, bool]:
    if begin is None:
        begin = fit_glm("cloglog", d, x, trials=t, weights=w).coefficients
    theta = np.append(begin, max(np.log(max(v, 1e-9)), LEAST_LOG_VARIANCE))
    total, converged, bound, flat = w.sum(), False, False, False
    value, score, hessian = _g2g_parts(t, d, x, w, theta)
    for _ in range(_STEPS):
        bound = theta[-1] <= LEAST_LOG_VARIANCE and score[-1] <= 0
        free = np.arange(len(theta) - 1) if bound else np.arange(len(theta))
        step = np.zeros(len(theta))
        step[free] = _uphill(-hessian[np.ix_(free, free)], score[free])
        near = float(score @ step) < 1e-11 * total
        flat = near and abs(step[-1]) > _FAR
        if flat:
            break
        scale = min(1.0, 2.0 / max(abs(step[-1]), 1e-300))  # all of it: it must lead uphill
        while scale > 1e-9:
            new = theta + scale * step
            new[-1] = max(new[-1], LEAST_LOG_VARIANCE)
            again = _g2g_parts(t, d, x, w, new)
            if np.isfinite(again[0]) and again[0] >= value - 1e-10 * abs(value):
                break
            scale /= 2
        theta, (value, score, hessian) = new, again
        if near:
            converged = True
            break
    if flat or bound or theta[-1] <= LEAST_LOG_VARIANCE:  # then the covariance is that of v = 0
        inner = fit_glm("cloglog", d, x, trials=t, weights=w, start=theta[:-1])
        if not flat or inner.log_likelihood >= value - 1e-9 * abs(value):
            return inner.coefficients, inner.covariance, 0.0, inner.log_likelihood, inner.converged
    converged &= bool(np.linalg.eigvalsh(hessian)[-1] < 0)  # a maximum, not a saddle or a plain
    covariance = np.linalg.pinv(-hessian)
    return theta[:-1], covariance[:-1, :-1], float(np.exp(theta[-1])), value, converged


def _uphill(curvature: Array, score: Array) -> Array:
    """A Newton step; where the surface curves the wrong way, eigenvalues are turned round."""
    values, vectors = np.linalg.eigh(curvature)
    floor = 1e-8 * np.abs(values).max()
    return np.asarray(vectors @ ((vectors.T @ score) / np.maximum(np.abs(values), floor)))


def _beta_logistic_curve(eta: Array, v: float, t: Array) -> Array:
    from scipy.special import expit, gammaln

    size = 1 / v - 1
    stay = size * expit(-eta)[:, None]
    log_s = gammaln(stay + t) - gammaln(stay) - gammaln(size + t) + gammaln(size)
    return np.asarray(np.exp(log_s))


def _beta_logistic(
    t: Array, d: Array, x: Array, w: Array, begin: Array | None, v: float
) -> tuple[Array, Array, float, float, bool]:
    """S(t) = B(a, b + t)/B(a, b), a = φp, b = φ(1 - p), logit p = x'b; S(t-1) - S(t) for losses."""
    from scipy.optimize import minimize
    from scipy.special import digamma, expit, gammaln

    if begin is None:
        begin = fit_glm("logit", d, x, trials=t, weights=w).coefficients
    total = w.sum()

    def parts(theta: Array) -> tuple[float, Array]:
        p, size = expit(x @ theta[:-1]), np.exp(theta[-1])
        a, b, seen = size * p, size * (1 - p), t - d
        value = gammaln(b + seen) - gammaln(b) - gammaln(size + t) + gammaln(size)
        value += np.where(d > 0, np.log(a), 0.0)
        by_b, by_a = digamma(b + seen) - digamma(b), np.where(d > 0, 1 / a, 0.0)
        by_size = digamma(size) - digamma(size + t)
        slope = size * p * (1 - p) * (by_a - by_b)
        last = size * (by_size + p * by_a + (1 - p) * by_b)
        grown = np.append(x.T @ (w * slope), w @ last)
        return -float(w @ value) / total, -grown / total

    theta = np.append(begin, np.log(1 / min(max(v, 1e-4), 0.9) - 1))
    bounds = [(None, None)] * len(begin) + [(-5.0, 9.0)]
    found = minimize(parts, theta, jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9})  # fmt: skip
    steps = 1e-5 * np.eye(len(theta))
    hessian = np.array(
        [(parts(found.x + e)[1] - parts(found.x - e)[1]) / 2e-5 for e in steps]
    ) * total  # fmt: skip
    covariance = np.linalg.pinv((hessian + hessian.T) / 2)[:-1, :-1]
    v = float(1 / (1 + np.exp(found.x[-1])))
    return found.x[:-1], covariance, v, -found.fun * total, bool(found.success)


def _cox(t: Array, d: Array, x: Array, w: Array) -> Leaving:
    from lifelines import CoxPHFitter

    names = [f"x{i}" for i in range(x.shape[1])]
    data = pd.DataFrame(x, columns=names).assign(t=t, d=d, w=w)
    weighted = None if (w == 1).all() else "w"
    fitter = CoxPHFitter().fit(
        data if weighted else data.drop(columns="w"), "t", "d", weights_col=weighted
    )
    size = x.shape[1]
    covariance = np.full((size + 1, size + 1), np.nan)
    covariance[1:, 1:] = fitter.variance_matrix_.to_numpy()
    beta = np.append(np.nan, fitter.params_.to_numpy())
    return Leaving("cox", beta, covariance, 0.0, float(fitter.log_likelihood_), True)
