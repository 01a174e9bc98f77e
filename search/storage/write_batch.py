"""Values of one trial that are kept back to be written in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
)
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy.orm import Session

__all__ = ["Owner", "Parameter", "WriteBatch"]

Owner = Literal["user", "system"]
"""Whose an attribute is: ours or Optuna's."""

_MODELS: dict[Owner, Any] = {
    "user": models.TrialUserAttributeModel,
    "system": models.TrialSystemAttributeModel,
}


@dataclass(frozen=True)
class Parameter:
    """A drawn parameter.

    Attributes:
        value: as Optuna stores it.
        distribution: what it was drawn from.
        previous: what another trial of the study drew it from, where that is known.
    """

    value: float
    distribution: BaseDistribution
    previous: BaseDistribution | None


class WriteBatch:
    """What was set of one trial and is not written yet.

    Args:
        trial_id: the trial's number in the storage.
    """

    def __init__(self, trial_id: int) -> None:
        self.trial_id = trial_id
        self.seen: FrozenTrial | None = None
        self._parameters: dict[str, Parameter] = {}
        self._attributes: dict[Owner, dict[str, Any]] = {"user": {}, "system": {}}

    def __bool__(self) -> bool:
        return bool(self._parameters) or any(self._attributes.values())

    def set_parameter(self, name: str, parameter: Parameter) -> None:
        """Keeps a parameter back."""
        self._parameters[name] = parameter
        if self.seen is not None:
            _show_parameter(self.seen, name, parameter)

    def set_attribute(self, owner: Owner, key: str, value: Any) -> None:
        """Keeps an attribute back."""
        self._attributes[owner][key] = value
        if self.seen is not None:
            _attributes_of(self.seen, owner)[key] = value

    def show_in(self, trial: FrozenTrial) -> FrozenTrial:
        """Changes a trial that was just read to what it will be, and keeps it up to date."""
        for name, parameter in self._parameters.items():
            _show_parameter(trial, name, parameter)
        for owner, attributes in self._attributes.items():
            _attributes_of(trial, owner).update(attributes)
        self.seen = trial
        return trial

    def write(self, storage: RDBStorage, session: Session) -> None:
        """Writes the values, without a commit.

        Raises:
            UpdateFinishedTrialError: if somebody has ended the trial.
            ValueError: if a parameter was drawn from another kind of distribution before.
        """
        trial: Any = models.TrialModel.find_or_raise_by_id(self.trial_id, session)
        storage.check_trial_is_updatable(self.trial_id, trial.state)
        for name, parameter in self._parameters.items():
            self._write_parameter(storage, session, name, parameter)
        for owner, attributes in self._attributes.items():
            if attributes:
                self._write_attributes(session, owner, attributes)

    def forget(self) -> None:
        """Forgets what has been written."""
        self._parameters.clear()
        for attributes in self._attributes.values():
            attributes.clear()

    def _write_parameter(
        self, storage: RDBStorage, session: Session, name: str, parameter: Parameter
    ) -> None:
        value, distribution, previous = parameter.value, parameter.distribution, parameter.previous
        if previous is None:
            storage._set_trial_param_without_commit(
                session, self.trial_id, name, value, distribution
            )
            return
        # What Optuna does here without looking the trial up for each parameter.
        check_distribution_compatibility(previous, distribution)
        session.add(
            models.TrialParamModel(
                trial_id=self.trial_id,
                param_name=name,
                param_value=value,
                distribution_json=distribution_to_json(distribution),
            )
        )

    def _write_attributes(self, session: Session, owner: Owner, attributes: dict[str, Any]) -> None:
        model = _MODELS[owner]
        rows = {row.key: row for row in model.where_trial_id(self.trial_id, session)}
        for key, value in attributes.items():
            text = json.dumps(value)
            if key in rows:
                rows[key].value_json = text
            else:
                session.add(model(trial_id=self.trial_id, key=key, value_json=text))


def _show_parameter(trial: FrozenTrial, name: str, parameter: Parameter) -> None:
    trial.params[name] = parameter.distribution.to_external_repr(parameter.value)
    trial.distributions[name] = parameter.distribution


def _attributes_of(trial: FrozenTrial, owner: Owner) -> dict[str, Any]:
    return trial.user_attrs if owner == "user" else trial.system_attrs
