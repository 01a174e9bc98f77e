"""Check what was written against the trained network, and say in a line what was found."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from search.deployed.floating import run_floats
from search.deployed.folding import Arrays, FoldedNetwork
from search.errors import ExportError, printable
from search.export.trained_network import TrainedNetwork
from space.cost import cost
from space.network import build_with
from trainer.batches import normalise
from trainer.data import Normalisation
from trainer.errors import DataError

__all__ = ["check_loaded_again", "images_to_check", "rounding_of"]

_IMAGES, _DOUBLE, _FEWEST = 1_000, 20, 4
_MOST_MACS = 10**10
_BATCH = 100
_TOLERANCE = 1e-6
_PROGRAM = Path(__file__).with_name("fresh_process.py")


def images_to_check(trained: TrainedNetwork, most: int = _IMAGES) -> tuple[Tensor, str]:
    """Return images on which a written network is compared, and what they are.

    Args:
        trained: the network. Its training images are taken where they can be read.
        most: how many; there are fewer for a large network or a small training set.

    Returns:
        uint8 (n, channels, height, width), and words such as ``1,000 training images``.
    """
    affordable = _MOST_MACS // max(1, cost(trained.architecture).macs)
    number = max(_FEWEST, min(most, affordable))
    try:
        images = trained.calibration_images()[:number]
        return images, f"{len(images):,} training images"
    except (ExportError, DataError):
        # A network can be exported without its data set, and random images show the same errors.
        generator = torch.Generator().manual_seed(0)
        shape = (number, *trained.architecture.input_shape)
        images = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
        return images, f"{number:,} random images"


def check_loaded_again(trained: TrainedNetwork, folder: Path) -> str:
    """Load a package in a process that has no flyweight, and compare its logits.

    What decides are the logits of some images in double precision: norms enlarge the rounding of
    single precision, so that the same network, computed in another order, can give other logits.

    Args:
        trained: the network.
        folder: the package that was written of it.

    Returns:
        What was found, in a line without a full stop.

    Raises:
        ExportError: the package cannot be loaded, or gives other logits.
    """
    images, what = images_to_check(trained)
    few = images[:_DOUBLE]
    network = build_with(trained.architecture, trained.weights)
    wanted = _logits(network, trained.normalisation, images)
    exact = _logits(network.double(), trained.normalisation, few)
    found, found_exact = _logits_of_package(folder, images, len(few))
    worst = _difference(found_exact, exact)
    tolerance = {"rtol": _TOLERANCE, "atol": _TOLERANCE}
    if not torch.allclose(found_exact, exact, equal_nan=True, **tolerance):
        raise ExportError(
            f"the written network gives other logits than the trained one (by {worst:.3g}); "
            "nothing was exported; please report this architecture"
        )
    return (
        f"loaded again in a process of its own: the same logits on {what} to "
        f"{_difference(found, wanted):.0e} ({len(few)} in double precision: {worst:.0e})"
    )


def rounding_of(network: FoldedNetwork, images: Tensor, exact: Tensor) -> float:
    """Return how far the rounding of single precision moves the logits of a network.

    Every weight and every map is moved at random by as much as single precision may be off; norms
    whose variance nearly vanishes enlarge that.

    Args:
        network: the folded network.
        images: (n, channels, height, width), floats in [0, 1].
        exact: its logits in double precision, (n, classes).
    """
    generator = torch.Generator().manual_seed(0)

    def noise(value: Tensor) -> Tensor:
        drawn = torch.rand(value.shape, generator=generator, dtype=value.dtype)
        return torch.finfo(torch.float32).eps * (2 * drawn - 1)

    def moved(_: int, value: Tensor) -> Tensor:
        size = value.abs().flatten(1).amax(1).reshape(-1, *(1,) * (value.ndim - 1))
        return value + size * noise(value)

    def with_moved_weights(arrays: Arrays) -> Arrays:
        tensors = {key: each for key, each in vars(arrays).items() if isinstance(each, Tensor)}
        changed: dict[str, Any] = {key: each * (1 + noise(each)) for key, each in tensors.items()}
        return replace(arrays, **changed)

    with torch.inference_mode():
        shaken = replace(network, arrays=[with_moved_weights(each) for each in network.arrays])
        return _difference(run_floats(shaken, images, stored=moved), exact)


def _difference(first: Tensor, second: Tensor) -> float:
    """Return the largest difference of two tensors."""
    return (first - second).abs().nan_to_num().max().item()


def _logits(network: nn.Module, normalisation: Normalisation, images: Tensor) -> Tensor:
    """Return the logits of the trained network in its precision, (n, classes)."""
    # As the written network holds them, in single precision.
    values = (normalisation.mean, normalisation.std)
    held = Normalisation(*(tuple(torch.tensor(each).tolist()) for each in values))
    kind = next(network.parameters()).dtype
    with torch.inference_mode():
        batches = torch.split(images, _BATCH)
        return torch.cat([network(normalise(batch.to(kind) / 255.0, held)) for batch in batches])


def _logits_of_package(folder: Path, images: Tensor, exact: int) -> tuple[Tensor, Tensor]:
    """Return what a package gives in a fresh process: its logits, and some in double precision."""
    # Beside the package, on the disk that it is written to.
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        given, made = Path(place) / "images.safetensors", Path(place) / "logits.safetensors"
        given.write_bytes(save({"images": images.contiguous()}))  # a full disk is an OSError
        # Without the folder of the program on its path, and without bytecode in the package.
        command = [sys.executable, "-P", "-B", *map(str, (_PROGRAM, folder, given, made, exact))]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            why = printable(lines[-1]) if lines else f"exit code {done.returncode}"
            raise ExportError(
                f"the written package cannot be loaded in a process of its own ({why}); nothing "
                "was exported; choose another name for the folder, or report this architecture"
            )
        logits = load_file(made)
        return logits["logits"], logits["exact"]
