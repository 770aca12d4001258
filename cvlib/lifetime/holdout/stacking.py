"""How much each model is worth in an average, learnt at an earlier cut than the one judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.errors import InputError
from cvlib.lifetime.holdout.forecast import customer_rows, earlier_end
from cvlib.lifetime.purchases.summary import PurchaseSummary
from cvlib.lifetime.repeat_buying import fit_repeat_buying

Array = np.ndarray


def stacking_weights(summary: PurchaseSummary, models: Sequence[str]) -> pd.DataFrame:
    """Weights of models in an average: the mixture that best forecast activity earlier.

    The models are fitted up to an earlier cut, and the weights maximise Σ ln Σ w p(y) over the
    simplex, y whether a customer bought between that cut and the one judged. Akaike weights would
    all but always go to one model at these numbers of customers.

    Parameters
    ----------
    summary : PurchaseSummary
        Of the split that is judged; its holdout is not looked at.
    models : sequence of str
        See `fit_repeat_buying`. One that cannot be fitted earlier has no weight.

    Returns
    -------
    DataFrame
        model, weight (sums to 1), log_score (mean log probability at the earlier cut). Empty
        where the calibration is too short to split, or nobody or everybody bought then.

    Raises
    ------
    InputError
        A summary whose customers were written to a file.

    References
    ----------
    Yao, Vehtari, Simpson & Gelman (2018) Bayesian Analysis 13:917-1007.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> float(cv.lifetime.stacking_weights(p, ["bg_nbd", "pareto_nbd"])["weight"].sum().round(6))
    1.0
    """
    columns = ["model", "weight", "log_score"]
    split, days = earlier_end(summary)
    if days < 1:
        return pd.DataFrame(columns=columns)
    earlier = summary.at(split.date(), pd.Timestamp(summary.cut).date())
    people = customer_rows(earlier)
    active = people["holdout_purchases"].to_numpy(float) > 0
    if active.all() or not active.any():
        return pd.DataFrame(columns=columns)
    rows = people.assign(active=active).groupby(["x", "t_x", "T", "active"]).size()
    history = rows.index.to_frame(index=False)
    count, bought = rows.to_numpy(float), history["active"].to_numpy(bool)
    given, names = [], []
    for model in dict.fromkeys(models):
        try:
            fit = fit_repeat_buying(earlier, model)
        except (InputError, ArithmeticError, np.linalg.LinAlgError):
            continue
        each = [history[name].to_numpy(float) for name in ("x", "t_x", "T")]
        chance = fit.probability_of_purchase(earlier.holdout, *each)
        given.append(np.maximum(np.where(bought, chance, 1 - chance), 1e-12))
        names.append(model)
    if not names:
        return pd.DataFrame(columns=columns)
    scores = np.column_stack(given)
    table = {"model": names, "weight": mixture_weights(scores, count)}
    return pd.DataFrame(table | {"log_score": count @ np.log(scores) / count.sum()})


def mixture_weights(scores: Array, count: Array) -> Array:
    """Weights on the simplex that maximise Σ count ln(scores · weights).

    Parameters
    ----------
    scores : ndarray (n, m)
        What each model gave to what happened, above 0.
    count : ndarray (n,)
        Customers of each row.
    """
    from scipy.optimize import minimize

    size = scores.shape[1]
    total = count.sum()
    shifted = scores / scores.mean(axis=1, keepdims=True)

    def loss(w: Array) -> tuple[float, Array]:
        mixed = np.maximum(shifted @ w, 1e-300)
        return -float(count @ np.log(mixed)) / total, -((count / mixed) @ shifted) / total

    found = minimize(
        loss, np.full(size, 1 / size), jac=True, method="SLSQP", bounds=[(0, 1)] * size,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    weights = np.round(np.clip(found.x, 0, None), 6)  # the optimiser's own digits, no more
    return np.asarray(weights / weights.sum())
