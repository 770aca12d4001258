"""The methods section says what was done, with the numbers of the results, in both languages."""

import re
from functools import cache
from importlib import resources
from itertools import product

import numpy as np
import pandas as pd
import pytest
import yaml
from pybtex.database import parse_file

from cvlib.statistics.resample import Bootstrap
from cvlib.study.surroundings import PACKAGES
from cvlib.weighting.choice import COMBINED, choose_weights
from cvlib.weighting.combine import combine
from cvlib.weighting.data.importance import METHODS as DATA_METHODS
from cvlib.weighting.data.objective import objective_weights
from cvlib.weighting.data.outcome import learn_from_outcome
from cvlib.weighting.experts.ahp import random_index_tables
from cvlib.weighting.experts.files import available_judgements, read_judgements
from cvlib.weighting.experts.fuzzy import OPERATORS, fuzzy_evaluation
from cvlib.weighting.experts.group import AGGREGATIONS, expert_weights
from cvlib.weighting.experts.judgements import Pair, collect
from cvlib.weighting.grade import SCHEMES
from cvlib.weighting.methods import (
    grading_methods,
    scoring_methods,
    validity_methods,
    weighting_methods,
)
from cvlib.weighting.names import listed, print_names
from cvlib.weighting.robustness import newcomers, reversals_by_method
from cvlib.weighting.scale import normalise
from cvlib.weighting.score import METHODS as SCORING_METHODS
from cvlib.weighting.score import RHO, V, one_weighting, wide_weights
from cvlib.weighting.table import read_indicators
from cvlib.weighting.tree import load_tree
from cvlib.weighting.validity import criterion_validity
from cvlib.words.literature import FOLDER, apa, bibliography

WORDINGS = yaml.safe_load(
    (resources.files("cvlib.words") / "methods_of" / "weighting.yaml").read_text("utf-8")
)
LANGUAGES = ("en", "zh")
TREE = load_tree("rfm")


def customers(size=60, **changed):
    table = pd.DataFrame(
        np.random.default_rng(0).gamma(2.0, size=(size, 3)),
        columns=["recency", "frequency", "monetary"],
    )
    return table.assign(**changed)


def indicators(missing="listwise", **changed):
    return read_indicators(customers(**changed), TREE, missing=missing)


def experts_pairs(leave=()):
    pairs = [("recency", "frequency", 5), ("recency", "monetary", 7), ("frequency", "monetary", 3)]
    return [Pair(a, b, v, "here") for a, b, v in pairs if (a, b) not in leave]


def experts(number=2, leave=()):
    given = experts_pairs(leave)
    return collect(TREE, {f"e{i}": given for i in range(number)}, "here")


def text(table):
    return " ".join(table["sentence"])


def keys(table):
    return set(" ".join(table["references"]).split())


@pytest.mark.parametrize(("name", "language"), product(WORDINGS, LANGUAGES))
def test_every_work_is_named_where_it_is_cited_and_only_there(name, language):
    wording, known = WORDINGS[name], bibliography()
    sentence = wording[language]
    for key in wording.get("references", []):
        first = known[key].persons["author"][0].last_names[0]
        assert first in sentence and known[key].fields["year"] in sentence, key
        assert apa(key)
    years = re.findall(r"(?<![\d.])(1[89]\d\d|20\d\d)(?!\d)", sentence)
    cited = [known[key].fields["year"] for key in wording.get("references", [])]
    assert sorted(set(years)) == sorted(set(cited))
    assert set(wording.get("software", [])) <= set(PACKAGES)


@pytest.mark.parametrize("name", WORDINGS)
def test_both_languages_tell_the_same_facts(name):
    slots = [sorted(re.findall(r"{[^}]*}", WORDINGS[name][language])) for language in LANGUAGES]
    assert slots[0] == slots[1]
    named_alike = ("topsis", "vikor")
    assert name in named_alike or re.search("[\u4e00-\u9fff]", WORDINGS[name]["zh"])


