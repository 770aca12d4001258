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
from cvlib.weighting.scorecard import scorecard
from cvlib.weighting.table import Indicators
from cvlib.weighting.variants import scoring_variants, variants_verdict
from cvlib.words.message import Message


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
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    verdict: Message | None = None
    warnings: tuple[str, ...] = ()

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
    return Section(tables, found.verdict, found.warnings)


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
    return Section(tables, found.verdict)


def ledger_section(ledger: Table | None, valued_at: str, hidden: Hidden) -> Section:
    """Publishers' ratios, if there is a ledger."""
    if ledger is None:
        return Section()
    ratios = hidden.rows(ledger_ratios(ledger, valued_at), "customer")
    said = ledger_verdict(ratios)
    return Section({"ratios": ratios}, said[0], said[1:])


def credit_section(
    data: Table | None, default: str, variables: Sequence[str], *, gates: Sequence[str] = (),
    logs: Sequence[str] = (), date: str = "", seed: int,
) -> Section:  # fmt: skip
    """A credit model, if there are borrowers."""
    if data is None:
        return Section()
    found = credit_model(data, default, variables, gates=gates, logs=logs, date=date, seed=seed)
    names = ("gates", "coefficients", "quality", "evidence", "stability")
    return Section({n: getattr(found, n) for n in names}, found.verdict, found.warnings)
