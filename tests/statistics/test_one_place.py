"""What statistics does for all pillars is done nowhere else."""

import re
from pathlib import Path

import pytest

import cvlib

PACKAGE = Path(cvlib.__file__).parent
RULES = {
    "resample": r"default_rng|SeedSequence|RandomState|1 [-+] [\w.]*level\) / 2",
    "multiple": r"multipletests",
    "proportions": r"proportion_confint",
    "disclosure": r"blake2b|hmac",
}


@pytest.mark.parametrize("module", list(RULES))
def test_a_rule_stands_in_one_module(module: str) -> None:
    own = re.compile(RULES[module])
    found = [path for path in PACKAGE.rglob("*.py") if own.search(path.read_text("utf-8"))]
    assert found == [PACKAGE / "statistics" / f"{module}.py"]
