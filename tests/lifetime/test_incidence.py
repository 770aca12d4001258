"""Cumulative incidence by reason against lifelines and its own identities."""

import numpy as np
import pandas as pd
import pytest

from cvlib.lifetime.contracts.incidence import cumulative_incidence
from cvlib.lifetime.contracts.terms import observed_survival


@pytest.fixture(scope="module")
def losses():
    rng = np.random.default_rng(12)
    n = 400
    time = rng.permutation(n) + 1.0  # no ties: lifelines breaks them at random
    reason = pd.Series(rng.choice(["price", "moved", None], n, p=[0.4, 0.25, 0.35]), dtype=object)
    return time, reason


def test_equals_lifelines(losses):
    from lifelines import AalenJohansenFitter

    time, reason = losses
    found = cumulative_incidence(time, reason).incidence
    code = reason.map({"price": 1, "moved": 2}).fillna(0).astype(int)
    for number, name in ((1, "price"), (2, "moved")):
        other = AalenJohansenFitter().fit(time, code, event_of_interest=number)
        ours = found[found["reason"] == name].set_index("period")
        at = other.cumulative_density_.reindex(ours.index, method="ffill").to_numpy()[:, 0]
        np.testing.assert_allclose(ours["incidence"], at, atol=1e-12)
        variance = other.variance_.reindex(ours.index, method="ffill").to_numpy().ravel()
        middle = slice(20, -20)
        np.testing.assert_allclose(
            ours["std_error"].to_numpy()[middle], np.sqrt(variance)[middle], rtol=0.02
        )


def test_incidences_and_survival_add_up_to_one_with_ties(losses):
    time, reason = np.ceil(losses[0] / 20), losses[1]
    found = cumulative_incidence(time, reason)
    steps = found.incidence["period"].unique()
    total = found.incidence.groupby("period")["incidence"].sum()
    survival = observed_survival(time, reason.notna(), steps)[0]
    np.testing.assert_allclose(total + survival, 1, atol=1e-12)
    inside = found.incidence["ci_low"] <= found.incidence["incidence"]
    assert (inside & (found.incidence["incidence"] <= found.incidence["ci_high"])).all()
    assert "price" in found.say() and "按原因" in found.say("zh")


def test_without_competition_it_is_one_minus_kaplan_meier(losses):
    time, reason = losses[0], losses[1].map(lambda name: name and "left")
    found = cumulative_incidence(time, reason).incidence
    survival = observed_survival(time, reason.notna(), found["period"])[0]
    np.testing.assert_allclose(found["incidence"], 1 - survival, atol=1e-12)


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    """Two exponential reasons: F_1(t) = a/(a+b) (1 − exp(−(a+b)t)); 95 % of 300 samples."""
    rng = np.random.default_rng(20)
    inside = []
    for _ in range(300):
        first, second, seen = (rng.exponential(mean, 120) for mean in (10, 20, 15))
        time = np.minimum(np.minimum(first, second), seen)
        reason = pd.Series(
            np.where(time == first, "a", np.where(time == second, "b", None)), dtype=object
        )
        table = cumulative_incidence(time, reason).incidence
        row = table[(table["reason"] == "a") & (table["period"] <= 8)].iloc[-1]
        truth = (1 / 10) / 0.15 * (1 - np.exp(-0.15 * 8))
        inside.append(row["ci_low"] <= truth <= row["ci_high"])
    assert 0.91 <= np.mean(inside) <= 0.98


def test_no_reason_no_table():
    found = cumulative_incidence([1, 2], None)
    assert not found.incidence.shape[1] and found.say() == ""
