"""Covariance models of numbers and of ordered answers against lavaan, file by file."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cvlib as cv
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.ordinal.least_squares import fit, with_unit_variances
from cvlib.satisfaction.ordinal.polychoric import influence
from cvlib.satisfaction.ordinal.sample import OrdinalSample
from cvlib.satisfaction.sem.equations import fit_covariance
from cvlib.satisfaction.sem.estimate import Specification, layout_of
from cvlib.satisfaction.sem.invariance import fit_invariance
from cvlib.satisfaction.sem.modification import modification_indices

from .cbsem import ACSI, ECSI, HOLZINGER, MEASURES, MOBI, SCALING, compare, compare_fit, holzinger

MIRROR = os.environ.get("CVLIB_DATA_MIRROR", "")
REFERENCE = Path(MIRROR).parent / "reference"
pytestmark = pytest.mark.skipif(
    not MIRROR or not (REFERENCE / "advanced-sem").is_dir(),
    reason="the reference numbers are not on this machine",
)
RAW = {"estimate": "est", "std_error": "se"}
SCHOOL = HOLZINGER + "\ntextual ~ visual\nspeed ~ visual + textual"
EQUAL = (
    "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nspeed =~ x7 + x8 + x9\n"
    "x4 ~~ c*x4\nx5 ~~ c*x5"
)
SECOND_ORDER = (
    "Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7\n"
    "Expectation =~ CUEX1 + CUEX2 + CUEX3\nValue =~ PERV1 + PERV2\n"
    "Satisfaction =~ CUSA1 + CUSA2 + CUSA3\nLoyalty =~ CUSL1 + CUSL2 + CUSL3\n"
    "Evaluation =~ Quality + Expectation + Value\nSatisfaction ~ Evaluation\n"
    "Loyalty ~ Satisfaction"
)
LEVELS = ("configural", "metric", "scalar", "metric_regressions", "scalar_regressions")


def numbers(folder: str, name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / folder / f"{name}.csv")


@pytest.mark.parametrize(
    ("name", "text"),
    [("holzinger_equal", EQUAL), ("holzinger_residcov", HOLZINGER + "\nx7 ~~ x8"),
     ("mobi_secondorder", SECOND_ORDER)],
)  # fmt: skip
def test_freed_and_tied_models_are_lavaans(name: str, text: str) -> None:
    found = fit_covariance(text, MOBI if name.startswith("mobi") else holzinger())
    compare(found.parameters, numbers("advanced-sem", f"{name}_ml_parameters"), RAW, 1e-7)
    # gfi and agfi of lavaan 0.6.14 with equality constraints count other parameters
    measures = {a: b for a, b in MEASURES.items() if name != "holzinger_equal" or "gfi" not in a}
    assert compare_fit(found.fit, numbers("advanced-sem", f"{name}_ml_fit"), measures, 1e-6) >= 18


def test_what_equal_parameters_cost_is_lavaans() -> None:
    free, tied = fit_covariance(HOLZINGER, holzinger()), fit_covariance(EQUAL, holzinger())
    wanted = numbers("advanced-sem", "holzinger_equal_lrt").iloc[1]
    more = tied.measure("chi2") - free.measure("chi2")
    lost = tied.measure("df") - free.measure("df")
    assert (more, lost) == pytest.approx((wanted["Chisq diff"], wanted["Df diff"]), abs=1e-8)
    assert stats.chi2.sf(more, lost) == pytest.approx(wanted["Pr(>Chisq)"], rel=1e-8)


@pytest.fixture(scope="module")
def schools():
    return fit_invariance(SCHOOL, holzinger(), "school", levels=LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_levels_of_invariance_with_paths_are_lavaans(schools, level: str) -> None:
    name = f"holzinger_school_sem_{level}"
    table = numbers("advanced-sem", f"{name}_parameters")
    table["group"] = table["group"].map({1: "Pasteur", 2: "Grant-White"})
    found = schools.fits[level]
    compare(found.parameters, table[table["op"] != ":="], RAW, 1e-6)
    measures = {a: b for a, b in MEASURES.items() if "gfi" not in a}
    assert compare_fit(found.fit, numbers("advanced-sem", f"{name}_fit"), measures, 1e-6) >= 16


@pytest.mark.parametrize(
    ("file", "levels"),
    [("chain", LEVELS[:3]), ("metric_vs_regressions", ("metric", "metric_regressions")),
     ("scalar_vs_regressions", ("scalar", "scalar_regressions"))],
)  # fmt: skip
def test_comparisons_of_levels_are_lavaans(schools, file: str, levels: tuple[str, ...]) -> None:
    wanted = numbers("advanced-sem", f"holzinger_school_sem_lrt_{file}").iloc[1:]
    found = schools.comparisons.set_index("level").loc[list(levels[1:])]
    assert found["chi2_difference"].to_numpy() == pytest.approx(wanted["Chisq diff"], abs=1e-6)
    assert found["df_difference"].tolist() == wanted["Df diff"].tolist()
    assert found["p"].to_numpy() == pytest.approx(wanted["Pr(>Chisq)"], rel=1e-6)


@pytest.mark.parametrize("kind", ["ml", "mlm", "mlr"])
def test_ecsi_is_lavaans_where_it_is_identified(kind: str) -> None:
    """Its paths have errors up to 24: they are held to a thousandth of those."""
    found = fit_covariance(ECSI, MOBI, standard_errors=kind)
    wanted = numbers("cbsem", f"mobi_ecsi_{kind}_standardized")
    ours = found.parameters.set_index(["lhs", "op", "rhs"])
    for row in wanted[wanted["op"].eq("=~")].itertuples():
        assert ours.loc[(row.lhs, "=~", row.rhs), "standardised"] == pytest.approx(
            row[wanted.columns.get_loc("est.std") + 1], abs=1e-6
        )
    explained = numbers("cbsem", f"mobi_ecsi_{kind}_rsquare").set_index("variable")["r2"]
    own = found.r_squared.set_index("variable")["r_squared"]
    assert own[explained.index].to_numpy() == pytest.approx(explained.to_numpy(), abs=1e-4)


@pytest.mark.parametrize("name", ["holzinger_mlm", "holzinger_mlr", "mobi_acsi_mlr"])
def test_explained_shares_do_not_depend_on_the_errors(name: str) -> None:
    text, data = (ACSI, MOBI) if name.startswith("mobi") else (HOLZINGER, holzinger())
    found = fit_covariance(text, data, standard_errors=name[-3:])
    wanted = numbers("cbsem", f"{name}_rsquare").set_index("variable")["r2"]
    own = found.r_squared.set_index("variable")["r_squared"]
    assert own[wanted.index].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-6)


def test_full_information_with_nothing_missing_is_lavaans() -> None:
    found = fit_covariance(HOLZINGER, holzinger(), missing="em")
    wanted = numbers("cbsem", "holzinger_complete_fiml_fit").set_index("measure")["value"]
    for ours, theirs in (("chi2", "chisq"), ("df", "df"), ("cfi", "cfi"), ("rmsea", "rmsea")):
        assert found.measure(ours) == pytest.approx(wanted[theirs], rel=1e-6)
    table = numbers("cbsem", "holzinger_complete_fiml_parameters")
    compare(found.parameters, table[table["op"] != "~1"], {"estimate": "est"}, 1e-4)


def test_all_modification_indices_of_acsi_are_lavaans() -> None:
    """lavaan's stand at its unpolished optimum, so that they agree to three digits."""
    found = modification_indices(fit_covariance(ACSI, MOBI))

    def key(row) -> tuple[str, ...]:
        ends = (row.lhs, row.rhs)
        return (row.op, *(sorted(ends) if row.op == "~~" else ends))

    ours = {key(row): row for row in found.itertuples()}
    wanted = numbers("cbsem", "mobi_acsi_ml_modindices")
    seen = 0
    for row in wanted.itertuples():
        own = ours.get(key(row))
        if own is not None and row.mi > 1:
            assert own.mi == pytest.approx(row.mi, rel=5e-3)
            seen += 1
    assert seen > 80


