"""BG/NBD and MBG/NBD with static covariates: rates and dropout chances of customers who differ.

Purchase rates are multiplied by exp(γ'z): α_i = α exp(−γ'z). The beta distribution of dropout
chances has a_i = a exp(δ'z) and b_i = b, so that exp(δ'z) multiplies the odds a/b of dropping out;
`both` also takes b_i = b exp(δ'z), as CLVTools does, which leaves the mean chance a/(a + b) as it
is and moves its spread alone.
"""

from __future__ import annotations

from functools import cache, partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import bg_nbd, mbg_nbd
from cvlib.lifetime.repeat_buying.special import digamma_rising, log1p_exp, log_rising

_MODULES: dict[str, ModuleType] = {"bg_nbd": bg_nbd, "mbg_nbd": mbg_nbd}


@cache
def with_static(model: str, both: bool) -> SimpleNamespace:
    """The family of BG/NBD or MBG/NBD whose parameters vary with covariates.

    Parameters
    ----------
    model : {"bg_nbd", "mbg_nbd"}
        Which of the two.
    both : bool
        Whether covariates move a and b alike.
    """
    own = {
        "total": partial(total, early=int(model == "mbg_nbd"), both=both),
        "with_covariates": partial(with_covariates, both=both),
    }
    return SimpleNamespace(**vars(_MODULES[model]) | own)


def with_covariates(
    base: np.ndarray, coefficients: np.ndarray, z: np.ndarray, both: bool = False
) -> list[Any]:
    """Log-parameters by row: γ of the purchase rate, then δ of the dropout chances."""
    width = z.shape[1]
    buy, drop = z @ coefficients[:width], z @ coefficients[width:]
    return [base[0], base[1] - buy, base[2] + drop, base[3] + drop if both else base[3] + 0 * drop]


def total(
    theta: np.ndarray,
    data: Histories,
    coefficients: np.ndarray,
    early: int = 0,
    both: bool = False,
) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters and coefficients."""
    own = with_covariates(theta, coefficients, data.z, both)
    # a trial step of the climb may go very far
    r, alpha, a, b = (np.exp(np.clip(value, -300.0, 300.0)) for value in own)
    x, t_x, T, count = data.x, data.t_x, data.T, data.count
    stays, power = x + early, r + x
    shrink, since = np.log1p(T / alpha), np.log1p((T - t_x) / (alpha + t_x))
    last = np.where(stays > 0, b + (x + early - 1), 1.0)
    odds = np.where(stays > 0, np.log(a / last) + power * since, -np.inf)
    either, gone = log1p_exp(odds)
    terms = log_rising(b, stays) - log_rising(a + b, stays) - power * shrink - x * own[1] + either
    value = data.sum_over_x(log_rising(r, data.x_values)) + count @ terms
    slope_r = data.sum_over_x(digamma_rising(r, data.x_values))
    slope_r += count @ (gone * since - shrink)
    dead = gone * power * (1 / (1 + T / alpha) - 1 / (1 + t_x / alpha))
    slope_alpha = count * (T / (alpha + T) * power - x + dead)
    spread = -digamma_rising(a + b, stays)
    slope_a = count * (a * spread + gone)
    slope_b = count * b * (spread + digamma_rising(b, stays) - gone / last)
    moved = slope_a + slope_b if both else slope_a
    slope = [r * slope_r, slope_alpha.sum(), slope_a.sum(), slope_b.sum()]
    return float(value), np.array([*slope, *(-slope_alpha @ data.z), *(moved @ data.z)])
