"""Signatures of the purchase summary; the bodies follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class PurchaseSummary:
    customers: pd.DataFrame
    # customer_id, first_purchase, last_purchase, x, t_x, T (in `unit`), mean_repeat_spend (0 if x=0),
    # recency (days from last purchase to the cut), frequency (purchase days), monetary (total),
    # holdout_purchases, holdout_spend
    histories: pd.DataFrame  # x, t_x, T, customers
    left_out: pd.DataFrame  # reason, counted, count, share, amount
    tracking: pd.DataFrame  # period, new_customers, repeat_purchases, cumulative_repeat_purchases, sample
    unit: str
    holdout: float  # length of the holdout in `unit`, 0 when there is none
    facts: pd.DataFrame  # measure, value
    warnings: tuple[str, ...]


def summarise_purchases(
    transactions: Any,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str | None = "amount",
    calibration_end: str,
    holdout_end: str | None = None,
    unit: str = "week",
    returns: str = "net",
    free_orders: str = "count",
    memory_limit: str = "2GB",
    customers_to: Path | str | None = None,
) -> PurchaseSummary: ...
