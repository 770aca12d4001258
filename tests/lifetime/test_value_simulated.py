"""Simulation: do intervals of customer equity hold the truth, and does value tell churn rightly?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cvlib.lifetime.equity_models import equity_by_model
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.repeat_buying.coordinates import to_working
from cvlib.lifetime.simulate import simulate_histories, simulate_spend
from cvlib.lifetime.spend import fit_spend
from cvlib.statistics.proportions import wilson
from cvlib.statistics.resample import Bootstrap

PARETO = {"r": 0.8, "alpha": 6.0, "s": 2.0, "beta": 40.0}
SPEND = {"p": 6.0, "q": 5.0, "v": 20.0}
RATE = 0.15


def base(seed, customers=1000, parameters=PARETO, holdout=0.0):
    """Customers of three ages, purchases by whole days, and what they spend."""
    age = np.random.default_rng(seed).choice([30.0, 40.0, 50.0], customers)
    data = simulate_histories("pareto_nbd", parameters, age, seed=seed, holdout=holdout)
    data["t_x"] = np.minimum(np.ceil(data["t_x"] * 7) / 7, data["T"])
    money = simulate_spend(SPEND, data["x"], seed=seed + 10_000)
    return data.assign(mean_repeat_spend=money["mean_repeat_spend"], monetary=1.0)


def weekly(data):
    """The fit of these customers, weeks its unit."""
    return replace(fit_repeat_buying(data[["x", "t_x", "T"]], "pareto_nbd"), unit="week")


def covered(seed, refits, customers=1000):
    """Whether the interval of one base holds the equity of its customers under the truth."""
    data = base(seed, customers)
    fit, spend = weekly(data), fit_spend(data)
    terms = {"annual_rate": RATE, "bootstrap": Bootstrap(refits, seed)}
    row = equity_by_model([fit], spend, data, **terms).equity.iloc[0]
    at = to_working(np.log([PARETO[name] for name in ("r", "alpha", "s", "beta")]))
    money = np.log([SPEND[name] for name in ("p", "q", "v")])
    true = equity_by_model(
        [fit.at(replace(fit._maximum, at=at))],
        replace(spend, _maximum=replace(spend._maximum, at=money)),
        data, annual_rate=RATE, bootstrap=Bootstrap(draws=0),
    ).equity["equity"].iloc[0]  # fmt: skip
    return row["ci_low"], true, row["ci_high"]


@pytest.mark.slow
def test_intervals_of_equity_hold_the_truth():
    """93 to 97 % with s = 2, within what so many bases can tell."""
    told = np.array([covered(seed, 100, 2000) for seed in range(120)])
    inside = int(((told[:, 0] <= told[:, 1]) & (told[:, 1] <= told[:, 2])).sum())
    low, high = wilson(inside, len(told), 0.95)
    assert low <= 0.97 and high >= 0.93, inside / len(told)
    misses = (told[:, 1] < told[:, 0]).sum(), (told[:, 1] > told[:, 2]).sum()
    assert max(misses) <= 0.08 * len(told)  # not all on one side


def tenths(model, seed, customers=20_000):
    """By tenths of a model's value: churn it foretells, and churn there was."""
    data = base(seed, customers, PARETO | {"s": 0.8, "beta": 12.0}, holdout=39.0)
    fit = replace(fit_repeat_buying(data[["x", "t_x", "T"]], model), unit="week")
    history = [data[name].to_numpy(float) for name in ("x", "t_x", "T")]
    worth = fit.discounted_expected_purchases(RATE, *history)
    place = np.argsort(np.argsort(-worth, kind="stable"), kind="stable") * 10 // customers
    table = pd.DataFrame({"tenth": place, "churn": (data["x_star"] == 0).astype(float)})
    table["foretold"] = 1 - fit.probability_of_purchase(39.0, *history)
    return table.groupby("tenth").mean()


@pytest.mark.slow
def test_churn_by_tenths_of_value_is_calibrated_under_the_truth_and_not_under_another_model():
    """Where customers leave at any time, BG/NBD takes all who never came back for active."""
    right, wrong = tenths("pareto_nbd", 1), tenths("bg_nbd", 1)
    error = np.sqrt(right["churn"] * (1 - right["churn"]) / 2000)
    assert (abs(right["foretold"] - right["churn"]) < 3.5 * error).all()
    other = np.sqrt(wrong["churn"] * (1 - wrong["churn"]) / 2000)
    off = (wrong["foretold"] - wrong["churn"]) / other
    assert off.abs().max() > 5
