"""Simulated tables for every section of a study of decisions: no customer and no firm is real"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.statistics import resample

_PRODUCTS = {
    "basic": (0.9, 60.0),
    "plus": (0.6, 140.0),
    "service": (0.5, 45.0),
    "repair": (0.35, 90.0),
}
_FIRM = {
    "asset": (400, 260, 140), "goodwill": (80,), "liability_payment": (60, 60, 150),
    "book_start": (550,), "net_income": (78, 84, 90, 94, 99), "dividend": (50, 52, 58, 62, 70),
    "customers": (30,), "margin": (16,), "retention": (0.78,), "new_customers": (5, 6, 6, 5, 5),
    "acquisition_cost": (8,),
}  # fmt: skip


def simulate_decisions(seed: int = resample.SEED) -> dict[str, pd.DataFrame]:
    """The simulated tables that ship with the package, by the name each has in the catalogue.

    Parameters
    ----------
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to DataFrame
        product_purchases, account_notes, network_customers, network_ties, capacity_demands,
        firm_accounts, crm_systems: each in the form its section reads.

    Examples
    --------
    >>> import cvlib as cv
    >>> len(cv.lifetime.simulate_decisions())
    7
    """
    rngs = resample.spawned(seed, 4)
    customers, ties = _network(rngs[1])
    return {
        "product_purchases": _purchases(rngs[0]), "account_notes": _notes(rngs[3]),
        "network_customers": customers,
        "network_ties": ties, "capacity_demands": _demands(rngs[2]), "firm_accounts": _firm(),
        "crm_systems": _systems(),
    }  # fmt: skip


def _purchases(rng: np.random.Generator, people: int = 420) -> pd.DataFrame:
    start, end = pd.Timestamp("2022-01-01"), pd.Timestamp("2024-12-31")
    span, rows = (end - start).days, []
    for who in range(people):
        pace = rng.gamma(1.2, 2.6)  # purchases a year
        taste = np.array([weight for weight, _ in _PRODUCTS.values()]) * rng.gamma(1.5, 1, 4)
        day, gone = float(rng.uniform(0, 500)), rng.exponential(900)
        first = day
        while day < span and day - first <= gone:
            pick = int(rng.choice(4, p=taste / taste.sum()))
            name, (_, price) = list(_PRODUCTS.items())[pick]
            amount = round(price * float(np.exp(rng.normal(0, 0.35))), 2)
            rows.append((f"c{who:03d}", start + pd.Timedelta(days=int(day)), name, amount))
            day += rng.exponential(365 / pace) + 1
    table = pd.DataFrame(rows, columns=["customer", "date", "product", "amount"])
    table["date"] = table["date"].dt.strftime("%Y-%m-%d")
    return table


def _notes(rng: np.random.Generator, people: int = 420) -> pd.DataFrame:
    satisfaction = np.clip(np.round(rng.normal(7.2, 1.8, people)), 1, 10).astype(int)
    return pd.DataFrame(
        {
            "customer": [f"c{who:03d}" for who in range(people)], "satisfaction": satisfaction,
            "complaints": rng.poisson(np.where(satisfaction < 5, 1.6, 0.25)),
        }
    )  # fmt: skip


def _network(rng: np.random.Generator, people: int = 36) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = [f"firm {n:02d}" for n in range(1, people + 1)]
    clv = np.round(rng.lognormal(3.4, 0.9, people), 1)
    rows: list[tuple[int, int, int]] = []
    # who comes later knows one or two of those before, the well connected rather
    for at in range(1, people):
        degree = 1.0 + np.bincount([a for a, *_ in rows], minlength=at)[:at]
        known = rng.choice(at, size=min(at, 1 + int(rng.random() < 0.5)), replace=False,
                           p=degree / degree.sum())  # fmt: skip
        rows += [(int(k), at, int(rng.integers(1, 6))) for k in known]
    ties = pd.DataFrame([(ids[a], ids[b], w) for a, b, w in rows], columns=["from", "to", "weight"])
    return pd.DataFrame({"id": ids, "clv": clv}), ties


def _demands(rng: np.random.Generator) -> pd.DataFrame:
    groups = ["key accounts", "contract A", "contract B", "retail", "online", "occasional"]
    return pd.DataFrame(
        {
            "customer": groups, "value_per_unit": [9.0, 7.4, 6.6, 4.2, 3.8, 2.5],
            "demand": rng.integers(15, 45, 6), "minimum": [8, 6, 6, 4, 0, 0],
        }
    )  # fmt: skip


def _firm() -> pd.DataFrame:
    first = {"liability_payment": 1, "net_income": 1, "dividend": 1, "new_customers": 1}
    rows = [
        (item, n + first.get(item, 0), value)
        for item, values in _FIRM.items()
        for n, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["item", "year", "value"])


def _systems() -> pd.DataFrame:
    rated = {
        "on-premise": (8, 3, 6, 4, 8, 7), "cloud": (6, 8, 7, 8, 6, 7), "hybrid": (7, 6, 6, 6, 7, 6),
    }  # fmt: skip
    costs = {
        "on-premise": (480, 95, 95, 95, 95, 95), "cloud": (120, 125, 125, 125, 125, 125),
        "hybrid": (290, 110, 110, 110, 110, 110),
    }  # fmt: skip
    gains = {
        "on-premise": (0, 170, 215, 215, 215, 215), "cloud": (50, 215, 215, 215, 215, 215),
        "hybrid": (30, 200, 215, 215, 215, 215),
    }  # fmt: skip
    names = ("fit", "speed", "support", "ease", "security", "stability")
    return pd.DataFrame(
        [
            {"alternative": name, **dict(zip(names, marks, strict=True)),
             **{f"cost_{t}": v for t, v in enumerate(costs[name])},
             **{f"benefit_{t}": v for t, v in enumerate(gains[name])}}
            for name, marks in rated.items()
        ]
    )  # fmt: skip
