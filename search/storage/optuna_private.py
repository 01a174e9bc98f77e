"""All that flyweight uses of Optuna's private interface, but for one name.

That is ``Study._get_trials``, by which Optuna's samplers read trials: ``ScoredStudy`` in
``search.strategies.by_score`` answers it.

The public interface does not give the number of a trial or study in its storage, commits each
value of a trial by itself, and cannot add an attribute only if it is missing. A test checks these
names against the installed Optuna; ``pyproject.toml`` allows the versions for which it passed.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import optuna
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX
from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
)
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

__all__ = [
    "OPTUNA_TABLES",
    "FrozenStudy",
    "HookedStorage",
    "Owner",
    "Parameter",
    "TrialValues",
    "add_study_attribute",
    "artifact_files",
    "id_of_study",
    "id_of_trial",
    "rename_study",
    "with_new_artifacts",
    "write_trial_values",
]

OPTUNA_TABLES = frozenset(models.BaseModel.metadata.tables)
"""The names of the tables of Optuna's schema."""

Owner = Literal["user", "system"]
"""The owner of an attribute: "user" for flyweight, "system" for Optuna."""

_ATTRIBUTES: dict[Owner, Any] = {
    "user": models.TrialUserAttributeModel,
    "system": models.TrialSystemAttributeModel,
}


def artifact_files(system_attributes: Mapping[str, Any]) -> list[str]:
    """Return the names of the files of a trial's or a study's artifacts.

    Args:
        system_attributes: of the trial or study, as they were read with it.
    """
    return [
        json.loads(value)["artifact_id"]
        for key, value in system_attributes.items()
        if key.startswith(ARTIFACTS_ATTR_PREFIX)
    ]


def with_new_artifacts(
    system_attributes: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the attributes with other names for the files of artifacts.

    Args:
        system_attributes: of the trial or study.
        names: the new name of each file; one that is not among them is no longer mentioned.
    """
    changed: dict[str, Any] = {}
    for key, value in system_attributes.items():
        if not key.startswith(ARTIFACTS_ATTR_PREFIX):
            changed[key] = value
            continue
        meta = json.loads(value)
        if name := names.get(meta["artifact_id"]):
            changed[ARTIFACTS_ATTR_PREFIX + name] = json.dumps({**meta, "artifact_id": name})
    return changed


@dataclass(frozen=True)
class Parameter:
    """A drawn parameter.

    Attributes:
        value: as Optuna stores it.
        distribution: what it was drawn from.
        previous: what another trial of the study drew it from, if that is known.
    """

    value: float
    distribution: BaseDistribution
    previous: BaseDistribution | None


class TrialValues(Protocol):
    """The values of one trial to write.

    Attributes:
        trial_id: the trial's number in the storage.
        parameters: by their names.
        attributes: by their keys, for each owner.
    """

    trial_id: int
    parameters: dict[str, Parameter]
    attributes: dict[Owner, dict[str, Any]]


class HookedStorage(RDBStorage):
    """Optuna's database storage, with hooks before it writes a parameter and reads trials."""

    def hold_parameter(self, trial_id: int, name: str, parameter: Parameter) -> bool:
        """Take a parameter so that Optuna does not write it; return whether it was taken."""
        return False

    def before_reading(self) -> None:
        """Prepare for reading the trials of a study."""

    def _set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None,
    ) -> None:
        value, previous = param_value_internal, previous_distribution
        if not self.hold_parameter(trial_id, param_name, Parameter(value, distribution, previous)):
            super()._set_trial_param(trial_id, param_name, value, distribution, previous)

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        self.before_reading()
        return super()._get_trials(study_id, states, included_trial_ids, trial_id_greater_than)


def id_of_study(study: optuna.Study | FrozenStudy) -> int:
    """Return a study's number in its storage."""
    return study._study_id


def id_of_trial(trial: Trial | FrozenTrial) -> int:
    """Return a trial's number in its storage, which counts the trials of all studies."""
    return trial._trial_id


def add_study_attribute(engine: Engine, study_id: int, key: str, value: Any) -> None:
    """Store a user attribute of a study unless it has one with that key, in one step."""
    row = models.StudyUserAttributeModel(study_id=study_id, key=key, value_json=json.dumps(value))
    # A violated unique key is not an error here: another process was first.
    with suppress(IntegrityError), Session(engine) as session, session.begin():
        session.add(row)


def rename_study(
    engine: Engine, study_id: int, name: str, key: str, value: Any, without: str = ""
) -> bool:
    """Give a study another name and change an attribute of it, in one step.

    Args:
        engine: of the study's storage.
        study_id: the study's number in the storage.
        name: the new name.
        key: of the user attribute.
        value: its new value.
        without: a user attribute that is removed, if any.

    Returns:
        Whether it has the name now; else another study of the storage has it.
    """
    model: Any = models.StudyUserAttributeModel
    try:
        with Session(engine) as session, session.begin():
            study = models.StudyModel.find_or_raise_by_id(study_id, session)
            study.study_name = name
            session.flush()
            row = model.find_by_study_and_key(study, key, session)
            if row is None:
                session.add(model(study_id=study_id, key=key, value_json=json.dumps(value)))
            else:
                row.value_json = json.dumps(value)
            if without and (row := model.find_by_study_and_key(study, without, session)):
                session.delete(row)
    except IntegrityError:
        return False
    return True


def write_trial_values(storage: RDBStorage, values: TrialValues) -> None:
    """Write parameters and attributes of a trial in one transaction.

    Args:
        storage: of the trial.
        values: the values to write.

    Raises:
        UpdateFinishedTrialError: another process has ended the trial.
        ValueError: a parameter was drawn from another kind of distribution before.
    """
    with Session(storage.engine, autoflush=False) as session, session.begin():
        trial: Any = models.TrialModel.find_or_raise_by_id(values.trial_id, session)
        storage.check_trial_is_updatable(values.trial_id, trial.state)
        for name, parameter in values.parameters.items():
            _write_parameter(storage, session, values.trial_id, name, parameter)
        for owner, attributes in values.attributes.items():
            if attributes:
                _write_attributes(session, values.trial_id, owner, attributes)


def _write_parameter(
    storage: RDBStorage, session: Session, trial_id: int, name: str, parameter: Parameter
) -> None:
    value, distribution, previous = parameter.value, parameter.distribution, parameter.previous
    if previous is None:
        storage._set_trial_param_without_commit(session, trial_id, name, value, distribution)
        return
    # What Optuna does here without looking the trial up for each parameter.
    check_distribution_compatibility(previous, distribution)
    session.add(
        models.TrialParamModel(
            trial_id=trial_id,
            param_name=name,
            param_value=value,
            distribution_json=distribution_to_json(distribution),
        )
    )


def _write_attributes(
    session: Session, trial_id: int, owner: Owner, attributes: Mapping[str, Any]
) -> None:
    model = _ATTRIBUTES[owner]
    rows = {row.key: row for row in model.where_trial_id(trial_id, session)}
    for key, value in attributes.items():
        text = json.dumps(value)
        if key in rows:
            rows[key].value_json = text
        else:
            session.add(model(trial_id=trial_id, key=key, value_json=text))
