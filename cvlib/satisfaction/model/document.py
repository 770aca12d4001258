"""A model as plain values: what its YAML file holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cvlib.words.said import Label

if TYPE_CHECKING:
    from cvlib.satisfaction.model.model import Construct, Model
    from cvlib.satisfaction.model.parts import Freedom


def _text(note: str) -> str | dict[str, str]:
    return dict(note.labels) if isinstance(note, Label) else str(note)


def document(model: Model) -> dict[str, Any]:
    """A model in the form of its file: plain values that YAML can hold."""
    # one scale for all stands at the top, as in a file written by hand
    usual = {(i.minimum, i.maximum) for i in model.item_list if not i.own_scale}
    shared = usual.pop() if len(usual) == 1 else None
    said = {"evidence": dict(model.evidence), "notes": list(map(_text, model.notes)),
            "adapted": str(model.adapted), "dropped": list(map(str, model.dropped)),
            "group": model.group, "ordered": model.ordered,
            "covariance": _freedom(model.freedom),
            "scale": [float(end) for end in shared or ()]}  # fmt: skip
    lent = {a.survey: {"items_from": a.items_from,
                       "constructs": {name: list(items) for name, items in a.constructs.items()},
                       "signs": _nested([(x, y, s) for (x, y), s in a.signs.items()]),
                       "note": _text(a.note)} for a in model.adaptations}  # fmt: skip
    by_role = {c.name for c in model.constructs if c.role == "moderator"}
    products = [{"of": [m.source, m.moderator], "on": m.target, "sign": m.sign, "method": m.method}
                for m in model.moderations if m.moderator not in by_role]  # fmt: skip
    return {
        "name": model.name, "title": dict(model.title), "source": model.source,
        **{name: value for name, value in said.items() if value},
        "constructs": {c.name: _construct_document(c, bool(shared)) for c in model.constructs},
        "paths": _nested(model.declared_paths or model.signed_paths),
        **({"interactions": products} if products else {}),
        **({"marker": model.marker} if model.marker else {}),
        **({"adaptations": lent} if lent else {}),
    }  # fmt: skip


def _construct_document(construct: Construct, shared: bool) -> dict[str, Any]:
    items = {}
    for item in construct.items:
        items[item.name] = {
            **item.labels, "wording": item.wording, "column": item.column,
            "scale": [] if shared and not item.own_scale
            else [float(item.minimum), float(item.maximum)], "direction": item.direction,
            "missing_codes": list(item.missing_codes), "values": dict(item.values),
        }  # fmt: skip
        items[item.name] = {name: value for name, value in items[item.name].items() if value}
    role = {"role": construct.role, "moderates": _nested(construct.moderates),
            "global": construct.global_item}  # fmt: skip
    parts = {"items": items} if not construct.dimensions else {
        "dimensions": list(construct.dimensions), "stages": construct.stages}  # fmt: skip
    return {**construct.labels, "mode": construct.mode, **parts,
            **{name: value for name, value in role.items() if value}}  # fmt: skip


def _freedom(freedom: Freedom) -> dict[str, list[list[str]]]:
    said = {"residuals": [list(pair) for pair in freedom.residuals],
            "equal": [list(names) for names in freedom.equal]}  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _nested(signed: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for first, second, sign in signed:
        found.setdefault(first, {})[second] = sign
    return found
