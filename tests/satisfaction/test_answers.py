"""The first screen says what the tables beside it say, and other things when they do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.satisfaction.answers import _ELSEWHERE, groups_answer, index_answer, models_answer
from cvlib.satisfaction.compare.sentences import league_headline
from cvlib.words.message import in_language, joined, message, without

SURVEY = cv.load("mobi")


@pytest.fixture(scope="module")
def found() -> Any:
    door = cv.satisfaction
    method = door.Method("both", "acsi", "path", "ml")
    return door.estimate(SURVEY, "ecsi_mobile", method, draws=door.Bootstrap(100, 1, 0.95))


def ids(texts: tuple[str, ...]) -> list[str]:
    return [text.id for text in texts]  # type: ignore[attr-defined]


def changed(found: Any, **tables: Any) -> Any:
    main = replace(found.main, **tables)
    return replace(found, results=(main, *found.results[1:]))


def test_the_answer_of_one_model_is_that_of_its_tables(found: Any) -> None:
    answer = index_answer(found, SURVEY)
    index = found.main.index.set_index("construct")
    assert f"{index.loc['satisfaction', 'index']:.1f}" in answer.verdict[0]
    assert answer.tiles[0].value == f"{index.loc['satisfaction', 'index']:.1f}"
    impacts = found.main.impacts.query("target == 'satisfaction'")
    assert answer.tiles[-1].value == f"{impacts['impact_5'].max():+.1f}"
    assert ids(answer.advice) == ["satisfaction.advice_keep"] * 3
    assert ids(answer.doubts) == ["satisfaction.doubt_overlap", "satisfaction.doubt_misfit"]
    assert answer.hero == "importance_performance_map"
    for text in (answer.question, *answer.verdict, *answer.advice, *answer.doubts):
        assert in_language(text, "zh") != text


def test_advice_follows_performance_and_goes_with_its_interval(found: Any) -> None:
    table = found.main.importance_performance
    low = table.assign(below_average_performance=table["construct"] == "quality")
    answer = index_answer(changed(found, importance_performance=low), SURVEY)
    assert ids(answer.advice)[0] == "satisfaction.advice_raise"
    unsure = found.main.impacts.assign(ci_low=-1.0)
    answer = index_answer(changed(found, impacts=unsure), SURVEY)
    assert ids(answer.advice) == ["satisfaction.advice_none"]


def test_doubts_go_when_nothing_speaks_for_them(found: Any) -> None:
    apart = found.main.htmt.assign(htmt=0.5)
    fits = {"exact_fit": found.main.extra["exact_fit"].assign(p=0.5)}
    calm = changed(found, htmt=apart, extra={**found.main.extra, **fits})
    assert index_answer(calm, SURVEY).doubts == ()


def test_a_withheld_index_has_no_tiles_and_says_why(found: Any) -> None:
    loadings = found.main.loadings
    turned = loadings.assign(loading=loadings["loading"].where(loadings["item"] != "CUSA2", -0.4))
    answer = index_answer(changed(found, loadings=turned), SURVEY)
    assert answer.tiles == () and ids(answer.verdict)[0] == "satisfaction.index_withheld"
    assert "CUSA2" in answer.verdict[0]


def test_models_and_groups_have_their_answers() -> None:
    door = cv.satisfaction
    draws = door.Bootstrap(20, 1, 0.95)
    compared = door.models(SURVEY, ["acsi", "ecsi"], draws=draws)
    answer = models_answer(compared, SURVEY)
    assert [tile.interval != "" for tile in answer.tiles] == [True, True]
    assert {tile.label.id for tile in answer.tiles} == {"satisfaction.tile_by_model"}
    turned = {
        key: replace(r, loadings=r.loadings.assign(loading=-0.4))
        for key, r in compared.results.items()
    }
    assert models_answer(replace(compared, results=turned), SURVEY).tiles == ()
    for p, wanted in (
        (1.0, ["satisfaction.advice_any_model"]),
        (0.001, ["satisfaction.advice_model"] * 2),
    ):
        told = replace(compared, cvpat=compared.cvpat.assign(p_adjusted=p))
        assert ids(models_answer(told, SURVEY).advice) == wanted
    third = compared.cvpat.assign(model_2="third", loss_2=9.0, p_adjusted=0.001, difference=-1.0)
    third = pd.concat([third.assign(model_1=name) for name in ("acsi", "ecsi")])
    both = pd.concat([compared.cvpat.assign(p_adjusted=1.0), third])
    advice = models_answer(replace(compared, cvpat=both), SURVEY).advice
    assert ids(advice) == ["satisfaction.advice_not_models"] * 2 and "third" in advice[0]
    assert in_language(advice[0], "zh") != advice[0]
    nobody = replace(compared, cvpat=compared.cvpat.iloc[:0])
    assert ids(models_answer(nobody, SURVEY).advice) == ["satisfaction.no_common_outcome"]
    brands = cv.load("simulated_brands")
    league = door.groups(brands, "ecsi_mobile", "brand", draws=draws, permutations=0)
    answer = groups_answer(league, None, brands)
    top = league.league.query("weights == 'pooled'").iloc[0]
    assert answer.tiles[0].value == f"{top['index']:.1f}"
    # how many pairs differ is a tile, and no sentence besides
    assert labels(answer) == {
        "satisfaction.tile_leader", "satisfaction.tile_rank", "satisfaction.tile_pairs",
    }  # fmt: skip
    parts = league_headline(league)[1].values["parts"]
    assert ids(parts) == ["satisfaction.leader_tied", "satisfaction.pairs"]
    assert ids(answer.verdict[0].values["parts"]) == ["satisfaction.leader_tied"]
    split = joined(
        [*parts[:1], message("satisfaction.parts", change=1.5, answers=1.0, weights=0.5)]
    )
    assert ids(without(split, _ELSEWHERE).values["parts"]) == ["satisfaction.leader_tied"]
    assert without(parts[1], _ELSEWHERE) == parts[1]
    weights = -np.abs(league.groups.pooled)
    withheld = replace(league, groups=replace(league.groups, pooled=weights))
    assert groups_answer(withheld, None, brands).tiles == ()
    pairs = league.pairwise[league.pairwise["weights"] == "pooled"]
    assert answer.tiles[-1].value == f"{pairs['different'].sum()} / {len(pairs)}"
    behind = pairs[(pairs["group_1"] == "A") & pairs["different"]]["group_2"].tolist()
    assert ids(answer.advice) == ["satisfaction.advice_groups"]
    assert all(name in str(answer.advice[0]) for name in behind)
    assert ids(answer.doubts)[0] == "satisfaction.simulated"
    # invariance is doubted where it was not tested or does not hold, and groups left out are named
    assert "satisfaction.nogate" in ids(answer.doubts)
    tested = pd.DataFrame({"invariance": ["partial", "full"]})
    kept = groups_answer(replace(league, gate=tested), None, brands)
    assert len(kept.doubts) == len(answer.doubts) - 1
    unlike = league.pairwise.assign(composition_holds=False)
    failing = replace(league, gate=tested.assign(invariance="none"), pairwise=unlike)
    assert str(groups_answer(failing, None, brands).doubts[1]).startswith("Equal composition")
    for told in (
        message("satisfaction.groups_small", least=50, names=["Süd"]),
        message("satisfaction.group_left_out", why="nobody answered CUSCO"),
    ):
        fewer = replace(league, groups=replace(league.groups, warnings=(told,)), gate=tested)
        assert told in groups_answer(fewer, None, brands).doubts
    alike = league.league.assign(letters="a")
    answer = groups_answer(replace(league, league=alike), None, cv.load(brands.data))
    assert ids(answer.advice) == ["satisfaction.advice_no_group"]
    assert "satisfaction.simulated" not in ids(answer.doubts)


def labels(answer: Any) -> set[str]:
    return {getattr(tile.label, "id", "") for tile in answer.tiles}


def test_tiles_come_and_go_with_what_they_show(found: Any) -> None:
    assert labels(index_answer(found, SURVEY)) >= {
        "satisfaction.tile_explained", "satisfaction.tile_impact",
    }  # fmt: skip
    bare = changed(found, r_squared=found.main.r_squared.iloc[:0])
    assert "satisfaction.tile_explained" not in labels(index_answer(bare, SURVEY))
    bare = changed(found, impacts=found.main.impacts.iloc[:0])
    assert "satisfaction.tile_impact" not in labels(index_answer(bare, SURVEY))
