"""The analytic hierarchy process: priorities from pairwise judgements, and how consistent they are.

Judgement matrices are DataFrames with the items as index and columns; entry (row, column) says
how many times as important the row item is as the column item; NaN is a judgement not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.inputs.shipped import shipped_yaml
from cvlib.statistics import resample
from cvlib.words.message import Message, joined, message

METHODS = ("eigenvector", "geometric_mean", "column_mean")


@cache
def random_index_tables() -> dict[str, dict[str, Any]]:
    """The named random-index tables: ``source`` and ``values`` by number of items, 3 to 15."""
    text = (resources.files("cvlib.weighting") / "random_index.yaml").read_text("utf-8")
    tables: dict[str, dict[str, Any]] = shipped_yaml(text)
    return tables


def random_index(n: int, table: str = "alonso_lamata", missing: int = 0) -> float:
    """Mean consistency index of random reciprocal matrices of size n.

    Parameters
    ----------
    n : int
        Number of items; 0 is returned for n < 3, where every matrix is consistent.
    table : str
        ``alonso_lamata`` (default), ``saaty_1980``, ``saaty_tran``, ``tummala_ling`` or
        ``donegan_dodd``. Tables end at n = 15; beyond it Alonso and Lamata's linear fit
        (1.7699 n - 4.3513)/(n - 1) is used for their table (within .5 % of simulation to
        n = 25) and the others are refused.
    missing : int
        Judgements not given: the index shrinks by 1 - 2 missing/((n - 1)(n - 2)), to 0 for a
        tree of judgements, which cannot be inconsistent (within 7 % of simulation to n = 8).

    Raises
    ------
    InputError
        Unknown table, or n > 15 with a table that has no published fit.

    References
    ----------
    Alonso, J. A. & Lamata, M. T. (2006). Consistency in the analytic hierarchy process: a new
    approach. Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 14(4), 445-459.
    Ágoston, K. Cs. & Csató, L. (2022). Inconsistency thresholds for incomplete pairwise
    comparison matrices. Omega 108, 102576.
    """
    tables = random_index_tables()
    one_of("random index", table, tables)
    if n < 3:
        return 0.0
    share = 1 - 2 * missing / ((n - 1) * (n - 2))
    if n <= 15:
        return float(tables[table]["values"][n]) * share
    if table != "alonso_lamata":
        raise InputError(
            f"random index {table!r}",
            message("refusals.ends_at_15_items_and", n=n),
            message("refusals.group_the_items_under_more"),
        )
    return (1.7699 * n - 4.3513) / (n - 1) * share


def simulate_random_index(n: int, draws: int, seed: int) -> tuple[float, float]:
    """Mean CI of random reciprocal matrices on the 17-value scale, and its standard error."""
    rng = resample.generator(seed)
    scale = np.concatenate([1 / np.arange(9, 1, -1), np.arange(1, 10)])
    upper = np.triu_indices(n, 1)
    matrices = np.ones((draws, n, n))
    matrices[:, *upper] = rng.choice(scale, (draws, len(upper[0])))
    matrices[:, upper[1], upper[0]] = 1 / matrices[:, *upper]
    ci = (np.linalg.eigvals(matrices).real.max(axis=1) - n) / (n - 1)
    return float(ci.mean()), float(ci.std(ddof=1) / np.sqrt(draws))


def eigenvector(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Principal eigenvector (sum 1) and eigenvalue of judgement matrices.

    Parameters
    ----------
    matrices : ndarray (..., n, n)
        Missing judgements NaN; they are treated by Harker's rule: a zero in their place and
        1 + (number missing in the row) on the diagonal.

    Returns
    -------
    weights : ndarray (..., n)
    lambda_max : ndarray (...)

    References
    ----------
    Saaty, T. L. (1977). J. Mathematical Psychology 15, 234-281.
    Harker, P. T. (1987). Mathematical Modelling 9, 837-848.
    """
    missing = np.isnan(matrices)
    filled = np.where(missing, 0.0, matrices)
    diagonal = np.arange(matrices.shape[-1])
    filled[..., diagonal, diagonal] = 1.0 + missing.sum(axis=-1)
    values, vectors = np.linalg.eig(filled)
    largest = values.real.argmax(axis=-1)[..., None]
    principal = np.take_along_axis(vectors, largest[..., None, :], axis=-1)[..., 0].real
    weights = principal / principal.sum(axis=-1, keepdims=True)
    return weights, np.take_along_axis(values.real, largest, axis=-1)[..., 0]


