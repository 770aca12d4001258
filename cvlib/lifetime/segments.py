"""Segments from a transaction log: RFM and RFA scores, ABC, pyramids, seven segments, movement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.database import MONEY
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import transaction_log
from cvlib.statistics import classes, ranks
from cvlib.words.message import Message, message

# Shares of customers, best first. The first is the bank pyramid; the second has no published
# cut-offs (Zeithaml, Rust & Lemon 2001, California Management Review 43(4):118-142) [P].
PYRAMID = dict(zip(("vip", "major", "ordinary", "small"), classes.PYRAMID, strict=True))
PLATINUM_TO_LEAD = {"platinum": 0.05, "gold": 0.15, "iron": 0.30, "lead": 0.50}


def scores(customers: pd.DataFrame, bins: int = 5, value: str = "monetary") -> pd.DataFrame:
    """Recency, frequency and value scores from 1 (worst) to `bins` by equal-count groups.

    Parameters
    ----------
    customers : DataFrame
        customer_id, recency (days since the last purchase), frequency (purchase days) and `value`.
    bins : int
        Groups per score; customers with the same value share a score, so groups may be unequal.
    value : str
        "monetary" gives RFM; a column of quantities gives RFA; empty: recency and frequency alone.

    Returns
    -------
    DataFrame
        customer_id, recency_score, frequency_score, value_score, score (a digit each), mean_score.

    References
    ----------
    Hughes (1994) Strategic Database Marketing.
    """
    columns = {"recency_score": -customers["recency"], "frequency_score": customers["frequency"]}
    if value:
        columns["value_score"] = customers[value]
    found = pd.DataFrame({"customer_id": customers["customer_id"]})
    for name, column in columns.items():
        found[name] = ranks.equal_counts(column.to_numpy(float), bins) + 1
    parts = found[list(columns)].to_numpy()
    # few different scores: each is written once, however many customers have it
    code = (parts * (bins + 1) ** np.arange(len(columns))[::-1]).sum(axis=1)
    _, first, place = np.unique(code, return_index=True, return_inverse=True)
    written = np.array(["".join(map(str, row)) for row in parts[first]], dtype=object)
    return found.assign(score=written[place], mean_score=parts.mean(axis=1))


def tiers(values: pd.Series, shares: Mapping[str, float]) -> pd.Series:
    """Tier of every customer by value: the first tier is the best `share` of customers.

    Sizes are rounded up; equal customers share a tier, see `cvlib.statistics.classes`.
    """
    names = np.array(list(shares))
    code = classes.by_number(values.to_numpy(float), list(shares.values()))
    return pd.Series(names[code], index=values.index, name="tier")


def abc(values: pd.Series, shares: Sequence[float] = classes.ABC) -> pd.Series:
    """ABC class by cumulated value: A makes the first 80 % of it, B up to 95 %, C the rest.

    Equal customers share a class, see `cvlib.statistics.classes`. A is the VIP, B the important
    and C the ordinary customer.
    """
    code = classes.by_value(values.to_numpy(float), shares)
    return pd.Series(np.array(list("ABC"))[code], index=values.index, name="abc")


def group_shares(values: pd.Series, groups: pd.Series, order: list[str]) -> pd.DataFrame:
    """What share of customers and of value each group has.

    Returns
    -------
    DataFrame
        group, customers, share_of_customers, value, share_of_value, mean_value, smallest_value;
        rows in `order`, empty groups included.
    """
    found = values.groupby(groups).agg(["size", "sum", "mean", "min"]).reindex(order)
    return pd.DataFrame(
        {
            "group": order,
            "customers": found["size"].fillna(0).astype(int).to_numpy(),
            "share_of_customers": (found["size"].fillna(0) / len(values)).to_numpy(),
            "value": found["sum"].fillna(0).to_numpy(),
            "share_of_value": (found["sum"].fillna(0) / values.sum()).to_numpy(),
            "mean_value": found["mean"].to_numpy(),
            "smallest_value": found["min"].to_numpy(),
        }
    )


def share_of_best(values: pd.Series, share: float = 0.20) -> float:
    """Share of all value made by the best `share` of customers ("80 % from 20 %")."""
    worth = values.to_numpy(float)
    ranked = ranks.Ranked(ranks.Order.of(worth), np.ones((1, len(worth))))
    return float(ranks.capture(ranked, worth, share)[0])


def best_sentence(share: float) -> Message:
    """What the best fifth of customers made of all spend, beside the rule of thumb.

    Parameters
    ----------
    share : float
        From `share_of_best`, for a fifth of the customers.
    """
    return message("lifetime.best_fifth", share=share)


@dataclass(frozen=True)
class SevenSegments:
    """The seven segments at one date.

    Attributes
    ----------
    customers : DataFrame
        customer_id, contribution (spend so far), contribution_share (rank ÷ customers, 0 best),
        recent_spend, earlier_spend, days_since_last, segment.
    rules : DataFrame
        segment, rule, customers, share_of_customers, value, share_of_value; `outside` are
        customers none of the seven describes.
    left_out : DataFrame
        reason, counted, count.
    at : str
        The date.
    borders : mapping
        The parameters the rules were made with: top, high, medium, inactive_days.
    """

    customers: pd.DataFrame
    rules: pd.DataFrame
    left_out: pd.DataFrame
    warnings: tuple[str, ...]
    at: str
    borders: Mapping[str, float]


_EACH = f"""
WITH bought AS (
    SELECT customer_id, day, net,
           date_diff('day', lag(day) OVER (PARTITION BY customer_id ORDER BY day), day) AS gap
    FROM days WHERE purchase AND day <= $1)
