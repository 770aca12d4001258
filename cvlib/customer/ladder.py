"""From association towards cause: the rungs that the data of a customer study allow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from cvlib.customer.base import CustomerBase
from cvlib.customer.causes import Moved, by_drivers, moved, with_lags, within
from cvlib.customer.index import CustomerIndex
from cvlib.customer.value import SatisfactionLink
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.statistics.attenuation import corrected
from cvlib.statistics.confounding import e_value
from cvlib.statistics.glm import fit_glm, with_constant
from cvlib.statistics.ranks import mid_ranks
from cvlib.statistics.resample import reach

Array = np.ndarray
Row = tuple[object, ...]
COMMON = 0.15  # share who left, above which a hazard ratio is brought to a risk ratio
NOT = (np.nan, np.nan, np.nan, False)


def ladder(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink
) -> tuple[pd.DataFrame, dict[str, float]]:
    """From association towards cause: which rungs these data allow, and what an unseen cause needs.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores and calibration.
    linked : SatisfactionLink
        The links.

    Returns
    -------
    table : DataFrame
        rung, outcome, estimate, lower, upper, allowed, reason.
    e : dict
        rr, e_value, e_value_limit of one standard deviation of true satisfaction (VanderWeele &
        Ding 2017); by_drivers, by_rest, apart: the effect on leaving of what the drivers foretell
        of satisfaction, of the rest, and their difference in standard errors (NaN: not known).

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167(4):268-274 (E-value).

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> table, e = cv.customer.ladder(base, index, cv.customer.link(base, index))
    >>> e["e_value"] >= e["e_value_limit"] >= 1
    True
    """
    z_ = reach(linked.level)
    z = base.controls.to_numpy(float)[base.answered]
    fit = fit_leaving(linked.found.leaving.model, base.duration, base.left, index.scores[:, None])
    raw, se = fit.coefficients[1], fit.errors[1]
    rho = index.reliability
    row = linked.effect()
    told = "leaving" if linked.found.buying is None else "no purchase"
    rows: list[Row] = [
        ("no controls", told, raw / rho, (raw - z_ * se) / rho, (raw + z_ * se) / rho, True,
         "what satisfied customers do, whatever else they are"),
        ("controls", told, row["effect_per_point"], row["lower"], row["upper"], True,
         "behaviour before the interview held equal"),
    ]  # fmt: skip
    lagged = with_lags(base, index, linked)
    if lagged is not None:
        rows.append(("lagged behaviour", told, *_limits(*lagged, z_), True,
                     "fee and cost before the interview held equal too"))  # fmt: skip
    rows.append(_two_waves(base, index, linked, told, z_))
    rows += _named(base, index, linked, told, z_)
    driven = by_drivers(base, index, linked)
    rows += _driver_rungs(driven, told, z_)
    if "spend" in linked.found.links:
        rows += _linear_rungs(base, index, linked, z, z_)
    ratios, e = _e_values(base, index, linked)
    e |= {"by_drivers": np.nan, "by_rest": np.nan, "apart": np.nan}
    if driven is not None and driven.stage.strong:
        found = driven.found
        e |= {"by_drivers": found.effect, "by_rest": found.rest, "apart": found.apart}
    rows += ratios
    columns = ["rung", "outcome", "estimate", "lower", "upper", "allowed", "reason"]
    return pd.DataFrame(rows, columns=columns), e


def _e_values(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink
) -> tuple[list[Row], dict[str, float]]:
    """E-values of one standard deviation of true satisfaction; of buying, of both its rates.

    What is handed on is the one hardest to explain away.
    """
    deviation = float(np.sqrt(max(index.reliability, 0) * index.calibration.variance))
    common, effects = bool(base.left.mean() > COMMON), {"leaving": linked.effect()}
    if linked.found.buying is not None:
        own = linked.link[linked.link["model"] == linked.found.model]
        own = own[own["estimator"] == "corrected"].set_index("outcome")
        effects, common = {str(name): row for name, row in own.iterrows()}, False  # rates
    rows: list[Row] = []
    most: dict[str, float] = dict.fromkeys(("rr", "e_value", "e_value_limit"), np.nan)
    for name, row in effects.items():
        ratio = [float(np.exp(row[c] * deviation)) for c in ("effect_per_point", "lower", "upper")]
        if not np.isfinite(ratio).all():
            continue
        e = e_value(ratio[0], ratio[1], ratio[2], common)
        rows.append(("E-value, one standard deviation", name, e["e_value"], e["e_value_limit"],
                     np.nan, True,
                     "risk ratio an unmeasured cause needs with both; lower: of the limit"
                     ))  # fmt: skip
        if not most["e_value_limit"] >= e["e_value_limit"]:
            most = e
    return rows, most


def _limits(b: float, se: float, z: float) -> tuple[float, float, float]:
    return b, b - z * se, b + z * se


def _two_waves(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, told: str, z: float
) -> Row:
    """Customers' own change between two interviews (Mundlak 1978)."""
    found = within(base, index, linked)
    if found is not None:
        return ("two waves", told, *_limits(found[0], found[1], z), True,
                "the customer's own change, what is his all along held equal")  # fmt: skip
    why = "too few asked twice, or too little true change"
    return ("two waves", told, *NOT, "one interview per customer" if base.again is None else why)


