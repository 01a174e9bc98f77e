"""Augmentation steps as plain values, and their form in study files."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    get_args,
    get_origin,
    get_type_hints,
)

from trainer.errors import RecipeError

__all__ = [
    "STEP_KINDS",
    "Affine",
    "Colour",
    "Crop",
    "FieldSpec",
    "Flip",
    "Interpolation",
    "Perspective",
    "Step",
    "step_from_dict",
    "step_to_dict",
]

Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True)
class FieldSpec:
    """What one key of a step may hold.

    Attributes:
        kind: ``float`` (whole numbers are welcome), ``int`` or ``str``.
        default: the value when the key is absent.
        low: least number, included; 0 where ``kind`` is ``str``.
        high: greatest number, included; 0 where ``kind`` is ``str``.
        allowed: the words a ``str`` may be; empty for numbers.
    """

    kind: Literal["float", "int", "str"]
    default: float | int | str
    low: float = 0.0
    high: float = 0.0
    allowed: tuple[str, ...] = ()

    def checked(self, value: object, place: str) -> float | int | str:
        """Returns the value in its own type.

        Args:
            value: what the file or the caller gave.
            place: where it stands, for the message.

        Raises:
            RecipeError: if its type is another or it is not in the range.
        """
        if self.kind == "str":
            if not isinstance(value, str) or value not in self.allowed:
                raise RecipeError(f"{place} = {value!r} is none of {', '.join(self.allowed)}")
            return value
        types = int if self.kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, types) or not math.isfinite(value):
            wanted = "a whole number" if self.kind == "int" else "a number"
            raise RecipeError(
                f"{place} = {value!r} is not {wanted} from {self.low:g} to {self.high:g}"
            )
        if not self.low <= value <= self.high:
            raise RecipeError(f"{place} = {value!r} is outside {self.low:g} to {self.high:g}")
        return float(value) if self.kind == "float" else value


_Share = Annotated[float, 0.0, 1.0]
_Pixel = Annotated[float, 0.0, 255.0]


class _Checked:
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for key, spec in STEP_KINDS[self.kind].items():
            value = spec.checked(getattr(self, key), f"augment step {self.kind!r}: {key}")
            object.__setattr__(self, key, value)


@dataclass(frozen=True)
class Affine(_Checked):
    """Rotation, translation, scaling and shear about the centre, in one.

    The meaning is that of :class:`torchvision.transforms.RandomAffine`, except that
    translations are not rounded to whole pixels.

    Attributes:
        degrees: rotation, uniform in ± this many degrees.
        translate: shift along x and along y, uniform in ± this fraction of the side.
        scale: factor, uniform in 1 ± this.
        shear: shear along x, uniform in ± this many degrees.
        fill: pixel value from 0 to 255 shown where the image has none.
        interpolation: ``nearest`` or ``bilinear``.

    Raises:
        RecipeError: if a value is outside its range (:data:`STEP_KINDS`).
    """

    kind: ClassVar[str] = "affine"
    degrees: Annotated[float, 0.0, 180.0] = 0.0
    translate: _Share = 0.0
    scale: Annotated[float, 0.0, 0.9] = 0.0
    shear: Annotated[float, 0.0, 80.0] = 0.0
    fill: _Pixel = 0.0
    interpolation: Interpolation = "bilinear"


@dataclass(frozen=True)
class Perspective(_Checked):
    """The image seen from aside: each corner moves inward on its own.

    The meaning is that of :class:`torchvision.transforms.RandomPerspective`, except that
    corners are not rounded to whole pixels.

    Attributes:
        distortion: a corner moves uniformly from 0 to this fraction of half a side, along x
            and along y.
        probability: share of the images that are changed at all.
        fill: pixel value from 0 to 255 shown where the image has none.
        interpolation: ``nearest`` or ``bilinear``.

    Raises:
        RecipeError: if a value is outside its range (:data:`STEP_KINDS`).
    """

    kind: ClassVar[str] = "perspective"
    distortion: _Share = 0.0
    probability: _Share = 0.5
    fill: _Pixel = 0.0
    interpolation: Interpolation = "bilinear"


@dataclass(frozen=True)
class Colour(_Checked):
    """Brightness, then contrast, as :class:`torchvision.transforms.ColorJitter` changes them.

    Attributes:
        brightness: pixels are multiplied by a factor uniform in ``[max(0, 1 - b), 1 + b]``.
        contrast: pixels' distances from the mean grey of their image, likewise.

    Raises:
        RecipeError: if a value is outside its range (:data:`STEP_KINDS`).
    """

    kind: ClassVar[str] = "colour"
    brightness: Annotated[float, 0.0, 10.0] = 0.0
    contrast: Annotated[float, 0.0, 10.0] = 0.0


@dataclass(frozen=True)
class Crop(_Checked):
    """A random window of the padded image, of the size that the image had.

    Attributes:
        padding: pixels added on each side; the window moves by -padding to padding.
        fill: pixel value from 0 to 255 of the padding.

    Raises:
        RecipeError: if a value is outside its range (:data:`STEP_KINDS`).
    """

    kind: ClassVar[str] = "crop"
    padding: Annotated[int, 0, 64] = 0
    fill: _Pixel = 0.0


@dataclass(frozen=True)
class Flip(_Checked):
    """Left and right exchanged.

    Attributes:
        probability: share of the images that are flipped.

    Raises:
        RecipeError: if the probability is outside 0 to 1.
    """

    kind: ClassVar[str] = "flip"
    probability: _Share = 0.5


Step: TypeAlias = Affine | Perspective | Colour | Crop | Flip

_CLASSES: Mapping[str, type[Step]] = {cls.kind: cls for cls in get_args(Step)}


def _spec(hint: Any, default: Any) -> FieldSpec:
    if get_origin(hint) is Literal:
        return FieldSpec("str", default, allowed=get_args(hint))
    number, low, high = get_args(hint)
    return FieldSpec(number.__name__, default, low, high)


def _specs(cls: type[Step]) -> Mapping[str, FieldSpec]:
    hints = get_type_hints(cls, include_extras=True)
    fields = dataclasses.fields(cls)
    return MappingProxyType({f.name: _spec(hints[f.name], f.default) for f in fields})


STEP_KINDS: Mapping[str, Mapping[str, FieldSpec]] = MappingProxyType(
    {kind: _specs(cls) for kind, cls in _CLASSES.items()}
)
"""The keys of every kind of step beside ``kind``, and what they may hold."""


def step_from_dict(values: Mapping[str, Any]) -> Step:
    """Makes a step from its table in a study file.

    Args:
        values: ``kind`` and the keys of that kind; absent keys take their defaults.

    Raises:
        RecipeError: for a missing or unknown kind, an unknown key, a value of another type or
            outside its range.
    """
    if not isinstance(values, Mapping):
        raise RecipeError(f"an augment step is a table with a kind, not {values!r}")
    if "kind" not in values:
        raise RecipeError(f"an augment step needs a kind: {', '.join(STEP_KINDS)}")
    kind = values["kind"]
    if not isinstance(kind, str) or kind not in STEP_KINDS:
        raise RecipeError(f"augment kind {kind!r} is unknown; {_known(kind, STEP_KINDS)}")
    for key in values:
        if key != "kind" and key not in STEP_KINDS[kind]:
            known = _known(key, STEP_KINDS[kind])
            raise RecipeError(f"augment step {kind!r}: key {key!r} is unknown; {known}")
    return _CLASSES[kind](**{key: value for key, value in values.items() if key != "kind"})


def step_to_dict(step: Step) -> dict[str, Any]:
    """Returns the step's table, ``kind`` first and defaults included."""
    return {"kind": step.kind, **dataclasses.asdict(step)}


def _known(word: object, names: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(str(word), names, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"{guess}known: {', '.join(names)}"
