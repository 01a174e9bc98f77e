"""What an architecture costs, computed from the architecture alone."""

from __future__ import annotations

from dataclasses import dataclass

from space.architecture import Architecture
from space.layers import Layer
from space.layers.operations import Convolution, Gap, Linear, Separable, WholeMap
from space.layers.shapes import Application
from space.layers.words import BatchNorm, Operation, Shape, Skip, elements

BYTES = 4  # of a float32


@dataclass(frozen=True)
class Cost:
    """The cost of one network, for one image.

    Attributes:
        parameters: every trainable parameter, BatchNorm's scale and shift included, running
            statistics not. Lines that are applied again count once.
        macs: multiplications of convolutions (padding included) and linear layers, biases apart;
            each application counts.
        activation_bytes: float32, the largest sum over all operations of the map that the operation
            reads, the map that it writes, and the maps that are kept for a skip meanwhile.
            Element-wise words work in place and add nothing; a line without an operation holds its
            one map. A separable is two operations, with the depthwise map between them. A line's
            input that a skip adds is kept to the end of the last line that adds it; while the first
            operation of its own line reads it, it is counted once, even behind words such as
            ``bn relu`` that would have to work on a copy.
        receptive_field_before_gap: input pixels, a side, that one output of the last line before
            the first ``gap`` sees; not capped by the image. Without a ``gap``: the next figure. A
            skip adds nothing: what it goes around sees at least as much.
        receptive_field: the same for one logit. A ``gap`` or ``linear`` sees its whole map, of
            which the longer side counts; what follows it sees no more.
        deployed_parameters: ``parameters`` after every ``bn`` that directly follows a convolution
            or linear word (or another such ``bn``) on its line was folded into it: its scale and
            shift vanish, and a bias appears where there was none.
    """

    parameters: int
    macs: int
    activation_bytes: int
    receptive_field_before_gap: int
    receptive_field: int
    deployed_parameters: int

    @property
    def activation_kib(self) -> float:
        """``activation_bytes`` in KiB of 1024 bytes."""
        return self.activation_bytes / 1024


def cost(architecture: Architecture) -> Cost:
    """Count what a network costs, without building it.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    layers, applications = architecture.layers, architecture.applications
    parameters = deployed = macs = 0
    counted: set[int] = set()
    for _, source, shapes in applications:
        words = layers[source].words
        macs += sum(word.macs(shape) for word, shape in zip(words, shapes, strict=False))
        if source not in counted:
            counted.add(source)
            own = sum(word.parameters(shape) for word, shape in zip(words, shapes, strict=False))
            parameters += own
            deployed += own - _folded(layers[source], shapes)
    before, after = _receptive_field(layers, applications)
    return Cost(
        parameters=parameters,
        macs=macs,
        activation_bytes=BYTES * _peak(layers, applications),
        receptive_field_before_gap=before,
        receptive_field=after,
        deployed_parameters=deployed,
    )


def _folded(layer: Layer, shapes: tuple[Shape, ...]) -> int:
    """Count the parameters that folding BatchNorm removes from a line; may be 0."""
    words = layer.words
    for position, word in enumerate(words):
        if isinstance(word, Convolution | Linear):
            norms = 0
            while words[position + 1 + norms : position + 2 + norms] == (BatchNorm(),):
                norms += 1
            channels = shapes[position + 1][0]
            appears = channels if norms and not word.bias else 0
            return 2 * channels * norms - appears
    return 0


def _peak(layers: tuple[Layer, ...], applications: tuple[Application, ...]) -> int:
    """Find the largest number of elements that are held at once."""
    last_use = {
        index - word.lines + 1: index
        for index, application in enumerate(applications)
        for word in layers[application.source].words
        if isinstance(word, Skip)
    }
    peak = 0
    for index, (_, source, shapes) in enumerate(applications):
        kept = sum(
            elements(applications[earlier].shapes[0])
            for earlier, until in last_use.items()
            if earlier < index <= until
        )
        peak = max(peak, kept + _held(layers[source], shapes, input_kept=index in last_use))
    return peak


def _held(layer: Layer, shapes: tuple[Shape, ...], input_kept: bool) -> int:
    """Find the largest number of elements that one line reads and writes at once."""
    operand = elements(shapes[0])
    for word, shape, result in zip(layer.words, shapes, shapes[1:], strict=False):
        if isinstance(word, Separable):
            between = elements(word.depthwise.output(shape))
            beside = operand if input_kept else 0
            return between + max(operand, beside + elements(result))
        if isinstance(word, Operation):
            return operand + elements(result)
    return operand


def _receptive_field(
    layers: tuple[Layer, ...], applications: tuple[Application, ...]
) -> tuple[int, int]:
    """Walk forward: a window of side k on pixels j apart adds (k - 1) * j; a stride widens j."""
    side = apart = 1
    before: int | None = None
    whole = False
    for _, source, shapes in applications:
        for word, shape in zip(layers[source].words, shapes, strict=False):
            if isinstance(word, Gap) and before is None:
                before = side
            if not isinstance(word, Operation) or whole:
                continue
            window, step = word.window(shape)
            side += (window - 1) * apart
            apart *= step
            whole = isinstance(word, WholeMap)
    return (side if before is None else before), side
