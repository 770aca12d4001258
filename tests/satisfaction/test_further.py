"""Further sections against independent numbers, their gates, and what they say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.beyond import copula, fimix, formative, mediation, necessity, slopes
from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.beyond.common_method import full_collinearity, partialled
from cvlib.satisfaction.beyond.interactions import size_of
from cvlib.satisfaction.beyond.methods import further_methods
from cvlib.satisfaction.beyond.tetrads import independent_tetrads, tetrad_values
from cvlib.satisfaction.model.code import as_model
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.missing import prepare

S = cv.satisfaction
NAMES = ["expectation", "quality", "value", "satisfaction", "loyalty"]
ITEMS = {"expectation": ("CUEX", 3), "quality": ("PERQ", 7), "value": ("PERV", 2),
         "satisfaction": ("CUSA", 3), "loyalty": ("CUSL", 3)}  # fmt: skip


def five(**changes: Any) -> dict[str, Any]:
    """The five-construct model of the references."""
    return {
        "constructs": {name: [f"{stem}{n}" for n in range(1, count + 1)]
                       for name, (stem, count) in ITEMS.items()},
        "paths": {"expectation": ["quality", "value", "satisfaction"],
                  "quality": ["value", "satisfaction"], "value": "satisfaction",
                  "satisfaction": "loyalty"},
        **changes,
    }  # fmt: skip


def base_of(model: Any, draws: int = 0, data: Any = "mobi") -> Base:
    answers = open_survey(data, as_model(model))
    return Base(answers, prepare(answers), "path", "pls", S.Bootstrap(draws))


@pytest.fixture(scope="module")
def base() -> Base:
    return base_of(five())


@pytest.fixture(scope="module")
def scores(advanced: Path) -> np.ndarray:
    return pd.read_csv(advanced / "mobi_scores.csv").to_numpy()


# slopes


@pytest.fixture(scope="module")
def product(advanced: Path) -> slopes.Product:
    """Coefficients of R's lm with the covariance of its own design."""
    given = pd.read_csv(advanced / "mobi_satisfaction_value_moderation_summary.csv")
    known = given.set_index("quantity")["value"]
    at = pd.read_csv(advanced / "mobi_satisfaction_value_simple_slopes.csv").set_index("moderator")
    variance = at["se"] ** 2
    v13 = (variance[1] - variance[-1]) / 4
    v33 = (variance[1] + variance[-1]) / 2 - variance[0]
    coefficients = pd.read_csv(
        advanced / "mobi_satisfaction_value_moderated_regression.csv"
    ).set_index("term")["estimate"]
    return slopes.Product(coefficients["Satisfaction"], coefficients["p"], variance[0], v13, v33,
                          known["df"])  # fmt: skip


def test_simple_slopes_and_region_equal_r(advanced: Path, product: slopes.Product) -> None:
    at = pd.read_csv(advanced / "mobi_satisfaction_value_simple_slopes.csv")
    found = slopes.simple_slopes(product, at["moderator"].to_numpy())
    for column, known in (("slope", "slope"), ("std_error", "se"), ("t", "t")):
        np.testing.assert_allclose(found[column], at[known], rtol=1e-9)
    known = pd.read_csv(advanced / "mobi_satisfaction_value_moderation_summary.csv")
    known = known.set_index("quantity")["value"]
    roots, region = slopes.johnson_neyman(product)
    assert region == "between_roots"  # the leading term is negative
    assert roots == pytest.approx((known["jn_low"], known["jn_high"]), rel=1e-5)


