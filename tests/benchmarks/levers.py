"""Compare settings of a training by paired seeds: ``python -m tests.benchmarks.levers OUT SEEDS``.

It needs MNIST under $FLYWEIGHT_DATA. Each line of the file that it writes is one training.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from space import Architecture, build, cost
from trainer.augment import Affine
from trainer.data import normalisation, open_dataset
from trainer.loop import train
from trainer.metrics import floor
from trainer.recipe import Recipe

AFFINE = Affine(degrees=7, translate=0.05, scale=0.05)
FULL = Recipe(learning_rate=0.02, warmup=0.2, averaging=0.998, augment=(AFFINE,))
SHORT = replace(FULL, epochs=8, averaging=0.98)

SMALL = """conv3 6 bn relu
maxpool2
separable3 12 bn relu
maxpool2
separable3 14 bn relu
gap
linear 10"""
LARGER = """conv3 8 bn relu
conv3 8 bn relu
maxpool2
conv3 10 bn relu
conv3 10 bn relu
conv3 11 bn relu
gap
linear 10"""
REPEATED = """conv3 6 bn relu
maxpool2
separable3 12 bn relu
separable3 12 pad1 bn relu{}
gap
linear 10"""

ARMS: Mapping[str, tuple[str, Mapping[str, float | str]]] = {
    "base": (SMALL, {}),
    "tail": (SMALL, {"tail": 0.2}),
    "share": (SMALL, {"averaging": 0.0, "averaging_share": 0.1}),
    "clean": (SMALL, {"clean_statistics": 4000}),
    "all": (
        SMALL,
        {"tail": 0.2, "averaging": 0.0, "averaging_share": 0.1, "clean_statistics": 4000},
    ),
    "larger": (LARGER, {}),
    "larger clean": (LARGER, {"clean_statistics": 4000}),
    "no scale": (SMALL.replace("bn", "bn noscale").replace("12", "13").replace("14", "15"), {}),
    "once": (REPEATED.format(""), {}),
    "again": (REPEATED.format("\nagain"), {}),
    "again clean": (REPEATED.format("\nagain"), {"clean_statistics": 4000}),
    "again norms": (REPEATED.format("\nagain norms"), {}),
}
"""The network and the keys of each arm."""


def main() -> None:
    """Train every arm with every seed, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("seeds", type=int)
    parser.add_argument("--full", action="store_true", help="50,000 images and 15 epochs")
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    training, validation = open_dataset("mnist", Path(os.environ["FLYWEIGHT_DATA"])).search_split()
    scale = normalisation(training)
    if not asked.full:
        order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0))
        training = training.subset(order[:10_000])
    for seed in range(1, asked.seeds + 1):
        for arm in asked.arms:
            text, keys = ARMS[arm]
            recipe = Recipe.from_dict(
                {**(FULL if asked.full else SHORT).to_dict(), **keys, "seed": seed}
            )
            architecture = Architecture.parse(text)
            torch.manual_seed(seed)
            started = time.process_time()
            epochs = train(build(architecture), training, validation, scale, recipe)
            accuracies = [epoch.accuracy for epoch in epochs]
            row = {
                "arm": arm,
                "seed": seed,
                "parameters": cost(architecture).parameters,
                "floor": floor(accuracies, 5 if asked.full else 3),
                "last": accuracies[-1],
                "cpu_seconds": time.process_time() - started,
            }
            with asked.out.open("a") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
