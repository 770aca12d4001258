"""Models compared: cSEM's numbers, pairing, shared items, and the market environment's roles."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.compare import sentences as verdicts
from cvlib.satisfaction.compare.market_environment import compare_roles
from cvlib.satisfaction.compare.models import compare_models
from cvlib.satisfaction.model.file import load_model
from cvlib.satisfaction.pls.engine import construct_scores, fit_pls
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.pls.moderated_prediction import moderated_prediction
from cvlib.satisfaction.pls.moderation import with_products
from cvlib.satisfaction.pls.prediction import predict
from cvlib.satisfaction.survey.settings import Assessment
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import in_language

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "satisfaction"
MOBI = pd.read_csv(ROOT / "data" / "mobi.csv")
SETTINGS = {"draws": Bootstrap(60, seed=7), "assessment": Assessment(folds=5, repetitions=2)}
PLAIN = {**SETTINGS, "draws": Bootstrap(0, seed=7)}


@cache
def compared():
    return compare_models(MOBI, ["acsi", "ecsi", "ecsi_split"], **SETTINGS)


SHORT = {
    "EXP": "expectation", "QUAL": "quality", "VAL": "value", "SAT": "satisfaction",
    "COMP": "complaints", "LOY": "loyalty", "IMG": "image",
}  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), [("ACSI", "acsi"), ("ECSI10", "ecsi")])
def test_paths_index_and_fit_equal_csem(theirs: str, ours: str) -> None:
    paths = pd.read_csv(REFERENCE / "acsi_ecsi10_on_mobi_paths.csv").query("model == @theirs")
    found = compared().table("path_coefficients").query("items == 'all' and model == @ours")
    found = found.set_index(["source", "target"])["estimate"]
    assert len(found) == len(paths)
    for row in paths.to_dict("records"):
        value = found[SHORT[row["from"]], SHORT[row["to"]]]
        assert value == pytest.approx(row["estimate"], abs=1e-8)
    expected = pd.read_csv(REFERENCE / "acsi_ecsi10_on_mobi_fit.csv").query("model == @theirs")
    fit = compared().fit.query("items == 'all' and model == @ours").set_index("measure")["value"]
    for column, measure in (("SRMR", "srmr"), ("dG", "d_g"), ("dULS", "d_uls"), ("df", "df")):
        assert fit[measure] == pytest.approx(expected[column].iloc[0], abs=1e-6)
    tables = [compared().table(name) for name in ("index", "r_squared")]
    tables = [
        t[(t["items"] == "all") & (t["model"] == ours)].set_index("construct") for t in tables
    ]
    for row in expected.to_dict("records"):
        name = SHORT[row["construct"]]
        assert tables[0]["index"][name] == pytest.approx(row["index"], abs=1e-6)
        if not np.isnan(row["R2"]):
            assert tables[1]["r_squared"][name] == pytest.approx(row["R2"], abs=1e-8)


def test_shifts_come_from_the_same_resamples() -> None:
    row = (
        compared()
        .index_shift.query("items == 'all' and construct == 'satisfaction' and model_2 == 'ecsi'")
        .iloc[0]
    )
    index = compared().table("index").query("items == 'all' and construct == 'satisfaction'")
    error = index.set_index("model")["std_error"]
    assert row["difference"] == pytest.approx(row["value_1"] - row["value_2"], abs=1e-12)
    assert row["std_error"] < 0.3 * error["acsi"]
    assert row["ci_low"] <= row["difference"] <= row["ci_high"]
    assert "model_1" in compared().r_squared_shift
    twin = replace(load_model("acsi").map(MOBI.columns), name="twin")
    same = compare_models(MOBI, ["acsi", twin], **SETTINGS)
    assert (same.index_shift["difference"].abs() < 1e-12).all()
    assert (same.index_shift["std_error"] == 0).all()
    assert (same.cvpat["difference"] == 0).all()


def test_cvpat_equals_a_paired_t_test_on_the_shared_items() -> None:
    row = (
        compared()
        .cvpat.query(
            "items == 'all' and outcome == 'loyalty' and model_1 == 'acsi' and model_2 == 'ecsi'"
        )
        .iloc[0]
    )
    losses = [
        compared().predictions["all", name].losses[["CUSL1", "CUSL2", "CUSL3"]].mean(axis=1)
        for name in ("acsi", "ecsi")
    ]
    expected = stats.ttest_rel(*losses)
    assert row["t"] == pytest.approx(expected.statistic, abs=1e-10)
    assert row["p"] == pytest.approx(expected.pvalue, abs=1e-12)
    assert row["predicted_items"] == 3
    q2 = compared().table("r_squared").query("model == 'acsi' and items == 'all'")
    own = compared().predictions["all", "acsi"].constructs
    assert q2["q2_predict"].tolist() == pytest.approx(own["q2_predict"].tolist())


def test_shared_items_leave_what_every_model_asks() -> None:
    shared = {name: r.model for (items, name), r in compared().results.items() if items == "shared"}
    assert list(shared) == ["acsi", "ecsi_split"]  # ecsi without image is acsi without complaints
    common = set(load_model("acsi").map(MOBI.columns).columns) - {"CUSCO"}
    for model in shared.values():
        assert set(model.columns) == common
    assert any("ecsi is the same model as acsi" in text for text in compared().warnings)
    cells = compared().fit.query("items == 'shared' and measure == 'srmr'")
    alone = estimate_pls(MOBI, shared["acsi"], assessment=Assessment(folds=0)).fit.set_index(
        "measure"
    )["value"]
    assert cells["value"].iloc[0] == pytest.approx(alone["srmr"], abs=1e-12)


def test_every_model_is_given_the_same_respondents() -> None:
    holes = MOBI.astype(float)
    holes.loc[:9, "IMAG1"] = np.nan  # not an item of acsi
    found = compare_models(holes, ["acsi", "ecsi"], **PLAIN)
    assert {r.settings["rows"] for r in found.results.values()} == {240}
    assert found.left_out["count"].tolist() == [10]
    assert "std_error" not in found.index_shift and "p" not in found.fit
    assert "250" not in verdicts.index_verdict(found) and "240" in verdicts.index_verdict(found)


def test_verdicts_state_the_uncertainty_and_follow_the_numbers() -> None:
    told = verdicts.prediction_verdict(compared())
    rows = compared().cvpat.query("items == 'all' and outcome == 'satisfaction'")
    gaps = verdicts.against_best(rows)
    assert (gaps["difference"] >= 0).all() and len(gaps) == 2
    assert gaps["best"].iloc[0] in told and "adjusted" in told
    sure = replace(compared(), cvpat=compared().cvpat.assign(p_adjusted=0.001))
    assert "better than every other model" in verdicts.prediction_verdict(sure)
    assert "Of 3 pairs of models 3 differ" in verdicts.prediction_verdict(sure)
    for row in rows.itertuples():  # wins and losses alike, the smaller loss first
        pair = (row.model_1, row.model_2) if row.difference < 0 else (row.model_2, row.model_1)
        assert f"{pair[0]} before {pair[1]}" in verdicts.prediction_verdict(sure)
    unsure = replace(compared(), cvpat=compared().cvpat.assign(p_adjusted=0.5))
    assert "None of 3 pairs" in verdicts.prediction_verdict(unsure)
    assert " before " not in verdicts.prediction_verdict(unsure)
    assert "rejected for 3 of 3" in verdicts.fit_verdict(compared())
    lone = {key: replace(r, extra={**r.extra, "exact_fit": r.extra["exact_fit"].assign(p=0.03)})
            for key, r in compared().results.items()}  # fmt: skip
    assert "rejected for none of 3" in verdicts.fit_verdict(replace(compared(), results=lone))
    assert "个模型" in in_language(verdicts.index_verdict(compared()), "zh")
    for p, many in ((0.0001, 3), (0.03, 0)):  # .03 of one pair is chance among three
        moved = replace(compared(), shift=compared().shift.assign(p=p))
        assert f"{many} of 3 pairs of models differ" in verdicts.index_verdict(moved)
    index, losses = verdicts.chart_tables(compared())
    assert len(index) == 3 and len(losses) == 2
    assert verdicts.first_index(compared()) == pytest.approx(72.4396312121918, abs=1e-6)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="two or more"):
        compare_models(MOBI, ["acsi"])
    with pytest.raises(InputError, match="named twice"):
        compare_models(MOBI, ["acsi", "acsi"])


def markets(slope: float, change: float, rows: int = 300, seed: int = 3) -> pd.DataFrame:
    """A survey of the general model: the market acts by `slope` and moderates by `change`."""
    model, generator = load_model("general"), np.random.default_rng(seed)
    names = model.construct_names
    latent = np.zeros((rows, len(names)))
    for j in model.order:
        own = [a for a in np.flatnonzero(model.adjacency[:, j]) if names[a] != "market"]
        latent[:, j] = latent[:, own] @ np.full(len(own), 0.35)
        latent[:, j] += generator.normal(size=rows) * (0.6 if own else 0.9)
        if names[j] in ("satisfaction", "loyalty"):
            latent[:, j] += slope * latent[:, names.index("market")]
        if names[j] == "loyalty":
            product = latent[:, names.index("satisfaction")] * latent[:, names.index("market")]
            latent[:, j] += change * product
    answers = latent[:, model.block] + 0.5 * generator.normal(size=(rows, len(model.items)))
    answers = (answers - answers.mean(axis=0)) / answers.std(axis=0)
    scale = np.where(model.maximum == 1, 0.5 + 0.49 * np.sign(answers), 5.5 + 1.8 * answers)
    whole = np.clip(np.round(scale), model.minimum, model.maximum)
    return pd.DataFrame(whole, columns=list(model.columns))


def test_the_environment_in_its_three_roles() -> None:
    data = markets(slope=0.3, change=0.3)
    found = compare_roles(data, **SETTINGS)
    table = found.table.set_index(["role", "construct"])
    without = estimate_pls(
        data, load_model("general").without(["market"], "x"), assessment=Assessment(folds=0)
    )
    whole = estimate_pls(data, load_model("general"), assessment=Assessment(folds=0))
    r2 = [r.r_squared.set_index("construct")["r_squared"]["loyalty"] for r in (without, whole)]
    row = table.loc[("antecedent", "loyalty")]
    assert row["delta_r_squared"] == pytest.approx(r2[1] - r2[0], abs=1e-10)
    assert row["f_squared"] == pytest.approx((r2[1] - r2[0]) / (1 - r2[1]), abs=1e-10)
    assert row["bic_with"] < row["bic_without"]
    assert table.loc[("antecedent", "satisfaction"), "cvpat_ci_high"] < 0
    assert table.loc[("moderator", "loyalty"), "cvpat_ci_high"] < 0
    moderator = table.loc[("moderator", "loyalty")]
    assert moderator["delta_r_squared"] > row["delta_r_squared"]
    assert moderator["cvpat_difference"] < row["cvpat_difference"]
    told = verdicts.roles_verdict(found)
    assert "better with the market environment" in told
    chance = replace(found, table=found.table.assign(cvpat_p=0.02))  # of several tests
    assert "better" not in verdicts.roles_verdict(chance)
    lost = replace(found, table=found.table.assign(cvpat_p=1e-6, cvpat_difference=0.1))
    assert "worse with" in verdicts.roles_verdict(lost)
    assert any("cut at its median" in text for text in found.warnings)


def test_an_environment_without_effect_adds_nothing() -> None:
    found = compare_roles(markets(slope=0.0, change=0.0, seed=5), **SETTINGS)
    table = found.table.set_index(["role", "construct"])
    assert (table["cvpat_ci_high"] > 0).all()
    assert (table.loc["antecedent", "delta_r_squared"] < 0.02).all()
    assert (table.loc["antecedent", "bic_with"] > table.loc["antecedent", "bic_without"]).all()


def test_a_group_role_by_hand() -> None:
    data = markets(slope=0.3, change=0.3).assign(MARK1=lambda d: np.where(d["MARK1"] > 5, 8, 3))
    found = compare_roles(data, **PLAIN)
    row = found.table.set_index(["role", "construct"]).loc[("group", "loyalty")]
    model = load_model("general").without(["market"], "x")
    rows = data[list(model.columns)]
    fit = fit_pls(model, rows.mean().to_numpy()[None], rows.cov().to_numpy()[None])
    scores = pd.DataFrame(construct_scores(model, fit, rows.to_numpy()),
                          columns=list(model.construct_names)).assign(g=data["MARK1"])  # fmt: skip
    import statsmodels.formula.api as smf

    causes = "image + satisfaction + complaints"
    common = smf.ols(f"loyalty ~ {causes}", scores).fit()
    apart = smf.ols(f"loyalty ~ C(g) * ({causes})", scores).fit()
    assert row["r_squared_without"] == pytest.approx(common.rsquared, abs=1e-10)
    assert row["r_squared_with"] == pytest.approx(apart.rsquared, abs=1e-10)


def test_moderated_prediction_by_regression_on_the_training_rows() -> None:
    data = markets(slope=0.3, change=0.3)
    model = load_model("general").with_role("market", "moderator")
    whole = compare_roles(data, **PLAIN).comparison
    assert whole is not None
    survey = whole.surveys["all", "general (moderator)"]
    plain = predict(model, survey, folds=2, repetitions=1, seed=1)
    found = moderated_prediction(
        model, survey, plain, scheme="path", folds=2, repetitions=1, seed=1
    )
    rows, names = survey.values, model.construct_names
    dealt = np.random.default_rng(1).permutation(np.arange(len(rows)) * 2 // len(rows))
    j, s, m = (names.index(name) for name in ("loyalty", "satisfaction", "market"))
    own = np.flatnonzero(model.block == j)
    expected = np.zeros((len(rows), len(own)))
    for fold in (0, 1):
        train, test = rows[dealt != fold], rows[dealt == fold]
        fit = fit_pls(model, train.mean(axis=0)[None], np.cov(train.T)[None])
        inside, outside = (construct_scores(model, fit, part) for part in (train, test))

        def design(scores: np.ndarray) -> np.ndarray:
            causes = scores[:, model.adjacency[:, j]]
            return np.column_stack([np.ones(len(scores)), causes, scores[:, s] * scores[:, m]])

        slopes = np.linalg.lstsq(design(inside), inside[:, j])[0]
        score = design(outside) @ slopes
        line = score[:, None] * fit.loadings[0, own] * fit.standard_deviation[0, own]
        expected[dealt == fold] = (test[:, own] - train.mean(axis=0)[own] - line) ** 2
    np.testing.assert_allclose(found.losses[["LOYA1", "LOYA2", "LOYA3"]], expected, atol=1e-6)
    others = [c for c in plain.losses if not c.startswith("LOYA")]
    assert found.losses[others].equals(plain.losses[others])
    assert with_products(model, rows).shape[1] == rows.shape[1] + 15


def test_a_survey_without_the_environment_is_told() -> None:
    found = compare_roles(MOBI, **SETTINGS)
    assert found.comparison is None and found.table.empty
    assert "MARK1" in found.warnings[0]
    assert "nothing is said" in verdicts.roles_verdict(found)
    unasked = compare_roles(MOBI, "", **SETTINGS)
    assert verdicts.roles_verdict(unasked) is None and unasked.warnings == ()
    assert compare_roles(MOBI, "").warnings == ()
    assert "no construct" in compare_roles(MOBI, "acsi").warnings[0]
