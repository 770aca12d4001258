"""Indicator values of customers, on a common 0 to 1 scale on which more is always better."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.weighting.tree import Tree

MISSING = ("available", "listwise", "median")


class Plan(NamedTuple):
    """Leaves with direction and target, inner nodes with rule and children, items."""

    leaves: tuple[str, ...]
    kind: np.ndarray
    target: np.ndarray
    inner: dict[str, tuple[str, tuple[str, ...]]]
    items: tuple[str, ...]

    def distance(self, x: np.ndarray, j: int) -> np.ndarray:
        """A leaf's column, or its distance from the target."""
        return np.abs(x[:, j] - self.target[j]) if self.kind[j] == "target" else x[:, j]


@dataclass(frozen=True, eq=False)
class Indicators:
    """The leaves of a tree, measured for each customer.

    Attributes
    ----------
    tree : Tree
    values : pandas.DataFrame
        Customers by leaves in the tree's order, numeric; categories replaced by their values.
    left_out : pandas.DataFrame
        reason, count, share: customers left out and cells missing or filled.
    warnings : tuple of str
    """

    tree: Tree
    values: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...]

    @cached_property
    def items(self) -> tuple[str, ...]:
        """What carries weight: leaves and minimum nodes (the root where the root is a minimum)."""
        return self.tree.weighted or (self.tree.name,)

    @cached_property
    def plan(self) -> Plan:
        """The tree in the form the arithmetic needs, looked up once."""
        tree = self.tree
        leaves = tree.nodes.set_index("node").loc[list(tree.leaves)]
        inner = {
            node: (tree.rule(node), tuple(c for c in below if tree.rule(c) != "gate"))
            for node, below in tree.children.items()
        }
        kind, target = leaves["direction"].to_numpy(str), leaves["target"].to_numpy(float)
        return Plan(tuple(leaves.index), kind, target, inner, self.items)

    @cached_property
    def ratio_scaled(self) -> np.ndarray:
        """Which items keep their raw value: benefit and cost leaves."""
        kinds = self.tree.directions.reindex(self.items).fillna("").to_numpy()
        return np.isin(kinds, ["benefit", "cost"])

    @cached_property
    def is_cost(self) -> np.ndarray:
        """Which items are costs."""
        return (self.tree.directions.reindex(self.items) == "cost").to_numpy()


@dataclass(frozen=True, eq=False)
class Bounds:
    """Reference bounds, kept so that later customers do not move earlier ones.

    Attributes
    ----------
    table : pandas.DataFrame
        indicator, direction, target, low, high: the smallest and largest value (benefit, cost);
        0 and the largest distance from the target (target); 0 and 1 (nominal).
    warnings : tuple of str
    """

    table: pd.DataFrame
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Normalised:
    """Customers by items on the 0 to 1 scale.

    Attributes
    ----------
    values : pandas.DataFrame
        Customers by weight-carrying items; 1 is best.
    gates : pandas.DataFrame
        Customers by gates, True where passed (an unknown gate is not passed); no columns where
        the tree has no gate.
    clipped : pandas.DataFrame
        indicator, below, above: customers outside the reference bounds, set to the bound.
    bounds : Bounds
    warnings : tuple of str
    """

    values: pd.DataFrame
    gates: pd.DataFrame
    clipped: pd.DataFrame
    bounds: Bounds
    warnings: tuple[str, ...]

    @property
    def vetoed(self) -> pd.Series:
        """True for customers who fail a gate."""
        return ~self.gates.all(axis=1)

    def complete(self) -> np.ndarray:
        """The values as an array, refused where any is missing."""
        z = self.values.to_numpy()
        empty = int(np.isnan(z).any(axis=1).sum())
        if empty:
            raise InputError(
                "the indicator table",
                f"{empty} of {len(z)} customers have a missing indicator and cannot be scored",
                "Set missing to 'listwise' (leave them out, counted) or 'median' (fill in).",
            )
        return z


def table_kind(data: pd.DataFrame, tree: Tree, kind: str = "auto", date: str = "date") -> str:
    """Say whether a table holds transactions or one row of indicators per customer.

    Parameters
    ----------
    data : pandas.DataFrame
        The table as read.
    tree : Tree
        The tree whose leaves are looked for.
    kind : {"auto", "transactions", "indicators"}
        ``auto`` takes a table with a column for every leaf as indicators, one without but with a
        date as transactions.
    date : str
        Column of the purchase date.

    Returns
    -------
    str
    """
    if kind in ("transactions", "indicators"):
        return kind
    if kind != "auto":
        known = ["auto", "transactions", "indicators"]
        raise InputError(f"parameter kind = {kind!r}", "is not known", nearest(kind, known))
    absent = [column for column in tree.columns if column not in data.columns]
    if not absent:
        return "indicators"
    if date in data.columns:
        return "transactions"
    raise InputError(
        "the table",
        f"has neither a column for every leaf of tree {tree.name!r} (no {absent[0]!r}) nor a date "
        f"column {date!r}",
        "Set kind to 'transactions' or 'indicators' to be told what is missing.",
    )


