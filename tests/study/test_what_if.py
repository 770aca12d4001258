"""What would happen if: effects at full precision, and what is not moved."""

import json
from pathlib import Path

import pandas as pd
import pytest

import cvlib
from cvlib.inputs.errors import InputError
from cvlib.study.record import Record
from cvlib.study.render.what_if import what_if_content, what_if_html, without_levers
from cvlib.words.language import Words
from cvlib.words.what_if import Lever, Outcome, WhatIf

EFFECTS = pd.DataFrame(
    [["q", "s", 0.1 + 0.2, 0.1, 0.5], ["q", "money", 1234.5, None, None]],
    columns=["lever", "outcome", "effect", "low", "high"],
)
LEVERS = (Lever("q", "<Quality>"), Lever("v", "Value", 0))
OUTCOMES = (Outcome("s", "Satisfaction", 70.0), Outcome("money", "Margin", 9e6, "EUR", 0, 0))


def test_effects_reach_the_page_as_they_are_and_text_does_nothing() -> None:
    content = what_if_content(WhatIf(LEVERS, OUTCOMES, EFFECTS), Words("en"))
    assert content["levers"][0]["moves"] == [[0.1 + 0.2, 0.1, 0.5], [1234.5, None, None]]
    assert content["levers"][1]["moves"] == [[0.0, 0.0, 0.0]] * 2  # a pair not listed: no effect
    page = what_if_html(content, Words("en"))
    assert "<Quality>" not in page and "&lt;Quality&gt;" in page
    assert page.count("<input") == 2 and page.count("disabled") == 1
    assert "1.500" in page and "6,172" in page  # of five points
    assert "<input" not in without_levers(page) and "1.500" in without_levers(page)


@pytest.mark.parametrize(
    "wrong",
    [EFFECTS.drop(columns="low"), pd.concat([EFFECTS, EFFECTS]), EFFECTS.assign(outcome="x")],
)
def test_effects_that_belong_to_nothing_are_refused(wrong: pd.DataFrame) -> None:
    with pytest.raises(InputError):
        WhatIf(LEVERS, OUTCOMES, wrong)


def test_a_record_keeps_it_and_none_is_nothing(tmp_path: Path) -> None:
    record = Record("little", out=str(tmp_path))
    record.what_if(None)
    assert record.supposed == {}
    record.what_if(WhatIf(LEVERS, OUTCOMES, EFFECTS, "Not a prediction."))
    record.close()
    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert kept["what_if"]["limits"] == "Not a prediction."


def test_the_index_moves_as_impacts_state_and_never_beyond_100() -> None:
    found = cvlib.satisfaction.pls(cvlib.load("mobi"), "ecsi_mobile", draws=20)
    supposed = cvlib.satisfaction.index_what_if(found)
    assert supposed is not None
    impacts = found.impacts.set_index(["source", "target"])
    for row in supposed.effects.itertuples():
        own = impacts.loc[(row.lever, row.outcome)]
        assert row.effect == own["impact_1"]
        assert 5 * row.low == pytest.approx(own["ci_low"], rel=1e-15)
    index = found.index.set_index("construct")["index"]
    assert {o.name: o.value for o in supposed.outcomes} == {
        name: index[name] for name in ("satisfaction", "loyalty")
    }
    found.index.loc[found.index["construct"] == "image", "index"] = 97.3
    again = cvlib.satisfaction.index_what_if(found)
    assert again is not None
    assert {lever.name: lever.most for lever in again.levers}["image"] == 2


def test_where_drivers_may_not_be_told_there_is_nothing_to_move() -> None:
    found = cvlib.satisfaction.pls(cvlib.load("mobi"), "ecsi_mobile", draws=0)
    found.settings["admissible"] = False
    assert cvlib.satisfaction.index_what_if(found) is None
