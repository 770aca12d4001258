"""What satisfaction moves: leaving, spend, cost to serve and referrals, each given the controls."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from cvlib.customer.base import CustomerBase
from cvlib.lifetime.contracts.leaving import Leaving, fit_leaving, g2g_survival
from cvlib.lifetime.repeat_buying.trait import TraitFit, discounted_purchases, fit_trait
from cvlib.lifetime.units import PERIODS_PER_YEAR
from cvlib.statistics.attenuation import Calibration, calibrated
from cvlib.statistics.glm import Fitted, fit_glm, with_constant
from cvlib.statistics.parts import shapley

Array = np.ndarray
PARTS = ("retention", "purchases", "dropout", "spend", "service_cost", "referral")
_GRID = 1500  # values of the linear predictor at which months of a large base are summed
STRICT = "pareto_nbd_strict"
BUYING = ("pareto_nbd", STRICT)
COLUMN = {"spend": "fee", "service_cost": "service_cost", "referral": "referrals"}
_LAG = {"spend": "fee_before", "service_cost": "service_cost_before"}


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


class Buying(NamedTuple):
    """Repeat buying as a function of satisfaction.

    Attributes
    ----------
    fit : TraitFit
        Weighted Pareto/NBD, per point of the measured index.
    scores : ndarray (m,)
        The index.
    past : DataFrame
        x, t_x, T in weeks at the interview.
    reliability : float
        Weighted: the past is outcome and no control, so that λ is ρ.
    """

    fit: TraitFit
    scores: Array
    past: pd.DataFrame
    reliability: float

    def purchases(
        self, worth: Worth, bought: float = 0.0, dropped: float = 0.0, months: float | None = None
    ) -> Array:
        """(m,) discounted purchases of the horizon, after so many points by rate and by dropout."""
        length = worth.horizon if months is None else months
        return discounted_purchases(
            self.fit, self.scores, self.past,
            math.log1p(worth.annual_discount_rate) / PERIODS_PER_YEAR["week"],
            length * PERIODS_PER_YEAR["week"] / 12,
            bought * float(self.fit.purchase[0]), dropped * float(self.fit.dropout[0]),
        )  # fmt: skip


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
    buying : Buying or None
        Of transactions, on which values then rest; leaving is whether nothing more was bought.
    """

    leaving: Leaving
    calibration: Calibration
    links: dict[str, Link]
    eta: Array
    weights: Array
    buying: Buying | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What a point of satisfaction moves."""
        own = ("retention",) if self.buying is None else ("purchases", "dropout")
        return (*own, *self.links)

    @property
    def model(self) -> str:
        """The model that values rest on."""
        if self.buying is None:
            return self.leaving.model
        return STRICT if self.buying.fit.strict else BUYING[0]


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
    drawn: Array | None = None,
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
        Of leaving, one of `leaving.LINKS` but cox; of transactions pareto_nbd or
        pareto_nbd_strict.
    counts : ndarray (m,), optional
        How often each respondent is in a resample.
    start : Pass, optional
        Where to begin.
    drawn : ndarray, optional
        Parameters of repeat buying drawn from their distribution, in place of a fit.

    Returns
    -------
    Pass
    """
    z = base.controls.to_numpy(float)[base.answered]
    c = np.ones(len(scores)) if counts is None else counts
    x = np.column_stack([scores, z])
    buying = None
    if base.histories is not None and base.past is not None:
        begin = start.buying.fit if start and start.buying else None
        if drawn is None:
            past = base.past if model == STRICT else None
            fit = fit_trait(base.histories, scores, weights * c, past=past, start=begin)
        else:
            assert begin is not None
            fit = begin.moved(drawn)
        buying, model = Buying(fit, scores, base.past, reliability), "logit"
    leaving = fit_leaving(model, base.duration, base.left, x, c, start.leaving if start else None)
    found = calibrated(scores, z, reliability, items, c)
    links = {}
    for part, column in COLUMN.items():
        if column in base.outcomes:
            known = start.links[part] if start else None
            links[part] = _other(base, part, scores, z, reliability, items, c, known)
    eta = with_constant(x) @ leaving.coefficients
    return Pass(leaving, found, links, eta, weights * c, buying)


