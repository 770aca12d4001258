"""A transaction log of any size and from any source, brought to purchase days by one rule set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.database import DECIMALS, MONEY, connect, memory_share, own_folder, told
from cvlib.inputs.elsewhere import Elsewhere, backend_of, stays
from cvlib.inputs.errors import InputError
from cvlib.inputs.references import reference, spark_table
from cvlib.inputs.totals import called_total, refuse_totals_of_log
from cvlib.inputs.transactions_cells import Cells
from cvlib.inputs.transactions_filters import counted
from cvlib.inputs.transactions_returns import match_returns
from cvlib.inputs.transactions_rules import LogRules
from cvlib.inputs.transactions_source import elsewhere, open_source
from cvlib.words.message import message

# Bytes a purchase day takes in the database, and the part of its share they may fill.
_DAY_BYTES, _IN_MEMORY = 48, 0.5


__all__ = ["LogRules", "TransactionLog", "transaction_log"]


@dataclass(eq=False)
class TransactionLog:
    """A checked log: one row per customer and day, in a database of its own.

    Attributes
    ----------
    source, sha256 : str
        Name and hash of the user's file (of several files: as `cvlib.load_table` has them).
    rows : int
        Transactions in it, filters not yet applied.
    first_day, last_day : date
        Of the purchases, so that a log reads like one without what was returned; of the rows kept
        where nothing is left of any purchase.
    observed : tuple of date
        First and last day of the rows kept, returns among them.
    left_out : DataFrame
        reason, counted, count, share, amount: what filters and rules took out of the log.
    warnings : tuple of str
        What had to be assumed.
    rules : LogRules
    cells : Cells
        The log's own columns, for an audit.
    """

    source: str
    sha256: str
    rows: int
    first_day: dt.date
    last_day: dt.date
    observed: tuple[dt.date, dt.date]
    left_out: pd.DataFrame
    warnings: tuple[str, ...]
    rules: LogRules
    cells: Cells
    connection: Any
    counts: dict[str, int] = field(default_factory=dict)
    _stored: bool = False  # whether the days stand in a file of the temporary folder
    _folder: Any = None  # keeps the temporary folder for as long as the log

    def query(self, sql: str, *values: Any) -> pd.DataFrame:
        """The answer to a query over ``days``: customer_id, day, net, transactions, purchase."""
        _, share = memory_share(self.rules.memory_limit)
        if self.connection is None:
            raise InputError(
                self.source,
                message("refusals.has_been_closed"),
                message("refusals.read_the_log_again"),
            )
        with told(self.source, share):
            found: pd.DataFrame = self.connection.execute(sql, list(values)).df()
        return found

    def purchase_days(self, until: dt.date | str | None = None) -> pd.DataFrame:
        """Customer_id, day and amount of every purchase day, by customer and day."""
        last = self.last_day if until is None else pd.Timestamp(until).date()
        return self.query(
            "SELECT customer_id, day::TIMESTAMP AS day, net AS amount FROM days "
            "WHERE purchase AND day <= ? ORDER BY customer_id, day",
            last,
        )

    def customers(self) -> pd.Series:
        """The ids of everybody in the log, in order."""
        ids: pd.Series = self.query("SELECT DISTINCT customer_id FROM days ORDER BY 1")[
            "customer_id"
        ]
        return ids

    def rename(self, ids: pd.Series, names: pd.Series) -> None:
        """Give every customer another id: who reads the results sees no other."""
        pairs = pd.DataFrame({"customer_id": ids, "name": names})
        self.connection.execute("SELECT 1").fetchall()  # nothing may be half read before the next
        self.connection.register("labels", pairs)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE renamed AS SELECT name AS customer_id, "
            "days.* EXCLUDE (customer_id) FROM days JOIN labels USING (customer_id)"
        )
        self.connection.unregister("labels")
        kind = "VIEW" if self._stored else "TABLE"
        self.connection.execute(f"DROP {kind} days")
        self.connection.execute("ALTER TABLE renamed RENAME TO days")
        self._stored = False

    def close(self) -> None:
        """Close the database and delete what it kept."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
            self._folder.cleanup()


