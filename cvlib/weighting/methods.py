"""What was done to weight, judge, score and grade customers, as a methods section says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cvlib.weighting.combine import Combination
from cvlib.weighting.data.objective import ObjectiveWeights
from cvlib.weighting.data.outcome import Learned
from cvlib.weighting.experts.beside import BesideWeights
from cvlib.weighting.experts.fuzzy import FuzzyEvaluation
from cvlib.weighting.experts.group import ExpertWeights
from cvlib.weighting.experts.judgements import words
from cvlib.weighting.names import listed
from cvlib.weighting.optional import Section
from cvlib.weighting.score import RHO, V
from cvlib.weighting.table import Indicators
from cvlib.weighting.validity import Validity
from cvlib.words.methods import methods_table

# How `read_indicators` treated empty cells, by the reason it gives.
_MISSING = {
    "customer with a missing indicator": "listwise",
    "missing value filled with the median": "median",
    "missing value, column computed without it": "available",
}
_OPERATORS = {
    "product_sum": "M(·, +)",
    "min_max": "M(∧, ∨)",
    "product_max": "M(·, ∨)",
    "min_sum": "M(∧, +)",
}
Facts = Mapping[str, Any]


def weighting_methods(
    indicators: Indicators,
    expert: ExpertWeights | None = None,
    data: ObjectiveWeights | None = None,
    mixed: Combination | None = None,
    *,
    facts: pd.DataFrame | None = None,
    language: str = "en",
) -> pd.DataFrame:
    """Say where the indicators came from and how they were weighted.

    Parameters
    ----------
    indicators : Indicators
        The customers.
    expert, data, mixed
        Expert weights, data weights and their combination, as far as there are any; without the
        first two all indicators weigh the same.
    facts : DataFrame, optional
        measure, value of the transactions the indicators were computed from: first_day,
        calibration_end, holdout_end and holdout_periods.
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.
    """
    parts = [_told(_data(indicators, facts), language)]
    expert = expert if expert is not None and expert.settings["experts"] else None
    data = data if data is not None and data.settings["methods"] else None
    if expert is not None and len(expert.consistency):
        parts += _expert(expert, language)
    if data is not None:
        options = data.settings
        used = [(method, options) for method in options["methods"]]
        parts.append(_list("data", used, language))
        if options["draws"]:
            parts.append(_told([("customers_resampled", options)], language))
    if expert is None and data is None:
        parts.append(_told([("equal", {})], language))
    if mixed is not None and mixed.settings:
        parts.append(_combined(mixed, language))
    drawn = [found.settings for found in (expert, data) if found and found.settings["draws"]]
    parts += [_told([("seed", options)], language) for options in drawn]
    return pd.concat(parts, ignore_index=True)


def validity_methods(validity: Validity, learned: Learned, *, language: str = "en") -> pd.DataFrame:
    """Say how weightings were compared, and how they were judged by what customers did later.

    Parameters
    ----------
    validity, learned
        Of the same outcome; empty without one, and then nothing is said of it.
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.
    """
    parts = [_told([("agreement", {})], language)]
    options = validity.settings
    if options:
        event = "auc" in set(validity.validity["metric"])
        parts.append(_told([("validity" if event else "validity_amount", {})], language))
        if options["draws"]:
            parts.append(_told([("paired", options)], language))
    if learned.settings:
        models: list[tuple[str, Facts]] = [
            ("logistic" if learned.settings["event"] else "ridge", {}),
            ("non_negative", {}),
        ]
        if learned.settings["starts"]:
            models.append(("network", learned.settings))
        parts.append(_list("learned", models, language, learned.settings))
        parts.append(_told([("seed", learned.settings)], language))
    return pd.concat(parts, ignore_index=True)


def scoring_methods(
    methods: Iterable[str],
    fuzzy: FuzzyEvaluation,
    reversals: pd.DataFrame,
    arrivals: pd.DataFrame,
    *,
    language: str = "en",
) -> pd.DataFrame:
    """Say how customers were scored, and what was tried to see on whom else a score depends.

    Parameters
    ----------
    methods : iterable of str
        Scoring methods, ``fuzzy`` and ``rank_sum_ratio`` included where they were used.
    fuzzy : FuzzyEvaluation
        The fuzzy evaluation among them.
    reversals, arrivals : DataFrame
        From `reversals_by_method` and `newcomers`.
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.
    """
    constants = {
        "v": V,
        "rho": RHO,
        "grades": len(fuzzy.settings["grades"]),
        "operator": _OPERATORS[fuzzy.settings["operator"]],
    }
    parts = [_list("scored", [(method, constants) for method in methods], language)]
    if len(reversals) and len(arrivals):
        tried = {"tried": reversals["tried"].max(), "newcomers": arrivals["newcomers"].max()}
        parts.append(_told([("reversal", tried)], language))
    return pd.concat(parts, ignore_index=True)


def grading_methods(
    schemes: Iterable[str],
    *,
    draws: int,
    concentration: float,
    seed: int,
    language: str = "en",
) -> pd.DataFrame:
    """Say how customers were graded, and how the stability of their grades was examined.

    Parameters
    ----------
    schemes : iterable of str
        Grading schemes that applied.
    draws, concentration, seed
        Of the weight vectors drawn (see `draw_weights`).
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.
    """
    used = ["ratio_grades" if scheme == "rank_sum_ratio" else scheme for scheme in schemes]
    drawn = {"draws": draws, "concentration": concentration}
    parts = [
        _list("graded", [(scheme, {}) for scheme in dict.fromkeys(used)], language),
        _told([("stability", drawn), ("seed", {"seed": seed})], language),
    ]
    return pd.concat(parts, ignore_index=True)


def further_methods(
    sections: Mapping[str, Section | BesideWeights | pd.DataFrame | bool], language: str = "en"
) -> pd.DataFrame:
    """Say what the further sections of a study did, as far as they were asked for.

    Parameters
    ----------
    sections : mapping of str to Section, BesideWeights, DataFrame or bool
        By name: variants, maturity, scorecard, ledger, credit, beside (weights by other ways to
        ask), panel (`entropy_by_period`), frozen (whether an earlier run gave the bounds).
    language : {"en", "zh"}
        Language of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.
    """
    used: list[tuple[str, Facts]] = []
    for name, found in sections.items():
        if isinstance(found, BesideWeights):
            used += [(str(way), {}) for way in found.weights["method"].unique()]
        elif isinstance(found, Section):
            used += [(name, {})] if found.tables else []
        elif isinstance(found, bool):
            used += [(name, {})] if found else []
        elif len(found):
            used.append((name, {"periods": found["period"].nunique() - 1}))
    return _told(used, language)


def _told(used: Iterable[tuple[str, Facts]], language: str) -> pd.DataFrame:
    return methods_table("weighting", used, language)


def _list(
    sentence: str, phrases: Sequence[tuple[str, Facts]], language: str, facts: Facts | None = None
) -> pd.DataFrame:
    """One sentence that lists what was used, with the works of all of it."""
    parts = _told(phrases, language)
    whole = {**(facts or {}), "list": listed(list(parts["sentence"]), language)}
    found = _told([(sentence, whole)], language)
    found["references"] = [" ".join(filter(None, [*found["references"], *parts["references"]]))]
    return found


def _data(indicators: Indicators, facts: pd.DataFrame | None) -> list[tuple[str, Facts]]:
    customers = {"customers": len(indicators.values)}
    if facts is None:
        source = "table", customers
    else:
        known = facts.set_index("measure")["value"]
        dates = {"first": known["first_day"], "cut": known["calibration_end"]}
        if known["holdout_periods"]:
            source = "transactions", {**customers, **dates, "last": known["holdout_end"]}
        else:
            source = "transactions_only", {**customers, **dates}
    gone = indicators.left_out
    rules = [
        (_MISSING[reason], {"count": count})
        for reason, count in zip(gone["reason"], gone["count"], strict=True)
    ]
    scale = ("scale", {"items": len(indicators.tree.leaves)})
    return [source, scale, *(rules or [("complete", {})])]


def _expert(expert: ExpertWeights, language: str) -> list[pd.DataFrame]:
    options = expert.settings
    number, checks = options["experts"], expert.consistency
    near = checks["cr"] / checks["threshold"]
    said = words(language)
    who = said["one_expert"] if number == 1 else said["experts"].format(number=number)
    worst = checks.loc[near.idxmax()]
    used: list[tuple[str, Facts]] = []
    if options["draws"]:
        noise = "noise_own" if options["perturbation"] is None else "noise_given"
        used.append((noise if number == 1 else "experts_resampled", options))
    if options["published"]:
        used.append((options["published"], {}))
    if number > 1:
        used.append((options["aggregation"], {}))
    if missing := int(checks["missing"].sum()):
        used.append(("incomplete", {"missing": missing}))
    limits = {"cr": worst["cr"], "limit": worst["threshold"]}
    used.append((f"consistency_{options['table']}", limits))
    ways: list[tuple[str, Facts]] = [(method, {}) for method in options["methods"]]
    return [_list("expert", ways, language, {"experts": who}), _told(used, language)]


def _combined(mixed: Combination, language: str) -> pd.DataFrame:
    options, names = mixed.settings, words(language)["names"]
    game = mixed.coefficients.query("method == 'game_theory'")["coefficient"]
    facts = {**options, "first": game.iloc[0], "second": game.iloc[1]}
    rules = list(mixed.weights["method"].unique())
    if options["fallback"] and "game_theory" in rules:
        rules[rules.index("game_theory")] = "game_theory_equal"
    sources = {
        side: names.get(options[side], options[side]) for side in ("subjective", "objective")
    }
    return _list("combined", [(rule, facts) for rule in rules], language, sources)
