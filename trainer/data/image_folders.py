"""The kind of data set `folder:PATH`: a folder of images, by the rules that a study has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trainer.data.dataset import Dataset
from trainer.data.entry import PathDataset, Shape
from trainer.data.findings import Findings
from trainer.data.reading import Progress, Reading, ReadOptions, no_progress

if TYPE_CHECKING:
    from trainer.data.folder import FolderContents

__all__ = ["ImageFolders"]


class ImageFolders(PathDataset):
    """A folder of images, one subfolder for each class (:mod:`trainer.data.folder`)."""

    prefix = "folder"

    def open(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> Dataset:
        """Read the training part."""
        # Pillow is not needed where no folder is read.
        from trainer.data.folder import FolderContents, open_by_rules_1

        if options.rules == 1:
            folder = open_by_rules_1(path, image_size=options.image_size, colour=options.colour)
            reading = Reading(rules=1, resized=options.image_size is not None)
            return Dataset(name, folder.classes, folder.training, folder.read_test, reading=reading)
        return _opened(name, FolderContents(path, options, progress))

    def inspect(
        self, name: str, path: Path, options: ReadOptions, progress: Progress = no_progress
    ) -> tuple[Findings, Dataset | None]:
        """Look at all files."""
        from trainer.data.folder import inspect_folder

        findings, contents = inspect_folder(name, path, options, progress)
        return findings, None if findings.problems else _opened(name, contents)

    def image_lines(self, shape: Shape, reading: Reading) -> list[str]:
        """Return statements that read a picture."""
        channels, height, width = shape
        mode = "L" if channels == 1 else "RGB"
        imports = ["import numpy", "import torch", "from PIL import Image, ImageOps", ""]
        resize = f"picture = picture.resize(({width}, {height}), Image.Resampling.BILINEAR)"
        tensor = [
            f"pixels = numpy.array(picture).reshape({height}, {width}, {channels})",
            "image = torch.from_numpy(pixels).permute(2, 0, 1) / 255",
        ]
        if reading.rules == 1:
            return [
                *imports,
                'picture = ImageOps.exif_transpose(Image.open("some.png"))',
                'if picture.mode.startswith("I;16"):  # of 16 bits the upper 8 are kept',
                "    upper = numpy.asarray(picture) >> 8",
                '    picture = Image.fromarray(upper.astype("uint8"))',
                f'picture = picture.convert("{mode}")',
                resize,
                *tensor,
            ]
        lines = [*imports, 'picture = Image.open("some.png")']
        if reading.resized:
            lines.append(
                f"picture.draft(None, ({2 * width}, {2 * height}))  # large JPEG files load faster"
            )
        lines.append("picture = ImageOps.exif_transpose(picture)")
        if reading.scale is not None:
            low, high = reading.scale
            steps = 255 / (high - low) if high > low else 0.0
            lines += [
                'if picture.mode[0] in "IF":  # more than 8 bits',
                f"    # Grey values of {low:g} to {high:g}, as in training, become 0 to 255.",
                f"    values = (numpy.array(picture, dtype=float) - {low!r}) * {steps!r}",
                '    picture = Image.fromarray(values.clip(0, 255).round().astype("uint8"))',
            ]
        lines += [
            'picture = picture.convert("RGBA")',
            f'backdrop = Image.new("RGBA", picture.size, "{reading.background}")',
            f'picture = Image.alpha_composite(backdrop, picture).convert("{mode}")',
        ]
        return [*lines, *([resize] if reading.resized else []), *tensor]


def _opened(name: str, contents: FolderContents) -> Dataset:
    training, begin = contents.images()
    return Dataset(
        name,
        contents.classes,
        training,
        contents.test_images,
        reading=contents.reading(),
        validation_begin=begin,
    )
