"""MICOM and multi-group tests: by hand on rows; size under equal groups, power otherwise."""

import numpy as np
import pandas as pd
import pytest

from cvlib.satisfaction.compare.differences import exchange, path_differences
from cvlib.satisfaction.compare.groups import estimate_groups
from cvlib.satisfaction.compare.micom import gate_table, invariance_table
from cvlib.satisfaction.design.simulate import population, simulate_survey
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.statistics.resample import Bootstrap

MODEL = load_model("ecsi_mobile").without(
    ["image", "expectation", "complaints", "loyalty"], "is not needed here"
)
STRONG = dict.fromkeys(MODEL.items, 0.8)
PEOPLE = population(MODEL, loadings=STRONG)
PATHS = {"quality": {"value": 0.6, "satisfaction": 0.6}, "value": {"satisfaction": 0.2}}


def two(other, size: int, seed: int, **raised: float) -> pd.DataFrame:
    first = simulate_survey(PEOPLE, size, seed=seed).assign(brand="A")
    rise = pd.DataFrame({name: [value] for name, value in raised.items()} or {"x": [0]})
    second = simulate_survey(other, size, seed=seed + 10**6, groups=rise).assign(brand="B")
    return pd.concat([first, second], ignore_index=True)


def labels_exchanged(survey: pd.DataFrame, permutations: int = 199, draws: int = 0) -> tuple:
    groups = estimate_groups(survey, MODEL, "brand", draws=Bootstrap(draws, seed=2))
    return groups, exchange(groups, [(0, 1)], permutations=permutations, seed=4)


def test_the_three_steps_by_hand() -> None:
    survey = two(PEOPLE, 150, 1, quality=0.4)
    _, found = labels_exchanged(survey, permutations=9)
    table = invariance_table(found, MODEL, "holm", 0.95).set_index(["step", "construct"])
    rows = survey[list(MODEL.columns)]
    standard = (rows - rows.mean()) / rows.std()

    def weights(part: pd.DataFrame) -> np.ndarray:
        fit = fit_pls(MODEL, part.mean().to_numpy()[None], part.cov().to_numpy()[None])
        return fit.weights[0][:, None] * MODEL.membership

    by = {brand: weights(rows[survey["brand"] == brand]) for brand in "AB"}
    scores = standard.to_numpy() @ weights(rows)
    first = (survey["brand"] == "A").to_numpy()
    for j, name in enumerate(MODEL.construct_names):
        c = np.corrcoef((standard @ by["A"])[j], (standard @ by["B"])[j])[0, 1]
        assert table.loc[("2 composition", name), "statistic"] == pytest.approx(c, abs=1e-8)
        gap = scores[first, j].mean() - scores[~first, j].mean()
        assert table.loc[("3a mean", name), "statistic"] == pytest.approx(gap, abs=1e-8)
        ratio = np.log(scores[first, j].var(ddof=1) / scores[~first, j].var(ddof=1))
        assert table.loc[("3b variance", name), "statistic"] == pytest.approx(ratio, abs=1e-8)


def test_other_weights_other_means_and_other_paths_are_found() -> None:
    loadings = STRONG | {"PERQ1": 0.2, "PERQ2": 0.2, "PERQ3": 0.3, "CUSA1": 0.25}
    _, found = labels_exchanged(two(population(MODEL, loadings=loadings), 250, 3))
    gate = gate_table(invariance_table(found, MODEL, "holm", 0.95))
    assert gate["invariance"][0] == "none"
    _, found = labels_exchanged(two(PEOPLE, 250, 4, quality=0.6))
    table = invariance_table(found, MODEL, "holm", 0.95)
    assert gate_table(table)["invariance"][0] == "partial"
    assert not table.query("step == '3a mean'")["holds"].any()
    groups, found = labels_exchanged(
        two(population(MODEL, paths=PATHS, loadings=STRONG), 250, 5), draws=200
    )
    table = path_differences(groups, [(0, 1)], found).set_index(["source", "target"])
    tests = ["p_permutation", "p_henseler", "p_parametric", "p_welch"]
    assert (table.loc[("value", "satisfaction"), tests] < 0.05).all()
    assert table.loc[("value", "satisfaction"), "difference"] > 0.1


def test_the_four_path_tests_agree_on_equal_groups() -> None:
    groups, found = labels_exchanged(two(PEOPLE, 200, 8), permutations=499, draws=500)
    table = path_differences(groups, [(0, 1)], found)
    for name in ("p_henseler", "p_parametric", "p_welch"):
        np.testing.assert_allclose(table[name], table["p_permutation"], atol=0.12)
    first, second = groups.paths[0, 1:, 0], groups.paths[1, 1:, 0]
    turned = 2 * first.mean() - first[:, None] > 2 * second.mean() - second[None]
    share = turned.mean()
    assert table["p_henseler"][0] == pytest.approx(2 * min(share, 1 - share), abs=1e-9)


def test_single_items_have_equal_composition_by_construction() -> None:
    model = load_model("ecsi_mobile")
    survey = simulate_survey(population(model), 160, seed=1).assign(brand=["A", "B"] * 80)
    groups = estimate_groups(survey, model, "brand", draws=0)
    found = exchange(groups, [(0, 1)], permutations=19, seed=4)
    table = invariance_table(found, model, "holm", 0.95).set_index(["step", "construct"])
    row = table.loc[("2 composition", "complaints")]
    assert row["statistic"] == 1 and row["p_adjusted"] == 1 and row["holds"]


def sizes(repeats: int, permutations: int) -> pd.Series:
    """Share of p values up to 0.05 when both groups are the same population."""
    hits = []
    for seed in range(repeats):
        _, found = labels_exchanged(two(PEOPLE, 100, 1000 + seed), permutations)
        hits.append({
            name: (found[name]["p"] <= 0.05).mean()
            for name in ("composition", "mean", "log_variance", "index_own", "paths")
        })  # fmt: skip
    return pd.DataFrame(hits).mean()


@pytest.mark.slow
def test_size_under_equal_groups() -> None:
    # 40 repeats of three constructs or paths: between 40 and 120 independent tests
    assert sizes(40, 39).between(0.005, 0.12).all()


@pytest.mark.slow
def test_size_in_the_long_run() -> None:
    assert sizes(1500, 199).between(0.04, 0.06).all()
