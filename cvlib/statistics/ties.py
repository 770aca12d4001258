"""Values without the digits that rounding errors made, so that what is equal on paper is equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def settled(values: ArrayLike, digits: int = 12) -> np.ndarray:
    """Values rounded to so many digits of the largest of them.

    Sums and products end in other bits on another processor, and in another row of the same
    matrix. A rank, a tie or a worst case must not hang on them.

    Parameters
    ----------
    values : array
        Infinite and missing ones are kept.
    digits : int
        Of the largest finite value.

    Returns
    -------
    ndarray
    """
    array = np.asarray(values, dtype=float)
    largest = np.abs(array[np.isfinite(array)]).max(initial=0.0)
    if largest == 0:
        return array
    return np.asarray(np.round(array, digits - int(np.ceil(np.log10(largest)))))
