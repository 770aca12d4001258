"""Firm value: what assets, returns and customers say it is, and where value is counted twice"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.columns import labels, once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.words.message import joined, message

_NEEDED = ("asset", "liability_payment", "net_income", "dividend", "book_start")
_CUSTOMER = ("customers", "margin", "retention", "new_customers", "acquisition_cost")


def present_value(flows: Sequence[float], rate: float, first: int = 1) -> float:
    """Σ flow ÷ (1 + rate)^t, the first flow at t = `first`."""
    years = np.arange(first, first + len(flows))
    return float((np.asarray(flows, dtype=float) / (1 + rate) ** years).sum())


def residual_income(
    book_start: float, net_income: Sequence[float], dividends: Sequence[float], rate: float
) -> dict[str, float]:
    """Residual income value and dividend value, which are equal under clean surplus.

    B₀ + Σ(NI_t − r·B_{t−1}) ÷ (1 + r)^t = PV(dividends) + PV(B_N), B_t = B_{t−1} + NI_t − d_t.

    Parameters
    ----------
    book_start : float
        B₀.
    net_income, dividends : sequence of float
        By year, of equal length.
    rate : float
        r, per year.

    Returns
    -------
    dict
        residual, dividend (both values), double_count (B₀ + PV(NI): the assets twice).

    References
    ----------
    Ohlson (1995) Contemporary Accounting Research 11:661-687.
    """
    book = np.cumsum([book_start, *(np.asarray(net_income) - np.asarray(dividends))])
    residual = np.asarray(net_income, dtype=float) - rate * book[:-1]
    end = book[-1] / (1 + rate) ** len(net_income)
    return {
        "residual": book_start + present_value(list(residual), rate),
        "dividend": present_value(dividends, rate) + end,
        "double_count": book_start + present_value(net_income, rate),
    }


def customer_equity_bridge(
    customers: float,
    margin: float,
    retention: float,
    rate: float,
    new_customers: Sequence[float] = (),
    acquisition_cost: float = 0.0,
) -> dict[str, float]:
    """Equity of present and of future customers, and how it answers to its drivers.

    CE = N₀·m·r ÷ (1 + i − r) + Σ n_k (1 + i)^−k [m(1 + i) ÷ (1 + i − r) − c].

    Parameters
    ----------
    customers, margin, retention, rate : float
        N₀, yearly margin m, yearly retention r, discount rate i.
    new_customers : sequence of float
        n_1, n_2, … won in the years to come.
    acquisition_cost : float
        c, of one.

    Returns
    -------
    dict
        existing, future, total, elasticity_retention_existing ((1 + i) ÷ (1 + i − r)),
        elasticity_retention, elasticity_margin, elasticity_acquisition (of the total).

    References
    ----------
    Gupta, Lehmann & Stuart (2004) J. Marketing Research 41:7-18: retention 3–7, margin about 1,
    acquisition .02–.3.
    """
    number("retention", retention, 0, 1)

    def parts(m: float, r: float, c: float) -> tuple[float, float]:
        room = 1 + rate - r
        each = m * (1 + rate) / room - c
        return customers * m * r / room, present_value(new_customers, rate) * each

    existing, future = parts(margin, retention, acquisition_cost)
    total, step = existing + future, 1e-5

    def answers(m: float = 1, r: float = 1, c: float = 1) -> float:
        up, down = (
            sum(parts(margin * (1 + s * (m - 1)), retention * (1 + s * (r - 1)),
                      acquisition_cost * (1 + s * (c - 1))))
            for s in (step, -step)
        )  # fmt: skip
        return (up - down) / (2 * step) / total if total else np.nan

    return {
        "existing": existing, "future": future, "total": total,
        "elasticity_retention_existing": (1 + rate) / (1 + rate - retention),
        "elasticity_retention": answers(r=2), "elasticity_margin": answers(m=2),
        "elasticity_acquisition": answers(c=2),
    }  # fmt: skip


def firm_value(
    accounts: Any, rate: float, market_value: float = 0.0, *, reading: Reading = AS_IT_IS
) -> Finding:
    """Value of a firm by its assets, by its returns and by its customers, side by side.

    Parameters
    ----------
    accounts : str, Path, DataFrame or Table
        item, year, value (0 = now). Items: asset (fair values), liability_payment, goodwill,
        net_income, dividend, book_start; optionally customers, margin, retention, new_customers,
        acquisition_cost.
    rate : float
        Discount rate per year.
    market_value : float
        For the share that customer equity makes of it; 0: not given.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        firm_value: reading (assets, returns_residual, returns_dividends, returns_as_printed,
        existing_customers, customer_equity), value, difference (to the residual-income value).
        firm_sensitivity: driver, down, up (change of value by −1 % and +1 % of the input).

    Raises
    ------
    InputError
        A missing item, years that do not follow each other: with file, column, row.

    References
    ----------
    Ohlson (1995), Contemporary Accounting Research 11(2):661-687 (residual income); Gupta,
    Lehmann & Stuart (2004), Journal of Marketing Research 41(1):7-18 (customers).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.firm_value("firm_accounts", 0.1)["firm_value"].set_index("reading")
    >>> bool(abs(found.at["returns_dividends", "difference"]) < 1e-9)
    True
    """
    number("rate", rate, 0, 1, ends="(]")
    table = opened(accounts, reading)
    item = labels(table, "item")
    year = within(table, "year", 0, whole=True)
    value = within(table, "value")
    rows = pd.DataFrame({"item": item, "year": year, "value": value})
    flows = rows[item != "asset"]
    once(_of(table, flows.index), ["item", "year"])
    series = {
        name: part.sort_values("year")["value"].tolist() for name, part in rows.groupby("item")
    }
    for name in _NEEDED:
        if name not in series:
            raise InputError(
                table.place("item"),
                message("refusals.has_no", name=name),
                message("refusals.add_rows_of", name=name),
            )
    if len(series["net_income"]) != len(series["dividend"]):
        raise InputError(
            table.place("item"),
            message("refusals.has_other_years_of_net"),
            message("refusals.mend_it"),
        )
    values = _values(series, rate)
    base = values["returns_residual"]
    main = pd.DataFrame({"reading": list(values), "value": list(values.values())})
    main["difference"] = main["value"] - base
    drivers = [
        *(name for name in (*_NEEDED, "goodwill", *_CUSTOMER) if name in series), "rate",
    ]  # fmt: skip
    shown = "customer_equity" if "customer_equity" in values else "returns_residual"
    lines = [
        {"driver": name, "reading": _reads(name, shown),
         **{side: _moved(series, rate, name, sign)[_reads(name, shown)]
            - values[_reads(name, shown)] for side, sign in (("down", -0.01), ("up", 0.01))}}
        for name in drivers
    ]  # fmt: skip
    found = {"firm_value": main, "firm_sensitivity": pd.DataFrame(lines)}
    twice = values["returns_as_printed"] - base
    said = message("decisions.firm_value", assets=values["assets"], returns=base, twice=twice,
                   rate=rate)  # fmt: skip
    if "customer_equity" in values:
        low, high = _spread(series, rate, "retention")
        more = message(
            "decisions.firm_customers", equity=values["customer_equity"], low=low, high=high
        )
        parts = [said, more]
        if market_value > 0:
            share = values["customer_equity"] / market_value
            parts.append(message("decisions.firm_share", share=share))
        said = joined(parts)
    return Finding(found, said, (message("decisions.firm_judged"),), values)


def _of(table: Any, index: pd.Index) -> Any:
    import dataclasses

    return dataclasses.replace(table, data=table.data.loc[index])


def _values(series: Mapping[str, list[float]], rate: float) -> dict[str, float]:
    owed = present_value(series["liability_payment"], rate)
    book = series["book_start"][0]
    returns = residual_income(book, series["net_income"], series["dividend"], rate)
    values = {
        "assets": sum(series["asset"]) - owed + sum(series.get("goodwill", [])),
        "returns_residual": returns["residual"],
        "returns_dividends": returns["dividend"],
        "returns_as_printed": returns["double_count"],
    }
    if all(name in series for name in ("customers", "margin", "retention")):
        bridge = customer_equity_bridge(
            series["customers"][0], series["margin"][0], series["retention"][0], rate,
            series.get("new_customers", []), series.get("acquisition_cost", [0.0])[0],
        )  # fmt: skip
        values |= {"existing_customers": bridge["existing"], "customer_equity": bridge["total"]}
    return values


def _reads(driver: str, customers: str) -> str:
    """The value that a driver moves."""
    if driver in ("asset", "liability_payment", "goodwill"):
        return "assets"
    return customers if driver in _CUSTOMER else "returns_residual"


def _moved(
    series: Mapping[str, list[float]], rate: float, name: str, by: float
) -> dict[str, float]:
    if name == "rate":
        return _values(series, rate * (1 + by))
    changed = [
        min(v * (1 + by), 1.0) if name == "retention" else v * (1 + by) for v in series[name]
    ]
    return _values({**series, name: changed}, rate)


def _spread(series: Mapping[str, list[float]], rate: float, name: str) -> tuple[float, float]:
    low, high = (_moved(series, rate, name, by)["customer_equity"] for by in (-0.01, 0.01))
    return low, high
