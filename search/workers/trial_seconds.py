"""What a trial will take on this machine, by training a little."""

from __future__ import annotations

import dataclasses

import torch

from search.spec.candidate import Candidate
from search.workers.training import seeded_network
from trainer.data import Images, Normalisation
from trainer.loop import train
from trainer.runtime import torch_threads

__all__ = ["trial_seconds"]

_BATCHES = 6


def trial_seconds(candidate: Candidate, device: torch.device, classes: int, images: int) -> float:
    """Estimate the seconds of a trial that is not pruned, by an epoch of a few batches.

    The batches are random pixels. On a CPU one thread computes, as one of several workers would.

    Args:
        candidate: what to train and how.
        device: that trains.
        classes: of the data set.
        images: that a trial trains on in an epoch, at least 1.

    Raises:
        TrainerError: if the candidate cannot be trained, for instance for want of memory.
    """
    count = _BATCHES * candidate.recipe.batch_size
    # The first epoch builds and warms up, the second is what the others are like.
    recipe = dataclasses.replace(candidate.recipe, epochs=2)
    shape = candidate.architecture.input_shape
    generator = torch.Generator().manual_seed(0)

    def drawn(number: int) -> Images:
        pixels = torch.randint(256, (number, *shape), dtype=torch.uint8, generator=generator)
        labels = torch.randint(classes, (number,), generator=generator)
        return Images(pixels, labels).to(device)

    network = seeded_network(candidate, device)
    identity = Normalisation.identity(shape[0])
    # A search validates on one image for each five that it trains on.
    with torch_threads(1 if device.type == "cpu" else torch.get_num_threads()):
        *_, last = train(network, drawn(count), drawn(count // 5), identity, recipe)
    return last.seconds / count * images * candidate.recipe.epochs
