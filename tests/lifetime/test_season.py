"""Season is named as a reason when the years allow it, and only then."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.transactions import transaction_log
from cvlib.lifetime.holdout.season import monthly_purchases, seasonal_index, why_cuts_differ

CHRISTMAS = np.array([0.6] * 10 + [2.4, 3.6])


def series(years: int, shape: np.ndarray, growth: float = 1.0, seed: int = 1) -> pd.Series:
    months = pd.period_range("2021-01", periods=12 * years, freq="M")
    level = 100 * growth ** np.arange(12 * years) * np.tile(shape, years)
    return pd.Series(np.random.default_rng(seed).poisson(level).astype(float), index=months)


def off(*values: float) -> pd.DataFrame:
    cuts = [f"2022-0{n + 1}-01" for n in range(len(values))]
    return pd.DataFrame(
        {"calibration_end": cuts, "model": "bg_nbd", "metric": "bias", "value": values}
    )


def test_the_index_of_a_known_season():
    found = seasonal_index(series(3, CHRISTMAS, growth=1.02))
    np.testing.assert_allclose(found.index["index"], CHRISTMAS / CHRISTMAS.mean(), rtol=0.15)
    assert found.strong and found.years == 3 and found.p < 1e-6
    assert "November and December" in found.say() and "12 月" in found.say("zh")


def test_growth_alone_is_no_season():
    found = seasonal_index(series(3, np.ones(12), growth=1.04))
    assert not found.strong and "do not differ" in found.say()


def test_one_year_cannot_tell():
    found = seasonal_index(series(1, CHRISTMAS))
    assert not found.index.shape[1] and not found.strong and "two complete" in found.say()


def test_the_reason_follows_from_the_index_and_the_errors():
    season, none, short = (
        seasonal_index(series(years, shape))
        for years, shape in ((2, CHRISTMAS), (2, np.ones(12)), (1, CHRISTMAS))
    )
    (said,) = why_cuts_differ(off(-0.73, 0.72, 0.52), "bg_nbd", season)
    assert "73.0% too low, 72.0% too high and 52.0% too high" in said and "likely reason" in said
    (said,) = why_cuts_differ(off(-0.73, 0.72), "bg_nbd", none)
    assert "does not explain" in said and "likely" not in said
    (said,) = why_cuts_differ(off(-0.73, 0.72), "bg_nbd", short)
    assert "cannot be told from a trend" in said
    assert why_cuts_differ(off(-0.12, -0.08, -0.1), "bg_nbd", season) == []
    assert why_cuts_differ(pd.DataFrame(), "bg_nbd", season) == []


@pytest.mark.parametrize(("first", "months"), [("2022-01-02", 3), ("2022-01-20", 2)])
def test_only_complete_months_count(first, months):
    days = pd.to_datetime([first, "2022-02-10", "2022-02-11", "2022-03-31"])
    log = transaction_log(pd.DataFrame({"customer_id": 1, "date": days, "amount": 5.0}))
    found = monthly_purchases(log)
    assert len(found) == months and found.iloc[-2] == 2
