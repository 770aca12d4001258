"""Every notebook speaks Chinese: what it says itself has a translation, every column is explained.

What a run makes of its data is checked in the run: `test_a_chinese_report_is_chinese`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml
from babel.messages.pofile import read_po

from cvlib.inputs.readers import read_table
from cvlib.words.language import Words, catalogue
from cvlib.words.language import columns as known_columns
from cvlib.study.notebook import read_notebook, shipped

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile("[\u4e00-\u9fff]")
SPEAKING = {"show": (), "say": (0,), "headline": (2,)}  # positions of texts among the arguments
SPOKEN = ("title", "note", "alt")
each_notebook = pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def template(node: ast.expr) -> str:
    """The text of a literal or an f-string, with a bare slot for every value; else empty."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values]
        return "".join(parts)
    return ""


def spoken(path: Path) -> Iterator[str]:
    """Texts that a notebook's code gives to its record; both sides of a choice."""
    for cell in cells(path, "code"):
        for call in ast.walk(ast.parse(cell.source)):
            method = getattr(getattr(call, "func", None), "attr", "")
            if not isinstance(call, ast.Call) or method not in SPEAKING:
                continue
            given = [k.value for k in call.keywords if k.arg in SPOKEN]
            given += [call.args[at] for at in SPEAKING[method] if at < len(call.args)]
            for value in given:
                chosen = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                yield from filter(None, map(template, chosen))


def shown_columns(path: Path) -> Iterator[tuple[str, str]]:
    """Tables in the stored outputs with the columns that have a head."""
    for cell in cells(path, "code"):
        for output in cell.outputs:
            page = output.get("data", {}).get("text/html", "")
            _, *parts = re.split(r'id="table-([^"]+)"', page)
            for table, rest in zip(parts[::2], parts[1::2], strict=True):
                for column in re.findall(r'data-column="([^"]*)"', rest):
                    yield table, column


def known(text: str, language: str = "zh") -> bool:
    return text in catalogue(language)


@cache
def shipped_names() -> frozenset[str]:
    """Names of constructs, items and indicators that are shipped, and columns of the data."""
    from cvlib.satisfaction.model.file import available_models, load_model
    from cvlib.weighting.names import print_names
    from cvlib.weighting.tree import available_trees, load_tree

    found: set[str] = set()
    for name in available_models():
        model = load_model(name)
        for construct in model.constructs:
            found |= {construct.name, *construct.labels.values()}
        found |= set(model.items)
    for name in available_trees():
        found |= set(print_names(load_tree(name), "zh"))
    for file in (ROOT / "data").glob("*.csv"):
        found |= set(map(str, read_table(file).data.columns))
    return frozenset(found)


def data_names(path: Path) -> set[str]:
    """Names a table may have for columns: of constructs, indicators, weightings, data."""
    found = set(shipped_names())
    parameters = {p.name: p.default for p in read_notebook(path).parameters}
    for value in parameters.values():
        found |= {str(v) for v in value} if isinstance(value, list | dict) else {str(value)}
    return found


@each_notebook
class TestNotebook:
    def test_prose_is_translated(self, path: Path) -> None:
        texts = [cell.source for cell in cells(path, "markdown")]
        texts.append(texts[0].splitlines()[0].removeprefix("# "))
        lacking = [text for text in texts if not known(text)]
        assert not lacking, lacking

    def test_the_question_ends_with_the_assumptions(self, path: Path) -> None:
        question = cells(path, "markdown")[0].source
        last = question.strip().split("\n\n")[-1]
        assert last.startswith("**Assumptions.** ")
        assert 2 <= len(re.findall(r"[.?!](?=\s|$)", last.removeprefix("**Assumptions.** "))) <= 8
        translated = Words("zh").text(question).strip().split("\n\n")[-1]
        assert re.match(r"\*\*(前提)?(假设|假定)", translated)

    def test_parameters_are_explained_in_chinese(self, path: Path) -> None:
        lacking = [p.help for p in read_notebook(path).parameters if not known(p.help)]
        assert not lacking, lacking

    def test_captions_notes_and_sentences_are_translated(self, path: Path) -> None:
        # a text with values in it is a message: no catalogue could know it
        lacking = [text for text in dict.fromkeys(spoken(path)) if not known(text)]
        assert not lacking, lacking

    def test_heads_are_translated_and_columns_explained(self, path: Path) -> None:
        columns = list(dict.fromkeys(shown_columns(path)))
        assert columns, "the stored tables have no data-column: refresh the notebook"
        names = data_names(path)
        english, chinese = Words("en"), Words("zh")
        heads = {column for (_, column), entry in known_columns().items() if entry["head_zh"]}
        own = {
            (table, column) for table, column in columns
            if table != "record" and (column not in names or column in heads)
        }  # fmt: skip
        assert not sorted({column for _, column in own if column not in heads})
        for words in (english, chinese):
            lacking = sorted({f"{t}.{c}" for t, c in own if not words.meaning(t, c)})
            assert not lacking, (words.language, lacking)

    def test_it_needs_few_imports(self, path: Path) -> None:
        lines = [line for cell in cells(path, "code") for line in cell.source.splitlines()]
        assert sum(line.startswith(("import ", "from ")) for line in lines) <= 3

    def test_methods_and_references_end_the_report(self, path: Path) -> None:
        prose = [
            output["data"]["text/markdown"]
            for output in cells(path, "code")[-1].outputs
            if "text/markdown" in output.get("data", {})
        ]
        assert [text.splitlines()[0] for text in prose] == ["### Methods", "### References"]
        assert "{" not in prose[0] and len(prose[0].split()) > 60
        assert prose[1].count("\n- ") >= 3


