from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainer.datafiles import failure, opened, picture, write_classes, write_parts
from trainer.data import Dataset, open_dataset
from trainer.data import memory as memory_module
from trainer.data.folder import decoding, digests
from trainer.data.folder.cache import Allocate, Entry, stored


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own that keeps every folder, however small."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FLYWEIGHT_CACHE_GIB", raising=False)
    monkeypatch.setattr(decoding, "CACHED_FILES", 1)
    return tmp_path / "cache" / "flyweight" / "images"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are decoded, as they are."""
    files: list[Path] = []
    original = decoding.read_pixels

    def noted(file: Path, form: Any) -> Any:
        files.append(file)
        return original(file, form)

    monkeypatch.setattr(decoding, "read_pixels", noted)
    return files


def _entries(kept: Path) -> list[Path]:
    return sorted(place for place in kept.iterdir() if place.is_dir())


def _same(first: Dataset, second: Dataset) -> bool:
    return (
        first.info == second.info
        and torch.equal(first.training().pixels, second.training().pixels)
        and torch.equal(first.test().pixels, second.test().pixels)
    )


def test_files_are_decoded_once(tmp_path: Path, kept: Path, read: list[Path]) -> None:
    """The second opening decodes no file, also of a folder that was moved or copied.

    What it says of broken files names them where they are now.
    """
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    (tmp_path / "images" / "a" / "005.png").write_bytes(b"broken")
    first = opened(tmp_path / "images", skip_broken=True)
    first.test()
    assert len(read) == 19
    assert not list(kept.glob(".*"))
    moved = (tmp_path / "images").rename(tmp_path / "elsewhere")
    second = open_dataset(f"folder:{moved}", skip_broken=True)
    assert torch.equal(first.training().pixels, second.training().pixels)
    assert torch.equal(first.test().pixels, second.test().pixels)
    assert first.info.fingerprint == second.info.fingerprint
    shutil.copytree(moved, tmp_path / "copy")
    (tmp_path / "copy" / "a").rename(tmp_path / "copy" / "c")
    (tmp_path / "copy" / "b").rename(tmp_path / "copy" / "d")
    message = failure(f"folder:{tmp_path / 'copy'}")
    assert f"{tmp_path / 'copy' / 'c' / '005.png'} cannot be read as an image" in message
    assert str(moved) not in message
    assert len(read) == 19


def test_files_are_read_once_while_they_are_unchanged(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they hold is known by size, times and place; without these it is looked at again."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    looked_at: list[Path] = []
    original = digests._digest

    def noted(file: Path) -> bytes:
        looked_at.append(file)
        return original(file)

    monkeypatch.setattr(digests, "_digest", noted)
    for settled, wanted in ((2_000_000_000, 32), (-(10**12), 16), (-(10**12), 0)):
        monkeypatch.setattr(digests, "_SETTLED_NS", settled)
        looked_at.clear()
        for _ in range(2 if settled > 0 else 1):  # files may change again at once, so none is noted
            opened(tmp_path / "images")
        assert len(looked_at) == wanted
    (note,) = kept.glob("*.contents")
    note.write_text("damaged")
    opened(tmp_path / "images")
    assert len(looked_at) == 16


def test_a_file_replaced_in_disguise_is_noticed(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another image of the same size and time has its own pixels, in the same folder or another."""
    monkeypatch.setattr(digests, "_SETTLED_NS", -(10**12))
    for folder, shift in (("images", 0), ("other", 50)):
        write_classes(tmp_path / folder, {"a": 10, "b": 10})
        for number, file in enumerate(sorted((tmp_path / folder).rglob("*.png"))):
            picture(number + shift).save(file.with_suffix(".bmp"))
            os.utime(file.with_suffix(".bmp"), (1e9, 1e9))
            file.unlink()
    wanted = opened(tmp_path / "other").training().pixels.clone()
    assert not torch.equal(opened(tmp_path / "images").training().pixels, wanted)
    for file in (tmp_path / "other").rglob("*.bmp"):
        replaced = tmp_path / "images" / file.relative_to(tmp_path / "other")
        replaced.write_bytes(file.read_bytes())
        os.utime(replaced, (1e9, 1e9))
    assert torch.equal(opened(tmp_path / "images").training().pixels, wanted)


def test_what_changes_pixels_is_decoded_anew(tmp_path: Path, kept: Path, read: list[Path]) -> None:
    """Another file, another size or background has its own entry, another time has not."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    folder = tmp_path / "images"
    opened(folder).test()
    for options in ({"image_size": 4}, {"background": "black"}, {"colour": True}):
        before = len(read)
        opened(folder, **options)
        assert len(read) > before
    before = len(read)
    os.utime(folder / "a" / "000.png", (1, 1))
    opened(folder).test()
    assert len(read) == before
    picture(77).save(folder / "a" / "000.png")
    assert np.asarray(picture(77)).tobytes() in {
        image.numpy().tobytes()
        for part in (opened(folder).training(), opened(folder).test())
        for image in part.pixels
    }


def test_the_cache_may_be_deleted_at_any_time(tmp_path: Path, kept: Path) -> None:
    """An opened set keeps its pixels, and the next opening decodes again."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    first = opened(tmp_path / "images")
    first.test()
    shutil.rmtree(kept)
    assert _same(first, opened(tmp_path / "images"))


