"""The champions that are committed: what their model cards say can be checked."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from space.architecture import Architecture
from space.cost import cost
from space.deployed.cost import deployed_cost
from tests.search.export.c.compiled import COMPILERS, compiled, logits_of, needs_compiler
from tests.search.export.c.test_sources import channels_last
from trainer.data import open_dataset

STUDIES = Path(__file__).parents[3] / "studies"
CHAMPIONS = sorted(path.parent for path in STUDIES.rglob("network.py"))
SOURCES = sorted(path.parent for path in STUDIES.glob("deployed/*/c-int8/architecture.json"))

needs_mnist = pytest.mark.skipif(
    "FLYWEIGHT_DATA" not in os.environ, reason="FLYWEIGHT_DATA does not say where MNIST lies"
)


def _described(folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((folder / "architecture.json").read_text())
    return described


def _loaded(folder: Path) -> nn.Module:
    spec = importlib.util.spec_from_file_location(folder.name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[folder.name] = module
    spec.loader.exec_module(module)
    network: nn.Module = module.load()
    return network


@pytest.mark.parametrize("folder", CHAMPIONS, ids=lambda folder: folder.name)
def test_a_champion_has_the_cost_that_it_states(folder: Path) -> None:
    """The exported network has as many parameters as its description's architecture costs."""
    architecture = Architecture.from_json(_described(folder)["architecture"])
    parameters = sum(parameter.numel() for parameter in _loaded(folder).parameters())
    assert parameters == cost(architecture).parameters


@needs_mnist
@pytest.mark.parametrize("folder", CHAMPIONS, ids=lambda folder: folder.name)
def test_a_champion_has_the_accuracy_that_it_states(folder: Path) -> None:
    """The exported weights give the last test accuracy of the run that they are from."""
    described = _described(folder)
    test = open_dataset(described["dataset"], Path(os.environ["FLYWEIGHT_DATA"])).test()
    network = _loaded(folder)
    with torch.no_grad():
        batches = test.pixels.split(500)
        classes = torch.cat([network(pixels.float() / 255).argmax(dim=1) for pixels in batches])
    accuracy = float((classes == test.labels).double().mean())
    # Another processor may sum in another order, which can tip an image or two.
    assert accuracy == pytest.approx(described["figures"]["runs"][0]["accuracy"], abs=3e-4)


@pytest.mark.parametrize("folder", SOURCES, ids=lambda folder: folder.parent.name)
def test_a_source_takes_the_memory_that_it_states(folder: Path) -> None:
    """The arena of committed C source, and the bytes on its card, are those that are counted."""
    described = _described(folder)
    price = deployed_cost(Architecture.from_json(described["architecture"]))
    header = (folder / f"{described['prefix']}.h").read_text("utf-8")
    assert f"_ARENA_BYTES {price.ram}\n" in header
    card = (folder / "README.md").read_text("utf-8")
    assert f"| RAM as C in int8: all maps, image and logits | {price.ram:,} bytes |" in card
    assert f"| flash as C in int8: weights and tables | {price.constants:,} bytes |" in card


@needs_mnist
@needs_compiler
@pytest.mark.parametrize("folder", SOURCES, ids=lambda folder: folder.parent.name)
def test_a_source_has_the_accuracy_in_int8_that_it_states(folder: Path, tmp_path: Path) -> None:
    """Committed C source classifies the test set as its confirm said, to the image."""
    described = _described(folder)
    copied = Path(shutil.copytree(folder, tmp_path / "source"))
    test = open_dataset(described["dataset"], Path(os.environ["FLYWEIGHT_DATA"])).test()
    # Other tests run such source under the sanitizers, on fewer images.
    program = compiled(copied, COMPILERS[0], "-O2", "-fno-sanitize=all")
    found = logits_of(program, channels_last(test.pixels)).argmax(1)
    accuracy = float((torch.from_numpy(found) == test.labels).double().mean())
    assert accuracy == pytest.approx(described["figures"]["runs"][0]["int8"], abs=1e-9)
