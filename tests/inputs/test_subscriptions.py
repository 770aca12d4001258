"""Tables of contracts as people have them: labels, dates, repeated ids, durations of zero."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.inputs.subscriptions import ContractColumns, check_contracts


def test_the_ibm_table(mirror: Path) -> None:
    checked = check_contracts(load_table(mirror / "telco_churn.csv"))
    assert checked.event.dtype == bool and checked.event.sum() == 1869
    assert not {"Churn", "tenure", "customerID"} & set(checked.data) and len(checked.data) == 7043
    assert (checked.duration[checked.event] >= 1).all()


@pytest.mark.parametrize(
    "spelling",
    [
        ["Yes", "no"], [True, False], [1, 0], [1.0, 0.0], ["是", "否"], ["TRUE ", "false"],
        ["Y", "N"], ["Churned", "Stayed"], ["Attrited Customer", "Existing Customer"],
        ["已流失", "在网"],
    ],
)  # fmt: skip
def test_leaving_as_people_write_it(spelling: list[object]) -> None:
    table = pd.DataFrame({"months": [3, 4], "left": spelling})
    checked = check_contracts(table, ContractColumns("months", "left"))
    assert checked.event.tolist() == [True, False]
    assert checked.duration.tolist() == [3, 4] and not len(checked.data.columns)
    plain = str(spelling[0]).strip().casefold() in ("yes", "true", "1", "1.0", "是")
    assert [text.id for text in checked.warnings] == ([] if plain else ["inputs.contracts_labels"])


def test_labels_that_mean_left_are_named() -> None:
    table = pd.DataFrame({"tenure": [1, 2, 3, 4], "Churn": ["Moved", "Stayed", "Died", "Stayed"]})
    with pytest.raises(InputError, match=r"holds Moved|'Moved', 'Stayed', 'Died'.*event_value"):
        check_contracts(table)
    named = ContractColumns(event_value=("moved", "Died"), reason="Churn")
    checked = check_contracts(table, named)
    assert checked.event.tolist() == [True, False, True, False]
    assert checked.reason is not None and checked.reason.dropna().tolist() == ["Moved", "Died"]
    with pytest.raises(InputError, match=r"no row of column Churn holds 'mooved'.*'moved'"):
        check_contracts(table, ContractColumns(event_value=("mooved",)))
    with pytest.raises(InputError, match="not a list"):
        ContractColumns(event_value="moved")  # type: ignore[arg-type]


def test_a_column_of_censoring_is_not_taken_for_one_of_leaving() -> None:
    table = pd.DataFrame({"duration": [1, 2], "censor": [1, 0]})
    with pytest.raises(InputError, match=r"1 may mean still there.*event_value"):
        check_contracts(table, ContractColumns("duration", "censor"))
    named = ContractColumns("duration", "censor", ("0",))
    assert check_contracts(table, named).event.tolist() == [False, True]


def test_who_left_within_the_first_period_is_a_loss_of_it() -> None:
    table = pd.DataFrame({"tenure": [0, 0, 2.4, 2.4], "Churn": ["Yes", "No", "Yes", "No"]})
    checked = check_contracts(table)
    assert checked.duration.tolist() == [1, 0, 3, 2]
    assert [text.id for text in checked.warnings] == [
        "inputs.contracts_fractions", "inputs.contracts_first_period",
    ]  # fmt: skip


def test_rows_by_customer_and_month_are_refused() -> None:
    months = pd.DataFrame({"customer_id": [1, 1, 2], "tenure": [1, 2, 1], "Churn": [0, 1, 0]})
    wrong = "column customer_id, data row 2: 1 is there again: 3 rows of 2 customers.*keep the last"
    with pytest.raises(InputError, match=wrong):
        check_contracts(months)
    several = months.assign(contract=[7, 8, 9])
    assert len(check_contracts(several, ContractColumns(customer="contract")).duration) == 3


def test_durations_from_dates() -> None:
    table = pd.DataFrame(
        {
            "from": ["2024-01-31", "2024-01-15", "2024-01-15", "2024-02-01", "2024-07-02"],
            "to": ["2024-02-29", "2024-03-15", "2024-03-16", None, None],
            "plan": list("aabbb"),
        }
    )
    dates = ContractColumns(start="from", end="to", observed_until="2024-06-30")
    checked = check_contracts(table, dates)
    # to the day of the month; who left within a period is a loss of it; the last one is later
    assert checked.duration.tolist() == [1, 2, 3, 4]
    assert checked.event.tolist() == [True, True, True, False]
    assert checked.left_out["count"].tolist() == [1] and list(checked.data) == ["plan"]
    early = check_contracts(
        table, ContractColumns(start="from", end="to", observed_until="2024-03-15")
    )
    assert early.event.tolist() == [True, True, False, False]
    assert early.duration.tolist() == [1, 2, 2, 1]
    weeks = ContractColumns(
        start="from", end="to", observed_until="2024-06-30", periods_per_year=52
    )
    assert check_contracts(table, weeks).duration.tolist() == [5, 9, 9, 21]


@pytest.mark.parametrize(
    ("frame", "columns", "wrong"),
    [
        ({"tenure": [3, -1], "churned": [1, 0]}, {}, "column tenure, data row 2: -1 is not a dur"),
        ({"tenure": [3, np.nan], "churned": [1, 0]}, {}, "data row 2: nan is not a duration"),
        ({"tenure": [3, 4], "churned": ["yes", "maybe"]}, {}, "data row 2: 'maybe' does not say"),
        ({"tenure": [3, 4], "churned": ["yes", None]}, {}, "column churned, data row 2"),
        ({"tenure": [3, 4]}, {}, "column Churn: there is no such column.*parameter event"),
        ({"a": [3, 4], "Churn": [1, 0]}, {}, "column tenure.*parameter duration, or give start"),
        (
            {"Churn": [1, 0], "exited": [1, 0], "tenure": [1, 1]},
            {"event": "churned"},
            "could be any",
        ),
        (
            {"a": ["2024-05-01"], "b": ["2024-04-01"]},
            {"start": "a", "end": "b"},
            "before the contr",
        ),
        ({"a": ["2024-05-01"], "b": ["2924-04-01"]}, {"start": "a", "end": "b"}, "observed_until"),
        ({"a": ["2024-05-01", None], "b": [None, None]}, {"start": "a", "end": "b"}, "first day"),
        ({"a": ["2024-05-01"], "c": [None]}, {"start": "a", "end": "b"}, "b: there is no such col"),
        (
            {"a": [45413, 45414], "b": ["-", "45500"]},
            {"start": "a", "end": "b"},
            "45413 would be 2024-05-01.*`date_format` to excel",
        ),
        (
            {"id": ["a", "Total"], "tenure": [3, 3], "churned": [1, 0]},
            {},
            "column id, data row 2: 'Total' names a row of totals or means",
        ),
        (
            {"tenure": [*range(1, 11), 55], "churned": [1] * 11},
            {},
            "column tenure, data row 11: 55 is exactly the sum of all other rows",
        ),
    ],
)
def test_bad_contracts(frame: dict[str, list[object]], columns: dict[str, str], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        check_contracts(pd.DataFrame(frame), ContractColumns(**columns))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "word", ["-", "active", "至今", "9999-12-31", "2999/12/31", "Present", "NULL"]
)
def test_words_for_a_contract_that_runs_are_no_date(word: str) -> None:
    table = pd.DataFrame({"a": ["2024-01-15", "2024-02-01"], "b": ["2024-03-20", word]})
    checked = check_contracts(table, ContractColumns(start="a", end="b"))
    assert checked.event.tolist() == [True, False]
    assert checked.duration.tolist() == [3, 1]  # to 20 March, the last day seen
    assert any(f"in column b, {word} was read as still running" in w for w in checked.warnings)


def test_nobody_left_and_day_numbers_and_patterns() -> None:
    dates = ["2024-03-15", "2024-06-20"]
    nobody = check_contracts(
        pd.DataFrame({"a": dates, "b": [None, None]}), ContractColumns(start="a", end="b")
    )
    assert not nobody.event.any() and nobody.duration.tolist() == [3, 0]
    days = ContractColumns(start="a", end="b", date_format="excel")
    serial = pd.DataFrame({"a": [45366, 45463], "b": ["45400", "active"]})  # 2024-03-15, ...
    checked = check_contracts(serial, days)
    assert checked.start is not None and checked.end is not None
    assert checked.start.dt.strftime("%Y-%m-%d").tolist() == dates
    assert str(checked.end[0].date()) == "2024-04-18" and pd.isna(checked.end[1])
    table = pd.DataFrame({"a": ["03/04/2024", "05/04/2024"], "b": ["06/04/2024", ""]})
    table["b"] = table["b"].mask(table["b"] == "")
    with pytest.raises(InputError, match="give `date_format`"):
        check_contracts(table, ContractColumns(start="a", end="b"))
    read = check_contracts(table, ContractColumns(start="a", end="b", date_format="%m/%d/%Y"))
    assert read.start is not None and str(read.start[0].date()) == "2024-03-04"
    with pytest.raises(InputError, match="date_format: 'dmy' is no pattern"):
        ContractColumns(date_format="dmy")


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [({"end": "b"}, "without start"), ({"observed_until": "2024-02-30"}, "is not a date")],
)
def test_settings_are_checked_where_they_are_written(columns: dict[str, str], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        ContractColumns(**columns)  # type: ignore[arg-type]
