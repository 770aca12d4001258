"""A transaction log of any size: opened, brought to one form and checked inside the database."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs.errors import InputError, nearest

_TEXT = {".csv", ".tsv", ".txt", ".gz"}
_PARQUET = {".parquet", ".pq"}


@contextmanager
def opened(source: Any, date: str, memory_limit: str) -> Iterator[tuple[Any, str, Any]]:
    """An Ibis table over the source, its name for messages, and how to keep a step's result."""
    import duckdb
    import ibis

    if isinstance(source, ibis.expr.types.Table):
        yield source, "the table", lambda name, expression: expression
        return
    with tempfile.TemporaryDirectory(prefix="cvlib-") as spill:
        settings = {"memory_limit": memory_limit, "temp_directory": spill}
        try:
            database = ibis.duckdb.connect(preserve_insertion_order=False, **settings)
        except duckdb.Error as error:
            raise InputError("memory_limit", str(error), 'Write it as "2GB".') from error
        try:
            yield (
                *_read(database, source, date),
                lambda name, expression: database.create_table(name, expression, temp=True),
            )
        except duckdb.OutOfMemoryException as error:
            raise InputError(
                "memory_limit", f"{memory_limit} is too little for this log", "Raise it."
            ) from error
        except duckdb.Error as error:
            raise InputError(
                _named(source), f"cannot be read: {error}", "Mend the row or column it names."
            ) from error
        finally:
            database.disconnect()


def _named(source: Any) -> str:
    if isinstance(source, pd.DataFrame):
        return str(source.attrs.get("source", "transactions"))
    return ", ".join(str(path) for path in _paths(source))


def _paths(source: Any) -> list[str]:
    return [str(path) for path in ([source] if isinstance(source, (str, Path)) else source)]


def _read(database: Any, source: Any, date: str) -> tuple[Any, str]:
    name = _named(source)
    if isinstance(source, pd.DataFrame):
        if source.empty:
            raise InputError(name, "has no rows", "Give a log with at least one transaction.")
        database.con.register("transactions", source)
        return database.table("transactions"), name
    paths = _paths(source)
    for path in paths:
        if not set("*?[") & set(path) and not Path(path).is_file():
            raise InputError(path, "there is no such file", "Check the path.")
    kinds = {Path(path).suffix.lower() for path in paths}
    if kinds <= _PARQUET:
        return database.read_parquet(paths, filename=len(paths) > 1), name
    if kinds <= _TEXT:
        # dates stay text here: DuckDB would guess what 01/02/2020 means
        options = {"types": {date: "VARCHAR"}} if date in database.read_csv(paths).columns else {}
        return database.read_csv(paths, filename=len(paths) > 1, **options), name
    raise InputError(name, "is neither CSV nor Parquet", "Read it first and pass the DataFrame.")


def standard_rows(
    table: Any, name: str, customer: str, date: str, amount: str | None, currency: str | None
) -> Any:
    """The columns needed, as customer_id, day, date_text, amount, currency, file."""
    import ibis

    columns = list(table.columns)
    for wanted in filter(None, (customer, date, amount, currency)):
        if wanted not in columns:
            raise InputError(
                f"{name}, column {wanted!r}", "is missing", nearest(wanted, columns) + " Name it."
            )
    when = table[date]
    kind = when.type()
    if kind.is_timestamp() and kind.timezone is not None:
        raise InputError(
            f"{name}, column {date!r}",
            "carries a time zone, so that its days depend on where they are counted",
            "Convert it to local dates first (pandas: .dt.tz_convert(zone).dt.date).",
        )
    if kind.is_timestamp() or kind.is_date():
        day = when.cast("date")
    elif kind.is_integer() or kind.is_string():
        # year first, a time of day at most; anything else (1/2/97, a time zone) is refused
        text = when.cast("string").strip()
        iso = text.re_search(r"^\d{4}[-/.]?\d{2}[-/.]?\d{2}([ T]\d{2}:\d{2}[0-9:.]*)?$")
        plain = text.re_replace(r"^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2}).*$", r"\1-\2-\3")
        day = iso.ifelse(plain.try_cast("date"), ibis.null("date"))
    else:
        raise InputError(f"{name}, column {date!r}", f"holds {kind}, not dates", "Give dates.")
    value = ibis.literal(0.0) if amount is None else table[amount]
    if amount is not None and not value.type().is_numeric():
        number = value.cast("string").try_cast("float64")
        bad = table.filter(value.notnull() & number.isnull()).select(amount).limit(1).to_pandas()
        sample = f" (such as {bad.iloc[0, 0]!r})" if len(bad) else ""
        raise InputError(
            f"{name}, column {amount!r}",
            f"holds text{sample}, not numbers",
            "Write plain numbers with a decimal point: no thousands separators, no symbols.",
        )
    money = currency or next((c for c in columns if c.lower() == "currency"), None)
    blank = ibis.literal("")
    return table.select(
        customer_id=table[customer],
        day=day,
        date_text=when.cast("string"),
        amount=value.cast("float64"),
        currency=blank if money is None else table[money].cast("string"),
        file=table["filename"] if "filename" in columns else blank,
    )


