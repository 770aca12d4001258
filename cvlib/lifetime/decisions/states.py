"""Relation states: a chain from purchase to loss, what each state is worth, and when to stop"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, whole
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import TransactionLog
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message

_HALF = 0.5  # Dirichlet ½ added to every possible cell [P]


def state_values(
    transition: np.ndarray, reward: np.ndarray, rate: float, periods: int | None = None
) -> np.ndarray:
    """Value of being in a state: V = (I − P ÷ (1 + d))⁻¹R, or Σ_{t ≤ T}(P ÷ (1 + d))^t R.

    Parameters
    ----------
    transition : ndarray (states, states)
        P; rows add up to 1.
    reward : ndarray (states,)
        R, at the beginning of a period in the state.
    rate : float
        d, per period.
    periods : int, optional
        T, the last period counted; without end unless given.

    Returns
    -------
    ndarray (states,)

    Raises
    ------
    InputError
        Rows that do not add up to 1, a rate that is not positive and no end.

    References
    ----------
    Pfeifer & Carraway (2000) J. Interactive Marketing 14(2):43-55, eq. 4 and 6.
    """
    if (transition < -1e-12).any() or np.abs(transition.sum(axis=1) - 1).max() > 1e-9:
        raise InputError(
            "transition", message("refusals.has_a_row_that_does"), message("refusals.mend_it")
        )
    number("rate", rate, 0, ends="[)" if periods is not None else "()")
    step = transition / (1 + rate)
    if periods is None:
        return np.linalg.solve(np.eye(len(reward)) - step, reward)
    value = np.asarray(reward, dtype=float).copy()
    for _ in range(whole("periods", periods, 0)):
        value = reward + step @ value
    return value


def recency_chain(chances: Sequence[float]) -> np.ndarray:
    """P of a chain by recency: buy with the chance of the recency, else one older, then lost.

    Parameters
    ----------
    chances : sequence of float
        Chance of a purchase at recency 1, 2, …; who does not buy at the last is lost.
    """
    chain = np.zeros((len(chances) + 1,) * 2)
    for k, chance in enumerate(chances):
        chain[k, 0] += chance
        chain[k, k + 1] += 1 - chance
    chain[-1, -1] = 1
    return chain


def stopping_rules(
    chances: Sequence[float], margin: float, contact: float, rate: float
) -> pd.DataFrame:
    """Value of a new customer for every recency from which contact stops.

    Returns
    -------
    DataFrame
        stop_at (recency of the first period without contact), value (in recency 1).
    """
    rows = []
    for stop in range(2, len(chances) + 2):
        kept = [*chances[: stop - 1]]
        value = state_values(recency_chain(kept), _reward(len(kept), margin, contact), rate)
        rows.append({"stop_at": stop, "value": float(value[0])})
    return pd.DataFrame(rows)


def _reward(states: int, margin: float, contact: float) -> np.ndarray:
    """A margin on purchase, less the contact of every period; nothing once lost."""
    return np.array([margin - contact, *[-contact] * (states - 1), 0.0])


def purchase_periods(log: TransactionLog, until: str, days: int) -> np.ndarray:
    """Whether each customer bought in each period since the first purchase.

    Parameters
    ----------
    log : TransactionLog
        Any.
    until : str
        Last day.
    days : int
        Length of a period, counted from each customer's first purchase.

    Returns
    -------
    ndarray (customers, periods)
        1 or 0; NaN for periods that are not over by `until`.

    Raises
    ------
    InputError
        No customer is two periods old.
    """
    whole("days", days, 1)
    # of a customer the database hands over the number of the row, never the purchases
    seen = log.query(
        "WITH bought AS (SELECT customer_id, day, min(day) OVER (PARTITION BY customer_id) AS "
        "first FROM days WHERE purchase AND day <= $1), aged AS (SELECT DISTINCT "
        "dense_rank() OVER (ORDER BY customer_id) - 1 AS who, "
        "date_diff('day', first, day) // $2 AS period, "
        "(date_diff('day', first, $1) + 1) // $2 AS old FROM bought) "
        "SELECT who::INTEGER AS who, period::INTEGER AS period, old::INTEGER AS old FROM aged "
        "WHERE period < old OR period = 0 ORDER BY who, period",
        pd.Timestamp(until).date(), days,
    )  # fmt: skip
    old = seen.drop_duplicates("who")["old"].to_numpy()
    if old.max(initial=0) < 2:
        raise InputError(
            "days",
            message("refusals.no_customer_is_days_old", value=2 * days),
            message("refusals.use_a_shorter_period"),
        )
    grid = np.where(np.arange(old.max()) < old[:, None], 0.0, np.nan)
    inside = (seen["period"] < seen["old"]).to_numpy()
    grid[seen["who"].to_numpy()[inside], seen["period"].to_numpy()[inside]] = 1.0
    return grid[old >= 2]


def relation_states(
    bought: np.ndarray,
    margin: float,
    contact: float,
    rate: float,
    longest: int = 4,
    *,
    settings: resample.Bootstrap | None = None,
) -> Finding:
    """Chances by recency from a table of periods, and what states and stopping rules are worth.

    Parameters
    ----------
    bought : ndarray (customers, periods)
        Whether a customer bought in a period, from the period of the first purchase on (1); NaN
        before it.
    margin, contact, rate : float
        Margin of a purchase, cost of contact per period, discount rate per period.
    longest : int
        Recency after which a customer counts as lost.
    settings : Bootstrap, optional
        Customers are drawn.

    Returns
    -------
    Finding
        relation_states: recency, seen, bought, chance, ci_low, ci_high, value, periods_left.
        stopping_rules: stop_at, value. Chances have ½ added to both counts [P].

    Raises
    ------
    InputError
        Fewer than two periods, fewer than ten customers.

    Examples
    --------
    >>> import numpy as np
    >>> import cvlib as cv
    >>> bought = (np.arange(1600).reshape(200, 8) * 7 % 11 < 3).astype(float)
    >>> bought[:, 0] = 1
    >>> cv.lifetime.relation_states(bought, 40, 4, 0.2)["relation_states"]["recency"].tolist()
    [1, 2, 3, 4]
    """
    draws = resample.percentile_only(settings or resample.Bootstrap(200))
    if bought.ndim != 2 or bought.shape[1] < 2 or bought.shape[0] < 10:
        raise InputError(
            "periods",
            message("refusals.of_fewer_than_10_customers"),
            message("refusals.give_a_longer_log"),
        )
    number("margin", margin)
    whole("longest", longest, 2, 60)
    seen, came, later = _counts(bought, longest)
    chance = (came.sum(axis=0) + _HALF) / (seen.sum(axis=0) + 2 * _HALF)
    picked = resample.indices(len(seen), draws.draws, resample.generator(draws.seed, 83))
    weight = resample.counts_of(picked).astype(float)
    again = (weight @ came + _HALF) / (weight @ seen + 2 * _HALF)
    low, high = resample.percentile_limits(again, draws.level)
    chain, reward = recency_chain(chance), _reward(longest, margin, contact)
    value = state_values(chain, reward, rate)
    left = np.linalg.solve(np.eye(longest) - chain[:longest, :longest], np.ones(longest))
    rows = pd.DataFrame(
        {
            "recency": np.arange(1, longest + 1), "seen": seen.sum(axis=0).astype(int),
            "bought": came.sum(axis=0).astype(int), "chance": chance, "ci_low": low,
            "ci_high": high, "value": value[:-1], "periods_left": left,
        }
    )  # fmt: skip
    rules = stopping_rules(list(chance), margin, contact, rate)
    best = rules.loc[rules["value"].idxmax()]
    first = [
        state_values(recency_chain(c), reward, rate)[0] for c in again
    ]  # fmt: skip
    limits = resample.percentile_limits(np.array(first), draws.level)
    stops = best["stop_at"] <= longest
    said = message(
        f"decisions.states_{'stop' if stops else 'go_on'}", value=value[0], low=float(limits[0]),
        high=float(limits[1]), level=draws.level, at=int(best["stop_at"]), best=best["value"],
    )  # fmt: skip
    tested = second_order(later)
    warned = [message("decisions.states_heterogeneity")]
    if tested is not None:
        kind = "memory" if tested["p"] < 0.05 else "first_order"
        warned.append(message(f"decisions.states_{kind}", **tested))
    return Finding({"relation_states": rows, "stopping_rules": rules}, said, tuple(warned),
                   {"value": float(value[0])})  # fmt: skip


def _counts(bought: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray, list[tuple]]:
    """(customers, recency) chances seen and taken, and (recency, bought before, bought) of each."""
    people, periods = bought.shape
    seen, came = np.zeros((people, longest)), np.zeros((people, longest))
    later: list[tuple] = []
    for who in range(people):
        recency, before = 0, -1
        for t in range(periods):
            now = bought[who, t]
            if np.isnan(now) or (recency == 0 and not now):
                continue
            if recency and recency <= longest:
                seen[who, recency - 1] += 1
                came[who, recency - 1] += now
                if before > 0:
                    later.append((recency, min(before, longest), int(now)))
            if now:
                before, recency = recency, 1
            else:
                recency += 1
    return seen, came, later


def second_order(later: Sequence[tuple]) -> dict[str, float] | None:
    """χ² of whether the chance at a recency also depends on the gap before the last purchase.

    Returns
    -------
    dict or None
        statistic, df, p; None where no recency was seen after two different gaps.
    """
    from scipy import stats

    total, degrees = 0.0, 0
    table = pd.DataFrame(later, columns=["recency", "before", "bought"])
    for _, part in table.groupby("recency"):
        grid = pd.crosstab(part["before"], part["bought"]).to_numpy()
        if grid.shape[0] < 2 or grid.shape[1] < 2:
            continue
        found = stats.chi2_contingency(grid, correction=False)
        if (found.expected_freq >= 5).all():
            total, degrees = total + found.statistic, degrees + found.dof
    if not degrees:
        return None
    return {"statistic": total, "df": degrees, "p": float(stats.chi2.sf(total, degrees))}
