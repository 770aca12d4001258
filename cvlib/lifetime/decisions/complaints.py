"""Complaints and word of mouth: what silent leavers cost, as arithmetic on judged rates"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.results import Finding
from cvlib.words.message import message


@dataclass(frozen=True)
class ComplaintRates:
    """Rates that no complaint file holds; all of them judged.

    Parameters
    ----------
    share_complaining : float
        Of the dissatisfied, above 0 (.05 [M]).
    leave_silent, leave_unresolved, leave_resolved : float
        Share who leave: without complaining, complaint not solved, complaint solved.
    share_resolved : float
        Of the complaints.
    leave_anyway : float
        Share of customers who leave without any reason to complain.
    people_told : float
        By each dissatisfied customer (9 [M]).
    share_deterred : float
        Of the people told.

    Raises
    ------
    InputError
        A share outside 0 to 1.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.ComplaintRates().share_complaining
    0.05
    """

    share_complaining: float = 0.05
    leave_silent: float = 0.6
    leave_unresolved: float = 0.5
    leave_resolved: float = 0.15
    share_resolved: float = 0.5
    leave_anyway: float = 0.1
    people_told: float = 9.0
    share_deterred: float = 0.01

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "people_told":
                number(each.name, value, 0)
            else:
                number(each.name, value, 0, 1, ends="(]" if "complaining" in each.name else "[]")


def customers_at_stake(complaints: float, rates: ComplaintRates) -> dict[str, float]:
    """Dissatisfied, lost and deterred customers behind so many complaints.

    D = n ÷ c; lost = (D − n)(q_silent − q₀) + n[(1 − ρ) q_un + ρ q_res − q₀]; deterred = D · told ·
    share deterred.

    Parameters
    ----------
    complaints : float
        n.
    rates : ComplaintRates
        Judged.

    Returns
    -------
    dict
        dissatisfied, customers_lost, customers_deterred, saved_per_point (customers kept by one
        point more of complaints solved).
    """
    r = rates
    dissatisfied = complaints / r.share_complaining
    after = (1 - r.share_resolved) * r.leave_unresolved + r.share_resolved * r.leave_resolved
    silent = (dissatisfied - complaints) * (r.leave_silent - r.leave_anyway)
    return {
        "dissatisfied": dissatisfied,
        "customers_lost": silent + complaints * (after - r.leave_anyway),
        "customers_deterred": dissatisfied * r.people_told * r.share_deterred,
        "saved_per_point": complaints * (r.leave_unresolved - r.leave_resolved) / 100,
    }


def complaint_cost(
    complaints: float, claim: float = 5e6, clv: float = 0.0, rates: ComplaintRates | None = None
) -> Finding:
    """What complaints stand for, and from which lifetime value a claimed loss holds.

    Parameters
    ----------
    complaints : float
        Number in the period, above 0.
    claim : float
        Loss that is claimed, in money ("100 complaints = 5 million").
    clv : float
        Lifetime value of a customer; 0: not given.
    rates : ComplaintRates, optional
        Judged rates.

    Returns
    -------
    Finding
        complaint_facts: measure, value. complaint_surface: share_complaining, clv_needed (without
        word of mouth), clv_needed_with.

    Raises
    ------
    InputError
        Complaints or the claim not above 0.

    Examples
    --------
    >>> import cvlib as cv
    >>> round(cv.lifetime.complaint_cost(100).facts["clv_needed_with"], 2)
    4338.39
    """
    number("complaints", complaints, 0, ends="()")
    number("claim", claim, 0, ends="()")
    number("clv", clv, 0)
    given = rates or ComplaintRates()
    facts = customers_at_stake(complaints, given)
    facts |= _needed(facts, claim)
    shares = sorted({0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, given.share_complaining})
    rows = []
    for share in shares:
        changed = {**vars(given), "share_complaining": share}
        found = customers_at_stake(complaints, ComplaintRates(**changed))
        rows.append({"share_complaining": share, **_needed(found, claim)})
    needed = facts["clv_needed_with"]
    least, most = rows[0]["clv_needed_with"], rows[-1]["clv_needed_with"]
    if np.isnan(needed):
        said = message("decisions.complaints_none", complaints=complaints)
    else:
        kind = "" if not clv else "_holds" if clv >= needed else "_fails"
        said = message(
            f"decisions.complaints{kind}", complaints=complaints, claim=claim, needed=needed,
            low=least, high=most, lost=facts["customers_lost"], clv=clv,
            deterred=facts["customers_deterred"],
        )  # fmt: skip
    if clv:
        facts["cost"] = clv * (facts["customers_lost"] + facts["customers_deterred"])
    table = pd.DataFrame({"measure": list(facts), "value": list(facts.values())})
    found_tables = {"complaint_facts": table, "complaint_surface": pd.DataFrame(rows)}
    return Finding(found_tables, said, (message("decisions.complaints_judged"),), facts)


def _needed(facts: dict[str, float], claim: float) -> dict[str, float]:
    lost, deterred = facts["customers_lost"], facts["customers_deterred"]
    return {
        "clv_needed": claim / lost if lost > 0 else np.nan,
        "clv_needed_with": claim / (lost + deterred) if lost + deterred > 0 else np.nan,
    }


def word_of_mouth(
    satisfied: float, base: float, growth: float, deals: float = 8, told: float = 25,
    dissatisfied: float = 0.0,
) -> dict[str, float]:  # fmt: skip
    """What "8 deals per satisfied, 25 people per dissatisfied" would need to be true.

    Parameters
    ----------
    satisfied, dissatisfied : float
        Customers.
    base : float
        Customers in all.
    growth : float
        Growth of the base that was seen or is wanted, a share.
    deals, told : float
        The claim's numbers.

    Returns
    -------
    dict
        conversion_that_gives_it (growth × base ÷ (deals × satisfied)), growth_if_every_deal_closes,
        ratio_of_conversions_at_which_both_cancel (deterred per person told ÷ won per deal: told ×
        that ratio = deals, for one of each).
    """
    number("satisfied", satisfied, 0, ends="()")
    number("base", base, 0, ends="()")
    number("told", told, 0, ends="()")
    number("dissatisfied", dissatisfied, 0)
    return {
        "conversion_that_gives_it": growth * base / (deals * satisfied),
        "growth_if_every_deal_closes": deals * satisfied / base,
        "ratio_of_conversions_at_which_both_cancel": (
            told * dissatisfied / (deals * satisfied) if dissatisfied else deals / told
        ),
    }
