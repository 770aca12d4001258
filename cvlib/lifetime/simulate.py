"""Signatures of the simulators; the bodies follow."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def simulate_histories(
    model: str, parameters: Mapping[str, float], T: object, *, seed: int, holdout: float = 0.0
) -> pd.DataFrame: ...  # x, t_x, T, alive, x_star


def simulate_transactions(
    model: str,
    parameters: Mapping[str, float],
    *,
    customers: int,
    periods: float,
    joining: float = 0.0,
    unit: str = "week",
    start: str = "2020-01-01",
    spend: Mapping[str, float] | None = None,
    seed: int,
) -> pd.DataFrame: ...  # customer_id, date, amount
