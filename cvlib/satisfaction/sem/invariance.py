"""Measurement invariance: the same model in several groups, with more and more parameters equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, from_frame
from cvlib.results import Result
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.sem.equations import (
    STANDARD_ERRORS,
    CovarianceFit,
    finish,
    observed_columns,
)
from cvlib.satisfaction.sem.estimate import Specification, layout_of
from cvlib.satisfaction.sem.layout import (
    Floats,
    Layout,
    over_groups,
    with_means,
)
from cvlib.satisfaction.sem.optimum import complete_problem
from cvlib.satisfaction.sem.written import specify
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.missing import prepare
from cvlib.statistics.resample import SEED
from cvlib.words.message import message

LEVELS: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
    "metric_regressions": ("loadings", "regressions"),
    "scalar_regressions": ("loadings", "intercepts", "regressions"),
}
USUAL = ("configural", "metric", "scalar", "strict")


@dataclass(frozen=True, eq=False, repr=False)
class Invariance(Result):
    """The levels of measurement invariance, compared.

    Attributes
    ----------
    levels : DataFrame
        level, chi2, df, p, cfi, tli, rmsea, rmsea_ci_low, rmsea_ci_high, srmr, aic, bic,
        parameters; with robust standard errors also chi2_scaled, p_scaled and scaling_factor.
    comparisons : DataFrame
        level, against, chi2_difference, df_difference, p, cfi_difference. A likelihood-ratio
        test; scaled by Satorra & Bentler (2001) with robust standard errors. A fall of CFI by
        more than .01 is the usual sign of non-invariance (Cheung & Rensvold, 2002 [M]).
    latent_means : DataFrame
        group, variable, estimate and inference at the scalar (else the strictest mean-constrained)
        level, relative to the first group; empty where intercepts are free.
    fits : Mapping[str, CovarianceFit]
        By level; the parameters carry a column group.
    group_sizes : DataFrame
        group, n.
    left_out : DataFrame
        reason, count, share.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("levels", "comparisons")
    told_by: ClassVar[str] = "cvlib.satisfaction.compare.sentences:of_invariance"

    levels: pd.DataFrame
    comparisons: pd.DataFrame
    latent_means: pd.DataFrame
    fits: Mapping[str, CovarianceFit]
    group_sizes: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...]


def estimate_invariance(
    data: Data | Answers,
    model: AnyModel,
    group: str,
    *,
    levels: tuple[str, ...] = USUAL,
    standard_errors: str = "ml",
    specification: Specification | None = None,
    starts: int = 3,
    seed: int = SEED,
    level: float = 0.95,
) -> Invariance:
    """Test the invariance of a satisfaction model over groups (brands, segments, waves).

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent; respondents with a missing answer are left out and counted.
    model : Model, name or path
        As in `estimate_covariance`; its paths stay free in every group but at a level of
        regressions.
    group : str
        Column of group labels; the first one met is the reference.
    levels : tuple of {"configural", "metric", "scalar", "strict", "metric_regressions", \
"scalar_regressions"}
        In this order: same form; equal loadings; and intercepts; and residual variances; equal
        paths added to equal loadings, or to equal loadings and intercepts, and compared with these.
    standard_errors : {"ml", "mlm", "mlr"}
        As in `fit_covariance`.
    specification, starts
        As in `estimate_covariance`.
    seed, level : int, float
        Of random starts; of intervals.

    Returns
    -------
    Invariance
        Fit by level, tests between them, estimates by group.

    Raises
    ------
    InputError
        For fewer than two groups, a group with fewer respondents than items, and as
        `estimate_covariance`.

    Notes
    -----
    Checked against lavaan 0.6.14 (Holzinger & Swineford by school).

    References
    ----------
    Joreskog (1971), Psychometrika 36, 409-426; Meredith (1993), Psychometrika 58, 525-543 [M].

    Examples
    --------
    >>> import cvlib as cv
    >>> survey = cv.load("simulated_brands").data
    >>> two = survey[survey["brand"].isin(["A", "B"])]
    >>> found = cv.satisfaction.invariance(two, "acsi", "brand", levels=("configural", "metric"))
    >>> found.group_sizes["group"].tolist()
    ['A', 'B']
    """
    answers = open_survey(data, model)
    layout = layout_of(answers.model, specification or Specification())
    # by place: the caller's own labels of the rows may repeat
    answers = replace(answers, index=pd.RangeIndex(len(answers.index)))
    labels = _labels(answers.table, group)
    survey = prepare(answers)
    return _compare(
        layout, survey.values, labels.iloc[survey.index], levels, standard_errors,
        starts, seed, level, survey.left_out,
    )  # fmt: skip


