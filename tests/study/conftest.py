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


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    def write(path: Path, code: str = GOOD, parameters: str = PARAMETERS) -> Path:
        book = nbformat.v4.new_notebook()
        tagged = nbformat.v4.new_code_cell(parameters)
        tagged.metadata["tags"] = ["parameters"]
        book.cells = [
            nbformat.v4.new_markdown_cell("# A little notebook\n\n## 1 Question\n\nDoes it run?"),
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
