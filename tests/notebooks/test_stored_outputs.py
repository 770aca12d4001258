"""A notebook without stored outputs passes nbval in silence: refuse it here."""

from pathlib import Path

import nbformat
import pytest

from cvlib.study.notebook import read_notebook, shipped

SECTIONS = ["## 1 Question", "## 2 Parameters", "## 3 Data", "## 4 Results", "## 5 Answer"]


def test_there_are_notebooks() -> None:
    assert len(shipped()) >= 3


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
class TestNotebook:
    def test_has_stored_outputs(self, path: Path) -> None:
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        assert all(cell.execution_count for cell in cells)
        outputs = [output for cell in cells for output in cell.outputs]
        assert sum("text/html" in output.get("data", {}) for output in outputs) >= 3
        assert not [o for o in outputs if o.output_type in ("error", "stream")]

    def test_ends_with_the_record(self, path: Path) -> None:
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        assert cells[-1].source.strip().splitlines()[-1] == "record.close()"

    def test_has_the_five_sections_in_order(self, path: Path) -> None:
        prose = "\n".join(
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "markdown"
        )
        lines = prose.splitlines()
        assert [line for line in lines if line.startswith("## ")] == SECTIONS
        assert sum(line.startswith("# ") for line in lines) == 1

    def test_narrates_only(self, path: Path) -> None:
        code = "\n".join(
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code"
        )
        for word in ("def ", "class ", "lambda", "for ", "while "):
            assert not [line for line in code.splitlines() if line.lstrip().startswith(word)]

    def test_parameters_are_typed_and_explained(self, path: Path) -> None:
        parameters = {parameter.name: parameter for parameter in read_notebook(path).parameters}
        assert {"seed", "language", "out"} <= set(parameters)
        assert {"data", "survey"} & set(parameters)
        assert parameters["out"].default == ""
        assert all(parameter.help for parameter in parameters.values())

    def test_keeps_no_metadata_that_varies(self, path: Path) -> None:
        content = nbformat.read(path, as_version=4)
        assert set(content.metadata) <= {"kernelspec", "language_info"}
        assert set(content.metadata["language_info"]) == {"name"}
        for cell in content.cells:
            assert set(cell.metadata) <= {"tags"}


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_lines_of_cells_can_be_read(path: Path) -> None:
    """A parameter and its comment are one line by papermill's rule; all other lines fit a screen."""
    cells = nbformat.read(path, as_version=4).cells
    lines = [
        line
        for cell in cells
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
        for line in cell.source.split("\n")
    ]
    assert max(map(len, lines)) <= 110
