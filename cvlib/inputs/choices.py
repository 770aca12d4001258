"""One check for a choice, one for a number in a range, one for a count: what a parameter may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from cvlib.inputs.errors import InputError, nearest, shorten


def one_of(
    where: str,
    value: Any,
    known: Iterable[Any],
    remedy: str = "",
    *,
    wrong: str = "is not offered",
) -> Any:
    """The value, which is one of those known.

    Parameters
    ----------
    where : str
        The parameter.
    value : object
        What was given for it.
    known : iterable
        What may be given.
    remedy : str
        Said after the nearest known value.
    wrong : str
        What is said of a value that is not known.

    Returns
    -------
    object
        The value.

    Raises
    ------
    InputError
        Naming the nearest known value, or all of them.
    """
    offered = list(known)
    # a list or an array given for a name cannot be looked up, and True is no 1
    if any(type(value) is type(each) and value == each for each in offered):
        return value
    if isinstance(value, str) and value in offered:
        return value
    names = [str(each) for each in offered]
    hint = f"{nearest(str(value), names)} {remedy}".strip()
    raise InputError(where, f"{shorten(value)} {wrong}", hint)


def number(
    where: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    ends: str = "[]",
    remedy: str = "",
) -> float:
    """The value, which is a finite number in a range.

    Parameters
    ----------
    where : str
        The parameter.
    value : object
        What was given for it.
    low, high : float
        Ends of the range.
    ends : {"[]", "(]", "[)", "()"}
        Which ends belong to it.
    remedy : str
        Said after the range.

    Returns
    -------
    float
        The value.

    Raises
    ------
    InputError
        Naming the range.
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if real and abs(value) < math.inf:  # which NaN is not
        above = value >= low if ends[0] == "[" else value > low
        below = value <= high if ends[1] == "]" else value < high
        if above and below:
            return float(value)
    hint = f"Give {_range(low, high, ends)}. {remedy}".strip()
    raise InputError(where, f"{_shown(value)} is not {_range(low, high, ends)}", hint)


def whole(where: str, value: Any, low: int = 0, high: int | None = None, remedy: str = "") -> int:
    """The value, which is a whole number in a range.

    Parameters
    ----------
    where : str
        The parameter.
    value : object
        What was given for it.
    low : int
        The least it may be.
    high : int, optional
        The most it may be.
    remedy : str
        Said after the range.

    Returns
    -------
    int
        The value.

    Raises
    ------
    InputError
        Naming the range.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        found = int(value)
        if found >= low and (high is None or found <= high):
            return found
    wanted = f"a whole number from {low} to {high}" if high is not None else (
        f"a whole number of {low} or more"
    )  # fmt: skip
    raise InputError(where, f"{_shown(value)} is not {wanted}", f"Give {wanted}. {remedy}".strip())


def _shown(value: Any) -> str:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:.10g}" if plain and abs(value) < 1e15 else shorten(value)


def _range(low: float, high: float, ends: str) -> str:
    """The range in words."""
    if math.isinf(low) and math.isinf(high):
        return "a number"
    if math.isinf(high):
        return f"a number of {low:g} or more" if ends[0] == "[" else f"a number above {low:g}"
    if math.isinf(low):
        return f"a number of {high:g} or less" if ends[1] == "]" else f"a number below {high:g}"
    bounds = f"{low:g} and {high:g}"
    outside = {"[]": "", "(]": f", above {low:g}", "[)": f", below {high:g}",
               "()": ", both excluded"}[ends]  # fmt: skip
    return f"a number between {bounds}{outside}"
