"""The confusion matrix: how many images of each class were taken for which class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from search.pictures.svg import Drawing
from search.text import percent

__all__ = ["confusion_counts", "confusion_picture"]

_SIDE = 420
_LARGEST, _SMALLEST, _WRITTEN = 38.0, 4.0, 19.0
_NAME = 14
_TOP = 62


def confusion_counts(labels: Tensor, classes: Tensor, count: int) -> Tensor:
    """Count images by their class and the class that they were taken for.

    Args:
        labels: of the images, int64, shape (n,).
        classes: what the network says, the same shape; -1 where it says nothing.
        count: of classes.

    Returns:
        int64, shape (count, count), rows by label. Images without an answer are not counted.
    """
    answered = classes >= 0
    pairs = labels[answered] * count + classes[answered]
    return pairs.bincount(minlength=count * count).reshape(count, count)


def confusion_picture(counts: Tensor, names: Sequence[str], title: str = "") -> Drawing:
    """Draw a confusion matrix; mistakes are darker, the more of a class's images they are.

    Args:
        counts: as :func:`confusion_counts` gives them.
        names: of the classes.
        title: above the picture; nothing where it is empty.
    """
    sums, right = counts.sum(1).tolist(), counts.diag().tolist()
    # Of thousands of classes nearly all pairs are empty.
    places = counts.nonzero()
    found = torch.cat([places, counts[places[:, 0], places[:, 1], None]], 1).tolist()
    side = min(_LARGEST, max(_SMALLEST, _SIDE / len(names)))
    short = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in names]
    named = side >= 9
    longest = 6.4 * max(map(len, short))
    turned = longest > side
    left = 40 + (longest if named else 0.0)
    top = _TOP + (longest if named and turned else 14)
    edge = side * len(names)
    drawing = Drawing(left + edge + 90, top + edge + 40, title or "confusion matrix")
    drawing.text((16, 20), title, "strong")
    drawing.text((left + edge / 2, 44), "taken for", "soft small", "middle")
    drawing.text((18, top + edge / 2), "class", "soft small", "middle", turned=True)
    drawing.text((left + edge + 12, top - 8), "right", "soft small")
    drawing.rectangle((left, top), edge, edge, "rule")
    most = max([*(count / sums[i] for i, j, count in found if i != j), 1e-9])
    for number, name in enumerate(short):
        y = top + side * number
        if named:
            drawing.text((left - 6, y + side / 2 + 4), name, "small", "end")
            across = left + side * (number + 0.5)
            if turned:
                drawing.text((across + 4, top - 8), name, "small", turned=True)
            else:
                drawing.text((across, top - 8), name, "small", "middle")
        if named and sums[number]:
            share = right[number] / sums[number]
            drawing.text((left + edge + 12, y + side / 2 + 4), percent(share), "small")
    for number, other, count in found:
        x, y = left + side * other, top + side * number
        if other != number:
            drawing.shade((x, y), side, side, 0.12 + 0.68 * count / sums[number] / most)
        if side >= _WRITTEN:
            style = "small soft" if other == number else "small strong"
            drawing.text((x + side / 2, y + side / 2 + 4), f"{count}", style, "middle")
    total = sum(sums)
    wrong = total - sum(right)
    drawing.text((left, top + edge + 24), f"{wrong:,} of {total:,} images are wrong", "small soft")
    return drawing
