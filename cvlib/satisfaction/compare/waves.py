"""Waves of a survey: is it really better than last year, and what part of the change is weights?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from cvlib.inputs.choices import one_of
from cvlib.results import Result
from cvlib.satisfaction.compare.differences import exchange, index_differences
from cvlib.satisfaction.compare.groups import Groups, estimate_groups, spread, target_of
from cvlib.satisfaction.model.code import AnyModel
from cvlib.satisfaction.survey.answers import Answers, Data, open_survey
from cvlib.satisfaction.survey.settings import bootstrap_of
from cvlib.statistics.multiple import adjusted
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

ALL = "(all)"
SERIES = ("pooled", "own", "fixed", "chained")


@dataclass(frozen=True, eq=False, repr=False)
class Waves(Result):
    """One construct over the waves.

    Attributes
    ----------
    target : str
        The construct.
    series : DataFrame
        group ("(all)": everybody), wave, n, series, index, std_error, ci_low, ci_high. Series:
        pooled (weights of all waves together), own (of each wave), fixed (of the first wave),
        chained (the first own index plus the changes of answers since).
    changes : DataFrame
        group, from_wave, to_wave, weights and the tests of `differences.index_differences`.
    decomposition : DataFrame
        group, from_wave, to_wave, component (change, answers, weights), estimate, std_error,
        ci_low, ci_high: of the index by own weights.
    trend : DataFrame
        group, series, slope per wave (per unit of the wave where it is a number), std_error, t, p,
        ci_low, ci_high.
    left_out : DataFrame
        column, reason, count, share.
    settings : mapping
        Those of `Groups`, with permutations and adjustment; waves: how many.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("series", "changes")
    told_by: ClassVar[str] = "cvlib.satisfaction.compare.sentences:of_waves"
    charts: ClassVar[dict[str, str]] = {
        "trend": "cvlib.figures.groups:trend_chart",
        "decomposition": "cvlib.figures.groups:decomposition_chart",
    }

    target: str
    series: pd.DataFrame
    changes: pd.DataFrame
    decomposition: pd.DataFrame
    trend: pd.DataFrame
    left_out: pd.DataFrame
    settings: Mapping[str, Any]
    warnings: tuple[str, ...]

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with."""
        if name == "decomposition":
            return {"decomposition": self.decomposition, "language": language}
        pooled = self.series[self.series["series"] == "pooled"]
        return {"series": pooled, "language": language, "level": self.settings["level"]}


def at_wave(answers: Answers, wave: str, chosen: str = "") -> Answers:
    """Respondents of one wave: the one asked for, else the last; everybody without waves.

    Parameters
    ----------
    answers : Answers
        Of all waves.
    wave : str
        Column of the wave; empty: there are none.
    chosen : str
        The wave wanted; empty: the last.

    Returns
    -------
    Answers
        Those of the wave.

    Raises
    ------
    InputError
        A wave that the survey does not have.

    Examples
    --------
    >>> import cvlib as cv
    >>> answers = cv.satisfaction.open_survey("simulated_brands", "ecsi_mobile")
    >>> cv.satisfaction.at_wave(answers, "wave").data["wave"].unique().tolist()
    [2026]
    """
    if not wave:
        return answers
    data = answers.table.data
    one_of("wave", wave, data, message("refusals.leave_wave_empty"),
           wrong=message("refusals.is_not_in_the_survey"))  # fmt: skip
    known = data[wave].dropna().sort_values().unique()
    names = [str(value) for value in known]
    if chosen:
        one_of("at", chosen, names, wrong=message("refusals.is_not_a_wave"))
    value = known[names.index(chosen)] if chosen else known[-1]
    return answers.where((data[wave] == value).to_numpy())


def compare_waves(
    data: Data | Answers,
    model: AnyModel,
    wave: str,
    group: str = "",
    *,
    target: str = "",
    permutations: int = 500,
    adjustment: str = "holm",
    draws: int | Bootstrap = 500,
    **settings: Any,
) -> Waves:
    """Follow an index over waves with different respondents, for everybody and for each group.

    With item means x on 0-100 and weights w that sum to one, the change of an index between two
    waves is split without remainder into ::

        answers: sum((w0 + w1) / 2 * (x1 - x0))      weights: sum((x0 + x1) / 2 * (w1 - w0))

    Parameters
    ----------
    data : str, Path, Table, DataFrame or Answers
        One row per respondent and wave.
    model : Model, name or path
        A shipped model, a YAML file, or a `Model`.
    wave, group : str
        Columns; waves are sorted by value, group may be empty.
    target : str
        Empty for satisfaction.
    permutations, adjustment, draws
        As in `league.compare_groups`; all changes under one kind of weights are one family.
    **settings
        minimum, scheme, missing, design, jobs of `estimate_groups`.

    Returns
    -------
    Waves
        The index by wave, changes and their decomposition.

    Raises
    ------
    InputError
        Fewer than two waves in which every item was asked.

    References
    ----------
    Kitagawa (1955), JASA 50:1168-1194; Bennet (1920), J. Royal Statistical Society 83:455-462
    (averaging the two waves' weights).

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.satisfaction.waves("simulated_brands", "ecsi_mobile", "wave", draws=0,
    ...                               permutations=0)
    >>> found.target
    'satisfaction'
    """
    chosen, answers = bootstrap_of(draws), open_survey(data, model)
    seed, level = chosen.seed, chosen.level
    construct = target_of(answers.model, target)
    options: dict[str, Any] = {**settings, "draws": chosen}
    found = [(ALL, estimate_groups(answers, answers.model, wave, **options))]
    if group:
        found.append((group, estimate_groups(answers, answers.model, [group, wave], **options)))
    parts: dict[str, list[pd.DataFrame]] = {}
    told: list[str] = []
    for what, groups in found:
        members = (
            {ALL: np.arange(len(groups.keys))} if what == ALL
            else groups.keys.groupby(group, sort=True).indices
        )  # fmt: skip
        rows = {name: own for name, own in members.items() if len(own) > 1}
        told += [message("satisfaction.one_wave", group=name)
                 for name in members if name not in rows]  # fmt: skip
        for name, own in rows.items():
            for table, made in _own_series(groups, own, construct, wave).items():
                made.insert(0, "group", str(name))
                parts.setdefault(table, []).append(made)
        links = [(name, int(b), int(a)) for name, own in rows.items()
                 for a, b in itertools.pairwise(own)]  # fmt: skip
        if not links:
            continue
        pairs = [(later, earlier) for _, later, earlier in links]
        exchanged = (
            exchange(groups, pairs, permutations=permutations, seed=seed) if permutations else {}
        )
        tested = index_differences(groups, pairs, construct, exchanged, adjustment="none")
        waves = groups.keys[wave].to_numpy()
        places = {"group": [str(name) for name, _, _ in links],
                  "from_wave": [waves[a] for _, _, a in links],
                  "to_wave": [waves[b] for _, b, _ in links]}  # fmt: skip
        for place, (column, values) in enumerate(places.items()):
            tested.insert(place, column, values * 2)
        parts.setdefault("changes", []).append(tested.drop(columns=["group_1", "group_2"]))
        told += [text for text in groups.warnings if text not in told]
    tables = {
        name: _named_waves(pd.concat(rows, ignore_index=True)) for name, rows in parts.items()
    }
    changes = tables["changes"]
    for test in ("p_welch", "p_permutation"):
        if test in changes:
            changes[f"{test}_adjusted"] = changes.groupby("weights")[test].transform(
                lambda p: adjusted(p.to_numpy(), adjustment)
            )
    changes["different"] = changes["p_welch_adjusted"] < 1 - level
    return Waves(construct, tables["series"], changes, tables["decomposition"], tables["trend"],
                 found[-1][1].left_out,
                 {**found[0][1].settings, "permutations": permutations, "adjustment": adjustment,
                  "waves": len(found[0][1].keys)}, tuple(told))  # fmt: skip


def _named_waves(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its waves as names: 2025 is no quantity."""
    waves = [column for column in ("wave", "from_wave", "to_wave") if column in table]
    return table.assign(**{column: table[column].astype(str) for column in waves})


def decompose(mean: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of answers and change of weights between successive waves, each (W - 1, ...).

    Parameters
    ----------
    mean, shares : ndarray (W, ..., m)
        Item means on 0-100 and weights of one construct's m items. The two parts add up to the
        change of ``(mean * shares).sum(-1)``.
    """
    answers = ((shares[1:] + shares[:-1]) / 2 * np.diff(mean, axis=0)).sum(axis=-1)
    weights = ((mean[1:] + mean[:-1]) / 2 * np.diff(shares, axis=0)).sum(axis=-1)
    return answers, weights


def _own_series(
    groups: Groups, own: np.ndarray, construct: str, wave: str
) -> dict[str, pd.DataFrame]:
    """series, decomposition and trend of one group: its cells in the order of the waves."""
    columns, items = groups.composed.own(construct)
    mean, shares = groups.mean[own][..., items], groups.shares[own][..., columns]
    answers, weights = decompose(mean, shares)
    index = (mean * shares).sum(axis=-1)
    values = {
        "pooled": groups.index(construct, "pooled")[own],
        "own": index,
        "fixed": (mean * shares[:1]).sum(axis=-1),
        "chained": index[0] + np.concatenate([0 * answers[:1], np.cumsum(answers, axis=0)]),
    }
    keys = groups.keys.loc[own, [wave, "n"]].rename(columns={wave: "wave"}).reset_index(drop=True)
    series = [
        pd.concat([keys.assign(series=name), spread(values[name], groups)], axis=1)
        for name in SERIES
    ]
    steps = pd.DataFrame({"from_wave": keys["wave"][:-1].to_numpy(),
                          "to_wave": keys["wave"][1:].to_numpy()})  # fmt: skip
    split = {"change": np.diff(index, axis=0), "answers": answers, "weights": weights}
    parts = [
        pd.concat([steps.assign(component=name), spread(made, groups)], axis=1)
        for name, made in split.items()
    ]
    number = pd.api.types.is_numeric_dtype(keys["wave"])
    at = keys["wave"].to_numpy(float) if number else np.arange(len(keys), dtype=float)
    at = at - at.mean()
    slopes = [pd.DataFrame({"series": [name]}).join(
        spread((at @ values[name] / (at @ at))[None], groups)) for name in SERIES]  # fmt: skip
    trend = pd.concat(slopes, ignore_index=True).rename(columns={"estimate": "slope"})
    if "std_error" in trend:
        degrees = groups.keys.loc[own, "n"].sum() - len(own)
        trend.insert(3, "t", trend["slope"] / trend["std_error"])
        trend.insert(4, "p", 2 * stats.t.sf(np.abs(trend["t"]), degrees))
    return {
        "series": pd.concat(series, ignore_index=True).rename(columns={"estimate": "index"}),
        "decomposition": pd.concat(parts, ignore_index=True),
        "trend": trend,
    }
