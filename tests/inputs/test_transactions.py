"""One rule set: the same cells give the same purchase days, or the same refusal, at every door."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs import transactions_cells as cells
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Reading, load_table
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.lifetime.purchases.summary import summarise_purchases

CDNOW = Path(__file__).parents[2] / "data" / "cdnow_sample.csv"
HEAD = "customer_id,date,amount"
DOORS = ("csv", "frame", "parquet", "duckdb", "ibis")
OPENED = ("table", "summary")  # a table is read as its frame is, a summary opens the log itself
FEW = ("iso", "semicolon", "blankid", "two currencies", "misspelt")


def at_door(door, path, tmp_path):
    """The cells of a CSV as the source a door takes, each still text."""
    if door in ("csv", "summary"):
        return path
    frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    frame = frame.mask(frame == "")
    if door == "frame":
        return frame
    if door == "table":
        from cvlib.inputs.readers import from_frame

        return from_frame(frame, path.name)
    if door == "parquet":
        frame.to_parquet(tmp_path / "log.parquet")
        return tmp_path / "log.parquet"
    import duckdb
    import ibis

    if door == "ibis":
        return ibis.memtable(frame)
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute("CREATE TABLE log AS SELECT * FROM frame")
    return connection.table("log")


def outcome(door, path, tmp_path, **rules):
    """Purchase days, or the refusal without the name of the source."""
    source = at_door(door, path, tmp_path)
    try:
        if door == "summary":
            log = summarise_purchases(source, rules=LogRules(**rules)).log
        else:
            log = transaction_log(source, LogRules(**rules))
    except InputError as error:
        place = error.where.split(", ", 1)
        return (place[1] if len(place) > 1 else "", error.wrong, error.remedy)
    days = log.purchase_days().itertuples(index=False)
    return [(who, f"{day:%Y-%m-%d}", amount) for who, day, amount in days]


def written(folder, lines, name="log.csv", **options):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", **({"encoding": "utf-8"} | options))
    return path


A, B = ("A", "2020-01-05", 10.0), ("B", "2020-02-01", 5.0)
THREE = [A, ("A", "2020-03-05", 20.0), B]
LOGS = {
    "iso": ([HEAD, "A,2020-01-05,10", "A,2020-03-05,20", "B,2020-02-01,5"], THREE),
    "dmy": (
        [HEAD, "A,25/01/2020,10", "A,13/03/2020,20", "B,01/02/2020,5"],
        [("A", "2020-01-25", 10.0), ("A", "2020-03-13", 20.0), B],
    ),
    "slash": ([HEAD, "A,2020/01/05,10", "A,2020/03/05,20", "B,2020/02/01,5"], THREE),
    "semicolon": (
        ["customer_id;date;amount", "A;2020-01-05;10,5", "A;2020-03-05;20,5", "B;2020-02-01;5,5"],
        [("A", "2020-01-05", 10.5), ("A", "2020-03-05", 20.5), ("B", "2020-02-01", 5.5)],
    ),
    "dollar": ([HEAD, "A,2020-01-05,$10", "A,2020-03-05,$20", "B,2020-02-01,$5"], THREE),
    "alias": (
        ["CustomerID,InvoiceDate,amount", "A,2020-01-05,10", "A,2020-03-05,20", "B,2020-02-01,5"],
        THREE,
    ),
    "timezone": (
        [HEAD, "A,2020-01-05T23:30:00-05:00,10", "A,2020-03-05T10:00:00-05:00,20",
         "B,2020-02-01T10:00:00-05:00,5"],
        THREE,
    ),
    "blankid": (
        [HEAD, "A,2020-01-05,10", " ,2020-03-05,20", "B,2020-02-01,5"],
        ("column customer_id, data row 2", "names no customer", "missing_customer"),
    ),
    "na": (
        [HEAD, "NA,2020-01-05,10", "NA,2020-03-05,20", "B,2020-02-01,5"],
        [B, ("NA", "2020-01-05", 10.0), ("NA", "2020-03-05", 20.0)],
    ),
    "na among numbers": (
        [HEAD, "1,2020-01-05,10", "NA,2020-03-05,20"],
        ("column customer_id, data row 2", "names no customer", "missing_customer"),
    ),
    "old": (
        [HEAD, "A,1850-01-05,10", "A,2020-03-05,20", "B,2020-02-01,5"],
        ("column date, data row 1", "'1850-01-05' is before 1900", "Correct the date"),
    ),
    "id17": (
        [HEAD, "017,2020-01-05,10", "17,2020-03-05,20", "B,2020-02-01,5"],
        [("017", "2020-01-05", 10.0), ("17", "2020-03-05", 20.0), B],
    ),
    "leading zeros": (
        [HEAD, "007,2020-01-01,5", "7,2020-01-02,6.5"],
        [("007", "2020-01-01", 5.0), ("7", "2020-01-02", 6.5)],
    ),
    "many digits": (
        [HEAD, "12345678901234567,2020-01-01,5", "12345678901234568,2020-01-02,6.5"],
        [("12345678901234567", "2020-01-01", 5.0), ("12345678901234568", "2020-01-02", 6.5)],
    ),
    "whole floats": (
        [HEAD, "1.0,2020-01-01,5", "1,2020-01-02,6.5"],
        [(1, "2020-01-01", 5.0), (1, "2020-01-02", 6.5)],
    ),
    "Chinese names": (
        ["客户编号,交易日期,金额", "A,2020年1月5日,￥10", "B,2020年2月1日,￥5"],
        [A, B],
    ),
    "American": (
        [HEAD, "A,01/05/2020 5:30 PM,10", "B,02/01/2020 5:30 AM,5", "B,02/13/2020 5:30 AM,5"],
        [A, B, ("B", "2020-02-13", 5.0)],
    ),
    "eight digits": ([HEAD, "A,20200105,10", "B,20200201,5"], [A, B]),
    "times": ([HEAD, "A,2020-01-05 23:59,10", "B,2020-02-01 00:00:01.5,5"], [A, B]),
    "quotes": (
        [HEAD, '"a, ""b""\nc",2020-01-05,10', 'd,"2020-02-01","5"'],
        [('a, "b"\nc', "2020-01-05", 10.0), ("d", "2020-02-01", 5.0)],
    ),
    "thousands": ([HEAD, 'A,2020-01-05,"1,005.50"'], [("A", "2020-01-05", 1005.5)]),
    "no amount": (
        [HEAD, "A,2020-01-05,10", "B,2020-02-01,NULL", "B,2020-02-02,"],
        ("column amount, data row 2", "without an amount (1 more rows like it)", "by where"),
    ),
    "text amount": (
        [HEAD, "A,2020-01-05,10", "B,2020-02-01,six"],
        ("column amount, data row 2", "'six' is no amount", "as 12.50"),
    ),
    "brackets": (
        [HEAD, "A,2020-01-05,10", "A,2020-03-05,20", "B,2020-02-01,(5)", "B,2020-02-01,10"], THREE
    ),
    "minus behind": (
        [f"{HEAD.replace(',', ';')}", "A;2020-01-05;1.010,00 €", "B;2020-02-01;5,00 €-",
         "B;2020-02-01;10 €"], [("A", "2020-01-05", 1010.0), B]),
    "kroner": ([HEAD, "A,2020-01-05,10 kr", "B,2020-02-01,5 kr"], [A, B]),
    "odd number behind a sign": (
        [HEAD, "A,2020-01-05,$10", "B,2020-02-01,$1.2.3"],
        ("column amount, data row 2", "'$1.2.3' is no amount", "as 12.50"),
    ),
    "two ways": (
        [HEAD, "A,2020-01-05,10", "A,03/05/2020,20", "B,2020-02-01,5"],
        ("column date, data row 2", "'03/05/2020' is not written as 1997-01-31", "in one way"),
    ),
    "half past": ([HEAD, "A,2020/1/5 下午 3:05,10", "B,2020/2/1 上午 10:00:01,5"], [A, B]),
    "two digits": ([HEAD, "A,01/05/20,10", "A,03/25/20,20"],
                   [A, ("A", "2020-03-25", 20.0)]),
    "no date": ([HEAD, "A,2020-01-05,10", "B, ,6"], ("column date, data row 2", "without a d", "")),
    "no day": (
        [HEAD, "A,2020-01-05,10", "B,2020-02-31,6"],
        ("column date, data row 2", "'2020-02-31' is not a date", "date_format"),
    ),
    "no hour": ([HEAD, "A,2020-01-05 25:00,10"], ("column date, data row 1", "is not a date", "")),
    "yesterday": (
        [HEAD, "A,2020-01-05,10", "B,yesterday,6"],
        ("column date, data row 2", "'yesterday' is not a date", "date_format"),
    ),
    "either": (
        [HEAD, "A,01/02/2020,5", "B,03/04/2020,6"],
        ("column date", "could be read as %d/%m/%Y or as %m/%d/%Y", "date_format"),
    ),
    "some zones": (
        [HEAD, "A,2020-01-01 10:00+02:00,5", "B,2020-01-02 10:00,6"],
        ("column date, data row 2", "has no time zone, other rows have one", ""),
    ),
    "a number": ([HEAD, "A,43831,5"], ("column date, data row 1", "number, not a date", "")),
    "two currencies": (
        [HEAD + ",ccy", "A,2020-01-05,5,EUR", "B,2020-01-01,6,USD"],
        ("column ccy", "mixes currencies (EUR 1 rows, USD 1 rows)", "where [[ccy, =, EUR]]"),
    ),
    "two signs": ([HEAD, "A,2020-01-05,$5", "B,2020-01-01,€6"], ("column amount", "mixes cur", "")),
    "which amount": (
        ["customer_id,date,sales,revenue", "A,2020-01-05,5,6"],
        ("", "amount could be any of the columns sales, revenue", "Say which"),
    ),
    "misspelt": (
        ["customer_id,date,amonut", "A,2020-01-05,5"],
        ("column amount", "there is no such column", "Did you mean 'amonut'"),
    ),
    "other name": (
        ["Kunde,date,amount", "A,2020-01-05,5"],
        ("column customer_id", "there is no such column", "holds it as `customer`"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "door"),
    [*((n, d) for n in LOGS for d in DOORS), *((n, d) for n in FEW for d in OPENED)],
)
def test_every_door_gives_the_same_answer(name, door, tmp_path):
    lines, wanted = LOGS[name]
    path = written(tmp_path, lines)
    found = outcome(door, path, tmp_path)
    if isinstance(wanted, list):
        assert found == wanted
        return
    assert isinstance(found, tuple), found
    assert found[0] == wanted[0] or not wanted[0]
    assert wanted[1] in found[1] and wanted[2] in found[2]


def test_the_row_is_that_of_the_file(tmp_path):
    path = written(tmp_path, [HEAD, "A,2020-01-05,10", "", ",,", "B,2020-02-01,"])
    # an empty line is a row of the file, to an editor and to the reader of tables
    with pytest.raises(InputError, match=r"log\.csv, column amount, data row 4: is a transaction"):
        transaction_log(path)


@pytest.mark.parametrize("door", DOORS)
def test_what_a_filter_drops_is_not_read(door, tmp_path):
    """A row of totals has no date and no amount like the others, and makes no text of the ids."""
    lines = [HEAD, "1,2020-01-05,10", "2,2020-02-01,5", "Total,all,15 €", "Mean,,7.5 each"]
    path = written(tmp_path, lines)
    found = outcome(door, path, tmp_path, where=[["customer_id", "not in", ["Total", "Mean"]]])
    assert found == [(1, "2020-01-05", 10.0), (2, "2020-02-01", 5.0)]
    assert "'Total'" not in str(found)
    unread = outcome(door, path, tmp_path, where=[["customer_id", "!=", "Total"]])
    assert unread[1].startswith("'7.5 each' is no amount")


ELEVEN = [f"{i},2020-01-{i:02d},{i}" for i in range(1, 11)]  # 55 in all


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("last", "wrong"),
    [
        ("Total,2020-01-10,55", "'Total' names a row of totals"),
        ("合 计,2020-01-10,7", "names a row of totals"),
        ("Mean,2020-01-10,5.5", "'Mean' names a row of totals"),
        ("99,2020-01-10,55", "'55' is exactly the sum of all other rows"),
        ("99,2020-01-10,54.9", None),
        ("10,2020-01-10,10", None),
    ],
)
def test_a_row_of_totals_is_no_customer(last, wrong, door, tmp_path):
    found = outcome(door, written(tmp_path, [HEAD, *ELEVEN, last]), tmp_path)
    if wrong is None:
        assert isinstance(found, list)
        return
    assert wrong in found[1] and "data row 11" in found[0] and "where" in found[2]


def test_a_customer_of_that_name_who_buys_again_is_one():
    frame = pd.DataFrame(
        {"customer_id": ["Total", "Total", "b"], "date": "2020-01-01", "amount": [5.0, 6, 7]}
    )
    assert len(transaction_log(frame).customers()) == 2
    with pytest.raises(InputError, match=r"where \[\[day, missing, false\]\]"):
        transaction_log(frame.assign(day=["2020-01-01", "2020-01-02", None]), LogRules(date="day"))
    equal = pd.DataFrame({"customer_id": range(10), "date": "2020-01-01", "amount": 10.0})
    equal.loc[:3, "amount"] = -10.0  # 6 purchases less 4 returns: twice one of them
    assert len(transaction_log(equal, LogRules(returns="net")).customers()) == 10


def test_day_numbers_of_a_spreadsheet_are_dates_where_it_is_said(tmp_path):
    frame = pd.DataFrame({"customer_id": ["a", "b"], "date": [45366, 45463.5], "amount": 5.0})
    frame.to_csv(tmp_path / "log.csv", index=False)
    for source in (frame, tmp_path / "log.csv"):
        with pytest.raises(InputError, match="set `date_format` to excel"):
            transaction_log(source)
        log = transaction_log(source, LogRules(date_format="excel"))
        assert (str(log.first_day), str(log.last_day)) == ("2024-03-15", "2024-06-20")


@pytest.mark.parametrize("door", DOORS)
def test_amounts_are_compared_as_they_are_read(door, tmp_path):
    path = written(
        tmp_path, [HEAD.replace(",", ";"), "A;2020-01-05;1.010,00 €", "B;2020-02-01;5 €"]
    )
    found = outcome(door, path, tmp_path, where=[["amount", ">=", 10]])
    assert found == [("A", "2020-01-05", 1010.0)]


def test_the_first_row_at_fault_is_named_and_all_are_counted():
    """Not the first row that holds the most frequent of the spellings at fault."""
    frame = pd.DataFrame(
        {"customer_id": list("abcd"), "date": "2020-01-01", "amount": ["1", "x", "y", "y"]}
    )
    with pytest.raises(InputError, match=r"data row 2: 'x' is no amount \(2 more rows like it\)"):
        transaction_log(frame)


def test_typed_columns_are_read_like_text(tmp_path):
    frame = pd.DataFrame(
        {
            "customer_id": pd.Categorical(["a", "b", "b"]),
            "date": [20200101, 20200102, 20200103],
            "amount": ["5", "6.5", " 7 "],
        },
        index=[3, 4, 5],
    )
    wanted = [("a", "2020-01-01", 5.0), ("b", "2020-01-02", 6.5), ("b", "2020-01-03", 7.0)]
    frame.to_parquet(tmp_path / "log.parquet")
    typed = frame.assign(date=pd.to_datetime(frame["date"].astype(str)), amount=[5.0, 6.5, 7.0])
    typed.to_parquet(tmp_path / "typed.parquet")
    for source in (frame, tmp_path / "log.parquet", typed, tmp_path / "typed.parquet"):
        days = transaction_log(source).purchase_days()
        assert [(c, str(d.date()), a) for c, d, a in days.itertuples(index=False)] == wanted


def test_times_of_a_zone_count_its_days(tmp_path):
    frame = pd.DataFrame({"customer_id": ["A"], "date": ["2020-01-05T23:30:00-05:00"], "amount": 1})
    typed = frame.assign(date=pd.to_datetime(frame["date"]))
    frame.to_csv(tmp_path / "log.csv", index=False)
    typed.to_parquet(tmp_path / "log.parquet")
    sources = (frame, typed, tmp_path / "log.csv", tmp_path / "log.parquet")
    for zone, day in (("", "2020-01-05"), ("UTC", "2020-01-06"), ("Asia/Shanghai", "2020-01-06"),
                      ("Pacific/Honolulu", "2020-01-05")):  # fmt: skip
        for source in sources:
            log = transaction_log(source, LogRules(timezone=zone))
            assert str(log.first_day) == day, (zone, source)
            assert any("tim" in warning for warning in log.warnings)
    words = pd.DataFrame({"customer_id": ["A"], "date": ["2020-01-05 23:30:00 UTC"], "amount": 1})
    for zone, day in (("", "2020-01-05"), ("Asia/Shanghai", "2020-01-06")):
        assert str(transaction_log(words, LogRules(timezone=zone)).first_day) == day


def test_several_files_are_one_log(tmp_path):
    written(tmp_path, [HEAD, "1,2020-01-01,5", "2,2020-01-02,6.5"], "a.csv")
    written(tmp_path, ["amount,customer_id,date", "5,1,2020-01-01", "8,3,2020-01-02"], "b.csv")
    log, table = transaction_log(tmp_path / "*.csv"), load_table(tmp_path / "*.csv")
    assert (log.rows, log.source, log.sha256) == (4, table.source, table.sha256)
    text = " ".join(log.warnings)
    assert "1 transactions (same customer, day and amount) occur in more than one file" in text
    assert "1 customers occur in more than one file" in text
    assert log.purchase_days()["amount"].tolist() == [10.0, 6.5, 8.0]
    written(tmp_path, [HEAD, "1,2020-01-01,5", "2,,6.5"], "c.csv")
    with pytest.raises(InputError, match=r"^c\.csv, column date, data row 2"):
        transaction_log(tmp_path / "*.csv")
    written(tmp_path, ["customer_id,date", "1,2020-01-01"], "c.csv")
    with pytest.raises(
        InputError, match=r"c\.csv, column amount: there is no such column, another"
    ):
        transaction_log(tmp_path / "*.csv")


ENCODED = {
    "utf-8-sig": (["customer_id,date,amount", "1,2020-01-01,5"], "utf-8-sig"),
    "gb18030": (["customer_id,date,amount,城市", "1,2020-01-01,5,北京"], "gb18030"),
    "utf-16": (["customer_id\tdate\tamount", "1\t2020-01-01\t5"], "utf-16"),
    "cp1252": (["customer_id;date;amount;city", "1;2020-01-01;5;Zürich"], "cp1252"),
    "white space": (["customer_id date amount", "1 2020-01-01 5"], "utf-8"),
    "Excel's first line": (["sep=;", "customer_id;date;amount", "1;2020-01-01;5"], "utf-8"),
    "no name": (["customer_id,date,amount,", "1,2020-01-01,5,"], "utf-8"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_text_in_any_usual_encoding(name, tmp_path):
    lines, encoding = ENCODED[name]
    log = transaction_log(written(tmp_path, lines, encoding=encoding))
    assert log.purchase_days()["amount"].tolist() == [5.0]


def test_other_formats_and_packed_files(tmp_path):
    import gzip

    frame = pd.read_csv(CDNOW).head(50)
    wanted = transaction_log(frame).purchase_days()
    frame.to_excel(tmp_path / "log.xlsx", index=False)
    with gzip.open(tmp_path / "log.csv.gz", "wt") as file:
        frame.to_csv(file, index=False)
    for name in ("log.xlsx", "log.csv.gz"):
        pd.testing.assert_frame_equal(transaction_log(tmp_path / name).purchase_days(), wanted)
    with pytest.raises(InputError, match="cdnow_sample"):
        transaction_log("cdnow_smaple")


@pytest.mark.parametrize(
    "lines, wrong",
    [
        ([HEAD, "1,2020-01-01,5,7", "2,2020-01-02,6"], "(?i)cells"),
        ([HEAD, "1,2020-01-01,5", "2,2020-01-02"], "line 3: has 2 cells, the header has 3"),
        ([HEAD], "no rows"),
        (["customer_id,date,date", "1,2020-01-01,5"], "stands twice"),
        (["1,20200101,5", "2,20200102,5"], "its first row holds numbers"),
        ([HEAD, "1,,5", "2,,6"], "column date: is empty"),
    ],
)
def test_files_that_are_no_table_are_refused(lines, wrong, tmp_path):
    with pytest.raises(InputError, match=wrong) as told:
        transaction_log(written(tmp_path, lines))
    assert told.value.where.startswith("log.csv") and told.value.remedy


def test_amount_is_quantity_times_price(tmp_path):
    lines = ["1,2020-01-01,3,0.10", "1,2020-01-01,1,2.50", "2,2020-01-02,5,1"]
    path = written(tmp_path, ["CustomerID,date,Quantity,UnitPrice", *lines])
    log = transaction_log(path, LogRules(quantity="Quantity", price="UnitPrice"))
    assert log.purchase_days()["amount"].tolist() == [2.8, 5.0]
    with pytest.raises(InputError, match="price: names no column, its partner does"):
        LogRules(quantity="Quantity")
    path = written(tmp_path, ["customer_id,date,n,each", "1,2020-01-01,3,0.1", "1,2020-01-01,,2"])
    with pytest.raises(
        InputError, match="column n, data row 2: is a transaction without an amount"
    ):
        transaction_log(path, LogRules(quantity="n", price="each"))


FILTERS = [
    (["status", "=", "paid"], [0, 3]),
    (["status", "!=", "paid"], [1, 2]),
    (["status", "in", ["paid", "open"]], [0, 1, 3]),
    (["status", "not in", ["paid", "open"]], [2]),
    (["status", "missing"], [2]),
    (["status", "missing", False], [0, 1, 3]),
    (["store", ">=", 2], [1, 2, 3]),
    (["store", "<", 2], [0]),
    (["store", "=", "10"], [3]),
    (["date", ">", "2020-01-02"], [2, 3]),
    (["date", "<=", "2020-01-02"], [0, 1]),
]


@pytest.mark.parametrize("one, kept", FILTERS)
@pytest.mark.parametrize("door", ["csv", "frame", "parquet"])
def test_a_filter_keeps_its_rows_and_counts_the_others(one, kept, door, tmp_path):
    lines = [HEAD + ",status,store", "0,2020-01-01,1,paid,1", "1,2020-01-02,10,open,2",
             "2,2020-01-03,100,,3", "3,2020-01-04,1000,paid,10"]  # fmt: skip
    path = written(tmp_path, lines)
    log = transaction_log(at_door(door, path, tmp_path), LogRules(where=[one]))
    assert log.purchase_days()["customer_id"].tolist() == kept
    (gone,) = log.left_out.to_dict("records")
    assert (gone["count"], gone["share"]) == (4 - len(kept), 1 - len(kept) / 4)
    assert gone["amount"] == sum(10**row for row in range(4) if row not in kept)


@pytest.mark.parametrize(
    "where, wrong",
    [
        ("status = paid", "is no list of filters"),
        ([["status", "=", "paid"], ["status"]], "filter 2: .* is not .column, operator, value."),
        ([["status", "~", "paid"]], "filter 1: '~' is not an operator"),
        ([["status", "in", "paid"]], "filter 1: in needs a list"),
        ([["status", "=", ["paid"]]], "filter 1: = needs one value"),
        ([["status", "="]], "filter 1: has no value"),
        ([["state", "=", "paid"]], "filter 1: there is no such column"),
        ([["amount", ">", "many"]], "filter 1: column amount holds numbers, 'many' is none"),
        ([["status", "=", "lost"]], "no row of .* is left.*holds open, paid"),
    ],
)
def test_a_wrong_filter_is_refused_with_its_position(where, wrong):
    frame = pd.DataFrame({"customer_id": [1, 2], "date": "2020-01-01", "amount": [1.0, 2.0],
                          "status": ["paid", "open"]})  # fmt: skip
    with pytest.raises(InputError, match=f"where.*{wrong}|{wrong}"):
        transaction_log(frame, LogRules(where=where))


def test_rows_without_a_customer_by_rule():
    frame = pd.DataFrame({"customer_id": [1.0, np.nan, 3.0], "date": "2020-01-01", "amount": 4.0})
    log = transaction_log(frame, LogRules(missing_customer="drop"))
    assert log.purchase_days()["customer_id"].tolist() == [1, 3]
    assert log.left_out[["count", "amount"]].to_numpy().tolist() == [[1, 4.0]]


def test_a_stray_last_date_is_flagged_and_counted():
    days = [f"2020-01-{1 + i % 28:02d}" for i in range(200)]
    frame = pd.DataFrame({"customer_id": range(200), "date": days, "amount": 5.0})
    assert transaction_log(frame).warnings == ()
    frame.loc[7, "date"] = "2021-01-01"
    (warning,) = transaction_log(frame).warnings
    assert "1 rows lie 339 days after all others" in warning


def test_a_log_without_amounts():
    frame = pd.DataFrame({"customer_id": [1, 2], "date": "2020-01-01"})
    assert len(transaction_log(frame, LogRules(amount=None)).purchase_days()) == 2


def test_cents_that_cancel_are_no_purchase_by_any_rule():
    frame = pd.DataFrame({"customer_id": 1, "date": "2020-01-01", "amount": [0.1, 0.2, -0.3]})
    frame = pd.concat([frame, frame.assign(customer_id=2, amount=[1.0, 0, 0])])
    for rule in ("net", "match"):
        log = transaction_log(frame, LogRules(returns=rule))
        assert log.purchase_days()["customer_id"].tolist() == [2]


def test_the_copy_of_a_log_goes_when_the_log_does(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    log = transaction_log(CDNOW)
    assert list(tmp_path.glob("cvlib-log-*"))
    log.close()
    assert not list(tmp_path.glob("cvlib-log-*"))
    with pytest.raises(InputError, match="has been closed"):
        log.purchase_days()
    with pytest.raises(InputError):
        transaction_log(CDNOW, LogRules(date="amount"))
    assert not list(tmp_path.glob("cvlib-log-*"))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid, age in ((dead.pid, 2 * 3600), (dead.pid, 60), (os.getpid(), 2 * 3600)):
        folder = tmp_path / f"cvlib-log-{pid}-{age}"
        folder.mkdir(exist_ok=True)
        os.utime(folder, (folder.stat().st_mtime - age,) * 2)
    transaction_log(CDNOW).close()
    assert {path.name.split("-")[3] for path in tmp_path.glob("cvlib-log-*")} == {"60", "7200"}


def test_a_log_larger_than_memory_is_the_same_log(monkeypatch):
    from cvlib.inputs import transactions

    wanted = transaction_log(CDNOW).purchase_days()
    monkeypatch.setattr(transactions, "_IN_MEMORY", 0.0)
    log = transaction_log(CDNOW)
    assert (Path(log._folder.name) / "days.duckdb").exists()
    pd.testing.assert_frame_equal(log.purchase_days(), wanted)


def test_too_many_spellings_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "_SPELLINGS", 3)
    lines = [HEAD, *(f"1,{day:02d}/01/2020,5" for day in range(10, 15))]
    with pytest.raises(InputError, match="more than 3 different texts"):
        transaction_log(written(tmp_path, lines))


def test_a_log_below_a_title_is_read_where_it_is_told(tmp_path: Path) -> None:
    rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": [1.5, 2.5, 3.0],
                         "date": ["2024-01-01", "2024-02-01", "2024-01-05"]})  # fmt: skip
    plain, titled = tmp_path / "plain.csv", tmp_path / "titled.csv"
    rows.to_csv(plain, index=False)
    titled.write_text("Orders of the shop\n\n" + plain.read_text(), encoding="utf-8")
    rows.to_excel(tmp_path / "book.xlsx", sheet_name="Orders", startrow=2, index=False)
    told = [(plain, Reading()), (titled, Reading(header_row=3)),
            (tmp_path / "book.xlsx", Reading("Orders", 3))]  # fmt: skip
    found = [transaction_log(path, LogRules(reading=how)).customers() for path, how in told]
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()
    with pytest.raises(InputError, match="header_row"):
        transaction_log(tmp_path / "book.xlsx", LogRules())


def test_a_log_ends_with_its_last_purchase_not_with_a_return() -> None:
    rows = {"customer_id": ["a", "a", "b", "b"], "amount": [5.0, 7.0, 9.0, -9.0],
            "date": ["2024-01-03", "2024-02-05", "2024-01-01", "2024-06-30"]}  # fmt: skip
    log = transaction_log(pd.DataFrame(rows))
    assert (str(log.first_day), str(log.last_day)) == ("2024-01-03", "2024-02-05")
    assert [str(day) for day in log.observed] == ["2024-01-01", "2024-06-30"]
    bare = transaction_log(pd.DataFrame(rows).iloc[:2])
    assert (bare.first_day, bare.last_day) == (log.first_day, log.last_day)
    nothing = transaction_log(pd.DataFrame(rows).iloc[2:])
    assert (nothing.first_day, nothing.last_day) == nothing.observed


@pytest.mark.parametrize("date", ["2022-13-01", "soon"])
def test_a_filter_by_a_date_that_is_none_is_refused_with_its_position(date: str) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "date": ["2024-01-03"], "amount": [5.0]})
    rules = LogRules(where=(("amount", ">", 1), ("date", "<", date)))
    with pytest.raises(InputError, match=f"where, filter 2: '{date}' is not a date"):
        transaction_log(frame, rules)


@pytest.mark.parametrize("pattern", ["day", "%Q"])
def test_a_pattern_of_dates_is_checked_without_the_data(pattern: str) -> None:
    with pytest.raises(InputError, match=f"date_format: '{pattern}' is no pattern"):
        LogRules(date_format=pattern)


def test_a_column_that_is_not_on_the_first_sheet_may_be_on_another(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"notes": ["see the other sheet"]}).to_excel(book, sheet_name="Notes")
        frame = pd.DataFrame({"customer_id": ["a"], "date": ["2024-01-03"], "amount": [5.0]})
        frame.to_excel(book, sheet_name="Orders", index=False)
    for read in (transaction_log, lambda file: load_table(file).lacking("date")):
        with pytest.raises(InputError, match="`sheet` names another: Orders"):
            error = read(path)
            raise error
    assert transaction_log(path, LogRules(reading=Reading(sheet="Orders"))).rows == 1
