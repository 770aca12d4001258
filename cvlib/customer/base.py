"""One customer base: customers, who of them answered, what was known before, what came after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.readers import Table
from cvlib.results import Result
from cvlib.satisfaction.sentences import print_names
from cvlib.satisfaction.survey.missing import Survey

Array = np.ndarray
LATE_SHARE = 0.01  # of respondents; more answers than this after the event are no accident [P]


class Again(NamedTuple):
    """Second interviews of customers who were asked again.

    Attributes
    ----------
    values : ndarray (q, p)
        Answers.
    place : ndarray (q,)
        Of whom: positions among the respondents.
    duration, left : ndarray (q,)
        Whole periods from the second interview, and whether the customer left.
    """

    values: Array
    place: Array
    duration: Array
    left: Array


@dataclass(frozen=True, eq=False, repr=False)
class CustomerBase(Result):
    """Customers, who of them answered, what was known before, and what came after.

    Attributes
    ----------
    join_audit : DataFrame
        what, count, share.
    survey : Survey
        Answers of the m respondents in the link, bound to the model.
    ids : Index (n,)
        All customers at risk at the interview (or at its median day).
    answered : ndarray of bool (n,)
    known, controls : DataFrame (n, q), (n, k)
        What may explain answering, and leaving.
    duration, left : ndarray (m,)
        Whole periods from the own interview, and whether the customer left.
    outcomes : DataFrame (m, ...)
        fee, service_cost, referrals, as far as the contracts name them.
    before : DataFrame (m, ...)
        Logs of fee_before and service_cost_before, as far as the attributes name them.
    segment : Series (n,) or None
    dated : bool
        Whether the survey says when each was interviewed.
    late : int
        Respondents who answered after leaving.
    asked : int
        Respondents with behaviour.
    all_answers : DataFrame
        Answers and outcome of every respondent, late ones too, for the gate.
    simulated : bool
    tables_read : tuple of (str, Table)
    warnings : tuple of str
    kind : {"contract", "transactions"}
        Of transactions `left` says that nothing was bought after the interview, `duration` is 1.
    histories, past : DataFrame (m, 3)
        x, t_x, T in weeks, of transactions: to the end of observation, and to the interview.
    year : int
        Periods within which risks are printed: 12 months, or the window after the interview.
    customer : str
        Column of the id.
    asked_on : Series (m,)
        Day of each interview.
    window : float
        Months observed after the interviews.
    again : Again or None
        Second interviews, where many customers have two.
    instrument : ndarray (m,) or None
        What moves satisfaction and nothing else, where the plan names it.
    """

    join_audit: pd.DataFrame
    survey: Survey
    ids: pd.Index
    answered: Array
    known: pd.DataFrame
    controls: pd.DataFrame
    duration: Array
    left: Array
    outcomes: pd.DataFrame
    before: pd.DataFrame
    segment: pd.Series | None
    dated: bool
    late: int
    asked: int
    refuse_late: bool
    simulated: bool
    tables_read: tuple[tuple[str, Table], ...]
    warnings: tuple[str, ...] = ()
    kind: str = "contract"
    histories: pd.DataFrame | None = None
    past: pd.DataFrame | None = None
    year: int = 12
    customer: str = "id"
    asked_on: pd.Series | None = None
    window: float = 0.0
    again: Again | None = None
    instrument: Array | None = None
    headline_tables = ("join_audit",)

    def noted_in(self, record: Any) -> None:
        """Note in a notebook's record every file and what constructs are called."""
        record.names(print_names([self.survey.model], record.language))
        for name, table in self.tables_read:
            record.used(name, table.source, table.sha256, len(table.data))

    @property
    def respondents(self) -> Array:
        """(m,) positions among all customers."""
        return np.flatnonzero(self.answered)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The audit; what belongs to single customers is no table of a report."""
        return {"join_audit": self.join_audit}

    @property
    def too_late(self) -> bool:
        """Whether answers given after leaving withhold every number in money."""
        return self.refuse_late and self.late > LATE_SHARE * self.asked
