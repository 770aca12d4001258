import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.scale import fit_bounds, levels, normalise
from cvlib.weighting.table import read_indicators
from cvlib.weighting.tree import load_tree


@pytest.fixture
def bank(make_tree):
    return make_tree(
        {
            "profit": {"direction": "benefit"},
            "complaints": {"direction": "cost"},
            "age": {"direction": {"target": 40}},
            "job": {"direction": {"nominal": {"none": 0.2, "office": 1}}},
            "aml": {
                "rule": "gate",
                "children": {"check": {"direction": {"nominal": {"pass": 1, "fail": 0}}}},
            },
            "maturity": {
                "rule": "minimum",
                "children": {"a": {"direction": "benefit"}, "b": {"direction": "benefit"}},
            },
        }
    )


@pytest.fixture
def customers():
    return pd.DataFrame(
        {
            "id": ["x", "y", "z"],
            "profit": [-10.0, 0.0, 30.0],
            "complaints": [0, 1, 4],
            "age": [40, 30, 60],
            "job": ["office", "none", "office"],
            "check": ["pass", "fail", None],
            "a": [1, 2, 3],
            "b": [5, 5, 1],
        }
    )


def test_every_kind_of_direction_by_hand(bank, customers):
    found = normalise(read_indicators(customers, bank, customer="id"))
    expected = pd.DataFrame(
        {
            "profit": [0, 0.25, 1],
            "complaints": [1, 0.75, 0],
            "age": [1, 0.5, 0],
            "job": [1, 0.2, 1],
            "maturity": [0, 0.5, 0],  # min of (0, .5, 1) and (1, 1, 0)
        },
        index=pd.Index(["x", "y", "z"], name="id"),
    )
    pd.testing.assert_frame_equal(found.values, expected, check_names=False)
    assert found.vetoed.tolist() == [False, True, True]  # an unknown gate is not passed


def test_frozen_bounds_do_not_move_and_count_what_they_clip(bank, customers):
    first = read_indicators(customers, bank, customer="id")
    bounds = fit_bounds(first)
    new = pd.concat([customers, customers.assign(id=["u", "v", "w"], profit=[-50.0, 10.0, 90.0])])
    frozen = normalise(read_indicators(new, bank, customer="id"), bounds)
    pd.testing.assert_frame_equal(frozen.values.iloc[:3], normalise(first).values)
    assert frozen.values.loc[["u", "v", "w"], "profit"].tolist() == [0.0, 0.5, 1.0]
    assert frozen.clipped.set_index("indicator").loc["profit"].tolist() == [1, 1]
    moved = normalise(read_indicators(new, bank, customer="id")).values
    assert moved.loc["y", "profit"] != frozen.values.loc["y", "profit"]


def test_missing_values_are_kept_left_out_or_filled_and_counted(flat):
    matrix = [[1, 5], [np.nan, 6], [3, 9]]
    kept = flat(matrix)
    assert kept.left_out["count"].tolist() == [1] and len(kept.values) == 3
    with pytest.raises(InputError, match="1 of 3 customers have a missing indicator"):
        normalise(kept).complete()
    dropped = flat(matrix, missing="listwise")
    assert len(dropped.values) == 2 and dropped.left_out["share"].iloc[0] == pytest.approx(1 / 3)
    assert flat(matrix, missing="median").values["c0"].tolist() == [1, 2, 3]
    assert flat([[1, 2], [2, 3]]).left_out.empty


def test_a_root_that_takes_the_minimum_is_one_item(make_tree):
    tree = make_tree({"a": {"direction": "benefit"}, "b": {"direction": "cost"}}, rule="minimum")
    table = pd.DataFrame({"a": [0, 1, 2], "b": [0, 1, 2]})
    found = normalise(read_indicators(table, tree))
    assert found.values["goal"].tolist() == [0, 0.5, 0]


def test_constant_indicator_is_named_and_scores_nothing(flat):
    found = normalise(flat([[1, 7], [2, 7]]))
    assert found.values["c1"].tolist() == [0, 0]
    assert found.warnings == ("'c1' is the same for every customer.",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profit": ["1", "many", "2"]}, "profit, data row 2: holds 'many', not a number"),
        ({"profit": ["12%", "35", "8%"]}, "row 2: holds '35' in a column of percentages"),
        ({"profit": [np.nan] * 3}, "is empty for every customer"),
        ({"profit": [1, np.inf, 2]}, "infinite"),
        ({"job": ["office", "nurse", "none"]}, "'nurse' has no value in the tree"),
        ({"id": ["x", "x", "z"]}, "customer 'x' stands in several rows"),
        ({"id": ["x", None, "z"]}, "has empty cells"),
    ],
)
def test_bad_cells_are_refused_by_name(bank, customers, change, message):
    with pytest.raises(InputError, match=message):
        read_indicators(customers.assign(**change), bank, customer="id")


