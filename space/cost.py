"""The cost of an architecture, computed from its text without building it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from space.architecture import Architecture
from space.layers import Layer
from space.layers.operations import Convolution, Gap, Linear, WholeMap
from space.layers.shapes import Norms
from space.layers.words import BatchNorm, Operation, Shape, elements
from space.program import kept_maps

BYTES = 4  # of a float32


@dataclass(frozen=True)
class Cost:
    """The cost of one network, for one image.

    Attributes:
        parameters: every trainable parameter, BatchNorm's scale and shift included, running
            statistics not. Lines that are applied again count once, but for the further norms of
            ``again norms``.
        macs: multiply-accumulates of convolutions (padding included) and linear layers, without
            biases. Each application of a line counts.
        activation_bytes: bytes of float32 activations that are held at once, at most: for each
            operation the map that it reads, the map that it writes, and the maps that are kept for
            a skip meanwhile. Element-wise words work in place and add nothing; a line without an
            operation holds its one map. A separable is two operations, with the depthwise map
            between them. A line's input that a skip adds is kept to the end of the last line that
            adds it. While the first operation of its own line reads it, it is counted once, even
            behind words such as ``bn relu`` that would have to work on a copy.
        receptive_field_before_gap: the longer side, in pixels of the image, of what one output of
            the last line before the first ``gap`` sees. It may be larger than the image. Without a
            ``gap`` it equals ``receptive_field``. A skip adds nothing: the lines that it goes
            around see at least as much.
        receptive_field: the same for one logit. A ``gap`` or ``linear`` sees its whole map, of
            which the longer side counts; what follows it sees no more.
        deployed_parameters: ``parameters`` after every ``bn`` or ``gbn`` that directly follows a
            convolution or linear word (or another such norm) on its line was folded into it: its
            scale and shift are dropped, and a bias is added where there was none.
    """

    parameters: int
    macs: int
    activation_bytes: int
    receptive_field_before_gap: int
    receptive_field: int
    deployed_parameters: int

    @property
    def activation_kib(self) -> float:
        """Return ``activation_bytes`` in KiB of 1024 bytes."""
        return self.activation_bytes / 1024


def cost(architecture: Architecture) -> Cost:
    """Count what a network costs, without building it.

    Args:
        architecture: its lines must fit together.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    parameters, macs = counts(architecture)
    layers, applications = architecture.layers, architecture.applications
    first = {each.source: each.shapes for each in reversed(applications)}
    # The one convolution before several norms cannot take them all in.
    several = {each.source for each in applications if each.norms is not None}
    folded = sum(
        _folded(layers[source], shapes) for source, shapes in first.items() if source not in several
    )
    before, after = _receptive_field(architecture)
    return Cost(
        parameters=parameters,
        macs=macs,
        activation_bytes=BYTES * peak(architecture).elements,
        receptive_field_before_gap=before,
        receptive_field=after,
        deployed_parameters=parameters - folded,
    )


