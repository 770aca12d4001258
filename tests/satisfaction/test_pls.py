"""The PLS engine: reference numbers, a row-based implementation, recovery, exact batching."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.effects import total_effects
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.diagnosis import problems
from cvlib.satisfaction.pls.engine import SCHEMES, construct_scores, fit_pls
from cvlib.satisfaction.pls.estimate import estimate_pls, fitter
from cvlib.satisfaction.survey.missing import prepare
from cvlib.statistics.resample import Bootstrap

from .rows import naive_pls

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "satisfaction"
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")
# R seminr 2.3.1, mode A, path weighting, stop 1e-12; equal to cSEM and semPLS to 4e-15
NAMES = {
    "image": "Image", "expectation": "Expectation", "quality": "Quality", "value": "Value",
    "satisfaction": "Satisfaction", "complaints": "Complaints", "loyalty": "Loyalty",
}  # fmt: skip


def reference(name):
    return pd.read_csv(REFERENCE / f"mobi_modeA_path_{name}.csv", index_col=0)


def fit(name, data=MOBI, modes=None, **settings):
    model = load_model(name).map(data.columns)
    if modes:
        model = replace(model, constructs=tuple(
            replace(c, mode=modes.get(c.name, "A")) for c in model.constructs))  # fmt: skip
    source = prepare(data, model).source
    return model, fit_pls(model, *source.moments(np.ones((1, source.units), int)), **settings)


def test_paths_weights_loadings_r_squared_total_effects_of_mobi():
    model, found = fit("ecsi_mobile")
    order = [NAMES[name] for name in model.construct_names]
    for name, values in (
        ("paths", found.paths[0]),
        ("total_effects", total_effects(found.paths)[0]),
    ):
        np.testing.assert_allclose(values, reference(name).loc[order, order], atol=1e-8)
    for name, values in (
        ("outer_weights", found.weights[0]),
        ("outer_loadings", found.loadings[0]),
    ):
        expected = reference(name).loc[list(model.items)].sum(axis=1)
        np.testing.assert_allclose(values, expected, atol=1e-8)
    expected = reference("rsq").loc["Rsq"]
    for name, value in zip(model.construct_names, found.r_squared[0], strict=True):
        assert value == pytest.approx(expected.get(NAMES[name], 0.0), abs=1e-8)


def test_scores_of_mobi():
    model, found = fit("ecsi_mobile")
    scores = construct_scores(model, found, MOBI[list(model.columns)].to_numpy(float))
    expected = reference("scores_first10")[[NAMES[n] for n in model.construct_names]]
    np.testing.assert_allclose(scores[:10], expected, atol=1e-8)


@pytest.mark.parametrize("name, code", [("acsi", "ACSI"), ("ecsi", "ECSI10")])
def test_acsi_and_ecsi_on_mobi_as_csem(name, code):
    expected = pd.read_csv(REFERENCE / "acsi_ecsi10_on_mobi_paths.csv").query("model == @code")
    result = estimate_pls(MOBI, name)
    short = {"IMG": "image", "EXP": "expectation", "QUAL": "quality", "VAL": "value",
             "SAT": "satisfaction", "COMP": "complaints", "LOY": "loyalty"}  # fmt: skip
    found = result.path_coefficients.set_index(["source", "target"])["estimate"]
    assert len(found) == len(expected)
    for row in expected.itertuples():
        assert found[short[row[2]], short[row.to]] == pytest.approx(row.estimate, abs=1e-8)
    fitted = pd.read_csv(REFERENCE / "acsi_ecsi10_on_mobi_fit.csv").query("model == @code")
    r_squared = result.r_squared.set_index("construct")["r_squared"]
    index = result.index.set_index("construct")["index"]
    for row in fitted.itertuples():
        assert index[short[row.construct]] == pytest.approx(row[3], abs=1e-8)
        if not np.isnan(row.R2):
            assert r_squared[short[row.construct]] == pytest.approx(row.R2, abs=1e-8)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("modes", [
    {}, {"image": "B"}, {"quality": "B", "expectation": "B", "loyalty": "B"}, {"quality": "unit"},
])  # fmt: skip
@pytest.mark.parametrize("name", ["ecsi_mobile", "ccsi_split", "scsb"])
def test_modes_and_schemes_equal_the_row_based_algorithm(name, modes, scheme):
    if name == "scsb":
        modes = {"satisfaction": next(iter(modes.values()), "A")}
    model, found = fit(name, modes=modes, scheme=scheme)
    blocks = [np.flatnonzero(model.block == j) for j in range(len(model.constructs))]
    rows = MOBI[list(model.columns)].to_numpy(float)
    _, weights, loadings, paths, r_squared = naive_pls(
        rows, blocks, model.adjacency, model.modes, scheme
    )
    np.testing.assert_allclose(found.weights[0], weights, atol=1e-9)
    np.testing.assert_allclose(found.loadings[0], loadings, atol=1e-9)
    np.testing.assert_allclose(found.paths[0], paths, atol=1e-9)
    np.testing.assert_allclose(found.r_squared[0], r_squared, atol=1e-9)


@pytest.mark.parametrize("case", json.loads(
    (REFERENCE / "plspm_modes_and_schemes.json").read_text())["fits"],
    ids=lambda case: f"{case['scheme']}-{len(case['mode_b'])}",
)  # fmt: skip
def test_modes_and_schemes_equal_plspm(case):
    """PyPI plspm 0.5.7, stopped at 1e-26 on the squared change of the weights."""
    modes = dict.fromkeys(case["mode_b"], "B")
    model, found = fit("ecsi_mobile", modes=modes, scheme=case["scheme"])
    order = list(model.items)
    np.testing.assert_allclose(found.weights[0], [case["weights"][i] for i in order], atol=1e-8)
    np.testing.assert_allclose(found.loadings[0], [case["loadings"][i] for i in order], atol=1e-8)
    names = model.construct_names
    for path, expected in case["paths"].items():
        source, target = (names.index(name) for name in path.split("->"))
        assert found.paths[0, source, target] == pytest.approx(expected, abs=1e-8)
    for name, expected in case["r_squared"].items():
        assert found.r_squared[0, names.index(name)] == pytest.approx(expected, abs=1e-8)


def test_plsc_corrects_as_published():
    """Dijkstra & Henseler (2015) eq. 3-4 written out on rows, with rho_A as R seminr's."""
    model, found = fit("ecsi_mobile", estimator="plsc")
    _, plain = fit("ecsi_mobile")
    expected = pd.Series({  # rhoA column of mobi_modeA_path_reliability (R seminr 2.3.1)
        "image": 0.740328516389717, "expectation": 0.462054887705928, "quality": 0.884246470665535,
        "value": 0.854996336806892, "satisfaction": 0.789101576188455, "complaints": 1.0,
        "loyalty": 0.745733723642219,
    })  # fmt: skip
    np.testing.assert_allclose(found.rho_a[0], expected[list(model.construct_names)], atol=1e-8)
    for j in range(len(model.constructs)):
        own = model.block == j
        w = plain.weights[0][own]
        corrected = w * np.sqrt(expected.iloc[j]) / (w @ w) if own.sum() > 1 else [1.0]
        np.testing.assert_allclose(found.loadings[0][own], corrected, atol=1e-8)
    root = np.sqrt(expected.to_numpy())
    disattenuated = plain.composite_correlation[0] / np.outer(root, root)
    np.fill_diagonal(disattenuated, 1.0)
    for j in range(len(model.constructs)):
        before = np.flatnonzero(model.adjacency[:, j])
        if before.size:
            slope = np.linalg.solve(disattenuated[np.ix_(before, before)], disattenuated[before, j])
            np.testing.assert_allclose(found.paths[0][before, j], slope, atol=1e-7)


