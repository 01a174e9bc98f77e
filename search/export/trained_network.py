"""A trained network with everything that its export needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from search.deployed.folding import FoldedNetwork, fold
from search.errors import ExportError
from search.statistics import Spread
from search.text import percent
from space.architecture import Architecture
from space.cost import cost
from space.deployed.kernels import Affine, Multiply
from space.network import build
from trainer.data import Normalisation, Reading
from trainer.recipe import Recipe

__all__ = ["Figures", "LadderOrigin", "SeedRun", "TrainedNetwork"]


@dataclass(frozen=True)
class SeedRun:
    """The test accuracies of one training run of a champion or of a step.

    Attributes:
        seed: of the run.
        accuracy: after the last epoch, 0 to 1.
        floor: the lowest over the last epochs, 0 to 1.
        int8: after the last epoch in int8, 0 to 1; None where that was not measured.
    """

    seed: int
    accuracy: float
    floor: float
    int8: float | None = None

    def to_dict(self) -> dict[str, float]:
        """Return JSON values, without what was not measured."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class LadderOrigin:
    """The step of a ladder that a network is.

    Attributes:
        ladder: name of the ladder.
        step: name of the step.
        source: where its author published it; may be empty.
    """

    ladder: str
    step: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The measurements of a network.

    Attributes:
        kind: ``trial`` for a trial of the search: trained without the validation part, chosen on
            it, never tested. ``champion`` for what a confirm chose and retrained on the whole
            training set. ``step`` for a step of a ladder, trained on the whole training set and
            tested after every epoch.
        trial: number of the trial in its study; None for a step.
        validation_floor: mean floor on the validation part, 0 to 1; None for a step.
        validation_seeds: how many runs that is the mean of.
        validation_deviation: their sample standard deviation; None for one run.
        floor_epochs: how many last epochs a floor is taken over.
        epochs: of a run.
        hardware: what it was trained on, in words.
        versions: of python, torch and what else matters.
        seconds: wall time of the training.
        runs: those of a champion or a step, in their order; the weights are the first one's.
        confirm: which confirm of its study chose a champion, from 1.
        origin: the ladder and its step.
        asked: what the study asked for, in words; empty for the most accurate network within the
            budget.
        limit: of the limits on parameters of its study, the one that it is the best of; None where
            there was one limit.
        int8_loss: the accuracy that a champion lost by int8 on the validation part, 0 to 1, where
            its networks were tuned for that; None where they were not.

    Raises:
        ValueError: what a network of this kind has is missing, or it has what another kind has.
    """

    kind: Literal["trial", "champion", "step"]
    trial: int | None = None
    validation_floor: float | None = None
    floor_epochs: int
    epochs: int
    hardware: str
    versions: Mapping[str, str]
    seconds: float
    validation_seeds: int = 1
    validation_deviation: float | None = None
    runs: tuple[SeedRun, ...] = ()
    confirm: int | None = None
    origin: LadderOrigin | None = None
    asked: str = ""
    limit: int | None = None
    int8_loss: float | None = None

    def __post_init__(self) -> None:
        tested = (bool(self.runs), self.confirm is not None)
        if tested != (self.kind != "trial", self.kind == "champion"):
            raise ValueError(
                f"a {self.kind} cannot have {len(self.runs)} runs and confirm {self.confirm}"
            )
        of_study = (self.trial is not None, self.validation_floor is not None, self.origin is None)
        if of_study != (self.kind != "step",) * 3:
            raise ValueError(
                f"a {self.kind} cannot have trial {self.trial}, validation floor "
                f"{self.validation_floor} and origin {self.origin}"
            )

    @property
    def test_accuracy(self) -> Spread:
        """Return the test accuracy after the last epoch over the runs; ValueError without any."""
        return Spread.of(run.accuracy for run in self.runs)

    @property
    def int8_accuracy(self) -> Spread | None:
        """Return the test accuracy in int8 over the runs; None where it was not measured."""
        found = [run.int8 for run in self.runs if run.int8 is not None]
        return Spread.of(found) if found and len(found) == len(self.runs) else None

    @property
    def test_floor(self) -> Spread:
        """Return the floor on the test set over the runs; ValueError without any."""
        return Spread.of(run.floor for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, with the spreads of tested networks."""
        plain = {**asdict(self), "runs": [run.to_dict() for run in self.runs]}
        for key in ("asked", "limit", "int8_loss"):
            if not plain[key]:
                del plain[key]
        if self.runs:
            plain["test_accuracy"] = asdict(self.test_accuracy)
            plain["test_floor"] = asdict(self.test_floor)
        return plain


