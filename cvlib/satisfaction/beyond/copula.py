"""Endogeneity by Gaussian copulas: what paths become when a cause may share the error term."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.satisfaction.beyond.base import Base, needs_composites
from cvlib.satisfaction.beyond.section import Section
from cvlib.words.message import Message, message

FEWEST, LEAST_SKEWNESS = 1000, 0.8  # below either the answer is "cannot tell" [P]
VARIANTS = ("pg", "adj")


def copula_term(values: np.ndarray, counts: np.ndarray, variant: str = "adj") -> np.ndarray:
    """Normal scores of the empirical distribution: ``P* = normal quantile of H(P)``.

    Parameters
    ----------
    values : ndarray (n,)
        The suspected cause.
    counts : ndarray (n,)
        How often each respondent counts.
    variant : {"pg", "adj"}
        H is the share of answers up to the value; a share of 1 becomes n / (n + 1) ("pg"), or all
        shares are moved to ``1 / 2n + (n - 1) / n · share`` ("adj").

    Returns
    -------
    ndarray (n,)

    References
    ----------
    Park & Gupta (2012), Marketing Science 31:567-586, eq. 10; Becker, Proksch & Ringle (2022),
    Journal of the Academy of Marketing Science 50:46-66; Liengaard et al. (2024), Journal of the
    Academy of Marketing Science (the adjusted distribution). [M]
    """
    rounded = np.round(values, 10)  # scores equal on paper are one value
    _, place = np.unique(rounded, return_inverse=True)
    total = counts.sum()
    share = np.cumsum(np.bincount(place, counts))[place] / total
    if variant == "adj":
        share = 1 / (2 * total) + (total - 1) / total * share
    else:
        share = np.where(share >= 1 - 1e-12, total / (total + 1), share)
    return np.asarray(stats.norm.ppf(np.clip(share, 1e-12, 1 - 1e-12)))


def corrected(
    target: np.ndarray, causes: np.ndarray, suspect: int, counts: np.ndarray,
    variant: str = "adj", two_stage: bool = False,
) -> np.ndarray:  # fmt: skip
    """Coefficients of a regression with a copula term for one cause.

    Parameters
    ----------
    target : ndarray (n,)
        The effect's score.
    causes : ndarray (n, c)
        Scores of its causes.
    suspect : int
        Which of them may share the error term.
    counts : ndarray (n,)
        How often each respondent counts.
    variant : {"pg", "adj"}
        As in `copula_term`.
    two_stage : bool
        The term is what the other causes' own terms leave of the suspect's (2sCOPE).

    Returns
    -------
    ndarray (c + 1,)
        Coefficients of the causes, then of the copula term.

    References
    ----------
    Park & Gupta (2012), Marketing Science 31:567-586; Yang, Qian & Xie (2SCOPE). [M]
    """
    term = copula_term(causes[:, suspect], counts, variant)
    root = np.sqrt(counts)[:, None]
    if two_stage and causes.shape[1] > 1:
        others = [copula_term(causes[:, k], counts, variant) for k in range(causes.shape[1])
                  if k != suspect]  # fmt: skip
        design = np.column_stack([np.ones(len(term)), *others])
        slope = np.linalg.lstsq(design * root, term * root[:, 0])[0]
        term = term - design @ slope
    design = np.column_stack([np.ones(len(target)), causes, term])
    return np.asarray(np.linalg.lstsq(design * root, target * root[:, 0])[0][1:])


def endogeneity(base: Base) -> Section:
    """Every path with the copula term of its cause, and first whether the method can tell at all.

    Parameters
    ----------
    base : Base
        Estimator "pls".

    Returns
    -------
    Section
        Table `copula`: source, target, path (as estimated), corrected (adjusted distribution),
        corrected_2scope, the copula term of 2sCOPE with inference through the PLS bootstrap, rows,
        skewness, normality_p, residual_p, verdict (cannot_tell, found, not_found). It never
        replaces the main paths.

    References
    ----------
    Hult, Hair, Proksch, Sarstedt, Pinkwart & Ringle (2018), Journal of International Marketing
    26(3):1-21; Becker, Proksch & Ringle (2022), JAMS 50:46-66; Eckert & Hohberger (2023), Journal
    of Management 49:1460-1495.
    """
    needs_composites(base, "copula")
    model = base.model
    scores, names = base.scores, model.construct_names
    pairs = [(int(a), int(b)) for a, b in zip(*np.nonzero(model.adjacency), strict=True)]
    pairs.sort(key=lambda pair: (pair[1], pair[0]))
    causes = {b: np.flatnonzero(model.adjacency[:, b]) for _, b in pairs}

    def terms(one: np.ndarray, counts: np.ndarray) -> np.ndarray:
        used = counts > 0
        one, counts = one[used], counts[used]
        found = []
        for a, b in pairs:
            place = int(np.flatnonzero(causes[b] == a)[0])
            plain = corrected(one[:, b], one[:, causes[b]], place, counts)
            both = corrected(one[:, b], one[:, causes[b]], place, counts, two_stage=True)
            found += [plain[place], both[place], both[-1]]
        return np.array(found)

    estimate = terms(scores, base.mass).reshape(len(pairs), 3)
    draws = base.by_rows(terms, 3 * len(pairs))
    keys = pd.DataFrame({
        "source": [names[a] for a, _ in pairs], "target": [names[b] for _, b in pairs],
        "path": [base.found.paths[0][pair] for pair in pairs],
        "corrected": estimate[:, 0], "corrected_2scope": estimate[:, 1],
    })  # fmt: skip
    if draws is not None:
        keys["corrected_2scope_std_error"] = draws[:, 1::3].std(axis=0, ddof=1)
    table = base.summary(keys, estimate[:, 2], None if draws is None else draws[:, 2::3])
    rows = base.survey.effective_rows
    table["rows"] = int(rows)
    table["skewness"] = [_skewness(scores[:, a], base.mass) for a, _ in pairs]
    table["normality_p"] = [float(stats.shapiro(scores[:, a]).pvalue) for a, _ in pairs]
    residual = {}
    for b, own in causes.items():
        left = scores[:, b] - scores[:, own] @ base.found.paths[0][own, b]
        residual[b] = float(stats.shapiro(left).pvalue)
    table["residual_p"] = [residual[b] for _, b in pairs]
    told = [rows >= FEWEST and abs(skew) >= LEAST_SKEWNESS for skew in table["skewness"]]
    alpha = 1 - base.bootstrap.level
    table["verdict"] = [
        verdict_of(enough, row.get("p", np.nan), alpha)
        for enough, row in zip(told, table.to_dict("records"), strict=True)
    ]
    return Section("copula", {"copula": table}, tuple(_said(base, table, rows)))


def verdict_of(can_tell: bool, p: float, alpha: float) -> str:
    """cannot_tell, found or not_found; never that there is no endogeneity."""
    if not can_tell or not np.isfinite(p):
        return "cannot_tell"
    return "found" if p < alpha else "not_found"


def _skewness(values: np.ndarray, mass: np.ndarray) -> float:
    centred = values - np.average(values, weights=mass)
    return float(np.average(centred**3, weights=mass)
                 / np.average(centred**2, weights=mass) ** 1.5)  # fmt: skip


def _said(base: Base, table: pd.DataFrame, rows: float) -> list[Message]:
    said = []
    silent = table[table["verdict"] == "cannot_tell"]
    if len(silent):
        kind = "few" if rows < FEWEST else "symmetric"
        if rows >= FEWEST and (silent["skewness"].abs() >= LEAST_SKEWNESS).all():
            kind = "no_draws"
        said.append(message(
            f"further.copula_{kind}", count=len(silent), total=len(table), rows=int(rows),
            fewest=FEWEST, skewness=LEAST_SKEWNESS,
            names=list(dict.fromkeys(base.label(name) for name in silent["source"])),
        ))  # fmt: skip
    for name in ("found", "not_found"):
        own = table[table["verdict"] == name]
        if len(own):
            pairs = [message("further.pair", source=base.label(a), target=base.label(b))
                     for a, b in own[["source", "target"]].itertuples(index=False)]  # fmt: skip
            said.append(message(f"further.copula_{name}", pairs=pairs))
    said.append(message("further.copula_limits"))
    return said
