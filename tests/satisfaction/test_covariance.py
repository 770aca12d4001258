"""Covariance models against lavaan: estimates, standard errors, tests, effects, scores."""

import numpy as np
import pandas as pd
import pytest

from cvlib.satisfaction.measurement import htmt2
from cvlib.satisfaction.model.file import available_models, load_model
from cvlib.satisfaction.sem.estimate import (
    Specification,
    equations,
    estimate_covariance,
    fit_covariance,
    layout_of,
)
from cvlib.satisfaction.sem.inference import factor_scores
from cvlib.satisfaction.sem.layout import over_groups, with_means
from cvlib.satisfaction.sem.likelihood import derivative, evaluate, moments_of
from cvlib.satisfaction.sem.written import specify

from .cbsem import (
    ACSI,
    ECSI,
    HOLZINGER,
    MEASURES,
    MOBI,
    SCALING,
    compare,
    compare_fit,
    holzinger,
    keyed,
    reference,
)  # fmt: skip

RAW = {"estimate": "est", "std_error": "se"}
STANDARDISED = {"standardised": "est.std", "standardised_std_error": "se"}
CONSTRUCTS = ("Expectation", "Quality", "Value", "Satisfaction", "Complaints", "Loyalty")
LOWER = {name: name.lower() for name in CONSTRUCTS}


@pytest.fixture(scope="module")
def acsi():
    return fit_covariance(ACSI, MOBI)


@pytest.fixture(scope="module")
def satisfaction():
    return estimate_covariance(MOBI, "acsi")


@pytest.mark.parametrize(
    ("name", "text", "data", "kind"),
    [
        ("mobi_acsi", ACSI, "mobi", "ml"),
        ("mobi_acsi", ACSI, "mobi", "mlr"),
        ("holzinger", HOLZINGER, "holzinger", "ml"),
        ("holzinger", HOLZINGER, "holzinger", "mlm"),
        ("holzinger", HOLZINGER, "holzinger", "mlr"),
    ],
)
def test_estimates_errors_and_fit_equal_lavaan(name, text, data, kind):
    fit = fit_covariance(text, MOBI if data == "mobi" else holzinger(), standard_errors=kind)
    compare(fit.parameters, reference(f"{name}_{kind}_parameters"), RAW, 1e-5)
    standardised = reference(f"{name}_{kind}_standardized")
    compare(fit.parameters, standardised, STANDARDISED, 1e-5)
    wanted = reference(f"{name}_{kind}_fit")
    assert compare_fit(fit.fit, wanted, MEASURES, 1e-5) >= (21 if kind == "ml" else 29)
    assert compare_fit(fit.fit, wanted, SCALING, 1e-6) == (0 if kind == "ml" else 2)
    assert fit.admissible
    assert not fit.warnings


@pytest.mark.parametrize("kind", ["ml", "mlm", "mlr"])
def test_ecsi_fits_as_lavaan_and_is_called_unidentified(kind):
    """Paths are nearly unidentified: compared within a thousandth of their standard error."""
    fit = fit_covariance(ECSI, MOBI, standard_errors=kind)
    wanted = reference(f"mobi_ecsi_{kind}_fit")
    compare_fit(fit.fit, wanted, MEASURES, 1e-5)
    compare_fit(fit.fit, wanted, SCALING, 1e-6)
    parameters = reference(f"mobi_ecsi_{kind}_parameters")
    compare(fit.parameters, parameters[parameters["op"] == "=~"], {"estimate": "est"}, 1e-5)
    paths = parameters[parameters["op"] == "~"].set_index(["lhs", "rhs"])
    found = fit.parameters[fit.parameters["op"] == "~"].set_index(["lhs", "rhs"]).loc[paths.index]
    assert (np.abs(found["estimate"] - paths["est"]) < 1e-3 * paths["se"]).all()
    np.testing.assert_allclose(found["std_error"], paths["se"], rtol=1e-3)
    assert not fit.admissible
    text = " ".join(fit.warnings)
    assert "linear combinations" in text
    assert "nearly unidentified" in text
    assert "Read no structural path" in text


