"""What every SIMULATED customer base shares: traits, answers to items, how they are handed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cvlib.customer.files import Files, Plan

Array = np.ndarray
MODEL = "customer_study"
_SPREAD, _MIDDLE = 1.9, 7.0


@dataclass(frozen=True, eq=False)
class SimulatedBase:
    """A simulated customer base.

    Attributes
    ----------
    survey, contracts, attributes : DataFrame
        As files would be; of buyers contracts are empty.
    truth : dict
        effect_per_point (log hazard), value_of_a_point, its parts, discounted_months_per_point,
        mean_index, leave_rate.
    true_index : ndarray (n,)
        Of every customer.
    plan : Plan
    transactions : DataFrame
        One row per purchase; empty of customers under contract.
    """

    survey: pd.DataFrame
    contracts: pd.DataFrame
    attributes: pd.DataFrame
    truth: dict[str, Any]
    true_index: Array
    plan: Plan
    transactions: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def files(self) -> Files:
        """The tables as the files of a study."""
        if len(self.transactions):
            return Files(self.survey, "", self.attributes, transactions=self.transactions)
        return Files(self.survey, self.contracts, self.attributes)


def expected_index(trait: Array, loading: float) -> Array:
    """(n,) expected answer, on 0-100, of who has a standard normal trait."""
    cuts = np.arange(1, 10) + 0.5
    scale = _SPREAD * np.sqrt(1 - loading**2)
    below = ndtr((cuts - _MIDDLE - _SPREAD * loading * trait[:, None]) / scale)
    return np.asarray((9 - below.sum(axis=1)) / 9 * 100)


def middle_index(loading: float) -> float:
    """The mean of `expected_index` over the population."""
    nodes, share = np.polynomial.hermite_e.hermegauss(60)
    return float(expected_index(nodes, loading) @ share / share.sum())


def traits(n: int, cause: float, rng: np.random.Generator) -> tuple[Array, ...]:
    """Image, quality, satisfaction, loyalty and an unobserved cause, (n,) each, standard normal."""
    normal = rng.standard_normal
    image, unseen = normal(n), normal(n)
    quality = 0.6 * image + 0.8 * normal(n)
    trait = 0.25 * image + 0.55 * quality - cause * unseen
    trait = trait + np.sqrt(0.47 - cause**2) * normal(n)
    return image, quality, trait, 0.7 * trait + np.sqrt(0.51) * normal(n), unseen


def answers_to(
    values: tuple[Array, ...], loading: float, rng: np.random.Generator
) -> dict[str, Array]:
    """Three answers from 1 to 10 to each of four traits, all with one loading."""
    found = {}
    for stem, value in zip(("IMAG", "QUAL", "SATI", "LOYA"), values, strict=True):
        for item in (1, 2, 3):
            noise = np.sqrt(1 - loading**2) * rng.standard_normal(len(value))
            raw = _MIDDLE + _SPREAD * (loading * value + noise)
            found[f"{stem}{item}"] = np.clip(np.rint(raw), 1, 10).astype(int)
    return found
