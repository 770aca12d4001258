"""Simulated answers for every section of a service study: nobody in them is real"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.satisfaction.service.delivered import COST, VALUE
from cvlib.satisfaction.service.gaps import DIMENSIONS
from cvlib.statistics import resample

_PATTERNS = {  # feature: usual answers to the functional and to the dysfunctional question
    "confirmation": ((2, 3), (5, 4)),
    "discount": ((1, 2), (5, 4)),
    "gift wrap": ((1, 3), (3, 3)),
    "newsletter": ((3, 4), (3, 3)),
}
_CHAINS = (
    ("fast delivery", "saves time", "time for family"),
    ("fast delivery", "no worry", "security"),
    ("clear prices", "no worry", "security"),
    ("clear prices", "saves money", "time for family"),
    ("friendly staff", "feel welcome", "belonging"),
    ("friendly staff", "no worry", "belonging"),
)


def simulate_service(seed: int = resample.SEED) -> dict[str, pd.DataFrame]:
    """The simulated tables that ship with the package, by the name each has in the catalogue.

    Parameters
    ----------
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to DataFrame
        service_survey, brand_image, brand_value, needs_survey, kano_survey, ladders_survey,
        unit_employees, unit_customers: each in the form its section reads.

    Examples
    --------
    >>> import cvlib as cv
    >>> sorted(cv.satisfaction.simulate_service())[:2]
    ['brand_image', 'brand_value']
    """
    rngs = resample.spawned(seed, 7)
    employees, customers = _units(rngs[6])
    return {
        "service_survey": _gaps(rngs[0]),
        "brand_image": _image(rngs[1]),
        "brand_value": _value(rngs[2]),
        "needs_survey": _needs(rngs[3]),
        "kano_survey": _kano(rngs[4]),
        "ladders_survey": _ladders(rngs[5]),
        "unit_employees": employees,
        "unit_customers": customers,
    }


def _whole(values: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.clip(np.rint(values), low, high).astype(int)


def _gaps(rng: np.random.Generator, people: int = 150) -> pd.DataFrame:
    sizes = list(DIMENSIONS.values())
    general, shift = (
        rng.normal(0, 0.5, (people, 1)),
        np.repeat([-0.1, -0.9, -0.7, -0.4, -0.5], sizes),
    )
    of = np.repeat(rng.normal(0, 0.7, (people, 5)), sizes, axis=1)
    expected = _whole(6.2 + general + rng.normal(0, 0.6, (people, 22)), 1, 7)
    perceived = _whole(6.2 + general + of + shift + rng.normal(0, 0.6, (people, 22)), 1, 7)
    points = 5 * rng.multinomial(20, [0.11, 0.32, 0.22, 0.19, 0.16], people)
    columns = {f"E{n + 1}": expected[:, n] for n in range(22)}
    columns |= {f"P{n + 1}": perceived[:, n] for n in range(22)}
    columns |= {f"w_{name}": points[:, k] for k, name in enumerate(DIMENSIONS)}
    return pd.DataFrame({"respondent": np.arange(1, people + 1), **columns})


def _image(rng: np.random.Generator, people: int = 60) -> pd.DataFrame:
    centre = {"ours": (1.2, 0.4, 0.9), "rival 1": (0.4, 0.6, 0.3), "rival 2": (0.9, -0.3, 0.5)}
    parts = []
    for brand, means in centre.items():
        answers = _whole(np.repeat(means, 3) + rng.normal(0, 1.1, (people, 9)), -3, 3)
        answers[:, [1, 5]] *= -1  # pairs 2 and 6 have their good end on the other side
        table = pd.DataFrame(answers, columns=[f"pair{n}" for n in range(1, 10)])
        table.insert(0, "brand", brand)
        parts.append(table)
    rows = pd.concat(parts, ignore_index=True)
    rows.insert(0, "respondent", np.arange(1, len(rows) + 1))
    return rows


def _value(rng: np.random.Generator, people: int = 80) -> pd.DataFrame:
    brands = {"ours": (7.5, 4.6), "rival 1": (6.6, 4.2), "rival 2": (7.7, 6.1)}
    taste = rng.normal(0, 0.8, people)
    rows = []
    for brand, (gained, spent) in brands.items():
        v = _whole(gained + taste[:, None] + rng.normal(0, 1.2, (people, 4)), 1, 10)
        c = _whole(spent + rng.normal(0, 1.3, (people, 4)), 1, 10)
        table = pd.DataFrame(np.hstack([v, c]), columns=[*VALUE, *COST])
        table.insert(0, "brand", brand)
        table.insert(0, "respondent", np.arange(1, people + 1))
        rows.append(table)
    return pd.concat(rows).sort_values("respondent", kind="stable", ignore_index=True)


def _needs(rng: np.random.Generator, people: int = 120) -> pd.DataFrame:
    wanted = {
        "find it quickly": (4.5, 2.6),
        "price up front": (4.3, 3.4),
        "choose the hour": (3.9, 2.9),
        "return easily": (3.6, 3.8),
        "ask a person": (3.1, 3.4),
    }
    parts = []
    for need, (importance, satisfaction) in wanted.items():
        table = pd.DataFrame({"respondent": np.arange(1, people + 1), "need": need})
        table["importance"] = _whole(importance + rng.normal(0, 0.8, people), 1, 5)
        table["satisfaction"] = _whole(satisfaction + rng.normal(0, 0.9, people), 1, 5)
        parts.append(table)
    return pd.concat(parts).sort_values("respondent", kind="stable", ignore_index=True)


def _kano(rng: np.random.Generator, people: int = 100) -> pd.DataFrame:
    parts = []
    for feature, sides in _PATTERNS.items():
        table = pd.DataFrame({"respondent": np.arange(1, people + 1), "feature": feature})
        for column, (usual, other) in zip(("functional", "dysfunctional"), sides, strict=True):
            stray = rng.integers(1, 6, people)
            drawn = rng.random(people)
            table[column] = np.where(drawn < 0.65, usual, np.where(drawn < 0.88, other, stray))
        parts.append(table)
    return pd.concat(parts).sort_values("respondent", kind="stable", ignore_index=True)


def _ladders(rng: np.random.Generator, people: int = 40) -> pd.DataFrame:
    rows = []
    for who in range(1, people + 1):
        picked = rng.choice(len(_CHAINS), 2, replace=False, p=[0.25, 0.2, 0.2, 0.15, 0.1, 0.1])
        for ladder, chain in enumerate(picked, 1):
            steps = list(zip(_CHAINS[chain], "ACV", strict=True))
            if rng.random() < 0.15:
                steps = steps[:2]
            rows += [(who, ladder, n, code, level) for n, (code, level) in enumerate(steps, 1)]
    return pd.DataFrame(rows, columns=["respondent", "ladder", "position", "code", "level"])


def _units(rng: np.random.Generator, units: int = 30) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = [f"branch {n:02d}" for n in range(1, units + 1)]
    climate = rng.normal(0, 5, units)
    staff, buyers = rng.integers(6, 13, units), rng.integers(15, 26, units)
    own = 62 + np.repeat(climate, staff) + rng.normal(0, 9, staff.sum())
    base = 66 + 0.5 * climate + rng.normal(0, 2.0, units)
    theirs = np.repeat(base, buyers) + rng.normal(0, 11, buyers.sum())
    return (
        pd.DataFrame(
            {"unit": np.repeat(names, staff), "employee_index": own.clip(0, 100).round(1)}
        ),
        pd.DataFrame(
            {"unit": np.repeat(names, buyers), "customer_index": theirs.clip(0, 100).round(1)}
        ),
    )
