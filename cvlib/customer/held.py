"""A survey and contracts as one customer base: who left, and when, after the own interview."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.files import Files, Plan
from cvlib.customer.joining import (
    by_id,
    day_of,
    features,
    followed,
    headed,
    in_both,
    independent,
    instrument_of,
    interviews,
    join_notes,
    known_of_all,
    months,
)
from cvlib.customer.waves import asked_again, asked_once
from cvlib.inputs.checks import fault
from cvlib.inputs.columns import filled, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import Table
from cvlib.inputs.subscriptions import contract_days
from cvlib.words.message import Message, message

_COLUMNS = ("start", "end", "fee", "service_cost", "referrals")


def join_contracts(files: Files, plan: Plan, notes: list[str]) -> CustomerBase:
    """Join a survey and contracts; see `join`."""
    opened = [(name, files.open(name)) for name in ("survey", "contracts", "attributes")]
    read = tuple((name, table) for name, table in opened if table is not None)
    answered_in = headed(dict(read)["survey"], plan.customer, [plan.interview])
    survey, later, twice = asked_once(answered_in, plan, notes)
    contracts, doubled = by_id(
        headed(dict(read)["contracts"], plan.customer, _COLUMNS), plan.customer
    )
    notes += [*taken(answered_in), *taken(contracts)]
    start, end = _days(contracts, notes)
    wrong = end < start
    if wrong.any():
        raise fault(
            contracts,
            "end",
            wrong,
            message("refusals.value_is_before_the_contracts_first_day", value="{value}"),
            message("refusals.correct_the_date"),
        )
    ids = pd.Index(contracts.data[plan.customer])
    life = pd.DataFrame({"start": start.to_numpy(), "end": end.to_numpy()}, index=ids)
    until = day_of(plan.holdout_end, "holdout_end", max(start.max(), end.max()))
    life["end"] = life["end"].where(life["end"] <= until)
    day, dated = interviews(survey, plan, notes)
    asked = pd.Series(day.to_numpy(), index=pd.Index(survey.data[plan.customer]))
    own, both = in_both(asked, ids, until, plan.customer, (survey.source, contracts.source))
    notes += join_notes(asked.index, ids, twice + doubled, contracts.source)
    mine = life.loc[own.index]
    late = (mine["end"] <= own).to_numpy()
    outside = ~late & ((own > until) | (mine["start"] > own)).to_numpy()
    attributes, at, dropped = known_of_all(dict(read).get("attributes"), plan, ids, notes)
    newer = (at.reindex(own.index) > own).to_numpy() & ~late & ~outside
    middle = pd.Timestamp(own.sort_values().iloc[len(own) // 2])
    clock = own.reindex(ids).fillna(middle)
    gone = ((life["end"] <= clock) | (life["start"] > clock)) & ~pd.Series(
        ids.isin(own.index), index=ids
    )
    attributes = attributes.assign(
        tenure=np.maximum(months(clock) - months(life["start"]), 1).to_numpy(float)
    )
    lags = {"fee_before", "service_cost_before"}
    spare = {*lags, plan.instrument}
    controls = features(attributes, plan.controls, spare)
    known = features(attributes, plan.answering, spare) if plan.answering else controls
    answers, base, answered = followed(
        survey, plan, own, ~late & ~outside & ~newer, gone, controls, known
    )
    order = base[answered]
    controls = independent(controls, order, notes, "controls")
    known = independent(known, base, notes, "answering") if plan.answering else controls
    mine, when = life.loc[order], asked.loc[order]
    left = mine["end"].notna().to_numpy()
    last = mine["end"].fillna(until)
    duration = (months(last) - months(when) + 1).to_numpy(float)
    paid = contracts.data.set_index(plan.customer)
    asked_of = contracts.data[plan.customer].isin(order).to_numpy()
    outcomes = pd.DataFrame(
        {
            name: _amounts(contracts, name, asked_of).set_axis(ids).loc[order].to_numpy(float)
            for name in ("fee", "service_cost", "referrals")
            if name in paid
        },
        index=order,
    )
    before = pd.DataFrame(
        {
            name: np.log(pd.to_numeric(attributes[name], errors="coerce").where(lambda v: v > 0))
            for name in sorted(lags & set(attributes))
        },
        index=ids,
    ).loc[order]
    if "fee" not in outcomes:
        raise InputError(contracts.place("fee"), message("customer.no_fee"),
                         message("customer.no_fee_remedy"))  # fmt: skip
    counted = [
        ("customers in the contracts", len(ids)),
        ("respondents", len(asked)),
        ("respondents without behaviour", int((~both).sum())),
        ("customers without an interview", int((~ids.isin(own.index)).sum())),
        ("gone or not yet there at the interviews", int(gone.sum())),
        ("duplicates, the latest kept", twice + doubled + dropped),
        ("interviewed after leaving", int(late.sum())),
        ("interviewed outside the contract or the window", int(outside.sum())),
        ("attributes dated after the interview", int(newer.sum())),
        ("incomplete answers or attributes", int((~late & ~outside & ~newer).sum() - len(order))),
        ("respondents in the link", len(order)),
    ]
    audit = pd.DataFrame(counted, columns=["what", "count"])
    if len(order) < 50 or left.sum() < 10 or left.all():
        kind = "few" if len(order) < 50 else "all_left" if left.all() else "few_left"
        raise InputError(
            contracts.source,
            message(f"customer.link_{kind}", people=len(order), left=int(left.sum())),
            message("customer.link_remedy"),
        )
    told = [] if dated else [message("customer.undated")]
    simulated = any("simulated" in t.source for _, t in read)
    return CustomerBase(
        audit.assign(share=audit["count"] / len(ids)), answers, base, answered,
        known.loc[base], controls.loc[base], duration, left, outcomes, before,
        attributes[plan.segment].loc[base].astype(str) if plan.segment else None,
        dated, int(late.sum()), len(own), plan.late_answers == "refuse", simulated, read,
        (*notes, *told, *answers.warnings), window=float(duration.max()),
        customer=plan.customer, asked_on=when, instrument=instrument_of(attributes, plan, order),
        again=asked_again(later, plan, order, life, until, list(answers.model.columns)),
    )  # fmt: skip


def _days(contracts: Table, notes: list[str]) -> tuple[pd.Series, pd.Series]:
    """First and last days; where one column could be read in two ways, the other decides."""
    found: dict[str, pd.Series] = {}
    pattern: str | None = None
    wrong: dict[str, InputError] = {}
    for name in ("start", "end", "start", "end"):
        if name in found or (name in wrong and pattern is None):
            continue
        told: list[str] = []
        try:
            found[name] = contract_days(contracts, name, told, pattern, blank=name == "end")
        except InputError as error:
            if pattern is not None:
                raise wrong.get(name, error) from None
            wrong[name] = error
            continue
        said = [note for note in told if isinstance(note, Message)]
        read = [note.values["pattern"] for note in said if note.id == "inputs.dates_read"]
        pattern = pattern or next(iter(read), None)
        notes += told
    if len(found) < 2:
        raise next(iter(wrong.values()))
    return found["start"], found["end"]


def _amounts(contracts: Table, name: str, asked: np.ndarray) -> pd.Series:
    """A column of amounts, none of which may be missing for those in the link."""
    return filled(contracts, name, within(contracts, name, missing=True), asked)
