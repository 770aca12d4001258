"""Reads the YAML files a user writes and names the line at fault when one is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from cvlib.inputs.errors import InputError
from cvlib.inputs.limits import hold
from cvlib.words.message import Message, message

if TYPE_CHECKING:
    from pydantic import BaseModel

Document = TypeVar("Document", bound="BaseModel")
Location = tuple[str | int, ...]
_PACKAGE = Path(__file__).resolve().parents[1]


class _Plain:
    """Of a safe loader: plain values only, refusing a key that is written twice.

    PyYAML keeps the last of two equal keys in silence, and reads ``yes`` as true, ``012`` as ten,
    ``12:30`` as 750 and ``2024-03-31`` as a date: here they are text, as they were written.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault("a name must be plain text or a number", key_node)
            key = self.construct_object(key_node)
            if key in seen:
                raise _fault(f"{key!r} is written twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)  # type: ignore[misc]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)  # type: ignore[misc]
        except (ValueError, OverflowError) as error:  # !!int x, !!timestamp 2026-02-30
            if isinstance(error, InputError):
                raise
            raise _fault(str(error), node) from error


class _StrictLoader(_Plain, yaml.SafeLoader):
    """For files of users: how deep they are is held while they are read."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth = getattr(self, "depth", 0) + 1
        mark = self.peek_event().start_mark
        hold("yaml_depth", self.depth - 1, f"line {mark.line + 1}")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _ShippedLoader(_Plain, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """For files of the package itself, which no stranger wrote: ten times quicker."""


_StrictLoader.yaml_implicit_resolvers = _ShippedLoader.yaml_implicit_resolvers = {}
_INTEGER = r"(?:0|[1-9][0-9]*)"  # no leading zeros: an id such as 017 is text
_FLOAT = rf"[-+]?(?:\.[0-9]+|{_INTEGER}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|nan)"
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):  # fmt: skip
    _rule = (f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"))
    for _letter in _first:
        _StrictLoader.yaml_implicit_resolvers.setdefault(_letter, []).append(_rule)


def _fault(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _entries(node: yaml.Node, counted: dict[int, int]) -> int:
    """How many entries a node has when aliases are written out; refuses one inside itself."""
    if id(node) in counted:
        if counted[id(node)] == 0:
            raise _fault("is nested too deeply: it contains itself", node)
        return counted[id(node)]
    counted[id(node)] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [each for pair in node.value for each in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    counted[id(node)] = 1 + sum(_entries(each, counted) for each in inner)
    return counted[id(node)]


def _lines(node: yaml.Node, at: Location, found: dict[Location, int]) -> None:
    found.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*at, str(key.value))
            found[inner] = key.start_mark.line + 1
            _lines(value, inner, found)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _lines(value, (*at, position), found)


def plain_yaml(text: str, where: str, shipped: bool = False) -> tuple[Any, yaml.Node | None]:
    """Read YAML text into plain values (numbers, text, true and false, lists, mappings).

    Parameters
    ----------
    text : str
        The document. Dates stay text as written; no tag builds anything but plain values.
    where : str
        What an error names: the file or the parameter.
    shipped : bool
        It is a file of the package, and the quick parser may read it.

    Returns
    -------
    tuple of value and Node
        The content, and PyYAML's node of it, which knows the lines.

    Raises
    ------
    InputError
        With the line: not YAML, a name twice, larger or deeper than `cvlib.inputs.limits` allows.
    """
    hold("yaml_bytes", len(text), where)
    try:
        loader: Any = (_ShippedLoader if shipped else _StrictLoader)(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, None
            hold("yaml_entries", _entries(node, {}), where)
            return loader.construct_document(node), node
        finally:
            loader.dispose()
    except InputError as error:
        inside = error.where if error.where.startswith(where) else f"{where}, {error.where}"
        raise InputError(inside, error.wrong, error.remedy) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(
            where + line,
            message("refusals.not_valid_yaml", problem=problem),
            message("refusals.mend_that_line"),
        ) from error
    except (RecursionError, ValueError, TypeError, AttributeError) as error:
        # PyYAML meets a few malformed documents unprepared
        raise InputError(
            where,
            message("refusals.not_valid_yaml_2", name=type(error).__name__, error=error),
            message("refusals.see_the_shipped_files"),
        ) from error


# Faults that a schema finds, and what they are called.
_KINDS = {
    "missing": "missing", "extra_forbidden": "unknown", "string_type": "text",
    "dict_type": "mapping", "model_type": "mapping", "model_attributes_type": "mapping",
    "list_type": "list", "tuple_type": "list", "float_type": "number", "float_parsing": "number",
    "int_type": "number", "int_parsing": "number",
}  # fmt: skip


class Source:
    """A YAML file with the line of every entry.

    Attributes
    ----------
    name : str
        The file's path as the user gave it.
    content : Any
        The parsed document.
    """

    remedy: str = message("refusals.mend_that_line")

    def __init__(self, path: Path | str) -> None:
        self.name = str(path)
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                self.name,
                message("refusals.not_utf8_text", error=str(error)),
                message("refusals.check_path_and_encoding"),
            ) from error
        content, node = plain_yaml(text, self.name, _PACKAGE in Path(path).absolute().parents)
        self.content: Any = content
        self._lines: dict[Location, int] = {}
        if node is not None:
            _lines(node, (), self._lines)

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
        from pydantic import ValidationError  # slow to load

        if not isinstance(self.content, dict):
            raise self.error(
                (), message("refusals.not_a_mapping"), message("refusals.see_the_shipped_files")
            )
        try:
            return schema.model_validate(self.content)
        except ValidationError as error:
            faults = error.errors()
            first = min(faults, key=lambda fault: self.line(fault["loc"]))
            entry = ".".join(str(part) for part in first["loc"])
            kind = _KINDS.get(first["type"])
            cause = first.get("ctx", {}).get("error")
            told = cause.args[0] if isinstance(cause, ValueError) and cause.args else ""
            fault = first["msg"].removeprefix("Value error, ")
            if isinstance(told, Message) or kind:
                fault = told or message(f"refusals.entry_{kind}")
            more = len(faults) - 1
            wrong = message("refusals.entry_faults" if more else "refusals.entry_fault",
                            entry=entry or "document", fault=fault, more=more)  # fmt: skip
            raise self.error(first["loc"], wrong, self.remedy) from error
        except TypeError as error:  # a list where a check expected a name
            raise self.error(
                (), f"holds a value of a wrong kind ({error})", "Compare it with the shipped files."
            ) from error
