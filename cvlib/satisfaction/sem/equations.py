"""Any covariance structure model, given as equations, with the tables a reviewer asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem import inference
from cvlib.satisfaction.sem.layout import (
    ARROW,
    Floats,
    Layout,
    independence,
)
from cvlib.satisfaction.sem.likelihood import (
    Moments,
    derivative,
    implied,
    moments_of,
    observed_information,
)
from cvlib.satisfaction.sem.optimum import (
    Optimum,
    Problem,
    check,
    complete_problem,
    diagnose,
    incomplete_problem,
    polished,
    solve,
)
from cvlib.satisfaction.sem.starts import starting_values
from cvlib.satisfaction.sem.written import specify
from cvlib.statistics import resample
from cvlib.statistics.resample import SEED
from cvlib.words.message import message

STANDARD_ERRORS = ("ml", "mlm", "mlr")
MISSING = ("listwise", "em")


@dataclass(frozen=True, eq=False)
class CovarianceFit:
    """A covariance model fitted to one sample (or to several groups at once).

    Attributes
    ----------
    parameters : DataFrame
        lhs, op, rhs, group, estimate, std_error, z, p, ci_low, ci_high, and the standardised
        estimate with its delta-method standard error and interval; ``=~`` loadings, ``~`` paths,
        ``~~`` (co)variances, ``~1`` intercepts. Fixed values have no standard error.
    fit : DataFrame
        measure, value.
    r_squared : DataFrame
        group, variable, r_squared.
    diagnosis : DataFrame
        check, value, limit, trouble.
    optimisation : DataFrame
        One row per start; see `Optimum`.
    left_out : DataFrame
        reason, count, share.
    admissible : bool
        No Heywood case and no construct correlation matrix near singularity.
    warnings : tuple of str
        To be shown above any table.
    problem, optimum : Problem, Optimum
        What was fitted, and where it ended.
    covariance_of_estimates : array (k, k)
    information : array (k, k)
        Per respondent, expected (observed with full information likelihood).
    casewise : array (n, k), optional
        Influence of every respondent on the parameters, of least squares.
    weight : array (q, q), optional
        Of the products of residual moments, of least squares.
    """

    parameters: pd.DataFrame
    fit: pd.DataFrame
    r_squared: pd.DataFrame
    diagnosis: pd.DataFrame
    optimisation: pd.DataFrame
    left_out: pd.DataFrame
    admissible: bool
    warnings: tuple[str, ...]
    problem: Problem
    optimum: Optimum
    covariance_of_estimates: Floats
    information: Floats
    casewise: Floats | None = None
    weight: Floats | None = None

    def measure(self, name: str) -> float:
        """One measure of fit."""
        return float(self.fit.set_index("measure")["value"][name])

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Factor scores of the respondents, centred; one column per latent variable.

        Parameters
        ----------
        method : {"regression", "bartlett"}
            Bartlett's are unbiased given the factor, regression scores closest to it.
        """
        one_of("method", method, ("regression", "bartlett"))
        layout, problem = self.problem.layout, self.problem
        if layout.groups > 1 or not problem.complete:
            raise InputError(
                "factor scores",
                message("refusals.are_offered_for_one_group"),
                message("refusals.fit_the_groups_one_by"),
            )
        theta = self.optimum.theta
        if method == "bartlett":
            theta = polished(problem, theta)
        score = inference.factor_scores if method == "regression" else inference.bartlett_scores
        scores = score(layout, theta, problem.moments, problem.rows[0])
        return pd.DataFrame(scores, columns=list(layout.names[: layout.latent]))


