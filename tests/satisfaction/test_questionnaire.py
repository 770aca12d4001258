"""Questionnaires are read back and compared with their model; the codebook with the answers."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from cvlib.cli import main
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import read_table
from cvlib.satisfaction.design.questionnaire import codebook, questions, words, write_questionnaire
from cvlib.satisfaction.model.file import WORDINGS, available_models, load_model
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.settings import Assessment

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
TRICKY = r"""
name: tricky
title: {en: '=HYPERLINK("http://x.example")'}
source: test
scale: [0, 10]
constructs:
  a:
    en: "Part <b>A</b> & more"
    items:
      A1: {en: '=1+1'}
      A2: {}
      A3: {en: "say ${B1} now\x07", scale: [0, 100]}
  b:
    en: '@SUM(1)'
    zh: 乙
    items:
      B1: {en: Fine, zh: 好, missing_codes: [88], direction: '-'}
      B2: {en: How much, zh: 多少, scale: [0.5, 9.5]}
paths: {a: {b: +}}
"""


@pytest.fixture
def tricky(tmp_path: Path) -> Model:
    path = tmp_path / "tricky.yaml"
    path.write_text(TRICKY, encoding="utf-8")
    return load_model(path)


def sheet_rows(path: Path, name: str) -> list[tuple]:
    return list(openpyxl.load_workbook(path)[name].iter_rows(values_only=True))


def xlsform(path: Path) -> dict[str, pd.DataFrame]:
    book = pd.read_excel(path, sheet_name=None, dtype=str, keep_default_na=False)
    assert list(book) == ["survey", "choices", "settings"]
    return book


@pytest.mark.parametrize("model", available_models())
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_shipped_model_is_worded_in_both_languages(model: str, language: str) -> None:
    for question in questions(load_model(model), language):
        assert question.complete, question
        for text in (question.text, question.construct, question.low, question.high):
            assert text and "[" not in text and "〔" not in text
            if language == "zh":
                assert CHINESE.search(text), text
                text.encode("gb2312")  # simplified characters only
            else:
                assert not CHINESE.search(text), text


def test_the_fixed_phrases_are_the_same_in_both_languages() -> None:
    path = ROOT / "cvlib" / "satisfaction" / "design" / "questionnaire_words.yaml"
    said = yaml.safe_load(path.read_text(encoding="utf-8"))

    def shape(part: object) -> object:
        if isinstance(part, dict):
            return {key: shape(value) for key, value in part.items()}
        if isinstance(part, list):
            return [shape(value) for value in part]
        return sorted(re.findall(r"\{(\w+)", str(part)))

    assert shape(said["en"]) == shape(said["zh"])
    assert set(said["en"]["anchors"]) == set(WORDINGS)
    for text in re.findall(r'"([^"]+)"', str(said["zh"])):
        text.encode("gb2312")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_workbook_holds_every_question_code_and_column(tmp_path: Path, language: str) -> None:
    model = load_model("acsi")
    path = write_questionnaire(model, tmp_path / "q.xlsx", language=language)
    first, codes, data = openpyxl.load_workbook(path).sheetnames
    asked = questions(model, language)
    shown = [row for row in sheet_rows(path, first) if isinstance(row[0], int)]
    assert [row[1] for row in shown] == [q.text for q in asked]
    assert all(str(q.dont_know) in row[2] and q.high in row[2]
               for q, row in zip(asked, shown, strict=True))  # fmt: skip
    listed = sheet_rows(path, codes)[1 : len(asked) + 1]
    assert [row[1] for row in listed] == list(model.columns)
    assert [row[4:6] for row in listed] == [(i.minimum, i.maximum) for i in model.item_list]
    assert sheet_rows(path, data)[0] == ("respondent", *model.columns)
    notes = " ".join(str(row[3]) for row in sheet_rows(path, codes)[len(asked) + 1 :])
    assert "missing_codes: [99]" in notes and "1996" in notes and "[M]" in notes
    rules = openpyxl.load_workbook(path)[data].data_validations.dataValidation
    assert len(rules) == len(asked)
    assert str(rules[0].sqref) == "B2:B5001"
    assert rules[0].formula1 == "=AND(ISNUMBER(B2),OR(AND(B2>=1,B2<=10,B2=INT(B2)),B2=99))"


def test_the_empty_data_table_filled_in_is_estimated(tmp_path: Path) -> None:
    path = write_questionnaire(load_model("ecsi_mobile"), tmp_path / "data.csv")
    header = path.read_text(encoding="utf-8").strip()
    mobi = pd.read_csv(ROOT / "data" / "mobi.csv")
    filled = mobi[[name for name in header.split(",") if name != "respondent"]]
    filled.insert(0, "respondent", range(1, 251))
    assert ",".join(filled.columns) == header
    filled.to_csv(path, index=False)
    found = estimate_pls(read_table(path).data, "ecsi_mobile", assessment=Assessment(folds=0))
    assert found.index.set_index("construct").loc["satisfaction", "index"] == pytest.approx(
        72.4541, abs=5e-5
    )


@pytest.mark.parametrize(("name", "language"), [("ecsi_mobile", "en"), ("acsi", "zh")])
def test_the_printed_form_holds_every_question_and_code(
    tmp_path: Path, name: str, language: str
) -> None:
    docx = pytest.importorskip("docx", reason="python-docx is in the extra `reports`")
    model = load_model(name)
    path = write_questionnaire(model, tmp_path / "q.docx", language=language)
    document = docx.Document(str(path))
    asked = questions(model, language)
    assert len(document.tables) == len(asked)
    for question, table in zip(asked, document.tables, strict=True):
        cells = [cell.text for cell in table.rows[0].cells]
        assert cells[0].startswith(f"{question.number}. {question.text}")
        if question.answers:
            assert question.item.column in cells[0] and question.high in cells[0]
            codes = [int(cell.split("\n")[1]) for cell in cells[1:-1]]
            assert codes == question.answers
            assert cells[-1] == f"☐\n{words(language)['dont_know']} (99)"
        else:
            assert "-25" in cells[1] and "99" in cells[1]
        assert sum(column.width.cm for column in table.columns) == pytest.approx(17.4, abs=0.01)
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 2"]
    assert headings == [c.labels[language] for c in model.constructs]


def test_without_python_docx_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(InputError, match=re.escape("cvlib[reports]")):
        write_questionnaire(load_model("acsi"), tmp_path / "q.docx")
    assert not (tmp_path / "q.docx").exists()


@pytest.mark.parametrize("name", available_models())
def test_the_xlsform_follows_the_reference(tmp_path: Path, name: str) -> None:
    model = load_model(name)
    book = xlsform(write_questionnaire(model, tmp_path / "q.xlsform.xlsx", language="zh"))
    survey, choices, settings = book["survey"], book["choices"], book["settings"]
    assert list(survey.columns[:4]) == ["type", "name", "label::Chinese (zh)",
                                        "label::English (en)"]  # fmt: skip
    assert settings.loc[0, "default_language"] == "Chinese (zh)"
    assert settings.loc[0, "form_id"] == name and settings.loc[0, "form_title"]
    named = survey.loc[survey["type"] != "end_group", "name"]
    assert named.is_unique and named.str.fullmatch(r"[A-Za-z_][\w.-]*", flags=re.ASCII).all()
    assert list(survey["type"]).count("begin_group") == len(model.constructs)
    assert list(survey["type"]).count("end_group") == len(model.constructs)
    asked = survey[survey["name"].isin(model.columns)].set_index("name")
    assert list(asked.index) == list(model.columns) and (asked["required"] == "yes").all()
    assert not choices.duplicated(["list_name", "name"]).any()
    assert (choices[["label::Chinese (zh)", "label::English (en)"]] != "").all(axis=None)
    for item in model.item_list:
        row = asked.loc[item.column]
        if row["type"] == "integer":
            bounds = f"(. >= {item.minimum:g} and . <= {item.maximum:g}) or . = 99"
            assert row["constraint"] == bounds
            continue
        kind, listed = row["type"].split()
        assert kind == "select_one"
        offered = choices.loc[choices["list_name"] == listed, "name"].astype(int).tolist()
        assert offered == [*range(int(item.minimum), int(item.maximum) + 1), 99]


@pytest.mark.parametrize("name", [*available_models(), "tricky"])
def test_pyxform_accepts_the_xlsform(tmp_path: Path, name: str, tricky: Model) -> None:
    converter = pytest.importorskip("pyxform.xls2xform", reason="pyxform is not a dependency")
    model = tricky if name == "tricky" else load_model(name)
    path = write_questionnaire(model, tmp_path / "q.xlsform.xlsx")
    made = converter.convert(str(path), validate=False)
    assert not made.warnings
    assert all(f"/{column}" in made.xform for column in model.columns)


def test_text_is_never_run_as_a_formula_or_reference(tmp_path: Path, tricky: Model) -> None:
    for name in ("q.xlsx", "q.xlsform.xlsx"):
        path = write_questionnaire(tricky, tmp_path / name)
        cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
        texts = [str(cell.value) for cell in cells]
        assert "=1+1" in texts and not any("${" in text or "\x07" in text for text in texts)
    pytest.importorskip("docx", reason="python-docx is in the extra `reports`")
    assert write_questionnaire(tricky, tmp_path / "q.docx").stat().st_size > 10_000


def test_missing_wording_is_marked(tricky: Model) -> None:
    english = {q.item.name: q for q in questions(tricky, "en")}
    assert english["A2"].text == "Part <b>A</b> & more: A2 [wording missing]"
    assert not english["A2"].complete and english["B1"].complete
    chinese = {q.item.name: q for q in questions(tricky, "zh")}
    assert chinese["A1"].text == "=1+1 〔未翻译〕" and chinese["B1"].text == "好"
    assert chinese["A2"].text.endswith("〔缺少题目措辞〕")


def test_dont_know_is_never_an_answer(tricky: Model) -> None:
    codes = {q.item.name: (q.dont_know, len(q.answers)) for q in questions(tricky)}
    # 0 to 100 has an answer 99 and is written; B1 has a code of its own; B2 is not whole
    assert codes == {"A1": (99, 11), "A2": (99, 11), "A3": (999, 0), "B1": (88, 11), "B2": (99, 0)}


def test_the_codebook_describes_the_answers_as_given(tricky: Model) -> None:
    table = pd.DataFrame({"A1": [0, 10, 5, np.nan], "A2": [np.nan] * 4, "A3": [10, 20, 30, 40],
                          "B1": [88, 88, 2, 4], "B2": [0.5, 9.5, 5, 5]})  # fmt: skip
    found = codebook(table, tricky).set_index("column")
    assert list(found.columns) == ["construct", "wording", "scale", "direction", "n", "missing",
                                   "mean", "sd", "min", "max", "codes"]  # fmt: skip
    assert found.loc["A1", ["n", "missing", "mean", "sd", "min", "max"]].tolist() == [
        3, 1, 5, 5, 0, 10
    ]  # fmt: skip
    assert found.loc["A2", ["n", "missing"]].tolist() == [0, 4] and np.isnan(found["mean"]["A2"])
    assert found.loc["B1", ["n", "missing", "mean", "codes", "direction"]].tolist() == [
        2, 2, 3.0, "88: 2", "-"
    ]  # fmt: skip
    assert found.loc["B2", "scale"] == "0.5 to 9.5"


def test_the_codebook_of_mobi() -> None:
    mobi = pd.read_csv(ROOT / "data" / "mobi.csv")
    found = codebook(mobi, load_model("acsi").map(mobi.columns), "zh").set_index("column")
    assert (found["n"] == 250).all() and (found["codes"] == "").all()
    assert found.loc["CUSA1", "mean"] == pytest.approx(7.988)
    assert found.loc["CUSA1", "wording"] == "总体满意度"
    both = [load_model(name).map(mobi.columns) for name in ("acsi", "ecsi_mobile")]
    together = list(codebook(mobi, both)["column"])
    assert len(together) == 24 and set(together) == set(mobi.columns)
    coded = mobi.replace({"CUSA1": {10: 99}})
    told = codebook(coded, both[0], dont_know=[99]).set_index("column").loc["CUSA1"]
    assert told["max"] == 9 and told["codes"] == f"99: {(mobi['CUSA1'] == 10).sum()}"


def test_wrong_requests_are_refused(tmp_path: Path, tricky: Model) -> None:
    model = load_model("acsi")
    with pytest.raises(InputError, match="not a kind of questionnaire"):
        write_questionnaire(model, tmp_path / "q.pdf")
    with pytest.raises(InputError, match="language"):
        write_questionnaire(model, tmp_path / "q.xlsx", language="fr")
    with pytest.raises(InputError, match="SATI1"):
        codebook(pd.DataFrame({"EXPE1": [1]}), model.map(model.columns).without(
            ["expectation", "quality", "value"], "is not asked"))  # fmt: skip
    with pytest.raises(InputError, match="'ten' is an answer in words"):
        codebook(pd.DataFrame({name: ["ten"] for name in tricky.columns}), tricky)


@pytest.mark.parametrize(
    ("column", "suffix", "named"),
    [("Q 1", ".xlsform.xlsx", "XLSForm"), ("a", ".xlsform.xlsx", "both a construct"),
     ("=A1", ".csv", "formula"), ("=A1", ".xlsx", "formula")],
)  # fmt: skip
def test_column_names_a_form_cannot_have(
    tmp_path: Path, column: str, suffix: str, named: str
) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(TRICKY.replace("A2: {}", f"A2: {{column: '{column}'}}"), encoding="utf-8")
    with pytest.raises(InputError, match=named):
        write_questionnaire(load_model(path), tmp_path / f"q{suffix}")


def test_the_commands(tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(main, ["questionnaire", "scsb", str(tmp_path / "q.xlsx"), "--language=zh"])
    assert (
        done.exit_code == 0 and openpyxl.load_workbook(tmp_path / "q.xlsx").sheetnames[0] == "问卷"
    )
    refused = runner.invoke(main, ["questionnaire", "scsb", str(tmp_path / "q.doc")])
    assert refused.exit_code == 2
    plan = ["plan", "scsb", "--sizes", "60,80", "--replications", "100", "--power", "0.5"]
    done = runner.invoke(main, [*plan, "--difference", "8"])
    assert done.exit_code == 0, done.output
    assert "difference_power" in done.output and "respondents" in done.output
    refused = runner.invoke(main, ["plan", "scsb", "--sizes", "many"])
    assert refused.exit_code == 2 and "many" in refused.output


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".xlsform.xlsx", ".docx"])
def test_questions_about_a_whole_and_the_marker_are_asked(tmp_path: Path, suffix: str) -> None:
    """What `global` and `marker` name is asked, once each, so that its section can be computed."""
    plain = load_model("acsi")
    first = plain.constructs[0]
    told = replace(plain, marker="WEATHER", constructs=(
        replace(first, global_item="WHOLE"),
        # one of the items itself: not asked twice
        replace(plain.constructs[1], global_item=plain.constructs[1].items[0].column),
        *plain.constructs[2:],
    ))  # fmt: skip
    docx = pytest.importorskip("docx") if suffix == ".docx" else None
    path = write_questionnaire(told, tmp_path / f"q{suffix}")
    expected = ["respondent", *plain.columns[: len(first.items)], "WHOLE",
                *plain.columns[len(first.items) :], "WEATHER"]  # fmt: skip
    if suffix == ".csv":
        assert list(pd.read_csv(path)) == expected
    elif suffix == ".xlsx":
        assert list(pd.read_excel(path, sheet_name=2)) == expected
        codes = pd.read_excel(path, sheet_name=1).iloc[:, 1].tolist()
        assert codes[: len(expected) - 1] == expected[1:]
    elif suffix == ".xlsform.xlsx":
        names = pd.read_excel(path, sheet_name="survey")["name"].dropna().tolist()
        assert [n for n in names if n in expected] == expected[1:]
    else:
        document = docx.Document(str(path))
        text = "\n".join(c.text for t in document.tables for r in t.rows for c in r.cells)
        assert "WHOLE" in text and "WEATHER" in text
    assert list(told.columns) == list(plain.columns)  # the model itself is estimated as before
