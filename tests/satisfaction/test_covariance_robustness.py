"""The optimiser on resamples, simulation from known parameters, and input that cannot be used."""

import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.sem.bootstrap import refit
from cvlib.satisfaction.sem.estimate import (
    Specification,
    equations,
    estimate_covariance,
    fit_covariance,
)
from cvlib.satisfaction.sem.likelihood import evaluate
from cvlib.satisfaction.sem.written import specify
from cvlib.statistics.resample import Bootstrap

from .cbsem import ACSI, ECSI, HOLZINGER, MOBI, REFERENCE, holzinger, reference


def resampled(text):
    """Refits of the 50 given resamples, and their discrepancies F."""
    fit = fit_covariance(text, MOBI)
    layout = fit.problem.layout
    rows = fit.problem.rows[0]
    picked = np.loadtxt(REFERENCE / "mobi_bootstrap50_indices.csv", delimiter=",", dtype=int)
    mean = np.stack([rows[i].mean(axis=0) for i in picked])
    covariance = np.stack([np.cov(rows[i], rowvar=False, ddof=0) for i in picked])
    found = refit(layout, mean, covariance, fit.optimum.theta)
    constant = np.linalg.slogdet(covariance)[1] + rows.shape[1]
    return layout, found, found.objective - constant


def test_acsi_reaches_the_lowest_known_objective_on_all_resamples():
    layout, found, discrepancy = resampled(ACSI)
    known = reference("mobi_acsi_bootstrap50_semopy")["objective"]
    assert found.converged.all()
    assert (discrepancy <= known + 1e-6).all()
    np.testing.assert_allclose(discrepancy, known, atol=1e-6)
    assert (found.agreeing >= 2).all()
    state = evaluate(layout, found.theta, found.moments)
    np.testing.assert_allclose(state.objective, found.objective, rtol=1e-12)
    outward = (found.theta <= layout.lower) & (state.gradient > 0)
    assert np.abs(np.where(outward, 0.0, state.gradient)).max() < 1e-6


def test_a_resample_ends_in_the_same_bits_alone_and_among_others():
    fit = fit_covariance(ECSI, MOBI)
    rows = fit.problem.rows[0]
    picked = np.loadtxt(REFERENCE / "mobi_bootstrap50_indices.csv", delimiter=",", dtype=int)[:14]
    mean = np.stack([rows[i].mean(axis=0) for i in picked])
    covariance = np.stack([np.cov(rows[i], rowvar=False, ddof=0) for i in picked])
    together = refit(fit.problem.layout, mean, covariance, fit.optimum.theta)
    for i in (0, 5, 13):
        alone = refit(fit.problem.layout, mean[[i]], covariance[[i]], fit.optimum.theta)
        assert np.array_equal(alone.theta[0], together.theta[i])


def test_a_start_that_cannot_win_stops_and_one_that_can_does_not():
    from cvlib.satisfaction.sem.minimise import minimise

    fit = fit_covariance(ACSI, MOBI)
    layout, moments, start = fit.problem.layout, fit.problem.moments, 1.1 * fit.optimum.theta[None]
    full = minimise(layout, moments, start)
    for better, ends in ((-0.1, False), (0.1, True)):
        found = minimise(layout, moments, start, beaten=full.objective + better)
        assert bool(found.converged[0]) is ends
        assert (found.iterations < full.iterations)[0] != ends


@pytest.mark.slow
def test_ecsi_resamples_reach_the_lowest_of_many_starts_or_are_flagged():
    """ECSI is nearly unidentified by these data: what is not the lowest must be inadmissible."""
    from cvlib.satisfaction.sem.minimise import minimise
    from cvlib.satisfaction.sem.starts import starting_values

    layout, found, _ = resampled(ECSI)
    lowest = found.objective.copy()
    rng = np.random.default_rng(11)
    for relatedness in rng.uniform(0, 1, 8):
        start = starting_values(layout, found.moments, relatedness)
        other = minimise(layout, found.moments, start * np.exp(rng.normal(0, 0.2, start.shape)))
        lowest = np.minimum(lowest, np.where(other.converged, other.objective, np.inf))
    missed = found.objective > lowest + 1e-6
    assert not (missed & found.admissible).any()


