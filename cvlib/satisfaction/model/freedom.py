"""Residual covariances and equalities that a model file asks of covariance SEM."""

from __future__ import annotations

from typing import Any

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import nearest
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Freedom

ARROW = "->"


def checked_freedom(source: Source, model: Model, form: Any) -> Freedom:
    """The block `covariance` of a model file: names that exist, pairs that can be.

    Parameters
    ----------
    source : Source
        The document, which names the line at fault.
    model : Model
        Built from the rest of it.
    form : model form
        `residuals` and `equal`.
    """
    constructs, items = model.construct_names, model.items
    for number, pair in enumerate(form.residuals):
        at = ("covariance", "residuals", number)
        kinds = {name in constructs for name in pair}
        strange = [name for name in pair if name not in (*constructs, *items)]
        if strange:
            raise source.error(at, f"unknown name {strange[0]!r}",
                               nearest(strange[0], [*constructs, *items]))  # fmt: skip
        if len(set(pair)) < 2 or len(kinds) > 1:
            raise source.error(at, f"{' and '.join(pair)} cannot covary",
                               "Name two different items, or two constructs.")  # fmt: skip
    for number, names in enumerate(form.equal):
        at = ("covariance", "equal", number)
        if len(set(names)) < 2:
            raise source.error(at, "holds fewer than two parameters", "Name two or more.")
        if len({ARROW in name for name in names}) > 1:
            raise source.error(at, "ties a loading to a path", "Tie loadings, or paths.")
        for name in names:
            if ARROW in name:
                ends = tuple(part.strip() for part in name.split(ARROW))
                if ends not in {path[:2] for path in model.signed_paths}:
                    raise source.error(at, f"{name} is not a path of the model",
                                       "Write cause -> effect as under paths.")  # fmt: skip
            elif name not in items:
                raise source.error(at, f"unknown item {name!r}", nearest(name, list(items)))
            elif items.index(name) in model.starts:
                raise source.error(at, f"{name} is the first item of its construct, whose loading"
                                   " is fixed at 1", "Tie the other items.")  # fmt: skip
    return Freedom(tuple(map(tuple, form.residuals)), tuple(map(tuple, form.equal)))


def kept(model: Model) -> Freedom:
    """What is left of it for a model whose items or constructs were dropped."""
    there = {*model.items, *model.construct_names, *(f"{a}{ARROW}{b}" for a, b, _ in
             model.signed_paths)}  # fmt: skip

    def known(name: str) -> bool:
        return name.replace(" ", "") in there if ARROW in name else name in there

    equal = (tuple(filter(known, names)) for names in model.freedom.equal)
    return Freedom(
        tuple(pair for pair in model.freedom.residuals if all(map(known, pair))),
        tuple(names for names in equal if len(names) > 1),
    )
