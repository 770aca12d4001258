"""Contracts observed from some age on, and hazards by reason: R's survival, and by construction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError


@pytest.fixture(scope="module")
def mgus(lifetime_second: Path) -> tuple[pd.DataFrame, dict]:
    told = json.loads((lifetime_second / "reference.json").read_text())["mgus2"]
    return pd.read_csv(lifetime_second / "mgus2_competing.csv"), told


def test_survival_by_age_as_in_r(mgus: tuple[pd.DataFrame, dict]) -> None:
    data, told = mgus
    data = data[data["exit_age_months"] > data["entry_age_months"]]
    told = told["left_truncation_by_age"]
    given = data["exit_age_months"], data["death"]
    found = cv.lifetime.survival_with_entry(data["entry_age_months"], *given, start=600)
    table = found.survival
    rows = [table[table["age"] <= 12 * age].iloc[-1] for age in (60, 70, 80, 90)]
    np.testing.assert_allclose(
        [row["survival"] for row in rows], told["S_60_70_80_90_conditional_on_50"], atol=1e-8
    )
    np.testing.assert_allclose([row["std_error"] for row in rows], told["se"], atol=1e-8)
    assert found.sentence.id == "lifetime.entry_late"
    naive = cv.lifetime.survival_with_entry(np.zeros(len(data)), *given, start=0)
    table = naive.survival
    rows = [table[table["age"] <= 12 * age].iloc[-1]["survival"] for age in (60, 70, 80, 90)]
    np.testing.assert_allclose(rows, told["naive"], atol=1e-8)
    assert naive.sentence.id == "lifetime.entry_whole"


def test_hazards_by_reason_as_in_r(mgus: tuple[pd.DataFrame, dict]) -> None:
    data, told = mgus
    why = data["cause"].map({1: "cause1", 2: "cause2"})
    found = cv.lifetime.hazards_by_reason(data["months"], why, data[["age", "male"]])
    for (reason, covariate), row in found.set_index(["reason", "covariate"]).iterrows():
        estimate, error = told["cause_specific_cox_efron"][reason][covariate]
        assert row["estimate"] == pytest.approx(estimate, abs=1e-8)
        assert row["std_error"] == pytest.approx(error, abs=1e-8)


def test_thin_risk_sets_and_bad_input() -> None:
    entry = np.r_[0.0, np.full(40, 5.0)]
    until, lost = np.r_[2.0, np.arange(6.0, 46)], np.ones(41)
    assert cv.lifetime.survival_with_entry(entry, until, lost).start == 6.0
    with pytest.raises(InputError, match="at no age"):
        cv.lifetime.survival_with_entry(entry[:5], until[:5], lost[:5])
    with pytest.raises(InputError, match="not before"):
        cv.lifetime.survival_with_entry(until, until, lost)
    with pytest.raises(InputError, match="nobody is lost"):
        cv.lifetime.survival_with_entry(entry, until, 0 * lost)
    with pytest.raises(InputError, match="ten losses"):
        why = pd.Series(["a", None, None])
        cv.lifetime.hazards_by_reason([1, 2, 3], why, pd.DataFrame({"z": [0, 1, 0]}))


def test_grays_test_as_in_cmprsk(mgus: tuple[pd.DataFrame, dict]) -> None:
    data, told = mgus
    why = data["cause"].map({1: "cause1", 2: "cause2"})
    found = cv.lifetime.gray_test(data["months"], why, data["male"])
    table = found["gray_test"].set_index("reason")
    for reason, (statistic, p) in told["gray_test_by_sex"].items():
        assert table.loc[reason, "chi_square"] == pytest.approx(statistic, abs=1e-8)
        assert table.loc[reason, "p"] == pytest.approx(p, abs=1e-9)
    assert found.sentence.id == "lifetime.gray_differ" and "cause2" in found.say()
    assert "cause1" not in found.say()
    # the opposite: the first reason alone
    alike = cv.lifetime.gray_test(data["months"], why.where(why == "cause1"), data["male"])
    assert alike.sentence.id == "lifetime.gray_alike"
    with pytest.raises(InputError, match="two to 10 groups"):
        cv.lifetime.gray_test(data["months"], why, np.ones(len(data)))
