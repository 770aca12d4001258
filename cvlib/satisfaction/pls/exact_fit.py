"""Bootstrap test that a PLS model reproduces the item correlations exactly."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.bootstrap import Asked, bootstrap_each
from cvlib.satisfaction.pls.distances import model_distances
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit, fit_model
from cvlib.satisfaction.survey.missing import Survey
from cvlib.satisfaction.survey.moments import Sample
from cvlib.statistics.resample import enough
from cvlib.words.message import Message, message

TESTED = ("srmr", "d_uls", "d_g")
FEW_LOST = 0.95  # share of usable draws from which lost ones no longer matter [P]


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
    asked: list[Asked] = []
    tested: list[tuple[bool, np.ndarray]] = []
    for saturated in (False, True):
        observed, implied = model_distances(model, estimator, saturated, fit)
        onto = transformation(first, implied[0])
        if onto is None:
            told.append(message("satisfaction.exact_fit_indefinite"))
            continue
        asked.append((partial(_under_model, model, scheme, estimator, onto),
                      partial(_tested, model, estimator, saturated)))  # fmt: skip
        tested.append((saturated, np.array([observed[name][0] for name in TESTED])))
    resampled = bootstrap_each(source, asked, draws=draws, seed=seed, strata=survey.strata)
    for (saturated, values), found in zip(tested, resampled, strict=True):
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
