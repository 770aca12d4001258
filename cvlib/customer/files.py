"""What a customer study reads, and what joins and orders it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from cvlib.inputs.readers import AS_IT_IS, Reading, Table, load_table
from cvlib.satisfaction.survey.settings import Columns


@dataclass(frozen=True)
class Files:
    """The files of a customer study: names of the catalogue, paths, or tables.

    Parameters
    ----------
    survey, contracts : str, DataFrame or Table
        Answers, and contracts with start, end, fee; contracts blank where there are transactions.
    attributes : str, DataFrame or Table
        Of all customers, before the interview; blank for none.
    costs : str, DataFrame or Table
        construct, points, once, per_period: what improving a driver costs; blank for none.
    reading : Reading
        What files do not say themselves.
    transactions : str, DataFrame or Table
        One row per purchase with date and amount, in place of contracts; blank for none.
    campaign : str, DataFrame or Table
        id, date, treated, cost of a campaign that called some and not others; blank for none.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.Files("answers.csv", "contracts.csv").attributes
    ''
    """

    survey: str | pd.DataFrame | Table
    contracts: str | pd.DataFrame | Table = ""
    attributes: str | pd.DataFrame | Table = ""
    costs: str | pd.DataFrame | Table = ""
    reading: Reading = AS_IT_IS
    transactions: str | pd.DataFrame | Table = ""
    campaign: str | pd.DataFrame | Table = ""

    @property
    def opened_costs(self) -> str | pd.DataFrame | Table:
        """The costs as a table, read as the other files are; blank where there are none."""
        table = self.open("costs")
        return "" if table is None else table

    def open(self, name: str) -> Table | None:
        """One of the files as a table; None where it is blank."""
        given = getattr(self, name)
        if isinstance(given, str) and not given:
            return None
        if not isinstance(given, str):
            return load_table(given)
        r = self.reading
        return load_table(
            given, sheet=r.sheet, header_row=r.header_row, encoding=r.encoding, decimal=r.decimal
        )


@dataclass(frozen=True)
class Plan:
    """What joins and orders the files.

    Parameters
    ----------
    customer, interview : str
        Columns of the id and of the day of the interview.
    model : str
        A satisfaction model.
    reference_date : str
        Day of all interviews where the survey names none; blank: their column says it.
    holdout_end : str
        Last day of observation; blank: the last date of the contracts or transactions.
    controls : sequence of str
        Attributes that explain leaving beside satisfaction; ``log usage`` takes logs, ``tenure``
        is counted from the start of the contract. ("auto",): log tenure (of transactions: log of 1
        + purchases, and the share of time since the last one) and every number.
    answering : sequence of str
        What may explain who answered; empty: the controls.
    segment : str
        Attribute by which values are shown; blank for none.
    late_answers : {"refuse", "leave_out"}
        Whether answers given after leaving withhold the answer, or are taken out and said so.
    kind : {"auto", "contract", "transactions"}
        What customers do; auto: by the file that is given.
    columns : Columns
        How the model's items are found among the survey's columns, and the scale of its answers.
    instrument : str
        Attribute that moves satisfaction and leaving only through it; blank for none. It is no
        control.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.Plan(model="ecsi").interview
    'interviewed_on'
    """

    customer: str = "id"
    interview: str = "interviewed_on"
    model: str = "ecsi"
    reference_date: str = ""
    holdout_end: str = ""
    controls: Sequence[str] = ("auto",)
    answering: Sequence[str] = ()
    segment: str = ""
    late_answers: str = "refuse"
    kind: str = "auto"
    columns: Columns = field(default_factory=Columns)
    instrument: str = ""
