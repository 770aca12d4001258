"""How good a survival forecast is when some customers are still there (right censoring)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cvlib.inputs.errors import InputError
from cvlib.statistics import ranks
from cvlib.words.message import message

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Censoring:
    """Kaplan-Meier of still being observed; losses come before censorings of the same time."""

    times: Array
    kept: Array

    def after(self, t: ArrayLike) -> Array:
        """G(t)."""
        return self._at(np.asarray(t, dtype=float), "right")

    def before(self, t: ArrayLike) -> Array:
        """G(t−), the chance of being observed until just before t."""
        return self._at(np.asarray(t, dtype=float), "left")

    def _at(self, t: Array, side: str) -> Array:
        place = np.searchsorted(self.times, t, side=side)  # type: ignore[call-overload]
        return np.concatenate([[1.0], self.kept])[place]


def censoring(duration: ArrayLike, event: ArrayLike) -> Censoring:
    """Estimate the censoring distribution of a sample."""
    time, left = np.asarray(duration, dtype=float), np.asarray(event, dtype=float)
    at = np.unique(time[left == 0])
    # who leaves at t is no longer at risk of being censored at t
    at_risk = [(time > t).sum() + ((time == t) & (left == 0)).sum() for t in at]
    counts = np.array([((time == t) & (left == 0)).sum() for t in at], dtype=float)
    return Censoring(at, np.cumprod(1 - counts / np.array(at_risk, dtype=float)))


def concordance(
    duration: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    weights: Censoring | None = None,
    until: float = np.inf,
) -> float:
    """Share of comparable pairs in which the customer who left first had the higher risk.

    A pair is comparable when the shorter duration ended with a loss; equal durations compare a
    loss with a censored one; equal risks count ½.

    Parameters
    ----------
    duration, event, risk : array, shape (customers,)
        High risk means leaving early.
    weights : Censoring, optional
        Without it Harrell's C; with it Uno's, each pair weighted by 1 / G(t−)².
    until : float
        Only losses before this time count (Uno's τ).

    References
    ----------
    Harrell et al. (1982) JAMA 247:2543-2546; Uno et al. (2011) Statistics in Medicine
    30:1105-1117.
    """
    time, left, score = (np.asarray(v, dtype=float) for v in (duration, event, risk))
    found = total = 0.0
    for t in np.unique(time[(left == 1) & (time < until)]):
        here = (time == t) & (left == 1)
        later = np.sort(score[(time > t) | ((time == t) & (left == 0))])
        if not later.size:
            continue
        below = np.searchsorted(later, score[here], side="left")
        equal = np.searchsorted(later, score[here], side="right") - below
        weight = 1.0 if weights is None else float(weights.before(t)) ** -2
        found += weight * float((below + equal / 2).sum())
        total += weight * here.sum() * later.size
    if not total:
        raise InputError(
            "duration",
            message("refusals.no_two_customers_can_be"),
            message("refusals.use_more_data"),
        )
    return found / total


def brier_over_time(
    duration: ArrayLike, event: ArrayLike, survival: Array, times: ArrayLike, weights: Censoring
) -> Array:
    """Brier score of S(t) at each time, weighted for censoring.

    Parameters
    ----------
    duration, event : array, shape (customers,)
        As observed.
    survival : array, shape (customers, times)
        Forecast S(t | customer).
    times : array, shape (times,)
        Where it is forecast.
    weights : Censoring
        From the sample the models were fitted on.

    References
    ----------
    Graf, Schmoor, Sauerbrei & Schumacher (1999) Statistics in Medicine 18:2529-2545.
    """
    return brier_contributions(duration, event, survival, times, weights).mean(axis=0)


def brier_contributions(
    duration: ArrayLike, event: ArrayLike, survival: Array, times: ArrayLike, weights: Censoring
) -> Array:
    """What every customer adds to the Brier score at each time, shape (customers, times)."""
    time, left = (np.asarray(v, dtype=float)[:, None] for v in (duration, event))
    at = np.asarray(times, dtype=float)
    gone, there = (time <= at) & (left == 1), time > at
    own, later = (np.maximum(w, 1e-12) for w in (weights.before(time), weights.after(at)))
    return survival**2 * gone / own + (1 - survival) ** 2 * there / later


def auc_over_time(
    duration: ArrayLike, event: ArrayLike, risk: Array, times: ArrayLike, weights: Censoring
) -> Array:
    """Cumulative/dynamic AUC(t): who has left by t against who is still there, ties ½.

    Parameters
    ----------
    duration, event : array, shape (customers,)
        As observed.
    risk : array, shape (customers, times)
        High means gone by t, for instance 1 − S(t).
    times : array
        Where.
    weights : Censoring
        From the sample the models were fitted on.

    References
    ----------
    Hung & Chiang (2010) Canadian J. Statistics 38:8-26; Uno et al. (2007) JASA 102:527-537.
    """
    time, left = np.asarray(duration, dtype=float), np.asarray(event, dtype=float)
    own = 1 / np.maximum(weights.before(time), 1e-12)
    found = []
    for column, t in enumerate(np.asarray(times, dtype=float)):
        gone, there = (time <= t) & (left == 1), time > t
        if not gone.any() or not there.any():
            found.append(np.nan)
            continue
        stay = np.sort(risk[there, column])
        below = np.searchsorted(stay, risk[gone, column], side="left")
        equal = np.searchsorted(stay, risk[gone, column], side="right") - below
        share = (below + equal / 2) / stay.size
        found.append(float((own[gone] * share).sum() / own[gone].sum()))
    return np.array(found)


def d_calibration(duration: ArrayLike, event: ArrayLike, survival_at_end: Array) -> pd.DataFrame:
    """Are the forecast S(T) uniform, as they must be if the curves are right?

    A loss counts in the tenth its S(T) lies in; a censored customer is spread over the tenths
    below.

    Returns
    -------
    DataFrame
        measure (chi2, df, p), value.

    References
    ----------
    Haider, Hoehn, Davis & Greiner (2020) J. Machine Learning Research 21(85).
    """
    left, s = np.asarray(event, dtype=float), np.clip(survival_at_end, 1e-12, 1)
    edges = np.linspace(0, 1, 11)
    place = np.minimum((s * 10).astype(int), 9)
    counts = np.bincount(place[left == 1], minlength=10).astype(float)
    for k in range(10):
        inside = np.clip(s[left == 0] - edges[k], 0, 0.1) / s[left == 0]
        counts[k] += inside.sum()
    expected = len(s) / 10
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    values = {"chi2": chi2, "df": 9.0, "p": float(special.chdtrc(9, chi2))}
    return pd.DataFrame({"measure": list(values), "value": list(values.values())})


def calibration_by_risk(
    duration: ArrayLike, event: ArrayLike, survival: Array, at: float, groups: int = 5
) -> pd.DataFrame:
    """Forecast S(at) against Kaplan-Meier in groups of equal forecast, lowest survival first.

    Returns
    -------
    DataFrame
        group, customers, forecast, observed, ci_low, ci_high (Greenwood, 95 %, log-log).
    """
    from lifelines import KaplanMeierFitter

    time, left = np.asarray(duration, dtype=float), np.asarray(event, dtype=float)
    group = ranks.equal_counts(survival, groups)
    rows = []
    for number in np.unique(group):
        chosen = group == number
        fitted = KaplanMeierFitter().fit(time[chosen], left[chosen])
        band = fitted.confidence_interval_survival_function_
        low, high = band.loc[: float(at)].iloc[-1]
        observed = float(fitted.survival_function_at_times(at).iloc[0])
        mean = float(survival[chosen].mean())
        rows.append([int(number) + 1, int(chosen.sum()), mean, observed, float(low), float(high)])
    columns = ["group", "customers", "forecast", "observed", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)
