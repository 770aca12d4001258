"""Signatures of the Gamma-Gamma spend model; the bodies follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class SpendFit:
    parameters: pd.DataFrame  # model, parameter, kind, estimate, std_error, ci_low, ci_high
    fit: pd.DataFrame  # model, measure, value
    independence: pd.DataFrame  # measure (pearson, spearman), estimate, p
    left_out: pd.DataFrame  # reason, count, share
    warnings: tuple[str, ...]

    def expected_spend(self, x: Any, mean_repeat_spend: Any) -> np.ndarray: ...


def fit_spend(data: Any, *, level: float = 0.95) -> SpendFit: ...  # PurchaseSummary or customers
