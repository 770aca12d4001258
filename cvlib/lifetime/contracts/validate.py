"""Survival models judged on customers they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cvlib.inputs.audit import TOO_GOOD
from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.metrics import (
    Array,
    Censoring,
    auc_over_time,
    brier_contributions,
    calibration_by_risk,
    censoring,
    concordance,
    d_calibration,
)
from cvlib.lifetime.contracts.survival import SurvivalFits, fit_survival
from cvlib.lifetime.contracts.terms import ContractTerms, lifetime_value_error, observed_survival
from cvlib.results import Result
from cvlib.statistics.resample import FEWEST, Bootstrap, generator, percentile_limits
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class SurvivalValidation(Result):
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
    fits : SurvivalFits or None
        Of the customers fitted on; None when nothing could be judged. The tables are then without
        columns, and `sentence` says why.
    sentence : Message
        Which model forecasts best, and whether that is more than chance.
    warnings : tuple of str
    fitted, held_out : int
        Customers the models were fitted to and judged on.
    valued_until : int
        Last period in the sum behind clv_error: the last loss among those held out, or the end of
        the fitted curves when that comes first.
    bootstrap : Bootstrap
        Of the split and of the intervals.
    """

    validation: pd.DataFrame
    differences: pd.DataFrame
    over_time: pd.DataFrame
    calibration: pd.DataFrame
    fits: SurvivalFits | None
    sentence: Message
    fitted: int
    held_out: int
    valued_until: int
    bootstrap: Bootstrap
    warnings: tuple[str, ...] = ()
    headline_tables = ("validation", "differences")

    @property
    def smallest_error(self) -> float | None:
        """Smallest integrated Brier score; None when nothing was judged."""
        table = self.validation
        if not len(table):
            return None
        return float(table.loc[table["metric"] == "integrated_brier", "value"].min())

    def scores(self, *metrics: str) -> pd.DataFrame:
        """These metrics side by side, one row a model."""
        if not len(self.validation):
            return pd.DataFrame()
        part = self.validation[self.validation["metric"].isin(metrics)]
        wide = part.pivot(index="model", columns="metric", values="value")
        known = [name for name in metrics if name in wide]
        order = [model for model in self.validation["model"].unique() if model in wide.index]
        return wide.reindex(index=order, columns=known).rename_axis(columns=None).reset_index()

    def errors_of_value(self) -> pd.DataFrame:
        """The rows of `validation` on the value of a new contract."""
        if not len(self.validation):
            return pd.DataFrame()
        return self.validation[self.validation["metric"].isin(["clv_error", "clv_error_share"])]


@dataclass(frozen=True)
class _HeldOut:
    """The customers held out and what is the same for every model."""

    data: pd.DataFrame
    time: Array
    left: Array
    weights: Censoring
    last: float
    grid: Array
    middle: float
    counts: Array  # how often each customer is in each sample; the first row is the sample itself
    observed: Array  # Kaplan-Meier of each sample over `periods`
    periods: Array


