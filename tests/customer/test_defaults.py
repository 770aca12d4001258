"""Own files and the shipped base: what belongs to the one never meets the other."""

from pathlib import Path

import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError

SHIPPED = [f"simulated_customer_{name}" for name in ("survey", "contracts", "attributes")]


def test_the_shipped_base_brings_its_own_plan() -> None:
    base = cv.customer.join(cv.customer.Files(*SHIPPED), cv.customer.Plan(model="customer_study"))
    assert list(base.controls) == ["yearly_contract", "log usage", "log tenure"]
    assert base.segment is not None


def test_own_files_meet_no_simulated_attributes(tmp_path: Path) -> None:
    made = cv.customer.simulate(400, seed=3)
    paths = []
    for name in ("survey", "contracts"):
        paths.append(tmp_path / f"{name}.csv")
        getattr(made.files, name).to_csv(paths[-1], index=False)
    files = cv.customer.Files(*map(str, paths), SHIPPED[2])
    base = cv.customer.join(files, cv.customer.Plan(model="customer_study"))
    assert list(base.controls) == ["log tenure"] and base.segment is None
    assert any("simulated defaults of attributes" in text for text in base.warnings)
    with pytest.raises(InputError, match="contracts: is the simulated default"):
        cv.customer.join(cv.customer.Files(str(paths[0]), SHIPPED[1]))
    with pytest.raises(InputError, match="survey: is the simulated default"):
        cv.customer.join(cv.customer.Files(SHIPPED[0], pd.read_csv(paths[1])))
