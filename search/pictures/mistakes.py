"""Images that a network took for another class."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

from PIL import Image
from torch import Tensor

from search.pictures.svg import Drawing
from trainer.data.images import Images

__all__ = ["mistakes_picture", "png_of"]

_COLUMNS, _MOST = 8, 24
_CELL, _SIDE, _TOP = 84, 64, 36
_NAME = 12
_LARGEST = 2 * _SIDE  # as sharp as a screen of two pixels a point shows it


def mistakes_picture(
    images: Images, classes: Tensor, names: Sequence[str], title: str = ""
) -> Drawing:
    """Draw the first images that were taken for another class, with both classes.

    Args:
        images: that were classified.
        classes: what the network says of each, int64, shape (n,), on the CPU; -1 where it says
            nothing.
        names: of the classes.
        title: above the picture; nothing where it is empty.
    """
    labels = images.labels.cpu()
    wrong = (classes != labels).nonzero().flatten()
    shown = wrong[:_MOST]
    pixels = images.pixels[shown.to(images.pixels.device)].cpu()
    rows = max(1, -(-len(shown) // _COLUMNS))
    columns = min(_COLUMNS, max(len(shown), 4))
    height = _TOP + rows * (_CELL + 28) + 28
    drawing = Drawing(16 + columns * (_CELL + 4), height, title or "images that were taken wrong")
    drawing.text((16, 20), title, "strong")
    taken = list(zip(shown.tolist(), labels[shown].tolist(), classes[shown].tolist(), strict=True))
    for place, (index, label, found) in enumerate(taken):
        x = 16 + (place % _COLUMNS) * (_CELL + 4)
        y = _TOP + (place // _COLUMNS) * (_CELL + 28)
        truth, guess = _short(names[label]), "nothing" if found < 0 else _short(names[found])
        picture = png_of(pixels[place])
        drawing.picture((x, y), _SIDE, _SIDE, picture, f"image {index}: {names[label]}")
        drawing.text((x, y + _SIDE + 14), truth, "small soft")
        drawing.text((x, y + _SIDE + 27), f"→ {guess}", "small strong")
    more = (
        f"the first {len(shown)} of {len(wrong):,}" if len(wrong) > len(shown) else f"{len(wrong)}"
    )
    text = f"{more} mistakes among {len(images):,} images" if len(wrong) else "no mistakes"
    drawing.text((16, height - 12), text, "small soft")
    return drawing


def png_of(pixels: Tensor) -> str:
    """Return an image as PNG in base 64.

    Args:
        pixels: uint8, shape (channels, height, width), of 1 or 3 channels; of others the first.
            A larger image than is shown is made smaller, so that pictures of photos stay small.
    """
    array = pixels.cpu().numpy()
    picture = Image.fromarray(array.transpose(1, 2, 0) if len(array) == 3 else array[0])
    picture.thumbnail((_LARGEST, _LARGEST))
    written = BytesIO()
    picture.save(written, "PNG")
    return b64encode(written.getvalue()).decode("ascii")


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
