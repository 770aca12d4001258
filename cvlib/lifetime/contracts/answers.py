"""The first screen of a report on contracts: verdict, key figures, what to do, what to doubt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from cvlib.inputs.readers import Table
from cvlib.lifetime.answers import about, foremost, limits, row_of, share_limits
from cvlib.lifetime.contracts.cohorts import CohortProjection
from cvlib.lifetime.contracts.prepare import Subscriptions
from cvlib.lifetime.contracts.survival import SurvivalFits
from cvlib.lifetime.contracts.validate import SurvivalValidation
from cvlib.lifetime.contracts.worth import SubscriptionValue
from cvlib.words.answer import Answer, Tile, amount, interval, number
from cvlib.words.message import Message, message

_APART = 1.25  # highest value over lowest from which models are said not to agree


def contracts_answer(
    table: Table,
    contracts: Subscriptions,
    fits: SurvivalFits,
    judged: SurvivalValidation,
    value: SubscriptionValue,
    projected: CohortProjection | None = None,
) -> Answer:
    """Who leaves, whether it can be told beforehand, and what a new contract is worth.

    Parameters
    ----------
    table : Table
        The contracts as read.
    contracts : Subscriptions
        As prepared.
    fits : SurvivalFits
        Models of all of them.
    judged : SurvivalValidation
        The same models on customers held out.
    value : SubscriptionValue
        Of an average new contract.
    projected : CohortProjection, optional
        Cohorts, projected.

    Returns
    -------
    Answer
        Sentences, tiles, advice and doubts of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> life, table = cv.lifetime, cv.lifetime.read_subscriptions("simulated", 400, 1)
    >>> contracts = life.contracts(table, covariates=["Contract"])
    >>> fits = life.fit_survival(contracts.data, ["kaplan_meier", "logit"])
    >>> judged = life.validate_survival(
    ...     contracts.data, ["kaplan_meier", "logit"], bootstrap=life.Bootstrap(draws=4)
    ... )
    >>> value = life.subscription_value(fits, contracts.data, life.ContractTerms())
    >>> life.contracts_answer(table, contracts, fits, judged, value).hero
    'survival_curves'
    """
    facts = dict(zip(contracts.facts["measure"], contracts.facts["value"], strict=True))
    customers, left = int(facts["customers"]), int(facts["left"])
    leak = bool(
        about(contracts.sentences(), "inputs.leak")
        or about(judged.warnings, "lifetime.contracts_too_good")
    )
    doubts = [
        *about(table.warnings, "lifetime.contracts_simulated"),
        *about(contracts.warnings, "lifetime.contracts_all_left"),
        *contracts.sentences(),
        *about(judged.warnings, "lifetime.contracts_too_good"),
        *_disagreement(value),
        *about(fits.warnings, "lifetime.cox_not_proportional"),
        *_ridges([*fits.warnings, *(projected.warnings if projected is not None else ())]),
    ]
    return Answer(
        question=message(
            "lifetime.asks_contracts", source=table.source, customers=customers, left=left
        ),
        verdict=(value.sentence, _gain_verdict(judged.sentence)),
        tiles=tuple(_contract_tiles(customers, left, judged, value, projected)),
        hero="survival_curves",
        advice=tuple(_contract_advice(judged.sentence, value, leak)),
        doubts=foremost(doubts),
    )


_JUDGED = {
    "lifetime.survival_best_sure": "sure",
    "lifetime.survival_best_unsure": "unsure",
    "lifetime.survival_best_nothing_gained": "nothing",
    "lifetime.survival_best_few": "few",
}


def _gain_verdict(said: Message) -> Message:
    """What the comparison with one curve for all came to, without its scores."""
    kind = _JUDGED.get(said.id)
    return said if kind is None else message(f"lifetime.gain_{kind}", **said.values)


def _contract_tiles(
    customers: int,
    left: int,
    judged: SurvivalValidation,
    value: SubscriptionValue,
    projected: CohortProjection | None,
) -> list[Tile]:
    gone = message("lifetime.tile_left_of", share=left / customers)
    tiles = [Tile(message("lifetime.tile_contracts"), number(customers, 0), gone)]
    whole = value.value["lifetime_value"].dropna()
    worth = whole if len(whole) else value.value["within_data"]
    range_ = message("lifetime.tile_models", range=interval(worth.min(), worth.max(), 0, amount))
    title = message("lifetime.tile_contract_value")
    tiles.append(Tile(title, amount(value.middle), range_ if len(worth) > 1 else ""))
    table = judged.validation
    if len(table):
        brier = table[table["metric"] == "integrated_brier"]
        row = brier.loc[brier["value"].idxmin()]
        title = message("lifetime.tile_brier", model=row["model"])
        tiles.append(Tile(title, number(row["value"], 3), limits(row, 3)))
        error = row_of(table, row["model"], "clv_error_share")
        if error is not None and pd.notna(error["value"]):
            title = message("lifetime.tile_value_error", model=row["model"])
            tiles.append(Tile(title, f"{error['value']:+.1%}", share_limits(error)))
    if projected is not None and len(projected.errors):
        mean = projected.errors.groupby("model")["mean_absolute_error"].mean()
        title = message("lifetime.tile_projection", model=str(mean.idxmin()))
        tiles.append(Tile(title, message("lifetime.tile_points", points=100 * mean.min())))
    return tiles


def _contract_advice(said: Message, value: SubscriptionValue, leak: bool) -> list[Message]:
    advice = []
    if leak:
        advice.append(message("lifetime.advice_leak"))
    elif said.id in _JUDGED:
        kind = _JUDGED[said.id]
        same = "alike" if kind != "sure" else "by_risk"
        advice.append(message(f"lifetime.advice_{same}", model=said.values["model"]))
    sure = float(value.value["within_data"].min())
    if sure > 0:
        advice.append(message("lifetime.advice_spend_up_to", value=sure))
    return advice or [message("lifetime.advice_none_contracts")]


def _disagreement(value: SubscriptionValue) -> list[Message]:
    whole = value.value.dropna(subset="lifetime_value")["lifetime_value"]
    if not len(whole) or not whole.min() > 0 or whole.max() < _APART * whole.min():
        return []
    return [message("lifetime.doubt_beyond", least=whole.min(), most=whole.max())]


def _ridges(said: Iterable[Any]) -> list[str]:
    """Parameters that are not identified, in one sentence."""
    plain = [s.values["text"] if getattr(s, "id", "") == "lifetime.of_cohort" else s for s in said]
    models = [s.values["model"] for s in about(plain, "lifetime.cohort_ridge")]  # type: ignore[attr-defined]
    unique = list(dict.fromkeys(models))
    return [message("lifetime.doubt_ridges", models=unique)] if unique else []
