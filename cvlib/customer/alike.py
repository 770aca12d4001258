"""Do those who later left and those who stayed mean the same by satisfaction? MICOM of the two."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.customer.base import CustomerBase
from cvlib.satisfaction.compare.league import compare_groups
from cvlib.satisfaction.index import default_target
from cvlib.statistics.resample import Bootstrap
from cvlib.words.message import Message, message

_EXCHANGES = 300


def invariance(base: CustomerBase, settings: Bootstrap | None = None) -> pd.DataFrame:
    """Measurement invariance of composites between those who left and those who stayed.

    Where the composition of satisfaction differs, one index does not mean one thing to both.
    Means that differ are no fault: that they do is what a study of leaving is about.

    Parameters
    ----------
    base : CustomerBase
        Joined.
    settings : Bootstrap, optional
        Seed and level; nothing is tested where its draws are 0.

    Returns
    -------
    DataFrame
        group_1, group_2, construct, step, statistic, p, p_adjusted, holds: of 300 exchanges of the
        labels. Empty where nothing was tested.

    Raises
    ------
    InputError
        Too few of one kind.

    References
    ----------
    Henseler, Ringle & Sarstedt (2016), International Marketing Review 33:405-431.

    Examples
    --------
    >>> import cvlib as cv
    >>> made = cv.customer.simulate(600, seed=1)
    >>> found = cv.customer.invariance(cv.customer.join(made.files, made.plan))
    >>> found["group_1"].unique().tolist()
    ['left']
    """
    settings = settings or Bootstrap(200)
    if not settings.draws:
        return pd.DataFrame()
    model = base.survey.model
    went = np.where(base.left, "left", "stayed")
    answers = pd.DataFrame(base.survey.values, columns=list(model.columns)).assign(outcome=went)
    own = Bootstrap(0, settings.seed, settings.level)
    found: pd.DataFrame = compare_groups(
        answers, model, "outcome", permutations=_EXCHANGES, draws=own
    ).invariance
    return found


def told_apart(base: CustomerBase, found: pd.DataFrame) -> list[Message]:
    """That satisfaction is made of its questions differently by who left and who stayed."""
    if not len(found):
        return []
    own = found[found["step"] == "2 composition"].set_index("construct")
    row = own.loc[default_target(base.survey.model)]
    if row["holds"]:
        return []
    return [message("customer.unlike", correlation=row["statistic"], p=row["p_adjusted"])]
