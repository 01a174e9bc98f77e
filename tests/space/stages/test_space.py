from __future__ import annotations

import pytest

from space.cost import cost
from space.errors import SearchSpaceError, ShapeError
from space.fields import Scalar
from space.layers import Shape
from space.search_space import SearchSpace, Suggestion
from tests.space.drawn_spaces import RandomTrial

Section = dict[str, object]


def make(section: Section, input_shape: Shape = (1, 28, 28)) -> SearchSpace:
    """Read a section for ten classes."""
    return SearchSpace.from_section(section, input_shape=input_shape, classes=10)


def suggest(section: Section, **answers: Scalar) -> Suggestion:
    """Suggest with some answers given, ``stage1__convs`` for ``stage1.convs``, others random."""
    named = {name.replace("__", "."): value for name, value in answers.items()}
    return make(section).suggest(RandomTrial(0, named))


def lines(section: Section, **answers: Scalar) -> list[str]:
    """Give the lines of what is suggested."""
    return str(suggest(section, **answers).architecture).split("\n")


def refuse(section: Section) -> dict[str, str]:
    """Give the problems of a section, messages by key."""
    with pytest.raises(SearchSpaceError) as caught:
        make(section)
    return {problem.key: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("head", "hidden", "end"),
    [
        ("conv-gap", 0, ["conv3 8 bn relu", "conv1 10", "gap"]),
        ("conv-gap", 6, ["conv3 8 bn relu", "conv1 10", "gap"]),
        ("gap-conv", 0, ["conv3 8 bn relu", "gap", "conv1 10"]),
        ("gap-conv", 6, ["conv3 8 bn relu", "gap", "conv1 6 bn relu", "conv1 10"]),
        ("gap-linear", 0, ["conv3 8 bn relu", "gap", "linear 10"]),
        ("gap-linear", 6, ["conv3 8 bn relu", "gap", "conv1 6 bn relu", "linear 10"]),
        ("full-conv", 6, ["conv3 8 bn relu", "conv5 10"]),
        ("gap", 6, ["conv3 10 bn relu", "gap"]),
    ],
)
def test_heads(head: str, hidden: int, end: list[str]) -> None:
    """Every head ends the network as it is described, and all of them fit together."""
    section: Section = {"width": 8, "convs": 1, "stages": 2, "head_hidden": hidden}
    heads = ["gap-linear", head] if head != "gap-linear" else head
    space = make({**section, "head": heads}, input_shape=(1, 16, 16))
    architecture = space.suggest(RandomTrial(0, {"head": head})).architecture
    architecture.check()
    assert [str(layer) for layer in architecture.layers[2:]] == end


@pytest.mark.parametrize(
    ("order", "line"),
    [
        ("conv-bn-relu", "conv3 8 pad1 bn skip silu drop0.1"),
        ("conv-relu-bn", "conv3 8 pad1 silu bn skip drop0.1"),
        ("conv-relu", "conv3 8 pad1 skip silu drop0.1"),
    ],
)
def test_orders(order: str, line: str) -> None:
    """Norm, skip, activation and dropout stand where the order says."""
    section: Section = {"width": 8, "stages": 1, "padding": "same", "skip": True, "dropout": 0.1}
    assert lines({**section, "order": order, "activation": "silu"})[1] == line
    without_scale = lines({**section, "order": order, "activation": "silu", "norm_scale": False})
    assert without_scale[1] == line.replace("bn", "bn noscale")


@pytest.mark.parametrize("head", ["gap", "gap-linear"])
def test_a_norm_has_no_scale_where_weights_follow(head: str) -> None:
    """Transitions and hidden layers have none; the line that classifies keeps its scale."""
    section: Section = {
        "width": 8,
        "convs": 1,
        "transition": "after-pool",
        "transition_width": 4,
        "transition_style": "full",
        "head": head,
        "norm_scale": False,
    }
    if head == "gap-linear":
        section["head_hidden"] = 6
    end = {
        "gap": ["conv3 10 bn relu", "gap"],
        "gap-linear": ["conv3 8 bn noscale relu", "gap", "conv1 6 bn noscale relu", "linear 10"],
    }
    start = ["conv3 8 bn noscale relu", "maxpool2", "conv1 4 bn noscale relu"]
    assert lines(section) == [*start, *end[head]]
    space = make(section)
    architecture = space.suggest(RandomTrial(0)).architecture
    assert space.params_for(architecture) == {}
    assert space.lower_bound().parameters == cost(architecture).parameters


