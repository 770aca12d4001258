"""Pillar 3: what a customer is worth and whether they stay, validated on a holdout.

Beside the front door (`__all__`) stand here the single steps that the notebooks call.
"""

# ruff: noqa: F401

from cvlib.inputs.subscriptions import ContractColumns, check_contracts
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.inputs.transactions_audit import audit_log
from cvlib.lifetime import economics, equity, methods, segments
from cvlib.lifetime.answers import economics_answer, lifetime_answer
from cvlib.lifetime.assumptions import assumptions
from cvlib.lifetime.contracts.answers import contracts_answer
from cvlib.lifetime.contracts.cohorts import fit_cohort, project_cohorts
from cvlib.lifetime.contracts.differing import fit_differing
from cvlib.lifetime.contracts.g2g import fit_g2g
from cvlib.lifetime.contracts.gray import gray_test
from cvlib.lifetime.contracts.incidence import cumulative_incidence
from cvlib.lifetime.contracts.late_entry import hazards_by_reason, survival_with_entry
from cvlib.lifetime.contracts.later import validate_later
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.lifetime.contracts.prepare import (
    contracts,
    prepare_subscriptions,
    read_subscriptions,
    simulated_subscriptions,
)
from cvlib.lifetime.contracts.reasons import why_contracts_end
from cvlib.lifetime.contracts.series import cohort_series, read_cohorts
from cvlib.lifetime.contracts.survival import fit_survival, mean_curves, survival
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.lifetime.contracts.validate import validate_survival
from cvlib.lifetime.contracts.worth import subscription_value
from cvlib.lifetime.covariates import calendar_covariates, purchase_covariates
from cvlib.lifetime.decisions.accounts import account_draws, key_account_sheet
from cvlib.lifetime.decisions.answers import decisions_answer, decisions_methods
from cvlib.lifetime.decisions.axes import eight_segments, spend_grades
from cvlib.lifetime.decisions.capacity import allocate_capacity
from cvlib.lifetime.decisions.claims import claims_table
from cvlib.lifetime.decisions.complaints import ComplaintRates, complaint_cost
from cvlib.lifetime.decisions.contagion import contagion_loss
from cvlib.lifetime.decisions.disclosures import disclosed_value
from cvlib.lifetime.decisions.firm import firm_value
from cvlib.lifetime.decisions.network import network_value
from cvlib.lifetime.decisions.potential import current_and_potential
from cvlib.lifetime.decisions.simulate import simulate_decisions
from cvlib.lifetime.decisions.spending import prospect_spending
from cvlib.lifetime.decisions.states import purchase_periods, relation_states
from cvlib.lifetime.decisions.study import accounts_of, hwang_of, segments_of
from cvlib.lifetime.decisions.winback import win_back
from cvlib.lifetime.equity_models import equity_by_model, expected_time
from cvlib.lifetime.holdout.baselines import rival_forecasts
from cvlib.lifetime.holdout.churn_definitions import churn_definitions
from cvlib.lifetime.holdout.contact import customer_list
from cvlib.lifetime.holdout.experiment import campaign_experiment
from cvlib.lifetime.holdout.metrics import definitions
from cvlib.lifetime.holdout.newcomers import future_customers
from cvlib.lifetime.holdout.next_period import next_period
from cvlib.lifetime.holdout.retention import retention_campaign
from cvlib.lifetime.holdout.rhythm import buying_rhythm
from cvlib.lifetime.holdout.season import seasonal_test
from cvlib.lifetime.holdout.stacking import stacking_weights
from cvlib.lifetime.holdout.tracking import (
    count_fit,
    rolling_origins,
    tracking_errors,
    tracking_table,
)
from cvlib.lifetime.holdout.validate import fitted_forecasts, model_forecasts, validate
from cvlib.lifetime.holdout.worth import validate_value
from cvlib.lifetime.methods import holdout_methods, purchase_methods, subscription_methods
from cvlib.lifetime.models import bg_bb, bg_nbd, ggom_nbd, mbg_nbd, nbd, pareto_nbd, spend
from cvlib.lifetime.purchases.cohorts import purchase_cohorts
from cvlib.lifetime.purchases.dates import study_dates
from cvlib.lifetime.purchases.quantities import quantity_log
from cvlib.lifetime.purchases.summary import purchases, summarise_purchases
from cvlib.lifetime.repeat_buying.fit import fit_repeat_buying
from cvlib.lifetime.repeat_buying.regular import fit_regular, regularity
from cvlib.lifetime.repeat_buying.time_varying import fit_time_varying
from cvlib.lifetime.repeat_buying.trait import discounted_purchases, fit_trait
from cvlib.lifetime.segment_study import segment_worth, value_segments
from cvlib.lifetime.spend import fit_spend
from cvlib.lifetime.value import lifetime_value
from cvlib.statistics.campaign import Campaign, expected_profit, maximum_profit
from cvlib.statistics.disclosure import listed, pseudonym_note, pseudonyms, renamed
from cvlib.statistics.resample import Bootstrap
from cvlib.statistics.uplift import qini, uplift_at

__all__ = [
    "Bootstrap",
    "Campaign",
    "ComplaintRates",
    "ContractColumns",
    "ContractTerms",
    "LogRules",
    "account_draws",
    "allocate_capacity",
    "audit_log",
    "bg_bb",
    "bg_nbd",
    "buying_rhythm",
    "calendar_covariates",
    "campaign_experiment",
    "check_contracts",
    "churn_definitions",
    "claims_table",
    "cohort_series",
    "complaint_cost",
    "contagion_loss",
    "contracts",
    "contracts_answer",
    "count_fit",
    "cumulative_incidence",
    "current_and_potential",
    "customer_list",
    "decisions_answer",
    "definitions",
    "disclosed_value",
    "discounted_purchases",
    "economics_answer",
    "eight_segments",
    "equity_by_model",
    "expected_profit",
    "expected_time",
    "firm_value",
    "fit_cohort",
    "fit_differing",
    "fit_g2g",
    "fit_leaving",
    "fit_regular",
    "fit_repeat_buying",
    "fit_spend",
    "fit_survival",
    "fit_time_varying",
    "fit_trait",
    "fitted_forecasts",
    "future_customers",
    "ggom_nbd",
    "gray_test",
    "hazards_by_reason",
    "holdout_methods",
    "key_account_sheet",
    "lifetime_answer",
    "lifetime_value",
    "maximum_profit",
    "mbg_nbd",
    "mean_curves",
    "model_forecasts",
    "nbd",
    "network_value",
    "next_period",
    "pareto_nbd",
    "prepare_subscriptions",
    "project_cohorts",
    "prospect_spending",
    "pseudonym_note",
    "purchase_cohorts",
    "purchase_covariates",
    "purchase_methods",
    "purchases",
    "qini",
    "read_cohorts",
    "read_subscriptions",
    "regularity",
    "relation_states",
    "retention_campaign",
    "rival_forecasts",
    "rolling_origins",
    "seasonal_test",
    "simulate_decisions",
    "simulated_subscriptions",
    "spend",
    "spend_grades",
    "stacking_weights",
    "study_dates",
    "subscription_methods",
    "subscription_value",
    "summarise_purchases",
    "survival",
    "survival_with_entry",
    "tracking_errors",
    "tracking_table",
    "transaction_log",
    "uplift_at",
    "validate",
    "validate_later",
    "validate_survival",
    "validate_value",
    "why_contracts_end",
    "win_back",
]