def fit_covariance(
    specification: str,
    data: pd.DataFrame,
    *,
    standard_errors: str = "ml",
    missing: str = "listwise",
    starts: int = 5,
    seed: int = SEED,
    level: float = 0.95,
) -> CovarianceFit:
    """Fit any covariance model given as equations, by normal-theory maximum likelihood.

    Parameters
    ----------
    specification : str
        Equations as in lavaan and semopy, one per line: ``visual =~ x1 + x2``, ``y ~ x``,
        ``a ~~ b``; ``2*x`` fixes, ``a*x`` labels (equal labels are equal parameters). The first
        loading of a construct is 1. Exogenous latent variables covary; residual covariances of
        endogenous ones are only those written.
    data : DataFrame
        One row per respondent.
    standard_errors : {"ml", "mlm", "mlr"}
        Expected information; or robust to non-normal answers: Satorra-Bentler (expected
        information) or Yuan-Bentler (observed information), with the scaled chi-square and the
        robust CFI, TLI and RMSEA that belong to them. Ratings on 5 to 10 points are treated as
        continuous; "mlr" is then the usual choice.
    missing : {"listwise", "em"}
        Respondents with a missing answer are left out and counted; or full-information maximum
        likelihood ("em") with means and observed information (answers missing at random).
    starts : int
        Deterministic and random starts; the lowest objective is kept and agreement reported.
    seed : int
        Of the random starts.
    level : float
        Confidence.

    Returns
    -------
    CovarianceFit

    Raises
    ------
    InputError
        Unreadable equations, unknown or constant or duplicate columns, fewer respondents than
        items, more parameters than moments, no convergence from any start.

    References
    ----------
    Joreskog (1969, 1970); Bollen (1989), Structural Equations with Latent Variables [M].

    Notes
    -----
    Checked against lavaan 0.6.14: estimates, standard errors and standardised solution to 1e-5,
    chi-square and scaling factors to 1e-6.
    """
    one_of("standard_errors", standard_errors, STANDARD_ERRORS)
    one_of("missing", missing, MISSING)
    layout = specify(specification)
    values, left_out, _ = observed_columns(data, list(layout.observed), missing)
    return _fit(layout, values, standard_errors, missing, starts, seed, level, left_out)


def observed_columns(
    data: pd.DataFrame, columns: list[str], missing: str
) -> tuple[Floats, pd.DataFrame, Any]:
    """The columns as floats, who was left out of them, and which rows remain."""
    for column in columns:
        one_of("column", column, data.columns, wrong="is not in the data")
        if list(data.columns).count(column) > 1:
            raise InputError(
                f"column {column!r}",
                message("refusals.occurs_twice"),
                message("refusals.give_each_column_its_own_name"),
            )
        if not pd.api.types.is_numeric_dtype(data[column]):
            raise InputError(
                f"column {column!r}",
                message("refusals.is_not_numeric"),
                message("refusals.recode_it_as_numbers"),
            )
    values = data[columns].to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise InputError(
            "data",
            message("refusals.hold_an_infinite_value"),
            message("refusals.recode_it_as_missing"),
        )
    absent = np.isnan(values)
    lost = absent.any(axis=1) if missing == "listwise" else absent.all(axis=1)
    reason = "an answer is missing" if missing == "listwise" else "no item answered"
    rows = [(reason, int(lost.sum()), float(lost.mean()))] if lost.any() else []
    return values[~lost], pd.DataFrame(rows, columns=["reason", "count", "share"]), ~lost


def _fit(
    layout: Layout,
    values: Floats,
    standard_errors: str,
    missing: str,
    starts: int,
    seed: int,
    level: float,
    left_out: pd.DataFrame,
) -> CovarianceFit:
    """Fit one sample of checked answers."""
    if missing == "em" and np.isnan(values).any():
        if standard_errors != "ml":
            raise InputError(
                "standard_errors",
                message("refusals.is_not_offered_together_with", standard_errors=standard_errors),
                message("refusals.use_standard_errors_ml_with"),
            )
        problem = incomplete_problem(layout, values)
    else:
        problem = complete_problem(layout, [values])
    return finish(problem, standard_errors, starts, seed, level, left_out)


