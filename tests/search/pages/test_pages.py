from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from search.pages.blocks import Block, Code, Lines, Page, Section, Table, Text
from search.pages.html import html
from search.pages.markdown import markdown

VOID = {"meta", "img", "br", "hr"}
TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "ul", "li"}
TAGS |= {"pre", "table", "thead", "tbody", "tr", "th", "td"}

blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, st.text(), st.booleans()),
    st.builds(Lines, st.lists(st.text(), max_size=3).map(tuple)),
    st.builds(Code, st.text()),
    st.builds(Table, st.just(("a", "b")), st.lists(st.tuples(st.text(), st.text()), max_size=3)),
)
pages = st.builds(
    Page,
    st.text(),
    st.text(),
    st.lists(st.builds(Section, st.text(), st.lists(blocks, max_size=3).map(tuple))).map(tuple),
    st.text(),
)


class PageReader(HTMLParser):
    """Collects the tags of a page, and checks that each is closed where it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_page(text: str) -> PageReader:
    """Read a page of HTML to its end."""
    reader = PageReader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@given(pages)
def test_any_text_stays_text(page: Page) -> None:
    """No text of a study becomes an element, a script or a link, in HTML or in a table's row."""
    reader = read_page(html(page))
    assert not reader.links
    assert reader.tags <= TAGS


@given(pages)
def test_markdown_holds_no_markup_of_a_study(page: Page) -> None:
    """Outside of code nothing that a study says is an element, emphasis or a new line."""
    sections = tuple(
        Section(each.heading, tuple(b for b in each.blocks if not isinstance(b, Code)))
        for each in page.sections
    )
    plain = Page(page.title, page.lead, sections, page.foot)
    text = markdown(plain)
    assert not re.search(r"(?<!\\)(\\\\)*<", text)
    tables = sum(len(b.rows) for s in sections for b in s.blocks if isinstance(b, Table))
    assert len(re.findall(r"^\| .* \| .* \|$", text, re.M)) >= tables
