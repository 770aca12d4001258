"""Expert judgements from files: YAML, wide surveys, plain matrices, filled-in workbooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cvlib.inputs.answers import plain
from cvlib.inputs.choices import one_of
from cvlib.inputs.datasets import sha256, shipped
from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, shorten
from cvlib.inputs.limits import hold_workbook
from cvlib.inputs.readers import Table
from cvlib.inputs.shipped import shipped_yaml
from cvlib.inputs.summary_rows import words_of_totals
from cvlib.inputs.text import decode
from cvlib.weighting.experts.judgements import (
    FAULTY,
    Judgements,
    Pair,
    collect,
    from_pairs,
    named_by,
    no_judgements,
    pair_of,
    split_name,
)
from cvlib.weighting.experts.matrix_reading import Grid, blank, cell_of, read_matrix
from cvlib.weighting.experts.workbook import KEY
from cvlib.weighting.experts.workbook_reading import read_workbook
from cvlib.weighting.tree import Evidence, Tree
from cvlib.words.message import Label, Message, message

EXPERT = {"expert", "专家"}  # heads of the column of experts
MOST_CELLS = 1_000_000  # of a sheet of judgements
Faulty = Literal["refuse", "leave_out"]
PUBLISHED = "published"  # whatever ships for the tree


class _Published(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    tree: str
    source: str = ""
    evidence: Evidence | None = None
    note: dict[Literal["en", "zh"], str] = {}
    experts: dict[str, dict[str, Any]]


def available_judgements() -> tuple[str, ...]:
    """Names of the published judgements that ship with the package.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.weighting.available_judgements()
    ('liu_shih_2005',)
    """
    folder = Path(str(resources.files("cvlib.weighting"))) / "published"
    return tuple(sorted(path.stem for path in folder.glob("*.yaml")))


def read_yaml(tree: Tree, path: Path | str, faulty: Faulty = "refuse") -> Judgements:
    """Judgements of one or several experts from a YAML file (or a shipped set)."""
    source = Source(path)
    document = source.parse(_Published)
    if document.tree != tree.name:
        raise source.error(
            ("tree",),
            message("refusals.judgements_of_another_tree", other=document.tree, tree=tree.name),
            message("refusals.judgements_of_another_tree_remedy"),
        )
    experts: dict[str, list[Pair]] = {}
    for expert, written in document.experts.items():
        pairs = []
        for name, value in written.items():
            where = f"{source.name}, line {source.line(('experts', expert, name))}, {shorten(name)}"
            pairs.append(Pair(*split_name(tree, name, where), value, where))
        experts[expert] = pairs
    read = collect(tree, experts, source.name, faulty=faulty)
    grade = f"weighting.evidence_{document.evidence}"
    parts: list[str] = [document.source] * bool(document.source)
    parts += [message(grade)] if document.evidence in ("M", "P") else []
    parts += (
        [Label({str(one): text for one, text in document.note.items()})] if document.note else []
    )
    told = reduce(lambda a, b: message("weighting.source_and", a=a, b=b), parts or [source.name])
    return replace(read, source=told)


def _grids(path: Path) -> list[tuple[str, Grid]]:
    """Raw cells of every sheet of a file; a CSV file is one sheet without a name."""
    import openpyxl  # most who weight read no workbook

    try:
        if path.suffix.lower() == ".csv":
            text = decode(path.read_bytes(), path.name)[0]
            comma = max(",;\t", key=text.split("\n", 1)[0].count)
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=comma))
            return [("", _even(rows, path.name))]
        hold_workbook(path, path.name)
        book = openpyxl.load_workbook(path, data_only=True)
        for sheet in book:
            if sheet.max_row * sheet.max_column > MOST_CELLS:
                raise InputError(
                    f"{path.name}, sheet {sheet.title!r}",
                    message(
                        "refusals.reaches_to_row_and_column",
                        max_row=sheet.max_row,
                        max_column=sheet.max_column,
                    ),
                    message("refusals.judgements_need_far_less_clear"),
                )
        return [(s.title, [list(row) for row in s.iter_rows(values_only=True)]) for s in book]
    except InputError:
        raise
    except Exception as error:  # a damaged file makes the libraries that read it raise anything
        why = str(error) or type(error).__name__
        raise InputError(
            str(path),
            message("refusals.cannot_be_read_as", kind=path.suffix, reason=why[:200]),
            message("refusals.it_may_be_damaged_open"),
        ) from error


def _even(rows: list[list[str]], name: str) -> list[list[str]]:
    """Rows as long as the first: short ones end in empty cells, long ones are refused."""
    width = len(rows[0]) if rows else 0
    for line, row in enumerate(rows, start=1):
        if any(cell.strip() for cell in row[width:]):
            raise InputError(
                f"{name}, line {line}",
                message("refusals.has_cells_the_header_has", cells=len(row), width=width),
                message("refusals.mend_that_line_a_number"),
            )
    return [row[:width] + [""] * (width - len(row)) for row in rows]


def _names_a_pair(tree: Tree, name: str) -> bool:
    """Whether a head compares two items: it holds a bar, or parts that the tree has."""
    parts = pair_of(name)
    return "|" in name or (len(parts) == 2 and all(named_by(tree, part) for part in parts))


def read_wide(
    path: Path, sheet: str, rows: Grid, tree: Tree, told: list[Message]
) -> dict[str, list[Pair]]:
    """A survey with one row per expert: a column ``expert`` (专家) and columns named ``a|b``.

    The value is how many times as important a is as b: 5, 0.2 or 1/5; an empty cell is a
    judgement not given. Other columns are ignored, rows of means are left out and `told`. Returns
    the pairs by expert.
    """
    header = ["" if name is None else str(name).strip() for name in rows[0]]
    for name in header:
        if name and header.count(name) > 1:
            raise InputError(f"{path.name}, row 1", message("refusals.head_twice", head=name),
                             message("refusals.keep_one_column"))  # fmt: skip
    column = next((c for c, name in enumerate(header) if name.casefold() in EXPERT), None)
    if column is None:
        raise InputError(
            f"{path.name}, row 1", message("refusals.no_column_of_experts"),
            message("refusals.no_column_of_experts_remedy"),
        )  # fmt: skip
    named = {
        c: split_name(tree, name, cell_of(path, sheet, 0, c))
        for c, name in enumerate(header)
        if _names_a_pair(tree, name)
    }
    if not named and len(header) > 1:
        raise InputError(f"{path.name}, row 1", message("refusals.no_column_names_a_pair"),
                         message("refusals.write_it_as_row_column"))  # fmt: skip
    experts: dict[str, list[Pair]] = {}
    for r, row in enumerate(rows[1:], start=1):
        if all(blank(value) for value in row):
            continue
        unnamed = len(row) <= column or blank(row[column])
        expert = "" if unnamed else str(row[column]).strip()
        if plain(expert).replace(" ", "") in words_of_totals():
            told.append(message("weighting.summary_row_left_out",
                                where=cell_of(path, sheet, r, column), name=expert))  # fmt: skip
            continue
        if not expert or expert in experts:
            wrong = "refusals.expert_twice" if expert else "refusals.expert_without_name"
            raise InputError(
                cell_of(path, sheet, r, column), message(wrong, expert=expert),
                message("refusals.give_each_row_its_own_name"),
            )  # fmt: skip
        experts[expert] = [
            Pair(*named[c], row[c] if c < len(row) else None, cell_of(path, sheet, r, c))
            for c in named
        ]
    return experts


def read_judgements(
    tree: Tree,
    given: str | Path | Mapping[str, Any] | Sequence[str | Path] | Judgements,
    *,
    faulty: Faulty = "refuse",
    table: Table | None = None,
) -> Judgements:
    """Expert judgements in any of the accepted forms.

    Parameters
    ----------
    tree : Tree
        The tree they are about.
    given : str, Path, mapping or sequence
        A shipped name (`available_judgements`), ``published`` (those that ship for the tree, if
        there are any), a YAML file, an upper triangle
        ``{"a|b": 5, ...}``, a CSV or XLSX file (a wide survey with a column ``expert``; one plain
        matrix per sheet, the expert being the file's name, or the sheet's where all sheets compare
        the same items; or a filled-in expert workbook), a folder of such files, a pattern such as
        ``answers/*.xlsx``, or a list of files. Judgements that were read pass through.
    faulty : {"refuse", "leave_out"}
        Whether an expert with a wrong or missing judgement stops the reading or is left out and
        counted. One who gave no judgement at all is left out and counted in any case.

    table : Table, optional
        The customers to be weighed: of one's own, nobody but one's own experts has judged them, so
        that ``published`` means none.

    Returns
    -------
    Judgements
        Without an expert where `given` is empty: nothing is read.

    Raises
    ------
    InputError
        Naming file, sheet and cell.

    Examples
    --------
    >>> import cvlib as cv
    >>> tree = cv.weighting.load_tree("rfm")
    >>> given = {"recency|frequency": 5, "recency|monetary": 7, "frequency|monetary": 3}
    >>> type(cv.weighting.read_judgements(tree, given)).__name__
    'Judgements'
    """
    one_of("faulty", faulty, FAULTY)
    if isinstance(given, Judgements):
        return given
    if not isinstance(given, Path) and not given:
        return no_judgements()
    if isinstance(given, Mapping):
        return from_pairs(tree, given)
    folder = Path(str(resources.files("cvlib.weighting"))) / "published"
    if given == PUBLISHED and table is not None and not shipped(table.sha256):
        return no_judgements()
    if given == PUBLISHED:
        about = {n: shipped_yaml((folder / f"{n}.yaml").read_text("utf-8"))["tree"]
                 for n in available_judgements()}  # fmt: skip
        given = next((name for name, of in about.items() if of == tree.name), "")
        if not given:
            return no_judgements()
    if isinstance(given, str) and given in available_judgements():
        read = read_yaml(tree, folder / f"{given}.yaml", faulty=faulty)
        return replace(read, published=given, files=_files([folder / f"{given}.yaml"], read))
    paths = _paths(given)
    if len(paths) == 1 and paths[0].suffix.lower() in (".yaml", ".yml"):
        read = read_yaml(tree, paths[0], faulty=faulty)
        return replace(read, files=_files(paths, read))
    for path in paths:
        if path.suffix.lower() in (".yaml", ".yml"):
            raise InputError(
                str(path),
                message("refusals.is_one_of_several_files"),
                message("refusals.give_it_alone_it_holds"),
            )
    experts: dict[str, list[Pair]] = {}
    places: dict[tuple[str, str], str] = {}
    told: list[Message] = []
    for path in paths:
        for expert, pairs in _experts_of(path, tree, places, told).items():
            if expert in experts:
                raise InputError(
                    str(path), message("refusals.expert_was_already_read", expert=expert),
                    message("refusals.give_each_expert_one_name"),
                )  # fmt: skip
            experts[expert] = pairs
    source = str(given) if isinstance(given, str | Path) else ", ".join(p.name for p in paths)
    read = collect(tree, experts, source, faulty=faulty, places=places)
    return replace(read, files=_files(paths, read), warnings=(*told, *read.warnings))


def _files(paths: Sequence[Path], read: Judgements) -> tuple[tuple[str, str, int], ...]:
    """Name, hash and number of judgements of every file read, for the record of a run."""
    rows = len(read.sentences) if len(paths) == 1 else 0
    return tuple((path.name, sha256(path), rows) for path in paths)


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
            wrong = "does_not_exist" if path.suffix.lower() in known else "unknown_format"
            raise InputError(
                f"judgements {str(path)!r}",
                message(f"refusals.{wrong}"),
                message("refusals.give_judgements_as", shipped=", ".join(available_judgements())),
            )
    if not found:
        raise InputError(
            f"judgements {given!r}",
            message("refusals.no_file_found"),
            message("refusals.check_the_folder_or_pattern"),
        )
    return found


def _experts_of(
    path: Path, tree: Tree, places: dict[tuple[str, str], str], told: list[Message]
) -> dict[str, list[Pair]]:
    grids = _grids(path)
    if any(title == KEY for title, _ in grids):
        expert, pairs, found = read_workbook(path, dict(grids), tree)
        places.update({(expert, node): place for node, place in found.items()})
        return {expert: pairs}
    experts: dict[str, list[Pair]] = {}
    matrices: dict[str, list[Pair]] = {}
    for sheet, rows in grids:
        if not rows or all(blank(value) for row in rows for value in row):
            continue
        head = ["" if value is None else str(value).strip() for value in rows[0]]
        wide = any(_names_a_pair(tree, name) for name in head)
        if wide or EXPERT & {name.casefold() for name in head}:
            experts.update(read_wide(path, sheet, rows, tree, told))
        else:
            matrices[sheet] = read_matrix(path, sheet, rows, tree, told)
    compared = [frozenset(pair.row for pair in pairs) for pairs in matrices.values()]
    if (
        len(compared) > 1 and len(set(compared)) == 1
    ):  # the same items on every sheet: one expert each
        experts.update(matrices)
    elif matrices:
        own = [pair for pairs in matrices.values() for pair in pairs]
        experts.setdefault(path.stem, []).extend(own)
    if not experts:
        raise InputError(
            str(path),
            message("refusals.is_empty"),
            message("refusals.write_the_judgements_or_leave_the_file"),
        )
    return experts
