"""What a model file may say of higher-order constructs."""

from __future__ import annotations

from typing import Any

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import nearest


def check_dimensions(source: Source, form: Any, touched: set[str]) -> set[str]:
    """The dimensions of all higher-order constructs, each of one parent and without own paths.

    Parameters
    ----------
    source : Source
        The document, which names the line at fault.
    form : model form
        `constructs` by name, and `paths`.
    touched : set of str
        Constructs that a path touches.
    """
    parent: dict[str, str] = {}
    for name, spec in form.constructs.items():
        at = ("constructs", name)
        if not spec.dimensions:
            continue
        if len(set(spec.dimensions)) < 2:
            raise source.error(at, f"{name} has fewer than two dimensions",
                               "Name two constructs or more, or give it items.")  # fmt: skip
        if spec.mode == "unit" or spec.role or spec.moderates:
            raise source.error(at, f"{name} has dimensions, with which mode unit, a role and"
                               " `moderates` do not go", "Use mode A or B alone.")  # fmt: skip
        for dimension in spec.dimensions:
            own = form.constructs.get(dimension)
            if own is None:
                raise source.error(at, f"unknown construct {dimension!r}",
                                   nearest(dimension, list(form.constructs)))  # fmt: skip
            if own.dimensions:
                raise source.error(at, f"{dimension} has dimensions itself: a third order",
                                   "Two orders are estimated: list its dimensions in its"
                                   " place.")  # fmt: skip
            if dimension in parent:
                raise source.error(at, f"{dimension} is a dimension of {parent[dimension]} and of"
                                   f" {name}", "A dimension has one parent.")  # fmt: skip
            if dimension in touched:
                raise source.error(("paths",), f"{dimension} is a dimension of {name} and has a"
                                   " path of its own", f"Let the path start from or lead to {name},"
                                   " or make it no dimension.")  # fmt: skip
            parent[dimension] = name
        caused = any(name in targets for targets in form.paths.values())
        if spec.stages == "repeated" and spec.mode == "B" and caused:
            raise source.error(at, f"{name} is formed of its dimensions (mode B) and has causes:"
                               " with repeated items the dimensions explain it completely and the"
                               " causes nothing", "Use stages disjoint or embedded.")  # fmt: skip
    return set(parent)
