from __future__ import annotations

from typing import Any

import pytest

from search.spec.budget import Budget, assess, bound_problems
from search.spec.notes import kernel_note, notes, words_without_kernels
from space import Architecture, SearchSpace, build
from space.layers.spelling import defaults_of, numbers_of
from space.layers.vocabulary import WORDS
from trainer.errors import NoKernels
from trainer.native.network import CompiledNetwork
from trainer.weights import FlatWeights

WIDE: dict[str, Any] = {
    "stages": 3,
    "convs": 2,
    "padding": "same",
    "width": {"low": 4, "high": 32},
}
SMALL = Budget(None, None, 32.0)


def space(section: dict[str, Any]) -> SearchSpace:
    """Make a space for colour images of 32 pixels a side."""
    return SearchSpace.from_section(section, input_shape=(3, 32, 32), classes=10)


def template(*lines: str, **holes: object) -> SearchSpace:
    """Make a space of these lines and a head."""
    return space({"layers": [*lines, "gap", "linear 10"], **holes})


def texts() -> list[str]:
    """List the shortest text of every word that can stand on any map."""
    found = []
    for word in WORDS:
        for stem in word.spelling.stems:
            number, count = word.spelling.number, word.spelling.count
            text = stem
            if number and number not in defaults_of(word):
                text += numbers_of(word)[number].example
            found.append(text + (f" {numbers_of(word)[count].example}" if count else ""))
    return found


@pytest.mark.parametrize("text", texts())
def test_words_without_kernels_are_those_that_the_kernels_refuse(text: str) -> None:
    """A word is listed if the kernels that were built for this machine cannot run it."""
    lines = ["conv1 16", "conv1 16", *([] if text in ("gap", "linear 16") else [text])]
    network = build(Architecture.parse([*lines, "gap", "linear 10"], (3, 32, 32)))
    try:
        CompiledNetwork(network, (3, 32, 32), FlatWeights(network).make_gradient(), 4, 1)
        refused = False
    except NoKernels:
        refused = True
    assert words_without_kernels(template("conv1 16", "conv1 16", *lines[2:])) == (
        (text.split()[0],) if refused else ()
    )


def test_the_words_on_pytorchs_path_are_named_once() -> None:
    """The note lists each such word, wherever it comes from, and is absent where there is none."""
    note = kernel_note(
        template("conv3 8 ln", "conv3 8 {a} ln", "conv3 8 gn{g}", a="prelu", g=[2, 4])
    )
    assert note.startswith("ln, prelu, gn2 and gn4 have no compiled kernel: on a CPU, networks")
    assert kernel_note(space({**WIDE, "activation": ["relu", "prelu"]})).startswith("prelu has no")
    assert kernel_note(space({**WIDE, "activation": ["relu", "gelu"], "pool": "stride"})) == ""
    wide = {**WIDE, "activation": "prelu"}
    assert list(notes(space(wide), Budget(9_000), kernels=False)) == []


def test_a_limit_that_leaves_few_channels_is_named_with_the_way_out() -> None:
    """At 3x32x32 a limit of 32 KiB allows five channels; half the side allows twenty."""
    (note,) = notes(space(WIDE), SMALL)
    assert note == (
        "budget.activation_kib = 32 leaves little: at 3x32x32 it allows 5 channels in the first "
        'convolution ("conv3 5 pad1"), and space.width goes up to 32; a strided stem '
        "(space.stem_stride = 2) allows 20 channels in the first convolution"
    )
    assert list(notes(space({**WIDE, "stem_stride": 2}), SMALL)) == []
    assert list(notes(space({**WIDE, "width": [4, 5]}), SMALL)) == []
    assert list(notes(space(WIDE), Budget(9_000))) == []
    (none,) = notes(space(WIDE), Budget(None, None, 12.0))
    assert "it allows not one channel" in none


def test_a_space_that_cannot_fit_says_what_would() -> None:
    """Where every candidate holds too much, the message names the stride that would help."""
    (problem,) = bound_problems(space({**WIDE, "width": 8}), SMALL.limits())
    assert problem.message.endswith(
        "; a strided stem (space.stem_stride = 2) allows 20 channels in the first convolution"
    )
    (problem,) = bound_problems(template("conv3 8 pad1"), SMALL.limits())
    assert problem.message.endswith("allow smaller networks")


def test_a_rejection_names_the_line_that_holds_most() -> None:
    """The reason has the line and its maps, so that one sees where the memory goes."""
    lines = ["conv3 4 pad1 stride2", "conv3 9 pad1 bn relu", "maxpool2", "gap", "linear 10"]
    found = assess(Architecture.parse(lines, (1, 32, 32)), Budget(None, None, 12.0))
    assert found.reason == (
        '13 KiB of activations in line 2 "conv3 9 pad1 bn relu" (4x16x16 to 9x16x16), 8% over'
    )
