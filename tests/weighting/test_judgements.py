"""Judgements in every accepted form, and the errors that name file and cell."""

from __future__ import annotations

import hashlib

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.weighting.experts.files import available_judgements, read_judgements
from cvlib.weighting.experts.judgements import from_pairs, sentence, words
from cvlib.weighting.tree import available_trees, load_tree
from cvlib.words.message import in_language

RFM = load_tree("rfm")
EXPECTED = np.array([[1, 5, 7], [1 / 5, 1, 3], [1 / 7, 1 / 3, 1]])
MATRIX = ",recency,frequency,monetary\nrecency,1,5,7\nfrequency,{a},1,3\nmonetary,.14,1/3,1\n"


def save(tmp_path, name, text, encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def only(judgements):
    ((matrices),) = judgements.matrices.values()
    return matrices["rfm"]


def test_every_form_gives_the_same_matrix(tmp_path):
    book = openpyxl.Workbook()
    for row in ((None, "recency", "frequency", "monetary"), ("recency", 1, 5, 7),
                ("frequency", None, 1, 3), ("monetary", None, None, 1)):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "upper.xlsx")
    pairs = "{recency|frequency: 5, recency|monetary: 7, monetary|frequency: 1/3}"
    yaml = f"name: x\ntree: rfm\nexperts: {{e: {pairs}}}\n"
    wide = "expert,comment,recency|frequency,monetary|recency,frequency|monetary\ne,good,5,1/7,3\n"
    forms = [
        {"recency|frequency": 5, "recency|monetary": 7, "frequency|monetary": 3},
        {"frequency|recency": "1/5", "monetary|recency": "1/7", "monetary|frequency": "1/3"},
        "liu_shih_2005",
        save(tmp_path, "full.csv", MATRIX.format(a=0.2)),
        save(tmp_path, "semicolon.csv", MATRIX.replace(",", ";").format(a="0,2")),
        tmp_path / "upper.xlsx",
        save(tmp_path, "j.yaml", yaml),
        save(tmp_path, "wide.csv", wide),
    ]
    for form in forms:
        matrix = only(read_judgements(RFM, form))
        assert list(matrix.index) == list(matrix.columns) == list(RFM.leaves), form
        assert matrix.to_numpy() == pytest.approx(EXPECTED, abs=1e-15), form


def test_the_published_set_says_what_it_is():
    assert available_judgements() == ("liu_shih_2005",)
    read = read_judgements(RFM, "liu_shih_2005")
    assert list(read.matrices) == ["Liu & Shih (2005)"]
    assert read.source.endswith(
        "; from memory; Judgements of one published study of one company, not a recommendation."
    )
    assert "；凭记忆；判断来自一篇已发表研究" in in_language(read.source, "zh")


def test_orientation_is_echoed_as_a_sentence():
    read = from_pairs(RFM, {"frequency|recency": 0.2, "recency|monetary": 1})
    said = read.sentences.set_index(["row", "column"])
    assert said.loc[("recency", "frequency"), "en"] == (
        "Days since last purchase is 5 times as important as Purchases"
    )
    assert said.loc[("recency", "frequency"), "zh"] == "最近购买间隔的重要性是购买频率的5倍"
    assert said.loc[("recency", "monetary"), "zh"] == "最近购买间隔与购买金额同等重要"
    assert len(said) == 2
    assert sentence(RFM, "recency", "monetary", 1 / 3, "en").startswith("Spend is 3 times")


def test_chinese_survey_with_labels(tmp_path):
    text = "expert,最近购买间隔|购买频率,最近购买间隔|购买金额\n王,5,7\n李,1/5,\n张,1,2\n"
    path = save(tmp_path, "wide.csv", text, "gb18030")
    read = read_judgements(RFM, path, faulty="leave_out")
    assert list(read.matrices) == ["王", "张"]
    assert read.left_out["expert"].tolist() == ["李"]
    assert "no judgement links" in read.left_out["reason"].iloc[0]


