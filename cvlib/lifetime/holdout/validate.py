"""A lifetime model judged on a holdout, beside every rival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.forecast import (
    Array,
    Forecast,
    Rivals,
    customer_rows,
    hiatus_of,
)
from cvlib.lifetime.holdout.scores import oracle, scores
from cvlib.lifetime.holdout.uncertainty import FEWEST_EITHER, uncertainty, way_of
from cvlib.lifetime.holdout.verdict import (
    at_other_cuts,
    judged,
    quiet_customers,
    recommendation,
    verdict,
)
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import MODELS, RepeatBuyingFit, fit_repeat_buying
from cvlib.results import Result
from cvlib.statistics import forecasts as forecast_tables
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Result):
    """A holdout comparison.

    Attributes
    ----------
    validation : DataFrame
        model, metric, value, ci_low, ci_high. Metrics as in `metrics.DEFINITIONS`; `auc` scores
        the probability of a purchase, `auc_expected` the expected purchases (both the only score
        there is); the prefix `spend_` marks forecasts of money. Model `oracle` is the ceiling.
    differences : DataFrame
        model, rival, metric, difference, ci_low, ci_high, p of every metric both have; of those
        judged together (`uncertainty.FAMILY`) also joint_low, joint_high (simultaneous, by the
        largest |t|), p_adjusted (Holm) and better.
    calibration : DataFrame
        model, bin, n, mean_probability, observed, ci_low, ci_high.
    decomposition : DataFrame
        model, component, value (Murphy).
    by_frequency, by_recency : DataFrame
        Mean outcome and forecast by repeat purchases (0 … 7+) and by fifths of recency:
        frequency or recency, customers, actual, model, expected.
    quiet : DataFrame
        Forecast and outcome of repeat buyers silent longest, see `verdict.quiet_customers`.
    verdict : DataFrame
        finding: where the model beats its rivals and where it does not.
    recommendation : DataFrame
        job, model, metric, value: the best of the race at each job.
    bootstrap : Bootstrap
        Behind the intervals.
    """

    validation: pd.DataFrame
    differences: pd.DataFrame
    calibration: pd.DataFrame
    decomposition: pd.DataFrame
    by_frequency: pd.DataFrame
    by_recency: pd.DataFrame
    quiet: pd.DataFrame
    verdict: pd.DataFrame
    bootstrap: Bootstrap
    warnings: tuple[str, ...] = ()
    recommendation: pd.DataFrame = field(default_factory=pd.DataFrame)
    intervals: str = "resample"
    headline_tables = ("validation", "verdict")
    charts: ClassVar[dict[str, str]] = {
        "auc": "cvlib.figures.lifetime:score_plot",
        "calibration": "cvlib.figures.lifetime:calibration_plot",
        "by_frequency": "cvlib.figures.lifetime:conditional_expectation_plot",
    }

    @property
    def model(self) -> str:
        """The model that was judged."""
        return str(self.validation["model"].iloc[0])

    def sentences(self) -> list[str]:
        return list(self.verdict["finding"])

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        named = {"language": language, "label": self._words(language).cell}
        if name == "auc":
            return {"validation": self.validation, **named}
        shown = [self.model, f"{self.model}_p_alive", "logit"]
        if name == "calibration":
            return {"table": self.calibration, "models": shown, **named}
        return {"table": self.by_frequency, "models": [self.model, "nbd", "cell_means"], **named}

    def value(self, model: str, metric: str) -> float | None:
        """One number of `validation`; None where the model has no such forecast."""
        table = self.validation
        found = table.loc[(table["model"] == model) & (table["metric"] == metric), "value"]
        return float(found.iloc[0]) if len(found) else None

    def scores(self, *chosen: str) -> pd.DataFrame:
        """These metrics side by side, one row a model, models without any of them left out."""
        part = self.validation[self.validation["metric"].isin(chosen)]
        wide = part.pivot(index="model", columns="metric", values="value")
        order = [model for model in self.validation["model"].unique() if model in wide.index]
        columns = [name for name in chosen if name in wide]
        return wide.reindex(index=order, columns=columns).rename_axis(columns=None).reset_index()

    def confirmed(self, rolled: pd.DataFrame) -> Validation:
        """The same, each win and loss held against other cuts.

        Parameters
        ----------
        rolled : DataFrame
            calibration_end, model, metric, value of every model and rival, as `rolling_origins`
            gives them. A win or loss with another sign at any cut is told as of this cut only.
        """
        table = at_other_cuts(self.differences, rolled, self.model)
        told = verdict(self.validation, table, self.quiet, self.bootstrap.level)
        return replace(self, differences=table, verdict=told)

    def level_sentence(self) -> Message:
        """How far the total of expected purchases is off."""
        return message("lifetime.holdout_level", bias=self.value(self.model, "bias"))

    def ranking_sentence(self) -> Message:
        """How well the probability of a purchase ranks active customers, beside recency."""
        return self._areas("ranking", self.value("recency", "auc"))

    def alive_sentence(self) -> Message:
        """How well P(alive) would do as the churn score."""
        return self._areas("alive", self.value(f"{self.model}_p_alive", "auc"))

    def _areas(self, kind: str, other: float | None) -> Message:
        own = self.value(self.model, "auc")
        if own is None or other is None:
            return message("lifetime.holdout_no_contrast")
        return message(f"lifetime.holdout_{kind}", own=own, other=other)


def model_forecasts(
    fit: RepeatBuyingFit, summary: PurchaseSummary, expected_spend: Array | None = None
) -> tuple[Forecast, Forecast]:
    """A fitted model's own forecast of the holdout, and its P(alive) taken as one.

    Parameters
    ----------
    fit, summary : RepeatBuyingFit, PurchaseSummary
        Model and the split it was fitted on.
    expected_spend : array, shape (customers,), optional
        Expected spend per purchase (Gamma-Gamma); gives the forecast of money.

    Returns
    -------
    tuple of two Forecast
        The forecast, and P(alive).

    Raises
    ------
    InputError
        A summary whose customers were written to a file.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> own = cv.lifetime.model_forecasts(cv.lifetime.bg_nbd(p).fit, p)
    >>> [each.model for each in own]
    ['bg_nbd', 'bg_nbd_p_alive']
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
) -> Rivals:
    """Fit further models to the same split: the forecast and the P(alive) of each.

    A model that cannot be fitted is left out, and the warnings say why.

    Parameters
    ----------
    summary : PurchaseSummary
        The split.
    models : sequence of str
        See `fit_repeat_buying`.
    expected_spend : array, shape (customers,), optional
        Expected spend per purchase; gives the forecasts of money.

    Returns
    -------
    Rivals
        Of its forecasts two per model: its own, and its P(alive) taken as one.

    Raises
    ------
    InputError
        A model that is not known.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> [each.model for each in cv.lifetime.fitted_forecasts(p, ["nbd"]).forecasts]
    ['nbd', 'nbd_p_alive']
    """
    for model in models:  # a misspelt name is no model that fails
        one_of("other_models", model, MODELS)
    found: list[Forecast] = []
    fits: list[RepeatBuyingFit] = []
    warnings: list[Message] = []
    for model in models:
        try:
            fit = fit_repeat_buying(summary, model)
            found += model_forecasts(fit, summary, expected_spend)
            fits.append(fit)
        except (InputError, ArithmeticError, np.linalg.LinAlgError) as error:
            why = str(error).rstrip(".")
            warnings.append(message("lifetime.rival_left_out", model=model, reason=why))
    return Rivals(tuple(found), pd.DataFrame(), tuple(warnings), tuple(fits))


