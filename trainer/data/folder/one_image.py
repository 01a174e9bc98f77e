"""One image file, read as a study read its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.folder.files import bombs_refused
from trainer.data.folder.pixels import Form, read_header, read_pixels
from trainer.data.folder.rules_1 import read_by_rules_1
from trainer.data.reading import Reading
from trainer.errors import DataError

__all__ = ["read_image"]


def read_image(
    file: Path, shape: tuple[int, int, int], reading: Reading
) -> tuple[NDArray[np.uint8], bool]:
    """Read a file as an image of a data set.

    Args:
        file: an image file.
        shape: channels, height and width that the image is to have. A file of another size is
            stretched.
        reading: how the files of the data set were read.

    Returns:
        uint8 (channels, height, width), and whether it was stretched.

    Raises:
        DataError: it is not there, or no image that can be read.
    """
    if not file.is_file():
        raise DataError(f"{file} is not a file; give image files")
    channels, height, width = shape
    size = width, height
    with bombs_refused():
        stretched = read_header(file, reading.background).size != size
        if reading.rules == 1:
            return read_by_rules_1(file, size, colour=channels == 3), stretched
        form = Form(size, stretched, reading.background, channels, reading.scale)
        return read_pixels(file, form)[0], stretched
