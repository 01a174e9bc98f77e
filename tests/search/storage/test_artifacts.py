from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from search.errors import StorageError
from search.storage.artifacts import (
    ArtifactFolders,
    artifacts_beside,
    find_artifacts,
    place_to_keep,
)

SERVER = "postgresql://host/studies"


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'study.db'}"


def _folder(path: Path, *files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name in files:
        (path / name).touch()
    return path


def artifacts_of(kept: dict[str, str], url: str, *files: str) -> Path:
    """The folder in which these files of a study are looked for first."""
    return find_artifacts(kept, url, files).folder


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


def test_the_folder_with_the_weights_wins(tmp_path: Path) -> None:
    """A moved study of the version before has its weights beside it, whatever its old place holds.

    A database that moved alone has them where they stayed, though it has a folder beside it.
    """
    old, new = tmp_path / "old" / "artifacts", tmp_path / "new" / "artifacts"
    kept = {"artifacts": str(_folder(old, "of another study"))}
    _folder(new, "a", "b")
    assert artifacts_of(kept, _url(tmp_path / "new"), "a", "b") == new
    _folder(old, "a", "b")
    assert artifacts_of(kept, _url(tmp_path / "new"), "a", "b") == new
    (new / "a").unlink()
    assert artifacts_of(kept, _url(tmp_path / "new"), "a", "b") == old
    found = find_artifacts(place_to_keep(old, _url(tmp_path / "old")), _url(tmp_path), ("a",))
    assert (found.folder, found.lost) == (old, False)


def test_single_files_are_looked_for_in_every_folder(tmp_path: Path) -> None:
    """All places are there to look in, the one with most of the files first."""
    old, new = _folder(tmp_path / "old", "a"), _folder(tmp_path / "artifacts", "b", "c")
    found = find_artifacts({"artifacts": str(old)}, _url(tmp_path), ("a", "b", "c"))
    assert found.all == (new, old)


def test_missing_weights_are_not_passed_over(tmp_path: Path) -> None:
    """A folder of which all weights have gone is named, with every place; a new study's is made."""
    folder, other = tmp_path / "artifacts", tmp_path / "elsewhere"
    lost = ArtifactFolders(folder, (other,), lost=True)
    for _ in range(2):
        with pytest.raises(StorageError, match="put them back") as caught:
            lost.make("tiny")
        assert str(folder) in str(caught.value)
        assert str(other) in str(caught.value)
        _folder(folder, "something else")
    (folder / "something else").unlink()
    lost.make("tiny")
    folder.rmdir()
    ArtifactFolders(folder).make("tiny")
    assert folder.is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is told of."""
    (tmp_path / "artifacts").touch()
    with pytest.raises(StorageError, match="cannot hold the weights"):
        ArtifactFolders(tmp_path / "artifacts").make("tiny")
