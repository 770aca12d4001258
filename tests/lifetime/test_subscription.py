"""Cohort and survival models against published numbers, closed forms, and other software."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

import cvlib
from cvlib.inputs.contracts import check_subscriptions
from cvlib.inputs.errors import InputError
from cvlib.lifetime import economics, subscription, survival, survival_metrics

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"
COVARIATES = ["Contract", "InternetService", "PaymentMethod", "MonthlyCharges", "SeniorCitizen"]


def losses(cohort, years=7):
    rows = subscription.read_cohorts().query("cohort == @cohort")
    return subscription.cohort_losses(rows["customers"].iloc[: years + 1])


def test_shipped_cohorts_are_the_published_series():
    table = pd.read_csv(REFERENCE / "sbg_fader_hardie_2007.csv")
    shipped = subscription.read_cohorts()
    for name in ("high_end", "regular"):
        part = shipped[shipped["cohort"] == name]
        np.testing.assert_allclose(part["customers"] / 10, table[f"{name}_pct"])
        assert part["period"].tolist() == table["year"].tolist()


@pytest.mark.parametrize(
    ("cohort", "alpha", "beta", "likelihood", "at_12"),
    # Fader & Hardie (2007) table 2 and appendix, recomputed to five digits
    [
        ("high_end", 0.66809, 3.80609, -1611.158, 0.378),
        ("regular", 0.70408, 1.18204, -1680.265, 0.170),
    ],
)
def test_sbg_published(cohort, alpha, beta, likelihood, at_12):
    fit = subscription.fit_cohort(losses(cohort), "sbg")
    found = fit.parameters.set_index("parameter")["estimate"]
    assert found["alpha"] == pytest.approx(alpha, abs=6e-6)
    assert found["beta"] == pytest.approx(beta, abs=6e-6)
    value = fit.fit.set_index("measure")["value"]["log_likelihood"]
    assert value == pytest.approx(likelihood, abs=5.1e-4)
    assert round(float(fit.survival(12)), 3) == at_12
    assert fit.warnings == ()


def test_sbg_recursion_and_rising_retention():
    fit = subscription.fit_cohort(losses("regular"), "sbg")
    alpha, beta = fit.parameters["estimate"]
    p, survivors = alpha / (alpha + beta), 1.0
    for t in range(1, 10):
        if t > 1:
            p *= (beta + t - 2) / (alpha + beta + t - 1)
        survivors -= p
        assert float(fit.survival(t)) == pytest.approx(survivors, abs=1e-12)
        expected = (beta + t - 1) / (alpha + beta + t - 1)
        assert float(fit.retention(t)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("renewals", [0, 1, 5])
def test_residual_lifetime_is_the_closed_form(renewals):
    # Fader & Hardie (2010) Marketing Science 29:85-93
    fit = subscription.fit_cohort(losses("high_end"), "sbg")
    (alpha, beta), d, n = fit.parameters["estimate"], 0.1, renewals + 1
    closed = (beta + n - 1) / (alpha + beta + n - 1)
    closed *= special.hyp2f1(1, beta + n, alpha + beta + n, 1 / (1 + d))
    assert fit.residual_lifetime(renewals, d) == pytest.approx(closed, rel=1e-9)


def test_bdw_contains_sbg():
    t = np.arange(0, 10)
    np.testing.assert_allclose(
        subscription.log_survival("bdw", [0.7, 3.8, 1.0], t),
        subscription.log_survival("sbg", [0.7, 3.8], t),
    )
    wide = {
        m: subscription.fit_cohort(losses("high_end"), m).fit["value"].iloc[0]
        for m in subscription.COHORT_MODELS
    }
    assert wide["bdw"] > wide["sbg"] > wide["geometric"]


def test_bdw_is_recovered_from_a_large_cohort():
    theta = [0.5, 2.0, 1.6]
    left = np.round(1e7 * np.exp(subscription.log_survival("bdw", theta, np.arange(0, 13))))
    fit = subscription.fit_cohort(subscription.cohort_losses(left), "bdw")
    np.testing.assert_allclose(fit.parameters["estimate"], theta, rtol=1e-3)


def test_standard_errors_by_simulation():
    """The spread of estimates over simulated cohorts equals the reported standard error."""
    rng, truth = np.random.default_rng(4), np.array([0.7, 2.0])
    share = np.exp(subscription.log_survival("sbg", truth, np.arange(0, 9)))
    cells = np.append(-np.diff(share), share[-1])
    found, reported, inside = [], [], []
    for _ in range(60):
        drawn = rng.multinomial(3000, cells)
        left = np.concatenate([[3000], 3000 - np.cumsum(drawn[:-1])])
        table = subscription.fit_cohort(subscription.cohort_losses(left), "sbg").parameters
        found.append(table["estimate"])
        reported.append(table["std_error"])
        inside.append((table["ci_low"] < truth) & (truth < table["ci_high"]))
    np.testing.assert_allclose(np.std(found, axis=0), np.mean(reported, axis=0), rtol=0.25)
    assert np.mean(inside) > 0.88


def test_geometric_is_losses_over_exposure():
    table = losses("regular")
    exposure = (table["period"] * (table["lost"] + table["censored"])).sum()
    odds = subscription.fit_cohort(table, "geometric").parameters["estimate"].iloc[0]
    assert odds / (1 + odds) == pytest.approx(table["lost"].sum() / exposure, abs=1e-8)


def test_customers_who_do_not_differ_are_a_ridge_and_said_to_be():
    left = np.round(1e6 * 0.8 ** np.arange(0, 9))
    fit = subscription.fit_cohort(subscription.cohort_losses(left), "sbg")
    assert "not identified" in fit.warnings[0]
    assert fit.parameters["std_error"].isna().all()
    np.testing.assert_allclose(fit.survival([1, 5]), [0.8, 0.8**5], atol=2e-4)


def test_grouped_and_cohort_losses_agree():
    duration = np.repeat([1, 2, 3, 3], [30, 20, 10, 40])
    event = np.repeat([1, 1, 1, 0], [30, 20, 10, 40])
    one = subscription.fit_cohort(subscription.grouped_losses(duration, event))
    two = subscription.fit_cohort(subscription.cohort_losses([100, 70, 50, 40]))
    pd.testing.assert_frame_equal(one.parameters, two.parameters)


def test_projection_table():
    found = subscription.project_cohorts(subscription.read_cohorts(), 7)
    chosen = "cohort == 'high_end' and model == 'sbg'"
    row = found.projection.query(f"{chosen} and period == 12").iloc[0]
    assert (round(row["survival"], 3), round(row["actual"], 3)) == (0.378, 0.394)
    assert row["sample"] == "projected"
    last = found.errors.query(chosen).iloc[0]
    assert last["survival"] == row["survival"]
    assert (
        found.errors.set_index(["cohort", "model"])["mean_absolute_error"].idxmax()[1]
        == "geometric"
    )
    # heterogeneity: an average rate undervalues those who have stayed
    gap = found.residual.query("cohort == 'high_end' and renewals == 4").set_index("model")
    assert gap.loc["sbg", "residual_lifetime"] > gap.loc["geometric", "residual_lifetime"]
    assert "geometric" in found.sentence
    whole = subscription.project_cohorts(subscription.read_cohorts(), 12)
    assert whole.sentence.startswith("No later periods")


def test_own_cohorts_from_a_file(tmp_path):
    path = tmp_path / "cohorts.csv"
    subscription.read_cohorts().to_csv(path, index=False)
    pd.testing.assert_frame_equal(
        subscription.read_cohorts(str(path)), subscription.read_cohorts(), check_dtype=False
    )
    subscription.read_cohorts().drop(columns="period").to_csv(path, index=False)
    with pytest.raises(InputError, match="no column 'period'"):
        subscription.read_cohorts(str(path))


def test_simulated_contracts_say_that_they_are():
    table = survival.read_subscriptions("simulated", customers=50, seed=1)
    assert "SIMULATED" in table.warnings[0]
    assert len(table.data) == 50
    assert table.data.equals(survival.simulated_subscriptions(50, seed=1))


@pytest.mark.parametrize("payment", ["begin", "end"])
def test_value_of_a_constant_retention_curve(payment):
    r, i = 0.8, 0.1
    found = subscription.curve_value(
        lambda t: r ** np.asarray(t), margin=50, annual_rate=i, observed=5, periods_per_year=1,
        payment=payment,
    )  # fmt: skip
    first = "immediate" if payment == "begin" else "end"
    assert found["lifetime_value"] == pytest.approx(50 * economics.value_multiple(r, i, 0, first))
    beyond = (r / (1 + i)) ** 6  # of the sum, what lies after t = 5 when paid at the begin
    expected = beyond if payment == "begin" else (r / (1 + i)) ** 5
    assert found["share_beyond_data"] == pytest.approx(expected)


def test_monthly_discounting_uses_the_yearly_rate():
    found = subscription.curve_value(
        lambda t: (np.asarray(t) == 12).astype(float), margin=110, annual_rate=0.1, observed=12,
        horizon=24,
    )  # fmt: skip
    assert found["lifetime_value"] == pytest.approx(100)


# --- single customers


@pytest.fixture(scope="module")
def simulated():
    raw = survival.simulated_subscriptions(1500, seed=3)
    table = check_subscriptions(raw, tenure="tenure", churned="Churn").data
    return survival.prepare_subscriptions(table, COVARIATES)


def test_preparing_counts_and_codes():
    table = pd.DataFrame(
        {
            "tenure": [0, *range(1, 31), 5],
            "churned": [False, *[True, False] * 15, True],
            "plan": ["a", *["a", "b", "a"] * 10, None],
            "fee": np.arange(32.0),
        }
    )
    found = survival.prepare_subscriptions(table, ["plan", "fee"])
    assert found.left_out["count"].tolist() == [1, 1]
    assert list(found.data.columns) == ["duration", "event", "plan: b", "fee"]
    assert found.data["plan: b"].sum() == 10
    assert len(found.data) == 30
    with pytest.raises(InputError, match="no column 'plann'"):
        survival.prepare_subscriptions(table, ["plann"])
    with pytest.raises(InputError, match="too few"):
        survival.prepare_subscriptions(table.assign(churned=False), ["fee"])


def test_cox_equals_statsmodels(simulated):
    from statsmodels.duration.hazard_regression import PHReg

    fits = survival.fit_survival(simulated.data, ["cox"])
    names = list(simulated.data.columns[2:])
    other = PHReg(
        simulated.data["duration"], simulated.data[names], simulated.data["event"], ties="efron"
    ).fit()
    table = fits.coefficients.set_index("covariate").loc[names]
    np.testing.assert_allclose(table["estimate"], other.params, atol=1e-5)
    np.testing.assert_allclose(table["std_error"], other.bse, rtol=1e-4)


def test_cox_curve_starts_at_one_and_steps_at_losses(simulated):
    from lifelines import CoxPHFitter

    curve = survival.fit_survival(simulated.data, ["cox"]).curves["cox"]
    rows, times = simulated.data.iloc[:20], [5, 20, 40]
    assert (curve(rows, [0, 0.5]) == 1).all()
    other = CoxPHFitter().fit(simulated.data, "duration", "event")
    expected = other.predict_survival_function(rows, times=times).to_numpy().T
    np.testing.assert_allclose(curve(rows, times), expected, atol=1e-9)
    np.testing.assert_allclose(curve(rows, [5.9]), curve(rows, [5]))
    assert np.isnan(curve(rows, [73])).all()


def test_weibull_and_logit_recover_their_parameters():
    rng = np.random.default_rng(8)
    n = 4000
    x = rng.normal(size=n)
    exact = np.exp(3 + 0.5 * x) * rng.weibull(1.5, n)
    seen = rng.uniform(5, 60, n)
    data = pd.DataFrame(
        {"duration": np.minimum(exact, seen), "event": (exact <= seen) * 1.0, "x": x}
    )
    table = survival.fit_survival(data, ["weibull_aft"]).coefficients.set_index("covariate")
    for name, truth in (
        ("lambda_ x", 0.5),
        ("lambda_ Intercept", 3.0),
        ("rho_ Intercept", np.log(1.5)),
    ):
        row = table.loc[name]
        assert abs(row["estimate"] - truth) < 3.5 * row["std_error"], name
        assert row["std_error"] < 0.06
    monthly = 1 / (1 + np.exp(-(-3 + 0.7 * x)))
    months, limit = rng.geometric(monthly), rng.integers(1, 49, n)
    data = pd.DataFrame(
        {"duration": np.minimum(months, limit), "event": (months <= limit) * 1.0, "x": x}
    )
    fits = survival.fit_survival(data, ["logit"])
    table = fits.coefficients.set_index("covariate")
    for name, truth in (("x", 0.7), ("month", 0.0), ("ln month", 0.0)):
        assert abs(table.loc[name, "estimate"] - truth) < 3.5 * table.loc[name, "std_error"], name
    curve = fits.curves["logit"](data.iloc[:50], [6, 12])
    true = (1 - monthly[:50, None]) ** np.array([6, 12])
    assert np.abs(curve - true).max() < 0.04


def test_kaplan_meier_by_hand():
    data = pd.DataFrame({"duration": [1, 2, 2, 3, 4.0], "event": [1, 1, 0, 1, 0.0]})
    curve = survival.fit_survival(data, ["kaplan_meier"]).curves["kaplan_meier"]
    found = curve(data.iloc[:1], [0, 1, 2, 3, 4, 5])[0]
    np.testing.assert_allclose(found[:5], [1, 0.8, 0.6, 0.3, 0.3])
    assert np.isnan(found[5])  # undefined beyond the data


def test_models_without_covariates_share_one_curve(simulated):
    fits = survival.fit_survival(simulated.data, ["kaplan_meier", "sbg", "geometric"])
    curves = survival.mean_curves(fits, simulated.data, until=90)
    longest = simulated.data["duration"].max()
    ends = curves.groupby("model")["period"].max()
    assert ends["kaplan_meier"] == longest  # and the parametric ones go on
    assert ends["sbg"] == 90
    wide = curves.pivot(index="period", columns="model", values="survival").loc[1:40]
    assert (wide["sbg"] - wide["kaplan_meier"]).abs().max() < 0.03


def test_value_says_what_lies_beyond_the_data(simulated):
    fits = survival.fit_survival(simulated.data, ["kaplan_meier", "cox", "sbg"])
    table = survival.subscription_value(fits, simulated.data, margin=20, annual_rate=0.1)
    rows = table.set_index("model")
    assert rows.loc[["kaplan_meier", "cox"], "lifetime_value"].isna().all()
    assert rows.loc["sbg", "within_data"] == pytest.approx(
        rows.loc["kaplan_meier", "within_data"], rel=0.02
    )
    assert 0 < rows.loc["sbg", "share_beyond_data"] < 1


def test_unknown_model_is_named(simulated):
    with pytest.raises(InputError, match="'weibul'"):
        survival.fit_survival(simulated.data, ["weibul"])
    with pytest.raises(InputError, match="'sgb'"):
        subscription.fit_cohort(losses("regular"), "sgb")
    with pytest.raises(InputError, match="must not grow"):
        subscription.cohort_losses([100, 90, 95])


# --- metrics


@pytest.fixture(scope="module")
def sksurv():
    """Numbers of scikit-survival 0.28.0 with the data they were computed from."""
    found = json.loads((REFERENCE / "survival_metrics_sksurv.json").read_text())
    arrays = ("time", "event", "risk", "times", "survival")
    return {name: np.array(v) if name in arrays else v for name, v in found.items()}


def test_metrics_equal_scikit_survival(sksurv):
    time, event, risk, times = (sksurv[name] for name in ("time", "event", "risk", "times"))
    weights = survival_metrics.censoring(time, event)
    assert survival_metrics.concordance(time, event, risk) == pytest.approx(
        sksurv["harrell_c"], abs=1e-12
    )
    assert survival_metrics.concordance(time, event, risk, weights) == pytest.approx(
        sksurv["uno_c"], abs=1e-12
    )
    found = survival_metrics.concordance(time, event, risk, weights, sksurv["tau"])
    assert found == pytest.approx(sksurv["uno_c_tau"], abs=1e-12)
    brier = survival_metrics.brier_over_time(time, event, sksurv["survival"], times, weights)
    np.testing.assert_allclose(brier, sksurv["brier"], atol=1e-12)
    area = np.trapezoid(brier, times) / (times[-1] - times[0])
    assert area == pytest.approx(sksurv["integrated_brier"], abs=1e-12)
    auc = survival_metrics.auc_over_time(time, event, 1 - sksurv["survival"], times, weights)
    np.testing.assert_allclose(auc, sksurv["auc"], atol=1e-12)


def test_concordance_with_ties(sksurv):
    from lifelines.utils import concordance_index

    time, risk = np.ceil(sksurv["time"]), np.round(sksurv["risk"], 1)
    found = survival_metrics.concordance(time, sksurv["event"], risk)
    assert found == pytest.approx(sksurv["tied"]["harrell_c"], abs=1e-12)
    plain = concordance_index(time[sksurv["event"] == 1], -risk[sksurv["event"] == 1])
    # without censoring lifelines counts pairs of equal times as well; leave those out by jitter
    shaken = sksurv["time"][sksurv["event"] == 1]
    ours = survival_metrics.concordance(shaken, np.ones_like(shaken), risk[sksurv["event"] == 1])
    assert ours == pytest.approx(concordance_index(shaken, -risk[sksurv["event"] == 1]), abs=1e-12)
    assert plain == pytest.approx(ours, abs=0.05)


def test_losses_come_before_censorings_of_the_same_period():
    weights = survival_metrics.censoring([1, 2, 2, 3], [1, 1, 0, 0])
    # at risk of censoring at 2: the one censored there and the one after it
    np.testing.assert_allclose(weights.after([1, 2, 3]), [1, 0.5, 0])
    np.testing.assert_allclose(weights.before([2, 3]), [1, 0.5])


def test_d_calibration_accepts_the_truth_and_rejects_a_wrong_curve():
    rng = np.random.default_rng(6)
    life, limit = rng.exponential(10, 3000), rng.uniform(0, 25, 3000)
    time, event = np.minimum(life, limit), (life <= limit).astype(float)
    p = [
        survival_metrics.d_calibration(time, event, np.exp(-time / mean))["value"].iloc[2]
        for mean in (10, 8)
    ]
    assert p[0] > 0.01 > p[1]


def test_calibration_groups(simulated):
    data = simulated.data
    fits = survival.fit_survival(data, ["cox"])
    s = fits.curves["cox"](data, [24])[:, 0]
    table = survival_metrics.calibration_by_risk(data["duration"], data["event"], s, 24)
    assert table["customers"].sum() == len(data)
    assert table["forecast"].is_monotonic_increasing
    assert (
        (table["ci_low"] < table["forecast"]) & (table["forecast"] < table["ci_high"])
    ).sum() >= 4


def test_validation_prefers_models_that_know_something(simulated):
    models = ["kaplan_meier", "cox", "sbg", "geometric"]
    found = survival_metrics.validate_survival(simulated.data, models, draws=20, seed=2)
    wide = found.validation.pivot(index="model", columns="metric", values="value")
    assert (wide.loc[["kaplan_meier", "sbg", "geometric"], "harrell_c"] == 0.5).all()
    assert wide.loc["cox", "uno_c"] > 0.7
    assert wide.loc["cox", "integrated_brier"] < wide.loc["kaplan_meier", "integrated_brier"]
    assert "Smallest integrated Brier score: cox" in found.sentence
    again = survival_metrics.validate_survival(simulated.data, models, draws=20, seed=2)
    pd.testing.assert_frame_equal(found.validation, again.validation)


@pytest.mark.skipif(
    not os.environ.get("CVLIB_DATA_MIRROR"), reason="needs CVLIB_DATA_MIRROR with telco_churn.csv"
)
def test_ibm_telco_table():
    table = cvlib.load_table("telco_churn")
    checked = check_subscriptions(table, tenure="tenure", churned="Churn")
    found = survival.prepare_subscriptions(checked.data, COVARIATES)
    facts = found.facts.set_index("measure")["value"]
    assert (facts["customers"], facts["left"]) == (7032, 1869)
    assert found.left_out["count"].tolist() == [11, 0]  # 11 contracts of tenure 0
    result = survival_metrics.validate_survival(
        found.data, ["kaplan_meier", "cox", "weibull_aft", "logit", "sbg"], draws=5, seed=1
    )
    wide = result.validation.pivot(index="model", columns="metric", values="value")
    assert (wide.loc[["cox", "weibull_aft", "logit"], "uno_c"] > 0.8).all()
    assert (wide["integrated_brier"] < 0.25).all()
