"""What a design can tell, by studies with known truth; calibration against a joint likelihood."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.weightings import later_value
from cvlib.inputs.errors import InputError


@cache
def steps(world: str = "clean", seed: int = 101, customers: int = 3000):  # type: ignore[no-untyped-def]
    made = cv.customer.simulate(customers, seed=seed, world=world)
    base = cv.customer.join(made.files, made.plan)
    index = cv.customer.index(base)
    return made, base, index, cv.customer.link(base, index)


def valued(draws: int = 60, **given):  # type: ignore[no-untyped-def]
    _, base, index, linked = steps(**given)
    gate, worth = cv.customer.time_order(base, index.scores), cv.customer.Worth(reward=50.0)
    value = cv.customer.point_value(base, index, gate, linked, worth, cv.customer.Bootstrap(draws))
    return base, index, linked, value, worth


def test_simulated_studies_of_the_design_find_what_they_were_drawn_from() -> None:
    base, index, linked, value, worth = valued()
    proof = cv.customer.certificate(base, index, linked, value, worth, cv.customer.Bootstrap(60))
    assert proof is not None and not proof.failed
    row = proof.row()
    # the truth they are drawn from is this study's estimate, by another way of summing
    assert row["truth"] == pytest.approx(value.total, rel=0.02)
    assert abs(row["bias"]) < 3 * row["spread"] / np.sqrt(60) / row["truth"] + 0.03
    assert row["lower"] < 0.95 < row["upper"]
    effect = proof.row("effect on leaving")
    assert effect["truth"] == pytest.approx(linked.effect()["effect_per_point"], rel=0.05)
    assert effect["coverage"] > 0.85
    assert proof.row("effect on leaving, if there were none")["coverage"] > 0.85
    assert proof.message().id == "customer.certificate"


def test_a_design_whose_intervals_are_too_narrow_is_told() -> None:
    base, index, linked, value, worth = valued()
    narrow = replace(value.draws, values=value.draws.values.assign(
        total=value.draws.values["total"] / 10))  # fmt: skip
    proof = cv.customer.certificate(base, index, linked, replace(value, draws=narrow), worth,
                                    cv.customer.Bootstrap(40))  # fmt: skip
    assert proof is not None and proof.failed
    assert proof.message().id == "customer.certificate_fails"
    gate = cv.customer.time_order(base, index.scores)
    _, e = cv.customer.ladder(base, index, linked)
    called = cv.customer.calls(base, index, linked, worth)
    answer = cv.customer.customer_answer(base, index, gate, linked, value, e, called,
                                         pd.DataFrame(), proof)  # fmt: skip
    assert "customer.certificate_fails" in {getattr(text, "id", "") for text in answer.doubts}
    none = cv.customer.Bootstrap(0)
    assert cv.customer.certificate(base, index, linked, value, worth, none) is None


@pytest.mark.parametrize("world", ["clean", "frailty", "low_reliability"])
def test_calibration_and_joint_likelihood_agree(world: str) -> None:
    _, base, index, linked = steps(world, 301)
    found = cv.customer.joint(base, index, linked)
    assert found is not None and abs(found.apart) < 0.5
    assert found.message().id == "customer.joint_agrees"
    rows = found.joint.set_index("estimator")
    assert rows.loc["joint likelihood", "se"] == pytest.approx(
        rows.loc["calibrated", "se"], rel=0.1
    )
    assert replace(found, apart=-0.8).message().id == "customer.joint_differs"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "spread"), [("clean", 0.16), ("frailty", 0.10), ("low_reliability", 0.25)]
)
def test_calibration_and_joint_likelihood_agree_over_many_bases(world: str, spread: float) -> None:
    apart = []
    for seed in range(30):
        made = cv.customer.simulate(3000, seed=300 + seed, world=world)
        base = cv.customer.join(made.files, made.plan)
        index = cv.customer.index(base)
        found = cv.customer.joint(base, index, cv.customer.link(base, index))
        assert found is not None
        apart.append(found.apart)
    assert abs(np.mean(apart)) < 0.1 and np.std(apart, ddof=1) < 2 * spread


def test_the_race_of_weightings_is_won_where_one_driver_alone_matters() -> None:
    _, base, index, _ = steps()
    worth = cv.customer.Worth(reward=50.0)
    found = cv.customer.weighting_race(base, index, worth, {"quality|image": 3})
    assert found is not None and found.message().id == "customer.race_open"
    weights = found.race_weights.pivot(index="weighting", columns="driver", values="weight")
    assert weights.loc["experts (AHP)", "quality"] == pytest.approx(0.75)
    assert weights.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(weights)))
    # later value by the first driver alone: who weighs it nine times as much must win
    own = base.survey.model.slices[base.survey.model.construct_names.index("image")]
    shown = base.survey.values[:, own].mean(axis=1)
    outcomes = base.outcomes.assign(fee=shown, service_cost=0.0, referrals=0.0)
    moved = replace(base, outcomes=outcomes, duration=np.ones(len(shown)))
    assert later_value(moved, worth) == pytest.approx(worth.margin * shown)
    won = cv.customer.weighting_race(moved, index, worth, {"image|quality": 9})
    assert won is not None and won.message().id == "customer.race_won"
    assert won.weighting_race["weighting"].iloc[0] in (
        "experts (AHP)", "learned from other customers",
    )  # fmt: skip
    few = cv.customer.weighting_race(
        moved, index, worth, {"image|quality": 9}, cv.customer.Bootstrap(20)
    )
    assert few is not None and few.message().id == "customer.race_untested"
    with pytest.raises(InputError, match="drives no"):
        cv.customer.weighting_race(base, index, worth, {"quality|price": 3})


def test_every_convention_has_a_value_of_the_code_or_none() -> None:
    from cvlib.statistics import separation

    table = cv.customer.conventions()
    assert set(table["ground"]) == {"proposal", "source", "memory"}
    assert separation.FACTOR in set(table["value"])
