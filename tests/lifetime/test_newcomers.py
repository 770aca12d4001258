"""New customers: counted, judged in the holdout, and never part of customer equity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.lifetime.holdout import newcomers
from cvlib.lifetime.simulate import simulate_transactions

TRUTH = {"r": 0.55, "alpha": 10.6, "s": 2.0, "beta": 40.0}
SPEND = {"p": 6.25, "q": 3.74, "v": 15.4}


def _log(weeks: float, joining: float, customers: int = 1200) -> pd.DataFrame:
    return simulate_transactions(
        "pareto_nbd", TRUTH, customers=customers, periods=weeks, joining=joining, unit="week",
        spend=SPEND, seed=3,
    )  # fmt: skip


def _found(frame: pd.DataFrame, cut: str, end: str, days: int = 91):
    log = cv.lifetime.transaction_log(frame)
    split = cv.lifetime.summarise_purchases(log, calibration_end=cut, holdout_end=end)
    ahead = cv.lifetime.next_period(log, "pareto_nbd", days=days, margin=0.3)
    return ahead, cv.lifetime.future_customers(split, ahead, annual_rate=0.1, margin=0.3)


@pytest.fixture(scope="module")
def found():
    return _found(_log(104.0, 104.0), "2021-06-30", "2021-12-28")


def test_the_level_is_found_and_holds(found) -> None:
    ahead, told = found
    table = told["new_customers"].set_index("period")
    truth = 1200 / 728 * 91
    assert table.loc["next", "ci_low"] < truth < table.loc["next", "ci_high"]
    assert table.loc["next", "expected"] == pytest.approx(truth, rel=0.15)
    assert table.loc["holdout", "rule"] == "last_year"
    assert told.sentence.id == "lifetime.newcomers" and not told.warnings
    total = told["period_total"].set_index("part")
    own = ahead.customers["expected_purchases"].sum()
    assert total.loc["existing", "purchases"] == pytest.approx(own)
    assert total.loc["all", "spend"] == pytest.approx(
        total.loc["existing", "spend"] + total.loc["new", "spend"]
    )
    # a new customer buys once for certain, and then as the model says of half the period
    new = total.loc["new", "purchases"] / table.loc["next", "expected"]
    assert new == pytest.approx(1 + float(ahead.fit.expected_from_start(6.5)), rel=0.1)


def test_future_customers_are_no_part_of_equity(found) -> None:
    ahead, told = found
    value = told["future_value"].set_index("measure")["value"]
    assert value["customer_equity"] == pytest.approx(ahead.customers["lifetime_value"].sum())
    later = float(ahead.fit.discounted_expected_purchases(0.1, 0.0, 0.0, 0.0))
    price = float(ahead.spend.expected_spend(0.0, 0.0))
    assert value["value_of_one"] == pytest.approx(0.3 * price * (1 + later))
    assert value["value_of_new"] < value["value_of_one"] * 1200 / 728 * 91 * 1.2


def test_a_firm_that_stops_winning_is_told(found) -> None:
    """The forecast at the cut does not hold where joining ends there: the sentence turns."""
    frame = _log(104.0, 104.0)
    first = frame.groupby("customer_id")["date"].transform("min")
    few = frame[(first <= "2021-06-30") | (frame["customer_id"] % 10 == 0)]
    _, told = _found(few, "2021-06-30", "2021-12-28")
    assert [said.id for said in told.warnings] == ["lifetime.newcomers_missed"]
    assert not found[1].warnings


def test_a_cohort_and_a_short_log_have_a_reason() -> None:
    _, told = _found(_log(60.0, 12.0, 400), "2020-10-31", "2021-02-20")
    assert told.sentence.id == "lifetime.newcomers_none" and not told.found
    _, told = _found(_log(10.0, 10.0, 400), "2020-02-10", "2020-03-08", 28)
    assert told.sentence.id == "lifetime.newcomers_short"


def test_trend_and_month_are_taken_where_there_are_years() -> None:
    """Counts that double by year and peak in December are carried on."""
    days = pd.date_range("2019-01-01", "2023-12-31")
    year = (days - days[0]).days / 365.25
    mean = 2.0 * 1.5**year * np.where(days.month == 12, 3.0, 1.0)
    firsts = pd.Series(np.random.default_rng(1).poisson(mean), index=days)
    model = newcomers._months(firsts, days[0], days[-1])
    assert model.rule == "trend_and_month"
    coming = model.drawn(days[-1], 366, 500, np.random.default_rng(2))
    truth = 2.0 * 1.5 ** (5 + (np.arange(366) + 0.5) / 365.25)
    month = pd.date_range("2024-01-01", periods=366).month
    truth = pd.Series(truth * np.where(month == 12, 3.0, 1.0)).groupby(month).sum().to_numpy()
    np.testing.assert_allclose(coming.expected, truth, rtol=0.25)
    assert coming.expected.sum() == pytest.approx(truth.sum(), rel=0.08)


def test_the_spread_is_that_of_the_counts() -> None:
    rng = np.random.default_rng(3)
    mean = 200.0
    count = rng.poisson(mean * rng.gamma(1 / 0.05, 0.05, 400)).astype(float)
    at, _, spread = newcomers._negative_binomial(count, np.ones((400, 1)), np.full(400, 30.0))
    assert np.exp(at[0]) * 30 == pytest.approx(count.mean(), rel=1e-6)
    assert spread == pytest.approx(0.05, rel=0.25)
    even = rng.poisson(mean, 400).astype(float)
    assert newcomers._negative_binomial(even, np.ones((400, 1)), np.full(400, 30.0))[2] < 0.002


@pytest.mark.slow
def test_intervals_cover_what_comes() -> None:
    """95 % intervals of a quarter, level of a year of scattered months: 91 to 99 % of 400."""
    rng, days = np.random.default_rng(6), pd.date_range("2020-01-01", "2021-12-31")
    later, held = pd.date_range("2022-01-01", periods=90), 0
    every = days.append(later)
    for _ in range(400):
        months = every.to_period("M")
        pace = pd.Series(rng.gamma(20, 1 / 20, months.nunique()), index=months.unique())
        count = rng.poisson(3.0 * pace.reindex(months).to_numpy())
        model = newcomers._months(pd.Series(count[: len(days)], index=days), days[0], days[-1])
        drawn = model.drawn(days[-1], 90, 1000, rng).drawn.sum(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        held += low <= count[len(days) :].sum() <= high
    assert 0.91 <= held / 400 <= 0.99
