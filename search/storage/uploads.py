"""Keep files as artifacts of a trial or a study."""

from __future__ import annotations

import tempfile
from pathlib import Path

from optuna import Study
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.storages import BaseStorage
from optuna.trial import Trial

__all__ = ["keep_file"]


def keep_file(
    name: str, content: bytes, artifacts: Path, owner: Trial | Study, storage: BaseStorage
) -> str:
    """Write a file into a folder of artifacts and say whose it is.

    Args:
        name: of the file, whose ending says what it is.
        content: of the file.
        artifacts: an existing folder.
        owner: the running trial, or the study, that it belongs to.
        storage: of the study.

    Returns:
        The name that the file has in the folder.

    Raises:
        OSError: the disk is full or the folder does not exist.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return upload_artifact(
            artifact_store=FileSystemArtifactStore(artifacts),
            file_path=str(path),
            study_or_trial=owner,
            storage=None if isinstance(owner, Trial) else storage,
        )
