"""Tables joined by customer: dates, ids, interviews and what is known of everybody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.customer.files import Plan
from cvlib.inputs.checks import column_of, fault
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.heads import by_usual_names, taken, usual_names
from cvlib.inputs.readers import Table
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.words.message import Message, joined, message

Array = np.ndarray
LOST = 0.1  # share of respondents without behaviour from which a study says so first


def months(days: pd.Series) -> pd.Series:
    """Months since the year 0."""
    return days.dt.year * 12 + days.dt.month


def dates(table: Table, name: str, notes: list[str]) -> pd.Series:
    """A column of dates whose blanks stay blank."""
    values = table.data[name]
    some = replace(table, data=table.data[values.notna()])
    if not len(some.data):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    found, said = to_dates(some, name)
    notes += said
    return found.dt.floor("D").reindex(values.index)


def spelling(ids: pd.Series) -> pd.Series:
    """Ids as text: 17.0 and 17 are one customer."""
    text = ids.map(lambda v: f"{v:.0f}" if isinstance(v, float) and v == int(v) else str(v))
    return text.str.strip()


def by_id(table: Table, name: str) -> tuple[Table, int]:
    """Rows by customer, of several the last; how many were dropped."""
    ids = column_of(table, name)
    if ids.isna().any():
        raise fault(
            table,
            name,
            ids.isna(),
            message("refusals.names_no_customer"),
            message("refusals.fill_it_in_or_drop_the_row"),
        )
    spelt = spelling(ids)
    again = spelt.duplicated(keep="last")
    kept = table.data[~again].assign(**{name: spelt[~again]})
    return replace(table, data=kept), int(again.sum())


def headed(table: Table, customer: str, wanted: Sequence[str] = ()) -> Table:
    """A table whose columns have the names used here, the customer's that of the plan.

    Parameters
    ----------
    table : Table
        As read.
    customer : str
        Column of the customer in the plan; another file may call it by a usual name.
    wanted : sequence of str
        Columns beside it.
    """
    return by_usual_names(table, [customer, *wanted], {customer: ["id", *usual_names()["id"]]})


def independent(
    columns: pd.DataFrame, people: pd.Index, notes: list[str], name: str
) -> pd.DataFrame:
    """Columns that tell these people apart, and tell something that those before them do not.

    Parameters
    ----------
    columns : DataFrame
        Of all customers.
    people : Index
        Those whom a model is fitted to.
    notes : list of str
        Takes which columns were left out.
    name : str
        The parameter that names the columns.
    """
    values = columns.loc[people].to_numpy(float)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    kept: list[int] = []
    for j in range(values.shape[1]):
        if spread[j] <= 1e-12 * max(1.0, float(np.abs(values[:, j]).max())):
            continue
        if np.linalg.matrix_rank(scaled[:, [*kept, j]], tol=1e-6 * len(values) ** 0.5) > len(kept):
            kept.append(j)
    lost = [str(one) for j, one in enumerate(columns) if j not in kept]
    if lost:
        notes.append(message("customer.controls_tell_nothing", names=lost, parameter=name))
    return columns.iloc[:, kept] if kept else columns.iloc[:, :0]


def column(table: Table, name: str) -> str:
    """A column that has to be there."""
    if name not in table.data:
        raise table.lacking(name)
    return name


def day_of(text: str, where: str, otherwise: pd.Timestamp) -> pd.Timestamp:
    """A day as a parameter gives it."""
    if not text:
        return otherwise
    found = pd.to_datetime(text, errors="coerce")
    if found is pd.NaT:
        raise InputError(
            where,
            message("refusals.is_not_a_date", given=text),
            message("refusals.write_it_as_2024_06_30"),
        )
    return found.normalize()


def interviews(survey: Table, plan: Plan, notes: list[str]) -> tuple[pd.Series, bool]:
    """The day of every interview, and whether the file says it."""
    if plan.interview in survey.data:
        day = dates(survey, plan.interview, notes)
        if day.isna().any():
            raise fault(
                survey,
                plan.interview,
                day.isna(),
                message("refusals.is_an_interview_without_a_date"),
                message("refusals.fill_in_the_date_or_drop_the"),
            )
        return day, True
    if not plan.reference_date:
        raise InputError(
            survey.place(plan.interview),
            message("refusals.there_is_no_such_column_and_reference_date"),
            message("refusals.name_the_column_with_the_day_of"),
        )
    one = day_of(plan.reference_date, "reference_date", pd.NaT)
    return pd.Series(one, index=survey.data.index), False


def lookalikes(asked: pd.Index, ids: pd.Index) -> dict[str, object]:
    """Ids of a survey that would be others' but for case, signs or zeros in front, with a pair."""
    plain = pd.Series(ids, index=[_plain(each) for each in ids])
    plain = plain[~plain.index.duplicated(keep=False) & (plain.index != "")]
    other = pd.Series(asked, index=[_plain(each) for each in asked])
    other = other[~other.isin(ids) & other.index.isin(plain.index)]
    if not len(other):
        return {}
    first = other.index[0]
    return {"alike": len(other), "one": str(other.iloc[0]), "other": str(plain[first])}