def transaction_log(data: Any, rules: LogRules | None = None) -> TransactionLog:
    """Read a transaction log by the rules, wherever it is.

    A purchase is a customer-day: the amounts of one customer on one day are added. A day whose
    net is negative, or zero with a return in it, is not a purchase; a day of free orders only
    (every amount zero) is one, unless the rules say otherwise.

    Parameters
    ----------
    data : str, Path, list of these, DataFrame, Table, DuckDB relation or Ibis table
        A data set of the catalogue, a file (CSV in any usual encoding, Parquet, xlsx, sav, dta), a
        pattern such as ``orders_*.csv``, several files with the same columns, a folder of Parquet
        parts, a table of a DuckDB file (``duckdb://shop.duckdb#orders``) or of Spark
        (``spark://orders``, ``spark://folder/of/orders/``), or a table itself. A table of Spark,
        and of any other database behind Ibis, is worked on there: purchase days and customers are
        kept in its memory, and only what is asked for comes back.
    rules : LogRules, optional
        Columns, filters and rules; the default names and rules otherwise.

    Returns
    -------
    TransactionLog
        Files are read by DuckDB inside the rules' memory limit, never into memory as a whole.

    Raises
    ------
    InputError
        A missing column, a row without customer, date or amount, an unreadable date or amount, a
        date before 1900 or in the future, several currencies, a negative or zero amount where the
        rules refuse them; with file, column and row.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.transaction_log("cdnow_sample").rules.customer
    'customer_id'
    """
    if isinstance(data, TransactionLog):
        return data
    rules = rules or LogRules()
    named = reference(data)
    if named is not None and named.kind == "spark":
        data = spark_table(named)
    _, share = memory_share(rules.memory_limit)
    folder = own_folder()
    path = Path(folder.name)
    connection: Any = None
    try:
        if stays(data):
            ours = (named.name, data.get_name()) if named else ("the table",)
            connection = Elsewhere(backend_of(data), *ours)
            source = elsewhere(connection, data)
        else:
            connection = connect(path, share)
            source = open_source(connection, data, path, rules.reading)
        with told(source.name, share):
            cells = Cells(connection, source, rules)
            cells.read()
            log = _log(cells, path, share)
    except BaseException:
        if connection is not None:
            connection.close()
        folder.cleanup()
        raise
    log._folder = folder
    return log


def _log(cells: Cells, folder: Path, share: int) -> TransactionLog:
    connection, source, rules = cells.connection, cells.source, cells.rules
    left_out: list[tuple[Any, ...]] = []
    rows = cells.one("SELECT count(*) FROM cells")
    counted(cells, rows, left_out)
    found = _checked(cells, rows, left_out)
    store = ""
    near = not isinstance(connection, Elsewhere)
    if near and found["kept"] * _DAY_BYTES > share * _IN_MEMORY:
        connection.execute(f"ATTACH '{folder / 'days.duckdb'}' AS store")
        store = "store."
    lines = f"({cells.lines()}) WHERE dropped = 0"
    if rules.missing_customer == "drop":
        lines += " AND customer_id IS NOT NULL"
    if rules.returns == "ignore" and found["negative"]:
        lines += " AND amount >= 0"
    negative = bool(found["negative"]) and rules.returns != "ignore"
    returned = "bool_or(amount < 0)" if negative else "false"
    free = "OR (net = 0 AND NOT returned)" if rules.free_orders == "count" else ""
    days = (
        f"SELECT customer_id, day, round(sum(amount), {DECIMALS}) AS net, "
        f"count(*)::INTEGER AS transactions, {returned} AS returned FROM {lines} "
        "GROUP BY customer_id, day"
    )
    if negative and rules.returns == "match":
        days = match_returns(connection, lines, left_out, int(found["negative"]))
    connection.execute(
        f"CREATE {'' if store else 'TEMP '}TABLE {store}days AS SELECT customer_id, day, net, "
        f"transactions, net > 0 {free} AS purchase FROM ({days})"
    )
    if store:
        connection.execute("CREATE TEMP VIEW days AS FROM store.days")
    _stray_dates(cells)
    _across_files(cells)
    bought = connection.execute("SELECT min(day), max(day) FROM days WHERE purchase").fetchone()
    observed = (found["first"], found["last"])
    first, last = bought if bought[0] is not None else observed
    return TransactionLog(
        source.name, source.sha256, rows, first, last, observed,
        left_out_table(left_out),
        tuple(dict.fromkeys(source.notes)), rules, cells, connection,
        {name: int(found[name]) for name in ("kept", "negative", "zero")}, bool(store),
    )  # fmt: skip


