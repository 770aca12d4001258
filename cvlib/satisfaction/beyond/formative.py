"""Formative constructs: weights, collinearity, what to keep, and redundancy with a global item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.satisfaction.beyond.base import Base
from cvlib.satisfaction.beyond.section import Section
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.model.parts import Construct, Item
from cvlib.satisfaction.pls.estimate import fitter
from cvlib.satisfaction.pls.signs import aligned
from cvlib.satisfaction.survey.missing import Survey
from cvlib.words.message import Message, message

VIF_LIMITS = (3.0, 5.0)
LOADING_LIMIT, REDUNDANCY_PATH, REDUNDANCY_R2 = 0.5, 0.70, 0.50
DECISIONS = ("keep", "keep_absolute", "consider", "remove")


def decision(weight_found: bool, loading: float, loading_found: bool) -> str:
    """What to do with an item of a formative construct.

    Parameters
    ----------
    weight_found, loading_found : bool
        Whether weight and loading differ from 0.
    loading : float
        Its correlation with the construct.

    Returns
    -------
    str
        keep (weight counts), keep_absolute (loading of .5 or more), consider (a smaller loading
        that differs from 0), remove (unless its content is needed).

    References
    ----------
    Hair, Hult, Ringle & Sarstedt (2022), A Primer on PLS-SEM, ch. 5. [M]
    """
    if weight_found:
        return "keep"
    if loading >= LOADING_LIMIT:
        return "keep_absolute"
    return "consider" if loading_found else "remove"


def formative(base: Base) -> Section:
    """Every mode B block item by item, and the redundancy analysis of constructs with `global`.

    Parameters
    ----------
    base : Base
        Survey, model, draws.

    Returns
    -------
    Section
        Tables `formative` (construct, item, weight, loading, VIF, decision, suppression) and
        `redundancy` (construct, item, estimate with inference, r_squared).

    References
    ----------
    Hair, Hult, Ringle & Sarstedt (2022), A Primer on PLS-SEM, ch. 5 [M]; Chin (1998), in Modern
    Methods for Business Research (redundancy analysis); Cenfetelli & Bassellier (2009), MIS
    Quarterly 33:689-707 (suppression).
    """
    model = base.model
    blocks = [j for j, mode in enumerate(model.modes) if mode == "B"]
    asked = [c for c in base.survey.model.constructs if c.global_item and c.items]
    if not blocks and not asked:
        return Section("formative", reason=message("further.no_formative"))
    tables: dict[str, pd.DataFrame] = {}
    said: list[Message] = []
    if blocks:
        tables["formative"] = _items(base, blocks)
        said += _item_sentences(base, tables["formative"])
    if asked:
        tables["redundancy"] = pd.concat([_redundancy(base, c) for c in asked], ignore_index=True)
        said += _redundancy_sentences(base, tables["redundancy"])
    return Section("formative", tables, tuple(said))


def _items(base: Base, blocks: list[int]) -> pd.DataFrame:
    model, found = base.model, base.found
    own = np.flatnonzero(np.isin(model.block, blocks))
    keys = pd.DataFrame({
        "construct": np.array(model.construct_names)[model.block[own]],
        "item": np.array(model.items)[own],
    })  # fmt: skip
    told = base.inferred({
        "weight": (keys, lambda fit: fit.weights[:, own]),
        "loading": (keys, lambda fit: fit.loadings[:, own]),
    })  # fmt: skip
    table = keys.assign(weight=told["weight"]["estimate"])
    inferred = "p" in told["weight"]
    for column in ("std_error", "p", "ci_low", "ci_high") if inferred else ():
        table[f"weight_{column}"] = told["weight"][column]
    table["loading"] = told["loading"]["estimate"]
    if inferred:
        table["loading_p"] = told["loading"]["p"]
    table["vif"] = np.concatenate([
        np.diag(np.linalg.inv(found.item_correlation[0][model.slices[j], model.slices[j]]))
        for j in blocks
    ])  # fmt: skip
    if inferred:
        clear = [((told[name]["ci_low"] > 0) | (told[name]["ci_high"] < 0)).to_numpy()
                 for name in ("weight", "loading")]  # fmt: skip
        table["decision"] = [
            decision(bool(w), float(value), bool(k))
            for w, value, k in zip(clear[0], table["loading"], clear[1], strict=True)
        ]
    table["suppression"] = (table["weight"] < 0) & (table["loading"] > 0)
    return table


def _item_sentences(base: Base, table: pd.DataFrame) -> list[Message]:
    said = []
    if "decision" not in table:
        said.append(message("further.formative_no_draws"))
    for name in DECISIONS if "decision" in table else ():
        items = list(table.loc[table["decision"] == name, "item"])
        if items and name != "keep":
            said.append(message(f"further.formative_{name}", items=items, limit=LOADING_LIMIT))
    if "decision" in table and (table["decision"] == "keep").all():
        said.append(message("further.formative_all", count=len(table)))
    odd = list(table.loc[table["suppression"], "item"])
    if odd:
        said.append(message("further.formative_suppression", items=odd))
    highest = table.iloc[int(table["vif"].argmax())]
    kind = ("low", "raised", "high")[int(np.searchsorted(VIF_LIMITS, highest["vif"]))]
    said.append(message(f"further.formative_vif_{kind}", item=highest["item"],
                        vif=highest["vif"], lower=VIF_LIMITS[0], upper=VIF_LIMITS[1]))  # fmt: skip
    said.append(message("further.formative_no_reliability"))
    return said


def _redundancy(base: Base, construct: Construct) -> pd.DataFrame:
    """Two-construct PLS: the block (mode B) on the question about the whole."""
    items = tuple(item for item in construct.items if item.column != construct.global_item)
    asked = base.column(construct.global_item, f"construct {construct.name}, global")
    places = [base.survey.model.items.index(item.name) for item in items]
    values = np.column_stack([base.survey.values[:, places], asked])
    known = np.isfinite(values).all(axis=1)
    name = f"{construct.name}, {construct.global_item}"
    whole = Item(construct.global_item, construct.global_item, {"en": construct.global_item},
                 "evaluation", float(np.nanmin(asked)), float(np.nanmax(asked)), "+")  # fmt: skip
    two = Model(
        name, {"en": name}, "", (
            replace(construct, items=items, mode="B", role=None, moderates=()),
            Construct("(global)", {"en": name}, "A", (whole,)),
        ), ((construct.name, "(global)", "+"),),
    )  # fmt: skip
    survey: Survey = replace(
        base.survey, model=two, values=values[known], missing="listwise",
        weights=None if base.survey.weights is None else base.survey.weights[known],
        clusters=None if base.survey.clusters is None else pd.factorize(
            base.survey.clusters[known])[0],
        strata=None if base.survey.strata is None or not known.all() else base.survey.strata,
        index=base.survey.index[known],
    )  # fmt: skip
    source, fit = fitter(two, survey, scheme=base.scheme)
    first = base.checked(fit(*source.moments(np.ones((1, source.units), dtype=np.int8))))
    keys = pd.DataFrame({"construct": [construct.name], "item": [construct.global_item]})
    told = replace(base, survey=survey).inferred(
        {"path": (keys, lambda one: one.paths[:, [0], [1]])},
        (source, lambda mean, covariance: aligned(two, fit(mean, covariance), first.loadings[0])),
    )["path"]  # fmt: skip
    return told.assign(r_squared=first.r_squared[0, 1], rows=int(known.sum()))


def _redundancy_sentences(base: Base, table: pd.DataFrame) -> list[Message]:
    said = []
    for row in table.to_dict("records"):
        fine = row["estimate"] >= REDUNDANCY_PATH
        said.append(message(
            f"further.redundancy_{'met' if fine else 'missed'}",
            construct=base.label(row["construct"]), item=row["item"], estimate=row["estimate"],
            limit=REDUNDANCY_PATH, r_squared=row["r_squared"],
        ))  # fmt: skip
        if fine and "ci_low" in row and row["ci_low"] < REDUNDANCY_PATH:
            said.append(message("further.redundancy_unsure", low=row["ci_low"],
                                limit=REDUNDANCY_PATH))  # fmt: skip
    return said
