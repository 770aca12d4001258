"""The gate before every finding: near-unidentification, and constructs that change in the draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.satisfaction.headline import driver_sentences
from cvlib.satisfaction.identification import identification
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.pls import diagnosis
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.pls.signs import agreement, turned
from cvlib.satisfaction.survey.missing import prepare


def tables(**changed: object) -> dict[str, pd.DataFrame]:
    values = {"vif": 2.0, "path": 0.5, "htmt": 0.8, "r": 0.5, **changed}
    return {
        "vif": pd.DataFrame({"construct": ["y"], "predictor": ["x"], "kind": ["antecedent"],
                             "vif": [values["vif"]]}),
        "path_coefficients": pd.DataFrame({"source": ["x"], "target": ["y"],
                                           "estimate": [values["path"]]}),
        "htmt": pd.DataFrame({"construct_1": ["y"], "construct_2": ["x"], "htmt": [values["htmt"]],
                              "ci_low": [0.7], "ci_high": [values.get("htmt_high", 0.9)]}),
        "construct_correlations": pd.DataFrame({"construct_1": ["y"], "construct_2": ["x"],
                                                "correlation": [values["r"]]}),
    }  # fmt: skip


def test_a_sound_estimate_neither_fires_nor_warns() -> None:
    found = identification(tables())
    assert not found["fires"].any() and not found["warns"].any()
    assert set(found["check"]) == {"vif", "path", "htmt", "eigenvalue"}


@pytest.mark.parametrize(
    ("changed", "check"),
    [({"vif": 11.0}, "vif"), ({"path": -1.2}, "path"), ({"htmt": 1.01}, "htmt"),
     ({"r": 0.995}, "eigenvalue")],
)  # fmt: skip
def test_each_mark_fires_alone(changed: dict, check: str) -> None:
    found = identification(tables(**changed))
    assert found.loc[found["fires"], "check"].tolist() == [check]


def test_doubt_is_less_than_a_mark() -> None:
    found = identification(tables(vif=6.0, htmt_high=1.1)).set_index("check")
    assert not found["fires"].any() and found.loc[["vif", "htmt"], "warns"].all()


def test_lost_draws_and_a_variance_at_its_bound_fire() -> None:
    draws = pd.DataFrame({"requested": [100], "failed": [5], "inadmissible": [16]})
    checks = pd.DataFrame({"check": ["smallest variance share"], "value": [0.0], "limit": [1e-6],
                           "trouble": [True]})  # fmt: skip
    found = identification(tables(), draws, checks).set_index("check")
    assert found.loc["draws", "value"] == 0.21
    assert found.loc[["draws", "variance"], "fires"].all()


def test_what_fires_silences_the_drivers_with_its_reasons() -> None:
    found = cv.satisfaction.pls("mobi", "acsi")
    assert not found.extra["identification"]["fires"].any()
    assert "counts most" in driver_sentences(found)[0]
    marks = found.extra["identification"].assign(fires=lambda t: t["check"] == "htmt")
    silent = replace(found, extra={**found.extra, "identification": marks})
    said = driver_sentences(silent)
    assert len(said) == 1 and "nearly unidentified" in said[0] and "HTMT" in said[0]


def test_consistent_pls_above_one_says_why_and_what_pls_gives() -> None:
    chosen = model(
        {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3",
         "loyalty": "CUSL1..3",
         "experience": {"dimensions": ["image", "quality"], "mode": "B"}},
        {"experience": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    )  # fmt: skip
    found = cv.satisfaction.pls("mobi", chosen, estimator="plsc")
    marks = found.extra["identification"].set_index("check")
    assert marks.loc["path", "fires"] and marks.loc["vif", "fires"]
    plain = cv.satisfaction.pls("mobi", chosen).path_coefficients.set_index(["source", "target"])
    told = [t for t in found.warnings if "above one in size" in t]
    assert len(told) == 2 and f"{plain.loc[('satisfaction', 'loyalty'), 'estimate']:.2f}" in told[0]


def test_a_construct_is_turned_whole_and_told_where_it_is_another_one() -> None:
    survey = prepare("mobi", "acsi")
    moments = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    whole = fit_pls(survey.model, *moments)
    alike = agreement(survey.model, whole, whole)
    assert alike == pytest.approx(np.ones_like(alike))
    flipped = replace(whole, weights=-whole.weights, loadings=-whole.loadings)
    back = turned(survey.model, flipped, agreement(survey.model, whole, flipped))
    np.testing.assert_allclose(back.weights, whole.weights)
    names = survey.model.construct_names
    apart = np.where(np.array(names) == "loyalty", 0.2, 0.01)
    told = diagnosis.not_the_same(survey.model, apart)
    assert len(told) == 1 and "20%" in told[0]


def test_constructs_behind_a_mark_are_called_by_their_labels() -> None:
    found = cv.satisfaction.pls("mobi", "acsi", draws=0)
    marks = found.extra["identification"].assign(fires=lambda t: t["check"] == "htmt")
    (said,) = driver_sentences(replace(found, extra={**found.extra, "identification": marks}))
    where = marks.set_index("check").loc["htmt", "where"]
    shown = [found.model.label(name, "zh") for name in where.split(" × ")]
    assert " × ".join(shown) in said.worded("zh", {}) and where not in said.worded("zh", {})
