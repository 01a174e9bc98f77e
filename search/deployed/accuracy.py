"""How accurate a trained network is in int8."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from search.deployed.folding import fold
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.workers.data import calibration_images
from space.architecture import Architecture
from space.errors import NotDeployable
from trainer.data import Images, Normalisation

__all__ = ["int8_accuracy"]


def int8_accuracy(
    architecture: Architecture,
    weights: Mapping[str, Tensor],
    normalisation: Normalisation,
    training: Images,
    evaluation: Images,
) -> float | None:
    """Return the accuracy of a network in int8, 0 to 1; None where it cannot be said in int8.

    Args:
        architecture: of the network.
        weights: its state dict.
        normalisation: of the images that it was trained on.
        training: these images, by which the ranges of its maps are chosen.
        evaluation: the images to measure on.
    """
    kept = {name: each.detach().cpu() for name, each in weights.items()}
    try:
        folded = fold(architecture, kept, normalisation)
        network = quantise(folded, calibration_images(training))
    except NotDeployable:
        return None
    with torch.inference_mode():
        found = run_integers(network, evaluation.pixels.cpu()).argmax(1)
    return float((found == evaluation.labels.cpu()).double().mean())