def counts(architecture: Architecture) -> tuple[int, int]:
    """Count parameters and multiply-accumulates alone, as in :class:`Cost`.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    parameters = macs = 0
    for of_line, work in counts_of_applications(architecture):
        parameters += of_line
        macs += work
    return parameters, macs


def counts_of_applications(architecture: Architecture) -> Iterator[tuple[int, int]]:
    """Count the parameters that each application of a line adds, and its multiply-accumulates.

    A line that is applied again adds no parameters but those of its further norms.

    Raises:
        ShapeError: the lines do not fit together.
    """
    counted: set[tuple[int, Norms | None]] = set()
    for _, source, shapes, norms in architecture.applications:
        words = architecture.layers[source].words
        parameters = macs = 0
        for word, shape in zip(words, shapes, strict=False):
            macs += word.macs(shape)
        made = {None, norms} - {each for of, each in counted if of == source}
        for word, shape in zip(words, shapes, strict=False):
            if (norms if word.is_norm else None) in made:
                parameters += word.parameters(shape)
        counted |= {(source, None), (source, norms)}
        yield parameters, macs


def _folded(layer: Layer, shapes: tuple[Shape, ...]) -> int:
    """Count the parameters that folding BatchNorm removes from a line."""
    words = layer.words
    for position, word in enumerate(words):
        if isinstance(word, Convolution | Linear):
            behind = words[position + 1 :]
            norms = list(takewhile(lambda each: isinstance(each, BatchNorm), behind))
            shape = shapes[position + 1]
            appears = shape[0] if norms and not word.bias else 0
            return sum(norm.parameters(shape) for norm in norms) - appears
    return 0


@dataclass(frozen=True)
class Peak:
    """Where a network holds the most activations at once.

    Attributes:
        line: index of the first line that holds so many.
        shapes: the map that enters that line, and the one that leaves it.
        elements: how many numbers it holds.
    """

    line: int
    shapes: tuple[Shape, Shape]
    elements: int


def peak(architecture: Architecture) -> Peak:
    """Find the largest number of elements that are held at once, and by which line.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    applications = architecture.applications
    held = list(elements_of_applications(architecture))
    most = max(held)
    line, _, shapes, _ = applications[held.index(most)]
    return Peak(line, (shapes[0], shapes[-1]), most)


def elements_of_applications(architecture: Architecture) -> Iterator[int]:
    """Find the largest number of elements that are held while each application of a line works.

    Raises:
        ShapeError: the lines do not fit together.
    """
    keeps = kept_maps(architecture)
    for index, (_, source, shapes, _) in enumerate(architecture.applications):
        kept = sum(
            elements(keep.shape) for slot, keep in keeps.items() if slot < index <= keep.until
        )
        operation = architecture.layers[source].operation
        operand = shapes[0]
        beside = operand if index in keeps else None
        yield kept + (
            elements(operand) if operation is None else held_at_once(operation, operand, beside)
        )


def held_at_once(operation: Operation, shape: Shape, kept: Shape | None = None) -> int:
    """Find the largest number of elements that an operation reads and writes at once.

    Args:
        operation: it may have several parts, with a map between them.
        shape: the map that it reads.
        kept: the same map where it is kept for a skip, so that it is still held while the parts
            after the first work; None where it is not.
    """
    peak = beside = 0
    for _, part in operation.parts():
        after = part.output(shape)
        peak = max(peak, beside + elements(shape) + elements(after))
        shape, beside = after, 0 if kept is None else elements(kept)
    return peak


def _receptive_field(architecture: Architecture) -> tuple[int, int]:
    """Return the field before the first ``gap``, and of one logit."""
    sides, before = (1, 1), None
    fields = fields_of_applications(architecture)
    for application, after in zip(architecture.applications, fields, strict=True):
        operation = architecture.layers[application.source].operation
        if before is None and isinstance(operation, Gap):
            before = max(sides)
        sides = after
    return (max(sides) if before is None else before), max(sides)


def fields_of_applications(architecture: Architecture) -> Iterator[tuple[int, int]]:
    """Find how many rows and columns of the image one output of each application sees.

    A window of side k on pixels j apart adds (k - 1) * j; a stride widens j. A ``gap`` or
    ``linear`` sees its whole map; what follows it sees no more.

    Raises:
        ShapeError: the lines do not fit together.
    """
    sides = apart = (1, 1)
    whole = False
    for _, source, shapes, _ in architecture.applications:
        for word, shape in zip(architecture.layers[source].words, shapes, strict=False):
            if not isinstance(word, Operation) or whole:
                continue
            (height, width), (down, right) = word.window(shape)
            sides = sides[0] + (height - 1) * apart[0], sides[1] + (width - 1) * apart[1]
            apart = apart[0] * down, apart[1] * right
            whole = isinstance(word, WholeMap)
        yield sides
