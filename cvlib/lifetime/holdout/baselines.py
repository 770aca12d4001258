"""The simple rules a lifetime model has to beat, tuned or trained before the holdout begins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.boosted import boosted_forecast
from cvlib.lifetime.holdout.forecast import (
    Array,
    Forecast,
    Rivals,
    customer_rows,
    earlier_end,
    hiatus_of,
)
from cvlib.lifetime.logistic import fit_logit
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.units import DAYS
from cvlib.words.message import Message, message


def tune_hiatus(hiatus: Array, active: Array) -> tuple[float, float]:
    """The hiatus c for which "active if hiatus ≤ c" is most often right, and that share.

    Of equally good values the smallest is taken.
    """
    values = np.unique(hiatus)
    right = np.array([np.mean((hiatus <= c) == (active == 1)) for c in values])
    best = int(right.argmax())
    return float(values[best]), float(right[best])


def plain_features(customers: pd.DataFrame) -> Array:
    """Ones, frequency, time since the last purchase, age and spend: what a logit is told."""
    x, age = customers["x"].to_numpy(dtype=float), customers["T"].to_numpy(dtype=float)
    spend = np.log1p(np.maximum(customers["monetary"].to_numpy(dtype=float), 0))
    return np.column_stack([np.ones(len(x)), np.log1p(x), hiatus_of(customers), age, spend])


def _cells(customers: pd.DataFrame, cuts: Array) -> NDArray[np.int64]:
    frequency = np.minimum(customers["x"].to_numpy(), 4).astype(np.int64)
    late = np.searchsorted(cuts, hiatus_of(customers) / customers["T"].clip(lower=1e-9))
    return np.where(frequency == 0, 0, 1 + 4 * (frequency - 1) + late)


def _logit(features: Array, active: Array, new: Array) -> Array | Message:
    """Probability of being active of new customers, or why it cannot be learnt."""
    centre, scale = features.mean(axis=0), features.std(axis=0)
    centre[0], scale = 0.0, np.where(scale > 0, scale, 1.0)
    used = np.linalg.matrix_rank((features - centre) / scale) == features.shape[1]
    keep = slice(None) if used else slice(0, 3)  # age and spend carry nothing new
    x, z = ((features - centre) / scale)[:, keep], ((new - centre) / scale)[:, keep]
    found, wrong = fit_logit(active, x)
    if wrong is not None:
        return wrong
    # row by row: a matrix product ends equal rows in other bits, and ties would come apart
    return np.asarray(expit((z * np.asarray(found.params)).sum(axis=1)))


def rival_forecasts(summary: PurchaseSummary) -> Rivals:
    """Every simple rule's forecast of the same holdout.

    Rules that need training learn on an earlier split of the calibration period only: up to its
    last part of length h' = min(holdout, half the calibration), with that part as the outcome.
    What they learn on h' is carried to the holdout h by the factor h/h', probabilities by
    1 − (1 − p)^(h/h'). A rule that cannot be learnt is left out, and a warning says why.

    Parameters
    ----------
    summary : PurchaseSummary
        Of the real split; it knows its log, dates and unit.

    Returns
    -------
    Rivals
        forecasts: recency, hiatus, hiatus_six_months, repeat_rate, past_spend, past_repeat_spend,
        last_period, cell_means, logit, boosted_trees, nbd, in the order of `summary.customers`.
        rules: model, rule.

    Raises
    ------
    InputError
        A cut that leaves no day to judge on, or customers written to a file.

    References
    ----------
    Wübben & von Wangenheim (2008) J. Marketing 72(3):82-93 for the hiatus.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.rival_forecasts(p).forecasts[0].model
    'recency'
    """
    cut, end = pd.Timestamp(summary.cut), pd.Timestamp(summary.end)
    now = customer_rows(summary)
    start = now["first_purchase"].min()
    days = ((cut - start).days + 1, (end - cut).days)
    if days[1] < 1:
        raise InputError(
            "holdout_end",
            message("refusals.leaves_no_day_after_the", end=summary.end, cut=summary.cut),
            message("refusals.choose_a_later_holdout_end"),
        )
    learnt, warnings = _trained(summary, now, cut, days)
    found = {
        forecast.model: (forecast, rule)
        for forecast, rule in [*_plain(summary, now, days), *learnt]
    }
    chosen = [found[model] for model in _ORDER if model in found]
    rules = [[forecast.model, rule] for forecast, rule in chosen]
    return Rivals(
        tuple(forecast for forecast, _ in chosen),
        pd.DataFrame(rules, columns=["model", "rule"], dtype=object),
        tuple(warnings),
    )


_ORDER = ("recency", "hiatus", "hiatus_six_months", "repeat_rate", "past_spend",
          "past_repeat_spend", "last_period", "cell_means", "logit",
          "boosted_trees", "nbd")  # fmt: skip
_Rule = tuple[Forecast, Message]


def _plain(summary: PurchaseSummary, now: pd.DataFrame, days: tuple[int, int]) -> list[_Rule]:
    """Rules that learn nothing of outcomes."""
    x, age = now["x"].to_numpy(dtype=float), now["T"].to_numpy(dtype=float)
    again = days[1] / days[0]
    rate = np.round(x / np.maximum(age, 1e-9), 10)  # so that equal rates tie on every machine
    repeat_spend = x * now["mean_repeat_spend"].to_numpy(dtype=float)
    gap, six_months = hiatus_of(now), 182 / DAYS[summary.unit]
    spent = now["monetary"].clip(lower=0).to_numpy(dtype=float)
    return [
        (Forecast("recency", score=-gap), message("lifetime.rule_recency")),
        (
            Forecast("hiatus_six_months", probability=(gap <= six_months).astype(float)),
            message("lifetime.rule_hiatus_six_months"),
        ),
        (
            Forecast("repeat_rate", expected=rate * summary.holdout),
            message("lifetime.rule_repeat_rate"),
        ),
        (Forecast("past_spend", spend=spent * again), message("lifetime.rule_past_spend")),
        (
            Forecast("past_repeat_spend", spend=np.maximum(repeat_spend, 0) * again),
            message("lifetime.rule_past_repeat_spend"),
        ),
    ]


def _trained(
    summary: PurchaseSummary, now: pd.DataFrame, cut: pd.Timestamp, days: tuple[int, int]
) -> tuple[list[_Rule], list[str]]:
    """Rules that learn on an earlier split, and the NBD; what had to be assumed or left out."""
    split, learn_days = earlier_end(summary)
    window = {"first": split.date(), "last": cut.date()}
    nbd, warnings = _nbd(summary, now)
    if learn_days < 1:
        return nbd, [*warnings, message("lifetime.rivals_untrained", **window)]
    earlier = summary.at(split.date(), cut.date())
    then, stretch = customer_rows(earlier), days[1] / learn_days
    warnings += [
        message("lifetime.training_split", text=text)
        for text in earlier.warnings
        if text not in summary.warnings
    ]
    active = (then["holdout_purchases"] > 0).to_numpy(dtype=float)
    if active.min() == active.max():
        return nbd, [*warnings, message("lifetime.rivals_untrained", **window)]
    threshold, _ = tune_hiatus(hiatus_of(then), active)
    again_before = then["x"] > 0
    relative = hiatus_of(then)[again_before] / then["T"][again_before]
    quarters = [0.25, 0.5, 0.75]
    cuts = np.quantile(relative, quarters) if len(relative) else np.array(quarters)
    cells = pd.DataFrame({"cell": _cells(then, cuts), "n": then["holdout_purchases"], "y": active})
    means = cells.groupby("cell").mean().reindex(range(17))
    # an empty cell takes the mean of all; with four by four cells this is rare
    means = means.fillna(cells[["n", "y"]].mean()).loc[_cells(now, cuts)]
    last = _last_period(now, then)
    limit = threshold * stretch
    found: list[_Rule] = [
        (
            Forecast("hiatus", probability=(hiatus_of(now) <= limit).astype(float)),
            message(
                "lifetime.rule_hiatus",
                limit=limit,
                threshold=threshold,
                unit=summary.unit,
                **window,
            ),
        ),
        (
            Forecast("last_period", expected=last[0] * stretch, spend=last[1] * stretch),
            message("lifetime.rule_last_period", **window),
        ),
        (
            Forecast(
                "cell_means",
                expected=means["n"].to_numpy() * stretch,
                probability=1 - (1 - means["y"].to_numpy()) ** stretch,
            ),
            message("lifetime.rule_cell_means", **window),
        ),
    ]
    logit = _logit(plain_features(then), active, plain_features(now))
    if isinstance(logit, Message):
        warnings.append(message("lifetime.rival_left_out", model="logit", reason=logit))
    else:
        forecast = Forecast("logit", probability=1 - (1 - logit) ** stretch)
        found.append((forecast, message("lifetime.rule_logit", **window)))
    trees = boosted_forecast(earlier, summary)
    if isinstance(trees, Message):
        warnings.append(message("lifetime.rival_left_out", model="boosted_trees", reason=trees))
    else:
        found.append(trees)
    return [*found, *nbd], warnings


def _nbd(summary: PurchaseSummary, now: pd.DataFrame) -> tuple[list[_Rule], list[str]]:
    fitted = fit_repeat_buying(summary, "nbd")
    history = [now[name].to_numpy(dtype=float) for name in ("x", "t_x", "T")]
    forecast = Forecast(
        "nbd",
        expected=fitted.expected_purchases(summary.holdout, *history),
        probability=fitted.probability_of_purchase(summary.holdout, *history),
    )
    said = [message("lifetime.of_model", model="nbd", text=text) for text in fitted.warnings]
    return [(forecast, message("lifetime.rule_nbd"))], [*said]


def _last_period(now: pd.DataFrame, then: pd.DataFrame) -> tuple[Array, Array]:
    """Repeat purchases and spend in the last period; who joined in it has no earlier history."""
    before = then.set_index("customer_id").reindex(now["customer_id"])
    bought = before["holdout_purchases"].to_numpy(dtype=float)
    spent = before["holdout_spend"].to_numpy(dtype=float)
    repeat_spend = (now["x"] * now["mean_repeat_spend"]).to_numpy(dtype=float)
    bought = np.where(np.isnan(bought), now["x"].to_numpy(dtype=float), bought)
    return bought, np.maximum(np.where(np.isnan(spent), repeat_spend, spent), 0)
