"""A network as a picture: its lines from the image to the logits, with what each costs."""

from __future__ import annotations

from math import log2, sqrt

from search.pictures.svg import Drawing
from space.architecture import Architecture
from space.layers.words import elements, format_shape
from space.program import kept_maps
from space.summary import LineSummary, summary

__all__ = ["network_picture"]

_TOP, _ROW = 52, 36
_LEFT, _MAP = 16, 44
_CHARACTER = 7.3
_COLUMNS = (("map", 104), ("parameters", 92), ("", 92), ("sees", 64))


def network_picture(architecture: Architecture, title: str = "") -> Drawing:
    """Draw a network, a row for each application of a line.

    Each row shows the map that the line gives (as large as its sides, as dark as its channels are
    many), the words, the shape of the map, the parameters with a bar, and how many
    rows and columns of the image one output sees. Skips are arcs on the left.

    Args:
        architecture: its lines must fit together.
        title: above the picture; nothing where it is empty.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    rows = summary(architecture)
    words = max(len(row.words) for row in rows)
    arcs = _arcs(architecture)
    left = _LEFT + (14 + 6 * len(arcs) if arcs else 0)
    text_left = left + _MAP + 16
    places, x = [], text_left + max(words, 10) * _CHARACTER + 24
    for _, width in _COLUMNS:
        places.append(x)
        x += width
    drawing = Drawing(x, _TOP + _ROW * (len(rows) + 1) + 16, title or "a network, line by line")
    drawing.text((left, 20), title, "strong")
    for (heading, width), place in zip(_COLUMNS, places, strict=True):
        if heading in ("parameters", "sees"):
            drawing.text((place + width - 12, 40), heading, "soft small", "end")
        else:
            drawing.text((place, 40), heading, "soft small")
    y = _middle(0)
    _draw_map(drawing, left, y, architecture.input_shape, rows)
    drawing.text((text_left, y + 4), "image", "soft")
    drawing.text((places[0], y + 4), format_shape(architecture.input_shape), "code small")
    for number, row in enumerate(rows, 1):
        _draw_row(drawing, row, _middle(number), left, text_left, places, rows)
    for depth, (first, last) in enumerate(arcs):
        _draw_arc(drawing, left - 6, 6 * (depth + 1) + 4, first, last)
    return drawing


def _middle(number: int) -> float:
    """Return how far down the middle of a row lies; row 0 is the image."""
    return _TOP + _ROW * (number + 0.5)


def _draw_row(
    drawing: Drawing,
    row: LineSummary,
    y: float,
    left: float,
    text_left: float,
    places: list[float],
    rows: tuple[LineSummary, ...],
) -> None:
    drawing.line([(left, y - _ROW / 2), (drawing.width - 16, y - _ROW / 2)], "rule")
    _draw_map(drawing, left, y, row.after, rows)
    drawing.text((text_left, y + 4), row.words, "code")
    drawing.text((places[0], y + 4), format_shape(row.after), "code small")
    if row.parameters:
        right = places[1] + _COLUMNS[1][1] - 12
        drawing.text((right, y + 4), f"{row.parameters:,}", "small", "end")
        share = row.parameters / sum(each.parameters for each in rows)
        length = row.parameters / max(each.parameters for each in rows)
        width = length * (_COLUMNS[2][1] - 16)
        drawing.rectangle((places[2], y - 5), max(width, 1), 10, "bar one", f"{share:.0%} of all")
    drawing.text((places[3] + _COLUMNS[3][1] - 12, y + 4), row.sees, "small", "end")


def _draw_map(
    drawing: Drawing,
    left: float,
    y: float,
    shape: tuple[int, int, int],
    rows: tuple[LineSummary, ...],
) -> None:
    """Draw a map in its place, no larger than the row allows."""
    channels, height, width = shape
    longest = max(max(side) for side in ((rows[0].before[1:]), *(row.after[1:] for row in rows)))
    most = max(rows[0].before[0], *(row.after[0] for row in rows))
    scale = (_ROW - 8) / sqrt(longest)
    tall, wide = max(3.0, scale * sqrt(height)), max(3.0, scale * sqrt(width))
    corner = (left + (_MAP - wide) / 2, y - tall / 2)
    opacity = 0.15 + 0.75 * log2(1 + channels) / log2(1 + most)
    drawing.shade(corner, wide, tall, opacity)
    hint = f"{format_shape(shape)}: {elements(shape):,} numbers"
    drawing.rectangle(corner, wide, tall, "rule", hint)


def _arcs(architecture: Architecture) -> list[tuple[int, int]]:
    """Return for each map that is kept for a skip the rows between which it is carried."""
    return [(keep.slot, keep.until + 1) for keep in kept_maps(architecture).values()]


def _draw_arc(drawing: Drawing, right: float, depth: float, first: int, last: int) -> None:
    top, bottom = _middle(first), _middle(last)
    x = right - depth
    drawing.line([(right, top), (x, top), (x, bottom), (right, bottom)], "curve two")
    drawing.line([(right - 5, bottom - 3), (right, bottom), (right - 5, bottom + 3)], "curve two")
