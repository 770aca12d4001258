"""Counts, tracking and rolling origins against the published CDNOW numbers."""

from pathlib import Path

import pandas as pd
import pytest

from cvlib.inputs.readers import load_table
from cvlib.lifetime.holdout import tracking
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import fit_repeat_buying

CDNOW = Path(__file__).parents[2] / "data" / "cdnow_sample.csv"
REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"


def test_counts_in_sample(fit):
    # Fader, Hardie & Lee (2005): chi-square 4.82 with 3 degrees of freedom.
    table = tracking.count_fit(fit.purchase_counts(7), 4).set_index("measure")["value"]
    assert round(table["chi2"], 2) == 4.82
    assert table["df"] == 3


def test_tracking(summary, fit):
    table = tracking.tracking_table(summary, fit)
    weekly = pd.read_csv(REFERENCE / "cdnow_sample_weekly_cum_repeat.csv")
    assert table["cumulative_actual"].tolist() == weekly["cum_repeat"].tolist()
    errors = tracking.tracking_errors(table).set_index("measure")["value"]
    assert round(100 * errors["final_error"], 2) == -3.99
    pareto = tracking.tracking_table(summary, fit_repeat_buying(summary, "pareto_nbd"))
    errors = tracking.tracking_errors(pareto).set_index("measure")["value"]
    assert round(100 * errors["final_error"], 2) == -1.47


def test_rolling_origins_repeat_the_main_cut(log, result):
    found = tracking.rolling_origins(
        log, origins=["1997-02-15", "1997-09-30", "1997-12-31"], holdout_days=181
    )
    table = found.table
    assert table["calibration_end"].nunique() == 3
    auc = table[table["metric"] == "auc"].pivot(
        index="calibration_end", columns="model", values="value"
    )
    assert (auc["bg_nbd_p_alive"] < 0.5).all()  # at every cut
    assert (auc["bg_nbd"].iloc[1:] > 0.7).all()
    late = found.left_out.query("calibration_end == '1997-02-15' and reason.str.contains('join')")
    first = log.groupby("customer_id")["date"].min()
    assert late["count"].iloc[0] == ((first > "1997-02-15") & (first <= "1997-08-15")).sum()
    long = tracking.rolling_origins(log, origins=["1997-09-30"], holdout_days=273).table
    bias = long[(long["model"] == "bg_nbd") & (long["metric"] == "bias")]["value"].iloc[0]
    assert bias == pytest.approx(result.value("bg_nbd", "bias"), abs=1e-9)


def test_every_rival_is_judged_at_every_cut(log):
    cuts = ["1997-09-30", "1997-12-31"]
    terms = {"origins": cuts, "holdout_days": 91, "other_models": ["mbg_nbd"], "every": True}
    found = tracking.rolling_origins(log, **terms)
    rows = found.table.set_index(["calibration_end", "model", "metric"])
    for cut in cuts:
        for model, metric in (("mbg_nbd", "spend_rmse"), ("last_period", "rmse"), ("logit", "auc")):
            row = rows.loc[(cut, model, metric)]
            assert row["ci_low"] < row["value"] < row["ci_high"]
    table = found.mean_and_worst().set_index(["model", "metric"])
    each = [rows.loc[(cut, "bg_nbd", "brier"), "value"] for cut in cuts]
    assert table.loc[("bg_nbd", "brier"), "worst"] == max(each)
    assert table.loc[("bg_nbd", "brier"), "mean"] == pytest.approx(sum(each) / 2)
    each = [rows.loc[(cut, "bg_nbd", "auc"), "value"] for cut in cuts]
    assert table.loc[("bg_nbd", "auc"), "worst"] == min(each)


def test_what_was_assumed_to_read_a_log_is_said_once_not_at_every_cut(tmp_path):
    frame = load_table("cdnow_sample").data
    path = tmp_path / "days.csv"
    days = pd.to_datetime(frame["date"].astype(str)).dt.strftime("%d.%m.%Y")
    frame.assign(date=days).to_csv(path, index=False)
    found = tracking.rolling_origins(path, origins=["1997-06-30", "1997-09-30"], holdout_days=91)
    assert [str(text) for text in found.warnings].count(
        "days.csv, column date: dates were read as %d.%m.%Y."
    ) == 1
    assert not [text for text in found.warnings if "Cut at" in text and "read as" in text]


def test_a_log_without_money_is_judged_at_other_cuts_too(result):
    """Every amount is nought: measures of money have no value, those of purchases stand."""
    frame = load_table("cdnow_sample").data.assign(amount=0.0)
    terms = {"origins": ["1997-09-30"], "holdout_days": 91, "every": True}
    table = tracking.rolling_origins(frame, **terms).table.set_index(["model", "metric"])
    assert table.loc[("bg_nbd", "bias"), ["value", "ci_low", "ci_high"]].notna().all()
    money = table[table.index.get_level_values("metric").str.startswith("spend_rmse")]
    assert money.empty or (money["value"] == 0).all() or money["value"].isna().all()


@pytest.mark.parametrize(
    ("cut", "end"), [("1997-09-25", "1998-06-20"), ("1997-03-05", "1997-03-06")]
)
def test_periods_of_the_holdout_begin_after_the_cut_and_end_with_it(cut, end):
    """Whatever the weekday of the cut: the figure's holdout is the verdict's, to the day."""
    summary = summarise_purchases(CDNOW, calibration_end=cut, holdout_end=end)
    fit = fit_repeat_buying(summary)
    table = tracking.tracking_table(summary, fit)
    facts = summary.facts.set_index("measure")["value"]
    by_sample = table.groupby("sample")["actual"].sum()
    assert by_sample["holdout"] == facts["holdout_purchases"]
    assert by_sample["calibration"] == facts["repeat_purchases"]
    first = pd.to_datetime(summary.customers["first_purchase"])
    for day, ends in ((cut, table[table["sample"] == "calibration"]), (end, table)):
        age = ((pd.Timestamp(day) - first).dt.days + 1) / 7  # the last day counts
        expected = float(fit.expected_from_start(age.to_numpy()).sum())
        assert ends["cumulative_expected"].iloc[-1] == pytest.approx(expected, rel=1e-12)
    assert table["expected"].sum() == pytest.approx(table["cumulative_expected"].iloc[-1])