def test_regression_scores_of_the_first_twenty_are_lavaans() -> None:
    found = fit_covariance(HOLZINGER, holzinger()).factor_scores().head(20)
    wanted = numbers("advanced-sem", "holzinger_ml_scores_regression_first20")[list(found)]
    assert found.to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-9)


@pytest.mark.parametrize("estimator", ["gls", "uls"])
def test_least_squares_standardised_and_explained_are_lavaans(estimator: str) -> None:
    """By the front door: three related constructs, no paths among the first two."""
    chosen = model(
        {"visual": "x1..3", "textual": "x4..6", "speed": "x7..9"},
        {"visual": "speed", "textual": "speed"}, scale=[0, 10],
    )  # fmt: skip
    found = cv.satisfaction.sem(holzinger(), chosen, standard_errors=estimator)
    ours = found.loadings.set_index("item")["loading"]
    wanted = numbers("cbsem", f"holzinger_{estimator}_standardized").query("op == '=~'")
    assert ours[wanted["rhs"]].to_numpy() == pytest.approx(wanted["est.std"], abs=1e-8)
    fits = numbers("cbsem", f"holzinger_{estimator}_fit").set_index("measure")["value"]
    measured = found.fit.set_index("measure")["value"]
    assert measured["chi2"] == pytest.approx(fits["chisq"], abs=1e-7)
    assert ("rmsea" in measured) is (estimator == "gls")
    shares = numbers("cbsem", f"holzinger_{estimator}_rsquare").set_index("variable")["r2"]
    assert (ours[shares.index] ** 2).to_numpy() == pytest.approx(shares.to_numpy(), abs=1e-8)


