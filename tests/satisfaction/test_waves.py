"""Waves: series, exact decomposition, tests of change, and what is refused."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.compare.groups import estimate_groups
from cvlib.satisfaction.compare.sentences import change_verdict
from cvlib.satisfaction.compare.waves import ALL, at_wave, compare_waves, decompose
from cvlib.satisfaction.design.simulate import population, simulate_survey
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import in_language

MODEL = load_model("ecsi_mobile").without(
    ["image", "expectation", "complaints", "loyalty"], "is not needed here"
)
CELLS = pd.DataFrame({
    "brand": list("AAABBB"), "wave": [2021, 2022, 2024] * 2,
    "quality": [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
})  # fmt: skip
SURVEY = simulate_survey(population(MODEL), 100, seed=9, groups=CELLS)


@cache
def waves():
    return compare_waves(
        SURVEY, MODEL, "wave", "brand", permutations=199, draws=Bootstrap(200, seed=2)
    )


def test_answers_and_weights_add_up_to_the_change() -> None:
    generator = np.random.default_rng(1)
    mean, shares = generator.uniform(20, 90, (4, 3)), generator.dirichlet(np.ones(3), 4)
    answers, weights = decompose(mean, shares)
    np.testing.assert_allclose(answers + weights, np.diff((mean * shares).sum(axis=1)), atol=1e-12)
    first = ((shares[0] + shares[1]) / 2) @ (mean[1] - mean[0])
    assert answers[0] == pytest.approx(first, abs=1e-12)
    wide = waves().decomposition.pivot(
        index=["group", "to_wave"], columns="component", values="estimate"
    )
    np.testing.assert_allclose(wide["answers"] + wide["weights"], wide["change"], atol=1e-10)
    own = waves().series.query("series == 'own'").set_index(["group", "wave"])["index"]
    assert wide.loc[("B", "2024"), "change"] == pytest.approx(
        own["B", "2024"] - own["B", "2022"], abs=1e-10
    )


def test_the_four_series() -> None:
    groups = estimate_groups(SURVEY, MODEL, ["brand", "wave"], draws=0)
    own = MODEL.block == MODEL.construct_names.index("satisfaction")
    mean, shares = groups.mean[3:, 0, own], groups.shares[3:, 0, own]
    series = waves().series[waves().series["group"] == "B"].set_index(["series", "wave"])["index"]
    np.testing.assert_allclose(series["own"], (mean * shares).sum(axis=1), atol=1e-10)
    np.testing.assert_allclose(series["fixed"], mean @ shares[0], atol=1e-10)
    np.testing.assert_allclose(series["pooled"], mean @ groups.pooled[0, own], atol=1e-10)
    answers = decompose(mean, shares)[0]
    assert series["chained", "2021"] == pytest.approx(series["own", "2021"], abs=1e-10)
    assert series["chained", "2024"] == pytest.approx(
        series["own", "2021"] + answers.sum(), abs=1e-10
    )


def test_the_raised_wave_is_found_and_the_others_are_not() -> None:
    rows = waves().changes.query("weights == 'pooled'").set_index(["group", "to_wave"])
    assert rows.loc[("B", "2024"), "different"]
    assert rows.loc[("B", "2024"), "p_permutation"] == pytest.approx(1 / 200)
    assert not rows.loc[[("A", "2022"), ("A", "2024"), ("B", "2022")], "different"].any()
    assert rows.loc[("B", "2024"), "difference"] > 5
    told = change_verdict(waves())
    assert "From 2022 to 2024" in told and "B (+" in told and "A (" not in told
    assert "2024" in in_language(change_verdict(waves()), "zh")


def test_the_slope_is_that_of_least_squares_over_the_years() -> None:
    series = waves().series[
        (waves().series["group"] == "B") & (waves().series["series"] == "pooled")
    ]
    trend = waves().trend.set_index(["group", "series"])["slope"]
    expected = np.polyfit([2021, 2022, 2024], series["index"], 1)[0]
    assert trend["B", "pooled"] == pytest.approx(expected, abs=1e-9)
    assert set(waves().series["group"]) == {ALL, "A", "B"}


def test_a_wave_that_lacks_an_item_is_left_out_by_name() -> None:
    gap = SURVEY.astype(dict.fromkeys(MODEL.columns, float))
    gap.loc[gap["wave"] == 2022, "PERV2"] = np.nan
    found = compare_waves(gap, MODEL, "wave", draws=0, permutations=0)
    assert any(text == "Left out: 2022: nobody answered PERV2." for text in found.warnings)
    assert set(found.series["wave"]) == {"2021", "2024"}
    rest = compare_waves(gap[gap["wave"] != 2022], MODEL, "wave", draws=0, permutations=0)
    pd.testing.assert_frame_equal(found.series, rest.series)
    part = SURVEY.astype(dict.fromkeys(MODEL.columns, float))
    part.loc[(part["wave"] == 2022) & (part["brand"] == "A"), ["PERV1", "PERV2"]] = np.nan
    found = compare_waves(part, MODEL, "wave", "brand", draws=0, permutations=0)
    assert any("A / 2022: nobody answered PERV1 and PERV2" in text for text in found.warnings)


def test_no_wave_with_every_item_is_refused() -> None:
    gap = SURVEY.astype(dict.fromkeys(MODEL.columns, float))
    gap["PERV2"] = np.nan
    with pytest.raises(InputError, match="PERV2"):
        compare_waves(gap, MODEL, "wave", draws=0, permutations=0)


def test_one_wave_of_a_group_gives_no_change_and_says_so() -> None:
    alone = SURVEY[(SURVEY["brand"] == "B") | (SURVEY["wave"] == 2024)]
    found = compare_waves(alone, MODEL, "wave", "brand", draws=0, permutations=0)
    assert any(text.startswith("A: only one wave") for text in found.warnings)
    assert "A" not in set(found.changes["group"])


def test_the_last_wave_or_the_one_asked_for() -> None:
    answers = open_survey(SURVEY, MODEL)
    assert set(at_wave(answers, "wave").data["wave"]) == {2024}
    early = at_wave(answers, "wave", "2021")
    assert set(early.data["wave"]) == {2021}
    # rows keep their place in the file
    assert early.table.data.index.tolist() == np.flatnonzero(SURVEY["wave"] == 2021).tolist()
    assert at_wave(answers, "") is answers
    with pytest.raises(InputError, match="'2023' is not a wave"):
        at_wave(answers, "wave", "2023")
    with pytest.raises(InputError, match="Did you mean 'wave'"):
        at_wave(answers, "waves")
