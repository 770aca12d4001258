"""Groups of experts: identities, known parameters, AHPy, and what is said of dissent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.statistics.resample import Bootstrap
from cvlib.weighting.experts.agreement import consensus_indicator
from cvlib.weighting.experts.ahp import eigenvector, geometric_consistency_index, geometric_mean
from cvlib.weighting.experts.group import aggregate_judgements, aggregate_priorities, expert_weights
from cvlib.weighting.experts.judgements import Pair, collect, from_pairs
from cvlib.weighting.tree import load_tree

RETAIL, RFM = load_tree("retail"), load_tree("rfm")


def truth(tree, seed, concentration=3.0):
    rng = np.random.default_rng(seed)
    return {n: rng.dirichlet(np.full(len(b), concentration)) for n, b in tree.compared.items()}


def judged(tree, true, sd, rng):
    """An expert's judgements: the true ratios with lognormal noise."""
    return [
        Pair(a, b, float(np.clip(w[i] / w[j] * np.exp(rng.normal(0, sd)), 1 / 9, 9)), f"{a}|{b}")
        for node, w in true.items()
        for i, a in enumerate(tree.compared[node])
        for j, b in enumerate(tree.compared[node])
        if i < j
    ]


def panel(tree, trues, sd=0.25, seed=1):
    rng = np.random.default_rng(seed)
    return collect(tree, {f"e{k}": judged(tree, t, sd, rng) for k, t in enumerate(trues)}, "panel")


def random_stack(experts, n, seed):
    upper = np.triu(np.random.default_rng(seed).normal(0, 1, (experts, n, n)), 1)
    return np.exp(upper - np.swapaxes(upper, -1, -2))


def global_of(result, method="ahp_eigenvector"):
    rows = result.weights[result.weights["method"] == method]
    return rows.set_index("indicator")["global_weight"]


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(2, 7), st.integers(0, 10_000))
def test_aggregated_judgements_equal_aggregated_priorities(experts, n, seed):
    """AIJ = geometric AIP under the row geometric mean (Barzilai & Golany 1990)."""
    stack = random_stack(experts, n, seed)
    alpha = np.random.default_rng(seed).dirichlet(np.ones(experts))
    joint = aggregate_judgements(stack, alpha)
    assert joint * joint.T == pytest.approx(np.ones((n, n)))
    by_priorities = aggregate_priorities(geometric_mean(stack), alpha, "geometric")
    assert geometric_mean(joint) == pytest.approx(by_priorities, abs=1e-14)
    # and the group's geometric consistency is never worse than the worst member's
    worst = max(geometric_consistency_index(matrix) for matrix in stack)
    assert geometric_consistency_index(joint) <= worst + 1e-12


def test_the_identity_holds_over_a_whole_tree():
    group = panel(RETAIL, [truth(RETAIL, s) for s in range(5)])
    results = [
        global_of(
            expert_weights(RETAIL, group, methods=("geometric_mean",), aggregation=aggregation),
            "ahp_geometric_mean",
        )
        for aggregation in ("aij", "aip_geometric", "aip_arithmetic")
    ]
    assert results[0].to_numpy() == pytest.approx(results[1].to_numpy(), abs=1e-14)
    assert np.abs(results[0] - results[2]).max() > 1e-3


def test_global_weights_agree_with_ahpy():
    import ahpy

    group = panel(RETAIL, [truth(RETAIL, 3)])
    ((expert, matrices),) = group.matrices.items()
    nodes = {}
    for node, matrix in matrices.items():
        below = list(matrix.index)
        pairs = {(a, b): matrix.loc[a, b] for i, a in enumerate(below) for b in below[i + 1 :]}
        nodes[node] = ahpy.Compare(node, pairs, precision=8)
    nodes["retail"].add_children([nodes[n] for n in RETAIL.compared["retail"]])
    ours = global_of(expert_weights(RETAIL, group))
    for leaf in RETAIL.leaves:
        assert nodes["retail"].target_weights[leaf] == pytest.approx(ours[leaf], abs=1e-7)
    assert ours[list(RETAIL.leaves)].sum() == pytest.approx(1)
    assert expert == "e0"


def test_local_weights_multiply_to_global_and_total_consistency_is_weighted():
    group = panel(RETAIL, [truth(RETAIL, 3)], sd=0.6)
    result = expert_weights(RETAIL, group)
    rows = result.weights[result.weights["method"] == "ahp_eigenvector"].set_index("indicator")
    for leaf in RETAIL.leaves:
        above = rows.loc[RETAIL.parent(leaf)]
        assert rows.loc[leaf, "global_weight"] == pytest.approx(
            rows.loc[leaf, "local_weight"] * above["global_weight"]
        )
    checks = result.consistency.set_index("node")
    weight = rows["global_weight"].reindex(checks.index).fillna(1.0)
    total = (weight * checks["ci"]).sum() / (weight * checks["ri"]).sum()
    assert result.total_consistency["cr_total"].iloc[0] == pytest.approx(total)
    own = result.expert_weights.drop(columns="expert")
    pd.testing.assert_frame_equal(own, result.weights[own.columns])


