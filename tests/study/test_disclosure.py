"""Small groups of people do not reach a published table."""

import pandas as pd
import pytest

from cvlib.statistics.disclosure import publishable


@pytest.fixture
def groups() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "brand": ["a", "b", "c", "d", "none"],
            "people": [100, 7, 3, 40, 0],
            "index": [70.0, 60.0, 50.0, 80.0, float("nan")],
            "sure": [True, True, False, True, False],
        }
    )


def test_a_lone_small_group_takes_the_next_smallest_with_it(groups: pd.DataFrame) -> None:
    shown, blank = publishable(groups, "people", 5)
    assert blank == 2
    assert shown["people"].isna().tolist() == [False, True, True, False, False]
    assert shown["index"].tolist()[0] == 70.0
    assert shown["brand"].tolist() == ["a", "b", "c", "d", "none"]
    assert groups["people"].tolist() == [100, 7, 3, 40, 0]


def test_several_small_groups_hide_each_other(groups: pd.DataFrame) -> None:
    shown, blank = publishable(groups, "people", 10)
    assert blank == 2
    assert shown["people"].isna().tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("threshold", [0, 1, 3])
def test_nothing_small_nothing_blank(groups: pd.DataFrame, threshold: int) -> None:
    shown, blank = publishable(groups, "people", threshold)
    assert blank == 0
    pd.testing.assert_frame_equal(shown, groups)


def test_a_table_of_one_small_group_is_blank() -> None:
    shown, blank = publishable(pd.DataFrame({"n": [2], "mean": [1.5]}), "n", 5)
    assert blank == 1
    assert shown.isna().to_numpy().all()


def test_each_part_with_a_total_hides_its_own() -> None:
    table = pd.DataFrame(
        {"start": ["a"] * 3 + ["b"] * 3, "people": [90, 20, 2, 9, 8, 30], "share": [0.1] * 6}
    )
    shown, blank = publishable(table, "people", 5, within="start")
    assert blank == 2
    assert shown["share"].isna().tolist() == [False, True, True, False, False, False]


def test_the_first_column_names_the_row_even_as_a_number() -> None:
    shown, _ = publishable(pd.DataFrame({"bin": [1, 2], "n": [2, 3]}), "n", 5)
    assert shown["bin"].tolist() == [1, 2]
    assert shown["n"].isna().all()
