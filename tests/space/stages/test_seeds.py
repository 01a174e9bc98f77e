from __future__ import annotations

import pytest

from space.architecture import Architecture
from space.cost import cost
from space.fields import Scalar
from space.search_space import SearchSpace
from tests.space.drawn_spaces import RandomTrial
from tests.space.seed_networks import SEED_NETWORKS

WIDE: dict[str, object] = {
    "stages": {"low": 1, "high": 3},
    "convs": {"low": 1, "high": 4},
    "width": {"low": 1, "high": 1024},
    "kernel": [1, 2, 3, 4, 5, 7],
    "block": ["conv", "separable"],
    "padding": ["same", "valid"],
    "skip": [True, False],
    "pool": ["max", "avg"],
    "transition": ["none", "before-pool", "after-pool"],
    "transition_width": {"low": 1, "high": 64},
    "transition_style": ["bare", "full"],
    "order": ["conv-bn-relu", "conv-relu-bn", "conv-relu"],
    "activation": ["relu", "silu"],
    "dropout": {"choices": [0.0, 0.02, 0.1, 0.25], "per": "conv"},
    "bias": [True, False],
    "head": ["conv-gap", "gap-conv", "gap-linear", "full-conv", "gap"],
    "head_hidden": [0, 16],
}
PLAIN: dict[str, Scalar] = {
    "head_hidden": 0,
    "activation": "relu",
    "bias": False,
    "transition_style": "bare",
}


SEEDS: dict[str, tuple[list[list[str]], dict[str, Scalar]]] = {
    "000.1 004.0": (
        [["3 32 same", "3 64 same"], ["3 128 same", "3 256 same"], ["3 512", "3 1024"]],
        {"order": "conv-relu", "head": "full-conv", "bias": True},
    ),
    "000.2": (
        [["3 32", "3 64", "3 128"], ["3 64", "3 128", "1 10"]],
        {
            "order": "conv-relu",
            "head": "full-conv",
            "transition_style": "full",
            "stage1.transition": "after-pool",
            "stage1.transition_width": 32,
        },
    ),
    "000.6": (
        [["3 10", "3 10", "3 20 0.25"], ["3 10", "3 20 0.25", "1 10"]],
        {
            "order": "conv-bn-relu",
            "head": "gap",
            "transition_style": "full",
            "stage1.transition": "after-pool",
            "stage1.transition_width": 10,
        },
    ),
    "000.7": (
        [["3 10", "3 10", "3 20 0.25"], ["3 10", "3 20 0.25", "3 32"]],
        {
            "order": "conv-bn-relu",
            "head": "conv-gap",
            "transition_style": "full",
            "stage1.transition": "after-pool",
            "stage1.transition_width": 10,
        },
    ),
    "000.8 000.9 000.10": (
        [["3 16 0.1", "3 32 0.1"], ["3 16 0.1", "3 16 0.1", "3 16 0.1", "3 16 same 0.1"]],
        {
            "order": "conv-relu-bn",
            "head": "gap-conv",
            "stage1.transition": "before-pool",
            "stage1.transition_width": 10,
        },
    ),
    "001.6": (
        [["3 10 0.02", "3 10 0.02"], ["3 16 0.02", "3 16 0.02"], ["3 10 0.02"]],
        {"order": "conv-bn-relu", "head": "conv-gap"},
    ),
    "002.2 002.3 002.4": (
        [["3 12 0.1", "3 14"], ["3 14 0.1", "3 14 0.1", "3 16 0.1", "3 16 0.1"]],
        {
            "order": "conv-relu-bn",
            "head": "gap-conv",
            "stage1.transition": "after-pool",
            "stage1.transition_width": 10,
        },
    ),
    "003.3": (
        [["3 12", "3 16"], ["3 12", "3 14", "3 14", "3 14 same"]],
        {
            "order": "conv-relu-bn",
            "head": "gap-linear",
            "transition_style": "full",
            "stage1.transition": "before-pool",
            "stage1.transition_width": 6,
        },
    ),
    "004.2": (
        [["3 8", "3 16"], ["3 10", "3 16", "3 10"]],
        {
            "order": "conv-bn-relu",
            "head": "gap",
            "transition_style": "full",
            "stage1.transition": "after-pool",
            "stage1.transition_width": 8,
        },
    ),
}


def seed_answers(stages: list[list[str]]) -> dict[str, Scalar]:
    """Spell convolutions such as ``3 16 same 0.1`` as a trial's answers."""
    answers: dict[str, Scalar] = {"stages": len(stages)}
    for stage, convs in enumerate(stages, 1):
        answers |= {f"stage{stage}.convs": len(convs), f"stage{stage}.pool": "max"}
        answers[f"stage{stage}.transition"] = "none"
        for number, conv in enumerate(convs, 1):
            kernel, width, *more = conv.split()
            rates = [float(word) for word in more if word != "same"]
            for name, value in {
                "kernel": int(kernel),
                "width": int(width),
                "padding": "same" if "same" in more else "valid",
                "dropout": rates[0] if rates else 0.0,
                "block": "conv",
                "skip": False,
            }.items():
                answers[f"stage{stage}.conv{number}.{name}"] = value
    return answers


@pytest.mark.parametrize("steps", SEEDS)
def test_hand_made_networks_are_candidates(steps: str) -> None:
    """The wide space proposes hand-made networks exactly, whatever the inactive parameters are."""
    stages, extra = SEEDS[steps]
    seed = next(network for network in SEED_NETWORKS if network.steps == steps)
    trial = RandomTrial(0, {**PLAIN, **seed_answers(stages), **extra})
    space = SearchSpace.from_section(WIDE, input_shape=(1, 28, 28), classes=10)
    architecture = space.suggest(trial).architecture
    assert architecture == Architecture.parse(seed.lines)
    assert cost(architecture).parameters == seed.parameters