def validate_survival(
    data: pd.DataFrame,
    models: Sequence[str],
    *,
    horizons: Sequence[float] = (),
    test_share: float = 0.3,
    terms: ContractTerms | None = None,
    bootstrap: Bootstrap | None = None,
) -> SurvivalValidation:
    """Fit on a random part of the customers, judge on the rest, with bootstrap intervals.

    A table of contracts has no dates, so the cut is by customer, not by time: it tells how well
    the models describe customers like these, not how well they forecast a later year. With fewer
    than ten losses on either side nothing is judged, and the sentence says so. Where some contracts
    are older than their observation, those held out are contracts seen from their first period.

    Parameters
    ----------
    data : DataFrame
        duration, event, covariates.
    models : sequence of str
        See `fit_survival`; the first that can be fitted is the rival of the paired differences
        (Kaplan-Meier is the benchmark without covariates).
    horizons : sequence of float
        Periods at which AUC(t), Brier(t) and, at the middle one, calibration are given. Empty: a
        sixth, a third and a half of the longest duration.
    test_share : float
        Share of customers held out.
    terms : ContractTerms, optional
        Of the lifetime value in clv_error, see `lifetime_value_error`: S is Kaplan-Meier of the
        customers held out, Ŝ the mean forecast of the same customers.
    bootstrap : Bootstrap, optional
        The split, and the held-out customers for the intervals of the concordance, the integrated
        Brier score and the error of the lifetime value.

    Returns
    -------
    SurvivalValidation
        Metrics with intervals, over time, calibration, a sentence.

    Raises
    ------
    InputError
        Horizons, folds or models that cannot be used.

    References
    ----------
    Uno, Cai, Pencina, D'Agostino & Wei (2011), Statistics in Medicine 30(10):1105-1117; Graf,
    Schmoor, Sauerbrei & Schumacher (1999), Statistics in Medicine 18:2529-2545 (Brier score
    under censoring).

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(300, seed=1)).data
    >>> found = cv.lifetime.validate_survival(data, ["kaplan_meier", "cox"],
    ...                                      bootstrap=cv.lifetime.Bootstrap(draws=0))
    >>> found.validation["model"].unique().tolist()
    ['kaplan_meier', 'cox']
    """
    given, settings = terms or ContractTerms(), bootstrap or Bootstrap(draws=100)
    number("test_share", test_share, 0, 1, ends="()", remedy="0.3 is usual.")
    if not len(horizons):
        longest = float(data["duration"].max())
        horizons = sorted({max(round(longest / part), 1) for part in (6, 3, 2)})
    if not all(float(h) > 0 for h in horizons):
        raise InputError(
            "horizons",
            message("refusals.is_not_periods_ahead", value=list(horizons)),
            message("refusals.give_periods_above"),
        )
    rng = generator(settings.seed)
    order = rng.permutation(len(data))
    cut = round(test_share * len(data))
    test, train = data.iloc[order[:cut]], data.iloc[order[cut:]]
    if "entry" in data:  # measures from the first period on need contracts seen from there
        test = test[test["entry"] == 0]
    losses = [int(part["event"].sum()) for part in (train, test)]
    latest = min(test.loc[test["event"] == 1, "duration"].max(), train["duration"].max()) - 1
    if min(losses) < _FEWEST or not latest >= 2:
        return _not_judged(len(train), len(test), losses, settings)
    fits = fit_survival(train, models, settings.level)
    held = _held_out(test, train, horizons, settings, rng)
    parts = {model: _judged(curve, held, horizons, given) for model, curve in fits.curves.items()}
    rows = [
        # one curve for all has C = ½ in every resample, which is no interval
        [
            *(model, metric, part.single[metric]),
            *_limits(part.drawn.get(metric, []), settings.level, constant=metric != "uno_c"),
        ]
        for model, part in parts.items()
        for metric in part.single
        if metric != "clv_error_size"
    ]
    validation = pd.DataFrame(rows, columns=["model", "metric", "value", "ci_low", "ci_high"])
    tables = [
        p.calibration.assign(model=m, period=held.middle)
        for m, p in parts.items()
        if len(p.calibration)
    ]
    rival = next(iter(parts))
    first = parts[rival]
    pairs = [
        [
            *(model, rival, metric, part.single[metric] - first.single[metric]),
            *_limits(part.drawn[metric] - first.drawn[metric], settings.level),
        ]
        for model, part in parts.items()
        if model != rival
        for metric in ("uno_c", "integrated_brier", "clv_error_size")
    ]
    differences = pd.DataFrame(
        pairs, columns=["model", "rival", "metric", "difference", "ci_low", "ci_high"]
    )
    beyond = [float(h) for h in horizons if h > held.last]
    said: list[Message] = []
    if beyond:
        said.append(
            message("lifetime.horizons_beyond", horizons=[f"{h:g}" for h in beyond], last=held.last)
        )
    best = max(part.single["uno_c"] for part in parts.values())
    if best > TOO_GOOD:
        said.append(message("lifetime.contracts_too_good", concordance=best, limit=TOO_GOOD))
    return SurvivalValidation(
        validation,
        differences,
        pd.concat([p.over_time.assign(model=m) for m, p in parts.items()], ignore_index=True)[
            ["model", "period", "brier", "auc"]
        ],
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(),
        fits,
        best_forecast(validation, differences, settings.draws),
        len(train),
        len(test),
        int(held.periods[-1]),
        settings,
        (*fits.warnings, *said),
    )


_FEWEST = 10


def _not_judged(
    fitted: int, held_out: int, losses: Sequence[int], settings: Bootstrap
) -> SurvivalValidation:
    why = message("lifetime.contracts_not_judged", train=losses[0], test=losses[1], fewest=_FEWEST)
    none = [pd.DataFrame() for _ in range(4)]
    return SurvivalValidation(
        none[0], none[1], none[2], none[3], None, why, fitted, held_out, 0, settings, (why,)
    )


