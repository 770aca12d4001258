"""Shows a notebook's tables and figures and, when a run folder is set, keeps the same things."""

from __future__ import annotations

import atexit
import importlib.metadata
import io
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Image, Markdown, display
from jinja2 import Environment
from matplotlib.figure import Figure

from cvlib.figures.style import house_style
from cvlib.study.tables import neutralised, table_html

PACKAGES = (
    "cvlib",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "semopy",
    "scikit-learn",
    "lifelines",
    "matplotlib",
)
_WARNINGS = Environment(autoescape=True).from_string(
    '<div class="cvlib-warning" role="note"><strong>Please note</strong><ul>'
    "{% for warning in warnings %}<li>{{ warning }}</li>{% endfor %}</ul></div>"
)


def versions() -> dict[str, str]:
    """Versions of Python and of every package a number can depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: NaN and NaT become null, numpy scalars and dates plain."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(inner) for inner in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)


def write_json(path: Path, content: Any) -> None:
    """Write JSON that is the same, byte for byte, for the same content."""
    text = json.dumps(plain(content), ensure_ascii=False, indent=1, sort_keys=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


class Record:
    """What a notebook shows, and where it is kept.

    Parameters
    ----------
    notebook : str
        The notebook's name.
    out : str
        Folder that receives ``tables/``, ``figures/`` and ``results.json``; empty = show only.
    language : {"en", "zh"}
        Language of labels.
    seed : int, optional
        The run's seed, for the record.
    """

    def __init__(
        self, notebook: str, *, out: str = "", language: str = "en", seed: int | None = None
    ) -> None:
        self.notebook, self.language, self.seed = notebook, language, seed
        self.folder = Path(out) if out else None
        self.tables: dict[str, pd.DataFrame] = {}
        self.captions: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, dict[str, str]] = {}
        self.headlines: dict[str, dict[str, Any]] = {}
        self.sentences: list[str] = []
        self.warnings: list[str] = []
        self.inputs: dict[str, dict[str, Any]] = {}
        if self.folder:
            atexit.register(_hush)
            (self.folder / "tables").mkdir(parents=True, exist_ok=True)
            (self.folder / "figures").mkdir(parents=True, exist_ok=True)

    def show(
        self,
        name: str,
        item: pd.DataFrame | Figure,
        *,
        title: str = "",
        note: str = "",
        alt: str = "",
        decimals: int = 3,
        rows: int = 60,
    ) -> None:
        """Show a table or a figure, and keep it under ``name``.

        Parameters
        ----------
        name : str
            Name of the table or figure, unique within a notebook.
        item : DataFrame or Figure
            A tidy table at full precision, or a matplotlib figure.
        title, note : str
            Caption above, note below.
        alt : str
            What a figure shows, in a sentence, for those who cannot see it.
        decimals : int
            Decimals printed; the kept table has full precision.
        rows : int
            Rows printed of a long table.
        """
        if name in self.tables or name in self.figures:
            raise ValueError(f"{name!r} is shown twice in {self.notebook}")
        if isinstance(item, Figure):
            self._show_figure(name, item, title, alt or title)
            return
        self.tables[name] = item
        self.captions[name] = {"title": title, "note": note, "decimals": decimals}
        if self.folder:
            neutralised(item).to_csv(
                self.folder / "tables" / f"{name}.csv",
                index=False,
                lineterminator="\n",
                encoding="utf-8",
            )
        display(HTML(table_html(name, item, title, note, decimals, rows)))

    def _show_figure(self, name: str, figure: Figure, title: str, alt: str) -> None:
        self.figures[name] = {"title": title, "alt": alt}
        buffer = io.BytesIO()
        with house_style():
            figure.savefig(buffer, format="png", metadata={"Software": None})
            if self.folder:
                target = self.folder / "figures" / name
                figure.savefig(target.with_suffix(".png"), dpi=300, metadata={"Software": None})
                figure.savefig(target.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
        if title:
            display(HTML(_CAPTION.render(name=name, title=title)))
        width = round(figure.get_figwidth() * 100)
        display(Image(buffer.getvalue(), format="png", width=width, alt=alt))

    def say(self, sentence: str) -> None:
        """Show and keep a sentence that a result generated."""
        self.sentences.append(sentence)
        display(Markdown(_escape_markdown(sentence)))

    def headline(self, name: str, value: float | int | str, sentence: str) -> None:
        """Show and keep one number that answers the notebook's question."""
        self.headlines[name] = {"value": value, "sentence": sentence}
        display(Markdown(f"**{_escape_markdown(sentence)}**"))

    def warn(self, warnings: Iterable[str]) -> None:
        """Show warnings above what they concern; each is kept once."""
        new = [text for text in dict.fromkeys(warnings) if text not in self.warnings]
        if new:
            self.warnings.extend(new)
            display(HTML(_WARNINGS.render(warnings=new)))

    def used(self, name: str, source: str, sha256: str, rows: int) -> None:
        """Note an input: its parameter, file, hash and number of rows."""
        self.inputs[name] = {"source": Path(source).name, "sha256": sha256, "rows": rows}

    def close(self) -> None:
        """End the notebook: show data hashes and the seed, write results.json.

        Versions are the runner's to note: they are in the manifest and at the report's foot.
        """
        rows = [
            {
                "what": f"{name}: {entry['source']} ({entry['rows']:,} rows), SHA-256",
                "value": entry["sha256"][:16],
            }
            for name, entry in self.inputs.items()
        ]
        if self.seed is not None:
            rows.append({"what": "seed", "value": str(self.seed)})
        if rows:
            display(HTML(table_html("record", pd.DataFrame(rows), "Data and seed")))
        if self.folder:
            write_json(
                self.folder / "results.json",
                {
                    "notebook": self.notebook,
                    "headlines": self.headlines,
                    "sentences": self.sentences,
                    "warnings": self.warnings,
                    "inputs": self.inputs,
                    "figures": self.figures,
                    "captions": self.captions,
                    "tables": {
                        name: table.to_dict(orient="records") for name, table in self.tables.items()
                    },
                },
            )


_CAPTION = Environment(autoescape=True).from_string(
    '<p class="cvlib-caption" id="figure-{{ name }}">{{ title }}</p>'
)


def _hush() -> None:
    # A notebook that stopped at bad input still holds DuckDB objects; their library lists them on
    # the terminal when the interpreter is gone, below the one paragraph the user should read.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _escape_markdown(text: str) -> str:
    """Text from data shows as itself: no HTML, no emphasis, no links."""
    for character in "\\`*_[]<>|$#":
        text = text.replace(character, "\\" + character)
    return text
