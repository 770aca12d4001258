"""One call from a survey and a model to every PLS table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError, nearest
from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import inference, measurement, moderation, pls
from cvlib.satisfaction.missing import Survey, prepare
from cvlib.satisfaction.model import Model, load_model
from cvlib.satisfaction.moments import Sample, Source
from cvlib.satisfaction.pls import PLSFit, fit_pls
from cvlib.satisfaction.result import SatisfactionResult

ESTIMATORS = ("pls", "plsc")


def estimate_pls(
    data: pd.DataFrame,
    model: Model | str | Path,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    missing: str = "listwise",
    minimum_share: float = 0.5,
    weights: str | pd.Series | None = None,
    strata: str | None = None,
    clusters: str | None = None,
    draws: int = 0,
    seed: int = 1,
    level: float = 0.95,
    interval: str = "percentile",
    threads: int = 1,
    tolerance: float = 1e-10,
    max_iterations: int = 300,
) -> SatisfactionResult:
    """Estimate a satisfaction model by partial least squares.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    model : Model, name or path
        Bound to the data by `Model.map`; a model that is not bound yet is bound here.
    estimator : {"pls", "plsc"}
        Composites, or consistent PLS for constructs that are common factors.
    scheme : {"path", "factorial", "centroid"}
        Inner weighting.
    missing, minimum_share, weights, strata, clusters
        As in `missing.prepare`.
    draws : int
        Bootstrap resamples; 0 gives estimates without inference.
    seed : int
        Of the bootstrap.
    level : float
        Confidence of the intervals.
    interval : {"percentile", "bca", "studentized"}
        See `inference.intervals`.
    threads : int
        Chunks of draws fitted side by side; the numbers do not depend on it.
    tolerance, max_iterations
        As in `pls.fit_pls`.

    Returns
    -------
    SatisfactionResult
        With draws, every estimated table has std_error, t, p, ci_low and ci_high. p is two-sided,
        from the ratio of estimate to bootstrap standard error on Student's t with as many degrees
        of freedom as resampling units less strata.

    Raises
    ------
    InputError
        For a survey or a setting that cannot be used.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), CSDA 48:159-205; Fornell, Johnson,
    Anderson, Cha & Bryant (1996), Journal of Marketing 60(4):7-18 (index).
    """
    _check_choice("estimator", estimator, ESTIMATORS)
    _check_choice("scheme", scheme, pls.SCHEMES)
    _check_choice("interval", interval, inference.INTERVALS)
    if draws < 0 or draws == 1:
        raise InputError("draws", f"{draws} resamples", "Use 0, or 2 and more (say 5000).")
    if not 0 < level < 1:
        raise InputError("level", f"{level} is not a confidence level", "Use 0.95, say.")
    bound = model if isinstance(model, Model) else load_model(model)
    if not set(bound.columns) <= set(data.columns):
        bound = bound.map(data.columns)
    survey = prepare(
        data, bound, missing=missing, minimum_share=minimum_share,
        weights=weights, strata=strata, clusters=clusters,
    )  # fmt: skip
    source, fit = fitter(
        bound, survey, estimator=estimator, scheme=scheme,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    found = fit(*source.moments(np.ones((1, source.units), dtype=np.int8)))
    told = [bound.adapted] if bound.adapted else []
    told += [*bound.dropped, *survey.warnings, *_problems(bound, found, estimator)]
    if found.degenerate[0]:
        raise InputError(
            f"model {bound.name}", "has no solution on these data: constructs or items are exactly"
            " collinear", "Leave out items or constructs that repeat others.",
        )  # fmt: skip
    measures = statistics(bound)
    compute = partial(_compute, measures)
    table = partial(_plain, compute(found))
    told_draws = pd.DataFrame()
    if draws:
        resampled = inference.bootstrap(
            source, fit, compute, draws=draws, seed=seed, strata=survey.strata, threads=threads
        )
        told_draws = resampled.table()
        kept = int(told_draws["used"].iloc[0])
        if kept < 2:
            raise InputError("draws", "fewer than two bootstrap draws could be estimated",
                             "The survey is too small for this model.")  # fmt: skip
        extra: dict[str, dict[str, np.ndarray]] = {"left_out": {}, "errors": {}}
        if interval == "bca":
            left = inference.jackknife(source, fit, compute)
            extra["left_out"] = {name: left.kept(name) for name in left.values}
        if interval == "studentized":
            errors = inference.inner_errors(
                source, fit, compute, draws=draws, seed=seed, strata=survey.strata
            )
            extra["errors"] = {name: e[~resampled.failed] for name, e in errors.items()}
        degrees = source.units - (1 if survey.strata is None else len(np.unique(survey.strata)))
        table = partial(_inferred, compute(found), resampled, interval, level, degrees, extra)
        told += _draw_warnings(told_draws)
    tables = {name: table(name, keys) for name, (keys, _) in measures.items()}
    return SatisfactionResult(
        model=bound,
        estimator=estimator,
        settings={
            "scheme": scheme, "missing": missing, "draws": draws, "seed": seed, "level": level,
            "interval": interval, "rows": len(survey.values), "units": source.units,
            "effective_sample_size": survey.effective_rows, "tolerance": tolerance,
            "iterations": int(found.iterations[0]), "converged": bool(found.converged[0]),
        },
        **_assembled(bound, found, tables, len(survey.values)),
        draws=told_draws,
        left_out=survey.left_out,
        audit=survey.audit,
        warnings=tuple(told),
    )  # fmt: skip


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(name, f"{value!r} is not offered", nearest(value, list(known)))


def fitter(
    model: Model,
    survey: Survey,
    *,
    estimator: str = "pls",
    scheme: str = "path",
    tolerance: float = 1e-10,
    max_iterations: int = 300,
) -> tuple[Source, inference.Fit]:
    """Where a survey's moments come from, and the function that fits the model to them.

    Estimation, bootstrap, permutation and groups all use this pair.
    """
    first = partial(
        fit_pls, model, scheme=scheme, estimator=estimator,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    if not model.moderations:
        return survey.source, first
    if estimator == "plsc":
        raise InputError("estimator", "a moderator needs construct scores, which consistent PLS"
                         " corrects away", "Use estimator pls for this model.")  # fmt: skip
    if np.isnan(survey.values).any():
        raise InputError("missing", f"{survey.missing!r} leaves gaps that have no products",
                         "Use listwise or person_mean with a moderator.")  # fmt: skip
    items = len(model.items)
    centred_on = moderation.centre(survey.values)

    def moderated(mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        base = first(mean[:, :items], covariance[:, :items, :items])
        return moderation.moderate(model, base, mean, covariance, centred_on)

    extended = moderation.with_products(model, survey.values)
    return Sample(extended, survey.weights, survey.clusters), moderated


Measure = tuple[pd.DataFrame, Callable[[PLSFit], np.ndarray]]


def statistics(model: Model) -> dict[str, Measure]:
    """Every estimated quantity: a table of its keys and a function from a fit to values (B, m)."""
    names = np.array(model.construct_names)
    own, member = model.adjacency, model.membership
    paths = pd.DataFrame({"source": names[np.nonzero(own)[0]], "target": names[np.nonzero(own)[1]]})
    paths = paths.merge(model.paths, how="left")
    added = pd.DataFrame([(m.name, m.target, m.sign) for m in model.moderations],
                         columns=paths.columns)  # fmt: skip
    items = pd.DataFrame({"construct": names[model.block], "item": model.items})
    reach = inference.total_effects(own.astype(float)[None])[0] > 0
    along = inference.routes(own)
    detour = np.zeros_like(own)
    for route in along:
        detour[route[0], route[-1]] = True
    specific = pd.DataFrame({
        "source": [names[r[0]] for r in along],
        "target": [names[r[-1]] for r in along],
        "via": [" > ".join(names[list(r[1:-1])]) for r in along],
    })  # fmt: skip
    pairs = np.tril(np.ones_like(own), -1)
    endogenous = own.any(axis=0)

    def keys(chosen: np.ndarray, first: str = "source", second: str = "target") -> pd.DataFrame:
        a, b = np.nonzero(chosen)
        return pd.DataFrame({first: names[a], second: names[b]})

    def path_values(fit: PLSFit) -> np.ndarray:
        direct = fit.paths[:, own]
        return direct if fit.interactions is None else np.hstack([direct, fit.interactions])

    found: dict[str, Measure] = {
        "path_coefficients": (pd.concat([paths, added], ignore_index=True), path_values),
        "loading": (items, lambda fit: fit.loadings),
        "weight": (items, lambda fit: fit.weights),
        "index": (pd.DataFrame({"construct": names}),
                  lambda fit: scoring.index_values(model, fit).values),
        "total_effects": (keys(reach), lambda fit: inference.total_effects(fit.paths)[:, reach]),
        "total_indirect": (
            keys(detour).assign(via="(all routes)"),
            lambda fit: (inference.total_effects(fit.paths) - fit.paths)[:, detour],
        ),
        "specific_indirect": (specific, lambda fit: inference.route_effects(fit.paths, along)),
        "r_squared": (pd.DataFrame({"construct": names[endogenous]}),
                      lambda fit: fit.r_squared[:, endogenous]),
        "htmt": (keys(pairs, "construct_1", "construct_2"),
                 lambda fit: measurement.htmt(fit.item_correlation, member)[:, pairs]),
        "htmt2": (keys(pairs, "construct_1", "construct_2"),
                  lambda fit: measurement.htmt2(fit.item_correlation, member)[:, pairs]),
    }  # fmt: skip
    return found


def _compute(measures: dict[str, Measure], fit: PLSFit) -> dict[str, np.ndarray]:
    return {name: function(fit) for name, (_, function) in measures.items()}


def _plain(values: dict[str, np.ndarray], name: str, keys: pd.DataFrame) -> pd.DataFrame:
    return keys.assign(estimate=values[name][0])


def _inferred(
    values: dict[str, np.ndarray],
    resampled: inference.Draws,
    interval: str,
    level: float,
    degrees: int,
    extra: dict[str, dict[str, np.ndarray]],
    name: str,
    keys: pd.DataFrame,
) -> pd.DataFrame:
    kept = resampled.kept(name)
    low, high = inference.intervals(
        values[name][0], kept, kind=interval, level=level,
        left_out=extra["left_out"].get(name), errors=extra["errors"].get(name),
    )  # fmt: skip
    return pd.concat([keys, inference.summary(values[name][0], kept, degrees, low, high)], axis=1)


def _assembled(
    model: Model, fit: PLSFit, tables: dict[str, pd.DataFrame], rows: int
) -> dict[str, pd.DataFrame]:
    """The tables by the names of `SatisfactionResult`."""
    names = list(model.construct_names)
    for name in ("index", "r_squared", "htmt", "htmt2"):  # zero is no hypothesis about these
        tables[name] = tables[name].drop(columns=["t", "p"], errors="ignore")
    weight = tables["weight"].drop(columns=["construct", "item"])
    weight.columns = ["weight", *(f"weight_{c}" for c in weight.columns[1:])]
    causes = model.adjacency.sum(axis=0)[model.adjacency.any(axis=0)]
    r_squared = tables["r_squared"].rename(columns={"estimate": "r_squared"})
    r_squared.insert(
        2, "r_squared_adjusted",
        1 - (1 - r_squared["r_squared"]) * (rows - 1) / (rows - causes - 1),
    )  # fmt: skip
    correlation = fit.item_correlation
    found = {
        "path_coefficients": tables["path_coefficients"],
        "loadings": pd.concat(
            [tables["loading"].rename(columns={"estimate": "loading"}), weight], axis=1
        ),
        "index": tables["index"].rename(columns={"estimate": "index"}).drop(
            columns=["t", "p"], errors="ignore"),
        "total_effects": tables["total_effects"],
        "indirect_effects": pd.concat(
            [tables["total_indirect"], tables["specific_indirect"]], ignore_index=True),
        "r_squared": r_squared,
        "htmt": tables["htmt"].rename(columns={"estimate": "htmt"}),
        "construct_correlations": _long(fit.construct_correlation[0], names, names),
        "cross_loadings": _long(
            measurement.cross_loadings(correlation, fit.weights, model.membership)[0],
            list(model.items), names, "item", "construct", "loading",
        ),
    }  # fmt: skip
    return found


def _long(
    matrix: np.ndarray,
    rows: list[str],
    columns: list[str],
    first: str = "construct_1",
    second: str = "construct_2",
    value: str = "correlation",
) -> pd.DataFrame:
    """A matrix as a tidy table, row by row."""
    return pd.DataFrame({
        first: np.repeat(rows, len(columns)),
        second: np.tile(columns, len(rows)),
        value: matrix.ravel(),
    })  # fmt: skip


def _problems(model: Model, fit: PLSFit, estimator: str) -> list[str]:
    """What a reader must know about the estimate itself."""
    told = []
    if not fit.converged[0]:
        told.append(
            f"The weights did not settle in {fit.iterations[0]} iterations: the numbers are those"
            " of the last one."
        )
    signed = fit.paths[0][model.adjacency]
    names = np.array(model.construct_names)
    for a, b, value in zip(*names[np.array(np.nonzero(model.adjacency))], signed, strict=True):
        expected = next(s for x, y, s in model.signed_paths if (x, y) == (a, b))
        if (expected == "+" and value < 0) or (expected == "-" and value > 0):
            told.append(f"Path {a} -> {b} is {value:.3f}, expected {expected}.")
    for item, loading in zip(model.items, fit.loadings[0], strict=True):
        if loading < 0:
            told.append(f"Item {item} loads negatively ({loading:.3f}): check its direction.")
    told += scoring.negative_weights(model, fit)
    if estimator == "plsc":
        last = [np.moveaxis(a, 0, -1) for a in
                (fit.loadings, fit.rho_a, fit.r_squared, fit.construct_correlation)]  # fmt: skip
        wrong = pls.inadmissible(*last)[:, 0]
        for problem, present in zip(pls.PLSC_PROBLEMS, wrong, strict=True):
            if present:
                told.append(f"Inadmissible: {problem}{_culprits(model, fit, problem)}.")
    return told


def _culprits(model: Model, fit: PLSFit, problem: str) -> str:
    """Where an inadmissible estimate sits."""
    names = np.array(model.construct_names)
    if problem == pls.PLSC_PROBLEMS[0]:
        bad = [f"{i} {v:.3f}" for i, v in zip(model.items, fit.loadings[0], strict=True)
               if abs(v) > 1 + 1e-12]  # fmt: skip
    elif problem == pls.PLSC_PROBLEMS[1]:
        bad = [f"{n} {v:.3f}" for n, v in zip(names, fit.rho_a[0], strict=True)
               if not 0 < v <= 1 + 1e-12]  # fmt: skip
    elif problem == pls.PLSC_PROBLEMS[2]:
        bad = [f"{n} {v:.3f}" for n, v in zip(names, fit.r_squared[0], strict=True) if v > 1]
    else:
        matrix = fit.construct_correlation[0]
        a, b = np.nonzero(np.triu(np.abs(matrix) >= 1, 1))
        bad = [f"{names[i]} with {names[j]} {matrix[i, j]:.3f}" for i, j in zip(a, b, strict=True)]
    return f" ({', '.join(bad)})" if bad else ""


def _draw_warnings(table: pd.DataFrame) -> list[str]:
    row = table.iloc[0]
    told = []
    if row["failed"]:
        told.append(
            f"{row['failed']} of {row['requested']} bootstrap draws failed (no convergence, an"
            " item without variance, or no consistent correction) and are left out of standard"
            " errors and intervals."
        )
    if row["inadmissible"]:
        told.append(
            f"{row['inadmissible']} of {row['requested']} bootstrap draws are inadmissible; they"
            " are kept in standard errors and intervals."
        )
    return told
