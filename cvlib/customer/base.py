"""A survey, contracts and attributes as one customer base: joined by id, each clock its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cvlib.customer.defaults import settled
from cvlib.customer.files import Files, Plan
from cvlib.customer.joining import (
    by_id,
    column,
    dates,
    day_of,
    features,
    followed,
    interviews,
    known_of_all,
    months,
)
from cvlib.inputs.checks import fault, numeric
from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.results import Result
from cvlib.satisfaction.survey.missing import Survey
from cvlib.words.message import message

Array = np.ndarray
_LATE_SHARE = 0.01  # of respondents; more answers than this after the event are no accident [P]


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
    window : float
        Months observed after the interviews.
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
    window: float = 0.0
    headline_tables = ("join_audit",)

    def noted_in(self, record: Any) -> None:
        """Note every file, its hash and rows in a notebook's record."""
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
        return self.refuse_late and self.late > _LATE_SHARE * self.asked


def join(files: Files, plan: Plan | None = None) -> CustomerBase:
    """Read the files of a study and join them by customer, each respondent's clock his own.

    Parameters
    ----------
    files : Files
        Survey, contracts or transactions, attributes, costs.
    plan : Plan, optional
        Columns, model and controls.

    Returns
    -------
    CustomerBase
        With the audit of the join.

    Raises
    ------
    InputError
        A missing column, no customer in both files, a control that is no attribute.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(400, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> base.dated, base.late
    (True, 0)
    """
    files, plan, left_out = settled(files, plan or Plan())
    one_of("late_answers", plan.late_answers, ("refuse", "leave_out"))
    if _kind(files, plan) == "transactions":
        from cvlib.customer.bought import join_purchases

        return join_purchases(files, plan, list(left_out))
    return _join_contracts(files, plan, list(left_out))


def _kind(files: Files, plan: Plan) -> str:
    """contract or transactions, by what is given where it is not said."""
    one_of("kind", plan.kind, ("auto", "contract", "transactions"))
    given = [
        kind
        for kind, file in (("contract", files.contracts), ("transactions", files.transactions))
        if not isinstance(file, str) or file
    ]
    if plan.kind == "auto" and len(given) == 2:
        raise InputError("kind", "is auto, but contracts and transactions are both given",
                         "Say contract or transactions, or give one of the files.")  # fmt: skip
    if not given or plan.kind not in ("auto", *given):
        name = "transactions" if plan.kind == "transactions" else "contracts"
        raise InputError(name, "is blank", "A study needs contracts or transactions.")
    return given[0] if plan.kind == "auto" else plan.kind


def _join_contracts(files: Files, plan: Plan, notes: list[str]) -> CustomerBase:
    opened = [(name, files.open(name)) for name in ("survey", "contracts", "attributes")]
    read = tuple((name, table) for name, table in opened if table is not None)
    survey, twice = by_id(dict(read)["survey"], plan.customer)
    contracts, doubled = by_id(dict(read)["contracts"], plan.customer)
    start = dates(contracts, column(contracts, "start"), notes)
    if start.isna().any():
        raise fault(contracts, "start", start.isna(), "is a contract without a first day",
                    "Fill in the date.")  # fmt: skip
    end = dates(contracts, column(contracts, "end"), notes)
    wrong = end < start
    if wrong.any():
        raise fault(contracts, "end", wrong, "{value} is before the contract's first day",
                    "Correct the date.")  # fmt: skip
    ids = pd.Index(contracts.data[plan.customer])
    life = pd.DataFrame({"start": start.to_numpy(), "end": end.to_numpy()}, index=ids)
    until = day_of(plan.holdout_end, "holdout_end", max(start.max(), end.max()))
    life["end"] = life["end"].where(life["end"] <= until)
    day, dated = interviews(survey, plan, notes)
    asked = pd.Series(day.to_numpy(), index=pd.Index(survey.data[plan.customer]))
    both = asked.index.isin(ids)
    if not both.any():
        raise InputError(
            survey.source, f"no {plan.customer} of the survey is one of {contracts.source}",
            "Both files need the same ids.",
        )  # fmt: skip
    own = asked[both]
    mine = life.loc[own.index]
    late = (mine["end"] <= own).to_numpy()
    outside = ~late & ((own > until) | (mine["start"] > own)).to_numpy()
    attributes, at, dropped = known_of_all(dict(read).get("attributes"), plan, ids, notes)
    newer = (at.reindex(own.index) > own).to_numpy() & ~late & ~outside
    middle = pd.Timestamp(own.sort_values().iloc[len(own) // 2])
    clock = own.reindex(ids).fillna(middle)
    gone = ((life["end"] <= clock) | (life["start"] > clock)) & ~pd.Series(
        np.isin(ids, own.index), index=ids
    )
    attributes = attributes.assign(
        tenure=np.maximum(months(clock) - months(life["start"]), 1).to_numpy(float)
    )
    spare = {"fee_before", "service_cost_before"}
    controls = features(attributes, plan.controls, spare)
    known = features(attributes, plan.answering, spare) if plan.answering else controls
    answers, base, answered = followed(
        survey, plan, own, ~late & ~outside & ~newer, gone, controls, known
    )
    order = base[answered]
    mine, when = life.loc[order], asked.loc[order]
    left = mine["end"].notna().to_numpy()
    last = mine["end"].fillna(until)
    duration = (months(last) - months(when) + 1).to_numpy(float)
    paid = contracts.data.set_index(plan.customer)
    outcomes = pd.DataFrame(
        {
            name: numeric(contracts, name)[0].set_axis(ids).loc[order].to_numpy(float)
            for name in ("fee", "service_cost", "referrals")
            if name in paid
        },
        index=order,
    )
    before = pd.DataFrame(
        {
            name: np.log(pd.to_numeric(attributes[name], errors="coerce").where(lambda v: v > 0))
            for name in sorted(spare & set(attributes))
        },
        index=ids,
    ).loc[order]
    if "fee" not in outcomes:
        raise InputError(contracts.place("fee"), "there is no such column",
                         "A column fee says what each customer pays per month.")  # fmt: skip
    counted = [
        ("customers in the contracts", len(ids)),
        ("respondents", len(asked)),
        ("respondents without behaviour", int((~both).sum())),
        ("customers without an interview", int((~np.isin(ids, own.index)).sum())),
        ("gone or not yet there at the interviews", int(gone.sum())),
        ("duplicates, the latest kept", twice + doubled + dropped),
        ("interviewed after leaving", int(late.sum())),
        ("interviewed outside the contract or the window", int(outside.sum())),
        ("attributes dated after the interview", int(newer.sum())),
        ("incomplete answers or attributes", int((~late & ~outside & ~newer).sum() - len(order))),
        ("respondents in the link", len(order)),
    ]
    audit = pd.DataFrame(counted, columns=["what", "count"])
    if len(order) < 50 or left.sum() < 10 or left.all():
        raise InputError(
            contracts.source, f"{len(order)} respondents can be followed and {int(left.sum())} of "
            "them left: too few", "A link needs 50 respondents and 10 who left, and some who stay.",
        )  # fmt: skip
    told = [] if dated else [message("customer.undated")]
    simulated = any("simulated" in t.source for _, t in read)
    return CustomerBase(
        audit.assign(share=audit["count"] / len(ids)), answers, base, answered,
        known.loc[base], controls.loc[base], duration, left, outcomes, before,
        attributes[plan.segment].loc[base].astype(str) if plan.segment else None,
        dated, int(late.sum()), len(own), plan.late_answers == "refuse", simulated, read,
        (*notes, *told, *answers.warnings), window=float(duration.max()),
    )  # fmt: skip
