"""Is it plausible? What a log holds that its reader may not know, and whether it could matter.

A finding is a message, how much it is about, and whether it could change the answer of a study:
then it is a warning of that answer. Ids of customers are in no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cvlib.inputs.database import MONEY, named, quoted
from cvlib.inputs.transactions import TransactionLog
from cvlib.inputs.transactions_columns import usual_columns
from cvlib.results import Result
from cvlib.words.message import Message, message

# From these shares on a finding could change an answer [P].
_NOTICEABLE = 0.01
_ONE_ACCOUNT, _ONE_DAY = 0.10, 0.05
_CANCELLED = (
    r"(?i).*(cancel|refund|return|reject|declin|void|fail|fraud|unpaid|test|取消|退款|退货|作废"
    r"|失败|关闭).*"
)


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    message : Message
        What it is.
    count : int
        Rows, customers or cells it is about.
    share : float
        Of all of their kind, or of all money.
    matters : bool
        Whether it could change the answer.
    """

    message: Message
    count: int
    share: float
    matters: bool


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """Everything found.

    Attributes
    ----------
    table : DataFrame
        finding, count, share, could_change_the_answer (yes, no).
    warnings : tuple of str
        The findings that could.
    """

    table: pd.DataFrame
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """What could change the answer, or that nothing found could."""
        return list(self.warnings) or [message("inputs.audit_clean")]


def audited(findings: list[Finding]) -> Audit:
    """Findings as a table and, where they matter, as warnings."""
    table = pd.DataFrame(
        {
            "finding": pd.Series([one.message for one in findings], dtype=object),
            "count": pd.Series([one.count for one in findings], dtype="int64"),
            "share": pd.Series([one.share for one in findings], dtype=float),
            "could_change_the_answer": ["yes" if one.matters else "no" for one in findings],
        }
    )
    return Audit(table, tuple(one.message for one in findings if one.matters))


def audit_log(log: TransactionLog) -> Audit:
    """Look a transaction log over for what usually goes wrong with one.

    Rows that repeat another in every column and their share of the money, or a whole export pasted
    twice; one account or one day that carries the money; ids that differ only in case, blanks or
    leading zeros; a unit price taken for the amount; a column that says orders were cancelled.

    Parameters
    ----------
    log : TransactionLog
        As read; ids not yet renamed.

    Returns
    -------
    Audit
        Empty where nothing was found.

    Examples
    --------
    >>> import cvlib as cv
    >>> log = cv.lifetime.transaction_log("cdnow_sample")
    >>> type(cv.lifetime.audit_log(log)).__name__
    'Audit'
    """
    found = [*_repeated(log), *_concentrated(log), *_alike(log), *_priced(log), *_cancelled(log)]
    return audited(found)


def _repeated(log: TransactionLog) -> Iterator[Finding]:
    rows = " UNION ALL ".join(
        f"SELECT hash, amount FROM ({log.cells.hashed(number)}) WHERE dropped = 0"
        for number in range(len(log.cells.source.parts))
    )
    one = log.query(
        "SELECT count(*) AS kept, sum(n) - count(*) AS again, "
        f"sum(((n - 1) * amount)::{MONEY})::DOUBLE AS money, "
        f"sum((n * amount)::{MONEY})::DOUBLE AS everything, count(*) FILTER (n > 1) AS twice FROM "
        f"(SELECT count(*) AS n, greatest(any_value(amount), 0) AS amount FROM ({rows}) "
        "GROUP BY hash)"
    ).iloc[0]
    again, total = int(one["again"]), float(one["everything"] or 0)
    if not again:
        return
    share = float(one["money"]) / total if total > 0 else again / (one["kept"] + again)
    of = message("inputs.of_the_money" if total > 0 else "inputs.of_the_rows")
    facts = {"rows": again, "share": share, "of": of}
    if one["twice"] > 0.9 * one["kept"]:
        yield Finding(message("inputs.audit_pasted", **facts), again, share, True)
        return
    matters = share >= _NOTICEABLE
    yield Finding(message("inputs.audit_repeated", **facts), again, share, matters)


