"""Every event on the file system as a crash, links in place of folders, a clock that runs back."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import cvlib.study.run
from cvlib.study.batch import read_study, run_study
from cvlib.study.run import Run

Quick = Callable[[int], Path]
posix = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are POSIX")
# What changes a folder, as the interpreter announces it before it happens.
CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink",
           "os.chmod", "os.utime")  # fmt: skip


def results(out: Path) -> dict[str, bytes]:
    """Every byte of tables, figures, results and pages but the manifests: they hold the time."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name != "manifest.json"]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def left_over(out: Path) -> list[Path]:
    return list(out.rglob(".*"))


@contextmanager
def dying_at(event: int, below: Path) -> Iterator[None]:
    """Kill this process just before the event of that number on files below a folder."""
    seen = 0

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (
            os.O_WRONLY | os.O_RDWR | os.O_CREAT
        )  # fmt: skip
        if not writes and name not in CHANGES:
            return
        where = arguments[0] if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
        # shutil removes by names relative to an open folder
        relative = name in CHANGES and where and not Path(os.fsdecode(where)).is_absolute()
        if relative or os.fsdecode(where).startswith(str(below)):
            seen += 1
            if seen == event:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)  # for the rest of this process, which is a child
    yield


def in_a_child(work: Callable[[], Any], event: int = 0, below: Path = Path("/")) -> int:
    """Do the work in a forked process; its exit status, negative for a signal."""
    child = os.fork()
    if not child:
        status = 1
        try:
            with dying_at(event, below):
                work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def no_kernel(make_quick_study: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of one run whose kernel is replaced by the files that it would write."""
    study = make_quick_study(1)
    [outcome] = run_study(read_study(study), tmp_path / "once", jobs=1)
    assert outcome.run
    executed = outcome.run.folder

    def execute(notebook: Any, parameters: Any, aside: Path, failed: Any, progress: Any) -> None:
        for name in ("notebook.ipynb", "results.json", "tables", "figures", "thumbnail.png"):
            copy = shutil.copytree if (executed / name).is_dir() else shutil.copy
            copy(executed / name, aside / name)

    monkeypatch.setattr(cvlib.study.run, "execute", execute)
    return study


@posix
@pytest.mark.slow
def test_every_event_on_the_file_system_may_be_the_last(no_kernel: Path, tmp_path: Path) -> None:
    study, plain = read_study(no_kernel), tmp_path / "plain"
    assert in_a_child(lambda: run_study(study, plain, jobs=1)) == 0
    wanted, event = results(plain), 0
    assert len(wanted) > 8
    while True:
        event += 1
        out = tmp_path / f"out_{event}"
        status = in_a_child(lambda out=out: run_study(study, out, jobs=1), event, out)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        for folder in out.glob("quick/[!.]*"):  # what has its name is whole
            assert not Run(folder, existed=True).unfinished(), (event, folder)
        assert in_a_child(lambda out=out: run_study(study, out, jobs=1)) == 0, event
        assert results(out) == wanted, event
        assert not left_over(out), event
        shutil.rmtree(out)
    print(f"{event - 1} events")  # with -s
    assert event > 40


@posix
def test_reports_behind_links(no_kernel: Path, tmp_path: Path) -> None:
    study = read_study(no_kernel)
    disk, out = tmp_path / "disk", tmp_path / "reports"
    (disk / "quick").mkdir(parents=True)
    (disk / "all").mkdir()
    out.symlink_to(disk / "all")
    (out / "quick").symlink_to(disk / "quick")
    for existed in (False, True):
        [outcome] = run_study(study, out, jobs=1)
        assert outcome.run and outcome.run.existed == existed and not outcome.reason
    assert out.is_symlink() and (disk / "all" / "quick").is_symlink()
    (folder,) = (disk / "quick").glob("[!.]*")
    assert not Run(folder, existed=True).unfinished() and not left_over(disk)
    outside = tmp_path / "mine"
    outside.mkdir()
    (outside / "kept.txt").write_text("mine")
    shutil.rmtree(folder)
    folder.symlink_to(outside)  # somebody's folder in the place of a run: never emptied
    [outcome] = run_study(study, out, jobs=1)
    assert (outside / "kept.txt").read_text() == "mine"
    assert outcome.run and not outcome.run.unfinished()


@posix
def test_a_clock_that_runs_backwards(
    no_kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, started = read_study(no_kernel), iter(range(2_000_000_000, 0, -86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(started)))
    for existed in (False, True):
        [outcome] = run_study(study, tmp_path / "reports", jobs=1)
        assert outcome.run and outcome.run.existed == existed and not outcome.reason
    assert results(tmp_path / "reports") == results(tmp_path / "once")