def finish(
    problem: Problem,
    standard_errors: str,
    starts: int,
    seed: int,
    level: float,
    left_out: pd.DataFrame,
    names: list[str] | None = None,
) -> CovarianceFit:
    """Optimise a problem and derive every table from the optimum."""
    with threadpool_limits(limits=1, user_api="blas"):
        optimum = solve(problem, starts, seed)
        layout, moments, theta = problem.layout, problem.moments, optimum.theta
        find = inference.expected_information if problem.complete else observed_information
        information = find(layout, theta, moments)
        measures, covariance = _measures(problem, optimum, information, standard_errors)
        diagnosis, admissible, told = diagnose(
            check(layout, theta[None], moments),
            inference.expected_information(layout, theta, moments),
        )
        warnings = [*told, *optimum.warnings]
        if np.isnan(covariance).any():
            warnings.append(message("satisfaction.no_information"))
        if problem.df == 0:
            warnings.append(message("satisfaction.no_freedom"))
        parameters = parameter_table(problem, theta, covariance, level, names)
        r_squared = explained_shares(layout, theta, problem.saturated, names)
        own = parameters[parameters["op"].eq("~~") & parameters["lhs"].eq(parameters["rhs"])]
        zero = own.loc[own["standardised"].lt(1e-6) & own["std_error"].ne(0), "lhs"]
        if len(zero):
            names_of = list(dict.fromkeys(zero))
            warnings.insert(0, message("satisfaction.zero_variances", names=names_of))
    return CovarianceFit(
        parameters=parameters,
        fit=pd.DataFrame(list(measures.items()), columns=["measure", "value"]),
        r_squared=r_squared,
        diagnosis=diagnosis,
        optimisation=optimum.starts,
        left_out=left_out,
        admissible=admissible,
        warnings=tuple(warnings),
        problem=problem,
        optimum=optimum,
        covariance_of_estimates=covariance,
        information=information,
    )


