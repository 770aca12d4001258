"""Groups against hand calculation, scipy, statsmodels and brute force; ranks that cover."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.compare.aggregation import aggregate
from cvlib.satisfaction.compare.differences import all_pairs, exchange, index_differences, omnibus
from cvlib.satisfaction.compare.groups import estimate_groups, index_table
from cvlib.satisfaction.compare.league import compare_groups
from cvlib.satisfaction.compare.sentences import gate_verdict, league_verdict, total_verdict
from cvlib.satisfaction.design.simulate import population, simulate_survey
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.settings import Assessment, Columns, Design
from cvlib.statistics.multiple import adjusted, compact_letters, rank_intervals
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import in_language

MODEL = load_model("ecsi_mobile").without(
    ["image", "expectation", "complaints", "loyalty"], "is not needed here"
)
PEOPLE = population(MODEL)
RISE = pd.DataFrame({"brand": list("ABC"), "quality": [0.0, 0.1, 1.2]})
SURVEY = simulate_survey(PEOPLE, [120, 90, 60], seed=5, groups=RISE)


@cache
def league():
    return compare_groups(SURVEY, MODEL, "brand", permutations=199, draws=Bootstrap(200, seed=3))


def test_own_weights_are_those_of_the_group_alone_and_pooled_those_of_all() -> None:
    whole = estimate_pls(SURVEY, MODEL, assessment=Assessment(folds=0)).index.set_index(
        "construct"
    )["index"]
    own = league().groups.index("satisfaction", "own")[:, 0]
    for number, (_, part) in enumerate(SURVEY.groupby("brand")):
        alone = estimate_pls(part, MODEL, assessment=Assessment(folds=0)).index.set_index(
            "construct"
        )["index"]
        assert own[number] == pytest.approx(alone["satisfaction"], abs=1e-8)
    pooled = league().groups.index("satisfaction")[:, 0]
    assert pooled @ [120, 90, 60] / 270 == pytest.approx(whole["satisfaction"], abs=1e-8)


def test_pooled_weights_with_survey_weights_are_those_of_the_weighted_survey() -> None:
    weighted = SURVEY.assign(w=np.random.default_rng(1).uniform(0.5, 3, len(SURVEY)))
    groups = estimate_groups(weighted, MODEL, "brand", draws=2, design=Design(weights="w"))
    loadings = estimate_pls(
        weighted, MODEL, assessment=Assessment(folds=0), design=Design(weights="w")
    ).loadings
    scale = weighted[list(MODEL.columns)].apply(
        lambda x: np.sqrt(np.cov(x, aweights=weighted["w"], ddof=0))
    )
    share = loadings["weight"].to_numpy() / scale.to_numpy()
    share /= (share @ MODEL.membership)[MODEL.block]
    np.testing.assert_allclose(groups.pooled[0], share, atol=1e-7)


def test_draws_are_bootstrap_samples_of_each_group_and_of_all_together() -> None:
    table = index_table(league().groups, ["satisfaction"])
    scores = [league().groups.scores(number, "satisfaction") for number in range(3)]
    simple = [np.std(s, ddof=1) / np.sqrt(len(s)) for s in scores]
    found = table.loc[table["weights"] == "pooled", "std_error"]
    np.testing.assert_allclose(found, simple, rtol=0.2)
    again = estimate_groups(SURVEY, MODEL, "brand", jobs=2, draws=Bootstrap(200, seed=3))
    assert np.array_equal(again.shares, league().groups.shares)
    assert np.array_equal(again.pooled, league().groups.pooled)


def test_welch_equals_scipy() -> None:
    pooled = league().pairwise[league().pairwise["weights"] == "pooled"]
    for row, (i, j) in zip(pooled.itertuples(), all_pairs(league().groups), strict=True):
        expected = stats.ttest_ind(
            league().groups.scores(i, "satisfaction"), league().groups.scores(j, "satisfaction"),
            equal_var=False,
        )  # fmt: skip
        assert row.t == pytest.approx(expected.statistic, abs=1e-10)
        assert row.df == pytest.approx(expected.df, abs=1e-8)
        assert row.p_welch == pytest.approx(expected.pvalue, abs=1e-12)


def test_clusters_that_are_single_respondents_change_nothing_and_whole_ones_do() -> None:
    each = SURVEY.assign(c=np.arange(len(SURVEY)), d=np.arange(len(SURVEY)) // 6)
    tables = [
        index_differences(groups, all_pairs(groups), "satisfaction", {})
        for groups in (
            estimate_groups(each, MODEL, "brand", draws=0, design=Design(clusters=c))
            for c in ("", "c", "d")
        )
    ]
    np.testing.assert_allclose(tables[0]["t"], tables[1]["t"], atol=1e-10)
    assert (tables[2]["df"] < tables[0]["df"] / 4).all()


def test_permutation_of_pooled_scores_equals_a_permutation_of_means() -> None:
    groups = league().groups
    found = exchange(groups, [(0, 1)], permutations=199, seed=3)["index_pooled"]
    row = found[found["construct"] == "satisfaction"].iloc[0]
    one, other = (groups.scores(n, "satisfaction") for n in (0, 1))
    assert row["difference"] == pytest.approx(one.mean() - other.mean(), abs=1e-10)
    expected = stats.permutation_test(
        (one, other), lambda a, b: a.mean() - b.mean(), n_resamples=4999, rng=1
    ).pvalue
    assert row["p"] == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 199))


def test_a_raised_brand_leads_surely_and_equal_ones_share_a_letter() -> None:
    top = league().league[league().league["weights"] == "pooled"]
    assert top["brand"].iloc[0] == "C"
    assert tuple(top.iloc[0][["rank_ci_low", "rank_ci_high"]]) == (1, 1)
    assert list(top["letters"]) == ["a", "b", "b"]
    assert (league().omnibus.set_index("quantity")["p"]["index of satisfaction"]) <= 0.01
    assert "C is ahead" in league_verdict(league()) and "surely first" in league_verdict(league())
    failed = replace(league(), pairwise=league().pairwise.assign(composition_holds=False))
    assert "should not be compared" in gate_verdict(failed)
    assert "should not be compared" not in gate_verdict(league())
    assert "not tested" in gate_verdict(replace(league(), gate=pd.DataFrame()))
    assert "C" in in_language(league_verdict(league()), "zh") and "MICOM" in gate_verdict(league())


def test_omnibus_of_two_groups_is_the_permutation_test() -> None:
    two = estimate_groups(SURVEY[SURVEY["brand"] != "C"], MODEL, "brand", draws=0)
    every = omnibus(two, "satisfaction", permutations=999, seed=1)
    pair = exchange(two, [(0, 1)], permutations=999, seed=1)["paths"]
    np.testing.assert_allclose(every["p"][:3], pair["p"], atol=0.06)
    gap = pair["difference"] ** 2 * (120 / 210) * (90 / 210)
    np.testing.assert_allclose(every["statistic"][:3], gap, atol=1e-10)


def test_small_and_nameless_groups_are_named_and_counted() -> None:
    few = SURVEY.copy()
    few.loc[few.index[:5], "brand"] = None
    found = compare_groups(few, MODEL, "brand", minimum=80, draws=0, permutations=0)
    told = found.left_out.set_index("reason")["count"].to_dict()
    assert told == {"no group named": 5, "C: fewer than 80 respondents": 60}
    said = "Left out for having fewer than 80 respondents: C."
    assert said in found.warnings  # without the size, which may be that of a few people
    assert list(found.groups.names) == ["A", "B"]
    assert "std_error" not in found.league
    with pytest.raises(InputError, match="1 group"):
        estimate_groups(few, MODEL, "brand", minimum=100)


def test_numbered_groups_keep_their_numbers_where_some_are_missing() -> None:
    numbers = SURVEY["brand"].map({"A": 1, "B": 2, "C": 3}).astype(float)
    numbers.iloc[::40] = np.nan
    found = estimate_groups(SURVEY.assign(brand=numbers), MODEL, "brand", draws=0)
    assert found.keys["brand"].astype(str).tolist() == ["1", "2", "3"]
    assert found.keys["n"].sum() == numbers.notna().sum()
    halves = SURVEY.assign(brand=numbers + 0.5)
    found = estimate_groups(halves, MODEL, "brand", draws=0)
    assert found.keys["brand"].tolist() == [1.5, 2.5, 3.5]


def test_what_cannot_be_compared_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="Did you mean 'brand'"):
        estimate_groups(SURVEY, MODEL, "brnd")
    flat = SURVEY.copy()
    flat.loc[flat["brand"] == "B", "PERV1"] = 5
    found = estimate_groups(flat, MODEL, "brand", draws=0)
    assert found.names == ["A", "C"]
    assert any("B: all answers to PERV1 are the same" in text for text in found.warnings)
    assert "B: all answers to PERV1 are the same" in set(found.left_out["reason"])
    flat.loc[flat["brand"] == "C", "PERV1"] = 5
    with pytest.raises(InputError, match="C: all answers to PERV1 are the same"):
        estimate_groups(flat, MODEL, "brand", draws=0)
    with pytest.raises(InputError, match="not a construct"):
        compare_groups(SURVEY, MODEL, "brand", target="satisfactoin")
    answers = open_survey(SURVEY.replace(9, 98), MODEL, Columns(dont_know=[98]))
    asked = answers.data[list(answers.model.columns)]
    assert asked.isna().sum().sum() == answers.left_out["count"].sum() == answers.coded.sum() > 0


@pytest.mark.parametrize("method", ["holm", "benjamini_hochberg"])
def test_adjusted_p_equal_statsmodels(method: str) -> None:
    generator = np.random.default_rng(2)
    for size in (1, 2, 7, 40):
        p = generator.uniform(size=size) ** 3
        expected = multipletests(p, method={"holm": "holm"}.get(method, "fdr_bh"))[1]
        np.testing.assert_allclose(adjusted(p, method), expected, atol=1e-14)
    assert np.isnan(adjusted(np.array([0.01, np.nan]), method)[1])
    assert adjusted(np.array([0.01, np.nan]), method)[0] == 0.01


def test_letters_are_the_largest_sets_of_groups_that_do_not_differ() -> None:
    generator = np.random.default_rng(4)
    for _ in range(60):
        number = int(generator.integers(2, 8))
        upper = np.triu(generator.uniform(size=(number, number)) < 0.5, 1)
        different = upper | upper.T
        estimate = generator.normal(size=number)
        letters = compact_letters(estimate, different)
        alike = [
            set(s)
            for size in range(1, number + 1)
            for s in itertools.combinations(range(number), size)
            if not different[np.ix_(s, s)].any()
        ]
        largest = [s for s in alike if not any(s < other for other in alike)]
        marks = set("".join(letters))
        found = [{i for i in range(number) if m in letters[i]} for m in marks]
        assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
        assert "a" in letters[int(estimate.argmax())]


def coverage(repeats: int, seed: int) -> np.ndarray:
    """Share of repeats in which each group's rank interval holds its true rank."""
    truth, error = np.array([70.0, 70.0, 71.0, 74.0, 78.0]), np.array([1.0, 1.5, 1.0, 1.2, 0.8])
    rank = 1 + (truth[None] > truth[:, None]).sum(axis=1)
    generator = np.random.default_rng(seed)
    hits = np.zeros(5)
    for _ in range(repeats):
        estimate = generator.normal(truth, error)
        draws = generator.normal(estimate[:, None], error[:, None], (5, 400))
        _, low, high = rank_intervals(estimate, draws)
        hits += (low <= rank) & (rank <= high)
    return hits / repeats


