"""Columns by the names other programs give them, and amounts as people write them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.words.message import message

# Names under which other programs write the three columns of a purchase log and its currency.
ALIASES = {
    "customer_id": {"customerid", "custid", "cust", "customer", "clientid", "userid", "memberid",
                    "客户编号", "客户id", "客户", "会员号", "会员编号", "用户id", "顾客编号"},
    "date": {"orderdate", "invoicedate", "transactiondate", "purchasedate", "datetime", "timestamp",
             "日期", "交易日期", "购买日期", "订单日期", "下单时间", "交易时间"},
    "amount": {"sales", "revenue", "spend", "dollarvalue", "totalprice", "orderamount",
               "金额", "交易金额", "消费金额", "订单金额", "购买金额", "销售额"},
    "currency": {"currency", "currencycode", "ccy", "币种", "货币"},
    "quantity": {"qty", "units", "pieces", "数量", "件数"},
    "price": {"unitprice", "itemprice", "priceperunit", "单价"},
    "product": {"item", "productid", "productname", "sku", "stockcode", "articleid", "article",
                "category", "商品", "商品名称", "商品编号", "产品", "产品名称", "品类"},
    "status": {"state", "orderstatus", "paymentstatus", "transactionstatus", "状态", "订单状态"},
}  # fmt: skip
_CURRENCY = (
    r"[$€£¥￥₹₩₽₺฿₫₴₪元円圆]|RMB|(?:US|HK|A|C|R|S|NT|NZ)\$|kr\.?|zł|Kč|Ft|lei|Rs\.?|руб\.?|[A-Z]{3}"
)
# Less than nothing as accounts write it: in brackets, or with the minus behind.
# Currencies of a thousand parts, in which 1.250 is no thousand.
_THOUSANDTHS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
# Chinese units of numbers: 1.2万 is 12,000
_UNITS = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8}
_BRACKETS, _BEHIND = r"^[(（]\s*([^-]*)\s*[)）]$", r"^([^-]*[0-9][^-]*?)\s*-$"


def usual_columns(columns: list[str], role: str) -> list[str]:
    """The columns that go by a usual name of a role."""
    usual = ALIASES[role] | {role.replace("_", "")}
    return [one for one in columns if one.lower().replace("_", "").replace(" ", "") in usual]


def role_column(table: Table, role: str, name: str, notes: list[str]) -> str:
    """The column for a role: the given name, or the one column that goes by a usual other name."""
    if name in table.data.columns or name != role:
        return name
    found = usual_columns([str(column) for column in table.data], role)
    if len(found) == 1:
        notes.append(
            message("inputs.column_taken", file=table.source, column=found[0], role=role)
        )  # fmt: skip
        return found[0]
    if found:
        raise InputError(
            table.source,
            message("refusals.could_be_any_of_the_columns", role=role, columns=", ".join(found)),
            message("refusals.say_which_one_is_the", role=role.removesuffix("_id")),
        )
    return name


def amounts_of(table: Table, column: str, notes: list[str]) -> pd.Series:
    """Amounts written as text, as floats; one currency sign throughout is taken off.

    Raises
    ------
    InputError
        Text that is no amount, more than one currency.
    """
    written = column_of(table, column).astype("str").str.strip()
    plain = written.str.replace("\u2212", "-")
    for form in (_BRACKETS, _BEHIND):
        plain = plain.str.replace(form, r"-\1", regex=True)
    parts = plain.str.extract(
        rf"^(?P<minus>-?)\s*(?P<before>{_CURRENCY})?\s*(?P<number>[^A-Za-z]*?)\s*"
        rf"(?P<unit>[{''.join(_UNITS)}])?\s*(?P<after>{_CURRENCY})?$"
    )
    units = parts["unit"].map(_UNITS)
    sign = parts["before"].fillna(parts["after"])
    signs = sign.dropna().unique()
    numbers = parts["number"].notna() & (parts["number"] != "")
    if len(signs) > 1 or (len(signs) == 1 and (sign.isna() & numbers).any()):
        kinds = ", ".join([*signs, *(["none"] if sign.isna().any() else [])])
        raise InputError(
            table.place(column), message("refusals.mixes_currencies", kinds=kinds),
            message("refusals.convert_the_amounts_to_one_currency_or_2"),
        )  # fmt: skip
    original = table.data[column].copy()
    if len(signs) == 1:
        notes.append(message("inputs.currency_sign", file=table.source, sign=signs[0]))
    if len(signs) == 1 or units.notna().any():
        plain = (parts["minus"] + parts["number"]).where(numbers, written)
    if len(signs) == 1 and signs[0] not in _THOUSANDTHS:
        plain = _grouped(plain)
    behind = written[written.str.contains(r"^[(（].*[)）]$|[0-9][^-]*-$")]
    if len(behind):
        notes.append(message("inputs.minus_of_accounts", file=table.source, first=behind.iloc[0]))
    table.data[column] = plain
    wrong = message("refusals.value_is_no_amount", value="{value}")
    try:
        amounts, _ = numeric(table, column, (), (wrong, message("refusals.write_amounts_as")))
        amounts = amounts * units.fillna(1.0)
        bad = ~np.isfinite(amounts)
        if bad.any():
            raise fault(table, column, bad, wrong, message("refusals.mend_it"))
    finally:
        table.data[column] = original
    first = original[units.notna()] if units.notna().any() else original
    notes.append(message("inputs.amounts_as_text", file=table.source, first=first.iloc[0]))
    return amounts


def _grouped(plain: pd.Series) -> pd.Series:
    """Amounts of money whose one mark always stands before three digits, without that mark."""
    some = plain.dropna()
    for mark in (",", "."):
        alike = some.str.fullmatch(rf"-?(?:[0-9]{{1,3}}(?:\{mark}[0-9]{{3}})+|[0-9]+)")
        if alike.all() and some.str.contains(mark, regex=False).any():
            return plain.str.replace(mark, "", regex=False)
    return plain
