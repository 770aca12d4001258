"""Plans against theory: widths of means, power of Welch's t, design effects, Monte Carlo errors."""

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.compare.league import compare_groups
from cvlib.satisfaction.design.goal import Analysis, Goal
from cvlib.satisfaction.design.sample_size import SurveyPlan, plan_survey
from cvlib.satisfaction.design.simulate import Population, population, simulate_survey
from cvlib.satisfaction.index import index_values
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.settings import Assessment
from cvlib.statistics.resample import Bootstrap


@cache
def acsi(cluster_correlation: float = 0.0, missing: float = 0.0) -> Population:
    return population("acsi", cluster_correlation=cluster_correlation, missing=missing)


@cache
def planned() -> SurveyPlan:
    return plan_survey(
        acsi(), sizes=(100, 250), replications=2000, seed=7, goal=Goal(difference=5.0)
    )


def spread_of_scores(people: Population, rise: dict[str, float] | None = None) -> float:
    """Standard deviation of individual 0-100 satisfaction scores in the population."""
    mean, covariance = people.moments(rise)
    found = index_values(people.model, fit_pls(people.model, mean[None], covariance[None]))
    return float(found.standard_deviation[0, people.model.construct_names.index("satisfaction")])


@pytest.mark.slow
def test_the_width_of_an_index_interval_is_that_of_a_mean() -> None:
    table = planned().index.query("construct == 'satisfaction'")
    expected = 2 * 1.959964 * spread_of_scores(acsi()) / np.sqrt(table["n"].to_numpy())
    assert (np.abs(table["width"] - expected) < 4 * table["width_mc_error"]).all()
    assert (table["width_mc_error"] / table["width"]).to_numpy() == pytest.approx(
        1 / np.sqrt(2 * 1999)
    )


def test_estimates_centre_on_the_values_of_the_population() -> None:
    table = planned().index.query("n == 250")
    error = table["std_error"] / np.sqrt(2000)
    assert (np.abs(table["mean"] - table["value"]) < 4 * error + 0.15).all()
    paths = planned().paths.query("n == 250")
    assert (np.abs(paths["mean"] - paths["value"]) < 0.012).all()


def test_the_power_of_a_difference_is_that_of_the_two_sample_t_test() -> None:
    # a ceiling of ten makes the better group's scores a little less spread
    rise = planned().settings["rise"]
    spread = np.hypot(spread_of_scores(acsi()), spread_of_scores(acsi(), rise))
    for row in planned().differences.itertuples():
        error, degrees = spread / np.sqrt(row.n), 2 * row.n - 2
        critical = stats.t.ppf(0.975, degrees)
        power = stats.nct.sf(critical, degrees, 5 / error)
        assert 0.3 < power < 0.99
        assert row.power == pytest.approx(power, abs=3.5 * row.power_mc_error)
        assert row.width == pytest.approx(2 * critical * error, rel=0.01)


def test_without_a_difference_the_test_holds_its_size() -> None:
    found = plan_survey(acsi(), sizes=(120,), replications=2000, seed=3, goal=Goal(difference=1e-6))
    row = found.differences.iloc[0]
    assert row["power"] == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2000))


def test_the_difference_asked_for_is_the_difference_drawn() -> None:
    people = acsi()
    rise = planned().settings["rise"]
    groups = pd.DataFrame([{"brand": "a", "satisfaction": 0.0}, {"brand": "b", **rise}])
    survey = simulate_survey(people, 20_000, seed=5, groups=groups)
    scores = estimate_pls(survey, people.model, assessment=Assessment(folds=0)).extra["scores"][
        "satisfaction"
    ]
    means = scores.groupby(survey["brand"]).mean()
    error = spread_of_scores(people) * np.sqrt(2 / 20_000)
    assert means["b"] - means["a"] == pytest.approx(5.0, abs=4 * error)


def test_planned_path_errors_are_what_a_bootstrap_estimates() -> None:
    table = planned().paths.query("n == 250").set_index(["source", "target"])["std_error"]
    errors = []
    for seed in range(6):
        survey = simulate_survey(acsi(), 250, seed=seed)
        found = estimate_pls(
            survey, "acsi", draws=Bootstrap(200, seed=1), assessment=Assessment(folds=0)
        ).path_coefficients
        errors.append(found.set_index(["source", "target"])["std_error"])
    ratio = pd.concat(errors, axis=1).mean(axis=1) / table
    assert ratio.between(0.88, 1.12).all(), ratio


