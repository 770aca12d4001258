"""What the suite adds to a notebook's own work: CPU seconds per run, alone and within a batch.

    python -m benchmarks.suite [--runs 6] [--notebooks trivial 05_customer_scores] [--jobs 1]

Each line is a process of its own, as a user starts it, counted whole with all its kernels (user and
system time; none of it is a clock's). Own work is what the notebook's cells take once everything is
imported, told by cells that are added to a copy. The rest is the suite's, and told in parts: a
kernel before its first cell, its imports, and what is left: the runner, its own imports, hashes,
the record, the HTML report, the study's summary, the list of reports.

run      `cvlib run NOTEBOOK`
batch    `cvlib batch`, as it is: kernels are forked from a process that has loaded the modules
cold     the same batch, where every kernel starts and imports for itself
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pandas as pd

from benchmarks.peers import keep
from cvlib.study import warm
from cvlib.study.notebook import read_notebook

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
TRIVIAL = """import pandas as pd
import cvlib
record = cvlib.Record("trivial", out=out, seed=seed)
record.show("numbers", pd.DataFrame({"value": [1.0, 2.0]}), title="Two numbers")
record.headline("one", 1, "One")
record.close()"""
# What a notebook imports anyway, imported at once.
BEGIN = """import importlib as _importlib, time as _time
_told = [_time.process_time()]
for _name in {modules}:
    _importlib.import_module(_name)
_told.append(_time.process_time())"""
END = "print(*_told, _time.process_time())"
BATCH = ["-m", "cvlib", "batch"]
COLD = "import cvlib.study.warm as w; w._POSSIBLE = False; from cvlib.cli import main; main()"
WAYS = {"run": ["-m", "cvlib", "run"], "batch": BATCH, "cold": ["-c", COLD, "batch"]}


def trivial() -> nbformat.NotebookNode:
    """A notebook that does next to nothing but import cvlib and close its record."""
    parameters = nbformat.v4.new_code_cell('seed: int = 1  # seed\nout: str = ""  # folder')
    parameters.metadata["tags"] = ["parameters"]
    question = nbformat.v4.new_markdown_cell("# Trivial\n\n## 1 Question\n\nHow long?")
    return nbformat.v4.new_notebook(
        cells=[question, parameters, nbformat.v4.new_code_cell(TRIVIAL)]
    )


def timed(name: str, folder: Path) -> Path:
    """A copy of a notebook that tells CPU seconds: before it began, after imports, at its end."""
    path = folder / f"{name}.ipynb"
    found = NOTEBOOKS / path.name
    content = trivial() if name == "trivial" else nbformat.read(found, as_version=4)
    nbformat.write(content, path)
    modules = [*warm.LOADED[2:], *sorted(warm.modules_of(read_notebook(path).source))]
    content.cells.insert(0, nbformat.v4.new_code_cell(BEGIN.format(modules=modules)))
    content.cells.append(nbformat.v4.new_code_cell(END))
    nbformat.write(content, path)
    return path


def told(reports: Path) -> pd.DataFrame:
    """Per run of a reports folder: CPU of its kernel before the first cell, imports, own work."""
    rows = []
    for executed in sorted(reports.glob("[!.]*/[!.]*/notebook.ipynb")):
        last = nbformat.read(executed, as_version=4).cells[-1].outputs[0].text
        before, imported, end = map(float, last.split())
        rows.append({"kernel": before, "imports": imported - before, "own": end - imported})
    return pd.DataFrame(rows)


def measure(name: str, way: str, runs: int, jobs: int) -> dict[str, float | str]:
    """CPU per run of one command that answers ``runs`` questions of a notebook."""
    with tempfile.TemporaryDirectory() as here:
        folder = Path(here)
        path, study = timed(name, folder), folder / "study.yaml"
        grid = f"{{seed: {list(range(1, runs + 1))}}}"
        study.write_text(f"title: Overhead\nruns: [{{notebook: {path}, grid: {grid}}}]\n")
        asked = str(path if way == "run" else study)
        options = ["--out", str(folder / "reports"), "--jobs", str(jobs)]
        spent = cpu()
        subprocess.run([sys.executable, *WAYS[way], asked, *options], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        used = (cpu() - spent) / runs
        parts = told(folder / "reports")
    assert len(parts) == runs, f"{len(parts)} of {runs} runs"
    mean = parts.mean()
    over = used - mean["own"]
    return {
        "notebook": name, "way": way, "runs": runs, "jobs": jobs,
        "cpu": used, "own": mean["own"], "overhead": over, "kernel": mean["kernel"],
        "imports": mean["imports"], "rest": over - mean["kernel"] - mean["imports"],
    }  # fmt: skip


def cpu() -> float:
    """CPU seconds of the processes that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def benchmark_overhead(names: list[str], runs: int, jobs: list[int]) -> pd.DataFrame:
    """One row per notebook, way and number of jobs; what forking gains is kept."""
    rows = []
    for name in names:
        rows.append(measure(name, "run", 1, 1))
        for number in jobs:
            batch, cold = (measure(name, way, runs, number) for way in ("batch", "cold"))
            rows += [batch, cold]
            what = f"a run of {name} in a batch of {runs}, {number} at a time"
            keep(what, "every kernel starts for itself", float(batch["cpu"]), float(cold["cpu"]))
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--notebooks", nargs="*", default=["trivial", "05_customer_scores"])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1])
    options = parser.parse_args(arguments)
    found = benchmark_overhead(options.notebooks, options.runs, options.jobs)
    print("CPU seconds per run: own = the cells after their imports; the rest is overhead:")
    print(
        "kernel = before its first cell, imports = the cells', rest = runner, record, report, page"
    )
    print(found.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    for (name, jobs), both in found[found["way"] != "run"].groupby(["notebook", "jobs"]):
        spent = both.set_index("way")
        every = spent.loc["cold", "cpu"] - spent.loc["batch", "cpu"]
        started = spent["kernel"] + spent["imports"]
        print(
            f"forked kernels gain {every:.2f} s per run of {name} ({jobs} at a time), with the "
            f"process they come from; each further run "
            f"{started['cold'] - started['batch']:.2f} s"
        )


if __name__ == "__main__":
    main()
