"""Delivered value: what customers get minus what it costs them, and against competitors"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.choices import number
from cvlib.inputs.columns import enough_rows, labels, one_a_row, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import taken
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import ends_of, unused_ends
from cvlib.statistics import resample
from cvlib.words.message import message

VALUE = ("product", "service", "personnel", "image")
COST = ("money", "time", "energy", "psychic")


def value_of_brands(
    value: np.ndarray,
    cost: np.ndarray,
    value_weights: Sequence[float],
    cost_weights: Sequence[float],
    *,
    price: np.ndarray | None = None,
    quality_importance: float = 0.6,
) -> dict[str, np.ndarray]:
    """Value, cost and their place against competitors, from mean ratings.

    V = Σ w v, C = Σ w c; relative quality = V ÷ mean V of the other brands, relative price
    likewise; fair line 1 + q ÷ (1 − q) · (relative quality − 1).

    Parameters
    ----------
    value, cost : ndarray (…, brands, parts)
        Mean ratings.
    value_weights, cost_weights : sequence of float
        Weights of the parts; they add up to 1.
    price : ndarray (…, brands), optional
        Prices; the rating of the first cost unless given.
    quality_importance : float
        q, the importance of quality against price, between 0 and 1.

    Returns
    -------
    dict of str to ndarray (…, brands)
        value, cost, difference, ratio, relative_quality, relative_price, fair_price.

    References
    ----------
    Kotler (1997) Marketing Management, ch. 2; Gale (1994) Managing Customer Value.
    """
    gained, spent = value @ np.asarray(value_weights), cost @ np.asarray(cost_weights)
    paid = cost[..., 0] if price is None else price

    def against(each: np.ndarray) -> np.ndarray:
        return each / ((each.sum(axis=-1, keepdims=True) - each) / (each.shape[-1] - 1))

    quality = against(gained)
    line = 1 + quality_importance / (1 - quality_importance) * (quality - 1)
    return {
        "value": gained, "cost": spent, "difference": gained - spent, "ratio": gained / spent,
        "relative_quality": quality, "relative_price": against(paid), "fair_price": line,
    }  # fmt: skip


def delivered_value(
    data: Any,
    value_weights: Sequence[float] = (0.25,) * 4,
    cost_weights: Sequence[float] = (0.25,) * 4,
    quality_importance: float = 0.6,
    *,
    scale: tuple[float, float] = (1, 10),
    bootstrap: resample.Bootstrap | None = None,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Delivered value of brands as difference and as ratio, with the customer value map.

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        respondent, brand, product, service, personnel, image, money, time, energy, psychic, all
        on `scale`; optionally price (in money).
    value_weights, cost_weights : sequence of four float
        Weights of the parts of value and of cost, each adding up to 1: equal unless judged.
    quality_importance : float
        Importance of quality against price on the map (judged).
    scale : (low, high)
        Of the ratings.
    bootstrap : Bootstrap, optional
        Respondents are drawn, with all brands they rated.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        delivered_value: brand, n, value, cost, difference, ci_low, ci_high, ratio, ratio_low,
        ratio_high. value_map: brand, relative_quality, relative_price, fair_price,
        better_value, share_better (of draws below the line), sd_quality, sd_price, correlation
        (of the draws: the ellipse). value_parts: brand and the mean of every rating.

    Raises
    ------
    InputError
        A rating off the scale, weights that do not add up to 1: with file, column, row.

    References
    ----------
    Gale (1994), Managing customer value (the map).

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.delivered_value("brand_value")["delivered_value"]["brand"].tolist()
    ['ours', 'rival 1', 'rival 2']
    """
    for name, given in {"value_weights": value_weights, "cost_weights": cost_weights}.items():
        if len(given) != 4 or min(given) < 0 or abs(sum(given) - 1) > 1e-9:
            raise InputError(
                name, message("refusals.are_not_four_weights_that"), message("refusals.mend_them")
            )
    number("quality_importance", quality_importance, 0, 1, ends="()")
    scale = ends_of(scale, "rating_scale")
    settings = resample.percentile_only(bootstrap or resample.Bootstrap())
    wanted = [*VALUE, *COST]
    table = opened(data, reading, ["respondent", "brand", *wanted, "price"])
    one_a_row(table, ["respondent", "brand"], message("service.rows_of_brands"))
    who, brand = labels(table, "respondent"), labels(table, "brand")
    ratings = pd.DataFrame({c: within(table, c, *scale, missing=True) for c in wanted})
    cautions = unused_ends(ratings.to_numpy(), scale, "rating_scale")
    if "price" in table.data.columns:
        ratings["price"] = within(table, "price", 0, missing=True)
    names = list(dict.fromkeys(brand))
    enough_rows(table, len(names), 2, "brands")
    people = pd.factorize(who)[0]
    drawn = _means(ratings.to_numpy(), people, pd.Categorical(brand, names).codes, settings)
    found = value_of_brands(
        drawn[..., :4], drawn[..., 4:8], value_weights, cost_weights,
        price=drawn[..., 8] if "price" in ratings else None, quality_importance=quality_importance,
    )  # fmt: skip
    best = {name: each[0] for name, each in found.items()}
    bounds = {
        name: resample.percentile_limits(found[name][1:], settings.level, nan_policy="omit")
        for name in ("difference", "ratio")
    }
    main = pd.DataFrame(
        {
            "brand": names, "n": brand.value_counts().loc[names].to_numpy(),
            "value": best["value"], "cost": best["cost"], "difference": best["difference"],
            "ci_low": bounds["difference"][0], "ci_high": bounds["difference"][1],
            "ratio": best["ratio"], "ratio_low": bounds["ratio"][0],
            "ratio_high": bounds["ratio"][1],
        }
    )  # fmt: skip
    below = found["relative_price"][1:] < found["fair_price"][1:]
    quality, paid = found["relative_quality"][1:], found["relative_price"][1:]
    chart = pd.DataFrame(
        {
            "brand": names, "relative_quality": best["relative_quality"],
            "relative_price": best["relative_price"], "fair_price": best["fair_price"],
            "better_value": best["relative_price"] < best["fair_price"],
            "share_better": below.mean(axis=0),
            "sd_quality": quality.std(axis=0), "sd_price": paid.std(axis=0),
            "correlation": [_correlation(quality[:, k], paid[:, k]) for k in range(len(names))],
        }
    )  # fmt: skip
    parts = pd.DataFrame(drawn[0, :, : len(ratings.columns)], columns=list(ratings.columns))
    parts.insert(0, "brand", names)
    tables = {"delivered_value": main, "value_map": chart, "value_parts": parts}
    warned = (*taken(table), *cautions, *_warnings(main))
    return Finding(tables, _sentence(main, found["difference"], settings.level), warned)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if x.std() > 0 and y.std() > 0 else 0.0


