"""Tables of a covariance solution by the formulas that serve PLS as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import measurement
from cvlib.satisfaction.solution import Solution
from cvlib.satisfaction.survey.missing import Survey


def derived(
    solution: Solution,
    shares: np.ndarray,
    survey: Survey,
    tables: dict[str, pd.DataFrame],
    target: str = "",
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """What follows from a standardised solution, and the individual scores 0-100.

    cross_loadings are model-implied correlations of items and constructs; vif and f_squared come
    from the construct correlations; impacts are standardised total effects times the ratio of the
    standard deviations of the two indices, their limits those of the effects with that ratio held
    fixed [P].

    Parameters
    ----------
    solution : Solution
        Of the whole sample (B = 1).
    shares : ndarray (p, k)
        Weight of each item in the index of each construct.
    survey : Survey
        The answers behind it.
    tables : dict of DataFrame
        index, total_effects and loadings.
    target : str
        Of the importance-performance map; empty for satisfaction.

    Returns
    -------
    tables : dict of DataFrame
        loadings (a single item without error has no test), cross_loadings, vif, f_squared, impacts,
        importance_performance.
    scores : DataFrame
        One row per respondent, one column per construct.
    """
    model, names = survey.model, np.array(survey.model.construct_names)
    mean, covariance = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    fit = replace(
        solution, mean=mean, standard_deviation=deviation,
        item_correlation=covariance / (deviation[:, :, None] * deviation[:, None]),
    )  # fmt: skip
    per_point = 100 * shares / (model.maximum - model.minimum)[:, None]
    scores = pd.DataFrame(
        (survey.completed(mean[0], covariance[0]) - model.minimum) @ per_point,
        index=survey.index, columns=list(model.construct_names),
    )  # fmt: skip
    spread = np.sqrt(np.einsum("pk,pq,qk->k", per_point, covariance[0], per_point))
    inflation = measurement.vif_antecedents(fit.construct_correlation, model.adjacency)
    sizes = measurement.effect_size(fit.paths, fit.r_squared, inflation)[0]
    targets, sources = np.nonzero(model.adjacency.T)
    implied = fit.loadings[0][:, None] * fit.construct_correlation[0][model.block]
    effects, at = tables["total_effects"].copy(), dict(zip(names, spread, strict=True))
    ratio = effects["target"].map(at) / effects["source"].map(at)
    for column in ("estimate", "std_error", "ci_low", "ci_high"):
        effects[column] *= ratio
    impacts = scoring.impacts_table(
        effects[["source", "target", "estimate", "std_error", "t", "p", "ci_low", "ci_high"]]
    )
    loadings = tables["loadings"].copy()
    fixed = loadings["std_error"] < 1e-9  # a single item without error: nothing to test
    loadings.loc[fixed, "std_error"] = 0.0
    loadings.loc[fixed, ["t", "p"]] = np.nan
    return {
        "loadings": loadings,
        "cross_loadings": measurement.cross_loadings_table(model, implied),
        "vif": measurement.vif_table(model, fit),
        "f_squared": pd.DataFrame({
            "source": names[sources],
            "target": names[targets],
            "f_squared": sizes[sources, targets],
        }),
        "impacts": impacts,
        "importance_performance": scoring.importance_performance_table(
            impacts, tables["index"], model, target or None
        ),
    }, scores  # fmt: skip
