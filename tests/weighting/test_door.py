"""The front door of weighting: short calls, the same rules as behind it."""

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.weighting.agreement import methods_verdict, pair_to_compare, rank_agreement
from cvlib.weighting.choice import choose_weights
from cvlib.weighting.combine import combine_sources
from cvlib.weighting.data.objective import objective_weights
from cvlib.weighting.experts.ahp import consistency_verdict
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.experts.group import expert_weights
from cvlib.weighting.frozen import read_bounds
from cvlib.weighting.grade import stability_verdict
from cvlib.weighting.robustness import newcomers, reversals_by_method, too_few
from cvlib.weighting.scale import fit_bounds, normalise
from cvlib.weighting.score import score_all, vikor_conditions
from cvlib.weighting.tree import load_tree

PAIRS = {"recency|frequency": 5, "recency|monetary": 7, "frequency|monetary": 3}


@pytest.fixture
def customers():
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.gamma(2.0, size=(60, 3)), columns=["recency", "frequency", "monetary"])
    spend = table["monetary"] * rng.gamma(2.0, size=60)
    return table.assign(customer_id=[f"k{i}" for i in range(60)], later=spend)


def test_the_lines_of_a_notebook(customers):
    w = cv.weighting.ahp(PAIRS)
    shipped = expert_weights(load_tree("rfm"), read_judgements(load_tree("rfm"), "liu_shih_2005"))
    np.testing.assert_allclose(w.weights["global_weight"], shipped.weights["global_weight"])
    e = cv.weighting.entropy(customers, tree="rfm")
    behind = objective_weights(cv.weighting.indicators(customers, "rfm"), ["entropy_minmax"])
    pd.testing.assert_frame_equal(e.weights, behind.weights)
    found = cv.weighting.validity([w, e], outcome="later")
    assert set(found.validity["method"]) == {"ahp_eigenvector", "entropy_minmax", "equal"}
    assert "1 matrix of judgements is above" in w.say() and "判断矩阵" in w.say("zh")
    assert "Of 2 methods that never saw" in str(found)
    assert found._repr_html_().count("<table") and found.plot.validity() and found.plot.capture()
    scores = cv.weighting.score(e, ["weighted_sum", "topsis"]).scores
    assert list(scores.index) == list(customers["customer_id"])
    assert "game_theory" in set(cv.weighting.combine(w, e).weights["method"])
    with pytest.raises(InputError, match="no weighting came from data"):
        cv.weighting.validity([w], outcome="later")
    with pytest.raises(InputError, match="Name the indicator tree"):
        cv.weighting.ahp("liu_shih_2005")


def test_without_experts_everything_is_empty_and_said(customers):
    tree = load_tree("rfm")
    nobody = expert_weights(tree, read_judgements(tree, ""))
    for table in (nobody.weights, nobody.consistency, nobody.suggestions, nobody.consensus):
        assert table.empty and len(table.columns)
    assert nobody.weights["global_weight"].dtype == float
    assert "from the data alone" in nobody.warnings[0]
    assert "no consistency to speak of" in consistency_verdict(nobody.consistency)[1]
    read = cv.weighting.indicators(customers, "rfm")
    spread = objective_weights(read, ["critic"])
    found = pd.concat([nobody.weights, spread.weights], ignore_index=True)
    none = combine_sources(
        found, normalise(read), tree, subjective="ahp_eigenvector", objective="critic"
    )
    assert none.weights.empty and "ahp_eigenvector is not there" in none.warnings[0]
    assert pair_to_compare(found, "ahp_eigenvector", "critic") == ("equal", "critic")


def test_every_node_is_held_against_its_own_limit():
    checks = pd.DataFrame(
        {
            "expert": "E", "node": ["root", "g"], "n": [3, 6], "cr": [0.077, 0.093],
            "threshold": [0.05, 0.10], "acceptable": [False, True],
            "acceptable_common": [True, True], "ri_table": "alonso_lamata",
        }
    )  # fmt: skip
    value, text = consistency_verdict(checks)
    assert value == 0.077 and "1 of 2 matrices" in text and "limit 0.05 for 3 items" in text
    assert "By the common limit of 0.10 for every size, 0 of 2" in text
    good = checks.assign(cr=[0.04, 0.093], acceptable=True)
    value, text = consistency_verdict(good)
    assert value == 0.093 and text.startswith("All 2 matrices") and "limit 0.10 for 6" in text


