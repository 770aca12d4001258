"""Batches that are killed, starved, doubled or find rubbish: nothing lost, nothing else damaged."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import psutil
import pytest
from click.testing import CliRunner

import cvlib.study.batch
import cvlib.study.lock
import cvlib.study.render.formats
import cvlib.study.run
import cvlib.study.summary
from cvlib.cli import main
from cvlib.inputs.errors import InputError
from cvlib.study.batch import read_study, run_study
from cvlib.study.lock import Busy, claim
from cvlib.study.notebook import read_notebook
from cvlib.study.run import Run, run_notebook

Quick = Callable[[int], Path]


def start(study: Path, out: Path, jobs: int = 2, **options: Any) -> subprocess.Popen[str]:
    """A batch in a process and group of its own."""
    words = ["-m", "cvlib", "batch", str(study), "--out", str(out), "--jobs", str(jobs)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *words], start_new_session=True, **pipes, **options)


def finish(batch: subprocess.Popen[str]) -> tuple[int, str]:
    text, errors = batch.communicate(timeout=300)
    return batch.returncode, text + errors


def kill(batch: subprocess.Popen[str], kernels: bool) -> list[psutil.Process]:
    """Kill -9 a batch, with its kernels or leaving them orphans; its kernels."""
    children = psutil.Process(batch.pid).children(recursive=True)
    os.killpg(batch.pid, signal.SIGKILL)
    for child in children if kernels else []:
        child.kill()
    batch.communicate()
    return children


def executions(study: Path) -> Counter[str]:
    count = study.with_name("count")
    return Counter(count.read_text().split()) if count.exists() else Counter()


def finished(out: Path) -> list[str]:
    """What distinguishes each finished run; none of them is broken."""
    folders = [folder for folder in (out / "quick").glob("*") if "." not in folder.name]
    runs = [Run(folder, existed=True) for folder in folders]
    assert not [run.damage() for run in runs if run.damage()]
    assert all(run.folder.name == run.manifest["run_id"] for run in runs)
    return sorted(str(run.manifest["parameters"]["draws"]) for run in runs)


def left_over(out: Path) -> list[str]:
    # os.walk passes over what a running batch takes away meanwhile; rglob stumbles
    below = ((Path(folder), [*inner, *files]) for folder, inner, files in os.walk(out))
    hidden = [folder / name for folder, names in below for name in names if name[0] == "."]
    return [path.relative_to(out).as_posix() for path in hidden]


def results(out: Path) -> dict[str, bytes]:
    """Every byte of tables, figures and results, of the runs and of the study."""
    kinds = (".csv", ".json", ".svg", ".png")
    files = [path for path in out.rglob("*") if path.suffix in kinds]
    files = [path for path in files if path.name != "manifest.json"]  # has the time of day
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def survive(study: Path, runs: int, kills: int, seed: int) -> list[tuple[int, int, bool]]:
    """Kill a batch at random moments, start it again each time; compare with one undisturbed.

    A moment is a random time after the start, after a new kernel's, or after so many more runs are
    finished, so that a busy machine does not move all kills into the beginning.

    Returns
    -------
    list of tuple
        Per kill: runs finished in all, executions begun in all, whether kernels died with it.
    """
    plain, out, chance = study.with_name("plain"), study.with_name("killed"), random.Random(seed)
    began = time.monotonic()
    status, text = finish(start(study, plain))
    share = (time.monotonic() - began) / (runs / 2 + 1)
    assert status == 0, text
    each_once = {str(draws): 1 for draws in range(runs)}
    assert executions(study) == each_once
    study.with_name("count").unlink()

    after = ["start", 0, 1, 0, 1, 2, 0, 1, 2, "start"][:kills]
    chance.shuffle(after)
    moments: list[tuple[int, int, bool]] = []
    settled: dict[str, int] = {}
    kernels_left: list[psutil.Process] = []
    while len(moments) < kills:
        stale, batch, more = set(left_over(out)), start(study, out), after[len(moments)]
        while more != "start" and batch.poll() is None:
            if set(left_over(out)) - stale and len(finished(out)) >= len(settled) + more:
                break
            time.sleep(0.05)
        try:
            batch.communicate(timeout=chance.uniform(0, share))
            after = ["start"] * kills  # everything is finished
        except subprocess.TimeoutExpired:
            kernels = len(moments) % 2 == 0
            kernels_left += kill(batch, kernels)
            begun, done = executions(study), finished(out)
            settled = {draws: begun[draws] for draws in done} | settled
            moments.append((len(done), begun.total(), kernels))
    status, text = finish(start(study, out))
    assert status == 0, text
    assert f"{runs} of {runs} runs done, {len(settled)} of them earlier" in text
    assert finished(out) == sorted(each_once)
    assert {draws: executions(study)[draws] for draws in settled} == settled  # none repeated
    assert left_over(out) == []
    assert psutil.wait_procs(kernels_left, timeout=10)[1] == []
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "quick", "studies"]
    assert results(out) == results(plain)
    assert len(results(out)) > 6 * runs
    return moments


posix = pytest.mark.skipif(sys.platform == "win32", reason="kill -9, fork and limits are POSIX")


@posix
def test_a_batch_survives_kills(make_quick_study: Quick) -> None:
    survive(make_quick_study(2), runs=2, kills=2, seed=3)


@posix
@pytest.mark.slow
def test_a_batch_of_twelve_survives_ten_kills(make_quick_study: Quick) -> None:
    moments = survive(make_quick_study(12), runs=12, kills=10, seed=20261121)
    print(moments)  # with -s: runs finished, executions begun, kernels killed too
    assert len(moments) == 10 and len({done for done, _, _ in moments}) > 3


@posix
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_kills(seed: int, make_quick_study: Quick) -> None:
    assert len(survive(make_quick_study(12), runs=12, kills=10, seed=1000 + seed)) == 10


@posix
def test_two_batches_at_once_share_the_runs(make_quick_study: Quick, tmp_path: Path) -> None:
    study, out = make_quick_study(2), tmp_path / "reports"
    first, second = start(study, out, jobs=1), start(study, out, jobs=1)
    for status, text in (finish(first), finish(second)):
        assert status == 0, text
        assert "2 of 2 runs done" in text
    assert executions(study) == {"0": 1, "1": 1}
    assert finished(out) == ["0", "1"]
    assert left_over(out) == []


@pytest.fixture(scope="module")
def executed(
    tmp_path_factory: pytest.TempPathFactory, write_quick_study: Callable[[Path, int], Path]
) -> Path:
    """The folder of a quick run."""
    folder = tmp_path_factory.mktemp("executed")
    study = write_quick_study(folder, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CVLIB_TEST_COUNT", str(folder / "count"))
        [outcome] = run_study(read_study(study), folder / "reports")
    assert outcome.run
    return outcome.run.folder


@pytest.fixture
def no_kernel(
    executed: Path, make_quick_study: Quick, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """A stand-in for the kernel: it leaves the files of a run executed before."""

    def execute(notebook: Any, parameters: Any, aside: Path, failed: Any, progress: Any) -> None:
        for name in ("notebook.ipynb", "results.json", "tables", "figures"):
            copy = shutil.copytree if (executed / name).is_dir() else shutil.copy
            copy(executed / name, aside / name)

    make_quick_study(1)
    monkeypatch.setattr(cvlib.study.run, "execute", execute)
    return execute


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write_half_and_die(path: Path, *_: Any) -> None:
    path.write_text('{"notebook": "qu')
    die()


def report_half_and_die(folder: Path, formats: Any) -> None:
    write_half_and_die(folder / "report.html")


def result_half_and_die(*arguments: Any) -> None:
    write_half_and_die(arguments[2] / "results.json")


def die_between_renames(done: Path, folder: Path) -> None:
    folder.rename(folder.with_name(f".{folder.name}.old"))
    die()


def place_and_die(done: Path, folder: Path) -> None:
    done.rename(folder)
    die()


STEPS = {
    "as it begins": ("run.execute", die, False),
    "half of the results": ("run.execute", result_half_and_die, False),
    "half of the manifest": ("plain.write_json", write_half_and_die, False),
    "half of the report": ("render.report.write_reports", report_half_and_die, False),
    "before the rename": ("run.put_in_place", die, False),
    "after the rename": ("run.put_in_place", place_and_die, True),
    "half of the summary": ("summary.write_json", write_half_and_die, True),
    "before the summary's rename": ("summary.put_in_place", die, True),
}


@posix
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step(
    step: str, no_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, out = read_study(tmp_path / "study.yaml"), tmp_path / "reports"
    where, fault, kept = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(f"cvlib.study.{where}", fault)
        assert in_a_child(lambda: run_study(study, out, jobs=1)) == -signal.SIGKILL
    assert left_over(out)
    assert finished(out) == (["0"] if kept else [])
    [outcome] = run_study(study, out, jobs=1)
    assert outcome.run and outcome.run.existed == kept and not outcome.reason
    assert finished(out) == ["0"]
    assert left_over(out) == []
    summary = json.loads((out / "studies" / "quick" / "study.json").read_text())
    assert summary == {"title": "Quick", "failures": []}


@posix
def test_killed_while_a_run_is_replaced(
    no_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook, out = read_notebook(tmp_path / "quick.ipynb"), tmp_path / "reports"
    before = run_notebook(notebook, {}, out)
    with monkeypatch.context() as patch:
        patch.setattr("cvlib.study.run.put_in_place", die_between_renames)
        replaced = in_a_child(lambda: run_notebook(notebook, {}, out, force=True))
    assert replaced == -signal.SIGKILL
    assert not before.folder.exists()
    again = run_notebook(notebook, {}, out)
    assert again.existed and not again.damage()
    assert left_over(out) == []


@posix
def test_killed_while_a_format_is_written(
    no_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(folder: Path, *_: Any) -> None:
        write_half_and_die(folder / "report.xlsx")

    study, out = read_study(tmp_path / "study.yaml"), tmp_path / "reports"
    study = replace(study, formats=("html", "xlsx", "latex"))
    with monkeypatch.context() as patch:
        patch.setitem(cvlib.study.render.formats.WRITERS, "xlsx", half)
        assert in_a_child(lambda: run_study(study, out)) == -signal.SIGKILL
    assert finished(out) == ["0"] and not list((out / "quick").glob("[!.]*/report.xlsx"))
    [outcome] = run_study(study, out)
    assert outcome.run and outcome.run.existed and left_over(out) == []
    book = outcome.run.folder / "report.xlsx"
    assert "first" in openpyxl.load_workbook(book).sheetnames
    assert (outcome.run.folder / "latex" / "first.tex").is_file()
    book.write_bytes(b"with a co-author's comments")
    run_study(study, out)
    assert book.read_bytes() == b"with a co-author's comments"


def in_a_child(work: Callable[[], Any]) -> int:
    """Do the work in a forked process; its exit status, negative for a signal."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def truncate(folder: Path) -> None:
    path = folder / "results.json"
    path.write_bytes(path.read_bytes()[:100])


