"""Every result prints, says, draws and writes what it holds, in either language."""

import dataclasses
import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import openpyxl
import pandas as pd
import pytest

import cvlib
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
    monkeypatch.setattr(words_message, "_room", lambda _: known)
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


def test_a_verdict_that_a_result_holds_is_what_it_says(small: Small) -> None:
    @dataclass(frozen=True, eq=False, repr=False)
    class Judged(Result):
        verdict: str | None

    held = message("t.largest", name="image", value=3.0)
    assert Judged(held).sentences() == [held] and Judged(None).sentences() == []


def test_results_of_one_shape_say_what_they_hold() -> None:
    from cvlib.words.usual import estimates, graded, heaviest, scored

    def of(**tables: Any) -> Any:
        return SimpleNamespace(**tables)

    fit = of(parameters=pd.DataFrame({"parameter": ["r", "alpha"], "estimate": [0.2426, 4.414]}))
    assert estimates(fit) == ["Estimates: r = 0.2426 and alpha = 4.414."]
    reason = message("common.models_fitted", models=["cox"])
    assert estimates(of(parameters=fit.parameters, reason=reason)) == [reason]
    two = pd.DataFrame({"indicator": ["a", "b"] * 2, "method": ["x", "x", "y", "y"],
                        "global_weight": [0.25, 0.75, 0.6, 0.4]})  # fmt: skip
    assert heaviest(of(weights=two)) == [
        "b weighs most by x (0.750).",
        "a weighs most by y (0.600).",
    ]
    one = pd.DataFrame({"element": ["a", "b"], "limit": [0.1, 0.9], "within_cluster": [0.7, 0.3]})
    assert heaviest(of(priorities=one)) == ["a weighs most by within_cluster (0.700)."]
    grades = pd.DataFrame({"grade": ["A", "B"], "customers": [3, float("nan")]})
    assert graded(of(grades=grades)) == ["Customers: 3 in A."]
    wide = pd.DataFrame({"vikor": [0.2, 0.9]}, index=["ann", "bob"])
    long = pd.DataFrame({"customer": ["ann", "bob"], "method": "vikor", "score": [0.2, 0.9]})
    told = ["2 scored by vikor; bob comes first (0.900)."]
    assert scored(of(scores=wide)) == told == scored(of(scores=long))


def test_every_kind_of_result_says_something_in_both_languages() -> None:
    """A class of results that can say nothing of itself would be silent at the prompt."""
    silent = {
        "Result",
        "Small",
        "CustomerBase",
        "CustomerIndex",
        "SatisfactionLink",
        "CohortSeries",
    }
    for module in pkgutil.walk_packages(cvlib.__path__, "cvlib."):
        if not module.name.startswith(("cvlib.study", "cvlib.__main__")):
            importlib.import_module(module.name)
    kinds = list(Result.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
    for kind in kinds:
        if not kind.__module__.startswith("cvlib.") or kind.__name__ in silent:
            continue
        held = {field.name for field in dataclasses.fields(kind)} | set(dir(kind))
        voiced = kind.told_by or held & {"verdict", "sentence"}
        assert voiced or kind.sentences is not Result.sentences, kind
        if kind.told_by:
            module_name, function = kind.told_by.split(":")
            assert callable(getattr(importlib.import_module(module_name), function)), kind
