"""The value of a point when an assumption is another one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.answers import APART, DRIVEN, FAR, WEAK
from cvlib.customer.base import LATE_SHARE, CustomerBase
from cvlib.customer.causes import by_drivers
from cvlib.customer.certificate import OFF
from cvlib.customer.index import CustomerIndex
from cvlib.customer.joint import APART as JOINT_APART
from cvlib.customer.ladder import COMMON
from cvlib.customer.links import Worth, estimate, mean, value_by_parts
from cvlib.customer.people import HELP
from cvlib.customer.value import PointValue, SatisfactionLink
from cvlib.lifetime.contracts import leaving
from cvlib.statistics import attenuation, nonresponse, separation
from cvlib.statistics.campaign import Campaign


def sensitivity(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, value: PointValue,
    worth: Worth | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The value of a point when an assumption is another one.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores, weights, reliability.
    linked : SatisfactionLink
        The links.
    value : PointValue
        Empty where the gate is closed; so is then this table.
    worth : Worth, optional
        Of the study.

    Returns
    -------
    DataFrame
        assumption, value_per_point, change (share of the study's own).

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> linked = cv.customer.link(base, index)
    >>> gate = cv.customer.time_order(base, index.scores)
    >>> none = cv.lifetime.Bootstrap(0)
    >>> value = cv.customer.point_value(base, index, gate, linked, settings=none)
    >>> len(cv.customer.sensitivity(base, index, linked, value))
    9
    """
    worth = worth or Worth()
    if value.withheld:
        return pd.DataFrame()
    own = value.row("total")["per_customer"]

    def total(rho: float, w: Worth, model: str) -> float:
        if rho == index.reliability and model == linked.found.model:
            found = linked.found
        else:
            found = estimate(base, index.scores, rho, index.weights, items=index.items, model=model)
        if not found.calibration.usable:
            return float("nan")
        return mean(np.sum(list(value_by_parts(found, w).values()), axis=0), found.weights)

    rho, model = index.reliability, linked.found.model
    rate = worth.annual_discount_rate
    cases = {
        "as stated": (rho, worth, model),
        "reliability .1 lower": (rho - 0.1, worth, model),
        "reliability .1 higher": (min(rho + 0.1, 1.0), worth, model),
        "horizon halved": (rho, worth._replace(horizon=max(worth.horizon // 2, 1)), model),
        "horizon doubled": (rho, worth._replace(horizon=2 * worth.horizon), model),
        "discount rate halved": (rho, worth._replace(annual_discount_rate=rate / 2), model),
        "discount rate doubled": (rho, worth._replace(annual_discount_rate=2 * rate), model),
        "no heterogeneity (cloglog)": (rho, worth, "cloglog"),
    }
    if linked.found.buying is not None:  # of transactions heterogeneity is the model
        del cases["no heterogeneity (cloglog)"]
    rows = [(name, total(*case)) for name, case in cases.items()]
    driven = by_drivers(base, index, linked) if linked.found.buying is None else None
    if driven is not None and driven.stage.strong:
        rows.append((DRIVEN, _at(linked, driven.found.effect, worth)))
    table = pd.DataFrame(rows, columns=["assumption", "value_per_point"])
    return table.assign(change=table["value_per_point"] / own - 1)


def _at(linked: SatisfactionLink, effect: float, worth: Worth) -> float:
    """The value of a point if it changed leaving by `effect`, all else as found."""
    found = linked.found
    share = float(found.leaving.coefficients[1]) / effect if effect else np.inf
    moved = found._replace(calibration=found.calibration._replace(share=share))
    return mean(np.sum(list(value_by_parts(moved, worth).values()), axis=0), found.weights)


def conventions() -> pd.DataFrame:
    """Every rule of a study that is no estimate: its value, and on whose word it stands.

    Returns
    -------
    DataFrame
        rule, value, ground (proposal: of this software, without a source; source; memory: from
        the literature as remembered, not checked against it).

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.customer.conventions()["ground"].unique().tolist()
    ['proposal', 'source', 'memory']
    """
    rows = [
        ("odds of leaving at a level, times those of all, out of any cause's reach",
         separation.FACTOR, "proposal"),
        ("chance of a false alarm of it, over all levels", separation.CHANCE, "proposal"),
        ("area under the curve of satisfaction alone that withholds the answer",
         separation.SUSPECT, "proposal"),
        ("area under the curve of satisfaction alone that warns", separation.WARNING, "proposal"),
        ("share answering after leaving that withholds the answer", LATE_SHARE, "proposal"),
        ("share of true variance below which nothing is corrected", attenuation.LEAST, "proposal"),
        ("percentile at which weights of who answered are cut", nonresponse.TRIM[0], "proposal"),
        ("variance of hazards below which it counts as none",
         float(np.exp(leaving.LEAST_LOG_VARIANCE)), "proposal"),
        ("E-value of the limit below which an effect may be none", WEAK, "proposal"),
        ("share of the value beyond the window that is a doubt", FAR, "proposal"),
        ("change of the value under another assumption that is a doubt", APART,
         "proposal"),
        ("bias in simulated studies that is a doubt", OFF, "proposal"),
        ("standard errors between calibration and joint likelihood that are a word",
         JOINT_APART, "proposal"),
        ("share of leavers saved that the planned experiment should see", HELP, "proposal"),
        ("share who left above which hazard ratios are brought to risk ratios", COMMON,
         "source"),
        ("reliability the same for all (no ceiling), errors that know nothing of leaving", np.nan,
         "source"),
        ("response to a call: Beta(6, 14)", Campaign().response, "source"),
        ("G2G: a geometric law with gamma heterogeneity, after Fader and Hardie", np.nan,
         "memory"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["rule", "value", "ground"])
