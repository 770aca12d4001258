"""What a machine offers the suite: versions, data sets, formats, fonts, room to write."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# What a format needs beside the suite itself: the package, as its distribution is called.
FORMATS = {
    "docx": "pypandoc-binary", "pdf": "typst", "pptx": "python-pptx", "xlsx": "openpyxl",
    "png": "typst",
}  # fmt: skip
_PACKAGES = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "semopy",
    "duckdb",
    "papermill",
    "nbconvert",
)
# What a run records the version of.
PACKAGES = (
    "cvlib", "numpy", "pandas", "scipy", "statsmodels", "semopy", "scikit-learn", "lifelines",
    "duckdb", "matplotlib", "networkx",
)  # fmt: skip
_LEAST_FREE = 500_000_000  # bytes; reports of all notebooks take about a tenth of it [P]


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found


def versions() -> dict[str, str]:
    """Versions of Python and of every package a number can depend on."""
    return dict(_versions())


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, how it is, and what to do where it is not well."""

    what: str
    finding: str
    well: bool = True
    remedy: str = ""


def examine(out: Path) -> list[Finding]:
    """Look at what runs depend on; nothing is downloaded and nothing stays written.

    Parameters
    ----------
    out : Path
        Where reports are to be written.
    """
    return [*_program(), *_data(), *_formats(), *_fonts(), *_room(out)]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _program() -> Iterator[Finding]:
    import cvlib
    from cvlib.study.notebook import FOLDER, shipped

    new = sys.version_info >= (3, 11)
    yield Finding("Python", f"{platform.python_version()} ({platform.system()})", new,
                  "" if new else "cvlib needs Python 3.11 or newer.")  # fmt: skip
    count = len(shipped())
    yield Finding("cvlib", f"{cvlib.__version__}, {count} notebooks", count > 0,
                  "" if count else f"No notebooks in {FOLDER}: install cvlib again.")  # fmt: skip
    for package in _PACKAGES:
        found = _version(package)
        yield Finding(package, found or "not installed", bool(found),
                      "" if found else "Install cvlib again.")  # fmt: skip


def _data() -> Iterator[Finding]:
    from cvlib.inputs import datasets

    for row in datasets.check().itertuples(index=False):
        well = row.status in ("ok", "not fetched")
        said = f"{row.status} ({row.where})" if row.where else row.status
        yield Finding(f"data set {row.name}", said, well,
                      "" if well else f"cvlib data fetch {row.name}")  # fmt: skip


def _formats() -> Iterator[Finding]:
    for name, package in FORMATS.items():
        found = _version(package)
        yield Finding(
            f"format {name}", f"{package} {found}" if found else "not available",
            remedy="" if found else 'pip install "cvlib[reports]" brings it.',
        )  # fmt: skip


def _fonts() -> Iterator[Finding]:
    from cvlib.figures.style import CHINESE_FONT, font_families

    there = CHINESE_FONT.is_file()
    found = font_families()[0] if there else "not there"
    yield Finding("font of figures", found, there, "" if there else "Install cvlib again.")


def _room(out: Path) -> Iterator[Finding]:
    folder = out.resolve()
    while not folder.is_dir():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Finding("reports", f"{out} can be written")
    except OSError as error:
        yield Finding("reports", f"{out} cannot be written ({error.strerror})", False,
                      "Name another folder with --out.")  # fmt: skip
    free = shutil.disk_usage(folder).free
    well = free >= _LEAST_FREE
    yield Finding("disk", f"{free / 1e9:.1f} GB free", well,
                  "" if well else "Make room, or name another folder with --out.")  # fmt: skip
