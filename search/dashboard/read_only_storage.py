"""A study database as optuna-dashboard sees it: read-only, with flat attributes and feasibility."""

from __future__ import annotations

import copy
import threading
from collections.abc import Container
from typing import Any, NoReturn

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.dashboard.attributes import study_attributes, trial_attributes
from search.dashboard.feasibility import best_that_fits, with_constraints
from search.storage.optuna_private import FrozenStudy, id_of_study, id_of_trial
from search.study.rejected import count_rejections

__all__ = ["ReadOnlyStorage"]


class ReadOnlyStorage(BaseStorage):
    """A storage that reads a database without changing it.

    Attributes are flat (see ``search.dashboard.attributes``), trials carry their constraints where
    optuna-dashboard looks for them, and the best trial is the best that fits the budget (see
    ``search.dashboard.feasibility``). Every method that would write raises ``PermissionError``.

    Args:
        source: opened for reading.
    """

    def __init__(self, source: RDBStorage) -> None:
        self._source = source
        self._readers: dict[int, tuple[optuna.Study, FrozenTrial | None]] = {}
        self._lock = threading.Lock()

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return a study's number; raise ``KeyError`` if the study does not exist."""
        return self._source.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return a study's name; raise ``KeyError`` if the study does not exist."""
        return self._source.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return a study's directions; raise ``KeyError`` if the study does not exist."""
        return self._source.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return a study's user attributes, flat, and why its candidates were rejected."""
        return self._shown(study_id, self._source.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return a study's system attributes as they are."""
        return self._source.get_study_system_attrs(study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        """Return all studies, the oldest first, their user attributes flat."""
        studies = sorted(self._source.get_all_studies(), key=id_of_study)
        for study in studies:
            study.user_attrs = self._shown(id_of_study(study), study.user_attrs)
        return studies

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial as presented; raise ``KeyError`` if the trial does not exist."""
        return _presented(self._source.get_trial(trial_id))

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return a study's trials as presented; raise ``KeyError`` if the study does not exist."""
        trials = self._trials(study_id)
        shown = [_presented(trial) for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Return the best complete trial that satisfies its constraints.

        Raises:
            KeyError: the study does not exist.
            RuntimeError: the study has several objectives.
            ValueError: no trial is complete.
        """
        directions = self.get_study_directions(study_id)
        if len(directions) > 1:
            raise RuntimeError("a study with several objectives has no single best trial")
        complete = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.COMPLETE,))
        return best_that_fits(complete, directions[0])

    def _shown(self, study_id: int, kept: dict[str, Any]) -> dict[str, Any]:
        shown = study_attributes(kept)
        rejected = count_rejections(self._trials(study_id))
        if rejected.limits:
            shown["rejected"] = (
                f"{rejected.rejected:,} of {rejected.candidates:,}, by {rejected.reasons()}"
            )
        return shown

    def _trials(self, study_id: int) -> list[FrozenTrial]:
        """Read a study's trials; Optuna's ``Study`` reads finished ones only once."""
        with self._lock:
            reader, first = self._readers.get(study_id, (None, None))
            if reader is None or not self._still_there(first):
                name = self._source.get_study_name_from_id(study_id)
                reader = optuna.load_study(study_name=name, storage=self._source)
            trials = reader.get_trials(deepcopy=False)
            self._readers[study_id] = reader, trials[0] if trials else None
        return trials

    def _still_there(self, first: FrozenTrial | None) -> bool:
        """Return whether the study still has this trial; numbers are reused after a deletion."""
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


def _presented(trial: FrozenTrial) -> FrozenTrial:
    shown = copy.copy(trial)
    shown.user_attrs = trial_attributes(trial.user_attrs)
    shown.system_attrs = with_constraints(trial)
    return shown
