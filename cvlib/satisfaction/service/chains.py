"""Means-end chains (laddering): which attributes lead to which consequences and values"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cvlib.inputs.answers import plain
from cvlib.inputs.checks import fault
from cvlib.inputs.columns import enough_rows, labels, once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.heads import spelt, taken
from cvlib.inputs.readers import AS_IT_IS, Reading, Table
from cvlib.results import Finding
from cvlib.satisfaction.service.statistics import words_of
from cvlib.statistics import resample
from cvlib.statistics.proportions import wilson
from cvlib.words.message import Message, message

LEVELS = "ACV"
_KEPT = 0.70  # share of direct links that the map keeps [P]


def means_end_chains(
    data: Any,
    cutoff: int = 0,
    *,
    bootstrap: resample.Bootstrap | None = None,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Implication matrix of laddering interviews, and the map above a cut-off.

    Direct links are between neighbours of a ladder, indirect ones between all later pairs; every
    occurrence counts. Abstractness = in ÷ (in + out), centrality = (in + out) ÷ links, prestige =
    in ÷ links, of direct links (Pieters, Baumgartner & Allen 1995 [M]).

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        respondent, ladder, position (1, 2, …), code, level (A attribute, C consequence, V value,
        or these words);
        optionally coder2, a second coder's code.
    cutoff : int
        Fewest direct links that the map shows; 0: the largest of 1 to 6 that keeps 70 % of them
        [P].
    bootstrap : Bootstrap, optional
        Respondents are drawn, with all their ladders.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        chain_links: from_code, to_code, direct, indirect, respondents (with the direct link),
        shown, share_of_draws (in which it reaches the cut-off). chain_codes: code, level,
        in_degree, out_degree, abstractness, centrality, prestige. chain_cutoffs: cutoff,
        links_kept, share_of_links, share_of_cells. chain_against: links against the order
        A < C < V, from_code, to_code, direct.

    Raises
    ------
    InputError
        A level other than A, C, V; a code on two levels; two codes at one place of a ladder: with
        file, column, row.

    References
    ----------
    Reynolds & Gutman (1988), Journal of Advertising Research 28(1):11-31.

    Notes
    -----
    Reynolds & Gutman (1988) J. Advertising Research 28(1):11-31 is the method's source; their own
    matrix could not be obtained, so nothing here repeats it.

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.satisfaction.means_end_chains("ladders_survey").facts["cutoff"] >= 1
    True
    """
    settings = resample.percentile_only(bootstrap or resample.Bootstrap())
    table = opened(data, reading, ["respondent", "ladder", "position", "code", "level"])
    steps, level = _steps(table)
    pairs = _pairs(steps)
    enough_rows(table, len(pairs), 1, "links")
    order = {code: LEVELS.index(each) for code, each in level.items()}
    against = pairs["from_code"].map(order) > pairs["to_code"].map(order)
    direct = pairs[pairs["gap"] == 1]
    counted = direct.groupby(["from_code", "to_code"])["respondent"].agg(
        direct="size", respondents="nunique"
    )
    later = pairs[pairs["gap"] > 1].groupby(["from_code", "to_code"]).size().rename("indirect")
    links = counted.join(later, how="outer").fillna(0).astype(int).reset_index()
    cells = links.loc[links["direct"] > 0, "direct"]
    total = int(cells.sum())
    trial = pd.DataFrame({"cutoff": range(1, 7)})
    trial["links_kept"] = [int(cells[cells >= c].sum()) for c in trial["cutoff"]]
    trial["share_of_links"] = trial["links_kept"] / total
    trial["share_of_cells"] = [float((cells >= c).mean()) for c in trial["cutoff"]]
    enough = trial.loc[trial["share_of_links"] >= _KEPT, "cutoff"]
    chosen = int(cutoff) if cutoff > 0 else int(enough.max() if len(enough) else 1)
    turned = links["from_code"].map(order) > links["to_code"].map(order)
    links["shown"] = (links["direct"] >= chosen) & ~turned
    links["share_of_draws"] = _passing(direct, links, chosen, settings)
    links = links.sort_values(
        ["direct", "indirect", "from_code", "to_code"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )[["from_code", "to_code", "direct", "indirect", "respondents", "shown", "share_of_draws"]]
    codes = pd.DataFrame({"code": list(level), "level": list(level.values())})
    codes["in_degree"] = codes["code"].map(direct["to_code"].value_counts()).fillna(0).astype(int)
    codes["out_degree"] = (
        codes["code"].map(direct["from_code"].value_counts()).fillna(0).astype(int)
    )
    both = codes["in_degree"] + codes["out_degree"]
    codes["abstractness"] = codes["in_degree"] / both.where(both > 0)
    codes["centrality"], codes["prestige"] = both / total, codes["in_degree"] / total
    found = {"chain_links": links, "chain_codes": codes, "chain_cutoffs": trial}
    wrong = links[links["from_code"].map(order) > links["to_code"].map(order)]
    if len(wrong):
        found["chain_against"] = wrong[["from_code", "to_code", "direct"]].reset_index(drop=True)
    kappa = _kappa(table)
    warnings: list[Message] = list(taken(table))
    if kappa is not None:
        warnings.append(message("service.chain_kappa", kappa=kappa))
    same = steps.drop_duplicates("code")["code"]
    alike = same[same.map(spelt).duplicated(keep=False)]
    if len(alike):
        pair = list(alike[alike.map(spelt) == spelt(alike.iloc[0])])
        warnings.append(
            message("service.chain_alike", codes=len(alike), one=pair[0], other=pair[1])
        )
    if against.any():
        warnings.append(message("service.chain_against", links=int(against.sum())))
    kept = float(cells[cells >= chosen].sum() / total)
    top = links.iloc[0]
    people = pairs["respondent"].nunique()
    low, high = (float(limit) for limit in wilson(top["respondents"], people, settings.level))
    said = message(
        "service.chain_strongest",
        first=top["from_code"],
        then=top["to_code"],
        links=int(top["direct"]),
        share=top["respondents"] / people,
        low=low,
        high=high,
        level=settings.level,
        cutoff=chosen,
        kept=kept,
    )
    return Finding(found, said, tuple(warnings), {"cutoff": chosen, "kappa": kappa})


def _steps(table: Table) -> tuple[pd.DataFrame, dict[str, str]]:
    """Steps in the order of their ladders, and the level of every code."""
    names = {c: labels(table, c) for c in ("respondent", "ladder", "code", "level")}
    steps = pd.DataFrame({**names, "position": within(table, "position", whole=True)})
    level = steps["level"].map(plain).map(words_of("ladder"))
    if level.isna().any():
        raise fault(
            table, "level", level.isna(), message("service.chain_no_level", value="{value}"),
            message("service.chain_no_level_remedy"),
        )  # fmt: skip
    steps["level"] = level
    once(table, ["respondent", "ladder", "position"])
    first = steps.groupby("code")["level"].transform("first")
    if (first != steps["level"]).any():
        raise fault(
            table,
            "code",
            first != steps["level"],
            message("refusals.stands_on_two_levels", value="{value}"),
            message("refusals.give_every_code_one_level"),
        )
    level = steps.drop_duplicates("code").set_index("code")["level"]
    ordered = sorted(level.index, key=lambda code: (LEVELS.index(level[code]), code))
    steps = steps.sort_values(["respondent", "ladder", "position"], kind="stable")
    return steps, {code: str(level[code]) for code in ordered}


def _pairs(steps: pd.DataFrame) -> pd.DataFrame:
    """from_code, to_code, gap (1 for neighbours) and respondent of every pair of a ladder."""
    rows = [
        (who, codes[i], codes[j], j - i)
        for (who, _), part in steps.groupby(["respondent", "ladder"], sort=False)
        for codes in [part["code"].tolist()]
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
    ]
    return pd.DataFrame(rows, columns=["respondent", "from_code", "to_code", "gap"])


def _matrix(direct: pd.DataFrame, keys: pd.DataFrame) -> np.ndarray:
    """(respondents, links) how often each respondent made each direct link."""
    index = pd.MultiIndex.from_frame(keys[["from_code", "to_code"]])
    place = index.get_indexer(pd.MultiIndex.from_frame(direct[["from_code", "to_code"]]))
    who, names = pd.factorize(direct["respondent"])
    counts = np.zeros((len(names), len(index)))
    np.add.at(counts, (who, place), 1)
    return counts


def _passing(
    direct: pd.DataFrame, links: pd.DataFrame, cutoff: int, settings: resample.Bootstrap
) -> np.ndarray:
    """Share of resamples of respondents in which a link reaches the cut-off."""
    counts = _matrix(direct, links)
    rng = resample.generator(settings.seed, 75)
    drawn = resample.counts_of(resample.indices(len(counts), settings.draws, rng)).astype(float)
    share: np.ndarray = (drawn @ counts >= cutoff).mean(axis=0)
    return share


def _kappa(table: Table) -> float | None:
    """Cohen's kappa of two coders, where there are two."""
    if "coder2" not in table.data.columns:
        return None
    a, b = labels(table, "code"), labels(table, "coder2")
    grid = pd.crosstab(a, b)
    both = sorted({*grid.index, *grid.columns})
    if len(both) < 2:
        raise InputError(
            table.place("coder2"),
            message("refusals.holds_one_code_only"),
            message("refusals.kappa_needs_several"),
        )
    from statsmodels.stats.inter_rater import cohens_kappa

    grid = grid.reindex(index=both, columns=both, fill_value=0)
    return float(cohens_kappa(grid, return_results=False))
