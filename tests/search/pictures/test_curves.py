from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from search.pictures.curves import curves_picture
from search.text import percent
from tests.search.pictures.test_svg import SVG
from trainer.loop import Epoch
from trainer.metrics import floor

shares = st.floats(0, 1)
losses = st.floats(0, 1e6)
trainings = st.lists(st.tuples(losses, shares, shares), min_size=1, max_size=120).map(
    lambda rows: [Epoch(i, *row, 1.0) for i, row in enumerate(rows)]
)


@given(trainings, st.integers(1, 30))
def test_every_epoch_has_its_dots_inside_the_picture(epochs: list[Epoch], last: int) -> None:
    """Each epoch has a dot on each of three curves, and none lies outside of the drawing."""
    drawing = curves_picture(epochs, last)
    root = ElementTree.fromstring(drawing.file_text())
    dots = list(root.iter(f"{SVG}circle"))
    assert len(dots) == 3 * len(epochs)
    for dot in dots:
        assert 0 <= float(dot.attrib["cx"]) <= drawing.width
        assert 0 <= float(dot.attrib["cy"]) <= drawing.height
    words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert f"validation, floor {percent(floor([e.accuracy for e in epochs], last))}" in words


@given(st.lists(shares, min_size=2, max_size=30))
def test_a_better_epoch_is_never_drawn_below_a_worse_one(accuracies: list[float]) -> None:
    """Height rises with accuracy, on whatever part of the scale."""
    epochs = [Epoch(i, 1.0, each, each, 1.0) for i, each in enumerate(accuracies)]
    root = ElementTree.fromstring(curves_picture(epochs, 5).file_text())
    dots = [each for each in root.iter(f"{SVG}circle") if each.get("class") == "dot one"]
    heights = [-float(dot.attrib["cy"]) for dot in dots]
    ranked = [height for _, height in sorted(zip(accuracies, heights, strict=True))]
    assert ranked == sorted(ranked)
