"""Shows a notebook's tables and figures and, when a run folder is set, keeps the same things."""

from __future__ import annotations

import atexit
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Image, display
from matplotlib.figure import Figure

from cvlib.figures.style import PageFigure, house_style
from cvlib.figures.thumbnail import write_thumbnail
from cvlib.inputs.columns import opened
from cvlib.inputs.datasets import demonstrations, invented, sha256
from cvlib.inputs.errors import InputError, reason_of
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.results import Finding
from cvlib.statistics.disclosure import publishable, unlabelled
from cvlib.study.parameters import rule
from cvlib.study.plain import write_json
from cvlib.study.render import what_if as sliders
from cvlib.study.render.finished import THUMBNAIL
from cvlib.study.render.page import answer_html, caption_html, warnings_html
from cvlib.study.surroundings import versions
from cvlib.words.answer import Answer
from cvlib.words.exhibits import Exhibit, exhibits
from cvlib.words.language import Words
from cvlib.words.literature import bibtex, reference_list
from cvlib.words.message import joined, message, stored
from cvlib.words.money import pay_in
from cvlib.words.safe import inert_markdown, write_csv
from cvlib.words.said import speak
from cvlib.words.tables import table_html
from cvlib.words.what_if import WhatIf

LONGEST = 10_000  # rows of a table in results.json; the csv has them all
BENEATH = ("numpy", "scipy")  # every number stands on them: always cited


