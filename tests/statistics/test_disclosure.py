"""Small groups of people do not reach a published table; a customer's name is no id."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from cvlib.inputs.errors import InputError
from cvlib.statistics.disclosure import (
    KEY_FILE,
    key_table,
    listed,
    pseudonym_note,
    pseudonyms,
    publishable,
    unlabelled,
)


@pytest.fixture
def groups() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "brand": ["a", "b", "c", "d", "none"],
            "people": [100, 7, 3, 40, 0],
            "index": [70.0, 60.0, 50.0, 80.0, float("nan")],
            "sure": [True, True, False, True, False],
        }
    )


def test_a_lone_small_group_takes_the_next_smallest_with_it(groups: pd.DataFrame) -> None:
    shown, blank = publishable(groups, "people", 5)
    assert blank == 2
    assert shown["people"].isna().tolist() == [False, True, True, False, False]
    assert shown["index"].tolist()[0] == 70.0
    assert shown["brand"].tolist() == ["a", "b", "c", "d", "none"]
    assert groups["people"].tolist() == [100, 7, 3, 40, 0]


def test_several_small_groups_hide_each_other(groups: pd.DataFrame) -> None:
    shown, blank = publishable(groups, "people", 10)
    assert blank == 2
    assert shown["people"].isna().tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("threshold", [0, 1, 3])
def test_nothing_small_nothing_blank(groups: pd.DataFrame, threshold: int) -> None:
    shown, blank = publishable(groups, "people", threshold)
    assert blank == 0
    pd.testing.assert_frame_equal(shown, groups)


def test_a_table_of_one_small_group_is_blank() -> None:
    shown, blank = publishable(pd.DataFrame({"n": [2], "mean": [1.5]}), "n", 5)
    assert blank == 1
    assert shown.isna().to_numpy().all()


def test_each_part_with_a_total_hides_its_own() -> None:
    table = pd.DataFrame(
        {"start": ["a"] * 3 + ["b"] * 3, "people": [90, 20, 2, 9, 8, 30], "share": [0.1] * 6}
    )
    shown, blank = publishable(table, "people", 5, within="start")
    assert blank == 2
    assert shown["share"].isna().tolist() == [False, True, True, False, False, False]


def test_the_first_column_names_the_row_even_as_a_number() -> None:
    shown, _ = publishable(pd.DataFrame({"bin": [1, 2], "n": [2, 3]}), "n", 5)
    assert shown["bin"].tolist() == [1, 2]
    assert shown["n"].isna().all()


def tables_of(rows: list[int], columns: list[int], free: np.ndarray) -> Iterator[np.ndarray]:
    """Every table of counts with these totals: what is not free is 0, what is free 1 or more."""
    if not rows:
        if not any(columns):
            yield np.empty((0, len(columns)), dtype=int)
        return
    choices = [range(1, columns[k] + 1) if open_ else (0,) for k, open_ in enumerate(free[0])]
    for row in itertools.product(*choices):
        if sum(row) == rows[0]:
            left = [total - own for total, own in zip(columns, row, strict=True)]
            for below in tables_of(rows[1:], left, free[1:]):
                yield np.vstack([row, below])


def attack(table: pd.DataFrame, shown: pd.DataFrame, shape: tuple[int, int]) -> np.ndarray:
    """All values each blank cell can have, to who adds the published cells up to the totals."""
    true = table["people"].to_numpy().reshape(shape)
    seen = shown["people"].to_numpy(float).reshape(shape)
    blank = np.isnan(seen)
    rest = true - np.where(blank, 0, np.nan_to_num(seen)).astype(int)
    sums = rest.sum(axis=1).tolist(), rest.sum(axis=0).tolist()
    found = np.array(list(tables_of(*sums, blank)))
    return np.array([len(set(found[:, i, j])) for i, j in np.ndindex(shape)])


@pytest.mark.parametrize("seed", range(40))
def test_no_blank_cell_of_a_table_of_movements_can_be_solved_from_its_totals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (3, 3) if seed % 2 else (4, 3)
    people = rng.choice([0, 1, 2, 3, 5, 6, 7], size=shape[0] * shape[1])
    pairs = list(itertools.product("abcd"[: shape[0]], "xyz"))
    table = pd.DataFrame(pairs, columns=["before", "after"]).assign(people=people, share=0.1)
    shown, blank = publishable(table, "people", 4, within=["before", "after"])
    assert shown["people"].isna().sum() == blank
    assert shown["people"].isna()[(people > 0) & (people < 4)].all()
    assert (shown["people"].dropna() == table["people"][shown["people"].notna()]).all()
    cells, open_ = people.reshape(shape), shown["people"].notna().to_numpy().reshape(shape)
    for i, j in zip(*np.nonzero((cells > 0) & (cells < 4)), strict=True):
        near = np.zeros(shape, dtype=bool)
        near[i], near[:, j] = True, True
        # nothing is left to protect a cell whose row and column are blank
        if (near & open_ & (cells > 0)).any():
            low, high = ends(cells, ~open_, (i, j))
            assert high > low


def ends(cells: np.ndarray, blank: np.ndarray, wanted: tuple[int, int]) -> tuple[float, float]:
    """Fewest and most of a blank cell by whole numbers, from the published totals."""
    rows, totals = [], []
    for axis in (0, 1):
        sums = pd.DataFrame({"g": range(cells.shape[1 - axis]), "n": cells.sum(axis=axis)})
        seen = publishable(sums, "n", 4)[0]["n"].notna().to_numpy()
        groups = [np.array([k]) for k in np.flatnonzero(seen)] + [np.flatnonzero(~seen)]
        for group in groups:
            row = np.zeros(cells.shape)
            row[(slice(None), group) if axis == 0 else (group, slice(None))] = 1
            rows.append((row * blank)[blank])
            totals.append((row * blank * cells).sum())
    aim = np.zeros(cells.shape)
    aim[wanted] = 1
    found = [
        milp(sign * aim[blank], constraints=LinearConstraint(np.array(rows), totals, totals),
             integrality=np.ones(blank.sum()), bounds=Bounds(1, np.inf)).fun
        for sign in (1, -1)
    ]  # fmt: skip
    return found[0], -found[1]


def test_a_column_of_one_person_does_not_blank_the_whole_table() -> None:
    rng = np.random.default_rng(4)
    people = rng.integers(20, 90, 25)
    people[[4, 9, 14, 19, 24]] = [0, 1, 0, 0, 0]
    pairs = list(itertools.product("abcde", "vwxyz"))
    table = pd.DataFrame(pairs, columns=["before", "after"]).assign(people=people)
    shown, blank = publishable(table, "people", 5, within=["before", "after"])
    assert shown["people"].isna()[9] and 2 <= blank <= 6


def test_the_attack_solves_a_table_with_one_margin_protected() -> None:
    """Movements blanked row by row: the columns' totals give the small cell back."""
    pairs = list(itertools.product("ab", "xy"))
    table = pd.DataFrame(pairs, columns=["before", "after"]).assign(people=[3, 7, 9, 8])
    by_row, _ = publishable(table, "people", 4, within="before")
    assert attack(table, by_row, (2, 2))[0] == 1
    by_both, blank = publishable(table, "people", 4, within=["before", "after"])
    assert attack(table, by_both, (2, 2))[0] > 1 and blank == 4


