"""Repeat-buying models: published estimates, independent arithmetic, ridges, simulation."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import beta as beta_function
from scipy.special import hyperu, roots_genlaguerre

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.histories import distinct_histories
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import FAMILIES, fit_repeat_buying
from cvlib.lifetime.repeat_buying.coordinates import log_likelihood, to_log_parameters, to_working
from cvlib.lifetime.repeat_buying.special import decay, purchases_until_dropout
from cvlib.lifetime.simulate import simulate_histories

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"
MLE = json.loads((REFERENCE / "computed_mle.json").read_text())
PUBLISHED = json.loads((REFERENCE / "published.json").read_text())

# Fader, Hardie & Shang (2010), table 1: x, t_x (of 6 opportunities), donors; as in lifetimes 0.11.3
DONATIONS = pd.read_csv(REFERENCE / "donations_fader_hardie_shang_2010.csv").assign(T=6)
CDNOW = pd.read_csv(REFERENCE / "cdnow_sample_btyd_cbs.csv")


@pytest.fixture(scope="module")
def fits():
    """Every model on its classic data set, fitted once."""
    names = ("bg_nbd", "mbg_nbd", "pareto_nbd", "nbd")
    return {name: fit_repeat_buying(CDNOW, name) for name in names} | {
        "bg_bb": fit_repeat_buying(DONATIONS, "bg_bb")
    }


def estimates(fit):
    return fit.parameters.set_index("parameter")["estimate"]


def measure(fit, name):
    return fit.fit.set_index("measure")["value"][name]


@pytest.mark.parametrize(
    "model, key",
    [
        ("bg_nbd", "bgnbd_exact"),
        ("mbg_nbd", "mbgnbd_exact"),
        ("pareto_nbd", "pnbd_exact"),
        ("nbd", "nbd"),
        ("bg_bb", "bgbb"),
    ],
)
def test_estimates_equal_independent_maximum_likelihood(fits, model, key):
    expected = dict(MLE[key])
    best = expected.pop("LL")
    # the reference climbs stopped within 2e-9 of the top; so may the parameters differ by 2e-6
    assert measure(fits[model], "log_likelihood") == pytest.approx(best, abs=5e-9)
    assert measure(fits[model], "log_likelihood") >= best - 1e-9
    found = estimates(fits[model])
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-6)
    assert measure(fits[model], "newton_decrement") < 1e-9
    assert measure(fits[model], "starts_agreeing") == measure(fits[model], "starts")
    assert fits[model].warnings == ()


def test_two_decimal_summary_gives_its_own_estimates():
    # the table that lifetimes ships is rounded to two decimals, ours is exact
    rounded = CDNOW.assign(t_x=CDNOW["t_x"].round(2), T=CDNOW["T"].round(2))
    fit = fit_repeat_buying(rounded, "bg_nbd")
    for name in ("r", "alpha", "a", "b"):
        assert estimates(fit)[name] == pytest.approx(MLE["bgnbd_2dec"][name], rel=2e-6)
    # the reference climb stopped 3e-9 short of the top
    assert measure(fit, "log_likelihood") == pytest.approx(MLE["bgnbd_2dec"]["LL"], abs=5e-9)
    assert measure(fit, "log_likelihood") >= MLE["bgnbd_2dec"]["LL"]


@pytest.mark.parametrize(
    "printed",
    [row for row in PUBLISHED if row["model"] in FAMILIES],
    ids=lambda row: f"{row['model']} {row['source']}",
)
def test_published_estimates_at_their_digits(fits, printed):
    fit = fits[printed["model"]]
    found = dict(estimates(fit)) | {"log_likelihood": measure(fit, "log_likelihood")}
    for name, value in {
        **printed["estimates"],
        "log_likelihood": printed["log_likelihood"],
    }.items():
        assert f"{found[name]:.{len(value.partition('.')[2])}f}" == value, name


def test_pareto_standard_errors_equal_those_published_by_clvtools(fits):
    # from a numeric Hessian there, hence 2e-4
    expected = [0.0476264, 0.8427222, 0.1872594, 6.2105448]
    found = fits["pareto_nbd"].parameters.set_index("parameter")["std_error"]
    np.testing.assert_allclose(found[["r", "alpha", "s", "beta"]], expected, rtol=2e-4)


def test_in_sample_counts_and_chi_square(fits):
    # Fader, Hardie & Lee (2005), table 2: chi-square 4.82 on three degrees of freedom
    table = fits["bg_nbd"].purchase_counts()
    assert table["actual"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    expected = [1407.7, 460.3, 192.5, 101.2, 59.8, 38.1, 25.5, 71.9]
    np.testing.assert_allclose(table["expected"], expected, atol=0.05)
    chi_square = ((table["actual"] - table["expected"]) ** 2 / table["expected"]).sum()
    assert chi_square == pytest.approx(4.821, abs=5e-4)


def test_conditional_expectations_by_frequency(fits):
    expected = pd.read_csv(REFERENCE / "computed_cdnow_holdout_by_frequency.csv")
    columns = {
        "bg_nbd": "BG/NBD", "pareto_nbd": "Pareto/NBD", "mbg_nbd": "MBG/NBD", "nbd": "NBD",
    }  # fmt: skip
    group = CDNOW["x"].clip(upper=7)
    for model, column in columns.items():
        ahead = fits[model].predict(CDNOW, 39.0)["expected_purchases"]
        np.testing.assert_allclose(ahead.groupby(group).mean(), expected[column], atol=2e-6)


def test_holdout_totals_and_correlations(fits):
    expected = pd.read_csv(REFERENCE / "computed_cdnow_holdout_metrics.csv").set_index("model")
    names = {"BG/NBD": "bg_nbd", "Pareto/NBD": "pareto_nbd", "MBG/NBD": "mbg_nbd", "NBD": "nbd"}
    for published, model in names.items():
        ahead = fits[model].predict(CDNOW, 39.0)["expected_purchases"]
        row = expected.loc[published]
        assert ahead.sum() == pytest.approx(row["sum_pred"], rel=1e-6)
        assert np.corrcoef(ahead, CDNOW["x_star"])[0, 1] == pytest.approx(row["corr"], abs=1e-7)


def test_forecasts_of_the_two_models_agree(fits):
    # Fader, Hardie & Lee (2005) print .996
    ahead = [fits[m].predict(CDNOW, 39.0)["expected_purchases"] for m in ("bg_nbd", "pareto_nbd")]
    assert round(np.corrcoef(*ahead)[0, 1], 4) == 0.9955


@pytest.mark.parametrize(
    "model, published",
    [
        ("pareto_nbd", [0.706, 0.144, 0.0225, 0.0031]),
        ("bg_nbd", [0.347, 0.043, 0.0042, 0.00036]),
    ],
)
def test_more_purchases_and_the_same_silence_mean_fewer_to_come(fits, model, published):
    # the increasing-frequency paradox at t_x = 20, T = 39, a year ahead
    found = fits[model].expected_purchases(52, [10, 15, 20, 25], 20, 39)
    for value, digits in zip(found, published, strict=True):
        places = len(str(digits).split(".")[1]) if digits > 1e-3 else 5
        assert round(float(value), places) == digits


def test_a_yearly_rate_is_not_a_weekly_one(fits):
    """CLVTools' DERT of all customers at 10 %: 9009 when log(1.1) is per year of 52 weeks.

    When it is per week, the unit of the data, CLVTools prints 490.9; ours is 490.85 at the maximum
    of the likelihood, which its optimiser stops short of (compare b = 2.4258881 with 2.4259087).
    """
    total = {
        weeks: fits["pareto_nbd"]
        .discounted_expected_purchases(
            0.1, CDNOW["x"], CDNOW["t_x"], CDNOW["T"], periods_per_year=weeks
        )
        .sum()
        for weeks in (52, 1)
    }
    assert round(total[52]) == 9009
    assert total[1] == pytest.approx(490.9, abs=0.06)


def test_churn_probabilities(fits):
    expected = pd.read_csv(REFERENCE / "computed_cdnow_churn_metrics.csv").set_index("score")
    active = CDNOW["x_star"] > 0
    for published, model, column in [
        ("BG/NBD", "bg_nbd", "p_alive"),
        ("MBG/NBD", "mbg_nbd", "p_alive"),
        ("Pareto/NBD", "pareto_nbd", "p_alive"),
        ("BG/NBD P(x*>0)", "bg_nbd", "probability_of_purchase"),
    ]:
        chance = fits[model].predict(CDNOW, 39.0)[column]
        assert chance.mean() == pytest.approx(expected.loc[published, "mean_prob"], abs=3e-7)
        brier = ((chance - active) ** 2).mean()
        assert brier == pytest.approx(expected.loc[published, "Brier"], abs=3e-7)
    assert (fits["bg_nbd"].predict(CDNOW, 39.0)["p_alive"][CDNOW["x"] == 0] == 1).all()


def test_pareto_purchase_probability_equals_a_double_integral(fits):
    """Over the posterior of both rates, by Gauss-Laguerre in two dimensions.

    The reference table's mean, .2220157, is 5e-5 above; 16 to 100 nodes of the exact weights agree
    on .2219659404 to 1e-10, and so does mpmath (predictions_mpmath.csv), so that the table's own
    quadrature must be the coarser one. Its digits are kept to 1e-4.
    """
    fit, t = fits["pareto_nbd"], 39.0
    r, alpha, s, beta = estimates(fit)[["r", "alpha", "s", "beta"]]
    groups = CDNOW.groupby(["x", "t_x", "T"]).size().reset_index(name="customers")[::9]
    found = fit.probability_of_purchase(t, groups["x"], groups["t_x"], groups["T"])
    drop, drop_weight = roots_genlaguerre(40, s - 1)
    for row, chance in zip(groups.itertuples(), found, strict=True):
        buy, buy_weight = roots_genlaguerre(40, r + row.x - 1)
        weight = np.outer(buy_weight / buy_weight.sum(), drop_weight / drop_weight.sum())
        rate = (buy / (alpha + row.T))[:, None]
        both = rate + drop / (beta + row.T)
        next_one = (weight * rate / both * -np.expm1(-both * t)).sum()
        alive = float(fit.p_alive(row.x, row.t_x, row.T))
        assert chance == pytest.approx(alive * next_one, rel=1e-9)
    mean = fit.predict(CDNOW, t)["probability_of_purchase"].mean()
    assert mean == pytest.approx(0.2219659404, abs=5e-8)
    table = pd.read_csv(REFERENCE / "computed_cdnow_churn_metrics.csv").set_index("score")
    assert mean == pytest.approx(table.loc["Pareto/NBD P(x*>0)", "mean_prob"], abs=1e-4)


def test_published_single_predictions(fits):
    # BTYD's customer 1516, and a new customer's first year
    customer = CDNOW.set_index("id").loc[1516]
    history = customer["x"], customer["t_x"], customer["T"]
    pareto = fits["pareto_nbd"]
    assert float(pareto.expected_purchases(52, *history)) == pytest.approx(25.4552, abs=5e-5)
    assert float(pareto.p_alive(*history)) == pytest.approx(0.99787, abs=5e-6)
    assert float(pareto.expected_from_start(52)) == pytest.approx(1.47343, abs=5e-6)
    assert float(fits["bg_nbd"].expected_from_start(52)) == pytest.approx(1.44401, abs=5e-6)


def test_donations_as_published(fits):
    # lifetimes' tests of Fader, Hardie & Shang (2010): holdout total and P(alive)
    fit = fits["bg_bb"]
    ahead = fit.expected_purchases(5, DONATIONS["x"], DONATIONS["t_x"], DONATIONS["T"])
    assert float(ahead @ DONATIONS["customers"]) == pytest.approx(12884.2, abs=0.05)
    alive = fit.p_alive([0, 2, 6], [0, 4, 6], [6, 6, 6])
    np.testing.assert_allclose(alive, [0.11, 0.59, 0.93], atol=0.005)
    # eleven years: the distribution is proper and its mean is the expectation
    chance = fit.purchase_distribution(np.arange(12), 11)
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    assert chance @ np.arange(12) == pytest.approx(float(fit.expected_from_start(11)), rel=1e-12)


def test_tracking_sums_the_expectations_of_a_new_customer(fits):
    births = np.repeat([0.0, 1.0, 2.5], [3, 2, 1])
    table = fits["pareto_nbd"].tracking(births, 5)
    start = fits["pareto_nbd"].expected_from_start
    expected = [3 * start(w) + 2 * start(w - 1) + start(max(w - 2.5, 0)) for w in range(1, 6)]
    np.testing.assert_allclose(table["cumulative_expected"], expected, rtol=1e-12)
    np.testing.assert_allclose(table["expected"].cumsum(), expected, rtol=1e-12)


def test_predictions_equal_arbitrary_precision():
    # mpmath 1.3.0 at 40 digits from the definitions (a trapezoid over logit p for the dropout
    # mean, adaptive quadrature over the time of dropout for Pareto/NBD); x to 1e5, T to 1e4
    table = pd.read_csv(REFERENCE / "predictions_mpmath.csv")
    for (model, *values), rows in table.groupby(["model", "first", "second", "third", "fourth"]):
        family, theta = FAMILIES[model], np.log(values)
        x, t_x, T, t = (rows[name].to_numpy(float) for name in ("x", "t_x", "T", "horizon"))
        alive = family.p_alive(theta, x, t_x, T)
        chance = alive * family.chance_if_alive(theta, t, x, T)
        expected = alive * family.expected_if_alive(theta, t, x, T)
        np.testing.assert_allclose(alive, rows["p_alive"], rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(chance, rows["probability_of_purchase"], rtol=1e-11, atol=1e-300)
        # at a = 1 the mean is interpolated, and a short horizon at great age costs digits
        rel = 3e-9 if values[2] == 1 else 1e-10
        np.testing.assert_allclose(expected, rows["expected_purchases"], rtol=rel, atol=1e-300)


def test_discrete_and_no_churn_predictions_equal_arbitrary_precision():
    """mpmath 1.3.0 at 40 digits, term by term (no library call shared with ours but log-gamma).

    NBD goes to x = 100,000 and T = 10,000 as the other models do. BG/BB ends at x = 10,000: its
    time is opportunities with at most one purchase at each, so that x cannot exceed T.
    """
    table = pd.read_csv(REFERENCE / "predictions_mpmath_nbd_bg_bb.csv")
    assert table.groupby("model")["x"].max().to_dict() == {"bg_bb": 10_000, "nbd": 100_000}
    parameters = ["first", "second", "third", "fourth"]
    for (model, *values), rows in table.groupby(["model", *parameters], dropna=False):
        family, theta = FAMILIES[model], np.log([v for v in values if not np.isnan(v)])
        x, t_x, T, t = (rows[name].to_numpy(float) for name in ("x", "t_x", "T", "horizon"))
        alive = family.p_alive(theta, x, t_x, T)
        chance = alive * family.chance_if_alive(theta, t, x, T)
        expected = alive * family.expected_if_alive(theta, t, x, T)
        # log-betas near 1e4 are good to 1e-12, and up to 10,000 of them are added
        rel = 1e-14 if model == "nbd" else 1e-10
        for found, name in (
            (alive, "p_alive"),
            (chance, "probability_of_purchase"),
            (expected, "expected_purchases"),
        ):
            np.testing.assert_allclose(found, rows[name], rtol=rel, atol=1e-300, err_msg=name)


@pytest.mark.parametrize("history", [(0, 0, 10_000), (10_000, 10_000, 10_000), (40, 9_000, 10_000)])
def test_discounted_donations_of_a_long_history(fits, history):
    fit = fits["bg_bb"]
    k = np.arange(1, 401)
    gained = np.diff([0.0, *fit.expected_purchases(k, *history)])
    found = fit.discounted_expected_purchases(0.1, *history, periods_per_year=1)
    assert float(found) == pytest.approx((gained * 1.1**-k).sum(), rel=1e-8)


@pytest.mark.parametrize("a", [0.03, 0.79, 0.99999, 1.0, 1.0003, 5.0, 7.999, 8.001, 65.0, 1e4])
def test_mean_over_dropout_in_both_forms(a):
    # the defining integral over p, by adaptive quadrature on either side of its bulk
    R, A, B, t = 3.2, 43.0, 6.0 * a + 2.0, 52.0

    def density(p):
        return p ** (a - 1) * (1 - p) ** (B - 1)

    def mean(p):
        return -np.expm1(-R * np.log1p(p * t / A)) / p

    if a < 200:
        edges = [
            0.0,
            a / (a + B) / 100,
            a / (a + B) / 4,
            a / (a + B),
            min(3 * a / (a + B), 0.9),
            1.0,
        ]
        parts = [
            quad(lambda p: density(p) * mean(p), low, high, epsabs=0, epsrel=1e-11, limit=400)[0]
            for low, high in pairwise(edges)
        ]
        expected = sum(parts) / beta_function(a, B)
    else:
        expected = mean(a / (a + B))  # all p alike
    found = float(purchases_until_dropout(R, A, a, B, t))
    assert found == pytest.approx(expected, rel=1e-9 if a < 200 else 1e-3)


def test_decay_integral_and_its_means():
    rng = np.random.default_rng(0)
    p, A = np.exp(rng.uniform(np.log(0.01), np.log(1e5), 60)), 10 ** rng.uniform(-2, 4, 60)
    q, B = 1 + 10 ** rng.uniform(-3, 5, 60), 10 ** rng.uniform(-2, 6, 60)
    length = 10 ** rng.uniform(-2, 4, 60)
    found = decay(p, A, q, B, length)
    for i in range(60):

        def part(y, i=i):
            return np.exp(-p[i] * np.log1p(y / A[i]) - q[i] * np.log1p(y / B[i]))

        scale = 1 / (p[i] / A[i] + q[i] / B[i])
        edges = [0.0, *(e for e in scale * 3.0 ** np.arange(-2, 20) if e < length[i]), length[i]]
        pieces = list(pairwise(edges))
        whole = sum(quad(part, *piece, epsrel=1e-12)[0] for piece in pieces)
        logs = sum(
            quad(lambda y, i=i: part(y) * np.log1p(y / B[i]), *piece, epsrel=1e-12)[0]
            for piece in pieces
        )
        assert found.value[i] == pytest.approx(whole, rel=2e-9)
        assert found.log_second[i] == pytest.approx(logs / whole, rel=2e-8)


@pytest.mark.parametrize("model", list(FAMILIES))
def test_gradient_equals_finite_differences(model):
    data = distinct_histories(DONATIONS if model == "bg_bb" else CDNOW)
    family = FAMILIES[model]
    objective = log_likelihood(family, data)
    for start in family.starts(data):
        point = to_working(start)
        slope = objective(point)[1]
        for i in range(point.size):
            step = np.zeros(point.size)
            step[i] = 1e-5
            numeric = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
            assert slope[i] == pytest.approx(numeric, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd", "nbd"])
def test_purchase_distribution_is_proper_and_has_the_right_mean(fits, model):
    n = np.arange(2000)
    chance = fits[model].purchase_distribution(n, 52.0)
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    assert chance @ n == pytest.approx(float(fits[model].expected_from_start(52.0)), rel=1e-8)
    # nobody in a new cohort has bought: P(X = 0) is one minus the chance of a first repeat
    if model != "mbg_nbd":
        none = 1 - float(fits[model].probability_of_purchase(52.0, 0, 0, 0))
        assert chance[0] == pytest.approx(none, rel=1e-10)


def test_discounted_purchases_of_a_known_customer(fits):
    """20.652506 for x = 7, t_x = 35, T = 38.86 at a force of .0027 a week, by quadrature.

    At parameters printed with seven to eight digits; at the maximum itself it is 20.652508.
    """
    rate = np.expm1(0.0027 * 52)
    fit = fits["pareto_nbd"]
    found = fit.discounted_expected_purchases(rate, 7, 35, 38.86, periods_per_year=52)
    assert float(found) == pytest.approx(20.652506, rel=2e-7)


def test_discounted_purchases_equal_the_closed_form_of_pareto(fits):
    # Fader, Hardie & Lee (2005, JMR), equation 2, with Tricomi's function
    fit = fits["pareto_nbd"]
    r, alpha, s, beta = estimates(fit)[["r", "alpha", "s", "beta"]]
    x, t_x, T = 2.0, 30.43, 38.86
    force = np.log1p(0.15) / 52
    tricomi = hyperu(s, s, force * (beta + T))
    rest = alpha**r * beta**s * force ** (s - 1)
    # L Γ(r)/Γ(r+x+1) from P(alive) = Γ(r+x) α^r β^s / [Γ(r) (α+T)^(r+x) (β+T)^s L]
    alive = float(fit.p_alive(x, t_x, T))
    scaled = alpha**r * beta**s / ((alpha + T) ** (r + x) * (beta + T) ** s * alive)
    expected = rest * (r + x) * tricomi / ((alpha + T) ** (r + x + 1) * scaled)
    found = fit.discounted_expected_purchases(0.15, x, t_x, T, periods_per_year=52)
    assert float(found) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd", "nbd"])
@pytest.mark.parametrize("horizon", [None, 60.0])
def test_discounted_purchases_equal_a_sum_of_small_steps(fits, model, horizon):
    fit, step = fits[model], 0.1
    history = 3.0, 20.0, 30.0
    t = np.arange(0, 5000 if horizon is None else horizon + step / 2, step)
    gained = np.diff(fit.expected_purchases(t, *history))
    expected = (gained * 1.2 ** (-(t[:-1] + step / 2) / 52)).sum()
    found = fit.discounted_expected_purchases(0.2, *history, horizon=horizon, periods_per_year=52)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_discounting_by_whole_opportunities(fits):
    fit = fits["bg_bb"]
    history = 3, 5, 6
    k = np.arange(1, 301)
    gained = np.diff([0.0, *fit.expected_purchases(k, *history)])
    found = fit.discounted_expected_purchases(0.1, *history, periods_per_year=1)
    assert float(found) == pytest.approx((gained * 1.1**-k).sum(), rel=1e-9)
    near = fit.discounted_expected_purchases(0.1, *history, horizon=4, periods_per_year=1)
    assert float(near) == pytest.approx((gained[:4] * 1.1 ** -k[:4]).sum(), rel=1e-12)


def test_a_new_unit_of_time_changes_nothing_but_the_unit(fits):
    days = CDNOW.assign(t_x=CDNOW["t_x"] * 7, T=CDNOW["T"] * 7)
    for model in ("bg_nbd", "pareto_nbd"):
        found, old = estimates(fit_repeat_buying(days, model)), estimates(fits[model])
        assert found["r"] == pytest.approx(old["r"], rel=1e-5)
        assert found["alpha"] == pytest.approx(7 * old["alpha"], rel=1e-5)


def test_grouping_and_order_change_nothing(fits):
    grouped = CDNOW.groupby(["x", "t_x", "T"]).size().reset_index(name="customers")
    found = fit_repeat_buying(grouped.sample(frac=1, random_state=1), "bg_nbd")
    pd.testing.assert_frame_equal(found.parameters, fits["bg_nbd"].parameters, check_exact=True)
    assert measure(found, "n_histories") == 1016


def test_large_data_start_from_a_sample_and_end_at_the_same_top():
    age = np.random.default_rng(1).uniform(20, 40, 15_000)
    truth = {"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5}
    data = simulate_histories("bg_nbd", truth, age, seed=2)
    found = fit_repeat_buying(data, "bg_nbd")
    assert measure(found, "n_histories") > 10_000
    table = found.parameters.set_index("parameter")
    distance = (table["estimate"][list(truth)] - pd.Series(truth)) / table["std_error"][list(truth)]
    assert distance.abs().max() < 3.5
    objective = log_likelihood(FAMILIES["bg_nbd"], distinct_histories(data))
    slope = objective(to_working(np.log(table["estimate"][list(truth)].to_numpy())))[1]
    assert np.abs(slope).max() < 1e-3


RIDGES = [
    ("bg_nbd", {"r": 0.8, "alpha": 8.0, "a": 1e6, "b": 6e6}, "bg_nbd", "a", "mean_dropout_chance"),
    (
        "bg_nbd",
        {"r": 0.8, "alpha": 8.0, "a": 1e6, "b": 6e6},
        "pareto_nbd",
        "s",
        "mean_dropout_rate",
    ),
    ("bg_nbd", {"r": 5e5, "alpha": 5e6, "a": 0.8, "b": 2.4}, "bg_nbd", "r", "mean_purchase_rate"),
]


@pytest.mark.parametrize("truth_model, truth, model, shape, ratio", RIDGES)
def test_a_ridge_is_climbed_and_explained(truth_model, truth, model, shape, ratio):
    # one dropout chance (or rate) for all: a and b run away together in other software
    age = np.random.default_rng(3).uniform(30, 52, 600)
    data = simulate_histories(truth_model, truth, age, seed=5)
    fit = fit_repeat_buying(data[["x", "t_x", "T"]], model)
    table = fit.parameters.set_index("parameter")
    assert np.isposinf(table.loc[shape, ["std_error", "ci_high"]].astype(float)).all()
    assert 0 < table.loc[shape, "ci_low"] < 50  # the profile's bound: a finite statement
    assert table.loc[ratio, "std_error"] < 0.15 * table.loc[ratio, "estimate"]
    assert any("cannot be told from one value for all" in warning for warning in fit.warnings)
    assert "spread not identified" in set(fit.diagnosis["verdict"])
    assert np.isfinite(fit.predict(data, 52.0)).all().all()
    if model == truth_model == "bg_nbd" and shape == "a":
        assert table.loc[ratio, "ci_low"] < 1 / 7 < table.loc[ratio, "ci_high"]


def test_no_dropout_is_said_not_guessed():
    age = np.random.default_rng(3).uniform(30, 52, 600)
    data = simulate_histories("nbd", {"r": 0.8, "alpha": 8.0}, age, seed=5)
    for model in ("bg_nbd", "pareto_nbd"):
        fit = fit_repeat_buying(data, model)
        assert any("no dropout" in warning for warning in fit.warnings)
        nbd = fit_repeat_buying(data, "nbd")
        mine, theirs = (f.expected_purchases(10.0, 3, 20, 30) for f in (fit, nbd))
        assert float(mine) == pytest.approx(float(theirs), rel=0.05)


def words(fit):
    return " ".join([*fit.warnings, *fit.diagnosis["check"], *fit.diagnosis["verdict"]])


def all_finite(fit, data, horizon=52.0):
    """Every prediction, every estimate; intervals may be open but never unknown."""
    assert np.isfinite(fit.predict(data, horizon)).all().all()
    history = (data[name].to_numpy(float) for name in ("x", "t_x", "T"))
    worth = fit.discounted_expected_purchases(0.1, *history, periods_per_year=52)
    assert np.isfinite(worth).all()
    assert np.isfinite(fit.parameters["estimate"]).all()
    assert fit.parameters.notna().all().all()
    assert fit.diagnosis.notna().all().all()
    # where b runs past 1e7 the sums of log-gammas are too coarse for the last 1e-6
    assert measure(fit, "newton_decrement") < 1e-6 or "ended before the top" in words(fit)
    if fit.model != "bg_bb":
        counts = fit.purchase_counts()
        assert counts["expected"].sum() == pytest.approx(counts["actual"].sum())


def test_a_homogeneous_cohort_like_a_fashion_shop():
    """600 customers over two years who all drop out by one chance: a and b have no maximum.

    Such data make BG/NBD in other software stop somewhere on a ridge (a = 65, b = 404 on the
    apparel data of CLVTools) and its Pareto/NBD return missing coefficients.
    """
    age = np.random.default_rng(40).integers(64, 105, 600).astype(float)
    truth = {"r": 0.8, "alpha": 8.0, "a": 0.14e6, "b": 0.86e6}
    data = simulate_histories("bg_nbd", truth, age, seed=3, holdout=52.0)
    for model in ("bg_nbd", "pareto_nbd"):
        fit = fit_repeat_buying(data[["x", "t_x", "T"]], model)
        all_finite(fit, data)
        assert "cannot be told from one value for all (a ridge" in words(fit)
        assert "spread not identified" in words(fit)
        ahead = fit.predict(data, 52.0)["expected_purchases"]
        error = np.sqrt(data["x_star"].var() * len(data))
        assert abs(ahead.sum() - data["x_star"].sum()) < 4 * error
        if model == "bg_nbd":
            table = fit.parameters.set_index("parameter")
            chance = table.loc["mean_dropout_chance"]
            assert chance["ci_low"] < 0.14 < chance["ci_high"]
            assert chance["ci_high"] - chance["ci_low"] < 0.4 * 0.14
            assert table.loc["mean_purchases_until_dropout", "ci_low"] < 1 / 0.14
            assert table.loc["mean_purchases_until_dropout", "ci_high"] > 1 / 0.14
            assert np.isposinf(table.loc[["a", "b"], "ci_high"].astype(float)).all()


@pytest.mark.parametrize(
    "seed, said",
    [
        # a few seem to leave at once and nobody later; all at one rate; nobody at all
        (3, ["mean lifetime infinite: discount", "dropout rates: powers of ten in an interval"]),
        (6, ["no dropout visible", "cannot be told from one value for all (a ridge"]),
        (7, ["no dropout visible", "dropout rates: mean at an end of its range"]),
    ],
)
def test_hardly_any_churn_is_a_boundary_named_in_words(seed, said):
    # s = .01, beta = 200: two of 600 customers leave within two years
    age = np.random.default_rng(40).integers(64, 105, 600).astype(float)
    truth = {"r": 0.8, "alpha": 8.0, "s": 0.01, "beta": 200.0}
    data = simulate_histories("pareto_nbd", truth, age, seed=seed)
    fit = fit_repeat_buying(data[["x", "t_x", "T"]], "pareto_nbd")
    all_finite(fit, data)
    assert all(text in words(fit) for text in said)
    assert fit.warnings
    # and the predictions are those of a model without churn
    nbd = fit_repeat_buying(data[["x", "t_x", "T"]], "nbd")
    mine, theirs = (f.predict(data, 52.0)["expected_purchases"].sum() for f in (fit, nbd))
    assert mine == pytest.approx(theirs, rel=0.05)


def test_an_end_of_the_range_has_a_one_sided_interval():
    """Everybody bought once and never again: all chances of dropping out are 1, or nearly."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"x": 1, "t_x": rng.uniform(1, 9, 60), "T": 20.0})
    fit = fit_repeat_buying(data, "bg_nbd")
    all_finite(fit, data)
    chance = fit.parameters.set_index("parameter").loc["mean_dropout_chance"]
    assert chance["estimate"] == pytest.approx(1) and chance["ci_high"] == 1
    # sixty customers of chance p for all keep 1.92 of log-likelihood down to about exp(-1.92/60)
    assert 0.9 < chance["ci_low"] < 0.99
    assert "estimated at 1, an end of their range" in words(fit)
    # always a purchase at the last opportunity: nobody can have dropped out
    x = rng.integers(1, 6, 40)
    donors = fit_repeat_buying(pd.DataFrame({"x": x, "t_x": 6, "T": 6}), "bg_bb")
    chance = donors.parameters.set_index("parameter").loc["mean_dropout_chance"]
    assert chance["ci_low"] == 0
    # one chance d for all: 40 customers alive after 6 opportunities, (1 - d)^240 = exp(-1.92);
    # with a spread of chances a little more fits
    assert 1 - np.exp(-1.92 / 240) < chance["ci_high"] < 0.1
    assert "estimated at 0, an end of their range" in words(donors)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("model", ["bg_bb", "bg_nbd"])
