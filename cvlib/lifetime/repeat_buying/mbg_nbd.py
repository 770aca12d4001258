"""MBG/NBD: as BG/NBD, with a first chance of dropping out right after the first purchase.

References
----------
Batislam, Denizel & Filiztekin (2007), Int. J. Research in Marketing 24, 201-209; the same model as
CBG/NBD of Hoppe & Wagner (2007), erratum Wagner & Hoppe (2008), IJRM 25, 225-226.
"""

from __future__ import annotations

import numpy as np

from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import bg_nbd

PARAMETERS, PAIRS, SHARES = bg_nbd.PARAMETERS, bg_nbd.PAIRS, bg_nbd.SHARES
starts, derived, chance_if_alive = bg_nbd.starts, bg_nbd.derived, bg_nbd.chance_if_alive
time_scale, BY_RELATIVE_TIME = bg_nbd.time_scale, bg_nbd.BY_RELATIVE_TIME


def total(theta: np.ndarray, data: Histories) -> tuple[float, np.ndarray]:
    """Log-likelihood of all customers and its gradient in log-parameters: `bg_nbd`, early = 1."""
    return bg_nbd.total(theta, data, early=1)


def p_alive(theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Probability of not having dropped out by T, customers without a repeat purchase included."""
    return bg_nbd.p_alive(theta, x, t_x, T, early=1)


def expected_if_alive(theta: np.ndarray, t: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """Expected purchases in (T, T + t] of a customer alive at T: `bg_nbd`, early = 1."""
    return bg_nbd.expected_if_alive(theta, t, x, T, early=1)


def expected_from_start(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer by age t: `bg_nbd`, early = 1."""
    return bg_nbd.expected_from_start(theta, t, early=1)


def distribution(theta: np.ndarray, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    """P(X(t) = n) repeat purchases of a new customer by age t: `bg_nbd`, early = 1."""
    return bg_nbd.distribution(theta, n, t, early=1)
