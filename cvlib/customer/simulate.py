"""SIMULATED customer bases whose truth is known: nobody in them is real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.customer.files import Plan
from cvlib.customer.simulate_buying import simulate_buyers
from cvlib.customer.simulate_traits import (
    MODEL,
    SimulatedBase,
    answers_to,
    expected_index,
    middle_index,
    traits,
)
from cvlib.inputs.choices import one_of, whole
from cvlib.statistics.parts import shapley
from cvlib.statistics.resample import generator

Array = np.ndarray
WORLDS: dict[str, dict[str, float]] = {
    "clean": {},
    "low_reliability": {"loading": 0.60},
    "zero": {"hazard": 0.0, "spend": 0.0, "referral": 0.0, "cost": 0.0},
    "confounded": {"cause": 0.35, "cause_hazard": 0.35},
    "frailty": {"gamma": 1.0},
    "frailty_lognormal": {"lognormal": 0.8},
    "leaked": {"leak": 1.0},
}
_BASE = {
    "loading": 0.85, "hazard": -0.03, "gamma": 0.0, "lognormal": 0.0, "cause": 0.0,
    "cause_hazard": 0.0, "leak": 0.0, "spend": 0.005, "referral": 0.010, "cost": -0.004,
}  # fmt: skip
_MONTHS, _HORIZON = 24, 60
_MARGIN, _REWARD, _RATE = 0.5, 50.0, 0.10


def simulate(
    customers: int = 3000, seed: int = 20261126, world: str = "clean", kind: str = "contract"
) -> SimulatedBase:
    """Customers, a third of whom answer a survey, and what a point of satisfaction is worth.

    Parameters
    ----------
    customers : int
        Number of customers.
    seed : int
        Of the random numbers.
    world : str
        clean; low_reliability (loadings .60); zero (satisfaction moves nothing); confounded (an
        unmeasured cause lowers satisfaction and raises leaving); frailty, frailty_lognormal
        (customers differ beyond what is measured); leaked (who has left answers afterwards, one
        standard deviation lower).
    kind : {"contract", "transactions"}
        Of transactions clean, low_reliability, zero and confounded.

    Returns
    -------
    SimulatedBase
        Tables and truth.

    Raises
    ------
    InputError
        A number of customers or an effect that is not among those that can be drawn.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(300, seed=1)
    >>> made.survey.columns[:3].tolist()
    ['id', 'interviewed_on', 'IMAG1']
    """
    one_of("kind", kind, ("contract", "transactions"))
    n = whole("customers", customers, 1)
    if kind == "transactions":
        return simulate_buyers(n, seed, world)
    one_of("world", world, tuple(WORLDS))
    p, rng = {**_BASE, **WORLDS[world]}, generator(seed)
    normal = rng.standard_normal
    image, quality, trait, loyalty, cause = traits(n, p["cause"], rng)
    use = 0.4 * trait + np.sqrt(0.84) * normal(n)
    tenure = np.clip(np.rint(np.exp(2.8 + 0.8 * normal(n))), 1, 120).astype(int)
    long = (np.log(tenure) - 2.8) / 0.8
    yearly = (rng.random(n) < 0.4).astype(int)
    true = expected_index(trait, p["loading"])
    off = true - middle_index(p["loading"])
    eta = -3.9 + p["hazard"] * off - 0.4 * yearly - 0.15 * use - 0.2 * long
    eta = eta + p["cause_hazard"] * cause
    frail = np.ones(n)
    if p["gamma"]:
        frail = rng.gamma(1 / p["gamma"], p["gamma"], n)
    elif p["lognormal"]:
        frail = np.exp(p["lognormal"] * normal(n))
    month = np.ceil(rng.exponential(1 / (frail * np.exp(eta))))
    left, seen = month <= _MONTHS, np.minimum(month, _MONTHS).astype(int)
    fee_before, cost_before = 20 * np.exp(0.25 * normal(n)), 4 * np.exp(0.20 * normal(n))
    fee = fee_before * np.exp(p["spend"] * off + 0.1 * normal(n))
    cost = cost_before * np.exp(p["cost"] * off + 0.1 * normal(n))
    referrals = rng.poisson(np.exp(-4 + p["referral"] * off) * seen)
    answers = rng.random(n) < 1 / (1 + np.exp(0.93 - 0.7 * use - 0.3 * long))
    when, felt = np.zeros(n, int), trait
    if p["leak"]:
        when = rng.integers(0, _MONTHS, n)
        felt = trait - p["leak"] * (left & (seen <= when))
    ids = np.array([f"c{number:05d}" for number in range(1, n + 1)])
    survey = pd.DataFrame({"id": ids, "interviewed_on": _days(when, 1)})
    for name, column in answers_to((image, quality, felt, loyalty), p["loading"], rng).items():
        survey[name] = column
    end = np.where(left, _days(seen - 1, 15), "")
    contracts = pd.DataFrame(
        {"id": ids, "start": _days(-tenure, 1), "end": end, "fee": fee.round(2),
         "service_cost": cost.round(2), "referrals": referrals}
    )  # fmt: skip
    contracts["end"] = contracts["end"].where(contracts["end"] != "", None)
    attributes = pd.DataFrame(
        {"id": ids, "at": "2022-12-31", "usage": np.exp(3 + 0.5 * use).round(3),
         "yearly_contract": yearly, "fee_before": fee_before.round(2),
         "service_cost_before": cost_before.round(2)}
    )  # fmt: skip
    truth = _truth(p, eta, off) | {
        "mean_index": float(true.mean()),
        "leave_rate": float(left.mean()),
    }
    plan = Plan(
        model=MODEL, controls=("yearly_contract", "log usage", "log tenure"),
        answering=("log usage", "log tenure"), holdout_end="2024-12-31",
    )  # fmt: skip
    return SimulatedBase(
        survey[answers].reset_index(drop=True), contracts, attributes, truth, true, plan
    )


def _days(months: Array, day: int) -> list[str]:
    """Days of months counted from January 2023."""
    whole_months = 12 * 2023 + np.asarray(months, int)
    return [f"{m // 12:04d}-{m % 12 + 1:02d}-{day:02d}" for m in whole_months]


def _truth(p: dict[str, float], eta: Array, off: Array) -> dict[str, Any]:
    """Value of a point over the base, by integration; nothing is fitted."""
    t = np.arange(_HORIZON)
    discount = (1 + _RATE) ** (-t / 12)

    def months(shift: float) -> Array:
        grown = np.exp(eta + p["hazard"] * shift)[:, None] * t
        if p["lognormal"]:
            nodes, share = np.polynomial.hermite_e.hermegauss(25)
            each = [np.exp(-grown * np.exp(p["lognormal"] * x)) @ discount for x in nodes]
            return np.asarray(share / share.sum() @ np.array(each))
        if p["gamma"]:
            return np.asarray((1 + p["gamma"] * grown) ** (-1 / p["gamma"]) @ discount)
        return np.asarray(np.exp(-grown) @ discount)

    levels = {
        "spend": (_MARGIN * 20 * np.exp(0.25**2 / 2 + 0.1**2 / 2), p["spend"]),
        "service_cost": (-4 * np.exp(0.2**2 / 2 + 0.1**2 / 2), p["cost"]),
        "referral": (_REWARD * np.exp(-4), p["referral"]),
    }
    stay = {False: months(0.0), True: months(1.0)}

    def value(moved: frozenset[str]) -> Array:
        earned = sum(
            level * np.exp(slope * (off + (part in moved)))
            for part, (level, slope) in levels.items()
        )
        return np.asarray(stay["retention" in moved] * earned).mean()

    parts = {k: float(v) for k, v in shapley(("retention", *levels), value).items()}
    return {
        "effect_per_point": p["hazard"],
        "value_of_a_point": sum(parts.values()),
        "parts": parts,
        "discounted_months_per_point": float((stay[True] - stay[False]).mean()),
        "mean_value": float(value(frozenset())),
    }
