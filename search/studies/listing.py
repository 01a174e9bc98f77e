"""``flyweight studies list``: the studies of a database, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.storage.artifacts import ArtifactFolders
from search.storage.database import has_no_studies, quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.records import best_of
from search.study.study import StoredStudy, kept_files, open_study, study_names
from search.text import byte_size, percent

__all__ = ["StudyEntry", "list_studies", "studies_text"]


@dataclass(frozen=True)
class StudyEntry:
    """A study of a database.

    Attributes:
        name: of the study.
        dataset: that it searches on.
        trained: trials that completed or were stopped while training.
        best: number of the best trial; None before one is complete.
        score: validation floor of the best trial, 0 to 1.
        parameters: of the best trial.
        weights_bytes: of all files that the study keeps beside the database.
    """

    name: str
    dataset: str
    trained: int
    best: int | None
    score: float | None
    parameters: int | None
    weights_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def list_studies(*, storage: str = DEFAULT_STORAGE) -> list[StudyEntry]:
    """Return the studies of a database, the oldest first.

    Args:
        storage: URL of the study database.

    Raises:
        StorageError: the database cannot be used.
    """
    quiet_optuna()
    if has_no_studies(storage):
        return []
    names = study_names(storage)
    return [_entry(open_study(name, storage, writing=False)) for name in names]


def studies_text(entries: Sequence[StudyEntry]) -> str:
    """Return the studies as lines of aligned columns."""
    if not entries:
        return "no studies yet; start one with flyweight run"
    headings = ("study", "trained", "best", "parameters", "floor", "weights")
    rows = [headings, *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def _entry(stored: StoredStudy) -> StudyEntry:
    records = stored.records()
    best = best_of(records, stored.file.settings.to_hold)
    return StudyEntry(
        name=stored.name,
        dataset=stored.file.settings.dataset,
        trained=sum(record.trained for record in records),
        best=None if best is None else best.number,
        score=None if best is None else best.score,
        parameters=None if best is None else best.parameters,
        weights_bytes=_size(stored.folders, kept_files(stored.storage, stored.id)),
    )


def _size(folders: ArtifactFolders, names: Sequence[str]) -> int:
    """Return the bytes of the files that are there."""
    return sum(_bytes(folders.all, name) for name in names)


def _bytes(folders: Sequence[Path], name: str) -> int:
    for folder in folders:
        with suppress(OSError):
            return (folder / name).stat().st_size
    return 0


def _row(entry: StudyEntry) -> tuple[str, ...]:
    if entry.best is None:
        best, parameters = "-", "-"
    else:
        best, parameters = f"trial {entry.best}", f"{entry.parameters or 0:,}"
    score, size = percent(entry.score), byte_size(entry.weights_bytes)
    return entry.name, f"{entry.trained:,}", best, parameters, score, size
