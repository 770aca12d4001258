"""Current × potential: what customers bring now, what they could buy next, whom to offer what"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number, whole
from cvlib.inputs.columns import enough_rows, opened
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.covariates import coded_attributes
from cvlib.lifetime.decisions.movement import CELLS, cells, movement, movement_sentence
from cvlib.lifetime.decisions.products import read_products
from cvlib.lifetime.logistic import fit_logit
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.statistics.ranks import auc_of
from cvlib.words.message import joined, message

TERMS = ("constant", "own", "log_days", "log_recency", "log_spend")
_PER_COEFFICIENT = 10  # buyers a coefficient needs [M]
_DRAWS = 100


@dataclass(frozen=True, eq=False)
class ProductModel:
    """How likely the customers of a log at a cut are to buy each product in the horizon.

    Attributes
    ----------
    chance, owned, later : DataFrame (customers, products)
        Probability, bought before the cut, spend in the horizon.
    terms : DataFrame
        product, term, estimate, std_error, buyers, log_likelihood, auc, reason (of a base rate).
    spend : Series
        Mean spend in the horizon of those who bought, by product.
    current : Series
        Spend of the 365 days up to the cut, by customer.
    coefficients : DataFrame (terms, products)
        On the log-odds; a base rate is a constant.
    features : DataFrame (customers, 3 and attributes)
        ln(1 + days bought), ln(1 + recency), ln(1 + spend), then the attributes.
    """

    chance: pd.DataFrame
    owned: pd.DataFrame
    later: pd.DataFrame
    terms: pd.DataFrame
    spend: pd.Series
    current: pd.Series
    coefficients: pd.DataFrame
    features: pd.DataFrame

    def chances_of(self, other: ProductModel) -> pd.DataFrame:
        """This model's probabilities for the customers of another cut, as they were then."""
        from scipy.special import expit

        found = {}
        for product in self.coefficients:
            owned = other.owned.get(product, False)
            grid = np.column_stack(
                [np.ones(len(other.features)), np.ones(len(other.features)) * owned, other.features]
            )
            found[product] = expit(grid @ self.coefficients[product].to_numpy())
        return pd.DataFrame(found, index=other.features.index)

    def potential(self, margin: float) -> pd.DataFrame:
        """P × margin × mean spend of buyers for what is not owned yet; 0 for what is."""
        value = self.chance * (margin * self.spend)
        return value.where(~self.owned, 0.0)


def product_model(
    log: pd.DataFrame, cut: pd.Timestamp, horizon: int, traits: pd.DataFrame | None = None
) -> ProductModel:
    """Fit a logit per product on own, ln(1 + days bought), ln(1 + recency), ln(1 + spend), traits.

    Parameters
    ----------
    log : DataFrame
        customer, date, product, amount.
    cut : Timestamp
        What is known, up to and with this day.
    horizon : int
        Days after it in which a purchase counts.
    traits : DataFrame, optional
        Numbers by customer, known at the cut: attributes that may go with buying.

    Returns
    -------
    ProductModel
        A product with fewer than 10 buyers per coefficient [M], or that the features part from
        the others, has its base rate and the reason.

    References
    ----------
    Hwang, Jung & Suh (2004) Expert Systems with Applications 26:181-188 [M].
    """
    owned, later, shared = _known(log, cut, horizon, traits)
    products = owned.columns
    names = [*TERMS, *(() if traits is None else map(str, traits.columns))]
    chance, terms, spend, lines = {}, [], {}, {}
    for product in products:
        bought = later[product].notna().to_numpy(float)
        spend[product] = float(later[product].mean()) if bought.any() else 0.0
        grid = np.column_stack([np.ones(len(owned)), owned[product].astype(float), shared])
        chance[product], rows, lines[product] = _fitted(bought, grid, names)
        terms += [{"product": product, **row} for row in rows]
    table = pd.DataFrame(terms)
    table["reason"] = pd.Series([row["reason"] for row in terms], dtype=object)  # messages stay
    recent = log[(log["date"] <= cut) & (log["date"] > cut - pd.Timedelta(days=365))]
    return ProductModel(
        pd.DataFrame(chance, index=owned.index),
        owned,
        later.fillna(0.0),
        table,
        pd.Series(spend),
        recent.groupby("customer")["amount"].sum().reindex(owned.index).fillna(0.0),
        pd.DataFrame(lines, index=names),
        pd.DataFrame(shared, index=owned.index),
    )


