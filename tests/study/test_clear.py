"""What `cvlib clean` takes away, and what it leaves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.study.lock import claim
from cvlib.study.notebook import read_notebook
from cvlib.study.run import run_notebook

Make = Callable[..., Path]


@pytest.fixture
def reports(tmp_path: Path, write_notebook: Make) -> Path:
    """A finished run, one of an earlier program, a failed and a damaged one, and other things."""
    notebook = read_notebook(write_notebook(tmp_path / "little.ipynb"))
    home = tmp_path / "reports" / "little"
    for draws in (1, 2):
        done = run_notebook(notebook, {"draws": draws}, tmp_path / "reports").folder
    manifest = json.loads((done / "manifest.json").read_text())
    manifest["versions"]["cvlib_code"] = "0" * 12
    (done / "manifest.json").write_text(json.dumps(manifest))
    for name in ("a" * 12 + ".failed", "b" * 12 + ".damaged1", "notes", f".{'c' * 12}.12345678"):
        (home / name).mkdir()
        (home / name / "file").write_text("x")
    (tmp_path / "reports" / "mine.failed").mkdir()
    return tmp_path / "reports"


def run(*words: str) -> list[str]:
    result = CliRunner().invoke(main, ["clean", *words])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_only_what_is_no_answer_goes(reports: Path) -> None:
    everything = sorted(reports.rglob("*"))
    assert run("--out", str(reports), "--dry-run")[-1] == "2 folders would be removed."
    assert sorted(reports.rglob("*")) == everything
    told = run("--out", str(reports))
    assert [line.split()[0] for line in told] == ["failed", "damaged", "2"]
    left = {path.name for path in (reports / "little").iterdir()}
    assert "notes" in left and len([name for name in left if len(name) == 12]) == 2
    assert not [name for name in left if "." in name]
    assert (reports / "mine.failed").is_dir()


def test_answers_of_an_earlier_program_go_when_asked(reports: Path) -> None:
    told = run("--out", str(reports), "--older")
    assert [line for line in told if line.startswith("made by an earlier program")]
    (kept,) = [path for path in (reports / "little").iterdir() if len(path.name) == 12]
    assert json.loads((kept / "manifest.json").read_text())["changed"] == {"draws": 1}


def test_a_run_that_a_process_is_at_stays(reports: Path) -> None:
    with claim(reports / "little", "a" * 12):
        told = run("--out", str(reports))
    assert [line.split()[0] for line in told] == ["damaged", "1"]
    assert (reports / "little" / f"{'a' * 12}.failed").is_dir()
