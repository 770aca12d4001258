"""Capacity: whom to supply when there is not enough for all, and what one more unit is worth"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.checks import fault
from cvlib.inputs.choices import number
from cvlib.inputs.columns import enough_rows, labels, once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.words.message import message


def allocate_capacity(
    demands: Any, capacity: Mapping[str, float] | float, *, reading: Reading = AS_IT_IS
) -> Finding:
    """Allocation of scarce capacity that brings most value, and what other rules would lose.

    max Σ v x subject to m ≤ x ≤ d and Σ a x ≤ K, by scipy's HiGHS; beside it the same share of
    everybody's wish, and the most valuable served first.

    Parameters
    ----------
    demands : str, Path, DataFrame or Table
        customer, value_per_unit (margin + change of lifetime value per unit: judged), demand,
        optionally minimum (default 0) and use_<resource> (units of the resource a unit takes;
        one resource of 1 a unit unless given).
    capacity : float or mapping of str to float
        Units there are, by resource.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        capacity_allocation: customer, value_per_unit, demand, minimum, best, proportional,
        by_value, short (demand − best), gain_per_unit (of one more unit of demand).
        capacity_rules: rule, value, value_lost. capacity_prices: resource, capacity, used,
        shadow_price, valid_from, valid_to.

    Raises
    ------
    InputError
        Minima that exceed the capacity (with their sum), a demand below its minimum: with file,
        column, row.

    References
    ----------
    Huangfu & Hall (2018), Mathematical Programming Computation 10(1):119-142 (the solver).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.allocate_capacity("capacity_demands", 100)
    >>> found["capacity_rules"]["rule"].tolist()
    ['best', 'proportional', 'by_value']
    """
    table = opened(demands, reading)
    names = labels(table, "customer")
    once(table, ["customer"])
    enough_rows(table, len(names), 2, "customers")
    value = within(table, "value_per_unit").to_numpy(float)
    most = within(table, "demand", 0).to_numpy(float)
    least = np.zeros(len(names))
    if "minimum" in table.data.columns:
        least = within(table, "minimum", 0).to_numpy(float)
    below = pd.Series(most < least, index=names.index)
    if below.any():
        raise fault(
            table,
            "demand",
            below,
            message("refusals.is_below_the_minimum", value="{value}"),
            message("refusals.mend_either"),
        )
    limits = {"capacity": capacity} if not isinstance(capacity, Mapping) else dict(capacity)
    for name, limit in limits.items():
        number(f"capacity {name}", limit, 0)
    uses = np.vstack(
        [
            within(table, f"use_{name}", 0).to_numpy(float)
            if f"use_{name}" in table.data.columns or len(limits) > 1
            else np.ones(len(names))
            for name in limits
        ]
    )
    stock = np.array(list(limits.values()), dtype=float)
    needed = uses @ least
    for name, wanted, there in zip(limits, needed, stock, strict=True):
        if wanted > there + 1e-9:
            raise InputError(
                table.place("minimum"),
                message("refusals.the_minima_take_of_there", wanted=wanted, name=name, there=there),
                message("refusals.lower_the_minima_or_give"),
            )
    solved = _best(value, least, most, uses, stock)
    even = _proportional(least, most, uses, stock)
    ranked = _by_value(value, least, most, uses, stock)
    worth = {"best": value @ solved.x, "proportional": value @ even, "by_value": value @ ranked}
    rows = pd.DataFrame(
        {
            "customer": names.to_numpy(), "value_per_unit": value, "demand": most,
            "minimum": least, "best": solved.x, "proportional": even, "by_value": ranked,
            "short": most - solved.x, "gain_per_unit": -solved.upper.marginals,
        }
    )  # fmt: skip
    rules = pd.DataFrame({"rule": list(worth), "value": list(worth.values())})
    rules["value_lost"] = worth["best"] - rules["value"]
    price = -solved.ineqlin.marginals
    spans = [_span(value, least, most, uses, stock, k, price[k]) for k in range(len(stock))]
    prices = pd.DataFrame(
        {
            "resource": list(limits), "capacity": stock, "used": uses @ solved.x,
            "shadow_price": price, "valid_from": [s[0] for s in spans],
            "valid_to": [s[1] for s in spans],
        }
    )  # fmt: skip
    found = {"capacity_allocation": rows, "capacity_rules": rules, "capacity_prices": prices}
    return Finding(found, _sentence(rows, rules, prices), (message("decisions.capacity_judged"),))


def _best(
    value: np.ndarray, least: np.ndarray, most: np.ndarray, uses: np.ndarray, stock: np.ndarray
) -> Any:
    from scipy.optimize import linprog

    return linprog(
        -value, A_ub=uses, b_ub=stock, bounds=np.column_stack([least, most]), method="highs"
    )


def _proportional(
    least: np.ndarray, most: np.ndarray, uses: np.ndarray, stock: np.ndarray
) -> np.ndarray:
    """Everybody's minimum and the same share of what they want beyond it."""
    room, wanted = stock - uses @ least, uses @ (most - least)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = float(np.min(np.where(wanted > 0, room / wanted, 1.0), initial=1.0))
    return least + min(share, 1.0) * (most - least)


def _by_value(
    value: np.ndarray, least: np.ndarray, most: np.ndarray, uses: np.ndarray, stock: np.ndarray
) -> np.ndarray:
    """The highest value per unit first, whatever of the capacity a unit takes."""
    given, left = least.copy(), stock - uses @ least
    for k in np.lexsort((np.arange(len(value)), -value)):
        if value[k] <= 0:
            break
        takes = uses[:, k] > 0
        room = float(np.min(left[takes] / uses[takes, k])) if takes.any() else np.inf
        more = max(0.0, min(most[k] - least[k], room))
        given[k] += more
        left -= more * uses[:, k]
    return given


def _span(
    value: np.ndarray,
    least: np.ndarray,
    most: np.ndarray,
    uses: np.ndarray,
    stock: np.ndarray,
    k: int,
    price: float,
) -> tuple[float, float]:
    """Between which capacities of resource k one more unit is worth this price."""

    def worth(limit: float) -> float:
        changed = stock.copy()
        changed[k] = limit
        return -float(_best(value, least, most, uses, changed).fun)

    base, here = worth(stock[k]), float(stock[k])
    ends = float(uses[k] @ least), float(max(uses[k] @ most, here))
    found = []
    for end in ends:
        good, bad = here, end
        slack = 1e-7 * max(abs(base), 1.0)
        if abs(worth(end) - base - price * (end - here)) <= slack:
            found.append(end)
            continue
        for _ in range(40):
            middle = (good + bad) / 2
            fits = abs(worth(middle) - base - price * (middle - here)) <= slack
            good, bad = (middle, bad) if fits else (good, middle)
        found.append(round(good, 4))
    return found[0], found[1]


def _sentence(rows: pd.DataFrame, rules: pd.DataFrame, prices: pd.DataFrame) -> str:
    scarce = prices.loc[prices["shadow_price"].idxmax()]
    if scarce["shadow_price"] <= 1e-9:
        return message("decisions.capacity_enough", value=rules["value"].iloc[0])
    wanting = rows[rows["short"] > 1e-9]
    return message(
        "decisions.capacity_scarce", value=rules["value"].iloc[0], short=len(wanting),
        price=scarce["shadow_price"], low=scarce["valid_from"], high=scarce["valid_to"],
        lost=rules["value_lost"].iloc[1],
    )  # fmt: skip
