"""Churn in other words: the same forecasts judged by five outcomes, and whether the order holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.database import MONEY
from cvlib.lifetime.holdout.forecast import Array, Forecast, customer_rows
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import RepeatBuyingFit
from cvlib.lifetime.units import DAYS
from cvlib.results import Result
from cvlib.statistics import influence, ranks, resample
from cvlib.statistics.influence import Placed
from cvlib.words.message import Message, message

_FEWEST = 10  # customers on either side below which an outcome orders nobody
_POINT = 0.05  # chance of a longer gap while active beyond which a customer's silence is churn


@dataclass(frozen=True, eq=False, repr=False)
class ChurnDefinitions(Result):
    """The same forecasts under several definitions of churn.

    Attributes
    ----------
    table : DataFrame
        definition, model, auc with ci_low and ci_high, brier_skill (of forecasts that are
        probabilities, carried to the length of the definition).
    order : DataFrame
        definition, customers it can be told of, base_rate (share who churned), best (the model
        with the largest area), best_auc, kendall_tau (of the order of models with that by the
        first definition).
    warnings : tuple of Message
        Definitions left out, with the reason.
    """

    table: pd.DataFrame
    order: pd.DataFrame
    warnings: tuple[str, ...] = ()
    headline_tables = ("order",)
    charts: ClassVar[dict[str, str]] = {"auc": "cvlib.figures.value:definitions_plot"}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"table": self.table, "language": language, "label": self._words(language).cell}

    @property
    def sentence(self) -> Message | None:
        """Whether the same model orders customers best however churn is defined."""
        if len(self.order) < 2:
            return None
        first, others = self.order.iloc[0], self.order.iloc[1:]
        worst = others.loc[others["kendall_tau"].idxmin()]
        facts = {"definitions": len(self.order), "best": first["best"]}
        facts |= {"least": worst["definition"], "tau": float(worst["kendall_tau"])}
        if (others["best"] == first["best"]).all():
            return message("lifetime.definitions_agree", **facts)
        turned = others[others["best"] != first["best"]].iloc[0]
        other = {"other": turned["best"], "where": turned["definition"]}
        return message("lifetime.definitions_differ", **facts, **other)

    def sentences(self) -> list[str]:
        return [self.sentence] if self.sentence else []


@dataclass(frozen=True)
class _Outcome:
    name: str
    stayed: Array  # 1 or 0, of those it can be told of
    told: Array  # whether it can be told of a customer
    length: float = 1.0  # of its period, in holdouts


def churn_definitions(
    summary: PurchaseSummary, fit: RepeatBuyingFit, forecasts: Sequence[Forecast],
    level: float = 0.95,
) -> ChurnDefinitions:  # fmt: skip
    """Judge the same forecasts by other definitions of churn.

    A customer has churned who makes no purchase in the holdout h, in its first half, in twice its
    length (where the log has that), who at its end has been silent for longer than 95 % of the
    gaps of a customer of the same history while active [P], or who spends less than half of what
    they spent in the h before the cut. The last two are told of customers of whom they can be:
    whose 95 % point could be passed by then, who spent before.

    Parameters
    ----------
    summary : PurchaseSummary
        The split, with a holdout.
    fit : RepeatBuyingFit
        Whose purchase rates give each customer's 95 % point.
    forecasts : sequence of Forecast
        Of the holdout. Each orders customers by its probability, else by its score, else by its
        expected purchases; a probability p is carried to another length t as 1 - (1 - p)^(t/h).
    level : float
        Of the intervals of areas, by influence values.

    Returns
    -------
    ChurnDefinitions
        Areas, Brier skill, base rates and Kendall's tau.

    References
    ----------
    Buckinx & Van den Poel (2005) EJOR 164:252-268 [M] (partial defection).

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> fit = cv.lifetime.bg_nbd(p).fit
    >>> found = cv.lifetime.churn_definitions(p, fit, cv.lifetime.model_forecasts(fit, p))
    >>> found.order["definition"].tolist()
    ['none_in_holdout', 'none_in_half', 'own_95_point', 'spend_below_half']
    """
    outcomes, said = _outcomes(summary, fit)
    race = [(f, _order_of(f)) for f in forecasts]
    used = [(f, score) for f, score in race if score is not None]
    kept, base = [], []
    for one in outcomes:
        stayed = one.stayed[one.told]
        few = int(min(stayed.sum(), stayed.size - stayed.sum()))
        if few < _FEWEST:
            reason = message("lifetime.definition_lopsided", few=few, fewest=_FEWEST)
            said.append(message("lifetime.definition_left_out", definition=one.name, reason=reason))
            continue
        rate = 1 - float(stayed.mean())
        base.append({"definition": one.name, "customers": stayed.size, "base_rate": rate})
        kept.append(one)
    # one forecast at a time: its order of all customers is made once and let go
    each = [_judged(forecast, score, kept, level) for forecast, score in used]
    rows = [one[number] for number in range(len(kept)) for one in each]
    table, order = pd.DataFrame(rows), pd.DataFrame(base)
    if len(table):
        order = order.join(_agreement(table), on="definition")
    return ChurnDefinitions(table, order, tuple(said))


def _judged(
    forecast: Forecast, score: Array, outcomes: Sequence[_Outcome], level: float
) -> list[dict[str, Any]]:
    """One forecast under every definition."""
    everybody, rows = Placed(score), []
    for one in outcomes:
        stayed, rate = one.stayed[one.told], float(one.stayed[one.told].mean())
        place = everybody if one.told.all() else Placed(score[one.told])
        area = _area(place, stayed)
        wide = resample.reach(level) * influence.standard_error(influence.auc(place, stayed))
        row = {"definition": one.name, "model": forecast.model, "auc": area}
        row |= {"ci_low": area - wide, "ci_high": area + wide, "brier_skill": np.nan}
        if forecast.probability is not None:
            p = 1 - (1 - forecast.probability[one.told]) ** one.length
            row["brier_skill"] = 1 - float(((p - stayed) ** 2).mean()) / (rate * (1 - rate))
        rows.append(row)
    return rows


def _order_of(forecast: Forecast) -> Array | None:
    """What a forecast orders customers by."""
    given = (forecast.probability, forecast.score, forecast.expected)
    return next((each for each in given if each is not None), None)


def _area(place: Placed, event: Array) -> float:
    """Area under the ROC curve from mid-ranks."""
    ones = event.sum()
    held = (place.share[event == 1] * place.number + 0.5).sum()
    return float((held - ones * (ones + 1) / 2) / (ones * (event.size - ones)))


def _outcomes(
    summary: PurchaseSummary, fit: RepeatBuyingFit
) -> tuple[list[_Outcome], list[Message]]:
    people, cut, end = customer_rows(summary), summary.cut, summary.end
    days = (end - cut).days
    half, twice, before = (
        (pd.Timestamp(cut) + pd.Timedelta(days=n)).date() for n in (days // 2, 2 * days, -days)
    )
    seen = summary.log.query(
        f"""SELECT count(*) FILTER (day > $1 AND day <= $2) AS in_half,
                  count(*) FILTER (day > $1 AND day <= $3) AS in_twice,
                  date_diff('day', max(day) FILTER (day <= $4), $4) AS silent,
                  coalesce(sum(net::{MONEY}) FILTER (day > $5 AND day <= $1), 0)::DOUBLE AS before
           FROM days WHERE purchase GROUP BY customer_id HAVING min(day) <= $1
           ORDER BY customer_id""",
        cut, half, twice, end, before,
    )  # fmt: skip
    everybody = np.ones(len(people), dtype=bool)
    spent, earlier = people["holdout_spend"].to_numpy(float), seen["before"].to_numpy(float)

    def bought(name: str, source: pd.DataFrame) -> Array:
        return (source[name].to_numpy(float) > 0).astype(float)

    found = [
        _Outcome("none_in_holdout", bought("holdout_purchases", people), everybody),
        _Outcome("none_in_half", bought("in_half", seen), everybody, (days // 2) / max(days, 1)),
    ]
    said: list[Message] = []
    if twice <= summary.log.last_day:
        found.append(_Outcome("none_in_twice", bought("in_twice", seen), everybody, 2.0))
    else:
        reason = message("lifetime.definition_too_short", needed=twice, last=summary.log.last_day)
        names = {"definition": "none_in_twice", "reason": reason}
        said.append(message("lifetime.definition_left_out", **names))
    known = fit.natural()
    if {"r", "alpha"} <= set(known) and not fit.covariates:
        point = own_point(known["r"], known["alpha"], people)
        silent = seen["silent"].to_numpy(float) / DAYS[summary.unit]
        longest = (people["T"] - people["t_x"]).to_numpy(float) + summary.holdout
        found.append(_Outcome("own_95_point", (silent <= point).astype(float), point < longest))
    found.append(_Outcome("spend_below_half", (spent >= earlier / 2).astype(float), earlier > 0))
    return found, said


def own_point(r: float, alpha: float, people: pd.DataFrame) -> Array:
    """The time that 95 % of the next gaps of an active customer stay below, by the history.

    A customer of x purchases in T has a rate that is gamma(r + x, alpha + T), so that a gap
    exceeds g with probability ((alpha + T) / (alpha + T + g))^(r + x).
    """
    shape = r + people["x"].to_numpy(float)
    with np.errstate(over="ignore"):
        return np.asarray((alpha + people["T"].to_numpy(float)) * np.expm1(-np.log(_POINT) / shape))


def _agreement(table: pd.DataFrame) -> pd.DataFrame:
    """The best model by each definition, and Kendall's tau with the first; P(alive) is no rival."""
    race = table[~table["model"].str.endswith("_p_alive")]
    wide = race.pivot(index="model", columns="definition", values="auc").round(9)
    first = wide[table["definition"].iloc[0]].to_numpy()
    rows = {
        name: {"best": wide[name].idxmax(), "best_auc": float(wide[name].max()),
               "kendall_tau": ranks.kendall_tau(first, wide[name].to_numpy())}
        for name in wide
    }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")
