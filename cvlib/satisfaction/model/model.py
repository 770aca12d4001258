"""A structural model as data: constructs, items, scales, directions, paths with expected signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError, nearest
from cvlib.satisfaction.model.document import document
from cvlib.satisfaction.model.parts import (
    ROLES,
    Adaptation,
    Construct,
    Freedom,
    Item,
    Moderation,
    causal_order,
)
from cvlib.words.message import message


@dataclass(frozen=True)
class Model:
    """A structural model bound, or ready to be bound, to the columns of a survey.

    Attributes
    ----------
    name, source : str
    title : Mapping[str, str]
        By language, "en" and "zh".
    constructs : tuple of Construct
        Items are numbered construct by construct, in this order, in every array.
    signed_paths : tuple of (source, target, sign)
    evidence : Mapping[str, str]
        Where constructs, items and paths come from. [S] read in a source, [D] read in a package,
        [M] from memory of the paper (verify before citing), [brief] the project's founding
        documents, [P] our own proposal.
    notes : tuple of str
    adaptations : tuple of Adaptation
        Other surveys whose items can stand in for the published ones.
    moderations : tuple of Moderation
        Interactions, all by one method, and quadratic effects.
    marker : str
        Column of a question that has nothing to do with the constructs.
    ordered : bool
        Answers are ordered categories, analysed by polychoric correlations.
    freedom : Freedom
        Residual covariances and equalities of covariance SEM; PLS takes no notice.
    group : str or None
        Column of the group label where the market environment has the role "group".
    adapted : str
        Whose items stand in for the published ones, where they do.
    dropped : tuple of str
        What `map` left out, one sentence each.
    scale : (float, float) or None
        The survey's scale where `with_scale` set it.
    declared_paths : tuple of (source, target, sign)
        The paths before `with_role` changed them; empty where it did not.
    """

    name: str
    title: Mapping[str, str]
    source: str
    constructs: tuple[Construct, ...]
    signed_paths: tuple[tuple[str, str, str], ...]
    evidence: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    adaptations: tuple[Adaptation, ...] = ()
    moderations: tuple[Moderation, ...] = ()
    group: str | None = None
    marker: str = ""
    ordered: bool = False
    freedom: Freedom = field(default_factory=Freedom)
    adapted: str = ""
    dropped: tuple[str, ...] = ()
    scale: tuple[float, float] | None = field(default=None, compare=False)
    declared_paths: tuple[tuple[str, str, str], ...] = field(default=(), compare=False)

    @property
    def paths(self) -> pd.DataFrame:
        """Table of source, target and expected sign (+, -, ±)."""
        return pd.DataFrame(list(self.signed_paths), columns=["source", "target", "sign"])

    @cached_property
    def item_list(self) -> tuple[Item, ...]:
        """All items, construct by construct."""
        return tuple(item for construct in self.constructs for item in construct.items)

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Names of the p items."""
        return tuple(item.name for item in self.item_list)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Survey columns of the p items."""
        return tuple(item.column for item in self.item_list)

    @cached_property
    def construct_names(self) -> tuple[str, ...]:
        """Names of the k constructs."""
        return tuple(construct.name for construct in self.constructs)

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """Measurement mode of each construct; a single item is always its construct."""
        return tuple("unit" if len(c.items) == 1 else c.mode for c in self.constructs)

    @cached_property
    def parents(self) -> tuple[Construct, ...]:
        """Constructs made of other constructs; empty for an ordinary model."""
        return tuple(construct for construct in self.constructs if construct.dimensions)

    @cached_property
    def measured(self) -> tuple[int, ...]:
        """Positions of the constructs that have items."""
        return tuple(j for j, construct in enumerate(self.constructs) if construct.items)

    @cached_property
    def block(self) -> np.ndarray:
        """(p,) index of the construct of each item."""
        return np.repeat(np.arange(len(self.constructs)), [len(c.items) for c in self.constructs])

    @cached_property
    def starts(self) -> np.ndarray:
        """(k,) index of the first item of each construct."""
        return np.searchsorted(self.block, np.arange(len(self.constructs)))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The items of each construct, which stand together."""
        ends = [*self.starts[1:].tolist(), len(self.items)]
        return tuple(slice(a, b) for a, b in zip(self.starts.tolist(), ends, strict=True))

    @cached_property
    def membership(self) -> np.ndarray:
        """(p, k) True where the item belongs to the construct."""
        return self.block[:, None] == np.arange(len(self.constructs))

    @cached_property
    def adjacency(self) -> np.ndarray:
        """(k, k) True where there is a path from row to column."""
        found = np.zeros((len(self.constructs),) * 2, dtype=bool)
        for source, target, _ in self.signed_paths:
            found[self.construct_names.index(source), self.construct_names.index(target)] = True
        return found

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Constructs' positions with every cause before its effects."""
        return causal_order(self.construct_names, self.signed_paths)

    @cached_property
    def minimum(self) -> np.ndarray:
        """(p,) lowest possible answer."""
        return np.array([item.minimum for item in self.item_list])

    @cached_property
    def maximum(self) -> np.ndarray:
        """(p,) highest possible answer."""
        return np.array([item.maximum for item in self.item_list])

    @cached_property
    def reversed_items(self) -> np.ndarray:
        """(p,) True where answers are recoded to minimum + maximum - x."""
        return np.array([item.direction == "-" for item in self.item_list])

    def label(self, construct: str, language: str = "en") -> str:
        """A construct's (or interaction's) label in a language."""
        for found in self.constructs:
            if found.name == construct:
                return found.labels.get(language, found.labels["en"])
        return " × ".join(self.label(part, language) for part in construct.split(" x "))

    def without(self, constructs: Iterable[str], reason: str) -> Model:
        """The model less some constructs, their dimensions, and every path that touches them."""
        gone = set(constructs)
        if not gone:
            return self
        gone |= {name for parent in self.parents if parent.name in gone
                 for name in parent.dimensions}  # fmt: skip
        lost = [p for p in self.signed_paths if p[0] in gone or p[1] in gone]
        told = ", ".join(f"{a} -> {b}" for a, b, _ in lost) or message("satisfaction.no_paths")
        kept = tuple(
            replace(c, dimensions=tuple(name for name in c.dimensions if name not in gone))
            for c in self.constructs if c.name not in gone
        )  # fmt: skip
        short = [c.name for c in kept if not c.items and len(c.dimensions) < 2]
        if short:
            raise InputError(
                f"model {self.name}",
                message(
                    "refusals.without_has_fewer_than_two",
                    names=", ".join(sorted(gone)),
                    short=short[0],
                ),
                message("refusals.bind_the_items_of_these", short=short[0]),
            )
        left = tuple(p for p in self.signed_paths if p not in lost)
        touched = {name for path in left for name in path[:2]}
        touched |= {name for c in kept for name in c.dimensions}
        alone = [c.name for c in kept if c.name not in touched]
        if alone or not left:
            raise InputError(
                f"model {self.name}",
                message(
                    "refusals.without_no_path_reaches",
                    names=", ".join(sorted(gone)),
                    value=", ".join(alone) or "anyone",
                ),
                message("refusals.bind_the_items_of_these_2"),
            )
        return replace(
            self,
            constructs=kept,
            signed_paths=left,
            declared_paths=tuple(p for p in self.declared_paths if not gone & set(p[:2])),
            moderations=tuple(
                m for m in self.moderations if not gone & {m.moderator, m.source, m.target}
            ),
            dropped=(
                *self.dropped,
                message(
                    "satisfaction.constructs_gone",
                    constructs=", ".join(sorted(gone)),
                    reason=reason,
                    paths=told,
                ),
            ),
        )

    def with_scale(self, scale: Sequence[float]) -> Model:
        """The model for a survey with a scale of its own.

        Parameters
        ----------
        scale : sequence of two floats
            Lowest and highest answer of every item that has no scale of its own in the model file;
            empty leaves the model as it is.
        """
        if not len(scale):
            return self
        scaled = replace(self, scale=_scale(scale))
        constructs = tuple(
            replace(c, items=tuple(scaled._on_scale(item) for item in c.items))
            for c in self.constructs
        )
        return replace(scaled, constructs=constructs)

    def with_ordered(self, ordered: bool) -> Model:
        """The model with answers taken as ordered categories, where that is asked for."""
        return replace(self, ordered=True) if ordered and not self.ordered else self

    def _on_scale(self, item: Item) -> Item:
        """The item on the survey's scale, unless it has one of its own."""
        if self.scale is None or item.own_scale:
            return item
        return replace(item, minimum=self.scale[0], maximum=self.scale[1])

    def adapt(self, survey: str) -> Model:
        """The same constructs and paths measured by the items of another survey."""
        known = {adaptation.survey: adaptation for adaptation in self.adaptations}
        one_of(f"model {self.name}, survey", survey, known)
        chosen = known[survey]
        stock = {item.name: self._on_scale(item) for item in chosen.items}
        absent = [c.name for c in self.constructs
                  if c.name not in chosen.constructs and not c.dimensions]  # fmt: skip
        adapted = replace(
            self,
            constructs=tuple(
                replace(c, items=tuple(stock[name] for name in chosen.constructs.get(c.name, ())))
                for c in self.constructs
            ),
            signed_paths=tuple(
                (a, b, chosen.signs.get((a, b), sign)) for a, b, sign in self.signed_paths
            ),
            declared_paths=tuple(
                (a, b, chosen.signs.get((a, b), sign)) for a, b, sign in self.declared_paths
            ),
            notes=(),
            adapted=message("satisfaction.items_of", survey=survey, note=chosen.note),
            adaptations=(),
        )
        return adapted.without(absent, message("satisfaction.not_in_survey", survey=survey))

    def save(self, path: str | Path) -> Path:
        """Write the model as a YAML file that `load_model` reads back as an equal model.

        Parameters
        ----------
        path : str or Path
            Ending in ``.yaml``.
        """
        target = Path(path)
        if target.suffix not in (".yaml", ".yml"):
            raise InputError(
                f"file {target}",
                message("refusals.is_not_a_yaml_file"),
                message("refusals.end_its_name_with_yaml"),
            )
        text = yaml.safe_dump(document(self), allow_unicode=True, sort_keys=False, width=100)
        target.write_text(text, encoding="utf-8")
        return target

    def with_role(self, construct: str, role: str) -> Model:
        """Give the market environment its role: antecedent, moderator or group.

        As antecedent it keeps its paths. As moderator it acts on the targets whose slope it
        moderates (main effect) and through the interaction. As group it leaves the structure and
        its item is the group label.
        """
        found = next((c for c in self.constructs if c.name == construct), None)
        if found is None or found.role is None:
            able = [c.name for c in self.constructs if c.role is not None]
            raise InputError(
                f"model {self.name}",
                message("refusals.has_no_role_to_set", construct=construct),
                message("refusals.able", able=able),
            )
        one_of("role", role, ROLES)
        chosen = tuple(replace(c, role=role) if c is found else c for c in self.constructs)
        declared = self.declared_paths or self.signed_paths
        others = tuple(m for m in self.moderations if m.moderator != construct)
        base = replace(self, constructs=chosen, signed_paths=declared, declared_paths=declared,
                       moderations=others)  # fmt: skip
        if role == "antecedent":
            return base
        if role == "group":
            return replace(
                base.without([construct], message("satisfaction.group_label")),
                group=found.items[0].column,
            )
        targets = {target for _, target, _ in found.moderates}
        kept = [p for p in declared if p[0] != construct or p[1] in targets]
        main = [(construct, t, "±") for t in targets if (construct, t) not in {p[:2] for p in kept}]
        return replace(
            base,
            signed_paths=(*kept, *main),
            moderations=(
                *base.moderations,
                *(Moderation(construct, a, b, sign) for a, b, sign in found.moderates),
            ),
        )

    def map(
        self,
        columns: Iterable[str],
        mapping: Mapping[str, str] | None = None,
        *,
        drop_unmapped: bool = False,
    ) -> Model:
        """Bind the items to the columns of a survey.

        Parameters
        ----------
        columns : iterable of str
            The survey's column names.
        mapping : mapping of item to column, optional
            Items not named here are looked for under their own name. Where the published items
            are not in the survey and no mapping is given, an adaptation shipped with the model
            (`adaptations`) is used if all its items are there, and `adapted` says so.
        drop_unmapped : bool
            Leave out items (and constructs, with their paths) that have no column, and list them
            in `dropped`; otherwise they are an error.

        Returns
        -------
        Model
        """
        there = list(columns)
        given = dict(mapping or {})
        for item, column in given.items():
            one_of(
                f"mapping, {item}",
                item,
                self.items,
                wrong=message("refusals.is_not_an_item_of_model", model=self.name),
            )
            one_of(
                f"mapping, {item}", column, there, wrong=message("refusals.is_not_in_the_survey")
            )
        bound = {item.name: given.get(item.name, item.column) for item in self.item_list}
        unmapped = [name for name, column in bound.items() if column not in there]
        if unmapped and not given:
            for adaptation in self.adaptations:
                wanted = {name for names in adaptation.constructs.values() for name in names}
                if wanted <= set(there):
                    return self.adapt(adaptation.survey)._checked_drop(drop_unmapped)
        shared = [c for c in bound.values() if list(bound.values()).count(c) > 1 and c in there]
        if shared:
            raise InputError(
                f"model {self.name}", message("refusals.column_is_bound_to_two", shared=shared[0]),
                message("refusals.give_every_item_its_own"),
            )  # fmt: skip
        if unmapped and not drop_unmapped:
            raise InputError(
                f"model {self.name}",
                message("refusals.no_item_column", count=len(unmapped), items=", ".join(unmapped)),
                message("refusals.no_item_column_remedy", hint=nearest(unmapped[0], there)),
            )
        constructs = tuple(
            replace(
                c,
                items=tuple(
                    replace(item, column=bound[item.name])
                    for item in c.items
                    if item.name not in unmapped
                ),
            )
            for c in self.constructs
        )
        empty = [c.name for c in constructs if not c.items and not c.dimensions]
        partly = [n for c in self.constructs if c.name not in empty for n in
                  (item.name for item in c.items) if n in unmapped]  # fmt: skip
        told = tuple(message("satisfaction.item_without_column", item=name) for name in partly)
        mapped = replace(self, constructs=constructs, dropped=(*self.dropped, *told))
        return mapped.without(empty, message("satisfaction.without_column"))

    def _checked_drop(self, drop_unmapped: bool) -> Model:
        if self.dropped and not drop_unmapped:
            raise InputError(
                f"model {self.name}", "; ".join(self.dropped),
                message("refusals.bind_these_constructs_in_mapping"),
            )  # fmt: skip
        return self


def _scale(scale: Sequence[float]) -> tuple[float, float]:
    """A scale as given by hand: two numbers, the lower first."""
    try:
        low, high = (float(end) for end in scale)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError("scale", message("refusals.is_not_a_scale", scale=str(list(scale))),
                         message("refusals.is_not_a_scale_remedy"))  # fmt: skip
    return low, high
