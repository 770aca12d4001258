"""Freedom in covariance models: what is freed, tied and tested, against lavaan."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.code import as_model
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.sem.equations import fit_covariance
from cvlib.satisfaction.sem.invariance import fit_invariance
from cvlib.satisfaction.sem.least_squares import fit_least_squares
from cvlib.satisfaction.sem.modification import modification_indices, score_tests
from cvlib.satisfaction.sem.written import specify

from .cbsem import HOLZINGER, holzinger

MIRROR = os.environ.get("CVLIB_DATA_MIRROR", "")
REFERENCE = Path(MIRROR).parent / "reference"
needs_reference = pytest.mark.skipif(
    not MIRROR or not (REFERENCE / "cbsem" / "holzinger_gls_fit.csv").exists(),
    reason="the reference numbers are not on this machine",
)
ITEMS = [f"x{i}" for i in range(1, 10)]


def advanced(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "advanced-sem" / name)


def keyed(table: pd.DataFrame) -> dict[tuple[str, ...], tuple]:
    return {(r.op, *(sorted((r.lhs, r.rhs)) if r.op == "~~" else (r.lhs, r.rhs))): r
            for r in table.itertuples()}  # fmt: skip


@needs_reference
@pytest.mark.parametrize(
    ("added", "name"), [("", "holzinger_ml"), ("\nx7 ~~ x8", "holzinger_residcov_ml")]
)
def test_modification_indices_are_lavaans(added: str, name: str) -> None:
    found = keyed(modification_indices(fit_covariance(HOLZINGER + added, holzinger())))
    wanted = keyed(advanced(f"{name}_modindices.csv"))
    assert set(wanted) <= set(found)
    for key, row in wanted.items():
        assert found[key].mi == pytest.approx(row.mi, abs=1e-8)
        assert found[key].epc == pytest.approx(row.epc, abs=1e-9)


@needs_reference
def test_score_tests_of_equalities_are_lavaans() -> None:
    fit = fit_covariance(
        "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9\n"
        "x4 ~~ c*x4\nx5 ~~ c*x5", holzinger(),
    )  # fmt: skip
    assert (fit.measure("chi2"), fit.measure("df")) == pytest.approx((100.437318, 27), abs=1e-5)
    found = score_tests(fit)
    total = advanced("holzinger_equal_ml_scoretest_total.csv")["X2"]
    alone = advanced("holzinger_equal_ml_scoretest_univariate.csv")["X2"]
    assert found["chi2"].to_numpy() == pytest.approx([*alone, *total], abs=1e-8)
    assert found["df"].tolist() == [1, 1, 1, 3]


@needs_reference
def test_bartlett_scores_are_lavaans() -> None:
    found = fit_covariance(HOLZINGER, holzinger()).factor_scores("bartlett").head(20)
    wanted = advanced("holzinger_ml_scores_bartlett_first20.csv")[list(found)]
    assert found.to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-9)


def test_both_kinds_of_scores_are_at_the_front_door() -> None:
    found = cv.satisfaction.sem("mobi", "acsi")
    one, two = found.extra["factor_scores"], found.extra["factor_scores_bartlett"]
    assert one.index.equals(two.index) and list(one) == list(two)
    # unbiased given the factor, so farther apart than those that are drawn to the middle
    many = [c.name for c in found.model.constructs if len(c.items) > 1]
    assert (two[many].std() > one[many].std()).all()
    assert one["complaints"].to_numpy() == pytest.approx(two["complaints"].to_numpy(), abs=1e-6)
    nested = cv.satisfaction.model(
        {"q": "PERQ1..7", "v": "PERV1..2", "e": "CUEX1..3", "s": "CUSA1..3",
         "all": {"dimensions": ["q", "v", "e"]}}, {"all": "s"},
    )  # fmt: skip
    scores = cv.satisfaction.sem("mobi", nested).extra["factor_scores_bartlett"]
    assert scores["all"].isna().all() and scores["q"].notna().all()


@needs_reference
@pytest.mark.parametrize("estimator", ["gls", "uls"])
def test_least_squares_are_lavaans(estimator: str) -> None:
    values = holzinger()[ITEMS].to_numpy(float)
    found = fit_least_squares(specify(HOLZINGER), values, estimator, 0.95, pd.DataFrame())
    ours = keyed(found.parameters)
    folder = REFERENCE / "cbsem"
    for key, row in keyed(pd.read_csv(folder / f"holzinger_{estimator}_parameters.csv")).items():
        assert ours[key].estimate == pytest.approx(row.est, abs=1e-10)
        if estimator == "gls":  # those of ULS there assume normal answers
            assert ours[key].std_error == pytest.approx(row.se, abs=1e-10)
    wanted = pd.read_csv(folder / f"holzinger_{estimator}_fit.csv").set_index("measure")["value"]
    names = [
        ("chi2", "chisq"),
        ("cfi", "cfi"),
        ("srmr", "srmr"),
        ("baseline_chi2", "baseline.chisq"),
    ]
    names += [("rmsea", "rmsea")] * (estimator == "gls")
    for our, their in names:
        assert found.measure(our) == pytest.approx(wanted[their], abs=1e-8)
    if estimator == "uls":
        assert "p" not in set(found.fit["measure"])  # its distribution is not known


@pytest.mark.parametrize("estimator", ["gls", "uls"])
def test_least_squares_by_the_front_door(estimator: str) -> None:
    found = cv.satisfaction.sem("mobi", "acsi", standard_errors=estimator, modification=True)
    likelihood = cv.satisfaction.sem("mobi", "acsi")
    assert found.settings["standard_errors"] == estimator
    assert np.abs(found.index["index"] - likelihood.index["index"]).max() < 1
    ratio = found.index["std_error"] / likelihood.index["std_error"]
    assert ratio.between(0.9, 1.1).all()  # mostly of the answers, hardly of the weights
    assert found.extra["modification_indices"].empty is (estimator == "uls")
    assert any("unweighted" in text for text in found.warnings) is (estimator == "uls")
    assert ("p" in set(found.fit["measure"])) is (estimator == "gls")
    with pytest.raises(InputError, match="resampling is not offered"):
        cv.satisfaction.sem("mobi", "acsi", standard_errors=estimator, draws=100)


@needs_reference
def test_equal_regressions_over_groups_are_lavaans() -> None:
    model = HOLZINGER + "\ntextual ~ visual\nspeed ~ visual + textual"
    found = fit_invariance(
        model, holzinger(), "school",
        levels=("configural", "metric", "scalar", "metric_regressions", "scalar_regressions"),
    )  # fmt: skip
    chi2 = found.levels.set_index("level")["chi2"]
    assert chi2["metric_regressions"] == pytest.approx(127.610855114, abs=1e-5)
    tests = found.comparisons.set_index("level")
    assert tests.loc["metric_regressions", "against"] == "metric"
    assert tests.loc["metric_regressions", "p"] == pytest.approx(0.312136, abs=1e-5)
    assert tests.loc["scalar_regressions", "chi2_difference"] == pytest.approx(3.568213, abs=1e-4)


CONSTRUCTS = {"quality": "PERQ1..7", "value": "PERV1..2", "satisfaction": "CUSA1..3",
              "loyalty": "CUSL1..3"}  # fmt: skip
PATHS = {"quality": ["value", "satisfaction"], "value": ["satisfaction"],
         "satisfaction": ["loyalty"]}  # fmt: skip


def freed(**block: object) -> object:
    return as_model({"constructs": CONSTRUCTS, "paths": PATHS, "covariance": block})


def test_a_model_file_frees_and_ties(tmp_path: Path) -> None:
    ties = [["quality -> satisfaction", "value -> satisfaction"], ["CUSA2", "CUSA3"]]
    chosen = freed(residuals=[["PERV1", "PERQ7"]], equal=ties)
    assert load_model(chosen.save(tmp_path / "free.yaml")) == chosen
    plain = cv.satisfaction.sem("mobi", freed())
    found = cv.satisfaction.sem("mobi", chosen, modification=True)
    df = [r.fit.set_index("measure").loc["df", "value"] for r in (plain, found)]
    assert df[1] - df[0] == 1  # two ties, one covariance
    paths = found.path_coefficients.set_index(["source", "target"])["unstandardised"]
    assert paths["quality", "satisfaction"] == pytest.approx(paths["value", "satisfaction"])
    assert found.extra["score_tests"]["df"].tolist() == [1, 1, 2]
    large = found.extra["modification_indices"]
    assert (large["mi"] > 3.84).all() and any("looked at" in text for text in found.warnings)
    # freeing the largest takes about that much from chi2
    top = modification_indices(fit_covariance(HOLZINGER, holzinger())).iloc[1]
    less = fit_covariance(HOLZINGER + f"\n{top.lhs} ~~ {top.rhs}", holzinger()).measure("chi2")
    assert fit_covariance(HOLZINGER, holzinger()).measure("chi2") - less == pytest.approx(
        top.mi, rel=0.1
    )


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"residuals": [["PERV1", "nobody"]]}, "unknown name"),
        ({"residuals": [["PERV1", "quality"]]}, "cannot covary"),
        ({"equal": [["CUSA1", "CUSA2"]]}, "fixed at 1"),
        ({"equal": [["quality -> loyalty", "value -> satisfaction"]]}, "not a path"),
        ({"equal": [["CUSA2", "value -> satisfaction"]]}, "loading to a path"),
    ],
)
def test_what_cannot_be_freed_is_refused_by_name(block: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        freed(**block)


def test_a_variance_at_its_bound_brings_more_starts() -> None:
    survey = cv.load("mobi").data
    drawn = survey.iloc[np.random.default_rng(1).integers(0, 250, 250)].reset_index(drop=True)
    for answers, many in ((survey, False), (drawn, True)):
        found = cv.satisfaction.sem(answers, "ecsi_mobile")
        own = found.extra["parameters"].query("op == '~~' and lhs == rhs and std_error != 0")
        assert (own["estimate"].min() == 0) == many
        assert (found.settings["starts"] >= 15) == many
