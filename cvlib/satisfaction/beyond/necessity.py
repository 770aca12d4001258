"""Necessary conditions: what a high outcome cannot do without, and the map that shows both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cvlib.satisfaction import index as scoring
from cvlib.satisfaction.beyond.base import Base, needs_numbers
from cvlib.satisfaction.beyond.section import Chart, Section
from cvlib.statistics import resample
from cvlib.words.message import Message, message

EFFECT_LIMIT, ALPHA = 0.1, 0.05  # Dul (2016)
CEILINGS = ("ce_fdh", "cr_fdh")
LEVELS = np.arange(0, 101, 10)
WISHED = 80.0  # points of the target that the combined map asks for, unless told
_LEVERAGE = 5


@dataclass(frozen=True)
class Ceiling:
    """The empty corner of a scatter of outcome y against condition x, both (n,).

    References
    ----------
    Dul (2016), Organizational Research Methods 19:10-52.
    """

    x: np.ndarray
    y: np.ndarray

    @cached_property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct x in rising order, and the highest y up to each (CE-FDH)."""
        order = np.lexsort((-self.y, self.x))
        x, first = np.unique(self.x[order], return_index=True)
        return x, np.maximum.accumulate(self.y[order][first])

    @cached_property
    def peers(self) -> np.ndarray:
        """Positions among `steps` where the ceiling rises, the first one included."""
        ceiling = self.steps[1]
        return np.flatnonzero(np.r_[True, ceiling[1:] > ceiling[:-1]])

    @property
    def scope(self) -> float:
        """Area in which answers lie."""
        return float(np.ptp(self.x) * np.ptp(self.y))

    @cached_property
    def line(self) -> tuple[float, float] | None:
        """Intercept and slope of CR-FDH; None where the ceiling never rises."""
        x, ceiling = self.steps
        at = self.peers
        if len(at) < 2:
            return None
        slope, intercept = np.polyfit(x[at], ceiling[at], 1)
        return float(intercept), float(slope)

    def effect(self, kind: str = "ce_fdh") -> float:
        """Size d of the necessity effect: empty zone over scope, 0 to 1."""
        if self.scope == 0:
            return 0.0
        x, ceiling = self.steps
        if kind == "ce_fdh":
            zone = float((np.diff(x) * (self.y.max() - ceiling[:-1])).sum())
            return zone / self.scope
        if self.line is None or self.line[1] <= 0:
            return 0.0
        return self._above(*self.line) / self.scope

    def _above(self, intercept: float, slope: float) -> float:
        """Area within the scope above a rising line."""
        low, high = self.y.min(), self.y.max()
        at = np.clip([(low - intercept) / slope, (high - intercept) / slope],
                     self.x.min(), self.x.max())  # fmt: skip
        left = (at[0] - self.x.min()) * (high - low)
        gap = high - (intercept + slope * at)
        return float(left + (at[1] - at[0]) * gap.sum() / 2)

    def needed(self, level: float, kind: str = "ce_fdh") -> float:
        """Lowest x at which y can reach a level; NaN where every x allows it or none does."""
        x, ceiling = self.steps
        if kind == "ce_fdh":
            able = np.flatnonzero(ceiling >= level - 1e-9)
            return float(x[able[0]]) if len(able) and able[0] > 0 else np.nan
        if self.line is None or self.line[1] <= 0:
            return np.nan
        at = (level - self.line[0]) / self.line[1]
        return at if self.x.min() < at <= self.x.max() else np.nan


