"""Contracts judged out of time, and observed from a day on: simulated contracts with dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError


def dated(n: int = 3000, seed: int = 1) -> pd.DataFrame:
    """Contracts begun in 2018 to 2022 that end each month with a chance of their own."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 5 * 365, n), unit="D")
    plan = rng.choice(["monthly", "yearly"], n)
    chance = rng.beta(np.where(plan == "yearly", 0.3, 1.2), 12.0)
    life = np.minimum(rng.geometric(np.maximum(chance, 1e-9)), 900)
    end = pd.Series(start) + pd.to_timedelta(np.round(life * 30.4375 - 10), unit="D")
    table = pd.DataFrame({"start": start, "end": end, "plan": (plan == "yearly").astype(int)})
    table["fee"] = np.where(plan == "yearly", 20.0, 10.0)
    return table.assign(end=table["end"].where(table["end"] <= "2023-12-31"))


COLUMNS = cv.lifetime.ContractColumns(start="start", end="end", observed_until="2023-12-31")


def test_the_right_models_foretell_losses_and_fees() -> None:
    checked = cv.lifetime.check_contracts(dated(), COLUMNS)
    terms = cv.lifetime.ContractTerms(1.0, 0.1)
    models = ["kaplan_meier", "sbg", "geometric", "sbg_covariates", "cox"]
    found = cv.lifetime.validate_later(
        checked, models, covariates=["plan"], periods=12, terms=terms, fee="fee"
    )
    table = found["later"].set_index("model")
    assert abs(table.loc["sbg_covariates", "loss_error"]) < 0.15
    assert abs(table.loc["sbg_covariates", "fee_error"]) < 0.02
    # one rate for all misses that those who stayed stay longer
    assert table.loc["geometric", "loss_error"] > table.loc["sbg_covariates", "loss_error"] + 0.2
    assert table.loc["sbg_covariates", "auc"] > 0.6 and table.loc["geometric", "auc"] == 0.5
    assert found.sentence.id == "lifetime.later_skill"
    euros = cv.lifetime.check_contracts(
        dated().assign(fee=lambda t: [f"{fee:.2f} €".replace(".", ",") for fee in t["fee"]]),
        COLUMNS,
    )
    again = cv.lifetime.validate_later(
        euros, ["geometric"], covariates=["plan"], periods=12, terms=terms, fee="fee"
    )["later"].set_index("model")
    for name in ("fees", "expected_fees"):
        assert again.loc["geometric", name] == pytest.approx(table.loc["geometric", name])
    counted = found["later_calibration"].groupby("model")["customers"].sum()
    assert counted["sbg"] == found.facts["running"]
    # what is known of the state: nobody who had left by the cut, and the losses that followed
    raw = dated()
    runs = (raw["start"] <= "2022-11-30") & ~(raw["end"] <= "2022-12-31")
    assert found.facts["left"] == (runs & raw["end"].notna()).sum()


def test_covariates_that_say_nothing_are_told_so() -> None:
    table = dated(seed=3)
    rng = np.random.default_rng(0)
    life = rng.geometric(0.03, len(table))
    end = table["start"] + pd.to_timedelta(life * 30, unit="D")
    table["end"] = end.where(end <= "2023-12-31")
    checked = cv.lifetime.check_contracts(table, COLUMNS)
    found = cv.lifetime.validate_later(checked, ["geometric"], covariates=["plan"])
    assert found.sentence.id in ("lifetime.later_none", "lifetime.later_skill")
    assert found["later"]["brier_skill"][0] < 0.01
    plain = cv.lifetime.check_contracts(cv.lifetime.simulated_subscriptions(300, seed=1))
    assert "start, end" in cv.lifetime.validate_later(plain, ["sbg"]).say()
    with pytest.raises(InputError, match="period ahead"):
        cv.lifetime.validate_later(checked, ["sbg"], periods=0)


def test_contracts_older_than_their_observation_enter_late() -> None:
    raw = dated(6000, seed=2)
    seen = raw[raw["end"].isna() | (raw["end"] >= "2021-01-01")]
    columns = cv.lifetime.ContractColumns(
        start="start", end="end", observed_until="2023-12-31", observed_from="2021-01-01"
    )
    checked = cv.lifetime.check_contracts(seen, columns)
    late = cv.lifetime.prepare_subscriptions(checked, ["plan"])
    assert (late.data["entry"] < late.data["duration"]).all() and (late.data["entry"] > 0).any()
    every = ["kaplan_meier", "cox", "logit", "sbg", "sbg_covariates", "g2g"]
    whole = cv.lifetime.prepare_subscriptions(cv.lifetime.check_contracts(raw, COLUMNS), ["plan"])
    truth = cv.lifetime.fit_survival(whole.data, every)
    fits = cv.lifetime.fit_survival(late.data, every)
    naive = cv.lifetime.fit_survival(late.data.drop(columns="entry"), every)
    at = [24.0]
    for model in every:
        right, own, wrong = (
            float(f.curves[model](whole.data, at).mean()) for f in (truth, fits, naive)
        )
        assert abs(own - right) < 0.04, model
        assert wrong > right + 0.05, model
    for change in ({"start": "", "end": ""}, {}):
        with pytest.raises(InputError, match="observed_from"):
            given = {"start": "start", "end": "end"} | change
            cv.lifetime.check_contracts(
                seen,
                cv.lifetime.ContractColumns(
                    **given, observed_from="2099-01-01", observed_until="2023-12-31"
                ),
            )
