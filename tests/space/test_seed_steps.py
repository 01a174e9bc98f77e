"""The 30 hand-made networks of the ladders, each as a candidate of a search space."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from space.architecture import Architecture
from space.errors import OutsideSpaceError
from space.search_space import SearchSpace
from space.stages.fields import HEADS, ORDERS, STYLES, TRANSITIONS
from tests.space.drawn_spaces import RandomTrial

LADDERS = Path(__file__).parents[2] / "studies" / "ladders"
STEPS = {
    f"{path.stem}#{step['name']}": Architecture.parse(step["layers"])
    for path in sorted(LADDERS.glob("*.toml"))
    for step in tomllib.loads(path.read_text("utf-8"))["step"]
}

STAGES: dict[str, object] = {
    "stages": {"low": 2, "high": 3},
    "convs": {"low": 1, "high": 4},
    "width": {"low": 4, "high": 1024, "log": True},
    "kernel": [1, 3],
    "padding": ["same", "valid"],
    "transition": list(TRANSITIONS),
    "transition_width": {"low": 4, "high": 32},
    "transition_style": list(STYLES),
    "order": list(ORDERS),
    "bias": [False, True],
    "dropout": {"low": 0.0, "high": 0.25, "per": "conv"},
    "head": list(HEADS),
    "head_hidden": {"low": 0, "high": 16},
    "head_hidden_style": list(STYLES),
}

# No convolution behind the last pool but the classifier.
ENDS_IN_A_POOL: dict[str, object] = {
    "layers": [
        "conv3 {a} {pad} relu",
        "conv3 {a} relu",
        "maxpool2",
        "conv3 {b} {pad} relu",
        "conv3 {b} relu",
        "maxpool2",
        "conv{k} 10",
        "{gap}",
    ],
    "a": {"low": 8, "high": 32},
    "b": {"low": 8, "high": 32},
    "pad": ["", "pad1"],
    "k": [1, 5],
    "gap": ["", "gap"],
}
# Dropout before the activation, and behind the convolution that gives the logits too.
DROPS_BEFORE_RELU: dict[str, object] = {
    "layers": [
        "conv3 {a} bn drop{d} relu",
        "conv3 {b} bn drop{d} relu",
        "maxpool2",
        "conv1 {t} bn drop{d} relu",
        "conv3 {c} bn drop{d} relu",
        "conv3 {b} bn drop{d} relu",
        "conv3 10 bn drop{d} relu",
        "gap",
    ],
    "a": {"low": 4, "high": 16},
    "b": {"low": 4, "high": 32},
    "c": {"low": 4, "high": 32},
    "t": {"low": 4, "high": 16},
    "d": {"low": 0.0, "high": 0.2},
}
TEMPLATES = {
    "eva5-namanphy#basic-model": ENDS_IN_A_POOL,
    "eva5-namanphy#fewer-channels": ENDS_IN_A_POOL,
    "eva5-namanphy#1x1-and-gap": ENDS_IN_A_POOL,
    "eva-gkdivya#dropout": DROPS_BEFORE_RELU,
}


def make(section: dict[str, object]) -> SearchSpace:
    """Read a section for MNIST."""
    return SearchSpace.from_section(section, input_shape=(1, 28, 28), classes=10)


def test_there_are_thirty_steps() -> None:
    """Every step of the ladders is looked at."""
    assert len(STEPS) == 30
    assert TEMPLATES.keys() <= STEPS.keys()


@pytest.mark.parametrize("step", STEPS)
def test_a_trial_draws_the_step(step: str) -> None:
    """One space by stages holds all steps but those that only a template spells."""
    space = make(TEMPLATES.get(step, STAGES))
    answers = space.params_for(STEPS[step])
    assert space.suggest(RandomTrial(0, answers)).architecture == STEPS[step]


@pytest.mark.parametrize("step", TEMPLATES)
def test_a_template_is_needed(step: str) -> None:
    """What a template is used for has no place in the space by stages."""
    with pytest.raises(OutsideSpaceError):
        make(STAGES).params_for(STEPS[step])
