"""Logs read in place: the same as read into memory, case by case, and the whole chain on them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.contracts import check_transactions
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.lifetime.holdout.baselines import rival_forecasts
from cvlib.lifetime.holdout.tracking import rolling_origins
from cvlib.lifetime.purchases import log_files, logs
from cvlib.lifetime.purchases.logs import transaction_log
from cvlib.lifetime.purchases.summary import summarise_purchases

ROOT = Path(__file__).parents[2]
CDNOW = ROOT / "data" / "cdnow_sample.csv"
PERIODS = {"calibration_end": "1997-09-30", "holdout_end": "1998-06-30"}


@pytest.fixture
def in_place(monkeypatch):
    """No file is small enough to be read into memory instead."""
    monkeypatch.setattr(logs, "_IN_MEMORY", 10**12)


def written(folder, lines, name="log.csv", **options):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", **({"encoding": "utf-8"} | options))
    return path


def same(log, frame):
    """The log holds the frame's rows, whatever their order."""
    found = pd.read_parquet(log.data)
    found["date"] = pd.to_datetime(found["date"]).astype(frame["date"].dtype)
    columns = list(frame.columns)
    frame = frame.assign(date=frame["date"].dt.floor("D"))
    found, frame = (t[columns].sort_values(columns, ignore_index=True) for t in (found, frame))
    pd.testing.assert_frame_equal(found, frame)


def both(path, **columns):
    """The file in place and as a frame: same rows, same hash, same warnings."""
    log = transaction_log(path, **columns)
    table = load_table(path)
    checked = check_transactions(table, **columns, not_positive="keep")
    assert isinstance(log.data, Path)
    same(log, checked.data)
    assert (log.source, log.sha256, log.rows) == (table.source, table.sha256, len(table.data))
    assert sorted(log.warnings) == sorted(checked.warnings)
    return log


READ_ALIKE = {
    "plain": ["customer_id,date,amount", "1,2020-01-01,5", "2,2020-01-02,6.5"],
    "names of other programs": [
        "CustomerID,InvoiceDate,Quantity,Sales",
        "1,2020-01-01,3,5",
        "2,2020-01-02,4,6.5",
    ],
    "Chinese names": ["客户编号,交易日期,金额", "1,2020-01-01,5", "2,2020-01-02,6.5"],
    "semicolons": ["customer_id;date;amount", "1;2020-01-01;5", "2;2020-01-02;6.5"],
    "times": ["customer_id,date,amount", "1,2020-01-01 23:59,5", "2,2020-01-02 00:00,6.5"],
    "days first": ["customer_id,date,amount", "1,31/01/2020,5", "2,01/02/2020,6.5"],
    "American": ["customer_id,date,amount", "1,01/31/2020 5:30 PM,5", "2,02/01/2020 5:30 AM,6.5"],
    "eight digits": ["customer_id,date,amount", "1,20200131,5", "2,20200201,6.5"],
    "zones": [
        "customer_id,date,amount",
        "1,2020-01-01T23:30:00-02:00,5",
        "2,2020-01-02T00:30:00+02:00,6.5",
    ],
    "leading zeros": ["customer_id,date,amount", "007,2020-01-01,5", "7,2020-01-02,6.5"],
    "many digits": [
        "customer_id,date,amount",
        "12345678901234567,2020-01-01,5",
        "12345678901234568,2020-01-02,6.5",
    ],
    "whole floats": ["customer_id,date,amount", "1.0,2020-01-01,5", "2.0,2020-01-02,6.5"],
    "names": ["customer_id,date,amount", " Ann ,2020-01-01,5", "Bo,2020-01-02,6.5"],
    "returns": ["customer_id,date,amount", "1,2020-01-01,-5", "2,2020-01-02,0", "2,2020-01-03,4"],
    "one currency": [
        "customer_id,date,amount,Currency",
        "1,2020-01-01,5,EUR",
        "2,2020-01-02,6,eur",
    ],
    "currency not always given": [
        "customer_id,date,amount,currency",
        "1,2020-01-01,5,EUR",
        "2,2020-01-02,6,",
    ],
    "repeated": ["customer_id,date,amount", *["1,2020-01-01,5"] * 3, "2,2020-01-02,6"],
    "empty rows": ["customer_id,date,amount", "1,2020-01-01,5", "", ",,", "2,2020-01-02,6.5"],
    "quotes": ["customer_id,date,amount", '"a, ""b""\nc",2020-01-01,5', 'd,"2020-01-02","6.5"'],
    "a stray date": [
        "customer_id,date,amount",
        *[f"{i},2020-01-{1 + i % 28:02d},5" for i in range(200)],
        "7,2021-01-01,5",
    ],
}


