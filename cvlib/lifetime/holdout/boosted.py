"""The rival without a theory: boosted trees that learn the next period from the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.database import MONEY
from cvlib.lifetime.holdout.forecast import Array, Forecast, customer_rows, hiatus_of
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.units import DAYS
from cvlib.statistics import resample
from cvlib.words.message import Message, message

ROUNDS = (25, 50, 100, 200)  # trees among which five folds of the earlier split choose [P]
FEWEST = 200  # customers below which trees are not in the race
_FOLDS, _MOST, _RANDOM = 5, 10_000, 20261121
_TREES: dict[str, Any] = {
    "learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 50, "early_stopping": False,
    "random_state": _RANDOM,
}  # fmt: skip


def history_features(summary: PurchaseSummary, days: int) -> Array:
    """What trees are told of each customer at the cut.

    Parameters
    ----------
    summary : PurchaseSummary
        The split; nothing after its cut is looked at.
    days : int
        Length of the last period h' before the cut.

    Returns
    -------
    ndarray (customers, 8)
        x, time since the last purchase, T, t_x, mean spend and last spend per purchase day, spend
        in the last h', purchases in the last h'/2.
    """
    people = customer_rows(summary)
    cut = pd.Timestamp(summary.cut)
    whole, half = (cut - pd.Timedelta(days=n) for n in (days, days / 2))
    late = summary.log.query(
        f"""SELECT arg_max(net, day) AS last_spend,
                  coalesce(sum(net::{MONEY}) FILTER (day > $1), 0)::DOUBLE AS late_spend,
                  count(*) FILTER (day > $2) AS late_purchases
           FROM days WHERE purchase AND day <= $3 GROUP BY customer_id ORDER BY customer_id""",
        whole.date(), half.date(), summary.cut,
    )  # fmt: skip
    x, age, t_x = (people[name].to_numpy(float) for name in ("x", "T", "t_x"))
    mean = people["monetary"].to_numpy(float) / people["frequency"].to_numpy(float)
    gap = hiatus_of(people)
    return np.column_stack([x, gap, age, t_x, mean, *late.to_numpy(float).T])


def boosted_forecast(
    earlier: PurchaseSummary, now: PurchaseSummary, rounds: int = 0
) -> tuple[Forecast, Message] | Message:
    """Forecast of boosted trees that learnt on an earlier split, or why they are not in the race.

    One model each of activity (log loss), purchases and spend (Poisson deviance), with the number
    of trees that five folds of the earlier split choose. What is learnt on its holdout h' is
    carried to the holdout h by the factor h/h', probabilities by 1 - (1 - p)^(h/h').

    Parameters
    ----------
    earlier, now : PurchaseSummary
        The split to learn on, whose holdout ends at the cut of the real one; and the real one. Of
        more than 10,000 customers a random 10,000 are learnt from.
    rounds : int
        Number of trees; 0: chosen.

    Returns
    -------
    tuple of Forecast and Message, or Message
        The forecast with its rule, or the reason why there is none.

    References
    ----------
    Friedman (2001) Annals of Statistics 29:1189-1232; histogram trees of scikit-learn.
    """
    then = customer_rows(earlier)
    if len(then) < FEWEST:
        return message("lifetime.boosted_too_few", customers=len(then), fewest=FEWEST)
    active = (then["holdout_purchases"] > 0).to_numpy(float)
    if min(active.sum(), active.size - active.sum()) < _FOLDS:
        return message("lifetime.logit_one_outcome")
    days = round(earlier.holdout * DAYS[earlier.unit])
    stretch = now.holdout / earlier.holdout
    features, after = history_features(earlier, days), history_features(now, days)
    learn = np.arange(len(then))
    if learn.size > _MOST:
        learn = np.sort(resample.generator(_RANDOM).permutation(learn.size)[:_MOST])
    bought, spent = (
        np.maximum(then[name].to_numpy(float), 0) for name in ("holdout_purchases", "holdout_spend")
    )
    tasks = [(active, True), (bought, False), *([(spent, False)] if spent.any() else [])]
    from threadpoolctl import threadpool_limits

    found, chosen = [], []
    with threadpool_limits(1, "openmp"):
        for outcome, chance in tasks:
            number = rounds or _rounds(features[learn], outcome[learn], chance)
            model = _trees(chance, number).fit(features[learn], outcome[learn])
            found.append(model.predict_proba(after)[:, 1] if chance else model.predict(after))
            chosen.append(number)
    spend = found[2] * stretch if len(found) > 2 else None
    forecast = Forecast("boosted_trees", found[1] * stretch, 1 - (1 - found[0]) ** stretch, spend)
    window = {"first": earlier.cut, "last": now.cut}
    if learn.size == len(then):
        return forecast, message("lifetime.rule_boosted", trees=chosen, **window)
    return forecast, message(
        "lifetime.rule_boosted_sample",
        trees=chosen,
        learnt=learn.size,
        customers=len(then),
        **window,
    )


def _trees(chance: bool, rounds: int, **more: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    if chance:
        return HistGradientBoostingClassifier(max_iter=rounds, **_TREES, **more)
    return HistGradientBoostingRegressor(loss="poisson", max_iter=rounds, **_TREES, **more)


def _rounds(features: Array, outcome: Array, chance: bool) -> int:
    """The number of trees with the least loss over five folds, from the fewest up.

    The loss falls and then rises: once more trees do no better, still more are not tried.
    """
    fold = resample.generator(_RANDOM, 1).permutation(outcome.size) % _FOLDS
    parts = [fold == number for number in range(_FOLDS)]
    parts = [out for out in parts if np.unique(outcome[~out]).size > 1]
    models = [_trees(chance, ROUNDS[0], warm_start=True) for _ in parts]
    loss: Callable[[Array, Array], float] = _log_loss if chance else _deviance
    best, least = ROUNDS[0], np.inf
    for number in ROUNDS:
        total = 0.0
        for out, model in zip(parts, models, strict=True):
            model.set_params(max_iter=number).fit(features[~out], outcome[~out])
            given = model.predict_proba(features[out])[:, 1] if chance else None
            total += loss(outcome[out], model.predict(features[out]) if given is None else given)
        if not total < least * (1 - 1e-9):
            break
        best, least = number, total
    return best


def _log_loss(happened: Array, p: Array) -> float:
    return float(-np.log(np.maximum(np.where(happened == 1, p, 1 - p), 1e-12)).sum())


def _deviance(outcome: Array, mean: Array) -> float:
    from scipy.special import xlogy

    mean = np.maximum(mean, 1e-12)
    return float(2 * (xlogy(outcome, outcome / mean) - outcome + mean).sum())
