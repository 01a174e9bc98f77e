"""The results of replaying one step of a ladder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from search.ladder.records import Replay
from search.spec.ladder_file import LadderFile
from search.spec.ladder_step import LadderStep
from search.statistics import Spread
from space.cost import cost
from trainer.recipe import Recipe

__all__ = ["StepResult"]


@dataclass(frozen=True)
class StepResult:
    """A step and its replays.

    Attributes:
        ladder: whose step it is.
        step: the candidate and what was reported, if anything.
        recipe: as it was replayed, with seed 0.
        replays: all that are kept, in the order of their seeds, unfinished ones included.
    """

    ladder: LadderFile
    step: LadderStep
    recipe: Recipe
    replays: tuple[Replay, ...]

    @property
    def done(self) -> list[Replay]:
        """Return the replays that trained to their end."""
        return [replay for replay in self.replays if replay.succeeded]

    @property
    def failure(self) -> str:
        """Return why a replay failed; empty if none did."""
        return next((replay.failure for replay in self.replays if replay.failure), "")

    def missing(self, seeds: int) -> int:
        """Return how many of the first seeds are not finished yet."""
        finished = {replay.seed for replay in self.replays if replay.finished}
        return sum(seed not in finished for seed in range(1, seeds + 1))

    @property
    def parameters(self) -> int:
        """Return the number of trainable parameters."""
        return cost(self.step.architecture).parameters

    @property
    def floor_epochs(self) -> int:
        """Return the ``floor_epochs`` of the ladder."""
        return self.ladder.settings.floor_epochs

    @property
    def whole(self) -> bool:
        """Return whether it was replayed for as many epochs as its author trained."""
        return self.recipe.epochs == self.step.recipe.epochs

    @property
    def best(self) -> Spread | None:
        """Return the spread of the best epochs' test accuracies, 0 to 1; None without a replay."""
        return self._spread(lambda replay: replay.best)

    @property
    def last(self) -> Spread | None:
        """Return the spread of the test accuracies after the last epoch."""
        return self._spread(lambda replay: replay.last)

    @property
    def floor(self) -> Spread | None:
        """Return the spread of the lowest test accuracies over the last ``floor_epochs`` epochs."""
        return self._spread(lambda replay: replay.floor(self.floor_epochs))

    @property
    def clean(self) -> bool:
        """Return whether all its replays have been measured on clean training images.

        Versions before did not measure that; ``train`` and ``gap`` are then of augmented batches.
        """
        return all(replay.clean_accuracy is not None for replay in self.done)

    @property
    def train(self) -> Spread | None:
        """Return the spread of training accuracies.

        Where ``clean`` holds, after the last epoch; else the mean over the last ``floor_epochs``
        epochs, of augmented batches while they were trained on.
        """
        if self.clean:
            return self._spread(lambda replay: replay.clean_accuracy or 0.0)
        return self._spread(lambda replay: replay.train_accuracy(self.floor_epochs))

    @property
    def gap(self) -> Spread | None:
        """Return the spread of ``train`` less the test accuracy of the same epochs."""
        if self.clean:
            return self._spread(lambda replay: replay.clean_gap or 0.0)
        return self._spread(lambda replay: replay.augmented_gap(self.floor_epochs))

    @property
    def seconds_per_epoch(self) -> Spread | None:
        """Return the spread of the wall time of an epoch."""
        return self._spread(lambda replay: replay.seconds_per_epoch)

    @property
    def difference(self) -> float | None:
        """Return the best less the reported best, in points.

        None if there is no replay, nothing was reported, or the epochs differ.
        """
        if self.best is None or self.step.reported is None or not self.whole:
            return None
        return 100 * self.best.mean - self.step.reported.best_test

    def _spread(self, figure: Callable[[Replay], float]) -> Spread | None:
        done = self.done
        return Spread.of(map(figure, done)) if done else None
