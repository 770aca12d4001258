"""Notebooks 04 and 05 run on a table of every shipped tree, without experts, and have an answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.study.batch import read_study, run_study
from cvlib.weighting.tree import Tree

NOTHING_TO_WEIGH = {"crm_maturity"}  # the whole tree is one minimum
STUDY = """title: {tree}
runs:
  - {{notebook: "04", parameters: {{data: table.csv, tree: {tree}, judgements: "", draws: 0,
      starts: 0, kind: indicators, outcome: later}}}}
  - {{notebook: "05", parameters: {{data: table.csv, tree: {tree}, weighting: {weighting},
      judgements: "", weight_draws: 50, leavers: 3, kind: indicators, outcome: ""}}}}
"""


def made_up(tree: Tree, customers: int = 60) -> pd.DataFrame:
    """A customer per row, every indicator spread over its scale."""
    rng = np.random.default_rng(7)
    columns: dict[str, object] = {"customer_id": [f"c{i}" for i in range(customers)]}
    for leaf in tree.nodes[tree.nodes["is_leaf"]].to_dict("records"):
        low, high = leaf["scale_low"], leaf["scale_high"]
        known = np.isfinite([low, high]).all()
        drawn = rng.uniform(low, high, customers) if known else rng.gamma(2, 20, customers)
        columns[leaf["column"] if isinstance(leaf["column"], str) else leaf["node"]] = drawn
    return pd.DataFrame({**columns, "later": rng.gamma(2, 10, customers)})


@pytest.mark.slow
@pytest.mark.parametrize("tree", cv.weighting.available_trees())
def test_every_shipped_tree_is_weighted_and_scored_by_data_alone(tree: str, tmp_path: Path) -> None:
    table = made_up(cv.weighting.load_tree(tree))
    table.to_csv(tmp_path / "table.csv", index=False)
    weighting = "equal" if tree in NOTHING_TO_WEIGH else "entropy_minmax"
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.format(tree=tree, weighting=weighting), encoding="utf-8")
    weights, scores = run_study(read_study(study), tmp_path / "reports")
    assert scores.run and not scores.reason
    if tree in NOTHING_TO_WEIGH:
        assert not weights.run and "fewer than two weight-carrying indicators" in weights.reason
    else:
        assert weights.run and not weights.reason