def test_plsc_on_mobi_is_told_to_be_inadmissible():
    result = estimate_pls(MOBI, "ecsi_mobile", estimator="plsc")
    assert any("not positive definite" in warning for warning in result.warnings)
    assert not any("Inadmissible" in w for w in estimate_pls(MOBI, "ecsi_mobile").warnings)


def test_plsc_names_the_item_with_a_negative_error_variance():
    # the items share what the outcome does not: λ1² = r12 w1 / w2 exceeds one
    rng = np.random.default_rng(3)
    cause, noise, left = rng.normal(size=(3, 400))
    a1 = cause + 0.5 * noise
    data = pd.DataFrame({
        "a1": a1, "a2": 0.2 * cause + noise,
        "b1": cause + 0.1 * left, "b2": cause + 0.1 * rng.normal(size=400),
    })  # fmt: skip
    model = two_constructs(data)
    result = estimate_pls(data, model, estimator="plsc")
    assert any("loading above one" in w and "a1" in w for w in result.warnings)


def two_constructs(data, mode="A"):
    """a -> b, measured by the columns that start with these letters."""
    model = load_model("scsb").without(["complaints", "loyalty", "satisfaction"], "")
    constructs = []
    for letter, construct in zip("ab", model.constructs, strict=True):
        items = tuple(
            replace(model.item_list[0], name=c, column=c, minimum=-50.0, maximum=50.0)
            for c in data.columns if c[0] == letter
        )  # fmt: skip
        constructs.append(replace(construct, items=items, mode=mode))
    return replace(model, constructs=tuple(constructs), adaptations=())


