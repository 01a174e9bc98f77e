"""The progress of a search as a user sees it: a line per finished trial and a live line."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from search.study.records import Outcome, TrialRecord, best_of
from search.study.start_from import START_ATTRIBUTE
from search.text import percent
from search.workers.live_line import LiveLine

__all__ = ["Progress", "trial_line"]


def trial_line(record: TrialRecord) -> str:
    """Return one line on a finished trial."""
    parameters = "-" if record.parameters is None else f"{record.parameters:,}"
    figures = [f"{parameters:>7} parameters"]
    if record.score is not None:
        figures.append(f"floor {percent(record.score)}")
    elif record.epochs:
        last = record.epochs[-1]
        figures.append(f"{percent(last.accuracy)} after {last.number + 1} epochs")
    if record.seconds:
        figures.append(f"{record.seconds:.0f} s")
    if record.reason:
        figures.append(record.reason)
    if START_ATTRIBUTE in record.attributes:
        figures.append(f"from {record.attributes[START_ATTRIBUTE]}")
    return f"trial {record.number:>4} {record.outcome or 'running':<13} " + "  ".join(figures)


class Progress:
    """A printer that follows the records of a study.

    Every finished trial that was trained gets a line; on a terminal, a live line shows counts.

    Args:
        console: where to write.
        total: the number of trained trials at which the run ends.
        known: records that were there when the run began.
    """

    def __init__(self, console: Console, total: int, known: Sequence[TrialRecord]) -> None:
        self._console = console
        self._total = total
        self._seen = {record.number for record in known if record.outcome is not None}
        self._trained_before = sum(record.trained for record in known)
        self._started = time.monotonic()
        self._line = LiveLine(console)

    def __enter__(self) -> Progress:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def show(self, records: Sequence[TrialRecord]) -> None:
        """Print what has ended since the last call and rewrite the live line."""
        for record in records:
            if record.outcome is None or record.number in self._seen:
                continue
            self._seen.add(record.number)
            if record.outcome is not Outcome.REJECTED:
                self._console.print(
                    trial_line(record), highlight=False, markup=False, soft_wrap=True
                )
        self._line.rewrite(lambda: self._summary(records))

    def _summary(self, records: Sequence[TrialRecord]) -> str:
        trained = sum(record.trained for record in records)
        counts = {
            outcome: sum(record.outcome is outcome for record in records) for outcome in Outcome
        }
        best = best_of(records)
        shown = f"best {percent(best.score)} with {best.parameters:,}" if best else "no score yet"
        return (
            f"{trained}/{self._total} trained, {counts[Outcome.REJECTED]} rejected, "
            f"{counts[Outcome.PRUNED]} pruned, {shown}, {self._time_left(trained)} left"
        )

    def _time_left(self, trained: int) -> str:
        new = trained - self._trained_before
        if new < 1:
            return "?"
        seconds = (time.monotonic() - self._started) / new * max(0, self._total - trained)
        minutes, seconds = divmod(round(seconds), 60)
        return f"{minutes}:{seconds:02}"
