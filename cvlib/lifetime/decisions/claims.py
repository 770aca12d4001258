"""Claims that are often repeated: what would have to be true, and what the user's data say"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cvlib.inputs.database import MONEY
from cvlib.inputs.transactions import TransactionLog
from cvlib.lifetime.decisions.complaints import ComplaintRates, customers_at_stake, word_of_mouth
from cvlib.lifetime.economics import CLAIM, constant_retention, value_multiple
from cvlib.results import Finding
from cvlib.statistics.proportions import wilson
from cvlib.words.message import Message, message

_LOSS, _COMPLAINTS, _POINTS, _DEALS, _TOLD, _TIMES = 5e6, 100, 0.05, 8, 25, 5.0
# What adopters of CRM systems are said to gain: sales per seller, satisfaction, costs of selling
# and service, sales cycle, profit; and systems said to be adopted, profit of customers one had.
_SALES, _SATISFIED, _SAVED, _CYCLE, _PROFIT = 0.51, 0.20, 0.21, 1 / 3, 0.02
_ADOPTED, _EXISTING = 0.96, 0.10
_SHORTEST = 28  # days of half a log below which no yearly rate is made of it [P]


def claims_table(
    log: TransactionLog,
    until: str,
    mean_value: float,
    rate: float,
    *,
    cost_ratio: float = 0.0,
    level: float = 0.95,
) -> Finding:
    """Claims without a source against a log of purchases, and what would have to be true.

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
    >>> cv.lifetime.claims_table(log, "1998-06-30", 20.0, 0.1)["claims"]["verdict"][5]
    'fails'
    """
    seen = _bought_again(log, until, level)
    rows = [_half_lost(seen), _points(seen, rate), _costs(cost_ratio), _deals(seen), _told(seen),
            _complaints(mean_value), *_adopters(), _adoption(level), _existing(seen)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["claim", "needs", "data", "verdict"])
    for name in ("claim", "needs", "data"):
        table[name] = pd.Series([row[["claim", "needs", "data"].index(name)] for row in rows],
                                dtype=object)  # fmt: skip
    tally = table["verdict"].value_counts()
    unknown = "_without_rate" if np.isnan(seen["share"]) else ""
    said = message(
        f"decisions.claims{unknown}", claims=len(table), share=seen["share"], low=seen["low"],
        high=seen["high"], level=level, days=seen["days"],
        **{name: int(tally.get(name, 0)) for name in ("holds", "fails", "open", "unknown")},
    )  # fmt: skip
    return Finding({"claims": table}, said, (), seen)


def _bought_again(log: TransactionLog, until: str, level: float) -> dict[str, float]:
    """Yearly share who buy again with limits, how the base grew, and who brought the spend."""
    last = pd.Timestamp(until).date()
    first = log.query("SELECT min(day) AS day FROM days WHERE purchase AND day <= ?", last)["day"]
    days = max(int((pd.Timestamp(until) - pd.Timestamp(first[0])).days + 1) // 2, 1)
    middle = last - dt.timedelta(days=days)
    seen = log.query(
        "SELECT count(*) FILTER (early) AS people, count(*) FILTER (early AND late) AS kept, "
        "count(*) FILTER (late AND NOT early) AS came, sum(spent) FILTER (early)::DOUBLE "
        "AS old, sum(spent)::DOUBLE AS spent FROM "
        "(SELECT bool_or(day <= $1) AS early, bool_or(day > $1) AS late, "
        f"sum(net::{MONEY}) FILTER (day > $1) AS spent FROM days WHERE purchase AND day <= $2 "
        "GROUP BY customer_id)",
        middle, last,
    ).iloc[0]  # fmt: skip
    people, kept, power = int(seen["people"]), int(seen["kept"]), 365 / days
    low, high = (float(end) for end in wilson(kept, max(people, 1), level))
    again = kept / max(people, 1)
    if days < _SHORTEST:  # a year is not told from a few days
        again = low = high = float("nan")
    old, spent = (0.0 if pd.isna(seen[name]) else float(seen[name]) for name in ("old", "spent"))
    return {
        "of_existing": old / spent if spent > 0 else float("nan"),
        "people": float(people), "days": float(days),
        "share": again**power, "low": float(low) ** power,
        "high": float(high) ** power, "growth": int(seen["came"]) / max(people, 1),
    }  # fmt: skip


def _verdict(low: float, high: float, from_: float, to: float) -> str:
    """Whether an interval lies within a claim, beside it, or across its border."""
    if from_ <= low and high <= to:
        return "holds"
    return "open" if low <= to and high >= from_ else "fails"


def _half_lost(seen: dict[str, float]) -> tuple[Message, Message, Message, str]:
    left, low, high = (seen[name] ** 5 for name in ("share", "low", "high"))
    claim = message("decisions.claim_half")
    needs = message("decisions.claim_half_needs", retention=constant_retention(0.5, 5))
    if np.isnan(left):
        return claim, needs, message("decisions.claim_too_short"), "unknown"
    # "half" is taken as 45 to 55 %
    return (
        claim,
        needs,
        message("decisions.claim_half_data", left=left, low=low, high=high, share=seen["share"]),
        _verdict(low, high, 0.45, 0.55),
    )


def _points(seen: dict[str, float], rate: float) -> tuple[Message, Message, Message, str]:
    grid = np.linspace(0.01, 0.949, 940)
    grown = value_multiple(grid + _POINTS, rate) / value_multiple(grid, rate) - 1
    inside = np.concatenate([[False], (grown >= CLAIM[0]) & (grown <= CLAIM[1]), [False]])
    ends = np.flatnonzero(np.diff(inside.astype(int)))  # the gain falls, then rises
    spans = [f"{grid[a]:.0%}–{grid[b - 1]:.0%}" for a, b in ends.reshape(-1, 2)]
    claim = message("decisions.claim_points")
    needs = message("decisions.claim_points_needs", spans=spans, rate=rate)
    if np.isnan(seen["share"]):
        return claim, needs, message("decisions.claim_too_short"), "unknown"
    start = np.clip([seen[name] for name in ("share", "low", "high")], 0.01, 0.949)
    gain = value_multiple(start + _POINTS, rate) / value_multiple(start, rate) - 1
    return (
        claim,
        needs,
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
    # were everybody satisfied, the growth needs this conversion of deals
    needed = word_of_mouth(1, 1, seen["growth"], _DEALS)["conversion_that_gives_it"]
    return (
        message("decisions.claim_deals"),
        message("decisions.claim_deals_needs", deals=_DEALS),
        message("decisions.claim_deals_data", growth=seen["growth"], conversion=needed,
                days=seen["days"]),
        "open",
    )  # fmt: skip


def _told(seen: dict[str, float]) -> tuple[Message, Message, Message, str]:
    rates, growth = ComplaintRates(), seen["growth"]
    if growth > 0:
        data = message("decisions.claim_told_data", customers=_TOLD / growth, days=seen["days"])
    else:
        data = message("decisions.claim_told_none", days=seen["days"])
    return (
        message("decisions.claim_told"),
        message("decisions.claim_told_needs", told=_TOLD, deterred=rates.share_deterred,
                lost=_TOLD * rates.share_deterred),
        data,
        "open",
    )  # fmt: skip


def _adopters() -> list[tuple[Message, Message, Message, str]]:
    """Five claims on adopters of CRM systems, each held against the others by arithmetic."""
    nothing = message("decisions.claim_no_data")
    facts = {
        "sales": {"fewer": 1 - 1 / (1 + _SALES)},
        "satisfied": {"from_": 60.0, "to": 60.0 * (1 + _SATISFIED)},
        "saved": {"margin": _SAVED / _PROFIT},
        "cycle": {"deals": 1 / (1 - _CYCLE)},
        "profit": {"cost": _PROFIT / _SAVED},
    }
    return [
        (message(f"decisions.claim_{name}"), message(f"decisions.claim_{name}_needs", **known),
         nothing, "unknown")
        for name, known in facts.items()
    ]  # fmt: skip


def _adoption(level: float) -> tuple[Message, Message, Message, str]:
    low, high = wilson(24, 25, level)
    return (
        message("decisions.claim_adoption", share=_ADOPTED),
        message("decisions.claim_adoption_needs", low=float(low), high=float(high), level=level),
        message("decisions.claim_no_data"),
        "unknown",
    )


def _existing(seen: dict[str, float]) -> tuple[Message, Message, Message, str]:
    if np.isnan(seen["of_existing"]):
        data = message("decisions.claim_no_data")
    else:
        data = message(
            "decisions.claim_existing_data", share=seen["of_existing"], days=seen["days"]
        )
    verdict = "unknown" if np.isnan(seen["of_existing"]) else "open"
    return (
        message("decisions.claim_existing", gain=_EXISTING),
        message("decisions.claim_existing_needs"),
        data,
        verdict,
    )


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
