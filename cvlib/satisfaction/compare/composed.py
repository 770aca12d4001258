"""Constructs of either order as weighted items: one layout for groups, exchanges and MICOM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cvlib.satisfaction.index import index_values
from cvlib.satisfaction.model.higher_order import disjoint_first, own_items, second_order
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.pls.engine import PLSFit
from cvlib.satisfaction.pls.higher_order import StagedFit, points_per_answer


@dataclass(frozen=True, eq=False)
class Composed:
    """How every construct of a model is made of items; a parent is made of its dimensions' items.

    Each construct has a stretch of the q columns, one per item. Without parents the columns are
    the items themselves.

    Parameters
    ----------
    model : Model
        With parents or without, k constructs in all and p items.
    """

    model: Model

    @cached_property
    def items(self) -> np.ndarray:
        """(q,) the item in each column."""
        return np.asarray(np.nonzero(own_items(self.model).T)[1])

    @cached_property
    def member(self) -> np.ndarray:
        """(q, k) 1 where the column belongs to the construct."""
        of = np.nonzero(own_items(self.model).T)[0]
        return np.asarray((of[:, None] == np.arange(len(self.model.constructs))).astype(float))

    def own(self, construct: str) -> tuple[np.ndarray, np.ndarray]:
        """Columns of a construct, and their items."""
        columns = np.flatnonzero(self.member[:, self.model.construct_names.index(construct)])
        return columns, self.items[columns]

    def of_items(self, fit: PLSFit) -> PLSFit:
        """The fit that holds the moments of the items."""
        return fit if not isinstance(fit, StagedFit) or fit.first is None else fit.first

    def shares(self, fit: PLSFit) -> np.ndarray:
        """Weight (B, q) of each item, on 0-100, in the index of its construct."""
        if not isinstance(fit, StagedFit):
            return index_values(self.model, fit).shares
        names, points = points_per_answer(self.model, fit)
        points = points * ((self.model.maximum - self.model.minimum) / 100)
        return self._columns(names, points)

    def weights(self, fit: PLSFit) -> np.ndarray:
        """Weight (B, q) of each standardised item in the score of its construct, of variance one.

        Of a parent: what its dimensions' weights and their items' weights come to.
        """
        if not isinstance(fit, StagedFit):
            return fit.weights
        assert fit.first is not None and fit.lift is not None
        shown, measured = second_order(self.model), disjoint_first(self.model)
        raw = (fit.weights / fit.standard_deviation)[:, :, None] * shown.membership
        upper = (fit.lift @ raw) * fit.first.standard_deviation[:, :, None]
        lower = fit.first.weights[:, :, None] * measured.membership
        # dimensions stand in the first order alone; what is in both is told by the second
        kept = [j for j, name in enumerate(measured.construct_names)
                if name not in shown.construct_names]  # fmt: skip
        names = [*shown.construct_names, *(measured.construct_names[j] for j in kept)]
        return self._columns(
            names, np.concatenate([upper, lower[:, :, kept]], axis=2).swapaxes(1, 2)
        )

    def index(self, fit: PLSFit) -> np.ndarray:
        """The index (B, k) of every construct."""
        if not isinstance(fit, StagedFit):
            return index_values(self.model, fit).values
        span = (self.model.maximum - self.model.minimum) / 100
        scaled = (self.of_items(fit).mean - self.model.minimum) / span
        return np.asarray((self.shares(fit) * scaled[:, self.items]) @ self.member)

    def _columns(self, names: list[str], values: np.ndarray) -> np.ndarray:
        """(B, q) out of values (B, constructs, p) in the order of `names`."""
        order = np.array([names.index(name) for name in self.model.construct_names])
        of = self.member.argmax(axis=1)
        return np.asarray(values[:, order[of], self.items])
