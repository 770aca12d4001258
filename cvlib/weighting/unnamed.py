"""The tree of a table for which none is named: the shipped one whose indicators the table holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.inputs.shipped import shipped_yaml
from cvlib.weighting.table import KINDS
from cvlib.weighting.tree import Tree, available_trees, load_tree, tree_file
from cvlib.words.message import message

LOG = "rfm"  # what a transaction log gives


def find_tree(
    data: pd.DataFrame | Table,
    tree: str = "",
    mapping: Mapping[str, str] | None = None,
    *,
    kind: str = "auto",
    date: str = "date",
) -> Tree:
    """The tree that is named, or the shipped one whose indicators are all columns of the table.

    Parameters
    ----------
    data : pandas.DataFrame or Table
        The table as read.
    tree : str
        A shipped name or a ``.yaml`` file; empty: looked for.
    mapping : mapping of indicator to column, optional
        Columns of other names.
    kind : {"auto", "transactions", "indicators"}
        What the table holds (see `table_kind`): of transactions, recency, frequency and monetary
        value are made.
    date : str
        Column of the purchase date: a table that has it, and fits no tree, is a transaction log.

    Returns
    -------
    Tree
        Of several that fit, the one with most indicators.

    Raises
    ------
    InputError
        Columns that fit no tree, naming the nearest and what it lacks; or several equally well.

    Examples
    --------
    >>> import cvlib as cv, pandas as pd
    >>> shops = pd.DataFrame({"recency": [3, 9], "frequency": [4, 1], "monetary": [8, 1]})
    >>> cv.weighting.find_tree(shops).name
    'rfm'
    """
    if tree:
        return load_tree(tree)
    if one_of("kind", kind, KINDS) == "transactions":
        return load_tree(LOG)
    table = data if isinstance(data, Table) else Table(data)
    given, renamed = {str(column) for column in table.data.columns}, dict(mapping or {})
    absent, size = {}, {}
    for name in available_trees():
        columns = [renamed.get(leaf, column) for leaf, column in shipped_columns(name).items()]
        size[name] = len(columns)
        absent[name] = [column for column in columns if column not in given]
    fit = [name for name in absent if not absent[name]]
    most = [name for name in fit if size[name] == max(size[each] for each in fit)]
    if len(most) == 1:
        return load_tree(most[0])
    remedy = message("weighting.name_the_tree")
    if most:
        raise InputError(table.source, message("weighting.several_trees", trees=most), remedy)
    if date in given and kind == "auto":
        return load_tree(LOG)
    near = max(absent, key=lambda name: 1 - len(absent[name]) / size[name])
    facts = {"tree": near, "held": size[near] - len(absent[near]), "of": size[near]}
    raise InputError(
        table.source, message("weighting.no_tree", absent=absent[near][:3], **facts), remedy
    )


def shipped_columns(name: str) -> dict[str, str]:
    """Leaf and column of every indicator of a shipped tree, without checking the tree.

    Parameters
    ----------
    name : str
        One of `available_trees`.

    Returns
    -------
    dict of str to str
        In the order of the file.
    """
    one_of("tree", name, available_trees())
    found: dict[str, str] = {}
    below: list[dict[str, Any]] = [shipped_yaml(tree_file(name).read_text("utf-8"))["children"]]
    while below:
        nodes = below.pop(0)
        found |= {n: node.get("column", n) for n, node in nodes.items() if "children" not in node}
        below += [node["children"] for node in nodes.values() if "children" in node]
    return found