def geometric_mean(matrices: np.ndarray) -> np.ndarray:
    """Row geometric mean (sum 1); with missing judgements the least squares of their logarithms.

    The logarithms of the weights solve ``L y = r``: L the Laplacian of the graph of given
    judgements, r the row sums of ln a_ij. Complete matrices give the row geometric mean exactly.

    References
    ----------
    Crawford, G. & Williams, C. (1985). J. Mathematical Psychology 29, 387-405.
    Bozóki, S., Fülöp, J. & Rónyai, L. (2010). Math. Computer Modelling 52, 318-333.
    """
    given = ~np.isnan(matrices)
    logs = np.log(np.where(given, matrices, 1.0))
    if given.all():
        centred = logs.mean(axis=-1)
    else:
        n = matrices.shape[-1]
        links = given & ~np.eye(n, dtype=bool)
        laplacian = links.sum(axis=-1)[..., None] * np.eye(n) - links
        centred = (np.linalg.pinv(laplacian) @ logs.sum(axis=-1)[..., None])[..., 0]
    weights = np.exp(centred)
    return weights / weights.sum(axis=-1, keepdims=True)


def column_mean(matrices: np.ndarray) -> np.ndarray:
    """Mean of the normalised columns: the spreadsheet approximation, complete matrices only."""
    if np.isnan(matrices).any():
        raise InputError(
            "method column_mean",
            message("refusals.needs_every_judgement"),
            message("refusals.use_eigenvector_or_geometric_mean"),
        )
    return (matrices / matrices.sum(axis=-2, keepdims=True)).mean(axis=-1)


def priorities(matrices: np.ndarray, method: str) -> np.ndarray:
    """Weights by a method of `METHODS`."""
    if method == "eigenvector":
        return eigenvector(matrices)[0]
    if method == "geometric_mean":
        return geometric_mean(matrices)
    one_of("method", method, METHODS)
    return column_mean(matrices)


def geometric_consistency_index(matrix: np.ndarray) -> float:
    """GCI: residual variance of the logarithms of the judgements around the geometric mean.

    2/((n-1)(n-2)) Σ_{i<j} ln²(a_ij w_j/w_i); with missing judgements the divisor is their
    residual degrees of freedom, which is the same number for a complete matrix.

    References
    ----------
    Aguarón, J. & Moreno-Jiménez, J. M. (2003). Eur. J. Operational Research 147, 137-145.
    """
    n = len(matrix)
    upper = np.triu_indices(n, 1)
    w = geometric_mean(matrix)
    residuals = np.log(matrix * w / w[:, None])[upper]
    freedom = np.count_nonzero(~np.isnan(residuals)) - (n - 1)
    return float(np.nansum(residuals**2) / freedom) if freedom > 0 else 0.0


def acceptable_ratio(n: int) -> float:
    """Largest acceptable consistency ratio: .05 for three items, .08 for four, .10 for more."""
    return {3: 0.05, 4: 0.08}.get(n, 0.10)


