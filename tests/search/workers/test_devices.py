from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.errors import DeviceError
from search.workers.devices import (
    _deal_out,
    choose_device,
    describe_sharing,
    hardware,
    memory_share,
    versions,
)


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


@given(st.integers(1 << 28, 1 << 37), st.integers(1, 16))
def test_workers_leave_memory_for_what_torch_does_not_count(total: int, sharing: int) -> None:
    """Several workers leave a GiB each, or half of their even part; one alone has everything."""
    share = memory_share(total, sharing) * total
    left = total / sharing - share
    wanted = 0 if sharing == 1 else min(1 << 30, total / sharing / 2)
    assert left == pytest.approx(wanted, abs=1)


@given(st.integers(1, 4), st.integers(1, 16))
def test_workers_are_dealt_out_over_the_cards(cards: int, workers: int) -> None:
    """Each worker has one card, and no card has two workers more than another."""
    with (
        mock.patch("torch.cuda.device_count", return_value=cards),
        mock.patch("search.workers.devices.hardware", lambda device: f"card {device.index}"),
    ):
        dealt = _deal_out(torch.device("cuda"), workers)
        lines = describe_sharing(torch.device("cuda"), workers)
        named = describe_sharing(torch.device("cuda", 1), workers)
    assert sorted(index for _, users in dealt for index in users) == list(range(workers))
    assert len(dealt) == len(lines) == min(cards, workers)
    counts = [len(users) for _, users in dealt]
    assert max(counts) - min(counts) <= 1
    assert lines[0].startswith("cuda:0 (card 0): worker")
    assert len(named) == 1
    assert named[0].startswith("cuda:1 (card 1): worker")


def test_cards_are_named_with_their_workers() -> None:
    """A card with several workers says that they take turns; a CPU has no such line."""
    with (
        mock.patch("torch.cuda.device_count", return_value=2),
        mock.patch("search.workers.devices.hardware", return_value="H100"),
    ):
        assert describe_sharing(torch.device("cuda"), 3) == [
            "cuda:0 (H100): workers 0 and 2, which take turns",
            "cuda:1 (H100): worker 1",
        ]
    assert describe_sharing(torch.device("cpu"), 3) == []
