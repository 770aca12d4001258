"""Sentences by id: worded in every language, slots alike, none missing, none unused."""

import ast
import datetime as dt
import json
import pickle
import re
import string
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib
from cvlib.words import language
from cvlib.words import message as words_message
from cvlib.words.language import Words
from cvlib.words.message import (
    Label,
    Message,
    in_language,
    joined,
    message,
    restored,
    stored,
    wordings,
)
from cvlib.words.tables import printed

PACKAGE = Path(cvlib.__file__).parent
HAN = re.compile("[\u4e00-\u9fff]")


class Anything(str):
    """A value that any format takes."""

    def __format__(self, spec: str) -> str:
        return "1"

    def __float__(self) -> float:
        return 1.0

    __str__ = __repr__ = lambda self: "1"


def slots(wording: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name}


@pytest.mark.parametrize("id", sorted(wordings()))
def test_every_message_is_worded_in_both_languages(id: str) -> None:
    entry = wordings()[id]
    assert set(entry) == {"en", "zh"}
    assert slots(entry["en"]) == slots(entry["zh"])
    values: dict[str, Any] = {name: Anything() for name in slots(entry["en"])}
    said = message(id, **values)
    assert str(said) and "{" not in said
    chinese = in_language(said, "zh")
    assert HAN.search(chinese) or not re.search("[A-Za-z]{4}", chinese)


@cache
def nodes() -> list[ast.AST]:
    """Every piece of the package's code."""
    files = sorted(PACKAGE.rglob("*.py"))
    return [n for path in files for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def used_ids() -> tuple[set[str], list[re.Pattern[str]]]:
    """Ids that the package gives to `message`, and what ids made at run time look like."""
    exact: set[str] = set()
    made: list[re.Pattern[str]] = []
    for path in PACKAGE.rglob("templates/*.html"):
        exact |= set(re.findall(r'message\("([^"]+)"', path.read_text(encoding="utf-8")))
    for node in nodes():
        if isinstance(node, ast.Constant) and node.value in wordings():
            exact.add(node.value)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"\w+"
                     for v in node.values]  # fmt: skip
            if str(node.values[0].value).partition(".")[0] in words_message.ROOMS:
                made.append(re.compile("".join(parts)))
    return exact, made


def test_every_message_is_used_and_every_id_exists() -> None:
    exact, made = used_ids()
    unused = [id for id in wordings() if id not in exact and not any(m.fullmatch(id) for m in made)]
    assert not unused
    for node in nodes():
        name = getattr(getattr(node, "func", None), "id", "")
        if name == "message" and isinstance(node, ast.Call):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                assert first.value in wordings(), first.value


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "t.plain": {
            "en": "{n:,} {n:plural customer|customers} of {model!n}",
            "zh": "{model!n} 有 {n:,} 人",
        },
        "t.list": {"en": "{names} and {share:.1%}; {when}", "zh": "{names}，{share:.1%}；{when}"},
        "t.or": {"en": "{names:or}", "zh": "{names:or}"},
        "t.inner": {"en": "({said})", "zh": "（{said}）"},
    }  # fmt: skip
    monkeypatch.setattr(words_message, "_room", lambda _: entries)


def test_values_are_worded_by_the_language(catalogue: None) -> None:
    said = message("t.plain", n=1, model="bg_nbd")
    assert said == "1 customer of BG/NBD"
    assert in_language(said, "zh") == "BG/NBD 有 1 人"
    assert in_language(said, "zh", {"bg_nbd": "模型甲"}) == "模型甲有 1 人"
    assert message("t.plain", n=1200, model="x") == "1,200 customers of x"
    label = Label({"en": "Image", "zh": "形象"})
    listed = message("t.list", names=["a", label, "b"], share=0.125, when=dt.datetime(2024, 1, 2))
    assert listed == "a, Image and b and 12.5%; 2024-01-02"
    assert in_language(listed, "zh") == "a、形象和 b，12.5%；2024-01-02"
    assert message("t.or", names=["a", "b"]) == "a or b"
    assert in_language(message("t.inner", said=label), "zh") == "（形象）"
    both = joined([said, "", listed])
    assert str(both).startswith("1 customer of BG/NBD a, Image")
    assert in_language(both, "zh").startswith("BG/NBD 有 1 人a、")


