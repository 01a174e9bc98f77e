"""``flyweight validate``: find every error of study and ladder files at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from search.errors import StudyFileError
from search.spec.ladder_file import LadderFile
from search.spec.notes import notes
from search.spec.study_file import StudyFile
from search.spec.survey import Survey, survey
from search.spec.toml import read_toml
from search.storage.database import quiet_optuna
from search.study.start_from import find_starts
from search.text import duration, plural
from search.workers.devices import choose_device, hardware
from search.workers.trial_seconds import trial_seconds
from trainer.backends.choose import prepare_backend
from trainer.data import known_shape, known_training_images
from trainer.data.splits import VALIDATION_PARTS
from trainer.errors import TrainerError

__all__ = ["describe", "validate"]


def validate(files: str | Path | Iterable[str | Path]) -> list[StudyFileError]:
    """Check study and ladder files and return the errors of those that are wrong.

    A file with a ``[ladder]`` or a ``[[step]]`` is a ladder. Checks that need the images of a
    folder, such as the cost of a candidate, run when the study begins.

    Args:
        files: the path of one file, or the paths of several.
    """
    errors = []
    for path in [files] if isinstance(files, str | Path) else files:
        try:
            _check(Path(path))
        except StudyFileError as error:
            errors.append(error)
    return errors


def describe(path: Path) -> list[str]:
    """Return what a valid file holds, a line for each fact.

    Args:
        path: of a study file, whose space is drawn from, or of a ladder.
    """
    if LadderFile.recognises(read_toml(path)):
        steps = LadderFile.load(path).steps
        return [plural(len(steps), "step")]
    file = StudyFile.load(path)
    known = known_shape(file.settings.dataset)
    if known is None:
        board = [] if file.target is None else [file.target.note(file.budget)]
        unknown = (
            "the size of the space depends on the images, which run reads and validate does not"
        )
        return [*board, unknown]
    quiet_optuna()
    shape, classes = known
    space = file.search_space(shape, classes)
    found = survey(file, space)
    costs = [*_cost_of_trial(file, found, classes), *_latency(file, found)]
    return [*found.lines(), *costs, *notes(space, file.budget, file.target)]


def _cost_of_trial(file: StudyFile, found: Survey, classes: int) -> list[str]:
    images = known_training_images(file.settings.dataset)
    if found.typical is None or images is None:
        return []
    device = choose_device(None)
    prepare_backend(device)
    try:
        seconds = trial_seconds(found.typical, device, classes, _trained_on(images))
    except TrainerError as error:
        return [f"a trial cannot be trained here: {error}"]
    epochs = plural(found.typical.recipe.epochs, "epoch")
    place = "one core of this machine" if device.type == "cpu" else hardware(device)
    return [f"a trial of median size takes about {duration(seconds)} for {epochs} on {place}"]


def _latency(file: StudyFile, found: Survey) -> Iterator[str]:
    """Say how long a network of median size takes on the board, where there is one."""
    if file.target is not None and found.typical is not None:
        latency = file.target.latency(found.typical.architecture)
        if latency:
            yield f"a network of median size takes {latency}"


def _trained_on(images: int) -> int:
    return images - -(-images // VALIDATION_PARTS)


def _check(path: Path) -> None:
    if LadderFile.recognises(read_toml(path)):
        LadderFile.load(path)
        return
    file = StudyFile.load(path)
    if known := known_shape(file.settings.dataset):
        find_starts(file, *known)