def test_a_matrix_per_sheet(tmp_path):
    tree = load_tree("publisher")
    book = openpyxl.Workbook()
    for node, below in tree.compared.items():
        sheet = book.create_sheet(node)
        sheet.append([None, *below])
        for i, item in enumerate(below):
            sheet.append([item, *(2 ** (j - i) for j in range(len(below)))])
    book.save(tmp_path / "expert one.xlsx")
    read = read_judgements(tree, tmp_path / "expert one.xlsx")
    assert set(read.matrices["expert one"]) == set(tree.compared)
    book["publisher"]["C2"] = 9
    book["publisher"]["B3"] = 9
    book.save(tmp_path / "expert one.xlsx")
    with pytest.raises(InputError, match=r"expert one\.xlsx, sheet 'publisher', cell B3: 'qual"):
        read_judgements(tree, tmp_path / "expert one.xlsx")


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("m.csv", MATRIX.format(a=0.25), "m.csv, cell B3: 'frequency' against 'recency' is 0.25"),
        ("m.csv", MATRIX.format(a=-0.2), "m.csv, cell B3: the judgement -0.2 is not a positive"),
        ("m.csv", MATRIX.format(a=0), "m.csv, cell B3: the judgement 0 is not a positive"),
        ("m.csv", MATRIX.format(a="inf"), "is not a judgement"),
        ("m.csv", MATRIX.format(a="five"), "m.csv, cell B3: 'five' is not a judgement"),
        ("m.csv", MATRIX.format(a="1/0"), "m.csv, cell B3: '1/0' is not a judgement"),
        ("m.csv", MATRIX.replace("y,{a},1,3", "y,.2,2,3"), "m.csv, cell C3: 'frequency' against"),
        ("m.csv", MATRIX.replace(",monetary", ",money").format(a=0.2), "cell D1: 'money' is not"),
        ("m.csv", ",recency,frequency\nrecency,1,2\n", "rows (recency) and columns"),
        ("m.csv", ",recency,frequency\nrecency,1,2\nfrequency,.5,1\n", "with monetary"),
        ("w.csv", "expert,recency|frequency|x\na,1\n", "does not name two items"),
        ("w.csv", "expert,recency|turnover\na,1\n", "w.csv, cell B1: 'turnover' is not in tree"),
        ("w.csv", "name,recency|frequency\na,1\n", "no column 'expert'"),
        ("w.csv", "expert,recency|frequency\na,1\na,2\n", "expert 'a' appears twice"),
        ("w.csv", "expert,recency|frequency\n,1\n", "the expert has no name"),
        ("w.csv", "expert,recency|frequency\na,\n", "a, node 'rfm': no judgement is given"),
        (
            "w.csv",
            "expert,recency|frequency,frequency|recency,recency|monetary\na,5,5,1\n",
            "w.csv, cell C2: 'frequency' against 'recency' is 5 but 0.2 by w.csv, cell B2",
        ),
        ("w.csv", "expert\na\n", "no judgement is given"),
        ("w.csv", "x,expert,recency|frequency\na,b,3\nz\n", "w.csv, cell B3: the expert has no"),
        (
            "w.csv",
            "expert,recency|frequency\na,3,4\n",
            "w.csv, line 2: has 3 cells, the header has 2",
        ),
        ("w.csv", "expert,recency|frequency,expert\na,3,b\n", "row 1: 'expert' stands twice"),
        ("m.csv", MATRIX.format(a="1E400"), "is not a judgement"),
        ("m.csv", MATRIX.format(a="9" * 400), "is not a judgement"),
        ("m.csv", MATRIX.format(a="1/3/4"), "is not a judgement"),
        ("m.csv", MATRIX.format(a="nan"), "is not a judgement"),
        ("m.csv", MATRIX.format(a="2026-01-05"), "cell B3: Excel made a date of 1/5"),
        ("m.csv", MATRIX.format(a="1月3日"), "cell B3: Excel made a date of 1/3"),
        ("m.csv", MATRIX.format(a="Mar-01"), "cell B3: Excel made a date of 1/3"),
        (
            "j.yaml",
            f"name: x\ntree: rfm\nexperts: {{e: {{recency|frequency: {'9' * 400}}}}}\n",
            "is not",
        ),
        ("w.csv", "", "is empty"),
        ("w.xlsx", "not a workbook", "is a damaged workbook"),
        ("w.txt", "x", "not a known format"),
        ("j.yaml", "name: x\ntree: bank\nexperts: {}\n", "j.yaml, line 2: the judgements are for"),
        (
            "j.yaml",
            "name: x\ntree: rfm\nexperts:\n  e:\n    recency|frequency: 5\n    recency|x: 5\n",
            "j.yaml, line 6, 'recency|x': 'x' is not in tree",
        ),
        ("j.yaml", "name: x\ntree: rfm\nexperts: {}\n", "no expert was found"),
    ],
)
def test_bad_files_name_the_place(tmp_path, name, text, wrong):
    with pytest.raises(InputError) as caught:
        read_judgements(RFM, save(tmp_path, name, text))
    assert wrong in str(caught.value)


