"""The search space: a ``[space]`` section of a study file, from which trials get architectures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Protocol

from space.architecture import Architecture
from space.cost import Cost, cost
from space.errors import OutsideSpaceError, Problem, SearchSpaceError, ShapeError
from space.fields import Field, Fixed, FloatRange, Scalar, Trial
from space.layers import Shape
from space.lower_bound import Bound
from space.stages.space import StagedSpace
from space.template.space import TemplateSpace

__all__ = ["Bound", "OutsideSpaceError", "SearchSpace", "SearchSpaceError", "Suggestion"]

ENUMERATED = 1_000
"""A space of at most so many settings is bounded by trying all of them."""


@dataclass(frozen=True)
class Suggestion:
    """What a trial drew.

    Attributes:
        architecture: unchecked; its maps may vanish, which ``check`` tells.
        inactive: the suggested parameters that had no effect on it.
    """

    architecture: Architecture
    inactive: frozenset[str]


class _Form(Protocol):
    """What the two forms of a section have in common."""

    @property
    def parameters(self) -> Mapping[str, Field]: ...

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]: ...

    def invert(self, architecture: Architecture) -> dict[str, Scalar]: ...

    def lower_bound(self) -> Bound: ...


class SearchSpace:
    """The architectures that a study may try; made by ``from_section``."""

    def __init__(self, form: _Form) -> None:
        self._form = form

    @classmethod
    def from_section(
        cls, section: Mapping[str, object], *, input_shape: Shape, classes: int
    ) -> SearchSpace:
        """Read a ``[space]`` section: a template if it has ``layers``, else by stages.

        Args:
            section: the section's keys and values, as TOML gives them.
            input_shape: channels, height and width of an image.
            classes: how many logits every architecture must give.

        Raises:
            SearchSpaceError: with every problem; keys are full, as in ``space.width``.
        """
        form = TemplateSpace if "layers" in section else StagedSpace
        return cls(form.from_section(section, input_shape=input_shape, classes=classes))

    @property
    def parameters(self) -> Mapping[str, Field]:
        """The parameters that a trial is asked for, by name, in the order of asking."""
        found = self._form.parameters.items()
        return {name: field for name, field in found if not isinstance(field, Fixed)}

    def suggest(self, trial: Trial) -> Suggestion:
        """Draw an architecture.

        Every trial is asked for the same parameters in the same order, whatever it answers. Never
        raises for an architecture whose maps vanish.
        """
        parameters = self._form.parameters
        values = {name: field.suggest(trial, name) for name, field in parameters.items()}
        architecture, used = self._form.assemble(values)
        return Suggestion(architecture, frozenset(self.parameters) - used)

    def params_for(self, architecture: Architecture) -> dict[str, Scalar]:
        """Give the answers of a trial that draw an architecture: the inverse of ``suggest``.

        Returns:
            The parameters that it is made from. Whatever the others are, it stays the same.

        Raises:
            OutsideSpaceError: no trial draws it.
        """
        found = self._form.invert(architecture)
        return {name: found[name] for name in self.parameters if name in found}

    def lower_bound(self) -> Bound:
        """Give what every candidate that can be built costs at least.

        Raises:
            SearchSpaceError: none can be built, so that a study would reject all of them.
        """
        return self._bound

    def size(self) -> int:
        """Count the distinct settings of the parameters; a continuous one counts once."""
        return prod(field.count() or 1 for field in self._form.parameters.values())

    @cached_property
    def _bound(self) -> Bound:
        parameters = self._form.parameters
        if prod(field.count() or 2 for field in parameters.values()) > ENUMERATED:
            return self._form.lower_bound()
        settings = product(*map(_telling, parameters.values()))
        return _least_of(
            (dict(zip(parameters, each, strict=True)) for each in settings), self._form
        )


def _telling(field: Field) -> Sequence[Scalar]:
    """Give the values that can make a difference to the cost; a rate's ends, for 0 is no rate."""
    continuous = isinstance(field, FloatRange) and field.step is None
    return (field.minimum, field.maximum) if continuous else field.values()


def _least_of(every: Iterable[Mapping[str, Scalar]], form: _Form) -> Bound:
    """Give the exact bound of a space by trying all of its settings."""
    costs: list[Cost] = []
    refusal = ""
    for values in every:
        architecture, _ = form.assemble(values)
        try:
            costs.append(cost(architecture))
        except ShapeError as error:
            refusal = refusal or str(error)
    if not costs:
        raise SearchSpaceError([Problem("space", f"no candidate fits together: {refusal}")])
    return Bound(
        min(each.parameters for each in costs),
        min(each.macs for each in costs),
        min(each.activation_bytes for each in costs),
    )
