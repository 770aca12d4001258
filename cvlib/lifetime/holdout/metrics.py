"""How good a forecast of customers' purchases is: level, ranking, probability, calibration.

Every metric takes `counts`, how often each customer is in each sample, shape (samples, customers).
One row of ones is the data as they are; multinomial rows are a customer bootstrap. Point values
and intervals therefore come from the same lines. `cvlib.statistics.ranks` says what ties share.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.inputs.errors import InputError
from cvlib.statistics import forecasts, ranks
from cvlib.statistics.ranks import Order, Ranked
from cvlib.words.message import message

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


def definitions() -> pd.DataFrame:
    """What every metric means: metric, definition.

    Returns
    -------
    DataFrame
        metric, definition.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.definitions().columns.tolist()
    ['metric', 'definition']
    """
    named = DEFINITIONS | {
        "auc_expected": "auc of the expected purchases instead of the probability",
        "spend_…": "the same metric for money",
    }
    return pd.DataFrame({"metric": list(named), "definition": list(named.values())})


def _arrays(actual: ArrayLike, forecast: ArrayLike, counts: Array | None) -> tuple[Array, ...]:
    y, s = np.asarray(actual, dtype=float), np.asarray(forecast, dtype=float)
    if y.ndim != 1 or y.shape != s.shape or not y.size:
        raise InputError(
            "forecast",
            message("refusals.shapes_and_differ_or_are", shape=str(s.shape), shape_2=str(y.shape)),
            message("refusals.pass_one_each"),
        )
    if not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise InputError(
            "forecast",
            message("refusals.holds_values_that_are_not"),
            message("refusals.leave_those_rows_out"),
        )
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
        raise InputError(
            "forecast",
            message("refusals.holds_negative_amounts"),
            message("refusals.net_returns_first"),
        )
    n, error = w.sum(axis=1), s - y
    found = {
        "bias": ranks.ratio(w @ s, w @ y) - 1,
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
            message("refusals.outcomes_must_be_or_and"),
            message("refusals.check_which_column_is_which"),
        )
    base = (w @ y) / w.sum(axis=1)
    brier = forecasts.brier(y, p, w)
    found = area_under_curve(y, p, w) | {
        "accuracy": (w @ ((p >= 0.5) == (y == 1))) / w.sum(axis=1),
        "brier": brier,
        "brier_skill": 1 - brier / (base * (1 - base)),
        "log_loss": forecasts.log_loss(y, p, w),
        "ece": forecasts.expected_calibration_error(y, p, w),
    }
    if np.ptp(np.clip(p, forecasts.CLIP, 1 - forecasts.CLIP)) > 0:
        intercept, slope = forecasts.calibration_line(y, p, w)
        found |= {"calibration_intercept": intercept, "calibration_slope": slope}
    return found
