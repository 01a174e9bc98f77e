"""The progress of a calibration as a user sees it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from search.calibrate.plan import CalibrationPlan
from search.calibrate.records import CandidateTraining
from search.text import percent, plural
from search.workers.live_line import LiveLine

__all__ = ["CalibrationProgress"]


class CalibrationProgress:
    """A printer of one line for each training that ends, and of how many are left.

    Args:
        console: where to write.
        plan: of the calibration.
        known: trainings that have ended already, which are not printed.
    """

    def __init__(
        self, console: Console, plan: CalibrationPlan, known: Sequence[CandidateTraining]
    ) -> None:
        self._plan = plan
        self._seen = {(training.candidate, training.repeat) for training in known}
        self._line = LiveLine(console)

    def __enter__(self) -> CalibrationProgress:
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
        seed = f", seed {training.repeat + 1}" if training.repeat else ""
        floor = self._plan.file.settings.floor_epochs
        figures = training.failure or f"validation floor {percent(training.floor(floor))}"
        return (
            f"candidate {training.candidate + 1} of {len(self._plan.candidates)}{seed}: "
            f"{training.parameters:,} parameters, {figures}, {training.seconds:.0f} s"
        )
