"""Finds the notebooks and reads what they ask for: names, types and defaults of parameters."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.shipped import shipped_folder
from cvlib.study.parameters import TYPES, Parameter, check_together, rule
from cvlib.words.message import message

FOLDER = shipped_folder("notebooks")


@dataclass(frozen=True)
class Notebook:
    """A notebook file with its title, question and parameters."""

    path: Path
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    source: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Every parameter with the given value or its default, checked by name and type.

        Raises
        ------
        InputError
            Naming an unknown parameter with the nearest known one, or a value its rule forbids.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known or name == "out":
                raise InputError(
                    f"{self.name}, parameter {name}",
                    message("refusals.there_is_no_such_parameter"),
                    nearest(name, [key for key in known if key != "out"]),
                )
        values = {
            name: parameter.convert(given[name]) if name in given else parameter.default
            for name, parameter in known.items()
            if name != "out"
        }
        check_together(self.parameters, values)
        return values


def parse_parameters(name: str, source: str) -> tuple[Parameter, ...]:
    """The lines `name: type = default  # help` of a parameters cell."""
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            raise ValueError(f"{name}: a parameters cell has only lines `name: type = default`")
        kind = ast.unparse(node.annotation).split("[")[0]
        if kind not in TYPES or node.value is None:
            raise ValueError(f"{name}, parameter {node.target.id}: type {kind!r} or no default")
        comment = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
        found.append(
            Parameter(
                name=node.target.id,
                kind=kind,
                default=ast.literal_eval(node.value),
                help=comment.strip().lstrip("#").strip(),
                rule=rule(name, node.target.id),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class _Cell:
    kind: str
    source: str
    tags: tuple[str, ...]


def _cells(path: Path) -> list[_Cell]:
    """Kinds, sources and tags; a notebook of today is plain JSON and needs no nbformat."""
    content: Any = json.loads(path.read_text(encoding="utf-8"))
    if content["nbformat"] != 4:
        import nbformat  # slow to load

        content = nbformat.convert(nbformat.from_dict(content), 4)
    return [
        _Cell(
            kind=cell["cell_type"],
            source="".join(cell["source"]),  # lines, or one text
            tags=tuple(cell["metadata"].get("tags", ())),
        )
        for cell in content["cells"]
    ]


def read_notebook(path: Path) -> Notebook:
    """Read a notebook's title, first section and parameters cell."""
    try:
        cells = _cells(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            str(path),
            message("refusals.is_not_a_jupyter_notebook"),
            message("refusals.check_the_file"),
        ) from error
    tagged = [cell for cell in cells if "parameters" in cell.tags]
    if len(tagged) != 1:
        raise InputError(
            str(path),
            message("refusals.has_cells_tagged_parameters", n=len(tagged)),
            message("refusals.tag_the_one_cell_that"),
        )
    prose = [cell for cell in cells if cell.kind == "markdown"]
    lines = [line for cell in prose for line in cell.source.splitlines()]
    asked = next((c.source for c in prose if "question" in c.tags), "")
    paragraphs = [part for part in asked.split("\n\n") if not part.startswith("#")]
    return Notebook(
        path=path,
        title=next((line[2:] for line in lines if line.startswith("# ")), path.stem),
        question=" ".join(paragraphs[0].split()) if paragraphs else "",
        parameters=parse_parameters(path.stem, tagged[0].source),
        source="\n\x00".join(f"{cell.kind}\n{cell.source}" for cell in cells),
    )


def shipped() -> list[Path]:
    """The suite's notebooks, in order."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def find(name: str) -> Notebook:
    """The notebook of this name, number (``01`` or 1) or unique beginning, or a notebook file.

    Raises
    ------
    InputError
        With the nearest known name.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return read_notebook(path.resolve())
    known = {candidate.stem: candidate for candidate in shipped()}
    name = name.zfill(2) if name.isdigit() else name
    matching = [stem for stem in known if stem == name] or [s for s in known if s.startswith(name)]
    if len(matching) == 1:
        return read_notebook(known[matching[0]])
    if len(matching) > 1:
        raise InputError(
            f"notebook {name}",
            message("refusals.several_begin_like_this"),
            message("refusals.say_which", names=", ".join(matching)),
        )
    raise InputError(
        f"notebook {name}",
        message("refusals.there_is_none_of_this_name"),
        nearest(name, list(known)),
    )
