"""``flyweight data``: look at all of a data set and say what is found."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from search.errors import InputError
from search.spec.study_file import StudyFile
from search.storage.database import has_no_studies, quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import open_study, refuse_changes, study_names
from search.workers.data import data_root, inspect_data, show_reading
from trainer.data import (
    DATASET_NAMES,
    PATH_DATASETS,
    Findings,
    Inspection,
    Reading,
    find_dataset,
    inspect_dataset,
)

__all__ = ["data"]


def data(
    what: str | Path,
    *,
    storage: str = DEFAULT_STORAGE,
    data: str | Path | None = None,
    console: Console | None = None,
) -> Findings:
    """Look at a data set and return what it holds.

    Every file of a folder is opened and decoded, those of its test part too. The test part of a set
    that has a name is not read.

    Args:
        what: path of a study file, name of a data set, ``folder:PATH``, path of a folder, or name
            of a study in the storage.
        storage: URL of the study database.
        data: folder of the data sets; by default ``$FLYWEIGHT_DATA``, else ``data/``.
        console: where to show progress.

    Returns:
        What was found; ``problems`` says what keeps a study from using it. Images that differ in
        size are a problem for a study without ``image_size``, else a warning.

    Raises:
        InputError: it is none of these.
        DataError: the data set cannot be opened at all.
    """
    quiet_optuna()
    name, root = str(what), data_root(data)
    if isinstance(what, Path) and what.is_dir():
        name = f"folder:{what}"
    console = console or Console(stderr=True)
    if name in DATASET_NAMES or name.partition(":")[0] in PATH_DATASETS:
        with show_reading(console, name) as progress:
            findings = inspect_dataset(name, root, progress=progress).findings
        if findings.input_shape is None:  # without a study nothing says what size is meant
            findings.warnings.insert(0, findings.problems.pop(0))
        return findings
    file, reading = _study(name, storage)
    with show_reading(console, file.settings.dataset) as progress:
        found: Inspection = inspect_data(file, root, reading, progress)
    return found.findings


def _study(name: str, storage: str) -> tuple[StudyFile, Reading | None]:
    """Return the file of a study, and how it reads its images if it has begun."""
    if name.endswith(".toml"):
        file = StudyFile.load(name)
        begun = refuse_changes(file, storage)
        return file, None if begun is None else begun.data.reading
    if not has_no_studies(storage) and name in study_names(storage):
        stored = open_study(name, storage, writing=False)
        return stored.file, stored.data.reading
    if Path(name).is_dir():
        raise InputError(f"{name} is a folder; for its images say folder:{name}")
    if name.endswith(".npz") and Path(name).is_file():
        raise InputError(f"{name} is a file of arrays; for its images say npz:{name}")
    find_dataset(name)  # says what is known
    raise InputError(f"{name} is neither a data set nor a study")
