"""Weighted generalised linear models by Newton steps: logit, cloglog, Poisson, line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, gammaln, xlog1py, xlogy

from cvlib.inputs.choices import one_of

Array = np.ndarray
KINDS = ("logit", "cloglog", "poisson", "line")
_STEPS = 60
_SETTLED = 1e-11  # of the Newton decrement, per unit of weight


class Fitted(NamedTuple):
    """A maximum-likelihood fit.

    Attributes
    ----------
    coefficients : ndarray (k,)
    covariance : ndarray (k, k)
        Inverse of the expected information (line: residual variance over n - k).
    log_likelihood : float
    converged : bool
    """

    coefficients: Array
    covariance: Array
    log_likelihood: float
    converged: bool

    @property
    def errors(self) -> Array:
        """(k,) standard errors."""
        return np.sqrt(np.diag(self.covariance))


def with_constant(*columns: Array) -> Array:
    """(n, 1 + k) columns side by side behind a column of ones."""
    parts = [c[:, None] if c.ndim == 1 else c for c in map(np.asarray, columns)]
    return np.hstack([np.ones((len(parts[0]), 1)), *parts])


def fit_glm(
    kind: str,
    outcome: Array,
    design: Array,
    *,
    trials: Array | None = None,
    exposure: Array | None = None,
    weights: Array | None = None,
    start: Array | None = None,
) -> Fitted:
    """Fit by maximum likelihood (McCullagh & Nelder 1989, ch. 2).

    Parameters
    ----------
    kind : {"logit", "cloglog", "poisson", "line"}
        Binomial of `trials`, Poisson with log `exposure`, or least squares.
    outcome : ndarray (n,)
        Successes, counts or values.
    design : ndarray (n, k)
        With its column of ones.
    trials, exposure : ndarray (n,), optional
        1 where not given.
    weights : ndarray (n,), optional
        How often each row counts.
    start : ndarray (k,), optional
        Where to begin.

    Returns
    -------
    Fitted

    Raises
    ------
    InputError
        Of an unknown `kind`.
    """
    one_of("kind", kind, KINDS)
    y, x = np.asarray(outcome, float), np.asarray(design, float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    if kind == "line":
        return _line(y, x, w)
    size = np.ones(len(y)) if trials is None else np.asarray(trials, float)
    offset = np.zeros(len(y)) if exposure is None else np.log(exposure)
    beta = _begin(kind, y, size, w, offset, x) if start is None else np.array(start, float)
    value, score, information = _parts(kind, y, x, w, size, offset, beta)
    converged = False
    for _ in range(_STEPS):
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        decrement = float(score @ step) / max(w.sum(), 1e-300)
        if decrement < _SETTLED:
            converged = True
            beta = beta + step
            value, score, information = _parts(kind, y, x, w, size, offset, beta)
            break
        size_of_step = 1.0
        while size_of_step > 1e-8:
            again = _parts(kind, y, x, w, size, offset, beta + size_of_step * step)
            if np.isfinite(again[0]) and again[0] >= value - 1e-9 * abs(value):
                break
            size_of_step /= 2
        beta = beta + size_of_step * step
        value, score, information = again
    return Fitted(beta, np.linalg.pinv(information), float(value), converged)


def _line(y: Array, x: Array, w: Array) -> Fitted:
    cross = x.T @ (w[:, None] * x)
    beta = np.linalg.solve(cross, x.T @ (w * y))
    total = float(w.sum())
    left = float(w @ (y - x @ beta) ** 2)
    variance = left / max(total - x.shape[1], 1)
    value = -total / 2 * (np.log(2 * np.pi * left / total) + 1) if left > 0 else np.inf
    return Fitted(beta, variance * np.linalg.inv(cross), float(value), True)


def _begin(kind: str, y: Array, size: Array, w: Array, offset: Array, x: Array) -> Array:
    beta = np.zeros(x.shape[1])
    if kind == "poisson":
        beta[0] = np.log(max(w @ y, 0.5) / (w @ np.exp(offset)))
    else:
        share = np.clip((w @ y + 0.5) / (w @ size + 1), 1e-6, 1 - 1e-6)
        beta[0] = np.log(share / (1 - share)) if kind == "logit" else np.log(-np.log1p(-share))
    return beta


def _parts(
    kind: str, y: Array, x: Array, w: Array, size: Array, offset: Array, beta: Array
) -> tuple[float, Array, Array]:
    """Log-likelihood, score and expected information."""
    eta = x @ beta + offset
    with np.errstate(over="ignore", invalid="ignore"):
        if kind == "poisson":
            mean = np.exp(eta)
            value = w @ (xlogy(y, mean) - mean - gammaln(y + 1))
            slope, curve = y - mean, mean
        elif kind == "logit":
            p = expit(eta)
            value = w @ (xlogy(y, p) + xlog1py(size - y, -p))
            slope, curve = y - size * p, size * p * (1 - p)
        else:
            hazard = np.exp(np.minimum(eta, 30.0))
            p = np.clip(-np.expm1(-hazard), 1e-300, 1 - 1e-16)
            value = w @ (xlogy(y, p) - (size - y) * hazard)
            ratio = hazard * (1 - p) / p
            slope, curve = (y - size * p) * hazard / p, size * hazard * ratio
    return float(value), x.T @ (w * slope), x.T @ ((w * curve)[:, None] * x)
