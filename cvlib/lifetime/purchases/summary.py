"""A transaction log at a cut-off date: customers, their histories, and what came after."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.database import DECIMALS, MONEY, memory_share, quoted
from cvlib.inputs.errors import InputError
from cvlib.inputs.transactions import TransactionLog, left_out_table, transaction_log
from cvlib.inputs.transactions_rules import LogRules
from cvlib.lifetime.purchases.dates import as_day, study_dates
from cvlib.lifetime.purchases.truncation import truncation
from cvlib.lifetime.units import DAYS
from cvlib.results import Result
from cvlib.words.message import message


@dataclass(frozen=True, eq=False, repr=False)
class PurchaseSummary(Result):
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
        period (whole ones of a `unit` before and after the cut; the first begins with the log, the
        last ends with the holdout), new_customers, repeat_purchases, cumulative_repeat_purchases,
        sample (calibration or holdout); late joiners excluded.
    cut, end : date
        Last days of the calibration and of the holdout.
    unit : str
        Unit of t_x, T and holdout: day, week, month, year.
    facts : DataFrame
        measure, value: dates, counts and sums of both periods.
    warnings : tuple of str
    log : TransactionLog
        What it summarises.
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("facts", "left_out")

    customers: pd.DataFrame | None
    histories: pd.DataFrame
    left_out: pd.DataFrame
    tracking: pd.DataFrame
    cut: dt.date
    end: dt.date
    unit: str
    facts: pd.DataFrame
    log: TransactionLog
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """How many customers there are, and how many came back after the cut."""
        facts = dict(zip(self.facts["measure"], self.facts["value"], strict=True))
        customers, repeat = facts["customers"], facts["repeat_customers"]
        told: list[str] = [
            message("lifetime.purchases_told", customers=customers, repeat=repeat, cut=self.cut)
        ]
        if self.end > self.cut:
            active = facts["holdout_active"]
            share = active / customers
            told.append(
                message("lifetime.purchases_after", active=active, share=share, end=self.end)
            )
        return told

    @property
    def holdout(self) -> float:
        """Length of the holdout in `unit`; 0 when there is none."""
        return (self.end - self.cut).days / DAYS[self.unit]

    def at(self, cut: dt.date, end: dt.date) -> PurchaseSummary:
        """The same log, rules and unit at another cut."""
        return summarise_purchases(self.log, calibration_end=cut, holdout_end=end, unit=self.unit)


def purchases(
    data: Any,
    until: str | dt.date = "",
    holdout: str | dt.date = "",
    *,
    unit: str = "week",
    rules: LogRules | None = None,
) -> PurchaseSummary:
    """Purchase histories of every customer up to a day, and what they bought after it.

    Parameters
    ----------
    data : str, Path, list of these, DataFrame, Table, DuckDB relation or Ibis table
        A data set of the catalogue, a file, or a table: one row per transaction.
    until, holdout : date or ISO text
        Last days of the calibration and of the holdout; blank: two thirds of the log, and its end.
    unit : {"day", "week", "month", "year"}
        Unit of time of the histories.
    rules : LogRules, optional
        Columns, filters and rules of the log.

    Returns
    -------
    PurchaseSummary
        What lifetime models are fitted to.

    Raises
    ------
    InputError
        Whatever `transaction_log` and `summarise_purchases` refuse.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> print(p.say())
    2,357 customers had bought on 1997-09-30, 946 of them on more than one day. \
