"""sBG and BdW with covariates: the models without them, simulation, gradient, late entry."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.cohorts import fit_cohort, grouped_losses
from cvlib.lifetime.contracts.differing import _objective


def drawn(n: int, effect: float, seed: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Customers whose chance of leaving is beta(0.6 exp(effect z), 3)."""
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 2, n).astype(float)
    chance = rng.beta(0.6 * np.exp(effect * z), 3.0)
    life = rng.geometric(np.maximum(chance, 1e-12))
    seen = rng.integers(1, 25, n)
    return np.minimum(life, seen), life <= seen, pd.DataFrame({"z": z})


@pytest.mark.parametrize("model", ["sbg", "bdw"])
def test_without_effect_it_is_the_model_without_covariates(model: str) -> None:
    duration, event, z = drawn(3000, 0.0, 1)
    found = cv.lifetime.fit_differing(duration, event, z, model)
    plain = fit_cohort(grouped_losses(duration, event), model)
    value = plain.fit.set_index("measure")["value"]["log_likelihood"]
    likelihood = found.fit.set_index("measure")["value"]["log_likelihood"]
    assert 2 * (likelihood - value) == pytest.approx(found.effects["chi_square"][0], abs=1e-6)
    assert found.effects["p"][0] > 0.01
    curve = found.survival([0, 1, 5], np.zeros((1, 1)))
    assert curve[0, 0] == 1.0 and (np.diff(curve[0]) < 0).all()


def test_parameters_and_late_entry_are_recovered() -> None:
    duration, event, z = drawn(12_000, 0.8, 2)
    found = cv.lifetime.fit_differing(duration, event, z)
    table = found.parameters.set_index("parameter")
    for name, truth in (("gamma", 0.6), ("delta", 3.0), ("z", 0.8)):
        assert abs(table.loc[name, "estimate"] - truth) < 3 * table.loc[name, "std_error"]
    assert found.effects["p"][0] < 1e-6
    # contracts seen from their third period on only: those gone before are never seen
    kept = duration > 2
    late = cv.lifetime.fit_differing(
        duration[kept], event[kept], z[kept], entry=np.full(kept.sum(), 2)
    )
    again = late.parameters.set_index("parameter")
    assert abs(again.loc["z", "estimate"] - 0.8) < 3 * again.loc["z", "std_error"]
    naive = cv.lifetime.fit_differing(duration[kept], event[kept], z[kept])
    hazard = 1 - naive.survival([1], np.zeros((1, 1)))[0, 0]
    assert hazard < 0.6 / 3.6 / 2 < 1 - late.survival([1], np.zeros((1, 1)))[0, 0]


@pytest.mark.parametrize("model", ["sbg", "bdw"])
def test_gradient_equals_finite_differences(model: str) -> None:
    duration, event, z = drawn(200, 0.5, 3)
    kept = duration > 1
    objective = _objective(
        model, duration[kept] * 1.0, event[kept], np.ones(kept.sum()), z.to_numpy()[kept]
    )
    point = np.array([-0.3, 1.2, 0.2, 0.4])[[0, 1, *([2] if model == "bdw" else []), 3]]
    slope = objective(point)[1]
    for i in range(point.size):
        step = np.zeros(point.size)
        step[i] = 1e-5
        numeric = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
        assert slope[i] == pytest.approx(numeric, rel=1e-6, abs=1e-6)


def test_what_cannot_be_fitted_is_refused() -> None:
    duration, event, z = drawn(50, 0.0, 4)
    with pytest.raises(InputError, match="constant or repeat"):
        cv.lifetime.fit_differing(duration, event, z.assign(again=z["z"]))
    with pytest.raises(InputError, match="not before the end"):
        cv.lifetime.fit_differing(duration, event, z, entry=duration)
    with pytest.raises(InputError, match="at least one loss"):
        cv.lifetime.fit_differing(duration, np.zeros(50), z)
