from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from search.errors import StorageError
from search.storage.artifacts import (
    artifacts_beside,
    artifacts_of,
    make_artifacts,
    place_to_keep,
)

SERVER = "postgresql://host/studies"


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'study.db'}"


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_artifacts_lie_beside_the_database(tmp_path: Path) -> None:
    """Weights are kept in a folder next to the file, or below studies/ with a server."""
    assert artifacts_beside(_url(tmp_path)) == tmp_path / "artifacts"
    assert artifacts_beside(SERVER) == Path("studies/artifacts")


@pytest.mark.parametrize("below", ["artifacts", "weights/of/mine", "."])
@pytest.mark.parametrize("gone", [True, False])
def test_a_folder_below_the_database_moves_with_it(tmp_path: Path, below: str, gone: bool) -> None:
    """A study that was moved or copied has its artifacts at the new place, never at the old."""
    old = _folder(tmp_path / "old" / below)
    kept = place_to_keep(old, _url(tmp_path / "old"))
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    if gone:
        shutil.rmtree(tmp_path / "old")
    assert artifacts_of(kept, _url(tmp_path / "new")) == (tmp_path / "new" / below).resolve()


def test_a_folder_elsewhere_stays_where_it_is(tmp_path: Path) -> None:
    """What does not lie below the database's folder is found again wherever the database goes."""
    outside = _folder(tmp_path / "outside")
    _folder(tmp_path / "new" / "artifacts")
    kept = place_to_keep(outside, _url(tmp_path / "old"))
    assert artifacts_of(kept, _url(tmp_path / "new")) == outside


def test_a_database_that_moved_alone_finds_its_old_folder(tmp_path: Path) -> None:
    """Where the artifacts stayed behind they are read where they are."""
    old = _folder(tmp_path / "old" / "artifacts")
    kept = place_to_keep(old, _url(tmp_path / "old"))
    assert artifacts_of(kept, _url(tmp_path / "new")) == old


@pytest.mark.parametrize("place", ["/students/artifacts", "/students/\N{SNOWMAN}/weights"])
def test_an_absolute_path_that_is_gone_leads_beside_the_database(
    tmp_path: Path, place: str
) -> None:
    """The version before kept an absolute path only; beside the moved database are its artifacts.

    Where there are none either, the place that it kept is the answer.
    """
    kept = {"artifacts": place}
    assert artifacts_of(kept, _url(tmp_path)) == Path(place)
    beside = _folder(tmp_path / "artifacts")
    assert artifacts_of(kept, _url(tmp_path)) == beside


def test_a_server_keeps_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is the same from every working directory, whatever lies in that."""
    folder = tmp_path / "studies" / "artifacts"
    monkeypatch.chdir(tmp_path)
    kept = place_to_keep(artifacts_beside(SERVER), SERVER)
    assert kept == {"artifacts": str(folder)}
    _folder(tmp_path / "other" / "studies" / "artifacts")
    monkeypatch.chdir(tmp_path / "other")
    assert artifacts_of(kept, SERVER) == folder


def test_the_version_before_reads_what_is_kept(tmp_path: Path) -> None:
    """The absolute path stays beside the relative one, where the version before looks for it."""
    kept = place_to_keep(tmp_path / "artifacts", _url(tmp_path))
    assert kept["artifacts"] == str(tmp_path / "artifacts")


def test_a_missing_folder_with_weights_is_not_made(tmp_path: Path) -> None:
    """A folder that weights were kept in is named when it has gone; a new study's is made."""
    folder = tmp_path / "artifacts"
    with pytest.raises(StorageError, match="put it back") as caught:
        make_artifacts(folder, "tiny", has_weights=True)
    assert str(folder) in str(caught.value)
    assert not folder.exists()
    make_artifacts(folder, "tiny", has_weights=False)
    make_artifacts(folder, "tiny", has_weights=True)
    assert folder.is_dir()
