"""What each input must look like, and the one paragraph a user gets when it does not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.contracts import (
    check_indicators,
    check_transactions,
)
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


def log(**columns: Sequence[object]) -> pd.DataFrame:
    base: dict[str, Sequence[object]] = {
        "customer_id": ["a", "b", "a"],
        "date": ["2025-01-01", "2025-01-02", "2025-02-01"],
        "amount": [10.0, 20.5, 5.0],
    }
    return pd.DataFrame({**base, **columns})


def test_a_log_comes_out_tidy() -> None:
    checked = check_transactions(log(product=["x", "y", "z"]))
    assert list(checked.data.columns) == ["customer_id", "date", "amount"]
    assert checked.data["date"].dtype.kind == "M" and checked.data["amount"].dtype == float
    assert checked.left_out.empty and checked.warnings == ()


def test_the_shipped_log_needs_a_rule_for_its_eight_gifts() -> None:
    table = load_table("cdnow_sample")
    with pytest.raises(InputError, match=r"data row 226: 0 is a zero amount \(7 more"):
        check_transactions(table)
    kept = check_transactions(table, not_positive="keep")
    assert len(kept.data) == 6919 and "8 rows with a zero amount kept" in kept.warnings[-1]
    dropped = check_transactions(table, not_positive="drop")
    assert len(dropped.data) == 6911 and dropped.left_out["count"].tolist() == [8]
    assert dropped.left_out["share"].iloc[0] == 8 / 6919
    assert kept.data["customer_id"].nunique() == 2357


BAD_LOGS = [
    (log(date=["2025-01-01", None, "2025-02-01"]), "column date, data row 2", "without a date"),
    (log(date=["2025-01-01", "soon", "later"]), "column date, data row 2", "'soon' is not a date"),
    (log(date=["2025-01-01", "1801-01-01", "2025-02-01"]), "column date, data row 2", "1900"),
    (log(date=["2025-01-01", "2999-01-01", "2025-02-01"]), "column date, data row 2", "later than"),
    (log(amount=[1.0, 0.0, 0.0]), "column amount, data row 2", "0 is a zero amount (1 more"),
    (log(amount=[1.0, 2.0, -3.5]), "column amount, data row 3", "-3.5 is a negative amount"),
    (log(amount=[1.0, np.nan, 2.0]), "column amount, data row 2", "without an amount"),
    (log(amount=[1.0, np.inf, 2.0]), "column amount, data row 2", "without an amount"),
    (log(amount=["1", "two", "3"]), "column amount, data row 2", "'two' is text"),
    (log(amount=["1,234", "2", "3"]), "column amount, data row 1", "decimal comma or a thousands"),
    (log(amount=["$1", "€2", "$3"]), "column amount", "mixes currencies ($, €)"),
    (log(amount=["$1", "2", "$3"]), "column amount", "mixes currencies ($, none)"),
    (log(currency=["USD", "EUR", "USD"]), "column currency", "mixes currencies (USD 2 rows, EUR 1"),
    (log(customer_id=["a", None, "b"]), "column customer_id, data row 2", "names no customer"),
    (log().drop(columns="date"), "column date", "there is no such column"),
    (log().rename(columns={"amount": "amuont"}), "column amount", "there is no such column"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "where", "wrong"), BAD_LOGS)
def test_bad_logs(frame: pd.DataFrame, where: str, wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        check_transactions(frame, file="log.csv")
    assert caught.value.where == f"log.csv, {where}"
    assert wrong in caught.value.wrong and caught.value.remedy


def test_a_missing_column_is_offered_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'amuont'"):
        check_transactions(log().rename(columns={"amount": "amuont"}))


def test_usual_other_names_are_taken_when_there_is_one() -> None:
    renamed = log().set_axis(["客户编号", "InvoiceDate", "消费金额"], axis=1)
    checked = check_transactions(renamed, file="log.csv")
    assert list(checked.data.columns) == ["customer_id", "date", "amount"]
    assert "log.csv: column InvoiceDate was taken as date." in checked.warnings
    both = renamed.assign(order_date="2025-01-01")
    with pytest.raises(InputError, match="date could be any of the columns InvoiceDate, order_da"):
        check_transactions(both)
    assert len(check_transactions(both, date="order_date").data) == 3


def test_amounts_written_as_text() -> None:
    checked = check_transactions(log(amount=["1,234.50", "7.00", "12,000"]))
    assert checked.data["amount"].tolist() == [1234.5, 7.0, 12000.0]
    assert "'1,234.50' first" in checked.warnings[0]
    comma = check_transactions(log(amount=["1.234,50 €", "7,00 €", "12.000 €"]))
    assert comma.data["amount"].tolist() == [1234.5, 7.0, 12000.0]
    assert any("sign € was taken off" in note for note in comma.warnings)
    yuan = check_transactions(log(amount=["¥12.5", "¥7", "¥ 1,200"]))
    assert yuan.data["amount"].tolist() == [12.5, 7.0, 1200.0]
    back = check_transactions(log(amount=["$5.00", "-$2.50", "$ 1"]), not_positive="keep")
    assert back.data["amount"].tolist() == [5.0, -2.5, 1.0]


def test_choices_that_do_not_exist() -> None:
    with pytest.raises(
        InputError, match=r"not_positive: 'kep' is not a rule\. Did you mean 'keep'"
    ):
        check_transactions(log(), not_positive="kep")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="missing_customer"):
        check_transactions(log(), missing_customer="keep")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="until: 'soon' is not a date"):
        check_transactions(log(), until="soon")


def test_a_frame_from_elsewhere_is_made_plain() -> None:
    frame = log(customer_id=[" a", "a ", "b"], amount=pd.array([1, 2, 3], "Int64"))
    frame["date"] = frame["date"].astype("category")
    frame.index = [7, 7, 9]
    checked = check_transactions(frame)
    assert checked.data["customer_id"].tolist() == ["a", "a", "b"]
    assert checked.data["amount"].dtype == float and checked.data["date"].dtype.kind == "M"
    with pytest.raises(InputError, match="data row 1: names no customer"):
        check_transactions(log(customer_id=[" ", "a", "b"]))
    twice = pd.DataFrame([[1, 2]], columns=["q1", "q1"])
    with pytest.raises(InputError, match="column q1: the name stands twice"):
        check_survey(twice, {"q1": (1, 10)})


def test_rows_without_a_customer_by_rule() -> None:
    frame = log(customer_id=[17, None, 18])
    checked = check_transactions(frame, missing_customer="drop")
    assert checked.data["customer_id"].tolist() == [17, 18]
    assert checked.data["customer_id"].dtype.kind == "i", "17 stays 17, not 17.0"
    assert checked.left_out["reason"].tolist() == ["no customer"]


def test_the_end_of_observation_is_the_users_or_today() -> None:
    frame = log(date=["2025-01-01", "2025-01-31 23:59:59", "2025-01-02"])
    assert len(check_transactions(frame, until="2025-01-31").data) == 3
    with pytest.raises(InputError, match="later than the end of observation, 2025-01-30"):
        check_transactions(frame, until="2025-01-30")
    planned = log(date=["2025-01-01", "2999-01-01", "2025-01-02"])
    assert len(check_transactions(planned, until="2999-12-31").data) == 3


def test_a_stray_last_date_is_flagged_and_counted() -> None:
    days = pd.date_range("2020-01-01", periods=300).astype("str").tolist()
    frame = pd.DataFrame({"customer_id": range(300), "date": days, "amount": 1.0})
    assert check_transactions(frame).warnings == ()
    frame.loc[299, "date"] = "2024-10-26"
    assert any("1 rows lie 1462 days after" in note for note in check_transactions(frame).warnings)


def test_repeated_rows_are_counted_and_kept() -> None:
    checked = check_transactions(pd.concat([log(), log().iloc[:1]]))
    assert len(checked.data) == 4 and "1 rows repeat an earlier row" in checked.warnings[0]


def test_customers_and_transactions_in_several_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "customer_id,date,amount\n1,2025-01-01,5\n2,2025-01-02,6\n3,2025-01-02,6\n"
    )
    (tmp_path / "b.csv").write_text(
        "customer_id,date,amount\n2,2025-01-02 18:00,6\n1,2025-01-03,5\n4,2025-01-03,0\n"
    )
    table = load_table(str(tmp_path / "*.csv"))
    with pytest.raises(InputError, match=r"b\.csv, column amount, data row 3: 0 is a zero"):
        check_transactions(table)
    checked = check_transactions(table, not_positive="drop")
    assert len(checked.data) == 5
    assert any(": 1 transactions (same customer" in note for note in checked.warnings)
    assert any(": 2 customers occur in more than one file" in note for note in checked.warnings)


def test_times_with_a_zone_fall_on_the_day_of_the_zone_asked() -> None:
    frame = log(date=["2025-01-01T23:30:00Z"] * 3)
    assert str(check_transactions(frame).data["date"].iloc[0]) == "2025-01-01 23:30:00"
    shanghai = check_transactions(frame, timezone="Asia/Shanghai")
    assert str(shanghai.data["date"].iloc[0]) == "2025-01-02 07:30:00"
    assert "Asia/Shanghai" in shanghai.warnings[-1]


def test_a_log_without_amounts() -> None:
    checked = check_transactions(log().drop(columns="amount"), amount=None)
    assert list(checked.data.columns) == ["customer_id", "date"]


def test_a_log_whose_every_row_is_dropped() -> None:
    with pytest.raises(InputError, match="no usable transaction"):
        check_transactions(log(amount=[0.0, -1.0, 0.0]), not_positive="drop")


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
