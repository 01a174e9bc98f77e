"""Write the source that reads an image for an exported network, for its model card."""

from __future__ import annotations

from trainer.data import Reading, find_dataset
from trainer.data.entry import PathDataset
from trainer.errors import DataError

__all__ = ["image_lines"]


def image_lines(
    dataset: str, shape: tuple[int, int, int], reading: Reading | None = None
) -> list[str]:
    """Return statements that make ``image``, a float tensor from 0 to 1, as the study read it.

    Args:
        dataset: one of ``trainer.DATASET_NAMES``, or ``folder:PATH``; for any other name the image
            is random.
        shape: channels, height and width.
        reading: how the study read its files; None for the newest rules without any resizing.
    """
    try:
        entry = find_dataset(dataset)
        if isinstance(entry, PathDataset):
            return entry.image_lines(shape, reading or Reading())
        return entry.image_lines(shape)
    except DataError:
        return ["import torch", "", f"image = torch.rand({', '.join(map(str, shape))})"]
