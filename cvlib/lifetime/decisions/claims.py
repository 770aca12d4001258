"""Claims that are often repeated: what would have to be true, and what the user's data say"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cvlib.inputs.transactions import TransactionLog
from cvlib.lifetime.decisions.complaints import ComplaintRates, customers_at_stake
from cvlib.lifetime.economics import CLAIM, constant_retention, value_multiple
from cvlib.results import Finding
from cvlib.statistics.proportions import wilson
from cvlib.words.message import Message, message

_LOSS, _COMPLAINTS, _POINTS, _DEALS, _TIMES = 5e6, 100, 0.05, 8, 5.0


def claims_table(
    log: TransactionLog,
    until: str,
    mean_value: float,
    rate: float,
    *,
    cost_ratio: float = 0.0,
    level: float = 0.95,
) -> Finding:
    """Five claims without a source against a log of purchases.

    The yearly rate of buying again is that of customers who bought in the first half of the log
    and did or did not in the second, brought to a year.

    Parameters
    ----------
    log : TransactionLog
        Any.
    until : str
        Last day.
    mean_value : float
        Mean lifetime value of a customer; NaN where none is known.
    rate : float
        Discount rate per year.
    cost_ratio : float
        Cost of winning a customer ÷ yearly cost of keeping one; 0: not given.
    level : float
        Of the interval of buying again.

    Returns
    -------
    Finding
        claims: claim, needs (what would have to be true), data (what these data say), verdict
        (holds, fails, open, unknown).

    Examples
    --------
    >>> import cvlib as cv
    >>> log = cv.lifetime.transaction_log("cdnow_sample")
    >>> cv.lifetime.claims_table(log, "1998-06-30", 20.0, 0.1)["claims"]["verdict"].tolist()[-1]
    'fails'
    """
    seen = _bought_again(log, until, level)
    rows = [_half_lost(seen), _points(seen, rate), _costs(cost_ratio), _deals(seen),
            _complaints(mean_value)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["claim", "needs", "data", "verdict"])
    for name in ("claim", "needs", "data"):
        table[name] = pd.Series([row[["claim", "needs", "data"].index(name)] for row in rows],
                                dtype=object)  # fmt: skip
    tally = table["verdict"].value_counts()
    said = message(
        "decisions.claims", claims=len(table), share=seen["share"], low=seen["low"],
        high=seen["high"], level=level,
        **{name: int(tally.get(name, 0)) for name in ("holds", "fails", "open", "unknown")},
    )  # fmt: skip
    return Finding({"claims": table}, said, (), seen)


def _bought_again(log: TransactionLog, until: str, level: float) -> dict[str, float]:
    """Yearly share who buy again with limits, and how the base grew."""
    last = pd.Timestamp(until).date()
    first = log.query("SELECT min(day) AS day FROM days WHERE purchase AND day <= ?", last)["day"]
    days = max(int((pd.Timestamp(until) - pd.Timestamp(first[0])).days + 1) // 2, 1)
    middle = last - dt.timedelta(days=days)
    seen = log.query(
        "SELECT count(*) FILTER (early) AS people, count(*) FILTER (early AND late) AS kept, "
        "count(*) FILTER (late AND NOT early) AS came FROM (SELECT bool_or(day <= $1) AS early, "
        "bool_or(day > $1) AS late FROM days WHERE purchase AND day <= $2 GROUP BY customer_id)",
        middle, last,
    ).iloc[0]  # fmt: skip
    people, kept, power = int(seen["people"]), int(seen["kept"]), 365 / days
    low, high = wilson(kept, max(people, 1), level)
    return {
        "people": float(people), "days": float(days),
        "share": (kept / max(people, 1)) ** power, "low": float(low) ** power,
        "high": float(high) ** power, "growth": int(seen["came"]) / max(people, 1),
    }  # fmt: skip


def _verdict(low: float, high: float, from_: float, to: float) -> str:
    """Whether an interval lies within a claim, beside it, or across its border."""
    if from_ <= low and high <= to:
        return "holds"
    return "open" if low <= to and high >= from_ else "fails"


def _half_lost(seen: dict[str, float]) -> tuple[Message, Message, Message, str]:
    left, low, high = (seen[name] ** 5 for name in ("share", "low", "high"))
    # "half" is taken as 45 to 55 %
    return (
        message("decisions.claim_half"),
        message("decisions.claim_half_needs", retention=constant_retention(0.5, 5)),
        message("decisions.claim_half_data", left=left, low=low, high=high, share=seen["share"]),
        _verdict(low, high, 0.45, 0.55),
    )


def _points(seen: dict[str, float], rate: float) -> tuple[Message, Message, Message, str]:
    start = np.clip([seen[name] for name in ("share", "low", "high")], 0.01, 0.949)
    gain = value_multiple(start + _POINTS, rate) / value_multiple(start, rate) - 1
    grid = np.linspace(0.01, 0.949, 940)
    grown = value_multiple(grid + _POINTS, rate) / value_multiple(grid, rate) - 1
    inside = np.concatenate([[False], (grown >= CLAIM[0]) & (grown <= CLAIM[1]), [False]])
    ends = np.flatnonzero(np.diff(inside.astype(int)))  # the gain falls, then rises
    spans = [f"{grid[a]:.0%}–{grid[b - 1]:.0%}" for a, b in ends.reshape(-1, 2)]
    return (
        message("decisions.claim_points"),
        message("decisions.claim_points_needs", spans=spans, rate=rate),
        message("decisions.claim_points_data", gain=gain[0], low=gain.min(), high=gain.max()),
        _verdict(float(gain.min()), float(gain.max()), *CLAIM),
    )


def _costs(ratio: float) -> tuple[Message, Message, Message, str]:
    known = message("decisions.claim_costs_data", ratio=ratio)
    return (
        message("decisions.claim_costs"),
        message("decisions.claim_costs_needs"),
        known if ratio > 0 else message("decisions.claim_no_data"),
        "unknown" if ratio <= 0 else "holds" if ratio >= _TIMES else "fails",
    )


def _deals(seen: dict[str, float]) -> tuple[Message, Message, Message, str]:
    needed = seen["growth"] / _DEALS
    return (
        message("decisions.claim_deals"),
        message("decisions.claim_deals_needs", deals=_DEALS),
        message("decisions.claim_deals_data", growth=seen["growth"], conversion=needed,
                days=seen["days"]),
        "open",
    )  # fmt: skip


def _complaints(mean_value: float) -> tuple[Message, Message, Message, str]:
    stake = customers_at_stake(_COMPLAINTS, ComplaintRates())
    needed = _LOSS / (stake["customers_lost"] + stake["customers_deterred"])
    if np.isnan(mean_value):
        data, verdict = message("decisions.claim_no_data"), "unknown"
    else:
        data = message("decisions.claim_complaints_data", value=mean_value)
        verdict = "holds" if mean_value >= needed else "fails"
    return (
        message("decisions.claim_complaints"),
        message("decisions.claim_complaints_needs", needed=needed),
        data,
        verdict,
    )
