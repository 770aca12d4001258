"""What a new contract is worth by every survival model, and how much of it lies beyond the data"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cvlib.lifetime.contracts.survival import SurvivalFits
from cvlib.lifetime.contracts.terms import ContractTerms, curve_value
from cvlib.results import Result
from cvlib.words.message import Message, message

Array = NDArray[np.float64]


def _average(
    curve: Callable[[pd.DataFrame, ArrayLike], Array], data: pd.DataFrame
) -> Callable[[ArrayLike], Array]:
    return lambda times: np.asarray(curve(data, times).mean(axis=0))


@dataclass(frozen=True, eq=False, repr=False)
class SubscriptionValue(Result):
    """What an average new contract is worth by every model.

    Attributes
    ----------
    value : DataFrame
        model, lifetime_value, within_data, share_beyond_data, at_horizon. Kaplan-Meier and Cox
        have no curve beyond the data: there only `within_data` is given.
    sentence : Message
        How far models that agree within the data differ beyond it.
    terms : ContractTerms
        What the values assume.
    """

    value: pd.DataFrame
    sentence: Message
    terms: ContractTerms
    warnings: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        """Median of the models' values: with the time beyond the data where a model reaches it."""
        whole = self.value["lifetime_value"].dropna()
        return float((whole if len(whole) else self.value["within_data"]).median())


def subscription_value(
    fits: SurvivalFits, data: pd.DataFrame, terms: ContractTerms
) -> SubscriptionValue:
    """Lifetime value of an average new customer by every model, and the share beyond the data.

    Parameters
    ----------
    fits : SurvivalFits
        The models.
    data : DataFrame
        duration, event, covariates.
    terms : ContractTerms
        What a contract pays, and how it is discounted.

    Returns
    -------
    SubscriptionValue
        Value by model, and a sentence.

    References
    ----------
    Fader & Hardie (2010), Marketing Science 29(1):85-93.

    Examples
    --------
    >>> import cvlib as cv
    >>> data = cv.lifetime.contracts(cv.lifetime.simulated_subscriptions(300, seed=1)).data
    >>> fits, terms = cv.lifetime.fit_survival(data, ["sbg"]), cv.lifetime.ContractTerms(margin=20)
    >>> cv.lifetime.subscription_value(fits, data, terms).value["model"].tolist()
    ['sbg']
    """
    rows = []
    for model, curve in fits.curves.items():
        ends = model in ("kaplan_meier", "cox")
        horizon = int(fits.longest) + (terms.payment == "begin") if ends else terms.horizon
        found = curve_value(
            _average(curve, data), replace(terms, horizon=horizon), observed=fits.longest
        )
        if ends:
            found = {"within_data": found["within_data"]}
        rows.append({"model": model} | found)
    columns = ["model", "lifetime_value", "within_data", "share_beyond_data", "at_horizon"]
    value = pd.DataFrame(rows).reindex(columns=columns)
    return SubscriptionValue(value, _value_sentence(value, terms), terms)


def _value_sentence(value: pd.DataFrame, terms: ContractTerms) -> Message:
    whole = value.dropna(subset="lifetime_value")
    within, total = value["within_data"], whole["lifetime_value"]
    known = {"low": within.min(), "high": within.max(), "margin": terms.margin}
    if not len(whole):
        return message("lifetime.contract_value_within", **known)
    return message(
        "lifetime.contract_value",
        **known,
        least=total.min(),
        most=total.max(),
        few=whole["share_beyond_data"].min(),
        many=whole["share_beyond_data"].max(),
    )
