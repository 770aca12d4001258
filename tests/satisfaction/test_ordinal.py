"""Ordered answers: polychorics, their errors, least squares and PLS, against lavaan and cSEM."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cvlib as cv
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.ordinal.estimate import fit_ordered
from cvlib.satisfaction.ordinal.least_squares import fit, with_unit_variances
from cvlib.satisfaction.ordinal.polychoric import bivariate_normal, influence
from cvlib.satisfaction.ordinal.sample import OrdinalSample, merged
from cvlib.satisfaction.sem.estimate import Specification, layout_of
from cvlib.satisfaction.sem.modification import modification_indices
from cvlib.satisfaction.survey.missing import prepare

MIRROR = os.environ.get("CVLIB_DATA_MIRROR", "")
REFERENCE = Path(MIRROR).parent / "reference" / "advanced-sem"
needs_reference = pytest.mark.skipif(
    not MIRROR or not (REFERENCE / "mobi5.csv").exists(),
    reason="the reference numbers are not on this machine",
)


def acsi() -> Model:
    return model(
        {"Expectation": "CUEX1..3", "Quality": "PERQ1..7", "Value": "PERV1..2",
         "Satisfaction": "CUSA1..3", "Loyalty": "CUSL1..3"},
        {"Expectation": ["Quality", "Value", "Satisfaction"], "Quality": ["Value", "Satisfaction"],
         "Value": "Satisfaction", "Satisfaction": "Loyalty"}, scale=[1, 5],
    ).with_ordered(True)  # fmt: skip


def mobi5() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "mobi5.csv").astype(float)


def five_points() -> pd.DataFrame:
    """The shipped survey in five classes, for what needs no reference."""
    survey = cv.load("mobi").data[list(acsi().items)]
    return survey.apply(lambda column: np.digitize(column, [4.5, 6.5, 7.5, 8.5]) + 1.0)


def measures(name: str) -> pd.Series:
    return pd.read_csv(REFERENCE / name).set_index("measure")["value"]


def test_the_bivariate_normal_is_scipys() -> None:
    for rho in (-0.9, -0.2, 0.0, 0.5, 0.95):
        for h, k in ((-1.0, 0.3), (2.0, 2.1), (0.0, 0.0)):
            wanted = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
            found = bivariate_normal(np.array(h), np.array(k), np.array(rho))
            assert float(found) == pytest.approx(wanted, abs=1e-9)


@needs_reference
def test_polychorics_and_their_asymptotic_variances_are_lavaans() -> None:
    wanted = pd.read_csv(REFERENCE / "mobi5_acsi18_polychoric.csv", index_col=0)
    source = OrdinalSample(mobi5()[wanted.columns].to_numpy())
    _, covariance = source.moments(np.ones((1, 250), dtype=np.int8))
    deviation = np.sqrt(np.diag(covariance[0]))
    rho = covariance[0] / np.outer(deviation, deviation)
    assert np.abs(rho - wanted.to_numpy()).max() < 1e-7
    cuts = pd.read_csv(REFERENCE / "mobi5_acsi18_thresholds.csv")["value"]
    assert np.concatenate([c[1:-1] for c in source.cuts()]) == pytest.approx(cuts, abs=1e-10)
    own = influence(source.classes, source.cuts(), rho)
    gamma = pd.read_csv(REFERENCE / "mobi5_acsi18_gamma_diagonal.csv")
    below = np.column_stack(np.tril_indices(18, -1))
    named = {f"{wanted.columns[j]}~~{wanted.columns[i]}": own.gamma[k, k]
             for k, (i, j) in enumerate(below)}  # fmt: skip
    pairs = gamma[gamma["stat"].str.contains("~~")]
    assert [named[s] for s in pairs["stat"]] == pytest.approx(pairs["diag_gamma"], rel=2e-7)
    edges = gamma[gamma["stat"].str.contains("|", regex=False)]["diag_gamma"]
    found = np.concatenate([(t**2).mean(axis=0) for t in own.thresholds])
    assert found == pytest.approx(edges, rel=1e-9)


@needs_reference
@pytest.mark.parametrize("estimator", ["wlsmv", "wlsm", "ulsmv", "dwls", "uls"])
def test_least_squares_is_lavaans(estimator: str) -> None:
    chosen = acsi()
    source = OrdinalSample(mobi5()[list(chosen.items)].to_numpy())
    rho = source._correlations(np.ones((1, 250), dtype=np.int8))[0]
    own = influence(source.classes, source.cuts(), rho)
    layout = with_unit_variances(layout_of(chosen, Specification()))
    found = fit(layout, rho, own.correlations, estimator)
    wanted = pd.read_csv(REFERENCE / f"mobi5_acsi18_{estimator}_parameters.csv")
    wanted = wanted[wanted["se"] > 0].set_index(["lhs", "op", "rhs"])
    for place, parameter in enumerate(layout.parameter[0]):
        if parameter >= 0:
            ends = [layout.names[layout.row[place]], layout.names[layout.col[place]]]
            operator = layout.operator[place]
            one, two = ends[::-1] if operator == "=~" else ends
            row = wanted.loc[(one, operator, two)]
            error = np.sqrt(found.covariance[parameter, parameter])
            assert found.theta[parameter] == pytest.approx(row["est"], abs=1e-7)
            assert error == pytest.approx(row["se"], abs=2e-8)
    theirs = measures(f"mobi5_acsi18_{estimator}_fit.csv")
    assert found.statistic == pytest.approx(theirs["chisq"], abs=1e-5)
    assert found.measures["srmr"] == pytest.approx(theirs["srmr"], abs=1e-8)
    if estimator in ("dwls", "uls"):
        assert found.measures["cfi"] == pytest.approx(theirs["cfi"], abs=1e-8)
        return
    for ours, name in (("chi2_scaled", "chisq.scaled"), ("cfi_scaled", "cfi.scaled"),
                       ("tli_scaled", "tli.scaled"), ("rmsea_scaled", "rmsea.scaled"),
                       *[("rmsea_scaled_ci_high", "rmsea.ci.upper.scaled")]
                       * (estimator != "wlsm"),
                       ("scaling_factor", "chisq.scaling.factor")):  # fmt: skip
        assert found.measures[ours] == pytest.approx(theirs[name], rel=1e-6)
    assert "cfi" not in found.measures  # the uncorrected one would flatter


@needs_reference
@pytest.mark.parametrize("name", ["mobi5_acsi18", "holzinger4"])
def test_modification_indices_of_ordered_answers_are_lavaans(name: str) -> None:
    if name == "mobi5_acsi18":
        data, chosen = mobi5(), acsi()
    else:
        data = pd.read_csv(REFERENCE.parent / "cbsem" / "holzinger_ordinal4.csv")
        chosen = model(
            {"visual": "x1..3", "textual": "x4..6", "speed": "x7..9"},
            {"visual": "speed", "textual": "speed"}, scale=[1, 4],
        ).with_ordered(True)  # fmt: skip
    survey = prepare(data, chosen)
    layout = layout_of(survey.model, Specification())
    table = modification_indices(fit_ordered(layout, survey, "wlsmv", 0.95).fit)

    def key(row) -> tuple[str, ...]:
        return (row.op, *(sorted((row.lhs, row.rhs)) if row.op == "~~" else (row.lhs, row.rhs)))

    ours, seen = {key(row): row for row in table.itertuples()}, 0
    for row in pd.read_csv(REFERENCE / f"{name}_wlsmv_modindices_top30.csv").itertuples():
        own = ours.get(key(row))
        if own is None:  # paths that would close a circle, or into what has no cause
            assert {row.lhs, row.rhs} <= set(chosen.construct_names)
            continue
        assert own.mi == pytest.approx(row.mi, rel=1e-6)
        assert own.epc == pytest.approx(row.epc, rel=1e-6)
        sepc_all = row[list(row._fields).index("epc") + 2]
        assert own.epc_standardised == pytest.approx(sepc_all, rel=1e-6)
        seen += 1
    assert seen >= 26


def test_the_largest_modification_index_is_near_what_freeing_it_gains() -> None:
    """Generalised least squares: an index against the statistic of the freed model."""
    given = {"constructs": {"q": [f"PERQ{i}" for i in range(1, 8)], "s": "CUSA1..3"},
             "paths": {"q": "s"}}  # fmt: skip
    survey = cv.load("mobi").data
    found = cv.satisfaction.sem(survey, given, standard_errors="gls", modification=True)
    top = found.extra["modification_indices"].query("op == '~~'").iloc[0]
    freed = {**given, "covariance": {"residuals": [[top["lhs"], top["rhs"]]]}}
    again = cv.satisfaction.sem(survey, freed, standard_errors="gls")
    gain = [r.fit.set_index("measure").loc["chi2", "value"] for r in (found, again)]
    assert gain[0] - gain[1] == pytest.approx(top["mi"], rel=0.1)
    parameters = again.extra["parameters"].set_index(["lhs", "rhs"])["estimate"]
    assert parameters[top["lhs"], top["rhs"]] == pytest.approx(top["epc"], rel=0.1)


@needs_reference
@pytest.mark.parametrize(("estimator", "key"), [("pls", "ordpls"), ("plsc", "ordplsc")])
def test_ordinal_pls_is_csems_within_its_polychorics(estimator: str, key: str) -> None:
    wanted = json.loads((REFERENCE / "mobi5_ordinal_pls.json").read_text())[key]
    found = cv.satisfaction.pls(mobi5(), acsi(), estimator=estimator)
    for row in found.path_coefficients.itertuples():
        assert row.estimate == pytest.approx(wanted["paths"][row.target][row.source], abs=2e-4)
    for row in found.loadings.itertuples():
        assert row.loading == pytest.approx(wanted["loadings"][row.construct][row.item], abs=2e-4)
    # category codes as numbers, on the scale of the model
    scores = found.extra["scores"].mean()
    assert found.index.set_index("construct")["index"].to_dict() == pytest.approx(dict(scores))
    assert not {"cvpat", "exact_fit"} & set(found.extra)
    assert any("polychoric" in text for text in found.warnings)


def test_the_covariance_door_takes_ordered_answers_and_tells_only_corrected_measures() -> None:
    survey = five_points()
    found = cv.satisfaction.sem(survey, acsi())
    fit_table = found.fit.set_index("measure")["value"]
    assert {"chi2_scaled", "cfi_scaled", "rmsea_scaled", "srmr"} <= set(fit_table.index)
    assert "cfi" not in fit_table
    assert (found.extra["parameters"]["op"] == "|").sum() > 60
    looked = cv.satisfaction.sem(survey, acsi(), modification=True)
    assert "p" not in looked.extra["modification_indices"]  # they have no distribution here
    assert any("have no p values" in text for text in looked.warnings)
    scores = found.extra["scores"].mean()
    assert found.index.set_index("construct")["index"].to_dict() == pytest.approx(dict(scores))
    assert found.index["std_error"].between(0.5, 3).all()
    said = str(cv.satisfaction.sentences.fit_sentence(found))
    assert f"{fit_table['cfi_scaled']:.3f}" in said
    plain = cv.satisfaction.sem(survey, Model(**{**vars_of(acsi()), "ordered": False}))
    gap = plain.loadings["loading"] - found.loadings["loading"]
    assert 0 < -gap.mean() < 0.1  # numbers understate what lies behind categories


def vars_of(chosen: Model) -> dict[str, object]:
    return {name: getattr(chosen, name) for name in chosen.__dataclass_fields__}


def test_draws_have_polychorics_of_their_own() -> None:
    found = cv.satisfaction.pls(five_points(), acsi(), draws=cv.satisfaction.Bootstrap(20, seed=1))
    assert (found.path_coefficients["std_error"] > 0.01).all()
    assert int(found.draws["used"].iloc[0]) == 20


def test_rare_classes_join_their_neighbour_towards_the_middle() -> None:
    column = np.repeat([1.0, 2, 3, 4, 5], [2, 10, 20, 10, 1])
    classes, rare = merged(column)
    assert np.bincount(classes).tolist() == [12, 20, 11] and rare == [1.0, 5.0]
    source = OrdinalSample(np.column_stack([column, np.roll(column, 3)]))
    assert len(source.merges(("a", "b"))) == 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: cv.satisfaction.pls(s, acsi(), missing="em"), "between ordered categories"),
        (lambda s: cv.satisfaction.sem(s, acsi(), standard_errors="mlr"), "are numbers"),
        (lambda s: cv.satisfaction.sem(s, acsi(), draws=20), "resampling"),
        (lambda s: cv.satisfaction.sem("mobi", "acsi", standard_errors="wlsmv"), "ordered"),
        (lambda s: cv.satisfaction.groups(s.assign(g=1), acsi(), "g"), "ordered categories"),
    ],
)
def test_what_ordered_answers_do_not_offer_is_refused(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call(five_points())


def test_an_indefinite_matrix_names_the_pair() -> None:
    survey = five_points().head(20)  # more items than respondents
    with pytest.raises(InputError, match=r"correlate .*eigenvalue"):
        cv.satisfaction.pls(survey, acsi())


@pytest.mark.slow
def test_wlsmv_intervals_cover_at_three_hundred_respondents() -> None:
    chosen = model({"a": "x1..3", "b": "y1..3"}, {"a": "b"}, scale=[1, 5])
    drawn = cv.satisfaction.population(chosen, paths={"a": {"b": 0.5}}, loadings=0.75,
                                       standard_deviation=0.25)  # fmt: skip
    inside = []
    for seed in range(200):
        survey = cv.satisfaction.simulate(drawn, 300, seed=seed)
        row = cv.satisfaction.sem(survey, chosen.with_ordered(True)).path_coefficients.iloc[0]
        inside.append(row["ci_low"] <= 0.5 <= row["ci_high"])
    # 95 % with the reach of 200 trials
    assert 0.90 <= np.mean(inside) <= 0.99
