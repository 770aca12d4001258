"""Every shipped tree by every weighting, from judgements and a table to scores and grades."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.study.batch import read_study, run_study
from cvlib.weighting.choice import COMBINED
from cvlib.weighting.data import importance
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
        if leaf["values"]:
            columns[leaf["column"]] = rng.choice([str(v) for v in leaf["values"]], customers)
            continue
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


EXPERTS = ("ahp_eigenvector", "ahp_geometric_mean", "ahp_column_mean")
WEIGHTINGS = ("equal", *EXPERTS, *importance.METHODS, *COMBINED, "learned")
RATIOS = (
    "merec",
    "entropy_sum",
    "coefficient_of_variation",
)  # refuse, by name, what is no positive benefit or cost
FAST = ("rfm", "bank", "service_quality")
WEIGHED = sorted(set(cv.weighting.available_trees()) - NOTHING_TO_WEIGH)


def judged(tree: Tree) -> dict[str, float]:
    """Complete and nearly consistent judgements on every node."""
    rng = np.random.default_rng(11)
    pairs = {}
    for below in tree.compared.values():
        own = rng.uniform(1, 3, len(below))
        for i, a in enumerate(below):
            for j, b in enumerate(below[i + 1 :], start=i + 1):
                ratio = own[i] / own[j]
                whole = float(round(ratio if ratio >= 1 else 1 / ratio))
                pairs[f"{a}|{b}"] = whole if ratio >= 1 else 1 / whole
    return pairs


@pytest.mark.parametrize(
    "name",
    [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in WEIGHED],
)
def test_every_weighting_of_every_tree_scores_everybody(name: str) -> None:
    tree = cv.weighting.load_tree(name)
    table = made_up(tree, 40)
    customers = cv.weighting.indicators(table, tree)
    expert = cv.weighting.read_judgements(tree, judged(tree))
    plain = customers.ratio_scaled.all() and (customers.values >= 0).all(axis=None)
    for weighting in WEIGHTINGS:
        try:
            chosen = cv.weighting.choose_weights(
                customers, weighting, expert, outcome=table.set_index("customer_id")["later"]
            )
        except InputError as error:
            assert weighting in RATIOS and not plain and "weighting method" in str(error)
            continue
        weights = cv.weighting.wide_weights(chosen.weights, customers.items)[chosen.method]
        assert weights.sum() == pytest.approx(1), weighting
        scored = cv.weighting.score_all(customers, weights, ["weighted_sum"])
        assert not scored.scores.isna().any(axis=None), weighting
        parts = chosen.weights.groupby("parent")["global_weight"].sum()
        nodes = chosen.weights.set_index("indicator")["global_weight"]
        for parent in parts.index.intersection(nodes.index):  # a tree adds up
            assert parts[parent] == pytest.approx(nodes[parent]), (weighting, parent)


@pytest.mark.slow
@pytest.mark.parametrize("name", WEIGHED)
def test_every_weighting_of_every_tree_runs_by_the_command_line(name: str, tmp_path: Path) -> None:
    tree = cv.weighting.load_tree(name)
    made_up(tree).to_csv(tmp_path / "table.csv", index=False)
    document = {"name": "mine", "tree": name, "experts": {"anna": judged(tree)}}
    (tmp_path / "experts.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    shared = {
        "data": "table.csv", "tree": name, "judgements": "experts.yaml", "kind": "indicators",
        "outcome": "later",
    }  # fmt: skip
    runs = [
        {"notebook": "04", "parameters": {**shared, "draws": 0, "starts": 0, "fuzzy": "buckley"}},
        {
            "notebook": "05",
            "parameters": {**shared, "weight_draws": 20, "leavers": 0, "variants": True},
            "grid": {"weighting": list(WEIGHTINGS)},
        },
    ]
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({"title": name, "runs": runs}), encoding="utf-8")
    done = run_study(read_study(study), tmp_path / "reports")
    assert len(done) == 1 + len(WEIGHTINGS)
    # what is no ratio, or negative, has no sum entropy and no MEREC, and the run says why
    refused = [run.reason for run in done if run.reason]
    assert all("weighting method" in why for why in refused) and len(refused) <= len(RATIOS)
    (weights,) = (tmp_path / "reports" / "04_indicator_weights").glob("*/tables/weights_wide.csv")
    wide = pd.read_csv(weights)
    assert len(wide) == len(tree.weighted) and {"additive", "fuzzy_buckley"} <= set(wide)


@pytest.mark.slow
def test_a_run_is_the_reference_of_the_next(tmp_path: Path) -> None:
    table = made_up(cv.weighting.load_tree("rfm"))
    table.to_csv(tmp_path / "last.csv", index=False)
    later = table.assign(monetary=table["monetary"] * 2)
    later.to_csv(tmp_path / "now.csv", index=False)
    small = {"tree": "rfm", "kind": "indicators", "outcome": "", "weight_draws": 20, "leavers": 0}
    study = tmp_path / "study.yaml"
    first = {"notebook": "05", "parameters": {**small, "data": "last.csv", "weighting": "additive"}}
    study.write_text(yaml.safe_dump({"title": "last", "runs": [first]}), encoding="utf-8")
    (run,) = run_study(read_study(study), tmp_path / "reports")
    assert not run.reason
    (folder,) = (tmp_path / "reports" / "05_customer_scores").glob("*/")
    second = {
        "notebook": "05",
        "parameters": {**small, "data": "now.csv", "reference": f"{folder}/"},
    }
    study.write_text(yaml.safe_dump({"title": "now", "runs": [second]}), encoding="utf-8")
    (run,) = run_study(read_study(study), tmp_path / "reports")
    assert not run.reason
    found = list((tmp_path / "reports" / "05_customer_scores").glob("*/tables/frozen_scores.csv"))
    assert len(found) == 1 and list(pd.read_csv(found[0])) == ["customer", "clipped", "unclipped"]