def test_pairs_that_are_not_compared():
    with pytest.raises(InputError, match="not under the same node"):
        from_pairs(load_tree("retail"), {"net_sales|loyalty": 3})
    with pytest.raises(InputError, match="is a gate"):
        from_pairs(load_tree("credit"), {"admission|capacity": 3})
    with pytest.raises(InputError, match="is the label of several nodes"):
        from_pairs(_twice(), {"Same|b": 3})


def _twice():
    from dataclasses import replace

    nodes = RFM.nodes.copy()
    nodes["label_en"] = "Same"
    return replace(RFM, nodes=nodes)


def test_a_disconnected_set_is_refused_with_the_missing_link_where_ahpy_returns_weights():
    import ahpy

    tree = load_tree("satisfaction_evaluation")
    a, b, c, d = tree.leaves
    # AHPy accepts two unlinked pairs, and a judgement with its contradiction, at ratio zero
    theirs = ahpy.Compare("node", {(a, b): 2, (c, d): 2})
    assert theirs.consistency_ratio == 0 and len(theirs.local_weights) == 4
    with pytest.raises(InputError, match=f"links {a}, {b} with {c}, {d}.*example {a} against {c}"):
        from_pairs(tree, {f"{a}|{b}": 2, f"{c}|{d}": 2})
    assert ahpy.Compare("node", {(a, b): 2, (b, a): 2}).local_weights
    with pytest.raises(InputError, match="not reciprocal"):
        from_pairs(tree, {f"{a}|{b}": 2, f"{b}|{a}": 2, f"{a}|{c}": 1, f"{a}|{d}": 1})


@pytest.mark.parametrize("value", range(2, 10))
@pytest.mark.parametrize("first", ["value", "reciprocal"])
def test_printed_reciprocals_are_rounded(value, first):
    """Two decimals, as in printed matrices: .33, .14, .13 mean 1/3, 1/7, 1/8."""
    pairs = [("recency|frequency", value), ("frequency|recency", f"{1 / value:.2f}")]
    given = dict(pairs if first == "value" else pairs[::-1]) | {"recency|monetary": 1}
    matrix = only(from_pairs(RFM, given))
    assert matrix.loc["recency", "frequency"] == value
    assert matrix.loc["frequency", "recency"] == 1 / value


def test_a_judgement_beyond_the_scale_is_flagged():
    read = from_pairs(RFM, {"recency|frequency": 12, "recency|monetary": 2})
    assert any("beyond 9" in warning for warning in read.warnings)
    assert from_pairs(RFM, {"recency|frequency": 9, "recency|monetary": 2}).warnings == ()