def test_published_acsi_figures(acsi):
    """The figures the specification prints, at its digits."""
    printed = {"chi2": 298.8872, "df": 144, "cfi": .925385, "tli": .911395, "rmsea": .065593,
               "rmsea_ci_low": .0551, "rmsea_ci_high": .0761, "srmr": .050272, "aic": 17476.54,
               "bic": 17638.52}  # fmt: skip
    for name, value in printed.items():
        digits = len(str(value).partition(".")[2])
        assert round(acsi.measure(name), digits) == value, name


def test_political_democracy_with_residual_covariances():
    """lavaan 0.6.14: chi2, indices, scaling factors; residual covariances as correlations."""
    from semopy.examples import political_democracy

    text, data = political_democracy.get_model(), political_democracy.get_data()
    fit = fit_covariance(text, data)
    wanted = {"chi2": 38.1252182, "df": 35, "cfi": .995374529, "tli": .992731403,
              "rmsea": .0345044827, "rmsea_ci_low": 0, "srmr": .0444175465,
              "log_likelihood": -1547.79094, "aic": 3157.582, "bic": 3229.424}  # fmt: skip
    for name, value in wanted.items():
        assert fit.measure(name) == pytest.approx(value, rel=1e-6, abs=1e-12), name
    rows = fit.parameters.set_index(["lhs", "op", "rhs"])["standardised"]
    assert rows["y1", "~~", "y5"] == pytest.approx(0.2958, abs=5e-5)
    assert fit.measure("gfi") == pytest.approx(0.92267, abs=5e-6)
    for kind, factor in (("mlm", 0.953816), ("mlr", 0.920884)):
        found = fit_covariance(text, data, standard_errors=kind).measure("scaling_factor")
        assert found == pytest.approx(factor, abs=1e-6)


def test_observed_exogenous_variables_are_no_free_moments():
    """MIMIC, lavaan: chi2 35.225 on 16 df, CFI .972, RMSEA .063; a regression has df 0."""
    text = (
        "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ sex + ageyr\n"
        "textual ~ sex + ageyr\nvisual ~~ textual"
    )
    fit = fit_covariance(text, holzinger())
    assert fit.measure("chi2") == pytest.approx(35.225, abs=5e-4)
    assert fit.measure("df") == 16
    assert fit.measure("cfi") == pytest.approx(0.972, abs=5e-4)
    assert fit.measure("rmsea") == pytest.approx(0.063, abs=5e-4)
    assert fit.measure("parameters") == 17
    data = holzinger()
    regression = fit_covariance("x1 ~ x2 + x3", data)
    assert regression.measure("df") == 0
    assert any("no degrees of freedom" in text for text in regression.warnings)
    design = np.column_stack([np.ones(len(data)), data[["x2", "x3"]]])
    slopes, squares = np.linalg.lstsq(design, data["x1"])[:2]
    rows = regression.parameters.query("op == '~'")
    np.testing.assert_allclose(rows["estimate"], slopes[1:], rtol=1e-9)
    n = len(data)
    logl = -n / 2 * (np.log(2 * np.pi) + 1 + np.log(squares[0] / n))
    assert regression.measure("log_likelihood") == pytest.approx(logl, rel=1e-10)


def test_equal_labels_are_one_parameter():
    """lavaan: textual loadings of x2 and x5 equal: chi2 99.2218 on 25 df, standard error .0578."""
    text = HOLZINGER.replace("x2", "a*x2").replace("x5", "a*x5")
    fit = fit_covariance(text, holzinger())
    assert fit.measure("df") == 25
    assert fit.measure("chi2") == pytest.approx(99.2218, abs=5e-5)
    rows = fit.parameters.query("rhs in ['x2', 'x5'] and op == '=~'")
    assert rows["estimate"].nunique() == 1
    np.testing.assert_allclose(rows["std_error"], 0.0578, atol=5e-5)


