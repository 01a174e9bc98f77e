from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.trainer.datafiles import failure, opened, picture, write_classes, write_parts
from trainer.data import ReadOptions, inspect_dataset
from trainer.data.folder.files import readable_suffixes
from trainer.data.folder.layout import find_layout

LITTER = {
    ".hidden.png": "hidden",
    "._000.png": "hidden",
    ".DS_Store": "hidden",
    ".ipynb_checkpoints/000.png": "hidden",
    "@eaDir/000.png": "made by a tool",
    "__MACOSX/cat/000.png": "made by a tool",
    "Thumbs.db": "made by a tool",
    "desktop.ini": "made by a tool",
    "notes.txt": "no image (.txt)",
    "LICENSE": "no image (without a suffix)",
    "a.CR2": ".cr2 cannot be read here",
}


@pytest.mark.parametrize("place", ["", "cat", "cat/deeper", "train/cat"])
def test_litter_is_passed_over_at_every_depth(tmp_path: Path, place: str) -> None:
    """Hidden files, those of tools and other files change nothing and are counted by reason."""
    if place.startswith("train"):
        write_parts(tmp_path, {"train": {"cat": 8, "dog": 8}})
    else:
        write_classes(tmp_path, {"cat": 8, "dog": 8})
    before = opened(tmp_path).info.fingerprint
    for name in LITTER:
        file = tmp_path / place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"litter")
    assert opened(tmp_path).info.fingerprint == before
    passed = find_layout(tmp_path).passed_over
    reasons = list(LITTER.values())
    assert passed.counts == {reason: reasons.count(reason) for reason in set(reasons)}
    assert all(1 <= len(examples) <= 3 for examples in passed.examples.values())


def test_images_beside_the_classes_are_counted(tmp_path: Path) -> None:
    """An image in no class's folder has no label."""
    write_classes(tmp_path, {"cat": 8, "dog": 8})
    picture(1).save(tmp_path / "preview.png")
    assert find_layout(tmp_path).passed_over.counts == {"in no class's folder": 1}
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 16


@pytest.mark.parametrize("suffix", [".jfif", ".JPG", ".jpe", ".tga", ".avif", ".webp", ".jp2"])
def test_what_pillow_can_read_is_read(tmp_path: Path, suffix: str) -> None:
    """Suffixes are those that Pillow knows, in any case."""
    if suffix.lower() not in readable_suffixes():
        pytest.skip(f"this Pillow does not read {suffix}")
    kind = Image.registered_extensions()[suffix.lower()]
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(8):
            picture(i, (16, 16), "RGB").save(tmp_path / name / f"{i}{suffix}", format=kind)
    assert opened(tmp_path).info.input_shape == (3, 16, 16)


def test_photographs_of_several_pictures_are_read(tmp_path: Path) -> None:
    """A camera's .mpo is a JPEG file with a second picture, which Pillow's reader of JPEG reads."""
    write_classes(tmp_path, {"cat": 8, "dog": 8}, mode="RGB")
    first, second = picture(98, mode="RGB"), picture(99, mode="RGB")
    first.save(tmp_path / "cat" / "more.mpo", save_all=True, append_images=[second])
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 17
    assert ".mpo" not in readable_suffixes(rules=2)  # a study that began under these


