"""Every measure of a forecast, in resamples of the customers or with each customer's influence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvlib.lifetime.holdout import metrics
from cvlib.lifetime.holdout.forecast import Array, Forecast
from cvlib.statistics import forecasts as probabilities
from cvlib.statistics import influence, resample
from cvlib.statistics.influence import Placed

CEILING = ("capture_10", "capture_20", "lift_10", "hit_rate_10", "hit_rate_20")


def scores(
    forecast: Forecast, bought: Array, spent: Array, counts: Array | None = None
) -> dict[str, Array]:
    """Metric (`metrics.DEFINITIONS`, prefix `spend_` for money) to one value per sample."""
    active = (bought > 0).astype(float)
    found: dict[str, Array] = {}
    if forecast.expected is not None:
        found |= metrics.amount_metrics(bought, forecast.expected, counts)
        found["auc_expected"] = metrics.area_under_curve(active, forecast.expected, counts)["auc"]
    if forecast.probability is not None:
        found |= metrics.probability_metrics(active, forecast.probability, counts)
    if forecast.score is not None:
        found |= metrics.ranking_metrics(bought, forecast.score, counts)
        found |= metrics.area_under_curve(active, forecast.score, counts)
        found["auc_expected"] = found["auc"]
    if forecast.spend is not None:
        money = metrics.amount_metrics(spent, forecast.spend, counts)
        found |= {f"spend_{name}": value for name, value in money.items()}
    return found


def oracle(bought: Array, spent: Array, counts: Array | None = None) -> dict[str, Array]:
    """What a forecast that knows the outcome reaches."""
    own = metrics.ranking_metrics(bought, bought, counts)
    money = metrics.ranking_metrics(spent, spent, counts)
    return {name: own[name] for name in CEILING} | {f"spend_{n}": money[n] for n in CEILING}


def resampled(
    forecasts: Sequence[Forecast], bought: Array, spent: Array, draws: int, seed: int
) -> dict[tuple[str, str], Array]:
    """Every metric of every forecast in every resample of the customers."""
    drawn: dict[tuple[str, str], list[Array]] = {}
    for counts in resample.multinomial(bought.size, draws, seed):
        # a sample without an active customer has no AUC; such draws are left out of the interval
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [(f.model, scores(f, bought, spent, counts)) for f in forecasts]
            for model, each in [*found, ("oracle", oracle(bought, spent, counts))]:
                for metric, value in each.items():
                    drawn.setdefault((model, metric), []).append(value)
    return {key: np.concatenate(parts) for key, parts in drawn.items()}


class Influences:
    """Each customer's influence on the metrics of a forecast; outcomes are ordered once.

    Shares of hits and the calibration error have no smooth influence and are left out: these
    measures have no interval by influence.

    Parameters
    ----------
    bought, spent : array, shape (customers,)
        The outcomes.
    """

    def __init__(self, bought: Array, spent: Array) -> None:
        self.bought, self.spent = bought, spent
        self.active = (bought > 0).astype(float)
        self.placed_bought, self.placed_spent = Placed(bought), Placed(spent)

    def of(self, forecast: Forecast) -> dict[str, Array]:
        """Metric to influence, shape (customers,)."""
        found: dict[str, Array] = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            if forecast.expected is not None:
                placed = Placed(forecast.expected)
                found |= self._amount(self.bought, self.placed_bought, forecast.expected, placed)
                found["auc_expected"] = influence.auc(placed, self.active)
            if forecast.probability is not None:
                found |= self._probability(forecast.probability)
            if forecast.score is not None:
                placed = Placed(forecast.score)
                found |= _ranking(self.bought, self.placed_bought, forecast.score, placed)
                found["auc"] = found["auc_expected"] = influence.auc(placed, self.active)
            if forecast.spend is not None:
                placed = Placed(forecast.spend)
                money = self._amount(self.spent, self.placed_spent, forecast.spend, placed)
                found |= {f"spend_{name}": rows for name, rows in money.items()}
        return found

    def _amount(self, y: Array, by_outcome: Placed, s: Array, placed: Placed) -> dict[str, Array]:
        error = s - y
        return {
            "bias": influence.ratio(influence.mean(s), influence.mean(y), s, y),
            "mae": influence.mean(np.abs(error)),
            "rmse": influence.root_mean_square(error),
            "msle": influence.mean((np.log1p(s) - np.log1p(y)) ** 2),
        } | _ranking(y, by_outcome, s, placed)

    def _probability(self, p: Array) -> dict[str, Array]:
        y, base = self.active, self.active.mean()
        brier = (p - y) ** 2
        given = np.maximum(np.where(y == 1, p, 1 - p), probabilities.CLIP)
        spread = base * (1 - base)
        found = {
            "auc": influence.auc(Placed(p), y),
            "accuracy": influence.mean(((p >= 0.5) == (y == 1)).astype(float)),
            "brier": influence.mean(brier),
            "brier_skill": -influence.mean(brier) / spread
            + brier.mean() * (1 - 2 * base) * influence.mean(y) / spread**2,
            "log_loss": influence.mean(-np.log(given)),
        }
        clipped = np.clip(p, probabilities.CLIP, 1 - probabilities.CLIP)
        if np.ptp(clipped) > 0:
            ones = np.ones((1, p.size))
            line = [float(v[0]) for v in probabilities.calibration_line(y, p, ones)]
            if np.isfinite(line).all():
                logit = np.log(clipped) - np.log1p(-clipped)
                both = influence.calibration_line(logit, y, *line)
                found |= {"calibration_intercept": both[0], "calibration_slope": both[1]}
        return found


def _ranking(y: Array, by_outcome: Placed, s: Array, placed: Placed) -> dict[str, Array]:
    own, by_score = influence.gini(placed, y)
    best, by_best = influence.gini(by_outcome, y)
    found = {
        "pearson": influence.pearson(y, s),
        "spearman": influence.spearman(placed, by_outcome),
        "gini": (by_score - own / best * by_best) / best,
    }
    for share in (10, 20):
        found[f"capture_{share}"] = influence.capture(placed, y, share / 100)
    return found | {"lift_10": found["capture_10"] / 0.1}
