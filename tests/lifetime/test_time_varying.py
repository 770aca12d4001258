"""Pareto/NBD with covariates by week: published software, no covariates, recovery."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.repeat_buying import pareto_nbd
from cvlib.lifetime.repeat_buying.time_varying import (
    _paths,
    _rows,
    customer_table,
    fit_time_varying,
)

WEEKS = pd.date_range("2023-01-01", periods=90, freq="7D")
SEASON = pd.DataFrame({"sale": (np.arange(90) % 6 == 0) * 1.0}, index=WEEKS)
CUT = pd.Timestamp("2024-06-30")


def _drawn(customers: int, gamma: float, delta: float, seed: int) -> pd.DataFrame:
    """Purchases day by day."""
    rng = np.random.default_rng(seed)
    rate, drop = rng.gamma(1.5, 1 / 12.0, customers), rng.gamma(1.2, 1 / 40.0, customers)
    start = rng.integers(0, 100, customers)
    days = np.arange(90 * 7)
    sale = SEASON["sale"].to_numpy()[days // 7]
    alive = np.ones(customers, dtype=bool)
    rows = [(c, day) for c, day in enumerate(start)]
    for day in days:
        here = alive & (start < day)
        buys = here & (rng.random(customers) < -np.expm1(-rate * np.exp(gamma * sale[day]) / 7))
        rows += [(c, day) for c in np.flatnonzero(buys)]
        alive &= ~(here & (rng.random(customers) < drop * np.exp(delta * sale[day]) / 7))
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    return frame.assign(date=WEEKS[0] + pd.to_timedelta(frame.pop("day"), unit="D"))


def test_clvtools_at_fixed_parameters(lifetime_second: Path) -> None:
    log = pd.read_csv(lifetime_second / "apparelTrans.csv", parse_dates=["Date"])
    log = log.rename(columns={"Id": "customer_id", "Date": "date"})
    static = pd.read_csv(lifetime_second / "apparelStaticCov.csv").set_index("Id").astype(float)
    season = pd.read_csv(lifetime_second / "apparel_high_season.csv", parse_dates=["Cov.Date"])
    season = season.set_index("Cov.Date").astype(float)
    told = json.loads((lifetime_second / "reference.json").read_text())
    told = told["time_varying_fixed_parameters"]
    given = told["parameters"]
    base = np.log([given[name] for name in ("r", "alpha", "s", "beta")])
    theta = np.concatenate([base, given["trans"], given["life"]])
    paths, _ = _paths(log, season, pd.Timestamp("2006-12-31"), static)
    found = customer_table(paths, theta).set_index("customer_id")
    rows = pd.read_csv(lifetime_second / "apparel_dynamic_fixed_parameters.csv").set_index("Id")
    rows = rows.loc[found.index]
    assert len(found) == 600
    for mine, theirs in (("log_likelihood", "log_likelihood"), ("p_alive", "p_alive")):
        np.testing.assert_allclose(found[mine], rows[theirs], rtol=0, atol=1e-10)
    # nine digits after the point are what the file has of times in the hundreds
    np.testing.assert_allclose(found["purchase_time"], rows["A_T"], rtol=1e-11)
    np.testing.assert_allclose(found["dropout_time"], rows["C_T"], rtol=1e-11)
    assert found["log_likelihood"].sum() == pytest.approx(told["log_likelihood"], abs=1e-8)
    theta[[4, 7]] = 0.0
    zero = customer_table(paths, theta)["log_likelihood"].sum()
    assert zero == pytest.approx(told["log_likelihood_season_coefficients_zero"], abs=1e-8)


def test_without_effects_it_is_the_pareto_nbd() -> None:
    log = _drawn(200, 0.0, 0.0, 1)
    theta = np.append(np.log([1.2, 9.0, 0.9, 30.0]), [0.0, 0.0])
    paths, _ = _paths(log, SEASON, CUT, pd.DataFrame(index=pd.Index([])))
    found = customer_table(paths, theta)
    days = log[log["date"] <= CUT].drop_duplicates().groupby("customer_id")["date"]
    week = pd.Timedelta(days=7)
    x, t_x = days.size() - 1.0, (days.max() - days.min()) / week
    T = (CUT - days.min()) / week
    alive = pareto_nbd.p_alive(theta[:4], x.to_numpy(), t_x.to_numpy(), T.to_numpy())
    np.testing.assert_allclose(found["p_alive"], alive, rtol=1e-11)


def test_gradient() -> None:
    paths, _ = _paths(_drawn(120, 0.5, 0.2, 2), SEASON, CUT, pd.DataFrame(index=pd.Index([])))
    theta = np.append(np.log([1.2, 9.0, 0.9, 30.0]), [0.4, -0.3])
    steps = np.eye(6) * 1e-5
    slope = [
        (_rows(paths, theta + e)[0].sum() - _rows(paths, theta - e)[0].sum()) / 2e-5 for e in steps
    ]
    np.testing.assert_allclose(_rows(paths, theta, True)[-1], slope, rtol=1e-6, atol=1e-5)


def test_an_effect_is_found_and_the_forecast_follows_it() -> None:
    log = _drawn(350, 0.8, 0.0, 3)
    fit = fit_time_varying(log, SEASON, str(CUT.date()))
    sale = fit.effects.iloc[0]
    assert sale["ci_low"] < np.expm1(0.8) < sale["ci_high"]
    assert sale["p"] < 1e-6
    later = log[(log["date"] > CUT) & (log["date"] <= CUT + pd.Timedelta(days=70))]
    known = later["customer_id"].isin(fit.customers["customer_id"])
    bought, told = known.sum(), fit.expected_purchases(10).sum()
    assert abs(bought - told) < 4 * np.sqrt(told)
    with pytest.raises(InputError, match="end before"):
        fit.expected_purchases(30)


def test_forecast_without_effects_is_the_closed_form() -> None:
    fit = fit_time_varying(_drawn(150, 0.0, 0.0, 4), SEASON, str(CUT.date()))
    theta = np.append(np.log([1.2, 9.0, 0.9, 30.0]), [0.0, 0.0])
    flat = replace(fit, _theta=theta)
    x, T = flat.customers["x"].to_numpy(), (flat.customers["purchase_time"]).to_numpy()
    plain = pareto_nbd.expected_if_alive(theta[:4], np.array(10.0), x, T)
    # A(T) and C(T) of the fit stand for T; without effects both must be the same time
    same = replace(flat, customers=flat.customers.assign(dropout_time=T))
    np.testing.assert_allclose(
        same.expected_purchases(10), same.customers["p_alive"] * plain, rtol=1e-10
    )


def test_bad_input() -> None:
    log = _drawn(60, 0.0, 0.0, 5)
    for season, where in (
        (SEASON.drop(WEEKS[4]), "covariates"),
        (SEASON.iloc[:20], "covariates"),
        (SEASON.assign(sale=1.0), "covariates"),
        (SEASON.assign(sale=np.nan), "covariates"),
    ):
        with pytest.raises(InputError) as error:
            cv.lifetime.fit_time_varying(log, season, str(CUT.date()))
        assert error.value.where == where
    with pytest.raises(InputError, match="no row of customer"):
        fit_time_varying(
            log, SEASON, str(CUT.date()), static=pd.DataFrame({"g": [1.0, 0.0]}, index=[0, 1])
        )
