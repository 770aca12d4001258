"""One call for any model and estimator: tables, fallbacks, refusals, and what is said in words."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import load_table
from cvlib.satisfaction import sentences as reading
from cvlib.satisfaction.estimators import Method, estimate, named
from cvlib.satisfaction.index import default_target, drivers
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.model.model import Moderation
from cvlib.satisfaction.survey.settings import Columns, Design
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import in_language

ROOT = Path(__file__).parents[2]
MOBI = load_table(ROOT / "data" / "mobi.csv")
NAMES = (
    "path_coefficients", "loadings", "index", "total_effects", "indirect_effects", "r_squared",
    "reliability", "htmt", "fornell_larcker", "cross_loadings", "vif", "f_squared", "fit",
    "impacts", "importance_performance",
)  # fmt: skip


@cache
def both():
    return estimate(
        MOBI,
        "ecsi_mobile",
        method=Method(estimator="both", covariance_model="acsi"),
        draws=Bootstrap(60, seed=5),
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("estimator", ["pls", "plsc", "covariance"])
def test_every_estimator_gives_every_table(estimator: str, name: str) -> None:
    table = single(estimator).table(name)
    assert len(table)
    assert "estimator" not in table


def single(estimator: str, store: dict = {}):  # noqa: B006
    if estimator not in store:
        store[estimator] = estimate(
            MOBI, "acsi", method=Method(estimator=estimator), draws=Bootstrap(0, seed=1)
        )
    return store[estimator]


def test_both_estimators_stand_one_under_the_other() -> None:
    paths = both().table("path_coefficients")
    assert dict(paths.groupby(["model", "estimator"]).size()) == {
        ("acsi", "covariance"): 9,
        ("ecsi_mobile", "pls"): 12,
    }
    fit = both().table("fit").set_index(["estimator", "measure"])["value"]
    assert fit["covariance", "chi2"] == pytest.approx(298.8872, abs=5e-5)
    assert fit["pls", "srmr"] == pytest.approx(0.123603853758, rel=1e-8)
    assert [r.estimator for r in both().beside] == ["pls", "covariance"]
    assert {r.model.name for r in both().beside} == {"acsi"}


def test_a_nearly_unidentified_solution_is_said_and_its_paths_are_not_reported() -> None:
    assert {r.model.name for r in both().identified} == {"ecsi_mobile", "acsi"}
    told = reading.warnings_of(both().identified)
    assert len(told) == 1
    assert "ecsi_mobile" in told[0] and "must not be read as findings" in told[0]
    assert "no sign" in reading.identification_sentence(both().identified[1])
    paths = both().table("path_coefficients")
    assert paths.loc[paths["estimator"] == "covariance", "model"].unique().tolist() == ["acsi"]


def test_the_same_model_by_both() -> None:
    found = estimate(
        MOBI,
        "acsi",
        method=Method(estimator="both", covariance_model=""),
        draws=Bootstrap(0, seed=1),
    )
    assert [r.estimator for r in found.results] == ["pls", "covariance"]
    assert found.beside == found.results or [id(r) for r in found.beside] == [
        id(r) for r in found.results
    ]
    assert len(found.table("index")) == 12


def test_a_survey_that_cannot_measure_the_covariance_model_gets_its_own() -> None:
    without = MOBI.data.drop(columns=["CUSCO"])
    found = estimate(
        without,
        "ecsi",
        method=Method(estimator="both", covariance_model="acsi"),
        draws=Bootstrap(0, seed=1),
    )
    assert {r.model.name for r in found.results} == {"ecsi"}
    assert any("acsi" in text and "cannot measure" in text for text in found.warnings)


def test_completed_covariance_tables_agree_with_its_own() -> None:
    result = single("covariance").main
    scores = named(result, "scores")
    np.testing.assert_allclose(scores.mean(), result.index["index"], atol=1e-8)
    effects = result.total_effects.set_index(["source", "target"])["estimate"]
    spread = scores.std()
    for row in result.impacts.itertuples():
        expected = effects[row.source, row.target] * spread[row.target] / spread[row.source]
        assert row.impact_1 == pytest.approx(expected, rel=1e-8)
        assert row.ci_low < row.impact_5 < row.ci_high
    own = result.cross_loadings.merge(result.loadings, on=["item", "construct"])
    np.testing.assert_allclose(own["loading_x"], own["loading_y"], atol=1e-12)
    # f² of the only cause of an equation is R² / (1 - R²)
    r_squared = result.r_squared.set_index("construct")["r_squared"]["quality"]
    sizes = result.f_squared.set_index(["source", "target"])["f_squared"]
    assert sizes["expectation", "quality"] == pytest.approx(r_squared / (1 - r_squared), rel=1e-6)
    single_item = result.loadings.set_index("item").loc["CUSCO"]
    assert single_item["loading"] == pytest.approx(1.0)
    assert np.isnan(single_item["t"])


def test_cells_and_respondents_left_out_are_counted() -> None:
    data = MOBI.data.astype(float)
    data.loc[3, "CUSA1"] = 99
    data.loc[[7, 9], "IMAG2"] = np.nan
    found = estimate(
        data,
        "ecsi_mobile",
        method=Method(estimator="pls"),
        columns=Columns(dont_know=[99]),
        draws=Bootstrap(0, seed=1),
    )
    rows = found.left_out.set_index("column")
    assert rows.loc["CUSA1", "count"] == 1
    assert rows.loc["(respondents)", "count"] == 3
    assert reading.used_sentence(found.main) == "247 of 250 respondents are used."
    gaps = reading.missing_answers(found.main).set_index("item")["missing"]
    assert gaps.to_dict() == {"IMAG2": 2, "CUSA1": 1}


def test_mapping_renames_columns() -> None:
    renamed = MOBI.data.rename(columns={"CUSA1": "q1", "PERQ7": "q2"})
    found = estimate(
        renamed,
        "ecsi_mobile",
        method=Method(estimator="pls"),
        columns=Columns(mapping={"CUSA1": "q1", "PERQ7": "q2"}),
        draws=Bootstrap(0, seed=1),
    )
    pd.testing.assert_frame_equal(
        found.main.index, estimate(MOBI, "ecsi_mobile", draws=Bootstrap(0, seed=1)).main.index
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"method": Method("both"), "design": Design(weights="CUSA1")}, "survey weights"),
        ({"method": Method("covariance"), "missing": "mean"}, "listwise, or em"),
        ({"target": "joy"}, "not a construct"),
        ({"target": "image"}, "no path leads to"),
        ({"method": Method("covariance"), "target": "image"}, "no path leads to"),
        ({"method": Method("both", covariance_model="acsii")}, "not a shipped model"),
        ({"columns": Columns(dont_know=[7])}, "within the scale"),
    ],
)
def test_what_cannot_be_done_is_refused(settings: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        estimate(MOBI, "ecsi_mobile", **settings)


@pytest.mark.parametrize("wrong", ["estimator", "scheme", "standard_errors"])
def test_a_wrong_method_is_named(wrong: str) -> None:
    with pytest.raises(InputError, match=f"{wrong}.*'sem' is not offered"):
        Method(**{wrong: "sem"})


def test_an_answer_off_the_scale_names_file_column_and_row() -> None:
    data = MOBI.data.copy()
    data.loc[4, "PERQ3"] = 12
    with pytest.raises(InputError, match=r"PERQ3.*row 5"):
        estimate(data, "ecsi_mobile", draws=Bootstrap(0, seed=1))


def test_a_target_the_comparison_model_lacks_falls_back_to_satisfaction() -> None:
    found = estimate(
        MOBI,
        "ecsi_mobile",
        target="expectation",
        method=Method(estimator="both", covariance_model="acsi"),
        draws=Bootstrap(0, seed=1),
    )
    table = found.table("importance_performance").set_index("estimator")["target"]
    assert table["pls"] == "expectation"
    assert set(table["covariance"]) == {"satisfaction"}
    assert reading.target_of(found.main) == "expectation"


def test_a_moderated_model_reports_what_it_can_and_says_what_it_cannot() -> None:
    slope = Moderation("image", "satisfaction", "loyalty", "±")
    model = replace(load_model("ecsi_mobile"), moderations=(slope,))
    found = estimate(MOBI, model, draws=Bootstrap(20, seed=1))
    assert found.main.path_coefficients["source"].iloc[-1] == "satisfaction x image"
    assert reading.labels(found.main)["satisfaction x image"] == "Satisfaction × Image"
    assert "loyalty" not in set(found.table("f_squared")["target"])
    plain = estimate(MOBI, replace(model, moderations=()), draws=Bootstrap(20, seed=1))
    assert found.table("fit").equals(plain.table("fit"))
    assert any("without its interactions" in text for text in found.warnings)
    with pytest.raises(InputError, match="PLS"):
        estimate(MOBI, model, method=Method(estimator="covariance"), draws=Bootstrap(0, seed=1))


def test_estimator_comparison_by_hand() -> None:
    table = reading.estimator_comparison(*both().beside)
    assert len(table) == 9
    row = table.set_index(["source", "target"]).loc[("expectation", "quality")]
    assert row["difference"] == pytest.approx(0.558294902846 - 0.856389834, abs=1e-6)
    assert not row["in_interval"]
    sentence = reading.agreement_sentence(*both().beside)
    assert f"{int(table['same_sign'].sum())} of 9 paths" in sentence
    levels = reading.index_comparison(*both().beside)
    np.testing.assert_allclose(levels["difference"], levels["pls"] - levels["covariance"])


def test_sentences_carry_the_numbers_in_both_languages() -> None:
    main = both().main
    row = main.index.set_index("construct").loc["satisfaction"]
    english = reading.index_sentence(main)
    assert english.startswith("Satisfaction: index 72.5") and f"{row['ci_low']:.1f}" in english
    assert "72.5" in in_language(reading.index_sentence(main, "satisfaction"), "zh")
    assert reading.index_of(main) == pytest.approx(72.4541, abs=5e-5)
    best, rest = reading.driver_sentences(main)
    assert "Perceived quality" in best and "3.2 points" in best
    assert "No driver" in rest
    *measured, distinct = reading.quality_sentences(main)
    assert measured[0].startswith("Below 0.70 in Cronbach's alpha")
    assert "4 of 21 pairs" in distinct and "0.96" in distinct
    assert "χ² 298.89 on 144" in reading.measurement_and_fit(main, both().results)
    for said in (
        reading.agreement_sentence(*both().beside),
        *reading.quality_sentences(main),
        *reading.driver_sentences(main),
        reading.measurement_and_fit(main, both().results),
    ):
        for text in (said, in_language(said, "zh")):
            assert "{" not in text and "nan" not in text


def test_low_reliability_and_priorities_are_named() -> None:
    covariance = single("covariance").main
    said = reading.quality_sentences(covariance)
    reliable = next(text for text in said if "0.70 in composite reliability" in text)
    assert "Customer loyalty" in reliable
    table = covariance.importance_performance.copy()
    table["above_average_importance"] = table["below_average_performance"] = True
    changed = type(covariance)(**{**vars(covariance), "importance_performance": table})
    assert "rated below it: " in reading.driver_sentences(changed)[1]


def test_a_long_table_becomes_the_matrix_a_paper_prints() -> None:
    wide = reading.as_matrix(both().main.fornell_larcker, "construct_1", "construct_2", "value")
    assert list(wide.columns[1:]) == list(both().main.model.construct_names)
    values = wide.iloc[:, 1:].to_numpy()
    assert np.isnan(values[np.triu_indices(7, 1)]).all()
    assert values[1, 0] == pytest.approx(0.504913933625)


def test_checks_are_shown_at_the_digits_they_have() -> None:
    shown = reading.orders_of_magnitude(both().diagnosis)
    condition = shown[shown["check"].str.startswith("condition")].set_index("model")["value"]
    assert condition["ecsi_mobile"] == 3.5e6 and condition["acsi"] == 170
    assert reading.orders_of_magnitude(pd.DataFrame()).empty


def test_drivers_and_default_target() -> None:
    model = both().main.model
    assert default_target(model) == "satisfaction"
    names = [model.construct_names[j] for j in drivers(model, "value")]
    assert names == ["image", "expectation", "quality"]


def test_a_table_that_no_estimator_has_is_not_there_for_both() -> None:
    found = cv.satisfaction.estimate("mobi", "acsi", cv.satisfaction.Method("both"))
    assert found.table("higher_order").shape == (0, 0)
    both = found.table("path_coefficients")
    assert set(both["estimator"]) == {"pls", "covariance"}
