"""One row of indicators per customer: read, checked against a tree, in the tree's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.columns import money
from cvlib.inputs.errors import InputError, nearest, shorten
from cvlib.inputs.readers import Table
from cvlib.inputs.summary_rows import without_summaries
from cvlib.weighting.tree import Tree
from cvlib.words.message import joined, message

NEAR = ("target", "interval")  # directions by which a value is best near some other
KINDS = ("auto", "transactions", "indicators")
PANEL, PANEL_CUSTOMER = "customer_period", "panel_customer"  # names of a panel's rows and customers
MISSING = ("available", "listwise", "median")


class Plan(NamedTuple):
    """Leaves with direction, best values and scale, inner nodes with rule and children, items."""

    leaves: tuple[str, ...]
    kind: np.ndarray
    good: np.ndarray
    scale: np.ndarray
    inner: dict[str, tuple[str, tuple[str, ...]]]
    items: tuple[str, ...]

    def distance(self, x: np.ndarray, j: int) -> np.ndarray:
        """A leaf's column, or its distance from the target or the interval of best values."""
        return self.away(x[:, j], j) if self.kind[j] in NEAR else x[:, j]

    def away(self, values: np.ndarray, j: int) -> np.ndarray:
        """How far values of a leaf lie from its best ones."""
        low, high = self.good[j]
        return np.asarray(np.maximum(np.maximum(low - values, values - high), 0.0))


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
    rows : pandas.DataFrame
        All columns of the table, by customer: where an outcome is looked for.
    """

    tree: Tree
    values: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...]
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def panel(self) -> int:
        """How many customers the rows of a panel are; 0 where every row is a customer."""
        if self.values.index.name != PANEL:
            return 0
        return int(self.rows.loc[self.values.index, PANEL_CUSTOMER].nunique())

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
        kind = leaves["direction"].to_numpy(str)
        good = leaves[["good_low", "good_high"]].to_numpy(float)
        scale = leaves[["scale_low", "scale_high"]].to_numpy(float)
        return Plan(tuple(leaves.index), kind, good, scale, inner, self.items)

    @cached_property
    def ratio_scaled(self) -> np.ndarray:
        """Which items keep their raw value: benefit and cost leaves."""
        kinds = self.tree.directions.reindex(self.items).fillna("").to_numpy()
        return np.isin(kinds, ["benefit", "cost"])

    @cached_property
    def is_cost(self) -> np.ndarray:
        """Which items are costs."""
        return (self.tree.directions.reindex(self.items) == "cost").to_numpy()


def table_kind(
    data: pd.DataFrame | Table, tree: Tree, kind: str = "auto", date: str = "date",
    mapping: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Say whether a table holds transactions or one row of indicators per customer.

    Parameters
    ----------
    data : pandas.DataFrame or Table
        The table as read.
    tree : Tree
        The tree whose leaves are looked for.
    kind : {"auto", "transactions", "indicators"}
        ``auto`` takes a table with a column for every leaf as indicators, one without but with a
        date as transactions.
    date : str
        Column of the purchase date.
    mapping : mapping of leaf to column, optional
        Where the columns have other names than the tree says.

    Returns
    -------
    str
    """
    table = data if isinstance(data, Table) else Table(data)
    if one_of("kind", kind, KINDS) != "auto":
        return kind
    wanted = _mapped(tree, mapping or {}).values()
    absent = [column for column in wanted if column not in table.data.columns]
    if not absent:
        return "indicators"
    if date in table.data.columns:
        return "transactions"
    raise InputError(
        table.source,
        message("refusals.neither_leaves_nor_dates", tree=tree.name, leaf=absent[0], date=date),
        joined([message("refusals.neither_leaves_nor_dates_remedy"), table.elsewhere]),
    )


