"""The search space: a ``[space]`` section of a study file, from which trials get architectures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Protocol

from space.architecture import Architecture
from space.cost import BYTES, Cost, cost
from space.deployed.cost import DeployedCost, deployed_cost
from space.errors import NotDeployable, OutsideSpaceError, Problem, SearchSpaceError, ShapeError
from space.fields import Field, Fixed, FloatRange, IntRange, Scalar, Trial
from space.layers import Shape
from space.layers.words import Word, format_shape
from space.lower_bound import CostBound
from space.stages.space import StagedSpace
from space.stages.stem import StemRoom
from space.template.space import TemplateSpace

__all__ = ["CostBound", "OutsideSpaceError", "SearchSpace", "SearchSpaceError", "Suggestion"]

ENUMERATED = 1_000
"""The most settings for which the lower bound is found by trying all of them."""


@dataclass(frozen=True)
class Suggestion:
    """The architecture that a trial drew.

    Attributes:
        architecture: it is not checked: its lines may not fit together, for instance where a map
            has become too small. ``Architecture.check`` finds out.
        inactive: the parameters that were suggested and had no effect on it.
    """

    architecture: Architecture
    inactive: frozenset[str]


class _StagedOrTemplate(Protocol):
    """The methods that spaces by stages and templates share."""

    @property
    def parameters(self) -> Mapping[str, Field]: ...

    @property
    def widths(self) -> tuple[str, ...]: ...

    def assemble(self, values: Mapping[str, Scalar]) -> tuple[Architecture, frozenset[str]]: ...

    def invert(self, architecture: Architecture) -> dict[str, Scalar]: ...

    def lower_bound(self) -> CostBound: ...

    def words(self) -> Iterable[Word]: ...


class SearchSpace:
    """The architectures that a study may try; made by ``from_section``."""

    def __init__(self, space: _StagedOrTemplate, input_shape: Shape) -> None:
        self._space = space
        self._input_shape = input_shape

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
        kind = TemplateSpace if "layers" in section else StagedSpace
        space = kind.from_section(section, input_shape=input_shape, classes=classes)
        return cls(space, input_shape)

    @property
    def parameters(self) -> Mapping[str, Field]:
        """Return the parameters that a trial is asked for, by name, in the order of asking.

        A field that the section fixes to one value is not among them.
        """
        found = self._space.parameters.items()
        return {name: field for name, field in found if not isinstance(field, Fixed)}

    @property
    def widths(self) -> tuple[str, ...]:
        """List the parameters that are ranges of numbers of channels."""
        parameters = self.parameters
        return tuple(
            name for name in self._space.widths if isinstance(parameters.get(name), IntRange)
        )

    def suggest(self, trial: Trial) -> Suggestion:
        """Draw an architecture.

        Every trial is asked for the same parameters in the same order, whatever it answers. An
        architecture whose lines do not fit together is returned as well: this raises nothing.

        Args:
            trial: an Optuna trial, or anything else with its ``suggest`` methods.
        """
        parameters = self._space.parameters
        values = {name: field.suggest(trial, name) for name, field in parameters.items()}
        architecture, used = self._space.assemble(values)
        return Suggestion(architecture, frozenset(self.parameters) - used)

    def architecture(self, params: Mapping[str, Scalar]) -> Architecture:
        """Return the architecture that a trial with these parameters draws; it is not checked.

        Args:
            params: a value of its field for each of :attr:`parameters`.
        """
        return self._space.assemble({**self._fixed, **params})[0]

    def params_for(self, architecture: Architecture) -> dict[str, Scalar]:
        """Return the parameters with which a trial draws an architecture; inverts ``suggest``.

        Args:
            architecture: the one to draw.

        Returns:
            The values of the parameters that it is made from. Those of any other change nothing.

        Raises:
            OutsideSpaceError: no trial draws it; the message says which line differs and how.
        """
        if architecture.input_shape != self._input_shape:
            raise OutsideSpaceError(
                f"it takes images of {format_shape(architecture.input_shape)}, "
                f"but the data has {format_shape(self._input_shape)}"
            )
        found = self._space.invert(architecture)
        return {name: found[name] for name in self.parameters if name in found}

    def lower_bound(self) -> CostBound:
        """Return the least that any architecture of the space costs.

        Raises:
            SearchSpaceError: none can be built, so that a study would reject all of them.
        """
        return self._bound

    def words(self) -> tuple[Word, ...]:
        """List every word that an architecture of the space can have, each once.

        Of widths and rates that make no other word, only some are listed.
        """
        return tuple(dict.fromkeys(self._space.words()))

    def stem_room(self, activation_bytes: float) -> StemRoom | None:
        """Find how many channels a limit on activations leaves to the first convolution.

        Args:
            activation_bytes: the limit, of float32 activations for one image.

        Returns:
            What the limit allows; None for a template, whose lines say it themselves.
        """
        if not isinstance(self._space, StagedSpace):
            return None
        return self._space.stem_room(int(activation_bytes / BYTES))

    def size(self) -> int:
        """Count the distinct settings of the parameters; a continuous one counts once."""
        return prod(field.count() or 1 for field in self._space.parameters.values())

    @cached_property
    def _fixed(self) -> dict[str, Scalar]:
        found = self._space.parameters.items()
        return {name: field.value for name, field in found if isinstance(field, Fixed)}

    @cached_property
    def _bound(self) -> CostBound:
        parameters = self._space.parameters
        if prod(field.count() or 2 for field in parameters.values()) > ENUMERATED:
            return self._space.lower_bound()
        settings = product(*map(_values_to_try, parameters.values()))
        return _least_of(
            (dict(zip(parameters, each, strict=True)) for each in settings), self._space
        )


def _values_to_try(field: Field) -> Sequence[Scalar]:
    """Return the values that can change the cost.

    A continuous field is a dropout rate, of which only 0 matters: there is no dropout then.
    """
    continuous = isinstance(field, FloatRange) and field.step is None
    return (field.minimum, field.maximum) if continuous else field.values()


def _least_of(every: Iterable[Mapping[str, Scalar]], space: _StagedOrTemplate) -> CostBound:
    """Return the exact bound of a space by trying all of its settings."""
    costs: list[Cost] = []
    deployed: list[DeployedCost] = []
    refusal = ""
    for values in every:
        architecture, _ = space.assemble(values)
        try:
            costs.append(cost(architecture))
        except ShapeError as error:
            refusal = refusal or str(error)
            continue
        with suppress(NotDeployable):
            deployed.append(deployed_cost(architecture))
    if not costs:
        raise SearchSpaceError([Problem("space", f"no candidate fits together: {refusal}")])
    return CostBound(
        min(each.parameters for each in costs),
        min(each.macs for each in costs),
        min(each.activation_bytes for each in costs),
        min((each.ram for each in deployed), default=0),
        min((each.constants for each in deployed), default=0),
    )
