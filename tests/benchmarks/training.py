"""How fast networks train: ``python -m tests.benchmarks.training``.

Times the seed-style loop and flyweight's trainer on the same network, images, augmentation and
optimizer, side by side in alternating rounds, each run in a fresh process: one trial with the
machine to itself, and as many trials as there are cores at the same time. Either side counts with
its fastest configuration: the first round tries all, the others go on with those that won it. A
trial of 15 epochs is projected from the set-up and the median epoch.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path

from tests.benchmarks.comparison import (
    SITUATIONS,
    TRIAL_EPOCHS,
    Comparison,
    Configuration,
    Sample,
    compare,
    figures_of,
)
from tests.benchmarks.launch import run_together
from tests.benchmarks.mnist import require_mnist
from tests.benchmarks.options import add_batches, add_json, add_nets, positive, run_command
from tests.benchmarks.report import (
    RESULTS,
    comparison_table,
    cores,
    provenance,
    show,
    write_json,
)
from tests.benchmarks.task import SIDE_NAMES, Job
from trainer.native.library import SOURCE
from trainer.native.toolchain import build_library

_LOADER_WORKERS = (0, 2)


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        nets: names of the networks.
        rounds: how often every configuration is measured.
        seed_epochs: that the seed-style loop trains in each round.
        our_epochs: that flyweight trains in each round.
        batches: of either part of the data; None for all.
    """

    nets: tuple[str, ...]
    rounds: int
    seed_epochs: int
    our_epochs: int
    batches: int | None


def configurations(core_count: int) -> list[Configuration]:
    """Returns every way of using the machine that is measured, the sides taking turns."""
    threads = sorted({1, core_count})
    seed = [
        *(
            Configuration("seed", 1, each, workers)
            for each in threads
            for workers in _LOADER_WORKERS
        ),
        Configuration("seed", core_count, 1),
    ]
    ours = [
        *(Configuration("ours", 1, each) for each in threads),
        Configuration("ours", core_count, 1),
    ]
    turns = chain.from_iterable(zip_longest(seed, ours))
    return list(dict.fromkeys(each for each in turns if each is not None))


def measure_round(
    settings: Settings, data: Path, number: int, before: Sequence[Sample]
) -> list[Sample]:
    """Measures every network; every second round goes backwards.

    Args:
        settings: how much is measured.
        data: root of the data sets.
        number: of the round, from 0.
        before: samples of the rounds before.
    """
    order = [(net, each) for net in settings.nets for each in _running(before, net)]
    samples = []
    for net, configuration in order[:: -1 if number % 2 else 1]:
        samples.append(_sample(settings, data, number, net, configuration))
        _tell(settings, samples[-1])
    return samples


def _running(before: Sequence[Sample], net: str) -> list[Configuration]:
    """Returns all configurations, or those that are the fastest by what was measured before."""
    every = configurations(cores())
    if not before:
        return every
    found = [compare(before, net, situation) for situation in SITUATIONS]
    fastest = {side for each in found for side in (each.seed, each.ours)}
    return [each for each in every if each in fastest]


def comparisons(settings: Settings, samples: Sequence[Sample]) -> list[Comparison]:
    """Returns every network's comparison in every situation."""
    return [compare(samples, net, each) for net in settings.nets for each in SITUATIONS]


def _sample(
    settings: Settings, data: Path, number: int, net: str, configuration: Configuration
) -> Sample:
    ours = configuration.side == "ours"
    first_seed = number * configuration.processes
    jobs = [
        Job(
            side=configuration.side,
            net=net,
            threads=configuration.threads,
            epochs=settings.our_epochs if ours else settings.seed_epochs,
            loader_workers=configuration.loader_workers,
            batches=settings.batches,
            seed=first_seed + index,
        )
        for index in range(configuration.processes)
    ]
    return Sample(number, net, configuration, tuple(run_together(jobs, data)))


def _tell(settings: Settings, sample: Sample) -> None:
    figures = figures_of([sample])
    side, configuration = SIDE_NAMES[sample.configuration.side], sample.configuration
    print(
        f"round {sample.round + 1}/{settings.rounds}  {sample.net}  {side}  {configuration}: "
        f"set-up {figures.setup_seconds:.2f} s, epoch {figures.epoch_seconds:.2f} s",
        file=sys.stderr,
        flush=True,
    )


def _notes(settings: Settings) -> str:
    lines = [
        "The fastest configuration of either side: processes at a time x torch threads in each.",
        "The first round measures all configurations, the others those that were the fastest.",
        f"Rounds: {settings.rounds}. Figures and ratios are medians over them (least-most).",
        "An epoch is a pass of training and a pass over the test part. The first of several is not",
        "counted; what flyweight's first took longer than its others counts as set-up.",
        f"In each round the seed-style loop trains {settings.seed_epochs} and flyweight "
        f"{settings.our_epochs} epochs.",
        f"A trial is projected: the median set-up and {TRIAL_EPOCHS} times the median epoch.",
    ]
    if settings.batches is not None:
        lines.append(f"Both parts are cut to {settings.batches} batches: figures only to try out.")
    return "\n".join(lines)


def _build_note(seconds: float, found: Sequence[Comparison]) -> str:
    alone = [each for each in found if each.situation == "one trial alone"]
    ratios = ", ".join(
        f"{each.net} {each.seed_figures.trial_seconds / ours:.2f}"
        for each, ours in ((each, each.ours_figures.trial_seconds + seconds) for each in alone)
    )
    return (
        f"Once on a machine the kernels are built, in {seconds:.1f} s here; where that is counted\n"
        f"into one trial alone, the ratios of trials are: {ratios}."
    )


def _build_seconds() -> float:
    """Returns what building the kernels takes where no build is kept yet."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        build_library(SOURCE, Path(folder))
        return round(time.perf_counter() - started, 2)


def _settings() -> tuple[Settings, Path]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.training", description="Time training on MNIST."
    )
    add_nets(parser)
    parser.add_argument("--rounds", type=positive, metavar="N", default=3)
    parser.add_argument("--seed-epochs", type=positive, metavar="N", default=1)
    parser.add_argument("--our-epochs", type=positive, metavar="N", default=3)
    add_batches(parser)
    add_json(parser, RESULTS / "training.json")
    given = parser.parse_args()
    nets = tuple(dict.fromkeys(given.nets))
    settings = Settings(nets, given.rounds, given.seed_epochs, given.our_epochs, given.batches)
    return settings, given.json


def main() -> None:
    """Measures, writes the JSON file after every round, and prints the table."""
    settings, path = _settings()
    data = require_mnist()
    origin = {**provenance(), "kernel_build_seconds": _build_seconds()}
    samples: list[Sample] = []
    for number in range(settings.rounds):
        samples += measure_round(settings, data, number, samples)
        found = comparisons(settings, samples)
        report = {
            **origin,
            "settings": asdict(settings),
            "notes": _notes(settings),
            "comparisons": [asdict(each) for each in found],
            "samples": [asdict(sample) for sample in samples],
        }
        write_json(path, report)
    machine = f"{origin['processor']}, {origin['cores']} cores, torch {origin['versions']['torch']}"
    show(*(comparison_table(found, situation) for situation in SITUATIONS))
    show(_notes(settings), _build_note(origin["kernel_build_seconds"], found))
    show(f"{machine}; raw figures in {path}")


if __name__ == "__main__":
    run_command(main)