def read_indicators(
    data: pd.DataFrame | Table,
    tree: Tree,
    *,
    customer: str = "",
    missing: str = "available",
    mapping: Mapping[str, str] | None = None,
) -> Indicators:
    """Check a table of customers against a tree.

    Parameters
    ----------
    data : pandas.DataFrame or Table
        One row per customer, with a column for each leaf (``tree.columns``).
    tree : Tree
        Which columns to read and what they mean.
    customer : str
        Column with the customer's identifier; empty: the table's index.
    missing : {"available", "listwise", "median"}
        Keep empty cells and use what is there, column by column; leave customers with an empty
        cell out; or fill with the column's median (categories: with the commonest value).
    mapping : mapping of leaf to column, optional
        Where the columns have other names than the tree says.

    Returns
    -------
    Indicators

    Raises
    ------
    InputError
        A missing, textual, infinite or entirely empty column, a value beyond a stated scale, an
        unknown category, a customer listed twice, no customer, or only one where an indicator is
        measured by the range of the customers.
    """
    one_of("missing", missing, MISSING)
    columns = _mapped(tree, mapping or {})
    given = data if isinstance(data, Table) else Table(data)
    table = without_summaries(given, list(columns.values()))
    frame = table.data
    index = frame.index if not customer else pd.Index(_column(table, customer, "the customer"))
    if index.has_duplicates or index.hasnans:
        twice = index[index.duplicated()]
        fault = (
            message("refusals.customer_in_several_rows", customer=str(twice[0]))
            if len(twice)
            else message("refusals.has_empty_cells")
        )
        raise InputError(
            table.place(customer) if customer else "the index", fault,
            message(f"refusals.one_row_per_customer{'_or_period' if len(twice) else ''}"),
        )  # fmt: skip
    nodes = tree.nodes.set_index("node")
    array = np.empty((len(frame), len(tree.leaves)), order="F")
    notes: list[str] = []
    for j, leaf in enumerate(tree.leaves):
        raw = _column(table, columns[leaf], f"leaf {leaf!r}")
        array[:, j] = _numbers(table, raw, leaf, nodes.loc[leaf], notes)
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
    _check_enough(values, tree, len(frame))
    # Rows are the base when customers go, cells when values are missing or filled.
    base = len(frame) if missing == "listwise" else empty.size
    left_out = pd.DataFrame([[reason, count, count / base]], columns=["reason", "count", "share"])
    counted = (message(f"weighting.missing_{missing}", count=count),) if count else ()
    told = [note for note in table.warnings if note not in given.warnings]
    warnings = (*tree.warnings, *told, *notes, *counted)
    kept = left_out[left_out["count"] > 0]
    return Indicators(tree, values, kept, warnings, frame.set_axis(index))


def _mapped(tree: Tree, mapping: Mapping[str, str]) -> dict[str, str]:
    """The column of every leaf, those of `mapping` in place of the tree's."""
    for leaf in mapping:
        if leaf not in tree.leaves:
            raise InputError(
                f"parameter mapping: {leaf!r}",
                message("refusals.not_an_indicator", tree=tree.name),
                nearest(str(leaf), list(tree.leaves)),
            )
    return {**tree.columns.to_dict(), **{leaf: str(column) for leaf, column in mapping.items()}}


def _check_enough(values: pd.DataFrame, tree: Tree, rows: int) -> None:
    """Refuse what cannot be scaled: nobody, or one customer where a range is needed."""
    leaves = tree.nodes[tree.nodes["is_leaf"]]
    ranged = leaves.loc[leaves["scale_low"].isna() & (leaves["direction"] != "nominal"), "node"]
    if len(values) == 0 or (len(values) == 1 and len(ranged)):
        wanted = message("refusals.one_customer_needed")
        if len(ranged):
            wanted = message("refusals.two_customers_needed", leaf=str(ranged.iloc[0]))
        raise InputError(
            "the indicator table",
            message("refusals.customers_remain", left=len(values), rows=rows), wanted,
        )  # fmt: skip


def _column(table: Table, name: str, what: str) -> pd.Series:
    if name not in table.data.columns:
        near = nearest(name, [str(column) for column in table.data.columns])
        place = "customer" if what == "the customer" else "mapping"
        raise InputError(
            f"{table.source}, {what}", message("refusals.there_is_no_column", name=name),
            joined([near, table.elsewhere, message("refusals.name_the_column_in", place=place)]),
        )  # fmt: skip
    return table.data[name]


