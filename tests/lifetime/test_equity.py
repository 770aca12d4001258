"""Customer equity, key accounts, recommendation, referral and opportunity by their definitions."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.lifetime import equity

CUSTOMERS = pd.DataFrame(
    {"customer": list("abcde"), "clv": [500.0, 300, 100, 60, 40], "tier": list("xxyyy")}
)


def test_customer_equity_reconciles():
    table = equity.customer_equity(CUSTOMERS, group="tier").set_index("group")
    assert table.loc["all", "equity"] == 1000
    assert table.loc[["x", "y"], "equity"].tolist() == [800, 200]
    assert table.loc["x", "share_of_customers"] == pytest.approx(0.4)
    assert table.loc["x", "share_of_equity"] == pytest.approx(0.8)
    assert table.loc["all", "mean_value"] == 200
    with pytest.raises(InputError, match="without a value"):
        equity.customer_equity(CUSTOMERS.assign(clv=np.nan))


def test_losing_one_key_account():
    table = equity.key_account_loss(CUSTOMERS, top=2)
    assert table["customer"].tolist() == ["a", "b"]
    assert table["share_of_equity"].tolist() == [0.5, 0.3]
    assert table["median_customers_to_replace"].tolist() == [5, 3]
    assert table["cumulative_share"].tolist() == [0.5, 0.8]


def test_net_promoter_score():
    answers = [10] * 5 + [9] * 15 + [8] * 20 + [7] * 10 + [6] * 5 + [0] * 25 + [None] * 3
    row = equity.net_promoter_score(answers).iloc[0]
    assert (row["n"], row["missing"]) == (80, 3)
    assert row["nps"] == pytest.approx(100 * (20 - 30) / 80)
    signs = np.repeat([1, 0, -1], [20, 30, 30])
    error = 100 * signs.std() / np.sqrt(80)
    assert row["std_error"] == pytest.approx(error)
    assert row["ci_high"] - row["nps"] == pytest.approx(1.959964 * error, rel=1e-6)


def test_net_promoter_interval_covers():
    rng = np.random.default_rng(5)
    shares = [0.5, 0.3, 0.2]
    inside = 0
    for _ in range(400):
        row = equity.net_promoter_score(rng.choice([10, 8, 3], 150, p=shares)).iloc[0]
        inside += row["ci_low"] <= 30 <= row["ci_high"]
    assert 0.92 <= inside / 400 <= 0.98


def test_net_promoter_score_refuses_other_scales():
    with pytest.raises(InputError, match="0 to 10"):
        equity.net_promoter_score([1.5, 10])
    with pytest.raises(InputError, match="0 to 10"):
        equity.net_promoter_score([11, 10])


def test_referral_value():
    log = pd.DataFrame(
        {"referrer": ["a", "a", "b"], "referred": ["c", "d", "e"], "years": [0, 1, 0]}
    )
    values = pd.Series([100.0, 60, 40], index=["c", "d", "e"])
    table = equity.referral_value(log, values, 0.25, 10, 0.1).set_index("referrer")
    assert table.loc["a", "referral_value"] == pytest.approx(75 + 10 + (45 + 10) / 1.1)
    assert table.loc["b", "referral_value"] == pytest.approx(30 + 10)
    assert table.loc["a", "referred"] == 2
    # all joined anyway: only the saved cost counts
    saved = equity.referral_value(log, values, 1, 10).set_index("referrer")
    assert saved["referral_value"].tolist() == [20, 10]
    with pytest.raises(InputError, match="referred twice"):
        equity.referral_value(pd.concat([log, log.iloc[:1]]), values, 0.2, 10)


def test_opportunity_scores():
    # Ulwick (2002): importance 9.5, satisfaction 3.2 scores 15.8.
    table = equity.opportunity_scores({"b": [5, 8], "a": [9.5, 3.2], "c": [5, 5]})
    assert table["need"].tolist()[0] == "a"
    found = table.set_index("need")
    assert found.loc["a", "opportunity"] == pytest.approx(15.8)
    assert found.loc["b", "opportunity"] == 5
    assert found["served"].to_dict() == {"a": "underserved", "b": "overserved", "c": "even"}
    with pytest.raises(InputError, match=r"importance: .* not a number between 0 and 10"):
        equity.opportunity_scores({"a": [11, 3]})


def test_referrals_from_a_file_or_simulated(tmp_path):
    customers = pd.Series(range(200))
    log, note = equity.read_referrals("simulated", customers, seed=1)
    assert "SIMULATED" in note
    assert len(log) == 10
    assert log["referred"].is_unique
    assert not set(log["referrer"]) & set(log["referred"])
    log.to_csv(tmp_path / "log.csv", index=False)
    read, _ = equity.read_referrals(str(tmp_path / "log.csv"), customers, seed=1)
    assert read["referred"].tolist() == log["referred"].tolist()
