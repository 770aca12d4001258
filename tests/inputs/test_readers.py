"""Every format in, the same table out; and what must not be read in silence."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvlib.inputs import datasets, readers
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table, load_table, read_table

SURVEY = pd.DataFrame(
    {"满意度": [7, 10, 1], "价格": [2.5, 3.25, 8.0], "城市": ["北京", "上海", "成都"]}
)


def csv_file(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def same(read: Table, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(read.data, expected, check_dtype=False)
    assert read.left_out.empty and read.source


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]
)
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_chinese_text_in_any_usual_encoding_and_separator(
    tmp_path: Path, encoding: str, mark: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(SURVEY.to_csv(index=False, sep=mark).encode(encoding))
    read = read_table(path)
    same(read, SURVEY)
    assert read.sha256 == datasets.sha256(path)
    assert any("was read as" in note for note in read.warnings) == (
        encoding in ("gb18030", "gbk", "utf-16-le", "utf-16-be")
    )


def test_traditional_characters_in_gbk(tmp_path: Path) -> None:
    frame = pd.DataFrame({"臺灣顧客滿意度": ["您對這項服務的總體滿意程度如何", "會繼續購買嗎"]})
    same(read_table(csv_file(tmp_path, frame.to_csv(index=False).encode("gbk"))), frame)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_western_accents_are_not_taken_for_chinese(tmp_path: Path, encoding: str) -> None:
    frame = pd.DataFrame({"qualité": [1, 2], "où": ["été à Besançon", "Straße, Müller"]})
    path = csv_file(tmp_path, frame.to_csv(index=False).encode(encoding))
    same(read_table(path), frame)
    short = pd.DataFrame({"Besançon": ["Straße"], "Zürich": ["Müller"]})
    same(read_table(csv_file(tmp_path, short.to_csv(index=False).encode(encoding))), short)


def test_a_given_encoding_wins_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "名前,x\n東京,1\n".encode("shift_jis"))
    assert read_table(path, encoding="shift_jis").data.loc[0, "名前"] == "東京"
    for wrong in ("utf-8", "no-such-encoding"):
        with pytest.raises(InputError, match=f"cannot be read as {wrong}"):
            read_table(path, encoding=wrong)


def test_white_space_separates_when_nothing_else_does(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, " id  day  spend\r\n  1 19970101   11.77\r\n 23 19970112  2.00\r\n", "t.txt"
    )
    expected = pd.DataFrame({"id": [1, 23], "day": [19970101, 19970112], "spend": [11.77, 2.0]})
    same(read_table(path), expected)
    same(read_table(path, separator="whitespace"), expected)


def test_a_single_column_and_old_mac_line_ends(tmp_path: Path) -> None:
    same(read_table(csv_file(tmp_path, "score\n7\n8\n")), pd.DataFrame({"score": [7, 8]}))
    same(read_table(csv_file(tmp_path, "a,b\r1,2\r")), pd.DataFrame({"a": [1], "b": [2]}))


def test_quoted_cells_keep_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'id,said\n1,"good, really"\n2,"a ""b""\nsecond line"\n')
    assert read_table(path).data["said"].tolist() == ["good, really", 'a "b"\nsecond line']


@pytest.mark.parametrize(
    ("content", "column", "expected"),
    [
        ("a;b\n1,5;x\n2,25;y\n", "a", [1.5, 2.25]),
        ("a;b\n1.234,50;x\n7,00;y\n", "a", [1234.5, 7.0]),
        ('a,b\n"1,234.50",x\n"12,000",y\n', "a", [1234.5, 12000.0]),
        ("a;b\n1 234,5;x\n12\u00a0000,25;y\n", "a", [1234.5, 12000.25]),
        ("a;b\n1'234.5;x\n9.0;y\n", "a", [1234.5, 9.0]),
        ("a,b\n1e-05,x\n-2.5E+3,y\n", "a", [1e-5, -2500.0]),
        # another column proves the decimal comma, so 1.234 has a thousands separator
        ("a;b\n1.234;0,5\n999;1,5\n", "a", [1234, 999]),
        ("a;b\n1,234;0,5\n2,500;1,25\n", "a", [1.234, 2.5]),
        ('a,b\n"1,234",0.5\n"2,500",1.25\n', "a", [1234, 2500]),
    ],
)
def test_numbers_as_people_write_them(
    tmp_path: Path, content: str, column: str, expected: list[float]
) -> None:
    read = read_table(csv_file(tmp_path, content))
    assert read.data[column].tolist() == expected


def test_an_ambiguous_number_stays_text_until_the_user_decides(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a;b\n1,234;x\n2,500;y\n")
    read = read_table(path)
    assert read.data["a"].tolist() == ["1,234", "2,500"]
    assert any("give `decimal`" in note for note in read.warnings)
    assert read_table(path, decimal=",").data["a"].tolist() == [1.234, 2.5]
    assert read_table(path, decimal=".").data["a"].tolist() == [1234, 2500]


def test_codes_a_number_could_not_give_back_stay_text(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,card,article\n007,12345678901234567,12E5\n7,1,13E7\n")
    data = read_table(path).data
    assert data["id"].tolist() == ["007", "7"]
    assert data["card"].tolist() == ["12345678901234567", "1"]
    assert data["article"].tolist() == ["12E5", "13E7"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
        min_size=1,
        max_size=20,
    )
)
def test_floats_written_by_python_are_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.mktemp("floats") / "t.csv"
    pd.DataFrame({"x": values, "label": "a"}).to_csv(path, index=False)
    np.testing.assert_array_equal(read_table(path).data["x"].to_numpy(float), values)


def test_blank_cells_blank_rows_and_missing_marks(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b,c\n1, ,x\n\n,2,NA\n,,\n3,4,z\n")
    read = read_table(path)
    assert read.data["a"].tolist()[0] == 1 and np.isnan(read.data["a"].iloc[1])
    assert list(read.data.index) == [0, 2, 4], "the places in the file"
    counts = read.left_out.set_index(["column", "reason"])["count"]
    assert counts["b", "cell of blanks read as missing"] == 1
    assert counts["(all)", "empty row"] == 2
    assert read.data["c"].isna().tolist() == [False, True, False]


def test_the_line_excel_writes_for_itself(tmp_path: Path) -> None:
    same(
        read_table(csv_file(tmp_path, "sep=;\r\na;b\r\n1;2\r\n")),
        pd.DataFrame({"a": [1], "b": [2]}),
    )


def test_a_name_over_two_lines(tmp_path: Path) -> None:
    read = read_table(csv_file(tmp_path, '"How\nsatisfied",b\n1,2\n'))
    assert list(read.data.columns) == ["How\nsatisfied", "b"]


def test_row_names_of_r_and_pandas(tmp_path: Path) -> None:
    for content in ('"","a","b"\n"1",5,6\n"2",7,8\n', '"a","b"\n"1",5,6\n"2",7,8\n'):
        read = read_table(csv_file(tmp_path, content))
        assert list(read.data.columns) == ["row_name", "a", "b"]
        assert read.data["b"].tolist() == [6, 8] and read.warnings


def test_a_trailing_separator_makes_no_column(tmp_path: Path) -> None:
    same(
        read_table(csv_file(tmp_path, "a,b,\n1,2,\n3,4,\n")),
        pd.DataFrame({"a": [1, 3], "b": [2, 4]}),
    )


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "is empty"),
        (" \n \n", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n,\n", "no rows"),
        ("a,b,a\n1,2,3\n", "column a: the name stands twice"),
        ("a,,c\n1,2,3\n", "column number 2: has values but no name"),
        ("a,b\n1,2\n3,4,5\n", "line 3"),
        ("a,b,c\n1,2,3\n4,5\n", "line 3: has 2 cells, the header has 3"),
        ("id day spend\n" + "1 19970101 2.5\n" * 20 + "2 19970102\n", "line 22: has 2 cells"),
        ("7,7,6\n5,4,3\n", "its first row holds numbers"),
    ],
)
def test_bad_text_tables(tmp_path: Path, content: str, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong) as caught:
        read_table(csv_file(tmp_path, content))
    assert caught.value.where.startswith("t.csv") and caught.value.remedy


def workbook(folder: Path, sheets: dict[str, list[list[object]]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def test_workbooks(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        {
            "答卷": [["满意", "日期", "备注", "混合"], [7, pd.Timestamp("2026-01-02"), "好", 5],
                   [8, pd.Timestamp("2026-01-03"), None, "6"], [None, None, None, None],
                   [9, None, " ", 7.5]],
            "other": [["x"], [1]],
        },
    )  # fmt: skip
    read = read_table(path)
    assert read.data["满意"].tolist() == [7, 8, 9]
    assert read.data["日期"].dtype.kind == "M" and read.data["日期"].isna().sum() == 1
    assert read.data["混合"].tolist() == [5, 6, 7.5]
    assert any("first sheet (答卷)" in note for note in read.warnings)
    assert set(read.left_out["reason"]) == {"empty row", "cell of blanks read as missing"}
    assert read_table(path, sheet="other").data["x"].tolist() == [1]
    with pytest.raises(InputError, match="there is no such sheet"):
        read_table(path, sheet="absent")


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [([], "is empty"), ([["a", "b"]], "no rows"), ([["a", "a"], [1, 2]], "stands twice")],
)
def test_bad_workbooks(tmp_path: Path, rows: list[list[object]], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        read_table(workbook(tmp_path, {"Sheet1": rows}))


def test_spss_labels_and_user_missing_codes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"满意": [1.0, 2.0, 98.0, 99.0, np.nan], "原因": ["价格", "NA", "", "服务", "价格"],
         "q2": [-1.0, 3.0, 7.0, 4.0, 5.0]}
    )  # fmt: skip
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(
        frame, path, column_labels={"满意": "总体满意度"},
        variable_value_labels={"满意": {1.0: "很不满意", 98.0: "不知道"}},
        missing_ranges={"满意": [{"lo": 97, "hi": 99}], "原因": ["NA"], "q2": [-1, 7]},
    )  # fmt: skip
    read = read_table(path)
    assert read.data["满意"].dropna().tolist() == [1, 2]
    assert read.data["q2"].dropna().tolist() == [3, 4, 5]
    assert read.data["原因"].dropna().tolist() == ["价格", "服务", "价格"]
    assert read.labels["满意"] == "总体满意度"
    assert read.value_labels["满意"][98.0] == "不知道"
    counts = {
        (row.column, row.reason): row.count
        for row in read.left_out.itertuples(index=False, name="R")
    }
    table = read.left_out.set_index(["column", "reason"])["count"]
    assert table["满意", "user-missing code 97 to 99"] == 2
    assert table["q2", "user-missing code -1"] == 1 and table["q2", "user-missing code 7"] == 1
    assert table["原因", "user-missing code NA"] == 1
    assert table["原因", "cell of blanks read as missing"] == 1 and len(counts) == len(table)
    assert read.left_out["share"].tolist()[0] == pytest.approx(2 / 5)


def test_a_respondent_with_only_user_missing_answers_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(pd.DataFrame({"a": [1.0, 9.0]}), path, missing_ranges={"a": [9]})
    assert len(read_table(path).data) == 2


def test_stata_labels_and_extended_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sat": [1, "a", 3, "b", "b"], "x": [1.5, np.nan, 2.0, 3.0, 4.0]})
    path = tmp_path / "t.dta"
    pyreadstat.write_dta(
        frame, path, missing_user_values={"sat": ["a", "b"]}, column_labels={"sat": "满意度"},
        variable_value_labels={"sat": {1: "low", "a": "refused"}},
    )  # fmt: skip
    read = read_table(path)
    assert read.data["sat"].dtype == float and read.data["sat"].dropna().tolist() == [1, 3]
    assert read.labels == {"sat": "满意度"} and read.value_labels["sat"]["a"] == "refused"
    table = read.left_out.set_index("reason")["count"]
    assert table.to_dict() == {"extended missing value .a": 1, "extended missing value .b": 2}


@pytest.mark.parametrize("version", [114, 117, 118])
def test_stata_files_of_other_versions(tmp_path: Path, version: int) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    frame.to_stata(tmp_path / "t.dta", version=version, write_index=False)
    same(read_table(tmp_path / "t.dta"), frame)


MEMORY = """
import sys
from pathlib import Path
from cvlib.inputs.readers import read_table

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

