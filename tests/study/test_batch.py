import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.inputs.errors import InputError
from cvlib.study.batch import check_study, read_study, run_study
from cvlib.study.compare import compare_runs, open_run, rerun
from cvlib.study.files import can_be_path, files_of
from cvlib.study.gallery import write_gallery
from cvlib.study.run import Run

Make = Callable[..., Path]

STUDY = """title: Two by two
defaults: {{seed: 3}}
runs:
  - notebook: {notebook}
    grid: {{draws: [1, 2], strict: [true, false]}}
"""
FAILS_AT_TWO = """import cvlib, pandas as pd
record = cvlib.Record("little", out=out, seed=seed)
values = [1 / (2 - draws) + seed, float(strict)]
record.show("numbers", pd.DataFrame({"draws": ["first", "second"], "value": values}))
record.headline("answer", draws, f"It is {draws}")
record.close()"""


def write(folder: Path, notebook: Path, text: str = STUDY) -> Path:
    path = folder / "study.yaml"
    path.write_text(text.format(notebook=notebook))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_notebook: Make) -> Path:
    """A study of three cells of which the last fails, run once."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "d.csv").write_text("a\n1\n")
    notebook = write_notebook(folder / "little.ipynb", code=FAILS_AT_TWO)
    text = STUDY.replace("seed: 3", "seed: 3, data: d.csv").replace("[true, false]", "[true]")
    run_study(read_study(write(folder, notebook, text.replace("[1, 2]", "[1, 3, 2]"))), folder)
    return folder


def test_a_batch_sums_up_what_worked(folder: Path) -> None:
    summary = pd.read_csv(folder / "studies" / "two_by_two" / "summary.csv")
    assert summary[["draws", "strict", "value"]].to_numpy().tolist() == [[1, True, 1], [3, True, 3]]
    together = pd.read_csv(folder / "studies" / "two_by_two" / "tables" / "numbers.csv")
    assert together["value"].tolist() == [4, 1, 2, 1]
    assert together["draws"].tolist() == ["first", "second"] * 2
    assert together["run_draws"].tolist() == [1, 1, 3, 3]
    assert list(together)[:3] == ["run", "notebook", "run_draws"]


def test_a_batch_tells_what_failed(folder: Path) -> None:
    html = (folder / "studies" / "two_by_two" / "report.html").read_text()
    assert "ZeroDivisionError" in html and "draws = 2" in html
    assert html.count("<h1") == 1
    names = re.findall(r' id="([^"]+)"', html)
    assert len(names) == len(set(names)) and "run-2-section-1" in names


def test_pages_do_not_tell_where_files_lie(folder: Path) -> None:
    write_gallery(folder)
    pages = list(folder.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        text = page.read_text()
        assert "d.csv" in text and str(folder) not in text


def test_one_cell_is_run_again(folder: Path) -> None:
    words = ["-v", "batch", str(folder / "study.yaml"), "--out", str(folder), "--force"]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("manifest.json")}
    plan = CliRunner().invoke(main, [*words, "2", "--dry-run"]).output.splitlines()
    assert [line.split()[:3] for line in plan[1:]] == [
        ["1", "finished", "little"], ["2", "to", "run"], ["3", "to", "run"]
    ]  # fmt: skip
    told = CliRunner().invoke(main, [*words, "2"])
    assert "cell 2 of 3: little (draws = 3, strict = True)" in told.output + told.stderr
    changed = [path for path, time in before.items() if path.stat().st_mtime_ns != time]
    (again,) = changed
    assert json.loads(again.read_text())["changed"]["draws"] == 3
    wrong = CliRunner().invoke(main, [*words, "4"])
    assert wrong.exit_code == 2 and "no cell 4, the study has 3" in wrong.output + wrong.stderr


def test_finished_runs_are_not_repeated_and_failures_give_status_one(folder: Path) -> None:
    words = ["batch", str(folder / "study.yaml"), "--out", str(folder)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1
    assert "2 of 3 runs done, 2 of them earlier" in result.output
    result = CliRunner().invoke(main, [*words, "--dry-run"])
    assert result.exit_code == 0
    assert result.output.count("little") == 3
    assert result.output.count("finished") == 2 and result.output.count("to run") == 1


def test_two_runs_compare(folder: Path) -> None:
    first, second = finished(folder)
    found = compare_runs(first, second)
    assert found.settings["name"].tolist() == ["draws"]
    assert not found.same_numbers
    assert found.numbers.loc[0, "differing"] == 1


def test_a_run_repeats_itself_but_not_on_other_data(folder: Path) -> None:
    run = finished(folder)[0]
    assert rerun(run).same_numbers
    (folder / "d.csv").write_text("a\n2\n")
    with pytest.raises(InputError, match="no longer the file of that run"):
        rerun(run)
    (folder / "d.csv").write_text("a\n1\n")


def finished(folder: Path) -> list[Run]:
    runs = [open_run(p.parent) for p in (folder / "little").glob("*/manifest.json")]
    return sorted(runs, key=lambda run: run.manifest["parameters"]["draws"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("draws:", "drawz:", "line 4: .*Did you mean 'draws'"),
        ("[1, 2]", "[1, x]", "'x' is not of type int"),
        ("seed: 3", "sead: 3", "line 2: no notebook takes 'sead'"),
        ("grid:", "gird:", "line 5: runs.0.gird"),
        ("title:", "titel:", "title"),
        ("[1, 2]", str([0] * 6000), "line 5: has 12,000 runs; at most 10,000"),
    ],
)
def test_a_wrong_study_is_refused_by_line(
    make_notebook: Make, tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write(tmp_path, make_notebook(), STUDY.replace(old, new))
    with pytest.raises(InputError, match=said):
        read_study(path)


def test_a_notebook_may_be_given_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("title: A\nruns: [{notebook: 04}, {notebook: 08}]\n")
    cells = read_study(tmp_path / "study.yaml").cells
    assert [cell.notebook.name[:2] for cell in cells] == ["04", "08"]


def test_files_are_looked_for_beside_the_study(make_notebook: Make, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a\n1\n")
    path = write(tmp_path, make_notebook(), STUDY.replace("seed: 3", "data: mine.csv"))
    assert read_study(path).cells[0].parameters["data"] == str(tmp_path / "mine.csv")


CHECKED = """import cvlib, os
assert share > 0, "no share"
assert draws == 0, "resampled"
table = cvlib.load_table(data)
if share == 3:
    os.kill(os.getpid(), 9)"""


def test_check_reads_the_data_of_every_cell_in_one_kernel(
    make_notebook: Make, tmp_path: Path
) -> None:
    path = make_notebook(code=CHECKED)
    grid = "grid: {{share: [1.0, 0.0, 1.0, 3.0, 2.0], data: [mobi, gone.csv]}}"
    text = STUDY.replace("grid: {{draws: [1, 2], strict: [true, false]}}", grid)
    text = text.replace("seed: 3", "seed: 3, draws: 9")
    study = read_study(write(tmp_path, path, text))
    reasons = [outcome.reason for outcome in check_study(study)]
    assert [reason[:8] for reason in reasons[:6:2]] == ["", "Assertio", ""]
    assert "no share" in reasons[3] and "gone.csv" in reasons[1] and "gone.csv" in reasons[5]
    assert all("the kernel stopped" in reason for reason in reasons[6:])
    assert not (tmp_path / "reports").exists()


def test_a_check_does_not_mend_too_few_draws(make_notebook: Make, tmp_path: Path) -> None:
    path = make_notebook(code='assert draws == 0, f"{draws} draws"')
    text = STUDY.replace("[1, 2], strict: [true, false]", "[500, 1]")
    fine, refused = check_study(read_study(write(tmp_path, path, text)))
    assert fine.reason == "" and "1 draws" in refused.reason


def test_not_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a finished run folder"):
        open_run(tmp_path)


@pytest.mark.parametrize("value", ["x" * 5000, "顾客" * 50, "", 7, None])
def test_a_long_text_is_not_taken_for_a_file(value: object) -> None:
    assert not can_be_path(value)
    assert files_of(value) == []
