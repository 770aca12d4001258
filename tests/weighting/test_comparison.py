import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from cvlib.inputs.errors import InputError
from cvlib.weighting.agreement import (
    agreement,
    aitchison_distance,
    discordant_pairs,
    grade_migration,
    kendall_w,
    rank_biased_overlap,
    rank_reversals,
    ws,
)


def test_ws_of_the_published_pair():
    """Sałabun & Urbaniak (2020): 12345 against 13245."""
    assert ws([1, 2, 3, 4, 5], [1, 3, 2, 4, 5]) == pytest.approx(0.854167, abs=5e-7)
    assert ws([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == 1
    assert ws([1, 2, 3, 4, 5], [2, 1, 3, 4, 5]) < ws([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    a, b = [1, 2, 3, 4], [3, 1, 2, 4]
    assert ws(a, b) != pytest.approx(ws(b, a))


def test_agreement_columns_against_scipy_with_ties():
    scores = pd.DataFrame({"a": [4.0, 3, 3, 2, 1, 0], "b": [4.0, 3, 2, 2, 1, 1]})
    weights = pd.DataFrame({"a": [0.5, 0.3, 0.2], "b": [0.2, 0.3, 0.5]})
    row = agreement(weights, scores, top=0.5).iloc[0]
    assert (row["a"], row["b"]) == ("a", "b")
    assert row["kendall_tau_b"] == pytest.approx(stats.kendalltau(scores["a"], scores["b"])[0])
    assert row["spearman"] == pytest.approx(stats.spearmanr(scores["a"], scores["b"])[0])
    mean = (weights["a"] + weights["b"]) / 2
    divergence = [(weights[k] * np.log2(weights[k] / mean)).sum() for k in "ab"]
    assert row["js_distance"] == pytest.approx(np.sqrt(sum(divergence) / 2))
    assert row["max_weight_difference"] == pytest.approx(0.3)
    assert row["top_k_overlap"] == pytest.approx(2.5 / 3)  # b ties two customers for place three


def test_tau_b_counts_ties_where_a_rival_does_not():
    """Eight pairs agree, one is tied in each: τ-b is 8/9; pymcdm ignores ties and says 8/10."""
    scores = pd.DataFrame({"a": [5, 4, 4, 3, 2], "b": [5, 4, 3, 2, 2]})
    weights = pd.DataFrame({"a": [1.0], "b": [1.0]})
    assert agreement(weights, scores)["kendall_tau_b"].iloc[0] == pytest.approx(8 / 9)


def test_agreement_needs_weights_and_complete_scores():
    scores = pd.DataFrame({"a": [1.0, 2], "b": [2.0, np.nan]})
    with pytest.raises(InputError, match="a score is missing"):
        agreement(pd.DataFrame({"a": [1.0], "b": [1.0]}), scores)
    with pytest.raises(InputError, match="no weights for 'b'"):
        agreement(pd.DataFrame({"a": [1.0]}), scores.dropna())


def test_agreement_of_a_flat_ranking_is_absent_not_wrong():
    scores = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 1, 1]})
    row = agreement(pd.DataFrame({"a": [1.0], "b": [1.0]}), scores).iloc[0]
    assert np.isnan(row["kendall_tau_b"]) and np.isnan(row["spearman"])


def test_rank_biased_overlap_by_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.permutation(30) + 1.0, rng.permutation(30) + 1.0
    p = 0.9
    first_a, first_b = np.argsort(a), np.argsort(b)
    share = [len(set(first_a[:d]) & set(first_b[:d])) / d for d in range(1, 31)]
    expected = share[-1] * p**30 + (1 - p) / p * sum(s * p**d for d, s in enumerate(share, 1))
    assert rank_biased_overlap(a, b, p) == pytest.approx(expected)
    assert rank_biased_overlap(a, a, p) == pytest.approx(1)
    short = rank_biased_overlap(a, b, p, depth=10)
    cut = share[9] * p**10 + (1 - p) / p * sum(s * p**d for d, s in enumerate(share[:10], 1))
    assert short == pytest.approx(cut)
    apart = rank_biased_overlap(np.arange(1.0, 101), np.arange(100.0, 0, -1), p, depth=50)
    assert apart == pytest.approx(0)


def test_aitchison_distance_is_the_euclidean_distance_of_log_ratios():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])

    def clr(w):
        return np.log(w) - np.log(w).mean()

    assert aitchison_distance(p, q) == pytest.approx(np.linalg.norm(clr(p) - clr(q)))
    assert aitchison_distance(p, p) == 0
    assert aitchison_distance(np.array([1.0, 0]), np.array([0.5, 0.5])) == np.inf