def _held_out(
    test: pd.DataFrame,
    train: pd.DataFrame,
    horizons: Sequence[float],
    settings: Bootstrap,
    rng: np.random.Generator,
) -> _HeldOut:
    time, left = test["duration"].to_numpy(dtype=float), test["event"].to_numpy(dtype=float)
    last = float(min(time[left == 1].max(), train["duration"].max()) - 1)
    inside = [float(h) for h in horizons if h <= last]
    grid = np.unique(np.concatenate([np.arange(1, last + 1), inside]))
    samples = [rng.integers(0, len(test), len(test)) for _ in range(settings.draws)]
    counts = np.array([np.ones(len(test)), *(np.bincount(s, minlength=len(test)) for s in samples)])
    periods = np.arange(0, int(last) + 2).astype(float)
    return _HeldOut(
        test,
        time,
        left,
        censoring(train["duration"], train["event"]),
        last,
        grid,
        float(min(sorted(horizons)[len(horizons) // 2], last)),
        counts,
        observed_survival(time, left, periods, counts),
        periods,
    )


@dataclass(frozen=True)
class _Judged:
    """One model on the customers held out."""

    single: dict[str, float]
    drawn: dict[str, Array]  # over the resamples
    over_time: pd.DataFrame
    calibration: pd.DataFrame


def _judged(
    curve: Callable[[pd.DataFrame, ArrayLike], Array],
    held: _HeldOut,
    horizons: Sequence[float],
    terms: ContractTerms,
) -> _Judged:
    time, left, grid, weights = held.time, held.left, held.grid, held.weights
    survival = curve(held.data, grid)
    risk = 1 - survival[:, int(np.searchsorted(grid, held.middle))]
    each = brier_contributions(time, left, survival, grid, weights)
    brier, own = each.mean(axis=0), np.trapezoid(each, grid, axis=1) / (grid[-1] - grid[0])
    auc = auc_over_time(time, left, 1 - survival, grid, weights)
    drawn_rows = [np.repeat(np.arange(time.size), row.astype(int)) for row in held.counts[1:]]
    single = {
        "harrell_c": concordance(time, left, risk),
        "uno_c": concordance(time, left, risk, weights, held.last),
        "integrated_brier": float(own.mean()),
    }
    # without covariates every resample has C = ½
    ranked = np.unique(risk).size > 1
    uno = [
        concordance(time[s], left[s], risk[s], weights, held.last) if ranked else 0.5
        for s in drawn_rows
    ]
    forecast = held.counts @ curve(held.data, held.periods) / time.size
    errors = np.array(
        [lifetime_value_error(*pair, terms) for pair in zip(held.observed, forecast, strict=True)]
    )
    single |= dict(zip(("clv_error", "clv_error_share"), errors[0].tolist(), strict=True))
    single["clv_error_size"] = abs(float(errors[0, 0]))
    drawn = {
        "uno_c": np.array(uno),
        "integrated_brier": np.array([float(own[s].mean()) for s in drawn_rows]),
        "clv_error": errors[1:, 0],
        "clv_error_share": errors[1:, 1],
        "clv_error_size": np.abs(errors[1:, 0]),
    }
    for horizon in horizons:
        place = np.flatnonzero(grid == horizon)
        if place.size:
            single[f"auc_{horizon:g}"] = float(auc[place[0]])
            single[f"brier_{horizon:g}"] = float(brier[place[0]])
    times = np.unique(time)
    at_end = curve(held.data, times)[np.arange(time.size), np.searchsorted(times, time)]
    if np.isfinite(at_end).all():
        single["d_calibration_p"] = float(d_calibration(time, left, at_end)["value"].iloc[2])
    groups = pd.DataFrame()
    if np.unique(risk).size >= 5:
        groups = calibration_by_risk(time, left, 1 - risk, held.middle)
    return _Judged(
        single, drawn, pd.DataFrame({"period": grid, "brier": brier, "auc": auc}), groups
    )


def _limits(
    drawn: Sequence[float] | Array, level: float, constant: bool = True
) -> tuple[float | None, float | None]:
    if not len(drawn) or (not constant and np.ptp(drawn) == 0):
        return None, None
    low, high = percentile_limits(np.asarray(drawn), level)
    return float(low), float(high)


def best_forecast(
    validation: pd.DataFrame, differences: pd.DataFrame, draws: int = FEWEST
) -> Message:
    """Which model has the smallest integrated Brier score, and whether Kaplan-Meier has a larger.

    "Less error" is said only when the paired interval leaves out zero, and with fewer than 100
    draws nothing is said of it.
    """
    wide = validation.pivot(index="model", columns="metric", values="value")
    best = str(wide["integrated_brier"].idxmin())
    score = float(wide.loc[best, "integrated_brier"])
    facts = {"model": best, "brier": score, "concordance": float(wide.loc[best, "uno_c"])}
    if "kaplan_meier" not in wide.index or best == "kaplan_meier":
        kind = "one" if "kaplan_meier" not in wide.index else "nothing_gained"
        return message(f"lifetime.survival_best_{kind}", **facts)
    base = float(wide.loc["kaplan_meier", "integrated_brier"])
    facts |= {"base": base, "gain": 1 - score / base}
    pair = differences[
        (differences["metric"] == "integrated_brier")
        & (differences["model"].isin([best, "kaplan_meier"]))
        & (differences["rival"].isin([best, "kaplan_meier"]))
    ]
    if not len(pair) or pd.isna(pair["ci_low"].iloc[0]):
        return message("lifetime.survival_best_untested", **facts)
    if draws < FEWEST:
        return message("lifetime.survival_best_few", **facts, draws=draws, fewest=FEWEST)
    row = pair.iloc[0]
    sure = not row["ci_low"] <= 0 <= row["ci_high"]
    facts |= {"low": float(row["ci_low"]), "high": float(row["ci_high"])}
    return message(f"lifetime.survival_best_{'sure' if sure else 'unsure'}", **facts)