def left_out_table(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows of reason, counted, count, share, amount; reasons stay messages."""
    frame = pd.DataFrame(list(rows), columns=["reason", "counted", "count", "share", "amount"])
    # a column of text would forget how other languages word it
    return frame.assign(reason=pd.Series([row[0] for row in rows], dtype=object))


def _checked(cells: Cells, rows: int, left_out: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Count what must not be there in one pass over the log; raise on the first fault found."""
    rules, dated = cells.rules, "date"
    money = "price" if "price" in cells.columns else "amount"
    negative = (
        f"sum(try_cast(amount AS {MONEY})) FILTER (amount < 0), count(*) FILTER (amount < 0), "
        f"count(*) FILTER (amount = 0), sum(try_cast(amount AS {MONEY})), max(amount)"
    )
    kept, customers, dates, amounts, finite, first, last, totals, *of_money = (
        cells.connection.execute(
            "SELECT count(*), count(customer_id), count(day), count(amount), "
            "count(*) FILTER (isfinite(amount)), min(day), max(day), "
            f"{called_total(cells)}, {negative if money in cells.columns else '0, 0, 0, 0, 0'} "
            f"FROM ({cells.lines()}) WHERE dropped = 0"
        ).fetchone()
    )
    returned, negatives, zeros, total, largest = of_money
    if customers < kept and rules.missing_customer == "drop":
        lost = cells.connection.execute(
            f"SELECT sum(try_cast(amount AS {MONEY})) FROM ({cells.lines()}) "
            "WHERE dropped = 0 AND customer_id IS NULL"
        ).fetchone()[0]
        gone = kept - customers
        left_out.append(
            (message("inputs.no_customer"), "transactions", gone, gone / rows, float(lost or 0))
        )
        if not customers:
            raise InputError(
                cells.source.name,
                message("refusals.names_no_customer_anywhere"),
                message("refusals.name_its_column"),
            )
    elif customers < kept:
        raise cells.fault(
            "customer", "customer_id IS NULL", message("refusals.names_no_customer"),
            message("refusals.fill_it_in_or_set_missing_customer_to"),
        )  # fmt: skip
    if dates < kept:
        raise cells.fault(
            dated,
            "day IS NULL",
            message("refusals.is_a_transaction_without_a_date"),
            message("refusals.fill_in_the_date_or_where", column=cells.columns["date"]),
        )
    today = dt.datetime.now(dt.UTC).date()
    # days that Python has no date for (infinity, before the year 1, after 9999) come as text
    odd = "day < DATE '0001-01-01' OR day > DATE '9999-12-31'"
    if isinstance(first, str) or isinstance(last, str):
        raise cells.fault(
            dated,
            odd,
            message("refusals.value_is_no_date_of_a_purchase", value="{value}"),
            message("refusals.correct_the_date"),
        )
    # a day of grace, because it is tomorrow already in some time zones
    for bad, limit, wrong in (
        (first < dt.date(1900, 1, 1), "day < DATE '1900-01-01'", "before_1900"),
        (
            last > today + dt.timedelta(days=1),
            f"day > DATE '{today}' + 1",
            "after_today",
        ),
    ):
        if bad:
            said = message(f"refusals.{wrong}", value="{value}")
            raise cells.fault(
                dated, limit, said, message("refusals.correct_the_date_or_keep_other_rows")
            )
    if amounts < kept:
        role = money
        if money == "price" and not cells.one("SELECT count(*) FROM cells WHERE price IS NULL"):
            role = "quantity"
        raise cells.fault(
            role, "amount IS NULL", message("refusals.is_a_transaction_without_an_amount"),
            message("refusals.fill_it_in_or_leave_such_rows"),
        )  # fmt: skip
    if finite < kept:
        raise cells.fault(
            money,
            "NOT isfinite(amount)",
            message("refusals.value_is_no_amount", value="{value}"),
            message("refusals.correct_it"),
        )
    if negatives and rules.returns == "refuse":
        raise cells.fault(
            money, "amount < 0", message("refusals.value_is_a_negative_amount", value="{value}"),
            message("refusals.correct_it_or_set_returns_to_match"),
        )  # fmt: skip
    if zeros and rules.free_orders == "refuse" and money in cells.columns:
        raise cells.fault(
            money, "amount = 0", message("refusals.value_is_a_zero_amount", value="{value}"),
            message("refusals.correct_it_or_set_free_orders_to_count"),
        )  # fmt: skip
    if negatives and rules.returns == "ignore":
        left_out.append(
            ("negative amount, dropped by the rule", "transactions", negatives, negatives / rows,
             float(returned))
        )  # fmt: skip
    refuse_totals_of_log(cells, totals, kept, total, largest)
    return {"kept": customers, "first": first, "last": last, "negative": negatives, "zero": zeros}


def _stray_dates(cells: Cells) -> None:
    """Say when the last dates lie far from all others: one mistyped year sets the log's end."""
    by_day = cells.connection.execute(
        "SELECT day, sum(transactions) FROM days GROUP BY 1 ORDER BY 1"
    ).fetchall()
    days = np.array([day for day, _ in by_day], dtype="datetime64[D]").astype("int64")
    counts = np.array([int(count) for _, count in by_day])
    gaps = np.diff(days)
    if not gaps.size:
        return
    widest = int(gaps.argmax())
    after, others = int(counts[widest + 1 :].sum()), np.delete(gaps, widest).max(initial=0)
    if after <= counts.sum() / 100 and gaps[widest] > max(90, 5 * others):
        cells.source.notes.append(
            message(
                "inputs.stray_dates", file=cells.source.name, rows=after, days=int(gaps[widest])
            )
        )


def _across_files(cells: Cells) -> None:
    """Say what occurs in more than one of the files a log was put together from."""
    if len(cells.source.parts) == 1:
        return
    for what, key in (("transactions", "customer_id, day, amount"), ("customers", "customer_id")):
        count = cells.one(
            f"SELECT count(*) FROM (SELECT 1 FROM ({cells.lines()}) WHERE dropped = 0 "
            f"GROUP BY {key} HAVING min(file) < max(file))"
        )
        if count:
            cells.source.notes.append(
                message(f"inputs.{what}_in_two_files", file=cells.source.name, n=count)
            )