def _shorten(entry: Path) -> None:
    file = entry / "pixels.npy"
    file.write_bytes(file.read_bytes()[:-10])


def _garble(entry: Path) -> None:
    (entry / "about.json").write_bytes(b"{")


def _pickle(entry: Path) -> None:
    np.save(entry / "pixels.npy", np.array([{}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize("damage", [_shorten, _garble, _pickle])
def test_a_damaged_entry_is_made_anew(
    tmp_path: Path, kept: Path, damage: Callable[[Path], None]
) -> None:
    """A disk that was full or a curious hand costs time and no pixels; no pickle is loaded."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    first = opened(tmp_path / "images")
    first.test()
    wanted = first.info, first.training().pixels.clone(), first.test().pixels.clone()
    for entry in _entries(kept):
        damage(entry)
    again = opened(tmp_path / "images")
    assert again.info == wanted[0]
    assert torch.equal(again.training().pixels, wanted[1])
    assert torch.equal(again.test().pixels, wanted[2])


def test_pixels_in_the_cache_cannot_be_changed(tmp_path: Path, kept: Path) -> None:
    """Whoever writes into an opened set changes a copy."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    before = opened(tmp_path / "images").training().pixels.clone()
    opened(tmp_path / "images").training().pixels.zero_()
    assert torch.equal(opened(tmp_path / "images").training().pixels, before)


def test_the_cache_has_a_size(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries unused for longest go first, and 0 keeps nothing."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10}, size=(32, 32))
    for side, age in ((8, 300), (16, 200), (24, 100)):
        opened(tmp_path / "images", image_size=side)
        for entry in _entries(kept):
            about = entry / "about.json"
            if about.stat().st_mtime > 1e9:
                os.utime(about, (1e9 - age, 1e9 - age))
    assert len(_entries(kept)) == 3
    opened(tmp_path / "images", image_size=8)  # used again, so the one of 16 is the oldest
    room = 16 * (8 * 8 + 24 * 24 + 20 * 20) + 1000
    monkeypatch.setenv("FLYWEIGHT_CACHE_GIB", str(room / 2**30))
    opened(tmp_path / "images", image_size=20)
    sides = {np.load(entry / "pixels.npy", mmap_mode="r").shape[2] for entry in _entries(kept)}
    assert sides == {8, 24, 20}
    monkeypatch.setenv("FLYWEIGHT_CACHE_GIB", "0")
    opened(tmp_path / "images", image_size=9)
    assert len(_entries(kept)) == 3


def test_a_place_that_cannot_be_written_is_done_without(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images are then decoded into memory."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(opened(tmp_path / "images").training()) == 16


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no modes of folders")
def test_a_folder_that_others_may_write_to_is_done_without(tmp_path: Path, kept: Path) -> None:
    """Nobody else can put pixels there; a folder that is made is the user's alone."""
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    before = os.umask(0o002)
    try:
        opened(tmp_path / "images")
    finally:
        os.umask(before)
    assert len(_entries(kept)) == 1
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    shutil.rmtree(kept)
    kept.parent.chmod(0o770)
    assert len(opened(tmp_path / "images").training()) == 16
    assert not kept.exists()


def test_who_asks_at_once_waits_for_the_first(kept: Path) -> None:
    """One of four makes the entry, all have it."""
    made: list[int] = []
    gate = threading.Barrier(4)

    def make(allocate: Allocate) -> Entry:
        made.append(1)
        pixels = allocate((3, 1, 2, 2))
        pixels[:] = 7
        return Entry(pixels, {"any": "thing"})

    def ask(_number: int) -> Entry:
        gate.wait()
        return stored("key", make)

    with ThreadPoolExecutor(4) as pool:
        entries = list(pool.map(ask, range(4)))
    assert len(made) == 1
    assert all((entry.pixels == 7).all() and entry.about == {"any": "thing"} for entry in entries)


def test_small_folders_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are decoded faster than they are found, and leave no trace."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_classes(tmp_path / "images", {"a": 10, "b": 10})
    opened(tmp_path / "images")
    assert not (tmp_path / "cache").exists()


def test_more_than_the_memory_is_refused(
    tmp_path: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is named before a file is decoded."""
    write_parts(tmp_path, {"train": {"a": 10, "b": 10}, "test": {"a": 1, "b": 1}})
    monkeypatch.setattr(memory_module, "memory_bytes", lambda: 1000)
    message = failure(f"folder:{tmp_path}")
    assert "20 images of 1x8x8 need 0.0 GiB, but there are 0.0 GiB of memory" in message
    assert "set a smaller image_size" in message
    assert read == []


def test_progress_is_told(tmp_path: Path) -> None:
    """Each file counts once, up to all of them."""
    write_classes(tmp_path, {"a": 10, "b": 10})
    told: list[tuple[int, int]] = []
    opened(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 16) for done in range(1, 17)]
