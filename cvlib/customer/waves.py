"""Customers asked more than once: which interview starts the clock, and what the later one is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import Again
from cvlib.customer.files import Plan
from cvlib.customer.joining import LOST, by_id, dates, months
from cvlib.inputs.readers import Table
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.missing import prepare
from cvlib.words.message import message

Array = np.ndarray


def asked_once(survey: Table, plan: Plan, notes: list[str]) -> tuple[Table, Table | None, int]:
    """One row per customer, later interviews, and how many rows were dropped.

    Of the rows of one customer the latest counts. Where a tenth of the customers or more were
    interviewed on several days, the first interview counts instead: only customers who stayed
    can be asked again, so that a clock from the last one would lose the time in which others left.

    Parameters
    ----------
    survey : Table
        One row per interview.
    plan : Plan
        Names id and day.
    notes : list of str
        What is said of it.
    """
    known = plan.customer in survey.data and plan.interview in survey.data
    if not known or not survey.data[plan.customer].duplicated().any():
        return _latest(survey, plan)
    day = dates(survey, plan.interview, notes)
    order = day.sort_values(kind="stable", na_position="first").index
    sorted_ = Table(survey.data.loc[order], source=survey.source, sha256=survey.sha256,
                    files=survey.files)  # fmt: skip
    ids, days = sorted_.data[plan.customer], day.loc[order]
    several = days.groupby(ids).nunique() > 1
    if several.mean() < LOST:
        return _latest(sorted_, plan)
    each = ~pd.DataFrame({"id": ids, "day": days}).duplicated(keep="last")  # same day: the last row
    kept = sorted_.data[each]
    first = ~kept[plan.customer].duplicated(keep="first")
    last = ~kept[plan.customer].duplicated(keep="last") & ~first
    notes.append(message("customer.waves", customers=int(several.sum()), all=len(several)))
    table, _ = by_id(_part(sorted_, kept[first]), plan.customer)
    later, _ = by_id(_part(sorted_, kept[last]), plan.customer)
    return table, later, int((~each).sum())


def _latest(survey: Table, plan: Plan) -> tuple[Table, None, int]:
    table, dropped = by_id(survey, plan.customer)
    return table, None, dropped


def _part(survey: Table, rows: pd.DataFrame) -> Table:
    return Table(rows, source=survey.source, sha256=survey.sha256, files=survey.files)


def asked_again(
    later: Table | None, plan: Plan, order: pd.Index, life: pd.DataFrame, until: pd.Timestamp,
    columns: list[str],
) -> Again | None:  # fmt: skip
    """Second interviews of respondents who were still customers then.

    Parameters
    ----------
    later : Table, optional
        A row per customer.
    plan : Plan
        Names id, day, model.
    order : Index (m,)
        Respondents.
    life : DataFrame
        start and end of the contract by customer.
    until : Timestamp
        Last day of observation.
    columns : list of str
        Of the answers, as they stand in the base.
    """
    if later is None:
        return None
    rows = later.data[later.data[plan.customer].isin(order)]
    if not len(rows):
        return None
    day = dates(Table(rows, source=later.source), plan.interview, [])
    end = life.loc[rows[plan.customer], "end"].to_numpy()
    there = (day.to_numpy() <= until) & ~(end <= day.to_numpy())
    rows, day = rows[there], day[there]
    if not len(rows):
        return None
    chosen = _part(later, rows)
    answers = prepare(open_survey(chosen, plan.model, plan.columns))
    if list(answers.model.columns) != columns:
        return None
    who = rows[plan.customer].loc[answers.index]
    ended = life.loc[who, "end"]
    last = ended.fillna(until).reset_index(drop=True)
    duration = months(last) - months(day.loc[answers.index].reset_index(drop=True)) + 1
    return Again(answers.values, order.get_indexer(pd.Index(who)), duration.to_numpy(float),
                 ended.notna().to_numpy())  # fmt: skip
