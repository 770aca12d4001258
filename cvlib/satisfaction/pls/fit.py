"""Fit of a PLS model: distances between observed and implied correlations, exact-fit test, R².

Constructs of mode A under consistent PLS are common factors; every other construct is a composite,
whose items may correlate among themselves as they like.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.model.higher_order import disjoint_first, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.bootstrap import Draws, bootstrap
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit, first_order_correlation, fit_model
from cvlib.satisfaction.survey.missing import Survey
from cvlib.satisfaction.survey.moments import Sample
from cvlib.statistics.resample import enough
from cvlib.words.message import Message, message

TESTED = ("srmr", "d_uls", "d_g")
FEW_LOST = 0.95  # share of usable draws from which lost ones no longer matter [P]


def implied_construct_correlation(
    paths: np.ndarray, construct_correlation: np.ndarray, r_squared: np.ndarray
) -> np.ndarray:
    """Construct correlations that the paths alone reproduce, (B, k, k).

    Exogenous correlations are kept; disturbances are uncorrelated.

    Parameters
    ----------
    paths : ndarray (B, k, k)
        [source, target].
    construct_correlation : ndarray (B, k, k)
        Estimated.
    r_squared : ndarray (B, k)
        0 for exogenous constructs.

    References
    ----------
    Bollen (1989), Structural equations with latent variables, ch. 4.
    """
    count = paths.shape[-1]
    exogenous = ~(paths != 0).any(axis=(0, 1))
    disturbance = np.where(exogenous[:, None] & exogenous, construct_correlation, 0.0)
    index = np.arange(count)
    disturbance[:, index, index] = np.where(exogenous, 1.0, 1 - r_squared)
    # recursive paths: the inverse of I - B is the finite sum of the powers of B
    reach = power = np.broadcast_to(np.eye(count), paths.shape)
    for _ in range(count - 1):
        power = power @ paths
        reach = reach + power
    implied = np.swapaxes(reach, 1, 2) @ disturbance @ reach
    implied[:, index, index] = 1.0
    return implied


def implied_item_correlation(
    item_correlation: np.ndarray,
    loadings: np.ndarray,
    construct_correlation: np.ndarray,
    membership: np.ndarray,
    factor: np.ndarray,
) -> np.ndarray:
    """Item correlations implied by loadings and construct correlations, (B, p, p).

    Parameters
    ----------
    item_correlation : ndarray (B, p, p)
        Observed; kept within the block of a composite.
    loadings : ndarray (B, p)
        Standardised.
    construct_correlation : ndarray (B, k, k)
        Estimated or, for the fit of the whole model, from `implied_construct_correlation`.
    membership : ndarray of bool (p, k)
        True where the item belongs to the construct.
    factor : ndarray of bool (k,)
        True for a common factor, False for a composite.

    References
    ----------
    Henseler et al. (2014), Organizational Research Methods 17:182-209; Schuberth, Henseler &
    Dijkstra (2018), Frontiers in Psychology 9:2541 (composites).
    """
    block = membership.argmax(axis=1)
    implied = construct_correlation[:, block[:, None], block]
    implied = implied * (loadings[:, :, None] * loadings[:, None])
    kept = (block[:, None] == block) & ~factor[block]
    implied = np.where(kept, item_correlation, implied)
    index = np.arange(len(block))
    implied[:, index, index] = 1.0
    return implied


def distances(observed: np.ndarray, implied: np.ndarray) -> dict[str, np.ndarray]:
    """SRMR, d_ULS, d_G and d_ML between two stacks of correlation matrices, each (B,).

    ``srmr`` is the root of the mean squared difference over the lower triangle with the diagonal,
    ``d_uls`` half the sum of squared differences, ``d_g_natural`` half the sum of squared natural
    logarithms of the eigenvalues of ``inverse(observed) implied``, ``d_g`` the same with decimal
    logarithms, as the R package cSEM prints it (smaller by ln(10)² = 5.3), ``d_ml`` the
    maximum-likelihood discrepancy. NaN where a matrix is not positive definite.

    References
    ----------
    Dijkstra & Henseler (2015), CSDA 81:10-23, sec. 3.
    """
    items = observed.shape[-1]
    square = ((observed - implied) ** 2).sum(axis=(1, 2))
    found = {"srmr": np.sqrt(square / 2 / (items * (items + 1) / 2)), "d_uls": square / 2}
    values = np.full(observed.shape[:2], np.nan)
    sound = np.isfinite(square)
    lower = _root(observed, sound)
    # L⁻¹ implied L⁻ᵀ has the eigenvalues of inverse(observed) implied
    half = np.linalg.inv(lower)
    values[sound] = np.linalg.eigvalsh(half @ implied[sound] @ np.swapaxes(half, 1, 2))
    logs = np.log(np.where(values > 1e-12, values, np.nan))
    found["d_g_natural"] = (logs**2).sum(axis=1) / 2
    found["d_g"] = found["d_g_natural"] / np.log(10) ** 2
    found["d_ml"] = (logs + np.exp(-logs) - 1).sum(axis=1)
    return found


def _root(matrices: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """Cholesky factors of the matrices that are sound; `sound` is False where there is none."""
    try:
        lower = np.linalg.cholesky(matrices[sound])
        if (np.diagonal(lower, axis1=1, axis2=2) > 1e-6).all():
            return lower
    except np.linalg.LinAlgError:
        pass
    sound[sound] = np.linalg.eigvalsh(matrices[sound])[:, 0] > 1e-12
    return np.linalg.cholesky(matrices[sound])


def model_distances(
    model: Model, estimator: str, saturated: bool, fit: PLSFit
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Distances of B fits, and their implied item correlations (B, p, p).

    Parameters
    ----------
    model : Model
        Without moderation.
    estimator : {"pls", "plsc"}
        Under "plsc" mode A constructs of several items are common factors.
    saturated : bool
        True: construct correlations as estimated (fit of the measurement alone).
    fit : PLSFit
        Any number of fits.
    """
    between = fit.construct_correlation
    if not saturated:
        between = implied_construct_correlation(fit.paths, between, fit.r_squared)
    items, loadings = fit.item_correlation, fit.loadings
    if isinstance(fit, StagedFit) and fit.first is not None:  # judged by the items of both orders
        between, loadings = first_order_correlation(
            model, fit, between, factors(second_order(model), estimator)
        )
        items, model = fit.first.item_correlation, disjoint_first(model)
    implied = implied_item_correlation(
        items, loadings, between, model.membership, factors(model, estimator)
    )
    return distances(items, implied), implied