def test_clusters_widen_intervals_by_the_design_effect() -> None:
    people = acsi(cluster_correlation=0.2)
    found = plan_survey(
        people, sizes=(300,), replications=1000, seed=2, analysis=Analysis(cluster_size=10)
    )
    mean, covariance = people.moments()
    fit = fit_pls(people.model, mean[None], covariance[None])
    place = people.model.construct_names.index("satisfaction")
    index = index_values(people.model, fit)
    # between-cluster part of the score: shares times what the latent variable gives the answers
    span = (people.model.maximum - people.model.minimum) / 100
    shares = index.shares[0] * (people.model.block == place) / span
    slope = np.array([
        (people.mean({"satisfaction": 0.01}) - people.mean({"satisfaction": -0.01})) / 0.02
    ])[0]  # fmt: skip
    between = 0.2 * (shares @ slope) ** 2
    variance = index.standard_deviation[0, place] ** 2
    effect = 1 + 9 * between / variance
    assert effect > 2
    width = found.index.query("construct == 'satisfaction'")["width"].iloc[0]
    assert width == pytest.approx(2 * 1.96 * np.sqrt(variance * effect / 300), rel=0.08)
    # the test knows the clusters: its own interval is as much wider
    own = found.differences["width"].iloc[0]
    assert own == pytest.approx(width * np.sqrt(2), rel=0.08)


@pytest.mark.slow
def test_clusters_do_not_inflate_the_size_of_the_test() -> None:
    found = plan_survey(
        acsi(0.2),
        sizes=(300,),
        replications=1000,
        seed=4,
        goal=Goal(difference=1e-6),
        analysis=Analysis(cluster_size=10),
    )
    size = found.differences["power"].iloc[0]
    assert size == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 1000))


@pytest.mark.parametrize("missing", ["listwise", "mean"])
def test_moments_after_missing_answers_are_those_of_the_estimator(missing: str) -> None:
    from cvlib.satisfaction.design.sample_size import _checked, _moments

    people = acsi(missing=0.05)
    survey = simulate_survey(people, 200, seed=1)
    study = _checked(people, Goal(), Analysis(missing=missing), 100, 1)
    found = _moments(survey[list(people.model.columns)].to_numpy(float)[None], study)
    fit = fit_pls(people.model, found.mean, found.covariance)
    estimated = estimate_pls(survey, people.model, assessment=Assessment(folds=0), missing=missing)
    ours = fit.paths[0][people.model.adjacency]
    table = estimated.path_coefficients.set_index(["source", "target"])["estimate"]
    names = people.model.construct_names
    a, b = np.nonzero(people.model.adjacency)
    theirs = [table[(names[i], names[j])] for i, j in zip(a, b, strict=True)]
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_listwise_deletion_is_counted_and_told() -> None:
    found = plan_survey(acsi(missing=0.03), sizes=(200,), replications=200)
    assert found.fits["left_out"].iloc[0] == pytest.approx(1 - 0.97**14, abs=0.01)
    assert "Listwise deletion loses" in found.warnings[0]
    filled = plan_survey(
        acsi(missing=0.03), sizes=(200,), replications=200, analysis=Analysis(missing="mean")
    )
    assert filled.fits["left_out"].iloc[0] == 0 and not filled.warnings


def test_fits_that_fail_are_counted_and_told() -> None:
    found = plan_survey(acsi(missing=0.15), sizes=(40,), replications=200)
    failed, untested = found.fits.loc[0, ["failed", "untested"]]
    assert 0 < failed < 200 and untested > 0
    assert f"{failed} failed and {untested} differences" in found.warnings[0]
    assert found.index["width"].notna().all() and found.differences["power"].notna().all()
    with pytest.raises(InputError, match="size 20: fewer than two"):
        plan_survey(acsi(missing=0.3), sizes=(20,), replications=100)


def test_the_smallest_size_agrees_with_the_textbook() -> None:
    found = plan_survey(
        acsi(),
        sizes=(200,),
        replications=800,
        seed=11,
        goal=Goal(difference=6.0, targets={"index_width": 4.0, "difference_power": 0.9}),
    )
    deviation = spread_of_scores(acsi())
    width, power = (row for row in found.smallest.itertuples())
    expected = (2 * 1.959964 * deviation / 4.0) ** 2
    assert width.n_low <= expected <= width.n_high
    assert width.n == pytest.approx(expected, rel=0.1)
    both = deviation**2 + spread_of_scores(acsi(), found.settings["rise"]) ** 2
    expected = both * ((1.959964 + 1.281552) / 6.0) ** 2
    assert power.n_low <= expected <= power.n_high
    assert power.n == pytest.approx(expected, rel=0.1)
    assert power.n_low < power.n < power.n_high and power.reached and width.reached
    # what is said was simulated
    assert {width.n, power.n} <= set(found.index["n"])
    assert f"{power.n:,} respondents" in found.sentence and "in each group" in found.sentence


def test_a_path_target_and_whole_clusters() -> None:
    found = plan_survey(
        acsi(0.2),
        sizes=(100,),
        replications=400,
        seed=1,
        language="zh",
        goal=Goal(targets={"path_power": 0.8}, path=("satisfaction", "loyalty")),
        analysis=Analysis(cluster_size=8),
    )
    assert (found.index["n"] % 8 == 0).all() and (found.smallest["n"] % 8 == 0).all()
    assert "检验功效 0.8" in found.sentence and "顾客满意度" in found.sentence


