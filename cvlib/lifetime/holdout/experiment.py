"""A campaign that was tried: what contact did, and whether a score finds those whom it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit

from cvlib.inputs.columns import once, opened, within
from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.baselines import plain_features
from cvlib.lifetime.holdout.forecast import Array, customer_rows, hiatus_of
from cvlib.lifetime.logistic import fit_logit
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.results import Result
from cvlib.statistics import resample
from cvlib.statistics.proportions import newcombe
from cvlib.statistics.resample import Bootstrap
from cvlib.statistics.uplift import Qini, qini, uplift_at
from cvlib.words.message import Message, message

_ALIKE = 0.01  # p of the likelihood-ratio test below which arms are not alike beforehand [P]
_FEWEST = 50  # customers in an arm
_FOLDS = 5


@dataclass(frozen=True, eq=False, repr=False)
class CampaignExperiment(Result):
    """Treated customers and controls compared.

    Attributes
    ----------
    balance : DataFrame
        history, mean_treated, mean_control, smd (standardised mean difference).
    effect : DataFrame
        measure, value: customers and share retained of each arm, effect with ci_low and ci_high
        (Newcombe), balance_p, customers_unmatched.
    qini : DataFrame
        score, qini with ci_low and ci_high, area, uplift_10, uplift_30 (of the best of all),
        uplift_10_by_group and uplift_30_by_group (of the best of each arm).
    curve : DataFrame
        model (the score), share, gained, chance.
    """

    balance: pd.DataFrame
    effect: pd.DataFrame
    qini: pd.DataFrame
    curve: pd.DataFrame
    warnings: tuple[str, ...] = ()
    level: float = 0.95
    headline_tables = ("effect", "qini")
    charts: ClassVar[dict[str, str]] = {"qini": "cvlib.figures.value:qini_plot"}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        return {"curve": self.curve, "language": language, "label": self._words(language).cell}

    def measure(self, name: str) -> float:
        """One row of `effect`."""
        return float(self.effect.set_index("measure")["value"][name])

    @property
    def alike(self) -> bool:
        """Whether nothing speaks against arms that were alike beforehand."""
        return bool(self.measure("balance_p") >= _ALIKE)

    @property
    def effect_sentence(self) -> Message:
        """What contact did, or why the difference cannot be put down to it."""
        facts = {name: self.measure(name) for name in ("effect", "ci_low", "ci_high", "balance_p")}
        if not self.alike:
            return message("lifetime.treated_unlike", **facts)
        kind = "held" if facts["ci_low"] > 0 else "drove" if facts["ci_high"] < 0 else "open"
        return message(f"lifetime.treated_{kind}", **facts)

    @property
    def order_sentence(self) -> Message | None:
        """Whether risk alone finds those whom contact holds, beside the best score for it."""
        rows = self.qini.set_index("score")
        if "risk" not in rows.index or not np.isfinite(rows.loc["risk", "ci_low"]):
            return None
        risk, best = rows.loc["risk"], rows["qini"].idxmax()
        kind = "chance" if risk["ci_low"] <= 0 <= risk["ci_high"] else (
            "finds" if risk["qini"] > 0 else "wrong"
        )  # fmt: skip
        return message(
            f"lifetime.qini_{kind}", risk=risk["qini"], low=risk["ci_low"], high=risk["ci_high"],
            best=str(best), value=float(rows["qini"].max()),
        )  # fmt: skip

    def sentences(self) -> list[str]:
        return [text for text in (self.effect_sentence, self.order_sentence) if text]


def campaign_experiment(
    summary: PurchaseSummary,
    data: Any,
    scores: Mapping[str, Array] | pd.DataFrame,
    *,
    customer: str = "customer_id",
    treated: str = "treated",
    bootstrap: Bootstrap | None = None,
) -> CampaignExperiment | None:
    """What contact did to retention, and whether scores order customers by the effect.

    Parameters
    ----------
    summary : PurchaseSummary
        The split; treated customers were contacted at its cut. Retained is who bought in the
        holdout.
    data : str, Path, DataFrame, Table or None
        One row per customer: treated (1) or control (0). None or blank: no experiment.
    scores : mapping of str to array, or DataFrame
        By name, of the customers of `summary` in their order; high is contacted first.
    customer, treated : str
        Columns of `data`.
    bootstrap : Bootstrap, optional
        Of the customers within each arm, for the intervals of Qini.

    Returns
    -------
    CampaignExperiment or None
        Balance, effect, Qini and uplift; with `effect_logit`, the difference of two cross-fitted
        logits, as a further score where both can be fitted.

    Raises
    ------
    InputError
        A missing column, another value than 0 and 1, a customer twice, fewer than 50 in an arm.

    References
    ----------
    Radcliffe (2007) Direct Marketing Analytics Journal 1:14-21; Ascarza (2018) J. Marketing
    Research 55:80-98 (who leaves is not who can be held); Newcombe (1998).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import cvlib as cv
    >>> life = cv.lifetime
    >>> p = life.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> ids = p.customers["customer_id"]
    >>> arms = pd.DataFrame({"customer_id": ids, "treated": ids % 2})
    >>> risk = 1 - life.model_forecasts(life.bg_nbd(p).fit, p)[0].probability
    >>> few = life.Bootstrap(draws=0)
    >>> found = life.campaign_experiment(p, arms, {"risk": risk}, bootstrap=few)
    >>> found.qini["score"].tolist()
    ['risk', 'effect_logit']
    """
    if data is None or (isinstance(data, str) and not data.strip()):
        return None
    table = opened(data)
    arm = within(table, treated, 0, 1, whole=True)
    once(table, [customer])
    people = customer_rows(summary)
    known = pd.Series(arm.to_numpy(float), index=_text(table.data.loc[arm.index, customer]))
    of_each = known.reindex(_text(people["customer_id"]))
    used = of_each.notna().to_numpy(bool)
    unmatched = int(len(known) - used.sum())
    t = of_each.to_numpy(float)[used]
    counts = int(t.sum()), int(t.size - t.sum())
    if min(counts) < _FEWEST:
        raise InputError(
            f"{table.source}, column {treated!r}",
            message(
                "refusals.treated_and_controls_are_customers", counts=counts[0], counts_2=counts[1]
            ),
            message("refusals.an_effect_needs_of_each", fewest=_FEWEST),
        )
    people = people[used]
    kept = (people["holdout_purchases"] > 0).to_numpy(float)
    balance, p_alike, said = _balance(people, t)
    held = (kept * t).sum(), (kept * (1 - t)).sum()
    level = (bootstrap or Bootstrap()).level
    gap, low, high = newcombe((float(held[0]), float(held[1])), counts, level)
    measures = {
        "treated": counts[0], "controls": counts[1], "retained_treated": held[0] / counts[0],
        "retained_controls": held[1] / counts[1], "effect": gap, "ci_low": low, "ci_high": high,
        "balance_p": p_alike, "customers_unmatched": unmatched,
    }  # fmt: skip
    effect = pd.DataFrame(
        {"measure": list(measures), "value": [float(v) for v in measures.values()]}
    )
    given = {name: np.asarray(score, dtype=float)[used] for name, score in dict(scores).items()}
    learnt = _effect_scores(plain_features(people), kept, t, (bootstrap or Bootstrap()).seed)
    if isinstance(learnt, Message):
        said.append(message("lifetime.effect_logit_left_out", reason=learnt))
    else:
        given["effect_logit"] = learnt
    each = {name: qini(kept, t, score, bootstrap) for name, score in given.items()}
    rows = [_row(name, found, kept, t, given[name]) for name, found in each.items()]
    curve = pd.concat(
        [one.curve.assign(model=name) for name, one in each.items()], ignore_index=True
    )
    return CampaignExperiment(balance, effect, pd.DataFrame(rows), curve, tuple(said), level)


def _text(ids: pd.Series) -> pd.Index:
    """Ids as they are compared: 7 and 7.0 and "7" are the same customer."""
    return pd.Index(ids.astype(str).str.strip().str.replace(r"\.0$", "", regex=True))


def _row(name: str, found: Qini, kept: Array, t: Array, score: Array) -> dict[str, Any]:
    row: dict[str, Any] = {"score": name, "qini": found.coefficient, "ci_low": found.ci_low}
    row |= {"ci_high": found.ci_high, "area": found.area}
    for by_group in (False, True):
        for share in (0.1, 0.3):
            key = f"uplift_{100 * share:.0f}" + ("_by_group" if by_group else "")
            row[key] = uplift_at(kept, t, score, share, by_group=by_group)
    return row


def _balance(people: pd.DataFrame, t: Array) -> tuple[pd.DataFrame, float, list[Message]]:
    """Histories of both arms, and the p of a likelihood-ratio test of treatment on them."""
    history = {
        "x": people["x"].to_numpy(float), "recency": hiatus_of(people),
        "T": people["T"].to_numpy(float), "monetary": people["monetary"].to_numpy(float),
    }  # fmt: skip
    rows = []
    for name, values in history.items():
        a, b = values[t == 1], values[t == 0]
        spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
        gap = (a.mean() - b.mean()) / spread if spread > 0 else 0.0
        rows.append([name, a.mean(), b.mean(), gap])
    table = pd.DataFrame(rows, columns=["history", "mean_treated", "mean_control", "smd"])
    design = _standard(plain_features(people))
    found, wrong = fit_logit(t, design)
    if wrong is not None:
        return table, 0.0, [message("lifetime.balance_untested", reason=wrong)]
    return table, float(found.llr_pvalue), []


def _standard(features: Array) -> Array:
    """Columns on one scale; those that do not vary are left out, the first is ones."""
    varies = features.std(axis=0) > 0
    rest = features[:, varies]
    rest = (rest - rest.mean(axis=0)) / rest.std(axis=0)
    return np.column_stack([np.ones(len(features)), rest])


def _effect_scores(features: Array, kept: Array, t: Array, seed: int) -> Array | Message:
    """Difference of the chances of staying by two logits, each fold scored by the others."""
    design = _standard(features)
    fold = np.empty(t.size, dtype=np.int64)
    rng = resample.generator(seed, 3)
    for arm in (0, 1):
        at = np.flatnonzero(t == arm)
        fold[at] = rng.permutation(at.size) % _FOLDS
    chance = np.empty((2, t.size))
    for part in range(_FOLDS):
        out = fold == part
        for arm in (0, 1):
            learn = ~out & (t == arm)
            found, wrong = fit_logit(kept[learn], design[learn])
            if wrong is not None:
                return wrong
            # row by row, so that equal customers have equal scores
            chance[arm, out] = expit((design[out] * np.asarray(found.params)).sum(axis=1))
    return np.asarray(np.round(chance[1] - chance[0], 12))
