"""Transactions to customers: CDNOW to the digit, and every way a log can be wrong."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import LogRules
from cvlib.lifetime.purchases.summary import summarise_purchases

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "lifetime"
CDNOW = ROOT / "data" / "cdnow_sample.csv"
JOINED_LATE = "joined after the cut"
PERIODS = {"calibration_end": "1997-09-30", "holdout_end": "1998-06-30"}


@pytest.fixture(scope="module")
def cdnow():
    return summarise_purchases(CDNOW, **PERIODS)


def fact(summary, measure):
    return summary.facts.set_index("measure")["value"][measure]


def log(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "date", "amount"]).assign(
        date=lambda t: pd.to_datetime(t["date"])
    )


@pytest.fixture
def small():
    """Two customers in the calibration period, one who joins after it."""
    return log(
        ("a", "2020-01-01", 10.0),
        ("a", "2020-01-15", 5.0),
        ("a", "2020-01-15", 7.0),
        ("a", "2020-03-01", 9.0),
        ("b", "2020-01-08", 4.0),
        ("c", "2020-02-20", 3.0),
    )


def test_cdnow_equals_the_customer_by_sufficient_statistic_table(cdnow):
    # BTYD's table in exact weeks
    expected = pd.read_csv(REFERENCE / "cdnow_sample_btyd_cbs.csv")
    customers = cdnow.customers
    assert customers["customer_id"].tolist() == expected["id"].tolist()
    assert customers["x"].tolist() == expected["x"].tolist()
    assert customers["holdout_purchases"].tolist() == expected["x_star"].tolist()
    for ours, theirs in (("t_x", "t_x"), ("T", "T"), ("mean_repeat_spend", "m_x")):
        np.testing.assert_allclose(customers[ours], expected[theirs], rtol=0, atol=1e-12)


def test_cdnow_weekly_cumulative_repeats(cdnow):
    expected = pd.read_csv(REFERENCE / "cdnow_sample_weekly_cum_repeat.csv")
    assert cdnow.tracking["cumulative_repeat_purchases"].tolist() == expected["cum_repeat"].tolist()
    assert cdnow.tracking["sample"].value_counts().to_dict() == {"calibration": 39, "holdout": 39}


def test_cdnow_totals(cdnow):
    # lifetime.md's protocol: 2357 customers, 2457 and 1882 repeats, 684 active, 70,976.39
    assert fact(cdnow, "customers") == 2357
    assert fact(cdnow, "repeat_purchases") == 2457
    assert fact(cdnow, "holdout_purchases") == 1882
    assert fact(cdnow, "holdout_active") == 684
    assert fact(cdnow, "holdout_spend") == 70976.39
    assert cdnow.holdout == 39.0
    assert cdnow.histories["customers"].sum() == 2357
    assert cdnow.warnings == ()


@pytest.mark.parametrize("form", ["frame", "text_dates", "parquet", "ibis", "database"])
def test_every_kind_of_input_gives_the_same_customers(cdnow, form, tmp_path):
    import ibis

    frame = pd.read_csv(CDNOW)
    if form != "text_dates":
        frame["date"] = pd.to_datetime(frame["date"])
    source = frame
    if form == "parquet":
        source = tmp_path / "log.parquet"
        frame.to_parquet(source)
    if form == "ibis":
        source = ibis.memtable(frame)
    if form == "database":
        database = ibis.duckdb.connect(tmp_path / "shop.duckdb")
        database.con.register("frame", frame).execute("CREATE TABLE log AS SELECT * FROM frame")
        source = database.table("log")
    summary = summarise_purchases(source, **PERIODS)
    pd.testing.assert_frame_equal(summary.customers, cdnow.customers)
    pd.testing.assert_frame_equal(summary.histories, cdnow.histories)
    pd.testing.assert_frame_equal(summary.tracking, cdnow.tracking)


def test_order_of_rows_and_compact_dates_do_not_matter(cdnow):
    frame = pd.read_csv(CDNOW).sample(frac=1.0, random_state=5)
    frame["date"] = frame["date"].str.replace("-", "").astype(int)
    summary = summarise_purchases(frame, **PERIODS)
    pd.testing.assert_frame_equal(summary.customers, cdnow.customers)


def test_totals_are_exact_to_the_cent():
    """Floats would be off in the last digits, differently on every run with several threads."""
    rng = np.random.default_rng(5)
    cents = rng.integers(1, 10**11, 300_000)
    log = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 50_000, cents.size),
            "date": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 300, cents.size), unit="D"),
            "amount": np.where(rng.random(cents.size) < 0.02, -cents, cents) / 100,
        }
    )
    summary = summarise_purchases(
        log, calibration_end="2020-10-26", rules=LogRules(returns="ignore")
    )
    spend = summary.facts.set_index("measure")["value"]["calibration_spend"]
    paid = log["amount"] > 0
    assert spend == int(cents[paid].sum()) / 100
    dropped = summary.left_out.set_index("reason")["amount"]["negative amount, dropped by the rule"]
    assert dropped == -int(cents[~paid].sum()) / 100


def test_histories_are_the_customers_grouped(cdnow):
    grouped = cdnow.customers.groupby(["x", "t_x", "T"]).size().reset_index(name="customers")
    pd.testing.assert_frame_equal(cdnow.histories, grouped)


def test_customers_can_go_to_a_file(cdnow, tmp_path):
    path = tmp_path / "customers.parquet"
    summary = summarise_purchases(CDNOW, **PERIODS, customers_to=path)
    assert summary.customers is None
    pd.testing.assert_frame_equal(pd.read_parquet(path), cdnow.customers)
    pd.testing.assert_frame_equal(summary.histories, cdnow.histories)


def test_same_day_purchases_merge_and_late_joiners_leave(small):
    summary = summarise_purchases(small, calibration_end="2020-01-31")
    a, b = summary.customers.to_dict("records")
    assert (a["x"], a["t_x"], a["T"]) == (1, 2.0, 30 / 7)
    assert a["mean_repeat_spend"] == 12.0
    assert (a["recency"], a["frequency"], a["monetary"]) == (16, 2, 22.0)
    assert (a["holdout_purchases"], a["holdout_spend"]) == (1, 9.0)
    assert (b["x"], b["t_x"], b["mean_repeat_spend"]) == (0, 0.0, 0.0)
    left = summary.left_out.set_index("reason")
    assert left.loc["joined after the cut", ["count", "amount"]].tolist() == [1, 3.0]
    assert left.loc["joined after the cut", "share"] == pytest.approx(1 / 3)
    assert left.loc["merged with another of the same day", "count"] == 1
    # the late joiner is not in the tracking either
    assert summary.tracking["new_customers"].sum() == 2
    assert summary.tracking["repeat_purchases"].sum() == 2


@pytest.mark.parametrize("cut", ["1997-01-20", "1997-03-01"])
def test_tracking_follows_those_who_joined_before_the_cut(cut):
    # most join after the first cut and before the second; the same count by hand
    summary = summarise_purchases(CDNOW, calibration_end=cut)
    log = pd.read_csv(CDNOW, parse_dates=["date"])
    days = log[log["amount"] >= 0].drop_duplicates(["customer_id", "date"])
    joined = days.groupby("customer_id")["date"].min()
    assert (joined > cut).sum() == summary.left_out.set_index("reason")["count"][JOINED_LATE]
    assert (summary.facts.set_index("measure")["value"]["customers"] > (joined > cut).sum()) == (
        cut == "1997-03-01"
    )
    cohort = days[days["customer_id"].map(joined) <= cut]
    start = pd.Timestamp("1997-01-01")  # weeks are whole before the cut and after it
    ahead = -((pd.Timestamp(cut) - start).days + 1) % 7
    week = ((cohort["date"] - start).dt.days + ahead) // 7
    sample = np.where(
        np.arange(len(summary.tracking)) * 7 - ahead <= (pd.Timestamp(cut) - start).days,
        "calibration",
        "holdout",
    )
    assert summary.tracking["sample"].tolist() == sample.tolist()
    first = cohort["date"] == cohort["customer_id"].map(joined)
    for column, rows in (("new_customers", first), ("repeat_purchases", ~first)):
        expected = np.bincount(week[rows], minlength=len(summary.tracking))
        assert summary.tracking[column].tolist() == expected.tolist()


@pytest.mark.parametrize("unit, days", [("day", 1), ("week", 7), ("month", 30.4375)])
def test_time_units_are_exact(small, unit, days):
    summary = summarise_purchases(small, calibration_end="2020-01-31", unit=unit)
    np.testing.assert_allclose(summary.customers["T"], [30 / days, 23 / days], rtol=1e-15)
    assert summary.holdout == pytest.approx(30 / days)


def test_returns_net_within_the_day():
    rows = log(
        ("a", "2020-01-01", 10.0),
        ("a", "2020-01-05", 0.3),
        ("a", "2020-01-05", -0.1),
        ("a", "2020-01-05", -0.2),  # nets to zero, though 0.3 - 0.1 - 0.2 is not 0 in floats
        ("a", "2020-01-09", -4.0),  # a return alone
        ("a", "2020-01-12", 8.0),
        ("b", "2020-01-03", 0.0),  # free order
        ("c", "2020-01-04", -1.0),  # never bought
    )
    net = summarise_purchases(rows, calibration_end="2020-01-12", rules=LogRules(returns="net"))
    assert net.customers["customer_id"].tolist() == ["a", "b"]
    assert net.customers["x"].tolist() == [1, 0]
    assert net.customers["monetary"].tolist() == [18.0, 0.0]
    left = net.left_out.set_index("reason")
    assert left.loc["net of the day negative", ["count", "amount"]].tolist() == [2, -5.0]
    assert left.loc["net of the day zero", "count"] == 1
    assert left.loc["no purchase left", "count"] == 1

    ignoring = LogRules(returns="ignore")
    ignore = summarise_purchases(rows, calibration_end="2020-01-12", rules=ignoring)
    assert ignore.customers["x"].tolist() == [2, 0]
    dropped = ignore.left_out.set_index("reason")["count"]
    assert dropped["negative amount, dropped by the rule"] == 4
    assert ignore.left_out["amount"][0] == pytest.approx(-5.3)

    paid = LogRules(returns="net", free_orders="exclude")
    exclude = summarise_purchases(rows, calibration_end="2020-01-12", rules=paid)
    assert exclude.customers["customer_id"].tolist() == ["a"]


def test_without_amounts_only_dates_count(small):
    summary = summarise_purchases(small, calibration_end="2020-01-31", rules=LogRules(amount=None))
    assert summary.customers["x"].tolist() == [1, 0]


def test_rows_after_the_holdout_are_counted(small):
    summary = summarise_purchases(small, calibration_end="2020-01-31", holdout_end="2020-02-25")
    left = summary.left_out.set_index("reason")["count"]
    assert left["after the holdout"] == 1
    assert summary.left_out.set_index("reason")["amount"]["after the holdout"] == 9.0
    assert fact(summary, "holdout_purchases") == 0


def test_one_purchase_each_is_flagged():
    rows = log(("a", "2020-01-01", 1.0), ("b", "2020-01-02", 1.0))
    summary = summarise_purchases(rows, calibration_end="2020-01-02")
    assert any("one day only" in warning for warning in summary.warnings)


def test_overlapping_files_are_flagged(small, tmp_path):
    for name, part in (("one", small[:4]), ("two", small[3:])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    summary = summarise_purchases(paths, calibration_end="2020-01-31")
    assert any("1 transactions" in w and "overlap" in w for w in summary.warnings)


def test_left_truncation_is_flagged():
    rng = np.random.default_rng(3)
    # customers who have bought for years at very different rates, seen from 2020 on
    rate = rng.gamma(0.5, 2.0, 1500)
    number = rng.poisson(rate * 10)
    who = np.repeat(np.arange(1500), number)
    days = rng.uniform(0, 364, who.size)
    frame = pd.DataFrame(
        {
            "customer_id": who,
            "date": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.floor(days), unit="D"),
            "amount": 1.0,
        }
    )
    frame = pd.concat([frame, log((-1, "2020-12-30", 1.0)).assign(customer_id=-1)])
    summary = summarise_purchases(frame, calibration_end="2020-12-30")
    assert any("left truncation" in warning for warning in summary.warnings)


@pytest.mark.parametrize(
    "change, options, message",
    [
        (lambda t: t.drop(columns="amount"), {}, "column amount: there is no such column"),
        (
            lambda t: t.assign(date=t["date"].where(t.index != 2)),
            {},
            "data row 3: is a trans.* date",
        ),
        (lambda t: t.assign(date="1/2/2020"), {}, "could be read as"),
        (lambda t: t.assign(date=pd.Timestamp("2199-01-01")), {}, "later than today"),
        (lambda t: t.assign(amount="1,234"), {}, "decimal comma or a thousands separator"),
        (lambda t: t.assign(amount=np.nan), {}, "amount: is empty"),
        (lambda t: t.assign(amount=-1.0), {"returns": "refuse"}, "-1 is a negative amount .5 more"),
        (lambda t: t.assign(amount=0.0), {"free_orders": "refuse"}, "0 is a zero amount"),
        (lambda t: t.assign(amount=np.inf), {}, "inf is no amount"),
        (lambda t: t.assign(currency=["EUR"] * 3 + ["USD"] * 3), {}, "EUR 3 rows, USD 3 rows"),
        (
            lambda t: t.assign(customer_id=t["customer_id"].where(t.index > 0)),
            {},
            "row 1: names no",
        ),
        (lambda t: t[:0], {}, "has no rows"),
        (lambda t: t, {"calibration_end": "2019-01-01"}, "outside the log"),
        (lambda t: t, {"calibration_end": "soon"}, "is not a date"),
        (lambda t: t, {"holdout_end": "2020-12-31"}, "after the end of the data"),
        (lambda t: t, {"holdout_end": "2020-01-30"}, "before the cut"),
        (lambda t: t, {"memory_limit": "plenty"}, "is not a size"),
        (lambda t: t, {"memory_limit": "100MB"}, 'at least "500MB"'),
        (lambda t: t, {"customers_to": "no/such/folder/customers.parquet"}, "is in no folder"),
        (lambda t: t, {"unit": "weeks"}, "Did you mean 'week'"),
        (lambda t: "nowhere.csv", {}, "no such file"),
        (lambda t: 17, {}, "a int is no log of transactions"),
    ],
)
def test_faulty_logs_are_refused_with_a_reason(small, change, options, message):
    known = set(LogRules.__dataclass_fields__)
    with pytest.raises(InputError, match=message):
        rules = LogRules(**{name: value for name, value in options.items() if name in known})
        others = {name: value for name, value in options.items() if name not in known}
        summarise_purchases(
            change(small), rules=rules, **{"calibration_end": "2020-01-31", **others}
        )


def test_a_table_of_another_database_is_read_like_a_file(small, tmp_path):
    import ibis

    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        small.assign(date=small["date"].astype(str)).to_sql("log", connection, index=False)
    table = ibis.sqlite.connect(path).table("log")
    found = summarise_purchases(table, calibration_end="2020-01-31")
    wanted = summarise_purchases(small, calibration_end="2020-01-31")
    pd.testing.assert_frame_equal(found.customers, wanted.customers)


def test_file_that_is_not_a_table_is_refused(tmp_path):
    path = tmp_path / "log.parquet"
    path.write_text("not a parquet file")
    with pytest.raises(InputError, match=r"log\.parquet: is not what its ending says"):
        summarise_purchases(path, calibration_end="2020-01-31")


def test_master_file_has_the_published_size(mirror):
    # Fader & Hardie: 23,570 customers and 69,659 transactions in the full CDNOW file
    master = pd.read_csv(
        mirror / "CDNOW_master.txt",
        sep=r"\s+",
        header=0,
        names=["customer_id", "date", "quantity", "amount"],
    )
    summary = summarise_purchases(master, calibration_end="1997-09-30")
    assert fact(summary, "customers") == 23570
    assert fact(summary, "transactions") == 69659


@pytest.mark.parametrize("form", ["%02d/03/2020", "03-%02d-2020", "%02d/03/2020 10:20:30"])
def test_ambiguous_dates_in_a_file_are_refused_not_guessed(tmp_path, form):
    path = tmp_path / "log.csv"
    lines = [f"{i},{form % i},2" for i in range(1, 13)]
    path.write_text("\n".join(["customer_id,date,amount", *lines]))
    with pytest.raises(InputError, match=r"log.csv, column date: .* could be read as %d"):
        summarise_purchases(path, calibration_end="2020-03-05")
    pattern = form.replace("%02d", "%d").replace("03", "%m").replace("2020", "%Y")
    pattern = pattern.replace("10:20:30", "%H:%M:%S")
    found = summarise_purchases(
        path, calibration_end="2020-03-05", rules=LogRules(date_format=pattern)
    )
    assert len(found.customers) == 5


def test_leading_zeros_of_customers_are_kept(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("customer_id,date,amount\n007,2020-03-01,2\n7,2020-03-02,2\n008,2020-03-03,1\n")
    summary = summarise_purchases(path, calibration_end="2020-03-03")
    assert summary.customers["customer_id"].tolist() == ["007", "008", "7"]
