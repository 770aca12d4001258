"""Estimated quantities of a PLS model, with or without inference, as the result's tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cvlib.satisfaction import effects, measurement
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.measurement import Measure
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls import fit as fitting
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.statistics.resample import Bootstrap


def statistics(model: Model) -> dict[str, Measure]:
    """Every estimated quantity: a table of its keys and a function from a fit to values (B, m)."""
    names, endogenous = np.array(model.construct_names), model.adjacency.any(axis=0)
    items = pd.DataFrame({"construct": names[model.block], "item": model.items})
    found: dict[str, Measure] = {
        name: (keys, lambda fit, values=values: values(fit.paths))  # type: ignore[misc]
        for name, (keys, values) in effects.measures(model).items()
    }
    paths, direct = found["path_coefficients"]
    added = pd.DataFrame([(m.name, m.target, m.sign) for m in model.moderations],
                         columns=paths.columns)  # fmt: skip

    def path_values(fit: PLSFit) -> np.ndarray:
        values = direct(fit)
        return values if fit.interactions is None else np.hstack([values, fit.interactions])

    found["path_coefficients"] = (pd.concat([paths, added], ignore_index=True), path_values)
    found |= {
        "loading": (items, lambda fit: fit.loadings),
        "weight": (items, lambda fit: fit.weights),
        "r_squared": (pd.DataFrame({"construct": names[endogenous]}),
                      lambda fit: fit.r_squared[:, endogenous]),
    }  # fmt: skip
    return found | measurement.measures(model) | scoring.measures(model)


def compute(measures: dict[str, Measure], fit: PLSFit) -> dict[str, np.ndarray]:
    """Every quantity of the fits, each (B, m)."""
    return {name: function(fit) for name, (_, function) in measures.items()}


def plain(values: dict[str, np.ndarray], name: str, keys: pd.DataFrame) -> pd.DataFrame:
    """The keys with the estimate alone."""
    return keys.assign(estimate=values[name][0])


def inferred(
    values: Mapping[str, np.ndarray],
    resampled: inference.Draws,
    chosen: Bootstrap,
    degrees: int,
    left_out: Mapping[str, np.ndarray],
    errors: Mapping[str, np.ndarray],
    name: str,
    keys: pd.DataFrame,
) -> pd.DataFrame:
    """The keys with estimate, std_error, t, p, ci_low and ci_high."""
    kept = resampled.kept(name)
    low, high = inference.intervals(
        values[name][0], kept, kind=chosen.interval, level=chosen.level,
        left_out=left_out.get(name), errors=errors.get(name),
    )  # fmt: skip
    return pd.concat([keys, inference.summary(values[name][0], kept, degrees, low, high)], axis=1)


def assembled(
    model: Model, fit: PLSFit, inferred: Mapping[str, pd.DataFrame], rows: float
) -> dict[str, pd.DataFrame]:
    """The tables of a fit by the names of `SatisfactionResult`.

    Parameters
    ----------
    model : Model
        Bound to the data.
    fit : PLSFit
        Of the data (B = 1).
    inferred : mapping
        Name of a quantity of `statistics` to its keys with estimate and inference.
    rows : float
        Respondents, or the effective number under survey weights.

    Returns
    -------
    dict of DataFrame
    """
    names = np.array(model.construct_names)
    # zero is no hypothesis about an index or R²: no t, no p
    index = inferred["index"].drop(columns=["t", "p"], errors="ignore")
    r_squared = inferred["r_squared"].drop(columns=["t", "p"], errors="ignore")
    r_squared = r_squared.rename(columns={"estimate": "r_squared"})
    causes = model.adjacency.sum(axis=0).astype(float)
    for moderation in model.moderations:
        causes[model.construct_names.index(moderation.target)] += 1
    causes = causes[model.adjacency.any(axis=0)]
    values = r_squared["r_squared"].to_numpy()
    r_squared.insert(2, "r_squared_adjusted", 1 - (1 - values) * (rows - 1) / (rows - causes - 1))
    criteria = fitting.information_criteria(values, causes, rows)
    r_squared.insert(3, "aic", criteria["aic"])
    r_squared.insert(4, "bic", criteria["bic"])
    first, second = np.tril_indices(len(names), -1)
    correlations = pd.DataFrame({
        "construct_1": names[first],
        "construct_2": names[second],
        "correlation": fit.construct_correlation[0][first, second],
    })  # fmt: skip
    index = index.rename(columns={"estimate": "index"})
    impacts = scoring.impacts_table(inferred["impacts"])
    return {
        "path_coefficients": inferred["path_coefficients"],
        "loadings": loadings_table(inferred),
        "index": index,
        "total_effects": inferred["total_effects"],
        "indirect_effects": pd.concat(
            [inferred["total_indirect"], inferred["specific_indirect"]], ignore_index=True
        ),
        "r_squared": r_squared,
        "construct_correlations": correlations,
        "impacts": impacts,
        **measurement.tables(model, fit, inferred),
    }


def loadings_table(inferred: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """construct, item, loading, weight, each with its inference."""
    weight = inferred["weight"].drop(columns=["construct", "item"])
    weight.columns = ["weight", *(f"weight_{c}" for c in weight.columns[1:])]
    loading = inferred["loading"].rename(columns={"estimate": "loading"})
    return pd.concat([loading, weight], axis=1)
