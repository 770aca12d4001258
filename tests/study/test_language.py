"""Texts in another language: what is known is translated, whole; what is not stays."""

import re
from pathlib import Path

import pandas as pd
import pytest

from cvlib.words import language
from cvlib.words.language import Words, catalogue, translate
from cvlib.words.tables import printed, table_html

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture
def write_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(language, "FOLDER", tmp_path)
    (tmp_path / "zh").mkdir()

    def write(text: str, name: str = "one") -> None:
        (tmp_path / "zh" / f"{name}.po").write_text(HEAD + text, encoding="utf-8")
        catalogue.cache_clear()

    yield write
    catalogue.cache_clear()


def test_texts_are_known_whole_or_left_as_they_are(write_catalogue) -> None:
    write_catalogue('msgid "Fit"\nmsgstr "拟合"\n\nmsgid "{n} rows"\nmsgstr "{n} 行"\n')
    assert translate("Fit", "zh") == "拟合"
    assert translate("Fit", "en") == "Fit"
    assert translate("Misfit", "zh") == "Misfit"
    assert translate("3 rows", "zh") == "3 rows"  # no catalogue is a pattern
    assert Words("zh").head("estimate") == "估计值"
    assert Words("zh").cell("fit") == "fit" and Words("zh").cell("Fit") == "Fit"


def test_a_catalogue_that_contradicts_is_refused(write_catalogue) -> None:
    write_catalogue('msgid "Fit"\nmsgstr "适配"\n', name="other")
    write_catalogue('msgid "Fit"\nmsgstr "拟合"\n')
    with pytest.raises(ValueError, match="two ways"):
        translate("Fit", "zh")


def test_names_label_cells_and_heads_but_never_the_data() -> None:
    table = pd.DataFrame(
        {"construct": ["image", "=image"], "image": [0.5, 1.5], "sure": [True, False]}
    )
    words = Words("zh", {"image": "形象"})
    shown, _ = printed(table, 2, words)
    assert list(shown["construct"]) == ["形象", "=image"]
    assert list(shown["sure"]) == ["是", "否"]
    assert words.heads(["image", "value"]) == ["形象", "值"]
    assert list(table["construct"]) == ["image", "=image"]
    page = table_html("t", table, words=words)
    assert 'data-column="image">形象<' in page


def test_labels_that_coincide_give_way_to_the_names() -> None:
    words = Words("en", {"a": "Same", "b": "Same"})
    assert words.heads(["a", "b"]) == ["a", "b"]


def test_a_table_calls_its_columns_by_its_own_heads() -> None:
    """`tenths` calls the sum of values CLV; no other table, and no column it says nothing of."""
    table = pd.DataFrame({"customers": [3], "clv_sum": [2.5]})
    for code, own in (("en", "CLV"), ("zh", "终身价值合计")):
        words = Words(code)
        assert words.head("clv_sum", "tenths") == own and words.head("clv_sum") == "clv sum"
        assert words.head("customers", "tenths") == words.head("customers")
        assert f'data-column="clv_sum">{own}<' in table_html("tenths", table, words=words)
        assert f'data-column="clv_sum">{own}<' not in table_html("other", table, words=words)


def test_a_column_is_money_where_its_table_says_so() -> None:
    """The pyramid's value is spend; the value of a list of facts is any quantity."""
    table = pd.DataFrame({"group": ["VIP"], "value": [35525.16], "smallest_value": [0.0]})
    spend, _ = printed(table, 3, name="pyramid")
    facts, _ = printed(table, 3, name="facts")
    assert spend["value"][0] == "35,525" and facts["value"][0] == "35,525.160"
    assert spend["smallest_value"][0] == "0"


def test_the_shipped_catalogues_load() -> None:
    for folder in language.FOLDER.iterdir():
        assert catalogue(folder.name)


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("bg_nbd_p_alive", "BG/NBD, P(alive)", "BG/NBD，存活概率"),
        ("bg_nbd x gamma_gamma", "BG/NBD × Gamma–Gamma", "BG/NBD × Gamma–Gamma"),
        ("spend_rmse", "spend: RMSE", "金额：RMSE"),
        ("auc_6", "AUC at 6", "第 6 期 AUC"),
        ("brier_2.5", "Brier score at 2.5", "第 2.5 期 Brier 评分"),
        ("auc_expected", "AUC by expected purchases", "期望购买次数的 AUC"),
        ("lambda_ Intercept", "λ: intercept", "λ: 截距"),
        ("lambda_ age", "λ: age", "λ: age"),
        ("spend_habits", "spend_habits", "spend_habits"),  # a column of the data, not ours
        ("auc_", "auc_", "auc_"),
    ],
)
def test_names_made_of_names_are_worded_inside(name: str, english: str, chinese: str) -> None:
    assert Words("en").cell(name) == english
    assert Words("zh").cell(name) == chinese


def test_no_entry_of_a_catalogue_has_a_slot() -> None:
    """Sentences with values are messages; a catalogue holds whole texts."""
    found = [text for folder in language.FOLDER.iterdir() for text in catalogue(folder.name)
             if re.search(r"\{\w*\}", re.sub(r"`[^`]*`", "", text))]  # fmt: skip
    assert not found
