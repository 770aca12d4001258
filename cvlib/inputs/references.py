"""Tables of databases by a written form, where a parameter names a file.

``duckdb://shop.duckdb#orders`` is a table of a DuckDB file; ``spark://orders`` a table of Spark's
catalogue, ``spark://s3a://shop/orders/`` a folder or file that Spark reads.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvlib.inputs.database import named, quoted
from cvlib.inputs.errors import InputError, nearest
from cvlib.words.message import message

_KINDS = ("duckdb", "spark")
_FORMS = "Write it as duckdb://shop.duckdb#orders, spark://orders or spark://folder/of/orders/."
_READERS = {".csv": "csv", ".orc": "orc", ".json": "json", ".parquet": "parquet"}


@dataclass(frozen=True)
class Reference:
    """A table that is named, not given.

    Attributes
    ----------
    kind : {"duckdb", "spark"}
    place : str
        The DuckDB file; for Spark a table of its catalogue, or a path with a slash in it.
    table : str
        The table in the DuckDB file, ``schema.table`` where it is in another than ``main``.
    """

    kind: str
    place: str
    table: str = ""

    @property
    def name(self) -> str:
        """What messages and reports call it; where on a machine it lies is not told."""
        return self.table or self.place.rstrip("/").rpartition("/")[-1] or self.place

    @property
    def path(self) -> Path | None:
        """The file behind it, None where there is none here."""
        return Path(self.place).expanduser() if self.kind == "duckdb" else None

    def file(self) -> Path:
        """The file behind it, or an error that it is not there."""
        if self.path is None or not self.path.is_file():
            raise InputError(self.place, message("refusals.there_is_no_such_file"), _FORMS)
        return self.path


def reference(value: Any) -> Reference | None:
    """The reference that a text is, None for any other value.

    Parameters
    ----------
    value : object
        A parameter's value.

    Returns
    -------
    Reference or None

    Raises
    ------
    InputError
        A reference that names no table.

    Examples
    --------
    >>> from cvlib.inputs.references import reference
    >>> reference("duckdb://shop.duckdb#orders").table
    'orders'
    """
    kind, mark, rest = str(value).partition("://") if isinstance(value, str) else ("", "", "")
    if not mark or kind not in _KINDS:
        return None
    place, _, table = rest.partition("#") if kind == "duckdb" else (rest, "", "")
    if not place.strip() or (kind == "duckdb" and not table.strip()):
        raise InputError(str(value), message("refusals.names_no_table"), _FORMS)
    return Reference(kind, place, table)


def attached(connection: Any, found: Reference, number: int) -> str:
    """What stands after FROM for a table of a DuckDB file, opened for reading only."""
    import duckdb

    path = found.file()
    base = f"base_{number}"
    try:
        connection.execute(f"ATTACH {quoted(path)} AS {base} (READ_ONLY)")
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0].replace(str(path), path.name)[:200]
        raise InputError(
            path.name,
            message("refusals.cannot_be_opened", reason=reason),
            message("refusals.close_it_elsewhere"),
        ) from error
    rows = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() "
        "WHERE database_name = ? AND NOT internal",
        [base, base],
    ).fetchall()
    there = {name if schema == "main" else f"{schema}.{name}": (schema, name)
             for schema, name in rows}  # fmt: skip
    wanted = found.table.removeprefix("main.")
    if wanted not in there:
        raise InputError(
            f"{path.name}, table {found.table}", message("refusals.there_is_no_such_table"),
            nearest(wanted, sorted(there)),
        )  # fmt: skip
    return ".".join([base, *map(named, there[wanted])])


def spark_table(found: Reference) -> Any:
    """A reference to Spark as an Ibis table, in the running session or one with its defaults.

    The table is a temporary view of the session, which whoever asked for it drops.

    Raises
    ------
    InputError
        Spark or Java is not installed, or Spark does not find the table.
    """
    session = _session()
    import ibis

    try:
        frame = _frame(session, found)
        # what Ibis knows is a name in the session's catalogue; each log's own, which it takes away
        name = f"cvlib_{secrets.token_hex(6)}"
        frame.createOrReplaceTempView(name)
        return ibis.pyspark.connect(session).table(name)
    except Exception as error:  # Spark's own errors come from Java
        raise _not_there(found, error) from error


def fingerprint(value: Any) -> str:
    """A hash of what Spark would read: its files' names and the number of rows; "" of others.

    Spark and the formats on it write new files for new rows. A table without files (another
    database behind Spark) is known by its columns and rows only.
    """
    found = reference(value)
    if found is None:
        return ""
    if found.kind != "spark":
        found.file()
        return ""
    ours = _running() is None
    session = _session()
    try:
        frame = _frame(session, found)
        known = [*sorted(frame.inputFiles()), str(frame.schema), str(frame.count())]
    except Exception as error:  # Spark's own errors come from Java
        raise _not_there(found, error) from error
    finally:
        if ours:
            session.stop()
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


def _frame(session: Any, found: Reference) -> Any:
    if "/" not in found.place:
        return session.table(found.place)
    form = _READERS.get(Path(found.place).suffix.lower(), "parquet")
    options = {"header": True} if form == "csv" else {}
    return getattr(session.read, form)(found.place, **options)


def _not_there(found: Reference, error: Exception) -> InputError:
    said = str(error).partition("\n")[0][:200]
    return InputError(found.name, message("refusals.spark_does_not_find_it", said=said), _FORMS)


def _running() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


def _session() -> Any:
    """The session that runs, else one with the defaults of this machine's configuration."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            "spark://",
            message("refusals.needs_spark"),
            message("refusals.install_it_pip_install_cvlib"),
        ) from error
    try:
        return (
            SparkSession.getActiveSession() or SparkSession.builder.appName("cvlib").getOrCreate()
        )
    except Exception as error:  # without Java, whatever py4j raises
        said = str(error).partition("\n")[0][:200]
        raise InputError(
            "spark://",
            message("refusals.spark_does_not_start", said=said),
            message("refusals.install_java_17_and_set"),
        ) from error
