"""Covariance models of ordered answers: weighted least squares on polychoric correlations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.inference import Test, fit_measures
from cvlib.satisfaction.sem.layout import COVARIANCE, Floats, Layout
from cvlib.satisfaction.sem.least_squares import lowest, residuals
from cvlib.satisfaction.sem.likelihood import Moments
from cvlib.words.message import message

ESTIMATORS = ("wlsmv", "wlsm", "ulsmv", "dwls", "uls")


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """A fit by weighted least squares.

    Attributes
    ----------
    theta : ndarray (k,)
    covariance : ndarray (k, k)
        Of the estimates, by the full asymptotic covariance of the correlations (dwls and uls: as if
        their weights were right).
    influence : ndarray (n, k)
        Of every respondent on the estimates.
    statistic : float
        (n - 1) times the weighted squared residuals, without correction.
    df : int
    measures : dict of str to float
        chi2_scaled and what follows from it; see `fit`.
    starts : ndarray (starts, 2)
        Objective above the lowest, and whether the start converged.
    gradient : ndarray (k,)
    weight : ndarray (q, q)
        Of the products of residual correlations.
    """

    theta: Floats
    covariance: Floats
    influence: Floats
    statistic: float
    df: int
    measures: dict[str, float]
    starts: Floats
    gradient: Floats
    weight: Floats


def with_unit_variances(layout: Layout) -> Layout:
    """The layout whose items have variance one: their error variances are no parameters."""
    own = (layout.matrix == COVARIANCE) & (layout.row == layout.col) & (layout.row >= layout.latent)
    kept = layout.parameter[:, ~own]
    numbers = np.unique(kept[kept >= 0])
    parameter = np.where(kept >= 0, np.searchsorted(numbers, kept), -1)
    return replace(
        layout, matrix=layout.matrix[~own], row=layout.row[~own], col=layout.col[~own],
        operator=tuple(op for op, gone in zip(layout.operator, own, strict=True) if not gone),
        parameter=parameter, value=layout.value[:, ~own], relative=0 * layout.relative[~own],
        from_sample=layout.from_sample[~own], unit=True,
    )  # fmt: skip


def fit(
    layout: Layout, correlation: Floats, influence: Floats, estimator: str = "wlsmv"
) -> LeastSquares:
    """Minimise (s - σ)'W(s - σ), s the polychorics, and correct the test.

    Parameters
    ----------
    layout : Layout
        From `with_unit_variances`, of one group.
    correlation : ndarray (p, p)
        Polychoric correlations.
    influence : ndarray (n, p (p - 1) / 2)
        `Influence.correlations`.
    estimator : {"wlsmv", "wlsm", "ulsmv", "dwls", "uls"}
        W is the inverse diagonal of the asymptotic covariance Γ (wlsmv, wlsm, dwls) or the
        identity (ulsmv, uls). wlsm scales the statistic by its mean, wlsmv and ulsmv by mean and
        variance: T* = aT + b, a = √(df / tr(UΓUΓ)), b = df - a tr(UΓ); dwls and uls leave it.

    Raises
    ------
    InputError
        More parameters than correlations, or no start that converges.

    References
    ----------
    Muthén, du Toit & Spisic (1997) [M]; Asparouhov & Muthén (2010), Simple second order
    chi-square correction [M]. Thresholds are free and fitted exactly, so that only the
    correlations count. Checked against R lavaan 0.6.14.
    """
    rows, pairs = influence.shape
    k, df = layout.parameters, pairs - layout.parameters
    if df < 0:
        raise InputError(
            "model",
            message("refusals.parameters_from_correlations", k=k, pairs=pairs),
            message("refusals.simplify_the_model_or_measure"),
        )
    below = np.tril_indices(len(correlation), -1)
    sample = correlation[below]
    gamma = influence.T @ influence / rows
    weight = np.ones(pairs) if estimator in ("ulsmv", "uls") else 1 / np.diag(gamma)
    once = np.ones((1, 1))
    moments = Moments(correlation[None, None], np.zeros((1, 1, len(correlation))), once,
                      np.ones((1, len(correlation))))  # fmt: skip
    theta, starts = lowest(layout, moments, sample, np.diag(weight), diagonal=False)
    gap, slope = residuals(layout, moments, theta, sample, diagonal=False)
    bread = np.linalg.pinv(slope.T @ (weight[:, None] * slope), hermitian=True)
    project = bread @ slope.T * weight  # (k, pairs)
    casewise = influence @ project.T
    half = weight[:, None] * (np.eye(pairs) - slope @ project)  # U
    statistic = (rows - 1) * float(gap @ (weight * gap))
    base = (rows - 1) * float(sample @ (weight * sample))
    scaled, factor, shift = corrected(statistic, df, half, gamma, estimator)
    scaled_0, factor_0, _ = corrected(base, pairs, np.diag(weight), gamma, estimator)
    measures = _measures(
        Test(scaled, df, factor), Test(scaled_0, pairs, factor_0), statistic, shift, rows,
        estimator in ("wlsmv", "wlsm", "ulsmv"),
    )  # fmt: skip
    measures |= {"srmr": float(np.sqrt((gap**2).sum() / (pairs + len(correlation)))),
                 "parameters": float(k), "n": float(rows)}  # fmt: skip
    plain = bread / (rows - 1)
    robust = casewise.T @ casewise / rows / (rows - 1)
    return LeastSquares(
        theta, plain if estimator in ("dwls", "uls") else robust, casewise, statistic, df, measures,
        starts, -2 * slope.T @ (weight * gap), np.diag(weight),
    )  # fmt: skip


def corrected(
    statistic: float, df: int, half: Floats, gamma: Floats, estimator: str
) -> tuple[float, float, float]:
    """The corrected statistic, the factor it is divided by, and what is then added."""
    if estimator in ("dwls", "uls") or df == 0:
        return statistic, 1.0, 0.0
    product = half @ gamma
    trace = float(np.trace(product))
    if estimator == "wlsm":
        return statistic * df / trace, trace / df, 0.0
    a = float(np.sqrt(df / (product * product.T).sum()))
    shift = df - a * trace
    return a * statistic + shift, 1 / a, shift


def _measures(
    test: Test, baseline: Test, plain: float, shift: float, rows: int, scaled: bool
) -> dict[str, float]:
    """Measures of the corrected statistics; the uncorrected one stands beside, named so."""
    found = fit_measures(test, baseline, rows - 1)
    if not scaled:
        return found
    names = {name: name if name in ("df", "baseline_df") else _scaled(name) for name in found}
    return {names[name]: value for name, value in found.items()} | {
        "scaling_factor": test.scaling_factor, "shift": shift, "chi2_unscaled": plain,
    }  # fmt: skip


def _scaled(name: str) -> str:
    for end in ("_ci_low", "_ci_high", "_p_close"):
        if name.endswith(end):
            return name.removesuffix(end) + "_scaled" + end
    return name + "_scaled"
