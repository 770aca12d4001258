"""Two programs on the same covariance model."""

import sys

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.satisfaction.sem.second_opinion import SecondOpinion, second_opinion

COLUMNS = ["objective_above", "largest_difference"]


@pytest.fixture(scope="module")
def acsi() -> SecondOpinion:
    return second_opinion("mobi", "acsi")


def test_semopy_agrees_on_acsi_from_our_optimum(acsi: SecondOpinion) -> None:
    rows = acsi.programs.set_index("solution")
    assert rows.index.tolist() == ["cvlib", "semopy_own_start", "semopy_our_optimum"]
    ours, theirs = rows.loc["cvlib"], rows.loc["semopy_our_optimum"]
    assert theirs["objective"] == pytest.approx(ours["objective"], abs=1e-9)
    assert theirs["chi2"] == pytest.approx(ours["chi2"], abs=1e-6)
    assert theirs["largest_difference"] < 1e-6 and not acsi.warnings
    sem = cv.satisfaction.sem("mobi", "acsi")
    assert ours["chi2"] == pytest.approx(dict(sem.fit.to_numpy())["chi2"], abs=1e-9)
    paths = acsi.estimates.query("op == '~'").set_index(["rhs", "lhs"])["cvlib"]
    wanted = sem.path_coefficients.set_index(["source", "target"])["estimate"]
    pd.testing.assert_series_equal(
        paths, wanted.reindex(paths.index), check_names=False, atol=1e-9, rtol=0
    )


def test_the_estimates_of_both_programs_stand_side_by_side(acsi: SecondOpinion) -> None:
    table, rows = acsi.estimates, acsi.programs.set_index("solution")
    for solution in ("semopy_own_start", "semopy_our_optimum"):
        gap = (table[solution] - table["cvlib"]).abs().max()
        assert gap == pytest.approx(rows.loc[solution, "largest_difference"], abs=1e-15)
    assert len(table) == 19 + 9 and table.notna().all(axis=None)


def test_where_semopy_stops_from_its_own_start_is_told() -> None:
    found = second_opinion("mobi", "ecsi_mobile")
    own = found.programs.set_index("solution").loc["semopy_own_start"]
    assert own["objective_above"] > 1e-4 and own["largest_difference"] > 0.1 and own["at"]
    assert "stops early" in found.say() and "过早停止" in found.say("zh")
    assert "Two programs agree on ecsi_mobile" in found.say()


def changed(found: SecondOpinion, solution: str, values: list[float]) -> str:
    table = found.programs.copy()
    table.loc[table["solution"] == solution, COLUMNS] = values
    return SecondOpinion(table, found.estimates).say()


def test_the_sentence_follows_the_numbers(acsi: SecondOpinion) -> None:
    ours, own = "semopy_our_optimum", "semopy_own_start"
    assert "Two programs agree" in changed(acsi, ours, [0.0, 0.0])
    assert "ends elsewhere" in changed(acsi, ours, [0.0, 0.2])
    assert "is not the lowest" in changed(acsi, ours, [-0.01, 0.2])
    assert "reaches the same optimum" in changed(acsi, own, [1e-9, 1e-5])
    assert "stops early" in changed(acsi, own, [0.02, 1e-5])
    assert "stops early" in changed(acsi, own, [1e-9, 0.2])


def test_single_items_keep_the_reliability_that_is_assumed() -> None:
    some = cv.satisfaction.Specification(single_item_reliability=0.8)
    found = second_opinion("mobi", "acsi", specification=some)
    assert found.programs["largest_difference"].iloc[2] < 1e-5
    assert np.isclose(*found.programs["chi2"].iloc[[0, 2]], atol=1e-6)


def test_a_program_that_fails_is_left_out_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*args: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(sys.modules[second_opinion.__module__], "_semopy", fails)
    found = second_opinion("mobi", "acsi")
    assert found.programs["solution"].tolist() == ["cvlib"] and found.say() == ""
    assert len(found.warnings) == 2 and "Singular matrix" in found.warnings[0]