def no_tables(folder: Path) -> None:
    shutil.rmtree(folder / "tables")


def other_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"run_id": "0123456789ab"}))


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def empty_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("")


def wrong_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("[1]")


def unreadable(folder: Path) -> None:
    (folder / "results.json").unlink()
    (folder / "results.json").mkdir()


def not_text(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff\xfe\x00")


def one_digit(folder: Path) -> None:
    path = folder / "tables" / "first.csv"
    path.write_text(path.read_text().replace("1", "2", 1))


def a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncate, "results.json is not as the run wrote it"),
        (no_tables, "tables/first.csv is missing"),
        (other_manifest, "manifest.json is of run 0123456789ab"),
        (no_manifest, "manifest.json is missing"),
        (empty_manifest, "manifest.json is not a manifest"),
        (wrong_manifest, "manifest.json is not a manifest"),
        (unreadable, "results.json cannot be read (Is a directory)"),
        (not_text, "manifest.json is not a manifest"),
        (one_digit, "tables/first.csv is not as the run wrote it"),
        (a_file, "manifest.json cannot be read (Not a directory)"),
    ],
)
def test_a_damaged_run_is_set_aside_and_repeated(
    spoil: Callable[[Path], None],
    said: str,
    no_kernel: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    notebook, out = read_notebook(tmp_path / "quick.ipynb"), tmp_path / "reports"
    folder = run_notebook(notebook, {}, out).folder
    other = run_notebook(notebook, {"draws": 1}, out).folder
    untouched = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
    for number in ("", "1"):
        spoil(folder)
        caplog.clear()
        again = run_notebook(notebook, {}, out)
        assert not again.existed and not again.damage()
        assert said in caplog.text and f"kept as {folder.name}.damaged{number}" in caplog.text
        assert (out / "quick" / f"{folder.name}.damaged{number}").exists()
    assert {path: path.read_bytes() for path in untouched} == untouched
    assert left_over(out) == []


def test_a_live_run_is_left_alone(no_kernel: Any, tmp_path: Path) -> None:
    notebook, out = read_notebook(tmp_path / "quick.ipynb"), tmp_path / "reports"
    identity = run_notebook(notebook, {}, tmp_path / "elsewhere").folder.name
    with claim(out / "quick", identity):
        under_way = cvlib.study.lock.aside(out / "quick", identity)
        with pytest.raises(Busy, match=f"another process is at quick/{identity}"):
            run_notebook(notebook, {}, out, wait=False)
        run_notebook(notebook, {"draws": 1}, out)
        assert under_way.is_dir()
    assert not run_notebook(notebook, {}, out).existed
    assert not under_way.exists()


def test_the_same_question_twice_in_a_study_is_answered_once(
    make_quick_study: Quick, tmp_path: Path
) -> None:
    study = make_quick_study(1)
    study.write_text(study.read_text().replace("[0]", "[0, 0]"))
    outcomes = run_study(read_study(study), tmp_path / "reports", jobs=2)
    assert sorted(outcome.run.existed for outcome in outcomes if outcome.run) == [False, True]
    assert executions(study) == {"0": 1}


def test_data_that_change_while_they_are_read_are_refused(
    no_kernel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "d.csv"
    data.write_text("a\n1\n")

    def execute(*arguments: Any) -> None:
        no_kernel(*arguments)
        data.write_text("a\n22\n")

    monkeypatch.setattr(cvlib.study.run, "execute", execute)
    notebook = read_notebook(tmp_path / "quick.ipynb")
    with pytest.raises(InputError, match="an input file changed while the run was reading it"):
        run_notebook(notebook, {"data": str(data)}, tmp_path / "reports")
    assert not (tmp_path / "reports" / "quick").exists()


def small_files() -> None:
    # without privileges, what a full disk does to a write: the system refuses it half-way
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


@posix
def test_a_write_refused_half_way_damages_nothing_else(
    executed: Path, make_quick_study: Quick, tmp_path: Path
) -> None:
    study, out = make_quick_study(2), tmp_path / "reports"
    shutil.copytree(executed.parent, out / "quick")
    before = results(out)
    status, text = finish(start(study, out, preexec_fn=small_files))
    assert status == 1
    assert "1 of 2 runs are done, but not their summary: File too large" in text
    assert "failed: quick (draws = 1): " in text and "Traceback" not in text
    assert finished(out) == ["0"] and executions(study) == {"1": 1}
    assert {name: content for name, content in results(out).items() if name in before} == before
    assert left_over(out) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of one megabyte; only root can have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)):
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def mount(*words: str) -> bool:
    if not shutil.which("mount"):
        return False
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


