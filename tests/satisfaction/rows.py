"""PLS the textbook way, row by row on data: what the moment-based engine is checked against."""

from __future__ import annotations

import numpy as np


def naive_pls(rows, blocks, adjacency, modes, scheme="path", tolerance=1e-13):
    """Scores, outer weights, loadings, paths and R² of one model on rows (n, p).

    `blocks` lists the columns of each construct, `adjacency` is [source, target].
    """
    n = len(rows)
    x = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    weights = [np.ones(len(block)) for block in blocks]

    def score():
        y = np.column_stack([x[:, b] @ w for b, w in zip(blocks, weights, strict=True)])
        return y / y.std(axis=0)

    y = score()
    for _ in range(2000):
        r = np.corrcoef(y.T)
        inner = np.zeros_like(r)
        for j in range(len(blocks)):
            before, after = np.flatnonzero(adjacency[:, j]), np.flatnonzero(adjacency[j])
            if scheme == "path":
                if before.size:
                    inner[before, j] = np.linalg.lstsq(y[:, before], y[:, j])[0]
                inner[after, j] = r[after, j]
            else:
                near = np.concatenate([before, after])
                inner[near, j] = r[near, j] if scheme == "factorial" else np.sign(r[near, j])
        z = y @ inner
        old = y
        for j, block in enumerate(blocks):
            if len(block) == 1 or modes[j] == "unit":
                continue
            if modes[j] == "A":
                weights[j] = x[:, block].T @ z[:, j] / n
            else:
                weights[j] = np.linalg.lstsq(x[:, block], z[:, j])[0]
        y = score()
        if np.abs(y - old).max() < tolerance:
            break
    for j, block in enumerate(blocks):
        weights[j] = weights[j] / (x[:, block] @ weights[j]).std()
        if sum(np.corrcoef(x[:, i], y[:, j])[0, 1] for i in block) < 0:
            weights[j], y[:, j] = -weights[j], -y[:, j]
    paths, r_squared = np.zeros_like(adjacency, dtype=float), np.zeros(len(blocks))
    for j in range(len(blocks)):
        before = np.flatnonzero(adjacency[:, j])
        if before.size:
            paths[before, j] = np.linalg.lstsq(y[:, before], y[:, j])[0]
            r_squared[j] = 1 - ((y[:, j] - y[:, before] @ paths[before, j]) ** 2).mean()
    loadings = np.concatenate([
        [np.corrcoef(x[:, i], y[:, j])[0, 1] for i in block] for j, block in enumerate(blocks)
    ])  # fmt: skip
    return y, np.concatenate(weights), loadings, paths, r_squared
