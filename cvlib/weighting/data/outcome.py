"""Weights and scores learned from an outcome, always tested on customers held back."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from cvlib.inputs.errors import InputError
from cvlib.statistics import resample
from cvlib.weighting.data.importance import shares
from cvlib.weighting.scale import Normalised
from cvlib.words.message import Message, message

_STEP, _STEPS = 0.01, 500  # of the network's training


@dataclass(frozen=True, eq=False)
class Learned:
    """Scores and weights learned from an outcome.

    Attributes
    ----------
    scores : pandas.DataFrame
        Customers by ``learned_linear``, ``learned_weights``, ``learned_network``: each customer
        is scored by models fitted without the customer's fold.
    weights : pandas.DataFrame
        indicator, method, global_weight: non-negative least squares on all customers, divided by
        the sum.
    importance : pandas.DataFrame
        indicator, estimate, seed_sd, seed_low, seed_high: the network's permutation importance in
        the folds held back (loss of R², for events of mean log-likelihood, when the indicator is
        shuffled) and its spread over random starts.
    settings : dict
        ``event`` (whether the outcome is 0/1), ``folds, starts, hidden, steps, seed``; empty
        where nothing was learned.
    warnings : tuple of str
    """

    scores: pd.DataFrame
    weights: pd.DataFrame
    importance: pd.DataFrame
    settings: dict[str, Any]
    warnings: tuple[str, ...]


def learn_from_outcome(
    normalised: Normalised,
    outcome: pd.Series | None,
    *,
    folds: int = 5,
    starts: int = 5,
    hidden: int = 6,
    most: int = 20_000,
    seed: int = resample.SEED,
) -> Learned:
    """Learn from the outcome what the weights should have been, cross-validated.

    ``learned_linear`` is ridge regression (penalised logistic for 0/1 outcomes);
    ``learned_weights`` non-negative least squares, which is a weighting; ``learned_network`` a
    back-propagation network with one hidden layer, averaged over random starts. An outcome other
    than 0/1 is learned as log(1 + outcome): spend is skewed and its order is what counts.

    Parameters
    ----------
    normalised : Normalised
        The customers, 0 to 1.
    outcome : pandas.Series or None
        Of the same customers; not negative. None: nothing is learned, the tables are empty.
    folds : int
        Cross-validation folds.
    starts : int
        Random starts of the network; 0 leaves it out.
    hidden : int
        Hidden units.
    most : int
        Customers a network is trained on at most, and permuted on, drawn at random from the
        fold; all are scored.
    seed : int
        Seed of folds and starts.

    Returns
    -------
    Learned

    References
    ----------
    Breiman (2001), Machine Learning 45, 5 (permutation importance). Kingma & Ba (2015), Adam: a
    method for stochastic optimization, ICLR (here over all customers at each step).
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z, names = normalised.complete(), list(normalised.values.columns)
    if outcome is None:
        return _nothing(normalised)
    y = outcome.reindex(normalised.values.index).to_numpy(float)
    event = bool(np.isin(y, (0, 1)).all())
    rarest = int(min((y == 0).sum(), (y == 1).sum()) if event else len(y))
    if np.isnan(y).any() or (y < 0).any() or np.ptp(y) == 0:
        raise InputError(
            "the outcome",
            message("refusals.is_missing_or_negative_for"),
            message("refusals.give_a_non_negative_amount"),
        )
    if rarest < 2 * folds:  # a fold and the rest both need some of each
        return _nothing(
            normalised, message("weighting.few_to_learn", found=rarest, needed=2 * folds)
        )
    target = y.astype(int) if event else np.log1p(y)
    split = (StratifiedKFold if event else KFold)(folds, shuffle=True, random_state=seed)
    linear, weighted, network = np.empty(len(y)), np.empty(len(y)), np.zeros(len(y))
    importance = np.zeros((starts, len(names)))
    rng = resample.generator(seed)
    for train, test in split.split(z, target):
        model = LogisticRegression() if event else RidgeCV(np.logspace(-3, 4, 15))
        linear[test] = _predict(
            make_pipeline(StandardScaler(), model).fit(z[train], target[train]), z[test]
        )
        weighted[test] = z[test] @ _non_negative(z[train], target[train])
        few, probe = (
            rows if len(rows) <= most else rng.permutation(rows)[:most] for rows in (train, test)
        )
        for s in range(starts):
            net = _network(z[few], target[few], hidden, event, seed + s)
            network[test] += _predict(net, z[test]) / starts
            importance[s] += _shuffled_loss(net, z[probe], target[probe], event, seed + s) / folds
    scores = pd.DataFrame(
        {"learned_linear": linear, "learned_weights": weighted}, index=normalised.values.index
    )
    if starts:
        scores["learned_network"] = network
    coefficients = _non_negative(z, target)
    weights = pd.DataFrame(
        {"indicator": names, "method": "learned_weights", "global_weight": coefficients}
    )
    spread = pd.DataFrame({"indicator": names})
    if starts:
        spread["estimate"] = importance.mean(axis=0)
        spread["seed_sd"] = importance.std(axis=0, ddof=min(1, starts - 1))
        spread["seed_low"], spread["seed_high"] = importance.min(axis=0), importance.max(axis=0)
    notes = []
    if np.ptp(coefficients) == 0 and len(names) > 1:
        notes.append(message("weighting.nothing_learned"))
    settings = {
        "event": event, "folds": folds, "starts": starts, "hidden": hidden, "steps": _STEPS,
        "seed": seed,
    }  # fmt: skip
    return Learned(scores, weights, spread, settings, tuple(notes))


def _nothing(normalised: Normalised, *told: Message) -> Learned:
    """Nothing learned: empty tables, and why."""
    empty = pd.DataFrame(columns=["indicator", "method", "global_weight"])
    spread = pd.DataFrame(columns=["indicator", "estimate", "seed_sd", "seed_low", "seed_high"])
    return Learned(pd.DataFrame(index=normalised.values.index), empty, spread, {}, told)


def _predict(model: object, z: np.ndarray) -> np.ndarray:
    """Probability of the event, or the predicted amount."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(z)[:, 1]
    return model.predict(z)  # type: ignore[attr-defined]


def _non_negative(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Non-negative least squares with an intercept, divided by the sum."""
    return shares(optimize.nnls(z - z.mean(axis=0), target - target.mean())[0])


def _network(z: np.ndarray, target: np.ndarray, hidden: int, event: bool, seed: int) -> object:
    """Trained for a set number of small steps over all customers at once.

    A search that ends by a test of progress goes another way at a rounding error, and to another
    of the many optima; steps that nothing branches on carry the error along and no further. To
    stop before the optimum also keeps the network from learning the customers by heart.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = MLPClassifier if event else MLPRegressor
    net = kind(
        hidden_layer_sizes=(hidden,),
        activation="tanh",
        solver="adam",
        alpha=1.0,
        batch_size=len(z),
        learning_rate_init=_STEP,
        max_iter=_STEPS,
        n_iter_no_change=_STEPS,
        random_state=seed,
    )
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(StandardScaler(), net).fit(z, target)


def _shuffled_loss(
    model: object, z: np.ndarray, target: np.ndarray, event: bool, seed: int
) -> np.ndarray:
    from sklearn.inspection import permutation_importance

    scoring = "neg_log_loss" if event else "r2"
    found = permutation_importance(
        model, z, target, scoring=scoring, n_repeats=5, random_state=seed
    )
    return found["importances_mean"]
