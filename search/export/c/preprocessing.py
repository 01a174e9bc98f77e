"""Say in the words of C how a picture becomes the image of a network."""

from __future__ import annotations

from collections.abc import Iterator

from space.layers.words import Shape
from trainer.data import Reading

__all__ = ["preprocessing_lines"]

_GREY = (
    "const uint8_t *rgb = picture + 3 * pixel;",
    "long grey = 19595L * rgb[0] + 38470L * rgb[1] + 7471L * rgb[2];",
)
"""As Pillow makes grey of colour, by which the files of a study are read; times 65,536."""


def preprocessing_lines(shape: Shape, reading: Reading, name: str, *, int8: bool) -> Iterator[str]:
    """Yield what goes where in the buffer of an image, in Markdown.

    Args:
        shape: channels, height and width of an image.
        reading: how files became the images of the study.
        name: of the C functions.
        int8: whether the buffer holds bytes; else it holds floats.
    """
    channels, height, width = shape
    upper = name.upper()
    parts = {1: "a grey value", 3: "red, green and blue"}.get(channels, f"{channels} channels")
    kind, end = ("a byte", "") if int8 else ("a float", " / 255.0f")
    yield f"`{name}_image()` is where the image is written: {height} rows from the top, each of"
    yield f"{width} pixels from the left, each pixel {parts}."
    place = f"y * {width} + x" if channels == 1 else f"(y * {width} + x) * {channels} + channel"
    yield f"Each of these is {kind}; that of column x and row y has the index `{place}`."
    yield (
        "0 is black and 255 is white or full colour."
        if int8
        else "0 is black and 1 is white or full colour: a byte of a picture, divided by 255."
    )
    if channels in (1, 3):
        yield ""
        yield "```c"
        yield "#include <stdint.h>"
        yield f'#include "{name}.h"'
        yield ""
        if channels == 1:
            yield from _function(name, "colour", *_GREY)
            yield f"        {name}_image()[pixel] = (uint8_t)((grey + 32768L) >> 16){end};"
        else:
            yield from _function(name, "grey")
            for channel in range(3):
                yield f"        {name}_image()[3 * pixel + {channel}] = picture[pixel]{end};"
        yield "    }"
        yield "}"
        yield "```"
        yield ""
        has, becomes = ("colours", "grey") if channels == 1 else ("greys", "colour")
        yield f"The function takes a picture of {upper}_WIDTH x {upper}_HEIGHT {has}, a byte each,"
        yield f"and makes it {becomes} as the study did with its files. The source has no such"
        yield "function."
    if not int8:
        yield "The other formats take the same floats, in another order (channels first)."
    yield from _read(reading, f"{width} x {height}")


def _function(name: str, kind: str, *first: str) -> Iterator[str]:
    upper = name.upper()
    yield f"static void {name}_take_{kind}(const uint8_t *picture)"
    yield "{"
    yield f"    for (long pixel = 0; pixel < (long){upper}_WIDTH * {upper}_HEIGHT; ++pixel) {{"
    yield from (f"        {line}" for line in first)


def _read(reading: Reading, size: str) -> Iterator[str]:
    """Yield what the study did with files that are not images of bytes of the network's size."""
    if reading.scale is not None:
        low, high = reading.scale
        yield (
            f"Grey values of more than 8 bits, {low:g} to {high:g} in training, became bytes as"
            f"\n`(value - {low:g}) * 255 / ({high:g} - {low:g})`, rounded and kept within 0 to 255."
        )
    elif reading.rules == 1:
        yield "Of grey values of 16 bits the study kept the upper 8."
    if reading.resized:
        yield f"The study stretched its files to {size}, both sides by themselves, with Pillow's"
        yield "bilinear filter, which averages where it makes smaller."
