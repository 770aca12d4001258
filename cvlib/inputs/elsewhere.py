"""A log that stays where it is: the same rules, in the database's own language, read back small.

The rules are written once, in DuckDB's SQL. For a table of another database (Spark, or whatever
Ibis speaks to) Ibis and sqlglot translate each statement; what a rule keeps for the next one
(purchase days, customers) is kept there, too, and only what is asked for comes back.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

if TYPE_CHECKING:
    import pandas as pd

# Databases whose tables DuckDB reads better itself.
_NEAR = ("duckdb", "polars", "sqlite")
# DuckDB's names of the types that the rules ask for.
_KINDS = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float32": "FLOAT", "float64": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR",
    "date": "DATE",
}  # fmt: skip


def stays(data: Any) -> bool:
    """Whether a table is read where it is: an Ibis table of a database that is not here."""
    backend = backend_of(data)
    return backend is not None and hasattr(backend, "dialect") and backend.name not in _NEAR


def backend_of(data: Any) -> Any:
    """The Ibis connection behind a table, None where there is none."""
    find = getattr(data, "_find_backend", None)
    if find is None:
        return None
    from ibis.common.exceptions import IbisError

    with suppress(IbisError):  # a table in memory belongs to none
        return find()
    return None


def answer(found: Any = None) -> Any:
    """What a query has found, an Arrow table, as DuckDB's own answers are taken."""
    import duckdb

    connection = duckdb.connect()
    if found is None:
        return connection.execute("SELECT 0 AS count")
    connection.register("found", found)
    return connection.execute("FROM found")


class Elsewhere:
    """A connection in DuckDB's manner to any database that Ibis speaks to.

    Parameters
    ----------
    backend : ibis backend
        Of the table; its session and its settings are the user's and stay as they are.
    name : str
        What messages call the table.
    view : str
        A temporary view of ours that goes with the connection.
    """

    def __init__(self, backend: Any, name: str, view: str = "") -> None:
        self.backend, self.name, self._view = backend, name, view
        self._token = f"cvlib_{secrets.token_hex(4)}_"
        self._kept: dict[str, Any] = {}

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Carry out one of the rules' statements.

        Raises
        ------
        InputError
            The database cannot; with what it says.
        """
        if sql.startswith("SET "):  # DuckDB's own settings
            return None
        try:
            found = self._carry_out(sql, values)
        except InputError:
            raise
        except Exception as error:  # whatever the database behind it raises
            said = str(error).partition("\n")[0][:300]
            raise InputError(
                self.name, message("refusals.its_database_cannot_compute_this", said=said),
                message("refusals.mend_what_it_names_or"),
            ) from error  # fmt: skip
        return answer() if found is None else found

    def keep(self, name: str, table: Any, *, stored: bool = False) -> None:
        """Give an Ibis table a name for the statements that follow."""
        self.unregister(name)
        if self.backend.name == "pyspark":
            held = table.cache() if stored else table
            # the cached table is released with its last reference
            self._kept[name] = (self.backend.create_view(self._token + name, held), held)
        else:
            self._kept[name] = (self.backend.create_table(self._token + name, table, temp=True),)

    def register(self, name: str, frame: pd.DataFrame) -> None:
        """A small frame of ours as a table there."""
        import ibis

        self.keep(name, ibis.memtable(frame))

    def unregister(self, name: str) -> None:
        """Forget a name."""
        if name in self._kept:
            kind = "VIEW" if self.backend.name == "pyspark" else "TABLE"
            self.backend.raw_sql(f"DROP {kind} IF EXISTS {self._token}{name}")
            for held in self._kept.pop(name)[1:]:
                release = getattr(held, "release", None)
                if release:
                    release()

    def close(self) -> None:
        """Drop what was kept there; the session itself is the user's."""
        for name in list(self._kept)[::-1]:
            with suppress(Exception):  # it may have ended before us
                self.unregister(name)
        if self._view:
            with suppress(Exception):
                self.backend.raw_sql(f"DROP VIEW IF EXISTS {self._view}")
            self._view = ""

    def _carry_out(self, sql: str, values: Sequence[Any]) -> Any:
        import sqlglot
        from sqlglot import exp

        if sql.startswith("DESCRIBE "):
            rows = sqlglot.parse_one(sql.removeprefix("DESCRIBE "), read="duckdb")
            if isinstance(rows, (exp.Column, exp.Alias)):
                rows = exp.select("*").from_(rows.name)
            return _Described(self._table(rows, values).schema())
        statement = sqlglot.parse_one(sql, read="duckdb")
        if isinstance(statement, exp.Create):
            stored = statement.kind == "TABLE"
            self.keep(statement.this.name, self._table(statement.expression, values), stored=stored)
            return None
        if isinstance(statement, exp.Copy):
            target = statement.args["files"][0].name
            self._table(statement.this.unnest(), values).to_parquet(target)
            return None
        if isinstance(statement, exp.Drop):
            for table in statement.find_all(exp.Table):
                self.unregister(table.name)
            return None
        if isinstance(statement, exp.Alter):
            old, new = (table.name for table in statement.find_all(exp.Table))
            self._rename(old, new)
            return None
        return answer(self._brought(self._table(statement, values)))

    def _brought(self, table: Any) -> Any:
        """What was asked for, here, as an Arrow table."""
        if self.backend.name == "duckdb":  # Ibis asks DuckDB 2 by a name that it no longer has
            return self.backend.con.sql(table.compile()).to_arrow_table()
        return table.to_pyarrow()

    def _rename(self, old: str, new: str) -> None:
        self.keep(new, self.backend.table(self._token + old), stored=True)
        self.unregister(old)

    def _table(self, statement: Any, values: Sequence[Any]) -> Any:
        """A query of ours as an Ibis table of the database."""
        ours = statement.copy().transform(self._here, self._marked(values))
        return self.backend.sql(ours.sql(dialect=self.backend.dialect))

    def _marked(self, values: Sequence[Any]) -> Any:
        left = iter(values)

        def value(mark: str) -> Any:
            return values[int(mark) - 1] if mark.isdigit() else next(left)

        return value

    def _here(self, node: Any, value: Any) -> Any:
        """A part of a statement as this database needs it."""
        from sqlglot import exp

        if isinstance(node, exp.Table) and node.name in self._kept:
            table = exp.to_table(self._token + node.name)
            table.set("alias", node.args.get("alias") or exp.TableAlias(this=node.this.copy()))
            for part in ("joins", "pivots", "laterals"):
                table.set(part, node.args.get(part))
            return table
        if isinstance(node, (exp.Parameter, exp.Placeholder)):
            return _literal(value(str(node.this or "")))
        if self.backend.name == "duckdb":
            return node
        return _SPOKEN[name](node) if (name := _function(node)) in _SPOKEN else node


