"""Cohen's f² of a PLS model, the model estimated anew without each path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.satisfaction import measurement
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import fit_model


def effect_size_refitted(
    model: Model,
    mean: np.ndarray,
    covariance: np.ndarray,
    r_squared: np.ndarray,
    *,
    scheme: str = "path",
    estimator: str = "pls",
) -> np.ndarray:
    """Cohen's f² of each path, (k, k), when the model is estimated anew without the path.

    Weights then change with the path that is left out, as in R seminr (`effect_size` keeps them).

    Parameters
    ----------
    model : Model
        The full model.
    mean, covariance : ndarray (p,), (p, p)
        Of the items.
    r_squared : ndarray (k,)
        Of the full model.
    scheme, estimator : str
        As in `fit_pls`.
    """
    shown = second_order(model)
    found = np.full(shown.adjacency.shape, np.nan)
    for source, target in np.argwhere(shown.adjacency):
        names = shown.construct_names[source], shown.construct_names[target]
        without = 0.0
        if shown.adjacency[:, target].sum() > 1:
            kept = tuple(path for path in model.signed_paths if path[:2] != names)
            less = replace(model, signed_paths=kept, moderations=())
            if not any(names[0] in path[:2] for path in kept):
                less = less.without([names[0]], "has no path")
            own = np.array([model.items.index(item) for item in less.items])
            fit = fit_model(less, mean[None, own], covariance[None, own[:, None], own],
                            scheme=scheme, estimator=estimator)  # fmt: skip
            at = second_order(less).construct_names.index(names[1])
            without = float(fit.r_squared[0, at])
        found[source, target] = (r_squared[target] - without) / (1 - r_squared[target])
    return found


def f_squared_table(
    model: Model, mean: np.ndarray, covariance: np.ndarray, fit: PLSFit, scheme: str, estimator: str
) -> pd.DataFrame:
    """source, target, f_squared (model estimated anew), f_squared_same_scores (scores kept).

    Parameters
    ----------
    model : Model
        The full model.
    mean, covariance : ndarray (p,), (p, p)
        Of the items.
    fit : PLSFit
        Of these moments (B = 1).
    scheme, estimator : str
        As in `fit_pls`.
    """
    shown = second_order(model)
    targets, sources = np.nonzero(shown.adjacency.T)
    inflation = measurement.vif_antecedents(fit.construct_correlation, shown.adjacency)
    kept = measurement.effect_size(fit.paths, fit.r_squared, inflation)[0]
    anew = effect_size_refitted(
        model, mean, covariance, fit.r_squared[0], scheme=scheme, estimator=estimator
    )
    names = np.array(shown.construct_names)
    table = pd.DataFrame({
        "source": names[sources],
        "target": names[targets],
        "f_squared": anew[sources, targets],
        "f_squared_same_scores": kept[sources, targets],
    })  # fmt: skip
    # a moderated equation has a product term that neither formula takes out
    moderated = table["target"].isin({m.target for m in model.moderations})
    return table[~moderated].reset_index(drop=True)