def fit_invariance(
    specification: str,
    data: pd.DataFrame,
    group: str,
    *,
    levels: tuple[str, ...] = USUAL,
    standard_errors: str = "ml",
    starts: int = 3,
    seed: int = SEED,
    level: float = 0.95,
) -> Invariance:
    """Test the invariance of any model given as equations; see `estimate_invariance`.

    Parameters
    ----------
    specification : str
        As in `fit_covariance`.
    data, group, levels, standard_errors, starts, seed, level
        As in `estimate_invariance`.
    """
    table = from_frame(data)
    layout = specify(specification)
    labels = _labels(table, group)
    values, left_out, kept = observed_columns(table.data, list(layout.observed), "listwise")
    return _compare(
        layout, values, labels[kept], levels, standard_errors, starts, seed, level, left_out
    )


def _labels(table: Table, group: str) -> pd.Series:
    data = table.data
    one_of("group", group, data.columns, wrong="is not in the data")
    if data[group].isna().any():
        row = data.index[data[group].isna()][0]
        raise InputError(
            table.place(group, row),
            message("refusals.is_missing_2"),
            message("refusals.label_every_respondent"),
        )
    return data[group]


def _compare(
    layout: Layout,
    values: Floats,
    labels: pd.Series,
    levels: tuple[str, ...],
    standard_errors: str,
    starts: int,
    seed: int,
    confidence: float,
    left_out: pd.DataFrame,
) -> Invariance:
    one_of("standard_errors", standard_errors, STANDARD_ERRORS)
    for name in levels:
        one_of("levels", name, LEVELS)
    names = [str(label) for label in labels.unique()]
    if len(names) < 2:
        raise InputError(
            "group",
            message("refusals.has_only_one_value"),
            message("refusals.choose_a_column_with_two"),
        )
    rows = [values[(labels.astype(str) == name).to_numpy()] for name in names]
    ordered = [name for name in LEVELS if name in levels]
    fits = {}
    for name in ordered:
        repeated = over_groups(with_means(layout), len(names), LEVELS[name])
        problem = complete_problem(repeated, rows, names)
        fits[name] = finish(problem, standard_errors, starts, seed, confidence, left_out, names)
    told: list[str] = [
        message("satisfaction.of_step", step=name, text=text)
        for name, fit in fits.items()
        for text in fit.warnings
    ]
    usual = [name for name in ordered if name in USUAL]
    pairs = [*pairwise(usual), *[(name.removesuffix("_regressions"), name) for name in ordered
                                 if name.removesuffix("_regressions") in usual
                                 and name not in USUAL]]  # fmt: skip
    comparisons = [_difference(fits, a, b, told) for a, b in pairs]
    shown = ["chi2", "df", "p", "chi2_scaled", "p_scaled", "scaling_factor", "cfi", "tli", "rmsea",
             "rmsea_ci_low", "rmsea_ci_high", "srmr", "aic", "bic", "parameters"]  # fmt: skip
    table = pd.DataFrame(
        [{"level": name, **dict(fit.fit.to_numpy())} for name, fit in fits.items()]
    )
    constrained = [name for name in ordered if "intercepts" in LEVELS[name]]
    means = pd.DataFrame()
    if constrained:
        found = fits[constrained[0]].parameters
        latent = found["op"].eq("~1") & found["lhs"].isin(layout.names[: layout.latent])
        means = found[latent & found["group"].ne(names[0])].rename(columns={"lhs": "variable"})
        means = means[["group", "variable", "estimate", "std_error", "z", "p", "ci_low", "ci_high"]]
    return Invariance(
        levels=table[["level", *(column for column in shown if column in table)]],
        comparisons=pd.DataFrame(
            comparisons,
            columns=["level", "against", "chi2_difference", "df_difference", "p", "cfi_difference"],
        ),
        latent_means=means.reset_index(drop=True),
        fits=fits,
        group_sizes=pd.DataFrame({"group": names, "n": [len(part) for part in rows]}),
        left_out=left_out,
        warnings=tuple(told),
    )


def _difference(
    fits: Mapping[str, CovarianceFit], free: str, restricted: str, told: list[str]
) -> tuple[str, str, float, float, float, float]:
    """Likelihood-ratio test of two nested levels, scaled where their statistics are."""
    a, b = (fits[name].fit.set_index("measure")["value"] for name in (free, restricted))
    df = b["df"] - a["df"]
    difference = b["chi2"] - a["chi2"]
    if "scaling_factor" in a:
        factor = (b["df"] * b["scaling_factor"] - a["df"] * a["scaling_factor"]) / df
        difference = difference / factor if factor > 0 else np.nan
        if factor <= 0:
            told.append(message("satisfaction.scaled_difference", step=restricted))
    cfi = "cfi_robust" if "cfi_robust" in a else "cfi"
    p = float(stats.chi2.sf(difference, df))
    return restricted, free, float(difference), float(df), p, float(b[cfi] - a[cfi])
