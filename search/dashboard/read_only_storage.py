"""A study database as optuna-dashboard is to see it: read-only, feasibility included."""

from __future__ import annotations

import copy
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import optuna
from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.dashboard.attributes import study_attributes, trial_attributes
from search.storage.artifacts import artifacts_beside, artifacts_of
from search.storage.optuna_private import FrozenStudy, id_of_study, id_of_trial

__all__ = ["PresentedArtifacts", "PresentedStorage"]

# Where optuna-dashboard looks for constraints: the key of Optuna 4, a list in one attribute.
_CONSTRAINTS = "constraints"


class PresentedStorage(BaseStorage):
    """Shows a database without changing it.

    Trials carry their constraints where optuna-dashboard looks for them, the best trial is the
    best that fits the budget, and attributes are flat (see ``search.dashboard.attributes``).
    Whatever would write raises ``PermissionError``.

    Args:
        source: opened for reading.
    """

    def __init__(self, source: RDBStorage) -> None:
        self._source = source
        self._readers: dict[int, tuple[optuna.Study, FrozenTrial | None]] = {}
        self._lock = threading.Lock()

    def get_study_id_from_name(self, study_name: str) -> int:
        """Returns a study's number; ``KeyError`` where there is no such study."""
        return self._source.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Returns a study's name; ``KeyError`` where there is no such study."""
        return self._source.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Returns a study's directions; ``KeyError`` where there is no such study."""
        return self._source.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Returns a study's user attributes, flat."""
        return study_attributes(self._source.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Returns a study's system attributes as they are."""
        return self._source.get_study_system_attrs(study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        """Returns all studies, the oldest first, their user attributes flat."""
        studies = sorted(self._source.get_all_studies(), key=id_of_study)
        for study in studies:
            study.user_attrs = study_attributes(study.user_attrs)
        return studies

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Returns a trial as presented; ``KeyError`` where there is no such trial."""
        return _presented(self._source.get_trial(trial_id))

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Returns a study's trials as presented; ``KeyError`` where there is no such study."""
        trials = self._trials(study_id)
        shown = [_presented(trial) for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Returns the best complete trial that satisfies its constraints.

        Of equals it is the one with fewest parameters. Where every complete trial breaks a
        constraint (none of ours can) it is the best of them: optuna-dashboard asks for a best
        trial as soon as one is complete.

        Raises:
            KeyError: if there is no such study.
            RuntimeError: if the study has several objectives.
            ValueError: if no trial is complete.
        """
        directions = self.get_study_directions(study_id)
        if len(directions) > 1:
            raise RuntimeError("a study with several objectives has no single best trial")
        complete = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.COMPLETE,))
        if not complete:
            raise ValueError("no trial is complete yet")
        sign = 1 if directions[0] is StudyDirection.MAXIMIZE else -1

        def rank(trial: FrozenTrial) -> tuple[float, float]:
            parameters = trial.user_attrs.get("parameters")
            size = parameters if isinstance(parameters, int | float) else 0
            return sign * (trial.value or 0.0), -size

        return max([trial for trial in complete if _fits(trial)] or complete, key=rank)

    def _trials(self, study_id: int) -> list[FrozenTrial]:
        """Reads a study's trials; Optuna's ``Study`` reads finished ones only once."""
        with self._lock:
            reader, first = self._readers.get(study_id, (None, None))
            if reader is None or not self._still_there(first):
                name = self._source.get_study_name_from_id(study_id)
                reader = optuna.load_study(study_name=name, storage=self._source)
            trials = reader.get_trials(deepcopy=False)
            self._readers[study_id] = reader, trials[0] if trials else None
        return trials

    def _still_there(self, first: FrozenTrial | None) -> bool:
        """Tells a study from a later one that took over the numbers of a deleted one."""
        if first is None:
            return False
        try:
            now = self._source.get_trial(id_of_trial(first))
        except KeyError:
            return False
        return (now.number, now.datetime_start) == (first.number, first.datetime_start)

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise PermissionError("the dashboard only reads")

    create_new_study = _refuse
    delete_study = _refuse
    set_study_user_attr = _refuse
    set_study_system_attr = _refuse
    create_new_trial = _refuse
    set_trial_param = _refuse
    set_trial_state_values = _refuse
    set_trial_intermediate_value = _refuse
    set_trial_user_attr = _refuse
    set_trial_system_attr = _refuse


class PresentedArtifacts:
    """Opens the artifacts of all studies of a database, each in the folder it was made with.

    Args:
        source: the database.
        url: of the database.
    """

    def __init__(self, source: RDBStorage, url: str) -> None:
        self._source = source
        self._url = url

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Opens an artifact; ``ArtifactNotFound`` where no folder has it."""
        for folder in self._folders():
            try:
                return FileSystemArtifactStore(folder).open_reader(artifact_id)
            except (ArtifactNotFound, NotADirectoryError):
                continue
        raise ArtifactNotFound(f"no folder has the artifact {artifact_id}")

    def write(self, artifact_id: str, content_body: BinaryIO) -> NoReturn:
        """Refuses: the dashboard only reads."""
        raise PermissionError("the dashboard only reads")

    def remove(self, artifact_id: str) -> NoReturn:
        """Refuses: the dashboard only reads."""
        raise PermissionError("the dashboard only reads")

    def _folders(self) -> Iterator[Path]:
        yield artifacts_beside(self._url)
        for study in self._source.get_all_studies():
            kept = study.user_attrs.get("flyweight")
            if isinstance(kept, Mapping):
                # Another program may have a study with such an attribute.
                with suppress(KeyError, TypeError, ValueError):
                    yield artifacts_of(kept, self._url)


def _presented(trial: FrozenTrial) -> FrozenTrial:
    shown = copy.copy(trial)
    shown.user_attrs = trial_attributes(trial.user_attrs)
    if trial.constraints and _CONSTRAINTS not in trial.system_attrs:
        values = list(trial.constraints.values())
        shown.system_attrs = {**trial.system_attrs, _CONSTRAINTS: values}
    return shown


def _fits(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())
