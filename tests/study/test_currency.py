from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from cvlib.study.record import Record
from cvlib.study.render.workbook import write_xlsx
from cvlib.words.answer import amount, interval
from cvlib.words.message import message
from cvlib.words.money import affixes, pay_in
from cvlib.words.tables import cell_formats, printed

EQUITY = {"customers": 2357, "annual_rate": 0.1, "margin": 0.3, "equity": -1234.5}


@pytest.fixture(autouse=True)
def bare_again() -> Iterator[None]:
    yield
    pay_in("")


@pytest.mark.parametrize(
    ("currency", "told"),
    [("", "-1,234"), ("€", "-€1,234"), ("US$", "-US$1,234"), ("CNY", "-CNY\u00a01,234"),
     ("元", "-1,234\u00a0元"), ("kr", "-1,234\u00a0kr")],
)  # fmt: skip
def test_sentences_tiles_and_tables_print_amounts_in_one_currency(currency: str, told: str) -> None:
    pay_in(currency)
    said = message("lifetime.customer_equity", **EQUITY)
    assert said.worded("en", {}).endswith(f"margin of 30%: {told}.")
    assert told in said.worded("zh", {})
    assert "2,357 customers at 10% a year" in said.worded("en", {})
    assert amount(-1234.4) == told
    table = pd.DataFrame({"lifetime_value": [-1234.4], "customers": [-1234]})
    assert printed(table)[0].iloc[0].tolist() == [told, "-1,234"]


def test_what_has_no_number_has_no_currency() -> None:
    pay_in("€")
    assert amount(float("nan")) == "–"
    assert printed(pd.DataFrame({"lifetime_value": [float("nan")]}))[0].iloc[0, 0] == "–"
    assert interval(1, float("nan"), 0, amount) == ""
    assert interval(1, 2000, 0, amount) == "€1 – €2,000"
    assert affixes("") == ("", "")


def test_a_table_of_measures_prints_only_its_amounts_as_money() -> None:
    pay_in("€")
    table = pd.DataFrame({"measure": ["customer_equity", "customers"], "value": [1234.5, 100.0]})
    assert printed(table, name="value")[0]["value"].tolist() == ["€1,234", "100"]
    assert printed(table, name="other")[0]["value"].tolist() == ["1,234.500", "100"]
    shown = cell_formats(table["value"], 3, "value", "€", [True, False])
    assert shown == ['"€"#,##0', "#,##0"]
    assert cell_formats(table["value"], 3, "value", "", [True, False]) == ["#,##0", "#,##0"]


def test_the_currency_of_a_run_reaches_its_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    record = Record("06_lifetime_and_churn", out=str(tmp_path), currency="CNY")
    record.show("customers", pd.DataFrame({"customer": ["a"], "lifetime_value": [1234.5]}))
    record.close()
    sheet = openpyxl.load_workbook(write_xlsx(tmp_path, "", "Report", "en"))["customers"]
    assert sheet["B3"].value == 1234.5
    assert sheet["B3"].number_format == '"CNY\u00a0"#,##0'
