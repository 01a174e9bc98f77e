"""Where MNIST lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["DATA_VARIABLE", "data_root", "require_mnist"]

DATA_VARIABLE = "FLYWEIGHT_DATA"

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def data_root() -> Path:
    """Returns ``$FLYWEIGHT_DATA``, else ``data/``, as an absolute path."""
    return Path(os.environ.get(DATA_VARIABLE) or "data").resolve()


def require_mnist() -> Path:
    """Returns the data root; ends the program with one line where MNIST is not there."""
    root = data_root()
    raw = root / "MNIST" / "raw"
    missing = [name for name in _FILES if not (raw / name).is_file()]
    if missing:
        print(
            f"{raw / missing[0]} is missing; set {DATA_VARIABLE} to the folder of MNIST/raw",
            file=sys.stderr,
        )
        raise SystemExit(2)
    return root