def validate(
    customers: pd.DataFrame,
    forecasts: Sequence[Forecast],
    bootstrap: Bootstrap | None = None,
    warnings: Sequence[str] = (),
    intervals: str = "",
) -> Validation:
    """Compare forecasts with the holdout, with intervals over the choice of customers.

    Parameters
    ----------
    customers : DataFrame
        Of a purchase summary: x, t_x, T, holdout_purchases, holdout_spend.
    forecasts : sequence of Forecast
        The model to be judged first; then its P(alive) and the rivals. Of forecasts with the
        same name the first counts.
    bootstrap : Bootstrap, optional
        Of the customers; no draws give values without intervals. The fits are held fixed:
        intervals are of the comparison, not of the estimates.
    warnings : sequence of str
        Of how the forecasts were made, kept with the result.
    intervals : {"", "resample", "influence"}
        By resampling the customers, or in one pass from each customer's influence; empty:
        resampling up to 20,000 customers.

    Returns
    -------
    Validation
        Metrics with intervals, paired differences, calibration, a verdict.

    Raises
    ------
    InputError
        When nobody bought in the holdout. When everybody did, probabilities and rankings of
        activity are left out.

    References
    ----------
    Murphy (1973), Journal of Applied Meteorology 12(4):595-600 (parts of the Brier score); Cox
    (1958), Biometrika 45:562-565 (calibration).

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> own = cv.lifetime.model_forecasts(cv.lifetime.bg_nbd(p).fit, p)
    >>> found = cv.lifetime.validate(p.customers, own, cv.lifetime.Bootstrap(draws=0))
    >>> found.validation["model"].unique().tolist()
    ['bg_nbd', 'bg_nbd_p_alive', 'oracle']
    """
    settings = bootstrap or Bootstrap()
    bought = customers["holdout_purchases"].to_numpy(dtype=float)
    # returns can outweigh purchases; such customers count as spending nothing
    spent = np.maximum(customers["holdout_spend"].to_numpy(dtype=float), 0)
    if not (bought > 0).any():
        raise InputError(
            "holdout_end", message("refusals.nobody_bought_in_the_holdout"),
            message("refusals.choose_an_earlier_calibration_end"),
        )  # fmt: skip
    said = [*warnings, *_about(customers)]
    first: dict[str, Forecast] = {}
    for one in forecasts:
        first.setdefault(one.model, one)  # one of a name; the model to be judged stays in front
    forecasts = list(first.values())
    if (bought > 0).all():
        forecasts = [replace(f, probability=None, score=None) for f in forecasts]
        forecasts = [f for f in forecasts if f.expected is not None or f.spend is not None]
        said.append(message("lifetime.holdout_all_active"))
    focal, way = forecasts[0].model, way_of(intervals, bought.size)
    values = {f.model: scores(f, bought, spent) for f in forecasts}
    known = uncertainty(forecasts, bought, spent, values, settings, way)
    values["oracle"] = oracle(bought, spent)
    none = {"ci_low": None, "ci_high": None}
    table = pd.DataFrame(
        [
            {"model": m, "metric": k, "value": float(values[m][k][0])}
            | known.values.get((m, k), none)
            for m in values
            for k in values[m]
        ]
    )
    few = min(int((bought > 0).sum()), int((bought == 0).sum()))
    if few < FEWEST_EITHER:
        said.append(message("lifetime.holdout_too_few", few=few, fewest=FEWEST_EITHER))
    differences = judged(values, known, focal, settings.level, tested=few >= FEWEST_EITHER)
    calibration, decomposition = _probable(forecasts, bought, settings.level)
    hiatus = hiatus_of(customers)
    frequency = customers["x"].clip(upper=7).astype(int).astype(str).replace("7", "7+")
    fifths = pd.qcut(hiatus, 5, duplicates="drop", precision=1).astype(str)
    fifths = np.char.replace(np.asarray(fifths, dtype=str), "(-0.1,", "[0.0,")
    quiet = pd.DataFrame()
    if forecasts[0].expected is not None:
        quiet = quiet_customers(customers, hiatus, forecasts[0].expected, settings.level)
    return Validation(
        table,
        differences,
        calibration,
        decomposition,
        _conditional(frequency.to_numpy(), "frequency", bought, forecasts),
        _conditional(np.asarray(fifths), "recency", bought, forecasts),
        quiet,
        verdict(table, differences, quiet, settings.level),
        settings,
        tuple(said),
        recommendation(table, differences),
        way,
    )


