"""Spending split: what winning and keeping cost and brought, and where profit was highest"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from cvlib.inputs.columns import enough_rows, opened, within
from cvlib.inputs.errors import InputError
from cvlib.inputs.readers import AS_IT_IS, Reading
from cvlib.lifetime.logistic import fit_logit
from cvlib.results import Finding
from cvlib.statistics import resample
from cvlib.words.message import message

NEEDED = ("acquisition", "acq_exp", "ret_exp", "profit")
_GRID = 41  # spends tried on each side, between the 5th and the 95th percentile seen
_LEAST = 60  # prospects, of whom a third or more in either group


def prospect_spending(
    data: Any,
    controls: Sequence[str] = (),
    *,
    bootstrap: resample.Bootstrap | None = None,
    reading: Reading = AS_IT_IS,
) -> Finding:
    """Expected profit of a prospect by what is spent on winning and on keeping.

    P(A) is a logit of acquisition on A and A²; the profit of those won is linear in R, R², A and,
    where given, crossbuy; with P(A)·profit(R) − (1 − P(A))·A the expected profit, its maximum is
    sought on a grid between the 5th and the 95th percentile of the spends seen: nothing is said of
    others. After Reinartz, Thomas & Kumar (2005), without their correction for selection [P].

    Parameters
    ----------
    data : str, Path, DataFrame or Table
        One row per prospect: acquisition (1 won, 0 not), acq_exp and ret_exp (money spent on
        winning and on keeping), profit (after both; used of those won) and, if known, crossbuy
        (categories bought).
    controls : sequence of str
        Columns of numbers known before the spending, in both models at their mean.
    bootstrap : Bootstrap, optional
        Draws of prospects, seed and level.
    reading : Reading
        How a file is read.

    Returns
    -------
    Finding
        spending_plan: plan (mean: the mean spends for everybody; best), acquisition_spend,
        retention_spend, probability, profit, and limits of the best plan's. spending_curve: step,
        acquisition_spend, retention_spend, by_acquisition, by_retention (expected profit along
        each spend, the other at its mean). spending_effects: effect, estimate, ci_low, ci_high:
        gain of the best plan, and of a further category bought. Without a model the reason alone.

    Raises
    ------
    InputError
        A column that is missing, or no number: with file, column, row.

    References
    ----------
    Reinartz, Thomas & Kumar (2005) Journal of Marketing 69(1):63-79 [M].

    Examples
    --------
    >>> import cvlib as cv, numpy as np, pandas as pd
    >>> spend = np.arange(90) * 7 % 90.0
    >>> rows = pd.DataFrame({"acquisition": (np.arange(90) * 13 % 90 < spend).astype(int),
    ...     "acq_exp": spend, "ret_exp": np.arange(90) * 11 % 90.0, "profit": 200.0})
    >>> found = cv.lifetime.prospect_spending(rows, bootstrap=cv.satisfaction.Bootstrap(20))
    >>> found["spending_plan"]["plan"].tolist()
    ['mean', 'best']
    """
    table = opened(data, reading)
    for column in NEEDED:
        if column not in table.data:
            raise InputError(
                table.source,
                message("refusals.has_no_column_2", column=column),
                message("refusals.name_it_so"),
            )
    won = within(table, "acquisition", 0, 1, whole=True).to_numpy(float)
    more = [name for name in (*controls, "crossbuy") if name in table.data or name in controls]
    low = {"acq_exp": 0.0, "ret_exp": 0.0}
    rows = pd.DataFrame(
        {n: within(table, n, low.get(n, -np.inf)) for n in (*NEEDED[1:], *more)}
    ).assign(won=won)
    enough_rows(table, len(rows), _LEAST, "prospects")
    settings = bootstrap or resample.Bootstrap()
    found, reason = _plans(rows, list(controls))
    if found is None:
        return Finding({}, message("decisions.spending_left_out", reason=reason))
    drawn = []
    rng = resample.generator(settings.seed, 86)
    for _ in range(settings.draws):
        again, _ = _plans(rows.iloc[rng.integers(0, len(rows), len(rows))], list(controls))
        if again is not None:
            drawn.append(again)
    if not resample.enough(len(drawn), settings.draws):
        reason = message("decisions.spending_draws", sound=len(drawn), draws=settings.draws)
        return Finding({}, message("decisions.spending_left_out", reason=reason))
    return _told(found, drawn, settings)


def _plans(rows: pd.DataFrame, controls: list[str]) -> tuple[dict[str, Any] | None, Any]:
    """The mean and the best plan, curves, and the effect of a category; or why there is none."""
    scale = rows[["acq_exp", "ret_exp"]].mean()
    if not (scale > 0).all():
        return None, message("decisions.spending_nothing")
    known = rows[controls]
    fixed = ((known - known.mean()) / known.std(ddof=0).where(lambda s: s > 0, 1.0)).to_numpy()
    a, r = (rows[n].to_numpy(float) / scale[n] for n in ("acq_exp", "ret_exp"))
    fit, reason = fit_logit(
        rows["won"].to_numpy(), np.column_stack([np.ones(len(rows)), a, a**2, fixed])
    )
    if fit is None:
        return None, reason
    here = rows["won"].to_numpy() == 1
    grid = [np.ones(here.sum()), r[here], r[here] ** 2, a[here], *fixed[here].T]
    buying = "crossbuy" in rows
    if buying:
        bought = rows.loc[here, "crossbuy"].to_numpy(float)
        grid.append(bought - bought.mean())
    beta, _, rank, _ = np.linalg.lstsq(
        np.column_stack(grid), rows.loc[here, "profit"].to_numpy(float), rcond=None
    )
    if rank < len(grid):
        return None, message("lifetime.logit_collinear")

    def expected(spent: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chance = expit(fit.params[0] + fit.params[1] * spent + fit.params[2] * spent**2)
        profit = beta[0] + beta[1] * kept + beta[2] * kept**2 + beta[3] * spent
        return chance, chance * profit - (1 - chance) * spent * scale["acq_exp"]

    sides = [np.linspace(np.quantile(x, 0.05), np.quantile(x, 0.95), _GRID) for x in (a, r[here])]
    chance, value = expected(sides[0][:, None], sides[1][None, :])
    at, by = np.unravel_index(int(value.argmax()), value.shape)
    now = np.array([a.mean(), r[here].mean()])
    now_chance, now_value = expected(*now)
    money = scale.to_numpy()
    curves = pd.DataFrame({"step": np.arange(_GRID)})
    curves["acquisition_spend"], curves["retention_spend"] = (
        sides[0] * money[0],
        sides[1] * money[1],
    )
    curves["by_acquisition"] = expected(sides[0], np.full(_GRID, now[1]))[1]
    curves["by_retention"] = expected(np.full(_GRID, now[0]), sides[1])[1]
    return {
        "now": [*(now * money), float(now_chance), float(now_value)],
        "best": [sides[0][at] * money[0], sides[1][by] * money[1],
                 float(np.broadcast_to(chance, value.shape)[at, by]), float(value[at, by])],
        "edge": at in (0, _GRID - 1) or by in (0, _GRID - 1),
        "category": float(beta[-1]) if buying else np.nan, "curves": curves,
        "profit_at": lambda win, keep: float(
            expected(np.array(win / money[0]), np.array(keep / money[1]))[1]
        ),
    }, None  # fmt: skip


def _told(
    found: dict[str, Any], drawn: list[dict[str, Any]], settings: resample.Bootstrap
) -> Finding:
    names = ["acquisition_spend", "retention_spend", "probability", "profit"]
    plan = pd.DataFrame([found["now"], found["best"]], columns=names)
    plan.insert(0, "plan", ["mean", "best"])
    gain = found["best"][3] - found["now"][3]

    def limits(values: list[float]) -> tuple[float, float]:
        low, high = resample.percentile_limits(np.array(values), settings.level)
        return float(low), float(high)

    for k, name in enumerate(names):
        ends = limits([each["best"][k] for each in drawn])
        plan[f"{name}_low"], plan[f"{name}_high"] = ([np.nan, end] for end in ends)
    # both plans as they are here, by the models of every draw: a draw's own best is always ahead
    here, now = found["best"][:2], found["now"][:2]
    low, high = limits([d["profit_at"](*here) - d["profit_at"](*now) for d in drawn])
    effects = [("gain", gain, low, high)]
    if not np.isnan(found["category"]):
        effects.append(("category", found["category"], *limits([d["category"] for d in drawn])))
    table = pd.DataFrame(effects, columns=["effect", "estimate", "ci_low", "ci_high"])
    kind = "open" if low <= 0 else "edge" if found["edge"] else "inside"
    said = message(
        f"decisions.spending_{kind}", win=found["best"][0], keep=found["best"][1],
        profit=found["best"][3], now=found["now"][3], win_now=found["now"][0],
        keep_now=found["now"][1], low=low, high=high, level=settings.level,
    )  # fmt: skip
    warned = (message("decisions.spending_chosen"),)
    tables = {"spending_plan": plan, "spending_curve": found["curves"], "spending_effects": table}
    return Finding(tables, said, warned, {"gain": gain})