def test_an_empty_parameter_reads_nobody(tmp_path, monkeypatch):
    """The current folder is full of tables that would be taken for experts."""
    save(tmp_path, "answers.csv", "expert,recency|frequency,recency|monetary\na,3,5\n")
    monkeypatch.chdir(tmp_path)
    for nothing in ("", [], {}):
        read = read_judgements(RFM, nothing)
        assert not read.matrices and not read.files and read.sentences.empty
    assert list(read_judgements(RFM, ".").matrices) == ["a"]


def test_one_who_did_not_answer_is_left_out_and_counted(tmp_path):
    text = "expert,recency|frequency,recency|monetary\na,3,5\nb,,\nc,2,x\n"
    path = save(tmp_path, "w.csv", text.replace(",x", ",4"))
    read = read_judgements(RFM, path)
    assert list(read.matrices) == ["a", "c"] and read.left_out["expert"].tolist() == ["b"]
    assert read.left_out["reason"].iloc[0] == "gave no judgement at all"
    assert any("1 of 3 experts left out" in text for text in read.warnings)
    path = save(tmp_path, "w.csv", text)  # a wrong answer is another matter
    with pytest.raises(InputError, match="cell C4: 'x' is not a judgement"):
        read_judgements(RFM, path)
    kept = read_judgements(RFM, path, faulty="leave_out")
    assert list(kept.matrices) == ["a"] and kept.left_out["expert"].tolist() == ["b", "c"]
    with pytest.raises(InputError, match="faulty: 'drop' is not offered"):
        read_judgements(RFM, path, faulty="drop")


def test_a_matrix_is_read_by_its_names(tmp_path):
    usual = save(tmp_path, "m.csv", MATRIX.format(a=0.2))
    right = only(read_judgements(RFM, usual))
    rows = [line.split(",") for line in MATRIX.format(a=0.2).splitlines()]
    sorted_rows = [rows[0], rows[3], rows[1], rows[2]]
    turned = [[row[i] for i in (0, 2, 3, 1)] for row in sorted_rows]
    gaps = [[*row[:2], "", *row[2:]] for row in (rows[0], [""] * 4, *rows[1:])]
    for changed in (sorted_rows, turned, gaps):
        path = save(tmp_path, "n.csv", "\n".join(",".join(row) for row in changed) + "\n")
        pd.testing.assert_frame_equal(only(read_judgements(RFM, path)), right)
    gaps[2][2] = "7"
    path = save(tmp_path, "n.csv", "\n".join(",".join(row) for row in gaps) + "\n")
    with pytest.raises(InputError, match="cell C3: '7' stands in a column without a name"):
        read_judgements(RFM, path)


def test_what_was_read_can_be_recorded(tmp_path):
    path = save(tmp_path, "m.csv", MATRIX.format(a=0.2))
    ((name, digest, rows),) = read_judgements(RFM, path).files
    assert name == "m.csv" and rows == 3
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [f[0] for f in read_judgements(RFM, "liu_shih_2005").files] == ["liu_shih_2005.yaml"]


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_judgements(RFM, tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"not a known format.*liu_shih_2005"):
        read_judgements(RFM, "liu_shih")
    with pytest.raises(InputError, match="no file found"):
        read_judgements(RFM, tmp_path)


def test_all_experts_left_out_is_an_error(tmp_path):
    path = save(tmp_path, "w.csv", "expert,recency|frequency\na,\nb,x\n")
    with pytest.raises(InputError, match="no usable judgements"):
        read_judgements(RFM, path, faulty="leave_out")


def test_the_same_words_in_both_languages():
    english, chinese = words("en"), words("zh")

    def shape(entry):
        return {k: shape(v) for k, v in entry.items()} if isinstance(entry, dict) else None

    assert shape(english) == shape(chinese)
    grades = {g for name in available_trees() for g in load_tree(name).nodes["evidence"]}
    assert grades <= set(english["evidence"])


def test_result_is_a_table_of_experts():
    read = from_pairs(RFM, {"recency|frequency": 5, "recency|monetary": 7}, expert="me")
    assert list(read.sentences.columns) == ["expert", "node", "row", "column", "value", "en", "zh"]
    assert isinstance(read.left_out, pd.DataFrame) and read.left_out.empty