_FEW = 100  # customers below which a comparison says little


def _about(customers: pd.DataFrame) -> list[Message]:
    found = []
    if len(customers) < _FEW:
        found.append(message("lifetime.holdout_few_customers", customers=len(customers)))
    count = int((customers["holdout_spend"] < 0).sum())
    if count:
        found.append(message("lifetime.holdout_returned_more", count=count))
    return found


def _probable(
    forecasts: Sequence[Forecast], bought: Array, level: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibration in bins and Murphy's decomposition of every forecast that has probabilities."""
    active = (bought > 0).astype(float)
    bins, parts = [], []
    for forecast in forecasts:
        if forecast.probability is None or forecast.model.startswith("hiatus"):
            continue
        table = forecast_tables.calibration_table(active, forecast.probability, level=level)
        bins.append(table.assign(model=forecast.model)[["model", *table.columns]])
        table = forecast_tables.murphy_decomposition(active, forecast.probability)
        parts.append(table.assign(model=forecast.model)[["model", "component", "value"]])
    if not bins:
        return pd.DataFrame(), pd.DataFrame()
    return pd.concat(bins, ignore_index=True), pd.concat(parts, ignore_index=True)


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
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    if name == "recency":  # intervals such as (3.1, 12.0], in numerical order
        place = table[name].str.extract(r"([\d.]+)")[0].astype(float)
        table = table.assign(place=place).sort_values(["model", "place"], ignore_index=True)
    return table[[name, "customers", "actual", "model", "expected"]]
