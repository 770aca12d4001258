"""How good a forecast of customers' purchases is: level, ranking, probability, calibration.

Every metric takes `counts`, how often each customer is in each sample, shape (samples, customers).
One row of ones is the data as they are; multinomial rows are a customer bootstrap. Point values
and intervals therefore come from the same lines. `cvlib.statistics.ranks` says what ties share.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cvlib.inputs.errors import InputError
from cvlib.statistics import ranks, resample
from cvlib.statistics.ranks import Order, Ranked

Array = NDArray[np.float64]

DEFINITIONS = {
    "bias": "sum of forecasts ÷ sum of outcomes − 1",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "msle": "mean of (ln(1 + forecast) − ln(1 + outcome))²",
    "pearson": "product-moment correlation of forecast and outcome",
    "spearman": "rank correlation of forecast and outcome",
    "gini": "Gini of outcomes ordered by the forecast ÷ Gini ordered by the outcomes",
    "capture_10": "share of all outcomes made by the 10 % of customers with the highest forecast",
    "capture_20": "the same for 20 %",
    "lift_10": "mean outcome of the 10 % with the highest forecast ÷ overall mean",
    "hit_rate_10": "share of the true best 10 % found among the 10 % with the highest forecast "
    "(with ties in the outcome even an oracle stays below 1)",
    "hit_rate_20": "the same for 20 %",
    "auc": "probability that an active customer is ranked above an inactive one, ties ½",
    "accuracy": "share classified rightly at probability ½",
    "brier": "mean squared difference of probability and outcome (0 or 1)",
    "brier_skill": "1 − Brier ÷ Brier of the base rate",
    "log_loss": "mean of −ln(probability given to what happened, at least 1e-12)",
    "ece": "mean absolute gap of forecast and observed share over ten equal-count bins",
    "calibration_intercept": "intercept of logit(outcome) on logit(probability); 0 is ideal",
    "calibration_slope": "slope of the same regression; 1 is ideal",
}
_CLIP = 1e-12


def definitions() -> pd.DataFrame:
    """What every metric means: metric, definition."""
    named = DEFINITIONS | {
        "auc_expected": "auc of the expected purchases instead of the probability",
        "spend_…": "the same metric for money",
    }
    return pd.DataFrame({"metric": list(named), "definition": list(named.values())})


def _arrays(actual: ArrayLike, forecast: ArrayLike, counts: Array | None) -> tuple[Array, ...]:
    y, s = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if y.ndim != 1 or y.shape != s.shape or not y.size:
        raise InputError(
            "forecast", f"shapes {s.shape} and {y.shape} differ or are empty", "Pass one each."
        )
    if not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise InputError("forecast", "holds values that are not finite", "Leave those rows out.")
    return y, s, np.ones((1, y.size)) if counts is None else counts


def _pearson(a: Array, b: Array, counts: Array) -> Array:
    a, b = a - a.mean(), b - b.mean()  # moments about the mean lose no digits
    moments = counts @ np.column_stack([a, b, a * a, b * b, a * b])
    n = counts.sum(axis=1)
    m_a, m_b, aa, bb, ab = moments.T / n
    spread = (aa - m_a**2) * (bb - m_b**2)
    return (ab - m_a * m_b) / np.sqrt(np.where(spread > 0, spread, np.nan))


def ranking_metrics(
    actual: ArrayLike, score: ArrayLike, counts: Array | None = None
) -> dict[str, Array]:
    """Does a score put the right customers first? For outcomes ≥ 0 (purchases, spend).

    Parameters
    ----------
    actual : array, shape (customers,)
        What each customer did in the holdout.
    score : array, shape (customers,)
        High is good; only its order matters, except for `pearson`.
    counts : array, shape (samples, customers), optional
        Weights of a bootstrap; default one row of ones.

    Returns
    -------
    dict
        Metric (see `DEFINITIONS`) to one value per sample.
    """
    y, s, w = _arrays(actual, score, counts)
    by_score, by_outcome = Ranked(Order.of(s), w), Ranked(Order.of(y), w)
    found = {
        "pearson": _pearson(y, s, w),
        "spearman": ranks.spearman(by_score, by_outcome),
        "gini": ranks.gini(by_score, y) / ranks.gini(by_outcome, y),
    }
    for share in (10, 20):
        found[f"capture_{share}"] = ranks.capture(by_score, y, share / 100)
        found[f"hit_rate_{share}"] = ranks.hit_rate(by_score, by_outcome, share / 100)
    return found | {"lift_10": found["capture_10"] / 0.1}


def amount_metrics(
    actual: ArrayLike, predicted: ArrayLike, counts: Array | None = None
) -> dict[str, Array]:
    """Level and ranking of a forecast in the outcome's own unit (purchases or money, ≥ 0)."""
    y, s, w = _arrays(actual, predicted, counts)
    if (y < 0).any() or (s < 0).any():
        raise InputError("forecast", "holds negative amounts", "Net returns first.")
    n, error = w.sum(axis=1), s - y
    found = {
        "bias": (w @ s) / (w @ y) - 1,
        "mae": (w @ np.abs(error)) / n,
        "rmse": np.sqrt((w @ error**2) / n),
        "msle": (w @ (np.log1p(s) - np.log1p(y)) ** 2) / n,
    }
    return found | ranking_metrics(y, s, w)