def _plain(text: object) -> str:
    """What tells ids apart when hands have typed them: letters and digits, no zeros in front."""
    kept = "".join(c for c in unicodedata.normalize("NFKC", str(text)).casefold() if c.isalnum())
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", kept)


def join_notes(asked: pd.Index, ids: pd.Index, repeats: int, other: str) -> list[Message]:
    """What a join lost that its reader may not know: respondents without a match, repeated rows.

    Parameters
    ----------
    asked, ids : Index
        Customers who answered, and whose behaviour is known.
    repeats : int
        Rows of a customer who stands in a file already.
    other : str
        The file of behaviour.

    Returns
    -------
    list of Message
        Unmatched respondents from `LOST` of them on, or where their ids look like others'.
    """
    said: list[Message] = []
    missing, alike = int((~asked.isin(ids)).sum()), lookalikes(asked, ids)
    facts = {"missing": missing, "asked": len(asked), "file": other}
    if alike:
        said.append(message("customer.unmatched_alike", **facts, **alike))
    elif missing >= LOST * len(asked):
        said.append(message("customer.unmatched", **facts))
    if repeats:
        said.append(message("customer.repeated_rows", repeats=repeats))
    return said


def in_both(
    asked: pd.Series, ids: pd.Index, until: pd.Timestamp, column: str, sources: tuple[str, str]
) -> tuple[pd.Series, Array]:
    """Interviews of customers whose behaviour is known, and of which respondents those are.

    Parameters
    ----------
    asked : Series
        Day of the interview by customer.
    ids : Index
        Customers whose behaviour is known.
    until : Timestamp
        Last day of observation.
    column : str
        Of the customer.
    sources : tuple of str
        The survey and the file of behaviour, from which `until` was taken where it was not given.

    Returns
    -------
    tuple
        The interviews, and a mask (n,) of `asked`.

    Raises
    ------
    InputError
        No customer stands in both files, or observation ends before every interview.
    """
    survey, other = sources
    both = asked.index.isin(ids)
    if not both.any():
        alike = lookalikes(asked.index, ids)
        raise InputError(
            survey,
            message("refusals.no_of_the_survey_is_one_of", column=column, file=other),
            joined([
                message("refusals.both_files_need_the_same_ids"),
                message("refusals.ids_alike", **alike) if alike else "",
            ]),
        )  # fmt: skip
    own = asked[both]
    if (own > until).all():
        raise InputError(
            "holdout_end",
            message("customer.window_ends", until=until, source=other, first=own.min()),
            message("customer.window_ends_remedy"),
        )
    return own, both