def test_a_message_survives_pickling_and_tables(catalogue: None) -> None:
    said = message("t.plain", n=3, model="nbd")
    again = pickle.loads(pickle.dumps(said))
    assert isinstance(again, Message) and again.id == said.id and again.values == said.values
    label = pickle.loads(pickle.dumps(Label({"zh": "形象"})))
    assert in_language(label, "zh") == "形象"
    table = pd.DataFrame({"reason": pd.Series([said], dtype=object)})
    shown, _ = printed(table, words=Words("zh"))
    assert shown["reason"].tolist() == ["NBD 有 3 人"]


def test_what_is_stored_as_json_is_worded_later(catalogue: None) -> None:
    label = Label({"en": "Image", "zh": "形象"})
    inner = message("t.plain", n=np.int64(2), model="nbd")
    said = message("t.list", names=[label, inner], share=0.5, when=dt.date(2024, 1, 2))
    again = restored(json.loads(json.dumps(stored(said))))
    assert again == said and in_language(again, "zh") == in_language(said, "zh")
    assert restored(stored("plain")) == "plain"


def test_errors_paths_and_arrays_are_kept_by_their_text() -> None:
    given = {"error": ValueError("torn"), "file": Path("a") / "b.csv", "held": np.array([1, 2])}
    for name, told in (("cannot_be_read", "error"), ("column_holds", "held")):
        said = message(f"refusals.{name}", column="x", **{told: given[told]})
        assert restored(json.loads(json.dumps(stored(said)))) == said
        assert pickle.loads(pickle.dumps(said)) == said
    assert message("refusals.cannot_be_read", error=given["error"]) == "cannot be read: torn"
    assert message("refusals.cannot_be_read", error=given["file"]) == "cannot be read: a/b.csv"
    assert message("refusals.column_holds", column="x", held=given["held"]) == (
        "Column x holds 1 and 2."
    )


def test_an_unknown_id_and_a_missing_value_are_refused(catalogue: None) -> None:
    with pytest.raises(KeyError):
        message("t.unknown")
    with pytest.raises(KeyError):
        message("t.plain", n=1)


@pytest.mark.parametrize(
    ("spec", "value", "english", "chinese"),
    [
        ("p", 0.0004, "<.001", "<.001"),
        ("p", 0.0021, ".002", ".002"),
        ("p", 1.0, "1.000", "1.000"),
        ("p", float("nan"), "–", "–"),
        ("p", None, "–", "–"),
        ("off", -0.121, "12.1% too low", "偏低 12.1%"),
        ("off", 0.05, "5.0% too high", "偏高 5.0%"),
        ("off", 0.0, "on the mark", "没有偏差"),
        ("off", float("nan"), "–", "–"),
        ("abs.1%", -0.188, "18.8%", "18.8%"),
    ],
)
def test_p_values_and_errors_are_worded_by_their_slot(
    spec: str, value: Any, english: str, chinese: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = wordings() | {"common.tried": {"en": f"{{v:{spec}}}", "zh": f"{{v:{spec}}}"}}
    monkeypatch.setattr("cvlib.words.message._room", lambda _: known)
    said = message("common.tried", v=value)
    assert said == english and in_language(said, "zh") == chinese


def test_a_column_explained_twice_is_refused(tmp_path, monkeypatch):
    """Or the later meaning would stand under the earlier table."""
    monkeypatch.setattr(language, "__file__", str(tmp_path / "language.py"))
    head = "table,column,meaning_en\n"
    (tmp_path / "words.csv").write_text(f"{head},direct,A path.\nlinks,direct,A count.\n")
    assert len(language._rows("words.csv", "table", "column")) == 2
    (tmp_path / "words.csv").write_text(f"{head},direct,A path.\n,direct,A count.\n")
    with pytest.raises(ValueError, match="stands twice"):
        language._rows("words.csv", "table", "column")
