"""What is said of clean, leaked and empty bases; the traps are refused."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.answers import adds_nothing
from cvlib.inputs.errors import InputError
from cvlib.statistics.separation import separation


def said(world: str, **plan: object) -> cv.customer.study:  # type: ignore[valid-type]
    from dataclasses import replace

    made = cv.customer.simulate(3000, seed=101, world=world)
    return cv.customer.study(
        made.files, replace(made.plan, **plan), draws=30, worth=cv.customer.Worth(reward=50)
    )


def test_a_clean_base_is_valued_and_an_empty_one_adds_nothing() -> None:
    clean, zero = said("clean"), said("zero")
    assert clean.gate.open and not adds_nothing(clean.value)
    assert clean.answer.verdict[0].id == "customer.worth"
    assert zero.gate.open and adds_nothing(zero.value)
    assert zero.answer.verdict[0].id == "customer.nothing"
    row = clean.value.row("total")
    assert row["lower"] < 4.72 < row["upper"]


def test_answers_after_leaving_are_refused_until_they_are_out() -> None:
    leaked = said("leaked")
    assert not leaked.gate.open and leaked.value.value_of_a_point.empty
    assert leaked.answer.verdict[0].id == "customer.withheld"
    assert all("customer.worth" not in getattr(text, "id", "") for text in leaked.sentences())
    out = said("leaked", late_answers="leave_out")
    assert out.gate.open and out.value.total is not None
    assert out.gate.warnings[0].id == "customer.late_left_out"


def trap(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Scores 1 and 2 only of leavers, 4 and 5 only of stayers, as in the telco table."""
    rng = np.random.default_rng(5)
    left = rng.random(n) < 0.265
    low, high = rng.choice([1, 2, 3], n, p=[0.49, 0.28, 0.23]), rng.choice([3, 4, 5], n)
    return np.where(left, low, high).astype(float), left


def test_a_score_written_down_after_the_event_is_seen() -> None:
    score, left = trap()
    found = separation({"score": score}, left)
    assert found[found["suspect"]]["level"].tolist() == [1, 2, 4, 5]
    mixed = np.random.default_rng(6).permutation(score)
    assert not separation({"score": mixed}, left)["suspect"].any()


def test_a_base_without_dates_says_so_and_one_without_ids_is_refused() -> None:
    from dataclasses import replace

    made = cv.customer.simulate(900, seed=2)
    bare = replace(made.files, survey=made.survey.drop(columns="interviewed_on"))
    with pytest.raises(InputError, match="reference_date"):
        cv.customer.join(bare, made.plan)
    base = cv.customer.join(bare, replace(made.plan, reference_date="2023-01-01"))
    assert not base.dated and base.warnings[0].id == "customer.undated"
    other = replace(made.files, survey=made.survey.assign(id=[f"x{i}" for i in made.survey.index]))
    with pytest.raises(InputError, match="same ids"):
        cv.customer.join(other, made.plan)
    costs = pd.DataFrame({"construct": ["loyalty"], "points": 1, "once": 1, "per_period": 0})
    with pytest.raises(InputError, match="drives no"):
        cv.customer.study(replace(made.files, costs=costs), made.plan, draws=0)


MIRROR = Path(os.environ.get("CVLIB_DATA_MIRROR", "absent"))


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the data mirror is not at hand")
@pytest.mark.parametrize(
    ("name", "column", "event", "levels"),
    [
        ("telco_satisfaction", "Satisfaction Score", "Churn Value", [1, 2, 4, 5]),
        ("bank_churn_records", "Complain", "Exited", [0, 1]),
    ],
)
def test_the_traps_of_the_catalogue_are_seen(
    name: str, column: str, event: str, levels: list[float]
) -> None:
    table = cv.load_table(name).data.replace({"True": 1, "False": 0})
    left = table[event].astype(float).to_numpy() > 0
    found = separation({column: table[column].astype(float).to_numpy()}, left)
    assert found[found["suspect"]]["level"].tolist() == levels
    if name == "bank_churn_records":  # satisfaction itself was not written down afterwards
        score = table["SatisfactionScore"].astype(float).to_numpy()
        assert not separation({"score": score}, left)["suspect"].any()
