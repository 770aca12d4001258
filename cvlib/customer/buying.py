"""What satisfaction does to repeat buying: rate and dropout; beside them counts and activity."""

from __future__ import annotations

import warnings

import numpy as np

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex
from cvlib.customer.links import BUYING, STRICT, Pass
from cvlib.lifetime.repeat_buying.trait import TraitFit, fit_trait
from cvlib.statistics.attenuation import corrected
from cvlib.statistics.glm import with_constant

Array = np.ndarray
Row = tuple[object, ...]


def buying_rows(
    base: CustomerBase, index: CustomerIndex, found: Pass, moved: float, z: float
) -> list[Row]:
    """Rows of the table of links for a base of transactions.

    Parameters
    ----------
    base, index
        The steps before.
    found : Pass
        With repeat buying.
    moved : float
        Change of the chance of no purchase in the window, per point as measured.
    z : float
        Standard errors from an estimate to its limits.
    """
    assert found.buying is not None and base.histories is not None
    rows: list[Row] = []
    leading = found.buying.fit
    fits = [(STRICT if leading.strict else BUYING[0], leading, index.reliability)]
    plain = fit_trait(base.histories, index.scores)
    fits.append(("pareto_nbd, unweighted", plain, index.plain_reliability))
    for name, fit, rho in fits:
        rows += _rates(name, fit, len(index.scores), rho, index.items, z)
    naive = float(found.leaving.coefficients[1]), float(found.leaving.errors[1])
    for kind, (b, se) in (("naive", naive), ("corrected", corrected(*naive, index.calibration))):
        size = moved * (b / naive[0] if naive[0] else 1.0)
        rows.append(("no purchase", "logit", kind, b, se, b - z * se, b + z * se, size, np.nan,
                     found.leaving.log_likelihood))  # fmt: skip
    count = _count(base, index)
    if count is not None:
        b, se, shape, value, purchases = count
        for kind, (own, error) in (
            ("naive", (b, se)), ("corrected", corrected(b, se, index.calibration)),
        ):  # fmt: skip
            rows.append(("purchases", "negative binomial", kind, own, error, own - z * error,
                         own + z * error, own * purchases, shape, value))  # fmt: skip
    return rows


def _rates(name: str, fit: TraitFit, people: int, rho: float, items: int, z: float) -> list[Row]:
    rows: list[Row] = []
    for place, (outcome, slope) in enumerate(
        (("purchase rate", fit.purchase), ("dropout rate", fit.dropout))
    ):
        b, se = float(slope[0]), float(fit.errors[place])
        shape = float(np.exp(-fit.theta[2 * place]))  # variance of the rate over its squared mean
        noise = 2 * items * (1 - rho) ** 2 / (max(items - 1, 1) * people)
        error = float(np.sqrt(se**2 / rho**2 + b**2 * noise / rho**4))  # delta method
        for kind, own, wide in (("naive", b, se), ("corrected", b / rho, error)):
            rows.append((outcome, name, kind, own, wide, own - z * wide, own + z * wide, np.nan,
                         shape, fit.log_likelihood))  # fmt: skip
    return rows


def _count(
    base: CustomerBase, index: CustomerIndex
) -> tuple[float, float, float, float, float] | None:
    """Purchases after the interview: slope, its error, dispersion, log-likelihood, their mean."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    y = base.outcomes["purchases"].to_numpy(float)
    x = with_constant(index.scores, base.controls.to_numpy(float)[base.answered])
    weeks = base.outcomes["weeks"].to_numpy(float)
    offset = None if np.ptp(weeks) == 0 else np.log(np.maximum(weeks, 1 / 7))
    middle, spread = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0)
    scaled = with_constant((x[:, 1:] - middle) / np.where(spread > 0, spread, 1.0))
    with warnings.catch_warnings():  # steps into overflow on the way are taken back
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            model = NegativeBinomial(y, scaled, offset=offset)
            near = model.fit(disp=0, maxiter=500).params  # BFGS stops short of the maximum
            # Newton's steps may leave the dispersions that there are, and then never end
            fit = model.fit(disp=0, start_params=near, maxiter=500, gtol=1e-8)
    if not fit.mle_retvals["converged"] or not np.isfinite(fit.bse[1]):
        return None
    return (float(fit.params[1] / spread[0]), float(fit.bse[1] / spread[0]),
            float(fit.params[-1]), float(fit.llf), float(y.mean()))  # fmt: skip