def test_slopes_are_told_at_the_values_asked_for() -> None:
    model = five()
    model["interactions"] = [{"of": ["satisfaction", "value"], "on": "loyalty"}]
    model["paths"]["value"] = ["satisfaction", "loyalty"]
    usual, asked = (
        S.further("mobi", model, S.Asked(["interactions"], **given), draws=100)
        for given in ({}, {"slopes_at": [-2, 0.5]})
    )
    three, two = usual.table("simple_slopes"), asked.table("simple_slopes")
    assert three["moderator_at"].tolist() == [-1, 0, 1]
    assert two["moderator_at"].tolist() == [-2, 0.5]
    middle, rise = three["slope"][1], (three["slope"][2] - three["slope"][0]) / 2
    np.testing.assert_allclose(two["slope"], middle + rise * two["moderator_at"], atol=1e-12)
    # the variance is a parabola in the moderator, which three values determine
    parabola = np.polyfit(three["moderator_at"], three["std_error"] ** 2, 2)
    expected = np.sqrt(np.polyval(parabola, two["moderator_at"]))
    np.testing.assert_allclose(two["std_error"], expected, rtol=1e-9)
    asked.plot.simple_slopes_chart()
    for wrong in ([], [0, 1, 2, 3, 4], ["low"], [float("nan")]):
        with pytest.raises(InputError, match="slopes_at"):
            S.Asked(slopes_at=wrong)


def test_regions_of_all_four_kinds() -> None:
    assert slopes.johnson_neyman(slopes.Product(1, 0, 0.01, 0, 1e-9, 100))[1] == "between_roots"
    assert slopes.johnson_neyman(slopes.Product(0.0, 1, 0.01, 0, 0.01, 100))[1] == "outside_roots"
    assert slopes.johnson_neyman(slopes.Product(0.01, 0.01, 1, 0, 1, 100)) == ((), "nowhere")
    everywhere = slopes.johnson_neyman(slopes.Product(1, 1, 1e-4, -1e-4, 1.01e-4, 100))
    assert everywhere[1] in ("everywhere", "outside_roots")
    # b1 + b3 m with certainty 0 nowhere: the variance vanishes where the slope does
    values = np.array([-5.0, 0.0, 5.0])
    roots, region = slopes.johnson_neyman(slopes.Product(0.0, 1, 0.01, 0, 0.01, 100))
    assert list(slopes.significant(values, roots, region)) == [True, False, True]


def test_the_coefficient_of_the_standardised_product(advanced: Path) -> None:
    """.0659 of the raw product times its standard deviation is .0879; f² .01318."""
    known = pd.read_csv(advanced / "mobi_satisfaction_value_moderation_summary.csv")
    known = known.set_index("quantity")["value"]
    model = {
        "constructs": {name: five()["constructs"][name]
                       for name in ("satisfaction", "value", "loyalty")},
        "paths": {"satisfaction": "loyalty", "value": "loyalty"},
        "interactions": [{"of": ["satisfaction", "value"], "on": "loyalty"}],
    }  # fmt: skip
    found = S.further("mobi", model, draws=0).table("interactions").iloc[0]
    assert found["standardised"] == pytest.approx(known["product_standardised_coef"], abs=1e-7)
    assert found["r_squared_with"] == pytest.approx(known["r2_with"], abs=1e-8)
    assert found["r_squared_without"] == pytest.approx(known["r2_without"], abs=1e-8)
    assert found["f_squared"] == pytest.approx(known["f2"], abs=1e-8)
    assert found["size"] == "medium"


def test_sizes_of_interactions() -> None:
    assert [size_of(value) for value in (0.03, 0.01, 0.0099, 0.001)] == [
        "large", "medium", "small", "negligible"]  # fmt: skip


