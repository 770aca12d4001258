"""Mutated inputs are read, or refused in a paragraph: see `tests/fuzz.py`."""

import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.tree import load_tree


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    path = Path(__file__).parents[1] / "fuzz.py"
    spec = importlib.util.spec_from_file_location("cvlib_fuzz", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_two_hundred_mutations(fuzz: ModuleType) -> None:
    names = list(fuzz.TARGETS)
    cases = [(names[number % len(names)], number) for number in range(204)]
    assert {case: wrong for case in cases if (wrong := fuzz.run(*case))} == {}


def test_what_once_fell_stays_up(fuzz: ModuleType) -> None:
    assert {case: wrong for case in fuzz.KEPT if (wrong := fuzz.run(*case))} == {}


@pytest.mark.slow
def test_ten_thousand_mutations(fuzz: ModuleType) -> None:
    names = list(fuzz.TARGETS)
    cases = [(names[number % len(names)], number) for number in range(10_000)]
    assert {case: wrong for case in cases if (wrong := fuzz.run(*case, memory=True))} == {}


def test_cells_far_apart_are_refused_before_they_are_a_table(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    pd.DataFrame({"a": [1]}).to_excel(path, index=False)
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    parts[sheet] = parts[sheet].replace(b"</sheetData>", far)
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    with pytest.raises(InputError, match=r"17,179,869,184 cells.*CVLIB_MAX_CELLS"):
        read_table(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * 50_000_000)
    monkeypatch.setenv("CVLIB_MAX_UNPACKED_BYTES", "10_000_000")
    for read in (read_table, lambda path: read_judgements(load_tree("rfm"), path)):
        with pytest.raises(InputError, match="50,000,000 bytes when unpacked"):
            read(path)


@pytest.mark.parametrize("ending", ["csv", "parquet", "feather", "dta", "sav"])
def test_tables_larger_than_the_limit_are_refused(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fuzz: ModuleType
) -> None:
    path = tmp_path / f"s.{ending}"
    path.write_bytes(fuzz.seeds()["survey.csv" if ending == "csv" else f"s.{ending}"])
    assert len(read_table(path).data) == 30
    monkeypatch.setenv("CVLIB_MAX_CELLS", "100")
    with pytest.raises(InputError, match=r"cells \(rows times columns\); at most 100 are read"):
        read_table(path)


def test_a_decimal_comma_does_not_move_judgements(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text("expert,recency|frequency,recency|monetary,frequency|monetary\nA,1,5,7,3\n")
    with pytest.raises(InputError, match="line 2: has 5 cells, the header has 4"):
        read_judgements(load_tree("rfm"), path)
    path.write_text(">,expert,recency|frequency,recency|monetary\nA,3,2\nx\n")
    with pytest.raises(InputError, match=r"j\.csv, cell B3"):
        read_judgements(load_tree("rfm"), path)
