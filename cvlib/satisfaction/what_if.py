"""What an index would do if its drivers rose: linear in the unstandardised total effects."""

from __future__ import annotations

import math

from cvlib.satisfaction.headline import drivers_withheld, index_withheld, label
from cvlib.satisfaction.index import default_target
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.words.message import message
from cvlib.words.what_if import Lever, Outcome, WhatIf

_HIGHEST = 100  # of an index
_MOST = 10  # index points a driver is raised at most
_PER = 5  # points of the impact whose limits the table of impacts states


def index_what_if(result: SatisfactionResult, target: str = "") -> WhatIf | None:
    """Sliders over the drivers of the target: its index and loyalty move as `impacts` states.

    Parameters
    ----------
    result : SatisfactionResult
        Of either estimator.
    target : str
        Construct whose drivers are raised; empty for the model's usual target (satisfaction).

    Returns
    -------
    WhatIf or None
        None where nothing leads to the target, or the drivers may not be told apart.

    Raises
    ------
    InputError
        Effects in which a pair of source and target stands twice.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.pls(cv.load("mobi"), "ecsi_mobile", draws=0)
    >>> [lever.name for lever in cv.satisfaction.index_what_if(found).levers][:2]
    ['image', 'expectation']
    """
    name = target or default_target(result.model)
    impacts = result.impacts
    if not len(impacts) or drivers_withheld(result) or index_withheld(result, name):
        return None
    index = result.index.set_index("construct")["index"]
    drivers = list(impacts.loc[impacts["target"] == name, "source"])
    if not drivers:
        return None
    wanted = [name, *(["loyalty"] if "loyalty" in index.index and name != "loyalty" else [])]
    outcomes = [each for each in wanted if index_withheld(result, each) is None]
    rows = impacts[impacts["source"].isin(drivers) & impacts["target"].isin(outcomes)]
    effects = rows[["source", "target", "impact_1"]].set_axis(
        ["lever", "outcome", "effect"], axis="columns"
    )
    limits = [rows[end] / _PER if end in rows else math.nan for end in ("ci_low", "ci_high")]
    effects = effects.assign(low=limits[0], high=limits[1]).reset_index(drop=True)
    room = {driver: math.floor(_HIGHEST - index[driver]) for driver in drivers}
    return WhatIf(
        tuple(
            Lever(driver, label(result.model, driver), max(0, min(_MOST, room[driver])))
            for driver in drivers
        ),
        tuple(Outcome(each, label(result.model, each), float(index[each])) for each in outcomes),
        effects,
        message("common.what_if_limits"),
    )