@pytest.mark.parametrize("case", READ_ALIKE)
def test_a_file_in_place_is_the_file_in_memory(case, tmp_path, in_place):
    both(written(tmp_path, READ_ALIKE[case]))


@pytest.mark.parametrize("case", ["plain", "times", "zones", "leading zeros", "repeated"])
def test_parquet_in_place_is_parquet_in_memory(case, tmp_path, in_place):
    frame = load_table(written(tmp_path, READ_ALIKE[case])).data
    frame.to_parquet(tmp_path / "text.parquet")
    both(tmp_path / "text.parquet")
    frame["date"] = pd.to_datetime(frame["date"], utc=case == "zones")
    frame.to_parquet(tmp_path / "dates.parquet")
    both(tmp_path / "dates.parquet")


def test_parquet_of_other_types_is_read_alike(tmp_path, in_place):
    frame = pd.DataFrame(
        {
            "who": pd.Categorical(["a", "b", "b"]),
            "when": [20200101, 20200102, 20200103],
            "paid": ["5", "6.5", " 7 "],
        },
        index=[3, 4, 5],
    )
    frame.to_parquet(tmp_path / "log.parquet")
    log = both(tmp_path / "log.parquet", customer="who", date="when", amount="paid")
    assert any("amounts written as text were read" in text for text in log.warnings)
    floats = pd.DataFrame({"customer_id": [1.0, 2.0], "date": "2020-01-01", "amount": [1, 2]})
    floats.to_parquet(tmp_path / "log.parquet")
    both(tmp_path / "log.parquet")


def test_columns_are_found_by_the_names_given(tmp_path, in_place):
    lines = ["who,when,paid,date", "1,2020-01-01,5,x", "2,2020-01-02,6.5,y"]
    both(written(tmp_path, lines), customer="who", date="when", amount="paid")
    log = both(written(tmp_path, lines), customer="who", date="when", amount=None)
    assert "amount" not in pd.read_parquet(log.data)


def test_several_files_are_one_log(tmp_path, in_place):
    head = "customer_id,date,amount"
    written(tmp_path, [head, "1,2020-01-01,5", "2,2020-01-02,6.5"], "a.csv")
    written(tmp_path, ["amount,customer_id,date", "5,1,2020-01-01", "8,3,2020-01-02"], "b.csv")
    log = both(tmp_path / "*.csv")
    assert log.rows == 4
    text = " ".join(log.warnings)
    assert "1 transactions (same customer, day and amount) occur in more than one file" in text
    assert "1 customers occur in more than one file" in text


def test_the_byte_order_mark_of_excel_is_no_part_of_a_name(tmp_path, in_place):
    lines = ["customer_id,date,amount", "1,2020-01-01,5", "2,2020-01-02,6.5"]
    both(written(tmp_path, lines, encoding="utf-8-sig"))


