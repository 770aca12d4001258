"""The certificate: how a study of this very design would have come out were its truth known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex, index, moments, solve_pls
from cvlib.customer.joining import months
from cvlib.customer.links import COLUMN, Link, Pass, Worth, estimate, mean, outcome, value_by_parts
from cvlib.customer.value import PointValue, SatisfactionLink
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.leaving import Leaving, fit_leaving
from cvlib.results import Result
from cvlib.satisfaction.index import default_target
from cvlib.statistics.attenuation import corrected
from cvlib.statistics.glm import fit_glm, with_constant
from cvlib.statistics.proportions import wilson
from cvlib.statistics.resample import Bootstrap, generator, reach, symmetric_root
from cvlib.words.message import Message, message

Array = np.ndarray
OFF = 0.10  # bias, as a share of the truth, that is worth a doubt [P]
_NODES = 9


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Result):
    """Bias and coverage of the study's estimates in simulated studies of its own design.

    Attributes
    ----------
    certificate : DataFrame
        estimate, truth, mean, bias (share of the truth; blank where it is 0), spread (standard
        deviation), coverage, lower, upper (of the coverage, Wilson 1927), studies.
    level : float
        The coverage that intervals promise.
    """

    certificate: pd.DataFrame
    level: float
    headline_tables = ("certificate",)

    def row(self, name: str = "value of a point") -> pd.Series:
        """One estimate."""
        row: pd.Series = self.certificate.set_index("estimate").loc[name]
        return row

    @property
    def failed(self) -> bool:
        """Whether the value is off, or its interval too narrow, by more than chance."""
        row = self.row()
        noise = 2 * row["spread"] / np.sqrt(row["studies"]) / abs(row["truth"])
        return bool(row["upper"] < self.level or abs(row["bias"]) - noise > OFF)

    def sentences(self) -> list[str]:
        """How far off the value was on average, and how often its interval held the truth."""
        return [self.message()]

    def message(self) -> Message:
        """The one sentence of the certificate."""
        row = self.row()
        facts = {"studies": int(row["studies"]), "bias": row["bias"]}
        if np.isnan(row["coverage"]) and not self.failed:  # nobody asked for an interval
            return message("customer.certificate_plain", **facts)
        return message(
            "customer.certificate_fails" if self.failed else "customer.certificate", **facts,
            coverage=row["coverage"], low=row["lower"], high=row["upper"], level=self.level,
        )  # fmt: skip


class _Truth(NamedTuple):
    """What simulated studies are drawn from: this study's own fits, taken for true."""

    leaving: Leaving
    links: dict[str, tuple[Array, float, Array]]  # coefficients, residual spread, own controls
    expected: Array  # (m,) satisfaction given the controls
    spread: float  # of true satisfaction around it
    follow: Array  # (m,) months each respondent can be followed


def certificate(
    base: CustomerBase,
    index: CustomerIndex,
    linked: SatisfactionLink,
    value: PointValue,
    worth: Worth | None = None,
    settings: Bootstrap | None = None,
) -> Certificate | None:
    """Simulate studies of this design with a known truth, and see what their estimates would say.

    Customers are drawn with their attributes, interviews and days from the base; their
    satisfaction, answers to every item, leaving, spend, cost and referrals are drawn anew from the
    study's own fits, which are so the truth. Every study estimates index, weights, reliability,
    links and money as this one did; its interval is as wide as this study's.

    Parameters
    ----------
    base, index, linked, value : CustomerBase, CustomerIndex, SatisfactionLink, PointValue
        The steps of the study, of contracts.
    worth : Worth, optional
        Of the study.
    settings : Bootstrap, optional
        Simulated studies (draws), seed, level.

    Returns
    -------
    Certificate or None
        None of transactions, without studies, and where no value is told.

    Raises
    ------
    InputError
        A design of which most simulated studies cannot be estimated.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.customer.study(cv.customer.simulate(900, seed=1), draws=20, certificate=10)
    >>> found.certificate["estimate"].tolist()
    ['value of a point', 'effect on leaving', 'effect on leaving, if there were none']
    """
    worth, settings = worth or Worth(), settings or Bootstrap(50)
    if base.kind == "transactions" or value.withheld or not settings.draws:
        return None
    truth = _truth(base, index, linked)
    z, half = reach(settings.level), value.draws.spread("total") if value.draws else np.nan
    rows = []
    found = _studies(base, index, linked, truth, worth, settings)
    usable = int(np.isfinite(found[:, 0]).sum())
    if 2 * usable < settings.draws:
        facts = {"usable": usable, "studies": settings.draws}
        raise InputError(dict(base.tables_read)["survey"].source,
                         message("customer.certificate_none", **facts),
                         message("customer.certificate_none_remedy"))  # fmt: skip
    want = _value(base, index, truth, worth, linked.found)
    rows.append(_row("value of a point", want, found[:, 0], np.full(len(found), z * half)))
    slope = float(truth.leaving.coefficients[1])
    rows.append(_row("effect on leaving", slope, found[:, 1], z * found[:, 2]))
    found = _studies(base, index, linked, _without(truth), worth, settings)
    rows.append(_row("effect on leaving, if there were none", 0.0, found[:, 1], z * found[:, 2]))
    columns = ["estimate", "truth", "mean", "bias", "spread", "coverage", "lower", "upper",
               "studies"]  # fmt: skip
    return Certificate(pd.DataFrame(rows, columns=columns), settings.level)


