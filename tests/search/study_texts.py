"""Study files for tests, and ways to change them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))

GOOD = """
[study]
name = "small"
dataset = "digits"

[budget]
parameters = 2_000

[space]
stages = [1, 2]
width = { low = 4, high = 24 }
padding = "same"

[recipe]
epochs = 10
learning_rate = { low = 1e-3, high = 1e-1, log = true }

[[recipe.augment]]
kind = "affine"
degrees = [5, 10]
"""

TEMPLATE = """
[study]
name = "template"
dataset = "mnist"

[budget]
parameters = 2_000

[space]
layers = ["conv3 {a} bn relu", "maxpool2", "conv3 {b} bn relu drop{d}", "gap", "conv1 10"]
a = { low = 4, high = 16 }
b = [8, 12]
d = { low = 0.0, high = 0.2 }
"""


def written(folder: Path, text: str) -> Path:
    """The path of a study file with this text."""
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sections(text: str = GOOD) -> dict[str, Any]:
    """A study file as ``from_dict`` takes it."""
    return {"format": 1, **tomllib.loads(text)}


def changed(key: str, value: object, text: str = GOOD) -> dict[str, Any]:
    """A study file of which one key (dots lead inward) has another value."""
    result = sections(text)
    *path, last = key.split(".")
    table = result
    for name in path:
        table = table[name]
    table[last] = value
    return result
