"""Transactions to customers: one expression, out of core, one row per customer and per history."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
PERIODS_PER_YEAR = {unit: 365.25 / days for unit, days in DAYS.items()}
# Money is kept to a millionth: sums then do not depend on the order of the rows, and a purchase
# returned on the same day nets to exactly zero.
_DECIMALS = 6


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
    transactions: pd.DataFrame | Path | str | Sequence[Path | str] | ir.Table,
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
    transactions : DataFrame, path or list of paths (CSV, Parquet), or Ibis table
        One row per transaction. Files are read and aggregated by DuckDB inside `memory_limit`;
        an Ibis table is aggregated where it lives.
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
        DuckDB's, for frames and files.
    customers_to : path, optional
        Write ``customers`` to this Parquet file instead of returning it.

    Raises
    ------
    InputError
        Missing columns, unreadable or future dates, amounts as text, mixed currencies, a cut or
        holdout outside the log.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284 (x, t_x, T).
    """
    _one_of("unit", unit, list(DAYS))
    _one_of("returns", returns, ["net", "ignore", "refuse"])
    _one_of("free_orders", free_orders, ["count", "exclude", "refuse"])
    with _open(transactions, memory_limit) as (table, name, keep):
        cut = _day("calibration_end", calibration_end)
        end = None if holdout_end is None else _day("holdout_end", holdout_end)
        rows = _rows(table, name, customer, date, amount, currency)
        count = _checked(rows, name, customer, date, amount, returns, free_orders)
        end, sizes = _periods(count, cut, end, unit, name)
        warnings = _repeated_across_files(rows)
        if returns == "ignore":
            rows = rows.filter(rows.amount >= 0)
        days = keep("days", _purchase_days(rows.filter(rows.day <= end), free_orders))
        bought = days.filter(days.purchase)
        everyone = keep("everyone", _per_customer(bought, cut))
        customers = everyone.filter(everyone.frequency > 0)
        histories = _histories(customers, unit)
        left_out = _left_out(count, days, everyone, cut, sizes, returns, rows)
        tracking = _tracking(bought, customers, count["first_day"], cut, end, unit)
        facts = _facts(count, customers, cut, end, sizes)
        frame = _customers(customers, unit, customers_to)
    if int(histories["x"].sum()) == 0:
        warnings.append(
            "Every customer bought on one day only: repeat buying and churn cannot be estimated."
        )
    warnings += _truncation(histories)
    return PurchaseSummary(
        frame, histories, left_out, tracking, unit, sizes["holdout"], facts, tuple(warnings)
    )


def _one_of(where: str, value: str, known: list[str]) -> None:
    if value not in known:
        raise InputError(where, f"{value!r} is not a choice", nearest(value, known))


def _day(where: str, value: str | dt.date) -> dt.date:
    try:
        return pd.Timestamp(value).date()
    except (ValueError, TypeError) as error:
        raise InputError(where, f"{value!r} is not a date", "Write it as 1997-09-30.") from error


@contextmanager
def _open(source: Any, memory_limit: str) -> Iterator[tuple[Any, str, Any]]:
    """An Ibis table over the source, its name for messages, and how to keep a step's result."""
    import duckdb
    import ibis

    if isinstance(source, ibis.expr.types.Table):
        yield source, "the table", lambda name, expression: expression
        return
    with tempfile.TemporaryDirectory(prefix="cvlib-") as spill:
        settings = {"memory_limit": memory_limit, "temp_directory": spill}
        try:
            database = ibis.duckdb.connect(preserve_insertion_order=False, **settings)
        except duckdb.Error as error:
            raise InputError("memory_limit", str(error), 'Write it as "2GB".') from error
        try:
            yield (
                *_read(database, source),
                lambda name, expression: database.create_table(name, expression, temp=True),
            )
        except duckdb.OutOfMemoryException as error:
            raise InputError(
                "memory_limit", f"{memory_limit} is too little for this log", "Raise it."
            ) from error
        except duckdb.Error as error:
            raise InputError(
                _named(source), f"cannot be read: {error}", "Mend the row or column it names."
            ) from error
        finally:
            database.disconnect()


