"""Sheets of judgements as spreadsheets leave them: weights and checks beside, means below."""

from __future__ import annotations

import pandas as pd
import pytest
from openpyxl import Workbook

import cvlib as cv
from cvlib.inputs.errors import InputError

W = cv.weighting
ROWS = [
    ["", "recency", "frequency", "monetary"],
    ["recency", 1, "1/3", "1/5"],
    ["frequency", 3, 1, "1/2"],
    ["monetary", 5, 2, 1],
]
TURNED = [
    ROWS[0], ["recency", 1, 3, 5], ["frequency", "1/3", 1, 2], ["monetary", "1/5", "1/2", 1]
]  # fmt: skip
OWN = (0.109, 0.309, 0.582)
SURVEY = pd.DataFrame({
    "expert": ["007", "008"], "recency|frequency": ["1/3", "1/4"],
    "recency|monetary": ["1/5", "1/5"], "frequency|monetary": ["1/2", "1/2"],
})  # fmt: skip


def weights_of(rows, path):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    found = W.ahp(path, "rfm")
    return found.weights.set_index("indicator")["global_weight"], found.warnings


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([*ROWS, ["CR", 0.003]], ["CR"]),
        ([*ROWS, [], ["Consistency ratio", "", 0.003], ["λmax", 3.004]],
         ["Consistency ratio", "λmax"]),
        ([*ROWS, ["一致性比例", 0.003], ["权重", *OWN]], ["一致性比例", "权重"]),
        ([*ROWS, ["Sum", 9, 3.33, 1.7]], ["Sum"]),
        ([[*row, extra] for row, extra in zip(ROWS, ("Weight", *OWN), strict=True)], ["Weight"]),
    ],
)  # fmt: skip
def test_what_stands_beside_a_matrix_is_left_out_and_named(rows, named, tmp_path):
    found, warnings = weights_of(rows, tmp_path / "a.xlsx")
    plain, silent = weights_of(ROWS, tmp_path / "b.xlsx")
    pd.testing.assert_series_equal(found, plain)
    assert [w.values["names"] for w in warnings if w.id == "weighting.beside_the_matrix"] == [named]
    assert not [w for w in silent if w.id == "weighting.beside_the_matrix"]


def test_weights_of_the_matrix_turned_over_refuse_it(tmp_path):
    rows = [[*row, extra] for row, extra in zip(TURNED, ("weight", *OWN), strict=True)]
    with pytest.raises(InputError, match="cell E2: the weights beside the matrix are those of"):
        weights_of(rows, tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="cell B5: the weights beside the matrix are those of"):
        weights_of([*TURNED, ["weight", *OWN]], tmp_path / "a.xlsx")


def test_other_names_below_a_matrix_are_still_refused(tmp_path):
    with pytest.raises(InputError, match="cell A5: 'loyalty' is not in tree"):
        weights_of([*ROWS, ["loyalty", 1, 1, 1]], tmp_path / "a.xlsx")


def test_items_in_another_case_and_fractions_as_one_sign(tmp_path):
    plain, _ = weights_of(ROWS, tmp_path / "a.xlsx")
    heads = {"recency": "Recency ", "frequency": "FREQUENCY", "1/3": "⅓", "1/5": "1／5"}
    told = [[heads.get(cell, cell) for cell in row] for row in ROWS]
    found, _ = weights_of(told, tmp_path / "b.xlsx")
    pd.testing.assert_series_equal(found, plain)


def test_a_row_of_means_is_no_expert(tmp_path):
    below = pd.DataFrame([["平均", "1/3", "1/5", "1/2"]], columns=SURVEY.columns)
    pd.concat([SURVEY, below]).to_csv(tmp_path / "a.csv", index=False)
    SURVEY.to_csv(tmp_path / "b.csv", index=False)
    found, plain = (W.ahp(tmp_path / name, "rfm") for name in ("a.csv", "b.csv"))
    pd.testing.assert_frame_equal(found.weights, plain.weights)
    assert "weighting.summary_row_left_out" in [w.id for w in found.warnings]


@pytest.mark.parametrize("mark", [" vs ", " vs. ", ":", "："])
def test_pairs_under_other_signs(mark, tmp_path):
    SURVEY.to_csv(tmp_path / "b.csv", index=False)
    renamed = SURVEY.rename(columns=lambda name: name.replace("|", mark))
    renamed.to_csv(tmp_path / "a.csv", index=False)
    found, plain = (W.ahp(tmp_path / name, "rfm") for name in ("a.csv", "b.csv"))
    pd.testing.assert_frame_equal(found.weights, plain.weights)
    SURVEY.rename(columns=lambda name: name.replace("|", "-")).to_csv(tmp_path / "c.csv")
    with pytest.raises(InputError, match="no column compares two items"):
        W.ahp(tmp_path / "c.csv", "rfm")