@posix
@pytest.mark.slow
def test_a_full_disk_and_then_a_larger_one(make_quick_study: Quick, small_disk: Path) -> None:
    study, out = make_quick_study(4), small_disk / "reports"
    status, text = finish(start(study, out, jobs=1))
    assert status == 1
    assert "No space left on device" in text and "Traceback" not in text
    done = finished(out)
    assert 0 < len(done) < 4
    assert left_over(out) == []
    assert mount("-o", "remount,size=20m", str(small_disk))
    status, text = finish(start(study, out))
    assert status == 0, text
    assert f"4 of 4 runs done, {len(done)} of them earlier" in text
    assert {draws: executions(study)[draws] for draws in done} == dict.fromkeys(done, 1)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that cannot be written, by mode, or for root by mount."""
    folder = tmp_path / "read_only"
    folder.mkdir(mode=0o555)
    if os.geteuid():
        yield folder
        return
    if not mount("--bind", "-o", "ro", str(folder), str(folder)):
        pytest.skip("root writes anywhere, and this one cannot mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@posix
@pytest.mark.parametrize("below", ["", "reports"])
def test_a_read_only_folder_is_refused_before_anything_runs(
    below: str, make_quick_study: Quick, read_only: Path
) -> None:
    study = make_quick_study(2)
    out = read_only / below
    result = CliRunner().invoke(main, ["batch", str(study), "--out", str(out)])
    assert result.exit_code == 2
    assert result.output.count("cannot be written") == 1 and "--out" in result.output
    notebook = str(study.with_name("quick.ipynb"))
    result = CliRunner().invoke(main, ["run", notebook, "--out", str(out)])
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert executions(study) == {}


@posix
@pytest.mark.parametrize(
    "odd",
    [
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "nowhere", "TZ": "Nowhere/Nothing", "HOME": "/nonexistent"},
    ],
    ids=["ascii", "turkish", "unknown"],
)
def test_odd_surroundings_give_the_same_bytes(
    odd: dict[str, str], make_quick_study: Quick, executed: Path, tmp_path: Path
) -> None:
    status, text = finish(start(make_quick_study(1), tmp_path / "odd", env=os.environ | odd))
    assert status == 0, text
    assert results(executed.parents[1]) == results(tmp_path / "odd") != {}
