"""Find the values from which a space by stages makes a given architecture.

The space puts the architecture together once more. Each time it needs a value, the value is read
off the architecture's next line. Where no single line shows it (how many convolutions a stage has,
which head), every possible value is tried, until a line differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from space.architecture import Architecture
from space.errors import OutsideSpaceError
from space.fields import Field, Scalar, show
from space.fields.match import allowed, spelled
from space.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dropout,
    Gap,
    Layer,
    Linear,
    Pool,
    Separable,
    Skip,
    Word,
)
from space.layers.spelling import Sides, spell_number
from space.stages.draft import Draft, Reading
from space.stages.fields import Fields

W = TypeVar("W", bound=Word)


def invert(fields: Fields, architecture: Architecture, classes: int) -> dict[str, Scalar]:
    """Return values from which the space makes exactly this architecture; others change nothing.

    Raises:
        OutsideSpaceError: there are none; the message names the line at which the best try ended.
    """
    trail: list[_Choice] = []
    furthest = _Differs(-1, "", names_field=False)
    while True:
        made: list[Layer] = []
        values = {choice.parameter: choice.value for choice in trail}
        guide = _Guide(fields, values, target=architecture.layers, made=made, trail=trail)
        draft = _Checked(guide, architecture.input_shape, classes, made)
        try:
            draft.build()
            guide.check_end()
            return {choice.parameter: choice.value for choice in trail}
        except _Differs as difference:
            furthest = max(furthest, difference, key=lambda found: found.rank)
        while trail and not trail[-1].advance():
            trail.pop()
        if not trail:
            head = _head_of(architecture.layers)
            if head not in fields["head"].field.values():
                heads = allowed(fields["head"].field)
                raise OutsideSpaceError(f'it ends in the head "{head}", but space.head is {heads}')
            raise OutsideSpaceError(furthest.reason)


@dataclass
class _Choice:
    """A parameter with the values to try."""

    parameter: str
    options: Sequence[Scalar]
    index: int = 0

    @property
    def value(self) -> Scalar:
        return self.options[self.index]

    def advance(self) -> bool:
        self.index += 1
        return self.index < len(self.options)


class _Differs(Exception):
    """The space cannot make a line of the architecture.

    A reason that names the field which forbids the line is the more useful one for a message.
    """

    def __init__(self, line: int, reason: str, *, names_field: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rank = (line, names_field)


@dataclass
class _Guide(Reading):
    """Values that are read off the target's next line, with a trail of what was chosen."""

    target: tuple[Layer, ...] = ()
    made: list[Layer] = field(default_factory=list)
    trail: list[_Choice] = field(default_factory=list)

    def value(self, name: str, stage: int, conv: int) -> Scalar:
        parameter = self.fields[name].parameter(name, stage, conv)
        if parameter not in self.values:
            choice = _Choice(parameter, self._options(name, self.fields[name].field))
            self.trail.append(choice)
            self.values = {**self.values, parameter: choice.value}
        return self.values[parameter]

    def check(self, layer: Layer) -> None:
        """Compare a line with the target's."""
        if layer != self._line():
            raise self.differs(f'the space gives "{layer}" there')

    def check_end(self) -> None:
        """Make sure that no line of the target is left over."""
        if len(self.made) < len(self.target):
            raise self.differs("the space has no more lines there")

    def differs(self, reason: str, *, names_field: bool = False) -> _Differs:
        """Return the difference at the target's next line, for a reason."""
        line = len(self.made)
        place = f'line {line + 1} "{self.target[line]}": ' if line < len(self.target) else ""
        return _Differs(line, place + reason, names_field=names_field)

    def _options(self, name: str, field: Field) -> Sequence[Scalar]:
        if name in ("convs", "transition", "head"):
            return field.values()
        wanted = self._wanted(name)
        found = [value for one in wanted if (value := spelled(field, one)) is not None]
        if found:
            return found
        needs = " or ".join(map(show, wanted))
        reason = f"it needs {name} = {needs}, but space.{name} is {allowed(field)}"
        raise self.differs(reason, names_field=True)

    def _wanted(self, name: str) -> Sequence[Scalar]:
        if name == "stages":
            return [1 + sum(map(_starts_stage, self.target[1:]))]
        if name == "stem_stride":
            operation = _convolution(self.target[0])
            return [1 if operation is None else _whole(operation.stride)]
        if name == "head_hidden":
            return [*(_width(layer) or 0 for layer in self._behind()), 0]
        if name == "head_hidden_style":
            return [style for layer in self._behind() for style in _styles(layer)]
        if name == "transition_style":
            return _styles(self._line())
        value = _READERS[name](self._line())
        if value is None and name == "pool" and "stride" in self.fields[name].field.values():
            return ["stride"]
        if value is None and name == "transition_width":
            is_now = allowed(self.fields["transition"].field)
            raise self.differs(f"the space has a transition there: space.transition is {is_now}")
        if value is None:
            what = "a pool" if name == "pool" else "a convolution"
            raise self.differs(f"the space has {what} there")
        return [value]

    def _behind(self) -> tuple[Layer, ...]:
        """Return the line behind the next one: a hidden layer is put together before its gap."""
        return self.target[len(self.made) + 1 :][:1]

    def _line(self) -> Layer:
        if len(self.made) == len(self.target):
            raise self.differs("the network ends where the space has more lines")
        return self.target[len(self.made)]


