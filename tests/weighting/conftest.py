"""Small trees and tables shared by the tests of the data side of weighting."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cvlib.weighting.table import read_indicators
from cvlib.weighting.tree import load_tree

EXAMPLES = Path(__file__).parents[1] / "reference" / "weighting" / "weights_scores_examples.json"


@pytest.fixture(scope="session")
def examples():
    return {example["id"]: example for example in json.loads(EXAMPLES.read_text("utf-8"))}


@pytest.fixture
def make_tree(tmp_path):
    """A tree from a mapping of children as written in YAML."""

    def make(children, rule="weighted"):
        path = tmp_path / "tree.yaml"
        document = {"name": "goal", "rule": rule, "children": children}
        path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        return load_tree(path)

    return make


@pytest.fixture
def flat(make_tree):
    """Indicators of a one-level tree from a matrix and +1/−1 directions."""

    def make(matrix, directions=None, **options):
        matrix = np.asarray(matrix, dtype=float)
        names = [f"c{j}" for j in range(matrix.shape[1])]
        signs = directions or [1] * len(names)
        children = {
            name: {"direction": "benefit" if sign > 0 else "cost"}
            for name, sign in zip(names, signs, strict=True)
        }
        return read_indicators(pd.DataFrame(matrix, columns=names), make_tree(children), **options)

    return make


@pytest.fixture(scope="session")
def seed_examples():
    """Worked examples of the founding systems; what made them stands in the file."""
    return json.loads((EXAMPLES.parent / "seed_examples.json").read_text("utf-8"))
