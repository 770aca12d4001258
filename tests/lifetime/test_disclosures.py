"""Customers valued from quarterly disclosures: recovery from simulated ones, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.decisions.disclosures import _course, _worth
from cvlib.lifetime.decisions.growth import growing_base, growth_table

TRUTH = np.array([np.log(0.06), np.log(1.2), np.log(0.05), np.log(0.8), 1.0])
POOL, START = 20_000.0, 2_000.0


def disclosed(quarters: int, noise: float, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    gains, losses, _ = _course(TRUTH, POOL, START, quarters)
    added, lost = (v * (1 + noise * rng.standard_normal(quarters)) for v in (gains, losses))
    table = pd.DataFrame({"added": added, "lost": lost})
    return table.assign(customers=START + (table["added"] - table["lost"]).cumsum())


def test_the_value_behind_simulated_disclosures_is_recovered() -> None:
    data = disclosed(24, 0.01)
    end = float(data["customers"].iloc[-1])
    truth = _worth(TRUTH, POOL, START, 24, end, 30.0, 0.1)
    found = cv.lifetime.disclosed_value(
        data, 30.0, 0.1, pool=POOL, cost=40.0, other_assets=5_000.0, debt=2_000.0
    )
    parts = found["disclosed_value"].set_index("part")["value"]
    assert parts["present_customers"] == pytest.approx(truth[0], rel=0.1)
    assert parts["future_customers"] == pytest.approx(truth[1], rel=0.25)
    assert parts["equity"] == pytest.approx(parts.drop("equity").sum())
    assert parts["debt"] == -2_000 and parts["other_assets"] == 5_000
    fit = found["disclosed_fit"]
    assert np.abs(fit["added_fitted"] / fit["added"] - 1).mean() < 0.02
    kind = "present" if parts["present_customers"] >= parts["future_customers"] else "future"
    assert found.sentence.id == f"decisions.disclosed_{kind}"
    # the opposite: the same firm before it had won most of its customers
    early = disclosed(8, 0.0)
    other = cv.lifetime.disclosed_value(early.assign(lost=early["lost"]), 30.0, 0.1, pool=POOL)
    assert other.facts["future_customers"] > parts["future_customers"]


def test_disclosures_that_do_not_add_up_are_refused() -> None:
    data = disclosed(12, 0.0)
    with pytest.raises(InputError, match=r"quarter 5.*customers are not those before"):
        cv.lifetime.disclosed_value(
            data.assign(customers=data["customers"] + 900.0 * (data.index >= 4)), 30, 0.1, pool=POOL
        )
    with pytest.raises(InputError, match="fewer than were won"):
        cv.lifetime.disclosed_value(data, 30, 0.1, pool=10.0)
    with pytest.raises(InputError, match="At least 8"):
        cv.lifetime.disclosed_value(data[:5], 30, 0.1, pool=POOL)


def test_a_growing_base_is_worth_its_integral() -> None:
    """Against a sum over small steps, and the limits: a base that is full, one that never keeps."""
    given = {"margin": 12.0, "retention": 0.9, "rate": 0.03, "cost": 20.0}
    found = growing_base((1000.0, -2.0, 0.3), 4.0, **given)
    k = (np.arange(400_000) + 0.5) / 1000
    share = 1 / (1 + np.exp(2.0 - 0.3 * (4.0 + k)))
    won = 1000 * 0.3 * share * (1 - share) * np.exp(-0.03 * k) / 1000
    each = 12 * 0.9 / (1.03 - 0.9)
    u = (np.arange(3_000_000) + 0.5) / 10_000
    assert each == pytest.approx(12 * np.exp(-(1.03 - 0.9) / 0.9 * u).sum() / 10_000, rel=1e-6)
    assert found["future"] == pytest.approx(won.sum() * (each - 20), rel=1e-6)
    assert found["existing"] == pytest.approx(1000 / (1 + np.exp(2.0 - 1.2)) * each)
    full = growing_base((1000.0, 40.0, 0.3), 4.0, **given)
    assert full["future"] == pytest.approx(0.0, abs=1e-6)


def test_a_logistic_curve_is_recovered_or_left_out() -> None:
    t = np.arange(1, 25)
    end = 50_000 / (1 + np.exp(-0.25 * (t - 10)))
    table, none = growth_table(end, np.append(0, 0.08 * end[:-1]), 30.0, 0.1, 0.0)
    measures = table.set_index("measure")["value"]
    assert not none and measures["ceiling"] == pytest.approx(50_000, rel=1e-4)
    assert measures["midpoint"] == pytest.approx(10, rel=1e-4)
    assert measures["retention"] == pytest.approx(0.92)
    back = 40_000 + 30_000 * np.cos(t)
    table, told = growth_table(back, 0.1 * back, 30.0, 0.1, 0.0)
    assert table is None and told[0].id == "decisions.growth_left_out"


def test_disclosures_answer_a_report_on_decisions() -> None:
    found = cv.lifetime.disclosed_value(disclosed(20, 0.01), 30.0, 0.1, pool=POOL, debt=2e7)
    told = cv.lifetime.decisions_answer({"disclosed": found})
    assert told.hero == "disclosed_chart" and told.verdict == (found.sentence,)
    assert told.tiles[0].label.id == "decisions.tile_disclosed"
    assert [doubt.id for doubt in told.doubts] == ["decisions.disclosed_pool"]
