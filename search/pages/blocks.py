"""What a report consists of, whatever it is written as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from search.pictures.svg import Drawing

__all__ = ["Block", "Code", "Figure", "Kept", "Lines", "Page", "Section", "Table", "Text"]


@dataclass(frozen=True)
class Text:
    """A paragraph of plain text; ``strong`` is a short sentence that stands out."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Lines:
    """Findings, one sentence each."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text that is to be read or copied as it is."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        headings: of the columns; all empty for a table of names and values.
        rows: as many cells in each.
        numbers: the columns that are set to the right, from 0.
        marked: the rows that stand out, from 0.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A drawing with a sentence below."""

    drawing: Drawing
    caption: str = ""


@dataclass(frozen=True)
class Kept:
    """A picture that a trial keeps, as the text of an SVG file, with a sentence below."""

    svg: str
    caption: str = ""


Block: TypeAlias = Text | Lines | Code | Table | Figure | Kept


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        title: of the page.
        lead: the result in one or two sentences.
        sections: in order.
        foot: what wrote it, and from what.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    foot: str
