"""The champions that are committed: what their model cards say can be checked."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from space.architecture import Architecture
from space.cost import cost
from trainer.data import open_dataset

CHAMPIONS = sorted(
    path.parent
    for path in (Path(__file__).parents[3] / "studies" / "champions").glob("*/architecture.json")
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


@pytest.mark.skipif(
    "FLYWEIGHT_DATA" not in os.environ, reason="FLYWEIGHT_DATA does not say where MNIST lies"
)
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
