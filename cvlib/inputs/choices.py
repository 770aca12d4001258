"""One check for a choice, one for a number in a range, one for a count: what a parameter may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from cvlib.inputs.errors import InputError, nearest, shorten
from cvlib.words.message import joined, message


def one_of(
    where: str,
    value: Any,
    known: Iterable[Any],
    remedy: str = "",
    *,
    wrong: str = "",
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
        What is said of a value that is not known: a message, or that it is not offered.

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
    said = wrong or message("refusals.is_not_offered")
    raise InputError(
        where, message("refusals.value_is", value=shorten(value), said=said),
        joined([nearest(str(value), names), remedy]),
    )  # fmt: skip


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
    raise _not(where, value, _range(low, high, ends), remedy)


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
    bounds = {"low": low} if high is None else {"low": low, "high": high}
    wanted = message(f"refusals.whole_{'from' if high is None else 'between'}", **bounds)
    raise _not(where, value, wanted, remedy)


def _not(where: str, value: Any, wanted: str, remedy: str) -> InputError:
    wrong = message("refusals.value_is_not", value=_shown(value), wanted=wanted)
    return InputError(where, wrong, joined([message("refusals.give", wanted=wanted), remedy]))


def _shown(value: Any) -> str:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:.10g}" if plain and abs(value) < 1e15 else shorten(value)


def _range(low: float, high: float, ends: str) -> str:
    """The range in words."""
    if math.isinf(low) and math.isinf(high):
        return message("refusals.any_number")
    if math.isinf(high):
        return message(f"refusals.number_{'from' if ends[0] == '[' else 'above'}", low=low)
    if math.isinf(low):
        return message(f"refusals.number_{'to' if ends[1] == ']' else 'below'}", high=high)
    kind = {"[]": "between", "(]": "between_open_below", "[)": "between_open_above",
            "()": "between_open"}[ends]  # fmt: skip
    return message(f"refusals.number_{kind}", low=low, high=high)
