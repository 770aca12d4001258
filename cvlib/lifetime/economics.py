"""Economics of retention and acquisition: value multiples, the 5-point claim, spend, payback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.words.message import message

CLAIM = (0.25, 0.85)  # Reichheld & Sasser (1990): profit gain of 5 points fewer defections


def check_between(name: str, value: ArrayLike, low: float, high: float) -> None:
    """Refuse a parameter outside its range."""
    for one in np.asarray(value, dtype=float).ravel():
        number(name, one, low, high)


def value_multiple(
    retention: ArrayLike,
    discount_rate: ArrayLike,
    margin_growth: ArrayLike = 0.0,
    first_margin: str = "end",
) -> np.ndarray:
    """Customer lifetime value ÷ yearly margin, at a constant retention rate.

    Parameters
    ----------
    retention, discount_rate, margin_growth : float or array
        Per period (a year): r, i, g.
    first_margin : {"end", "immediate"}
        "end": the first margin comes after one period, if the customer is kept:
        r / (1 + i − r(1 + g)). "immediate": it comes now: (1 + i) / (1 + i − r(1 + g)).

    References
    ----------
    Gupta & Lehmann (2003) J. Interactive Marketing 17(1):9-24; (2005) Managing Customers as
    Investments. At r = .9, i = .12 the multiple is 4.09.
    """
    check_between("retention", retention, 0, 1)
    r, i, g = (np.asarray(v, dtype=float) for v in (retention, discount_rate, margin_growth))
    room = 1 + i - r * (1 + g)
    if (room <= 0).any():
        raise InputError(
            "retention × (1 + margin_growth)",
            message("refusals.is_not_below_discount_rate"),
            message("refusals.lower_the_growth_or_raise"),
        )
    starts = {"end": r, "immediate": 1 + i}
    one_of("first_margin", first_margin, starts)
    return starts[first_margin] / room


def elasticities(
    retention: float, discount_rate: float, margin_growth: float = 0.0, first_margin: str = "end"
) -> pd.DataFrame:
    """Per cent change of lifetime value per 1 % change of each driver.

    Returns
    -------
    DataFrame
        driver (multiple, retention, margin, discount_rate), value: the multiple itself, then the
        elasticities. With the first margin at the end that of retention is
        (1 + i) / (1 + i − r(1 + g)), 5.09 at r = .9, i = .12.

    References
    ----------
    Gupta, Lehmann & Stuart (2004) J. Marketing Research 41:7-18.
    """
    multiple = float(value_multiple(retention, discount_rate, margin_growth, first_margin))
    room = 1 + discount_rate - retention * (1 + margin_growth)
    own = 1.0 if first_margin == "end" else 0.0
    own_rate = 0.0 if first_margin == "end" else discount_rate / (1 + discount_rate)
    values = {
        "multiple": multiple,
        "retention": own + retention * (1 + margin_growth) / room,
        "margin": 1.0,
        "discount_rate": own_rate - discount_rate / room,
    }
    return pd.DataFrame({"driver": list(values), "value": list(values.values())})


def constant_retention(share_left: float, periods: float) -> float:
    """The yearly retention that leaves this share of customers after so many periods."""
    check_between("share_left", share_left, 0, 1)
    return float(share_left ** (1 / periods))


def half_life(years: float) -> str:
    """The sentence: what losing half of the customers in so many years is as a retention."""
    return message("lifetime.half_life", years=years, retention=constant_retention(0.5, years))


@dataclass(frozen=True)
class RetentionGain:
    """Value of some points more retention, and where a published claim holds on it."""

    curve: pd.DataFrame
    claim: pd.DataFrame
    sentence: str
    warnings: tuple[str, ...]


def retention_gain(
    discount_rates: Sequence[float],
    points: float = 0.05,
    margin_growth: float = 0.0,
    claim: tuple[float, float] = CLAIM,
    step: float = 0.01,
) -> RetentionGain:
    """What `points` more retention add to lifetime value, from every starting retention.

    Gain = multiple(r + points) ÷ multiple(r) − 1, first margin after one period.

    Parameters
    ----------
    discount_rates : sequence of float
        One curve each, per year.
    points : float
        Gain of retention in points, .05 for "five points fewer defections".
    margin_growth : float
        Yearly growth of a kept customer's margin.
    claim : pair of float
        The claimed gains, by default the 25–85 % of Reichheld & Sasser.
    step : float
        Step of the starting retention.

    Returns
    -------
    RetentionGain
        curve: discount_rate, margin_growth, retention, retention_after, gain, mean_life,
        mean_life_after (years, 1 ÷ (1 − r)), within_claim. claim: discount_rate, and the starting
        retention from which the gain reaches the claim's low and high end (empty when never).

    References
    ----------
    Reichheld & Sasser (1990) Harvard Business Review 68(5):105-111; on the arithmetic, Sharp,
    "Loyalty myths", marketingscience.info.
    """
    check_between("points", points, 1e-6, 0.5)
    start = np.round(np.arange(0.4, 1 - points + step / 2, step), 10)
    parts = []
    for rate in discount_rates:
        usable = start[(start + points) * (1 + margin_growth) < 1 + rate - 1e-12]
        before = value_multiple(usable, rate, margin_growth)
        after = value_multiple(np.minimum(usable + points, 1), rate, margin_growth)
        with np.errstate(divide="ignore"):
            lives = 1 / (1 - usable), 1 / np.round(1 - usable - points, 12)
        parts.append(
            pd.DataFrame(
                {
                    "discount_rate": rate,
                    "margin_growth": margin_growth,
                    "retention": usable,
                    "retention_after": np.minimum(usable + points, 1),
                    "gain": after / before - 1,
                    "mean_life": lives[0],
                    "mean_life_after": lives[1],
                }
            )
        )
    curve = pd.concat(parts, ignore_index=True)
    curve["within_claim"] = curve["gain"].between(*claim)
    placed = [
        {"discount_rate": rate}
        | {name: _crossing(rows, level) for name, level in zip(("low", "high"), claim, strict=True)}
        for rate, rows in curve.groupby("discount_rate", sort=False)
    ]
    inside = curve.loc[curve["within_claim"], "retention"]
    where = (
        message("lifetime.gain_between", start=inside.min(), end=inside.max())
        if len(inside)
        else message("lifetime.gain_nowhere")
    )
    sentence = message(
        "lifetime.gain", points=points * 100, low=curve["gain"].min(), high=curve["gain"].max(),
        claim=claim[0], top=claim[1], where=where,
    )  # fmt: skip
    warnings = (message("lifetime.gain_arithmetic"), message("lifetime.gain_value"))
    return RetentionGain(curve, pd.DataFrame(placed), sentence, warnings)


def _crossing(curve: pd.DataFrame, level: float) -> float | None:
    """Starting retention at which a rising gain passes a level; None when it never does."""
    gain = curve["gain"].to_numpy()
    if not gain.min() <= level <= gain.max():
        return None
    rising = slice(int(gain.argmin()), None)
    return float(np.interp(level, gain[rising], curve["retention"].to_numpy()[rising]))


@dataclass(frozen=True)
class SpendingSplit:
    """Acquisition against retention spend: the present, and the best."""

    optimum: pd.DataFrame
    sentence: str
    warnings: tuple[str, ...]


def spending_split(
    margin: float,
    discount_rate: float,
    acquisition: tuple[float, float, float],
    retention: tuple[float, float, float],
) -> SpendingSplit:
    """Split of spend between winning and keeping customers that maximises customer equity.

    Rate = ceiling · (1 − exp(−k · spend)), k fitted through one (spend, rate) pair. Equity per
    prospect = a·m − A + a·(m − R/r)·r' / (1 − r'), r' = r / (1 + d).

    Parameters
    ----------
    margin : float
        Yearly margin of a customer, m.
    discount_rate : float
        Per year, d.
    acquisition : (spend, rate, ceiling)
        Spend per prospect A today, the share acquired a, the share ever attainable.
    retention : (spend, rate, ceiling)
        Spend per customer and year R today, the retention r, the retention ever attainable.

    Returns
    -------
    SpendingSplit
        optimum: plan (current; first_year: A maximises a·m − A alone, as in the paper; joint: A
        maximises the whole equity), acquisition_spend, acquisition_rate, retention_spend,
        retention_rate, equity_per_prospect.

    References
    ----------
    Blattberg & Deighton (1996) Harvard Business Review 74(4):136-144.
    """
    from scipy import optimize  # slow to load

    steepness = []
    for name, (spend, rate, ceiling) in {
        "acquisition": acquisition,
        "retention": retention,
    }.items():
        if not (spend > 0 and 0 < rate < ceiling <= 1):
            raise InputError(
                name,
                message(
                    "refusals.spend_rate_ceiling_do_not", spend=spend, rate=rate, ceiling=ceiling
                ),
                message("refusals.spend_must_be_positive_and"),
            )
        steepness.append(-np.log(1 - rate / ceiling) / spend)
    k_a, k_r = steepness

    def acquired(spend: ArrayLike) -> np.ndarray:
        return -acquisition[2] * np.expm1(-k_a * np.asarray(spend, dtype=float))

    def retained(spend: ArrayLike) -> np.ndarray:
        return -retention[2] * np.expm1(-k_r * np.asarray(spend, dtype=float))

    def worth(spend: ArrayLike) -> np.ndarray:  # of one acquired customer
        rate = retained(spend)
        kept = rate / (1 + discount_rate)
        return margin + (margin - np.asarray(spend) / rate) * kept / (1 - kept)

    def equity(spend: ArrayLike, retention_spend: ArrayLike) -> np.ndarray:
        return acquired(spend) * worth(retention_spend) - np.asarray(spend)

    # the best cell of a grid first: a customer's worth need not have a single peak in R
    grid = np.concatenate([[1e-9], np.geomspace(1e-4, 1, 2000)]) * margin / max(discount_rate, 0.01)
    peak = int(worth(grid).argmax())
    around = grid[max(peak - 1, 0)], grid[min(peak + 1, grid.size - 1)]
    found = optimize.minimize_scalar(
        lambda spend: -worth(spend), bounds=around, options={"xatol": 1e-9 * grid[-1]}
    )
    best_r = float(found.x)
    # d/dA of a(A)·V − A is zero at A = ln(k·ceiling·V)/k; below zero spending never pays
    slopes = k_a * acquisition[2] * np.array([margin, float(worth(best_r))])
    best_a = np.log(np.maximum(slopes, 1)) / k_a
    plans = {
        "current": (acquisition[0], retention[0]),
        "first_year": (best_a[0], best_r),
        "joint": (best_a[1], best_r),
    }
    optimum = pd.DataFrame(
        {
            "plan": list(plans),
            "acquisition_spend": [a for a, _ in plans.values()],
            "acquisition_rate": [float(acquired(a)) for a, _ in plans.values()],
            "retention_spend": [r for _, r in plans.values()],
            "retention_rate": [float(retained(r)) for _, r in plans.values()],
            "equity_per_prospect": [float(equity(a, r)) for a, r in plans.values()],
        }
    )
    current, joint = optimum.iloc[0], optimum.iloc[2]
    sentence = message(
        "lifetime.best_plan", acquisition=joint["acquisition_spend"],
        retention=joint["retention_spend"], best=joint["equity_per_prospect"],
        now=current["equity_per_prospect"],
    )  # fmt: skip
    warnings = [message("lifetime.response_judged")]
    if peak == 0:
        warnings.append(message("lifetime.no_retention_spend"))
    if slopes[1] <= 1:
        warnings.append(message("lifetime.no_acquisition_spend"))
    return SpendingSplit(optimum, sentence, tuple(warnings))


@dataclass(frozen=True)
class Payback:
    """When the cost of acquiring a customer is earned back; `years` is None when it is not."""

    flows: pd.DataFrame
    years: float | None
    sentence: str
    warnings: tuple[str, ...]


def payback(
    acquisition_cost: float, yearly_profit: Sequence[float], discount_rate: float = 0.0
) -> Payback:
    """Years until the (discounted, year-end) profits cover the acquisition cost.

    Returns
    -------
    Payback
        flows: year, profit, discounted_profit, cumulative. Within a year profit is taken as even.
    """
    profit = np.asarray(yearly_profit, dtype=float)
    if acquisition_cost <= 0 or not profit.size:
        raise InputError(
            "acquisition_cost",
            message("refusals.must_be_positive_with_yearly"),
            message("refusals.mend_it"),
        )
    year = np.arange(1, profit.size + 1)
    discounted = profit / (1 + discount_rate) ** year
    cumulative = np.cumsum(discounted) - acquisition_cost
    flows = pd.DataFrame(
        {"year": year, "profit": profit, "discounted_profit": discounted, "cumulative": cumulative}
    )
    reached = np.flatnonzero(cumulative >= 0)
    if not reached.size:
        sentence = message("lifetime.not_earned", years=profit.size, missing=-cumulative[-1])
        return Payback(flows, None, sentence, (sentence,))
    last = int(reached[0])
    years = last + 1 - cumulative[last] / discounted[last]
    return Payback(flows, float(years), message("lifetime.earned", years=years), ())
