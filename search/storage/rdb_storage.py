"""Optuna's database storage, extended for studies with several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from search.storage import sqlite
from search.storage.optuna_private import HookedStorage, Parameter, add_study_attribute
from search.storage.write_batch import WriteBatch

__all__ = ["StudyStorage"]


class StudyStorage(HookedStorage):
    """A storage that several processes may write to, and that can write many values at once.

    Args:
        url: an SQLAlchemy URL.
        engine_kwargs: of SQLAlchemy's ``create_engine``.
        create: whether to make missing tables.
        writing: whether this process will write.
    """

    def __init__(
        self, url: str, engine_kwargs: dict[str, Any], *, create: bool, writing: bool
    ) -> None:
        self._batch: WriteBatch | None = None
        # Optuna formats the URL as a template, but a file's name may have braces.
        template = url.replace("{", "{{").replace("}", "}}")
        super().__init__(template, engine_kwargs, skip_table_creation=not create)
        if self.engine.dialect.name == "sqlite":
            sqlite.tune(self.engine, writing=writing)

    def keep_first(self, study_id: int, key: str, value: Any) -> None:
        """Store an attribute of a study unless it has one with that key, in one step."""
        add_study_attribute(self.engine, study_id, key, value)

    @contextmanager
    def write_batch(self, trial_id: int) -> Iterator[None]:
        """Write the parameters and attributes of one trial in one transaction instead of one each.

        They are written when the block ends, also after an error, or earlier if anything but this
        trial is read or another kind of write begins. Use it only for a trial that no other
        process writes to.

        Raises:
            RuntimeError: this storage is already collecting a batch.
        """
        if self._batch is not None:
            raise RuntimeError(
                f"the storage is already collecting values of the trial {self._batch.trial_id}; "
                "end that block first"
            )
        self._batch = WriteBatch(trial_id)
        try:
            yield
        finally:
            try:
                self._flush()
            finally:
                self._batch = None

    def hold_parameter(self, trial_id: int, name: str, parameter: Parameter) -> bool:
        """Put a parameter into the batch if it belongs to the batch's trial."""
        batch = self._batch_of(trial_id)
        if batch is not None:
            batch.set_parameter(name, parameter)
        return batch is not None

    def before_reading(self) -> None:
        """Write the batch, so that what is read is complete."""
        self._flush()

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Store an attribute of flyweight."""
        if (batch := self._batch_of(trial_id)) is not None:
            batch.set_attribute("user", key, value)
        else:
            super().set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Store an attribute of Optuna."""
        if (batch := self._batch_of(trial_id)) is not None:
            batch.set_attribute("system", key, value)
        else:
            super().set_trial_system_attr(trial_id, key, value)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Change a trial's state."""
        self._flush()
        return super().set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Store a value that a trial reports."""
        self._flush()
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Read a trial."""
        batch = self._batch_of(trial_id)
        if batch is None:
            return super().get_trial(trial_id)
        return batch.seen or batch.show_in(super().get_trial(trial_id))

    def _flush(self) -> None:
        if self._batch:
            self._batch.write(self)

    def _batch_of(self, trial_id: int) -> WriteBatch | None:
        batch = self._batch
        return batch if batch is not None and batch.trial_id == trial_id else None
