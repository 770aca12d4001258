"""Qini and uplift against scikit-uplift 0.5.1 on a simulated experiment of 4,000."""

import json

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.statistics.proportions import newcombe
from cvlib.statistics.resample import Bootstrap
from cvlib.statistics.uplift import qini, uplift_at


@pytest.fixture(scope="module")
def experiment(lifetime_second):
    told = json.loads((lifetime_second / "reference.json").read_text())["uplift"]
    return pd.read_csv(lifetime_second / "uplift.csv"), told


@pytest.mark.parametrize("score", ["score_risk", "score_uplift"])
def test_qini_of_the_reference(experiment, score):
    data, told = experiment
    found = qini(data["retained"], data["treated"], data[score])
    assert found.coefficient == pytest.approx(told[score]["qini_auc_score"], abs=1e-10)
    assert found.area == pytest.approx(told[score]["raw_area"], rel=1e-10)
    assert found.perfect_area == pytest.approx(told["score_risk"]["perfect_area"], rel=1e-10)
    assert found.curve["gained"].iloc[-1] == pytest.approx(told["Q_end"], rel=1e-10)


@pytest.mark.parametrize("score", ["score_risk", "score_uplift"])
@pytest.mark.parametrize(("by_group", "key"), [(False, "overall"), (True, "by_group")])
def test_uplift_at_ten_and_thirty_per_cent(experiment, score, by_group, key):
    data, told = experiment
    for share, expected in zip((0.1, 0.3), told[score][f"at_10_30_{key}"], strict=True):
        columns = data["retained"], data["treated"], data[score]
        found = uplift_at(*columns, share, by_group=by_group, ties="last")
        assert found == pytest.approx(expected, abs=1e-10)


def test_even_ties_do_not_depend_on_the_order_of_the_rows(experiment):
    data, _ = experiment
    turned = data.iloc[::-1]
    both = [uplift_at(d["retained"], d["treated"], d["score_uplift"], 0.1) for d in (data, turned)]
    assert both[0] == pytest.approx(both[1], abs=1e-12)


def test_the_interval_holds_the_coefficient_and_tells_an_effect_from_chance(experiment):
    data, _ = experiment
    few = Bootstrap(100)
    found = qini(data["retained"], data["treated"], data["score_uplift"], few)
    assert 0 < found.ci_low < found.coefficient < found.ci_high
    noise = np.random.default_rng(5).random(len(data))
    chance = qini(data["retained"], data["treated"], noise, few)
    assert chance.ci_low < 0 < chance.ci_high


def test_turned_round_the_order_loses_what_it_gained():
    rng = np.random.default_rng(2)
    treated, gain = rng.integers(0, 2, 2000), rng.random(2000)
    kept = (rng.random(2000) < 0.4 + 0.4 * gain * treated).astype(int)
    assert qini(kept, treated, gain).coefficient > 0 > qini(kept, treated, -gain).coefficient


def test_one_arm_is_no_experiment():
    with pytest.raises(InputError, match="one arm"):
        qini([0, 1], [1, 1], [0.1, 0.2])
    with pytest.raises(InputError, match="0 and 1"):
        qini([0, 3], [1, 0], [0.1, 0.2])


def test_newcombe_of_the_paper():
    """Newcombe (1998), table II, method 10: (a) 56/70 - 48/80, (f) 10/10 - 0/20."""
    assert newcombe((56, 48), (70, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert newcombe((10, 0), (10, 20)) == pytest.approx((1.0, 0.6791, 1.0), abs=5e-5)