def book_of(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


HEAD = [None, "recency", "frequency", "monetary"]
BODY = [["recency", 1, 5, 7], ["frequency", None, 1, 3], ["monetary", None, None, 1]]


def moved(rows, below=0, right=0, title=""):
    shifted = [[*[None] * right, *row] for row in rows]
    return [[title or None]] * below + shifted


@pytest.mark.parametrize(
    "rows",
    [
        moved([HEAD, *BODY], below=2),
        moved([HEAD, *BODY], right=1),
        moved([HEAD, *BODY], below=1, right=2, title="Expert A: please compare"),
        [HEAD, [None] * 4, *reversed(BODY)],
        [[HEAD[0], *HEAD[:0:-1]], *([row[0], *row[:0:-1]] for row in BODY)],
    ],
)
def test_a_matrix_is_found_wherever_it_stands(tmp_path, rows):
    matrix = only(read_judgements(RFM, book_of(tmp_path / "m.xlsx", {"s": rows})))
    assert matrix.to_numpy() == pytest.approx(EXPECTED, abs=1e-15)


def test_a_row_of_judgements_without_a_name_is_refused_with_its_cell(tmp_path):
    rows = [[None], HEAD, BODY[0], [None, *BODY[1][1:]], BODY[2]]
    with pytest.raises(InputError, match=r"m\.xlsx, sheet 's', cell A4: .* no name") as caught:
        read_judgements(RFM, book_of(tmp_path / "m.xlsx", {"s": rows}))
    assert "没有指标名称" in caught.value.told("zh")


def test_sheets_that_compare_the_same_items_are_experts(tmp_path):
    other = [HEAD, ["recency", 1, 1, 2], ["frequency", None, 1, 2], ["monetary", None, None, 1]]
    path = book_of(tmp_path / "all.xlsx", {"王": [HEAD, *BODY], "Li": other, "empty": []})
    read = read_judgements(RFM, path)
    assert list(read.matrices) == ["王", "Li"]
    assert read.matrices["王"]["rfm"].to_numpy() == pytest.approx(EXPECTED)
    assert read.matrices["Li"]["rfm"].loc["recency", "monetary"] == 2
    assert read_judgements(RFM, read) is read


def test_ratios_with_a_colon_and_chinese_heads(tmp_path):
    head = "专家,最近购买间隔|购买频率,最近购买间隔|购买金额,购买频率|购买金额"
    text = f"{head}\n王,5:1,7：1,3\n李,1:5,1,1\n"
    read = read_judgements(RFM, save(tmp_path, "wide.csv", text, "gb18030"))
    assert read.matrices["王"]["rfm"].to_numpy() == pytest.approx(EXPECTED)
    assert read.matrices["李"]["rfm"].loc["frequency", "recency"] == 5


def test_a_time_that_excel_made_of_a_ratio_is_named(tmp_path):
    from datetime import time

    rows = [HEAD, ["recency", 1, time(3, 1), 7], *BODY[1:]]
    with pytest.raises(InputError, match=r"cell C2: Excel made a time of 3:1"):
        read_judgements(RFM, book_of(tmp_path / "m.xlsx", {"s": rows}))


def test_refusals_of_judgements_are_told_in_chinese(tmp_path):
    wrong = {
        "w1.csv": ("name,recency|frequency\na,1\n", "没有列 expert"),
        "w2.csv": ("expert,recency|turnover\na,1\n", "不在指标树“rfm”中"),
        "w3.csv": ("expert,recency|frequency\na,2\n", "没有任何判断把"),
        "m.csv": (",recency,frequency\nrecency,1,2\n", "的指标不一致"),
    }
    for name, (text, said) in wrong.items():
        with pytest.raises(InputError) as caught:
            read_judgements(RFM, save(tmp_path, name, text))
        assert said in caught.value.told("zh") and name in str(caught.value)