684 of them (29%) bought again by 1998-06-30.
    """
    return summarise_purchases(
        data, rules=rules, calibration_end=until, holdout_end=holdout, unit=unit
    )


def summarise_purchases(
    transactions: Any,
    *,
    rules: LogRules | None = None,
    calibration_end: str | dt.date = "",
    holdout_end: str | dt.date | None = None,
    unit: str = "week",
    customers_to: Path | str | None = None,
) -> PurchaseSummary:
    """Summarise a transaction log of any size into purchase histories.

    Purchases up to and including `calibration_end` make the history, later ones up to
    `holdout_end` the holdout. Customers who join after the cut are left out and counted. What a
    purchase is, say `transaction_log` and its rules.

    Parameters
    ----------
    transactions : TransactionLog, or whatever `transaction_log` reads
        One row per transaction.
    rules : LogRules, optional
        How to read it, where it has not been read yet.
    calibration_end, holdout_end : date or ISO string
        Last days of the two periods. A blank cut is two thirds of the log's span; a blank end
        its last day.
    unit : {"day", "week", "month", "year"}
        Time unit of the result: 1, 7, 30.4375 or 365.25 days, never rounded.
    customers_to : path, optional
        Write ``customers`` to this Parquet file, as they would be returned, and return None.

    Returns
    -------
    PurchaseSummary
        Customers, distinct histories, the split, and what was left out.

    Raises
    ------
    InputError
        Whatever `transaction_log` refuses; a cut or holdout outside the log.

    Notes
    -----
    Of `LogRules.memory_limit` 250 MB are left to Python and its libraries and 70 % of the rest are
    DuckDB's own limit, with one thread per 250 MB; what it takes beyond that limit fits in the
    remainder. What does not fit goes to the temporary folder (TMPDIR). The tables returned (about
    100 bytes per customer, 32 per distinct history) come on top: a warning says when they may
    carry the process beyond the limit, and `customers_to` avoids it.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284 (x, t_x, T).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.summarise_purchases("cdnow_sample", calibration_end="1997-09-30")
    >>> len(found.customers)
    2357
    """
    one_of("unit", unit, DAYS)
    for name, value in (("calibration_end", calibration_end), ("holdout_end", holdout_end)):
        as_day(name, value)
    if customers_to is not None and not Path(customers_to).parent.is_dir():
        raise InputError(
            "customers_to", message("refusals.is_in_no_folder", customers_to=customers_to),
            message("refusals.make_its_folder"),
        )  # fmt: skip
    if rules is not None and isinstance(transactions, TransactionLog):
        raise InputError(
            "rules", message("refusals.the_log_has_been_read"),
            message("refusals.give_the_data_not_the"),
        )  # fmt: skip
    log = transaction_log(transactions, rules)
    dates = study_dates(log, calibration_end=calibration_end, holdout_end=holdout_end or "")
    cut, end = dates.calibration_end, _end(log, dates.holdout_end, unit)
    log.query(_EVERYONE, end, cut, cut, cut)
    count = _counts(log, cut, end)
    if not count["customers"] and not log.query("SELECT 1 FROM days WHERE purchase LIMIT 1").size:
        raise InputError(
            log.source, message("refusals.holds_no_purchase_of_rows_every_days", rows=log.rows),
            message("refusals.give_the_purchases_as_positive_amounts_beside"),
        )  # fmt: skip
    if not count["customers"]:
        raise InputError(
            "calibration_end", message("refusals.nobody_bought_up_to", cut=cut),
            message("refusals.choose_a_later_day"),
        )  # fmt: skip
    tracking = _tracking(log, count, cut, end, unit)
    histories = log.query(_HISTORIES, cut, cut, DAYS[unit], DAYS[unit])
    warnings = list(log.warnings)
    frame = _customers(log, cut, unit, customers_to)
    warnings += _memory(frame, histories, log.rules.memory_limit)
    if not histories["x"].any():
        warnings.append(message("lifetime.one_day_only"))
    return PurchaseSummary(
        frame, histories, _left_out(log, count), tracking, cut, end, unit,
        _facts(log, count, cut, end, unit), log, (*warnings, *truncation(histories)),
    )  # fmt: skip


# the day is compared once per row, not once per aggregate: a tenth of the time
_EVERYONE = f"""
CREATE OR REPLACE TEMP TABLE everyone AS
SELECT customer_id, min(day) AS first_purchase, max(early) AS last_purchase,
       count(early) AS frequency, round(sum(early_net), {DECIMALS}) AS monetary,
       arg_min(net, day) AS first_net, count(late_net) AS holdout_purchases,
       coalesce(round(sum(late_net), {DECIMALS}), 0) AS holdout_spend
FROM (SELECT customer_id, day, net, CASE WHEN day <= $2 THEN day END AS early,
             CASE WHEN day <= $3 THEN net END AS early_net,
             CASE WHEN day > $4 THEN net END AS late_net
      FROM days WHERE purchase AND day <= $1)
GROUP BY customer_id
"""
_HISTORIES = """
SELECT x, (since_first - recency) / $3::DOUBLE AS t_x, since_first / $4::DOUBLE AS T, customers
FROM (SELECT frequency - 1 AS x, date_diff('day', first_purchase, $1::DATE) AS since_first,
             date_diff('day', last_purchase, $2::DATE) AS recency, count(*) AS customers
      FROM everyone WHERE frequency > 0 GROUP BY ALL)
