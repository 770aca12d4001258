"""A table of contracts: how long each has run, whether it ended, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_string_dtype

from cvlib.inputs.checks import as_table, column_of, fault, left_out_of, numeric
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError
from cvlib.inputs.left import has_left, label, short
from cvlib.inputs.readers import Table
from cvlib.inputs.text import numbers
from cvlib.inputs.totals import refuse_totals
from cvlib.inputs.transactions_rules import check_pattern
from cvlib.words.message import Message, message

# Names under which other programs write the columns, without case, blanks and underlines.
_USUAL = {
    "customer": {"customerid", "custid", "customer", "clientid", "clientnum", "userid", "memberid",
                 "subscriberid", "contractid", "id", "客户编号", "客户id", "会员号", "会员编号",
                 "合同编号"},
    "duration": {"tenure", "tenureinmonths", "tenuremonths", "duration", "monthsonbook", "months",
                 "accountlength", "在网时长", "合同时长", "持续期"},
    "event": {"churn", "churned", "churnlabel", "churnvalue", "exited", "attrition",
              "attritionflag", "customerstatus", "status", "left", "cancelled", "canceled",
              "是否流失", "流失"},
}  # fmt: skip
_MONTHS = 12
# How other programs write, in the column of the last day, that a contract still runs.
_RUNNING = {"-", "--", "—", "–", "/", "active", "current", "currently active", "running", "ongoing",
            "open", "present", "none", "n/a", "na", "null", "nat", "still active", "still there",
            "never", "no", "0", "至今", "在网", "有效", "无", "进行中", "未结束",
            "生效中"}  # fmt: skip
_NEVER = r"(?:9999|2999)[-/.年]?\d{1,2}"


@dataclass(frozen=True)
class ContractColumns:
    """Where a table of contracts says how long each ran and how it ended.

    Parameters
    ----------
    duration, event : str
        Periods kept so far, and whether the customer has left. Where there is no such column, a
        single one of a usual other name is taken and reported.
    event_value : tuple of str
        The values of `event` that mean left; all others mean still there. Empty: obvious pairs
        (Yes/No, Y/N, Churned/Stayed, 1/0 and the like) are recognised.
    customer : str
        Column that tells contracts apart; empty: one of a usual name, if there is one.
    reason : str
        Column that says why a customer left, for incidence by reason; empty = none.
    start, end : str
        Dates of the contract: `duration` and `event` are then derived, and need not be there. A
        blank end is a contract that still runs.
    observed_until : str
        Last day of observation when dates are given; empty: the last date in the two columns.
    periods_per_year : float
        Length of a period when durations are derived from dates.
    observed_from : str
        First day of observation when dates are given: contracts that began before are at risk from
        the age they had then, and those that ended before are not there. Empty: all are seen from
        their first day.
    date_format : str
        A strftime pattern where the dates do not say theirs; ``excel`` for day numbers of a
        spreadsheet.

    Raises
    ------
    InputError
        Columns that go together and of which one is missing, labels that are no list, or a day that
        is no date.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.ContractColumns(duration="months", event="left").event
    'left'
    """

    duration: str = "tenure"
    event: str = "Churn"
    event_value: tuple[str, ...] = ()
    customer: str = ""
    reason: str = ""
    start: str = ""
    end: str = ""
    observed_until: str = ""
    periods_per_year: float = 12.0
    observed_from: str = ""
    date_format: str = ""

    def __post_init__(self) -> None:
        values = self.event_value
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise InputError(
                "event_value",
                message("refusals.is_not_a_list", values=values),
                message("refusals.write_the_labels_as_a"),
            )
        object.__setattr__(self, "event_value", tuple(label(value) for value in values))
        if bool(self.end) and not self.start:
            raise InputError(
                "end",
                message("refusals.is_given_without_start"),
                message("refusals.name_the_column_of_the"),
            )
        for day in filter(None, (self.observed_until, self.observed_from)):
            _day(day)
        if self.observed_from and not (self.start and self.end):
            raise InputError(
                "observed_from",
                message("refusals.is_given_without_start_and"),
                message("refusals.name_these_columns_as_well"),
            )
        check_pattern(self.date_format)
        if not self.periods_per_year > 0:
            raise InputError(
                "periods_per_year",
                message("refusals.is_not_positive", periods_per_year=self.periods_per_year),
                message("refusals.12_means_months"),
            )


@dataclass(frozen=True, eq=False)
class CheckedContracts:
    """Contracts that keep their contract.

    Attributes
    ----------
    data : DataFrame
        The columns that may be covariates: those that play no other part.
    duration : Series of float
        Whole periods; a customer who left in a period counts it, so that a loss has 1 or more.
    event : Series of bool
        Left.
    reason : Series of str or None
        Why, of those who left ("not stated" where the cell is blank); None without such a column.
    start : Series of datetime64 or None
    entry : Series of float or None
        Whole periods served when observation began; None where all are seen from the first day.
    end : Series of datetime64 or None
        Last day, missing while a contract runs.
    left_out : DataFrame
        column, reason, count, share.
    warnings : tuple of str
    source : str
    """

    data: pd.DataFrame
    duration: pd.Series
    event: pd.Series
    reason: pd.Series | None
    start: pd.Series | None
    left_out: pd.DataFrame
    warnings: tuple[str, ...] = ()
    source: str = "table in memory"
    columns: ContractColumns = field(default_factory=ContractColumns)
    entry: pd.Series | None = None
    end: pd.Series | None = None


def check_contracts(
    table: Table | pd.DataFrame, columns: ContractColumns | None = None, *, file: str = ""
) -> CheckedContracts:
    """Check a table of contracts: one row per contract.

    A contract that ended within its first period (duration 0) is a loss of the first period: it
    was at risk in it. One that runs and has not yet lasted a whole period tells nothing.

    Parameters
    ----------
    table : Table or DataFrame
        One row per contract.
    columns : ContractColumns, optional
        Which column says what.
    file : str, optional
        Name of a DataFrame in error messages.

    Returns
    -------
    CheckedContracts
        The table, where in it things stand, and what was left out.

    Raises
    ------
    InputError
        A missing column, text in a number, a negative duration, an unknown label of leaving, an id
        on several rows, an end before its start.

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> table = pd.DataFrame({"tenure": [3, 7], "Churn": ["Yes", "No"]})
    >>> cv.lifetime.check_contracts(table).event.tolist()
    [True, False]
    """
    table = as_table(table, file)
    given = columns or ContractColumns()
    notes: list[str] = list(table.warnings)
    rows: list[tuple[str, str, int]] = []
    named = (given.reason, given.start, given.end)
    for name in (given.reason, given.start):
        if name:
            column_of(table, name)
    used = [name for name in named if name]
    customer = _one_contract_a_row(table, given.customer)
    used += [customer] if customer else []
    start = contract_days(table, given.start, notes, given.date_format) if given.start else None
    entry = ended = None
    if given.start and given.end:
        assert start is not None
        used += [name for name in (given.duration, given.event) if name in table.data.columns]
        ended = contract_days(table, given.end, notes, given.date_format, blank=True)
        keep, duration, event, said = _from_dates(table, given, start, ended)
        notes += said
        if not keep.all():
            rows.append((given.start, "begins after the end of observation", int((~keep).sum())))
        if given.observed_from:
            entry = _served(start, _day(given.observed_from), given.periods_per_year)
            unseen = keep & (entry > 0) & (duration <= entry)
            rows.append((given.end, "over before observation began", int(unseen.sum())))
            keep &= ~unseen
            if not keep.any():
                raise InputError(
                    "observed_from",
                    message("refusals.leaves_no_contract"),
                    message("refusals.give_an_earlier_day"),
                )
            entry = entry[keep]
        table = replace(table, data=table.data[keep])
        duration, event, start, ended = (v[keep] for v in (duration, event, start, ended))
    else:
        names = {
            role: _role(table, role, getattr(given, role), notes) for role in ("duration", "event")
        }
        used += list(names.values())
        event = has_left(table, names["event"], given.event_value, notes)
        duration = _whole(table, names["duration"], event, notes)
        refuse_totals(table, customer, numeric(table, names["duration"])[0])
    reason = None
    if given.reason:
        written = table.data[given.reason].astype("str").str.strip()
        reason = written.mask(table.data[given.reason].isna() | (written == ""), "not stated")
        reason = reason.where(event)
    rest = table.data[[name for name in table.data.columns if name not in used]]
    counts = left_out_of(table, [], rows, len(table.data) + sum(row[2] for row in rows))
    return CheckedContracts(
        rest, duration, event, reason, start, counts, tuple(notes), table.source, given,
        entry if entry is not None and (entry > 0).any() else None, ended,
    )  # fmt: skip


def _role(table: Table, role: str, name: str, notes: list[str]) -> str:
    """The column named, or the one of a usual other name where the name is the usual one too."""
    if name in table.data.columns or short(name) not in _USUAL[role]:
        column_of(table, name)
        return name
    found = [str(column) for column in table.data if short(column) in _USUAL[role]]
    if len(found) == 1:
        if short(found[0]) != role:
            notes.append(
                message("inputs.contracts_role", source=table.source, column=found[0], role=role)
            )
        column_of(table, found[0])
        return found[0]
    if found:
        raise InputError(
            table.source,
            message("refusals.could_be_any_of_the_columns", role=role, columns=", ".join(found)),
            message("refusals.name_one_of_them_as_the_parameter", role=role),
        )
    other = ", or give start and end." if role == "duration" else "."
    raise table.lacking(name, f"Name the column as the parameter {role}{other}")


def _one_contract_a_row(table: Table, customer: str) -> str:
    """The column of ids, each of which may stand on one row only; empty when there is none."""
    if customer:
        column_of(table, customer)
    else:
        found = [str(name) for name in table.data if short(name) in _USUAL["customer"]]
        if len(found) != 1:
            return ""
        customer = found[0]
    ids = table.data[customer].dropna()
    again = ids.duplicated()
    if again.any():
        raise fault(
            table,
            customer,
            table.data[customer].duplicated() & table.data[customer].notna(),
            message(
                "refusals.value_is_there_again_rows_of_customers",
                rows=len(ids),
                customers=ids.nunique(),
                value="{value}",
            ),
            message("refusals.of_rows_by_customer_and_month_keep"),
        )
    return customer


def _whole(table: Table, column: str, event: pd.Series, notes: list[str]) -> pd.Series:
    """Whole periods: those begun by who left, those completed by who is still there."""
    duration, _ = numeric(table, column)
    bad = ~((duration >= 0) & np.isfinite(duration))
    if bad.any():
        raise fault(
            table, column, bad, message("refusals.value_is_not_a_duration", value="{value}"),
            message("refusals.give_a_number_of_periods_0_or"),
        )  # fmt: skip
    broken = duration % 1 != 0
    if broken.any():
        notes.append(
            message(
                "inputs.contracts_fractions",
                source=table.source,
                column=column,
                count=int(broken.sum()),
            )
        )
    at_once = event & (duration == 0)
    if at_once.any():
        notes.append(
            message("inputs.contracts_first_period", source=table.source, count=int(at_once.sum()))
        )
    return pd.Series(
        np.where(event, np.maximum(np.ceil(duration), 1), np.floor(duration)), index=duration.index
    )


def _day(value: object) -> pd.Timestamp:
    found = pd.to_datetime(str(value), errors="coerce")
    if found is pd.NaT:
        raise InputError(
            "observed_until",
            message("refusals.is_not_a_date", given=value),
            message("refusals.write_it_as_2024_06_30"),
        )
    return found.normalize()


def contract_days(
    table: Table, column: str, notes: list[str], pattern: str | None, blank: bool = False
) -> pd.Series:
    """Days of a column; with `blank` a cell may be empty, or say in words that a contract runs."""
    if column not in table.data:
        raise table.lacking(column)
    cells = table.data[column]
    empty = cells.isna()
    if blank and not is_datetime64_any_dtype(cells.dtype):
        words = cells.astype("str").str.strip().str.casefold()
        runs = ~empty & (words.isin(_RUNNING) | words.str.match(_NEVER))
        if runs.any():
            shown = sorted(set(cells[runs].astype("str").str.strip()))
            notes.append(
                message("inputs.contracts_running", source=table.source, column=column, words=shown)
            )
        empty |= runs
    if empty.all() and blank:
        return pd.Series(pd.NaT, index=cells.index, dtype="datetime64[ns]")
    if empty.any() and not blank:
        raise fault(
            table, column, empty, message("refusals.is_a_contract_without_a_first_day"),
            message("refusals.fill_in_the_date"),
        )  # fmt: skip
    filled = table.data.loc[~empty, [column]]
    # what stood beside words is text; numbers among them are day numbers or dates such as 20240131
    filled = numbers(filled, None, []) if is_string_dtype(filled[column].dtype) else filled
    found, said = to_dates(replace(table, data=filled), column, pattern)
    notes += said
    return found.dt.floor("D").reindex(table.data.index)


def _from_dates(
    table: Table, given: ContractColumns, start: pd.Series, end: pd.Series
) -> tuple[pd.Series, pd.Series, pd.Series, list[Message]]:
    """Which contracts had begun, whole periods, whether they ended, and what had to be assumed."""
    wrong = end < start
    if wrong.any():
        raise fault(
            table,
            given.end,
            wrong,
            message("refusals.value_is_before_the_contracts_first_day", value="{value}"),
            message("refusals.correct_the_date"),
        )
    if given.observed_until != "":
        until = _day(given.observed_until)
    else:
        until = max(day for day in (start.max(), end.max()) if day is not pd.NaT)
        today = pd.Timestamp(dt.date.today())
        if until > today + pd.Timedelta(days=1):
            late = (end if end.max() is not pd.NaT and end.max() == until else start) == until
            raise fault(
                table, given.end if end.max() == until else given.start, late,
                message("refusals.value_lies_in_the_future", value="{value}"),
                message("refusals.give_the_last_day_of_observation_as"),
            )  # fmt: skip
    keep = start <= until
    if not keep.any():
        raise InputError(
            "observed_until",
            message("refusals.no_contract_had_begun_by", day=until.date()),
            message("refusals.give_a_later_day"),
        )
    event = end.notna() & (end <= until)
    last = end.where(event, until)
    whole, begun = _periods(start, last, given.periods_per_year)
    said = [
        message(
            "inputs.contracts_censored",
            source=table.source,
            until=until.date(),
            count=int((~event & keep).sum()),
        )
    ]
    duration = pd.Series(np.where(event, np.maximum(begun, 1), whole), index=start.index)
    return keep, duration.astype(float), event, said


def _served(start: pd.Series, since: pd.Timestamp, per_year: float) -> pd.Series:
    """Whole periods served on the day observation began; 0 for contracts that began later."""
    day = pd.Series(since, index=start.index).where(start < since, start)
    return pd.Series(_periods(start, day, per_year)[0], index=start.index).where(start < since, 0.0)


def _periods(start: pd.Series, last: pd.Series, per_year: float) -> tuple[np.ndarray, np.ndarray]:
    """Whole periods completed and periods begun between two days; months by the calendar."""
    if _MONTHS % per_year == 0:
        months = (last.dt.year - start.dt.year) * _MONTHS + (last.dt.month - start.dt.month)
        # the 31st of a month is met on the last day of a shorter one
        due = np.minimum(start.dt.day, last.dt.days_in_month)
        exact = months + np.where(last.dt.day < due, -0.5, np.where(last.dt.day > due, 0.5, 0))
        exact = exact / (_MONTHS / per_year)
    else:
        days = {52: 7.0, 365: 1.0}.get(int(per_year), 365.25 / per_year)
        exact = (last - start).dt.days / days
    values = np.maximum(np.asarray(exact, dtype=float), 0)
    return np.floor(values), np.ceil(values)
