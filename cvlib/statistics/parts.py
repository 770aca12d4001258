"""A difference by parts: every order of moving them, averaged, so that the parts add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial

import numpy as np

Array = np.ndarray


def shapley(parts: Sequence[str], value: Callable[[frozenset[str]], Array]) -> dict[str, Array]:
    """Each part's share of value(all) - value(none) (Shapley 1953).

    Parameters
    ----------
    parts : sequence of str
        What may be moved.
    value : callable
        The value when a set of parts has been moved.

    Returns
    -------
    dict of str to float or ndarray
        Sums to value(all) - value(none).
    """
    known = {
        frozenset(group): value(frozenset(group))
        for size in range(len(parts) + 1)
        for group in combinations(parts, size)
    }
    number, found = len(parts), {}
    for part in parts:
        total = np.zeros_like(known[frozenset()], dtype=float)
        for group, before in known.items():
            if part not in group:
                share = factorial(len(group)) * factorial(number - len(group) - 1)
                total = total + share / factorial(number) * (known[group | {part}] - before)
        found[part] = total
    return found
