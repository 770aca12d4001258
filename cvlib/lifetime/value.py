"""Signatures of lifetime value; the bodies follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class LifetimeValue:
    customers: pd.DataFrame
    # customer_id, p_alive, discounted_expected_purchases, expected_spend, lifetime_value
    value: pd.DataFrame  # measure, value (customer_equity, mean, median, discount rate, ...)
    warnings: tuple[str, ...]


def lifetime_value(
    fit: Any,
    spend: Any,
    customers: pd.DataFrame,
    *,
    annual_rate: float,
    margin: float = 1.0,
    horizon: float | None = None,
    periods_per_year: float | None = None,
) -> LifetimeValue: ...
