from pathlib import Path

import pytest
from click.testing import CliRunner

from cvlib.cli import main


def call(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    return result.exit_code, result.output


def test_list_names_every_notebook() -> None:
    code, text = call("list")
    assert code == 0
    assert "01_satisfaction_index" in text and "06_lifetime_and_churn" in text


def test_describe_explains_the_parameters() -> None:
    code, text = call("describe", "01")
    assert code == 0
    assert "draws: int = 500" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "99"], "there is none of this name"),
        (["run", "01", "-p", "modell", "acsi"], "Did you mean 'model'?"),
        (["run", "01", "-p", "draws", "lots"], "is not of type int"),
        (["run", "01", "--to", "papyrus"], "'papyrus' is not offered"),
        (["run"], "say which notebooks"),
        (["data", "fetch", "telco"], "Did you mean 'telco_churn'?"),
    ],
)
def test_wrong_requests_exit_with_two(tmp_path: Path, words: list[str], said: str) -> None:
    options = ["--out", str(tmp_path / "reports")] if words[0] == "run" else []
    code, text = call(*words, *options)
    assert code == 2
    assert said in text
    assert not (tmp_path / "reports").exists()


def test_missing_data_is_refused_by_name_and_leaves_nothing(tmp_path: Path) -> None:
    code, text = call("run", "01", "-p", "data", "nowhere.csv", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "nowhere.csv" in text and "Traceback" not in text
    assert not list((tmp_path / "out").rglob("*.ipynb"))


def test_data_list_and_check() -> None:
    code, text = call("data", "list")
    assert code == 0 and "cdnow_sample" in text and "telco_churn" in text
    code, text = call("data", "check")
    assert code == 0 and "mobi" in text


def test_an_expert_workbook_is_written_in_chinese(tmp_path: Path) -> None:
    code, text = call("workbook", "rfm", str(tmp_path / "e.xlsx"), "--language", "zh")
    assert code == 0 and "e.xlsx" in text
    assert (tmp_path / "e.xlsx").stat().st_size > 5000
    code, text = call("workbook", "rfmm", str(tmp_path / "f.xlsx"))
    assert code == 2 and "rfm" in text and not (tmp_path / "f.xlsx").exists()
