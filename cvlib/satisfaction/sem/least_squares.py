"""Least squares for covariance models: one descent for any weights, and GLS and ULS."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.equations import CovarianceFit, explained_shares, parameter_table
from cvlib.satisfaction.sem.inference import Test, fit_measures, residual_measures
from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.likelihood import Moments, implied
from cvlib.satisfaction.sem.optimum import AGREEMENT, Optimum, Problem, check, diagnose
from cvlib.satisfaction.sem.starts import starting_values
from cvlib.words.message import message

ESTIMATORS = ("gls", "uls")


def residuals(
    layout: Layout, moments: Moments, theta: Floats, sample: Floats, diagonal: bool = True
) -> tuple[Floats, Floats]:
    """Sample less implied moments (q,), and the slopes (q, k) of the implied ones.

    Moments are the lower triangle of the covariances, with its diagonal or without.
    """
    model = implied(layout, theta[None], moments)
    i, j = np.tril_indices(model.sigma.shape[-1], 0 if diagonal else -1)
    u, w, c = model.u[0, 0], model.w[0, 0], model.c[0, 0]
    places = c * (u[i] * w[j] + w[i] * u[j])
    choice = layout.parameter[0][:, None] == np.arange(layout.parameters)
    return sample - model.sigma[0, 0][i, j], places @ choice


def descend(
    layout: Layout, moments: Moments, start: Floats, sample: Floats, weight: Floats,
    diagonal: bool = True,
) -> tuple[Floats, float, bool]:  # fmt: skip
    """Levenberg-Marquardt from one start: where it ended, the objective, whether it settled.

    Parameters
    ----------
    layout : Layout
        Of one group.
    moments : Moments
        Of the sample, one problem.
    start : ndarray (k,)
        Where to begin.
    sample : ndarray (q,)
        Sample moments.
    weight : ndarray (q, q)
        Of the products of residuals.
    diagonal : bool
        As in `residuals`.
    """
    lower = layout.lower
    theta = np.maximum(start, lower)
    gap, slope = residuals(layout, moments, theta, sample, diagonal)
    objective, damping = float(gap @ weight @ gap), 1e-3
    for _ in range(500):
        weighted = slope.T @ weight
        gradient, curve = weighted @ gap, weighted @ slope
        held = (theta <= lower) & (gradient < 0)
        scale = np.where(np.diag(curve) > 0, np.diag(curve), 1.0)
        gradient = np.where(held, 0.0, gradient)
        curve[held], curve[:, held] = 0.0, 0.0
        step = np.linalg.lstsq(curve + np.diag(damping * scale + held * scale), gradient)[0]
        if np.abs(step * np.sqrt(scale)).max() < 1e-13 and damping < 1e-5:
            return theta, objective, True
        proposal = np.maximum(theta + step, lower)
        new_gap, new_slope = residuals(layout, moments, proposal, sample, diagonal)
        value = float(new_gap @ weight @ new_gap)
        if np.isfinite(value) and value <= objective * (1 + 1e-14):
            theta, objective, gap, slope = proposal, value, new_gap, new_slope
            damping = max(damping / 10, 1e-12)
        else:
            damping *= 10
            if damping > 1e12:
                return theta, objective, float(np.abs(gradient / np.sqrt(scale)).max()) < 1e-7
    return theta, objective, False


def lowest(
    layout: Layout, moments: Moments, sample: Floats, weight: Floats, diagonal: bool = True
) -> tuple[Floats, Floats]:
    """The lowest of three starts, and per start the objective above it and whether it settled."""
    starts = np.vstack([starting_values(layout, moments, part) for part in (1.0, 0.5, 0.0)])
    solved = [descend(layout, moments, start, sample, weight, diagonal) for start in starts]
    objectives = np.array([objective if fine else np.inf for _, objective, fine in solved])
    if not np.isfinite(objectives).any():
        raise InputError(
            "covariance model",
            message("refusals.least_squares_has_no_minimum"),
            message("refusals.check_constructs_of_one_or"),
        )
    table = np.column_stack([np.maximum(objectives - objectives.min(), 0), np.isfinite(objectives)])
    return solved[int(objectives.argmin())][0], table


def starts_table(starts: Floats, gradient: Floats) -> pd.DataFrame:
    """One row per start, as `Optimum.starts`."""
    above, converged = starts[:, 0], starts[:, 1] > 0
    return pd.DataFrame({
        "start": np.arange(1, len(above) + 1),
        "objective_above_lowest": above,
        "converged": converged,
        "max_abs_gradient": np.abs(gradient).max(initial=0.0),
        "reached_lowest": converged & (above < AGREEMENT),
    })  # fmt: skip


def fit_least_squares(
    layout: Layout, values: Floats, estimator: str, level: float, left_out: pd.DataFrame
) -> CovarianceFit:
    """Generalised or unweighted least squares on the covariances of complete answers.

    GLS minimises ½ tr[(S⁻¹(S - Σ))²], ULS ½ tr[(S - Σ)²], S with divisor n - 1; the statistic is
    (n - 1) times that. Errors of ULS are robust to any distribution (by fourth moments); its
    statistic has no known distribution and gets no p.

    Parameters
    ----------
    layout : Layout
        Of one group, without means.
    values : ndarray (n, p)
        Complete answers.
    estimator : {"gls", "uls"}
        Which weights.
    level : float
        Of intervals.
    left_out : DataFrame
        Who was left out.

    References
    ----------
    Browne (1974), South African Statistical Journal 8:1-24 [M]. Checked against R lavaan.
    """
    rows, p = values.shape
    centred = values - values.mean(axis=0)
    s = centred.T @ centred / (rows - 1)
    i, j = np.tril_indices(p)
    once = np.ones((1, 1))
    moments = Moments(s[None, None], values.mean(axis=0)[None, None], once, np.ones((1, p)))
    pairs = np.where(i == j, 1.0, 2.0)  # an entry off the diagonal counts twice in a trace
    if estimator == "gls":
        inverse = np.linalg.inv(s)
        weight = (inverse[i[:, None], i] * inverse[j[:, None], j]
                  + inverse[i[:, None], j] * inverse[j[:, None], i]) / 2  # fmt: skip
        weight = weight * np.outer(pairs, pairs) / 2
    else:
        weight = np.diag(pairs / 2)
    sample = s[i, j]
    theta, starts = lowest(layout, moments, sample, weight)
    gap, slope = residuals(layout, moments, theta, sample)
    discrepancy = float(gap @ weight @ gap)
    bread = np.linalg.pinv(slope.T @ weight @ slope, hermitian=True)
    casewise = centred[:, i] * centred[:, j]
    casewise = (casewise - casewise.mean(axis=0)) @ (weight @ slope @ bread)
    if estimator == "gls":
        covariance = bread / (rows - 1)
    else:
        covariance = casewise.T @ casewise / rows / (rows - 1)
    df = len(sample) - layout.parameters
    statistic, diag = (rows - 1) * discrepancy, i == j
    base_gap = np.where(diag, 0.0, sample)
    if estimator == "gls":  # the best variances for unrelated variables
        own = weight[diag][:, diag]
        base_gap = sample.copy()
        base_gap[diag] = sample[diag] - np.linalg.solve(own, weight[diag] @ sample)
    base = (rows - 1) * float(base_gap @ weight @ base_gap)
    measures = fit_measures(Test(statistic, df), Test(base, p * (p - 1) // 2), rows - 1)
    if estimator == "uls":
        measures = {name: np.nan if name == "p" or name.startswith("rmsea") else value
                    for name, value in measures.items()}  # fmt: skip
    measures["srmr"] = residual_measures(layout, theta, moments, df)["srmr"]
    measures |= {"parameters": layout.parameters, "n": rows}
    problem = Problem(layout, moments, [values], rows, moments, 0.0)
    table = starts_table(starts, -2 * slope.T @ weight @ gap)
    information = np.linalg.pinv(covariance, hermitian=True) / rows
    diagnosis, admissible, told = diagnose(check(layout, theta[None], moments), information)
    return CovarianceFit(
        parameters=parameter_table(problem, theta, covariance, level, None),
        fit=pd.DataFrame([(n, float(v)) for n, v in measures.items() if np.isfinite(v)],
                         columns=["measure", "value"]),
        r_squared=explained_shares(layout, theta, moments, None),
        diagnosis=diagnosis,
        optimisation=table,
        left_out=left_out,
        admissible=admissible,
        warnings=told,
        problem=problem,
        optimum=Optimum(theta, discrepancy, table, told),
        covariance_of_estimates=covariance,
        information=information,
        casewise=casewise,
        weight=weight if estimator == "gls" else None,
    )  # fmt: skip
