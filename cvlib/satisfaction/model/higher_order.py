"""A model of constructs made of constructs, as the ordinary models its estimation takes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Construct, Item
from cvlib.words.message import message


def disjoint_first(model: Model) -> Model:
    """The model without its parents, each of whose paths is given to every dimension.

    Parameters
    ----------
    model : Model
        With parents.

    Returns
    -------
    Model
        All constructs with items, in their order; the items stay in their order too.

    References
    ----------
    Sarstedt, Hair, Cheah, Becker & Ringle (2019), Australasian Marketing Journal 27:197-211
    (disjoint two-stage).
    """
    stands_for = {parent.name: parent.dimensions for parent in model.parents}
    paths = [
        (cause, effect, "±" if {a, b} & set(stands_for) else sign)
        for a, b, sign in model.signed_paths
        for cause, effect in product(stands_for.get(a, (a,)), stands_for.get(b, (b,)))
    ]
    return _with(model, tuple(c for c in model.constructs if c.items), paths)


def repeated_items(model: Model) -> Model:
    """The model whose parents have every item of their dimensions once more.

    Arrows run from the parent to its dimensions in mode A, from the dimensions in mode B. Items of
    a parent are named ``parent.item``.

    References
    ----------
    Lohmöller (1989), Latent variable path modeling with partial least squares, ch. 3 [M].
    """
    known = {construct.name: construct for construct in model.constructs}
    constructs, paths = [], list(model.signed_paths)
    for construct in model.constructs:
        items = construct.items
        for dimension in construct.dimensions:
            items += tuple(
                replace(item, name=f"{construct.name}.{item.name}")
                for item in known[dimension].items
            )
            ends = (construct.name, dimension)
            paths.append((*(ends if construct.mode == "A" else ends[::-1]), "+"))
        constructs.append(replace(construct, items=items, dimensions=()))
    return _with(model, tuple(constructs), paths)


def second_order(model: Model) -> Model:
    """The model with dimensions in the place of items: what is read and reported.

    A dimension is an item on 0 to 100, the index of its construct; other constructs keep their
    items. The model itself where it has no parents.
    """
    if not model.parents:
        return model
    known = {construct.name: construct for construct in model.constructs}
    below = {name for parent in model.parents for name in parent.dimensions}
    constructs = tuple(
        replace(c, items=tuple(_as_item(known[name]) for name in c.dimensions), dimensions=())
        if c.dimensions else c
        for c in model.constructs if c.name not in below
    )  # fmt: skip
    return _with(model, constructs, list(model.signed_paths))


def of_scores(model: Model) -> Model:
    """As `second_order`, every other construct measured by its own score (embedded two-stage)."""
    short = second_order(model)
    named = {parent.name for parent in model.parents}
    constructs = tuple(c if c.name in named else replace(c, items=(_as_item(c),), mode="A")
                       for c in short.constructs)  # fmt: skip
    return replace(short, constructs=constructs)


def second_order_places(model: Model) -> list[tuple[int, int]]:
    """Places of every parent and each of its dimensions among the constructs."""
    names = model.construct_names
    return [(names.index(parent.name), names.index(dimension))
            for parent in model.parents for dimension in parent.dimensions]  # fmt: skip


def with_dimensions(model: Model) -> Model:
    """The model with an arrow from every parent to each of its dimensions among its paths."""
    names = model.construct_names
    arrows = [(names[parent], names[d], "+") for parent, d in second_order_places(model)]
    return replace(model, signed_paths=(*model.signed_paths, *arrows)) if arrows else model


def of_numbers(model: Model, what: str) -> None:
    """Refuse ordered answers where these are not offered."""
    if model.ordered:
        raise InputError(
            f"model {model.name}",
            message("refusals.takes_answers_as_ordered_categories", what=what),
            message("refusals.leave_ordered_out"),
        )


def ordinary(model: Model, what: str) -> None:
    """Refuse higher-order constructs and ordered answers where these are not offered."""
    of_numbers(model, what)
    if model.parents:
        raise InputError(
            f"model {model.name}",
            message("refusals.has_a_higher_order_construct", name=model.parents[0].name, what=what),
            message("refusals.let_the_paths_start_from"),
        )


def own_items(model: Model) -> np.ndarray:
    """(p, k) True where the item belongs to the construct or to one of its dimensions."""
    found = model.membership.copy()
    for parent, dimension in second_order_places(model):
        found[:, parent] |= model.membership[:, dimension]
    return found


def _as_item(construct: Construct) -> Item:
    return Item(construct.name, construct.name, construct.labels, "unspecified", 0.0, 100.0, "+",
                own_scale=True)  # fmt: skip


def _with(
    model: Model, constructs: tuple[Construct, ...], paths: list[tuple[str, str, str]]
) -> Model:
    return replace(model, constructs=constructs, signed_paths=tuple(paths), declared_paths=(),
                   adaptations=())  # fmt: skip
