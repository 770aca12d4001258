"""Simulated tables for the sections of a scoring study: no customer, branch or firm is real."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cvlib.statistics import resample
from cvlib.weighting.tree import Tree, load_tree

# Indicator: mean, standard deviation and target of a unit.
_BRANCH = {
    "operating_profit": (52.0, 9.0, 55.0), "deposits": (820.0, 120.0, 850.0),
    "cost_income_ratio": (41.0, 5.0, 40.0), "satisfaction": (81.0, 5.0, 85.0),
    "retention": (92.0, 2.5, 93.0), "key_customers": (38.0, 9.0, 40.0),
    "waiting_time": (11.0, 3.0, 10.0), "processing_errors": (2.4, 0.8, 2.0),
    "complaints_settled": (93.0, 4.0, 98.0), "training_hours": (44.0, 9.0, 48.0),
    "certified_staff": (78.0, 8.0, 80.0), "staff_turnover": (9.0, 3.0, 8.0),
}  # fmt: skip
_REGION = {
    "actual_sales": (640.0, 120.0, 660.0), "new_product_sales": (88.0, 25.0, 100.0),
    "receipts": (600.0, 110.0, 640.0), "active_outlets": (310.0, 60.0, 320.0),
    "stock_days": (34.0, 8.0, 30.0), "price_breaches": (3.0, 1.5, 2.0),
    "visits": (420.0, 70.0, 440.0), "staff_turnover": (12.0, 4.0, 10.0),
}  # fmt: skip
_COUNTS = ("key_customers", "active_outlets", "price_breaches", "visits")


def simulate_scoring(seed: int = resample.SEED) -> dict[str, pd.DataFrame]:
    """The simulated tables that ship with the package, by the name each has in the catalogue.

    Parameters
    ----------
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to DataFrame
        credit_borrowers, publisher_ledger, maturity_audit, branch_results, branch_targets,
        regional_results, regional_targets: each in the form its section of notebook 05 reads.

    Examples
    --------
    >>> import cvlib as cv
    >>> sorted(cv.weighting.simulate_scoring())[:2]
    ['branch_results', 'branch_targets']
    """
    rngs = resample.spawned(seed, 5)
    return {
        "credit_borrowers": _borrowers(rngs[0]), "publisher_ledger": _ledger(rngs[1]),
        "maturity_audit": _audit(rngs[2]),
        "branch_results": _results(rngs[3], _BRANCH, "branch", 24),
        "branch_targets": _targets(_BRANCH),
        "regional_results": _results(rngs[4], _REGION, "region", 12),
        "regional_targets": _targets(_REGION),
    }  # fmt: skip


MADE_UP = "simulated "  # how every id of a made-up table begins: a report on it says so


def simulate_customers(tree: Tree, customers: int = 60, seed: int = resample.SEED) -> pd.DataFrame:
    """Customers with all indicators of a tree, in the form notebooks 04 and 05 read.

    Parameters
    ----------
    tree : Tree
        Any tree.
    customers : int
        How many.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        customer_id, each beginning with ``simulated``, and a column per indicator: drawn over its
        scale, around its target, among its categories (all passing a gate), or skewed as money is.

    Examples
    --------
    >>> import cvlib as cv
    >>> found = cv.weighting.simulate_customers(cv.weighting.load_tree("rfm"), 3)
    >>> found["customer_id"].tolist()
    ['simulated 1', 'simulated 2', 'simulated 3']
    """
    rng = resample.generator(seed, 85)
    width = len(str(customers))
    table = pd.DataFrame(
        {"customer_id": [f"{MADE_UP}{n:0{width}d}" for n in range(1, customers + 1)]}
    )
    good = rng.normal(size=customers)  # who is good in one is rather good in another
    for leaf in tree.nodes[tree.nodes["is_leaf"]].to_dict("records"):
        share = 1 / (1 + np.exp(-(0.6 * good + rng.normal(size=customers))))
        if leaf["direction"] == "cost":
            share = 1 - share
        if leaf["values"]:
            names = sorted(leaf["values"], key=leaf["values"].get)
            passed = tree.rule(leaf["parent"]) == "gate"
            at = np.minimum((share * len(names)).astype(int), len(names) - 1)
            table[leaf["column"]] = [names[-1] if passed else names[k] for k in at]
            continue
        low, high = leaf["scale_low"], leaf["scale_high"]
        aim = leaf["good_high"]
        if np.isfinite([low, high]).all():
            drawn = low + (high - low) * share
            whole = float(low).is_integer() and 2 < high - low <= 10
            table[leaf["column"]] = np.round(drawn).astype(int) if whole else np.round(drawn, 1)
        elif np.isfinite(aim):
            table[leaf["column"]] = np.round(aim * (0.6 + 0.8 * share), 1)
        else:
            table[leaf["column"]] = np.round(100 * share / (1.02 - share), 1)
    return table


def _borrowers(rng: np.random.Generator, people: int = 1200) -> pd.DataFrame:
    income = np.round(rng.lognormal(10.2, 0.45, people))
    use, late = rng.beta(2, 3, people), rng.poisson(0.5, people)
    years = np.round(rng.gamma(2.5, 2.2, people), 1)
    odds = -3.1 - 0.7 * np.log(income / 27000) + 2.6 * use + 0.6 * late - 0.06 * years
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(people) * 730 // people, "D")
    gate = (rng.random(people) < 0.03).astype(int)
    default = (rng.random(people) < 1 / (1 + np.exp(-odds))).astype(int)
    return pd.DataFrame(
        {"customer": [f"b{n:04d}" for n in range(1, people + 1)], "date": days.strftime("%Y-%m-%d"),
         "income": income.astype(int), "utilisation": np.round(use, 3),
         "days_past_due_events": late, "years": years, "gate_aml_review": gate, "default": default}
    )  # fmt: skip


def _ledger(rng: np.random.Generator, customers: int = 18) -> pd.DataFrame:
    rows = []
    for who in range(1, customers + 1):
        size, pays, returns = rng.lognormal(9.5, 0.6), rng.beta(9, 3), rng.beta(2, 12)
        for month in range(12):
            day, sent = pd.Timestamp(2025, month + 1, int(rng.integers(1, 28))), size / 12
            sent *= float(np.exp(rng.normal(0, 0.25)))
            rows.append((who, day, "shipment", sent))
            for kind, share, wait in (("receipt", pays, 75), ("return", returns, 110)):
                at = day + pd.Timedelta(days=int(rng.gamma(4, wait / 4)))
                if at <= pd.Timestamp("2025-12-31"):
                    rows.append((who, at, kind, sent * share * float(rng.uniform(0.85, 1.1))))
    table = pd.DataFrame(rows, columns=["customer", "date", "kind", "amount"])
    table = table.sort_values(["date", "customer", "kind"], ignore_index=True).round({"amount": 2})
    table["customer"] = [f"bookseller {n:02d}" for n in table["customer"]]
    return table.assign(date=table["date"].dt.strftime("%Y-%m-%d"))


def _audit(rng: np.random.Generator, organisations: int = 9) -> pd.DataFrame:
    table = pd.DataFrame({"customer_id": [f"branch {n}" for n in range(1, organisations + 1)]})
    general = rng.normal(3.1, 0.7, organisations)
    for area in load_tree("crm_maturity").leaves:
        level = np.round(general + rng.normal(0, 0.7, organisations))
        table[area] = np.clip(level, 1, 5).astype(int)
    return table


def _results(
    rng: np.random.Generator, known: dict[str, tuple[float, float, float]], word: str, units: int
) -> pd.DataFrame:
    table = pd.DataFrame({"customer_id": [f"{word} {n:02d}" for n in range(1, units + 1)]})
    for name, (mean, spread, _) in known.items():
        drawn = np.clip(rng.normal(mean, spread, units), 0.2 * mean, 1.6 * mean)
        table[name] = np.round(drawn).astype(int) if name in _COUNTS else np.round(drawn, 1)
        if mean > 70 and spread < 10:  # a percentage
            table[name] = np.minimum(table[name], 100.0)
    return table


def _targets(known: dict[str, tuple[float, float, float]]) -> pd.DataFrame:
    return pd.DataFrame({"indicator": list(known), "target": [t for _, _, t in known.values()]})
