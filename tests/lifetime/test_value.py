"""Lifetime value: the product of its parts, published totals, one discount rate for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.lifetime.value import lifetime_value

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "lifetime"


@pytest.fixture(scope="module")
def cdnow():
    return summarise_purchases(
        ROOT / "data" / "cdnow_sample.csv", calibration_end="1997-09-30", holdout_end="1998-06-30"
    )


@pytest.fixture(scope="module")
def models(cdnow):
    fits = {name: fit_repeat_buying(cdnow, name) for name in ("bg_nbd", "pareto_nbd")}
    return fits, fit_spend(cdnow)


def total(value, measure="customer_equity"):
    return value.value.set_index("measure")["value"][measure]


@pytest.mark.parametrize(
    "model, row", [("bg_nbd", "BG/NBD x GG"), ("pareto_nbd", "Pareto/NBD x GG")]
)
def test_undiscounted_holdout_value_equals_the_reference(cdnow, models, model, row):
    expected = pd.read_csv(REFERENCE / "computed_cdnow_value_holdout.csv", index_col=0).loc[row]
    fits, spend = models
    value = lifetime_value(fits[model], spend, cdnow.customers, annual_rate=0.0, horizon=39.0)
    each = value.customers["lifetime_value"]
    actual = cdnow.customers["holdout_spend"]
    assert total(value) == pytest.approx(expected["sum"], abs=0.06)
    assert each.sum() / actual.sum() - 1 == pytest.approx(expected["bias"], abs=5e-5)
    assert (each - actual).abs().mean() == pytest.approx(expected["MAE"], abs=5e-4)
    assert np.corrcoef(each, actual)[0, 1] == pytest.approx(expected["corr"], abs=5e-5)


def test_value_is_margin_times_spend_times_discounted_purchases(cdnow, models):
    fits, spend = models
    fit = fits["bg_nbd"]
    sample = cdnow.customers.sample(200, random_state=3)
    value = lifetime_value(fit, spend, sample, annual_rate=0.15, margin=0.3)
    x, t_x, T = (sample[name] for name in ("x", "t_x", "T"))
    purchases = fit.discounted_expected_purchases(0.15, x, t_x, T)
    mean = spend.expected_spend(x, sample["mean_repeat_spend"])
    np.testing.assert_allclose(value.customers["lifetime_value"], 0.3 * purchases * mean)
    assert value.customers["customer_id"].tolist() == sample["customer_id"].tolist()
    assert total(value) == pytest.approx(0.3 * (purchases * mean).sum())
    assert total(value, "annual_rate") == 0.15


def test_the_rate_is_per_year_whatever_the_unit(cdnow, models):
    # the mistake of a yearly rate applied per week divides DERT by about twenty
    fits, spend = models
    days = summarise_purchases(
        ROOT / "data" / "cdnow_sample.csv",
        calibration_end="1997-09-30",
        holdout_end="1998-06-30",
        unit="day",
    )
    by_week = lifetime_value(fits["pareto_nbd"], spend, cdnow.customers, annual_rate=0.1)
    fit = fit_repeat_buying(days, "pareto_nbd")
    by_day = lifetime_value(fit, spend, days.customers, annual_rate=0.1)
    assert total(by_day) == pytest.approx(total(by_week), rel=1e-5)


def test_longer_horizons_and_lower_rates_are_worth_more(cdnow, models):
    fits, spend = models

    def equity(**options):
        return total(lifetime_value(fits["bg_nbd"], spend, cdnow.customers[:150], **options))

    ladder = [
        equity(annual_rate=0.2, horizon=52.0),
        equity(annual_rate=0.1, horizon=52.0),
        equity(annual_rate=0.1, horizon=520.0),
        equity(annual_rate=0.1),
        equity(annual_rate=0.05),
    ]
    assert ladder == sorted(ladder)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"annual_rate": 0.0}, "without a horizon"),
        ({"annual_rate": -0.1, "horizon": 52.0}, "annual_rate"),
        ({"annual_rate": 0.1, "margin": 30.0}, "margin"),
        ({"annual_rate": 0.1, "horizon": -1.0}, "horizon"),
    ],
)
def test_faulty_assumptions_are_refused(cdnow, models, options, message):
    fits, spend = models
    with pytest.raises(InputError, match=message):
        lifetime_value(fits["bg_nbd"], spend, cdnow.customers[:5], **options)


def test_missing_column_is_named(cdnow, models):
    fits, spend = models
    with pytest.raises(InputError, match="no column 't_x'"):
        lifetime_value(fits["bg_nbd"], spend, cdnow.customers.drop(columns="t_x"), annual_rate=0.1)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd", "ggom_nbd", "nbd"])
@pytest.mark.parametrize("horizon", [None, 52.0])
def test_discounted_purchases_by_pairs_are_those_row_by_row(model: str, horizon) -> None:
    """What is laid out once per pair of x and T, or per T, is what every row has alone."""
    from cvlib.lifetime.repeat_buying.families import MODELS, _discounted_by_row, discounted

    family, size = MODELS[model], len(MODELS[model].PARAMETERS)
    theta = np.array([-0.6, 2.0, -0.4, 1.5, 0.3])[:size]
    x, T = np.array([0.0, 3, 3, 40, 0, 7]), np.array([5.0, 30, 30, 38, 39, 1])
    found = discounted(family, theta, 0.002, horizon, x, T)
    alone = _discounted_by_row(family, theta, 0.002, horizon, x, T)
    np.testing.assert_allclose(found, alone, rtol=1e-8)
