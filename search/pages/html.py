"""Write a report as one page of HTML that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator

from search.pages.blocks import Block, Code, Figure, Kept, Lines, Page, Table, Text
from search.pictures.svg import STYLES, xml_text

__all__ = ["fragment", "html"]

_CSS = """\
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--soft:#656d76;--rule:#d8dee4;\
--fill:#f6f8fa;--mark:#ddf4ff}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;\
--rule:#3d444d;--fill:#151b23;--mark:#12263a}}
@media print{:root{--paper:#fff;--ink:#1f2328;--soft:#656d76;--rule:#d8dee4;--fill:#f6f8fa;\
--mark:#ddf4ff}section{break-inside:avoid-page}}
body{margin:0 auto;max-width:56rem;padding:2rem 1rem;background:var(--paper);color:var(--ink);\
font:15px/1.55 ui-sans-serif,system-ui,Helvetica,Arial,sans-serif}
h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;\
border-bottom:1px solid var(--rule);padding-bottom:.2rem}
.lead{font-size:1.1rem}.strong{font-weight:600}.foot,figcaption{color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;margin:.8rem 0;font-size:.9rem;display:block;overflow-x:auto}
th,td{text-align:left;padding:.2rem .9rem .2rem 0;border-bottom:1px solid var(--rule);\
vertical-align:top}
.number{text-align:right}tr.marked td{background:var(--mark)}
pre{background:var(--fill);padding:.7rem .9rem;overflow-x:auto;font-size:.85rem}
figure{margin:1rem 0}figure svg,figure img{max-width:100%;height:auto}
"""


def html(page: Page) -> str:
    """Return a report as HTML.

    It has no script and asks for nothing from anywhere: a content security policy in its head
    holds a browser to that. Texts are escaped, so that nothing in a study becomes markup.
    """
    return "\n".join(_lines(page)) + "\n"


def fragment(blocks: Iterable[Block]) -> str:
    """Return some blocks as HTML for a notebook, with the styles of their drawings."""
    lines = [line for block in blocks for line in _block(block)]
    return "\n".join([f"<style>{STYLES}</style>", *lines])


def _lines(page: Page) -> Iterator[str]:
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{xml_text(page.title)}</title>"
    yield f"<style>\n{_CSS}{STYLES}</style></head><body>"
    yield f"<h1>{xml_text(page.title)}</h1>"
    yield f'<p class="lead">{xml_text(page.lead)}</p>'
    for section in page.sections:
        yield f"<section><h2>{xml_text(section.heading)}</h2>"
        for block in section.blocks:
            yield from _block(block)
        yield "</section>"
    yield f'<p class="foot">{xml_text(page.foot)}</p>'
    yield "</body></html>"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text(text, strong):
            yield f"<p{' class=strong' if strong else ''}>{xml_text(text)}</p>"
        case Lines(lines):
            yield "<ul>"
            yield from (f"<li>{xml_text(line)}</li>" for line in lines)
            yield "</ul>"
        case Code(text):
            yield f"<pre>{xml_text(text)}</pre>"
        case Figure(drawing, caption):
            yield f"<figure>{drawing.markup()}{_caption(caption)}</figure>"
        case Kept(svg, caption):
            kept = b64encode(svg.encode()).decode("ascii")
            source = f"data:image/svg+xml;base64,{kept}"
            image = f'<img alt="{xml_text(caption)}" src="{source}">'
            yield f"<figure>{image}{_caption(caption)}</figure>"
        case Table():
            yield from _table(block)


def _caption(caption: str) -> str:
    return f"<figcaption>{xml_text(caption)}</figcaption>" if caption else ""


def _table(table: Table) -> Iterator[str]:
    yield "<table>"
    if any(table.headings):
        yield f"<thead><tr>{_cells(table, table.headings, 'th')}</tr></thead>"
    yield "<tbody>"
    for number, row in enumerate(table.rows):
        marked = ' class="marked"' if number in table.marked else ""
        yield f"<tr{marked}>{_cells(table, row, 'td')}</tr>"
    yield "</tbody></table>"


def _cells(table: Table, cells: object, tag: str) -> str:
    assert isinstance(cells, list | tuple)
    return "".join(
        f"<{tag}{' class=number' if place in table.numbers else ''}>{xml_text(cell)}</{tag}>"
        for place, cell in enumerate(cells)
    )