def test_r_squared_scores_and_reliability_equal_lavaan(acsi, satisfaction):
    wanted = reference("mobi_acsi_ml_rsquare").set_index("variable")["r2"]
    found = acsi.r_squared.set_index("variable")["r_squared"]
    np.testing.assert_allclose(found[wanted.index], wanted, rtol=1e-5)
    # these scores belong to lavaan's run with defined effects, at its own stopping point
    scores = reference("mobi_acsi_ml_scores_regression")
    problem, layout = acsi.problem, acsi.problem.layout
    stopped = keyed(reference("mobi_acsi_ml_defined_parameters"))["est"]
    ours = keyed(acsi.parameters)
    theta = np.empty(layout.parameters)
    free = layout.parameter[0] >= 0
    theta[layout.parameter[0, free]] = stopped[ours.index[free]]
    found = factor_scores(layout, theta, problem.moments, problem.rows[0])
    np.testing.assert_allclose(found, scores[list(layout.names[:6])], rtol=0, atol=1e-9)
    np.testing.assert_allclose(acsi.factor_scores()[scores.columns], scores, rtol=0, atol=2e-4)
    # semTools names alpha, omega and AVE of covariances; it leaves out the single item
    table = satisfaction.reliability.set_index("construct")
    semtools = reference("mobi_acsi_ml_reliability").set_index("stat").rename(columns=LOWER)
    for ours, theirs in (("alpha", "alpha"), ("rho_c", "omega"), ("ave", "avevar")):
        np.testing.assert_allclose(
            table.loc[semtools.columns, ours], semtools.loc[theirs], rtol=1e-5
        )


def test_factor_scores_of_a_construct_without_error():
    """A single item with no error has a singular residual matrix: the formula does not mind."""
    scores = fit_covariance(ECSI, MOBI).factor_scores()
    wanted = reference("mobi_ecsi_ml_scores_regression")
    np.testing.assert_allclose(
        scores["Complaints"], MOBI["CUSCO"] - MOBI["CUSCO"].mean(), atol=1e-9
    )
    np.testing.assert_allclose(scores[wanted.columns], wanted, rtol=0, atol=1e-5)


def test_htmt_of_items(satisfaction):
    """semTools prints geometric means (HTMT2); both come from item correlations."""
    wanted = reference("mobi_acsi_htmt").set_index("lv").rename(columns=LOWER, index=LOWER)
    table = satisfaction.htmt.set_index(["construct_1", "construct_2"])
    for (a, b), row in table.iterrows():
        if "complaints" not in (a, b):
            assert row["htmt2"] == pytest.approx(wanted.loc[a, b], rel=1e-5)
    model = load_model("acsi").map(MOBI.columns)
    correlation = np.corrcoef(MOBI[list(model.columns)].to_numpy(float), rowvar=False)
    values = htmt2(correlation[None], model.membership)[0]
    assert table.loc[("quality", "expectation"), "htmt2"] == pytest.approx(values[1, 0])


def test_effects_equal_lavaan_defined_parameters(satisfaction):
    """`:=` of lavaan, unpolished: indirect and total effects with delta-method standard errors."""
    wanted = reference("mobi_acsi_ml_defined_parameters").query("op == ':='").set_index("lhs")
    indirect = satisfaction.indirect_effects.set_index(["source", "target", "via"])
    total = satisfaction.total_effects.set_index(["source", "target"])
    rows = {
        "ind_Q_S": indirect.loc[("quality", "satisfaction", "(all routes)")],
        "tot_Q_S": total.loc[("quality", "satisfaction")],
        "ind_Q_L": total.loc[("quality", "loyalty")],
        "tot_E_S": total.loc[("expectation", "satisfaction")],
        "tot_S_L": total.loc[("satisfaction", "loyalty")],
    }
    assert set(rows) == set(wanted.index)
    for name, row in rows.items():
        assert row["unstandardised"] == pytest.approx(wanted.loc[name, "est"], rel=1e-4), name
        assert row["unstandardised_std_error"] == pytest.approx(wanted.loc[name, "se"], rel=1e-4)
        assert row["estimate"] == pytest.approx(wanted.loc[name, "std.all"], rel=1e-4)
    via = satisfaction.indirect_effects.query("via != '(all routes)'")
    sums = via.groupby(["source", "target"])["estimate"].sum()
    both = indirect.xs("(all routes)", level="via")["estimate"]
    np.testing.assert_allclose(sums[both.index], both, rtol=1e-10)


