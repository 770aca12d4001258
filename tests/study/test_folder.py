from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.study.batch import read_study
from cvlib.weighting.table import read_indicators
from cvlib.weighting.tree import available_trees, load_tree
from cvlib.weighting.unnamed import find_tree


def test_a_new_study_is_ready_to_run(tmp_path: Path) -> None:
    folder = tmp_path / "mobile_operators"
    result = CliRunner().invoke(main, ["new", str(folder)])
    assert result.exit_code == 0
    study = read_study(folder / "study.yaml")
    assert study.title == "Mobile operators"
    assert len(study.cells) == 4
    assert list(pd.read_csv(folder / "transactions.csv")) == ["customer_id", "date", "amount"]
    assert "CUSA1" in list(pd.read_csv(folder / "survey.csv"))
    assert (folder / "expert_judgements.xlsx").stat().st_size > 5000
    form = openpyxl.load_workbook(folder / "questionnaire.xlsx")
    asked = [str(cell.value) for row in form.worksheets[0].iter_rows() for cell in row]
    assert any("stable and firmly established" in text for text in asked)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    written = {path.name for path in folder.iterdir()} - {"README.md"}
    assert written == {"study.yaml", "survey.csv", "transactions.csv", "questionnaire.xlsx",
                       "expert_judgements.xlsx", "private"}  # fmt: skip
    assert all(f"`{name}" in readme for name in written - {"study.yaml"})
    key = folder / "private" / "pseudonyms.key"
    assert len(key.read_text().strip()) == 64 and key.stat().st_mode & 0o077 == 0
    assert str(folder / "questionnaire.xlsx") in result.output


def test_a_new_study_passes_its_own_check(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    CliRunner().invoke(main, ["new", str(folder)])
    result = CliRunner().invoke(main, ["check", str(folder / "study.yaml")])
    assert result.exit_code == 0, result.output
    assert result.output.count("ok") == 4
    assert not (folder / "reports").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(main, ["new", str(tmp_path)])
    assert result.exit_code == 2
    assert "is not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_customer_study_has_its_templates_and_passes_its_check(
    tmp_path: Path, language: str
) -> None:
    folder = tmp_path / "value"
    asked = ["new", str(folder), "--study", "customer", "--language", language]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert list(pd.read_csv(folder / "contracts.csv"))[:4] == ["id", "start", "end", "fee"]
    assert list(pd.read_csv(folder / "survey.csv"))[:3] == ["id", "interviewed_on", "IMAG1"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    written = {path.name for path in folder.iterdir()} - {"README.md", "study.yaml"}
    assert all(f"`{name}" in readme for name in written)
    assert ("顾客" in readme) == (language == "zh")
    assert read_study(folder / "study.yaml").cells[0].parameters["language"] == language
    checked = CliRunner().invoke(main, ["check", str(folder / "study.yaml")])
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("name", available_trees())
def test_a_study_of_one_tree_has_its_indicators_and_passes_its_check(
    tmp_path: Path, name: str
) -> None:
    folder, tree = tmp_path / "mine", load_tree(name)
    language = "zh" if name > "d" else "en"
    asked = ["new", str(folder), "--tree", name, "--language", language]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    customers = pd.read_csv(folder / "customers.csv")
    assert list(customers) == ["customer_id", *tree.columns]
    assert customers["customer_id"].str.startswith("simulated ").all()
    assert find_tree(customers).name == name
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"- {column}: {tree.label(leaf, language)}" in readme
               for leaf, column in tree.columns.items())  # fmt: skip
    weighed = len(tree.weighted) > 1
    assert (folder / "expert_judgements.xlsx").exists() == weighed
    assert ("expert_judgements.xlsx" in readme) == weighed
    study = read_study(folder / "study.yaml")
    assert [cell.notebook.name[:2] for cell in study.cells] == (["04", "05"] if weighed else ["05"])
    scored = read_indicators(customers, tree, customer="customer_id", missing="listwise")
    assert len(scored.values) == 60 and scored.left_out["count"].sum() == 0


def test_a_tree_of_ones_own_goes_into_its_study(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "name: shops\nchildren:\n  visits: {en: Visits, direction: benefit, unit: count}\n"
        "  returns: {en: Returns, direction: cost, unit: '%'}\n",
        encoding="utf-8",
    )
    folder = tmp_path / "mine"
    result = CliRunner().invoke(main, ["new", str(folder), "--tree", str(own)])
    assert result.exit_code == 0, result.output
    assert (folder / "own.yaml").read_bytes() == own.read_bytes()
    checked = CliRunner().invoke(main, ["check", str(folder / "study.yaml")])
    assert checked.exit_code == 0, checked.output
    wrong = CliRunner().invoke(main, ["new", str(tmp_path / "other"), "--tree", "bonk"])
    assert wrong.exit_code == 2 and "bank" in wrong.output
    assert not (tmp_path / "other").exists()
