"""Satisfaction models by covariance structure analysis (maximum likelihood), in the tables of PLS.

The model goes straight into matrices; the optimisation is our own: Fisher scoring far off, Newton
steps with the exact second derivatives near by, bounds as an active set, several starts. The
figures that decided, on 50 bootstrap resamples of the mobile survey
(`tests/reference/cbsem/mobi_bootstrap50_indices.csv`; CPU per resample on one core, one run;
"worse" = more than 1e-6 above the lowest objective that any optimiser found):

| model | optimiser | CPU | worse | largest excess | says so |
|-------|-----------|-----|-------|----------------|---------|
| ACSI | semopy 2.3.11 as it comes | 61 ms | 35 of 50 | .023 | 0 |
| ACSI | semopy, ftol 1e-12 | 105 ms | 0 of 50 | 0 | - |
| ACSI | here, two starts or three | 6 ms | 0 of 50 | 0 | both starts agree on all 50 |
| ECSI | semopy 2.3.11 as it comes | 161 ms | 48 of 50 | .030 | 0 |
| ECSI | semopy, ftol 1e-12 | 177 ms | 21 of 50 | .024 | 0 |
| ECSI | here, two starts or three | 23 ms | 5 of 50 | .004 | all five inadmissible |

The gradient ends below 1e-6 (semopy as it comes: 4e-4 to 3.6). ECSI is nearly unidentified by
that survey, which no optimiser mends: the diagnosis says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.headline import label
from cvlib.satisfaction.identification import identification
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.model.higher_order import second_order_places
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.ordinal.estimate import fit_ordered
from cvlib.satisfaction.ordinal.sample import OrdinalSample
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sem.bootstrap import with_bootstrap
from cvlib.satisfaction.sem.equations import (
    MISSING,
    STANDARD_ERRORS,
    CovarianceFit,
    finish,
    fit_covariance,
)
from cvlib.satisfaction.sem.freedom import freed
from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, Layout
from cvlib.satisfaction.sem.least_squares import fit_least_squares
from cvlib.satisfaction.sem.modification import SHOWN, modification_indices, score_tests
from cvlib.satisfaction.sem.optimum import complete_problem, incomplete_problem
from cvlib.satisfaction.sem.quantities import Quantities
from cvlib.satisfaction.sem.tables import derived
from cvlib.satisfaction.survey.answers import Answers, Data
from cvlib.satisfaction.survey.missing import Survey, prepare
from cvlib.satisfaction.survey.settings import Missing, bootstrap_of
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

ORDERED_ESTIMATORS = ("wlsmv", "wlsm", "ulsmv")
LEAST_SQUARES = ("gls", "uls")
KINDS = (*STANDARD_ERRORS, *LEAST_SQUARES, *ORDERED_ESTIMATORS)
__all__ = ["CovarianceFit", "estimate_covariance", "fit_covariance"]


def equations(
    model: Model, *, terminal_residual_covariances: bool = True, names: bool = True
) -> str:
    """The model as equations, one per line.

    Parameters
    ----------
    model : Model
        Reflective: every construct is a common factor of its items.
    terminal_residual_covariances : bool
        Free the residual covariances of constructs that cause nothing (lavaan's convention).
    names : bool
        The model's own names; otherwise c0, c1, ... and i0, i1, ..., which any name allows.
    """
    constructs = model.construct_names if names else [f"c{j}" for j in range(len(model.constructs))]
    items = np.array(model.items if names else [f"i{j}" for j in range(len(model.items))])
    called = dict(zip(model.construct_names, constructs, strict=True))
    lines = [
        f"{called[c.name]} =~ "
        + " + ".join([*items[model.membership[:, j]], *(called[name] for name in c.dimensions)])
        for j, c in enumerate(model.constructs)
    ]
    own = model.adjacency
    below = np.isin(np.arange(len(constructs)), [d for _, d in second_order_places(model)])
    lines += [
        f"{constructs[j]} ~ {' + '.join(constructs[i] for i in np.flatnonzero(own[:, j]))}"
        for j in np.flatnonzero(own.any(axis=0))
    ]
    ends = np.flatnonzero(own.any(axis=0) & ~own.any(axis=1) & ~below)
    if terminal_residual_covariances:
        lines += [f"{constructs[a]} ~~ {constructs[b]}" for a in ends for b in ends if a < b]
    return "\n".join(lines)


@dataclass(frozen=True)
class Specification:
    """What a satisfaction model leaves open as a covariance structure.

    Parameters
    ----------
    terminal_residual_covariances : bool
        Let the residuals of constructs that cause nothing covary, as lavaan's ``sem()``.
    single_item_reliability : float
        Reliability assumed of single items: their error variance is fixed at (1 - reliability)
        times their sample variance.

    Raises
    ------
    InputError
        A reliability outside 0 to 1.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.Specification(single_item_reliability=0.9).terminal_residual_covariances
    True
    """

    terminal_residual_covariances: bool = True
    single_item_reliability: float = 1.0

    def __post_init__(self) -> None:
        number("single_item_reliability", self.single_item_reliability, 0, 1, ends="(]",
               remedy="Use 1 or .9.")  # fmt: skip


def layout_of(model: Model, specification: Specification) -> Layout:
    """The model placed in matrices, constructs and items in the model's order and names."""
    for construct, mode in zip(model.constructs, model.modes, strict=True):
        if len(construct.items or construct.dimensions) > 1 and mode != "A":
            raise InputError(
                f"construct {construct.name}",
                message("refusals.has_mode_but_covariance_structure", mode=mode),
                message("refusals.set_mode_a_for_this"),
            )
    if model.moderations:
        raise InputError(
            f"model {model.name}",
            message("refusals.moderates_a_path_which_covariance"),
            message("refusals.estimate_it_by_pls_or")
            if any(c.role == "moderator" for c in model.constructs)
            else message("refusals.estimate_it_by_pls_or_2"),
        )
    k, p, own = len(model.constructs), len(model.items), model.adjacency
    item, first = k + np.arange(p), np.isin(np.arange(p), model.starts)
    targets, sources = np.nonzero(own.T)
    parents, below = np.array(second_order_places(model), dtype=int).reshape(-1, 2).T
    single = (model.membership.sum(axis=0) == 1)[model.block]
    held = np.isin(np.arange(k), below)
    related = _related(own, held, specification.terminal_residual_covariances)
    variables = np.arange(k)
    # loadings of both orders, paths, error variances, disturbances, covariances of constructs
    later = np.append(False, parents[1:] == parents[:-1])[: len(parents)]
    blocks = [
        (ARROW, item, model.block, "=~", ~first, 1.0),
        (ARROW, below, parents, "=~", later, 1.0),
        (ARROW, targets, sources, "~", np.ones(len(targets), dtype=bool), 0.0),
        (COVARIANCE, item, item, "~~", ~single, 0.0),
        (COVARIANCE, variables, variables, "~~", np.ones(k, dtype=bool), 0.0),
        (COVARIANCE, related[0], related[1], "~~", np.ones(len(related[0]), dtype=bool), 0.0),
    ]
    sizes = [len(rows) for _, rows, *_ in blocks]
    free = np.concatenate([block[4] for block in blocks])
    error = np.concatenate([
        np.where(single, 1.0 - specification.single_item_reliability, 0.0) if number == 3
        else np.zeros(size) for number, size in enumerate(sizes)
    ])  # fmt: skip
    layout = Layout(
        names=(*model.construct_names, *model.items),
        latent=k,
        matrix=np.repeat([block[0] for block in blocks], sizes),
        row=np.concatenate([block[1] for block in blocks]),
        col=np.concatenate([block[2] for block in blocks]),
        operator=tuple(block[3] for block in blocks for _ in block[1]),
        parameter=np.where(free, np.cumsum(free) - 1, -1)[None],
        value=np.where(free, 0.0, np.repeat([block[5] for block in blocks], sizes))[None],
        relative=error,
        from_sample=np.zeros(len(free), dtype=bool),
    )
    return freed(layout, model)


def _modified(fit: CovarianceFit) -> tuple[str, pd.DataFrame]:
    """What was looked at, and the modification indices beyond chance; or why there are none."""
    try:
        table = modification_indices(fit)
    except InputError as error:
        return message("satisfaction.modification_left_out", reason=error.wrong), pd.DataFrame()
    large = table[table["mi"] > SHOWN].reset_index(drop=True)
    if fit.problem.layout.unit:  # the weights are not those under which it has a distribution
        return message("satisfaction.modification_ordered", count=len(table), large=len(large),
                       limit=SHOWN), large.drop(columns="p")  # fmt: skip
    said = message("satisfaction.modification_looked", count=len(table), large=len(large),
                   chance=0.05 * len(table), limit=SHOWN)  # fmt: skip
    return said, large


def _ordered(model: Model, survey: Survey, kind: str, resampling: Bootstrap) -> str:
    """The least-squares estimator of ordered answers; empty where answers are numbers."""
    if not model.ordered:
        if kind in ORDERED_ESTIMATORS:
            raise InputError(
                "standard_errors",
                message("refusals.is_for_ordered_answers", kind=kind),
                message("refusals.set_ordered_or_use_ml"),
            )
        return ""
    if kind not in ("ml", *ORDERED_ESTIMATORS):
        raise InputError("standard_errors", message("refusals.is_for_answers_that_are", kind=kind),
                         message("refusals.use_wlsmv_wlsm_or_ulsmv"))  # fmt: skip
    if resampling.draws:
        raise InputError("draws", message("refusals.resampling_is_not_offered_with"),
                         message("refusals.use_draws_intervals_come_from"))  # fmt: skip
    assert isinstance(survey.source, OrdinalSample)
    survey.source.refuse_indefinite(model.items)
    return "wlsmv" if kind == "ml" else kind


def _related(own: np.ndarray, held: np.ndarray, terminal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of constructs whose (residual) covariance is free: causes, and terminal effects.

    Dimensions of a higher-order construct are held together by it alone.
    """
    caused: np.ndarray = np.asarray(own.any(axis=0)) | held
    ends = caused & ~own.any(axis=1) & ~held if terminal else np.zeros_like(caused)
    first, second = np.triu_indices(len(own), 1)
    free = (~caused[first] & ~caused[second]) | (ends[first] & ends[second])
    return first[free], second[free]


def estimate_covariance(
    data: Data | Answers | Survey,
    model: AnyModel | None = None,
    *,
    standard_errors: str = "ml",
    missing: str | Missing = "listwise",
    draws: int | Bootstrap = 0,
    specification: Specification | None = None,
    starts: int = 5,
    target: str = "",
    modification: bool = False,
) -> SatisfactionResult:
    """Estimate a satisfaction model by covariance structure analysis, as a rule by likelihood.

    Every construct is a common factor of its items; the first loading is 1; exogenous constructs
    covary. The single item of a construct has no error unless the specification says so.

    Parameters
    ----------
    data : str, Path, Table, DataFrame, Answers or Survey
        One row per respondent: a name of the catalogue, a file, or a survey that is open already.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`; none for a survey prepared with its model.
    standard_errors : {"ml", "mlm", "mlr", "gls", "uls", "wlsmv", "wlsm", "ulsmv"}
        As in `fit_covariance`; "mlr" is the usual choice for skewed ratings. Generalised or
        unweighted least squares instead of likelihood ("gls", "uls"; without resampling). With a
        model whose answers are ordered, weighted least squares on polychorics ("ml" then means
        "wlsmv").
    missing : {"listwise", "em"}
        Leave out respondents with a missing answer (counted in `left_out`), or full-information
        maximum likelihood under answers missing at random.
    draws : int or Bootstrap
        Bootstrap resamples of respondents; adds bootstrap columns to the tables. Every resample
        is fitted from the full-sample optimum and from its own start, and from more where the two
        disagree. Not with "em". Seed (also of random starts) and level are those of the bootstrap.
    specification : Specification, optional
        Residual covariances, and the reliability of single items.
    starts : int
        Of the full-sample fit.
    target : str
        Construct of the importance-performance map; empty for satisfaction where there is one.
    modification : bool
        Also list modification indices above 3.84 (`extra`), and how many were looked at.

    Returns
    -------
    SatisfactionResult
        ``path_coefficients``, ``loadings`` and effects are standardised, with delta-method
        standard errors; ``unstandardised`` columns stand beside the paths and effects. The index
        weighs items by the regression score of the construct from its own items [P]; its standard
        error counts both the answers and the estimation of the weights. ``reliability`` is
        unstandardised (alpha, rho_c, ave from covariances). ``extra`` holds ``parameters``,
        ``diagnosis``, ``optimisation``, ``factor_scores`` (regression) and
        ``factor_scores_bartlett``.

    Raises
    ------
    InputError
        For a survey, model or setting that cannot be used, and where no start converges.

    References
    ----------
    Joreskog (1970), Biometrika 57, 239-251; Bollen (1989), Structural Equations with Latent
    Variables; Sobel (1982) for effects [M].

    Notes
    -----
    Checked against lavaan 0.6.14 on the ECSI mobile survey (ACSI and ECSI models).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.sem("mobi", "acsi")
    >>> round(found.fit.set_index("measure").loc["chi2", "value"], 2)
    np.float64(298.89)
    """
    one_of("standard_errors", standard_errors, KINDS)
    resampling, chosen = bootstrap_of(draws), specification or Specification()
    seed, level = resampling.seed, resampling.level
    survey = prepare(data, model, missing=missing)
    if survey.missing not in MISSING:
        raise InputError(
            "missing",
            message("refusals.covariance_sem_does_not_offer", rule=survey.missing),
            message("refusals.use_listwise_or_em_full"),
        )
    if survey.weights is not None or survey.strata is not None or survey.clusters is not None:
        raise InputError("design", message("refusals.covariance_sem_takes_no_survey_2"),
                         message("refusals.estimate_the_model_by_pls"))  # fmt: skip
    if resampling.draws and survey.missing == "em":
        raise InputError(
            "draws",
            message("refusals.resampling_is_not_offered_together"),
            message("refusals.use_draws_its_standard_errors"),
        )
    if resampling.draws and standard_errors in LEAST_SQUARES:
        raise InputError(
            "draws",
            message("refusals.resampling_is_not_offered_with_2", standard_errors=standard_errors),
            message("refusals.use_draws_intervals_come_from_2"),
        )
    bound = survey.model
    layout = layout_of(bound, chosen)
    ordered = _ordered(bound, survey, standard_errors, resampling)
    gaps = bool(np.isnan(survey.values).any())
    if gaps and standard_errors != "ml":
        raise InputError(
            "standard_errors",
            message("refusals.is_not_offered_together_with", standard_errors=standard_errors),
            message("refusals.use_standard_errors_ml_with"),
        )
    if ordered:
        standard_errors = ordered
        least = fit_ordered(layout, survey, ordered, level)
        fit, problem = least.fit, least.fit.problem
        quantities = Quantities(bound, problem.layout, least.deviation, least.casewise)
    else:
        problem = (
            incomplete_problem(layout, survey.values)
            if gaps
            else complete_problem(layout, [survey.values])
        )
        if standard_errors in LEAST_SQUARES:
            fit = fit_least_squares(
                layout, survey.values, standard_errors, level, survey.left_out
            )  # fmt: skip
            problem = fit.problem
        else:
            fit = finish(problem, standard_errors, starts, seed, level, survey.left_out)
        quantities = Quantities(bound, problem.layout, casewise=fit.casewise)
    tables, told_draws = quantities.tables(fit, level), pd.DataFrame()
    told = [*bound.notes, *bound.dropped, *survey.warnings, *fit.warnings]
    if isinstance(survey.source, OrdinalSample):
        told += survey.source.merges(bound.items)
    told += _unexpected(bound, tables)
    if resampling.draws:
        tables, told_draws, lost = with_bootstrap(
            quantities, fit, survey.source, tables, resampling
        )
        told += lost
    shares = quantities.shares(fit.optimum.theta, problem.saturated)
    more, scores = derived(quantities.solution(fit), shares, survey, tables, target)
    tables |= more
    extra = {
        "scores": scores,
        "parameters": fit.parameters,
        "diagnosis": fit.diagnosis,
        "optimisation": fit.optimisation,
    }
    if bound.parents:
        named = [parent.name for parent in bound.parents]
        own = tables["loadings"][tables["loadings"]["construct"].isin(named)]
        extra["higher_order"] = own.rename(columns={"item": "dimension"}).reset_index(drop=True)
    if not gaps and not ordered:
        extra["factor_scores"] = fit.factor_scores().set_axis(survey.index)
        try:
            bartlett = fit.factor_scores("bartlett")
        except (InputError, np.linalg.LinAlgError) as error:
            reason = error.wrong if isinstance(error, InputError) else str(error)
            told.append(message("satisfaction.bartlett_left_out", reason=reason))
        else:
            extra["factor_scores_bartlett"] = bartlett.set_axis(survey.index)
    if bound.freedom.equal and not gaps and not ordered and fit.casewise is None:
        extra["score_tests"] = score_tests(fit)
    if modification:
        looked, extra["modification_indices"] = _modified(fit)
        told.append(looked)
    extra["identification"] = identification(tables, told_draws, fit.diagnosis)
    audit = survey.audit
    if gaps:
        audit = audit.assign(imputed=0, treatment="full-information maximum likelihood")
    return SatisfactionResult(
        model=bound,
        estimator="covariance",
        settings={
            "standard_errors": standard_errors, "missing": survey.missing,
            "draws": resampling.draws, "seed": seed, "level": level,
            "rows": problem.n, "ordered": bool(ordered),
            "admissible": fit.admissible, "converged": True,
            "starts": len(fit.optimisation),
            "starts_agreeing": int(fit.optimisation["reached_lowest"].sum()),
            "single_item_reliability": chosen.single_item_reliability,
            "terminal_residual_covariances": chosen.terminal_residual_covariances,
            "equations": equations(
                bound, terminal_residual_covariances=chosen.terminal_residual_covariances),
        },
        fit=fit.fit,
        draws=told_draws,
        left_out=survey.left_out,
        audit=audit,
        extra=extra,
        warnings=tuple(told),
        **tables,
    )  # fmt: skip


def _unexpected(model: Model, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Signs that are not the model's: paths, and weights with which an index can leave 0-100."""
    told: list[str] = [
        message("satisfaction.unexpected_sign", source=label(model, row.source),
                target=label(model, row.target), value=float(row.estimate), sign=row.sign)
        for row in tables["path_coefficients"].itertuples()
        if (row.sign == "+" and row.estimate < 0) or (row.sign == "-" and row.estimate > 0)
    ]  # fmt: skip
    loadings = tables["loadings"]
    total = loadings.groupby("construct")["weight"].transform("sum")
    return told + [
        message("satisfaction.negative_weight", construct=row.construct, items=[message(
            "satisfaction.with_value", name=row.item, value=float(row.weight))])
        for row in loadings[loadings["weight"] * total < 0].itertuples()
    ]  # fmt: skip
