"""Subscriptions, where leaving is observed: retention of cohorts and survival with covariates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import load_table
from cvlib.statistics import resample

Array = NDArray[np.float64]
PUBLISHED = Path(__file__).with_name("published") / "fader_hardie_2007.yaml"
# Parameters of each cohort model, all positive and estimated on the log scale.
COHORT_MODELS = {
    "geometric": ("churn_odds",),
    "sbg": ("alpha", "beta"),
    "bdw": ("gamma", "delta", "c"),
}


def read_cohorts(source: str = "fader_hardie_2007") -> pd.DataFrame:
    """Customers left by cohort and period: the published series, or a file of one's own.

    Parameters
    ----------
    source : str
        "fader_hardie_2007" (two cohorts of 1,000, twelve years), or a table with the columns
        cohort, period (0, 1, …) and customers.
    """
    if source != "fader_hardie_2007":
        table = load_table(source).data
        missing = {"cohort", "period", "customers"} - set(table.columns)
        if missing:
            raise InputError(source, f"has no column {min(missing)!r}", "See `read_cohorts`.")
        return table[["cohort", "period", "customers"]]
    content = Source(PUBLISHED).content
    parts = [
        pd.DataFrame({"cohort": name, "period": range(len(percent)), "percent": percent})
        for name, percent in content["survival_percent"].items()
    ]
    table = pd.concat(parts, ignore_index=True)
    customers = np.round(table.pop("percent") * content["customers"] / 100)
    return table.assign(customers=customers)


def cohort_losses(customers: ArrayLike) -> pd.DataFrame:
    """Customers left after 0, 1, 2, … periods as lost and censored: period, lost, censored."""
    left = np.asarray(customers, dtype=float)
    if (np.diff(left) > 0).any() or left.size < 3:
        raise InputError("customers", "must not grow, over two or more periods", "Check the order.")
    censored = np.zeros(left.size - 1)
    censored[-1] = left[-1]
    return pd.DataFrame(
        {"period": np.arange(1, left.size), "lost": -np.diff(left), "censored": censored}
    )


def grouped_losses(duration: ArrayLike, event: ArrayLike) -> pd.DataFrame:
    """Single customers (whole periods kept, left or not) as period, lost, censored."""
    table = pd.DataFrame({"period": np.asarray(duration), "lost": np.asarray(event, dtype=float)})
    table["censored"] = 1 - table["lost"]
    return table.groupby("period", as_index=False).sum()


def log_survival(model: str, theta: ArrayLike, t: ArrayLike) -> Array:
    """ln S(t) of a cohort model at its parameters.

    geometric: −t·ln(1 + churn_odds). sbg: B(α, β + t) / B(α, β). bdw: B(γ, δ + t^c) / B(γ, δ).
    """
    values, t = np.asarray(theta, dtype=float), np.asarray(t, dtype=float)
    if model == "geometric":
        return -t * np.log1p(values[0])
    power = t ** values[2] if model == "bdw" else t
    return special.betaln(values[0], values[1] + power) - special.betaln(values[0], values[1])


@dataclass(frozen=True)
class CohortFit:
    """A cohort model by maximum likelihood.

    Attributes
    ----------
    parameters : DataFrame
        model, parameter, estimate, std_error, ci_low, ci_high (delta method on the log scale).
    fit : DataFrame
        model, measure (log_likelihood, aic, bic, customers, periods), value.
    """

    model: str
    parameters: pd.DataFrame
    fit: pd.DataFrame
    warnings: tuple[str, ...]

    def survival(self, t: ArrayLike) -> Array:
        """Share still subscribed after t periods."""
        return np.exp(log_survival(self.model, self.parameters["estimate"], t))

    def retention(self, t: ArrayLike) -> Array:
        """Retention rate of period t, S(t) / S(t − 1)."""
        return self.survival(t) / self.survival(np.asarray(t, dtype=float) - 1)

    def residual_lifetime(
        self, renewals: int, discount_rate: float, horizon: int = 20_000
    ) -> float:
        """Discounted expected residual lifetime just before the next renewal is due.

        Σ_{t ≥ 0} S(n + t) / S(n − 1) / (1 + d)^t for a customer who has renewed n − 1 times.

        References
        ----------
        Fader & Hardie (2010) Marketing Science 29:85-93 (closed form for the sBG).
        """
        t = np.arange(horizon)
        left = self.survival(renewals + 1 + t) / self.survival(renewals)
        return float((left * (1 + discount_rate) ** -t.astype(float)).sum())


def fit_cohort(losses: pd.DataFrame, model: str = "sbg", level: float = 0.95) -> CohortFit:
    """Fit a model of when customers of a cohort leave, by maximum likelihood.

    ln L = Σ lost_t · ln[S(t − 1) − S(t)] + Σ censored_t · ln S(t).

    Parameters
    ----------
    losses : DataFrame
        period (1, 2, …), lost in it, censored after it: see `cohort_losses`, `grouped_losses`.
    model : {"geometric", "sbg", "bdw"}
        One retention rate for all; beta-geometric (retention differs between customers);
        beta-discrete-Weibull (it also changes with time for each of them).
    level : float
        Of the intervals.

    References
    ----------
    Fader & Hardie (2007) J. Interactive Marketing 21:76-90; Fader, Hardie, Liu, Davin &
    Steenburgh (2018) J. Interactive Marketing 43:1-16.
    """
    if model not in COHORT_MODELS:
        raise InputError("model", f"{model!r} is unknown", nearest(model, list(COHORT_MODELS)))
    t = losses["period"].to_numpy(dtype=float)
    lost, censored = (losses[name].to_numpy(dtype=float) for name in ("lost", "censored"))
    if (t < 1).any() or lost.sum() == 0:
        raise InputError("losses", "needs periods from 1 and at least one loss", "Check the table.")

    def minus_log_likelihood(log_theta: Array) -> float:
        with np.errstate(all="ignore"):
            theta = np.exp(np.clip(log_theta, -15, 15))
            before, after = log_survival(model, theta, t - 1), log_survival(model, theta, t)
            gone = before + np.log(-np.expm1(after - before))
            total = -(lost @ np.maximum(gone, -1e10) + censored @ after)
        return float(total) if np.isfinite(total) else 1e12

    names = COHORT_MODELS[model]
    starts = [np.array([a, b, 0.0])[: len(names)] for a, b in ((0, 0), (-0.5, 1.5), (1, 3))]
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 8000, "maxfev": 8000}
    tried = [
        optimize.minimize(minus_log_likelihood, start, method="Nelder-Mead", options=options)
        for start in starts
    ]
    best = min(tried, key=lambda found: found.fun)
    hessian = _hessian(minus_log_likelihood, best.x)
    eigenvalues = np.linalg.eigvalsh(hessian)
    warnings = []
    if eigenvalues[0] <= 1e-8 * eigenvalues[-1] or np.abs(best.x).max() > 9:
        warnings.append(
            f"{model}: the likelihood is flat along a ridge, so single parameters are not "
            "identified (customers may not differ in retention); the curve itself is."
        )
        errors = np.full(len(names), np.nan)
    else:
        errors = np.sqrt(np.diag(np.linalg.inv(hessian)))
    z, n = resample.reach(level), lost.sum() + censored.sum()
    parameters = pd.DataFrame(
        {
            "model": model,
            "parameter": names,
            "estimate": np.exp(best.x),
            "std_error": np.exp(best.x) * errors,
            "ci_low": np.exp(best.x - z * errors),
            "ci_high": np.exp(best.x + z * errors),
        }
    )
    measures = {
        "log_likelihood": -best.fun,
        "aic": 2 * best.fun + 2 * len(names),
        "bic": 2 * best.fun + np.log(n) * len(names),
        "customers": n,
        "periods": t.max(),
    }
    fit = pd.DataFrame(
        {"model": model, "measure": list(measures), "value": list(measures.values())}
    )
    return CohortFit(model, parameters, fit, tuple(warnings))


def _hessian(function: Callable[[Array], float], at: Array, step: float = 1e-4) -> Array:
    """Second derivatives by central differences."""
    steps = step * np.eye(len(at))

    def cross(a: Array, b: Array) -> float:
        corners = [function(at + i * a + j * b) for i, j in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        return (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step**2)

    return np.array([[cross(a, b) for b in steps] for a in steps])


@dataclass(frozen=True)
class CohortProjection:
    """Cohort models fitted to the first periods and held against the later ones.

    Attributes
    ----------
    parameters : DataFrame
        cohort, model, parameter (and log_likelihood), estimate, std_error, ci_low, ci_high.
    projection : DataFrame
        cohort, model, period, actual, survival, retention, sample (fitted, projected).
    errors : DataFrame
        cohort, model, mean_absolute_error (points of survival over the projected periods),
        last_period, actual, survival.
    residual : DataFrame
        cohort, model, renewals, residual_lifetime: discounted expected periods still to come.
    discount_rate : float
        Per period, of the residual lifetime.
    """

    parameters: pd.DataFrame
    projection: pd.DataFrame
    errors: pd.DataFrame
    residual: pd.DataFrame
    sentence: str
    warnings: tuple[str, ...]
    discount_rate: float


def project_cohorts(
    cohorts: pd.DataFrame,
    fitted_periods: int,
    models: Sequence[str] = tuple(COHORT_MODELS),
    discount_rate: float = 0.1,
) -> CohortProjection:
    """Fit every model to the first periods of every cohort and project the rest.

    Parameters
    ----------
    cohorts : DataFrame
        cohort, period (0, 1, …), customers left.
    fitted_periods : int
        Periods the models may see.
    models : sequence of str
        See `fit_cohort`.
    discount_rate : float
        Per period, for the residual lifetime.
    """
    found, curves, residual, warnings = [], [], [], []
    for cohort, rows in cohorts.groupby("cohort", sort=False):
        ordered = rows.sort_values("period")
        losses = cohort_losses(ordered["customers"].iloc[: fitted_periods + 1])
        period = ordered["period"].to_numpy()
        actual = ordered["customers"].to_numpy() / ordered["customers"].iloc[0]
        for model in models:
            fit = fit_cohort(losses, model)
            likelihood = fit.fit[fit.fit["measure"] == "log_likelihood"]
            likelihood = likelihood.rename(columns={"measure": "parameter", "value": "estimate"})
            found.append(pd.concat([fit.parameters, likelihood]).assign(cohort=cohort))
            warnings += [f"Cohort {cohort}: {text}" for text in fit.warnings]
            table = pd.DataFrame({"period": period, "actual": actual})
            table["survival"] = fit.survival(period)
            table["retention"] = fit.retention(np.maximum(period, 1))
            table["sample"] = np.where(period <= fitted_periods, "fitted", "projected")
            curves.append(table[table["period"] > 0].assign(cohort=cohort, model=model))
            residual += [
                [cohort, model, n, fit.residual_lifetime(n, discount_rate)] for n in range(5)
            ]
    parameters = pd.concat(found, ignore_index=True)
    order = ["cohort", "model", "period", "actual", "survival", "retention", "sample"]
    projection = pd.concat(curves, ignore_index=True)[order]
    late = projection[projection["sample"] == "projected"]
    late = late.assign(off=(late["survival"] - late["actual"]).abs())
    by = late.groupby(["cohort", "model"], sort=False)
    errors = by.agg(
        mean_absolute_error=("off", "mean"),
        last_period=("period", "last"),
        actual=("actual", "last"),
        survival=("survival", "last"),
    ).reset_index()
    mean = errors.groupby("model")["mean_absolute_error"].mean().sort_values()
    sentence = "No later periods to hold the projections against."
    if len(mean):
        sentence = (
            "Mean error of the projected share of customers, in percentage points: "
            + ", ".join(f"{model} {100 * value:.1f}" for model, value in mean.items())
            + "."
        )
    return CohortProjection(
        parameters[["cohort", *parameters.columns.drop("cohort")]],
        projection,
        errors,
        pd.DataFrame(residual, columns=["cohort", "model", "renewals", "residual_lifetime"]),
        sentence,
        tuple(warnings),
        discount_rate,
    )


def curve_value(
    survival: Callable[[ArrayLike], Array],
    *,
    margin: float,
    annual_rate: float,
    observed: float,
    periods_per_year: float = 12.0,
    horizon: int = 2400,
    payment: str = "begin",
) -> dict[str, float]:
    """Lifetime value of a new customer from a survival curve, and how much lies beyond the data.

    Σ_t margin · S(t) / (1 + i)^(t / periods_per_year), t = 0, 1, … when a period is paid at its
    begin, t = 1, 2, … at its end.

    Parameters
    ----------
    survival : function of t
        Share still subscribed after t periods.
    margin : float
        Per period.
    annual_rate : float
        Discount rate per year, i.
    observed : float
        Longest period seen in the data.
    periods_per_year, horizon, payment
        Length of a period, number of periods summed, "begin" or "end".

    Returns
    -------
    dict
        lifetime_value, within_data, share_beyond_data, at_horizon (share still subscribed there).
    """
    if payment not in ("begin", "end"):
        raise InputError("payment", f"{payment!r} is unknown", "Use begin or end.")
    t = np.arange(horizon, dtype=float) + (payment == "end")
    worth = margin * survival(t) * (1 + annual_rate) ** (-t / periods_per_year)
    total, within = float(worth.sum()), float(worth[t <= observed].sum())
    return {
        "lifetime_value": total,
        "within_data": within,
        "share_beyond_data": 1 - within / total,
        "at_horizon": float(survival(np.array([horizon]))[0]),
    }


def observed_survival(
    duration: ArrayLike, event: ArrayLike, times: ArrayLike, counts: Array | None = None
) -> Array:
    """Kaplan-Meier of one or several resamples of the same customers, shape (samples, times).

    Parameters
    ----------
    duration, event : array, shape (customers,)
        As observed.
    times : array, shape (times,)
        Where; beyond a resample's longest duration its last value is carried on.
    counts : array, shape (samples, customers), optional
        How often each customer was drawn; without it the sample itself.
    """
    time, left = np.asarray(duration, dtype=float), np.asarray(event, dtype=float)
    steps, place = np.unique(time, return_inverse=True)
    column = np.searchsorted(steps, np.asarray(times, dtype=float), side="right")
    curves = []
    for drawn in np.ones((1, time.size)) if counts is None else counts:
        lost = np.bincount(place, weights=drawn * left, minlength=steps.size)
        gone = np.bincount(place, weights=drawn, minlength=steps.size)
        at_risk = gone[::-1].cumsum()[::-1]
        kept = np.cumprod(1 - lost / np.maximum(at_risk, 1e-300))
        curves.append(np.concatenate([[1.0], kept])[column])
    return np.array(curves)


def lifetime_value_error(
    observed: Array,
    forecast: Array,
    *,
    margin: float = 1.0,
    annual_rate: float = 0.1,
    periods_per_year: float = 12.0,
    payment: str = "begin",
) -> tuple[float, float]:
    """Value of a new customer that a forecast curve misses, and its share of the observed value.

    Σ_t margin · [S(t) − Ŝ(t)] / (1 + i)^(t / periods_per_year): above zero the forecast values
    customers too low. Payments and discounting are those of `curve_value`.

    Parameters
    ----------
    observed, forecast : array, shape (periods + 1,)
        S(t) and Ŝ(t) at t = 0, 1, …; the sum ends with them.
    margin, annual_rate, periods_per_year, payment
        See `curve_value`; the error is in the unit of the margin.
    """
    last = len(observed) - 1

    def worth(curve: Array) -> float:
        return curve_value(
            lambda t: curve[np.minimum(np.asarray(t, dtype=int), last)],
            margin=margin,
            annual_rate=annual_rate,
            observed=last,
            periods_per_year=periods_per_year,
            horizon=last + (payment == "begin"),
            payment=payment,
        )["lifetime_value"]

    value = worth(observed)
    error = value - worth(forecast)
    return error, error / value
