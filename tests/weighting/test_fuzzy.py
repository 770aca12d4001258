import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.data.objective import expand_weights
from cvlib.weighting.experts.fuzzy import (
    fuzzy_evaluation,
    fuzzy_operator,
    join_memberships,
    membership_from_ratings,
)
from cvlib.weighting.scale import normalise
from cvlib.weighting.table import read_indicators


def test_the_four_operators_by_hand():
    w = np.array([0.5, 0.3, 0.2])
    r = np.array([[0.2, 0.8], [0.6, 0.4], [1.0, 0.0]])
    expected = {
        "product_sum": [0.48, 0.52],
        "min_max": [0.3, 0.5],
        "product_max": [0.2, 0.4],
        "min_sum": [0.7, 0.8],
    }
    for operator, b in expected.items():
        np.testing.assert_allclose(fuzzy_operator(w, r, operator), b)
    with pytest.raises(InputError, match="Did you mean 'min_max'"):
        fuzzy_operator(w, r, "minmax")


def test_product_sum_defuzzifies_to_the_weighted_sum(flat):
    """Triangles on even centres are exact for the mean, so levels and grades do not move it."""
    indicators = flat(np.random.default_rng(0).random((30, 3)))
    normalised, w = normalise(indicators), np.array([0.5, 0.3, 0.2])
    tidy = expand_weights(indicators.tree, pd.Series(w, index=indicators.items), "m")
    found = fuzzy_evaluation(normalised, tidy, grades=["a", "b", "c", "d", "e"])
    np.testing.assert_allclose(found.scores["score"], normalised.complete() @ w)
    np.testing.assert_allclose(found.membership.sum(axis=1), 1)


def test_two_levels_by_hand_and_validity(make_tree):
    benefit = {"direction": "benefit"}
    tree = make_tree({"n": {"children": {"a": benefit, "b": benefit}}, "c": benefit})
    indicators = read_indicators(
        pd.DataFrame({"a": [0.0, 1, 0.5], "b": [0.0, 1, 0], "c": [0.0, 1, 1]}), tree
    )
    w = expand_weights(tree, pd.Series({"a": 0.36, "b": 0.24, "c": 0.4}), "m")
    found = fuzzy_evaluation(normalise(indicators), w, grades=["hi", "mid", "lo"])
    # n: .6 of (0,1,0) and .4 of (0,0,1); whole: .6 of that and .4 of (1,0,0).
    np.testing.assert_allclose(found.membership.iloc[2], [0.4, 0.36, 0.24])
    assert found.scores["grade"].tolist() == ["lo", "hi", "hi"]
    alpha = (3 * 0.4 - 1) / (2 * 0.36 * 2)
    np.testing.assert_allclose(found.scores["validity"], [np.inf, np.inf, alpha])
    assert found.warnings == ("1 customers have no clear largest membership.",)
    hard = fuzzy_evaluation(
        normalise(indicators), w, grades=["hi", "mid", "lo"], operator="min_max"
    )
    # n = (0, .6, .4); whole: max of min(.6, n) and min(.4, c) = (.4, .6, .4), then normalised.
    np.testing.assert_allclose(hard.membership.iloc[2], np.array([0.4, 0.6, 0.4]) / 1.4)


def test_ratings_of_experts_become_the_membership_matrix():
    grades = ["good", "fair", "poor"]
    ratings = pd.DataFrame(
        {"a": ["good", "good", "fair", "poor"], "b": ["fair", "fair", None, "poor"]}
    )
    r = membership_from_ratings(ratings, grades)
    np.testing.assert_allclose(r.to_numpy(), [[0.5, 0.25, 0.25], [0, 2 / 3, 1 / 3]])
    weights = pd.DataFrame({"indicator": ["a", "b"], "parent": "goal", "local_weight": [0.6, 0.4]})
    b = join_memberships({name: r.loc[name].to_numpy() for name in r.index}, weights)
    np.testing.assert_allclose(b, [0.3, 0.15 + 0.8 / 3, 0.15 + 0.4 / 3])
    for column, message in ((["bad"] * 4, "holds 'bad'"), ([None] * 4, "has no rating")):
        with pytest.raises(InputError, match=message):
            membership_from_ratings(ratings.assign(a=column), grades)


def test_many_customers_are_evaluated_in_blocks_with_the_same_result(flat, monkeypatch):
    from cvlib.weighting.experts import fuzzy

    indicators = flat(np.random.default_rng(4).random((31, 3)))
    tidy = expand_weights(indicators.tree, pd.Series([0.5, 0.3, 0.2], index=indicators.items), "m")
    whole = fuzzy_evaluation(normalise(indicators), tidy).membership
    monkeypatch.setattr(fuzzy, "BLOCK", 7)
    assert fuzzy_evaluation(normalise(indicators), tidy).membership.equals(whole)
