"""What is compared: the study, how long and how often it is searched, and what is judged of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from search.spec.study_file import StudyFile
from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS

__all__ = [
    "BASELINE",
    "PROTOCOLS",
    "Protocol",
    "Run",
    "runs_of",
]

BASELINE = "random"
"""The sampler that the others are compared with."""

_PILOT = 10_000
"""The seed of pilots, which no run that is compared has."""


@dataclass(frozen=True)
class Protocol:
    """What every run of a comparison does.

    Attributes:
        study: the study file that all samplers search.
        searched: images of MNIST's training part that a search sees; the others judge.
        times: after so many trainings a run's recommendation is judged; ascending, and the last
            of them is when a run ends.
        seeds: the runs of a sampler, which have the seeds 0, 1, 2 and so on.
        judgings: trainings by which a recommendation is judged, each with a seed of its own.
    """

    study: Path
    searched: int
    times: tuple[int, ...]
    seeds: int
    judgings: int = 5

    @property
    def name(self) -> str:
        """Return what the comparison is called."""
        return self.study.stem

    @property
    def images(self) -> str:
        """Return the name of the file with the images."""
        return f"{self.name}.npz"

    @property
    def trainings(self) -> int:
        """Return the trainings of a run."""
        return self.times[-1]


def _protocol(name: str, searched: int, seeds: int, times: tuple[int, ...]) -> Protocol:
    study = Path(__file__).with_name(f"{name}.toml")
    return Protocol(study, searched, times, seeds)


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            _protocol("short", searched=12_000, seeds=20, times=(20, 35, 50, 70, 100, 140)),
            _protocol("full", searched=50_000, seeds=5, times=(20, 35, 50, 80)),
        )
    }
)
"""The comparisons that are published, by name.

flyweight's own split leaves 10,000 of the short one's 12,000 images to train on, and 2,000 to
validate on.
"""


@dataclass(frozen=True)
class Run:
    """One search by one sampler.

    Attributes:
        sampler: its name in study files.
        seed: of the study.
        pruner: its name in study files.
    """

    sampler: str
    seed: int
    pruner: str = "none"

    @property
    def strategy(self) -> str:
        """Return what is compared: the sampler, and its pruner if it has one."""
        return self.sampler if self.pruner == "none" else f"{self.sampler}-{self.pruner}"

    @property
    def pilot(self) -> Run | None:
        """Return the run that says how long this one is; None without a pruner, and for a pilot.

        A pruner makes trials shorter, nobody knows beforehand by how much. So one more run of the
        strategy, which is not compared, has as many trials as a run has whole trainings.
        """
        return None if self.pruner == "none" or self.seed == _PILOT else replace(self, seed=_PILOT)

    def __str__(self) -> str:
        return f"{self.strategy}-{self.seed}"

    def study_file(self, protocol: Protocol, folder: Path, trials: int) -> StudyFile:
        """Return the study file of this run.

        Args:
            protocol: of the comparison.
            folder: of the comparison, which holds the images.
            trials: how many are trained or begun.
        """
        file = StudyFile.load(protocol.study)
        settings = replace(
            file.settings,
            name=str(self),
            dataset=f"npz:{(folder / protocol.images).resolve()}",
            sampler=self.sampler,
            pruner=self.pruner,
            seed=self.seed,
            trials=trials,
        )
        return replace(file, settings=settings)


def runs_of(
    samplers: Iterable[str], seeds: Iterable[int], pruners: Iterable[str] = ("none",)
) -> list[Run]:
    """Return every strategy's runs, seed by seed, so that all get on at the same pace.

    Raises:
        ValueError: if flyweight has no sampler or no pruner of a name.
    """
    samplers, pruners = list(samplers), list(pruners)
    for kind, names, known in (("sampler", samplers, SAMPLERS), ("pruner", pruners, PRUNERS)):
        for name in names:
            if name not in known:
                raise ValueError(f"{name!r} is not a {kind}; give some of {', '.join(known)}")
    return [
        Run(sampler, seed, pruner) for seed in seeds for pruner in pruners for sampler in samplers
    ]