def test_rank_intervals_cover() -> None:
    assert (coverage(300, 1) > 0.93).all()
    far = np.array([10.0, 30.0, 20.0])
    draws = far[:, None] + np.random.default_rng(1).normal(size=(3, 300))
    assert [tuple(x) for x in zip(*rank_intervals(far, draws), strict=True)] == [
        (3, 3, 3), (1, 1, 1), (2, 2, 2)
    ]  # fmt: skip
    same = np.random.default_rng(1).normal(size=(3, 300))
    assert rank_intervals(np.array([0.0, 0.1, -0.1]), same)[2].tolist() == [3, 3, 3]


@pytest.mark.slow
def test_rank_intervals_cover_in_the_long_run() -> None:
    assert (coverage(4000, 2) > 0.945).all()


def test_aggregation_by_hand() -> None:
    shares = pd.DataFrame({
        "firm": list("ABC"), "firm_share": [30, 10, 5], "industry": ["x", "x", "y"],
        "industry_share": [0.75, 0.75, 0.25], "sector": "s", "sector_share": 1.0,
    })  # fmt: skip
    found, told = aggregate(league().groups, "satisfaction", shares)
    a, b, c = league().groups.index("satisfaction")
    x = (3 * a + b) / 4
    nation = 0.75 * x + 0.25 * c
    np.testing.assert_allclose(found["index"], [x[0], c[0], nation[0], nation[0]], atol=1e-12)
    assert found["std_error"][3] == pytest.approx(nation[1:].std(ddof=1), abs=1e-12)
    assert list(found["name"]) == ["x", "y", "s", "(all)"] and not told
    assert list(found["parts"]) == [2, 1, 2, 1]
    some, told = aggregate(league().groups, "satisfaction", shares.iloc[[0, 2], :4])
    assert some["index"].iloc[-1] == pytest.approx(0.75 * a[0] + 0.25 * c[0])
    assert "B" in told[0]
    equal, told = aggregate(league().groups, "satisfaction")
    assert equal["index"][0] == pytest.approx((a[0] + b[0] + c[0]) / 3)
    assert "counts the same" in told[0] and "73" not in total_verdict(equal)[:5]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"firm_share": [1, -1, 1]}, "not a positive number"),
        ({"firm": ["A", "A", "B"]}, "two shares"),
        ({"firm": ["X", "Y", "Z"]}, "no firm of the table"),
        ({"extra": 1}, "pairs"),
    ],
)
def test_bad_shares_are_refused(change: dict, match: str) -> None:
    shares = pd.DataFrame({"firm": list("ABC"), "firm_share": [1, 1, 1]}).assign(**change)
    with pytest.raises(InputError, match=match):
        aggregate(league().groups, "satisfaction", shares)
