"""The weights of a trained network as an artifact of its trial or study."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.artifacts import FileSystemArtifactStore, download_artifact
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import BaseStorage
from optuna.trial import Trial
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from search.errors import TrialError, WorkFailed
from search.storage.uploads import keep_file

__all__ = [
    "WEIGHTS_FILE",
    "KeptWeights",
    "keep_named_weights",
    "keep_weights",
    "load_weights",
    "weights_of",
]

WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True)
class KeptWeights:
    """The weights of a network in a study's folder of artifacts.

    Attributes:
        artifact: the name of the file.
        sha256: of the file, in hexadecimal digits; None if it was not stored.
    """

    artifact: str
    sha256: str | None


def keep_weights(
    network: nn.Module, artifacts: Path, owner: Trial | Study, storage: BaseStorage
) -> KeptWeights:
    """Write a network's weights into a folder of artifacts.

    Args:
        network: on any device.
        artifacts: an existing folder.
        owner: the running trial, or the study, that the weights belong to.
        storage: of the study.

    Raises:
        WorkFailed: the disk is full or the folder does not exist.
    """
    try:
        content = save(weights_of(network))
        artifact = keep_file(WEIGHTS_FILE, content, artifacts, owner, storage)
    except (OSError, SafetensorError) as error:
        raise _cannot_write(artifacts, error) from error
    return KeptWeights(artifact, hashlib.sha256(content).hexdigest())


def keep_named_weights(network: nn.Module, artifacts: Path, name: str) -> KeptWeights:
    """Write the weights of a network that belongs to no study, whole or not at all.

    Args:
        network: on any device.
        artifacts: a folder, made if it is missing.
        name: of the file; one of that name is replaced.

    Raises:
        WorkFailed: the folder cannot be made or written to.
    """
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=artifacts, prefix=".") as folder:
            path = Path(folder) / name
            content = save(weights_of(network))
            path.write_bytes(content)
            path.replace(artifacts / name)
            return KeptWeights(name, hashlib.sha256(content).hexdigest())
    except (OSError, SafetensorError) as error:
        raise _cannot_write(artifacts, error) from error


def _cannot_write(artifacts: Path, error: Exception) -> WorkFailed:
    reason = error.strerror if isinstance(error, OSError) else error
    return WorkFailed(
        f"weights cannot be written to {artifacts} ({reason}); check that the folder exists, "
        "may be written to and has room, then run the command again"
    )


def load_weights(
    folders: Sequence[Path],
    kept: KeptWeights,
    owner: str,
    again: str = "train the network again with flyweight confirm",
) -> dict[str, Tensor]:
    """Read weights that were kept.

    Args:
        folders: where the file may lie, the likeliest first; at least one.
        kept: which weights.
        owner: what they belong to, for messages, such as ``trial 3``.
        again: how to have others if they are damaged, for messages.

    Raises:
        TrialError: the file is missing or damaged.
    """
    found = [folder for folder in folders if os.path.lexists(folder / kept.artifact)]
    folder = found[0] if found else folders[0]
    store: Any = FileSystemArtifactStore(folder)
    place = folder / kept.artifact
    try:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / WEIGHTS_FILE
            download_artifact(artifact_store=store, artifact_id=kept.artifact, file_path=str(path))
            content = path.read_bytes()
    except (ArtifactNotFound, OSError) as error:
        way_out = "make it a file that can be read"
        if not found:
            elsewhere = "".join(f" or into {other}" for other in folders[1:])
            way_out = f"put {'it' if folder.is_dir() else 'the folder'} back there{elsewhere}"
        raise TrialError(
            f"{place}: the weights of {owner} cannot be read ({_reason(error)}); {way_out}"
        ) from error
    try:
        if kept.sha256 not in (None, hashlib.sha256(content).hexdigest()):
            raise SafetensorError("the checksum of the file differs")
        return load(content)
    except SafetensorError as error:
        raise TrialError(
            f"{place}: the weights of {owner} are damaged ({error}); restore the file from a "
            f"copy, or {again}"
        ) from error


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's state dict on the CPU, each tensor with its own memory."""
    return {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in network.state_dict().items()
    }


def _reason(error: Exception) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or "no such file"
