"""Moderation: size of every interaction, simple slopes, Johnson-Neyman regions, prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.satisfaction.beyond.base import Base, needs_composites
from cvlib.satisfaction.beyond.product_prediction import prediction_sentences, with_and_without
from cvlib.satisfaction.beyond.section import Chart, Section
from cvlib.satisfaction.beyond.slopes import Product, johnson_neyman, significant, simple_slopes
from cvlib.satisfaction.model.higher_order import ordinary
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls import moderation as products
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.products import fit_products
from cvlib.satisfaction.pls.signs import aligned
from cvlib.satisfaction.survey.moments import Sample
from cvlib.words.message import Message, message

SIZES = ((0.025, "large"), (0.01, "medium"), (0.005, "small"))  # Kenny (2018) [M]
AT = (-1.0, 0.0, 1.0)
_GRID = 61  # places of the moderator at which bands are drawn


def size_of(f_squared: float) -> str:
    """What an f² of an interaction is called: large, medium, small or negligible."""
    return next((name for limit, name in SIZES if f_squared >= limit), "negligible")


def interactions(base: Base, at: Sequence[float] = AT) -> Section:
    """Every interaction of the model: coefficients on both scales, f², slopes, region, prediction.

    Parameters
    ----------
    base : Base
        Its survey's model has `moderations`.
    at : sequence of float
        Values of the moderator, in its standard deviations, at which slopes are told.

    Returns
    -------
    Section
        Tables `interactions` (coefficient per standard deviation of the moderator with its
        inference; standardised; R² with and without; f² and what it is called), `simple_slopes`,
        `johnson_neyman`, `interaction_prediction`.

    References
    ----------
    Henseler & Chin (2010), Structural Equation Modeling 17:82-109; f²: Cohen (1988), ch. 9.
    """
    needs_composites(base, "interactions")
    model = base.survey.model
    if not model.moderations:
        return Section("interactions", reason=message("further.no_interactions"))
    ordinary(model, "the section on moderation")
    values = base.survey.values
    if np.isnan(values).any():
        raise InputError(
            "missing",
            message("refusals.leaves_gaps_that_have_no", missing=base.survey.missing),
            message("refusals.use_listwise_or_person_mean"),
        )
    centred_on = products.centre(values)
    source = Sample(products.with_products(model, values), base.survey.weights,
                    base.survey.clusters)  # fmt: skip
    loadings = base.found.loadings[0]
    items, constructs = len(model.items), len(model.constructs)

    def fit(mean: np.ndarray, covariance: np.ndarray) -> PLSFit:
        plain = base.fitter[1](mean[:, :items], covariance[:, :items, :items])
        if model.moderations[0].method == "two_stage":
            return products.moderate(model, plain, mean, covariance, centred_on)
        found = fit_products(model, mean, covariance, centred_on, scheme=base.scheme)
        return aligned(model, found, loadings)

    def spread(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        plain = base.fitter[1](mean[:, :items], covariance[:, :items, :items])
        joint = products.joint_moments(model, plain, mean, covariance, centred_on)
        return np.sqrt(np.diagonal(joint, axis1=1, axis2=2)[:, constructs:])

    whole = source.moments(np.ones((1, source.units), dtype=np.int8))
    keys = pd.DataFrame({
        "source": [m.name for m in model.moderations],
        "target": [m.target for m in model.moderations],
        "method": [m.method for m in model.moderations],
    })  # fmt: skip
    places = [(model.construct_names.index(m.source), model.construct_names.index(m.target))
              for m in model.moderations]  # fmt: skip
    measures: dict[str, tuple[pd.DataFrame, Callable[[PLSFit], np.ndarray]]] = {
        "product": (keys, lambda one: np.asarray(one.interactions)),
        "main": (keys, lambda one: np.column_stack([one.paths[:, a, b] for a, b in places])),
    }
    first = base.checked(fit(*whole))
    draws = base.drawn(measures, (source, fit))
    estimate = measures["product"][1](first)[0]
    table = base.summary(keys, estimate, None if draws is None else draws.kept("product"))
    deviation = spread(*whole)[0]
    table.insert(4, "standardised", estimate * deviation)
    targets = [b for _, b in places]
    table["r_squared_with"] = first.r_squared[0][targets]
    table["r_squared_without"] = base.found.r_squared[0][targets]
    if len(set(targets)) < len(targets):  # several on one: each is judged with the others kept
        table["r_squared_without"] = _without_each(base, model, fit, whole, targets)
    table["f_squared"] = (table["r_squared_with"] - table["r_squared_without"]) / (
        1 - table["r_squared_with"]
    )
    table["size"] = [size_of(value) for value in table["f_squared"]]
    tables = {"interactions": table}
    charts: dict[str, Chart] = {}
    said = _said(base, table)
    if draws is None:
        said.append(message("further.slopes_no_draws"))
    else:
        main, product = draws.kept("main"), draws.kept("product")
        slopes, regions, bands = _slopes(base, first, (main, product), measures, at)
        tables |= {"simple_slopes": slopes, "johnson_neyman": regions}
        said += _region_sentences(base, regions)
        known = {"labels": True, "level": base.bootstrap.level}
        charts = {
            "simple_slopes_chart": Chart("slopes_chart", {"table": slopes, **known}),
            "johnson_neyman_chart": Chart(
                "johnson_neyman_chart", {"bands": bands, "regions": regions, **known}),
        }  # fmt: skip
    if model.moderations[0].method == "two_stage":
        tables["interaction_prediction"] = with_and_without(base)
        said += prediction_sentences(base, tables["interaction_prediction"])
    else:
        said.append(message("further.products_not_predicted"))
    said.append(message("further.fit_without_products"))
    return Section("interactions", tables, tuple(said), charts)


def _without_each(
    base: Base, model: Model, fit: Callable[..., PLSFit], whole: tuple[np.ndarray, np.ndarray],
    at: list[int],
) -> list[float]:  # fmt: skip
    """R² of each interaction's target when that interaction alone is taken out."""
    found = []
    for number, target in enumerate(at):
        rest = tuple(m for n, m in enumerate(model.moderations) if n != number)
        fewer = replace(model, moderations=rest)
        values = base.survey.values
        source = Sample(products.with_products(fewer, values), base.survey.weights,
                        base.survey.clusters)  # fmt: skip
        mean, covariance = source.moments(np.ones((1, source.units), dtype=np.int8))
        centred_on, items = products.centre(values), len(model.items)
        if fewer.moderations[0].method == "two_stage":
            plain = base.fitter[1](mean[:, :items], covariance[:, :items, :items])
            one = products.moderate(fewer, plain, mean, covariance, centred_on)
        else:
            one = fit_products(fewer, mean, covariance, centred_on, scheme=base.scheme)
        found.append(float(one.r_squared[0, target]))
    return found


