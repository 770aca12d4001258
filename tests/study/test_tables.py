import numpy as np
import pandas as pd

from cvlib.study.tables import format_number, neutralised, printed, table_html


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