def test_a_target_out_of_reach_is_told() -> None:
    found = plan_survey(
        acsi(), sizes=(100,), replications=100, goal=Goal(targets={"index_width": 0.5}, largest=300)
    )
    assert not found.smallest["reached"].iloc[0] and found.smallest["n"].iloc[0] == 300
    assert "not reached with 300" in found.warnings[0] and "No survey" in found.sentence


def test_sizes_do_not_depend_on_each_other_or_on_threads() -> None:
    alone = plan_survey(acsi(), sizes=(80,), replications=150, seed=9)
    both = plan_survey(acsi(), sizes=(60, 80), replications=150, seed=9, jobs=2)
    for name in ("index", "differences", "paths", "fits"):
        second = getattr(both, name).query("n == 80").reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(alone, name), second, check_exact=True)
    other = plan_survey(acsi(), sizes=(80,), replications=150, seed=10)
    assert not other.index.equals(alone.index)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"goal": Goal(construct="joy")}, "joy"),
        ({"goal": Goal(targets={"path_power": 0.8})}, "path"),
        ({"goal": Goal(difference=90.0)}, "out of reach"),
        ({"sizes": (1,)}, "sizes"),
        ({"replications": 10}, "replications"),
        ({"analysis": Analysis(cluster_size=10)}, "cluster_size"),
        ({"language": "fr"}, "language"),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)):
        plan_survey(acsi(), **options)


@pytest.mark.parametrize(
    ("settings", "options", "named"),
    [
        (Goal, {"targets": {"width": 3}}, "width"),
        (Goal, {"targets": {"difference_power": 1.0}}, "difference_power"),
        (Analysis, {"missing": "em"}, "em"),
        (Analysis, {"scheme": "paths"}, "scheme"),
        (Analysis, {"estimator": "covariance"}, "estimator"),
        (Analysis, {"level": 95}, "level"),
    ],
)
def test_wrong_plans_are_refused_where_they_are_written(
    settings: type, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        settings(**options)


@pytest.mark.slow
def test_the_plan_foretells_what_complete_studies_find() -> None:
    """Whole studies: two surveys, pooled weights, Welch's test, bootstrap intervals of a path."""
    people, n, studies = acsi(), 200, 400
    plan = plan_survey(people, sizes=(n,), replications=4000, seed=1, goal=Goal(difference=4.0))
    groups = pd.DataFrame(
        [{"brand": "a", "satisfaction": 0.0}, {"brand": "b", **plan.settings["rise"]}]
    )
    found, covered = [], []
    for seed in range(studies):
        survey = simulate_survey(people, n, seed=10_000 + seed, groups=groups)
        scores = estimate_pls(survey, "acsi", assessment=Assessment(folds=0)).extra["scores"][
            "satisfaction"
        ]
        both = [scores[survey["brand"] == brand] for brand in ("a", "b")]
        found.append(stats.ttest_ind(*both, equal_var=False).pvalue < 0.05)
        one = estimate_pls(
            survey[survey["brand"] == "a"],
            "acsi",
            draws=Bootstrap(200, seed=seed),
            assessment=Assessment(folds=0),
        )
        path = one.path_coefficients.iloc[-2]
        truth = plan.paths.set_index(["source", "target"])["value"]
        covered.append(path["ci_low"] < truth[(path["source"], path["target"])] < path["ci_high"])
    power = plan.differences["power"].iloc[0]
    assert np.mean(found) == pytest.approx(power, abs=3.5 * np.sqrt(0.25 / studies))
    assert np.mean(covered) == pytest.approx(0.95, abs=0.04)


@pytest.mark.slow
def test_the_permutation_test_rejects_as_often_as_planned() -> None:
    people, n, studies = acsi(), 150, 200
    plan = plan_survey(people, sizes=(n,), replications=4000, seed=1, goal=Goal(difference=4.0))
    groups = pd.DataFrame(
        [{"brand": "a", "satisfaction": 0.0}, {"brand": "b", **plan.settings["rise"]}]
    )
    found = []
    for seed in range(studies):
        survey = simulate_survey(people, n, seed=20_000 + seed, groups=groups)
        bound = load_model("acsi").map(survey.columns)
        league = compare_groups(
            survey, bound, "brand", permutations=199, draws=Bootstrap(0, seed=seed)
        )
        pooled = league.pairwise.query("weights == 'pooled'").iloc[0]
        found.append([pooled["p_permutation"] < 0.05, pooled["p_welch"] < 0.05])
    power = plan.differences["power"].iloc[0]
    assert np.mean(found, axis=0) == pytest.approx(power, abs=3 * np.sqrt(0.25 / studies))