def features(
    attributes: pd.DataFrame,
    asked: Sequence[str],
    spare: set[str],
    first: tuple[str, ...] = ("log tenure",),
) -> pd.DataFrame:
    """Columns as they enter a model; ``log name`` takes logs."""
    if list(asked) == ["auto"]:
        numbers = attributes.select_dtypes("number").columns
        own = {each.removeprefix("log ") for each in first}
        asked = [*first, *(str(n) for n in numbers if n not in spare | own | {"tenure"})]
    found = {}
    for name in asked:
        log, plain = name.startswith("log "), name.removeprefix("log ").strip()
        if plain not in attributes:
            known = [str(column) for column in attributes]
            raise InputError(
                "controls", message("refusals.no_attribute", name=plain), nearest(plain, known)
            )
        values = attributes[plain]
        if not pd.api.types.is_numeric_dtype(values):
            levels = values.dropna().astype(str).value_counts().index[1:]
            for level in levels[:20]:
                coded = (values.astype(str) == level).astype(float)
                found[f"{plain}: {level}"] = coded.where(values.notna())
            continue
        values = values.astype(float)
        if log and (values <= 0).any():
            raise InputError(
                f"controls, {name}", message("refusals.without_a_logarithm"),
                message("refusals.write_without_log", name=plain),
            )  # fmt: skip
        found[name] = np.log(values) if log else values
    return pd.DataFrame(found, index=attributes.index)


def instrument_of(attributes: pd.DataFrame, plan: Plan, order: pd.Index) -> Array | None:
    """The instrument of the respondents (m,), a number each; None where the plan names none."""
    name = plan.instrument
    if not name:
        return None
    if name not in attributes:
        known = [str(column) for column in attributes]
        raise InputError(
            "instrument", message("refusals.no_attribute", name=name), nearest(name, known)
        )
    values = attributes[name].loc[order]
    if not pd.api.types.is_numeric_dtype(values):
        levels = sorted(values.dropna().astype(str).unique())
        if len(levels) != 2:
            raise InputError("instrument", message("customer.instrument_words", name=name),
                             message("customer.instrument_remedy"))  # fmt: skip
        values = (values.astype(str) == levels[1]).astype(float).where(values.notna())
    values = values.astype(float)
    if values.nunique() < 2:
        raise InputError("instrument", message("customer.instrument_flat", name=name),
                         message("customer.instrument_remedy"))  # fmt: skip
    return np.asarray(values.to_numpy(float))


def known_of_all(
    table: Table | None, plan: Plan, ids: pd.Index, notes: list[str]
) -> tuple[pd.DataFrame, pd.Series, int]:
    """Attributes by customer, the day of their values, and how many rows were dropped."""
    if table is None:
        return pd.DataFrame(index=ids), pd.Series(pd.NaT, index=ids, dtype="datetime64[ns]"), 0
    table, dropped = by_id(headed(table, plan.customer, ["at"]), plan.customer)
    notes += taken(table)
    at = pd.Series(pd.NaT, index=pd.Index(table.data[plan.customer]), dtype="datetime64[ns]")
    attributes = table.data.set_index(plan.customer).reindex(ids)
    if "at" in attributes:
        at = pd.Series(dates(table, "at", notes).to_numpy(), index=at.index)
        attributes = attributes.drop(columns="at")
    return attributes, at, dropped


def followed(
    survey: Table, plan: Plan, own: pd.Series, usable: Array, gone: pd.Series,
    controls: pd.DataFrame, known: pd.DataFrame,
) -> tuple[Survey, pd.Index, Array]:  # fmt: skip
    """Answers of the respondents in the link, everybody at risk, and who of them answered.

    Parameters
    ----------
    survey : Table
        One row per respondent.
    plan : Plan
        Names the id and the model.
    own : Series
        Day of the interview of every respondent with behaviour.
    usable : ndarray of bool
        Of them, in time order.
    gone : Series
        Of all customers, whether they were gone or not yet there at the interviews.
    controls, known : DataFrame
        Of all customers.
    """
    ids = controls.index
    whole = controls.notna().all(axis=1) & known.notna().all(axis=1)
    usable = usable & whole.reindex(own.index).to_numpy()
    rows = survey.data[plan.customer].isin(own.index[usable]).to_numpy()
    chosen = Table(survey.data[rows], source=survey.source, files=survey.files)
    opened = open_survey(chosen, plan.model, plan.columns)
    answers = prepare(opened)
    used = pd.Index(chosen.data[plan.customer].loc[answers.index])
    keep = ~gone & whole
    keep &= ~pd.Series(ids.isin(own.index) & ~ids.isin(used), index=ids)
    base = ids[keep.to_numpy()]
    answered = base.isin(used)
    place = used.get_indexer(base[answered])
    said = answers.warnings
    ordered = replace(
        answers, values=answers.values[place], index=answers.index[place], warnings=said
    )
    return ordered, base, answered
