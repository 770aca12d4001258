"""Pillar 1: satisfaction-index models by PLS and by covariance SEM, on the same data.

Beside the front door (`__all__`) stand here the single steps that the notebooks call: what results
say (`sentences`, `verdicts`) and how a methods section tells what was done.
"""

# ruff: noqa: F401

from cvlib.satisfaction import sentences
from cvlib.satisfaction.answers import groups_answer, index_answer, models_answer
from cvlib.satisfaction.beyond.curve import Choices, specification_curve
from cvlib.satisfaction.beyond.further import Asked, further
from cvlib.satisfaction.beyond.methods import further_methods
from cvlib.satisfaction.compare import sentences as verdicts
from cvlib.satisfaction.compare.aggregation import aggregate, read_shares
from cvlib.satisfaction.compare.league import compare_groups as groups
from cvlib.satisfaction.compare.market_environment import compare_roles as roles
from cvlib.satisfaction.compare.models import compare_models as models
from cvlib.satisfaction.compare.results import compare
from cvlib.satisfaction.compare.waves import at_wave
from cvlib.satisfaction.compare.waves import compare_waves as waves
from cvlib.satisfaction.design.goal import Analysis, Goal
from cvlib.satisfaction.design.questionnaire import codebook
from cvlib.satisfaction.design.questionnaire import write_questionnaire as questionnaire
from cvlib.satisfaction.design.sample_size import plan_survey as plan
from cvlib.satisfaction.design.simulate import population
from cvlib.satisfaction.design.simulate import simulate_survey as simulate
from cvlib.satisfaction.estimators import Method, estimate, named
from cvlib.satisfaction.methods import comparison_methods, estimation_methods, group_methods
from cvlib.satisfaction.model.code import model
from cvlib.satisfaction.model.file import available_models, load_model
from cvlib.satisfaction.pls.estimate import estimate_pls as pls
from cvlib.satisfaction.sem.estimate import Specification
from cvlib.satisfaction.sem.estimate import estimate_covariance as sem
from cvlib.satisfaction.sem.invariance import estimate_invariance as invariance
from cvlib.satisfaction.sem.second_opinion import second_opinion
from cvlib.satisfaction.service.answers import service_answer
from cvlib.satisfaction.service.chains import means_end_chains
from cvlib.satisfaction.service.delivered import delivered_value
from cvlib.satisfaction.service.employees import employees_to_customers
from cvlib.satisfaction.service.gaps import service_gaps
from cvlib.satisfaction.service.kano import kano_classes
from cvlib.satisfaction.service.methods import service_methods
from cvlib.satisfaction.service.needs import need_opportunities
from cvlib.satisfaction.service.profiles import brand_profiles
from cvlib.satisfaction.service.simulate import simulate_service
from cvlib.satisfaction.survey.answers import open_survey
from cvlib.satisfaction.survey.settings import Assessment, Columns, Design, Missing
from cvlib.satisfaction.what_if import index_what_if
from cvlib.statistics.resample import Bootstrap

__all__ = [
    "Analysis",
    "Asked",
    "Assessment",
    "Bootstrap",
    "Choices",
    "Columns",
    "Design",
    "Goal",
    "Method",
    "Missing",
    "Specification",
    "aggregate",
    "at_wave",
    "available_models",
    "brand_profiles",
    "codebook",
    "compare",
    "delivered_value",
    "employees_to_customers",
    "estimate",
    "further",
    "groups",
    "groups_answer",
    "index_answer",
    "index_what_if",
    "invariance",
    "kano_classes",
    "load_model",
    "means_end_chains",
    "model",
    "models",
    "models_answer",
    "need_opportunities",
    "open_survey",
    "plan",
    "pls",
    "population",
    "questionnaire",
    "read_shares",
    "roles",
    "second_opinion",
    "sem",
    "service_answer", "service_gaps",
    "simulate",
    "simulate_service",
    "specification_curve",
    "waves",
]  # fmt: skip