def test_semopy_agrees_when_its_tolerance_is_tight():
    """The specification is semopy's; so is this second opinion on the optimum."""
    import semopy

    model = semopy.Model(ACSI + "CUSCO ~~ 0*CUSCO")
    solved = model.fit(MOBI.astype(float), options={"ftol": 1e-12, "maxiter": 5000})
    fit = fit_covariance(ACSI, MOBI)
    assert fit.optimum.discrepancy == pytest.approx(solved.fun, abs=1e-9)
    theirs = model.inspect()
    theirs = theirs[theirs["op"] == "~"].set_index(["lval", "rval"])["Estimate"].astype(float)
    ours = fit.parameters.set_index(["lhs", "op", "rhs"])["estimate"]
    for (left, right), value in theirs.items():
        found = ours.get((left, "~", right), ours.get((right, "=~", left)))
        assert found == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_starts_agree_and_the_gradient_vanishes():
    fit = fit_covariance(ACSI, MOBI, starts=8)
    assert fit.optimisation["reached_lowest"].all()
    assert fit.optimisation["max_abs_gradient"].max() < 1e-6
    assert np.linalg.eigvalsh(fit.information)[0] > 0


def test_bootstrap_columns_and_account():
    result = estimate_covariance(MOBI, "acsi", draws=Bootstrap(150, seed=4))
    row = result.draws.iloc[0]
    assert row["requested"] == 150 == row["used"] + row["failed"]
    assert 0 < row["inadmissible"] < 75
    assert any("inadmissible" in text for text in result.warnings)
    index = result.index.set_index("construct")
    ratio = index["bootstrap_std_error"] / index["std_error"]
    assert ratio.between(0.8, 1.25).all()
    loadings = result.loadings.query("construct == 'quality'")
    assert (loadings["bootstrap_ci_low"] < loadings["loading"]).all()
    assert (loadings["bootstrap_ci_high"] > loadings["loading"]).all()
    again = estimate_covariance(MOBI, "acsi", draws=Bootstrap(150, seed=4))
    pd.testing.assert_frame_equal(result.index, again.index)


def simulated(n, seed, *, heavy=False):
    """Two causes and an outcome with known loadings and paths; multivariate t(9) if `heavy`.

    Heavy tails that factors and errors share leave the covariances proportional, but break the
    normal-theory standard errors and chi-square.
    """
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal
    first = draw(n)
    second = 0.6 * first + 0.8 * draw(n)
    third = 0.3 * first + 0.5 * second + np.sqrt(1 - 0.09 - 0.25 - 0.18) * draw(n)
    scale = np.sqrt(9 / rng.chisquare(9, n)) if heavy else np.ones(n)
    columns = {}
    for name, factor in (("a", first), ("b", second), ("c", third)):
        for j, loading in enumerate((0.8, 0.7, 0.6)):
            columns[f"{name}{j}"] = scale * (loading * factor + np.sqrt(1 - loading**2) * draw(n))
    return pd.DataFrame(columns)


THREE = "A =~ a0 + a1 + a2\nB =~ b0 + b1 + b2\nC =~ c0 + c1 + c2\nB ~ A\nC ~ A + B"
TRUTH = {("B", "A"): 0.6, ("C", "A"): 0.3, ("C", "B"): 0.5}


def test_large_sample_recovers_known_parameters():
    fit = fit_covariance(THREE, simulated(20000, 1))
    rows = fit.parameters.query("op == '~'").set_index(["lhs", "rhs"])
    for path, value in TRUTH.items():
        assert (
            abs(rows.loc[path, "standardised"] - value)
            < 4 * rows.loc[path, "standardised_std_error"]
        )
        assert rows.loc[path, "standardised_std_error"] < 0.02
    loadings = fit.parameters.query("op == '=~'")["standardised"].to_numpy()
    np.testing.assert_allclose(loadings, [0.8, 0.7, 0.6] * 3, atol=0.03)
    assert fit.measure("rmsea") < 0.02