def _row(name: str, truth: float, found: Array, half: Array) -> tuple[object, ...]:
    known = np.isfinite(found)
    found, half = found[known], half[known]
    size = len(found)
    held = np.abs(found - truth) <= half
    bias = float(found.mean() / truth - 1) if truth and size else np.nan
    if not size or not np.isfinite(half).all():  # without a bootstrap there is no interval
        share = low = high = np.nan
    else:
        share = float(held.mean())
        low, high = (float(v) for v in wilson(int(held.sum()), size))
    return (name, truth, float(found.mean()) if size else np.nan, bias,
            float(found.std(ddof=1)) if size > 1 else np.nan, share, low, high, size)  # fmt: skip


def _truth(base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink) -> _Truth:
    """The study's fits as a truth to draw from, all per point of true satisfaction."""
    z = base.controls.to_numpy(float)[base.answered]
    found, given = linked.found, index.calibration
    leaving = fit_leaving(
        found.model, base.duration, base.left, np.column_stack([given.expected, z])
    )
    fitted = with_constant(z) @ fit_glm("line", index.scores, with_constant(z)).coefficients
    assert base.asked_on is not None
    asked = months(base.asked_on).to_numpy(float)
    return _Truth(
        leaving, {part: _outcome(base, part, link, z) for part, link in found.links.items()},
        fitted, float(np.sqrt(given.share * given.variance_given)),
        (asked + base.duration).max() - asked,
    )  # fmt: skip


def _outcome(base: CustomerBase, part: str, link: Link, z: Array) -> tuple[Array, float, Array]:
    y, own, logged = outcome(base, part, z)
    x = with_constant(link.calibration.expected, own)
    if not logged:
        seen = base.duration if part == "referral" else None
        return fit_glm("poisson", y, x, exposure=seen).coefficients, np.nan, own
    fit = fit_glm("line", np.log(y), x)
    share, given = link.calibration.share, link.calibration.variance_given
    rest = np.var(np.log(y) - x @ fit.coefficients)
    rest -= fit.coefficients[1] ** 2 * share * (1 - share) * given  # of T around E[T | s, z]
    return fit.coefficients, float(np.sqrt(max(rest, 0.0))), own


def _without(truth: _Truth) -> _Truth:
    """The same, but leaving has nothing to do with satisfaction."""
    b = truth.leaving.coefficients.copy()
    b[0] += b[1] * truth.expected.mean()
    b[1] = 0.0
    return truth._replace(leaving=truth.leaving._replace(coefficients=b))


def _value(
    base: CustomerBase, index: CustomerIndex, truth: _Truth, worth: Worth, found: Pass
) -> float:
    """The value of a point under the truth: over satisfaction by quadrature, nothing is fitted."""
    z = base.controls.to_numpy(float)[base.answered]
    nodes, shares = np.polynomial.hermite_e.hermegauss(_NODES)
    total = 0.0
    for node, share in zip(nodes, shares / shares.sum(), strict=True):
        t = truth.expected + truth.spread * node
        eta = with_constant(t, z) @ truth.leaving.coefficients
        links = {}
        for part, (b, rest, own) in truth.links.items():
            level = np.exp(with_constant(t, own) @ b + (rest**2 / 2 if rest >= 0 else 0.0))
            links[part] = found.links[part]._replace(slope=float(b[1]), level=level)
        own_pass = found._replace(leaving=truth.leaving, eta=eta, links=links)
        parts = value_by_parts(own_pass, worth, naive=True)  # slopes are per true point already
        total += share * mean(np.sum(list(parts.values()), axis=0), index.weights)
    return total