def checked(
    rows: Any, name: str, columns: dict[str, Any], returns: str, free_orders: str
) -> dict[str, Any]:
    """Count what must not be there in one pass over the log; raise on the first fault found."""
    today = dt.datetime.now(dt.UTC).date()
    spend = rows.amount
    finite = spend.notnull() & ~spend.isnan() & ~spend.isinf()
    no_day = rows.day.isnull()
    ban_negative, ban_zero = returns == "refuse", free_orders == "refuse" and columns["amount"]
    faults = [
        ("customer", rows.customer_id.isnull(), "have no customer", "Fill it in."),
        ("date", rows.date_text.isnull(), "have no date", "Fill it in or remove them."),
        (
            "date",
            no_day & rows.date_text.notnull(),
            "have an unreadable date",
            "Write dates as 1997-09-30 or 19970930, without a time zone.",
        ),
        ("date", rows.day > today, "lie in the future", "Correct the dates."),
        ("amount", ~finite, "have no amount", "Fill it in or remove them."),
        (
            "amount",
            finite & (spend < 0) & bool(ban_negative),
            "have a negative amount",
            'Remove them, or choose returns="net" or "ignore".',
        ),
        (
            "amount",
            finite & (spend == 0) & bool(ban_zero),
            "have a zero amount",
            'Remove them, or choose free_orders="count" or "exclude".',
        ),
    ]
    count = rows.agg(
        transactions=rows.count(),
        negative=(finite & (spend < 0)).sum().fill_null(0),
        negative_amount=spend.sum(where=spend < 0).fill_null(0.0),
        total_amount=spend.sum(),
        currencies=rows.currency.nunique(),
        files=rows.file.nunique(),
        first_day=rows.day.min(),
        last_day=rows.day.max(),
        **{f"fault_{i}": fault.sum().fill_null(0) for i, (_, fault, _, _) in enumerate(faults)},
    )
    found = count.to_pandas().iloc[0].to_dict()
    if not found["transactions"]:
        raise InputError(name, "has no rows", "Give a log with at least one transaction.")
    for i, (column, fault, wrong, remedy) in enumerate(faults):
        if found[f"fault_{i}"]:
            row = rows.filter(fault).select("customer_id", "date_text", "amount").limit(1)
            who, when, spent = row.to_pandas().iloc[0]
            raise InputError(
                f"{name}, column {columns[column]!r}",
                f"{int(found[f'fault_{i}'])} transactions {wrong} "
                f"(such as customer {who}, date {when}, amount {spent})",
                remedy,
            )
    if found["currencies"] > 1:
        raise InputError(
            name,
            f"amounts are in {int(found['currencies'])} currencies",
            "Convert them to one currency, or summarise each currency on its own.",
        )
    for key in ("first_day", "last_day"):
        found[key] = pd.Timestamp(found[key]).date()
    return found


def repeated_across_files(rows: Any) -> list[str]:
    """A warning when the same transaction stands in more than one file."""
    same = rows.group_by("customer_id", "day", "amount").agg(files=rows.file.nunique())
    twice = int(same.filter(same.files > 1).count().to_pandas())
    if not twice:
        return []
    return [
        f"{twice} transactions (same customer, day and amount) occur in more than one file: if the "
        "files overlap their amounts are counted twice."
    ]
