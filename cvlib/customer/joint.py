"""Answers and leaving in one likelihood: the check of calibration where a base is small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex, own_pls
from cvlib.customer.value import SatisfactionLink
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.index import default_target
from cvlib.statistics.glm import fit_glm, with_constant
from cvlib.statistics.resample import reach
from cvlib.words.message import Message, message

Array = np.ndarray
MOST = 5000  # respondents; above, calibration and the joint likelihood cannot differ by much
_NODES = 9
_FLAT = 1e-3  # slope of the mean log-likelihood that is no maximum any more
APART = 0.5  # standard errors between the two that are worth a word [P]


@dataclass(frozen=True, eq=False, repr=False)
class JointLink(Result):
    """Leaving by calibration and by the joint likelihood.

    Attributes
    ----------
    joint : DataFrame
        estimator (calibrated, joint likelihood), effect_per_point, se, lower, upper, heterogeneity,
        log_likelihood (the latter: of answers and leaving).
    apart : float
        Joint minus calibrated effect, in standard errors of the calibrated one.
    """

    joint: pd.DataFrame
    apart: float
    headline_tables = ("joint",)

    def sentences(self) -> list[str]:
        """Whether both agree."""
        return [self.message()]

    def message(self) -> Message:
        """Whether both agree."""
        far = abs(self.apart) > APART
        return message("customer.joint_differs" if far else "customer.joint_agrees",
                       apart=abs(self.apart))  # fmt: skip


def joint(base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink) -> JointLink | None:
    """Estimate the answers' error and the effect on leaving at once, by maximum likelihood.

    Items are normal around their loadings on true satisfaction T, T is normal given the controls,
    and leaving follows G2G in T and the controls (Skrondal & Laake 2001, Psychometrika
    66:563-575, for the alternatives). T given items and controls is normal in closed form, so
    that Gauss-Hermite nodes do the rest: Π_i p(y_i | z_i) Σ_q ω_q L_i(m_i + √V x_q).

    Parameters
    ----------
    base : CustomerBase
        Of contracts.
    index : CustomerIndex
        Scores; a point is one of the index's true score.
    linked : SatisfactionLink
        Of model g2g or cloglog, corrected by calibration.

    Returns
    -------
    JointLink or None
        None of transactions, of other models, of fewer than two items, of more than 5,000
        respondents, and where no effect is corrected.

    Raises
    ------
    InputError
        Answers on which the likelihood finds no maximum.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> found = cv.customer.joint(base, index, cv.customer.link(base, index))
    >>> abs(found.apart) < 0.5
    True
    """
    model = linked.found.model
    if (base.kind == "transactions" or model not in ("g2g", "cloglog") or index.items < 2
            or len(index.scores) > MOST or not index.calibration.usable):  # fmt: skip
        return None
    known = _Likelihood(base, index, linked)
    found = minimize(known.value, known.start, jac=known.gradient, method="BFGS",
                     options={"maxiter": 300, "gtol": 1e-6})  # fmt: skip
    if not np.abs(found.jac).max() < _FLAT:  # NaN as well
        raise InputError(dict(base.tables_read)["survey"].source, message("customer.joint_ended"),
                         message("customer.joint_ended_remedy"))  # fmt: skip
    size, n = len(found.x), len(index.scores)
    steps = 1e-4 * np.eye(size)
    hessian = n * np.array(
        [(known.gradient(found.x + e) - known.gradient(found.x - e)) / 2e-4 for e in steps]
    )
    covariance = np.linalg.pinv((hessian + hessian.T) / 2)
    effect = known.effect(found.x)
    by = np.array([(known.effect(found.x + e) - known.effect(found.x - e)) / 2e-4 for e in steps])
    error = float(np.sqrt(by @ covariance @ by))
    z, row = reach(linked.level), linked.effect()
    rows = [
        ("calibrated", *(float(row[c]) for c in ("effect_per_point", "se", "lower", "upper")),
         linked.found.leaving.heterogeneity, float(row["log_likelihood"])),
        ("joint likelihood", effect, error, effect - z * error, effect + z * error,
         known.variance(found.x), -n * float(found.fun)),
    ]  # fmt: skip
    columns = ["estimator", "effect_per_point", "se", "lower", "upper", "heterogeneity",
               "log_likelihood"]  # fmt: skip
    apart = (effect - float(row["effect_per_point"])) / float(row["se"])
    return JointLink(pd.DataFrame(rows, columns=columns), apart)


class _Likelihood:
    """Minus the mean log-likelihood; parameters: means, loadings and log error deviations of items
    (k each), slopes of satisfaction on the controls (q), leaving (2 + q) and, where customers
    differ, ln v. Satisfaction given the controls has variance one.
    """

    def __init__(self, base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink) -> None:
        model = base.survey.model
        place = model.construct_names.index(default_target(model))
        own = model.slices[place]
        z = base.controls.to_numpy(float)[base.answered]
        spread = z.std(axis=0)
        self.z = (z - z.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        self.y = base.survey.values[:, own]
        self.t, self.left = base.duration, base.left
        fit = own_pls(base)
        deviation = fit.standard_deviation[0, own]
        raw = fit.weights[0, own] / deviation
        low, high = np.asarray(model.minimum)[own], np.asarray(model.maximum)[own]
        self.points = 100 / (high - low) * raw / raw.sum()  # index points per unit of each item
        self.k, self.q = self.y.shape[1], self.z.shape[1]
        self.nodes, share = np.polynomial.hermite_e.hermegauss(_NODES)
        self.log_share = np.log(share / share.sum())
        leaving = linked.found.leaving
        self.differ = leaving.heterogeneity > 0
        self.start = self._begin(index, leaving.heterogeneity, fit.weights[0, own], deviation)

    def _begin(self, index: CustomerIndex, v: float, w: Array, deviation: Array) -> Array:
        given = index.calibration
        unit = np.sqrt(given.share * given.variance_given)  # points of one unit of satisfaction
        load = deviation * np.sqrt(index.plain_reliability) * w / (w @ w)
        load = load * unit / np.sqrt(index.plain_reliability * given.variance)
        c = fit_glm("line", index.scores, with_constant(self.z)).coefficients[1:] / unit
        rest = np.maximum(self.y.var(axis=0) - load**2 * (1 + c @ np.cov(self.z.T) @ c
                          if self.q > 1 else 1.0), 0.05 * deviation**2)  # fmt: skip
        scaled = with_constant((given.expected - given.expected.mean()) / unit, self.z)
        b = fit_glm("cloglog", self.left.astype(float), scaled, trials=self.t).coefficients
        parts = [self.y.mean(axis=0), load, np.log(rest) / 2, c, b]
        return np.concatenate([*parts, [np.log(v)] if self.differ else []])

    def _split(self, theta: Array) -> tuple[Array, ...]:
        k, q = self.k, self.q
        return tuple(np.split(theta, np.cumsum([k, k, k, q, 2 + q])))

    def effect(self, theta: Array) -> float:
        """Per point of true satisfaction."""
        _, load, _, _, b, _ = self._split(theta)
        return float(b[1] / (self.points @ load))

    def variance(self, theta: Array) -> float:
        """v."""
        return float(np.exp(theta[-1])) if self.differ else 0.0

    def value(self, theta: Array) -> float:
        """Minus the mean log-likelihood."""
        middle, load, log_error, c, b, _ = self._split(theta)
        v, error = self.variance(theta), np.exp(2 * log_error)
        given = self.z @ c
        rest = self.y - middle - given[:, None] * load
        precise = 1 + (load**2 / error).sum()
        pull = rest @ (load / error)
        square = (rest**2 / error).sum(axis=1) - pull**2 / precise
        answers = -0.5 * (square + np.log(error).sum() + np.log(precise)
                          + self.k * np.log(2 * np.pi))  # fmt: skip
        at = (given + pull / precise)[:, None] + self.nodes / np.sqrt(precise)
        eta = np.minimum(b[0] + b[1] * at + (self.z @ b[2:])[:, None], 30.0)
        until, before = (self._log_stay(eta, t, v) for t in (self.t, self.t - 1))
        gone = before + np.log(-np.expm1(np.minimum(until - before, -1e-300)))
        each = np.where(self.left[:, None], gone, until) + self.log_share
        most = each.max(axis=1)
        told = answers + most + np.log(np.exp(each - most[:, None]).sum(axis=1))
        return -float(told.mean())

    def _log_stay(self, eta: Array, t: Array, v: float) -> Array:
        total = t[:, None] * np.exp(eta)
        return np.asarray(-np.log1p(v * total) / v if v > 0 else -total)

    def gradient(self, theta: Array) -> Array:
        """Of `value`, by central differences."""
        steps = 1e-5 * np.maximum(np.abs(theta), 0.1)
        found = np.empty(len(theta))
        for j, step in enumerate(steps):
            more, less = theta.copy(), theta.copy()
            more[j] += step
            less[j] -= step
            found[j] = (self.value(more) - self.value(less)) / (2 * step)
        return found
