"""Profit of a campaign against R EMP 2.0.6 (= empulse 0.13.1), and against direct integration."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from cvlib.inputs.errors import InputError
from cvlib.statistics.campaign import Campaign, expected_profit, maximum_profit, roc_hull


def test_emp_and_mp_of_the_reference(lifetime_second):
    """Eight settings of two scores; R calls the share contacted `excluded`."""
    data = pd.read_csv(lifetime_second / "emp_telco_scores.csv")
    told = json.loads((lifetime_second / "reference.json").read_text())["emp_telco"]
    for row in told["rows"]:
        a, b = row["alpha"], row["beta"]
        settings = Campaign(row["clv"], row["d"], row["f"], a / (a + b), a + b)
        found = maximum_profit(data[row["score"]], data["churned"], settings)
        assert found.emp == pytest.approx(row["EMP"], abs=1e-8)
        assert found.emp_fraction == pytest.approx(row["EMP_fraction"], abs=1e-8)
        assert found.mp == pytest.approx(row["MP"], abs=1e-8)
        assert found.mp_fraction == pytest.approx(row["MP_fraction"], abs=1e-8)
        key = f"{a:g},{b:g},{row['clv']:g},{row['d']:g},{row['f']:g}"
        everybody = told["contact_everybody_at_mean_gamma"][key]
        assert found.everybody == pytest.approx(everybody, abs=6e-6)


def sample(seed=3, n=400):
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 2, n)
    return np.round(left + rng.normal(0, 1.5, n), 1), left


def test_emp_is_the_mean_of_the_maximum_over_the_response():
    score, left = sample()
    settings = Campaign(120, 8, 2, 0.25, 12)
    hull, leave = roc_hull(score, left), left.mean()

    def best(response):
        gone, kept = hull.T
        gain = response * (120 - 8) * leave * gone
        return (gain - 2 * leave * gone - 10 * (1 - leave) * kept).max()

    weight = stats.beta(*settings.beta).pdf
    told = integrate.quad(lambda g: best(g) * weight(g), 0, 1, limit=400, epsabs=1e-9)[0]
    found = maximum_profit(score, left, settings)
    assert found.emp == pytest.approx(told, abs=1e-6)
    assert found.mp == pytest.approx(best(0.25), abs=1e-9)
    assert found.emp >= max(0, found.everybody)


def test_a_weight_of_two_is_a_customer_twice():
    score, left = sample()
    twice = np.random.default_rng(1).integers(1, 3, left.size)
    by_weight = maximum_profit(score, left, weights=twice)
    by_row = maximum_profit(np.repeat(score, twice), np.repeat(left, twice))
    assert by_weight.emp == pytest.approx(by_row.emp, rel=1e-12)
    assert by_weight.emp_fraction == pytest.approx(by_row.emp_fraction, rel=1e-12)


def test_a_score_that_knows_nothing_contacts_all_or_nobody():
    left = np.tile([0, 1], 50)
    found = maximum_profit(np.ones(100), left, Campaign(20, 10, 1))
    assert (found.mp, found.mp_fraction) == (0.0, 0.0)
    assert found.everybody < 0
    rich = maximum_profit(np.ones(100), left, Campaign(2000, 10, 1))
    assert rich.mp == rich.everybody > 0


def test_expected_profit_is_that_of_the_realised_outcomes():
    settings = Campaign(incentive=5, contact=1, response=0.3)
    sure = expected_profit([1.0, 0.0], [100.0, 100.0], settings)
    assert sure == pytest.approx([0.3 * 95 - 1, -6])


@pytest.mark.parametrize(
    ("score", "left", "where"),
    [
        ([1.0, 2.0], [1, 1], "left"),
        ([1.0, np.nan], [1, 0], "score"),
        ([1.0], [1, 0], "score"),
        ([1.0, 2.0], [2, 0], "left"),
    ],
)
def test_what_cannot_be_judged_is_refused(score, left, where):
    with pytest.raises(InputError) as refused:
        maximum_profit(score, left)
    assert where in str(refused.value)


def test_costs_are_not_negative():
    with pytest.raises(InputError):
        Campaign(contact=-1)
    with pytest.raises(InputError):
        Campaign(response=1.2)
