"""What another program makes of the same covariance model: semopy's own estimator beside ours."""

from __future__ import annotations

import logging
import warnings as python_warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.results import Result
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.higher_order import ordinary
from cvlib.satisfaction.sem.equations import CovarianceFit, finish
from cvlib.satisfaction.sem.estimate import Specification, layout_of
from cvlib.satisfaction.sem.layout import Floats, Layout
from cvlib.satisfaction.sem.optimum import complete_problem
from cvlib.satisfaction.sem.written import semopy_model
from cvlib.satisfaction.survey.answers import Answers, Data
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.statistics.resample import SEED
from cvlib.words.message import Message, message

AGREES = 1e-3  # of a standardised estimate: what three printed digits show
EXCESS = 1e-5  # of the objective above ours, beyond which a program has stopped early


@dataclass(frozen=True, eq=False, repr=False)
class SecondOpinion(Result):
    """Two programs on one covariance model.

    Attributes
    ----------
    programs : DataFrame
        model, solution (cvlib; semopy from its default start; semopy from our optimum), objective
        (maximum likelihood discrepancy F), objective_above (less ours), chi2 (n F), converged (as
        the program says), largest_difference (of a standardised loading or path, absolute, from
        ours), at (where, if it shows).
    estimates : DataFrame
        lhs, op, rhs and the standardised estimate of each solution.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("programs",)

    programs: pd.DataFrame
    estimates: pd.DataFrame
    warnings: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Whether the two programs agree, and where one stopped early."""
        return list(_judged(self.programs))


def second_opinion(
    data: Data | Answers | Survey,
    model: AnyModel | None = None,
    *,
    specification: Specification | None = None,
    starts: int = 5,
    seed: int = SEED,
) -> SecondOpinion:
    """Let semopy estimate the same model: from its own start, and from our optimum.

    Parameters
    ----------
    data, model, specification, starts
        As in `estimate_covariance`; respondents with a missing answer are left out.
    seed : int
        Of our random starts.

    Returns
    -------
    SecondOpinion
        Objective, chi-square and largest difference by program and start.

    Raises
    ------
    InputError
        As `estimate_covariance`.

    References
    ----------
    Igolkina & Meshcheryakov (2020), Structural Equation Modeling 27:952-963 (semopy).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.second_opinion("mobi", "acsi").programs
    >>> bool(found["largest_difference"].iloc[2] < .001)
    True
    """
    survey = prepare(data, model)
    ordinary(survey.model, "a second program")
    rows = survey.values[~np.isnan(survey.values).any(axis=1)]
    layout = layout_of(survey.model, specification or Specification())
    fit = finish(complete_problem(layout, [rows]), "ml", starts, seed, 0.95, survey.left_out)
    named = {"model": survey.model.name}
    ours = _standardised(fit)
    found = [{
        **named, "solution": "cvlib", "objective": fit.optimum.discrepancy, "objective_above": 0.0,
        "chi2": fit.measure("chi2"),
        "converged": True, "largest_difference": 0.0, "at": "",
    }]  # fmt: skip
    told: list[str] = []
    estimates = ours.rename("cvlib").reset_index()
    for solution, start in (("semopy_own_start", None), ("semopy_our_optimum", fit.optimum.theta)):
        try:
            theirs = _semopy(layout, rows, start)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            told.append(message("satisfaction.second_failed", solution=solution, why=str(error)))
            continue
        gap = (theirs.standardised.reindex(ours.index) - ours).abs()
        lhs, op, rhs = gap.idxmax()
        found.append({
            **named, "solution": solution, "objective": theirs.objective,
            "objective_above": theirs.objective - fit.optimum.discrepancy,
            "chi2": theirs.objective * len(rows),
            "converged": theirs.converged, "largest_difference": float(gap.max()),
            "at": f"{lhs} {op} {rhs}" if gap.max() >= AGREES else "",
        })  # fmt: skip
        estimates[solution] = theirs.standardised.reindex(ours.index).to_numpy()
    return SecondOpinion(pd.DataFrame(found), estimates, tuple(told))


