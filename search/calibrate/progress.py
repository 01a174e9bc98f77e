"""The progress of trainings of numbered candidates as a user sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from search.calibrate.plan import CalibrationPlan
from search.calibrate.records import CandidateTraining
from search.text import percent, plural
from search.workers.live_line import LiveLine

__all__ = ["CandidateProgress", "line_of_calibration"]


class CandidateProgress:
    """A printer of one line for each training that ends, and of how many are left.

    Args:
        console: where to write.
        known: trainings that have ended already, which are not printed.
        left: how many trainings are still to do, by those that have ended.
        line: what is printed of a training.
    """

    def __init__(
        self,
        console: Console,
        known: Sequence[CandidateTraining],
        left: Callable[[Sequence[CandidateTraining]], int],
        line: Callable[[CandidateTraining], str],
    ) -> None:
        self._seen = {(training.candidate, training.repeat) for training in known}
        self._left, self._line_of = left, line
        self._line = LiveLine(console)

    def __enter__(self) -> CandidateProgress:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def show(self, trainings: Sequence[CandidateTraining]) -> None:
        """Print the trainings that have ended since the last call."""
        for training in trainings:
            if (training.candidate, training.repeat) not in self._seen:
                self._seen.add((training.candidate, training.repeat))
                self._line.print(self._line_of(training))
        left = self._left(trainings)
        self._line.rewrite(lambda: f"{plural(left, 'training')} to go")


def line_of_calibration(plan: CalibrationPlan, training: CandidateTraining) -> str:
    """Return what is printed of a training of a calibration."""
    seed = f", seed {training.repeat + 1}" if training.repeat else ""
    floor = plan.file.settings.floor_epochs
    figures = training.failure or f"validation floor {percent(training.floor(floor))}"
    return (
        f"candidate {training.candidate + 1} of {len(plan.candidates)}{seed}: "
        f"{training.parameters:,} parameters, {figures}, {training.seconds:.0f} s"
    )