def test_kendall_w_is_the_mean_spearman_rescaled():
    """W = ((k − 1) mean ρ + 1)/k holds exactly without ties (Kendall & Babington Smith 1939)."""
    rng = np.random.default_rng(3)
    scores = pd.DataFrame(rng.random((25, 4)))
    rho = scores.rank().corr().to_numpy()[np.triu_indices(4, 1)].mean()
    found = kendall_w(scores).set_index("measure")["value"]
    assert found["w"] == pytest.approx((3 * rho + 1) / 4)
    assert found["chi2"] == pytest.approx(4 * 24 * found["w"])
    assert found["p"] == pytest.approx(stats.chi2.sf(found["chi2"], 24))


def test_kendall_w_with_ties_against_friedman():
    """χ² = k (n − 1) W is Friedman's statistic with the raters as blocks, ties included."""
    rng = np.random.default_rng(4)
    scores = pd.DataFrame(rng.integers(0, 4, size=(8, 5)).astype(float))
    found = kendall_w(scores).set_index("measure")["value"]
    friedman = stats.friedmanchisquare(*scores.to_numpy())
    assert found["chi2"] == pytest.approx(friedman.statistic)
    assert found["p"] == pytest.approx(friedman.pvalue)
    same = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 2, 3]})
    assert kendall_w(same)["value"].iloc[0] == pytest.approx(1)


def test_grade_migration_and_quadratic_kappa_against_scikit_learn():
    rng = np.random.default_rng(5)
    names = ["A", "B", "C"]
    a = pd.Series(pd.Categorical.from_codes(rng.integers(0, 3, 90), names, ordered=True))
    b = pd.Series(pd.Categorical.from_codes(rng.integers(0, 3, 90), names, ordered=True))
    table, kappa = grade_migration(a, b)
    expected = cohen_kappa_score(a.cat.codes, b.cat.codes, weights="quadratic")
    assert kappa == pytest.approx(expected)
    cross = pd.crosstab(a, b).to_numpy().ravel()
    assert table["customers"].tolist() == cross.tolist()
    assert table["share"].sum() == pytest.approx(1)
    assert grade_migration(a, a)[1] == 1
    with pytest.raises(InputError, match="differ"):
        grade_migration(a, b.iloc[::-1])


def test_discordant_pairs_by_counting():
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 6, 40).astype(float), rng.integers(0, 6, 40).astype(float)
    above = np.triu_indices(40, 1)
    turned = np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))
    assert discordant_pairs(x, y) == (turned[above] < 0).sum()
    assert discordant_pairs(x, np.ones(40)) == 0


def test_rank_reversal_when_the_customer_who_holds_a_bound_leaves():
    table = pd.DataFrame(
        {"p": [0.0, 5.0, 6.0, 100.0], "q": [9.0, 5.0, 4.0, 0.0]}, index=list("wxyz")
    )

    def weighted(frame):
        x = frame.to_numpy()
        return ((x - x.min(axis=0)) / np.ptp(x, axis=0)) @ [0.55, 0.45]

    found = rank_reversals(table, weighted).set_index(["customer", "event"])
    assert found.loc[("z", "leaves"), "reversed_pairs"] > 0
    assert (found.xs("copied", level="event")["reversed_pairs"] == 0).all()
    frozen = rank_reversals(table, lambda frame: frame.to_numpy() @ [0.1, 0.3])
    assert (frozen["reversed_pairs"] == 0).all()
