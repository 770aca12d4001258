"""Draw customers from the models: histories and contracts for checking fits, logs for teaching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.lifetime.contracts.cohorts import COHORT_MODELS
from cvlib.lifetime.repeat_buying import MODELS
from cvlib.lifetime.units import DAYS
from cvlib.statistics import resample
from cvlib.words.message import message


def simulate_histories(
    model: str, parameters: Mapping[str, float], T: Any, *, seed: int, holdout: float = 0.0
) -> pd.DataFrame:
    """Customers' histories at age T and what they buy in the `holdout` after it.

    Parameters
    ----------
    model : str
        bg_nbd, mbg_nbd, pareto_nbd, ggom_nbd, bg_bb or nbd.
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
    who, when, life = _purchase_times(model, parameters, T + holdout, resample.generator(seed))
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
    number("joining", joining, 0, periods)
    rng = resample.generator(seed)
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


def simulate_spend(parameters: Mapping[str, float], x: Any, *, seed: int) -> pd.DataFrame:
    """Mean spend per repeat purchase of customers who follow the Gamma-Gamma model.

    Parameters
    ----------
    parameters : mapping
        p, q, v; amounts are gamma(p, rate ν) and ν is gamma(q, rate v).
    x : array, shape (n,)
        Repeat purchases of each customer.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    DataFrame
        x, mean_repeat_spend (0 where x = 0), own_mean: p/ν, what the customer spends in the long
        run.
    """
    p, q, v = _positive("parameters", parameters, ("p", "q", "v"))
    x = np.asarray(x, dtype=float).ravel()
    if not (np.isfinite(x) & (x >= 0) & (x % 1 == 0)).all():
        raise InputError(
            "x",
            message("refusals.holds_values_that_are_not_3"),
            message("refusals.give_repeat_purchases"),
        )
    rng = resample.generator(seed)
    rate = rng.gamma(q, 1.0, x.size) / v
    # the sum of x amounts at one rate is gamma(px, rate ν)
    mean = np.where(x > 0, rng.gamma(p * np.maximum(x, 1.0)) / (rate * np.maximum(x, 1.0)), 0.0)
    return pd.DataFrame({"x": x.astype("int64"), "mean_repeat_spend": mean, "own_mean": p / rate})


def simulate_subscriptions(
    model: str, parameters: Mapping[str, float], seen: Any, *, seed: int
) -> pd.DataFrame:
    """Subscriptions that end by a cohort model, each watched for its own number of periods.

    Parameters
    ----------
    model : str
        geometric, sbg or bdw.
    parameters : mapping
        The model's parameters by name, see `subscription.log_survival`.
    seen : array of int, shape (n,)
        Periods each subscription is watched; who is still there then is censored.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    DataFrame
        duration (whole periods, at least 1), event (1 left in that period, 0 still there after
        it), as `fit_survival` and `grouped_losses` take them.
    """
    one_of("model", model, COHORT_MODELS)
    values = _positive("parameters", parameters, COHORT_MODELS[model])
    seen = np.asarray(seen, dtype=float).ravel()
    if not (np.isfinite(seen) & (seen >= 1) & (seen % 1 == 0)).all():
        raise InputError(
            "seen", message("refusals.holds_values_that_are_not_4"), message("refusals.give_2")
        )
    rng = resample.generator(seed)
    if model == "geometric":
        hazard = np.full(seen.size, np.log1p(values[0]))
    else:
        chance = rng.beta(values[0], values[1], seen.size).clip(1e-300, 1 - 1e-16)
        hazard = -np.log1p(-chance)
    # P(life > t) = (1 - chance)^(t^c), so that life^c times the hazard is exponential
    power = values[2] if model == "bdw" else 1.0
    log_life = np.log(rng.exponential(1.0, seen.size) / hazard) / power
    life = np.maximum(np.ceil(np.exp(np.minimum(log_life, 40.0))), 1.0)
    duration = np.minimum(life, seen).astype("int64")
    return pd.DataFrame({"duration": duration, "event": (life <= seen).astype("int64")})


def _positive(where: str, given: Mapping[str, float], names: tuple[str, ...]) -> list[float]:
    for name in names:
        if name not in given:
            raise InputError(
                where,
                message("refusals.is_missing", name=name),
                message("refusals.it_needs", names=", ".join(names)),
            )
        if not given[name] > 0:
            raise InputError(
                where,
                message("refusals.is_not_positive_2", name=name, given=given[name]),
                message("refusals.correct_it"),
            )
    return [float(given[name]) for name in names]


def _purchase_times(
    model: str, parameters: Mapping[str, float], length: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer and time of every repeat purchase up to `length`, and the time of dropout."""
    one_of("model", model, MODELS)
    values = _positive("parameters", parameters, MODELS[model].PARAMETERS)
    if model == "bg_bb":
        return _opportunities(*values, length=length, rng=rng)
    rate = rng.gamma(values[0], 1 / values[1], length.size)
    life = np.full(length.size, np.inf)
    if model in ("pareto_nbd", "ggom_nbd"):
        # for a small s some rates are below the smallest number there is: no dropout
        drop = np.maximum(rng.gamma(values[-2], 1 / values[-1], length.size), 1e-300)
        life = rng.exponential(1.0, length.size) / drop
    if model == "ggom_nbd":  # the rate has grown by exp(by) at age y
        life = np.log1p(life) / values[2]
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
