"""The recipe: everything about how a network is trained, as one plain value."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from trainer.augment import Step, step_from_dict, step_to_dict
from trainer.data.images import Normalisation
from trainer.errors import RecipeError

__all__ = ["BOUNDS", "OPTIMIZERS", "SCHEDULES", "Bound", "OptimizerName", "Recipe", "ScheduleName"]

OptimizerName = Literal["sgd", "adam", "adamw"]
ScheduleName = Literal["none", "step", "exponential", "one-cycle", "cosine"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
SCHEDULES: tuple[ScheduleName, ...] = get_args(ScheduleName)


@dataclass(frozen=True)
class Bound:
    """The closed range of numbers that one recipe key takes.

    Attributes:
        low: least number, included.
        high: greatest number, included.
        integer: whether only whole numbers are taken.
    """

    low: float
    high: float
    integer: bool = False

    def __str__(self) -> str:
        low, high = (str(end) if self.integer else f"{end:g}" for end in (self.low, self.high))
        return f"{low} to {high}"

    def checked(self, key: str, value: object) -> float | int:
        """Returns the value in its own type: ``int`` where ``integer``, else ``float``.

        Raises:
            RecipeError: if its type is another or it is not in the range.
        """
        allowed = (int,) if self.integer else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed):
            kind = "a whole number" if self.integer else "a number"
            raise RecipeError(f"{key} = {value!r} is not {kind} from {self}")
        if not self.low <= value <= self.high:
            raise RecipeError(f"{key} = {value!r} is outside {self}")
        return value if self.integer else float(value)


BOUNDS: Mapping[str, Bound] = {
    "epochs": Bound(1, 10_000, integer=True),
    "batch_size": Bound(2, 65_536, integer=True),
    "learning_rate": Bound(1e-8, 100.0),
    "momentum": Bound(0.0, 0.9999),
    "weight_decay": Bound(0.0, 10.0),
    "step_epochs": Bound(1, 10_000, integer=True),
    "decay": Bound(1e-6, 1.0),
    "warmup": Bound(0.0, 0.99),
    "label_smoothing": Bound(0.0, 0.99),
    "gradient_clip": Bound(0.0, 1e6),
    "averaging": Bound(0.0, 0.99999),
    "seed": Bound(0, 2**63 - 1, integer=True),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        epochs: passes over the training part.
        batch_size: images per step; a last batch of one image joins the one before.
        optimizer: ``sgd``, ``adam`` or ``adamw``.
        learning_rate: the constant rate, or the peak of a schedule.
        momentum: SGD's momentum, Adam's beta1; ``one-cycle`` cycles it from 0.95 to 0.85 and
            back instead, as :class:`torch.optim.lr_scheduler.OneCycleLR` does.
        nesterov: Nesterov momentum; SGD only.
        weight_decay: L2 for SGD and Adam, decoupled for AdamW.
        schedule: ``none``, ``step``, ``exponential``, ``one-cycle`` or ``cosine``.
        step_epochs: ``step``: epochs between two drops.
        decay: ``step``: the factor of a drop; ``exponential``: the factor of an epoch.
        warmup: ``one-cycle``: the share of all steps in which the rate rises.
        label_smoothing: share of the target spread over all classes.
        gradient_clip: greatest norm of the gradient, 0 for none.
        averaging: decay of the exponential moving average of the weights, 0 for none. The
            averaged weights are the ones evaluated and kept.
        normalise: whether pixels are shifted and scaled by the mean and deviation of the training
            part; without it they stay in [0, 1].
        augment: augmentation steps in the order in which they act.
        seed: seeds shuffling, augmentation and dropout.

    Raises:
        RecipeError: if a value is outside its range (:data:`BOUNDS`) or not a known name.
    """

    epochs: int = 15
    batch_size: int = 128
    optimizer: OptimizerName = "adamw"
    learning_rate: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: ScheduleName = "one-cycle"
    step_epochs: int = 5
    decay: float = 0.1
    warmup: float = 0.3
    label_smoothing: float = 0.0
    gradient_clip: float = 0.0
    averaging: float = 0.0
    normalise: bool = True
    augment: tuple[Step, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for key, bound in BOUNDS.items():
            object.__setattr__(self, key, bound.checked(key, getattr(self, key)))
        _check_name("optimizer", self.optimizer, OPTIMIZERS)
        _check_name("schedule", self.schedule, SCHEDULES)
        _check_steps(self.augment)
        _check_flag("nesterov", self.nesterov)
        _check_flag("normalise", self.normalise)
        if self.nesterov and (self.optimizer != "sgd" or self.momentum == 0):
            raise RecipeError(
                "nesterov = true needs optimizer = 'sgd' and momentum above 0, "
                f"not {self.optimizer!r} with momentum {self.momentum:g}"
            )

    def normalisation(self, measured: Normalisation) -> Normalisation:
        """Returns what training applies to pixels in [0, 1], where ``measured`` is the images'."""
        return measured if self.normalise else Normalisation.identity(len(measured.mean))

    def to_dict(self) -> dict[str, Any]:
        """Returns the recipe as JSON values; :meth:`from_dict` is the inverse."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**plain, "augment": [step_to_dict(step) for step in self.augment]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Makes a recipe from JSON values; absent keys take their defaults.

        Raises:
            RecipeError: for an unknown key or a value outside its range.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"a recipe is a table of keys and values, not {values!r}")
        known = [f.name for f in dataclasses.fields(cls)]
        for key in values:
            _check_key(key, known)
        steps = values.get("augment", ())
        if not isinstance(steps, (list, tuple)):
            raise RecipeError(f"augment = {steps!r} is not a list of steps")
        return cls(**{**values, "augment": tuple(step_from_dict(step) for step in steps)})


def _check_key(key: object, known: list[str]) -> None:
    if key not in known:
        close = difflib.get_close_matches(str(key), known, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise RecipeError(f"recipe key {key!r} is unknown; {guess}known: {', '.join(known)}")


def _check_name(key: str, value: object, names: tuple[str, ...]) -> None:
    if value not in names:
        raise RecipeError(f"{key} = {value!r} is none of {', '.join(names)}")


def _check_flag(key: str, value: object) -> None:
    if not isinstance(value, bool):
        raise RecipeError(f"{key} = {value!r} is neither true nor false")


def _check_steps(value: object) -> None:
    if not isinstance(value, tuple) or not all(isinstance(step, get_args(Step)) for step in value):
        raise RecipeError(f"augment = {value!r} is not a tuple of augmentation steps")
