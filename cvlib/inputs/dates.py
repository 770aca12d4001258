"""Dates as people write them, read by one stated pattern for the whole column."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs.errors import InputError

_DAYS = (
    "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
PATTERNS = ("ISO8601", *(day + time for day in _DAYS for time in _TIMES))
_ZONED = r".*[0-9]:[0-9]{2}.*(?:Z|[+-][0-9]{2}:?(?:[0-9]{2})?)"


def to_dates(
    values: pd.Series, where: str, pattern: str | None = None, timezone: str = "UTC"
) -> tuple[pd.Series, list[str]]:
    """Read a column without missing values as dates.

    Parameters
    ----------
    values : Series
        Dates, text, or whole numbers of the form 19970131. The index is the 0-based data row.
    where : str
        File and column, for error messages.
    pattern : str, optional
        A strftime pattern. Otherwise the one pattern that reads every value is looked for; when day
        and month could be exchanged, the user is asked.
    timezone : str
        Times with an offset are shown in this zone, then lose it.

    Returns
    -------
    tuple of Series and list of str
        Dates without a time zone, and what was assumed.
    """
    notes: list[str] = []
    if is_datetime64_any_dtype(values.dtype):
        return _local(values, where, timezone, notes), notes
    if is_numeric_dtype(values.dtype):
        odd = values[~values.between(19000101, 21001231) | (values % 1 != 0)]
        if len(odd):
            raise InputError(
                f"{where}, data row {odd.index[0] + 1}",
                f"{odd.iloc[0]:g} is a number, not a date",
                "Write dates as 1997-01-31, or format the column as dates in the spreadsheet.",
            )
        values = values.astype("int64").astype("str")
    codes, written = pd.factorize(values)
    unique = pd.Series(written).astype("str").str.strip()
    zoned = unique.str.fullmatch(_ZONED)
    if zoned.any() and not zoned.all():
        first = int((~zoned).to_numpy()[codes].argmax())
        raise InputError(
            f"{where}, data row {values.index[first] + 1}",
            f"{values.iloc[first]!r} has no time zone, other rows have one",
            "Write all times with their offset, or all without.",
        )
    read = _one_pattern(unique, values, codes, where, pattern, bool(zoned.any()), notes)
    read = _local(read, where, timezone, notes)
    return pd.Series(read.to_numpy()[codes], index=values.index, name=values.name), notes


def _local(values: pd.Series, where: str, timezone: str, notes: list[str]) -> pd.Series:
    if values.dt.tz is None:
        return values
    notes.append(f"{where}: times with a time zone are shown in {timezone}.")
    try:
        return values.dt.tz_convert(timezone).dt.tz_localize(None)
    except KeyError as error:  # zoneinfo's error for an unknown name
        raise InputError(
            "timezone", f"{timezone!r} is not a time zone", "Write it as Asia/Shanghai or UTC."
        ) from error


def _one_pattern(
    unique: pd.Series,
    values: pd.Series,
    codes: object,
    where: str,
    pattern: str | None,
    zoned: bool,
    notes: list[str],
) -> pd.Series:
    def parse(text: pd.Series, each: str) -> pd.Series:
        return pd.to_datetime(text, format=each, errors="coerce", utc=zoned)

    head = unique.iloc[:500]
    tried = (pattern,) if pattern else PATTERNS
    if not pattern and parse(head, PATTERNS[0]).notna().mean() > 0.5:
        tried = PATTERNS[:1]  # ISO dates cannot be mistaken for another pattern
    few = head.iloc[:10]
    tried = tuple(each for each in tried if parse(few, each).notna().any()) or tried[:1]
    likely = [each for each in tried if parse(head, each).notna().mean() > 0.5] or [tried[0]]
    reads = {each: parse(unique, each) for each in likely}
    whole = {each: read for each, read in reads.items() if read.notna().all()}
    best = max(reads, key=lambda each: reads[each].notna().sum())
    if not whole:
        first = int(reads[best].isna().to_numpy()[codes].argmax())
        count = int(reads[best].isna().to_numpy()[codes].sum())
        raise InputError(
            f"{where}, data row {values.index[first] + 1}",
            f"{values.iloc[first]!r} is not a date"
            + (f" ({count - 1} more rows like it)" if count > 1 else ""),
            "Write dates as 1997-01-31, or give `date_format`.",
        )
    chosen = next(iter(whole))
    rival = next((each for each, read in whole.items() if not read.equals(whole[chosen])), None)
    if rival:
        raise InputError(
            where,
            f"{values.iloc[0]!r} could be read as {chosen} or as {rival}",
            f"Write dates as 1997-01-31, or give `date_format` (for instance {chosen!r}).",
        )
    if chosen != "ISO8601" and not pattern:
        notes.append(f"{where}: dates were read as {chosen}.")
    return whole[chosen]
