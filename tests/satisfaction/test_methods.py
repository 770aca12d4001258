"""The methods paragraph says what was done: the facts, sources that exist, two languages."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import cvlib
from cvlib.inputs.readers import Table
from cvlib.satisfaction.compare.league import compare_groups
from cvlib.satisfaction.compare.market_environment import compare_roles
from cvlib.satisfaction.compare.models import compare_models
from cvlib.satisfaction.compare.waves import compare_waves
from cvlib.satisfaction.estimators import Method, estimate
from cvlib.satisfaction.methods import comparison_methods, estimation_methods, group_methods
from cvlib.satisfaction.model.file import available_models, load_model
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.settings import Assessment, Columns, Design, Missing
from cvlib.statistics.resample import Bootstrap
from cvlib.study.surroundings import PACKAGES
from cvlib.words.literature import apa, bibliography

ROOT = Path(__file__).resolve().parents[2]
WORDINGS = yaml.safe_load(
    (ROOT / "cvlib/words/methods_of/satisfaction.yaml").read_text(encoding="utf-8")
)
MOBI = cvlib.load_table("mobi").data
LANGUAGES = ("en", "zh")


def with_gaps() -> pd.DataFrame:
    data = MOBI.astype(float)
    data.iloc[:7, 0] = float("nan")
    data.iloc[3:9, 10] = float("nan")
    return data


def names_of(table: pd.DataFrame) -> list[str]:
    return list(table["method"])


def sentence(table: pd.DataFrame, method: str) -> str:
    return str(table.set_index("method").loc[method, "sentence"])


def checked(table: pd.DataFrame, language: str) -> pd.DataFrame:
    """No slot is left open, and every work that is named is listed."""
    for text in table["sentence"]:
        assert text and not re.search(r"[{}]|nan|None", text), text
        assert text.endswith("." if language == "en" else "。"), text
        assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh"), text
    for key in " ".join(table["references"]).split():
        assert apa(key)
    return table


# --- the wordings


@pytest.mark.parametrize("method", WORDINGS)
def test_a_sentence_cites_the_works_it_lists_and_no_other(method: str) -> None:
    entry = WORDINGS[method]
    works = {}
    for key in entry.get("references", []):
        person = bibliography()[key].persons["author"][0]
        works[(" ".join([*person.prelast_names, *person.last_names]),
               bibliography()[key].fields["year"])] = key  # fmt: skip
    slots = set(re.findall(r"\{(\w+)", entry["en"]))
    assert slots == set(re.findall(r"\{(\w+)", entry["zh"]))
    for language in LANGUAGES:
        text = entry[language]
        for surname, year in works:
            assert re.search(rf"{surname}[^;()\uff08\uff09\uff1b]*?[,(\uff08]\s*{year}", text), (
                surname,
                text,
            )
        assert len(re.findall(r"\b(?:19|20)\d\d\b", text)) == len(works), text
    assert set(entry.get("software", [])) <= set(PACKAGES)


def test_every_work_of_the_pillar_is_cited() -> None:
    text = (ROOT / "cvlib/words/references/satisfaction.bib").read_text(encoding="utf-8")
    own = set(re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE))
    cited = {key for entry in WORDINGS.values() for key in entry.get("references", [])}
    assert own == cited


def test_every_shipped_model_has_its_source() -> None:
    assert {f"model_{name}" for name in available_models()} | {"model_own"} == {
        name for name in WORDINGS if name.startswith("model_")
    }


# --- one survey


@pytest.mark.parametrize("language", LANGUAGES)
def test_pls_and_covariance_beside_it(language: str) -> None:
    found = estimate(
        MOBI,
        "ecsi_mobile",
        method=Method(estimator="both", covariance_model="acsi"),
        draws=Bootstrap(6, seed=11, level=0.9),
    )
    told = checked(estimation_methods(found, language), language)
    assert names_of(told) == [
        "pls", "missing_none", "index", "bootstrap_percentile", "measurement", "effect_size",
        "exact_fit", "prediction", "priorities", "covariance_too", "adapted", "errors_ml",
        "index_covariance",
    ]  # fmt: skip
    assert {"250", "24", "7"} <= set(re.findall(r"\d+", sentence(told, "pls")))
    boot = set(re.findall(r"\d+", sentence(told, "bootstrap_percentile")))
    assert {"6", "11", "90"} <= boot
    assert "semopy" in told.set_index("method").loc["covariance_too", "software"]
    assert "fornell1996" in told.set_index("method").loc["covariance_too", "references"]


def test_options_of_pls_change_the_sentences() -> None:
    data = with_gaps().assign(w=[1.0, 2.0] * 125, h=[1, 2] * 125, c=[i // 5 for i in range(250)])
    data.loc[249, "w"] = 0.0
    told = checked(
        estimation_methods(estimate(
            data, "ecsi_mobile", Method(estimator="plsc", scheme="centroid"),
            draws=Bootstrap(4, interval="bca"), missing="em",
            design=Design(weights="w", clusters="c"),
        )), "en",
    )  # fmt: skip
    assert "centroid" in sentence(told, "pls") and "249 of 250" in sentence(told, "pls")
    assert {"plsc", "missing_em", "weighted", "bootstrap_bca"} <= set(names_of(told))
    assert "(13)" in sentence(told, "missing_em")
    assert "clusters of respondents" in sentence(told, "bootstrap_bca")
    none = estimate(
        data, "ecsi_mobile", method=Method(scheme="factorial"), draws=0, design=Design(strata="h")
    )
    none = checked(estimation_methods(none), "en")
    assert not [name for name in names_of(none) if name.startswith(("bootstrap", "exact"))]
    assert "(9 of 250)" in sentence(none, "missing_listwise")
    assert "241 of 250" in sentence(none, "pls") and "factorial" in sentence(none, "pls")


@pytest.mark.parametrize("rule", ["mean", "person_mean"])
def test_rules_for_missing_answers_are_told_with_counts(rule: str) -> None:
    found = estimate(
        with_gaps(),
        "ecsi_mobile",
        draws=Bootstrap(2, interval="studentized"),
        missing=Missing(rule, minimum_share=0.6),
        design=Design(strata=""),
    )
    told = checked(estimation_methods(found), "en")
    assert "(13)" in sentence(told, f"missing_{rule}")
    assert ("60%" in sentence(told, f"missing_{rule}")) == (rule == "person_mean")
    assert "studentized" in sentence(told, "bootstrap_studentized")


def test_lost_draws_are_told() -> None:
    found = estimate(
        MOBI.iloc[:60], "ecsi_mobile", method=Method(estimator="plsc"), draws=Bootstrap(12, seed=2)
    )
    table = found.main.draws.iloc[0]
    told = checked(estimation_methods(found), "en")
    assert table["failed"] + table["inadmissible"] > 0
    assert f"({table['failed']})" in sentence(told, "draws_lost")
    assert f"({table['inadmissible']})" in sentence(told, "draws_lost")


@pytest.mark.parametrize(("errors", "cited"), [("mlm", "satorra1994"), ("mlr", "yuan2000")])
def test_covariance_alone(errors: str, cited: str) -> None:
    found = estimate(MOBI, "acsi", method=Method(estimator="covariance", standard_errors=errors))
    told = checked(estimation_methods(found), "en")
    assert names_of(told)[0] == "covariance" and "pls" not in names_of(told)
    assert cited in told.set_index("method").loc[f"errors_{errors}", "references"]
    assert not [name for name in names_of(told) if name in ("index", "prediction")]


def test_full_information_and_starts_that_disagree() -> None:
    found = estimate(with_gaps(), "acsi", method=Method(estimator="covariance"), missing="em")
    told = checked(estimation_methods(found), "en")
    assert "errors_fiml" in names_of(told)
    gaps = int(found.main.audit["missing"].sum())
    assert gaps and f"({gaps})" in sentence(told, "missing_fiml")
    settings = {**found.main.settings, "starts_agreeing": 3, "starts": 5}
    object.__setattr__(found.main, "settings", settings)
    assert "Of 5 starts 3" in sentence(estimation_methods(found), "starts")


def test_a_model_of_the_users_own_goes_by_its_title(tmp_path: Path) -> None:
    text = (ROOT / "cvlib/satisfaction/models/ecsi_mobile.yaml").read_text(encoding="utf-8")
    own = text.replace("name: ecsi_mobile", "name: mine").replace("ECSI for mobile", "Ours for")
    (tmp_path / "mine.yaml").write_text(own, encoding="utf-8")
    found = estimate(
        MOBI.drop(columns="CUSCO"), tmp_path / "mine.yaml", columns=Columns(drop_unmapped=True)
    )
    told = checked(estimation_methods(found), "en")
    assert "the model “Ours for telephony”" in sentence(told, "pls")
    assert "dropped" in names_of(told)


# --- models


@pytest.mark.parametrize("language", LANGUAGES)
def test_models_compared(language: str) -> None:
    compared = compare_models(
        MOBI,
        ["ecsi_mobile", "acsi"],
        adjustment="benjamini_hochberg",
        draws=Bootstrap(4, seed=7),
        assessment=Assessment(folds=5, repetitions=2),
    )
    told = checked(comparison_methods(compared, None, language), language)
    assert names_of(told) == [
        "models", "shared_items", "adapted", "missing_none", "index", "bootstrap_common",
        "measurement", "exact_fit", "prediction_models", "criteria", "adjusted",
    ]  # fmt: skip
    found = told.set_index("method")
    assert {"tenenhaus2005", "fornell1996"} == set(found.loc["models", "references"].split())
    assert found.loc["adjusted", "references"] == "benjamini1995"
    assert {"4", "7"} <= set(re.findall(r"\d+", sentence(told, "bootstrap_common")))
    assert {"5", "2"} <= set(re.findall(r"\d+", sentence(told, "prediction_models")))
    shared = sorted({i for (kind, _), r in compared.results.items() if kind == "shared"
                     for i in r.model.items})  # fmt: skip
    assert str(len(shared)) in sentence(told, "shared_items")


def test_models_compared_with_gaps_and_without_draws() -> None:
    options = {"draws": 0, "assessment": Assessment(folds=4, repetitions=1)}
    listwise = compare_models(with_gaps(), ["ecsi_mobile", "acsi"], **options)
    told = checked(comparison_methods(listwise), "en")
    assert "(9 of 250)" in sentence(told, "missing_models")
    assert "missing_none" not in names_of(told)
    mean = compare_models(with_gaps(), ["ecsi_mobile", "acsi"], missing="mean",
                          adjustment="none", **options)  # fmt: skip
    told = checked(comparison_methods(mean), "en")
    assert "(13)" in sentence(told, "missing_mean") and "adjusted_none" in names_of(told)
    assert not [name for name in names_of(told) if name.startswith(("bootstrap", "exact"))]
    apart = {k: r for k, r in mean.results.items() if k[0] == "all"}
    told = checked(comparison_methods(replace(mean, results=apart)), "en")
    assert "shared_items" not in names_of(told)


def test_roles_that_were_tested_are_told() -> None:
    data = general_answers()
    roles = compare_roles(data, draws=0, assessment=Assessment(folds=4, repetitions=1))
    compared = compare_models(
        data, ["general", "ccsi_split"], draws=0, assessment=Assessment(folds=4, repetitions=1)
    )
    for language in LANGUAGES:
        told = checked(comparison_methods(compared, roles, language), language)
        assert "roles" in names_of(told)
    assert "antecedent, moderator (two-stage interaction) and grouping" in sentence(
        comparison_methods(compared, roles), "roles"
    )


def general_answers() -> pd.DataFrame:
    """A survey of the general model with its market environment."""
    rng, model = np.random.default_rng(3), load_model("general")
    common = rng.normal(size=240)
    columns = {}
    for item in model.item_list:
        raw = 0.8 * common + rng.normal(size=240)
        rank = pd.Series(raw).rank(pct=True)
        span = item.maximum - item.minimum
        columns[item.column] = (item.minimum + (rank * span).round().clip(0, span)).to_numpy()
    return pd.DataFrame(columns)


# --- groups and waves


@pytest.fixture(scope="module")
def brands() -> tuple:
    survey = cvlib.load_table("simulated_brands")
    assert isinstance(survey, Table)
    answers = open_survey(survey, "ecsi_mobile")
    three = answers.data[answers.data["brand"].isin(["A", "B", "C"])]
    return three, answers.model


@pytest.mark.parametrize("language", LANGUAGES)
def test_groups_and_waves(brands: tuple, language: str) -> None:
    data, bound = brands
    league = compare_groups(
        data, bound, "brand", permutations=9, minimum=60, draws=Bootstrap(5, seed=4)
    )
    waves = compare_waves(data, bound, "wave", permutations=9, draws=Bootstrap(5, seed=4))
    told = checked(group_methods(league, waves, language=language), language)
    assert names_of(told) == [
        "groups", "missing_none", "index_groups", "bootstrap_groups", "invariance",
        "index_differences", "adjusted", "ranks", "letters", "path_differences", "total_equal",
        "waves",
    ]  # fmt: skip
    rows = int(league.groups.keys["n"].sum())
    assert {str(rows), "3", "60"} <= set(re.findall(r"\d+", sentence(told, "groups")))
    assert "9" in re.findall(r"\d+", sentence(told, "invariance"))
    assert {"5", "4"} <= set(re.findall(r"\d+", sentence(told, "bootstrap_groups")))
    assert str(data["wave"].nunique()) in re.findall(r"\d+", sentence(told, "waves"))


def test_options_of_groups_change_the_sentences(brands: tuple) -> None:
    data, bound = brands
    data = data.assign(w=1.5, c=range(len(data)))
    data.loc[data.index[:4], "IMAG1"] = float("nan")
    league = compare_groups(
        data,
        bound,
        "brand",
        permutations=0,
        adjustment="none",
        draws=0,
        design=Design(weights="w", clusters="c"),
    )
    told = checked(group_methods(league, shares=True), "en")
    assert {"adjusted_none", "index_differences_welch", "total_shares", "weighted_groups"} <= set(
        names_of(told)
    )
    gone = {"invariance", "bootstrap_groups", "ranks", "path_differences", "waves"}
    assert not gone & set(names_of(told))
    assert f"(4 of {len(data)})" in sentence(told, "missing_listwise")
    drawn = compare_groups(
        data, bound, "brand", permutations=0, draws=2, design=Design(clusters="c")
    )
    assert "clusters" in sentence(group_methods(drawn), "bootstrap_groups")
    exchanged = compare_groups(data, bound, "brand", draws=0, permutations=5)
    assert "path_differences_permutation" in names_of(group_methods(exchanged))
