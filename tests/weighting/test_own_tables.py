"""Tables of customers as they come: totals below, other names, several periods, Chinese."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.weighting.table import table_kind
from cvlib.words.message import in_language

W = cv.weighting
RFM = W.load_tree("rfm")
NAMES = ["recency", "frequency", "monetary"]


def customers(people=60):
    draw = np.random.default_rng(11)
    return pd.DataFrame({
        "customer_id": [f"K{n:02d}" for n in range(people)],
        "recency": draw.integers(1, 300, people), "frequency": draw.integers(1, 40, people),
        "monetary": np.round(draw.gamma(2, 500, people), 2),
    })  # fmt: skip


def entropy(frame):
    """Entropy weights after min-max, written anew."""
    x = frame[NAMES].to_numpy(float)
    z = (x - x.min(0)) / (x.max(0) - x.min(0))
    z[:, 0] = 1 - z[:, 0]
    p = z / z.sum(0)
    logs = np.log(p, where=p > 0, out=np.zeros_like(p))
    spread = 1 + (p * logs).sum(0) / np.log(len(p))
    return spread / spread.sum()


@pytest.mark.parametrize("label", ["Total", "合计", "Grand total"])
def test_a_total_below_the_table_is_no_customer(tmp_path, label):
    own = customers()
    below = [label, *own[NAMES].sum().round(2)], ["Average", *own[NAMES].mean().round(1)]
    both = pd.concat([own.astype(object), pd.DataFrame(below, columns=own.columns)])
    both.to_csv(tmp_path / "own.csv", index=False)
    read = W.read_indicators(cv.load(tmp_path / "own.csv"), RFM, customer="customer_id")
    assert list(read.values.index) == own["customer_id"].tolist()
    assert "data rows 61 and 62" in " ".join(read.warnings)
    found = W.entropy(tmp_path / "own.csv", tree="rfm").weights["local_weight"]
    np.testing.assert_allclose(found, entropy(own), atol=1e-12)
    assert len(W.read_indicators(own, RFM, customer="customer_id").values) == len(own)


def test_columns_of_other_names_need_no_further_word(tmp_path):
    own = customers().set_axis(["客户编号", "最近", "次数", "金额"], axis=1)
    own.to_csv(tmp_path / "顾客.csv", index=False, encoding="gb18030")
    table = cv.load(tmp_path / "顾客.csv")
    mapping = dict(zip(NAMES, own.columns[1:], strict=True))
    assert table_kind(table, RFM, mapping=mapping) == "indicators"
    read = W.read_indicators(table, RFM, customer="客户编号", mapping=mapping)
    assert (read.values.to_numpy() == own.iloc[:, 1:].to_numpy()).all()
    with pytest.raises(InputError, match=r"顾客\.csv: .*`mapping`") as caught:
        table_kind(table, RFM)
    assert "请用 `mapping`" in caught.value.told("zh")


def test_customers_in_several_rows_are_told_of_the_parameter_for_panels(tmp_path):
    own = customers()
    panel = pd.concat([own.assign(year=year) for year in (2024, 2025)])
    panel.to_csv(tmp_path / "own.csv", index=False)
    table = cv.load(tmp_path / "own.csv")
    with pytest.raises(InputError, match=r"own\.csv, column customer_id: .*`period`") as caught:
        W.read_indicators(table, RFM, customer="customer_id")
    assert "面板" in caught.value.told("zh")
    rows, name = W.panel_rows(table, "customer_id", "year")
    read = W.read_indicators(rows, RFM, customer=name)
    assert len(read.values) == 120 and read.panel == 60
    assert read.values.index[0] == "K00 2024"
    with pytest.raises(InputError, match=r"own\.csv, column years: .*Did you mean 'year'"):
        W.panel_rows(table, "customer_id", "years")
    assert W.read_indicators(own, RFM, customer="customer_id").panel == 0


def test_a_panel_with_a_total_below_has_its_customers_only(tmp_path):
    panel = pd.concat([customers().assign(year=year) for year in (2024, 2025)])
    total = ["Total", *panel[NAMES].sum().round(2), None]
    both = pd.concat([panel.astype(object), pd.DataFrame([total], columns=panel.columns)])
    both.to_csv(tmp_path / "own.csv", index=False)
    rows, name = W.panel_rows(cv.load(tmp_path / "own.csv"), "customer_id", "year")
    read = W.read_indicators(rows, RFM, customer=name)
    assert list(read.values.index) == W.panel_rows(panel, "customer_id", "year")[0][name].tolist()
    assert read.panel == 60 and "sums up" in " ".join(read.warnings)


@pytest.mark.parametrize("panel", [True, False])
def test_an_answer_about_a_panel_counts_customers_and_rows(panel):
    frame = pd.concat([customers(20).assign(year=year) for year in (2024, 2025)])
    frame = frame if panel else customers(20)
    rows, name = W.panel_rows(frame, "customer_id", "year" if panel else "")
    read = W.read_indicators(rows, RFM, customer=name)
    equal = W.choose_weights(read, "equal")
    weights = W.wide_weights(equal.weights, read.items)["equal"]
    found = W.score_all(read, weights, ["weighted_sum", "topsis"])
    base, near = found.scores["weighted_sum"], W.draw_weights(read.items, 20)
    _, kept = W.grade_stability(W.normalise(read), base, near)
    pairs, grades = W.rank_agreement(found.scores), W.grade(base).grades
    answer = W.scores_answer(cv.load(frame), read, equal, found, pairs, kept, kept, grades)
    doubts = [getattr(note, "id", "") for note in answer.doubts]
    assert ("weighting.panel_by_row" in doubts) == panel
    assert (answer.question.id == "weighting.asks_scores_panel") == panel
    assert ("20 customers in 40 rows" in answer.question) == panel
    assert ("共 40 行" in in_language(answer.question, "zh")) == panel
    experts, data = W.ahp({"recency|frequency": 3, "frequency|monetary": 1}, "rfm"), W.entropy(read)
    none = W.criterion_validity(pd.DataFrame(), None)
    pair = ("ahp_eigenvector", "entropy_minmax")
    asked = W.weights_answer(cv.load(frame), read, experts, data, none, compared=pair).question
    assert (asked.id == "weighting.asks_weights_panel") == panel
    assert ("20 customers in 40 rows" in asked) == panel


def test_an_outcome_that_cannot_be_used_names_file_and_column(tmp_path):
    customers().assign(later=[None, *range(59)]).to_csv(tmp_path / "own.csv", index=False)
    table = cv.load(tmp_path / "own.csv")
    read = W.read_indicators(table, RFM, customer="customer_id")
    with pytest.raises(InputError, match=r"own\.csv, column later: 1 of 60 .*'K00'") as caught:
        W.read_outcome(table, "later", read.values.index, "customer_id")
    assert "无法使用" in caught.value.told("zh")
    with pytest.raises(InputError, match=r"own\.csv: there is no column 'latr'"):
        W.read_outcome(table, "latr", read.values.index, "customer_id")


CHINESE = """name: 自建
title: 自建模型
scale: [1, 5]
constructs:
  质量: {items: [Q1, Q2]}
  satisfaction: {zh: 满意, items: {S1: {}, S2: {}}}