def area_under_curve(
    active: ArrayLike, score: ArrayLike, counts: Array | None = None
) -> dict[str, Array]:
    """Area under the ROC curve (Mann–Whitney, ties ½) of any score for a 0/1 outcome."""
    y, s, w = _arrays(active, score, counts)
    return {"auc": ranks.auc(Ranked(Order.of(s), w), y)}


def probability_metrics(
    active: ArrayLike, probability: ArrayLike, counts: Array | None = None
) -> dict[str, Array]:
    """Ranking, sharpness and calibration of a probability for a 0/1 outcome.

    Returns
    -------
    dict
        Metric (see `DEFINITIONS`) to one value per sample. The calibration regression is left
        out when the probability is the same for all, for it is then not identified.

    References
    ----------
    Brier (1950) Monthly Weather Review 78; Cox (1958) Biometrika 45:562-565 (intercept, slope).
    """
    y, p, w = _arrays(active, probability, counts)
    if not np.isin(y, (0, 1)).all() or (p < 0).any() or (p > 1).any():
        raise InputError(
            "probability",
            "outcomes must be 0 or 1 and probabilities between 0 and 1",
            "Check which column is which.",
        )
    n, base = w.sum(axis=1), (w @ y) / w.sum(axis=1)
    brier = (w @ (p - y) ** 2) / n
    inside = np.clip(p, _CLIP, 1 - _CLIP)
    happened = np.maximum(np.where(y == 1, p, 1 - p), _CLIP)
    found = area_under_curve(y, p, w) | {
        "accuracy": (w @ ((p >= 0.5) == (y == 1))) / n,
        "brier": brier,
        "brier_skill": 1 - brier / (base * (1 - base)),
        "log_loss": -(w @ np.log(happened)) / n,
        "ece": _expected_calibration_error(y, p, w),
    }
    if np.unique(inside).size > 1:
        intercept, slope = _calibration_regression(y, special.logit(inside), w)
        found |= {"calibration_intercept": intercept, "calibration_slope": slope}
    return found


def _expected_calibration_error(y: Array, p: Array, w: Array) -> Array:
    member = pd.get_dummies(ranks.equal_counts(p, 10)).to_numpy(dtype=float)
    return np.abs((w * (p - y)) @ member).sum(axis=1) / w.sum(axis=1)


def _calibration_regression(y: Array, x: Array, w: Array) -> tuple[Array, Array]:
    """Logistic regression of y on one x for every row of w, by Newton; NaN where it diverges."""
    intercept, slope = np.zeros(len(w)), np.zeros(len(w))
    for _ in range(50):
        fitted = special.expit(intercept[:, None] + slope[:, None] * x)
        rest, curve = w * (y - fitted), w * fitted * (1 - fitted)
        g0, g1 = rest.sum(axis=1), rest @ x
        h0, h1, h2 = curve.sum(axis=1), curve @ x, curve @ x**2
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = h0 * h2 - h1**2
            step0 = (h2 * g0 - h1 * g1) / determinant
            step1 = (h0 * g1 - h1 * g0) / determinant
        intercept, slope = intercept + step0, slope + step1
        if np.nanmax(np.abs([step0, step1]), initial=0) < 1e-10:
            break
    lost = ~(np.abs(step0) + np.abs(step1) < 1e-6)
    return np.where(lost, np.nan, intercept), np.where(lost, np.nan, slope)


def calibration_table(
    active: ArrayLike, probability: ArrayLike, bins: int = 10, level: float = 0.95
) -> pd.DataFrame:
    """Mean probability against observed share in equal-count bins, with Wilson intervals.

    Returns
    -------
    DataFrame
        bin, n, mean_probability, observed, ci_low, ci_high. Tied probabilities share a bin, so
        bins may be unequal.

    References
    ----------
    Wilson (1927) JASA 22:209-212.
    """
    y, p, _ = _arrays(active, probability, None)
    grouped = pd.DataFrame({"bin": ranks.equal_counts(p, bins) + 1, "p": p, "y": y}).groupby("bin")
    table = grouped.agg(n=("y", "size"), mean_probability=("p", "mean"), observed=("y", "mean"))
    low, high = wilson_interval(table["observed"] * table["n"], table["n"], level)
    return table.assign(ci_low=low, ci_high=high).reset_index()


def wilson_interval(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson's score interval of a proportion, without continuity correction."""
    k, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    z = resample.reach(level)
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return centre - half, centre + half


def murphy_decomposition(active: ArrayLike, probability: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Brier score = reliability − resolution + uncertainty + within-bin terms.

    Returns
    -------
    DataFrame
        component, value; the first three and `within_bin` add up to `brier` exactly.

    References
    ----------
    Murphy (1973) J. Applied Meteorology 12:595-600; Stephenson, Coelho & Jolliffe (2008) Weather
    and Forecasting 23:752-757 for the within-bin terms.
    """
    y, p, _ = _arrays(active, probability, None)
    table = calibration_table(y, p, bins)
    share, base = table["n"] / y.size, y.mean()
    reliability = float((share * (table["mean_probability"] - table["observed"]) ** 2).sum())
    resolution = float((share * (table["observed"] - base) ** 2).sum())
    uncertainty, brier = base * (1 - base), float(np.mean((p - y) ** 2))
    values = {
        "reliability": reliability,
        "resolution": resolution,
        "uncertainty": uncertainty,
        "within_bin": brier - (reliability - resolution + uncertainty),
        "brier": brier,
    }
    return pd.DataFrame({"component": list(values), "value": list(values.values())})