class _Described:
    """Columns and DuckDB's names of their types."""

    def __init__(self, schema: Any) -> None:
        self._rows = [(str(name), _kind(type_)) for name, type_ in schema.items()]

    def fetchall(self) -> list[tuple[str, str]]:
        return self._rows


def _kind(type_: Any) -> str:
    if type_.is_timestamp():
        return "TIMESTAMP WITH TIME ZONE" if type_.timezone else "TIMESTAMP"
    if type_.is_decimal():
        return f"DECIMAL({type_.precision},{type_.scale})"
    return _KINDS.get(str(type_).lstrip("!"), str(type_).upper())


def _literal(value: Any) -> Any:
    from sqlglot import exp

    if isinstance(value, dt.date):
        return exp.cast(exp.Literal.string(str(value)[:10]), "date")
    if isinstance(value, (bool, int, float, str, Decimal)):
        return exp.convert(value)
    raise InputError(
        "the query",
        message("refusals.is_no_value", value=value),
        message("refusals.give_a_number_a_text"),
    )


def _function(node: Any) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return type(node).__name__.lower() if isinstance(node, exp.Func) else ""


def _whole_match(node: Any) -> Any:
    from sqlglot import exp

    whole = exp.Literal.string(f"^(?:{node.expression.name})$")
    return exp.RegexpLike(this=node.this.copy(), expression=whole)


def _finite(node: Any) -> Any:
    from sqlglot import exp

    largest = exp.Literal.number("1.7976931348623157e308")
    return exp.paren(exp.LTE(this=exp.Abs(this=node.expressions[0].copy()), expression=largest))


def _fingerprint(node: Any) -> Any:
    from sqlglot import exp

    return exp.Anonymous(this="xxhash64", expressions=[one.copy() for one in node.expressions])


# Functions of DuckDB's that sqlglot leaves as they are.
_SPOKEN = {
    "regexpfullmatch": _whole_match,
    "isfinite": _finite,
    "hash": _fingerprint,
}
