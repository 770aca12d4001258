"""Charts of levels, attained targets, stock in transit, credit bands, periods and variants.

Each takes the tidy table of its section and gives None where the table has no rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cvlib.figures.highlights import ends_finding
from cvlib.figures.style import FAINT, INK, PALETTE, house_style, new_figure, short, words

Labels = Mapping[str, str]
MOST = 25  # rows of a chart


def _name(key: object, labels: Labels | None) -> str:
    return short((labels or {}).get(str(key), str(key).replace("_", " ")))


def _bars(
    names: list[str], values: pd.Series, axis: str, line: float | None = None, percent: bool = False
) -> Figure:
    """Horizontal bars, the first on top, with a line to compare with."""
    with house_style():
        figure, axes = new_figure(7.0, 1.2 + 0.28 * len(names))
        place = np.arange(len(names))
        axes.barh(place, values, height=0.62, color=PALETTE[0])
        axes.set_yticks(place, names)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set(xlabel=axis, ylim=(len(names) - 0.4, -0.6))
        if line is not None:
            axes.axvline(line, color=INK, lw=1.2, ls="--")
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        scale, unit = (100, "%") if percent else (1, "")
        shown = pd.DataFrame({"name": names, "value": scale * values.to_numpy(float)})
        figure.finding = ends_finding(shown, "name", "value", str, unit)
        return figure


def maturity_chart(
    areas: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure | None:
    """Level of each area; the dashed line is the level of the whole (one organisation) or of the
    weakest of several.

    Parameters
    ----------
    areas : DataFrame
        organisation, area, level of `maturity`.
    labels, language
        Names of the areas, and the language of the axes.
    """
    if areas.empty:
        return None
    mean = areas.groupby("area", sort=False)["level"].mean()
    said = words("weighting", language)["area_level"]
    return _bars([_name(a, labels) for a in mean.index], mean, said, float(areas["level"].min()))


def attainment_chart(
    attainment: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure | None:
    """Mean attainment of each indicator over the units, against the target.

    Parameters
    ----------
    attainment : DataFrame
        indicator, attainment of `scorecard`.
    labels, language
        Names of the indicators, and the language of the axes.
    """
    if attainment.empty:
        return None
    mean = attainment.groupby("indicator", sort=False)["attainment"].mean().sort_values()
    said = words("weighting", language)["attained"]
    names = [_name(i, labels) for i in mean.index]
    return _bars(names, mean, said, 1.0, percent=True)


def ledger_chart(ratios: pd.DataFrame, language: str = "en") -> Figure | None:
    """Days of shipments that are out at each customer, the longest first.

    Parameters
    ----------
    ratios : DataFrame
        customer, in_transit_days of `ledger_ratios`.
    language : str
        Language of the axes.
    """
    if ratios.empty:
        return None
    rows = ratios.sort_values("in_transit_days", ascending=False).head(MOST)
    said = words("weighting", language)["days_out"]
    middle = float(ratios["in_transit_days"].median())
    return _bars([short(str(c)) for c in rows["customer"]], rows["in_transit_days"], said, middle)


def credit_chart(evidence: pd.DataFrame, language: str = "en") -> Figure | None:
    """Weight of evidence of every band of every variable: right of nought is safer.

    Parameters
    ----------
    evidence : DataFrame
        variable, band, woe of `credit_model`.
    language : str
        Language of the axes.
    """
    if evidence.empty:
        return None
    names = [f"{_name(v, None)} {b}" for v, b in zip(evidence["variable"], evidence["band"],
                                                      strict=True)]  # fmt: skip
    return _bars(names, evidence["woe"], words("weighting", language)["woe"], 0.0)


def panel_chart(
    weights: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure | None:
    """Weight of each indicator over the periods; a dotted line is its pooled weight.

    Parameters
    ----------
    weights : DataFrame
        indicator, period, weight of `entropy_by_period`.
    labels, language
        Names of the indicators, and the language of the axes.
    """
    if weights.empty:
        return None
    with house_style():
        figure, axes = new_figure(7.0, 4.0)
        periods = [p for p in weights["period"].unique() if p != "pooled"]
        for k, (item, rows) in enumerate(weights.groupby("indicator", sort=False)):
            own, colour = rows.set_index("period")["weight"], PALETTE[k % len(PALETTE)]
            axes.plot(
                periods, own[periods], color=colour, marker="osD^vPX*"[k % 8],
                label=_name(item, labels),
            )  # fmt: skip
            axes.axhline(own["pooled"], color=colour, lw=0.9, ls=":")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(ylabel=words("weighting", language)["global_weight"])
        figure.legend(loc="outside right upper")
        return figure


def variants_chart(
    agreement: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure | None:
    """Rank agreement of each variant with the usual form of its method.

    Parameters
    ----------
    agreement : DataFrame
        variant, kendall_tau_b of `scoring_variants`.
    labels, language
        Names of the variants, and the language of the axes.
    """
    if agreement.empty:
        return None
    said = words("weighting", language)["tau_usual"]
    names = [_name(v, labels) for v in agreement["variant"]]
    return _bars(names, agreement["kendall_tau_b"], said, 1.0)


def pooled_chart(
    pooled: pd.DataFrame, labels: Labels | None = None, language: str = "en"
) -> Figure | None:
    """Pooled difference from equal weights of each method, with its interval.

    Parameters
    ----------
    pooled : DataFrame
        method, difference, ci_low, ci_high of `pool_races`, of one metric.
    labels, language
        Names of the methods, and the language of the axes.
    """
    if pooled.empty:
        return None
    with house_style():
        rows = pooled.sort_values("difference", ascending=False)
        figure, axes = new_figure(7.0, 1.2 + 0.28 * len(rows))
        place = np.arange(len(rows))
        axes.hlines(place, rows["ci_low"], rows["ci_high"], color=FAINT, lw=3)
        axes.plot(rows["difference"], place, "o", color=PALETTE[0])
        axes.axvline(0, color=INK, lw=1.2, ls="--")
        axes.set_yticks(place, [_name(m, labels) for m in rows["method"]])
        axes.set(xlabel=words("weighting", language)["pooled"], ylim=(len(rows) - 0.4, -0.6))
        return figure
