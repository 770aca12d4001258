"""Residual covariances and equal parameters added to the layout of a satisfaction model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvlib.satisfaction.model.freedom import ARROW as PATH
from cvlib.satisfaction.model.freedom import kept
from cvlib.satisfaction.model.model import Model
from cvlib.satisfaction.sem.layout import ARROW, COVARIANCE, Layout


def freed(layout: Layout, model: Model) -> Layout:
    """The layout with what the model's `freedom` frees and ties.

    Parameters
    ----------
    layout : Layout
        Of one group; constructs and items by name.
    model : Model
        Bound to the survey.
    """
    chosen = kept(model)
    place = {name: at for at, name in enumerate(layout.names)}
    k, q = len(model.construct_names), layout.latent
    taken = {frozenset((r, c)) for m, r, c in
             zip(layout.matrix.tolist(), layout.row.tolist(), layout.col.tolist(), strict=True)
             if m == COVARIANCE}  # fmt: skip
    pairs = []
    for a, b in chosen.residuals:
        # a construct and an item may share a name: the pair says which is meant
        ends = [place[n] if a in place and n in model.construct_names else
                q + model.items.index(n) for n in (a, b)]  # fmt: skip
        if frozenset(ends) not in taken and len(set(ends)) == 2:
            pairs.append(ends)
    if pairs:
        both = np.array(pairs)
        new, count = len(pairs), layout.parameters
        layout = replace(
            layout,
            matrix=np.append(layout.matrix, np.full(new, COVARIANCE)),
            row=np.append(layout.row, both[:, 0]),
            col=np.append(layout.col, both[:, 1]),
            operator=(*layout.operator, *["~~"] * new),
            parameter=np.hstack([layout.parameter, count + np.arange(new)[None]]),
            value=np.hstack([layout.value, np.zeros((1, new))]),
            relative=np.append(layout.relative, np.zeros(new)),
            from_sample=np.append(layout.from_sample, np.zeros(new, dtype=bool)),
        )
    parameter = layout.parameter.copy()
    for names in chosen.equal:
        tied = []
        for name in names:
            if PATH in name:
                cause, effect = (place[part.strip()] for part in name.split(PATH))
                at = (layout.matrix == ARROW) & (layout.row == effect) & (layout.col == cause)
            else:
                item = k + model.items.index(name)
                at = (layout.matrix == ARROW) & (layout.row == item)
            tied.append(int(parameter[0, np.flatnonzero(at)[0]]))
        for other in tied[1:]:
            parameter[parameter == other] = tied[0]
    numbers = np.unique(parameter[parameter >= 0])
    parameter = np.where(parameter >= 0, np.searchsorted(numbers, parameter), -1)
    return replace(layout, parameter=parameter)