def read_indicators(
    data: pd.DataFrame, tree: Tree, *, customer: str = "", missing: str = "available"
) -> Indicators:
    """Check a table of customers against a tree.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per customer, with a column for each leaf (``tree.columns``).
    tree : Tree
        Which columns to read and what they mean.
    customer : str
        Column with the customer's identifier; empty: the table's index.
    missing : {"available", "listwise", "median"}
        Keep empty cells and use what is there, column by column; leave customers with an empty
        cell out; or fill with the column's median (categories: with the commonest value).

    Returns
    -------
    Indicators

    Raises
    ------
    InputError
        A missing, textual, infinite or entirely empty column, an unknown category, a customer
        listed twice, fewer than two customers.
    """
    if missing not in MISSING:
        raise InputError(
            f"parameter missing = {missing!r}", "is not known", nearest(missing, list(MISSING))
        )
    index = data.index if not customer else pd.Index(_column(data, customer, "customer"))
    if index.has_duplicates or index.hasnans:
        twice = index[index.duplicated()]
        fault = f"customer {twice[0]!r} stands in several rows" if len(twice) else "has empty cells"
        raise InputError(
            customer or "the index", fault, "The table needs one row per customer, each named."
        )
    nodes = tree.nodes.set_index("node")
    array = np.empty((len(data), len(tree.leaves)), order="F")
    for j, leaf in enumerate(tree.leaves):
        raw = _column(data, str(nodes.at[leaf, "column"]), f"leaf {leaf!r}")
        array[:, j] = _numbers(raw, leaf, nodes.at[leaf, "values"])
    values = pd.DataFrame(array, index=index, columns=list(tree.leaves), copy=False)
    empty = np.isnan(array)
    rows, cells = empty.any(axis=1), int(empty.sum())
    if missing == "listwise":
        reason, count = "customer with a missing indicator", int(rows.sum())
        values = values[~rows] if count else values
    elif missing == "median":
        fill = {leaf: _middle(values[leaf], nodes.at[leaf, "direction"]) for leaf in tree.leaves}
        reason, count = "missing value filled with the median", cells
        values = values.fillna(fill) if cells else values
    else:
        reason, count = "missing value, column computed without it", cells
    if len(values) < 2:
        raise InputError(
            "the indicator table",
            f"{len(values)} customers remain of {len(data)}",
            "Weights and scores compare customers: two or more are needed.",
        )
    # Rows are the base when customers go, cells when values are missing or filled.
    base = len(data) if missing == "listwise" else empty.size
    left_out = pd.DataFrame([[reason, count, count / base]], columns=["reason", "count", "share"])
    warnings = (f"{count} x {reason}.",) if count else ()
    return Indicators(tree, values, left_out[left_out["count"] > 0], tree.warnings + warnings)


def fit_bounds(indicators: Indicators) -> Bounds:
    """Take reference bounds from the customers at hand.

    Parameters
    ----------
    indicators : Indicators
        The customers who set the bounds.

    Returns
    -------
    Bounds
        A constant indicator is named in the warnings; it normalises to 0 for everybody.
    """
    plan = indicators.plan
    low, high = raw_bounds(indicators.values.to_numpy(), plan)
    table = pd.DataFrame({"indicator": plan.leaves, "direction": plan.kind, "target": plan.target})
    table["low"], table["high"] = low, high
    constant = table.loc[table["low"] == table["high"], "indicator"]
    return Bounds(table, tuple(f"{leaf!r} is the same for every customer." for leaf in constant))


