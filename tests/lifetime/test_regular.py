"""Regularity and (M)BG/CNBD-k: published software, the random case, recovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.histories import distinct_histories
from cvlib.lifetime.repeat_buying.regular import _objective, fit_regular, regularity


@pytest.fixture(scope="module")
def cbs(lifetime_second: Path) -> pd.DataFrame:
    table = pd.read_csv(lifetime_second / "cdnow_btydplus_cbs.csv")
    return table.rename(columns={"t.x": "t_x", "T.cal": "T"})


@pytest.mark.parametrize("early", [False, True])
def test_btydplus(cbs: pd.DataFrame, lifetime_second: Path, early: bool) -> None:
    name = "mbg" if early else "bg"
    told = pd.read_csv(lifetime_second / "cdnow_cnbd_k.csv")
    told = told[(told["model"] == name)]
    fits = fit_regular(cbs[["x", "t_x", "T", "litt"]], early=early)
    assert fits.k == 1
    assert fits.sentence.id == "lifetime.regular_k_one"
    values = fits.by_k.set_index("k")["log_likelihood"]
    for k in range(1, 5):
        own = told[told["k"] == k].set_index("quantity")["values"]
        assert values[k] == pytest.approx(float(own["LL"]), abs=1e-3)
    own = told[told["k"] == 2].set_index("quantity")["values"]
    at = np.array([float(value) for value in own["parameters r alpha a b"].split()])
    second = fit_regular(cbs[["x", "t_x", "T", "litt"]], 2, early=early)
    np.testing.assert_allclose(second.parameters["estimate"][:4], at, rtol=1e-3)
    fixed = replace(second, _theta=np.log(at))
    rows = pd.read_csv(lifetime_second / f"cdnow_{name}cnbd_2.csv").merge(cbs, on="cust")
    x, t_x, T = (rows[column] for column in ("x", "t_x", "T"))
    np.testing.assert_allclose(fixed.p_alive(x, t_x, T), rows["palive_btydplus"], atol=1e-9)
    np.testing.assert_allclose(
        fixed.expected_purchases(39, x, t_x, T), rows["cet_exact"], rtol=1e-8, atol=1e-8
    )
    start = float(fixed.expected_from_start(np.array([52.0]))[0])
    # the software cuts its sum off; its own digits are three
    assert start == pytest.approx(float(own["E[X(52)]"]), rel=1e-6)


@pytest.mark.parametrize("early", [False, True])
def test_with_k_one_it_is_the_known_model(early: bool) -> None:
    p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    rows = p.histories
    known = cv.lifetime.fit_repeat_buying(p, "mbg_nbd" if early else "bg_nbd")
    frame = rows.loc[rows.index.repeat(rows["customers"])] if "customers" in rows else rows
    found = fit_regular(frame.assign(litt=0.0), 1, early=early)
    np.testing.assert_allclose(
        found.parameters["estimate"][:4], known.parameters["estimate"][:4], rtol=1e-5
    )
    x, t_x, T = np.array([2, 0, 9]), np.array([20.0, 0, 30]), np.array([38.0, 30, 35])
    same = replace(found, _theta=np.log(known.parameters["estimate"][:4].to_numpy()))
    for name, given in (("p_alive", ()), ("expected_purchases", (39.0,)),
                        ("probability_of_purchase", (39.0,))):  # fmt: skip
        np.testing.assert_allclose(
            getattr(same, name)(*given, x, t_x, T), getattr(known, name)(*given, x, t_x, T),
            rtol=1e-8,
        )  # fmt: skip


def _drawn(k: int, customers: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for rate, drop in zip(
        rng.gamma(1.2, 1 / 2.0, customers), rng.beta(0.8, 2.5, customers), strict=True
    ):
        clock, x, litt, last = 0.0, 0, 0.0, 0.0
        while rng.random() > drop:
            gap = rng.gamma(k, 1 / rate)
            if clock + gap > 50:
                break
            clock, x, litt = clock + gap, x + 1, litt + np.log(gap)
            last = clock
        rows.append((x, last, 50.0, litt))
    return pd.DataFrame(rows, columns=["x", "t_x", "T", "litt"])


def test_regularity_drawn_is_found() -> None:
    found = fit_regular(_drawn(3, 1500, 1))
    assert found.k == 3
    assert found.sentence.id == "lifetime.regular_k_many"
    at = found.parameters.set_index("parameter")
    for name, true in (("r", 1.2), ("alpha", 2.0)):
        assert at.loc[name, "ci_low"] < true < at.loc[name, "ci_high"]
    assert fit_regular(_drawn(1, 800, 2)).k == 1


def test_gradient() -> None:
    rows = distinct_histories(_drawn(2, 300, 3))
    for early in (0, 1):
        objective, point = _objective(rows, 3, early), np.array([-0.5, 0.3, -1.0, 0.2])
        steps = np.eye(4) * 1e-5
        slope = [(objective(point + e)[0] - objective(point - e)[0]) / 2e-5 for e in steps]
        np.testing.assert_allclose(objective(point)[1], slope, rtol=1e-6, atol=1e-5)


def _log(k: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    gaps = np.ceil(rng.gamma(k, 100 / k, (400, 6)))
    days = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.cumsum(gaps, axis=1).ravel(), unit="D")
    return pd.DataFrame({"customer_id": np.repeat(np.arange(400), 6), "date": days})


def test_regularity_says_what_it_found() -> None:
    steady, random = regularity(_log(4, 1)), regularity(_log(1, 1))
    assert steady.sentence.id == "lifetime.regularity_regular"
    assert random.sentence.id == "lifetime.regularity_random"
    every = steady.regularity.set_index("pairs").loc["all"]
    assert every["ci_low"] < 4 < every["ci_high"]
    clumps = _log(1, 2)
    clumps["date"] += pd.to_timedelta(np.tile([0, 0, -80, 0, -80, 0], 400), unit="D")
    assert set(regularity(clumps).regularity["pairs"]) == {"last", "first", "all"}


def test_bad_input() -> None:
    frame = _drawn(1, 50, 4)
    for given in (
        {"data": frame.drop(columns="litt")},
        {"data": frame, "k": 13},
        {"data": frame.assign(x=0, t_x=0.0, litt=0.0)},
        {"data": frame.assign(litt=np.nan)},
    ):
        with pytest.raises(InputError):
            fit_regular(**given)
    with pytest.raises(InputError, match="three days"):
        regularity(_log(1, 1).head(60))


def test_gaps_that_are_all_alike_have_no_k_and_are_called_regular():
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(6), unit="D")
    log = pd.DataFrame({"customer_id": np.repeat(np.arange(40), 6), "date": np.tile(days, 40)})
    found = regularity(log)
    assert found.regularity["k"].isna().all()
    assert found.sentence.id == "lifetime.regularity_exact"
    third = log["date"].where(log["date"] != days[5], days[5] + pd.Timedelta(days=3))
    assert regularity(log.assign(date=third)).regularity["k"].notna().any()
