from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from math import exp, isfinite, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.architecture import Architecture
from space.cost import cost
from space.errors import LayerError, ShapeError
from space.layers import Conv, Layer, Operation, Pool, Separable
from tests.space.strategies import architectures, kernels, loose_architectures

relaxed = settings(max_examples=100)

EXAMPLE = """
conv3 8 relu bn
conv3 8 pad1 bn relu skip drop0.1
again

maxpool2
separable3 12 bn relu
gap
conv1 10
"""


@relaxed
@given(architectures())
def test_text_round_trip(architecture: Architecture) -> None:
    """Every architecture that fits together prints as a text that parses back to it."""
    assert Architecture.parse(str(architecture)) == architecture
    assert Architecture.parse(str(architecture).split("\n")) == architecture


@relaxed
@given(loose_architectures())
def test_json_round_trip(architecture: Architecture) -> None:
    """Every architecture, fitting together or not, survives JSON, copying and pickling."""
    value = json.loads(json.dumps(architecture.to_json()))
    assert Architecture.from_json(value) == architecture
    assert copy.deepcopy(architecture) == architecture
    restored = pickle.loads(pickle.dumps(architecture))
    assert (restored, hash(restored)) == (architecture, hash(architecture))
    assert restored.fingerprint == architecture.fingerprint


def misfit(architecture: Architecture) -> ShapeError | None:
    """Give the error of an architecture that does not fit together."""
    try:
        architecture.check()
    except ShapeError as error:
        return error
    return None


@relaxed
@given(loose_architectures())
def test_what_does_not_fit_is_a_shape_error(architecture: Architecture) -> None:
    """A misfit says its line and a positive, finite violation, and survives pickling."""
    error = misfit(architecture)
    if error is None:
        return
    assert 0 <= error.line < len(architecture.layers)
    assert f'line {error.line + 1} "{architecture.layers[error.line]}"' in str(error)
    assert "\n" not in str(error)
    assert error.violation > 0
    assert isfinite(error.violation)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.line, again.violation) == (error.line, error.violation)


windows = st.one_of(
    st.builds(Conv, kernels, st.just(2), st.integers(0, 2), st.integers(1, 3)),
    st.builds(Separable, kernels, st.just(2), st.integers(0, 2), st.integers(1, 3)),
    st.builds(Pool, st.sampled_from(["max", "avg"]), st.integers(2, 4)),
)


