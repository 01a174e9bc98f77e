"""``flyweight studies copy``: a study once more, or as much of it as a changed file holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from search.errors import InputError
from search.spec.study_file import StudyFile
from search.storage.database import quiet_optuna
from search.storage.optuna_private import with_new_artifacts
from search.storage.urls import DEFAULT_STORAGE
from search.studies.fitting import ChangedFile, LeftOut, refuse_other_figures
from search.studies.making import MadeStudy, StudyMaker, making_study
from search.study.recovery import requeue
from search.study.scores import as_begun
from search.study.start_from import find_starts
from search.study.study import STUDY_ATTRIBUTE, StoredStudy, open_study, with_name

__all__ = ["copy_study"]


def copy_study(
    study: str, new: str, *, file: str | Path | None = None, storage: str = DEFAULT_STORAGE
) -> MadeStudy:
    """Copy a study under another name, or what a changed file holds of it.

    Without a file all is copied: trials with their numbers, weights, confirms, the queue. A trial
    that is in training goes into the queue of the copy. With a file the trained trials whose
    candidates the changed space, recipe and budget hold are taken over, with weights; each keeps
    where it comes from as ``origin``. The study itself may be under way, and stays as it is.

    Args:
        study: name of the study.
        new: name of the copy.
        file: path of the changed study file; its name is that of the copy.
        storage: URL of the study database.

    Raises:
        StorageError: there is no such study, or one of the new name.
        StudyFileError: the file, or the new name, cannot be used.
        InputError: under the file the figures of the trials would not be comparable, or it holds
            none of them.
    """
    quiet_optuna()
    stored = open_study(study, storage, writing=True)
    if file is not None:
        return _copy_fitting(stored, new, StudyFile.load(file))
    kept = {**stored.kept, "file": with_name(stored.kept["file"], new)}
    with making_study(new, stored) as maker:
        _copy_all(stored, maker)
        maker.finish(kept)
    return MadeStudy(new, maker.trials, maker.trained, {})


def _copy_all(stored: StoredStudy, maker: StudyMaker) -> None:
    for trial in stored.study.get_trials(deepcopy=False):
        maker.add(trial, stored)
    running = maker.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    for trial in running:
        requeue(maker.study, stored.storage, trial, "the study was copied while it trained")
        maker.trials += 1
    of_study = stored.storage.get_study_system_attrs(stored.id)
    names = maker.copy_files(of_study, stored)
    own = maker.id
    for key, value in with_new_artifacts(of_study, names).items():
        stored.storage.set_study_system_attr(own, key, value)
    for key, value in stored.study.user_attrs.items():
        if key != STUDY_ATTRIBUTE:
            maker.study.set_user_attr(key, _with_names(value, names))


def _with_names(value: Any, names: Mapping[str, str]) -> Any:
    """Return an attribute of a study; a repeat of a confirm names the new file of its weights."""
    if not isinstance(value, Mapping):
        return value
    named = {key: _with_names(each, names) for key, each in value.items()}
    if named.get("weights") is not None:
        named["weights"] = names.get(named["weights"], named["weights"])
    return named


def _copy_fitting(stored: StoredStudy, new: str, file: StudyFile) -> MadeStudy:
    if file.settings.name != new:
        raise InputError(
            f'{file.path} names its study "{file.settings.name}"; write name = "{new}" into it, or '
            f"copy to {file.settings.name}"
        )
    refuse_other_figures(stored, file)
    file = as_begun(file)
    changed = ChangedFile(file, stored)
    starts = find_starts(file, stored.data.input_shape, len(stored.data.classes))
    left_out: Counter[str] = Counter()
    with making_study(new, stored) as maker:
        for trial in stored.study.get_trials(deepcopy=False):
            try:
                fitting = changed.redraw(trial)
            except LeftOut as reason:
                left_out[str(reason)] += 1
                continue
            origin = {"study": stored.name, "trial": trial.number}
            maker.add(fitting, stored, origin=origin)
        if not maker.trials:
            reasons = (
                ", ".join(f"{count} {why}" for why, count in left_out.items()) or "it has none"
            )
            raise InputError(
                f"{file.path} holds no trial of {stored.name} ({reasons}); begin it as a new study "
                "with flyweight run"
            )
        maker.finish(
            {
                **stored.kept,
                "file": file.to_dict(),
                "starts": [asdict(start) for start in starts],
            }
        )
    return MadeStudy(new, maker.trials, maker.trained, dict(left_out))