@pytest.mark.parametrize(
    ("kernel", "padding", "line"),
    [
        (1, "same", "conv1 8 bn relu"),
        (2, "same", "conv2 8 bn relu"),
        (4, "same", "conv4 8 pad1 bn relu"),
        (5, "same", "conv5 8 pad2 bn relu"),
        (5, "valid", "conv5 8 bn relu"),
    ],
)
def test_padding(kernel: int, padding: str, line: str) -> None:
    """Padding is half the kernel, rounded down for even kernels, or none."""
    assert lines({"width": 8, "kernel": kernel, "padding": padding})[0] == line


def test_bias_and_separable_blocks() -> None:
    """Bias stands on every convolution, the classifier too; a separable block is one line."""
    section: Section = {"width": 8, "stages": 1, "convs": 1, "block": "separable", "bias": True}
    assert lines(section) == ["separable3 8 bias bn relu", "gap", "conv1 10 bias"]
    assert lines({**section, "head": "gap-linear"})[-1] == "linear 10"


@pytest.mark.parametrize(
    ("transition", "style", "between"),
    [
        ("none", "bare", ["avgpool2"]),
        ("before-pool", "bare", ["conv1 4", "avgpool2"]),
        ("after-pool", "bare", ["avgpool2", "conv1 4"]),
        ("after-pool", "full", ["avgpool2", "conv1 4 relu bn"]),
        ("before-pool", "full-dropout", ["conv1 4 relu bn drop0.2", "avgpool2"]),
    ],
)
def test_transitions(transition: str, style: str, between: list[str]) -> None:
    """A transition stands on its side of the pool, bare, or with norm and perhaps dropout."""
    section: Section = {"width": 8, "convs": 1, "pool": "avg", "order": "conv-relu-bn"}
    section["dropout"] = 0.2
    section |= {"transition": transition, "transition_width": 4, "transition_style": style}
    assert lines(section)[1:-3] == between


@pytest.mark.parametrize(
    ("style", "hidden"),
    [("bare", "conv1 4"), ("full", "conv1 4 bn relu"), ("full-dropout", "conv1 4 bn relu drop0.2")],
)
def test_styles_of_a_hidden_layer(style: str, hidden: str) -> None:
    """The hidden layer of a head has what a convolution has behind it, or part of that."""
    section: Section = {"width": 8, "dropout": 0.2, "head_hidden": 4, "head_hidden_style": style}
    assert lines(section)[-3:] == ["gap", hidden, "conv1 10"]


def test_a_skip_ties_the_width() -> None:
    """A skip takes the width of what comes in, and its own width has no effect."""
    answers: dict[str, Scalar] = {"stage1.conv2.skip": True, "stage1.conv1.width": 7}
    space = make(
        {
            "stages": 1,
            "width": {"low": 4, "high": 64},
            "skip": [True, False],
            "convs": 2,
            "padding": "same",
        }
    )
    suggestion = space.suggest(RandomTrial(0, answers))
    assert str(suggestion.architecture.layers[1]) == "conv3 7 pad1 bn skip relu"
    assert suggestion.inactive == {"stage1.conv2.width"}
    assert "stage1.conv1.skip" not in space.parameters


@pytest.mark.parametrize(
    ("section", "answers", "skips"),
    [
        ({"padding": ["same", "valid"]}, {"padding": "valid"}, False),
        ({"padding": ["same", "valid"]}, {"padding": "same"}, True),
        ({"padding": "same", "kernel": [3, 4]}, {"kernel": 4}, False),
        ({"padding": "same", "kernel": [3, 4]}, {"kernel": 3}, True),
        ({"kernel": 1}, {}, True),
        ({"padding": "same", "head": "gap"}, {}, False),
        ({"padding": "same", "head": "gap", "width": 10}, {}, True),
    ],
)
def test_a_skip_that_cannot_add_is_inactive(
    section: Section, answers: Section, skips: bool
) -> None:
    """Where shapes cannot agree a skip has no effect, and the line has no skip."""
    fixed: Section = {"width": 8, "stages": 1, "convs": 2, "skip": {"choices": [True]}}
    suggestion = suggest(
        {**fixed, **section}, **{f"stage1__conv2__{name}": value for name, value in answers.items()}
    )
    suggestion.architecture.check()
    assert ("stage1.conv2.skip" in suggestion.inactive) != skips
    assert ("skip" in str(suggestion.architecture)) == skips


