"""Interactions and quadratic effects: the three methods, their file, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.code import as_model
from cvlib.satisfaction.model.file import load_model

S = cv.satisfaction
NAMES = {"satisfaction": "Satisfaction", "value": "Value", "image": "Image", "loyalty": "Loyalty"}
ITEMS = {"satisfaction": "CUSA1-3", "value": "PERV1-2", "image": "IMAG1-5", "loyalty": "CUSL1-3"}
ONE = {"satisfaction": "loyalty", "value": "loyalty"}
TWO = {"image": ["satisfaction", "loyalty"], "satisfaction": "loyalty", "value": "loyalty"}
QUADRATIC = {"image": ["satisfaction", "loyalty"], "satisfaction": "loyalty"}


def written(paths: dict[str, Any], pairs: list[tuple[str, str]], method: str) -> dict[str, Any]:
    used = {*paths, "loyalty"}
    items = {name: [f"{columns[:4]}{n}" for n in range(1, int(columns[-1]) + 1)]
             for name, columns in ITEMS.items()}  # fmt: skip
    return {
        "constructs": {name: items[name] for name in ITEMS if name in used},
        "paths": paths,
        "interactions": [{"of": list(pair), "on": "loyalty", "method": method} for pair in pairs],
    }


CASES = [
    ("mod", ONE, [("satisfaction", "value")]),
    ("mod2", TWO, [("satisfaction", "value"), ("satisfaction", "image")]),
]


@pytest.mark.parametrize("method", ["product_indicator", "orthogonal"])
@pytest.mark.parametrize(("case", "paths", "pairs"), CASES)
def test_products_of_items_equal_seminr(
    advanced: Path, case: str, paths: dict[str, Any], pairs: list[tuple[str, str]], method: str
) -> None:
    """seminr 0.2.1, tolerance 1e-12; its coefficient of a product is already divided."""
    known = json.loads((advanced / "mobi_moderation.json").read_text())[f"{case}_{method}"]
    model = written(paths, pairs, method)
    found = S.pls("mobi", model, assessment=S.Assessment(folds=0))
    for row in found.path_coefficients.itertuples(index=False):
        source = "*".join(NAMES[part] for part in row.source.split(" x "))
        assert row.estimate == pytest.approx(known["paths"][source][NAMES[row.target]], abs=1e-9)
    for row in found.r_squared.itertuples(index=False):
        assert row.r_squared == pytest.approx(known["rsq"]["Rsq"][NAMES[row.construct]], abs=1e-9)


def test_two_stage_equals_a_regression_on_first_stage_scores(advanced: Path) -> None:
    """R lm on seminr's scores: .06590 of the raw product, R² .46511."""
    found = S.pls("mobi", written(ONE, [("satisfaction", "value")], "two_stage"),
                  assessment=S.Assessment(folds=0))  # fmt: skip
    paths = found.path_coefficients.set_index("source")["estimate"]
    assert paths["satisfaction x value"] == pytest.approx(0.065897801498, abs=1e-8)
    assert paths["satisfaction"] == pytest.approx(0.560820096747, abs=1e-8)
    assert found.r_squared["r_squared"].iloc[0] == pytest.approx(0.465112556133, abs=1e-8)


def test_the_file_keeps_interactions_marker_and_global_item(tmp_path: Path) -> None:
    model = as_model({
        **written(ONE, [("satisfaction", "value")], "orthogonal"), "marker": "AGE",
        "constructs": {"satisfaction": {"items": ["CUSA1", "CUSA2"], "mode": "B", "global": "ALL"},
                       "value": ["PERV1", "PERV2"], "loyalty": ["CUSL1"]},
    })  # fmt: skip
    again = load_model(model.save(tmp_path / "own.yaml"))
    assert again.moderations == model.moderations
    assert (again.moderations[0].method, again.marker) == ("orthogonal", "AGE")
    assert again.constructs[0].global_item == "ALL"


@pytest.mark.parametrize(
    ("pairs", "method", "wrong"),
    [
        ([("satisfaction", "image")], "two_stage", "image alone has no path to it"),
        ([("satisfaction", "profit")], "two_stage", "unknown construct 'profit'"),
        ([("satisfaction", "value"), ("value", "satisfaction")], "two_stage", "written twice"),
        ([("satisfaction", "value")], "twostage", "two_stage"),
    ],
)
def test_an_interaction_without_its_main_effects_is_refused(
    pairs: list[tuple[str, str]], method: str, wrong: str
) -> None:
    paths = {"image": "satisfaction", "satisfaction": "loyalty", "value": "loyalty"}
    with pytest.raises(InputError, match=wrong):
        as_model(written(paths, pairs, method))


def test_two_methods_in_one_model_are_refused() -> None:
    model = written(TWO, [("satisfaction", "value"), ("satisfaction", "image")], "two_stage")
    model["interactions"][1]["method"] = "orthogonal"
    with pytest.raises(InputError, match="method orthogonal beside two_stage"):
        as_model(model)


def test_a_quadratic_effect_is_found_where_it_is() -> None:
    """Loyalty = .5 s + .3 (s² - 1) + noise, measured without error."""
    rng = np.random.default_rng(5)
    s = rng.normal(size=4000)
    y = 0.5 * s + 0.3 * (s**2 - 1) + 0.5 * rng.normal(size=4000)
    data = pd.DataFrame({"s": s, "y": y})
    model = {"constructs": {"s": ["s"], "y": ["y"]}, "paths": {"s": "y"}, "scale": [-9, 20],
             "interactions": [{"of": ["s", "s"], "on": "y"}]}  # fmt: skip
    found = S.pls(data, model, assessment=S.Assessment(folds=0)).path_coefficients
    estimate = found.set_index("source")["estimate"]
    assert estimate["s x s"] == pytest.approx(0.3 / y.std(), abs=0.01)
    assert estimate["s"] == pytest.approx(0.5 / y.std(), abs=0.02)
