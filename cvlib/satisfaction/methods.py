"""What was done, in publishable sentences: read from the results, never from what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cvlib.satisfaction.compare.league import League
from cvlib.satisfaction.compare.market_environment import Roles
from cvlib.satisfaction.compare.models import ModelComparison
from cvlib.satisfaction.compare.waves import Waves
from cvlib.satisfaction.estimators import Estimates, named
from cvlib.satisfaction.model.file import available_models
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sem.estimate import LEAST_SQUARES
from cvlib.words.methods import methods_table

NO_WEIGHT = "survey weight of zero"
Used = list[tuple[str, Mapping[str, Any]]]


def estimation_methods(found: Estimates, language: str = "en") -> pd.DataFrame:
    """How the estimates of one survey were made.

    Parameters
    ----------
    found : Estimates
        From `estimation.estimate`.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        As `cvlib.words.methods.methods_table`.
    """
    main = found.main
    parts = [_covariance(main, language) if main.estimator == "covariance"
             else _pls(main, language)]  # fmt: skip
    parts += [_covariance(other, language, too=True) for other in found.results[1:]]
    return _told(parts)


def comparison_methods(
    compared: ModelComparison, roles: Roles | None = None, language: str = "en"
) -> pd.DataFrame:
    """How models were compared on the same respondents.

    Parameters
    ----------
    compared : ModelComparison
        From `comparison.compare_models`.
    roles : Roles, optional
        From `roles.compare_roles`; told where the environment could be measured.
    language : {"en", "zh"}
        Of the sentences.
    """
    result = next(iter(compared.results.values()))
    settings, left = result.settings, _left(compared.left_out)
    total = settings["rows"] + left
    missing: Used = [("missing_models", {"left": left, "total": total})] if left else []
    audit = pd.concat([r.audit for r in compared.results.values()]).drop_duplicates("item")
    if audit["missing"].any() or not left:
        none = compared.left_out.head(0)  # whoever left did so before the models were fitted
        missing += _missing_rule(settings["missing"], audit, none, {**settings, "total": total})
    shared = {item.column for key, r in compared.results.items() if key[0] == "shared"
              for item in r.model.item_list}  # fmt: skip
    models = [_model(model, language) for model in compared.models]
    text = ("、" if language == "zh" else "; ").join(m["sentence"].iloc[0] for m in models)
    opening = _table([("models", {
        "count": len(models), "rows": settings["rows"], "total": total, "models": text,
        "scheme": _phrase(f"scheme_{settings['scheme']}", language),
    })], language)  # fmt: skip
    used: Used = [("shared_items", {"items": len(shared)})] if shared else []
    used += _measured(compared.models) + missing + _weighted(settings) + [("index", {})]
    if settings["draws"]:
        used.append(("bootstrap_common", _resampling(result, language)))
        used += _lost(pd.concat([r.draws for r in compared.results.values()]))
    used += [("measurement", {})]
    if any(len(named(r, "exact_fit")) for r in compared.results.values()):
        used.append(("exact_fit", settings))
    used += [("prediction_models", compared.settings), ("criteria", {})]
    parts = [_citing(opening, models), _table(used, language)]
    parts.append(_adjustment(compared.settings["adjustment"], language))
    if roles is not None and roles.comparison is not None:
        kinds = [_phrase(f"role_{role}", language) for role in roles.table["role"].unique()]
        parts.append(_table([("roles", {"roles": _listed(kinds, language)})], language))
    return _told(parts)


def group_methods(
    league: League, waves: Waves | None = None, shares: bool = False, language: str = "en"
) -> pd.DataFrame:
    """How groups, and waves where there are any, were compared.

    Parameters
    ----------
    league : League
        From `league.compare_groups`.
    waves : Waves, optional
        From `waves.compare_waves`.
    shares : bool
        Whether the total was weighted by a table of shares.
    language : {"en", "zh"}
        Of the sentences.
    """
    groups, settings = league.groups, league.groups.settings
    rows = int(groups.keys["n"].sum())
    model = _model(groups.model, language)
    opening = _table([("groups", {
        **settings, "groups": len(groups.keys), "rows": rows, "model": model["sentence"].iloc[0],
        "scheme": _phrase(f"scheme_{settings['scheme']}", language),
    })], language)  # fmt: skip
    left = league.left_out[league.left_out["column"] == "(respondents)"]
    used = _measured([groups.model])
    used += _missing_rule(str(settings["missing"]), groups.surveys[0].audit, left, settings)
    used += [("weighted_groups", {})] if settings["weighted"] else []
    used += [("index_groups", {})]
    if settings["draws"]:
        units = _phrase("clusters" if settings["clustered"] else "respondents", language)
        used.append(("bootstrap_groups", {**settings, "units": units}))
    exchanged = int(league.settings["permutations"])
    if exchanged:
        used.append(("invariance", league.settings))
    tested = "index_differences" if exchanged else "index_differences_welch"
    used.append((tested, {}))
    parts = [_citing(opening, [model]), _table(used, language)]
    parts.append(_adjustment(str(league.settings["adjustment"]), language))
    rest: Used = [("ranks", settings)] if settings["draws"] else []
    rest += [("letters", {})] if "letters" in league.league else []
    if exchanged:
        drawn = "p_henseler" in league.path_differences
        rest.append(("path_differences" if drawn else "path_differences_permutation", {}))
    rest.append(("total_shares" if shares else "total_equal", {}))
    if waves is not None:
        rest.append(("waves", waves.settings))
    return _told([*parts, _table(rest, language)])


def _pls(result: SatisfactionResult, language: str) -> pd.DataFrame:
    """Sentences of one PLS result."""
    settings = result.settings
    pairs = zip(result.model.constructs, result.model.modes, strict=True)
    modes = {mode for construct, mode in pairs if len(construct.items) > 1}
    model = _model(result.model, language)
    opening = _table([("pls", {
        **_size(result), "model": model["sentence"].iloc[0],
        "scheme": _phrase(f"scheme_{settings['scheme']}", language),
        "modes": _phrase("modes_a" if modes <= {"A"} else "modes_mixed", language),
    })], language)  # fmt: skip
    used = _measured([result.model]) + _missing(result) + _weighted(settings)
    used += [("plsc", {})] if result.estimator == "plsc" else []
    used += _higher_order(result.model)
    if settings.get("ordered"):
        used.append(("ordered_consistent" if result.estimator == "plsc" else "ordered", {}))
    used += [] if settings["converged"] else [("not_converged", settings)]
    used.append(("index", {}))
    if settings["draws"]:
        used.append((f"bootstrap_{settings['interval']}", _resampling(result, language)))
        used += _lost(result.draws)
    used += [("measurement", {}), ("effect_size", {})]
    used += [("exact_fit", settings)] if len(named(result, "exact_fit")) else []
    used += [("prediction", settings)] if settings["folds"] else []
    used += [("priorities", {})] if len(result.importance_performance) else []
    return pd.concat([_citing(opening, [model]), _table(used, language)])


def _covariance(result: SatisfactionResult, language: str, too: bool = False) -> pd.DataFrame:
    """Sentences of one covariance result; shorter beside PLS."""
    settings, model = result.settings, _model(result.model, language)
    least = bool(settings.get("ordered")) or settings["standard_errors"] in LEAST_SQUARES
    kind = "covariance" + "_ordered" * least + "_too" * too
    opening = _table([(kind, {
        **_size(result), "model": model["sentence"].iloc[0],
    })], language)  # fmt: skip
    gaps = settings["missing"] == "em" and bool(result.audit["missing"].sum())
    used = _measured([result.model]) + ([] if too and not gaps else _missing(result))
    if settings["starts_agreeing"] < settings["starts"]:
        used.append(("starts", {**settings, "agreeing": settings["starts_agreeing"]}))
    errors = "fiml" if gaps else settings["standard_errors"]
    used += [("second_order_factor", {})] if result.model.parents else []
    used += [(f"errors_{errors}", {}), ("index_covariance", {})]
    if not too:
        used += [("measurement_covariance", {}), ("effect_size", {})]
        used += [("priorities", {})] if len(result.importance_performance) else []
    return pd.concat([_citing(opening, [model]), _table(used, language)])


def _higher_order(model: Model) -> Used:
    """How constructs of constructs were estimated by PLS."""
    return [(f"higher_order_{model.parents[0].stages}", {})] if model.parents else []


def _size(result: SatisfactionResult) -> dict[str, int]:
    rows = int(result.settings["rows"])
    return {
        "rows": rows,
        "total": rows + _left(result.left_out),
        "constructs": len(result.model.constructs),
        "items": len(result.model.items),
    }


def _missing(result: SatisfactionResult) -> Used:
    settings = {"minimum_share": 0.0, **result.settings, **_size(result)}
    by_likelihood = result.estimator == "covariance" and settings["missing"] == "em"
    rule = "fiml" if by_likelihood else settings["missing"]
    return _missing_rule(rule, result.audit, result.left_out, settings)


def _missing_rule(
    rule: str, audit: pd.DataFrame, left_out: pd.DataFrame, settings: Mapping[str, Any]
) -> Used:
    """The rule for missing answers, with how many there were."""
    gaps = int(audit["missing"].sum())
    left = _left(left_out[left_out["reason"] != NO_WEIGHT]) if len(left_out) else 0
    if not gaps and not left:
        return [("missing_none", {})]
    facts = {"left": left, "gaps": gaps, "total": settings["total"],
             "share": settings["minimum_share"]}  # fmt: skip
    return [(f"missing_{rule}", facts)]


def _measured(models: Sequence[Model]) -> Used:
    """Where the survey is not the one that a model was made for."""
    used: Used = [("adapted", {})] if any(model.adapted for model in models) else []
    return used + ([("dropped", {})] if any(model.dropped for model in models) else [])


def _weighted(settings: Mapping[str, Any]) -> Used:
    known = {"effective": settings["effective_sample_size"]}
    return [("weighted", known)] if settings["weighted"] else []


def _resampling(result: SatisfactionResult, language: str) -> dict[str, Any]:
    settings = result.settings
    kind = "clusters" if settings["clustered"] else "respondents"
    kind += "_strata" * bool(settings["stratified"])
    return {**settings, "units": _phrase(kind, language)}


def _lost(draws: pd.DataFrame) -> Used:
    counts = draws[["failed", "inadmissible"]].sum()
    return [("draws_lost", counts.to_dict())] if counts.any() else []


def _left(left_out: pd.DataFrame) -> int:
    return int(left_out["count"].sum()) if len(left_out) else 0


def _model(model: Model, language: str) -> pd.DataFrame:
    """A model as the subject of a sentence, with the work it comes from."""
    if model.name in available_models():
        return _table([(f"model_{model.name}", {})], language)
    title = model.title.get(language, model.title["en"])
    return _table([("model_own", {"title": title})], language)


def _adjustment(rule: str, language: str) -> pd.DataFrame:
    """What was done about many comparisons, with the rule's source."""
    if rule == "none":
        return _table([("adjusted_none", {})], language)
    found = _table([(f"adjusted_{rule}", {})], language)
    return _citing(_table([("adjusted", {"rule": found["sentence"].iloc[0]})], language), [found])


def _citing(told: pd.DataFrame, phrases: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """A sentence with the references of the phrases that fill it."""
    keys = " ".join([*told["references"], *(p["references"].iloc[0] for p in phrases)]).split()
    return told.assign(references=" ".join(dict.fromkeys(keys)))


def _phrase(name: str, language: str) -> str:
    return str(_table([(name, {})], language)["sentence"].iloc[0])


def _listed(words: Sequence[str], language: str) -> str:
    if language == "zh":
        return "、".join(words)
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _table(used: Used, language: str) -> pd.DataFrame:
    return methods_table("satisfaction", used, language)


def _told(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All sentences, each beginning with a capital."""
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(sentence=[text[0].upper() + text[1:] for text in whole["sentence"]])