@relaxed
@given(st.lists(windows, min_size=1, max_size=6), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_violation_of_a_vanished_map_is_the_input_that_lacks(
    operations: list[Operation], sides: tuple[int, int]
) -> None:
    """An input of exactly the needed side lets no map vanish, and one pixel less does."""
    layers = (*(Layer((operation,)) for operation in operations), Layer.parse("gap"))
    error = misfit(Architecture((1, *sides), layers))
    if error is None:
        return
    needed = round(min(sides) * exp(error.violation))
    assert f"need an input of at least {needed}x{needed}" in str(error)
    assert misfit(Architecture((1, needed, needed), layers)) is None
    assert misfit(Architecture((1, needed - 1, needed - 1), layers)) is not None


def test_example() -> None:
    """A small network's shapes, classes and text are the ones worked out by hand."""
    architecture = Architecture.parse(EXAMPLE)
    assert architecture.shapes == (
        (8, 26, 26),
        (8, 26, 26),
        (8, 26, 26),
        (8, 13, 13),
        (12, 11, 11),
        (12, 1, 1),
        (10, 1, 1),
    )
    assert architecture.classes == 10
    assert str(architecture) == EXAMPLE.strip().replace("\n\n", "\n")


def test_again_norms_has_norms_of_its_own() -> None:
    """The norms belong to one application, and a plain ``again`` repeats them with it."""
    lines = ["conv1 4 bn", "again norms", "again2", "again2 norms", "gap"]
    architecture = Architecture.parse(lines, (4, 8, 8))
    assert [a.norms for a in architecture.applications] == [
        None,
        (1, 1),
        None,
        (1, 1),
        (3, 1),
        (3, 2),
        None,
    ]
    price = cost(architecture)
    assert price.parameters == 16 + 4 * 8
    assert price.macs == 6 * 64 * 16
    assert price.deployed_parameters == price.parameters


def test_again_repeats_applications_not_lines() -> None:
    """``againN`` repeats the last N applications, earlier repetitions included."""
    architecture = Architecture.parse(
        ["conv3 4 pad1", "relu", "again2", "again3", "again", "gap"], (4, 8, 8)
    )
    assert [(a.line, a.source) for a in architecture.applications] == [
        (0, 0),
        (1, 1),
        (2, 0),
        (2, 1),
        (3, 1),
        (3, 0),
        (3, 1),
        (4, 1),
        (5, 5),
    ]
    assert len(architecture.shapes) == 6


def test_input_shape_in_the_text() -> None:
    """A first ``input`` line overrides the argument, and only another shape is printed."""
    colour = Architecture.parse("input 3x32x32\ngap")
    assert colour.input_shape == (3, 32, 32)
    assert str(colour) == "input 3x32x32\ngap"
    assert Architecture.parse("gap", (3, 32, 32)) == colour
    assert str(Architecture.parse("input 1x28x28\ngap", (3, 32, 32))) == "gap"


def test_fingerprint_is_stable() -> None:
    """The fingerprint depends on the value alone and never changes between versions."""
    assert Architecture.parse("conv3  8 pad0 relu\n\ngap").fingerprint == "1f99b77d6e20"
    assert Architecture.parse("conv3 9 relu\ngap").fingerprint != "1f99b77d6e20"


@pytest.mark.parametrize(
    ("text", "line", "violation", "complaint"),
    [
        (
            "conv3 8\nmaxpool2\nmaxpool9\nconv5 16\ngap",
            3,
            log(92 / 28),
            'line 4 "conv5 16": a 5x5 kernel does not fit the 1x1 map (8x1x1); '
            "the lines need an input of at least 92x92",
        ),
        ("maxpool2\nmaxpool20\ngap", 1, log(40 / 28), "a 20x20 window does not fit the 14x14 map"),
        ("conv31 8 pad1\nconv3 8\ngap", 0, log(31 / 28), "a 31x31 kernel with pad1 does not fit"),
        ("gap\nconv3 10\nconv3 10", 1, log(5), 'the lines after "gap" need at least 5x5'),
        ("conv3 8 skip\ngap", 0, log(8) + 2 * log(28 / 26), "cannot add 1x28x28 to 8x26x26"),
        ("relu skip2\ngap", 0, log(2), "reaches back before the first line"),
        ("conv3 8\nagain\ngap", 1, log(8), 'line 2 "again" (line 1 "conv3 8"): the weights of'),
        ("linear 8\nagain", 1, log(784 / 8), 'the weights of "linear 8" were made for 1x28x28'),
        ("bn\nconv1 4\nagain2\ngap", 2, log(4), 'the weights of "bn" were made for 1x28x28'),
        ("skip2", 0, log(2), "at most skip here"),
        (
            "gap\nagain3",
            1,
            log(2),
            '"again3" reaches back before the first line; at most again here',
        ),
        ("again\ngap", 0, log(2), '"again" reaches back before the first line; remove it'),
        ("conv3 8\nconv3 9 groups3\ngap", 1, log(9 / 8), '"groups3" does not divide the 8 input'),
        ("conv3 8", 0, log(26), 'line 1 "conv3 8": the last line gives 8x26x26'),
    ],
)
def test_misfits(text: str, line: int, violation: float, complaint: str) -> None:
    """Each way not to fit is named with its line and measured as documented."""
    with pytest.raises(ShapeError) as caught:
        Architecture.parse(text)
    assert complaint in str(caught.value)
    assert caught.value.line == line
    assert caught.value.violation == pytest.approx(violation)


def test_absurd_repetition_is_still_measured() -> None:
    """A text whose maps could fit no image at all is refused with a finite violation."""
    with pytest.raises(ShapeError) as caught:
        Architecture.parse(["maxpool99", *["again64"] * 64, "gap"])
    assert 0 < caught.value.violation < 20


def test_a_misfit_is_found_late() -> None:
    """The constructor takes lines that do not fit, and every use of their shapes refuses them."""
    architecture = Architecture((1, 4, 4), (Layer.parse("conv5 8"), Layer.parse("gap")))
    assert Architecture.from_json(architecture.to_json()) == architecture
    with pytest.raises(ShapeError):
        architecture.check()
    with pytest.raises(ShapeError):
        _ = architecture.shapes
    with pytest.raises(ShapeError):
        _ = architecture.classes


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at least one line"),
        ("input 3x32x32", "at least one line"),
        ("input 3x32\ngap", '"input 3x32" is not an input shape'),
        ("input 0x32x32\ngap", "(0, 32, 32) is not an input shape"),
        ("gap\ninput 3x32x32", 'line 2 "input 3x32x32": "input" is not a word'),
        (
            "conv3 8\n\nconv3 8 relu\nconv3 x relu",
            'line 3 "conv3 x relu": number of channels "x" is not a whole number from 1 to 65536',
        ),
    ],
)
def test_text_that_is_refused(text: str, complaint: str) -> None:
    """Text that is not the layer language is refused with the line's number, text and word."""
    with pytest.raises(LayerError) as caught:
        Architecture.parse(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"version": 2, "input": [1, 28, 28], "layers": ["gap"]},
        {"version": 1, "input": [28, 28], "layers": ["gap"]},
        {"version": 1, "input": [1, 28, "28"], "layers": ["gap"]},
        {"version": 1, "input": [1, 28, 28.0], "layers": ["gap"]},
        {"version": 1, "input": [1, 28, 28], "layers": "gap"},
        {"version": 1, "input": [1, 28, 28], "layers": []},
        {"version": 1, "input": [1, 28, 28], "layers": [3]},
        {"version": 1, "input": [1, 28, 28], "layers": ["gup"]},
    ],
)
def test_json_that_is_refused(value: dict[str, object]) -> None:
    """JSON that is not an architecture of this version is refused."""
    with pytest.raises(LayerError):
        Architecture.from_json(value)


def test_importing_space_does_not_import_torch() -> None:
    """Architectures and their costs need no torch, and ``build`` is there when asked for."""
    code = (
        "import sys, space, space.architecture, space.cost, space.layers;"
        "space.cost.__call__(space.Architecture.parse('gap'));"
        "assert not {'torch', 'optuna', 'trainer', 'search'} & set(sys.modules);"
        "assert callable(space.build) and 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lists_become_tuples() -> None:
    """An architecture made of lists equals, and hashes as, the one made of tuples."""
    layers = [Layer.parse(line) for line in ("conv3 4 relu", "gap", "linear 10")]
    made = Architecture([1, 28, 28], layers)  # type: ignore[arg-type]
    assert made == Architecture((1, 28, 28), tuple(layers))
    assert len({made, Architecture.parse(str(made))}) == 1
    assert hash(Layer(list(layers[0].words))) == hash(layers[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make", [lambda: Architecture((1, 28, 28), ("gap",)), lambda: Layer(("gap",))]
)
def test_text_is_neither_a_layer_nor_a_word(make: Callable[[], object]) -> None:
    """What has to be parsed first is refused at once, with the way to do it."""
    with pytest.raises(LayerError, match=r"use \w+\.parse to read text"):
        make()
