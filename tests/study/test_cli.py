import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.study import surroundings


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


def test_a_request_can_be_looked_at_before_it_runs(tmp_path: Path) -> None:
    file, out = tmp_path / "asked.yaml", tmp_path / "reports"
    file.write_text("seed: 5\nweight_draws: 100\n", encoding="utf-8")
    ask = ("run", "5", "--parameters", str(file), "--dry-run", "--out", str(out))
    code, text = call(*ask)
    assert code == 0 and text.startswith("to run") and "05_customer_scores" in text
    assert call(*ask, "-p", "seed", "5")[1] == text  # -p wins, here with the same value
    assert call(*ask, "-p", "seed", "6")[1] != text
    assert not out.exists()
    file.write_text("- seed\n", encoding="utf-8")
    assert call(*ask)[0] == 2
    file.write_text("seeds: 5\n", encoding="utf-8")
    code, text = call(*ask)
    assert code == 2 and "Did you mean 'seed'?" in text


def test_the_doctor_says_what_is_here_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = call("doctor", "--out", str(tmp_path / "reports"))
    assert code == 0 and "WRONG" not in text and "notebooks" in text
    assert not (tmp_path / "reports").exists()
    monkeypatch.setattr(surroundings, "_LEAST_FREE", 10**18)
    monkeypatch.setattr(surroundings, "_version", lambda package: "")
    code, text = call("doctor", "--out", str(tmp_path / "reports"))
    assert code == 1
    assert "WRONG numpy: not installed" in text and "WRONG disk" in text
    assert "format docx: not available" in text


JAVA_17 = 'openjdk version "17.0.15" 2025-04-15'
HERE = {"pyspark": "4.0.1", "distributed": "2026.8.0"}


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for Java")
@pytest.mark.parametrize(
    ("java", "installed", "lines", "said", "chinese"),
    [
        (JAVA_17, HERE, ["ok Java: 17.0.15", "ok Spark: pyspark 4.0.1",
                         "ok Dask: distributed 2026.8.0"], [], []),
        ("", {}, ["ok Java: not here", "ok Spark: not here", "ok Dask: not here"],
         ["Install Java 17 or newer, and set JAVA_HOME.", 'pip install "cvlib[spark]"',
          "spark://", 'pip install "cvlib[dask]"', "cvlib batch --dask"],
         ["正常 Java: 未找到", "请安装 Java 17 或更新版本", "用于在集群上批量运行"]),
        ('java version "1.8.0_402"', HERE, ["WRONG Java: 1.8.0_402", "ok Spark: pyspark 4.0.1"],
         ["Install Java 17"], ["有误 Java: 1.8.0_402"]),
        ("", HERE, ["WRONG Java: not here"], ["Spark runs on it"], ["Spark 在其上运行"]),
        (JAVA_17, {"pyspark": "3.5.1", "distributed": "2024.2.0"},
         ["WRONG Spark: pyspark 3.5.1", "WRONG Dask: distributed 2024.2.0"], [], []),
    ],
    ids=["all", "nothing", "old Java", "Spark without Java", "others than the extras bring"],
)  # fmt: skip
def test_the_doctor_says_what_reaches_beyond_this_machine(
    java: str,
    installed: dict[str, str],
    lines: list[str],
    said: list[str],
    chinese: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    if java:
        program.write_text(f"#!/bin/sh\necho '{java}' >&2\n")
        program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    real = surroundings._version
    beyond = ("pyspark", "distributed")
    monkeypatch.setattr(
        surroundings, "_version", lambda p: installed.get(p, "") if p in beyond else real(p)
    )
    for language, wanted in (("en", [*lines, *said]), ("zh", chinese)):
        code, text = call("doctor", "--out", str(tmp_path / "reports"), "--language", language)
        plain = " ".join(text.split())
        assert all(line in plain for line in wanted), (wanted, text)
        assert code == any(line.startswith("WRONG") for line in lines)
    assert ("cvlib[spark]" in text) == (installed.get("pyspark") != "4.0.1")