def _named(source: Any) -> str:
    if isinstance(source, pd.DataFrame):
        return "transactions"
    paths = [source] if isinstance(source, (str, Path)) else list(source)
    return ", ".join(str(path) for path in paths)


def _read(database: Any, source: Any) -> tuple[Any, str]:
    name = _named(source)
    if isinstance(source, pd.DataFrame):
        if source.empty:
            raise InputError(name, "has no rows", "Give a log with at least one transaction.")
        database.con.register("transactions", source)
        return database.table("transactions"), name
    paths = [str(path) for path in ([source] if isinstance(source, (str, Path)) else source)]
    for path in paths:
        if not any(character in path for character in "*?[") and not Path(path).is_file():
            raise InputError(path, "there is no such file", "Check the path.")
    kinds = {Path(path).suffix.lower() for path in paths}
    if kinds <= {".parquet", ".pq"}:
        return database.read_parquet(paths, filename=len(paths) > 1), name
    if kinds <= {".csv", ".tsv", ".txt", ".gz"}:
        return database.read_csv(paths, filename=len(paths) > 1), name
    raise InputError(name, "is neither CSV nor Parquet", "Read it first and pass the DataFrame.")


def _rows(
    table: Any,
    name: str,
    customer: str,
    date: str,
    amount: str | None,
    currency: str | None,
) -> Any:
    """The columns needed, as customer_id, day, amount, currency, file; dates cut to days."""
    import ibis

    columns = list(table.columns)
    for wanted in filter(None, (customer, date, amount, currency)):
        if wanted not in columns:
            raise InputError(
                f"{name}, column {wanted!r}", "is missing", nearest(wanted, columns) + " Name it."
            )
    when = table[date]
    kind = when.type()
    if kind.is_timestamp():
        if kind.timezone is not None:
            raise InputError(
                f"{name}, column {date!r}",
                "carries a time zone, so that its days depend on where they are counted",
                "Convert it to local dates first (pandas: .dt.tz_convert(zone).dt.date).",
            )
        day = when.date()
    elif kind.is_date():
        day = when
    elif kind.is_integer() or kind.is_string():
        # 19970101 or ISO text; anything else is ambiguous (1/2/97) and refused with the row
        text = when.cast("string").strip()
        plain = text.re_replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
        day = plain.re_search(r"^\d{4}-\d{2}-\d{2}").ifelse(
            plain.try_cast("date"), ibis.null("date")
        )
    else:
        raise InputError(f"{name}, column {date!r}", f"holds {kind}, not dates", "Give dates.")
    value = ibis.literal(0.0) if amount is None else table[amount]
    if amount is not None and not value.type().is_numeric():
        number = value.cast("string").try_cast("float64")
        bad = table.filter(value.notnull() & number.isnull())[amount].limit(1).to_pandas()
        sample = f" (such as {bad.iloc[0]!r})" if len(bad) else ""
        raise InputError(
            f"{name}, column {amount!r}",
            f"holds text{sample}, not numbers",
            "Write plain numbers with a decimal point: no thousands separators, no symbols.",
        )
    money = currency or next((c for c in columns if c.lower() == "currency"), None)
    return table.select(
        customer_id=table[customer],
        day=day,
        date_text=when.cast("string"),
        amount=value.cast("float64"),
        currency=ibis.literal("") if money is None else table[money].cast("string"),
        file=table["filename"]
        if "filename" in columns and money != "filename"
        else ibis.literal(""),
    )


