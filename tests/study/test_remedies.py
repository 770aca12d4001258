"""What a remedy names exists where the reader stands: in a notebook, a command or a file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

import cvlib
from cvlib.cli import main
from cvlib.study.notebook import read_notebook, shipped

ROOT = Path(cvlib.__file__).parent
NAMED = re.compile(r"`([^`{}]+)`")
# What a user writes in the files that are theirs to write.
IN_FILES = {
    "column", "scale", "answers", "items", "missing_codes", "moderates", "experts", "expert",
    "rule", "children", "direction", "compulsory", "use", "formula", "mode", "weight", "en",
    "items_from", "role", "stages", "dimensions", "bound", "wording", "indicators",
}  # fmt: skip


# Arguments of functions that no notebook calls: who gave them can change them.
IN_CODE = {
    "refusals.check_columns": {"columns"},
    "refusals.check_dates": {"dates"},
    "refusals.give_a_mapping_with_constructs": {"constructs", "paths"},
    "lifetime/simulate.py": {"periods"},
}


def text_of(node: ast.AST) -> str:
    """The fixed parts of a text as it stands in the code."""
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def remedies() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("InputError", "fault", "error", "hold"):
                for argument in [*node.args[1:], *(word.value for word in node.keywords)]:
                    for said in NAMED.findall(text_of(argument)):
                        yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", said
    catalogue = ROOT / "words" / "messages" / "refusals.yaml"
    for key, wording in yaml.safe_load(catalogue.read_text(encoding="utf-8")).items():
        yield from ((key, said) for said in NAMED.findall(wording["en"]))


def commands(group: click.Group, before: str = "cvlib") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{before} {name}"
        yield from (option for p in command.params for option in p.opts if option[:2] == "--")
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")


PARAMETERS = {p.name for path in shipped() for p in read_notebook(path).parameters}
COMMANDS = set(commands(main))


def can_be_done(said: str) -> bool:
    word = said.split(":")[0].split("=")[0].strip().strip("\"'")
    return (
        word in PARAMETERS | IN_FILES
        or any(said.startswith(command) for command in COMMANDS)
        or said in COMMANDS
    )


def test_a_remedy_names_something_the_reader_has() -> None:
    found = set(remedies())
    assert len(found) > 30
    wrong = [
        f"{place}: `{said}` is in no notebook, command or file"
        for place, said in sorted(found)
        if not can_be_done(said) and said not in IN_CODE.get(place.partition(":")[0], set())
    ]
    assert not wrong


def test_the_test_can_fail() -> None:
    assert not can_be_done("folds_of_wool") and can_be_done("cvlib describe 01")
    assert can_be_done("draws") and can_be_done("scale: [1, 5]")


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_a_notebook_that_reads_data_can_be_told_how(path: Path) -> None:
    """Errors of the readers name these four, wherever the file is read."""
    known = {one.name for one in read_notebook(path).parameters}
    if "data" in known:
        assert {"sheet", "header_row", "encoding", "decimal"} <= known
