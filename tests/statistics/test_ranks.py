"""Rank measures against scipy, scikit-learn and hand-worked cases; both pillars' doors to them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from cvlib.lifetime.holdout.metrics import area_under_curve, ranking_metrics
from cvlib.statistics import ranks, resample
from cvlib.statistics.ranks import Order, Ranked
from cvlib.weighting.validity import criterion_validity


def ranked(score, counts=None, decimals=None):
    return Ranked(Order.of(score, decimals), np.ones((1, len(score))) if counts is None else counts)


@pytest.fixture(scope="module")
def tied():
    rng = np.random.default_rng(5)
    score = np.round(rng.gamma(2, size=300), 1)
    worth = np.where(rng.random(300) < 0.5, 0, np.round(score * rng.gamma(1, size=300)))
    return score, worth


def test_correlations_and_auc_are_those_of_scipy_and_scikit_learn(tied):
    score, worth = tied
    one = ranked(score)
    assert ranks.spearman(one, ranked(worth))[0] == pytest.approx(stats.spearmanr(score, worth)[0])
    assert ranks.kendall_tau(score, worth) == pytest.approx(stats.kendalltau(score, worth)[0])
    assert ranks.auc(one, worth > 0)[0] == pytest.approx(roc_auc_score(worth > 0, score))
    assert np.array_equal(ranks.mid_ranks(score), stats.rankdata(-score))
    assert np.array_equal(one.mid_rank[0, one.order.group], stats.rankdata(score))


def test_what_has_no_answer_is_nan():
    flat, rising = np.ones(4), np.arange(4.0)
    assert np.isnan(ranks.spearman(ranked(flat), ranked(rising))[0])
    assert np.isnan(ranks.kendall_tau(flat, rising))
    assert np.isnan(ranks.auc(ranked(rising), np.ones(4))[0])
    assert np.isnan(ranks.capture(ranked(rising), np.zeros(4), 0.5)[0])


def test_counts_are_repeated_customers(tied):
    score, worth = tied
    counts = np.vstack(list(resample.multinomial(300, 5, 1)))
    one, other = ranked(score, counts), ranked(worth, counts)
    for sample, row in enumerate(counts.astype(int)):
        again = ranked(np.repeat(score, row)), ranked(np.repeat(worth, row))
        own = np.repeat(worth, row)
        for measure, in_counts in (
            (lambda a, b, w: ranks.spearman(a, b), ranks.spearman(one, other)),
            (lambda a, b, w: ranks.auc(a, w > 0), ranks.auc(one, worth > 0)),
            (lambda a, b, w: ranks.capture(a, w, 0.1), ranks.capture(one, worth, 0.1)),
            (lambda a, b, w: ranks.hit_rate(a, b, 0.2), ranks.hit_rate(one, other, 0.2)),
            (lambda a, b, w: ranks.gini(a, w), ranks.gini(one, worth)),
        ):
            assert in_counts[sample] == pytest.approx(measure(*again, own)[0], rel=1e-12)


def test_ties_count_as_the_mean_of_every_order(tied):
    score, worth = tied
    rng = np.random.default_rng(7)
    broken = [
        ranks.capture(ranked(score + 1e-6 * rng.random(300)), worth, 0.1)[0] for _ in range(2000)
    ]
    error = np.std(broken) / np.sqrt(2000)
    assert ranks.capture(ranked(score), worth, 0.1)[0] == pytest.approx(
        np.mean(broken), abs=4 * error
    )


def test_the_top_tenth_of_25_is_two_and_a_half_customers():
    worth = np.arange(25.0, 0, -1)  # 25 + 24 + half of 23, of 325
    assert ranks.capture(ranked(worth), worth, 0.1)[0] == pytest.approx(60.5 / 325)
    assert ranks.hit_rate(ranked(worth), ranked(worth), 0.1)[0] == pytest.approx(1)
    assert ranks.overlap(Order.of(worth), Order.of(worth), 0.1) == pytest.approx(1)
    curve = ranks.capture_curve(Order.of(worth), worth, np.array([0.1]))
    assert curve[0] == pytest.approx(60.5 / 325)


@pytest.mark.parametrize("customers", [7, 11, 25, 99, 236])
def test_a_score_that_knows_nothing_holds_its_share_whatever_the_number_of_customers(customers):
    worth = np.random.default_rng(customers).gamma(1, size=customers)
    found = [ranks.capture(ranked(np.zeros(customers)), worth, share)[0] for share in (0.1, 0.2)]
    assert found == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize("customers", [11, 25, 250])
def test_both_pillars_capture_the_same(customers):
    rng = np.random.default_rng(customers)
    score = np.round(rng.gamma(1, size=customers), 1)
    spend = score * rng.gamma(1, size=customers) * (rng.random(customers) < 0.7)
    lifetime = ranking_metrics(spend, score)
    scores = pd.DataFrame({"equal": rng.random(customers), "own": score})
    table = criterion_validity(scores, pd.Series(spend), draws=0).validity
    weighting = table[table["method"] == "own"].set_index("metric")["estimate"]
    assert weighting["top_decile_capture"] == pytest.approx(lifetime["capture_10"][0], rel=1e-12)
    assert weighting["spearman"] == pytest.approx(lifetime["spearman"][0], rel=1e-12)
    auc = area_under_curve(spend > 0, score)["auc"][0]
    assert weighting["auc"] == pytest.approx(auc, rel=1e-12)
    assert lifetime["lift_10"][0] == pytest.approx(10 * lifetime["capture_10"][0])
    curve = criterion_validity(scores, pd.Series(spend), draws=0).capture
    at = curve[(curve["method"] == "own") & np.isclose(curve["share_of_customers"], 0.1)]
    assert at["share_of_outcome"].item() == pytest.approx(lifetime["capture_10"][0], rel=1e-12)


def test_overlap_of_two_rankings():
    a, b, c = (Order.of(np.array(x)) for x in ([4.0, 3, 2, 1], [3.0, 4, 1, 2], [1.0, 4, 3, 2]))
    assert ranks.overlap(a, b, 0.5) == 1
    assert ranks.overlap(a, c, 0.5) == 0.5
    flat = Order.of(np.ones(4))
    assert ranks.overlap(flat, flat, 0.5) == 1 and ranks.overlap(a, flat, 0.5) == 0.5


def test_hits_of_tied_scores_are_those_of_independent_random_orders(tied):
    score, worth = tied
    rng = np.random.default_rng(3)

    def top(x, places):
        return set(np.lexsort((rng.random(len(x)), -x))[:places])

    found = [len(top(score, 30) & top(worth, 30)) / 30 for _ in range(2000)]
    error = np.std(found) / np.sqrt(2000)
    hits = ranks.hit_rate(ranked(score), ranked(worth), 0.1)[0]
    assert hits == pytest.approx(np.mean(found), abs=4 * error)
    flat = ranks.hit_rate(ranked(np.zeros(300)), ranked(worth), 0.1)[0]
    assert flat == pytest.approx(0.1)
    odd = ranks.hit_rate(ranked(score[:25]), ranked(worth[:25]), 0.1)[0]
    two, three = (ranks.hit_rate(ranked(score[:25]), ranked(worth[:25]), k / 25)[0] for k in (2, 3))
    assert odd == pytest.approx((0.5 * 2 * two + 0.5 * 3 * three) / 2.5)


def test_overlap_is_that_of_one_random_order_for_both(tied):
    score, worth = (np.round(x / 3) for x in tied)
    rng = np.random.default_rng(3)
    found = []
    for _ in range(2000):
        key = rng.random(300)
        tops = [set(np.lexsort((key, -x))[:30]) for x in (score, worth)]
        found.append(len(tops[0] & tops[1]) / 30)
    common = ranks.overlap(Order.of(score), Order.of(worth), 0.1)
    assert common == pytest.approx(np.mean(found), abs=0.01)


def test_the_order_of_the_rows_changes_nothing(tied):
    score, worth = tied
    turned = np.random.default_rng(1).permutation(300)
    for share in (0.05, 0.1, 0.33):
        one = ranks.capture(ranked(score), worth, share)[0]
        assert ranks.capture(ranked(score[turned]), worth[turned], share)[0] == pytest.approx(one)
        both = [ranks.overlap(Order.of(score[t]), Order.of(worth[t]), share)
                for t in (np.arange(300), turned)]  # fmt: skip
        assert both[0] == pytest.approx(both[1])


def test_scores_equal_to_rounding_noise_are_tied_where_that_is_asked_for():
    assert ranks.mid_ranks(np.array([0.3, 0.1 + 0.2, 0.9])).tolist() == [2.5, 2.5, 1]
    assert len(Order.of(np.array([0.3, 0.1 + 0.2]), decimals=12).starts) == 1
    assert len(Order.of(np.array([0.3, 0.1 + 0.2])).starts) == 2
