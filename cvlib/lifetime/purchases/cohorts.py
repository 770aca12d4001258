"""Cohorts of a transaction log: who came when, and what share of them bought again later."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cvlib.inputs.transactions import TransactionLog

UNITS = ("week", "month", "quarter", "year")
MOST = 24  # columns of a table that is still read


@dataclass(frozen=True)
class PurchaseCohorts:
    """What share of each cohort buys in each period.

    Attributes
    ----------
    table : DataFrame
        cohort (first month, or day, of its period), period (0, 1, … since then), customers (of
        the cohort),
        active (of them, how many bought in the period), share; only periods covered whole.
    unit : str
        Length of a period and of a cohort: week, month, quarter or year.
    """

    table: pd.DataFrame
    unit: str


def purchase_cohorts(log: TransactionLog) -> PurchaseCohorts:
    """Customers by the period of their first purchase in the log, followed period by period.

    Parameters
    ----------
    log : TransactionLog
        Purchase days; the finest unit that leaves at most 24 periods is taken.

    Returns
    -------
    PurchaseCohorts
        Share of each cohort that buys in each period, and the length of a period.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.purchase_cohorts(cv.lifetime.transaction_log("cdnow_sample"))
    >>> found.unit, int(found.table["customers"].iloc[0])
    ('month', 781)
    """
    first, last = pd.Timestamp(log.first_day), pd.Timestamp(log.last_day)
    codes = dict(zip(UNITS, ("W-SUN", "M", "Q", "Y"), strict=True))
    spans = {unit: pd.period_range(first, last, freq=code) for unit, code in codes.items()}
    unit = next((name for name in UNITS if len(spans[name]) <= MOST), UNITS[-1])
    counted = log.query(
        f"WITH firsts AS (SELECT customer_id, date_trunc('{unit}', min(day)) AS cohort FROM days "
        "WHERE purchase GROUP BY customer_id) "
        f"SELECT cohort, date_diff('{unit}', cohort, date_trunc('{unit}', day)) AS period, "
        "count(DISTINCT customer_id) AS active FROM days JOIN firsts USING (customer_id) "
        "WHERE purchase GROUP BY ALL ORDER BY ALL"
    )
    counted["cohort"] = pd.to_datetime(counted["cohort"])
    whole = [span.start_time for span in spans[unit] if span.end_time.normalize() <= last]
    rows = []
    form = "%Y-%m-%d" if unit == UNITS[0] else "%Y-%m"
    for cohort, own in counted.groupby("cohort", sort=True):
        active = own.set_index("period")["active"]
        later = [start for start in whole if start >= cohort]
        for period in range(len(later)):
            count = int(active.get(period, 0))
            rows.append((cohort.strftime(form), period, int(active[0]), count, count / active[0]))
    names = ["cohort", "period", "customers", "active", "share"]
    return PurchaseCohorts(pd.DataFrame(rows, columns=names), unit)
