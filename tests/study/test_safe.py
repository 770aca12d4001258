"""Text from data is data everywhere: it is not fetched, not read, not run, not made a link."""

import csv
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import cvlib
from cvlib.study.notebook import read_notebook
from cvlib.study.record import Record
from cvlib.study.run import run_notebook
from cvlib.words.safe import inert_markdown, neutral, neutralised, write_csv

ROOT = Path(cvlib.__file__).parent


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"), ("\t=1", "' =1"), ("\r\n=1", "' =1"), ("＝1+1", "'＝1+1"),
        ("  =1", "'  =1"), ("\x00=1", "'=1"), ("a\x07b", "ab"), ("a\nb", "a b"),
        ("-", "-"), ("-5", "-5"), ("+1e5", "+1e5"), ("plain", "plain"), ("\ud800x", "x"),
    ],
)  # fmt: skip
def test_no_cell_runs_in_a_spreadsheet(text: str, safe: str) -> None:
    assert neutral(text) == safe


def test_a_csv_is_inert_in_heads_cells_and_categories(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"=h": pd.Categorical(["=a", "b"]), "x": [1 / 3, -1.0], "m": ["@1x", None]}
    )
    with write_csv(table, tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["'=h", "x", "m"], ["'=a", "0.3333333333333333", "'@1x"], ["b", "-1.0", ""]]
    assert list(neutralised(table)["x"]) == [1 / 3, -1.0]


def test_one_writer_for_every_csv() -> None:
    writers = [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "to_csv(" in path.read_text(encoding="utf-8")
    ]
    assert writers == ["words/safe.py"]


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("see http://x.example/a", r"see http\://x.example/a"),
        ("HTTPS://x.example", r"HTTPS\://x.example"),
        ("www.x.example", r"www\.x.example"),
        ("mail a@x.example", r"mail a\@x.example"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("-5.2 points", "-5.2 points"),
        ("a\n\n# b", r"a \# b"),
        ("<b>[x](y)</b> ~~s~~", r"\<b\>\[x\](y)\</b\> \~\~s\~\~"),
    ],
)
def test_sentences_are_inert_markdown(text: str, inert: str) -> None:
    assert inert_markdown(text) == inert


def test_a_sentence_that_is_an_address_or_a_path_is_shown_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("read!")
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(
        "cvlib.study.record.display", lambda data, raw=False, **_: shown.append(data)
    )
    record = Record("little")
    record.say("http://127.0.0.1:9/x")
    record.say(str(secret))
    record.headline("h", 1, "https://127.0.0.1:9/x")
    assert [data["text/markdown"] for data in shown] == [
        r"http\://127.0.0.1:9/x", str(secret).replace("_", r"\_"), r"**https\://127.0.0.1:9/x**",
    ]  # fmt: skip


SAYS = """import cvlib, pandas as pd
record = cvlib.Record("little", out=out, seed=seed)
record.say("http://x.example/a and www.x.example and a@x.example")
record.warn(["http://x.example/w"])
record.show("t", pd.DataFrame({"x": ["http://x.example/t", "=1+1", "a\\x00b"]}), title="http://t.x")
record.close()"""


def test_a_report_has_no_live_address(tmp_path: Path, write_notebook: Callable[..., Path]) -> None:
    notebook = read_notebook(write_notebook(tmp_path / "little.ipynb", code=SAYS))
    html = (run_notebook(notebook, {}, tmp_path / "out").folder / "report.html").read_text()
    assert "http://x.example/a" in html and "\x00" not in html
    assert 'href="http' not in html and "mailto:" not in html


def test_the_same_question_gives_the_same_bytes_and_tells_no_path(
    tmp_path: Path, write_notebook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines, here two folders: report, notebook and tables agree to the byte."""
    found = []
    for name in ("here", "there"):
        home = tmp_path / name / "work"
        (tmp_path / name / "data").mkdir(parents=True)
        home.mkdir()
        (tmp_path / name / "data" / "mine.csv").write_text("x\n1\n")
        (home / "beside.yaml").write_text("a: 1\n")
        notebook = read_notebook(write_notebook(tmp_path / name / "little.ipynb"))
        monkeypatch.chdir(home)
        given = {"data": str(tmp_path / name / "data" / "mine.csv")}
        folder = run_notebook(notebook, given, Path("out")).folder
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        for path in files.values():
            assert str(tmp_path) not in path.read_text(encoding="utf-8", errors="replace"), path
        manifest = files.pop("manifest.json").read_text()
        assert '"data": "mine.csv"' in manifest and "duration_seconds" in manifest
        found.append({name: path.read_bytes() for name, path in files.items()})
    assert found[0] == found[1] and "report.html" in found[0]
    cells = nbformat.reads(found[0]["notebook.ipynb"].decode(), as_version=4).cells
    injected = next(c for c in cells if "injected-parameters" in c.metadata.get("tags", []))
    assert 'data = "mine.csv"' in injected.source and 'out = ""' in injected.source


def test_a_long_table_is_written_in_pieces_and_reads_as_if_it_were_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cvlib.words import safe

    table = pd.DataFrame({"who": ["=a", "b", None, "d", "e"], "n": [1.5, None, 3, 4, 5]})
    whole = write_csv(table, tmp_path / "whole.csv").read_bytes()
    monkeypatch.setattr(safe, "BLOCK", 2)
    assert write_csv(table, tmp_path / "pieces.csv").read_bytes() == whole
    assert write_csv(table.head(0), tmp_path / "none.csv").read_text() == "who,n\n"


def test_a_column_is_written_as_its_cells_are_made_inert_one_by_one() -> None:
    rng = np.random.default_rng(3)
    signs = ["=", "+", "-", "@", "＝", "a", "1", "\t", "\n", "\x1e", " ", "", "\x00", "中", "\x85"]
    changed = 0
    for _ in range(2_000):
        cells = [
            None if rng.random() < 0.1 else "".join(rng.choice(signs, rng.integers(0, 4)))
            for _ in range(rng.integers(1, 4))
        ]
        frame = pd.DataFrame({"a": pd.Series(cells, dtype=object)})
        found = [None if pd.isna(cell) else cell for cell in neutralised(frame)["a"]]
        assert found == [neutral(cell) for cell in cells]
        changed += found != cells
    assert 200 < changed < 1_900
