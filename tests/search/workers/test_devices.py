from __future__ import annotations

import pytest
import torch

from search.errors import DeviceError
from search.workers.devices import choose_device, hardware, versions


def test_a_named_device_is_taken() -> None:
    """The CPU is always there."""
    assert choose_device("cpu") == torch.device("cpu")


def test_the_best_device_is_taken_where_none_is_named() -> None:
    """Without a name CUDA comes before MPS and this before the CPU."""
    best = "cpu"
    if torch.backends.mps.is_available():
        best = "mps"
    if torch.cuda.is_available():
        best = "cuda"
    assert choose_device(None).type == best


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "", "meta", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    """A device that cannot train is named in one line with what would do."""
    with pytest.raises(DeviceError, match="cpu") as caught:
        choose_device(name)
    assert "\n" not in str(caught.value)


def test_hardware_and_versions_say_where_figures_are_from() -> None:
    """A trial's figures are kept with the processor and the versions that decide them."""
    assert hardware(torch.device("cpu")).strip()
    assert versions()["torch"] == torch.__version__
    assert {"python", "optuna", "torchvision", "flyweight"} <= versions().keys()
