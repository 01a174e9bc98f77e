"""What each line of an architecture does, as a model summary shows it."""

from __future__ import annotations

from dataclasses import dataclass

from space.architecture import Architecture
from space.cost import (
    BYTES,
    counts_of_applications,
    elements_of_applications,
    fields_of_applications,
)
from space.layers.words import Shape

__all__ = ["LineSummary", "summary"]


@dataclass(frozen=True)
class LineSummary:
    """One application of a line to one image.

    Attributes:
        line: index of the line in the text that asks for it, an ``again`` line for a repetition.
        source: index of the line whose words and weights are applied.
        text: of the line whose words are applied.
        before: the map that enters it: channels, height, width.
        after: the map that leaves it.
        parameters: trainable ones that it adds; a repetition adds its further norms alone.
        macs: multiply-accumulates.
        activation_bytes: of float32 activations that are held while it works, at most.
        receptive_field: how many rows and columns of the image one output sees.
    """

    line: int
    source: int
    text: str
    before: Shape
    after: Shape
    parameters: int
    macs: int
    activation_bytes: int
    receptive_field: tuple[int, int]

    @property
    def repeats(self) -> bool:
        """Return whether it applies a line once more."""
        return self.line != self.source

    @property
    def words(self) -> str:
        """Return the text for a table, in which a repetition is marked."""
        return f"{self.text} (again)" if self.repeats else self.text

    @property
    def sees(self) -> str:
        """Return the receptive field in words: ``5x7``, or one number where both are equal."""
        return "x".join(map(str, dict.fromkeys(self.receptive_field)))


def summary(architecture: Architecture) -> tuple[LineSummary, ...]:
    """Describe a network line by line, repetitions written out.

    The parameters and multiply-accumulates of all lines add up to those of ``cost``; the largest
    activations and the last receptive field are those of ``cost``.

    Raises:
        ShapeError: the architecture does not fit together.
    """
    architecture.check()
    return tuple(
        LineSummary(
            line=application.line,
            source=application.source,
            text=str(architecture.layers[application.source]),
            before=application.shapes[0],
            after=application.shapes[-1],
            parameters=parameters,
            macs=macs,
            activation_bytes=BYTES * held,
            receptive_field=field,
        )
        for application, (parameters, macs), held, field in zip(
            architecture.applications,
            counts_of_applications(architecture),
            elements_of_applications(architecture),
            fields_of_applications(architecture),
            strict=True,
        )
    )
