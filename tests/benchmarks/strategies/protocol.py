"""What is compared: the study, how long and how often it is searched, and what is judged of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from search.spec.study_file import StudyFile
from search.strategies.samplers import SAMPLERS
from search.study.candidates import best_trials, candidates_known
from search.study.records import TrialRecord
from search.study.study import StoredStudy
from tests.benchmarks.strategies.images import IMAGES

__all__ = [
    "BASELINE",
    "RULE",
    "SEEDS",
    "SHORT",
    "Protocol",
    "Run",
    "recommended",
    "runs_of",
]

BASELINE = "random"
"""The sampler that the others are compared with."""

SEEDS = 20
"""The runs of a sampler, which have the seeds 0, 1, 2 and so on."""


@dataclass(frozen=True)
class Protocol:
    """What every run of a comparison does.

    Attributes:
        study: the study file that all samplers search.
        times: after so many trainings a run's recommendation is judged; ascending, and the last
            of them is when a run ends.
        judgings: trainings by which a recommendation is judged, each with a seed of its own.
    """

    study: Path
    times: tuple[int, ...]
    judgings: int

    @property
    def trials(self) -> int:
        """Return the trained trials of a run."""
        return self.times[-1]


SHORT = Protocol(
    study=Path(__file__).with_name("short.toml"), times=(20, 35, 50, 70, 100, 140), judgings=5
)
"""The comparison as it is published."""


@dataclass(frozen=True)
class Run:
    """One search by one sampler.

    Attributes:
        sampler: its name in study files.
        seed: of the study.
    """

    sampler: str
    seed: int

    def __str__(self) -> str:
        return f"{self.sampler}-{self.seed}"

    def study_file(self, protocol: Protocol, folder: Path) -> StudyFile:
        """Return the study file of this run.

        Args:
            protocol: of the comparison.
            folder: of the comparison, which holds the images.
        """
        file = StudyFile.load(protocol.study)
        settings = replace(
            file.settings,
            name=str(self),
            dataset=f"npz:{(folder / IMAGES).resolve()}",
            sampler=self.sampler,
            seed=self.seed,
            trials=protocol.trials,
        )
        return replace(file, settings=settings)


def runs_of(samplers: Iterable[str], seeds: Iterable[int]) -> list[Run]:
    """Return every sampler's runs, seed by seed, so that all samplers get on at the same pace.

    Raises:
        ValueError: if flyweight has no sampler of a name.
    """
    samplers = list(samplers)
    for sampler in samplers:
        if sampler not in SAMPLERS:
            raise ValueError(f"{sampler!r} is not a sampler; give some of {', '.join(SAMPLERS)}")
    return [Run(sampler, seed) for seed in seeds for sampler in samplers]


RULE = "the candidate with the highest expected score after all trainings so far"
"""What :func:`recommended` chooses, in words."""


def recommended(stored: StoredStudy, records: Sequence[TrialRecord]) -> int | None:
    """Return the number of the trial that a search recommends after these trials.

    It is the first that ``flyweight confirm`` would retrain then.

    Args:
        stored: the study, its storage open.
        records: the trained trials so far, in their order.

    Returns:
        The trial; None where none is complete.
    """
    numbers = {record.number for record in records}
    trials = [trial for trial in stored.study.get_trials(deepcopy=False) if trial.number in numbers]
    return next(iter(best_trials(records, 1, candidates_known(stored, trials))), None)
