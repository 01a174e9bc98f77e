"""Stored studies: made, resumed, or opened by their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection

from search.errors import ResumeError, StorageError, StudyFileError
from search.spec.study_file import StudyFile, differences
from search.storage.artifacts import (
    ArtifactFolders,
    artifacts_beside,
    find_artifacts,
    place_to_keep,
)
from search.storage.claims import Claims
from search.storage.database import has_no_studies, open_storage
from search.storage.optuna_private import artifact_files, id_of_study
from search.storage.rdb_storage import StudyStorage
from search.storage.urls import shown_url
from search.study.records import TrialRecord, records_of
from search.study.scores import as_begun
from search.study.start_from import Start, enqueue_starts, find_starts
from trainer.data import DataInfo, Reading

__all__ = [
    "STUDY_ATTRIBUTE",
    "TRIAL_WORK",
    "StoredStudy",
    "begin_study",
    "kept_files",
    "open_study",
    "read_study",
    "refuse_changes",
    "study_names",
    "trial_claims",
    "with_name",
]

STUDY_ATTRIBUTE = "flyweight"
"""The attribute of a study that holds its file, its data and the place of its artifacts."""

TRIAL_WORK = "trial"
"""The kind of work that a claim to a trained trial is of."""

_START = "start"


@dataclass(frozen=True)
class StoredStudy:
    """A study and what is stored with it.

    Attributes:
        url: of the storage.
        storage: open.
        study: Optuna's view of it, without a sampler.
        file: the study file, as it was resolved when the study began.
        place: what the study keeps of the place of its artifacts.
        data: what the data set was when the study began.
        starts: the candidates that it tries first.
    """

    url: str
    storage: StudyStorage
    study: optuna.Study
    file: StudyFile
    place: Mapping[str, Any]
    data: DataInfo
    starts: tuple[Start, ...]

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.file.settings.name

    @property
    def id(self) -> int:
        """Return the study's number in the storage."""
        return id_of_study(self.study)

    @property
    def kept(self) -> dict[str, Any]:
        """Return what it keeps of its file, its data, its starts and its artifacts' place."""
        return dict(self.study.user_attrs[STUDY_ATTRIBUTE])

    def records(self) -> list[TrialRecord]:
        """Return all trials as they are now."""
        return records_of(self.study.get_trials(deepcopy=False))

    def latency(self, record: TrialRecord | None) -> str:
        """Say how long a trial's network takes on the study's board; nothing without a board."""
        if self.file.target is None or record is None:
            return ""
        return self.file.target.latency(record.candidate(self.data.input_shape).architecture)

    @cached_property
    def folders(self) -> ArtifactFolders:
        """Where the trials' weights lie, looked up when first asked for."""
        return find_artifacts(self.place, self.url, kept_files(self.storage, self.id))

    @property
    def artifacts(self) -> Path:
        """The folder of the trials' weights."""
        return self.folders.folder

    def make_artifacts(self) -> None:
        """Make the folder of artifacts if it is missing and no weights were stored yet.

        Raises:
            StorageError: the folder cannot be made, or all weights are missing.
        """
        self.folders.make(self.name)

    def search_data_matches(self, info: DataInfo) -> bool:
        """Return whether ``info`` is of the same data that the study began with."""
        return info.fingerprint == self.data.fingerprint


def begin_study(file: StudyFile, url: str, artifacts: Path | None, info: DataInfo) -> StoredStudy:
    """Make the study of a file, or resume it if the storage has it.

    Candidates to start from are looked for once, when it is made.

    Raises:
        StorageError: the storage cannot be used, or the folder of the weights is missing.
        StudyFileError: a new study cannot start from one of its candidates.
        ResumeError: the stored study differs in more than the number of its trials, or keeps its
            artifacts elsewhere.
    """
    starts = _starts_of_new(file, url, info)
    storage = open_storage(url, create=True)
    study = optuna.create_study(
        storage=storage,
        study_name=file.settings.name,
        direction="maximize",
        load_if_exists=True,
    )
    if STUDY_ATTRIBUTE not in study.user_attrs and _is_fresh(study):
        place = place_to_keep(artifacts or artifacts_beside(url), url)
        study.set_metric_names(["validation floor"])
        # If several processes begin it at once, the first one decides.
        kept = _to_keep(as_begun(file), place, info, starts)
        storage.keep_first(id_of_study(study), STUDY_ATTRIBUTE, kept)
    stored = read_study(study, storage, url)
    _refuse_differences(stored, file, info)
    _refuse_other_folder(stored, artifacts)
    stored.make_artifacts()
    _keep_place(stored)
    enqueue_starts(study, Claims(storage.engine, stored.id, _START), stored.starts)
    return stored


def refuse_changes(file: StudyFile, url: str) -> StoredStudy | None:
    """Compare a file with its study if that has begun, without the data and without writing.

    Returns:
        The study as it was kept; None if it has not begun.

    Raises:
        StorageError: the storage cannot be used, or another program made its study of that name.
        ResumeError: the stored study differs in more than the number of its trials.
    """
    stored = _begun(file.settings.name, url)
    if stored is not None:
        _refuse_differences(stored, file)
    return stored


def open_study(study: str | Path, url: str, *, writing: bool) -> StoredStudy:
    """Open the study of a file or of a name.

    Args:
        study: path of a study file, or the name of a study in the storage.
        url: of the storage.
        writing: whether the caller will write.

    Raises:
        StudyFileError: it is a path and the file is wrong.
        StorageError: the storage does not have the study.
    """
    name = str(study)
    if name.endswith(".toml"):
        name = StudyFile.load(name).settings.name
    storage = open_storage(url, writing=writing)
    try:
        found = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        names = sorted(frozen.study_name for frozen in storage.get_all_studies())
        known = ", ".join(names) if names else "none yet"
        raise StorageError(f"{shown_url(url)} has no study {name!r}; it has: {known}") from None
    return read_study(found, storage, url)


