"""A fit that ends on a ridge costs no more than five ordinary ones, in rows evaluated."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logit

from cvlib.lifetime.purchases.histories import distinct_histories
from cvlib.lifetime.repeat_buying import bg_nbd, fit_repeat_buying
from cvlib.lifetime.repeat_buying.coordinates import log_likelihood
from cvlib.lifetime.simulate import simulate_histories
from cvlib.statistics import resample

ORDINARY = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def histories(model, parameters, customers=120_000):
    age = np.random.default_rng(0).integers(27 * 7, 39 * 7, customers) / 7
    data = simulate_histories(model, parameters, age, seed=1)
    data["t_x"] = np.minimum(np.ceil(data["t_x"] * 7) / 7, data["T"])
    return data[["x", "t_x", "T"]]


@pytest.fixture
def rows(monkeypatch):
    """Rows of histories over which the likelihood was evaluated."""
    counted, total = [], bg_nbd.total

    def counting(theta, data, *more):
        counted.append(data.x.size)
        return total(theta, data, *more)

    monkeypatch.setattr(bg_nbd, "total", counting)
    return counted


def test_customers_who_never_drop_out_cost_no_more_than_five_ordinary_fits(rows):
    fit_repeat_buying(histories("bg_nbd", ORDINARY), "bg_nbd")
    ordinary = sum(rows)
    rows.clear()
    data = histories("nbd", {"r": 0.243, "alpha": 4.414})
    fit = fit_repeat_buying(data, "bg_nbd")
    assert sum(rows) <= 5 * ordinary
    found = fit.parameters.set_index("parameter").loc["mean_dropout_chance"]
    assert found["ci_low"] == 0 and 1e-5 < found["ci_high"] < 0.01
    # and the bound is where the likelihood has lost what it may, the others at their best
    objective = log_likelihood(bg_nbd, distinct_histories(data))
    best = [
        minimize(
            lambda p, shape=shape: -objective(np.array([*p, logit(found["ci_high"]), shape]))[0],
            fit._maximum.at[:2], method="Nelder-Mead", options={"fatol": 1e-5, "xatol": 1e-6},
        ).fun
        for shape in (-13.9, 0.0)
    ]  # fmt: skip
    lost = fit._maximum.value + min(best)
    assert lost == pytest.approx(resample.reach(0.95) ** 2 / 2, abs=0.01)
