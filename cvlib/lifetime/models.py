"""Repeat buying in a few lines: a model of one's customers that predicts, values and is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from cvlib.lifetime.holdout.baselines import rival_forecasts
from cvlib.lifetime.holdout.forecast import customer_rows
from cvlib.lifetime.holdout.tracking import tracking_table
from cvlib.lifetime.holdout.validate import (
    Validation,
    fitted_forecasts,
    model_forecasts,
    validate,
)
from cvlib.lifetime.purchases.summary import PurchaseSummary, summarise_purchases
from cvlib.lifetime.repeat_buying.fit import RepeatBuyingFit, fit_repeat_buying
from cvlib.lifetime.spend import SpendFit, fit_spend
from cvlib.lifetime.value import LifetimeValue, lifetime_value
from cvlib.results import Result
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import message

_YEAR = {"day": 365.25, "week": 365.25 / 7, "month": 12.0, "year": 1.0}


@dataclass(frozen=True, eq=False, repr=False)
class CustomerModel(Result):
    """A model of repeat buying with the customers it was fitted to.

    Attributes
    ----------
    parameters : DataFrame
        model, parameter, kind, estimate, std_error, ci_low, ci_high.
    measures : DataFrame
        model, measure, value: log-likelihood, AIC, BIC and the like.
    diagnosis : DataFrame
        What the data can and cannot tell of the parameters.
    fit : RepeatBuyingFit
        With every quantity of the model for any history.
    purchases : PurchaseSummary
        The customers.
    warnings : tuple of str
    """

    parameters: pd.DataFrame
    measures: pd.DataFrame
    diagnosis: pd.DataFrame
    fit: RepeatBuyingFit
    purchases: PurchaseSummary
    warnings: tuple[str, ...] = ()
    headline_tables = ("parameters", "measures")
    charts: ClassVar[dict[str, str]] = {"tracking": "cvlib.figures.lifetime:tracking_plot"}

    def sentences(self) -> list[str]:
        ahead = self._ahead(None)
        expected = float(self.predict(ahead)["expected_purchases"].sum())
        facts: dict[str, Any] = {"customers": len(customer_rows(self.purchases)), "horizon": ahead}
        facts |= {"cut": self.purchases.cut, "unit": self.purchases.unit, "expected": expected}
        return [message("lifetime.model_fitted", model=self.fit.model, **facts)]

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        course = tracking_table(self.purchases, self.fit)
        return {"tracking": course, "unit": self.purchases.unit, "language": language}

    def predict(
        self, horizon: float | None = None, customers: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """What every customer will do.

        Parameters
        ----------
        horizon : float, optional
            Ahead of the cut, in the unit of the summary; without it the holdout, or a year.
        customers : DataFrame, optional
            x, t_x, T of other customers.

        Returns
        -------
        DataFrame
            customer_id, p_alive, probability_of_purchase, expected_purchases.
        """
        rows = customer_rows(self.purchases) if customers is None else customers
        return self.fit.predict(rows, self._ahead(horizon))

    def value(
        self, annual_rate: float, margin: float = 1.0, horizon: float | None = None
    ) -> LifetimeValue:
        """What every customer is worth from the cut on.

        Parameters
        ----------
        annual_rate : float
            Discount rate per year: 0.10 for 10 %.
        margin : float
            Share of spend that is contribution.
        horizon : float, optional
            In the unit of the summary; None is without end.
        """
        people = customer_rows(self.purchases)
        return lifetime_value(
            self.fit, self.spend(), people, annual_rate=annual_rate, margin=margin, horizon=horizon
        )

    def spend(self) -> SpendFit:
        """The Gamma-Gamma model of what these customers spend at a purchase."""
        return fit_spend(self.purchases, level=self.fit.level)

    def validate(
        self, other_models: Sequence[str] = (), bootstrap: Bootstrap | None = None
    ) -> Validation:
        """Judge the model on the holdout, beside simple rules and other models.

        Parameters
        ----------
        other_models : sequence of str
            Further models, fitted to the same customers.
        bootstrap : Bootstrap, optional
            Of the customers.
        """
        people, rivals = customer_rows(self.purchases), rival_forecasts(self.purchases)
        each = fit_spend(self.purchases, level=self.fit.level, required=False).forecast(people)
        own = model_forecasts(self.fit, self.purchases, each)
        others = fitted_forecasts(self.purchases, other_models, each)
        forecasts = [*own, *others.forecasts, *rivals.forecasts]
        return validate(people, forecasts, bootstrap, [*rivals.warnings, *others.warnings])

    def _ahead(self, horizon: float | None) -> float:
        return horizon or self.purchases.holdout or _YEAR[self.purchases.unit]


def _model(name: str, purchases: Any, level: float) -> CustomerModel:
    summary = _summary(purchases)
    fit = fit_repeat_buying(summary, name, level=level)
    return CustomerModel(fit.parameters, fit.fit, fit.diagnosis, fit, summary, fit.warnings)


def _summary(data: Any) -> PurchaseSummary:
    return data if isinstance(data, PurchaseSummary) else summarise_purchases(data)


def bg_nbd(purchases: Any, level: float = 0.95) -> CustomerModel:
    """BG/NBD: customers buy at random, each at an own rate, and may leave after any purchase.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        As `cvlib.lifetime.purchases` gives it; a name of the catalogue, a file, a DataFrame or a
        Table is summarised first.
    level : float
        Confidence of the intervals.

    Returns
    -------
    CustomerModel
        Parameters with intervals; `predict`, `value`, `validate`.

    References
    ----------
    Fader, Hardie & Lee (2005) Marketing Science 24:275-284.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.bg_nbd(p).fit.model
    'bg_nbd'
    """
    return _model("bg_nbd", purchases, level)


def mbg_nbd(purchases: Any, level: float = 0.95) -> CustomerModel:
    """MBG/NBD: as BG/NBD, with a chance of leaving right after the first purchase as well.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        As `cvlib.lifetime.purchases` gives it; a name of the catalogue, a file, a DataFrame or a
        Table is summarised first.
    level : float
        Confidence of the intervals.

    Returns
    -------
    CustomerModel
        Parameters with intervals; `predict`, `value`, `validate`.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007) Int. J. Research in Marketing 24:201-209.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.mbg_nbd(p).fit.model
    'mbg_nbd'
    """
    return _model("mbg_nbd", purchases, level)


def pareto_nbd(purchases: Any, level: float = 0.95) -> CustomerModel:
    """Pareto/NBD: customers buy at random, each at an own rate, over lifetimes of own length.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        As `cvlib.lifetime.purchases` gives it; a name of the catalogue, a file, a DataFrame or a
        Table is summarised first.
    level : float
        Confidence of the intervals.

    Returns
    -------
    CustomerModel
        Parameters with intervals; `predict`, `value`, `validate`.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987) Management Science 33:1-24.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.pareto_nbd(p).fit.model
    'pareto_nbd'
    """
    return _model("pareto_nbd", purchases, level)


def ggom_nbd(purchases: Any, level: float = 0.95) -> CustomerModel:
    """GGom/NBD: as Pareto/NBD, with dropout rates that may rise with age.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        As `cvlib.lifetime.purchases` gives it; a name of the catalogue, a file, a DataFrame or a
        Table is summarised first.
    level : float
        Confidence of the intervals.

    Returns
    -------
    CustomerModel
        Parameters with intervals; `predict`, `value`, `validate`.

    References
    ----------
    Bemmaor & Glady (2012) Management Science 58:1012-1021.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.ggom_nbd(p).fit.model
    'ggom_nbd'
    """
    return _model("ggom_nbd", purchases, level)


def nbd(purchases: Any, level: float = 0.95) -> CustomerModel:
    """NBD: customers buy at random, each at an own rate, and nobody leaves.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        As `cvlib.lifetime.purchases` gives it; a name of the catalogue, a file, a DataFrame or a
        Table is summarised first.
    level : float
        Confidence of the intervals.

    Returns
    -------
    CustomerModel
        Parameters with intervals; `predict`, `value`, `validate`.

    References
    ----------
    Ehrenberg (1959) Applied Statistics 8:26-41.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.nbd(p).fit.model
    'nbd'
    """
    return _model("nbd", purchases, level)


def bg_bb(histories: pd.DataFrame, level: float = 0.95) -> RepeatBuyingFit:
    """BG/BB: at each of T opportunities a living customer buys by an own chance, then may leave.

    Parameters
    ----------
    histories : DataFrame
        x purchases, the last of them at opportunity t_x, of T; ``customers`` who share each.
    level : float
        Confidence of the intervals.

    Returns
    -------
    RepeatBuyingFit
        Parameters with intervals, forecasts and P(alive).

    Raises
    ------
    InputError
        Covariates, which this model does not take.

    References
    ----------
    Fader, Hardie & Shang (2010) Marketing Science 29:1086-1108.

    Examples
    --------
    >>> import cvlib as cv
    >>> import pandas as pd
    >>> gifts = pd.DataFrame({"x": [0, 1, 2, 4], "t_x": [0, 1, 3, 6], "T": 6,
    ...                       "customers": [50, 20, 15, 15]})
    >>> cv.lifetime.bg_bb(gifts).model
    'bg_bb'
    """
    return fit_repeat_buying(histories, "bg_bb", level=level)


def spend(purchases: Any, level: float = 0.95) -> SpendFit:
    """Gamma-Gamma: what a customer spends at a purchase, shrunk towards the mean of all.

    Parameters
    ----------
    purchases : PurchaseSummary, or a log
        See `bg_nbd`.
    level : float
        Confidence of the intervals.

    Returns
    -------
    SpendFit
        Parameters with intervals, and expected spend per purchase.

    References
    ----------
    Fader, Hardie & Lee (2005) J. Marketing Research 42:415-430.

    Examples
    --------
    >>> import cvlib as cv
    >>> p = cv.lifetime.purchases("cdnow_sample", until="1997-09-30", holdout="1998-06-30")
    >>> cv.lifetime.spend(p).parameters["parameter"].tolist()
    ['p', 'q', 'v', 'mean_spend']
    """
    return fit_spend(_summary(purchases), level=level)