def normalise(indicators: Indicators, bounds: Bounds | None = None) -> Normalised:
    """Put every item on the 0 to 1 scale.

    Benefit (x − min)/(max − min); cost (max − x)/(max − min); target 1 − abs(x − t)/max abs(x − t);
    category: its value. A minimum node takes the smallest of its children; weighted nodes below a
    minimum take the plain mean of theirs.

    Parameters
    ----------
    indicators : Indicators
        The customers to put on the scale.
    bounds : Bounds, optional
        Frozen reference bounds; without them, those of the customers at hand.

    Returns
    -------
    Normalised

    References
    ----------
    Hwang, C.-L. & Yoon, K. (1981). Multiple Attribute Decision Making. Springer, ch. 2.
    """
    frozen = bounds is not None
    bounds = bounds or fit_bounds(indicators)
    tree, table = indicators.tree, bounds.table
    if list(table["indicator"]) != list(tree.leaves):
        raise InputError(
            "the reference bounds", "belong to another tree", "Fit the bounds with the same tree."
        )
    x = indicators.values.to_numpy()
    low, high = table["low"].to_numpy(float), table["high"].to_numpy(float)
    outside = []
    for j, leaf in enumerate(tree.leaves if frozen else ()):
        column = indicators.plan.distance(x, j)
        under, over = np.count_nonzero(column < low[j]), np.count_nonzero(column > high[j])
        if under or over:
            outside.append((leaf, under, over))
    clipped = pd.DataFrame(outside, columns=["indicator", "below", "above"])
    z = unit_scale(x, indicators.plan, low, high)
    values = pd.DataFrame(z, index=indicators.values.index, columns=list(indicators.items))
    gates = pd.DataFrame(index=values.index)
    for node, below in tree.children.items():
        if tree.rule(node) == "gate":
            gates[node] = (indicators.values[list(below)] == 1).all(axis=1)
    warnings = [
        f"{row.below + row.above} customers lie outside the reference bounds of "
        f"{row.indicator!r} and were set to the bound."
        for row in clipped.itertuples()
    ]
    return Normalised(values, gates, clipped, bounds, bounds.warnings + tuple(warnings))


def raw_bounds(x: np.ndarray, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of each leaf, from an array of customers by leaves (array part of `fit_bounds`)."""
    low, high = np.zeros(x.shape[1]), np.ones(x.shape[1])
    for j, kind in enumerate(plan.kind):
        if kind != "nominal":
            column = plan.distance(x, j)
            low[j] = 0.0 if kind == "target" else np.nanmin(column)
            high[j] = np.nanmax(column)
    return low, high


def unit_scale(x: np.ndarray, plan: Plan, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Customers by items on the 0 to 1 scale (array part of `normalise`)."""
    position = {leaf: j for j, leaf in enumerate(plan.leaves)}

    def value(node: str) -> np.ndarray:
        if node not in position:
            rule, below = plan.inner[node]
            parts = np.column_stack([value(child) for child in below])
            return parts.min(axis=1) if rule == "minimum" else parts.mean(axis=1)
        j = position[node]
        span = high[j] - low[j]
        if span <= 0:
            return np.where(np.isnan(x[:, j]), np.nan, 0.0)
        z = (plan.distance(x, j) - low[j]) / span
        np.clip(z, 0, 1, out=z)
        return 1 - z if plan.kind[j] in ("cost", "target") else z

    out = np.empty((len(x), len(plan.items)), order="F")
    for j, name in enumerate(plan.items):
        out[:, j] = value(name)
    return out


def _column(data: pd.DataFrame, name: str, what: str) -> pd.Series:
    if name not in data.columns:
        raise InputError(
            f"the table, {what}",
            f"there is no column {name!r}",
            nearest(name, [str(column) for column in data.columns]),
        )
    return data[name]


def _numbers(raw: pd.Series, leaf: str, categories: dict[object, float] | None) -> np.ndarray:
    """A leaf's column as numbers; categories by their values."""
    where = f"column {raw.name!r} (leaf {leaf!r})"
    if categories:
        known = {str(category): value for category, value in categories.items()}
        text = [_as_text(cell) for cell in raw]
        strange = sorted(set(text) - set(known) - {""})
        if strange:
            raise InputError(
                where,
                f"{strange[0]!r} has no value in the tree",
                f"Give it one, or correct the cell. Known: {', '.join(known)}.",
            )
        numbers = np.array([known.get(cell, np.nan) for cell in text])
    else:
        numbers = _parsed(raw, where)
    known_cells = np.isfinite(numbers)
    if not known_cells.all():
        if np.isinf(numbers).any():
            raise InputError(where, "holds an infinite value", "Correct the cell or empty it.")
        if not known_cells.any():
            raise InputError(where, "is empty for every customer", "Leave it out of the tree.")
    return numbers


def _parsed(raw: pd.Series, where: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(raw):
        return raw.to_numpy(float, na_value=np.nan)
    parsed = pd.to_numeric(raw, errors="coerce")
    wrong = raw.notna() & parsed.isna()
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        raise InputError(
            where,
            f"row {at + 1} holds {raw.iloc[at]!r}, not a number",
            "Correct the cell, or empty it so that it counts as missing.",
        )
    return parsed.to_numpy(float, na_value=np.nan)


def _as_text(cell: Any) -> str:
    """A category as written in a tree: 1.0 read from a table is the category 1; "" if empty."""
    if pd.isna(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _middle(column: pd.Series, direction: object) -> float:
    return float(column.mode().iloc[0] if direction == "nominal" else column.median())
