import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.statistics.classes import class_sizes
from cvlib.weighting.scale import normalise
from cvlib.weighting.smaa import acceptability, class_counts, draw_weights


def test_uniform_weights_are_uniform_on_the_simplex():
    w = draw_weights(["a", "b", "c"], 20_000, seed=1)
    np.testing.assert_allclose(w.sum(axis=1), 1)
    # Each weight is Beta(1, 2) on the uniform simplex of three.
    assert stats.kstest(w[:, 0], stats.beta(1, 2).cdf).pvalue > 0.01


def test_dirichlet_weights_have_the_stated_mean_and_spread():
    centre = pd.Series({"a": 0.7, "b": 0.3, "c": 0.0})
    w = draw_weights(["a", "b", "c"], 50_000, centre=centre, concentration=80, seed=2)
    np.testing.assert_allclose(w.mean(axis=0), centre, atol=0.002)
    np.testing.assert_allclose(w.std(axis=0), np.sqrt(centre * (1 - centre) / 81), atol=0.001)
    assert (w[:, 2] == 0).all()
    assert (draw_weights("ab", 5, seed=3) == draw_weights("ab", 5, seed=3)).all()
    for centre, kappa in ((pd.Series({"a": 1.0}), 10), (pd.Series({"a": 0.5, "b": 0.5}), 0)):
        with pytest.raises(InputError, match="non-negative weight for every indicator"):
            draw_weights(["a", "b"], 5, centre=centre, concentration=kappa)


def test_two_indicators_have_a_closed_form(flat):
    """Scores w and 1 − w and a middle one: who is first depends on w against known points."""
    result = acceptability(
        normalise(flat([[1, 0], [0, 1], [0.6, 0.6]])),
        draw_weights(["c0", "c1"], 10_000, seed=4),
        shares=[1 / 3, 2 / 3],
    )
    np.testing.assert_allclose(result.ranks[1], [0.4, 0.4, 0.2], atol=0.015)
    np.testing.assert_allclose(result.ranks.sum(axis=1), 1)
    np.testing.assert_allclose(result.winning.to_numpy()[0, 1], 0.5, atol=0.015)
    np.testing.assert_allclose(result.winning.to_numpy()[2, [0, 1]], 0.6, atol=0.015)
    np.testing.assert_allclose(np.diag(result.winning), 0.5)
    # First with w uniform on (.6, 1), (0, .4) and (.4, .6): central weights are the midpoints.
    np.testing.assert_allclose(result.central_weights["c0"], [0.8, 0.2, 0.5], atol=0.015)
    np.testing.assert_allclose(result.classes["class 1"], result.ranks[1])


def test_classes_are_counts_of_full_rankings_in_any_block_size():
    rng = np.random.default_rng(5)
    z, w = np.round(rng.random((500, 4)), 1), rng.dirichlet(np.ones(4), 60)
    last = class_sizes([0.01, 0.04, 0.15, 0.8], 500)
    assert last.tolist() == [5, 25, 100]
    expected = np.zeros((500, 4))
    for row in w:
        # Equal scores share the class of the last of them.
        place = stats.rankdata(-np.round(z @ row, 12), method="max")
        expected[np.arange(500), np.searchsorted(last, place)] += 1
    np.testing.assert_array_equal(class_counts(z, w, last), expected)
    halves = class_counts(z, w[:30], last) + class_counts(z, w[30:], last)
    np.testing.assert_array_equal(halves, expected)


def test_vetoed_customers_are_last(make_tree):
    from cvlib.weighting.table import read_indicators

    gate = {"rule": "gate", "children": {"g": {"direction": {"nominal": {"y": 1, "n": 0}}}}}
    benefit = {"direction": "benefit"}
    tree = make_tree({"a": benefit, "b": benefit, "v": gate})
    table = pd.DataFrame({"a": [9, 1, 5], "b": [9, 1, 5], "g": ["n", "y", "y"]})
    found = acceptability(
        normalise(read_indicators(table, tree)), draw_weights("ab", 50), shares=[1 / 3, 2 / 3]
    )
    assert found.classes["class 1"].tolist() == [0, 0, 1]


def test_large_sets_keep_only_classes_and_bad_shares_are_refused(flat):
    x = np.random.default_rng(6).random((300, 2))
    found = acceptability(normalise(flat(x)), draw_weights("ab", 20))
    assert found.ranks.empty and found.winning.empty and len(found.classes) == 300
    for bad in ([1.0], [0.5, 0.6], [1.0, 0.0]):
        with pytest.raises(InputError, match="class shares"):
            class_sizes(bad, 10)
