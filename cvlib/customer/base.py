"""A survey, contracts and attributes as one customer base: joined by id, each clock its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.customer.defaults import settled
from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import AS_IT_IS, Reading, Table, load_table
from cvlib.results import Result
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.words.message import message

Array = np.ndarray
_LATE_SHARE = 0.01  # of respondents; more answers than this after the event are no accident [P]


@dataclass(frozen=True)
class Files:
    """The files of a customer study: names of the catalogue, paths, or tables.

    Parameters
    ----------
    survey, contracts : str, DataFrame or Table
        Answers, and contracts with start, end, fee.
    attributes : str, DataFrame or Table
        Of all customers, before the interview; blank for none.
    costs : str, DataFrame or Table
        construct, points, once, per_period: what improving a driver costs; blank for none.
    reading : Reading
        What files do not say themselves.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.Files("answers.csv", "contracts.csv").attributes
    ''
    """

    survey: str | pd.DataFrame | Table
    contracts: str | pd.DataFrame | Table
    attributes: str | pd.DataFrame | Table = ""
    costs: str | pd.DataFrame | Table = ""
    reading: Reading = AS_IT_IS

    @property
    def opened_costs(self) -> str | pd.DataFrame | Table:
        """The costs as a table, read as the other files are; blank where there are none."""
        table = self.open("costs")
        return "" if table is None else table

    def open(self, name: str) -> Table | None:
        """One of the files as a table; None where it is blank."""
        given = getattr(self, name)
        if isinstance(given, str) and not given:
            return None
        if not isinstance(given, str):
            return load_table(given)
        r = self.reading
        return load_table(
            given, sheet=r.sheet, header_row=r.header_row, encoding=r.encoding, decimal=r.decimal
        )


@dataclass(frozen=True)
class Plan:
    """What joins and orders the files.

    Parameters
    ----------
    customer, interview : str
        Columns of the id and of the day of the interview.
    model : str
        A satisfaction model.
    reference_date : str
        Day of all interviews where the survey names none; blank: their column says it.
    holdout_end : str
        Last day of observation; blank: the last date of the contracts.
    controls : sequence of str
        Attributes that explain leaving beside satisfaction; ``log usage`` takes logs, ``tenure``
        is counted from the start of the contract. ("auto",): log tenure and every number.
    answering : sequence of str
        What may explain who answered; empty: the controls.
    segment : str
        Attribute by which values are shown; blank for none.
    late_answers : {"refuse", "leave_out"}
        Whether answers given after leaving withhold the answer, or are taken out and said so.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.Plan(model="ecsi").interview
    'interviewed_on'
    """

    customer: str = "id"
    interview: str = "interviewed_on"
    model: str = "ecsi"
    reference_date: str = ""
    holdout_end: str = ""
    controls: Sequence[str] = ("auto",)
    answering: Sequence[str] = ()
    segment: str = ""
    late_answers: str = "refuse"


@dataclass(frozen=True, eq=False, repr=False)
class CustomerBase(Result):
    """Customers, who of them answered, what was known before, and what came after.

    Attributes
    ----------
    join_audit : DataFrame
        what, count, share.
    survey : Survey
        Answers of the m respondents in the link, bound to the model.
    ids : Index (n,)
        All customers at risk at the interview (or at its median day).
    answered : ndarray of bool (n,)
    known, controls : DataFrame (n, q), (n, k)
        What may explain answering, and leaving.
    duration, left : ndarray (m,)
        Whole periods from the own interview, and whether the customer left.
    outcomes : DataFrame (m, ...)
        fee, service_cost, referrals, as far as the contracts name them.
    before : DataFrame (m, ...)
        Logs of fee_before and service_cost_before, as far as the attributes name them.
    segment : Series (n,) or None
    dated : bool
        Whether the survey says when each was interviewed.
    late : int
        Respondents who answered after leaving.
    asked : int
        Respondents with behaviour.
    all_answers : DataFrame
        Answers and outcome of every respondent, late ones too, for the gate.
    simulated : bool
    tables_read : tuple of (str, Table)
    warnings : tuple of str
    """

    join_audit: pd.DataFrame
    survey: Survey
    ids: pd.Index
    answered: Array
    known: pd.DataFrame
    controls: pd.DataFrame
    duration: Array
    left: Array
    outcomes: pd.DataFrame
    before: pd.DataFrame
    segment: pd.Series | None
    dated: bool
    late: int
    asked: int
    refuse_late: bool
    simulated: bool
    tables_read: tuple[tuple[str, Table], ...]
    warnings: tuple[str, ...] = ()
    headline_tables = ("join_audit",)

    def noted_in(self, record: Any) -> None:
        """Note every file, its hash and rows in a notebook's record."""
        for name, table in self.tables_read:
            record.used(name, table.source, table.sha256, len(table.data))

    @property
    def respondents(self) -> Array:
        """(m,) positions among all customers."""
        return np.flatnonzero(self.answered)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The audit; what belongs to single customers is no table of a report."""
        return {"join_audit": self.join_audit}

    @property
    def too_late(self) -> bool:
        """Whether answers given after leaving withhold every number in money."""
        return self.refuse_late and self.late > _LATE_SHARE * self.asked


def _months(dates: pd.Series) -> pd.Series:
    return dates.dt.year * 12 + dates.dt.month


def _dates(table: Table, column: str, notes: list[str]) -> pd.Series:
    """A column of dates whose blanks stay blank."""
    values = table.data[column]
    some = Table(table.data[values.notna()], source=table.source, files=table.files)
    if not len(some.data):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    found, said = to_dates(some, column)
    notes += said
    return found.dt.floor("D").reindex(values.index)


def _by_id(table: Table, column: str) -> tuple[Table, int]:
    """Rows by customer, of several the last; how many were dropped."""
    ids = column_of(table, column)
    if ids.isna().any():
        raise fault(table, column, ids.isna(), "names no customer", "Fill it in, or drop the row.")
    spelt = ids.map(lambda v: f"{v:.0f}" if isinstance(v, float) and v == int(v) else str(v))
    spelt = spelt.str.strip()
    again = spelt.duplicated(keep="last")
    kept = table.data[~again].assign(**{column: spelt[~again]})
    return Table(kept, source=table.source, sha256=table.sha256, files=table.files), int(
        again.sum()
    )


def join(files: Files, plan: Plan | None = None) -> CustomerBase:
    """Read the files of a study and join them by customer, each respondent's clock his own.

    Parameters
    ----------
    files : Files
        Survey, contracts, attributes, costs.
    plan : Plan, optional
        Columns, model and controls.

    Returns
    -------
    CustomerBase
        With the audit of the join.

    Raises
    ------
    InputError
        A missing column, no customer in both files, a control that is no attribute.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(400, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> base.dated, base.late
    (True, 0)
    """
    from cvlib.inputs.choices import one_of

    files, plan, left_out = settled(files, plan or Plan())
    one_of("late_answers", plan.late_answers, ("refuse", "leave_out"))
    notes: list[str] = [*left_out]
    opened = [(name, files.open(name)) for name in ("survey", "contracts", "attributes")]
    read = tuple((name, table) for name, table in opened if table is not None)
    survey, twice = _by_id(dict(read)["survey"], plan.customer)
    contracts, doubled = _by_id(dict(read)["contracts"], plan.customer)
    start = _dates(contracts, _column(contracts, "start"), notes)
    if start.isna().any():
        raise fault(contracts, "start", start.isna(), "is a contract without a first day",
                    "Fill in the date.")  # fmt: skip
    end = _dates(contracts, _column(contracts, "end"), notes)
    wrong = end < start
    if wrong.any():
        raise fault(contracts, "end", wrong, "{value} is before the contract's first day",
                    "Correct the date.")  # fmt: skip
    ids = pd.Index(contracts.data[plan.customer])
    life = pd.DataFrame({"start": start.to_numpy(), "end": end.to_numpy()}, index=ids)
    until = _day(plan.holdout_end, "holdout_end", max(start.max(), end.max()))
    life["end"] = life["end"].where(life["end"] <= until)
    day, dated = _interviews(survey, plan, notes)
    asked = pd.Series(day.to_numpy(), index=pd.Index(survey.data[plan.customer]))
    both = asked.index.isin(ids)
    if not both.any():
        raise InputError(
            survey.source, f"no {plan.customer} of the survey is one of {contracts.source}",
            "Both files need the same ids.",
        )  # fmt: skip
    own = asked[both]
    mine = life.loc[own.index]
    late = (mine["end"] <= own).to_numpy()
    outside = ~late & ((own > until) | (mine["start"] > own)).to_numpy()
    table, dropped = (dict(read).get("attributes"), 0)
    attributes = pd.DataFrame(index=ids)
    newer = np.zeros(len(own), dtype=bool)
    if table is not None:
        table, dropped = _by_id(table, plan.customer)
        attributes = table.data.set_index(plan.customer).reindex(ids)
        if "at" in attributes:
            at = pd.Series(_dates(table, "at", notes).to_numpy(), table.data[plan.customer])
            newer = (at.reindex(own.index) > own).to_numpy() & ~late & ~outside
            attributes = attributes.drop(columns="at")
    middle = pd.Timestamp(own.sort_values().iloc[len(own) // 2])
    clock = own.reindex(ids).fillna(middle)
    gone = ((life["end"] <= clock) | (life["start"] > clock)) & ~pd.Series(
        np.isin(ids, own.index), index=ids
    )
    attributes = attributes.assign(
        tenure=np.maximum(_months(clock) - _months(life["start"]), 1).to_numpy(float)
    )
    spare = {"fee_before", "service_cost_before"}
    controls = _features(attributes, plan.controls, spare, table)
    known = _features(attributes, plan.answering, spare, table) if plan.answering else controls
    complete = (controls.notna().all(axis=1) & known.notna().all(axis=1)).reindex(own.index)
    usable = ~late & ~outside & ~newer & complete.to_numpy()
    rows = survey.data[plan.customer].isin(own.index[usable]).to_numpy()
    chosen = Table(survey.data[rows], source=survey.source, files=survey.files)
    answers = prepare(open_survey(chosen, plan.model))
    used = pd.Index(chosen.data[plan.customer].loc[answers.index])
    keep = ~gone & (controls.notna().all(axis=1) & known.notna().all(axis=1))
    keep &= ~pd.Series(np.isin(ids, own.index) & ~np.isin(ids, used), index=ids)
    base = ids[keep.to_numpy()]
    answered = np.isin(base, used)
    order = base[answered]
    place = pd.Index(used).get_indexer(order)
    answers = _reordered(answers, place)
    mine, when = life.loc[order], asked.loc[order]
    left = mine["end"].notna().to_numpy()
    last = mine["end"].fillna(until)
    duration = (_months(last) - _months(when) + 1).to_numpy(float)
    paid = contracts.data.set_index(plan.customer)
    outcomes = pd.DataFrame(
        {
            name: numeric(contracts, name)[0].set_axis(ids).loc[order].to_numpy(float)
            for name in ("fee", "service_cost", "referrals")
            if name in paid
        },
        index=order,
    )
    before = pd.DataFrame(
        {
            name: np.log(pd.to_numeric(attributes[name], errors="coerce").where(lambda v: v > 0))
            for name in sorted(spare & set(attributes))
        },
        index=ids,
    ).loc[order]
    if "fee" not in outcomes:
        raise InputError(contracts.place("fee"), "there is no such column",
                         "A column fee says what each customer pays per month.")  # fmt: skip
    counted = [
        ("customers in the contracts", len(ids)),
        ("respondents", len(asked)),
        ("respondents without behaviour", int((~both).sum())),
        ("customers without an interview", int((~np.isin(ids, own.index)).sum())),
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
        raise InputError(
            contracts.source, f"{len(order)} respondents can be followed and {int(left.sum())} of "
            "them left: too few", "A link needs 50 respondents and 10 who left, and some who stay.",
        )  # fmt: skip
    told = [] if dated else [message("customer.undated")]
    simulated = any("simulated" in t.source for _, t in read)
    return CustomerBase(
        audit.assign(share=audit["count"] / len(ids)), answers, base, answered,
        known.loc[base], controls.loc[base], duration, left, outcomes, before,
        attributes[plan.segment].loc[base].astype(str) if plan.segment else None,
        dated, int(late.sum()), len(own), plan.late_answers == "refuse", simulated, read,
        (*notes, *told, *answers.warnings),
    )  # fmt: skip


def _column(table: Table, name: str) -> str:
    if name not in table.data:
        known = [str(column) for column in table.data]
        raise InputError(table.place(name), "there is no such column", nearest(name, known))
    return name


def _day(text: str, where: str, otherwise: pd.Timestamp) -> pd.Timestamp:
    if not text:
        return otherwise
    found = pd.to_datetime(text, errors="coerce")
    if found is pd.NaT:
        raise InputError(where, f"{text!r} is not a date", "Write it as 2024-06-30.")
    return found.normalize()


def _interviews(survey: Table, plan: Plan, notes: list[str]) -> tuple[pd.Series, bool]:
    """The day of every interview, and whether the file says it."""
    if plan.interview in survey.data:
        day = _dates(survey, plan.interview, notes)
        if day.isna().any():
            raise fault(survey, plan.interview, day.isna(), "is an interview without a date",
                        "Fill in the date, or drop the row.")  # fmt: skip
        return day, True
    if not plan.reference_date:
        raise InputError(
            survey.place(plan.interview), "there is no such column, and reference_date is blank",
            "Name the column with the day of the interview as interview, or give reference_date.",
        )  # fmt: skip
    one = _day(plan.reference_date, "reference_date", pd.NaT)
    return pd.Series(one, index=survey.data.index), False


def _features(
    attributes: pd.DataFrame, asked: Sequence[str], spare: set[str], table: Table | None
) -> pd.DataFrame:
    """Columns as they enter a model; ``log name`` takes logs."""
    if list(asked) == ["auto"]:
        numbers = attributes.select_dtypes("number").columns
        asked = ["log tenure", *(str(n) for n in numbers if n not in {*spare, "tenure"})]
    found = {}
    for name in asked:
        log, plain = name.startswith("log "), name.removeprefix("log ").strip()
        if plain not in attributes:
            known = [str(column) for column in attributes]
            raise InputError("controls", f"there is no attribute {plain!r}", nearest(plain, known))
        values = attributes[plain]
        if not pd.api.types.is_numeric_dtype(values):
            levels = values.dropna().astype(str).value_counts().index[1:]
            for level in levels[:20]:
                coded = (values.astype(str) == level).astype(float)
                found[f"{plain}: {level}"] = coded.where(values.notna())
            continue
        values = values.astype(float)
        if log and (values <= 0).any():
            raise InputError(f"controls, {name}", "holds values of 0 or less, without a logarithm",
                             f"Write {plain} without log.")  # fmt: skip
        found[name] = np.log(values) if log else values
    return pd.DataFrame(found, index=attributes.index)


def _reordered(survey: Survey, place: Array) -> Survey:
    from dataclasses import replace

    return replace(survey, values=survey.values[place], index=survey.index[place])
