"""Fit of a PLS model: distances between observed and implied correlations, indices of them, R²."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.model.higher_order import disjoint_first, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.distances import factors, model_distances
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit


def degrees_of_freedom(model: Model, estimator: str) -> int:
    """Item correlations less free parameters of the model with its paths.

    A composite of m items uses m (m - 1) / 2 correlations within and m - 1 weights, a factor m
    loadings; then paths and correlations of exogenous constructs.
    """
    orders = [model]
    if model.parents:
        orders = [disjoint_first(model), second_order(model)]
    free = 0
    for order in orders:
        size = order.membership.sum(axis=0)
        used = np.where(factors(order, estimator), size, size * (size - 1) // 2 + size - 1)
        told = [order is orders[0] or name in {c.name for c in model.parents}
                for name in order.construct_names]  # fmt: skip
        free += int(used[told].sum())
    last = orders[-1].adjacency
    items, exogenous = len(model.items), int((~last.any(axis=0)).sum())
    free += int(last.sum()) + exogenous * (exogenous - 1) // 2
    return items * (items - 1) // 2 - free


def fit_table(model: Model, fit: PLSFit, rows: float, estimator: str = "pls") -> pd.DataFrame:
    """Fit measures of one estimated model.

    Parameters
    ----------
    model : Model
        Without moderation.
    fit : PLSFit
        Of the data (B = 1).
    rows : float
        Respondents, or the effective number under survey weights.
    estimator : {"pls", "plsc"}
        Decides which constructs are factors.

    Returns
    -------
    DataFrame
        measure, value. srmr, d_uls, d_g, d_g_natural, d_ml, chi2 = (n - 1) d_ml, df, and the
        indices made of them (nfi, cfi, tli, ifi, rmsea, cn) belong to the whole model, those
        ending in ``_saturated`` to its measurement part. chi2 has no p: PLS does not minimise it.
        rms_theta: root mean squared correlation of outer residuals of different constructs; gof:
        of Tenenhaus et al., over constructs of several items, no measure of fit. Undefined
        measures are left out.

    References
    ----------
    Hu & Bentler (1999), SEM 6:1-55 (SRMR, CFI, RMSEA); Dijkstra & Henseler (2015), CSDA 81:10-23;
    Lohmöller (1989) (NFI, RMS theta); Hoelter (1983), Sociol. Meth. Res. 11:325-344 (CN);
    Tenenhaus et al. (2005), CSDA 48:159-205 (GoF). Checked against cSEM.
    """
    whole, _ = model_distances(model, estimator, False, fit)
    measured, _ = model_distances(model, estimator, True, fit)
    found = {name: float(value[0]) for name, value in whole.items()}
    df, items = degrees_of_freedom(model, estimator), len(model.items)
    first = fit.first if isinstance(fit, StagedFit) and fit.first is not None else fit
    null, null_df = (
        -float(np.linalg.slogdet(first.item_correlation[0])[1]),
        items * (items - 1) // 2,
    )
    chi2, null_chi2 = (rows - 1) * found["d_ml"], (rows - 1) * null
    found |= {"chi2": chi2, "df": df, "nfi": 1 - found["d_ml"] / null}
    if df > 0:
        excess = max(chi2 - df, 0.0)
        found |= {
            "chi2_df": chi2 / df,
            "cfi": 1 - excess / max(null_chi2 - null_df, excess),
            "tli": (null_chi2 / null_df - chi2 / df) / (null_chi2 / null_df - 1),
            "ifi": (null_chi2 - chi2) / (null_chi2 - df),
            "rmsea": np.sqrt(max(found["d_ml"] / df - 1 / (rows - 1), 0.0)),
            "cn": stats.chi2.ppf(0.95, df) / found["d_ml"] + 1,
        }
    found |= {f"{name}_saturated": float(measured[name][0]) for name in whole}
    model, correlation, loadings = second_order(model), fit.item_correlation[0], fit.loadings[0]
    outer = (
        np.eye(len(loadings))
        - (loadings[:, None] * model.membership) @ (fit.weights[0][:, None] * model.membership).T
    )
    apart = np.tril(model.block[:, None] != model.block)
    found["rms_theta"] = np.sqrt(np.mean((outer @ correlation @ outer.T)[apart] ** 2))
    several = model.membership.sum(axis=0)[model.block] > 1
    if several.any():
        explained = fit.r_squared[0][model.adjacency.any(axis=0)]
        found["gof"] = np.sqrt(np.mean(loadings[several] ** 2) * np.mean(explained))
    table = pd.DataFrame({"measure": list(found), "value": list(found.values())})
    return table[np.isfinite(table["value"])].reset_index(drop=True)


def information_criteria(
    r_squared: np.ndarray, predictors: np.ndarray, rows: float
) -> pd.DataFrame:
    """Columns aic and bic of each equation; smaller is better among models of one outcome.

    Parameters
    ----------
    r_squared : ndarray (m,)
        Of the equations; NaN results where it is one or more (an inadmissible estimate).
    predictors : ndarray (m,)
        Number of causes in each.
    rows : float
        Respondents.

    References
    ----------
    Sharma, Sarstedt, Shmueli, Kim & Thiele (2019), JAIS 20:346-397 (as R seminr and cSEM).
    """
    left = np.where(r_squared < 1, 1 - r_squared, np.nan)
    misfit = rows * np.log(left * (rows - 1) / rows)
    free = predictors + 1
    return pd.DataFrame({"aic": misfit + 2 * free, "bic": misfit + free * np.log(rows)})
