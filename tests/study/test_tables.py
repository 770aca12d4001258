import numpy as np
import pandas as pd
import pytest

from cvlib.words.safe import neutralised
from cvlib.words.tables import format_number, marked, printed, table_html


def test_numbers_are_rounded_at_the_door() -> None:
    table = pd.DataFrame({"a": [1 / 3, -0.00004], "n": [1200.0, 3.0], "p": [0.0004, 0.04]})
    shown, kinds = printed(table, 3)
    assert shown["a"].tolist() == ["0.333", "0.000"]
    assert shown["n"].tolist() == ["1,200", "3"]
    assert shown["p"].tolist() == ["<.001", ".040"]
    assert kinds == ["number"] * 3
    assert table.loc[0, "a"] == 1 / 3


def test_missing_and_infinite_values_have_a_sign_of_their_own() -> None:
    assert format_number(np.nan, 2) == "–"
    assert format_number(-np.inf, 2) == "-∞"


def test_whole_numbers_are_told_by_their_value_and_not_by_their_last_bit() -> None:
    table = pd.DataFrame({"a": [0.0, -2.2e-17], "b": [3.0, 1200 * (1 + 2e-16)], "c": [0.0, 1e-6]})
    table["value"], table["text"] = [5.0 + 1e-15, 0.25], pd.Series([7 - 1e-15, "x"], dtype=object)
    shown, _ = printed(table, 3)
    assert shown.to_numpy().tolist() == [["0", "3", "0.000", "5", "7"],
                                         ["0", "1,200", "0.000", "0.250", "x"]]  # fmt: skip


def test_text_from_data_is_inert_in_html() -> None:
    html = table_html("t", pd.DataFrame({"<b>": ["<script>x</script>"]}), title="<i>", note="&")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html and "<i>" not in html


def test_a_long_table_says_what_it_leaves_out() -> None:
    html = table_html("t", pd.DataFrame({"a": range(100)}), rows=10)
    assert html.count("<tr>") == 11
    assert "First 10 of 100 rows" in html


def test_formulas_are_neutralised_and_numbers_are_not() -> None:
    table = pd.DataFrame({"a": ["=1+1", "+", "-5", "@x", "plain"], "b": [-1.0, 2, 3, 4, 5]})
    safe = neutralised(table)
    assert safe["a"].tolist() == ["'=1+1", "+", "-5", "'@x", "plain"]
    assert safe["b"].equals(table["b"])
    assert table.loc[0, "a"] == "=1+1"


def test_an_empty_table_says_so() -> None:
    assert "None." in table_html("t", pd.DataFrame({"a": []}), title="Left out")
    bare = table_html("t", pd.DataFrame(), title="Left out")
    assert "<table" not in bare and "Left out" in bare and "None." in bare


def test_every_kind_of_p_value_is_printed_in_the_apa_form() -> None:
    table = pd.DataFrame({"p_welch_adjusted": [0.0001, 0.25], "p_alive": [0.0001, 0.25]})
    shown, _ = printed(table)
    assert list(shown["p_welch_adjusted"]) == ["<.001", ".250"]
    assert list(shown["p_alive"]) == ["0.000", "0.250"]


def test_long_words_are_cut_and_chinese_sentences_are_not() -> None:
    sentence = "顾客满意度指数" * 20
    shown, _ = printed(pd.DataFrame({"text": ["x" * 100, sentence]}))
    assert shown["text"].tolist() == ["x" * 70 + "…", sentence]


@pytest.mark.parametrize(
    ("value", "printed_as"),
    [(46363.824, "46,364"), (145.03, "145"), (99.99, "99.99"), (99.999, "100"), (12.0, "12")],
)
def test_money_has_no_decimals_from_a_hundred_on(value: float, printed_as: str) -> None:
    table = pd.DataFrame({"lifetime_value": [value, 0.5], "auc": [value, 0.5]})
    shown, _ = printed(table)
    assert shown["lifetime_value"].tolist() == [printed_as, "0.50"]
    assert shown["auc"].tolist()[1] == "0.500"  # what is no money keeps its decimals


def test_a_limit_may_stand_in_the_row() -> None:
    table = pd.DataFrame({
        "value": [0.05, 0.04, 0.3, 0.2], "critical_value": [0.04, 0.05, np.nan, 0.2],
        "forecast": [0.1, 0.5, 0.9, 0.2], "ci_low": [0.2] * 4, "ci_high": [0.8] * 4,
    })  # fmt: skip
    marks = {"value": "> critical_value", "forecast": "outside ci_low ci_high"}
    found = marked(table, marks)
    assert [row[0] for row in found] == [True, False, False, False]
    assert [row[2] for row in found] == [True, False, True, False]
    assert not any(row[1] or row[3] or row[4] for row in found)
    html = table_html("t", table, marks=marks)
    assert html.count("◂</td>") == 3
    assert "◂ marks value &gt; critical value or forecast outside CI low to CI high." in html
    within = table.assign(value=0.0, forecast=0.5)
    assert "◂" not in table_html("t", within, marks=marks)


def test_model_and_estimator_head_blocks_of_rows_and_are_no_columns() -> None:
    table = pd.DataFrame(
        {"model": ["acsi"] * 4, "estimator": ["pls"] * 2 + ["covariance"] * 2,
         "construct": list("abab"), "ave": [0.4, 0.6, 0.7, 0.3]}
    )  # fmt: skip
    html = table_html("reliability", table, marks={"ave": "< 0.5"})
    assert html.count('class="block"') == 2 and 'data-blocks="model estimator"' in html
    assert 'data-column="model"' not in html and 'data-column="construct"' in html
    assert html.index("acsi · covariance SEM") < html.index("0.700")
    assert "0.400 ◂" in html and "0.300 ◂" in html and "0.600 ◂" not in html


@pytest.mark.parametrize(
    "models", [["a", "b", "c", "d"], ["a", "b", "a", "b"], ["a", "b", "b", "b"]]
)
def test_models_that_are_compared_row_by_row_stay_a_column(models: list[str]) -> None:
    html = table_html("scores", pd.DataFrame({"model": models, "auc": [0.1, 0.2, 0.3, 0.4]}))
    assert 'class="block"' not in html and 'data-column="model"' in html
