"""A model written in code: constructs and paths in a few lines, checked like a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from cvlib.inputs.documents import Source
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.file import built, load_model
from cvlib.satisfaction.model.model import Model
from cvlib.words.message import message

AnyModel: TypeAlias = Model | str | Path | Mapping[str, Any]

_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+)\.\.(?P<last>\d+)")


class _Code(Source):
    """A document from code: what is wrong is named by its entry, not by a line."""

    remedy: str = message("refusals.correct_it_in_the_call")

    def __init__(self, name: str, content: Any) -> None:
        self.name, self.content, self._lines = f"model {name}", content, {}

    def error(self, at: Sequence[str | int], wrong: str, remedy: str) -> InputError:
        return InputError(", ".join([self.name, *map(str, at)]), wrong, remedy)


def model(
    constructs: Mapping[str, Any],
    paths: Mapping[str, Any] | Iterable[Sequence[str]],
    *,
    name: str = "own",
    title: str = "",
    scale: Sequence[float] = (1, 10),
    missing_codes: Sequence[float] = (),
    source: str = "written in code",
) -> Model:
    """A satisfaction model in a few lines.

    Parameters
    ----------
    constructs : mapping
        Name to its items: a list of columns, ``"IMAG1..5"`` for IMAG1 to IMAG5, one column, or a
        mapping as in a model file (``items``, ``mode`` A or B, labels ``en`` and ``zh``; or
        ``dimensions``, the names of the constructs a higher-order construct is made of, and
        ``stages`` disjoint, embedded or repeated).
    paths : mapping or sequence
        Cause to its effects (one, a list, or effect to expected sign +, -, ±), or pairs (cause,
        effect) or triples with the sign.
    name, title : str
        Of the model; the title is the name unless given.
    scale : sequence of two floats
        Lowest and highest answer.
    missing_codes : sequence of float
        Codes that mean no answer.
    source : str
        Where the model comes from.

    Returns
    -------
    Model
        Ready for `pls`, `sem` and all others; ``.save("mine.yaml")`` keeps it as a file.

    Raises
    ------
    InputError
        As `load_model`, naming the construct or path.

    Examples
    --------
    >>> import cvlib as cv
    >>> mine = cv.satisfaction.model(
    ...     constructs={"quality": "PERQ1..7", "satisfaction": "CUSA1..3", "loyalty": "CUSL1..3"},
    ...     paths={"quality": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    ... )
    >>> mine.columns[:3]
    ('PERQ1', 'PERQ2', 'PERQ3')
    >>> round(float(cv.satisfaction.pls("mobi", mine).index["index"].iloc[1]), 1)
    72.6

    References
    ----------
    The notation is that of Ray, Danks & Calero Valdez, R package seminr.
    """
    content = {
        "name": name, "title": {"en": title or name}, "source": source, "scale": list(scale),
        "missing_codes": list(missing_codes),
        "constructs": {key: _construct(key, value) for key, value in constructs.items()},
        "paths": _paths(paths),
    }  # fmt: skip
    return built(_Code(name, content))


def as_model(given: AnyModel, scale: Sequence[float] = ()) -> Model:
    """A model as it is given: built, the name of a shipped one, a YAML file, or its mapping.

    Parameters
    ----------
    given : Model, str, Path or mapping
        A mapping has the entries of a model file, or only ``constructs`` and ``paths``.
    scale : sequence of two floats
        As in `Model.with_scale`; empty for the model's own.
    """
    if isinstance(given, Model):
        return given.with_scale(scale)
    if isinstance(given, str | Path):
        return load_model(given, scale)
    if not isinstance(given, Mapping) or not {"constructs", "paths"} <= set(given):
        raise InputError("model", message("refusals.is_neither_a_model_a"),
                         message("refusals.give_a_mapping_with_constructs"))  # fmt: skip
    title = given.get("title", given.get("name", "own"))
    content = {"name": "own", "source": "written in code", "scale": [1, 10], **given,
               "title": {"en": title} if isinstance(title, str) else title,
               "constructs": {key: _construct(key, value)
                              for key, value in dict(given["constructs"]).items()},
               "paths": _paths(given["paths"])}  # fmt: skip
    return built(_Code(str(content["name"]), content)).with_scale(scale)


def _construct(name: str, given: Any) -> Any:
    if isinstance(given, Mapping) and {"dimensions", "higher_order"} & set(given):
        return {"en": name, **given}
    if isinstance(given, Mapping) and "items" in given:
        items = given["items"]
        return {"en": name, **given,
                "items": items if isinstance(items, Mapping) else _items(items)}  # fmt: skip
    return {"en": name, "items": _items(given)}


def _items(given: Any) -> list[Any]:
    """Columns, ranges of columns written out."""
    found: list[Any] = []
    for part in [given] if isinstance(given, str) else list(given):
        match = _RANGE.fullmatch(part) if isinstance(part, str) else None
        if match:
            first, last = int(match["first"]), int(match["last"])
            width = len(match["first"]) if match["first"].startswith("0") else 0
            found += [f"{match['stem']}{number:0{width}d}" for number in range(first, last + 1)]
        else:
            found.append(part)
    return found


def _paths(given: Mapping[str, Any] | Iterable[Sequence[str]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if not isinstance(given, Mapping):
        for path in given:
            if isinstance(path, str) or len(path) not in (2, 3):
                raise InputError(
                    "paths",
                    message("refusals.is_not_a_path", path=path),
                    message("refusals.write_cause_effect"),
                )
            found.setdefault(path[0], {})[path[1]] = path[2] if len(path) == 3 else "±"
        return found
    for cause, effects in given.items():
        if isinstance(effects, Mapping):
            found[cause] = dict(effects)
        else:
            listed = [effects] if isinstance(effects, str) else list(effects)
            found[cause] = dict.fromkeys(listed, "±")
    return found
