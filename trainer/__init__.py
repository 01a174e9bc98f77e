"""Train networks: data, augmentation, recipe, the training loop, metrics.

A network is a plain `torch.nn.Module` here; this package does not know how it was found.
Names are loaded when first used, so that `import trainer` costs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from trainer.errors import DataError, Diverged, OutOfMemory, RecipeError, TrainerError

if TYPE_CHECKING:
    from trainer.data import DATASET_NAMES, DataInfo, Dataset, known_shape, open_dataset
    from trainer.data.images import Images, Normalisation, normalisation
    from trainer.loop import Epoch, train
    from trainer.recipe import Recipe

__all__ = [
    "DATASET_NAMES",
    "DataError",
    "DataInfo",
    "Dataset",
    "Diverged",
    "Epoch",
    "Images",
    "Normalisation",
    "OutOfMemory",
    "Recipe",
    "RecipeError",
    "TrainerError",
    "known_shape",
    "normalisation",
    "open_dataset",
    "train",
]

_HOMES = {
    "DATASET_NAMES": "trainer.data",
    "DataInfo": "trainer.data",
    "Dataset": "trainer.data",
    "Epoch": "trainer.loop",
    "Images": "trainer.data.images",
    "Normalisation": "trainer.data.images",
    "Recipe": "trainer.recipe",
    "known_shape": "trainer.data",
    "normalisation": "trainer.data.images",
    "open_dataset": "trainer.data",
    "train": "trainer.loop",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
