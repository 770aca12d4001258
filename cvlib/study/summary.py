"""The folder of a study: headlines and tables of all its runs side by side, and one report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cvlib.study.lock import aside, claim, put_in_place
from cvlib.study.plain import write_json
from cvlib.study.render.report import combined_report
from cvlib.words.safe import write_csv

if TYPE_CHECKING:
    from cvlib.study.batch import Outcome, Study


def write_summary(study: Study, outcomes: list[Outcome], out: Path) -> Path:
    """Write ``studies/<title>/`` anew; it is replaced when the new one is complete."""
    home = out.resolve() / "studies"
    headlines: list[dict[str, Any]] = []
    tables: dict[str, list[pd.DataFrame]] = {}
    for outcome in outcomes:
        if outcome.run is None:
            continue
        about = {"run": outcome.run.folder.name, "notebook": outcome.cell.notebook.name}
        about |= {name: str(value) for name, value in outcome.cell.varied.items()}
        results = outcome.run.results
        for name, headline in results["headlines"].items():
            headlines.append(about | {"headline": name} | headline)
        for name, table in outcome.run.tables.items():
            tables.setdefault(name, []).append(_told_apart(table, about))
    summary = pd.DataFrame(headlines)
    failures = [{"run": o.cell.label, "reason": o.published} for o in outcomes if o.reason]
    page = combined_report(
        study.title,
        summary,
        pd.DataFrame(failures),
        [(o.cell.label, o.run.folder) for o in outcomes if o.run is not None],
    )
    with claim(home, study.slug):
        folder = aside(home, study.slug)
        try:
            (folder / "tables").mkdir()
            for name, parts in tables.items():
                together = pd.concat(parts, ignore_index=True)
                write_csv(together, folder / "tables" / f"{name}.csv")
            write_csv(summary, folder / "summary.csv")
            write_json(folder / "study.json", {"title": study.title, "failures": failures})
            (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
            put_in_place(folder, home / study.slug)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return home / study.slug


def _told_apart(table: pd.DataFrame, about: dict[str, str]) -> pd.DataFrame:
    """A run's table behind columns that say which run it is of; its own columns keep theirs."""
    extra = {f"run_{name}" if name in table else name: value for name, value in about.items()}
    return table.assign(**extra)[[*extra, *table.columns]]
