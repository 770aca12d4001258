"""What runs on a Dask cluster is what runs here, byte for byte."""

import hashlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

import cvlib as cv
from cvlib.satisfaction.compare.groups import estimate_groups
from cvlib.study.batch import Outcome, read_study, run_study

STUDY = """title: Three seeds
runs:
  - notebook: 05
    grid: {seed: [1, 2, 3]}
"""


def ran(folder: Path, **how: Any) -> list[Outcome]:
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    outcomes = run_study(read_study(folder / "study.yaml"), folder / "reports", **how)
    assert [outcome.reason for outcome in outcomes] == [""] * 3
    return outcomes


def written(outcomes: list[Outcome]) -> dict[str, str]:
    """Every file of the runs and its hash; the manifest holds the time, the rest must not."""
    found = {}
    for outcome in outcomes:
        assert outcome.run
        for path in sorted(outcome.run.folder.rglob("*")):
            if path.is_file() and path.name != "manifest.json":
                name = path.relative_to(outcome.run.folder.parent).as_posix()
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_a_batch_is_the_same_and_outlives_a_lost_worker(cluster: Any, tmp_path: Path) -> None:
    address = cluster.scheduler_address
    workers = [worker.pid for worker in cluster.workers.values()]

    def lose() -> None:
        reports = tmp_path / "there" / "reports" / "05_customer_scores"
        for _ in range(600):  # once a run has begun
            if reports.is_dir() and any(reports.iterdir()):
                os.kill(workers[0], signal.SIGKILL)
                return
            time.sleep(0.1)

    killer = threading.Thread(target=lose)
    killer.start()
    there = ran(tmp_path / "there", dask=address)
    killer.join()
    here = ran(tmp_path / "here", jobs=1)
    assert written(there) == written(here)
    assert not [path.name for path in (tmp_path / "there" / "reports").rglob("*.failed")]


def test_draws_of_groups_and_the_planning_of_a_sample(cluster: Any) -> None:
    from distributed import Client

    answers = cv.load("mobi").data
    grouped = answers.assign(group=["a", "b"] * (len(answers) // 2))

    def both() -> tuple[pd.DataFrame, pd.DataFrame]:
        groups = estimate_groups(grouped, "ecsi_mobile", by="group", draws=200, jobs=2)
        people = cv.satisfaction.population("acsi")
        plan = cv.satisfaction.plan(people, sizes=[100, 200], replications=100, jobs=2)
        return pd.DataFrame(groups.paths.reshape(len(groups.keys), -1)), plan.index

    here = both()
    with Client(cluster.scheduler_address), joblib.parallel_config(backend="dask"):
        there = both()
    for ours, theirs in zip(here, there, strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