def literals(*folders: str) -> Iterator[str]:
    """What stands in quotes in the modules and templates that word reports."""
    for folder in folders:
        for file in (ROOT / "cvlib" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
        for file in (ROOT / "cvlib" / folder).rglob("templates/*"):
            if file.suffix != ".docx":
                yield from re.findall(r't\("([^"]+)"\)', file.read_text(encoding="utf-8"))


def test_every_entry_of_the_catalogues_is_said_somewhere() -> None:
    used = set(literals("study", "words"))
    for path in shipped():
        prose = [cell.source for cell in cells(path, "markdown")]
        helps = [parameter.help for parameter in read_notebook(path).parameters]
        used |= {*prose, prose[0].splitlines()[0].removeprefix("# "), *helps, *spoken(path)}
    assert not [text for text in catalogue("zh") if text not in used]


@pytest.mark.slow
@each_notebook
def test_a_chinese_report_is_chinese(path: Path, tmp_path: Path) -> None:
    """Sentences, warnings, headlines and captions of a default run contain Chinese."""
    from cvlib.study.run import run_notebook

    results = run_notebook(read_notebook(path), {"language": "zh"}, tmp_path).results
    texts = [*results["sentences"], *results["warnings"], results["methods"]]
    texts += [entry["sentence"] for entry in results["headlines"].values()]
    for entry in (*results["captions"].values(), *results["figures"].values()):
        texts += [text for key, text in entry.items() if key in SPOKEN and text]
    lacking = [text for text in texts if not HAN.search(text)]
    assert not lacking, lacking


def test_the_checks_see_what_is_missing(tmp_path: Path) -> None:
    book = nbformat.v4.new_notebook()
    code = (
        'record.show("a", t, title="Never said", note=f"{n} of {m} gone" if n else "## 4 Results")\n'
        'record.headline("b", 1, f"{a} is {b}")'
    )
    book.cells = [nbformat.v4.new_code_cell(code)]
    path = tmp_path / "a.ipynb"
    nbformat.write(book, path)
    assert list(spoken(path)) == ["Never said", "{} of {} gone", "## 4 Results", "{} is {}"]
    assert [known(text) for text in spoken(path)] == [False, False, True, False]


def texts_of(path: Path) -> Iterator[str]:
    """The Chinese texts of a catalogue or of a pillar's methods."""
    if path.suffix == ".yaml":
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")).values():
            yield entry["zh"]
    else:
        with path.open("rb") as file:
            yield from (str(message.string) for message in read_po(file))


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "cvlib/words/catalogues/zh").glob("*.po"), *(ROOT / "cvlib").glob("words/methods_of/*.yaml")],
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_chinese_texts_have_chinese_punctuation(path: Path) -> None:
    wrong = []
    for text in texts_of(path):
        plain = re.sub(r"\{[^{}]*\}|`[^`]*`", "", text)
        # a comma and a space, and brackets after a Latin word, are those of a formula or citation
        if re.search(f"{HAN.pattern}([;:?!(]|,(?! ))|[,;:?!]{HAN.pattern}", plain):
            wrong.append(text)
    assert not wrong, wrong
