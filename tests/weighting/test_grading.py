from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.weighting.breaks import natural_breaks, rank_sum_ratio, rank_sum_ratio_cuts
from cvlib.weighting.grade import (
    SCHEMES,
    grade,
    grade_by_each,
    grade_by_schemes,
    grade_stability,
    stability_verdict,
)
from cvlib.weighting.scale import normalise
from cvlib.weighting.smaa import draw_weights


def test_the_pyramid_is_one_four_fifteen_eighty():
    result = grade(pd.Series(np.arange(1000.0)), value=pd.Series(np.arange(1000.0) ** 3))
    table = result.grades.set_index("grade")
    assert table["customers"].to_dict() == {"VIP": 10, "major": 40, "ordinary": 150, "small": 800}
    assert table.loc["VIP", "score_low"] == 990 and table.loc["small", "score_high"] == 799
    assert table["value_share"].sum() == pytest.approx(1)
    assert table.loc["VIP", "value"] == (np.arange(990.0, 1000) ** 3).sum()
    assert result.warnings == ()


def test_equal_scores_share_the_grade_of_the_last_of_them_and_it_is_said():
    scores = pd.Series([5.0, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    result = grade(scores, "quantiles", classes=5)
    codes = result.customers["grade"].cat.codes
    assert codes.groupby(scores).nunique().eq(1).all()
    assert codes.tolist() == [0, 2, 2, 2, 2, 4, 4, 4, 4, 4]
    assert any("Equal scores make" in text for text in result.warnings)
    assert any("No customer is in" in text for text in result.warnings)
    noisy = grade(scores + 1e-15 * np.arange(10), "quantiles", classes=5)
    assert noisy.customers["grade"].equals(result.customers["grade"])


def test_abc_by_cumulative_value():
    value = pd.Series([50.0, 20, 10, 9, 6, 3, 1, 1])
    result = grade(pd.Series(np.ones(8)), "abc", cumulate=value, value=value)
    # A opens until 80 per cent is reached, so the customer who crosses it is still A.
    assert result.customers["grade"].tolist() == list("AAABBCCC")
    assert result.grades["value_share"].tolist() == pytest.approx([0.8, 0.15, 0.05])
    with pytest.raises(InputError, match="0 or more"):
        grade(pd.Series([1.0, -1, 2]), "abc")


def test_cutoffs_include_their_own_value():
    result = grade(pd.Series([0.8, 0.79, 0.4, 0.1]), "cutoffs", cutoffs=[0.4, 0.8])
    assert result.customers["grade"].tolist() == ["grade 1", "grade 2", "grade 2", "grade 3"]


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_natural_breaks_find_the_best_grouping_by_exhaustion(classes):
    rng = np.random.default_rng(classes)
    for _ in range(20):
        x = np.sort(np.round(rng.gamma(1.0, size=12), 1))
        values = np.unique(x)

        def within(starts, x=x):
            groups = np.searchsorted(starts, x, side="right")
            return sum(((x[groups == g] - x[groups == g].mean()) ** 2).sum() for g in set(groups))

        best = min(within(np.array(c)) for c in combinations(values[1:], classes - 1))
        cuts = natural_breaks(x, classes)
        assert (np.diff(cuts) < 0).all()
        assert within(cuts[::-1]) == pytest.approx(best, abs=1e-12)


def test_natural_breaks_refuses_more_groups_than_values():
    with pytest.raises(InputError, match="cannot make 3 groups of 2"):
        natural_breaks(np.array([1.0, 1, 2]), 3)


def test_rank_sum_ratio_and_its_probit_line(flat):
    normalised = normalise(flat([[1, 9], [2, 5], [5, 1], [7, 5]], [1, -1]))
    ratio = rank_sum_ratio(normalised, pd.Series({"c0": 0.6, "c1": 0.4}))
    np.testing.assert_allclose(ratio, [1 / 4, (1.2 + 1.0) / 4, (1.8 + 1.6) / 4, (2.4 + 1.0) / 4])
    # A normal sample lies on its probit line: slope is its standard deviation.
    x = stats.norm.ppf((np.arange(400) + 0.5) / 400, 0.5, 0.1)
    cuts, r_squared = rank_sum_ratio_cuts(x, 3)
    np.testing.assert_allclose(cuts, [0.6, 0.4], atol=0.002)
    assert r_squared > 0.99
    result = grade(pd.Series(x), "rank_sum_ratio", classes=3)
    assert result.grades["share"].tolist() == pytest.approx([0.1587, 0.6827, 0.1587], abs=0.01)
    for bad, classes in ((x, 7), (np.array([1.0, 1, 2]), 3)):
        with pytest.raises(InputError, match="rank-sum ratio"):
            rank_sum_ratio_cuts(bad, classes)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_grades_everyone_and_never_a_lower_score_higher(scheme):
    scores = pd.Series(np.random.default_rng(1).gamma(2.0, size=300))
    result = grade(scores, scheme)
    assert result.grades["customers"].sum() == 300
    in_order = result.customers.sort_values("score", ascending=False)["grade"].cat.codes
    assert in_order.is_monotonic_increasing and in_order.iloc[0] == 0


def test_stability_is_one_where_weights_cannot_matter_and_lower_at_the_edges(flat):
    certain = flat(np.repeat(np.arange(100.0)[:, None], 3, axis=1))
    w = draw_weights(certain.items, 200, seed=1)
    scores = pd.Series(normalise(certain).complete() @ np.full(3, 1 / 3))
    table, summary = grade_stability(normalise(certain), scores, w)
    assert (table["stability"] == 1).all() and (summary["unstable"] == 0).all()
    mixed = flat(np.random.default_rng(2).random((100, 3)))
    scores = pd.Series(normalise(mixed).complete() @ np.full(3, 1 / 3))
    table, summary = grade_stability(normalise(mixed), scores, w)
    assert table["stability"].between(0, 1).all() and table["stability"].mean() < 0.99
    assert summary["customers"].tolist() == [1, 4, 15, 80]
    kept = summary.set_index("grade").loc[:, "below_50":]
    np.testing.assert_allclose(kept.sum(axis=1), 1)
    small = table.loc[table["grade"] == "small", "stability"]
    assert kept.loc["small", "from_99"] == pytest.approx((small >= 0.99).mean())
    assert kept.loc["small", "from_75"] == pytest.approx(small.between(0.75, 0.9, "left").mean())
    assert summary.loc[3, "mean_stability"] > summary.loc[1, "mean_stability"]
    tight = draw_weights(
        mixed.items, 200, centre=pd.Series(1 / 3, index=mixed.items), concentration=1e6
    )
    assert grade_stability(normalise(mixed), scores, tight)[0]["stability"].mean() > 0.99


def test_stability_is_told_of_published_grades_only():
    summary = pd.DataFrame(
        {
            "grade": ["VIP", "major", "small"],
            "customers": [2, 9, 90],
            "mean_stability": [0.5, 0.7, 0.9],
        }
    )
    value, text = stability_verdict(summary)
    assert value == 0.5 and "customers of grade VIP keep it in 50.0%" in text
    assert "customers of grade top" in text.worded("en", {"VIP": "top"})
    assert "Least stable" not in text
    value, text = stability_verdict(summary.assign(mean_stability=[0.9, 0.7, 0.8]))
    assert text.endswith("Least stable is grade major with 70.0%.")
    summary.loc[0, ["customers", "mean_stability"]] = np.nan
    value, text = stability_verdict(summary)
    assert value == 0.7 and "grade major" in text and "VIP" not in text
    value, text = stability_verdict(summary.assign(customers=np.nan))
    assert np.isnan(value) and "No grade holds enough" in text


def test_bad_requests_are_refused():
    scores = pd.Series([1.0, 2, 3])
    with pytest.raises(InputError, match="Did you mean 'pyramid'"):
        grade(scores, "piramid")
    with pytest.raises(InputError, match="none or have gaps"):
        grade(pd.Series([1.0, np.nan]))
    with pytest.raises(InputError, match="value of customers"):
        grade(scores, value=pd.Series([1.0, 2]))
    with pytest.raises(InputError, match="do not name"):
        grade(scores, "quantiles", labels=["a", "b"])


def test_all_schemes_and_all_scores_at_once():
    scores = pd.Series(np.random.default_rng(9).gamma(2.0, size=200))
    table, warnings = grade_by_schemes(scores, ratio=scores / 100)
    assert table["method"].unique().tolist() == list(SCHEMES)
    assert (table.groupby("method")["customers"].sum() == 200).all()
    assert any(text.startswith("rank_sum_ratio: ") for text in warnings)
    few, warnings = grade_by_schemes(pd.Series([1.0, 1, 2, 2]))
    assert few["method"].unique().tolist() == list(SCHEMES[:4])
    assert any("natural_breaks left out: natural breaks: cannot make" in t for t in warnings)
    each, codes = grade_by_each(pd.DataFrame({"a": scores, "b": -scores}))
    assert each["method"].unique().tolist() == ["a", "b"]
    assert codes["a"].equals(pd.Series(grade(scores).customers["grade"].array))
