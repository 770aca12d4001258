"""What each input must look like: survey, transactions, indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from cvlib.inputs.checks import (
    Checked,
    as_table,
    column_of,
    fault,
    left_out_of,
    numeric,
)
from cvlib.inputs.dates import to_dates
from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import Table

# Names under which other programs write the three columns of a purchase log and its currency.
ALIASES = {
    "customer_id": {"customerid", "custid", "cust", "customer", "clientid", "userid", "memberid",
                    "客户编号", "客户id", "客户", "会员号", "会员编号", "用户id", "顾客编号"},
    "date": {"orderdate", "invoicedate", "transactiondate", "purchasedate", "datetime", "timestamp",
             "日期", "交易日期", "购买日期", "订单日期", "下单时间", "交易时间"},
    "amount": {"sales", "revenue", "spend", "dollarvalue", "totalprice", "orderamount",
               "金额", "交易金额", "消费金额", "订单金额", "购买金额", "销售额"},
    "currency": {"currency", "currencycode", "ccy", "币种", "货币"},
}  # fmt: skip
_CURRENCY = r"[$€£¥￥₹₩₽₺฿元円]|RMB|(?:US|HK|A|C|NT)\$|[A-Z]{3}"


def role_column(table: Table, role: str, name: str, notes: list[str]) -> str:
    """The column for a role: the given name, or the one column that goes by a usual other name."""
    if name in table.data.columns or name != role:
        return name
    plain = {column: str(column).lower().replace("_", "").replace(" ", "") for column in table.data}
    usual = ALIASES[role] | {role.replace("_", "")}
    found = [column for column, short in plain.items() if short in usual]
    if len(found) == 1:
        notes.append(f"{table.source}: column {found[0]} was taken as {role}.")
        return str(found[0])
    if found:
        raise InputError(
            table.source, f"{role} could be any of the columns {', '.join(found)}",
            f"Say which one is the {role}.",
        )  # fmt: skip
    return name


def _amounts(table: Table, column: str, notes: list[str]) -> pd.Series:
    """Amounts as floats; one currency sign throughout is taken off, several are an error."""
    values = column_of(table, column)
    if not is_numeric_dtype(values.dtype) and not is_datetime64_any_dtype(values.dtype):
        written = values.astype("str").str.strip()
        parts = written.str.extract(
            rf"^(?P<minus>-?)\s*(?P<before>{_CURRENCY})?\s*(?P<number>[^A-Za-z]*?)\s*"
            rf"(?P<after>{_CURRENCY})?$"
        )
        sign = parts["before"].fillna(parts["after"])
        signs = sign.dropna().unique()
        if len(signs) > 1 or (len(signs) == 1 and (sign.isna() & written.notna()).any()):
            kinds = ", ".join([*signs, *(["none"] if sign.isna().any() else [])])
            raise InputError(
                table.place(column), f"mixes currencies ({kinds})",
                "Convert the amounts to one currency, or keep the rows of one.",
            )  # fmt: skip
        if len(signs) == 1:
            notes.append(f"{table.source}: the currency sign {signs[0]} was taken off the amounts.")
            data = table.data.assign(**{column: parts["minus"] + parts["number"]})
            table = replace(table, data=data)
    before = table.data[column]
    amounts, _ = numeric(table, column)
    if not is_numeric_dtype(before.dtype):
        example = before.dropna().iloc[0]
        notes.append(f"{table.source}: amounts written as text were read, {example!r} first.")
    return amounts


def check_transactions(
    table: Table | pd.DataFrame,
    *,
    customer: str = "customer_id",
    date: str = "date",
    amount: str | None = "amount",
    currency: str = "currency",
    not_positive: Literal["error", "drop", "keep"] = "error",
    missing_customer: Literal["error", "drop"] = "error",
    date_format: str | None = None,
    timezone: str = "UTC",
    until: str | pd.Timestamp | None = None,
    file: str = "",
) -> Checked:
    """Check a purchase log: one row per transaction.

    Parameters
    ----------
    table : Table or DataFrame
        With a customer, a date and (unless `amount` is None) an amount in one currency.
    customer, date, amount : str
        The columns. Where a default name is absent, a single column of a usual other name
        (``InvoiceDate``, ``客户编号``) is taken and reported; several are an error.
    currency : str
        A column of currency codes, if there is one; it must hold one value.
    not_positive : {"error", "drop", "keep"}
        What to do with zero and negative amounts (gifts, returns). They are counted either way.
    missing_customer : {"error", "drop"}
        What to do with rows that name no customer.
    date_format : str, optional
        A strftime pattern where the dates do not say theirs.
    timezone : str
        Times with an offset are shown in this zone before the day is taken.
    until : str or Timestamp, optional
        The end of observation. Later rows are an error; without it, rows after today are. Today's
        date can only refuse a file, it never changes a number.
    file : str, optional
        Name of a DataFrame in error messages.

    Returns
    -------
    Checked
        `data`: customer_id, date (datetime64, no time zone) and amount (float), in file order.

    Raises
    ------
    InputError
        A missing column, a row without date or amount, an unreadable date or amount, a zero or
        negative amount (by the rule), a date in the future, several currencies.
    """
    for where, rule, known in (
        ("not_positive", not_positive, ["error", "drop", "keep"]),
        ("missing_customer", missing_customer, ["error", "drop"]),
    ):
        if rule not in known:
            raise InputError(where, f"{rule!r} is not a rule", nearest(rule, known))
    table = as_table(table, file)
    notes: list[str] = list(table.warnings)
    rows: list[tuple[str, str, int]] = []
    total = len(table.data)
    customer = role_column(table, "customer_id", customer, notes)
    date = role_column(table, "date", date, notes)
    _one_currency(table, role_column(table, "currency", currency, []))
    repeated = int(table.data.duplicated().sum())
    if repeated:
        notes.append(f"{table.source}: {repeated} rows repeat an earlier row exactly; kept.")

    nobody = column_of(table, customer).isna()
    if nobody.any():
        if missing_customer == "error":
            raise fault(
                table, customer, nobody, "names no customer", "Fill it in, or drop such rows."
            )
        rows.append((customer, "no customer", int(nobody.sum())))
        table = replace(table, data=table.data[~nobody])
    undated = column_of(table, date).isna()
    if undated.any():
        raise fault(table, date, undated, "is a transaction without a date", "Fill in the date.")
    dates, said = to_dates(table, date, date_format, timezone)
    notes += said
    _within(table, date, dates, until)
    frame = pd.DataFrame({"customer_id": _identifiers(table.data[customer]), "date": dates})

    if amount is not None:
        amount = role_column(table, "amount", amount, notes)
        frame["amount"] = _amounts(table, amount, notes)
        unknown = ~np.isfinite(frame["amount"])
        if unknown.any():
            raise fault(table, amount, unknown, "is a transaction without an amount", "Fill it in.")
        for kind, bad in (("zero", frame["amount"] == 0), ("negative", frame["amount"] < 0)):
            if not bad.any():
                continue
            if not_positive == "error":
                raise fault(
                    table, amount, bad, f"{{value}} is a {kind} amount",
                    "Correct it, or say what to do with such rows: not_positive 'drop' or 'keep'.",
                )  # fmt: skip
            if not_positive == "drop":
                rows.append((amount, f"{kind} amount", int(bad.sum())))
            else:
                notes.append(f"{table.source}: {int(bad.sum())} rows with a {kind} amount kept.")
        if not_positive == "drop":
            frame = frame[frame["amount"] > 0]
    if frame.empty:
        raise InputError(table.source, "has no usable transaction", "See the rules for dropping.")
    used = [customer, date] + ([amount] if amount is not None else [])
    counts = left_out_of(table, used, rows, total)
    by_day = frame["date"].dt.floor("D").value_counts().sort_index()
    notes += [*_across_files(table, frame), *stray_dates(by_day, table.source)]
    frame = frame.reset_index(drop=True)
    frame.attrs["source"] = table.source  # for errors of what is computed from it
    return Checked(frame, counts, tuple(notes))


def _identifiers(values: pd.Series) -> pd.Series:
    """Customer ids as whole numbers or text; a missing cell must not have made 17 into 17.0."""
    if is_numeric_dtype(values.dtype):
        return values.astype("int64") if (values % 1 == 0).all() else values
    return values.astype("str").str.strip()


def _one_currency(table: Table, column: str) -> None:
    if column not in table.data.columns:
        return
    mixed_currencies(
        table.place(column),
        table.data[column].astype("str").str.strip().str.upper().value_counts(),
    )


def mixed_currencies(place: str, counts: pd.Series) -> None:
    """Raise when a column of currency codes holds more than one (rows by code)."""
    if len(counts) > 1:
        shown = ", ".join(f"{code} {count} rows" for code, count in counts.head(5).items())
        raise InputError(
            place, f"mixes currencies ({shown})",
            "Convert the amounts to one currency, or keep the rows of one.",
        )  # fmt: skip


def _within(table: Table, column: str, dates: pd.Series, until: str | pd.Timestamp | None) -> None:
    old = dates < pd.Timestamp(1900, 1, 1)
    if old.any():
        raise fault(table, column, old, "{value} is before 1900", "Correct the date.")
    try:
        # A day of grace, because it is tomorrow already in some time zones.
        end = pd.Timestamp.now() + pd.Timedelta(days=1) if until is None else pd.Timestamp(until)
    except ValueError as error:
        raise InputError("until", f"{until!r} is not a date", "Write it as 1998-06-30.") from error
    if until is not None and end == end.normalize():
        end += pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    late = dates > end
    if late.any():
        after = f"the end of observation, {until}" if until is not None else "today"
        raise fault(
            table, column, late, f"{{value}} is later than {after}",
            "Correct the date, or give the end of observation as `until`.",
        )  # fmt: skip


def _across_files(table: Table, frame: pd.DataFrame) -> list[str]:
    """Say what occurs in more than one of the files a log was put together from."""
    if not table.files:
        return []
    starts = [first for _, first in table.files]
    file = np.searchsorted(starts, frame.index.to_numpy(), side="right")
    notes = []
    for what, columns in (
        ("transactions (same customer, day and amount)", list(frame.columns)),
        ("customers", ["customer_id"]),
    ):
        distinct = frame.assign(file=file, date=frame["date"].dt.floor("D"))
        files = distinct[[*columns, "file"]].drop_duplicates().groupby(columns).size()
        if (files > 1).any():
            notes.append(
                f"{table.source}: {int((files > 1).sum())} {what} occur in more than one file; "
                "they are taken as the same customers, and no row was dropped."
            )
    return notes


def stray_dates(rows: pd.Series, source: str) -> list[str]:
    """Say when the last dates lie far from all others: one mistyped year sets the log's end.

    Parameters
    ----------
    rows : Series
        Number of rows by day (datetime64), in the order of the days.
    source : str
        Name of the log.
    """
    gaps = np.diff(rows.index.to_numpy().astype("datetime64[D]").astype("int64"))
    if not gaps.size:
        return []
    widest = int(gaps.argmax())
    after = int(rows.iloc[widest + 1 :].sum())
    others = np.delete(gaps, widest).max(initial=0)
    if after > rows.sum() / 100 or gaps[widest] <= max(90, 5 * others):
        return []
    return [
        f"{source}: {after} rows lie {gaps[widest]} days after all others; "
        "check their dates, they set the end of observation."
    ]


def check_indicators(
    table: Table | pd.DataFrame, columns: Sequence[str], *, file: str = ""
) -> Checked:
    """Check columns of indicator values: numbers, all finite, none missing.

    Parameters
    ----------
    table : Table or DataFrame
        One row per object to be scored.
    columns : sequence of str
        The indicators.
    file : str, optional
        Name of a DataFrame in error messages.

    Returns
    -------
    Checked
        `data`: the columns as floats.

    Raises
    ------
    InputError
        A missing column, text, a missing or infinite value.
    """
    table = as_table(table, file)
    frame = pd.DataFrame({column: numeric(table, column)[0] for column in columns})
    for column in columns:
        bad = ~np.isfinite(frame[column])
        if bad.any():
            raise fault(
                table, column, bad, "{value} is not a finite number",
                "Fill in the value, or leave the row out of the file.",
            )  # fmt: skip
    counts = left_out_of(table, columns, [], len(frame))
    return Checked(frame, counts, table.warnings)