def test_no_work_stands_in_the_bibliography_unused():
    used = {key for wording in WORDINGS.values() for key in wording.get("references", [])}
    assert set(parse_file(str(FOLDER / "weighting.bib"), encoding="utf-8").entries) == used


def test_every_option_has_its_words():
    expected = {*DATA_METHODS, *SCORING_METHODS, *AGGREGATIONS, *available_judgements()}
    expected |= {f"consistency_{table}" for table in random_index_tables()}
    expected |= {"ratio_grades" if scheme == "rank_sum_ratio" else scheme for scheme in SCHEMES}
    assert expected <= set(WORDINGS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_weights_are_told_with_their_settings(language):
    found = indicators()
    ahp = expert_weights(
        TREE, read_judgements(TREE, "liu_shih_2005"), bootstrap=Bootstrap(40, 3, 0.9)
    )
    data = objective_weights(
        found, ["entropy_sum", "critic", "entropy_shifted"], draws=30, level=0.8, epsilon=0.01
    )
    wide = wide_weights(pd.concat([ahp.weights, data.weights]), found.items)
    sources = one_weighting(wide, "ahp_eigenvector"), one_weighting(wide, "critic")
    mixed = combine(TREE, *sources, normalise(found), alpha=0.3)
    table = weighting_methods(found, ahp, data, mixed, language=language)
    told = text(table)
    assert "{" not in told
    cr = ahp.consistency["cr"].max()
    for fact in ("60", "40", "90%", "30", "80%", f"{cr:.3f}", "0.05", "0.01", "0.3", "seed 3"):
        assert fact.replace("seed ", "" if language == "zh" else "seed ") in told, fact
    for label in ("ahp_eigenvector", "critic"):
        assert print_names(TREE, language)[label] in told
    assert {"saaty1977", "crawford1985", "liu2005", "alonso2006", "hwang1981", "wang1998"} <= keys(
        table
    )
    assert not {"aczel1983", "harker1987", "keshavarz2021"} & keys(table)


def test_without_draws_there_is_no_interval_and_no_seed():
    found = indicators()
    ahp = expert_weights(TREE, experts(1), methods=("geometric_mean",))
    data = objective_weights(found, ["merec"])
    table = weighting_methods(found, ahp, data)
    assert "nterval" not in text(table) and "seed" not in text(table)
    assert "Keshavarz" in text(table)
    assert "eigenvector" not in text(table) and "liu2005" not in keys(table)
    assert "All indicators had the same weight." in text(weighting_methods(found))


def test_groups_gaps_and_noise_are_told():
    found = indicators()
    group = expert_weights(TREE, experts(7), aggregation="aip_arithmetic", bootstrap=Bootstrap(20))
    told = text(weighting_methods(found, group))
    assert "7 experts" in told and "arithmetic mean (Forman" in told
    assert "20 bootstrap samples of the experts" in told and "95%" in told
    assert "aczel1983" in keys(weighting_methods(found, expert_weights(TREE, experts(2))))
    ratios = [("recency", "frequency", r) for r in (5, 2)]
    uneven = collect(
        TREE,
        {f"e{r}": [Pair(*first, "here"), *experts_pairs()[1:]] for r, first in enumerate(ratios)},
        "here",
    )
    found_uneven = expert_weights(TREE, uneven)
    worst = found_uneven.consistency["cr"].max()
    assert f"{worst:.3f}" in text(weighting_methods(found, found_uneven))
    gap = expert_weights(TREE, experts(1, leave=[("recency", "monetary")]))
    told = text(weighting_methods(found, gap))
    assert "Judgements not given (1)" in told and "judgements of one expert" in told
    noisy = expert_weights(TREE, experts(1), bootstrap=Bootstrap(20), perturbation=0.25)
    assert "standard deviation of 0.25" in text(weighting_methods(found, noisy))
    own = expert_weights(TREE, experts(1), bootstrap=Bootstrap(20))
    assert "own inconsistency" in text(weighting_methods(found, own))


@pytest.mark.parametrize("table", random_index_tables())
def test_the_random_index_is_the_one_used(table):
    found = weighting_methods(indicators(), expert_weights(TREE, experts(1), table=table))
    ratio = expert_weights(TREE, experts(1), table=table).consistency["cr"].iloc[0]
    assert f"{ratio:.3f}" in text(found)
    named = print_names(TREE)[table].replace(" and ", " & ").replace(" (", ", ")
    assert f"random index: {named}" in text(found)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("listwise", "Customers with a missing indicator (2) were left out."),
        ("median", "Missing values (2) were replaced by the median"),
        ("available", "Missing values (2) were left out indicator by indicator."),
    ],
)
def test_gaps_in_the_data_are_told_with_their_rule(missing, told):
    column = customers()["monetary"].where(np.arange(60) > 1)
    found = indicators(missing, monetary=column)
    sentences = text(weighting_methods(found))
    assert told in sentences and "No value was missing" not in sentences
    assert f"covered {len(found.values)} customers" in sentences
    assert "No value was missing." in text(weighting_methods(indicators()))


