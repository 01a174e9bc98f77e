"""The budget: the ``[budget]`` section, and every check of a network or a space against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from math import log
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Discriminator, Strict, Tag
from pydantic import Field as Limits

from search.spec.sections import Count
from search.spec.toml import file_value
from search.text import plural
from space.architecture import Architecture
from space.cost import Cost, cost, peak
from space.deployed.cost import COST_MODEL, DEFAULT_CORE, DeployedCost, deployed_cost
from space.deployed.flash import CORES, least_code
from space.errors import NotDeployable, Problem, SearchSpaceError, ShapeError
from space.fields import did_you_mean
from space.layers.words import format_shape
from space.lower_bound import CostBound
from space.search_space import SearchSpace

__all__ = [
    "LIMIT_WORDS",
    "Assessment",
    "Budget",
    "activation_note",
    "assess",
    "bound_problems",
    "empty_problems",
]

_NOWHERE = 1.0
"""How far a network is over the budget that no chip can run."""

_NO_LIMITS = frozenset({"core", "cost_model"})
"""Keys that say how is counted."""

_ENOUGH = 0.5
"""The share of a space's widths that a limit must leave to the first convolution."""


def _ascending(limits: tuple[int, ...]) -> tuple[int, ...]:
    if len(limits) < 2:
        raise ValueError(
            f"{file_value(list(limits))} has too few limits; give two or more, or one number"
        )
    for before, after in pairwise(limits):
        if after <= before:
            raise ValueError(
                f"{after} stands behind {before}; give each limit once, the smallest first"
            )
    return limits


_OneOrSeveral = Annotated[
    Annotated[Count, Tag("one")]
    | Annotated[tuple[Count, ...], AfterValidator(_ascending), Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, list | tuple) else "one"),
]


def _known_model(version: int) -> int:
    if not 1 <= version <= COST_MODEL:
        raise ValueError(
            f"{version} is not a version of the count that is known here; leave the key out, or "
            f"give {COST_MODEL}"
        )
    return version


def _known_core(core: str) -> str:
    if core not in CORES:
        hint = did_you_mean(core, CORES)
        known = ", ".join(CORES)
        raise ValueError(f"{file_value(core)} is not known{hint}; give one of {known}")
    return core


_Kib = Annotated[float, Strict(), Limits(gt=0, le=1e12, allow_inf_nan=False)]


