from __future__ import annotations

from pathlib import Path

import pytest
import torch

from search.errors import TrialError, WorkFailed
from search.export.command import export
from search.storage.weights import KeptWeights, keep_weights, load_weights, weights_of
from search.study.study import StoredStudy
from space.architecture import Architecture
from space.network import build
from tests.search.small_studies import SKELETON, begun, reopened, search_here, weights_in


def _trained(folder: Path) -> tuple[StoredStudy, Path]:
    """A study with one complete trial, and the file of its weights."""
    stored = begun(folder, space=SKELETON, epochs=1)
    search_here(stored, 1)
    (file,) = weights_in(stored.artifacts)
    return reopened(folder), file


def _refusal(stored: StoredStudy, folder: Path) -> str:
    with pytest.raises(TrialError) as caught:
        export(stored.name, folder / "net", storage=stored.url)
    assert not (folder / "net").exists()
    return str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "emptied", "flipped", "header"])
def test_damaged_weights_are_not_exported(tmp_path: Path, damage: str) -> None:
    """Whatever befell the file, the line names it and its trial, and nothing is written."""
    stored, file = _trained(tmp_path)
    content = file.read_bytes()
    file.write_bytes(
        {
            "cut": content[:100],
            "emptied": b"",
            "flipped": content[:-1] + bytes([content[-1] ^ 1]),
            "header": b"\xff" * 8 + content[8:],
        }[damage]
    )
    said = _refusal(stored, tmp_path)
    assert f"{file}: the weights of trial 0 are damaged" in said
    assert "restore the file" in said


def test_missing_weights_are_named(tmp_path: Path) -> None:
    """Where the file has gone the line says which and what to do."""
    stored, file = _trained(tmp_path)
    file.unlink()
    said = _refusal(stored, tmp_path)
    assert f"{file}: the weights of trial 0 cannot be read (no such file); put it back" in said


def test_weights_without_a_checksum_are_taken(tmp_path: Path) -> None:
    """A study that kept none can still be exported."""
    stored, file = _trained(tmp_path)
    kept = load_weights([stored.artifacts], KeptWeights(file.name, None), "trial 0")
    network = build(stored.records()[0].candidate(stored.data.input_shape).architecture)
    assert kept.keys() == network.state_dict().keys()


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    """A full disk or a vanished folder is one line with the place and the way out."""
    stored, _ = _trained(tmp_path)
    network = build(Architecture.parse(["conv3 4 relu", "gap", "linear 10"]))
    with pytest.raises(
        WorkFailed, match=r"weights cannot be written to .*gone \(.*check that the folder exists"
    ):
        keep_weights(network, tmp_path / "gone", stored.study, stored.storage)


def test_weights_have_memory_of_their_own() -> None:
    """What is kept does not change when the network learns on."""
    network = build(Architecture.parse(["conv3 4 relu", "gap", "linear 10"]))
    kept = weights_of(network)
    before = {name: tensor.clone() for name, tensor in kept.items()}
    for parameter in network.parameters():
        parameter.data.add_(1.0)
    for name, tensor in kept.items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
