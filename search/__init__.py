"""Run studies: study files, trials, workers, storage, reports and exports.

The only package that imports Optuna. Names are loaded when first used, so that
`import search` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from search.errors import (
    DeviceError,
    ExportError,
    FlyweightError,
    InputError,
    Interrupted,
    ResumeError,
    StorageError,
    StudyFileError,
    TrialError,
    WorkFailed,
    exit_code_of,
)

if TYPE_CHECKING:
    from search.spec.budget import Budget
    from search.spec.recipe_space import RecipeSpace
    from search.spec.study_file import StudyFile
    from search.spec.study_settings import StudySettings

__all__ = [
    "Budget",
    "DeviceError",
    "ExportError",
    "FlyweightError",
    "InputError",
    "Interrupted",
    "RecipeSpace",
    "ResumeError",
    "StorageError",
    "StudyFile",
    "StudyFileError",
    "StudySettings",
    "TrialError",
    "WorkFailed",
    "exit_code_of",
]

_HOMES = {
    "Budget": "search.spec.budget",
    "RecipeSpace": "search.spec.recipe_space",
    "StudyFile": "search.spec.study_file",
    "StudySettings": "search.spec.study_settings",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
