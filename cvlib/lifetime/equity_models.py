"""How sure customer equity is: models refitted to resampled customers, side by side, averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cvlib.inputs.choices import one_of
from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.uncertainty import LARGE
from cvlib.lifetime.repeat_buying import MODELS, RepeatBuyingFit
from cvlib.lifetime.spend import SpendFit, SpendRefits
from cvlib.lifetime.value import without_value
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, message

Array = np.ndarray
WAYS = ("refit", "normal")
_START, _EACH = 40.0, 2.3e-4  # seconds of one core: of any study, and of every customer
FEW_REFITS = 50  # of every model, where customers are more than LARGE
_SAFE = 1.2  # shape of dropout above which a normal law of the estimates may stand for refits [P]


@dataclass(frozen=True, eq=False, repr=False)
class EquityByModel(Result):
    """Customer equity by every model, with what is not known of it.

    Attributes
    ----------
    equity : DataFrame
        model, equity, ci_low, ci_high, draws that gave one, weight (stacking); the averages
        `stacking` and `equal_weights` last.
    failures : DataFrame
        model, reason, draws: refits without an equity (left out) and refits on a ridge (kept).
    draws : DataFrame
        One column per model and average, one row per draw.
    reason : Message or None
        Why there is none.
    """

    equity: pd.DataFrame
    failures: pd.DataFrame
    draws: pd.DataFrame
    warnings: tuple[str, ...] = ()
    reason: Message | None = None
    headline_tables = ("equity",)
    charts: ClassVar[dict[str, str]] = {"equity": "cvlib.figures.value:equity_plot"}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"table": self.equity, "language": language, "label": self._words(language).cell}

    def row(self, model: str) -> pd.Series | None:
        """A model's or an average's row of `equity`."""
        if not len(self.equity):
            return None
        rows = self.equity[self.equity["model"] == model]
        return rows.iloc[0] if len(rows) else None

    @property
    def spread(self) -> float | None:
        """(largest − smallest) ÷ mean over the models; None of fewer than two."""
        if not len(self.equity):
            return None
        each = self.equity[~self.equity["model"].isin(AVERAGES)]["equity"].to_numpy(float)
        return float(np.ptp(each) / each.mean()) if each.size > 1 and each.mean() > 0 else None

    def sentences(self) -> list[str]:
        return [text for text in (self.interval_sentence, self.spread_sentence) if text]

    @property
    def interval_sentence(self) -> Message | None:
        """The equity of the first model with its interval, told wide or narrow."""
        if not len(self.equity):
            return None
        first = self.equity.iloc[0]
        if not np.isfinite(first["ci_low"]):
            return None
        wide = (first["ci_high"] - first["ci_low"]) / first["equity"]
        facts = {"model": first["model"], "low": first["ci_low"], "high": first["ci_high"]}
        kind = "wide" if wide > 0.5 else "narrow"
        return message(f"lifetime.equity_{kind}", equity=first["equity"], **facts)

    @property
    def spread_sentence(self) -> Message | None:
        """How far the models disagree, beside the interval of the first."""
        spread = self.spread
        if spread is None:
            return None
        rows = self.equity[~self.equity["model"].isin(AVERAGES)]
        low, high = rows.loc[rows["equity"].idxmin()], rows.loc[rows["equity"].idxmax()]
        return message(
            "lifetime.equity_spread", least=low["equity"], least_model=low["model"],
            most=high["equity"], most_model=high["model"], spread=spread,
        )  # fmt: skip


def expected_time(customers: int) -> Message | None:
    """How long a whole study takes and what it draws fewer of; None up to 20,000 customers.

    Parameters
    ----------
    customers : int
        Of the study.

    Returns
    -------
    Message or None
        Minutes of one core of 2024, rounded up [P].

    Examples
    --------
    >>> import cvlib as cv
    >>> cv.lifetime.expected_time(1_000_000).values["minutes"]
    5
    """
    if customers <= LARGE:
        return None
    minutes = int(np.ceil((_START + _EACH * customers) / 60))
    facts = {"customers": customers, "minutes": minutes, "refits": FEW_REFITS}
    return message("lifetime.expected_time", **facts)


AVERAGES = ("stacking", "equal_weights")


def equity_by_model(
    fits: Sequence[RepeatBuyingFit],
    spend: SpendFit,
    customers: pd.DataFrame,
    *,
    annual_rate: float,
    margin: float = 1.0,
    bootstrap: Bootstrap | None = None,
    weights: pd.DataFrame | None = None,
    way: str = "refit",
) -> EquityByModel:
    """Customer equity by several models, with intervals from refits, and their averages.

    Every draw resamples the customers, refits each model and the spend model from their
    estimates, and values the ORIGINAL customers under the parameters of the draw: the interval is
    of the estimates, not of who the customers are.

    Parameters
    ----------
    fits : sequence of RepeatBuyingFit
        Fitted to `customers`, the model to be judged first.
    spend : SpendFit
        Of the same customers.
    customers : DataFrame
        x, t_x, T, mean_repeat_spend.
    annual_rate, margin : float
        As in `lifetime_value`.
    bootstrap : Bootstrap, optional
        Draws (above 20,000 customers no more than 50), seed and level; none: no intervals.
    weights : DataFrame, optional
        model, weight, as `stacking_weights` gives them.
    way : {"refit", "normal"}
        "normal" draws parameters from the normal law of the estimates instead of refitting; where
        the estimates are ill conditioned or the dropout is too spread for it, a model is refitted
        all the same [P].

    Returns
    -------
    EquityByModel
        Equity, intervals, failed draws by reason, averages.

    Raises
    ------
    InputError
        A fit of other customers, or an unknown way.

    References
    ----------
    Efron & Tibshirani (1993) An Introduction to the Bootstrap, ch. 13 (percentile intervals).

    Examples
    --------
    >>> import cvlib as cv
    >>> life = cv.lifetime
    >>> p = life.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> fits = [life.fit_repeat_buying(p, name) for name in ("bg_nbd", "mbg_nbd")]
    >>> found = life.equity_by_model(fits, life.fit_spend(p), p.customers, annual_rate=0.1,
    ...                              bootstrap=life.Bootstrap(draws=20))
    >>> found.equity["model"].tolist()
    ['bg_nbd', 'mbg_nbd', 'equal_weights']
    """
    one_of("way", way, WAYS)
    settings = bootstrap or Bootstrap(draws=100)
    reason = without_value(fits[0], spend, customers)
    if reason is not None:
        empty = pd.DataFrame()
        return EquityByModel(empty, empty, empty, (), reason)
    if len(customers) > LARGE and settings.draws > FEW_REFITS:
        settings = replace(settings, draws=FEW_REFITS)
    people = _People(customers, fits[0])
    names = [fit.model for fit in fits]
    point = {fit.model: people.equity(fit, spend, annual_rate) * margin for fit in fits}
    drawn, failed = _draws(fits, spend, people, settings, annual_rate, way)
    drawn = {name: values * margin for name, values in drawn.items()}
    shares = _shares(weights, names)
    rows: list[dict[str, Any]] = [
        {"model": name, "equity": value, "weight": shares.get("stacking", {}).get(name, np.nan)}
        for name, value in point.items()
    ]
    for name, share in shares.items():
        rows.append({"model": name, "equity": sum(share[m] * point[m] for m in names)})
        drawn[name] = np.sum([share[m] * drawn[m] for m in names], axis=0)
    for row in rows:
        each = drawn[row["model"]]
        usable = int(np.isfinite(each).sum())
        limits = (np.nan, np.nan)
        if each.size and resample.enough(usable, each.size):
            low, high = resample.percentile_limits(each, settings.level, nan_policy="omit")
            limits = (float(low), float(high))
        row |= {"ci_low": limits[0], "ci_high": limits[1], "draws": usable}
    table = pd.DataFrame(rows)[["model", "equity", "ci_low", "ci_high", "draws", "weight"]]
    if table["weight"].isna().all():
        table = table.drop(columns="weight")
    lost = {m: sum(failed[m, why] for why in _LOST) for m in names}
    said = [
        message("lifetime.equity_refits_failed", model=m, count=count, draws=settings.draws)
        for m, count in lost.items()
        if count
    ]
    reasons = [(model, why, count) for (model, why), count in failed.items()]
    failures = pd.DataFrame(reasons, columns=["model", "reason", "draws"])
    return EquityByModel(table, failures, pd.DataFrame(drawn), tuple(said))


_LOST = ("not converged", "mean spend infinite", "value not finite")


class _People:
    """The original customers by distinct history, so that a draw costs no pass over customers."""

    def __init__(self, customers: pd.DataFrame, fit: RepeatBuyingFit) -> None:
        names = ["x", "t_x", "T"]
        self.place = customers.groupby(names, sort=True).ngroup().to_numpy()
        self.rows = fit.histories
        self.size = len(self.rows)
        count = np.bincount(self.place, minlength=self.size)
        if count.size != self.size or not (count == self.rows["customers"].to_numpy()).all():
            raise InputError(
                "fits",
                message("refusals.are_of_other_customers"),
                message("refusals.fit_the_models_to_these"),
            )
        self.customers, self.count = customers, count.astype(float)
        x = self.rows["x"].to_numpy(float)
        mean = np.where(customers["x"] > 0, customers["mean_repeat_spend"], 0.0)
        self.x, self.spent = x, np.bincount(self.place, mean, self.size)
        self.history = [self.rows[name].to_numpy(float) for name in names]

    def equity(self, fit: RepeatBuyingFit, spend: SpendFit, annual_rate: float) -> float:
        """Sum of E[Z] DERT: E[Z] is linear in a customer's mean, so sums by history do."""
        p, q, v = np.exp(spend._maximum.at)  # type: ignore[union-attr]
        each = p * (v * self.count + self.x * self.spent) / (p * self.x + q - 1)
        return float(each @ fit.discounted_expected_purchases(annual_rate, *self.history))


