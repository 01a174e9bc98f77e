"""``flyweight predict``: what an exported network says of image files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from torch import Tensor

from search.errors import InputError, printable
from search.export.description import INT8_FORMAT, ONNX_FORMAT
from search.export.folder import description_of
from search.export.package import read_weights
from search.spec.candidate_files import DESCRIPTION, PACKAGE_FORMAT
from search.text import percent
from space.architecture import Architecture
from space.cost import peak
from space.network import build_with
from trainer.batches import normalise
from trainer.data import Normalisation, Reading, background_problem
from trainer.data.folder import read_image
from trainer.data.memory import require_bytes

__all__ = ["Prediction", "predict", "prediction_text"]

_BATCH = 64
_MOST_ELEMENTS = 2**26
_FLOAT, _COPIES = 4, 3
"""Bytes of an element, and how many times a map may be in memory."""

_Logits: TypeAlias = Callable[[Tensor], Tensor]
"""From images of 0 to 1 (n, channels, height, width) to logits (n, classes)."""


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a network says of one image.

    Attributes:
        path: of the image.
        name: the likeliest class.
        probability: of that class, 0 to 1, as the network has it.
        probabilities: of every class by its name, in the order of the logits.
        stretched: whether the file had another size than the network's images.
    """

    path: Path
    name: str
    probability: float
    probabilities: Mapping[str, float]
    stretched: bool

    def __repr__(self) -> str:
        return f"{self.path}: {self.name}, {percent(self.probability)}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "path": str(self.path)}


def predict(model: str | Path, images: Sequence[str | Path]) -> list[Prediction]:
    """Classify image files by an exported network.

    The files are read as the study read its images; one of another size is stretched. Nothing of
    the folder is run: a network of the format ``torch`` is built from its description and weights.

    Args:
        model: the folder of a network in the format ``torch``, ``onnx`` or ``int8``.
        images: the files.

    Returns:
        What the network says of each, in the same order.

    Raises:
        InputError: the folder holds no such network, it does not run on the images that it says it
            takes, or a package is missing that runs it.
        DataError: a file cannot be read as an image, or there is no memory for the maps.
    """
    folder = Path(model)
    described = _described(folder)
    try:
        architecture = Architecture.from_json(described["architecture"])
        shape, names = architecture.input_shape, _class_names(described, architecture.classes)
        reading = Reading.from_dict(described["reading"]) if "reading" in described else Reading()
        if problem := background_problem(reading.background):
            raise ValueError(problem)
        logits = _LOADERS[described["format"]](folder, described)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / DESCRIPTION} is damaged; export the network again") from error
    found: list[Prediction] = []
    paths = [Path(image) for image in images]
    largest = peak(architecture).elements
    require_bytes(_COPIES * _FLOAT * largest, f"the maps of {folder} need")
    at_once = min(_BATCH, max(1, _MOST_ELEMENTS // largest))
    for first in range(0, len(paths), at_once):
        batch = paths[first : first + at_once]
        read = [read_image(path, shape, reading) for path in batch]
        pixels = torch.stack([torch.tensor(image) for image, _ in read]) / 255.0
        shares = _shares(logits, pixels, len(names), folder)
        for path, row, (_, stretched) in zip(batch, shares, read, strict=True):
            by_name = dict(zip(names, row, strict=True))
            best = max(range(len(row)), key=row.__getitem__)
            found.append(Prediction(path, names[best], row[best], by_name, stretched))
    return found


def prediction_text(predictions: Sequence[Prediction], top: int = 1) -> str:
    """Return a line for each image, with the likeliest classes.

    Args:
        predictions: of the images.
        top: how many classes of each.
    """
    width = max((len(printable(str(each.path))) for each in predictions), default=0)
    return "\n".join(
        f"{printable(str(each.path)):<{width}}  {_likeliest(each, top)}"
        + ("  (stretched to the network's size)" if each.stretched else "")
        for each in predictions
    )


def _likeliest(prediction: Prediction, top: int) -> str:
    ranked = sorted(prediction.probabilities.items(), key=lambda pair: -pair[1])[:top]
    return "  ".join(f"{printable(name)} {percent(share)}" for name, share in ranked)


def _class_names(described: Mapping[str, Any], count: int) -> list[str]:
    names = [str(name) for name in described["classes"]]
    if not isinstance(described["classes"], list) or not len(set(names)) == len(names) == count:
        raise ValueError(f"there are {count} logits, but the classes are {names}")
    return names


def _shares(logits: _Logits, pixels: Tensor, classes: int, folder: Path) -> list[list[float]]:
    """Return the share of each class in each image."""
    try:
        with torch.inference_mode():
            found = logits(pixels).double()
    except Exception as error:  # onnxruntime's errors have no common class of their own
        raise InputError(
            f"{folder} does not run on images of {'x'.join(map(str, pixels.shape[1:]))}, which its "
            f"{DESCRIPTION} names; export the network again"
        ) from error
    if tuple(found.shape) != (len(pixels), classes) or not found.isfinite().all():
        raise InputError(
            f"{folder} does not give {classes} finite logits for an image; export the network again"
        )
    shares: list[list[float]] = found.softmax(1).tolist()
    return shares


def _described(folder: Path) -> dict[str, Any]:
    try:
        described = description_of(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror})") from error
    if described is None:
        raise InputError(
            f"{folder} is not an exported network; give a folder that flyweight export wrote"
        )
    if described["format"] not in _LOADERS:
        raise InputError(
            f"{folder} is an export of the kind {described['format']}, which does not run here; "
            "give one of the format torch, onnx or int8"
        )
    return described


def _torch_logits(folder: Path, described: Mapping[str, Any]) -> _Logits:
    """Build the network from its description, without importing the folder."""
    architecture = Architecture.from_json(described["architecture"])
    kept = described["normalisation"]
    normalisation = Normalisation(tuple(kept["mean"]), tuple(kept["std"]))
    try:
        network = build_with(architecture, read_weights(folder, architecture))
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise InputError(
            f"{folder / 'weights.safetensors'} does not hold the weights of this network; export "
            "it again"
        ) from error
    return lambda images: network(normalise(images, normalisation))


def _onnx_logits(folder: Path, described: Mapping[str, Any]) -> _Logits:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            f"{folder} needs the package onnxruntime; pip install 'flyweight[onnx]'"
        ) from error
    path = folder / Path(str(described.get("file"))).name
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common class of their own
        raise InputError(f"{path} cannot be loaded; export it again") from error

    def logits(images: Tensor) -> Tensor:
        (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        return torch.from_numpy(found)

    return logits


_LOADERS: Mapping[str, Callable[[Path, Mapping[str, Any]], _Logits]] = {
    PACKAGE_FORMAT: _torch_logits,
    ONNX_FORMAT: _onnx_logits,
    INT8_FORMAT: _onnx_logits,
}
