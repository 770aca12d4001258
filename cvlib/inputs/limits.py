"""How much a file may ask of the machine: named settings, and one way to refuse what is more."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from cvlib.inputs.errors import InputError

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
            f"{written[:40]!r} is not a whole number",
            f"Write {LIMITS[name][0]}, say, or unset it.",
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
            f"has {found:,} {LIMITS[name][1]}; at most {most:,} are read",
            f"Make it smaller, or set the environment variable {setting(name)} to a larger number.",
        )


def hold_table(rows: int, columns: int, where: str) -> None:
    """Refuse a table with more columns or cells than are read into memory."""
    hold("columns", columns, where)
    hold("cells", rows * columns, where)


def hold_package(path: Path, where: str) -> None:
    """Refuse a zip package (a workbook) that would unpack to more than is read.

    Raises
    ------
    InputError
        Also when the package is damaged.
    """
    try:
        with zipfile.ZipFile(path) as package:
            total = sum(part.file_size for part in package.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(
            where, f"is a damaged workbook ({error})", "Open it in Excel and save it again."
        ) from error
    hold("unpacked_bytes", total, where)
