"""Where a transaction log comes from: each source as something DuckDB can read, cells untouched."""

from __future__ import annotations

import csv
import gzip
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cvlib.inputs import datasets, text
from cvlib.inputs.database import quoted
from cvlib.inputs.elsewhere import Elsewhere
from cvlib.inputs.errors import InputError
from cvlib.inputs.formats import kind_of, unique_names
from cvlib.inputs.readers import AS_IT_IS, Reading, Table, from_frame, load_table
from cvlib.inputs.references import Reference, attached, reference
from cvlib.words.message import message

# A file's encoding is told from so much of its beginning.
_SAMPLE = 4_000_000


@dataclass
class Part:
    """One file, or a table in memory: its name, how to read it in SQL, its columns.

    Attributes
    ----------
    name, sql : str
        Its name for messages, and what stands after FROM.
    columns : list of str
        Names of its columns.
    text : Path or None
        The text file behind it, whose cells are all text.
    table : Table or None
        The table behind it, which knows the places of its rows.
    zones : dict
        Zone of the columns of times whose type does not keep it.
    ordered : bool
        Whether its rows have places; those of a distributed table have none.
    """

    name: str
    sql: str
    columns: list[str]
    text: Path | None = None
    table: Table | None = None
    zones: dict[str, str] = field(default_factory=dict)
    ordered: bool = True

    def place(self, column: str, row: int) -> str:
        """Where the cell in the part's row (from 1) stands in the user's file."""
        if not self.ordered:
            return message("refusals.at_column", file=self.name, column=column)
        if self.table is not None:
            return self.table.place(column, int(self.table.data.index[row - 1]))
        row += self._blank_lines(row)
        return message("refusals.at_cell", file=self.name, column=column, row=row)

    def _blank_lines(self, row: int) -> int:
        """Empty lines above a row: DuckDB does not see them, an editor does."""
        if self.text is None:
            return 0
        blank = 0
        with self.text.open(encoding="utf-8-sig", newline="") as lines:
            for seen, cells in enumerate(csv.reader(lines)):
                blank += not cells
                if seen - blank >= row:
                    break
        return blank


@dataclass
class Source:
    """A log's parts, its name and hash, and what had to be assumed to read it."""

    name: str
    sha256: str
    parts: list[Part]
    notes: list[str]

    @property
    def columns(self) -> list[str]:
        return self.parts[0].columns


def open_source(connection: Any, data: Any, folder: Path, reading: Reading = AS_IT_IS) -> Source:
    """Make any source of transactions readable for the connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        That will read it.
    data : str, Path, sequence of these, Table, DataFrame, DuckDB relation or Ibis table
        A data set of the catalogue, a file, a pattern, several files, a folder of Parquet parts,
        a table of a DuckDB file (``duckdb://shop.duckdb#orders``), or a table.
    folder : Path
        For copies of what DuckDB cannot read as it is.
    reading : Reading
        What files do not say themselves.
    """
    if isinstance(data, (str, Path, list, tuple)):
        return _files(connection, data, folder, reading)
    if isinstance(data, pd.DataFrame):
        data = from_frame(data, str(data.attrs.get("source", "table in memory")))
    if isinstance(data, Table):
        part = in_memory(connection, data, "memory")
        return Source(data.source, data.sha256, [part], list(data.warnings))
    return _database(connection, data, folder)


def in_memory(connection: Any, table: Table, name: str) -> Part:
    """A table that pandas holds, registered under a name."""
    if table.data.empty:
        raise InputError(
            table.source,
            message("refusals.has_no_rows"),
            message("refusals.give_a_log_with_at_least_one"),
        )
    frame, zones = table.data.copy(deep=False), {}
    for column, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.DatetimeTZDtype):
            zones[str(column)] = str(dtype.tz)
            frame[column] = frame[column].dt.tz_convert("UTC").dt.tz_localize(None)
    connection.register(name, frame)
    columns = [str(column) for column in frame.columns]
    return Part(table.source, name, columns, table=table, zones=zones)


def elsewhere(connection: Elsewhere, data: Any) -> Source:
    """A table that is read where it is, by a connection of its own."""
    names = [str(name) for name in data.columns]
    unique_names(names, connection.name)
    connection.keep("source", data)
    return Source(connection.name, "", [Part(connection.name, "source", names, ordered=False)], [])


