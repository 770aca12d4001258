"""Influence values: the derivative of each measure by its customer's weight, and coverage."""

import numpy as np
import pytest

from cvlib.statistics import influence, ranks
from cvlib.statistics.influence import Placed, standard_error
from cvlib.statistics.ranks import Order, Ranked

N = 300


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    score = np.round(rng.gamma(2, 1, N), 1)  # with ties
    worth = np.round(np.maximum(score * rng.gamma(1, 1, N) - 0.5, 0), 1)
    return score, worth, (worth > 0.8).astype(float)


def moved(measure, step=1e-6):
    """Change of a measure when a customer's weight grows, for each customer, per unit of share."""
    counts = np.ones((N + 1, N))
    counts[1:] += step * N * np.eye(N)
    value = measure(counts)
    return (value[1:] - value[0]) / step


def test_auc_spearman_and_gini_are_the_derivatives(data):
    score, worth, event = data
    a, b = Placed(score), Placed(worth)

    def auc(w):  # the area with shares for counts: no ranks of whole customers
        order = Order.of(score)
        e, none = order.sums(w * event), order.sums(w * (1 - event))
        below = np.cumsum(none, axis=1) - none / 2
        return (e * below).sum(axis=1) / e.sum(axis=1) / none.sum(axis=1)

    def shares(placed, w):
        held = placed.order.sums(w)
        whole = held.sum(axis=1, keepdims=True)
        return ((np.cumsum(held, axis=1) - held / 2) / whole)[:, placed.order.group]

    def spearman(w):
        f, g = shares(a, w) - 0.5, shares(b, w) - 0.5
        return (w * f * g).sum(1) / np.sqrt((w * f * f).sum(1) * (w * g * g).sum(1))

    def gini(w):
        return 2 * (w * worth * shares(a, w)).sum(1) / (w @ worth) - 1

    assert influence.auc(a, event) == pytest.approx(moved(auc), abs=2e-3)
    assert influence.spearman(a, b) == pytest.approx(moved(spearman), abs=3e-3)
    assert influence.gini(a, worth)[1] == pytest.approx(moved(gini), abs=3e-3)
    assert influence.gini(a, worth)[0] == pytest.approx(gini(np.ones((1, N)))[0])


def test_means_roots_and_ratios_are_the_derivatives(data):
    score, worth, _ = data
    errors = score - worth
    root = influence.root_mean_square(errors)
    assert root == pytest.approx(moved(lambda w: np.sqrt(w @ errors**2 / w.sum(1))), abs=2e-3)
    bias = influence.ratio(influence.mean(score), influence.mean(worth), score, worth)
    assert bias == pytest.approx(moved(lambda w: (w @ score) / (w @ worth)), abs=3e-3)

    def pearson(w):
        p = w / w.sum(1, keepdims=True)
        x, y = score - (p @ score)[:, None], worth - (p @ worth)[:, None]
        return (p * x * y).sum(1) / np.sqrt((p * x * x).sum(1) * (p * y * y).sum(1))

    assert influence.pearson(score, worth) == pytest.approx(moved(pearson), abs=5e-3)


def test_standard_errors_are_those_of_a_bootstrap():
    """The sizes of the specification: 5,000 customers, 400 draws, within what 400 draws tell."""
    from cvlib.statistics import resample

    rng = np.random.default_rng(3)
    n = 5000
    rate = rng.gamma(0.6, 1, n)
    score = rate * rng.gamma(4, 0.25, n)
    worth = rng.poisson(rate) * rng.gamma(2, 10, n)
    event = (worth > 0).astype(float)
    a, b = Placed(score), Placed(worth)
    draws: dict[str, list] = {"auc": [], "spearman": [], "capture": [], "gini": []}
    orders = Order.of(score), Order.of(worth)
    for counts in resample.multinomial(n, 400, 5):
        by_score, by_worth = (Ranked(order, counts) for order in orders)
        draws["auc"].append(ranks.auc(by_score, event))
        draws["spearman"].append(ranks.spearman(by_score, by_worth))
        draws["capture"].append(ranks.capture(by_score, worth, 0.1))
        draws["gini"].append(ranks.gini(by_score, worth) / n)
    ours = {
        "auc": influence.auc(a, event),
        "spearman": influence.spearman(a, b),
        "capture": influence.capture(a, worth, 0.1),
        "gini": influence.gini(a, worth)[1],
    }
    for name, rows in ours.items():
        told = np.concatenate(draws[name]).std(ddof=1)
        assert standard_error(rows) == pytest.approx(told, rel=0.12), name
        assert abs(rows.mean()) < 0.02 * rows.std()


def test_a_share_of_nothing_has_no_influence_and_no_value() -> None:
    scores, nothing = Placed(np.arange(40.0)), np.zeros(40)
    assert np.isnan(influence.gini(scores, nothing)[0])
    for rows in (influence.gini(scores, nothing)[1], influence.capture(scores, nothing, 0.1),
                 influence.ratio(nothing, nothing, np.ones(40), nothing)):  # fmt: skip
        assert rows.shape == (40,) and np.isnan(rows).all()
