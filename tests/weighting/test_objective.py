import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.data.importance import METHODS
from cvlib.weighting.data.objective import expand_weights, objective_weights
from cvlib.weighting.table import read_indicators


def by_method(result, method):
    rows = result.weights[result.weights["method"] == method]
    return rows.set_index("indicator")["global_weight"]


def test_weights_table_on_the_published_example(examples, flat):
    example = examples["ent01_fighter"]
    indicators = flat(example["data"]["matrix"], example["data"]["directions"])
    result = objective_weights(indicators, METHODS)
    columns = ["indicator", "parent", "method", "local_weight", "global_weight"]
    assert list(result.weights.columns) == columns
    np.testing.assert_allclose(
        by_method(result, "entropy_sum"), example["recomputed"]["w"], atol=5.1e-9
    )
    sums = result.weights.groupby("method")["global_weight"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)
    assert set(sums.index) == set(METHODS)
    detail = result.details[result.details["method"] == "entropy_sum"]
    np.testing.assert_allclose(detail["importance"], example["recomputed"]["d"], atol=5.1e-9)


def test_hierarchical_entropy_pools_leaves(make_tree):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.gamma([1, 2, 4, 8], size=(80, 4)), columns=list("abcd"))
    benefit = {"direction": "benefit"}
    tree = make_tree(
        {
            "left": {"children": {"a": benefit, "b": benefit}},
            "right": {"children": {"c": benefit, "deep": {"children": {"d": benefit}}}},
        }
    )
    result = objective_weights(read_indicators(table, tree), ["entropy_sum"])
    rows = result.weights.set_index("indicator")
    d = result.details.set_index("indicator")["importance"]
    assert rows.loc["left", "global_weight"] == pytest.approx((d["a"] + d["b"]) / d.sum())
    assert rows.loc["a", "local_weight"] == pytest.approx(d["a"] / (d["a"] + d["b"]))
    assert rows.loc["d", "local_weight"] == pytest.approx(1)
    assert rows.loc["deep", "global_weight"] == pytest.approx(rows.loc["d", "global_weight"])
    local = rows.groupby("parent")["local_weight"].sum()
    np.testing.assert_allclose(local, 1)


def test_minimum_nodes_are_weighted_as_one_and_gates_not_at_all(make_tree):
    table = pd.DataFrame(
        {"a": [1, 2, 3, 4], "b": [1, 3, 2, 5], "c": [4, 1, 2, 2], "g": ["y", "y", "n", "y"]}
    )
    benefit = {"direction": "benefit"}
    gate = {"rule": "gate", "children": {"g": {"direction": {"nominal": {"y": 1, "n": 0}}}}}
    tree = make_tree(
        {
            "m": {"rule": "minimum", "children": {"a": benefit, "b": benefit}},
            "c": benefit,
            "v": gate,
        }
    )
    result = objective_weights(read_indicators(table, tree), ["entropy_minmax"])
    assert result.weights["indicator"].tolist() == ["m", "c"]
    z = np.column_stack([[0, 1 / 3, 1 / 4, 1], [1, 0, 1 / 3, 1 / 3]])
    p = z / z.sum(axis=0)
    e = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=0) / np.log(4)
    np.testing.assert_allclose(by_method(result, "entropy_minmax"), (1 - e) / (1 - e).sum())


def test_bootstrap_is_the_plain_bootstrap_over_customers(flat):
    rng = np.random.default_rng(7)
    x = rng.gamma(2.0, size=(40, 3))
    indicators = flat(x)
    result = objective_weights(indicators, ["entropy_minmax"], draws=50, seed=3, level=0.9)
    again = np.random.default_rng(3)
    drawn = []
    for _ in range(50):
        sample = x[again.integers(40, size=40)]
        drawn.append(
            by_method(objective_weights(flat(sample), ["entropy_minmax"]), "entropy_minmax")
        )
    low, high = np.quantile(np.array(drawn), [0.05, 0.95], axis=0)
    np.testing.assert_allclose(result.weights["ci_low"], low, rtol=1e-10)
    np.testing.assert_allclose(result.weights["ci_high"], high, rtol=1e-10)


@pytest.mark.slow
def test_bootstrap_interval_covers_the_population_weights(flat):
    """Sum entropy tends to its population value: E[x ln x]/E[x] for gamma columns."""
    shape = np.array([1.0, 2.0, 4.0])
    rng = np.random.default_rng(11)
    big = objective_weights(flat(rng.gamma(shape, size=(1_000_000, 3))), ["entropy_sum"])
    d = big.details["importance"] * np.log(1_000_000)
    truth = (d / d.sum()).to_numpy()
    hits = np.zeros(3)
    for s in range(200):
        sample = flat(rng.gamma(shape, size=(400, 3)))
        rows = objective_weights(sample, ["entropy_sum"], draws=200, seed=s).weights
        hits += (rows["ci_low"] <= truth) & (truth <= rows["ci_high"])
    assert (hits / 200 > 0.88).all() and (hits / 200 < 0.99).all()