def test_a_level_goes_to_its_end_and_does_not_stop_on_the_way(model, seed):
    """All gone after one purchase, or nobody ever: the likelihood flattens long before the end."""
    rng = np.random.default_rng(seed)
    gone = pd.DataFrame({"x": 1, "t_x": rng.uniform(1, 9, 60), "T": 20.0})
    stayed = pd.DataFrame({"x": rng.integers(1, 6, 40), "t_x": 6, "T": 6})
    fit = fit_repeat_buying(stayed if model == "bg_bb" else gone, model)
    name, end = ("mean_dropout_chance", 0.0 if model == "bg_bb" else 1.0)
    chance = fit.parameters.set_index("parameter").loc[name]
    assert chance["estimate"] == pytest.approx(end, abs=1e-10)
    assert chance["ci_high" if end else "ci_low"] == end
    # of the two parameters of the dropout chances one is not identified, and stays at 1
    free = fit.parameters.set_index("parameter").loc["gamma" if model == "bg_bb" else "a"]
    assert free["estimate"] == 1 and free["ci_high"] == np.inf


def odd_histories():
    rng = np.random.default_rng(1)

    def table(x, t_x, T):
        columns = {"x": x, "t_x": np.asarray(t_x, float), "T": np.asarray(T, float)}
        return pd.DataFrame(columns)

    truth = {"r": 0.5, "alpha": 6.0, "a": 1.0, "b": 3.0}
    columns = ["x", "t_x", "T"]
    few = simulate_histories("bg_nbd", truth, rng.uniform(10, 40, 20), seed=2)[columns]
    many = simulate_histories("bg_nbd", truth, rng.uniform(10, 40, 300), seed=2)[columns]
    x, age = rng.poisson(3, 200) + 1, rng.uniform(20, 40, 200)
    lone = np.where(np.arange(50) == 3, 1, 0)
    whale, left = many.copy(), many.copy()
    whale.loc[5, ["x", "t_x"]] = [10_000, many.loc[5, "T"] - 0.01]
    left.loc[5, ["x", "t_x"]] = [10_000, 1.0]
    return {
        "twenty customers": few,
        "one customer": table([3], [3], [10]),
        "one repeat purchase among fifty": table(lone, 11.0 * lone, np.full(50, 39)),
        "all bought again": table(x, rng.uniform(5, 30, 200), np.full(200, 39)),
        "all of one age": many.assign(T=40.0),
        "all bought on the last day": table(x, age, age),
        "a whale of 10,000 purchases": whale,
        "a whale who left": left,
        "all left at once": table(rng.integers(1, 4, 80), [0.1] * 80, [50] * 80),
        "some joined at the cut": table([0, 0, 0, 2, 1], [0, 0, 0, 4, 3], [0, 0, 5, 9, 9]),
        "very long": table(2 * lone + 1, 9000.0 + lone, np.full(50, 10_000)),
    }


