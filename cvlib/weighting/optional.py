"""Sections of a scoring study that are there when their input is named, and empty otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from cvlib.inputs.readers import Table
from cvlib.statistics.disclosure import pseudonyms
from cvlib.weighting.credit import credit_model
from cvlib.weighting.ledger import ledger_ratios, ledger_verdict
from cvlib.weighting.maturity import maturity
from cvlib.weighting.scorecard import FULL, scorecard
from cvlib.weighting.table import Indicators
from cvlib.weighting.variants import scoring_variants, variants_verdict
from cvlib.words.answer import Tile, amount, interval, number
from cvlib.words.message import Message, message


@dataclass(frozen=True)
class Hidden:
    """How ids become names that can be published (see `pseudonyms`)."""

    seed: int
    folder: str = ""
    pseudonymise: bool = True

    def rows(self, table: pd.DataFrame, column: str, by: Sequence[str] = ()) -> pd.DataFrame:
        """The table with names in place of the ids of a column, sorted so that no order tells."""
        if not self.pseudonymise:
            return table
        ids = table[column].reset_index(drop=True)
        names = pseudonyms(ids, self.seed, folder=self.folder, word=column)
        found = table.reset_index(drop=True).assign(**{column: names})
        return found.sort_values([*by, column], kind="stable", ignore_index=True)


@dataclass(frozen=True, eq=False)
class Section:
    """Tables by name, what is said of them, and warnings; nothing where nothing was asked.

    Attributes
    ----------
    tables : dict of DataFrame
        Without the name: an empty frame (see `table`).
    verdict : Message or None
    warnings : tuple of str
    value : float or None
        The number the verdict turns on: the lowest level, the best score, what is out, the AUC.
    question : Message or None
        What the section answers, for the first screen.
    tiles : tuple of Tile
        Its key figures.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    verdict: Message | None = None
    warnings: tuple[str, ...] = ()
    value: float | None = None
    question: Message | None = None
    tiles: tuple[Tile, ...] = ()

    def table(self, name: str) -> pd.DataFrame:
        """The table of that name, or one without columns."""
        return self.tables.get(name, pd.DataFrame())


def variants_section(asked: bool, indicators: Indicators, weights: pd.Series) -> Section:
    """Scores by every variant of TOPSIS and grey relations, if asked for."""
    if not asked or len(indicators.values) < 2:
        return Section()
    alike = scoring_variants(indicators, weights)[1]
    return Section({"agreement": alike}, variants_verdict(alike))


def maturity_section(indicators: Indicators, hidden: Hidden) -> Section:
    """Levels of organisations, where the tree has a minimum of leaves on one scale."""
    found = maturity(indicators)
    if found.levels.empty:
        return Section()
    tables = {
        "levels": hidden.rows(found.levels, "organisation", ["level"]),
        "areas": hidden.rows(found.areas, "organisation"),
    }
    reached = found.levels["level"]
    facts = {"count": found.levels["organisation"].nunique(),
             "areas": found.areas["area"].nunique()}  # fmt: skip
    ends = {"low": reached.min(), "high": reached.max()} if facts["count"] > 1 else {
        "one": reached.min()
    }  # fmt: skip
    named = {"low": message("weighting.tile_level_low"), "one": message("weighting.tile_level"),
             "high": message("weighting.tile_level_high")}  # fmt: skip
    tiles = tuple(Tile(named[end], number(float(level), 0)) for end, level in ends.items())
    asks = message("weighting.asks_maturity", **facts)
    return Section(tables, found.verdict, found.warnings, float(reached.min()), asks, tiles)


def scorecard_section(
    targets: Table | None, indicators: Indicators, weights: pd.Series, cap: float, hidden: Hidden
) -> Section:
    """Attainment of targets, if there are any."""
    if targets is None:
        return Section()
    found = scorecard(indicators, targets, weights, cap=cap)
    scores = hidden.rows(found.scores.assign(order=-found.scores["score"]), "unit", ["order"])
    whole = found.attainment.assign(below=found.attainment["attainment"] < 1)
    mean = {"attainment": "mean", "weight": "first", "points": "mean", "below": "sum"}
    by_indicator = whole.groupby("indicator", sort=False).agg(mean).reset_index()
    tables = {"scores": scores.drop(columns="order", errors="ignore"), "attainment": by_indicator}
    met, best = int((found.scores["score"] >= FULL).sum()), float(found.scores["score"].iloc[0])
    tiles = (
        Tile(message("weighting.tile_met"), number(met, 0),
             message("weighting.tile_of", count=len(found.scores))),
        Tile(message("weighting.tile_best_score"), number(best, 1)),
    )  # fmt: skip
    asks = message("weighting.asks_scorecard", units=len(found.scores), items=len(by_indicator))
    return Section(tables, found.verdict, (), best, asks, tiles)


def ledger_section(ledger: Table | None, valued_at: str, hidden: Hidden) -> Section:
    """Publishers' ratios, if there is a ledger."""
    if ledger is None:
        return Section()
    ratios = hidden.rows(ledger_ratios(ledger, valued_at), "customer")
    said = ledger_verdict(ratios)
    out, sent = float(ratios["in_transit"].sum()), float(ratios["shipments"].sum())
    tiles = (
        Tile(message("weighting.tile_out"), amount(out)),
        Tile(message("weighting.tile_out_share"), number(100 * out / sent, 1, "%")),
    )
    asks = message("weighting.asks_ledger", source=ledger.source, customers=len(ratios))
    return Section({"ratios": ratios}, said[0], said[1:], out, asks, tiles)


def credit_section(
    data: Table | None, default: str, variables: Sequence[str], *, gates: Sequence[str] = (),
    logs: Sequence[str] = (), date: str = "", seed: int,
) -> Section:  # fmt: skip
    """A credit model, if there are borrowers."""
    if data is None:
        return Section()
    found = credit_model(data, default, variables, gates=gates, logs=logs, date=date, seed=seed)
    names = ("gates", "coefficients", "quality", "evidence", "stability")
    told = found.verdict.values
    asks = message("weighting.asks_credit", source=data.source, customers=len(found.scores))
    tables = {n: getattr(found, n) for n in names}
    if "auc" not in told:  # nobody to tell apart
        return Section(tables, found.verdict, found.warnings, None, asks)
    tiles = (
        Tile(message("weighting.tile_auc"), number(told["auc"], 2),
             interval(told["low"], told["high"], 2)),
        Tile(message("weighting.tile_defaults"), number(100 * told["observed"], 1, "%"),
             message("weighting.tile_expected", share=told["predicted"])),
    )  # fmt: skip
    return Section(tables, found.verdict, found.warnings, told["auc"], asks, tiles)
