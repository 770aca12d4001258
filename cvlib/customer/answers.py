"""The first screen of a customer study: sentences from its numbers, each withheld by its gate."""

from __future__ import annotations

import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.certificate import Certificate
from cvlib.customer.experiment import Experiment
from cvlib.customer.gate import TimeOrder
from cvlib.customer.index import CustomerIndex
from cvlib.customer.links import PARTS
from cvlib.customer.people import Calls
from cvlib.customer.value import PointValue, SatisfactionLink
from cvlib.inputs.audit import CAUTIONS
from cvlib.statistics.resample import FEWEST, reach
from cvlib.words.answer import Answer, Tile, amount, interval, number
from cvlib.words.message import Message, message

_JOIN = ("customer.unmatched", "customer.unmatched_alike", "customer.repeated_rows")
WEAK = 1.5  # an E-value's limit below this is within reach of an ordinary unmeasured cause [P]
FAR = 0.5  # share of a value beyond the window that is worth a doubt [P]
DRIVEN = "leaving by the drivers' part of satisfaction"  # a row of the table of assumptions
APART = 0.2  # change of the value by another assumption that is worth a doubt [P]


def adds_nothing(value: PointValue) -> bool:
    """Whether the interval of the value of a point holds 0."""
    if value.withheld:
        return False
    row = value.row("total")
    return bool(row["lower"] <= 0 <= row["upper"])


def value_sentence(value: PointValue) -> Message:
    """What a point is worth, or that it adds nothing measurable, or why nothing is said."""
    if value.withheld:
        return message("customer.withheld", reason=value.withheld[0])
    row = value.row("total")
    facts = {"value": row["per_customer"], "low": row["lower"], "high": row["upper"]}
    if adds_nothing(value):
        return message("customer.nothing", **facts)
    if pd.isna(row["lower"]):
        return message("customer.worth_plain", value=row["per_customer"], months=value.horizon,
                       base=row["base"])  # fmt: skip
    return message(
        "customer.worth", **facts, months=value.horizon, base=row["base"], level=value.level
    )


def parts_sentence(value: PointValue) -> Message | None:
    """The value of a point by its parts."""
    if value.withheld or adds_nothing(value):
        return None
    parts = value.value_of_a_point.set_index("part")["per_customer"]
    told = [message(f"customer.part_{name}", value=float(parts[name]))
            for name in PARTS if name in parts]  # fmt: skip
    return message("customer.parts", parts=told)


def of_point(value: PointValue) -> list[Message]:
    """What the value of a point says of itself: its parts, that it adds nothing, or why not."""
    if value.withheld or adds_nothing(value):
        return [value_sentence(value)]
    parts = parts_sentence(value)
    return [] if parts is None else [parts]


def naive_sentence(value: PointValue, index: CustomerIndex) -> Message | None:
    """What it would read without correction for error in the answers."""
    if value.withheld or adds_nothing(value):
        return None
    plain = value.row("total, uncorrected")["per_customer"]
    return message("customer.uncorrected", value=plain, reliability=index.reliability)


