"""Dates: one stated pattern for a column, or a question."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table


def log(values: object) -> Table:
    return Table(pd.DataFrame({"date": values}), source="log.csv")


def read(values: list[object], **options: str) -> list[str]:
    dates, _ = to_dates(log(values), "date", **options)
    assert dates.dt.tz is None
    return [str(date) for date in dates]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1997-01-31", "1997-01-31 00:00:00"),
        ("1997-01-31 08:26", "1997-01-31 08:26:00"),
        ("1997-01-31T08:26:01.5", "1997-01-31 08:26:01.500000"),
        ("19970131", "1997-01-31 00:00:00"),
        (19970131, "1997-01-31 00:00:00"),
        ("1997/1/31", "1997-01-31 00:00:00"),
        ("1997年1月31日", "1997-01-31 00:00:00"),
        ("31.01.1997 08:26", "1997-01-31 08:26:00"),
        ("31/01/1997", "1997-01-31 00:00:00"),
        ("1/31/1997 8:26 PM", "1997-01-31 20:26:00"),
        ("31 Jan 1997", "1997-01-31 00:00:00"),
        ("31-Jan-97", "1997-01-31 00:00:00"),
        ("01/31/97", "1997-01-31 00:00:00"),
        ("January 31, 1997", "1997-01-31 00:00:00"),
        ("1997-01-31 08:26:01 UTC", "1997-01-31 08:26:01"),
        (dt.date(1997, 1, 31), "1997-01-31 00:00:00"),
        (pd.Timestamp(1997, 1, 31), "1997-01-31 00:00:00"),
    ],
)
def test_usual_ways_of_writing_a_date(written: object, expected: str) -> None:
    assert read([written, written]) == [expected, expected]


def test_day_and_month_are_told_apart_by_the_whole_column() -> None:
    assert read(["01/02/1997"] * 600 + ["31/01/1997"])[0] == "1997-02-01 00:00:00"
    assert read(["01/02/1997"] * 600 + ["01/31/1997"])[0] == "1997-01-02 00:00:00"
    with pytest.raises(InputError, match="could be read as %d/%m/%Y or as %m/%d/%Y"):
        read(["01/02/1997", "03/04/1997"])
    assert read(["01/02/1997"], pattern="%m/%d/%Y") == ["1997-01-02 00:00:00"]
    with pytest.raises(InputError, match="could be read as %d/%m/%y or as %y/%m/%d"):
        read(["23/08/28"])  # years of two digits may stand first


def test_what_was_assumed_is_said() -> None:
    _, notes = to_dates(log(["31.01.1997"]), "date")
    assert notes == ["log.csv, column date: dates were read as %d.%m.%Y."]
    assert to_dates(log(["1997-01-31"]), "date")[1] == []
    assert to_dates(log(["1997-01", "1997-02"]), "date")[1] == [
        "log.csv, column date: dates name months, not days; each was taken as the first of its "
        "month."
    ]


def test_time_zones_are_brought_to_one() -> None:
    offsets = ["2026-01-01T01:00:00+08:00", "2026-01-01T01:00:00Z"]
    assert read(offsets) == ["2025-12-31 17:00:00", "2026-01-01 01:00:00"]
    assert read(offsets, timezone="Asia/Shanghai")[0] == "2026-01-01 01:00:00"
    stamps = pd.Series(pd.to_datetime(offsets, utc=True))
    dates, notes = to_dates(log(stamps), "date", timezone="Asia/Shanghai")
    assert str(dates.iloc[1]) == "2026-01-01 09:00:00" and "Asia/Shanghai" in notes[0]
    with pytest.raises(InputError, match=r"data row 2: '2026-01-02T01:00:00' has no time zone"):
        read([offsets[0], "2026-01-02T01:00:00"])


def test_an_unknown_time_zone_is_the_users_error() -> None:
    with pytest.raises(InputError, match="Mars"):
        read(["2026-01-01T01:00:00Z"], timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("values", "row", "wrong"),
    [
        (["1997-01-31", "unknown", "n/a"], 2, "'unknown' is not a date (1 more rows like it)"),
        (["1997-02-30"], 1, "'1997-02-30' is not a date"),
        ([19970131, 35461], 2, "35461 is a number, not a date"),
        ([19970131, 19971332], 2, "19971332 is not a date"),
        ([0.5], 1, "0.5 is a number, not a date"),
    ],
)
def test_the_first_unreadable_row_is_named(values: list[object], row: int, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        read(values)
    assert caught.value.where == f"log.csv, column date, data row {row}"
    assert wrong in str(caught.value)


def test_the_row_is_that_of_the_file() -> None:
    with pytest.raises(InputError, match="data row 8"):
        to_dates(log(pd.Series(["1997-01-31", "soon"], index=[3, 7])), "date")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)), min_size=1, max_size=30),
    st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日", "%d.%m.%Y", "%d %b %Y"]),
)
def test_a_pattern_that_cannot_be_mistaken_is_read_back(days: list[dt.date], form: str) -> None:
    written = [day.strftime(form) for day in days]
    assert read(list(written)) == [f"{day} 00:00:00" for day in days]
