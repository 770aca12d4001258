"""Segments from a transaction log: RFM and RFA scores, ABC, pyramids, seven segments, movement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.statistics import classes, ranks

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
        "monetary" gives RFM; a column of quantities gives RFA.

    Returns
    -------
    DataFrame
        customer_id, recency_score, frequency_score, value_score, score (three digits), mean_score.

    References
    ----------
    Hughes (1994) Strategic Database Marketing.
    """
    columns = {"recency_score": -customers["recency"], "frequency_score": customers["frequency"]}
    columns["value_score"] = customers[value]
    found = pd.DataFrame({"customer_id": customers["customer_id"]})
    for name, column in columns.items():
        found[name] = ranks.equal_counts(column.to_numpy(float), bins) + 1
    parts = found[list(columns)]
    return found.assign(score=parts.astype(str).agg("".join, axis=1), mean_score=parts.mean(axis=1))


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


def _purchase_days(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customer-days with a purchase: a positive net, or free orders without a return."""
    days = log.groupby(["customer_id", "day"])["amount"].agg(["sum", "min"]).reset_index()
    kept = (days["sum"] > 0) | (days["min"] == 0)
    left_out = [["day returned in full or more", "customer-days", int((~kept).sum())]]
    days = days[kept].drop(columns="min").rename(columns={"sum": "amount"})
    return days, pd.DataFrame(left_out, columns=["reason", "counted", "count"])


def seven_segments(
    transactions: pd.DataFrame,
    at: str,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
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
    transactions : DataFrame
        One row per transaction; amounts are netted by day, as in `summarise_purchases`.
    at : str
        Date of the segmentation; later rows are not seen.
    customer, date, amount : str
        Its columns.
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
    end = pd.Timestamp(at)
    day = pd.to_datetime(transactions[date]).dt.normalize()
    log = pd.DataFrame(
        {"customer_id": transactions[customer], "day": day, "amount": transactions[amount]}
    )
    everyone = log["customer_id"].nunique()
    log, left_out = _purchase_days(log[log["day"] <= end])
    if log.empty:
        raise InputError("at", f"no purchase up to {end.date()}", "Choose a date inside the log.")
    later = everyone - log["customer_id"].nunique()
    left_out.loc[len(left_out)] = ["no purchase up to the date", "customers", later]
    window = pd.Timedelta(days=inactive_days)
    recent, earlier = log["day"] > end - window, log["day"] <= end - window
    earlier &= log["day"] > end - 2 * window
    by = log["customer_id"]
    table = pd.DataFrame(
        {
            "contribution": log.groupby(by)["amount"].sum(),
            "recent_spend": log["amount"].where(recent, 0).groupby(by).sum(),
            "earlier_spend": log["amount"].where(earlier, 0).groupby(by).sum(),
            "days_since_last": (end - log.groupby(by)["day"].max()).dt.days,
        }
    )
    gap = log.groupby(by)["day"].diff()
    late = log["day"] > end - pd.Timedelta(days=resumed_days)
    resumed = (late & (gap > window)).groupby(by).any()
    quarters = log.groupby([by, log["day"].dt.quarter]).size().groupby(level=0).agg(["max", "sum"])
    seasonal = (quarters["max"] >= season * quarters["sum"]) & (quarters["sum"] >= 3)
    seasonal &= log["day"].dt.year.groupby(by).nunique() >= 2
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
    table = table.rename_axis("customer_id").reset_index()
    months = f"{inactive_days} days"
    rules = {
        "top_stable": f"best {top:.0%} by spend, bought in the last {months}, not growing",
        "high_growing": f"best {high:.0%}, spend of the last {months} at least {growth:g} × that "
        "of as many days before",
        "medium_lost": f"best {medium:.0%}, no purchase in the last {months}",
        "low_seasonal": f"rest, {season:.0%} of 3 or more purchase days in one calendar quarter, "
        "in two or more years",
        "medium_stable": f"best {top:.0%} to {medium:.0%}, bought in the last {months}, not above",
        "low_lost": f"rest, no purchase in the last {months}, not seasonal",
        "low_resumed": f"rest, bought in the last {resumed_days} days after a gap over {months}",
        "outside": "rest, still buying, neither seasonal nor resumed (new and small customers)",
    }
    shares = group_shares(table["contribution"], table["segment"], list(rules))
    summary = shares.rename(columns={"group": "segment"}).drop(
        columns=["mean_value", "smallest_value"]
    )
    summary.insert(1, "rule", list(rules.values()))
    span = (end - log["day"].min()).days
    warnings = []
    if span < 2 * inactive_days:
        warnings.append(f"The log covers {span} days: growth needs two windows of {inactive_days}.")
    if span < 548:
        warnings.append(f"The log covers {span} days: seasons cannot be told from chance.")
    borders = {"top": top, "high": high, "medium": medium, "inactive_days": inactive_days}
    return SevenSegments(table, summary, left_out, tuple(warnings), str(end.date()), borders)


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
        raise InputError("after", f"{len(missing)} customers of before are missing", "Keep all.")
    pairs = pd.DataFrame({"to_segment": after, "from_segment": before.reindex(after.index)})
    counted = pairs.fillna({"from_segment": "new"}).groupby(["from_segment", "to_segment"]).size()
    table = counted.rename("customers").reset_index()
    return table.assign(
        share=table["customers"] / table.groupby("from_segment")["customers"].transform("sum")
    )


def life_cycle_profit(
    transactions: pd.DataFrame,
    at: str,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str = "amount",
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
    end = pd.Timestamp(at)
    day = pd.to_datetime(transactions[date]).dt.normalize()
    log = pd.DataFrame(
        {"id": transactions[customer], "day": day, "profit": margin * transactions[amount]}
    )
    log = log[log["day"] <= end]
    first = log.groupby("id")["day"].min()
    age = (log["day"] - log["id"].map(first)).dt.days // period_days + 1
    complete = ((end - first).dt.days + 1) // period_days
    log = log.assign(period=age)[(age <= log["id"].map(complete)).to_numpy()]
    periods = pd.RangeIndex(1, int(complete.max()) + 1, name="period")
    if not len(periods):
        raise InputError("period_days", "no customer is that old", "Use a shorter period.")
    count = pd.Series([(complete >= k).sum() for k in periods], index=periods)
    profit = log.groupby("period")["profit"].sum().reindex(periods, fill_value=0.0) / count
    active = log.groupby("period")["id"].nunique().reindex(periods, fill_value=0) / count
    return pd.DataFrame(
        {
            "customers": count,
            "active_share": active,
            "profit_per_customer": profit,
            "cumulative_profit": profit.cumsum(),
        }
    ).reset_index()
