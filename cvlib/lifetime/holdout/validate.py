"""Validates a lifetime model on a holdout, beside every rival, and says in words who wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout import metrics
from cvlib.lifetime.holdout.baselines import Array, Forecast, customer_rows, hiatus_of
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit, fit_repeat_buying
from cvlib.statistics import resample

_CEILING = ("capture_10", "capture_20", "lift_10", "hit_rate_10", "hit_rate_20")


@dataclass(frozen=True)
class Validation:
    """A holdout comparison.

    Attributes
    ----------
    validation : DataFrame
        model, metric, value, ci_low, ci_high. Metrics as in `metrics.DEFINITIONS`; `auc` scores
        the probability of a purchase, `auc_expected` the expected purchases (both the only score
        there is); the prefix `spend_` marks forecasts of money. Model `oracle` is the ceiling.
    differences : DataFrame
        model, rival, metric, difference, ci_low, ci_high: paired over the same resamples.
    calibration : DataFrame
        model, bin, n, mean_probability, observed, ci_low, ci_high.
    decomposition : DataFrame
        model, component, value (Murphy).
    by_frequency, by_recency : DataFrame
        Mean outcome and forecast by repeat purchases (0 … 7+) and by fifths of recency:
        frequency or recency, customers, actual, model, expected.
    verdict : DataFrame
        finding: where the model beats recency and the other rivals and where it does not.
    draws, seed, level
        Of the bootstrap behind the intervals.
    """

    validation: pd.DataFrame
    differences: pd.DataFrame
    calibration: pd.DataFrame
    decomposition: pd.DataFrame
    by_frequency: pd.DataFrame
    by_recency: pd.DataFrame
    verdict: pd.DataFrame
    warnings: tuple[str, ...]
    draws: int
    seed: int
    level: float

    def value(self, model: str, metric: str) -> float:
        """One number of `validation`."""
        return _value(self.validation, model, metric)


def model_forecasts(
    fit: RepeatBuyingFit, summary: PurchaseSummary, expected_spend: Array | None = None
) -> tuple[Forecast, Forecast]:
    """A fitted model's own forecast of the holdout, and its P(alive) taken as one.

    Parameters
    ----------
    fit, summary
        Model and the split it was fitted on.
    expected_spend : array, shape (customers,), optional
        Expected spend per purchase (Gamma-Gamma); gives the forecast of money.
    """
    history = [customer_rows(summary)[name].to_numpy(dtype=float) for name in ("x", "t_x", "T")]
    expected = fit.expected_purchases(summary.holdout, *history)
    own = Forecast(
        fit.model,
        expected=expected,
        probability=fit.probability_of_purchase(summary.holdout, *history),
        spend=None if expected_spend is None else expected * expected_spend,
    )
    return own, Forecast(f"{fit.model}_p_alive", probability=fit.p_alive(*history))


def fitted_forecasts(
    summary: PurchaseSummary, models: Sequence[str], expected_spend: Array | None = None
) -> tuple[Forecast, ...]:
    """Fit further models to the same split: the forecast and the P(alive) of each."""
    fits = [fit_repeat_buying(summary, model) for model in models]
    return tuple(f for fit in fits for f in model_forecasts(fit, summary, expected_spend))


def _scores(
    forecast: Forecast, bought: Array, spent: Array, counts: Array | None
) -> dict[str, Array]:
    active = (bought > 0).astype(float)
    found: dict[str, Array] = {}
    if forecast.expected is not None:
        found |= metrics.amount_metrics(bought, forecast.expected, counts)
        found["auc_expected"] = metrics.area_under_curve(active, forecast.expected, counts)["auc"]
    if forecast.probability is not None:
        found |= metrics.probability_metrics(active, forecast.probability, counts)
    if forecast.score is not None:
        found |= metrics.ranking_metrics(bought, forecast.score, counts)
        found |= metrics.area_under_curve(active, forecast.score, counts)
        found["auc_expected"] = found["auc"]
    if forecast.spend is not None:
        money = metrics.amount_metrics(spent, forecast.spend, counts)
        found |= {f"spend_{name}": value for name, value in money.items()}
    return found


def _oracle(bought: Array, spent: Array, counts: Array | None) -> dict[str, Array]:
    own = metrics.ranking_metrics(bought, bought, counts)
    money = metrics.ranking_metrics(spent, spent, counts)
    return {name: own[name] for name in _CEILING} | {f"spend_{n}": money[n] for n in _CEILING}


def validate(
    customers: pd.DataFrame,
    forecasts: Sequence[Forecast],
    *,
    draws: int = 500,
    seed: int = resample.SEED,
    level: float = 0.95,
) -> Validation:
    """Compare forecasts with the holdout, with customer-bootstrap intervals.

    Parameters
    ----------
    customers : DataFrame
        Of a purchase summary: x, t_x, T, holdout_purchases, holdout_spend.
    forecasts : sequence of Forecast
        The model to be judged first; then its P(alive) and the rivals. Of forecasts with the
        same name the first counts.
    draws : int
        Bootstrap samples of customers; 0 gives values without intervals. The fits are held
        fixed: intervals are of the comparison, not of the estimates.
    seed : int
        Of the resampling.
    level : float
        Of the percentile intervals.
    """
    bought = customers["holdout_purchases"].to_numpy(dtype=float)
    # returns can outweigh purchases; such customers count as spending nothing
    spent = np.maximum(customers["holdout_spend"].to_numpy(dtype=float), 0)
    if (bought > 0).all() or not (bought > 0).any():
        raise InputError(
            "holdout_end",
            "everybody or nobody bought in the holdout, so there is nobody to tell apart",
            "Choose another holdout.",
        )
    forecasts = list({f.model: f for f in reversed(forecasts)}.values())[::-1]  # one of a name
    focal = forecasts[0].model
    values = {f.model: _scores(f, bought, spent, None) for f in forecasts}
    values["oracle"] = _oracle(bought, spent, None)
    keys = [(model, metric) for model in values for metric in values[model]]
    drawn: dict[tuple[str, str], list[Array]] = {key: [] for key in keys}
    for counts in resample.multinomial(len(customers), draws, seed):
        # a sample without an active customer has no AUC; such draws are left out of the interval
        with np.errstate(divide="ignore", invalid="ignore"):
            for forecast in forecasts:
                for metric, value in _scores(forecast, bought, spent, counts).items():
                    drawn[forecast.model, metric].append(value)
            for metric, value in _oracle(bought, spent, counts).items():
                drawn["oracle", metric].append(value)
    samples = {key: np.concatenate(parts) for key, parts in drawn.items() if parts}
    table = pd.DataFrame(
        [
            {"model": m, "metric": k, "value": float(values[m][k][0])}
            | _interval(samples.get((m, k)), level)
            for m, k in keys
        ]
    )
    differences = pd.DataFrame(
        [
            {
                "model": focal,
                "rival": m,
                "metric": k,
                "difference": float(values[focal][k][0] - values[m][k][0]),
            }
            | _interval(samples[focal, k] - samples[m, k] if samples else None, level)
            for m, k in keys
            if m not in (focal, "oracle") and k in values[focal]
        ]
    )
    probable = [
        f for f in forecasts if f.probability is not None and not f.model.startswith("hiatus")
    ]
    active = (bought > 0).astype(float)
    calibration = pd.concat(
        [
            metrics.calibration_table(active, f.probability, level=level).assign(model=f.model)
            for f in probable
            if f.probability is not None
        ],
        ignore_index=True,
    )
    decomposition = pd.concat(
        [
            metrics.murphy_decomposition(active, f.probability).assign(model=f.model)
            for f in probable
            if f.probability is not None
        ],
        ignore_index=True,
    )
    frequency = customers["x"].clip(upper=7).astype(int).astype(str).replace("7", "7+")
    fifths = pd.qcut(hiatus_of(customers), 5, duplicates="drop", precision=1).astype(str)
    fifths = np.char.replace(np.asarray(fifths, dtype=str), "(-0.1,", "[0.0,")
    warnings: tuple[str, ...] = ()
    if (customers["holdout_spend"] < 0).any():
        count = int((customers["holdout_spend"] < 0).sum())
        warnings = (f"{count} customers returned more than they bought in the holdout; counted 0.",)
    return Validation(
        table,
        differences,
        calibration[["model", *calibration.columns.drop("model")]],
        decomposition[["model", "component", "value"]],
        _conditional(frequency.to_numpy(), "frequency", bought, forecasts),
        _conditional(np.asarray(fifths), "recency", bought, forecasts),
        pd.DataFrame({"finding": verdict(table, differences, focal)}),
        warnings,
        draws,
        seed,
        level,
    )


def _value(table: pd.DataFrame, model: str, metric: str) -> float:
    return float(
        table.loc[(table["model"] == model) & (table["metric"] == metric), "value"].iloc[0]
    )


def scorecard(validation: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    """The chosen metrics side by side, one row a model, models without any of them left out."""
    part = validation[validation["metric"].isin(chosen)]
    wide = part.pivot(index="model", columns="metric", values="value")
    order = [model for model in validation["model"].unique() if model in wide.index]
    return wide.reindex(index=order, columns=list(chosen)).rename_axis(columns=None).reset_index()


def _interval(draws: Array | None, level: float) -> dict[str, float | None]:
    if draws is None or not np.isfinite(draws).any():
        return {"ci_low": None, "ci_high": None}
    low, high = resample.percentile_limits(draws, level, nan_policy="omit")
    return {"ci_low": float(low), "ci_high": float(high)}


def _conditional(
    group: Array, name: str, bought: Array, forecasts: Sequence[Forecast]
) -> pd.DataFrame:
    parts = []
    for forecast in forecasts:
        if forecast.expected is not None:
            rows = pd.DataFrame({name: group, "actual": bought, "expected": forecast.expected})
            means = rows.groupby(name).agg(
                customers=("actual", "size"),
                actual=("actual", "mean"),
                expected=("expected", "mean"),
            )
            parts.append(means.reset_index().assign(model=forecast.model))
    table = pd.concat(parts, ignore_index=True)
    if name == "recency":  # intervals such as (3.1, 12.0], in numerical order
        place = table[name].str.extract(r"([\d.]+)")[0].astype(float)
        table = table.assign(place=place).sort_values(["model", "place"], ignore_index=True)
    return table[[name, "customers", "actual", "model", "expected"]]


def verdict(table: pd.DataFrame, differences: pd.DataFrame, model: str) -> tuple[str, ...]:
    """Where the model beats recency and other rules, where not; one sentence a point.

    "Better" and "worse" are said only when the paired interval leaves out zero.
    """
    value = table.set_index(["model", "metric"])["value"]
    pairs = differences.set_index(["rival", "metric"])

    def against(rival: str, metric: str, what: str, digits: str = ".3f") -> str:
        row, high_is_good = pairs.loc[(rival, metric)], metric in _HIGH_IS_GOOD
        numbers = f"{value[model, metric]:{digits}} against {value[rival, metric]:{digits}}"
        if row["ci_low"] is None or pd.isna(row["ci_low"]):
            return f"{what}: {numbers} for {rival} (no interval asked for)."
        span = f"difference {row['ci_low']:+{digits}} to {row['ci_high']:+{digits}}"
        better = row["ci_low"] > 0 if high_is_good else row["ci_high"] < 0
        worse = row["ci_high"] < 0 if high_is_good else row["ci_low"] > 0
        word = "beats" if better else "is beaten by" if worse else "cannot be told from"
        return f"{what}: {model} {word} {rival}, {numbers} ({span})."

    said = []
    for rival, metric, what, digits in _POINTS:
        if (rival, metric) in pairs.index and (model, metric) in value.index:
            said.append(against(rival, metric, what, digits))
    if (model, "bias") in value.index:
        others = [r for r in ("repeat_rate", "nbd") if (r, "bias") in value.index]
        rest = ", ".join(f"{r} {value[r, 'bias']:+.1%}" for r in others)
        said.append(
            f"Level of all purchases: {model} is {value[model, 'bias']:+.1%} off the total"
            + (f" ({rest})." if rest else ".")
        )
    if (model, "brier_skill") in value.index:
        slope = ""
        if (model, "calibration_slope") in value.index:
            slope = f"; calibration slope {value[model, 'calibration_slope']:.2f}, ideal 1"
        said.append(
            f"Probabilities: {model} takes {value[model, 'brier_skill']:.0%} off the Brier score "
            "of the base rate" + slope + "."
        )
    alive = f"{model}_p_alive"
    if (alive, "auc") in value.index:
        auc = value[alive, "auc"]
        word = "worse than a coin" if auc < 0.5 else f"{value[model, 'auc'] - auc:+.3f} below it"
        word = word if auc < value[model, "auc"] else "no worse here"
        said.append(
            f"P(alive) as a churn score: area under the curve {auc:.3f}, {word}; the probability "
            f"of a purchase in the period reaches {value[model, 'auc']:.3f}."
        )
    return tuple(said)


_HIGH_IS_GOOD = {"auc", "auc_expected", "capture_10", "spend_capture_10", "hit_rate_10", "accuracy"}
_POINTS = (
    ("recency", "auc", "Who stays active, by probability (area under the curve)", ".3f"),
    ("recency", "auc_expected", "Who stays active, by expected purchases (same)", ".3f"),
    ("recency", "capture_10", "Share of purchases by the chosen 10 %", ".3f"),
    ("last_period", "hit_rate_10", "True best 10 % found", ".3f"),
    ("hiatus", "accuracy", "Customers classified rightly", ".3f"),
    ("hiatus_six_months", "accuracy", "Customers classified rightly", ".3f"),
    ("logit", "brier", "Brier score of activity", ".4f"),
    ("repeat_rate", "rmse", "Error of purchases (root mean square)", ".3f"),
    ("past_repeat_spend", "spend_rmse", "Error of spend (root mean square)", ".2f"),
    ("past_repeat_spend", "spend_capture_10", "Share of spend by the chosen 10 %", ".3f"),
)