def test_identical_experts_agree_perfectly():
    pairs = judged(RETAIL, truth(RETAIL, 1), 0.3, np.random.default_rng(0))
    group = collect(RETAIL, dict.fromkeys("abcd", pairs), "panel")
    result = expert_weights(RETAIL, group, bootstrap=Bootstrap(50))
    one = expert_weights(RETAIL, collect(RETAIL, {"a": pairs}, "panel"))
    assert global_of(result).to_numpy() == pytest.approx(global_of(one).to_numpy(), abs=1e-14)
    assert result.consensus["consensus"].to_numpy() == pytest.approx(np.ones(4))
    assert set(result.consensus["band"]) == {"high"}
    assert result.consensus["kendall_w"].to_numpy() == pytest.approx(np.ones(4))
    assert result.consensus["mean_spearman"].to_numpy() == pytest.approx(np.ones(4))
    assert (result.weights["ci_high"] - result.weights["ci_low"]).abs().max() < 1e-12
    assert result.influence["change"].abs().max() < 1e-12
    assert set(result.clusters["cluster"]) == {1}
    assert one.consensus.empty and one.influence.empty and one.clusters.empty


def test_importance_two_is_the_expert_twice():
    trues = [truth(RFM, s) for s in range(3)]
    group = panel(RFM, trues)
    weighted = expert_weights(RFM, group, importance={"e1": 2.0})
    matrices = dict(group.matrices) | {"again": group.matrices["e1"]}
    from dataclasses import replace

    twice = expert_weights(RFM, replace(group, matrices=matrices))
    assert global_of(weighted).to_numpy() == pytest.approx(global_of(twice).to_numpy(), abs=1e-14)
    only = expert_weights(RFM, group, importance={"e0": 0, "e2": 0})
    alone = eigenvector(group.matrices["e1"]["rfm"].to_numpy())[0]
    assert global_of(only).to_numpy() == pytest.approx(alone, abs=1e-14)
    assert only.influence.empty


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_consensus_indicator_spans_zero_to_one(n):
    extreme = (np.ones((n, n)) + 8 * np.eye(n)) / (n + 8)
    assert consensus_indicator(extreme) == pytest.approx((0, 0), abs=1e-12)
    assert consensus_indicator(extreme[:1].repeat(4, axis=0)) == pytest.approx((1, 1))
    # two experts on items of their own: zero by the first formula; the revised one sees that
    # they leave other items alike
    original, revised = consensus_indicator(extreme[:2])
    assert original == pytest.approx(0, abs=1e-12)
    assert revised >= -1e-12 and (revised > 0.1) == (n > 2)


def test_consensus_indicator_by_hand():
    """Two experts, three items: .6 .3 .1 and .2 .5 .3, the entropies written out."""
    alpha = (
        -0.6 * np.log(0.6) - 0.3 * np.log(0.3) - 0.1 * np.log(0.1)
        - 0.2 * np.log(0.2) - 0.5 * np.log(0.5) - 0.3 * np.log(0.3)
    ) / 2  # fmt: skip
    gamma = -0.4 * np.log(0.4) - 0.4 * np.log(0.4) - 0.2 * np.log(0.2)
    lowest = -9 / 11 * np.log(9 / 11) - 2 / 11 * np.log(1 / 11)
    highest = -1 / 11 * np.log(1 / 11) - 10 / 11 * np.log(5 / 11)
    expected = [
        (np.exp(alpha - gamma) - np.exp(lowest - top)) / (1 - np.exp(lowest - top))
        for top in (highest, np.log(3))
    ]
    found = consensus_indicator(np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]]))
    assert found == pytest.approx(expected)


def test_mean_spearman_and_kendall_w_are_one_number_without_ties():
    result = expert_weights(RETAIL, panel(RETAIL, [truth(RETAIL, s) for s in range(6)]))
    k = 6
    expected = (k * result.consensus["kendall_w"] - 1) / (k - 1)
    assert result.consensus["mean_spearman"].to_numpy() == pytest.approx(expected.to_numpy())


def test_experts_who_rank_nothing_have_no_rank_agreement():
    flat = {"recency|frequency": 1, "recency|monetary": 1}
    pairs = [Pair(*name.split("|"), value, name) for name, value in flat.items()]
    result = expert_weights(RFM, collect(RFM, {"a": pairs, "b": pairs}, "panel"))
    row = result.consensus.iloc[0]
    assert row["consensus"] == pytest.approx(1) and np.isnan(row["kendall_w"])
    assert any("for a rank agreement" in warning for warning in result.warnings)


