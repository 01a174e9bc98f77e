"""How an image of a data set is read for an exported network, as source for its model card."""

from __future__ import annotations

from trainer.data.datasets import SOURCES

__all__ = ["image_lines"]


def image_lines(dataset: str, shape: tuple[int, int, int]) -> list[str]:
    """Give statements that make ``image``, a float tensor from 0 to 1, as the study read it.

    Args:
        dataset: one of ``trainer.DATASET_NAMES``, or ``folder:PATH``.
        shape: channels, height and width.
    """
    if dataset == "digits":
        return [
            "import torch",
            "from sklearn.datasets import load_digits",
            "",
            "image = torch.tensor(load_digits().images[:1]).float() / 16  # they come as 0 to 16",
        ]
    if dataset in SOURCES:
        name = SOURCES[dataset].reader
        options = 'split="digits", ' if name == "EMNIST" else ""
        lines = [
            "import torch",
            f"from torchvision.datasets import {name}",
            "from torchvision.transforms.functional import to_tensor",
            "",
            f'root = "data"  # the folder that has, or is to have, {SOURCES[dataset].folder}',
            f"images = {name}(root, {options}train=False, download=True)",
            "image = to_tensor(images[0][0])",
        ]
        # Their files hold rows and columns the wrong way round, which torchvision leaves so.
        return [*lines, "image = image.transpose(1, 2)  # upright"] if name == "EMNIST" else lines
    channels, height, width = shape
    if channels not in (1, 3):
        return ["import torch", "", f"image = torch.rand({channels}, {height}, {width})"]
    mode = "L" if channels == 1 else "RGB"
    return [
        "import numpy",
        "import torch",
        "from PIL import Image, ImageOps",
        "",
        f'picture = ImageOps.exif_transpose(Image.open("some.png")).convert("{mode}")',
        f"picture = picture.resize(({width}, {height}), Image.Resampling.BILINEAR)",
        f"pixels = numpy.array(picture).reshape({height}, {width}, {channels})",
        "image = torch.from_numpy(pixels).permute(2, 0, 1) / 255",
    ]
