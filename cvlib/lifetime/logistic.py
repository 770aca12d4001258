"""Logistic regression that says when its likelihood has no maximum."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from cvlib.words.message import Message, message

_STEEP = 15.0  # log odds per standard deviation that only a separated sample asks for


def fit_logit(outcome: np.ndarray, features: np.ndarray) -> tuple[Any, Message | None]:
    """Fit by maximum likelihood; the fit of statsmodels, or why there is none.

    Where a line through the features parts the outcomes (Albert & Anderson 1984, Biometrika
    71:1-10) the likelihood grows without end: coefficients and forecasts then depend on where the
    climb was stopped, so there are none.

    Parameters
    ----------
    outcome : array, shape (rows,)
        0 and 1.
    features : array, shape (rows, columns)
        The first column ones, the others on a scale near one.
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    events = int(min(outcome.sum(), (1 - outcome).sum()))
    if not events:
        return None, message("lifetime.logit_one_outcome")
    if np.linalg.matrix_rank(features) < features.shape[1]:
        return None, message("lifetime.logit_collinear")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they warn of is looked at below
            fitted = Logit(outcome, features).fit(disp=0, maxiter=100)
    except (PerfectSeparationError, np.linalg.LinAlgError):
        return None, message("lifetime.logit_separated", events=events)
    size = np.abs(np.asarray(fitted.params)) * np.concatenate([[0.0], features[:, 1:].std(axis=0)])
    known = np.isfinite(fitted.bse).all() and fitted.mle_retvals["converged"]
    if not known or size.max() > _STEEP:
        return None, message("lifetime.logit_separated", events=events)
    return fitted, None
