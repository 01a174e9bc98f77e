"""A random state of one's own, kept apart from everybody else's."""

from __future__ import annotations

from types import TracebackType

import torch

__all__ = ["Randomness"]


class Randomness:
    """A context in which torch's global generators continue this object's own sequence.

    What happens to the global generators outside of the context changes nothing inside, and the
    other way round, so two training runs can take turns in one process.

    Args:
        seed: starts the sequence.
        device: whose generator is looked after, beside the CPU's.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        self._outer: list[torch.Tensor] = self._read()
        torch.manual_seed(seed)
        self._own = self._read()
        self._write(self._outer)

    def __enter__(self) -> None:
        self._outer = self._read()
        self._write(self._own)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own = self._read()
        self._write(self._outer)

    def _read(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        if self._cuda is not None:
            states.append(torch.cuda.get_rng_state(self._cuda))
        return states

    def _write(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self._cuda is not None:
            torch.cuda.set_rng_state(states[1], self._cuda)
