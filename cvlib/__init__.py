"""Customer satisfaction, indicator weights and lifetime value: numbers a reviewer can check.

This is the front door: ``cvlib.satisfaction``, ``cvlib.weighting`` and ``cvlib.lifetime`` hold what
a researcher calls, ``cvlib.customer`` joins them on one customer base, ``load`` reads what they are
called with. Each is loaded when first used, so that ``import cvlib`` costs little.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = ("satisfaction", "weighting", "lifetime", "customer")
_DOORS = {
    "InputError": "cvlib.inputs.errors",
    "load": "cvlib.inputs.readers",
    "load_table": "cvlib.inputs.readers",
    "Reading": "cvlib.inputs.readers",
    "Record": "cvlib.study.record",
    "load_model": "cvlib.satisfaction.model.file",
    "estimate_pls": "cvlib.satisfaction.pls.estimate",
    "estimate_covariance": "cvlib.satisfaction.sem.estimate",
    "compare_models": "cvlib.satisfaction.compare.models",
    "compare_groups": "cvlib.satisfaction.compare.league",
    "compare_waves": "cvlib.satisfaction.compare.waves",
    "population": "cvlib.satisfaction.design.simulate",
    "simulate_survey": "cvlib.satisfaction.design.simulate",
    "plan_survey": "cvlib.satisfaction.design.sample_size",
    "write_questionnaire": "cvlib.satisfaction.design.questionnaire",
    "codebook": "cvlib.satisfaction.design.questionnaire",
    "load_tree": "cvlib.weighting.tree",
    "read_judgements": "cvlib.weighting.experts.files",
    "expert_weights": "cvlib.weighting.experts.group",
    "write_workbook": "cvlib.weighting.experts.workbook",
    "summarise_purchases": "cvlib.lifetime.purchases.summary",
    "fit_repeat_buying": "cvlib.lifetime.repeat_buying",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"cvlib.{name}")
    if name in _DOORS:
        return getattr(importlib.import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'cvlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS, *_ROOMS])
