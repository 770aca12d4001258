"""What each input must look like: survey, transactions, indicators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cvlib.inputs.checks import (
    Checked,
    as_table,
    fault,
    left_out_of,
    numeric,
)
from cvlib.inputs.readers import Table
from cvlib.words.message import message


def check_indicators(
    table: Table | pd.DataFrame, columns: Sequence[str], *, file: str = ""
) -> Checked:
    """Check columns of indicator values: numbers, all finite, none missing.

    Parameters
    ----------
    table : Table or DataFrame
        One row per object to be scored.
    columns : sequence of str
        The indicators.
    file : str, optional
        Name of a DataFrame in error messages.

    Returns
    -------
    Checked
        `data`: the columns as floats.

    Raises
    ------
    InputError
        A missing column, text, a missing or infinite value.
    """
    table = as_table(table, file)
    frame = pd.DataFrame({column: numeric(table, column)[0] for column in columns})
    for column in columns:
        bad = ~np.isfinite(frame[column])
        if bad.any():
            raise fault(
                table, column, bad, message("refusals.is_not_a_finite_number", value="{value}"),
                message("refusals.fill_in_the_value_or"),
            )  # fmt: skip
    counts = left_out_of(table, columns, [], len(frame))
    return Checked(frame, counts, table.warnings)
