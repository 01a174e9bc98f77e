"""Choose the steps of ladders that a command replays."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search.errors import StudyFileError
from search.spec.candidate import Candidate
from search.spec.ladder_file import LadderFile, LadderStep
from search.spec.toml import file_value
from space.cost import cost
from space.errors import Problem
from space.fields import did_you_mean
from trainer.data import Dataset, open_dataset
from trainer.recipe import Recipe

__all__ = ["ChosenStep", "ReplayPlan", "choose_steps"]

# Long enough that two candidates never share it, short enough for the name of a claim.
_DIGITS = 40


@dataclass(frozen=True)
class ReplayPlan:
    """The steps of ladders to replay, and how often.

    Attributes:
        files: the ladders.
        steps: names of the steps; empty for all.
        parameters: the most parameters of a step, None for any number.
        epochs: of every replay, None for the steps' own.
        seeds: replays of each step, with seeds 1, 2 and so on.
    """

    files: tuple[Path, ...]
    steps: tuple[str, ...] = ()
    parameters: int | None = None
    epochs: int | None = None
    seeds: int = 1

    def to_arguments(self) -> list[str]:
        """Return the plan as arguments of ``search.worker``, which reads them back."""
        arguments = ["--seeds", str(self.seeds)]
        for path in self.files:
            arguments += ["--ladder", str(path)]
        for name in self.steps:
            arguments += ["--step", name]
        arguments += ["--parameters", str(self.parameters)] if self.parameters else []
        return arguments + (["--epochs", str(self.epochs)] if self.epochs else [])

    def chosen(self) -> list[tuple[LadderFile, LadderStep]]:
        """Read the ladders and return the steps that were asked for.

        Raises:
            StudyFileError: if a file is wrong, a name is not a step of any ladder, no step is small
                enough, or the epochs are fewer than a ladder's ``floor_epochs``.
        """
        ladders = [LadderFile.load(path) for path in self.files]
        self._refuse_unknown(ladders)
        for ladder in ladders:
            self._refuse_few_epochs(ladder)
        chosen = [
            (ladder, step)
            for ladder in ladders
            for step in ladder.steps
            if (not self.steps or step.name in self.steps) and self._is_small_enough(step)
        ]
        if not chosen:
            least = min(cost(step.architecture).parameters for x in ladders for step in x.steps)
            message = f"no step has at most {self.parameters:,} parameters; give at least {least:,}"
            raise StudyFileError(self._only_path(), [Problem("--parameters", message)])
        return chosen

    def recipe(self, step: LadderStep) -> Recipe:
        """Return a step's recipe with the epochs that are asked for."""
        return dataclasses.replace(step.recipe, epochs=self.epochs or step.recipe.epochs)

    def _is_small_enough(self, step: LadderStep) -> bool:
        return self.parameters is None or cost(step.architecture).parameters <= self.parameters

    def _refuse_unknown(self, ladders: Sequence[LadderFile]) -> None:
        known = [step.name for ladder in ladders for step in ladder.steps]
        unknown = [name for name in self.steps if name not in known]
        if not unknown:
            return
        place = "ladder has" if len(ladders) == 1 else "ladders have"
        raise StudyFileError(
            self._only_path(),
            [
                Problem(
                    "--step",
                    f"{file_value(name)} is not a step{did_you_mean(name, known)}; "
                    f"the {place} {', '.join(known)}",
                )
                for name in unknown
            ],
        )

    def _refuse_few_epochs(self, ladder: LadderFile) -> None:
        least = ladder.settings.floor_epochs
        if self.epochs is not None and self.epochs < least:
            message = f"{self.epochs} is less than the ladder's floor_epochs; give at least {least}"
            raise StudyFileError(ladder.path, [Problem("--epochs", message)])

    def _only_path(self) -> Path | None:
        return self.files[0] if len(self.files) == 1 else None


@dataclass(frozen=True)
class ChosenStep:
    """A step that is to be replayed, with its data set.

    Attributes:
        ladder: that the step belongs to.
        step: the candidate and what was reported, if anything.
        dataset: of the ladder.
        recipe: with seed 0.
        fingerprint: of architecture, recipe and images: it names the replays of the candidate.
    """

    ladder: LadderFile
    step: LadderStep
    dataset: Dataset
    recipe: Recipe
    fingerprint: str

    def candidate(self, seed: int) -> Candidate:
        """Return what is trained with a seed."""
        return Candidate(self.step.architecture, dataclasses.replace(self.recipe, seed=seed))


def choose_steps(plan: ReplayPlan, root: Path) -> list[ChosenStep]:
    """Return the steps of a plan in the order of the files.

    Args:
        plan: what is asked for.
        root: of the data sets.

    Raises:
        StudyFileError: see :meth:`ReplayPlan.chosen`.
        DataError: if a data set is missing or cannot be used.
    """
    chosen = plan.chosen()
    names = {ladder.settings.dataset for ladder, _ in chosen}
    datasets = {name: open_dataset(name, root) for name in sorted(names)}
    found = []
    for ladder, step in chosen:
        dataset, recipe = datasets[ladder.settings.dataset], plan.recipe(step)
        mark = _fingerprint(step.architecture.fingerprint, recipe, dataset.info.fingerprint)
        found.append(ChosenStep(ladder, step, dataset, recipe, mark))
    return found


def _fingerprint(architecture: str, recipe: Recipe, images: str) -> str:
    """Return a candidate's name; a key that later versions add to recipes does not change it."""
    plain, defaults = recipe.to_dict(), Recipe().to_dict()
    given = {key: value for key, value in plain.items() if value != defaults[key]}
    text = json.dumps([architecture, given, images], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
