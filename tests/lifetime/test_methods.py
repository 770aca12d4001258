"""The sentences of the methods section say what the results did, in both languages."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cvlib.inputs.subscriptions import check_contracts
from cvlib.inputs.transactions import LogRules
from cvlib.lifetime import economics, equity, methods, segments
from cvlib.lifetime.contracts import cohorts as subscription
from cvlib.lifetime.contracts import prepare, series, survival, worth
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.lifetime.contracts.validate import validate_survival
from cvlib.lifetime.holdout import tracking
from cvlib.lifetime.holdout import validate as validation
from cvlib.lifetime.holdout.retention import RetentionCampaign
from cvlib.lifetime.purchases.summary import summarise_purchases
from cvlib.lifetime.repeat_buying import FAMILIES, fit_repeat_buying
from cvlib.lifetime.value import lifetime_value
from cvlib.statistics.campaign import Campaign
from cvlib.statistics.resample import Bootstrap
from cvlib.words.literature import apa, bibliography

ROOT = Path(__file__).parents[2]
WORDINGS = yaml.safe_load((ROOT / "cvlib/words/methods_of/lifetime.yaml").read_text("utf-8"))
BOTH = pytest.mark.parametrize("language", ["en", "zh"])
YEAR = re.compile(r"(?<!\d)((?:18|19|20)\d\d[ab]?)(?!\d)")


def told(table):
    """Sentences by method, none with an open slot, all that they cite in the bibliography."""
    assert not table["sentence"].str.contains(r"[{}]|nan").any()
    for keys in table["references"]:
        assert all(apa(key) for key in keys.split())
    return table.set_index("method")["sentence"].to_dict()


def holds(sentence, *facts):
    """Every fact stands in the sentence as a number or word of its own."""
    return all(re.search(rf"(?<![\d.,-]){re.escape(str(f))}(?![\d-])", sentence) for f in facts)


@pytest.fixture(scope="module")
def value(fit, spend, summary):
    return lifetime_value(fit, spend, summary.customers, annual_rate=0.15, margin=0.325)


@pytest.fixture(scope="module")
def contracts():
    raw = prepare.simulated_subscriptions(600, seed=3)
    raw.loc[np.flatnonzero(raw["Churn"] == "No")[:2], "tenure"] = 0
    raw.loc[3, "MonthlyCharges"] = np.nan
    return prepare.prepare_subscriptions(check_contracts(raw), ["Contract", "MonthlyCharges"])


# every sentence of the file


@pytest.mark.parametrize("method", WORDINGS)
def test_a_sentence_names_the_works_it_cites_and_no_other(method):
    entry = WORDINGS[method]
    works = [bibliography()[key] for key in entry.get("references", [])]
    for language in ("en", "zh"):
        sentence = entry[language]
        for work in works:
            person = work.persons["author"][0]
            surname = " ".join([*person.prelast_names, *person.last_names])
            assert surname in sentence, (method, language, surname)
        years = sorted(str(work.fields["year"]) for work in works)
        assert sorted(YEAR.findall(re.sub(r"\{\w+\}", "", sentence))) == years, (method, language)


@pytest.mark.parametrize("method", WORDINGS)
def test_languages_agree_in_slots_and_end_their_sentences(method):
    english, chinese = WORDINGS[method]["en"], WORDINGS[method]["zh"]
    assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", chinese))
    assert english.endswith(".") and chinese.endswith("。")
    assert not re.search("[\u4e00-\u9fff]", english) and re.search("[\u4e00-\u9fff]", chinese)


def test_every_work_of_the_pillar_is_cited():
    from pybtex.database import parse_file

    own = parse_file(str(ROOT / "cvlib/words/references/lifetime.bib"), encoding="utf-8").entries
    cited = {key for entry in WORDINGS.values() for key in entry.get("references", [])}
    assert set(own) <= cited


# purchases


@BOTH
def test_purchases_tell_dates_counts_and_assumptions(summary, fit, spend, value, language):
    said = told(methods.purchase_methods(summary, fit, spend, value, language=language))
    assert list(said) == [
        "history_count", "bg_nbd", "gamma_gamma", "independence", "value",
    ]  # fmt: skip
    assert holds(said["history_count"], "2,357", "1997-01-01", "1997-09-30")
    assert holds(said["gamma_gamma"], 946)
    starts = fit.fit.set_index("measure")["value"]["starts"]
    assert holds(said["bg_nbd"], f"{starts:.0f}", "95%")
    assert holds(said["value"], "32.5%", "15%")


def test_rules_of_the_log_change_its_sentences(log, spend):
    odd = pd.concat(
        [
            log,
            pd.DataFrame(
                {
                    "customer_id": [1, 2, 90001, 90002],
                    "date": pd.to_datetime(
                        ["1997-03-01", "1997-03-02", "1997-03-03", "1997-04-01"]
                    ),
                    "amount": [-5.0, 0.0, -7.0, -1.0],
                }
            ),
        ]
    )
    seen = {}
    for returns, free in (("net", "exclude"), ("ignore", "count")):
        summary = summarise_purchases(
            odd, calibration_end="1997-09-30", rules=LogRules(returns=returns, free_orders=free)
        )
        fit = fit_repeat_buying(summary, "bg_nbd", level=0.9)
        value = lifetime_value(
            fit, spend, summary.customers, annual_rate=0.1, margin=0.3, horizon=26
        )
        seen[returns] = told(methods.purchase_methods(summary, fit, spend, value))
        gone = summary.left_out.set_index("reason")["count"]
        if returns == "net":
            assert f"({gone['net of the day negative']})" in seen["net"]["negative_days"]
            assert f"({gone['net of the day zero']})" in seen["net"]["zero_days"]
            assert f"({gone['no purchase left']})" in seen["net"]["never_bought"]
    assert "excluded" in seen["net"]["history_exclude"]
    assert "(3)" in seen["ignore"]["negative_dropped"]
    assert "negative_days" not in seen["ignore"] and "negative_dropped" not in seen["net"]
    assert "26 periods" in seen["net"]["value_horizon"] and "value" not in seen["net"]
    assert "90%" in seen["net"]["bg_nbd"]


def test_matched_returns_filters_and_guests_are_told(log, fit, spend, value):
    odd = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 1, None, 2],
            "date": pd.to_datetime(["1997-02-01"] * 2 + ["1997-02-03"] * 2 + ["1997-02-01"] * 2),
            "amount": [777.0, 50.0, -777.0, -20.0, 3.0, 1e6],
        }
    )
    rules = LogRules(missing_customer="drop", where=[["amount", "<", 1e5]])
    summary = summarise_purchases(pd.concat([log, odd]), calibration_end="1997-09-30", rules=rules)
    said = told(methods.purchase_methods(summary, fit, spend, value))
    for method in ("returns_matched", "returns_netted", "rows_filtered", "guests_dropped"):
        assert holds(said[method], "(1)"), method
    assert "returns_unmatched" not in said
    reasons = [getattr(reason, "id", "") for reason in summary.left_out["reason"]]
    assert "inputs.return_matched" in reasons  # other languages can word it


def test_every_model_has_a_sentence_and_faults_are_told(log, summary, fit, spend, value):
    for model in FAMILIES:
        said = told(methods.purchase_methods(summary, replace(fit, model=model), spend, value))
        assert model in said
    stuck = fit.diagnosis.replace("converged", "not converged")
    loose = fit.parameters.assign(std_error=np.inf)
    broken = replace(fit, diagnosis=stuck, parameters=loose)
    constant = replace(spend, independence=spend.independence.iloc[:0])
    paid = LogRules(free_orders="refuse", where=[["amount", ">", 0]])
    refused = summarise_purchases(log, calibration_end="1997-09-30", rules=paid)
    said = told(methods.purchase_methods(refused, broken, constant, value))
    assert {"not_converged", "ridge", "history_refuse"} <= set(said)
    assert "independence" not in said
    left_out = replace(value, value=value.value.iloc[:0], reason="the log covers 3 days")
    told_of = told(methods.purchase_methods(summary, fit, spend, left_out))
    assert "gamma_gamma" in told_of and not {"value", "value_horizon"} & set(told_of)


# the holdout


@BOTH
def test_holdout_tells_draws_seed_rivals_and_cuts(log, summary, result, language):
    rolled = tracking.rolling_origins(log, origins=["1997-06-30", "1997-12-31"], holdout_days=181)
    campaign = RetentionCampaign(*[pd.DataFrame()] * 4, Campaign(response=0.25))
    more = {"campaign": campaign, "language": language}
    said = told(methods.holdout_methods(summary, result, rolled, **more))
    assert list(said) == [
        "holdout", "beside_mbg_nbd_pareto_nbd", "rivals", "churn_score", "bootstrap",
        "rolling", "campaign",
    ]  # fmt: skip
    assert holds(said["holdout"], 273, "1998-06-30")
    assert holds(said["bootstrap"], 200, "95%", result.bootstrap.seed)
    quick = told(methods.holdout_methods(summary, replace(result, intervals="influence")))
    assert "influence" in quick and "bootstrap" not in quick
    assert holds(said["campaign"], "25%", 10)
    assert holds(said["rolling"], 2, "1997-06-30", "1997-12-31", 181)
    once = tracking.rolling_origins(log, origins=["1997-06-30"], holdout_days=91)
    said = told(methods.holdout_methods(summary, result, once, language=language))
    assert holds(said["rolling_once"], "1997-06-30", 91) and "campaign" not in said


def test_without_draws_rivals_or_cuts_nothing_is_said_of_them(log, summary, fit):
    forecasts = validation.model_forecasts(fit, summary)
    found = validation.validate(summary.customers, forecasts, Bootstrap(draws=0))
    said = told(methods.holdout_methods(summary, found))
    assert list(said) == ["holdout", "churn_score"]
    early = summarise_purchases(log, calibration_end="1997-02-15", holdout_end="1997-09-30")
    late = early.left_out.set_index("reason")["count"]["joined after the cut"]
    assert late > 0
    assert f"({late:,})" in told(methods.holdout_methods(early, found))["late_joiners"]


# subscriptions


@BOTH
def test_subscriptions_tell_models_counts_and_assumptions(contracts, language):
    models = ["kaplan_meier", "cox", "sbg"]
    projected = subscription.project_cohorts(series.read_cohorts(), 7, discount_rate=0.12)
    table = prepare.read_subscriptions("simulated", 50, 1)
    fits = survival.fit_survival(contracts.data, models)
    settings = Bootstrap(5, 7, 0.9)
    judged = validate_survival(contracts.data, models, horizons=[12], bootstrap=settings)
    terms = ContractTerms(20, 0.1, payment="end", horizon=240)
    value = worth.subscription_value(fits, contracts.data, terms)
    everything = (projected, table, contracts, fits, judged, value)
    said = told(methods.subscription_methods(*everything, language=language))
    # a model of cohorts and of contracts is told once: its two sentences are the same
    assert list(said) == [
        "cohorts", "sbg", "bdw", "geometric", "residual_lifetime", "contracts",
        "contracts_simulated", "contracts_left_out", "kaplan_meier", "cox", "held_out",
        "held_out_value", "held_out_bootstrap", "contract_value_end",
    ]  # fmt: skip
    assert holds(said["cohorts"], 7, 2, 5)
    assert holds(said["residual_lifetime"], "12%")
    assert holds(said["contracts"], 597, f"{contracts.data['event'].sum():.0f}")
    assert holds(said["contracts_left_out"], 2, 1)
    assert holds(said["held_out"], 418, 179, 7)
    assert holds(said["held_out_value"], judged.valued_until)
    assert holds(said["held_out_bootstrap"], 5, "90%")
    assert holds(said["contract_value_end"], 20, 240, 12, "10%")

    plain = replace(table, warnings=())
    clean = replace(contracts, left_out=contracts.left_out.assign(count=0))
    begin = replace(value, terms=replace(terms, payment="begin"))
    undrawn = replace(judged, bootstrap=replace(settings, draws=0))
    other = methods.subscription_methods(
        projected, plain, clean, fits, undrawn, begin, language=language
    )
    said = set(told(other))
    assert not said & {"contracts_simulated", "contracts_left_out", "held_out_bootstrap"}
    assert "contract_value_begin" in said


def test_each_survival_model_is_told_when_it_was_fitted(contracts):
    fits = survival.fit_survival(contracts.data, ["weibull_aft", "logit"])
    found = methods._sentences(survival.SURVIVAL_MODELS, fits.curves)
    assert [name for name, _ in found] == ["weibull_aft", "logit"]


# segments and economics


@BOTH
def test_segments_tell_their_borders_and_dates(log, language):
    now = segments.seven_segments(log, "1998-06-30", top=0.125, inactive_days=90)
    earlier = segments.seven_segments(log, "1997-12-31")
    said = told(methods.segment_methods(now, earlier, bins=4, language=language))
    assert holds(said["scores"], 4)
    assert holds(said["seven_segments"], "12.5%", "30%", "70%", 90)
    assert holds(said["movement"], "1997-12-31", "1998-06-30")
    assert "movement" not in told(methods.segment_methods(now, bins=5))


@BOTH
def test_economics_tell_what_was_reckoned(language):
    gain = economics.retention_gain([0.05, 0.125], points=0.07)
    said = told(
        methods.economics_methods(
            equity=pd.DataFrame(),
            gain=gain,
            split=economics.spending_split(50, 0.1, (5, 0.1, 0.3), (8, 0.7, 0.85)),
            earned=economics.payback(51, [30, 42, 44]),
            promoters=equity.net_promoter_score([9, 10, 3, 8]),
            referrals="simulated",
            opportunities=equity.opportunity_scores({"speed": [9, 6], "price": [5, 5]}),
            language=language,
        )
    )
    assert list(said) == [
        "equity", "retention_gain", "spending_split", "payback", "net_promoter_score",
        "referral_value_simulated", "opportunities",
    ]  # fmt: skip
    assert holds(said["retention_gain"], 7, "5%", "12.5%")
    assert holds(said["payback"], 51) and holds(said["net_promoter_score"], 4)
    assert holds(said["opportunities"], 2)


def test_economics_left_out_are_not_told():
    assert not len(methods.economics_methods())
    earned = economics.payback(51, [30, 42, 44], discount_rate=0.1)
    said = told(methods.economics_methods(earned=earned, referrals="referrals.csv"))
    assert list(said) == ["payback_discounted", "referral_value"]
    assert holds(said["payback_discounted"], 51)
