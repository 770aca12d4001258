"""What satisfaction moves: leaving, spend, cost to serve and referrals, each given the controls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvlib.customer.base import CustomerBase
from cvlib.lifetime.contracts.leaving import Leaving, fit_leaving, g2g_survival
from cvlib.statistics.attenuation import Calibration, calibrated
from cvlib.statistics.glm import Fitted, fit_glm, with_constant
from cvlib.statistics.parts import shapley

Array = np.ndarray
PARTS = ("retention", "spend", "cost", "referral")
_COLUMN = {"spend": "fee", "cost": "service_cost", "referral": "referrals"}
_LAG = {"spend": "fee_before", "cost": "service_cost_before"}


class Worth(NamedTuple):
    """What turns months and money into value.

    Attributes
    ----------
    margin : float
        Share of the fee that is earned before the cost to serve.
    annual_discount_rate : float
    horizon : int
        Months.
    reward : float
        Value of a referral.
    """

    margin: float = 0.5
    annual_discount_rate: float = 0.10
    horizon: int = 60
    reward: float = 0.0

    @property
    def discounts(self) -> Array:
        """(horizon,) weight of each month, the first 1."""
        return np.asarray((1 + self.annual_discount_rate) ** (-np.arange(self.horizon) / 12.0))


class Link(NamedTuple):
    """One outcome of satisfaction as measured, and what its slope per true point is.

    Attributes
    ----------
    slope, error : float
        Per point of the measured index, log scale.
    calibration : Calibration
        With this link's controls.
    level : ndarray (m,)
        Expected fee, cost or referrals per month at the present satisfaction.
    fit : Fitted
    """

    slope: float
    error: float
    calibration: Calibration
    level: Array
    fit: Fitted


class Pass(NamedTuple):
    """One estimation of everything, of the data or of a resample.

    Attributes
    ----------
    leaving : Leaving
    calibration : Calibration
        With the controls of leaving.
    links : dict of str to Link
        spend, cost, referral, as far as there are data.
    eta : ndarray (m,)
        Linear predictor of leaving.
    weights : ndarray (m,)
        Response weights times counts.
    """

    leaving: Leaving
    calibration: Calibration
    links: dict[str, Link]
    eta: Array
    weights: Array


def estimate(
    base: CustomerBase,
    scores: Array,
    reliability: float,
    weights: Array,
    *,
    items: int,
    model: str = "g2g",
    counts: Array | None = None,
    start: Pass | None = None,
) -> Pass:
    """Fit every link to satisfaction as measured.

    The corrected fit has the same linear predictor (calibrated scores are linear in scores and
    controls), so that one fit gives both.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    scores : ndarray (m,)
        Index as measured.
    reliability : float
        Of the index.
    weights : ndarray (m,)
        Of who answered; for averages, not for the links, whose controls hold the same variables.
    items : int
        Behind the index.
    model : str
        Of leaving, one of `leaving.LINKS` but cox.
    counts : ndarray (m,), optional
        How often each respondent is in a resample.
    start : Pass, optional
        Where to begin.

    Returns
    -------
    Pass
    """
    z = base.controls.to_numpy(float)[base.answered]
    c = np.ones(len(scores)) if counts is None else counts
    x = np.column_stack([scores, z])
    leaving = fit_leaving(model, base.duration, base.left, x, c, start.leaving if start else None)
    found = calibrated(scores, z, reliability, items, c)
    links = {}
    for part, column in _COLUMN.items():
        if column in base.outcomes:
            begin = start.links[part] if start else None
            links[part] = _other(base, part, scores, z, reliability, items, c, begin)
    eta = with_constant(x) @ leaving.coefficients
    return Pass(leaving, found, links, eta, weights * c)


def _other(
    base: CustomerBase, part: str, scores: Array, z: Array, reliability: float, items: int,
    counts: Array, start: Link | None,
) -> Link:  # fmt: skip
    y = base.outcomes[_COLUMN[part]].to_numpy(float)
    lag = _LAG.get(part, "")
    own = z
    if lag in base.before and np.isfinite(base.before[lag]).all():
        own = np.column_stack([z, base.before[lag].to_numpy(float)])
    found = calibrated(scores, own, reliability, items, counts)
    x = with_constant(scores, own)
    if part != "referral" and (y > 0).all():
        fit = fit_glm("line", np.log(y), x, weights=counts)
        fitted = np.exp(x @ fit.coefficients)
        level = fitted * float(counts @ (y / fitted)) / counts.sum()
    else:
        seen = base.duration if part == "referral" else None
        begin = start.fit.coefficients if start else None
        fit = fit_glm("poisson", y, x, exposure=seen, weights=counts, start=begin)
        level = np.exp(x @ fit.coefficients)
    return Link(float(fit.coefficients[1]), float(fit.errors[1]), found, level, fit)


def discounted_months(found: Pass, worth: Worth, points: float, naive: bool = False) -> Array:
    """(m,) Σ δ^t S(t) at the present satisfaction plus `points` true (or measured) points."""
    return curves(found, worth, points, naive) @ worth.discounts


def curves(found: Pass, worth: Worth, points: float, naive: bool = False) -> Array:
    """(m, horizon) survival at the present satisfaction plus points."""
    share = 1.0 if naive else found.calibration.share
    eta = found.eta + points * found.leaving.coefficients[1] / share
    t = np.arange(worth.horizon)
    if found.leaving.model in ("g2g", "cloglog"):
        return g2g_survival(eta, found.leaving.heterogeneity, t)
    flat = found.leaving._replace(coefficients=np.array([0.0, 1.0]))
    return flat.survival(eta[:, None], worth.horizon)


def monthly(found: Pass, worth: Worth, moved: frozenset[str], points: float, naive: bool) -> Array:
    """(m,) margin·fee - cost + reward·referral per month when some parts are moved."""
    total = np.zeros(len(found.eta))
    signs = {"spend": worth.margin, "cost": -1.0, "referral": worth.reward}
    for part, link in found.links.items():
        share = 1.0 if naive else link.calibration.share
        grown = np.exp(points * link.slope / share) if part in moved else 1.0
        total = total + signs[part] * link.level * grown
    return total


def value_by_parts(
    found: Pass, worth: Worth, points: float = 1.0, naive: bool = False
) -> dict[str, Array]:
    """Value of more satisfaction per customer (m,), by parts that add up (Shapley 1953)."""
    now = discounted_months(found, worth, 0.0)
    then = discounted_months(found, worth, points, naive)

    def value(moved: frozenset[str]) -> Array:
        months = then if "retention" in moved else now
        return months * monthly(found, worth, moved, points, naive)

    return shapley(("retention", *found.links), value)


def present_value(found: Pass, worth: Worth) -> Array:
    """(m,) V at the present satisfaction."""
    return discounted_months(found, worth, 0.0) * monthly(found, worth, frozenset(), 0.0, False)


def mean(values: Array, weights: Array) -> float:
    """Σwv/Σw."""
    return float(weights @ values / weights.sum())
