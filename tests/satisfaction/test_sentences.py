"""Sentences follow the numbers: each is fed its opposite."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import cvlib
from cvlib.satisfaction import sentences
from cvlib.satisfaction.headline import drivers_withheld, index_withheld
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.words.message import in_language

MOBI = cvlib.load_table("mobi").data
RESULT = estimate_pls(MOBI, "ecsi_mobile")


def with_reliability(**values: float):
    table = RESULT.reliability.copy()
    for measure, value in values.items():
        table.loc[table["construct"] == "loyalty", measure] = value
    return replace(RESULT, reliability=table)


ABOVE = with_reliability(alpha=0.9, rho_a=0.9, rho_c=0.9, ave=0.9)


@pytest.mark.parametrize("measure", ["alpha", "rho_a", "rho_c", "ave"])
def test_every_limit_is_judged_on_its_own(measure: str) -> None:
    names = {"alpha": "Cronbach's alpha", "rho_a": "rho_A", "rho_c": "composite reliability",
             "ave": "AVE"}  # fmt: skip
    bad = with_reliability(**{**dict.fromkeys(names, 0.9), measure: 0.31})
    said = " ".join(sentences.quality_sentences(bad))
    failing = next(text for text in sentences.quality_sentences(bad) if "Loyalty (0.31)" in text)
    assert failing.startswith("Below 0.") and names[measure] in failing
    met = next((t for t in sentences.quality_sentences(bad) if "reaches the limit" in t), "")
    assert names[measure] not in met
    assert "Loyalty (0.31)" not in " ".join(sentences.quality_sentences(ABOVE))
    assert "every construct" not in said.lower() or names[measure] not in said.split("Every")[-1]


def test_a_single_item_is_not_judged_for_reliability() -> None:
    table = RESULT.reliability.copy()
    table.loc[table["construct"] == "complaints", ["alpha", "rho_c", "ave"]] = 0.1
    said = " ".join(sentences.quality_sentences(replace(RESULT, reliability=table)))
    assert "Complaints (0.10)" not in said


def test_loadings_and_htmt_are_judged() -> None:
    strong = RESULT.loadings.assign(loading=0.9)
    said = sentences.quality_sentences(replace(RESULT, loadings=strong))
    assert any("loadings of constructs of several items are 0.70 or more" in text for text in said)
    weak = strong.copy()
    weak.loc[weak["item"] == "CUSL2", "loading"] = 0.2
    assert any("(lowest: CUSL2, 0.20)" in text
               for text in sentences.quality_sentences(replace(RESULT, loadings=weak)))  # fmt: skip
    apart = replace(RESULT, htmt=RESULT.htmt.assign(htmt=0.5))
    assert "0 of 21 pairs" in sentences.quality_sentences(apart)[-1]


def test_an_index_with_an_item_turned_round_is_no_headline() -> None:
    assert sentences.headline(RESULT)[0] == pytest.approx(72.5, abs=0.1)
    turned = MOBI.assign(CUSA2=11 - MOBI["CUSA2"])
    found = estimate_pls(turned, "ecsi_mobile", draws=0)
    value, said = sentences.headline(found)
    assert value is None and "CUSA2" in said and "of 100" not in said
    assert "CUSA2" in in_language(said, "zh") and "不报告指数" in in_language(said, "zh")
    assert drivers_withheld(found) is not None
    assert index_withheld(found, "image") is None


def test_drivers_that_cannot_be_told_apart_have_no_number() -> None:
    assert drivers_withheld(RESULT) is None
    assert "points more" in sentences.driver_sentences(RESULT)[0]
    vif = RESULT.vif.copy()
    vif.loc[(vif["kind"] == "antecedent") & (vif["construct"] == "satisfaction"), "vif"] = 25.0
    for high in (25.0, np.nan, np.inf):
        vif.loc[(vif["kind"] == "antecedent") & (vif["construct"] == "satisfaction"), "vif"] = high
        (said,) = sentences.driver_sentences(replace(RESULT, vif=vif))
        assert "hardly told apart" in said and "points more" not in said
    worse = replace(RESULT, settings={**RESULT.settings, "admissible": False})
    assert "inadmissible" in sentences.driver_sentences(worse)[0]
    draws = pd.DataFrame({"requested": [500], "converged": [500], "failed": [0],
                          "inadmissible": [470], "used": [500]})  # fmt: skip
    few = sentences.driver_sentences(replace(RESULT, draws=draws))
    assert "only 30 of 500" in few[0] and len(few) == 1
    enough = replace(RESULT, draws=draws.assign(inadmissible=10))
    assert "points more" in sentences.driver_sentences(enough)[0]


def test_nothing_leads_to_the_target() -> None:
    none = replace(RESULT, importance_performance=RESULT.importance_performance.head(0))
    (said,) = sentences.driver_sentences(none)
    assert "no drivers" in said and "没有通向" in in_language(said, "zh")


def test_a_largest_effect_below_zero_raises_nothing() -> None:
    table = RESULT.importance_performance
    below = replace(RESULT, importance_performance=table.assign(importance=-0.1))
    assert "No driver raises Satisfaction" in sentences.driver_sentences(below)[0]
