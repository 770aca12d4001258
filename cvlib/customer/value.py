"""The value of a point of satisfaction: by part, by segment, by driver, with one bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.buying import buying_rows
from cvlib.customer.draws import Draws, bootstrap, limits, quantities
from cvlib.customer.flows import flows_of, gained, groups, months_shown
from cvlib.customer.foretold import holdout_check, retention_by_thirds
from cvlib.customer.gate import TimeOrder
from cvlib.customer.index import CustomerIndex, driver_effects, own_pls
from cvlib.customer.links import (
    BUYING,
    Pass,
    Worth,
    curves,
    estimate,
    mean,
    monthly,
    value_by_parts,
)
from cvlib.inputs.checks import column_of
from cvlib.inputs.columns import within
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.heads import by_usual_names, spelt
from cvlib.inputs.readers import Table
from cvlib.lifetime.contracts.leaving import LINKS, fit_leaving
from cvlib.results import Result
from cvlib.satisfaction.index import default_target, drivers
from cvlib.statistics.attenuation import corrected
from cvlib.statistics.resample import Bootstrap, reach
from cvlib.words.message import message
from cvlib.words.what_if import Flows

Array = np.ndarray
_YEAR = 12


@dataclass(frozen=True, eq=False, repr=False)
class SatisfactionLink(Result):
    """What satisfaction does to each outcome.

    Attributes
    ----------
    link : DataFrame
        outcome, model, estimator (naive, corrected), effect_per_point, se, lower, upper,
        marginal_effect (leaving: chance to leave within a year; others: units per month),
        heterogeneity, log_likelihood.
    found : Pass
        The estimation that values rest on.
    level : float
    """

    link: pd.DataFrame
    found: Pass
    level: float

    def effect(self, estimator: str = "corrected") -> pd.Series:
        """The row of the leading model of leaving, or of not buying again."""
        rows = self.link[self.link["model"] == self.found.leaving.model]
        row: pd.Series = rows[rows["estimator"] == estimator].iloc[0]
        return row


def link(
    base: CustomerBase, index: CustomerIndex, model: str = "g2g", level: float = 0.95
) -> SatisfactionLink:
    """Fit leaving, spend, cost to serve and referrals to satisfaction, naive and corrected.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores, weights, reliability.
    model : {"g2g", "cloglog", "logit", "beta_logistic", "pareto_nbd", "pareto_nbd_strict"}
        Of leaving, on which values rest; the others and Cox stand beside it. Of transactions the
        last two: strict takes the past for given and not for an outcome, at three to six times
        the standard error.
    level : float
        Of the intervals, by the delta method.

    Returns
    -------
    SatisfactionLink
        A table with every link.

    Raises
    ------
    InputError
        Of a model that gives no survival curve.

    References
    ----------
    Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement error in nonlinear models.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> cv.customer.link(base, cv.customer.index(base)).effect()["effect_per_point"] < 0
    np.True_
    """
    from cvlib.inputs.choices import one_of

    if base.kind == "transactions":
        model = model if model in BUYING else BUYING[0]
    else:
        one_of("link", model, tuple(name for name in LINKS if name != "cox"))
    found = estimate(base, index.scores, index.reliability, index.weights, items=index.items,
                     model=model)  # fmt: skip
    z = reach(level)
    controls = base.controls.to_numpy(float)[base.answered]
    x = np.column_stack([index.scores, controls])
    rows = []
    if found.buying is not None:
        step = np.eye(1, x.shape[1])[0] / 2
        more, less = (found.leaving.survival(x + d * step, 2)[:, -1] for d in (1, -1))
        rows += buying_rows(base, index, found, mean(less - more, found.weights), z)
    for name in () if found.buying else (model, *(other for other in LINKS if other != model)):
        fit = found.leaving if name == model else fit_leaving(name, base.duration, base.left, x)
        naive = float(fit.coefficients[1]), float(fit.errors[1])
        moved = float("nan")
        if name != "cox":
            step = np.zeros(x.shape[1])
            step[0] = 0.5
            more, less = (fit.survival(x + d * step, _YEAR + 1)[:, -1] for d in (1, -1))
            moved = mean(less - more, found.weights)
        for kind, (b, se) in (
            ("naive", naive), ("corrected", corrected(*naive, found.calibration)),
        ):  # fmt: skip
            size = moved * (b / naive[0] if naive[0] else 1.0)
            rows.append(("leaving", name, kind, b, se, b - z * se, b + z * se, size,
                         fit.heterogeneity if name in ("g2g", "beta_logistic") else np.nan,
                         fit.log_likelihood))  # fmt: skip
    for part, own in found.links.items():
        shape = "poisson" if part == "referral" else "log-linear"
        for kind, (b, se) in (
            ("naive", (own.slope, own.error)),
            ("corrected", corrected(own.slope, own.error, own.calibration)),
        ):
            size = mean(own.level, found.weights) * b
            rows.append((part, shape, kind, b, se, b - z * se, b + z * se, size, np.nan,
                         own.fit.log_likelihood))  # fmt: skip
    columns = ["outcome", "model", "estimator", "effect_per_point", "se", "lower", "upper",
               "marginal_effect", "heterogeneity", "log_likelihood"]  # fmt: skip
    return SatisfactionLink(pd.DataFrame(rows, columns=columns), found, level)


@dataclass(frozen=True, eq=False, repr=False)
class PointValue(Result):
    """What one more point of satisfaction is worth; empty tables where the gate is closed.

    Attributes
    ----------
    value_of_a_point : DataFrame
        part, per_customer, base (all customers), lower, upper (per customer), elasticity.
    value_by_segment : DataFrame
        segment, customers, per_customer, lower, upper.
    drivers_to_money : DataFrame
        driver, effect_on_satisfaction, money_per_point, lower, upper, and with costs: cost,
        return_on_quality, break_even_cost, payback (months).
    holdout_check : DataFrame
        tenth, customers, observed, predicted: retention at the end of the window, predicted from
        customers of other folds.
    retention_by_thirds : DataFrame
        period, model, satisfaction, survival.
    value_facts : DataFrame
        measure, value.
    effect_curve : DataFrame
        points, value, ci_low, ci_high.
    draws : Draws or None
    customers : int
    level : float
    withheld : tuple of str
        Why nothing is told.
    horizon : int
        Months.
    flows : Flows or None
        Of contracts, what a page's sliders compute values from.
    """

    value_of_a_point: pd.DataFrame
    value_by_segment: pd.DataFrame
    drivers_to_money: pd.DataFrame
    holdout_check: pd.DataFrame
    retention_by_thirds: pd.DataFrame
    value_facts: pd.DataFrame
    draws: Draws | None
    customers: int
    level: float
    withheld: tuple[str, ...] = ()
    horizon: int = 60
    flows: Flows | None = None
    headline_tables = ("value_of_a_point", "drivers_to_money")
    told_by = "cvlib.customer.answers:of_point"

    @property
    def total(self) -> float | None:
        """Value of a point per customer; None where nothing may be said."""
        return None if self.withheld else float(self.row("total")["per_customer"])

    def row(self, part: str) -> pd.Series:
        """One part of the value of a point."""
        row: pd.Series = self.value_of_a_point.set_index("part").loc[part]
        return row

    def fact(self, name: str) -> float:
        """One of `value_facts`."""
        return float(self.value_facts.set_index("measure")["value"].loc[name])


def point_value(
    base: CustomerBase,
    index: CustomerIndex,
    gate: TimeOrder,
    linked: SatisfactionLink,
    worth: Worth | None = None,
    settings: Bootstrap | None = None,
    costs: str | pd.DataFrame | Table = "",
) -> PointValue:
    """Value of one more point, by parts that add up, by segment and by driver.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores, weights, reliability.
    gate : TimeOrder
        Closed: nothing is computed and the reasons are handed on.
    linked : SatisfactionLink
        The links.
    worth : Worth, optional
        Margin, discount, horizon, reward.
    settings : Bootstrap, optional
        Draws over customers; intervals are the estimate ± z standard deviations of the draws.
    costs : str, DataFrame or Table
        construct, points, once, per_period; blank for none.

    Returns
    -------
    PointValue
        Tables, empty where nothing may be said.

    Raises
    ------
    InputError
        Costs of a construct that drives nothing.

    References
    ----------
    Rust, Zahorik & Keiningham (1995), Journal of Marketing 59(2) (return on quality); Gupta &
    Zeithaml (2006), Marketing Science 25(6):718-739.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> found = cv.customer.point_value(
    ...     base, index, cv.customer.time_order(base, index.scores), cv.customer.link(base, index),
    ...     settings=cv.lifetime.Bootstrap(draws=10),
    ... )
    >>> parts = found.value_of_a_point.set_index("part")["per_customer"]
    >>> by = ["retention", "spend", "service_cost", "referral"]
    >>> bool(abs(parts[by].sum() - parts["total"]) < 1e-9)
    True
    """
    worth, settings = worth or Worth(), settings or Bootstrap(200)
    model, target = base.survey.model, default_target(base.survey.model)
    reasons = [*gate.reasons, *(() if index.calibration.usable else index.warnings)]
    priced = _costs(costs, model, target)
    if reasons:
        none = pd.DataFrame()
        return PointValue(none, none, none, none, none, none, None, len(base.ids),
                          settings.level, tuple(reasons), worth.horizon)  # fmt: skip
    found = linked.found
    names = [model.construct_names[j] for j in drivers(model, target)]
    effects = driver_effects(model, own_pls(base, index.weights))[0]
    full = quantities(base, found, worth, effects, names)
    drawn = bootstrap(base, index, found, worth, names, settings)
    size, level = len(base.ids), settings.level
    score = float(index.weights @ index.scores / index.weights.sum())
    rows = []
    for part in (*found.parts, "total"):
        low, high = limits(full[part], drawn.spread(part), level)
        elastic = full[part] / full["value"] * score
        rows.append((part, full[part], full[part] * size, low, high, elastic))
    naive = value_by_parts(found, worth, naive=True)
    uncorrected = mean(np.sum(list(naive.values()), axis=0), found.weights)
    rows.append(("total, uncorrected", uncorrected, uncorrected * size, np.nan, np.nan,
                 uncorrected / full["value"] * score))  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["part", "per_customer", "base", "lower", "upper", "elasticity"]
    )
    months = np.arange(worth.horizon) >= base.window
    gained = _gained(found, worth)
    facts = {
        "value of a customer now": full["value"],
        f"discounted {'purchases' if found.buying else 'months'} per point": full["months"],
        "share beyond the observed window": float(gained[months].sum() / gained.sum()),
        "bootstrap draws": len(drawn.values),
        "draws that failed": float(drawn.failures["count"].sum()),
    }
    return PointValue(
        table,
        _segments(base, full, drawn, level),
        _drivers(names, effects, full, drawn, level, priced, gained, size, worth),
        holdout_check(base, index, found),
        pd.DataFrame() if found.buying else retention_by_thirds(base, index, found),
        pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        drawn, size, level, horizon=worth.horizon, flows=_flows(base, found, drawn, worth, level),
    )  # fmt: skip


def _flows(
    base: CustomerBase, found: Pass, drawn: Draws, worth: Worth, level: float
) -> Flows | None:
    if found.buying is not None:
        return None
    full = gained(found, groups(base), months_shown(worth))
    return flows_of(base, full, drawn.flows, worth, reach(level))


def _gained(found: Pass, worth: Worth) -> Array:
    """(horizon,) mean discounted value that a point adds in each month."""
    now = monthly(found, worth, frozenset(), 0.0, False)
    more = monthly(found, worth, frozenset(found.links), 1.0, False)
    w = found.weights
    if found.buying is not None:
        step = 1 / found.buying.reliability
        until = [
            mean(found.buying.purchases(worth, step, step, month) * more
                 - found.buying.purchases(worth, months=month) * now, w)
            for month in range(1, worth.horizon + 1)
        ]  # fmt: skip
        return np.diff(until, prepend=0.0)
    per_month = curves(found, worth, 1.0) * more[:, None] - curves(found, worth, 0.0) * now[:, None]
    return np.asarray(w @ per_month / w.sum() * worth.discounts)


def _segments(
    base: CustomerBase, full: dict[str, float], drawn: Draws, level: float
) -> pd.DataFrame:
    if base.segment is None:
        return pd.DataFrame()
    rows = []
    for name, customers in base.segment.value_counts().sort_index().items():
        key = f"segment:{name}"
        if key in full:
            rows.append((name, customers, full[key], *limits(full[key], drawn.spread(key), level)))
    return pd.DataFrame(rows, columns=["segment", "customers", "per_customer", "lower", "upper"])


def _costs(costs: str | pd.DataFrame | Table, model: object, target: str) -> pd.DataFrame:
    from cvlib.inputs.readers import load_table

    if isinstance(costs, str) and not costs:
        return pd.DataFrame()
    table = by_usual_names(load_table(costs), ["construct", "points", "once", "per_period"])
    names = [model.construct_names[j] for j in drivers(model, target)]  # type: ignore[attr-defined, arg-type]
    labels = {
        spelt(text): one.name
        for one in model.constructs  # type: ignore[attr-defined]
        for text in (one.name, *one.labels.values())
    }
    given = column_of(table, "construct").astype(str)
    given = given.map(lambda name: labels.get(spelt(name), name))
    for name in given:
        if name not in names:
            raise InputError(
                table.place("construct"),
                message("refusals.drives_no", name=name, target=target),
                nearest(name, names),
            )
    numbers = {c: within(table, c).to_numpy(float) for c in ("points", "once", "per_period")}
    return pd.DataFrame(numbers, index=given)


def _drivers(
    names: list[str], effects: Array, full: dict[str, float], drawn: Draws, level: float,
    priced: pd.DataFrame, gained: Array, size: int, worth: Worth,
) -> pd.DataFrame:  # fmt: skip
    rows = []
    for name, effect in zip(names, effects, strict=True):
        money = effect * full["total"]
        product = Draws(pd.DataFrame(), drawn.failures)
        if len(drawn.values):
            both = drawn.values[f"driver:{name}"] * drawn.values["total"]
            product = Draws(pd.DataFrame({"money": both}), drawn.failures)
        row = [name, effect, money, *limits(money, product.spread("money"), level)]
        if len(priced):
            row += _returns(priced, name, effect * gained * size, worth)
        rows.append(row)
    columns = ["driver", "effect_on_satisfaction", "money_per_point", "lower", "upper"]
    if len(priced):
        columns += ["cost", "return_on_quality", "break_even_cost", "payback"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("money_per_point", ascending=False, ignore_index=True)


def _returns(priced: pd.DataFrame, name: str, monthly_gain: Array, worth: Worth) -> list[float]:
    """Cost, return on quality (Rust, Zahorik & Keiningham 1995), break-even and payback."""
    if name not in priced.index:
        return [np.nan] * 4
    points, once, per_period = priced.loc[name, ["points", "once", "per_period"]].to_numpy(float)
    gain = points * monthly_gain
    spent = once + per_period * np.cumsum(worth.discounts)
    cost, equity = float(spent[-1]), float(gain.sum())
    covered = np.flatnonzero(np.cumsum(gain) >= spent)
    back = float(covered[0] + 1) if len(covered) else np.nan
    return [cost, (equity - cost) / cost if cost else np.nan, equity, back]
