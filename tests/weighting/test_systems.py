"""A choice of systems: ratings and costs in one table."""

import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.systems import system_choice

RATED = pd.DataFrame(
    {"alternative": ["own", "rented"], "fit": [8, 6], "cost_0": [500, 130], "cost_1": [90, 120],
     "benefit_0": [0, 60], "benefit_1": [180, 220]}
)  # fmt: skip


def test_costs_and_ratings_decide_by_their_weights() -> None:
    by_fit = system_choice(RATED, {"fit": 0.9, "total_cost": 0.1}, 0.0)
    by_cost = system_choice(RATED, {"fit": 0.1, "total_cost": 0.9}, 0.0)
    firsts = [
        found["system_scores"].set_index("alternative")["ideal_rank"] for found in (by_fit, by_cost)
    ]
    assert [rank.idxmin() for rank in firsts] == ["own", "rented"]
    costs = by_fit["system_costs"].set_index("alternative")
    assert costs["total_cost"].to_dict() == {"own": 590.0, "rented": 250.0}
    assert costs.at["rented", "roi"] == pytest.approx(280 / 250 - 1)


def test_bad_cells_are_refused_with_their_row() -> None:
    with pytest.raises(InputError, match="column fit, data row 1: 12 is not a number from 1 to 9"):
        system_choice(RATED.assign(fit=[12, 3]), {"fit": 1})
    with pytest.raises(InputError, match="column speed"):
        system_choice(RATED, {"speed": 1})
    with pytest.raises(InputError, match="cost_0"):
        system_choice(RATED[["alternative", "fit"]], {"total_cost": 1})
