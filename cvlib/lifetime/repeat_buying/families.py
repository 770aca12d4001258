"""What a family of repeat-buying models offers, and the families there are."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.lifetime.purchases.histories import Histories
from cvlib.lifetime.repeat_buying import bg_bb, bg_nbd, ggom_nbd, mbg_nbd, nbd, pareto_nbd
from cvlib.lifetime.repeat_buying.bg_covariates import with_static
from cvlib.lifetime.repeat_buying.special import gauss
from cvlib.words.message import message


class Family(Protocol):
    """A module that knows one model; `theta` are the logs of its parameters, time in any unit.

    Beside these a family may have `estimates(theta)` where its coordinates are not the logs of
    what is published (GGom/NBD), `discounted_if_alive(theta, force, horizon, x, T)` where money
    does not come continuously, and `check(histories)` for histories it cannot have (BG/BB).
    """

    PARAMETERS: tuple[str, ...]
    PAIRS: tuple[tuple[str, str, str], ...]
    SHARES: tuple[str, ...]

    def starts(self, histories: Histories) -> list[np.ndarray]:
        """Points to climb from."""

    def total(self, theta: Any, data: Histories) -> tuple[float, np.ndarray]:
        """Log-likelihood of all customers and its gradient."""

    def p_alive(self, theta: Any, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Probability of not having dropped out by T."""

    def expected_if_alive(
        self, theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """Expected purchases in (T, T + t] of a customer alive at T."""

    def chance_if_alive(
        self, theta: Any, t: np.ndarray, x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """Probability of a purchase in (T, T + t] of a customer alive at T."""

    def expected_from_start(self, theta: Any, t: np.ndarray) -> np.ndarray:
        """Expected repeat purchases of a new customer by age t."""

    def distribution(self, theta: Any, n: np.ndarray, t: np.ndarray) -> np.ndarray:
        """P(X(t) = n) of a new customer."""


FAMILIES: dict[str, Family] = {
    "bg_nbd": bg_nbd,
    "mbg_nbd": mbg_nbd,
    "pareto_nbd": pareto_nbd,
    "bg_bb": bg_bb,
    "nbd": nbd,
}
MODELS: dict[str, Family] = FAMILIES | {"ggom_nbd": ggom_nbd}  # its coordinates are its own


WITH_COVARIATES = ("pareto_nbd", "bg_nbd", "mbg_nbd")


def family_of(model: str, covariates: bool = False, constrained: bool = False) -> Any:
    """The family of a model, with static covariates or without."""
    if covariates and model != "pareto_nbd":
        return with_static(model, constrained)
    return MODELS[model]


def check_enough(data: Histories, model: str) -> None:
    """Raise where nothing can be learnt of a model, or a covariate cannot be one."""
    if data.count.sum() < 2:
        raise InputError(
            "histories",
            message("refusals.are_of_one_customer"),
            message("refusals.name_the_column_that_tells_customers_apart"),
        )
    if not data.x.any():
        raise InputError(
            "histories",
            message("refusals.nobody_bought_again"),
            message("refusals.nothing_can_be_learnt_about_repeat_buying"),
        )
    if not (data.T > 0).any():
        raise InputError(
            "histories",
            message("refusals.every_customer_has_age"),
            message("refusals.choose_a_later_cut"),
        )
    if data.names:
        spread = data.z.std(axis=0)
        if (
            np.linalg.matrix_rank(np.column_stack([np.ones(data.x.size), data.z]))
            <= data.z.shape[1]
        ):
            raise InputError(
                "covariates",
                message("refusals.are_constant_or_repeat_one"),
                message("refusals.leave_the_surplus_ones_out"),
            )
        if (spread < 0.01).any() or (spread > 100).any():
            raise InputError(
                f"covariate {data.names[int(np.argmax(np.abs(np.log(spread))))]!r}",
                message("refusals.varies_on_a_scale_far"),
                message("refusals.divide_it_so_that_its"),
            )
    check = getattr(MODELS[model], "check", None)
    if check is not None:
        check(data)


def estimates(family: Any, theta: np.ndarray) -> dict[str, float]:
    """Parameters and derived quantities by name."""
    own = getattr(family, "estimates", None)
    if own is not None:
        found: dict[str, float] = own(theta)
        return found
    natural = np.exp(theta)
    return dict(zip(family.PARAMETERS, natural, strict=True)) | family.derived(*natural)


def discounted(
    family: Any, theta: Any, force: float, horizon: float | None, x: np.ndarray, T: np.ndarray
) -> np.ndarray:
    """Discounted expected purchases of living customers.

    δ ∫ e^(-δt) E(t) dt + e^(-δh) E(h), by Gauss in v = log(1 + t/scale), unless the family has a
    rule of its own.
    """
    own = getattr(family, "discounted_if_alive", None)
    if own is not None:
        return np.asarray(own(theta, force, horizon, x, T))
    if any(np.ndim(value) for value in theta):  # of its own for every customer, by covariates
        return _discounted_by_row(family, theta, force, horizon, x.ravel(), T.ravel()).reshape(
            x.shape
        )
    x_values, at_x = np.unique(x, return_inverse=True)
    T_values, at_T = np.unique(T, return_inverse=True)
    at_x, at_T = at_x.reshape(x.shape), at_T.reshape(x.shape)
    if getattr(family, "PROPORTIONAL", False):
        r = np.exp(theta[0])
        none = _discounted_by_row(family, theta, force, horizon, 0 * T_values, T_values)
        return np.asarray(((r + x_values) / r)[at_x] * none[at_T])
    if horizon is None and getattr(family, "BY_RELATIVE_TIME", False):
        return _discounted_on_one_grid(family, theta, force, x_values, T_values)[at_T, at_x]
    pairs, place = np.unique(at_x * T_values.size + at_T, return_inverse=True)
    own_x, own_T = x_values[pairs // T_values.size], T_values[pairs % T_values.size]
    each = _discounted_by_row(family, theta, force, horizon, own_x, own_T)
    return np.asarray(each[place.reshape(x.shape)])


def _discounted_by_row(
    family: Any, theta: Any, force: float, horizon: float | None, x: np.ndarray, T: np.ndarray
) -> np.ndarray:
    """The same for rows of x and T, one integral each."""
    result = np.empty(x.size)
    nodes, weights = gauss(64)
    for begin in range(0, x.size, 512):
        part = slice(begin, begin + 512)
        xs, Ts = x[part, None], T[part, None]
        own = [np.asarray(value) for value in theta]
        rows = [
            value if value.ndim == 0 else np.broadcast_to(value.ravel(), x.size)[part, None]
            for value in own
        ]
        scale = family.time_scale(rows, Ts)
        # beyond 45 e-folds nothing is left of the money
        ahead = 45.0 / force if force > 0 else math.inf
        end = ahead if horizon is None else min(horizon, ahead)
        v = nodes * np.log1p(end / scale)
        t = scale * np.expm1(v)
        expected = family.expected_if_alive(rows, t, xs, Ts)
        inner = force * np.exp(-force * t) * expected * (scale + t) * np.log1p(end / scale)
        value = inner @ weights
        if horizon is not None:
            last = family.expected_if_alive(rows, np.full_like(Ts, horizon), xs, Ts)[:, 0]
            value = value + math.exp(-force * horizon) * last
        result[part] = value
    return result


def _discounted_on_one_grid(
    family: Any, theta: Any, force: float, x: np.ndarray, T: np.ndarray
) -> np.ndarray:
    """The same without end, shape (distinct T, distinct x), where E(t) knows T by t/scale alone.

    It is then computed once per distinct x on one grid of t/scale, and a matrix product gives the
    integral for every pair of x and T.
    """
    scale = family.time_scale(theta, T)
    nodes, weights = gauss(128)
    end = np.log1p(45.0 / (force * scale.min()))
    u = np.expm1(nodes * end)
    expected = family.expected_if_alive(theta, u * scale[0], x[:, None], T[0])
    pull = force * scale[:, None]
    money = pull * np.exp(-pull * u) * ((1 + u) * weights * end)
    return np.asarray(money @ expected.T)
