"""Every result prints, says, draws and writes what it holds, in either language."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import openpyxl
import pandas as pd
import pytest

from cvlib.results import Result
from cvlib.words import message as words_message
from cvlib.words.message import message


@dataclass(frozen=True, eq=False, repr=False)
class Small(Result):
    headline_tables: ClassVar[tuple[str, ...]] = ("index",)
    charts: ClassVar[dict[str, str]] = {"index": "cvlib.figures.satisfaction:index_chart"}
    index: pd.DataFrame
    weights: pd.Series
    extra: dict[str, pd.DataFrame] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        return [message("t.largest", name=self.index["construct"].iloc[0], value=71.26)]

    def names(self, language: str = "en") -> dict[str, str]:
        return {"image": {"en": "Image", "zh": "形象"}[language]}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"index": self.index, "labels": self.names(language), "language": language}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Small:
    wording = {"t.largest": {"en": "{name!n} has {value:.1f}.", "zh": "{name!n}为 {value:.1f}。"}}
    known = words_message.wordings() | wording
    monkeypatch.setattr(words_message, "wordings", lambda: known)
    index = pd.DataFrame({"construct": ["image", "=1+1"], "index": [71.26, 60.0]})
    weights = pd.Series([0.25, 0.75], index=pd.Index(["a", "b"], name="item"), name="weight")
    return Small(index, weights, {"fit": index.head(1)}, ("Mind the gap.",))


def test_tables_are_the_fields_with_rows(small: Small) -> None:
    assert list(small.tables) == ["index", "weights", "fit"]
    assert list(small.tables["weights"].columns) == ["item", "weight"]
    assert "extra" not in Small(small.index, small.weights).tables


def test_it_prints_says_and_shows_html(small: Small) -> None:
    text = repr(small)
    assert text.startswith("Image has 71.3.") and "71.260" in text and "! Mind the gap." in text
    assert "0.750" not in text  # only the tables that matter most
    assert small.say("zh") == "形象为 71.3。"
    assert "形象" in small.summary("zh")
    page = small._repr_html_()
    assert "<table" in page and "Image has 71.3." in page and "Mind the gap." in page


def test_it_is_written_for_other_programs(small: Small, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small.to_excel(tmp_path / "a.xlsx"))
    assert book.sheetnames == ["index", "weights", "fit"]
    assert book["index"]["B2"].value == 71.26 and book["index"]["A3"].value == "'=1+1"
    assert r"\toprule" in small.to_latex() and "0.250" in small.to_latex("weights")
    with pytest.raises(KeyError, match="no table 'nothing'"):
        small.to_latex("nothing")


def test_its_charts_are_drawn_when_asked_for(small: Small) -> None:
    assert dir(small.plot) == ["index"]
    assert small.plot.index().axes and small.plot(language="zh").axes
    with pytest.raises(AttributeError, match="no chart 'paths'"):
        small.plot.paths  # noqa: B018
