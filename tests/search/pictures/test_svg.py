from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from search.pictures.svg import Drawing

SVG = "{http://www.w3.org/2000/svg}"


@given(st.text(), st.text(), st.text())
def test_any_text_gives_a_drawing_that_can_be_read(title: str, text: str, hint: str) -> None:
    """No text breaks the file, and none becomes an element of it."""
    drawing = Drawing(100, 50, title)
    drawing.text((3, 4), text, "code")
    drawing.dot((5, 6), 2, "dot one", hint)
    for written in (drawing.file_text(), drawing.markup()):
        root = ElementTree.fromstring(written)
        texts = root.findall(f"{SVG}text")
        assert len(texts) == 1
        assert not list(texts[0])
        assert {each.tag for each in root.iter()} <= {
            f"{SVG}{name}" for name in ("svg", "title", "rect", "style", "text", "circle")
        }


def test_a_file_has_its_styles_and_a_page_has_them_once() -> None:
    """A drawing of its own carries paper and styles; in a page the page has them."""
    drawing = Drawing(100, 50, "a line")
    drawing.line([(0, 0), (100, 50.25)], "curve one")
    assert "<style>" in drawing.file_text()
    assert "<style>" not in drawing.markup()
    assert 'points="0,0 100,50.2"' in drawing.markup()
