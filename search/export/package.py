"""Write a trained network as a folder that Python can import without flyweight.

Before the folder is moved into its place it is loaded in a process of its own and its network
compared with the trained one: on any failure, what was there before stays.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from safetensors import torch as safetensors
from torch import Tensor

from search.errors import ExportError
from search.export.checks import check_loaded_again
from search.export.codegen.layers import weight_names
from search.export.codegen.module import network_source
from search.export.description import description_text
from search.export.example_image import image_lines
from search.export.folder import is_of_kind, whole_folder, write_texts
from search.export.model_card import Page, model_card
from search.export.trained_network import TrainedNetwork
from search.spec.candidate_files import DESCRIPTION, PACKAGE_FORMAT
from space.architecture import Architecture
from space.cost import cost

__all__ = [
    "class_name_of",
    "distribution_of",
    "is_package",
    "package_name_of",
    "package_page",
    "read_weights",
    "write_package",
]

_WEIGHTS, _PROJECT = "weights.safetensors", "pyproject.toml"
_FILES = ("__init__.py", "network.py", _WEIGHTS, DESCRIPTION, "README.md", _PROJECT)
_TAKEN = frozenset(
    {
        *("flyweight", "search", "space", "trainer"),
        *("numpy", "optuna", "pandas", "safetensors", "sklearn", "torch", "torchvision"),
        *("__init__", "__main__"),
    }
)
_LONGEST_CLASS_NAME = 32

is_package = is_of_kind(PACKAGE_FORMAT)
"""Returns whether a folder is an exported package; raises OSError if that cannot be read."""

_INIT = '''"""A trained network of {parameters:,} parameters; README.md tells more."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from .network import {class_name}

__all__ = ["CLASSES", "{class_name}", "load"]

_FOLDER = Path(__file__).parent

CLASSES: tuple[str, ...] = tuple(
    json.loads((_FOLDER / "architecture.json").read_text(encoding="utf-8"))["classes"]
)
"""The name of each class, in the order of the logits."""


def load(device: str | torch.device = "cpu") -> {class_name}:
    """Give the trained network on a device, in evaluation mode."""
    network = {class_name}()
    network.load_state_dict(load_file(_FOLDER / "weights.safetensors"))
    return network.to(device).eval()
