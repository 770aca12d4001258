"""Profit of a campaign by hand, an experiment with a known effect, and the next period's list."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout import experiment, next_period, retention
from cvlib.lifetime.holdout.forecast import Forecast
from cvlib.lifetime.holdout.validate import model_forecasts
from cvlib.lifetime.value import lifetime_value
from cvlib.statistics.campaign import Campaign
from cvlib.statistics.resample import Bootstrap

NONE = Bootstrap(draws=0)


@pytest.fixture(scope="module")
def value(summary, fit, spend):
    return lifetime_value(fit, spend, summary.customers, annual_rate=0.1, margin=0.3)


@pytest.fixture(scope="module")
def campaign(summary, forecasts, value):
    terms = Campaign(incentive=5, contact=2)
    return retention.retention_campaign(summary, forecasts, value, terms)


def four(summary, value, left, worth, risk, terms):
    """A campaign among four customers."""
    people = summary.customers.iloc[:4].assign(holdout_purchases=1 - np.array(left))
    few = replace(summary, customers=people)
    rows = value.customers.iloc[:4].assign(lifetime_value=worth)
    own = Forecast("bg_nbd", probability=1 - np.array(risk))
    return retention.retention_campaign(few, [own], replace(value, customers=rows), terms)


def test_profit_by_hand(summary, value):
    terms = Campaign(incentive=10, contact=1, response=0.5)
    found = four(summary, value, [1, 1, 0, 0], [100.0, 20, 200, 40], [0.9, 0.8, 0.4, 0.1], terms)
    # p γ (V - d) - (1 - p) d - f
    assert found.customers["expected_profit"].tolist() == pytest.approx([38.5, 1.0, 31.0, -8.5])
    assert found.customers["value_at_risk"].tolist() == pytest.approx([90, 16, 80, 4])
    # a leaver earns γ (V - d) - f = 44 and 4, a stayer costs 11
    each = found.orders.set_index("order")["profit"]
    assert each["expected_profit"] == pytest.approx(44 - 11 + 4)
    assert each["risk"] == pytest.approx(44 + 4 - 11)
    assert each["oracle"] == pytest.approx(48)
    assert each["everybody"] == pytest.approx(48 - 22) and each["nobody"] == 0
    rows = found.curve[found.curve["model"] == "lifetime_value"]
    curve = rows.groupby("customers")["profit"].first()
    assert curve[0] == 0 and curve[1] == -11 and curve[2] == 33


def test_equal_scores_share_places(summary, value):
    terms = Campaign(incentive=10, contact=1, response=0.5)
    found = four(summary, value, [1, 0, 1, 0], [100.0, 100, 100, 100], [0.5] * 4, terms)
    risk = found.curve[found.curve["model"] == "risk"].groupby("customers")["profit"].first()
    assert risk[2] == pytest.approx((44 * 2 - 11 * 2) / 2)


def test_scores_never_earn_less_than_everybody_or_nobody(campaign):
    table = campaign.emp
    assert (table["emp"] >= np.maximum(table["everybody"], 0)).all()
    best = campaign.orders.set_index("order")["best_profit"]
    assert (best["oracle"] >= best).all()


def test_the_sentence_turns_with_costs_and_outcomes(summary, value, campaign):
    assert campaign.sentence.id == "lifetime.campaign_pays"
    dear = Campaign(incentive=5, contact=1e6)
    terms = Campaign(incentive=10, contact=1, response=0.5)
    worth, risk = [100.0, 20, 200, 40], [0.9, 0.8, 0.4, 0.1]
    told = [
        four(summary, value, [1, 1, 0, 0], worth, risk, dear).sentence.id,
        four(summary, value, [0, 0, 0, 1], worth, risk, terms).sentence.id,
        four(summary, value, [1, 1, 1, 1 - 1], [100.0, 20, 200, 900], [0.9, 0.1, 0.1, 0.0],
             replace(terms, incentive=0, contact=0.1)).sentence.id,
    ]  # fmt: skip
    assert told[:2] == ["lifetime.campaign_nobody", "lifetime.campaign_loses"]
    assert told[2] in ("lifetime.campaign_everybody", "lifetime.campaign_pays")


def test_without_leavers_or_money_there_is_a_reason(summary, value, forecasts):
    people = summary.customers.assign(holdout_purchases=1)
    stay = replace(summary, customers=people)
    found = retention.retention_campaign(stay, forecasts, value)
    assert found.orders.empty and found.sentence.id == "lifetime.campaign_left_out"
    poor = replace(value, reason=value.sentence)
    assert retention.retention_campaign(summary, forecasts, poor).reason is not None


# what was tried


def tried(effect, n=4000, seed=3, unlike=0.0):
    """An experiment among customers some of whom contact holds, whom risk does not show."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(2, n)
    hold = rng.random(n) < 0.5
    arm = (rng.random(n) < 0.5 + unlike * (x > 2)).astype(float)
    stay = rng.random(n) < np.clip(0.3 + 0.05 * (x > 2) + effect * arm * hold, 0, 1)
    age = rng.uniform(20, 30, n)
    people = pd.DataFrame(
        {"customer_id": np.arange(n), "x": x, "t_x": np.where(x > 0, age * 0.5, 0), "T": age,
         "monetary": rng.gamma(2, 20, n), "holdout_purchases": stay.astype(int)}
    )  # fmt: skip
    table = pd.DataFrame({"customer_id": people["customer_id"], "treated": arm})
    return people, table, {"risk": -x + rng.random(n) * 1e-3, "hold": hold.astype(float)}


