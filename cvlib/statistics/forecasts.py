"""How good a probability is: Brier score, logarithmic loss, calibration, Murphy's decomposition.

`happened` is 0 or 1 and `probability` between 0 and 1 for each customer; `counts` is how often
each is in each sample (samples, customers): a row of ones, or a bootstrap (`resample`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from cvlib.statistics import ranks
from cvlib.statistics.proportions import wilson

Array = np.ndarray
CLIP = 1e-12  # nearest to 0 and 1 that a probability is taken to be


def brier(happened: Array, probability: Array, counts: Array) -> Array:
    """(samples,) mean squared difference (Brier, 1950, Monthly Weather Review 78)."""
    return (counts @ (probability - happened) ** 2) / counts.sum(axis=1)


def log_loss(happened: Array, probability: Array, counts: Array) -> Array:
    """(samples,) mean of -ln(probability given to what happened, at least 1e-12)."""
    given = np.where(happened == 1, probability, 1 - probability)
    return -(counts @ np.log(np.maximum(given, CLIP))) / counts.sum(axis=1)


def expected_calibration_error(
    happened: Array, probability: Array, counts: Array, bins: int = 10
) -> Array:
    """(samples,) mean absolute gap of forecast and observed share over equal-count bins."""
    member = pd.get_dummies(ranks.equal_counts(probability, bins)).to_numpy(dtype=float)
    gap = np.abs((counts * (probability - happened)) @ member)
    return gap.sum(axis=1) / counts.sum(axis=1)


def calibration_line(happened: Array, probability: Array, counts: Array) -> tuple[Array, Array]:
    """Intercept and slope of logit(happened) on logit(probability); 0 and 1 are ideal.

    Logistic regression for every row of counts, by Newton; NaN where it does not converge, as
    where the probability is the same for all.

    References
    ----------
    Cox (1958) Biometrika 45:562-565.
    """
    y, w = happened, counts
    x = special.logit(np.clip(probability, CLIP, 1 - CLIP))
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
    happened: Array, probability: Array, bins: int = 10, level: float = 0.95
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
    y, p = (np.asarray(v, dtype=float) for v in (happened, probability))
    grouped = pd.DataFrame({"bin": ranks.equal_counts(p, bins) + 1, "p": p, "y": y}).groupby("bin")
    table = grouped.agg(n=("y", "size"), mean_probability=("p", "mean"), observed=("y", "mean"))
    low, high = wilson(table["observed"] * table["n"], table["n"], level)
    return table.assign(ci_low=low, ci_high=high).reset_index()


def murphy_decomposition(happened: Array, probability: Array, bins: int = 10) -> pd.DataFrame:
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
    y, p = (np.asarray(v, dtype=float) for v in (happened, probability))
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
