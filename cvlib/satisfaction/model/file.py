"""The YAML form of a model: its schema, and what a schema cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError, nearest
from cvlib.satisfaction.model.dimensions import check_dimensions
from cvlib.satisfaction.model.freedom import checked_freedom
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import (
    INTERACTIONS,
    STAGES,
    Adaptation,
    Construct,
    Item,
    Moderation,
    causal_order,
)
from cvlib.words.message import message
from cvlib.words.said import Label

WORDINGS = (
    "expectation",  # asked about the time before use
    "evaluation",  # a rating after use
    "disconfirmation",  # against what was expected
    "ideal",  # against an ideal supplier
    "incidence",  # did it happen, how often
    "handling",  # how well it was dealt with
    "intention",  # what the customer will do
    "tolerance",  # how far a price may move
    "context",  # the market, not the supplier
    "unspecified",
)
_SIGNS = {"+": "+", "-": "-", "−": "-", "±": "±", "+/-": "±", "+-": "±"}


def _sign(value: Any) -> str:
    if not isinstance(value, str) or value not in _SIGNS:
        raise ValueError(message("refusals.not_a_sign", value=str(value)))
    return _SIGNS[value]


def _direction(value: Any) -> str:
    if value not in ("+", "-", "−"):
        raise ValueError(message("refusals.not_a_direction", value=str(value)))
    return _SIGNS[value]


def _labelled(value: Any) -> Any:
    """Answers in words to numbers; YAML reads some words as true and false."""
    if not isinstance(value, dict):
        raise ValueError(message("refusals.write_answers_and_numbers"))
    words = {True: ("yes", "true", "on"), False: ("no", "false", "off")}
    found: dict[Any, Any] = {}
    for label, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(message("refusals.answer_without_number", label=str(label),
                                     number=str(number)))  # fmt: skip
        names = words[label] if isinstance(label, bool) else (label,)
        found |= dict.fromkeys(names, float(number))
    return found


Values = Annotated[dict[Any, float], BeforeValidator(_labelled)]
Sign = Annotated[str, BeforeValidator(_sign)]
Direction = Annotated[str, BeforeValidator(_direction)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Text(_Form):
    en: str | None = None
    zh: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_one_language(cls, value: Any) -> Any:
        return {"en": value} if isinstance(value, str) else value


class _ItemForm(_Form):
    en: str | None = None
    zh: str | None = None
    wording: Literal[WORDINGS] = "unspecified"  # type: ignore[valid-type]
    scale: tuple[float, float] | None = None
    direction: Direction = "+"
    column: str | None = None
    missing_codes: tuple[float, ...] = ()
    values: Values = Field(default_factory=dict)


class _ConstructForm(_Form):
    en: str | None = None
    zh: str | None = None
    mode: Literal["A", "B", "unit"] = "A"
    items: dict[str, _ItemForm] = Field(default_factory=dict)
    dimensions: tuple[str, ...] = Field(
        default=(), validation_alias=AliasChoices("dimensions", "higher_order")
    )
    stages: Literal[STAGES] = "disjoint"  # type: ignore[valid-type]
    role: Literal["antecedent", "moderator", "group"] | None = None
    global_item: str = Field(default="", alias="global")
    moderates: dict[str, dict[str, Sign]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_one_kind(self) -> _ConstructForm:
        if self.items and self.dimensions:
            raise ValueError("has items and dimensions: an item measures a dimension, so list only"
                             " the dimensions")  # fmt: skip
        if not self.items and not self.dimensions:
            raise ValueError(message("refusals.construct_without_items"))
        if not self.dimensions and "stages" in self.model_fields_set:
            raise ValueError("stages belong to a construct with dimensions")
        return self

    @field_validator("items", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, list):
            odd = [name for name in value if not isinstance(name, str | int | float)]
            if odd:
                raise ValueError(f"{odd[0]!r} is not the name of an item")
            twice = sorted({str(name) for name in value if value.count(name) > 1})
            if twice:
                raise ValueError(message("refusals.item_twice", item=twice[0]))
            value = {str(name): {} for name in value}
        if isinstance(value, dict):
            value = {name: {} if form is None else form for name, form in value.items()}
        return value


class _InteractionForm(_Form):
    of: tuple[str, str]
    on: str
    sign: Sign = "±"
    method: Literal[INTERACTIONS] = "two_stage"  # type: ignore[valid-type]


class _AdaptationForm(_Form):
    items_from: str
    constructs: dict[str, tuple[str, ...]]
    signs: dict[str, dict[str, Sign]] = Field(default_factory=dict)
    note: str | _Text


class _FreedomForm(_Form):
    residuals: tuple[tuple[str, str], ...] = ()
    equal: tuple[tuple[str, ...], ...] = ()


class _ModelForm(_Form):
    name: str
    title: _Text = _Text()
    source: str = ""
    evidence: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str | _Text, ...] = ()
    scale: tuple[float, float] | None = None
    missing_codes: tuple[float, ...] = ()
    values: Values = Field(default_factory=dict)
    constructs: dict[str, _ConstructForm]
    paths: dict[str, dict[str, Sign]]
    interactions: tuple[_InteractionForm, ...] = ()
    marker: str = ""
    ordered: bool | tuple[str, ...] = False
    covariance: _FreedomForm = _FreedomForm()
    adaptations: dict[str, _AdaptationForm] = Field(default_factory=dict)
    adapted: str = ""
    dropped: tuple[str, ...] = ()
    group: str | None = None


def available_models() -> list[str]:
    """Names of the shipped models.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> import cvlib as cv
    >>> "ecsi_mobile" in cv.satisfaction.available_models()
    True
    """
    folder = resources.files("cvlib.satisfaction") / "models"
    return sorted(
        f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")
    )


def load_model(name_or_path: str | Path, scale: Sequence[float] = ()) -> Model:
    """Read and check a model: a shipped name ("ecsi_mobile") or a YAML file of the same form.

    Parameters
    ----------
    name_or_path : str or Path
        The model.
    scale : sequence of two floats
        As in `Model.with_scale`; empty for the model's own.

    Returns
    -------
    Model
        Constructs, items, paths, scale.

    Raises
    ------
    InputError
        Naming the file, the line and the reason: unknown construct in a path, paths in a circle,
        a construct without items or without paths, an item used twice, no scale, a wrong sign.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.load_model("acsi").construct_names[-1]
    'loyalty'
    """
    text = str(name_or_path)
    if text in available_models():
        path = Path(str(resources.files("cvlib.satisfaction") / "models" / f"{text}.yaml"))
    elif text.endswith((".yaml", ".yml")):
        path = Path(text)
    else:
        raise InputError(f"model {text!r}", message("refusals.model_not_found"),
                         nearest(text, available_models()))  # fmt: skip
    return read_model(path, scale)


def read_model(path: Path, scale: Sequence[float] = ()) -> Model:
    """Read, check and build a model from its file; `scale` as in `Model.with_scale`."""
    return built(Source(path), scale)


def built(source: Source, scale: Sequence[float] = ()) -> Model:
    """Check and build a model from a document that was read, or was written in code."""
    form = source.parse(_ModelForm)
    if form.scale is None and len(scale) == 2:
        form = form.model_copy(update={"scale": tuple(scale)})
    _check(source, form)
    model = Model(
        name=form.name,
        title=_labels(form.title, form.name),
        source=form.source,
        constructs=tuple(_construct(form, name, spec) for name, spec in form.constructs.items()),
        signed_paths=tuple((a, b, s) for a, to in form.paths.items() for b, s in to.items()),
        evidence=form.evidence,
        notes=tuple(map(_note, form.notes)),
        adaptations=tuple(
            Adaptation(
                survey, a.items_from, a.constructs,
                {(x, y): s for x, to in a.signs.items() for y, s in to.items()},
                _note(a.note),
                _lent(a),
            )
            for survey, a in form.adaptations.items()
        ),
    )  # fmt: skip
    model = replace(
        model, adapted=form.adapted, dropped=form.dropped, group=form.group, marker=form.marker,
        moderations=tuple(Moderation(i.of[1], i.of[0], i.on, i.sign, i.method)
                          for i in form.interactions),
    )  # fmt: skip
    model = model.with_ordered(_ordered(source, form))
    model = replace(model, freedom=checked_freedom(source, model, form.covariance))
    for construct in model.constructs:
        if construct.role in ("moderator", "group"):
            model = model.with_role(construct.name, construct.role)
    return model.with_scale(scale)


def _lent(form: _AdaptationForm) -> tuple[Item, ...]:
    """The items an adaptation takes from another model, each once."""
    wanted = {name for names in form.constructs.values() for name in names}
    return tuple(item for item in _shipped(form.items_from).item_list if item.name in wanted)


@cache
def _shipped(name: str) -> Model:
    return load_model(name)


def _ordered(source: Source, form: _ModelForm) -> bool:
    """Whether all items are ordered categories; some of them is not offered."""
    if isinstance(form.ordered, bool):
        return form.ordered
    items = [item for spec in form.constructs.values() for item in spec.items]
    rest = [item for item in items if item not in form.ordered]
    strange = [name for name in form.ordered if name not in items]
    if rest or strange:
        name = (strange or rest)[0]
        wrong = (
            f"{name} is no item"
            if strange
            else f"leaves {name} out: correlations of ordered"
            " categories with numbers are not offered"
        )
        raise source.error(("ordered",), wrong, "Write `ordered: true` for all items, or leave it"
                           " out.")  # fmt: skip
    return True


def _note(text: str | _Text) -> str:
    return text if isinstance(text, str) else Label(_labels(text, ""))


def _labels(form: Any, fallback: str) -> dict[str, str]:
    english = form.en or form.zh or fallback
    return {"en": english, "zh": form.zh or english}


def _construct(form: _ModelForm, name: str, spec: _ConstructForm) -> Construct:
    items = tuple(
        Item(
            name=item,
            column=entry.column or item,
            labels=_labels(entry, item),
            wording=entry.wording,
            minimum=(entry.scale or form.scale or (0, 0))[0],
            maximum=(entry.scale or form.scale or (0, 0))[1],
            direction=entry.direction,
            missing_codes=(*form.missing_codes, *entry.missing_codes),
            values=entry.values or form.values,
            own_scale=entry.scale is not None,
        )
        for item, entry in spec.items.items()
    )
    slopes = tuple((a, b, s) for a, to in spec.moderates.items() for b, s in to.items())
    return Construct(
        name, _labels(spec, name), spec.mode, items, spec.role, slopes, spec.global_item,
        spec.dimensions, spec.stages,
    )  # fmt: skip


def _check(source: Source, form: _ModelForm) -> None:
    """What a schema cannot say: references, circles, scales."""
    names = list(form.constructs)

    def known(name: str, at: tuple[str, ...]) -> None:
        if name not in form.constructs:
            raise source.error(at, message("refusals.unknown_construct", name=name),
                               nearest(name, names))  # fmt: skip

    seen: dict[str, str] = {}
    for construct, spec in form.constructs.items():
        if spec.role == "moderator" and not spec.moderates:
            raise source.error(("constructs", construct), "a moderator that moderates nothing",
                               "Add `moderates: {source: {target: sign}}`.")  # fmt: skip
        for item, entry in spec.items.items():
            at = ("constructs", construct, "items", item)
            if item in seen:
                raise source.error(at, message("refusals.item_belongs_to", item=item,
                                               construct=seen[item]),
                                   message("refusals.item_belongs_to_remedy"))  # fmt: skip
            seen[item] = construct
            scale = entry.scale or form.scale
            if scale is None:
                raise source.error(at, message("refusals.item_without_scale", item=item),
                                   message("refusals.item_without_scale_remedy"))  # fmt: skip
            if not -inf < scale[0] < scale[1] < inf:
                raise source.error(at, message("refusals.scale_empty", item=item,
                                               scale=str(list(scale))),
                                   message("refusals.is_not_a_scale_remedy"))  # fmt: skip
        for cause, targets in spec.moderates.items():
            for name in (cause, *targets):
                known(name, ("constructs", construct, "moderates"))
    for cause, targets in form.paths.items():
        known(cause, ("paths", cause))
        for target in targets:
            known(target, ("paths", cause, target))
            if target == cause:
                raise source.error(("paths", cause, target),
                                   message("refusals.points_at_itself", name=cause),
                                   message("refusals.remove_the_path"))  # fmt: skip
    _check_interactions(source, form)
    paths = [(a, b, s) for a, to in form.paths.items() for b, s in to.items()]
    touched = {name for path in paths for name in path[:2]}
    touched |= check_dimensions(source, form, touched)
    for name in names:
        if name not in touched:
            raise source.error(("constructs", name), message("refusals.no_path_touches", name=name),
                               message("refusals.no_path_touches_remedy"))  # fmt: skip
    if not causal_order(tuple(names), paths):
        raise source.error(("paths",), message("refusals.paths_in_a_circle"),
                           message("refusals.paths_in_a_circle_remedy"))  # fmt: skip
    for survey, adaptation in form.adaptations.items():
        if adaptation.items_from not in available_models():
            raise source.error(
                ("adaptations", survey),
                f"items_from {adaptation.items_from!r} is not a shipped model",
                nearest(adaptation.items_from, available_models()),
            )
        for name in adaptation.constructs:
            known(name, ("adaptations", survey, "constructs", name))


def _check_interactions(source: Source, form: _ModelForm) -> None:
    """Main effects on the same target, one method for all, none twice."""
    seen: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(form.interactions):
        at = ("interactions", number)
        for name in (*entry.of, entry.on):
            if name not in form.constructs:
                raise source.error(at, f"unknown construct {name!r}",
                                   nearest(name, list(form.constructs)))  # fmt: skip
        for name in dict.fromkeys(entry.of):
            if entry.on not in form.paths.get(name, {}):
                raise source.error(at, f"{' x '.join(entry.of)} acts on {entry.on}, but {name}"
                                   " alone has no path to it",
                                   f"Add the main effect: paths: {{{name}: {{{entry.on}: ±}}}}.",
                                   )  # fmt: skip
        key = (*sorted(entry.of), entry.on)
        if key in seen:
            raise source.error(at, f"{' x '.join(entry.of)} on {entry.on} is written twice",
                               "Remove one.")  # fmt: skip
        seen.add(key)  # type: ignore[arg-type]
        if entry.method != form.interactions[0].method:
            raise source.error(at, f"method {entry.method} beside {form.interactions[0].method}",
                               "Use one method for all interactions of a model.")  # fmt: skip
    for name, spec in form.constructs.items():
        if (
            spec.role == "moderator"
            and form.interactions
            and form.interactions[0].method != "two_stage"
        ):
            raise source.error(("constructs", name), "its role as moderator takes the two-stage"
                               f" method, the interactions take {form.interactions[0].method}",
                               "Use two_stage.")  # fmt: skip
