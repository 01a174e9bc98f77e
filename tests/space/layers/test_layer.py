from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space.errors import LayerError
from space.layers import (
    Activation,
    Again,
    BatchNorm,
    Conv,
    Depthwise,
    Dropout,
    Dropout2d,
    Gap,
    GhostBatchNorm,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Pool,
    Separable,
    Skip,
)
from space.layers.vocabulary import WORDS
from space.layers.words import Word
from tests.space.strategies import layers

relaxed = settings(max_examples=150)


@relaxed
@given(layers())
def test_text_round_trip(layer: Layer) -> None:
    """Every layer prints as a text that parses back to it, and that is a fixed point."""
    text = str(layer)
    assert Layer.parse(text) == layer
    assert str(Layer.parse(text)) == text


@relaxed
@given(layers(), st.data())
def test_blanks_do_not_matter(layer: Layer, data: st.DataObject) -> None:
    """Runs of blanks around and between words do not change what is read."""
    blanks = st.text(" \t", min_size=1, max_size=3)
    text = "".join(token + data.draw(blanks) for token in ("", *str(layer).split()))
    assert Layer.parse(text) == layer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("conv3 16", (Conv(3, 16),)),
        ("conv3 16 pad1 stride2 groups4 bias", (Conv(3, 16, 1, 2, 4, bias=True),)),
        ("depthwise5 pad2 bn", (Depthwise(5, 2), BatchNorm())),
        ("separable5 16 pad2 bias", (Separable(5, 16, 2, bias=True),)),
        ("maxpool2", (Pool("max", 2),)),
        ("bn relu avgpool3", (BatchNorm(), Activation("relu"), Pool("avg", 3))),
        ("gap drop0.05", (Gap(), Dropout(0.05))),
        ("linear 10", (Linear(10),)),
        ("linear 10 nobias", (Linear(10, bias=False),)),
        ("conv1 8 silu skip", (Conv(1, 8), Activation("silu"), Skip())),
        ("hardswish skip3", (Activation("hardswish"), Skip(3))),
        ("again", (Again(),)),
        ("again3", (Again(3),)),
        ("drop0.00001", (Dropout(1e-05),)),
        ("conv10x4 64 pad5x1 stride2x1", (Conv((10, 4), 64, (5, 1), (2, 1)),)),
        ("conv3 8 pad2 dilation2 groups4", (Conv(3, 8, 2, groups=4, dilation=2),)),
        ("depthwise1x5 pad0x2", (Depthwise((1, 5), (0, 2)),)),
        ("separable3x5 8 dilation1x2", (Separable((3, 5), 8, dilation=(1, 2)),)),
        ("maxpool3 pad1 stride2", (Pool("max", 3, 1, 2),)),
        ("avgpool4x1 stride2x1", (Pool("avg", (4, 1), stride=(2, 1)),)),
        ("conv1 8 ln gn4 prelu", (Conv(1, 8), LayerNorm(), GroupNorm(4), Activation("prelu"))),
        ("gap dropout2d0.05", (Gap(), Dropout2d(0.05))),
        ("conv1 8 bn noscale relu", (Conv(1, 8), BatchNorm(scale=False), Activation("relu"))),
        ("gbn2 noscale bn", (GhostBatchNorm(2, scale=False), BatchNorm())),
        ("conv1 8 gbn4 relu", (Conv(1, 8), GhostBatchNorm(4), Activation("relu"))),
    ],
)
def test_canonical_text_is_the_value_it_says(text: str, words: tuple[Word, ...]) -> None:
    """A canonical text reads as exactly these words and prints as itself."""
    assert Layer.parse(text) == Layer(words)
    assert str(Layer(words)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("conv3 16 pad0 stride1 groups1", "conv3 16"),
        ("conv3 16 bias groups4 pad1", "conv3 16 pad1 groups4 bias"),
        ("conv03 016", "conv3 16"),
        ("relu skip1", "relu skip"),
        ("again1", "again"),
        ("gap drop0.10", "gap drop0.1"),
        ("gap drop.5", "gap drop0.5"),
        ("linear 10 bias", "linear 10"),
        ("conv3 16 nobias", "conv3 16"),
        ("conv3x3 16 pad1x1 stride1x1 dilation1", "conv3 16 pad1"),
        ("conv10x4 64 stride2x1 pad5x1", "conv10x4 64 pad5x1 stride2x1"),
        ("maxpool3 stride2 pad1", "maxpool3 pad1 stride2"),
        ("maxpool2 stride2 pad0", "maxpool2"),
        ("avgpool3x2 stride3x2", "avgpool3x2"),
    ],
)
def test_written_out_defaults_are_normalised(text: str, canonical: str) -> None:
    """Defaults that are written out and modifiers in another order read as the one spelling."""
    assert str(Layer.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "at least one word"),
        ("conv3 x relu", 'number of channels "x" is not a whole number from 1 to 65536'),
        ("conv3 0", "number of channels 0 is too small; give at least 1"),
        ("conv3 -4", 'number of channels "-4" is not a whole number'),
        ("conv3 1.5", 'number of channels "1.5" is not a whole number'),
        ("conv3 65537", "number of channels 65537 is too large; give at most 65536"),
        ("conv3 99999999999999999999", "is too large; give at most 65536"),
        ("conv" + "9" * 5000 + " 3", "is too large; give at most 99"),
        ("conv3", '"conv3" lacks its number of channels'),
        ("conv 16", '"conv" lacks its kernel size, as in "conv3"'),
        ("conv8 16", '"8" is not a kernel size (2, 4, 6 or an odd number up to 99)'),
        ("conv0 16", "kernel size 0 is too small; give at least 1"),
        ("conv3.5 16", 'kernel size "3.5" is not a whole number from 1 to 99'),
        ("conv101 16", "kernel size 101 is too large; give at most 99"),
        ("conv3 16 pad100", "padding 100 is too large; give at most 99"),
        ("conv3 16 stride0", "stride 0 is too small; give at least 1"),
        ("conv3 16 pad1 pad1", '"pad1" repeats a modifier'),
        ("conv3 15 groups2", '"groups2" does not divide the 15 channels'),
        ("gap pad1", '"pad1" stands alone'),
        ("maxpool2 groups2", '"groups2" does not go with "maxpool2"'),
        ("maxpool3x2 pad1x2", 'more than half of the window of "maxpool3x2 pad1x2"; give at most'),
        ("conv10x 16", 'kernel size "10x" is not two whole numbers from 1 to 99, as in 10x4'),
        ("conv3x4x5 16", 'kernel size "3x4x5" is not two whole numbers'),
        ("conv8x8 16", '"8" is not a kernel size'),
        ("conv3x0 16", "kernel size 0 is too small; give at least 1"),
        ("conv3 16 pad1x100", "padding 100 is too large; give at most 99"),
        ("conv3 16 dilation0", "dilation 0 is too small; give at least 1"),
        ("conv3 16 groups2x2", 'number of groups "2x2" is not a whole number'),
        ("gn1", "number of groups 1 is too small; give at least 2"),
        ("depthwise3 groups2", '"groups2" does not go with "depthwise3"'),
        ("depthwise3 16", '"16" is not a word'),
        ("conv3 16 relu pad1", '"pad1" stands alone'),
        ("maxpool", '"maxpool" lacks its pool size, as in "maxpool2"'),
        ("maxpool1", "pool size 1 is too small; give at least 2"),
        ("gap2", '"gap2" is not a word'),
        ("linear", '"linear" lacks its number of features'),
        ("linear 10 pad1", '"pad1" does not go with "linear"'),
        ("linear 10 bias nobias", '"nobias" repeats a modifier'),
        ("drop0", "0.0 is not a dropout rate, such as 0.1 (above 0 and below 1)"),
        ("drop1", "1.0 is not a dropout rate"),
        ("drop", '"drop" lacks its dropout rate, as in "drop0.1"'),
        ("drop-0.1", '"drop-0.1" is not a dropout rate'),
        ("dropout2d", '"dropout2d" lacks its dropout rate, as in "dropout2d0.1"'),
        ("dropout2d1", "1.0 is not a dropout rate"),
        ("dropout2d-1", '"dropout2d-1" is not a dropout rate, as in "dropout2d0.1"'),
        ("gbn", '"gbn" lacks its number of parts, as in "gbn4"'),
        ("gbn1", "number of parts 1 is too small; give at least 2"),
        ("gbn65", "number of parts 65 is too large; give at most 64"),
        ("skip0", "number of lines 0 is too small; give at least 1"),
        ("again65", "number of lines 65 is too large; give at most 64"),
        ("conv3 16 again", '"again" stands alone on its line'),
        ("conv3 16 gap", '"gap" follows "conv3 16" on one line'),
        ("Conv3 16", '"Conv3" is not a word of the layer language; words are in lower case'),
        ("conv3 16 mish", '"mish" is not a word of the layer language'),
        ("covn3 16", 'did you mean "conv"?'),
        ("conv3 16 rellu", 'did you mean "relu"?'),
        ("maxpol2", 'did you mean "maxpool"?'),
        ("conv³ 16", '"conv³" is not a word'),
    ],
)
def test_refusals_name_the_word(text: str, complaint: str) -> None:
    """What is not the layer language is refused in one line that shows the line and the word."""
    with pytest.raises(LayerError) as caught:
        Layer.parse(text)
    message = str(caught.value)
    assert complaint in message
    assert text in message
    assert "\n" not in message


