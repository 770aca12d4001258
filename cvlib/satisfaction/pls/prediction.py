"""Out-of-sample prediction: PLSpredict and the cross-validated predictive ability test (CVPAT)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs import choices
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.effects import total_effects
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit, fit_model
from cvlib.satisfaction.survey.missing import Survey
from cvlib.statistics import resample
from cvlib.words.message import Message, message

TECHNIQUES = ("direct", "earliest")


@dataclass(frozen=True)
class Prediction:
    """What a model predicts about respondents it has not seen.

    Attributes
    ----------
    items : DataFrame
        construct, item, q2_predict, rmse, mae, and the rmse and mae of the linear model
        (`rmse_linear_model`, ...) and of the indicator average, in points of the item's scale.
    constructs : DataFrame
        construct, q2_predict, rmse, mae of the construct scores (standardised).
    cvpat : DataFrame
        construct (or "overall"), benchmark, loss, benchmark_loss, difference (loss less the
        benchmark's: negative is better), std_error, t, p, ci_low, ci_high.
    losses : DataFrame
        Squared error per respondent and endogenous item.
    mass : ndarray (n,)
        Survey weight of each respondent, mean one.
    warnings : tuple of str
    """

    items: pd.DataFrame
    constructs: pd.DataFrame
    cvpat: pd.DataFrame
    losses: pd.DataFrame
    mass: np.ndarray
    warnings: tuple[str, ...] = ()


def predict(
    model: Model,
    survey: Survey,
    *,
    scheme: str = "path",
    technique: str = "direct",
    folds: int = 10,
    repetitions: int = 10,
    seed: int,
    level: float = 0.95,
) -> Prediction:
    """Predict every item of every endogenous construct for held-out respondents.

    Each repetition deals the respondents (or clusters) into folds; a fold is predicted from the
    model fitted to the others: items to scores, scores along the paths, predicted scores through
    the loadings to items, back on the item's scale. A respondent's predictions are averaged over
    the repetitions. Predictions are those of the composite model (PLS), also for a study that
    reports consistent PLS. Missing answers of held-out respondents are filled in from the whole
    sample.

    Parameters
    ----------
    model : Model
        Without its moderations, if it has any.
    survey : Survey
        Answers, weights and clusters.
    scheme : str
        Inner weighting of the fits.
    technique : {"direct", "earliest"}
        Scores of a construct's direct causes, or of the exogenous constructs only. The linear
        model regresses each item on the items of the same constructs.
    folds, repetitions : int
        Ten of each are usual.
    seed : int
        Of the dealing.
    level : float
        Of the intervals of CVPAT.

    Returns
    -------
    Prediction
        ``q2_predict`` is one less the squared error over that of the training mean.

    References
    ----------
    Shmueli, Ray, Velasquez Estrada & Chatla (2016), J. Business Research 69:4552-4564;
    Danks (2021), DATABASE 52(SI):24-42 (techniques); Liengaard et al. (2021), Decision Sciences
    52:362-392; Sharma et al. (2023), European J. Marketing 57:1662-1677 (CVPAT).
    """
    choices.one_of("technique", technique, TECHNIQUES)
    source = survey.source
    if choices.whole("folds", folds, 2) > source.units:
        raise InputError(
            "folds", message("refusals.fewer_than_folds", units=source.units, folds=folds),
            message("refusals.fewer_than_folds_remedy"),
        )  # fmt: skip
    generator = resample.generator(seed)
    dealt = np.array([
        generator.permutation(np.arange(source.units) * folds // source.units)
        for _ in range(repetitions)
    ])  # fmt: skip
    keep = (dealt[:, None] != np.arange(folds)[:, None]).reshape(-1, source.units)
    mean, covariance = source.moments(keep.astype(np.int8))
    fits = fit_model(model, mean, covariance, scheme=scheme)
    if fits.degenerate.any():
        raise InputError("prediction", _without_estimate(model, covariance[fits.degenerate]),
                         message("refusals.ask_more_respondents_or_leave"))  # fmt: skip
    whole = source.moments(np.ones((1, source.units), dtype=np.int8))
    values = survey.completed(whole[0][0], whole[1][0])
    lift, offset = None, np.zeros(1)
    if isinstance(fits, StagedFit) and fits.lift is not None and fits.offset is not None:
        # a dimension's own value depends on the fold: it is the index that the others weigh
        lift, offset, model, mean = fits.lift, fits.offset, second_order(model), fits.mean
        covariance = lift.swapaxes(1, 2) @ covariance @ lift
    unit = np.arange(len(values)) if survey.clusters is None else survey.clusters

    endogenous = np.flatnonzero(model.adjacency.any(axis=0))
    targets = np.flatnonzero(np.isin(model.block, endogenous))
    rules = _item_rules(model, fits, technique)
    slopes = _linear_model(model, covariance, technique)
    sums = np.zeros((3, len(values), len(model.items)))
    scores = np.zeros((2, len(values), len(model.constructs)))
    seen = np.zeros((len(values), len(model.items)))
    for number in range(len(keep)):
        rows = np.flatnonzero(dealt[number // folds][unit] == number % folds)
        own = values[rows] if lift is None else values[rows] @ lift[number] + offset[number]
        seen[rows] += own
        centred = own - mean[number]
        deviation = fits.standard_deviation[number]
        standard = centred / deviation
        weights = fits.weights[number][:, None] * model.membership
        sums[0, rows] += mean[number] + (standard @ rules[0][number]) * deviation
        sums[1, rows] += mean[number] + centred @ slopes[number]
        sums[2, rows] += mean[number]
        scores[0, rows] += standard @ weights
        scores[1, rows] += standard @ rules[1][number]
    errors = (seen - sums) / repetitions if lift is not None else values - sums / repetitions
    mass = np.ones(len(values)) if survey.weights is None else survey.weights
    mass = mass / mass.mean()
    score_error = (scores[0] - scores[1]) / repetitions
    told = []
    failed = int((~fits.converged).sum())
    if failed:
        told.append(message("satisfaction.training_failed", failed=failed, fits=len(keep)))
    losses = errors[:, :, targets] ** 2
    return Prediction(
        items=_item_table(model, errors, targets, mass),
        constructs=_construct_table(model, score_error, scores[0] / repetitions, endogenous, mass),
        cvpat=_against_benchmarks(model, losses, targets, endogenous, mass, level),
        losses=pd.DataFrame(losses[0], survey.index, [model.items[i] for i in targets]),
        mass=mass,
        warnings=tuple(told),
    )


def predicted(
    model: Model, survey: Survey, **settings: Any
) -> tuple[Prediction | None, tuple[Message, ...]]:
    """`predict` where it can be computed; else None and the reason it is left out."""
    try:
        found = predict(model, survey, **settings)
    except (InputError, np.linalg.LinAlgError) as error:
        reason = error.wrong if isinstance(error, InputError) else str(error)
        return None, (message("satisfaction.prediction_left_out", reason=reason),)
    return found, ()


def _without_estimate(model: Model, covariance: np.ndarray) -> str:
    """Why some training sets have no estimate, from their covariances (F, p, p)."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    if not np.isfinite(variance).all():
        return message("satisfaction.training_unsettled", sets=len(covariance))
    constant = np.flatnonzero((variance <= 1e-12).any(axis=0))
    if not len(constant):
        return message("satisfaction.training_collinear", sets=len(covariance))
    return message("satisfaction.training_constant", items=[model.items[i] for i in constant])


def compare_predictions(first: Prediction, second: Prediction, level: float = 0.95) -> pd.DataFrame:
    """CVPAT of two models on the same respondents and folds, over the items both predict.

    Returns
    -------
    DataFrame
        One row: items, loss_1, loss_2, difference (first less second: negative favours the
        first), std_error, t, p, ci_low, ci_high.
    """
    shared = [item for item in first.losses if item in second.losses]
    if not shared or not first.losses.index.equals(second.losses.index):
        raise InputError(
            "CVPAT", message("refusals.the_two_models_share_no"),
            message("refusals.fit_both_on_the_same"),
        )  # fmt: skip
    pair = [p.losses[shared].mean(axis=1).to_numpy() for p in (first, second)]
    row = paired_test(pair[0], pair[1], first.mass, level)
    renamed = {"loss": "loss_1", "benchmark_loss": "loss_2"}
    return pd.DataFrame([{"items": len(shared), **row}]).rename(columns=renamed)


def _item_rules(model: Model, fits: PLSFit, technique: str) -> tuple[np.ndarray, np.ndarray]:
    """Standardised items to predicted items (F, p, p) and to predicted scores (F, p, k)."""
    paths = fits.paths
    if technique == "earliest":
        exogenous = np.asarray(~model.adjacency.any(axis=0))
        paths = np.where(exogenous[:, None], total_effects(fits.paths), 0.0)
    weights = fits.weights[:, :, None] * model.membership
    scores = weights @ paths
    return scores[:, :, model.block] * fits.loadings[:, None], scores


def _linear_model(model: Model, covariance: np.ndarray, technique: str) -> np.ndarray:
    """Slopes (F, p, p) of every item on the items of its construct's predictors."""
    slopes = np.zeros_like(covariance)
    exogenous = np.asarray(~model.adjacency.any(axis=0))
    for target in np.flatnonzero(~exogenous):
        causes = model.adjacency[:, target] if technique == "direct" else exogenous
        x, y = np.flatnonzero(causes[model.block]), np.flatnonzero(model.block == target)
        # the pseudo-inverse gives the smallest slopes where two items are identical
        inverse = np.linalg.pinv(covariance[:, x[:, None], x], hermitian=True)
        slopes[:, x[:, None], y] = inverse @ covariance[:, x[:, None], y]
    return slopes


def _item_table(
    model: Model, errors: np.ndarray, targets: np.ndarray, mass: np.ndarray
) -> pd.DataFrame:
    square = np.average(errors[:, :, targets] ** 2, axis=1, weights=mass)
    absolute = np.average(np.abs(errors[:, :, targets]), axis=1, weights=mass)
    return pd.DataFrame({
        "construct": [model.construct_names[model.block[i]] for i in targets],
        "item": [model.items[i] for i in targets],
        "q2_predict": 1 - square[0] / square[2],
        "rmse": np.sqrt(square[0]),
        "mae": absolute[0],
        "rmse_linear_model": np.sqrt(square[1]),
        "mae_linear_model": absolute[1],
        "rmse_indicator_average": np.sqrt(square[2]),
        "mae_indicator_average": absolute[2],
    })  # fmt: skip


def _construct_table(
    model: Model,
    errors: np.ndarray,
    scores: np.ndarray,
    endogenous: np.ndarray,
    mass: np.ndarray,
) -> pd.DataFrame:
    square = np.average(errors[:, endogenous] ** 2, axis=0, weights=mass)
    return pd.DataFrame({
        "construct": [model.construct_names[j] for j in endogenous],
        # the training mean of a standardised score is zero
        "q2_predict": 1 - square / np.average(scores[:, endogenous] ** 2, axis=0, weights=mass),
        "rmse": np.sqrt(square),
        "mae": np.average(np.abs(errors[:, endogenous]), axis=0, weights=mass),
    })  # fmt: skip


def _against_benchmarks(
    model: Model,
    losses: np.ndarray,
    targets: np.ndarray,
    endogenous: np.ndarray,
    mass: np.ndarray,
    level: float,
) -> pd.DataFrame:
    """CVPAT against the indicator average and the linear model, per construct and overall."""
    rows = []
    for benchmark, number in (("indicator_average", 2), ("linear_model", 1)):
        groups = [(model.construct_names[j], model.block[targets] == j) for j in endogenous]
        for name, chosen in [*groups, ("overall", np.ones(len(targets), dtype=bool))]:
            own, other = losses[0][:, chosen].mean(axis=1), losses[number][:, chosen].mean(axis=1)
            rows.append({
                "construct": name, "benchmark": benchmark, **paired_test(own, other, mass, level)
            })  # fmt: skip
    return pd.DataFrame(rows)


def paired_test(
    own: np.ndarray, other: np.ndarray, mass: np.ndarray, level: float
) -> dict[str, float]:
    """Two-sided t test of the mean difference of two losses, n - 1 degrees of freedom."""
    count = len(own)
    difference = own - other
    mean = float(np.average(difference, weights=mass))
    error = float(np.sqrt((mass**2 * (difference - mean) ** 2).sum() / (count - 1) / count))
    t = mean / error if error > 0 else np.nan
    reach = float(resample.reach(level, count - 1)) * error
    return {
        "loss": float(np.average(own, weights=mass)),
        "benchmark_loss": float(np.average(other, weights=mass)),
        "difference": mean,
        "std_error": error,
        "t": t,
        "p": float(2 * stats.t.sf(abs(t), count - 1)),
        "ci_low": mean - reach,
        "ci_high": mean + reach,
    }
