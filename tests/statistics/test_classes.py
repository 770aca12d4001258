"""Classes by number and by value: hand-worked cases, and both pillars' doors to the rule."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime import segments
from cvlib.statistics.classes import ABC, PYRAMID, by_number, by_value, class_sizes
from cvlib.weighting.grade import grade

# ten heavy customers with 54 of 99, then ninety alike
PLATEAU = np.array([10.0] * 4 + [5] * 2 + [1] * 4 + [0.5] * 90)


def doors(values, scheme):
    """The classes of the two pillars, as codes."""
    series = pd.Series(values)
    weighting = grade(series, scheme).customers["grade"].cat.codes.to_numpy()
    if scheme == "abc":
        return weighting, segments.abc(series).map({"A": 0, "B": 1, "C": 2}).to_numpy()
    tiers = segments.tiers(series, segments.PYRAMID)
    return weighting, tiers.map({name: n for n, name in enumerate(segments.PYRAMID)}).to_numpy()


def test_ninety_equal_customers_are_no_vips():
    found = by_value(PLATEAU)
    assert np.bincount(found, minlength=3).tolist() == [10, 0, 90]
    for codes in doors(PLATEAU, "abc"):
        assert codes.tolist() == found.tolist()


def test_abc_by_hand_without_ties():
    # before each: 0, .50, .80, .90, .95, .98; who crosses a border stays in the better class
    assert by_value(np.array([50, 30, 10, 5, 3, 2.0])).tolist() == [0, 0, 1, 1, 2, 2]
    # one customer with nearly everything is an A
    assert by_value(np.array([1.0, 97, 1, 1])).tolist() == [2, 0, 2, 2]


@pytest.mark.parametrize("scheme", ["abc", "pyramid"])
@pytest.mark.parametrize("seed", range(6))
def test_the_doors_agree_and_the_order_of_the_rows_changes_nothing(scheme, seed):
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(0.4, 20, size=rng.integers(20, 400)), seed % 3)
    one, other = doors(values, scheme)
    assert one.tolist() == other.tolist()
    turned = rng.permutation(len(values))
    assert doors(values[turned], scheme)[0].tolist() == one[turned].tolist()
    for value in np.unique(values):
        assert len(set(one[values == value])) == 1
    assert (np.diff(one[np.argsort(-values, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_equals_have_the_class_of_the_last_of_them_in_any_order(seed):
    """Split by a random order, as an analyst with a spreadsheet would; the worst is ours."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(0.5, 3, size=120))
    values[0] = 30.0
    number, value = np.zeros((2, 120), dtype=int)
    for _ in range(300):
        order = np.lexsort((rng.random(120), -values))
        place = np.empty(120, dtype=int)
        place[order] = np.arange(1, 121)
        before = np.empty(120)
        before[order] = np.cumsum(values[order]) - values[order]
        number = np.maximum(
            number, (place[:, None] > 120 * np.cumsum(PYRAMID)[:-1] + 1 - 1e-9).sum(axis=1)
        )
        value = np.maximum(
            value, (before[:, None] / values.sum() >= np.cumsum(ABC)[:-1] - 1e-12).sum(axis=1)
        )
    few = np.unique(values, return_inverse=True, return_counts=True)
    seen = few[2][few[1]] <= 20  # the last of few equals has been met in 300 orders
    assert (by_number(values) >= number).all() and (by_value(values) >= value).all()
    assert np.array_equal(by_number(values)[seen], number[seen])
    assert np.array_equal(by_value(values)[seen], value[seen])


def test_sizes_are_rounded_up_from_the_top():
    assert class_sizes(PYRAMID, 2357).tolist() == [24, 118, 472]
    assert class_sizes(PYRAMID, 10).tolist() == [1, 1, 2]
    assert class_sizes([0.05, 0.95], 10).tolist() == [1] and class_sizes([0.15, 0.85], 10) == [2]
    distinct = np.arange(2357.0)
    assert np.bincount(by_number(distinct)).tolist() == [24, 94, 354, 1885]


def test_nobody_stands_out_where_all_are_alike():
    assert set(by_number(np.ones(50))) == {3}
    assert set(by_value(np.ones(50))) == {2}


def test_sums_in_another_order_are_equal():
    values = np.array([0.1 + 0.2, 0.3] * 10 + [5.0])
    assert len(set(by_value(values)[:20])) == 1


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.4], [0.5, 0.6, -0.1], [0, 1], [np.nan, 1]])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(InputError, match="add up to 1"):
        by_number(np.arange(5.0), shares)


@pytest.mark.parametrize("values", [[1.0, -1, 3], [0.0, 0], [np.nan, 1]])
def test_abc_needs_values_that_add_up(values):
    with pytest.raises(InputError, match="0 or more"):
        by_value(np.array(values))
