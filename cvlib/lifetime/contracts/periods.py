"""Models in whole periods for single contracts: one rate, sBG, BdW, G2G, with covariates or not"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.cohorts import fit_cohort, grouped_losses
from cvlib.lifetime.contracts.differing import fit_differing
from cvlib.lifetime.contracts.g2g import fit_g2g
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
Curve = Callable[[pd.DataFrame, ArrayLike], Array]
Fitted = tuple[pd.DataFrame, dict[str, float], Curve, list[str]]
ALIKE = ("sbg", "bdw", "geometric")
DIFFERING = ("sbg_covariates", "bdw_covariates", "g2g")
PLACES = ("duration", "event", "entry")  # columns of a table of contracts that are no covariates


def covariates_of(data: pd.DataFrame) -> list[str]:
    """The covariates among the columns of a table of contracts."""
    return [name for name in data.columns if name not in PLACES]


def entry_of(data: pd.DataFrame) -> Array | None:
    """Periods served when observation began; None where all are seen from their first."""
    return data["entry"].to_numpy(dtype=float) if "entry" in data else None


def same_for_all(curve: Callable[[Array], Array]) -> Curve:
    """A curve of nobody in particular, for every row."""
    return lambda rows, times: np.tile(curve(np.asarray(times, dtype=float)), (len(rows), 1))


def fit_in_periods(data: pd.DataFrame, level: float, model: str) -> Fitted | Message:
    """One model of `ALIKE` or `DIFFERING`, or why it cannot be fitted."""
    duration, event, entry = data["duration"], data["event"], entry_of(data)
    if model in ALIKE:
        alike = fit_cohort(grouped_losses(duration, event, entry), model, level)
        table = alike.parameters.rename(columns={"parameter": "covariate"})
        measures = alike.fit.set_index("measure")["value"][["log_likelihood", "aic"]].to_dict()
        return table, measures, same_for_all(alike.survival), [*alike.warnings]
    names = covariates_of(data)
    if not names:
        return message("lifetime.model_needs_covariates")
    z = data[names]
    centre = z.mean()
    try:
        fitted = (
            fit_g2g(duration, event, z - centre, entry=entry, level=level)
            if model == "g2g"
            else fit_differing(
                duration, event, z - centre, model.removesuffix("_covariates"), entry=entry,
                level=level,
            )
        )  # fmt: skip
    except (InputError, np.linalg.LinAlgError, ArithmeticError):
        return message("lifetime.model_no_maximum")
    table = fitted.parameters.rename(columns={"parameter": "covariate"}).drop(columns="kind")
    tests = fitted.effects.set_index("covariate")["p"]
    table["p"] = table["covariate"].map(tests)
    measures = fitted.fit.set_index("measure")["value"][["log_likelihood", "aic"]].to_dict()
    said: list[str] = [
        message("lifetime.of_model", model=model, text=text) for text in fitted.warnings
    ]

    def curve(rows: pd.DataFrame, times: ArrayLike) -> Array:
        at = np.floor(np.asarray(times, dtype=float))
        return np.asarray(fitted.survival(at, (rows[names] - centre).to_numpy(dtype=float)))

    return table, measures, curve, said