paths:
  质量: {satisfaction: +}
"""


def test_a_model_may_be_written_in_chinese_alone_and_is_refused_in_it(tmp_path):
    (tmp_path / "m.yaml").write_text(CHINESE, encoding="utf-8")
    model = cv.satisfaction.load_model(tmp_path / "m.yaml")
    assert (model.label("satisfaction"), model.label("质量", "zh")) == ("满意", "质量")
    wrong = {
        "质量: {satisfaction: +}": ("质量: {satisfaction: x}", "不是符号"),
        "{items: [Q1, Q2]}": ("{items: []}", "构念没有题项"),
        "scale: [1, 5]\n": ("", "没有量表"),
        "paths:": ("path:", "此项必须填写"),
        "title: 自建模型": ("title: [自建]", "此处应为“名称: 值”"),
        "{satisfaction: +}": ("{满意: +}", "没有构念"),
    }
    for written, (instead, said) in wrong.items():
        (tmp_path / "w.yaml").write_text(CHINESE.replace(written, instead), encoding="utf-8")
        with pytest.raises(InputError, match=r"w\.yaml, line \d") as caught:
            cv.satisfaction.load_model(tmp_path / "w.yaml")
        assert said in caught.value.told("zh"), instead


AMOUNTS = [
    (["¥ 1,200", "¥ 900", "¥ 3,100"], [1200, 900, 3100]),
    (["1.2万", "9800", "2亿"], [12000, 9800, 2e8]),
    (["¥1.2万元"[:-1], "¥9,800.50", "¥1"], [12000, 9800.5, 1]),
    (["(85)", "90", "2"], [-85, 90, 2]),
    (["85%", "90%", "2%"], [85, 90, 2]),
    (["KWD 1.250", "KWD 2.000", "KWD 0.500"], [1.25, 2.0, 0.5]),
]


@pytest.mark.parametrize(("written", "meant"), AMOUNTS)
def test_indicators_may_be_amounts(written, meant):
    frame = customers(3).assign(monetary=written)
    read = W.indicators(frame, RFM, customer="customer_id", missing="available")
    np.testing.assert_allclose(read.values["monetary"], meant)
    assert read.warnings


def test_amounts_may_be_blank_but_not_words_or_two_currencies():
    frame = customers(4).assign(monetary=["$1,200", None, "$3.50", "$5"])
    read = W.indicators(frame, RFM, customer="customer_id", missing="available")
    assert read.values["monetary"].isna().tolist() == [False, True, False, False]
    with pytest.raises(InputError, match=r"data row 3: 'many' is no amount\. Correct the cell"):
        W.indicators(frame.assign(monetary=["$1", "$2", "many", "$4"]), RFM, customer="customer_id")
    with pytest.raises(InputError, match="mixes currencies"):
        W.indicators(frame.assign(monetary=["$1", "€2", "$3", "$4"]), RFM, customer="customer_id")
