"""Suggestions, triads, cycles, blend and critical weights against hand calculation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.experts.ahp import consistency, eigenvector, geometric_mean
from cvlib.weighting.experts.consistency import (
    blend,
    critical_weights,
    cycles,
    suggestions,
    worst_triad,
)
from cvlib.weighting.experts.hierarchy import global_weights
from cvlib.weighting.tree import load_tree

EXAMPLES = {
    example["id"]: pd.DataFrame(example["matrix"], example["items"], example["items"])
    for example in json.loads(
        (Path(__file__).parents[1] / "reference" / "weighting" / "ahp_examples.json").read_text()
    )
}
HOUSE = EXAMPLES["ahp02_house"]


def changed(matrix, row, column, value):
    other = matrix.copy()
    other.loc[row, column], other.loc[column, row] = value, 1 / value
    return other


def random_matrix(n, seed):
    rng = np.random.default_rng(seed)
    values = np.ones((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            values[i, j] = rng.integers(1, 10) ** rng.choice([-1.0, 1.0])
            values[j, i] = 1 / values[i, j]
    return pd.DataFrame(values, list("abcdefghij")[:n], list("abcdefghij")[:n])


def test_judgements_that_are_equal_on_paper_are_told_in_their_order():
    """A circle of equal judgements: which one is furthest off must not hang on a last bit."""
    circle = random_matrix(3, 0)
    for row, column in (("a", "b"), ("b", "c"), ("c", "a")):
        circle = changed(circle, row, column, 3.0)
    for away in (0.0, 1e-14, -1e-14):
        found = suggestions(circle * np.exp(away * np.arange(9).reshape(3, 3)))
        assert list(zip(found["row"], found["column"], strict=True)) == [
            ("a", "b"), ("c", "a"), ("b", "c"),
        ]  # fmt: skip
    pairs = random_matrix(6, 0) * 0 + 1
    for first, second, third in ("abc", "def"):
        for row, column in ((first, second), (second, third), (third, first)):
            pairs = changed(pairs, row, column, 5.0)
    for away in (0.0, 1e-14, -1e-14):
        triad = worst_triad(pairs * np.exp(away * np.arange(36).reshape(6, 6)))
        assert triad.iloc[0, :3].tolist() == ["a", "b", "c"]


def test_the_three_most_inconsistent_judgements_of_the_house():
    found = suggestions(HOUSE)
    pairs = list(zip(found["row"], found["column"], strict=True))
    assert pairs == [
        ("neighbourhood", "condition"),
        ("size", "neighbourhood"),
        ("condition", "size"),
    ]
    w = dict(zip(HOUSE.index, eigenvector(HOUSE.to_numpy())[0], strict=True))
    for row in found.itertuples():
        assert row.implied == pytest.approx(w[row.row] / w[row.column])
        assert row.judgement == HOUSE.loc[row.row, row.column]
        assert row.ratio == pytest.approx(row.judgement / row.implied)
        after = consistency(changed(HOUSE, row.row, row.column, row.suggested))["cr"]
        assert row.cr_after == pytest.approx(after, abs=1e-12)
        mended = consistency(changed(HOUSE, row.row, row.column, row.mending_value))["cr"]
        assert row.cr_mended == pytest.approx(mended, abs=1e-12)
        for value in (1 / 9, 1 / 5, 1 / 2, 1, 2, 5, 9):
            other = consistency(changed(HOUSE, row.row, row.column, value))["cr"]
            assert other >= mended - 1e-12
    # the one judgement out of line: put right, the ratio falls from .170 to below .10
    assert found["mending_value"].iloc[0] == 0.5 and found["cr_mended"].iloc[0] < 0.085


def test_a_planted_error_is_found_and_its_value_restored():
    w = np.array([8, 4, 4, 2, 1])
    true = pd.DataFrame(w[:, None] / w, list("abcde"), list("abcde"))
    wrong = changed(true, "a", "d", 1 / 4)
    first = suggestions(wrong).iloc[0]
    assert {first["row"], first["column"]} == {"a", "d"}
    restored = first["mending_value"] if first["row"] == "a" else 1 / first["mending_value"]
    assert restored == pytest.approx(4) and first["cr_mended"] == pytest.approx(0, abs=1e-12)
    assert {"a", "d"} < set(worst_triad(wrong).iloc[0, :3])
    assert suggestions(true).empty and cycles(true).empty
    assert worst_triad(true)["koczkodaj"].iloc[0] == pytest.approx(0)


def test_worst_triad_of_the_house_by_hand():
    row = worst_triad(HOUSE).iloc[0]
    assert tuple(row[:3]) == ("size", "neighbourhood", "condition")
    # 3 times 6 against 1/3
    assert row["koczkodaj"] == pytest.approx(1 - (1 / 3) / 18)


def test_nothing_to_say_of_two_items():
    pair = pd.DataFrame([[1, 3], [1 / 3, 1]], ["a", "b"], ["a", "b"])
    assert suggestions(pair).empty and worst_triad(pair).empty and cycles(pair).empty


def test_missing_judgements_are_passed_over():
    matrix = HOUSE.copy()
    matrix.loc["size", "neighbourhood"] = matrix.loc["neighbourhood", "size"] = np.nan
    found = suggestions(matrix, top=50)
    assert len(found) == 27
    assert not ((found["row"] == "size") & (found["column"] == "neighbourhood")).any()
    assert {"size", "neighbourhood"} - set(worst_triad(matrix).iloc[0, :3])
    assert cycles(matrix).empty


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [3, 5, 8])
def test_number_of_cycles_is_kendalls(n, seed):
    matrix = random_matrix(n, seed).replace(1.0, 2.0)
    values = matrix.to_numpy(copy=True)
    values[np.tril_indices(n, -1)] = (1 / values.T)[np.tril_indices(n, -1)]
    matrix = pd.DataFrame(values, matrix.index, matrix.columns)
    wins = (values > 1).sum(axis=1) - 1  # the diagonal became 2
    expected = n * (n - 1) * (2 * n - 1) / 12 - (wins**2).sum() / 2
    np.fill_diagonal(values, 1)
    found = cycles(pd.DataFrame(values, matrix.index, matrix.columns))
    assert len(found) == expected
    for first, second, third in found.itertuples(index=False):
        assert matrix.loc[first, second] > 1 and matrix.loc[second, third] > 1
        assert matrix.loc[third, first] > 1


def test_blend_reaches_the_threshold_keeps_the_weights_and_the_cycle():
    blended = blend(HOUSE, threshold=0.10)
    crs = blended.steps["cr"].to_numpy()
    assert crs[0] == pytest.approx(0.169616, abs=6e-7)
    assert crs[-1] <= 0.10 < crs[-2] and (np.diff(crs) < 0).all()
    values = blended.matrix.to_numpy()
    assert values * values.T == pytest.approx(np.ones((8, 8)))
    off = np.abs(values - HOUSE.to_numpy())
    assert blended.steps["distance"].iloc[-1] == pytest.approx(off.max())
    assert blended.steps["deviation"].iloc[-1] == pytest.approx(np.sqrt((off**2).sum()) / 8)
    before, after = geometric_mean(HOUSE.to_numpy()), geometric_mean(values)
    assert np.abs(before - after).max() < 0.02
    # a numerical repair does not mend the logic
    assert len(cycles(blended.matrix)) == 1
    assert any("cycle" in warning for warning in blended.warnings)
    assert any("ask the expert again" in warning for warning in blended.warnings)


def test_blend_leaves_an_acceptable_matrix_alone():
    leader = EXAMPLES["ahp04_leader"]
    blended = blend(leader)
    assert len(blended.steps) == 1 and blended.matrix.equals(leader) and not blended.warnings
    with pytest.raises(InputError, match="not a number between 0 and 1"):
        blend(leader, keep=1.0)


def weights_of(tree, seed):
    rng = np.random.default_rng(seed)
    local = {node: rng.dirichlet(np.ones(len(b))) for node, b in tree.compared.items()}
    return local, pd.Series({k: float(v) for k, v in global_weights(tree, local).items()})


@pytest.mark.parametrize("name", ["rfm", "retail", "organisational"])
@pytest.mark.parametrize("with_values", [False, True])
def test_alternatives_tie_at_the_critical_weight(name, with_values):
    tree = load_tree(name)
    local, overall = weights_of(tree, seed=4)
    ends = list(tree.weighted)
    rng = np.random.default_rng(5)
    values = pd.DataFrame(rng.uniform(size=(12, len(ends))), [f"c{i}" for i in range(12)], ends)
    table = values if with_values else pd.DataFrame(np.eye(len(ends)), ends, ends)
    found = critical_weights(tree, overall, values if with_values else None, top=6)
    assert len(found) > 0
    assert found["relative_change"].abs().is_monotonic_increasing
    now = table[ends] @ overall[ends]
    for row in found.itertuples():
        assert now[row.first] >= now[row.second]
        parent = tree.parent(row.node)
        place = tree.compared[parent].index(row.node)
        share = local[parent].copy()
        assert row.weight == pytest.approx(share[place])
        share *= (1 - row.critical_weight) / (1 - share[place])
        share[place] = row.critical_weight
        new = global_weights(tree, {**local, parent: share})
        scores = table[ends] @ np.array([float(new[end]) for end in ends])
        assert scores[row.first] == pytest.approx(scores[row.second], abs=1e-12)
        assert row.relative_change == pytest.approx(row.critical_weight / row.weight - 1)


def test_rank_of_two_indicators_by_hand():
    tree = load_tree("rfm")
    found = critical_weights(tree, pd.Series({"recency": 0.5, "frequency": 0.3, "monetary": 0.2}))
    row = found[(found["node"] == "recency") & (found["second"] == "frequency")].iloc[0]
    # x = 0.3 (1 - x)/0.5
    assert row["critical_weight"] == pytest.approx(0.375)
    # frequency and monetary keep their proportion when recency moves: no crossing to list
    pairs = found[(found["node"] == "recency") & (found["first"] == "frequency")]
    assert pairs.empty