def _numbers(
    table: Table, raw: pd.Series, leaf: str, node: pd.Series, notes: list[str]
) -> np.ndarray:
    """A leaf's column as numbers, within its scale; categories by their values."""
    where = f"{table.place(str(raw.name))} (leaf {leaf!r})"
    if node["values"]:
        known = {str(category): value for category, value in node["values"].items()}
        text = [_as_text(cell) for cell in raw]
        strange = sorted(set(text) - set(known) - {""})
        if strange:
            raise InputError(
                where,
                message("refusals.category_without_value", category=strange[0]),
                message("refusals.category_without_value_remedy", known=", ".join(known)),
            )
        numbers = np.array([known.get(cell, np.nan) for cell in text])
    else:
        numbers = _parsed(table, raw, leaf, notes)
    known_cells = np.isfinite(numbers)
    if not known_cells.all():
        if np.isinf(numbers).any():
            raise InputError(where, message("refusals.infinite_value"),
                             message("refusals.correct_the_cell_or_empty_it"))  # fmt: skip
        if not known_cells.any():
            raise InputError(
                where,
                message("refusals.is_empty_for_every_customer"),
                message("refusals.leave_it_out_of_the_tree"),
            )
    low, high = node["scale_low"], node["scale_high"]
    if np.isfinite(low) and len(numbers):
        beyond = (numbers < low) | (numbers > high)
        if beyond.any():
            at = int(beyond.argmax())
            raise InputError(
                _row(table, raw, at),
                message(
                    "refusals.beyond_scale_of_leaf" + "_more" * bool(beyond.sum() > 1),
                    value=numbers[at],
                    low=low,
                    high=high,
                    leaf=leaf,
                    more=int(beyond.sum()) - 1,
                ),
                message("refusals.beyond_scale_of_leaf_remedy"),
            )
        largest = np.nanmax(numbers)
        if high == 100 and low == 0 and 0 < largest <= 1:
            notes.append(message("weighting.shares_not_percentages", indicator=leaf))
    return numbers


def _parsed(table: Table, raw: pd.Series, leaf: str, notes: list[str]) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(raw):
        return raw.to_numpy(float, na_value=np.nan)
    text = raw.astype("str").str.strip() if raw.dtype == object else raw
    percent = text.str.endswith(("%", "\uff05")).fillna(False).astype(bool)
    if percent.any():
        plain = raw.notna() & ~percent
        if plain.any():
            at = int(plain.to_numpy().argmax())
            raise InputError(
                _row(table, raw, at),
                message("refusals.no_percent_sign", cell=shorten(raw.iloc[at])),
                message("refusals.no_percent_sign_remedy"),
            )
        notes.append(message("weighting.percent_text", indicator=leaf))
        text = text.str.rstrip("%\uff05").str.strip()
    parsed = pd.to_numeric(text, errors="coerce")
    wrong = raw.notna() & parsed.isna()
    if wrong.any() and not percent.any():
        amounts = _money(table, raw, notes, int(wrong.sum()))
        if amounts is not None:
            return amounts
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        raise InputError(
            _row(table, raw, at),
            message("refusals.holds_not_a_number_leaf", cell=shorten(raw.iloc[at]), leaf=leaf),
            message("refusals.correct_the_cell_or_empty_it_so"),
        )
    return parsed.to_numpy(float, na_value=np.nan)


def _money(table: Table, raw: pd.Series, notes: list[str], wrong: int) -> np.ndarray | None:
    """Amounts written with a currency, in brackets or in 万; None where none of `wrong` is one."""
    told: list[str] = []
    try:
        amounts = money(table, str(raw.name), told)
    except InputError as error:
        if len(error.rows) >= wrong:
            return None
        remedy = message("refusals.correct_the_cell_or_empty_it_so")
        raise InputError(error.where, error.wrong, remedy if error.rows else error.remedy) from None
    notes += told
    return amounts.to_numpy(float)


def _row(table: Table, raw: pd.Series, at: int) -> str:
    """The place of a row by its position, whatever the index holds."""
    where = raw.index[at]
    return table.place(str(raw.name), int(where) if isinstance(where, int | np.integer) else at)


def _as_text(cell: Any) -> str:
    """A category as written in a tree: 1.0 read from a table is the category 1; "" if empty."""
    if pd.isna(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _middle(column: pd.Series, direction: object) -> float:
    return float(column.mode().iloc[0] if direction == "nominal" else column.median())
