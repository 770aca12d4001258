"""One call from a survey and a model to every PLS table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.identification import identification
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.higher_order import disjoint_first, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.ordinal.sample import OrdinalSample
from cvlib.satisfaction.pls import bootstrap as inference
from cvlib.satisfaction.pls import (
    diagnosis,
    dimensions,
    moderation,
    prediction,
    products,
    tables,
)
from cvlib.satisfaction.pls import engine as pls
from cvlib.satisfaction.pls import fit as fitting
from cvlib.satisfaction.pls.effect_size import f_squared_table
from cvlib.satisfaction.pls.engine import TOLERANCE, PLSFit, fit_pls
from cvlib.satisfaction.pls.exact_fit import exact_fit_test
from cvlib.satisfaction.pls.higher_order import Staged, StagedFit
from cvlib.satisfaction.pls.signs import agreement, turned
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.survey.answers import Answers, Data
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.moments import Sample, Source
from cvlib.satisfaction.survey.settings import Assessment, Design, Missing, bootstrap_of
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

ESTIMATORS = ("pls", "plsc")
_SAME = "same_construct"


def estimate_pls(
    data: Data | Answers | Survey,
    model: AnyModel | None = None,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    missing: str | Missing = "listwise",
    design: Design | None = None,
    draws: int | Bootstrap = 0,
    assessment: Assessment | None = None,
    target: str = "",
) -> SatisfactionResult:
    """Estimate a satisfaction model by partial least squares.

    Parameters
    ----------
    data : str, Path, Table, DataFrame, Answers or Survey
        One row per respondent: a name of the catalogue, a file, or a survey that is open already.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`; none for a survey prepared with its model.
    estimator : {"pls", "plsc"}
        Composites, or consistent PLS for constructs that are common factors.
    scheme : {"path", "factorial", "centroid"}
        Inner weighting.
    missing : str or Missing
        Rule for missing answers.
    design : Design, optional
        Survey weights, strata and clusters.
    draws : int or Bootstrap
        Bootstrap resamples; 0 gives estimates without inference.
    assessment : Assessment, optional
        Cross-validation and test of exact fit; the default cross-validates.
    target : str
        Construct of the importance-performance map; empty for satisfaction where there is one.

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

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.pls("mobi", "ecsi_mobile")
    >>> round(found.index.set_index("construct").loc["satisfaction", "index"], 1)
    np.float64(72.5)
    """
    one_of("estimator", estimator, ESTIMATORS)
    one_of("scheme", scheme, pls.SCHEMES)
    resampling, tests = bootstrap_of(draws), assessment or Assessment()
    level, seed = resampling.level, resampling.seed
    survey = prepare(data, model, missing=missing, design=design)
    bound = survey.model
    source, fit = fitter(bound, survey, estimator=estimator, scheme=scheme)
    if isinstance(source, OrdinalSample):
        source.refuse_indefinite(bound.items)
    mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
    found = fit(mean, covariance)
    if not np.isfinite(covariance).all():
        raise InputError(
            "missing",
            message("refusals.the_moments_of_incomplete_answers"),
            message("refusals.use_listwise_mean_or_person"),
        )
    if found.degenerate[0]:
        raise InputError(
            f"model {bound.name}",
            message("refusals.has_no_solution_on_these_2"),
            message("refusals.leave_out_items_or_constructs"),
        )
    told = [bound.adapted] if bound.adapted else []
    if isinstance(source, OrdinalSample):
        told += source.merges(bound.items)
    shown = second_order(bound)  # an ordinary model is itself
    told += [*bound.dropped, *survey.warnings, *diagnosis.problems(shown, found, estimator)]
    if isinstance(found, StagedFit) and found.first is not None:
        told += diagnosis.problems(disjoint_first(bound), found.first, estimator, paths=False)
    measures = tables.statistics(shown) | dimensions.statistics(bound)
    compute = partial(tables.compute, measures)
    same = {_SAME: (pd.DataFrame({"construct": shown.construct_names}),
                    partial(agreement, shown, found))}  # fmt: skip
    infer: Callable[[str, pd.DataFrame], pd.DataFrame] = partial(tables.plain, compute(found))
    told_draws = pd.DataFrame()
    if resampling.draws:
        refit = partial(_turned, bound, fit, found)
        compute = partial(tables.compute, measures | same)
        chosen, told_draws, apart = _bootstrap(
            source, survey, refit, compute, compute(found), resampling
        )
        told += [*diagnosis.draw_warnings(told_draws), *diagnosis.not_the_same(shown, apart)]
        infer = chosen or infer
    inferred = {name: infer(name, keys) for name, (keys, _) in measures.items()}
    rows = survey.effective_rows
    result = tables.assembled(shown, found, inferred, rows)
    items = len(bound.items)
    mean, covariance = mean[0, :items], covariance[0, :items, :items]
    result["f_squared"] = f_squared_table(bound, mean, covariance, found, scheme, estimator)
    result["importance_performance"] = scoring.importance_performance_table(
        result["impacts"], result["index"], shown, target or None
    )
    complete = survey.completed(mean, covariance)
    if isinstance(found, StagedFit):
        both, extra = dimensions.joined(bound, found, result, inferred)
        result |= both
        extra["scores"] = dimensions.scores(bound, found, complete, survey.index)
    else:
        levels = scoring.index_values(bound, found)
        extra = {"scores": scoring.index_scores(bound, complete, levels, survey.index)}
        if len(drivers := result["importance_performance"]):
            items = scoring.item_performance_table(drivers, bound, complete, levels)
            extra["item_performance"] = items
    judged, base = bound, found
    if bound.moderations:  # products have no place in implied correlations
        judged = replace(bound, moderations=())
        base = fit_pls(judged, mean[None], covariance[None], scheme=scheme)
        told.append(message("satisfaction.fit_without_interaction"))
    result["fit"] = fitting.fit_table(judged, base, rows, estimator)
    if bound.ordered:
        told.append(message("satisfaction.no_tests_ordered"))
    if tests.folds and not bound.ordered:
        foretold, reasons = prediction.predicted(
            judged, survey, scheme=scheme, folds=tests.folds, repetitions=tests.repetitions,
            seed=seed, level=level,
        )  # fmt: skip
        told += reasons
        if foretold is not None:
            q2 = foretold.constructs[["construct", "q2_predict"]]
            result["r_squared"] = result["r_squared"].merge(q2, how="left")
            extra |= {"prediction_items": foretold.items, "cvpat": foretold.cvpat,
                      "prediction_constructs": foretold.constructs}  # fmt: skip
            told += foretold.warnings
    if tests.exact_fit_draws and not bound.ordered:
        extra["exact_fit"], exact_told = exact_fit_test(
            judged, survey, base, scheme=scheme, estimator=estimator,
            draws=tests.exact_fit_draws, seed=seed, level=level,
        )  # fmt: skip
        told += exact_told
    extra["identification"] = identification(result, told_draws)
    if estimator == "plsc":
        told += diagnosis.paths_above_one(shown, found)
    return SatisfactionResult(
        model=bound,
        estimator=estimator,
        settings={
            "scheme": scheme, "missing": survey.missing, "draws": resampling.draws, "seed": seed,
            "level": level, "interval": resampling.interval, "rows": len(survey.values),
            "units": source.units, "effective_sample_size": rows, "tolerance": TOLERANCE,
            "iterations": int(found.iterations[0]), "converged": bool(found.converged[0]),
            "admissible": bool(found.admissible[0]),
            "minimum_share": survey.minimum_share, "weighted": survey.weights is not None,
            "stratified": survey.strata is not None, "clustered": survey.clusters is not None,
            "ordered": bound.ordered,
            "folds": tests.folds if "cvpat" in extra else 0, "repetitions": tests.repetitions,
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
    chosen: Bootstrap,
) -> tuple[Callable[[str, pd.DataFrame], pd.DataFrame] | None, pd.DataFrame, np.ndarray]:
    """The function that adds inference to a quantity's keys, and what became of the draws.

    None where too few draws gave an admissible estimate. Last, per construct the share of draws
    whose construct is another one.
    """
    draws, seed = chosen.draws, chosen.seed
    resampled = inference.bootstrap(
        source, fit, compute, draws=draws, seed=seed, strata=survey.strata
    )
    told = resampled.table()
    kept = resampled.kept(_SAME)
    apart = (np.abs(kept) < diagnosis.SAME).mean(axis=0) if len(kept) else np.zeros(0)
    if not diagnosis.inference_allowed(told):
        return None, told, apart
    left_out: dict[str, np.ndarray] = {}
    errors: dict[str, np.ndarray] = {}
    if chosen.interval == "bca":
        left = inference.jackknife(source, fit, compute)
        left_out = {name: left.kept(name) for name in left.values}
    if chosen.interval == "studentized":
        within = inference.inner_errors(
            source, fit, compute, draws=draws, seed=seed, strata=survey.strata
        )
        errors = {name: error[~resampled.failed] for name, error in within.items()}
    degrees = source.units - (1 if survey.strata is None else len(np.unique(survey.strata)))
    return (
        partial(tables.inferred, estimates, resampled, chosen, degrees, left_out, errors),
        told,
        apart,
    )


def _turned(
    model: Model, fit: inference.Fit, whole: PLSFit, mean: np.ndarray, covariance: np.ndarray
) -> PLSFit:
    """Fits whose constructs point the way of the full sample's."""
    if isinstance(fit, Staged) and isinstance(whole, StagedFit):
        return fit.towards(whole, mean, covariance)
    found = fit(mean, covariance)
    return turned(model, found, agreement(model, whole, found))


def fitter(
    model: Model,
    survey: Survey,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    tolerance: float = TOLERANCE,
    max_iterations: int = 300,
) -> tuple[Source, inference.Fit]:
    """Where a survey's moments come from, and the function that fits the model to them.

    Estimation, bootstrap, permutation and groups all use this pair.
    """
    if model.parents:
        if model.moderations:
            raise InputError(
                f"model {model.name}",
                message("refusals.has_higher_order_constructs_and"),
                message("refusals.estimate_one_of_them_without"),
            )
        return survey.source, Staged(model, scheme, estimator, tolerance, max_iterations)
    first = partial(
        fit_pls, model, scheme=scheme, estimator=estimator,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    if not model.moderations:
        return survey.source, first
    if model.ordered:
        raise InputError("ordered", message("refusals.products_of_ordered_categories_are"),
                         message("refusals.leave_ordered_out_or_the"))  # fmt: skip
    if estimator == "plsc":
        raise InputError(
            "estimator",
            message("refusals.a_moderator_needs_construct_scores"),
            message("refusals.use_estimator_pls_for_this_2"),
        )
    if np.isnan(survey.values).any():
        raise InputError(
            "missing",
            message("refusals.leaves_gaps_that_have_no", missing=survey.missing),
            message("refusals.use_listwise_or_person_mean_2"),
        )
    items = len(model.items)
    centred_on = moderation.centre(survey.values)

    def moderated(mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        if model.moderations[0].method != "two_stage":
            return products.fit_products(model, mean, covariance, centred_on, scheme=scheme)
        base = first(mean[:, :items], covariance[:, :items, :items])
        return moderation.moderate(model, base, mean, covariance, centred_on)

    extended = moderation.with_products(model, survey.values)
    return Sample(extended, survey.weights, survey.clusters), moderated
