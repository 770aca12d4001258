"""Gamma-Gamma spend: published estimates, gradient, and when it must refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.contact import customer_list
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.simulate import simulate_spend
from cvlib.lifetime.spend import _objective, fit_spend
from cvlib.lifetime.value import lifetime_value

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"
MLE = json.loads((REFERENCE / "computed_mle.json").read_text())
CDNOW = pd.read_csv(REFERENCE / "cdnow_sample_btyd_cbs.csv").rename(
    columns={"m_x": "mean_repeat_spend"}
)


@pytest.fixture(scope="module")
def fit():
    return fit_spend(CDNOW)


def estimates(fit):
    return fit.parameters.set_index("parameter")["estimate"]


def test_estimates_equal_independent_maximum_likelihood(fit):
    expected = dict(MLE["gg_exact"])
    best = fit.fit.set_index("measure")["value"]["log_likelihood"]
    assert best == pytest.approx(expected.pop("LL"), abs=1e-9)
    for name, value in expected.items():
        assert estimates(fit)[name] == pytest.approx(value, rel=2e-6)
    # Fader & Hardie (2013), note 025
    assert estimates(fit)[["p", "q", "v"]].round(2).tolist() == [6.25, 3.74, 15.44]


def test_two_decimal_means_give_their_own_estimates():
    # the file that lifetimes ships rounds half a cent up
    cents = np.floor(CDNOW["mean_repeat_spend"] * 100 + 0.5 + 1e-6)
    rounded = CDNOW.assign(mean_repeat_spend=cents / 100)
    fit = fit_spend(rounded)
    for name in ("p", "q", "v"):
        assert estimates(fit)[name] == pytest.approx(MLE["gg_2dec"][name], rel=2e-6)
    best = fit.fit.set_index("measure")["value"]["log_likelihood"]
    assert best == pytest.approx(MLE["gg_2dec"]["LL"], abs=1e-8)


def test_expected_spend_of_the_first_ten_customers(fit):
    found = fit.expected_spend(CDNOW["x"], CDNOW["mean_repeat_spend"])[:10]
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert found.round(2).tolist() == published


def test_expected_spend_is_a_weighted_mean(fit):
    p, q, v = estimates(fit)[["p", "q", "v"]]
    weight = (q - 1) / (p * 4 + q - 1)
    expected = weight * p * v / (q - 1) + (1 - weight) * 60.0
    assert float(fit.expected_spend(4, 60.0)) == pytest.approx(expected, rel=1e-13)
    assert float(fit.expected_spend(0, 60.0)) == pytest.approx(estimates(fit)["mean_spend"])


def test_frequency_and_spend_are_tested_for_independence(fit):
    repeat = CDNOW[CDNOW["x"] > 0]
    result = pearsonr(repeat["x"], repeat["mean_repeat_spend"])
    row = fit.independence.set_index("measure").loc["pearson"]
    assert row["estimate"] == pytest.approx(0.1139, abs=5e-5)  # the paper's .11
    assert row["p"] == pytest.approx(result.pvalue, rel=1e-9)
    assert any("Pearson r 0.11, p " in warning for warning in fit.warnings)


def test_customers_without_repeats_are_counted(fit):
    count = fit.left_out.set_index("reason")["count"]
    assert count.tolist() == [1411, 0]
    free = CDNOW.assign(mean_repeat_spend=CDNOW["mean_repeat_spend"].where(CDNOW["x"] != 1, 0.0))
    left = fit_spend(free).left_out.set_index("reason")["count"]
    assert left["repeat purchases free of charge"] == 439


def test_gradient_equals_finite_differences():
    rng = np.random.default_rng(4)
    x = rng.integers(1, 400, 80).astype(float)
    objective = _objective(x, rng.gamma(2.0, 30.0, 80))
    for point in np.log([[6.0, 4.0, 15.0], [0.5, 1.5, 300.0], [80.0, 2.0, 0.1]]):
        slope = objective(point)[1]
        for i in range(3):
            step = np.zeros(3)
            step[i] = 1e-5
            numeric = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
            assert slope[i] == pytest.approx(numeric, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("unit", [1e-4, 7.0, 1e6])
def test_a_new_currency_changes_only_v(fit, unit):
    changed = CDNOW.assign(mean_repeat_spend=CDNOW["mean_repeat_spend"] * unit)
    found = estimates(fit_spend(changed))
    assert found["p"] == pytest.approx(estimates(fit)["p"], rel=1e-6)
    assert found["v"] == pytest.approx(estimates(fit)["v"] * unit, rel=1e-6)


def test_recovers_what_was_simulated():
    truth = {"p": 6.0, "q": 3.5, "v": 16.0}
    x = np.random.default_rng(7).integers(1, 8, 6000)
    table = fit_spend(simulate_spend(truth, x, seed=1)).parameters
    table = table.set_index("parameter")
    for name, value in truth.items():
        assert abs(table.loc[name, "estimate"] - value) < 3 * table.loc[name, "std_error"]


def test_no_finite_mean_is_refused_with_the_reason():
    x = np.random.default_rng(7).integers(1, 8, 800)
    fit = fit_spend(simulate_spend({"p": 3.0, "q": 0.6, "v": 2.0}, x, seed=2))
    assert estimates(fit)["q"] < 1
    assert "mean_spend" not in estimates(fit)
    assert any("not above 1" in warning for warning in fit.warnings)
    with pytest.raises(InputError, match="mean spend is infinite"):
        fit.expected_spend(2, 30.0)


def test_one_price_for_all_is_a_ridge():
    rng = np.random.default_rng(5)
    x = rng.integers(1, 6, 300)
    data = pd.DataFrame({"x": x, "mean_repeat_spend": 30.0 + rng.normal(0, 0.01, 300)})
    assert any("ridge" in warning for warning in fit_spend(data).warnings)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"mean_repeat_spend": -1.0}, "negative or missing"),
        ({"mean_repeat_spend": np.nan}, "negative or missing"),
        ({"x": 0}, "fewer than two"),
    ],
)
def test_faulty_customers_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        fit_spend(CDNOW.assign(**change))


def heavy():
    x = np.random.default_rng(7).integers(1, 8, 800)
    return simulate_spend({"p": 3.0, "q": 0.6, "v": 2.0}, x, seed=2)


@pytest.mark.parametrize("data", [CDNOW.assign(mean_repeat_spend=0.0), heavy()])
def test_where_spend_cannot_be_modelled_the_rest_goes_on(data, summary):
    spend = fit_spend(data, required=False)
    assert spend.reason is not None and spend.reason in spend.warnings
    assert spend.forecast(data) is None
    people = summary.customers
    value = lifetime_value(fit_repeat_buying(summary), spend, people, annual_rate=0.1)
    assert value.equity is None and value.reason in value.sentence
    assert "lifetime_value" not in value.customers and len(value.customers) == len(people)
    listed = customer_list(summary, fit_repeat_buying(summary), value)
    assert listed["expected_purchases"].is_monotonic_decreasing


def test_a_fit_that_succeeds_is_the_same_required_or_not(fit):
    other = fit_spend(CDNOW, required=False)
    assert other.reason is None
    np.testing.assert_array_equal(
        other.forecast(CDNOW), fit.expected_spend(CDNOW["x"], CDNOW["mean_repeat_spend"])
    )
