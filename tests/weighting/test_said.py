"""Sentences and warnings on weights: each from the comparison behind it, and gone with it."""

import numpy as np
import pandas as pd
import pytest
import yaml

import cvlib as cv
from cvlib.weighting.combine import combine
from cvlib.weighting.data.panel import panel_verdict
from cvlib.weighting.experts.consistency import blend
from cvlib.weighting.experts.files import read_judgements
from cvlib.words.message import in_language

w = cv.weighting
TREE = w.load_tree("rfm")
CALM = {"recency|frequency": 2, "recency|monetary": 4, "frequency|monetary": 2}
WILD = {"recency|frequency": 9, "recency|monetary": 1 / 9, "frequency|monetary": 9}


def ids(texts):
    found = [text for text in texts if hasattr(text, "id")]
    assert all(in_language(text, "zh") != text for text in found)
    return [text.id.removeprefix("weighting.") for text in found]


@pytest.fixture
def asked(tmp_path):
    """Judgements of several experts, read from a file."""

    def ask(experts, faulty="refuse"):
        path = tmp_path / "experts.yaml"
        document = {"name": "mine", "tree": "rfm", "experts": experts}
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return read_judgements(TREE, path, faulty=faulty)

    return ask


def test_experts_beyond_nine_and_left_out_are_counted(asked):
    far = asked({"anna": {**CALM, "recency|monetary": 12}})
    assert "beyond_nine" in ids(far.warnings)
    assert "beyond_nine" not in ids(asked({"anna": CALM}).warnings)
    some = asked({"anna": CALM, "ben": {"recency|frequency": 2}}, "leave_out")
    assert some.warnings[0].startswith("1 of 2 experts left out")
    assert "experts_left_out" not in ids(asked({"anna": CALM, "ben": CALM}).warnings)


def test_matrices_above_their_limit_are_named_and_beyond_three_counted(asked):
    def told(**experts):
        return ids(w.expert_weights(TREE, asked(experts)).warnings)

    assert "inconsistent" not in told(a=CALM)
    assert told(a=WILD).count("inconsistent") == 1
    many = told(a=WILD, b=WILD, c=WILD, d=WILD)
    assert many.count("inconsistent") == 3 and "many_inconsistent" in many


def test_intervals_of_few_experts_are_rough_and_of_six_are_not(asked):
    for count in (2, 6):
        judged = asked({f"expert {k}": CALM for k in range(count)})
        found = w.expert_weights(TREE, judged, bootstrap=w.Bootstrap(20))
        assert ("few_experts" in ids(found.warnings)) == (count < 6)


def test_a_blend_says_which_circles_remain():
    names = list("abc")

    def matrix(ab, bc, ac):
        return pd.DataFrame([[1, ab, ac], [1 / ab, 1, bc], [1 / ac, 1 / bc, 1]], names, names)

    assert "blend_cycles" in ids(blend(matrix(5, 5, 1 / 5)).warnings)
    assert "blend_cycles" not in ids(blend(matrix(2, 2, 4)).warnings)


def test_rules_that_join_say_what_uniform_weights_and_zeros_do(flat):
    customers = flat([[1, 9, 4], [5, 2, 6], [3, 3, 8], [7, 1, 2]])
    names = list(customers.items)

    def told(one, two):
        pair = [pd.Series(each, names, name=name) for each, name in ((one, "a"), (two, "b"))]
        return combine(customers.tree, *pair, w.normalise(customers))

    plain = ids(told([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]).warnings)
    assert not {"game_uniform", "products_zero", "products_undefined"} & set(plain)
    assert "game_uniform" in ids(told([1 / 3] * 3, [0.2, 0.3, 0.5]).warnings)
    vetoed = told([0.5, 0.5, 0.0], [0.2, 0.3, 0.5])
    assert "products_zero" in ids(vetoed.warnings)
    product = w.wide_weights(vetoed.weights, names)["multiplicative"]
    assert product["c2"] == 0 and (product[["c0", "c1"]] > 0).all()


def test_fuzzy_bounds_stop_at_six_items():
    for count in (6, 7):
        pairs = {f"i{a}|i{b}": 2 for a in range(count) for b in range(a + 1, count)}
        found = w.fuzzy_ahp(pairs)
        assert ("fuzzy_bounds_many" in ids(found.warnings)) == (count == 7)
        assert found.weights["possible_low"].isna().all() == (count == 7)


def test_a_panel_says_what_moved_and_that_nothing_did():
    rows = [("x", "2024", 0.4, np.nan), ("y", "2024", 0.6, np.nan)]
    columns = ["indicator", "period", "weight", "change"]

    def told(*change):
        later = [(n, "2025", 0.5, c) for n, c in zip("xy", change, strict=True)]
        return panel_verdict(pd.DataFrame(rows + later, columns=columns))

    moved = told(0.1, -0.1001)
    assert ids([moved]) == ["panel_moved"] and "y" in moved and "-10.0" in moved
    assert ids([told(0.0, 0.0)]) == ["panel_still"] and "2 periods" in told(0.0, 0.0)


def test_weights_beside_ahp_name_the_heaviest_or_all_that_tie(tmp_path):
    def told(best, worst, network):
        items = TREE.leaves
        one = {"best_to_others": dict(zip(items, best, strict=True)),
               "others_to_worst": dict(zip(items, worst, strict=True))}  # fmt: skip
        links = {item: dict(zip(items, row, strict=True))
                 for item, row in zip(items, network, strict=True)}  # fmt: skip
        files = {
            "bw.yaml": {"tree": "rfm", "experts": {"anna": {"rfm": one}}},
            "net.yaml": {"tree": "rfm", "clusters": {"all": list(items)}, "priorities": links},
        }
        for name, document in files.items():
            (tmp_path / name).write_text(yaml.safe_dump(document), encoding="utf-8")
        none = w.read_judgements(TREE, "")
        found = w.weights_beside(TREE, none, best_worst=str(tmp_path / "bw.yaml"),
                                 network=str(tmp_path / "net.yaml"))  # fmt: skip
        return ids(found.verdict.values["parts"])

    cycle = [[0.3, 0.1, 0.6], [0.2, 0.5, 0.3], [0.4, 0.5, 0.1]]
    assert told([8, 2, 1], [1, 5, 8], cycle) == ["best_worst_beside", "network_beside"]
    assert told([1, 1, 4], [4, 4, 1], np.full((3, 3), 1 / 3).tolist()) == ["beside_alike"] * 2


def test_a_result_names_the_heaviest_or_all_that_tie():
    one = str(w.best_worst({"a": 1, "b": 2, "c": 8}, {"a": 8, "b": 4, "c": 1}))
    two = str(w.best_worst({"a": 1, "b": 1, "c": 4}, {"a": 4, "b": 4, "c": 1}))
    alike = str(w.fuzzy_ahp({"a|b": 1, "a|c": 1, "b|c": 1}))
    assert "a weighs most" in one and "a and b weigh most" in two
    assert "All 3 weigh the same" in alike and "weighs most" not in alike
