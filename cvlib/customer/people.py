"""Whom it concerns: satisfaction by value, value at risk, and what a list of calls would earn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex
from cvlib.customer.links import Worth, present_value
from cvlib.customer.value import PointValue, SatisfactionLink
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.results import Result
from cvlib.statistics.campaign import Campaign, maximum_profit
from cvlib.statistics.resample import generator
from cvlib.words.message import message

Array = np.ndarray
_FOLDS = 5
HELP = 0.25  # share of leavers that the planned experiment should be able to see saved [P]


def quadrants(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, worth: Worth | None = None
) -> pd.DataFrame:
    """Satisfaction by value (Jones & Sasser 1995), with retention as observed.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Calibrated scores.
    linked : SatisfactionLink
        Gives the present value of each respondent.
    worth : Worth, optional
        Of the study.

    Returns
    -------
    DataFrame
        satisfaction, value (low, high: by their medians), customers, share, share_of_value,
        retention.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> len(cv.customer.quadrants(base, index, cv.customer.link(base, index)))
    4
    """
    value = present_value(linked.found, worth or Worth())
    happy = index.calibration.expected >= np.median(index.calibration.expected)
    rich = value >= np.median(value)
    rows = []
    for word_s, s in (("high", happy), ("low", ~happy)):
        for word_v, v in (("high", rich), ("low", ~rich)):
            inside = s & v
            n = int(inside.sum())
            stay = float(1 - base.left[inside].mean()) if n else np.nan
            share = float(value[inside].sum() / value.sum())
            rows.append((word_s, word_v, n, n / len(value), share, stay))
    columns = ["satisfaction", "value", "customers", "share", "share_of_value", "retention"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True, eq=False, repr=False)
class Calls(Result):
    """What orders of calling would earn, and what they cannot tell.

    Attributes
    ----------
    campaign : DataFrame
        order, emp (expected maximum profit per customer), called (share).
    value_at_risk : DataFrame
        id, p_leave (within a year; of transactions: no purchase in the window), value, at_risk;
        largest first.
    per_arm : int
        Customers per arm of an experiment that would see a quarter of the leavers saved.
    """

    campaign: pd.DataFrame
    value_at_risk: pd.DataFrame
    per_arm: int
    headline_tables = ("campaign",)

    def sentences(self) -> list[str]:
        """Who gains from a call cannot be told from risk; what would tell it."""
        return [message("customer.experiment", per_arm=self.per_arm, help=HELP)]


def calls(
    base: CustomerBase,
    index: CustomerIndex,
    linked: SatisfactionLink,
    worth: Worth | None = None,
    campaign: Campaign | None = None,
) -> Calls:
    """Orders of calling without an experiment: by risk, value at risk, satisfaction and value.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores.
    linked : SatisfactionLink
        Names the model of leaving; risks are foretold for customers it has not seen.
    worth : Worth, optional
        Of the study.
    campaign : Campaign, optional
        Value, costs and response.

    Returns
    -------
    Calls
        EMP of each order (Verbraken, Verbeke & Baesens 2013) and the experiment needed.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> cv.customer.calls(base, index, cv.customer.link(base, index)).per_arm > 100
    True
    """
    z = base.controls.to_numpy(float)[base.answered]
    x = np.column_stack([index.scores, z])
    fold = generator(2, len(x)).permutation(len(x)) % _FOLDS
    risk, soon = np.zeros(len(x)), np.zeros(len(x))
    window = int(base.duration.max())
    for k in range(_FOLDS):
        out = fold != k
        fit = fit_leaving(linked.found.leaving.model, base.duration[out], base.left[out], x[out],
                          start=linked.found.leaving)  # fmt: skip
        curve = fit.survival(x[~out], max(window, base.year) + 1)
        risk[~out], soon[~out] = 1 - curve[:, window], 1 - curve[:, base.year]
    value = present_value(linked.found, worth or Worth())
    orders = {"risk": risk, "value at risk": risk * value, "least satisfied": -index.scores,
              "value": value}  # fmt: skip
    rows = []
    for name, score in orders.items():
        found = maximum_profit(score, base.left.astype(float), campaign)
        rows.append((name, float(found.emp), float(found.emp_fraction)))
    table = pd.DataFrame(rows, columns=["order", "emp", "called"])
    p = float(base.left.mean())
    needed = 2 * (1.96 + 0.84) ** 2 * p * (1 - p) / (HELP * p) ** 2
    listing = pd.DataFrame(
        {"id": base.ids[base.answered], "p_leave": soon, "value": value, "at_risk": soon * value}
    )
    ordered = listing.sort_values("at_risk", ascending=False, kind="stable", ignore_index=True)
    return Calls(
        table.sort_values("emp", ascending=False, kind="stable", ignore_index=True), ordered,
        int(np.ceil(needed)),
    )  # fmt: skip


def dearest(value: PointValue) -> str:
    """The driver whose point is worth most; empty where nothing may be said."""
    return "" if value.withheld else str(value.drivers_to_money["driver"].iloc[0])
