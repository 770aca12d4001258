"""Survival models against statsmodels, lifelines, hand calculation and simulation."""

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.inputs.subscriptions import ContractColumns, check_contracts
from cvlib.lifetime.contracts import prepare, survival, worth
from cvlib.lifetime.contracts.terms import ContractTerms

COVARIATES = ["Contract", "InternetService", "PaymentMethod", "MonthlyCharges", "SeniorCitizen"]


def test_simulated_contracts_say_that_they_are():
    table = prepare.read_subscriptions("simulated", customers=50, seed=1)
    assert "SIMULATED" in table.warnings[0]
    assert len(table.data) == 50
    assert table.data.equals(prepare.simulated_subscriptions(50, seed=1))


@pytest.fixture(scope="module")
def simulated():
    raw = prepare.simulated_subscriptions(1500, seed=3)
    return prepare.prepare_subscriptions(check_contracts(raw), COVARIATES)


def test_preparing_counts_and_codes():
    table = pd.DataFrame(
        {
            "tenure": [0, *range(1, 31), 5],
            "churned": [False, *[True, False] * 15, True],
            "plan": ["a", *["a", "b", "a"] * 10, None],
            "fee": np.arange(32.0) ** 2 % 7 + 0.5,
            "twice": 2 * (np.arange(32.0) ** 2 % 7),
            "same": 1,
        }
    )
    checked = check_contracts(table, ContractColumns(event="churned"))
    found = prepare.prepare_subscriptions(checked, ["plan", "fee", "twice", "same"])
    assert found.left_out["count"].tolist() == [1, 1]
    assert list(found.data.columns) == ["duration", "event", "plan: b", "fee"]
    assert found.data["plan: b"].sum() == 10
    assert len(found.data) == 30
    assert found.covariates_left_out["covariate"].tolist() == ["same", "twice"]
    with pytest.raises(InputError, match="no column 'plann'"):
        prepare.prepare_subscriptions(checked, ["plann"])
    nobody = check_contracts(table.assign(churned=False), ContractColumns(event="churned"))
    with pytest.raises(InputError, match="0 of 31 customers left"):
        prepare.prepare_subscriptions(nobody, ["fee"])


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
    found = worth.subscription_value(fits, simulated.data, ContractTerms(20, 0.1))
    rows = found.value.set_index("model")
    assert rows.loc[["kaplan_meier", "cox"], "lifetime_value"].isna().all()
    assert rows.loc["sbg", "within_data"] == pytest.approx(
        rows.loc["kaplan_meier", "within_data"], rel=0.02
    )
    assert 0 < rows.loc["sbg", "share_beyond_data"] < 1
    assert f"{rows.loc['sbg', 'lifetime_value']:,.0f}" in found.sentence


def test_value_of_models_that_end_with_the_data_says_so(simulated):
    fits = survival.fit_survival(simulated.data, ["kaplan_meier"])
    found = worth.subscription_value(fits, simulated.data, ContractTerms(20, 0.1))
    assert "none of them reaches beyond" in found.sentence and "nan" not in found.sentence


def test_unknown_model_is_named(simulated):
    with pytest.raises(InputError, match="'weibul'"):
        survival.fit_survival(simulated.data, ["weibul"])


def separated() -> pd.DataFrame:
    """Contracts whose covariate parts those who left from all others."""
    rng = np.random.default_rng(4)
    event = (np.arange(200) % 2).astype(float)
    return pd.DataFrame(
        {"duration": rng.integers(1, 30, 200) * 1.0, "event": event, "score": 2 * event - 1}
    )


def test_a_model_without_a_maximum_is_out_of_the_race_with_its_reason():
    models = ["kaplan_meier", "cox", "weibull_aft", "logit", "sbg"]
    fits = survival.fit_survival(separated(), models)
    assert list(fits.curves) == ["kaplan_meier", "sbg"]
    assert fits.left_out["model"].tolist() == ["cox", "weibull_aft", "logit"]
    assert set(fits.coefficients["model"]) == {"sbg"}
    assert sum("left out of the comparison" in text for text in fits.warnings) == 3
    judged = survival_validation(separated(), models)
    assert set(judged.validation["model"]) == {"kaplan_meier", "sbg"}
    with pytest.raises(InputError, match="kaplan_meier, which always can"):
        survival.fit_survival(separated(), ["logit"])


def survival_validation(data, models):
    from cvlib.lifetime.contracts.validate import validate_survival
    from cvlib.statistics.resample import Bootstrap

    return validate_survival(data, models, bootstrap=Bootstrap(draws=5), horizons=[6, 12])


def test_one_categorical_covariate_and_none_at_all():
    raw = prepare.simulated_subscriptions(600, seed=5)
    one = prepare.prepare_subscriptions(check_contracts(raw), ["Contract"])
    assert set(survival.fit_survival(one.data, survival.SURVIVAL_MODELS).curves) == set(
        survival.SURVIVAL_MODELS
    )
    judged = survival_validation(one.data, survival.SURVIVAL_MODELS)
    assert set(judged.validation["model"]) == set(survival.SURVIVAL_MODELS)
    none = prepare.prepare_subscriptions(check_contracts(raw), [])
    fits = survival.fit_survival(none.data)
    assert fits.left_out["model"].tolist() == ["cox"]


def test_too_few_losses_to_hold_any_out_are_said_not_raised():
    raw = prepare.simulated_subscriptions(80, seed=5)
    raw.loc[np.flatnonzero(raw["Churn"] == "Yes")[14:], "Churn"] = "No"
    few = prepare.prepare_subscriptions(check_contracts(raw), ["MonthlyCharges"])
    judged = survival_validation(few.data, ["kaplan_meier", "cox"])
    assert judged.smallest_error is None and not len(judged.validation)
    assert "Nothing is judged" in judged.say() and judged.warnings == (judged.sentence,)