TOMORROW = f"{pd.Timestamp.now() + pd.Timedelta(days=3):%Y-%m-%d}"
HEAD = "customer_id,date,amount"
FAULTS = [
    # what the file holds, and what both ways of reading it say
    ([HEAD, f"1,{TOMORROW},5"], "later than today"),
    ([HEAD, "1,1017-01-01,5"], "before 1900"),
    ([HEAD, "1,2020-01-01,5", ",2020-01-01,6"], "names? no customer"),
    ([HEAD, "1,2020-01-01,5", "NA,2020-01-01,6"], "names? no customer"),
    ([HEAD, "1,2020-01-01,5", "2, ,6"], "(have no|without a) date"),
    ([HEAD, "1,2020-01-01,5", "2,2020-01-02,"], "(have no|without an) amount"),
    ([HEAD, "1,2020-01-01,5", "2,2020-01-02,six"], "text"),
    ([HEAD, "1,2020-01-01,5", "2,2020-02-31,6"], "'2020-02-31' is not a date"),
    ([HEAD, "1,2020-01-01,5", "2,yesterday,6"], "'yesterday' is not a date"),
    ([HEAD, "1,2020-01-01 25:00,5"], "'2020-01-01 25:00' is not a date"),
    ([HEAD, "1,01/02/2020,5", "2,03/04/2020,6"], "could be read as"),
    ([HEAD, "1,2020-01-01 10:00+02:00,5", "2,2020-01-02 10:00,6"], "has no time zone"),
    ([HEAD, "1,43831,5"], "43831 is a number, not a date"),
    ([HEAD + ",currency", "1,2020-01-01,5,EUR", "2,2020-01-01,6,USD"], "mixes currencies"),
    ([HEAD + ",ccy", "1,2020-01-01,5,EUR", "2,2020-01-01,6,USD"], "mixes currencies"),
    ([HEAD, "1,2020-01-01,5,7", "2,2020-01-02,6"], "(?i)cells|columns"),
    ([HEAD, "1,2020-01-01,5", "2,2020-01-02"], "(?i)cells|columns"),
    ([HEAD, "1,,5", "2,,6"], "date: is empty"),
    ([HEAD], "no rows"),
    (["customer_id,date,sales,revenue", "1,2020-01-01,5,6"], "could be any of the columns"),
    (["customer_id,date,amonut", "1,2020-01-01,5"], "Did you mean 'amonut'"),
    (["customer_id,date,date", "1,2020-01-01,5"], "stands twice"),
    (["1,20200101,5", "2,20200102,5"], "its first row holds numbers"),
]


@pytest.mark.parametrize("lines, wrong", FAULTS)
def test_a_fault_is_told_in_place_as_in_memory(lines, wrong, tmp_path, monkeypatch):
    path = written(tmp_path, lines)
    with pytest.raises(InputError, match=wrong):
        check_transactions(load_table(path), not_positive="keep")
    with pytest.raises(InputError, match=wrong) as small:
        transaction_log(path)
    monkeypatch.setattr(logs, "_IN_MEMORY", 10**12)
    with pytest.raises(InputError, match=wrong) as large:
        transaction_log(path)
    for told in (small, large):
        assert told.value.where.startswith("log.csv")
        assert told.value.remedy


def test_a_fault_shows_a_row_of_the_file(tmp_path, in_place):
    path = written(tmp_path, [HEAD, "1,2020-01-01,5", "2,2020-01-02,", "3,2020-01-03,"])
    with pytest.raises(InputError, match=r"2 rows have no amount .such as .*date 2020-01-02"):
        transaction_log(path)