def rest_slow(cases, *quick):
    return [pytest.param(c, marks=[] if c in quick else pytest.mark.slow) for c in cases]


@pytest.mark.parametrize(
    "case",
    rest_slow(
        odd_histories(),
        "twenty customers",
        "one repeat purchase among fifty",
        "all bought again",
        "all bought on the last day",
        "a whale of 10,000 purchases",
    ),
)
@pytest.mark.parametrize("model", ["bg_nbd", "pareto_nbd", "nbd"])
def test_odd_data_converge_or_say_why(case, model):
    data = odd_histories()[case]
    fit = fit_repeat_buying(data, model)
    all_finite(fit, data)
    if case in ("twenty customers", "all bought on the last day"):
        drawn = fit.bootstrap(2, seed=1).draws.dropna()
        assert len(drawn) >= 2 * len(FAMILIES[model].PARAMETERS)
        assert np.isfinite(drawn["estimate"]).all()
    ordinary = {"all of one age", "a whale of 10,000 purchases", "a whale who left"}
    if model != "nbd" and case not in ordinary | {"twenty customers", "all bought again"}:
        assert fit.warnings  # nobody can learn a spread of dropout from these


DISCRETE = {
    "eighteen donors": ([0, 0, 0, 1, 2, 3] * 3, [0, 0, 0, 2, 4, 6] * 3, 6),
    "one gift": ([0] * 30 + [1], [0] * 30 + [3], 6),
    "always": ([6] * 30, [6] * 30, 6),
    "one opportunity": ([0, 1] * 15, [0, 1] * 15, 1),
    "ten years of days": ([0, 40, 300, 5] * 10, [0, 900, 3650, 5] * 10, 3650),
}


