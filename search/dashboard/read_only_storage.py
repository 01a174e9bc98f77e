"""A study database as optuna-dashboard sees it: read-only, with what flyweight knows of it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Container, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, NoReturn

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.dashboard.attributes import study_attributes, trial_attributes
from search.dashboard.feasibility import best_that_fits, with_constraints
from search.dashboard.figures import study_figures
from search.dashboard.note import study_note
from search.errors import StorageError
from search.pages.markdown import cell_text
from search.storage.optuna_private import FrozenStudy, id_of_study, id_of_trial
from search.storage.rdb_storage import StudyStorage
from search.study.records import records_of
from search.study.rejected import count_rejections
from search.study.study import read_study

__all__ = ["ReadOnlyStorage"]

# Where optuna-dashboard looks for the note and the figures of a study.
_OF_DASHBOARD = "dashboard:"
_NOTE = f"{_OF_DASHBOARD}note_str:"
_NOTE_VERSION = f"{_OF_DASHBOARD}note_ver"
_FIGURE = f"{_OF_DASHBOARD}plot_data:"


class ReadOnlyStorage(BaseStorage):
    """A storage that reads a database without changing it.

    Attributes are flat (see ``search.dashboard.attributes``), trials carry their constraints where
    optuna-dashboard looks for them, and the best trial is the best that fits the budget (see
    ``search.dashboard.feasibility``). A study has a note and figures that are made as they are
    read. Every method that would write raises ``PermissionError``.

    Args:
        source: opened for reading.
        url: of the database.
    """

    def __init__(self, source: StudyStorage, url: str) -> None:
        self._source = source
        self._url = url
        self._made: dict[int, tuple[object, dict[str, Any]]] = {}
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
        """Return a study's system attributes, with its note and its figures."""
        kept = self._source.get_study_system_attrs(study_id)
        return dict(_SystemAttributes(kept, partial(self._additions, study_id, kept)))

    def get_all_studies(self) -> list[FrozenStudy]:
        """Return all studies, the oldest first, their user attributes flat."""
        studies = sorted(self._source.get_all_studies(), key=id_of_study)
        for study in studies:
            study_id, kept = id_of_study(study), study.system_attrs
            added = partial(self._additions, study_id, kept)
            study.system_attrs = _SystemAttributes(kept, added)  # type: ignore[assignment]
            study.user_attrs = self._shown(study_id, study.user_attrs)
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

    def _additions(self, study_id: int, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Return the note and the figures of a study where optuna-dashboard looks for them."""
        trials = self._trials(study_id)
        with self._lock:
            reader = self._readers[study_id][0]
        attributes = reader.user_attrs
        state = (len(trials), sum(trial.state.is_finished() for trial in trials), attributes)
        made = self._made.get(study_id)
        if made is not None and made[0] == state:
            return made[1]
        try:
            stored = read_study(reader, self._source, self._url)
        except StorageError:
            return {}  # Another program made the study, or another version of flyweight.
        try:
            note = study_note(stored)
            figures = study_figures(trials, records_of(trials), stored.file.budget)
        except (KeyError, TypeError, ValueError) as error:
            # The other pages show what they can of trials that this version does not know.
            note = f"This version of flyweight cannot read all trials: {cell_text(repr(error))}"
            figures = {}
        note = "\n\n---\n\n".join(filter(None, [note, _own_note(kept)]))
        added = {_NOTE_VERSION: kept.get(_NOTE_VERSION, 0) + 1 + len(trials), f"{_NOTE}0": note}
        added |= {f"{_FIGURE}{name}:0": figure for name, figure in figures.items()}
        self._made[study_id] = state, added
        return added

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


class _SystemAttributes(Mapping[str, Any]):
    """System attributes of a study, with more that are made when one of them is asked for.

    The list of all studies asks for none.
    """

    def __init__(self, kept: Mapping[str, Any], add: Callable[[], Mapping[str, Any]]) -> None:
        self._kept, self._add = kept, add

    @cached_property
    def _all(self) -> dict[str, Any]:
        notes = (_NOTE, _NOTE_VERSION)
        kept = {key: value for key, value in self._kept.items() if not key.startswith(notes)}
        added = self._add()
        return {**kept, **added} if added else dict(self._kept)

    def __getitem__(self, key: str) -> Any:
        return self._all[key] if key.startswith(_OF_DASHBOARD) else self._kept[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _own_note(kept: Mapping[str, Any]) -> str:
    """Return the note that somebody wrote in a dashboard that writes."""
    parts = [key for key in kept if key.startswith(_NOTE)]
    return "".join(kept[f"{_NOTE}{number}"] for number in range(len(parts)))


def _presented(trial: FrozenTrial) -> FrozenTrial:
    shown = copy.copy(trial)
    shown.user_attrs = trial_attributes(trial.user_attrs)
    shown.system_attrs = with_constraints(trial)
    return shown