def interacting(change: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, m = rng.normal(size=(2, 600))
    y = 0.4 * x + 0.2 * m + change * x * m + 0.7 * rng.normal(size=600)
    return pd.DataFrame({"x": x, "m": m, "y": y})


@pytest.mark.parametrize(
    ("change", "said"),
    [(0.4, "the slope rises"), (-0.4, "the slope falls"), (0.0, "no change of the slope")],
)
def test_what_is_said_of_an_interaction_follows_its_sign(change: float, said: str) -> None:
    model = {"constructs": {"x": ["x"], "m": ["m"], "y": ["y"]}, "paths": {"x": "y", "m": "y"},
             "scale": [-20, 20], "interactions": [{"of": ["x", "m"], "on": "y"}]}  # fmt: skip
    found = S.further(interacting(change), model, draws=100)
    assert said in found.say()
    better = found.table("interaction_prediction")["ci_high"].iloc[0] < 0
    assert better == (change != 0)
    assert ("predicted better" in found.say()) == better


# common method


def test_full_collinearity_and_harman(advanced: Path, base: Base) -> None:
    known = pd.read_csv(advanced / "mobi_full_collinearity_vif.csv")["full_collinearity_vif"]
    np.testing.assert_allclose(
        full_collinearity(base.found.composite_correlation)[0], known, atol=1e-8
    )
    harman = json.loads((advanced / "mobi_harman.json").read_text())
    told = S.further("mobi", "ecsi_mobile", ["common_method"], draws=0).table("method_bias")
    value = told.set_index("check")["value"]
    assert value["harman_share"] == pytest.approx(harman["share"], abs=1e-12)
    assert value["eigenvalues_above_one"] == harman["eigenvalues_above_1"]


def test_factors_that_overlap_are_told_and_others_are_not() -> None:
    assert "hard to tell apart" in S.further("mobi", "acsi", ["common_method"], draws=0).say()
    assert "no admissible solution" in S.further("mobi", five(), ["common_method"], draws=0).say()
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 400))
    items = {f"x{n}": x + 0.8 * rng.normal(size=400) for n in range(3)}
    items |= {f"y{n}": 0.4 * x + y + 0.8 * rng.normal(size=400) for n in range(3)}
    model = {"constructs": {"x": ["x0", "x1", "x2"], "y": ["y0", "y1", "y2"]},
             "paths": {"x": "y"}, "scale": [-20, 20]}  # fmt: skip
    apart = S.further(pd.DataFrame(items), model, ["common_method"], draws=0).say()
    assert "hard to tell apart" not in apart and "it stays at or below 5" in apart
    assert "these checks do not show it" in apart.lower()


def test_a_marker_takes_its_correlation_out_of_all_others() -> None:
    star = partialled(np.array([[1.0, 0.5], [0.5, 1.0]]), 0.2)
    assert star[0, 1] == pytest.approx((0.5 - 0.2) / 0.8)
    data = cv.load("mobi").data.copy()
    data["weather"] = np.random.default_rng(1).integers(1, 11, len(data))
    found = S.further(data, five(marker="weather"), draws=0)
    paths = found.table("marker_paths")
    assert (paths["corrected"].abs() > 0).all() and len(paths) == 7
    # a marker that carries everything changes what is said
    data["weather"] = data[[*as_model(five()).items]].mean(axis=1).round()
    other = S.further(data, five(marker="weather"), draws=0)
    assert "no longer significant" in other.say() and "do not show it" not in other.say()


def test_a_marker_that_is_not_there_leaves_the_section_out() -> None:
    found = S.further("mobi", five(marker="nowhere"), draws=0)
    assert not found.tables and "nowhere" in found.warnings[0]


# formative


@pytest.mark.parametrize(
    ("weight", "loading", "clear", "expected"),
    [(True, 0.1, False, "keep"), (False, 0.5, True, "keep_absolute"),
     (False, 0.4, True, "consider"), (False, 0.4, False, "remove")],
)  # fmt: skip
def test_what_to_do_with_a_formative_item(
    weight: bool, loading: float, clear: bool, expected: str
) -> None:
    assert formative.decision(weight, loading, clear) == expected


def test_redundancy_equals_seminr(advanced: Path) -> None:
    known = json.loads((advanced / "mobi_quality_redundancy.json").read_text())
    model = five()
    model["constructs"]["quality"] = {
        "items": model["constructs"]["quality"], "mode": "B", "global": "PERQ1"}  # fmt: skip
    found = S.further("mobi", model, draws=100)
    row = found.table("redundancy").iloc[0]
    assert row["estimate"] == pytest.approx(known["path"], abs=1e-9)
    assert row["r_squared"] == pytest.approx(known["r2"], abs=1e-9)
    assert row["ci_low"] < 0.7 and "they cover the construct" in found.say()
    model["constructs"]["quality"]["global"] = "IMAG1"
    assert "something of the construct is not asked" in S.further("mobi", model, draws=0).say()


# copula


