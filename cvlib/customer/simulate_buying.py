"""SIMULATED buyers without a contract whose truth is known: nobody among them is real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.customer.files import Plan
from cvlib.customer.simulate_traits import (
    MODEL,
    SimulatedBase,
    answers_to,
    expected_index,
    middle_index,
    traits,
)
from cvlib.inputs.choices import one_of
from cvlib.statistics.resample import generator

Array = np.ndarray
BUYERS: dict[str, dict[str, float]] = {
    "clean": {},
    "low_reliability": {"loading": 0.60},
    "zero": {"rate": 0.0, "dropout": 0.0},
    "confounded": {"cause": 0.35, "cause_rate": 0.35},
}
_BASE = {"loading": 0.85, "rate": 0.012, "dropout": -0.025, "cause": 0.0, "cause_rate": 0.0}
_START, _INTERVIEW, _END = pd.Timestamp("2022-01-03"), 78, 130  # weeks since the start
_WEEKS, _MARGIN, _FORCE = 260.0, 0.5, np.log(1.10) / 52


def simulate_buyers(n: int, seed: int, world: str) -> SimulatedBase:
    """Buyers of one and a half years, of whom those answer more often who still buy.

    Purchase rates are Gamma(.8, 8) per week times exp(.012 points), dropout rates Gamma(.9, 40)
    times exp(-.025 points); the truth of `value_of_a_point` is of purchases alone.
    """
    one_of("world", world, tuple(BUYERS))
    p, rng = {**_BASE, **BUYERS[world]}, generator(seed)
    image, quality, trait, loyalty, cause = traits(n, p["cause"], rng)
    true = expected_index(trait, p["loading"])
    off = true - middle_index(p["loading"])
    rate = rng.gamma(0.8, 1 / 8, n) * np.exp(p["rate"] * off - p["cause_rate"] / 2 * cause)
    drop = rng.gamma(0.9, 1 / 40, n) * np.exp(p["dropout"] * off + p["cause_rate"] * cause)
    first = rng.uniform(0, 26, n)
    death = first + rng.exponential(1 / drop)
    lasting = np.minimum(death, _END) - first
    number = rng.poisson(rate * lasting)
    who = np.repeat(np.arange(n), number + 1)
    when = first[who] + rng.random(len(who)) * lasting[who]
    begins = np.concatenate([[0], np.cumsum(number + 1)[:-1]])
    when[begins] = first
    spend = 30 * np.exp(0.4 * rng.standard_normal(n))
    amount = spend[who] * np.exp(0.3 * rng.standard_normal(len(who)) - 0.045)
    before = when <= _INTERVIEW
    x = np.bincount(who, before) - 1
    latest = np.maximum.reduceat(np.where(before, when, 0.0), begins)
    silence = (_INTERVIEW - latest) / (_INTERVIEW - first)
    chance = 1 / (1 + np.exp(1.55 - 0.75 * np.log1p(x) + 0.6 * silence))
    answers = rng.random(n) < chance
    ids = np.array([f"c{number:05d}" for number in range(1, n + 1)])
    day = _START + pd.Timedelta(days=7 * _INTERVIEW)
    survey = pd.DataFrame({"id": ids, "interviewed_on": str(day.date())})
    for name, column in answers_to((image, quality, trait, loyalty), p["loading"], rng).items():
        survey[name] = column
    days = _START + pd.to_timedelta(np.floor(7 * when), unit="D")
    log = pd.DataFrame(
        {"id": ids[who], "date": days.strftime("%Y-%m-%d"), "amount": amount.round(2)}
    ).sort_values(["id", "date"], kind="stable", ignore_index=True)
    attributes = pd.DataFrame(
        {"id": ids, "region": np.where(rng.random(n) < 0.5, "north", "south")}
    )
    alive = death > _INTERVIEW
    truth: dict[str, Any] = _truth(p, alive, rate, drop, spend) | {
        "mean_index": float(true.mean()), "alive_at_interview": float(alive.mean()),
    }  # fmt: skip
    plan = Plan(model=MODEL, holdout_end=str((_START + pd.Timedelta(weeks=_END)).date()))
    return SimulatedBase(
        survey[answers].reset_index(drop=True), pd.DataFrame(), attributes, truth, true, plan, log
    )


def _truth(
    p: dict[str, float], alive: Array, rate: Array, drop: Array, spend: Array
) -> dict[str, float]:
    """Discounted purchases to come of the drawn rates, and what a point adds; nothing is fitted."""

    def ahead(points: float) -> Array:
        fall = drop * np.exp(p["dropout"] * points) + _FORCE
        return alive * rate * np.exp(p["rate"] * points) * -np.expm1(-fall * _WEEKS) / fall

    gained = ahead(1.0) - ahead(0.0)
    return {
        "purchase_per_point": p["rate"],
        "dropout_per_point": p["dropout"],
        "discounted_purchases_mean": float(ahead(0.0).mean()),
        "discounted_purchases_per_point": float(gained.mean()),
        "value_of_a_point": float((_MARGIN * spend * gained).mean()),
    }