def test_transactions_are_told_with_their_dates():
    facts = pd.DataFrame(
        {
            "measure": ["first_day", "calibration_end", "holdout_end", "holdout_periods"],
            "value": ["1997-01-01", "1997-09-30", "1998-06-30", 39.0],
        }
    )
    told = text(weighting_methods(indicators(), facts=facts))
    assert "1997-01-01 to 1997-09-30; those to 1998-06-30 gave the outcome." in told
    facts.loc[3, "value"] = 0.0
    told = text(weighting_methods(indicators(), facts=facts))
    assert "1997-01-01 to 1997-09-30." in told and "1998" not in told


@pytest.mark.parametrize("rule", sorted(set(COMBINED) - {"minimum_relative_entropy"}))
def test_a_rule_is_told_by_itself_where_game_theory_falls_back(rule):
    rare = np.r_[np.ones(3), np.full(57, 1e-3)]  # entropy gives this column nearly everything
    found = indicators(monetary=rare)
    flat = read_judgements(TREE, {"recency|frequency": 1, "recency|monetary": 0.5,
                                  "frequency|monetary": 0.5})  # fmt: skip
    chosen = choose_weights(found, rule, flat)
    assert chosen.mixed.settings["fallback"]
    told = text(weighting_methods(found, chosen.expert, chosen.data, chosen.mixed))
    warned = [w.id for w in chosen.warnings if "game" in getattr(w, "id", "")]
    assert ("equal coefficients" in told) == (rule == "game_theory")
    assert warned == (["weighting.game_falls_back"] if rule == "game_theory" else [])


def test_game_theory_says_when_it_fell_back():
    found = indicators()
    equal = pd.Series(1 / 3, index=list(found.items), name="equal")
    flat = pd.Series([0.4, 0.33, 0.27], index=list(found.items), name="a")
    steep = pd.Series([0.98, 0.01, 0.01], index=list(found.items), name="b")
    fallen = combine(TREE, flat, steep, normalise(found))
    assert fallen.settings["fallback"]
    assert "equal coefficients" in text(weighting_methods(found, mixed=fallen))
    solved = combine(TREE, equal, flat, normalise(found))
    used = solved.coefficients.query("method == 'game_theory'")["coefficient"]
    told = text(weighting_methods(found, mixed=solved))
    assert f"(coefficients {used.iloc[0]:.2f} and {used.iloc[1]:.2f})" in told
    ends = np.eye(3)[[0, 1]]
    apart = [pd.Series(w, index=list(found.items), name=n) for w, n in zip(ends, "ab", strict=True)]
    told = text(weighting_methods(found, mixed=combine(TREE, *apart, normalise(found))))
    assert "multiplicative" not in told and "additive" in told


