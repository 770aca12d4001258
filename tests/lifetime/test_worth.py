"""Lifetime value judged by tenths against CLVTools 0.12.1, and its sentences turned round."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cvlib.lifetime.holdout.validate import model_forecasts
from cvlib.lifetime.holdout.worth import _exceeds, validate_value
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.value import lifetime_value


@pytest.fixture(scope="module")
def pareto(summary, spend):
    fit = fit_repeat_buying(summary, "pareto_nbd")
    people = summary.customers
    worth = lifetime_value(fit, spend, people, annual_rate=0.1)
    own = model_forecasts(fit, summary, spend.forecast(people))[0]
    return fit, worth, own, validate_value(summary, fit, spend, worth, own)


def test_tenths_of_the_reference(pareto, lifetime_second):
    """CLVTools stops early, hence 1e-3; what is counted is exact."""
    told = pd.read_csv(lifetime_second / "cdnow_clv_deciles.csv")
    found = pareto[3].tenths
    assert found["tenth"].tolist() == told["group"].tolist()
    names = {
        "clv_sum": "clv_sum", "share_of_equity": "share_of_equity",
        "forecast_spend": "predicted_spend", "expected_purchases": "predicted_purchases",
        "realised_spend": "realised_spend", "realised_purchases": "realised_purchases",
        "churn": "churn", "p_alive": "mean_p_alive",
    }  # fmt: skip
    for ours, theirs in names.items():
        assert found[ours].to_numpy() == pytest.approx(told[theirs].to_numpy(), rel=1e-3), ours
    assert found["realised_spend"].to_numpy() == pytest.approx(told["realised_spend"], rel=1e-7)
    equity = json.loads((lifetime_second / "reference.json").read_text())
    equity = equity["clvtools_cdnow_equity_10_percent"]["equity"]
    assert pareto[1].equity == pytest.approx(equity, rel=1e-3)


def test_value_ranks_activity_and_spend(pareto):
    assert pareto[3].measure("auc_activity") == pytest.approx(0.771, abs=5e-4)
    assert pareto[3].measure("spearman_spend") == pytest.approx(0.446, abs=5e-4)


def test_what_of_equity_is_judged(pareto, summary, spend):
    fit, worth, _, found = pareto
    inside = lifetime_value(fit, spend, summary.customers, annual_rate=0.1, horizon=39.0)
    share = inside.measure("customer_equity") / worth.equity
    assert found.measure("equity_judged_share") == pytest.approx(share, rel=1e-12)
    assert 0 < found.measure("equity_beyond_5_years") < 1 - share
    never = summary.customers["x"].to_numpy() == 0
    each = worth.customers["lifetime_value"].to_numpy()
    told = each[never].sum() / worth.equity
    assert found.measure("equity_never_returned_share") == pytest.approx(told)


def test_the_split_adds_up(pareto):
    part = pareto[3].split.set_index("component")["value"]
    assert part["by_number"] + part["by_size"] == pytest.approx(part["error"], rel=1e-9)
    assert part["forecast_spend"] - part["realised_spend"] == pytest.approx(part["error"])


def test_slope_of_a_right_forecast_is_one_and_of_one_too_spread_below(pareto, summary, spend):
    fit, worth, own, found = pareto
    people = summary.customers.copy()
    people["holdout_spend"] = own.spend
    right = validate_value(replace(summary, customers=people), fit, spend, worth, own)
    assert right.measure("slope") == pytest.approx(1, abs=1e-9)
    wide = replace(own, spend=own.spend**2 / own.spend.mean())
    too_far = validate_value(replace(summary, customers=people), fit, spend, worth, wide)
    assert too_far.measure("slope") == pytest.approx(0.5, abs=1e-9)
    assert found.measure("slope_low") < found.measure("slope") < found.measure("slope_high")


def test_a_tenth_that_realises_more_than_a_better_one_is_flagged():
    mean = np.array([10.0, 5.0, 8.0, 1.0])
    flagged = _exceeds(mean, np.full(4, 0.3), 0.05)
    assert np.isnan(flagged[[0, 1, 3]]).all() and flagged[2] == 2
    assert np.isnan(_exceeds(mean, np.full(4, 3.0), 0.05)).all()


def test_sentences_turn_with_the_numbers(pareto):
    found = pareto[3]
    assert found.judged_sentence.id == "lifetime.equity_judged_little"
    most = found.judged.assign(value=0.9)
    assert replace(found, judged=most).judged_sentence.id == "lifetime.equity_judged_most"
    none = found.judged.iloc[:0]
    assert replace(found, judged=none).judged_sentence.id == "lifetime.equity_unjudged"
    assert found.order_sentence.id == "lifetime.value_order_right"
    turned = found.tenths.assign(churn=found.tenths["churn"].to_numpy()[::-1])
    assert replace(found, tenths=turned).order_sentence.id == "lifetime.value_order_wrong"
    above = found.tenths.assign(exceeds=[np.nan] * 9 + [5.0])
    said = replace(found, tenths=above).exceeding
    assert [text.values["better"] for text in said] == [5]


def test_without_money_the_tenths_are_of_purchases(summary, spend, pareto):
    fit, worth, own, _ = pareto
    poor = replace(spend, reason=worth.sentence)
    without = lifetime_value(fit, poor, summary.customers, annual_rate=0.1)
    found = validate_value(summary, fit, poor, without, replace(own, spend=None))
    assert len(found.tenths) == 10 and "clv_sum" not in found.tenths
    assert found.calibration.empty and found.reason is not None
    assert found.judged_sentence.id == "lifetime.equity_unjudged"


def test_a_slope_that_the_data_do_not_tell_is_left_out():
    from cvlib.lifetime.holdout.worth import _slope

    assert _slope(np.array([50.0, 2000.0]), np.array([0.0, 90.0]), 0.95) == {}  # grows without end
    found = _slope(np.array([50.0, 200.0, 2000.0]), np.array([50.0, 200.0, 2000.0]), 0.95)
    assert found["slope"] == pytest.approx(1)
