"""A space by stages: convolutions between pools, then a head, all drawn from fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from space.architecture import Architecture
from space.errors import SearchSpaceError
from space.fields import Field, Scalar
from space.layers import Shape, Word
from space.lower_bound import CostBound
from space.stages.bound import lower_bound
from space.stages.draft import Draft, Reading
from space.stages.fields import WIDTHS, Fields, parameters, parse_fields
from space.stages.inverse import invert
from space.stages.stem import StemRoom, stem_room
from space.stages.words import words_of


class StagedSpace:
    """A search space by stages.

    Attributes:
        parameters: every parameter with its field, fixed ones included, in the order in which a
            trial is asked.
    """

    def __init__(self, fields: Fields, input_shape: Shape, classes: int) -> None:
        self.parameters: Mapping[str, Field] = parameters(fields)
        self._fields = fields
        self._input_shape = input_shape
        self._classes = classes

    @classmethod
    def from_section(
        cls, section: Mapping[str, object], *, input_shape: Shape, classes: int
    ) -> StagedSpace:
        """Read a ``[space]`` section by stages.

        Raises:
            SearchSpaceError: with every problem of the section.
        """
        fields, problems = parse_fields(section)
        if problems:
            raise SearchSpaceError(problems)
        return cls(fields, input_shape, classes)

    @property
    def widths(self) -> tuple[str, ...]:
        """List the parameters that are numbers of channels."""
        return tuple(name for name in self.parameters if name.rpartition(".")[2] in WIDTHS)

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]:
        """Build an architecture without checking it.

        Args:
            values: the value of every parameter.

        Returns:
            The architecture, and the parameters that it was made from; the value of any other
            changes nothing.
        """
        reading = Reading(self._fields, values)
        draft = Draft(reading, self._input_shape, self._classes)
        draft.build()
        return Architecture(self._input_shape, tuple(draft.layers)), frozenset(reading.used)

    def invert(self, architecture: Architecture) -> dict[str, Scalar]:
        """Return values that ``assemble`` makes this architecture from; others change nothing.

        Args:
            architecture: for images of the shape that the space is for.

        Raises:
            OutsideSpaceError: there are none.
        """
        return invert(self._fields, architecture, self._classes)

    def words(self) -> Iterator[Word]:
        """List the words that architectures can have, some more than once."""
        return words_of(self._fields, self._input_shape, self._classes)

    def stem_room(self, elements: int) -> StemRoom:
        """Find how many channels the first convolution can have within so many activations."""
        return stem_room(self._fields, self._input_shape, elements)

    def lower_bound(self) -> CostBound:
        """Return the least that any candidate costs.

        Raises:
            SearchSpaceError: no candidate of the space can ever be built.
        """
        fields = {name: placed.field for name, placed in self._fields.items()}
        return lower_bound(fields, self._input_shape, self._classes)