def covered(samples, truth, **settings):
    """Share of intervals of the standardised paths that hold the truth, and rejection rates."""
    inside, plain, scaled = [], [], []
    for data in samples:
        fit = fit_covariance(THREE, data, starts=1, **settings)
        rows = fit.parameters.query("op == '~'").set_index(["lhs", "rhs"])
        low, high = (rows[f"standardised_ci_{end}"] for end in ("low", "high"))
        inside.append([low[path] < value < high[path] for path, value in truth.items()])
        plain.append(fit.measure("p") < 0.05)
        scaled.append(settings.get("standard_errors") == "mlr" and fit.measure("p_scaled") < 0.05)
    return np.mean(inside), np.mean(plain), np.mean(scaled)


@pytest.mark.slow
def test_robust_intervals_and_scaled_test_under_heavy_tails():
    """400 samples of 400: normal theory rejects the true model too often, the scaled test not."""
    samples = [simulated(400, seed, heavy=True) for seed in range(400)]
    coverage, plain, scaled = covered(samples, TRUTH, standard_errors="mlr")
    assert 0.93 <= coverage <= 0.97
    assert plain > 0.25
    assert scaled < 0.12
    normal, _, _ = covered(samples, TRUTH)
    assert normal < coverage


def ten_points(data):
    """The answers as skewed ten-point ratings, most of them high."""
    return (8.0 + 1.7 * data - 0.35 * (data**2 - 1)).round().clip(1, 10)


@pytest.mark.slow
def test_intervals_cover_at_250_on_skewed_ten_point_items():
    """The truth is the model's own at 400,000 respondents; 400 samples of 250."""
    huge = fit_covariance(THREE, ten_points(simulated(400_000, 0))).parameters.query("op == '~'")
    truth = huge.set_index(["lhs", "rhs"])["standardised"].to_dict()
    samples = [ten_points(simulated(250, seed)) for seed in range(1, 401)]
    assert np.mean([sample.skew().mean() for sample in samples]) < -0.5
    coverage, _, scaled = covered(samples, truth, standard_errors="mlr")
    assert 0.93 <= coverage <= 0.97
    assert scaled < 0.10


def test_fiml_is_less_biased_than_listwise_when_answers_depend_on_others():
    """Answers on c0 missing where a0 is low: listwise shifts the variance of A, FIML does not."""
    data = simulated(4000, 3)
    data.loc[data["a0"] < 0, "c0"] = np.nan
    full = fit_covariance(THREE, data, missing="em").parameters.set_index(["lhs", "op", "rhs"])
    part = fit_covariance(THREE, data).parameters.set_index(["lhs", "op", "rhs"])
    variance = ("A", "~~", "A")
    assert abs(full.loc[variance, "estimate"] - 0.64) < 4 * full.loc[variance, "std_error"]
    assert part.loc[variance, "estimate"] < 0.45


def test_heywood_case_is_told():
    data = holzinger()
    rng = np.random.default_rng(1)
    data["x2"] = 3 * data["x1"] + rng.normal(0, 0.01, len(data))
    fit = fit_covariance("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6", data)
    assert not fit.admissible
    assert fit.warnings[0] == "Variances estimated as zero: x1."
    assert any("Heywood" in text for text in fit.warnings)
    assert fit.diagnosis.set_index("check").loc["smallest variance share", "trouble"]


def test_unidentified_parameters_have_no_standard_error_and_say_so():
    data = holzinger()
    fit = fit_covariance(HOLZINGER + "\nvisual ~ textual\ntextual ~ visual", data)
    assert fit.parameters.query("op == '~'")["std_error"].isna().all()
    assert any("not positive definite" in text for text in fit.warnings)


