"""Draw customers from the models: histories for checking the fits, logs for teaching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.lifetime.purchases import DAYS
from cvlib.lifetime.repeat_buying import FAMILIES


def simulate_histories(
    model: str, parameters: Mapping[str, float], T: Any, *, seed: int, holdout: float = 0.0
) -> pd.DataFrame:
    """Customers' histories at age T and what they buy in the `holdout` after it.

    Parameters
    ----------
    model : str
        bg_nbd, mbg_nbd, pareto_nbd, bg_bb or nbd.
    parameters : mapping
        The model's parameters by name (see its module).
    T : array, shape (n,)
        Age of each customer, in the unit of the parameters.
    seed : int
        Of numpy's default generator.
    holdout : float
        Length of the period after T, in the same unit.

    Returns
    -------
    DataFrame
        x, t_x, T, alive (at T, for bg_bb at the next opportunity), x_star.
    """
    T = np.asarray(T, dtype=float).ravel()
    who, when, life = _purchase_times(model, parameters, T + holdout, np.random.default_rng(seed))
    before = when <= T[who]
    x = np.bincount(who[before], minlength=T.size)
    t_x = np.zeros(T.size)
    np.maximum.at(t_x, who[before], when[before])
    x_star = np.bincount(who[~before], minlength=T.size)
    alive = life > T
    return pd.DataFrame({"x": x, "t_x": t_x, "T": T, "alive": alive, "x_star": x_star})


def simulate_transactions(
    model: str,
    parameters: Mapping[str, float],
    *,
    customers: int,
    periods: float,
    joining: float = 0.0,
    unit: str = "week",
    start: str = "2020-01-01",
    spend: Mapping[str, float] | None = None,
    seed: int,
) -> pd.DataFrame:
    """A transaction log: first purchases spread evenly over `joining`, then the model's repeats.

    Parameters
    ----------
    model, parameters
        As in `simulate_histories`.
    customers : int
        Number of them.
    periods : float
        Length of the log in `unit`.
    joining : float
        First purchases fall in the first `joining` units.
    unit : str
        day, week, month or year.
    start : str
        First day of the log.
    spend : mapping, optional
        p, q, v of the Gamma-Gamma model; without it every amount is 1.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    DataFrame
        customer_id, date, amount, ordered by customer and date.
    """
    if not 0 <= joining <= periods:
        raise InputError("joining", f"{joining} is not within the log", "Give 0 to `periods`.")
    rng = np.random.default_rng(seed)
    birth = rng.uniform(0, joining, customers)
    if model == "bg_bb":
        birth = np.floor(birth)
    who, when, _ = _purchase_times(model, parameters, periods - birth, rng)
    who = np.concatenate([np.arange(customers), who])
    when = np.concatenate([birth, birth[who[customers:]] + when])
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    amount = np.ones(who.size)
    if spend is not None:
        p, q, v = _positive("spend", spend, ("p", "q", "v"))
        # each customer's amounts are gamma(p, rate ν), ν gamma(q, rate v)
        amount = rng.gamma(p, 1.0, who.size) / (rng.gamma(q, 1.0, customers) / v)[who]
        amount = np.maximum(np.round(amount, 2), 0.01)
    days = np.floor(when * DAYS[unit]).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "customer_id": who + 1,
            "date": (np.datetime64(start, "D") + days).astype("datetime64[s]"),
            "amount": amount,
        }
    )


def _positive(where: str, given: Mapping[str, float], names: tuple[str, ...]) -> list[float]:
    for name in names:
        if name not in given:
            raise InputError(where, f"{name} is missing", f"It needs {', '.join(names)}.")
        if not given[name] > 0:
            raise InputError(where, f"{name} = {given[name]} is not positive", "Correct it.")
    return [float(given[name]) for name in names]


def _purchase_times(
    model: str, parameters: Mapping[str, float], length: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer and time of every repeat purchase up to `length`, and the time of dropout."""
    if model not in FAMILIES:
        raise InputError("model", f"{model!r} is not a model", nearest(model, list(FAMILIES)))
    values = _positive("parameters", parameters, FAMILIES[model].PARAMETERS)
    if model == "bg_bb":
        return _opportunities(*values, length=length, rng=rng)
    rate = rng.gamma(values[0], 1 / values[1], length.size)
    life = np.full(length.size, np.inf)
    if model == "pareto_nbd":
        life = rng.exponential(1.0, length.size) / rng.gamma(values[2], 1 / values[3], length.size)
    number = rng.poisson(rate * np.minimum(length, life))
    who = np.repeat(np.arange(length.size), number)
    # given their number, the times of a Poisson process are uniform
    when = rng.uniform(0, 1, who.size) * np.minimum(length, life)[who]
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    if model in ("bg_nbd", "mbg_nbd"):
        chance = np.clip(rng.beta(values[2], values[3], length.size), 1e-300, 1.0)
        # the purchase after which the customer drops out; number 0 is the first one of all
        last = np.ceil(
            np.log(rng.uniform(0, 1, length.size)) / np.log1p(-chance.clip(max=1 - 1e-16))
        )
        last = np.maximum(last, 1) - (model == "mbg_nbd")
        place = np.arange(who.size) - np.repeat(np.cumsum(number) - number, number) + 1
        dropped = number >= last
        life = np.where(dropped & (last == 0), 0.0, np.inf)
        final = place == last[who]
        life[who[final]] = when[final]
        keep = place <= last[who]
        who, when = who[keep], when[keep]
    return who, when, life


def _opportunities(
    alpha: float,
    beta: float,
    gamma: float,
    delta: float,
    *,
    length: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = rng.beta(alpha, beta, length.size)
    # dropout precedes the opportunity it spoils: with life L the opportunities 1 to L - 1 are open
    life = rng.geometric(rng.beta(gamma, delta, length.size).clip(1e-15)).astype(float)
    open_to = np.minimum(life - 1, np.floor(length)).astype(int)
    who = np.repeat(np.arange(length.size), open_to)
    when = np.arange(who.size) - np.repeat(np.cumsum(open_to) - open_to, open_to) + 1
    bought = rng.uniform(0, 1, who.size) < chance[who]
    # alive "at T" means at the next opportunity, T + 1
    return who[bought], when[bought].astype(float), life - 1