SELECT customer_id, sum(net::{MONEY})::DOUBLE AS contribution,
       coalesce(sum(net::{MONEY}) FILTER (day > $2), 0)::DOUBLE AS recent_spend,
       coalesce(sum(net::{MONEY}) FILTER (day <= $2 AND day > $3), 0)::DOUBLE AS earlier_spend,
       date_diff('day', max(day), $1) AS days_since_last,
       coalesce(bool_or(day > $4 AND gap > $5), false) AS resumed,
       greatest(count(*) FILTER (quarter(day) = 1), count(*) FILTER (quarter(day) = 2),
                count(*) FILTER (quarter(day) = 3), count(*) FILTER (quarter(day) = 4)) AS quarter,
       count(*) AS days, count(DISTINCT year(day)) AS years, min(day)::TIMESTAMP AS first
FROM bought GROUP BY customer_id ORDER BY customer_id
"""


def seven_segments(
    transactions: Any,
    at: str | dt.date,
    *,
    top: float = 0.10,
    high: float = 0.30,
    medium: float = 0.70,
    inactive_days: int = 183,
    growth: float = 1.25,
    resumed_days: int = 61,
    season: float = 0.75,
) -> SevenSegments:
    """Seven segments by contribution and what the customer did of late, from the log alone.

    Parameters
    ----------
    transactions : TransactionLog, or whatever `transaction_log` reads
        One row per transaction; its rules say what a purchase day is.
    at : date or ISO text
        Date of the segmentation; later rows are not seen.
    top, high, medium : float
        Borders of contribution rank, as shares of customers from the best; `low` is the rest.
    inactive_days : int
        Lost = no purchase in so many days ("six months"); also the length of the two windows
        compared for growth.
    growth : float
        Growing = spend in the last window at least so many times that in the window before.
    resumed_days : int
        Resumed = bought within so many days after a gap longer than `inactive_days`.
    season : float
        Seasonal = at least three purchase days in at least two calendar years, this share of them
        in one calendar quarter.

    Notes
    -----
    The source names the segments; every border here is a parameter of ours [P].
    """
    log, end = transaction_log(transactions), pd.Timestamp(at).date()
    window, resume = dt.timedelta(days=inactive_days), dt.timedelta(days=resumed_days)
    table = log.query(_EACH, end, end - window, end - 2 * window, end - resume, inactive_days)
    if table.empty:
        raise InputError(
            "at",
            message("refusals.no_purchase_up_to", end=end),
            message("refusals.choose_a_date_inside_the"),
        )
    seen = log.query(
        "SELECT count(DISTINCT customer_id) AS customers, "
        "count(*) FILTER (NOT purchase AND day <= ?) AS returned FROM days",
        end,
    ).iloc[0]
    left_out = pd.DataFrame(
        [
            ["day returned in full or more", "customer-days", int(seen["returned"])],
            ["no purchase up to the date", "customers", int(seen["customers"]) - len(table)],
        ],
        columns=["reason", "counted", "count"],
    )
    resumed, span = table.pop("resumed"), (end - table.pop("first").min().date()).days
    quarter, days = table.pop("quarter"), table.pop("days")
    seasonal = (quarter >= season * days) & (days >= 3) & (table.pop("years") >= 2)
    rank = (table["contribution"].rank(ascending=False) - 0.5) / len(table)
    lost = table["days_since_last"] >= inactive_days
    growing = (table["earlier_spend"] > 0) & (
        table["recent_spend"] >= growth * table["earlier_spend"]
    )
    low = rank > medium
    choices = {
        "low_seasonal": low & seasonal,
        "low_resumed": low & resumed & ~lost,
        "low_lost": low & lost,
        "medium_lost": ~low & lost,
        "high_growing": (rank <= high) & growing,
        "top_stable": rank <= top,
        "medium_stable": ~low,
    }
    table["contribution_share"] = rank
    table["segment"] = np.select(list(choices.values()), list(choices), "outside")
    names = (
        "top_stable", "high_growing", "medium_lost", "low_seasonal", "medium_stable", "low_lost",
        "low_resumed", "outside",
    )  # fmt: skip
    borders = {"top": top, "high": high, "medium": medium, "inactive_days": inactive_days}
    limits = borders | {"growth": growth, "season": season, "resumed_days": resumed_days}
    rules = {name: message(f"lifetime.segment_{name}", **limits) for name in names}
    shares = group_shares(table["contribution"], table["segment"], list(rules))
    summary = shares.rename(columns={"group": "segment"}).drop(
        columns=["mean_value", "smallest_value"]
    )
    summary.insert(1, "rule", pd.Series(list(rules.values()), dtype=object))
    warnings = []
    if span < 2 * inactive_days:
        warnings.append(message("lifetime.no_growth_window", span=span + 1, days=inactive_days))
    if span < 548:
        warnings.append(message("lifetime.no_seasons", span=span + 1))
    return SevenSegments(table, summary, left_out, tuple(warnings), str(end), borders)


def transitions(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Movement of customers between segments at two dates.

    Parameters
    ----------
    before, after : Series
        Segment by customer id. Who is only in `after` comes from "new".

    Returns
    -------
    DataFrame
        from_segment, to_segment, customers, share (of those who were in from_segment).
    """
    missing = before.index.difference(after.index)
    if len(missing):
        raise InputError(
            "after",
            message("refusals.customers_of_before_are_missing", n=len(missing)),
            message("refusals.keep_all"),
        )
    pairs = pd.DataFrame({"to_segment": after, "from_segment": before.reindex(after.index)})
    counted = pairs.fillna({"from_segment": "new"}).groupby(["from_segment", "to_segment"]).size()
    table = counted.rename("customers").reset_index()
    return table.assign(
        share=table["customers"] / table.groupby("from_segment")["customers"].transform("sum")
    )


