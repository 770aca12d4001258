"""What a rise of satisfaction or of its drivers would be worth: sliders of a report."""

from __future__ import annotations

import pandas as pd

from cvlib.customer.answers import adds_nothing
from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex
from cvlib.customer.value import PointValue
from cvlib.satisfaction.headline import label
from cvlib.satisfaction.index import default_target
from cvlib.words.message import message
from cvlib.words.money import currency
from cvlib.words.what_if import COLUMNS, Lever, Outcome, WhatIf

_MOST = 10


def what_if(base: CustomerBase, index: CustomerIndex, value: PointValue) -> WhatIf | None:
    """What a rise of satisfaction would be worth, exactly, and a lever for each driver.

    Of transactions a lever for satisfaction too, by the value of one point.

    Parameters
    ----------
    base, index, value : CustomerBase, CustomerIndex, PointValue
        The steps of the study.

    Returns
    -------
    WhatIf or None
        Effects of one point are those of the tables of values and of drivers; None where the gate
        is closed or a point adds nothing measurable.

    Raises
    ------
    InputError
        Effects in which a pair of source and target stands twice.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.customer.study(cv.customer.simulate(900, seed=1), draws=0)
    >>> [lever.name for lever in cv.customer.what_if(found.base, found.index, found.value).levers]
    ['quality', 'image']
    """
    if value.withheld or adds_nothing(value):
        return None
    model = base.survey.model
    target = default_target(model)
    whole = value.row("total")
    score = float(index.weights @ index.scores / index.weights.sum())
    rows: list[tuple[object, ...]] = [
        (target, "customer", whole["per_customer"], whole["lower"], whole["upper"])
    ]
    for _, row in value.drivers_to_money.iterrows():
        rows.append((row["driver"], "customer", row["money_per_point"], row["lower"],
                     row["upper"]))  # fmt: skip
    rows += [(lever, "base", *(float(v) * value.customers for v in numbers))  # type: ignore[arg-type]
             for lever, _, *numbers in list(rows)]  # fmt: skip
    exact = value.flows is not None
    if exact:  # the page computes what a rise of satisfaction is worth from its streams
        rows = [row for row in rows if row[0] != target]
    room = max(0, min(_MOST, int(100 - score)))
    levers = [] if exact else [Lever(target, label(model, target), room)]
    levers += [Lever(name, label(model, name), _MOST) for name in value.drivers_to_money["driver"]]
    now, paid = value.fact("value of a customer now"), currency()
    return WhatIf(
        tuple(levers),
        (
            Outcome("customer", message("customer.what_if_customer"), now, paid, 2, 2),
            Outcome("base", message("customer.what_if_base"), now * value.customers, paid, 0, 0),
        ),
        pd.DataFrame(rows, columns=list(COLUMNS)),
        message("customer.what_if_exact" if exact else "customer.what_if_limits"),
        value.flows,
    )
