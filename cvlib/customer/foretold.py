"""Retention foretold and observed: customers held out by tenths, all by thirds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex
from cvlib.customer.links import Pass
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.statistics.ranks import equal_counts
from cvlib.statistics.resample import generator

Array = np.ndarray
_FOLDS = 5


def holdout_check(base: CustomerBase, index: CustomerIndex, found: Pass) -> pd.DataFrame:
    """Retention at the end of the window by tenths of what other folds' customers foretell."""
    z = base.controls.to_numpy(float)[base.answered]
    x = np.column_stack([index.scores, z])
    fold = generator(1, len(x)).permutation(len(x)) % _FOLDS
    window = int(base.duration.max())
    chance = np.zeros(len(x))
    for k in range(_FOLDS):
        fit = fit_leaving(found.leaving.model, base.duration[fold != k], base.left[fold != k],
                          x[fold != k], start=found.leaving)  # fmt: skip
        chance[fold == k] = fit.survival(x[fold == k], window + 1)[:, -1]
    tenth = equal_counts(chance, 10) + 1
    rows = []
    for number in np.unique(tenth):
        inside = tenth == number
        rows.append((int(number), int(inside.sum()), _stayed(base, inside, window),
                     float(chance[inside].mean())))  # fmt: skip
    return pd.DataFrame(rows, columns=["tenth", "customers", "observed", "predicted"])


def kept(duration: Array, left: Array, periods: Array) -> Array:
    """Kaplan-Meier share still there after each number of periods."""
    risk = (duration[:, None] >= periods[None, :]).sum(axis=0)
    lost = ((duration[:, None] == periods[None, :]) & left[:, None]).sum(axis=0)
    hazard = np.where(risk > 0, lost / np.maximum(risk, 1), 0.0)
    return np.cumprod(1 - hazard)


def _stayed(base: CustomerBase, inside: Array, window: int) -> float:
    periods = np.arange(1, window + 1)
    return float(kept(base.duration[inside], base.left[inside], periods)[-1])


def retention_by_thirds(base: CustomerBase, index: CustomerIndex, found: Pass) -> pd.DataFrame:
    """Retention by thirds of satisfaction: as observed, and by the model."""
    z = base.controls.to_numpy(float)[base.answered]
    x = np.column_stack([index.scores, z])
    window = int(base.duration.max())
    third = equal_counts(index.scores, 3)
    rows = []
    for number, name in enumerate(("low", "middle", "high")):
        inside = third == number
        periods = np.arange(1, window + 1)
        seen = np.append(1.0, kept(base.duration[inside], base.left[inside], periods))
        model = found.leaving.survival(x[inside], window + 1).mean(axis=0)
        for period in range(window + 1):
            rows.append((period, name, seen[period], model[period]))
    return pd.DataFrame(rows, columns=["period", "satisfaction", "observed", "predicted"])
