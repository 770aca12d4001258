"""Regular buyers in the race, and purchases that follow the year: simulated logs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.lifetime.holdout.season import seasonal_test


def log_of(k: int, n: int = 1500, seed: int = 1) -> pd.DataFrame:
    """Buyers for ever, at rates of their own, whose gaps are Erlang of shape k."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2.0, 1 / 40.0, n)
    begin = rng.integers(0, 60, n)
    gaps = rng.gamma(k, 1 / (k * rate[:, None]), (n, 60))
    days = np.floor(
        begin[:, None] + np.concatenate([np.zeros((n, 1)), gaps.cumsum(axis=1)], axis=1)
    )
    who, when = np.nonzero(days < 400)
    date = pd.Timestamp("2022-01-01") + pd.to_timedelta(days[who, when], unit="D")
    return pd.DataFrame({"customer_id": who, "date": date, "amount": 10.0})


@pytest.mark.parametrize("k", [1, 3])
def test_regular_buyers_join_the_race_where_they_are_regular(k: int) -> None:
    rows = log_of(k)
    p = cv.lifetime.purchases(rows, until="2022-10-31", holdout="2023-01-31")
    found = cv.lifetime.buying_rhythm(p)
    before = rows[rows["date"] <= "2022-10-31"]
    direct = cv.lifetime.regularity(before).regularity
    np.testing.assert_allclose(
        found.regularity.iloc[:, 1:].to_numpy(float), direct.iloc[:, 1:].to_numpy(float), rtol=1e-9
    )
    if k == 1:
        assert not found.forecasts and (found.fit is None or found.fit.k == 1)
        return
    assert found.fit is not None and found.fit.k in (2, 3, 4)
    own = cv.lifetime.model_forecasts(cv.lifetime.mbg_nbd(p).fit, p)
    judged = cv.lifetime.validate(p.customers, [*found.forecasts, *own], cv.lifetime.Bootstrap(0))
    values = found.by_k.set_index("k")["log_likelihood"]
    assert values[found.fit.k] > values[1] + 100
    assert abs(judged.value("mbg_cnbd_k", "bias")) < 0.1


def course(swing: float, weeks: int = 156) -> pd.DataFrame:
    """Weeks of about 200 expected purchases that follow the year, the last 26 the holdout."""
    rng = np.random.default_rng(4)
    period = np.arange(1, weeks + 1)
    season = np.exp(swing * np.sin(2 * np.pi * period / 52.18))
    sample = np.where(period <= weeks - 26, "calibration", "holdout")
    actual = rng.poisson(200 * season)
    # a fitted model has the level of its calibration
    level = actual[sample == "calibration"].mean()
    return pd.DataFrame({"period": period, "sample": sample, "actual": actual, "expected": level})


def test_a_season_is_found_and_cured_and_none_is_not() -> None:
    found = seasonal_test(course(0.4), "week")
    assert found.sentence.id == "lifetime.season_cured"
    values = found["seasonal_test"].set_index("measure")["value"]
    assert abs(values["error_after"]) < 0.03 < abs(values["error_before"])
    assert values["dispersion"] == pytest.approx(1.0, abs=0.3)
    assert seasonal_test(course(0.0), "week").sentence.id == "lifetime.season_no_waves"
    assert seasonal_test(course(0.4, 100), "week").sentence.id == "lifetime.season_untold"
    assert not seasonal_test(course(0.4), "year").found
