"""Cohort models against published numbers, closed forms, and simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from cvlib.inputs.errors import InputError
from cvlib.inputs.subscriptions import ContractColumns, check_contracts
from cvlib.lifetime import economics
from cvlib.lifetime.contracts import cohorts as subscription
from cvlib.lifetime.contracts import series
from cvlib.lifetime.contracts import terms as contract_terms
from cvlib.lifetime.contracts.prepare import prepare_subscriptions
from cvlib.lifetime.contracts.survival import fit_survival
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.lifetime.contracts.worth import subscription_value

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"


def losses(cohort, years=7):
    rows = series.read_cohorts().customers.query("cohort == @cohort")
    return subscription.cohort_losses(rows["customers"].iloc[: years + 1])


def test_shipped_cohorts_are_the_published_series():
    table = pd.read_csv(REFERENCE / "sbg_fader_hardie_2007.csv")
    shipped = series.read_cohorts().customers
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


@pytest.mark.parametrize("model", ["sbg", "bdw"])
def test_one_retention_rate_for_all_is_a_ridge_and_no_interval(model):
    """Along it the likelihood hardly changes, and rounding must not pass for curvature."""
    left = np.round(1000 * 0.8 ** np.arange(8))
    fit = subscription.fit_cohort(subscription.cohort_losses(left), model)
    assert fit.warnings and fit.parameters["std_error"].isna().all()
    np.testing.assert_allclose(fit.survival(np.arange(8)), left / 1000, atol=2e-3)


def test_slopes_of_log_survival_are_its_differences():
    t = np.array([0.0, 1.0, 2.5, 40.0])
    for model, theta in (("geometric", [0.3]), ("sbg", [0.7, 3.8]), ("bdw", [90.0, 4e3, 1.4])):
        _, slopes = subscription._survival(model, np.array(theta), t)
        for i, slope in enumerate(slopes):
            up, down = (np.array(theta) * np.exp(h * (np.arange(len(theta)) == i))
                        for h in (1e-5, -1e-5))  # fmt: skip
            ends = [subscription._survival(model, at, t)[0] for at in (up, down)]
            np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)


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
    found = subscription.project_cohorts(series.read_cohorts(), 7)
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
    assert "geometric" in found.sentence and found.fitted_periods == 7
    assert subscription.project_cohorts(series.read_cohorts()).fitted_periods == 7
    whole = subscription.project_cohorts(series.read_cohorts(), 12)
    assert whole.sentence.startswith("No later periods")


def test_own_cohorts_from_a_file(tmp_path):
    path = tmp_path / "cohorts.csv"
    series.read_cohorts().customers.to_csv(path, index=False)
    pd.testing.assert_frame_equal(
        series.read_cohorts(str(path)).customers,
        series.read_cohorts().customers,
        check_dtype=False,
    )
    series.read_cohorts().customers.drop(columns="period").to_csv(path, index=False)
    with pytest.raises(InputError, match="column period: there is no such column"):
        series.read_cohorts(str(path))


@pytest.mark.parametrize("payment", ["begin", "end"])
def test_value_of_a_constant_retention_curve(payment):
    r, i = 0.8, 0.1
    terms = ContractTerms(50, i, 1, payment, 2400)
    found = contract_terms.curve_value(lambda t: r ** np.asarray(t), terms, observed=5)
    first = "immediate" if payment == "begin" else "end"
    assert found["lifetime_value"] == pytest.approx(50 * economics.value_multiple(r, i, 0, first))
    beyond = (r / (1 + i)) ** 6  # of the sum, what lies after t = 5 when paid at the begin
    expected = beyond if payment == "begin" else (r / (1 + i)) ** 5
    assert found["share_beyond_data"] == pytest.approx(expected)


def test_monthly_discounting_uses_the_yearly_rate():
    terms = ContractTerms(110, 0.1, horizon=24)
    found = contract_terms.curve_value(
        lambda t: (np.asarray(t) == 12).astype(float), terms, observed=12
    )
    assert found["lifetime_value"] == pytest.approx(100)


def test_error_of_the_lifetime_value_by_hand():
    # paid at the begin: (1 − 1) + (.8 − .9) / 1.1 + (.6 − .5) / 1.21 of 50 each
    observed, forecast = np.array([1, 0.8, 0.6]), np.array([1, 0.9, 0.5])
    begin, end = (ContractTerms(50.0, 0.1, 1.0, payment) for payment in ("begin", "end"))
    error, share = contract_terms.lifetime_value_error(observed, forecast, begin)
    assert error == pytest.approx(50 * (-0.1 / 1.1 + 0.1 / 1.21), rel=1e-12)
    assert share == pytest.approx(error / (50 * (1 + 0.8 / 1.1 + 0.6 / 1.21)), rel=1e-12)
    # paid at the end the same two periods count, the free start does not
    later, _ = contract_terms.lifetime_value_error(observed, forecast, end)
    assert later == pytest.approx(error, rel=1e-12)
    longer, _ = contract_terms.lifetime_value_error(observed * 0.9, observed, end)
    assert longer == pytest.approx(-0.1 * 50 * (0.8 / 1.1 + 0.6 / 1.21), rel=1e-12)
    with pytest.raises(InputError, match="'middle'"):
        ContractTerms(50.0, 0.1, 1.0, "middle")
    with pytest.raises(InputError, match="1000%"):
        ContractTerms(50.0, 10)


def test_sign_of_the_error_of_the_lifetime_value():
    """Above zero the forecast values customers too low."""
    curve = np.array([1, 0.9, 0.8, 0.75])
    assert contract_terms.lifetime_value_error(curve, curve) == (0.0, 0.0)
    assert contract_terms.lifetime_value_error(curve, curve**2)[0] > 0
    assert contract_terms.lifetime_value_error(curve**2, curve)[0] < 0


def test_observed_survival_equals_lifelines_for_every_resample():
    from lifelines import KaplanMeierFitter

    rng = np.random.default_rng(5)
    time, left = rng.integers(1, 9, 60), rng.integers(0, 2, 60)
    counts = rng.multinomial(60, np.full(60, 1 / 60), 3)
    times = np.arange(0, time.max() + 1)
    found = contract_terms.observed_survival(time, left, times, counts)
    for drawn, row in zip(counts, found, strict=True):
        fitted = KaplanMeierFitter().fit(np.repeat(time, drawn), np.repeat(left, drawn))
        np.testing.assert_allclose(row, fitted.survival_function_at_times(times), atol=1e-12)
    plain = contract_terms.observed_survival(time, left, times)
    np.testing.assert_allclose(
        plain, contract_terms.observed_survival(time, left, times, np.ones((1, 60)))
    )


def test_the_true_curve_values_customers_rightly():
    """Kaplan-Meier of drawn customers against the sBG they were drawn from: no bias, 100 times."""
    rng, t = np.random.default_rng(11), np.arange(0, 25)
    truth = np.exp(subscription.log_survival("sbg", [0.7, 2.0], t))
    wrong = np.exp(subscription.log_survival("geometric", [0.7 / 2.0], t))
    errors = []
    for _ in range(100):
        life = rng.geometric(rng.beta(0.7, 2.0, 800))
        seen = rng.integers(12, 37, 800)
        observed = contract_terms.observed_survival(np.minimum(life, seen), life <= seen, t)[0]
        errors.append([contract_terms.lifetime_value_error(observed, s)[0] for s in (truth, wrong)])
    mean, spread = np.mean(errors, axis=0), np.std(errors, axis=0, ddof=1) / 10
    assert abs(mean[0]) < 3.5 * spread[0]
    assert spread[0] < 0.05  # of 10 margins: the test can fail
    assert mean[1] > 20 * spread[1]  # one average rate undervalues them


def test_wrong_cohorts_and_models_are_named():
    with pytest.raises(InputError, match="'sgb'"):
        subscription.fit_cohort(losses("regular"), "sgb")
    with pytest.raises(InputError, match="must not grow"):
        subscription.cohort_losses([100, 90, 95])


def contracts_by_date(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    start = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1095, rows), unit="D")
    end = start + pd.to_timedelta(30.4 * rng.geometric(0.05, rows), unit="D")
    blank = end > pd.Timestamp("2023-12-31")
    return pd.DataFrame({"start": start, "end": end.where(~blank)})


def test_cohorts_of_own_contracts_are_the_years_they_began_in():
    columns = ContractColumns(start="start", end="end", observed_until="2023-12-31")
    checked = check_contracts(contracts_by_date(), columns)
    found = series.cohort_series("auto", checked, simulated=False)
    assert found.customers["cohort"].unique().tolist() == ["2019", "2020", "2021"]
    first = found.customers.query("cohort == '2019'")
    born = checked.start.dt.year == 2019
    assert first["customers"].iloc[0] == born.sum()
    gone = born & checked.event & (checked.duration <= 12)
    assert first.set_index("period").loc[12, "customers"] == born.sum() - gone.sum()
    projected = subscription.project_cohorts(found, discount_rate=0.1)
    assert projected.smallest_error < 0.1 and projected.discount_rate < 0.01  # of a month


def test_no_cohorts_come_from_data_that_were_not_given():
    plain = check_contracts(pd.DataFrame({"tenure": [1, 2, 3], "Churn": ["Yes", "No", "Yes"]}))
    for source, reason in (("auto", "need the day"), ("", "No cohorts were asked for")):
        found = series.cohort_series(source, plain, simulated=False)
        assert not found.customers.shape[1] and reason in found.reason
        projected = subscription.project_cohorts(found)
        assert projected.smallest_error is None and projected.sentence == found.reason
    assert len(series.cohort_series("auto", plain, simulated=True).customers) == 26


def test_a_table_in_which_everybody_has_left_is_complete_and_doubted():
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"tenure": rng.geometric(0.1, 300), "Churn": "Yes"})
    table["plan"] = rng.choice(["a", "b"], 300)
    ready = prepare_subscriptions(check_contracts(table))
    assert "All 300 contracts have ended" in ready.warnings[0]
    fits = fit_survival(ready.data, ["kaplan_meier", "geometric"])
    value = subscription_value(fits, ready.data, ContractTerms(20.0, 0.1))
    rows = value.value.set_index("model")
    tenure = table["tenure"].to_numpy()
    alive = np.array([(tenure > t).mean() for t in range(tenure.max())])
    by_hand = (20 * alive / 1.1 ** (np.arange(tenure.max()) / 12)).sum()
    assert rows.loc["kaplan_meier", "within_data"] == pytest.approx(by_hand, rel=1e-12)
    some = prepare_subscriptions(check_contracts(table.assign(Churn=["Yes"] * 290 + ["No"] * 10)))
    assert not any("have ended" in said for said in some.warnings)
    with pytest.raises(InputError, match="9 of 9 customers left: too few to learn from"):
        prepare_subscriptions(check_contracts(table.head(9)))