def _database(connection: Any, data: Any, folder: Path) -> Source:
    """A table of a database, through a Parquet file: it may live anywhere."""
    path = folder / "table.parquet"
    write = getattr(data, "to_parquet", None)
    if write is None:
        raise InputError(
            "data", message("refusals.a_is_no_log_of", name=type(data).__name__),
            message("refusals.give_a_name_of_the"),
        )  # fmt: skip
    try:
        write(str(path))
    except Exception as error:  # whatever the database behind it raises
        raise InputError(
            "the table", message("refusals.its_database_cannot_write_it", error=error),
            message("refusals.write_it_to_a_parquet"),
        ) from error  # fmt: skip
    return Source("the table", "", [_parquet(connection, path, "the table")], [])


def _stored(connection: Any, data: Sequence[Any]) -> Source | None:
    """Tables of DuckDB files, and folders of Parquet parts, which are one table each."""
    found = [reference(each) or folder_of_parts(each) for each in data]
    if not any(found):
        return None
    parts, hashes = [], []
    for number, each in enumerate(found):
        if each is None or (isinstance(each, Reference) and each.path is None):
            raise InputError(
                f"{data[number]}", message("refusals.cannot_be_read_together_with"),
                message("refusals.give_tables_of_one_kind"),
            )  # fmt: skip
        if isinstance(each, Path):
            parts.append(_parquet(connection, each / "*.parquet", each.name))
            hashes += [datasets.sha256(path) for path in sorted(each.glob("*.parquet"))]
        else:
            parts.append(_typed(connection, attached(connection, each, number), each.name))
            hashes.append(datasets.sha256(Path(each.place).expanduser()))
    _same_columns(parts)
    return Source(*_named(parts, hashes), parts, [])


def folder_of_parts(data: Any) -> Path | None:
    """A folder of Parquet files, as Spark and Dask write one table; None for anything else."""
    if not isinstance(data, (str, Path)) or str(data) in datasets.entries():
        return None
    path = Path(data).expanduser()
    if not path.is_dir() or not any(path.glob("*.parquet")):
        return None
    others = sorted(one.name for one in path.iterdir()
                    if one.name[0] not in "._" and one.suffix != ".parquet")  # fmt: skip
    if others:
        raise InputError(
            path.name, message("refusals.holds_beside_its_parquet_files", others=others[0]),
            message("refusals.give_a_folder_of_parquet"),
        )  # fmt: skip
    return path


def _files(connection: Any, data: Any, folder: Path, reading: Reading) -> Source:
    stored = _stored(connection, data if isinstance(data, (list, tuple)) else [data])
    if stored is not None:
        return stored
    paths = datasets.files(data)
    known = {item.sha256: item.read for item in datasets.entries().values()}
    hashes = [datasets.sha256(path) for path in paths]
    plain = datasets.ReadOptions()
    parts: list[Part] = []
    notes: list[str] = []
    for number, (path, digest) in enumerate(zip(paths, hashes, strict=True)):
        name = path.name
        if path.suffix.lower() == ".gz":
            path = _unpacked(path, folder / f"{number}-{path.stem}")
        kind = kind_of(path, name)
        part = None
        as_it_is = reading == AS_IT_IS and known.get(digest, plain) == plain
        if as_it_is and kind == "text":
            part = _text(path, name, folder / f"{number}.csv", notes)
        elif as_it_is and kind == "parquet":
            part = _parquet(connection, path, name)
        if part is None:  # workbooks, SPSS, Stata, odd text, and what the catalogue describes
            table = load_table(path, **vars(reading))
            notes += [note for note in table.warnings if note not in notes]
            part = in_memory(connection, table, f"memory_{number}")
        parts.append(part)
    _same_columns(parts)
    return Source(*_named(parts, hashes), parts, notes)


def _same_columns(parts: list[Part]) -> None:
    for part in parts:
        for column in set(parts[0].columns) ^ set(part.columns):
            lacks = parts[0].name if column in part.columns else part.name
            raise InputError(
                f"{lacks}, column {column}",
                message("refusals.there_is_no_such_column_2"),
                message("refusals.give_all_files_the_same"),
            )