def test_a_known_weighting_is_recovered_from_noisy_experts():
    true = truth(RETAIL, 11)
    result = expert_weights(
        RETAIL, panel(RETAIL, [true] * 40, sd=0.3, seed=5), bootstrap=Bootstrap(400)
    )
    rows = result.weights[result.weights["method"] == "ahp_geometric_mean"].set_index("indicator")
    for node, weights in true.items():
        below = list(RETAIL.compared[node])
        assert rows.loc[below, "local_weight"].to_numpy() == pytest.approx(weights, abs=0.02)
    expected = {
        n: w for node in true for n, w in zip(RETAIL.compared[node], true[node], strict=True)
    }
    for leaf in RETAIL.leaves:
        expected[leaf] *= expected[RETAIL.parent(leaf)]
    inside = [rows.loc[n, "ci_low"] <= expected[n] <= rows.loc[n, "ci_high"] for n in expected]
    assert np.mean(inside) > 0.75


def test_bootstrap_interval_against_theory():
    """Two items: logit of the weight is the mean of ln a over experts, standard error sd/√k."""
    pairs = np.exp(np.random.default_rng(2).normal(0.7, 0.5, 40))
    tree = load_tree("delivered_value")
    true = truth(tree, 0)
    group = panel(tree, [true] * 40, sd=0.0)
    for matrices, a in zip(group.matrices.values(), pairs, strict=True):
        matrices["delivered_value"].iloc[0, 1] = a
        matrices["delivered_value"].iloc[1, 0] = 1 / a
    result = expert_weights(tree, group, bootstrap=Bootstrap(6000))
    row = result.weights.iloc[0]
    half = 1.96 * np.log(pairs).std() / np.sqrt(40)
    logit = [np.log(row[c] / (1 - row[c])) for c in ("ci_low", "global_weight", "ci_high")]
    assert logit[1] == pytest.approx(np.log(pairs).mean(), abs=1e-12)
    assert logit[2] - logit[1] == pytest.approx(half, rel=0.08)
    assert logit[1] - logit[0] == pytest.approx(half, rel=0.08)


def test_perturbation_interval_of_one_expert_against_theory():
    tree = load_tree("enterprise")
    group = panel(tree, [truth(tree, 0)], sd=0.0)
    result = expert_weights(tree, group, bootstrap=Bootstrap(20_000, 4), perturbation=0.2)
    rows = result.weights.set_index("indicator").loc["order_volume"].iloc[0]
    local = rows["local_weight"]
    assert rows["ci_low"] < rows["global_weight"] < rows["ci_high"]
    # dimension and indicator noise are independent: compare with a direct simulation
    rng = np.random.default_rng(9)
    dimension = random_stack_around(group.matrices["e0"]["enterprise"].to_numpy(), 0.2, rng)
    indicator = 1 / (1 + np.exp(-(np.log(local / (1 - local)) + rng.normal(0, 0.2, 20_000))))
    product = geometric_mean(dimension)[:, 0] * indicator
    expected = np.quantile(product, [0.025, 0.975])
    assert [rows["ci_low"], rows["ci_high"]] == pytest.approx(expected, rel=0.02)
    # without a spread given the expert's own inconsistency is used: none here, so no width
    own = expert_weights(tree, group, bootstrap=Bootstrap(50))
    assert (own.weights["ci_high"] - own.weights["ci_low"]).max() < 1e-9
    assert any("one expert" in warning for warning in own.warnings)


def random_stack_around(matrix, sd, rng):
    upper = np.triu(rng.normal(0, sd, (20_000, *matrix.shape)), 1)
    return matrix * np.exp(upper - np.swapaxes(upper, -1, -2))


def test_intervals_repeat_with_the_seed():
    group = panel(RFM, [truth(RFM, s) for s in range(8)])
    first, again = (
        expert_weights(RFM, group, bootstrap=Bootstrap(100, 3)).weights for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, again)
    other = expert_weights(RFM, group, bootstrap=Bootstrap(100, 4)).weights
    assert not other["ci_low"].equals(first["ci_low"])


def test_the_dissenter_is_seen():
    near, far = truth(RETAIL, 1), truth(RETAIL, 2, concentration=0.8)
    group = panel(RETAIL, [near] * 7 + [far], sd=0.1)
    result = expert_weights(RETAIL, group)
    influence = result.influence.set_index("expert")
    assert influence["change"].abs().idxmax() == "e7"
    rest = {name: m for name, m in group.matrices.items() if name != "e7"}
    from dataclasses import replace

    without = global_of(expert_weights(RETAIL, replace(group, matrices=rest)))
    row = influence.loc["e7"]
    change = without - global_of(result)
    assert row["change"] == pytest.approx(change[row["indicator"]], abs=1e-14)
    ends = list(RETAIL.weighted)
    assert abs(row["change"]) == pytest.approx(change[ends].abs().max())
    tau = stats.kendalltau(global_of(result)[ends], without[ends]).statistic
    assert row["kendall_tau_b"] == pytest.approx(tau)
    clusters = result.clusters.set_index("expert")["cluster"]
    assert clusters.drop("e7").nunique() == 1 and clusters["e7"] != clusters["e0"]


