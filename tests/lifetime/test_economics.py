"""Retention economics against published numbers, brute force and the definition of each sum."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from cvlib.inputs.errors import InputError
from cvlib.lifetime import economics, equity


def present_value(r, i, g, first, years=4000):
    t = np.arange(0 if first == "immediate" else 1, years)
    growth = (1 + g) ** (t if first == "immediate" else t - 1)
    return float((r**t * growth / (1 + i) ** t).sum())


@pytest.mark.parametrize("first", ["end", "immediate"])
@pytest.mark.parametrize(("r", "i", "g"), [(0.9, 0.12, 0), (0.6, 0.1, 0.05), (0.95, 0.05, -0.02)])
def test_multiple_is_the_sum_of_discounted_margins(r, i, g, first):
    found = economics.value_multiple(r, i, g, first)
    assert found == pytest.approx(present_value(r, i, g, first), rel=1e-12)


def test_gupta_lehmann_multiple_and_elasticity():
    # Gupta & Lehmann (2003): r = .9, i = .12 gives 4.09; elasticity (1 + i)/(1 + i - r) = 5.09.
    assert round(float(economics.value_multiple(0.9, 0.12)), 2) == 4.09
    table = economics.elasticities(0.9, 0.12).set_index("driver")["value"]
    assert round(table["retention"], 2) == 5.09
    assert table["margin"] == 1


@pytest.mark.parametrize("first", ["end", "immediate"])
def test_elasticities_are_the_derivatives(first):
    r, i, g, h = 0.8, 0.1, 0.03, 1e-6
    table = economics.elasticities(r, i, g, first).set_index("driver")["value"]

    def log_value(r, i):
        return np.log(economics.value_multiple(r, i, g, first))

    by_r = (log_value(r * (1 + h), i) - log_value(r * (1 - h), i)) / (2 * h)
    by_i = (log_value(r, i * (1 + h)) - log_value(r, i * (1 - h))) / (2 * h)
    assert table["retention"] == pytest.approx(by_r, rel=1e-7)
    assert table["discount_rate"] == pytest.approx(by_i, rel=1e-7)


def test_infinite_value_is_refused():
    with pytest.raises(InputError, match="infinite"):
        economics.value_multiple(0.98, 0.05, 0.1)
    with pytest.raises(InputError, match="retention: must lie between 0 and 1"):
        economics.value_multiple(1.2, 0.1)
    with pytest.raises(InputError, match="first_margin"):
        economics.value_multiple(0.9, 0.1, first_margin="now")


@pytest.mark.parametrize(
    ("rate", "start", "gain"),
    [
        (0.10, 0.60, 20.4),
        (0.10, 0.70, 22.4),
        (0.10, 0.80, 27.5),
        (0.10, 0.90, 40.7),
        (0.15, 0.90, 31.9),
        (0.0, 0.90, 111),
    ],
)
def test_five_points_of_retention(rate, start, gain):
    curve = economics.retention_gain([rate]).curve.set_index("retention")
    found = 100 * curve.loc[start, "gain"]
    assert round(found, 0 if gain == 111 else 1) == gain
    assert curve.loc[0.9, "mean_life"] == pytest.approx(10)
    assert curve.loc[0.9, "mean_life_after"] == pytest.approx(20)


def test_the_claim_is_placed_where_the_gain_crosses_it():
    result = economics.retention_gain([0.1, 0.15])
    placed = result.claim.set_index("discount_rate")
    for rate in (0.1, 0.15):

        def gap(r, level, rate=rate):
            ratio = economics.value_multiple(r + 0.05, rate) / economics.value_multiple(r, rate)
            return ratio - 1 - level

        low = optimize.brentq(gap, 0.6, 0.95, args=(0.25,))
        assert placed.loc[rate, "low"] == pytest.approx(low, abs=1e-3)
        assert pd.isna(placed.loc[rate, "high"]) == (gap(0.95, 0.85) < 0)
    assert len(result.warnings) == 2
    assert "25% to 85%" in result.sentence
    grown = economics.retention_gain([0.1], margin_growth=0.05).curve.set_index("retention")
    flat = economics.retention_gain([0.1]).curve.set_index("retention")
    assert (grown["gain"] > flat["gain"].reindex(grown.index)).all()


def test_half_of_the_customers_in_five_years():
    assert round(economics.constant_retention(0.5, 5), 4) == 0.8706


def test_spending_split_is_the_best_of_a_fine_grid():
    found = economics.spending_split(100, 0.1, (5, 0.1, 0.4), (10, 0.6, 0.8))
    plans = found.optimum.set_index("plan")
    k_a, k_r = -np.log(1 - 0.1 / 0.4) / 5, -np.log(1 - 0.6 / 0.8) / 10
    spend_a, spend_r = np.meshgrid(np.linspace(0.01, 60, 2400), np.linspace(0.01, 60, 2400))
    a, r = 0.4 * (1 - np.exp(-k_a * spend_a)), 0.8 * (1 - np.exp(-k_r * spend_r))
    kept = r / 1.1
    total = a * 100 - spend_a + a * (100 - spend_r / r) * kept / (1 - kept)
    best = np.unravel_index(total.argmax(), total.shape)
    assert plans.loc["joint", "equity_per_prospect"] == pytest.approx(total.max(), rel=1e-5)
    assert plans.loc["joint", "acquisition_spend"] == pytest.approx(spend_a[best], abs=0.03)
    assert plans.loc["joint", "retention_spend"] == pytest.approx(spend_r[best], abs=0.03)
    first = (a * 100 - spend_a).max()
    chosen = plans.loc["first_year"]
    assert chosen["acquisition_rate"] * 100 - chosen["acquisition_spend"] == pytest.approx(
        first, rel=1e-5
    )
    # the curve goes through the observed point
    assert plans.loc["current", "acquisition_rate"] == pytest.approx(0.1)
    assert plans.loc["current", "retention_rate"] == pytest.approx(0.6)


def test_spending_split_says_when_acquisition_never_pays():
    found = economics.spending_split(2, 0.1, (50, 0.01, 0.02), (1, 0.3, 0.4))
    assert found.optimum.set_index("plan").loc["joint", "acquisition_spend"] == 0
    assert any("No acquisition spend pays" in text for text in found.warnings)
    with pytest.raises(InputError, match="response curve"):
        economics.spending_split(10, 0.1, (5, 0.5, 0.4), (10, 0.6, 0.8))


def test_credit_card_payback():
    # Reichheld & Sasser (1990), from memory: 51 to acquire; 30, 42, 44, 49, 55 a year.
    found = economics.payback(51, [30, 42, 44, 49, 55])
    assert found.years == pytest.approx(1.5)
    assert found.flows["cumulative"].iloc[-1] == 169
    later = economics.payback(51, [30, 42, 44, 49, 55], discount_rate=0.1)
    assert later.years == pytest.approx(1 + (51 - 30 / 1.1) / (42 / 1.21))


def test_what_is_not_earned_back_says_so():
    found = economics.payback(500, [30, 42])
    assert found.years is None
    assert "428.00 is missing" in found.warnings[0]


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
    with pytest.raises(InputError, match="importance: must lie between 0 and 10"):
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
