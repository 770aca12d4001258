"""What Spark and a Dask cluster take beside this machine alone, for the same work.

    python -m benchmarks.scale [--rows 1000000] [--runs 6]

The extras are looked for here, then in the environment that `make scale` makes; what is not there
is said. A log is summarised by DuckDB and by Spark on two threads, both asked for histories only;
a batch of small runs goes through two jobs and through a cluster of two processes. Seconds are wall
time, the start of Spark and of the cluster apart; CPU seconds count all processes with their start,
but not Java's.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers import keep

ROOT = Path(__file__).resolve().parents[1]
EXTRA = {"duckdb": "duckdb", "spark": "pyspark", "jobs": "cvlib", "dask": "distributed"}


def python_for(module: str) -> str:
    """The Python that has a module: this one, or that of `make scale`; "" where neither has."""
    if importlib.util.find_spec(module):
        return sys.executable
    other = ROOT / ".venv-scale" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    asked = [str(other), "-c", f"import {module}"]
    found = other.is_file() and subprocess.run(asked, capture_output=True).returncode == 0
    return str(other) if found else ""


def missing(task: str) -> str:
    """Why a task cannot run here, "" where it can."""
    if not python_for(EXTRA[task]):
        return f"{task}: not measured, {EXTRA[task]} is not installed (`make scale` brings it)"
    if task == "spark" and shutil.which("java") is None:
        return "spark: not measured, Java is not installed"
    return ""


def summary(path: str) -> dict[str, Any]:
    """A log to distinct histories, the database already running."""
    from cvlib.lifetime.purchases.summary import summarise_purchases

    began = time.perf_counter()
    found = summarise_purchases(path, customers_to=Path(tempfile.mkdtemp()) / "customers")
    seconds = time.perf_counter() - began
    histories, customers = len(found.histories), int(found.histories["customers"].sum())
    found.log.close()
    return {"seconds": seconds, "check": f"{histories:,} histories of {customers:,} customers"}


def on_spark(path: str) -> dict[str, Any]:
    """The same by Spark, whose session is started before."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    found = summary(f"spark://{path}")
    session.stop()
    return found


def batch(runs: int, dask: str = "") -> dict[str, Any]:
    """Small runs, two at a time."""
    import nbformat

    from benchmarks.suite import trivial
    from cvlib.study.batch import read_study, run_study

    with tempfile.TemporaryDirectory() as here:
        path = Path(here) / "trivial.ipynb"
        nbformat.write(trivial(), path)
        study = Path(here) / "study.yaml"
        grid = f"{{seed: {list(range(1, runs + 1))}}}"
        study.write_text(f"title: Small\nruns: [{{notebook: {path}, grid: {grid}}}]\n")
        expanded, began = read_study(study), time.perf_counter()
        how: dict[str, Any] = {"dask": dask} if dask else {"jobs": 2}
        outcomes = run_study(expanded, Path(here) / "reports", **how)
        seconds = time.perf_counter() - began
    assert not any(outcome.reason for outcome in outcomes)
    return {"seconds": seconds, "check": f"{len(outcomes)} runs"}


def on_cluster(runs: int) -> dict[str, Any]:
    """The same runs as tasks of a cluster of two processes."""
    from distributed import LocalCluster

    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **how) as cluster:
        return batch(runs, cluster.scheduler_address)


def measured(task: str, argument: str) -> dict[str, Any]:
    """A task in a process of its own; CPU of all that it started is known when it has ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [python_for(EXTRA[task]), "-m", "benchmarks.scale", "--task", task, argument]
    told = os.environ | {"JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=told)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"task": task, **json.loads(done.stdout.splitlines()[-1]), "cpu": cpu}


def benchmark_scale(rows: int, runs: int) -> pd.DataFrame:
    """One row per task that could run; what could not is printed."""
    from benchmarks.lifetime import write_log

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        log = f"{folder}/log.parquet"
        write_log(log, rows)
        for task, argument in (
            ("duckdb", log), ("spark", log), ("jobs", str(runs)), ("dask", str(runs)),
        ):  # fmt: skip
            if why := missing(task):
                print(why)
            else:
                found[task] = measured(task, argument)
    pairs = {
        f"a log of {rows:,} rows to histories": ("duckdb", "spark", "the same rules on Spark"),
        f"{runs} small runs, two at a time": ("jobs", "dask", "a Dask cluster of two processes"),
    }
    for what, (ours, theirs, peer) in pairs.items():
        if theirs in found:
            assert found[ours]["check"] == found[theirs]["check"]
            keep(what, peer, found[ours]["seconds"], found[theirs]["seconds"], "seconds")
    return pd.DataFrame(list(found.values()))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task:
        task, argument = options.task
        if task in ("duckdb", "spark"):
            print(json.dumps((summary if task == "duckdb" else on_spark)(argument)))
        else:
            print(json.dumps((batch if task == "jobs" else on_cluster)(int(argument))))
        return
    found = benchmark_scale(options.rows, options.runs)
    print(found.to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