def test_two_schools_of_experts_are_told_apart():
    one, two = truth(RETAIL, 1), truth(RETAIL, 2)
    result = expert_weights(RETAIL, panel(RETAIL, [one] * 6 + [two] * 5, sd=0.25))
    cluster = result.clusters["cluster"].to_numpy()
    assert len(set(cluster[:6])) == len(set(cluster[6:])) == 1 and cluster[0] != cluster[6]


def test_every_experts_ratio_is_kept_beside_the_groups():
    group = panel(RETAIL, [truth(RETAIL, s) for s in range(6)], sd=1.0)
    result = expert_weights(RETAIL, group)
    by_expert = result.consistency.groupby("expert")["cr"].max()
    assert set(by_expert.index) == {f"e{k}" for k in range(6)} | {"(group)"}
    assert by_expert["(group)"] < by_expert.drop("(group)").min()
    bad = result.consistency[~result.consistency["acceptable"]]
    assert set(zip(bad["expert"], bad["node"], strict=True)) == set(
        zip(result.suggestions["expert"], result.suggestions["node"], strict=True)
    )
    assert any("hides this" in warning for warning in result.warnings)
    assert any("differ in number of leaves" in warning for warning in result.warnings)


def test_experts_who_skipped_different_judgements():
    tree = load_tree("satisfaction_evaluation")
    a, b, c, d = tree.leaves
    true = {tree.name: np.array([0.4, 0.3, 0.2, 0.1])}
    every = judged(tree, true, 0.0, np.random.default_rng(0))
    chains = [{(a, b), (b, c), (c, d)}, {(a, c), (a, b), (a, d)}]
    experts = {
        f"e{k}": [p for p in every if (p.row, p.column) in chain] for k, chain in enumerate(chains)
    }
    result = expert_weights(tree, collect(tree, experts, "panel"), bootstrap=Bootstrap(30))
    assert global_of(result)[list(tree.leaves)].to_numpy() == pytest.approx(true[tree.name])
    assert sorted(result.consistency["missing"]) == [1, 3, 3]
    assert any("not given" in warning for warning in result.warnings)


def test_more_than_fifteen_items(tmp_path):
    names = [f"i{k}" for k in range(17)]
    leaves = "".join(f"  {n}: {{en: {n}, direction: benefit}}\n" for n in names)
    (tmp_path / "wide.yaml").write_text(f"name: wide\nchildren:\n{leaves}")
    tree = load_tree(tmp_path / "wide.yaml")
    every = {f"{a}|{b}": (i + j) % 4 + 1 for i, a in enumerate(names)
             for j, b in enumerate(names) if i < j}  # fmt: skip
    result = expert_weights(tree, from_pairs(tree, every))
    assert result.consistency["ri"].iloc[0] == pytest.approx((1.7699 * 17 - 4.3513) / 16)
    assert any("linear fit" in warning for warning in result.warnings)
    with pytest.raises(InputError, match="ends at 15 items and 17"):
        expert_weights(tree, from_pairs(tree, every), table="donegan_dodd")


def test_single_children_minimum_nodes_and_gates():
    credit = load_tree("credit")
    group = panel(credit, [truth(credit, 0)])
    result = expert_weights(credit, group)
    weights = global_of(result)
    assert weights["collateral_cover"] == weights["collateral"]
    assert "aml_review" not in weights.index and "admission" not in weights.index
    assert weights[list(credit.weighted)].sum() == pytest.approx(1)
    maturity = load_tree("crm_maturity")
    with pytest.raises(InputError, match="nothing to weight"):
        expert_weights(maturity, group)


def test_wrong_requests():
    group = panel(RFM, [truth(RFM, 0), truth(RFM, 1)])
    with pytest.raises(InputError, match="aij"):
        expert_weights(RFM, group, aggregation="aji")
    with pytest.raises(InputError, match="'eigenvector'"):
        expert_weights(RFM, group, methods=("eigenvectors",))
    with pytest.raises(InputError, match="is no expert"):
        expert_weights(RFM, group, importance={"nobody": 1})
    with pytest.raises(InputError, match="is -1"):
        expert_weights(RFM, group, importance={"e0": -1})
    with pytest.raises(InputError, match="zero for every expert"):
        expert_weights(RFM, group, importance={"e0": 0, "e1": 0})
