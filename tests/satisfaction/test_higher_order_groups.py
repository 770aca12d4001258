"""Groups and waves of a model with constructs of constructs, each against estimates on its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.satisfaction.compare.differences import exchange
from cvlib.satisfaction.compare.groups import estimate_groups
from cvlib.satisfaction.compare.sentences import league_headline
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.model.model import Model
from cvlib.statistics import resample

DATA = Path(__file__).parents[2] / "data" / "simulated_ecsi_brands.csv"
SURVEY = pd.read_csv(DATA).query("brand in ['A', 'B']")
QUICK = cv.satisfaction.Assessment(folds=0)


def experience(mode: str, stages: str) -> Model:
    return model(
        {"image": "IMAG1..5", "quality": "PERQ1..7", "satisfaction": "CUSA1..3",
         "loyalty": "CUSL1..3",
         "experience": {"dimensions": ["image", "quality"], "mode": mode, "stages": stages}},
        {"experience": ["satisfaction", "loyalty"], "satisfaction": "loyalty"},
    )  # fmt: skip


def alone(chosen: Model, rows: pd.DataFrame):
    return cv.satisfaction.pls(rows, chosen, assessment=QUICK)


@pytest.mark.parametrize(
    ("mode", "stages"), [("A", "disjoint"), ("B", "disjoint"), ("B", "embedded"), ("A", "repeated")]
)
def test_a_group_is_estimated_as_its_rows_alone(mode: str, stages: str) -> None:
    chosen = experience(mode, stages)
    groups = estimate_groups(SURVEY, chosen, "brand", draws=0)
    whole = alone(chosen, SURVEY).extra["scores"]
    for number, (brand, rows) in enumerate(SURVEY.groupby("brand")):
        own = alone(chosen, rows)
        index = own.index.set_index("construct")["index"]
        assert set(index.index) == set(chosen.construct_names)
        for construct in index.index:
            # indices stop at the tolerance of the fit
            assert groups.index(construct, "own")[number, 0] == pytest.approx(
                index[construct], abs=1e-6
            )
            assert groups.scores(number, construct, "own") == pytest.approx(
                own.extra["scores"][construct].to_numpy(), abs=1e-5
            )
            # pooled weights: the scores by the fit to everybody, averaged over the group
            pooled = whole.loc[SURVEY["brand"] == brand, construct].mean()
            assert groups.index(construct)[number, 0] == pytest.approx(pooled, abs=1e-6)
        paths = own.path_coefficients.set_index(["source", "target"])["estimate"]
        mine = groups.path_keys.assign(value=groups.paths[number, 0])
        for row in mine.itertuples():
            assert row.value == pytest.approx(paths[row.source, row.target], abs=1e-7)


def test_draws_of_a_group_are_refitted_in_both_stages_and_repeat() -> None:
    chosen = experience("B", "disjoint")
    groups = estimate_groups(SURVEY, chosen, "brand", draws=cv.satisfaction.Bootstrap(40, seed=3))
    rows = SURVEY[SURVEY["brand"] == "A"]
    counts = next(resample.counts(len(rows), 40, resample.seeds(3, 2)[0], None, 255))
    for draw in (0, 17, 39):
        again = alone(chosen, rows.loc[rows.index.repeat(counts[draw])].reset_index(drop=True))
        index = again.index.set_index("construct")["index"]
        assert groups.index("experience", "own")[0, 1 + draw] == pytest.approx(
            index["experience"], abs=1e-6
        )
        paths = again.path_coefficients["estimate"].to_numpy()
        assert groups.paths[0, 1 + draw] == pytest.approx(paths, abs=1e-7)


def test_exchanges_and_composition_are_those_of_refits_on_rows() -> None:
    """Permutation p and MICOM of the second order, once more by estimates on rows."""
    chosen, number = experience("B", "disjoint"), 19
    groups = estimate_groups(SURVEY, chosen, "brand", draws=0)
    found = exchange(groups, [(0, 1)], permutations=number, seed=5)
    items = [i.name for c in chosen.constructs for i in c.items]
    rows = pd.concat([SURVEY[SURVEY["brand"] == b] for b in "AB"]).reset_index(drop=True)
    standard = (rows[items] - rows[items].mean()) / rows[items].std()
    first = (rows["brand"] == "A").to_numpy()
    own = resample.generator(int(resample.seeds(5, 1, 1)[0]))
    gaps, apart = [], []
    for labels in [first, *(own.permutation(first) for _ in range(number))]:
        halves = [alone(chosen, rows[side].reset_index(drop=True)) for side in (labels, ~labels)]
        paths = [half.path_coefficients["estimate"].to_numpy() for half in halves]
        gaps.append(paths[0] - paths[1])
        scores = []
        for half in halves:
            weight = half.loadings.set_index(["construct", "item"])["weight"]
            parts = [weight["experience", d] * (standard[list(weight[d].index)] @ weight[d])
                     for d in ("image", "quality")]  # fmt: skip
            scores.append(sum(parts))
        apart.append(1 - np.corrcoef(*scores)[0, 1])
    expected = (1 + (np.abs(gaps[1:]) >= np.abs(gaps[0]) - 1e-9).sum(axis=0)) / (1 + number)
    assert found["paths"]["difference"].to_numpy() == pytest.approx(gaps[0], abs=1e-7)
    assert found["paths"]["p"].to_numpy() == pytest.approx(expected)
    micom = found["composition"].set_index("construct").loc["experience"]
    assert micom["difference"] == pytest.approx(apart[0], abs=1e-8)
    assert micom["p"] == pytest.approx((1 + sum(a >= apart[0] - 1e-12 for a in apart[1:])) / 20)
    # steps 3a and 3b: scores by the weights of everybody, in their standard deviations
    weight = alone(chosen, rows).loadings.set_index(["construct", "item"])["weight"]
    score = sum(weight["experience", d] * (standard[list(weight[d].index)] @ weight[d])
                for d in ("image", "quality"))  # fmt: skip
    assert score.std() == pytest.approx(1, abs=1e-6)
    mean = found["mean"].set_index("construct").loc["experience", "difference"]
    assert mean == pytest.approx(score[first].mean() - score[~first].mean(), abs=1e-6)
    spread = found["log_variance"].set_index("construct").loc["experience", "difference"]
    assert spread == pytest.approx(np.log(score[first].var() / score[~first].var()), abs=1e-6)


def test_a_league_and_waves_of_a_parent_speak_of_it() -> None:
    chosen = experience("A", "disjoint")
    few = {"draws": cv.satisfaction.Bootstrap(40, seed=1), "permutations": 39}
    league = cv.satisfaction.groups(SURVEY, chosen, "brand", target="experience", **few)
    assert league_headline(league)[0] in ("A", None)
    assert set(league.index["construct"]) == set(chosen.construct_names)
    assert set(league.invariance["construct"]) == set(chosen.construct_names)
    waves = cv.satisfaction.waves(SURVEY, chosen, "wave", target="experience", **few)
    parts = waves.decomposition.pivot_table(index="from_wave", columns="component",
                                            values="estimate")  # fmt: skip
    assert (parts["answers"] + parts["weights"]).to_numpy() == pytest.approx(parts["change"])
    own = waves.series[waves.series["series"] == "own"]["index"].to_numpy()
    assert np.diff(own) == pytest.approx(parts["change"])
    for result in (league, waves):
        assert result.say("en") and result.say("zh")


def test_groups_that_differ_in_a_dimensions_weight_fail_the_composition() -> None:
    """One brand whose second dimension measures something else: composition does not hold."""
    broken = SURVEY.copy()
    own = np.random.default_rng(3)
    quality = [c for c in broken if c.startswith("PERQ")]
    brand = (broken["brand"] == "B").to_numpy()
    for column in quality[2:]:
        broken.loc[brand, column] = own.permutation(broken.loc[brand, column].to_numpy())
    chosen = experience("B", "disjoint")
    few = {"draws": 0, "permutations": 99, "target": "satisfaction"}
    sound = cv.satisfaction.groups(SURVEY, chosen, "brand", **few).invariance
    found = cv.satisfaction.groups(broken, chosen, "brand", **few).invariance
    for table, holds in ((sound, True), (found, False)):
        step = table[table["step"].str.startswith("2")].set_index("construct")["holds"]
        assert step["experience"] == holds and step["quality"] == holds and step["image"]
