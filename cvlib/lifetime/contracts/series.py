"""Which cohorts of contracts a study looks at: published, of a file, by the year they began"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.checks import column_of, fault, numeric
from cvlib.inputs.documents import Source
from cvlib.inputs.readers import load_table
from cvlib.inputs.subscriptions import CheckedContracts
from cvlib.results import Result
from cvlib.words.message import Message, message

PUBLISHED = Path(__file__).with_name("published") / "fader_hardie_2007.yaml"


@dataclass(frozen=True, eq=False, repr=False)
class CohortSeries(Result):
    """Customers left by cohort and period.

    Attributes
    ----------
    customers : DataFrame
        cohort, period (0, 1, …), customers; without columns when there are none.
    fitted_periods : int
        Periods the models may see where nothing else is asked for: seven of the published twelve
        as its authors, two thirds of any other.
    periods_per_year : float
        1 of the published ones and of a file, whose rate of discount is per period.
    reason : Message or None
        Why there are none.
    """

    customers: pd.DataFrame
    fitted_periods: int
    periods_per_year: float = 1.0
    reason: Message | None = None


def read_cohorts(source: str = "fader_hardie_2007") -> CohortSeries:
    """The published series, or a file of one's own.

    Parameters
    ----------
    source : str
        "fader_hardie_2007" (two cohorts of 1,000, twelve years), or a table with the columns
        cohort, period (0, 1, …) and customers.

    Returns
    -------
    CohortSeries
        Customers left by cohort and period.

    Raises
    ------
    InputError
        A file that cannot be read, or a column that is empty or holds no numbers.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.read_cohorts().customers["cohort"].unique().tolist()
    ['high_end', 'regular']
    """
    if source != "fader_hardie_2007":
        table = load_table(source)
        for name in ("cohort", "period", "customers"):
            numbers = column_of(table, name) if name == "cohort" else numeric(table, name)[0]
            if numbers.isna().any():
                raise fault(
                    table,
                    name,
                    numbers.isna(),
                    message("refusals.is_empty"),
                    message("refusals.fill_it_in"),
                )
        frame = table.data[["cohort", "period", "customers"]]
        return CohortSeries(frame, max(2, int(2 * frame["period"].max() // 3)))
    content = Source(PUBLISHED).content
    parts = [
        pd.DataFrame({"cohort": name, "period": range(len(percent)), "percent": percent})
        for name, percent in content["survival_percent"].items()
    ]
    table = pd.concat(parts, ignore_index=True)
    customers = np.round(table.pop("percent") * content["customers"] / 100)
    return CohortSeries(table.assign(customers=customers), 7)


def cohort_series(source: str, contracts: CheckedContracts, simulated: bool) -> CohortSeries:
    """The cohorts a study looks at.

    Parameters
    ----------
    source : str
        As in `read_cohorts`; "auto": the published ones beside the simulated contracts, of other
        contracts the years in which they began; empty: none.
    contracts : CheckedContracts
        Whose cohorts are derived.
    simulated : bool
        Whether the contracts are the simulated ones.

    Returns
    -------
    CohortSeries
        Customers left by cohort and period; empty with the reason.

    Examples
    --------
    >>> import cvlib as cv
    >>> table = cv.lifetime.simulated_subscriptions(300, seed=1)
    >>> series = cv.lifetime.cohort_series("auto", cv.lifetime.check_contracts(table), True)
    >>> series.customers["cohort"].unique().tolist()
    ['high_end', 'regular']
    """
    if source == "auto":
        return read_cohorts() if simulated else _by_year(contracts)
    if not source:
        return CohortSeries(pd.DataFrame(), 0, reason=message("lifetime.cohorts_none"))
    return read_cohorts(source)


def _by_year(contracts: CheckedContracts) -> CohortSeries:
    """Contracts by the year they began in, as long as all of a year have been observed."""
    if contracts.start is None:
        return CohortSeries(pd.DataFrame(), 0, reason=message("lifetime.cohorts_need_start"))
    parts = []
    for year, rows in contracts.duration.groupby(contracts.start.dt.year):
        left = contracts.event[rows.index]
        if left.all():  # nobody says how long the last one could have been seen
            continue
        periods = np.arange(int(rows[~left].min()) + 1)
        kept = [int((~(left & (rows <= period))).sum()) for period in periods]
        if len(rows) >= _SMALLEST and periods.size > 3 and kept[-1] < kept[0]:
            parts.append(pd.DataFrame({"cohort": str(year), "period": periods, "customers": kept}))
    if not parts:
        why = message("lifetime.cohorts_too_small", customers=_SMALLEST)
        return CohortSeries(pd.DataFrame(), 0, reason=why)
    frame = pd.concat(parts, ignore_index=True)
    fitted = max(2, int(2 * frame.groupby("cohort")["period"].max().min() // 3))
    return CohortSeries(frame, fitted, contracts.columns.periods_per_year)


_SMALLEST = 20  # customers of a cohort worth a curve