def _draws(
    fits: Sequence[RepeatBuyingFit],
    spend: SpendFit,
    people: _People,
    settings: Bootstrap,
    annual_rate: float,
    way: str,
) -> tuple[dict[str, Array], Counter[tuple[str, str]]]:
    """Equity of every model in every draw (NaN where there is none), and why not."""
    drawn = {fit.model: np.full(settings.draws, np.nan) for fit in fits}
    failed: Counter[tuple[str, str]] = Counter()
    if not settings.draws:
        return drawn, failed
    normal = {fit.model for fit in fits if way == "normal" and _regular(fit)}
    refits = SpendRefits(spend, people.customers)
    random = {fit.model: resample.generator(settings.seed, 1) for fit in fits}
    counts = resample.counts(len(people.customers), settings.draws, settings.seed, chunk=1)
    for at, row in enumerate(counts):
        money = refits.refit(row[0])
        again = np.bincount(people.place, row[0], people.size)
        for fit in fits:
            other = normal_draw(fit, random[fit.model]) if fit.model in normal else None
            found = other or fit.refitted(again)
            why = _fault(found, money.converged, float(money.at[1]))
            if why is not None:
                failed[fit.model, why] += 1
                continue
            if found._maximum.held.any():
                failed[fit.model, "on a ridge (kept)"] += 1
            value = people.equity(found, replace(spend, _maximum=money), annual_rate)
            if np.isfinite(value):
                drawn[fit.model][at] = value
            else:
                failed[fit.model, "value not finite"] += 1
    return drawn, failed


