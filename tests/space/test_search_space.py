from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.cost import Cost, cost
from space.deployed.cost import deployed_cost
from space.errors import SearchSpaceError, ShapeError
from space.fields import Fixed
from space.layers import Conv, Separable
from space.search_space import ENUMERATED, CostBound, SearchSpace
from tests.space.drawn_spaces import RandomTrial, search_spaces, staged_sections

relaxed = settings(max_examples=60)
seeds = st.integers(0, 2**32)

STAGED = {
    "stages": [1, 2],
    "convs": {"low": 1, "high": 2},
    "width": {"low": 4, "high": 32},
    "skip": [True, False],
    "padding": "same",
    "dropout": {"low": 0.0, "high": 0.1},
    "head": ["conv-gap", "gap-linear"],
}
TEMPLATE = {
    "layers": ["{block} {a} relu drop{d}", "maxpool2", "gap", "linear 10"],
    "block": ["conv3", "separable5"],
    "a": {"low": 4, "high": 16},
    "d": {"low": 0.0, "high": 0.1},
}


def make(section: dict[str, object]) -> SearchSpace:
    """Read a section for ten classes of 28x28 images."""
    return SearchSpace.from_section(section, input_shape=(1, 28, 28), classes=10)


def cost_or_none(architecture: Architecture) -> Cost | None:
    """Give the cost; None where the lines do not fit together."""
    try:
        return cost(architecture)
    except ShapeError:
        return None


@relaxed
@given(search_spaces(), seeds)
def test_suggestions_are_sound(space: SearchSpace, seed: int) -> None:
    """A suggestion survives its text form, and ends in the classes or raises only ShapeError."""
    architecture = space.suggest(RandomTrial(seed)).architecture
    if cost_or_none(architecture) is not None:
        assert architecture.classes == 10
        assert Architecture.parse(str(architecture)) == architecture
    assert Architecture.from_json(architecture.to_json()) == architecture


@relaxed
@given(search_spaces(), seeds, seeds)
def test_every_trial_is_asked_the_same(space: SearchSpace, one: int, other: int) -> None:
    """The same parameters are suggested in the same order, whatever the answers are."""
    first, second = RandomTrial(one), RandomTrial(other)
    space.suggest(first)
    space.suggest(second)
    assert list(first.asked) == list(second.asked) == list(space.parameters)


@relaxed
@given(search_spaces(), seeds, seeds)
def test_inactive_parameters_change_nothing(space: SearchSpace, seed: int, other: int) -> None:
    """Drawing the inactive parameters anew gives the same architecture and the same inactive."""
    trial = RandomTrial(seed)
    suggestion = space.suggest(trial)
    assert suggestion.inactive <= trial.asked.keys()
    kept = {name: said for name, said in trial.asked.items() if name not in suggestion.inactive}
    assert space.suggest(RandomTrial(other, kept)) == suggestion


@relaxed
@given(search_spaces(), st.lists(seeds, min_size=1, max_size=30))
def test_no_candidate_is_below_the_bound(space: SearchSpace, drawn: list[int]) -> None:
    """The lower bound is below every candidate, and is refused only where there is none."""
    costs = [cost_or_none(space.suggest(RandomTrial(seed)).architecture) for seed in drawn]
    try:
        bound = space.lower_bound()
    except SearchSpaceError:
        assert not any(costs)
        return
    for found in costs:
        if found is not None:
            assert bound.parameters <= found.parameters
            assert bound.macs <= found.macs
            assert bound.activation_bytes <= found.activation_bytes


@relaxed
@given(search_spaces())
def test_size_counts_what_is_asked(space: SearchSpace) -> None:
    """The size is the product of the counts of the parameters that a trial is asked for."""
    size = 1
    for field in space.parameters.values():
        assert not isinstance(field, Fixed)
        size *= field.count() or 1
    assert space.size() == size


def test_sizes_of_known_spaces() -> None:
    """Continuous parameters count once, fixed fields not at all."""
    assert make({"width": 8}).size() == 1
    assert make({"width": [4, 8], "stages": 1, "convs": 1}).size() == 2
    assert make(TEMPLATE).size() == 2 * 13