@pytest.mark.parametrize("people", [[1, 1, 30, 40], [2, 1, 9], [1, 1, 1, 50], [4, 30]])
def test_what_is_blank_is_no_small_group_together(people: list[int]) -> None:
    shown, _ = publishable(pd.DataFrame({"g": list("abcd")[: len(people)], "n": people}), "n", 5)
    gone = np.array(people)[shown["n"].isna()]
    assert gone.sum() >= 5 and gone.sum() > len(gone)


def test_a_list_of_people_does_not_count_out_a_small_group() -> None:
    people = pd.DataFrame({"customer": range(60), "grade": ["A"] * 2 + ["B"] * 18 + ["C"] * 40})
    shown, lost = unlabelled(people, ["grade"], 5)
    assert lost == 20 and shown["grade"].isna().sum() == 20
    table = people["grade"].value_counts().rename_axis("grade").reset_index(name="n")
    blank = publishable(table, "n", 5)[0]
    assert set(blank.loc[blank["n"].isna(), "grade"]) == {"A", "B"}
    assert unlabelled(people, ["grade"], 2)[1] == 0


IDS = pd.Series(["C01", "C02", "C01", None, "c02"], index=[7, 3, 5, 1, 0])


def test_pseudonyms_are_no_ids_and_the_same_for_the_same_customer() -> None:
    names = pseudonyms(IDS, 1)
    assert names.index.equals(IDS.index)
    assert names[7] == names[5] and pd.isna(names[1])
    assert names.nunique() == 3 and set(names.dropna()).isdisjoint(IDS)
    assert names.dropna().str.fullmatch(r"customer-[a-f][0-9a-f]{7}").all()
    assert pseudonyms(IDS, 1).equals(names) and not pseudonyms(IDS, 2).equals(names)
    assert pseudonyms(IDS, 1, pseudonymise=False) is IDS