def _other(
    base: CustomerBase, part: str, scores: Array, z: Array, reliability: float, items: int,
    counts: Array, start: Link | None,
) -> Link:  # fmt: skip
    y, own, logged = outcome(base, part, z)
    x, seen_all = with_constant(scores, own), np.isfinite(y)
    if base.kind == "transactions":  # what a purchase costs is seen of those who bought
        y = np.where(seen_all, y, 1.0)
        counts = counts * seen_all
    found = calibrated(scores, own, reliability, items, counts)
    if logged:
        fit = fit_glm("line", np.log(y), x, weights=counts)
        fitted = np.exp(x @ fit.coefficients)
        level = fitted * float(counts @ (y / fitted)) / counts.sum()
    else:
        seen = base.duration if part == "referral" else None
        begin = start.fit.coefficients if start else None
        fit = fit_glm("poisson", y, x, exposure=seen, weights=counts, start=begin)
        level = np.exp(x @ fit.coefficients)
    return Link(float(fit.coefficients[1]), float(fit.errors[1]), found, level, fit)


def outcome(base: CustomerBase, part: str, z: Array) -> tuple[Array, Array, bool]:
    """An outcome (m,), what is held equal with it (m, k), and whether its logarithm is linear."""
    y = base.outcomes[COLUMN[part]].to_numpy(float)
    lag = _LAG.get(part, "")
    if lag in base.before and np.isfinite(base.before[lag]).all():
        z = np.column_stack([z, base.before[lag].to_numpy(float)])
    return y, z, part != "referral" and bool((y[np.isfinite(y)] > 0).all())


def discounted_months(found: Pass, worth: Worth, points: float, naive: bool = False) -> Array:
    """(m,) Σ δ^t S(t) at the present satisfaction plus `points` true (or measured) points.

    Of transactions: discounted purchases.
    """
    if found.buying is not None:
        step = points / (1.0 if naive else found.buying.reliability)
        return found.buying.purchases(worth, step, step)
    share = 1.0 if naive else found.calibration.share
    eta = found.eta + points * found.leaving.coefficients[1] / share
    if len(eta) <= 2 * _GRID:
        return survival_at(found, eta, worth.horizon) @ worth.discounts
    # a smooth function of eta alone: by a spline through so many values of it, to 1e-10
    grid = np.linspace(eta.min(), eta.max(), _GRID)
    return np.asarray(
        CubicSpline(grid, survival_at(found, grid, worth.horizon) @ worth.discounts)(eta)
    )


def curves(found: Pass, worth: Worth, points: float, naive: bool = False) -> Array:
    """(m, horizon) survival at the present satisfaction plus points."""
    share = 1.0 if naive else found.calibration.share
    return survival_at(
        found, found.eta + points * found.leaving.coefficients[1] / share, worth.horizon
    )


def survival_at(found: Pass, eta: Array, horizon: int) -> Array:
    """(len(eta), horizon) survival after 0, 1, ... months at linear predictors."""
    t = np.arange(horizon)
    if found.leaving.model in ("g2g", "cloglog"):
        return g2g_survival(eta, found.leaving.heterogeneity, t)
    flat = found.leaving._replace(coefficients=np.array([0.0, 1.0]))
    return flat.survival(eta[:, None], horizon)


def monthly(found: Pass, worth: Worth, moved: frozenset[str], points: float, naive: bool) -> Array:
    """(m,) margin·fee - cost + reward·referral per month when some parts are moved."""
    total = np.zeros(len(found.eta))
    signs = {"spend": worth.margin, "service_cost": -1.0, "referral": worth.reward}
    for part, link in found.links.items():
        share = 1.0 if naive else link.calibration.share
        grown = np.exp(points * link.slope / share) if part in moved else 1.0
        total = total + signs[part] * link.level * grown
    return total


def value_by_parts(
    found: Pass, worth: Worth, points: float = 1.0, naive: bool = False
) -> dict[str, Array]:
    """Value of more satisfaction per customer (m,), by parts that add up (Shapley 1953)."""
    if found.buying is not None:
        step = points / (1.0 if naive else found.buying.reliability)
        every = {
            (a, b): found.buying.purchases(worth, step * a, step * b)
            for a in (0, 1)
            for b in (0, 1)
        }

        def flow(moved: frozenset[str]) -> Array:
            return every["purchases" in moved, "dropout" in moved]
    else:
        now = discounted_months(found, worth, 0.0)
        then = discounted_months(found, worth, points, naive)

        def flow(moved: frozenset[str]) -> Array:
            return then if "retention" in moved else now

    def value(moved: frozenset[str]) -> Array:
        return flow(moved) * monthly(found, worth, moved, points, naive)

    return shapley(found.parts, value)


def present_value(found: Pass, worth: Worth) -> Array:
    """(m,) V at the present satisfaction."""
    return discounted_months(found, worth, 0.0) * monthly(found, worth, frozenset(), 0.0, False)


def mean(values: Array, weights: Array) -> float:
    """Σwv/Σw."""
    return float(weights @ values / weights.sum())
