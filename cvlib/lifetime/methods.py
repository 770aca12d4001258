"""What a study of lifetime value did, in the sentences of a methods section."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.readers import Table
from cvlib.lifetime.contracts.cohorts import CohortProjection
from cvlib.lifetime.contracts.prepare import Subscriptions
from cvlib.lifetime.contracts.survival import SURVIVAL_MODELS, SurvivalFits
from cvlib.lifetime.contracts.validate import SurvivalValidation
from cvlib.lifetime.contracts.worth import SubscriptionValue
from cvlib.lifetime.economics import Payback, RetentionGain, SpendingSplit
from cvlib.lifetime.holdout.retention import RetentionCampaign
from cvlib.lifetime.holdout.tracking import RollingOrigins
from cvlib.lifetime.holdout.validate import Validation
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import MODELS, RepeatBuyingFit
from cvlib.lifetime.segments import SevenSegments
from cvlib.lifetime.spend import SpendFit
from cvlib.lifetime.units import DAYS
from cvlib.lifetime.value import LifetimeValue
from cvlib.words.methods import methods_table

_Used = list[tuple[str, dict[str, Any]]]
_LEFT_OUT = {
    "negative amount, dropped by the rule": "negative_dropped",
    "net of the day negative": "negative_days",
    "net of the day zero": "zero_days",
    "no purchase left": "never_bought",
    "inputs.filtered": "rows_filtered",
    "inputs.no_customer": "guests_dropped",
    "inputs.return_matched": "returns_matched",
    "inputs.return_netted": "returns_netted",
    "inputs.return_unmatched": "returns_unmatched",
}
_COHORT = ("sbg", "bdw", "geometric")


def _told(used: _Used, language: str) -> pd.DataFrame:
    return methods_table("lifetime", used, language)


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


def _values(table: pd.DataFrame, name: str = "measure") -> dict[str, Any]:
    return dict(zip(table[name], table["value"], strict=True))


def purchase_methods(
    summary: PurchaseSummary,
    fit: RepeatBuyingFit,
    spend: SpendFit,
    value: LifetimeValue,
    *,
    language: str = "en",
) -> pd.DataFrame:
    """How purchases and spend were modelled and valued.

    Parameters
    ----------
    summary, fit, spend, value : PurchaseSummary, RepeatBuyingFit, SpendFit, LifetimeValue
        The log in brief, the model of repeat buying, that of spend, and the values.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software, as `cvlib.words.methods.methods_table` gives them.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> model, money = cv.lifetime.bg_nbd(p), cv.lifetime.spend(p)
    >>> worth = cv.lifetime.lifetime_value(model.fit, money, p.customers, annual_rate=0.1)
    >>> cv.lifetime.purchase_methods(p, model.fit, money, worth).columns.tolist()
    ['method', 'sentence', 'references', 'software']
    """
    facts = _values(summary.facts)
    days = {key: facts[key] for key in ("first_day", "calibration_end")}
    used: _Used = [
        (
            f"history_{summary.log.rules.free_orders}",
            {"customers": f"{facts['customers']:,}"} | days,
        )
    ]
    counts: dict[str, int] = {}
    for reason, count in zip(summary.left_out["reason"], summary.left_out["count"], strict=True):
        known = getattr(reason, "id", reason)
        counts[known] = counts.get(known, 0) + int(count)
    for reason, method in _LEFT_OUT.items():
        if counts.get(reason):
            used.append((method, {"count": f"{counts[reason]:,}"}))
    climb = _values(fit.fit)
    how = {"starts": f"{climb['starts']:.0f}", "level": _percent(fit.level)}
    used.append((fit.model, how))
    if "not converged" in set(fit.diagnosis["verdict"]):
        used.append(("not_converged", {}))
    collapsed = "collapses on the Pareto/NBD" in set(fit.diagnosis["verdict"])
    if collapsed:
        used.append(("collapsed", {}))
    loose = fit.parameters[np.isinf(fit.parameters["std_error"].astype(float))]["parameter"]
    if set(loose) - ({"b", "beta"} if collapsed else set()):
        used.append(("ridge", {}))
    if spend.reason is not None:
        return _told(used, language)
    spent = _values(spend.fit)
    used.append(("gamma_gamma", {"customers": f"{spent['n_customers']:,.0f}"}))
    if len(spend.independence):
        used.append(("independence", {}))
    if value.reason is not None:
        return _told(used, language)
    assumed = _values(value.value)
    worth = {"margin": _percent(assumed["margin"]), "rate": _percent(assumed["annual_rate"])}
    if np.isnan(assumed["horizon"]):
        used.append(("value", worth))
    else:
        used.append(("value_horizon", worth | {"horizon": f"{assumed['horizon']:g}"}))
    return _told(used, language)


def holdout_methods(
    summary: PurchaseSummary,
    found: Validation,
    rolled: RollingOrigins | None = None,
    *,
    campaign: RetentionCampaign | None = None,
    language: str = "en",
) -> pd.DataFrame:
    """How forecasts were judged on a holdout.

    Parameters
    ----------
    summary, found, rolled : PurchaseSummary, Validation, RollingOrigins or None
        The split, the comparison, and the same at other cuts.
    campaign : RetentionCampaign, optional
        Where one was judged.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> own = cv.lifetime.model_forecasts(cv.lifetime.bg_nbd(p).fit, p)
    >>> found = cv.lifetime.validate(p.customers, own, cv.lifetime.Bootstrap(draws=0))
    >>> cv.lifetime.holdout_methods(p, found).columns.tolist()
    ['method', 'sentence', 'references', 'software']
    """
    facts, length = _values(summary.facts), round(summary.holdout * DAYS[summary.unit])
    used: _Used = [("holdout", {"days": length, "holdout_end": facts["holdout_end"]})]
    late = summary.left_out.set_index("reason")["count"]["joined after the cut"]
    if late:
        used.append(("late_joiners", {"count": f"{late:,}"}))
    models = list(found.validation["model"].unique())
    beside = sorted(m for m in models[1:] if m in MODELS and m not in ("nbd", "ggom_nbd"))
    if beside:
        used.append(("_".join(["beside", *beside]), {}))
    if "ggom_nbd" in models[1:]:
        used.append(("beside_ggom_nbd", {}))
    if "recency" in models:
        used.append(("rivals", {}))
    used.append(("churn_score", {}))
    settings = found.bootstrap
    if settings.draws:
        facts = {"draws": settings.draws, "seed": settings.seed}
        how = "influence" if found.intervals == "influence" else "bootstrap"
        used.append((how, {"level": _percent(settings.level)} | facts))
    if rolled is not None and len(rolled.table):
        dates = rolled.table[["calibration_end", "holdout_end"]].drop_duplicates()
        first, last = dates["calibration_end"].min(), dates["calibration_end"].max()
        ahead = pd.to_datetime(dates["holdout_end"]) - pd.to_datetime(dates["calibration_end"])
        facts = {"cuts": len(dates), "first": first, "last": last, "days": ahead.dt.days.iloc[0]}
        used.append(("rolling" if len(dates) > 1 else "rolling_once", facts))
    if campaign is not None and campaign.reason is None:
        terms = campaign.campaign
        facts = {"response": _percent(terms.response), "contact": f"{terms.contact:g}"}
        used.append(("campaign", facts | {"incentive": f"{terms.incentive:g}"}))
    return _told(used, language)


def subscription_methods(
    projected: CohortProjection,
    table: Table,
    contracts: Subscriptions,
    fits: SurvivalFits,
    judged: SurvivalValidation,
    value: SubscriptionValue,
    *,
    language: str = "en",
) -> pd.DataFrame:
    """How cohorts and single contracts were modelled, judged and valued.

    Parameters
    ----------
    projected : CohortProjection
        The cohorts.
    table, contracts, fits, judged, value : from `contracts`, `survival`, `validate_survival` and on
        The contracts as read and as analysed, their models, what the models are worth on customers
        held out, and the value of a contract.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    DataFrame
        method, sentence, references, software.

    Examples
    --------
    >>> import cvlib as cv
    >>> table = cv.load(cv.lifetime.simulated_subscriptions(300, seed=1))
    >>> kept = cv.lifetime.contracts(table)
    >>> fits = cv.lifetime.fit_survival(kept.data, ["sbg"])
    >>> judged = cv.lifetime.validate_survival(kept.data, ["kaplan_meier", "sbg"],
    ...                                       bootstrap=cv.lifetime.Bootstrap(draws=0))
    >>> worth = cv.lifetime.subscription_value(fits, kept.data, cv.lifetime.ContractTerms())
    >>> cohorts = cv.lifetime.project_cohorts(cv.lifetime.read_cohorts())
    >>> cv.lifetime.subscription_methods(cohorts, table, kept, fits, judged, worth).columns.tolist()
    ['method', 'sentence', 'references', 'software']
    """
    used: _Used = []
    if len(projected.projection):
        sample = projected.projection.drop_duplicates(["cohort", "period"]).groupby("sample").size()
        cohorts = projected.projection["cohort"].nunique()
        periods = {name: int(sample.get(name, 0) // cohorts) for name in ("fitted", "projected")}
        seen = {"fitted": periods["fitted"], "later": periods["projected"]}
        used.append(("cohorts", {"cohorts": cohorts} | seen))
        used += _sentences(_COHORT, projected.parameters["model"])
        used.append(("residual_lifetime", {"rate": _percent(projected.discount_rate)}))
    facts = _values(contracts.facts)
    counted = {"customers": f"{facts['customers']:,.0f}", "ended": f"{facts['left']:,.0f}"}
    used.append(("contracts", counted))
    notes = {getattr(text, "id", "") for text in table.warnings}
    if "lifetime.contracts_simulated" in notes:
        used.append(("contracts_simulated", {}))
    young, incomplete = (int(count) for count in contracts.left_out["count"])
    if young or incomplete:
        used.append(("contracts_left_out", {"young": young, "incomplete": incomplete}))
    used += _sentences(SURVIVAL_MODELS, fits.curves)
    if contracts.reason is not None:
        used.append(("incidence_by_reason", {}))
    settings = judged.bootstrap
    if judged.fits is not None:
        split = {"fitted": judged.fitted, "held_out": judged.held_out}
        counts = {name: f"{count:,}" for name, count in split.items()}
        used.append(("held_out", counts | {"seed": settings.seed}))
        used.append(("held_out_value", {"periods": judged.valued_until}))
        if settings.draws:
            drawn = {"level": _percent(settings.level), "draws": settings.draws}
            used.append(("held_out_bootstrap", drawn))
    terms = value.terms
    worth = {"margin": f"{terms.margin:g}", "rate": _percent(terms.annual_rate)}
    worth |= {"horizon": f"{terms.horizon:,}", "per_year": f"{terms.periods_per_year:g}"}
    used.append((f"contract_value_{terms.payment}", worth))
    return _told(used, language)


def _sentences(models: Iterable[str], present: Iterable[str]) -> _Used:
    known = set(present)
    return [(model, {}) for model in models if model in known]


def segment_methods(
    now: SevenSegments | None,
    earlier: SevenSegments | None = None,
    *,
    bins: int,
    language: str = "en",
) -> pd.DataFrame:
    """How customers were scored, ranked and segmented.

    Parameters
    ----------
    now, earlier
        Segments at the two dates; None for a log without money, and without movement.
    bins : int
        Groups of each score.
    language : {"en", "zh"}
        Of the sentences.
    """
    if now is None:
        return _told([("scores_of_two", {"bins": bins})], language)
    borders: dict[str, Any] = {k: _percent(now.borders[k]) for k in ("top", "high", "medium")}
    borders["inactive_days"] = f"{now.borders['inactive_days']:g}"
    used: _Used = [("scores", {"bins": bins}), ("tiers", {}), ("seven_segments", borders)]
    if earlier is not None:
        used.append(("movement", {"before": earlier.at, "at": now.at}))
    return _told(used, language)


def economics_methods(
    *,
    equity: pd.DataFrame | None = None,
    gain: RetentionGain | None = None,
    split: SpendingSplit | None = None,
    earned: Payback | None = None,
    promoters: pd.DataFrame | None = None,
    referrals: str = "",
    opportunities: pd.DataFrame | None = None,
    language: str = "en",
) -> pd.DataFrame:
    """How customer equity, retention, spend and recommendation were reckoned; what was not, is not.

    Parameters
    ----------
    equity, gain, split, earned, promoters, opportunities
        Results of `equity.customer_equity`, `economics.retention_gain`, `spending_split`,
        `payback`, `equity.net_promoter_score` and `equity.opportunity_scores`.
    referrals : str
        Where the log of referrals comes from, "simulated" or a file; empty = none was used.
    language : {"en", "zh"}
        Of the sentences.
    """
    used: _Used = [("equity", {})] if equity is not None else []
    if gain is not None:
        rates, curve = gain.curve["discount_rate"], gain.curve
        points = 100 * (curve["retention_after"] - curve["retention"]).iloc[0]
        reach = {"low": _percent(rates.min()), "high": _percent(rates.max())}
        used.append(("retention_gain", reach | {"points": f"{points:.6g}"}))
    if split is not None:
        used.append(("spending_split", {}))
    if earned is not None:
        first = earned.flows.iloc[0]
        plain = (earned.flows["profit"] == earned.flows["discounted_profit"]).all()
        cost = f"{first['discounted_profit'] - first['cumulative']:.6g}"
        used.append(("payback" if plain else "payback_discounted", {"cost": cost}))
    if promoters is not None:
        used.append(("net_promoter_score", {"n": f"{int(promoters['n'].iloc[0]):,}"}))
    if referrals:
        simulated = "_simulated" if referrals == "simulated" else ""
        used.append((f"referral_value{simulated}", {}))
    if opportunities is not None:
        used.append(("opportunities", {"needs": len(opportunities)}))
    return _told(used, language)