_WORDS = ["conv3", "conv4", "conv", "depthwise5", "separable3", "maxpool2", "avgpool9", "gap"]
_MORE = ["linear", "relu", "bn", "drop0.1", "drop", "skip", "skip3", "again", "again2", "bias"]
_ODDS = ["pad1", "pad", "stride2", "groups2", "nobias", "16", "0", "-1", "1e3", "x", "²", "relu\0"]
_OBLONG = ["conv3x2", "maxpool3x2", "pad1x0", "stride2x1", "dilation2", "x2", "gn4", "dropout2d0.1"]
_FRAGMENTS = [*_WORDS, *_MORE, *_ODDS, *_OBLONG]


@relaxed
@given(st.one_of(st.text(), st.lists(st.sampled_from(_FRAGMENTS), max_size=6).map(" ".join)))
def test_any_text_is_a_layer_or_a_layer_error(text: str) -> None:
    """No text does anything but parse to a layer with one spelling or raise LayerError."""
    try:
        layer = Layer.parse(text)
    except LayerError:
        return
    assert Layer.parse(str(layer)) == layer


def test_values_are_checked_like_text() -> None:
    """A word made in Python is held to the same limits as a word in a text."""
    with pytest.raises(LayerError, match="a kernel size"):
        Conv(8, 16)
    with pytest.raises(LayerError, match="number of channels 0 is too small"):
        Separable(3, 0)
    with pytest.raises(LayerError, match=r"padding \[1, 1\] is not a whole number, or two diff"):
        Conv(3, 16, (1, 1))
    with pytest.raises(LayerError, match="stride 0 is too small"):
        Pool("max", 2, stride=0)
    with pytest.raises(LayerError, match="a dropout rate"):
        Dropout(1.0)
    with pytest.raises(LayerError, match="an activation"):
        Activation("mish")
    with pytest.raises(LayerError, match="a kind of pool"):
        Pool("mean", 2)  # type: ignore[arg-type]
    with pytest.raises(LayerError, match="a line of text"):
        Layer.parse(3)  # type: ignore[arg-type]


def test_every_class_of_words_is_in_the_table() -> None:
    """No class that says how it is spelled is left out, and no two have a stem in common."""
    classes, found = [Word], set()
    while classes:
        word = classes.pop()
        classes += word.__subclasses__()
        found |= {word.__name__} if hasattr(word, "spelling") else set()
    assert found == {word.__name__ for word in WORDS}
    stems = [stem for word in WORDS for stem in word.spelling.stems]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize("word", WORDS)
def test_unknown_words_are_told_the_known_ones(word: type[Word]) -> None:
    """The message for an unknown word lists every stem of the table."""
    with pytest.raises(LayerError) as caught:
        Layer.parse("nonsense")
    assert {*word.spelling.stems} <= {*str(caught.value).rstrip(")").split("(")[1].split()}
