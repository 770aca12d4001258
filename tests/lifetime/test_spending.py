"""The split of spend between winning and keeping, from prospects whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime.decisions.spending import prospect_spending
from cvlib.statistics.resample import Bootstrap


def prospects(slope: float = 1.2, bend: float = 0.002, people: int = 4000) -> pd.DataFrame:
    """Won with a probability that rises in the spend; profit is highest at slope ÷ (2 bend)."""
    rng = np.random.default_rng(3)
    win, keep = rng.uniform(10, 110, people), rng.uniform(0, 600, people)
    won = (rng.uniform(size=people) < 1 / (1 + np.exp(-(win - 60) / 15))).astype(int)
    bought = rng.poisson(3, people)
    profit = 400 + slope * keep - bend * keep**2 + 25 * bought + rng.normal(0, 40, people)
    money = {"acq_exp": win, "ret_exp": keep * won, "profit": np.where(won == 1, profit, -win)}
    return pd.DataFrame({"acquisition": won, **money, "crossbuy": bought})


def test_the_best_spend_and_a_category_are_those_of_the_simulation() -> None:
    found = prospect_spending(prospects(), bootstrap=Bootstrap(60))
    plan = found["spending_plan"].set_index("plan")
    assert plan.at["best", "retention_spend"] == pytest.approx(300, abs=25)
    low, high = plan.loc["best", ["retention_spend_low", "retention_spend_high"]]
    assert low <= 300 + 25 and high >= 300 - 25
    # P(A) is a logit of a line: winning pays on to the border of what was spent
    assert found.sentence.id == "decisions.spending_edge"
    effects = found["spending_effects"].set_index("effect")
    assert effects.at["category", "ci_low"] < 25 < effects.at["category", "ci_high"]
    now = plan.loc["mean"]
    chance = 1 / (1 + np.exp(-(now["acquisition_spend"] - 60) / 15))
    assert now["probability"] == pytest.approx(chance, abs=0.03)


def test_without_an_effect_of_spend_no_plan_is_told_from_the_mean_one() -> None:
    rng = np.random.default_rng(8)
    flat = prospects(0.0, 0.0, 300)
    flat["acquisition"] = rng.integers(0, 2, 300)
    flat["profit"] = rng.normal(100, 400, 300)
    found = prospect_spending(flat.drop(columns="crossbuy"), bootstrap=Bootstrap(80))
    assert found.sentence.id == "decisions.spending_open"
    assert found["spending_effects"]["effect"].tolist() == ["gain"]


def test_what_has_no_model_says_why_and_bad_cells_are_refused() -> None:
    rows = prospects(people=200)
    alike = prospect_spending(rows.assign(acquisition=1), bootstrap=Bootstrap(20))
    assert not alike.found and alike.sentence.id == "decisions.spending_left_out"
    nothing = prospect_spending(rows.assign(acq_exp=0.0), bootstrap=Bootstrap(20))
    assert nothing.sentence.values["reason"].id == "decisions.spending_nothing"
    with pytest.raises(InputError, match="has no column 'ret_exp'"):
        prospect_spending(rows.drop(columns="ret_exp"))
    with pytest.raises(InputError, match="column acq_exp, data row 3: -1"):
        prospect_spending(rows.assign(acq_exp=[1, 2, -1] + [1] * 197))
    with pytest.raises(InputError, match="too few prospects: 20"):
        prospect_spending(rows.head(20))


def test_real_prospects_of_a_firm(mirror) -> None:
    found = prospect_spending(
        mirror / "smcrm_acquisition_retention.csv", ["industry", "revenue", "employees"],
        bootstrap=Bootstrap(40),
    )  # fmt: skip
    assert found["spending_plan"].notna().to_numpy()[1].all()
    assert found["spending_effects"]["effect"].tolist() == ["gain", "category"]
