"""Compute the logits of an exported package in a process where flyweight cannot be imported.

This is a program: ``python -P -B fresh_process.py FOLDER IMAGES LOGITS N``. It imports nothing of
flyweight; ``search.export.checks`` runs it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

__all__ = ["BLOCKED"]

BLOCKED = ("flyweight", "search", "space", "trainer")
"""What the process refuses to import."""

_BATCH = 100


def _main(folder: Path, images: Path, logits: Path, exact: int) -> None:
    """Load a package as its user does, and write the logits of images.

    Args:
        folder: of the package.
        images: a safetensors file with ``images``, uint8 (n, channels, height, width).
        logits: the file to write: ``logits``, float32 (n, classes), and ``exact``, float64, of the
            first images.
        exact: of how many.
    """
    blocked: dict[str, Any] = dict.fromkeys(BLOCKED)
    sys.modules.update(blocked)  # None in the place of a module makes its import an error
    sys.path.insert(0, str(folder.parent))
    import torch
    from safetensors.torch import load_file, save_file

    network = importlib.import_module(folder.name).load()
    with torch.inference_mode():
        pixels = load_file(images)["images"]
        batches = torch.split(pixels, _BATCH)
        found = torch.cat([network(batch / 255.0) for batch in batches])
        in_double = network.double()(pixels[:exact].double() / 255.0)
        save_file({"logits": found.contiguous(), "exact": in_double.contiguous()}, logits)


if __name__ == "__main__":
    folder, images, logits, exact = sys.argv[1:]
    _main(Path(folder), Path(images), Path(logits), int(exact))
