"""A study: notebooks times parameter grids, in parallel, continued where it was interrupted."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.study.kernel import RunFailed, check_data
from cvlib.study.notebooks import Notebook, find
from cvlib.study.record import write_json
from cvlib.study.report import check_formats, combined_report
from cvlib.study.run import Run, run_notebook


class _Runs(BaseModel):
    model_config = ConfigDict(extra="forbid")
    notebook: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] = Field(default_factory=dict)


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid")
    formats: list[str] = Field(default_factory=lambda: ["html"])


class _Study(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    defaults: dict[str, Any] = Field(default_factory=dict)
    runs: list[_Runs] = Field(min_length=1)
    report: _Report = Field(default_factory=_Report)


@dataclass(frozen=True)
class Cell:
    """One cell of the grid: a notebook, its parameters, and what distinguishes it."""

    notebook: Notebook
    parameters: dict[str, Any]
    varied: dict[str, Any]

    @property
    def label(self) -> str:
        """The cell as a reader names it."""
        settings = ", ".join(f"{name} = {value}" for name, value in self.varied.items())
        return f"{self.notebook.name} ({settings})" if settings else self.notebook.name


@dataclass(frozen=True)
class Study:
    """A study file, checked and expanded."""

    title: str
    cells: tuple[Cell, ...]
    formats: tuple[str, ...]

    @property
    def slug(self) -> str:
        """The title as a folder name."""
        return re.sub(r"[^\w]+", "_", self.title.lower()).strip("_") or "study"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its run, or the reason there is none."""

    cell: Cell
    run: Run | None
    reason: str = ""


def read_study(path: Path) -> Study:
    """Read and expand a study file; every name and type is checked, no kernel starts.

    Parameters
    ----------
    path : Path
        ``study.yaml``; files it names are looked for beside it.

    Raises
    ------
    InputError
        With the line at fault.
    """
    source = Source(path)
    written = source.parse(_Study)
    cells: list[Cell] = []
    used: set[str] = set()
    for position, runs in enumerate(written.runs):
        at = ("runs", position)
        try:
            notebook = find(runs.notebook)
        except InputError as error:
            raise source.error((*at, "notebook"), error.wrong, error.remedy) from error
        known = [parameter.name for parameter in notebook.parameters]
        used |= set(known)
        defaults = {name: v for name, v in written.defaults.items() if name in known}
        for values in itertools.product(*runs.grid.values()):
            varied = dict(zip(runs.grid, values, strict=True))
            given = defaults | runs.parameters | varied
            given = {name: _beside(path, value) for name, value in given.items()}
            try:
                notebook.arguments(given)
            except InputError as error:
                raise source.error(at, f"{error.where}: {error.wrong}", error.remedy) from error
            cells.append(Cell(notebook, given, varied))
    for name in written.defaults:
        if name not in used:
            raise source.error(
                ("defaults", name), f"no notebook takes {name!r}", nearest(name, sorted(used))
            )
    formats = tuple(written.report.formats)
    check_formats(formats)
    return Study(written.title, tuple(cells), formats)


def _beside(study: Path, value: Any) -> Any:
    if isinstance(value, str) and value and (study.parent / value).is_file():
        return str((study.parent / value).resolve())
    return value


def run_study(
    study: Study,
    out: Path,
    *,
    jobs: int = 2,
    dask: str = "",
    progress: Callable[[Iterator[Outcome], int], Iterator[Outcome]] | None = None,
) -> list[Outcome]:
    """Run every cell; what is finished is not repeated, one failure does not stop the rest.

    Parameters
    ----------
    study : Study
        The expanded study.
    out : Path
        Reports folder; runs lie where single runs lie, the study's summary in ``studies/``.
    jobs : int
        Kernels at the same time.
    dask : str
        Address of a Dask scheduler; empty = this machine.
    progress : callable, optional
        Wraps the stream of outcomes, given their number.

    Returns
    -------
    list of Outcome
        In the study's order.
    """
    import joblib

    def one(cell: Cell) -> Outcome:
        try:
            run = run_notebook(cell.notebook, cell.parameters, out, formats=study.formats)
            return Outcome(cell, run)
        except (InputError, RunFailed) as error:
            return Outcome(cell, None, str(error))

    backend: dict[str, Any] = {"backend": "threading", "n_jobs": jobs}
    if dask:
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError(
                "--dask", "needs Dask", "Install it: pip install 'dask[distributed]'."
            ) from error
        Client(dask)
        backend = {"backend": "dask"}
    with joblib.parallel_config(**backend):
        stream = joblib.Parallel(return_as="generator")(
            joblib.delayed(one)(cell) for cell in study.cells
        )
        outcomes = list(progress(stream, len(study.cells)) if progress else stream)
    write_summary(study, outcomes, out)
    return outcomes


def write_summary(study: Study, outcomes: list[Outcome], out: Path) -> Path:
    """Write the study's folder: headlines and tables of all runs side by side, one report."""
    folder = out.resolve() / "studies" / study.slug
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    headlines: list[dict[str, Any]] = []
    tables: dict[str, list[pd.DataFrame]] = {}
    for outcome in outcomes:
        if outcome.run is None:
            continue
        about = {"run": outcome.run.folder.name, "notebook": outcome.cell.notebook.name}
        about |= {name: str(value) for name, value in outcome.cell.varied.items()}
        results = outcome.run.results
        for name, headline in results["headlines"].items():
            headlines.append(about | {"headline": name} | headline)
        for name, rows in results["tables"].items():
            tables.setdefault(name, []).append(pd.DataFrame(rows).assign(**about))
    for name, parts in tables.items():
        pd.concat(parts, ignore_index=True).to_csv(
            folder / "tables" / f"{name}.csv", index=False, lineterminator="\n"
        )
    summary = pd.DataFrame(headlines)
    summary.to_csv(folder / "summary.csv", index=False, lineterminator="\n")
    failures = [{"run": o.cell.label, "reason": o.reason} for o in outcomes if o.run is None]
    write_json(folder / "study.json", {"title": study.title, "failures": failures})
    page = combined_report(
        study.title,
        summary,
        pd.DataFrame(failures),
        [(o.cell.label, o.run.folder) for o in outcomes if o.run is not None],
    )
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return folder


def check_study(study: Study) -> list[Outcome]:
    """Run only the first sections of every distinct cell, up to the data: files, columns, types.

    Returns
    -------
    list of Outcome
        With a reason where the notebook could not read its data; no run folder is made.
    """
    outcomes = []
    for cell in study.cells:
        try:
            check_data(cell.notebook, cell.parameters)
            outcomes.append(Outcome(cell, None))
        except (InputError, RunFailed) as error:
            outcomes.append(Outcome(cell, None, str(error)))
    return outcomes


def planned(study: Study) -> pd.DataFrame:
    """What a batch would run: one row per cell with its parameters."""
    return pd.DataFrame(
        [
            {
                "notebook": cell.notebook.name,
                "parameters": json.dumps(cell.parameters, ensure_ascii=False),
            }
            for cell in study.cells
        ]
    )
