"""The progress of replayed ladders as a user sees it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from search.ladder.records import Replay
from search.ladder.result import StepResult
from search.text import percent, plural
from search.workers.live_line import LiveLine

__all__ = ["LadderProgress"]


class LadderProgress:
    """A printer of one line for each finished replay, with a live line below on a terminal.

    Args:
        console: where to write.
        seeds: replays of each step that are asked for.
        known: results when the work began.
    """

    def __init__(self, console: Console, seeds: int, known: Sequence[StepResult]) -> None:
        self._console = console
        self._seeds = seeds
        self._seen = {_mark(replay) for result in known for replay in _finished(result)}
        self._line = LiveLine(console)

    def __enter__(self) -> LadderProgress:
        self._line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def show(self, results: Sequence[StepResult]) -> None:
        """Print what has been finished since the last call and rewrite the live line."""
        for result in results:
            for replay in _finished(result):
                if _mark(replay) not in self._seen:
                    self._seen.add(_mark(replay))
                    line = _finished_line(result, replay)
                    self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._line.rewrite(lambda: self._summary(results))

    def _summary(self, results: Sequence[StepResult]) -> str:
        left = sum(result.missing(self._seeds) for result in results)
        under_way = [
            f"{result.step.name} {len(replay.epochs)}/{result.recipe.epochs} epochs, "
            f"{percent(replay.last)}"
            for result in results
            for replay in result.replays
            if replay.epochs and not replay.finished
        ]
        return "; ".join([f"{plural(left, 'replay')} to go", *under_way])


def _finished(result: StepResult) -> list[Replay]:
    return [replay for replay in result.replays if replay.finished]


def _mark(replay: Replay) -> tuple[str, int]:
    return replay.candidate, replay.seed


def _finished_line(result: StepResult, replay: Replay) -> str:
    start = f"{result.ladder.settings.name}#{result.step.name}, seed {replay.seed}"
    if replay.failure:
        return f"{start}: {replay.failure}"
    reported = result.step.reported
    beside = "" if reported is None else f" (reported {reported.best_test:.2f} %)"
    return (
        f"{start}: best {percent(replay.best)}{beside}, last "
        f"{percent(replay.last)}, floor {percent(replay.floor(result.floor_epochs))}, "
        f"{replay.seconds_per_epoch:.1f} s an epoch"
    )