def study_names(url: str) -> list[str]:
    """Return the names of the studies in a storage that flyweight made, the newest last."""
    studies = open_storage(url, writing=False).get_all_studies()
    return [frozen.study_name for frozen in studies if STUDY_ATTRIBUTE in frozen.user_attrs]


def trial_claims(stored: StoredStudy) -> Claims:
    """Return the claims to a study's trained trials."""
    return Claims(stored.storage.engine, stored.id, TRIAL_WORK)


def with_name(file: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a resolved study file with another name.

    Raises:
        StudyFileError: it cannot be a study's name.
    """
    renamed = {**file, "study": {**file["study"], "name": name}}
    StudyFile.from_dict(renamed)
    return renamed


def kept_files(storage: StudyStorage, study_id: int) -> list[str]:
    """Return the names of all files that a study and its trials have kept.

    Args:
        storage: of the study.
        study_id: the study's number in the storage.
    """
    trials = storage.get_all_trials(study_id, deepcopy=False)
    owners = (storage.get_study_system_attrs(study_id), *(trial.system_attrs for trial in trials))
    return [name for attributes in owners for name in artifact_files(attributes)]


def _starts_of_new(file: StudyFile, url: str, info: DataInfo) -> tuple[Start, ...]:
    """Find the starts of a study that does not exist yet, before anything is written."""
    if not file.settings.start_from or _begun(file.settings.name, url) is not None:
        return ()
    return find_starts(file, info.input_shape, len(info.classes))


def _begun(name: str, url: str) -> StoredStudy | None:
    """Read a study without making it; return None if it has not begun yet."""
    if has_no_studies(url):
        return None
    storage = open_storage(url, writing=False)
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return None
    finally:
        storage.engine.dispose()
    return None if _is_fresh(study) else read_study(study, storage, url)


def _is_fresh(study: optuna.Study) -> bool:
    """Return whether a study is empty as Optuna made it, so that flyweight can begin it."""
    return (
        study.directions == [StudyDirection.MAXIMIZE]
        and not study.user_attrs
        and not study.get_trials(deepcopy=False)
    )


def _to_keep(
    file: StudyFile, place: Mapping[str, str], info: DataInfo, starts: tuple[Start, ...]
) -> dict[str, Any]:
    return {
        "file": file.to_dict(),
        **place,
        "starts": [asdict(start) for start in starts],
        "data": {
            "name": info.name,
            "input_shape": list(info.input_shape),
            "classes": list(info.classes),
            "fingerprint": info.fingerprint,
            "reading": info.reading.to_dict(),
        },
    }


def read_study(study: optuna.Study, storage: StudyStorage, url: str) -> StoredStudy:
    """Read what is stored with a study that is open.

    Raises:
        StorageError: flyweight did not make it, or its settings are damaged.
    """
    place = f"{shown_url(url)}: the study {study.study_name!r}"
    try:
        kept = study.user_attrs.get(STUDY_ATTRIBUTE)
        if not isinstance(kept, Mapping):
            raise StorageError(f"{place} was not made by flyweight; give your study another name")
        return _from_kept(kept, study, storage, url)
    except StudyFileError as error:
        first = error.problems[0]
        raise StorageError(
            f"{place} was made by another version of flyweight ({first}); use that version"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"{place} cannot be read: its stored settings are damaged ({error!r}); "
            "restore the database from a copy, or give the study another name"
        ) from error


def _from_kept(
    kept: Mapping[str, Any], study: optuna.Study, storage: StudyStorage, url: str
) -> StoredStudy:
    data = kept["data"]
    channels, height, width = data["input_shape"]
    info = DataInfo(
        data["name"],
        (channels, height, width),
        tuple(data["classes"]),
        data["fingerprint"],
        Reading.from_dict(data.get("reading")),
    )
    file = StudyFile.from_dict(kept["file"])
    starts = tuple(Start(**start) for start in kept.get("starts", ()))
    find_artifacts(kept, url, ())  # settings without a place are damaged
    return StoredStudy(url, storage, study, file, kept, info, starts)


def _keep_place(stored: StoredStudy) -> None:
    """Keep the place that the artifacts have now, for a study that was moved."""
    kept = stored.study.user_attrs[STUDY_ATTRIBUTE]
    now = {**kept, **place_to_keep(stored.artifacts, stored.url)}
    if now != kept:
        stored.study.set_user_attr(STUDY_ATTRIBUTE, now)


def _refuse_differences(stored: StoredStudy, file: StudyFile, info: DataInfo | None = None) -> None:
    changed = list(differences(stored.file.to_dict(), file.to_dict()))
    if not changed and info is not None and not stored.search_data_matches(info):
        changed = [f"study.dataset: the images of {info.name} are not those with which it began"]
    if changed:
        raise ResumeError(
            f"{shown_url(stored.url)} has a study {stored.name!r} that differs: "
            f"{'; '.join(changed)}; "
            "give the new study another name, or restore the old settings"
        )


def _refuse_other_folder(stored: StoredStudy, artifacts: Path | None) -> None:
    if artifacts is not None and artifacts.resolve() != stored.artifacts:
        raise ResumeError(
            f"the study {stored.name!r} keeps its artifacts in {stored.artifacts}, "
            f"not in {artifacts}; leave --artifacts out"
        )
