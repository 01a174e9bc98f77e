"""Values of one trial that are held back to be written in one transaction."""

from __future__ import annotations

from typing import Any

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from search.storage.optuna_private import Owner, Parameter, write_trial_values

__all__ = ["WriteBatch"]


class WriteBatch:
    """The values of one trial that are set but not written yet.

    Args:
        trial_id: the trial's number in the storage.
    """

    def __init__(self, trial_id: int) -> None:
        self.trial_id = trial_id
        self.seen: FrozenTrial | None = None
        self.parameters: dict[str, Parameter] = {}
        self.attributes: dict[Owner, dict[str, Any]] = {"user": {}, "system": {}}

    def __bool__(self) -> bool:
        return bool(self.parameters) or any(self.attributes.values())

    def set_parameter(self, name: str, parameter: Parameter) -> None:
        """Hold a parameter until the batch is written."""
        self.parameters[name] = parameter
        if self.seen is not None:
            _show_parameter(self.seen, name, parameter)

    def set_attribute(self, owner: Owner, key: str, value: Any) -> None:
        """Hold an attribute until the batch is written."""
        self.attributes[owner][key] = value
        if self.seen is not None:
            _attributes_of(self.seen, owner)[key] = value

    def show_in(self, trial: FrozenTrial) -> FrozenTrial:
        """Add the values of the batch to a trial that was just read, and keep it up to date."""
        for name, parameter in self.parameters.items():
            _show_parameter(trial, name, parameter)
        for owner, attributes in self.attributes.items():
            _attributes_of(trial, owner).update(attributes)
        self.seen = trial
        return trial

    def write(self, storage: RDBStorage) -> None:
        """Write the values in one transaction and forget them.

        Raises:
            UpdateFinishedTrialError: another process has ended the trial.
            ValueError: a parameter was drawn from another kind of distribution before.
        """
        write_trial_values(storage, self)
        self.parameters.clear()
        for attributes in self.attributes.values():
            attributes.clear()


def _show_parameter(trial: FrozenTrial, name: str, parameter: Parameter) -> None:
    trial.params[name] = parameter.distribution.to_external_repr(parameter.value)
    trial.distributions[name] = parameter.distribution


def _attributes_of(trial: FrozenTrial, owner: Owner) -> dict[str, Any]:
    return trial.user_attrs if owner == "user" else trial.system_attrs
