"""One call for any model, survey and estimator: bind, check, estimate, complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.inputs.readers import Table
from cvlib.inputs.survey import check_survey
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import measurement
from cvlib.satisfaction.model.model import Model, load_model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.estimate import estimate_pls
from cvlib.satisfaction.result import SatisfactionResult
from cvlib.satisfaction.sem.estimate import estimate_covariance
from cvlib.satisfaction.survey.missing import prepare
from cvlib.statistics import resample

ESTIMATORS = ("pls", "plsc", "covariance", "both")


@dataclass(frozen=True)
class Estimates:
    """What a study of one survey reports.

    Attributes
    ----------
    results : tuple of SatisfactionResult
        The reported estimates: of the model, and with estimator "both" also of the covariance
        model by covariance SEM.
    beside : tuple of SatisfactionResult
        With "both": the covariance model by PLS and by covariance SEM; else empty.
    diagnosis : DataFrame
        model, check, value, limit, trouble of every covariance solution.
    identified : tuple of SatisfactionResult
        The covariance solutions behind `diagnosis`.
    left_out : DataFrame
        column, reason, count, share: cells read as missing and respondents not used.
    warnings : tuple of str
    """

    results: tuple[SatisfactionResult, ...]
    beside: tuple[SatisfactionResult, ...]
    diagnosis: pd.DataFrame
    identified: tuple[SatisfactionResult, ...]
    left_out: pd.DataFrame
    warnings: tuple[str, ...]

    @property
    def models(self) -> list[Model]:
        """The reported models, bound to the survey."""
        return [result.model for result in self.results]

    @property
    def main(self) -> SatisfactionResult:
        """The model's own estimate."""
        return self.results[0]

    def table(self, name: str) -> pd.DataFrame:
        """A table of all reported estimates.

        With several, columns model and estimator come first; the further columns are those of the
        first, empty in the rows of an estimator that does not offer them.
        """
        return stacked(self.results, name)


def stacked(results: Sequence[SatisfactionResult], name: str) -> pd.DataFrame:
    """The table `name` of several results, one under the other, with model and estimator."""
    if len(results) == 1:
        return named(results[0], name)
    parts = []
    for result in results:
        own = named(result, name).copy()
        own.insert(0, "model", result.model.name)
        own.insert(1, "estimator", result.estimator)
        parts.append(own)
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(filled, ignore_index=True).reindex(columns=filled[0].columns)


def named(result: SatisfactionResult, name: str) -> pd.DataFrame:
    """A table of a result by name, its own or an extra one; empty where there is none."""
    found: pd.DataFrame = getattr(result, name, result.extra.get(name, pd.DataFrame()))
    return found


