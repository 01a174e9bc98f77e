"""Quantisation-aware tuning: train a network a little longer while it computes as in int8."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from search.deployed.fake_quantised import run_fake_quantised
from search.deployed.folding import fold_module
from search.deployed.quantise import quantise
from search.spec.candidate import Candidate
from search.workers.data import calibration_images
from space.deployed.kernels import Deployed
from space.deployed.lowering import lower
from space.network import build_with
from trainer.batches import Batches
from trainer.data import Images, Normalisation
from trainer.randomness import derived_seed
from trainer.recipe import Recipe
from trainer.runtime import exact_figures, torch_threads, working_memory

__all__ = ["TUNING_EPOCHS", "tune"]

TUNING_EPOCHS = 3

_RATE = 5e-4
"""How far a weight moves in the first step, as a share of the root mean square of its tensor."""

_LEAST_SIZE = 1e-3
"""Tensors of smaller weights move as if they had this size, so that those of 0 move at all."""

_AT_ONCE = 128
"""So many images of a batch are computed at once: their rounded maps take much memory."""


def tune(
    candidate: Candidate,
    weights: Mapping[str, Tensor],
    normalisation: Normalisation,
    training: Images,
) -> nn.Module:
    """Return a trained network after some epochs of training in int8.

    It is trained as it is deployed: norms are folded with the statistics that they have, weights
    and maps are rounded, and the ranges of the maps are chosen anew before every epoch. The recipe
    gives the batches, their augmentation as in its last epoch, and the loss. Adam takes steps that
    are relative to the size of each tensor (Shazeer & Stern, 2018, arXiv 1804.04235) and fall to 0
    in a straight line. A step whose gradient is not finite is left out. On a CPU it computes in one
    thread, so that the number of threads does not change what comes out.

    Args:
        candidate: what was trained and how.
        weights: the state dict that the training left; it stays as it is.
        normalisation: of the images that it was trained on.
        training: these images, on the device that trains.

    Returns:
        A network in evaluation mode on the CPU, in single precision. Statistics of norms and slopes
        of ``prelu`` are those of ``weights``.

    Raises:
        NotDeployable: it cannot be said in int8.
        OutOfMemory: the device has no room for a step.
    """
    kept = {name: each.detach().cpu() for name, each in weights.items()}
    # The weights stay on the CPU in double precision: they are few, and not every device has it.
    network = build_with(candidate.architecture, kept).double()
    device, recipe = training.pixels.device, candidate.recipe
    with (
        working_memory(device, recipe.batch_size),
        exact_figures(device),
        torch.enable_grad(),
        torch_threads(1),
    ):
        _train(network, lower(candidate.architecture), normalisation, training, recipe)
    return network.float()


def _train(
    network: nn.Module,
    deployed: Deployed,
    normalisation: Normalisation,
    training: Images,
    recipe: Recipe,
) -> None:
    parameters = list(network.parameters())
    optimizer = torch.optim.Adam([_group(each) for each in parameters])
    batches = _batches(training, recipe)
    steps = TUNING_EPOCHS * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0 - step / steps)
    for _ in range(TUNING_EPOCHS):
        with torch.no_grad():
            folded = fold_module(network, deployed, normalisation)
            ranges = quantise(folded, calibration_images(training))
        for pixels, labels in batches:
            optimizer.zero_grad()
            parts = (torch.split(each, _AT_ONCE) for each in (pixels, labels))
            for some, theirs in zip(*parts, strict=True):
                folded = fold_module(network, deployed, normalisation).to(pixels)
                loss = functional.cross_entropy(
                    run_fake_quantised(folded, ranges, some),
                    theirs,
                    label_smoothing=recipe.label_smoothing,
                    reduction="sum",
                )
                torch.autograd.backward(loss / len(labels))
            if all(each.grad is None or each.grad.isfinite().all() for each in parameters):
                optimizer.step()
            schedule.step()


def _group(parameter: Tensor) -> dict[str, Any]:
    size = max(_LEAST_SIZE, float(parameter.detach().square().mean().sqrt()))
    return {"params": [parameter], "lr": _RATE * size}


def _batches(training: Images, recipe: Recipe) -> Batches:
    """Return batches of images in [0, 1], augmented as in the last epoch of the recipe."""
    augment = tuple(step.at(1.0) for step in recipe.augment)
    seed = derived_seed(recipe.seed, "tuning")
    tuning = dataclasses.replace(recipe, epochs=TUNING_EPOCHS, augment=augment, seed=seed)
    return Batches(training, Normalisation.identity(training.pixels.shape[1]), tuning)
