"""Pillar 3: what a customer is worth and whether they stay, validated on a holdout."""

from cvlib.inputs.subscriptions import ContractColumns, check_contracts
from cvlib.inputs.transactions import LogRules, transaction_log
from cvlib.inputs.transactions_audit import audit_log
from cvlib.lifetime.contracts.cohorts import (
    cohort_series,
    fit_cohort,
    project_cohorts,
    read_cohorts,
)
from cvlib.lifetime.contracts.incidence import cumulative_incidence
from cvlib.lifetime.contracts.prepare import (
    contracts,
    prepare_subscriptions,
    read_subscriptions,
    simulated_subscriptions,
)
from cvlib.lifetime.contracts.survival import fit_survival, mean_curves, subscription_value
from cvlib.lifetime.contracts.terms import ContractTerms
from cvlib.lifetime.contracts.validate import validate_survival
from cvlib.lifetime.methods import subscription_methods
from cvlib.lifetime.purchases.dates import study_dates
from cvlib.lifetime.purchases.summary import purchases, summarise_purchases
from cvlib.statistics.resample import Bootstrap

__all__ = [
    "Bootstrap",
    "ContractColumns",
    "ContractTerms",
    "LogRules",
    "audit_log",
    "check_contracts",
    "cohort_series",
    "contracts",
    "cumulative_incidence",
    "fit_cohort",
    "fit_survival",
    "mean_curves",
    "prepare_subscriptions",
    "project_cohorts",
    "purchases",
    "read_cohorts",
    "read_subscriptions",
    "simulated_subscriptions",
    "study_dates",
    "subscription_methods",
    "subscription_value",
    "summarise_purchases",
    "transaction_log",
    "validate_survival",
]
