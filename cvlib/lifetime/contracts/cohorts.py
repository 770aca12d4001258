"""Subscriptions, where leaving is observed: retention of cohorts and survival with covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from cvlib.inputs.choices import one_of, whole
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.series import CohortSeries
from cvlib.lifetime.maximise import maximise
from cvlib.lifetime.repeat_buying.special import digamma_rising, log_rising
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
# Parameters of each cohort model, all positive and estimated on the log scale.
COHORT_MODELS = {
    "geometric": ("churn_odds",),
    "sbg": ("alpha", "beta"),
    "bdw": ("gamma", "delta", "c"),
}


_FAR = 15.0  # logs of parameters beyond which nothing changes
_WIDE = 3 * np.log(10)  # an interval over three powers of ten says nothing about a parameter


def cohort_losses(customers: ArrayLike) -> pd.DataFrame:
    """Customers left after 0, 1, 2, … periods as lost and censored: period, lost, censored."""
    left = np.asarray(customers, dtype=float)
    if (np.diff(left) > 0).any() or left.size < 3:
        raise InputError(
            "customers",
            message("refusals.must_not_grow_over_two"),
            message("refusals.check_the_order"),
        )
    censored = np.zeros(left.size - 1)
    censored[-1] = left[-1]
    return pd.DataFrame(
        {"period": np.arange(1, left.size), "lost": -np.diff(left), "censored": censored}
    )


def grouped_losses(
    duration: ArrayLike, event: ArrayLike, entry: ArrayLike | None = None
) -> pd.DataFrame:
    """Single customers (whole periods kept, left or not) as period, lost, censored.

    With `entry`, the periods served when observation began, also `entered`: how many came under
    observation at the end of a period other than 0.
    """
    table = pd.DataFrame({"period": np.asarray(duration), "lost": np.asarray(event, dtype=float)})
    table["censored"] = 1 - table["lost"]
    if entry is not None:
        began = np.asarray(entry)[np.asarray(entry) > 0]
        late = pd.DataFrame({"period": began, "lost": 0.0, "censored": 0.0, "entered": 1.0})
        table = pd.concat([table.assign(entered=0.0), late])
    return table.groupby("period", as_index=False).sum()


def log_survival(model: str, theta: ArrayLike, t: ArrayLike) -> Array:
    """ln S(t) of a cohort model at its parameters.

    geometric: −t·ln(1 + churn_odds). sbg: B(α, β + t) / B(α, β). bdw: B(γ, δ + t^c) / B(γ, δ).
    """
    return _survival(model, np.asarray(theta, dtype=float), np.asarray(t, dtype=float))[0]


def _survival(model: str, theta: Array, t: Array) -> tuple[Array, Array]:
    """ln S(t), and its slopes in the logs of the parameters (one row each)."""
    if model == "geometric":
        return -t * np.log1p(theta[0]), np.array([-t * theta[0] / (1 + theta[0])])
    first, second = theta[:2]
    power = t ** theta[2] if model == "bdw" else t
    # B(a, b + p) / B(a, b) = Γ(b + p) / Γ(b) · Γ(a + b) / Γ(a + b + p)
    value = log_rising(second, power) - log_rising(first + second, power)
    both = digamma_rising(first + second, power)
    slopes = [-first * both, second * (digamma_rising(second, power) - both)]
    if model == "bdw":
        by_power = special.digamma(second + power) - special.digamma(first + second + power)
        slopes.append(by_power * special.xlogy(power, t) * theta[2])
    return value, np.array(slopes)


@dataclass(frozen=True, eq=False, repr=False)
class CohortFit(Result):
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
    told_by = "cvlib.words.usual:estimates"

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
        period (1, 2, …), lost in it, censored after it, and where observation began late, entered
        after it: see `cohort_losses`, `grouped_losses`.
    model : {"geometric", "sbg", "bdw"}
        One retention rate for all; beta-geometric (retention differs between customers);
        beta-discrete-Weibull (it also changes with time for each of them).
    level : float
        Of the intervals.

    Returns
    -------
    CohortFit
        Parameters with intervals, fit, and the survival they imply.

    Raises
    ------
    InputError
        No loss at all, a period before 1, or a model that is not known.

    References
    ----------
    Fader & Hardie (2007) J. Interactive Marketing 21:76-90; Fader, Hardie, Liu, Davin &
    Steenburgh (2018) J. Interactive Marketing 43:1-16.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> losses = pd.DataFrame({"period": [1, 2], "lost": [131, 126], "censored": [0, 743]})
    >>> cv.lifetime.fit_cohort(losses).parameters["parameter"].tolist()
    ['alpha', 'beta']
    """
    one_of("model", model, COHORT_MODELS)
    t = losses["period"].to_numpy(dtype=float)
    lost, censored = (losses[name].to_numpy(dtype=float) for name in ("lost", "censored"))
    entered = losses["entered"].to_numpy(float) if "entered" in losses else np.zeros(t.size)
    if (t < 1).any() or lost.sum() == 0:
        raise InputError(
            "losses",
            message("refusals.needs_periods_from_and_at"),
            message("refusals.check_the_table"),
        )

    def log_likelihood(log_theta: Array) -> tuple[float, Array]:
        theta = np.exp(log_theta)
        (before, slope_before), (after, slope) = (_survival(model, theta, at) for at in (t - 1, t))
        share = after - before  # ln of those who stay through the period
        gone = before + np.log(-np.expm1(share))
        slope_gone = slope_before - (slope - slope_before) / np.expm1(-share)
        kept = censored - entered  # who came late is known to have stayed until then
        return float(lost @ gone + kept @ after), slope_gone @ lost + slope @ kept

    names = COHORT_MODELS[model]
    starts = [np.array([a, b, 0.0])[: len(names)] for a, b in ((0, 0), (-0.5, 1.5), (1, 3))]
    least, most = np.full(len(names), -_FAR), np.full(len(names), _FAR)
    best = maximise(log_likelihood, starts, least, most)
    errors = np.sqrt(np.diag(best.covariance()))
    z, n = resample.reach(level), lost.sum() + censored.sum()
    warnings = []
    if best.held.any() or 2 * z * errors.max() > _WIDE or np.abs(best.at).max() > 9:
        warnings.append(message("lifetime.cohort_ridge", model=model))
        errors = np.full(len(names), np.nan)
    parameters = pd.DataFrame(
        {
            "model": model,
            "parameter": names,
            "estimate": np.exp(best.at),
            "std_error": np.exp(best.at) * errors,
            "ci_low": np.exp(best.at - z * errors),
            "ci_high": np.exp(best.at + z * errors),
        }
    )
    measures = {
        "log_likelihood": best.value,
        "aic": -2 * best.value + 2 * len(names),
        "bic": -2 * best.value + np.log(n) * len(names),
        "customers": n,
        "periods": t.max(),
    }
    fit = pd.DataFrame(
        {"model": model, "measure": list(measures), "value": list(measures.values())}
    )
    return CohortFit(model, parameters, fit, tuple(warnings))


