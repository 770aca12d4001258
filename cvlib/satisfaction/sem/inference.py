"""What follows from a covariance fit: standard errors, tests and measures of fit, effects, scores.

Information matrices are per respondent, of the log-likelihood (half the Hessian of the objective).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, Floats, Layout
from cvlib.satisfaction.sem.likelihood import (
    Moments,
    Numbers,
    evaluate,
    implied,
    observed_information,
    repeated,
)
from cvlib.statistics import resample
from cvlib.words.message import message


def expected_information(layout: Layout, theta: Floats, moments: Moments) -> Floats:
    """Half the expected second derivatives of the objective (k, k)."""
    return evaluate(layout, theta[None], moments).hessian[0] / 2.0


def casewise_scores(
    layout: Layout,
    theta: Floats,
    moments: Moments,
    groups: list[Floats],
    *,
    at_sample: bool = False,
) -> list[Floats]:
    """Derivative of each respondent's log-likelihood, one (n_g, k) array per group.

    With `at_sample` answers are centred at the sample's mean, not the model's.
    """
    model = implied(layout, theta[None], moments)
    inverse = np.linalg.inv(model.sigma[0])
    choice = (layout.parameter[..., None] == np.arange(layout.parameters)).astype(float)
    scores = []
    for g, rows in enumerate(groups):
        centre = moments.mean[0, g] if at_sample or not layout.has_means else model.mu[0, g]
        solved = (rows - centre) @ inverse[g]
        u, w, c, f = model.u[0, g], model.w[0, g], model.c[0, g], model.f[0, g]
        first = solved @ u
        expected = (u * (inverse[g] @ w)).sum(0)
        places = c * (first * (solved @ w) - expected) + f * layout.has_means * first
        scores.append(places @ choice[g if layout.groups > 1 else 0])
    return scores


def _saturated_trace(inverse: Floats, rows: Floats, means: bool) -> float:
    """tr(W Gamma): information of the saturated model times the casewise covariance of moments."""
    centred = rows - rows.mean(axis=0)
    sample = centred.T @ centred / len(rows)
    distance = np.einsum("ij,jk,ik->i", centred, inverse, centred)
    product = inverse @ sample
    trace = (np.mean(distance**2) - np.sum(product * product.T)) / 2.0
    return float(trace + (np.trace(product) if means else 0.0))


def inverse_information(information: Floats) -> Floats:
    """Inverse of an information matrix; rows and columns of unidentified parameters are NaN."""
    scale = np.sqrt(np.maximum(np.diag(information), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    weak = values < 1e-12
    inverse = (vectors * ~weak / np.where(weak, 1.0, values)) @ vectors.T
    lost = (np.abs(vectors[:, weak]) > 1e-4).any(axis=1)
    inverse[lost], inverse[:, lost] = np.nan, np.nan
    return inverse / np.outer(scale, scale)


def robust(
    layout: Layout, theta: Floats, moments: Moments, groups: list[Floats], kind: str, df: int
) -> tuple[Floats, float]:
    """Sandwich covariance matrix of the estimates, and the scaling factor of the chi-square.

    ``mlm``: expected information, Satorra-Bentler factor tr(U Gamma)/df. ``mlr``: observed
    information, Yuan-Bentler factor as in Mplus, [tr(W Gamma) - tr(A^-1 B)]/df with the saturated
    information W at the sample moments.

    References
    ----------
    Satorra & Bentler (1994); Yuan & Bentler (2000), Sociological Methodology 30, 165-200 [M].

    Notes
    -----
    Checked against lavaan 0.6.14 (estimators MLM and MLR).
    """
    n = sum(len(rows) for rows in groups)
    scores = casewise_scores(layout, theta, moments, groups, at_sample=kind == "mlm")
    if kind == "mlm":
        scores = [part - part.mean(axis=0) for part in scores]
        bread = expected_information(layout, theta, moments)
        weights = implied(layout, theta[None], moments).sigma[0]
    else:
        bread = observed_information(layout, theta, moments)
        weights = moments.covariance[0]
    meat = sum(part.T @ part for part in scores) / n
    inverse = inverse_information(bread)
    lost, inverse = np.isnan(np.diag(inverse)), np.nan_to_num(inverse)
    trace = sum(
        _saturated_trace(np.linalg.inv(weight), rows, layout.has_means)
        for weight, rows in zip(weights, groups, strict=True)
    )
    factor = (trace - float(np.sum(inverse * meat))) / df if df > 0 else np.nan
    covariance = inverse @ meat @ inverse / n
    covariance[lost], covariance[:, lost] = np.nan, np.nan
    return covariance, factor


def noncentrality_interval(chi2: float, df: int, level: float = 0.90) -> tuple[float, float]:
    """Confidence limits of the noncentrality of a chi-square statistic.

    References
    ----------
    Browne & Cudeck (1992). Alternative ways of assessing model fit. Sociological Methods &
    Research 21(2), 230-258 [M].
    """

    def limit(probability: float) -> float:
        if stats.chi2.cdf(chi2, df) <= probability:
            return 0.0
        high = max(chi2, 1.0)
        while stats.ncx2.cdf(chi2, df, high) > probability:
            high *= 2.0
        return float(
            optimize.brentq(
                lambda value: stats.ncx2.cdf(chi2, df, value) - probability, 1e-12, high, xtol=1e-10
            )
        )

    below, above = resample.tails(level)
    return limit(above), limit(below)


@dataclass(frozen=True)
class Test:
    """A likelihood-ratio statistic against the saturated model."""

    chi2: float
    df: int
    scaling_factor: float = 1.0


def fit_measures(
    model: Test, baseline: Test, n: int, groups: int = 1, *, scaled: bool = False
) -> dict[str, float]:
    """chi2, CFI, TLI, NFI and RMSEA with its interval and test of close fit.

    With ``scaled``, beside the plain statistics: scaled chi2 and p, and the robust CFI, TLI and
    RMSEA that estimate the same population values as the plain ones do under normality.

    References
    ----------
    Bentler (1990); Tucker & Lewis (1973); Steiger (1990); Brosseau-Liard, Savalei & Li (2012);
    Brosseau-Liard & Savalei (2014) [M]. N, not N - 1, throughout, as lavaan and Mplus.
    """
    chi2, df, chi2_0, df_0 = model.chi2, model.df, baseline.chi2, baseline.df
    measures = {"chi2": chi2, "df": float(df)}
    measures["p"] = float(stats.chi2.sf(chi2, df)) if df > 0 else np.nan
    measures |= {"baseline_chi2": chi2_0, "baseline_df": float(df_0)}
    measures |= _relative(chi2, df, chi2_0, df_0, 1.0, 1.0, "")
    measures |= _rmsea(chi2, df, n, groups, 1.0, "")
    if scaled:
        c, c_0 = model.scaling_factor, baseline.scaling_factor
        measures |= {"scaling_factor": c, "chi2_scaled": chi2 / c}
        measures["p_scaled"] = float(stats.chi2.sf(chi2 / c, df)) if df > 0 else np.nan
        measures |= {"baseline_scaling_factor": c_0, "baseline_chi2_scaled": chi2_0 / c_0}
        measures |= _relative(chi2, df, chi2_0, df_0, c, c_0, "_robust")
        measures |= _rmsea(chi2, df, n, groups, c, "_robust")
    return measures


def _relative(
    chi2: float, df: int, chi2_0: float, df_0: int, c: float, c_0: float, suffix: str
) -> dict[str, float]:
    """CFI and TLI; with scaling factors the robust versions."""
    c = c if df > 0 else 0.0
    excess, excess_0 = max(chi2 - c * df, 0.0), chi2_0 - c_0 * df_0
    below = max(excess_0, excess, 0.0)
    cfi = 1.0 - excess / below if below > 0 else 1.0
    tli = 1.0 - (chi2 - c * df) * df_0 / (excess_0 * df) if df > 0 and excess_0 != 0 else 1.0
    found = {f"cfi{suffix}": cfi, f"tli{suffix}": tli}
    if not suffix:
        found["nfi"] = 1.0 - chi2 / chi2_0
    return found


def _rmsea(chi2: float, df: int, n: int, groups: int, c: float, suffix: str) -> dict[str, float]:
    """RMSEA, 90 % interval and probability of close fit (RMSEA <= .05)."""
    names = [f"rmsea{suffix}{end}" for end in ("", "_ci_low", "_ci_high", "_p_close")]
    if df == 0:
        return dict(zip(names, (0.0, 0.0, 0.0, np.nan), strict=True))
    per = c * groups / (n * df)
    low, high = noncentrality_interval(chi2 / c, df)
    point = np.sqrt(max(chi2 / c - df, 0.0) * per)
    close = float(stats.ncx2.sf(chi2 / c, df, 0.05**2 / per))
    return dict(zip(names, (point, np.sqrt(low * per), np.sqrt(high * per), close), strict=True))


def residual_measures(layout: Layout, theta: Floats, moments: Moments, df: int) -> dict[str, float]:
    """SRMR (Bentler; over groups by share) and, for one group without means, GFI and AGFI.

    References
    ----------
    Joreskog & Sorbom (1984), GFI; Bentler (1995), SRMR [M].
    """
    model = implied(layout, theta[None], moments)
    total = 0.0
    for g, share in enumerate(moments.share[0]):
        sample = moments.covariance[0, g]
        deviation = np.sqrt(np.diag(sample))
        gap = (sample - model.sigma[0, g]) / np.outer(deviation, deviation)
        squares = gap[np.tril_indices(len(gap))] ** 2
        if layout.has_means:
            squares = np.append(squares, ((moments.mean[0, g] - model.mu[0, g]) / deviation) ** 2)
        total += share * np.sqrt(squares.mean())
    measures = {"srmr": float(total)}
    if layout.groups == 1 and not layout.has_means:
        ratio = np.linalg.solve(model.sigma[0, 0], moments.covariance[0, 0])
        gap, p = ratio - np.eye(len(ratio)), len(ratio)
        gfi = 1.0 - np.sum(gap * gap.T) / np.sum(ratio * ratio.T)
        measures["gfi"] = float(gfi)
        if df > 0:
            measures["agfi"] = float(1.0 - p * (p + 1) / (2 * df) * (1.0 - gfi))
    return measures


def standardised(layout: Layout, stack: Numbers, moments: Moments) -> Numbers:
    """Standardised values (problems, groups * places); variables at implied variance one.

    Covariances become correlations of the residuals they belong to, as lavaan's ``std.all``.
    """
    model = implied(layout, stack, repeated(moments, len(stack)))
    total = np.sqrt(np.diagonal(model.covariance, axis1=-2, axis2=-1))
    own = np.sqrt(np.diagonal(model.residual, axis1=-2, axis2=-1))
    row, col, matrix = layout.row, layout.col, layout.matrix
    place = np.where(
        matrix == ARROW,
        model.arrows[..., row, col] * total[..., col],
        np.where(matrix == COVARIANCE, model.residual[..., row, col], 0.0),
    )
    variance = (matrix == COVARIANCE) & (row == col)
    both = own[..., row] * own[..., col]
    below = np.where(variance, total[..., row] ** 2, both)
    below = np.where(matrix == ARROW, total[..., row], np.where(below == 0, 1.0, below))
    with np.errstate(divide="ignore", invalid="ignore"):  # a variable may have no variance at all
        return (place / below).reshape(len(stack), -1)


def bartlett_scores(layout: Layout, theta: Floats, moments: Moments, rows: Floats) -> Floats:
    """Bartlett's scores (n, q) of latent variables that have items, centred.

    (L'T⁻¹L)⁻¹L'T⁻¹(x - mean), L the loadings and T the error variances; an item without error
    counts as the limit of ever smaller errors. NaN for constructs of constructs.

    References
    ----------
    Bartlett (1937), British Journal of Psychology 28:97-104. Checked against R lavaan.
    """
    model = implied(layout, theta[None], moments)
    q = layout.latent
    loadings = model.arrows[0, 0, q:, :q]
    measured = (loadings != 0).any(axis=0)
    errors = model.residual[0, 0, q:, q:]
    if (np.diag(errors) < 0).any():
        raise InputError("Bartlett scores", message("refusals.an_item_has_a_negative"),
                         message("refusals.use_regression_scores"))  # fmt: skip
    variance = np.diag(model.covariance[0, 0])[q:]
    errors = errors + np.diag(np.where(np.diag(errors) < 1e-12 * variance, 1e-10 * variance, 0.0))
    weight = np.linalg.solve(errors, loadings[:, measured])
    centre = model.mu[0, 0] if layout.has_means else moments.mean[0, 0]
    scores = np.full((len(rows), q), np.nan)
    solved = np.linalg.solve(loadings[:, measured].T @ weight, weight.T)
    scores[:, measured] = (rows - centre) @ solved.T
    return scores


def factor_scores(layout: Layout, theta: Floats, moments: Moments, rows: Floats) -> Floats:
    """Regression scores (n, q), centred: Cov(latent, observed) Sigma^-1 (x - mean).

    Sigma is inverted, never the residual variances, so that an item without error is no problem.

    References
    ----------
    Thurstone (1935), Thomson (1951); equal to lavaan's ``lavPredict``.
    """
    model = implied(layout, theta[None], moments)
    crossed = model.covariance[0, 0, : layout.latent, layout.latent :]
    centre = model.mu[0, 0] if layout.has_means else moments.mean[0, 0]
    return (rows - centre) @ np.linalg.solve(model.sigma[0, 0], crossed.T)