def judged(summary, people, table, scores, draws=100):
    few, these = Bootstrap(draws=draws), replace(summary, customers=people)
    return experiment.campaign_experiment(these, table, scores, bootstrap=few)


def test_effect_and_qini_find_what_was_put_in(summary):
    people, table, scores = tried(0.3)
    found = judged(summary, people, table, scores)
    assert found.effect_sentence.id == "lifetime.treated_held"
    assert found.measure("ci_low") < 0.15 < found.measure("ci_high")
    rows = found.qini.set_index("score")
    assert rows.loc["hold", "ci_low"] > 0 and found.order_sentence.id == "lifetime.qini_chance"
    assert found.order_sentence.values["best"] == "hold"
    assert rows.loc["hold", "uplift_10"] > rows.loc["risk", "uplift_10"]
    other = judged(summary, *tried(-0.3))
    assert other.effect_sentence.id == "lifetime.treated_drove"
    assert judged(summary, *tried(0.0)).effect_sentence.id == "lifetime.treated_open"


def test_arms_that_differ_beforehand_are_refused_causal_words(summary):
    found = judged(summary, *tried(0.3, unlike=0.3), draws=0)
    assert found.effect_sentence.id == "lifetime.treated_unlike" and not found.alike
    assert abs(found.balance.set_index("history")["smd"]["x"]) > 0.1
    assert found.order_sentence is None  # without draws there is nothing to tell


def test_the_reference_experiment(lifetime_second, summary):
    """The same coefficients as scikit-uplift through this door."""
    data = pd.read_csv(lifetime_second / "uplift.csv")
    told = json.loads((lifetime_second / "reference.json").read_text())["uplift"]
    n = len(data)
    rng = np.random.default_rng(1)
    people = pd.DataFrame(
        {"customer_id": np.arange(n), "x": rng.poisson(2, n), "t_x": 1.0, "T": rng.uniform(5, 9, n),
         "monetary": rng.gamma(2, 20, n), "holdout_purchases": data["retained"]}
    )  # fmt: skip
    table = data[["treated"]].assign(customer_id=[f"{i}" for i in range(n)])
    scores = {"risk": data["score_risk"], "uplift": data["score_uplift"]}
    rows = judged(summary, people, table, scores, draws=0).qini.set_index("score")
    for name, key in (("risk", "score_risk"), ("uplift", "score_uplift")):
        assert rows["qini"][name] == pytest.approx(told[key]["qini_auc_score"], abs=1e-10)
        assert rows["area"][name] == pytest.approx(told[key]["raw_area"], rel=1e-10)


