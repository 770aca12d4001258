"""Expert judgements from files: YAML, wide surveys, plain matrices, filled-in workbooks."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import openpyxl
from openpyxl.utils import get_column_letter
from pydantic import BaseModel, ConfigDict

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError
from cvlib.inputs.limits import hold_workbook
from cvlib.inputs.text import decode
from cvlib.weighting.experts.judgements import (
    Judgements,
    Pair,
    collect,
    from_pairs,
    resolve,
    split_name,
)
from cvlib.weighting.experts.workbook import KEY, read_workbook
from cvlib.weighting.tree import Evidence, Tree


class _Published(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    tree: str
    source: str = ""
    evidence: Evidence | None = None
    note: dict[Literal["en", "zh"], str] = {}
    experts: dict[str, dict[str, Any]]


def available_judgements() -> tuple[str, ...]:
    """Names of the published judgements that ship with the package."""
    folder = Path(str(resources.files("cvlib.weighting"))) / "published"
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def read_yaml(tree: Tree, path: Path | str) -> Judgements:
    """Judgements of one or several experts from a YAML file (or a shipped set)."""
    source = Source(path)
    document = source.parse(_Published)
    if document.tree != tree.name:
        raise source.error(
            ("tree",),
            f"the judgements are for tree {document.tree!r}, not {tree.name!r}",
            "Choose that tree, or other judgements.",
        )
    experts: dict[str, list[Pair]] = {}
    for expert, written in document.experts.items():
        pairs = []
        for name, value in written.items():
            where = f"{source.name}, line {source.line(('experts', expert, name))}, {name!r}"
            pairs.append(Pair(*split_name(tree, name, where), value, where))
        experts[expert] = pairs
    read = collect(tree, experts, source.name)
    grade = {"M": "from memory", "P": "proposed"}.get(document.evidence or "", "")
    told = "; ".join(part for part in (document.source, grade, document.note.get("en", "")) if part)
    return replace(read, source=told or source.name)


def _grids(path: Path) -> list[tuple[str, list[list[Any]]]]:
    """Raw cells of every sheet of a file; a CSV file is one sheet without a name."""
    try:
        if path.suffix.lower() == ".csv":
            text = decode(path.read_bytes(), path.name)[0]
            comma = max(",;\t", key=text.split("\n", 1)[0].count)
            return [("", _even(list(csv.reader(text.splitlines(), delimiter=comma)), path.name))]
        hold_workbook(path, path.name)
        book = openpyxl.load_workbook(path, data_only=True)
        return [(s.title, [list(row) for row in s.iter_rows(values_only=True)]) for s in book]
    except InputError:
        raise
    except Exception as error:  # a damaged workbook makes its reader raise nearly anything
        raise InputError(
            str(path),
            f"cannot be read as {path.suffix} ({str(error)[:200]})",
            "Save it again in that format.",
        ) from error


def _even(rows: list[list[str]], name: str) -> list[list[str]]:
    """Rows as long as the first: short ones end in empty cells, long ones are refused."""
    width = len(rows[0]) if rows else 0
    for line, row in enumerate(rows, start=1):
        if any(cell.strip() for cell in row[width:]):
            raise InputError(
                f"{name}, line {line}", f"has {len(row)} cells, the header has {width}",
                "Mend that line; a number with a decimal comma stands in quotes.",
            )  # fmt: skip
    return [row[:width] + [""] * (width - len(row)) for row in rows]


def _cell(path: Path, sheet: str, row: int, column: int) -> str:
    at = f"{get_column_letter(column + 1)}{row + 1}"
    return f"{path.name}, sheet {sheet!r}, cell {at}" if sheet else f"{path.name}, cell {at}"


def _blank(value: Any) -> bool:
    return value is None or not str(value).strip()


def read_wide(path: Path, sheet: str, rows: list[list[Any]], tree: Tree) -> dict[str, list[Pair]]:
    """A survey with one row per expert: a column ``expert`` and columns named ``a|b``.

    The value is how many times as important a is as b: 5, 0.2 or 1/5; an empty cell is a
    judgement not given. Other columns are ignored. Returns the pairs by expert.
    """
    header = ["" if name is None else str(name).strip() for name in rows[0]]
    if "expert" not in header:
        raise InputError(
            f"{path.name}, row 1", "has no column 'expert'", "Add one with a name per row."
        )
    named = {
        c: split_name(tree, name, _cell(path, sheet, 0, c))
        for c, name in enumerate(header)
        if "|" in name
    }
    experts: dict[str, list[Pair]] = {}
    for r, row in enumerate(rows[1:], start=1):
        if all(_blank(value) for value in row):
            continue
        c = header.index("expert")
        expert = "" if _blank(row[c]) else str(row[c]).strip()
        if not expert or expert in experts:
            wrong = f"expert {expert!r} appears twice" if expert else "the expert has no name"
            raise InputError(_cell(path, sheet, r, c), wrong, "Give each row its own name.")
        experts[expert] = [
            Pair(*named[c], row[c] if c < len(row) else None, _cell(path, sheet, r, c))
            for c in named
        ]
    return experts


def read_matrix(path: Path, sheet: str, rows: list[list[Any]], tree: Tree) -> list[Pair]:
    """A plain matrix: item names in the first row and the first column, in the same order."""
    across = [value for value in rows[0][1:] if not _blank(value)]
    body = [row for row in rows[1:] if not all(_blank(value) for value in row)]
    columns = [resolve(tree, v, _cell(path, sheet, 0, c)) for c, v in enumerate(across, start=1)]
    items = [resolve(tree, row[0], _cell(path, sheet, r, 0)) for r, row in enumerate(body, start=1)]
    if items != columns or len(set(items)) != len(items):
        raise InputError(
            _cell(path, sheet, 0, 0),
            f"rows ({', '.join(items)}) and columns ({', '.join(columns)}) differ",
            "A judgement matrix is square, with the same items in the same order.",
        )
    return [
        Pair(item, other, row[c] if c < len(row) else None, _cell(path, sheet, r, c))
        for r, (item, row) in enumerate(zip(items, body, strict=True), start=1)
        for c, other in enumerate(columns, start=1)
    ]


def read_judgements(
    tree: Tree,
    given: str | Path | Mapping[str, Any] | Sequence[str | Path],
    *,
    faulty: Literal["refuse", "leave_out"] = "refuse",
) -> Judgements:
    """Expert judgements in any of the accepted forms.

    Parameters
    ----------
    tree : Tree
        The tree they are about.
    given : str, Path, mapping or sequence
        A shipped name (`available_judgements`), a YAML file, an upper triangle
        ``{"a|b": 5, ...}``, a CSV or XLSX file (a wide survey with a column ``expert``; one plain
        matrix per sheet, the expert being the file's name; or a filled-in expert workbook), a
        folder of such files, a pattern such as ``answers/*.xlsx``, or a list of files.
    faulty : {"refuse", "leave_out"}
        Whether an expert with a wrong or missing judgement stops the reading or is left out and
        counted.

    Returns
    -------
    Judgements

    Raises
    ------
    InputError
        Naming file, sheet and cell.
    """
    if isinstance(given, Mapping):
        return from_pairs(tree, given)
    if isinstance(given, str) and given in available_judgements():
        folder = Path(str(resources.files("cvlib.weighting"))) / "published"
        return replace(read_yaml(tree, folder / f"{given}.yaml"), published=given)
    paths = _paths(given)
    if len(paths) == 1 and paths[0].suffix in (".yaml", ".yml"):
        return read_yaml(tree, paths[0])
    experts: dict[str, list[Pair]] = {}
    places: dict[tuple[str, str], str] = {}
    for path in paths:
        for expert, pairs in _experts_of(path, tree, places).items():
            if expert in experts:
                raise InputError(
                    str(path), f"expert {expert!r} was already read", "Give each expert one name."
                )
            experts[expert] = pairs
    return collect(tree, experts, str(given), faulty=faulty, places=places)


def _paths(given: str | Path | Sequence[str | Path]) -> list[Path]:
    listed = [given] if isinstance(given, str | Path) else list(given)
    found: list[Path] = []
    for entry in map(Path, listed):
        if any(sign in str(entry) for sign in "*?["):
            found += sorted(Path(entry.anchor or ".").glob(str(entry.relative_to(entry.anchor))))
        elif entry.is_dir():
            found += sorted(p for p in entry.iterdir() if p.suffix in (".xlsx", ".csv"))
        else:
            found.append(entry)
    # Excel leaves such a file beside an open workbook
    found = [path for path in found if not path.name.startswith("~$")]
    known = (".csv", ".xlsx", ".yaml", ".yml")
    for path in found:
        if path.suffix.lower() not in known or not path.is_file():
            wrong = "does not exist" if path.suffix.lower() in known else "is not a known format"
            raise InputError(
                f"judgements {str(path)!r}",
                wrong,
                f"Give a CSV, XLSX or YAML file, or one of: {', '.join(available_judgements())}.",
            )
    if not found:
        raise InputError(f"judgements {given!r}", "no file found", "Check the folder or pattern.")
    return found


def _experts_of(
    path: Path, tree: Tree, places: dict[tuple[str, str], str]
) -> dict[str, list[Pair]]:
    grids = _grids(path)
    if KEY in dict(grids):
        expert, pairs, found = read_workbook(path, dict(grids), tree)
        places.update({(expert, node): place for node, place in found.items()})
        return {expert: pairs}
    experts: dict[str, list[Pair]] = {}
    for sheet, rows in grids:
        if not rows or all(_blank(value) for row in rows for value in row):
            continue
        if "expert" in rows[0] or any("|" in str(name) for name in rows[0]):
            experts.update(read_wide(path, sheet, rows, tree))
        else:
            experts.setdefault(path.stem, []).extend(read_matrix(path, sheet, rows, tree))
    if not experts:
        raise InputError(str(path), "is empty", "Write the judgements, or leave the file out.")
    return experts
