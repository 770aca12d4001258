"""Simulated customers have the moments the models promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.cohorts import (
    COHORT_MODELS,
    fit_cohort,
    grouped_losses,
    log_survival,
)
from cvlib.lifetime.contracts.terms import observed_survival
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import FAMILIES, fit_repeat_buying
from cvlib.lifetime.simulate import (
    simulate_histories,
    simulate_spend,
    simulate_subscriptions,
    simulate_transactions,
)
from cvlib.lifetime.spend import fit_spend

TRUTH = {
    "bg_nbd": {"r": 0.5, "alpha": 6.0, "a": 1.2, "b": 3.5},
    "mbg_nbd": {"r": 0.8, "alpha": 6.0, "a": 1.2, "b": 2.5},
    "pareto_nbd": {"r": 0.8, "alpha": 8.0, "s": 1.0, "beta": 15.0},
    "bg_bb": {"alpha": 1.2, "beta": 0.8, "gamma": 0.7, "delta": 2.8},
    "nbd": {"r": 0.5, "alpha": 6.0},
}


@pytest.mark.parametrize("model", list(FAMILIES))
def test_counts_survival_and_future_follow_the_model(model):
    family, n = FAMILIES[model], 60_000
    theta = np.log([TRUTH[model][name] for name in family.PARAMETERS])
    age, ahead = (8.0, 5.0) if model == "bg_bb" else (30.0, 20.0)
    data = simulate_histories(model, TRUTH[model], np.full(n, age), seed=8, holdout=ahead)
    x, t_x, T = (data[name].to_numpy(float) for name in ("x", "t_x", "T"))
    # number of repeats
    counts = np.arange(6.0)
    chance = family.distribution(theta, counts, np.full(6, age))
    seen = np.array([(x == count).mean() for count in counts])
    assert np.abs(seen - chance).max() < 4 * np.sqrt(0.25 / n)
    # alive, and purchases to come, in cells of the history
    alive = family.p_alive(theta, x, t_x, T)
    expected = alive * family.expected_if_alive(theta, np.array(ahead), x, T)
    once = alive * family.chance_if_alive(theta, np.array(ahead), x, T)
    surprise = pd.DataFrame(
        {
            "alive": data["alive"] - alive,
            "ahead": data["x_star"] - expected,
            "once": (data["x_star"] > 0) - once,
        }
    )
    fifth = pd.Series(alive).rank(method="first").mul(5 / (n + 1)).astype(int)
    for _, rows in surprise.groupby(fifth):
        error = rows.std() / np.sqrt(len(rows))
        assert (rows.mean().abs() < 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd", "nbd", "bg_bb"])
def test_fits_recover_the_parameters(model):
    rng = np.random.default_rng(2)
    age = np.full(8000, 9.0) if model == "bg_bb" else rng.integers(20, 60, 8000).astype(float)
    data = simulate_histories(model, TRUTH[model], age, seed=21)
    table = fit_repeat_buying(data, model).parameters.set_index("parameter")
    for name, value in TRUTH[model].items():
        assert abs(table.loc[name, "estimate"] - value) < 3.5 * table.loc[name, "std_error"]


def test_the_log_summarises_to_the_simulated_cohort():
    spend = {"p": 6.0, "q": 3.7, "v": 15.0}
    log = simulate_transactions(
        "bg_nbd", TRUTH["bg_nbd"], customers=2000, periods=80.0, joining=12.0, spend=spend, seed=4
    )
    assert log["customer_id"].nunique() == 2000
    assert log["date"].min() == pd.Timestamp("2020-01-01")
    assert log["amount"].min() >= 0.01
    mean = log["amount"].mean()
    assert mean == pytest.approx(6 * 15 / 2.7, rel=0.1)
    summary = summarise_purchases(log, calibration_end="2020-09-29")
    ages = summary.customers["T"]
    assert ages.max() == pytest.approx(272 / 7)
    assert ages.min() > 272 / 7 - 12
    rate = summary.customers["x"].sum() / ages.sum()
    expected = fit_repeat_buying(summary).expected_from_start(ages).sum() / ages.sum()
    assert rate == pytest.approx(expected, rel=0.03)


def test_the_same_seed_gives_the_same_log():
    options = {"customers": 50, "periods": 30.0, "joining": 5.0}
    for model in FAMILIES:
        once = simulate_transactions(model, TRUTH[model], seed=1, **options)
        again = simulate_transactions(model, TRUTH[model], seed=1, **options)
        other = simulate_transactions(model, TRUTH[model], seed=2, **options)
        pd.testing.assert_frame_equal(once, again)
        assert not once.equals(other)


@pytest.mark.parametrize(
    "model, parameters, options, message",
    [
        ("bgnbd", {}, {}, "Did you mean"),
        ("bg_nbd", {"r": 1.0}, {}, "alpha is missing"),
        ("nbd", {"r": 1.0, "alpha": -1.0}, {}, "not positive"),
        ("nbd", TRUTH["nbd"], {"joining": 99.0}, "joining: 99 is not a number"),
        ("nbd", TRUTH["nbd"], {"spend": {"p": 1.0}}, "q is missing"),
    ],
)
def test_faulty_requests_are_refused(model, parameters, options, message):
    with pytest.raises(InputError, match=message):
        simulate_transactions(
            model, parameters, **{"customers": 5, "periods": 10.0, "seed": 1, **options}
        )


COHORTS = {
    "geometric": {"churn_odds": 0.15},
    "sbg": {"alpha": 0.7, "beta": 2.0},
    "bdw": {"gamma": 0.8, "delta": 2.5, "c": 1.4},
}


@pytest.mark.parametrize("model", list(COHORT_MODELS))
def test_subscriptions_end_as_often_as_the_model_says(model):
    n, periods = 60_000, 8
    data = simulate_subscriptions(model, COHORTS[model], np.full(n, periods), seed=6)
    kept = np.exp(log_survival(model, list(COHORTS[model].values()), np.arange(periods + 1)))
    cells = np.append(-np.diff(kept), kept[-1])
    place = np.where(data["event"] == 1, data["duration"] - 1, periods)
    seen = np.bincount(place, minlength=periods + 1)
    chi_square = ((seen - n * cells) ** 2 / (n * cells)).sum()
    assert chi_square < stats.chi2.ppf(0.9999, periods)
    assert (data.loc[data["event"] == 0, "duration"] == periods).all()


@pytest.mark.parametrize("model", list(COHORT_MODELS))
def test_cohort_fits_recover_the_parameters(model):
    # watched for 4 to 15 periods: censoring at different ages must not bias the fit
    seen = np.random.default_rng(3).integers(4, 16, 20_000)
    data = simulate_subscriptions(model, COHORTS[model], seen, seed=12)
    fit = fit_cohort(grouped_losses(data["duration"], data["event"]), model, level=0.999)
    table = fit.parameters.set_index("parameter")
    for name, value in COHORTS[model].items():
        row = table.loc[name]
        assert row["ci_low"] < value < row["ci_high"]
        # an interval that holds everything would be no test
        assert row["ci_high"] < 2 * row["ci_low"]
    t = np.arange(1, 16)
    kept = observed_survival(data["duration"], data["event"], t)[0]
    np.testing.assert_allclose(fit.survival(t), kept, atol=0.015)


SPEND = {"p": 6.0, "q": 3.7, "v": 15.0}


def test_spend_has_the_moments_of_the_model_and_is_recovered():
    x = np.random.default_rng(4).integers(0, 8, 12_000)
    data = simulate_spend(SPEND, x, seed=9)
    p, q, v = SPEND.values()
    # own means are p over a gamma rate: an inverse gamma
    own = data["own_mean"]
    assert stats.kstest(own, stats.invgamma(q, scale=p * v).cdf).pvalue > 1e-3
    # z̄ of x purchases given the own mean: x p z̄ / own_mean is gamma(p x)
    paid = data[data["x"] > 0]
    scaled = stats.gamma.cdf(
        p * paid["x"] * paid["mean_repeat_spend"] / paid["own_mean"], p * paid["x"]
    )
    assert stats.kstest(scaled, "uniform").pvalue > 1e-3
    assert (data.loc[data["x"] == 0, "mean_repeat_spend"] == 0).all()
    fit = fit_spend(data, level=0.999)
    table = fit.parameters.set_index("parameter")
    for name, value in SPEND.items():
        assert table.loc[name, "ci_low"] < value < table.loc[name, "ci_high"]
        assert table.loc[name, "ci_high"] < 2 * table.loc[name, "ci_low"]
    # the forecast is the mean of the own means among customers with like histories
    forecast = fit.expected_spend(data["x"], data["mean_repeat_spend"])
    tenth = pd.qcut(pd.Series(forecast).rank(method="first"), 10, labels=False)
    gap = (own - forecast).groupby(tenth)
    assert (gap.mean().abs() < 4.5 * gap.std() / np.sqrt(gap.size())).all()


def test_the_same_seed_gives_the_same_contracts_and_amounts():
    for draw in (
        lambda seed: simulate_spend(SPEND, [0, 1, 5, 9], seed=seed),
        lambda seed: simulate_subscriptions("sbg", COHORTS["sbg"], np.full(50, 40), seed=seed),
    ):
        pd.testing.assert_frame_equal(draw(1), draw(1))
        assert not draw(1).equals(draw(2))


def test_dropout_chances_near_zero_and_one_stay_finite():
    for alpha, beta in ((1e-3, 1e-3), (1e-6, 5.0), (5.0, 1e-6)):
        data = simulate_subscriptions(
            "bdw", {"gamma": alpha, "delta": beta, "c": 0.05}, np.full(500, 60), seed=1
        )
        assert data["duration"].between(1, 60).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: simulate_subscriptions("sgb", {}, [3], seed=1), "Did you mean 'sbg'"),
        (lambda: simulate_subscriptions("sbg", {"alpha": 1.0}, [3], seed=1), "beta is missing"),
        (lambda: simulate_subscriptions("sbg", COHORTS["sbg"], [0], seed=1), "whole periods"),
        (lambda: simulate_subscriptions("sbg", COHORTS["sbg"], [2.5], seed=1), "whole periods"),
        (lambda: simulate_spend(SPEND | {"q": 0.0}, [3], seed=1), "not positive"),
        (lambda: simulate_spend(SPEND, [1.5], seed=1), "not counts"),
    ],
)
def test_faulty_requests_for_contracts_and_amounts_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
