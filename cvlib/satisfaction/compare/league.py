"""A league table of groups: who is ahead, how surely, and whether the comparison is fair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.results import Result
from cvlib.satisfaction.compare.differences import (
    all_pairs,
    exchange,
    index_differences,
    omnibus,
    path_differences,
)
from cvlib.satisfaction.compare.groups import (
    WEIGHTS,
    Groups,
    estimate_groups,
    index_table,
    path_table,
    target_of,
)
from cvlib.satisfaction.compare.micom import gate_table, invariance_table
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.survey.answers import Answers, Data
from cvlib.satisfaction.survey.settings import bootstrap_of
from cvlib.statistics.multiple import compact_letters, rank_intervals
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

MOST_EXCHANGED, MOST_LETTERED = 30, 60


@dataclass(frozen=True, eq=False, repr=False)
class League(Result):
    """Groups compared.

    Attributes
    ----------
    groups : Groups
        The estimates and draws behind the tables.
    target : str
        The construct of the league table.
    league : DataFrame
        weights, the grouping columns, n, index, std_error, ci_low, ci_high, rank, rank_ci_low,
        rank_ci_high, letters (groups that share a letter do not differ).
    index : DataFrame
        Every construct of every group by pooled and own weights.
    pairwise : DataFrame
        As `differences.index_differences`, with `composition_holds`: whether MICOM allows to
        compare the target in this pair.
    invariance, gate : DataFrame
        As `invariance.invariance_table` and `gate_table`.
    path_coefficients, path_differences, omnibus : DataFrame
        As `groups.path_table`, `differences.path_differences`, `differences.omnibus`.
    left_out : DataFrame
        column, reason, count, share.
    settings : mapping
        permutations (0 where none were made), adjustment.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("league",)
    told_by: ClassVar[str] = "cvlib.satisfaction.compare.sentences:of_league"
    charts: ClassVar[dict[str, str]] = {"league": "cvlib.figures.groups:league_chart"}

    groups: Groups
    target: str
    league: pd.DataFrame
    index: pd.DataFrame
    pairwise: pd.DataFrame
    path_coefficients: pd.DataFrame
    left_out: pd.DataFrame
    invariance: pd.DataFrame = field(default_factory=pd.DataFrame)
    gate: pd.DataFrame = field(default_factory=pd.DataFrame)
    path_differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    omnibus: pd.DataFrame = field(default_factory=pd.DataFrame)
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def names(self, language: str = "en") -> dict[str, str]:
        """Labels of the constructs."""
        model = self.groups.model
        return {name: model.label(name, language) for name in model.construct_names}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of the league chart is called with."""
        by = list(self.groups.keys.columns[:-2])
        label = self.league[by].astype(str).agg(" / ".join, axis=1)
        return {"league": self.league.assign(**{by[0]: label}), "group": by[0],
                "language": language, "level": self.groups.settings["level"]}  # fmt: skip


def compare_groups(
    data: Data | Answers,
    model: AnyModel,
    by: str | Sequence[str],
    *,
    target: str = "",
    permutations: int = 500,
    adjustment: str = "holm",
    draws: int | Bootstrap = 500,
    **settings: Any,
) -> League:
    """Compare brands or segments.

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    by : str or sequence of str
        Grouping columns.
    target : str
        Construct of the league table; empty for satisfaction.
    permutations : int
        Label exchanges per pair and for the omnibus test; 0 leaves them and MICOM out.
    adjustment : {"holm", "benjamini_hochberg", "none"}
        For the number of comparisons.
    draws : int or Bootstrap
        Resamples; its seed is that of all random numbers, 1 - level the size of tests.
    **settings
        minimum, scheme, missing, design, jobs of `estimate_groups`.

    Returns
    -------
    League
        The league table, rank intervals, differences, MICOM.

    Raises
    ------
    InputError
        A group column, target or design that cannot be used, or groups in which nobody answered.

    References
    ----------
    Chin & Dibbern (2010), Handbook of Partial Least Squares, 171-193 (permutation); Henseler,
    Ringle & Sarstedt (2016), Int. Marketing Review 33(3):405-431 (MICOM); Mogstad, Romano, Shaikh &
    Wilhelm (2024), Review of Economic Studies 91(1):476-518 (ranks).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.groups("simulated_brands", "ecsi_mobile", "brand", draws=0,
    ...                                permutations=0)
    >>> found.league["rank"].iloc[0] == 1
    np.True_
    """
    chosen = bootstrap_of(draws)
    seed, level = chosen.seed, chosen.level
    groups = estimate_groups(data, model, by, draws=chosen, **settings)
    construct, pairs, told = (
        target_of(groups.model, target),
        all_pairs(groups),
        list(groups.warnings),
    )
    exchanged: dict[str, pd.DataFrame] = {}
    more: dict[str, pd.DataFrame] = {}
    if len(groups.keys) > MOST_EXCHANGED and permutations:
        told.append(
            message(
                "satisfaction.too_many_pairs",
                groups=len(groups.keys),
                pairs=len(pairs),
                most=MOST_EXCHANGED,
            )
        )
    elif permutations:
        exchanged = exchange(groups, pairs, permutations=permutations, seed=seed)
        more["invariance"] = invariance_table(exchanged, groups.model, adjustment, level)
        more["gate"] = gate_table(more["invariance"])
        more["path_differences"] = path_differences(groups, pairs, exchanged, adjustment=adjustment)
        more["omnibus"] = omnibus(groups, construct, permutations=permutations, seed=seed)
        if adjustment == "holm" and len(pairs) / (1 + permutations) > 1 - level:
            told.append(
                message(
                    "satisfaction.few_permutations",
                    permutations=permutations,
                    pairs=len(pairs),
                    needed=int(np.ceil(len(pairs) / (1 - level))),
                )
            )
        lost = int(exchanged["draws"]["failed"].sum())
        if lost:
            told.append(message("satisfaction.exchanges_failed", lost=lost))
    pairwise = index_differences(groups, pairs, construct, exchanged, adjustment=adjustment)
    if exchanged:
        step = more["invariance"].query("step == '2 composition' and construct == @construct")
        allowed = step[["group_1", "group_2", "holds"]]
        pairwise = pairwise.merge(allowed.rename(columns={"holds": "composition_holds"}))
    return League(
        groups=groups, target=construct, league=league_table(groups, construct, pairwise),
        index=index_table(groups), pairwise=pairwise, path_coefficients=path_table(groups),
        left_out=groups.left_out, warnings=tuple(told), **more,
        settings={"permutations": permutations if exchanged else 0, "adjustment": adjustment},
    )  # fmt: skip


def league_table(groups: Groups, construct: str, pairwise: pd.DataFrame) -> pd.DataFrame:
    """Groups from the highest index down, with rank, its interval and letters.

    Parameters
    ----------
    groups : Groups
        From `estimate_groups`.
    construct : str
        Whose index.
    pairwise : DataFrame
        From `differences.index_differences` over all pairs.
    """
    level = float(groups.settings["level"])  # type: ignore[arg-type]
    tables, number = index_table(groups, [construct]), len(groups.keys)
    first, second = np.triu_indices(number, 1)
    parts = []
    for weights in WEIGHTS:
        own = tables[tables["weights"] == weights].drop(columns=["construct", "weights"])
        own = own.reset_index(drop=True)
        own.insert(0, "weights", weights)
        index = groups.index(construct, weights)
        ranks = rank_intervals(index[:, 0], index[:, 1:], level)
        own["rank"], own["rank_ci_low"], own["rank_ci_high"] = ranks
        if number <= MOST_LETTERED:
            different = np.zeros((number, number), dtype=bool)
            told = pairwise.loc[pairwise["weights"] == weights, "different"].to_numpy()
            different[first, second] = different[second, first] = told
            own["letters"] = compact_letters(index[:, 0], different)
        parts.append(own.sort_values("rank", kind="stable"))
    return pd.concat(parts, ignore_index=True)
