from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.errors import OutsideSpaceError
from space.fields import FloatRange, Scalar
from space.search_space import SearchSpace
from tests.space.drawn_spaces import RandomTrial, search_spaces
from tests.space.test_search_space import STAGED, TEMPLATE, make

seeds = st.integers(0, 2**32)


class StrictTrial(RandomTrial):
    """Refuses answers that its question does not allow."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        answer = super().suggest_int(name, low, high, step=step, log=log)
        assert answer in range(low, high + 1, step)
        return answer

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        answer = super().suggest_float(name, low, high, step=step, log=log)
        assert low <= answer <= high
        assert step is None or answer in FloatRange(low, high, step).values()
        return answer

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:
        answer = super().suggest_categorical(name, choices)
        assert (type(answer), answer) in [(type(choice), choice) for choice in choices]
        return answer


@settings(max_examples=300)
@given(search_spaces(), seeds, seeds)
def test_what_a_trial_draws_can_be_drawn_again(space: SearchSpace, seed: int, other: int) -> None:
    """The answers for any suggestion are allowed, and give it back whatever the others are."""
    architecture = space.suggest(RandomTrial(seed)).architecture
    answers = space.params_for(architecture)
    suggestion = space.suggest(StrictTrial(other, answers))
    assert suggestion.architecture == architecture
    assert answers.keys() == space.parameters.keys() - suggestion.inactive


@settings(max_examples=200)
@given(search_spaces(), search_spaces(), seeds)
def test_another_spaces_architecture_is_given_exactly_or_refused(
    space: SearchSpace, other: SearchSpace, seed: int
) -> None:
    """The answers for what another space drew give it exactly, where there are any."""
    architecture = other.suggest(RandomTrial(seed)).architecture
    try:
        answers = space.params_for(architecture)
    except OutsideSpaceError:
        return
    assert space.suggest(StrictTrial(seed, answers)).architecture == architecture


REFUSED: list[tuple[Mapping[str, object], str, str]] = [
    (
        STAGED,
        "conv5 8 pad2 bn relu, gap, linear 10",
        'line 1 "conv5 8 pad2 bn relu": it needs kernel = 5, but space.kernel is 3',
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu drop0.3, gap, linear 10",
        'line 1 "conv3 8 pad1 bn relu drop0.3": it needs dropout = 0.3, '
        "but space.dropout is 0.0 to 0.1",
    ),
    (
        STAGED,
        "conv3 8 bn relu, gap, linear 10",
        'line 1 "conv3 8 bn relu": it needs padding = "valid", but space.padding is "same"',
    ),
    (
        STAGED,
        "conv3 8 pad1 stride2 bn relu, gap, linear 10",
        "it needs stem_stride = 2, but space.stem_stride is 1",
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, conv3 8 pad1 stride2 bn relu, gap, linear 10",
        'line 2 "conv3 8 pad1 stride2 bn relu": the space has a pool there',
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, maxpool2, conv3 8 pad1 bn relu, maxpool2, gap, linear 10",
        "it needs stages = 3, but space.stages is 1 or 2",
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, maxpool2, gap, linear 10",
        'line 3 "gap": the space has a convolution there',
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, gap, conv1 10",
        'it ends in the head "gap-conv", but space.head is "conv-gap" or "gap-linear"',
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, gap, linear 20, linear 10",
        'line 3 "linear 20": the space gives "linear 10" there',
    ),
    (
        STAGED,
        "conv3 8 pad1 bn relu, gap, linear 10, linear 10",
        'line 4 "linear 10": the space has no more lines there',
    ),
    (
        TEMPLATE,
        "conv3 32 relu, maxpool2, gap, linear 10",
        'line 1 "conv3 32 relu": the template has "{block} {a} relu drop{d}", where '
        'block is "conv3" or "separable5", a is 4 to 16, d is 0.0 to 0.1, there',
    ),
    (
        TEMPLATE,
        "conv3 8 relu, maxpool2, gap, linear 10, linear 10",
        'line 5 "linear 10": the template has no more lines there',
    ),
    (
        TEMPLATE,
        "conv3 8 relu, maxpool2, gap",
        'the network ends where the template goes on with "linear 10"',
    ),
]


@pytest.mark.parametrize(("section", "lines", "message"), REFUSED)
def test_what_lies_outside_is_named(section: dict[str, object], lines: str, message: str) -> None:
    """A refusal names the line at which the best try ended, and the field that is in the way."""
    architecture = Architecture.parse(lines.split(","))
    with pytest.raises(OutsideSpaceError) as refusal:
        make(section).params_for(architecture)
    assert str(refusal.value).endswith(message)


def test_images_of_another_shape_are_refused() -> None:
    """A network for other images is no candidate."""
    architecture = Architecture.parse(["gap", "linear 10"], input_shape=(3, 32, 32))
    with pytest.raises(OutsideSpaceError, match="3x32x32, but the data has 1x28x28"):
        make(STAGED).params_for(architecture)


def test_optional_lines_share_holes() -> None:
    """A template whose lines may vanish is matched as a whole, one hole having one value."""
    section: dict[str, object] = {
        "layers": ["{a}", "{b}", "{a}", "conv{k} {w} pad{p} bn relu", "{b}", "gap", "conv1 10"],
        "a": ["", "conv3 8 relu"],
        "b": ["conv3 8 relu", "", "maxpool2"],
        "k": [3, 5],
        "p": {"low": 0, "high": 2},
        "w": {"low": 1, "high": 9},
    }
    lines = ["conv3 8 relu", "conv3 8 relu", "conv5 5 bn relu", "gap", "conv1 10"]
    answers = make(section).params_for(Architecture.parse(lines))
    assert answers == {"a": "conv3 8 relu", "b": "", "k": 5, "p": 0, "w": 5}
    with pytest.raises(OutsideSpaceError, match='line 3 "gap"'):
        make(section).params_for(Architecture.parse(lines[1:]))