def _measures(
    problem: Problem, optimum: Optimum, information: Floats, kind: str
) -> tuple[dict[str, float], Floats]:
    """Fit measures, and the covariance matrix of the estimates."""
    layout, moments, n, df = problem.layout, problem.moments, problem.n, problem.df
    base, groups, p = independence(layout), layout.groups, len(layout.observed)
    df_0 = groups * (p * (p + 1) // 2 + p * layout.has_means - base.parameters)
    covariance, factor, factor_0 = inference.inverse_information(information) / n, 1.0, 1.0
    if kind != "ml":
        sandwich = inference.robust(layout, optimum.theta, moments, problem.rows, kind, df)
        (covariance, factor), factor_0 = sandwich, 0.0
        for rows in problem.rows:
            own = moments_of([rows])
            alone = starting_values(base, own, 0.0)[0]
            one = inference.robust(base, alone, own, [rows], kind, df_0 // groups)
            factor_0 += one[1] / groups
    measures = inference.fit_measures(
        inference.Test(n * optimum.discrepancy, df, factor),
        inference.Test(n * _baseline(problem), df_0, factor_0),
        n, groups, scaled=kind != "ml",
    )  # fmt: skip
    measures |= inference.residual_measures(layout, optimum.theta, problem.saturated, df)
    exogenous = layout.row[layout.from_sample & (layout.row == layout.col)] - layout.latent
    block = problem.saturated.covariance[0, 0][np.ix_(exogenous, exogenous)]
    # conditional on observed exogenous variables, which no model explains
    aside = np.linalg.slogdet(block)[1] + len(exogenous) * (np.log(2 * np.pi) + 1)
    answers = moments.share[0] @ moments.present.sum(axis=1)
    objective = answers * np.log(2 * np.pi) + problem.saturated_objective - aside
    log_likelihood = -0.5 * n * (objective + optimum.discrepancy)
    k = layout.parameters - int(layout.from_sample.sum())
    measures |= {
        "log_likelihood": log_likelihood,
        "log_likelihood_saturated": -0.5 * n * objective,
        "aic": -2 * log_likelihood + 2 * k,
        "bic": -2 * log_likelihood + k * np.log(n),
        "sabic": -2 * log_likelihood + k * np.log((n + 2) / 24),
        "parameters": k,
        "n": n,
    }
    return {name: float(value) for name, value in measures.items()}, covariance


def _baseline(problem: Problem) -> float:
    """Discrepancy of the independence model, in closed form."""
    layout, moments = problem.layout, problem.moments
    exogenous = layout.row[layout.from_sample & (layout.row == layout.col)] - layout.latent
    if problem.complete:
        logs = np.log(np.diagonal(moments.covariance[0], axis1=-2, axis2=-1))
        block = moments.covariance[0][:, exogenous[:, None], exogenous]
        aside = np.linalg.slogdet(block)[1] - logs[:, exogenous].sum(-1)
        own = logs.sum(-1) - np.linalg.slogdet(moments.covariance[0])[1] + aside
        return float(moments.share[0] @ own)
    rows = np.vstack(problem.rows)
    seen = np.repeat(moments.present, [len(part) for part in problem.rows], axis=0)
    count = seen.sum(axis=0)
    gap = (rows - rows.sum(axis=0) / count) * seen
    objective = (count / problem.n * (np.log((gap**2).sum(axis=0) / count) + 1)).sum()
    return float(objective - problem.saturated_objective)


def normal_interval(
    estimate: Floats, error: Floats, level: float, ratio: str = "z"
) -> dict[str, Floats]:
    """Columns std_error, z (or t), p and a symmetric normal interval."""
    known = np.where(error > 0, error, np.nan)
    statistic = estimate / known
    reach = resample.reach(level) * known
    return {
        "std_error": error,
        ratio: statistic,
        "p": 2 * stats.norm.sf(np.abs(statistic)),
        "ci_low": estimate - reach,
        "ci_high": estimate + reach,
    }


def delta_errors(jacobian: Floats, covariance: Floats) -> Floats:
    """Delta-method standard errors."""
    held = np.isnan(np.diag(covariance))
    variance = np.einsum(
        "ij,jk,ik->i", jacobian, np.where(np.isnan(covariance), 0.0, covariance), jacobian
    )
    unknown = (np.abs(jacobian[:, held]) > 1e-12).any(axis=1)
    return np.where(unknown, np.nan, np.sqrt(np.maximum(variance, 0.0)))


def parameter_table(
    problem: Problem, theta: Floats, covariance: Floats, level: float, names: list[str] | None
) -> pd.DataFrame:
    """Every place of the model, estimated or fixed, raw and standardised."""
    layout, moments = problem.layout, problem.saturated

    def standard(stack: Any) -> Any:
        return inference.standardised(layout, stack, moments)

    variance = np.diagonal(moments.covariance[0], axis1=-2, axis2=-1)
    fixed = layout.value + layout.relative * variance[:, np.maximum(layout.row - layout.latent, 0)]
    free = layout.parameter >= 0
    estimate = np.where(free, theta[layout.parameter], fixed).ravel()
    error = np.where(free, np.sqrt(np.diag(covariance))[layout.parameter], 0.0).ravel()
    value = standard(theta[None])[0]
    deviation = delta_errors(derivative(standard, theta), covariance)
    # as fixed as the raw value: a standardised single item is exactly one
    deviation = np.where(deviation < 1e-12, 0.0, deviation)
    by_standard = normal_interval(value, deviation, level)
    ends = [(layout.names[r], layout.names[c]) for r, c in zip(layout.row, layout.col, strict=True)]
    count = layout.groups
    written = [
        (b, op, a) if op == "=~" else (a, op, "" if op == "~1" else b)
        for (a, b), op in zip(ends, layout.operator, strict=True)
    ]
    table = pd.DataFrame(written * count, columns=["lhs", "op", "rhs"])
    if names is not None:
        table["group"] = np.repeat(names, len(ends))
    table = table.assign(estimate=estimate, **normal_interval(estimate, error, level))
    by_standard = {f"standardised_{name}": column for name, column in by_standard.items()}
    table = table.assign(standardised=value, **by_standard)
    table.loc[table["op"] == "~1", ["standardised", *by_standard]] = np.nan
    return table


def explained_shares(
    layout: Layout, theta: Floats, moments: Moments, names: list[str] | None
) -> pd.DataFrame:
    """Explained share of every variable that something points at."""
    model = implied(layout, theta[None], moments)
    at = np.unique(layout.row[layout.matrix == ARROW])
    total = np.diagonal(model.covariance[0], axis1=-2, axis2=-1)[:, at]
    left = np.diagonal(model.residual[0], axis1=-2, axis2=-1)[:, at]
    table = pd.DataFrame({"variable": [layout.names[i] for i in at] * layout.groups})
    if names is not None:
        table.insert(0, "group", np.repeat(names, len(at)))
    return table.assign(r_squared=(1.0 - left / np.where(total > 0, total, np.nan)).ravel())
