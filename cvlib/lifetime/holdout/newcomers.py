"""New customers: how many will come, what they and those there will buy, what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.lifetime.holdout.next_period import NextPeriod
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.units import DAYS
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, message

Array = np.ndarray
YEAR = 12  # months of the level, and of the start of a log that counts old customers as new [P]
FEWEST, SEASONS = 3, 24  # months that a level takes, and a trend with months of the year [P]
_DRAWS = 2000  # of the simulation, where a bootstrap asks for fewer
_FIRSTS = """
SELECT day, count(*) AS customers FROM (
    SELECT min(day) AS day FROM days WHERE purchase GROUP BY customer_id)
GROUP BY day ORDER BY day
"""


@dataclass(frozen=True)
class _Months:
    """New customers a month: whole months of the log, and how they were described."""

    rule: str  # trend_and_month or last_year
    first: pd.Period
    at: Array
    covariance: Array
    spread: float  # variance is mean + spread mean²

    def design(self, months: pd.PeriodIndex) -> Array:
        ones = np.ones(len(months))
        if self.rule == "last_year":
            return ones[:, None]
        years = np.array([(month - self.first).n for month in months]) / 12
        own = [(months.month == m).astype(float) for m in range(2, 13)]
        return np.column_stack([ones, years, *own])

    def drawn(self, start: pd.Timestamp, days: int, draws: int, rng: np.random.Generator) -> Coming:
        """New customers in (start, start + days], month by month: expected, and in every draw."""
        each = pd.date_range(start + pd.Timedelta(days=1), periods=days).to_period("M")
        months, length = np.unique(each, return_counts=True)
        x, length = self.design(pd.PeriodIndex(months)), length.astype(float)
        root = resample.symmetric_root(self.covariance)
        coefficients = self.at + rng.standard_normal((draws, self.at.size)) @ root
        mean = np.exp(np.clip(coefficients @ x.T, -30, 30)) * length
        if self.spread > 0:
            mean = rng.gamma(1 / self.spread, 1.0, mean.shape) * self.spread * mean
        middle = np.cumsum(length) - length / 2
        return Coming(np.exp(x @ self.at) * length, rng.poisson(mean).astype(float), middle)


@dataclass(frozen=True)
class Coming:
    """New customers of a period by month: expected (m,), drawn (draws, m), days until it (m,)."""

    expected: Array
    drawn: Array
    middle: Array


def future_customers(
    summary: PurchaseSummary,
    ahead: NextPeriod,
    *,
    annual_rate: float,
    margin: float = 1.0,
    bootstrap: Bootstrap | None = None,
) -> Finding:
    """Forecast who will come beside who is there: counts, purchases, spend, and value apart.

    New customers a month follow a negative-binomial regression on trend and month of the year
    where 24 whole months are left after the first year of the log, in which old customers count as
    new; else the level of the last year [P]. The same rule is judged in the holdout. Purchases of
    a period are those of customers there plus, for each new one, the first and what the model
    expects after it. The value of future customers is no part of customer equity.

    Parameters
    ----------
    summary : PurchaseSummary
        The split, whose log is still open: its cut judges the rule.
    ahead : NextPeriod
        The next period, from the same log.
    annual_rate, margin : float
        As in `lifetime_value`.
    bootstrap : Bootstrap, optional
        Seed and level; at least 2,000 draws are simulated.

    Returns
    -------
    Finding
        new_customers: period (holdout, next), rule, days, expected, ci_low, ci_high, actual.
        period_total: part (existing, new, all), purchases with limits, and with values in money
        spend with limits. future_value: value_of_one, value_of_new with limits, customer_equity.
        Intervals are simulated: of the counts' coefficients and their scatter, of the estimates of
        the model (delta method) and of what single customers do; the dropping out of customers
        within the period adds a little that is not counted.

    Raises
    ------
    InputError
        A rate or margin out of range.

    References
    ----------
    Cameron & Trivedi (2013) Regression Analysis of Count Data, ch. 3 (negative binomial, spread by
    moments).

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> ahead = cv.lifetime.next_period(p.log, days=91)
    >>> cv.lifetime.future_customers(p, ahead, annual_rate=0.1).sentence.id
    'lifetime.newcomers_none'
    """
    number("annual_rate", annual_rate, 0, ends="()")
    number("margin", margin, 0, 1, ends="(]")
    settings = bootstrap or Bootstrap()
    log = summary.log
    firsts = log.query(_FIRSTS).set_index("day")["customers"]
    firsts.index = pd.DatetimeIndex(firsts.index)
    begin, end = pd.Timestamp(log.first_day), pd.Timestamp(log.last_day)
    now = _months(firsts, begin, end)
    if isinstance(now, Message):
        return Finding({}, now)
    rng = resample.generator(settings.seed, 5)
    draws, level, days = max(settings.draws, _DRAWS), settings.level, round(ahead.measure("days"))
    coming = now.drawn(end, days, draws, rng)
    rows = [_counted("next", now.rule, days, coming, level, None)]
    judged = _judged(summary, firsts, begin, draws, rng, level)
    rows[:0] = judged
    total = _total(ahead, coming, days, rng, level)
    tables = {"new_customers": pd.DataFrame(rows), "period_total": total}
    facts = total.set_index("part")["purchases"].to_dict()
    next_row = tables["new_customers"].iloc[-1]
    said = message(
        "lifetime.newcomers", days=days, expected=next_row["expected"], low=next_row["ci_low"],
        high=next_row["ci_high"], purchases=facts["all"], of_new=facts["new"],
    )  # fmt: skip
    warned: list[Message] = []
    if judged:
        inside = judged[0]["ci_low"] <= judged[0]["actual"] <= judged[0]["ci_high"]
        known = {name: judged[0][name] for name in ("expected", "ci_low", "ci_high", "actual")}
        if not inside:
            warned = [message("lifetime.newcomers_missed", **known)]
    value = _value(ahead, coming, annual_rate, margin, level)
    if value is not None:
        tables["future_value"] = value
    return Finding(tables, said, tuple(warned), facts)


def _months(firsts: pd.Series, begin: pd.Timestamp, end: pd.Timestamp) -> _Months | Message:
    """The regression of whole months, or why there is none."""
    every = pd.period_range(begin, end, freq="M")
    whole = [m for m in every if m.start_time >= begin and m.end_time.normalize() <= end]
    if len(whole) < FEWEST:
        return message("lifetime.newcomers_short", months=len(whole), fewest=FEWEST)
    months = pd.PeriodIndex(whole)
    known = firsts[firsts.index <= end]
    by_month = known.groupby(pd.DatetimeIndex(known.index).to_period("M")).sum()
    count = by_month.reindex(months).fillna(0).to_numpy(float)
    if not count[-FEWEST:].any():
        return message("lifetime.newcomers_none", last=str(known.index.max().date()))
    rule = "last_year"
    if len(months) - YEAR >= SEASONS:
        rule, months, count = "trend_and_month", months[YEAR:], count[YEAR:]
        if any(not count[months.month == m].any() for m in range(1, 13)):
            rule = "last_year"  # a month in which nobody ever came has no logarithm
    if rule == "last_year":
        months, count = months[-YEAR:], count[-YEAR:]
    frame = _Months(rule, months[0], np.zeros(0), np.zeros((0, 0)), 0.0)
    at, covariance, spread = _negative_binomial(
        count, frame.design(months), months.days_in_month.to_numpy(float)
    )
    return _Months(rule, months[0], at, covariance, spread)


def _negative_binomial(count: Array, design: Array, days: Array) -> tuple[Array, Array, float]:
    """Coefficients of log counts a day, their covariance, and the spread by moments."""
    from statsmodels.genmod.families import NegativeBinomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    spread, free = 0.0, max(len(count) - design.shape[1], 1)
    for _ in range(30):
        family = NegativeBinomial(alpha=spread) if spread > 0 else Poisson()
        found = GLM(count, design, family=family, offset=np.log(days)).fit()
        mean = np.asarray(found.fittedvalues)
        # the spread at which the sum of squared residuals over their variance is its expectation
        before, spread = spread, _spread(count, mean, free)
        if abs(spread - before) < 1e-10 * max(spread, 1e-6):
            break
    return np.asarray(found.params), np.asarray(found.cov_params()), spread


def _spread(count: Array, mean: Array, free: int) -> float:
    from scipy.optimize import brentq

    def excess(spread: float) -> float:
        return float(((count - mean) ** 2 / (mean + spread * mean**2)).sum() - free)

    return 0.0 if excess(0.0) <= 0 else float(brentq(excess, 0.0, 1e4, xtol=1e-14))


def _judged(
    summary: PurchaseSummary, firsts: pd.Series, begin: pd.Timestamp, draws: int,
    rng: np.random.Generator, level: float,
) -> list[dict[str, Any]]:  # fmt: skip
    """The rule as it would have been at the cut, and who came in the holdout."""
    cut, end = pd.Timestamp(summary.cut), pd.Timestamp(summary.end)
    days = (end - cut).days
    then = _months(firsts, begin, cut)
    if isinstance(then, Message) or not days:
        return []
    actual = float(firsts[(firsts.index > cut) & (firsts.index <= end)].sum())
    coming = then.drawn(cut, days, draws, rng)
    return [_counted("holdout", then.rule, days, coming, level, actual)]


def _counted(
    period: str, rule: str, days: int, coming: Coming, level: float, actual: float | None
) -> dict[str, Any]:
    low, high = resample.percentile_limits(coming.drawn.sum(axis=1), level)
    return {
        "period": period, "rule": rule, "days": days, "expected": float(coming.expected.sum()),
        "ci_low": float(low), "ci_high": float(high), "actual": actual,
    }  # fmt: skip


def _total(
    ahead: NextPeriod, coming: Coming, days: int, rng: np.random.Generator, level: float
) -> pd.DataFrame:
    """Purchases and spend of customers there, of new ones and of both."""
    fit, people = ahead.fit, ahead.customers
    assert fit is not None
    draws, horizon = len(coming.drawn), days / DAYS[str(fit.unit)]
    each = people["expected_purchases"].to_numpy(float)
    p = np.clip(people["p_alive"].to_numpy(float), 1e-12, 1)
    living, shape = each / p, fit.natural()["r"] + people["x"].to_numpy(float)
    scatter = p * (living + living**2 / shape) + p * (1 - p) * living**2
    error = _error_of_total(fit, horizon)
    existing = each.sum() * np.exp(error * rng.standard_normal(draws))
    existing += np.sqrt(scatter.sum()) * rng.standard_normal(draws)
    left = np.maximum(days - coming.middle, 0.0) / DAYS[str(fit.unit)]
    mean = fit.expected_from_start(left)
    n = np.arange(200.0)
    pmf = np.array([fit.purchase_distribution(n, np.full(n.size, t)) for t in left])
    second = np.maximum(pmf @ n**2 - (pmf @ n) ** 2, 0.0)
    new = coming.drawn @ (1 + mean)
    new = new + np.sqrt(coming.drawn @ second) * rng.standard_normal(draws)
    parts = {"existing": existing, "new": np.maximum(new, 0), "all": existing + np.maximum(new, 0)}
    point = {"existing": each.sum(), "new": float(coming.expected @ (1 + mean))}
    point["all"] = point["existing"] + point["new"]
    table = _limits(parts, point, "purchases", level)
    if ahead.reason is None and ahead.spend is not None:
        price = ahead.spend.forecast(ahead.histories)
        assert price is not None
        own, of_new = float(each @ price / each.sum()), _first_spend(ahead)
        money = {"existing": existing * own, "new": parts["new"] * of_new}
        money["all"] = money["existing"] + money["new"]
        spent = {"existing": float(each @ price), "new": point["new"] * of_new}
        spent["all"] = spent["existing"] + spent["new"]
        table = table.merge(_limits(money, spent, "spend", level), on="part")
    return table


def _limits(
    drawn: dict[str, Array], point: dict[str, float], name: str, level: float
) -> pd.DataFrame:
    limits = {part: resample.percentile_limits(each, level) for part, each in drawn.items()}
    return pd.DataFrame(
        {
            "part": list(drawn),
            name: [float(point[part]) for part in drawn],
            f"{name}_low": [float(limits[part][0]) for part in drawn],
            f"{name}_high": [float(limits[part][1]) for part in drawn],
        }
    )


def _error_of_total(fit: RepeatBuyingFit, horizon: float) -> float:
    """Standard error of the log of all expected purchases, by the delta method."""
    rows = fit.histories
    history = [rows[name].to_numpy(float) for name in ("x", "t_x", "T")]
    count, at = rows["customers"].to_numpy(float), fit._maximum.at
    slope = np.zeros(at.size)
    for i in range(at.size):
        if fit._maximum.held[i]:
            continue
        ends = []
        for step in (1e-4, -1e-4):
            point = at.copy()
            point[i] += step
            moved = fit.at(replace(fit._maximum, at=point))
            ends.append(np.log(count @ moved.expected_purchases(horizon, *history)))
        slope[i] = (ends[0] - ends[1]) / 2e-4
    return float(np.sqrt(max(slope @ fit._maximum.covariance() @ slope, 0.0)))


def _first_spend(ahead: NextPeriod) -> float:
    """Expected spend per purchase of somebody of whom nothing is known."""
    assert ahead.spend is not None
    return float(ahead.spend.expected_spend(np.zeros(1), np.zeros(1))[0])


def _value(
    ahead: NextPeriod, coming: Coming, annual_rate: float, margin: float, level: float
) -> pd.DataFrame | None:
    """What those won in the period are worth at its beginning, beside customer equity."""
    if ahead.reason is not None or ahead.spend is None or ahead.fit is None:
        return None
    later = ahead.fit.discounted_expected_purchases(annual_rate, 0.0, 0.0, 0.0)
    one = margin * _first_spend(ahead) * (1 + float(np.ravel(later)[0]))
    pull = (1 + annual_rate) ** (-coming.middle / 365.25)
    low, high = resample.percentile_limits(coming.drawn @ pull * one, level)
    equity = float(ahead.customers["lifetime_value"].sum())
    return pd.DataFrame(
        {
            "measure": ["value_of_one", "value_of_new", "customer_equity"],
            "value": [one, float(coming.expected @ pull) * one, equity],
            "ci_low": [np.nan, float(low), np.nan],
            "ci_high": [np.nan, float(high), np.nan],
        }
    )
