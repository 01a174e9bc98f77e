"""Optuna's database storage with what a study of several processes needs of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from search.storage.write_batch import Parameter, WriteBatch

__all__ = ["StudyStorage"]


class StudyStorage(RDBStorage):
    """A storage that several processes may write to, and that can write many values at once.

    SQLite is used in WAL mode. A writer's transactions begin with ``BEGIN IMMEDIATE``: Optuna's
    row locks do nothing on SQLite, and two workers would otherwise pop the same queued trial. A
    reader's begin deferred, so that it blocks nobody.

    Args:
        url: an SQLAlchemy URL.
        engine_kwargs: of SQLAlchemy's ``create_engine``.
        create: whether to make the tables that are not there.
        writing: whether this process will write.
    """

    def __init__(
        self, url: str, engine_kwargs: dict[str, Any], *, create: bool, writing: bool
    ) -> None:
        self._batch: WriteBatch | None = None
        # Optuna fills in braces, which a file's name may have.
        template = url.replace("{", "{{").replace("}", "}}")
        super().__init__(template, engine_kwargs, skip_table_creation=not create)
        if self.engine.dialect.name == "sqlite":
            _tune_sqlite(self.engine, writing=writing)

    def keep_first(self, study_id: int, key: str, value: Any) -> None:
        """Keeps an attribute of a study unless it has one of that name, in one step."""
        row = models.StudyUserAttributeModel(
            study_id=study_id, key=key, value_json=json.dumps(value)
        )
        # A violated unique key is no error here: another process was first.
        with suppress(IntegrityError), Session(self.engine) as session, session.begin():
            session.add(row)

    @contextmanager
    def write_batch(self, trial_id: int) -> Iterator[None]:
        """Writes the parameters and attributes of one trial in one transaction instead of one each.

        They are written when the block ends, however it ends, or earlier where anything but this
        trial is read or another kind of write begins. Only for a trial that nobody else writes to.

        Raises:
            RuntimeError: if this storage collects a batch already.
        """
        if self._batch is not None:
            raise RuntimeError("a storage collects the values of one trial at a time")
        self._batch = WriteBatch(trial_id)
        try:
            yield
        finally:
            try:
                self._flush()
            finally:
                self._batch = None

    def _flush(self) -> None:
        if self._batch:
            with Session(self.engine, autoflush=False) as session, session.begin():
                self._batch.write(self, session)
            self._batch.forget()

    def _batch_of(self, trial_id: int) -> WriteBatch | None:
        batch = self._batch
        return batch if batch is not None and batch.trial_id == trial_id else None

    def _set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None,
    ) -> None:
        value, previous = param_value_internal, previous_distribution
        if (batch := self._batch_of(trial_id)) is not None:
            batch.set_parameter(param_name, Parameter(value, distribution, previous))
        else:
            super()._set_trial_param(trial_id, param_name, value, distribution, previous)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keeps an attribute of ours."""
        if (batch := self._batch_of(trial_id)) is not None:
            batch.set_attribute("user", key, value)
        else:
            super().set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keeps an attribute of Optuna's."""
        if (batch := self._batch_of(trial_id)) is not None:
            batch.set_attribute("system", key, value)
        else:
            super().set_trial_system_attr(trial_id, key, value)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Changes a trial's state."""
        self._flush()
        return super().set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Keeps what a trial reports."""
        self._flush()
        super().set_trial_intermediate_value(trial_id, step, intermediate_value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Reads a trial."""
        batch = self._batch_of(trial_id)
        if batch is None:
            return super().get_trial(trial_id)
        return batch.seen or batch.show_in(super().get_trial(trial_id))

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        self._flush()
        return super()._get_trials(study_id, states, included_trial_ids, trial_id_greater_than)


def _tune_sqlite(engine: Engine, *, writing: bool) -> None:
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED"

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions of its own, deferred ones.
        connection.isolation_level = None
        if writing:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    # Optuna has opened connections already, without these settings.
    engine.dispose()
