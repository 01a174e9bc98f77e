from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.workers.worker_count import cores, workers_for


@given(st.integers(-3, 100))
def test_there_are_no_more_workers_than_cores_or_work(pieces: int) -> None:
    """On a CPU each worker has a core and something to do, and there is always one."""
    found = workers_for(torch.device("cpu"), pieces)
    assert 1 <= found <= max(1, min(cores(), pieces, 16))
    if pieces >= 1:
        assert found == min(cores(), pieces, 16)


def test_a_large_machine_starts_16(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more workers the sampler would know too little of the candidates in training."""
    monkeypatch.setattr("search.workers.worker_count.cores", lambda: 128)
    assert workers_for(torch.device("cpu"), 1000) == 16


def test_a_gpu_takes_four_workers_and_mps_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers share CUDA devices, four to each; a device of another kind takes one."""
    monkeypatch.setattr("search.workers.worker_count.cores", lambda: 128)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert workers_for(torch.device("cuda"), 1000) == 8
    assert workers_for(torch.device("cuda", 0), 1000) == 4
    assert workers_for(torch.device("mps"), 1000) == 1