def life_cycle_profit(
    transactions: Any,
    at: str | dt.date,
    *,
    margin: float = 1.0,
    period_days: int = 91,
) -> pd.DataFrame:
    """Profit per customer by age of the relation: the life-cycle reading of "CLP".

    Only customers whose whole period lies before `at` are counted in it, lost ones included.

    Returns
    -------
    DataFrame
        period (1 = the first `period_days` from the first purchase), customers, active_share,
        profit_per_customer, cumulative_profit (of a customer observed throughout).
    """
    log, end = transaction_log(transactions), pd.Timestamp(at).date()
    bought = (
        "bought AS (SELECT customer_id, day, net, min(day) OVER (PARTITION BY customer_id) AS "
        "first FROM days WHERE purchase AND day <= $1), aged AS (SELECT *, "
        "date_diff('day', first, day) // $2 + 1 AS period, "
        "(date_diff('day', first, $1) + 1) // $2 AS complete FROM bought)"
    )
    whole = log.query(
        f"WITH {bought} SELECT complete, count(*) AS customers FROM aged WHERE day = first "
        "GROUP BY 1 ORDER BY 1",
        end, period_days,
    )  # fmt: skip
    spent = log.query(
        f"WITH {bought} SELECT period, sum(net::{MONEY})::DOUBLE AS spend, "
        "count(DISTINCT customer_id) AS active FROM aged WHERE period <= complete GROUP BY 1",
        end, period_days,
    ).set_index("period")  # fmt: skip
    last = int(whole["complete"].max()) if len(whole) else 0
    periods = pd.RangeIndex(1, last + 1, name="period")
    if not len(periods):
        raise InputError(
            "period_days",
            message("refusals.no_customer_is_that_old"),
            message("refusals.use_a_shorter_period"),
        )
    old = [whole["customers"][whole["complete"] >= k].sum() for k in periods]
    count = pd.Series(old, index=periods)
    spent = spent.reindex(periods, fill_value=0.0)
    profit = margin * spent["spend"] / count
    return pd.DataFrame(
        {
            "customers": count,
            "active_share": spent["active"] / count,
            "profit_per_customer": profit,
            "cumulative_profit": profit.cumsum(),
        }
    ).reset_index()
