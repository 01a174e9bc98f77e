from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.explain.choices import explain_steps
from search.spec.candidate import Candidate
from space.architecture import Architecture
from space.cost import cost
from space.layers.activations import ACTIVATIONS
from tests.space.strategies import BLOCKS, architectures
from tests.space.test_cost import relaxed
from trainer.augment import Affine
from trainer.recipe import Recipe

TUNED = Recipe(
    optimizer="adamw",
    learning_rate=0.03,
    schedule="one-cycle",
    batch_size=64,
    weight_decay=0.01,
    averaging=0.99,
    augment=(Affine(degrees=7.0),),
    seed=5,
)
NETWORK = """conv3 6 pad1 bn relu drop0.1
conv3 20 pad1 bn silu
maxpool2
separable5 20 pad2 bn relu skip
again1
conv1 10
gap"""

recipes = st.sampled_from([Recipe(), TUNED, replace(TUNED, augment=(), averaging=0.0)])


def _names(text: str, recipe: Recipe = TUNED) -> list[str]:
    candidate = Candidate(Architecture.parse(text, (1, 16, 16)), recipe)
    return [step.name for step in explain_steps(candidate)]


@relaxed
@given(architectures(), recipes)
@example(BLOCKS, TUNED)
def test_the_last_step_is_the_candidate(architecture: Architecture, recipe: Recipe) -> None:
    """Whatever a network is made of, the steps are networks and end in it, each another one."""
    candidate = Candidate(architecture, recipe)
    steps = explain_steps(candidate)
    assert steps[0].name == "skeleton"
    assert steps[-1].candidate == candidate
    assert len({step.name for step in steps}) == len(steps)
    assert len({step.candidate.key for step in steps}) == len(steps)
    for step in steps:
        step.candidate.architecture.check()
        assert step.candidate.architecture.classes == architecture.classes
        assert step.candidate.recipe.epochs == recipe.epochs


def test_each_choice_is_given_back_once() -> None:
    """A network with every kind of choice has a step for each, those of the network first."""
    assert _names(NETWORK) == [
        "skeleton",
        "separable",
        "widths",
        "norms",
        "activation",
        "dropout",
        "skips",
        "again",
        "optimizer-and-schedule",
        "batch-size",
        "regularisation",
        "augmentation",
        "averaging",
    ]


def test_the_skeleton_is_plain() -> None:
    """The skeleton has convolutions of one width and relu, trained by SGD on plain images."""
    candidate = Candidate(Architecture.parse(NETWORK, (1, 16, 16)), TUNED)
    skeleton = explain_steps(candidate)[0].candidate
    lines = [str(line) for line in skeleton.architecture.layers]
    words = {word for line in lines for word in line.split()}
    assert not words & (set(ACTIVATIONS) - {"relu"} | {"bn", "skip", "again1", "drop0.1"})
    widths = {line.split()[1] for line in lines[:-2] if line.startswith("conv")}
    assert len(widths) == 1
    recipe = skeleton.recipe
    assert (recipe.optimizer, recipe.schedule, recipe.augment) == ("sgd", "none", ())
    assert recipe.averaging == 0


@pytest.mark.parametrize("width", [4, 9, 30])
def test_one_width_costs_about_as_much(width: int) -> None:
    """As long as all convolutions have one width, the parameters stay near the candidate's."""
    text = NETWORK.replace("conv3 6 ", f"conv3 {width} ")
    candidate = Candidate(Architecture.parse(text, (1, 16, 16)), TUNED)
    wanted = cost(candidate.architecture).parameters
    for step in explain_steps(candidate)[:2]:
        assert abs(cost(step.candidate.architecture).parameters / wanted - 1) < 0.15


def test_a_plain_candidate_is_its_own_skeleton() -> None:
    """Where nothing was chosen there is one step."""
    recipe = Recipe(optimizer="sgd", learning_rate=0.01, schedule="none", batch_size=128)
    assert _names("conv3 8 relu\nconv3 8 relu\nconv1 10\ngap", recipe) == ["skeleton"]
