"""Contagion: what is lost with a customer whose leaving makes others leave"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, whole
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.decisions.network import credit_shares, read_network
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message

_EXACT = 15  # edges up to which all their states are enumerated


def contagion_loss(
    customers: Any,
    edges: Any,
    hazard: float = 0.2,
    *,
    draws: int = 2000,
    sources: int = 10,
    as_given: bool = False,
    seed: int = resample.SEED,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Expected loss of lifetime value when a customer goes and takes others along.

    Independent cascade (Kempe, Kleinberg & Tardos 2003): an edge passes the leaving on with
    probability h·w. Up to 15 edges all states are enumerated, above them drawn.

    Parameters
    ----------
    customers, edges
        As in `network_value`; influence goes from `from` to `to`.
    hazard : float
        h, between 0 and 1 (judged; .2 [P]).
    draws : int
        Edge sets drawn where there are too many to enumerate.
    sources : int
        Customers shown, those of the highest bound first.
    as_given : bool
        Whether weights are probabilities already (then at most 1), or shares are made of them.
    seed : int
        Of the draws.
    reading : Reading
        How files are read.

    Returns
    -------
    Finding
        contagion: customer, clv, expected_loss, std_error (of the simulation; 0 when enumerated),
        upper_bound (I − hW)⁻¹CLV, empty where the series diverges.

    Raises
    ------
    InputError
        As `network_value`; a weight above 1 where weights are probabilities.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.contagion_loss("network_customers", "network_ties")["contagion"]
    >>> bool((found["expected_loss"] >= found["clv"]).all())
    True
    """
    from scipy import sparse

    number("hazard", hazard, 0, 1)
    whole("draws", draws, 100)
    ids, clv, ties = read_network(customers, edges, reading)
    a, b = ties["from"].to_numpy(), ties["to"].to_numpy()
    if as_given:
        if (ties["weight"] > 1).any():
            raise InputError(
                "weight", message("refusals.is_above_no_probability"), message("refusals.give_to")
            )
        w = ties["weight"].to_numpy(float)
        matrix = sparse.csc_matrix((w, (a, b)), shape=(len(ids),) * 2)
    else:
        matrix = credit_shares(len(ids), ties)
        w = np.asarray(matrix[a, b]).ravel()
    bound = _bound(matrix, clv, hazard)
    order = np.lexsort((np.arange(len(ids)), -(clv if bound is None else bound)))[:sources]
    chance = hazard * w
    if len(w) <= _EXACT:
        states = (np.arange(2 ** len(w))[:, None] >> np.arange(len(w))) & 1 == 1
        weight = np.where(states, chance, 1 - chance).prod(axis=1)
    else:
        states = resample.generator(seed, 82).random((draws, len(w))) < chance
        weight = np.full(draws, 1 / draws)
    into = sparse.csr_matrix((np.ones(len(w)), (np.arange(len(w)), b)), shape=(len(w), len(ids)))
    rows = []
    for source in order:
        lost = _reached(states, a, into, int(source), len(ids)) @ clv
        mean = float(clv[source] + weight @ (lost - clv[source]))
        error = 0.0 if len(w) <= _EXACT else float(lost.std(ddof=1) / len(lost) ** 0.5)
        rows.append(
            [ids[source], clv[source], mean, error, bound[source] if bound is not None else np.nan]
        )
    table = pd.DataFrame(
        rows, columns=["customer", "clv", "expected_loss", "std_error", "upper_bound"]
    ).sort_values(["expected_loss", "customer"], ascending=[False, True], ignore_index=True)
    first = table.iloc[0]
    half = resample.reach(0.95) * first["std_error"]
    said = message(
        "decisions.contagion", customer=first["customer"], loss=first["expected_loss"],
        low=first["expected_loss"] - half, high=first["expected_loss"] + half, clv=first["clv"],
        hazard=hazard,
    )  # fmt: skip
    warned = [] if bound is not None else [message("decisions.contagion_no_bound")]
    return Finding({"contagion": table}, said, tuple(warned))


def _bound(matrix: Any, clv: np.ndarray, hazard: float) -> np.ndarray | None:
    """(I − hW)⁻¹CLV where every term of the series counts, that is where it converges."""
    from cvlib.lifetime.decisions.network import influenced_value, spectral_radius

    columns = float(np.asarray(matrix.sum(axis=0)).max(initial=0.0))
    if hazard * columns >= 1 and not hazard * spectral_radius(matrix) < 1:
        return None
    return influenced_value(matrix, clv, hazard)


def _reached(states: np.ndarray, a: np.ndarray, into: Any, source: int, nodes: int) -> np.ndarray:
    """(states, customers) who is gone in the end."""
    gone = np.zeros((len(states), nodes), dtype=bool)
    gone[:, source] = True
    while True:
        more = gone | ((states & gone[:, a]).astype(np.float32) @ into > 0)
        if (more == gone).all():
            return gone
        gone = more
