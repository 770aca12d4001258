"""Win-back: which lapsed customers return, and whether asking them back pays"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.columns import enough_rows, opened, within
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.logistic import fit_logit
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.statistics.ranks import auc_of
from cvlib.words.message import Message, joined, message

_PER_COEFFICIENT = 10  # events a coefficient needs [M]


def second_lifetime_value(margin: float, retention: float, rate: float) -> float:
    """SLV = m(1 + d) ÷ (1 + d − r₂): the first margin comes on return."""
    number("retention", retention, 0, 1)
    number("rate", rate, 0, 1)
    return margin * (1 + rate) / (1 + rate - retention)


def win_back_value(
    chance: Any, slv: float, offer: float = 0.0, contact_cost: float = 0.0
) -> tuple[Any, float]:
    """P(SLV − offer) − contact cost, and the probability at which that is zero.

    Parameters
    ----------
    chance : float or array
        Probability of return.
    slv, offer, contact_cost : float
        In money; the offer is paid by who returns, the contact for everybody.

    Returns
    -------
    value, break_even
        Break-even is NaN where the offer exceeds the value.
    """
    net = slv - offer
    return chance * net - contact_cost, contact_cost / net if net > 0 else np.nan


def win_back(
    data: Any,
    outcome: str,
    features: Sequence[str],
    slv: float = 0.0,
    *,
    offer: float = 0.0,
    contact_cost: float = 0.0,
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Probability of return of lapsed customers by logit, and whom to ask back.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        One row per lapsed customer who was asked back.
    outcome : str
        Column of 1 (returned) and 0.
    features : sequence of str
        Columns of numbers known before the contact (offer, tenure, months gone, …).
    slv : float
        Value of a second life; 0: not given, no money is printed.
    offer, contact_cost : float
        Paid on return, and for everybody asked.
    level : float
        Of the normal intervals.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        win_back_model: term, estimate, std_error, ci_low, ci_high, odds_ratio (for one standard
        deviation). win_back_facts: measure, value. win_back_deciles: decile, customers, forecast,
        returned, and value with `slv`. Without a model (too few returns, separation) the facts
        alone and the reason.

    Raises
    ------
    InputError
        An outcome other than 0 and 1, text in a feature: with file, column, row.

    References
    ----------
    Stauss & Friege (1999) J. Service Research 1:347-361; Thomas, Blattberg & Fox (2004) J.
    Marketing Research 41:31-45.

    Examples
    --------
    >>> import pandas as pd
    >>> import cvlib as cv
    >>> rows = pd.DataFrame({"back": [1, 0, 0, 1] * 10, "gone": [1, 5, 3, 4] * 10})
    >>> found = cv.lifetime.win_back(rows, "back", ["gone"], slv=200, contact_cost=6)
    >>> found["win_back_facts"]["measure"].tolist()[:2]
    ['customers', 'returned']
    """
    table = opened(data, reading)
    came = within(table, outcome, 0, 1, whole=True)
    enough_rows(table, len(came), 4, "customers")
    grid = pd.DataFrame({name: within(table, name) for name in features})
    came_back = came.to_numpy(float)
    base = float(came_back.mean())
    facts: dict[str, float] = {"customers": len(came), "returned": base}
    even = np.nan
    if slv:
        _, even = win_back_value(base, slv, offer, contact_cost)
        facts |= {"second_lifetime_value": slv, "break_even_probability": even}
    events = int(min(came_back.sum(), (1 - came_back).sum()))
    fit, reason = None, None
    if events < _PER_COEFFICIENT * (len(features) + 1):
        reason = message("decisions.logit_few", events=events, terms=len(features) + 1)
    else:
        spread = grid.std(ddof=0)
        scaled = (grid - grid.mean()) / spread.where(spread > 0, 1.0)
        fit, reason = fit_logit(came_back, np.column_stack([np.ones(len(grid)), scaled]))
    if fit is None:
        limits = _wilson(came_back, level)
        said = message(
            "decisions.win_back_base", share=base, low=limits[0], high=limits[1], level=level,
            reason=reason,
        )  # fmt: skip
        return Finding({"win_back_facts": _facts(facts)}, said, (), facts)
    chance = fit.predict()
    facts["auc"] = auc_of(chance, came_back)
    tables = {
        "win_back_model": _model(fit, ["constant", *features], level),
        "win_back_facts": _facts(facts),
        "win_back_deciles": _deciles(chance, came_back, slv, offer, contact_cost),
    }
    warned = (message("decisions.win_back_own"),)
    return Finding(tables, _sentence(facts, chance, even, came_back, level), warned, facts)


def _wilson(came: np.ndarray, level: float) -> tuple[float, float]:
    from cvlib.statistics.proportions import wilson

    low, high = wilson(came.sum(), len(came), level)
    return float(low), float(high)


def _facts(facts: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"measure": list(facts), "value": list(facts.values())})


def _model(fit: Any, terms: list[str], level: float) -> pd.DataFrame:
    half = resample.reach(level) * fit.bse
    return pd.DataFrame(
        {
            "term": terms, "estimate": fit.params, "std_error": fit.bse,
            "ci_low": fit.params - half, "ci_high": fit.params + half,
            "odds_ratio": np.exp(fit.params),
        }
    )  # fmt: skip


def _deciles(
    chance: np.ndarray, came: np.ndarray, slv: float, offer: float, cost: float
) -> pd.DataFrame:
    order = np.lexsort((np.arange(len(chance)), -chance))
    rows = []
    for k, part in enumerate(np.array_split(order, min(10, len(order) // 5 or 1)), 1):
        row = {"decile": k, "customers": len(part), "forecast": float(chance[part].mean()),
               "returned": float(came[part].mean())}  # fmt: skip
        if slv:
            row["value_per_contact"] = float(win_back_value(row["forecast"], slv, offer, cost)[0])
        rows.append(row)
    return pd.DataFrame(rows)


def _sentence(
    facts: dict[str, float], chance: np.ndarray, even: float, came: np.ndarray, level: float
) -> Message:
    low, high = _wilson(came, level)
    said = message(
        "decisions.win_back", share=facts["returned"], low=low, high=high, level=level,
        auc=facts["auc"],
    )  # fmt: skip
    if np.isnan(even):
        kind = "unpaid" if "second_lifetime_value" in facts else ""
        more = [message("decisions.win_back_unpaid")] if kind else []
    else:
        worth = float((chance > even).mean())
        more = [message("decisions.win_back_pays", even=even, worth=worth)]
    return joined([said, *more])
