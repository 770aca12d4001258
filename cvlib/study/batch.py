"""A study: notebooks times parameter grids, in parallel, continued where it was interrupted."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import math
import os
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.limits import hold
from cvlib.inputs.references import reference
from cvlib.study.execute import RunFailed, check_data
from cvlib.study.files import can_be_path
from cvlib.study.lock import Busy, claim, clear_abandoned
from cvlib.study.notebook import Notebook, find
from cvlib.study.run import Run, add_reports, question, run_notebook
from cvlib.study.warm import expect
from cvlib.words.message import message

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger("cvlib")


class _Runs(BaseModel):
    model_config = ConfigDict(extra="forbid")
    notebook: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] = Field(default_factory=dict)

    @field_validator("notebook", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        # YAML reads 01 as a number
        return f"{value:02d}" if isinstance(value, int) else value


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
        return re.sub(r"[^\w]+", "_", self.title.lower()).strip("_")[:60] or "study"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its run, and the reason where there is none or not all of it.

    ``published`` is the reason as a report may tell it: an error of the data can quote them.
    """

    cell: Cell
    run: Run | None
    reason: str = ""
    published: str = ""


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
        several = math.prod(len(values) for values in runs.grid.values())
        hold(
            "grid_cells", len(cells) + several, f"{source.name}, line {source.line((*at, 'grid'))}"
        )
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
    from cvlib.study.render.finished import check_formats

    check_formats(formats)
    return Study(written.title, tuple(cells), formats)


def _beside(study: Path, value: Any) -> Any:
    """A value, or each of a list, with what it names beside the study in its place."""
    if isinstance(value, list):
        return [_beside(study, each) for each in value]
    table = reference(value)
    if table is not None:
        return value.replace(table.place, _beside(study, table.place), 1)
    path = study.parent / value if can_be_path(value) else None
    if path and (path.is_file() or (path.is_dir() and any(path.glob("*.parquet")))):
        return str(path.resolve())
    return value


def run_study(
    study: Study,
    out: Path,
    *,
    jobs: int = 2,
    dask: str = "",
    force: Collection[int] = (),
    progress: bool = False,
) -> list[Outcome]:
    """Run every cell; what is finished is not repeated, one failure does not stop the rest.

    A run that another process is at is left to it, and its answer taken at the end.

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
    force : collection of int
        Cells, counted from 1, that run again though they are finished.
    progress : bool
        Show a bar with the time left, and failures as they come.

    Returns
    -------
    list of Outcome
        In the study's order.

    Raises
    ------
    InputError
        The reports folder cannot be written; nothing has run.
    RunFailed
        The runs are done, but their summary cannot be written.
    """
    import joblib
    from tqdm.contrib.logging import logging_redirect_tqdm

    out = out.resolve()
    with claim(out / "studies", study.slug):  # refuses a folder that cannot be written
        pass
    stack = contextlib.ExitStack()
    backend: dict[str, Any] = {"backend": "threading", "n_jobs": jobs}
    if dask:
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError(
                "--dask",
                message("refusals.needs_dask"),
                message("refusals.install_it_pip_install_cvlib_2"),
            ) from error
        stack.enter_context(Client(dask))
        backend = {"backend": "dask"}

    def several(positions: list[int], wait: bool) -> Iterator[tuple[int, Outcome | None]]:
        tasks = (joblib.delayed(_one)(study, at, out, wait, at + 1 in force) for at in positions)
        yield from joblib.Parallel(return_as="generator_unordered")(tasks)

    expect([cell.notebook.source for cell in study.cells])
    found: dict[int, Outcome] = {}
    bar = stack.enter_context(_bar(study, progress))
    if progress:
        stack.enter_context(logging_redirect_tqdm([_LOG]))
    try:
        with stack, joblib.parallel_config(**backend):
            left = list(range(len(study.cells)))
            for wait in (False, True):
                for at, outcome in several(left, wait):
                    if outcome:
                        found[at] = outcome
                        _tell(bar, outcome)
                left = [at for at in left if at not in found]
    except KeyboardInterrupt as error:
        raise RunFailed(
            f"{study.title}: interrupted. What is finished is kept; the same command continues."
        ) from error
    outcomes = [found[at] for at in sorted(found)]
    for home in {out / cell.notebook.name for cell in study.cells}:
        clear_abandoned(home)
    try:
        from cvlib.study.summary import write_summary

        write_summary(study, outcomes, out)
    except OSError as error:
        failed = [f"{o.cell.label}: {o.reason}" for o in outcomes if o.reason]
        done = sum(outcome.run is not None for outcome in outcomes)
        said = (
            f"{study.title}: {done} of {len(outcomes)} runs are done, but not their summary: "
            f"{error.strerror}: {error.filename or out / 'studies'}. Start the batch again."
        )
        raise RunFailed("\nfailed: ".join([said, *failed])) from error
    return outcomes


