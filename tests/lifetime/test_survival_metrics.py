"""Survival metrics against scikit-survival and lifelines, and the validation they serve."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib
from cvlib.inputs.subscriptions import check_contracts
from cvlib.lifetime.contracts import metrics as survival_metrics
from cvlib.lifetime.contracts import prepare, survival
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.lifetime.contracts.validate import best_forecast, validate_survival
from cvlib.statistics.resample import Bootstrap

REFERENCE = Path(__file__).parents[1] / "reference" / "lifetime"
COVARIATES = ["Contract", "InternetService", "PaymentMethod", "MonthlyCharges", "SeniorCitizen"]


@pytest.fixture(scope="module")
def simulated():
    raw = prepare.simulated_subscriptions(1500, seed=3)
    return prepare.prepare_subscriptions(check_contracts(raw), COVARIATES)


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
    found = validate_survival(simulated.data, models, bootstrap=Bootstrap(20, 2))
    wide = found.validation.pivot(index="model", columns="metric", values="value")
    assert (wide.loc[["kaplan_meier", "sbg", "geometric"], "harrell_c"] == 0.5).all()
    assert wide.loc["cox", "uno_c"] > 0.7
    assert wide.loc["cox", "integrated_brier"] < wide.loc["kaplan_meier", "integrated_brier"]
    assert found.sentence.id == "lifetime.survival_best_few" and "Cox (0." in found.sentence
    assert "20 bootstrap draws are too few" in found.sentence
    again = validate_survival(simulated.data, models, bootstrap=Bootstrap(20, 2))
    pd.testing.assert_frame_equal(found.validation, again.validation)


def test_the_sentence_follows_from_the_paired_interval():
    def said(cox: float, low: float | None, high: float | None) -> str:
        rows = [("kaplan_meier", 0.2), ("cox", cox)]
        table = pd.DataFrame(
            [[m, "integrated_brier", v] for m, v in rows] + [[m, "uno_c", 0.7] for m, _ in rows],
            columns=["model", "metric", "value"],
        )
        pair = ["cox", "kaplan_meier", "integrated_brier", cox - 0.2, low, high]
        columns = ["model", "rival", "metric", "difference", "ci_low", "ci_high"]
        return best_forecast(table, pd.DataFrame([pair], columns=columns))

    assert "25% less error" in said(0.15, -0.07, -0.03)
    assert "leaves out zero" in said(0.15, -0.07, -0.03)
    assert "cannot be told" in said(0.15, -0.12, 0.02) and "less error" not in said(
        0.15, -0.12, 0.02
    )
    assert "no interval was asked for" in said(0.15, None, None)
    assert "covariates do not help" in said(0.25, 0.01, 0.09)


def test_error_of_the_lifetime_value_is_that_of_the_curves(simulated):
    """The validation's number by the formula, from the split it says it used."""
    terms = ContractTerms(20.0, 0.12, 12.0, "end")
    found = validate_survival(
        simulated.data, ["kaplan_meier", "sbg", "cox"], terms=terms, bootstrap=Bootstrap(30, 2)
    )
    order = np.random.default_rng(2).permutation(len(simulated.data))
    test = simulated.data.iloc[order[: found.held_out]]
    assert found.valued_until == test.loc[test["event"] == 1, "duration"].max()
    t = np.arange(1, found.valued_until + 1)
    own = survival.fit_survival(test, ["kaplan_meier"]).curves["kaplan_meier"](test.iloc[:1], t)[0]
    discount = 20 * 1.12 ** (-t / 12)
    table = found.validation.set_index(["model", "metric"])
    for model, curve in found.fits.curves.items():
        missed = float((discount * (own - curve(test, t).mean(axis=0))).sum())
        row = table.loc[(model, "clv_error")]
        assert row["value"] == pytest.approx(missed, rel=1e-10)
        assert row["ci_low"] < row["value"] < row["ci_high"]
        share = table.loc[(model, "clv_error_share"), "value"]
        assert share == pytest.approx(missed / float((discount * own).sum()), rel=1e-10)
    pairs = found.differences.set_index(["model", "metric"])
    assert set(pairs["rival"]) == {"kaplan_meier"}
    sizes = table["value"].abs().xs("clv_error", level="metric")
    expected = sizes["cox"] - sizes["kaplan_meier"]
    assert pairs.loc[("cox", "clv_error_size"), "difference"] == pytest.approx(expected)
    assert pairs.loc[("cox", "uno_c"), "ci_low"] > 0.1
    assert pairs.loc[("sbg", "uno_c"), "difference"] == 0
    # both models' sums move with the same customers: the pair is tighter than either error
    width = (table["ci_high"] - table["ci_low"]).xs("clv_error", level="metric")
    pair = pairs.loc[("cox", "clv_error_size")]
    assert pair["ci_high"] - pair["ci_low"] < width["cox"]


@pytest.mark.skipif(
    not os.environ.get("CVLIB_DATA_MIRROR"), reason="needs CVLIB_DATA_MIRROR with telco_churn.csv"
)
def test_ibm_telco_table():
    table = cvlib.load_table("telco_churn")
    found = prepare.prepare_subscriptions(check_contracts(table), COVARIATES)
    facts = found.facts.set_index("measure")["value"]
    assert (facts["customers"], facts["left"]) == (7032, 1869)
    assert found.left_out["count"].tolist() == [11, 0]  # 11 contracts of tenure 0
    result = validate_survival(
        found.data,
        ["kaplan_meier", "cox", "weibull_aft", "logit", "sbg"],
        bootstrap=Bootstrap(5, 1),
    )
    wide = result.validation.pivot(index="model", columns="metric", values="value")
    assert (wide.loc[["cox", "weibull_aft", "logit"], "uno_c"] > 0.8).all()
    assert (wide["integrated_brier"] < 0.25).all()


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("CVLIB_DATA_MIRROR"), reason="needs CVLIB_DATA_MIRROR with telco_churn.csv"
)
def test_notebook_07_takes_the_telco_table_by_one_parameter(tmp_path):
    command = [sys.executable, "-m", "cvlib", "run", "07_subscription_churn"]
    command += ["-p", "data", "telco_churn", "-p", "draws", "5", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(next(tmp_path.rglob("results.json")).read_text())
    facts = {row["measure"]: row["value"] for row in results["tables"]["facts"]}
    assert (facts["customers"], facts["left"]) == (7032, 1869)
    assert results["inputs"]["data"]["rows"] == 7043
