"""The same question twice gives the same bytes, in any process and from any working folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from cvlib.study.compare import _compare_table
from cvlib.study.execute import KERNEL_OPTIONS, QUIET_KERNEL, kernel_manager
from cvlib.study.notebook import FOLDER, find, read_notebook, shipped
from cvlib.study.warm import expect

LITTLE: dict[str, dict[str, Any]] = {
    "04": {"draws": 20, "starts": 1},
    "05": {"weight_draws": 50, "leavers": 3, "methods": ["weighted_sum", "topsis"]},
}
SUFFIXES = (".csv", ".json", ".svg", ".png", ".bib")


def batch(study: Path, out: Path, hash_seed: str) -> dict[str, bytes]:
    """A study's tables, figures and results, run in a process of its own."""
    words = ["-m", "cvlib", "batch", str(study), "--out", str(out)]
    # the environment as a user happens to have it: the runner sets what numbers depend on
    surroundings = {k: v for k, v in os.environ.items() if k not in QUIET_KERNEL}
    surroundings["PYTHONHASHSEED"] = hash_seed
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=surroundings
    )
    assert done.returncode == 0, done.stderr
    files = [path for path in out.rglob("*") if path.suffix in SUFFIXES]
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in files
        if path.name != "manifest.json"
    }


def same_twice(study: Path) -> dict[str, bytes]:
    first, second = (batch(study, study.with_name(f"out_{n}"), n) for n in ("1", "2"))
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    return first


def test_a_quick_study_gives_the_same_bytes(make_quick_study: Callable[[int], Path]) -> None:
    found = same_twice(make_quick_study(1))
    kinds = [Path(name).suffix for name in found]
    assert kinds.count(".svg") == 1 and kinds.count(".csv") >= 4


@pytest.mark.slow
def test_real_notebooks_give_the_same_bytes(tmp_path: Path) -> None:
    runs = [f"  - {{notebook: {name}, parameters: {LITTLE[name]}}}\n" for name in LITTLE]
    study = tmp_path / "study.yaml"
    study.write_text("title: Twice\nruns:\n" + "".join(runs))
    found = same_twice(study)
    assert len([name for name in found if name.endswith(".svg")]) > 5
    assert len([name for name in found if name.endswith("results.json")]) == 2


def outputs(path: Path, folder: Path, parameters: dict[str, Any], **kernel: Any) -> list[Any]:
    """What the cells of a notebook show when it is run from a folder, as Jupyter runs it."""
    content = load_notebook_node(str(path))
    if parameters:
        content = parameterize_notebook(
            content, parameters, kernel_name="python3", language="python"
        )
    client = NotebookClient(
        content,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=KERNEL_OPTIONS,
        **kernel,
    )
    client.execute()
    return [cell.outputs for cell in content.cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("05", LITTLE["05"]),
        *(pytest.param(path.stem, {}, marks=pytest.mark.slow) for path in shipped()),
    ],
)
def test_a_notebook_shows_the_same_from_its_folder_and_the_root(
    name: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in QUIET_KERNEL.items():
        monkeypatch.setenv(setting, value)
    path = find(name).path
    assert read_notebook(path).arguments(parameters)
    here = outputs(path, FOLDER, parameters)
    expect([read_notebook(path).source] * 2)  # the second kernel is forked, as those of a batch
    root = outputs(path, FOLDER.parent, parameters, kernel_manager_class=kernel_manager())
    assert here == root
    shown = [output for cell in here for output in cell]
    assert sum("text/html" in output.get("data", {}) for output in shown) >= 3
    assert sum("image/png" in output.get("data", {}) for output in shown) >= 1
    if not parameters:
        kept = nbformat.read(path, as_version=4).cells
        assert len([cell for cell in kept if cell.cell_type == "code"]) == len(here)


def test_truth_values_are_compared_as_such() -> None:
    rows = pd.DataFrame({"kept": [True, False], "n": [1, 2]})
    turned = rows.assign(kept=True)
    same = _compare_table("t", rows, rows, 1e-9)
    assert (same["cells"], same["differing"]) == (4, 0)
    assert _compare_table("t", rows, turned, 1e-9)["differing"] == 1


def test_blank_cells_of_text_are_alike_and_a_text_in_one_of_them_is_not() -> None:
    rows = pd.DataFrame({"grade": pd.Series(["A", None, None], dtype="str"), "x": [1.0, 2.0, 3.0]})
    assert _compare_table("t", rows, rows.copy(), 1e-9)["differing"] == 0
    filled = rows.assign(grade=pd.Series(["A", "B", None], dtype="str"))
    assert _compare_table("t", rows, filled, 1e-9)["differing"] == 1
