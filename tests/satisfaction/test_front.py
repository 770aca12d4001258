"""What a researcher types: the pillar's own door, models in code, results that print and draw."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.results import Result
from cvlib.satisfaction.model.file import available_models, load_model
from cvlib.satisfaction.model.model import Model

CONSTRUCTS = {"quality": "PERQ1..7", "satisfaction": "CUSA1..3", "loyalty": ["CUSL1", "CUSL2..3"]}
PATHS = {"quality": ["satisfaction", "loyalty"], "satisfaction": "loyalty"}
SHORT = cv.satisfaction.model(constructs=CONSTRUCTS, paths=PATHS)
SURVEY = cv.load("mobi")


def test_a_survey_by_name_file_frame_or_table_and_a_model_in_every_form_are_one(
    tmp_path: Path,
) -> None:
    file = SHORT.save(tmp_path / "short.yaml")
    wanted = cv.satisfaction.pls(SURVEY, SHORT).path_coefficients
    answers = tmp_path / "mine.csv"
    SURVEY.data.to_csv(answers, index=False)  # what a user would have
    for survey in ("mobi", answers, SURVEY.data, SURVEY):
        for model in (SHORT, file, {"constructs": CONSTRUCTS, "paths": PATHS}):
            found = cv.satisfaction.pls(survey, model).path_coefficients
            pd.testing.assert_frame_equal(found, wanted, check_exact=True)


@pytest.mark.parametrize("name", available_models())
def test_a_saved_model_reads_back_equal(name: str, tmp_path: Path) -> None:
    model = load_model(name)
    assert load_model(model.save(tmp_path / "m.yaml")) == model
    wide = model.with_scale([1, 5])
    again = load_model(wide.save(tmp_path / "m.yaml"))
    assert again == wide and again != model


def test_a_bound_model_and_one_with_answers_in_words_read_back_equal(tmp_path: Path) -> None:
    bound = load_model("ecsi_mobile").map(SURVEY.data.columns.drop("CUSCO"), drop_unmapped=True)
    first = bound.constructs[0]
    items = (replace(first.items[0], values={"good": 9.0, "012": 3.0}, missing_codes=(99.0,)),
             *first.items[1:])  # fmt: skip
    odd = replace(bound, constructs=(replace(first, items=items), *bound.constructs[1:]))
    assert odd.dropped and load_model(odd.save(tmp_path / "m.yaml")) == odd
    with pytest.raises(InputError, match="is not a YAML file"):
        odd.save(tmp_path / "m.txt")


def test_paths_and_items_may_be_written_in_several_ways() -> None:
    pairs = [("quality", "satisfaction"), ("quality", "loyalty"), ("satisfaction", "loyalty", "±")]
    assert cv.satisfaction.model(CONSTRUCTS, pairs) == SHORT
    signed = cv.satisfaction.model(CONSTRUCTS, {**PATHS, "satisfaction": {"loyalty": "+"}})
    assert signed.signed_paths[-1] == ("satisfaction", "loyalty", "+")
    padded = cv.satisfaction.model({"a": "x08..10", "b": "y"}, {"a": "b"}, scale=[1, 5])
    assert padded.items == ("x08", "x09", "x10", "y") and padded.maximum.tolist() == [5.0] * 4
    formative = cv.satisfaction.model(
        {
            **CONSTRUCTS,
            "quality": {"items": "PERQ1..7", "mode": "B", "en": "Quality", "zh": "质量"},
        },
        PATHS,
    )
    assert formative.modes[0] == "B" and formative.label("quality", "zh") == "质量"


@pytest.mark.parametrize(
    ("constructs", "paths", "told"),
    [
        (CONSTRUCTS, {"quality": "satisfacton"}, "Did you mean 'satisfaction'"),
        (CONSTRUCTS, {**PATHS, "loyalty": "quality"}, "circle"),
        ({**CONSTRUCTS, "alone": "X"}, PATHS, "no path touches alone"),
        ({**CONSTRUCTS, "again": "PERQ1"}, {**PATHS, "again": "loyalty"}, "already belongs"),
        ({**CONSTRUCTS, "quality": []}, PATHS, "without items"),
        (CONSTRUCTS, ["quality"], "is not a path"),
        (CONSTRUCTS, {**PATHS, "quality": {"loyalty": "?"}}, "is not a sign"),
    ],
)
def test_a_model_in_code_is_checked_like_a_file(constructs: Any, paths: Any, told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        cv.satisfaction.model(constructs, paths)
    assert "line" not in str(error.value)


def test_results_print_say_draw_and_are_written(tmp_path: Path) -> None:
    m = cv.satisfaction.pls(SURVEY, "ecsi_mobile", draws=20)
    assert "index 72.5 of 100" in repr(m) and "Perceived quality" in repr(m)
    assert "顾客满意度指数为 72.5" in m.say("zh")
    assert "<table" in m._repr_html_() and "index 72.5" in m._repr_html_()
    for name in m.charts:
        for language in ("en", "zh"):
            assert getattr(m.plot, name)(language=language).axes
    assert m.to_excel(tmp_path / "m.xlsx").stat().st_size > 5000
    assert m.to_latex("path_coefficients").startswith(r"\begin{tabular}")


def test_two_estimates_side_by_side() -> None:
    m = cv.satisfaction.pls(SURVEY, "ecsi_mobile", draws=20)
    sem = cv.satisfaction.sem(SURVEY, "acsi")
    found = cv.satisfaction.compare(m, sem)
    rows = found.index_differences.set_index("construct")
    assert "image" not in rows.index  # not a construct of acsi
    gap = m.index.set_index("construct")["index"] - sem.index.set_index("construct")["index"]
    assert rows["difference"].to_dict() == gap.dropna().to_dict()
    paths = found.path_differences
    low, high = (sem.path_coefficients.set_index(["source", "target"])[c]
                 for c in ("ci_low", "ci_high"))  # fmt: skip
    for row in paths.itertuples():
        place = (row.source, row.target)
        assert row.in_interval == (low[place] <= row.value_1 <= high[place])
    shared = f"{paths['same_sign'].sum()} of {len(paths)} shared paths"
    assert shared in found.say() and "条共有路径" in found.say("zh")
    assert found.plot.paths().axes
    with pytest.raises(InputError, match="given twice"):
        cv.satisfaction.compare(m, m)
    with pytest.raises(InputError, match="two estimates"):
        cv.satisfaction.compare(m)


def test_estimates_that_share_nothing_say_so() -> None:
    other = cv.satisfaction.model({"a": "PERV1", "b": "CUSCO"}, {"a": "b"}, name="tiny")
    found = cv.satisfaction.compare(
        cv.satisfaction.pls(SURVEY, SHORT), cv.satisfaction.pls(SURVEY, other)
    )
    assert found.path_differences.empty and "share no target" in found.say()


def test_every_door_leads_to_a_documented_function_or_setting() -> None:
    for name in cv.satisfaction.__all__:
        door = getattr(cv.satisfaction, name)
        assert callable(door) and "Examples\n" in (door.__doc__ or ""), name
    assert not isinstance(cv.satisfaction.pls, type(pytest))  # the function, not the room


def test_groups_waves_models_and_plans_are_results() -> None:
    survey = cv.load("simulated_brands")
    few = {"draws": 4, "permutations": 0}
    league = cv.satisfaction.groups(survey, "ecsi_mobile", "brand", **few)
    waves = cv.satisfaction.waves(survey, "ecsi_mobile", "wave", **few)
    models = cv.satisfaction.models(
        SURVEY, ["acsi", SHORT], draws=0, assessment=cv.satisfaction.Assessment(folds=3)
    )
    plan = cv.satisfaction.plan(cv.satisfaction.population("acsi"), sizes=[100], replications=100)
    both = cv.satisfaction.estimate(SURVEY, "acsi", cv.satisfaction.Method("both"))
    for found in (league, waves, models, plan, both):
        assert isinstance(found, Result) and "<table" in found._repr_html_() and repr(found)
        for name in found.charts:
            assert getattr(found.plot, name)(language="zh").axes
    assert isinstance(models.models[1], Model) and both.tables["index"]["estimator"].nunique() == 2
