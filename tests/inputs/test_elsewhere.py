"""Tables that are named, and logs that stay in their database: the same customers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs import elsewhere
from cvlib.inputs.references import reference
from cvlib.lifetime.segments import seven_segments
from cvlib.study.batch import read_study
from cvlib.study.files import files_of, published, sent, tables_elsewhere

Keep = Callable[[pd.DataFrame], Any]


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    found: pd.DataFrame = cv.load("cdnow_sample").data.head(2500)
    found = found.assign(date=pd.to_datetime(found["date"]))
    back = found.head(50).assign(date=pd.Timestamp("1998-01-31"))
    return pd.concat([found, back.assign(amount=-back["amount"])], ignore_index=True)


def tables(backend: Any) -> list[str]:
    rows = backend.con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    return [name for (name,) in rows]


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """A table of a database that is treated as if it were far away."""
    import ibis
    from ibis.backends.duckdb import Backend

    def schema(self: Any, query: str) -> Any:  # Ibis asks DuckDB 2 by a name it no longer has
        rows = self.con.execute(f"DESCRIBE {query}").fetchall()
        read = self.compiler.type_mapper.from_string
        return ibis.schema({name: read(kind, nullable=True) for name, kind, *_ in rows})

    monkeypatch.setattr(Backend, "_get_schema_using_query", schema)
    monkeypatch.setattr(elsewhere, "_NEAR", ())
    backend = ibis.duckdb.connect()

    def kept(frame: pd.DataFrame) -> Any:
        name = f"log_{len(tables(backend))}"
        return backend.create_table(name, ibis.memtable(frame))

    return kept


def test_a_log_elsewhere_gives_the_same_customers(log: pd.DataFrame, keep: Keep) -> None:
    table = keep(log)
    ours, theirs = (cv.lifetime.summarise_purchases(each) for each in (log, table))
    for name in ("customers", "histories", "tracking", "left_out", "facts"):
        ours_, theirs_ = getattr(ours, name), getattr(theirs, name)
        pd.testing.assert_frame_equal(ours_, theirs_, rtol=1e-12, obj=name)
    assert str(cv.lifetime.audit_log(ours.log)) == str(cv.lifetime.audit_log(theirs.log))
    backend = table._find_backend()
    assert len(tables(backend)) > 1
    theirs.log.close()
    assert tables(backend) == ["log_0"]


def test_what_is_asked_of_the_days_is_the_same(log: pd.DataFrame, keep: Keep) -> None:
    rules = cv.lifetime.LogRules(where=[["amount", ">", 5]], returns="ignore")
    here, there = (cv.lifetime.transaction_log(each, rules) for each in (log, keep(log)))
    pd.testing.assert_frame_equal(
        here.purchase_days("1997-06-30"), there.purchase_days("1997-06-30")
    )
    for one in (here, there):
        names = pd.Series([f"n{i}" for i in range(len(one.customers()))])
        one.rename(one.customers(), names)
    assert here.customers().tolist() == there.customers().tolist()
    ours, theirs = (seven_segments(one, "1998-01-31") for one in (here, there))
    pd.testing.assert_frame_equal(ours.customers, theirs.customers)


def test_a_fault_elsewhere_names_the_column_and_no_row(keep: Keep) -> None:
    frame = pd.DataFrame(
        {"customer_id": ["a", "b"], "date": ["2020-01-01"] * 2, "amount": ["1", "x"]}
    )
    told = "the table, column amount: 'x' is no amount"
    with pytest.raises(cv.InputError, match=told):
        cv.lifetime.transaction_log(keep(frame))


@pytest.fixture
def shop(tmp_path: Path, log: pd.DataFrame) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as base:
        base.register("given", log)
        base.execute("CREATE TABLE orders AS FROM given; CREATE SCHEMA old")
        base.execute("CREATE TABLE old.half AS FROM orders LIMIT 1000")
    parts = tmp_path / "parts"
    parts.mkdir()
    log.iloc[:1000].to_parquet(parts / "part-0.parquet")
    log.iloc[1000:].to_parquet(parts / "part-1.parquet")
    (parts / "_SUCCESS").touch()
    return path


def test_a_named_table_and_a_folder_of_parts_are_the_log(shop: Path, log: pd.DataFrame) -> None:
    ours = cv.lifetime.summarise_purchases(log)
    for named in (f"duckdb://{shop}#orders", shop.parent / "parts"):
        found = cv.lifetime.summarise_purchases(named)
        pd.testing.assert_frame_equal(ours.customers, found.customers)
        assert [str(one) for one in found.warnings] == [str(one) for one in ours.warnings]
    assert cv.lifetime.transaction_log(f"duckdb://{shop}#old.half").rows == 1000


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("duckdb://{shop}#order", "table order: there is no such table. Did you mean 'orders'"),
        ("duckdb://{shop}", "names no table. Write it as duckdb://shop.duckdb#orders"),
        ("duckdb://nowhere.duckdb#orders", "nowhere.duckdb: there is no such file"),
        ("duckdb://{shop}.txt#orders", "cannot be opened"),
    ],
)
def test_a_wrong_reference_says_what_is_wrong(shop: Path, wrong: str, told: str) -> None:
    Path(f"{shop}.txt").write_text("no database")
    with pytest.raises(cv.InputError, match=told) as error:
        cv.lifetime.transaction_log(wrong.format(shop=shop))
    if "opened" in told:
        assert str(shop.parent) not in str(error.value)


def test_a_run_knows_the_file_and_tells_no_place(shop: Path) -> None:
    text = f"duckdb://{shop}#orders"
    assert files_of(text) == [shop]
    found = {"data": [shop]}
    assert published({"data": text}, found) == {"data": "duckdb://shop.duckdb#orders"}
    assert sent({"data": text}, found) == {"data": text}
    parts = shop.parent / "parts"
    assert [one.name for one in files_of(str(parts))] == [
        "_SUCCESS",
        "part-0.parquet",
        "part-1.parquet",
    ]
    assert published({"data": f"spark://{parts}/"}, {}) == {"data": "spark://parts/"}
    secret = "spark://s3a://key:word@shop/orders/"
    assert published({"data": secret}, {}) == {"data": "spark://orders"}
    assert sent({"data": f"spark://{parts}/"}, {}) == {"data": f"spark://{parts}"}
    assert sent({"data": "spark://shop.orders"}, {}) == {"data": "spark://shop.orders"}
    with pytest.raises(cv.InputError, match="there is no such file"):
        tables_elsewhere({"data": "duckdb://nowhere.duckdb#orders"})
    assert tables_elsewhere({"data": text, "draws": 5, "models": ["a"]}) == {}
    assert reference("orders.csv") is None and reference(["spark://x"]) is None
    assert reference("spark://s3a://shop/orders/").name == "orders"


def test_a_folder_is_one_table_or_refused(shop: Path) -> None:
    (shop.parent / "parts" / "orders.csv").write_text("customer_id,date,amount\n")
    with pytest.raises(cv.InputError, match=r"holds orders\.csv beside its Parquet files"):
        cv.lifetime.transaction_log(shop.parent / "parts")


def test_a_study_finds_tables_beside_it(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "title: Two\nruns: [{notebook: 06, grid: {data: ['duckdb://shop.duckdb#orders', parts]}}]\n"
    )
    (shop.parent / "study.yaml").write_text(text)
    monkeypatch.chdir(shop.parent.parent)
    cells = read_study(shop.parent / "study.yaml").cells
    assert [cell.parameters["data"] for cell in cells] == [
        f"duckdb://{shop}#orders", str(shop.parent / "parts")
    ]  # fmt: skip
