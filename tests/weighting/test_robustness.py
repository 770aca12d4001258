import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.choice import choose_weights
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.experts.fuzzy import fuzzy_evaluation
from cvlib.weighting.robustness import newcomers, reversals_by_method
from cvlib.weighting.scale import normalise
from cvlib.weighting.score import METHODS, plain_weights, score
from cvlib.weighting.table import read_indicators, table_kind
from cvlib.weighting.tree import load_tree


def equal(indicators):
    return pd.Series(1 / len(indicators.items), index=indicators.items)


def test_weighted_sums_turn_only_when_a_bound_leaves_and_topsis_with_anyone(flat):
    indicators = flat(np.random.default_rng(0).gamma(1.0, size=(60, 3)), [1, -1, 1])
    found = reversals_by_method(indicators, equal(indicators), ["weighted_sum", "topsis"])
    rows = found.set_index(["method", "event"])
    assert (found["tried"] == 20).all()
    assert 0 < rows.loc[("weighted_sum", "leaves"), "reversing"] <= 6
    assert rows.loc[("weighted_sum", "copied"), "reversing"] == 0
    assert rows.loc[("topsis", "copied"), "reversing"] > 0


def test_newcomers_move_nobody_when_the_reference_is_frozen(flat):
    indicators = flat(np.random.default_rng(1).gamma(1.0, size=(80, 3)), [1, -1, 1])
    found = newcomers(indicators, equal(indicators), METHODS, share=0.5)
    assert (found["newcomers"] == 40).all() and (found["customers"] == 40).all()
    assert (found["change_frozen"] == 0).all()
    assert (found["change_refitted"] > 0).all() and (found["rank_change_refitted"] > 0).any()
    assert (found["outside_bounds"] > 0).all()
    with pytest.raises(InputError, match="leaves none or all"):
        newcomers(indicators, equal(indicators), METHODS, share=0.0)


def test_weights_are_chosen_by_name():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.gamma(2.0, size=(30, 3)), columns=["recency", "frequency", "monetary"])
    indicators = read_indicators(table, load_tree("rfm"))
    found = choose_weights(
        indicators, "ahp_eigenvector", read_judgements(indicators.tree, "liu_shih_2005")
    )
    weights = found.weights
    assert found.expert is not None and found.data is None and found.warnings
    np.testing.assert_allclose(weights["global_weight"].round(3), [0.731, 0.188, 0.081])
    for name in ("equal", "critic"):
        weights = choose_weights(indicators, name).weights
        assert weights["method"].unique().tolist() == [name]
        assert weights["global_weight"].sum() == pytest.approx(1)
    with pytest.raises(InputError, match="judgements: is empty"):
        choose_weights(indicators, "ahp_eigenvector")
    with pytest.raises(InputError, match="Did you mean 'critic'"):
        choose_weights(indicators, "critik")


def test_plain_weights_are_equal_and_one_at_a_time(make_tree):
    benefit = {"direction": "benefit"}
    tree = make_tree({"n": {"children": {"a": benefit, "b": benefit}}, "c": benefit})
    same, single = plain_weights(tree)
    rows = same.set_index("indicator")["global_weight"]
    assert rows["c"] == pytest.approx(1 / 3) and rows["n"] == pytest.approx(2 / 3)
    only = single[single["method"] == "only_b"].set_index("indicator")["global_weight"]
    assert only.to_dict() == {"n": 1, "c": 0, "a": 0, "b": 1}


def test_tables_are_told_apart():
    tree = load_tree("rfm")
    log = pd.DataFrame(columns=["customer_id", "date", "amount"])
    ready = pd.DataFrame(columns=["id", "recency", "frequency", "monetary", "date"])
    assert table_kind(log, tree) == "transactions"
    assert table_kind(ready, tree) == "indicators"
    assert table_kind(ready, tree, "transactions") == "transactions"
    with pytest.raises(InputError, match=r"neither a column for every leaf .*'recency'"):
        table_kind(log.drop(columns="date"), tree)
    with pytest.raises(InputError, match="kind: 'table' is not offered"):
        table_kind(log, tree, "table")


def test_a_minimum_tree_is_scored_without_weights(make_tree):
    tree = make_tree({"a": {"direction": "benefit"}, "b": {"direction": "cost"}}, rule="minimum")
    table = pd.DataFrame({"a": [0, 1, 2, 3], "b": [0, 0, 0, 3]})
    indicators = read_indicators(table, tree)
    weights = choose_weights(indicators, "equal").weights
    assert weights[["indicator", "global_weight"]].values.tolist() == [["goal", 1.0]]
    one = weights.set_index("indicator")["global_weight"]
    for method in ("weighted_sum", "vikor"):
        scores = score(indicators, one, method).scores["score"]
        np.testing.assert_allclose(scores.rank(), [1.5, 3, 4, 1.5])
    fuzzy = fuzzy_evaluation(normalise(indicators), weights)
    np.testing.assert_allclose(fuzzy.scores["score"], [0, 1 / 3, 2 / 3, 0])


def test_of_very_many_customers_a_sample_with_all_bounds_is_tried(flat, monkeypatch):
    from cvlib.weighting import robustness

    indicators = flat(np.random.default_rng(3).gamma(1.0, size=(300, 3)), [1, -1, 1])
    whole = reversals_by_method(indicators, equal(indicators), ["weighted_sum"])
    assert not robustness.too_few(indicators)
    monkeypatch.setattr(robustness, "MOST", 120)
    tried = robustness._tried(indicators, 4).values
    assert len(tried) == 120 and tried.index.is_monotonic_increasing
    assert tried.min().equals(indicators.values.min())
    assert tried.max().equals(indicators.values.max())
    some = reversals_by_method(indicators, equal(indicators), ["weighted_sum"])
    assert some["worst_share"].max() == pytest.approx(whole["worst_share"].max(), abs=0.02)
    assert newcomers(indicators, equal(indicators), ["grey"])["customers"].tolist() == [96]
    assert "drawn at random" in robustness.too_few(indicators)[0]
