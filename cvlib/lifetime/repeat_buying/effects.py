"""What static covariates do to the rates of buying and dropping out, each tested by its loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cvlib.lifetime.maximise import Maximum
from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying.coordinates import climb
from cvlib.lifetime.repeat_buying.families import MODELS
from cvlib.statistics import resample
from cvlib.words.message import Message, message

PROCESSES = ("purchase", "dropout")
_WIDE = 5.0  # half an interval, in logs, from which an effect is not known


def coefficients(model: str, names: tuple[str, ...], found: Maximum, level: float) -> pd.DataFrame:
    """Coefficients of every covariate in both processes, as rows of a table of parameters."""
    labels = [f"{what}:{name}" for what in PROCESSES for name in names]
    value, error = found.at[-len(labels) :], _errors(found, len(labels))
    wide = resample.reach(level) * error
    columns = {
        "estimate": value,
        "std_error": error,
        "ci_low": value - wide,
        "ci_high": value + wide,
    }
    return pd.DataFrame({"model": model, "parameter": labels, "kind": "covariate", **columns})


def effects(
    model: str, family: Any, data: Histories, found: Maximum, level: float
) -> tuple[pd.DataFrame, list[Message]]:
    """Effects in shares of a rate, with a likelihood-ratio test of every covariate.

    Parameters
    ----------
    model : str
        Name of the family.
    family : Family
        With covariates.
    data : Histories
        What it was fitted to.
    found : Maximum
        Where.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        covariate, process, effect (share by which one unit changes the rate of buying; the rate of
        dropping out, or its odds where it is a chance), ci_low, ci_high, chi_square, df, p (against
        the model without the covariate in either process).
    list of Message
        Effects that the data do not tell.
    """
    k = len(data.names)
    value, error = found.at[-2 * k :], _errors(found, 2 * k)
    reach, rows, said = resample.reach(level), [], []
    for column, name in enumerate(data.names):
        kept = [place for place in range(k) if place != column]
        rest = replace(data, z=data.z[:, kept], names=tuple(data.names[i] for i in kept))
        gained = max(2 * (found.value - _without(model, family, rest).value), 0.0)
        for number, process in enumerate(PROCESSES):
            at = number * k + column
            known = bool(reach * error[at] < _WIDE and not found.held[-2 * k + at])
            if not known:
                what = f"{process}:{name}"
                said.append(message("lifetime.covariate_not_identified", covariate=what))
            edges = value[at] + np.array([-1, 1]) * reach * error[at]
            low, high = np.expm1(edges) if known else (np.nan, np.nan)
            effect = np.expm1(value[at])
            rows.append((name, process, effect, low, high, gained, 2, chdtrc(2, gained)))
    heads = ["covariate", "process", "effect", "ci_low", "ci_high", "chi_square", "df", "p"]
    return pd.DataFrame(rows, columns=heads), said


def _without(model: str, family: Any, data: Histories) -> Maximum:
    return climb(family if data.names else MODELS[model], data)


def _errors(found: Maximum, last: int) -> np.ndarray:
    return np.asarray(np.sqrt(np.diag(found.covariance())[-last:]))
