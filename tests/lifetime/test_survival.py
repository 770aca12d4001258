"""Survival models against statsmodels, lifelines, hand calculation and simulation."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.contracts import check_subscriptions
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts import survival

COVARIATES = ["Contract", "InternetService", "PaymentMethod", "MonthlyCharges", "SeniorCitizen"]


def test_simulated_contracts_say_that_they_are():
    table = survival.read_subscriptions("simulated", customers=50, seed=1)
    assert "SIMULATED" in table.warnings[0]
    assert len(table.data) == 50
    assert table.data.equals(survival.simulated_subscriptions(50, seed=1))


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
    for name, truth in (("x", 0.7), ("period", 0.0), ("ln period", 0.0)):
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
    found = survival.subscription_value(fits, simulated.data, margin=20, annual_rate=0.1)
    rows = found.value.set_index("model")
    assert rows.loc[["kaplan_meier", "cox"], "lifetime_value"].isna().all()
    assert rows.loc["sbg", "within_data"] == pytest.approx(
        rows.loc["kaplan_meier", "within_data"], rel=0.02
    )
    assert 0 < rows.loc["sbg", "share_beyond_data"] < 1
    assert f"{rows.loc['sbg', 'lifetime_value']:,.0f}" in found.sentence


def test_value_of_models_that_end_with_the_data_says_so(simulated):
    fits = survival.fit_survival(simulated.data, ["kaplan_meier"])
    found = survival.subscription_value(fits, simulated.data, margin=20, annual_rate=0.1)
    assert "none of them reaches beyond" in found.sentence and "nan" not in found.sentence


def test_unknown_model_is_named(simulated):
    with pytest.raises(InputError, match="'weibul'"):
        survival.fit_survival(simulated.data, ["weibul"])
