"""Segments whose paths differ: how many, how sure, what sets them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.inputs.choices import whole
from cvlib.satisfaction.beyond.base import Base, needs_composites
from cvlib.satisfaction.beyond.fimix import Mixture, criteria, mixture
from cvlib.satisfaction.beyond.pos import oriented
from cvlib.satisfaction.beyond.section import Chart, Section
from cvlib.words.message import Message, message

FEWEST_AGREEING, LEAST_ENTROPY, PER_CAUSE = 3, 0.5, 10


def segments(base: Base, most: int = 3, starts: int = 30) -> Section:
    """Mixtures of one to `most` segments, the number the criteria agree on, and its paths.

    Parameters
    ----------
    base : Base
        Estimator "pls".
    most : int
        Largest number of segments tried.
    starts : int
        Of every mixture.

    Returns
    -------
    Section
        Tables `segments` (criteria, entropy, smallest segment, starts that reach the best,
        admissible) and, where a number is chosen or two are to be looked at, `segment_paths`,
        `segment_explained` (sum of R² of one model, of FIMIX's segments, and after moving
        respondents).

    References
    ----------
    Hahn, Johnson, Herrmann & Huber (2002), Schmalenbach Business Review 54:243-269; Sarstedt,
    Becker, Ringle & Schwaiger (2011), Schmalenbach Business Review 63:34-62 (criteria) [M];
    Becker, Rai, Ringle & Völckner (2013), MIS Quarterly 37:665-694 (POS) [M].
    """
    needs_composites(base, "segments")
    whole("segments", most, 2, 8, message("refusals.two_to_eight_segments"))
    whole("starts", starts, 3, 1000)
    adjacency = base.model.adjacency
    smallest = PER_CAUSE * int(adjacency.sum(axis=0).max())
    found: dict[int, Mixture] = {}
    rows = []
    for number in range(1, most + 1):
        one = mixture(base.scores, adjacency, number, starts=starts,
                      seed=base.bootstrap.seed, mass=base.mass)  # fmt: skip
        found[number] = one
        size = int(np.bincount(one.membership.argmax(axis=1), minlength=number).min())
        told = criteria(one, adjacency, base.survey.effective_rows)
        established = number == 1 or one.agreeing >= FEWEST_AGREEING
        rows.append({
            "segments": number, **told, "smallest_segment": size,
            "starts_agreeing": one.agreeing, "starts": one.starts, "established": established,
            "admissible": number == 1 or bool(
                established and told["entropy"] >= LEAST_ENTROPY and size >= smallest),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    tables = {"segments": table}
    chosen, said = _choice(table, smallest)
    charts: dict[str, Chart] = {}
    if chosen > 1:
        paths = _paths(base, found[chosen])
        tables["segment_paths"] = paths
        said += _paths_sentence(base, paths)
        if base.survey.clusters is None and not base.survey.model.parents:
            tables["segment_explained"], told_pos = _explained(base, found[chosen], smallest)
            said.append(told_pos)
        else:
            said.append(message("further.segments_not_moved"))
        said.append(message("further.segments_explore"))
        charts = {"segments_chart": Chart("segments_chart", {"table": paths, "labels": True})}
    return Section("segments", tables, tuple(said), charts)


def _choice(table: pd.DataFrame, smallest: int) -> tuple[int, list[Message]]:
    """The number on which AIC3 and CAIC agree, if it is admissible; 1 for no segments."""
    by = {name: int(table.loc[table[name].idxmin(), "segments"]) for name in ("aic3", "caic")}
    said = []
    doubtful = table[~table["established"]]
    for row in doubtful.to_dict("records"):
        said.append(message("further.segments_not_established", segments=row["segments"],
                            agreeing=row["starts_agreeing"], starts=row["starts"]))  # fmt: skip
    row = table.set_index("segments").loc[by["caic"]]
    if by["aic3"] != by["caic"]:
        said.append(message("further.segments_disagree", **by))
        return 1, said
    if by["caic"] == 1:
        said.append(message("further.segments_one"))
        return 1, said
    shown = {"segments": by["caic"], "agreeing": row["starts_agreeing"], "starts": row["starts"],
             "entropy": row["entropy"], "smallest": row["smallest_segment"]}  # fmt: skip
    if row["admissible"]:
        said.append(message("further.segments_found", **shown))
        return by["caic"], said
    said.append(message("further.segments_inadmissible", least=LEAST_ENTROPY, needed=smallest,
                        **shown))  # fmt: skip
    return 1, said


def _paths(base: Base, found: Mixture) -> pd.DataFrame:
    """Every path in every segment, and in all respondents together."""
    model, rows = base.model, []
    names = np.array(model.construct_names)
    sizes = np.bincount(found.membership.argmax(axis=1), minlength=len(found.shares))
    for e, j in enumerate(np.flatnonzero(model.adjacency.any(axis=0))):
        for place, cause in enumerate(np.flatnonzero(model.adjacency[:, j])):
            for k in range(len(found.shares)):
                rows.append({
                    "segment": k + 1, "share": found.shares[k], "respondents": int(sizes[k]),
                    "source": names[cause], "target": names[j],
                    "estimate": found.slopes[e][k, place + 1],
                    "together": base.found.paths[0][cause, j],
                })  # fmt: skip
    return pd.DataFrame(rows).sort_values(["segment"], kind="stable").reset_index(drop=True)


def _explained(base: Base, found: Mixture, smallest: int) -> tuple[pd.DataFrame, Message]:
    together = float(base.found.r_squared[0].sum())
    labels = found.membership.argmax(axis=1)
    moved, before, after = oriented(base, labels, smallest)
    changed = float((moved != labels).mean())
    table = pd.DataFrame(
        {
            "partition": ["one_model", "fimix", "pos"],
            "sum_r_squared": [together, before, after],
            "smallest_segment": [
                len(labels),
                *(int(np.bincount(one).min()) for one in (labels, moved)),
            ],
            "share_moved": [0.0, 0.0, changed],
        }
    )
    return table, message("further.segments_moved", share=changed, together=together,
                          before=before, after=after)  # fmt: skip


def _paths_sentence(base: Base, paths: pd.DataFrame) -> list[Message]:
    """The path whose coefficients lie farthest apart."""
    wide = paths.pivot(index=["source", "target"], columns="segment", values="estimate")
    gap = (wide.max(axis=1) - wide.min(axis=1)).sort_values(ascending=False, kind="stable")
    source, target = gap.index[0]
    row = wide.loc[(source, target)]
    return [message("further.segments_differ", source=base.label(source),
                    target=base.label(target), low=float(row.min()), high=float(row.max()),
                    low_segment=int(row.idxmin()), high_segment=int(row.idxmax()))]  # fmt: skip
