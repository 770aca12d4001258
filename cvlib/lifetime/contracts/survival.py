"""Survival of single subscriptions with covariates: Kaplan-Meier, Cox, Weibull, discrete logit."""

from __future__ import annotations

import warnings as stdlib_warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.subscriptions import ContractColumns
from cvlib.lifetime.contracts.periods import (
    ALIKE,
    DIFFERING,
    Fitted,
    covariates_of,
    entry_of,
    fit_in_periods,
    same_for_all,
)
from cvlib.lifetime.contracts.prepare import contracts
from cvlib.lifetime.logistic import fit_logit
from cvlib.results import Result
from cvlib.words.message import Message, message

Array = NDArray[np.float64]
USUAL = ("kaplan_meier", "cox", "weibull_aft", "logit", *ALIKE)
SURVIVAL_MODELS = (*USUAL, *DIFFERING)
_FLAT = 50.0  # standard error, per standard deviation of a covariate, that says nothing is known


@dataclass(frozen=True, eq=False, repr=False)
class SurvivalFits(Result):
    """Survival models on the same customers.

    Attributes
    ----------
    coefficients : DataFrame
        model, covariate, estimate, std_error, ci_low, ci_high, p: log hazard ratios (cox), log time
        ratios (weibull_aft, column `covariate` also names its parameters), log odds ratios of
        leaving in a month (logit), parameters (sbg, bdw, geometric; p empty).
    fit : DataFrame
        model, measure, value.
    left_out : DataFrame
        model, reason: models that could not be fitted, and why.
    curves : mapping of model to a function (rows, times) giving S(t) with shape (rows, times)
    """

    coefficients: pd.DataFrame
    fit: pd.DataFrame
    left_out: pd.DataFrame
    curves: dict[str, Callable[[pd.DataFrame, ArrayLike], Array]]
    longest: float
    warnings: tuple[str, ...]
    told_by = "cvlib.words.usual:fitted"


def fit_survival(
    data: pd.DataFrame, models: Sequence[str] = USUAL, level: float = 0.95
) -> SurvivalFits:
    """Fit survival models to right-censored durations.

    Parameters
    ----------
    data : DataFrame
        duration, event, covariates and, where some contracts are older than their observation,
        entry (periods served when it began), as `prepare_subscriptions` gives them.
    models : sequence of str
        kaplan_meier, sbg, bdw and geometric ignore the covariates; cox (Breslow baseline, Efron
        ties) and weibull_aft come from lifelines; logit is the discrete-time hazard model on
        customer-months with ln t and t (statsmodels); sbg_covariates, bdw_covariates and g2g are
        those of `fit_differing` and `fit_g2g`, covariates taken from their means.
    level : float
        Of the intervals.

    Returns
    -------
    SurvivalFits
        Coefficients, fit, curves; what could not be fitted and why.

    Raises
    ------
    InputError
        A model that is not known, or none that can be fitted, with the reason.

    References
    ----------
    Cox (1972) JRSS B 34:187-220; Efron (1977) JASA 72:557-565; Allison (1982) Sociological
    Methodology 13:61-98 (discrete-time logit).

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(300, seed=1)).data
    >>> cv.lifetime.fit_survival(data, ["kaplan_meier", "sbg"]).fit["model"].unique().tolist()
    ['kaplan_meier', 'sbg']
    """
    for model in models or [""]:
        one_of("models", model, SURVIVAL_MODELS)
    tables, fits, curves, away = [], [], {}, []
    warnings: list[str] = []
    for model in dict.fromkeys(models):
        found = _tried(data, level, model)
        if isinstance(found, Message):
            away.append((model, found))
            warnings.append(message("lifetime.model_left_out", model=model, reason=found))
            continue
        table, measures, curve, said = found
        tables.append(table.assign(model=model))
        fits += [
            {"model": model, "measure": name, "value": value} for name, value in measures.items()
        ]
        curves[model] = curve
        warnings += said
    if not curves:
        raise InputError(
            "models",
            message("refusals.none_of_can_be_fitted", names=", ".join(models), value=away[0][1]),
            message("refusals.add_kaplan_meier_which_always"),
        )
    order = ["model", "covariate", "estimate", "std_error", "ci_low", "ci_high", "p"]
    filled = [table for table in tables if len(table)]
    coefficients = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    return SurvivalFits(
        coefficients.reindex(columns=order),
        pd.DataFrame(fits),
        pd.DataFrame(away, columns=["model", "reason"], dtype=object),
        curves,
        float(data["duration"].max()),
        tuple(warnings),
    )


