from __future__ import annotations

import pytest
import torch


@pytest.fixture
def accelerator() -> torch.device:
    """The device of this machine that is faster than its CPU: CUDA's first, else MPS."""
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    pytest.skip("this machine has neither a CUDA nor an MPS device")


@pytest.fixture
def cuda(accelerator: torch.device) -> torch.device:
    """The first CUDA device; the test is skipped where the machine has another kind."""
    if accelerator.type != "cuda":
        pytest.skip(f"what is tested is part of CUDA, and this machine has {accelerator}")
    return accelerator
