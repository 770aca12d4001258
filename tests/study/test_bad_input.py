"""What is wrong with a user's file is told in one paragraph; nothing is left behind."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.inputs.datasets import SHIPPED

SURVEY, LOG = SHIPPED / "mobi.csv", SHIPPED / "cdnow_sample.csv"


def missing_column(path: Path) -> None:
    pd.read_csv(SURVEY).drop(columns="CUSA2").to_csv(path, index=False)


def text_in_an_item(path: Path) -> None:
    survey = pd.read_csv(SURVEY).astype(object)
    survey.loc[6, "CUSA2"] = "seven"
    survey.to_csv(path, index=False)


def outside_the_scale(path: Path) -> None:
    survey = pd.read_csv(SURVEY)
    survey.loc[6, "CUSA2"] = 11
    survey.to_csv(path, index=False)


def empty(path: Path) -> None:
    path.write_text("")


def not_what_it_says(path: Path) -> None:
    pd.read_csv(SURVEY).to_excel(path.with_suffix(".xlsx"))
    shutil.move(path.with_suffix(".xlsx"), path)


def no_date(path: Path) -> None:
    log = pd.read_csv(LOG).astype({"date": object})
    log.loc[3, "date"] = ""
    log.to_csv(path, index=False)


def negative_amount(path: Path) -> None:
    log = pd.read_csv(LOG)
    log.loc[3, "amount"] = -5
    log.to_csv(path, index=False)


def not_reciprocal(path: Path) -> None:
    path.write_text(
        ",recency,frequency,monetary\nrecency,1,5,7\nfrequency,5,1,3\nmonetary,.1,.3,1\n"
    )


@pytest.mark.parametrize(
    ("notebook", "spoil", "parameters", "said"),
    [
        ("01", missing_column, "", ["CUSA2"]),
        ("01", text_in_an_item, "", ["CUSA2", "row 7", "seven"]),
        ("01", outside_the_scale, "", ["CUSA2", "row 7", "11"]),
        ("01", empty, "", ["empty"]),
        ("01", not_what_it_says, "", ["xlsx"]),
        ("06", no_date, "", ["date", "row 4"]),
        ("06", negative_amount, "returns refuse", ["amount", "data row 4", "-5"]),
        ("04", not_reciprocal, "", ["recency", "frequency"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_input(tmp_path: Path, notebook: str, spoil, parameters: str, said: list[str]) -> None:
    file = tmp_path / "mine.csv"
    spoil(file)
    role = "judgements" if notebook == "04" else "data"
    words = ["run", notebook, "-p", role, str(file), "--out", str(tmp_path / "reports")]
    if parameters:
        words += ["-p", *parameters.split()]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    message = result.output.strip()
    assert "mine.csv" in message and all(word in message for word in said)
    assert "Traceback" not in message and "\n\n" not in message
    assert not list((tmp_path / "reports").rglob("*"))
