"""One call from a survey and a model to every PLS table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import measurement
from cvlib.satisfaction.model.model import Model, load_model
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls import diagnosis, moderation, prediction, tables
from cvlib.satisfaction.pls import engine as pls
from cvlib.satisfaction.pls import fit as fitting
from cvlib.satisfaction.pls.engine import PLSFit, fit_pls
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.moments import Sample, Source
from cvlib.statistics import resample

ESTIMATORS = ("pls", "plsc")


def estimate_pls(
    data: pd.DataFrame,
    model: Model | str | Path,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    missing: str = "listwise",
    minimum_share: float = 0.5,
    weights: str | pd.Series | None = None,
    strata: str | None = None,
    clusters: str | None = None,
    draws: int = 0,
    seed: int = resample.SEED,
    level: float = 0.95,
    interval: str = "percentile",
    folds: int = 10,
    repetitions: int = 10,
    exact_fit_draws: int = 0,
    target: str | None = None,
    threads: int = 1,
    tolerance: float = 1e-10,
    max_iterations: int = 300,
) -> SatisfactionResult:
    """Estimate a satisfaction model by partial least squares.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    model : Model, name or path
        Bound to the data by `Model.map`; a model that is not bound yet is bound here.
    estimator : {"pls", "plsc"}
        Composites, or consistent PLS for constructs that are common factors.
    scheme : {"path", "factorial", "centroid"}
        Inner weighting.
    missing, minimum_share, weights, strata, clusters
        As in `missing.prepare`.
    draws : int
        Bootstrap resamples; 0 gives estimates without inference.
    seed : int
        Of the bootstrap.
    level : float
        Confidence of the intervals.
    interval : {"percentile", "bca", "studentized"}
        See `inference.intervals`.
    folds, repetitions : int
        Of the cross-validation behind Q²_predict and CVPAT; 0 folds leave both out.
    exact_fit_draws : int
        Resamples of the exact-fit test; 0 leaves it out.
    target : str, optional
        Construct of the importance-performance map; satisfaction where there is one.
    threads : int
        Chunks of draws fitted side by side; the numbers do not depend on it.
    tolerance, max_iterations
        As in `pls.fit_pls`.

    Returns
    -------
    SatisfactionResult
        With draws, every estimated table has std_error, t, p, ci_low and ci_high. p is two-sided,
        from the ratio of estimate to bootstrap standard error on Student's t with as many degrees
        of freedom as resampling units less strata. `extra` holds scores (0-100, one row per
        respondent), prediction_items, prediction_constructs, cvpat and exact_fit.

    Raises
    ------
    InputError
        For a survey or a setting that cannot be used.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), CSDA 48:159-205; Fornell, Johnson,
    Anderson, Cha & Bryant (1996), Journal of Marketing 60(4):7-18 (index).
    """
    _check_choice("estimator", estimator, ESTIMATORS)
    _check_choice("scheme", scheme, pls.SCHEMES)
    _check_choice("interval", interval, inference.INTERVALS)
    if draws < 0 or draws == 1:
        raise InputError("draws", f"{draws} resamples", "Use 0, or 2 and more (say 5000).")
    if not 0 < level < 1:
        raise InputError("level", f"{level} is not a confidence level", "Use 0.95, say.")
    bound = model if isinstance(model, Model) else load_model(model)
    if not set(bound.columns) <= set(data.columns):
        bound = bound.map(data.columns)
    survey = prepare(
        data, bound, missing=missing, minimum_share=minimum_share,
        weights=weights, strata=strata, clusters=clusters,
    )  # fmt: skip
    source, fit = fitter(
        bound, survey, estimator=estimator, scheme=scheme,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
    found = fit(mean, covariance)
    if found.degenerate[0]:
        raise InputError(
            f"model {bound.name}", "has no solution on these data: constructs or items are exactly"
            " collinear", "Leave out items or constructs that repeat others.",
        )  # fmt: skip
    told = [bound.adapted] if bound.adapted else []
    told += [*bound.dropped, *survey.warnings, *diagnosis.problems(bound, found, estimator)]
    measures = tables.statistics(bound)
    compute = partial(tables.compute, measures)
    infer: Callable[[str, pd.DataFrame], pd.DataFrame] = partial(tables.plain, compute(found))
    told_draws = pd.DataFrame()
    if draws:
        infer, told_draws = _bootstrap(
            source, survey, fit, compute, compute(found), draws, seed, level, interval, threads
        )
        told += diagnosis.draw_warnings(told_draws)
    inferred = {name: infer(name, keys) for name, (keys, _) in measures.items()}
    rows = survey.effective_rows
    result = tables.assembled(bound, found, inferred, rows)
    items = len(bound.items)
    mean, covariance = mean[0, :items], covariance[0, :items, :items]
    result["f_squared"] = measurement.f_squared_table(
        bound, mean, covariance, found, scheme, estimator
    )
    result["importance_performance"] = scoring.importance_performance_table(
        result["impacts"], result["index"], bound, target
    )
    complete = survey.completed(mean, covariance)
    extra = {"scores": scoring.index_scores(
        bound, complete, scoring.index_values(bound, found), survey.index)}  # fmt: skip
    if bound.moderations:
        told.append("Fit and prediction are not reported for a model with an interaction.")
    else:
        result["fit"] = fitting.fit_table(bound, found, rows, estimator)
        if folds:
            foretold = prediction.predict(
                bound, survey, scheme=scheme, folds=folds, repetitions=repetitions,
                seed=seed, level=level,
            )  # fmt: skip
            q2 = foretold.constructs[["construct", "q2_predict"]]
            result["r_squared"] = result["r_squared"].merge(q2, how="left")
            extra |= {"prediction_items": foretold.items, "cvpat": foretold.cvpat,
                      "prediction_constructs": foretold.constructs}  # fmt: skip
            told += foretold.warnings
        if exact_fit_draws:
            extra["exact_fit"], exact_told = fitting.exact_fit_test(
                bound, survey, found, scheme=scheme, estimator=estimator,
                draws=exact_fit_draws, seed=seed, level=level,
            )  # fmt: skip
            told += exact_told
    return SatisfactionResult(
        model=bound,
        estimator=estimator,
        settings={
            "scheme": scheme, "missing": missing, "draws": draws, "seed": seed, "level": level,
            "interval": interval, "rows": len(survey.values), "units": source.units,
            "effective_sample_size": rows, "tolerance": tolerance,
            "iterations": int(found.iterations[0]), "converged": bool(found.converged[0]),
            "minimum_share": minimum_share, "weighted": survey.weights is not None,
            "stratified": survey.strata is not None, "clustered": survey.clusters is not None,
            "folds": folds if "cvpat" in extra else 0, "repetitions": repetitions,
        },
        **result,
        draws=told_draws,
        left_out=survey.left_out,
        audit=survey.audit,
        extra=extra,
        warnings=tuple(told),
    )  # fmt: skip


def _bootstrap(
    source: Source,
    survey: Survey,
    fit: inference.Fit,
    compute: inference.Statistics,
    estimates: Mapping[str, np.ndarray],
    draws: int,
    seed: int,
    level: float,
    interval: str,
    threads: int,
) -> tuple[Callable[[str, pd.DataFrame], pd.DataFrame], pd.DataFrame]:
    """The function that adds inference to a quantity's keys, and what became of the draws."""
    resampled = inference.bootstrap(
        source, fit, compute, draws=draws, seed=seed, strata=survey.strata, threads=threads
    )
    told = resampled.table()
    if told["used"].iloc[0] < 2:
        raise InputError("draws", "fewer than two bootstrap draws could be estimated",
                         "The survey is too small for this model.")  # fmt: skip
    left_out: dict[str, np.ndarray] = {}
    errors: dict[str, np.ndarray] = {}
    if interval == "bca":
        left = inference.jackknife(source, fit, compute)
        left_out = {name: left.kept(name) for name in left.values}
    if interval == "studentized":
        within = inference.inner_errors(
            source, fit, compute, draws=draws, seed=seed, strata=survey.strata
        )
        errors = {name: error[~resampled.failed] for name, error in within.items()}
    degrees = source.units - (1 if survey.strata is None else len(np.unique(survey.strata)))
    return partial(
        tables.inferred, estimates, resampled, interval, level, degrees, left_out, errors
    ), told


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(name, f"{value!r} is not offered", nearest(value, list(known)))


def fitter(
    model: Model,
    survey: Survey,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    tolerance: float = 1e-10,
    max_iterations: int = 300,
) -> tuple[Source, inference.Fit]:
    """Where a survey's moments come from, and the function that fits the model to them.

    Estimation, bootstrap, permutation and groups all use this pair.
    """
    first = partial(
        fit_pls, model, scheme=scheme, estimator=estimator,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    if not model.moderations:
        return survey.source, first
    if estimator == "plsc":
        raise InputError("estimator", "a moderator needs construct scores, which consistent PLS"
                         " corrects away", "Use estimator pls for this model.")  # fmt: skip
    if np.isnan(survey.values).any():
        raise InputError("missing", f"{survey.missing!r} leaves gaps that have no products",
                         "Use listwise or person_mean with a moderator.")  # fmt: skip
    items = len(model.items)
    centred_on = moderation.centre(survey.values)

    def moderated(mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        base = first(mean[:, :items], covariance[:, :items, :items])
        return moderation.moderate(model, base, mean, covariance, centred_on)

    extended = moderation.with_products(model, survey.values)
    return Sample(extended, survey.weights, survey.clusters), moderated