def estimate(
    table: Table | pd.DataFrame,
    model: Model | str | Path,
    *,
    estimator: str = "pls",
    covariance_model: Model | str | Path = "",
    mapping: Mapping[str, str] | None = None,
    drop_unmapped: bool = False,
    dont_know: Sequence[object] = (),
    scheme: str = "path",
    missing: str = "listwise",
    minimum_share: float = 0.5,
    weights: str = "",
    strata: str = "",
    clusters: str = "",
    standard_errors: str = "ml",
    draws: int = 0,
    interval: str = "percentile",
    target: str = "",
    seed: int = resample.SEED,
    level: float = 0.95,
) -> Estimates:
    """Estimate a satisfaction model on a survey by one estimator or by both.

    Parameters
    ----------
    table : Table or DataFrame
        One row per respondent.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    estimator : {"pls", "plsc", "covariance", "both"}
        "both": `model` by PLS, `covariance_model` by covariance SEM and, for comparison, by PLS.
    covariance_model : Model, name or path
        With "both"; empty for the same as `model`. A model whose items the survey lacks is
        replaced by `model`, and a warning says so.
    mapping, drop_unmapped
        As in `Model.map`.
    dont_know : sequence
        Codes that mean no answer, beside those in the model file.
    scheme, minimum_share, interval
        Of PLS, as in `estimate_pls`.
    missing : {"listwise", "mean", "person_mean", "em"}
        Covariance SEM offers "listwise" and, for "em", full-information maximum likelihood.
    weights, strata, clusters : str
        Columns of the survey, for PLS; empty for none.
    standard_errors : {"ml", "mlm", "mlr"}
        Of covariance SEM.
    draws : int
        Bootstrap resamples of PLS, and of its exact-fit test.
    target : str
        Construct of the importance-performance map; empty for satisfaction.
    seed : int
        Of all random numbers.
    level : float
        Confidence of intervals.

    Returns
    -------
    Estimates

    Raises
    ------
    InputError
        For a survey, model or setting that cannot be used.
    """
    if estimator not in ESTIMATORS:
        raise InputError("estimator", f"{estimator!r} is not offered",
                         nearest(estimator, list(ESTIMATORS)))  # fmt: skip
    if estimator in ("covariance", "both"):
        _refuse_design(weights or strata or clusters, missing)
    data = table.data if isinstance(table, Table) else table
    given = load_model(model) if isinstance(model, str | Path) else model
    bound = bind(table, given, mapping, drop_unmapped)
    data, cells = checked(table, data, bound, dont_know)
    by_pls: dict[str, Any] = {
        "scheme": scheme, "missing": missing, "minimum_share": minimum_share,
        "weights": weights or None, "strata": strata or None, "clusters": clusters or None,
        "draws": draws, "interval": interval, "exact_fit_draws": draws,
        "seed": seed, "level": level,
    }  # fmt: skip
    by_covariance: dict[str, Any] = {
        "missing": "fiml" if missing == "em" else missing,
        "standard_errors": standard_errors, "seed": seed, "level": level,
    }  # fmt: skip

    def covariance(which: Model) -> SatisfactionResult:
        # the comparison model may lack the target, or have it without causes
        known = target in which.construct_names and len(scoring.drivers(which, target))
        own = target if which is bound or known else ""
        return completed(estimate_covariance(data, which, **by_covariance), data, own)

    told: list[str] = []
    if estimator in ("pls", "plsc"):
        results = (estimate_pls(data, bound, estimator=estimator, target=target or None, **by_pls),)
        return _gathered(results, (), (), cells, told)
    if estimator == "covariance":
        results = (covariance(bound),)
        return _gathered(results, (), results, cells, told)
    other = bound
    if covariance_model:
        wanted = (
            load_model(covariance_model)
            if isinstance(covariance_model, str | Path)
            else covariance_model
        )
        try:
            other = wanted.map(data.columns, _own(mapping, wanted), drop_unmapped=drop_unmapped)
            data, _ = checked(table, data, other, dont_know)
        except InputError as error:
            told.append(
                f"Covariance SEM is shown for {bound.name}, not for {wanted.name}, which this"
                f" survey cannot measure ({error.where}: {error.wrong})."
            )
    first = estimate_pls(data, bound, target=target or None, **by_pls)
    if (other.name, other.items, other.signed_paths) == (
        bound.name, bound.items, bound.signed_paths,
    ):  # fmt: skip
        second = covariance(bound)
        return _gathered((first, second), (first, second), (second,), cells, told)
    beside = (estimate_pls(data, other, **by_pls), covariance(other))
    try:
        identified: tuple[SatisfactionResult, ...] = (covariance(bound), beside[1])
    except InputError as error:
        told.append(f"{bound.name} by covariance SEM: {error}")
        identified = (beside[1],)
    return _gathered((first, beside[1]), beside, identified, cells, told)


def completed(
    result: SatisfactionResult, data: pd.DataFrame, target: str = ""
) -> SatisfactionResult:
    """A covariance result with the tables PLS has besides, made by the same formulas.

    scores are the individual scores 0-100; cross_loadings are model-implied correlations of items
    and constructs; vif and f_squared come from the construct correlations; impacts are
    standardised total effects times the ratio of the standard deviations of the two indices, their
    limits those of the effects with that ratio held
    fixed [P]. rho_A, HTMT2 and Q²_predict belong to PLS.
    """
    model, names = result.model, np.array(result.model.construct_names)
    survey = prepare(
        data, model, missing="em" if result.settings["missing"] == "fiml" else "listwise"
    )
    mean, covariance = survey.source.moments(np.ones((1, survey.source.units), dtype=np.int8))
    fit = _as_arrays(result, mean, covariance)
    scores = scoring.index_scores(
        model,
        survey.completed(mean[0], covariance[0]),
        scoring.index_values(model, fit),
        survey.index,
    )
    inflation = measurement.vif_antecedents(fit.construct_correlation, model.adjacency)
    sizes = measurement.effect_size(fit.paths, fit.r_squared, inflation)[0]
    targets, sources = np.nonzero(model.adjacency.T)
    implied = fit.loadings[0][:, None] * fit.construct_correlation[0][model.block]
    keys, values = scoring.measures(model)["impacts"]
    effects = keys.assign(estimate=values(fit)[0]).merge(
        result.total_effects, on=["source", "target"], suffixes=("", "_standardised")
    )
    ratio = effects["estimate"] / effects["estimate_standardised"]
    for column in ("std_error", "ci_low", "ci_high"):
        effects[column] *= ratio
    impacts = scoring.impacts_table(
        effects[["source", "target", "estimate", "std_error", "t", "p", "ci_low", "ci_high"]]
    )
    loadings = result.loadings.copy()
    fixed = loadings["std_error"] < 1e-9  # a single item without error: nothing to test
    loadings.loc[fixed, "std_error"] = 0.0
    loadings.loc[fixed, ["t", "p"]] = np.nan
    return replace(
        result,
        loadings=loadings,
        extra={**result.extra, "scores": scores},
        cross_loadings=measurement.cross_loadings_table(model, implied),
        vif=measurement.vif_table(model, fit),
        f_squared=pd.DataFrame({
            "source": names[sources],
            "target": names[targets],
            "f_squared": sizes[sources, targets],
        }),
        impacts=impacts,
        importance_performance=scoring.importance_performance_table(
            impacts, result.index, model, target or None
        ),
    )  # fmt: skip


