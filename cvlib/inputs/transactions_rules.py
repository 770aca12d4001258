"""What a transaction log is to be read as: its columns, filters and rules, checked without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.database import memory_share
from cvlib.inputs.dates import EXCEL
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.words.message import message

_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "missing")
RETURNS = ("match", "net", "ignore", "refuse")
FREE_ORDERS = ("count", "exclude", "refuse")
MISSING_CUSTOMER = ("refuse", "drop")


@dataclass(frozen=True)
class LogRules:
    """How a transaction log is read. Every notebook passes the same; blank means not given.

    Parameters
    ----------
    customer, date : str
        Columns. Where a default name is absent, a single column of a usual other name
        (``InvoiceDate``, ``客户编号``) is taken and reported; several are an error.
    amount : str
        Column of the amount, in one currency; blank when only dates are known.
    quantity, price : str
        Columns whose product is the amount, in place of `amount`. Both or none.
    where : sequence of [column, operator, value]
        Rows to keep: all filters must hold. Operators: ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``,
        ``in`` and ``not in`` (a list), ``missing`` (no value, or false for "not missing"). A
        missing cell equals nothing. What each filter drops is counted in rows and money.
    timezone : str
        Zone whose days count, for times with an offset (``Asia/Shanghai``); blank: the day as
        written.
    date_format : str
        A strftime pattern where the dates do not say theirs; ``excel`` for day numbers of a
        spreadsheet.
    missing_customer : {"refuse", "drop"}
        Rows that name no customer: raise, or leave out and count.
    returns : {"match", "net", "ignore", "refuse"}
        Negative amounts. ``match``: set against earlier purchases of the same customer, of the same
        amount first, see `match_returns`; ``net``: within the day only; ``ignore``: drop the rows;
        or raise.
    free_orders : {"count", "exclude", "refuse"}
        Days of zero amounts only: purchases, not purchases, or raise.
    memory_limit : str
        What the process may take, such as "2GB" (10^9 bytes) or "2GiB".
    reading : Reading
        How a file is read that does not say it itself; such a file is read into memory.

    Raises
    ------
    InputError
        A rule, filter, zone or size that is none, with its name.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.LogRules(customer="buyer", date="day").returns
    'match'
    """

    customer: str = "customer_id"
    date: str = "date"
    amount: str | None = "amount"
    quantity: str = ""
    price: str = ""
    where: Sequence[Sequence[Any]] = field(default=())
    timezone: str = ""
    date_format: str = ""
    missing_customer: str = "refuse"
    returns: str = "match"
    free_orders: str = "count"
    memory_limit: str = "2GB"
    reading: Reading = AS_IT_IS

    def __post_init__(self) -> None:
        for name, known in (
            ("missing_customer", MISSING_CUSTOMER),
            ("returns", RETURNS),
            ("free_orders", FREE_ORDERS),
        ):
            one_of(name, getattr(self, name), known)
        for name in ("customer", "date"):
            if not getattr(self, name):
                raise InputError(
                    name, message("refusals.names_no_column"), message("refusals.name_the_column")
                )
        if bool(self.quantity) != bool(self.price):
            lacks = "quantity" if self.price else "price"
            raise InputError(
                lacks,
                message("refusals.names_no_column_its_partner"),
                message("refusals.the_amount_is_quantity_price"),
            )
        _check_zone(self.timezone)
        check_pattern(self.date_format)
        object.__setattr__(self, "where", tuple(_filter(i, one) for i, one in _each(self.where)))
        memory_share(self.memory_limit)


def _check_zone(timezone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        if timezone:
            ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            "timezone",
            message("refusals.is_not_a_time_zone", zone=timezone),
            message("refusals.write_it_as_asia_shanghai_or_utc"),
        ) from error


def check_pattern(pattern: str) -> None:
    """Refuse a `date_format` that is no pattern."""
    if pattern in ("", EXCEL):
        return
    import duckdb

    unfit = InputError(
        "date_format",
        message("refusals.is_no_pattern", pattern=pattern),
        message("refusals.write_it_as"),
    )
    if "%" not in pattern:
        raise unfit
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT try_strptime('1', ?)", [pattern])
    except duckdb.Error as error:
        raise unfit from error


def _each(where: Any) -> list[tuple[int, Any]]:
    if isinstance(where, str) and where:
        raise InputError(
            "where",
            message("refusals.is_no_list_of_filters", where=where),
            message("refusals.write_it_as_status_cancelled"),
        )
    where = list(where or ())
    if where and all(not isinstance(one, (list, tuple)) for one in where):
        where = [where]  # one filter without its outer brackets
    return list(enumerate(where, start=1))


def _filter(number: int, one: Any) -> tuple[Any, ...]:
    """A filter of the right form, or an error with its position."""
    place = f"where, filter {number}"
    remedy = "Write it as [column, operator, value], such as [status, '!=', Cancelled]."
    if not isinstance(one, (list, tuple)) or len(one) not in (2, 3):
        raise InputError(place, message("refusals.is_not_column_operator_value", one=one), remedy)
    column, operator, *value = one
    if not isinstance(column, str) or not column:
        raise InputError(place, message("refusals.is_not_the_name_of", column=column), remedy)
    operator = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}.get(operator, operator)
    one_of(place, operator, _OPERATORS, wrong=message("refusals.is_not_an_operator"))
    if operator == "missing":
        if value and not isinstance(value[0], bool):
            raise InputError(
                place,
                message("refusals.is_neither_true_nor_false", value=value[0]),
                message("refusals.leave_it_out"),
            )
        return (column, operator, *value)
    if not value:
        raise InputError(place, message("refusals.has_no_value_to_compare"), remedy)
    listed = isinstance(value[0], (list, tuple))
    if listed != (operator in ("in", "not in")) or (listed and not value[0]):
        wanted = "a_list" if operator in ("in", "not in") else "one_value"
        wrong = message(f"refusals.operator_needs_{wanted}", operator=operator, value=value[0])
        raise InputError(place, wrong, remedy)
    plain = [_plain(place, each) for each in (value[0] if listed else value)]
    return (column, operator, tuple(plain) if listed else plain[0])


def day_of(number: int, value: Any) -> str:
    """The date in a filter as SQL."""
    day = pd.to_datetime(str(value), errors="coerce", format="ISO8601")
    if pd.isna(day):
        raise InputError(
            f"where, filter {number}",
            message("refusals.is_not_a_date", given=value),
            message("refusals.write_it_as_a_date"),
        )
    return f"DATE '{day.date()}'"


def _plain(place: str, value: Any) -> str | float | int:
    if isinstance(value, (dt.date, dt.datetime, bool)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, (str, int, float)):
        return value
    raise InputError(
        place,
        message("refusals.is_no_value", value=value),
        message("refusals.give_a_text_a_number"),
    )
