"""The page over all runs: reports/index.html, with each run's headline figure."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cvlib.study.report import page


def _entry(folder: Path, root: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        headlines = [headline["sentence"] for headline in results["headlines"].values()]
        figure = next(iter(results["figures"]), "")
        settings = ", ".join(f"{k} = {v}" for k, v in manifest["changed"].items()) or "defaults"
        entry = {
            "notebook": manifest["notebook"],
            "title": manifest["title"],
            "href": (folder / "report.html").relative_to(root).as_posix(),
            "headlines": headlines,
            "settings": settings,
            "started": manifest["started"].replace("T", " ").removesuffix("Z"),
            "warnings": len(manifest["warnings"]),
            "facts": {
                **{f"parameter {k}": str(v) for k, v in manifest["parameters"].items()},
                **{f"input {k}": v["sha256"][:16] for k, v in manifest["inputs"].items()},
                **{f"version {k}": v for k, v in manifest["versions"].items()},
                **{name: str(head["value"]) for name, head in results["headlines"].items()},
            },
            "thumbnail": "",
            "alt": "",
        }
        thumbnail = folder / "figures" / f"{figure}.svg"
        if figure and thumbnail.is_file():
            entry["thumbnail"] = thumbnail.relative_to(root).as_posix()
            entry["alt"] = results["figures"][figure]["alt"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    words = [entry["notebook"], entry["title"], entry["settings"], *headlines]
    entry["text"] = " ".join(words).lower()
    return entry


def write_gallery(root: Path) -> tuple[Path, list[Path]]:
    """Write ``index.html`` over every finished run below a reports folder.

    Returns
    -------
    tuple of Path and list of Path
        The page, and the run folders that could not be read (they are left as they are).
    """
    root = root.resolve()
    entries, unreadable = [], []
    for manifest in sorted(root.glob("*/*/manifest.json")):
        if manifest.parent.name.startswith(".") or manifest.parent.name.endswith(".failed"):
            continue
        entry = _entry(manifest.parent, root)
        if entry is None:
            unreadable.append(manifest.parent)
        else:
            entries.append(entry)
    entries.sort(key=lambda entry: entry["started"], reverse=True)
    entries.sort(key=lambda entry: entry["notebook"])
    text = page(
        "gallery.html",
        runs=entries,
        facts=[entry["facts"] for entry in entries],
        notebooks=sorted({entry["notebook"] for entry in entries}),
    )
    aside = root / f".index.{os.getpid()}.html"
    aside.write_text(text, encoding="utf-8", newline="\n")
    aside.replace(root / "index.html")
    return root / "index.html", unreadable