@dataclass(frozen=True)
class Budget:
    """The hard limits on a candidate's cost; at least one is set in a study file.

    Attributes:
        parameters: most trainable parameters; several limits, ascending, for a study that finds a
            champion for each.
        macs: most multiply-accumulates for one image.
        activation_kib: most float32 activation memory for one image, in KiB.
        ram_kib: most RAM of the network in int8, as its C code holds it, in KiB.
        flash_kib: most flash of the same, in KiB.
        core: for which its code is counted; None for ``space.deployed.cost.DEFAULT_CORE``.
        cost_model: the version of the count of RAM and flash. A study keeps the one with which it
            began; None, in a file, for the newest.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    parameters: _OneOrSeveral | None = None
    macs: Count | None = None
    activation_kib: _Kib | None = None
    ram_kib: _Kib | None = None
    flash_kib: _Kib | None = None
    core: Annotated[str, Strict(), AfterValidator(_known_core)] | None = None
    cost_model: Annotated[int, Strict(), AfterValidator(_known_model)] | None = None

    @property
    def several(self) -> tuple[int, ...]:
        """Return the limits on parameters where there are several, ascending; else nothing."""
        return self.parameters if isinstance(self.parameters, tuple) else ()

    @property
    def most_parameters(self) -> int | None:
        """Return the limit on parameters, the largest of several; None where there is none."""
        return self.parameters[-1] if isinstance(self.parameters, tuple) else self.parameters

    @property
    def parameter_limits(self) -> tuple[int, ...]:
        """Return all limits on parameters, ascending: none, one or several."""
        one = () if self.most_parameters is None else (self.most_parameters,)
        return self.several or one

    def under(self, limit: int | None) -> Budget:
        """Return the budget with one limit on parameters; as it is for None."""
        return self if limit is None else replace(self, parameters=limit)

    def smallest_for(self, parameters: int) -> int | None:
        """Return the smallest of several limits that a network fits; None where there is none."""
        return next((limit for limit in self.several if parameters <= limit), None)

    @property
    def is_deployed(self) -> bool:
        """Return whether it limits what the network takes of a chip."""
        return self.ram_kib is not None or self.flash_kib is not None

    def limits(self) -> dict[str, float]:
        """Return the limits that are set, by name; of several on parameters the largest."""
        names = [field.name for field in fields(self) if field.name not in _NO_LIMITS]
        found = {name: getattr(self, name) for name in names}
        found["parameters"] = self.most_parameters
        return {name: limit for name, limit in found.items() if limit is not None}

    def limits_text(self) -> str:
        """Return the limits in words, such as ``parameters 8,000, ram_kib 4``; all of several."""
        words = {
            name: f"{limit:,}" if isinstance(limit, int) else f"{limit:,g}"
            for name, limit in self.limits().items()
        }
        if self.several:
            words["parameters"] = " or ".join(f"{limit:,}" for limit in self.several)
        return ", ".join(f"{name} {limit}" for name, limit in words.items())

    def to_dict(self) -> dict[str, Any]:
        """Return what is set as a study file has it."""
        several = {"parameters": list(self.several)} if self.several else {}
        of_chip = {"core": self.core, "cost_model": self.cost_model}
        given = {name: value for name, value in of_chip.items() if value is not None}
        return self.limits() | several | given

    def deployed(self, architecture: Architecture) -> DeployedCost:
        """Count what a network takes of the chip.

        Raises:
            ShapeError: the architecture does not fit together.
            NotDeployable: a word has no kernel, or a layer is too large for int8.
        """
        return deployed_cost(architecture, self.core or DEFAULT_CORE)

    def as_begun(self) -> Budget:
        """Return the budget of a study that begins now, which keeps the version of its count."""
        if not self.is_deployed or self.cost_model is not None:
            return self
        return replace(self, cost_model=COST_MODEL)


LIMIT_WORDS = {
    "parameters": "parameters",
    "macs": "MACs",
    "activation": "activation memory",
    "ram": "RAM",
    "flash": "flash",
    "shape": "maps too small for their layers",
}
"""What people read, for each constraint of a candidate."""


@dataclass(frozen=True)
class Assessment:
    """A candidate's cost, compared with the budget.

    Attributes:
        cost: None if the maps vanish, because there is no cost then.
        constraints: for each of ``activation``, ``macs``, ``parameters`` and ``shape`` how far
            the candidate is over: log(value / limit), at most 0 where it fits. ``ram`` and
            ``flash`` follow where the budget has a limit on what a chip holds. A study always has
            the same keys in the same order, because samplers compare them between trials.
        reason: why it does not fit, in words; empty if it fits.
        deployed: what it takes of a chip, where the budget has a limit on that; else None.
    """

    cost: Cost | None
    constraints: dict[str, float]
    reason: str
    deployed: DeployedCost | None = None

    @property
    def fits(self) -> bool:
        """Return whether the candidate may be trained."""
        return all(value <= 0 for value in self.constraints.values())

    def values(self) -> dict[str, float]:
        """Return what is known of the candidate's cost, by the names of limits."""
        if self.cost is None:
            return {}
        price = self.cost
        found = {
            "parameters": float(price.parameters),
            "macs": float(price.macs),
            "activation_kib": price.activation_kib,
        }
        if self.deployed is not None:
            found |= {"ram_kib": self.deployed.ram_kib, "flash_kib": self.deployed.flash_kib}
        return found


def assess(architecture: Architecture, budget: Budget) -> Assessment:
    """Compare an architecture with a budget without building it.

    Args:
        architecture: the network.
        budget: the limits on its cost; of several on parameters the largest counts.
    """
    constraints = {"activation": 0.0, "macs": 0.0, "parameters": 0.0, "shape": 0.0}
    constraints |= {"ram": 0.0, "flash": 0.0} if budget.is_deployed else {}
    try:
        price = cost(architecture)
    except ShapeError as error:
        return Assessment(None, {**constraints, "shape": error.violation}, str(error))
    deployed = None
    if budget.is_deployed:
        try:
            deployed = budget.deployed(architecture)
        except NotDeployable as error:
            return Assessment(price, {**constraints, "flash": _NOWHERE}, str(error))
    assessment = Assessment(price, constraints, "", deployed)
    values, limits, reasons = assessment.values(), budget.limits(), []
    for key, name, unit in (
        ("activation", "activation_kib", "KiB of activations"),
        ("macs", "macs", "MACs"),
        ("parameters", "parameters", "parameters"),
        ("ram", "ram_kib", "KiB of RAM"),
        ("flash", "flash_kib", "KiB of flash"),
    ):
        limit = limits.get(name)
        if limit is None:
            continue
        value = values[name]
        constraints[key] = log(value / limit) if value > 0 else -1e3
        if value > limit:
            place = f" in {_peak(architecture)}" if key == "activation" else ""
            reasons.append(f"{value:,g} {unit}{place}, {value / limit - 1:.0%} over")
    return replace(assessment, reason="; ".join(reasons))


