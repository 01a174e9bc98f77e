"""The progress of a search as a user sees it: a line per finished trial and a live line."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rich.console import Console

from search.study.records import NO_PICTURES_ATTRIBUTE, Outcome, TrialRecord, best_of
from search.study.start_from import START_ATTRIBUTE
from search.text import duration, percent, plural
from search.workers.live_line import LiveLine

__all__ = ["Progress", "seconds_left", "trial_line"]


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
    if record.repeat_of is not None:
        figures.append(f"trial {record.repeat_of} once more, fold {record.fold}")
    if record.reason:
        figures.append(record.reason)
    if NO_PICTURES_ATTRIBUTE in record.attributes:
        figures.append(f"no pictures: {record.attributes[NO_PICTURES_ATTRIBUTE]}")
    if START_ATTRIBUTE in record.attributes:
        figures.append(f"from {record.attributes[START_ATTRIBUTE]}")
    return f"trial {record.number:>4} {record.outcome or 'running':<13} " + "  ".join(figures)


class Progress:
    """A printer that follows the records of a study.

    Every finished trial that was trained gets a line. A live line shows counts, the time that is
    left, and how far the trials in training are; elsewhere than on a terminal it is printed when
    nothing else was for half a minute.

    Args:
        console: where to write.
        total: the number of trained trials at which the run ends.
        known: records that were there when the run began.
        workers: how many train at a time.
        to_hold: the floor to hold, where the smallest network is asked for; else None.
    """

    def __init__(
        self,
        console: Console,
        total: int,
        known: Sequence[TrialRecord],
        workers: int,
        to_hold: float | None = None,
    ) -> None:
        self._total = total
        self._workers = workers
        self._to_hold = to_hold
        self._seen = {record.number for record in known if record.outcome is not None}
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
                self._line.print(trial_line(record))
        self._line.rewrite(lambda: self._summary(records))

    def _summary(self, records: Sequence[TrialRecord]) -> str:
        trained = sum(record.trained for record in records)
        counts = {
            outcome: sum(record.outcome is outcome for record in records) for outcome in Outcome
        }
        best = best_of(records, self._to_hold)
        left = seconds_left(records, self._total, self._workers)
        parts = [
            f"{trained} of {plural(self._total, 'trial')} trained, "
            f"{counts[Outcome.PRUNED]} of them pruned; {counts[Outcome.REJECTED]} rejected",
            f"best {percent(best.score)} with {best.parameters:,} parameters" if best else "",
            "" if left is None else f"about {duration(left)} left",
            "; ".join(map(_running_text, _running(records)))
            or f"{plural(self._workers, 'worker')} starting",
        ]
        return "; ".join(filter(None, parts))


def seconds_left(records: Sequence[TrialRecord], total: int, workers: int) -> float | None:
    """Estimate the wall time until a study has its trained trials.

    A trial counts with the mean of what trained trials took, pruned ones included; before there is
    one, with what its epochs so far promise.

    Args:
        records: of all trials.
        total: trained trials at which the run ends.
        workers: that train at a time.

    Returns:
        Seconds, at least 0; None before the first epoch.
    """
    trained = [record for record in records if record.trained]
    running = _running(records)
    spent = {record.number: sum(epoch.seconds for epoch in record.epochs) for record in running}
    if trained:
        each = fmean(record.seconds for record in trained)
    else:
        promised = [
            spent[record.number] / len(record.epochs) * record.recipe["epochs"]
            for record in running
            if record.epochs
        ]
        if not promised:
            return None
        each = fmean(promised)
    begun = sum(min(seconds, each) for seconds in spent.values())
    left = max(0, total - len(trained))
    return max(0.0, left * each - begun) / max(1, min(workers, left))


def _running(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [
        record
        for record in records
        if record.outcome is None and record.began is not None and "epochs" in record.recipe
    ]


def _running_text(record: TrialRecord) -> str:
    if not record.epochs:
        return f"trial {record.number} in its first epoch"
    last = record.epochs[-1]
    return (
        f"trial {record.number} after {last.number + 1} of "
        f"{plural(record.recipe['epochs'], 'epoch')}: {percent(last.accuracy)}"
    )
