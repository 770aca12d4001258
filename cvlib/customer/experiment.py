"""Whom to call, when some were called and some not: lift by two models, Qini, profit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.defaults import settled
from cvlib.customer.files import Files, Plan
from cvlib.customer.index import CustomerIndex
from cvlib.customer.joining import by_id, dates, headed, months
from cvlib.customer.links import Worth, present_value
from cvlib.customer.value import SatisfactionLink
from cvlib.inputs.checks import fault, numeric
from cvlib.inputs.columns import within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import Table
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.results import Result
from cvlib.statistics.resample import Bootstrap, generator
from cvlib.statistics.uplift import qini
from cvlib.words.message import message

Array = np.ndarray
_FOLDS, _FEWEST = 5, 50


@dataclass(frozen=True, eq=False, repr=False)
class Experiment(Result):
    """What a campaign with customers who were called and others who were not tells.

    Attributes
    ----------
    experiment : DataFrame
        order, qini, lower, upper, called (customers within capacity), profit (of calling them).
    lift : DataFrame
        id, lift (chance of leaving that a call takes away), value, gain; largest gain first.
    people : int
        Customers in it.
    """

    experiment: pd.DataFrame
    lift: pd.DataFrame
    people: int
    headline_tables = ("experiment",)

    def sentences(self) -> list[str]:
        """Whom to call first, or that the experiment cannot tell."""
        row = self.experiment.set_index("order").loc["lift times value"]
        if not row["lower"] > 0:
            return [message("customer.lift_unclear", people=self.people, low=row["lower"],
                            high=row["upper"])]  # fmt: skip
        return [message("customer.call_first", called=int(row["called"]), profit=row["profit"],
                        qini=row["qini"], low=row["lower"], high=row["upper"])]  # fmt: skip


def experiment(
    base: CustomerBase,
    index: CustomerIndex,
    linked: SatisfactionLink,
    campaign: Table,
    worth: Worth | None = None,
    contact_cost: float = 1.0,
    capacity: int = 0,
    settings: Bootstrap | None = None,
) -> Experiment:
    """Who gains from a call: the difference of two models of leaving, called and not called.

    Parameters
    ----------
    base, index, linked : CustomerBase, CustomerIndex, SatisfactionLink
        The steps before, of a base of contracts.
    campaign : Table
        id, date, treated (0 or 1, assigned at random), and cost of a call where it is known.
    worth : Worth, optional
        Of the study.
    contact_cost : float
        Of a call, where the table has no cost.
    capacity : int
        Calls that can be made; 0: no limit.
    settings : Bootstrap, optional
        Of the Qini coefficient, within arms.

    Returns
    -------
    Experiment
        Lift is foretold for customers whom neither model has seen.

    Raises
    ------
    InputError
        Treated other than 0 and 1, fewer than 50 customers or no leaver in an arm.

    References
    ----------
    Ascarza (2018), Journal of Marketing Research 55:80-98; Künzel et al. (2019), PNAS
    116:4156-4165 (T-learner); Radcliffe (2007), Direct Marketing Analytics Journal 1:14-21.

    Examples
    --------
    >>> import cvlib as cv
    >>> from cvlib.inputs.readers import load_table
    >>> made = cv.customer.simulate(3000, seed=101)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> calls = made.survey[["id"]].assign(date="2023-01-01", treated=0)
    >>> calls.loc[::2, "treated"] = 1  # here a call changes nothing
    >>> link, draws = cv.customer.link(base, index), cv.customer.Bootstrap(50)
    >>> found = cv.customer.experiment(base, index, link, load_table(calls), settings=draws)
    >>> "lift" in set(found.experiment["order"])
    True
    """
    found, own = _joined(base, campaign)
    treated, began = own["treated"].to_numpy(float), own["months"].to_numpy(float)
    duration = base.duration[found] - began
    usable = duration >= 1
    found, treated, duration = found[usable], treated[usable], duration[usable]
    left = base.left[found]
    for arm, name in ((1, "treated"), (0, "not treated")):
        inside = treated == arm
        if inside.sum() < _FEWEST or not left[inside].any():
            raise InputError(
                campaign.place("treated"),
                message(
                    "refusals.followed_customers_were_of_them",
                    n=int(inside.sum()),
                    name=name,
                    n_2=int(left[inside].sum()),
                ),
                message("refusals.an_arm_needs_customers_and", fewest=_FEWEST),
            )
    x = np.column_stack([index.scores, base.controls.to_numpy(float)[base.answered]])[found]
    fold = generator(3, len(x)).permutation(len(x)) % _FOLDS
    window, model = int(duration.max()), linked.found.leaving.model
    gone = np.zeros((2, len(x)))
    for k in range(_FOLDS):
        for arm in (0, 1):
            seen = (fold != k) & (treated == arm)
            fit = fit_leaving(model, duration[seen], left[seen], x[seen])
            gone[arm, fold == k] = 1 - fit.survival(x[fold == k], window + 1)[:, -1]
    lift = gone[0] - gone[1]
    value = present_value(linked.found, worth or Worth())[found]
    cost = own["cost"].to_numpy(float)[usable] if "cost" in own else np.full(len(x), contact_cost)
    gain = lift * value - cost
    orders = {"lift times value": gain, "lift": lift, "risk": gone[0],
              "value at risk": gone[0] * value,
              "least satisfied": -index.scores[found]}  # fmt: skip
    rows = []
    for name, score in orders.items():
        curve = qini((~left).astype(float), treated, score, settings or Bootstrap(200))
        order = np.argsort(-score, kind="stable")[: capacity or None]
        if name.startswith("lift"):
            order = order[gain[order] > 0]
        rows.append((name, curve.coefficient, curve.ci_low, curve.ci_high, len(order),
                     float(gain[order].sum())))  # fmt: skip
    listing = pd.DataFrame({"id": base.ids[base.answered][found], "lift": lift, "value": value,
                            "gain": gain})  # fmt: skip
    return Experiment(
        pd.DataFrame(rows, columns=["order", "qini", "lower", "upper", "called", "profit"]),
        listing.sort_values("gain", ascending=False, kind="stable", ignore_index=True), len(x),
    )  # fmt: skip


def tried(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, files: Files,
    worth: Worth | None = None, contact_cost: float = 1.0, capacity: int = 0,
    settings: Bootstrap | None = None,
) -> Experiment | None:  # fmt: skip
    """`experiment` with the campaign of a study's files; None without one or without contracts."""
    table = settled(files, Plan())[0].open("campaign")
    if table is None or base.kind == "transactions":
        return None
    return experiment(base, index, linked, table, worth, contact_cost, capacity, settings)