ORDER BY x, t_x, T
"""
_CUSTOMERS = """
SELECT customer_id, first_purchase::TIMESTAMP AS first_purchase,
       last_purchase::TIMESTAMP AS last_purchase, frequency - 1 AS x,
       date_diff('day', first_purchase, last_purchase) / {unit}::DOUBLE AS t_x,
       date_diff('day', first_purchase, {cut}) / {unit}::DOUBLE AS T,
       CASE WHEN frequency > 1 THEN (monetary - first_net) / (frequency - 1) ELSE 0 END
           AS mean_repeat_spend,
       date_diff('day', last_purchase, {cut}) AS recency,
       frequency, monetary, holdout_purchases, holdout_spend
FROM everyone WHERE frequency > 0 ORDER BY customer_id
"""


def _customers(
    log: TransactionLog, cut: dt.date, unit: str, path: Path | str | None
) -> pd.DataFrame | None:
    query = _CUSTOMERS.format(unit=DAYS[unit], cut=f"DATE '{cut}'")
    if path is None:
        return log.query(query)
    log.query(f"COPY ({query}) TO {quoted(path)} (FORMAT parquet)")
    return None


def _end(log: TransactionLog, end: dt.date, unit: str) -> dt.date:
    # a quiet week at the end is no proof of missing data; more than that and one unit is
    first, last = log.observed
    if (end - last).days > max(7.0, DAYS[unit]):
        raise InputError(
            "holdout_end",
            message("refusals.lies_after_the_end_of_the_data", end=end, first=first, last=last),
            message("refusals.choose_or_earlier", last=last),
        )
    return end


def _counts(log: TransactionLog, cut: dt.date, end: dt.date) -> dict[str, Any]:
    """Sums over purchase days and over customers, in two passes."""
    # decimals: a sum of floats would depend on the order in which the threads add
    by_day = log.query(
        f"""SELECT count(*) FILTER (day <= $1) AS purchase_days,
               sum(transactions) FILTER (day <= $1) AS rows_used,
               sum(transactions) FILTER (day > $1) AS rows_later,
               sum(CASE WHEN day > $1 THEN net::{MONEY} END)::DOUBLE AS later_amount,
               count(*) FILTER (net < 0 AND day <= $1) AS loss,
               sum(CASE WHEN net < 0 AND day <= $1 THEN net::{MONEY} END)::DOUBLE
                   AS loss_amount,
               count(*) FILTER (NOT purchase AND net = 0 AND day <= $1) AS zero
        FROM days""",
        end,
    )
    by_customer = log.query(
        f"""SELECT count(*) AS buyers, count(*) FILTER (frequency > 0) AS customers,
               count(*) FILTER (frequency = 0) AS late,
               sum(holdout_spend::{MONEY}) FILTER (frequency = 0)::DOUBLE AS late_amount,
               count(*) FILTER (frequency > 1) AS repeat_customers,
               sum(frequency - 1) FILTER (frequency > 0) AS repeat_purchases,
               sum(monetary::{MONEY})::DOUBLE AS calibration_spend,
               sum(holdout_purchases) FILTER (frequency > 0) AS holdout_purchases,
               count(*) FILTER (frequency > 0 AND holdout_purchases > 0) AS holdout_active,
               sum(holdout_spend::{MONEY}) FILTER (frequency > 0)::DOUBLE AS holdout_spend
        FROM everyone"""
    )
    found = {**by_day.iloc[0].to_dict(), **by_customer.iloc[0].to_dict()}
    count = {
        key: (float if key.endswith(("amount", "spend")) else int)(0 if pd.isna(value) else value)
        for key, value in found.items()
    }
    count["everyone"] = count["buyers"]
    if count["loss"] or count["zero"]:
        all_of_them = log.query(
            "SELECT count(DISTINCT customer_id) AS n FROM days WHERE day <= ?", end
        )
        count["everyone"] = int(all_of_them["n"].iloc[0])
    return count


def _memory(frame: pd.DataFrame | None, histories: pd.DataFrame, limit: str) -> list[str]:
    """A warning when the frames returned may carry the process beyond its limit by themselves."""
    size, share = memory_share(limit)
    frames = [histories] if frame is None else [histories, frame]
    held = sum(float(table.memory_usage(deep=False).sum()) for table in frames)
    if held <= share:
        return []
    return [message("lifetime.tables_beyond_memory", held=held / 1e9, limit=size / 1e9)]


def _left_out(log: TransactionLog, count: dict[str, Any]) -> pd.DataFrame:
    used, days, everyone = count["rows_used"], count["purchase_days"], count["everyone"]
    ignored = "negative amount, dropped by the rule"
    taken = log.left_out
    dropped = taken[taken["reason"] == ignored]
    first = [ignored, "transactions", 0, 0.0, 0.0] if dropped.empty else dropped.iloc[0].tolist()
    late = round(count["later_amount"], 2) + 0.0  # never minus zero
    never = everyone - count["buyers"]
    table = [
        ("after the holdout", "transactions", count["rows_later"], log.rows, late),
        ("merged with another of the same day", "transactions", used - days, used, 0.0),
        ("net of the day negative", "purchase days", count["loss"], days, count["loss_amount"]),
        ("net of the day zero", "purchase days", count["zero"], days, 0.0),
        ("no purchase left", "customers", never, everyone, 0.0),
        ("joined after the cut", "customers", count["late"], everyone, count["late_amount"]),
    ]
    rows = taken[taken["reason"] != ignored].to_numpy(dtype=object).tolist()
    rows += [first]
    rows += [[what, kind, n, n / max(of, 1), money] for what, kind, n, of, money in table]
    return left_out_table(rows)


def tracked_periods(
    first: dt.date, cut: dt.date, end: dt.date, unit: str
) -> tuple[float, int, float]:
    """How a log is cut into periods so that the cut lies between two of them.

    Parameters
    ----------
    first, cut, end : date
        First day of the log, last days of the calibration and of the holdout.
    unit : str
        Length of a period.

    Returns
    -------
    tuple of float, int and float
        Part of the first period that lies before the log, periods up to the cut, and the time at
        which the holdout ends, in periods since the first began.
    """
    known = ((cut - first).days + 1) / DAYS[unit]
    before = max(math.ceil(known - 1e-9), 1)
    return max(before - known, 0.0), before, before + (end - cut).days / DAYS[unit]


def _tracking(
    log: TransactionLog, count: dict[str, Any], cut: dt.date, end: dt.date, unit: str
) -> pd.DataFrame:
    """Purchases of the cohort by period since the first day of the log, first ones apart."""
    start = pd.Timestamp(log.first_day)
    ahead, before, last = tracked_periods(log.first_day, cut, end, unit)
    periods = max(math.ceil(last - 1e-9), 1)
    # the fewer of the two are joined: a join holds one of its sides beyond the database's limit
    few = count["late"] < count["customers"]
    later = (
        f"{'ANTI' if few else 'SEMI'} JOIN (SELECT customer_id FROM everyone WHERE frequency "
        f"{'= 0' if few else '> 0'}) USING (customer_id)"
    )

    def by_period(rows: str, day: str) -> np.ndarray:
        daily = log.query(f"SELECT {day} AS day, count(*) AS n FROM {rows} GROUP BY 1")
        since = (pd.to_datetime(daily["day"]) - start).dt.days.to_numpy()
        place = np.floor(since / DAYS[unit] + ahead + 1e-9).astype(int)
        place = np.minimum(place, periods - 1)
        return np.bincount(place, weights=daily["n"], minlength=periods).astype("int64")

    first = by_period("everyone WHERE frequency > 0", "first_purchase")
    repeats = by_period(f"days WHERE purchase AND day <= DATE '{cut}'", "day") - first
    held = f"(FROM days WHERE purchase AND day > DATE '{cut}' AND day <= DATE '{end}')"
    if end > cut:
        repeats = repeats + by_period(f"{held} {later if count['late'] else ''}", "day")
    index = np.arange(1, periods + 1)
    inside = index <= before
    return pd.DataFrame(
        {
            "period": index,
            "new_customers": first,
            "repeat_purchases": repeats,
            "cumulative_repeat_purchases": repeats.cumsum(),
            "sample": np.where(inside, "calibration", "holdout"),
        }
    )


def _facts(
    log: TransactionLog, count: dict[str, Any], cut: dt.date, end: dt.date, unit: str
) -> pd.DataFrame:
    facts: dict[str, Any] = {
        "first_day": str(log.first_day),
        "last_day": str(log.last_day),
        "calibration_end": str(cut),
        "holdout_end": str(end),
        "calibration_periods": (cut - log.first_day).days / DAYS[unit],
        "holdout_periods": (end - cut).days / DAYS[unit],
        "transactions": log.rows,
    }
    names = ("purchase_days", "customers", "repeat_customers", "repeat_purchases")
    facts |= {name: count[name] for name in (*names, "calibration_spend", "holdout_purchases")}
    facts |= {name: count[name] for name in ("holdout_active", "holdout_spend")}
    return pd.DataFrame({"measure": list(facts), "value": list(facts.values())})
