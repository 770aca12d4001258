"""Transactions to customers: one expression, out of core, one row per customer and per history."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.lifetime.purchases.days import (
    counts_of,
    customers_of,
    histories_of,
    per_customer,
    purchase_days,
)
from cvlib.lifetime.purchases.transactions import (
    TransactionLog,
    checked,
    memory_share,
    opened,
    read_by_column,
    repeated_across_files,
    standard_rows,
)
from cvlib.lifetime.units import DAYS, DECIMALS

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class PurchaseSummary:
    """Customers of a transaction log at a cut-off date, and what they did afterwards.

    Attributes
    ----------
    customers : DataFrame or None
        One row per customer, ordered by ``customer_id``: ``first_purchase``, ``last_purchase``
        (in the calibration period), ``x`` repeat purchase days, ``t_x`` time of the last of them
        and ``T`` age at the cut (both in `unit`, from the customer's own first purchase),
        ``mean_repeat_spend`` per repeat purchase day (0 when x = 0), ``recency`` (days from the
        last purchase to the cut), ``frequency`` (purchase days), ``monetary`` (total spend),
        ``holdout_purchases``, ``holdout_spend``. None when written to a file instead.
    histories : DataFrame
        Distinct ``x, t_x, T`` with the number of ``customers`` who share each.
    left_out : DataFrame
        reason, counted (what is counted), count, share (of all of its kind), amount.
    tracking : DataFrame
        period (1 = the first `unit` after the log's first day), new_customers, repeat_purchases,
        cumulative_repeat_purchases, sample (calibration or holdout); late joiners excluded.
    unit : str
        Unit of t_x, T and holdout.
    holdout : float
        Length of the holdout in `unit`; 0 when there is none.
    facts : DataFrame
        measure, value: dates, counts and sums of both periods.
    warnings : tuple of str
    """

    customers: pd.DataFrame | None
    histories: pd.DataFrame
    left_out: pd.DataFrame
    tracking: pd.DataFrame
    unit: str
    holdout: float
    facts: pd.DataFrame
    warnings: tuple[str, ...]


def summarise_purchases(
    transactions: pd.DataFrame | Path | str | Sequence[Path | str] | TransactionLog | ir.Table,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str | None = "amount",
    currency: str | None = None,
    calibration_end: str | dt.date,
    holdout_end: str | dt.date | None = None,
    unit: str = "week",
    returns: str = "net",
    free_orders: str = "count",
    memory_limit: str = "2GB",
    customers_to: Path | str | None = None,
) -> PurchaseSummary:
    """Summarise a transaction log of any size into purchase histories.

    A purchase is a customer-day: the amounts of one customer on one day are added. A day whose
    net is negative, or zero with a return in it, is not a purchase and its amount is left out; a
    day of free orders only (every amount zero) is one, unless `free_orders` says otherwise.
    Purchases up to and including `calibration_end` make the history, later ones up to
    `holdout_end` the holdout. Customers who join after the cut are left out and counted.

    Parameters
    ----------
    transactions : DataFrame, path or list of paths (CSV, Parquet), TransactionLog, or Ibis table
        One row per transaction. Files are read and aggregated by DuckDB inside `memory_limit`;
        an Ibis table is aggregated where it lives. `purchases.logs.transaction_log` reads
        more forms of file.
    customer, date, amount : str
        Column names; `amount` None when only dates are known (spend columns are then 0).
    currency : str, optional
        A column that must hold one value only. A column called "currency" is always checked.
    calibration_end, holdout_end : date or ISO string
        Last days of the two periods. `holdout_end` None: the last day of the log.
    unit : {"day", "week", "month", "year"}
        Time unit of the result: 1, 7, 30.4375 or 365.25 days, never rounded.
    returns : {"net", "ignore", "refuse"}
        Negative amounts: net within the day, drop the rows, or raise.
    free_orders : {"count", "exclude", "refuse"}
        Days of zero amounts only: count as purchases, exclude, or raise.
    memory_limit : str
        What a process that does only this may take, such as "2GB" (10^9 bytes) or "2GiB": see
        Notes.
    customers_to : path, optional
        Write ``customers`` to this Parquet file, as they would be returned, and return None.

    Raises
    ------
    InputError
        Missing columns, unreadable or future dates, amounts as text, mixed currencies, a cut or
        holdout outside the log, a `memory_limit` that is no size or too little.

    Notes
    -----
    Of `memory_limit` 250 MB are left to Python and its libraries and 70 % of the rest are DuckDB's
    own limit, with one thread per 250 MB; what it takes beyond that limit fits in the remainder.
    What does not fit goes to the temporary folder (TMPDIR): 8 GB for 100 million rows. Measured
    under "2GB": 1.2 GB for 10 million rows, 1.6 GB for 100 million rows of 27 million customers.

    The tables returned (about 100 bytes per customer, 32 per distinct history) are read after the
    database has given its memory back. When they alone exceed its share, from about 12 million
    customers under "2GB", the process may go beyond the limit; a warning says so, and
    `customers_to` avoids it. Not covered are a DataFrame passed in, which is in memory already,
    and an Ibis table, whose own engine has its own limits.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284 (x, t_x, T).
    """
    _one_of("unit", unit, list(DAYS))
    _one_of("returns", returns, ["net", "ignore", "refuse"])
    _one_of("free_orders", free_orders, ["count", "exclude", "refuse"])
    size, share = memory_share(memory_limit)
    cut = _day("calibration_end", calibration_end)
    end = None if holdout_end is None else _day("holdout_end", holdout_end)
    if customers_to is not None and not Path(customers_to).parent.is_dir():
        raise InputError("customers_to", f"{customers_to} is in no folder", "Make its folder.")
    with tempfile.TemporaryDirectory(prefix="cvlib-") as spill:
        with opened(transactions, date, share, spill) as (table, name, keep):
            rows = standard_rows(table, name, customer, date, amount, currency)
            columns = {"customer": customer, "date": date, "amount": amount}
            count = checked(rows, name, columns, returns, free_orders)
            end = _end(count, cut, end, unit)
            warnings = repeated_across_files(rows) if count["file"] > 1 else []
            if returns == "ignore":
                rows = rows.filter(rows.amount >= 0)
            days = keep("days", purchase_days(rows.filter(rows.day <= end), free_orders))
            everyone = keep("everyone", per_customer(days, cut))
            count |= counts_of(days, everyone)
            if not count["customers"]:
                raise InputError(
                    "calibration_end", f"nobody bought up to {cut}", "Choose a later day."
                )
            tracking = _tracking(days, everyone, count, cut, end, unit)
            # through files: read when the database has given its memory back
            written = [Path(spill) / "histories.parquet", customers_to or Path(spill) / "customers"]
            customers = everyone.filter(everyone.frequency > 0)
            histories_of(customers, unit).to_parquet(written[0])
            customers_of(customers, unit).to_parquet(written[1])
        histories = read_by_column(written[0])
        frame = read_by_column(written[1]) if customers_to is None else None
    warnings += _memory(frame, histories, size, share)
    if not histories["x"].any():
        warnings.append(
            "Every customer bought on one day only: repeat buying and churn cannot be estimated."
        )
    return PurchaseSummary(
        frame,
        histories,
        _left_out(count, returns),
        tracking,
        unit,
        (end - cut).days / DAYS[unit],
        _facts(count, cut, end, unit),
        (*warnings, *_truncation(histories)),
    )


def _one_of(where: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise InputError(where, f"{value!r} is not a choice", nearest(value, known))


def _day(where: str, value: str | dt.date) -> dt.date:
    try:
        return pd.Timestamp(value).date()
    except (ValueError, TypeError) as error:
        raise InputError(where, f"{value!r} is not a date", "Write it as 1997-09-30.") from error


def _end(count: dict[str, Any], cut: dt.date, end: dt.date | None, unit: str) -> dt.date:
    first, last = count["first_day"], count["last_day"]
    span = f"the log runs from {first} to {last}"
    if not first <= cut <= last:
        raise InputError(
            "calibration_end", f"{cut} lies outside the log: {span}", "Choose a day inside it."
        )
    if end is None:
        return last
    if end < cut:
        raise InputError("holdout_end", f"{end} lies before the cut {cut}", "Choose a later day.")
    # a quiet week at the end is no proof of missing data; more than that and one unit is
    if (end - last).days > max(7.0, DAYS[unit]):
        raise InputError(
            "holdout_end",
            f"{end} lies after the end of the data: {span}; everybody would look inactive there",
            f"Choose {last} or earlier.",
        )
    return end


def _memory(
    frame: pd.DataFrame | None, histories: pd.DataFrame, size: int, share: int
) -> list[str]:
    """A warning when the frames returned may carry the process beyond its limit by themselves."""
    frames = [histories] if frame is None else [histories, frame]
    held = sum(float(table.memory_usage(deep=False).sum()) for table in frames)
    if held <= share:
        return []
    return [
        f"The tables returned take {held / 1e9:.1f} GB, so that the process may go beyond "
        f"memory_limit ({size / 1e9:g} GB): customers_to writes the customers to a file instead."
    ]


def _left_out(count: dict[str, Any], returns: str) -> pd.DataFrame:
    ignored = returns == "ignore"
    dropped = int(count["negative"]) if ignored else 0
    dropped_amount = round(float(count["negative_amount"]), DECIMALS) if ignored else 0.0
    later_amount = count["total_amount"] - dropped_amount - count["used_amount"]
    later_amount = round(later_amount, 2) + 0.0  # never minus zero
    rows, used, days = int(count["transactions"]), count["rows_used"], count["purchase_days"]
    buyers, late = count["everyone"], count["late"]
    never = buyers - count["customers"] - late
    table = [
        ("negative amount, dropped by the rule", "transactions", dropped, rows, dropped_amount),
        ("after the holdout", "transactions", rows - dropped - used, rows, later_amount),
        ("merged with another of the same day", "transactions", used - days, used, 0.0),
        ("net of the day negative", "purchase days", count["loss"], days, count["loss_amount"]),
        ("net of the day zero", "purchase days", count["zero"], days, 0.0),
        ("no purchase left", "customers", never, buyers, 0.0),
        ("joined after the cut", "customers", late, buyers, count["late_amount"]),
    ]
    frame = pd.DataFrame(table, columns=["reason", "counted", "count", "of", "amount"])
    frame["share"] = frame["count"] / frame.pop("of").clip(lower=1)
    return frame[["reason", "counted", "count", "share", "amount"]]


def _tracking(
    days: Any, everyone: Any, count: dict[str, Any], cut: dt.date, end: dt.date, unit: str
) -> pd.DataFrame:
    """Purchases of the cohort by period since the first day of the log, first ones apart."""
    length, start = DAYS[unit], pd.Timestamp(count["first_day"])
    days_to_cut = (pd.Timestamp(cut) - start).days
    periods = max(math.ceil(((pd.Timestamp(end) - start).days + 1) / length - 1e-9), 1)
    known = everyone.filter(everyone.frequency > 0)
    late = everyone.filter((everyone.frequency == 0) & (everyone.holdout_purchases > 0))
    earlier = days.filter(days.purchase & (days.day <= cut))
    later = days.filter(days.purchase & (days.day > cut))
    # the fewer of the two are joined: a join holds one of its sides beyond the database's limit
    if count["late"] < count["customers"]:
        later = later.anti_join(late, "customer_id")
    else:
        later = later.semi_join(known, "customer_id")

    def by_period(rows: Any, day: str) -> np.ndarray:
        daily = rows.group_by(day).agg(n=rows.count()).to_pandas()
        since = (pd.to_datetime(daily[day]) - start).dt.days.to_numpy()
        place = np.minimum(np.floor(since / length).astype(int), periods - 1)
        return np.bincount(place, weights=daily["n"], minlength=periods).astype("int64")

    first = by_period(known, "first_purchase")
    repeats = by_period(earlier, "day") + by_period(later, "day") - first
    index = np.arange(1, periods + 1)
    # a period belongs to the sample in which its last day lies
    inside = index * length <= days_to_cut + 1
    return pd.DataFrame(
        {
            "period": index,
            "new_customers": first,
            "repeat_purchases": repeats,
            "cumulative_repeat_purchases": repeats.cumsum(),
            "sample": np.where(inside, "calibration", "holdout"),
        }
    )


def _facts(count: dict[str, Any], cut: dt.date, end: dt.date, unit: str) -> pd.DataFrame:
    facts: dict[str, Any] = {
        "first_day": str(count["first_day"]),
        "last_day": str(count["last_day"]),
        "calibration_end": str(cut),
        "holdout_end": str(end),
        "calibration_periods": (cut - count["first_day"]).days / DAYS[unit],
        "holdout_periods": (end - cut).days / DAYS[unit],
        "transactions": int(count["transactions"]),
    }
    names = ("purchase_days", "customers", "repeat_customers", "repeat_purchases")
    facts |= {name: count[name] for name in (*names, "calibration_spend", "holdout_purchases")}
    facts |= {name: count[name] for name in ("holdout_active", "holdout_spend")}
    return pd.DataFrame({"measure": list(facts), "value": list(facts.values())})


def _truncation(histories: pd.DataFrame) -> list[str]:
    """Warn when early arrivals buy far more often than late ones.

    In a log that starts after customers did, those first seen early are mostly old customers, and
    heavy buyers are seen first. In a full log early arrivals had more time to lapse, so that their
    rate per period is, if anything, lower. [P] The factor 1.5 and z > 4 are ours.
    """
    age = histories["T"].to_numpy()
    if age.max() <= 0 or np.unique(age).size < 8:
        return []
    born = age.max() - age
    known = age > 0.1 * age.max()
    quarter = born[known].max() / 4
    weight, x = histories["customers"].to_numpy(), histories["x"].to_numpy()

    def rate(chosen: np.ndarray) -> tuple[float, float, float]:
        time = float((weight * age)[chosen].sum())
        mean = float((weight * x)[chosen].sum()) / time
        spread = float((weight * (x - mean * age) ** 2)[chosen].sum()) / time**2
        return mean, spread, float(weight[chosen].sum())

    early = known & (born <= quarter)
    late = known & (born >= 3 * quarter)
    if not early.any() or not late.any():
        return []
    (a, a_var, _), (b, b_var, n) = rate(early), rate(late)
    if n < 30 or a <= 1.5 * b or a - b < 4 * np.sqrt(a_var + b_var):
        return []
    return [
        f"Customers first seen early repeat {a / b if b else np.inf:.1f} times as often as those "
        "first seen late: the log may start after its customers did (left truncation). Histories "
        "then start too late and bias the models: keep customers whose first purchase is known."
    ]
