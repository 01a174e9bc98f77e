from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from search.pictures.search_charts import Measured, front_chart, progress_chart
from search.pictures.svg import Drawing
from tests.search.pictures.test_svg import SVG

networks = st.builds(
    Measured,
    st.integers(1, 10**9),
    st.floats(0, 1),
    st.just("trial"),
    st.none() | st.floats(0, 0.2),
)


def _dots(drawing: Drawing) -> int:
    root = ElementTree.fromstring(drawing.file_text())
    for each in root.iter(f"{SVG}circle"):
        assert 0 <= float(each.attrib["cx"]) <= drawing.width
        assert 0 <= float(each.attrib["cy"]) <= drawing.height
    for each in root.iter(f"{SVG}polyline"):
        for point in each.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert -1 <= x <= drawing.width + 1
            assert -1 <= y <= drawing.height + 1
    return len(list(root.iter(f"{SVG}circle")))


@given(
    st.lists(networks, min_size=1, max_size=12),
    st.lists(networks, max_size=3),
    st.lists(st.integers(1, 10**9), max_size=3),
)
def test_everything_lies_inside(
    trials: list[Measured], confirmed: list[Measured], limits: list[int]
) -> None:
    """Whatever the figures are, no point and no line lies outside of the drawing."""
    _dots(front_chart(trials, trials[:1], confirmed, limits))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 50))
def test_progress_has_a_dot_for_each_best(floors: list[float], more: int) -> None:
    """Each trial that was better than all before has its dot, and one is in the legend of none."""
    best = [(i + 1, floor, f"trial {i}") for i, floor in enumerate(sorted(floors))]
    assert _dots(progress_chart(best, len(best) + more)) == len(best)
