"""The specification curve against R, its joint test, and what it says."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.beyond import joint

S = cv.satisfaction
REFERENCE = S.Choices(
    estimators=["means"], scales=["standardised"], controls=["satisfaction", "image", "quality"],
    source_items=[["CUEX1", "CUEX2", "CUEX3"], ["CUEX1"], ["CUEX2"], ["CUEX3"]],
    target_items=[["CUSL1", "CUSL2", "CUSL3"], ["CUSL1", "CUSL3"], ["CUSL1"]],
)  # fmt: skip


def test_estimates_errors_and_p_equal_r(advanced: Path) -> None:
    known = pd.read_csv(advanced / "mobi_specification_curve.csv").sort_values("estimate")
    found = S.specification_curve("mobi", "ecsi_mobile", ["expectation", "loyalty"],
                                  choices=REFERENCE, draws=10).specification_curve  # fmt: skip
    np.testing.assert_allclose(found["estimate"], known["estimate"], atol=1e-9)
    np.testing.assert_allclose(found["std_error"], known["se"], atol=1e-9)
    np.testing.assert_allclose(np.log(found["p"]), np.log(known["p"]), atol=1e-6)


def test_the_joint_test_equals_r_within_monte_carlo(advanced: Path) -> None:
    """1,000 draws there, 4,000 here: .03 is 2.4 standard errors of the difference at p = .15."""
    known = pd.read_csv(advanced / "mobi_specification_curve_joint.csv").set_index("statistic")
    joint = S.specification_curve("mobi", "ecsi_mobile", ["expectation", "loyalty"],
                                  choices=REFERENCE, draws=4000).specification_joint  # fmt: skip
    found = joint.set_index("statistic")
    names = {"median_estimate": "median_estimate", "stouffer_z": "stouffer_z",
             "share_significant": "share_significant_dominant_sign"}  # fmt: skip
    for own, other in names.items():
        assert found.loc[own, "observed"] == pytest.approx(known.loc[other, "observed"], abs=1e-9)
        p = known.loc[other, "p_null_imposed_bootstrap"]
        assert found.loc[own, "p"] == pytest.approx(p, abs=0.03)


def resamples_of_r(draws: int, rows: int) -> np.ndarray:
    """Counts of ``set.seed(1); sample(rows, rows, TRUE)``, again and again; rows below 256."""
    word, words = 1, []
    for _ in range(675):
        word = (69069 * word + 1) & 0xFFFFFFFF
        words.append(word)
    twister = np.random.MT19937()
    state = dict(twister.state)
    state["state"] = {"key": np.array(words[51:], dtype=np.uint32), "pos": 624}
    twister.state = state
    uniform = twister.random_raw(2 * draws * rows) * 2.3283064365386963e-10
    assert uniform[0] == pytest.approx(0.2655086631)  # R's first runif(1) of this seed
    places = np.floor(uniform * 65536).astype(int) & 255  # eight bits, too large ones rejected
    kept = places[places < rows][: draws * rows].reshape(draws, rows)
    return np.array([np.bincount(row, minlength=rows) for row in kept])


def test_the_joint_test_equals_r_on_rs_own_resamples(advanced: Path) -> None:
    known = pd.read_csv(advanced / "mobi_specification_curve_joint.csv").set_index("statistic")
    answers = cv.load("mobi").data.astype(float)
    items = [*REFERENCE.source_items, *REFERENCE.target_items, ["CUSA1", "CUSA2", "CUSA3"],
             [f"IMAG{i}" for i in range(1, 6)], [f"PERQ{i}" for i in range(1, 8)]]  # fmt: skip
    standard = (answers - answers.mean()) / answers.std()
    columns = pd.concat([standard[own].mean(axis=1) for own in items], axis=1)
    columns = ((columns - columns.mean()) / columns.std()).to_numpy()
    controls = [own for size in range(4) for own in combinations((7, 8, 9), size)]
    specified = [(x, y, own) for x in range(4) for y in (4, 5, 6) for own in controls]
    found = joint.regressions(columns, specified, resamples_of_r(1000, 250))
    own = joint.joint_test(found, 0.05).set_index("statistic")
    medians = np.median(found.null_estimate, axis=1)  # R tells those with their sign
    row = known.loc["median_estimate"]
    assert np.median(medians) == pytest.approx(row["null_median"], abs=1e-9)
    assert np.quantile(medians, 0.95) == pytest.approx(row["null_q95"], abs=1e-9)
    for name, other in (("share_significant", "share_significant_dominant_sign"),
                        ("stouffer_z", "stouffer_z")):  # fmt: skip
        assert own.loc[name, "null_median"] == pytest.approx(known.loc[other, "null_median"])
        assert own.loc[name, "null_upper"] == pytest.approx(known.loc[other, "null_q95"])
    # the share of draws there; here draws and data count once more
    reached = own["p"].to_numpy() * 1001 - 1
    assert reached == pytest.approx(1000 * known["p_null_imposed_bootstrap"].to_numpy(), abs=1e-6)


def made(effect: float, rows: int = 300, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, c = rng.normal(size=(2, rows))
    y = effect * x + 0.4 * c + rng.normal(size=rows)
    items: dict[str, Any] = {}
    for name, score in (("x", x), ("c", c), ("y", y)):
        for n in range(2):
            items[f"{name}{n}"] = score + 0.6 * rng.normal(size=rows)
    return pd.DataFrame(items)


MODEL = {"constructs": {"x": ["x0", "x1"], "c": ["c0", "c1"], "y": ["y0", "y1"]},
         "paths": {"x": "y", "c": "y"}, "scale": [-20, 20]}  # fmt: skip


@pytest.mark.parametrize(
    ("effect", "said", "positive"),
    [(0.5, "more than chance", True), (0.0, "no more than chance", False)],
)
def test_what_the_curve_says_follows_the_effect(effect: float, said: str, positive: bool) -> None:
    found = S.specification_curve(made(effect), MODEL, ["x", "y"], draws=150)
    assert said in found.say()
    assert (found.specification_curve["estimate"].median() > 0.2) == positive
    assert set(found.specification_curve["estimator"]) == {"means", "pls", "plsc"}
    assert "超出" in found.say("zh")
    assert found.plot("zh").axes


def test_without_gaps_there_is_one_rule_for_missing_answers() -> None:
    data = made(0.3)
    whole = S.specification_curve(data, MODEL, ["x", "y"], draws=20)
    data.iloc[3, 0] = np.nan
    gaps = S.specification_curve(data, MODEL, ["x", "y"], draws=20)
    assert len(gaps.specification_curve) == 2 * len(whole.specification_curve)


@pytest.mark.parametrize(
    ("ends", "choices", "wrong"),
    [(("x",), {}, "is not a path"), (("x", "z"), {}, "is not a construct"),
     (("x", "x"), {}, "the same"),
     (("x", "y"), {"source_items": [["q"]]}, "is not an item of x"),
     (("x", "y"), {"controls": ["y"]}, "is an end of the path"),
     (("x", "c"), {"estimators": ["pls"]}, "no model has a path")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    ends: tuple[str, ...], choices: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(InputError, match=wrong):
        S.specification_curve(made(0.3), MODEL, ends, choices=S.Choices(**choices), draws=10)


def test_a_model_that_the_survey_cannot_answer_is_left_out_with_its_reason() -> None:
    few = S.Choices(["means"], scales=["raw"])
    found = S.specification_curve(
        "mobi", ["acsi", MODEL], ["expectation", "satisfaction"], choices=few, draws=10
    )
    assert any("left out" in text for text in found.warnings)


@pytest.mark.slow
def test_the_joint_test_holds_its_size() -> None:
    """Without an effect 5 % of 200 samples are rejected, within three standard errors."""
    p = [
        S.specification_curve(made(0.0, 150, seed), MODEL, ["x", "y"], draws=99)
        .specification_joint.set_index("statistic")["p"]
        for seed in range(200)
    ]  # fmt: skip
    rejected = (pd.DataFrame(p) <= 0.05).mean()
    assert (abs(rejected - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 200)).all(), rejected
