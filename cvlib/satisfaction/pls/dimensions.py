"""What is reported of the dimensions of higher-order constructs, beside the second order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from cvlib.satisfaction import index as scoring
from cvlib.satisfaction import measurement
from cvlib.satisfaction.measurement import Measure
from cvlib.satisfaction.model.higher_order import disjoint_first, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import tables
from cvlib.satisfaction.pls.higher_order import StagedFit

_OWN = ("loading", "weight", "alpha", "rho_a", "rho_c", "ave", "htmt", "htmt2", "index")
_PREFIX = "dimension_"


def statistics(model: Model) -> dict[str, Measure]:
    """Quantities of the dimensions, as those of `tables.statistics`; none without parents.

    HTMT is that of pairs with a dimension in them.
    """
    if not model.parents:
        return {}
    whole, below = tables.statistics(disjoint_first(model)), _below(model)

    def of_first(function: Callable[..., np.ndarray], chosen: np.ndarray) -> Measure:
        return kept, lambda fit: function(fit.first)[:, chosen]

    found = {}
    for name in _OWN:
        keys, function = whole[name]
        columns = [c for c in ("construct", "construct_1", "construct_2") if c in keys]
        chosen = keys[columns].isin(below).any(axis=1).to_numpy()
        kept = keys[chosen].reset_index(drop=True)
        found[_PREFIX + name] = of_first(function, chosen)
    return found


def joined(
    model: Model,
    fit: StagedFit,
    result: Mapping[str, pd.DataFrame],
    inferred: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """The tables of both orders in one, and two of their own.

    Parameters
    ----------
    model : Model
        With parents.
    fit : StagedFit
        Of the data (B = 1).
    result : mapping
        Tables of the second order, as `tables.assembled` gives them.
    inferred : mapping
        Name of a quantity of `statistics` to its keys with estimate and inference.

    Returns
    -------
    tables : dict of DataFrame
        loadings, index, reliability, htmt, fornell_larcker, cross_loadings, vif and
        construct_correlations, the rows of the dimensions after those of the second order. HTMT
        holds no pair of two dimensions of one parent.
    own : dict of DataFrame
        higher_order: construct, dimension, mode, stages, loading, weight and their inference, vif.
        htmt_dimensions: the pairs of dimensions of one parent, which need not differ.
    """
    first_model, first, below = disjoint_first(model), fit.first, _below(model)
    assert first is not None
    own = {name.removeprefix(_PREFIX): table for name, table in inferred.items()
           if name.startswith(_PREFIX)}  # fmt: skip
    measured = measurement.tables(first_model, first, _whole(first_model, first, own))
    parent = {name: p.name for p in model.parents for name in p.dimensions}

    def added(name: str, table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([result[name], table], ignore_index=True)

    index = own["index"].drop(columns=["t", "p"], errors="ignore")
    ratios = measurement.htmt_table(own["htmt"], own["htmt2"], measurement.formative(first_model))
    sisters = np.array([a in parent and parent[a] == parent.get(b)
                        for a, b in zip(ratios["construct_1"], ratios["construct_2"],
                                        strict=True)], dtype=bool)  # fmt: skip
    inner = measured["vif"]
    names = np.array(first_model.construct_names)
    a, b = np.tril_indices(len(names), -1)
    pairs = pd.DataFrame({"construct_1": names[a], "construct_2": names[b],
                          "correlation": first.construct_correlation[0][a, b]})  # fmt: skip
    criterion = measured["fornell_larcker"]
    either = ["construct_1", "construct_2"]
    found = {
        "loadings": added("loadings", tables.loadings_table(own)),
        "index": added("index", index.rename(columns={"estimate": "index"})),
        "reliability": added(
            "reliability", measured["reliability"].query("construct in @below")
        ),
        "htmt": added("htmt", ratios[~sisters]),
        "fornell_larcker": added(
            "fornell_larcker", criterion[criterion[either].isin(below).any(axis=1)]
        ),
        "cross_loadings": _crossed(model, fit),
        "vif": added("vif", inner[(inner["kind"] == "item") & inner["construct"].isin(below)]),
        "construct_correlations": added(
            "construct_correlations", pairs[pairs[either].isin(below).any(axis=1)]
        ),
    }  # fmt: skip
    kinds = {p.name: p for p in model.parents}
    order = result["loadings"][result["loadings"]["construct"].isin(kinds)]
    order = order.rename(columns={"item": "dimension"}).reset_index(drop=True)
    order.insert(2, "mode", [kinds[name].mode for name in order["construct"]])
    order.insert(3, "stages", [kinds[name].stages for name in order["construct"]])
    order = order.merge(
        result["vif"].query("kind == 'item'")
        .rename(columns={"predictor": "dimension"})[["construct", "dimension", "vif"]],
        how="left",
    )  # fmt: skip
    return found, {"higher_order": order,
                   "htmt_dimensions": ratios[sisters].reset_index(drop=True)}  # fmt: skip


def scores(model: Model, fit: StagedFit, complete: np.ndarray, rows: pd.Index) -> pd.DataFrame:
    """Individual scores 0-100 of all constructs, the dimensions last."""
    assert fit.first is not None and fit.lift is not None and fit.offset is not None
    shown, measured = second_order(model), disjoint_first(model)
    lower = scoring.index_scores(
        measured, complete, scoring.index_values(measured, fit.first), rows
    )
    upper = scoring.index_scores(
        shown, complete @ fit.lift[0] + fit.offset[0], scoring.index_values(shown, fit), rows
    )
    return pd.concat([upper, lower[_below(model)]], axis=1)


def _below(model: Model) -> list[str]:
    return [name for parent in model.parents for name in parent.dimensions]


def _whole(model: Model, fit: object, own: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every quantity `measurement.tables` asks for, with inference where the dimensions have it."""
    found = {}
    for name, (keys, function) in measurement.measures(model).items():
        plain = keys.assign(estimate=function(fit)[0])
        columns = list(keys)
        extra = own[name].drop(columns="estimate")
        found[name] = plain.merge(extra, on=columns, how="left")
    return found


def _crossed(model: Model, fit: StagedFit) -> pd.DataFrame:
    """Correlations of every item and every dimension's score with every construct's score."""
    assert fit.first is not None and fit.lift is not None
    first, shown, measured = fit.first, second_order(model), disjoint_first(model)
    below = [measured.construct_names.index(name) for name in _below(model)]
    deviation = first.standard_deviation[0]
    lower = (first.weights[0] / deviation)[:, None] * measured.membership
    upper = fit.lift[0] @ ((fit.weights[0] / fit.standard_deviation[0])[:, None] * shown.membership)
    scores = np.hstack([upper, lower[:, below]])
    rows = np.hstack([np.eye(len(deviation)), lower[:, below]])
    covariance = first.item_correlation[0] * np.outer(deviation, deviation)
    crossed = rows.T @ covariance @ scores
    spread = [np.sqrt(np.einsum("pi,pq,qi->i", part, covariance, part)) for part in (rows, scores)]
    constructs = [*shown.construct_names, *_below(model)]
    items = [*measured.items, *_below(model)]
    return pd.DataFrame({
        "item": np.repeat(items, len(constructs)),
        "construct": np.tile(constructs, len(items)),
        "loading": (crossed / np.outer(*spread)).ravel(),
    })  # fmt: skip
