"""What a public function hands back: named tables, warnings, sentences, charts, and their print."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from cvlib.words.language import Words
from cvlib.words.safe import neutralised
from cvlib.words.tables import escape_latex, printed, table_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROWS = 20  # of a table printed at the prompt; all of them are in `tables`


def by_name(name: str) -> Callable[..., Any]:
    """The function that ``module:function`` names: what stands above is known by its name alone."""
    module, function = name.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


class Result:
    """Base of every result.

    A subclass is a frozen dataclass (``@dataclass(frozen=True, eq=False, repr=False)``) whose
    DataFrame fields are its tables. It may name the tables that matter most (`headline_tables`),
    its sentences (`sentences`), the names its ids have in print (`names`) and its charts: `charts`
    maps a name to ``"module:function"``, called with what `chart_arguments` gives. `told_by` may
    name the function that words a result, where that needs more than the result itself knows.

    Examples
    --------
    >>> import cvlib as cv
    >>> result = cv.satisfaction.pls("mobi", "acsi")
    >>> "path_coefficients" in result.tables
    True
    """

    headline_tables: ClassVar[tuple[str, ...]] = ()
    charts: ClassVar[dict[str, str]] = {}
    told_by: ClassVar[str] = ""
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """What the numbers say, as messages: by `told_by`, else the verdict the result holds."""
        if not self.told_by:
            held = getattr(self, "verdict", None) or getattr(self, "sentence", None)
            return [held] if isinstance(held, str) else []
        told: list[str] = by_name(self.told_by)(self)
        return told

    def names(self, language: str = "en") -> Mapping[str, str]:
        """What the ids of constructs, items or indicators are called in a language."""
        return {}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with: the table of its name, if any."""
        return {name: self.tables[name], "language": language}

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table with rows, by its name; one within a mapping has the name it has there."""
        found: dict[str, pd.DataFrame] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            inner = value.items() if isinstance(value, Mapping) else [(field.name, value)]
            for name, table in inner:
                if isinstance(table, pd.Series):
                    table = table.rename(table.name or "value").reset_index()
                if isinstance(table, pd.DataFrame) and len(table):
                    found[str(name)] = table
        return found

    @property
    def plot(self) -> Plots:
        """The charts of this result: ``result.plot.name()``, or ``result.plot()`` for the first."""
        return Plots(self)

    def say(self, language: str = "en") -> str:
        """What the numbers say, in a language."""
        words = self._words(language)
        gap = "" if language == "zh" else " "
        return gap.join(words.text(sentence) for sentence in self.sentences())

    def summary(self, language: str = "en", decimals: int = 3) -> str:
        """Sentences, the most important tables and the warnings as plain text."""
        words = self._words(language)
        parts = [text] if (text := self.say(language)) else []
        for name, table in self._shown():
            shown, _ = printed(table.head(_ROWS), decimals, words, name)
            shown.columns = pd.Index(words.heads(map(str, table.columns), name))
            more = f"\n({len(table):,} rows)" if len(table) > _ROWS else ""
            parts.append(f"{words.head(name)}\n{shown.to_string(index=False)}{more}")
        parts += [f"! {words.text(warning)}" for warning in self.warnings]
        return "\n\n".join(parts)

    def to_excel(self, path: str | Path, language: str = "en") -> Path:
        """Write a workbook with a sheet per table, numbers as numbers; returns its path."""
        words, target, taken = self._words(language), Path(path), set[str]()
        with pd.ExcelWriter(target, engine="openpyxl") as writer:
            for name, table in self.tables.items():
                sheet = name[:31] if name[:31] not in taken else f"{name[:28]}_{len(taken)}"
                taken.add(sheet)
                heads = words.heads(map(str, table.columns), name)
                safe = neutralised(table.set_axis(heads, axis=1))
                safe.to_excel(writer, sheet_name=sheet, index=False, freeze_panes=(1, 0))
        return target

    def to_latex(self, table: str = "", language: str = "en", decimals: int = 3) -> str:
        """One table (the first of those that matter most unless named) for LaTeX's booktabs."""
        name = table or next(iter(dict(self._shown())), "")
        if name not in self.tables:
            known = ", ".join(self.tables)
            raise KeyError(f"there is no table {name!r}; tables of this result: {known}")
        words = self._words(language)
        shown, kinds = printed(self.tables[name], decimals, words, name)
        heads = words.heads(map(str, shown.columns), name)
        shown.columns = pd.Index([escape_latex(head) for head in heads])
        align = "".join("r" if kind == "number" else "l" for kind in kinds)
        styled = shown.style.hide(axis="index").format(escape="latex")
        text: str = styled.to_latex(hrules=True, column_format=align)
        return text

    def _words(self, language: str) -> Words:
        return Words(language, dict(self.names(language)))

    def _shown(self) -> list[tuple[str, pd.DataFrame]]:
        tables = self.tables
        wanted = [name for name in self.headline_tables if name in tables] or list(tables)
        return [(name, tables[name]) for name in wanted]

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        words = self._words("en")
        pages = [
            table_html(name, table, words.head(name), rows=_ROWS, words=words)
            for name, table in self._shown()
        ]
        said = [self.say(), *(words.text(warning) for warning in self.warnings)]
        lines = pd.DataFrame({"": [text for text in said if text]}, dtype=object)
        told = [table_html("said", lines, words=words)] if len(lines) else []
        return "\n".join([*told, *pages])


class Plots:
    """The charts of a result, drawn when called.

    Parameters
    ----------
    result : Result
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Callable[..., Figure]:
        charts = self._result.charts
        if name not in charts:
            raise AttributeError(f"no chart {name!r}; charts of this result: {', '.join(charts)}")

        def draw(language: str = "en", **changes: Any) -> Figure:
            arguments = self._result.chart_arguments(name, language) | changes
            drawn: Figure = by_name(charts[name])(**arguments)
            return drawn

        return draw

    def __dir__(self) -> list[str]:
        return sorted(self._result.charts)

    def __call__(self, language: str = "en", **changes: Any) -> Figure:
        if not self._result.charts:
            raise AttributeError("this result has no chart")
        return getattr(self, next(iter(self._result.charts)))(language=language, **changes)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Finding(Result):
    """What one section of a study found: its tables, the sentence that ends them, and facts.

    Attributes
    ----------
    found : mapping of str to DataFrame
        Tables by name.
    sentence : str
        A number with its interval, or why there is none (a message).
    warnings : tuple of str
        What a reader must know beside it.
    facts : mapping
        Numbers behind the sentence that stand in no table.

    Examples
    --------
    >>> import pandas as pd
    >>> Finding({"a": pd.DataFrame({"x": [1]})}, "One row.")["a"].shape
    (1, 1)
    """

    found: Mapping[str, pd.DataFrame]
    sentence: str = ""
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def sentences(self) -> list[str]:
        """The sentence that ends the section."""
        return [self.sentence] if self.sentence else []

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.found[name]
