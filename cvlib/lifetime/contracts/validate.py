"""How good a survival forecast is when some customers are still there (right censoring)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.cohorts import lifetime_value_error, observed_survival
from cvlib.lifetime.contracts.survival import SurvivalFits, fit_survival
from cvlib.statistics import ranks, resample

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
        raise InputError("duration", "no two customers can be compared", "Use more data.")
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
    values = {"chi2": chi2, "df": 9.0, "p": float(stats.chi2.sf(chi2, 9))}
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


@dataclass(frozen=True)
class SurvivalValidation:
    """Survival models judged on customers they were not fitted on.

    Attributes
    ----------
    validation : DataFrame
        model, metric, value, ci_low, ci_high: harrell_c, uno_c, integrated_brier, auc_<t>,
        brier_<t>, d_calibration_p, clv_error (unit of the margin; above zero the model values new
        customers too low) and clv_error_share (of the observed value). Models without covariates
        have C = ½ by construction.
    differences : DataFrame
        model, rival (the first model), metric (uno_c, integrated_brier, clv_error_size: the
        absolute error), difference, ci_low, ci_high: paired over the same resamples.
    over_time : DataFrame
        model, period, brier, auc.
    calibration : DataFrame
        model, group, customers, forecast, observed, ci_low, ci_high at the middle horizon.
    sentence : str
        Which model forecasts best.
    fitted, held_out : int
        Customers the models were fitted to and judged on.
    valued_until : int
        Last period in the sum behind clv_error: the last loss among those held out, or the end of
        the fitted curves when that comes first.
    draws, seed, level
        Of the split and of the bootstrap behind the intervals.
    """

    validation: pd.DataFrame
    differences: pd.DataFrame
    over_time: pd.DataFrame
    calibration: pd.DataFrame
    fits: SurvivalFits
    sentence: str
    warnings: tuple[str, ...]
    fitted: int
    held_out: int
    valued_until: int
    draws: int
    seed: int
    level: float


def validate_survival(
    data: pd.DataFrame,
    models: Sequence[str],
    *,
    horizons: Sequence[float] = (12, 24, 36),
    test_share: float = 0.3,
    margin: float = 1.0,
    annual_rate: float = 0.1,
    periods_per_year: float = 12.0,
    payment: str = "begin",
    draws: int = 100,
    seed: int = resample.SEED,
    level: float = 0.95,
) -> SurvivalValidation:
    """Fit on a random part of the customers, judge on the rest, with bootstrap intervals.

    A table of contracts has no dates, so the cut is by customer, not by time: it tells how well
    the models describe customers like these, not how well they forecast a later year.

    Parameters
    ----------
    data : DataFrame
        duration, event, covariates.
    models : sequence of str
        See `fit_survival`; the first is the rival of the paired differences (Kaplan-Meier is the
        benchmark without covariates).
    horizons : sequence of float
        Periods at which AUC(t), Brier(t) and, at the middle one, calibration are given.
    test_share : float
        Share of customers held out.
    margin, annual_rate, periods_per_year, payment
        Of the lifetime value in clv_error, see `lifetime_value_error`: S is Kaplan-Meier of the
        customers held out, Ŝ the mean forecast of the same customers.
    draws, seed, level
        Bootstrap of the held-out customers for the concordance, the integrated Brier score and
        the error of the lifetime value.
    """
    rng = resample.generator(seed)
    order = rng.permutation(len(data))
    cut = round(test_share * len(data))
    test, train = data.iloc[order[:cut]], data.iloc[order[cut:]]
    fits = fit_survival(train, models, level)
    time, left = test["duration"].to_numpy(dtype=float), test["event"].to_numpy(dtype=float)
    weights = censoring(train["duration"], train["event"])
    last = min(time[left == 1].max(), train["duration"].max()) - 1
    whole = np.arange(1, last + 1)
    grid = np.unique(np.concatenate([whole, [h for h in horizons if h <= last]]))
    middle = sorted(horizons)[len(horizons) // 2]
    samples = resample.indices(len(test), draws, rng)
    span = grid[-1] - grid[0]
    periods = np.arange(0, int(last) + 2)
    counts = np.vstack([np.ones(len(test)), resample.counts_of(samples)])
    observed = observed_survival(time, left, periods, counts)
    money: dict[str, Any] = {"margin": margin, "annual_rate": annual_rate}
    money |= {"periods_per_year": periods_per_year, "payment": payment}
    single: dict[tuple[str, str], float] = {}
    sampled: dict[tuple[str, str], Array] = {}
    rows, over, tables = [], [], []
    for model, curve in fits.curves.items():
        survival = curve(test, grid)
        risk = 1 - survival[:, int(np.searchsorted(grid, min(middle, last)))]
        each = brier_contributions(time, left, survival, grid, weights)
        brier, own_part = each.mean(axis=0), np.trapezoid(each, grid, axis=1) / span
        auc = auc_over_time(time, left, 1 - survival, grid, weights)
        over.append(pd.DataFrame({"model": model, "period": grid, "brier": brier, "auc": auc}))
        rows.append([model, "harrell_c", concordance(time, left, risk), None, None])
        drawn: list[float] = []
        if np.unique(risk).size > 1:
            drawn = [concordance(time[s], left[s], risk[s], weights, last) for s in samples]
        uno = concordance(time, left, risk, weights, last)
        rows.append([model, "uno_c", uno, *_quantiles(drawn, level)])
        area = [float(own_part[s].mean()) for s in samples]
        rows.append([model, "integrated_brier", float(own_part.mean()), *_quantiles(area, level)])
        forecast = counts @ curve(test, periods) / len(test)
        errors = np.array(
            [lifetime_value_error(*pair, **money) for pair in zip(observed, forecast, strict=True)]
        )
        for metric, values in zip(("clv_error", "clv_error_share"), errors.T, strict=True):
            rows.append([model, metric, float(values[0]), *_quantiles(values[1:], level)])
        # without covariates every resample has C = ½
        single |= {(model, "uno_c"): uno, (model, "integrated_brier"): float(own_part.mean())}
        single[model, "clv_error_size"] = abs(float(errors[0, 0]))
        sampled[model, "uno_c"] = np.array(drawn) if drawn else np.full(draws, 0.5)
        sampled[model, "integrated_brier"] = np.array(area)
        sampled[model, "clv_error_size"] = np.abs(errors[1:, 0])
        for horizon in horizons:
            place = np.flatnonzero(grid == horizon)
            if place.size:
                rows.append([model, f"auc_{horizon:g}", float(auc[place[0]]), None, None])
                rows.append([model, f"brier_{horizon:g}", float(brier[place[0]]), None, None])
        at_end = curve(test, np.unique(time))
        own = at_end[np.arange(len(test)), np.searchsorted(np.unique(time), time)]
        if np.isfinite(own).all():
            p = d_calibration(time, left, own)["value"].iloc[2]
            rows.append([model, "d_calibration_p", float(p), None, None])
        if np.unique(risk).size >= 5:
            table = calibration_by_risk(time, left, 1 - risk, float(min(middle, last)))
            tables.append(table.assign(model=model, period=float(min(middle, last))))
    validation = pd.DataFrame(rows, columns=["model", "metric", "value", "ci_low", "ci_high"])
    calibration = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    rival = models[0]
    pairs = [
        [
            *(model, rival, metric, single[model, metric] - single[rival, metric]),
            *_quantiles(sampled[model, metric] - sampled[rival, metric], level),
        ]
        for model, metric in single
        if model != rival
    ]
    columns = ["model", "rival", "metric", "difference", "ci_low", "ci_high"]
    return SurvivalValidation(
        validation,
        pd.DataFrame(pairs, columns=columns),
        pd.concat(over, ignore_index=True),
        calibration,
        fits,
        _sentence(validation),
        fits.warnings,
        len(train),
        len(test),
        int(periods[-1]),
        draws,
        seed,
        level,
    )


def _quantiles(drawn: Sequence[float] | Array, level: float) -> tuple[float | None, float | None]:
    if not len(drawn):
        return None, None
    low, high = resample.percentile_limits(np.asarray(drawn), level)
    return float(low), float(high)


def _sentence(validation: pd.DataFrame) -> str:
    wide = validation.pivot(index="model", columns="metric", values="value")
    best = str(wide["integrated_brier"].idxmin())
    text = (
        f"Smallest integrated Brier score: {best} ({wide.loc[best, 'integrated_brier']:.4f}); "
        f"its concordance is {wide.loc[best, 'uno_c']:.3f}"
    )
    if "kaplan_meier" in wide.index and best != "kaplan_meier":
        base = wide.loc["kaplan_meier", "integrated_brier"]
        gain = 1 - wide.loc[best, "integrated_brier"] / base
        text += f", {gain:.0%} less error than the same curve for all ({base:.4f})"
    return text + "."
