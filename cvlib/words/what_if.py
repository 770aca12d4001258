"""What would happen if: levers, outcomes, and what one point of a lever does to an outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

COLUMNS = ("lever", "outcome", "effect", "low", "high")


@dataclass(frozen=True)
class Lever:
    """Something a reader can raise.

    Attributes
    ----------
    name, label : str
        Its name in `WhatIf.effects`, and what it is called (a message).
    most : int
        How many points it can rise; none where it stands at its limit.
    """

    name: str
    label: str
    most: int = 10


@dataclass(frozen=True)
class Outcome:
    """Something that moves.

    Attributes
    ----------
    name, label : str
        Its name in `WhatIf.effects`, and what it is called (a message).
    value : float
        Where it stands now.
    unit : str
        Of value and effect, such as points or a currency (a message); may be empty.
    decimals, effect_decimals : int
        Printed digits of its value and of its changes.
    """

    name: str
    label: str
    value: float
    unit: str = ""
    decimals: int = 1
    effect_decimals: int = 3


@dataclass(frozen=True, eq=False)
class Flow:
    """What so many points more add, month by month, to one group of customers.

    Attributes
    ----------
    name : str
        Of the group; empty for all.
    customers : int
        In it.
    gains : ndarray (points, 3, months)
        Mean change per customer of fee, cost to serve and referrals by 1, 2, ... points.
    factors : tuple of ndarray (k, 3, months), or None
        Of each number of points: sums of squares of what they come to are the variance.
    """

    name: str
    customers: int
    gains: np.ndarray
    factors: tuple[np.ndarray, ...] | None = None

    def value(self, flows: Flows, points: int = 1) -> tuple[float, float]:
        """The discounted value of so many points per customer, and its standard error."""
        t = np.arange(flows.horizon)
        discount = (1 + flows.annual_discount_rate) ** (-t / 12)
        price = np.array([flows.margin, -1.0, flows.reward])

        own = float(price @ (self.gains[points - 1, :, : flows.horizon] @ discount))
        if self.factors is None:
            return own, float("nan")
        each = (self.factors[points - 1][:, :, : flows.horizon] @ discount) @ price
        return own, float(np.sqrt((each**2).sum()))


@dataclass(frozen=True, eq=False)
class Flows:
    """Streams by group, and where the sliders stand at first.

    Attributes
    ----------
    groups : tuple of Flow
        All customers first.
    margin, annual_discount_rate : float
        Of fees, and of a year.
    horizon : int
        Months.
    reward : float
        Of a referral.
    reach : float
        Standard errors from an estimate to its limits.
    """

    groups: tuple[Flow, ...]
    margin: float
    annual_discount_rate: float
    horizon: int
    reward: float
    reach: float


@dataclass(frozen=True)
class WhatIf:
    """Levers and outcomes joined by linear effects; a report makes sliders of it.

    Attributes
    ----------
    levers : tuple of Lever
        What can be raised.
    outcomes : tuple of Outcome
        What moves.
    effects : DataFrame
        lever, outcome, effect (of one point, in the outcome's unit), low, high (limits of effect;
        missing where there are none). A pair that is not listed has no effect.
    limits : str
        What this is not (a message): printed beside the sliders.
    flows : Flows, optional
        Streams by month, from which a page computes values at any margin, discount and horizon.
    """

    levers: tuple[Lever, ...]
    outcomes: tuple[Outcome, ...]
    effects: pd.DataFrame
    limits: str = ""
    flows: Flows | None = None

    def __post_init__(self) -> None:
        """Refuse effects that cannot be told apart or belong to nothing."""
        lacking = [name for name in COLUMNS if name not in self.effects]
        if lacking:
            raise InputError(
                "what-if effects",
                message("refusals.no_column", lacking=lacking[0]),
                message("refusals.give_all_five"),
            )
        pairs = self.effects[["lever", "outcome"]]
        if pairs.duplicated().any():
            raise InputError(
                "what-if effects",
                message("refusals.a_pair_stands_twice"),
                message("refusals.keep_one_of_them"),
            )
        strange = {*pairs["lever"]} - {lever.name for lever in self.levers} or (
            {*pairs["outcome"]} - {outcome.name for outcome in self.outcomes}
        )
        if strange:
            raise InputError(
                "what-if effects",
                message("refusals.is_no_lever_or_outcome", value=min(strange)),
                message("refusals.name_it_among_them"),
            )
