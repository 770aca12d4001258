"""What the suite adds to a notebook's own work: seconds and CPU per run within a batch.

    python -m benchmarks.suite [--runs 10] [--notebooks 05_customer_scores] [--jobs 1 2]

Own work is what the cells take, from the executed notebooks: wall from their stamps, CPU from two
cells added to a copy of the notebook. The rest is the suite's: starting and ending the kernel,
hashes, the record, the HTML report, the study's summary. Time is counted once per kernel at work:
with two jobs a second of the batch is two. Each batch has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pandas as pd

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
TRIVIAL = """import pandas as pd
import cvlib
record = cvlib.Record("trivial", out=out, seed=seed)
record.show("numbers", pd.DataFrame({"value": [1.0, 2.0]}), title="Two numbers")
record.headline("one", 1, "One")
record.close()"""
BEGIN = "import time as _time\n_began = _time.process_time()"
END = "print(_time.process_time() - _began)"


def trivial() -> nbformat.NotebookNode:
    """A notebook that does next to nothing but import cvlib and close its record."""
    parameters = nbformat.v4.new_code_cell('seed: int = 1  # seed\nout: str = ""  # folder')
    parameters.metadata["tags"] = ["parameters"]
    question = nbformat.v4.new_markdown_cell("# Trivial\n\n## 1 Question\n\nHow long?")
    return nbformat.v4.new_notebook(
        cells=[question, parameters, nbformat.v4.new_code_cell(TRIVIAL)]
    )


def timed(name: str, folder: Path) -> Path:
    """A copy of a notebook that tells its CPU seconds at its end."""
    found = NOTEBOOKS / f"{name}.ipynb"
    content = trivial() if name == "trivial" else nbformat.read(found, as_version=4)
    content.cells.insert(0, nbformat.v4.new_code_cell(BEGIN))
    content.cells.append(nbformat.v4.new_code_cell(END))
    nbformat.write(content, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def own_work(folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of the cells of an executed notebook."""
    cells = nbformat.read(folder / "notebook.ipynb", as_version=4).cells
    wall = sum(cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in cells)
    return wall, float(cells[-1].outputs[0].text)


def batch(name: str, runs: int, jobs: int) -> dict[str, float | str]:
    """Seconds per run of one batch of the same notebook with different seeds."""
    began = time.perf_counter()
    from cvlib.study import warm
    from cvlib.study.batch import read_study, run_study

    imported = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as here:
        folder = Path(here)
        path = timed(name, folder)
        study = folder / "study.yaml"
        grid = f"{{seed: {list(range(1, runs + 1))}}}"
        study.write_text(f"title: Overhead\nruns: [{{notebook: {path}, grid: {grid}}}]\n")
        expanded = read_study(study)
        before, spent = time.perf_counter(), cpu()
        outcomes = run_study(expanded, folder / "reports", jobs=jobs)
        if warm._source:  # what its kernels took is known when it has ended
            warm._source.close()
        wall, used = (time.perf_counter() - before) * jobs, cpu() - spent
        cells = pd.DataFrame(
            [own_work(outcome.run.folder) for outcome in outcomes if outcome.run],
            columns=["wall", "cpu"],
        )
    assert len(cells) == runs, [outcome.reason for outcome in outcomes]
    return {
        "notebook": name, "runs": runs, "jobs": jobs, "import": imported,
        "seconds": wall / runs, "cells": cells["wall"].mean(),
        "overhead": wall / runs - cells["wall"].mean(),
        "cpu": used / runs, "cells_cpu": cells["cpu"].mean(),
        "overhead_cpu": used / runs - cells["cpu"].mean(),
    }  # fmt: skip


def cpu() -> float:
    """CPU seconds of this process and of the kernels that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def benchmark_overhead(names: list[str], runs: int, jobs: list[int]) -> pd.DataFrame:
    """One row per notebook and number of jobs."""
    rows = []
    for name in names:
        for number in jobs:
            task = ["--task", name, str(runs), str(number)]
            command = [sys.executable, "-m", "benchmarks.suite", *task]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--notebooks", nargs="*", default=["trivial", "05_customer_scores"])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--task", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task:
        name, runs, jobs = options.task
        print(json.dumps(batch(name, int(runs), int(jobs))))
        return
    found = benchmark_overhead(options.notebooks, options.runs, options.jobs)
    print(found.to_string(index=False, float_format=lambda value: f"{value:.2f}"))


if __name__ == "__main__":
    main()
