"""A covariance model of ordered answers with all the tables of one of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.ordinal.least_squares import fit, with_unit_variances
from cvlib.satisfaction.ordinal.polychoric import Influence, influence
from cvlib.satisfaction.ordinal.sample import OrdinalSample
from cvlib.satisfaction.sem.equations import (
    CovarianceFit,
    explained_shares,
    normal_interval,
    parameter_table,
)
from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.least_squares import starts_table
from cvlib.satisfaction.sem.likelihood import Moments
from cvlib.satisfaction.sem.optimum import Optimum, Problem, check, diagnose
from cvlib.satisfaction.survey.missing import Survey
from cvlib.words.message import message


@dataclass(frozen=True, eq=False)
class OrderedFit:
    """A fit in the form of all others, and what only ordered answers have.

    Attributes
    ----------
    fit : CovarianceFit
    casewise : ndarray (n, k)
        Influence of every respondent on the parameters.
    deviation : ndarray (p,)
        Standard deviations of the category codes.
    """

    fit: CovarianceFit
    casewise: Floats
    deviation: Floats


def fit_ordered(layout: Layout, survey: Survey, estimator: str, level: float) -> OrderedFit:
    """Weighted least squares on the polychoric correlations of a survey.

    Parameters
    ----------
    layout : Layout
        Of the model, as for answers that are numbers.
    survey : Survey
        Prepared with a model whose items are ordered.
    estimator : str
        As in `least_squares.fit`.
    level : float
        Of intervals.
    """
    source = survey.source
    assert isinstance(source, OrdinalSample)
    single = [c.name for c in survey.model.constructs if len(c.items) == 1]
    if single:
        raise InputError(
            f"construct {single[0]}", message("refusals.has_a_single_ordered_item"),
            message("refusals.leave_the_construct_out_or"),
        )  # fmt: skip
    mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
    deviation = np.sqrt(np.diagonal(covariance[0]))
    correlation = covariance[0] / np.outer(deviation, deviation)
    cuts = source.cuts()
    own = influence(source.classes, cuts, correlation)
    layout = with_unit_variances(layout)
    found = fit(layout, correlation, own.correlations, estimator)
    once, rows = np.ones((1, 1)), len(survey.values)
    moments = Moments(correlation[None, None], mean[:, None], once, np.ones((1, len(correlation))))
    problem = Problem(layout, moments, [survey.values], rows, moments, 0.0)
    starts = starts_table(found.starts, found.gradient)
    agreeing = int(starts["reached_lowest"].sum())
    information = np.linalg.pinv(found.covariance, hermitian=True) / rows
    diagnosis, admissible, told = diagnose(check(layout, found.theta[None], moments), information)
    if agreeing < len(starts):
        told = (*told, message("satisfaction.starts_apart", agreeing=agreeing, starts=len(starts)))
    optimum = Optimum(found.theta, found.statistic / rows, starts, told)
    parameters = pd.concat([
        parameter_table(problem, found.theta, found.covariance, level, None),
        _threshold_table(layout.observed, cuts, own, level),
    ], ignore_index=True)  # fmt: skip
    result = CovarianceFit(
        parameters=parameters,
        fit=pd.DataFrame(
            [(name, float(value)) for name, value in found.measures.items()],
            columns=["measure", "value"],
        ),
        r_squared=explained_shares(layout, found.theta, moments, None),
        diagnosis=diagnosis,
        optimisation=starts,
        left_out=survey.left_out,
        admissible=admissible,
        warnings=told,
        problem=problem,
        optimum=optimum,
        covariance_of_estimates=found.covariance,
        information=information,
        weight=found.weight,
    )
    return OrderedFit(result, found.influence, deviation)


def _threshold_table(
    items: tuple[str, ...], cuts: list[Floats], own: Influence, level: float
) -> pd.DataFrame:
    """Rows ``item | t1`` with standard errors from the margins."""
    parts = []
    for item, cut, casewise in zip(items, cuts, own.thresholds, strict=True):
        rows = len(casewise)
        error = np.sqrt((casewise**2).sum(axis=0) / rows / (rows - 1))
        parts.append(pd.DataFrame({
            "lhs": item, "op": "|", "rhs": [f"t{t}" for t in range(1, len(cut) - 1)],
            "estimate": cut[1:-1], **normal_interval(cut[1:-1], error, level),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)