def consistency(matrix: pd.DataFrame, table: str = "alonso_lamata") -> dict[str, Any]:
    """Consistency of one judgement matrix.

    Returns
    -------
    dict
        ``n``, ``missing`` (judgements not given), ``lambda_max``, ``ci`` (λmax - n)/(n - 1),
        ``ri_table``, ``ri`` (shrunk for judgements not given), ``cr`` = ci/ri (0 where ri is),
        ``threshold`` (.05 at n = 3, .08 at n = 4, .10 above), ``acceptable`` (cr within it),
        ``acceptable_common`` (cr ≤ .10),
        ``gci`` and ``gci_threshold`` (the value that goes with cr = .10).

    References
    ----------
    Saaty, T. L. (1994). Fundamentals of Decision Making. Thresholds of the GCI: Aguarón &
    Moreno-Jiménez (2003).
    """
    values = matrix.to_numpy(dtype=float)
    n = len(values)
    lambda_max = float(eigenvector(values)[1])
    # a consistent matrix misses n by rounding alone
    excess = lambda_max - n if lambda_max - n > 1e-12 * n else 0.0
    ci = excess / (n - 1) if n > 2 else 0.0
    missing = int(np.isnan(values).sum() // 2)
    ri = random_index(n, table, missing)
    cr = ci / ri if ri > 1e-9 else 0.0
    threshold = acceptable_ratio(n)
    return {
        "n": n,
        "missing": missing,
        "lambda_max": lambda_max,
        "ci": ci,
        "cr": cr,
        "gci": geometric_consistency_index(values),
        "ri_table": table,
        "ri": ri,
        "threshold": threshold,
        "acceptable": cr <= threshold,
        "acceptable_common": cr <= 0.10,
        "gci_threshold": {3: 0.3147, 4: 0.3526}.get(n, 0.370),
    }


def consistency_warnings(checks: list[dict[str, Any]]) -> tuple[str, ...]:
    """Say which matrices are inconsistent, incomplete or beyond the random-index tables."""
    found: list[str] = []
    unacceptable = [check for check in checks if not check["acceptable"]]
    for check in sorted(unacceptable, key=_beside_limit, reverse=True)[:3]:
        found.append(
            message(
                "weighting.inconsistent",
                who=named(check),
                cr=check["cr"],
                limit=check["threshold"],
                items=check["n"],
                table=check["ri_table"],
            )
        )
    total = len(checks)
    if len(unacceptable) > 3:
        found.append(message("weighting.many_inconsistent", count=len(unacceptable), total=total))
    incomplete = [check for check in checks if check["missing"]]
    for check in incomplete[:3]:
        full = check["ci"] / random_index(check["n"], check["ri_table"])
        count = check["missing"]
        found.append(message("weighting.incomplete", who=named(check), count=count, full=full))
    if len(incomplete) > 3:
        found.append(message("weighting.many_incomplete", count=len(incomplete), total=total))
    for n in sorted({check["n"] for check in checks if check["n"] > 15}):
        found.append(message("weighting.beyond_table", items=n, ri=random_index(n)))
    return tuple(found)


def consistency_verdict(checks: pd.DataFrame) -> tuple[float, Message]:
    """Whether every matrix is within the limit of its own size, in a sentence.

    Parameters
    ----------
    checks : pandas.DataFrame
        Rows of `consistency` with ``expert`` and ``node``.

    Returns
    -------
    tuple
        The consistency ratio of the matrix that is furthest above its limit, or closest to it
        (NaN where nothing is compared), and the sentence, with the verdict by the common limit.
    """
    if checks.empty:
        return float("nan"), message("weighting.nothing_compared")
    rows = checks.to_dict("records")
    worst = worst_matrix(checks)
    bad = sum(not row["acceptable"] for row in rows)
    facts = {"cr": worst["cr"], "limit": worst["threshold"], "items": worst["n"]}
    told = message(
        "weighting.consistent_not" if bad else "weighting.consistent_all",
        bad=bad,
        count=len(rows),
        who=named(worst),
        table=worst["ri_table"],
        **facts,
    )
    common = sum(not row["acceptable_common"] for row in rows)
    beside = message("weighting.consistent_common", bad=common, count=len(rows))
    return float(worst["cr"]), joined([told, beside])


def worst_matrix(checks: pd.DataFrame) -> dict[str, Any]:
    """The matrix that is furthest above its own limit, or closest to it, of checks with rows."""
    return max(checks.to_dict("records"), key=_beside_limit)


def _beside_limit(check: Mapping[str, Any]) -> float:
    """A consistency ratio in units of its own limit: the only fair order of nodes of many sizes."""
    return float(check["cr"] / check["threshold"])


def named(check: Mapping[str, Any]) -> Message:
    """The node and, where it is known, the expert of a matrix, as part of a sentence."""
    if check["expert"]:
        return message("weighting.node_of_expert", node=check["node"], expert=check["expert"])
    return message("weighting.node", node=check["node"])
