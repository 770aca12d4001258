"""MICOM of who left against who stayed, and when it is said."""

from dataclasses import replace

import numpy as np

import cvlib as cv
from cvlib.customer.alike import told_apart


def test_a_satisfaction_made_up_differently_by_leavers_is_said_and_else_nothing() -> None:
    made = cv.customer.simulate(1500, seed=5)
    base = cv.customer.join(made.files, made.plan)
    found = cv.customer.invariance(base)
    assert told_apart(base, found) == []
    own = found[found["step"] == "2 composition"].set_index("construct")
    assert own.loc["satisfaction", "holds"] and set(found["group_2"]) == {"stayed"}
    assert cv.customer.invariance(base, cv.customer.Bootstrap(0)).empty
    # to leavers one of the three questions means nothing at all
    values, rng = base.survey.values.copy(), np.random.default_rng(1)
    place = list(base.survey.model.columns).index("SATI1")
    values[base.left, place] = rng.integers(1, 11, int(base.left.sum()))
    other = replace(base, survey=replace(base.survey, values=values))
    (text,) = told_apart(other, cv.customer.invariance(other))
    assert text.id == "customer.unlike"
