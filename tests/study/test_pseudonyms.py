"""No customer's own id leaves by a report of any format; the seed alone sets the pseudonyms."""

import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.inputs.datasets import SHIPPED
from cvlib.study.batch import Outcome, read_study, run_study

OWN_ID = re.compile(rb"own.?id.?\d|own.?id.?qx", re.IGNORECASE)
STUDY = """title: Who
defaults: {{data: log.csv}}
runs:
  - notebook: {notebook}
    parameters: {parameters}
report: {{formats: [html, docx, pptx, xlsx, latex]}}
"""
QUICK = {
    "04": "{starts: 1, draws: 20}",
    "05": "{weight_draws: 50, leavers: 3}",
    "06": "{origins: ['1997-09-30'], origin_days: 90, other_models: [], draws: 20}",
    "08": "{at: '1998-06-01'}",
}


def log(customers: int = 300) -> pd.DataFrame:
    """Part of the CDNOW log with ids nobody can overlook, and with what a log has of faults."""
    rows = pd.read_csv(SHIPPED / "cdnow_sample.csv")
    rows = rows[rows["customer_id"] <= customers].copy()
    rows["customer_id"] = "Own-Id-" + rows["customer_id"].astype(str) + "-QX"
    rows.loc[rows.index[5], "amount"] = -3.0
    rows.loc[rows.index[9], "amount"] = 0.0
    rows.loc[rows.index[12], "customer_id"] += " "
    return pd.concat([rows, rows.tail(2)], ignore_index=True)


def run(folder: Path, notebook: str, table: pd.DataFrame, parameters: str = "") -> Outcome:
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "log.csv", index=False)
    study = folder / "study.yaml"
    wanted = parameters or QUICK[notebook]
    study.write_text(STUDY.format(notebook=notebook, parameters=wanted))
    [outcome] = run_study(read_study(study), folder / "reports")
    return outcome


def told(folder: Path) -> list[str]:
    """The files below a folder that hold an own id, packed formats unpacked."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        parts = {path.name: path.read_bytes()}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                parts = {f"{path.name}/{name}": packed.read(name) for name in packed.namelist()}
        found += [name for name, content in parts.items() if OWN_ID.search(content)]
    return found


@pytest.mark.parametrize(
    "notebook", ["05", *(pytest.param(name, marks=pytest.mark.slow) for name in ("04", "06", "08"))]
)
def test_reports_name_no_customer(notebook: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, notebook, log())
    assert outcome.run and not outcome.reason
    names = {path.suffix for path in outcome.run.folder.rglob("*") if path.is_file()}
    assert names >= {".ipynb", ".html", ".docx", ".pptx", ".xlsx", ".tex", ".csv", ".json"}
    assert told(tmp_path / "reports") == []


@pytest.mark.slow
def test_the_search_finds_ids_where_they_are_asked_for(tmp_path: Path) -> None:
    outcome = run(tmp_path, "05", log(), "{weight_draws: 50, leavers: 3, pseudonymise: false}")
    assert outcome.run
    found = told(tmp_path / "reports")
    assert {"notebook.ipynb", "report.html", "results.json", "scores.csv"} <= set(found)
    assert any(name.startswith("report.docx/") for name in found)
    assert any(name.startswith("report.xlsx/") for name in found)


@pytest.mark.slow
def test_pseudonyms_depend_on_the_seed_alone(tmp_path: Path) -> None:
    drawn = []
    for number, seed in enumerate((1, 1, 2)):
        parameters = f"{{weight_draws: 50, leavers: 3, seed: {seed}}}"
        outcome = run(tmp_path / str(number), "05", log(), parameters)
        assert outcome.run
        scores = pd.read_csv(outcome.run.folder / "tables" / "scores.csv")
        drawn.append(scores["customer"].tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]).isdisjoint(drawn[2])


def test_an_error_quotes_the_data_to_their_owner_only(tmp_path: Path) -> None:
    outcome = run(tmp_path, "06", log(), "{returns: refuse}")
    assert outcome.run is None and "data row 6: '-3.0'" in outcome.reason
    report = (tmp_path / "reports" / "studies" / "who" / "report.html").read_text()
    assert "06_lifetime_and_churn" in report and "The input was refused" in report
    assert "-3.0" not in report and told(tmp_path / "reports") == []
    result = CliRunner().invoke(main, ["check", str(tmp_path / "study.yaml")])
    assert result.exit_code == 2 and "'-3.0'" in result.output