def test_what_no_candidate_could_use_is_not_asked() -> None:
    """Parameters that the other fields leave without any effect are none of the space's."""
    two: Section = {"width": 8, "stages": 2, "convs": 2}
    transition: Section = {"transition_width": [4, 8], "transition_style": ["bare", "full"]}
    assert not make({**two, **transition}).parameters.keys() & {
        "stage1.transition_width",
        "transition_style",
    }
    assert (
        "stage1.transition_width"
        in make({**two, **transition, "transition": "after-pool"}).parameters
    )
    narrow = make({**two, "kernel": 1, "padding": ["same", "valid"]})
    assert not any("padding" in name for name in narrow.parameters)
    skip = make({**two, "padding": "valid", "skip": [False]})
    assert not any("skip" in name for name in skip.parameters)
    style: Section = {"head_hidden": 0, "head_hidden_style": ["bare", "full"]}
    assert "head_hidden_style" not in make({**two, **style}).parameters


def test_what_can_never_act_is_refused() -> None:
    """A skip or a hidden layer that no candidate could have is named, with the way out."""
    assert refuse({"width": 8, "skip": [False, True]}) == {
        "space.skip": "true never has an effect: a skip needs a convolution that keeps the size "
        'of its map; allow padding = "same" with an odd kernel, or remove true'
    }
    even: Section = {"width": 8, "skip": True, "padding": "same", "kernel": [2, 4]}
    assert refuse(even).keys() == {"space.skip"}
    assert refuse({"width": 8, "head": ["conv-gap", "gap"], "head_hidden": [0, 8]}) == {
        "space.head_hidden": 'head = "conv-gap" or "gap" takes no hidden layer; '
        'allow the head "gap-conv" or "gap-linear", or remove the key'
    }


def test_absent_stages_and_heads_are_inactive() -> None:
    """Parameters of stages, convolutions and heads that the network lacks are inactive."""
    section: Section = {"stages": [1, 2], "convs": [1, 2], "width": [4, 8], "head_hidden": [0, 4]}
    heads = ["gap", "gap-conv"]
    suggestion = suggest({**section, "head": heads}, head="gap", stages=1, stage1__convs=1)
    assert suggestion.inactive == {
        "head_hidden",
        "stage1.conv1.width",
        "stage1.conv2.width",
        "stage2.convs",
        "stage2.conv1.width",
        "stage2.conv2.width",
    }


def test_names_follow_the_place() -> None:
    """``per`` moves where a field is drawn, and with it the names; coarse places come first."""
    section: Section = {
        "stages": [1, 2],
        "convs": {"low": 1, "high": 2, "per": "network"},
        "width": {"choices": [4, 8], "per": "stage"},
        "kernel": {"choices": [3, 5], "per": "network"},
        "order": {"choices": ["conv-relu", "conv-bn-relu"], "per": "stage"},
        "dropout": {"low": 0.0, "high": 0.1, "per": "conv"},
        "pool": ["max", "avg"],
    }
    assert list(make(section).parameters) == [
        "stages",
        "convs",
        "kernel",
        "stage1.order",
        "stage1.pool",
        "stage1.width",
        "stage1.conv1.dropout",
        "stage1.conv2.dropout",
        "stage2.order",
        "stage2.width",
        "stage2.conv1.dropout",
        "stage2.conv2.dropout",
    ]


