"""Simulated customers have the moments the models promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases import summarise_purchases
from cvlib.lifetime.repeat_buying import FAMILIES, fit_repeat_buying
from cvlib.lifetime.simulate import simulate_histories, simulate_transactions

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
        ("nbd", TRUTH["nbd"], {"joining": 99.0}, "not within the log"),
        ("nbd", TRUTH["nbd"], {"spend": {"p": 1.0}}, "q is missing"),
    ],
)
def test_faulty_requests_are_refused(model, parameters, options, message):
    with pytest.raises(InputError, match=message):
        simulate_transactions(
            model, parameters, **{"customers": 5, "periods": 10.0, "seed": 1, **options}
        )
