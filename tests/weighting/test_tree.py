"""Shipped indicator trees, and the errors of a user's own."""

from __future__ import annotations

import numpy as np
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.tree import available_trees, load_tree

LEAVES = {
    "bank": 18,
    "branch": 12,
    "credit": 12,
    "crm_maturity": 6,
    "customer_relationship_value": 12,
    "customer_service_operation": 27,
    "customer_value": 7,
    "delivered_value": 8,
    "enterprise": 8,
    "organisational": 12,
    "perceived_value": 8,
    "publisher": 7,
    "regional": 8,
    "retail": 16,
    "rfm": 3,
    "satisfaction_evaluation": 4,
    "service_quality": 5,
    "telecom": 10,
}

GOOD = """name: mine
title: {en: Mine, zh: 我的}
children:
  money:
    en: Money
    children:
      spend: {en: Spend, zh: 金额, direction: benefit, column: amount}
      cost: {en: Cost, direction: cost}
  age: {en: Age, direction: {target: 40}}
  type: {en: Type, direction: {nominal: {a: 0.2, b: 1}}}
"""


def write(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_tree_ships():
    assert {name: len(load_tree(name).leaves) for name in available_trees()} == LEAVES


@pytest.mark.parametrize("name", available_trees())
def test_shipped_trees_are_complete(name):
    tree = load_tree(name)
    nodes = tree.nodes
    assert tree.name == name == nodes["node"].iloc[0]
    assert nodes["node"].is_unique
    assert (nodes["label_en"] != "").all() and (nodes["label_zh"] != "").all()
    # every shipped node is labelled in both languages: the Chinese one has Chinese letters
    assert nodes["label_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert not nodes["label_en"].str.contains("[\u4e00-\u9fff]").any()
    leaves = nodes[nodes["is_leaf"]]
    assert leaves["direction"].isin(["benefit", "cost", "target", "nominal"]).all()
    assert (leaves["unit"].ne("") | leaves["direction"].eq("nominal")).all()
    assert (leaves["target"].notna() == leaves["direction"].eq("target")).all()
    assert leaves["evidence"].isin(["B", "Lit", "M", "P"]).all()
    # what the founding documents name has its document as source
    named = nodes[nodes["evidence"] == "B"]
    assert named["source"].str.match(r"D[0-4]").all()
    # depth first: every parent stands above its children, one level higher
    levels = dict(zip(nodes["node"], nodes["level"], strict=True))
    for row in nodes.iloc[1:].itertuples():
        assert levels[row.parent] == row.level - 1
    proposed = nodes["direction_evidence"].eq("P").sum()
    assert len(tree.warnings) == proposed


def test_what_the_design_names():
    default = load_tree("customer_relationship_value")
    directions = default.directions
    assert (len(directions), directions["management_cost_share"]) == (12, "cost")
    assert directions["customer_type"] == "nominal"
    assert (directions == "benefit").sum() == 10
    assert set(load_tree("retail").children["retail"]) == {
        "current_value",
        "potential_value",
        "relationship_value",
    }
    assert load_tree("bank").directions["complaint_rate"] == "cost"
    assert (load_tree("delivered_value").directions == "cost").sum() == 4
    assert load_tree("enterprise").label("order_volume", "zh") == "订单量"


def test_gates_and_minimum_nodes_take_no_weight():
    credit = load_tree("credit")
    assert credit.rule("admission") == "gate"
    assert "admission" in credit.children["credit"]
    assert "admission" not in credit.compared["credit"] and "admission" not in credit.compared
    assert "aml_review" in credit.leaves and "aml_review" not in credit.weighted
    maturity = load_tree("crm_maturity")
    assert (maturity.compared, maturity.weighted, maturity.rule(maturity.name)) == (
        {},
        (),
        "minimum",
    )


def test_a_minimum_node_below_a_weighted_root_takes_a_weight(tmp_path):
    text = GOOD.replace("    en: Money\n", "    en: Money\n    rule: minimum\n")
    tree = load_tree(write(tmp_path, text))
    assert tree.weighted == ("money", "age", "type")
    assert tree.compared == {"mine": ("money", "age", "type")}


def test_a_users_tree(tmp_path):
    tree = load_tree(write(tmp_path, GOOD))
    assert tree.leaves == ("spend", "cost", "age", "type") == tree.weighted
    assert list(tree.nodes["node"]) == ["mine", "money", "spend", "cost", "age", "type"]
    assert tree.siblings("cost") == ("spend", "cost")
    assert tree.parent("cost") == "money" and tree.siblings("mine") == ("mine",)
    assert dict(tree.columns) == {"spend": "amount", "cost": "cost", "age": "age", "type": "type"}
    assert (tree.label("cost", "zh"), tree.label("spend", "zh")) == ("Cost", "金额")
    row = tree.nodes.set_index("node").loc["type"]
    assert row["values"] == {"a": 0.2, "b": 1.0} and np.isnan(row["target"])
    assert tree.warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "wrong"),
    [
        ("cost: {en: Cost, direction: cost}", "cost: {en: Cost}", 8, "no direction"),
        ("direction: cost", "direction: up", 8, "'up' is not a direction"),
        ("direction: cost", "direction: +", 8, "is not a direction"),
        ("direction: cost", "direction: target", 8, "is not a direction"),
        ("direction: {target: 40}", "direction: {target: high}", 9, "a number is needed"),
        ("direction: {target: 40}", "direction: {target: .nan}", 9, "must be a number"),
        ("direction: {target: 40}", "target: 40, direction: benefit", 9, "target"),
        ("b: 1", "b: 2", 10, "outside 0 to 1"),
        ("{a: 0.2, b: 1}", "{a: 0.2}", 10, "two categories"),
        ("{a: 0.2, b: 1}", "{true: 0.2, false: 1}", 10, "in quotes"),
        (
            "    en: Money\n",
            "    en: Money\n    direction: benefit\n",
            4,
            "both children and a dir",
        ),
        ("    en: Money\n", "    en: Money\n    column: x\n", 4, "belong to leaves"),
        ("    en: Money\n", "    en: Money\n    rule: maximum\n", 6, "rule"),
        ("direction: cost}", "direction: cost, rule: minimum}", 8, "not to a leaf"),
        ("direction: cost}", "direction: cost, colour: red}", 8, "there is no such entry"),
        ("direction: cost}", "direction: cost, scale: [5, 1]}", 8, "lowest and the highest"),
        ("direction: cost}", "direction: cost, scale: [1, .inf]}", 8, "lowest and the highest"),
        ("direction: cost}", "direction: cost, scale: 5}", 8, "a list is needed"),
        ("    en: Money\n", "    en: Money\n    scale: [1, 5]\n", 4, "belong to leaves"),
        ("{target: 40}", "{target: 40}, scale: [50, 60]", 9, "outside the scale"),
        ("      cost:", "      age:", 9, "already the name in line 8"),
        ("      cost:", "      spend:", 8, "written twice"),
        ("      cost:", "      =cost:", 8, "cannot be a name"),
        ("      cost:", "      a|b:", 8, "cannot be a name"),
        ("    en: Money\n", "    en: Money\n    rule: gate\n", 8, "not pass or fail"),
        ("name: mine\n", "name: mine\nrule: gate\n", 2, "cannot be a gate"),
        ("name: mine\n", "", 1, "name"),
        ("children:\n  money", "kids:\n  money", 1, "children"),
        ("{en: Mine, zh: 我的}", "{en: Mine", 3, "not valid YAML"),
    ],
)
def test_mistakes_are_reported_by_line(tmp_path, old, new, line, wrong):
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load_tree(path)
    assert wrong in str(caught.value)
    assert f"mine.yaml, line {line}" in caught.value.where


def test_empty_children_and_empty_file(tmp_path):
    with pytest.raises(InputError, match="no children"):
        load_tree(write(tmp_path, "name: x\nchildren: {}\n"))
    with pytest.raises(InputError, match="empty list of children"):
        load_tree(write(tmp_path, "name: x\nchildren: {a: {children: {}}}\n"))
    with pytest.raises(InputError, match="not a mapping"):
        load_tree(write(tmp_path, "- 1\n"))


def test_unknown_tree():
    with pytest.raises(InputError, match="Did you mean 'retail'"):
        load_tree("retial")
    with pytest.raises(InputError, match="cannot be read"):
        load_tree("nowhere.yaml")