def test_a_customer_keeps_the_name_in_another_table_and_another_type() -> None:
    whole = pseudonyms(pd.Series(range(1000)), 5)
    assert pseudonyms(pd.Series([17.0, np.nan]), 5)[0] == whole[17]
    assert pseudonyms(pd.Series(["17"]), 5)[0] == whole[17]
    assert whole.nunique() == 1000


def test_a_name_that_is_an_id_of_the_data_is_not_given() -> None:
    first = pseudonyms(pd.Series(["a", "b"]), 3)
    for taken in (first[0], first[0].upper(), first[0].partition("-")[2]):
        ids = pd.Series(["a", "b", taken])
        assert set(pseudonyms(ids, 3).str.casefold()).isdisjoint(ids.str.casefold())
        assert pseudonyms(ids, 3)[0] != first[0]


def test_collisions_lengthen_the_names() -> None:
    names = pseudonyms(pd.Series(range(60_000)), 2)
    assert names.nunique() == 60_000


def test_the_key_file_decides_where_there_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "runs" / "x"
    folder.mkdir(parents=True)
    seeded = pseudonyms(IDS, 1, folder=folder)
    assert seeded.equals(pseudonyms(IDS, 1))
    key = tmp_path / KEY_FILE
    key.parent.mkdir()
    key.write_text("0123456789abcdef-long-enough\n")
    keyed = pseudonyms(IDS, 1, folder=folder)
    assert not keyed.equals(seeded) and keyed.equals(pseudonyms(IDS, 2, folder=str(folder)))
    assert pseudonym_note(folder).id == "common.pseudonyms_keyed"
    assert pseudonym_note("").id == "common.pseudonyms_seeded"
    assert pseudonym_note(folder, pseudonymise=False) == ""
    key.write_text("short")
    with pytest.raises(InputError, match="fewer than 16"):
        pseudonyms(IDS, 1, folder=folder)


def test_nobody_with_all_ids_can_compute_the_names_of_a_keyed_study(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).parent.mkdir()
    (tmp_path / KEY_FILE).write_text("a secret that nobody else has")
    names = pseudonyms(IDS, 1, folder=tmp_path)
    tried = {name for seed in range(50) for name in pseudonyms(IDS, seed).dropna()}
    assert tried.isdisjoint(names)


def test_a_list_is_in_no_order_of_ids() -> None:
    ids = pd.Series([f"C{n:03}" for n in range(200)])
    table = pd.DataFrame({"score": np.repeat([2.0, 1.0], 100)})
    found = listed(table, pseudonyms(ids, 1), "score")
    assert found["score"].is_monotonic_decreasing
    assert found["customer"][:100].is_monotonic_increasing
    pairs = key_table(ids, pseudonyms(ids, 1)).set_index("customer")["customer_id"]
    back = pairs[found["customer"][:100]].str[1:].astype(int)
    assert abs(np.corrcoef(back, np.arange(100))[0, 1]) < 0.3