class _Answers(NamedTuple):
    """How answers to all items follow from true satisfaction, by the study's own PLS model."""

    middle: Array  # (p,) means
    slope: Array  # (p,) per point of true satisfaction
    at: float  # mean of true satisfaction
    root: Array  # (p, p) of the covariance of what is left

    def drawn(self, t: Array, rng: np.random.Generator) -> Array:
        """(m, p) answers."""
        noise = rng.standard_normal((len(t), len(self.middle))) @ self.root.T
        return np.asarray(self.middle + np.outer(t - self.at, self.slope) + noise)


def _answers(base: CustomerBase, index: CustomerIndex) -> _Answers:
    """Satisfaction's items by consistent loadings; the others by their covariance with it."""
    model, values = base.survey.model, base.survey.values
    middle, covariance = moments(values, np.ones(len(values)))
    fit = solve_pls(model, middle[None], covariance[None])
    place = model.construct_names.index(default_target(model))
    own = model.slices[place]
    true = index.plain_reliability * index.calibration.variance
    w, deviation = fit.weights[0, own], fit.standard_deviation[0, own]
    with_score = (values - middle).T @ (index.scores - index.scores.mean()) / len(values)
    slope = with_score / true
    slope[own] = deviation * np.sqrt(index.plain_reliability) * w / (w @ w) / np.sqrt(true)
    rest = covariance - np.outer(slope, slope) * true
    alone = np.zeros((len(w), len(w)))
    np.fill_diagonal(alone, np.maximum(np.diag(rest)[own], 0.0))  # errors of satisfaction's items
    rest[own, :] = rest[:, own] = 0.0
    rest[own, own] = alone
    return _Answers(middle, slope, float(index.scores.mean()), symmetric_root(rest))


def _studies(
    base: CustomerBase, index_: CustomerIndex, linked: SatisfactionLink, truth: _Truth,
    worth: Worth, settings: Bootstrap,
) -> Array:  # fmt: skip
    """(studies, 3) value of a point, effect on leaving and its error, of simulated studies."""
    rng = generator(settings.seed, 11)
    answers, z = _answers(base, index_), base.controls.to_numpy(float)
    place = np.cumsum(base.answered) - 1
    rows = np.full((settings.draws, 3), np.nan)
    for study in range(settings.draws):
        drawn = rng.integers(0, len(base.ids), len(base.ids))
        who = place[drawn[base.answered[drawn]]]
        t = truth.expected[who] + truth.spread * rng.standard_normal(len(who))
        made = _made(base, drawn, who, t, z, truth, answers.drawn(t, rng), rng)
        try:
            own = index(made)
            found = estimate(made, own.scores, own.reliability, own.weights, items=own.items,
                             model=linked.found.model, start=linked.found)  # fmt: skip
        except (InputError, ArithmeticError, np.linalg.LinAlgError):
            continue  # a drawn study that cannot be estimated; the table counts those that can
        if own.calibration.usable and found.leaving.converged:
            total = np.sum(list(value_by_parts(found, worth).values()), axis=0)
            b, error = float(found.leaving.coefficients[1]), float(found.leaving.errors[1])
            rows[study] = mean(total, found.weights), *corrected(b, error, found.calibration)
    return rows


def _made(
    base: CustomerBase, drawn: Array, who: Array, t: Array, z: Array, truth: _Truth,
    values: Array, rng: np.random.Generator,
) -> CustomerBase:  # fmt: skip
    """A base of drawn customers: what was known is theirs, what came after follows the truth."""
    follow = truth.follow[who]
    own = z[base.answered][who]
    curve = truth.leaving.survival(np.column_stack([t, own]), int(follow.max()) + 1)
    chance = rng.random(len(t))
    last = (curve >= chance[:, None]).sum(axis=1)  # S(t - 1) >= u > S(t): leaves in period t
    left = last <= follow
    duration = np.minimum(last, follow)
    outcomes = {}
    for part, (b, rest, held) in truth.links.items():
        eta = with_constant(t, held[who]) @ b
        if np.isfinite(rest):
            outcomes[COLUMN[part]] = np.exp(eta + rest * rng.standard_normal(len(t)))
        else:
            exposure = duration if part == "referral" else 1.0
            outcomes[COLUMN[part]] = rng.poisson(np.exp(eta) * exposure).astype(float)
    ids = pd.RangeIndex(len(drawn)).astype(str)
    mine = ids[base.answered[drawn]]
    return replace(
        base, survey=replace(base.survey, values=values), ids=ids,
        answered=base.answered[drawn], known=base.known.iloc[drawn].set_axis(ids),
        controls=base.controls.iloc[drawn].set_axis(ids), duration=duration, left=left,
        outcomes=pd.DataFrame(outcomes, index=mine), before=base.before.iloc[who].set_axis(mine),
        segment=None,
    )  # fmt: skip