def _checked(
    rows: Any,
    name: str,
    customer: str,
    date: str,
    amount: str | None,
    returns: str,
    free_orders: str,
) -> dict[str, Any]:
    """Count what must not be there in one pass; raise on the first fault found."""
    today = dt.datetime.now(dt.UTC).date()
    spend = rows.amount
    finite = spend.notnull() & ~spend.isnan() & ~spend.isinf()
    count = (
        rows.agg(
            transactions=rows.count(),
            no_customer=rows.customer_id.isnull().sum(),
            no_date=rows.date_text.isnull().sum(),
            bad_date=(rows.day.isnull() & rows.date_text.notnull()).sum(),
            future=(rows.day > today).sum(),
            no_amount=(~finite).sum(),
            negative=(finite & (spend < 0)).sum(),
            zero=(finite & (spend == 0)).sum(),
            currencies=rows.currency.nunique(),
            first_day=rows.day.min(),
            last_day=rows.day.max(),
        )
        .to_pandas()
        .iloc[0]
        .to_dict()
    )
    if not count["transactions"]:
        raise InputError(name, "has no rows", "Give a log with at least one transaction.")

    def example(fault: Any) -> str:
        row = rows.filter(fault).select("customer_id", "date_text", "amount").limit(1).to_pandas()
        who, when, spent = row.iloc[0]
        return f"customer {who}, date {when}, amount {spent}"

    faults = [
        ("no_customer", customer, rows.customer_id.isnull(), "have no customer", "Fill it in."),
        ("no_date", date, rows.date_text.isnull(), "have no date", "Fill it in or remove them."),
        (
            "bad_date",
            date,
            rows.day.isnull() & rows.date_text.notnull(),
            "have an unreadable date",
            "Write dates as 1997-09-30 or 19970930.",
        ),
        ("future", date, rows.day > today, "lie in the future", "Correct the dates."),
        ("no_amount", amount, ~finite, "have no amount", "Fill it in or remove them."),
        (
            "negative",
            amount,
            finite & (spend < 0) if returns == "refuse" else None,
            "have a negative amount",
            'Remove them, or choose returns="net" or "ignore".',
        ),
        (
            "zero",
            amount,
            finite & (spend == 0) if free_orders == "refuse" and amount else None,
            "have a zero amount",
            'Remove them, or choose free_orders="count" or "exclude".',
        ),
    ]
    for key, column, fault, wrong, remedy in faults:
        # NaN counts arise when a backend sums over no rows
        if fault is not None and count[key] == count[key] and count[key] > 0:
            raise InputError(
                f"{name}, column {column!r}",
                f"{int(count[key])} transactions {wrong} (the first: {example(fault)})",
                remedy,
            )
    if count["currencies"] > 1:
        raise InputError(
            name,
            f"amounts are in {int(count['currencies'])} currencies",
            "Convert them to one currency, or summarise each currency on its own.",
        )
    for key in ("first_day", "last_day"):
        count[key] = pd.Timestamp(count[key]).date()
    return count


def _periods(
    count: dict[str, Any], cut: dt.date, end: dt.date | None, unit: str, name: str
) -> tuple[dt.date, dict[str, float]]:
    first, last = count["first_day"], count["last_day"]
    span = f"the log runs from {first} to {last}"
    if not first <= cut <= max(last, first + dt.timedelta(days=1)):
        raise InputError(
            "calibration_end", f"{cut} lies outside the log: {span}", "Choose a day inside it."
        )
    # without a stated end the holdout is what the log holds after the cut
    end = max(last, cut) if end is None else end
    if end < cut:
        raise InputError("holdout_end", f"{end} lies before the cut {cut}", "Choose a later day.")
    # a quiet week at the end is no proof of missing data; more than that and one unit is
    if (end - last).days > max(7.0, DAYS[unit]):
        raise InputError(
            "holdout_end",
            f"{end} lies after the end of the data: {span}; everybody would look inactive there",
            f"Choose {last} or earlier.",
        )
    holdout = (end - cut).days / DAYS[unit]
    return end, {"holdout": holdout, "calibration": (cut - first).days / DAYS[unit]}


def _repeated_across_files(rows: Any) -> list[str]:
    if int(rows.file.nunique().to_pandas()) < 2:
        return []
    same = rows.group_by("customer_id", "day", "amount").agg(files=rows.file.nunique())
    twice = int(same.filter(same.files > 1).count().to_pandas())
    if not twice:
        return []
    return [
        f"{twice} transactions (same customer, day and amount) occur in more than one file: if the "
        "files overlap their amounts are counted twice."
    ]


