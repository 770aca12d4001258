"""GGom/NBD: published likelihood, its limit, its integrals, and a simulation of its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import gammaln

from cvlib.inputs.errors import InputError
from cvlib.lifetime import methods
from cvlib.lifetime.holdout.tracking import tracking_table
from cvlib.lifetime.purchases.histories import distinct_histories
from cvlib.lifetime.repeat_buying import fit_repeat_buying, ggom_nbd, pareto_nbd
from cvlib.lifetime.repeat_buying.coordinates import log_likelihood, to_working
from cvlib.lifetime.simulate import simulate_histories
from cvlib.lifetime.value import lifetime_value

# dropout rates that hardly rise, rise within the period, and are negligible before they rise
TRUTHS = [
    {"r": 0.55, "alpha": 10.6, "b": 0.004, "s": 0.6, "beta": 0.05},
    {"r": 1.2, "alpha": 6.0, "b": 0.06, "s": 0.8, "beta": 1.5},
    {"r": 0.7, "alpha": 3.0, "b": 0.4, "s": 0.5, "beta": 4000.0},
]

# all five parameters show in a few thousand customers
AGEING = {"r": 1.2, "alpha": 4.0, "b": 0.15, "s": 0.9, "beta": 20.0}


def coordinates(r, alpha, b, s, beta):
    return np.append(np.log([r, alpha, s, beta / b]), np.log1p(beta))


def survival(y, b, s, beta):
    """Bemmaor & Glady (2012), equation 4, as it stands."""
    return (beta / (beta - 1 + np.exp(b * y))) ** s


def density(y, b, s, beta):
    return b * s * beta**s * np.exp(b * y) / (beta - 1 + np.exp(b * y)) ** (s + 1)


def integral(function, low, high, b, beta):
    turn = np.log(max(beta, 1.0)) / b
    cuts = [low, *(y for y in (turn - 5 / b, turn, turn + 5 / b) if low < y < high), high]
    return sum(
        quad(function, *piece, epsabs=0, epsrel=1e-12, limit=200)[0] for piece in pairwise(cuts)
    )


@pytest.fixture(scope="module")
def collapsed(summary):
    return fit_repeat_buying(summary, "ggom_nbd")


def test_cdnow_likelihood_is_the_published_one_and_the_model_collapses(collapsed, summary):
    found = collapsed.fit.set_index("measure")["value"]
    # Bemmaor & Glady (2012) print -9594.98; CLVTools ends at -9594.9763 with b of 1e-6
    assert round(found["log_likelihood"], 2) == -9594.98
    assert -9594.9763 <= found["log_likelihood"] < -9594.9760
    pareto = fit_repeat_buying(summary, "pareto_nbd")
    own = collapsed.parameters.set_index("parameter")
    theirs = pareto.parameters.set_index("parameter")
    for name, limit in (("r", "r"), ("alpha", "alpha"), ("s", "s"), ("beta_over_b", "beta")):
        for column in ("estimate", "std_error"):
            assert own[column][name] == pytest.approx(theirs[column][limit], rel=1e-4)
    assert found["log_likelihood"] == pytest.approx(
        pareto.fit.set_index("measure")["value"]["log_likelihood"], abs=1e-9
    )
    assert own["estimate"]["b"] == 0 and own["estimate"]["beta"] == 0
    assert np.isfinite(own[["estimate", "ci_low"]].to_numpy(float)).all()
    assert "collapses on the Pareto/NBD" in " ".join(collapsed.warnings)
    assert "collapses on the Pareto/NBD" in set(collapsed.diagnosis["verdict"])


def test_methods_say_that_it_collapsed(collapsed, summary, spend):
    value = lifetime_value(collapsed, spend, summary.customers, annual_rate=0.1, margin=0.3)
    said = methods.purchase_methods(summary, collapsed, spend, value).set_index("method")
    assert "may rise with age (Bemmaor & Glady, 2012)" in said["sentence"]["ggom_nbd"]
    assert "is the Pareto/NBD" in said["sentence"]["collapsed"] and "ridge" not in said.index


def test_the_bound_of_b_loses_what_a_profile_may(collapsed, summary):
    from scipy.optimize import minimize

    b = collapsed.parameters.set_index("parameter")["ci_high"]["b"]
    data = distinct_histories(summary.histories)

    def lost(point):
        theta = np.append(point, np.log1p(b * np.exp(point[3])))
        return -ggom_nbd.total(theta, data)[0]

    start = np.log([0.55, 10.6, 0.5, 8.0])
    best = minimize(lost, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-4})
    top = collapsed.fit.set_index("measure")["value"]["log_likelihood"]
    assert top + best.fun == pytest.approx(1.959964**2 / 2, abs=0.01)


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize(
    "x, t_x, T", [(0, 0.0, 30.0), (1, 3.0, 30.0), (5, 29.5, 30.0), (40, 2.0, 30.0), (3, 30.0, 30.0)]
)
def test_likelihood_is_the_formula(truth, x, t_x, T):
    r, alpha, b, s, beta = truth.values()
    data = distinct_histories(pd.DataFrame({"x": [x], "t_x": [t_x], "T": [T]}))

    def dies(y):
        return density(y, b, s, beta) * (alpha + y) ** -(r + x)

    dead = integral(dies, t_x, T, b, beta) if t_x < T else 0.0
    alive = (alpha + T) ** -(r + x) * survival(T, b, s, beta)
    expected = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + np.log(alive + dead)
    theta = coordinates(**truth)
    assert ggom_nbd.total(theta, data)[0] == pytest.approx(expected, rel=1e-11, abs=1e-11)
    chance = ggom_nbd.p_alive(theta, *(np.array([v], float) for v in (x, t_x, T)))[0]
    assert chance == pytest.approx(alive / (alive + dead), rel=1e-10)


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("x, T, ahead", [(0, 0.0, 52.0), (4, 30.0, 13.0), (60, 8.0, 500.0)])
def test_predictions_are_their_integrals(truth, x, T, ahead):
    r, alpha, b, s, beta = truth.values()
    theta = coordinates(**truth)

    def lives(y):
        if b * (T + y) > 300:  # exp(by) is all there is
            return np.exp(-s * b * y) * (1 + (beta - 1) * np.exp(-b * T)) ** s
        return survival(T + y, b, s, beta) / survival(T, b, s, beta)

    rate = (r + x) / (alpha + T)
    expected = rate * integral(lives, 0, ahead, b, beta)
    each = [np.array(value, dtype=float) for value in (ahead, x, T)]
    assert ggom_nbd.expected_if_alive(theta, *each) == pytest.approx(expected, rel=1e-9)

    def next_one(y):
        return rate * (1 + y / (alpha + T)) ** -(r + x + 1) * lives(y)

    chance = integral(next_one, 0, ahead, b, beta)
    assert ggom_nbd.chance_if_alive(theta, *each) == pytest.approx(chance, rel=1e-9)


@pytest.mark.parametrize("truth", TRUTHS)
def test_distribution_is_proper_and_has_the_right_mean(truth):
    theta, t = coordinates(**truth), np.array(30.0)
    n = np.arange(3000.0)
    chance = ggom_nbd.distribution(theta, n, t)
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    assert chance @ n == pytest.approx(float(ggom_nbd.expected_from_start(theta, t)), rel=1e-8)
    none = 1 - float(ggom_nbd.chance_if_alive(theta, t, np.array(0.0), np.array(0.0)))
    assert chance[0] == pytest.approx(none, rel=1e-9)


def test_without_ageing_every_function_is_the_paretos(summary):
    theta = np.log([0.55, 10.6, 0.6, 11.7])
    flat = np.append(theta, 0.0)
    data = distinct_histories(summary.histories)
    value, slope = ggom_nbd.total(flat, data)
    expected, slopes = pareto_nbd.total(theta, data)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(slope[:4], slopes, rtol=1e-8, atol=1e-7)
    x, t_x, T = (data.x, data.t_x, data.T)
    ahead = np.full(x.size, 39.0)
    for name, arguments in (
        ("p_alive", (x, t_x, T)),
        ("expected_if_alive", (ahead, x, T)),
        ("chance_if_alive", (ahead, x, T)),
        ("expected_from_start", (ahead,)),
        ("distribution", (np.minimum(x, 20), T)),
    ):
        limit = getattr(pareto_nbd, name)(theta, *arguments)
        own = getattr(ggom_nbd, name)(flat, *arguments)
        np.testing.assert_allclose(own, limit, rtol=1e-8, err_msg=name)
        # and is approached smoothly
        for beta, near in ((1e-6, 1e-4), (1e-12, 1e-8)):
            close = getattr(ggom_nbd, name)(np.append(theta, np.log1p(beta)), *arguments)
            np.testing.assert_allclose(close, limit, rtol=near, err_msg=name)


@pytest.mark.parametrize("beta", [0.0, 1e-9, 0.3, 1.0, 4.0, 1e4])
def test_gradient_equals_finite_differences(summary, beta):
    data = distinct_histories(summary.histories)
    objective = log_likelihood(ggom_nbd, data)
    point = to_working(np.append(np.log([0.6, 9.0, 0.7, 14.0 + beta / 0.2]), np.log1p(beta)))
    slope = objective(point)[1]
    for i in range(5):
        step = np.zeros(5)
        step[i] = 1e-5
        numeric = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
        assert slope[i] == pytest.approx(numeric, rel=1e-6, abs=1e-4)


def simulated(truth, customers, age, ahead, seed):
    """Histories drawn as the model says, purchase by purchase."""
    r, alpha, b, s, beta = truth.values()
    rng = np.random.default_rng(seed)
    rate = rng.gamma(r, 1 / alpha, customers)
    eta = rng.gamma(s, 1 / beta, customers)
    # survival exp(-η (e^by - 1)) at a uniform
    life = np.log1p(-np.log(rng.uniform(size=customers)) / eta) / b
    x, later, last = (np.zeros(customers) for _ in range(3))
    time = rng.exponential(1 / rate)
    while (active := time < np.minimum(life, age + ahead)).any():
        early = active & (time <= age)
        x += early
        last = np.where(early, time, last)
        later += active & ~early
        time = time + rng.exponential(1 / rate)
    return pd.DataFrame({"x": x, "t_x": last, "T": age, "later": later, "alive": life > age})


def by_the_product(truth, customers, age, ahead, seed):
    ages = np.full(customers, age)
    data = simulate_histories("ggom_nbd", truth, ages, seed=seed, holdout=ahead)
    return data.rename(columns={"x_star": "later"})


@pytest.mark.parametrize("draw", [simulated, by_the_product])
@pytest.mark.parametrize("truth", TRUTHS)
def test_customers_who_follow_the_model_do_as_it_says(truth, draw):
    n, age, ahead = 40_000, 30.0, 20.0
    data = draw(truth, n, age, ahead, seed=3)
    theta = coordinates(**truth)
    x, t_x, T = (data[name].to_numpy(float) for name in ("x", "t_x", "T"))
    counts = np.arange(6.0)
    seen = np.array([(x == count).mean() for count in counts])
    chance = ggom_nbd.distribution(theta, counts, np.full(6, age))
    assert np.abs(seen - chance).max() < 4 * np.sqrt(0.25 / n)
    alive = ggom_nbd.p_alive(theta, x, t_x, T)
    surprise = pd.DataFrame(
        {
            "alive": data["alive"] - alive,
            "later": data["later"]
            - alive * ggom_nbd.expected_if_alive(theta, np.array(ahead), x, T),
            "once": (data["later"] > 0)
            - alive * ggom_nbd.chance_if_alive(theta, np.array(ahead), x, T),
        }
    )
    fifth = pd.Series(alive).rank(method="first").mul(5 / (n + 1)).astype(int)
    cells = surprise.groupby(fifth).agg(["mean", "sem"])
    for what in surprise:
        assert (cells[what]["mean"].abs() < 4 * cells[what]["sem"]).all()


def test_the_score_at_the_truth_is_noise():
    data = distinct_histories(simulated(AGEING, 4_000, 40.0, 0.0, seed=11))
    objective = log_likelihood(ggom_nbd, data)
    point = to_working(coordinates(**AGEING))
    _, slope = objective(point)
    curvature = np.empty((5, 5))
    for i, step in enumerate(np.eye(5) * 1e-4):
        curvature[i] = (objective(point - step)[1] - objective(point + step)[1]) / 2e-4
    # chi-square with five degrees of freedom
    assert slope @ np.linalg.solve(curvature, slope) < 20


@pytest.mark.slow
def test_parameters_are_recovered_where_dropout_rates_rise():
    fit = fit_repeat_buying(simulated(AGEING, 4_000, 40.0, 0.0, seed=5), "ggom_nbd")
    table = fit.parameters.set_index("parameter")
    for name, value in AGEING.items():
        z = np.log(table["estimate"][name] / value)
        z /= table["std_error"][name] / table["estimate"][name]
        assert abs(z) < 3, name
    assert "ageing visible" in set(fit.diagnosis["verdict"])
    assert fit.warnings == ()


def test_ageing_that_is_there_is_found():
    data = simulated(AGEING, 800, 40.0, 0.0, seed=6)
    fit = fit_repeat_buying(data, "ggom_nbd")
    check = fit.diagnosis.set_index("check").loc[
        "log-likelihood gained by dropout rates that rise with age"
    ]
    assert check["verdict"] == "ageing visible" and check["value"] > 20
    pareto = fit_repeat_buying(data, "pareto_nbd").fit.set_index("measure")["value"]
    own = fit.fit.set_index("measure")["value"]
    gained = own["log_likelihood"] - pareto["log_likelihood"]
    assert gained == pytest.approx(check["value"], abs=1e-4)
    assert own["n_parameters"] == 5
    table = fit.parameters.set_index("parameter")
    assert np.isfinite(table[["estimate", "std_error", "ci_low", "ci_high"]].to_numpy()).all()
    assert float(fit.purchase_counts(7)["expected"].sum()) == pytest.approx(800)


EXTREMES = [
    {"r": 0.5, "alpha": 0.01, "b": 1e-6, "s": 0.05, "beta": 1e-9},
    {"r": 0.5, "alpha": 10.0, "b": 1e-4, "s": 0.5, "beta": 1e-2},
    {"r": 0.05, "alpha": 0.5, "b": 1.0, "s": 0.3, "beta": 50.0},
    {"r": 5.0, "alpha": 300.0, "b": 50.0, "s": 20.0, "beta": 1e8},
    {"r": 1e4, "alpha": 1e4, "b": 0.01, "s": 1e4, "beta": 1e5},
]


@pytest.mark.parametrize("truth", EXTREMES)
def test_everything_is_finite_at_the_ends(truth):
    theta = coordinates(**truth)
    x, share, T = np.meshgrid([0, 1, 50, 1000, 100_000], [1e-6, 0.3, 0.999, 1], [1.0, 400, 10_000])
    x, share, T = (value.ravel().astype(float) for value in (x, share, T))
    t_x = np.where(x > 0, share * T, 0.0)
    data = distinct_histories(pd.DataFrame({"x": x, "t_x": t_x, "T": T}))
    value, slope = ggom_nbd.total(theta, data)
    assert np.isfinite(value) and np.isfinite(slope).all()
    alive = ggom_nbd.p_alive(theta, x, t_x, T)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (alive[t_x == T] == 1).all()
    for ahead in (1e-3, 10.0, 10_000.0):
        t = np.full(x.size, ahead)
        expected = ggom_nbd.expected_if_alive(theta, t, x, T)
        chance = ggom_nbd.chance_if_alive(theta, t, x, T)
        most = (truth["r"] + x) / (truth["alpha"] + T) * ahead
        assert ((expected > 0) & (expected <= most * (1 + 1e-9))).all()
        assert ((chance >= 0) & (chance <= 1 + 1e-9)).all()
        assert (chance <= expected * (1 + 1e-9)).all()
        counts = ggom_nbd.distribution(theta, np.array([0.0, 1, 1000]), np.full(3, ahead))
        assert ((counts >= 0) & (counts <= 1 + 1e-9)).all()


def test_discounted_purchases_are_the_integral(collapsed):
    truth = TRUTHS[1]
    maximum = replace(collapsed._maximum, at=to_working(coordinates(**truth)))
    fit = replace(collapsed, _maximum=maximum)
    r, alpha, b, s, beta = truth.values()
    x, t_x, T = 3.0, 25.0, 30.0
    force = np.log1p(0.15) / (365.25 / 7)

    def flow(y):
        lives = survival(T + y, b, s, beta) / survival(T, b, s, beta)
        return np.exp(-force * y) * lives * (r + x) / (alpha + T)

    whole = integral(flow, 0, 3000, b, beta) * float(fit.p_alive(x, t_x, T))
    found = float(fit.discounted_expected_purchases(0.15, x, t_x, T))
    assert found == pytest.approx(whole, rel=1e-7)


def test_the_fit_does_what_fits_do(collapsed, summary):
    customers = summary.customers.head(50)
    scores = collapsed.predict(customers, 39.0)
    assert scores["p_alive"].between(0, 1).all() and len(scores) == 50
    course = tracking_table(summary, collapsed)
    assert np.isfinite(course["expected"]).all()
    again = collapsed.bootstrap(3, seed=1)
    assert set(again.draws["parameter"]) == set(collapsed.parameters["parameter"])
    with pytest.raises(InputError, match="takes none"):
        fit_repeat_buying(summary.customers, "ggom_nbd", covariates=["monetary"])
