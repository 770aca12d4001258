"""What differs between two runs, and whether a repeated run gives the same numbers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.datasets import entries
from cvlib.inputs.errors import InputError
from cvlib.study.files import files_of, input_files, input_hashes
from cvlib.study.notebook import read_notebook
from cvlib.study.run import Run, run_notebook
from cvlib.words.message import message


@dataclass(frozen=True)
class RunComparison:
    """Differences between two runs.

    Attributes
    ----------
    settings : DataFrame
        kind (parameter, input, version), name, first, second: only what differs.
    numbers : DataFrame
        table, rows compared, cells compared, cells that differ beyond tolerance, largest relative
        difference.
    """

    settings: pd.DataFrame
    numbers: pd.DataFrame

    @property
    def same_numbers(self) -> bool:
        """Whether no number differs beyond tolerance and no table is missing or reshaped."""
        return not self.numbers["differing"].any()


def open_run(folder: Path) -> Run:
    """A finished run folder.

    Raises
    ------
    InputError
        When the folder is not one, or is damaged.
    """
    run = Run(folder.resolve(), existed=True)
    if wrong := run.damage():
        raise InputError(
            str(folder),
            message("refusals.is_not_a_finished_run", wrong=wrong),
            message("refusals.give_reports_notebook_run_id"),
        )
    return run


def compare_runs(first: Run, second: Run, tolerance: float = 1e-9) -> RunComparison:
    """Compare settings and every table of two runs.

    Parameters
    ----------
    first, second : Run
        Finished runs.
    tolerance : float
        Relative to the larger of 1 and the number's size.
    """
    a, b = first.manifest, second.manifest
    settings = [
        {"kind": kind, "name": name, "first": str(x), "second": str(y)}
        for kind, key in (("parameter", "parameters"), ("input", "inputs"), ("version", "versions"))
        for name in sorted({*a[key], *b[key]})
        if (x := a[key].get(name, "")) != (y := b[key].get(name, ""))
    ]
    tables_a, tables_b = first.tables, second.tables
    numbers = [
        _compare_table(name, tables_a.get(name), tables_b.get(name), tolerance)
        for name in dict.fromkeys([*tables_a, *tables_b])
    ]
    return RunComparison(
        pd.DataFrame(settings, columns=["kind", "name", "first", "second"]),
        pd.DataFrame(numbers, columns=["table", "cells", "differing", "largest_difference"]),
    )


def _compare_table(
    name: str, a: pd.DataFrame | None, b: pd.DataFrame | None, tolerance: float
) -> dict[str, Any]:
    first, second = (pd.DataFrame() if each is None else each for each in (a, b))
    if first.shape != second.shape or list(first.columns) != list(second.columns):
        cells = max(first.size, second.size)
        return {"table": name, "cells": cells, "differing": cells, "largest_difference": np.nan}
    differing, largest = 0, 0.0
    for column in first:
        x, y = first[column], second[column]
        if _numbers(x) and _numbers(y):
            gap = ((x - y).abs() / np.maximum(1.0, np.maximum(x.abs(), y.abs()))).astype(float)
            differing += int((x.isna() != y.isna()).sum() + (gap > tolerance).sum())
            largest = max(largest, float(gap.max(skipna=True)) if gap.notna().any() else 0.0)
        else:
            texts = [each.astype(str).fillna("") for each in (x, y)]  # two blanks are alike
            differing += int((texts[0] != texts[1]).sum())
    return {
        "table": name,
        "cells": first.size,
        "differing": differing,
        "largest_difference": largest,
    }


def _numbers(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def rerun(run: Run, tolerance: float = 1e-9) -> RunComparison:
    """Repeat a run with its own parameters and compare the numbers; nothing is overwritten.

    Raises
    ------
    InputError
        When an input is gone or is no longer the file it was.
    """
    manifest = run.manifest
    # the executed notebook of the folder, not today's: the same question in the same words
    notebook = read_notebook(run.folder / "notebook.ipynb")
    arguments = notebook.arguments(manifest["parameters"])
    for name in manifest["inputs"]:
        arguments[name] = _located(arguments[name], run.folder)
    hashes = input_hashes(input_files(notebook, arguments))
    for name, entry in manifest["inputs"].items():
        if hashes.get(name) != entry["sha256"]:
            raise InputError(
                f"{run.folder}, input {name}",
                message("refusals.is_missing_or_is_no", entry=entry["file"]),
                message("refusals.put_it_back_or_a"),
            )
    with tempfile.TemporaryDirectory() as folder:
        repeated = run_notebook(notebook, arguments, Path(folder))
        return compare_runs(run, repeated, tolerance)


def _located(value: Any, run: Path) -> Any:
    """A file of a run where it lies now: in the working folder, the reports folder or above it."""
    if isinstance(value, list):
        return [_located(each, run) for each in value]
    if not isinstance(value, str) or value in entries():
        return value
    slash = "/" if value.endswith("/") else ""
    places = (Path.cwd(), run.parents[1], run.parents[2])
    candidates = [f"{place / value}{slash}" for place in places]
    return next((candidate for candidate in candidates if files_of(candidate)), value)