def test_missing_column_bad_policy_one_customer_and_strange_bounds(bank, customers, flat):
    with pytest.raises(InputError, match=r"no column 'profit'.*Did you mean"):
        read_indicators(customers.rename(columns={"profit": "profits"}), bank)
    with pytest.raises(InputError, match="missing: 'drop' is not offered"):
        read_indicators(customers, bank, missing="drop")
    with pytest.raises(InputError, match="1 customers remain of 1"):
        read_indicators(customers.head(1), bank)
    bounds = fit_bounds(flat([[1, 2], [2, 3]]))
    with pytest.raises(InputError, match="another tree"):
        normalise(read_indicators(customers, bank), bounds)


def levels_tree(make_tree, scale, rule="minimum"):
    leaf = {"direction": "benefit"} | ({"scale": scale} if scale else {})
    return make_tree({"a": leaf, "b": leaf}, rule=rule)


def test_a_stated_scale_is_not_stretched_to_who_is_in_the_table(make_tree):
    tree = make_tree(
        {
            "good": {"direction": "benefit", "scale": [1, 5]},
            "bad": {"direction": "cost", "scale": [0, 100]},
            "aim": {"direction": {"target": 80}, "scale": [0, 100]},
        }
    )
    frame = pd.DataFrame({"good": [2, 3], "bad": [10, 20], "aim": [80, 40]})
    found = normalise(read_indicators(frame, tree))
    np.testing.assert_allclose(found.values, [[0.25, 0.9, 1], [0.5, 0.8, 0.5]])
    assert found.bounds.table["low"].tolist() == [1, 0, 0]
    assert found.bounds.table["high"].tolist() == [5, 100, 80] and not found.warnings
    alone = normalise(read_indicators(frame.iloc[:1], tree))  # nobody else is needed
    np.testing.assert_allclose(alone.values, [[0.25, 0.9, 1]])
    with pytest.raises(InputError, match=r"good, data row 2: holds 6, outside the scale 1 to 5"):
        read_indicators(frame.assign(good=[2, 6]), tree)
    shares = read_indicators(frame.assign(bad=[0.1, 0.2]), tree)
    assert any("shares, not percentages" in text for text in shares.warnings)


def test_the_minimum_is_taken_of_levels(make_tree):
    frame = pd.DataFrame({"a": [3, 2, 1], "b": [3, 5, 4]})
    scaled = read_indicators(frame, levels_tree(make_tree, [1, 5]))
    assert levels(scaled)["level"].tolist() == [3, 2, 1]
    found = normalise(scaled)
    assert found.values["goal"].tolist() == [0.5, 0.25, 0] and not found.warnings
    loose = read_indicators(frame, levels_tree(make_tree, None))
    assert levels(loose).empty
    assert any("minimum of indicators stretched" in text for text in normalise(loose).warnings)
    with pytest.raises(InputError, match="'a' is measured by the range of the customers"):
        read_indicators(frame.iloc[:1], levels_tree(make_tree, None))
    with pytest.raises(InputError, match="0 customers remain of 0"):
        read_indicators(frame.iloc[:0], levels_tree(make_tree, [1, 5]))


def test_percentages_written_as_text_are_read_and_noted(bank, customers):
    found = read_indicators(customers.assign(profit=["12%", "35 %", "8.5％"]), bank)
    assert found.values["profit"].tolist() == [12, 35, 8.5]
    assert "'profit' holds percentages as text: 12% was read as 12." in found.warnings


def test_columns_of_other_names_are_mapped(bank, customers):
    renamed = customers.rename(columns={"profit": "利润"})
    with pytest.raises(InputError, match="Name the column in mapping"):
        read_indicators(renamed, bank)
    found = read_indicators(renamed, bank, mapping={"profit": "利润"})
    assert found.values["profit"].tolist() == [-10, 0, 30]
    with pytest.raises(InputError, match="parameter mapping: 'profits': is not an indicator"):
        read_indicators(renamed, bank, mapping={"profits": "利润"})


def test_a_customer_column_that_is_not_there_is_named_in_customer() -> None:
    frame = pd.DataFrame({"unit": ["a", "b"], "recency": [1, 2], "frequency": [1, 2],
                          "monetary": [1, 2]})  # fmt: skip
    with pytest.raises(InputError, match=r"Name the column in customer\.$"):
        read_indicators(frame, load_tree("rfm"), customer="customer_id")
    with pytest.raises(InputError, match=r"Name the column in mapping\.$"):
        read_indicators(frame.drop(columns="monetary"), load_tree("rfm"), customer="unit")
