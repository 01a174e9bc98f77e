"""Write SVG: shapes and texts in two palettes, for light and for dark pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

__all__ = ["STYLES", "Anchor", "Drawing", "Point", "xml_text"]

Point: TypeAlias = tuple[float, float]
"""Across and down, in pixels from the upper left corner."""

Anchor: TypeAlias = Literal["start", "middle", "end"]

STYLES = """\
.fw{--paper:#fff;--ink:#1f2328;--soft:#656d76;--rule:#d8dee4;--fill:#eaeef2;--one:#0969da;\
--two:#bc4c00;--three:#1a7f37;--band:#0969da1a;\
font-family:ui-sans-serif,system-ui,Helvetica,Arial,sans-serif;font-size:12px}
@media (prefers-color-scheme:dark){.fw{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;\
--rule:#3d444d;--fill:#21262d;--one:#58a6ff;--two:#f0883e;--three:#3fb950;--band:#58a6ff26}}
@media print{.fw{--paper:#fff;--ink:#1f2328;--soft:#656d76;--rule:#d8dee4;--fill:#eaeef2;\
--one:#0969da;--two:#bc4c00;--three:#1a7f37;--band:#0969da1a}}
.fw text{fill:var(--ink)}.fw .soft{fill:var(--soft)}.fw .strong{font-weight:600}
.fw .code{font-family:ui-monospace,Menlo,Consolas,monospace}
.fw .small{font-size:10.5px}.fw .paper{fill:var(--paper)}
.fw .rule{stroke:var(--rule);fill:none;stroke-width:1}.fw .fill{fill:var(--fill)}
.fw .band{fill:var(--band)}
.fw .one{stroke:var(--one)}.fw .two{stroke:var(--two)}.fw .three{stroke:var(--three)}
.fw .curve{fill:none;stroke-width:1.8;stroke-linejoin:round}.fw .dashed{stroke-dasharray:4 3}
.fw .dot{stroke-width:0}.fw .dot.one,.fw .bar.one{fill:var(--one)}
.fw .dot.two,.fw .bar.two{fill:var(--two)}.fw .dot.three,.fw .bar.three{fill:var(--three)}
.fw .bar{stroke-width:0}.fw .hollow{fill:var(--paper);stroke-width:1.4}
"""
"""The style sheet of all drawings. A page that holds several of them needs it once."""

# What XML 1.0 cannot hold, even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text that XML and HTML can hold; what they cannot becomes a replacement mark."""
    return escape(_NO_XML.sub("\ufffd", text), {'"': "&quot;"})


class Drawing:
    """A drawing that grows by one element with each call.

    Styles are classes of :data:`STYLES`, several with spaces between.

    Args:
        width: in pixels.
        height: in pixels.
        title: what it shows, for people who do not see it.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height, self._title = width, height, title
        self._elements: list[str] = []

    def rectangle(
        self, corner: Point, width: float, height: float, style: str, hint: str = ""
    ) -> None:
        """Draw a rectangle.

        Args:
            corner: the upper left one.
            width: in pixels.
            height: in pixels.
            style: classes.
            hint: what a browser says under the pointer.
        """
        x, y = corner
        self._add(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f"class={_q(style)}",
            "rect",
            _hint(hint),
        )

    def shade(self, corner: Point, width: float, height: float, opacity: float) -> None:
        """Draw a rectangle in the first colour, of 0 (not seen) to 1."""
        x, y = corner
        self._elements.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'class="bar one" fill-opacity="{opacity:.3f}"/>'
        )

    def line(self, points: Iterable[Point], style: str) -> None:
        """Draw a line through points."""
        places = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._elements.append(f'<polyline points="{places}" class={_q(style)}/>')

    def dot(self, centre: Point, radius: float, style: str, hint: str = "") -> None:
        """Draw a circle; ``hint`` is what a browser says under the pointer."""
        x, y = centre
        self._add(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" class={_q(style)}',
            "circle",
            _hint(hint),
        )

    def text(
        self,
        place: Point,
        text: str,
        style: str = "",
        anchor: Anchor = "start",
        *,
        turned: bool = False,
    ) -> None:
        """Write one line of text.

        Args:
            place: of its base line, where ``anchor`` says.
            text: any characters.
            style: classes.
            anchor: which part of the text stands at the place.
            turned: whether it runs upwards.
        """
        x, y = place
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        of_style = f" class={_q(style)}" if style else ""
        self._elements.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{of_style}{turn}>'
            f"{xml_text(text)}</text>"
        )

    def picture(self, corner: Point, width: float, height: float, png: str, hint: str = "") -> None:
        """Place a picture.

        Args:
            corner: the upper left one.
            width: in pixels.
            height: in pixels.
            png: in base 64.
            hint: what a browser says under the pointer.
        """
        x, y = corner
        self._add(
            f'<image x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{png}"',
            "image",
            _hint(hint),
        )

    def markup(self) -> str:
        """Return the drawing for a page that has :data:`STYLES`."""
        return self._document("", "")

    def file_text(self) -> str:
        """Return the drawing as a file of its own, with its paper and styles."""
        paper = f'<rect width="{_n(self.width)}" height="{_n(self.height)}" class="paper"/>'
        return self._document(f"<style>{STYLES}</style>", paper)

    def _document(self, styles: str, paper: str) -> str:
        size = f'width="{_n(self.width)}" height="{_n(self.height)}"'
        box = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        title = f"<title>{xml_text(self._title)}</title>"
        body = "\n".join([styles + title + paper, *self._elements])
        return f'<svg xmlns="http://www.w3.org/2000/svg" class="fw" {size} {box}>{body}\n</svg>\n'

    def _add(self, opening: str, name: str, inner: str) -> None:
        self._elements.append(f"{opening}>{inner}</{name}>" if inner else f"{opening}/>")


def _hint(text: str) -> str:
    return f"<title>{xml_text(text)}</title>" if text else ""


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _q(style: str) -> str:
    return quoteattr(style)
