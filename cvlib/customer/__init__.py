"""One customer base, three pillars: what a point of satisfaction is worth.

Beside the front door (`__all__`) stand here the single steps that the notebook calls.
"""

# ruff: noqa: F401

from cvlib.customer.alike import invariance, told_apart
from cvlib.customer.answers import (
    customer_answer,
    naive_sentence,
    parts_sentence,
    value_sentence,
)
from cvlib.customer.assumptions import conventions, sensitivity
from cvlib.customer.certificate import certificate
from cvlib.customer.evidence import question_race, shape
from cvlib.customer.experiment import experiment, tried
from cvlib.customer.files import Files, Plan
from cvlib.customer.firms import firm_panel
from cvlib.customer.gate import time_order
from cvlib.customer.index import index
from cvlib.customer.join import join
from cvlib.customer.joint import joint
from cvlib.customer.ladder import ladder
from cvlib.customer.links import Worth
from cvlib.customer.methods import customer_methods
from cvlib.customer.people import calls, quadrants
from cvlib.customer.simulate import simulate
from cvlib.customer.sliders import what_if
from cvlib.customer.study import study
from cvlib.customer.value import link, point_value
from cvlib.customer.weightings import weighting_race
from cvlib.statistics.campaign import Campaign
from cvlib.statistics.resample import Bootstrap

__all__ = [
    "Files", "Plan", "calls", "certificate", "conventions", "customer_answer", "experiment",
    "firm_panel", "index", "invariance", "join", "joint", "ladder", "link", "point_value",
    "quadrants",
    "question_race", "sensitivity", "shape", "simulate", "study", "time_order", "weighting_race",
    "what_if",
]  # fmt: skip