def _as_arrays(result: SatisfactionResult, mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
    """A covariance result as the arrays that the formulas of PLS take."""
    model = result.model
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    names = model.construct_names
    correlation, paths = np.eye(len(names)), np.zeros((len(names),) * 2)
    for row in result.construct_correlations.itertuples():
        a, b = names.index(row.construct_1), names.index(row.construct_2)
        correlation[a, b] = correlation[b, a] = row.correlation
    for row in result.path_coefficients.itertuples():
        paths[names.index(row.source), names.index(row.target)] = row.estimate
    explained = result.r_squared.set_index("construct")["r_squared"].reindex(names).fillna(0.0)
    once = np.ones(1, dtype=bool)
    return PLSFit(
        mean=mean,
        standard_deviation=deviation,
        item_correlation=covariance / (deviation[:, :, None] * deviation[:, None]),
        weights=result.loadings["weight"].to_numpy()[None],
        loadings=result.loadings["loading"].to_numpy()[None],
        composite_correlation=correlation[None],
        construct_correlation=correlation[None],
        rho_a=np.full((1, len(names)), np.nan),
        paths=paths[None],
        r_squared=explained.to_numpy()[None],
        converged=once,
        iterations=np.zeros(1, dtype=int),
        degenerate=~once,
        admissible=once & result.settings["admissible"],
    )


def _refuse_design(design: str, missing: str) -> None:
    if design:
        raise InputError(
            "estimator", f"covariance SEM takes no survey weights, strata or clusters ({design})",
            "Use estimator pls, or leave them empty.",
        )  # fmt: skip
    if missing not in ("listwise", "em"):
        raise InputError(
            "missing", f"covariance SEM does not offer {missing!r}",
            "Use listwise, or em for full-information maximum likelihood.",
        )  # fmt: skip


def bind(
    table: Table | pd.DataFrame, model: Model, mapping: Mapping[str, str] | None, drop: bool
) -> Model:
    """Bind a model to a survey's columns; an error names the file too."""
    if not isinstance(table, Table):
        return model.map(table.columns, mapping, drop_unmapped=drop)
    try:
        return model.map(table.data.columns, mapping, drop_unmapped=drop)
    except InputError as error:
        raise InputError(f"{table.source}, {error.where}", error.wrong, error.remedy) from error


def checked(
    table: Table | pd.DataFrame, data: pd.DataFrame, model: Model, dont_know: Sequence[object]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The survey with the model's columns as checked numbers, and the cells read as missing."""
    ready, counted = data.copy(), []
    for codes in dict.fromkeys(item.missing_codes for item in model.item_list):
        scales = {item.column: (item.minimum, item.maximum)
                  for item in model.item_list if item.missing_codes == codes}  # fmt: skip
        found = check_survey(table, scales, dont_know=(*dont_know, *codes))
        ready[list(scales)] = found.data
        counted.append(found.left_out)
    return ready, pd.concat(counted, ignore_index=True).drop_duplicates(ignore_index=True)


def _own(mapping: Mapping[str, str] | None, model: Model) -> dict[str, str]:
    return {item: column for item, column in (mapping or {}).items() if item in model.items}


def _gathered(
    results: tuple[SatisfactionResult, ...],
    beside: tuple[SatisfactionResult, ...],
    identified: tuple[SatisfactionResult, ...],
    cells: pd.DataFrame,
    told: list[str],
) -> Estimates:
    rows = stacked(results, "left_out").assign(column="(respondents)")
    checks = [r.extra["diagnosis"].assign(model=r.model.name) for r in identified]
    diagnosis = pd.concat(checks, ignore_index=True) if checks else pd.DataFrame()
    if len(diagnosis):
        diagnosis.insert(0, "model", diagnosis.pop("model"))
    parts = [part for part in (cells, rows) if len(part)]
    left_out = pd.concat(parts, ignore_index=True) if parts else cells
    named = len({r.model.name for r in (*results, *beside)}) > 1
    for result in (*results, *beside):
        prefix = f"{result.model.name}, {result.estimator}: " if named or len(results) > 1 else ""
        told += [prefix + text for text in result.warnings]
    return Estimates(results, beside, diagnosis, identified, left_out, tuple(dict.fromkeys(told)))
