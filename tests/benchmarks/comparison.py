"""From raw samples to medians, the fastest configuration of either side, and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, get_args

from tests.benchmarks.task import Measurement, Side

__all__ = [
    "SITUATIONS",
    "TRIAL_EPOCHS",
    "Comparison",
    "Configuration",
    "Figures",
    "Ratio",
    "Sample",
    "Situation",
    "compare",
    "figures_of",
]

TRIAL_EPOCHS = 15

Situation = Literal["one trial alone", "all cores busy"]
SITUATIONS: tuple[Situation, ...] = get_args(Situation)


@dataclass(frozen=True)
class Configuration:
    """How one side uses the machine.

    Attributes:
        side: whose loop trains.
        processes: trials that are trained at the same time, each in its own process.
        threads: of torch in each of them.
        loader_workers: more processes for each of them, which read.
    """

    side: Side
    processes: int
    threads: int
    loader_workers: int = 0

    def __str__(self) -> str:
        text = f"{self.processes} x {_count(self.threads, 'thread')}"
        loaders = _count(self.loader_workers, "loader")
        return f"{text} + {loaders}" if self.loader_workers else text


@dataclass(frozen=True)
class Sample:
    """What one round measured of one configuration.

    Attributes:
        round: from 0.
        net: the network's name.
        configuration: whose figures these are.
        measurements: one for each process.
    """

    round: int
    net: str
    configuration: Configuration
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Figures:
    """Medians over epochs and processes, and what follows from them.

    Attributes:
        setup_seconds: once for each trial.
        epoch_seconds: test pass included.
        trial_seconds: projected: the set-up and :data:`TRIAL_EPOCHS` epochs.
        images_per_second: training images, of all processes together.
        trials_per_hour: projected, of all processes together.
    """

    setup_seconds: float
    epoch_seconds: float
    trial_seconds: float
    images_per_second: float
    trials_per_hour: float


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as the seed-style loop: the median over rounds, least and most."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(frozen=True)
class Comparison:
    """Either side's fastest configuration for one network in one situation.

    Attributes:
        net: the network's name.
        situation: what the machine does meanwhile.
        seed: the seed-style loop's fastest configuration.
        seed_figures: over all rounds.
        ours: flyweight's fastest configuration.
        ours_figures: over all rounds.
        steady: ratio of the rates at which epochs pass.
        trial: ratio of the rates at which projected trials pass, set-up included.
    """

    net: str
    situation: Situation
    seed: Configuration
    seed_figures: Figures
    ours: Configuration
    ours_figures: Figures
    steady: Ratio
    trial: Ratio


def figures_of(samples: Sequence[Sample]) -> Figures:
    """Returns the medians over samples of one network and configuration; at least one."""
    measurements = [each for sample in samples for each in sample.measurements]
    setup_seconds = median(each.setup_seconds for each in measurements)
    epoch_seconds = median(seconds for each in measurements for seconds in each.steady_seconds)
    trial_seconds = setup_seconds + TRIAL_EPOCHS * epoch_seconds
    processes = samples[0].configuration.processes
    return Figures(
        setup_seconds,
        epoch_seconds,
        trial_seconds,
        images_per_second=processes * measurements[0].images / epoch_seconds,
        trials_per_hour=processes * 3600 / trial_seconds,
    )


def compare(samples: Sequence[Sample], net: str, situation: Situation) -> Comparison:
    """Returns a network's comparison.

    A trial alone has the machine to itself, so only configurations of one process count and the
    shortest trial wins. With all cores busy every configuration counts, and most trials an hour
    win. Of configurations that were not measured in every round only the first was of interest.

    Args:
        samples: of both sides, from the same rounds.
        net: the network's name.
        situation: what the machine does meanwhile.
    """
    alone = situation == "one trial alone"
    chosen = [
        sample
        for sample in samples
        if sample.net == net and not (alone and sample.configuration.processes > 1)
    ]
    seed, ours = _fastest(chosen, "seed"), _fastest(chosen, "ours")
    return Comparison(
        net,
        situation,
        seed[0].configuration,
        figures_of(seed),
        ours[0].configuration,
        figures_of(ours),
        steady=_ratio(seed, ours, lambda figures: figures.images_per_second),
        trial=_ratio(seed, ours, lambda figures: figures.trials_per_hour),
    )


def _fastest(samples: Iterable[Sample], side: Side) -> list[Sample]:
    grouped: dict[Configuration, list[Sample]] = {}
    for sample in samples:
        if sample.configuration.side == side:
            grouped.setdefault(sample.configuration, []).append(sample)
    rounds = max(map(len, grouped.values()))
    whole = [group for group in grouped.values() if len(group) == rounds]
    return max(whole, key=lambda group: figures_of(group).trials_per_hour)


def _ratio(
    seed: Sequence[Sample], ours: Sequence[Sample], rate: Callable[[Figures], float]
) -> Ratio:
    ratios = [
        rate(figures_of([our_sample])) / rate(figures_of([seed_sample]))
        for seed_sample, our_sample in zip(seed, ours, strict=True)
    ]
    return Ratio(median(ratios), min(ratios), max(ratios))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