@dataclass(frozen=True, eq=False, repr=False)
class CohortProjection(Result):
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
    sentence: Message
    discount_rate: float
    fitted_periods: int
    warnings: tuple[str, ...] = ()
    headline_tables = ("errors", "parameters")

    @property
    def smallest_error(self) -> float | None:
        """Mean absolute error of the best projection; None without one."""
        return float(self.errors["mean_absolute_error"].min()) if len(self.errors) else None


def project_cohorts(
    series: CohortSeries,
    fitted_periods: int = 0,
    models: Sequence[str] = tuple(COHORT_MODELS),
    discount_rate: float = 0.1,
) -> CohortProjection:
    """Fit every model to the first periods of every cohort and project the rest.

    Parameters
    ----------
    series : CohortSeries
        Customers left. Without any, the tables are empty and the sentence says why.
    fitted_periods : int
        Periods the models may see; 0 = as the series proposes.
    models : sequence of str
        See `fit_cohort`.
    discount_rate : float
        Per year of the series' periods, for the residual lifetime.

    Returns
    -------
    CohortProjection
        Parameters, projections, errors in the later periods, residual lifetimes.

    Raises
    ------
    InputError
        A cohort that grows, has one period or no loss, or a holdout that is no whole number.

    References
    ----------
    Fader & Hardie (2007), Journal of Interactive Marketing 21(1):76-90.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.project_cohorts(cv.lifetime.read_cohorts()).errors["model"].nunique()
    3
    """
    whole("fitted_periods", fitted_periods, 0, remedy="0 leaves the choice to the suite.")
    cohorts, fitted_periods = series.customers, fitted_periods or series.fitted_periods
    discount_rate = (1 + discount_rate) ** (1 / series.periods_per_year) - 1
    if series.reason is not None:
        empty = [pd.DataFrame() for _ in range(4)]
        why = series.reason
        return CohortProjection(
            empty[0], empty[1], empty[2], empty[3], why, discount_rate, 0, (why,)
        )
    found, curves, residual = [], [], []
    warnings: list[Message] = []
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
            warnings += [
                message("lifetime.of_cohort", cohort=cohort, text=text) for text in fit.warnings
            ]
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
    sentence = message("lifetime.projection_untested")
    if len(mean):
        points = [
            message("lifetime.projection_error", model=model, points=100 * value)
            for model, value in mean.items()
        ]
        sentence = message("lifetime.projection_errors", errors=points)
    return CohortProjection(
        parameters[["cohort", *parameters.columns.drop("cohort")]],
        projection,
        errors,
        pd.DataFrame(residual, columns=["cohort", "model", "renewals", "residual_lifetime"]),
        sentence,
        discount_rate,
        fitted_periods,
        tuple(warnings),
    )
