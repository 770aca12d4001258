"""How strong an unmeasured cause would have to be to explain an association away: E-values."""

from __future__ import annotations

import numpy as np


def common_hazard_as_risk(ratio: float) -> float:
    """A hazard ratio of an outcome that is common (> 15 %) as a risk ratio, approximately.

    VanderWeele & Ding 2017, Annals of Internal Medicine 167:268-274, table 2.
    """
    return float((1 - 0.5 ** np.sqrt(ratio)) / (1 - 0.5 ** np.sqrt(1 / ratio)))


def common_odds_as_risk(ratio: float) -> float:
    """An odds ratio of an outcome that is common as a risk ratio: its root (ibid.)."""
    return float(np.sqrt(ratio))


def e_value(
    ratio: float, lower: float, upper: float, common: bool = False, odds: bool = False
) -> dict[str, float]:
    """The E-value of a ratio and of the limit nearer to 1.

    Parameters
    ----------
    ratio, lower, upper : float
        A risk ratio, or a hazard ratio where `common`, with its limits.
    common : bool
        The ratio is one of hazards or odds, and more than 15 % had the outcome.
    odds : bool
        It is one of odds.

    Returns
    -------
    dict
        rr, e_value, e_value_limit (1 where the interval holds 1).
    """
    brought = common_odds_as_risk if odds else common_hazard_as_risk
    change = brought if common else float
    rr, near = change(ratio), change(upper if ratio < 1 else lower)
    crosses = lower <= 1 <= upper
    return {
        "rr": rr,
        "e_value": _of(rr),
        "e_value_limit": 1.0 if crosses else _of(near),
    }


def _of(rr: float) -> float:
    rr = 1 / rr if rr < 1 else rr
    return float(rr + np.sqrt(rr * (rr - 1)))
