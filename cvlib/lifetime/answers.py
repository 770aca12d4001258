"""The first screen of a lifetime report: verdict, key figures, what to do, what to doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from cvlib.inputs.transactions_audit import Audit
from cvlib.lifetime.assumptions import Assumptions
from cvlib.lifetime.economics import RetentionGain, SpendingSplit
from cvlib.lifetime.equity_models import EquityByModel
from cvlib.lifetime.holdout.tracking import RollingOrigins
from cvlib.lifetime.holdout.uncertainty import FEWEST_CUSTOMERS, FEWEST_DRAWS
from cvlib.lifetime.holdout.validate import Validation
from cvlib.lifetime.holdout.worth import ValueValidation
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying.fit import MODELS
from cvlib.lifetime.segments import SevenSegments, share_of_best
from cvlib.lifetime.value import LifetimeValue
from cvlib.words.answer import Answer, Tile, amount, interval, number
from cvlib.words.message import Message, message

_MOST = 3  # lines of advice and of doubt
_OFF = 0.10  # error of the total that is doubted where no interval was asked for
_HALF = 0.5  # share from which a group makes most of something
_FIFTH = 5  # customers without whom there is no fifth of them
_FEW = 100  # customers below which shares of the best say little


def lifetime_answer(
    found: Validation,
    summary: PurchaseSummary,
    value: LifetimeValue,
    rolled: RollingOrigins | None = None,
    audit: Audit | None = None,
    worth: ValueValidation | None = None,
    equity: EquityByModel | None = None,
) -> Answer:
    """Whether the forecast came true, who ranks churn best, what the customers are worth.

    Parameters
    ----------
    found : Validation
        The holdout comparison of notebook 06, the model first.
    summary : PurchaseSummary
        The two periods.
    value : LifetimeValue
        Of the same customers, in the same order, at the cut.
    rolled : RollingOrigins, optional
        The same questions at other cuts.
    audit : Audit, optional
        Of the log.
    worth : ValueValidation, optional
        The values judged: how much of equity the holdout can judge.
    equity : EquityByModel, optional
        Customer equity with intervals, by every model.

    Returns
    -------
    Answer
        Sentences, tiles, advice and doubts of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> life = cv.lifetime
    >>> summary = life.purchases("cdnow_sample", "1997-09-30", "1998-06-30")
    >>> fit, spend = life.fit_repeat_buying(summary), life.fit_spend(summary)
    >>> rivals = life.rival_forecasts(summary).forecasts
    >>> few = life.Bootstrap(draws=0)
    >>> found = life.validate(
    ...     summary.customers, [*life.model_forecasts(fit, summary), *rivals], few
    ... )
    >>> value = life.lifetime_value(fit, spend, summary.customers, annual_rate=0.1)
    >>> len(life.lifetime_answer(found, summary, value).tiles)
    5
    """
    season = rolled.reason if rolled is not None else None
    bias = row_of(found.validation, found.model, "bias")
    few = about(found.warnings, "lifetime.holdout_few_customers")
    customers = summary.customers if summary.customers is not None else pd.DataFrame()
    doubts = [
        *(audit.warnings if audit is not None else ()),
        *about(summary.warnings, "lifetime.left_truncation"),
        *few,
        *([season] if season else _level_doubt(bias, len(customers))),
        *_equity_doubt(equity),
        *_unjudged(worth),
        *value.warnings,
    ]
    return Answer(
        question=message(
            "lifetime.asks_purchases", source=summary.log.source, customers=len(customers),
            model=found.model, cut=summary.cut, end=summary.end,
        ),
        verdict=(_level_verdict(found.model, bias, summary), _ranking_verdict(found)),
        tiles=tuple(_purchase_tiles(found, customers, value, equity)),
        hero="tracking_curve",
        advice=tuple(_purchase_advice(found, value)),
        doubts=foremost(doubts),
    )  # fmt: skip


def foremost(said: Iterable[str]) -> tuple[str, ...]:
    """The first few of some sentences, each once."""
    return tuple(list(dict.fromkeys(said))[:_MOST])


def about(said: Iterable[str], *ids: str) -> list[str]:
    """Those of some sentences that are about these things."""
    return [text for text in said if getattr(text, "id", "") in ids]


def row_of(table: pd.DataFrame, model: str, metric: str) -> pd.Series | None:
    """Value and interval of a metric; None where the model has none."""
    rows = table[(table["model"] == model) & (table["metric"] == metric)] if len(table) else table
    return rows.iloc[0] if len(rows) else None


def limits(row: pd.Series, decimals: int = 2) -> str:
    """The interval of a row as a tile prints it."""
    return interval(row.get("ci_low"), row.get("ci_high"), decimals)


def share_limits(row: pd.Series) -> str:
    """The same of a signed share."""
    low, high = row.get("ci_low"), row.get("ci_high")
    return "" if pd.isna(low) or pd.isna(high) else f"{low:+.1%} – {high:+.1%}"


def _side(row: pd.Series, customers: int) -> str:
    """Whether an error is told from nothing: right, low, high, untested, or too few to tell."""
    if pd.isna(row["ci_low"]):
        return "untested" if customers >= FEWEST_CUSTOMERS else "few"
    return "low" if row["ci_high"] < 0 else "high" if row["ci_low"] > 0 else "right"


def _level_verdict(model: str, bias: pd.Series | None, summary: PurchaseSummary) -> Message:
    if bias is None or summary.customers is None:
        return message("lifetime.forecast_none", model=model)
    actual, people = float(summary.customers["holdout_purchases"].sum()), len(summary.customers)
    return message(
        f"lifetime.forecast_{_side(bias, people)}", model=model, customers=people, actual=actual,
        bias=bias["value"], expected=actual * (1 + bias["value"]), cut=summary.cut, end=summary.end,
        low=bias["ci_low"], high=bias["ci_high"],
    )  # fmt: skip


def _level_doubt(bias: pd.Series | None, customers: int) -> list[Message]:
    if bias is None:
        return []
    side, off = _side(bias, customers), float(bias["value"])
    if side == "right" or (side in ("untested", "few") and abs(off) <= _OFF):
        return []
    return [message("lifetime.doubt_level", bias=off)]


def _ranked(found: Validation) -> dict[str, list[str]]:
    """Rivals whose ranking of who buys again is worse, better, or not told apart (Holm)."""
    table = found.differences
    rows = table[(table["metric"] == "auc") & table["better"].notna()]
    own = rows["better"] == found.model
    neither = rows["better"] == "neither"
    return {
        "worse": rows.loc[own, "rival"].tolist(),
        "better": rows.loc[~own & ~neither, "rival"].tolist(),
        "open": rows.loc[neither, "rival"].tolist(),
    }


def _best(found: Validation, models: Sequence[str]) -> str:
    return max(models, key=lambda name: found.value(name, "auc") or 0.0)


def _ranking_verdict(found: Validation) -> Message:
    auc = found.value(found.model, "auc")
    if auc is None:
        return message("lifetime.holdout_no_contrast")
    ranked = _ranked(found)
    if ranked["better"]:
        other = found.value(_best(found, ranked["better"]), "auc")
        return message("lifetime.ranks_behind", auc=auc, other=other, better=ranked["better"])
    if not ranked["worse"] and not ranked["open"]:
        few = about(found.warnings, "lifetime.holdout_too_few")
        if few:
            facts = {name: few[0].values[name] for name in ("few", "fewest")}  # type: ignore[attr-defined]
            return message("lifetime.ranks_few", auc=auc, **facts)
        return message("lifetime.ranks_untested", auc=auc, fewest=FEWEST_DRAWS)
    kind = "best" if not ranked["open"] else "some" if ranked["worse"] else "open"
    return message(f"lifetime.ranks_{kind}", auc=auc, worse=ranked["worse"], open=ranked["open"])


def _equity_doubt(equity: EquityByModel | None) -> list[Message]:
    """What is not known of equity, where it is much: by the estimates, then between models."""
    if equity is None or not len(equity.equity):
        return []
    sure, spread = equity.interval_sentence, equity.spread_sentence
    if sure is not None and sure.id == "lifetime.equity_wide":
        return [sure]
    return [spread] if spread is not None and (equity.spread or 0) > _HALF else []


def _unjudged(worth: ValueValidation | None) -> list[Message]:
    """How little of equity the holdout can judge, where it is less than most."""
    if worth is None or worth.reason is not None:
        return []
    said = worth.judged_sentence
    return [] if said.id == "lifetime.equity_judged_most" else [said]


def _purchase_tiles(
    found: Validation,
    customers: pd.DataFrame,
    value: LifetimeValue,
    equity: EquityByModel | None = None,
) -> list[Tile]:
    tiles = [Tile(message("lifetime.tile_customers"), number(len(customers), 0))]
    bias, auc = (row_of(found.validation, found.model, name) for name in ("bias", "auc"))
    if bias is not None:
        title = message("lifetime.tile_level")
        tiles.append(Tile(title, f"{bias['value']:+.1%}", share_limits(bias)))
    if auc is not None:
        tiles.append(Tile(message("lifetime.tile_auc"), number(auc["value"], 2), limits(auc)))
    if _valued(value):
        row = None if equity is None else equity.row(found.model)
        sure = "" if row is None else interval(row["ci_low"], row["ci_high"], 0, amount)
        worth = amount(value.measure("customer_equity"))
        tiles.append(Tile(message("lifetime.tile_equity"), worth, sure))
        silent = _share_of_equity(value, customers["holdout_purchases"] == 0)
        if silent is not None:
            tiles.append(Tile(message("lifetime.tile_silent_later"), f"{silent:.0%}"))
    return tiles


def _valued(value: LifetimeValue) -> bool:
    return value.reason is None


def _share_of_equity(value: LifetimeValue, chosen: pd.Series) -> float | None:
    """Share of all value that these customers hold, customers in the same order."""
    each = value.customers["lifetime_value"].to_numpy(float)
    return float(each[chosen.to_numpy(bool)].sum() / each.sum()) if each.sum() > 0 else None


def _purchase_advice(found: Validation, value: LifetimeValue) -> list[Message]:
    """How to rank, whom not to give up, and where the value lies, as far as the data tell."""
    said, ranked, model = [], _ranked(found), found.model
    rules = {kind: [name for name in names if name not in MODELS] for kind, names in ranked.items()}
    if ranked["better"]:
        said.append(message("lifetime.advice_rank_rival", rival=_best(found, ranked["better"])))
    elif rules["open"]:
        simplest = "recency" if "recency" in rules["open"] else _best(found, rules["open"])
        said.append(message("lifetime.advice_rank_rule", rival=simplest, model=model))
    elif rules["worse"]:
        said.append(message("lifetime.advice_rank_model", model=model))
    table = found.differences
    alive = table[(table["rival"] == f"{model}_p_alive") & (table["metric"] == "auc")]
    if (alive["ci_low"] > 0).any():
        said.append(message("lifetime.advice_not_alive", gap=float(alive["difference"].iloc[0])))
    for side in ("low", "high"):
        for text in about(found.sentences(), f"lifetime.quiet_{side}"):
            facts = {n: text.values[n] for n in ("people", "expected", "actual")}  # type: ignore[attr-defined]
            said.append(message(f"lifetime.advice_quiet_{side}", **facts))
    if _valued(value) and value.measure("top_tenth_share") >= _HALF:
        share = value.measure("top_tenth_share")
        said.append(message("lifetime.advice_top_tenth", share=share))
    spread = _valued(value) and len(value.customers) >= _FEW
    none = message(f"lifetime.advice_none_{'purchases' if spread else 'told'}")
    return said[:_MOST] or [none]


def economics_answer(
    summary: PurchaseSummary,
    value: LifetimeValue,
    now: SevenSegments | None,
    accounts: pd.DataFrame,
    given: Assumptions,
    audit: Audit | None = None,
    gain: RetentionGain | None = None,
    split: SpendingSplit | None = None,
) -> Answer:
    """Where the value lies, and what would change it.

    Parameters
    ----------
    summary : PurchaseSummary
        Up to the date.
    value : LifetimeValue
        Of the same customers, in the same order.
    now : SevenSegments or None
        At the date; None for a log without money.
    accounts : DataFrame
        Of `key_account_loss`, the most valuable customer first; empty without values.
    given : Assumptions
        What the user gave: what only an illustration holds is not in the answer.
    audit : Audit, optional
        Of the log.
    gain, split : RetentionGain, SpendingSplit, optional
        What points of retention are worth; the best plan of spending.

    Returns
    -------
    Answer
        Sentences, tiles, advice and doubts of the headline.

    Examples
    --------
    >>> import cvlib as cv
    >>> from cvlib.lifetime import equity, segments
    >>> life, summary = cv.lifetime, cv.lifetime.purchases("cdnow_sample", "1998-06-30")
    >>> fit, spend = life.fit_repeat_buying(summary), life.fit_spend(summary)
    >>> value = life.lifetime_value(fit, spend, summary.customers, annual_rate=0.1)
    >>> now = segments.seven_segments(summary.log, "1998-06-30")
    >>> accounts = equity.key_account_loss(value.customers, "lifetime_value", "customer_id")
    >>> given = life.assumptions(summary.log)
    >>> life.economics_answer(summary, value, now, accounts, given).hero
    'pyramid_shares'
    """
    customers = summary.customers if summary.customers is not None else pd.DataFrame()
    priced = now is not None
    best = share_of_best(customers["monetary" if priced else "frequency"])
    days = int(now.borders["inactive_days"]) if now is not None else 0
    silent = customers["recency"] >= days
    ahead = _share_of_equity(value, silent) if priced and _valued(value) else None
    of = "best_fifth" if priced else "best_fifth_purchases"
    tiles = [
        Tile(message("lifetime.tile_customers"), number(len(customers), 0)),
        Tile(message(f"lifetime.tile_{of}"), f"{best:.0%}"),
    ]
    if _valued(value):
        worth = amount(value.measure("customer_equity"))
        tiles.append(Tile(message("lifetime.tile_equity"), worth))
    if ahead is not None:
        tiles.append(Tile(message("lifetime.tile_silent", days=days), f"{ahead:.0%}"))
    elif priced:
        tiles.append(Tile(message("lifetime.tile_gone", days=days), f"{silent.mean():.0%}"))
    plans = []
    if gain is not None and not given.note("retention_gain"):
        facts = gain.sentence.values  # type: ignore[attr-defined]
        title = message("lifetime.tile_gain", points=facts["points"])
        middle = float(gain.curve["gain"].median())
        limits = f"{facts['low']:+.0%} – {facts['high']:+.0%}"
        tiles.append(Tile(title, f"{middle:+.0%}", message("lifetime.tile_by_start", range=limits)))
    elif len(accounts) and accounts["share_of_equity"].notna().all():
        largest = float(accounts["share_of_equity"].iloc[0])
        tiles.append(Tile(message("lifetime.tile_account"), f"{largest:.1%}"))
    if split is not None and not given.note("spending_split"):
        plans = [split.sentence]
    few = [message("lifetime.doubt_few", customers=len(customers))] if len(customers) < _FEW else []
    customers = summary.customers if summary.customers is not None else pd.DataFrame()
    doubts = [
        *(audit.warnings if audit is not None else ()),
        *about(summary.warnings, "lifetime.left_truncation"),
        *few,
        *value.warnings,
        *(now.warnings if now is not None else ()),
        *([message("lifetime.doubt_value_untested")] if _valued(value) else []),
    ]
    kind = "purchases" if not priced else "most" if best >= _HALF else "spread"
    seen = (summary.cut - summary.log.first_day).days >= days
    advice = _segment_advice(best, silent, ahead, days, seen) if priced else _unpriced_advice()
    return Answer(
        question=message(
            "lifetime.asks_economics", source=summary.log.source, customers=len(customers),
            at=str(summary.cut),
        ),
        verdict=(
            message("lifetime.too_few_for_best", customers=len(customers))
            if len(customers) < _FIFTH
            else message(f"lifetime.best_fifth_{kind}", share=best),
            value.sentence,
        ),
        tiles=tuple(tiles),
        hero="pyramid_shares" if priced else "",
        advice=tuple([*advice, *plans][:_MOST]),
        doubts=foremost(doubts),
    )  # fmt: skip


def _segment_advice(
    best: float, silent: pd.Series, ahead: float | None, days: int, seen: bool
) -> list[Message]:
    """Look after the few who make most; win back the silent only where value is left with them."""
    if len(silent) < _FIFTH:
        return [message("lifetime.advice_few_segments", customers=len(silent))]
    said = []
    if best >= _HALF:
        said.append(message("lifetime.advice_best_fifth", share=best))
    share = float(silent.mean())
    if ahead is None and share:
        said.append(message("lifetime.advice_silent_unvalued", days=days, share=share))
    elif ahead is not None and share:
        kind = "win_back" if ahead >= share else "keep" if ahead >= _HALF else "let_go"
        said.append(message(f"lifetime.advice_{kind}", days=days, share=share, equity=ahead))
    kind = "segments" if seen else "short"  # a log shorter than that shows nobody silent
    return said or [message(f"lifetime.advice_none_{kind}", days=days)]


def _unpriced_advice() -> list[Message]:
    return [message("lifetime.advice_no_money")]