@pytest.mark.parametrize("case", rest_slow(DISCRETE, "always", "ten years of days"))
def test_odd_donations_converge_or_say_why(case):
    x, t_x, n = DISCRETE[case]
    data = pd.DataFrame({"x": x, "t_x": t_x, "T": n})
    fit = fit_repeat_buying(data, "bg_bb")
    all_finite(fit, data, horizon=5.0)
    if case != "ten years of days":
        assert fit.warnings


@pytest.mark.parametrize("rate, per_year", [(0.1, 1), (0.1, 52), (0.1, 365.25)])
@pytest.mark.parametrize("theta", [(1.2, 0.75, 0.66, 2.78), (1, 7, 1, 100), (50, 60, 40, 4000)])
def test_discounted_donations_at_any_rate(theta, rate, per_year):
    # against the sum itself, until nothing is left of the money
    n = np.array([6.0, 500.0, 10_000.0])
    force = np.log1p(rate) / per_year
    family, log_theta = FAMILIES["bg_bb"], np.log(theta)
    found = family.discounted_if_alive(log_theta, force, None, np.ones(3), n)
    gamma, delta = theta[2:]
    k = np.arange(1, int(40 / force) + 1)
    for value, age in zip(found, n, strict=True):
        steps = np.log1p(-gamma / (gamma + delta + age + k[1:] - 1))  # alive at the next one
        lives = np.exp(np.concatenate([[0.0], np.cumsum(steps)]) - force * k).sum()
        hit = (theta[0] + 1) / (theta[0] + theta[1] + age)
        assert value == pytest.approx(hit * lives, rel=1e-9)


