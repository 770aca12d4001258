"""Metrics against two independent computations on CDNOW, against scikit-learn, and by identity."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout import metrics
from cvlib.statistics import forecasts, ranks, resample
from cvlib.statistics.proportions import wilson
from cvlib.statistics.ranks import Order, Ranked

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"


@pytest.fixture(scope="module")
def cdnow():
    """BG/NBD forecasts of weeks 40-78 from the published parameters by the textbook formulas."""
    table = pd.read_csv(REFERENCE / "cdnow_sample_btyd_cbs.csv")
    r, alpha, a, b = list(
        json.loads((REFERENCE / "computed_mle.json").read_text())["bgnbd_exact"].values()
    )[:4]
    x, t_x, age = table["x"], table["t_x"], table["T"]
    odds = np.where(x > 0, a / (b + x - 1), 0) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    table["p_alive"] = 1 / (1 + odds)
    z = 39 / (alpha + age + 39)
    grown = ((alpha + age) / (alpha + age + 39)) ** (r + x)
    table["expected"] = (
        (a + b + x - 1)
        / (a - 1)
        * (1 - grown * special.hyp2f1(r + x, b + x, a + b + x - 1, z))
        * table["p_alive"]
    )
    table["p_purchase"] = table["p_alive"] * (1 - grown)
    table["active"] = (table["x_star"] > 0).astype(float)
    return table


def one(found):
    return {name: float(value[0]) for name, value in found.items()}


def test_holdout_metrics_equal_the_independent_computation(cdnow):
    published = pd.read_csv(
        REFERENCE / "computed_cdnow_holdout_metrics.csv", index_col="model"
    ).loc["BG/NBD"]
    found = one(metrics.amount_metrics(cdnow["x_star"], cdnow["expected"]))
    assert cdnow["expected"].sum() == pytest.approx(published["sum_pred"], rel=1e-10)
    ours = {
        "bias": "bias",
        "MAE": "mae",
        "RMSE": "rmse",
        "MSLE": "msle",
        "corr": "pearson",
    }
    for name, metric in ours.items():
        assert found[metric] == pytest.approx(published[name], abs=1e-9), name
    top = Ranked(Order.of(cdnow["expected"]), np.ones((1, 2357)))
    for share in (10, 20):
        places, edge = 23.57 * share, np.floor(23.57 * share)
        below, above = (
            ranks.capture(top, cdnow["x_star"].to_numpy(float), whole / 2357)[0]
            for whole in (edge, edge + 1)
        )
        # the reference takes the last customer whole
        assert above == pytest.approx(published[f"top{share}_capture"], abs=1e-9)
        between = below + (places - edge) * (above - below)
        assert found[f"capture_{share}"] == pytest.approx(between, abs=1e-12)
    auc = one(metrics.area_under_curve(cdnow["active"], cdnow["expected"]))["auc"]
    assert auc == pytest.approx(published["AUC_active"], abs=1e-12)


@pytest.mark.parametrize(
    ("score", "row"), [("p_alive", "BG/NBD"), ("p_purchase", "BG/NBD P(x*>0)")]
)
def test_churn_metrics_equal_the_independent_computation(cdnow, score, row):
    published = pd.read_csv(REFERENCE / "computed_cdnow_churn_metrics.csv", index_col="score").loc[
        row
    ]
    found = one(metrics.probability_metrics(cdnow["active"], cdnow[score]))
    assert cdnow[score].mean() == pytest.approx(published["mean_prob"], abs=1e-9)
    ours = {"AUC": "auc", "Brier": "brier", "acc@.5": "accuracy", "logloss": "log_loss"}
    for name, metric in ours.items():
        assert found[metric] == pytest.approx(published[name], rel=1e-8), name


def test_recency_and_other_tied_rankings(cdnow):
    """The reference breaks ties in the top group by row order; ours shares the places evenly."""
    published = pd.read_csv(REFERENCE / "computed_cdnow_holdout_metrics.csv", index_col="model")
    scores = {
        "recency t_x-T (hiatus)": cdnow["t_x"] - cdnow["T"],
        "x": cdnow["x"].astype(float),
        "m_x*x spend": cdnow["x"] * cdnow["m_x"],
        "naive rate x/T*39": cdnow["x"] / cdnow["T"] * 39,
    }
    for name, score in scores.items():
        auc = one(metrics.area_under_curve(cdnow["active"], score))["auc"]
        assert auc == pytest.approx(published.loc[name, "AUC_active"], abs=1e-12), name
        shared = one(metrics.ranking_metrics(cdnow["x_star"], score))
        assert shared["pearson"] == pytest.approx(published.loc[name, "corr"], abs=1e-12), name
        for share in (10, 20):
            expected = published.loc[name, f"top{share}_capture"]
            whole = np.ceil(share / 100 * 2357) / 2357  # the reference takes the 236th whole
            order = Ranked(Order.of(-stats.rankdata(-score, method="ordinal")), np.ones((1, 2357)))
            found = ranks.capture(order, cdnow["x_star"].to_numpy(float), whole)[0]
            assert found == pytest.approx(expected, abs=1e-12), name
        orders = [score + 1e-9 * np.random.default_rng(s).random(len(score)) for s in range(300)]
        averaged = np.mean(
            [one(metrics.ranking_metrics(cdnow["x_star"], o))["capture_10"] for o in orders]
        )
        assert shared["capture_10"] == pytest.approx(averaged, abs=1e-3), name


def test_oracle_ceiling_of_capture(cdnow):
    found = one(metrics.ranking_metrics(cdnow["x_star"], cdnow["x_star"].astype(float)))
    best = cdnow["x_star"].nlargest(236)
    top = (best.iloc[:235].sum() + 0.7 * best.iloc[235]) / cdnow["x_star"].sum()
    assert found["capture_10"] == pytest.approx(top, abs=1e-12)
    assert found["gini"] == pytest.approx(1, abs=1e-12)
    assert found["spearman"] == pytest.approx(1, abs=1e-12)


def test_against_scikit_learn_and_scipy():
    from sklearn import linear_model
    from sklearn import metrics as sk

    rng = np.random.default_rng(3)
    p = np.round(rng.beta(1, 3, 500), 2).clip(0.01, 0.99)  # rounded: ties
    y = (rng.random(500) < p**1.2).astype(float)
    amount = rng.poisson(3 * p).astype(float)
    found = one(metrics.probability_metrics(y, p))
    assert found["auc"] == pytest.approx(sk.roc_auc_score(y, p), abs=1e-12)
    assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p), abs=1e-12)
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p), abs=1e-9)
    regression = linear_model.LogisticRegression(C=np.inf, tol=1e-10).fit(
        special.logit(p)[:, None], y
    )
    assert found["calibration_slope"] == pytest.approx(regression.coef_[0, 0], abs=1e-5)
    assert found["calibration_intercept"] == pytest.approx(regression.intercept_[0], abs=1e-5)
    ranked = one(metrics.ranking_metrics(amount, p))
    assert ranked["spearman"] == pytest.approx(stats.spearmanr(amount, p).statistic, abs=1e-12)
    assert ranked["pearson"] == pytest.approx(stats.pearsonr(amount, p).statistic, abs=1e-12)


def test_normalised_gini_of_a_binary_outcome_is_two_auc_minus_one(cdnow):
    gini = one(metrics.ranking_metrics(cdnow["active"], cdnow["expected"]))["gini"]
    auc = one(metrics.area_under_curve(cdnow["active"], cdnow["expected"]))["auc"]
    assert gini == pytest.approx(2 * auc - 1, abs=1e-12)


def test_counts_are_the_same_as_repeating_customers(cdnow):
    """A weighted metric equals the plain metric of the sample with the customers written out."""
    part = cdnow.iloc[:300]
    counts = next(resample.multinomial(300, 4, seed=1))
    written = part.loc[part.index.repeat(counts[2].astype(int))]
    for function, outcome, score in (
        (metrics.amount_metrics, "x_star", "expected"),
        (metrics.probability_metrics, "active", "p_purchase"),
    ):
        weighted = function(part[outcome], part[score], counts)
        plain = one(function(written[outcome], written[score]))
        for metric, value in plain.items():
            if metric != "ece":  # its bins are those of the whole sample
                assert weighted[metric][2] == pytest.approx(value, rel=1e-7), metric


def test_bootstrap_blocks_do_not_depend_on_memory():
    blocks = np.vstack(list(resample.multinomial(7, 5, seed=2)))
    assert blocks.shape == (5, 7)
    assert (blocks.sum(axis=1) == 7).all()
    assert max(len(block) for block in resample.multinomial(1_000_000, 5, seed=2)) == 2


def test_wilson_interval():
    # Newcombe (1998) Statistics in Medicine 17:857-872, table I: 81/263, 15/148, 0/20, 1/29.
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0.0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_calibration_bins_and_decomposition(cdnow):
    table = forecasts.calibration_table(cdnow["active"], cdnow["p_purchase"])
    assert list(table.columns) == ["bin", "n", "mean_probability", "observed", "ci_low", "ci_high"]
    assert table["n"].sum() == len(cdnow)
    assert table["n"].between(215, 255).all()
    assert (table["observed"] * table["n"]).sum() == 684
    parts = forecasts.murphy_decomposition(cdnow["active"], cdnow["p_purchase"]).set_index(
        "component"
    )["value"]
    assert parts["uncertainty"] == pytest.approx(0.2060, abs=5e-5)
    assert parts["brier"] == pytest.approx(0.16122382243747044, abs=1e-9)
    rebuilt = (
        parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within_bin"]
    )
    assert rebuilt == pytest.approx(parts["brier"], abs=1e-14)
    levels = np.round(cdnow["p_purchase"], 1)  # few distinct values: no spread inside a bin
    constant = forecasts.murphy_decomposition(cdnow["active"], levels, bins=2000).set_index(
        "component"
    )["value"]
    assert constant["within_bin"] == pytest.approx(0, abs=1e-12)


def test_all_one_time_buyers_tied_at_one_share_a_bin(cdnow):
    table = forecasts.calibration_table(cdnow["active"], cdnow["p_alive"])
    assert table["n"].max() == 1411


def test_constant_probability_has_no_calibration_slope():
    found = metrics.probability_metrics([0, 1, 1, 0.0], [0.5, 0.5, 0.5, 0.5])
    assert "calibration_slope" not in found
    assert float(found["auc"][0]) == 0.5
    assert float(found["brier_skill"][0]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.amount_metrics([1.0, 2], [1.0]), "differ"),
        (lambda: metrics.amount_metrics([1.0, -2], [1.0, 1]), "negative"),
        (lambda: metrics.amount_metrics([1.0, 2], [1.0, np.nan]), "not finite"),
        (lambda: metrics.probability_metrics([0, 2.0], [0.1, 0.2]), "0 or 1"),
        (lambda: metrics.probability_metrics([0, 1.0], [0.1, 1.2]), "0 or 1"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_every_metric_is_defined(cdnow):
    names = set(metrics.amount_metrics(cdnow["x_star"], cdnow["expected"]))
    names |= set(metrics.probability_metrics(cdnow["active"], cdnow["p_purchase"]))
    assert names == set(metrics.DEFINITIONS)
