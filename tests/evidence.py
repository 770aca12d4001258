"""What the tests compare with numbers from elsewhere: ``python tests/evidence.py`` writes it down.

Runs the tests that read reference numbers and keeps, of every comparison they make, what stands in
a reference file: how many of its numbers, how far ours lie from them at most, and what the test
allows. docs/evidence_tests.csv is the result, from which docs/evidence.py makes its page. Integers
below ten are not counted: too many other things are equal to them.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "evidence_tests.csv"
FOLDERS = ("statistics", "satisfaction", "weighting", "lifetime", "customer")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")
_READ = (".csv", ".json")


def homes() -> dict[str, Path]:
    """Where reference numbers lie: in this repository, and beside the data mirror."""
    mirror = os.environ.get("CVLIB_DATA_MIRROR")
    beside = {"beside the data": Path(mirror).resolve().parent / "reference"} if mirror else {}
    return {"tests/reference": ROOT / "tests" / "reference", **beside}


def numbers_of(path: Path) -> np.ndarray:
    """The numbers of a file that are telling, sorted."""
    found = np.unique([float(text) for text in _NUMBER.findall(path.read_text("utf-8"))])
    return found[(found != np.round(found)) | (np.abs(found) >= 10)]


class Witness:
    """A pytest plugin that looks on while tests read references and compare."""

    def __init__(self) -> None:
        self.homes = homes()
        self.readers: dict[Path, set[str]] = defaultdict(set)  # modules and fixtures by file
        self.compared: list[tuple[str, str, tuple[str, ...], np.ndarray]] = []
        self.where: list[str] = []
        self.test: Any = None
        self.known = np.unique(
            np.concatenate([
                numbers_of(path)
                for home in self.homes.values()
                for path in home.rglob("*")
                if path.suffix in _READ
            ])
        )  # fmt: skip
        sys.addaudithook(self.opened)
        self.watch()

    def opened(self, event: str, arguments: tuple[Any, ...]) -> None:
        """A file was opened: by whom, if it is a reference."""
        if event != "open" or not self.where or not isinstance(arguments[0], str | Path):
            return
        text = os.fspath(arguments[0])
        if text.endswith(_READ) and "reference" in text:
            path = Path(text).absolute()
            if any(path.is_relative_to(home) for home in self.homes.values()):
                self.readers[path].update(self.where[-1:])

    def compare(self, ours: Any, theirs: Any, allowed: Any) -> None:
        """Keep the pairs of a comparison of which one stands in some reference."""
        if self.test is None:
            return
        try:
            pair = np.broadcast_arrays(*(np.asarray(x, float) for x in (ours, theirs, allowed)))
        except (TypeError, ValueError):
            return
        ours, theirs, allowed = (values.ravel() for values in pair)
        swapped = ~np.isin(theirs, self.known) & np.isin(ours, self.known)
        ours, theirs = np.where(swapped, theirs, ours), np.where(swapped, ours, theirs)
        kept = np.isin(theirs, self.known) & np.isfinite(ours)
        if kept.any():
            rows = np.column_stack([theirs, np.abs(ours - theirs), allowed])[kept]
            at, name, fixtures = self.test
            self.compared.append((at, name, fixtures, rows))

    def watch(self) -> None:
        """Let numpy's and pytest's comparisons tell."""
        scalars = type(pytest.approx(1.0))
        plain, equal = np.testing.assert_allclose, scalars.__eq__

        def assert_allclose(
            actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0, **other: Any
        ) -> None:
            plain(actual, desired, rtol=rtol, atol=atol, **other)
            self.compare(actual, desired, atol + rtol * np.abs(np.asarray(desired, float)))

        def approximately(scalar: Any, actual: Any) -> bool:
            same = equal(scalar, actual)
            if same and isinstance(scalar.expected, float | int | np.number):
                self.compare(actual, scalar.expected, scalar.tolerance)
            return same

        np.testing.assert_allclose = assert_allclose
        scalars.__eq__ = approximately

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Iterator[None]:
        self.where.append(str(getattr(collector, "path", "")))
        try:
            return (yield)
        finally:
            self.where.pop()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        general = fixturedef.scope == "session"
        self.where.append(fixturedef.argname if general else str(request.node.path))
        try:
            return (yield)
        finally:
            self.where.pop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        self.where.append(str(item.path))
        self.test = (str(item.path), item.originalname, tuple(item.fixturenames))
        try:
            return (yield)
        finally:
            self.where.pop()
            self.test = None

    def table(self) -> pd.DataFrame:
        """One row per reference file and test: how many numbers, how far at most."""
        found: dict[tuple[Path, str, str], list[np.ndarray]] = defaultdict(list)
        for path, readers in self.readers.items():
            numbers = numbers_of(path)
            for at, name, fixtures, rows in self.compared:
                if readers & {at, *fixtures}:
                    own = rows[np.isin(rows[:, 0], numbers)]
                    if len(own):
                        found[path, at, name].append(own)
        return pd.DataFrame([
            self.row(path, at, name, np.concatenate(rows))
            for (path, at, name), rows in found.items()
        ]).sort_values(["file", "test"], ignore_index=True)  # fmt: skip

    def row(self, path: Path, at: str, name: str, rows: np.ndarray) -> dict[str, Any]:
        worst = rows[np.argmax(rows[:, 1] / np.maximum(rows[:, 2], 1e-300))]
        return {
            "file": self.named(path),
            "test": f"{Path(at).relative_to(ROOT).as_posix()}::{name}",
            "numbers": len(np.unique(rows[:, 0])),
            "difference": power(rows[:, 1].max()),
            "allowed": f"{rows[:, 2].max():.1e}",
            "closest_call": f"{worst[1]:.0e} of {worst[2]:.0e}",
        }

    def named(self, path: Path) -> str:
        home, folder = next((h, f) for h, f in self.homes.items() if path.is_relative_to(f))
        return f"{home}/{path.relative_to(folder).as_posix()}"


def power(value: float) -> str:
    """The next power of ten, which the last bits of a machine do not move; at least 1e-16."""
    return f"1e{math.ceil(math.log10(max(value, 1e-16))):d}"


def main() -> int:
    """Run the tests of the folders that read references, and write the table."""
    witness = Witness()
    paths = [str(ROOT / "tests" / folder) for folder in FOLDERS]
    status = pytest.main(["-p", "no:cacheprovider", "-p", "no:xdist", *paths], plugins=[witness])
    if status:
        return int(status)
    witness.table().to_csv(TARGET, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
