"""What several test folders share."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


def pytest_configure() -> None:
    """What is loaded and collected stays: it is not looked through again and again for waste."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of data sets that do not ship, where this machine has one."""
    folder = os.environ.get("CVLIB_DATA_MIRROR")
    if not folder:
        pytest.skip("CVLIB_DATA_MIRROR is not set: no local folder of the data sets not shipped")
    return Path(folder)


@pytest.fixture(scope="session")
def advanced(mirror: Path) -> Path:
    """Reference numbers of models beyond paths and indices, where this machine has them."""
    folder = mirror.parent / "reference" / "advanced-sem"
    if not folder.is_dir():
        pytest.skip("no folder reference/advanced-sem beside the data sets not shipped")
    return folder


@pytest.fixture(scope="session")
def lifetime_second(mirror: Path) -> Path:
    """Reference numbers of the value of customers, its churn and campaigns, where they are."""
    folder = mirror.parent / "reference" / "lifetime-second"
    if not folder.is_dir():
        pytest.skip("no folder reference/lifetime-second beside the data sets not shipped")
    return folder


@pytest.fixture(scope="session")
def seed_systems(mirror: Path) -> Path:
    """Worked examples of the founding systems, beside the data mirror."""
    folder = mirror.parent / "reference" / "seed-systems"
    if not folder.is_dir():
        pytest.skip("no reference folder beside the data mirror")
    return folder


@pytest.fixture(scope="session")
def seed_numbers(seed_systems: Path) -> Callable[[str, str], pd.Series]:
    """Their numbers of one example and quantity, by item."""
    table = pd.read_csv(seed_systems / "seed_numbers.csv")

    def find(example: str, quantity: str) -> pd.Series:
        rows = table[(table["example"] == example) & (table["quantity"] == quantity)]
        assert len(rows), (example, quantity)
        return rows.set_index("item")["value"]

    return find
