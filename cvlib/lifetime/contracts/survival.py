"""Survival of single subscriptions with covariates: Kaplan-Meier, Cox, Weibull, discrete logit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import Table, load_table
from cvlib.lifetime.contracts.cohorts import curve_value, fit_cohort, grouped_losses
from cvlib.statistics import resample

Array = NDArray[np.float64]
SURVIVAL_MODELS = ("kaplan_meier", "cox", "weibull_aft", "logit", "sbg", "bdw", "geometric")
_COHORT = ("sbg", "bdw", "geometric")


@dataclass(frozen=True)
class Subscriptions:
    """Single subscriptions ready for survival models.

    Attributes
    ----------
    data : DataFrame
        duration (whole periods kept, at least 1), event (1 left, 0 still there), and one numeric
        column per covariate; text columns become 0/1 columns against their most frequent value.
    left_out : DataFrame
        reason, count, share.
    facts : DataFrame
        measure, value.
    """

    data: pd.DataFrame
    left_out: pd.DataFrame
    facts: pd.DataFrame
    warnings: tuple[str, ...]


def prepare_subscriptions(
    table: pd.DataFrame, covariates: Sequence[str], duration: str = "tenure", event: str = "churned"
) -> Subscriptions:
    """Durations, events and coded covariates; rows never at risk or incomplete are counted.

    Parameters
    ----------
    table : DataFrame
        One row per customer.
    covariates : sequence of str
        Columns; numbers are used as they are, anything else is coded.
    duration, event : str
        Periods kept so far and whether the customer has left (true or 1).
    """
    missing = [name for name in (duration, event, *covariates) if name not in table.columns]
    if missing:
        known = [str(name) for name in table.columns]
        raise InputError("covariates", f"no column {missing[0]!r}", nearest(missing[0], known))
    columns: dict[str, Any] = {"duration": table[duration], "event": table[event].astype(float)}
    for name in covariates:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values):
            columns[name] = values.astype(float)
        else:
            known_values = values.dropna().astype(str)
            for value in known_values.value_counts().index[1:]:
                columns[f"{name}: {value}"] = (values == value).astype(float).where(values.notna())
    data = pd.DataFrame(columns)
    never = data["duration"] < 1
    incomplete = data.isna().any(axis=1) & ~never
    reasons = {"not yet one whole period": int(never.sum()), "missing value": int(incomplete.sum())}
    kept = data[~never & ~incomplete].reset_index(drop=True)
    if kept["event"].sum() < 10 or kept["event"].all():
        raise InputError(event, "too few customers left, or all did", "Check the event column.")
    left_out = pd.DataFrame({"reason": list(reasons), "count": list(reasons.values())})
    facts = {
        "customers": len(kept),
        "left": int(kept["event"].sum()),
        "still there (censored)": int((1 - kept["event"]).sum()),
        "longest duration": float(kept["duration"].max()),
        "longest duration of a loss": float(kept.loc[kept["event"] == 1, "duration"].max()),
    }
    return Subscriptions(
        kept,
        left_out.assign(share=left_out["count"] / len(data)),
        pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        (),
    )


def simulated_subscriptions(customers: int, seed: int) -> pd.DataFrame:
    """SIMULATED monthly contracts with the columns of the IBM telco table, for teaching and tests.

    Every customer keeps or ends the contract each month with an own churn probability drawn from
    a beta distribution (sBG) whose mean falls with the length of the contract and rises with the
    charge; 72 months at most are seen, counted from a random start.

    Returns
    -------
    DataFrame
        customerID, tenure, Churn (Yes, No), Contract, InternetService, PaymentMethod,
        MonthlyCharges, SeniorCitizen.
    """
    rng = resample.generator(seed)
    contract = rng.choice(
        ["Month-to-month", "One year", "Two year"], customers, p=[0.55, 0.21, 0.24]
    )
    internet = rng.choice(["Fiber optic", "DSL", "No"], customers, p=[0.44, 0.34, 0.22])
    payment = rng.choice(["Electronic check", "Credit card", "Bank transfer"], customers)
    senior = (rng.random(customers) < 0.16).astype(int)
    base = pd.Series(internet).map({"Fiber optic": 90.0, "DSL": 58.0, "No": 21.0}).to_numpy()
    charge = np.round(base + rng.normal(0, 9, customers), 2)
    effect = pd.Series(contract).map({"Month-to-month": 0.0, "One year": -2.1, "Two year": -3.3})
    score = -3.6 + effect.to_numpy() + 0.012 * (charge - 60) + 0.5 * (payment == "Electronic check")
    mean = 1 / (1 + np.exp(-(score + 0.25 * senior)))
    monthly = np.maximum(rng.beta(mean * 12, (1 - mean) * 12), 1e-9)
    lives = rng.geometric(monthly)
    seen = rng.integers(1, 73, customers)
    return pd.DataFrame(
        {
            "customerID": [f"S{number:05d}" for number in range(1, customers + 1)],
            "tenure": np.minimum(lives, seen),
            "Churn": np.where(lives <= seen, "Yes", "No"),
            "Contract": contract,
            "InternetService": internet,
            "PaymentMethod": payment,
            "MonthlyCharges": charge,
            "SeniorCitizen": senior,
        }
    )


def read_subscriptions(data: str, customers: int, seed: int) -> Table:
    """A table of contracts by name or file; "simulated" draws one and says so."""
    if data != "simulated":
        return load_table(data)
    note = (
        f"The single contracts are SIMULATED ({customers} customers, seed {seed}) with the columns "
        "of the IBM telco table: they show the method and say nothing about any market."
    )
    drawn = simulated_subscriptions(customers, seed)
    return Table(drawn, source="simulated contracts", warnings=(note,))


@dataclass(frozen=True)
class SurvivalFits:
    """Survival models on the same customers.

    Attributes
    ----------
    coefficients : DataFrame
        model, covariate, estimate, std_error, ci_low, ci_high, p: log hazard ratios (cox), log time
        ratios (weibull_aft, column `covariate` also names its parameters), log odds ratios of
        leaving in a month (logit), parameters (sbg, bdw, geometric; p empty).
    fit : DataFrame
        model, measure, value.
    curves : mapping of model to a function (rows, times) giving S(t) with shape (rows, times)
    """

    coefficients: pd.DataFrame
    fit: pd.DataFrame
    curves: dict[str, Callable[[pd.DataFrame, ArrayLike], Array]]
    longest: float
    warnings: tuple[str, ...]


def fit_survival(
    data: pd.DataFrame, models: Sequence[str] = SURVIVAL_MODELS, level: float = 0.95
) -> SurvivalFits:
    """Fit survival models to right-censored durations.

    Parameters
    ----------
    data : DataFrame
        duration, event and covariates, as `prepare_subscriptions` gives them.
    models : sequence of str
        kaplan_meier, sbg, bdw and geometric ignore the covariates; cox (Breslow baseline, Efron
        ties) and weibull_aft come from lifelines; logit is the discrete-time hazard model on
        customer-months with ln t and t (statsmodels).
    level : float
        Of the intervals.

    References
    ----------
    Cox (1972) JRSS B 34:187-220; Efron (1977) JASA 72:557-565; Allison (1982) Sociological
    Methodology 13:61-98 (discrete-time logit).
    """
    fitters = {
        "kaplan_meier": _kaplan_meier,
        "cox": _cox,
        "weibull_aft": _weibull,
        "logit": _logit,
    }
    tables, fits, curves, warnings = [], [], {}, []
    for model in models:
        if model in fitters:
            table, measures, curve, said = fitters[model](data, level)
        elif model in _COHORT:
            table, measures, curve, said = _cohort(data, level, model)
        else:
            raise InputError("models", f"{model!r} unknown", nearest(model, list(SURVIVAL_MODELS)))
        tables.append(table.assign(model=model))
        fits += [
            {"model": model, "measure": name, "value": value} for name, value in measures.items()
        ]
        curves[model] = curve
        warnings += said
    order = ["model", "covariate", "estimate", "std_error", "ci_low", "ci_high", "p"]
    filled = [table for table in tables if len(table)]
    coefficients = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
    longest = float(data["duration"].max())
    return SurvivalFits(
        coefficients.reindex(columns=order), pd.DataFrame(fits), curves, longest, tuple(warnings)
    )


_Fitted = tuple[
    pd.DataFrame, dict[str, float], Callable[[pd.DataFrame, ArrayLike], Array], list[str]
]


def _same_for_all(curve: Callable[[Array], Array]) -> Callable[[pd.DataFrame, ArrayLike], Array]:
    return lambda rows, times: np.tile(curve(np.asarray(times, dtype=float)), (len(rows), 1))


def _kaplan_meier(data: pd.DataFrame, level: float) -> _Fitted:
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter(alpha=1 - level).fit(data["duration"], data["event"])

    def curve(times: Array) -> Array:
        found = fitted.survival_function_at_times(times).to_numpy()
        return np.where(times > data["duration"].max(), np.nan, found)  # undefined beyond the data

    median = float(fitted.median_survival_time_)
    return pd.DataFrame(), {"median_lifetime": median}, _same_for_all(curve), []


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


def _cox(data: pd.DataFrame, level: float) -> _Fitted:
    from lifelines import CoxPHFitter

    fitted = CoxPHFitter(alpha=1 - level).fit(data, "duration", "event")

    base = fitted.baseline_cumulative_hazard_
    steps, total = base.index.to_numpy(dtype=float), base.to_numpy()[:, 0]

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


def _proportional(fitted: Any, data: pd.DataFrame) -> list[str]:
    from lifelines.statistics import proportional_hazard_test

    found = proportional_hazard_test(fitted, data, time_transform="rank").summary["p"]
    broken = [str(name) for name in found.index[found < 0.01 / len(found)]]
    if not broken:
        return []
    names = ", ".join(broken)
    return [
        f"cox: hazards are not proportional for {names} (Grambsch-Therneau, p < .01 corrected)."
    ]


def _weibull(data: pd.DataFrame, level: float) -> _Fitted:
    from lifelines import WeibullAFTFitter

    fitted = WeibullAFTFitter(alpha=1 - level).fit(data, "duration", "event")

    def curve(rows: pd.DataFrame, times: ArrayLike) -> Array:
        at = np.maximum(np.asarray(times, dtype=float), 1e-12)
        return np.asarray(fitted.predict_survival_function(rows, times=at).to_numpy().T)

    measures = {"log_likelihood": float(fitted.log_likelihood_), "aic": float(fitted.AIC_)}
    return _summary(fitted.summary, level), measures, curve, []


def _logit(data: pd.DataFrame, level: float) -> _Fitted:
    from statsmodels.discrete.discrete_model import Logit

    names = [name for name in data.columns if name not in ("duration", "event")]
    centre, scale = data[names].mean(), data[names].std().replace(0, 1.0)
    months = data["duration"].to_numpy(dtype=int)
    row = np.repeat(np.arange(len(data)), months)
    month = np.arange(row.size) - np.repeat(np.cumsum(months) - months, months) + 1.0
    last = month == months[row]
    leaves = np.where(last, data["event"].to_numpy()[row], 0.0)
    longest = float(months.max())

    def design(values: Array, t: Array) -> Array:
        return np.column_stack([np.ones(len(t)), np.log(t), t / longest, values])

    values = ((data[names] - centre) / scale).to_numpy()
    fitted = Logit(leaves, design(values[row], month)).fit(disp=0, maxiter=100)
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
    said = [] if fitted.mle_retvals["converged"] else ["logit: did not converge."]
    return table, measures, curve, said


def _cohort(data: pd.DataFrame, level: float, model: str) -> _Fitted:
    fitted = fit_cohort(grouped_losses(data["duration"], data["event"]), model, level)
    table = fitted.parameters.rename(columns={"parameter": "covariate"})
    measures = fitted.fit.set_index("measure")["value"][["log_likelihood", "aic"]].to_dict()
    return table, measures, _same_for_all(fitted.survival), list(fitted.warnings)


def mean_curves(fits: SurvivalFits, data: pd.DataFrame, until: float) -> pd.DataFrame:
    """Survival averaged over customers, for every model and whole period up to `until`.

    Returns
    -------
    DataFrame
        model, period, survival; Kaplan-Meier and Cox end with the data.
    """
    times = np.arange(0, until + 1)
    parts = [
        pd.DataFrame({"model": model, "period": times, "survival": curve(data, times).mean(axis=0)})
        for model, curve in fits.curves.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(ignore_index=True)


def _average(
    curve: Callable[[pd.DataFrame, ArrayLike], Array], data: pd.DataFrame
) -> Callable[[ArrayLike], Array]:
    return lambda times: np.asarray(curve(data, times).mean(axis=0))


@dataclass(frozen=True)
class SubscriptionValue:
    """What an average new contract is worth by every model.

    Attributes
    ----------
    value : DataFrame
        model, lifetime_value, within_data, share_beyond_data, at_horizon. Kaplan-Meier and Cox
        have no curve beyond the data: there only `within_data` is given.
    sentence : str
        How far models that agree within the data differ beyond it.
    margin, annual_rate, periods_per_year, horizon, payment
        What the values assume.
    """

    value: pd.DataFrame
    sentence: str
    margin: float
    annual_rate: float
    periods_per_year: float
    horizon: int
    payment: str
    warnings: tuple[str, ...] = ()


def subscription_value(
    fits: SurvivalFits,
    data: pd.DataFrame,
    *,
    margin: float,
    annual_rate: float,
    periods_per_year: float = 12.0,
    horizon: int = 600,
    payment: str = "begin",
) -> SubscriptionValue:
    """Lifetime value of an average new customer by every model, and the share beyond the data."""
    rows = []
    for model, curve in fits.curves.items():
        ends = model in ("kaplan_meier", "cox")
        found = curve_value(
            _average(curve, data),
            margin=margin,
            annual_rate=annual_rate,
            observed=fits.longest,
            periods_per_year=periods_per_year,
            horizon=int(fits.longest) + (payment == "begin") if ends else horizon,
            payment=payment,
        )
        if ends:
            found = {"within_data": found["within_data"]}
        rows.append({"model": model} | found)
    columns = ["model", "lifetime_value", "within_data", "share_beyond_data", "at_horizon"]
    value = pd.DataFrame(rows).reindex(columns=columns)
    return SubscriptionValue(
        value, _value_sentence(value), margin, annual_rate, periods_per_year, horizon, payment
    )


def _value_sentence(value: pd.DataFrame) -> str:
    whole = value.dropna(subset="lifetime_value")
    within, total = value["within_data"], whole["lifetime_value"]
    known = f"Within the data a new contract is worth {within.min():,.0f} to {within.max():,.0f} by"
    if not len(whole):
        return f"{known} every model; none of them reaches beyond the data."
    return (
        f"{known} every model; with the years beyond, {total.min():,.0f} to {total.max():,.0f}, "
        f"of which {whole['share_beyond_data'].min():.0%} to "
        f"{whole['share_beyond_data'].max():.0%} cannot be checked."
    )