def _concentrated(log: TransactionLog) -> Iterator[Finding]:
    one = log.query(
        "SELECT count(*) AS customers, max(spend)::DOUBLE AS most, "
        "sum(spend)::DOUBLE AS everything, "
        f"max(largest) AS largest FROM (SELECT sum(net::{MONEY}) AS spend, max(net) AS largest "
        "FROM days WHERE purchase GROUP BY customer_id)"
    ).iloc[0]
    total, customers = float(one["everything"] or 0), int(one["customers"])
    if total <= 0 or customers < 2:
        return
    account, day = float(one["most"]) / total, float(one["largest"]) / total
    if account >= max(_ONE_ACCOUNT, min(0.5, 10 / customers)):
        told = message("inputs.audit_account", share=account, customers=customers)
        yield Finding(told, 1, account, True)
    if day >= max(_ONE_DAY, min(0.5, 10 / customers)):
        median = log.query("SELECT median(net) AS m FROM days WHERE purchase AND net > 0")["m"][0]
        told = message("inputs.audit_outlier", share=day, times=float(one["largest"]) / median)
        yield Finding(told, 1, day, True)


def _alike(log: TransactionLog) -> Iterator[Finding]:
    kinds = dict(row[:2] for row in log.connection.execute("DESCRIBE days").fetchall())
    if kinds["customer_id"] != "VARCHAR":
        return
    plain = "lower(regexp_replace(customer_id, '[\\s\u00a0\u3000]+', '', 'g'))"
    for name, same in (
        ("inputs.audit_case", plain),
        ("inputs.audit_zeros", f"regexp_replace({plain}, '^0+', '')"),
    ):
        one = log.query(
            f"SELECT count(DISTINCT customer_id) AS ids, count(DISTINCT {plain}) AS written, "
            f"count(DISTINCT {same}) AS people FROM days"
        ).iloc[0]
        before = one["ids"] if name == "inputs.audit_case" else one["written"]
        more = int(before - one["people"])
        if more:
            told = message(name, ids=int(before), people=int(one["people"]))
            yield Finding(told, more, more / before, more / before >= _NOTICEABLE)


def _priced(log: TransactionLog) -> Iterator[Finding]:
    cells = log.cells
    amount = cells.columns.get("amount", "")
    pieces = usual_columns(cells.source.columns, "quantity")
    if not usual_columns([amount], "price") or not pieces:
        return
    part = cells.source.parts[0]
    one = log.query(
        f"SELECT count(*) FILTER (abs(try_cast({named(pieces[0])} AS DOUBLE)) != 1) AS several, "
        f"count(*) AS everything FROM {part.sql}"
    ).iloc[0]
    if one["several"]:
        told = message("inputs.audit_price", price=amount, quantity=pieces[0])
        share = float(one["several"] / one["everything"])
        yield Finding(told, int(one["several"]), share, True)


def _cancelled(log: TransactionLog) -> Iterator[Finding]:
    cells = log.cells
    filtered = {column for column, *_ in log.rules.where}
    for column in usual_columns(cells.source.columns, "status"):
        if column in filtered:
            continue
        counts: dict[str, int] = {}
        for part in cells.source.parts:
            held = log.query(
                f"SELECT {named(column)}::VARCHAR AS value, count(*) AS n FROM {part.sql} "
                f"WHERE regexp_full_match({named(column)}::VARCHAR, {quoted(_CANCELLED)}) "
                "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20"
            )
            for value, n in held.itertuples(index=False):
                counts[str(value)] = counts.get(str(value), 0) + int(n)
        if counts:
            values: list[Any] = list(counts)[:5]
            rows = sum(counts.values())
            told = message("inputs.audit_cancelled", column=column, rows=rows, values=values)
            yield Finding(told, rows, rows / log.rows, True)
