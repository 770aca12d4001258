"""Filters of a transaction log as SQL: which rows are kept, and what of it each of them drops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cvlib.inputs.database import MONEY, quoted
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions_rules import day_of
from cvlib.words.message import message

if TYPE_CHECKING:
    from cvlib.inputs.transactions_cells import Cells

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMBERS = {*WHOLE, *(f"U{kind}" for kind in WHOLE), "FLOAT", "DOUBLE", "DECIMAL"}


def kept(cells: Cells) -> str:
    """The view of the rows that filters keep: what they drop, such as a row of totals, is not read.

    A filter on dates or amounts can only be applied once they are read, and is left to `dropped`.
    Where nothing is left every row counts, for that is refused with its own words.
    """
    tests = [test for test, read in _tests(cells) if not read]
    if not tests:
        return "cells"
    cells.connection.execute(
        f"CREATE TEMP VIEW kept AS SELECT * FROM cells WHERE {' AND '.join(tests)}"
    )
    return "kept" if cells.one("SELECT count(*) FROM kept") else "cells"


def dropped(cells: Cells) -> str:
    """The number of the first filter that drops a row, or 0."""
    tests = [test for test, _ in _tests(cells)]
    cases = " ".join(f"WHEN NOT {test} THEN {i}" for i, test in enumerate(tests, start=1))
    return f"CASE {cases} ELSE 0 END" if tests else "0"


def _tests(cells: Cells) -> Iterator[tuple[str, bool]]:
    """Per filter, what is true of the rows it keeps, and whether it asks for a day or amount.

    A missing cell equals nothing.
    """
    for number, (column, operator, *value) in enumerate(cells.rules.where):
        cell, kind = f"where_{number}", cells.types[f"where_{number}"]
        if operator == "missing":
            yield f"({cell} IS {'NOT ' if value == [False] else ''}NULL)", False
            continue
        values = value[0] if isinstance(value[0], (list, tuple)) else [value[0]]
        number_like = all(isinstance(one, (int, float)) for one in values)
        dated, money = (column == cells.columns.get(role) for role in ("date", "amount"))
        read = dated or (money and number_like)
        if dated:
            left, right = cells.day, [day_of(number + 1, one) for one in values]
        elif kind in NUMBERS or number_like:
            left, right = cells.amount if read else f"try_cast({cell} AS DOUBLE)", []
            for one in values:
                try:
                    right.append(repr(float(one)))
                except (TypeError, ValueError) as error:
                    raise InputError(
                        f"where, filter {number + 1}",
                        message("refusals.column_holds_numbers_is_none", column=column, one=one),
                        message("refusals.give_a_number"),
                    ) from error
        else:
            left, right = f"{cell}::VARCHAR", [quoted(one) for one in values]
        if operator in ("in", "not in"):
            test = f"{left} {operator.upper()} ({', '.join(right)})"
        else:
            test = f"{left} {operator} {right[0]}"
        yield f"coalesce({test}, {'true' if operator in ('!=', 'not in') else 'false'})", read


def counted(cells: Cells, rows: int, left_out: list[tuple[Any, ...]]) -> None:
    """Count what each filter drops, in rows and money."""
    if not cells.rules.where:
        return
    dropped = cells.connection.execute(
        f"SELECT dropped, count(*), sum(try_cast(amount AS {MONEY})) "
        f"FROM ({cells.lines()}) GROUP BY 1"
    ).fetchall()
    by_filter = {number: (count, float(money or 0)) for number, count, money in dropped}
    for number, (column, operator, *value) in enumerate(cells.rules.where, start=1):
        count, money = by_filter.get(number, (0, 0.0))
        shown = " ".join(
            str(list(one)) if isinstance(one, tuple) else str(one) for one in (operator, *value)
        )
        reason = message("inputs.filtered", column=column, rule=shown)
        left_out.append((reason, "transactions", count, count / rows, money))
        if not count:
            cells.source.notes.append(
                message("inputs.filter_drops_nothing", column=column, rule=shown)
            )
    if 0 not in by_filter:
        held = cells.connection.execute(
            "SELECT DISTINCT where_0::VARCHAR FROM cells WHERE where_0 IS NOT NULL ORDER BY 1 "
            "LIMIT 6"
        ).fetchall()
        raise InputError(
            "where", message("refusals.no_row_of_is_left", file=cells.source.name),
            message("refusals.column_holds", column=cells.rules.where[0][0], held=", ".join(values))
            if (values := [one for (one,) in held])
            else message("refusals.column_holds_nothing", column=cells.rules.where[0][0]),
        )  # fmt: skip
