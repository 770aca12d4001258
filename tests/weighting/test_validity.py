import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from cvlib.inputs.errors import InputError
from cvlib.statistics.ranks import Order, Ranked
from cvlib.weighting.validity import _metrics, criterion_validity, read_outcome


def simulated(n=400, seed=0, strength=2.0):
    rng = np.random.default_rng(seed)
    z = rng.random((n, 3))
    spend = np.maximum(strength * z[:, 0] + rng.normal(size=n), 0)
    scores = pd.DataFrame(
        {"equal": z.mean(axis=1), "first": z[:, 0], "last": z[:, 2], "ties": np.round(z[:, 0], 1)}
    )
    return scores, pd.Series(spend)


def metrics(x, y, counts):
    return _metrics(Ranked(Order.of(x), counts), y, Ranked(Order.of(y), counts))


def test_metrics_against_scipy_and_scikit_learn_with_ties():
    scores, spend = simulated()
    table = criterion_validity(scores, spend, draws=0).validity
    found = table.set_index(["method", "metric"])["estimate"]
    for m in scores:
        assert found[m, "spearman"] == pytest.approx(stats.spearmanr(scores[m], spend)[0])
        assert found[m, "auc"] == pytest.approx(roc_auc_score(spend > 0, scores[m]))
    top = scores["first"].nlargest(40).index
    assert found["first", "top_decile_capture"] == pytest.approx(spend[top].sum() / spend.sum())
    best = spend.nlargest(40).sum() / spend.sum()
    ceiling = table.set_index(["method", "metric"])["ceiling"]
    assert ceiling["first", "top_decile_capture"] == pytest.approx(best)
    assert ceiling["first", "spearman"] == pytest.approx(1)


def test_capture_splits_the_tied_edge_in_proportion():
    x, y = np.array([2.0, 1, 1, 1, 1, 0, 0, 0, 0, 0] * 2), np.arange(20.0)
    found = metrics(x, y, np.ones((1, 20)))[1, 0]
    top = x == 2
    assert found == pytest.approx(y[top].sum() / y.sum())
    everyone = metrics(np.zeros(20), y, np.ones((1, 20)))[:, 0]
    assert everyone[1] == pytest.approx(0.1) and everyone[2] == 0.5 and np.isnan(everyone[0])


def test_counts_are_repeated_customers_and_the_bootstrap_is_paired():
    scores, spend = simulated(60, 1)
    counts = np.random.default_rng(2).multinomial(60, np.full(60, 1 / 60), size=5)
    for name in ("first", "ties"):
        x, y = scores[name].to_numpy(), spend.to_numpy()
        found = metrics(x, y, counts.astype(float))
        for b, c in enumerate(counts):
            whole = metrics(np.repeat(x, c), np.repeat(y, c), np.ones((1, 60)))[:, 0]
            np.testing.assert_allclose(found[:, b], whole, rtol=1e-10)
    one = criterion_validity(scores, spend, draws=100, seed=5).validity
    two = criterion_validity(scores[["first", "equal"]], spend, draws=100, seed=5).validity
    key = ["method", "metric"]
    merged = one.merge(two, on=key, suffixes=("", "_two"))
    for column in ("ci_low", "difference_ci_high"):
        np.testing.assert_allclose(merged[column], merged[f"{column}_two"])
    same = criterion_validity(scores.assign(copy=scores["equal"]), spend, draws=50).validity
    copy = same[same["method"] == "copy"]
    assert (copy[["difference_ci_low", "difference_ci_high"]] == 0).all(axis=None)


def test_blocks_do_not_change_the_draws(monkeypatch):
    scores, spend = simulated(100, 3)
    whole = criterion_validity(scores, spend, draws=40).validity
    monkeypatch.setattr(sys.modules["cvlib.weighting.validity"], "BLOCK", 700)
    pd.testing.assert_frame_equal(criterion_validity(scores, spend, draws=40).validity, whole)


@pytest.mark.slow
def test_paired_interval_of_the_difference_covers_its_population_value():
    big_scores, big_spend = simulated(300_000, 99)
    table = criterion_validity(big_scores, big_spend, draws=0).validity
    truth = table.set_index(["method", "metric"])["difference"]
    hits = pd.Series(0.0, index=truth.index)
    for s in range(200):
        scores, spend = simulated(300, s)
        rows = criterion_validity(scores, spend, draws=300, seed=s).validity
        rows = rows.set_index(["method", "metric"])
        hits += (rows["difference_ci_low"] <= truth) & (truth <= rows["difference_ci_high"])
    others = hits.drop("equal") / 200
    assert others.between(0.89, 0.99).all(), others


def test_verdict_says_what_the_interval_says():
    scores, spend = simulated()
    clear = criterion_validity(scores.drop(columns="ties"), spend).verdict
    assert clear.startswith("Of 2 methods that never saw the outcome, first ranks")
    assert "for 2 comparisons at 5%: 1 ranks customers better (first)" in clear
    assert clear.endswith("1 ranks them worse (last).")
    worse = criterion_validity(scores[["equal", "last"]], spend).verdict
    assert "none ranks customers better and 1 ranks them worse (last)." in worse
    near = scores[["equal"]].assign(other=scores["equal"] + 0.001 * scores["last"])
    alike = criterion_validity(near, spend).verdict
    assert "none ranks customers better, none ranks them worse and 1 cannot be told" in alike
    told = criterion_validity(scores, spend, learned=("first",)).verdict
    assert "ties ranks" in told and "held back, first reaches" in told
    assert "no verdict" in criterion_validity(scores, spend, draws=0).verdict


