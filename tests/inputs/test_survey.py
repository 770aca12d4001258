"""Answers as people give them: in words, with labels, under titles, in any encoding."""

from pathlib import Path

import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.inputs.survey import check_survey
from cvlib.inputs.text import decode
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.words.message import Message, in_language


def read(given: list[object], scale: tuple[float, float], **more: object) -> list[float]:
    frame = pd.DataFrame({"q": given})
    return check_survey(frame, {"q": scale}, **more).data["q"].tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "scale", "numbers"),
    [
        (["6 分", "7分", "10 分"], (1, 10), [6, 7, 10]),
        (["5 = very satisfied", "1. not at all", "3"], (1, 5), [5, 1, 3]),
        (["(4) agree", "2 - disagree", "5"], (1, 5), [4, 2, 5]),
        (["Very good (5)", "Bad (1)", "4"], (1, 5), [5, 1, 4]),
        (["12%", "80 %", "7"], (0, 100), [12, 80, 7]),
        (["非常满意", "一般", "非常不满意"], (1, 5), [5, 3, 1]),
        (["Strongly agree", " strongly  disagree ", "NEUTRAL"], (1, 7), [7, 1, 4]),
        (["yes", "No", "no"], (0, 1), [1, 0, 0]),
        (["\uff15", "4", "3"], (1, 5), [5, 4, 3]),
    ],
)
def test_answers_in_words(values: list[object], scale: tuple[float, float], numbers) -> None:
    assert read(values, scale) == numbers


@pytest.mark.parametrize("odd", ["5-7", "3/5", "12 of 13", "so-so", "2024-03-31", "five"])
def test_answers_that_could_mean_anything_are_refused_with_their_row(odd: str) -> None:
    with pytest.raises(InputError, match=r"column q, data row 2") as caught:
        read(["4", odd, "5"], (1, 5))
    assert "`values:" in caught.value.remedy and "`dont_know`" in caught.value.remedy


def test_a_usual_set_is_read_only_on_a_scale_of_as_many_steps() -> None:
    with pytest.raises(InputError, match="in words"):
        read(["satisfied", "neutral", "very satisfied"], (1, 10))
    with pytest.raises(InputError, match="in words"):
        read(["satisfied", "splendid"], (1, 5))


def test_a_map_of_answers_wins_and_its_rest_is_refused() -> None:
    mapped = {"q": {"Top": 5.0, "fine": 4.0, "poor": 1.0}}
    assert read(["top", "FINE", "3"], (1, 5), values=mapped) == [5, 4, 3]
    assert read(["top", "dk", "poor"], (1, 5), values=mapped, dont_know=["DK"])[0] == 5
    with pytest.raises(InputError, match="'awful' is an answer in words"):
        read(["top", "awful"], (1, 5), values=mapped)
    assert read([1, 2, 3], (1, 5), values={"q": {1: 5.0, 2: 4.0}}) == [5, 4, 3]  # type: ignore[dict-item]


def test_how_words_were_read_is_said_in_both_languages() -> None:
    said = check_survey(pd.DataFrame({"q": ["6 分", "7 分"]}), {"q": (1, 10)}).warnings
    assert isinstance(said[0], Message) and "6 分" in said[0]
    assert "按其开头的数字读取" in in_language(said[0], "zh")


def test_a_label_behind_a_code_that_means_none() -> None:
    frame = pd.DataFrame({"q": ["99 = don't know", "4", "5 = best"]})
    checked = check_survey(frame, {"q": (1, 5)}, dont_know=[99])
    assert checked.data["q"].isna().tolist() == [True, False, False]
    assert checked.left_out["count"].tolist() == [1]


