"""Reliability, validity, collinearity and effect size against R seminr, and by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.satisfaction import measurement
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls import effect_size
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sentences import quality_sentences

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "satisfaction"
MODEL = load_model("ecsi_mobile")
ANSWERS = pd.read_csv(ROOT / "data" / "mobi.csv")[list(MODEL.columns)].to_numpy(float)
MEAN, COVARIANCE = ANSWERS.mean(axis=0), np.cov(ANSWERS.T)
FIT = fit_pls(MODEL, MEAN[None], COVARIANCE[None], tolerance=1e-13)
ORDER = ["Image", "Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty"]


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"mobi_modeA_path_{name}.csv", index_col=0)


def inferred(model=MODEL, fit=FIT) -> dict[str, pd.DataFrame]:
    return {
        name: keys.assign(estimate=function(fit)[0])
        for name, (keys, function) in measurement.measures(model).items()
    }


def tables() -> dict[str, pd.DataFrame]:
    return measurement.tables(MODEL, FIT, inferred())


def test_reliability_equals_seminr() -> None:
    expected = read("reliability").loc[ORDER, ["alpha", "rhoA", "rhoC", "AVE"]].to_numpy()
    found = tables()["reliability"][["alpha", "rho_a", "rho_c", "ave"]].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_htmt_equals_seminr() -> None:
    expected = read("htmt").loc[ORDER, ORDER].to_numpy()
    found = tables()["htmt"]["htmt"].to_numpy()
    np.testing.assert_allclose(found, expected[np.tril_indices(7, -1)], rtol=0, atol=1e-8)


def test_fornell_larcker_equals_seminr() -> None:
    expected = read("fornell_larcker").loc[ORDER, ORDER].to_numpy()
    found = tables()["fornell_larcker"]["value"].to_numpy()
    np.testing.assert_allclose(found, expected[np.tril_indices(7)], rtol=0, atol=1e-8)


def test_cross_loadings_equal_seminr() -> None:
    expected = read("cross_loadings").loc[list(MODEL.items), ORDER].to_numpy()
    found = tables()["cross_loadings"]["loading"].to_numpy().reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_vif_equals_seminr_and_is_one_for_a_single_cause() -> None:
    found = tables()["vif"].set_index(["kind", "construct", "predictor"])["vif"]
    items = pd.read_csv(REFERENCE / "mobi_modeA_path_vif_items.csv")
    for row in items.itertuples():
        assert found["item", row.construct.lower(), row.item] == pytest.approx(row.vif, abs=1e-8)
    causes = pd.read_csv(REFERENCE / "mobi_modeA_path_vif_antecedents.csv")
    for row in causes.itertuples():
        value = found["antecedent", row.construct.lower(), row.antecedent.lower()]
        assert value == pytest.approx(1.0 if np.isnan(row.vif) else row.vif, abs=1e-8)


def test_effect_size_of_a_model_estimated_anew_equals_seminr() -> None:
    expected = read("f2").loc[ORDER, ORDER].to_numpy()
    table = effect_size.f_squared_table(MODEL, MEAN, COVARIANCE, FIT, "path", "pls")
    assert len(table) == 12
    for row in table.itertuples():
        at = MODEL.construct_names.index(row.source), MODEL.construct_names.index(row.target)
        assert row.f_squared == pytest.approx(expected[at], abs=1e-8)


def test_effect_size_with_scores_kept_equals_two_regressions() -> None:
    inflation = measurement.vif_antecedents(FIT.construct_correlation, MODEL.adjacency)
    found = measurement.effect_size(FIT.paths, FIT.r_squared, inflation)[0]
    scores = (ANSWERS - MEAN) / ANSWERS.std(axis=0, ddof=1)
    scores = scores @ (FIT.weights[0][:, None] * MODEL.membership)
    for source, target in np.argwhere(MODEL.adjacency):
        causes = np.flatnonzero(MODEL.adjacency[:, target])
        y = scores[:, target]
        explained = []
        for chosen in (causes, causes[causes != source]):
            x = np.column_stack([np.ones(len(y)), scores[:, chosen]])
            rest = y - x @ np.linalg.lstsq(x, y)[0]
            explained.append(1 - rest @ rest / ((y - y.mean()) @ (y - y.mean())))
        by_hand = (explained[0] - explained[1]) / (1 - explained[0])
        assert found[source, target] == pytest.approx(by_hand, abs=1e-10)


def test_a_cause_with_one_path_leaves_the_model_with_it() -> None:
    kept = [p for p in MODEL.signed_paths if p[0] != "image" or p[1] == "satisfaction"]
    model = replace(MODEL, signed_paths=tuple(kept))
    fit = fit_pls(model, MEAN[None], COVARIANCE[None])
    table = effect_size.f_squared_table(model, MEAN, COVARIANCE, fit, "path", "pls")
    found = table.set_index(["source", "target"])["f_squared"]["image", "satisfaction"]
    rest = MODEL.without(["image"], "")
    own = [MODEL.items.index(item) for item in rest.items]
    less = fit_pls(rest, MEAN[None, own], COVARIANCE[None][:, own][:, :, own])
    explained = fit.r_squared[0, 4], less.r_squared[0, 3]
    assert found == pytest.approx((explained[0] - explained[1]) / (1 - explained[0]), abs=1e-12)


def test_formulas_by_hand() -> None:
    # three items correlated .5, .4, .3 and one alone
    correlation = np.array(
        [[1, 0.5, 0.4, 0.2], [0.5, 1, 0.3, 0.1], [0.4, 0.3, 1, -0.3], [0.2, 0.1, -0.3, 1]]
    )
    member = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=bool)
    alpha = measurement.cronbach_alpha(correlation[None], member)[0]
    assert alpha == pytest.approx([3 * 0.4 / (1 + 2 * 0.4), 1.0])
    ratio = measurement.htmt(correlation[None], member)[0]
    assert ratio[1, 0] == pytest.approx(0.2 / np.sqrt(0.4))
    geometric = measurement.htmt2(correlation[None], member)[0]
    assert geometric[1, 0] == pytest.approx(
        (0.2 * 0.1 * 0.3) ** (1 / 3) / np.sqrt((0.5 * 0.4 * 0.3) ** (1 / 3))
    )
    loadings = np.array([[0.8, 0.7, 0.6, 1.0]])
    assert measurement.average_variance_extracted(loadings, member)[0] == pytest.approx(
        [(0.64 + 0.49 + 0.36) / 3, 1.0]
    )
    assert measurement.rho_c(loadings, member)[0] == pytest.approx(
        [2.1**2 / (2.1**2 + 0.36 + 0.51 + 0.64), 1.0]
    )


def test_rho_a_recovers_the_reliability_of_a_factor() -> None:
    # with the true weights (proportional to loadings) and the population correlation matrix,
    # rho_A is the squared correlation of score and factor (Dijkstra & Henseler 2015)
    loadings = np.array([0.9, 0.7, 0.5, 0.6])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    weights = loadings / np.sqrt(loadings @ correlation @ loadings)
    member = np.ones((4, 1), dtype=bool)
    found = measurement.rho_a(correlation[None], weights[None], member)[0, 0]
    assert found == pytest.approx((weights @ loadings) ** 2)


def test_a_formative_score_counts_as_reliable() -> None:
    model = replace(
        MODEL,
        constructs=tuple(
            replace(c, mode="B") if c.name == "quality" else c for c in MODEL.constructs
        ),
    )
    fit = fit_pls(model, MEAN[None], COVARIANCE[None])
    found = inferred(model, fit)["rho_a"].set_index("construct")["estimate"]
    assert found["quality"] == 1.0 and found["image"] < 0.8


def test_draws_share_the_formulas_of_the_estimate() -> None:
    stack = np.stack([COVARIANCE, np.cov(ANSWERS[:120].T)])
    both = fit_pls(MODEL, np.stack([MEAN, ANSWERS[:120].mean(axis=0)]), stack)
    for _, function in measurement.measures(MODEL).values():
        alone = fit_pls(MODEL, MEAN[None], COVARIANCE[None])
        np.testing.assert_allclose(function(both)[0], function(alone)[0], atol=1e-12)


def test_items_that_correlate_negatively_are_named() -> None:
    turned = ANSWERS.copy()
    turned[:, MODEL.items.index("CUSA2")] = 11 - turned[:, MODEL.items.index("CUSA2")]
    fit = fit_pls(MODEL, turned.mean(axis=0)[None], np.cov(turned.T)[None])
    (told,) = [
        text for text in measurement.measurement_warnings(MODEL, fit) if "satisfaction" in text
    ]
    assert "CUSA2" in told
    assert not [t for t in measurement.measurement_warnings(MODEL, FIT) if "satisfaction" in t]


def test_intervals_appear_beside_the_estimates() -> None:
    with_limits = {
        name: table.assign(std_error=0.1, t=1.0, p=0.3, ci_low=0.1, ci_high=0.9)
        for name, table in inferred().items()
    }
    found = measurement.tables(MODEL, FIT, with_limits)
    assert list(found["htmt"]) == [
        "construct_1", "construct_2", "htmt", "std_error", "ci_low", "ci_high",
        "htmt2", "htmt2_std_error", "htmt2_ci_low", "htmt2_ci_high",
    ]  # fmt: skip
    assert len(found["htmt"]) == 21
    assert {"alpha_ci_low", "ave_ci_high"} <= set(found["reliability"])


def blanks(chosen) -> tuple[SatisfactionResult, set[str]]:
    found = cv.satisfaction.pls("mobi", chosen, draws=cv.satisfaction.Bootstrap(60, interval="bca"),
                                assessment=cv.satisfaction.Assessment(folds=0))  # fmt: skip
    table = found.reliability.set_index("construct")
    return found, set(table.index[table.isna().all(axis=1)])


def test_formative_constructs_have_no_reliability_and_no_ratio_to_others() -> None:
    """Alpha, rho, AVE, HTMT and its diagonal are blank for mode B, of items and of dimensions."""
    parts = {"image": "IMAG1..5", "quality": {"items": "PERQ1..7", "mode": "B"},
             "complaints": {"items": "CUSCO", "mode": "B"}, "satisfaction": "CUSA1..3"}  # fmt: skip
    paths = {"image": "satisfaction", "quality": "satisfaction", "complaints": "satisfaction"}
    found, blank = blanks(model(parts, paths))
    assert blank == {"quality"}  # one item alone is what it is, whatever the mode
    pairs = found.htmt.set_index(["construct_1", "construct_2"])
    missing = pairs["htmt"].isna()
    assert [("quality" in pair) for pair in pairs.index] == missing.tolist()
    assert pairs.loc[missing].isna().all(axis=None)
    criterion = found.fornell_larcker.set_index(["construct_1", "construct_2"])["value"]
    assert np.isnan(criterion["quality", "quality"]) and criterion.isna().sum() == 1
    # what is said counts reflective constructs alone: the same sentence without the block
    said = [str(s) for s in quality_sentences(found)]
    assert not any("Quality" in s or "PERQ" in s for s in said)
    rest = {k: v for k, v in parts.items() if k != "quality"} | {"complaints": "CUSCO"}
    alone = blanks(model(rest, {k: v for k, v in paths.items() if k != "quality"}))[0]
    without = [str(s) for s in quality_sentences(alone)]
    assert [s.replace("reflective ", "") for s in said[:3]] == without[:3]
    assert said[1] != without[1]  # whom it speaks of is told where there are others
    reflective = blanks(model({**parts, "quality": "PERQ1..7"}, paths))[0]
    counted = [s for s in map(str, quality_sentences(reflective)) if "15" in s]
    assert counted and not any("15" in s for s in said)  # items whose loadings are judged: 8 or 15


@pytest.mark.parametrize(("mode", "blank"), [("A", set()), ("B", {"experience"})])
def test_a_parent_is_judged_by_its_mode(mode: str, blank: set[str]) -> None:
    chosen = model(
        {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3",
         "experience": {"dimensions": ["image", "quality"], "mode": mode}},
        {"experience": "satisfaction"},
    )  # fmt: skip
    found, without = blanks(chosen)
    assert without == blank
    missing = found.htmt[found.htmt["htmt"].isna()]
    assert set(missing["construct_1"]) | set(missing["construct_2"]) <= {*blank, "satisfaction"}
    found.plot.htmt()
