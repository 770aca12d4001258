"""Signatures of the repeat-buying fit; the bodies follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

FAMILIES = ("bg_nbd", "mbg_nbd", "pareto_nbd", "bg_bb", "nbd")


@dataclass(frozen=True)
class RepeatBuyingBootstrap:
    draws: pd.DataFrame  # draw, parameter, estimate
    parameters: pd.DataFrame  # model, parameter, estimate, std_error, ci_low, ci_high
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class RepeatBuyingFit:
    model: str
    unit: str | None
    parameters: pd.DataFrame  # model, parameter, kind (parameter|derived), estimate, std_error, ci_low, ci_high
    fit: pd.DataFrame  # model, measure, value
    diagnosis: pd.DataFrame  # model, check, value, threshold, verdict
    histories: pd.DataFrame  # x, t_x, T, customers (+ covariates)
    warnings: tuple[str, ...]

    def p_alive(self, x: Any, t_x: Any, T: Any, covariates: Any = None) -> np.ndarray: ...
    def probability_of_purchase(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray: ...
    def expected_purchases(
        self, horizon: Any, x: Any, t_x: Any, T: Any, covariates: Any = None
    ) -> np.ndarray: ...
    def expected_from_start(self, t: Any, covariates: Any = None) -> np.ndarray: ...
    def purchase_distribution(self, n: Any, t: Any) -> np.ndarray: ...  # P(X(t) = n)
    def purchase_counts(self, largest: int = 7) -> pd.DataFrame: ...  # model, count, actual, expected
    def discounted_expected_purchases(
        self,
        annual_rate: float,
        x: Any,
        t_x: Any,
        T: Any,
        *,
        horizon: float | None = None,
        periods_per_year: float | None = None,
        covariates: Any = None,
    ) -> np.ndarray: ...
    def tracking(self, births: Any, periods: int) -> pd.DataFrame: ...  # period, expected, cumulative_expected
    def predict(self, customers: pd.DataFrame, horizon: float) -> pd.DataFrame: ...
    # customers' id + p_alive, probability_of_purchase, expected_purchases
    def bootstrap(self, draws: int, seed: int, level: float = 0.95) -> RepeatBuyingBootstrap: ...


def fit_repeat_buying(
    data: Any,  # PurchaseSummary, or DataFrame x, t_x, T[, customers][, covariates]
    model: str = "bg_nbd",
    *,
    covariates: Sequence[str] = (),  # pareto_nbd only
    level: float = 0.95,
) -> RepeatBuyingFit: ...
