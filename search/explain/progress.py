"""The progress of an explanation as a user sees it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from search.calibrate.records import CandidateTraining
from search.explain.plan import ExplainPlan
from search.text import percent, plural
from search.workers.live_line import LiveLine

__all__ = ["ExplainProgress"]


class ExplainProgress:
    """A printer of one line for each training that ends, and of how many are left.

    Args:
        console: where to write.
        plan: of the explanation.
        known: trainings that have ended already, which are not printed.
    """

    def __init__(
        self, console: Console, plan: ExplainPlan, known: Sequence[CandidateTraining]
    ) -> None:
        self._plan = plan
        self._seen = {(training.candidate, training.repeat) for training in known}
        self._line = LiveLine(console)

    def __enter__(self) -> ExplainProgress:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def show(self, trainings: Sequence[CandidateTraining]) -> None:
        """Print the trainings that have ended since the last call."""
        for training in trainings:
            if (training.candidate, training.repeat) not in self._seen:
                self._seen.add((training.candidate, training.repeat))
                self._line.print(self._text(training))
        left = self._plan.left(trainings)
        self._line.rewrite(lambda: f"{plural(left, 'training')} to go")

    def _text(self, training: CandidateTraining) -> str:
        step = self._plan.steps[training.candidate]
        floor = self._plan.floor_epochs
        figures = training.failure or f"validation floor {percent(training.floor(floor))}"
        return (
            f"{step.name}, seed {training.repeat + 1} of {self._plan.seeds}: {figures}, "
            f"{training.seconds:.0f} s"
        )