def test_bad_experiments_are_refused(summary):
    people, table, scores = tried(0.3, n=400)
    for wrong, said in (
        (table.assign(treated=2), "treated"),
        (pd.concat([table, table.iloc[:1]]), "twice"),
        (table.iloc[:60], "At least|of each"),
        (table.drop(columns="treated"), "treated"),
    ):
        with pytest.raises(InputError, match=said):
            judged(summary, people, wrong, scores, draws=0)
    assert experiment.campaign_experiment(summary, "", scores) is None


def test_an_effect_that_cannot_be_learnt_is_left_out(summary):
    people, table, scores = tried(0.3, n=400)
    people["holdout_purchases"] = (table["treated"] == 1).astype(int)
    found = judged(summary, people, table, scores, draws=0)
    assert "effect_logit" not in found.qini["score"].tolist()
    assert found.warnings[-1].id == "lifetime.effect_logit_left_out"


# the next period


def test_the_next_period_is_fitted_to_the_whole_log(log):
    found = next_period.next_period(log, campaign=Campaign(incentive=5, contact=2), days=91,
                                    margin=0.3)  # fmt: skip
    table = found.customers
    assert len(table) == log["customer_id"].nunique()
    from cvlib.lifetime.purchases.summary import summarise_purchases
    from cvlib.lifetime.repeat_buying import fit_repeat_buying

    whole = summarise_purchases(log, calibration_end="1998-06-30", holdout_end="1998-06-30")
    own = fit_repeat_buying(whole).predict(whole.customers, 13)
    assert table["risk"].to_numpy() == pytest.approx(1 - own["probability_of_purchase"].to_numpy())
    assert found.measure("expected_purchases") == pytest.approx(own["expected_purchases"].sum())
    assert (table["contact"] == (table["expected_profit"] > 0)).all()
    assert found.measure("customers_to_contact") == table["contact"].sum() > 0
    assert found.sentence.id == "lifetime.next_contact"
    listed = found.published(pseudonymise=False)
    assert listed["expected_profit"].is_monotonic_decreasing and "customer" in listed
    dear = next_period.next_period(log, campaign=Campaign(contact=1e6), days=91)
    assert dear.sentence.id == "lifetime.next_contact_none"
    with pytest.raises(InputError, match="days"):
        next_period.next_period(log, days=0)


def test_without_money_the_next_period_lists_purchases(log):
    found = next_period.next_period(log, days=91)
    poor = replace(found, reason=found.sentence)
    assert poor.sentence.id == "lifetime.next_purchases"
    assert poor.published()["expected_purchases"].is_monotonic_decreasing


def test_risk_is_that_of_the_forecast(campaign, summary, fit):
    own = model_forecasts(fit, summary)[0]
    assert campaign.customers["risk"].to_numpy() == pytest.approx(1 - own.probability)


@pytest.mark.parametrize("rounded", [False, True])
def test_a_hull_thinned_first_is_the_hull(rounded: bool, monkeypatch) -> None:
    from cvlib.statistics import campaign as campaigns

    rng = np.random.default_rng(4)
    score = rng.normal(size=2000)
    score = np.round(score, 1) if rounded else score
    left = (rng.random(2000) < 1 / (1 + np.exp(-score))).astype(float)
    weight = rng.random(2000) * (rng.random(2000) < 0.7)
    thinned = campaigns.roc_hull(score, left, weight)
    monkeypatch.setattr(campaigns, "_corners", lambda leavers, stayers: (leavers, stayers))
    whole = campaigns.roc_hull(score, left, weight)
    assert len(whole) > 5
    np.testing.assert_allclose(thinned, whole, atol=1e-13)