def _named(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, told: str, z: float
) -> list[Row]:
    """The instrument that the study names, by two-stage residual inclusion."""
    if base.instrument is None:
        return [("instrument", told, *NOT, "no instrument named")]
    held = base.controls.to_numpy(float)[base.answered]
    found = moved(base, index, linked, base.instrument[:, None], held)
    if found is None:
        return [("instrument", told, *NOT, "nothing can be fitted with it")]
    own, strong = found.found, found.stage.strong
    limits = _limits(own.effect, own.error, z) if strong else NOT[:3]
    return [
        ("instrument", told, *limits, strong,
         "the part of satisfaction that it moves" if strong
         else "it moves satisfaction too little"),
        _first_f("first-stage F of the instrument", found),
    ]  # fmt: skip


def _first_f(name: str, found: Moved) -> Row:
    return (name, "satisfaction", found.stage.f, np.nan, np.nan, found.stage.strong,
            "below 10 an instrument is weak")  # fmt: skip


def _driver_rungs(driven: Moved | None, told: str, z: float) -> list[Row]:
    """Drivers as instruments, by the paths of the model; beside them what they do not move."""
    name = "drivers as instruments"
    if driven is None:
        return [(name, told, *NOT, "every driver has a path past satisfaction, or nothing is left")]
    if not driven.stage.strong:
        return [(name, told, *NOT, "drivers foretell too little of satisfaction"),
                _first_f("first-stage F of the drivers", driven)]  # fmt: skip
    own = driven.found
    return [
        (name, told, *_limits(own.effect, own.error, z), True,
         "what the drivers foretell of satisfaction, if they act through it alone"),
        ("what drivers do not foretell", told, *_limits(own.rest, own.rest_error, z), True,
         "an unmeasured cause sits here; alike where there is none"),
        _first_f("first-stage F of the drivers", driven),
    ]  # fmt: skip


def _linear_rungs(
    base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink, z: Array, z_: float
) -> list[Row]:
    """Copula term (Park & Gupta 2012) and Oster's δ (2019), of spend alone: linear links only."""
    from scipy.stats import jarque_bera

    fee = base.outcomes["fee"].to_numpy(float)
    lag = [base.before["fee_before"].to_numpy(float)] if "fee_before" in base.before else []
    seen = np.isfinite(np.column_stack([fee, *lag])).all(axis=1)
    fee, z, lag, s = fee[seen], z[seen], [each[seen] for each in lag], index.scores[seen]
    if not (fee > 0).all():
        return [("Gaussian copula", "spend", np.nan, np.nan, np.nan, False, "fees of zero")]
    y = np.log(fee)
    ranks = mid_ranks(s)
    term = ndtri(np.clip(ranks / (len(s) + 1), 1e-6, 1 - 1e-6))
    skewed = bool(jarque_bera(s).pvalue < 1e-3)
    full = fit_glm("line", y, with_constant(s, z, *lag))
    own = linked.found.links["spend"].calibration
    rows: list[Row] = []
    copula = fit_glm("line", y, with_constant(s, z, *lag, term))
    b, se = corrected(float(copula.coefficients[1]), float(copula.errors[1]), own)
    rows.append(("Gaussian copula", "spend", *((b, b - z_ * se, b + z_ * se) if skewed else (
        np.nan,) * 3), skewed, "satisfaction is clearly not normal" if skewed
        else "satisfaction is too near to normal"))  # fmt: skip
    short = fit_glm("line", y, with_constant(s))
    explained = [1 - np.var(y - x @ f.coefficients) / np.var(y) for f, x in (
        (short, with_constant(s)), (full, with_constant(s, z, *lag)))]  # fmt: skip
    most = min(1.3 * explained[1], 1.0)
    before, after = float(short.coefficients[1]), float(full.coefficients[1])
    below = (before - after) * (most - explained[1])
    delta = after * (explained[1] - explained[0]) / below if below else np.nan
    rows.append(("Oster's delta", "spend", delta, np.nan, np.nan, bool(np.isfinite(delta)),
                 "how many times the controls' selection an unseen cause needs"))  # fmt: skip
    return rows