class Record:
    """What a notebook shows, and where it is kept.

    Parameters
    ----------
    notebook : str
        The notebook's name.
    out : str
        Folder that receives ``tables/``, ``figures/`` and ``results.json``; empty = show only.
    language : {"en", "zh"}
        Language of captions, table heads and sentences.
    seed : int, optional
        The run's seed, for the record.
    smallest_cell : int
        Fewest people a row of a published table may describe (see `show`); 0 publishes all.
    currency : str
        Sign, code or unit printed with amounts; empty: none.

    Examples
    --------
    >>> import cvlib as cv
    >>> record = cv.Record("mine")
    >>> record.names({"IMAG1": "Reputation"})
    >>> record.words.names["IMAG1"]
    'Reputation'
    """

    def __init__(
        self,
        notebook: str,
        *,
        out: str = "",
        language: str = "en",
        seed: int | None = None,
        smallest_cell: int = 0,
        currency: str = "",
    ) -> None:
        self.notebook, self.language, self.seed = notebook, language, seed
        self.smallest_cell, self.currency = smallest_cell, currency
        speak(language)
        pay_in(currency)
        self.words, self.exhibits = Words(language), exhibits(notebook)
        self.methods_used = pd.DataFrame(columns=["method", "sentence", "references", "software"])
        self.folder = Path(out) if out else None
        self.tables: dict[str, pd.DataFrame] = {}
        self.longer: dict[str, int] = {}  # rows of tables that only their csv holds in full
        self.captions: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, dict[str, str]] = {}
        self._drawn: dict[str, Figure] = {}
        self.headlines: dict[str, dict[str, Any]] = {}
        self.sentences: list[str] = []
        self.warnings: list[str] = []
        self.inputs: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, Any] = {}
        self.invented: list[str] = []  # inputs that were read and are simulated
        self.supposed: dict[str, Any] = {}
        if self.folder:
            atexit.register(_hush)
            (self.folder / "tables").mkdir(parents=True, exist_ok=True)
            (self.folder / "figures").mkdir(parents=True, exist_ok=True)

    def names(self, labels: Mapping[str, str]) -> None:
        """What constructs, items or indicators are called in print; files keep their names."""
        self.words.names.update(labels)  # seen by charts that were given `words.cell` before

    def methods(self, table: pd.DataFrame) -> None:
        """Note what was done, for the methods paragraph and the references.

        Parameters
        ----------
        table : DataFrame
            As `cvlib.words.methods.methods_table` makes it; in the order it is to be told.
        """
        self.methods_used = pd.concat([self.methods_used, table], ignore_index=True)

    def publishable(
        self, table: pd.DataFrame, counts: str, within: str | Sequence[str] = ""
    ) -> pd.DataFrame:
        """The table as `show` publishes it with ``counts``, for a figure of the same numbers."""
        if not table.shape[1]:  # of an analysis that was left out
            return table
        return publishable(table, counts, self.smallest_cell, within)[0]

    def show(
        self,
        name: str,
        item: pd.DataFrame | Figure | None,
        *,
        title: str = "",
        note: str = "",
        alt: str = "",
        decimals: int | None = None,
        counts: str = "",
        within: str | Sequence[str] = "",
        labels: Sequence[str] = (),
    ) -> None:
        """Show a table or a figure, and keep it under ``name``.

        Captions, notes and rounding come from ``words/exhibits/<notebook>.yaml``; what is given
        here goes before them (a note: stands behind).

        Parameters
        ----------
        name : str
            Name of the table or figure, unique within a notebook.
        item : DataFrame or Figure
            A tidy table at full precision, or a matplotlib figure. None, or a table without
            columns, is an analysis that was left out: nothing is shown.
        title, note : str
            Caption above, note below.
        alt : str
            What a figure shows, in a sentence, for those who cannot see it.
        decimals : int
            Decimals printed; the kept table has full precision.
        counts : str
            Column that counts people: rows of fewer than ``smallest_cell`` are left blank.
        within : str or sequence of str
            Columns whose every value has a total of its own (see `disclosure.publishable`).
        labels : sequence of str
            In a list of people, columns that name their group: small ones are left blank.
        """
        if name in self.tables or name in self.figures:
            raise ValueError(f"{name!r} is shown twice in {self.notebook}")
        if item is None or (isinstance(item, pd.DataFrame) and not item.shape[1]):
            return
        known = self.exhibits.get(name, Exhibit())
        title, note = title or known.title, joined([known.note, note])
        decimals = known.decimals if decimals is None else decimals
        if isinstance(item, Figure):
            finding = getattr(item, "finding", None) or ""
            self._show_figure(name, item, (finding, title), alt or known.alt or title)
            return
        if counts:
            item, blank = publishable(item, counts, self.smallest_cell, within)
            said = message("common.blank_cells", blank=blank, people=self.smallest_cell)
            note = joined([note, said]) if blank else note
        if labels:
            item, blank = unlabelled(item, labels, self.smallest_cell)
            said = message("common.blank_labels", people=blank, smallest=self.smallest_cell)
            note = joined([note, said]) if blank else note
        self.tables[name] = item
        if self.folder and (rows := len(self.tables[name])) > LONGEST:
            self.tables[name], self.longer[name] = self.tables[name].head(LONGEST), rows
        about = {"kind": "table", "name": name, "title": stored(title), "note": stored(note)}
        title, note = self.words.text(title), self.words.text(note)
        about["printed"] = title
        self.captions[name] = {"title": title, "note": note, "decimals": decimals}
        if self.folder:
            write_csv(item, self.folder / "tables" / f"{name}.csv")
        page = table_html(name, item, title, note, decimals, known.rows, self.words, known.marks)
        display(HTML(page), metadata={"cvlib": about})

    def _show_figure(self, name: str, figure: Figure, titles: tuple[str, str], alt: str) -> None:
        finding, title = titles
        texts = {"name": name, "title": stored(title), "alt": stored(alt)}
        finding, title, alt = (self.words.text(text) for text in (finding, title, alt))
        self.figures[name] = {"title": title, "alt": alt} | (
            {"finding": finding} if finding else {}
        )
        self._drawn[name] = figure
        buffer = io.BytesIO()
        with house_style():
            figure.savefig(buffer, format="png", metadata={"Software": None})
            if self.folder:
                target = self.folder / "figures" / name
                target.with_suffix(".png").write_bytes(buffer.getvalue())
                figure.savefig(target.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
        if title or finding:
            caption = HTML(caption_html(name, title, finding))
            display(caption, metadata={"cvlib": {"kind": "caption", **texts}})
        width = round(figure.get_figwidth() * 100)
        picture = Image(buffer.getvalue(), format="png", width=width, alt=alt)
        about = {"kind": "figure", "name": name, "printed": title}
        if isinstance(figure, PageFigure) and figure.page:
            about["page"] = figure.page
        display(picture, metadata={"cvlib": about})

    def say(self, *sentences: str | None) -> None:
        """Show and keep sentences that a result generated; None and a blank say nothing."""
        for sentence in sentences:
            if sentence:
                said = self.words.text(sentence)
                self.sentences.append(said)
                _show_markdown(inert_markdown(said))

    def headline(self, name: str, value: float | int | str | None, sentence: str | None) -> None:
        """Show and keep one number that answers the notebook's question.

        Without a value there is no headline: the sentence, which says why, is shown as any other.
        """
        if value is None or not sentence:
            self.say(sentence)
            return
        sentence = self.words.text(sentence)
        self.headlines[name] = {"value": value, "sentence": sentence}
        _show_markdown(f"**{inert_markdown(sentence)}**")

    def answer(self, answer: Answer) -> None:
        """Show and keep the answer: the first screen of the report.

        Parameters
        ----------
        answer : Answer
            Its `hero` names a figure that was shown.
        """
        if answer.hero and answer.hero not in self.figures:
            raise ValueError(f"the figure {answer.hero!r} was not shown")
        said = self.words.text
        self.answered = {
            "question": said(answer.question),
            "verdict": [said(text) for text in answer.verdict],
            "tiles": [
                {"label": said(t.label), "value": said(t.value), "interval": said(t.interval)}
                for t in answer.tiles
            ],
            "hero": answer.hero,
            "advice": [said(text) for text in answer.advice],
            "doubts": [said(text) for text in answer.doubts],
        }
        page = answer_html(self.answered, self.words)
        display(HTML(page), metadata={"cvlib": {"kind": "answer", "answer": self.answered}})

    def what_if(self, supposed: WhatIf | None) -> None:
        """Show and keep what would happen if: a table here, sliders in the report.

        Parameters
        ----------
        supposed : WhatIf, optional
            Levers, outcomes and linear effects; None is nothing to move.
        """
        if supposed is None:
            return
        self.supposed = sliders.what_if_content(supposed, self.words)
        page = sliders.without_levers(sliders.what_if_html(self.supposed, self.words))
        display(HTML(page), metadata={"cvlib": {"kind": "what_if", "what_if": self.supposed}})

    def attempt(self, name: str, door: Callable[..., Any], *given: Any) -> Any:
        """What a side analysis finds; None, and the reason among the warnings, where it fails.

        Not caught is a refusal of a parameter. The caption of `name` names the section.
        """
        try:
            return door(*given)
        except (InputError, ArithmeticError, np.linalg.LinAlgError) as error:
            if isinstance(error, InputError) and rule(self.notebook, error.where):
                raise
            said = {"title": self.exhibits.get(name, Exhibit()).title, "reason": reason_of(error)}
            self.warn([message("common.side_left_out", **said)])

    def warn(self, warnings: Iterable[str]) -> None:
        """Show warnings above what they concern; each is kept once."""
        said = dict.fromkeys(self.words.text(text) for text in warnings)
        new = [text for text in said if text not in self.warnings]
        if new:
            self.warnings.extend(new)
            head = self.words.text("Please note")
            display(HTML(warnings_html(new, head)))

    def used(self, name: str, source: str, digest: str, rows: int) -> None:
        """Note an input: its parameter, file, hash (empty: of the path) and number of rows."""
        digest = digest or (sha256(Path(source)) if Path(source).is_file() else "")
        self.inputs[name] = {"source": Path(source).name, "sha256": digest, "rows": rows}

    def read(self, name: str, data: str, reading: Reading = AS_IT_IS) -> Table | None:
        """Read and note an input that need not be given; None where it is blank.

        Parameters
        ----------
        name : str
            The parameter.
        data : str
            A data set of the catalogue or a file.
        reading : Reading
            How a file is read.
        """
        if not str(data).strip():
            return None
        table = opened(data, reading)
        self.used(name, table.source, table.sha256, len(table.data))
        if invented(table.sha256):
            self.invented.append(table.source)
        self.warn(table.warnings)
        return table

    def read_all(self, reading: Reading = AS_IT_IS, **inputs: str) -> list[Table | None]:
        """Read inputs that stand in for each other; simulated ones give way to the reader's own.

        Parameters
        ----------
        reading : Reading
            How files are read.
        **inputs : str
            By parameter, as in `read`.

        Returns
        -------
        list of Table or None
            In the order given. Where one input is not a simulated data set of the catalogue, those
            that are count as not given, and a warning names them.
        """
        if made := demonstrations(inputs):
            self.warn([message("common.demonstrations_left_out", parameters=made)])
            inputs |= dict.fromkeys(made, "")
        found = [self.read(name, data, reading) for name, data in inputs.items()]
        self.origin()
        return found

    def together(self, *names: str) -> None:
        """Warn where some of the inputs that need each other were read, and others were not."""
        given = [name for name in names if name in self.inputs]
        lacking = [name for name in names if name not in self.inputs]
        if given and lacking:
            self.warn([message("common.inputs_together", given=given, lacking=lacking)])

    def origin(self) -> None:
        """Warn of the inputs read that are simulated, in one sentence."""
        if self.invented:
            self.warn([message("common.input_simulated", files=list(self.invented))])

    def section(self, found: Finding | None, counts: Mapping[str, str] | None = None) -> None:
        """Show a section's tables, warnings and sentence; nothing where it was not given.

        Parameters
        ----------
        found : Finding, optional
            The section.
        counts : mapping of str to str
            By table the column that counts people, as in `show`.
        """
        if found is None:
            return
        for name, table in found.found.items():
            self.show(name, table, counts=(counts or {}).get(name, ""))
        self.warn(found.warnings)
        self.say(found.sentence)

    def close(self) -> None:
        """End the notebook: methods, references, data hashes and seed; write results.json."""
        paragraph, references = self._tell_methods()
        said = [message("common.input", parameter=name, file=one["source"], rows=one["rows"])
                for name, one in self.inputs.items()]  # fmt: skip
        rows = [
            {"what": what, "value": one["sha256"][:16]}
            for what, one in zip(said, self.inputs.values(), strict=True)
        ]
        if self.seed is not None:
            rows.append({"what": self.words.text("seed"), "value": str(self.seed)})
        if rows:
            listing = pd.DataFrame(rows, dtype=object)
            display(HTML(table_html("record", listing, "Data and seed", words=self.words)))
        if self.folder:
            write_thumbnail(self._drawn, self.answered.get("hero", ""), self.folder / THUMBNAIL)
            write_json(
                self.folder / "results.json",
                {
                    "notebook": self.notebook,
                    "answer": self.answered,
                    "what_if": sliders.without_streams(self.supposed),
                    "headlines": self.headlines,
                    "sentences": self.sentences,
                    "warnings": self.warnings,
                    "inputs": self.inputs,
                    "figures": self.figures,
                    "captions": self.captions,
                    "currency": self.currency,
                    "names": self.words.names,
                    "methods": paragraph,
                    "references": references,
                    "tables": {
                        name: table.to_dict(orient="records") for name, table in self.tables.items()
                    },
                    "longer": self.longer,
                },
            )

    def _tell_methods(self) -> tuple[str, list[str]]:
        """The methods paragraph and the references of what was used, shown and kept."""
        if not len(self.methods_used):
            return "", []
        used = self.methods_used.drop_duplicates("sentence")
        software = list(dict.fromkeys(" ".join(used["software"]).split()))
        found, named = versions(), ["python", *BENEATH, *software]
        listed = ", ".join(f"{name} {found[name]}" for name in named)
        made = self.words.text(message("common.computed", version=found["cvlib"], listed=listed))
        paragraph = ("" if self.language == "zh" else " ").join([*used["sentence"], made])
        keys = [*" ".join(used["references"]).split(), *software, *BENEATH]
        references = reference_list(keys)
        _show_markdown(f"### {self.words.text('Methods')}\n\n{inert_markdown(paragraph)}")
        listing = "\n".join(f"- {inert_markdown(work, links=True)}" for work in references)
        _show_markdown(f"### {self.words.text('References')}\n\n{listing}")
        if self.folder:
            target = self.folder / "references.bib"
            target.write_text(bibtex(keys), encoding="utf-8", newline="\n")
        return paragraph, references


def _hush() -> None:
    # A notebook that stopped at bad input still holds DuckDB objects; their library lists them on
    # the terminal when the interpreter is gone, below the one paragraph the user should read.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _show_markdown(text: str) -> None:
    # as data: IPython's Markdown("http://...") would fetch the address, Markdown("a.txt") read it
    display({"text/markdown": text, "text/plain": text}, raw=True)
