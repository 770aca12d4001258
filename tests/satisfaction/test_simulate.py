"""Simulated surveys: known parameters come back, answers look as asked, nothing is accidental."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.design.simulate import (
    Population,
    answer_shares,
    population,
    simulate_survey,
)
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.settings import Assessment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mobi() -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / "mobi.csv")


@pytest.fixture(scope="module")
def ecsi(mobi: pd.DataFrame) -> Population:
    found = estimate_pls(mobi, "ecsi_mobile", assessment=Assessment(folds=0))
    return population(
        "ecsi_mobile", paths=found.path_coefficients, loadings=found.loadings, answers=mobi
    )


def readme_code() -> str:
    section = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    section = section[section.index("## simulated_ecsi_brands.csv") :]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


def test_the_shipped_simulated_survey_is_its_own_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mobi.csv").write_bytes((ROOT / "data" / "mobi.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(readme_code(), {})
    made = (tmp_path / "data" / "simulated_ecsi_brands.csv").read_bytes()
    assert made == (ROOT / "data" / "simulated_ecsi_brands.csv").read_bytes()


def test_the_numbers_of_the_shipped_survey_are_the_reference_estimates() -> None:
    said: dict = {}
    exec(readme_code().partition("brands = ")[0], said)
    folder = ROOT / "tests" / "reference" / "satisfaction"
    table = pd.read_csv(folder / "mobi_modeA_path_paths.csv", index_col=0)
    table = table.rename(index=str.lower, columns=str.lower)
    for source, to in said["paths"].items():
        for target, value in to.items():
            assert value == pytest.approx(table.loc[source, target], abs=0.00051)
    loadings = pd.read_csv(folder / "mobi_modeA_path_outer_loadings.csv", index_col=0)
    for item, value in said["loadings"].items():
        assert value == pytest.approx(loadings.loc[item].abs().max(), abs=0.00051)


def test_large_samples_approach_the_exact_moments(ecsi: Population) -> None:
    mean, covariance = ecsi.moments({"image": 0.3, "value": -0.2})
    drawn = ecsi.draw(100_000, np.random.default_rng(1), {"image": 0.3, "value": -0.2})
    deviation = np.sqrt(np.diag(covariance))
    assert np.abs((drawn.mean(axis=0) - mean) / deviation).max() < 4.5 / np.sqrt(100_000)
    gap = (np.cov(drawn.T) - covariance) / np.outer(deviation, deviation)
    assert np.abs(gap).max() < 0.02


def test_exact_covariances_agree_with_bivariate_normal_integrals(ecsi: Population) -> None:
    _, covariance = ecsi.moments()
    block = ecsi.model.block
    for i, j in ((17, 18), (0, 20), (16, 23)):
        r = ecsi.loadings[i] * ecsi.loadings[j] * ecsi.construct_correlation[block[i], block[j]]
        cuts = [ecsi.thresholds[i], ecsi.thresholds[j]]
        both = stats.multivariate_normal(cov=[[1, r], [r, 1]])
        expected = sum(
            both.cdf([-a, -b]) - stats.norm.sf(a) * stats.norm.sf(b)
            for a in cuts[0][np.isfinite(cuts[0])] for b in cuts[1][np.isfinite(cuts[1])]
        )  # fmt: skip
        assert covariance[i, j] == pytest.approx(expected, abs=2e-4)


def fine(model: str, **options: float) -> Population:
    """Answers on scales so fine that cutting them costs nothing."""
    base = load_model(model)
    wide = replace(base, constructs=tuple(
        replace(c, items=tuple(replace(i, minimum=0, maximum=400) for i in c.items))
        for c in base.constructs
    ))  # fmt: skip
    return population(wide, mean=0.5, standard_deviation=0.15, **options)


@pytest.mark.parametrize("model", ["ecsi_mobile", "ccsi_split", "scsb"])
def test_consistent_pls_of_the_exact_moments_gives_the_parameters_back(model: str) -> None:
    known = fine(model)
    mean, covariance = known.moments()
    found = fit_pls(known.model, mean[None], covariance[None], estimator="plsc")
    assert np.abs(found.paths[0] - known.paths).max() < 0.006  # a beta is not quite a normal
    alone = known.model.membership.sum(axis=0)[known.model.block] == 1
    assert np.abs(found.loadings[0] - known.loadings)[~alone].max() < 0.004
    effects = known.model.adjacency.any(axis=0)
    assert found.r_squared[0, effects] == pytest.approx(0.5, abs=0.01)


def test_covariance_estimation_recovers_loadings_and_paths() -> None:
    from cvlib.satisfaction.sem.estimate import estimate_covariance

    known = fine("acsi")
    survey = simulate_survey(known, 20_000, seed=2)
    found = estimate_covariance(survey, known.model)
    names = known.model.construct_names
    for row in found.path_coefficients.itertuples():
        true = known.paths[names.index(row.source), names.index(row.target)]
        assert row.estimate == pytest.approx(true, abs=4.5 * row.std_error + 0.006)
    several = found.loadings[found.loadings["construct"] != "complaints"]["loading"]
    assert several.to_numpy() == pytest.approx(0.8, abs=0.015)


def test_marginal_shares_missing_share_and_skew_are_those_asked_for(
    mobi: pd.DataFrame, ecsi: Population
) -> None:
    gaps = population(ecsi.model, answers=mobi, missing={"CUSA1": 0.2, "PERV1": 0.05})
    survey = simulate_survey(gaps, 20_000, seed=3)
    share = survey.isna().mean()
    assert share["CUSA1"] == pytest.approx(0.2, abs=4.5 * np.sqrt(0.16 / 20_000))
    assert share["PERV1"] == pytest.approx(0.05, abs=4.5 * np.sqrt(0.0475 / 20_000))
    assert share.drop(["CUSA1", "PERV1"]).eq(0).all()
    for item in ecsi.model.items:
        expected = mobi[item].value_counts(normalize=True).reindex(range(1, 11), fill_value=0)
        seen = survey[item].value_counts(normalize=True).reindex(range(1, 11), fill_value=0)
        assert (seen - expected).abs().max() < 0.016
        assert survey[item].skew() == pytest.approx(stats.skew(mobi[item]), abs=0.1)


@pytest.mark.parametrize(
    ("low", "high", "mean", "deviation"), [(1, 10, 7.4, 1.9), (0, 10, 8.6, 1.4), (-25, 25, 3, 12)]
)
def test_answer_shares_have_the_mean_and_spread_asked_for(
    low: float, high: float, mean: float, deviation: float
) -> None:
    share, answers = answer_shares(low, high, mean, deviation), np.arange(low, high + 1)
    assert share.sum() == pytest.approx(1)
    assert share @ answers == pytest.approx(mean, abs=1e-6)
    assert np.sqrt(share @ (answers - mean) ** 2) == pytest.approx(deviation, abs=1e-6)
    skew = share @ (answers - mean) ** 3
    assert np.sign(skew) == -np.sign(mean - (low + high) / 2)


def test_two_answers_have_their_share() -> None:
    assert answer_shares(0, 1, 0.2, 0.5) == pytest.approx([0.8, 0.2])
    survey = simulate_survey(population("acsi"), 4000, seed=1)
    assert survey["COMP1"].mean() == pytest.approx(0.2, abs=0.03)
    assert survey["COMP1"].corr(survey["SATI1"]) < -0.2


def test_clusters_have_the_intraclass_correlation_asked_for() -> None:
    known = fine("acsi", cluster_correlation=0.3)
    survey = simulate_survey(known, 20_000, seed=5, cluster_size=10)
    assert survey["cluster"].value_counts().eq(10).all()
    values = survey[["SATI1", "SATI2", "SATI3"]].mean(axis=1).to_numpy().reshape(-1, 10)
    between, within = 10 * values.mean(axis=1).var(ddof=1), values.var(axis=1, ddof=1).mean()
    found = (between - within) / (between + 9 * within)  # one-way analysis of variance
    reliable = 0.8**2 / (0.8**2 + 0.36 / 3)
    assert found == pytest.approx(0.3 * reliable, abs=0.03)


def test_a_rise_travels_along_the_paths() -> None:
    known = fine("acsi")
    groups = pd.DataFrame({"brand": ["low", "high"], "satisfaction": [0.0, 0.5]})
    survey = simulate_survey(known, [8000, 8000], seed=6, groups=groups)
    gap = survey.groupby("brand").mean().loc["high"] - survey.groupby("brand").mean().loc["low"]
    names = known.model.construct_names
    onward = known.paths[names.index("satisfaction"), names.index("complaints")]
    toward = {"SATI1": 1.0, "QUAL1": 0.0, "COMP1": onward}
    for item, effect in toward.items():
        loading = known.loadings[known.model.items.index(item)]
        expected = 0.5 * effect * loading * 60  # standard deviation 0.15 of 400
        assert gap[item] == pytest.approx(expected, abs=4.5 * 60 * np.sqrt(2 / 8000))


def test_reversed_items_are_answered_reversed(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(
        "name: tiny\ntitle: {en: Tiny}\nsource: test\nscale: [1, 10]\nconstructs:\n"
        "  a: {en: A, items: {a1: {}, a2: {direction: '-'}}}\n  b: {en: B, items: [b1, b2]}\n"
        "paths:\n  a: {b: +}\n", encoding="utf-8",
    )  # fmt: skip
    survey = simulate_survey(population(path), 2000, seed=1)
    assert survey["a1"].mean() > 7 > 4 > survey["a2"].mean()
    assert survey["a1"].corr(survey["a2"]) < -0.4
    again = population(path, answers=survey)
    assert simulate_survey(again, 2000, seed=2)["a2"].mean() == pytest.approx(
        survey["a2"].mean(), abs=0.25
    )


def test_the_seed_decides_everything(ecsi: Population) -> None:
    first, second = (simulate_survey(ecsi, 50, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(simulate_survey(ecsi, 50, seed=2))


@pytest.mark.parametrize("model", ["acsi", "ccsi", "ccsi_split", "ecsi", "ecsi_split", "general"])
def test_every_shipped_model_can_be_simulated_and_estimated(model: str) -> None:
    survey = simulate_survey(population(model), 3000, seed=4)
    found = estimate_pls(survey, model, assessment=Assessment(folds=0))
    sign = found.path_coefficients["sign"].replace({"±": "+"})
    assert (np.sign(found.path_coefficients["estimate"]) == np.where(sign == "-", -1, 1)).all()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"paths": {"image": {"value": 0.1}}}, "image -> value"),
        ({"paths": {"image": {"expectation": 0.1}}}, "nothing is given"),
        ({"loadings": {"IMAG9": 0.7}}, "IMAG9"),
        ({"loadings": 1.2}, "above 1"),
        ({"missing": {"x": 0.1}}, "missing, x"),
        ({"missing": 1.0}, "between 0 and 1"),
        ({"mean": {"x": 0.1}}, "mean, x"),
        ({"mean": 0.95, "standard_deviation": 0.4}, "cannot have mean"),
        ({"r_squared": 1.0}, "r_squared"),
        ({"cluster_correlation": -0.1}, "cluster_correlation"),
        ({"answers": pd.DataFrame({"IMAG1": [1]})}, "IMAG2"),
    ],
)
def test_impossible_populations_are_refused(options: dict, named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)):
        population("ecsi_mobile", **options)


def test_paths_that_explain_too_much_are_refused() -> None:
    paths = {
        "expectation": {"value": 0.9, "satisfaction": 0.8},
        "value": {"satisfaction": 0.7},
        "satisfaction": {"complaints": -0.3, "loyalty": 0.5},
        "complaints": {"loyalty": 0.1},
    }
    with pytest.raises(InputError, match="paths to satisfaction"):
        population("scsb", paths=paths)


def test_impossible_surveys_are_refused(ecsi: Population) -> None:
    with pytest.raises(InputError, match="respondents"):
        simulate_survey(ecsi, [10, 10], seed=1)
    with pytest.raises(InputError, match="cluster_size"):
        simulate_survey(ecsi, 10, seed=1, cluster_size=5)
    with pytest.raises(InputError, match="interaction"):
        population(load_model("general").with_role("market", "moderator"))
