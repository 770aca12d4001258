"""Own files and the shipped base: what belongs to the one never meets the other."""

from pathlib import Path

import numpy as np
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


def made(rows=120, **changes):
    """A small base of one's own: ids, interviews in 2024, contracts with ends or none."""
    rng = np.random.default_rng(3)
    ids = [f"k{i}" for i in range(rows)]
    items = [f"{c}{j}" for c in ("IMAG", "QUAL", "SATI", "LOYA") for j in (1, 2, 3)]
    common = rng.normal(size=rows)
    answers = {
        item: np.clip(np.round(6 + 2 * common + rng.normal(size=rows)), 1, 10) for item in items
    }
    survey = pd.DataFrame({"id": ids, "interviewed_on": "2024-03-01", **answers})
    end = pd.Series(pd.NaT, index=range(rows), dtype="datetime64[ns]")
    end[: rows // 3] = pd.Timestamp("2024-03-02") + pd.to_timedelta(
        rng.integers(30, 300, rows // 3), unit="D"
    )
    contracts = pd.DataFrame({"id": ids, "start": "2023-01-01", "end": end, "fee": 10.0})
    return survey.assign(**changes.get("survey", {})), contracts.assign(
        **changes.get("contracts", {})
    )


def joined_base(survey, contracts, **plan):
    files = cv.customer.Files(survey, contracts)
    return cv.customer.join(files, cv.customer.Plan(model="customer_study", **plan))


def test_a_window_that_ends_before_every_interview_is_named():
    survey, contracts = made(contracts={"end": pd.NaT})
    with pytest.raises(InputError) as error:
        joined_base(survey, contracts)
    assert error.value.where == "holdout_end" and "every interview is later" in str(error.value)
    with pytest.raises(InputError, match="only 0 of the 120 respondents"):
        joined_base(survey, contracts, holdout_end="2024-12-31")


def test_who_left_is_told_as_it_is():
    survey, contracts = made(contracts={"end": "2024-06-01"})
    with pytest.raises(InputError, match="all 120 respondents who can be followed left"):
        joined_base(survey, contracts)
    with pytest.raises(InputError, match="only 30 respondents can be followed"):
        joined_base(survey.head(30), contracts)


def test_no_survey_and_no_fee_are_refused_with_what_to_do():
    survey, contracts = made()
    with pytest.raises(InputError, match="survey: is blank"):
        joined_base(" ", contracts)
    with pytest.raises(InputError, match="with 1 in every row"):
        joined_base(survey, contracts.drop(columns="fee"))


def test_five_points_in_a_model_of_ten_are_named_and_mended_by_the_scale():
    survey, contracts = made()
    items = [name for name in survey if name[-1] in "123"]
    five = survey.assign(**{name: np.ceil(survey[name] / 2) for name in items})
    said = [getattr(text, "id", "") for text in joined_base(five, contracts).warnings]
    assert "inputs.scale_top_unused" in said
    columns = cv.satisfaction.Columns(scale=[1, 5])
    calm = joined_base(five, contracts, columns=columns)
    assert not [t for t in calm.warnings if getattr(t, "id", "").startswith("inputs.scale_")]
    low, high = (float(cv.customer.index(b).scores.mean()) for b in
                 (joined_base(five, contracts), calm))  # fmt: skip
    assert high > low + 20


def test_an_item_without_a_column_can_be_named_or_left_out():
    survey, contracts = made()
    lacking = survey.rename(columns={"LOYA3": "q12"})
    with pytest.raises(InputError, match="no column for item LOYA3"):
        joined_base(lacking, contracts)
    for columns in (
        cv.satisfaction.Columns(mapping={"LOYA3": "q12"}),
        cv.satisfaction.Columns(drop_unmapped=True),
    ):
        assert joined_base(lacking, contracts, columns=columns).answered.all()
