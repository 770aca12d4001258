"""Transaction logs of any size: files read in place by DuckDB, anything else into memory."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from cvlib.inputs import datasets
from cvlib.inputs.contracts import check_transactions
from cvlib.inputs.errors import InputError
from cvlib.inputs.formats import kind_of
from cvlib.inputs.readers import Table, load_table
from cvlib.lifetime.purchases.log_files import LogFiles, quoted
from cvlib.lifetime.purchases.transactions import TransactionLog, limit, memory_share, told

# Reading a file into a frame takes up to so many times its size.
_IN_MEMORY = 15
# A copy that a killed process left behind is removed after so many seconds.
_STALE = 3600


def transaction_log(
    data: str | Path | Sequence[str | Path] | pd.DataFrame | Table,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str | None = "amount",
    memory_limit: str = "2GB",
) -> TransactionLog:
    """Check a transaction log and bring it to one form, without reading it into memory.

    CSV and Parquet files are checked by DuckDB inside `memory_limit` and written, with the columns
    needed only, to a Parquet file in the temporary folder. Frames, workbooks and the other formats
    of `cvlib.load_table` are read into memory and checked by `check_transactions`, and so is a CSV
    or Parquet file that cannot be read in place (another encoding, decimal commas) or has a fault,
    if memory allows: that reader understands more and names the row.

    Parameters
    ----------
    data : str, Path, sequence of these, DataFrame or Table
        As for `cvlib.load_table`: a data set of the catalogue, a file, a pattern such as
        ``orders_*.csv``, several files with the same columns.
    customer, date, amount : str
        The columns, or the default names for which a usual other name may stand; `amount` None when
        only dates are known. A column of currencies must hold one value.
    memory_limit : str
        As for `summarise_purchases`.

    Returns
    -------
    TransactionLog
        To be passed to `summarise_purchases`, `rival_forecasts` and `rolling_origins`.

    Raises
    ------
    InputError
        Everything `check_transactions` refuses; zero and negative amounts are counted and kept.
    """
    size, share = memory_share(memory_limit)
    columns = {"customer": customer, "date": date}
    if amount is not None:
        columns["amount"] = amount
    if not isinstance(data, (pd.DataFrame, Table)):
        paths = datasets.files(data)
        known = {item.sha256: item.read for item in datasets.entries().values()}
        hashes = [datasets.sha256(path) for path in paths]
        # the catalogue says how to read some of its files: those are small
        plain = datasets.ReadOptions()
        told_how = any(known.get(digest, plain) != plain for digest in hashes)
        kinds = {kind_of(path, path.name) for path in paths}
        if not told_how and len(kinds) == 1 and kinds <= {"text", "parquet"}:
            try:
                return _in_place(paths, hashes, columns, share, parquet="parquet" in kinds)
            except InputError:
                if sum(path.stat().st_size for path in paths) * _IN_MEMORY > size:
                    raise
    table = load_table(data)
    found = check_transactions(
        table, customer=customer, date=date, amount=amount, not_positive="keep"
    )
    return TransactionLog(found.data, table.source, table.sha256, len(table.data), found.warnings)


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process; what killed processes have left behind is removed."""
    import psutil

    for old in Path(tempfile.gettempdir()).glob("cvlib-log-*-*"):
        pid = old.name.split("-")[2]
        with suppress(OSError):
            dead = pid.isdigit() and not psutil.pid_exists(int(pid))
            if dead and time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old)
    return tempfile.TemporaryDirectory(prefix=f"cvlib-log-{os.getpid()}-")


def _in_place(
    paths: list[Path],
    hashes: list[str],
    columns: dict[str, str],
    share: int,
    *,
    parquet: bool,
) -> TransactionLog:
    import duckdb

    name, sha256 = paths[0].name, hashes[0]
    if len(paths) > 1:
        name = f"{name} and {len(paths) - 1} more"
        sha256 = hashlib.sha256("".join(hashes).encode()).hexdigest()
    folder = _own_folder()
    target = Path(folder.name) / "log.parquet"
    with told(name, share), duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {quoted(folder.name)}")
        connection.execute("SET preserve_insertion_order = false")
        limit(connection, share)
        reader = LogFiles(connection, name, parquet, [])
        reader.open(paths, columns, Path(folder.name) / "cells.parquet")
        reader.check()
        reader.write(target)
        rows = reader.look(target, len(paths))
    (Path(folder.name) / "cells.parquet").unlink(missing_ok=True)
    return TransactionLog(target, name, sha256, rows, tuple(reader.notes), folder)
