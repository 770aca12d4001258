"""README's lines for one's own data, word for word, in an empty folder with small files."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.satisfaction.model.file import load_model
from cvlib.study.execute import check_data
from cvlib.study.notebook import find

ROOT = Path(__file__).resolve().parents[2]
LONG = ("run", "batch", "plan", "compare", "rerun")


def readme_lines() -> list[str]:
    """The commands of README's section, comments taken off, alternatives written out."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## On your own data", 1)[1].split("\n## ", 1)[0]
    lines = []
    for block in re.findall(r"```\w*\n(.*?)```", section, re.DOTALL):
        for line in block.splitlines():
            command = line.partition("  #")[0].strip()
            if command.startswith("cvlib "):
                *begin, last = command.split(" ")
                lines += [" ".join([*begin, each]) for each in last.split("|")]
    return lines


LINES = readme_lines()


def survey(path: Path, words: list[str]) -> None:
    """Answers of 150 respondents to the model of the line, under the columns its mapping names."""
    import pyreadstat

    given = dict(zip(words[1::3], words[2::3], strict=False))
    model = load_model(given.get("model", "ecsi_mobile"))
    renamed = dict(re.findall(r"(\w+): (\w+)", given.get("mapping", "")))
    rng = np.random.default_rng(1)
    latent = rng.normal(size=150)
    answers = {}
    for construct in model.constructs:
        own = 0.7 * latent + 0.7 * rng.normal(size=150)
        for item in construct.items:
            noise = rng.normal(size=150)
            column = renamed.get(item.name, item.column or item.name)
            middle = (item.minimum + item.maximum) / 2
            width = (item.maximum - item.minimum) / 5
            answers[column] = np.clip(
                np.round(middle + width * (own + 0.6 * noise)), item.minimum, item.maximum
            )
    pyreadstat.write_sav(pd.DataFrame(answers), str(path))


def orders(path: Path, words: list[str]) -> None:
    """Purchases of 150 customers over two years, to the middle of the second."""
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-07-01", "2026-06-30")
    rows = [
        {"customer_id": f"c{customer:03d}", "date": days[place], "amount": amount}
        for customer in range(150)
        for place, amount in zip(
            sorted(rng.choice(len(days), size=1 + rng.poisson(3), replace=False)),
            rng.gamma(4, 10, size=50).round(2),
            strict=False,
        )
    ]
    pd.DataFrame(rows).to_parquet(path)


MADE = {"survey.sav": survey, "orders.parquet": orders}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for line in LINES:
        words = shlex.split(line)
        for word in words:
            if re.fullmatch(r"[\w.]+\.(sav|parquet|csv|xlsx|dta)", word) and words[1] == "run":
                MADE[word](tmp_path / word, words[3:])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(folder: Path, line: str) -> None:
    runs = sorted(folder.glob("reports/01*/*/manifest.json"))
    line = re.sub(r"\bRUN\b", lambda _: str(runs[0].parent), line)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=folder, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_the_section_has_its_lines() -> None:
    first = {line.split()[1] for line in LINES}
    assert {"list", "describe", "run", "new", "check", "batch", "questionnaire"} <= first


def test_short_lines_run_as_they_stand(folder: Path) -> None:
    for line in LINES:
        words = shlex.split(line)
        if words[1] not in LONG and words[1:3] != ["data", "fetch"]:
            said = CliRunner().invoke(main, words[1:])
            assert said.exit_code == 0, f"{line}\n{said.output}"
    assert (folder / "my_study" / "study.yaml").is_file()


@pytest.mark.parametrize("line", [line for line in LINES if line.split()[1] == "run"])
def test_runs_read_their_data(folder: Path, line: str) -> None:
    words = shlex.split(line)
    given = {words[at + 1]: words[at + 2] for at, word in enumerate(words) if word == "-p"}
    assert check_data(find(words[2]), [given]) == [""]


@pytest.mark.slow
def test_every_line_runs_in_its_order(folder: Path) -> None:
    for line in LINES:
        call(folder, f"{line} mobi" if line.endswith("data fetch") else line)
    assert list(folder.glob("reports/01*/*/report.docx"))
    assert list(folder.glob("reports/06*/*/report.html"))
    assert list(folder.glob("reports/studies/*/summary.csv"))
