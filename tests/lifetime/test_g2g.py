"""G2G with covariates: published limits, an independent optimum, recovery."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.g2g import _lives, _objective, fit_g2g
from cvlib.lifetime.contracts.leaving import Leaving, fit_leaving


def _drawn(seed: int, customers: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 2, (customers, 1)).astype(float)
    rate = rng.gamma(1.5, 1 / 12.0, customers) * np.exp(effect * z[:, 0])
    life = np.ceil(rng.exponential(1, customers) / rate)
    seen = rng.integers(6, 40, customers)
    return np.minimum(life, seen), life <= seen, z


def test_telco_optima(lifetime_second: Path, mirror: Path) -> None:
    told = json.loads((lifetime_second / "reference.json").read_text())["g2g_telco_ours"]
    data = pd.read_csv(mirror / "telco_churn.csv").query("tenure > 0")
    z = pd.DataFrame(
        {
            "one_year": 1.0 * (data["Contract"] == "One year"),
            "two_year": 1.0 * (data["Contract"] == "Two year"),
            "fibre": 1.0 * (data["InternetService"] == "Fiber optic"),
        }
    )
    left = data["Churn"] == "Yes"
    for kind, design in (("none", None), ("covariates", z)):
        fit = fit_g2g(data["tenure"], left, design)
        found = fit.parameters.set_index("parameter")["estimate"]
        assert fit.fit["value"][0] == pytest.approx(told[kind]["log_likelihood"], abs=2e-6)
        for name in found.index:
            assert found[name] == pytest.approx(told[kind][name], rel=5e-6)
    aged = fit_g2g(data["tenure"], left, ageing=True)
    assert aged.warnings[0].id == "lifetime.g2g_no_spread"
    c = aged.parameters.set_index("parameter").loc["c", "estimate"]
    assert c == pytest.approx(told["weibull_none"]["c"], abs=1e-4)


def test_without_covariates_survival_is_the_closed_form() -> None:
    until, left, _ = _drawn(1, 800, 0.0)
    fit = fit_g2g(until, left)
    r, alpha = fit.parameters["estimate"]
    t = np.arange(20)
    np.testing.assert_allclose(fit.survival(t)[0], (alpha / (alpha + t)) ** r, rtol=1e-12)


@pytest.mark.parametrize("ageing", [False, True])
@pytest.mark.parametrize("by_period", [False, True])
def test_gradient(ageing: bool, by_period: bool) -> None:
    until, left, z = _drawn(2, 300, 0.5)
    rows = np.random.default_rng(3).normal(size=(300, 40, 1)) if by_period else z
    lives, _ = _lives(until, left, rows, ["z"], np.minimum(until - 1, 2), np.arange(300) % 3)
    objective = _objective(lives, ageing)
    point = np.array([-2.0, 0.3, *([0.2] if ageing else []), 0.4])
    steps = np.eye(point.size) * 1e-5
    slope = [(objective(point + e)[0] - objective(point - e)[0]) / 2e-5 for e in steps]
    np.testing.assert_allclose(objective(point)[1], slope, rtol=1e-6, atol=1e-5)


def test_a_constant_covariate_by_period_is_a_static_one_and_weights_are_copies() -> None:
    until, left, z = _drawn(4, 500, 0.7)
    static = fit_g2g(until, left, z)
    repeated = np.repeat(z[:, None, :], 40, axis=1)
    doubled = fit_g2g(until, left, repeated, weights=np.full(500, 2.0))
    np.testing.assert_allclose(
        static.parameters["estimate"], doubled.parameters["estimate"], rtol=1e-6
    )
    assert doubled.effects["chi_square"][0] == pytest.approx(2 * static.effects["chi_square"][0])
    copies = fit_g2g(np.tile(until, 2), np.tile(left, 2), np.tile(z, (2, 1)))
    assert copies.fit["value"][0] == pytest.approx(doubled.fit["value"][0], rel=1e-9)


def test_an_effect_is_found_and_none_is_not() -> None:
    until, left, z = _drawn(5, 4000, 0.8)
    found = fit_g2g(until, left, z).effects.iloc[0]
    assert found["ci_low"] < np.expm1(0.8) < found["ci_high"]
    assert found["p"] < 1e-6
    until, left, z = _drawn(6, 4000, 0.0)
    assert fit_g2g(until, left, z).effects["p"][0] > 0.01


def test_contracts_that_join_late_do_not_lengthen_life() -> None:
    """Only those who lasted five periods are seen: with entry the parameters come back."""
    until, left, _ = _drawn(7, 20000, 0.0)
    late = until > 5
    true = fit_g2g(until, left).survival([10])[0, 0]
    told = fit_g2g(until[late], left[late], entry=np.full(late.sum(), 5)).survival([10])[0, 0]
    naive = fit_g2g(until[late], left[late]).survival([10])[0, 0]
    assert abs(told - true) < 0.06 < naive - true


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"duration": [0, 3, 4]}, "duration"),
        ({"event": [False, False, False]}, "duration"),
        ({"entry": [2, 0, 0]}, "entry"),
        ({"weights": [-1, 1, 1]}, "weights"),
        ({"covariates": [[1], [1], [1]]}, "covariates"),
        ({"covariates": [["a"], [1], [1]]}, "covariates"),
    ],
)
def test_bad_input(changed: dict[str, object], where: str) -> None:
    given = {"duration": [2, 3, 4], "event": [True, True, False]} | changed
    with pytest.raises(InputError) as error:
        cv.lifetime.fit_g2g(**given)
    assert error.value.where == where


def test_both_doors_to_the_model_find_the_same_fit() -> None:
    """`fit_leaving` writes it by the variance of hazards v = 1/r, with r/α in the constant."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=3000)
    hazard = rng.gamma(1.5, 0.06 / 1.5, size=3000) * np.exp(-0.5 * x)
    life = np.ceil(rng.exponential(size=3000) / hazard)
    duration, left = np.minimum(life, 24).astype(int), life <= 24
    first = fit_g2g(duration, left, x[:, None], names=["x"])
    second = fit_leaving("g2g", duration, left, x[:, None])
    found = first.parameters.set_index("parameter")["estimate"]
    likelihood = first.fit.set_index("measure").at["log_likelihood", "value"]
    assert second.log_likelihood == pytest.approx(likelihood, abs=1e-6)
    assert second.heterogeneity == pytest.approx(1 / found["r"], rel=1e-3)
    assert second.coefficients == pytest.approx([np.log(found["r"] / found["alpha"]), found["x"]],
                                                abs=1e-3)  # fmt: skip
    curves = first.survival(np.arange(13), x[:5, None]), second.survival(x[:5, None], 13)
    np.testing.assert_allclose(*curves, atol=1e-4)


@pytest.mark.parametrize(("seed", "draw"), [(52, 1), (141, 3)])
def test_a_fit_begun_far_off_ends_at_the_same_maximum(seed: int, draw: int) -> None:
    # the heterogeneity's step was cut short alone: the rest of the step then led downhill
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 4))
    life = np.ceil(rng.exponential(1 / np.exp(-3.7 + x @ np.array([-0.4, 0.2, -0.2, -0.1]))))
    starts = np.random.default_rng(seed).normal(0, 0.8, (draw + 1, 4))
    begin = Leaving("g2g", np.append(-4.5, starts[-1]), np.eye(5), 0.0, 0.0, True)
    duration, left = np.minimum(life, 24), life <= 24
    near, far = (fit_leaving("g2g", duration, left, x, start=start) for start in (None, begin))
    assert near.log_likelihood == pytest.approx(far.log_likelihood, abs=1e-7)
    assert far.converged and (np.diag(far.covariance) > 0).all()
    assert far.heterogeneity == pytest.approx(near.heterogeneity, rel=1e-3)
