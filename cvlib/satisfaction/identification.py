"""Whether an estimate can be read at all: marks of near-unidentification, for every estimator."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

VIF_LIMIT, VIF_WARNING = 10.0, 5.0  # of a cause among the other causes (Marquardt 1970)
EIGENVALUE = 0.01  # of the construct correlations [P]
LOST = 0.20  # share of draws without an admissible estimate [P]


def identification(
    tables: Mapping[str, pd.DataFrame],
    draws: pd.DataFrame | None = None,
    diagnosis: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The checks of one estimate, the worst case of each.

    Parameters
    ----------
    tables : mapping
        vif, path_coefficients, htmt and construct_correlations of a result.
    draws : DataFrame, optional
        What became of the draws.
    diagnosis : DataFrame, optional
        Of a covariance solution: a variance at its bound counts here too.

    Returns
    -------
    DataFrame
        check, where, value, limit, fires, warns. One that fires forbids a ranking of causes; one
        that warns is a reason for doubt: VIF above 5, HTMT with one inside its interval.

    References
    ----------
    Limits are proposals [P] but for the VIF (Marquardt 1970, Technometrics 12:591-612).
    """
    rows: list[tuple[str, str, float, float, bool, bool]] = []

    def add(check: str, where: str, value: float, limit: float, fires: bool, warns: bool) -> None:
        rows.append((check, where, float(value), limit, bool(fires), bool(warns)))

    vif = tables["vif"]
    causes = vif[vif["kind"] == "antecedent"].dropna(subset="vif") if len(vif) else vif
    if len(causes):
        top = causes.loc[causes["vif"].idxmax()]
        where = f"{top['predictor']} -> {top['construct']}"
        add("vif", where, top["vif"], VIF_LIMIT, top["vif"] > VIF_LIMIT, top["vif"] > VIF_WARNING)
    paths = tables["path_coefficients"].dropna(subset="estimate")
    if len(paths):
        top = paths.loc[paths["estimate"].abs().idxmax()]
        size = abs(top["estimate"])
        add("path", f"{top['source']} -> {top['target']}", size, 1.0, size > 1 + 1e-9, False)
    ratios = tables["htmt"].dropna(subset="htmt") if len(tables["htmt"]) else tables["htmt"]
    if len(ratios):
        top = ratios.loc[ratios["htmt"].idxmax()]
        where = f"{top['construct_1']} × {top['construct_2']}"
        holds = "ci_high" in ratios and bool(
            ((ratios["ci_low"] <= 1) & (ratios["ci_high"] >= 1)).any()
        )
        add("htmt", where, top["htmt"], 1.0, top["htmt"] > 1, holds)
    smallest = _smallest_eigenvalue(tables["construct_correlations"])
    if smallest is not None:
        add("eigenvalue", "", smallest, EIGENVALUE, not smallest >= EIGENVALUE, False)
    if diagnosis is not None and len(diagnosis):
        row = diagnosis.set_index("check").loc["smallest variance share"]
        add("variance", "", row["value"], row["limit"], bool(row["trouble"]), False)
    if draws is not None and len(draws):
        row = draws.iloc[0]
        share = float(row["failed"] + row["inadmissible"]) / float(row["requested"])
        add("draws", "", share, LOST, share > LOST, False)
    return pd.DataFrame(rows, columns=["check", "where", "value", "limit", "fires", "warns"])


def _smallest_eigenvalue(pairs: pd.DataFrame) -> float | None:
    """Of the correlations of the constructs that a model relates to all others."""
    if pairs.empty or pairs["correlation"].isna().any():
        return None if pairs.empty else float("nan")
    both = ["construct_1", "construct_2"]
    names = list(dict.fromkeys(pairs[both].to_numpy().ravel()))
    place = {name: at for at, name in enumerate(names)}
    matrix = np.full((len(names),) * 2, np.nan)
    np.fill_diagonal(matrix, 1.0)
    for row in pairs.itertuples():
        i, j = place[row.construct_1], place[row.construct_2]
        matrix[i, j] = matrix[j, i] = row.correlation
    # dimensions and their parent are correlated elsewhere
    whole = ~np.isnan(matrix).any(axis=0)
    matrix = matrix[np.ix_(whole, whole)]
    return float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) > 1 else None
