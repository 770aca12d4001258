"""Network value: what customers are worth by whom they influence, and who holds it together"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.checks import fault
from cvlib.inputs.choices import number
from cvlib.inputs.columns import enough_rows, labels, once, opened, within
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message

CURVE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
_TOP, _DROPPED, _DRAWS = 10, 0.10, 200
_MOST_DRAWN = 150  # nodes a chart can show
_MOST_NODES = 2000  # betweenness takes nodes × edges


def network_value(
    customers: Any,
    edges: Any,
    influence: float = 0.2,
    *,
    directed: bool = True,
    seed: int = resample.SEED,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Own, network and attributed value of customers, and their place in the network.

    V = (I − δW)⁻¹ CLV with W[i, j] the share of j's value credited to i, its columns adding up to
    1 (0 for who is under nobody's influence). ΣV exceeds ΣCLV, for value is counted along the
    way: the attributed value A_i = V_i (1 − δ Σ_k w_ki) adds up to ΣCLV exactly.

    Parameters
    ----------
    customers : str, Path, DataFrame or Table
        id, clv.
    edges : str, Path, DataFrame or Table
        from, to (ids), weight (≥ 0): from influences to.
    influence : float
        δ, the share of a customer's value that those who influence it are credited with, below 1
        (judged; .2 [P]).
    directed : bool
        Whether influence goes one way only, or both.
    seed : int
        Of the edges dropped.
    reading : Reading
        How files are read.

    Returns
    -------
    Finding
        network_value: customer, clv, network_value, attributed_value, rank_own, rank_network,
        degree, betweenness, constraint, value_within_2, value_cut_off. network_totals: measure,
        value. network_curve: influence, network_value (in all), top_kept (share of the first ten
        at the influence given). network_edges: from_code, to_code, weight, share.

    Raises
    ------
    InputError
        An unknown id, an edge from a customer to itself, a negative weight: with file, column, row.

    Notes
    -----
    Connected customers resemble each other: homophily is not influence. Resampling customers would
    break the network and gives no interval; dropping a tenth of the edges [P] stands for one.

    References
    ----------
    Katz (1953) Psychometrika 18:39-43; Leontief (1941); Burt (1992) Structural Holes; brokerage by
    networkx, on ties without direction.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.network_value("network_customers", "network_ties")["network_value"]
    >>> bool(abs(found["attributed_value"].sum() - found["clv"].sum()) < 1e-6)
    True
    """
    number("influence", influence, 0, 1, ends="[)")
    ids, clv, ties = read_network(customers, edges, reading)
    shares = credit_shares(len(ids), ties, directed)
    value = influenced_value(shares, clv, influence)
    attributed = value * (1 - influence * np.asarray(shares.sum(axis=0)).ravel())
    place = _places(len(ids), clv, ties, directed)
    rows = pd.DataFrame(
        {
            "customer": ids, "clv": clv, "network_value": value, "attributed_value": attributed,
            "rank_own": _rank(clv), "rank_network": _rank(value), **place,
        }
    )  # fmt: skip
    top = min(_TOP, max(1, len(ids) // 3))
    curve = pd.DataFrame(
        [
            {"influence": delta, "network_value": float(each.sum()),
             "top_kept": _kept(value, each, top)}
            for delta in CURVE
            for each in [influenced_value(shares, clv, delta)]
        ]
    )  # fmt: skip
    rng, kept = resample.generator(seed, 81), []
    for _ in range(_DRAWS):
        stay = ties[rng.random(len(ties)) >= _DROPPED]
        again = influenced_value(credit_shares(len(ids), stay, directed), clv, influence)
        kept.append(_kept(value, again, top))
    facts = {
        "customers": len(ids), "edges": len(ties), "sum_clv": clv.sum(),
        "sum_network_value": value.sum(), "sum_attributed_value": attributed.sum(),
        "spectral_radius": spectral_radius(shares), "top": top, "top_kept": float(np.mean(kept)),
    }  # fmt: skip
    shown = ties.assign(
        from_code=np.asarray(ids)[ties["from"]], to_code=np.asarray(ids)[ties["to"]]
    )
    rows = rows.sort_values(
        ["network_value", "customer"], ascending=[False, True], ignore_index=True
    )
    drawn = rows if "x" in rows else None
    tables = {
        "network_value": rows.drop(columns=["x", "y"], errors="ignore"),
        "network_totals": pd.DataFrame({"measure": list(facts), "value": list(facts.values())}),
        "network_curve": curve,
        "network_edges": shown[["from_code", "to_code", "weight"]],
    }
    return Finding(
        tables,
        _sentence(rows, facts, influence),
        (message("decisions.homophily"),),
        {**facts, "drawn": drawn},
    )


def read_network(
    customers: Any, edges: Any, reading: Reading = AS_IT_IS
) -> tuple[list[str], np.ndarray, pd.DataFrame]:
    """Ids, lifetime values, and edges as places (from, to, weight), checked.

    Raises
    ------
    InputError
        As `network_value` says.
    """
    people, ties = opened(customers, reading), opened(edges, reading)
    ids = labels(people, "id")
    once(people, ["id"])
    clv = within(people, "clv").to_numpy(float)
    enough_rows(people, len(ids), 2, "customers")
    ends = {side: labels(ties, side) for side in ("from", "to")}
    place = {name: at for at, name in enumerate(ids)}
    for side, names in ends.items():
        unknown = ~names.isin(place)
        if unknown.any():
            raise fault(
                ties,
                side,
                unknown,
                message("refusals.is_no_id_of_the", value="{value}"),
                message("refusals.add_the_customer"),
            )
    own = ends["from"] == ends["to"]
    if own.any():
        raise fault(
            ties,
            "from",
            own,
            message("refusals.is_tied_to_itself", value="{value}"),
            message("refusals.leave_the_row_out"),
        )
    weight = (
        within(ties, "weight", 0).to_numpy(float)
        if "weight" in ties.data.columns
        else np.ones(len(own))
    )
    table = pd.DataFrame({side: names.map(place) for side, names in ends.items()})
    return list(ids), clv, table.assign(weight=weight).reset_index(drop=True)


def credit_shares(nodes: int, ties: pd.DataFrame, directed: bool = True) -> Any:
    """W as a sparse matrix: weight ÷ sum of weights into the customer influenced.

    Parameters
    ----------
    nodes : int
        Customers.
    ties : DataFrame
        from, to (places), weight.
    directed : bool
        Whether influence goes one way only.
    """
    from scipy import sparse

    a, b, w = (ties[name].to_numpy() for name in ("from", "to", "weight"))
    if not directed:
        a, b, w = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([w, w])
    raw = sparse.csc_matrix((w.astype(float), (a, b)), shape=(nodes, nodes))
    total = np.asarray(raw.sum(axis=0)).ravel()
    with np.errstate(divide="ignore"):
        return raw @ sparse.diags(np.where(total > 0, 1 / total, 0.0))


def influenced_value(shares: Any, clv: np.ndarray, influence: float) -> np.ndarray:
    """(I − δW)⁻¹ CLV."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    solved: np.ndarray = spsolve(sparse.identity(len(clv), format="csc") - influence * shares, clv)
    return solved


def spectral_radius(shares: Any) -> float:
    """Largest modulus of W's eigenvalues; NaN for networks too large to compute it densely."""
    if shares.shape[0] > _MOST_NODES:
        return np.nan
    return float(np.abs(np.linalg.eigvals(shares.toarray())).max())


def _rank(values: np.ndarray) -> np.ndarray:
    return pd.Series(np.round(values, 9)).rank(ascending=False, method="min").to_numpy(int)


def _kept(before: np.ndarray, after: np.ndarray, top: int) -> float:
    best = [set(np.lexsort((np.arange(len(v)), -np.round(v, 9)))[:top]) for v in (before, after)]
    return len(best[0] & best[1]) / top


def _places(
    nodes: int, clv: np.ndarray, ties: pd.DataFrame, directed: bool
) -> dict[str, np.ndarray]:
    """Brokerage and reach by networkx; betweenness is left out of very large networks."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    for a, b, w in ties.itertuples(index=False):
        before = graph.edges[a, b]["weight"] if graph.has_edge(a, b) else 0.0
        graph.add_edge(a, b, weight=before + w)
    found = {"degree": np.array([graph.degree(node) for node in range(nodes)])}
    if nodes <= _MOST_NODES:
        between = nx.betweenness_centrality(graph)
        narrow = nx.constraint(graph, weight="weight")
        found["betweenness"] = np.array([between[node] for node in range(nodes)])
        found["constraint"] = np.array([narrow[node] for node in range(nodes)])
    ways = graph
    if directed:
        ways = nx.DiGraph()
        ways.add_nodes_from(range(nodes))
        ways.add_edges_from(zip(ties["from"], ties["to"], strict=True))
    found["value_within_2"] = np.array(
        [
            clv[
                [n for n in nx.single_source_shortest_path_length(ways, node, 2) if n != node]
            ].sum()
            for node in range(nodes)
        ]
    )
    if nodes <= _MOST_DRAWN:
        layout = nx.spring_layout(graph, seed=7, weight=None)
        found["x"], found["y"] = np.array([layout[node] for node in range(nodes)]).T
    gone = np.zeros(nodes)
    main = max(nx.connected_components(graph), key=len)
    for node in nx.articulation_points(graph):
        if node in main:
            rest = graph.subgraph(main - {node})
            largest = max(nx.connected_components(rest), key=lambda p: (len(p), -min(p)))
            gone[node] = clv[list(main - {node} - largest)].sum()
    found["value_cut_off"] = gone
    return found


def _sentence(rows: pd.DataFrame, facts: dict[str, Any], influence: float) -> str:
    moved = rows["rank_own"] - rows["rank_network"]
    best = rows.loc[moved.idxmax()]
    kept = {"kept": facts["top_kept"], "top": facts["top"], "influence": influence}
    if moved.max() <= 0:
        return message("decisions.network_same", customers=len(rows), **kept)
    return message(
        "decisions.network_moved", customer=best["customer"], own=int(best["rank_own"]),
        network=int(best["rank_network"]), clv=best["clv"], value=best["network_value"], **kept,
    )  # fmt: skip
