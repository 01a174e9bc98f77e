"""Random sequences that no other code in the process can disturb."""

from __future__ import annotations

import hashlib
from types import TracebackType

import torch
from torch import Tensor

__all__ = ["Randomness", "derived_seed"]


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed from 0 to 2**63 - 1 for one purpose.

    Two purposes of one seed get independent sequences. Every bit of the seed counts, although
    torch's CPU generators use only the lowest 32 bits of theirs.
    """
    digest = hashlib.blake2b(f"{purpose}:{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Randomness:
    """A context in which torch's global generators continue this object's own sequence.

    Code outside of the context cannot change the sequence inside, nor the reverse, so two training
    runs can take turns in one process.

    Args:
        seed: starts the sequence, 0 to 2**63 - 1.
        device: the device whose generator is used, beside the CPU's.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        devices = {torch.device("cpu"), device} if _has_generator(device) else {torch.device("cpu")}
        self._own = {
            each: torch.Generator(each).manual_seed(derived_seed(seed, each.type)).get_state()
            for each in devices
        }
        self._outer: dict[torch.device, Tensor] = {}

    def __enter__(self) -> None:
        self._outer = {device: _read(device) for device in self._own}
        _write(self._own)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own = {device: _read(device) for device in self._own}
        _write(self._outer)


def _has_generator(device: torch.device) -> bool:
    return device.type in ("cuda", "mps")


def _read(device: torch.device) -> Tensor:
    match device.type:
        case "cuda":
            return torch.cuda.get_rng_state(device)
        case "mps":
            return torch.mps.get_rng_state()
        case _:
            return torch.get_rng_state()


def _write(states: dict[torch.device, Tensor]) -> None:
    for device, state in states.items():
        match device.type:
            case "cuda":
                torch.cuda.set_rng_state(state, device)
            case "mps":
                torch.mps.set_rng_state(state)
            case _:
                torch.set_rng_state(state)
