"""The pictures of a trial, kept as its artifacts for optuna-dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optuna.trial import Trial
from torch import Tensor

from search.pictures.confusion import confusion_counts, confusion_picture
from search.pictures.curves import curves_picture
from search.pictures.mistakes import mistakes_picture
from search.pictures.network import network_picture
from search.pictures.svg import Drawing
from search.storage.optuna_private import id_of_trial
from search.storage.uploads import keep_file
from search.study.records import NO_PICTURES_ATTRIBUTE
from search.study.study import StoredStudy
from space.architecture import Architecture
from trainer.data import Images
from trainer.loop import Epoch

__all__ = ["keep_pictures"]


def keep_pictures(
    trial: Trial,
    stored: StoredStudy,
    architecture: Architecture,
    epochs: Sequence[Epoch],
    evaluation: Images,
    predictions: Tensor,
) -> None:
    """Keep what a trial looks like: its curves, its network, and what it takes for what.

    A trial is worth more than its pictures: where they cannot be drawn or written, it goes on
    without them, and its attribute ``no_pictures`` says why.

    Args:
        trial: that is complete, and not told yet.
        stored: its study.
        architecture: of its network.
        epochs: all of them.
        evaluation: the images that it was judged on.
        predictions: the class that the network gives each of them, int64, shape (n,).
    """
    drawings = _drawings(trial.number, stored, architecture, epochs, evaluation, predictions)
    with stored.storage.write_batch(id_of_trial(trial)):
        try:
            contents = [(name, drawing.file_text().encode()) for name, drawing in drawings]
        except Exception as error:  # whatever it is, the training is not lost for it
            reason = f"they cannot be drawn ({type(error).__name__}: {error})"
            trial.set_user_attr(NO_PICTURES_ATTRIBUTE, reason)
            return
        try:
            for name, content in contents:
                keep_file(f"{name}.svg", content, stored.artifacts, trial, stored.storage)
        except OSError as error:
            reason = f"{stored.artifacts} cannot be written to ({error.strerror})"
            trial.set_user_attr(NO_PICTURES_ATTRIBUTE, reason)


def _drawings(
    number: int,
    stored: StoredStudy,
    architecture: Architecture,
    epochs: Sequence[Epoch],
    evaluation: Images,
    predictions: Tensor,
) -> Iterator[tuple[str, Drawing]]:
    names, who = stored.data.classes, f"trial {number}"
    predictions = predictions.cpu()
    yield "curves", curves_picture(epochs, stored.file.settings.floor_epochs, who)
    yield "network", network_picture(architecture, who)
    counts = confusion_counts(evaluation.labels.cpu(), predictions, len(names))
    yield "confusion", confusion_picture(counts, names, f"{who}, on validation images")
    yield "mistakes", mistakes_picture(evaluation, predictions, names, f"{who}, validation images")
