"""Constructs of constructs: against seminr and cSEM, in every draw, and what is refused by name."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.model.higher_order import second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.pls.higher_order import Staged, StagedFit
from cvlib.satisfaction.survey.missing import prepare

MIRROR = os.environ.get("CVLIB_DATA_MIRROR", "")
REFERENCE = Path(MIRROR).parent / "reference" / "advanced-sem" / "mobi_higher_order.json"
needs_reference = pytest.mark.skipif(
    not MIRROR or not REFERENCE.exists(), reason="the reference numbers are not on this machine"
)
SEMINR = {"disjoint": "disjoint_two_stage_seminr", "embedded": "embedded_two_stage_seminr",
          "repeated": "repeated_indicators_seminr"}  # fmt: skip


def experience(mode: str = "B", stages: str = "disjoint") -> Model:
    return model(
        {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3",
         "loyalty": "CUSL1..3",
         "experience": {"dimensions": ["image", "quality"], "mode": mode, "stages": stages}},
        {"experience": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    )  # fmt: skip


def fitted(chosen: Model, estimator: str = "pls") -> tuple[Model, StagedFit]:
    survey = prepare("mobi", chosen)
    moments = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    return second_order(survey.model), Staged(survey.model, "path", estimator, 1e-14)(*moments)


def path(shown: Model, fit: StagedFit, source: str, target: str) -> float:
    names = shown.construct_names
    return float(fit.paths[0, names.index(source), names.index(target)])


@needs_reference
@pytest.mark.parametrize("stages", SEMINR)
@pytest.mark.parametrize("mode", ["A", "B"])
def test_the_three_ways_are_seminrs_to_twelve_digits(mode: str, stages: str) -> None:
    key = mode if stages == "disjoint" else {"A": "reflective_A", "B": "formative_B"}[mode]
    wanted = json.loads(REFERENCE.read_text())[SEMINR[stages]][key]
    shown, fit = fitted(experience(mode, stages))
    for source, target in (("Experience", "Satisfaction"), ("Experience", "Loyalty"),
                           ("Satisfaction", "Loyalty")):  # fmt: skip
        found = path(shown, fit, source.lower(), target.lower())
        assert found == pytest.approx(wanted["paths"][source][target], abs=1e-12)
    assert fit.first is not None
    for j, item in enumerate(shown.items):
        suffix = "_s" if stages == "embedded" and item in ("image", "quality") else ""
        if stages != "repeated" and (item in ("image", "quality") or stages == "disjoint"):
            construct = shown.construct_names[shown.block[j]].capitalize()
            name = item.capitalize() + suffix if item.islower() else item
            assert fit.weights[0, j] == pytest.approx(wanted["weights"][name][construct], abs=1e-11)
            loading = wanted["loadings"][name][construct]
            assert fit.loadings[0, j] == pytest.approx(loading, abs=1e-11)


@needs_reference
@pytest.mark.parametrize(("mode", "key"), [("B", "refl_comp_mixed"), ("A", "refl_refl_mixed")])
def test_consistent_pls_divides_by_the_parents_reliability_as_csem(mode: str, key: str) -> None:
    wanted = json.loads(REFERENCE.read_text())["csem"][key]["paths"]
    shown, fit = fitted(experience(mode, "embedded"), "plsc")
    found = [path(shown, fit, "experience", "loyalty"), path(shown, fit, "satisfaction", "loyalty")]
    theirs = wanted["Loyalty_temp"]
    assert found == pytest.approx([theirs["Experience"], theirs["Satisfaction_temp"]], abs=2e-10)
    assert abs(found[0]) > 1


@needs_reference
def test_a_parent_of_mode_b_is_corrected_as_csem_does_from_a_saturated_first_stage() -> None:
    wanted = json.loads(REFERENCE.read_text())["csem"]["refl_comp_2stage"]["paths"]
    chosen = model(
        {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3",
         "loyalty": "CUSL1..3"},
        {"image": ["quality", "satisfaction", "loyalty"], "quality": ["satisfaction", "loyalty"],
         "satisfaction": "loyalty"},
    )  # fmt: skip
    survey = prepare("mobi", chosen)
    moments = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    first = fit_pls(chosen, *moments, estimator="plsc", tolerance=1e-14)
    scores = model(
        {"experience": {"items": ["image", "quality"], "mode": "B"},
         "satisfaction": ["satisfaction_score"], "loyalty": ["loyalty_score"]},
        {"experience": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    )  # fmt: skip
    second = fit_pls(scores, np.zeros((1, 4)), first.composite_correlation, estimator="plsc",
                     reliability=first.rho_a, tolerance=1e-14)  # fmt: skip
    found = [second.paths[0, 0, 1], second.paths[0, 0, 2], second.paths[0, 1, 2]]
    theirs = wanted["Loyalty_temp"]
    assert found == pytest.approx(
        [wanted["Satisfaction_temp"]["Experience"], theirs["Experience"],
         theirs["Satisfaction_temp"]], abs=2e-10,
    )  # fmt: skip


def test_both_orders_are_reported_and_refitted_in_every_draw() -> None:
    found = cv.satisfaction.pls("mobi", experience(), draws=cv.satisfaction.Bootstrap(40, seed=1))
    assert list(found.index["construct"])[-2:] == ["image", "quality"]
    scores = found.extra["scores"].mean()
    assert found.index.set_index("construct")["index"].to_dict() == pytest.approx(dict(scores))
    order = found.extra["higher_order"]
    assert list(order["dimension"]) == ["image", "quality"]
    assert order["weight_ci_low"].notna().all() and (order["weight_std_error"] > 0.01).all()
    loadings = found.loadings.set_index("item")
    assert loadings.loc["IMAG1", "construct"] == "image" and loadings["ci_low"].notna().all()
    # a parent is never told apart from its own dimensions, nor these from one another
    pairs = {frozenset(p) for p in found.htmt[["construct_1", "construct_2"]].to_numpy().tolist()}
    assert not pairs & {frozenset(("experience", "image")), frozenset(("image", "quality"))}
    assert frozenset(("satisfaction", "image")) in pairs
    assert len(found.extra["htmt_dimensions"]) == 1
    assert found.fit.set_index("measure").loc["df", "value"] == 97
    assert {"satisfaction", "loyalty"} == set(found.extra["prediction_constructs"]["construct"])


def test_the_index_weighs_items_by_both_orders() -> None:
    chosen = prepare("mobi", experience()).model
    shown, fit = fitted(chosen)
    assert fit.first is not None
    survey = prepare("mobi", chosen)
    items = fit.first.weights[0] / fit.first.standard_deviation[0]
    of = {name: fit.weights[0, shown.items.index(name)] for name in ("image", "quality")}
    names = [chosen.construct_names[j] for j in chosen.block]
    raw = np.array([of.get(name, 0.0) * w for name, w in zip(names, items, strict=True)])
    for name in of:  # both scores have variance one
        own = np.array([n == name for n in names])
        assert np.std(survey.values[:, own] @ items[own], ddof=1) == pytest.approx(1)
    shares = raw / raw.sum()
    by_hand = (survey.values - 1).mean(axis=0) @ shares / 9 * 100
    found = cv.satisfaction.pls("mobi", experience()).index.set_index("construct")["index"]
    assert found["experience"] == pytest.approx(by_hand, abs=1e-8)  # the estimate stops earlier


def test_the_second_order_factor_is_lavaans() -> None:
    chosen = model(
        {"expectation": "CUEX1..3", "quality": "PERQ1..7", "value": "PERV1..2",
         "evaluation": {"dimensions": ["quality", "expectation", "value"]},
         "satisfaction": "CUSA1..3", "loyalty": "CUSL1..3"},
        {"evaluation": "satisfaction", "satisfaction": "loyalty"},
    )  # fmt: skip
    found = cv.satisfaction.sem("mobi", chosen)
    fit = found.fit.set_index("measure")["value"]
    # R lavaan 0.6.14 (Newton-polished)
    assert fit["chi2"] == pytest.approx(279.4092, abs=1e-4)
    assert (fit["df"], fit["parameters"]) == (130, 41)
    order = found.extra["higher_order"].set_index("dimension")["loading"]
    assert order.to_dict() == pytest.approx(
        {"quality": 0.940964, "expectation": 0.841465, "value": 0.738457}, abs=2e-6
    )
    scores = found.extra["scores"].mean()
    assert found.index.set_index("construct")["index"].to_dict() == pytest.approx(dict(scores))
    with pytest.raises(InputError, match="mode B"):
        cv.satisfaction.sem("mobi", experience())


PARTS = {"a": ["x1", "x2"], "b": ["x3", "x4"], "y": ["y1", "y2"]}
WRONG = {
    "one dimension": ({"p": {"dimensions": ["a"]}}, {"p": "y"}, "fewer than two"),
    "two parents": ({"p": {"dimensions": ["a", "b"]}, "q": {"dimensions": ["a", "b"]}},
                    {"p": "y", "q": "y"}, "of p and of q"),
    "a path of its own": ({"p": {"dimensions": ["a", "b"]}}, {"p": "y", "a": "y"}, "path of its"),
    "third order": ({"p": {"dimensions": ["a", "b"]}, "q": {"dimensions": ["p", "b"]}},
                    {"q": "y"}, "third order"),
    "repeated with causes": ({"p": {"dimensions": ["a", "b"], "mode": "B", "stages": "repeated"}},
                             {"y": "p"}, "causes"),
    "items too": ({"p": {"dimensions": ["a", "b"], "items": ["x9"]}}, {"p": "y"}, "items and dim"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_no_order_can_be_is_refused_by_name(name: str) -> None:
    parents, paths, said = WRONG[name]
    with pytest.raises(InputError, match=said):
        model({**PARTS, **parents}, paths)


def test_the_file_keeps_the_orders(tmp_path: Path) -> None:
    given = experience("A", "embedded")
    assert cv.satisfaction.load_model(given.save(tmp_path / "hoc.yaml")) == given


@pytest.mark.parametrize("suffix", [".xlsform.xlsx", ".xlsx", ".docx", ".csv"])
def test_the_questionnaire_asks_the_items_of_the_dimensions(tmp_path: Path, suffix: str) -> None:
    chosen = experience()  # the parent stands last and asks nothing itself
    path = cv.satisfaction.questionnaire(chosen, tmp_path / f"q{suffix}", language="zh")
    if suffix == ".xlsform.xlsx":
        asked = pd.read_excel(path, sheet_name="survey")
        groups = asked.loc[asked["type"] == "begin_group", "name"].tolist()
        assert groups == ["image", "quality", "satisfaction", "loyalty"]
        assert set(chosen.columns) <= set(asked["name"])
    if suffix == ".csv":
        assert list(pd.read_csv(path))[1:] == list(chosen.columns)


def test_tetrads_are_those_of_the_dimensions() -> None:
    parts = {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3"}
    nested = {**parts, "all": {"dimensions": ["image", "quality"], "mode": "B"}}
    one, other = (
        cv.satisfaction.further("mobi", model(constructs, paths), ["tetrads"], draws=60)
        for constructs, paths in ((nested, {"all": "satisfaction"}),
                                  (parts, {"image": "satisfaction", "quality": "satisfaction"}))
    )  # fmt: skip
    assert not one.warnings and "all" not in set(one.table("tetrad_blocks")["construct"])
    pd.testing.assert_frame_equal(one.table("tetrads"), other.table("tetrads"))


@pytest.mark.parametrize(("mode", "stages"), [("A", "disjoint"), ("B", "embedded")])
def test_a_survey_with_a_second_order_is_planned(mode: str, stages: str) -> None:
    chosen = experience(mode, stages)
    drawn = cv.satisfaction.population(
        chosen, loadings={**dict.fromkeys(chosen.items, 0.8), "image": 0.9, "quality": 0.85},
        paths={"experience": {"satisfaction": 0.6, "loyalty": 0.2},
               "satisfaction": {"loyalty": 0.4}}, mean=0.6,
    )  # fmt: skip
    goal = cv.satisfaction.Goal(construct="experience", difference=4.0)
    found = cv.satisfaction.plan(drawn, sizes=[200], replications=200, goal=goal, seed=3)
    large = cv.satisfaction.simulate(drawn, 20_000, seed=5)
    judged = cv.satisfaction.pls(large, chosen, assessment=cv.satisfaction.Assessment(folds=0))
    index = judged.index.set_index("construct")["index"]
    planned = found.index.set_index("construct")
    assert list(planned.index) == list(index.index)
    assert np.abs(planned["value"] - index).max() < 0.7
    paths = judged.path_coefficients.set_index(["source", "target"])["estimate"]
    value = found.paths.set_index(["source", "target"])["value"]
    assert np.abs(value - paths).max() < 0.03
    # the error over replications is that of one survey's bootstrap
    survey = cv.satisfaction.simulate(drawn, 200, seed=6)
    once = cv.satisfaction.pls(survey, chosen, draws=cv.satisfaction.Bootstrap(200, seed=1),
                               assessment=cv.satisfaction.Assessment(folds=0))  # fmt: skip
    error = once.index.set_index("construct")["std_error"]
    assert (planned["std_error"] / error).between(0.75, 1.33).all()
    assert 0 < found.differences["power"].item() < 1


@pytest.mark.slow
def test_two_stage_estimates_recover_a_simulated_second_order() -> None:
    """Consistent PLS of a reflective second order, on large simulated surveys."""
    chosen = experience("A")
    drawn = cv.satisfaction.population(
        chosen, loadings={**dict.fromkeys(chosen.items, 0.8), "image": 0.9, "quality": 0.85},
        paths={"experience": {"satisfaction": 0.6, "loyalty": 0.2},
               "satisfaction": {"loyalty": 0.4}}, standard_deviation=0.25,
    )  # fmt: skip
    estimates = []
    for seed in range(20):
        survey = cv.satisfaction.simulate(drawn, 2000, seed=seed)
        found = cv.satisfaction.pls(pd.DataFrame(survey), chosen, estimator="plsc",
                                    assessment=cv.satisfaction.Assessment(folds=0))  # fmt: skip
        paths = found.path_coefficients.set_index(["source", "target"])["estimate"]
        estimates.append([paths["experience", "satisfaction"], paths["experience", "loyalty"],
                          paths["satisfaction", "loyalty"]])  # fmt: skip
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(20)
    # cutting answers into ten classes costs about .01
    assert np.abs(mean - [0.6, 0.2, 0.4]).max() < 0.015 + 4 * error.max()