def test_a_whole_map_convolution_fits_any_oblong_map() -> None:
    """The kernel is as large as the map, where that is not an even square or above 99 pixels."""
    section: Section = {"width": 8, "stages": 1, "convs": 1, "head": "full-conv"}
    for shape, kernel in [((1, 40, 98), "38x96"), ((1, 12, 10), "10x8"), ((1, 9, 9), "7")]:
        space = make(section, shape)
        architecture = space.suggest(RandomTrial(0)).architecture
        assert str(architecture.layers[-1]) == f"conv{kernel} 10"
        architecture.check()
        assert space.params_for(architecture) == {}
        assert space.lower_bound().parameters == cost(architecture).parameters


def test_a_whole_map_convolution_needs_a_map_of_its_size() -> None:
    """On another map the candidate is suggested all the same, and its shapes are refused."""
    section: Section = {"width": 8, "stages": 1, "convs": 1, "head": "full-conv"}
    for shape in [(1, 130, 28), (1, 10, 10), (1, 130, 130)]:
        architecture = make(section, shape).suggest(RandomTrial(0)).architecture
        with pytest.raises(ShapeError, match="must give 10x1x1"):
            architecture.check()
    make(section, (1, 8, 8)).suggest(RandomTrial(0)).architecture.check()


def test_strides_take_the_place_of_pools() -> None:
    """The first convolution takes the stem's stride, one after a stage without a pool that of 2."""
    section: Section = {"width": 8, "stages": 3, "convs": 2, "padding": "same", "skip": True}
    assert lines({**section, "stem_stride": 3, "pool": "stride"}) == [
        "conv3 8 pad1 stride3 bn relu",
        "conv3 8 pad1 bn skip relu",
        "conv3 8 pad1 stride2 bn relu",
        "conv3 8 pad1 bn skip relu",
        "conv3 8 pad1 stride2 bn relu",
        "conv3 8 pad1 bn skip relu",
        "gap",
        "conv1 10",
    ]
    narrowed = lines(
        {
            "width": 8,
            "block": "separable",
            "convs": 1,
            "pool": "stride",
            "transition": "before-pool",
            "transition_width": 4,
        }
    )
    assert narrowed == [
        "separable3 8 bn relu",
        "conv1 4",
        "separable3 8 stride2 bn relu",
        "gap",
        "conv1 10",
    ]


def test_dropout_is_rounded() -> None:
    """Rates have at most three decimals, and one that rounds to nothing leaves no word."""
    assert lines({"width": 8, "dropout": 0.12345})[0] == "conv3 8 bn relu drop0.123"
    assert lines({"width": 8, "dropout": 0.0004})[0] == "conv3 8 bn relu"


def test_every_problem_is_reported_at_once() -> None:
    """One refusal names every wrong key, with the value and the way out."""
    section: Section = {
        "widht": 8,
        "width": {"low": 32, "high": 4},
        "kernel": [3, 8],
        "padding": "sam",
        "stages": 5,
        "convs": {"low": 1, "high": 3, "per": "conv"},
        "head": {"choices": ["gap"], "per": "network"},
        "skip": 1,
        "transition": ["none", "after-pool"],
        "dropout": {"low": 0.0, "high": 1.0},
    }
    assert refuse(section) == {
        "space.widht": 'unknown key (did you mean "width"?)',
        "space.width": "low 32 is above high 4; swap them",
        "space.kernel": "choice 8 is not allowed; the nearest allowed values: 7, 9",
        "space.padding": '"sam" is not allowed; give one of "same", "valid" (did you mean "same"?)',
        "space.stages": "5 is too large; give at most 4",
        "space.convs": 'per "conv" is not possible; give "network" or "stage"',
        "space.skip": "1 is not true or false",
        "space.transition_width": 'is required, as transition can be "after-pool"; '
        "give its channels, such as { low = 4, high = 16 }",
        "space.dropout": "high 1.0 is too large; give at most 0.9",
    }


def test_required_fields() -> None:
    """The width is always required, a transition's width only where one is possible."""
    assert refuse({}).keys() == {"space.width"}
    transition: Section = {"width": 8, "transition": ["none", "after-pool"]}
    assert refuse(transition).keys() == {"space.transition_width"}
    make({**transition, "stages": 1})
    make({**transition, "transition_width": 4})
    make({**transition, "transition": "none"})