def _standardised(fit: CovarianceFit) -> pd.Series:
    """Our standardised loadings and paths by (lhs, op, rhs)."""
    table = fit.parameters
    kept = table[table["op"].isin(["=~", "~"])].set_index(["lhs", "op", "rhs"])
    return kept["standardised"].astype(float)


@dataclass(frozen=True, eq=False)
class _Theirs:
    standardised: pd.Series
    objective: float
    converged: bool


def _semopy(layout: Layout, rows: Floats, start: Floats | None) -> _Theirs:
    """Semopy's own maximum likelihood; every parameter has a name, so that a start can be given."""
    text, frame = _equations(layout, rows), pd.DataFrame(rows, columns=_items(layout))
    model = semopy_model(text)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with python_warnings.catch_warnings(), np.errstate(all="ignore"):
            python_warnings.simplefilter("ignore")
            model.load(frame)
            if start is not None:
                free = [name for name, p in model.parameters.items() if p.active]
                model.param_vals = np.array([start[int(name[1:])] for name in free])
            result = model.fit()
            table = model.inspect(std_est=True)
    finally:
        logging.disable(before)
    return _Theirs(_named(table, layout), float(result.fun), bool(result.success))


def _items(layout: Layout) -> list[str]:
    return [f"i{number}" for number in range(len(layout.observed))]


def _equations(layout: Layout, rows: Floats) -> str:
    """The model for semopy: c0, c1, ... and i0, i1, ...; parameter j is called pj."""
    names = [*(f"c{j}" for j in range(layout.latent)), *_items(layout)]
    variance = rows.var(axis=0)
    lines = []
    for place, operator in enumerate(layout.operator):
        row, col = int(layout.row[place]), int(layout.col[place])
        number = int(layout.parameter[0, place])
        fixed = layout.value[0, place]
        if layout.relative[place]:
            fixed = layout.relative[place] * variance[row - layout.latent]
        label = f"p{number}" if number >= 0 else f"{fixed:.17g}"
        if operator == "=~":
            lines.append(f"{names[col]} =~ {label}*{names[row]}")
        else:
            lines.append(f"{names[row]} {operator} {label}*{names[col]}")
    return "\n".join(lines)


def _named(table: pd.DataFrame, layout: Layout) -> pd.Series:
    """Semopy's standardised loadings and paths under our names: it writes a loading as a path."""
    items = _items(layout)
    names = {f"c{j}": name for j, name in enumerate(layout.names[: layout.latent])}
    names |= dict(zip(items, layout.observed, strict=True))
    arrows = table[table["op"] == "~"]
    keys = [(names[row.rval], "=~", names[row.lval]) if row.lval in items
            else (names[row.lval], "~", names[row.rval])
            for row in arrows.itertuples()]  # fmt: skip
    index = pd.MultiIndex.from_tuples(keys, names=["lhs", "op", "rhs"])
    return pd.Series(arrows["Est. Std"].astype(float).to_numpy(), index=index)


def _judged(table: pd.DataFrame) -> list[Message]:
    """Agreement is judged from our optimum, an early stop from the default start."""
    rows: dict[str, Any] = {row["solution"]: row for row in table.to_dict("records")}
    told = []
    second, own = rows.get("semopy_our_optimum"), rows.get("semopy_own_start")
    if second is not None:
        facts = {
            "model": second["model"],
            "difference": second["largest_difference"],
            "limit": AGREES,
        }
        below = -second["objective_above"]
        if below > EXCESS:
            told.append(message("satisfaction.second_lower", **facts, below=below))
        elif second["largest_difference"] < AGREES:
            told.append(message("satisfaction.second_agrees", **facts))
        else:
            told.append(message("satisfaction.second_differs", **facts))
    if own is not None:
        facts = {"above": own["objective_above"], "difference": own["largest_difference"]}
        early = own["objective_above"] > EXCESS or own["largest_difference"] >= AGREES
        name = "second_stopped" if early else "second_reached"
        told.append(message(f"satisfaction.{name}", **facts))
    return told
