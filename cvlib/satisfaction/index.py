"""The 0-100 index of every construct, impacts in index points, importance and performance.

Every item is first put on 0-100 of its own scale, so that items with different scales can be
mixed. Formulas take arrays with the draws first: bootstrap intervals re-estimate the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.satisfaction.effects import total_effects
from cvlib.satisfaction.measurement import sums_within
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.solution import Solution
from cvlib.words.message import message

FORMULAS = ("unstandardized", "standardized", "simple")


@dataclass(frozen=True)
class Index:
    """Index values of B fits.

    Attributes
    ----------
    shares : ndarray (B, p)
        Weight of each item within its construct; sums to one per construct.
    values : ndarray (B, k)
        The index, 0-100.
    standard_deviation : ndarray (B, k)
        Of the individual scores, 0-100.
    """

    shares: np.ndarray
    values: np.ndarray
    standard_deviation: np.ndarray


def index_values(model: Model, fit: Solution, formula: str = "unstandardized") -> Index:
    """The index of every construct for every fit.

    ``100 (E[ξ] - min ξ) / (max ξ - min ξ)`` with ``ξ = Σ w x``, which equals the weighted mean of
    items put on 0-100 of their own scale. Weights by formula:

    * "unstandardized" (the default; Fornell et al. 1996): standardised weight over the item's
      standard deviation.
    * "standardized": the standardised weights themselves. A text in circulation says so; it is
      not the ACSI formula and is offered for comparison only.
    * "simple": equal weights.

    Parameters
    ----------
    model : Model
        Gives the scale of every item.
    fit : Solution
        Weights, means and standard deviations of the items.
    formula : {"unstandardized", "standardized", "simple"}
        How items are weighted.

    References
    ----------
    Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4):7-18, appendix.
    """
    one_of("formula", formula, FORMULAS)
    span = (model.maximum - model.minimum) / 100
    mean = (fit.mean - model.minimum) / span
    deviation = fit.standard_deviation / span
    weights = {
        "unstandardized": fit.weights / deviation,
        "standardized": fit.weights,
        "simple": np.where(np.isnan(fit.weights), np.nan, 1.0),
    }[formula]
    membership = model.membership.astype(float)
    shares = weights / sums_within(weights, membership)[:, model.block]
    scaled = shares * deviation
    spread = (scaled[:, :, None] * scaled[:, None]) * fit.item_correlation
    variance = ((spread @ membership) * membership).sum(axis=1)
    return Index(shares, sums_within(shares * mean, membership), np.sqrt(variance))


def negative_weights(model: Model, fit: Solution) -> tuple[str, ...]:
    """A warning for each construct whose index can leave 0-100 because a weight is negative."""
    found = []
    for j, name in enumerate(model.construct_names):
        own = np.flatnonzero(model.membership[:, j] & (fit.weights[0] < 0))
        if own.size:
            items = [message("satisfaction.with_value", name=model.items[i],
                             value=float(fit.weights[0, i])) for i in own]  # fmt: skip
            found.append(message("satisfaction.negative_weight_a", construct=name, items=items))
    return tuple(found)


def index_scores(
    model: Model, values: np.ndarray, index: Index, rows: pd.Index | None = None
) -> pd.DataFrame:
    """Individual scores 0-100, one row per respondent and one column per construct.

    Their (weighted) mean is the index.

    Parameters
    ----------
    model : Model
        Gives the scale of every item.
    values : ndarray (n, p)
        Complete answers in the order of `model.items`, reversed items turned round.
    index : Index
        Of one fit (B = 1).
    rows : Index, optional
        Labels of the respondents.
    """
    scaled = 100 * (values - model.minimum) / (model.maximum - model.minimum)
    scores = scaled @ (index.shares[0][:, None] * model.membership)
    return pd.DataFrame(scores, index=rows, columns=list(model.construct_names))


def unstandardized_effects(paths: np.ndarray, index: Index) -> np.ndarray:
    """Total effects in index points of the target per point of the source, (B, k, k).

    The standardised total effect times the ratio of the two scores' standard deviations on 0-100.
    """
    deviation = index.standard_deviation
    return total_effects(paths) * deviation[:, None] / deviation[:, :, None]


def default_target(model: Model) -> str:
    """The construct an index is usually reported for: satisfaction, or the end of most paths."""
    if "satisfaction" in model.construct_names:
        return "satisfaction"
    return model.construct_names[int(model.adjacency.sum(axis=0).argmax())]


def drivers(model: Model, target: str) -> np.ndarray:
    """Positions of the constructs with a route to the target, causes first."""
    one_of("target", target, model.construct_names, wrong=message("refusals.is_not_a_construct"))
    reach = total_effects(model.adjacency.astype(float)[None])[0]
    position = model.construct_names.index(target)
    return np.array([j for j in model.order if reach[j, position] > 0], dtype=int)


def causes_of(model: Model, target: str) -> list[str]:
    """Names of the constructs with a route to the target, causes first; none is an error."""
    found = [model.construct_names[j] for j in drivers(model, target)]
    if not found:
        raise InputError(
            "target",
            message("refusals.no_path_leads_to", target=target),
            message("refusals.choose_a_construct_with_causes"),
        )
    return found


def measures(model: Model) -> dict[str, tuple[pd.DataFrame, Callable[[Solution], np.ndarray]]]:
    """Quantities that get bootstrap intervals: a table of their keys, and fits to values (B, m).

    index per construct; impacts per pair of constructs with a route from source to target.
    """
    names = np.array(model.construct_names)
    reach = total_effects(model.adjacency.astype(float)[None])[0] > 0
    sources, targets = np.nonzero(reach)

    def impacts(fit: Solution) -> np.ndarray:
        return unstandardized_effects(fit.paths, index_values(model, fit))[:, reach]

    return {
        "index": (
            pd.DataFrame({"construct": names}),
            lambda fit: index_values(model, fit).values,
        ),
        "impacts": (pd.DataFrame({"source": names[sources], "target": names[targets]}), impacts),
    }


def impacts_table(inferred: pd.DataFrame) -> pd.DataFrame:
    """Index points of the target for a rise of the driver's index, from the effect per point.

    Parameters
    ----------
    inferred : DataFrame
        source, target, estimate (points per point) and, where there are draws, std_error, t, p,
        ci_low, ci_high.

    Returns
    -------
    DataFrame
        source, target, impact_1 (per point), impact_5 (per five points, the usual statement of
        ACSI reports [M]), then std_error, t, p, ci_low, ci_high of impact_5.
    """
    table = inferred.rename(columns={"estimate": "impact_1"})
    table.insert(3, "impact_5", 5 * table["impact_1"])
    for column in ("std_error", "ci_low", "ci_high"):
        if column in table:
            table[column] = 5 * table[column]
    return table


def importance_performance_table(
    impacts: pd.DataFrame, index: pd.DataFrame, model: Model, target: str | None = None
) -> pd.DataFrame:
    """Importance-performance map of one target: what matters, and how it is rated.

    Parameters
    ----------
    impacts : DataFrame
        From `impacts_table`.
    index : DataFrame
        construct, index.
    model : Model
        Gives the order of the rows and, through `default_target`, the target.
    target : str, optional
        The construct to be raised.

    Returns
    -------
    DataFrame
        target, construct, importance (index points of the target per point of the construct),
        performance (the construct's index), and `below_average_performance`,
        `above_average_importance`: both true where action pays first. With draws, ci_low and
        ci_high of the importance, performance_low and performance_high.

    References
    ----------
    Martilla & James (1977), Journal of Marketing 41(1):77-79; Ringle & Sarstedt (2016), IMDS
    116:1865-1886 (from PLS).
    """
    chosen = target or default_target(model)
    # asked for by name, a target without causes is an error; by default there is then no map
    order = causes_of(model, chosen) if target else [
        model.construct_names[j] for j in drivers(model, chosen)
    ]  # fmt: skip
    effects = impacts[impacts["target"] == chosen].set_index("source")
    effect, levels = effects["impact_1"], index.set_index("construct")
    level = levels["index"]
    table = pd.DataFrame({
        "target": chosen,
        "construct": order,
        "importance": effect.reindex(order).to_numpy(),
        "performance": level.reindex(order).to_numpy(),
    })  # fmt: skip
    table["above_average_importance"] = table["importance"] > table["importance"].mean()
    table["below_average_performance"] = table["performance"] < table["performance"].mean()
    for side in ("low", "high"):
        limit = f"ci_{side}"
        if limit in effects and effects[limit].notna().any():
            table[limit] = effects[limit].reindex(order).to_numpy() / 5  # of five points there
        if limit in levels and levels[limit].notna().any():
            table[f"performance_{side}"] = levels[limit].reindex(order).to_numpy()
    return table


def item_performance_table(
    table: pd.DataFrame, model: Model, values: np.ndarray, index: Index
) -> pd.DataFrame:
    """Importance and performance of the items behind a map of constructs.

    A construct's index is the weighted mean of its items on 0-100, so that a point of an item
    moves the target by the item's share times the construct's importance.

    Parameters
    ----------
    table : DataFrame
        From `importance_performance_table`.
    model : Model
        Gives the scale of every item.
    values : ndarray (n, p)
        Complete answers in the order of `model.items`.
    index : Index
        Of one fit (B = 1).

    Returns
    -------
    DataFrame
        target, construct, item, importance, performance (mean of the item on 0-100).

    References
    ----------
    Ringle & Sarstedt (2016), Industrial Management & Data Systems 116:1865-1886.
    """
    mean = 100 * (values - model.minimum) / (model.maximum - model.minimum)
    importance = table.set_index("construct")["importance"]
    rows = [
        {"target": row.target, "construct": row.construct, "item": model.items[i],
         "importance": index.shares[0, i] * importance[row.construct],
         "performance": mean[:, i].mean()}
        for row in table.itertuples(index=False)
        for i in np.flatnonzero(model.block == model.construct_names.index(row.construct))
    ]  # fmt: skip
    columns = ["target", "construct", "item", "importance", "performance"]
    return pd.DataFrame(rows, columns=columns)
