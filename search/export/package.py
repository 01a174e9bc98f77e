"""Write a trained network as a folder that Python can import without flyweight.

Before the folder is moved into its place it is imported and its network compared with the trained
one: on any failure, what was there before stays.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import torch
from safetensors import torch as safetensors
from torch import Tensor

from search.errors import ExportError
from search.export.codegen.layers import weight_names
from search.export.codegen.module import network_source
from search.export.description import description_text
from search.export.folder import is_of_kind, whole_folder, write_texts
from search.export.model_card import model_card
from search.export.trained_network import TrainedNetwork
from search.spec.candidate_files import DESCRIPTION, PACKAGE_FORMAT
from space.architecture import Architecture
from space.cost import cost
from space.network import build_with
from trainer.batches import normalise
from trainer.data import Normalisation

__all__ = [
    "class_name_of",
    "is_package",
    "package_name_of",
    "read_weights",
    "write_package",
]

_FILES = ("__init__.py", "network.py", "weights.safetensors", DESCRIPTION, "README.md")
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


def write_package(trained: TrainedNetwork, out: Path) -> None:
    """Write a network as an importable folder; one that was written before is replaced.

    Args:
        trained: the network, its data, recipe and figures.
        out: the folder; its name becomes the name of the package. Missing parents are made.

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
        _verify(trained, folder)


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
    for key, value in safetensors.load_file(folder / "weights.safetensors").items():
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
    class_name = class_name_of(trained.name)
    parameters = cost(trained.architecture).parameters
    texts = {
        "__init__.py": _INIT.format(class_name=class_name, parameters=parameters),
        "network.py": network_source(trained.architecture, class_name, trained.normalisation),
        DESCRIPTION: description_text(trained, PACKAGE_FORMAT),
        "README.md": model_card(trained, folder.name),
    }
    write_texts(folder, texts)
    (folder / "weights.safetensors").write_bytes(safetensors.save(state, {"format": "pt"}))


def _verify(trained: TrainedNetwork, folder: Path) -> None:
    """Import the folder and compare its network with the trained one.

    Both compute in double precision: norms enlarge the rounding of single precision, so that the
    same network, computed in another order, can give other logits.
    """
    network = build_with(trained.architecture, trained.weights).double()
    shape = (4, *trained.architecture.input_shape)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0)).double()
    mean, std = trained.normalisation.mean, trained.normalisation.std
    # As the written network holds them, in single precision.
    held = Normalisation(*(tuple(torch.tensor(values).tolist()) for values in (mean, std)))
    # Making the network draws initial weights, which would change the caller's random sequence.
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        wanted = network(normalise(images, held))
        given = _imported(folder).load().double()(images)
    if not torch.allclose(given, wanted, rtol=1e-6, atol=1e-6, equal_nan=True):
        worst = (given - wanted).abs().max().item()
        raise ExportError(
            f"the written network gives other logits than the trained one (by {worst:.3g}); "
            "nothing was exported; please report this architecture"
        )


def _imported(folder: Path) -> ModuleType:
    """Import a folder under a unique name, and remove every trace of the import."""
    name = f"_flyweight_{uuid4().hex}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ExportError(f"{folder} cannot be imported; choose another --out")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    finally:
        for loaded in [key for key in sys.modules if key.split(".")[0] == name]:
            del sys.modules[loaded]
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    return module
