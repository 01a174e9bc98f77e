"""``flyweight compare``: studies side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from search.errors import InputError
from search.statistics import Spread
from search.status import Status, status_of
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import StoredStudy, open_study
from search.text import percent

__all__ = ["Compared", "compare", "compared_table", "compared_text"]


@dataclass(frozen=True)
class Compared:
    """One of several studies.

    Attributes:
        state: of the study.
        dataset: that it is about.
        fingerprint: of its images.
        floor_epochs: over which its floors are taken.
        epochs: of a training.
        limits: of its budget, in words.
        sampler: that proposes its candidates.
        pruner: that stops its trials.
    """

    state: Status
    dataset: str
    fingerprint: str
    floor_epochs: int
    epochs: int
    limits: str
    sampler: str
    pruner: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "dataset": self.dataset,
            "floor_epochs": self.floor_epochs,
            "epochs": self.epochs,
            "limits": self.limits,
            "sampler": self.sampler,
            "pruner": self.pruner,
            **self.state.to_dict(),
        }


def compare(
    *studies: str | Path, storage: str | Sequence[str] = DEFAULT_STORAGE
) -> tuple[Compared, ...]:
    """Return the state of several studies, in the order in which they are named.

    Args:
        *studies: paths of study files, or names of studies; two or more.
        storage: URL of the study database; one for all, or one for each study.

    Raises:
        InputError: fewer than two studies, or another number of storages.
        StorageError: a study does not exist.
    """
    if len(studies) < 2:
        raise InputError(f"{len(studies)} studies cannot be compared; name two or more")
    urls = [storage] if isinstance(storage, str) else list(storage)
    if len(urls) == 1:
        urls *= len(studies)
    if len(urls) != len(studies):
        raise InputError(
            f"{len(urls)} storages were given for {len(studies)} studies; give one, or one for "
            "each study"
        )
    quiet_optuna()
    return tuple(
        _compared(open_study(study, url, writing=False))
        for study, url in zip(studies, urls, strict=True)
    )


def _compared(stored: StoredStudy) -> Compared:
    budget, settings = stored.file.budget, stored.file.settings
    return Compared(
        state=status_of(stored),
        dataset=stored.data.name,
        fingerprint=stored.data.fingerprint,
        floor_epochs=settings.floor_epochs,
        epochs=stored.file.recipe_space().epochs,
        limits=budget.limits_text(),
        sampler=settings.sampler,
        pruner=settings.pruner,
    )


def compared_table(compared: Sequence[Compared]) -> Table:
    """Return the studies as a table for a terminal, a row for each figure."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    for each in compared:
        table.add_column(each.state.name, justify="right", overflow="fold")
    rows = [_figures(each) for each in compared]
    for name in rows[0]:
        table.add_row(name, *(row[name] for row in rows))
    return table


def _figures(compared: Compared) -> dict[str, str]:
    state = compared.state
    best, floors, int8 = state.best, state.test_floors, state.test_int8
    rejected = state.outcomes.get("rejected", 0)
    drawn = sum(state.outcomes.values())
    return {
        "data": compared.dataset,
        "budget": compared.limits,
        "sampler, pruner": f"{compared.sampler}, {compared.pruner}",
        "epochs": f"{compared.epochs}",
        "trained": f"{state.trained:,} of {max(state.trained, state.total):,}",
        "pruned": f"{state.outcomes.get('pruned', 0):,}",
        "rejected": f"{rejected:,} of {drawn:,}",
        "trials an hour": "-" if state.trials_an_hour is None else f"{state.trials_an_hour:,.0f}",
        "best trial": "-" if best is None else f"{best.trial}",
        "its parameters": "-" if best is None else f"{best.parameters:,}",
        "its validation floor": "-" if best is None else percent(best.score),
        "champion's test floor": _spread(floors),
        "seeds": f"{len(floors)}" if floors else "-",
        "the same in int8, last epoch": _spread(int8),
    }


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    found = Spread.of(values)
    return f"{percent(found.mean)}{found.deviation_text()}"


def compared_text(compared: Sequence[Compared]) -> str:
    """Say what of the studies cannot be compared; empty where all can."""
    lines = []
    if len({each.fingerprint for each in compared}) > 1:
        lines.append("the studies have different images: their accuracies cannot be compared")
    if len({each.floor_epochs for each in compared}) > 1:
        epochs = ", ".join(f"{each.state.name} {each.floor_epochs}" for each in compared)
        lines.append(f"floors are the lowest of different numbers of last epochs: {epochs}")
    if any(not each.state.test_floors for each in compared):
        lines.append(
            "a validation floor is the best of many trials and one seed: confirm the studies "
            "before you call one better"
        )
    return "\n".join(lines)
