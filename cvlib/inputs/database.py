"""DuckDB for one job: a memory share, a folder of its own, and its errors as bad input."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}I": 1024**power for power, unit in enumerate("KMGT", 1)}
# Money is kept to a millionth and shares to eighteen decimals: sums then depend neither on the
# order of the rows nor on how threads divide them, and what is returned the same day nets to zero.
DECIMALS = 6
MONEY, SHARE = f"decimal(38, {DECIMALS})", "decimal(38, 18)"
# Python with its libraries, and DuckDB's part of what is left: beyond its own limit it takes some
# for joins, for results and for memory freed but not yet given back.
_LIBRARIES = 250 * 10**6
_DATABASE_SHARE = 0.7
# A thread holds buffers of its own; with less than this each, it waits for the disk instead.
_PER_THREAD = 250 * 10**6
# A folder that a killed process left behind is removed after so many seconds.
_STALE = 3600


def memory_share(memory_limit: str) -> tuple[int, int]:
    """A limit such as "2GB" (10^9) or "2GiB" (2^30) in bytes, and DuckDB's share of it."""
    form = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?|)B?\s*", str(memory_limit).upper())
    if form is None:
        raise InputError(
            "memory_limit",
            message("refusals.is_not_a_size", memory_limit=memory_limit),
            message("refusals.write_it_as_2gb"),
        )
    size = int(float(form[1]) * _UNITS[form[2]])
    if size < 500 * 10**6:
        raise InputError(
            "memory_limit",
            message("refusals.is_little_more_than_python", memory_limit=memory_limit),
            message("refusals.give_at_least_500mb"),
        )
    return size, int((size - _LIBRARIES) * _DATABASE_SHARE)


@contextmanager
def told(name: str, share: int) -> Iterator[None]:
    """DuckDB's errors as bad input of the log `name`, read under the limit `share`."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise InputError(
            "memory_limit",
            message("refusals.duckdb_share_of_it_gb", value=share / 1000000000.0),
            message("refusals.raise_it_or_give_the"),
        ) from error
    except duckdb.Error as error:
        raise InputError(
            name,
            message("refusals.cannot_be_read", error=error),
            message("refusals.mend_the_row_or_column"),
        ) from error


def connect(folder: Path, share: int, *, on_disk: bool = False) -> Any:
    """A database that keeps to its share of the memory and spills into the folder.

    Parameters
    ----------
    folder : Path
        For what does not fit into memory.
    share : int
        DuckDB's own limit in bytes; no more threads than that feeds.
    on_disk : bool
        Keep the tables themselves in the folder, too.
    """
    import duckdb

    connection = duckdb.connect(str(folder / "log.duckdb") if on_disk else ":memory:")
    (threads,) = connection.execute("SELECT current_setting('threads')").fetchone() or (1,)
    with suppress(duckdb.InvalidInputException):  # Jupyter without ipywidgets has no bar to set
        connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET temp_directory = {quoted(folder)}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"SET memory_limit = '{share}B'")
    connection.execute(f"SET threads = {max(1, min(threads, share // _PER_THREAD))}")
    return connection


def own_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process; what killed processes have left behind is removed."""
    for old in Path(tempfile.gettempdir()).glob("cvlib-log-*-*"):
        import psutil  # seldom needed, and slow to load

        pid = old.name.split("-")[2]
        with suppress(OSError):
            dead = pid.isdigit() and not psutil.pid_exists(int(pid))
            if dead and time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old)
    return tempfile.TemporaryDirectory(prefix=f"cvlib-log-{os.getpid()}-")


def quoted(value: object) -> str:
    """A value as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def named(column: str) -> str:
    """A column's name in SQL."""
    return '"' + str(column).replace('"', '""') + '"'
