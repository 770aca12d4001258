"""What a covariance model would gain: modification indices, and score tests of equalities."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.sem.equations import CovarianceFit
from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, Floats, Layout
from cvlib.satisfaction.sem.least_squares import residuals
from cvlib.satisfaction.sem.likelihood import evaluate, implied
from cvlib.satisfaction.sem.optimum import polished
from cvlib.words.message import message

SHOWN = float(stats.chi2.isf(0.05, 1))  # 3.84


def modification_indices(fit: CovarianceFit) -> pd.DataFrame:
    """What freeing each fixed parameter alone would take from χ², and the value it would take.

    ``MI = N g²/h`` and ``EPC = -g/h``, h = H₂₂ - H₂₁ H₁₁⁻¹ H₁₂, of gradient g and expected Hessian
    H of half the discrepancy. With least squares (also of ordered answers, there without correction
    of the test) g is taken times (N - 1)/N, as lavaan does. A model changed by the largest of many
    is exploratory.

    Parameters
    ----------
    fit : CovarianceFit
        Of one group, complete answers; by maximum likelihood, or by least squares with weights
        under which the statistic has a known distribution.

    Returns
    -------
    DataFrame
        lhs, op, rhs, mi, epc, epc_standardised, p, the largest first: loadings on other
        constructs, residual covariances of items and of constructs, paths that close no circle.

    Raises
    ------
    InputError
        For several groups, missing answers or unweighted least squares.

    References
    ----------
    Sörbom (1989), Psychometrika 54:371-384 [M]; Saris, Satorra & Sörbom (1987), Sociological
    Methodology 17:105-129 (EPC) [M]. Checked against R lavaan.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.sem("mobi", "acsi", modification=True)
    >>> table = found.extra["modification_indices"]
    >>> bool((table["mi"] > 3.84).all())
    True
    """
    layout = fit.problem.layout
    if fit.weight is None and fit.casewise is not None:
        raise InputError(
            "modification indices",
            message("refusals.are_not_offered_with_unweighted"),
            message("refusals.set_standard_errors_to_ml"),
        )
    if layout.groups > 1 or not fit.problem.complete:
        raise InputError("modification indices", message("refusals.are_offered_for_one_group"),
                         message("refusals.fit_the_groups_one_by_2"))  # fmt: skip
    candidates = _candidates(layout)
    names = layout.names
    added = len(candidates)
    free = layout.parameters
    wide = replace(
        layout,
        matrix=np.concatenate([layout.matrix, [m for m, *_ in candidates]]).astype(np.int64),
        row=np.concatenate([layout.row, [r for _, r, *_ in candidates]]).astype(np.int64),
        col=np.concatenate([layout.col, [c for _, _, c, _ in candidates]]).astype(np.int64),
        operator=(*layout.operator, *[op for *_, op in candidates]),
        parameter=np.hstack([layout.parameter, free + np.arange(added)[None]]),
        value=np.hstack([layout.value, np.zeros((1, added))]),
        relative=np.concatenate([layout.relative, np.zeros(added)]),
        from_sample=np.concatenate([layout.from_sample, np.zeros(added, dtype=bool)]),
    )
    index, change = _score(*_derivatives(fit, wide), free, fit.problem.n)
    model = implied(layout, fit.optimum.theta[None], fit.problem.moments)
    total = np.sqrt(np.diag(model.covariance[0, 0]))
    own = np.sqrt(np.diag(model.residual[0, 0]))
    rows = []
    for (matrix, row, col, op), mi, epc in zip(candidates, index, change, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = total[col] / total[row] if matrix == ARROW else 1 / (own[row] * own[col])
        ends = (names[col], op, names[row]) if op == "=~" else (names[row], op, names[col])
        rows.append((*ends, mi, epc, epc * scale, stats.chi2.sf(mi, 1)))
    table = pd.DataFrame(
        rows, columns=["lhs", "op", "rhs", "mi", "epc", "epc_standardised", "p"]
    ).dropna(subset="mi")  # fmt: skip
    return table.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


def score_tests(fit: CovarianceFit) -> pd.DataFrame:
    """Whether each equality of parameters is at odds with the answers, and all together.

    Parameters
    ----------
    fit : CovarianceFit
        By maximum likelihood, with parameters that stand in several places.

    Returns
    -------
    DataFrame
        parameter, equal_to, chi2, df, p: one row per equality released alone, then "all". Empty
        where nothing is equal.

    References
    ----------
    Bentler & Chou (1992), Sociological Methods & Research 21:259-282 [M]. Checked against R lavaan.

    Examples
    --------
    >>> import cvlib as cv
    >>> from cvlib.satisfaction.sem.equations import fit_covariance
    >>> answers = cv.load("mobi").data
    >>> score_tests(fit_covariance("q =~ PERQ1 + a*PERQ2 + a*PERQ3 + PERQ4", answers))["df"].item()
    1
    """
    layout, theta = fit.problem.layout, polished(fit.problem, fit.optimum.theta)
    free = layout.parameter >= 0
    places = np.argwhere(free)
    # a parameter of its own for every place, and how the fit ties them
    split = np.full(layout.parameter.shape, -1)
    split[free] = np.arange(len(places))
    tie = layout.parameter[free][:, None] == np.arange(layout.parameters)
    own = evaluate(replace(layout, parameter=split), theta[layout.parameter[free]][None],
                   fit.problem.moments)  # fmt: skip
    gradient, hessian = own.gradient[0] / 2, own.hessian[0] / 2
    later = [k for k in range(len(places)) if tie[:k, layout.parameter[free][k]].any()]
    if not later:
        return pd.DataFrame(columns=["parameter", "equal_to", "chi2", "df", "p"])
    n, rows = fit.problem.n, []
    for chosen in [*[[k] for k in later], later]:
        release = np.eye(len(places))[:, chosen]
        both = np.hstack([tie.astype(float), release])
        g, h = both.T @ gradient, both.T @ hessian @ both
        inner = (
            h[layout.parameters :, layout.parameters :]
            - h[layout.parameters :][:, : layout.parameters]
            @ np.linalg.pinv(h[: layout.parameters, : layout.parameters], hermitian=True)
            @ h[: layout.parameters, layout.parameters :]
        )
        score = g[layout.parameters :]
        chi2 = n * float(score @ np.linalg.solve(inner, score))
        names = ("all", "") if len(chosen) > 1 or len(later) == 0 else (
            _named(layout, places[chosen[0]]),
            _named(layout, places[np.flatnonzero(tie[:, layout.parameter[free][chosen[0]]])[0]]),
        )  # fmt: skip
        rows.append((*names, chi2, len(chosen), float(stats.chi2.sf(chi2, len(chosen)))))
    rows = rows[: len(later)] if len(later) == 1 else rows
    return pd.DataFrame(rows, columns=["parameter", "equal_to", "chi2", "df", "p"])


def _derivatives(fit: CovarianceFit, wide: Layout) -> tuple[Floats, Floats]:
    """Gradient and expected Hessian of half the discrepancy, also by what the model leaves out."""
    moments, zeros = fit.problem.moments, np.zeros(wide.parameters - fit.problem.layout.parameters)
    if fit.weight is None:
        theta = np.concatenate([polished(fit.problem, fit.optimum.theta), zeros])
        found = evaluate(wide, theta[None], moments)
        return found.gradient[0] / 2, found.hessian[0] / 2
    sample = moments.covariance[0, 0]
    sample = sample[np.tril_indices(len(sample), -1 if wide.unit else 0)]
    gap, slope = residuals(wide, moments, np.concatenate([fit.optimum.theta, zeros]), sample,
                           diagonal=not wide.unit)  # fmt: skip
    weighted, n = slope.T @ fit.weight, fit.problem.n
    return -(n - 1) / n * (weighted @ gap), weighted @ slope


def _named(layout: Layout, place: Floats) -> str:
    group, at = (int(x) for x in place)
    row, col, op = layout.names[layout.row[at]], layout.names[layout.col[at]], layout.operator[at]
    text = f"{col} =~ {row}" if op == "=~" else f"{row} {op} {col}" if op != "~1" else f"{row} ~ 1"
    return text + f" ({group + 1})" * (layout.groups > 1)


def _score(gradient: Floats, hessian: Floats, free: int, n: int) -> tuple[Floats, Floats]:
    """MI and EPC of every parameter after the free ones."""
    inner = np.linalg.pinv(hessian[:free, :free], hermitian=True)
    cross = hessian[free:, :free]
    left = np.diag(hessian)[free:] - np.einsum("ij,jk,ik->i", cross, inner, cross)
    known = left > 1e-10 * np.diag(hessian)[free:]
    left = np.where(known, left, np.nan)
    g = gradient[free:]
    return n * g**2 / left, -g / left


def _candidates(layout: Layout) -> list[tuple[int, int, int, str]]:
    """(matrix, row, column, operator) of what a model leaves out."""
    q, v = layout.latent, len(layout.names)
    taken = set(zip(layout.matrix.tolist(), layout.row.tolist(), layout.col.tolist(), strict=True))
    taken |= {(m, c, r) for m, r, c in taken if m == COVARIANCE}
    arrows = [(r, c) for m, r, c in taken if m == ARROW]
    measuring = sorted({c for r, c in arrows if r >= q})
    found = [(ARROW, item, latent, "=~") for latent in measuring for item in range(q, v)]
    found += [(COVARIANCE, a, b, "~~") for a, b in combinations(range(q, v), 2)]
    reach = np.zeros((v, v), dtype=bool)
    for row, col in arrows:
        reach[col, row] = True
    for _ in range(v):
        reach |= reach @ reach
    caused = {r for r, _ in arrows}
    for a, b in combinations(range(q), 2):
        if a in caused and b in caused:
            found.append((COVARIANCE, a, b, "~~"))
        found += [(ARROW, row, col, "~") for row, col in ((a, b), (b, a))
                  if row in caused and not reach[row, col]]  # fmt: skip
    return [place for place in found if place[:3] not in taken]
