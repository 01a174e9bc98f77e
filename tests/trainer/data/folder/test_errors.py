from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.trainer.datafiles import failure, picture, write_classes
from trainer.data import open_dataset
from trainer.errors import DataError


def _absent(folder: Path) -> None:
    folder.rmdir()


def _a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")


def _one_class(folder: Path) -> None:
    write_classes(folder, {"only": 10})


def _no_images(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 0})


def _arrays(folder: Path) -> None:
    write_classes(folder, {"a": 8})
    (folder / "b").mkdir()
    (folder / "b" / "0.npy").write_bytes(b"1")


def _dead_link(folder: Path) -> None:
    write_classes(folder, {"a": 8, "b": 8})
    (folder / "b" / "dead.png").symlink_to("nowhere")


def _few_images(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 7})


def _few_training_images(folder: Path) -> None:
    write_classes(folder / "train", {"a": 10, "b": 5})
    write_classes(folder / "test", {"a": 10, "b": 10})


def _test_alone(folder: Path) -> None:
    write_classes(folder / "test", {"a": 10, "b": 10})


def _other_classes(folder: Path) -> None:
    write_classes(folder / "train", {"a": 10, "b": 10})
    write_classes(folder / "test", {"a": 10, "c": 10})


def _unreadable(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        file.write_bytes(b"no image")


def _empty(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        file.write_bytes(b"")


def _postscript(folder: Path) -> None:
    write_classes(folder, {"a": 10, "b": 10})
    for file in (folder / "b").iterdir():
        picture(0).save(file, format="EPS")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_absent, "does not exist; name a folder"),
        (_a_file, "is not a folder; name a folder"),
        (lambda folder: None, "has no subfolders; it needs"),
        (_one_class, "has only the class 'only'; it needs"),
        (_no_images, "/b has no images; add some or remove it"),
        (_arrays, "/b has no images (0.npy is none by its suffix or content); add some"),
        (_dead_link, "dead.png cannot be read as an image (No such file or directory); "),
        (_few_images, "class 'b' has 7 images, but splitting needs at least 8"),
        (_few_training_images, "class 'b' has 5 images, but splitting needs at least 6"),
        (_test_alone, "has test/ but no train/"),
        (_other_classes, "class 'c' is in"),
        (_unreadable, ".png cannot be read as an image (cannot identify"),
        (_empty, ".png is empty"),
        (_postscript, ".png cannot be read as an image (cannot identify"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, prepare: Callable[[Path], None], message: str
) -> None:
    """A folder that cannot be used is refused with one line that names the place."""
    folder = tmp_path / "images"
    folder.mkdir()
    prepare(folder)
    found = failure(f"folder:{folder}")
    assert message in found
    assert str(folder) in found or "class 'b' has" in found


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image above Pillow's limit is an error, not a warning, and names the file."""
    write_classes(tmp_path, {"a": 10, "b": 10})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert ".png cannot be read as an image (Image size (64 pixels) exceeds" in failure(
        f"folder:{tmp_path}"
    )


@settings(max_examples=100)
@given(data=st.data())
def test_any_damage_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes an image file holds, opening gives images or a DataError and nothing else."""
    folder = tmp_path_factory.getbasetemp() / "damaged-folder"
    if not folder.exists():
        write_classes(folder / "train", {"a": 6, "b": 6}, size=(4, 4))
        write_classes(folder / "test", {"a": 1, "b": 1}, size=(4, 4))
    stream = io.BytesIO()
    kind = data.draw(st.sampled_from(("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")))
    picture(0, (4, 4)).save(stream, format=kind)
    content = bytearray(stream.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    (folder / "train" / "a" / "000.png").write_bytes(content[:end])
    with contextlib.suppress(DataError):
        opened = open_dataset(f"folder:{folder}", image_size=4, colour=data.draw(st.booleans()))
        assert opened.training().pixels.shape[2:] == (4, 4)