def _joined(base: CustomerBase, campaign: Table) -> tuple[Array, pd.DataFrame]:
    """Places among the respondents of those in the campaign, and their rows of it."""
    notes: list[str] = []
    wanted = ["date", "treated", "cost"]
    table, _ = by_id(headed(campaign, base.customer, wanted), base.customer)
    treated = numeric(table, "treated")[0]
    wrong = ~treated.isin((0, 1))
    if wrong.any():
        raise fault(table, "treated", wrong, message("refusals.is_neither_nor", value="{value}"),
                    message("refusals.write_for_who_was_called"))  # fmt: skip
    day = dates(table, "date", notes)
    rows = pd.DataFrame({"treated": treated.to_numpy(float), "day": day.to_numpy()},
                        index=table.data[base.customer])  # fmt: skip
    if "cost" in table.data:
        rows["cost"] = within(table, "cost", missing=True).to_numpy(float)
    people = base.ids[base.answered]
    found = np.flatnonzero(people.isin(rows.index))
    if not len(found):
        raise InputError(
            campaign.source,
            message("refusals.names_no_customer_in_the"),
            message("refusals.use_the_same_ids"),
        )
    own = rows.loc[people[found]]
    assert base.asked_on is not None
    own = own.assign(months=(months(own["day"]) - months(base.asked_on.loc[own.index])).clip(0))
    return found, own
