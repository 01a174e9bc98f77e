"""The recipe: all settings of a training, as one plain value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from trainer.augment import AugmentStep, step_from_dict, step_to_dict
from trainer.data.images import Normalisation
from trainer.errors import RecipeError
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import SCHEDULES
from trainer.ranges import Choice, Flag, Range, check_fields, check_keys, show

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a training.

    Attributes:
        epochs: passes over the training part.
        batch_size: images per step; a last batch of one image joins the one before.
        optimizer: a name in :data:`trainer.optim.optimizers.OPTIMIZERS`.
        learning_rate: the constant rate, or the peak of a schedule.
        momentum: SGD's momentum, Adam's beta1; ``one-cycle`` cycles it from 0.95 to 0.85 and
            back instead, as :class:`torch.optim.lr_scheduler.OneCycleLR` does.
        nesterov: Nesterov momentum; for ``sgd`` only.
        weight_decay: L2 for SGD and Adam, decoupled for AdamW.
        l1: weight of the penalty on the sum of the absolute values of all trainable parameters,
            scales, shifts and biases among them; 0 for none. It is part of the gradient, which is
            clipped with it, and not of the loss that an epoch reports.
        schedule: a name in :data:`trainer.optim.schedules.SCHEDULES`.
        step_epochs: ``step``: epochs between two drops.
        decay: ``step``: the factor of a drop; ``exponential``: the factor of an epoch.
        warmup: ``one-cycle``: the share of all steps (of those before the tail) in which the rate
            rises.
        tail: ``one-cycle`` and ``cosine``: the share of all steps, at the end, in which the rate
            stays at 1 % of its peak; it falls to there before, rather than to 0.
        label_smoothing: share of the target spread over all classes.
        gradient_clip: greatest norm of the gradient, 0 for none.
        averaging: decay of the exponential moving average of the weights, 0 for none. The
            averaged weights are the ones evaluated and kept.
        averaging_share: the share of the steps so far that the average reaches back, so that it
            reaches further the longer the training lasts; 0 for ``averaging`` alone. Where both
            are above 0, ``averaging`` is the greatest decay.
        clean_statistics: number of training images, at least 2, on which the statistics of
            BatchNorm are measured before every evaluation, for the weights that are evaluated and
            without augmentation or dropout; 0 for the running statistics of the training.
        normalise: whether pixels are shifted and scaled by the mean and deviation of the training
            part; without it they stay in [0, 1].
        augment: augmentation steps in the order in which they act.
        seed: seeds shuffling, augmentation and dropout.

    Raises:
        RecipeError: if a value is outside the range of its annotation or not a known name.
    """

    epochs: Annotated[int, Range(1, 10_000, whole=True)] = 15
    batch_size: Annotated[int, Range(2, 65_536, whole=True)] = 128
    optimizer: Annotated[str, Choice(tuple(OPTIMIZERS))] = "adamw"
    learning_rate: Annotated[float, Range(1e-8, 100.0)] = 0.01
    momentum: Annotated[float, Range(0.0, 0.9999)] = 0.9
    nesterov: Annotated[bool, Flag()] = False
    weight_decay: Annotated[float, Range(0.0, 10.0)] = 0.0
    l1: Annotated[float, Range(0.0, 10.0)] = 0.0
    schedule: Annotated[str, Choice(tuple(SCHEDULES))] = "one-cycle"
    step_epochs: Annotated[int, Range(1, 10_000, whole=True)] = 5
    decay: Annotated[float, Range(1e-6, 1.0)] = 0.1
    warmup: Annotated[float, Range(0.0, 0.99)] = 0.3
    tail: Annotated[float, Range(0.0, 0.9)] = 0.0
    label_smoothing: Annotated[float, Range(0.0, 0.99)] = 0.0
    gradient_clip: Annotated[float, Range(0.0, 1e6)] = 0.0
    averaging: Annotated[float, Range(0.0, 0.99999)] = 0.0
    averaging_share: Annotated[float, Range(0.0, 1.0)] = 0.0
    clean_statistics: Annotated[int, Range(0, 1_000_000, whole=True)] = 0
    normalise: Annotated[bool, Flag()] = True
    augment: tuple[AugmentStep, ...] = ()
    seed: Annotated[int, Range(0, 2**63 - 1, whole=True)] = 0

    def __post_init__(self) -> None:
        check_fields(self)
        _check_steps(self.augment)
        if self.nesterov and not OPTIMIZERS[self.optimizer].nesterov:
            able = " or ".join(show(entry.name) for entry in OPTIMIZERS.values() if entry.nesterov)
            raise RecipeError(
                f"nesterov: true needs optimizer = {able}, not {show(self.optimizer)}"
            )
        if self.nesterov and self.momentum == 0:
            raise RecipeError("nesterov: true needs a momentum above 0; raise momentum")

    def normalisation(self, measured: Normalisation) -> Normalisation:
        """Return the normalisation that training applies to pixels in [0, 1].

        Args:
            measured: the mean and deviation of the training images.
        """
        return measured if self.normalise else Normalisation.identity(len(measured.mean))

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON values; :meth:`from_dict` is the inverse."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**plain, "augment": [step_to_dict(step) for step in self.augment]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """Make a recipe from JSON values; absent keys take their defaults.

        Raises:
            RecipeError: for an unknown key or a value outside its range.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"{show(values)} is not a recipe; give a table of keys and values")
        check_keys(values, [f.name for f in dataclasses.fields(cls)])
        steps = values.get("augment", ())
        if not isinstance(steps, (list, tuple)):
            raise RecipeError(
                f"augment: {show(steps)} is not a list; give a list of steps, each a table"
            )
        return cls(**{**values, "augment": tuple(step_from_dict(step) for step in steps)})


def _check_steps(value: object) -> None:
    if not isinstance(value, tuple) or not all(isinstance(step, AugmentStep) for step in value):
        raise RecipeError(f"augment: {show(value)} is not a tuple of augmentation steps; give one")