@dataclass
class _Checked(Draft):
    """A draft whose every line must be the target's."""

    reading: _Guide

    def add(self, layer: Layer) -> None:
        self.reading.check(layer)
        super().add(layer)


def _head_of(layers: Sequence[Layer]) -> str:
    """Return the head that the last lines look like."""
    last, *before = [layer.operation for layer in reversed(layers)]
    if isinstance(last, Linear):
        return "gap-linear"
    if not isinstance(last, Gap):
        return "gap-conv" if any(isinstance(word, Gap) for word in before) else "full-conv"
    bare = len(layers) > 1 and len(layers[-2].words) == 1
    return "conv-gap" if bare and isinstance(before[0], Conv) and before[0].kernel == 1 else "gap"


def _word(layer: Layer, kind: type[W]) -> W | None:
    return next((word for word in layer.words if isinstance(word, kind)), None)


def _convolution(layer: Layer) -> Conv | Separable | None:
    return _word(layer, Conv) or _word(layer, Separable)


def _width(layer: Layer) -> Scalar | None:
    operation = _convolution(layer)
    return None if operation is None else operation.channels


def _kernel(layer: Layer) -> Scalar | None:
    operation = _convolution(layer)
    return None if operation is None else _whole(operation.kernel)


def _padding(layer: Layer) -> Scalar | None:
    operation = _convolution(layer)
    return None if operation is None else "same" if operation.padding else "valid"


def _bias(layer: Layer) -> Scalar | None:
    operation = _convolution(layer)
    return None if operation is None else operation.bias


def _order(layer: Layer) -> Scalar:
    kinds = [type(word) for word in layer.words]
    if BatchNorm not in kinds:
        return "conv-relu"
    after = Activation in kinds[kinds.index(BatchNorm) :]
    return "conv-bn-relu" if after else "conv-relu-bn"


def _norm_scale(layer: Layer) -> Scalar:
    word = _word(layer, BatchNorm)
    return word is None or word.scale


def _activation(layer: Layer) -> Scalar | None:
    word = _word(layer, Activation)
    return None if word is None else word.name


def _dropout(layer: Layer) -> Scalar:
    word = _word(layer, Dropout)
    return 0.0 if word is None else word.rate


def _pool(layer: Layer) -> Scalar | None:
    word = _word(layer, Pool)
    return None if word is None else word.kind


def _starts_stage(layer: Layer) -> bool:
    """Return whether a line that is not the first begins a new stage, as a pool or by a stride."""
    operation = layer.operation
    return isinstance(operation, Pool) or (
        isinstance(operation, Conv | Separable) and operation.stride != 1
    )


def _whole(sides: Sides) -> Scalar:
    """Return a number for both axes; the text of two, which no field has."""
    return spell_number(sides) if isinstance(sides, tuple) else sides


def _styles(layer: Layer) -> Sequence[Scalar]:
    if len(layer.words) == 1:
        return ["bare"]
    return ["full-dropout"] if _word(layer, Dropout) else ["full", "full-dropout"]


_READERS: dict[str, Callable[[Layer], Scalar | None]] = {
    "width": _width,
    "transition_width": _width,
    "kernel": _kernel,
    "padding": _padding,
    "bias": _bias,
    "block": lambda layer: "separable" if _word(layer, Separable) else "conv",
    "skip": lambda layer: _word(layer, Skip) is not None,
    "order": _order,
    "norm_scale": _norm_scale,
    "activation": _activation,
    "dropout": _dropout,
    "pool": _pool,
}
