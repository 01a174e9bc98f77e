from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from space.architecture import Architecture
from space.cost import cost
from space.deployed.cost import deployed_cost
from space.errors import SearchSpaceError
from space.fields import Scalar
from space.search_space import CostBound, SearchSpace
from tests.space.drawn_spaces import RandomTrial
from tests.space.seed_networks import SEED_NETWORKS, SeedNetwork

END = ["gap", "conv1 10"]


def make(*layers: object, **fields: object) -> SearchSpace:
    """Read a template for ten classes of 28x28 images."""
    section = {"layers": list(layers), **fields}
    return SearchSpace.from_section(section, input_shape=(1, 28, 28), classes=10)


def lines(space: SearchSpace, **answers: Scalar) -> list[str]:
    """Give the lines of what is suggested, some answers given."""
    return str(space.suggest(RandomTrial(0, answers)).architecture).split("\n")


def refuse(*layers: object, **fields: object) -> list[str]:
    """Give the problems of a template."""
    with pytest.raises(SearchSpaceError) as caught:
        make(*layers, **fields)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("seed", SEED_NETWORKS, ids=lambda seed: seed.steps)
def test_a_template_says_every_hand_made_network(seed: SeedNetwork) -> None:
    """A template without holes has one candidate, asks nothing, and is bounded by its cost."""
    space = make(*seed.lines)
    trial = RandomTrial(0)
    only = space.suggest(trial).architecture
    assert only == Architecture.parse(seed.lines)
    assert (trial.asked, space.size()) == ({}, 1)
    known, deployed = cost(only), deployed_cost(only)
    assert space.lower_bound() == CostBound(
        known.parameters, known.macs, known.activation_bytes, deployed.ram, deployed.constants
    )


@given(st.integers(4, 16), st.sampled_from(["conv3", "separable5"]), st.floats(0, 0.3))
def test_holes_are_filled_with_the_answers(width: int, block: str, rate: float) -> None:
    """Numbers and words stand in the text as the trial answered."""
    space = make(
        "{block} {a} relu drop{d}",
        *END,
        a={"low": 4, "high": 16},
        block=["conv3", "separable5"],
        d={"low": 0.0, "high": 0.3},
    )
    rounded = round(rate, 3)
    dropout = f" drop{rounded:.3f}".rstrip("0") if rounded else ""
    first = lines(space, a=width, block=block, d=rate)[0]
    assert first == f"{block} {width} relu{dropout}"


def test_words_and_lines_vanish() -> None:
    """An empty choice or a dropout of rate 0 leaves no word, and an empty line is no line."""
    space = make(
        "conv3 8 {pad} relu",
        "drop{d}",
        "{maybe}",
        *END,
        pad=["", "pad1"],
        d=[0, 0.5],
        maybe=["", "maxpool2"],
    )
    assert lines(space, pad="", d=0.0, maybe="") == ["conv3 8 relu", *END]
    assert lines(space, pad="pad1", d=0.5, maybe="maxpool2") == [
        "conv3 8 pad1 relu",
        "drop0.5",
        "maxpool2",
        *END,
    ]


def test_defaults_written_out_are_normalised() -> None:
    """A hole may give a modifier its default, which the text of the architecture leaves out."""
    space = make("conv{k} {w} pad{p} stride{s} relu", *END, k=3, w=8, p=[0, 1], s=[1, 2])
    assert lines(space, p=0, s=1)[0] == "conv3 8 relu"
    assert lines(space, p=1, s=2)[0] == "conv3 8 pad1 stride2 relu"


def test_a_hole_may_stand_on_several_lines() -> None:
    """One name is one parameter, however often it is used; no parameter is ever inactive."""
    space = make("conv3 {a} pad1 relu", "conv3 {a} pad1 skip relu", *END, a=[4, 8])
    suggestion = space.suggest(RandomTrial(0, {"a": 8}))
    assert list(space.parameters) == ["a"]
    assert str(suggestion.architecture.layers[1]) == "conv3 8 pad1 skip relu"
    assert suggestion.inactive == frozenset()


def test_bound_over_repeated_lines() -> None:
    """A line that is applied again costs its multiplications again and its parameters once."""
    space = make("conv3 {a} pad1 relu", "conv3 {b} pad1 relu", "again", *END, a=[4, 8], b=[4, 8])
    smallest = cost(space.suggest(RandomTrial(0, {"a": 4, "b": 4})).architecture)
    bound = space.lower_bound()
    assert (bound.parameters, bound.macs) == (smallest.parameters, smallest.macs)


def test_bound_gives_up_where_there_are_too_many_ways() -> None:
    """A template with too many ways to follow is bounded by nothing at all, which is sound."""
    sizes = {"low": 1, "high": 99, "step": 2}
    space = make(*["conv{k} 8 pad{p}"] * 3, *END, k=sizes, p={"low": 0, "high": 99})
    assert space.lower_bound() == CostBound(0, 0, 0)


