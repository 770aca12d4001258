from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from cvlib.inputs.errors import InputError
from cvlib.weighting.data.outcome import learn_from_outcome
from cvlib.weighting.scale import normalise


@pytest.fixture
def customers(flat):
    return normalise(flat(np.random.default_rng(0).random((600, 3))))


def test_known_weights_are_recovered(customers):
    z = customers.complete()
    outcome = pd.Series(np.expm1(z @ [0.6, 0.3, 0.1] + 0.5))
    found = learn_from_outcome(customers, outcome, starts=2)
    np.testing.assert_allclose(found.weights["global_weight"], [0.6, 0.3, 0.1], atol=0.002)
    for m in found.scores:
        assert stats.spearmanr(found.scores[m], outcome)[0] > 0.99, m
    assert found.importance["estimate"].is_monotonic_decreasing
    assert (found.importance["seed_low"] <= found.importance["seed_high"]).all()


def test_predictions_are_for_customers_held_back(customers):
    """On pure noise an honest score is worthless; one fitted to the same customers is not."""
    noise = pd.Series(np.random.default_rng(1).random(600))
    found = learn_from_outcome(customers, noise, starts=2)
    for m in found.scores:
        assert stats.spearmanr(found.scores[m], noise)[0] < 0.08, m
    z = customers.complete()
    fitted = LinearRegression().fit(z, noise).predict(z)
    assert stats.spearmanr(fitted, noise)[0] > 0


def test_a_network_sees_what_no_weighting_can(customers):
    z = customers.complete()
    outcome = pd.Series(np.expm1(4 * (z[:, 0] - 0.5) ** 2 + 0.2 * z[:, 1]))
    found = learn_from_outcome(customers, outcome, starts=2)
    rho = {m: stats.spearmanr(found.scores[m], outcome)[0] for m in found.scores}
    assert rho["learned_network"] > 0.9 > 0.5 > rho["learned_linear"]


def test_events_are_learned_as_probabilities(customers):
    z = customers.complete()
    event = pd.Series((np.random.default_rng(2).random(600) < z[:, 0]).astype(int))
    found = learn_from_outcome(customers, event, starts=1)
    assert found.scores["learned_linear"].between(0, 1).all()
    assert found.scores["learned_network"].between(0, 1).all()
    assert found.weights["global_weight"].iloc[0] > 0.8
    again = learn_from_outcome(customers, event, starts=1)
    pd.testing.assert_frame_equal(found.scores, again.scores)


def test_no_network_and_useless_indicators(customers):
    z = customers.complete()
    found = learn_from_outcome(customers, pd.Series(3 - z.sum(axis=1)), starts=0)
    assert list(found.scores) == ["learned_linear", "learned_weights"]
    np.testing.assert_allclose(found.weights["global_weight"], 1 / 3)
    assert any("learned weights are equal" in text for text in found.warnings)


def test_outcomes_that_cannot_be_learned_are_refused(customers):
    rare = pd.Series(np.zeros(600))
    rare.iloc[:2] = 1
    for outcome in (pd.Series(np.zeros(600)), pd.Series(np.full(600, -1.0)), rare.head(5)):
        with pytest.raises(InputError, match="missing or negative"):
            learn_from_outcome(customers, outcome)
    few = learn_from_outcome(customers, rare)  # no reason to stop everything else
    assert few.scores.empty and few.weights.empty and not few.settings
    assert "2 customers (of the rarer kind, for an event) are too few" in few.warnings[0]


def test_a_network_on_few_customers_scores_all(customers):
    z = customers.complete()
    outcome = pd.Series(np.expm1(z @ [0.6, 0.3, 0.1]))
    found = learn_from_outcome(customers, outcome, starts=1, most=100)
    whole = learn_from_outcome(customers, outcome, starts=1)
    assert found.scores.notna().to_numpy().all()
    assert not found.scores["learned_network"].equals(whole.scores["learned_network"])
    assert stats.spearmanr(found.scores["learned_network"], outcome)[0] > 0.97


def test_a_network_does_not_hang_on_the_last_bits(customers):
    """As another processor would end its sums: the scores move no more than the customers did."""
    rng = np.random.default_rng(3)
    z = customers.complete()
    outcome = pd.Series(np.expm1(4 * (z[:, 0] - 0.5) ** 2 + rng.exponential(1, 600)))
    moved = replace(customers, values=customers.values * (1 + 1e-14 * rng.standard_normal(z.shape)))
    first, second = (learn_from_outcome(c, outcome, starts=2) for c in (customers, moved))
    pd.testing.assert_frame_equal(first.scores, second.scores, rtol=0, atol=1e-9)
    pd.testing.assert_frame_equal(first.importance, second.importance, rtol=0, atol=1e-9)
