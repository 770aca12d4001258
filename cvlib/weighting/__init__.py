"""Pillar 2: indicator systems weighted by experts and by data, compared, combined, scored.

The door is `__all__`; the other names are single steps, which the notebooks call.
"""

# ruff: noqa: F401

from cvlib.statistics.disclosure import (
    listed,
    pseudonym_note,
    pseudonyms,
)
from cvlib.statistics.resample import Bootstrap
from cvlib.weighting.agreement import (
    agreement,
    grade_migration,
    kappa_verdict,
    kendall_w,
    methods_verdict,
    pair_to_compare,
    rank_agreement,
)
from cvlib.weighting.alternatives import (
    choose_alternative,
    local_priorities,
    rated_priorities,
    return_on_investment,
    total_cost,
)
from cvlib.weighting.answers import (
    scores_answer,
    weights_answer,
)
from cvlib.weighting.breaks import rank_sum_ratio
from cvlib.weighting.choice import Mix, choose_weights, needs_experts, weights_by_method
from cvlib.weighting.combine import combine_sources
from cvlib.weighting.credit import credit_model
from cvlib.weighting.data.objective import objective_weights
from cvlib.weighting.data.outcome import learn_from_outcome
from cvlib.weighting.data.panel import entropy_by_period, panel_rows, panel_verdict
from cvlib.weighting.door import (
    ahp,
    by_data,
    combine,
    critic,
    entropy,
    indicators,
    score,
    validity,
)
from cvlib.weighting.experts.ahp import consistency_verdict
from cvlib.weighting.experts.beside import weights_beside
from cvlib.weighting.experts.best_worst import best_worst
from cvlib.weighting.experts.files import (
    available_judgements,
    read_judgements,
)
from cvlib.weighting.experts.fuzzy import fuzzy_evaluation
from cvlib.weighting.experts.fuzzy_ahp import fuzzy_ahp
from cvlib.weighting.experts.group import expert_weights
from cvlib.weighting.experts.judgements import left_out_verdict
from cvlib.weighting.experts.network import network_process
from cvlib.weighting.experts.workbook import write_workbook as workbook
from cvlib.weighting.frozen import frozen_scores, read_reference
from cvlib.weighting.grade import (
    grade,
    grade_by_each,
    grade_by_schemes,
    grade_stability,
    schemes_caption,
    stability_verdict,
)
from cvlib.weighting.ledger import ledger_ratios, ledger_verdict
from cvlib.weighting.maturity import maturity
from cvlib.weighting.methods import (
    further_methods,
    grading_methods,
    scoring_methods,
    validity_methods,
    weighting_methods,
)
from cvlib.weighting.names import print_names
from cvlib.weighting.optional import (
    Hidden,
    credit_section,
    ledger_section,
    maturity_section,
    scorecard_section,
    variants_section,
)
from cvlib.weighting.races import pool_races
from cvlib.weighting.robustness import (
    newcomers,
    reversals_by_method,
    too_few,
)
from cvlib.weighting.scale import (
    levels,
    normalise,
)
from cvlib.weighting.score import (
    plain_weights,
    score_all,
    vikor_conditions,
    weighted_sums,
    wide_weights,
)
from cvlib.weighting.scorecard import scorecard
from cvlib.weighting.simulate import simulate_customers, simulate_scoring
from cvlib.weighting.smaa import (
    acceptability,
    draw_weights,
)
from cvlib.weighting.systems import system_choice
from cvlib.weighting.table import (
    read_indicators,
    table_kind,
)
from cvlib.weighting.tree import (
    available_trees,
    flat_tree,
    load_tree,
)
from cvlib.weighting.unnamed import find_tree
from cvlib.weighting.validity import (
    criterion_validity,
    read_outcome,
)
from cvlib.weighting.variants import scoring_variants, variants_verdict

__all__ = [
    "Bootstrap",
    "acceptability",
    "agreement",
    "ahp",
    "available_judgements",
    "available_trees",
    "best_worst",
    "by_data",
    "choose_alternative",
    "choose_weights",
    "combine",
    "credit_model",
    "critic",
    "draw_weights",
    "entropy",
    "entropy_by_period",
    "frozen_scores",
    "fuzzy_ahp",
    "fuzzy_evaluation",
    "grade",
    "grade_stability",
    "indicators",
    "kendall_w",
    "ledger_ratios",
    "levels",
    "load_tree",
    "local_priorities",
    "maturity",
    "network_process",
    "normalise",
    "panel_rows",
    "pool_races",
    "rank_agreement",
    "rated_priorities",
    "read_judgements",
    "read_reference",
    "return_on_investment",
    "score",
    "scorecard",
    "scores_answer",
    "scoring_variants",
    "simulate_scoring",
    "system_choice",
    "total_cost",
    "validity",
    "weights_answer",
    "weights_beside",
    "weights_by_method",
    "workbook",
]
