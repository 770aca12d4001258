"""One log of products as a study reads it: segments, grades, past and future value, accounts"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.columns import labels, within
from cvlib.inputs.errors import InputError, reason_of
from cvlib.inputs.readers import Table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.lifetime.decisions.accounts import account_draws, key_account_sheet
from cvlib.lifetime.decisions.axes import (
    GRADES,
    eight_segments,
    past_and_future_value,
    spend_grades,
)
from cvlib.lifetime.decisions.products import read_products
from cvlib.lifetime.purchases.summary import PurchaseSummary, summarise_purchases
from cvlib.lifetime.repeat_buying.fit import fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.statistics.classes import by_number
from cvlib.statistics.proportions import wilson
from cvlib.words.message import message

MONTH = 365.25 / 12  # days


def _summary(log: Table, cut: pd.Timestamp | None = None) -> tuple[PurchaseSummary, pd.DataFrame]:
    """The log at a date, and its customers."""
    rows, _ = read_products(log)
    last = rows["date"].max() if cut is None else cut
    known = transaction_log(rows, LogRules("customer", "date", "amount"))
    summary = summarise_purchases(known, calibration_end=f"{last:%Y-%m-%d}", unit="week")
    people = summary.customers if summary.customers is not None else pd.DataFrame()
    return summary, people


def segments_of(
    found: Finding, log: Table, grade_cutoffs: Sequence[float] = ()
) -> tuple[Finding, Finding]:
    """Eight segments and grades by spend, from what `current_and_potential` found.

    Loyalty is the probability of being active under the BG/NBD model.

    Parameters
    ----------
    found : Finding
        Of `current_and_potential`.
    log : Table
        The same log.
    grade_cutoffs : sequence of float
        As in `spend_grades`: least spend of the last 12 months.

    Returns
    -------
    segments, grades : Finding
    """
    summary, people = _summary(log, found.facts["cut"])
    people = people.set_index(people["customer_id"].astype(str))
    potential, spent = found.facts["potential"], found.facts["model"].current.to_numpy()
    grades = spend_grades(list(spent), list(potential), grade_cutoffs)
    if not people["x"].any():
        why = message("lifetime.nobody_again", customers=len(people))
        return Finding({}, message("decisions.segments_left_out", reason=why)), grades
    fit = fit_repeat_buying(summary, "bg_nbd")
    alive = pd.Series(fit.p_alive(people["x"], people["t_x"], people["T"]), index=people.index)
    loyal = alive.reindex(potential.index.astype(str)).fillna(0.0).to_numpy()
    current = found.facts["current"].to_numpy()
    return eight_segments(list(current), list(potential), list(loyal)), grades


def hwang_of(
    found: Finding, log: Table, annual_rate: float, margin: float, horizon: int, level: float = 0.95
) -> Finding:
    """Past and future value of all customers, counted as Hwang, Jung & Suh (2004) do.

    Parameters
    ----------
    found : Finding
        Of `current_and_potential`.
    log : Table
        The same log.
    annual_rate, margin : float
        Discount rate per year, share of spend that is margin.
    horizon : int
        The same days after the cut.
    level : float
        Of the interval of churn: those of the year before the cut who did not buy within the
        horizon, brought to a month.

    Returns
    -------
    Finding
        hwang_value: part (past, future_current, future_potential, whole), value, share; empty,
        with the reason, where 1 ÷ churn has no value.
    """
    model, cut = found.facts["model"], found.facts["cut"]
    here = model.current > 0
    people, stayed = int(here.sum()), int((here & (model.later.sum(axis=1) > 0)).sum())
    if stayed == people:
        kind = "hwang_all_stay" if people else "hwang_nobody"
        reason = message(f"decisions.{kind}", people=people)
        return Finding({}, message("decisions.hwang_none", reason=reason))
    months, rate = horizon / MONTH, (1 + annual_rate) ** (1 / 12) - 1
    rows, _ = read_products(log)
    past = rows[rows["date"] <= cut]
    ago = ((cut - past["date"]).dt.days // MONTH).astype(int)
    earned = margin * past["amount"].groupby(ago).sum()
    by_month = earned.reindex(range(int(ago.max()), -1, -1), fill_value=0.0).to_list()
    future = float(found.facts["current"].sum()) / 12
    benefit = float(found.facts["potential"].sum()) / months

    def value(kept: float, benefit: float = benefit) -> tuple[dict[str, float], float]:
        churn = 1 - kept ** (1 / months)
        return past_and_future_value(by_month, future, benefit, 1 / churn, rate), churn

    low, high = (min(float(end), 1 - 1e-6) for end in wilson(stayed, people, level))
    (whole, churn), (without, _) = value(stayed / people), value(stayed / people, 0.0)
    parts = {
        "past": whole["past_value"], "future_current": without["future_value"],
        "future_potential": whole["future_value"] - without["future_value"],
        "whole": whole["value"],
    }  # fmt: skip
    table = pd.DataFrame({"part": list(parts), "value": list(parts.values())})
    table["share"] = table["value"] / whole["value"]
    said = message(
        "decisions.hwang", value=whole["value"], past=parts["past"] / whole["value"],
        potential=parts["future_potential"] / whole["value"], churn=churn, people=people,
        months=int(1 / churn) + 1, low=value(low)[0]["value"], high=value(high)[0]["value"],
        level=level,
    )  # fmt: skip
    return Finding({"hwang_value": table}, said, (), {"churn": churn, **parts})


def accounts_of(
    log: Table,
    annual_rate: float,
    margin: float,
    settings: resample.Bootstrap,
    top: int = 5,
    *,
    notes: Table | None = None,
    network: Finding | None = None,
) -> Finding:
    """The key-account sheet of a log, with grade and risk; without one, the reason.

    Parameters
    ----------
    log : Table
        customer, date, amount; all of it is used.
    annual_rate, margin : float
        Discount rate per year, share of spend that is margin.
    settings : Bootstrap
        Draws, seed and level.
    top : int
        Accounts shown.
    notes : Table, optional
        customer and, as far as known, satisfaction and complaints.
    network : Finding, optional
        Of `network_value` with the same ids: the attributed value of each account.

    Returns
    -------
    Finding
        As `key_account_sheet`, with grade (by spend of the last 12 months), risk (1 − P(alive)) and
        what notes and network tell; empty, with the reason as its sentence, where no model applies.
    """
    try:
        summary, people = _summary(log)
        fit, spend = fit_repeat_buying(summary, "bg_nbd"), fit_spend(summary)
        draws = account_draws(people, fit, spend, annual_rate, margin, top=top, settings=settings)
    except np.linalg.LinAlgError:
        reason: str = message("decisions.accounts_ridge")
        return Finding({}, message("decisions.accounts_left_out", reason=reason))
    except InputError as error:
        return Finding({}, message("decisions.accounts_left_out", reason=reason_of(error)))
    names = people["customer_id"].astype(str)
    alive = fit.p_alive(people["x"], people["t_x"], people["T"])
    rows, _ = read_products(log)
    recent = rows[rows["date"] > rows["date"].max() - pd.Timedelta(days=365)]
    spent = recent.groupby("customer")["amount"].sum().reindex(names).fillna(0.0).to_numpy()
    grade = np.array(list(GRADES))[by_number(spent, list(GRADES.values()))]
    beside = {
        "grade": dict(zip(names, grade.tolist(), strict=True)),
        "risk": dict(zip(names, 1 - np.asarray(alive), strict=True)),
    }
    if notes is not None:
        who = labels(notes, "customer").astype(str)
        for column in ("satisfaction", "complaints"):
            if column in notes.data:
                beside[column] = dict(zip(who, within(notes, column, 0), strict=True))
    if network is not None:
        known = network["network_value"]
        named = known["customer"].astype(str)
        if named.isin(names).any():
            beside["attributed_value"] = dict(zip(named, known["attributed_value"], strict=True))
    return key_account_sheet(draws, beside, top, level=settings.level)
