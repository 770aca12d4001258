"""A survey and a log of purchases as one customer base: before and after each own interview."""

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
    spelling,
)
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import Table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.words.message import message

Array = np.ndarray
CONTROLS = ("past_purchases", "silence")
_WEEK, _MONTHS = 7.0, 365.25 / 12


def join_purchases(files: Files, plan: Plan, notes: list[str]) -> CustomerBase:
    """Join a survey and a log of purchases; see `join`.

    What is known before the interview are past_purchases, log(1 + repeat purchase days), and
    silence, the share of time since the first purchase that has passed since the last one. A
    purchase on the day of the interview comes after it.

    Parameters
    ----------
    files : Files
        With transactions.
    plan : Plan
        Columns, model, controls.
    notes : list of str
        What was said before.

    Returns
    -------
    CustomerBase

    Raises
    ------
    InputError
        A log that cannot be read, no customer in both, nobody bought or everybody did.
    """
    table = files.open("survey")
    assert table is not None
    survey, twice = by_id(headed(table, plan.customer, [plan.interview]), plan.customer)
    notes += taken(survey)
    log = transaction_log(files.transactions, LogRules(plan.customer, reading=files.reading))
    until = day_of(plan.holdout_end, "holdout_end", pd.Timestamp(log.last_day))
    bought = log.purchase_days(until.date())
    rows = pd.DataFrame(index=range(log.rows))  # counted, not kept
    opened = (("survey", table), ("transactions", Table(rows, source=log.source,
                                                        sha256=log.sha256)))  # fmt: skip
    notes += log.warnings
    log.close()
    bought["customer_id"] = spelling(bought["customer_id"])
    first = bought.groupby("customer_id", sort=True)["day"].min()
    ids = pd.Index(first.index)
    day, dated = interviews(survey, plan, notes)
    asked = pd.Series(day.to_numpy(), index=pd.Index(survey.data[plan.customer]))
    own, both = in_both(asked, ids, until, plan.customer, (survey.source, log.source))
    notes += join_notes(asked.index, ids, twice, log.source)
    outside = ((own > until) | (first.reindex(own.index) >= own)).to_numpy()
    given = files.open("attributes")
    attributes, at, dropped = known_of_all(given, plan, ids, notes)
    newer = (at.reindex(own.index) > own).to_numpy() & ~outside
    clock = own.reindex(ids).fillna(pd.Timestamp(own.sort_values().iloc[len(own) // 2]))
    before = bought[bought["day"].to_numpy() < clock.reindex(bought["customer_id"]).to_numpy()]
    past, whole = _histories(before, first, clock), _histories(bought, first, until)
    gone = (first >= clock) & ~pd.Series(ids.isin(own.index), index=ids)
    attributes = attributes.assign(
        tenure=np.maximum(past["T"] * _WEEK / _MONTHS, 1.0),
        past_purchases=np.log1p(past["x"]),
        silence=((past["T"] - past["t_x"]) / past["T"]).fillna(0.0),
    )
    controls = features(attributes, plan.controls, {plan.instrument}, CONTROLS)
    known = features(attributes, plan.answering, set()) if plan.answering else controls
    answers, base, answered = followed(survey, plan, own, ~outside & ~newer, gone, controls, known)
    order = base[answered]
    controls = independent(controls, order, notes, "controls")
    known = independent(known, base, notes, "answering") if plan.answering else controls
    after = (whole["x"] - past["x"]).loc[order].to_numpy(float)
    active = after > 0
    if len(order) < 50 or min(active.sum(), (~active).sum()) < 10:
        few = len(order) < 50 or active.sum() < 10
        raise InputError(
            log.source,
            message(
                f"customer.link_{'few_bought' if few else 'all_bought'}", people=len(order),
                bought=int(active.sum()),
            ),
            message("customer.link_bought_remedy"),
        )  # fmt: skip
    rest = bought[bought["day"].to_numpy() >= clock.reindex(bought["customer_id"]).to_numpy()]
    spent = rest.groupby("customer_id")["amount"].mean().reindex(order).to_numpy(float)
    earlier = before.groupby("customer_id")["amount"].mean().reindex(order).to_numpy(float)
    counted = [
        ("customers in the transactions", len(ids)),
        ("respondents", len(asked)),
        ("respondents without behaviour", int((~both).sum())),
        ("customers without an interview", int((~ids.isin(own.index)).sum())),
        ("gone or not yet there at the interviews", int(gone.sum())),
        ("duplicates, the latest kept", twice + dropped),
        ("interviewed before the first purchase or after the window", int(outside.sum())),
        ("attributes dated after the interview", int(newer.sum())),
        ("incomplete answers or attributes", int((~outside & ~newer).sum() - len(order))),
        ("respondents in the link", len(order)),
        ("of them bought after the interview", int(active.sum())),
    ]
    audit = pd.DataFrame(counted, columns=["what", "count"])
    told = [] if dated else [message("customer.undated")]
    weeks = (until - clock.loc[order]).dt.days.to_numpy(float) / _WEEK
    read = (*opened, *((("attributes", given),) if given is not None else ()))
    return CustomerBase(
        audit.assign(share=audit["count"] / len(ids)), answers, base, answered,
        known.loc[base], controls.loc[base], np.ones(len(order)), ~active,
        pd.DataFrame({"fee": spent, "purchases": after, "weeks": weeks}, index=order),
        pd.DataFrame({"fee_before": np.log(np.where(earlier > 0, earlier, np.nan))}, index=order),
        attributes[plan.segment].loc[base].astype(str) if plan.segment else None,
        dated, 0, len(own), plan.late_answers == "refuse",
        any("simulated" in t.source for _, t in read), read,
        (*notes, *told, *answers.warnings), kind="transactions", histories=whole.loc[order],
        past=past.loc[order], year=1, customer=plan.customer,
        asked_on=asked.loc[order], window=float(weeks.max() * _WEEK / _MONTHS),
        instrument=instrument_of(attributes, plan, order),
    )  # fmt: skip


def _histories(
    bought: pd.DataFrame, first: pd.Series, until: pd.Series | pd.Timestamp
) -> pd.DataFrame:
    """x, t_x and T in weeks of every customer, 0 where nothing was bought before `until`."""
    days = bought.groupby("customer_id")["day"]
    last = days.max().reindex(first.index)
    count = days.size().reindex(first.index).fillna(0)
    return pd.DataFrame(
        {
            "x": np.maximum(count - 1, 0),
            "t_x": (last - first).dt.days.fillna(0) / _WEEK,
            "T": np.maximum((until - first).dt.days, 0) / _WEEK,
        }
    )