def _means(
    ratings: np.ndarray, people: np.ndarray, brand: np.ndarray, settings: resample.Bootstrap
) -> np.ndarray:
    """(1 + draws, brands, ratings) means; the first row is of everybody."""
    units, brands = int(people.max()) + 1, int(brand.max()) + 1
    rng = resample.generator(settings.seed, 72)
    picked = resample.counts_of(resample.indices(units, settings.draws, rng))
    counts = np.vstack([np.ones((1, units)), picked]).astype(float)
    each = np.empty((len(counts), brands, ratings.shape[1]))
    for b in range(brands):
        rows = brand == b
        weight, there = counts[:, people[rows]], ~np.isnan(ratings[rows])
        with np.errstate(invalid="ignore"):
            each[:, b] = (weight @ np.where(there, ratings[rows], 0.0)) / (weight @ there)
    return each


def _sentence(main: pd.DataFrame, draws: np.ndarray, level: float) -> str:
    first, *_ = main.sort_values("difference", ascending=False).index
    others = [k for k in main.index if k != first]
    lead = draws[:, first] - np.nanmax(draws[:, others], axis=1)
    low, high = resample.percentile_limits(lead[1:], level, nan_policy="omit")
    kind = "ahead" if low > 0 else "open"
    return message(
        f"service.value_{kind}", brand=main.at[first, "brand"],
        difference=main.at[first, "difference"], lead=float(lead[0]), low=float(low),
        high=float(high), level=level,
    )  # fmt: skip


def _warnings(main: pd.DataFrame) -> tuple[str, ...]:
    said = [message("service.value_ratio_scale")]
    orders = [
        list(main.sort_values(by, ascending=False)["brand"]) for by in ("difference", "ratio")
    ]
    if orders[0] != orders[1]:
        said.append(message("service.value_orders", difference=orders[0], ratio=orders[1]))
    return tuple(said)