def _purchase_days(rows: Any, free_orders: str) -> Any:
    """One row per customer and day, with the rule that says whether it is a purchase."""
    days = rows.group_by("customer_id", "day").agg(
        net=rows.amount.sum().round(_DECIMALS),
        transactions=rows.count(),
        returned=(rows.amount < 0).any(),
    )
    paid = days.net > 0
    if free_orders == "count":
        paid = paid | ((days.net == 0) & ~days.returned)
    return days.mutate(purchase=paid)


def _per_customer(bought: Any, cut: dt.date) -> Any:
    before = bought.day <= cut
    first = bought.day.min()
    return (
        bought.group_by("customer_id")
        .agg(
            first_purchase=first,
            last_purchase=bought.day.max(where=before),
            frequency=before.sum(),
            monetary=bought.net.sum(where=before).round(_DECIMALS),
            first_net=bought.net.argmin(bought.day),
            holdout_purchases=(~before).sum(),
            holdout_spend=bought.net.sum(where=~before).round(_DECIMALS).fill_null(0.0),
        )
        .mutate(
            x=lambda t: t.frequency - 1,
            since_first=lambda t: _literal(cut).delta(t.first_purchase, unit="day"),
            recency=lambda t: _literal(cut).delta(t.last_purchase, unit="day"),
        )
    )


def _literal(day: dt.date) -> Any:
    import ibis

    return ibis.literal(day)


def _histories(customers: Any, unit: str) -> pd.DataFrame:
    grouped = customers.group_by("x", "since_first", "recency").agg(customers=customers.count())
    frame = grouped.to_pandas()
    return (
        pd.DataFrame(
            {
                "x": frame["x"].astype("int64"),
                "t_x": (frame["since_first"] - frame["recency"]) / DAYS[unit],
                "T": frame["since_first"] / DAYS[unit],
                "customers": frame["customers"].astype("int64"),
            }
        )
        .sort_values(["x", "t_x", "T"])
        .reset_index(drop=True)
    )


def _customers(customers: Any, unit: str, path: Path | str | None) -> pd.DataFrame | None:
    table = customers.select(
        "customer_id",
        "first_purchase",
        "last_purchase",
        x=customers.x.cast("int64"),
        t_x=(customers.since_first - customers.recency) / DAYS[unit],
        T=customers.since_first / DAYS[unit],
        mean_repeat_spend=(
            (customers.x > 0).ifelse((customers.monetary - customers.first_net) / customers.x, 0.0)
        ),
        recency=customers.recency.cast("int64"),
        frequency=customers.frequency.cast("int64"),
        monetary=customers.monetary,
        holdout_purchases=customers.holdout_purchases.cast("int64"),
        holdout_spend=customers.holdout_spend,
    ).order_by("customer_id")
    if path is not None:
        table.to_parquet(path)
        return None
    frame = table.to_pandas()
    for column in ("first_purchase", "last_purchase"):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def _left_out(
    count: dict[str, Any],
    days: Any,
    everyone: Any,
    cut: dt.date,
    sizes: dict[str, float],
    returns: str,
    rows: Any,
) -> pd.DataFrame:
    net_loss = ~days.purchase & (days.net < 0)
    seen = (
        days.agg(
            days=days.count(),
            used=days.transactions.sum(),
            loss=net_loss.sum(),
            loss_amount=days.net.sum(where=net_loss).fill_null(0.0),
            zero=(~days.purchase & (days.net == 0)).sum(),
        )
        .to_pandas()
        .iloc[0]
    )
    late = everyone.frequency == 0
    joined = (
        everyone.agg(
            customers=everyone.count(),
            late=late.sum(),
            late_amount=everyone.holdout_spend.sum(where=late).fill_null(0.0),
        )
        .to_pandas()
        .iloc[0]
    )
    buyers = int(days.customer_id.nunique().to_pandas())
    dropped = int(count["negative"]) if returns == "ignore" else 0
    used, all_days, all_rows = int(seen["used"]), int(seen["days"]), int(count["transactions"])
    sizes["rows_used"], sizes["days"] = used, all_days
    never = buyers - int(joined["customers"])
    table = [
        ("negative amount, dropped by the rule", "transactions", dropped, all_rows, np.nan),
        ("after the holdout", "transactions", all_rows - dropped - used, all_rows, np.nan),
        ("merged with another of the same day", "transactions", used - all_days, used, 0.0),
        ("net of the day negative", "purchase days", seen["loss"], all_days, seen["loss_amount"]),
        ("net of the day zero", "purchase days", seen["zero"], all_days, 0.0),
        ("no purchase left", "customers", never, buyers, 0.0),
        ("joined after the cut", "customers", joined["late"], buyers, joined["late_amount"]),
    ]
    frame = pd.DataFrame(table, columns=["reason", "counted", "count", "of", "amount"])
    frame["count"] = frame["count"].fillna(0).astype("int64")
    frame["share"] = frame["count"] / frame.pop("of").clip(lower=1)
    return frame[["reason", "counted", "count", "share", "amount"]]