def test_a_skewed_money_column_is_named_with_alternatives_beside(flat):
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.gamma(5.0, size=(500, 2)), rng.lognormal(3, 1.6, size=500)])
    result = objective_weights(flat(x), ["entropy_sum"])
    (notice,) = [text for text in result.warnings if "takes" in text]
    assert notice.startswith("'c2' (skewness ")
    wide = result.alternatives.pivot(index="indicator", columns="method", values="global_weight")
    assert wide.loc["c2", "entropy_sum"] > wide.loc["c2", "entropy_sum_winsorised"]
    low, high = np.quantile(x, [0.01, 0.99], axis=0)
    for name, changed in (("winsorised", np.clip(x, low, high)), ("log", np.log1p(x))):
        alone = objective_weights(flat(changed), ["entropy_sum"])
        np.testing.assert_allclose(
            wide[f"entropy_sum_{name}"], by_method(alone, "entropy_sum"), rtol=1e-12
        )
    calm = objective_weights(flat(x[:, :2]), ["entropy_sum"])
    assert calm.alternatives.empty and not [t for t in calm.warnings if "takes" in t]


def test_large_samples_weigh_by_squared_variation(flat):
    rng = np.random.default_rng(8)
    x = 10 + rng.standard_normal((20_000, 3)) * [0.3, 0.6, 1.2]
    detail = objective_weights(flat(x), ["entropy_sum"]).details
    weight = detail["importance"] / detail["importance"].sum()
    np.testing.assert_allclose(detail["cv_squared_weight"], weight, atol=2e-3)


def test_degenerate_columns_are_flagged_and_counted(flat):
    constant = objective_weights(flat([[1, 7, 2], [2, 7, 9], [3, 7, 4]]), ["entropy_minmax"])
    assert by_method(constant, "entropy_minmax")["c1"] == 0
    assert any("'c1' is the same for every customer" in text for text in constant.warnings)
    for method in ("entropy_sum", "entropy_minmax", "critic", "merec", "standard_deviation"):
        with pytest.raises(InputError, match=f"no indicator varies: {method} is not defined here"):
            objective_weights(flat([[7, 2], [7, 2]]), [method])
    lonely = objective_weights(flat([[0, 2], [0, 3], [5, 4]]), ["entropy_sum"])
    assert any("Only one customer has a positive 'c0'" in text for text in lonely.warnings)
    assert lonely.details["importance"].iloc[0] == pytest.approx(1)


def test_methods_that_do_not_apply_are_left_out_with_reason(flat):
    x = [[-1.0, 2.0], [0.0, 3.0], [4.0, 1.0]]
    result = objective_weights(flat(x), ["entropy_sum", "merec", "entropy_minmax"])
    assert set(result.weights["method"]) == {"entropy_minmax"}
    assert result.left_out["method"].tolist() == ["entropy_sum", "merec"]
    assert result.left_out["count"].tolist() == [1, 2]
    with pytest.raises(InputError, match="'c0' has 1 negative values"):
        objective_weights(flat(x), ["entropy_sum"])


def test_missing_cells_change_the_number_of_customers_per_column(flat):
    x = np.random.default_rng(3).gamma(2.0, size=(20, 2))
    x[:5, 1] = np.nan
    result = objective_weights(flat(x), ["entropy_sum"])
    assert result.details["customers"].tolist() == [20, 15]
    assert result.columns["missing"].tolist() == [0, 5]
    assert result.warnings[0].startswith("5 missing values")


def test_critic_without_conflict_has_no_number(flat):
    rng = np.random.default_rng(5)
    a = rng.gamma(2.0, 300.0, 80)
    for digits in (15, 2, 0):  # the same numbers as written by hand or by a spreadsheet
        x = np.round(np.column_stack([a, a / 3 + 7, 5000 - 2 * a]), digits)
        found = objective_weights(flat(x, [1, 1, -1]), ["critic", "entropy_minmax"])
        assert found.left_out["method"].tolist() == ["critic"]
        assert found.left_out["reason"].iloc[0].startswith("no conflict: CRITIC is not defined")
        assert set(found.weights["method"]) == {"entropy_minmax"}
    with pytest.raises(InputError, match="no conflict: CRITIC is not defined here"):
        objective_weights(flat(x, [1, 1, -1]), ["critic"])
    opposed = objective_weights(flat(x, [1, 1, 1]), ["critic"])  # without the direction: conflict
    assert opposed.weights["global_weight"].iloc[2] == pytest.approx(0.5, abs=0.01)
    third = np.column_stack([x[:, 0], x[:, 0] / 2, rng.random(80)])
    weights = by_method(objective_weights(flat(third), ["critic"]), "critic")
    assert weights["c2"] > 0.45  # the pair conflicts with the third alone
    scores = rng.integers(1, 6, 80)
    near = np.column_stack([scores, np.where(np.arange(80) == 3, 6 - scores, scores)])
    few = objective_weights(flat(near), ["critic"])  # one answer of eighty differs: a conflict
    assert few.left_out.empty


def test_unknown_method_and_trees_without_weights_are_refused(flat, make_tree):
    with pytest.raises(InputError, match=r"entropy_summ.*Did you mean 'entropy_sum'"):
        objective_weights(flat([[1, 2], [2, 3]]), ["entropy_summ"])
    tree = make_tree({"a": {"direction": "benefit"}, "b": {"direction": "cost"}}, rule="minimum")
    data = read_indicators(pd.DataFrame({"a": [1, 2], "b": [2, 3]}), tree)
    with pytest.raises(InputError, match="fewer than two weight-carrying"):
        objective_weights(data)


def test_parents_are_sums_and_zero_branches_stay_zero(make_tree):
    benefit = {"direction": "benefit"}
    tree = make_tree({"n": {"children": {"a": benefit, "b": benefit}}, "c": benefit})
    table = expand_weights(tree, pd.Series({"a": 0.0, "b": 0.0, "c": 1.0}), "m")
    assert table.set_index("indicator")["local_weight"].to_dict() == {
        "n": 0.0,
        "c": 1.0,
        "a": 0.0,
        "b": 0.0,
    }
