"""The files among a notebook's parameters: found, hashed, sent to the kernel, named in print."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from cvlib.inputs.datasets import entries, fetch, sha256
from cvlib.inputs.documents import Source
from cvlib.inputs.limits import hold_workbook
from cvlib.inputs.references import fingerprint, reference
from cvlib.study.notebook import Notebook


def can_be_path(value: Any) -> bool:
    """Whether a parameter's value may name a file: text, and no part longer than names can be."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        return False
    try:
        return all(len(os.fsencode(part)) < 256 for part in Path(value).parts)
    except UnicodeEncodeError:
        return False


def files_of(value: Any) -> list[Path]:
    """The files one value names.

    A data set by name, a file, a pattern such as ``orders_*.csv``, or a folder; the name of a
    folder other than of Parquet parts must have a slash, so that the name of a column is not taken
    for one.
    """
    if not can_be_path(value):
        return []
    table = reference(value)
    if table is not None:
        return [table.path.resolve()] if table.path and table.path.is_file() else []
    path = Path(value).expanduser()
    if value in entries():
        return [fetch(value)]
    if path.is_file():
        return [path.resolve()]
    if set("*?[") & set(path.name) and path.parent.is_dir():
        return sorted(each for each in path.parent.resolve().glob(path.name) if each.is_file())
    if path.is_dir() and ({"/", os.sep} & set(value) or any(path.glob("*.parquet"))):
        return sorted(each for each in path.resolve().iterdir() if each.is_file())
    return []


def input_files(notebook: Notebook, arguments: dict[str, Any]) -> dict[str, list[Path]]:
    """The files each parameter names, alone or in a list.

    Parameters of which it is known that they name no file are not looked at; of a notebook's own
    parameters all are.
    """
    found: dict[str, list[Path]] = {}
    for parameter in notebook.parameters:
        value = arguments.get(parameter.name)
        if parameter.rule is None or parameter.rule.file:
            values = value if isinstance(value, list) else [value]
            files = [path for each in values for path in files_of(each)]
            if files:
                found[parameter.name] = files
    return found


def check_files(files: dict[str, list[Path]]) -> None:
    """Refuse workbooks and YAML files that cannot be read, before anything runs.

    Raises
    ------
    InputError
        Naming the file, and the line of a YAML file.
    """
    for path in (path for paths in files.values() for path in paths):
        if path.name.startswith(("~$", ".")):  # what a spreadsheet program leaves beside its file
            continue
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            hold_workbook(path, path.name)
        elif path.suffix.lower() in (".yaml", ".yml"):
            Source(path)


def input_hashes(files: dict[str, list[Path]]) -> dict[str, str]:
    """SHA-256 of every input, by parameter: of its file, or of the hashes of several."""
    found = {}
    for name, paths in files.items():
        each = [_hash_once(path, *_stamp(path)) for path in paths]
        together = hashlib.sha256("".join(each).encode()).hexdigest()
        found[name] = each[0] if len(each) == 1 else together
    return found


def tables_elsewhere(arguments: dict[str, Any]) -> dict[str, str]:
    """A hash of each parameter that names a table which is no file here."""
    known = {name: fingerprint(value) for name, value in arguments.items()}
    return {name: digest for name, digest in known.items() if digest}


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1024)
def _hash_once(path: Path, size: int, modified: int) -> str:
    # a grid asks for the same large file again and again
    return sha256(path)


def sent(arguments: dict[str, Any], files: dict[str, list[Path]]) -> dict[str, Any]:
    """Arguments as the kernel gets them: files by full path, data sets by name."""
    return _spark(_replaced(arguments, files, _absolute), _absolute)


def published(arguments: dict[str, Any], files: dict[str, list[Path]]) -> dict[str, Any]:
    """Arguments as a run folder tells them: files below the working folder by their path in it,
    others by their name. Nothing says where on a machine they lie."""
    return _spark(_replaced(arguments, files, _below), _below)


def _spark(arguments: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Folders here that Spark is to read, changed as files are; no address with a secret in it."""
    new = dict(arguments)
    for name, value in arguments.items():
        table = reference(value)
        if table is None or table.path is not None:
            continue
        if Path(table.place).expanduser().exists():
            new[name] = change(value)
        elif "@" in table.place and change is _below:
            new[name] = f"{table.kind}://{table.name}"
    return new


def _absolute(text: str) -> str:
    table = reference(text)
    if table is None:
        return str(Path(text).expanduser().absolute())
    return text.replace(table.place, str(Path(table.place).expanduser().absolute()), 1)


def _below(text: str) -> str:
    table = reference(text)
    if table is not None:
        return text.replace(table.place, _below(table.place), 1)
    path = Path(text).expanduser()
    slash = "/" if text.endswith(("/", os.sep)) else ""
    absolute = Path(os.path.normpath(path.absolute()))
    here = Path.cwd()
    inside = absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else ""
    return (inside if inside not in ("", ".") else absolute.name) + slash


def _replaced(
    arguments: dict[str, Any], files: dict[str, list[Path]], change: Callable[[str], str]
) -> dict[str, Any]:
    def changed(values: list[Any]) -> Iterator[Any]:
        for each in values:
            is_file = each not in entries() and files_of(each) if isinstance(each, str) else False
            yield change(each) if is_file else each

    new = dict(arguments)
    for name in files:
        value = arguments[name]
        several = list(changed(value if isinstance(value, list) else [value]))
        new[name] = several if isinstance(value, list) else several[0]
    return new
