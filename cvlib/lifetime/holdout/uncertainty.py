"""Intervals of metrics and of paired differences: by resampling, or by influence in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cvlib.inputs.choices import one_of
from cvlib.lifetime.holdout.forecast import Array, Forecast
from cvlib.lifetime.holdout.scores import Influences, resampled
from cvlib.statistics import resample
from cvlib.statistics.influence import standard_error
from cvlib.statistics.resample import FEWEST, Bootstrap

WAYS = ("", "resample", "influence")
LARGE = 20_000  # customers above which intervals come from influence values where nobody asks
FAMILY = ("auc", "brier", "rmse", "spend_rmse", "spend_capture_10", "spend_spearman")
FEWEST_DRAWS = FEWEST  # with fewer usable ones, or fewer than half, there is no p value
FEWEST_EITHER = 50  # active or inactive customers below which there is no verdict
FEWEST_CUSTOMERS = 10  # below which resamples of customers say nothing of an interval [P]
_BLOCKS, _JOINT = 1000, 4000

Row = dict[str, float | None]
_NONE: Row = {"ci_low": None, "ci_high": None, "p": None}


@dataclass
class Uncertainty:
    """What is not known of metrics and of their differences from the first forecast's.

    Attributes
    ----------
    values : dict
        (model, metric) to ci_low and ci_high.
    pairs : dict
        (rival, metric) to ci_low, ci_high, p of the paired difference.
    joint : dict
        (rival, metric) of the family to the half width of simultaneous intervals.
    """

    values: dict[tuple[str, str], Row] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Row] = field(default_factory=dict)
    joint: dict[tuple[str, str], float] = field(default_factory=dict)


def way_of(asked: str, customers: int) -> str:
    """resample or influence: what is asked for, else what suits the number of customers."""
    one_of("intervals", asked, WAYS)
    return asked or ("influence" if customers > LARGE else "resample")


def uncertainty(
    forecasts: Sequence[Forecast],
    bought: Array,
    spent: Array,
    values: dict[str, dict[str, Array]],
    settings: Bootstrap,
    way: str,
) -> Uncertainty:
    """Intervals of every metric and of every difference from the first forecast.

    Parameters
    ----------
    forecasts : sequence of Forecast
        The one to be judged first.
    bought, spent : array, shape (customers,)
        Outcomes.
    values : dict
        Model to metric to (1,) value.
    settings : Bootstrap
        No draws, or fewer than `FEWEST_CUSTOMERS`: no intervals, by either way.
    way : {"resample", "influence"}
        Multinomial resamples of the customers, or influence values.

    References
    ----------
    Hothorn, Bretz & Westfall (2008) Biometrical Journal 50:346-363 (largest |t| of the family).
    """
    if not settings.draws or bought.size < FEWEST_CUSTOMERS:
        return Uncertainty()
    if way == "influence":
        return _by_influence(forecasts, bought, spent, values, settings)
    return _by_resampling(forecasts, bought, spent, values, settings)


def paired(difference: float, draws: Array | None, level: float) -> Row:
    """Interval and p value of a paired difference, both from the standard error of its draws.

    The normal interval (Efron & Tibshirani 1993, section 12.6) goes with the p value of the same
    standard error, so that one leaves out zero exactly where the other is below 1 − level; a share
    of draws could say nothing below one in their number, too coarse for many comparisons.

    Parameters
    ----------
    difference : float
        Of the sample.
    draws : array, optional
        The same difference in every resample; missing where it is not defined.
    level : float
        Of the interval.
    """
    if draws is None or not draws.size:
        return dict(_NONE)
    usable = draws[np.isfinite(draws)]
    if usable.size < 2 or not np.isfinite(difference):
        return dict(_NONE)
    enough = usable.size >= max(FEWEST_DRAWS, draws.size / 2)
    return _normal(difference, float(usable.std(ddof=1)), level, tested=enough)


def _normal(difference: float, error: float, level: float, *, tested: bool) -> Row:
    from scipy.special import ndtr

    wide = resample.reach(level) * error
    found: Row = {"ci_low": difference - wide, "ci_high": difference + wide, "p": None}
    if tested and error > 0:
        found["p"] = float(2 * ndtr(-abs(difference) / error))
    elif tested and difference == 0:
        found["p"] = 1.0  # the two never differ
    return found


def _gaps(
    forecasts: Sequence[Forecast], values: dict[str, dict[str, Array]]
) -> list[tuple[str, str, float]]:
    """Rival, metric and difference of the first forecast from it, where both have the metric."""
    own = values[forecasts[0].model]
    return [
        (f.model, metric, float(own[metric][0] - value[0]))
        for f in forecasts[1:]
        for metric, value in values[f.model].items()
        if metric in own
    ]


def in_family(rival: str, metric: str) -> bool:
    """Whether a comparison is one of those judged together."""
    return metric in FAMILY and not rival.endswith("_p_alive")


def _by_resampling(
    forecasts: Sequence[Forecast],
    bought: Array,
    spent: Array,
    values: dict[str, dict[str, Array]],
    settings: Bootstrap,
) -> Uncertainty:
    samples = resampled(forecasts, bought, spent, settings.draws, settings.seed)
    found, focal = Uncertainty(), forecasts[0].model
    for key, draws in samples.items():
        low = high = None
        if np.isfinite(draws).any():
            limits = resample.percentile_limits(draws, settings.level, nan_policy="omit")
            low, high = float(limits[0]), float(limits[1])
        found.values[key] = {"ci_low": low, "ci_high": high}
    joint: dict[tuple[str, str], Array] = {}
    for rival, metric, gap in _gaps(forecasts, values):
        draws = samples[focal, metric] - samples[rival, metric]
        found.pairs[rival, metric] = paired(gap, draws, settings.level)
        if in_family(rival, metric) and found.pairs[rival, metric]["p"] is not None:
            joint[rival, metric] = draws - np.nanmean(draws)
    found.joint = _simultaneous(joint, settings.level)
    return found


def _by_influence(
    forecasts: Sequence[Forecast],
    bought: Array,
    spent: Array,
    values: dict[str, dict[str, Array]],
    settings: Bootstrap,
) -> Uncertainty:
    found, every = Uncertainty(), Influences(bought, spent)
    own = {name: rows.astype(np.float32) for name, rows in every.of(forecasts[0]).items()}
    gaps = {(rival, metric): gap for rival, metric, gap in _gaps(forecasts, values)}
    reach, n = resample.reach(settings.level), bought.size
    block = np.arange(n) % _BLOCKS
    sums: dict[tuple[str, str], Array] = {}
    for f in forecasts:
        rows = own if f is forecasts[0] else every.of(f)
        for metric, each in rows.items():
            value, error = float(values[f.model][metric][0]), standard_error(each)
            known = np.isfinite(error) and np.isfinite(value)
            found.values[f.model, metric] = {
                "ci_low": value - reach * error if known else None,
                "ci_high": value + reach * error if known else None,
            }
            if (f.model, metric) not in gaps or metric not in own:
                continue
            gap, moved = gaps[f.model, metric], own[metric] - each
            error = standard_error(moved)
            if not (np.isfinite(gap) and np.isfinite(error)):
                found.pairs[f.model, metric] = dict(_NONE)
                continue
            # where the two are the same forecast, single precision leaves a trace
            error = 0.0 if gap == 0 and error < 1e-7 else error
            found.pairs[f.model, metric] = _normal(gap, error, settings.level, tested=True)
            if in_family(f.model, metric):
                sums[f.model, metric] = np.bincount(block, moved, _BLOCKS) / n
    rng = resample.generator(settings.seed, 2)
    sign = rng.standard_normal((_JOINT, _BLOCKS))
    found.joint = _simultaneous({key: sign @ each for key, each in sums.items()}, settings.level)
    return found


def _simultaneous(
    draws: dict[tuple[str, str], Array], level: float
) -> dict[tuple[str, str], float]:
    """Half widths that hold for the whole family: the quantile of the largest |t| of the draws."""
    sure = {key: float(np.nanstd(each, ddof=1)) for key, each in draws.items()}
    used = [key for key, error in sure.items() if error > 0]
    if not used:
        return {}
    t = np.abs(np.column_stack([draws[key] / sure[key] for key in used]))
    largest = np.where(np.isnan(t), 0.0, t).max(axis=1)
    reach = float(np.quantile(largest, level))
    return {key: reach * sure[key] for key in used}