class _Known(NamedTuple):
    """Of each customer who has bought: what is owned, spent later (blank: nothing), features."""

    owned: pd.DataFrame
    later: pd.DataFrame
    shared: np.ndarray


def _known(
    log: pd.DataFrame, cut: pd.Timestamp, horizon: int, traits: pd.DataFrame | None
) -> _Known:
    past, after = log[log["date"] <= cut], log[log["date"] > cut]
    after = after[after["date"] <= cut + pd.Timedelta(days=horizon)]
    by = past.groupby("customer")
    facts = pd.DataFrame(
        {
            "days": by["date"].nunique(),
            "recency": (cut - by["date"].max()).dt.days,
            "spend": by["amount"].sum(),
        }
    )
    products = sorted(past["product"].unique())
    owned = pd.crosstab(past["customer"], past["product"]).reindex(facts.index)[products] > 0
    later = after.pivot_table(
        index="customer", columns="product", values="amount", aggfunc="sum"
    ).reindex(index=facts.index, columns=products)
    shared = np.log1p(facts[["days", "recency", "spend"]].to_numpy(float))
    if traits is not None:
        shared = np.column_stack([shared, traits.loc[facts.index].to_numpy(float)])
    return _Known(owned, later, shared)


def _fitted(
    bought: np.ndarray, grid: np.ndarray, named: list[str]
) -> tuple[np.ndarray, list[dict[str, Any]], np.ndarray]:
    from scipy import special

    buyers, varied, line = int(bought.sum()), grid.std(axis=0) > 0, np.zeros(grid.shape[1])
    varied[0] = True
    fit: Any = None
    reason: str | None = message("decisions.logit_few", events=buyers, terms=int(varied.sum()))
    if buyers >= _PER_COEFFICIENT * int(varied.sum()):
        fit, reason = fit_logit(bought, grid[:, varied])
    if fit is None:
        row = {
            "term": "base_rate",
            "estimate": bought.mean(),
            "std_error": np.nan,
            "buyers": buyers,
            "log_likelihood": np.nan,
            "auc": np.nan,
            "reason": reason,
        }
        line[0] = special.logit(bought.mean())
        return np.full(len(bought), bought.mean()), [row], line
    chance = fit.predict()
    names = [name for name, kept in zip(named, varied, strict=True) if kept]
    quality = {
        "buyers": buyers,
        "log_likelihood": float(fit.llf),
        "auc": auc_of(chance, bought),
        "reason": "",
    }
    rows = [
        {"term": name, "estimate": estimate, "std_error": error, **quality}
        for name, estimate, error in zip(names, fit.params, fit.bse, strict=True)
    ]
    line[varied] = fit.params
    return chance, rows, line


