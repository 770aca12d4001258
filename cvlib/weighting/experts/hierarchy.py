"""Local weights multiplied down an indicator tree, and what its shape does to them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cvlib.weighting.tree import Tree
from cvlib.words.message import message


def global_weights(tree: Tree, local: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Multiply local weights (by node: (..., children)) down the tree; the root has 1."""
    found: dict[str, np.ndarray] = {tree.name: np.asarray(1.0)}
    for node, children in tree.compared.items():
        for position, child in enumerate(children):
            share = local[node][..., position] if len(children) > 1 else np.asarray(1.0)
            found[child] = found[node] * share
    return found


def weights_table(tree: Tree, method: str, local: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Local and global weights of one set of judgements, without an interval."""
    overall = global_weights(tree, local)
    rows = [
        [child, node, f"ahp_{method}", float(overall[child]) / float(overall[node]),
         float(overall[child]), np.nan, np.nan]
        for node, children in tree.compared.items()
        for child in children
    ]  # fmt: skip
    columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
    return pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high"])


def total_consistency(checks: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Σ w CI / Σ w RI over the nodes of each expert, w the global weight of the node."""
    found = {}
    for expert, rows in checks.groupby("expert", sort=False):
        own = weights[weights["expert"] == expert].set_index("indicator")["global_weight"]
        share = rows["node"].map(lambda node, own=own: own.get(node, 1.0))
        room = (share * rows["ri"]).sum()
        found[expert] = (share * rows["ci"]).sum() / room if room > 1e-9 else 0.0
    return pd.DataFrame({"expert": list(found), "cr_total": list(found.values())})


def branch_warnings(tree: Tree) -> tuple[str, ...]:
    """Say where branches of unequal size thin out the weights of their leaves."""
    found = []
    for node, children in tree.compared.items():
        sizes = {child: _leaves_below(tree, child) for child in children if child in tree.compared}
        if len(set(sizes.values())) > 1:
            branches = [
                message("weighting.branch_size", node=child, leaves=size)
                for child, size in sizes.items()
            ]
            found.append(message("weighting.branches_differ", node=node, branches=branches))
    return tuple(found)


def _leaves_below(tree: Tree, node: str) -> int:
    if node not in tree.compared:
        return 1
    return sum(_leaves_below(tree, child) for child in tree.compared[node])
