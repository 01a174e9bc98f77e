"""What was found in a data set, as text."""

from __future__ import annotations

from collections.abc import Sequence

from search.errors import printable
from search.text import plural
from trainer.data import Dataset, Findings, FoundPart, Inspection
from trainer.errors import DataError

__all__ = ["found_lines", "found_text", "usable"]

_MOST_ROWS = 30
_WIDEST_NAME = 32


def found_lines(findings: Findings) -> list[str]:
    """Return the few lines that begin a run."""
    parts = ", ".join(
        f"{part.images:,} {part.name}" for part in findings.parts if part.images is not None
    )
    test = "" if findings.parts[-1].images is not None else "; the test part is not read"
    lines = [
        f"{findings.name}: {len(findings.classes)} classes{_shape(findings)}, {parts} images{test}"
    ]
    if findings.rules == 1 and findings.name.startswith("folder:"):
        lines.append("its files are read by the rules 1, as when the study began")
    if findings.passed_over:
        counts = ", ".join(f"{g.count:,} {reason}" for reason, g in findings.passed_over.items())
        lines.append(f"passed over: {counts}")
    lines += [f"warning: {warning}" for warning in findings.warnings]
    return [printable(line) for line in lines]


def found_text(findings: Findings) -> str:
    """Return everything that was found."""
    lines = [
        f"{findings.name}",
        f"  {len(findings.classes)} classes{_shape(findings)}, {_colour(findings)}",
        *_table(("part", "images", "from"), [_part_row(part) for part in findings.parts]),
        *_table(
            ("class", *(part.name for part in findings.parts)),
            _class_rows(findings),
        ),
    ]
    if findings.sizes:
        lines.append(f"  sizes: {_sizes(findings)}")
    lines += [
        f"  passed over, {reason}: {group.count:,}, such as {group.examples[0]}"
        for reason, group in findings.passed_over.items()
    ]
    lines += [f"  warning: {warning}" for warning in findings.warnings]
    return "\n".join(map(printable, lines))


def usable(found: Inspection) -> Dataset:
    """Return the data set of an inspection.

    Raises:
        DataError: with the problems that keep it from being used.
    """
    if found.dataset is None:
        raise DataError("; ".join(found.findings.problems))
    return found.dataset


def _shape(findings: Findings) -> str:
    if findings.input_shape is None:
        return ", images of several sizes"
    return f" of {'x'.join(map(str, findings.input_shape))}"


def _colour(findings: Findings) -> str:
    channels = None if findings.input_shape is None else findings.input_shape[0]
    colour = {None: "", 1: "grey, ", 3: "in colour, "}.get(channels, "")
    low, high = findings.values
    text = f"{colour}pixels from {low} to {high}"
    if findings.scale is not None:
        text += " (grey values of {:,g} to {:,g} became 0 to 255)".format(*findings.scale)
    return text


def _part_row(part: FoundPart) -> tuple[str, str, str]:
    return part.name, "-" if part.images is None else f"{part.images:,}", part.origin


def _class_rows(findings: Findings) -> list[tuple[str, ...]]:
    rows = []
    for label, name in enumerate(findings.classes):
        counts = ("-" if p.counts is None else f"{p.counts[label]:,}" for p in findings.parts)
        rows.append((_cut(name), *counts))
    return rows


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows under their heads: the texts to the left, numbers to the right."""
    shown = rows if len(rows) <= _MOST_ROWS else rows[:_MOST_ROWS]
    widths = [max(len(row[i]) for row in (head, *shown)) for i in range(len(head))]
    lines = []
    for row in (head, *shown):
        cells = [
            cell.ljust(width) if index == 0 or head[index] == "from" else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    if len(rows) > len(shown):
        lines.append(f"  and {len(rows) - len(shown):,} more")
    return ["", *lines, ""] if head[0] == "part" else [*lines, ""]


def _sizes(findings: Findings) -> str:
    ordered = sorted(findings.sizes.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{size} ({count:,})" for size, count in ordered[:3])
    more = f" and {plural(len(ordered) - 3, 'more size')}" if len(ordered) > 3 else ""
    return shown + more


def _cut(name: str) -> str:
    shown = printable(name)
    return shown if len(shown) <= _WIDEST_NAME else f"{shown[: _WIDEST_NAME - 3]}..."