def survival(
    data: str | Table | pd.DataFrame,
    models: Sequence[str] = USUAL,
    *,
    columns: ContractColumns | None = None,
    covariates: Sequence[str] = ("auto",),
    level: float = 0.95,
) -> SurvivalFits:
    """Survival models of contracts by name, file or table, in one call.

    Parameters
    ----------
    data : str, Table or DataFrame
        One row per contract: see `contracts`.
    models : sequence of str
        See `fit_survival`.
    columns : ContractColumns, optional
        Which column says what.
    covariates : sequence of str
        See `prepare_subscriptions`.
    level : float
        Of the intervals.

    Returns
    -------
    SurvivalFits
        Coefficients, fit, curves; what could not be fitted and why.

    Raises
    ------
    InputError
        Contracts that cannot be used, or no model that can be fitted, with the reason.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457-481; Cox (1972), JRSS B 34(2):187-220.

    Examples
    --------
    >>> import cvlib as cv
    >>> table = cv.lifetime.simulated_subscriptions(300, seed=1)
    >>> cv.lifetime.survival(table, ["kaplan_meier", "cox"]).fit["model"].unique().tolist()
    ['kaplan_meier', 'cox']
    """
    prepared = contracts(data, columns, covariates)
    found = fit_survival(prepared.data, models, level)
    return replace(found, warnings=(*prepared.warnings, *found.warnings))


def _tried(data: pd.DataFrame, level: float, model: str) -> Fitted | Message:
    """One model, or why it cannot be fitted to these data."""
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    if model in (*ALIKE, *DIFFERING):
        return fit_in_periods(data, level, model)
    if model == "kaplan_meier":
        return _kaplan_meier(data, level)
    if model == "cox" and not covariates_of(data):
        return message("lifetime.model_needs_covariates")
    if model == "logit":
        return _logit(data, level)
    try:
        with stdlib_warnings.catch_warnings():
            # lifelines warns where a covariate parts those who left from the others
            stdlib_warnings.simplefilter("error", ConvergenceWarning)
            found = (_cox if model == "cox" else _weibull)(data, level)
    except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError, ArithmeticError):
        return message("lifetime.model_no_maximum")
    spread = data.std().to_dict()
    scale = [spread.get(name.removeprefix("lambda_ "), 1.0) for name in found[0]["covariate"]]
    errors = found[0]["std_error"].to_numpy(dtype=float) * np.array(scale)
    # a climb without end stops somewhere; there the likelihood is flat
    if not (np.isfinite(errors).all() and errors.max() < _FLAT):
        return message("lifetime.model_no_maximum")
    return found


def _kaplan_meier(data: pd.DataFrame, level: float) -> Fitted:
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter(alpha=1 - level).fit(
        data["duration"], data["event"], entry=entry_of(data)
    )

    def curve(times: Array) -> Array:
        found = fitted.survival_function_at_times(times).to_numpy()
        return np.where(times > data["duration"].max(), np.nan, found)  # undefined beyond the data

    median = float(fitted.median_survival_time_)
    return pd.DataFrame(), {"median_lifetime": median}, same_for_all(curve), []


def _summary(summary: pd.DataFrame, level: float) -> pd.DataFrame:
    percent = f"{100 * level:g}%"
    names = [" ".join(name) if isinstance(name, tuple) else str(name) for name in summary.index]
    return pd.DataFrame(
        {
            "covariate": names,
            "estimate": summary["coef"].to_numpy(),
            "std_error": summary["se(coef)"].to_numpy(),
            "ci_low": summary[f"coef lower {percent}"].to_numpy(),
            "ci_high": summary[f"coef upper {percent}"].to_numpy(),
            "p": summary["p"].to_numpy(),
        }
    )


def _cox(data: pd.DataFrame, level: float) -> Fitted:
    from lifelines import CoxPHFitter

    fitted = CoxPHFitter(alpha=1 - level).fit(
        data, "duration", "event", entry_col="entry" if "entry" in data else None
    )

    base = fitted.baseline_cumulative_hazard_
    steps, total = base.index.to_numpy(dtype=float), base.to_numpy()[:, 0]
    if "entry" in data:
        steps, total = _late_baseline(data, fitted.predict_partial_hazard(data).to_numpy(float))

    def curve(rows: pd.DataFrame, times: ArrayLike) -> Array:
        at = np.asarray(times, dtype=float)
        # lifelines gives S(0) the value of the first period; the step function starts at 1
        hazard = np.concatenate([[0.0], total])[np.searchsorted(steps, at, side="right")]
        ratio = fitted.predict_partial_hazard(rows).to_numpy(dtype=float)
        found = np.exp(-np.outer(ratio, hazard))
        return np.where(at > data["duration"].max(), np.nan, found)

    measures = {
        "log_likelihood": float(fitted.log_likelihood_),
        "concordance_in_sample": float(fitted.concordance_index_),
    }
    return _summary(fitted.summary, level), measures, curve, _proportional(fitted, data)


