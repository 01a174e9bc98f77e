from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer.randomness import Randomness, derived_seed
from trainer.randomness import _read as read_state
from trainer.randomness import _write as write_state

CPU = torch.device("cpu")
seeds = st.integers(0, 2**63 - 1)


def alone(seed: int, count: int) -> Tensor:
    """What a sequence gives when it is used in one go, number by number."""
    with Randomness(seed, CPU):
        return torch.cat([torch.rand(1) for _ in range(count)])


@settings(max_examples=30)
@given(seeds, seeds, st.lists(st.sampled_from("abx"), max_size=20))
def test_sequences_take_turns_without_noticing(first: int, second: int, turns: list[str]) -> None:
    """However two sequences and the caller alternate, each must get its own numbers."""
    own = {"a": Randomness(first, CPU), "b": Randomness(second, CPU)}
    drawn: dict[str, list[Tensor]] = {"a": [], "b": [], "x": []}
    torch.manual_seed(7)
    for turn in turns:
        if turn == "x":
            drawn["x"].append(torch.rand(1))
        else:
            with own[turn]:
                drawn[turn].append(torch.rand(1))
    torch.manual_seed(7)
    wanted = {"a": alone(first, 20), "b": alone(second, 20), "x": torch.rand(20)}
    for name, some in drawn.items():
        assert some == [] or torch.equal(torch.cat(some), wanted[name][: len(some)])


def test_making_one_leaves_the_global_state_alone() -> None:
    """Neither the construction nor a use may move the caller's sequence."""
    state = torch.get_rng_state()
    with Randomness(3, CPU):
        torch.rand(5)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_exception_inside_gives_the_state_back() -> None:
    """A failing step must not leave the caller with foreign random numbers."""
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError), Randomness(3, CPU):
        torch.rand(5) @ torch.rand(4)
    assert torch.equal(torch.get_rng_state(), state)


@settings(max_examples=50)
@given(seeds, st.integers(0, 62))
def test_every_bit_of_a_seed_counts(seed: int, bit: int) -> None:
    """Torch ignores the upper bits of a CPU seed, a recipe's seed must not."""
    assert not torch.equal(alone(seed, 4), alone(seed ^ (1 << bit), 4))


@given(seeds, st.text(max_size=5), st.text(max_size=5))
def test_purposes_have_seeds_of_their_own(seed: int, first: str, second: str) -> None:
    """A derived seed must be in range, repeatable, and another for another purpose."""
    derived = derived_seed(seed, first)
    assert 0 <= derived < 2**63
    assert derived_seed(seed, first) == derived
    assert (derived_seed(seed, second) == derived) == (first == second)


@pytest.mark.gpu
def test_the_device_has_its_own_sequence_too(accelerator: torch.device) -> None:
    """The generator of a GPU must be kept apart like the CPU's."""
    device = accelerator
    torch.zeros(1, device=device)
    state, drawn = read_state(device), []
    for _ in range(2):
        randomness = Randomness(5, device)
        with randomness:
            first = torch.rand(3, device=device)
        torch.rand(3, device=device)
        with randomness:
            drawn.append(torch.cat((first, torch.rand(3, device=device))))
        write_state({device: state})
    assert torch.equal(drawn[0], drawn[1])
    with Randomness(5, device):
        torch.rand(3, device=device)
    assert torch.equal(read_state(device), state)
