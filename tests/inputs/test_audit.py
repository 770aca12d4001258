"""Columns that know the outcome are named, honest ones are not."""

from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.audit import leaks
from cvlib.inputs.readers import load_table


def honest(n: int = 600) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    rng = np.random.default_rng(9)
    left = rng.random(n) < 0.4
    fee = rng.normal(60, 20, n) + 25 * left  # informative, as a good covariate is
    plan = np.where(rng.random(n) < 0.3 + 0.3 * left, "month", "year")
    duration = pd.Series(rng.integers(1, 60, n).astype(float))
    return pd.DataFrame({"fee": fee, "plan": plan}), left, duration


def test_honest_covariates_are_left_alone() -> None:
    frame, left, duration = honest()
    assert not len(leaks(frame, left, duration).table)


def test_what_grows_with_the_duration() -> None:
    frame, left, duration = honest()
    found = leaks(frame.assign(total=frame["fee"] * duration), left, duration)
    assert found.columns == ("total",) and found.table["kind"].tolist() == ["grows_with_duration"]
    assert "rank correlation +0." in found.sentences()[0]


def test_levels_that_part_the_outcome_beyond_chance() -> None:
    frame, left, _ = honest()
    score = np.where(left, np.arange(600) % 3 + 1, np.arange(600) % 3 + 3)
    found = leaks(frame.assign(score=score), left)
    assert found.columns == ("score",)
    assert found.table.set_index("level")["value"].to_dict() == {"1": 1, "2": 1, "4": 0, "5": 0}
    for size in (5, 25):  # five alike are no evidence, and twenty-five of 600 move no forecast
        few = np.where(np.arange(600) < size, "rare", "usual")
        left[:size] = True
        assert not leaks(pd.DataFrame({"few": few}), left).columns


def test_one_column_that_tells_everything() -> None:
    frame, left, _ = honest()
    rng = np.random.default_rng(3)
    found = leaks(frame.assign(risk=left * 4 + rng.normal(size=600)), left)
    assert found.table["kind"].tolist() == ["too_good"] and found.table["value"].iloc[0] > 0.95
    almost = np.where(rng.random(600) < 0.01, ~left, left)  # two levels, neither of them pure
    assert leaks(pd.DataFrame({"complaint": almost}), left).columns == ("complaint",)


def test_satisfaction_of_the_second_ibm_table_was_asked_after_leaving(mirror: Path) -> None:
    table = load_table(mirror / "telco_satisfaction.csv").data
    columns = ["Satisfaction Score", "Total Charges", "Contract", "Monthly Charge"]
    found = leaks(table[columns], table["Churn Value"] == 1, table["Tenure in Months"])
    kinds = found.table.groupby("column")["kind"].first().to_dict()
    assert kinds == {"Satisfaction Score": "separates", "Total Charges": "grows_with_duration"}
    low = found.table.query("column == 'Satisfaction Score' and value == 1")
    assert low["people"].sum() == 1440
