"""Doors are documented: parameters, what is returned, and an example that runs."""

import doctest
from typing import Any

import pytest
from numpydoc.validate import validate

import cvlib
from cvlib.results import Result

ROOMS = ("satisfaction", "weighting", "lifetime", "customer")
DOORS = {
    **{
        f"{room}.{name}": getattr(getattr(cvlib, room), name)
        for room in ROOMS
        for name in getattr(getattr(cvlib, room), "__all__", ())
    },
    "load": cvlib.load,
    "Record": cvlib.Record,
    "Result": Result,
}
# By numpydoc's names: parameters named, known and in order; what is returned; a summary with a
# capital and a stop; an example; a docstring at all.
CHECKS = {
    "PR01", "PR02", "PR03", "RT01", "RT03", "SS01", "SS02", "SS03", "SS04", "EX01", "GL08",
}  # fmt: skip


def faults(door: Any) -> list[str]:
    """What numpydoc finds wrong with a docstring, of what matters here."""
    found = validate(f"{door.__module__}.{door.__qualname__}")["errors"]
    return [f"{code} {text}" for code, text in found if code in CHECKS]


def undocumented(taken: int) -> int:  # noqa: D417
    """Double a number.

    Parameters
    ----------
    given : int
        Of another name than the signature's.
    """
    return 2 * taken


@pytest.mark.parametrize("name", DOORS)
def test_every_door_is_documented(name: str) -> None:
    assert not faults(DOORS[name])


def test_what_is_not_documented_is_found() -> None:
    assert {fault[:4] for fault in faults(undocumented)} == {"PR01", "PR02", "RT01", "EX01"}


@pytest.mark.parametrize("name", DOORS)
def test_the_example_of_every_door_runs(name: str) -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(DOORS[name], name, globs={})
    assert example.examples, name
    assert not doctest.DocTestRunner(verbose=False).run(example).failed, name