@pytest.mark.parametrize(
    "R, A, a, B, t, expected",
    # mpmath 1.3.0, 30 digits, a trapezoid over logit p; where 2F1 gives NaN or no digits: dropout
    # of a few in a billion, long horizons, very even purchase rates, everybody leaving at once
    [
        (11652.05, 1.9e10, 0.0424, 1.34e7, 52.0, 3.188982105262997e-05),
        (0.931, 4.24, 3.12, 8.6e9, 9335.0, 2049.7354475832067),
        (9.34, 1.19e9, 2460.0, 0.0295, 14.0, 1.0988234625782439e-07),
        (10001.0, 46202.0, 0.5, 1.0, 52.0, 4.946515337478352),
        (8.96, 1.8, 0.0289, 4e5, 9227.0, 45849.03438351034),
        (30000.0, 50.0, 0.3, 2.0, 1.0, 145.0613049264376),
    ],
)
def test_mean_over_dropout_where_library_functions_fail(R, A, a, B, t, expected):
    found = purchases_until_dropout(*(np.array([v]) for v in (R, A)), a, np.array([B]), t)
    assert found[0] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd", "pareto_nbd"])
def test_predictions_are_finite_wherever_a_fit_may_end(model):
    """Any point between the optimiser's bounds, x to 100,000, T to 10,000."""
    rng, family = np.random.default_rng(8), FAMILIES[model]
    for _ in range(400):
        point = rng.uniform([-25, -14] * 2, [25, np.log(1e4)] * 2)
        theta = to_log_parameters(point, 4)
        x = np.round(10 ** rng.uniform(0, 5, 8)) * rng.integers(0, 2, 8)
        T, t = 10 ** rng.uniform(-1, 4, 8), 10 ** rng.uniform(-1, 4, 8)
        t_x = np.where(x > 0, T * rng.uniform(size=8), 0.0)
        alive = family.p_alive(theta, x, t_x, T)
        chance = family.chance_if_alive(theta, t, x, T)
        expected = family.expected_if_alive(theta, t, x, T)
        assert ((alive >= 0) & (alive <= 1) & (chance >= 0) & (chance <= 1 + 1e-12)).all()
        # Markov: a purchase is at least as likely as its expected number allows
        assert (np.isfinite(expected) & (expected >= chance * (1 - 1e-6))).all()