def test_p_is_adjusted_over_all_methods_that_never_saw_the_outcome():
    scores, spend = simulated()
    found = criterion_validity(scores, spend, learned=("ties",)).validity
    rho = found[found["metric"] == "spearman"].set_index("method")["p_holm"]
    assert rho[["first", "last"]].notna().all() and rho[["equal", "ties"]].isna().all()
    many = scores.assign(**{f"n{i}": scores["equal"] for i in range(30)})
    more = criterion_validity(many, spend, learned=("ties",)).validity
    more = more[more["metric"] == "spearman"].set_index("method")["p_holm"]
    assert more["first"] > rho["first"] and more["n0"] == 1
    assert "p_holm" not in criterion_validity(scores, spend, draws=0).validity


def test_capture_curves_run_from_nothing_to_everything():
    scores, spend = simulated()
    curves = criterion_validity(scores, spend, draws=0).capture
    wide = curves.pivot(index="share_of_customers", columns="method", values="share_of_outcome")
    assert wide.iloc[0].eq(0).all()
    np.testing.assert_allclose(wide.iloc[-1], 1)
    assert (wide["outcome itself"] >= wide["first"] - 1e-12).all()
    tenth = criterion_validity(scores, spend, draws=0).validity.set_index(["method", "metric"])
    np.testing.assert_allclose(
        wide.loc[0.1, "first"], tenth.loc[("first", "top_decile_capture"), "estimate"]
    )


def test_outcomes_that_cannot_be_used_are_refused_or_said():
    scores, spend = simulated(50)
    always = criterion_validity(scores, spend + 1, draws=0)
    assert set(always.validity["metric"]) == {"spearman", "top_decile_capture"}
    assert any("no event for an AUC" in text for text in always.warnings)
    flat = criterion_validity(scores.assign(flat=1.0), spend, draws=20)
    assert any("flat score every customer the same" in text for text in flat.warnings)
    for outcome, message in (
        (spend.head(10), "missing for some"),
        (spend * 0, "same for everybody"),
        (spend - 1, "negative"),
    ):
        with pytest.raises(InputError, match=message):
            criterion_validity(scores, outcome)
    with pytest.raises(InputError, match="'none' is not among"):
        criterion_validity(scores, spend, baseline="none")


def test_without_an_outcome_nothing_is_said():
    scores, _ = simulated(50)
    found = criterion_validity(scores, None)
    assert found.validity.empty and found.capture.empty and found.best == ""
    assert found.verdict.startswith("Without an outcome")


def test_outcome_is_read_by_name_and_customer():
    table = pd.DataFrame({"id": ["a", "b", "c"], "spend": [1, 2, 3]})
    found = read_outcome(table, "spend", pd.Index(["c", "a"]), "id")
    assert found.tolist() == [3, 1]
    assert read_outcome(table, "", pd.Index(["a"]), "id") is None
    with pytest.raises(InputError, match=r"Did you mean 'spend'.*Leave `outcome` empty"):
        read_outcome(table, "spent", pd.Index(["a"]), "id")


def test_cdnow_against_numbers_of_other_software():
    """Past spend and the oracle hold what an independent computation found (top10 column)."""
    root = Path(__file__).parents[2]
    log = pd.read_csv(root / "data" / "cdnow_sample.csv", parse_dates=["date"])
    log = log.rename(columns={log.columns[0]: "customer_id"})
    early = log["date"] <= "1997-09-30"
    late = (log["date"] > "1997-09-30") & (log["date"] <= "1998-06-30")
    spend = log[early].groupby("customer_id")["amount"].sum()
    later = log[late].groupby("customer_id")["amount"].sum().reindex(spend.index).fillna(0)
    scores = pd.DataFrame({"equal": spend, "constant": 1.0}, index=spend.index)
    table = criterion_validity(scores, later, draws=0).validity.set_index(["method", "metric"])
    reference = pd.read_csv(
        root / "tests" / "reference" / "lifetime" / "computed_cdnow_value_holdout.csv", index_col=0
    )
    row = table.loc[("equal", "top_decile_capture")]
    assert round(row["estimate"], 4) == reference.loc["past spend (incl. first)", "top10"]
    assert round(row["ceiling"], 3) == 0.763
    assert table.loc[("constant", "auc"), "estimate"] == 0.5
    assert later.sum() == pytest.approx(70_976.39, abs=0.005)


def test_an_indicator_that_is_the_outcome_is_named() -> None:
    rng = np.random.default_rng(4)
    spend = pd.Series(rng.lognormal(size=80))
    scores = pd.DataFrame(
        {"equal": rng.random(80), "only_spend": spend, "only_visits": rng.random(80)}
    )
    found = criterion_validity(scores, spend, draws=0)
    (said,) = [text for text in found.warnings if "outcome itself" in text]
    assert said.values["method"] == "only_spend"
    honest = criterion_validity(scores.drop(columns="only_spend"), spend, draws=0)
    assert not [text for text in honest.warnings if "outcome itself" in text]