@pytest.mark.parametrize("section", [STAGED, TEMPLATE])
def test_an_optuna_trial_is_a_trial(section: dict[str, object]) -> None:
    """A real Optuna study can be asked, and records exactly the parameters of the space."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = make(section)
    for _ in range(3):
        trial = study.ask()
        space.suggest(trial)
        assert list(trial.params) == list(space.parameters)


def test_a_space_of_one_candidate_is_bounded_by_it() -> None:
    """With nothing to choose, the bound is the cost of the only candidate."""
    section = {"width": 8, "stages": 2, "convs": 2, "transition": "after-pool"}
    space = make({**section, "transition_width": 4, "block": "separable"})
    architecture = space.suggest(RandomTrial(0)).architecture
    only, deployed = cost(architecture), deployed_cost(architecture)
    assert space.lower_bound() == CostBound(
        only.parameters, only.macs, only.activation_bytes, deployed.ram, deployed.constants
    )


@pytest.mark.parametrize(
    "section",
    [
        {
            "stages": [1, 2],
            "convs": {"low": 1, "high": 2, "per": "network"},
            "width": {"choices": [6, 16], "per": "network"},
            "kernel": {"choices": [3, 5], "per": "network"},
            "transition": ["none", "after-pool"],
            "transition_width": [4, 8],
            "head": ["conv-gap", "full-conv", "gap"],
            "skip": {"choices": [True, False], "per": "network"},
            "padding": "same",
        },
        {
            "layers": [
                "{b} {a} relu",
                "conv3 {c} pad{p} relu",
                "maxpool2",
                "{t}",
                "gap",
                "conv1 10",
            ],
            "a": {"low": 4, "high": 8, "step": 4},
            "b": ["conv5", "separable3"],
            "c": [4, 6],
            "p": [0, 1],
            "t": ["", "conv1 2"],
        },
    ],
)
def test_the_bound_is_reached(section: dict[str, object]) -> None:
    """In small spaces each figure of the bound is that of the candidate with the least of it."""
    space = make(section)
    names = list(space.parameters)
    settings_of_all = product(*(field.values() for field in space.parameters.values()))
    trials = [RandomTrial(0, dict(zip(names, given, strict=True))) for given in settings_of_all]
    assert len(trials) == space.size()
    found = [space.suggest(trial).architecture for trial in trials]
    fitting = [each for each in found if cost_or_none(each) is not None]
    costs = [cost(each) for each in fitting]
    deployed = [deployed_cost(each) for each in fitting]
    assert space.lower_bound() == CostBound(
        min(each.parameters for each in costs),
        min(each.macs for each in costs),
        min(each.activation_bytes for each in costs),
        min(each.ram for each in deployed),
        min(each.constants for each in deployed),
    )


def test_a_space_without_candidates_is_refused() -> None:
    """Where every map vanishes, the bound says so and names a way out."""
    space = make({"width": {"low": 4, "high": 64}, "stages": 4, "kernel": [7, 9]})
    with pytest.raises(SearchSpaceError, match="no candidate turns an input of 1x28x28 into"):
        space.lower_bound()


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["conv3 9 pad1", "conv3 {a} groups2", "gap", "linear 10"], '"groups2" does not divide'),
        (["conv9 {a}", "conv31 10"], "31x31 kernel does not fit"),
        (["conv3 {a}", "conv1 10"], "end with gap"),
        (["conv3 {a}", "conv3 8 pad1 skip", "gap", "linear 10"], "a skip needs equal shapes"),
    ],
)
def test_a_small_space_without_candidates_says_why(lines: list[str], reason: str) -> None:
    """Where all settings can be tried, what no bound sees is found too, and the line is named."""
    space = make({"layers": lines, "a": [4, 6]})
    with pytest.raises(SearchSpaceError, match=r'no candidate fits together: line \d "') as caught:
        space.lower_bound()
    assert reason in str(caught.value)


def test_the_bound_of_a_small_space_is_exact() -> None:
    """What several lines share is taken together, and a rate that can be 0 may remove a line."""
    layers = ["conv3 {a} pad1", "drop{d}", "conv3 {a} pad1 skip2", "gap", "conv1 10"]
    space = make({"layers": layers, "a": [4, 6], "d": {"low": 0.0, "high": 0.5}})
    # Without the second line the skip goes around both convolutions and adds 1 channel to 4.
    least = Architecture.parse(["conv3 4 pad1", "drop0.5", "conv3 4 pad1 skip2", *layers[3:]])
    assert space.lower_bound().parameters == cost(least).parameters


def test_the_form_follows_from_the_keys() -> None:
    """A section with layers is a template, any other is by stages."""
    assert list(make(TEMPLATE).parameters) == ["block", "a", "d"]
    assert "stage1.conv2.width" in make(STAGED).parameters


def kind(word: object) -> str:
    """Return the text of a word without its numbers."""
    return re.sub(r"[0-9][0-9x.]*", "", str(word))


@settings(max_examples=30)
@given(search_spaces(), seeds)
def test_every_word_of_a_candidate_is_listed(space: SearchSpace, seed: int) -> None:
    """What a trial draws is made of the words that the space lists, but for their numbers."""
    listed = {kind(word) for word in space.words()}
    architecture = space.suggest(RandomTrial(seed)).architecture
    assert {kind(word) for layer in architecture.layers for word in layer.words} <= listed


@settings(max_examples=30)
@given(staged_sections(), st.integers(1, 200_000))
def test_the_room_of_the_first_convolution_is_exact(section: dict[str, object], limit: int) -> None:
    """The channels that a limit allows are within it, and one more is not."""
    room = make(section).stem_room(limit)
    assert room is not None
    assert isinstance(room.operation, Conv | Separable)
    for channels in {max(room.channels, 1), room.channels + 1}:
        operation = replace(room.operation, channels=channels)
        # The linear layer holds less.
        lines = [str(operation), "linear 1"]
        held = cost(Architecture.parse(lines, room.shape)).activation_bytes
        assert (held <= limit) == (channels == room.channels)
    if room.better is not None:
        assert room.better[1] > room.channels


def test_a_template_has_no_room_to_tell() -> None:
    """The lines of a template say what its first convolution is."""
    assert make(TEMPLATE).stem_room(1_000) is None


@pytest.mark.parametrize("pool", ["max", "stride", ["avg", "stride"]])
@pytest.mark.parametrize("stem", [1, 2, [1, 3]])
@pytest.mark.parametrize("transition", ["none", "before-pool", "after-pool"])
def test_the_bound_of_strides_is_exact(pool: object, stem: object, transition: str) -> None:
    """Walking through strided stems and stages finds the least that trying all settings finds."""
    section: dict[str, object] = {
        "width": 4,
        "stages": 3,
        "convs": 1,
        "padding": ["same", "valid"],
        "pool": pool,
        "stem_stride": stem,
        "transition": transition,
        "transition_width": 3,
    }
    space = make(section)
    assert space.size() <= ENUMERATED
    walked, exact = space._space.lower_bound(), space.lower_bound()
    assert replace(walked, ram=exact.ram, flash=exact.flash) == exact
    assert walked.ram <= exact.ram
    assert walked.flash <= exact.flash
