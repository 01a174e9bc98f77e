"""The ``[study]`` section of a study file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Strict
from pydantic import Field as Limits

from search.spec.sections import DatasetName, Line, Name
from search.spec.toml import file_value
from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS
from space.fields import did_you_mean
from trainer.data import BACKGROUND, background_problem

__all__ = ["PrunerName", "SamplerName", "StudySettings"]


def _key_of(table: Mapping[str, object]) -> BeforeValidator:
    """Return a validator that accepts the names in a table at the time of the check."""

    def check(name: object) -> object:
        if isinstance(name, str) and name in table:
            return name
        hint = did_you_mean(name, table) if isinstance(name, str) else ""
        raise ValueError(f"{file_value(name)} is not known{hint}; give one of {', '.join(table)}")

    return BeforeValidator(check)


def _background(value: str) -> str:
    if problem := background_problem(value):
        raise ValueError(problem)
    return value


PrunerName = Annotated[str, Strict(), _key_of(PRUNERS)]
SamplerName = Annotated[str, Strict(), _key_of(SAMPLERS)]


@dataclass(frozen=True)
class StudySettings:
    """The settings of a study: its data set and how to search.

    Attributes:
        name: lower case letters, digits and hyphens.
        dataset: one of ``trainer.data.DATASET_FORMS``; a relative path is taken from
            the working directory.
        image_size: the side in pixels to which a folder's images are resized; None keeps them.
        colour: whether a folder's images are read in colour; None decides by the files.
        background: behind transparent pixels: ``white``, ``black`` or ``#rrggbb``.
        skip_broken: whether files that cannot be read are left out instead of refused.
        target: the validation floor to reach, 0 to 1; it is reported and does not end the search.
            Required where ``goal`` is ``smallest``.
        goal: ``accuracy`` asks for the most accurate network within the budget, ``smallest`` for
            the smallest one that holds ``target``.
        floor_epochs: how many of the last epochs the floor is taken over, and the score.
        score: what samplers and ``confirm`` rank trials by: ``mean``, the mean accuracy of the
            last epochs, or ``floor``, the lowest. None in a file that leaves it open: a new study
            then takes ``mean``, or ``floor`` where ``goal`` is ``smallest``; one that began without
            the key keeps the floor.
        seeds_per_candidate: how many times a candidate may be trained at most where a space is so
            small that its candidates can be counted; the run ends when each was.
        trials: how many trials are trained in all.
        sampler: one of ``search.strategies.samplers.SAMPLERS``.
        pruner: one of ``search.strategies.pruners.PRUNERS``.
        seed: seed of all draws, 0 to 2**32 - 1.
        start_from: candidates that are tried first: ``FILE.toml#STEP``, a step of a ladder file,
            ``FILE.toml``, all its steps, or the folder of an exported network; relative paths
            start in the folder of the study file.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name
    dataset: DatasetName
    image_size: Annotated[int, Strict(), Limits(ge=1, le=4096)] | None = None
    colour: Annotated[bool, Strict()] | None = None
    background: Annotated[str, Strict(), AfterValidator(_background)] = BACKGROUND
    skip_broken: Annotated[bool, Strict()] = False
    target: Annotated[float, Strict(), Limits(ge=0, le=1, allow_inf_nan=False)] | None = None
    goal: Literal["accuracy", "smallest"] = "accuracy"
    floor_epochs: Annotated[int, Strict(), Limits(ge=1, le=10_000)] = 5
    score: Literal["mean", "floor"] | None = None
    trials: Annotated[int, Strict(), Limits(ge=1, le=1_000_000)] = 60
    seeds_per_candidate: Annotated[int, Strict(), Limits(ge=1, le=1_000)] = 1
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "halving"
    seed: Annotated[int, Strict(), Limits(ge=0, le=2**32 - 1)] = 0
    start_from: tuple[Line, ...] = ()

    @property
    def to_hold(self) -> float | None:
        """Return the accuracy that the smallest network is asked to hold; None for other goals."""
        return self.target if self.goal == "smallest" else None
