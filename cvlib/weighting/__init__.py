"""Pillar 2: indicator systems weighted by experts and by data, compared, combined, scored."""

from cvlib.statistics.resample import Bootstrap
from cvlib.weighting.agreement import agreement, kendall_w, rank_agreement
from cvlib.weighting.choice import choose_weights
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
from cvlib.weighting.experts.files import available_judgements, read_judgements
from cvlib.weighting.experts.fuzzy import fuzzy_evaluation
from cvlib.weighting.experts.workbook import write_workbook as workbook
from cvlib.weighting.grade import grade, grade_stability
from cvlib.weighting.scale import levels, normalise
from cvlib.weighting.smaa import acceptability, draw_weights
from cvlib.weighting.tree import available_trees, load_tree

__all__ = [
    "Bootstrap",
    "acceptability",
    "agreement",
    "ahp",
    "available_judgements",
    "available_trees",
    "by_data",
    "choose_weights",
    "combine",
    "critic",
    "draw_weights",
    "entropy",
    "fuzzy_evaluation",
    "grade",
    "grade_stability",
    "indicators",
    "kendall_w",
    "levels",
    "load_tree",
    "normalise",
    "rank_agreement",
    "read_judgements",
    "score",
    "validity",
    "workbook",
]