def _late_baseline(data: pd.DataFrame, ratio: Array) -> tuple[Array, Array]:
    """Breslow's cumulative hazard where risk sets lose those not yet observed."""
    until, lost = data["duration"].to_numpy(float), data["event"].to_numpy(bool)
    steps, counts = np.unique(until[lost], return_counts=True)
    entry = data["entry"].to_numpy(float)
    at_risk = np.array([ratio[(entry < t) & (t <= until)].sum() for t in steps])
    return steps, np.cumsum(counts / at_risk)


def _proportional(fitted: Any, data: pd.DataFrame) -> list[str]:
    from lifelines.statistics import proportional_hazard_test

    if "entry" in data:  # lifelines has no residuals then
        return [message("lifetime.cox_untested")]
    found = proportional_hazard_test(fitted, data, time_transform="rank").summary["p"]
    broken = [str(name) for name in found.index[found < 0.01 / len(found)]]
    return (
        [message("lifetime.cox_not_proportional", model="cox", covariates=broken)] if broken else []
    )


def _weibull(data: pd.DataFrame, level: float) -> Fitted:
    from lifelines import WeibullAFTFitter

    fitted = WeibullAFTFitter(alpha=1 - level).fit(
        data, "duration", "event", entry_col="entry" if "entry" in data else None
    )

    def curve(rows: pd.DataFrame, times: ArrayLike) -> Array:
        at = np.maximum(np.asarray(times, dtype=float), 1e-12)
        return np.asarray(fitted.predict_survival_function(rows, times=at).to_numpy().T)

    measures = {"log_likelihood": float(fitted.log_likelihood_), "aic": float(fitted.AIC_)}
    return _summary(fitted.summary, level), measures, curve, []


def _logit(data: pd.DataFrame, level: float) -> Fitted | Message:
    names = covariates_of(data)
    centre, scale = data[names].mean(), data[names].std().replace(0, 1.0)
    months = data["duration"].to_numpy(dtype=int)
    row = np.repeat(np.arange(len(data)), months)
    month = np.arange(row.size) - np.repeat(np.cumsum(months) - months, months) + 1.0
    last = month == months[row]
    leaves = np.where(last, data["event"].to_numpy()[row], 0.0)
    longest = float(months.max())
    if (entry := entry_of(data)) is not None:  # months before observation are not at risk
        seen = month > entry[row]
        row, month, leaves = row[seen], month[seen], leaves[seen]

    def design(values: Array, t: Array) -> Array:
        return np.column_stack([np.ones(len(t)), np.log(t), t / longest, values])

    values = ((data[names] - centre) / scale).to_numpy()
    fitted, wrong = fit_logit(leaves, design(values[row], month))
    if wrong is not None:
        return wrong
    unit = np.concatenate([[1, 1, longest], scale.to_numpy()])
    interval = np.asarray(fitted.conf_int(1 - level)) / unit[:, None]
    table = pd.DataFrame(
        {
            "covariate": ["intercept (at mean covariates)", "ln period", "period", *names],
            "estimate": fitted.params / unit,
            "std_error": fitted.bse / unit,
            "ci_low": interval[:, 0],
            "ci_high": interval[:, 1],
            "p": fitted.pvalues,
        }
    )

    def curve(rows: pd.DataFrame, times: ArrayLike) -> Array:
        at = np.asarray(times, dtype=float)
        whole = np.arange(1, int(np.floor(at.max())) + 1, dtype=float)
        beta = np.asarray(fitted.params)
        base = np.column_stack([np.ones(whole.size), np.log(whole), whole / longest]) @ beta[:3]
        own = ((rows[names] - centre) / scale).to_numpy() @ beta[3:]
        hazard = 1 / (1 + np.exp(-(own[:, None] + base)))
        kept = np.concatenate([np.ones((len(rows), 1)), np.cumprod(1 - hazard, axis=1)], axis=1)
        return kept[:, np.floor(at).astype(int)]

    measures = {"log_likelihood": float(fitted.llf), "aic": float(fitted.aic)}
    return table, measures, curve, []


def mean_curves(fits: SurvivalFits, data: pd.DataFrame, until: float) -> pd.DataFrame:
    """Survival averaged over customers, for every model and whole period up to `until`.

    Parameters
    ----------
    fits : SurvivalFits
        The models.
    data : DataFrame
        duration, event, covariates.
    until : float
        Last period.

    Returns
    -------
    DataFrame
        model, period, survival; Kaplan-Meier and Cox end with the data.

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(300, seed=1)).data
    >>> fits = cv.lifetime.fit_survival(data, ["kaplan_meier", "sbg"])
    >>> cv.lifetime.mean_curves(fits, data, 12)["period"].max() == 12
    np.True_
    """
    times = np.arange(0, until + 1)
    parts = [
        pd.DataFrame({"model": model, "period": times, "survival": curve(data, times).mean(axis=0)})
        for model, curve in fits.curves.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(ignore_index=True)
