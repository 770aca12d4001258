"""Churn by five outcomes: each by hand on a log in which they differ, and the sentence turned."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cvlib.lifetime.holdout import churn_definitions as churn
from cvlib.lifetime.holdout.forecast import Forecast
from cvlib.lifetime.holdout.validate import model_forecasts
from cvlib.lifetime.purchases.summary import summarise_purchases


@pytest.fixture(scope="module")
def found(summary, forecasts, fit):
    return churn.churn_definitions(summary, fit, forecasts)


def test_the_first_definition_is_the_one_of_the_validation(found, result):
    rows = found.table[found.table["definition"] == "none_in_holdout"].set_index("model")
    for model in ("bg_nbd", "logit", "boosted_trees", "recency"):
        assert rows["auc"][model] == pytest.approx(result.value(model, "auc"), abs=1e-12)
    for model in ("bg_nbd", "logit", "cell_means"):
        skill = result.value(model, "brier_skill")
        assert rows["brier_skill"][model] == pytest.approx(skill, abs=1e-12)
    assert found.order["kendall_tau"].iloc[0] == pytest.approx(1)
    assert np.isnan(rows["brier_skill"]["recency"])


def test_outcomes_by_hand(log, summary, fit):
    days = log[log["amount"] > 0].drop_duplicates(["customer_id", "date"])
    ids = summary.customers["customer_id"]
    late = days[(days["date"] > "1997-09-30") & (days["date"] <= "1998-02-13")]  # 136 of 273 days
    outcomes = {one.name: one for one in churn._outcomes(summary, fit)[0]}
    assert outcomes["none_in_half"].stayed.tolist() == ids.isin(late["customer_id"]).tolist()
    assert outcomes["none_in_half"].length == 136 / 273
    before = log[(log["date"] > "1996-12-31") & (log["date"] <= "1997-09-30")]
    spent = before.groupby("customer_id")["amount"].sum().reindex(ids).to_numpy()
    told = outcomes["spend_below_half"].told
    assert told.tolist() == (spent > 0).tolist()
    kept = summary.customers["holdout_spend"].to_numpy() >= spent / 2
    assert outcomes["spend_below_half"].stayed[told].tolist() == kept[told].tolist()


def test_the_own_point_is_left_by_one_gap_in_twenty():
    people = pd.DataFrame({"x": [4.0, 30.0], "T": [20.0, 50.0]})
    point = churn.own_point(0.5, 6.0, people)
    rng = np.random.default_rng(1)
    for x, age, limit in zip(people["x"], people["T"], point, strict=True):
        rate = rng.gamma(0.5 + x, 1 / (6 + age), 400_000)
        assert (rng.exponential(1 / rate) > limit).mean() == pytest.approx(0.05, abs=0.001)


def test_twice_the_holdout_is_told_where_the_log_goes_on(log, fit, summary):
    short = summarise_purchases(log, calibration_end="1997-09-30", holdout_end="1998-01-31")
    assert (
        "none_in_twice"
        in churn.churn_definitions(short, fit, model_forecasts(fit, short))
        .order["definition"]
        .tolist()
    )
    long = churn.churn_definitions(summary, fit, model_forecasts(fit, summary))
    assert [text.values["definition"] for text in long.warnings] == ["none_in_twice"]
    assert long.warnings[0].values["reason"].id == "lifetime.definition_too_short"


def test_probabilities_are_carried_to_the_length_of_the_definition(summary, fit, found, forecasts):
    own, n = forecasts[0].probability, len(summary.customers)
    y = next(o for o in churn._outcomes(summary, fit)[0] if o.name == "none_in_half").stayed
    base = y.mean() * (1 - y.mean())
    told = found.table.set_index(["definition", "model"])["brier_skill"]["none_in_half", "bg_nbd"]
    assert told == pytest.approx(1 - ((1 - (1 - own) ** (136 / 273) - y) ** 2).sum() / n / base)


def test_the_sentence_turns_with_the_order(found):
    assert found.sentence.id == "lifetime.definitions_differ"
    same = found.order.assign(best="logit", kendall_tau=[1.0, 0.9, 0.8, 0.7])
    assert replace(found, order=same).sentence.id == "lifetime.definitions_agree"
    assert replace(found, order=same).sentence.values["least"] == "spend_below_half"
    assert replace(found, order=same.iloc[:1]).sentence is None


def test_an_outcome_of_one_side_only_is_left_out_with_the_reason(summary, fit):
    people = summary.customers.assign(holdout_purchases=1)
    all_stay = replace(summary, customers=people)
    told = churn.churn_definitions(all_stay, fit, [Forecast("recency", score=np.arange(2357.0))])
    assert told.warnings[-1].values["reason"].id == "lifetime.definition_lopsided"
    assert "none_in_holdout" not in told.order["definition"].tolist()
