"""The same log in pieces instead of money, for scores by amount bought."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from cvlib.inputs.transactions import TransactionLog, transaction_log
from cvlib.inputs.transactions_columns import usual_columns
from cvlib.words.message import message


def quantity_log(
    data: Any, log: TransactionLog, ids: pd.Series, names: pd.Series
) -> tuple[TransactionLog | None, str]:
    """Read a log's quantities in place of its amounts, by the same rules.

    Parameters
    ----------
    data : as for `transaction_log`
        What `log` was read from.
    log : TransactionLog
        The log of amounts; its rules, or a column of a usual name, say where the quantities are.
    ids, names : Series
        Ids of its customers and what they are called in `log` now.

    Returns
    -------
    tuple of TransactionLog or None, and str
        None, and the reason, where no column, or more than one, could hold quantities.
    """
    columns = [log.rules.quantity] if log.rules.quantity else []
    columns = columns or usual_columns(log.cells.source.columns, "quantity")
    if len(columns) != 1 or columns[0] == log.rules.amount:
        return None, message("lifetime.no_quantities")
    pieces = transaction_log(data, replace(log.rules, amount=columns[0], quantity="", price=""))
    pieces.rename(ids, names)
    return pieces, ""