def test_plsc_recovers_a_factor_model():
    """Population correlation matrix of a two-factor model: PLSc returns the parameters exactly."""
    loadings, path = np.array([0.9, 0.7, 0.6, 0.8, 0.8, 0.5]), 0.55
    block = np.array([0, 0, 0, 1, 1, 1])
    factors = np.array([[1, path], [path, 1]])
    sigma = np.outer(loadings, loadings) * factors[np.ix_(block, block)]
    np.fill_diagonal(sigma, 1.0)
    model = two_constructs(pd.DataFrame(columns=["a1", "a2", "a3", "b1", "b2", "b3"]))
    found = fit_pls(model, np.zeros((1, 6)), sigma[None], estimator="plsc", tolerance=1e-13)
    np.testing.assert_allclose(found.loadings[0], loadings, atol=1e-9)
    assert found.paths[0, 0, 1] == pytest.approx(path, abs=1e-9)
    plain = fit_pls(model, np.zeros((1, 6)), sigma[None])
    assert plain.paths[0, 0, 1] < path - 0.05  # attenuated, as PLS on factors must be


def test_mode_b_recovers_canonical_correlation():
    """Two constructs in mode B are Hotelling's first canonical pair."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6))
    data = pd.DataFrame(rows, columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    data *= 10 / np.abs(rows).max()
    found = estimate_pls(data, two_constructs(data, "B")).path_coefficients["estimate"].iloc[0]
    r = np.corrcoef(rows.T)
    product = np.linalg.solve(r[:3, :3], r[:3, 3:]) @ np.linalg.solve(r[3:, 3:], r[3:, :3])
    assert abs(found) == pytest.approx(np.sqrt(np.linalg.eigvals(product).real.max()), abs=1e-8)


def test_composite_model_is_recovered_from_a_large_sample():
    """Scores made of items with known weights: estimates within four standard errors."""
    rng = np.random.default_rng(8)
    n, weights = 20_000, np.array([0.6, 0.3, 0.4])
    items = rng.normal(size=(n, 3)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(3)).T
    score = items @ weights / np.sqrt(weights @ (0.5 + 0.5 * np.eye(3)) @ weights)
    outcome = 0.6 * score + 0.8 * rng.normal(size=n)
    data = pd.DataFrame({"a1": items[:, 0], "a2": items[:, 1], "a3": items[:, 2], "b1": outcome})
    found = estimate_pls(data, two_constructs(data, "B"))
    # standard error of a correlation of 0.6 at n = 20,000: 0.64 / sqrt(20,000) = 0.0045
    assert found.path_coefficients["estimate"].iloc[0] == pytest.approx(0.6, abs=4 * 0.0045)
    estimated = found.loadings["weight"].to_numpy()[:3]
    np.testing.assert_allclose(estimated / estimated.sum(), weights / weights.sum(), atol=0.03)


def test_a_fit_does_not_depend_on_its_company():
    model, _ = fit("ecsi_mobile", modes={"quality": "B"})
    rng = np.random.default_rng(1)
    rows = MOBI[list(model.columns)].to_numpy(float)
    draws = [rows[rng.integers(0, 250, 250)] + 0.1 * rng.normal(size=(250, 24)) for _ in range(70)]
    mean = np.array([d.mean(axis=0) for d in draws])
    covariance = np.array([np.cov(d.T) for d in draws])
    for settings in ({}, {"estimator": "plsc"}, {"scheme": "centroid"}):
        together = fit_pls(model, mean, covariance, **settings)
        for some in (slice(0, 1), slice(3, 5), slice(10, 70)):
            alone = fit_pls(model, mean[some], covariance[some], **settings)
            for name in ("weights", "loadings", "paths", "r_squared", "iterations"):
                assert np.array_equal(getattr(alone, name), getattr(together, name)[some]), name


def test_a_reversed_block_turns_round_and_signs_are_positive():
    data = MOBI.copy()
    data[["CUEX1", "CUEX2", "CUEX3"]] = 11 - data[["CUEX1", "CUEX2", "CUEX3"]]
    result = estimate_pls(data, "ecsi_mobile")
    found = result.path_coefficients.set_index(["source", "target"])["estimate"]
    assert (result.loadings["loading"] > 0).all()
    assert found["image", "expectation"] == pytest.approx(-0.504913933625117, abs=1e-8)
    assert any("Image" in warning and "-0.505" in warning for warning in result.warnings)


def test_slow_convergence_is_told():
    model, found = fit("ecsi_mobile", max_iterations=2)
    assert any("did not settle in 2 iterations" in told for told in problems(model, found, "pls"))


def test_constant_item_in_one_draw_is_flagged_and_leaves_the_others_alone():
    model, alone = fit("ecsi_mobile")
    rows = MOBI[list(model.columns)].to_numpy(float)
    broken = rows.copy()
    broken[:, 20] = 7.0  # CUSCO, the only item of its construct
    covariance = np.array([np.cov(broken.T), np.cov(rows.T)])
    found = fit_pls(model, np.array([broken.mean(axis=0), rows.mean(axis=0)]), covariance)
    assert found.degenerate.tolist() == [True, False]
    assert found.converged.tolist() == [False, True]
    assert np.isnan(found.paths[0]).all()
    np.testing.assert_allclose(found.paths[1], alone.paths[0], atol=1e-12)


def test_two_identical_constructs_are_refused():
    data = MOBI.assign(**{f"IMAG{i}": MOBI["CUSCO"] for i in range(1, 6)})
    with pytest.raises(InputError, match="collinear"):
        estimate_pls(data, "ccsi_split")


@pytest.mark.parametrize("setting", [
    {"scheme": "pat"}, {"estimator": "pslc"}, {"draws": -1}, {"draws": 1}, {"missing": "median"},
])  # fmt: skip
def test_a_wrong_setting_is_named(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        estimate_pls(MOBI, "ecsi_mobile", **setting)


def test_moderator_equals_regression_on_score_products():
    """Second stage written out on rows: loyalty on its causes and the product of two scores."""
    rng = np.random.default_rng(2)
    data = MOBI.rename(columns={"CUEX1": "MARK1", "CUEX2": "MARK2", "CUEX3": "MARK3"})
    mapping = {"SATI1": "CUSA1", "SATI2": "CUSA2", "SATI3": "CUSA3", "LOYA1": "CUSL1",
               "LOYA2": "CUSL2", "LOYA3": "CUSL3", "VALU1": "PERV1", "VALU2": "PERV2",
               "IMAGE1": "IMAG1", "IMAGE2": "IMAG2"}  # fmt: skip
    general = load_model("general").with_role("market", "moderator")
    model = general.map(data.columns, mapping, drop_unmapped=True)
    result = estimate_pls(data, model, draws=Bootstrap(50, seed=4))
    table = result.path_coefficients.set_index(["source", "target"])
    survey = prepare(data, model)
    base = replace(model, moderations=())
    first = fit_pls(base, *survey.source.moments(np.ones((1, 250), int)))
    scores = pd.DataFrame(
        construct_scores(base, first, survey.values), columns=list(model.construct_names)
    )
    design = scores[["image", "satisfaction", "market"]].copy()
    design["product"] = scores["satisfaction"] * scores["market"]
    slope = np.linalg.lstsq(np.column_stack([np.ones(250), design]), scores["loyalty"].to_numpy())[
        0
    ]
    found = [table.loc[(s, "loyalty"), "estimate"]
             for s in ("image", "satisfaction", "market", "satisfaction x market")]  # fmt: skip
    np.testing.assert_allclose(found, slope[1:], atol=1e-9)
    # and in a resample, whose products are centred elsewhere
    again = data.iloc[rng.integers(0, 250, 250)].reset_index(drop=True)
    direct = estimate_pls(again, model).path_coefficients["estimate"]
    survey, counts = prepare(data, model), np.zeros((1, 250), int)
    rng = np.random.default_rng(2)
    np.add.at(counts[0], rng.integers(0, 250, 250), 1)
    source, fitted = fitter(model, survey)
    resampled = fitted(*source.moments(counts))
    np.testing.assert_allclose(resampled.interactions[0, 0], direct.iloc[-1], atol=1e-9)
    assert (table["std_error"] > 0).all()


def test_a_model_of_two_constructs_has_every_table():
    rng = np.random.default_rng(6)
    cause = rng.normal(size=(120, 1))
    rows = np.hstack([cause + rng.normal(size=(120, 2)), cause + rng.normal(size=(120, 1))])
    data = pd.DataFrame(rows, columns=["a1", "a2", "b1"])
    result = estimate_pls(data, two_constructs(data), draws=30)
    assert result.indirect_effects.empty
    assert len(result.path_coefficients) == 1 and result.path_coefficients["p"].notna().all()
