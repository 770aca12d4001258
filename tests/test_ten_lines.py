"""What a researcher types in a plain notebook: ten lines per pillar, each result prints itself."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cvlib as cv
from cvlib.results import Result

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def p() -> Any:
    return cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")


@pytest.fixture(scope="module")
def customers(p: Any) -> pd.DataFrame:
    """Customers with the indicators of the tree rfm, and what they spent later."""
    return p.customers


@pytest.fixture(scope="module")
def m() -> Any:
    return cv.satisfaction.pls(cv.load("mobi"), "ecsi_mobile", draws=100)


def test_satisfaction_in_a_few_lines(m: Any) -> None:
    index = m.index.set_index("construct")["index"]
    assert index["satisfaction"] == pytest.approx(72.46, abs=0.02)
    assert "satisfaction" in repr(m).lower() and "<table" in m._repr_html_()
    assert m.plot.index().axes and m.plot.paths().axes
    assert HAN.search(m.say("zh")) and not HAN.search(m.say())
    beside = cv.satisfaction.compare(m, cv.satisfaction.sem(cv.load("mobi"), "acsi"))
    assert isinstance(beside, Result) and beside.tables


def test_a_model_is_written_in_code_and_saved(tmp_path: Path) -> None:
    model = cv.satisfaction.model(
        constructs={"quality": ["PERQ1", "PERQ2", "PERQ3"], "satisfaction": ["CUSA1", "CUSA2"]},
        paths={"quality": ["satisfaction"]},
    )
    by_code = cv.satisfaction.pls("mobi", model, draws=0)
    by_file = cv.satisfaction.pls("mobi", model.save(tmp_path / "own.yaml"), draws=0)
    pd.testing.assert_frame_equal(by_code.path_coefficients, by_file.path_coefficients)


def test_weighting_in_a_few_lines(customers: pd.DataFrame) -> None:
    w = cv.weighting.ahp({"recency|frequency": 5, "recency|monetary": 7, "frequency|monetary": 3})
    weights = dict(zip(w.weights["indicator"], w.weights["global_weight"], strict=True))
    assert weights == pytest.approx(
        {"recency": 0.731, "frequency": 0.188, "monetary": 0.081}, abs=0.001
    )
    assert len(w.consistency)
    e = cv.weighting.entropy(customers, tree="rfm")
    assert e.weights["global_weight"].sum() == pytest.approx(1)
    judged = cv.weighting.validity([w, e], outcome="holdout_spend")
    assert isinstance(judged, Result) and judged.tables
    for result in (w, e, judged):
        assert repr(result) and "<table" in result._repr_html_()


@pytest.fixture(scope="module")
def readme() -> dict[str, Any]:
    """What the lines of the README leave behind."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert "f.validate().plot.auc()" in code
    found: dict[str, Any] = {}
    exec(code, found)
    return found


def test_lifetime_in_a_few_lines(p: Any, readme: dict[str, Any]) -> None:
    f = readme["f"]
    assert isinstance(f, Result) and "0.2426" in f.summary(decimals=4)
    forecast = f.predict(39)
    assert len(forecast) == len(p.customers)
    value = f.value(annual_rate=0.10, margin=0.30)
    assert value.equity > 0


def doors() -> Iterator[tuple[str, Any]]:
    for pillar in (cv.satisfaction, cv.weighting, cv.lifetime):
        for name in pillar.__all__:
            yield f"{pillar.__name__}.{name}", getattr(pillar, name)


def test_every_name_of_the_doors_is_there_and_explained() -> None:
    bare = [name for name, thing in doors() if not (thing.__doc__ or "").strip()]
    assert not bare


def test_the_same_data_come_in_by_name_path_frame_and_table(tmp_path: Path) -> None:
    table = cv.load("mobi")
    path = tmp_path / "own.csv"
    table.data.to_csv(path, index=False)
    found = [
        cv.satisfaction.pls(data, "ecsi_mobile", draws=0).index
        for data in ("mobi", str(path), path, table, table.data)
    ]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0], other)


def test_the_lines_of_the_readme_run(readme: dict[str, Any]) -> None:
    assert isinstance(readme["m"], Result) and isinstance(readme["f"], Result)