def test_units_of_the_items_do_not_matter():
    data = holzinger()
    plain = fit_covariance(HOLZINGER, data)
    for scale in (1e5, 1e-5):
        scaled = data.copy()
        scaled[["x1", "x2", "x3"]] *= scale
        fit = fit_covariance(HOLZINGER, scaled)
        assert fit.measure("chi2") == pytest.approx(plain.measure("chi2"), rel=1e-7)
        np.testing.assert_allclose(
            fit.parameters["standardised_std_error"], plain.parameters["standardised_std_error"],
            rtol=1e-5, atol=1e-9,
        )  # fmt: skip
        assert not fit.warnings


def test_single_item_reliability_takes_error_out():
    sure = estimate_covariance(MOBI, "acsi")
    unsure = estimate_covariance(
        MOBI, "acsi", specification=Specification(single_item_reliability=0.8)
    )
    rows = unsure.extra["parameters"].query("op == '~~' and lhs == 'CUSCO'")
    assert rows["estimate"].item() == pytest.approx(0.2 * MOBI["CUSCO"].var(ddof=0))
    path = [r.path_coefficients.set_index(["source", "target"]).loc[("satisfaction", "complaints")]
            for r in (sure, unsure)]  # fmt: skip
    assert path[1]["estimate"] == pytest.approx(path[0]["estimate"] / 0.8**0.5, rel=0.02)
    assert unsure.reliability.set_index("construct").loc["complaints", "rho_c"] == pytest.approx(
        0.8
    )


def test_terminal_residual_covariances_are_declared():
    """Without the path of complaints on loyalty lavaan has 46 parameters, chi2 298.887 at 144."""
    from dataclasses import replace

    model = load_model("acsi").map(MOBI.columns)
    paths = tuple(p for p in model.signed_paths if p[:2] != ("complaints", "loyalty"))
    model = replace(model, signed_paths=paths)
    freed = dict(estimate_covariance(MOBI, model).fit.to_numpy())
    kept = estimate_covariance(
        MOBI, model, specification=Specification(terminal_residual_covariances=False)
    )
    assert "complaints ~~ loyalty" in equations(model)
    assert (freed["df"], freed["chi2"]) == (144, pytest.approx(298.887, abs=1e-3))
    fit = dict(kept.fit.to_numpy())
    assert (fit["df"], fit["chi2"]) == (145, pytest.approx(299.088, abs=1e-3))


def test_full_information_for_a_satisfaction_model():
    rng = np.random.default_rng(2)
    data = MOBI.astype(float).mask(rng.random(MOBI.shape) < 0.05)
    result = estimate_covariance(data, "acsi", missing="em")
    whole = estimate_covariance(MOBI, "acsi")
    assert result.settings["rows"] == 250
    gap = (result.index["index"] - whole.index["index"]).abs()
    assert (gap < whole.index["std_error"]).all()
    assert (result.index["std_error"] > 0.95 * whole.index["std_error"]).all()
    listwise = estimate_covariance(data, "acsi")
    assert listwise.left_out["count"].sum() + listwise.settings["rows"] == 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("visual =~ NA*x1 + x2 + x3", "line 1"),
        ("visual =~ x1 + x2 + x3\nind := a*b", "line 2"),
        ("visual =~ x1 + x2; textual =~ x3", "line 1"),
        ("x1 ~ 1", "line 1"),
        ("visual =~ x1 +\nx2 + x3", "line 1"),
        ("CONSTRAINT(a = b)", "line 1"),
        ("visual =~ x1 + START*x2 + x3", "line 1"),
        ("visual ~ visual", "line 1"),
        ("visual =~ x1 + x1 + x2", "line 1"),
        ("", "no equation"),
        ("visual =~ x1 + x2 + x33", "Did you mean"),
        ("visual =~ x1 + x2", "4 parameters from 3 moments"),
    ],
)
def test_equations_that_mislead_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        fit_covariance(text, holzinger())


