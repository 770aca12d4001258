"""A log that Spark holds gives what DuckDB gives for the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.segments import seven_segments
from cvlib.statistics.resample import generator


def log_of(rows: int, customers: int, *, returns: float = 0.02) -> pd.DataFrame:
    """A log with cents, same-day purchases, returns of earlier amounts and a status."""
    draw = generator(7)
    frame = pd.DataFrame({
        "customer_id": draw.integers(1, customers + 1, rows),
        "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 730, rows), "D"),
        "amount": draw.integers(100, 5000, rows) / 100,
        "status": draw.choice(["paid", "open", None], rows, p=[0.9, 0.08, 0.02]),
    })  # fmt: skip
    back = frame.sample(int(rows * returns), random_state=7)
    back = back.assign(date=back["date"] + pd.Timedelta(days=9), amount=-back["amount"])
    return pd.concat([frame, back], ignore_index=True)


def same(ours: PurchaseSummary, theirs: PurchaseSummary) -> None:
    for name in ("customers", "histories", "tracking", "left_out", "facts"):
        pd.testing.assert_frame_equal(
            getattr(ours, name), getattr(theirs, name), rtol=1e-12, atol=1e-9, obj=name
        )
    assert [str(one) for one in ours.warnings] == [str(one) for one in theirs.warnings]


def left_behind(spark: Any) -> list[str]:
    """Views of ours that the user's session still has."""
    return [one.name for one in spark.catalog.listTables() if one.name.startswith("cvlib_")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two million rows in eight parts, as Spark writes a table."""
    folder = tmp_path_factory.mktemp("orders") / "orders"
    folder.mkdir()
    frame = log_of(1_960_000, 300_000)
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 8)):
        frame.iloc[rows].to_parquet(folder / f"part-{number:05}.parquet", index=False)
    (folder / "_SUCCESS").touch()
    return folder


def test_two_million_rows_are_the_same_customers(spark: Any, folder: Path) -> None:
    rules = cv.lifetime.LogRules(where=[["status", "!=", "open"]])
    ours = cv.lifetime.summarise_purchases(str(folder), rules=rules)
    theirs = cv.lifetime.summarise_purchases(f"spark://{folder}/", rules=rules)
    assert ours.log.rows == 1_999_200
    same(ours, theirs)
    audits = [str(cv.lifetime.audit_log(one.log)) for one in (ours, theirs)]
    assert audits[0] == audits[1]
    theirs.log.close()
    assert not left_behind(spark)


def test_everything_over_the_days_is_the_same(spark: Any) -> None:
    frame = log_of(5_000, 400)
    spark.createDataFrame(frame.astype({"status": "object"})).createOrReplaceTempView("shop")
    there = cv.lifetime.transaction_log("spark://shop")
    here = cv.lifetime.transaction_log(frame)
    assert there.source == "shop" and there.first_day == here.first_day
    ours, theirs = (cv.lifetime.purchase_cohorts(one) for one in (here, there))
    pd.testing.assert_frame_equal(ours.table, theirs.table)
    segments = [seven_segments(one, "2024-06-30") for one in (here, there)]
    pd.testing.assert_frame_equal(segments[0].customers, segments[1].customers, rtol=1e-12)
    pd.testing.assert_frame_equal(here.purchase_days(), there.purchase_days(), rtol=1e-12)
    assert here.customers().tolist() == there.customers().tolist()
    twice = cv.lifetime.transaction_log("spark://shop")
    there.close()  # each has a view of its own
    assert twice.customers().tolist() == here.customers().tolist()
    twice.close()
    assert not left_behind(spark)


@pytest.mark.parametrize(
    "change, told",
    [
        ({"amount": ["12.5", "seven"]}, "column amount"),
        ({"date": ["2023-02-01", "2023-13-40"]}, "column date"),
        ({"customer_id": ["a", None]}, "column customer_id.*names no customer"),
    ],
)
def test_what_is_refused_here_is_refused_there(
    spark: Any, change: dict[str, list[Any]], told: str
) -> None:
    rows = {"customer_id": ["a", "b"], "date": ["2023-01-01"] * 2, "amount": ["1", "2"]} | change
    frame = pd.DataFrame(rows, dtype=object)
    spark.createDataFrame(frame).createOrReplaceTempView("faulty")
    for data in (frame, "spark://faulty"):
        with pytest.raises(cv.InputError, match=told):
            cv.lifetime.transaction_log(data)
    assert not left_behind(spark)


def test_a_table_that_is_not_there(spark: Any) -> None:
    with pytest.raises(cv.InputError, match="Spark does not find it"):
        cv.lifetime.transaction_log("spark://nowhere")


def test_the_same_question_is_known_by_what_spark_would_read(spark: Any, folder: Path) -> None:
    from cvlib.inputs.references import fingerprint

    before = fingerprint(f"spark://{folder}/")
    assert before == fingerprint(f"spark://{folder}/") and len(before) == 64
    more = folder / "part-00099.parquet"
    log_of(100, 10).to_parquet(more, index=False)
    assert fingerprint(f"spark://{folder}/") != before
    more.unlink()


def test_what_is_read_and_shuffled_grows_with_the_rows(spark: Any, tmp_path: Path) -> None:
    per_row = []
    for rows in (20_000, 200_000, 2_000_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        frame = log_of(rows, rows // 5, returns=0)
        frame.drop(columns="status").to_parquet(folder / "part-0.parquet", index=False)
        before = spent(spark)
        found = cv.lifetime.summarise_purchases(
            f"spark://{folder}/", customers_to=tmp_path / f"to_{rows}"
        )
        read, shuffled = (now - then for now, then in zip(spent(spark), before, strict=True))
        per_row.append((rows, read / rows, shuffled / rows, len(found.histories)))
        found.log.close()
    print(per_row)  # with -s
    _, small, large = per_row
    assert large[1] < 1.3 * small[1] and large[2] < 1.3 * small[2]
    assert large[1] < 250 and large[2] < 100  # bytes, what its own cache gives back included
    assert large[3] < 10 * small[3]  # distinct histories grow more slowly than customers


def spent(spark: Any) -> tuple[int, int]:
    """Bytes that the session has read and shuffled so far."""
    store = spark.sparkContext._jsc.sc().statusStore()
    executors = store.executorList(False)
    each = [executors.apply(place) for place in range(executors.size())]
    return sum(one.totalInputBytes() for one in each), sum(one.totalShuffleWrite() for one in each)
