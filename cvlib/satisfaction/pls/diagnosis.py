"""What a reader must know before using an estimate: signs, convergence, admissibility, draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import measurement
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import engine as pls
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.regressions import Regressions
from cvlib.statistics.resample import enough
from cvlib.words.message import Label, Message, message

SAME = 0.5  # least correlation of a draw's construct with the full sample's [P]
OTHERWISE = 0.05  # share of draws below it from which the construct is not the same [P]


def problems(model: Model, fit: PLSFit, estimator: str, paths: bool = True) -> list[str]:
    """What a reader must know about the estimate itself; of its measurement alone without paths."""
    told: list[str] = []
    if paths and not fit.converged[0]:
        told.append(message("satisfaction.unsettled", iterations=int(fit.iterations[0])))
    if paths:
        told += _unexpected(model, fit)
    for item, loading in zip(model.items, fit.loadings[0], strict=True):
        if loading < 0:
            told.append(message("satisfaction.negative_loading", item=item, loading=loading))
    told += scoring.negative_weights(model, fit)
    told += measurement.measurement_warnings(model, fit)
    if estimator == "plsc":
        last = [np.moveaxis(a, 0, -1) for a in
                (fit.loadings, fit.rho_a, fit.r_squared, fit.construct_correlation)]  # fmt: skip
        wrong = pls.inadmissible(*last)[:, 0]
        for problem, present in zip(pls.PLSC_PROBLEMS, wrong, strict=True):
            if present:
                told.append(_inadmissible(model, fit, problem))
    return told


def _unexpected(model: Model, fit: PLSFit) -> list[Message]:
    """Paths whose sign is not the model's."""
    told = []
    for source, target, sign in model.signed_paths:
        value = fit.paths[0][model.construct_names.index(source),
                             model.construct_names.index(target)]  # fmt: skip
        if (sign == "+" and value < 0) or (sign == "-" and value > 0):
            told.append(message("satisfaction.unexpected_sign", source=_label(model, source),
                                target=_label(model, target), value=value, sign=sign))  # fmt: skip
    return told


def _inadmissible(model: Model, fit: PLSFit, problem: str) -> Message:
    """What is inadmissible in an estimate, and where."""
    told = message(f"satisfaction.{problem}")
    where = [message("satisfaction.value_of", name=name, value=value)
             for name, value in _culprits(model, fit, problem)]  # fmt: skip
    if where:
        return message("satisfaction.inadmissible_at", problem=told, where=where)
    return message("satisfaction.inadmissible", problem=told)


def _culprits(model: Model, fit: PLSFit, problem: str) -> list[tuple[str, float]]:
    """Where an inadmissible estimate sits, and its value there."""
    names = np.array(model.construct_names)
    if problem == "loading_above_one":
        return [(i, v) for i, v in zip(model.items, fit.loadings[0], strict=True)
               if abs(v) > 1 + 1e-12]  # fmt: skip
    if problem == "reliability_outside":
        return [(n, v) for n, v in zip(names, fit.rho_a[0], strict=True)
               if not 0 < v <= 1 + 1e-12]  # fmt: skip
    if problem == "r_squared_above_one":
        return [(n, v) for n, v in zip(names, fit.r_squared[0], strict=True) if v > 1]
    matrix = fit.construct_correlation[0]
    pairs = zip(*np.nonzero(np.triu(np.abs(matrix) >= 1, 1)), strict=True)
    return [(f"{names[i]} × {names[j]}", matrix[i, j]) for i, j in pairs]


def not_the_same(model: Model, apart: np.ndarray) -> list[Message]:
    """Constructs that in many draws are something else than in the full sample."""
    return [
        message("satisfaction.not_the_same", construct=_label(model, name), share=float(share),
                limit=SAME)
        for name, share in zip(model.construct_names, apart, strict=False) if share > OTHERWISE
    ]  # fmt: skip


def paths_above_one(model: Model, fit: PLSFit) -> list[Message]:
    """Paths of consistent PLS above one, with the VIF that explains them and what PLS gives."""
    plain = Regressions(model.adjacency)(np.moveaxis(fit.composite_correlation, 0, -1))[0][..., 0]
    vif = measurement.vif_antecedents(fit.construct_correlation, model.adjacency)[0]
    names = model.construct_names
    return [
        message("satisfaction.path_above_one", source=_label(model, names[a]),
                target=_label(model, names[b]), value=fit.paths[0, a, b], vif=vif[a, b],
                plain=plain[a, b])
        for a, b in np.argwhere(model.adjacency) if abs(fit.paths[0, a, b]) > 1 + 1e-9
    ]  # fmt: skip


def draw_warnings(table: pd.DataFrame) -> list[Message]:
    """What became of the draws, and whether inference may rest on them."""
    row = table.iloc[0]
    told = []
    requested, used = int(row["requested"]), int(row["used"])
    if row["failed"]:
        told.append(message("satisfaction.draws_failed", failed=int(row["failed"]),
                            requested=requested))  # fmt: skip
    sound = used - int(row["inadmissible"])
    if not enough(sound, requested):
        told.append(message("satisfaction.draws_too_few", sound=sound, requested=requested))
    elif row["inadmissible"]:
        told.append(message("satisfaction.draws_inadmissible", requested=requested,
                            inadmissible=int(row["inadmissible"])))  # fmt: skip
    return told


def inference_allowed(table: pd.DataFrame) -> bool:
    """Whether enough draws gave an admissible estimate for intervals and p values."""
    row = table.iloc[0]
    return enough(int(row["used"] - row["inadmissible"]), int(row["requested"]))


def _label(model: Model, construct: str) -> Label:
    return Label({language: model.label(construct, language) for language in ("en", "zh")})