@pytest.mark.parametrize(
    ("layers", "fields", "message"),
    [
        (["conv3 {a}"], {}, "layers[0]: the hole {a} has no field; add one, such as a = 16"),
        (["conv3 8"], {"a": 4}, "space.a: no layer has the hole {a}; remove the key"),
        (["conv3 {}"], {}, 'layers[0]: "conv3 {}" has a brace that does not belong to a hole'),
        (["conv3 {a"], {"a": 8}, "has a brace that does not belong to a hole"),
        (["conv3 {a!r}"], {"a": 8}, "has a brace that does not belong to a hole"),
        (["conv3 {{a}}"], {"a": 8}, "has a brace that does not belong to a hole"),
        (["conv3 {a}"], {"a": ["{b}"]}, 'space.a: "{b}" has a brace; a hole holds no other hole'),
        (["conv3 {a}"], {"a": [8, "9"]}, "space.a: mixes numbers and text"),
        (["conv3 {a}"], {"a": True}, "space.a: a hole holds numbers or text"),
        (["conv3 {a}"], {"a": {"low": 9, "high": 4}}, "space.a: low 9 is above high 4; swap them"),
        (["conv3 {a}"], {"a": {"low": 0, "high": 4}}, "layers[0]: with a = 0:"),
        (["conv3 {a}"], {"a": {"low": 4, "high": 70_000}}, "layers[0]: with a = 70000:"),
        (["conv3 {a}"], {"a": 8.5}, "{a} takes whole numbers there, not 8.5"),
        (["conv3 1{a}"], {"a": 8}, "a hole for a number stands alone or right behind letters"),
        (["conv3 {a}{a}"], {"a": 8}, "a hole for a number stands alone or right behind letters"),
        (["conv{k} 8"], {"k": {"low": 3, "high": 9}}, "layers[0]: with k = 8:"),
        (["conv3 {a} groups2"], {"a": {"low": 4, "high": 8}}, "layers[0]: with a = 5:"),
        (["drop{d}"], {"d": {"low": 0.0, "high": 1.0}}, "layers[0]: with d = 1.0:"),
        (["{t} {u}"], {"t": ["relu", "rleu"], "u": "bn"}, 'with t = "rleu" and u = "bn":'),
        (["convv3 8"], {}, 'layers[0]: "convv3 8": "convv3" is not a word'),
        ([3], {}, "layers[0]: 3 is not a line"),
        ([" "], {}, 'layers[0]: " " is not a line'),
        (
            ["conv{k} 8 pad{p} stride{k}"],
            {"k": {"low": 1, "high": 99, "step": 2}, "p": {"low": 0, "high": 999}},
            "can be filled in more than 10000 ways",
        ),
        (["skip{n}"], {"n": {"low": 1, "high": 10**9}}, "can be filled in more than 10000 ways"),
    ],
)
def test_refusals(layers: list[object], fields: dict[str, object], message: str) -> None:
    """A template that some answers would break is refused, with the place and the answers."""
    (problem,) = refuse(*layers, *END, **fields)
    assert message in problem


def test_a_misspelt_hole_is_hinted_at_from_both_sides() -> None:
    """A hole and a key that miss each other by a letter are told of one another."""
    assert refuse("conv3 {wdith}", *END, width=8) == [
        'space.layers[0]: the hole {wdith} has no field (did you mean "width"?); '
        "add one, such as wdith = 16",
        'space.width: no layer has the hole {width} (did you mean "wdith"?); remove the key',
    ]


def test_every_problem_is_reported_at_once() -> None:
    """Problems of holes, of lines and between them come together."""
    problems = refuse("conv3 {a}", "rleu", "conv3 {b}", *END, a=[], c=3)
    assert [problem.split(":")[0] for problem in problems] == [
        "space.a",
        "space.layers[2]",
        "space.c",
        "space.layers[1]",
    ]


@pytest.mark.parametrize("layers", [[], "gap", 3])
def test_layers_must_be_a_list(layers: object) -> None:
    """The key ``layers`` without lines is refused."""
    with pytest.raises(SearchSpaceError, match=r"space.layers: needs a list of lines"):
        SearchSpace.from_section({"layers": layers}, input_shape=(1, 28, 28), classes=10)


@pytest.mark.parametrize(
    ("layers", "fields", "message"),
    [
        (
            ["conv3 8", "gap"],
            {},
            "layers[0]: the network can end in 8 channels, but the data has 10",
        ),
        (["gap", "linear 12"], {}, "layers[1]: the network can end in 12 channels"),
        (["conv3 10", "conv1 {k}", "gap"], {"k": [10, 12]}, "layers[1]: the network can end in 12"),
        (["conv3 8", "{h}", "gap"], {"h": ["", "conv1 10"]}, "layers[0]: the network can end in 8"),
        (["{h}"], {"h": ["gap", ""]}, "space.layers: the network can end in 1 channels"),
    ],
)
def test_the_end_must_give_the_classes(
    layers: list[object], fields: dict[str, object], message: str
) -> None:
    """A template is refused when a candidate could end in another number of logits."""
    (problem,) = refuse(*layers, **fields)
    assert message in problem


def test_ends_that_give_the_classes() -> None:
    """What follows the last channels, and how they are spelt, does not matter."""
    make("conv3 8", "{h} 10 bn", "relu", "{gap}", h=["conv1", "linear"], gap=["gap", ""])
    make("conv3 10 pad1", "again", "depthwise3", "drop{d}", "gap", d=[0.0, 0.1])


def test_a_template_cannot_vanish() -> None:
    """Some line must be left, even where the input has as many channels as there are classes."""
    section = {"layers": ["{h}"], "h": ["gap", ""]}
    with pytest.raises(SearchSpaceError, match="all lines can be empty at once"):
        SearchSpace.from_section(section, input_shape=(3, 8, 8), classes=3)
