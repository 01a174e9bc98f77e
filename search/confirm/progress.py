"""The progress of a confirm as a user sees it."""

from __future__ import annotations

from rich.console import Console

from search.study.confirms import SELECTION, ConfirmPlan, Repeat, load_confirm
from search.study.study import StoredStudy
from search.text import percent

__all__ = ["ConfirmProgress"]


class ConfirmProgress:
    """A printer of one line for each retraining that ends.

    Args:
        console: where to write.
        stored: the study.
        plan: of the confirm.
        part: of the confirm, one of ``search.study.confirms.PARTS``; retrainings that have ended
            already are not printed.
    """

    def __init__(self, console: Console, stored: StoredStudy, plan: ConfirmPlan, part: str) -> None:
        self._console = console
        self._stored = stored
        self._plan = plan
        self._part = part
        finalists = () if part == SELECTION else load_confirm(stored, plan.ordinal).finalists
        self._total = plan.seeds * len(finalists or plan.trials)
        self._seen = {(repeat.trial, repeat.repeat) for repeat in self._repeats()}

    @property
    def left(self) -> int:
        """Return how many retrainings had not ended when progress was shown last."""
        return self._total - len(self._seen)

    def show(self) -> None:
        """Print the retrainings that have ended since the last call."""
        for repeat in self._repeats():
            if (repeat.trial, repeat.repeat) not in self._seen:
                self._seen.add((repeat.trial, repeat.repeat))
                self._console.print(
                    self._line(repeat), highlight=False, markup=False, soft_wrap=True
                )

    def _repeats(self) -> tuple[Repeat, ...]:
        confirm = load_confirm(self._stored, self._plan.ordinal)
        return confirm.selection if self._part == SELECTION else confirm.final

    def _line(self, repeat: Repeat) -> str:
        measured_on = "validation" if self._part == SELECTION else "test"
        floor = percent(repeat.floor(self._stored.file.settings.floor_epochs))
        figures = repeat.failure or f"{measured_on} floor {floor}"
        seconds = f"{repeat.seconds:.0f} s"
        if repeat.tuning is not None:
            seconds += f", tuned for int8 in {repeat.tuning.seconds:.0f} s"
        return (
            f"{self._part} {len(self._seen)}/{self._total}: trial {repeat.trial}, "
            f"seed {repeat.repeat + 1} of {self._plan.seeds}, {figures}, {seconds}"
        )
