"""What each choice was worth, and the ladder that says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from rich import box
from rich.table import Table

from search.calibrate.records import CandidateTraining
from search.explain.choices import ExplainStep
from search.explain.plan import ExplainPlan
from search.statistics import Spread
from search.text import percent, plural
from space.cost import cost
from space.fields import show
from trainer.recipe import Recipe

__all__ = ["Explained", "StepWorth", "explained_table", "ladder_text", "worth_of_steps"]


@dataclass(frozen=True)
class StepWorth:
    """A step with what its trainings came to.

    Attributes:
        step: the step.
        parameters: of its network.
        floor: validation floor over the seeds that trained to their end; None where none did.
        failed: seeds that did not.
        worth: the mean floor less that of the step before, 0 to 1; None for the first.
        error: the standard error of ``worth``; None where a step has fewer than two seeds.
    """

    step: ExplainStep
    parameters: int
    floor: Spread | None
    failed: int
    worth: float | None
    error: float | None

    @property
    def worth_text(self) -> str:
        """Return the worth in points, such as ``+0.12 ± 0.05``; empty where there is none."""
        if self.worth is None:
            return ""
        error = "" if self.error is None else f" ± {100 * self.error:.2f}"
        return f"{100 * self.worth:+.2f}{error}"


@dataclass(frozen=True)
class Explained:
    """The result of ``flyweight explain``.

    Attributes:
        name: of what was explained.
        dataset: of its images.
        floor_epochs: over how many of the last epochs a floor is taken.
        target: of the study, 0 to 1; None where there is none.
        seeds: with which each step was trained.
        steps: from the skeleton to the candidate.
    """

    name: str
    dataset: str
    floor_epochs: int
    target: float | None
    seeds: int
    steps: tuple[StepWorth, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "floor_epochs": self.floor_epochs,
            "seeds": self.seeds,
            "steps": [
                {
                    "name": each.step.name,
                    "target": each.step.target,
                    "parameters": each.parameters,
                    "floor": None if each.floor is None else each.floor.mean,
                    "deviation": None if each.floor is None else each.floor.deviation,
                    "failed": each.failed,
                    "worth": each.worth,
                    "error": each.error,
                    "layers": [str(line) for line in each.step.candidate.architecture.layers],
                    "recipe": each.step.candidate.recipe.to_dict(),
                }
                for each in self.steps
            ],
        }


def worth_of_steps(plan: ExplainPlan, trainings: Sequence[CandidateTraining]) -> Explained:
    """Return what each choice was worth.

    Args:
        plan: of the explanation.
        trainings: all that it asks for.
    """
    found: list[StepWorth] = []
    for number, step in enumerate(plan.steps):
        mine = plan.of_step(trainings, number)
        floors = [each.floor(plan.floor_epochs) for each in mine if not each.failure]
        spread = Spread.of(floors) if floors else None
        before = found[-1].floor if found else None
        worth = error = None
        if spread is not None and before is not None:
            worth = spread.mean - before.mean
            if spread.deviation is not None and before.deviation is not None:
                error = sqrt(spread.deviation**2 / spread.n + before.deviation**2 / before.n)
        parameters = cost(step.candidate.architecture).parameters
        failed = len(mine) - len(floors)
        found.append(StepWorth(step, parameters, spread, failed, worth, error))
    return Explained(
        plan.name, plan.dataset_name, plan.floor_epochs, plan.target, plan.seeds, tuple(found)
    )


def explained_table(explained: Explained) -> Table:
    """Return the steps as a table for a terminal."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        title=f"{explained.name}, one choice at a time",
        caption=(
            f"Validation floor of the last {plural(explained.floor_epochs, 'epoch')}, "
            f"{plural(explained.seeds, 'seed')} each, ± one deviation; what the choice was worth, "
            "in points, ± its standard error."
        ),
        caption_justify="left",
    )
    table.add_column("choice", overflow="fold")
    for heading in ("parameters", "floor", "worth"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in explained.steps:
        floor = "failed" if each.floor is None else _floor(each.floor)
        table.add_row(each.step.name, f"{each.parameters:,}", floor, each.worth_text)
    return table


def _floor(spread: Spread) -> str:
    return f"{percent(spread.mean)}{spread.deviation_text()}"


def ladder_text(explained: Explained) -> str:
    """Return the steps as a ladder file, which ``flyweight ladder`` replays on the test set."""
    return "\n".join(_lines(explained)) + "\n"


def _lines(explained: Explained) -> Iterator[str]:
    last = explained.steps[-1]
    goal = explained.target
    if goal is None:
        goal = round(last.floor.mean, 4) if last.floor is not None else 0.99
    yield f"# {explained.name}, from a plain skeleton, one choice at a time."
    yield "#"
    yield "# The notes say what each choice was worth on validation: the mean floor less that of"
    yield "# the step before, in points, ± its standard error"
    yield f"# ({plural(explained.seeds, 'seed')} for each step)."
    yield ""
    yield "[ladder]"
    yield f"name = {show(f'{explained.name}-explained'[:64].rstrip('-'))}"
    yield f"dataset = {show(explained.dataset)}"
    yield f"title = {show(f'{explained.name}, one choice at a time')}"
    yield f"goal = {goal}"
    yield f"parameters = {max(each.parameters for each in explained.steps)}"
    yield f"floor_epochs = {explained.floor_epochs}"
    for each in explained.steps:
        yield ""
        yield "[[step]]"
        yield f"name = {show(each.step.name)}"
        yield f"target = {show(each.step.target)}"
        yield f"note = {show(_note(each))}"
        yield "layers = ["
        yield from (f"    {show(str(line))}," for line in each.step.candidate.architecture.layers)
        yield "]"
        yield ""
        yield "[step.recipe]"
        yield from _recipe(each.step.candidate.recipe)


def _note(step: StepWorth) -> str:
    if step.floor is None:
        return "No seed trained to its end."
    floor = f"Validation floor {_floor(step.floor)}"
    return f"{floor}, worth {step.worth_text} points." if step.worth is not None else f"{floor}."


def _recipe(recipe: Recipe) -> Iterator[str]:
    defaults = Recipe().to_dict()
    values = recipe.to_dict()
    steps = values.pop("augment")
    for key, value in values.items():
        if key != "seed" and (value != defaults[key] or key == "epochs"):
            yield f"{key} = {show(value)}"
    for step in steps:
        yield ""
        yield "[[step.recipe.augment]]"
        yield from (f"{key} = {show(value)}" for key, value in step.items())