def test_satisfaction_tables_are_the_equations_in_other_words(acsi, satisfaction):
    wanted = reference("mobi_acsi_ml_standardized").query("op == '~'")
    paths = satisfaction.path_coefficients.set_index(["target", "source"])
    for row in wanted.to_dict("records"):
        found = paths.loc[(LOWER[row["lhs"]], LOWER[row["rhs"]])]
        assert found["estimate"] == pytest.approx(row["est.std"], rel=1e-5)
        assert found["std_error"] == pytest.approx(row["se"], rel=1e-5)
        assert found["ci_low"] == pytest.approx(row["ci.lower"], rel=1e-4)
    assert dict(satisfaction.fit.to_numpy()) == pytest.approx(dict(acsi.fit.to_numpy()), rel=1e-9)
    assert satisfaction.estimator == "covariance"
    assert satisfaction.settings["admissible"]
    assert satisfaction.settings["starts_agreeing"] == satisfaction.settings["starts"]
    fornell = satisfaction.fornell_larcker.set_index(["construct_1", "construct_2"])["value"]
    ave = satisfaction.reliability.set_index("construct")["ave"]
    assert fornell["value", "value"] ** 2 == pytest.approx(ave["value"])


def test_index_is_a_weighted_mean_of_answers(satisfaction):
    """Regression weights of a one-factor block are proportional to loading over error variance."""
    rows = satisfaction.extra["parameters"]
    loading = rows.query("op == '=~' and lhs == 'satisfaction'").set_index("rhs")["estimate"]
    error = rows.query("op == '~~' and lhs == rhs").set_index("lhs")["estimate"][loading.index]
    weight = loading / error
    answers = (MOBI[list(loading.index)].mean() - 1) / 9 * 100
    wanted = (weight * answers).sum() / weight.sum()
    index = satisfaction.index.set_index("construct")
    assert index.loc["satisfaction", "index"] == pytest.approx(wanted, rel=1e-9)
    single = (MOBI["CUSCO"] - 1) / 9 * 100
    assert index.loc["complaints", "index"] == pytest.approx(single.mean())
    assert index.loc["complaints", "std_error"] == pytest.approx(single.std(ddof=0) / 250**0.5)
    assert index["index"].between(0, 100).all()


def test_fiml_equals_lavaan():
    """Means in the model, observed information; H1 by maximum likelihood as well."""
    fit = fit_covariance(HOLZINGER, reference("holzinger_missing10"), missing="em")
    compare(fit.parameters, reference("holzinger_missing10_fiml_parameters"), RAW, 1e-5)
    measures = {a: b for a, b in MEASURES.items() if not a.startswith(("gfi", "agfi"))}
    wanted = reference("holzinger_missing10_fiml_fit")
    measures = {a: b for a, b in measures.items() if "robust" not in a}
    assert compare_fit(fit.fit, wanted, measures, 1e-5) >= 18
    assert fit.measure("chi2") == pytest.approx(82.91418, abs=5e-6)


def test_fiml_of_complete_answers_is_maximum_likelihood():
    data = reference("holzinger_missing10").dropna()
    plain = fit_covariance(HOLZINGER, data)
    full = fit_covariance(HOLZINGER, data, missing="em")
    pd.testing.assert_frame_equal(plain.parameters, full.parameters)