'''


_PIP_TEXT = """# Lets pip install this folder: pip install .

[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{distribution}"
version = "1.0"
description = "A trained network of {parameters:,} parameters, written by flyweight"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["torch>=2.11", "safetensors>=0.6"]

[tool.setuptools]
packages = ["{package}"]
package-dir = {{ "{package}" = "." }}

[tool.setuptools.package-data]
"{package}" = ["{weights}", "{description}", "README.md"]
"""


def write_package(trained: TrainedNetwork, out: Path) -> str:
    """Write a network as an importable folder; one that was written before is replaced.

    Args:
        trained: the network, its data, recipe and figures.
        out: the folder; its name becomes the name of the package. Missing parents are made.

    Returns:
        What was found when it was loaded again, in a line.

    Raises:
        ExportError: the folder's name cannot be imported; something else is in its place; it
            cannot be written; or the network does not fit together with its weights or classes.
        ShapeError: the architecture does not fit together.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100  # resolve() would follow a link at the end
    _check_name(out)
    state = _exported_state(trained)
    with whole_folder(out, _FILES, is_package) as folder:
        _write_files(trained, state, folder)
        checked = check_loaded_again(trained, folder)
        page = package_page(trained, folder.name, checked)
        write_texts(folder, {"README.md": model_card(trained, page)})
    return checked


def package_page(trained: TrainedNetwork, package: str, checked: str = "") -> Page:
    """Return what the card of a package says of it.

    Args:
        trained: the network.
        package: the name under which it is imported.
        checked: what was found when it was loaded again.
    """
    what = "a Python package of PyTorch source and weights, which needs torch and safetensors alone"
    use = list(_use(trained, package))
    return Page(what, use, hub_library="pytorch", tags=("safetensors",), checked=checked)


def _use(trained: TrainedNetwork, package: str) -> Iterator[str]:
    shape = ", ".join(map(str, trained.architecture.input_shape))
    yield "`pip install` this folder, or have the folder that holds it on Python's path (start"
    yield "Python there, or name it in `PYTHONPATH`):"
    yield ""
    yield "```python"
    yield from image_lines(trained.dataset, trained.architecture.input_shape, trained.reading)
    yield ""
    yield f"import {package}"
    yield ""
    yield f"network = {package}.load()"
    yield "with torch.inference_mode():"
    yield "    logits = network(image[None])[0]"
    yield f"print({package}.CLASSES[int(logits.argmax())])"
    yield "```"
    yield ""
    yield f"An image is ({shape}): channels, height, width, as floats from 0 (black) to 1;"
    yield "the normalisation is inside the network. It takes any number of images at once,"
    yield f"(n, {shape}), and gives (n, {len(trained.class_names)}) logits."


def package_name_of(name: str) -> str:
    """Make a package name out of any name: ``mnist-8k`` becomes ``mnist_8k``."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:64]
    return slug if _importable(slug) else f"net_{slug}".rstrip("_")


def read_weights(folder: Path, architecture: Architecture) -> dict[str, Tensor]:
    """Read the weights of a package as the state of ``space.network.build(architecture)``.

    Nothing of the folder is imported.

    Args:
        folder: of the package.
        architecture: that it describes.

    Raises:
        OSError: there is no file of weights.
        SafetensorError: it is damaged.
        KeyError: the weights are another network's.
    """
    names = {there: here for here, there in weight_names(architecture).items()}
    weights = {}
    for key, value in safetensors.load_file(folder / _WEIGHTS).items():
        module, _, parameter = key.rpartition(".")
        weights[f"{names[module]}.{parameter}"] = value
    return weights


def class_name_of(name: str) -> str:
    """Make a class name out of any name: ``mnist-8k`` becomes ``Mnist8kNet``."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word[0].upper() + word[1:] for word in words)
    if not joined or joined[0].isdigit():
        joined = f"Net{joined}"
    return f"{joined[: _LONGEST_CLASS_NAME - 3]}Net".replace("NetNet", "Net")


def _importable(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is not None
        and not keyword.iskeyword(name)
        and name not in sys.stdlib_module_names
        and name not in _TAKEN
    )


def _check_name(out: Path) -> None:
    if not _importable(out.name):
        raise ExportError(
            f"{out}: {out.name!r} cannot be the name of a Python package; "
            f"name the folder {package_name_of(out.name)!r}"
        )


def _exported_state(trained: TrainedNetwork) -> dict[str, Tensor]:
    """Check the weights against the architecture, and rename them as in the source."""
    trained.check()
    names = weight_names(trained.architecture)
    state = {}
    for key, value in trained.weights.items():
        module, _, parameter = key.rpartition(".")
        # A copy of its own: safetensors refuses tensors that share memory.
        state[f"{names[module]}.{parameter}"] = value.detach().cpu().contiguous().clone()
    return state


def _write_files(trained: TrainedNetwork, state: dict[str, Tensor], folder: Path) -> None:
    """Write all that the package needs to be loaded."""
    class_name = class_name_of(trained.name)
    parameters = cost(trained.architecture).parameters
    texts = {
        "__init__.py": _INIT.format(class_name=class_name, parameters=parameters),
        "network.py": network_source(trained.architecture, class_name, trained.normalisation),
        DESCRIPTION: description_text(trained, PACKAGE_FORMAT),
        _PROJECT: _PIP_TEXT.format(
            distribution=distribution_of(folder.name),
            package=folder.name,
            parameters=parameters,
            weights=_WEIGHTS,
            description=DESCRIPTION,
        ),
    }
    write_texts(folder, texts)
    (folder / _WEIGHTS).write_bytes(safetensors.save(state, {"format": "pt"}))


def distribution_of(package: str) -> str:
    """Make a name for pip, which begins and ends with a letter or digit, of a package's name."""
    return re.sub(r"_+", "-", package).strip("-").lower() or "net"
