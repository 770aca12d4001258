"""Rivals by hand-made customers, by statsmodels, and: nothing of the holdout leaks into them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout import baselines as rivals
from cvlib.lifetime.holdout.forecast import earlier_end
from cvlib.lifetime.purchases.summary import summarise_purchases

LOG = pd.read_csv(Path(__file__).parents[2] / "data" / "cdnow_sample.csv", parse_dates=["date"])
DATES = {"calibration_end": "1997-09-30", "holdout_end": "1998-06-30"}


def made(log):
    summary = summarise_purchases(log, **DATES)
    found = rivals.rival_forecasts(summary)
    return summary.customers, {forecast.model: forecast for forecast in found.forecasts}, found


@pytest.fixture(scope="module")
def cdnow():
    return made(LOG)


def test_every_rival_is_there_and_explained(cdnow):
    customers, by_name, found = cdnow
    assert list(by_name) == found.rules["model"].tolist()
    for forecast in found.forecasts:
        for values in (forecast.expected, forecast.probability, forecast.spend, forecast.score):
            if values is not None:
                assert len(values) == len(customers)
                assert np.isfinite(values).all()
        if forecast.probability is not None:
            assert ((forecast.probability >= 0) & (forecast.probability <= 1)).all()


def test_nothing_after_the_cut_matters(cdnow):
    _, before, _ = cdnow
    scrambled = LOG.copy()
    late = scrambled["date"] > "1997-09-30"
    rng = np.random.default_rng(1)
    scrambled.loc[late, "customer_id"] = rng.integers(1, 2358, int(late.sum()))
    scrambled.loc[late, "amount"] = rng.random(int(late.sum()))
    _, after, _ = made(scrambled)
    for name, forecast in before.items():
        for part in ("expected", "probability", "spend", "score"):
            values, again = getattr(forecast, part), getattr(after[name], part)
            if values is not None:
                np.testing.assert_allclose(again, values, err_msg=f"{name} {part}")


def test_hiatus_threshold_is_the_best_in_sample():
    hiatus = np.array([1.0, 2, 3, 4, 5, 6])
    active = np.array([1.0, 1, 0, 1, 0, 0])
    assert rivals.tune_hiatus(hiatus, active) == (2.0, pytest.approx(5 / 6))


def test_simple_rules_by_their_definition(cdnow):
    customers, by_name, _ = cdnow
    x, age = customers["x"], customers["T"]
    np.testing.assert_allclose(by_name["repeat_rate"].expected, x / age * 39)
    np.testing.assert_allclose(by_name["past_spend"].spend, customers["monetary"])
    assert by_name["past_spend"].spend.sum() == pytest.approx(173115.55)
    assert by_name["past_repeat_spend"].spend.sum() == pytest.approx(95355.6, abs=0.05)
    gap = (pd.Timestamp("1997-09-30") - customers["last_purchase"]).dt.days
    np.testing.assert_allclose(-by_name["recency"].score * 7, gap, atol=1e-6)
    # the last period is 17 May to 30 September (136 of 273 days)
    days = LOG[(LOG["date"] > "1997-05-17") & (LOG["date"] <= "1997-09-30")]
    bought = days.groupby("customer_id")["date"].nunique().reindex(customers["customer_id"])
    np.testing.assert_allclose(
        by_name["last_period"].expected, bought.fillna(0) * 273 / 136, rtol=1e-12
    )
    spent = days.groupby("customer_id")["amount"].sum().reindex(customers["customer_id"])
    np.testing.assert_allclose(
        by_name["last_period"].spend, spent.fillna(0) * 273 / 136, rtol=1e-9, atol=1e-9
    )


def test_logit_is_an_unpenalised_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    features = np.column_stack([np.ones(400), rng.normal(size=(400, 4)) * [1, 5, 2, 3]])
    active = (rng.random(400) < 1 / (1 + np.exp(-features[:, 1]))).astype(float)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(features[:, 1:], active)
    found = rivals._logit(features, active, features[:50])
    np.testing.assert_allclose(found, model.predict_proba(features[:50, 1:])[:, 1], atol=1e-5)


def test_cell_means_are_means_of_alike_customers():
    customers = pd.DataFrame({"x": [0, 0, 1, 6], "t_x": [0.0, 0, 5, 19], "T": [20.0, 30, 20, 20]})
    cells = rivals._cells(customers, np.array([0.2, 0.5, 0.8]))
    assert cells[0] == cells[1] == 0
    assert cells.tolist()[2:] == [1 + 2, 1 + 4 * 3 + 0]  # .75 of T ago: third quarter; .05: first


def test_rules_that_cannot_learn_are_left_out_with_the_reason():
    days = ["1997-01-01", "1997-01-20", "1997-01-02", "1997-02-01", "1997-12-01"]
    log = pd.DataFrame(
        {"customer_id": [1, 1, 2, 3, 1], "date": pd.to_datetime(days), "amount": [5.0] * 5}
    )
    summary = summarise_purchases(log, calibration_end="1997-09-30")
    found = rivals.rival_forecasts(summary)
    known = ["recency", "hiatus_six_months", "repeat_rate", "past_spend", "past_repeat_spend"]
    assert [forecast.model for forecast in found.forecasts] == [*known, "nbd"]
    assert found.rules["model"].tolist() == [*known, "nbd"]
    assert "lifetime.rivals_untrained" in [getattr(text, "id", "") for text in found.warnings]
    nothing = summarise_purchases(log, calibration_end="1997-12-01", holdout_end="1997-12-01")
    with pytest.raises(InputError, match="no day after the cut"):
        rivals.rival_forecasts(nothing)


def test_a_separated_logit_is_out_of_the_race():
    features = np.column_stack([np.ones(30), np.arange(30.0), np.arange(30.0) % 4])
    active = (np.arange(30) > 14).astype(float)
    found = rivals._logit(features, active, features)
    assert found.id == "lifetime.logit_separated"
    active[[3, 27]] = 1 - active[[3, 27]]
    assert isinstance(rivals._logit(features, active, features), np.ndarray)


def test_boosted_trees_reach_what_was_measured_on_cdnow(summary):
    """Of 200 and of 50 trees: AUC .747 and .762, error of spend 72.0 and 70.4, capture .49."""
    from cvlib.lifetime.holdout.boosted import boosted_forecast
    from cvlib.lifetime.holdout.scores import scores

    split, _ = earlier_end(summary)
    earlier = summary.at(split.date(), summary.cut)
    bought = summary.customers["holdout_purchases"].to_numpy(float)
    spent = summary.customers["holdout_spend"].clip(lower=0).to_numpy(float)
    for trees, auc, spend in ((200, 0.747, 72.0), (50, 0.762, 70.4)):
        forecast, _ = boosted_forecast(earlier, summary, trees)
        found = scores(forecast, bought, spent)
        assert found["auc"][0] == pytest.approx(auc, abs=0.01)
        assert found["spend_rmse"][0] == pytest.approx(spend, abs=1.2)
        assert found["spend_capture_10"][0] == pytest.approx(0.49, abs=0.01)


def test_the_number_of_trees_is_the_one_with_the_least_loss():
    """Noise asks for few trees, a pattern that a few cannot draw asks for many."""
    from cvlib.lifetime.holdout.boosted import ROUNDS, _rounds

    rng = np.random.default_rng(5)
    features = rng.normal(size=(1500, 2))
    noise = (rng.random(1500) < 0.5).astype(float)
    assert _rounds(features, noise, True) == ROUNDS[0]
    drawn = (np.sin(4 * features[:, 0]) * np.sin(4 * features[:, 1]) > 0).astype(float)
    assert _rounds(features, drawn, True) == ROUNDS[-1]


def test_trees_that_learn_on_a_sample_say_so(summary, monkeypatch):
    from cvlib.lifetime.holdout import boosted

    split, _ = earlier_end(summary)
    earlier = summary.at(split.date(), summary.cut)
    _, whole = boosted.boosted_forecast(earlier, summary, 25)
    assert whole.id == "lifetime.rule_boosted"
    monkeypatch.setattr(boosted, "_MOST", 500)
    _, said = boosted.boosted_forecast(earlier, summary, 25)
    assert said.id == "lifetime.rule_boosted_sample"
    assert f"500 customers drawn at random from {len(earlier.customers):,}" in said


def test_few_customers_keep_boosted_trees_out_of_the_race():
    summary = summarise_purchases(LOG[LOG["customer_id"] % 16 == 0], calibration_end="1997-09-30")
    found = rivals.rival_forecasts(summary)
    assert "boosted_trees" not in [forecast.model for forecast in found.forecasts]
    reasons = [text.values.get("reason") for text in found.warnings if hasattr(text, "values")]
    assert "lifetime.boosted_too_few" in [getattr(reason, "id", "") for reason in reasons]
