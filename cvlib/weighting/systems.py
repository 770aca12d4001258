"""A choice of systems: ratings, total cost of ownership and return, in one table"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.columns import enough_rows, labels, once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.weighting.alternatives import (
    choose_alternative,
    rated_priorities,
    return_on_investment,
    total_cost,
)
from cvlib.words.message import message


def system_choice(
    data: Any, weights: Mapping[str, float], rate: float = 0.08, *, reading: Reading = AS_IT_IS
) -> Finding:
    """Systems scored by judged ratings and by their total cost, and what would turn the order.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        alternative; a column of ratings (1–9) for every criterion; cost_0, cost_1, … by year (0 at
        signing); optionally benefit_0, benefit_1, ….
    weights : mapping of str to float
        Judged weight of each criterion; total_cost is the one of the costs.
    rate : float
        Discount rate per year [P].
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        system_scores: alternative, distributive, ideal, ideal_share, distributive_rank,
        ideal_rank. system_costs: alternative, total_cost, roi. system_changes, system_swaps: as in
        `choose_alternative`.

    Raises
    ------
    InputError
        A rating off 1–9, a weight of no criterion: with file, column, row.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.weighting.system_choice("crm_systems", {"fit": 0.6, "total_cost": 0.4})
    >>> found["system_scores"].shape[0]
    3
    """
    table = opened(data, reading)
    names = labels(table, "alternative")
    once(table, ["alternative"])
    enough_rows(table, len(names), 2, "alternatives")
    for name, weight in weights.items():
        number(f"weight of {name}", weight, 0)
    if not weights or sum(weights.values()) <= 0:
        raise InputError(
            "weights",
            message("refusals.are_all_zero"),
            message("refusals.give_at_least_one_criterion"),
        )
    flows = {
        side: np.column_stack([within(table, c, 0).to_numpy(float) for c in columns])
        for side in ("cost", "benefit")
        if (columns := [c for c in table.data.columns if str(c).startswith(f"{side}_")])
    }
    ratings = pd.DataFrame(
        {c: within(table, c, 1, 9).to_numpy(float) for c in weights if c != "total_cost"},
        index=list(names),
    )
    costs = pd.DataFrame({"alternative": list(names)})
    if "cost" in flows:
        costs["total_cost"] = [total_cost(list(row), rate) for row in flows["cost"]]
        if "benefit" in flows:
            both = zip(flows["cost"], flows["benefit"], strict=True)
            costs["roi"] = [return_on_investment(list(b), list(c), rate) for c, b in both]
    if "total_cost" in weights:
        if "total_cost" not in costs:
            raise InputError(
                table.place("cost_0"),
                message("refusals.there_is_no_such_column"),
                message("refusals.give_the_costs"),
            )
        ratings["total_cost"] = costs["total_cost"].to_numpy()
    shares = pd.Series(weights, dtype=float)[list(ratings.columns)]
    priced = ["total_cost"] if "total_cost" in ratings else []
    chosen = choose_alternative(rated_priorities(ratings, priced), shares / shares.sum())
    found = {"system_scores": chosen.scores, "system_changes": chosen.changes,
             "system_swaps": chosen.swaps}  # fmt: skip
    if "cost" in flows:
        found["system_costs"] = costs
    return Finding(found, chosen.verdict, chosen.warnings)
