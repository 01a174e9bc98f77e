"""Ladder files for tests."""

from __future__ import annotations

import re
from pathlib import Path

LADDERS = sorted((Path(__file__).parents[2] / "studies" / "ladders").glob("*.toml"))

GOOD = """
[ladder]
name = "small"
dataset = "digits"
title = "A small ladder"
source = "https://example.org/small"
goal = 0.97
parameters = 500
floor_epochs = 2

[[step]]
name = "skeleton"
target = "Begin."
layers = ["conv3 8 relu", "conv1 10", "gap"]

[step.recipe]
epochs = 3
optimizer = "sgd"
schedule = "none"
normalise = false

[step.reported]
parameters = 152
best_test = 91.5
test = [80.0, 90, 91.5]

[[step]]
name = "rotation"
target = "Turn the images."
note = "Nothing else."
layers = ["conv3 8 bn relu", "conv1 10", "gap"]

[step.recipe]
epochs = 2

[[step.recipe.augment]]
kind = "affine"
degrees = 7
interpolation = "nearest"

[step.reported]
parameters = 168
best_train = 95
best_test = 96
train = [90.0, 95]
seconds_per_epoch = 0.5
source = "rotation.ipynb"
"""

UNREPORTED = re.sub(r"\[step\.reported\]\n(.+\n)+|source = .+\n", "", GOOD)
"""The same without source and reported figures."""


def written(folder: Path, text: str) -> Path:
    """The path of a ladder file with this text."""
    path = folder / "ladder.toml"
    path.write_text(text, encoding="utf-8")
    return path
