"""What comes with the package: where notebooks and data lie, and its own catalogues in YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder(name: str) -> Path:
    """The folder ``notebooks`` or ``data``: within an installed package, else beside it."""
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def shipped_yaml(text: str) -> Any:
    """A catalogue of our own, read ten times as fast by libyaml; safe, as all YAML here.

    What users write is read by `cvlib.inputs.documents`, which is stricter and knows lines.
    """
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
