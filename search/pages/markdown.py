"""Write a report as Markdown, without its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search.pages.blocks import Block, Code, Figure, Kept, Lines, Page, Table, Text

__all__ = ["cell_text", "markdown"]


def markdown(page: Page) -> str:
    """Return a report as Markdown; texts are escaped, and pictures are left out.

    What UTF-8 cannot hold becomes a question mark: names of folders may be any bytes.
    """
    text = "\n".join(_lines(page)) + "\n"
    return text.encode("utf-8", "replace").decode("utf-8")


def cell_text(text: str) -> str:
    """Return a text for a cell of a table, in which nothing is Markdown or HTML."""
    kept = " ".join(text.split())
    return "".join(f"\\{each}" if each in r"\`*_{}[]<>()#+!|~&" else each for each in kept)


def _lines(page: Page) -> Iterator[str]:
    yield f"# {cell_text(page.title)}"
    yield ""
    yield cell_text(page.lead)
    for section in page.sections:
        blocks = [block for block in section.blocks if not isinstance(block, Figure | Kept)]
        if not blocks:
            continue
        yield ""
        yield f"## {cell_text(section.heading)}"
        for block in blocks:
            yield ""
            yield from _block(block)
    yield ""
    yield cell_text(page.foot)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text(text, strong):
            yield f"**{cell_text(text)}**" if strong else cell_text(text)
        case Lines(lines):
            yield from (f"- {cell_text(line)}" for line in lines)
        case Code(text):
            fence = "```"
            while fence in text:
                fence += "`"
            yield f"{fence}text"
            yield text
            yield fence
        case Table(headings, rows, numbers):
            yield _row(headings)
            yield _row(["---:" if place in numbers else "---" for place in range(len(headings))])
            yield from (_row([cell_text(cell) for cell in row]) for row in rows)
        case Figure() | Kept():
            return


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
