"""Mediation: every route from a cause to an effect, its type, and the share it carries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.satisfaction import effects
from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.beyond.section import Section
from cvlib.words.message import Message, message

TYPES = ("complementary", "competitive", "indirect_only", "direct_only", "none")


def kind_of(direct: float, indirect: float, direct_found: bool, indirect_found: bool) -> str:
    """The type of a mediation.

    Parameters
    ----------
    direct, indirect : float
        Estimates.
    direct_found, indirect_found : bool
        Whether their intervals exclude 0.

    Returns
    -------
    str
        One of `TYPES`.

    References
    ----------
    Zhao, Lynch & Chen (2010), Journal of Consumer Research 37:197-206, figure 2.
    """
    if indirect_found and direct_found:
        return "complementary" if direct * indirect > 0 else "competitive"
    if indirect_found:
        return "indirect_only"
    return "direct_only" if direct_found else "none"


def mediation(base: Base) -> Section:
    """One row per route with direct, indirect and total effects from one bootstrap.

    Parameters
    ----------
    base : Base
        With draws: a type needs intervals.

    Returns
    -------
    Section
        Table `mediation`: source, via, target; indirect (of this route), direct, total_indirect,
        total, each with its interval; type; vaf (indirect over total) with its interval, or blank
        and vaf_reason.

    References
    ----------
    Zhao, Lynch & Chen (2010), Journal of Consumer Research 37:197-206; Nitzl, Roldan & Cepeda
    (2016), Industrial Management & Data Systems 116:1849-1864 (VAF). [M]
    """
    model = base.model
    along = effects.routes(model.adjacency)
    names = np.array(model.construct_names)
    if not along:
        return Section("mediation", reason=message("further.no_routes"))
    first, last = (np.array([route[end] for route in along]) for end in (0, -1))
    keys = pd.DataFrame({
        "source": names[first],
        "via": [" > ".join(names[list(route[1:-1])]) for route in along],
        "target": names[last],
    })  # fmt: skip

    def ends(values: np.ndarray) -> np.ndarray:
        return values[:, first, last]

    tables = base.inferred({
        "indirect": (keys, lambda fit: effects.route_effects(fit.paths, along)),
        "direct": (keys, lambda fit: ends(fit.paths)),
        "total_indirect": (keys, lambda fit: ends(effects.total_effects(fit.paths) - fit.paths)),
        "total": (keys, lambda fit: ends(effects.total_effects(fit.paths))),
        "vaf": (keys, lambda fit: _share(effects.route_effects(fit.paths, along),
                                         ends(effects.total_effects(fit.paths)))),
    })  # fmt: skip
    table = keys.copy()
    with_draws = "ci_low" in tables["direct"]
    for name in ("indirect", "direct", "total_indirect", "total"):
        table[name] = tables[name]["estimate"]
        for end in ("ci_low", "ci_high") if with_draws else ():
            table[f"{name}_{end}"] = tables[name][end]
    if not with_draws:
        return Section("mediation", {"mediation": table}, (message("further.mediation_no_draws"),))
    found = {name: _excludes(tables[name]) for name in ("indirect", "direct", "total")}
    table["type"] = [
        kind_of(*row) for row in zip(table["direct"], table["indirect"], found["direct"],
                                     found["indirect"], strict=True)
    ]  # fmt: skip
    linked = model.adjacency[first, last]
    same = (table["indirect"] * table["total"] > 0).to_numpy()
    told = same & found["total"]
    table["vaf"] = tables["vaf"]["estimate"].where(told)
    for end in ("ci_low", "ci_high"):
        table[f"vaf_{end}"] = tables["vaf"][end].where(told)
    table["vaf_reason"] = np.where(
        told, "", np.where(same, "vaf_total_unclear", "vaf_opposite_signs"))  # fmt: skip
    # no direct path in the model: there is nothing beside the route to be found
    table.loc[~linked, ["direct_ci_low", "direct_ci_high"]] = np.nan
    return Section("mediation", {"mediation": table}, tuple(_said(base, table, linked)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(np.abs(whole) > 1e-12, part / whole, 0.0))


def _excludes(table: pd.DataFrame) -> np.ndarray:
    return ((table["ci_low"] > 0) | (table["ci_high"] < 0)).to_numpy()


def _said(base: Base, table: pd.DataFrame, linked: np.ndarray) -> list[Message]:
    """A sentence per type that occurs, and how many routes are of none."""
    said = []
    for kind in TYPES[:4]:
        rows = table[(table["type"] == kind).to_numpy()]
        if kind == "direct_only":
            pairs = rows[["source", "target"]].drop_duplicates()
            routes = [message("further.pair", source=base.label(a), target=base.label(b))
                      for a, b in pairs.itertuples(index=False)]  # fmt: skip
        else:
            routes = [message("further.route", parts=[base.label(name) for name in (
                row["source"], *row["via"].split(" > "), row["target"])])
                for _, row in rows.iterrows()]  # fmt: skip
        if routes:
            said.append(message(f"further.mediation_{kind}", routes=routes))
    none = int((table["type"] == "none").sum())
    if none:
        said.append(message("further.mediation_none", count=none, total=len(table)))
    if not linked.all():
        said.append(message("further.mediation_unlinked", count=int((~linked).sum())))
    return said
