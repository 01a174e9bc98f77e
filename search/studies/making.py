"""Make a study from trials of others, all of it or nothing.

Optuna's ``copy_study`` would leave running trials that nobody runs, and two studies would share
the files of weights, so that deleting one would take them from the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from optuna.trial import FrozenTrial

from search.errors import StorageError, WorkFailed
from search.storage.artifacts import place_to_keep
from search.storage.claims import Claims
from search.storage.optuna_private import (
    artifact_files,
    id_of_study,
    rename_study,
    with_new_artifacts,
)
from search.storage.processes import ProcessId, this_process
from search.storage.urls import shown_url
from search.studies.deleting import remove_study
from search.studies.trial_copies import copy_of
from search.study.records import REPEAT_ATTRIBUTE, TrialRecord
from search.study.study import STUDY_ATTRIBUTE, TRIAL_WORK, StoredStudy

__all__ = ["MadeStudy", "StudyMaker", "making_study"]

_UNFINISHED = "flyweight-unfinished"


@dataclass(frozen=True)
class MadeStudy:
    """What a new study took over.

    Attributes:
        name: of the new study.
        trials: all trials that it has.
        trained: those that count as trained.
        left_out: how many trials were left out for each reason.
    """

    name: str
    trials: int
    trained: int
    left_out: Mapping[str, int]


class StudyMaker:
    """A study that is being made; nobody sees it before it is finished.

    Args:
        name: of the study that it becomes.
        like: an open study of the same storage, in whose folder the weights go.

    Attributes:
        study: Optuna's view of it.
        trials: how many it has so far.
        trained: how many of them count as trained.
    """

    def __init__(self, name: str, like: StoredStudy) -> None:
        self.name = name
        self.trials = self.trained = 0
        self._storage, self._url = like.storage, like.url
        self._folder = like.artifacts
        self._files: list[Path] = []
        self._numbers: dict[tuple[int, int], int] = {}
        like.make_artifacts()
        self.study = optuna.create_study(
            storage=self._storage,
            study_name=f"{name} (unfinished {uuid4().hex})",
            direction="maximize",
        )
        mark = {"process": this_process().to_dict(), "folder": str(self._folder)}
        self.study.set_user_attr(_UNFINISHED, mark)
        self.study.set_metric_names(["validation floor"])

    @property
    def id(self) -> int:
        """Return the study's number in the storage."""
        return id_of_study(self.study)

    def copy_files(self, attributes: Mapping[str, Any], source: StoredStudy) -> dict[str, str]:
        """Copy the files of a trial or a study, and return their new names by the old ones.

        A file that its study has lost has no new name.

        Args:
            attributes: the system attributes of the trial or study.
            source: the study that keeps the files.

        Raises:
            WorkFailed: the disk is full.
        """
        names: dict[str, str] = {}
        for old in artifact_files(attributes):
            found = next((f / old for f in source.folders.all if (f / old).is_file()), None)
            if found is not None:
                names[old] = str(uuid4())
                self._files.append(self._folder / names[old])
                try:
                    shutil.copyfile(found, self._folder / names[old])
                except OSError as error:
                    raise WorkFailed(
                        f"the weights in {found} cannot be copied into {self._folder}: "
                        f"{error.strerror}; check that there is room"
                    ) from error
        return names

    def add(self, trial: FrozenTrial, source: StoredStudy, **attributes: Any) -> None:
        """Add a trial as it is, with copies of its files.

        Args:
            trial: of the source, or what became of it.
            source: the study that the trial is of.
            **attributes: user attributes that it gets besides its own.
        """
        kept = {**trial.user_attrs, **attributes}
        self._numbers[source.id, trial.number] = self.trials
        first = self._numbers.get((source.id, kept.pop(REPEAT_ATTRIBUTE, -1)))
        if first is not None:  # else it was left out, and the others are no repeats here
            kept[REPEAT_ATTRIBUTE] = first
        if TrialRecord.of(trial).trained:
            # The slots of trained trials are 0, 1, ..., as if they had been trained here.
            kept["slot"] = self.trained
            self.trained += 1
        names = self.copy_files(trial.system_attrs, source)
        self.trials += 1
        self._storage.create_new_trial(
            self.id,
            template_trial=copy_of(
                trial,
                user_attrs=kept,
                system_attrs=with_new_artifacts(trial.system_attrs, names),
            ),
        )

    def note_same(self, trial: FrozenTrial, source: StoredStudy, number: int) -> None:
        """Note that a trial is there already, so that its repeats name it.

        Args:
            trial: of the source.
            source: the study that the trial is of.
            number: that it has here.
        """
        self._numbers[source.id, trial.number] = number

    def finish(self, kept: Mapping[str, Any]) -> None:
        """Mark the trained trials as done and give the study its name.

        Args:
            kept: what it keeps of its file, its data and its starts.

        Raises:
            StorageError: another study has the name.
        """
        engine = self._storage.engine
        Claims(engine, self.id, TRIAL_WORK).add_done(self.trained)
        whole = {**kept, **place_to_keep(self._folder, self._url)}
        if not rename_study(engine, self.id, self.name, STUDY_ATTRIBUTE, whole, _UNFINISHED):
            raise _taken(self.name, self._url)

    def undo(self) -> None:
        """Delete what was made so far."""
        remove_study(self._storage, self.id, None)
        for path in self._files:
            path.unlink(missing_ok=True)


@contextmanager
def making_study(name: str, like: StoredStudy) -> Iterator[StudyMaker]:
    """Make a study in the block; an error in it leaves nothing behind.

    Args:
        name: of the new study.
        like: an open study of the same storage, in whose folder the weights go.

    Raises:
        StorageError: there is a study of that name.
    """
    _remove_abandoned(like)
    if name in {study.study_name for study in like.storage.get_all_studies()}:
        raise _taken(name, like.url)
    maker = StudyMaker(name, like)
    try:
        yield maker
    except BaseException:
        maker.undo()
        raise


def _remove_abandoned(like: StoredStudy) -> None:
    """Delete what killed processes have left of studies that they were making."""
    for study in like.storage.get_all_studies():
        mark = study.user_attrs.get(_UNFINISHED)
        if mark is not None and ProcessId.from_dict(mark["process"]).is_known_dead():
            # In a copied database it names the folder that it was copied from.
            folder = like.artifacts if Path(mark["folder"]) == like.artifacts else None
            with suppress(KeyError):  # another process deletes it too
                remove_study(like.storage, id_of_study(study), folder)


def _taken(name: str, url: str) -> StorageError:
    return StorageError(f"{shown_url(url)} has a study {name!r} already; give another name")
