"""All times of dropout on one grid: the same likelihood as history by history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.lifetime.purchases.histories import Histories, distinct_histories
from cvlib.lifetime.repeat_buying import ggom_nbd, pareto_nbd
from cvlib.lifetime.repeat_buying.suffix_sums import grid_of


@pytest.fixture(scope="module")
def days() -> Histories:
    """Two thousand customers on a grid of days, some of whom buy daily."""
    rng = np.random.default_rng(5)
    T = rng.integers(100, 400, 2000)
    x = np.minimum(rng.negative_binomial(0.6, 0.08, 2000), T // 2)
    t_x = np.where(x > 0, np.maximum((T * rng.beta(np.maximum(x, 1), 1)).astype(int), x), 0)
    frame = pd.DataFrame({"x": x, "t_x": t_x / 7, "T": T / 7})
    return distinct_histories(frame)


@pytest.mark.parametrize(
    "theta",
    [
        [-0.5, 2.3, -0.2, 2.9, 0.0],
        [-0.5, 2.3, -0.2, 2.9, 0.05],
        [0.5, 4.0, 1.0, 3.0, 2.0],
        [-2.0, 0.0, -2.0, 0.0, 1.0],
        [-0.6, 2.4, -0.5, 5.0, 6.0],
    ],
)
def test_grid_and_single_rows_agree(days: Histories, theta: list[float], monkeypatch) -> None:
    point = np.array(theta)
    assert grid_of(days) is not None
    value, slope = ggom_nbd.total(point, days)
    monkeypatch.setattr(ggom_nbd, "grid_of", lambda data: None)
    single, single_slope = ggom_nbd.total(point, days)
    assert value == pytest.approx(single, rel=1e-12)
    np.testing.assert_allclose(slope, single_slope, rtol=0, atol=1e-9 * np.abs(single_slope).max())


def test_times_without_repetition_are_integrated_singly() -> None:
    T = np.linspace(10.1, 60.7, 400)
    frame = pd.DataFrame({"x": np.arange(400) % 50 + 1, "t_x": T * 0.5, "T": T})
    assert grid_of(distinct_histories(frame)) is None


def test_bound_of_a_ridge_costs_few_evaluations(monkeypatch) -> None:
    """Customers who never drop out: the profile begins where the last fit ended."""
    rng = np.random.default_rng(2)
    T = rng.integers(150, 350, 4000)
    x = rng.poisson(rng.gamma(1.0, 0.02, 4000) * T)
    t_x = np.where(x > 0, np.maximum((T * rng.beta(np.maximum(x, 1), 1)).astype(int), 1), 0)
    frame = pd.DataFrame({"x": x, "t_x": t_x / 7, "T": T / 7})
    calls = {"all": 0, "diagnosis": 0}
    from cvlib.lifetime.repeat_buying import bg_nbd, diagnosis, fit

    whole, place = bg_nbd.total, ["all"]
    found = diagnosis.diagnose

    def counted(theta, data, early=0):
        calls[place[0]] += 1
        return whole(theta, data, early)

    def marked(*given):
        place[0] = "diagnosis"
        return found(*given)

    monkeypatch.setattr(bg_nbd, "total", counted)
    monkeypatch.setattr(fit, "diagnose", marked)
    fitted = cv.lifetime.fit_repeat_buying(frame, "bg_nbd")
    assert fitted.diagnosis["verdict"].isin(["not identified", "spread not identified"]).any()
    assert calls["diagnosis"] < 4 * calls["all"]


@pytest.mark.parametrize(
    "theta", [[-0.5, 2.3, -0.5, 2.4], [0.5, 4.0, 1.0, 3.0], [-2.0, 0.0, -2.0, 0.0], [2, 5, -6, 9.0]]
)
def test_pareto_on_the_grid_and_by_rows_agree(days: Histories, theta: list, monkeypatch) -> None:
    point = np.array(theta, dtype=float)
    value, slope = pareto_nbd.total(point, days)
    monkeypatch.setattr(pareto_nbd, "grid_of", lambda data: None)
    single, single_slope = pareto_nbd.total(point, days)
    assert value == pytest.approx(single, rel=1e-12)
    np.testing.assert_allclose(slope, single_slope, rtol=0, atol=1e-9 * np.abs(single_slope).max())
