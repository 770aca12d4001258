"""Indicator trees: which indicators, under which dimension, in which direction they count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from cvlib.inputs.documents import Location, Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.words.message import Label, Message, message

Rule = Literal["weighted", "minimum", "gate"]
Evidence = Literal["B", "Lit", "M", "P"]
_DIRECTIONS = (
    "benefit, cost, {target: number}, {interval: [from, to]} or {nominal: {category: value}}"
)


class _Direction(BaseModel):
    """How a leaf counts: more or less is better, near a target, within limits, or by category."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["benefit", "cost", "target", "interval", "nominal"]
    target: float | None = None
    interval: tuple[float, float] | None = None
    nominal: dict[Any, float] | None = None
    evidence: Evidence | None = None

    @field_validator("target")
    @classmethod
    def _finite(cls, target: float | None) -> float | None:
        if target is not None and not math.isfinite(target):
            raise ValueError("the target must be a number")
        return target

    @field_validator("interval")
    @classmethod
    def _from_to(cls, interval: tuple[float, float] | None) -> tuple[float, float] | None:
        if interval and not -math.inf < interval[0] <= interval[1] < math.inf:
            raise ValueError("write the least and the largest good value, such as [5, 7]")
        return interval

    @field_validator("nominal")
    @classmethod
    def _value_function(cls, values: dict[Any, float] | None) -> dict[Any, float] | None:
        for category, value in (values or {}).items():
            if isinstance(category, bool) or category is None:
                raise ValueError(
                    "YAML reads yes, no, on, off and an empty name as true, false and nothing: "
                    "put the category in quotes"
                )
            if not 0 <= value <= 1:
                raise ValueError(f"the value of {category!r} is {value:g}, outside 0 to 1")
        if values is not None and len(values) < 2:
            raise ValueError("needs the values of two categories or more")
        return values


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: str | None = None
    zh: str | None = None
    rule: Rule = "weighted"
    children: dict[str, _Node] | None = None
    direction: _Direction | None = None
    scale: tuple[float, float] | None = None
    unit: str = ""
    column: str | None = None
    source: str | None = None
    evidence: Evidence | None = None

    @field_validator("direction", mode="before")
    @classmethod
    def _read_direction(cls, written: Any) -> Any:
        if written in ("benefit", "cost"):
            return {"kind": written}
        kinds = {"target", "interval", "nominal"}
        if isinstance(written, dict) and len(written.keys() & kinds) == 1:
            (kind,) = written.keys() & kinds
            if "kind" not in written and written[kind] is not None:
                return {"kind": kind, **written}
        raise ValueError(message("refusals.not_a_leaf_direction", value=str(written),
                                 known=_DIRECTIONS))  # fmt: skip

    @field_validator("scale")
    @classmethod
    def _from_low_to_high(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale and not -math.inf < scale[0] < scale[1] < math.inf:
            raise ValueError(message("refusals.write_lowest_and_highest"))
        return scale

    @model_validator(mode="after")
    def _inner_or_leaf(self) -> _Node:
        if self.children is not None and self.direction is not None:
            raise ValueError(
                "has both children and a direction: an inner node has children, a leaf a direction"
            )
        if self.children is None and self.direction is None:
            raise ValueError(message("refusals.leaf_without_direction", known=_DIRECTIONS))
        if self.children is not None and not self.children:
            raise ValueError("has an empty list of children")
        if self.children is not None and (self.column or self.unit or self.scale):
            raise ValueError("column, unit and scale belong to leaves, not to a node with children")
        if self.scale and self.direction and self.direction.kind == "nominal":
            raise ValueError("the values of categories stand from 0 to 1 already: drop the scale")
        aim = self.direction.target if self.direction else None
        if self.scale and aim is not None and not self.scale[0] <= aim <= self.scale[1]:
            raise ValueError(f"the target {aim:g} lies outside the scale")
        good = self.direction.interval if self.direction else None
        if self.scale and good and not self.scale[0] <= good[0] <= good[1] <= self.scale[1]:
            raise ValueError(f"the interval {good[0]:g} to {good[1]:g} lies outside the scale")
        if self.children is None and "rule" in self.model_fields_set:
            raise ValueError("a rule belongs to a node with children, not to a leaf")
        return self


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    title: dict[Literal["en", "zh"], str] = {}
    source: str = ""
    evidence: Evidence | None = None
    note: dict[Literal["en", "zh"], str] = {}
    rule: Rule = "weighted"
    children: dict[str, _Node]

    @field_validator("children")
    @classmethod
    def _some(cls, children: dict[str, _Node]) -> dict[str, _Node]:
        if not children:
            raise ValueError(message("refusals.tree_without_children"))
        return children


@dataclass(frozen=True, eq=False)
class Tree:
    """An indicator tree.

    Attributes
    ----------
    name : str
        Its name, which is also the name of the root node.
    nodes : pandas.DataFrame
        One row per node in depth-first order, the root first: ``node``, ``parent`` ("" for the
        root), ``level`` (root 0), ``label_en``, ``label_zh``, ``is_leaf``, ``direction``
        (benefit, cost, target, interval, nominal; "" for inner nodes), ``target`` (number or NaN),
        ``good_low`` and ``good_high`` (ends of the interval within which a value is best; both
        the target where there is one, else NaN),
        ``values`` (mapping of category to value in 0 to 1, or None), ``scale_low`` and
        ``scale_high`` (ends of the scale where the file states one, else NaN), ``unit``,
        ``column`` (of the data; the leaf's name unless the file says otherwise), ``rule``
        (weighted, minimum or gate: how an inner node joins its children; "" for leaves),
        ``source``, ``evidence`` (B
        named in the founding documents, Lit completed from the literature, M from memory,
        P proposed), ``direction_evidence`` (of the target or the category values).
    note : dict of str to str
        What a user of the tree should know, by language.
    warnings : tuple of str
        Targets and category values that are proposals, to be replaced by the user's own.
    """

    name: str
    nodes: pd.DataFrame
    note: dict[str, str]
    warnings: tuple[str, ...]

    @cached_property
    def _rows(self) -> dict[str, dict[Any, Any]]:
        return {row["node"]: row for row in self.nodes.to_dict("records")}

    @property
    def leaves(self) -> tuple[str, ...]:
        """Names of all leaves, in the order of the file."""
        return tuple(self.nodes.loc[self.nodes["is_leaf"], "node"])

    @property
    def directions(self) -> pd.Series:
        """Direction of every leaf, indexed by leaf."""
        return self.nodes[self.nodes["is_leaf"]].set_index("node")["direction"]

    @property
    def columns(self) -> pd.Series:
        """Data column of every leaf, indexed by leaf."""
        return self.nodes[self.nodes["is_leaf"]].set_index("node")["column"]

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Children of every inner node, the root first."""
        inner = self.nodes.loc[~self.nodes["is_leaf"], "node"]
        parents = self.nodes["parent"]
        return {node: tuple(self.nodes.loc[parents == node, "node"]) for node in inner}

    @cached_property
    def compared(self) -> dict[str, tuple[str, ...]]:
        """Children that share their parent's weight: of weighted nodes reached by weighted nodes.

        Gates take no weight (a veto is not compensated) and a minimum node's children are not
        weighed against each other, so neither appears as a key.
        """
        found: dict[str, tuple[str, ...]] = {}
        for node, below in self.children.items():
            above = self.parent(node)
            if self.rule(node) == "weighted" and (not above or above in found):
                found[node] = tuple(child for child in below if self.rule(child) != "gate")
        return found

    @property
    def weighted(self) -> tuple[str, ...]:
        """Where the weighted sum ends: leaves, and minimum nodes, that receive a global weight."""
        shared = [child for below in self.compared.values() for child in below]
        return tuple(n for n in self.nodes["node"] if n in shared and n not in self.compared)

    def parent(self, node: str) -> str:
        """Name of the parent ("" for the root)."""
        return str(self._rows[node]["parent"])

    def rule(self, node: str) -> str:
        """How the node joins its children ("" for a leaf)."""
        return str(self._rows[node]["rule"])

    def siblings(self, node: str) -> tuple[str, ...]:
        """All children of the node's parent, the node included."""
        return self.children.get(self.parent(node), (node,))

    def label(self, node: str, language: str = "en") -> str:
        """The node's label in a language, else in the other, else its name."""
        return str(self._rows[node]["label_zh" if language == "zh" else "label_en"])

    def caption(self) -> Message:
        """What a table of its nodes is called."""
        labels = {language: self.label(self.name, language) for language in ("en", "zh")}
        return message("weighting.tree_caption", tree=Label(labels))


def _folder() -> Path:
    return Path(str(resources.files("cvlib.weighting"))) / "indicators"


def tree_file(name: str) -> Path:
    """Where a shipped tree lies."""
    return _folder() / f"{name}.yaml"


def available_trees() -> tuple[str, ...]:
    """Names of the trees that ship with the package.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> import cvlib as cv
    >>> "rfm" in cv.weighting.available_trees()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def load_tree(name_or_path: str | Path) -> Tree:
    """Read a shipped tree by name, or a user's tree from a YAML file.

    Parameters
    ----------
    name_or_path : str or Path
        A name of `available_trees`, or the path of a ``.yaml`` file of the same form.

    Returns
    -------
    Tree
        Nodes with labels, directions and scales.

    Raises
    ------
    InputError
        Naming the file and the line at fault: no direction on a leaf, both children and a
        direction, a name used twice, an unknown key, a gate whose leaves are not pass or fail.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.weighting.load_tree("rfm").leaves
    ('recency', 'frequency', 'monetary')
    """
    written = str(name_or_path)
    if written in available_trees():
        path = tree_file(written)
    elif Path(written).suffix in (".yaml", ".yml"):
        path = Path(written)
    else:
        raise InputError(
            f"tree {written!r}",
            message("refusals.tree_not_found"),
            nearest(written, list(available_trees())),
        )
    source = Source(path)
    document = source.parse(_Document)
    if document.rule == "gate":
        raise source.error(("rule",), "the root cannot be a gate", "Make it weighted or minimum.")
    titles = {str(language): text for language, text in document.title.items()}
    rows = [_row(document.name, titles, document, None)]
    _collect(source, document, (), rows, {document.name: source.line(("name",))})
    nodes = pd.DataFrame(rows)
    proposed = nodes[nodes["direction_evidence"] == "P"]
    warnings = tuple(
        message(f"weighting.{'values' if aim == 'nominal' else 'target'}_proposed", node=node)
        for node, aim in zip(proposed["node"], proposed["direction"], strict=True)
    )
    return Tree(document.name, nodes, {str(k): v for k, v in document.note.items()}, warnings)


def flat_tree(names: list[str], name: str = "indicators") -> Tree:
    """A tree of one level in code: every name is an indicator of which more is better."""
    if len(set(names)) != len(names) or not all(names):
        raise InputError(
            "the names of the indicators",
            message("refusals.are_blank_or_written_twice"),
            message("refusals.mend_them"),
        )
    leaf = _Node.model_validate({"direction": "benefit"})
    document = _Document(name=name, children=dict.fromkeys(names, leaf))
    root = _row(name, {}, document, None)
    rows = [root, *(_row(each, {}, leaf, root) for each in names)]
    return Tree(name, pd.DataFrame(rows), {}, ())


def _row(
    name: str, labels: dict[str, str], node: _Document | _Node, parent: dict[str, Any] | None
) -> dict[str, Any]:
    direction = node.direction if isinstance(node, _Node) else None
    leaf = node.children is None
    scale = (node.scale if isinstance(node, _Node) else None) or (math.nan, math.nan)
    english = labels.get("en") or labels.get("zh") or name
    aim = math.nan if direction is None or direction.target is None else direction.target
    good = (direction.interval if direction else None) or (aim, aim)
    return {
        "node": name,
        "parent": parent["node"] if parent else "",
        "level": parent["level"] + 1 if parent else 0,
        "label_en": english,
        "label_zh": labels.get("zh") or english,
        "is_leaf": leaf,
        "direction": direction.kind if direction else "",
        "target": aim,
        "good_low": good[0],
        "good_high": good[1],
        "values": direction.nominal if direction else None,
        "scale_low": scale[0],
        "scale_high": scale[1],
        "unit": node.unit if isinstance(node, _Node) else "",
        "column": (node.column or name) if isinstance(node, _Node) and leaf else "",
        "rule": "" if leaf else node.rule,
        # inherited together: another evidence grade means another source
        "source": node.source or (parent["source"] if parent and not node.evidence else ""),
        "evidence": node.evidence or (parent["evidence"] if parent else ""),
        "direction_evidence": (direction.evidence or "") if direction else "",
    }


def _collect(
    source: Source,
    above: _Document | _Node,
    at: Location,
    rows: list[dict[str, Any]],
    seen: dict[str, int],
) -> None:
    """Add the nodes below the last row, depth first."""
    parent = rows[-1]
    for name, node in (above.children or {}).items():
        here = (*at, "children", name)
        if name in seen:
            raise source.error(
                here,
                message("refusals.name_taken", name=name, line=seen[name]),
                message("refusals.rename_one"),
            )
        if not name.strip() or "|" in name or name != name.strip() or name[0] in "=+-@":
            raise source.error(
                here,
                message("refusals.cannot_be_a_name", name=name),
                message("refusals.cannot_be_a_name_remedy"),
            )
        seen[name] = source.line(here)
        values = (node.direction.nominal or {}).values() if node.direction else ()
        if above.rule == "gate" and set(values) != {0.0, 1.0}:
            raise source.error(
                here,
                f"{name!r} stands under a gate but is not pass or fail",
                "Write direction: {nominal: {pass: 1, fail: 0}} with your own category names.",
            )
        labels = {"en": node.en or "", "zh": node.zh or ""}
        rows.append(_row(name, labels, node, parent))
        if node.children is not None:
            _collect(source, node, here, rows, seen)