def factors(model: Model, estimator: str) -> np.ndarray:
    """Which constructs are common factors, bool (k,)."""
    return (np.array(model.modes) == "A") & (estimator == "plsc")


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


def exact_fit_test(
    model: Model,
    survey: Survey,
    fit: PLSFit,
    *,
    scheme: str = "path",
    estimator: str = "pls",
    draws: int,
    seed: int,
    level: float = 0.95,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Bootstrap test that the model reproduces the item correlations exactly.

    Answers are transformed so that the model holds in them, ``Z S^-1/2 Σ^1/2`` (Beran &
    Srivastava), resampled, and fitted again; p is (1 + the number of draws
    whose distance is at least the observed one) / (1 + draws).

    Parameters
    ----------
    model : Model
        Without moderation.
    survey : Survey
        Missing answers are filled in as in `Survey.completed`.
    fit : PLSFit
        Of the survey (B = 1).
    scheme, estimator : str
        As in `fit_pls`.
    draws, seed : int
        Of the bootstrap.
    level : float
        Of the critical value.

    Returns
    -------
    table : DataFrame
        measure (srmr, d_uls, d_g and the same of the saturated model), value, critical_value, p
        and, where more than one draw in twenty is lost, p_bound: p if all of them had reached the
        observed distance.
    warnings : tuple of str
        Draws that could not be used, or why the test does not apply.

    References
    ----------
    Beran & Srivastava (1985), Annals of Statistics 13:95-115; Dijkstra & Henseler (2015), CSDA
    81:10-23, sec. 3.
    """
    if not fit.admissible[0]:
        return pd.DataFrame(), (message("satisfaction.exact_fit_inadmissible"),)
    first = fit.first if isinstance(fit, StagedFit) and fit.first is not None else fit
    deviation = first.standard_deviation[0]
    covariance = first.item_correlation[0] * np.outer(deviation, deviation)
    # the moments of transformed answers are transformed moments: one source serves both tests
    source = Sample(survey.completed(first.mean[0], covariance), survey.weights, survey.clusters)
    parts: list[pd.DataFrame] = []
    told: list[Message] = []
    for saturated in (False, True):
        observed, implied = model_distances(model, estimator, saturated, fit)
        onto = transformation(first, implied[0])
        if onto is None:
            told.append(message("satisfaction.exact_fit_indefinite"))
            continue
        found: Draws = bootstrap(
            source,
            partial(_under_model, model, scheme, estimator, onto),
            partial(_tested, model, estimator, saturated),
            draws=draws,
            seed=seed,
            strata=survey.strata,
        )
        drawn = found.kept("distances")
        usable = np.isfinite(drawn).all(axis=1)
        used, failed = int(usable.sum()), int(found.failed.sum())
        if not enough(used, draws):
            told.append(message("satisfaction.exact_fit_few_draws", used=used, draws=draws,
                                failed=failed, indefinite=draws - failed - used))  # fmt: skip
            continue
        if used < draws:
            told.append(message("satisfaction.exact_fit_lost_draws", lost=draws - used, draws=draws,
                                failed=failed, indefinite=draws - failed - used))  # fmt: skip
        values = np.array([observed[name][0] for name in TESTED])
        reached = (drawn[usable] >= values).sum(axis=0)
        table = pd.DataFrame({
            "measure": [name + "_saturated" * saturated for name in TESTED],
            "value": values,
            "critical_value": np.quantile(drawn[usable], level, axis=0),
            "p": (1 + reached) / (1 + used),
        })  # fmt: skip
        if used < FEW_LOST * draws:  # as if every lost draw had reached the distance
            table["p_bound"] = (1 + reached + draws - used) / (1 + draws)
        parts.append(table)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table, tuple(dict.fromkeys(told))


def rejected(row: Mapping[str, float], alpha: float) -> bool:
    """Whether a row of the exact-fit test speaks against the model, lost draws or not."""
    bound = row.get("p_bound", np.nan)
    return bool(row["p"] < alpha and not bound >= alpha)


def transformation(fit: PLSFit, implied: np.ndarray) -> np.ndarray | None:
    """(p, p) that turns answers so that their correlations are the implied ones.

    None where a correlation matrix is not positive definite.

    Parameters
    ----------
    fit : PLSFit
        Of the items (B = 1).
    implied : ndarray (p, p)
        Correlations.
    """
    values, vectors = np.linalg.eigh(np.stack([fit.item_correlation[0], implied]))
    if values.min() <= 1e-12:
        return None
    away = (vectors[0] / np.sqrt(values[0])) @ vectors[0].T
    onto = (vectors[1] * np.sqrt(values[1])) @ vectors[1].T
    return np.asarray((away @ onto) / fit.standard_deviation[0][:, None])


def _under_model(
    model: Model, scheme: str, estimator: str, onto: np.ndarray,
    mean: np.ndarray, covariance: np.ndarray,
) -> PLSFit:  # fmt: skip
    """Fits to the moments of answers that were turned by `onto`."""
    return fit_model(model, mean @ onto, onto.T @ covariance @ onto,
                     scheme=scheme, estimator=estimator)  # fmt: skip


def _tested(model: Model, estimator: str, saturated: bool, fit: PLSFit) -> dict[str, np.ndarray]:
    found, _ = model_distances(model, estimator, saturated, fit)
    return {"distances": np.column_stack([found[name] for name in TESTED])}


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
