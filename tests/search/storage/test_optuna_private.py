"""Optuna's private names as flyweight knows them.

Where one of these tests fails with a new Optuna, ``search/storage/optuna_private.py`` is the place
to mend; ``pyproject.toml`` holds the versions back until then.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from sqlalchemy import inspect as inspect_database

from search.storage.database import open_storage
from search.storage.optuna_private import (
    OPTUNA_TABLES,
    HookedStorage,
    Parameter,
    add_study_attribute,
    id_of_study,
    id_of_trial,
    rename_study,
)
from tests.search.small_studies import ROOT

COLUMNS = {
    models.StudyUserAttributeModel: {"study_id", "key", "value_json"},
    models.TrialUserAttributeModel: {"trial_id", "key", "value_json"},
    models.TrialSystemAttributeModel: {"trial_id", "key", "value_json"},
    models.TrialParamModel: {"trial_id", "param_name", "param_value", "distribution_json"},
}
"""What flyweight fills in of each table; the rest has to fill itself in."""

ARGUMENTS = {
    "_set_trial_param": [
        "self",
        "trial_id",
        "param_name",
        "param_value_internal",
        "distribution",
        "previous_distribution",
    ],
    "_set_trial_param_without_commit": [
        "self",
        "session",
        "trial_id",
        "param_name",
        "param_value_internal",
        "distribution",
        "previous_distribution",
    ],
    "_get_trials": ["self", "study_id", "states", "included_trial_ids", "trial_id_greater_than"],
    "check_trial_is_updatable": ["self", "trial_id", "trial_state"],
}


class _Noted(HookedStorage):
    """A storage that notes when its hooks are called."""

    def __init__(self, url: str) -> None:
        self.notes: list[str] = []
        super().__init__(url)

    def hold_parameter(self, trial_id: int, name: str, parameter: Parameter) -> bool:
        self.notes.append(name)
        return False

    def before_reading(self) -> None:
        self.notes.append("read")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_methods_take_what_they_took(name: str) -> None:
    """A method that is overridden or called has the arguments that flyweight passes on."""
    assert list(inspect.signature(getattr(RDBStorage, name)).parameters) == ARGUMENTS[name]


@pytest.mark.parametrize("model", COLUMNS, ids=lambda model: model.__name__)
def test_rows_have_the_columns_that_they_had(model: type[models.BaseModel]) -> None:
    """Every column that flyweight does not fill in may be empty or has a value of its own."""
    table = model.metadata.tables[model.__tablename__]
    columns = {column.name: column for column in table.columns}
    assert columns.keys() >= COLUMNS[model]
    others = [columns[name] for name in columns.keys() - COLUMNS[model]]
    assert all(column.primary_key or column.nullable for column in others)


def test_the_hooks_are_reached(tmp_path: Path) -> None:
    """Optuna's public methods come by both hooks, whatever its private ones are called."""
    storage = _Noted(f"sqlite:///{tmp_path / 'study.db'}")
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
    trial = study.ask()
    trial.suggest_int("width", 1, 9)
    assert "width" in storage.notes
    storage.notes.clear()
    study.get_trials()
    assert storage.notes == ["read"]


def test_numbers_are_those_of_the_storage(tmp_path: Path) -> None:
    """Studies and trials are found in the storage under the numbers that they name."""
    storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}", create=True)
    for name in ("first", "second"):
        study = optuna.create_study(storage=storage, study_name=name)
        trial = study.ask()
        assert storage.get_study_name_from_id(id_of_study(study)) == name
        assert storage.get_trial(id_of_trial(trial)).number == trial.number == 0
    assert id_of_trial(trial) == 2


def test_the_tables_are_those_of_the_schema(tmp_path: Path) -> None:
    """A new database has every table that flyweight expects of one."""
    storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}", create=True)
    assert set(inspect_database(storage.engine).get_table_names()) >= OPTUNA_TABLES


def test_the_first_attribute_stays(tmp_path: Path) -> None:
    """A second value under the same key changes nothing and is not an error."""
    storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}", create=True)
    study = optuna.create_study(storage=storage)
    for value in ({"seed": 1}, {"seed": 2}):
        add_study_attribute(storage.engine, id_of_study(study), "kept", value)
    assert study.user_attrs == {"kept": {"seed": 1}}


def test_a_name_and_an_attribute_change_together(tmp_path: Path) -> None:
    """A study gets both or, where its name is taken, neither; the attribute to remove goes."""
    storage = open_storage(f"sqlite:///{tmp_path / 'study.db'}", create=True)
    for name in ("first", "second"):
        study = optuna.create_study(storage=storage, study_name=name)
        study.set_user_attr("kept", name)
        study.set_user_attr("mark", 1)
    own = id_of_study(study)
    assert not rename_study(storage.engine, own, "first", "kept", "third", "mark")
    assert storage.get_study_name_from_id(own) == "second"
    assert storage.get_study_user_attrs(own) == {"kept": "second", "mark": 1}
    assert rename_study(storage.engine, own, "third", "kept", "third", "mark")
    assert storage.get_study_name_from_id(own) == "third"
    assert storage.get_study_user_attrs(own) == {"kept": "third"}


def test_private_names_stand_in_one_module() -> None:
    """No other module of flyweight reaches for a name that Optuna keeps to itself."""
    private = re.compile(r"optuna[\w.]*\._[a-z]|(?<!self)\._(study_id|trial_id)\b")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / "search").rglob("*.py")
        if path.name != "optuna_private.py"
        for line in path.read_text().splitlines()
        if private.search(line)
    ]
    assert found == []
