"""Fit measures against cSEM, identities, and the exact-fit test under a true and a false model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls import distances, exact_fit
from cvlib.satisfaction.pls import fit as fitting
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.survey.missing import prepare

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "satisfaction"
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")
MODEL = load_model("ecsi_mobile")


def fitted(model, data=MOBI, **settings):
    survey = prepare(data, model)
    moments = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    return survey, fit_pls(model, *moments, tolerance=1e-13, **settings)


SURVEY, FIT = fitted(MODEL)
# cSEM's names and ours; its GFI divides other traces than the usual definition and is left out
CSEM = {
    "SRMR": "srmr", "DL": "d_uls", "DG": "d_g", "DML": "d_ml", "Chi_square": "chi2",
    "Chi_square_df": "chi2_df", "Df": "df", "CFI": "cfi", "NFI": "nfi", "NNFI": "tli",
    "IFI": "ifi", "RMSEA": "rmsea", "CN": "cn", "RMS_theta": "rms_theta", "GoF": "gof",
}  # fmt: skip


@pytest.mark.parametrize("theirs", CSEM)
def test_fit_measures_equal_csem(theirs: str) -> None:
    expected = pd.read_csv(REFERENCE / "mobi_modeA_path_fit_cSEM.csv").set_index("measure")
    found = fitting.fit_table(MODEL, FIT, 250).set_index("measure")["value"]
    assert found[CSEM[theirs]] == pytest.approx(expected.loc[theirs, "value"], rel=1e-8)


@pytest.mark.parametrize("name", ["ACSI", "ECSI10"])
def test_other_models_equal_csem(name: str) -> None:
    expected = pd.read_csv(REFERENCE / "acsi_ecsi10_on_mobi_fit.csv")
    expected = expected[expected["model"] == name].iloc[0]
    model = load_model({"ACSI": "acsi", "ECSI10": "ecsi"}[name]).map(MOBI.columns)
    found = fitting.fit_table(model, fitted(model)[1], 250).set_index("measure")["value"]
    assert found["df"] == expected["df"]
    for theirs, ours in (("SRMR", "srmr"), ("dG", "d_g"), ("dULS", "d_uls")):
        assert found[ours] == pytest.approx(expected[theirs], rel=1e-8)


def test_information_criteria_equal_seminr() -> None:
    expected = pd.read_csv(REFERENCE / "mobi_modeA_path_itcriteria.csv", index_col=0)
    names = [name.capitalize() for name in MODEL.construct_names[1:]]
    found = fitting.information_criteria(FIT.r_squared[0][1:], MODEL.adjacency.sum(axis=0)[1:], 250)
    np.testing.assert_allclose(found["aic"], expected.loc["AIC", names], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["bic"], expected.loc["BIC", names], rtol=0, atol=1e-8)


def test_a_complete_structure_reproduces_the_construct_correlations() -> None:
    names = MODEL.construct_names
    everything = tuple((a, b, "±") for i, a in enumerate(names) for b in names[i + 1 :])
    full = replace(MODEL, signed_paths=everything)
    fit = fitted(full)[1]
    implied = distances.implied_construct_correlation(
        fit.paths, fit.construct_correlation, fit.r_squared
    )
    np.testing.assert_allclose(implied, fit.construct_correlation, atol=1e-10)
    found = fitting.fit_table(full, fit, 250).set_index("measure")["value"]
    assert found["srmr"] == pytest.approx(found["srmr_saturated"], abs=1e-12)


def test_a_factor_model_is_found_to_fit_by_consistent_pls() -> None:
    model, data = population(rows=400, cross=0.0, seed=3)
    survey, fit = fitted(model, data, estimator="plsc")
    table, told = exact_fit.exact_fit_test(model, survey, fit, estimator="plsc", draws=200, seed=4)
    assert (table["p"] > 0.05).all()
    assert not told
    # three items on two factors and one path: 15 correlations less 6 loadings and 1 path
    assert fitting.degrees_of_freedom(model, "plsc") == 8


def test_a_false_model_is_rejected_and_the_test_repeats_exactly() -> None:
    model, data = population(rows=400, cross=0.6, seed=3)
    survey, fit = fitted(model, data, estimator="plsc")
    first, _ = exact_fit.exact_fit_test(model, survey, fit, estimator="plsc", draws=200, seed=4)
    again, _ = exact_fit.exact_fit_test(model, survey, fit, estimator="plsc", draws=200, seed=4)
    assert (first["p"] < 0.02).all()
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("saturated", [False, True])
def test_the_transformed_answers_have_the_implied_correlations(saturated: bool) -> None:
    _, implied = distances.model_distances(MODEL, "pls", saturated, FIT)
    onto = exact_fit.transformation(FIT, implied[0])
    assert onto is not None
    np.testing.assert_allclose(np.cov((SURVEY.values @ onto).T), implied[0], atol=1e-10)


def test_distances_are_those_of_generalised_eigenvalues_whatever_stands_beside() -> None:
    """Scipy solves implied x = λ observed x; a stack larger than a block, one pair indefinite."""
    generator = np.random.default_rng(5)
    answers = generator.normal(size=(300, 40, 9)) + generator.normal(size=(300, 40, 1))
    observed = np.stack([np.corrcoef(one.T) for one in answers])
    implied = observed[::-1].copy()
    observed[140] = 1.0
    found = distances.distances(observed, implied)
    for b in (0, 127, 128, 139, 141, 299):
        logs = np.log(linalg.eigh(implied[b], observed[b], eigvals_only=True))
        assert found["d_g_natural"][b] == pytest.approx((logs**2).sum() / 2, rel=1e-11)
        assert found["d_ml"][b] == pytest.approx((logs + np.exp(-logs) - 1).sum(), rel=1e-11)
        alone = distances.distances(observed[b : b + 1], implied[b : b + 1])
        assert all(alone[name][0] == found[name][b] for name in ("d_g", "d_ml"))
    assert np.isnan(found["d_g"][140]) and np.isfinite(found["srmr"][140])
    assert np.isfinite(np.delete(found["d_g"], 140)).all()


def test_lost_draws_must_not_decide_the_exact_fit_test() -> None:
    sure = {"p": 0.01, "p_bound": 0.04}
    assert exact_fit.rejected(sure, 0.05) and exact_fit.rejected({"p": 0.01}, 0.05)
    assert not exact_fit.rejected({**sure, "p_bound": 0.2}, 0.05)
    assert not exact_fit.rejected({"p": 0.2}, 0.05)


def test_lost_draws_are_counted_by_reason_and_bound_the_p(monkeypatch) -> None:
    """One draw in ten without a distance: p, and p if all of these had reached it."""
    whole = exact_fit._tested

    def some_lost(*given) -> dict[str, np.ndarray]:
        values = whole(*given)["distances"].copy()
        values[::10] = np.nan
        return {"distances": values}

    survey, fit = fitted(MODEL)
    plain, _ = exact_fit.exact_fit_test(MODEL, survey, fit, draws=200, seed=4)
    assert "p_bound" not in plain
    monkeypatch.setattr(exact_fit, "_tested", some_lost)
    table, told = exact_fit.exact_fit_test(MODEL, survey, fit, draws=200, seed=4)
    assert len(told) == 1 and "20 of 200" in told[0] and "20 no positive definite" in told[0]
    reached = np.round(table["p"] * 181 - 1)
    np.testing.assert_allclose(table["p_bound"], (1 + reached + 20) / 201)


def test_an_inadmissible_estimate_leaves_the_test_out_and_says_so() -> None:
    survey, fit = fitted(MODEL, estimator="plsc")
    assert not fit.admissible[0]
    table, told = exact_fit.exact_fit_test(MODEL, survey, fit, estimator="plsc", draws=20, seed=1)
    found = fitting.fit_table(MODEL, fit, 250, "plsc")
    assert found["value"].notna().all()
    assert table.empty and "inadmissible" in told[0]


@pytest.mark.slow
def test_the_exact_fit_test_keeps_its_level_under_a_true_model() -> None:
    rejected = []
    for seed in range(200):
        model, data = population(rows=300, cross=0.0, seed=seed)
        survey, fit = fitted(model, data, estimator="plsc")
        table, _ = exact_fit.exact_fit_test(
            model, survey, fit, estimator="plsc", draws=199, seed=seed + 1
        )
        rejected.append(table["p"].to_numpy() <= 0.05)
    # 5 % of 200 data sets: the upper 99 % binomial bound
    assert (np.mean(rejected, axis=0) <= 0.09).all()


def population(rows: int, cross: float, seed: int):
    """Two factors of three items on a wide scale; `cross` couples errors across the factors."""
    generator = np.random.default_rng(seed)
    first = generator.normal(size=rows)
    second = 0.6 * first + 0.8 * generator.normal(size=rows)
    errors = generator.normal(size=(rows, 6)) * 0.6
    errors[:, 3] = cross * errors[:, 0] + np.sqrt(1 - cross**2) * errors[:, 3]
    items = 0.8 * np.column_stack([first] * 3 + [second] * 3) + errors
    model = load_model("ecsi_mobile")
    cause, effect = model.constructs[1], model.constructs[4]
    chosen = tuple(
        replace(c, items=tuple(replace(item, minimum=-50.0, maximum=50.0) for item in c.items))
        for c in (cause, effect)
    )
    pair = replace(
        model, constructs=chosen, signed_paths=((cause.name, effect.name, "+"),), adaptations=()
    )
    return pair, pd.DataFrame(items, columns=list(pair.columns))
