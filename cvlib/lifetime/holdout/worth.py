"""The lifetime value itself judged: by tenths, what of it the holdout can judge, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cvlib.lifetime.holdout.forecast import Forecast, customer_rows, hiatus_of
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.spend import SpendFit
from cvlib.lifetime.units import DAYS
from cvlib.lifetime.value import LifetimeValue, lifetime_value
from cvlib.results import Result
from cvlib.statistics import multiple, ranks, resample
from cvlib.statistics.proportions import wilson
from cvlib.statistics.ranks import Order, Ranked
from cvlib.words.message import Message, message

Array = np.ndarray
_TENTHS = 10
_YEARS = 5  # years after which value is called far
_HALF_YEAR = 182  # days
_UNKNOWN = 1e12  # condition from which a slope is not estimated


@dataclass(frozen=True, eq=False, repr=False)
class ValueValidation(Result):
    """Lifetime values against what customers did.

    Attributes
    ----------
    tenths : DataFrame
        tenth (1 the most valuable), customers, clv_sum, share_of_equity, mean forecast_spend,
        realised_spend with ci_low and ci_high, expected_purchases, realised_purchases, churn,
        mean p_alive, exceeds (the best tenth that realised significantly less, or blank).
    judged : DataFrame
        measure, value: equity_judged and what else is known of when and where equity lies.
    calibration : DataFrame
        bin, customers, mean_forecast, mean_realised, ci_low, ci_high of spend, ten equal bins.
    split : DataFrame
        component, value: the error of total spend by number and by size of purchases.
    reason : Message or None
        Why there is no value in money; the tenths are then of discounted expected purchases.
    """

    tenths: pd.DataFrame
    judged: pd.DataFrame
    calibration: pd.DataFrame
    split: pd.DataFrame
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    headline_tables = ("tenths", "judged")
    charts: ClassVar[dict[str, str]] = {"tenths": "cvlib.figures.value:value_tenths_plot"}

    def measure(self, name: str) -> float | None:
        """One row of `judged`; None where there is none."""
        rows = self.judged.loc[self.judged["measure"] == name, "value"]
        return float(rows.iloc[0]) if len(rows) else None

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"table": self.tenths, "language": language}

    def sentences(self) -> list[str]:
        return [self.judged_sentence, self.order_sentence, *self.exceeding]

    @property
    def judged_sentence(self) -> Message:
        """How much of equity the holdout can judge, and how much cannot be checked by it."""
        share = self.measure("equity_judged_share")
        if share is None:
            return message("lifetime.equity_unjudged")
        kind = "most" if share >= 0.5 else "little"
        silent = self.measure("equity_silent_half_year_share")
        beyond = self.measure("equity_beyond_5_years")
        return message(f"lifetime.equity_judged_{kind}", share=share, silent=silent, beyond=beyond)

    @property
    def ordered_by(self) -> Message:
        """What the tenths are of: value, or purchases where no value in money could be had."""
        return message("lifetime.by_value" if self.reason is None else "lifetime.by_purchases")

    @property
    def order_sentence(self) -> Message:
        """Whether the order of value holds: churn of the best and of the last tenth."""
        best, last = self.tenths.iloc[0], self.tenths.iloc[-1]
        facts = {
            "best": float(best["churn"]),
            "last": float(last["churn"]),
            "what": self.ordered_by,
        }
        kind = "right" if best["churn"] < last["churn"] else "wrong"
        return message(f"lifetime.value_order_{kind}", **facts)

    @property
    def exceeding(self) -> list[Message]:
        """Tenths that realised significantly more than a better one."""
        return [
            message(
                "lifetime.value_exceeds",
                tenth=int(row.tenth),
                better=int(row.exceeds),
                what=self.ordered_by,
            )
            for row in self.tenths.itertuples()
            if row.exceeds == row.exceeds
        ]


def validate_value(
    summary: PurchaseSummary,
    fit: RepeatBuyingFit,
    spend: SpendFit,
    value: LifetimeValue,
    own: Forecast,
    *,
    level: float = 0.95,
) -> ValueValidation:
    """Judge lifetime values on the holdout: who is worth most, how much is judged, calibration.

    Parameters
    ----------
    summary : PurchaseSummary
        The split, with a holdout.
    fit, spend : RepeatBuyingFit, SpendFit
        The models behind the value.
    value : LifetimeValue
        Of the customers of `summary`, in their order.
    own : Forecast
        The model's forecast of the holdout.
    level : float
        Of intervals; a tenth exceeds a better one when their difference has a one-sided p below
        (1 - level) by Holm over all pairs.

    Returns
    -------
    ValueValidation
        Tenths, what of equity is judged, calibration and split of the error.

    Raises
    ------
    InputError
        A summary whose customers were written to a file.

    Notes
    -----
    Tenths are of equal number, the highest value first, ties by customer. Spend below nothing
    (returns) counts as nothing, as in `validate`.

    References
    ----------
    Fader, Hardie & Lee (2005) J. Marketing Research 42:415-430 (tenths of value); McCullagh &
    Nelder (1989) Generalized Linear Models, ch. 9 (quasi-likelihood).

    Examples
    --------
    >>> import cvlib as cv
    >>> life = cv.lifetime
    >>> p = life.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> fit, spend = life.fit_repeat_buying(p, "pareto_nbd"), life.fit_spend(p)
    >>> worth = life.lifetime_value(fit, spend, p.customers, annual_rate=0.1)
    >>> own = life.model_forecasts(fit, p, spend.forecast(p.customers))[0]
    >>> found = life.validate_value(p, fit, spend, worth, own)
    >>> float(found.tenths["churn"].iloc[0].round(2))
    0.23
    """
    people = customer_rows(summary)
    bought = people["holdout_purchases"].to_numpy(float)
    spent = np.maximum(people["holdout_spend"].to_numpy(float), 0)
    money = value.reason is None
    score = value.customers["lifetime_value" if money else "discounted_expected_purchases"]
    each = score.to_numpy(float)
    tenths = _tenths(people, value, own, each, bought, spent, level)
    judged = _judged(summary, fit, spend, value, people)
    active = bought > 0
    ones = np.ones((1, each.size))
    by_value = Ranked(Order.of(each), ones)
    more = {
        "auc_activity": float(ranks.auc(by_value, active.astype(float))[0]),
        "spearman_spend": float(ranks.spearman(by_value, Ranked(Order.of(spent), ones))[0]),
    }
    calibration, split = pd.DataFrame(), pd.DataFrame()
    if own.spend is not None and own.expected is not None:
        calibration = _calibration(own.spend, spent, level)
        more |= _slope(own.spend, spent, level)
        split = _split(own, bought, spent)
    judged |= {name: number for name, number in more.items() if np.isfinite(number)}
    table = pd.DataFrame({"measure": list(judged), "value": list(judged.values())})
    return ValueValidation(tenths, table, calibration, split, (), value.reason)


def _tenths(
    people: pd.DataFrame,
    value: LifetimeValue,
    own: Forecast,
    each: Array,
    bought: Array,
    spent: Array,
    level: float,
) -> pd.DataFrame:
    order = np.argsort(-each, kind="stable")  # customers come by id, so that ties are by id
    place = np.empty(each.size, dtype=np.int64)
    place[order] = np.arange(each.size)
    groups = min(_TENTHS, each.size)
    tenth = 1 + place * groups // each.size
    frame = pd.DataFrame({"tenth": tenth, "p_alive": value.customers["p_alive"].to_numpy(float)})
    frame["churn"] = (bought == 0).astype(float)
    frame["realised_purchases"], frame["realised_spend"] = bought, spent
    frame["expected_purchases"] = own.expected
    grouped = frame.groupby("tenth")
    table = grouped.size().rename("customers").reset_index()
    count = table["customers"].to_numpy(float)
    if value.reason is None:
        total = np.bincount(tenth, each)[1:]
        table["clv_sum"], table["share_of_equity"] = total, total / max(total.sum(), 1e-300)
    if own.spend is not None:
        table["forecast_spend"] = np.bincount(tenth, own.spend)[1:] / count
    names = ["realised_spend", "expected_purchases", "realised_purchases", "churn", "p_alive"]
    means = grouped[names].mean().reset_index(drop=True)
    error = grouped["realised_spend"].std(ddof=1).to_numpy(float) / np.sqrt(count)
    wide = resample.reach(level, np.maximum(count - 1, 1)) * error
    table["realised_spend"] = means["realised_spend"]
    table["ci_low"] = np.maximum(means["realised_spend"] - wide, 0)
    table["ci_high"] = means["realised_spend"] + wide
    table[names[1:]] = means[names[1:]]
    low, high = wilson(means["churn"] * count, count, level)
    table["churn_low"], table["churn_high"] = low, high
    table["exceeds"] = _exceeds(means["realised_spend"].to_numpy(), error, 1 - level)
    return table


def _exceeds(mean: Array, error: Array, alpha: float) -> Array:
    """For each tenth the best one before it that realised significantly less; else NaN."""
    pairs = [(low, high) for low in range(len(mean)) for high in range(low)]
    found = np.full(len(mean), np.nan)
    if not pairs:
        return found
    later, before = np.array(pairs).T
    spread = np.hypot(error[later], error[before])
    gap = mean[later] - mean[before]
    z = np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
    p = multiple.adjusted(ndtr(-z), "holm")
    for low, high, chance in zip(later, before, p, strict=True):
        if chance < alpha and not found[low] <= high + 1:
            found[low] = high + 1
    return found


def _judged(
    summary: PurchaseSummary,
    fit: RepeatBuyingFit,
    spend: SpendFit,
    value: LifetimeValue,
    people: pd.DataFrame,
) -> dict[str, float]:
    """What of equity falls into the holdout, lies far ahead, or sits with the silent."""
    if value.reason is not None or not value.equity:
        return {}
    terms = {name: value.measure(name) for name in ("annual_rate", "margin")}

    def until(horizon: float) -> float:
        found = lifetime_value(fit, spend, people, horizon=horizon, **terms)
        return float(found.measure("customer_equity"))

    equity, h = value.equity, summary.holdout
    inside = until(h) if h > 0 else 0.0
    each = value.customers["lifetime_value"].to_numpy(float)
    gap = hiatus_of(people)
    return {
        "equity": equity,
        "equity_judged": inside,
        "equity_judged_share": inside / equity,
        "equity_beyond_5_years": 1 - until(_YEARS * 365.25 / DAYS[summary.unit]) / equity,
        "equity_silent_share": float(each[gap > h].sum() / equity),
        "equity_silent_half_year_share": float(
            each[gap > _HALF_YEAR / DAYS[summary.unit]].sum() / equity
        ),
        "equity_never_returned_share": float(each[people["x"].to_numpy() == 0].sum() / equity),
    }


def _calibration(forecast: Array, spent: Array, level: float) -> pd.DataFrame:
    bins = ranks.equal_counts(forecast, _TENTHS) + 1
    frame = pd.DataFrame({"bin": bins, "forecast": forecast, "spent": spent})
    grouped = frame.groupby("bin")
    table = grouped.agg(
        customers=("spent", "size"),
        mean_forecast=("forecast", "mean"),
        mean_realised=("spent", "mean"),
    )
    count = table["customers"].to_numpy(float)
    error = grouped["spent"].std(ddof=1).to_numpy(float) / np.sqrt(count)
    wide = resample.reach(level, np.maximum(count - 1, 1)) * error
    table["ci_low"] = np.maximum(table["mean_realised"] - wide, 0)
    table["ci_high"] = table["mean_realised"] + wide
    return table.reset_index()


def _slope(forecast: Array, spent: Array, level: float) -> dict[str, float]:
    """Slope of spend on the log of its forecast: quasi-Poisson, dispersion from Pearson's X²."""
    use = forecast > 0
    x, y = np.log(forecast[use]), spent[use]
    if not y.any() or np.ptp(x) == 0:
        return {}
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    at = np.array([np.log(y.mean()), 1.0])
    for _ in range(50):
        mean = np.exp(design @ at)
        hessian = (design * mean[:, None]).T @ design
        if np.linalg.cond(hessian) > _UNKNOWN:
            return {}
        step = np.linalg.solve(hessian, design.T @ (y - mean))
        at = at + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-11:
            break
    else:
        return {}
    dispersion = float(((y - mean) ** 2 / mean).sum() / max(y.size - 2, 1))
    wide = resample.reach(level) * np.sqrt(dispersion * np.linalg.inv(hessian)[1, 1])
    slope = float(at[1])
    return {"slope": slope, "slope_low": slope - wide, "slope_high": slope + wide}


def _split(own: Forecast, bought: Array, spent: Array) -> pd.DataFrame:
    """Σ(v̂ − v) = Σ(x̂ − x*)E[Z] + Σ(x* E[Z] − v), number against size of purchases."""
    assert own.expected is not None and own.spend is not None
    price = np.divide(own.spend, own.expected, out=np.zeros_like(spent), where=own.expected > 0)
    number = float(((own.expected - bought) * price).sum())
    size = float((bought * price - spent).sum())
    rows: Sequence[tuple[str, float]] = (
        ("forecast_spend", float(own.spend.sum())),
        ("realised_spend", float(spent.sum())),
        ("error", float((own.spend - spent).sum())),
        ("by_number", number),
        ("by_size", size),
    )
    return pd.DataFrame(rows, columns=["component", "value"])
