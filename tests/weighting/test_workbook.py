"""Expert workbooks: what is written, what its formulas compute, what is read back."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime

import numpy as np
import openpyxl
import pytest
from openpyxl.formula import Tokenizer

from cvlib.inputs.errors import InputError
from cvlib.weighting.experts.ahp import consistency
from cvlib.weighting.experts.files import read_judgements
from cvlib.weighting.experts.group import expert_weights
from cvlib.weighting.experts.judgements import sentence, words
from cvlib.weighting.experts.workbook import KEY, scale_options, write_workbook
from cvlib.weighting.tree import load_tree

FIRST = 8


def fill(path, tree, language="en", seed=1, name=None, skip=()):
    """Answer every comparison at random, but for the skipped (sheet number, row)."""
    book, rng = openpyxl.load_workbook(path), np.random.default_rng(seed)
    options = list(scale_options(language))
    for number, sheet in enumerate(visible(book)[1:], start=1):
        row = FIRST
        while sheet[f"A{row}"].value:
            if (number, row) not in skip and (number, None) not in skip:
                sheet[f"B{row}"] = options[rng.integers(len(options))]
            row += 1
    if name:
        book.worksheets[0]["B3"] = name
    book.save(path)
    return path


def visible(book):
    return [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]


class Calculator:
    """The few spreadsheet functions the workbook uses, evaluated from its formulas."""

    def __init__(self, book):
        self.book, self.known = book, {}

    def cell(self, sheet, at):
        at = at.replace("$", "")
        if (sheet, at) not in self.known:
            value = self.book[sheet][at].value
            if isinstance(value, str) and value.startswith("="):
                value = eval(
                    self.translate(value), {"ref": lambda r: self.ref(sheet, r), "f": self}
                )
            self.known[sheet, at] = "" if value is None else value
        return self.known[sheet, at]

    def ref(self, sheet, reference):
        if "!" in reference:
            sheet, reference = reference.rsplit("!", 1)
            sheet = sheet.strip("'")
        cells = self.book[sheet][reference.replace("$", "")]
        if not isinstance(cells, tuple):
            return self.cell(sheet, reference)
        return [[self.cell(sheet, cell.coordinate) for cell in row] for row in cells]

    @staticmethod
    def translate(formula):
        out = []
        for token in Tokenizer(formula).items:
            if token.type == "OPERAND":
                kind = {"RANGE": f"ref({token.value!r})", "TEXT": repr(token.value[1:-1])}
                out.append(kind.get(token.subtype, token.value.replace("FALSE", "False")))
            elif token.type == "FUNC":
                name = token.value[:-1]
                out.append(f"f.{name}(lambda: (" if token.subtype == "OPEN" else "))")
            elif token.type == "SEP":
                out.append("), lambda: (")
            else:
                out.append({"=": "=="}.get(token.value, token.value))
        return "".join(out)

    def IF(self, test, then, other):
        return then() if test() else other()

    def COUNT(self, cells):
        return sum(isinstance(v, int | float) for row in cells() for v in row)

    def SUM(self, cells):
        return float(np.sum(cells()))

    def SUMPRODUCT(self, a, b):
        return float(np.multiply(a(), b()).sum())

    def GEOMEAN(self, cells):
        return float(np.exp(np.log(cells()).mean()))

    def MAX(self, a, b):
        return max(a(), b())

    def ROUND(self, value, _):
        return round(value())

    def SUBSTITUTE(self, text, old, new):
        return text().replace(old(), str(new()))

    def VLOOKUP(self, key, cells, column, _):
        return next(row[column() - 1] for row in cells() if row[0] == key())


@pytest.mark.parametrize(
    ("name", "language"),
    [("retail", "en"), ("organisational", "zh"), ("customer_relationship_value", "en")],
)
def test_live_ratio_and_echo_are_those_of_the_package(tmp_path, name, language):
    tree = load_tree(name)
    path = fill(write_workbook(tree, tmp_path / "a.xlsx", language=language), tree, language)
    book = openpyxl.load_workbook(path)
    sheets = Calculator(book)
    judgements = read_judgements(tree, path)
    nodes = [node for node, below in tree.compared.items() if len(below) > 1]
    assert len(visible(book)) == len(nodes) + 1
    for node, sheet in zip(nodes, visible(book)[1:], strict=True):
        row = consistency(judgements.matrices["a"][node])
        # random answers are far worse than any expert's, yet the iteration is near its limit
        assert sheets.cell(sheet.title, "B4") == pytest.approx(row["cr"], abs=2e-4)
        verdict = words(language)["workbook"]["acceptable" if row["acceptable"] else "reconsider"]
        assert sheets.cell(sheet.title, "C4") == verdict
        echoed = judgements.sentences[judgements.sentences["node"] == node][language]
        assert [sheets.cell(sheet.title, f"D{FIRST + i}") for i in range(len(echoed))] == list(
            echoed
        )


def test_a_consistent_expert_sees_zero_and_an_unfinished_one_nothing(tmp_path):
    tree = load_tree("rfm")
    path = write_workbook(tree, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    sheet = visible(book)[1]
    by_value = {value: text for text, value in scale_options("en").items()}
    for row, value in zip(range(FIRST, FIRST + 3), (2, 4, 2), strict=True):
        assert Calculator(book).cell(sheet.title, "B4") == ""
        assert Calculator(book).cell(sheet.title, "C4").startswith("shown when")
        sheet[f"B{row}"] = by_value[value]
    assert Calculator(book).cell(sheet.title, "B4") == pytest.approx(0, abs=1e-14)
    assert Calculator(book).cell(sheet.title, "C4") == "acceptable"


def test_scale_in_words_has_seventeen_reciprocal_answers():
    for language in ("en", "zh"):
        values = list(scale_options(language).values())
        assert len(values) == 17 and values == sorted(values, reverse=True)
        assert np.array(values) * np.array(values[::-1]) == pytest.approx(np.ones(17))


def test_many_experts_from_a_folder(tmp_path):
    tree = load_tree("enterprise")
    for seed, language in enumerate(("en", "zh", "en")):
        name = "Wang Li" if seed == 0 else None
        path = write_workbook(tree, tmp_path / f"answer{seed}.xlsx", language=language)
        fill(path, tree, language, seed, name)
    (tmp_path / "~$answer0.xlsx").write_bytes(b"lock")
    read = read_judgements(tree, tmp_path)
    assert list(read.matrices) == ["Wang Li", "answer1", "answer2"]
    assert read_judgements(tree, f"{tmp_path}/answer*.xlsx").matrices.keys() == read.matrices.keys()
    matrix = read.matrices["answer1"]["quality"].to_numpy()
    assert matrix[0, 1] * matrix[1, 0] == pytest.approx(1)


def test_an_empty_comparison_is_read_as_not_given_and_an_empty_node_is_refused(tmp_path):
    tree = load_tree("retail")
    path = fill(write_workbook(tree, tmp_path / "a.xlsx"), tree, skip={(2, FIRST)})
    matrix = read_judgements(tree, path).matrices["a"]["current_value"]
    assert np.isnan(matrix.to_numpy()[0, 1]) and np.isnan(matrix.to_numpy()).sum() == 2
    other = fill(write_workbook(tree, tmp_path / "b.xlsx"), tree, skip={(3, None)})
    with pytest.raises(InputError, match=r"b\.xlsx, sheet '3 Potential value': no judgement"):
        read_judgements(tree, [path, other])
    kept = read_judgements(tree, [path, other], faulty="leave_out")
    assert list(kept.matrices) == ["a"]
    assert kept.left_out["expert"].tolist() == ["b"]
    assert "Potential value" in kept.left_out["reason"].iloc[0]
    assert any("1 of 2 experts left out" in warning for warning in kept.warnings)


def test_faults_name_workbook_sheet_and_cell(tmp_path):
    tree = load_tree("retail")
    path = fill(write_workbook(tree, tmp_path / "a.xlsx"), tree)
    book = openpyxl.load_workbook(path)
    visible(book)[2]["B9"] = "rather important"
    book.save(path)
    with pytest.raises(InputError, match=r"a\.xlsx, sheet '2 Current value', cell B9: 'rather"):
        read_judgements(tree, path)
    visible(book)[2]["B9"] = "0"
    book.save(path)
    with pytest.raises(InputError, match=r"cell B9: the judgement 0 is not a positive"):
        read_judgements(tree, path)
    visible(book)[2].title = "other"
    book.save(path)
    with pytest.raises(InputError, match="no sheet '2 Current value'"):
        read_judgements(tree, path)
    with pytest.raises(InputError, match="are for tree 'retail', not 'bank'"):
        read_judgements(load_tree("bank"), path)


def filled(tmp_path, name="retail", language="en"):
    tree = load_tree(name)
    path = fill(write_workbook(tree, tmp_path / "a.xlsx", language=language), tree, language)
    book = openpyxl.load_workbook(path)
    return tree, path, book, visible(book)[1]


def weighed(tree, path):
    return expert_weights(tree, read_judgements(tree, path)).weights["global_weight"].to_numpy()


def swap(sheet, one, other):
    for column in "ABC":
        cells = sheet[f"{column}{one}"], sheet[f"{column}{other}"]
        cells[0].value, cells[1].value = cells[1].value, cells[0].value


def turn(sheet):
    """Left and right change places, and with them the answer."""
    options = list(scale_options("en"))
    a, b, c = (sheet[f"{column}{FIRST}"] for column in "ABC")
    a.value, c.value = c.value, a.value
    b.value = options[::-1][options.index(b.value)]


@pytest.mark.parametrize(
    "change",
    [
        lambda sheet: sheet.insert_rows(FIRST),
        lambda sheet: sheet.insert_rows(FIRST + 1, 3),
        lambda sheet: sheet.insert_rows(1, 2),
        lambda sheet: sheet.insert_cols(1),
        lambda sheet: sheet.insert_cols(2, 2),
        lambda sheet: swap(sheet, FIRST, FIRST + 2),
        lambda sheet: sheet.move_range("B7:B40", cols=8),
        turn,
        lambda sheet: sheet.delete_rows(2, 3),
    ],
)
def test_answers_belong_to_their_labels_wherever_they_stand(tmp_path, change):
    tree, path, book, sheet = filled(tmp_path)
    right = weighed(tree, path)
    change(sheet)
    book.save(path)
    np.testing.assert_allclose(weighed(tree, path), right)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda sheet: sheet.delete_rows(FIRST), "'Current value' with 'Potential value' is gone"),
        (lambda sheet: sheet.delete_rows(7), "no row holds the heads Left, Your judgement, Right"),
        (lambda sheet: sheet.delete_cols(3), "no row holds the heads"),
        (lambda sheet: sheet.__setitem__("A8", "Current values"), "cell B8: stands beside 'Curr"),
        (lambda sheet: sheet.__setitem__("A10", "Current value"), "cell B10: compares .* again"),
        (lambda sheet: sheet.__setitem__("B12", "5"), "cell B12: stands beside '' and ''"),
        (lambda sheet: sheet.__setitem__("H7", "Left"), "row 7: 'Left' stands twice"),
        (lambda sheet: sheet.__setitem__("B8", datetime(2026, 1, 3)), "Excel made a date of 1/3"),
        (lambda sheet: sheet.__setitem__("B8", "3-Jan"), "Excel made a date of 1/3"),
    ],
)
def test_what_cannot_be_found_by_label_is_refused(tmp_path, change, wrong):
    tree, path, book, sheet = filled(tmp_path)
    change(sheet)
    book.save(path)
    with pytest.raises(InputError, match=wrong):
        read_judgements(tree, path)


def test_the_name_is_found_by_its_label_and_the_hidden_sheet_is_checked(tmp_path):
    tree, path, book, _ = filled(tmp_path, "rfm")
    start = visible(book)[0]
    start["B3"] = "Wang Li"
    start.move_range("A3:B3", rows=40)
    book.save(path)
    assert list(read_judgements(tree, path).matrices) == ["Wang Li"]
    book[KEY].delete_rows(1, 2)
    book.save(path)
    with pytest.raises(InputError, match="hidden sheet was changed"):
        read_judgements(tree, path)
    damaged = bytearray(path.read_bytes())
    for at in range(60, 400):
        damaged[at] ^= 0x5A
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"a\.xlsx: .*damaged"):
        read_judgements(tree, path)


def test_items_of_one_label_cannot_be_told_apart(tmp_path):
    text = "name: x\nchildren:\n" + "".join(
        f"  {n}: {{en: Same, direction: benefit}}\n" for n in "ab"
    )
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InputError, match="two of its items are called 'Same'"):
        write_workbook(load_tree(tmp_path / "x.yaml"), tmp_path / "x.xlsx")


def test_the_same_expert_twice(tmp_path):
    tree = load_tree("rfm")
    for stem in "ab":
        fill(write_workbook(tree, tmp_path / f"{stem}.xlsx"), tree, name="Wang Li")
    with pytest.raises(InputError, match="expert 'Wang Li' was already read"):
        read_judgements(tree, tmp_path)


def test_labels_cannot_become_formulas(tmp_path):
    text = (
        "name: x\ntitle: {en: '=1+1'}\nchildren:\n"
        "  a: {en: '=HYPERLINK(\"http://x\")', direction: benefit}\n"
        "  b: {en: '@SUM(A1)', direction: benefit}\n"
        "  c: {en: 'a/b:c*[d]?', direction: benefit}\n"
    )
    (tmp_path / "x.yaml").write_text(text)
    tree = load_tree(tmp_path / "x.yaml")
    book = openpyxl.load_workbook(write_workbook(tree, tmp_path / "x.xlsx"))
    start, sheet = visible(book)
    assert start["A1"].value == "'=1+1" and start["A1"].data_type == "s"
    assert sheet["A8"].value.startswith("'=HYPERLINK") and sheet["C8"].value == "'@SUM(A1)"
    assert {cell.data_type for cell in sheet["A"]} <= {"s", "n"}


def test_only_answers_can_be_typed(tmp_path):
    tree = load_tree("rfm")
    book = openpyxl.load_workbook(write_workbook(tree, tmp_path / "a.xlsx"))
    sheet = visible(book)[1]
    assert sheet.protection.sheet and sheet["A8"].protection.locked
    assert not sheet["B8"].protection.locked
    (validation,) = sheet.data_validations.dataValidation
    assert str(validation.sqref) in ("B8 B9 B10", "B8:B10")
    assert book[KEY].sheet_state == "hidden"


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="nothing to compare"):
        write_workbook(load_tree("crm_maturity"), tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=r"not an \.xlsx"):
        write_workbook(load_tree("rfm"), tmp_path / "a.csv")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_computes_the_same_ratio(tmp_path):
    tree = load_tree("retail")
    path = fill(write_workbook(tree, tmp_path / "a.xlsx"), tree)
    command = ["soffice", "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "out")]
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run([*command, profile, str(path)], check=True, capture_output=True, timeout=120)
    if not (tmp_path / "out" / "a.xlsx").is_file():
        pytest.skip("this LibreOffice has no Calc")
    book = openpyxl.load_workbook(tmp_path / "out" / "a.xlsx", data_only=True)
    matrices = read_judgements(tree, path).matrices["a"]
    nodes = [node for node, below in tree.compared.items() if len(below) > 1]
    for node, sheet in zip(nodes, visible(book)[1:], strict=True):
        row = consistency(matrices[node])
        assert sheet["B4"].value == pytest.approx(row["cr"], abs=2e-4)
        left, right = tree.compared[node][:2]
        value = matrices[node].loc[left, right]
        assert sheet["D8"].value == sentence(tree, left, right, value, "en")