def current_and_potential(
    data: Any,
    cut: str = "",
    horizon: int = 365,
    margin: float = 0.3,
    *,
    attributes: Any = None,
    covariates: Sequence[str] = (),
    seed: int = resample.SEED,
    level: float = 0.95,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Current margin and cross-selling potential of customers, the fourfold table, the offers.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        customer, date, product, amount.
    cut : str
        Date up to which customers are known; blank: `horizon` days before the end of the log.
    horizon : int
        Days after the cut in which a purchase counts.
    margin : float
        Share of spend that is margin.
    attributes : str, Path, DataFrame or Table, optional
        One row per customer (column customer), of what was known of them before the cuts.
    covariates : sequence of str
        Its columns that join the logits: numbers as they are, text as 0/1 columns.
    seed, level : int, float
        Of the bootstrap of customers.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        cross_selling: product, term, estimate, std_error, buyers, log_likelihood, auc, reason.
        potential_cells: cell (current_potential, high above the median), customers, share,
        current, potential, later_margin (means). offers: customer, product, chance, value (the
        best product not owned yet), current, potential. potential_later: decile, customers,
        potential, later_margin, of a model fitted one horizon earlier, so that it never saw what
        it is judged by; absent where the log is too short. potential_movement: from_cell (one
        horizon earlier; new), to_cell, customers, share.

    Raises
    ------
    InputError
        A cut outside the log; a bad cell: with file, column, row.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.lifetime.current_and_potential("product_purchases")
    >>> int(found["potential_cells"]["customers"].sum()) == len(found["offers"])
    True
    """
    whole("horizon", horizon, 1)
    number("margin", margin, 0, 1, ends="(]")
    log, table = read_products(data, reading)
    day = pd.Timestamp(cut) if cut else log["date"].max() - pd.Timedelta(days=horizon)
    span = (log["date"].max() - log["date"].min()).days + 1
    if not cut and day < log["date"].min():
        raise InputError(
            "horizon",
            message("decisions.horizon_too_long", horizon=horizon, span=span, file=table.source),
            message("decisions.horizon_too_long_remedy", most=max(span // 2, 1)),
        )
    if not log["date"].min() <= day < log["date"].max():
        raise InputError(
            "cut",
            message("refusals.leaves_nothing_before_or_after", day=day),
            message("refusals.give_a_date_from_to", min=log["date"].min(), max=log["date"].max()),
        )
    traits = _traits(attributes, covariates, log[log["date"] <= day], reading)
    found = product_model(log, day, horizon, traits)
    enough_rows(table, len(found.chance), 20, "customers before the cut")
    value = found.potential(margin)
    total = value.sum(axis=1)
    current, later = (
        margin * found.current,
        margin * found.later.where(~found.owned, 0.0).sum(axis=1),
    )
    offers = _offers(found, value, current, total)
    tables = {
        "cross_selling": found.terms,
        "potential_cells": _cells(current, total, later),
        "offers": offers,
    }
    low, high = _limits(log, day, horizon, margin, (seed, level), traits)
    worth = {"total": float(total.sum()), "low": low, "high": high}
    told = {**worth, "customers": len(total), "level": level, "days": horizon}
    said = [message("decisions.potential", **told)]
    if not worth["total"] > 0:
        everything = bool(found.owned.all(axis=None))
        kind = "nothing_left" if everything else "nothing_foreseen"
        facts = {"products": found.owned.shape[1], "customers": len(total), "days": horizon}
        said = [message(f"decisions.potential_{kind}", **facts)]
    earlier = day - pd.Timedelta(days=horizon)
    warned = [
        note for note in table.warnings if getattr(note, "id", "") == "decisions.returns_matched"
    ]
    if earlier > log["date"].min() and (log["date"] <= earlier).sum() >= 20:
        before = product_model(log, earlier, horizon, traits)
        deciles, area = _validated(before, found, margin)
        tables["potential_later"] = deciles
        then = cells(margin * before.current, before.potential(margin).sum(axis=1))
        tables["potential_movement"] = movement(then, cells(current, total))
        kept = movement_sentence(tables["potential_movement"], horizon, level)
        said += [] if kept is None else [kept]
        if not np.isnan(area) and worth["total"] > 0:
            said.append(message("decisions.potential_later", auc=area))
    else:
        warned.append(message("decisions.potential_untested"))
    rates = found.terms[found.terms["term"] == "base_rate"]
    warned += [
        message("decisions.potential_base_rate", product=row["product"], reason=row["reason"])
        for _, row in rates.iterrows()
    ]
    facts = {
        "cut": day,
        **worth,
        "potential": total,
        "current": current,
        "model": found,
    }
    return Finding(tables, joined(said), tuple(warned), facts)


def _traits(
    attributes: Any, covariates: Sequence[str], past: pd.DataFrame, reading: Reading
) -> pd.DataFrame | None:
    """Attributes as numbers, by customer; None where none are asked for."""
    if attributes is None or (isinstance(attributes, str) and not attributes.strip()):
        if covariates:
            raise InputError(
                "covariates", message("decisions.covariates_alone"),
                message("decisions.covariates_alone_remedy"),
            )  # fmt: skip
        return None
    if not covariates:
        raise InputError(
            "covariates", message("refusals.name_no_column_of_the"),
            message("refusals.name_at_least_one"),
        )  # fmt: skip
    ids = pd.Series(past["customer"].unique())
    coded, _ = coded_attributes(opened(attributes, reading), "customer", covariates, ids)
    return coded.set_index(pd.Index(ids))


def _offers(
    found: ProductModel, value: pd.DataFrame, current: pd.Series, total: pd.Series
) -> pd.DataFrame:
    """The product of the highest expected margin for each customer; blank where all are owned."""
    best = value.to_numpy().argmax(axis=1)
    rows = np.arange(len(value))
    top = value.to_numpy()[rows, best]
    table = pd.DataFrame(
        {
            "customer": value.index,
            "product": np.where(top > 0, value.columns.to_numpy()[best], ""),
            "chance": np.where(top > 0, found.chance.to_numpy()[rows, best], np.nan),
            "value": top,
            "current": current.to_numpy(),
            "potential": total.to_numpy(),
        }
    )
    return table.sort_values(["value", "customer"], ascending=[False, True], ignore_index=True)


def _cells(current: pd.Series, potential: pd.Series, later: pd.Series) -> pd.DataFrame:
    cell = cells(current, potential)
    rows = []
    for name in CELLS:
        at = cell == name
        rows.append(
            {
                "cell": name,
                "customers": int(at.sum()),
                "share": float(at.mean()),
                "current": current[at].mean(),
                "potential": potential[at].mean(),
                "later_margin": later[at].mean(),
            }
        )
    return pd.DataFrame(rows)


def _limits(
    log: pd.DataFrame,
    day: pd.Timestamp,
    horizon: int,
    margin: float,
    drawn: tuple[int, float],
    traits: pd.DataFrame | None,
) -> tuple[float, float]:
    """Percentile limits of the total potential: customers drawn, every model fitted anew."""
    seed, level = drawn
    names = pd.unique(log["customer"])
    known = _known(log, day, horizon, traits)
    terms = [*TERMS, *(() if traits is None else map(str, traits.columns))]
    place = known.owned.index.get_indexer(names)  # -1: has bought nothing yet
    owned, later = known.owned.to_numpy(bool), known.later.to_numpy(float)
    rng, totals = resample.generator(seed, 84), []
    for _ in range(_DRAWS):
        picked = place[rng.integers(0, len(names), len(names))]
        at = picked[picked >= 0]
        total = 0.0
        for product in np.flatnonzero(owned[at].any(axis=0)):
            has, paid = owned[at, product], later[at, product]
            bought = ~np.isnan(paid)
            if not bought.any():
                continue  # nobody spent anything on it
            grid = np.column_stack([np.ones(len(at)), has, known.shared[at]])
            chance = _fitted(bought.astype(float), grid, terms)[0]
            total += chance[~has].sum() * margin * paid[bought].mean()
        totals.append(total)
    low, high = resample.percentile_limits(np.array(totals), level)
    return float(low), float(high)


def _validated(
    before: ProductModel, now: ProductModel, margin: float
) -> tuple[pd.DataFrame, float]:
    """Potential by the model of the earlier cut against what its customers bought after the cut."""
    products = [p for p in before.coefficients if p in now.later.columns]
    chances = before.chances_of(now)[products]
    open_ = ~now.owned[products].astype(bool)
    forecast = (chances * (margin * before.spend[products])).where(open_, 0.0)
    later = (margin * now.later[products]).where(open_, 0.0)
    chance = chances.to_numpy()[open_.to_numpy()]
    bought = (later.to_numpy() > 0)[open_.to_numpy()].astype(float)
    area = auc_of(chance, bought)
    total = forecast.sum(axis=1).to_numpy()
    order = np.lexsort((np.arange(len(total)), -total))
    rows = [
        {
            "decile": k,
            "customers": len(part),
            "potential": total[part].mean(),
            "later_margin": later.sum(axis=1).to_numpy()[part].mean(),
        }
        for k, part in enumerate(np.array_split(order, 10), 1)
    ]
    return pd.DataFrame(rows), area
