"""What a machine offers the suite: versions, data sets, formats, fonts, room to write."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cvlib.words.message import Message, message

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
# What is used where it is there: the extra that brings it, and the versions that serve.
_SPARK, _DASK = "4.0.", "2025.7"
_JAVA = 17  # the oldest that Spark 4 runs on
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

    Returns
    -------
    list of Finding
        Of program, data sets, formats, Java, Spark and Dask, fonts, room; its texts are messages.
    """
    return [*_program(), *_data(), *_formats(), *_elsewhere(), *_fonts(), *_room(out)]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _say(name: str, /, **values: object) -> Message:
    return message(f"study.doctor_{name}", **values)


def _program() -> Iterator[Finding]:
    import cvlib
    from cvlib.study.notebook import FOLDER, shipped

    new = sys.version_info >= (3, 11)
    yield Finding("Python", f"{platform.python_version()} ({platform.system()})", new,
                  "" if new else _say("old_python"))  # fmt: skip
    count = len(shipped())
    yield Finding("cvlib", _say("notebooks", version=cvlib.__version__, n=count), count > 0,
                  "" if count else _say("no_notebooks", folder=str(FOLDER)))  # fmt: skip
    for package in _PACKAGES:
        found = _version(package)
        yield Finding(package, found or _say("not_installed"), bool(found),
                      "" if found else _say("install_again"))  # fmt: skip


def _data() -> Iterator[Finding]:
    from cvlib.inputs import datasets

    for row in datasets.check().itertuples(index=False):
        well = row.status in ("ok", "not fetched")
        said = _say(row.status.replace(" ", "_"))
        if row.where:
            said = _say("where", status=said, where=_say(row.where))
        yield Finding(_say("data_set", name=row.name), said, well,
                      "" if well else f"cvlib data fetch {row.name}")  # fmt: skip


def _formats() -> Iterator[Finding]:
    for name, package in FORMATS.items():
        found = _version(package)
        yield Finding(
            _say("format", name=name), f"{package} {found}" if found else _say("not_available"),
            remedy="" if found else _say("extra", use=_say("for_formats"), extra="reports"),
        )  # fmt: skip


def _elsewhere() -> Iterator[Finding]:
    """Java, Spark and Dask: no run on this machine alone needs them."""
    spark, java, dask = _version("pyspark"), _java(), _version("distributed")
    old = bool(java) and _major(java) < _JAVA
    yield Finding(
        "Java", java or _say("not_here"), not (spark and (old or not java)),
        "" if java and not old else _say("java", use=_say("for_java"), oldest=_JAVA),
    )  # fmt: skip
    other = bool(spark) and not spark.startswith(_SPARK)
    yield Finding(
        "Spark", f"pyspark {spark}" if spark else _say("not_here"), not other,
        "" if spark and not other else _say("extra", use=_say("for_spark"), extra="spark"),
    )  # fmt: skip
    other = bool(dask) and _numbers(dask) < _numbers(_DASK)
    yield Finding(
        "Dask", f"distributed {dask}" if dask else _say("not_here"), not other,
        "" if dask and not other else _say("extra", use=_say("for_dask"), extra="dask"),
    )  # fmt: skip


def _java() -> str:
    """The version of the Java that Spark would start, empty where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if not program:
        return ""
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r'version "([^"]+)"', told.stderr + told.stdout)
    return found[1] if found else ""


def _major(java: str) -> int:
    """17 of 17.0.15, 8 of 1.8.0."""
    first, *rest = _numbers(java) or [0]
    return rest[0] if first == 1 and rest else first


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _fonts() -> Iterator[Finding]:
    from cvlib.figures.style import CHINESE_FONT, font_families

    there = CHINESE_FONT.is_file()
    found = font_families()[0] if there else _say("not_here")
    yield Finding(_say("font"), found, there, "" if there else _say("install_again"))


def _room(out: Path) -> Iterator[Finding]:
    folder = out.resolve()
    while not folder.is_dir():
        folder = folder.parent
    what = _say("reports")
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Finding(what, _say("writable", out=str(out)))
    except OSError as error:
        yield Finding(what, _say("not_writable", out=str(out), reason=error.strerror), False,
                      _say("other_folder"))  # fmt: skip
    free = shutil.disk_usage(folder).free
    well = free >= _LEAST_FREE
    yield Finding(_say("disk"), _say("free", free=free / 1e9), well,
                  "" if well else _say("make_room"))  # fmt: skip
