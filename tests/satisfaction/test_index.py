"""The 0-100 index against independent numbers, its invariances, impacts and the map."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.bootstrap import bootstrap
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.survey.missing import prepare

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "satisfaction"
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")
MODEL = load_model("ecsi_mobile")


def fitted(model=MODEL, data=MOBI, **settings):
    survey = prepare(data, model)
    moments = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    return survey, fit_pls(model, *moments, tolerance=1e-13, **settings)


SURVEY, FIT = fitted()
TABLE = pd.read_csv(REFERENCE / "mobi_index_scores.csv")


@pytest.mark.parametrize("scheme", ["path", "centroid", "factorial"])
def test_index_by_three_formulas_equals_the_reference(scheme: str) -> None:
    label = {"path": "pathWeighting"}.get(scheme, scheme)
    expected = TABLE[TABLE["model"] == f"mobi ECSI modeA {label}"]
    fit = fitted(scheme=scheme)[1]
    columns = {
        "unstandardized": "index_mean",
        "standardized": "index_with_standardised_weights",
        "simple": "index_equal_weights",
    }
    for formula, column in columns.items():
        found = scoring.index_values(MODEL, fit, formula).values[0]
        np.testing.assert_allclose(found, expected[column], rtol=0, atol=1e-8)
    shares = scoring.index_values(MODEL, fit).shares[0]
    written = [
        pair.split("=") for text in expected["unstd_weights_sum1"] for pair in text.split(";")
    ]
    assert [name for name, _ in written] == list(MODEL.items)
    np.testing.assert_allclose(shares, [float(value) for _, value in written], atol=1e-8)


def test_individual_scores_have_the_reference_spread_and_the_index_as_mean() -> None:
    index = scoring.index_values(MODEL, FIT)
    scores = scoring.index_scores(MODEL, SURVEY.values, index, SURVEY.index)
    expected = TABLE[TABLE["model"] == "mobi ECSI modeA pathWeighting"]
    np.testing.assert_allclose(scores.mean(), index.values[0], atol=1e-10)
    np.testing.assert_allclose(scores.std(), expected["index_sd"], atol=1e-8)
    np.testing.assert_allclose(index.standard_deviation[0], expected["index_sd"], atol=1e-8)
    np.testing.assert_allclose(scores.min(), expected["min"], atol=1e-8)
    np.testing.assert_allclose(scores.max(), expected["max"], atol=1e-8)


def test_satisfaction_index_and_its_bootstrap_error() -> None:
    drawn = bootstrap(
        SURVEY.source,
        lambda mean, covariance: fit_pls(MODEL, mean, covariance),
        lambda fit: {"index": scoring.index_values(MODEL, fit).values},
        draws=2000,
        seed=11,
    ).kept("index")
    expected = pd.read_csv(REFERENCE / "mobi_index_bootstrap.csv")
    assert scoring.index_values(MODEL, FIT).values[0, 4] == pytest.approx(72.4541, abs=5e-5)
    # Monte Carlo error of a standard error from 2,000 and 5,000 draws together: 1.9 %
    np.testing.assert_allclose(drawn.std(axis=0, ddof=1), expected["boot_se"], rtol=0.06)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(low, expected["ci2_5"], atol=0.45)
    np.testing.assert_allclose(high, expected["ci97_5"], atol=0.45)


def test_index_does_not_depend_on_the_range_an_item_was_asked_on() -> None:
    # CUSA2 on 0-100 and PERQ3 on 1-5 instead of 1-10, the same answers otherwise
    ranges = {"CUSA2": (0.0, 100.0), "PERQ3": (1.0, 5.0)}
    data = MOBI.astype(float)
    for item, (low, high) in ranges.items():
        data[item] = low + (data[item] - 1) / 9 * (high - low)
    model = replace(
        MODEL,
        constructs=tuple(
            replace(
                c,
                items=tuple(
                    replace(i, minimum=ranges[i.name][0], maximum=ranges[i.name][1])
                    if i.name in ranges
                    else i
                    for i in c.items
                ),
            )
            for c in MODEL.constructs
        ),
    )
    fit = fitted(model, data)[1]
    for formula in scoring.FORMULAS:
        np.testing.assert_allclose(
            scoring.index_values(model, fit, formula).values,
            scoring.index_values(MODEL, FIT, formula).values,
            atol=1e-9,
        )
    np.testing.assert_allclose(
        scoring.unstandardized_effects(fit.paths, scoring.index_values(model, fit)),
        scoring.unstandardized_effects(FIT.paths, scoring.index_values(MODEL, FIT)),
        atol=1e-9,
    )


def test_everybody_content_is_100_and_a_turned_item_gives_the_same_index() -> None:
    turned = MOBI.assign(CUSA2=11 - MOBI["CUSA2"])
    model = replace(
        MODEL,
        constructs=tuple(
            replace(
                c,
                items=tuple(replace(i, direction="-") if i.name == "CUSA2" else i for i in c.items),
            )
            for c in MODEL.constructs
        ),
    )
    fit = fitted(model, turned)[1]
    np.testing.assert_allclose(
        scoring.index_values(model, fit).values, scoring.index_values(MODEL, FIT).values, atol=1e-9
    )
    best = replace(FIT, mean=np.full((1, 24), 10.0))
    np.testing.assert_allclose(scoring.index_values(MODEL, best).values, 100.0)


def test_impacts_are_slopes_of_the_scores() -> None:
    index = scoring.index_values(MODEL, FIT)
    scores = scoring.index_scores(MODEL, SURVEY.values, index)
    effects = scoring.unstandardized_effects(FIT.paths, index)[0]
    names = list(MODEL.construct_names)
    # value has one route to satisfaction: its impact is the slope of a regression of scores
    causes = ["image", "expectation", "quality", "value"]
    design = np.column_stack([np.ones(len(scores)), scores[causes]])
    slope = np.linalg.lstsq(design, scores["satisfaction"])[0][-1]
    found = effects[names.index("value"), names.index("satisfaction")]
    assert found == pytest.approx(slope, abs=1e-10)
    quality = np.linalg.lstsq(design, scores["satisfaction"])[0][3]
    onto_value = np.linalg.lstsq(design[:, [0, 2, 3]], scores["value"])[0][2]
    assert effects[names.index("quality"), names.index("satisfaction")] == pytest.approx(
        quality + onto_value * slope, abs=1e-10
    )
    inferred = scoring.measures(MODEL)["impacts"]
    table = scoring.impacts_table(
        inferred[0].assign(
            estimate=inferred[1](FIT)[0], std_error=0.1, t=1.0, p=0.3, ci_low=-0.1, ci_high=0.3
        )
    )
    row = table.set_index(["source", "target"]).loc[("value", "satisfaction")]
    assert row["impact_1"] == pytest.approx(slope)
    assert row["impact_5"] == pytest.approx(5 * slope)
    assert (row["std_error"], row["ci_high"]) == pytest.approx((0.5, 1.5))


def test_importance_performance_map_of_any_target() -> None:
    keys, values = scoring.measures(MODEL)["impacts"]
    impacts = scoring.impacts_table(keys.assign(estimate=values(FIT)[0]))
    index = pd.DataFrame({
        "construct": MODEL.construct_names, "index": scoring.index_values(MODEL, FIT).values[0]
    })  # fmt: skip
    table = scoring.importance_performance_table(impacts, index, MODEL)
    assert list(table["construct"]) == ["image", "expectation", "quality", "value"]
    assert (table["target"] == "satisfaction").all()
    assert table.set_index("construct")["importance"].idxmax() == "quality"
    assert table["performance"].tolist() == pytest.approx(index["index"][:4].tolist())
    loyalty = scoring.importance_performance_table(impacts, index, MODEL, "loyalty")
    assert set(loyalty["construct"]) == set(MODEL.construct_names) - {"loyalty"}
    with pytest.raises(InputError, match="not a construct"):
        scoring.importance_performance_table(impacts, index, MODEL, "joy")


def test_negative_weights_are_told() -> None:
    weights = FIT.weights.copy()
    weights[0, MODEL.items.index("PERQ6")] = -0.086
    (told,) = scoring.negative_weights(MODEL, replace(FIT, weights=weights))
    assert "quality" in told and "PERQ6 (-0.086)" in told
    assert not scoring.negative_weights(MODEL, FIT)


def test_an_unknown_formula_is_refused() -> None:
    with pytest.raises(InputError, match="simple"):
        scoring.index_values(MODEL, FIT, "simpel")
