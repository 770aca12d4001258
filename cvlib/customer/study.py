"""One call from three files to everything a customer study says."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cvlib.customer.answers import customer_answer
from cvlib.customer.assumptions import sensitivity
from cvlib.customer.base import CustomerBase
from cvlib.customer.certificate import certificate as certified
from cvlib.customer.evidence import question_race, shape
from cvlib.customer.experiment import tried
from cvlib.customer.files import Files, Plan
from cvlib.customer.gate import TimeOrder, time_order
from cvlib.customer.index import CustomerIndex, index
from cvlib.customer.join import join
from cvlib.customer.ladder import ladder
from cvlib.customer.links import Worth
from cvlib.customer.people import calls, quadrants
from cvlib.customer.simulate_traits import SimulatedBase
from cvlib.customer.value import PointValue, SatisfactionLink, link, point_value
from cvlib.inputs.errors import InputError, reason_of
from cvlib.results import Result
from cvlib.statistics.resample import SEED, Bootstrap
from cvlib.words.answer import Answer


@dataclass(frozen=True, eq=False, repr=False)
class CustomerStudy(Result):
    """Everything a customer study found; tables of closed gates are empty.

    Attributes
    ----------
    base : CustomerBase
    index : CustomerIndex
    gate : TimeOrder
    linked : SatisfactionLink
    value : PointValue
    answer : Answer
    shape, question_race, ladder, quadrants, campaign, sensitivity, experiment : DataFrame
    certificate : DataFrame
        Bias and coverage in simulated studies of this design; empty unless asked for.
    left_out : tuple of str
        Why what was asked for is not there.
    """

    base: CustomerBase
    index: CustomerIndex
    gate: TimeOrder
    linked: SatisfactionLink
    value: PointValue
    answer: Answer
    shape: pd.DataFrame
    question_race: pd.DataFrame
    ladder: pd.DataFrame
    quadrants: pd.DataFrame
    campaign: pd.DataFrame
    sensitivity: pd.DataFrame
    experiment: pd.DataFrame
    certificate: pd.DataFrame
    left_out: tuple[str, ...]
    headline_tables = ("value_of_a_point", "drivers_to_money", "ladder")

    def sentences(self) -> list[str]:
        """The verdict and its doubts."""
        return [*self.answer.verdict, *self.answer.doubts, *self.left_out]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of every step."""
        found = dict(super().tables)
        for step in (self.base, self.index, self.gate, self.linked, self.value):
            found |= step.tables
        return found


def study(
    files: Files | SimulatedBase,
    plan: Plan | None = None,
    *,
    worth: Worth | None = None,
    model: str = "g2g",
    draws: int = 200,
    certificate: int = 0,
    seed: int = SEED,
    level: float = 0.95,
) -> CustomerStudy:
    """What a point of satisfaction is worth, from a survey and contracts of the same customers.

    Parameters
    ----------
    files : Files or SimulatedBase
        What is read.
    plan : Plan, optional
        What joins and orders the files; a simulated base brings its own.
    worth : Worth, optional
        Margin, discount, horizon, reward.
    model : {"g2g", "cloglog", "logit", "beta_logistic"}
        Of leaving.
    draws : int
        Bootstrap resamples of customers.
    certificate : int
        Simulated studies of this design whose truth is known; 0: none.
    seed : int
        Of the random numbers.
    level : float
        Of the intervals.

    Returns
    -------
    CustomerStudy
        Every step's tables, and the answer.

    Raises
    ------
    InputError
        A file, column or setting of a step that cannot be used: see `join`, `index`, `link`.

    References
    ----------
    Gupta & Zeithaml (2006), Marketing Science 25(6):718-739; Carroll, Ruppert, Stefanski &
    Crainiceanu (2006), Measurement error in nonlinear models.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.customer.study(cv.customer.simulate(600, seed=1), draws=10)
    >>> found.gate.open
    True
    """
    if isinstance(files, SimulatedBase):
        plan = plan or files.plan
        files = files.files
    worth, settings = worth or Worth(), Bootstrap(draws, seed, level)
    base = join(files, plan)
    found = index(base)
    gate = time_order(base, found.scores)
    linked = link(base, found, model, level)
    value = point_value(base, found, gate, linked, worth, settings, files.costs)
    rungs, e = ladder(base, found, linked)
    called = calls(base, found, linked, worth)
    done = tried(base, found, linked, files, worth, settings=settings)
    assumptions = sensitivity(base, found, linked, value, worth)
    proof, left_out = None, list[str]()
    try:
        proof = certified(base, found, linked, value, worth, Bootstrap(certificate, seed, level))
    except InputError as error:
        left_out.append(reason_of(error))
    return CustomerStudy(
        base, found, gate, linked, value,
        customer_answer(base, found, gate, linked, value, e, done or called, assumptions,
                        proof),
        shape(base, found, linked), question_race(base, found, settings),
        rungs, quadrants(base, found, linked, worth), called.campaign, assumptions,
        done.experiment if done else pd.DataFrame(),
        proof.certificate if proof else pd.DataFrame(), tuple(left_out),
    )  # fmt: skip
