"""Static covariates of BG/NBD and Pareto/NBD, and covariates by calendar, beside published fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.covariates import calendar_covariates, purchase_covariates
from cvlib.lifetime.purchases.histories import distinct_histories
from cvlib.lifetime.repeat_buying import FAMILIES, fit_repeat_buying
from cvlib.lifetime.repeat_buying.bg_covariates import with_static
from cvlib.lifetime.repeat_buying.coordinates import log_likelihood, to_working

# CLVTools 0.12.1 (R 4.2.2): CDNOW sample to 1997-09-30 in weeks, amount of the first order / 100
PUBLISHED = {
    ("pareto_nbd", False): (-9572.1323991, {"purchase": 0.736787, "dropout": 0.215151}),
    ("bg_nbd", True): (-9562.71452895, {"purchase": 0.906197, "dropout": -0.012672}),
}


@pytest.fixture(scope="module")
def summary():
    return cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")


@pytest.fixture(scope="module")
def people(summary):
    first = summary.log.query(
        "SELECT customer_id, arg_min(net, day) / 100 AS first FROM days WHERE purchase GROUP BY 1"
    )
    return summary.customers.merge(first, on="customer_id")


@pytest.mark.parametrize("model, constrained", list(PUBLISHED))
def test_cdnow_with_the_first_order_is_the_published_fit(people, model, constrained):
    fit = fit_repeat_buying(people, model, covariates=["first"], constrained=constrained)
    likelihood, told = PUBLISHED[model, constrained]
    assert fit.fit.set_index("measure")["value"]["log_likelihood"] == pytest.approx(
        likelihood, abs=1e-5
    )
    # the published climb stopped a little earlier
    own = fit.parameters.set_index("parameter")["estimate"]
    for process, value in told.items():
        assert own[f"{process}:first"] == pytest.approx(value, abs=1e-3)
    plain = fit_repeat_buying(people, model).fit.set_index("measure")["value"]["log_likelihood"]
    gained = 2 * (fit.fit.set_index("measure")["value"]["log_likelihood"] - plain)
    assert fit.effects["chi_square"].tolist() == pytest.approx([gained, gained], abs=1e-6)


def test_covariates_of_zero_effect_leave_forecasts_as_they_are(people):
    fit = fit_repeat_buying(people, "bg_nbd", covariates=["first"])
    still = fit.at(fit._maximum.__class__(
        np.append(fit._maximum.at[:4], [0.0, 0.0]), *list(vars(fit._maximum).values())[1:]
    ))  # fmt: skip
    x, t_x, T = (people[name].to_numpy(float)[:60] for name in ("x", "t_x", "T"))
    z = people[["first"]].to_numpy()[:60]
    from cvlib.lifetime.repeat_buying import bg_nbd
    from cvlib.lifetime.repeat_buying.coordinates import to_log_parameters

    theta = to_log_parameters(fit._maximum.at[:4], 4)
    expected = bg_nbd.p_alive(theta, x, t_x, T) * bg_nbd.expected_if_alive(theta, 39.0, x, T)
    found = still.expected_purchases(39.0, x, t_x, T, z)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # and with an effect each customer has the forecast of a customer with those parameters
    moved = fit.expected_purchases(39.0, x, t_x, T, z)
    own = with_static("bg_nbd", False).with_covariates(theta, fit._maximum.at[4:], z)
    for i in (0, 17, 42):
        one = np.array([float(np.broadcast_to(value, 60)[i]) for value in own])
        alone = bg_nbd.p_alive(one, x[i], t_x[i], T[i])
        alone = alone * bg_nbd.expected_if_alive(one, 39.0, x[i], T[i])
        assert moved[i] == pytest.approx(float(alone), rel=1e-8)


@pytest.mark.parametrize(
    "family",
    [FAMILIES["pareto_nbd"]]
    + [with_static(model, both) for model in ("bg_nbd", "mbg_nbd") for both in (False, True)],
)
def test_gradient_equals_finite_differences(people, family):
    rows = people[:300].assign(z=np.arange(300) % 3 - 1.0, w=np.arange(300) % 5 / 2)
    histories = distinct_histories(rows, ["z", "w"])
    objective = log_likelihood(family, histories)
    point = np.append(to_working(family.starts(histories)[0]), [0.2, -0.1, 0.3, 0.05])
    slope = objective(point)[1]
    for i in range(point.size):
        step = np.zeros(point.size)
        step[i] = 1e-5
        numeric = (objective(point + step)[0] - objective(point - step)[0]) / 2e-5
        assert slope[i] == pytest.approx(numeric, rel=1e-6, abs=1e-5)


def test_a_table_of_customers_is_coded_compared_and_told(summary, people):
    rows = people[["customer_id", "first"]].assign(
        size=np.where(people["first"] > 0.5, "large", "small"), noise=np.arange(len(people)) % 7
    )
    fit = cv.lifetime.bg_nbd(summary).fit
    found = purchase_covariates(fit, summary, rows.iloc[::-1], ["first", "size", "noise"])
    coding = found["covariate_coding"].set_index("covariate")
    assert coding.loc["size: large", "base_value"] == "small"
    assert coding.loc["noise", "mean"] == pytest.approx(rows["noise"].mean())
    assert found.sentence.id == "lifetime.covariates_some" and "first" in found.say()
    compared = found["covariate_fit"].set_index("measure")["with_covariates"]
    assert compared["lr_df"] == 6 and compared["lr_p"] < 1e-6
    # the opposite: an attribute that has nothing to do with buying
    none = purchase_covariates(fit, summary, rows, ["noise"])
    assert none.sentence.id == "lifetime.covariates_none"


@pytest.mark.parametrize(
    "change, asked, said",
    [
        (lambda t: t, ["firstly"], "no column 'firstly'"),
        (lambda t: t.iloc[5:], ["first"], "no row of 5 customers"),
        (lambda t: pd.concat([t, t[:1]]), ["first"], "stands twice"),
        (lambda t: t.assign(first=t["first"].where(t.index != 3)), ["first"], "row 4: is empty"),
        (lambda t: t.assign(first=1.0), ["first"], "same for all"),
        (lambda t: t.assign(first=t["customer_id"].astype(str)), ["first"], "different values"),
        (lambda t: t, [], "name no column"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(summary, people, change, asked, said):
    fit = cv.lifetime.bg_nbd(summary).fit
    with pytest.raises(InputError, match=said):
        purchase_covariates(fit, summary, change(people[["customer_id", "first"]]), asked)


def test_a_calendar_without_effect_is_the_plain_model_and_must_reach_the_end(summary):
    weeks = pd.DataFrame({"date": pd.date_range("1996-12-29", periods=79, freq="7D")})
    weeks["odd"] = (np.arange(79) % 2).astype(float)
    found = calendar_covariates(summary, weeks, most=20_000)
    assert found.warnings and found.warnings[0].id == "lifetime.calendar_sampled"
    compared = found["calendar_fit"].set_index("measure")
    test = found["calendar_effects"]["chi_square"].iloc[0]
    # two independent programs of the same model differ by the covariate alone
    assert compared.loc["lr_chi_square", "with_covariates"] == pytest.approx(test, abs=1e-5)
    with pytest.raises(InputError, match=r"Give odd of the periods to come"):
        calendar_covariates(summary, weeks[:50])