def test_listwise_counts_who_is_left_out():
    fit = fit_covariance(HOLZINGER, reference("holzinger_missing10"))
    assert fit.left_out.to_dict("records") == [
        {"reason": "an answer is missing", "count": 185, "share": pytest.approx(185 / 301)}
    ]
    assert fit.measure("n") == 116
    compare(fit.parameters, reference("holzinger_missing10_listwise_parameters"), RAW, 1e-4)
    assert fit.measure("chi2") == pytest.approx(46.8553922514, rel=1e-8)


def test_gradient_and_information_of_the_whole_model():
    """Analytic derivatives against differences, with means and structural paths, in two groups."""
    layout = over_groups(with_means(specify(ACSI)), 2, ("loadings", "intercepts"))
    values = MOBI[list(layout.observed)].to_numpy(float)
    moments = moments_of([values[:120], values[120:]])
    rng = np.random.default_rng(3)
    theta = np.where(layout.lower == 0, rng.uniform(1, 2, layout.parameters),
                     rng.normal(0.3, 0.3, layout.parameters))  # fmt: skip
    found = evaluate(layout, theta[None], moments).gradient[0]
    step = 1e-6 * np.eye(layout.parameters)
    pair = moments.take(np.zeros(layout.parameters, dtype=int))
    high = evaluate(layout, theta + step, pair).objective
    low = evaluate(layout, theta - step, pair).objective
    np.testing.assert_allclose(found, (high - low) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_second_derivatives_are_those_of_the_gradient(groups):
    """Against complex steps of the gradient: without means, with them, and in two groups."""
    layout = specify(ACSI)
    values = MOBI[list(layout.observed)].to_numpy(float)
    if groups:
        layout = over_groups(with_means(layout), groups, ("loadings", "intercepts"))
    moments = moments_of([values[:120], values[120:]] if groups == 2 else [values])
    rng = np.random.default_rng(7)
    theta = np.where(layout.lower == 0, rng.uniform(1, 2, layout.parameters),
                     rng.normal(0.3, 0.3, layout.parameters))  # fmt: skip

    def gradient(stack):
        return evaluate(layout, stack, moments.take(np.zeros(len(stack), dtype=int))).gradient

    found, wanted = evaluate(layout, theta[None], moments), derivative(gradient, theta)
    np.testing.assert_allclose(found.exact[0], wanted, atol=1e-12 * np.abs(wanted).max())
    np.testing.assert_allclose(found.scale[0], np.diag(found.hessian[0]), rtol=1e-12)


def test_expected_information_is_the_mean_hessian():
    """At a model's own moments the expected and the observed information are equal."""
    from cvlib.satisfaction.sem.inference import expected_information
    from cvlib.satisfaction.sem.likelihood import Moments, implied, observed_information

    layout = with_means(specify(ACSI))
    moments = moments_of([MOBI[list(layout.observed)].to_numpy(float)])
    theta = np.where(layout.lower == 0, 1.5, 0.7)
    model = implied(layout, theta[None], moments)
    own = Moments(model.sigma, model.mu, moments.share, moments.present)
    np.testing.assert_allclose(
        expected_information(layout, theta, own), observed_information(layout, theta, own),
        rtol=1e-8, atol=1e-10,
    )  # fmt: skip


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("name", available_models())
def test_the_model_goes_to_the_matrices_where_its_equations_lead(name, terminal):
    """Placed directly, and by way of written equations: the same places."""
    model = load_model(name)
    direct = layout_of(model, Specification(terminal_residual_covariances=terminal))
    text = equations(model, terminal_residual_covariances=terminal, names=False)
    written = specify(text)
    for part in ("latent", "matrix", "row", "col", "operator", "parameter", "value"):
        assert np.array_equal(getattr(direct, part), getattr(written, part)), part
