"""Best-worst, fuzzy AHP, network process and alternatives against the worked examples."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.weighting.experts import ahp, best_worst, fuzzy_ahp

w = cv.weighting


def vectors(example):
    items = [f"c{j}" for j in range(len(example["best_to_others"]))]
    return (
        dict(zip(items, example["best_to_others"], strict=True)),
        dict(zip(items, example["others_to_worst"], strict=True)),
    )


@pytest.mark.parametrize("number", range(3))
def test_best_worst_agrees_with_the_examples(seed_examples, number):
    example = seed_examples["bwm"][number]
    found = w.best_worst(*vectors(example))
    table, checks = found.weights, found.consistency.iloc[0]
    np.testing.assert_allclose(table["linear"], example["linear_weights"], atol=1e-6)
    np.testing.assert_allclose(
        table[["low", "high"]], example["nonlinear_weight_intervals"], atol=5.1e-5
    )
    assert checks["linear_xi"] == pytest.approx(example["linear_xi"], abs=1e-6)
    assert checks["nonlinear_xi"] == pytest.approx(example["nonlinear_xi"], abs=5.1e-6)
    assert checks["consistency_index"] == pytest.approx(example["consistency_index"], abs=5.1e-5)
    assert checks["nonlinear_ratio"] == pytest.approx(example["nonlinear_CR"], abs=5.1e-5)
    assert checks["input_ratio"] == pytest.approx(example["input_based_CR"], abs=1e-6)


def optimal_range(best, worst):
    """Smallest and largest weight of each item among all optima of the linear model."""
    given = best_worst.checked(best, worst, "the judgements")
    xi, n = best_worst.linear_weights(given)[1], len(given.items)
    unit = np.eye(n)
    rows = [unit[given.best] - a * unit[j] for j, a in enumerate(given.from_best)]
    rows += [unit[j] - a * unit[given.worst] for j, a in enumerate(given.to_worst)]
    within = np.vstack([rows, np.negative(rows)]), np.full(4 * n, xi + 1e-10), np.ones((1, n)), [1]
    ends = [[linprog(sign * unit[j], *within).x[j] for j in range(n)] for sign in (1, -1)]
    return np.array(ends).T


@pytest.mark.parametrize("number", range(3))
def test_the_linear_best_worst_model_has_one_optimum(seed_examples, number):
    example = seed_examples["bwm"][number]
    found = optimal_range(*vectors(example))
    np.testing.assert_allclose(found, example["linear_weight_range_at_optimum"], atol=5.1e-6)


def test_the_linear_best_worst_model_has_one_optimum_whatever_is_judged():
    rng = np.random.default_rng(1)
    for _ in range(20):
        n = int(rng.integers(3, 8))
        a, b = rng.integers(2, 9, (2, n))
        a[0] = b[-1] = 1
        b[0] = a[-1] = max(a.max(), b.max())
        items = [f"c{j}" for j in range(n)]
        low, high = optimal_range(
            dict(zip(items, a, strict=True)), dict(zip(items, b, strict=True))
        ).T
        np.testing.assert_allclose(low, high, atol=1e-7)


def test_best_worst_nonlinear_xi_of_the_transport_example_is_its_closed_form(seed_examples):
    found = w.best_worst(*vectors(seed_examples["bwm"][1]))
    assert found.consistency["nonlinear_xi"].iloc[0] == pytest.approx(4 - np.sqrt(14), abs=1e-12)


def test_best_worst_on_consistent_judgements_is_the_hierarchy_process(seed_examples):
    best, worst = vectors(seed_examples["bwm"][0])
    items = list(best)
    true = np.array([1 / best[item] for item in items])
    matrix = true[:, None] / true
    own = w.best_worst(best, worst).weights
    np.testing.assert_allclose(own["linear"], ahp.eigenvector(matrix)[0], atol=1e-9)
    np.testing.assert_allclose(own["middle"], ahp.eigenvector(matrix)[0], atol=1e-6)


def test_best_worst_says_when_judgements_contradict_each_other():
    best, worst = {"a": 1, "b": 9, "c": 9}, {"a": 9, "b": 9, "c": 1}
    assert "above the limit 0.136" in w.best_worst(best, worst).warnings[0]
    assert not w.best_worst({"a": 1, "b": 2, "c": 8}, {"a": 8, "b": 4, "c": 1}).warnings


@pytest.mark.parametrize(
    ("best", "worst", "told"),
    [
        ({"a": 1, "b": 2}, {"a": 2, "c": 1}, "'b' stands in one vector only"),
        ({"a": 1, "b": 12}, {"a": 12, "b": 1}, "12 is not a number from 1 to 9"),
        ({"a": 1, "b": "many"}, {"a": 2, "b": 1}, "'many' is not a number"),
        ({"a": 1, "b": 3}, {"a": 2, "b": 1}, "3 in one vector and 2 in the other"),
        ({"a": 2, "b": 3}, {"a": 2, "b": 1}, "no item is the best"),
    ],
)
def test_best_worst_refuses_what_is_no_pair_of_vectors(best, worst, told):
    with pytest.raises(InputError, match=told):
        w.best_worst(best, worst)


def test_mean_of_several_best_worst_experts_shows_their_spread(seed_examples):
    own = {str(k): w.best_worst(*vectors(seed_examples["bwm"][k])) for k in (0, 2)}
    table = best_worst.group_mean(own).set_index("item")
    pair = [own[k].weights["linear"].iloc[0] for k in own]
    assert table.at["c0", "mean"] == pytest.approx(np.mean(pair))
    assert table.at["c0", "sd"] == pytest.approx(np.std(pair, ddof=1))


@pytest.mark.parametrize("number", range(2))
def test_fuzzy_ahp_agrees_with_the_examples(seed_examples, number):
    example = seed_examples["fuzzy_ahp"][number]
    # the examples print six decimals of reciprocals: made exact from the upper triangle
    given = np.array(example["matrix_lmu"])
    found = fuzzy_ahp.from_triangles(given, ["a", "b", "c"]).weights
    triangle = found[["low", "modal", "high"]]
    extent = fuzzy_ahp.extents(given)
    least = fuzzy_ahp.least_possibility(extent)
    np.testing.assert_allclose(extent, example["chang_extent"], atol=1e-6)
    np.testing.assert_allclose(least, example["chang_min_possibility"], atol=1.1e-6)
    np.testing.assert_allclose(found["chang"], example["chang_weights"], atol=1e-6)
    np.testing.assert_allclose(found["crisp"], example["crisp_geometric_mean_of_modal"], atol=1e-6)
    np.testing.assert_allclose(triangle, example["buckley_fuzzy_weights"], atol=1e-6)
    np.testing.assert_allclose(found["buckley"], example["buckley_centroid_normalised"], atol=1e-6)
    ends = np.array(example["constrained_fuzzy_weights"])[:, [0, 2]]
    np.testing.assert_allclose(found[["possible_low", "possible_high"]], ends, atol=1e-6)


def test_chang_without_weight_is_said_and_with_weight_is_not():
    zero = w.fuzzy_ahp({"a|b": (2, 3, 4), "a|c": (6, 7, 8), "b|c": (4, 5, 6)})
    assert zero.weights["chang"].iloc[2] == 0 and "no weight to c" in zero.warnings[0]
    assert not w.fuzzy_ahp({"a|b": (1, 2, 3), "a|c": (1, 2, 3), "b|c": (0.5, 1, 2)}).warnings


def test_buckley_of_crisp_judgements_is_the_geometric_mean():
    crisp = {"a|b": (3, 3, 3), "a|c": (5, 5, 5), "b|c": (2, 2, 2)}
    found = w.fuzzy_ahp(crisp).weights
    matrix = np.array([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]])
    plain = ahp.geometric_mean(matrix)
    for column in ("buckley", "low", "modal", "high", "possible_low", "possible_high", "crisp"):
        np.testing.assert_allclose(found[column], plain, atol=1e-9)


def test_possible_bounds_hold_every_drawn_matrix_and_are_narrower_than_buckley():
    pairs = {"a|b": 3, "a|c": 5, "a|d": 2, "b|c": 1, "b|d": 0.5, "c|d": 0.25}
    found = w.fuzzy_ahp(pairs).weights
    assert (found["possible_low"] >= found["low"] - 1e-12).all()
    assert (found["possible_high"] <= found["high"] + 1e-12).all()
    rng = np.random.default_rng(1)
    upper = np.triu_indices(4, 1)
    triangles = fuzzy_ahp.fuzzified(np.array(list(pairs.values())))
    for _ in range(200):
        matrix = np.ones((4, 4))
        matrix[upper] = rng.uniform(triangles[:, 0], triangles[:, 2])
        matrix[upper[::-1]] = 1 / matrix[upper]
        drawn = ahp.geometric_mean(matrix)
        assert (drawn >= found["possible_low"] - 1e-9).all()
        assert (drawn <= found["possible_high"] + 1e-9).all()


def test_fuzzified_judgements_stand_as_written():
    assert fuzzy_ahp.fuzzified(np.array(3.0)).tolist() == [2, 3, 4]
    assert fuzzy_ahp.fuzzified(np.array(9.0)).tolist() == [8, 9, 9]
    assert fuzzy_ahp.fuzzified(np.array(1.0)).tolist() == [0.5, 1, 2]
    np.testing.assert_allclose(fuzzy_ahp.fuzzified(np.array(1 / 3)), [1 / 4, 1 / 3, 1 / 2])


def test_fuzzy_ahp_refuses_a_gap_and_what_is_no_triangle():
    with pytest.raises(InputError, match=r"'b\|c'.*is not given"):
        w.fuzzy_ahp({"a|b": 2, "a|c": 3})
    with pytest.raises(InputError, match="is no triangle"):
        w.fuzzy_ahp({"a|b": (3, 2, 1)})


@pytest.mark.parametrize("number", range(2))
def test_network_process_agrees_with_the_examples(seed_examples, number):
    example = seed_examples["anp"][number]
    labels = example["labels"] or ["a", "b", "c"]
    found = w.network_process(pd.DataFrame(example["supermatrix"], index=labels, columns=labels))
    np.testing.assert_allclose(found.priorities["limit"], example["eigenvector_of_1"], atol=1e-6)
    np.testing.assert_allclose(found.weighted.sum(), example["column_sums"], atol=1e-12)
    moduli = np.abs(np.linalg.eigvals(found.weighted))
    np.testing.assert_allclose(np.sort(moduli)[::-1], example["moduli_of_eigenvalues"], atol=1e-6)
    # a loop of d steps has d eigenvalues of modulus 1: the period counted on the links themselves
    assert found.settings["period"] == (moduli > 1 - 1e-9).sum()


def test_a_periodic_network_has_the_mean_of_its_cycle_and_says_so(seed_examples):
    example = seed_examples["anp"][0]
    labels = example["labels"]
    clusters = dict.fromkeys(labels[:3], "criteria") | dict.fromkeys(labels[3:], "cars")
    matrix = pd.DataFrame(example["supermatrix"], index=labels, columns=labels)
    found = w.network_process(matrix, clusters)
    assert found.settings["period"] == 2 and "every 2 steps" in found.warnings[-1]
    inside = found.priorities.set_index("element")["within_cluster"]
    first = example["pyanp_limit_first_column"][:3]
    np.testing.assert_allclose(inside.iloc[:3], first, atol=1e-6)
    assert inside.iloc[3:].sum() == pytest.approx(1)


def test_network_process_on_a_hierarchy_is_the_hierarchy_process():
    criteria = [0.6, 0.3, 0.1]
    local = np.array([[0.7, 0.2, 0.5], [0.3, 0.8, 0.5]])
    names = ["goal", "k1", "k2", "k3", "x", "y"]
    matrix = pd.DataFrame(0.0, index=names, columns=names)
    matrix.loc[["k1", "k2", "k3"], "goal"] = criteria
    matrix.loc[["x", "y"], ["k1", "k2", "k3"]] = local
    found = w.network_process(matrix).priorities.set_index("element")["limit"]
    np.testing.assert_allclose(found[["x", "y"]], local @ criteria, atol=1e-12)
    assert found[["goal", "k1", "k2", "k3"]].tolist() == [0, 0, 0, 0]


def test_elements_that_influence_leaves_for_good_are_named():
    names = ["a", "b", "c"]
    matrix = pd.DataFrame([[0.5, 0, 0], [0.5, 0.5, 1], [0, 0.5, 0]], index=names, columns=names)
    found = w.network_process(matrix)
    assert found.priorities["limit"].iloc[0] == 0 and "leaves a" in found.warnings[0]
    np.testing.assert_allclose(found.limit_matrix.sum(), 1)


def test_cluster_weights_count_and_columns_add_up():
    names = ["a", "b", "c"]
    matrix = pd.DataFrame([[0, 1, 1], [0.5, 0, 0], [0.5, 0, 0]], index=names, columns=names)
    clusters = {"a": "one", "b": "two", "c": "two"}
    weights = pd.DataFrame([[0, 1.0], [1.0, 0]], index=["one", "two"], columns=["one", "two"])
    found = w.network_process(matrix, clusters, weights)
    np.testing.assert_allclose(found.weighted.sum(), 1)
    assert found.priorities["limit"].iloc[0] == pytest.approx(0.5)


def test_network_process_refuses_negative_links_and_an_unknown_start():
    names = ["a", "b"]
    with pytest.raises(InputError, match="row 'a', column 'b'"):
        w.network_process(pd.DataFrame([[0, -1], [1, 0]], index=names, columns=names))
    apart = pd.DataFrame(np.eye(2), index=names, columns=names)
    with pytest.raises(InputError, match="2 closed classes"):
        w.network_process(apart)


@pytest.mark.parametrize("number", range(2))
def test_alternatives_agree_with_belton_and_gear(seed_examples, number):
    example = seed_examples["alternatives"][number]
    names = example["alternatives"]
    matrices = {
        f"k{j}": pd.DataFrame(m, names, names)
        for j, m in enumerate(example["alternative_matrices"])
    }
    local = w.local_priorities(matrices)
    criteria = ahp.eigenvector(np.array(example["criteria_matrix"]))[0]
    np.testing.assert_allclose(criteria, example["criteria_weights"], atol=1e-6)
    found = w.choose_alternative(local, pd.Series(criteria, index=local.columns))
    np.testing.assert_allclose(local, example["local"], atol=1e-6)
    for column, name in (
        ("distributive", "distributive"), ("ideal", "ideal"), ("ideal_share", "ideal_normalised"),
    ):  # fmt: skip
        np.testing.assert_allclose(found.scores[column], example[name], atol=1e-6)


def test_a_copy_turns_the_distributive_order_and_not_the_ideal_one(seed_examples):
    example = seed_examples["alternatives"][0]
    names = example["alternatives"]
    matrices = {
        f"k{j}": pd.DataFrame(m, names, names)
        for j, m in enumerate(example["alternative_matrices"])
    }
    local = w.local_priorities(matrices)
    found = w.choose_alternative(local, pd.Series(1 / 3, index=local.columns))
    turned = found.changes[found.changes["turned"] != ""]
    assert turned[["event", "alternative", "mode", "first"]].values.tolist() == [
        ["copied", "B", "distributive", "A"]
    ]
    for row in found.swaps.itertuples():  # at the swap weight the two are level
        weight = pd.Series((1 - row.swap_weight) / 2, index=local.columns)
        weight[row.criterion] = row.swap_weight
        ideal = (local / local.max()) @ weight
        assert ideal["B"] == pytest.approx(ideal["A"])


def test_the_verdict_on_alternatives_follows_the_modes():
    local = pd.DataFrame({"k": [0.6, 0.4]}, index=["A", "B"])
    same = w.choose_alternative(local, pd.Series({"k": 1.0})).verdict
    assert same.startswith("A comes first in both modes")
    local = pd.DataFrame(
        {"k1": [0.5, 0.3, 0.2], "k2": [0.29, 0.37, 0.34], "k3": [0.3, 0.35, 0.35]},
        index=["A", "B", "C"],
    )
    weights = pd.Series({"k1": 0.24, "k2": 0.38, "k3": 0.38})
    other = w.choose_alternative(local, weights)
    leaders = other.scores.set_index("alternative")[["distributive", "ideal"]].idxmax()
    assert ("The mode decides" in other.verdict) == (leaders.nunique() == 2)


def test_ratings_divide_by_the_best_and_refuse_what_is_not_positive():
    money = pd.DataFrame({"tco": [200.0, 100.0], "fit": [9.0, 3.0]}, index=["own", "rented"])
    found = w.rated_priorities(money, ["tco"])
    assert found["tco"].tolist() == [0.5, 1.0] and found["fit"].tolist() == [1.0, 3 / 9]
    money.loc["own", "fit"] = 0
    with pytest.raises(InputError, match="'own' on 'fit'"):
        w.rated_priorities(money)


@pytest.mark.parametrize("number", range(3))
def test_total_cost_and_return_agree_with_the_examples(seed_examples, number):
    e = seed_examples["tco"][number]
    costs, gains = e["costs_year_0_on"], e["benefits_year_0_on"]
    assert w.total_cost(costs, e["rate"]) == pytest.approx(e["tco_npv"], abs=1e-6)
    assert w.total_cost(gains, e["rate"]) == pytest.approx(e["benefit_pv"], abs=1e-6)
    assert w.return_on_investment(gains, costs, e["rate"]) == pytest.approx(e["roi"], abs=1e-6)


def test_alternatives_refuse_judgements_that_are_not_reciprocal():
    matrix = pd.DataFrame([[1, 3], [1, 1]], index=["A", "B"], columns=["A", "B"])
    with pytest.raises(InputError, match="not reciprocal"):
        w.local_priorities({"ease": matrix})
    with pytest.raises(InputError, match="not non-negative with sum 1"):
        w.choose_alternative(pd.DataFrame({"k": [1, 2]}), pd.Series({"k": 2.0}))