read_table(sys.argv[1])  # loads what reading needs
before = held()
table = read_table(sys.argv[2])
print((held() - before) / table.data.memory_usage(deep=True).sum())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory elsewhere")
def test_a_table_read_from_parquet_is_held_once(tmp_path):
    paths = [tmp_path / f"{rows}.parquet" for rows in (10, 200_000)]
    for path in paths:
        rows = int(path.stem)
        values = np.random.default_rng(1).normal(size=(rows, 20))
        pd.DataFrame(values, columns=[f"c{j}" for j in range(20)]).to_parquet(path)
    ran = subprocess.run([sys.executable, "-c", MEMORY, *map(str, paths)],
                         check=True, capture_output=True, text=True)  # fmt: skip
    assert float(ran.stdout) < 3  # 2.1, once-loaded parts included; 5.0 with what Arrow keeps


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_column_stores(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    getattr(SURVEY, f"to_{kind}")(path)
    same(read_table(path), SURVEY)


def test_column_store_types_become_plain(tmp_path: Path) -> None:
    from decimal import Decimal

    import pyarrow as pa
    from pyarrow import parquet

    day = pd.Timestamp("2026-03-01").date()
    table = pa.table(
        {"whole": pa.array([1, None], pa.int64()), "money": [Decimal("1.10"), Decimal("2.25")],
         "day": pa.array([day, day]), "kind": pa.array(["a", "b"]).dictionary_encode(),
         "yes": [True, False], "maybe": [True, None], "code": ["007", " "]}
    )  # fmt: skip
    parquet.write_table(table, tmp_path / "t.parquet")
    data = read_table(tmp_path / "t.parquet").data
    assert [data[name].dtype.kind for name in ("whole", "money", "day", "yes")] == list("ffMb")
    assert data["money"].tolist() == [1.1, 2.25] and data["kind"].tolist() == ["a", "b"]
    assert data["maybe"].iloc[0] == "True" and pd.isna(data["maybe"].iloc[1])
    assert data["code"].iloc[0] == "007" and pd.isna(data["code"].iloc[1])
    nullable = pd.DataFrame({"n": pd.array([1, 2], "Int64"), "m": pd.array([1, None], "Int64")})
    nullable.set_index("n").to_parquet(tmp_path / "n.parquet")
    data = read_table(tmp_path / "n.parquet").data
    assert data["n"].tolist() == [1, 2] and data["m"].dtype == np.dtype(float)


def test_column_stores_with_a_name_twice(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
        tmp_path / "t.parquet",
    )
    with pytest.raises(InputError, match="stands twice"):
        read_table(tmp_path / "t.parquet")


MAKERS = {
    "xlsx": lambda path: SURVEY.to_excel(path, index=False, engine="openpyxl"),
    "sav": lambda path: pyreadstat.write_sav(SURVEY, path),
    "dta": lambda path: SURVEY.rename(columns=dict(zip(SURVEY, "abc", strict=True))).to_stata(
        path, version=118
    ),
    "parquet": lambda path: SURVEY.to_parquet(path),
    "feather": lambda path: SURVEY.to_feather(path),
    "csv": lambda path: SURVEY.to_csv(path, index=False),
}


@pytest.mark.parametrize("holds", sorted(MAKERS))
@pytest.mark.parametrize("says", sorted(MAKERS))
def test_a_file_that_is_not_what_its_ending_says(tmp_path: Path, holds: str, says: str) -> None:
    true = tmp_path / f"true.{holds}"
    MAKERS[holds](true)
    path = true.rename(tmp_path / f"t.{says}")
    if holds == says:
        assert len(read_table(path).data) == 3
        return
    with pytest.raises(InputError, match="is not what its ending says") as caught:
        read_table(path)
    assert f"t.{holds}" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("t.xls", b"<html><table><tr><td>a</td></tr></table></html>", "a web page"),
        ("t.csv", b"\n  <!DOCTYPE html><html></html>", "a web page"),
        ("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel"),
        ("t.csv", b"\x1f\x8b\x08\x00abc", "gzip"),
        ("t.csv", b"%PDF-1.7", "PDF"),
        ("t", b"a,b\n1,2\n", "ends in nothing"),
        ("t.json", b'[{"a": 1}]', "ends in .json"),
        ("t.xlsx", b"PK\x03\x04 but no workbook", "is a damaged workbook"),
        ("t.sav", b"$FL2 but cut off", "cannot be read as an SPSS file"),
        ("t.dta", b"<stata_dta> but cut off", "cannot be read as a Stata file"),
        ("t.parquet", b"PAR1 but cut off", "cannot be read as a parquet file"),
        ("t.feather", b"ARROW1 but cut off", "cannot be read as a feather file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, wrong: str) -> None:
    with pytest.raises(InputError, match=wrong) as caught:
        read_table(csv_file(tmp_path, content, name))
    assert caught.value.where.startswith("t") and len(str(caught.value).splitlines()) == 1


def test_named_columns_and_dates(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "x y z\n1 20260131 2\n", "t.txt")
    read = read_table(path, columns=["id", "day", "n"], dates={"day": "%Y%m%d"})
    assert read.data["day"].iloc[0] == pd.Timestamp("2026-01-31")
    with pytest.raises(InputError, match="has 3 columns, 2 were named"):
        read_table(path, columns=["id", "day"])
    with pytest.raises(InputError, match="column z"):
        read_table(path, dates={"z": "%Y%m%d"})


def test_load_table_takes_names_paths_and_frames(tmp_path: Path) -> None:
    assert load_table("mobi").source == "mobi.csv"
    path = csv_file(tmp_path, "a\n1\n")
    table = load_table(str(path))
    assert load_table(table) is table
    frame = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
    assert list(load_table(frame).data.index) == [0, 1] and load_table(frame).sha256 == ""
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "absent.csv")


def test_several_files_are_put_one_under_the_other(tmp_path: Path) -> None:
    csv_file(tmp_path, "id,q\na,1\n,\nb,2\n", "w1.csv")
    csv_file(tmp_path, "q,id\n3,c\n4, \n", "w2.csv")
    table = load_table(str(tmp_path / "w*.csv"))
    assert table.data["q"].tolist() == [1, 2, 3, 4]
    assert table.data["id"].dropna().tolist() == ["a", "b", "c"]
    assert table.files == (("w1.csv", 0), ("w2.csv", 3)) and table.source == "w1.csv and 1 more"
    assert table.place("q", table.data.index[1]) == "w1.csv, column q, data row 3"
    assert table.place("q", table.data.index[3]) == "w2.csv, column q, data row 2"
    assert table.left_out["reason"].tolist() == ["empty row", "cell of blanks read as missing"]
    again = load_table([tmp_path / "w1.csv", tmp_path / "w2.csv"])
    pd.testing.assert_frame_equal(again.data, table.data)
    assert again.sha256 == table.sha256 != load_table(tmp_path / "w1.csv").sha256


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        ("id\n1\n", "w2.csv, column q: there is no such column"),
        ("id,q,r\n1,2,3\n", "w1.csv, column r: there is no such column"),
        ("id,q\n1,high\n", "w2.csv, column q: holds text, unlike in w1.csv"),
        ("id,q\n007,1\n", "w2.csv, column id: holds text"),
    ],
)
def test_files_that_do_not_fit_together(tmp_path: Path, second: str, wrong: str) -> None:
    csv_file(tmp_path, "id,q\n1,2\n", "w1.csv")
    csv_file(tmp_path, second, "w2.csv")
    with pytest.raises(InputError, match=wrong):
        load_table(str(tmp_path / "w*.csv"))


def test_a_pattern_that_fits_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file fits this pattern"):
        load_table(str(tmp_path / "*.csv"))
    with pytest.raises(InputError, match="no data set or file is named"):
        load_table([])


def test_a_catalogue_file_found_by_path_keeps_its_options(mirror: Path) -> None:
    data = load_table(mirror / "CDNOW_master.txt").data
    assert list(data.columns) == ["customer_id", "date", "quantity", "amount"]
    assert data["date"].dtype.kind == "M"


def test_a_frozen_table_says_what_was_left_out() -> None:
    counts = readers.left_out([("a", "x", 2), ("b", "y", 0)], 8)
    assert counts.to_dict("records") == [{"column": "a", "reason": "x", "count": 2, "share": 0.25}]
    with pytest.raises(AttributeError):
        Table(pd.DataFrame()).source = "other"  # type: ignore[misc]


def test_a_table_handed_over_as_text_keeps_its_cells_when_they_are_read_as_numbers() -> None:
    log = pd.DataFrame({"customer_id": [1, 2, 2], "amount": [1.0, 2.0, 3.0]})
    log["date"] = ["45000", "45001", "45002"]
    before = log.copy()
    load_table(log)
    assert log.equals(before)