NOT_PLAIN = {
    "decimal commas": (["customer_id;date;amount", "1;2020-01-01;5,5"], "utf-8"),
    "thousands": ([HEAD, '1,2020-01-01,"1,005.50"'], "utf-8"),
    "currency signs": ([HEAD, "1,2020-01-01,$5.50"], "utf-8"),
    "another encoding": (["customer_id,date,amount,城市", "1,2020-01-01,5,北京"], "gb18030"),
    "white space": (["customer_id date amount", "1 2020-01-01 5.5"], "utf-8"),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_not_plain_is_read_into_memory_or_refused(case, tmp_path, monkeypatch):
    lines, encoding = NOT_PLAIN[case]
    path = written(tmp_path, lines, encoding=encoding)
    log = transaction_log(path)
    assert isinstance(log.data, pd.DataFrame)
    assert log.rows == 1 and log.data["amount"].iloc[0] >= 5
    monkeypatch.setattr(logs, "_IN_MEMORY", 10**12)
    with pytest.raises(InputError, match=r"not a plain number|UTF-8|separated by one"):
        transaction_log(path)


def test_other_sources_pass_through_memory(tmp_path):
    frame = pd.read_csv(CDNOW)
    assert isinstance(transaction_log(frame).data, pd.DataFrame)
    frame.head(50).to_excel(tmp_path / "log.xlsx", index=False)
    log = transaction_log(tmp_path / "log.xlsx")
    assert isinstance(log.data, pd.DataFrame) and log.rows == 50
    with pytest.raises(InputError, match=r"is not in the catalogue|no data set of that name"):
        transaction_log("cdnow_smaple")


def test_dates_of_too_many_spellings_are_refused(tmp_path, in_place, monkeypatch):
    monkeypatch.setattr(log_files, "_SPELLINGS", 3)
    lines = [HEAD, *[f"1,{day:02d}/01/2020,5" for day in range(13, 18)]]
    with pytest.raises(InputError, match="more than 3 different dates"):
        transaction_log(written(tmp_path, lines))
    # ISO dates are not read one by one
    both(written(tmp_path, [HEAD, *[f"1,2020-01-{day},5" for day in range(13, 18)]]))


def test_the_copy_goes_with_the_log(tmp_path):
    log = transaction_log(CDNOW)
    folder = log.data.parent
    assert [path.name for path in folder.iterdir()] == ["log.parquet"]
    del log
    assert not folder.exists()
    log = transaction_log(CDNOW)
    log.close()
    assert not log.data.exists()
    transaction_log(pd.read_csv(CDNOW)).close()


def test_copies_that_killed_processes_left_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"cvlib-log-{ended.pid}-abc"
    alive = tmp_path / f"cvlib-log-{os.getpid()}-abc"
    for folder in (left, alive):
        folder.mkdir()
        (folder / "log.parquet").write_text("")
    transaction_log(CDNOW).close()
    assert left.exists()  # it may be of a process that cannot be seen from here
    for folder in (left, alive):
        os.utime(folder, (0, 0))
    transaction_log(CDNOW).close()
    assert not left.exists() and alive.exists()


@pytest.mark.parametrize("form", ["csv", "parquet", "renamed"])
def test_the_chain_gives_the_same_tables_from_a_file_as_from_a_frame(form, tmp_path, in_place):
    frame = check_transactions(load_table(CDNOW), not_positive="keep").data
    source, names = CDNOW, {}
    if form != "csv":
        source = tmp_path / "log.parquet"
        if form == "renamed":
            names = {"customer": "who", "date": "when", "amount": "paid"}
            frame_written = frame.set_axis(list(names.values()), axis=1)
        else:
            frame_written = frame
        frame_written.to_parquet(source)
    log = transaction_log(source, **names)
    assert isinstance(log.data, Path)
    found = []
    for each in (log, frame):
        summary = summarise_purchases(each, **PERIODS)
        rivals = rival_forecasts(each, summary, **PERIODS)
        rolled = rolling_origins(each, origins=["1997-06-30"], holdout_days=91, model="nbd")
        found.append((summary, rivals, rolled))
    (one, rivals, rolled), (two, others, again) = found
    for name in ("customers", "histories", "left_out", "tracking", "facts"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    assert one.warnings == two.warnings and rivals.warnings == others.warnings
    pd.testing.assert_frame_equal(rivals.rules, others.rules)
    for mine, theirs in zip(rivals.forecasts, others.forecasts, strict=True):
        for what in ("expected", "probability", "spend", "score"):
            np.testing.assert_array_equal(getattr(mine, what), getattr(theirs, what))
    pd.testing.assert_frame_equal(rolled.table, again.table, check_exact=True)


def test_messages_name_the_users_file_not_the_copy(tmp_path):
    path = written(tmp_path, [HEAD, "1,2020-01-01,5", "1,2020-02-01,-5", "2,2020-03-01,5"])
    with pytest.raises(InputError, match=r"^log\.csv, column 'amount': 1 transactions"):
        summarise_purchases(transaction_log(path), calibration_end="2020-02-01", returns="refuse")


PROCESS = """
import sys
from pathlib import Path
from cvlib.lifetime.purchases.logs import transaction_log
from cvlib.lifetime.purchases.summary import summarise_purchases
log = transaction_log(sys.argv[1], memory_limit="500MB")
summary = summarise_purchases(log, calibration_end="2021-06-30", memory_limit="500MB")
peak = next(s for s in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in s)
print(int(peak.split()[1]) * 1024, log.rows)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_log_is_never_in_memory(tmp_path):
    # 5 million rows of text with times: as a frame they take more than 500 MB
    rng = np.random.default_rng(4)
    n = 5_000_000
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700 * 1440, n), unit="min")
    pd.DataFrame(
        {
            "customer_id": (rng.random(n) ** 1.7 * 300_000).astype(np.int64),
            "date": day,
            "amount": rng.integers(100, 9999, n) / 100,
        }
    ).to_csv(tmp_path / "log.csv", index=False, date_format="%Y-%m-%d %H:%M")
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "log.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, rows = map(int, done.stdout.split())
    assert rows == n
    assert peak < 500 * 10**6