def test_copula_terms_equal_r(advanced: Path, scores: np.ndarray) -> None:
    known = pd.read_csv(advanced / "mobi_copula.csv").set_index(["variant", "term"])["estimate"]
    once = np.ones(len(scores))
    for place, name in ((1, "Quality"), (2, "Value")):
        for variant in ("pg", "adj"):
            found = copula.corrected(scores[:, 3], scores[:, :3], place, once, variant)
            expected = known[f"{variant}_{name}"]
            np.testing.assert_allclose(
                found, [*expected[["Expectation", "Quality", "Value"]], expected["cop"]], atol=1e-8
            )
        both = copula.corrected(scores[:, 3], scores[:, :3], place, once, "adj", True)
        assert both[place] == pytest.approx(known[f"2scope_{name}", name], abs=1e-8)


def test_the_copula_test_cannot_tell_below_its_gates() -> None:
    assert copula.verdict_of(False, 0.001, 0.05) == "cannot_tell"
    assert copula.verdict_of(True, 0.04, 0.05) == "found"
    assert copula.verdict_of(True, 0.06, 0.05) == "not_found"
    found = S.further("mobi", five(), ["copula"], draws=20)
    assert set(found.table("copula")["verdict"]) == {"cannot_tell"}
    assert "cannot tell" in found.say() and "no endogeneity" not in found.say()


