"""Small notebooks, one per rule."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

PARAMETERS = """data: str = "mobi"  # a data set or file
draws: int = 5  # how many draws
share: float = 0.5  # a share
strict: bool = False  # a switch
mapping: dict = {}  # item to column
seed: int = 1  # the seed
language: str = "en"  # labels
out: str = ""  # folder; empty = show only"""

GOOD = """import cvlib, pandas as pd
record = cvlib.Record("little", out=out, seed=seed)
record.warn(["take <care>"])
names = ["<script>alert(1)</script>", "=SUM(1)"]
table = pd.DataFrame({"name": names, "value": [1 / 3, -0.00001], "p": [0.2, 1e-9]})
record.show("numbers", table, title="Numbers & signs")
record.headline("third", 1 / 3, f"A third of {draws} *draws* <b>")
record.close()"""

# Counts its executions, draws, shows some tables and a figure.
QUICK = """import os
import numpy as np
import pandas as pd
import cvlib
from cvlib.figures.style import house_style, new_figure
with open(os.environ["CVLIB_TEST_COUNT"], "a") as count:
    count.write(f"{draws}\\n")
record = cvlib.Record("quick", out=out, seed=seed)
drawn = np.random.default_rng([seed, draws]).normal(size=(300, 3))
for part in ("first", "second", "third"):
    table = pd.DataFrame(drawn, columns=["a", "b", "c"]).assign(part=part)
    record.show(part, table, title=part)
with house_style():
    figure, axes = new_figure(4, 3)
    axes.plot(drawn.cumsum(axis=0))
record.show("walk", figure, title="A walk", alt="Three lines.")
record.headline("mean", drawn.mean(), f"The mean of {draws} is {drawn.mean():.3f}.")
record.close()"""


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    def write(path: Path, code: str = GOOD, parameters: str = PARAMETERS) -> Path:
        book = nbformat.v4.new_notebook()
        tagged = nbformat.v4.new_code_cell(parameters)
        tagged.metadata["tags"] = ["parameters"]
        asked = nbformat.v4.new_markdown_cell(
            "# A little notebook\n\n## 1 Question\n\nDoes it run?"
        )
        asked.metadata["tags"] = ["question"]
        book.cells = [
            asked,
            tagged,
            nbformat.v4.new_code_cell(code),
        ]
        nbformat.write(book, path)
        return path

    return write


@pytest.fixture
def make_notebook(write_notebook: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    def make(**content: str) -> Path:
        return write_notebook(tmp_path / "little.ipynb", **content)

    return make


@pytest.fixture(scope="session")
def write_quick_study(write_notebook: Callable[..., Path]) -> Callable[[Path, int], Path]:
    """Writes a study of so many quick runs into a folder."""

    def write(folder: Path, runs: int) -> Path:
        notebook = write_notebook(folder / "quick.ipynb", code=QUICK)
        study = folder / "study.yaml"
        grid = f"{{draws: {list(range(runs))}}}"
        study.write_text(f"title: Quick\nruns:\n  - {{notebook: {notebook}, grid: {grid}}}\n")
        return study

    return write


@pytest.fixture
def make_quick_study(
    write_quick_study: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], Path]:
    """Makes such a study; each execution leaves a line in the file ``count`` beside it."""
    monkeypatch.setenv("CVLIB_TEST_COUNT", str(tmp_path / "count"))
    return lambda runs: write_quick_study(tmp_path, runs)