def broken(**columns):
    return MOBI.assign(**columns)


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (broken(PERQ7=MOBI["PERQ6"]), {}, "items PERQ6, PERQ7: are copies"),
        (broken(PERQ7=5), {}, "column PERQ7: all answers are 5"),
        (MOBI.iloc[:15], {}, "15 complete respondents for 19 items"),
        (MOBI.iloc[:1], {}, "1 usable respondents"),
        (MOBI.iloc[:25], {"draws": 10}, "fewer than two bootstrap draws"),
        (MOBI, {"draws": 1}, "draws"),
        (MOBI, {"draws": 10, "missing": "em"}, "not offered together"),
        (MOBI, {"standard_errors": "mlf"}, "'mlf' is not offered"),
        (MOBI, {"missing": "fiml"}, "is not offered"),
        (MOBI, {"missing": "mean"}, "does not offer"),
        (broken(CUSA1=[np.nan] * 250, CUSA2=[np.nan] * 250, CUSA3=[np.nan] * 250), {}, "is empty"),
    ],
)
def test_surveys_that_cannot_be_used_are_refused(data, settings, message):
    with pytest.raises(InputError, match=message):
        estimate_covariance(data, "acsi", **settings)


def test_a_single_item_has_a_reliability_above_zero():
    with pytest.raises(InputError, match="single_item_reliability"):
        Specification(single_item_reliability=0)


def test_formative_constructs_and_moderators_are_refused():
    from dataclasses import replace

    model = load_model("acsi").map(MOBI.columns)
    formative = replace(model, constructs=tuple(replace(c, mode="B") for c in model.constructs))
    with pytest.raises(InputError, match="mode B"):
        estimate_covariance(MOBI, formative)


def test_data_frames_that_cannot_be_used_are_refused():
    data = holzinger()
    twice = pd.concat([data, data[["x1"]]], axis=1)
    for bad, message in (
        (twice, "occurs twice"),
        (data.assign(x1="high"), "not numeric"),
        (data.assign(x1=np.inf), "infinite"),
        (data.iloc[:0], "0 complete respondents"),
        (data.assign(x3=data["x1"] + data["x2"]), "x1, x2, x3: are copies or exact sums"),
    ):
        with pytest.raises(InputError, match=message):
            fit_covariance(HOLZINGER, bad)
    apart = data.assign(
        x1=data["x1"].where(data.index < 150), x2=data["x2"].where(data.index >= 150)
    )
    with pytest.raises(InputError, match="item x1 and item x2"):
        fit_covariance(HOLZINGER, apart, missing="em")


def test_models_are_built_by_many_threads_at_once():
    """semopy keeps operation tables on its class; unguarded, models lose their parameters."""
    wrong: list[str] = []

    def build():
        for _ in range(10):
            try:
                if specify(HOLZINGER).parameters != 21:
                    wrong.append("parameters")
            except Exception as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=build) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_a_fresh_interpreter_gives_the_same_table_and_no_noise():
    """Light import, root logger as it was, and nothing depends on the hash seed of the process."""
    code = """
import logging, sys
from cvlib.satisfaction.sem.estimate import fit_covariance
assert "semopy" not in sys.modules
root, text = logging.getLogger(), sys.argv[1]
import pandas as pd
fit = fit_covariance(text, pd.read_csv(sys.argv[2]))
assert (root.handlers, root.level, root.manager.disable) == ([], logging.WARNING, 0)
print(fit.parameters.to_csv(), end="")
"""
    text = HOLZINGER + "\nx1 ~~ x4 + x7\nx5 ~~ x2"
    path = REFERENCE / "holzinger_missing10.csv"
    found = subprocess.run(
        [sys.executable, "-c", code, text, str(path)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert found.stderr == ""
    assert found.stdout == fit_covariance(text, pd.read_csv(path)).parameters.to_csv()