def permuted(x: np.ndarray, y: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Effect sizes (draws,) of CE-FDH with y permuted (Dul, van der Laan & Kuik, 2020)."""
    rng = resample.generator(seed)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    last = np.r_[x[1:] > x[:-1], True]  # the ceiling at an x knows all answers there
    width = np.diff(x[last])
    found = np.empty(draws)
    scope = np.ptp(x) * np.ptp(y)
    top = y.max()
    for draw in range(draws):
        ceiling = np.maximum.accumulate(rng.permutation(y))[last]
        found[draw] = (width * (top - ceiling[:-1])).sum() / scope
    return found


def necessity(base: Base, target: str = "", wished: float = WISHED) -> Section:
    """Which drivers a high target cannot do without, on indices of 0 to 100.

    Parameters
    ----------
    base : Base
        Draws are the permutations.
    target : str
        The outcome; empty for the model's usual target (satisfaction).
    wished : float
        Level of the target, 0 to 100, that the combined map asks for.

    Returns
    -------
    Section
        Tables `necessity` (driver, d of both ceilings, p, necessary), `bottleneck` (level of the
        target in percent of its range by driver), `necessity_leverage` (d without each of the five
        respondents that move it most) and `combined_map` (importance, performance, needed level,
        share of respondents below it).

    References
    ----------
    Dul (2016), Organizational Research Methods 19:10-52; Dul, van der Laan & Kuik (2020),
    Organizational Research Methods 23:385-395; Hauff, Richter, Sarstedt & Ringle (2024), Journal
    of Retailing and Consumer Services 78:103723 (combined map). [M]
    """
    if base.survey.weights is not None:
        return Section("necessity", reason=message("further.necessity_weights"))
    needs_numbers(base, "necessity")
    model = base.model
    chosen = target or scoring.default_target(model)
    drivers = scoring.causes_of(model, chosen)
    told = scoring.index_scores(
        model, base.values, scoring.index_values(model, base.found), base.survey.index
    )
    y = np.round(told[chosen].to_numpy(), 9)
    ceilings = {name: Ceiling(np.round(told[name].to_numpy(), 9), y) for name in drivers}
    draws, seeds = base.bootstrap.draws, resample.seeds(base.bootstrap.seed, len(drivers))
    rows = []
    for (name, ceiling), seed in zip(ceilings.items(), seeds, strict=True):
        effect = ceiling.effect()
        row: dict[str, Any] = {
            "construct": name,
            "d_ce_fdh": effect,
            "d_cr_fdh": ceiling.effect("cr_fdh"),
        }
        if draws:
            null = permuted(ceiling.x, y, draws, seed)
            row["p"] = float((1 + (null >= effect - 1e-12).sum()) / (1 + draws))
            row["necessary"] = bool(effect >= EFFECT_LIMIT and row["p"] < ALPHA)
        rows.append(row)
    table = pd.DataFrame(rows)
    tables = {
        "necessity": table,
        "bottleneck": _bottleneck(ceilings, y),
        "necessity_leverage": _leverage(ceilings, base),
    }
    said = _said(base, table, tables["necessity_leverage"], chosen)
    charts = {"necessity_chart": Chart("necessity_chart", {
        "points": told[[*drivers, chosen]], "steps": _steps(ceilings), "target": chosen,
        "labels": True,
    })}  # fmt: skip
    if draws:
        combined = _combined(base, table, ceilings, chosen, wished)
        tables["combined_map"] = combined
        charts["combined_map_chart"] = Chart(
            "combined_map", {"table": combined, "target": chosen, "labels": True}
        )
        said += _map_sentences(base, combined, chosen, wished)
    return Section("necessity", tables, tuple(said), charts)


def _bottleneck(ceilings: dict[str, Ceiling], y: np.ndarray) -> pd.DataFrame:
    """Lowest driver index, in percent of its range, for the target at 0 to 100 % of its range."""
    rows = []
    for level in LEVELS:
        at = y.min() + level / 100 * np.ptp(y)
        for kind in CEILINGS:
            row: dict[str, object] = {"ceiling": kind, "level": int(level)}
            for name, ceiling in ceilings.items():
                needed = ceiling.needed(at, kind)
                row[name] = 100 * (needed - ceiling.x.min()) / np.ptp(ceiling.x)
            rows.append(row)
    wide = pd.DataFrame(rows).sort_values(["ceiling", "level"], kind="stable")
    long = wide.melt(["ceiling", "level"], var_name="construct", value_name="needed")
    return long.assign(necessary=long["needed"].notna()).reset_index(drop=True)


def _leverage(ceilings: dict[str, Ceiling], base: Base) -> pd.DataFrame:
    """d of CE-FDH without single respondents: those on the ceiling and at the ends of a range."""
    rows = []
    for name, ceiling in ceilings.items():
        x, y = ceiling.x, ceiling.y
        steps, heights = ceiling.steps
        corners = set(zip(steps[ceiling.peers], heights[ceiling.peers], strict=True))
        ends = {x.min(), x.max()}, {y.min(), y.max()}
        able = [n for n, pair in enumerate(zip(x, y, strict=True))
                if pair in corners or pair[0] in ends[0] or pair[1] in ends[1]]  # fmt: skip
        whole = ceiling.effect()
        left = []
        for n in able[:400]:
            keep = np.arange(len(x)) != n
            left.append((Ceiling(x[keep], y[keep]).effect(), n))
        left.sort(key=lambda pair: (-abs(round(pair[0] - whole, 12)), pair[1]))
        rows += [{"construct": name, "respondent": str(base.survey.index[n]), "d": whole,
                  "d_without": value, "change": value - whole}
                 for value, n in left[:_LEVERAGE]]  # fmt: skip
    return pd.DataFrame(rows)


def _steps(ceilings: dict[str, Ceiling]) -> pd.DataFrame:
    parts = []
    for name, ceiling in ceilings.items():
        x, y = ceiling.steps
        line = ceiling.line
        parts.append(pd.DataFrame({
            "construct": name, "x": x, "ce_fdh": y,
            "cr_fdh": np.nan if line is None or line[1] <= 0 else line[0] + line[1] * x,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _combined(
    base: Base, table: pd.DataFrame, ceilings: dict[str, Ceiling], target: str, wished: float
) -> pd.DataFrame:
    measures = scoring.measures(base.model)
    told = {name: keys.assign(estimate=value(base.found)[0])
            for name, (keys, value) in measures.items()}  # fmt: skip
    combined = scoring.importance_performance_table(
        scoring.impacts_table(told["impacts"]),
        told["index"].rename(columns={"estimate": "index"}), base.model, target,
    )  # fmt: skip
    needed, below = [], []
    for name in combined["construct"]:
        level = ceilings[name].needed(wished)
        needed.append(level)
        below.append(float((ceilings[name].x < level - 1e-9).mean()) if np.isfinite(level) else 0.0)
    combined["necessary"] = table.set_index("construct").loc[combined["construct"],
                                                             "necessary"].to_numpy()  # fmt: skip
    return combined.assign(wished=wished, needed=needed, share_below=below)


def _said(
    base: Base, table: pd.DataFrame, leverage: pd.DataFrame, target: str
) -> list[Message]:  # fmt: skip
    if "necessary" not in table:
        return [message("further.necessity_no_draws")]
    said = []
    needed = list(table.loc[table["necessary"], "construct"])
    rest = list(table.loc[~table["necessary"], "construct"])
    if needed:
        said.append(message("further.necessary", names=[base.label(n) for n in needed],
                            target=base.label(target), limit=EFFECT_LIMIT))  # fmt: skip
    if rest:
        said.append(message("further.not_necessary", names=[base.label(n) for n in rest],
                            target=base.label(target), limit=EFFECT_LIMIT))  # fmt: skip
    for name in needed:
        own = leverage[leverage["construct"] == name]
        if (own["d_without"] < EFFECT_LIMIT).any():
            said.append(
                message(
                    "further.necessity_one_respondent",
                    name=base.label(name),
                    lowest=float(own["d_without"].min()),
                    limit=EFFECT_LIMIT,
                )
            )
    return said


def _map_sentences(
    base: Base, combined: pd.DataFrame, target: str, wished: float
) -> list[Message]:  # fmt: skip
    own = combined[combined["necessary"] & combined["needed"].notna()]
    if not len(own):
        return [message("further.map_nothing_needed", target=base.label(target), wished=wished)]
    worst = own.sort_values(["share_below", "construct"], ascending=[False, True]).iloc[0]
    return [message("further.map_needed", target=base.label(target), wished=wished,
                    name=base.label(worst["construct"]), needed=worst["needed"],
                    share=worst["share_below"])]  # fmt: skip
