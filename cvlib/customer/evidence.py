"""What stands behind the value: form of the effect, and which question foretells leaving."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.customer.index import CustomerIndex
from cvlib.customer.value import SatisfactionLink
from cvlib.lifetime.contracts.leaving import fit_leaving
from cvlib.satisfaction.index import default_target
from cvlib.statistics.forecasts import log_loss
from cvlib.statistics.ranks import Order, Ranked, auc
from cvlib.statistics.resample import Bootstrap, counts, generator, percentile_limits

Array = np.ndarray
_FOLDS = 10


def shape(base: CustomerBase, index: CustomerIndex, linked: SatisfactionLink) -> pd.DataFrame:
    """Is the effect the same all along the scale? Forms of the calibrated index side by side.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores and calibration.
    linked : SatisfactionLink
        Names the model of leaving.

    Returns
    -------
    DataFrame
        form, parameters, aic, lr, p (against linear; empty for log, which is no larger model).

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> index = cv.customer.index(base)
    >>> cv.customer.shape(base, index, cv.customer.link(base, index))["form"].tolist()
    ['linear', 'log', 'two_thresholds', 'spline']
    """
    from scipy.stats import chi2

    z = base.controls.to_numpy(float)[base.answered]
    t = index.calibration.expected
    low, high = np.quantile(t, [1 / 3, 2 / 3])
    forms = {
        "linear": t[:, None],
        "log": np.log(np.maximum(t, 0) + 1)[:, None],
        "two_thresholds": np.column_stack([t, np.maximum(t - low, 0), np.maximum(t - high, 0)]),
        "spline": _natural(t, np.quantile(t, [0.05, 0.35, 0.65, 0.95])),
    }
    model, rows = linked.found.leaving.model, []
    base_value = 0.0
    for name, columns in forms.items():
        fit = fit_leaving(model, base.duration, base.left, np.column_stack([columns, z]))
        size = columns.shape[1]
        if name == "linear":
            base_value = fit.log_likelihood
        own = 2 * (fit.log_likelihood - base_value)
        nested = size > 1
        aic = 2 * (size + z.shape[1] + 1 + (model in ("g2g", "beta_logistic"))) - 2 * (
            fit.log_likelihood
        )
        p = float(chi2.sf(max(own, 0.0), size - 1)) if nested else np.nan
        rows.append((name, size, aic, own if nested else np.nan, p))
    return pd.DataFrame(rows, columns=["form", "parameters", "aic", "lr", "p"])


def _natural(x: Array, knots: Array) -> Array:
    """Natural cubic spline (Harrell 2015, eq. 2.25): linear, and k - 2 columns."""
    k, last, next_ = knots, knots[-1], knots[-2]
    cube = lambda v: np.maximum(v, 0) ** 3  # noqa: E731
    columns = [x]
    for knot in k[:-2]:
        bent = cube(x - knot)
        bent = bent - cube(x - next_) * (last - knot) / (last - next_)
        bent = bent + cube(x - last) * (next_ - knot) / (last - next_)
        columns.append(bent / (last - k[0]) ** 2)
    return np.column_stack(columns)


def question_race(
    base: CustomerBase, index: CustomerIndex, settings: Bootstrap | None = None
) -> pd.DataFrame:
    """Which question foretells leaving best, beside the controls? Customers held out, in turn.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    index : CustomerIndex
        Scores.
    settings : Bootstrap, optional
        Paired resamples of customers.

    Returns
    -------
    DataFrame
        question, auc, difference (from the controls alone), lower, upper, log_loss. From 10-fold
        cross-validation.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> base = cv.customer.join(made.files, made.plan)
    >>> race = cv.customer.question_race(base, cv.customer.index(base), cv.lifetime.Bootstrap(20))
    >>> race["question"].iloc[-1]
    'controls alone'
    """
    settings = settings or Bootstrap(200)
    z = base.controls.to_numpy(float)[base.answered]
    model, items = base.survey.model, base.survey.values
    target = default_target(model)
    asked: dict[str, Array] = {"index": index.scores[:, None]}
    own = model.slices[model.construct_names.index(target)]
    for j in range(own.start, own.stop):
        asked[model.columns[j]] = items[:, [j]]
    top = np.asarray(model.maximum)[own.start] - 1
    asked["top two boxes"] = (items[:, [own.start]] >= top).astype(float)
    for name in model.construct_names:
        if name != target:
            part = model.slices[model.construct_names.index(name)]
            asked[f"mean of {name}"] = items[:, part].mean(axis=1, keepdims=True)
    asked["controls alone"] = np.empty((len(items), 0))
    fold = generator(settings.seed, 7).permutation(len(items)) % _FOLDS
    window = int(base.duration.max())
    chance = {}
    for name, columns in asked.items():
        x, found = np.column_stack([columns, z]), np.zeros(len(items))
        for k in range(_FOLDS):
            fit = fit_leaving("cloglog", base.duration[fold != k], base.left[fold != k],
                              x[fold != k])  # fmt: skip
            found[fold == k] = 1 - fit.survival(x[fold == k], window + 1)[:, -1]
        chance[name] = np.clip(found, 1e-9, 1 - 1e-9)
    happened = base.left.astype(float)
    whole = np.ones((1, len(items)))
    drawn = np.concatenate(
        [whole, *counts(len(items), settings.draws, settings.seed)] if settings.draws else [whole]
    ).astype(float)  # fmt: skip
    area = {n: auc(Ranked(Order.of(v, 12), drawn), happened) for n, v in chance.items()}
    rows = []
    for name, values in area.items():
        gap = values - area["controls alone"]
        low, high = percentile_limits(gap[1:], settings.level)
        loss = float(log_loss(happened, chance[name], whole)[0])
        rows.append((name, float(values[0]), float(gap[0]), float(low), float(high), loss))
    heads = ["question", "auc", "difference", "lower", "upper", "log_loss"]
    return pd.DataFrame(rows, columns=heads)
