"""Reads the YAML files a user writes and names the line at fault when one is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cvlib.inputs.errors import InputError

Document = TypeVar("Document", bound=BaseModel)
Location = tuple[str | int, ...]


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, refusing a key that is written twice (PyYAML keeps the last in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault("a name must be plain text or a number", key_node)
            key = self.construct_object(key_node)
            if key in seen:
                raise _fault(f"{key!r} is written twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a date such as 2026-02-30
            raise _fault(str(error), node) from error


def _fault(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _lines(node: yaml.Node, at: Location, found: dict[Location, int]) -> None:
    found.setdefault(at, node.start_mark.line + 1)
    if len(at) > 50:  # an alias that contains itself
        raise _fault("is nested too deeply", node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*at, str(key.value))
            found[inner] = key.start_mark.line + 1
            _lines(value, inner, found)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _lines(value, (*at, position), found)


class Source:
    """A YAML file with the line of every entry.

    Attributes
    ----------
    name : str
        The file's path as the user gave it.
    content : Any
        The parsed document.
    """

    def __init__(self, path: Path | str) -> None:
        self.name = str(path)
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                self.name, f"cannot be read as UTF-8 text ({error})", "Check the path and encoding."
            ) from error
        try:
            # safe: the loader is a subclass of SafeLoader and builds plain values only
            self.content: Any = yaml.load(text, Loader=_StrictLoader)
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self._lines: dict[Location, int] = {}
            if node is not None:
                _lines(node, (), self._lines)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise InputError(
                self.name + line, f"not valid YAML: {problem}", "Mend that line."
            ) from error

    def line(self, at: Sequence[str | int]) -> int:
        """The line of the entry at this path of keys, or of its nearest written parent."""
        path = tuple(at)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def error(self, at: Sequence[str | int], wrong: str, remedy: str) -> InputError:
        """An error that names this file and the line of the entry at fault."""
        return InputError(f"{self.name}, line {self.line(at)}", wrong, remedy)

    def parse(self, schema: type[Document]) -> Document:
        """Check the document against a pydantic model.

        Raises
        ------
        InputError
            Naming the first faulty line, the reason, and how many more faults follow.
        """
        if not isinstance(self.content, dict):
            raise self.error((), "is not a mapping of names to values", "See the shipped files.")
        try:
            return schema.model_validate(self.content)
        except ValidationError as error:
            faults = error.errors()
            first = min(faults, key=lambda fault: self.line(fault["loc"]))
            entry = ".".join(str(part) for part in first["loc"])
            more = f" ({len(faults) - 1} more faults follow)" if len(faults) > 1 else ""
            message = first["msg"].removeprefix("Value error, ")
            raise self.error(
                first["loc"], f"{entry or 'document'}: {message}{more}", "Mend that line."
            ) from error