def caused(shared: float, rows: int, seed: int) -> pd.DataFrame:
    """x skewed, y = .5 x + error; `shared` of the error is in x."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(2, rows))
    from scipy import stats

    x = stats.gamma.ppf(stats.norm.cdf(normal[0]), 1.0)
    error = shared * normal[0] + np.sqrt(1 - shared**2) * normal[1]
    return pd.DataFrame({"x": x, "y": 0.5 * x + error})


SIMPLE = {"constructs": {"x": ["x"], "y": ["y"]}, "paths": {"x": "y"}, "scale": [-50, 99]}


@pytest.mark.parametrize(("shared", "verdict"), [(0.5, "found"), (0.0, "not_found")])
def test_a_skewed_cause_that_shares_the_error_is_found(shared: float, verdict: str) -> None:
    found = S.further(caused(shared, 1500, 8), SIMPLE, ["copula"], draws=60)
    assert list(found.table("copula")["verdict"]) == [verdict]
    assert ("does not count" in found.say()) == (verdict == "not_found")


@pytest.mark.slow
def test_the_copula_test_holds_its_size() -> None:
    """Without endogeneity 5 % of 300 samples are rejected, within three standard errors."""
    rejected = [
        S.further(caused(0.0, 1000, seed), SIMPLE, ["copula"], draws=100)
        .table("copula")["p"].iloc[0] < 0.05
        for seed in range(300)
    ]  # fmt: skip
    assert abs(np.mean(rejected) - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300)


# mediation


def test_effects_of_routes_equal_seminr(advanced: Path) -> None:
    known = json.loads((advanced / "mobi_mediation.json").read_text())
    table = S.further("mobi", five(), ["mediation"], draws=200).table("mediation")
    for _, row in table.iterrows():
        route = [row["source"], *row["via"].split(" > "), row["target"]]
        entry = known.get(" -> ".join(name.capitalize() for name in route))
        if entry:
            assert row["indirect"] == pytest.approx(entry["specific_indirect"], abs=1e-8)
            assert row["direct"] == pytest.approx(entry["direct"], abs=1e-8)
            assert row["total"] == pytest.approx(entry["total"], abs=1e-8)
            low, high = entry["boot"]["ci_lower"], entry["boot"]["ci_upper"]
            assert row["indirect_ci_low"] == pytest.approx(low, abs=0.035)
            assert row["indirect_ci_high"] == pytest.approx(high, abs=0.035)
    one = table[(table["source"] == "expectation") & (table["via"] == "quality")
                & (table["target"] == "satisfaction")].iloc[0]  # fmt: skip
    assert one["vaf"] == pytest.approx(0.687, abs=5e-4)
    assert one["type"] == "indirect_only"


@pytest.mark.parametrize(
    ("direct", "indirect", "found", "expected"),
    [(0.2, 0.3, (True, True), "complementary"), (-0.2, 0.3, (True, True), "competitive"),
     (0.2, 0.3, (False, True), "indirect_only"), (0.2, 0.3, (True, False), "direct_only"),
     (0.2, 0.3, (False, False), "none")],
)  # fmt: skip
def test_types_of_mediation(
    direct: float, indirect: float, found: tuple[bool, bool], expected: str
) -> None:
    assert mediation.kind_of(direct, indirect, *found) == expected


def test_a_share_is_told_only_where_it_means_something() -> None:
    table = S.further("mobi", five(), ["mediation"], draws=100).table("mediation")
    blank = table["vaf"].isna()
    assert (table.loc[blank, "vaf_reason"] != "").all()
    assert (table.loc[~blank, "vaf_reason"] == "").all()


# segments


def test_two_segments_equal_the_reference(advanced: Path, base: Base, scores: np.ndarray) -> None:
    known = json.loads((advanced / "mobi_fimix_K2.json").read_text())
    found = fimix.mixture(scores, base.model.adjacency, 2, starts=4, seed=1)
    told = fimix.criteria(found, base.model.adjacency, 250)
    assert found.log_likelihood == pytest.approx(known["lnL"], abs=1e-6)
    assert told["parameters"] == known["Q"] and found.agreeing == 4
    for name in ("AIC3", "AIC4", "BIC", "CAIC", "HQ"):
        assert told[name.lower()] == pytest.approx(known["ic"][name], abs=1e-5)
    assert told["entropy"] == pytest.approx(known["ic"]["EN"], abs=1e-4)


def test_one_segment_is_the_regression(base: Base) -> None:
    found = fimix.mixture(base.scores, base.model.adjacency, 1, starts=3, seed=1)
    explained = found.variances[0]
    np.testing.assert_allclose(
        explained, (1 - base.found.r_squared[0][1:]) * base.scores.var(axis=0)[1:], rtol=1e-6
    )


def halves(gap: float) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x = rng.normal(size=400)
    side = np.repeat([1.0, -1.0], 200)
    y = (0.1 + gap * side) * x + 0.4 * rng.normal(size=400)
    return pd.DataFrame({"x": x, "y": y})


@pytest.mark.parametrize(("gap", "found"), [(0.9, True), (0.0, False)])
def test_segments_are_told_where_paths_differ(gap: float, found: bool) -> None:
    asked = S.Asked(["segments"], most_segments=2, starts=6)
    told = S.further(halves(gap), SIMPLE, asked, draws=0)
    assert ("segment_paths" in told.tables) == found
    assert ("agree on 2 segments" in told.say()) == found
    assert ("one model for all" in told.say() or "none are told" in told.say()) != found
    methods = list(further_methods(told)["method"])
    assert methods == (["segments", "segments_moved"] if found else ["segments"])
    assert "Hahn" in further_methods(told, "zh")["sentence"].iloc[0]
    if found:
        moved = told.table("segment_explained").set_index("partition")["sum_r_squared"]
        assert moved["one_model"] < moved["fimix"] <= moved["pos"]


def test_a_solution_that_few_starts_reach_is_not_established(base: Base) -> None:
    told = S.further("mobi", five(), S.Asked(["segments"], most_segments=3, starts=6), draws=0)
    row = told.table("segments").set_index("segments").loc[3]
    assert row["established"] == (row["starts_agreeing"] >= 3)
    said = f"only {row['starts_agreeing']} of 6 starts" in told.say()
    assert said == (not row["established"])


# tetrads


def test_tetrads_equal_the_reference(advanced: Path) -> None:
    known = json.loads((advanced / "mobi_tetrads.json").read_text())["Quality"]
    data = cv.load("mobi").data[[f"PERQ{n}" for n in range(1, 8)]]
    chosen = independent_tetrads(7)
    assert len(chosen) == 14
    values = tetrad_values(data.cov().to_numpy()[None], chosen)[0]
    names = {}
    for entry in known:
        names[entry["tetrad"].replace(" ", "")] = entry["estimate"]
    checked = 0
    for (g, h, i, j), value in zip(chosen, values, strict=True):
        key = (f"s(PERQ{g + 1},PERQ{h + 1})s(PERQ{i + 1},PERQ{j + 1})"
               f"-s(PERQ{g + 1},PERQ{i + 1})s(PERQ{h + 1},PERQ{j + 1})")  # fmt: skip
        if key in names:
            assert value == pytest.approx(names[key], abs=1e-9)
            checked += 1
    assert checked >= 7


def test_the_number_of_tetrads_is_that_of_the_rank() -> None:
    for items in (4, 5, 6, 8):
        assert len(independent_tetrads(items)) == items * (items - 3) // 2


def two_factors(together: float) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    f = rng.normal(size=500)
    g = together * f + np.sqrt(1 - together**2) * rng.normal(size=500)
    items = [0.8 * (f if n < 2 else g) + 0.5 * rng.normal(size=500) for n in range(4)]
    return pd.DataFrame({**{f"q{n}": item for n, item in enumerate(items)},
                         "y": f + g + rng.normal(size=500)})  # fmt: skip


@pytest.mark.parametrize(
    ("together", "verdict"), [(1.0, "not_contradicted"), (0.3, "contradicted")]
)
def test_one_factor_passes_and_two_do_not(together: float, verdict: str) -> None:
    model = {"constructs": {"q": ["q0", "q1", "q2", "q3"], "y": ["y"]}, "paths": {"q": "y"},
             "scale": [-20, 20]}  # fmt: skip
    found = S.further(two_factors(together), model, ["tetrads"], draws=200)
    blocks = found.table("tetrad_blocks").set_index("construct")["verdict"]
    assert blocks["q"] == verdict and blocks["y"] == "not_testable"
    assert "fewer than four items" in found.say()


# necessary conditions


def test_necessity_equals_the_reference(advanced: Path, base: Base) -> None:
    known = json.loads((advanced / "mobi_nca.json").read_text())
    table = S.further("mobi", five(), ["necessity"], draws=200).table("necessity")
    np.testing.assert_allclose(table[["d_ce_fdh", "d_cr_fdh"]], known["effect_sizes"]["values"],
                               atol=1e-8)  # fmt: skip
    assert list(table["necessary"]) == [True, True, False]


def test_the_bottleneck_equals_the_reference(advanced: Path) -> None:
    known = json.loads((advanced / "mobi_nca.json").read_text())["bottleneck"]
    table = S.further("mobi", five(), ["necessity"], draws=0).table("bottleneck")
    for kind in ("ce_fdh", "cr_fdh"):
        values = np.array(known[kind]["values"], dtype=float)
        own = table[table["ceiling"] == kind].pivot(
            index="level", columns="construct", values="needed")  # fmt: skip
        for place, name in enumerate(("expectation", "quality", "value"), start=1):
            printed = np.nan_to_num(values[:, place])
            found = np.nan_to_num(own[name].to_numpy())
            np.testing.assert_allclose(found, printed, atol=0.0501)


def test_importance_and_performance_equal_the_reference(advanced: Path, base: Base) -> None:
    """seminrextras takes the standardised weights; the map takes those of the index."""
    known = json.loads((advanced / "mobi_cipma.json").read_text())
    found = scoring.index_values(base.model, base.found, "standardized")
    effects = scoring.unstandardized_effects(base.found.paths, found)[0, :, 3]
    table = S.further("mobi", five(), ["necessity"], draws=50).table("combined_map")
    own = scoring.index_values(base.model, base.found)
    for row in table.to_dict("records"):
        place, name = NAMES.index(row["construct"]), row["construct"].capitalize()
        assert effects[place] == pytest.approx(known["importance_unstd"][name], abs=1e-8)
        assert found.values[0, place] == pytest.approx(known["performance"][name], abs=1e-7)
        assert row["performance"] == pytest.approx(own.values[0, place], abs=1e-9)
    below = table.set_index("construct")
    assert below.loc["value", "share_below"] == 0 and np.isnan(below.loc["value", "needed"])
    assert (below.loc[["expectation", "quality"], "share_below"] > 0).all()


def test_a_ceiling_by_hand() -> None:
    """Points (0,0), (1,2), (2,1), (4,4): zone 1·4 + 3·2 = 10 of 16."""
    found = necessity.Ceiling(np.array([0.0, 1, 2, 4]), np.array([0.0, 2, 1, 4]))
    assert found.effect() == pytest.approx(10 / 16)
    assert found.effect("cr_fdh") == pytest.approx(
        found._above(*found.line) / 16)  # type: ignore[misc]  # fmt: skip
    assert found.needed(1.0) == 1.0 and found.needed(3.0) == 4.0
    assert np.isnan(found.needed(0.0))


def test_one_respondent_who_sets_the_ceiling_is_told() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(1, 10, 200).round(2)
    y = np.minimum(10, x + 0.5).round(2)
    clear = S.further(pd.DataFrame({"x": x, "y": y}), {**SIMPLE, "scale": [0, 10]},
                      S.Asked(["necessity"]), draws=100, target="y")  # fmt: skip
    assert clear.table("necessity")["necessary"].all()
    assert "hangs on single respondents" not in clear.say()
    noise = rng.uniform(1, 10, 200).round(2)
    none = S.further(pd.DataFrame({"x": x, "y": noise}), {**SIMPLE, "scale": [0, 10]},
                     S.Asked(["necessity"]), draws=100, target="y")  # fmt: skip
    assert not none.table("necessity")["necessary"].any()
    assert "Not shown to be necessary" in none.say()


# the door


def test_a_section_that_fails_takes_no_other_with_it() -> None:
    found = S.further("mobi", five(marker="nowhere"), ["mediation"], draws=50)
    assert "mediation" in found.tables and len(found.warnings) == 1
    consistent = S.further("mobi", five(), ["copula", "mediation"], draws=50,
                           method=S.Method("plsc"))  # fmt: skip
    assert "mediation" in consistent.tables and "copula" not in consistent.tables
    assert "consistent PLS" in consistent.warnings[0]


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    found = S.further("mobi", "acsi")
    assert not found.tables and not found.warnings and found.say() == ""
    with pytest.raises(InputError, match="mediations"):
        S.Asked(["mediations"])


def test_both_languages_speak_and_every_figure_draws() -> None:
    model = five(interactions=[{"of": ["quality", "value"], "on": "satisfaction"}])
    found = S.further("mobi", model, ["necessity"], draws=50)
    assert set(found.drawn) == {"simple_slopes_chart", "johnson_neyman_chart", "necessity_chart",
                                "combined_map_chart"}  # fmt: skip
    for language in ("en", "zh"):
        assert found.say(language)
        for name in found.drawn:
            assert found.figure(name, language).axes
    assert found.figure("segments_chart") is None


def test_higher_order_constructs_have_further_sections_too() -> None:
    model = five()
    model["constructs"]["experience"] = {"dimensions": ["quality", "value"], "mode": "B"}
    model["paths"] = {"expectation": "experience", "experience": ["satisfaction", "loyalty"],
                      "satisfaction": "loyalty"}  # fmt: skip
    found = S.further("mobi", model, ["formative", "mediation", "tetrads"], draws=50)
    assert list(found.table("formative")["item"]) == ["quality", "value"]
    assert len(found.table("mediation")) == 4
    tested = set(found.table("tetrad_blocks")["construct"])  # of dimensions, not of their parent
    assert "quality" in tested and "experience" not in tested


def test_resamples_by_rows_are_those_by_moments() -> None:
    """The scores' regression in a draw gives the path that the moments of the draw give."""
    base = base_of(five(), draws=40)
    paths = base.drawn({"path": (pd.DataFrame(), lambda fit: fit.paths[:, 0, [1]])})

    def slope(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
        x, y = scores[:, 0], scores[:, 1]
        return np.array([np.average(x * y, weights=counts) / np.average(x**2, weights=counts)])

    by_rows = base.by_rows(slope, 1)
    assert paths is not None and by_rows is not None
    np.testing.assert_allclose(by_rows, paths.kept("path"), atol=1e-10)
    assert base_of(five()).by_rows(slope, 1) is None
    assert replace(base, bootstrap=S.Bootstrap(0)).drawn({}) is None
