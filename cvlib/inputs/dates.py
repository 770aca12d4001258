"""Dates as people write them, read by one stated pattern for the whole column."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs.checks import fault
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.readers import Table
from cvlib.words.message import message

_DAYS = (
    "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d",
    "%d-%b-%y", "%d %b %y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
EXCEL = "excel"  # in place of a pattern
PATTERNS = ("ISO8601", *(day + time for day in _DAYS for time in _TIMES))
_ZONED = r".*[0-9]:[0-9]{2}.*(?:Z|[+-][0-9]{2}:?(?:[0-9]{2})?)"


def to_dates(
    table: Table, column: str, pattern: str | None = None, timezone: str = "UTC"
) -> tuple[pd.Series, list[str]]:
    """Read a column without missing values as dates.

    Parameters
    ----------
    table : Table
        The table, for its data and for error messages.
    column : str
        Dates, text, or whole numbers of the form 19970131.
    pattern : str, optional
        What the parameter `date_format` says: a strftime pattern, or ``excel`` for day numbers of a
        spreadsheet; None where there is no such parameter. Otherwise the one pattern that reads
        every value is looked for; when day and month could be exchanged, the user is asked.
    timezone : str
        Times with an offset are shown in this zone, then lose it.

    Returns
    -------
    tuple of Series and list of str
        Dates without a time zone, and what was assumed.
    """
    values = table.data[column]
    notes: list[str] = []
    if is_datetime64_any_dtype(values.dtype):
        return _local(values, table.place(column), timezone, notes), notes
    if is_numeric_dtype(values.dtype) and pattern == EXCEL:
        day = pd.to_datetime(values, unit="D", origin="1899-12-30", errors="coerce")
        if day.isna().any() or (values < 1).any():
            raise fault(
                table, column, day.isna() | (values < 1),
                message("refusals.not_a_date", value="{value}"),
                _remedy(pattern),
            )  # fmt: skip
        return day.rename(column), notes
    if is_numeric_dtype(values.dtype):
        odd = ~values.between(19000101, 21001231) | (values % 1 != 0)
        if odd.any():
            raise fault(
                table,
                column,
                odd,
                message("refusals.value_is_a_number_not_a_date", value="{value}"),
                _of_numbers(values[odd], pattern),
            )
        values = values.astype("int64")
    codes, written = pd.factorize(values)  # a date is read once, however often it stands
    unique = pd.Series(written).astype("str").str.strip()
    unique = unique.str.replace(r"\s*(?:UTC|GMT)$", "Z", regex=True)

    def rows(bad: pd.Series) -> pd.Series:
        return pd.Series(bad.to_numpy(bool)[codes], index=values.index)

    zoned = unique.str.fullmatch(_ZONED).astype(bool)
    if zoned.any() and not zoned.all():
        raise fault(
            table,
            column,
            rows(~zoned),
            message("refusals.value_has_no_time_zone_other_rows", value="{value}"),
            message("refusals.write_all_times_with_their_offset_or"),
        )
    reads = _readings(unique, pattern, utc=bool(zoned.any()))
    whole = [each for each, read in reads.items() if read.notna().all()]
    if not whole:
        best = min(reads, key=lambda each: int(reads[each].isna().sum()))
        unread = rows(reads[best].isna())
        wrong = message("refusals.not_a_date", value="{value}")
        remedy = _remedy(pattern)
        if 2 * unread.sum() < len(unread) and not pattern:
            form = "1997-01-31" if best == PATTERNS[0] else best
            wrong = message("refusals.value_is_written_otherwise", value="{value}", pattern=form)
            remedy = message("refusals.write_all_dates_alike")
        raise fault(table, column, unread, wrong, remedy)
    chosen = whole[0]
    rival = next((each for each in whole if not reads[each].equals(reads[chosen])), None)
    if rival:
        raise InputError(
            table.place(column),
            message(
                "refusals.could_be_read_as_or_as",
                value=shorten(values.iloc[0]),
                chosen=chosen,
                rival=rival,
            ),
            _remedy(pattern, chosen),
        )
    if chosen != "ISO8601" and not pattern:
        notes.append(message("inputs.dates_read", where=table.place(column), pattern=chosen))
    if chosen == "ISO8601" and unique.str.fullmatch("[0-9]{4}-[0-9]{2}").all():
        notes.append(message("inputs.dates_are_months", where=table.place(column)))
    read = _local(reads[chosen], table.place(column), timezone, notes)
    return pd.Series(read.to_numpy()[codes], index=values.index, name=column), notes


def _remedy(pattern: str | None, chosen: str = "") -> str:
    """How to write dates, and the parameter that says how they are written, where there is one."""
    if pattern is None:
        return message("refusals.write_all_dates_alike")
    if chosen:
        return message("refusals.write_dates_as_1997_01_31_or_2", chosen=chosen)
    return message("refusals.write_dates_as_1997_01_31_or")


def _of_numbers(values: pd.Series, pattern: str | None) -> str:
    """What to do with numbers for dates: they may be the day numbers of a spreadsheet."""
    first = float(values.iloc[0])
    if pattern is None or not values.between(20_000, 80_000).all():
        return message("refusals.write_dates_as_1997_01_31_or_3")
    day = pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(first))
    return message("refusals.dates_may_be_serials", number=f"{first:g}", day=f"{day:%Y-%m-%d}")


def _readings(unique: pd.Series, pattern: str | None, utc: bool) -> dict[str, pd.Series]:
    """The column by each pattern that reads at least half of its first values."""

    def parse(text: pd.Series, each: str) -> pd.Series:
        return pd.to_datetime(text, format=each, errors="coerce", utc=utc)

    head = unique.iloc[:500]
    tried = (pattern,) if pattern else PATTERNS
    if not pattern and parse(head, PATTERNS[0]).notna().mean() > 0.5:
        tried = PATTERNS[:1]  # ISO dates cannot be mistaken for another pattern
    some = [each for each in tried if parse(head.iloc[:10], each).notna().any()]
    likely = [each for each in some if parse(head, each).notna().mean() > 0.5] or tried[:1]
    return {each: parse(unique, each) for each in likely}


def _local(values: pd.Series, where: str, timezone: str, notes: list[str]) -> pd.Series:
    if values.dt.tz is None:
        return values
    notes.append(message("inputs.times_in_zone", where=where, zone=timezone))
    try:
        return values.dt.tz_convert(timezone).dt.tz_localize(None)
    except KeyError as error:  # zoneinfo's error for an unknown name
        raise InputError(
            "timezone",
            message("refusals.is_not_a_time_zone", zone=timezone),
            message("refusals.write_it_as_asia_shanghai_or_utc"),
        ) from error
