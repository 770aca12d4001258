"""The gate: may satisfaction have been written down after the outcome it is to explain?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.bought import CONTROLS
from cvlib.results import Result
from cvlib.statistics.separation import SUSPECT, WARNING, area, separation, tenths
from cvlib.words.message import Message, message


@dataclass(frozen=True, eq=False, repr=False)
class TimeOrder(Result):
    """What the order of answers and outcomes allows.

    Attributes
    ----------
    time_order : DataFrame
        check, value, verdict.
    separation : DataFrame
        variable, level, people, happened, share, chance, suspect; suspects first.
    auc : float
        Of the satisfaction index alone against leaving.
    reasons : tuple of str
        Why no number in money is given; empty where the gate is open.
    warnings : tuple of str
    """

    time_order: pd.DataFrame
    separation: pd.DataFrame
    auc: float
    reasons: tuple[Message, ...]
    warnings: tuple[str, ...] = ()
    headline_tables = ("time_order",)

    @property
    def open(self) -> bool:
        """Whether numbers in money may be given."""
        return not self.reasons

    def sentences(self) -> list[str]:
        """Why the answer is withheld, if it is."""
        return [*self.reasons]


def time_order(base: CustomerBase, index: np.ndarray) -> TimeOrder:
    """Check that satisfaction came before leaving, by dates and by odds no cause could bring about.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : ndarray (m,)
        Satisfaction of the respondents.

    Returns
    -------
    TimeOrder
        Open, or closed with reasons.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> cv.customer.time_order(base, cv.customer.index(base).scores).open
    True
    """
    items, model = base.survey.values, base.survey.model
    target = _target(model)
    own = model.slices[model.construct_names.index(target)]
    levels = {
        name: items[:, j] for j, name in enumerate(model.columns) if own.start <= j < own.stop
    }
    levels[f"{target} (tenths)"] = tenths(index)
    controls = base.controls.to_numpy(float)[base.answered]
    for name, values in zip(base.controls.columns, controls.T, strict=True):
        if base.kind == "transactions" and name in CONTROLS:
            continue  # counted from purchases before the interview
        few = len(np.unique(values)) <= 10
        levels[str(name)] = values if few else tenths(values)
    found = separation(levels, base.left)
    curve = area(index, base.left)
    reasons: list[Message] = []
    if base.too_late:
        reasons.append(message("customer.late", late=base.late, asked=base.asked))
    suspects = found[found["suspect"]]
    if len(suspects):
        worst = suspects.sort_values("chance").iloc[0]
        reasons.append(
            message(
                "customer.separated", variable=worst["variable"], level=float(worst["level"]),
                happened=int(worst["happened"]), people=int(worst["people"]), levels=len(suspects),
                overall=float(base.left.mean()),
            )
        )  # fmt: skip
    if curve > SUSPECT:
        reasons.append(message("customer.auc_suspect", auc=curve))
    warnings = [message("customer.auc_warning", auc=curve)] if WARNING < curve <= SUSPECT else []
    if base.late and not base.too_late:
        warnings.append(message("customer.late_left_out", late=base.late, asked=base.asked))
    rows = [
        ("interviews dated", float(base.dated), "passed" if base.dated else "not checked"),
        ("answers given after leaving", float(base.late), "failed" if base.too_late else "passed"),
        ("levels whose odds are out of reach", float(len(suspects)),
         "failed" if len(suspects) else "passed"),
        ("AUC of satisfaction alone", curve,
         "failed" if curve > SUSPECT else "warning" if curve > WARNING else "passed"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["check", "value", "verdict"])
    ordered = found.sort_values("chance", kind="stable", ignore_index=True)
    return TimeOrder(table, ordered, curve, tuple(reasons), tuple(warnings))


def _target(model: object) -> str:
    from cvlib.satisfaction.index import default_target

    return default_target(model)  # type: ignore[arg-type]