def customer_answer(
    base: CustomerBase,
    index: CustomerIndex,
    gate: TimeOrder,
    linked: SatisfactionLink,
    value: PointValue,
    e: dict[str, float],
    called: Calls | Experiment,
    assumptions: pd.DataFrame,
    certificate: Certificate | None = None,
) -> Answer:
    """What a point of satisfaction is worth, what to do about it, and what could overturn it.

    Parameters
    ----------
    base, index, gate, linked, value : from `join`, `index`, `time_order`, `link`, `point_value`
        The steps of the study.
    e : dict
        From `ladder`.
    called : Calls or Experiment
        From `calls`, or from `experiment` where some were called.
    assumptions : DataFrame
        From `sensitivity`: a row per assumption.
    certificate : Certificate, optional
        From `certificate`.

    Returns
    -------
    Answer
        First screen.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.study(cv.customer.simulate(600, seed=1), draws=10).answer.hero
    'value_parts'
    """
    sources = dict(base.tables_read)
    question = message("customer.asks", survey=sources["survey"].source, customers=len(base.ids),
                       respondents=len(index.scores))  # fmt: skip
    said = [value_sentence(value)]
    said += [text for text in (parts_sentence(value), naive_sentence(value, index)) if text]
    tiles = [
        Tile(message("customer.tile_customers"), number(len(base.ids), 0),
             message("customer.tile_answered", count=len(index.scores))),
        Tile(message("customer.tile_index"), number(
            float(index.weights @ index.scores / index.weights.sum()))),
        Tile(message("customer.tile_reliability"), number(index.reliability, 2)),
    ]  # fmt: skip
    advice: list[str] = []
    doubts: list[str] = [message("customer.simulated")] if base.simulated else []
    hero = "retention_by_satisfaction"
    if value.withheld:
        doubts += list(value.withheld[1:])
        advice.append(message("customer.advice_dates"))
        hero = "odds_of_levels"
    else:
        row = value.row("total")
        tiles.insert(0, Tile(message("customer.tile_value"), amount(row["per_customer"], 2),
                             interval(row["lower"], row["upper"], 2, amount)))  # fmt: skip
        if linked.found.buying is None:
            tiles.append(Tile(message("customer.tile_effect"), number(
                100 * linked.effect()["marginal_effect"], 2)))  # fmt: skip
        else:
            tiles.append(Tile(message("customer.tile_purchases"), number(
                value.fact("discounted purchases per point"), 2)))  # fmt: skip
        hero = "value_parts"
        if adds_nothing(value):
            advice.append(message("customer.advice_nothing"))
        else:
            best = value.drivers_to_money.iloc[0]
            advice.append(_best_driver(value.drivers_to_money, best))
            doubts += [*_trait_alone(linked), *_unlike(e, assumptions, value.level)]
            weak = e["e_value_limit"] < WEAK
            told = "customer.e_weak" if weak else "customer.e_value"
            if linked.found.buying is not None:
                told = "customer.e_weak_buying" if weak else "customer.e_value_buying"
            doubts.append(message(told, e=e["e_value"], limit=e["e_value_limit"]))
            if certificate is not None and certificate.failed:
                doubts.append(certificate.message())
            doubts += _moved(assumptions)
            far = value.fact("share beyond the observed window")
            if far > FAR:
                doubts.append(message("customer.beyond", share=far))
        advice += called.sentences()
        drawn = len(value.draws.values) if value.draws else 0
        if 0 < drawn < FEWEST:
            few = message("customer.few_draws", draws=drawn, fewest=FEWEST)
            doubts.insert(int(base.simulated) + 1, few)  # behind the unmeasured cause
    scale = [w for w in base.warnings if getattr(w, "id", "") in (*CAUTIONS, *_JOIN)]
    doubts = [*scale, *doubts]
    doubts += [*gate.warnings, *(w for w in base.warnings if isinstance(w, Message))]
    return Answer(question, tuple(said), tuple(tiles[:5]), hero, tuple(advice[:3]),
                  tuple(dict.fromkeys(doubts))[:3])  # fmt: skip


def _best_driver(table: pd.DataFrame, best: pd.Series) -> Message:
    if "return_on_quality" in table and table["return_on_quality"].notna().any():
        row = table.sort_values("return_on_quality", ascending=False).iloc[0]
        key = "customer.driver_pays" if row["return_on_quality"] > 0 else "customer.driver_costs"
        return message(key, driver=row["driver"], roq=float(row["return_on_quality"]))
    if pd.isna(best["lower"]):
        return message(
            "customer.driver_plain", driver=best["driver"], value=best["money_per_point"]
        )
    return message("customer.driver", driver=best["driver"], value=best["money_per_point"],
                   low=best["lower"], high=best["upper"])  # fmt: skip


def _trait_alone(linked: SatisfactionLink) -> list[Message]:
    """Of transactions: that who bought again is not told by satisfaction, given what they bought.

    The value then rests on satisfaction as a trait that shaped the past as well.
    """
    if linked.found.buying is None:
        return []
    row = linked.effect()
    if not row["lower"] <= 0 <= row["upper"]:
        return []
    return [message("customer.trait_alone", low=row["lower"], high=row["upper"])]


def _unlike(e: dict[str, float], assumptions: pd.DataFrame, level: float) -> list[Message]:
    """That the drivers' part of satisfaction and the rest of it go with leaving differently."""
    apart = abs(e.get("apart", float("nan")))
    if not apart > reach(level) or not len(assumptions):
        return []
    row = assumptions[assumptions["assumption"] == DRIVEN]
    if not len(row):
        return []
    return [message("customer.drivers_differ", by_drivers=e["by_drivers"], by_rest=e["by_rest"],
                    apart=apart, value=float(row["value_per_point"].iloc[0]))]  # fmt: skip


def _moved(assumptions: pd.DataFrame) -> list[Message]:
    """The assumption that moves the value most, where it moves it by a fifth."""
    if not len(assumptions):
        return []
    told_elsewhere = "horizon|as stated|" + DRIVEN
    inner = assumptions[~assumptions["assumption"].str.contains(told_elsewhere)]
    inner = inner.dropna(subset="change")
    if not len(inner):
        return []
    row = inner.loc[inner["change"].abs().idxmax()]
    if abs(row["change"]) < APART:
        return []
    return [message("customer.moved", assumption=row["assumption"], change=row["change"])]