def _peak(architecture: Architecture) -> str:
    """Name the line that holds the most activations, with the maps on either side of it."""
    found = peak(architecture)
    before, after = map(format_shape, found.shapes)
    return f'line {found.line + 1} "{architecture.layers[found.line]}" ({before} to {after})'


def empty_problems(budget: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the problem of a budget that sets no limit.

    Args:
        budget: the keys of the section that are valid.
    """
    if any(limit is not None for name, limit in budget.items() if name not in _NO_LIMITS):
        return ()
    return (
        Problem(
            "budget",
            "sets no limit; give parameters, macs, activation_kib, ram_kib or flash_kib, or name "
            "a board in [target]",
        ),
    )


def bound_problems(space: SearchSpace, limits: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the limits that every candidate of a space exceeds.

    Args:
        space: the search space.
        limits: by name; None is no limit. Each of several must leave a candidate. Flash is that of
            their ``core``.
    """
    try:
        bound = space.lower_bound()
    except SearchSpaceError as error:
        yield from error.problems
        return
    core = limits.get("core") or DEFAULT_CORE
    for name, (least, unit) in _least(bound, core).items():
        given = limits.get(name)
        several = isinstance(given, list | tuple)
        wanted: Sequence[float | None] = given if isinstance(given, list | tuple) else (given,)
        for number, each in enumerate(wanted, 1):
            if each is None or least <= each:
                continue
            yield Problem(
                f"budget.{name}" + (f".{number}" if several else ""),
                f"no candidate of this space has fewer than {least:,} {unit}, but the "
                + (
                    f"limit is {each:,}; raise it"
                    if several
                    else f"budget is {each:,}; raise the budget"
                )
                + " or allow smaller networks"
                + (_stem_help(space, each) if name == "activation_kib" else ""),
            )


def activation_note(space: SearchSpace, budget: Budget) -> str:
    """Say where a limit on activations leaves few channels to the first convolution.

    Returns:
        One sentence with what the limit allows there and what would help; empty where it allows at
        least half of the widths that the space has.
    """
    limit = budget.activation_kib
    room = None if limit is None else space.stem_room(limit * 1024)
    if limit is None or room is None or room.share >= _ENOUGH:
        return ""
    allowed = plural(room.channels, "channel") if room.channels else "not one channel"
    return (
        f"budget.activation_kib = {limit:g} leaves little: at {format_shape(room.shape)} it allows "
        f'{allowed} in the first convolution ("{room.operation}"), and space.width goes up to '
        f"{room.widest}{_stem_help(space, limit)}"
    )


def _stem_help(space: SearchSpace, limit: float) -> str:
    """Say which stride of the first convolution leaves more channels; nothing where none does."""
    room = space.stem_room(limit * 1024)
    if room is None or room.better is None:
        return ""
    stride, channels = room.better
    allowed = plural(channels, "channel")
    stem = f"; a strided stem (space.stem_stride = {stride})"
    return f"{stem} allows {allowed} in the first convolution"


def _least(bound: CostBound, core: str) -> dict[str, tuple[float, str]]:
    # Where every candidate has weights, every one has the code of a layer with weights.
    flash = bound.flash + least_code(core) if bound.flash else 0
    return {
        "parameters": (bound.parameters, "parameters"),
        "macs": (bound.macs, "multiply-accumulates"),
        "activation_kib": (bound.activation_bytes / 1024, "KiB of activation memory"),
        "ram_kib": (bound.ram / 1024, "KiB of RAM"),
        "flash_kib": (flash / 1024, "KiB of flash"),
    }
