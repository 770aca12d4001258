"""What every estimator hands on: arrays from which measurement, effects and index follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Solution:
    """B solutions of a model with p items and k constructs, standardised.

    Attributes
    ----------
    mean, standard_deviation : ndarray (B, p)
        Of the items.
    item_correlation : ndarray (B, p, p)
        Of the sample.
    weights : ndarray (B, p)
        Of standardised items in their construct's score, which has variance one.
    loadings : ndarray (B, p)
        Correlation of each item with its construct.
    construct_correlation : ndarray (B, k, k)
        From which paths and R² come.
    paths : ndarray (B, k, k)
        Coefficients, [source, target].
    r_squared : ndarray (B, k)
        0 for exogenous constructs.
    """

    mean: np.ndarray
    standard_deviation: np.ndarray
    item_correlation: np.ndarray
    weights: np.ndarray
    loadings: np.ndarray
    construct_correlation: np.ndarray
    paths: np.ndarray
    r_squared: np.ndarray