def test_numbers_of_hundreds_of_digits_are_off_the_scale(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text(f"q,r\n1,2\n{'1' * 400},3\n")
    with pytest.raises(InputError, match=r"long\.csv, column q, data row 2: .* is outside"):
        check_survey(load_table(tmp_path / "long.csv"), {"q": (1, 10)})


TITLED = "Survey of 2026;;\n;;\na;b;c\n1;2;3\n4;5;6\n"


@pytest.mark.parametrize("content", [TITLED, TITLED.replace(";;", ""), TITLED.replace(";", ",")])
def test_names_below_a_title_in_text(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert list(load_table(tmp_path / "t.csv", header_row=3).data) == ["a", "b", "c"]
    assert list(load_table(tmp_path / "t.csv", header_row=3).data["c"]) == [3, 6]
    with pytest.raises(InputError, match="header_row"):
        load_table(tmp_path / "t.csv")


def test_names_below_a_title_in_a_workbook(tmp_path: Path) -> None:
    rows = [["Survey", None, None], [None] * 3, ["a", "b", "c"], [1, 2, 3], [4, 5, 6]]
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"x": [1, 2]}).to_excel(book, sheet_name="notes", index=False)
        pd.DataFrame(rows).to_excel(book, sheet_name="data", header=False, index=False)
    for sheet, row in (("data", 3), ("2", 2)):
        table = load_table(tmp_path / "t.xlsx", sheet=sheet, header_row=row)
        assert table.data["c"].tolist() == [3, 6]
    with pytest.raises(InputError, match="set `header_row` to 3"):
        load_table(tmp_path / "t.xlsx", sheet="data")
    with pytest.raises(InputError, match=r"sheet dat.*Did you mean 'data'"):
        load_table(tmp_path / "t.xlsx", sheet="dat")
    with pytest.raises(InputError, match="nothing in row 90"):
        load_table(tmp_path / "t.xlsx", header_row=90)


def test_ways_of_reading_that_a_file_has_no_use_for() -> None:
    with pytest.raises(InputError, match="has no sheets"):
        load_table("mobi", sheet="x")
    with pytest.raises(InputError, match="header_row: 0"):
        load_table("mobi", header_row=0)
    with pytest.raises(InputError, match="decimal: ';'"):
        load_table("mobi", decimal=";")


@pytest.mark.parametrize(
    ("content", "where", "wrong"),
    [
        ("a,b,c\n1,2,3\n4,5,6,7\n", "r.csv, line 3", "has 4 cells, the header has 3"),
        ("a,b,c\n1,2,3\n4,5\n", "r.csv, line 3", "has 2 cells, the header has 3"),
        ("a,b,c\n\n1,2,3\n4,5,6\n7\n", "r.csv, line 5", "has 1 cells"),
    ],
)
def test_ragged_lines_are_named(tmp_path: Path, content: str, where: str, wrong: str) -> None:
    (tmp_path / "r.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        load_table(tmp_path / "r.csv")
    assert caught.value.where == where and wrong in caught.value.wrong


WRITTEN = {
    "cp1252": ["Größe;Straße\nMüller;5\n", "Weißgäßchen;2\n", "Übung;ß\n1;2\n", "niño;año\n1;2\n",
               "Qualité;Prix payé à Noël\n1;2\n"],
    "cp1251": ["Удовлетворённость;Лояльность\n7;8\n", "ОЦЕНКА;КАЧЕСТВО\n5;4\n", "пол\nмуж\n",
               "Имя;балл\nОльга;5\n", "Q1 «качество»;Q2\n5;6\n"],
    "gb18030": ["满意度;忠诚度\n7;8\n", "男,35\n", "Q1满意,Q2\n1,2\n", "姓名\n张三\n", "答\n1\n"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "content"), [(name, text) for name, texts in WRITTEN.items() for text in texts]
)
def test_files_of_two_lines_are_read_in_their_encoding(encoding: str, content: str) -> None:
    assert decode(content.encode(encoding), "two.csv")[0] == content


def test_columns_read_alike_are_told_in_one_line(tmp_path: Path) -> None:
    words = {4: "满意", 3: "一般", 2: "不满意", 1: "非常不满意", 5: "非常满意"}
    answers = load_table("mobi").data.filter(regex="^(CUSA|IMAG)").clip(upper=5)
    path = tmp_path / "words.csv"
    answers.replace(words).to_csv(path, index=False)
    made = cv.satisfaction.model(
        {"image": "IMAG1..5", "satisfaction": "CUSA1..3"}, {"image": "satisfaction"}, scale=(1, 5)
    )
    told = [note for note in open_survey(path, made).warnings if "were read by" in note]
    assert len(told) == 1 and told[0].startswith("IMAG1, ") and " and CUSA3: " in told[0]
