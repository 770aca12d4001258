"""Retention economics against published numbers, brute force and the definition of each sum."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from cvlib.inputs.errors import InputError
from cvlib.lifetime import economics


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
    with pytest.raises(InputError, match=r"retention: .* not a number between 0 and 1"):
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
    dear = economics.spending_split(2, 0.1, (0.1, 0.1, 0.4), (50, 0.3, 0.4))
    assert any("No retention spend pays" in text for text in dear.warnings)
    assert dear.optimum.set_index("plan").loc["joint", "retention_rate"] < 1e-6
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