def classes() -> tuple[pd.DataFrame, OrdinalSample]:
    items = [f"x{i}" for i in range(1, 10)]
    return numbers("advanced-sem", "holzinger4_polychoric"), OrdinalSample(
        numbers("cbsem", "holzinger_ordinal4")[items].to_numpy(float)
    )


def test_polychorics_of_four_classes_are_lavaans() -> None:
    table, source = classes()
    rho = source._correlations(np.ones((1, source.units), dtype=np.int8))[0]
    assert np.abs(rho - table.set_index("item").to_numpy()).max() < 2e-7
    once = numbers("cbsem", "holzinger_ordinal4_polychoric").iloc[:, 1:].to_numpy(float)
    assert np.abs(rho - once).max() < 2e-7
    cuts = numbers("advanced-sem", "holzinger4_thresholds")["value"]
    assert np.concatenate([c[1:-1] for c in source.cuts()]) == pytest.approx(cuts, abs=1e-10)
    own, names = influence(source.classes, source.cuts(), rho), table["item"].to_list()
    wanted = numbers("advanced-sem", "holzinger4_gamma_diagonal").set_index("stat")["diag_gamma"]
    pairs = zip(*np.tril_indices(9, -1), strict=True)
    for place, (i, j) in enumerate(pairs):
        assert own.gamma[place, place] == pytest.approx(wanted[f"{names[j]}~~{names[i]}"], rel=3e-7)


@pytest.mark.parametrize("estimator", ["wlsmv", "ulsmv", "dwls", "uls"])
def test_three_factors_of_ordered_answers_are_lavaans(estimator: str) -> None:
    _, source = classes()
    chosen = model(
        {"visual": "x1..3", "textual": "x4..6", "speed": "x7..9"},
        {"visual": "speed", "textual": "speed"}, scale=[1, 4],
    ).with_ordered(True)  # fmt: skip
    rho = source._correlations(np.ones((1, source.units), dtype=np.int8))[0]
    own = influence(source.classes, source.cuts(), rho)
    layout = with_unit_variances(layout_of(chosen, Specification()))
    found = fit(layout, rho, own.correlations, estimator)
    name = "holzinger_ordinal4_wlsmv" if estimator == "wlsmv" else f"holzinger4_{estimator}"
    folder = "cbsem" if estimator == "wlsmv" else "advanced-sem"
    # not polished there: to about 1e-5
    loose = 1e-4 if estimator == "wlsmv" else 1e-6
    wanted = numbers(folder, f"{name}_parameters").set_index(["lhs", "op", "rhs"])
    for place, parameter in enumerate(layout.parameter[0]):
        if parameter >= 0 and layout.operator[place] == "=~":
            row = wanted.loc[
                (layout.names[layout.col[place]], "=~", layout.names[layout.row[place]])
            ]
            error = np.sqrt(found.covariance[parameter, parameter])
            assert found.theta[parameter] == pytest.approx(row["est"], abs=loose)
            assert error == pytest.approx(row["se"], abs=loose)
    theirs = numbers(folder, f"{name}_fit").set_index("measure")["value"]
    assert found.statistic == pytest.approx(theirs["chisq"], rel=1e-6)
    assert found.measures["srmr"] == pytest.approx(theirs["srmr"], rel=1e-4)
    if estimator.endswith("mv"):
        for ours, other in (("chi2_scaled", "chisq.scaled"), ("cfi_scaled", "cfi.scaled"),
                            ("rmsea_scaled", "rmsea.scaled"),
                            ("scaling_factor", "chisq.scaling.factor")):  # fmt: skip
            assert found.measures[ours] == pytest.approx(theirs[other], rel=1e-5)
        assert found.measures["df"] == theirs["df"] == 24


def test_shapes_of_scores_are_rs() -> None:
    scores = numbers("advanced-sem", "mobi_scores")
    wanted = numbers("advanced-sem", "mobi_copula_nonnormality").set_index("construct")
    from cvlib.satisfaction.beyond.copula import _skewness

    for name, row in wanted.iterrows():
        own = scores[name].to_numpy()
        assert _skewness(own, np.ones(len(own))) == pytest.approx(row["skewness"], abs=1e-10)
        assert stats.shapiro(own).pvalue == pytest.approx(row["shapiro_p"], rel=1e-4)


def test_scaled_measures_of_both_surveys_are_lavaans() -> None:
    for name, text, data in (("mobi_acsi", ACSI, MOBI), ("holzinger", HOLZINGER, holzinger())):
        found = fit_covariance(text, data, standard_errors="mlr")
        wanted = numbers("cbsem", f"{name}_mlr_fit")
        assert compare_fit(found.fit, wanted, SCALING, 1e-6) == 2
