"""The progress of replayed ladders as a user sees it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from search.ladder.records import Replay
from search.ladder.result import StepResult
from search.text import duration, percent, plural
from search.workers.live_line import LiveLine

__all__ = ["LadderProgress"]


class LadderProgress:
    """A printer of one line for each finished replay, with a live line below on a terminal.

    Elsewhere than on a terminal that line is printed when nothing else was for half a minute.

    Args:
        console: where to write.
        seeds: replays of each step that are asked for.
        known: results when the work began.
        workers: how many replay.
    """

    def __init__(
        self, console: Console, seeds: int, known: Sequence[StepResult], workers: int
    ) -> None:
        self._workers = workers
        self._known = {
            (*_mark(replay), len(replay.epochs)) for result in known for replay in result.replays
        }
        self._since: dict[tuple[str, int, int], float] = {}
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
                    self._line.print(_finished_line(result, replay))
        # The time of each epoch counts from when it is first seen, whether or not it is shown.
        summary = self._summary(results)
        self._line.rewrite(lambda: summary)

    def _summary(self, results: Sequence[StepResult]) -> str:
        left = sum(result.missing(self._seeds) for result in results)
        under_way = [
            self._under_way(result, replay)
            for result in results
            for replay in result.replays
            if not replay.finished and (*_mark(replay), len(replay.epochs)) not in self._known
        ]
        if left and not under_way:
            under_way = [f"{plural(self._workers, 'worker')} starting"]
        return "; ".join([f"{plural(left, 'replay')} to go", *under_way])

    def _under_way(self, result: StepResult, replay: Replay) -> str:
        """Tell which epoch a replay is in, and since when as far as this process has seen."""
        done, now = len(replay.epochs), time.monotonic()
        since = self._since.setdefault((*_mark(replay), done), now)
        last = f", {percent(replay.last)} after the one before" if done else ""
        if done == result.recipe.epochs:
            where = "judged on training images"
        else:
            where = f"in epoch {done + 1} of {result.recipe.epochs}"
        return f"{result.step.name}, seed {replay.seed}: {where} for {duration(now - since)}{last}"


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
