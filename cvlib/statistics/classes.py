"""Customers in classes by what they hold: pyramids by number, ABC by cumulated value.

Both go down the customers from the best and close a class where its share is reached; the customer
who crosses a border still belongs to the better class. Equal customers share one class: that of
the last of them, the only one each of them has in whatever order they are listed. Were they split,
the order of the file would make one an A and its equal a B; were all of them given the class of
the first, a plateau that begins below a border would carry everybody into the best class. A class
may therefore be smaller than asked, never better than the values say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.words.message import message

Array = np.ndarray
DECIMALS = 12  # values equal to so many decimals are equal: sums in another order differ beyond
ABC = (0.80, 0.15, 0.05)  # shares of value
PYRAMID = (0.01, 0.04, 0.15, 0.80)  # shares of customers, best first


def borders(shares: Sequence[float]) -> Array:
    """(classes - 1,) cumulated shares at which a class ends, checked.

    Raises
    ------
    InputError
        When they are not two or more shares above 0 that add up to 1.
    """
    given = np.asarray(shares, dtype=float)
    if len(given) < 2 or not (given > 0).all() or abs(given.sum() - 1) > 1e-9:
        raise InputError(
            f"class shares {list(shares)}",
            message("refusals.are_not_two_or_more", sum=given.sum()),
            message("refusals.for_example_01_04_15"),
        )
    return np.cumsum(given)[:-1]


def class_sizes(shares: Sequence[float], customers: int) -> Array:
    """(classes - 1,) last place of each class but the last, rounded up: who crosses is inside."""
    return np.ceil(borders(shares) * customers - 1e-9).astype(int)


def by_number(values: Array, shares: Sequence[float] = PYRAMID) -> Array:
    """(customers,) class of each, 0 the best, by shares of the customers."""
    group, size, _ = _groups(values)
    last = np.cumsum(size)  # the place of the last of the equals
    return np.searchsorted(class_sizes(shares, len(group)), last)[group]


def by_value(values: Array, shares: Sequence[float] = ABC) -> Array:
    """(customers,) class of each, 0 the best, by shares of all value, as in ABC analysis.

    Raises
    ------
    InputError
        When a value is negative, or all are 0.
    """
    worth = np.asarray(values, dtype=float)
    if not (worth >= 0).all() or not worth.sum() > 0:
        raise InputError(
            "ABC grading",
            message("refusals.needs_values_of_or_more"),
            message("refusals.grade_by_another_scheme_or"),
        )
    group, size, value = _groups(worth)
    last = np.cumsum(size * value) - value  # what stands before the last of the equals
    return np.searchsorted(borders(shares), last / worth.sum() + 1e-12, side="right")[group]


def _groups(values: Array) -> tuple[Array, Array, Array]:
    """The group of equals of each customer, best first; each group's size and value."""
    rounded = -np.round(np.asarray(values, dtype=float), DECIMALS)
    value, group, size = np.unique(rounded, return_inverse=True, return_counts=True)
    return group, size, -value
