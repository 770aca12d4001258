"""One bootstrap over customers: who answered, the index, its reliability, links and money anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.flows import gained, groups, months_shown
from cvlib.customer.index import CustomerIndex, driver_effects, moments, scores_of, solve_pls
from cvlib.customer.links import (
    PARTS,
    Pass,
    Worth,
    discounted_months,
    estimate,
    mean,
    present_value,
    value_by_parts,
)
from cvlib.satisfaction.index import default_target
from cvlib.statistics.nonresponse import response_weights
from cvlib.statistics.resample import Bootstrap, counts, generator, reach, symmetric_root

Array = np.ndarray
ASYMPTOTIC = 5000  # respondents above which repeat buying is drawn and not fitted again


@dataclass(frozen=True, eq=False)
class Draws:
    """Quantities of every resample that gave them.

    Attributes
    ----------
    values : DataFrame (draws, ...)
        total, the parts, value, months (discounted, per point), reliability, lambda, and a column
        ``driver:name`` and ``segment:name`` each.
    failures : DataFrame
        reason, count.
    flows : ndarray (draws, groups, 10, 3, months), optional
        Of contracts, what points add month by month: see `flows.gained`.
    """

    values: pd.DataFrame
    failures: pd.DataFrame
    flows: Array | None = None

    def spread(self, name: str) -> float:
        """Standard deviation over draws; NaN with fewer than two."""
        known = self.values[name].dropna() if name in self.values else pd.Series(dtype=float)
        return float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def quantities(
    base: CustomerBase, found: Pass, worth: Worth, effects: Array, names: list[str]
) -> dict[str, float]:
    """What one pass comes to."""
    parts = value_by_parts(found, worth)
    whole = np.sum(list(parts.values()), axis=0)
    w = found.weights
    out = {name: mean(parts[name], w) for name in PARTS if name in parts}
    out |= {"total": mean(whole, w), "value": mean(present_value(found, worth), w)}
    more = discounted_months(found, worth, 1.0) - discounted_months(found, worth, 0.0)
    out |= {"months": mean(more, w), "lambda": found.calibration.share}
    out |= {f"driver:{n}": float(e) for n, e in zip(names, effects, strict=True)}
    if base.segment is not None:
        own = base.segment.to_numpy()[base.answered]
        for name in np.unique(own):
            inside = own == name
            if w[inside].sum() > 0:
                out[f"segment:{name}"] = mean(whole[inside], w[inside])
    return out


def bootstrap(
    base: CustomerBase,
    index: CustomerIndex,
    full: Pass,
    worth: Worth,
    names: list[str],
    settings: Bootstrap,
) -> Draws:
    """Resample customers, not respondents, and estimate everything anew.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores and the response model.
    full : Pass
        Of the data; every draw begins there.
    worth : Worth
        Margin, discount, horizon, reward.
    names : list of str
        Drivers, in the order of `driver_effects`.
    settings : Bootstrap
        Draws and seed.

    Returns
    -------
    Draws
    """
    if not settings.draws:
        return Draws(pd.DataFrame(), pd.DataFrame(columns=["reason", "count"]))
    model, values, known = base.survey.model, base.survey.values, base.known.to_numpy(float)
    rows: list[Array] = []
    weights: list[Array] = []
    plain: list[tuple[Array, Array]] = []
    weighted: list[tuple[Array, Array]] = []
    for block in counts(len(base.ids), settings.draws, settings.seed, chunk=16):
        for row in block:
            c = row.astype(float)
            own = c[base.answered]
            w = response_weights(base.answered, known, c, index.response_start).weights
            rows.append(own.astype(np.float32))
            weights.append(w.astype(np.float32))
            plain.append(moments(values, own))
            weighted.append(moments(values, own * w))
    first = solve_pls(model, *(np.stack(part) for part in zip(*plain, strict=True)))
    second = solve_pls(model, *(np.stack(part) for part in zip(*weighted, strict=True)))
    effects = driver_effects(model, second)
    points = drawn_points(full, settings)
    own_fit = second if base.kind == "transactions" else first  # whose reliability links rest on
    target = model.construct_names.index(default_target(model))
    kept, reasons, streams = [], [], []
    inside, shown = groups(base), months_shown(worth)
    for draw, (own, w) in enumerate(zip(rows, weights, strict=True)):
        if not first.converged[draw] or not second.converged[draw]:
            reasons.append("PLS did not converge")
            continue
        score = scores_of(model, first, draw, values)[0]
        rho = float(own_fit.rho_a[draw, target])
        found = estimate(
            base, score, rho, w.astype(float), items=index.items, model=full.model,
            counts=own.astype(float), start=full, drawn=None if points is None else points[draw],
        )  # fmt: skip
        if not found.calibration.usable:
            reasons.append("too little of the index is true")
        elif not found.leaving.converged or not (found.buying is None or points is not None
                                                 or found.buying.fit.converged):  # fmt: skip
            reasons.append("the link did not converge")
        else:
            kept.append(quantities(base, found, worth, effects[draw], names) | {"reliability": rho})
            if found.buying is None:
                streams.append(gained(found, inside, shown))
    told = pd.Series(reasons, dtype=object).value_counts()
    failures = pd.DataFrame({"reason": told.index, "count": told.to_numpy()})
    return Draws(pd.DataFrame(kept), failures, np.stack(streams) if streams else None)


def drawn_points(full: Pass, settings: Bootstrap) -> Array | None:
    """Parameters of repeat buying by their asymptotic law, where refits of a large base take long.

    Normal, with the sandwich covariance (draws, 6); None for contracts and small bases.
    """
    if full.buying is None or len(full.eta) <= ASYMPTOTIC:
        return None
    fit = full.buying.fit
    at = np.concatenate([fit.theta, fit.purchase, fit.dropout])
    root = symmetric_root(fit.covariance)
    normal = generator(settings.seed, 5).standard_normal((settings.draws, len(at)))
    return np.asarray(at + normal @ root)


def limits(estimate: float, spread: float, level: float) -> tuple[float, float]:
    """Estimate ± z times the bootstrap's standard deviation."""
    z = reach(level)
    return estimate - z * spread, estimate + z * spread
