"""What a join of survey and contracts loses is said before anything is concluded from it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import cvlib as cv
from cvlib.customer.joining import join_notes, lookalikes
from cvlib.inputs.errors import InputError
from cvlib.words.message import in_language


@pytest.fixture(scope="module")
def made():
    return cv.customer.simulate(900, seed=3)


def frames(made):
    given = (made.files.survey, made.files.contracts, made.files.attributes)
    return [pd.DataFrame(getattr(each, "data", each)) for each in given]


def joined(made, survey, contracts, attributes):
    return cv.customer.join(cv.customer.Files(survey, contracts, attributes), made.plan)


def notes(base):
    return [getattr(note, "id", "") for note in base.warnings]


def test_a_clean_join_says_nothing(made):
    assert not {"customer.unmatched", "customer.unmatched_alike", "customer.repeated_rows"} & set(
        notes(joined(made, *frames(made)))
    )


def test_respondents_without_contract_are_counted_from_a_tenth_on(made):
    survey, contracts, attributes = frames(made)
    for strangers, told in ((20, False), (40, True)):
        other = survey.assign(id=[f"x-{n}" if n < strangers else own
                                  for n, own in enumerate(survey["id"])])  # fmt: skip
        base = joined(made, other, contracts, attributes)
        assert ("customer.unmatched" in notes(base)) == told
        audit = base.join_audit.set_index("what")["count"]
        assert audit["respondents without behaviour"] == strangers
    said = next(note for note in base.warnings if note.id == "customer.unmatched")
    assert "40 of 267 respondents" in said and "40 名不在" in in_language(said, "zh")


def test_ids_that_differ_only_in_how_they_are_typed_are_named(made):
    survey, contracts, attributes = frames(made)
    typed = [own.upper() if n < 5 else own for n, own in enumerate(survey["id"])]
    base = joined(made, survey.assign(id=typed), contracts, attributes)
    said = next(note for note in base.warnings if note.id == "customer.unmatched_alike")
    assert "5 of 267" in said and "'C00002' and 'c00002'" in said
    with pytest.raises(InputError, match="267 would match but for case") as caught:
        joined(made, survey.assign(id=survey["id"].str.upper()), contracts, attributes)
    assert "大小写" in caught.value.told("zh")


@pytest.mark.parametrize(
    ("asked", "known", "alike"),
    [
        (["017", "18"], ["17", "18"], 1), (["A-1"], ["a1"], 1), (["a 1"], ["a1"], 1),
        (["a10"], ["a1"], 0), (["10"], ["1"], 0), (["100"], ["10"], 0), (["x"], ["y"], 0),
        (["A1"], ["a1", "a-1"], 0), (["a1"], ["a1", "A1"], 0),
    ],
)  # fmt: skip
def test_what_looks_alike(asked, known, alike):
    found = lookalikes(pd.Index(asked), pd.Index(known))
    assert found.get("alike", 0) == alike


def test_customers_who_stand_twice_are_said(made):
    survey, contracts, attributes = frames(made)
    twice = pd.concat([contracts, contracts.head(7)])
    base = joined(made, pd.concat([survey, survey.head(3)]), twice, attributes)
    said = next(note for note in base.warnings if note.id == "customer.repeated_rows")
    assert "10 rows repeat" in said and "10 行" in in_language(said, "zh")
    assert not join_notes(pd.Index(["a"]), pd.Index(["a"]), 0, "f")


def test_a_join_that_loses_respondents_is_doubted_first(made):
    survey, contracts, _ = frames(made)
    strangers = [f"x-{n}" if n < 60 else own for n, own in enumerate(survey["id"])]
    plan = replace(made.plan, controls=("log tenure",), answering=())
    files = cv.customer.Files(survey.assign(id=strangers), contracts, "")
    study = cv.customer.study(files, plan, draws=0, certificate=0)
    assert "customer.unmatched" in [getattr(note, "id", "") for note in study.answer.doubts]


class TestOwnFiles:
    """Contracts as other programs write them join as the plain ones do."""

    @pytest.fixture(scope="class")
    def plain(self, made):
        return joined(made, *frames(made))

    def alike(self, found, plain):
        assert found.left.tolist() == plain.left.tolist()
        assert found.duration.tolist() == plain.duration.tolist()
        pd.testing.assert_frame_equal(found.outcomes, plain.outcomes)

    def test_usual_heads_words_for_running_and_currencies(self, made, plain):
        survey, contracts, attributes = frames(made)
        heads = {"id": "客户编号", "start": "StartDate", "end": "结束日期", "fee": "Monthly fee"}
        other = contracts.rename(columns=heads)
        other["结束日期"] = contracts["end"].astype("str").where(contracts["end"].notna(), "active")
        other["Monthly fee"] = contracts["fee"].map("${:,.2f}".format)
        found = joined(made, survey, other, attributes)
        assert found.left.tolist() == plain.left.tolist()
        assert {"inputs.columns_taken", "inputs.contracts_running"} <= set(notes(found))
        open_end = contracts.assign(end=contracts["end"].fillna("9999-12-31"))
        self.alike(joined(made, survey, open_end, attributes), plain)

    def test_days_first_in_a_column_that_could_be_read_in_two_ways(self, made, plain):
        survey, contracts, attributes = frames(made)
        days = {c: pd.to_datetime(contracts[c]).dt.strftime("%d/%m/%Y") for c in ("start", "end")}
        assert days["start"].str[:2].astype(int).max() <= 12  # all contracts begin on the first
        self.alike(joined(made, survey, contracts.assign(**days), attributes), plain)
        with pytest.raises(InputError, match=r"column start: .* could be read as"):
            joined(made, survey, contracts.assign(start=days["start"]), attributes)

    def test_controls_that_tell_nothing_are_left_out_and_named(self, made, plain):
        survey, contracts, attributes = frames(made)
        more = attributes.assign(constant=1.0, twice=attributes["yearly_contract"] * 2 + 1)
        plan = replace(made.plan, controls=[*plain.controls, "constant", "twice"])
        found = cv.customer.join(cv.customer.Files(survey, contracts, more), plan)
        assert list(found.controls) == list(plain.controls)
        said = next(n for n in found.warnings if n.id == "customer.controls_tell_nothing")
        assert said.values["names"] == ["constant", "twice"]
        assert "customer.controls_tell_nothing" not in notes(plain)

    def test_a_respondent_without_a_fee_is_named(self, made, plain):
        survey, contracts, attributes = frames(made)
        who = contracts["id"].astype(str) == str(plain.ids[plain.answered][0])
        lacking = contracts.assign(fee=contracts["fee"].where(~who))
        with pytest.raises(InputError, match=r"column fee, data row [0-9]+: is empty"):
            joined(made, survey, lacking, attributes)