@cache
def examined(event):
    found = normalise(indicators())
    rng = np.random.default_rng(1)
    spend = pd.Series(rng.integers(0, 2, 60) if event else rng.gamma(2.0, size=60)).astype(float)
    scores = pd.DataFrame({"equal": found.complete().mean(axis=1), "one": found.complete()[:, 0]})
    learned = learn_from_outcome(found, spend, starts=2, hidden=3, folds=4, seed=9)
    judged = criterion_validity(scores, spend, draws=25, level=0.9, seed=9)
    return found, spend, scores, learned, judged


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", [True, False])
def test_validity_is_told_as_it_was_examined(language, event):
    found, spend, scores, learned, judged = examined(event)
    table = validity_methods(judged, learned, language=language)
    told = text(table)
    assert "{" not in told and {"25", "90%", "4", "3", "2", "9"} <= set(re.findall(r"\d+%?", told))
    assert ("AUC" in told) is event
    assert WORDINGS["logistic" if event else "ridge"][language] in told
    assert WORDINGS["ridge" if event else "logistic"][language] not in told
    assert table["software"].str.contains("scikit-learn").any() and "breiman2001" in keys(table)
    bare = validity_methods(
        criterion_validity(scores, spend, draws=0), learn_from_outcome(found, spend, starts=0)
    )
    assert "ootstrap" not in text(bare) and "network" not in text(bare)
    nothing = validity_methods(criterion_validity(scores, None), learn_from_outcome(found, None))
    assert list(nothing["method"]) == ["agreement"] and not nothing["software"].any()


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_and_grades_are_told_as_they_were_made(language):
    found = indicators()
    equal = pd.Series(1 / 3, index=list(found.items))
    choice = choose_weights(found, "equal")
    methods = ["topsis", "vikor", "grey"]
    fuzzy = fuzzy_evaluation(normalise(found), choice.weights, operator="min_max")
    arrivals = newcomers(found, equal, methods, share=0.3)
    reversals = reversals_by_method(found, equal, methods, leavers=6)
    table = scoring_methods([*methods, "fuzzy"], fuzzy, reversals, arrivals, language=language)
    told = text(table)
    assert "{" not in told and "M(∧, ∨)" in told and "VIKOR" in told and "0.5" in told
    assert str(arrivals["newcomers"][0]) in told and str(reversals["tried"][0]) in told
    assert {"opricovic2004", "deng1982", "hwang1981", "wang2008"} == keys(table)
    assert V == RHO == 0.5
    graded = grading_methods(
        ["pyramid", "rank_sum_ratio"], draws=1234, concentration=80.0, seed=77, language=language
    )
    told = text(graded)
    assert "{" not in told and "1,234" in told and "80" in told and "77" in told
    assert {"tian1993", "lahdelma2001"} == keys(graded)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_fuzzy_operator_has_a_sign(operator):
    found = indicators()
    choice = choose_weights(found, "equal")
    fuzzy = fuzzy_evaluation(normalise(found), choice.weights, operator=operator)
    some = pd.DataFrame({"tried": [1], "newcomers": [1]})
    assert "operator M(" in text(scoring_methods(["fuzzy"], fuzzy, some, some))


def test_names_of_the_tree_win_and_single_indicators_have_one(make_tree):
    tree = make_tree(
        {"critic": {"direction": "benefit", "en": "Critics"}, "b": {"direction": "cost"}}
    )
    named = print_names(tree)
    assert named["critic"] == "Critics" and named["only_critic"] == "Critics alone"
    assert named["goal"] == "Goal" and print_names(TREE, "zh")["rfm"] == "总目标"
    assert print_names(tree, "zh")["grade 2"] == "第 2 级" and named["b"] == "b"
    assert print_names(tree).keys() == print_names(tree, "zh").keys()
    assert listed(["a"]) == "a" and listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["甲", "乙"], "zh") == "甲和乙"