@dataclass(frozen=True, eq=False, repr=False)
class TrainedNetwork:
    """A network that can be exported.

    Attributes:
        name: of its study, or of its ladder and step.
        architecture: one that fits together.
        weights: the state of ``space.network.build(architecture)``, float32 on the CPU.
        normalisation: of the images that it was trained on.
        dataset: the name of these.
        class_names: in the order of the logits.
        recipe: how it was trained.
        figures: how it was measured.
        reading: how files became its images.
        calibration: reads some of its training images, uint8 (n, channels, height, width), by which
            the ranges of whole numbers are chosen; None where there are none.
        checks: of what was written of it, by the name of the format: a line on what was found.
        int8_weights: the state after the tuning for int8, which the formats in whole numbers hold;
            None where they hold ``weights``.
    """

    name: str
    architecture: Architecture
    weights: dict[str, Tensor]
    normalisation: Normalisation
    dataset: str
    class_names: tuple[str, ...]
    recipe: Recipe
    figures: Figures
    reading: Reading = field(default_factory=Reading)
    calibration: Callable[[], Tensor] | None = None
    checks: Mapping[str, str] = field(default_factory=dict)
    int8_weights: dict[str, Tensor] | None = None

    def check(self) -> None:
        """Check the weights and the classes against the architecture.

        Raises:
            ExportError: they do not fit together.
            ShapeError: the architecture does not fit together.
        """
        classes = len(self.class_names)
        if classes != self.architecture.classes:
            raise ExportError(
                f"there are {classes} class names for {self.architecture.classes} logits; give one "
                "each"
            )
        with torch.device("meta"):
            expected = build(self.architecture).state_dict()
        for key in sorted(expected.keys() | self.weights.keys()):
            if key not in expected or key not in self.weights:
                where = "the architecture" if key not in expected else "the weights"
                raise ExportError(f"{key!r} is not in {where}; give the weights of this network")
            if expected[key].shape != self.weights[key].shape:
                raise ExportError(
                    f"{key!r} has shape {tuple(self.weights[key].shape)}, not "
                    f"{tuple(expected[key].shape)}; give the weights of this network"
                )
            if not self.weights[key].isfinite().all():
                raise ExportError(f"{key!r} holds values that are not finite; export another trial")

    def folded(self) -> FoldedNetwork:
        """Return the network as a chip runs it, in floats.

        Raises:
            ExportError: the weights or the classes do not fit the architecture.
            NotDeployable: a word has no kernel.
        """
        self.check()
        folded = fold(self.architecture, self.weights, self.normalisation)
        for kernel, arrays in zip(folded.deployed.kernels, folded.arrays, strict=True):
            held = (arrays.weight, arrays.bias, arrays.scale, arrays.shift)
            if all(each.float().isfinite().all() for each in held if each is not None):
                continue
            norms = kernel.norms if isinstance(kernel, Multiply | Affine) else ()
            what = " and ".join(filter(None, [getattr(kernel, "path", ""), *norms]))
            raise ExportError(
                f"{what or 'the normalisation of the images'}: with the norms folded, the weights "
                "are not finite in single precision; export another trial"
            )
        return folded

    def for_int8(self) -> TrainedNetwork:
        """Return the network that is written in whole numbers: the tuned one, if there is one."""
        return self if self.int8_weights is None else replace(self, weights=self.int8_weights)

    def calibration_images(self) -> Tensor:
        """Return some training images, uint8 (n, channels, height, width).

        Raises:
            ExportError: there are none.
            DataError: the data set cannot be read.
        """
        if self.calibration is None:
            raise ExportError(f"{self.name} has no training images to choose int8 ranges by")
        return self.calibration()

    def __repr__(self) -> str:
        figures = self.figures
        number = "" if figures.trial is None else f" (trial {figures.trial})"
        parts = [
            f"{figures.kind} of {self.name}{number}",
            f"{cost(self.architecture).parameters:,} parameters",
        ]
        if figures.validation_floor is not None:
            parts.append(f"validation floor {percent(figures.validation_floor)}")
        if figures.runs:
            found = figures.test_accuracy
            parts.append(f"test accuracy {percent(found.mean)}{found.deviation_text()}")
        return "\n    ".join([", ".join(parts), *str(self.architecture).splitlines()])
