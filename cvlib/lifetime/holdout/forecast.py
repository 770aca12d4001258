"""What a forecast of the holdout is, and what every rule that makes one starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.words.message import message

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """What one model says of each customer's holdout; None where it says nothing."""

    model: str
    expected: Array | None = None  # purchases
    probability: Array | None = None  # of at least one purchase
    spend: Array | None = None  # money
    score: Array | None = None  # order only


@dataclass(frozen=True)
class Rivals:
    """Forecasts of the rivals, how each was made, and the models among them as fitted."""

    forecasts: tuple[Forecast, ...]
    rules: pd.DataFrame
    warnings: tuple[str, ...]
    fits: tuple[RepeatBuyingFit, ...] = ()


def customer_rows(summary: PurchaseSummary) -> pd.DataFrame:
    """The customers of a summary, which must be in memory to be compared one by one."""
    if summary.customers is None:
        raise InputError(
            "customers_to",
            message("refusals.the_customers_went_to_a"),
            message("refusals.summarise_without_it_to_validate"),
        )
    return summary.customers


def hiatus_of(customers: pd.DataFrame) -> Array:
    """Time from the last purchase to the cut, in the customers' unit, without rounding noise."""
    return np.round((customers["T"] - customers["t_x"]).to_numpy(dtype=float), 9)


def earlier_end(summary: PurchaseSummary) -> tuple[pd.Timestamp, int]:
    """Where the calibration is split so that rules can learn, and the days left to learn from.

    The last part of the calibration is as long as the holdout, or half the calibration.
    """
    cut, end = pd.Timestamp(summary.cut), pd.Timestamp(summary.end)
    seen = (cut - customer_rows(summary)["first_purchase"].min()).days + 1
    days = min((end - cut).days, seen // 2)
    return cut - pd.Timedelta(days=days), days