def test_weights_and_bounds_kept_from_a_run_are_given_back(tmp_path, customers):
    read = cv.weighting.indicators(customers, "rfm")
    w, e = cv.weighting.ahp("liu_shih_2005", "rfm"), cv.weighting.entropy(customers)
    path = tmp_path / "weights.csv"
    cv.weighting.combine(w, e).weights.to_csv(path, index=False)
    choice = choose_weights(read, str(path), method="game_theory")
    assert choice.method == "game_theory" and choice.weights["global_weight"].sum() == 1
    with pytest.raises(InputError, match=r"weights_method.*is empty, and the file holds 6 methods"):
        choose_weights(read, str(path))
    with pytest.raises(InputError, match="Did you mean 'additive'"):
        choose_weights(read, str(path), method="aditive")
    pd.read_csv(path).assign(global_weight=0.5).to_csv(path, index=False)
    with pytest.raises(InputError, match="not non-negative with sum 1"):
        choose_weights(read, str(path), method="additive")
    bounds = tmp_path / "bounds.csv"
    fit_bounds(read).table.to_csv(bounds, index=False)
    half = cv.weighting.indicators(customers.head(30), "rfm")
    np.testing.assert_allclose(
        normalise(half, read_bounds(half, str(bounds))).values, normalise(read).values.head(30)
    )
    assert read_bounds(half, "").table.equals(fit_bounds(half).table)
    pd.read_csv(bounds).head(2).to_csv(bounds, index=False)
    with pytest.raises(InputError, match=r"parameter bounds: bounds\.csv: holds other indicators"):
        read_bounds(half, str(bounds))


def test_one_organisation_goes_through_all_that_applies():
    leaves = load_tree("crm_maturity").leaves
    firm = pd.DataFrame([dict.fromkeys(leaves, 3) | {leaves[0]: 2}])
    read = cv.weighting.indicators(firm, "crm_maturity")
    weights = pd.Series({"crm_maturity": 1.0})
    assert cv.weighting.levels(read)["level"].tolist() == [2]
    assert score_all(read, weights).scores.to_numpy().tolist() == [[0.25]]
    assert vikor_conditions(read, weights).empty
    assert reversals_by_method(read, weights, ["weighted_sum"]).empty
    assert newcomers(read, weights, ["weighted_sum"]).empty
    assert "takes 5 customers, and there are 1" in too_few(read)[0]
    assert "takes no weights" in stability_verdict(pd.DataFrame(), 1)[1]
    with pytest.raises(InputError, match="fewer than two weight-carrying"):
        objective_weights(read, ["critic"])
    assert len(objective_weights(read, ["critic"], required=False).left_out) == 1


def test_the_methods_that_differ_most_are_found_among_all_pairs():
    base = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 2, 4, 3], "c": [4.0, 3, 2, 1]})
    tau, text = methods_verdict(rank_agreement(base))
    assert tau == -1 and "Of 3 pairs of scoring methods, a and c differ most" in text
    tau, text = methods_verdict(rank_agreement(base[["a", "b"]]))
    assert tau == pytest.approx(2 / 3) and "Of 1 pairs" in text
    assert "cannot be compared" in methods_verdict(rank_agreement(base[["a"]]))[1]


def test_another_kind_of_interval_is_refused_at_every_door(customers):
    asked = cv.weighting.Bootstrap(20, interval="bca")
    told = "interval: 'bca' is not offered"
    w = cv.weighting.ahp(PAIRS)
    e = cv.weighting.entropy(customers, bootstrap=cv.weighting.Bootstrap(20, 3, 0.9))
    assert e.weights["ci_low"].notna().all()
    with pytest.raises(InputError, match=told):
        cv.weighting.ahp(PAIRS, bootstrap=asked)
    with pytest.raises(InputError, match=told):
        cv.weighting.critic(customers, bootstrap=asked)
    with pytest.raises(InputError, match=told):
        cv.weighting.validity([w, e], outcome="later", bootstrap=asked)
