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
