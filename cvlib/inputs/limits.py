"""How much a file may ask of the machine: named settings, and one way to refuse what is more."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

_ROW = re.compile(rb'<row [^>]{0,200}?\br="(\d{1,8})"')
_WIDE_COLUMN = re.compile(rb'\br="([A-Z]{2,3})\d')
# Name, also of the setting in the environment (CVLIB_MAX_...): the value, and what it counts.
LIMITS = {
    "cells": (200_000_000, "cells (rows times columns)"),
    "columns": (20_000, "columns"),
    "unpacked_bytes": (1_000_000_000, "bytes when unpacked"),
    "yaml_bytes": (1_000_000, "bytes"),
    "yaml_entries": (100_000, "entries, aliases written out"),
    "yaml_depth": (50, "levels, one inside the other"),
    "grid_cells": (10_000, "runs"),
}


def setting(name: str) -> str:
    """The environment variable that sets a limit."""
    return f"CVLIB_MAX_{name.upper()}"


def limit(name: str) -> int:
    """A limit as it is set: a whole number in the environment, or the value it comes with."""
    written = os.environ.get(setting(name), "").strip().replace("_", "")
    if not written:
        return LIMITS[name][0]
    if not written.isdecimal() or len(written) > 18:
        raise InputError(
            f"environment variable {setting(name)}",
            message("refusals.is_not_a_whole_number", written=written[:40]),
            message("refusals.write_say_or_unset_it", value=LIMITS[name][0]),
        )
    return int(written)


def hold(name: str, found: int, where: str) -> None:
    """Refuse what is more than a limit.

    Parameters
    ----------
    name : str
        One of `LIMITS`.
    found : int
        How much there is.
    where : str
        The file or entry, for the message.

    Raises
    ------
    InputError
        Naming the limit, what was found, and the setting that raises it.
    """
    most = limit(name)
    if found > most:
        raise InputError(
            where,
            message("refusals.has_at_most_are_read", found=found, value=LIMITS[name][1], most=most),
            message("refusals.make_it_smaller_or_set", value=setting(name)),
        )


def hold_table(rows: int, columns: int, where: str) -> None:
    """Refuse a table with more columns or cells than are read into memory."""
    hold("columns", columns, where)
    hold("cells", rows * columns, where)


def hold_workbook(path: Path, where: str) -> None:
    """Refuse a workbook that would unpack to more than is read, or whose cells lie far apart.

    A cell in the last row and one in the last column make a table of 17 billion cells.

    Raises
    ------
    InputError
        Also when the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            hold("unpacked_bytes", sum(part.file_size for part in parts), where)
            if damaged := package.testzip():
                raise zipfile.BadZipFile(f"its part {damaged} is not whole")
            sheets = [part for part in parts if part.filename.startswith("xl/worksheets/sheet")]
            for part in sheets:
                content = package.read(part)
                rows = max((int(row) for row in _ROW.findall(content)), default=0)
                widest = max(set(_WIDE_COLUMN.findall(content)), key=_position, default=b"Z")
                hold_table(rows, _position(widest), f"{where}, {Path(part.filename).stem}")
    except InputError:
        raise
    except Exception as error:  # zipfile raises nearly anything on a damaged package
        raise InputError(
            where,
            message("refusals.is_a_damaged_workbook", reason=str(error)[:200]),
            message("refusals.open_it_in_excel_and_save_it"),
        ) from error


def _position(letters: bytes) -> int:
    """A column's number: A is 1, ZZ is 702."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
