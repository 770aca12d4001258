"""Customer satisfaction, indicator weights and lifetime value: numbers a reviewer can check.

This is the front door: the names a notebook imports. Each is loaded when first used, so that
``import cvlib`` costs little.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_DOORS = {
    "InputError": "cvlib.inputs.errors",
    "load_table": "cvlib.inputs.readers",
    "Record": "cvlib.study.record",
    "load_model": "cvlib.satisfaction.model",
    "estimate_pls": "cvlib.satisfaction.estimate",
    "estimate_covariance": "cvlib.satisfaction.covariance",
    "compare_models": "cvlib.satisfaction.comparison",
    "compare_groups": "cvlib.satisfaction.league",
    "compare_waves": "cvlib.satisfaction.waves",
    "population": "cvlib.satisfaction.simulate",
    "simulate_survey": "cvlib.satisfaction.simulate",
    "plan_survey": "cvlib.satisfaction.planning",
    "write_questionnaire": "cvlib.satisfaction.questionnaire",
    "codebook": "cvlib.satisfaction.questionnaire",
    "load_tree": "cvlib.weighting.tree",
    "read_judgements": "cvlib.weighting.judgement_files",
    "expert_weights": "cvlib.weighting.ahp_group",
    "write_workbook": "cvlib.weighting.workbook",
    "summarise_purchases": "cvlib.lifetime.purchases",
    "fit_repeat_buying": "cvlib.lifetime.repeat_buying",
}


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'cvlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