def test_a_suffix_that_is_registered_later_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin for Pillow adds its suffixes when it is imported, perhaps after the first look."""
    write_classes(tmp_path, {"cat": 8, "dog": 8})
    picture(99).save(tmp_path / "cat" / "more.toy", format="PNG")
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 16
    monkeypatch.setitem(Image.EXTENSION, ".toy", "PNG")
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 17


def test_a_class_of_unreadable_images_is_named(tmp_path: Path) -> None:
    """Photographs that this Pillow cannot read are not the same as no photographs."""
    write_classes(tmp_path, {"cat": 8, "dog": 0})
    (tmp_path / "dog" / "IMG_1.CR3").write_bytes(b"raw")
    assert "has no images that can be read here (IMG_1.CR3 cannot)" in failure(f"folder:{tmp_path}")


def test_a_folder_with_the_suffix_of_an_image_is_a_folder(tmp_path: Path) -> None:
    """What lies in it belongs to its class; the folder itself is no image."""
    write_classes(tmp_path, {"cat": 8, "dog": 7})
    (tmp_path / "dog" / "more.png").mkdir()
    picture(99).save(tmp_path / "dog" / "more.png" / "last.png")
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 16


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no links and pipes")
def test_links_and_pipes(tmp_path: Path) -> None:
    """Links are followed, circles of them and pipes are passed over, and none is waited for."""
    write_classes(tmp_path / "there", {"cat": 8, "dog": 8})
    here = tmp_path / "here"
    here.mkdir()
    for name in ("cat", "dog"):
        (here / name).symlink_to(tmp_path / "there" / name, target_is_directory=True)
    (tmp_path / "there" / "cat" / "again").symlink_to(here / "cat", target_is_directory=True)
    os.mkfifo(tmp_path / "there" / "cat" / "pipe.png")
    data = opened(here)
    assert len(data.training()) + len(data.test()) == 16
    counts = find_layout(here).passed_over.counts
    assert counts == {"link in a circle": 1, "no regular file": 1}


def _break(folder: Path) -> list[Path]:
    """Four broken files in all parts of a folder."""
    write_parts(folder, {"train": {"cat": 9, "dog": 9}, "test": {"cat": 3, "dog": 3}})
    whole = folder / "train" / "cat" / "000.png"
    broken = [
        folder / "train" / "dog" / "001.png",
        folder / "train" / "dog" / "002.png",
        folder / "train" / "cat" / "003.png",
    ]
    broken[0].write_bytes(b"<html>not found</html>")
    broken[1].write_bytes(b"")
    broken[2].write_bytes(whole.read_bytes()[:-40])  # opens, and cannot be decoded
    if hasattr(os, "symlink"):
        (folder / "train" / "dog" / "nowhere.png").symlink_to(folder / "absent.png")
        broken.append(folder / "train" / "dog" / "nowhere.png")
    return broken


def test_all_broken_files_are_in_one_message(tmp_path: Path) -> None:
    """Files are opened and decoded before the first word."""
    broken = _break(tmp_path)
    message = failure(f"folder:{tmp_path}")
    assert f"{len(broken)} files that cannot be read" in message
    assert all(str(file) in message for file in broken)
    assert "set skip_broken = true" in message


def test_broken_files_are_skipped_where_that_is_asked(tmp_path: Path) -> None:
    """The others keep their labels and their pixels."""
    broken = _break(tmp_path)
    data = opened(tmp_path, skip_broken=True)
    assert data.training().labels.bincount().tolist() == [8, 7]
    for file in broken:
        file.unlink()
    whole = {
        (int(label), image.numpy().tobytes())
        for image, label in zip(data.training().pixels, data.training().labels, strict=True)
    }
    clean = opened(tmp_path).training()
    assert whole == {
        (int(label), image.numpy().tobytes())
        for image, label in zip(clean.pixels, clean.labels, strict=True)
    }
    (tmp_path / "test" / "cat" / "000.png").write_bytes(b"broken")
    assert opened(tmp_path, skip_broken=True).test().labels.tolist() == [0, 0, 1, 1, 1]


def test_a_class_without_a_whole_file_is_refused(tmp_path: Path) -> None:
    """Skipping may not leave a class without images."""
    write_classes(tmp_path, {"cat": 8, "dog": 8})
    for file in (tmp_path / "dog").iterdir():
        file.write_bytes(b"broken")
    assert "a class has no image left" in failure(f"folder:{tmp_path}", skip_broken=True)
    for file in (tmp_path / "cat").iterdir():
        file.write_bytes(b"broken")
    assert "none of 12 files can be read" in failure(f"folder:{tmp_path}", skip_broken=True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_images_without_a_suffix_are_read(tmp_path: Path, kind: str) -> None:
    """Their first bytes say what they are; a study of older rules passes over them and says so."""
    write_classes(tmp_path, {"a": 20, "b": 20})
    for i in range(2):
        picture(5000 + i).save(tmp_path / "b" / ("scan" if i else "scan.001"), format=kind)
    (tmp_path / "b" / "README").write_text("BMP files and P5 scans")
    assert len(opened(tmp_path).training()) + len(opened(tmp_path).test()) == 42
    assert find_layout(tmp_path).passed_over.counts == {"no image (without a suffix)": 1}
    older = opened(tmp_path, rules=2)
    assert len(older.training()) + len(older.test()) == 40
    options = ReadOptions(rules=2)
    warning = inspect_dataset(f"folder:{tmp_path}", options=options).findings.warnings[0]
    assert warning.startswith("2 files without a suffix look like images and are not read by the r")


def test_a_class_of_unnamed_images_is_not_called_empty(tmp_path: Path) -> None:
    """By the older rules, the missing suffix is the reason."""
    write_classes(tmp_path, {"a": 10, "b": 0})
    picture(1).save(tmp_path / "b" / "scan", format="PNG")
    message = failure(f"folder:{tmp_path}", rules=2)
    assert "b has no images with a suffix, such as .png (scan has none)" in message
