"""Write a network as an ONNX file, checked with onnxruntime before it is in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor

from search.deployed.floating import run_floats
from search.deployed.integer import run_integers
from search.deployed.quantise import quantise
from search.errors import ExportError
from search.export.checks import images_to_check, rounding_of
from search.export.description import INT8_FORMAT, ONNX_FORMAT, description_text
from search.export.example_image import image_lines
from search.export.folder import is_of_kind, whole_folder, write_texts
from search.export.model_card import Page, model_card
from search.export.onnx.floats import float_model
from search.export.onnx.graph import INPUT, OPSET
from search.export.onnx.int8 import int8_model
from search.export.package import package_name_of
from search.export.trained_network import TrainedNetwork
from search.spec.candidate_files import DESCRIPTION
from space.cost import cost

__all__ = ["write_int8", "write_onnx"]

_CHECKED, _BATCH = 64, 100
_TOLERANCE, _ROUNDINGS = 1e-4, 10
_LEAST_ALIKE = 0.9


def write_onnx(trained: TrainedNetwork, out: Path) -> str:
    """Write a network in floats.

    Args:
        trained: the network.
        out: the folder. Missing parents are made.

    Returns:
        What onnxruntime gave, in a line.

    Raises:
        ExportError: the network does not fit together with its weights or classes; onnxruntime
            computes something else; something else is in the folder's place; or it cannot be
            written.
    """
    folded = trained.folded()
    pixels, what = images_to_check(trained, _CHECKED)
    model = float_model(folded, _about(trained))
    images = pixels / 255.0
    with torch.inference_mode():
        exact = run_floats(folded, images)
    found, wanted = _logits(model, images), exact.numpy()
    size = max(1.0, float(np.abs(wanted).max()))
    worst = float(np.abs(found - wanted).max()) / size
    # Some norms enlarge the rounding of single precision, wherever they are computed.
    if not worst <= max(_TOLERANCE, _ROUNDINGS * rounding_of(folded, images, exact) / size):
        raise ExportError(
            f"onnxruntime gives other logits than the trained network (by {worst:.2g} of the "
            "largest); nothing was exported; please report this architecture"
        )
    checked = (
        f"checked with onnxruntime {onnxruntime.__version__} on {what}: the logits of the trained "
        f"network to {worst:.0e} of the largest"
    )
    _write(trained, model, out, ONNX_FORMAT, checked)
    return checked


def write_int8(trained: TrainedNetwork, out: Path) -> str:
    """Write a network in whole numbers of 8 bits, with quantised operators.

    Args:
        trained: the network, with images to calibrate by.
        out: the folder. Missing parents are made.

    Returns:
        What onnxruntime gave, in a line.

    Raises:
        ExportError: as for :func:`write_onnx`; or there are no images to calibrate by.
    """
    folded = trained.for_int8().folded()
    images = trained.calibration_images()
    quantised = quantise(folded, images)
    model = int8_model(folded, quantised, _about(trained))
    wanted = run_integers(quantised, images).numpy().argmax(1)
    found = _logits(model, images / 255.0).argmax(1)
    alike = int((found == wanted).sum())
    if alike < _LEAST_ALIKE * len(images):
        raise ExportError(
            f"onnxruntime classifies only {alike:,} of {len(images):,} training images as "
            "flyweight's own whole numbers do; nothing was exported; please report this "
            "architecture"
        )
    checked = (
        f"checked with onnxruntime {onnxruntime.__version__} on {len(images):,} training images: "
        f"{alike:,} are classified as by flyweight's own whole numbers"
    )
    _write(trained, model, out, INT8_FORMAT, checked)
    return checked


def _about(trained: TrainedNetwork) -> str:
    parameters = cost(trained.architecture).parameters
    text = f"{trained.name}: a network of {parameters:,} parameters for {trained.dataset}"
    return text.encode("utf-8", "replace").decode("utf-8")  # a name may hold half a character


def _logits(model: onnx.ModelProto, images: Tensor) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=providers
        )
        found = [
            session.run(None, {INPUT: batch.float().numpy()})[0]
            for batch in torch.split(images, _BATCH)
        ]
    except Exception as error:  # onnxruntime's errors have no common class of their own
        first = str(error).splitlines()[0]
        raise ExportError(
            f"onnxruntime cannot compute this network ({first}); nothing was exported"
        ) from error
    return np.concatenate(found).astype(np.float32)


def _write(
    trained: TrainedNetwork, model: onnx.ModelProto, out: Path, kind: str, checked: str
) -> None:
    name = f"{package_name_of(trained.name)}.onnx"
    files = sorted([name, DESCRIPTION, "README.md"])
    int8 = kind == INT8_FORMAT
    numbers = "quantised operators of 8 bits" if int8 else "floats"
    page = Page(
        f"an ONNX file of opset {OPSET} in {numbers}, with norms folded into the layers",
        list(_use(trained, name)),
        hub_library="onnx",
        tags=("int8",) if int8 else (),
        int8=int8,
        checked=checked,
    )
    texts = {
        DESCRIPTION: description_text(trained, kind, file=name, files=files, opset=OPSET),
        "README.md": model_card(trained, page),
    }

    with whole_folder(out, (name, *texts), is_of_kind(ONNX_FORMAT, INT8_FORMAT)) as folder:
        (folder / name).write_bytes(model.SerializeToString())
        write_texts(folder, texts)


def _use(trained: TrainedNetwork, name: str) -> Iterator[str]:
    shape = ", ".join(map(str, trained.architecture.input_shape))
    yield "```python"
    yield "import json"
    yield "from pathlib import Path"
    yield ""
    yield "import numpy as np"
    yield "import onnxruntime"
    yield ""
    yield 'description = json.loads(Path("architecture.json").read_text(encoding="utf-8"))'
    yield f'session = onnxruntime.InferenceSession("{name}")'
    yield f"images = np.random.rand(1, {shape}).astype(np.float32)"
    yield f'(logits,) = session.run(None, {{"{INPUT}": images}})'
    yield 'print(description["classes"][int(logits[0].argmax())])'
    yield "```"
    yield ""
    yield f"Images are floats (n, {shape}) from 0 (black) to 1, any number at once; the"
    yield "normalisation is inside. In Python, with PyTorch, this reads one as the study did:"
    yield ""
    yield "```python"
    yield from image_lines(trained.dataset, trained.architecture.input_shape, trained.reading)
    yield ""
    yield "images = image[None].numpy()"
    yield "```"
