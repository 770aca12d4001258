"""A transaction log of any size: opened, brought to one form and checked inside the database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.lifetime.units import MONEY

_TEXT = {".csv", ".tsv", ".txt", ".gz"}
_PARQUET = {".parquet", ".pq"}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}I": 1024**power for power, unit in enumerate("KMGT", 1)}
# Python with its libraries, and DuckDB's part of what is left: beyond its own limit it takes some
# for joins, for results and for memory freed but not yet given back.
_LIBRARIES = 250 * 10**6
_DATABASE_SHARE = 0.7
# A thread holds buffers of its own; with less than this each, it waits for the disk instead.
_PER_THREAD = 250 * 10**6


def memory_share(memory_limit: str) -> tuple[int, int]:
    """A limit such as "2GB" (10^9) or "2GiB" (2^30) in bytes, and DuckDB's share of it."""
    form = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?|)B?\s*", str(memory_limit).upper())
    if form is None:
        raise InputError("memory_limit", f"{memory_limit!r} is not a size", 'Write it as "2GB".')
    size = int(float(form[1]) * _UNITS[form[2]])
    if size < 500 * 10**6:
        raise InputError(
            "memory_limit",
            f"{memory_limit} is little more than Python and its libraries take by themselves",
            'Give at least "500MB".',
        )
    return size, int((size - _LIBRARIES) * _DATABASE_SHARE)


@dataclass(frozen=True, eq=False)
class TransactionLog:
    """A transaction log brought to one form: columns customer_id, date and (if any) amount.

    Attributes
    ----------
    data : DataFrame or Path
        The rows; a Parquet file in the temporary folder when the log was read in place. It is
        deleted by `close`, or with this object.
    source, sha256 : str
        Name and hash of the user's file (of several files: as `cvlib.load_table` has them).
    rows : int
        Transactions in it.
    warnings : tuple of str
        What had to be assumed, and what the analyst should look at.
    """

    data: pd.DataFrame | Path
    source: str
    sha256: str
    rows: int
    warnings: tuple[str, ...]
    _folder: Any = None  # keeps the temporary folder for as long as the log

    def close(self) -> None:
        """Delete the copy, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()


@contextmanager
def opened(source: Any, date: str, share: int, spill: str) -> Iterator[tuple[Any, str, Any]]:
    """An Ibis table over the source, its name for messages, and how to keep a step's result."""
    import ibis

    if isinstance(source, ibis.expr.types.Table):
        try:
            yield source, "the table", lambda name, expression: expression
        except ibis.IbisError as error:
            raise InputError(
                "the table",
                f"its database cannot summarise it ({error})",
                "Write it to a Parquet file (table.to_parquet) and pass that.",
            ) from error
        return
    with told(_named(source), share):
        database = ibis.duckdb.connect(temp_directory=spill, preserve_insertion_order=False)
        try:
            limit(database.con, share)
            yield (
                *_read(database, source, date),
                lambda name, expression: database.create_table(name, expression, temp=True),
            )
        finally:
            database.disconnect()


@contextmanager
def told(name: str, share: int) -> Iterator[None]:
    """DuckDB's errors as bad input of the log `name`, read under the limit `share`."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise InputError(
            "memory_limit",
            f"DuckDB's share of it ({share / 1e9:.1f} GB) is too little for this log",
            "Raise it, or give the temporary folder (TMPDIR) more room.",
        ) from error
    except duckdb.Error as error:
        raise InputError(
            name, f"cannot be read: {error}", "Mend the row or column it names."
        ) from error


def limit(connection: Any, share: int) -> None:
    """Give DuckDB its share of the memory, no more threads than that feeds, and nothing to say."""
    import duckdb

    (threads,) = connection.execute("SELECT current_setting('threads')").fetchone()
    with suppress(duckdb.InvalidInputException):  # Jupyter without ipywidgets has no bar to set
        connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET memory_limit = '{share}B'")
    connection.execute(f"SET threads = {max(1, min(threads, share // _PER_THREAD))}")


def _named(source: Any) -> str:
    if isinstance(source, TransactionLog):
        return source.source
    if isinstance(source, pd.DataFrame):
        return str(source.attrs.get("source", "transactions"))
    return ", ".join(str(path) for path in _paths(source))


def _paths(source: Any) -> list[str]:
    return [str(path) for path in ([source] if isinstance(source, (str, Path)) else source)]


def _read(database: Any, source: Any, date: str) -> tuple[Any, str]:
    name = _named(source)
    if isinstance(source, TransactionLog):
        source = source.data
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
    # exact: a sum of floats would depend on the order in which the threads add
    money = finite.ifelse(spend, 0.0).cast(MONEY)
    # by currency and file: a count of distinct values over the whole log would hold every row
    parts = rows.group_by("currency", "file").agg(
        transactions=rows.count(),
        negative=(finite & (spend < 0)).sum().fill_null(0),
        negative_amount=money.sum(where=finite & (spend < 0)).fill_null(0),
        total_amount=spend.sum().fill_null(0.0),
        first_day=rows.day.min(),
        last_day=rows.day.max(),
        **{f"fault_{i}": fault.sum().fill_null(0) for i, (_, fault, _, _) in enumerate(faults)},
    )
    table = parts.to_pandas()
    first, last = table.pop("first_day").dropna(), table.pop("last_day").dropna()
    found: dict[str, Any] = {c: table.pop(c).nunique() for c in ("currency", "file")}
    found |= table.sum().to_dict()
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
    if found["currency"] > 1:
        raise InputError(
            name,
            f"amounts are in {found['currency']} currencies",
            "Convert them to one currency, or summarise each currency on its own.",
        )
    return found | {
        "first_day": pd.Timestamp(first.min()).date(),
        "last_day": pd.Timestamp(last.max()).date(),
    }


def repeated_across_files(rows: Any) -> list[str]:
    """A warning when the same transaction stands in more than one file."""
    # names as numbers: text would be kept once per transaction
    file = rows.file.hash()
    same = rows.group_by("customer_id", "day", "amount").agg(first=file.min(), last=file.max())
    twice = int(same.filter(same.first != same.last).count().to_pandas())
    if not twice:
        return []
    return [
        f"{twice} transactions (same customer, day and amount) occur in more than one file: if the "
        "files overlap their amounts are counted twice."
    ]


def read_by_column(path: Path | str) -> pd.DataFrame:
    """A Parquet file as a frame, one column at a time: never the whole of it twice in memory."""
    from pyarrow.parquet import read_schema

    names = read_schema(path).names
    return pd.DataFrame(
        {name: pd.read_parquet(path, columns=[name])[name] for name in names}, copy=False
    )