def _tracking(
    bought: Any, customers: Any, start: dt.date, cut: dt.date, end: dt.date, unit: str
) -> pd.DataFrame:
    """Purchases of the cohort by period since the first day of the log, first ones apart."""

    def by_day(table: Any, column: str) -> pd.Series:
        grouped = table.group_by(day=table[column]).agg(n=table.count()).to_pandas()
        return pd.Series(grouped["n"].to_numpy(), index=pd.to_datetime(grouped["day"]))

    later = bought.filter(bought.day > cut).semi_join(customers, "customer_id")
    purchases = pd.concat([by_day(bought.filter(bought.day <= cut), "day"), by_day(later, "day")])
    new = by_day(customers, "first_purchase")
    origin, length = pd.Timestamp(start), DAYS[unit]

    def period(days: Any) -> Any:
        return np.floor((days - origin).days / length).astype(int) + 1

    last = max(int(np.ceil((pd.Timestamp(end) - origin).days / length)), 1)
    index = pd.RangeIndex(1, last + 1, name="period")
    first = new.groupby(period(new.index)).sum().reindex(index, fill_value=0)
    total = purchases.groupby(period(purchases.index)).sum().reindex(index, fill_value=0)
    repeats = (total - first).astype("int64")
    # a period belongs to the sample in which it ends
    ends = (index.to_numpy() * length) <= (pd.Timestamp(cut) - origin).days + 1
    return pd.DataFrame(
        {
            "period": index,
            "new_customers": first.astype("int64").to_numpy(),
            "repeat_purchases": repeats.to_numpy(),
            "cumulative_repeat_purchases": repeats.cumsum().to_numpy(),
            "sample": np.where(ends, "calibration", "holdout"),
        }
    )


def _facts(
    count: dict[str, Any], customers: Any, cut: dt.date, end: dt.date, sizes: dict[str, float]
) -> pd.DataFrame:
    total = (
        customers.agg(
            customers=customers.count(),
            repeat_customers=(customers.x > 0).sum(),
            repeat_purchases=customers.x.sum(),
            calibration_spend=customers.monetary.sum().round(_DECIMALS),
            holdout_purchases=customers.holdout_purchases.sum(),
            holdout_active=(customers.holdout_purchases > 0).sum(),
            holdout_spend=customers.holdout_spend.sum().round(_DECIMALS),
        )
        .to_pandas()
        .iloc[0]
        .to_dict()
    )
    if not total["customers"]:
        raise InputError(
            "calibration_end", f"nobody bought up to {cut}", "Choose a later day, or check amounts."
        )
    facts: dict[str, Any] = {
        "first_day": str(count["first_day"]),
        "last_day": str(count["last_day"]),
        "calibration_end": str(cut),
        "holdout_end": str(end),
        "transactions": int(count["transactions"]),
        "purchase_days": int(sizes["days"]),
        "calibration_periods": sizes["calibration"],
        "holdout_periods": sizes["holdout"],
    }
    for key, value in total.items():
        facts[key] = float(value) if "spend" in key else int(value)
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
