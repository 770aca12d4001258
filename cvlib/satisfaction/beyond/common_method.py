"""Common method variance: full collinearity, Harman's share, a marker variable."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.beyond.section import Section
from cvlib.satisfaction.pls.engine import fit_pls
from cvlib.satisfaction.pls.regressions import Regressions
from cvlib.words.message import Message, message

LIMIT, CORRECTED_LIMIT = 3.3, 5.0  # Kock (2015); with measurement error removed [M]


def full_collinearity(correlation: np.ndarray) -> np.ndarray:
    """VIF (B, k) of every construct on all others: the diagonal of the inverse correlations.

    References
    ----------
    Kock (2015), International Journal of e-Collaboration 11(4):1-10.
    """
    inverse = np.linalg.inv(correlation)
    return np.asarray(np.diagonal(inverse, axis1=-2, axis2=-1))


def partialled(correlation: np.ndarray, marker: float) -> np.ndarray:
    """Correlations less what a marker shares with all: ``(r - r_M) / (1 - r_M)``.

    References
    ----------
    Lindell & Whitney (2001), Journal of Applied Psychology 86:114-121, eq. 4.
    """
    found = (correlation - marker) / (1 - marker)
    found[..., range(found.shape[-1]), range(found.shape[-1])] = 1.0
    return np.asarray(found)


def common_method(base: Base, marker: str = "") -> Section:
    """Three checks for variance that comes from the method of asking.

    Parameters
    ----------
    base : Base
        Survey, model, draws.
    marker : str
        Column of a question that has nothing to do with the constructs; empty for the model's own
        (`marker` of the model file), or none.

    Returns
    -------
    Section
        Tables `collinearity_full` (VIF of every construct with interval, and without measurement
        error), `method_bias` (Harman's share, number of eigenvalues above one, the marker's
        correlation) and, with a marker, `marker_correlations`, `marker_paths`.

    References
    ----------
    Kock (2015), IJeC 11(4):1-10; Podsakoff, MacKenzie, Lee & Podsakoff (2003), Journal of Applied
    Psychology 88:879-903; Lindell & Whitney (2001), Journal of Applied Psychology 86:114-121.
    """
    names = np.array(base.model.construct_names)
    keys = pd.DataFrame({"construct": names})
    table = (
        base.inferred({"vif": (keys, lambda fit: full_collinearity(fit.composite_correlation))})[
            "vif"
        ]
        .rename(columns={"estimate": "vif"})
        .drop(columns=["t", "p"], errors="ignore")
    )
    table["limit"] = LIMIT
    corrected = _disattenuated(base)
    if corrected is not None:
        table["vif_corrected"] = corrected
    eigenvalues = np.linalg.eigvalsh(_item_correlation(base))[::-1]
    share = float(eigenvalues[0] / eigenvalues.sum())
    rows = [("harman_share", share), ("eigenvalues_above_one", float((eigenvalues > 1).sum()))]
    high = names[table["vif"].to_numpy() > LIMIT]
    if len(high):
        said = [message("further.collinear_high", names=[base.label(n) for n in high],
                        highest=float(table["vif"].max()), limit=LIMIT)]  # fmt: skip
    else:
        said = [message("further.collinear_low", highest=float(table["vif"].max()), limit=LIMIT)]
    if corrected is not None:
        hard = [base.label(n) for n in names[corrected > CORRECTED_LIMIT]]
        said.append(
            message("further.factors_overlap", names=hard, highest=float(corrected.max()),
                    limit=CORRECTED_LIMIT) if hard
            else message("further.factors_apart", limit=CORRECTED_LIMIT)
        )  # fmt: skip
    elif not base.survey.model.parents:
        said.append(message("further.factors_none"))
    kind = "half" if share >= 0.5 else "less"
    said.append(message(f"further.harman_{kind}", share=share, count=int(rows[1][1])))
    tables = {"collinearity_full": table}
    column = marker or base.survey.model.marker
    changed = False
    if column:
        extra, r_marker, told, changed = _marked(base, column)
        rows.append(("marker_correlation", r_marker))
        tables |= extra
        said += told
    else:
        said.append(message("further.no_marker"))
    if not len(high) and share < 0.5 and not changed:
        said.append(message("further.method_not_shown"))
    tables["method_bias"] = pd.DataFrame(rows, columns=["check", "value"])
    return Section("common_method", tables, tuple(said))


def _item_correlation(base: Base) -> np.ndarray:
    source, _ = base.fitter
    covariance = source.moments(np.ones((1, source.units), dtype=np.int8))[1][0]
    deviation = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(deviation, deviation))


def _disattenuated(base: Base) -> np.ndarray | None:
    """VIFs of the constructs of consistent PLS, where they exist."""
    if base.survey.model.parents:
        return None
    source, _ = base.fitter
    mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
    fit = fit_pls(base.model, mean, covariance, scheme=base.scheme, estimator="plsc")
    correlation = fit.construct_correlation
    if not fit.admissible[0] or np.linalg.eigvalsh(correlation[0])[0] <= 0:
        return None
    return np.asarray(full_collinearity(correlation)[0])


def _marked(base: Base, column: str) -> tuple[dict[str, pd.DataFrame], float, list[Message], bool]:
    """Correlations and paths less the marker's part."""
    model = base.model
    names = np.array(model.construct_names)
    answers = base.column(column, "marker")
    known = np.isfinite(answers)
    weight = base.mass[known]
    both = np.column_stack([answers[known], base.scores[known]])
    spread = np.cov(both, rowvar=False, aweights=weight)
    deviation = np.sqrt(np.diag(spread))
    with_marker = (spread / np.outer(deviation, deviation))[0, 1:]
    positive = with_marker[with_marker > 0]
    r_marker = float(positive.min()) if len(positive) else 0.0
    own = base.found.construct_correlation[0]
    star = partialled(own.copy(), r_marker)
    first, second = np.tril_indices(len(names), -1)
    number = base.survey.effective_rows
    t = star[first, second] * np.sqrt((number - 3) / (1 - star[first, second] ** 2))
    correlations = pd.DataFrame({
        "construct_1": names[first], "construct_2": names[second],
        "correlation": own[first, second], "corrected": star[first, second],
        "t": t, "p": 2 * stats.t.sf(np.abs(t), number - 3),
    })  # fmt: skip
    paths, _ = Regressions(model.adjacency)(star[:, :, None])
    a, b = np.nonzero(model.adjacency)
    told = pd.DataFrame({
        "source": names[a], "target": names[b], "estimate": base.found.paths[0][a, b],
        "corrected": paths[a, b, 0],
    })  # fmt: skip
    told["difference"] = told["corrected"] - told["estimate"]
    largest = told.iloc[int(told["difference"].abs().argmax())]
    turned = (told["corrected"] * told["estimate"] < 0) & (told["estimate"].abs() > 0.05)
    lost = correlations["p"] > 1 - base.bootstrap.level
    shown = {"marker": column, "r": r_marker}
    if not len(positive):
        said = message("further.marker_negative", marker=column)
    elif turned.any() or lost.any():
        said = message("further.marker_changes", lost=int(lost.sum()), turned=int(turned.sum()),
                       **shown)  # fmt: skip
    else:
        said = message(
            "further.marker_keeps", source=base.label(largest["source"]),
            target=base.label(largest["target"]), estimate=largest["estimate"],
            corrected=largest["corrected"], **shown,
        )  # fmt: skip
    tables = {"marker_correlations": correlations, "marker_paths": told}
    return tables, r_marker, [said], bool(turned.any() or lost.any())
