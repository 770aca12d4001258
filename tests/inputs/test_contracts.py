"""What each input must look like, and the one paragraph a user gets when it does not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.contracts import check_indicators
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table, read_table
from cvlib.inputs.survey import check_survey

SCALE = {"q1": (1, 10), "q2": (1, 10)}


def survey(q1: Sequence[object], q2: Sequence[object] = (1, 2, 3)) -> pd.DataFrame:
    return pd.DataFrame({"q1": pd.Series(q1), "q2": pd.Series(q2), "age": 30})


def test_a_survey_comes_out_as_floats_in_the_order_asked() -> None:
    checked = check_survey(survey([10, 1, np.nan]), {"q2": (1, 10), "q1": (1, 10)})
    assert list(checked.data.columns) == ["q2", "q1"] and set(checked.data.dtypes) == {
        np.dtype(float)
    }
    assert checked.data["q1"].isna().sum() == 1 and checked.left_out.empty
    assert checked.warnings == ()


def test_mobi_keeps_its_contract() -> None:
    table = load_table("mobi")
    checked = check_survey(table, dict.fromkeys(table.data.columns, (1, 10)))
    pd.testing.assert_frame_equal(checked.data, table.data.astype(float))


@pytest.mark.parametrize(
    ("frame", "where", "wrong"),
    [
        (survey([7, "good", "bad"]), "column q1, data row 2", "'good' is an answer in words"),
        (survey([7, 11, 0]), "column q1, data row 2", "11 is outside the scale 1 to 10 (1 more"),
        (survey([7, 8, 9], [1, 2, -1]), "column q2, data row 3", "-1 is outside the scale"),
        (survey([7, np.inf, 9]), "column q1, data row 2", "inf is outside"),
        (survey([np.nan] * 3), "column q1", "is empty"),
        (survey(["1,234", "2,345", "3,456"]), "column q1, data row 1", "could have a decimal"),
        (survey(pd.to_datetime(["2026-01-01"] * 3)), "column q1", "holds dates"),
        (survey([1, 2, 3]).drop(columns="q2"), "column q2", "there is no such column"),
    ],
)
def test_bad_surveys(frame: pd.DataFrame, where: str, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        check_survey(frame, SCALE, file="survey.csv")
    assert caught.value.where == f"survey.csv, {where}"
    assert wrong in caught.value.wrong and caught.value.remedy
    assert "\n" not in str(caught.value)


def test_other_columns_at_fault_are_counted() -> None:
    with pytest.raises(InputError, match="Other columns at fault: 1"):
        check_survey(survey([7, 11, 0], [1, 2, 99]), SCALE)


def test_a_misspelt_item_is_offered_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'IMAG1'"):
        check_survey(load_table("mobi"), {"IMAGE1": (1, 10)})


def test_rows_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("q1,q2\n1,2\n\n3,44\n")
    with pytest.raises(InputError, match=r"s\.csv, column q2, data row 3: 44 is outside"):
        check_survey(read_table(tmp_path / "s.csv"), SCALE)


@pytest.mark.parametrize("codes", [[98, "99"], ["98", 99.0]])
def test_dont_know_codes_become_missing_and_are_counted(codes: list[object]) -> None:
    checked = check_survey(survey([7, 98, 99], [98, 98, 3]), SCALE, dont_know=codes)
    assert checked.data["q1"].tolist()[0] == 7 and checked.data["q1"].isna().sum() == 2
    counts = checked.left_out.set_index("column").groupby("column")["count"].sum()
    assert counts.to_dict() == {"q1": 2, "q2": 2}
    assert checked.left_out["reason"].str.startswith("don't-know code 9").all()
    assert checked.left_out["share"].max() == pytest.approx(2 / 3)
    assert checked.warnings == ("1 respondent answered none of the items.",)


def test_dont_know_in_words() -> None:
    frame = survey(["7", " dk ", "不知道"], ["1", "2", "DK"])
    checked = check_survey(frame, SCALE, dont_know=["DK", "不知道"])
    assert checked.data["q1"].tolist()[0] == 7 and checked.left_out["count"].sum() == 3


def test_a_dont_know_code_inside_the_scale_is_refused() -> None:
    with pytest.raises(InputError, match="code 9 lies within the scale 1 to 10"):
        check_survey(survey([1, 2, 9]), SCALE, dont_know=[9])


def test_what_the_reader_left_out_comes_along(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("q1,q2,age\n1, ,4\n\n3,4, \n")
    checked = check_survey(read_table(tmp_path / "s.csv"), SCALE)
    assert checked.left_out["column"].tolist() == ["q2", "(all)"]


def test_indicators_are_finite_numbers() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["1.5", "2"], "c": ["x", "y"]})
    checked = check_indicators(frame, ["b", "a"])
    assert checked.data.to_dict("list") == {"b": [1.5, 2.0], "a": [1.0, 2.0]}
    with pytest.raises(InputError, match="column c, data row 1: 'x' is text"):
        check_indicators(frame, ["c"])
    with pytest.raises(InputError, match=r"banks\.csv, column a, data row 2: nan is not a finite"):
        check_indicators(pd.DataFrame({"a": [1, np.nan]}), ["a"], file="banks.csv")
    with pytest.raises(InputError, match="column a, data row 1: inf"):
        check_indicators(pd.DataFrame({"a": [np.inf, 1]}), ["a"])
