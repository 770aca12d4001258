"""Whether a log starts after its customers did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.words.message import message


def truncation(histories: pd.DataFrame) -> list[str]:
    """Warn when early arrivals buy far more often than late ones.

    In a log that starts after customers did, those first seen early are mostly old customers, and
    heavy buyers are seen first. In a full log early arrivals had more time to lapse, so that their
    rate per period is, if anything, lower. [P] The factor 1.5 and z > 4 are ours.
    """
    age = histories["T"].to_numpy()
    if age.max() <= 0 or np.unique(age).size < 8:
        return []
    born = age.max() - age
    known = age > 0.1 * age.max()
    quarter = born[known].max() / 4
    weight, x = histories["customers"].to_numpy(), histories["x"].to_numpy()

    def rate(chosen: np.ndarray) -> tuple[float, float, float]:
        time = float((weight * age)[chosen].sum())
        mean = float((weight * x)[chosen].sum()) / time
        spread = float((weight * (x - mean * age) ** 2)[chosen].sum()) / time**2
        return mean, spread, float(weight[chosen].sum())

    early = known & (born <= quarter)
    late = known & (born >= 3 * quarter)
    if not early.any() or not late.any():
        return []
    (a, a_var, _), (b, b_var, n) = rate(early), rate(late)
    if n < 30 or a <= 1.5 * b or a - b < 4 * np.sqrt(a_var + b_var):
        return []
    return [message("lifetime.left_truncation", times=a / b if b else np.inf)]
