"""A small network as training leaves it, for the tests of exporting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from search.export.trained_network import Figures, SeedRun, TrainedNetwork
from space.architecture import Architecture
from space.network import build
from trainer.augment import Affine
from trainer.data import Normalisation
from trainer.recipe import Recipe

LINES = ["conv3 6 pad1 bn relu", "conv3 6 pad1 bn relu skip drop0.1", "again", "maxpool2"]
HEAD = ["separable3 8 relu bn", "gap", "linear 3"]
HOSTILE = (
    "quote ' and \" and \"\"\" and '''",
    "back\\slash \\n {braces} %s",
    'line\nbreak\r\n# heading\n"""\nimport os\nos._exit(3)\n"""',
    "<script>alert(1)</script> <!-- & --> &lt;",
    "[link](javascript:alert(1)) ![x](y) `code` | cell | **bold** _it_ ~~x~~",
    "http://example.org www.example.org ---",
    "\u202eright to left\u2028 \x1b[31m \x00 \ud800",
    "",
)

CHAMPION = Figures(
    kind="champion",
    trial=17,
    validation_floor=0.99412,
    validation_seeds=3,
    floor_epochs=5,
    epochs=15,
    hardware="one CPU",
    versions={"python": "3.12.1", "torch": "2.12.0"},
    seconds=1234.5,
    runs=(SeedRun(8, 0.9941, 0.9935), SeedRun(9, 0.9945, 0.994), SeedRun(10, 0.9937, 0.993)),
    confirm=1,
)
TRIAL = replace(CHAMPION, kind="trial", runs=(), confirm=None, validation_seeds=1)


def trained_network(architecture: Architecture | None = None, **changes: Any) -> TrainedNetwork:
    """Make a network with weights of its own; keywords replace fields."""
    architecture = architecture or Architecture.parse([*LINES, *HEAD], (2, 10, 10))
    channels = architecture.input_shape[0]
    network = build(architecture)
    for buffer in network.buffers():
        if buffer.is_floating_point():
            torch.nn.init.uniform_(buffer, 0.5, 1.5)
    trained = TrainedNetwork(
        name="shapes-8k",
        architecture=architecture,
        weights=network.state_dict(),
        normalisation=Normalisation((0.3,) * channels, (0.2,) * channels),
        dataset="folder:shapes",
        class_names=tuple(f"class {index}" for index in range(architecture.classes)),
        recipe=Recipe(augment=(Affine(degrees=7.0, translate=0.05),), seed=8),
        figures=CHAMPION,
    )
    return replace(trained, **changes)
