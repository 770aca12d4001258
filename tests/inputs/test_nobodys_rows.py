"""Rows that are nobody's: means below a table, wording below its names, repeats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.inputs.summary_rows import without_summaries
from cvlib.words.message import in_language

ITEMS = ["QU1", "QU2", "QU3", "SA1", "SA2", "SA3", "LO1", "LO2", "LO3"]
MODEL = cv.satisfaction.model(
    {"quality": "QU1..3", "satisfaction": "SA1..3", "loyalty": "LO1..3"},
    {"quality": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    scale=(1, 5),
)


def answers(people: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    trait = draw.normal(size=(people, 1)) + draw.normal(size=(people, 9))
    frame = pd.DataFrame(np.clip(np.round(3.3 + trait), 1, 5).astype(int), columns=ITEMS)
    return frame.assign(id=range(1, people + 1))[["id", *ITEMS]]


def written(path: Path, frame: pd.DataFrame, *below: list[object]) -> Path:
    rows = pd.DataFrame(list(below), columns=frame.columns) if below else frame.head(0)
    path.write_text(frame.to_csv(index=False) + rows.to_csv(index=False, header=False))
    return path


def figures(frame: pd.DataFrame, name: str, digits: int = 2) -> list[float]:
    return frame[ITEMS].agg(name).round(digits).tolist()


@pytest.mark.parametrize("label", ["Mean", "平均", "", "AVERAGE:"])
def test_a_last_row_of_means_is_nobody(tmp_path: Path, label: str) -> None:
    own = answers()
    path = written(tmp_path / "own.csv", own, [label, *figures(own, "mean")])
    opened = cv.satisfaction.open_survey(path, MODEL)
    assert (opened.data[ITEMS].to_numpy() == own[ITEMS].to_numpy()).all()
    assert len(opened.data) == len(own) and opened.left_out["count"].tolist() == [1]
    assert "data row 121 sums up" in " ".join(opened.warnings)
    clean = cv.satisfaction.pls(own, MODEL).index
    pd.testing.assert_frame_equal(cv.satisfaction.pls(path, MODEL).index, clean)


@pytest.mark.parametrize(
    "below",
    [
        [["Total", "sum", 0]],
        [["N", "count", 0]],
        [["", "mean", 3], ["", "std", 3]],
        [["合计", "sum", 0], ["均值", "mean", 1], ["标准差", "std", 2]],
        [["Min", "min", 0], ["Max", "max", 0], ["Median", "median", 1]],
    ],
)
def test_totals_counts_and_deviations_go_too(tmp_path: Path, below: list[list[object]]) -> None:
    own = answers()
    rows = [[label, *figures(own, str(name), int(digits))] for label, name, digits in below]  # type: ignore[call-overload]
    opened = cv.satisfaction.open_survey(written(tmp_path / "own.csv", own, *rows), MODEL)
    assert len(opened.data) == len(own)
    assert opened.left_out["count"].tolist() == [len(below)]


def test_a_respondent_near_the_middle_stays(tmp_path: Path) -> None:
    own = answers()
    middle = [121, *own[ITEMS].mean().round().astype(int)]
    assert (
        len(cv.satisfaction.open_survey(written(tmp_path / "a.csv", own, middle), MODEL).data)
        == 121
    )
    brand = own.assign(id="Shell")
    total = ["Total", *figures(own, "mean", 0)]
    for above in (brand, brand.assign(id="Total")):  # the oil company: with its own label, or not
        path = written(tmp_path / "b.csv", above, [*map(str, total)])
        if above is brand:
            with pytest.raises(InputError, match=r"b\.csv, column id, data row 121: .* 'Total'"):
                cv.satisfaction.open_survey(path, MODEL)
        else:
            assert len(cv.satisfaction.open_survey(path, MODEL).data) == 121


def test_figures_that_are_not_the_rows_own_are_refused_in_both_languages(tmp_path: Path) -> None:
    own = answers()
    wrong = written(tmp_path / "a.csv", own, ["Mean", *[3.21] * 9])
    with pytest.raises(InputError, match="its figures are not those of the rows above") as caught:
        cv.satisfaction.open_survey(wrong, MODEL)
    assert "并不是上方各行的汇总" in caught.value.told("zh")
    last = [122, *[4] * 9]
    below = written(tmp_path / "b.csv", own, ["Mean", *figures(own, "mean")], last)
    with pytest.raises(InputError, match=r"data row 122: the row stands below one that sums up"):
        cv.satisfaction.open_survey(below, MODEL)


def test_a_small_table_is_not_a_sum(tmp_path: Path) -> None:
    frame = pd.DataFrame({"r": [1, 2, 3], "f": [2, 3, 5], "m": [10.0, 20.0, 30.0]})
    assert len(without_summaries(cv.load(frame), ["r", "f", "m"]).data) == 3
    assert len(without_summaries(cv.load(frame.assign(r=["a", "b", "c"])), ["f", "m"]).data) == 3


WORDING = ["Response ID", *[f"How satisfied are you with {item}?" for item in ITEMS]]
IMPORT = [f'{{"ImportId":"QID{n}"}}' for n in range(10)]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("rows", [[WORDING], [WORDING, IMPORT]])
def test_wording_below_the_names_is_a_label(tmp_path: Path, ending: str, rows) -> None:
    own = answers()
    both = pd.concat([pd.DataFrame(rows, columns=own.columns), own.astype(object)])
    path = tmp_path / f"qualtrics.{ending}"
    both.to_csv(path, index=False) if ending == "csv" else both.to_excel(path, index=False)
    read = cv.load(path)
    assert (read.data[ITEMS].to_numpy(float) == own[ITEMS].to_numpy()).all()
    assert read.labels["SA1"] == "How satisfied are you with SA1?"
    assert read.place("SA1", read.data.index[0]).endswith(f"data row {len(rows) + 1}")
    said = [note for note in read.warnings if "wording" in note]
    assert len(said) == 1 and "题目措辞" in in_language(said[0], "zh")


def test_a_first_respondent_without_an_opinion_is_no_wording(tmp_path: Path) -> None:
    own = answers().astype(object)
    own.iloc[0, 1:] = "DK"
    own.to_csv(tmp_path / "own.csv", index=False)
    columns = cv.satisfaction.Columns(dont_know=["DK"])
    assert len(cv.satisfaction.open_survey(tmp_path / "own.csv", MODEL, columns).data) == len(own)
    words = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    told = answers()[ITEMS].replace(dict(enumerate(words, start=1)))
    told.loc[-1] = WORDING[1:]
    with pytest.raises(InputError, match="If that row holds the questions' wording, delete it"):
        cv.satisfaction.open_survey(told.sort_index(), MODEL)


def test_respondents_pasted_in_twice_are_named() -> None:
    own = answers()
    twice = cv.satisfaction.pls(pd.concat([own, own]), MODEL)
    assert any("120 of 240 rows repeat" in text for text in twice.warnings)
    assert not any("repeat" in text for text in cv.satisfaction.pls(own, MODEL).warnings)
    few = pd.concat([own, own.head(3)])  # an id tells all others apart: three are enough
    assert any("3 of 123 rows" in text for text in cv.satisfaction.pls(few, MODEL).warnings)
    alike = pd.concat([own[ITEMS], own[ITEMS].head(3)])  # without one, chance may have made three
    assert not any("repeat" in text for text in cv.satisfaction.pls(alike, MODEL).warnings)


def test_words_of_a_shorter_set_are_not_spread_over_a_longer_scale() -> None:
    words = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    told = answers()[ITEMS].replace(dict(enumerate(words, start=1)))
    seven = cv.satisfaction.Columns(scale=[1, 7])
    with pytest.raises(InputError, match=r"set of 5 steps, and the scale has 7.*\[1, 5\]"):
        cv.satisfaction.open_survey(told, MODEL, seven)
    told.loc[0, "SA1"] = (
        "somewhat agree"  # one step that only seven have: the others are seven, too
    )
    opened = cv.satisfaction.open_survey(told, MODEL, seven)
    assert set(opened.data["QU1"]) == {1, 2, 4, 6, 7} and opened.data["SA1"].iloc[0] == 5
    with pytest.raises(InputError, match="has no number"):
        cv.satisfaction.open_survey(told.replace({"disagree": "somewhat disagree"}), MODEL)


def test_two_words_are_never_one_step() -> None:
    six = ["很不满意", "不满意", "不太满意", "比较满意", "满意", "很满意"]
    draw = np.random.default_rng(1)
    told = pd.DataFrame(draw.choice(six, size=(60, 9)), columns=ITEMS)
    with pytest.raises(InputError, match="has no number"):
        cv.satisfaction.open_survey(told, MODEL)


def test_a_five_point_survey_in_a_ten_point_model_is_doubted_by_every_door() -> None:
    own = answers()
    ten = MODEL.with_scale([1, 10])
    for told in (
        cv.satisfaction.pls(own, ten).warnings,
        cv.satisfaction.open_survey(own, ten).warnings,
        cv.satisfaction.estimate(own, ten, cv.satisfaction.Method("both")).warnings,
    ):
        assert sum("set `scale`, say to [1, 5]" in text for text in told) == 1
    assert not any("`scale`" in text for text in cv.satisfaction.pls(own, MODEL).warnings)


AGREE = {1: "Strongly agree", 2: "Agree", 3: "Neutral", 4: "Disagree", 5: "Strongly disagree"}


def labelled(path: Path, falling: list[str]) -> Path:
    import pyreadstat

    rising = {6 - code: label for code, label in AGREE.items()}
    labels = {item: AGREE if item in falling else rising for item in ITEMS}
    pyreadstat.write_sav(answers()[ITEMS], str(path), variable_value_labels=labels)
    return path


def test_labels_from_best_to_worst_turn_no_index_upside_down(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.sav, column QU1: .*as in all 9 items") as caught:
        cv.satisfaction.open_survey(labelled(tmp_path / "a.sav", ITEMS), MODEL)
    assert "由好到差" in caught.value.told("zh")
    upright = cv.satisfaction.pls(labelled(tmp_path / "b.sav", []), MODEL)
    assert not any("best to worst" in text for text in upright.warnings)
    some = cv.satisfaction.open_survey(labelled(tmp_path / "c.sav", ["QU1"]), MODEL)
    assert [note.id for note in some.cautions] == ["inputs.labels_turned"]
    assert "QU1" in some.cautions[0] and "direction" in some.cautions[0]
    low = {item: {"direction": "-"} for item in ITEMS}
    turned = cv.satisfaction.model(
        {"quality": {"items": {c: low[c] for c in ITEMS[:3]}},
         "satisfaction": {"items": {c: low[c] for c in ITEMS[3:6]}},
         "loyalty": {"items": {c: low[c] for c in ITEMS[6:]}}},
        {"quality": ["satisfaction", "loyalty"], "satisfaction": "loyalty"}, scale=(1, 5),
    )  # fmt: skip
    right = cv.satisfaction.pls(tmp_path / "a.sav", turned).index["index"]
    np.testing.assert_allclose(right, 100 - upright.index["index"], atol=1e-9)


@pytest.mark.parametrize("sign", ["=", "-", ".", ")"])
def test_words_behind_numbers_show_which_way_they_run(sign: str) -> None:
    told = answers()[ITEMS].replace({code: f"{code}{sign} {word}" for code, word in AGREE.items()})
    with pytest.raises(InputError, match="the labels run from best to worst"):
        cv.satisfaction.open_survey(told, MODEL)
    right = {6 - code: f"{6 - code}{sign} {word}" for code, word in AGREE.items()}
    opened = cv.satisfaction.open_survey(answers()[ITEMS].replace(right), MODEL)
    assert (opened.data[ITEMS].to_numpy() == answers()[ITEMS].to_numpy()).all()


def test_what_cannot_be_estimated_names_the_file_and_its_column(tmp_path: Path) -> None:
    path = written(tmp_path / "own.csv", answers().assign(SA2=3))
    with pytest.raises(InputError, match=r"own\.csv, column SA2: all answers are 3"):
        cv.satisfaction.pls(path, MODEL)
    few = cv.satisfaction.pls(answers(8)[ITEMS], MODEL).warnings
    assert any("fewer respondents or clusters (8) than folds (10)" in text for text in few)


def test_groups_written_in_two_ways_are_named_and_those_written_in_one_are_not() -> None:
    own = answers(240).assign(city=["Beijing"] * 80 + ["beijing"] * 80 + ["Shanghai"] * 80)
    few = {"minimum": 50, "draws": 4, "permutations": 0}
    said = cv.satisfaction.groups(own, MODEL, "city", **few).warnings  # type: ignore[arg-type]
    told = [note for note in said if getattr(note, "id", "") == "satisfaction.groups_alike"]
    assert len(told) == 1 and "Beijing and beijing of column city" in told[0]
    assert "统一写法" in in_language(told[0], "zh")
    own["city"] = own["city"].str.title()
    said = cv.satisfaction.groups(own, MODEL, "city", **few).warnings  # type: ignore[arg-type]
    assert not any(getattr(note, "id", "") == "satisfaction.groups_alike" for note in said)


def test_the_only_driver_is_compared_with_no_other() -> None:
    two = cv.satisfaction.model(
        {"quality": "QU1..3", "satisfaction": "SA1..3"}, {"quality": "satisfaction"}, scale=(1, 5)
    )
    alone = {"satisfaction.advice_only"}
    among = {"satisfaction.advice_raise", "satisfaction.advice_keep"}
    survey = cv.load(answers(200))
    for model, wanted in ((two, alone), (MODEL, alone), ("more", among)):
        if model == "more":
            model = cv.satisfaction.model(
                {"quality": "QU1..3", "loyalty": "LO1..3", "satisfaction": "SA1..3"},
                {"quality": "satisfaction", "loyalty": "satisfaction"}, scale=(1, 5),
            )  # fmt: skip
        found = cv.satisfaction.estimate(survey, model, draws=60)
        advice = cv.satisfaction.index_answer(found, survey).advice
        kinds = {note.id for note in advice}
        assert kinds <= wanted and kinds


def test_cells_off_their_range_are_refused_in_both_languages() -> None:
    asked = cv.load("service_survey").data.copy()
    asked.loc[2, "P3"] = 99
    with pytest.raises(InputError, match="99 is not a whole number from 1 to 7") as caught:
        cv.satisfaction.service_gaps(asked)
    assert "99 不是 1 至 7 的整数" in caught.value.told("zh")
