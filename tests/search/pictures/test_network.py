from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import example, given

from search.pictures.network import network_picture
from space.architecture import Architecture
from space.layers.words import format_shape
from space.summary import summary
from tests.search.pictures.test_svg import SVG
from tests.space.strategies import BLOCKS, architectures
from tests.space.test_cost import relaxed


@relaxed
@given(architectures())
@example(BLOCKS)
def test_each_line_stands_in_the_picture(architecture: Architecture) -> None:
    """Words, map, parameters and receptive field of each line are there, within the drawing."""
    root = ElementTree.fromstring(network_picture(architecture, "a name").file_text())
    written = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    for line in summary(architecture):
        assert (f"{line.text} (again)" if line.repeats else line.text) in written
        assert format_shape(line.after) in written
        assert not line.parameters or f"{line.parameters:,}" in written
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for each in root.iter(f"{SVG}rect"):
        x, y = float(each.get("x", 0)), float(each.get("y", 0))
        assert 0 <= x <= x + float(each.attrib["width"]) <= width
        assert 0 <= y <= y + float(each.attrib["height"]) <= height


def test_a_skip_is_an_arc_from_its_input_to_its_line() -> None:
    """A network with a skip has a line beside its rows, and one without has none."""
    plain = "conv3 4 pad1 relu\nconv3 4 pad1 relu\ngap\nlinear 10"
    skips = plain.replace("conv3 4 pad1 relu\ngap", "conv3 4 pad1 relu skip\ngap")
    counted = [
        network_picture(Architecture.parse(text)).markup().count("curve two")
        for text in (plain, skips)
    ]
    assert counted == [0, 2]
