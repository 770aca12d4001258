"""The CDNOW sample, weeks 1-39 against 40-78, fitted once for all tests of this folder."""

from pathlib import Path

import pandas as pd
import pytest

from cvlib.lifetime.holdout import validate as validation
from cvlib.lifetime.holdout.baselines import rival_forecasts
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import fit_repeat_buying
from cvlib.lifetime.spend import fit_spend
from cvlib.statistics.resample import Bootstrap

ROOT = Path(__file__).parents[2]
DATES = {"calibration_end": "1997-09-30", "holdout_end": "1998-06-30"}


@pytest.fixture(scope="session")
def log():
    return pd.read_csv(ROOT / "data" / "cdnow_sample.csv", parse_dates=["date"])


@pytest.fixture(scope="session")
def summary(log):
    return summarise_purchases(log, **DATES)


@pytest.fixture(scope="session")
def fit(summary):
    return fit_repeat_buying(summary, "bg_nbd")


@pytest.fixture(scope="session")
def spend(summary):
    return fit_spend(summary)


@pytest.fixture(scope="session")
def forecasts(log, summary, fit, spend):
    customers = summary.customers
    each = spend.expected_spend(customers["x"], customers["mean_repeat_spend"])
    return [
        *validation.model_forecasts(fit, summary, each),
        *validation.fitted_forecasts(summary, ["pareto_nbd", "mbg_nbd"], each).forecasts,
        *rival_forecasts(summary).forecasts,
    ]


@pytest.fixture(scope="session")
def result(summary, forecasts):
    return validation.validate(summary.customers, forecasts, Bootstrap(200, 1))
