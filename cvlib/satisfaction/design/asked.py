"""What a questionnaire asks beside a model's items: questions about a whole, and a marker."""

from __future__ import annotations

from dataclasses import replace

from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Construct, Item

_MARKER = {"en": "Not related to the other questions", "zh": "与其他题项无关的问题"}


def with_further_questions(model: Model) -> Model:
    """The model with `global` questions among the items and its `marker` in a block of its own.

    The sections of a report that need them could not be computed from a survey that leaves them
    out. They have no wording in the model file, which the questionnaire marks.

    Parameters
    ----------
    model : Model
        As it is written; questions that are items already are not asked twice.

    Returns
    -------
    Model
        To be asked, not to be estimated.
    """
    asked, scale = set(model.columns), model.item_list[0]
    constructs = []
    for construct in model.constructs:
        if construct.global_item and construct.global_item not in asked:
            asked.add(construct.global_item)
            like = construct.items[0] if construct.items else scale
            question = _question(construct.global_item, like)
            construct = replace(construct, items=(*construct.items, question))
        constructs.append(construct)
    if model.marker and model.marker not in asked:
        asked.add(model.marker)
        name = "unrelated"
        while name in {*model.construct_names, *asked}:
            name += "_"
        constructs.append(Construct(name, _MARKER, "A", (_question(model.marker, scale),)))
    if len(asked) == len(model.columns):
        return model
    return replace(model, constructs=tuple(constructs), adaptations=())


def _question(column: str, like: Item) -> Item:
    """A question without wording, on the scale of an item."""
    return Item(column, column, {"en": column}, "unspecified", like.minimum, like.maximum, "+",
                like.missing_codes)  # fmt: skip