def _fault(fit: RepeatBuyingFit, money_converged: bool, log_q: float) -> str | None:
    if not (fit._maximum.converged and money_converged):
        return "not converged"
    return "mean spend infinite" if log_q <= 0 else None


def _regular(fit: RepeatBuyingFit) -> bool:
    """Whether a normal law of the log estimates may stand for refits [P]."""
    pairs = MODELS[fit.model].PAIRS
    if len(pairs) < 2 or fit._maximum.held.any():
        return False
    rows = fit.diagnosis.set_index("check")
    known = rows.index == "hessian_condition_log10"
    sound = bool((rows.loc[known, "verdict"] == "well conditioned").all())
    ridge = rows["verdict"].astype(str).str.contains("not identified").any()
    return sound and not ridge and fit.natural()[pairs[1][0]] > _SAFE


def normal_draw(fit: RepeatBuyingFit, rng: np.random.Generator) -> RepeatBuyingFit:
    """The model at log-parameters drawn from the normal law of its estimates."""
    root = np.linalg.cholesky(fit._maximum.covariance())
    point = fit._maximum.at + root @ rng.standard_normal(len(root))
    return fit.at(replace(fit._maximum, at=point))


def _shares(weights: pd.DataFrame | None, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Weights of the averages by model; none of a single model."""
    if len(names) < 2:
        return {}
    found = {}
    if weights is not None and len(weights):
        given = weights.set_index("model")["weight"].reindex(names).fillna(0.0)
        if given.sum() > 0:
            found["stacking"] = (given / given.sum()).to_dict()
    return found | {"equal_weights": dict.fromkeys(names, 1 / len(names))}