def _one(study: Study, at: int, out: Path, wait: bool, force: bool) -> tuple[int, Outcome | None]:
    """Run one cell; None when another process is at it."""
    cell = study.cells[at]
    _LOG.info("cell %d of %d: %s", at + 1, len(study.cells), cell.label)
    run = None
    try:
        run = run_notebook(cell.notebook, cell.parameters, out, wait=wait, force=force)
        add_reports(run, study.formats)
    except Busy:
        return at, None
    except InputError as error:
        refused = "The input was refused; `cvlib check` says why."
        return at, Outcome(cell, run, str(error), refused)
    except RunFailed as error:
        return at, Outcome(cell, run, str(error), str(error).replace(f"{out}{os.sep}", ""))
    except Exception as error:  # a fault of one cell must not take the others with it
        _LOG.exception("cvlib: %s", cell.label)
        reason = f"{type(error).__name__}: {error}"
        return at, Outcome(cell, run, reason, reason)
    return at, Outcome(cell, run)


def _bar(study: Study, progress: bool) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=len(study.cells),
        desc=study.title,
        unit="run",
        smoothing=0,
        bar_format="{desc}: {n_fmt} of {total_fmt} runs |{bar:20}| {elapsed}, {remaining} left",
        file=sys.stderr,
        disable=not progress,
    )


def _tell(bar: Any, outcome: Outcome) -> None:
    if bar.disable:
        return
    if outcome.run and outcome.run.existed:
        bar.initial += 1  # took no time: says nothing about the time left
    if outcome.reason:
        bar.write(f"failed: {outcome.cell.label}", file=sys.stderr)
    bar.update()


def check_study(study: Study) -> list[Outcome]:
    """Run only the first sections of every cell, up to the data: files, columns, types.

    Returns
    -------
    list of Outcome
        With a reason where the notebook could not read its data; no run folder is made.
    """
    import joblib

    groups: dict[Path, list[int]] = {}
    for at, cell in enumerate(study.cells):
        groups.setdefault(cell.notebook.path, []).append(at)

    def check(positions: list[int]) -> list[str]:
        cells = [study.cells[at] for at in positions]
        return check_data(cells[0].notebook, [cell.parameters for cell in cells])

    answers = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(check)(positions) for positions in groups.values()
    )
    order = [at for positions in groups.values() for at in positions]
    reasons = dict(zip(order, [text for texts in answers for text in texts], strict=True))
    return [Outcome(cell, None, reasons[at]) for at, cell in enumerate(study.cells)]


def planned(study: Study, out: Path, force: Collection[int] = ()) -> pd.DataFrame:
    """What a batch would do: one row per cell with its number, state, run id and parameters."""
    import pandas as pd

    rows = []
    for number, cell in enumerate(study.cells, start=1):
        _, _, run = question(cell.notebook, cell.parameters, out)
        rows.append(
            {
                "cell": number,
                "state": "to run" if number in force or run.unfinished() else "finished",
                "notebook": cell.notebook.name,
                "run": run.folder.name,
                "parameters": json.dumps(cell.parameters, ensure_ascii=False),
            }
        )
    return pd.DataFrame(rows)
