"""Which weighting of the drivers foresaw who would be worth most: experts, data or the model?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex, driver_effects, own_pls
from cvlib.customer.links import Worth
from cvlib.inputs.errors import InputError, nearest
from cvlib.results import Result
from cvlib.satisfaction.index import default_target, drivers
from cvlib.statistics.glm import fit_glm, with_constant
from cvlib.statistics.resample import FEWEST, Bootstrap, generator
from cvlib.weighting.data.objective import objective_weights
from cvlib.weighting.door import ahp, indicators
from cvlib.weighting.tree import flat_tree
from cvlib.weighting.validity import Standing, criterion_validity, standing
from cvlib.words.message import Message, message

Array = np.ndarray
_FOLDS = 5
_JUDGED = ["method", "metric", "estimate", "difference", "difference_ci_low",
           "difference_ci_high", "p_holm"]  # fmt: skip
_EQUAL, _BESIDE = "equal weights", ("learned from other customers", "satisfaction index")


@dataclass(frozen=True, eq=False, repr=False)
class WeightingRace(Result):
    """Weightings of the drivers, judged by what customers were worth afterwards.

    Attributes
    ----------
    weighting_race : DataFrame
        weighting, correlation (rank, with later value), difference (from equal weights), lower,
        upper, p_holm (of no difference, adjusted over the weightings), capture (share of later
        value among the best tenth); best first.
    race_weights : DataFrame
        weighting, driver, weight; of the weightings that have weights.
    draws : int
        Resamples the differences are judged on.
    found : Standing or None
        Which weightings do surely better and worse; None without draws.
    """

    weighting_race: pd.DataFrame
    race_weights: pd.DataFrame
    draws: int
    found: Standing | None
    headline_tables = ("weighting_race",)

    def sentences(self) -> list[str]:
        """Which weighting foresaw later value, or that none did better than equal weights."""
        return [self.message()]

    def message(self) -> Message:
        """The one sentence of the race: wins and losses, adjusted for their number."""
        plain = self.weighting_race.set_index("weighting").loc[_EQUAL, "correlation"]
        if self.found is None or self.draws < FEWEST:
            return message("customer.race_untested", correlation=plain, draws=self.draws)
        facts = {"equal": plain, "weightings": self.found.compared, "worse": len(self.found.worse)}
        if not self.found.better:
            return message("customer.race_open", **facts)
        best = self.found.rho.loc[self.found.better, "estimate"]
        return message("customer.race_won", weighting=best.idxmax(), correlation=best.max(),
                       better=len(best), **facts)  # fmt: skip


def weighting_race(
    base: CustomerBase,
    index: CustomerIndex,
    worth: Worth | None = None,
    judgements: Mapping[str, float] | None = None,
    settings: Bootstrap | None = None,
) -> WeightingRace | None:
    """Score customers by every weighting of the drivers, and see who was worth most later.

    Later value is what each respondent brought after the own interview, in the window: months
    stayed times margin less cost, and referrals; who cost more than he brought counts as nothing.
    Experts' weights are Saaty's (1977); entropy and CRITIC (Diakoulaki, Mavrotas & Papayannakis
    1995) rest on the spread of the drivers; the model's are total effects on satisfaction; learned
    ones come from customers of other folds. Judged as every race of weightings, by
    `cvlib.weighting.criterion_validity`.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores and weights.
    worth : Worth, optional
        Margin and reward.
    judgements : mapping, optional
        Pairs of drivers, ``{"quality|image": 3}``: quality is three times as important.
    settings : Bootstrap, optional
        Paired resamples of respondents.

    Returns
    -------
    WeightingRace or None
        None with a single driver.

    Raises
    ------
    InputError
        A judgement of what is no driver.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(900, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> found = cv.customer.weighting_race(base, cv.customer.index(base))
    >>> sorted(found.race_weights["weighting"].unique())
    ['CRITIC', 'entropy', 'equal weights', 'model (total effects)']
    """
    worth, settings = worth or Worth(), settings or Bootstrap(200)
    model, values = base.survey.model, base.survey.values
    target = default_target(model)
    places = drivers(model, target)
    names = [model.construct_names[j] for j in places]
    if len(names) < 2:
        return None
    low, high = np.asarray(model.minimum), np.asarray(model.maximum)
    scaled = 100 * (values - low) / (high - low)
    x = np.column_stack([np.nanmean(scaled[:, model.slices[j]], axis=1) for j in places])
    later = later_value(base, worth)
    weights = _weights(base, index, names, x, judgements or {})
    scores = {name: x @ w for name, w in weights.items()}
    scores |= dict(zip(_BESIDE, (_learned(x, later), index.scores), strict=True))
    # answers have few levels: customers who tie must tie on every processor
    found = criterion_validity(
        pd.DataFrame(scores).round(9), pd.Series(np.maximum(later, 0.0)).round(9),
        baseline=_EQUAL, learned=_BESIDE, draws=settings.draws, level=settings.level,
        seed=settings.seed,
    ).validity  # fmt: skip
    judged = found.reindex(columns=_JUDGED).set_index("method")
    table = judged[judged["metric"] == "spearman"].drop(columns="metric")
    table.columns = pd.Index(["correlation", "difference", "lower", "upper", "p_holm"])
    held = judged.loc[judged["metric"] == "top_decile_capture", "estimate"]
    table = table.assign(capture=held).rename_axis("weighting").reset_index()
    listed = [(name, driver, float(share)) for name, own in weights.items()
              for driver, share in zip(names, own, strict=True)]  # fmt: skip
    return WeightingRace(
        table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True),
        pd.DataFrame(listed, columns=["weighting", "driver", "weight"]),
        settings.draws,
        standing(found, _EQUAL, _BESIDE, settings.level),
    )


def later_value(base: CustomerBase, worth: Worth) -> Array:
    """(m,) what each respondent brought after the own interview, within the window."""
    known = base.outcomes
    fee = np.nan_to_num(known["fee"].to_numpy(float))
    if base.kind == "transactions":
        return np.asarray(worth.margin * fee * known["purchases"].to_numpy(float))
    cost = known["service_cost"].to_numpy(float) if "service_cost" in known else 0.0
    told = known["referrals"].to_numpy(float) if "referrals" in known else 0.0
    return np.asarray(base.duration * (worth.margin * fee - cost) + worth.reward * told)


def _weights(
    base: CustomerBase, index: CustomerIndex, names: list[str], x: Array,
    judgements: Mapping[str, float],
) -> dict[str, Array]:  # fmt: skip
    found: dict[str, Array] = {}
    model = base.survey.model
    if judgements:
        for part in (part.strip() for pair in judgements for part in str(pair).split("|")):
            if part not in names:
                raise InputError(
                    "judgements",
                    message("refusals.drives_no", name=part, target=default_target(model)),
                    nearest(part, names),
                )
        by = ahp(dict(judgements), flat_tree(names)).weights
        by = by[by["method"] == by["method"].iloc[0]].set_index("indicator")["global_weight"]
        found["experts (AHP)"] = by.loc[names].to_numpy(float)
    found["equal weights"] = np.full(len(names), 1 / len(names))
    table = indicators(pd.DataFrame(x, columns=names), flat_tree(names))
    spread = objective_weights(table, ("entropy_minmax", "critic"), draws=0, required=False).weights
    for method, told in (("entropy_minmax", "entropy"), ("critic", "CRITIC")):
        own = spread[spread["method"] == method].set_index("indicator")["global_weight"]
        if len(own):
            found[told] = own.loc[names].to_numpy(float)
    effects = driver_effects(model, own_pls(base, index.weights))[0]
    effects = np.maximum(effects, 0.0)
    if np.isfinite(effects).all() and effects.sum() > 0:
        found["model (total effects)"] = effects / effects.sum()
    return found


def _learned(x: Array, later: Array) -> Array:
    """Least squares of later value on the drivers, of customers in other folds."""
    fold = generator(4, len(x)).permutation(len(x)) % _FOLDS
    told = np.zeros(len(x))
    design = with_constant(x)
    for k in range(_FOLDS):
        fit = fit_glm("line", later[fold != k], design[fold != k])
        told[fold == k] = design[fold == k] @ fit.coefficients
    return told