def _named(parts: list[Part], hashes: list[str]) -> tuple[str, str]:
    """Name and hash of what several parts are together."""
    more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
    together = hashlib.sha256("".join(hashes).encode()).hexdigest()
    return f"{parts[0].name}{more}", hashes[0] if len(hashes) == 1 else together


def _unpacked(path: Path, target: Path) -> Path:
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    except (OSError, EOFError) as error:
        raise InputError(
            path.name,
            message("refusals.cannot_be_unpacked", error=error),
            message("refusals.save_it_again"),
        ) from error
    return target


def _parquet(connection: Any, path: Path, name: str) -> Part:
    """A Parquet file, or the files of a pattern, which are one table."""
    sql = f"read_parquet({quoted(path)})"
    first = path if "*" not in path.name else sorted(path.parent.glob(path.name))[0]
    asked = f"SELECT name FROM parquet_schema({quoted(first)}) WHERE num_children IS NULL"
    part = _typed(connection, sql, name, asked)
    if part.zones:  # DuckDB's own type does not keep the zone
        from pyarrow import parquet

        types = {one.name: one.type for one in parquet.read_schema(first)}
        zones = {column: types[column].tz for column in part.zones}
        part.zones = {column: zone for column, zone in zones.items() if zone}
    return part


def _typed(connection: Any, sql: str, name: str, names: str = "") -> Part:
    """A table whose columns have types: what stands after FROM, and its names as they are."""
    import duckdb

    try:
        described = connection.execute(f"DESCRIBE FROM {sql}").fetchall()
        (rows,) = connection.execute(f"SELECT count(*) FROM {sql}").fetchone()
        written = [one for (one,) in connection.execute(names).fetchall()] if names else []
    except duckdb.Error as error:
        folder, reason = sql.partition("'")[2].rpartition("/")[0], str(error).partition("\n")[0]
        reason = (reason.replace(f"{folder}/", "") if folder else reason)[:200]
        raise InputError(
            name,
            message("refusals.cannot_be_read_2", reason=reason),
            message("refusals.save_the_file_again"),
        ) from error
    if not rows:
        raise InputError(
            name, message("refusals.has_no_rows"), message("refusals.give_a_log_with_at_least_one")
        )
    unique_names(written, name)
    kinds = {column: kind for column, kind, *_ in described if column != "__index_level_0__"}
    zones = {column: "" for column, kind in kinds.items() if "ZONE" in kind}
    return Part(name, sql, list(kinds), zones=zones)


def _text(path: Path, name: str, copy: Path, notes: list[str]) -> Part | None:
    """How DuckDB is to read a text table, every cell as text; None where only pandas can."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    whole = start if len(start) < _SAMPLE else start[: start.rfind(b"\n") + 1 or None]
    content, encoding = text.decode(whole, name)
    if encoding not in ("utf-8", "utf-8-sig"):
        if encoding != "utf-16":
            notes.append(message("inputs.read_as", file=name, encoding=encoding))
        try:
            with path.open(encoding=encoding) as old, copy.open("w", encoding="utf-8") as new:
                shutil.copyfileobj(old, new)
        except UnicodeDecodeError as error:
            raise InputError(
                name,
                message("refusals.cannot_be_read_as", kind=encoding, reason=error),
                message("refusals.save_it_as_utf"),
            ) from error
        path = copy
    lines = content.lstrip("\n")
    mark = text.separator(lines)
    rows = iter(csv.reader(lines.split("\n"), delimiter=mark) if len(mark) == 1 else [])
    header: list[str] = next(rows, [])
    first: list[str] = next(rows, [])
    names = [cell.strip() for cell in header]
    # Excel's first line, white space, R's row names, nameless columns, numbers as names: seldom
    odd = lines.startswith("sep=") or len(first) == len(names) + 1 or not all(names)
    if odd or not first or pd.Series(names).str.fullmatch(text.NUMBERS["plain"]).all():
        return None
    unique_names(names, name)
    kinds = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in names)
    sql = (
        f"read_csv({quoted(path)}, auto_detect = false, header = true, delim = {quoted(mark)}, "
        f"quote = '\"', escape = '\"', strict_mode = true, columns = {{{kinds}}})"
    )
    return Part(name, sql, names, text=path)
