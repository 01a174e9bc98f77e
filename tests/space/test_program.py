from __future__ import annotations

import pytest
from hypothesis import example, given, settings

from space.architecture import Architecture
from space.errors import ShapeError
from space.layers import Layer, Skip
from space.layers.words import Shape
from space.network import build
from space.program import Add, Apply, Keep, program_of
from tests.space.strategies import BLOCKS, architectures

relaxed = settings(max_examples=60)


@relaxed
@given(architectures())
@example(BLOCKS)
def test_shapes_follow_each_other(architecture: Architecture) -> None:
    """Every step reads the map that the step before gave, from an image to the logits."""
    shape = architecture.input_shape
    for step in program_of(architecture):
        if isinstance(step, Apply):
            assert step.before == shape
            shape = step.after
        elif isinstance(step, Keep):
            assert step.shape == shape
    assert shape == (architecture.classes, 1, 1)


@relaxed
@given(architectures())
@example(BLOCKS)
def test_what_is_kept_is_added_and_let_go(architecture: Architecture) -> None:
    """A kept map is added as often as it says, to maps of its shape, and its last use is marked."""
    shape = architecture.input_shape
    kept: dict[int, Shape] = {}
    left: dict[int, int] = {}
    for step in program_of(architecture):
        match step:
            case Apply():
                shape = step.after
            case Keep():
                assert step.slot not in kept
                kept[step.slot], left[step.slot] = step.shape, step.uses
            case Add():
                assert kept[step.slot] == shape
                left[step.slot] -= 1
                assert step.last == (left[step.slot] == 0)
                assert isinstance(architecture.layers[step.line].words[step.position], Skip)
                if step.last:
                    del kept[step.slot]
    assert not kept


@relaxed
@given(architectures())
@example(BLOCKS)
def test_steps_come_from_the_words_of_the_applications(architecture: Architecture) -> None:
    """Step by step the program names the words of all applications, in order, with their parts."""
    wanted: list[tuple[int, int, str]] = []
    for application in architecture.applications:
        for position, word in enumerate(architecture.layers[application.source].words):
            parts = [str(part) for _, part in word.parts()]
            wanted += [(application.source, position, part) for part in parts]
    found: list[tuple[int, int, str]] = []
    for step in program_of(architecture):
        if not isinstance(step, Keep):
            word = architecture.layers[step.line].words[step.position]
            text = str(step.word) if isinstance(step, Apply) else str(word)
            found.append((step.line, step.position, text))
    assert found == wanted


@relaxed
@given(architectures())
@example(BLOCKS)
def test_paths_are_the_modules_of_the_network(architecture: Architecture) -> None:
    """The paths are the names of the network's modules, in order, and the calls made them."""
    network = build(architecture)
    steps = {step.path: step for step in program_of(architecture) if isinstance(step, Apply)}
    lines = {f"line{number}" for number in range(1, len(architecture.layers) + 1)}
    leaves = [
        name
        for name, module in network.named_modules()
        if name and name not in lines and not list(module.children())
    ]
    assert leaves == [*steps]
    for path, step in steps.items():
        name = type(network.get_submodule(path)).__name__
        assert name.removeprefix("Flat") == step.word.trained_module(step.before).name


def test_lines_that_do_not_fit_have_no_program() -> None:
    """An architecture that does not fit together, or does not end in logits, is refused."""
    for text in ("conv5 10", "conv3 10"):
        with pytest.raises(ShapeError):
            program_of(Architecture((1, 4, 4), (Layer.parse(text),)))
