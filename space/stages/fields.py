"""The fields of a space by stages: which values each may have, and where it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from space.errors import FieldError, Problem
from space.fields import Field, Fixed, Kind, Scalar, did_you_mean, parse_field, show
from space.layers.activations import ACTIVATIONS
from space.layers.operations import EVEN_KERNELS, MAX_KERNEL
from space.layers.words import MAX_CHANNELS
from space.stages.lines import HIDDEN_HEADS, can_skip, has_norm, padding_of, same_padding

Place: TypeAlias = Literal["network", "stage", "conv"]
PLACES: tuple[Place, ...] = ("network", "stage", "conv")

_KERNELS = frozenset({*range(1, MAX_KERNEL + 1, 2), *EVEN_KERNELS})


@dataclass(frozen=True)
class StageField:
    """The rules for one field of a space by stages.

    Attributes:
        kind: the type of its values.
        place: where it is drawn unless ``per`` says otherwise.
        finest: the finest place that ``per`` may name.
        default: the value of an absent field; None when the field must be given.
        low: the smallest value allowed.
        high: the largest value allowed.
        allowed: the only values allowed.
    """

    kind: Kind
    place: Place
    finest: Place = "conv"
    default: Scalar | None = None
    low: float | None = None
    high: float | None = None
    allowed: tuple[Scalar, ...] | frozenset[int] | None = None


HEADS = ("conv-gap", "gap-conv", "gap-linear", "full-conv", "gap")
ORDERS = ("conv-bn-relu", "conv-relu-bn", "conv-relu")
POOLS = ("max", "avg", "stride")
TRANSITIONS = ("none", "before-pool", "after-pool")
STYLES = ("bare", "full", "full-dropout")

# In this order a trial is asked for them, those of the network first.
STAGE_FIELDS: dict[str, StageField] = {
    "stages": StageField("int", "network", "network", 2, low=1, high=4),
    "head": StageField("str", "network", "network", "gap-conv", allowed=HEADS),
    "head_hidden": StageField("int", "network", "network", 0, low=0, high=MAX_CHANNELS),
    "head_hidden_style": StageField("str", "network", "network", "full", allowed=STYLES),
    "order": StageField("str", "network", default="conv-bn-relu", allowed=ORDERS),
    "norm_scale": StageField("bool", "network", default=True),
    "activation": StageField("str", "network", default="relu", allowed=tuple(ACTIVATIONS)),
    "bias": StageField("bool", "network", default=False),
    "dropout": StageField("float", "network", default=0.0, low=0.0, high=0.9),
    "stem_stride": StageField("int", "network", "network", 1, low=1, high=8),
    "convs": StageField("int", "stage", "stage", 2, low=1, high=8),
    "pool": StageField("str", "stage", "stage", "max", allowed=POOLS),
    "transition": StageField("str", "stage", "stage", "none", allowed=TRANSITIONS),
    "transition_width": StageField("int", "stage", "stage", low=1, high=MAX_CHANNELS),
    "transition_style": StageField("str", "network", "stage", "bare", allowed=STYLES),
    "width": StageField("int", "conv", low=1, high=MAX_CHANNELS),
    "kernel": StageField("int", "conv", default=3, low=1, high=MAX_KERNEL, allowed=_KERNELS),
    "block": StageField("str", "conv", default="conv", allowed=("conv", "separable")),
    "padding": StageField("str", "conv", default="valid", allowed=("same", "valid")),
    "skip": StageField("bool", "conv", default=False),
}

WIDTHS = frozenset({"width", "transition_width", "head_hidden"})
"""The fields that are numbers of channels."""

_AT_A_POOL = frozenset({"pool", "transition", "transition_width", "transition_style"})


@dataclass(frozen=True)
class PlacedField:
    """A field and the place where it is drawn."""

    field: Field
    place: Place

    def parameter(self, name: str, stage: int, conv: int) -> str:
        """Return the parameter that holds this field for a convolution (both counted from 1)."""
        if self.place == "network":
            return name
        return (
            f"stage{stage}.{name}" if self.place == "stage" else f"stage{stage}.conv{conv}.{name}"
        )


Fields: TypeAlias = Mapping[str, PlacedField]


def parse_fields(section: Mapping[str, object]) -> tuple[dict[str, PlacedField], list[Problem]]:
    """Read a ``[space]`` section by stages.

    Returns:
        All fields in the order of ``STAGE_FIELDS``, defaults filled in, and every problem. The
        fields are complete only when there are no problems.
    """
    fields: dict[str, PlacedField] = {}
    known = f"; known: {', '.join(STAGE_FIELDS)}"
    problems = [
        Problem(f"space.{key}", f"unknown key{did_you_mean(key, STAGE_FIELDS) or known}")
        for key in section
        if key not in STAGE_FIELDS
    ]
    for name, spec in STAGE_FIELDS.items():
        if name in section:
            try:
                fields[name] = _parse_placed(name, spec, section[name])
            except FieldError as error:
                problems.append(Problem(error.key, error.message))
        elif spec.default is not None:
            fields[name] = PlacedField(Fixed(spec.default), spec.place)
    problems += _missing(section, fields)
    if not problems:
        problems += _idle(section, fields)
        # Absent only where no transition is possible, so that nothing ever reads this one.
        fields.setdefault("transition_width", PlacedField(Fixed(1), "stage"))
    return fields, problems


def parameters(fields: Fields) -> dict[str, Field]:
    """Return every parameter of a space, always in the same order.

    Parameters of absent stages and convolutions are among them; those that no candidate
    could use (a skip of the first convolution, a pool after the last possible stage, the padding
    of 1x1 convolutions) are not.
    """
    stages, convs = most(fields, "stages"), most(fields, "convs")
    names = [name for name in STAGE_FIELDS if _acts(name, fields)]
    found: dict[str, Field] = {}
    for place, stage, conv in _spots(stages, convs):
        for name in names:
            placed = fields[name]
            if placed.place == place and _matters(name, place, (stage, conv), stages, convs):
                found[placed.parameter(name, stage, conv)] = placed.field
    return found


def most(fields: Fields, name: str) -> int:
    """Return the largest value of a field that counts something."""
    return int(fields[name].field.maximum)


def _spots(stages: int, convs: int) -> Iterator[tuple[Place, int, int]]:
    yield "network", 1, 1
    for stage in range(1, stages + 1):
        yield "stage", stage, 1
        for conv in range(1, convs + 1):
            yield "conv", stage, conv


def _acts(name: str, fields: Fields) -> bool:
    """Return whether this field has an effect with any values of the others."""
    if name in ("transition_width", "transition_style"):
        return any(value != "none" for value in fields["transition"].field.values())
    if name == "head_hidden":
        return not set(HIDDEN_HEADS).isdisjoint(fields["head"].field.values())
    if name == "head_hidden_style":
        return most(fields, "head_hidden") > 0 and _acts("head_hidden", fields)
    if name == "padding":
        return any(same_padding(int(kernel)) for kernel in fields["kernel"].field.values())
    if name == "norm_scale":
        return any(has_norm(str(order)) for order in fields["order"].field.values())
    if name == "skip":
        return any(can_skip(*window, 1) for window in _windows(fields))
    return True


def _windows(fields: Fields) -> Iterator[tuple[int, int]]:
    """List every kernel with every padding, in pixels, that it can have."""
    paddings = fields["padding"].field.values()
    for kernel in map(int, fields["kernel"].field.values()):
        for padding in paddings:
            yield kernel, padding_of(kernel, padding)


def _idle(section: Mapping[str, object], fields: Fields) -> Iterator[Problem]:
    """Refuse settings that never have an effect."""
    if "skip" in section and True in fields["skip"].field.values() and not _acts("skip", fields):
        yield Problem(
            "space.skip",
            "true never has an effect: a skip needs a convolution that keeps the size of its map; "
            'allow padding = "same" with an odd kernel, or remove true',
        )
    if most(fields, "head_hidden") > 0 and not _acts("head_hidden", fields):
        yield Problem(
            "space.head_hidden",
            f"{_listed(fields, 'head')} takes no hidden layer; "
            f"allow the head {' or '.join(map(show, HIDDEN_HEADS))}, or remove the key",
        )


def _listed(fields: Fields, name: str) -> str:
    return f"{name} = {' or '.join(map(show, fields[name].field.values()))}"


def _matters(name: str, place: Place, spot: tuple[int, int], stages: int, convs: int) -> bool:
    if name in _AT_A_POOL:
        return spot[0] < stages
    if name == "skip" and spot == (1, 1):
        return place != "conv" and (convs > 1 or (place == "network" and stages > 1))
    return True


def _parse_placed(name: str, spec: StageField, raw: object) -> PlacedField:
    key, place = f"space.{name}", spec.place
    if isinstance(raw, Mapping) and "per" in raw:
        place = _parse_place(key, spec, raw["per"])
        raw = {part: value for part, value in raw.items() if part != "per"}
    field = parse_field(
        raw, key=key, kind=spec.kind, low=spec.low, high=spec.high, allowed=spec.allowed
    )
    return PlacedField(field, place)


def _parse_place(key: str, spec: StageField, raw: object) -> Place:
    possible = PLACES[: PLACES.index(spec.finest) + 1]
    if raw not in possible:
        hint = did_you_mean(raw, possible) if isinstance(raw, str) else ""
        raise FieldError(
            key, f"per {show(raw)} is not possible{hint}; give {' or '.join(map(show, possible))}"
        )
    return raw


def _missing(section: Mapping[str, object], fields: Fields) -> Iterator[Problem]:
    if "width" not in section:
        yield Problem(
            "space.width",
            "is required: the channels of a convolution, such as { low = 4, high = 32 }"
            "; a template has layers instead",
        )
    if "transition_width" not in section and "transition" in fields:
        possible = [value for value in fields["transition"].field.values() if value != "none"]
        if possible and ("stages" not in fields or most(fields, "stages") > 1):
            yield Problem(
                "space.transition_width",
                f"is required, as transition can be {show(possible[0])}; "
                "give its channels, such as { low = 4, high = 16 }",
            )
