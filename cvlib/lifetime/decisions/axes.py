"""Three axes, and past plus future: eight telecom segments, grades by spend, Hwang"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.errors import InputError
from cvlib.results import Finding
from cvlib.statistics.classes import by_number
from cvlib.statistics.ranks import kendall_tau
from cvlib.words.message import message

GRADES = {
    "diamond": 0.01, "gold": 0.04, "silver": 0.15, "valued": 0.30, "common": 0.50,
}  # fmt: skip


def eight_segments(
    current: Sequence[float], potential: Sequence[float], loyalty: Sequence[float]
) -> Finding:
    """Customers high or low on current value, potential and loyalty (1 − churn): always eight rows.

    High is above the median; ties are low.

    Parameters
    ----------
    current, potential, loyalty : sequence of float
        Of the same customers, in the same order.

    Returns
    -------
    Finding
        eight_segments: segment (as HLH, in the order current, potential, loyalty), customers,
        share, current, potential, loyalty (means; empty without customers).

    Raises
    ------
    InputError
        Lengths that differ, a missing value.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.eight_segments([1, 2, 3], [3, 1, 2], [0.9, 0.8, 0.7])
    >>> len(found["eight_segments"])
    8
    """
    axes = [np.asarray(each, dtype=float) for each in (current, potential, loyalty)]
    if len({len(axis) for axis in axes}) > 1 or not len(axes[0]):
        raise InputError(
            "axes",
            message("refusals.are_of_different_lengths_or"),
            message("refusals.give_one_value_a_customer"),
        )
    if any(np.isnan(axis).any() for axis in axes):
        raise InputError(
            "axes",
            message("refusals.have_missing_values"),
            message("refusals.leave_those_customers_out"),
        )
    middle = [float(np.median(axis)) for axis in axes]
    high = [axis > at for axis, at in zip(axes, middle, strict=True)]
    names = np.array(["".join("HL"[0 if h[k] else 1] for h in high) for k in range(len(axes[0]))])
    rows = []
    for letters in product("HL", repeat=3):
        at = names == "".join(letters)
        means = [float(axis[at].mean()) if at.any() else np.nan for axis in axes]
        row = dict(zip(("current", "potential", "loyalty"), means, strict=True))
        rows.append({"segment": "".join(letters), "customers": int(at.sum()),
                     "share": float(at.mean()), **row})  # fmt: skip
    table = pd.DataFrame(rows)
    keep = table.set_index("segment").loc[["HHL", "HLL"]]
    said = message(
        "decisions.eight", risk=int(keep["customers"].sum()), share=float(keep["share"].sum()),
        held=float(axes[0][np.isin(names, ["HHL", "HLL"])].sum() / axes[0].sum())
        if axes[0].sum() else 0.0,
    )  # fmt: skip
    return Finding({"eight_segments": table}, said, (), {"segment": names, "medians": middle})


def spend_grades(
    spend: Sequence[float], potential: Sequence[float], cutoffs: Sequence[float] = ()
) -> Finding:
    """Grades by revenue per user, and how little they say of potential.

    Parameters
    ----------
    spend, potential : sequence of float
        Of the same customers.
    cutoffs : sequence of four float
        Least spend of diamond, gold, silver and valued; blank: shares .01, .04, .15, .30, .50 [P].

    Returns
    -------
    Finding
        spend_grades: grade, customers, share, current, potential (means).

    Raises
    ------
    InputError
        Cut-offs that do not fall.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.spend_grades([9, 5, 1], [1, 2, 3], [8, 6, 4, 2]).facts["tau"]
    -1.0
    """
    values, chance = np.asarray(spend, dtype=float), np.asarray(potential, dtype=float)
    if cutoffs:
        if len(cutoffs) != 4 or any(a <= b for a, b in pairwise(cutoffs)):
            raise InputError(
                "cutoffs",
                message("refusals.are_not_four_numbers_that"),
                message("refusals.mend_them"),
            )
        level = (values[:, None] < np.asarray(cutoffs, dtype=float)).sum(axis=1)
    else:
        level = by_number(values, list(GRADES.values()))
    rows = [
        {"grade": name, "customers": int((level == k).sum()), "share": float((level == k).mean()),
         "current": float(values[level == k].mean()) if (level == k).any() else np.nan,
         "potential": float(chance[level == k].mean()) if (level == k).any() else np.nan}
        for k, name in enumerate(GRADES)
    ]  # fmt: skip
    tau = float(kendall_tau(-np.asarray(level, dtype=float), chance))
    kind = "none" if np.isnan(tau) else "weak" if tau < 0.3 else "strong"
    said = message(f"decisions.grades_{kind}", tau=tau, customers=len(values))
    return Finding({"spend_grades": pd.DataFrame(rows)}, said, (), {"tau": tau})


def past_and_future_value(
    past: Sequence[float], future: float, potential: float, months_left: float, rate: float
) -> dict[str, float]:
    """Lifetime value of Hwang, Jung & Suh (2004): past profit compounded, future discounted.

    Σ_{t ≤ N} π(t)(1 + d)^{N−t} + Σ_{s=1}^{E+1} (π_f + B) ÷ (1 + d)^s, E = 1 ÷ churn [M: the + 1].

    Parameters
    ----------
    past : sequence of float
        Profit by period, the oldest first.
    future, potential : float
        Profit per period to come, and potential benefit B.
    months_left : float
        E, expected periods left; rounded down to whole ones.
    rate : float
        d, per period.

    Returns
    -------
    dict
        past_value, future_value, value.
    """
    number("rate", rate, 0, ends="[)")
    number("months_left", months_left, 0, ends="[)")
    gone = np.arange(len(past))[::-1]
    earned = float((np.asarray(past, dtype=float) * (1 + rate) ** gone).sum())
    to_come = (1 + rate) ** -np.arange(1.0, int(months_left) + 2)
    expected = float((future + potential) * to_come.sum())
    return {"past_value": earned, "future_value": expected, "value": earned + expected}
