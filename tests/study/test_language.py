"""Texts in another language: what is known is translated, whole; what is not stays."""

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


def test_exact_text_patterns_and_contexts(write_catalogue) -> None:
    write_catalogue(
        'msgid "Fit"\nmsgstr "拟合"\n\n'
        'msgid "{n} of {all} rows, {n} again."\nmsgstr "{all} 行中的 {n} 行。"\n\n'
        'msgid "Because of {reason}."\nmsgstr "原因:{reason}。"\n'
    )
    assert translate("Fit", "zh") == "拟合"
    assert translate("Fit", "en") == "Fit"
    assert translate("Misfit", "zh") == "Misfit"
    assert translate("3 of 1,250 rows, 3 again.", "zh") == "1,250 行中的 3 行。"
    assert translate("3 of 1,250 rows, 4 again.", "zh") == "3 of 1,250 rows, 4 again."
    assert translate("Because of Fit.", "zh") == "原因:拟合。"
    assert translate("Because of {braces} \\1.", "zh") == "原因:{braces} \\1。"
    assert Words("zh").head("estimate") == "估计值"
    assert Words("zh").cell("fit") == "fit"


def test_the_more_specific_pattern_wins(write_catalogue) -> None:
    write_catalogue(
        'msgid "{a} rows"\nmsgstr "{a} 行"\n\nmsgid "{a} empty rows"\nmsgstr "{a} 空行"\n'
    )
    assert translate("3 empty rows", "zh") == "3 空行"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('msgid "{a} rows"\nmsgstr "{b} 行"\n', "differ in slots"),
        ('msgid "Fit"\nmsgstr "适配"\n', "two ways"),
    ],
)
def test_a_catalogue_that_contradicts_is_refused(write_catalogue, text: str, message: str) -> None:
    write_catalogue('msgid "Fit"\nmsgstr "拟合"\n', name="other")
    write_catalogue(text)
    with pytest.raises(ValueError, match=message):
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


def test_the_shipped_catalogues_load() -> None:
    for folder in language.FOLDER.iterdir():
        assert catalogue(folder.name).exact


def test_names_made_of_names_are_worded_inside() -> None:
    assert Words("en").cell("bg_nbd_p_alive") == "BG/NBD, P(alive)"
    assert Words("zh").cell("bg_nbd_p_alive") == "BG/NBD 的 P(alive)"
    assert Words("en").cell("bg_nbd x gamma_gamma") == "BG/NBD × Gamma–Gamma"