def _slopes(
    base: Base, first: PLSFit, drawn: tuple[np.ndarray, np.ndarray],
    measures: dict[str, tuple[pd.DataFrame, Callable[[PLSFit], np.ndarray]]],
    at: Sequence[float],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Simple slopes, regions, and slopes along the observed range of every moderator."""
    model, level, (main, product) = base.survey.model, base.bootstrap.level, drawn
    own = {name: value(first)[0] for name, (_, value) in measures.items()}
    slopes, regions, bands = [], [], []
    for number, entry in enumerate(model.moderations):
        double = 2.0 if entry.source == entry.moderator else 1.0
        pair = np.column_stack([main[:, number], double * product[:, number]])
        found = Product.of_draws(own["main"][number], double * own["product"][number], pair,
                                 base.degrees)  # fmt: skip
        moderator = base.scores[:, model.construct_names.index(entry.moderator)]
        roots, region = johnson_neyman(found, level)
        low, high = float(moderator.min()), float(moderator.max())
        inside_region = significant(moderator, roots, region)
        share = round(float(np.average(inside_region, weights=base.mass)), 12)
        keys = {"source": entry.source, "moderator": entry.moderator, "target": entry.target}
        slopes.append(simple_slopes(found, np.array(at), level).assign(**keys))
        inside = [root for root in roots if low < root < high]
        regions.append({
            **keys, "region": region,
            "root_1": roots[0] if roots else np.nan, "root_2": roots[1] if roots else np.nan,
            "observed_low": low, "observed_high": high, "roots_observed": len(inside),
            "share_significant": share,
        })  # fmt: skip
        bands.append(
            simple_slopes(found, np.union1d(np.linspace(low, high, _GRID), inside), level).assign(
                **keys
            )
        )
    shown, along = (pd.concat(parts, ignore_index=True) for parts in (slopes, bands))
    front = ["source", "moderator", "target"]
    shown = shown[[*front, *[c for c in shown if c not in front]]]
    return shown, pd.DataFrame(regions), along


def _said(base: Base, table: pd.DataFrame) -> list[Message]:
    said = []
    for row in table.to_dict("records"):
        shown = {"interaction": base.label(row["source"]), "target": base.label(row["target"]),
                 "estimate": row["estimate"], "f_squared": row["f_squared"],
                 "size": message(f"further.size_{row['size']}")}  # fmt: skip
        if "ci_low" not in row:
            said.append(message("further.interaction_plain", **shown))
            continue
        clear = row["ci_low"] > 0 or row["ci_high"] < 0
        kind = ("stronger" if row["estimate"] > 0 else "weaker") if clear else "unclear"
        said.append(message(f"further.interaction_{kind}", low=row["ci_low"], high=row["ci_high"],
                            **shown))  # fmt: skip
    return said


def _region_sentences(base: Base, regions: pd.DataFrame) -> list[Message]:
    said = []
    for row in regions.to_dict("records"):
        shown = {name: base.label(row[name]) for name in ("source", "moderator", "target")}
        shown["share"] = row["share_significant"]
        kind = {0: "none", 1: "all"}.get(row["share_significant"], "some")
        said.append(message(f"further.region_{kind}", **shown))
    return said