def test_bootstrap_is_reproducible_and_close_to_the_hessian(fits):
    once, twice = (fits["bg_nbd"].bootstrap(40, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(once.parameters, twice.parameters)
    assert len(once.draws) == 40 * len(fits["bg_nbd"].parameters)
    rate = once.parameters.set_index("parameter").loc["mean_purchase_rate"]
    hessian = fits["bg_nbd"].parameters.set_index("parameter").loc["mean_purchase_rate"]
    assert 0.6 < rate["std_error"] / hessian["std_error"] < 1.8
    assert rate["ci_low"] < rate["estimate"] < rate["ci_high"]


def test_bootstrap_draw_equals_a_fit_of_the_resampled_customers(fits):
    draws = fits["nbd"].bootstrap(1, seed=11).draws
    data = fits["nbd"].histories
    rng = np.random.default_rng(11)
    counts = rng.multinomial(2357, data["customers"] / 2357)
    again = fit_repeat_buying(data.assign(customers=counts)[counts > 0], "nbd")
    found = draws.set_index("parameter")["estimate"]
    assert found["r"] == pytest.approx(estimates(again)["r"], rel=1e-6)


def test_covariates_recover_what_was_simulated():
    # exp(0.5 z) on the purchase rate divides alpha, exp(-0.7 z) on the dropout rate divides beta
    age = np.random.default_rng(0).uniform(30, 60, 3000)
    base = {"r": 0.6, "alpha": 10.0, "s": 0.6, "beta": 12.0}
    other = base | {"alpha": 10 * np.exp(-0.5), "beta": 12 * np.exp(0.7)}
    parts = [simulate_histories("pareto_nbd", base, age[:1500], seed=1, holdout=20.0)]
    parts.append(simulate_histories("pareto_nbd", other, age[1500:], seed=2, holdout=20.0))
    data = pd.concat([part.assign(z=z) for z, part in enumerate(parts)], ignore_index=True)
    fit = fit_repeat_buying(data, "pareto_nbd", covariates=["z"])
    table = fit.parameters.set_index("parameter")
    for name, truth in (("purchase:z", 0.5), ("dropout:z", -0.7)):
        assert abs(table.loc[name, "estimate"] - truth) < 3 * table.loc[name, "std_error"]
    # z = 0 and 1 share r and s; apart, each group has its own likelihood, jointly no lower
    apart = sum(measure(fit_repeat_buying(part, "pareto_nbd"), "log_likelihood") for part in parts)
    pooled = measure(fit_repeat_buying(data, "pareto_nbd"), "log_likelihood")
    assert pooled + 20 < measure(fit, "log_likelihood") <= apart + 1e-6
    ahead = fit.predict(data, 20.0)["expected_purchases"].groupby(data["z"]).sum()
    bought = data.groupby("z")["x_star"].sum()
    assert (ahead - bought).abs().max() < 4 * np.sqrt(bought.max() * 4)


@pytest.mark.parametrize(
    "change, options, message",
    [
        ({"x": 0, "t_x": 0}, {}, "nobody bought again"),
        ({"t_x": 50.0}, {}, "t_x outside 0 to T"),
        ({"x": 1.5}, {}, "not a count"),
        ({"t_x": 0.0}, {}, "x > 0 with t_x = 0"),
        ({"T": np.nan}, {}, "missing or infinite"),
        ({"x": "many"}, {}, "not numbers"),
        ({}, {"model": "bgnbd"}, "Did you mean 'bg_nbd'"),
        ({}, {"model": "nbd", "covariates": ["id"]}, "takes none"),
        ({}, {"model": "bg_bb"}, "whole numbers of opportunities"),
        ({"z": 1.0}, {"model": "pareto_nbd", "covariates": ["z"]}, "constant or repeat"),
        ({}, {"model": "pareto_nbd", "covariates": ["zz"]}, "has no column 'zz'"),
    ],
)
def test_faulty_histories_are_refused(change, options, message):
    with pytest.raises(InputError, match=message):
        fit_repeat_buying(CDNOW.assign(**change), **options)


def test_faulty_requests_are_refused(fits):
    fit = fits["bg_nbd"]
    with pytest.raises(InputError, match="unit of the histories is not known"):
        fit.discounted_expected_purchases(0.1, 1, 5, 10)
    with pytest.raises(InputError, match="without a horizon"):
        fit.discounted_expected_purchases(0.0, 1, 5, 10, periods_per_year=52)
    with pytest.raises(InputError, match="negative or not finite"):
        fit.expected_purchases(-1, 1, 5, 10)
    with pytest.raises(InputError, match="row 1"):
        fit.p_alive([1, 1], [5, 11], 10)
    with pytest.raises(InputError, match="whole number of opportunities"):
        fits["bg_bb"].expected_purchases(1.5, 1, 2, 6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model, truth",
    [
        ("bg_nbd", {"r": 0.5, "alpha": 6.0, "a": 1.2, "b": 3.5}),
        ("mbg_nbd", {"r": 0.8, "alpha": 6.0, "a": 1.2, "b": 2.5}),
        ("pareto_nbd", {"r": 0.8, "alpha": 8.0, "s": 1.0, "beta": 15.0}),
        ("nbd", {"r": 0.5, "alpha": 6.0}),
        ("bg_bb", {"alpha": 1.2, "beta": 0.8, "gamma": 0.7, "delta": 2.8}),
    ],
)
def test_intervals_cover(model, truth):
    """Nominal 95 %; 200 samples of 1,500 customers put the tolerance at four standard errors."""
    samples, covered = 200, dict.fromkeys(truth, 0)
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        age = np.full(1500, 10.0) if model == "bg_bb" else rng.uniform(30, 60, 1500)
        data = simulate_histories(model, truth, age, seed=seed + 1000)
        table = fit_repeat_buying(data, model).parameters.set_index("parameter")
        for name, value in truth.items():
            covered[name] += table.loc[name, "ci_low"] <= value <= table.loc[name, "ci_high"]
    for name, count in covered.items():
        assert abs(count / samples - 0.95) < 4 * np.sqrt(0.05 * 0.95 / samples), (name, count)


def test_one_customer_is_no_base_to_model():
    log = pd.DataFrame(
        {"customer_id": 7, "date": pd.date_range("2024-01-01", periods=40, freq="9D"), "amount": 5}
    )
    with pytest.raises(InputError, match=r"one customer only.*as `customer`"):
        fit_repeat_buying(summarise_purchases(log))
