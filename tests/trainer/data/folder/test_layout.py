from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from tests.trainer.datafiles import failure, opened, picture, write_classes, write_parts
from trainer.data.folder.layout import find_layout

EIGHT = {"cat": 8, "dog": 8}


@pytest.mark.parametrize("enclosed", ["", "flowers", "archive/flowers"])
@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "valid", "Test"),
        ("seg_train", "seg_val", "seg_test"),
        ("train/train", "val/val", "test/test"),
    ],
)
def test_parts_are_known_by_their_names(
    tmp_path: Path, names: tuple[str, str, str], enclosed: str
) -> None:
    """A validation part validates, a test part tests, and nothing of these is trained on."""
    counts = {"cat": 6, "dog": 7}, {"cat": 2, "dog": 3}, {"cat": 1, "dog": 4}
    write_parts(tmp_path / enclosed, dict(zip(names, counts, strict=True)))
    data = opened(tmp_path)
    training, validation = data.search_split()
    parts = (training, validation, data.test())
    assert [part.labels.bincount().tolist() for part in parts] == [[6, 7], [2, 3], [1, 4]]
    assert data.info.classes == ("cat", "dog")
    assert len({image.numpy().tobytes() for part in parts for image in part.pixels}) == 23
    assert len(data.training()) == 18


def test_a_validation_part_without_a_test_part(tmp_path: Path) -> None:
    """The test part is then a fifth of the training part alone."""
    write_parts(tmp_path, {"train": {"cat": 10, "dog": 10}, "val": {"cat": 3, "dog": 3}})
    data = opened(tmp_path)
    training, validation = data.search_split()
    assert (len(training), len(validation), len(data.test())) == (16, 6, 4)


def test_another_split_is_another_data_set(tmp_path: Path) -> None:
    """The same images with another validation part have another fingerprint."""
    write_parts(tmp_path, {"train": EIGHT, "val": EIGHT, "test": EIGHT})
    before = opened(tmp_path).info.fingerprint
    (tmp_path / "val" / "cat" / "000.png").rename(tmp_path / "train" / "cat" / "zzz.png")
    assert opened(tmp_path).info.fingerprint != before


@pytest.mark.parametrize("names", [("one", "two"), ("fold1", "fold2", "fold3"), ("a/x", "b/y")])
def test_parts_in_disguise_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Folders that have the same subfolders are parts, not classes."""
    write_parts(tmp_path, dict.fromkeys(names, EIGHT))
    message = failure(f"folder:{tmp_path}")
    assert "have the same subfolders (cat, dog)" in message
    assert "name the parts train/, val/ and test/" in message


def test_classes_that_hold_parts_are_refused(tmp_path: Path) -> None:
    """A set beside its augmented copy is two sets, not two classes, whatever parts each has."""
    for place in ("original/train", "original/test", "augmented/train"):
        write_classes(tmp_path / place, EIGHT)
    message = failure(f"folder:{tmp_path}")
    assert "is a part with folders of images, so augmented/ is no class" in message
    assert f"use folder:{tmp_path / 'augmented'} alone" in message


def test_masks_beside_images_are_refused(tmp_path: Path) -> None:
    """Classes that each hold images/ and masks/ would be trained on both."""
    write_parts(tmp_path, {name: {"images": 8, "masks": 8} for name in ("cat", "dog")})
    assert f"{tmp_path / 'cat'} has images/ and masks/, which are" in failure(f"folder:{tmp_path}")
    shutil.rmtree(tmp_path / "dog" / "masks")
    assert f"{tmp_path / 'cat'} has images/ and masks/, which are" in failure(f"folder:{tmp_path}")
    assert opened(tmp_path, rules=2).info.classes == ("cat", "dog")
    write_classes(tmp_path / "flat", {"images": 8, "masks": 8})
    assert "has images/ and masks/, which are no classes" in failure(f"folder:{tmp_path / 'flat'}")


@pytest.mark.parametrize("part", ["train", "test"])
def test_images_beside_an_inner_folder_of_classes(tmp_path: Path, part: str) -> None:
    """A train/train/ with loose images beside it is said as that, and not as a class train."""
    write_parts(tmp_path / "train", {"train": EIGHT})
    write_parts(tmp_path / "test", {"test": EIGHT})
    picture(1).save(tmp_path / part / "loose.png")
    message = failure(f"folder:{tmp_path}")
    assert f"{tmp_path / part / part} holds a folder for each class, but 1 image lies " in message
    assert "such as loose.png; move what is loose" in message


def test_parts_inside_classes_are_refused(tmp_path: Path) -> None:
    """The way out for cat/train, cat/test is named."""
    write_parts(tmp_path, {name: {"train": 8, "test": 8} for name in ("cat", "dog")})
    assert "put the classes into the parts, such as test/cat" in failure(f"folder:{tmp_path}")


def test_classes_may_have_the_names_of_parts(tmp_path: Path) -> None:
    """Folders of vehicles or of tickets hold images, and so they are classes."""
    write_classes(tmp_path / "vehicles", {"train": 8, "car": 8, "plane": 8})
    write_classes(tmp_path / "tickets", {"valid": 8, "invalid": 8})
    assert opened(tmp_path / "vehicles").info.classes == ("car", "plane", "train")
    assert opened(tmp_path / "tickets").info.classes == ("invalid", "valid")


def test_a_class_named_train_with_subfolders_is_unclear(tmp_path: Path) -> None:
    """Nobody can say whether such a folder is a part."""
    write_parts(tmp_path, {"train": {"steam": 8, "diesel": 8}})
    write_classes(tmp_path, {"car": 8})
    assert "with folders of images beside car/" in failure(f"folder:{tmp_path}")


def test_images_without_labels_are_named(tmp_path: Path) -> None:
    """A test/ without classes, as competitions hand it out, is not used and said so."""
    write_parts(tmp_path, {"train": EIGHT})
    write_classes(tmp_path, {"test": 5})
    assert len(opened(tmp_path).test()) == 4
    (warning,) = find_layout(tmp_path).warnings
    assert "test holds 5 images and is not used: it has no folder for each class" in warning


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"Train": EIGHT, "training": EIGHT}, "are both the training part"),
        ({"train": EIGHT, "test": {"cat": 1, "Dog": 1}}, "class 'Dog' is in"),
        ({"train": EIGHT, "test": {"cat": 1, "Dog": 1}}, "(there it is 'dog')"),
        ({"train": EIGHT, "val": {"cow": 3}}, "class 'cow' is in"),
        ({"test": EIGHT, "val": EIGHT}, "but no train/"),
        ({"train": {"cat": 8}}, "has only the class 'cat'"),
    ],
)
def test_parts_that_do_not_fit(
    tmp_path: Path, parts: dict[str, dict[str, int]], message: str
) -> None:
    """What cannot be right is refused before a file is opened."""
    write_parts(tmp_path, parts)
    assert message in failure(f"folder:{tmp_path}")


def test_a_class_that_a_part_lacks_is_a_warning(tmp_path: Path) -> None:
    """Accuracies can be measured without it, but that should be known."""
    write_parts(tmp_path, {"train": EIGHT, "test": {"cat": 2}})
    assert opened(tmp_path).test().labels.tolist() == [0, 0]
    assert find_layout(tmp_path).warnings == [f"{tmp_path / 'test'} has no images of 'dog'"]


def test_a_part_without_images_is_said(tmp_path: Path) -> None:
    """An empty test/ has a test part set aside from the training images, which must be said."""
    write_parts(tmp_path, {"train": EIGHT})
    (tmp_path / "test" / "cat").mkdir(parents=True)
    (warning,) = find_layout(tmp_path).warnings
    assert warning == f"{tmp_path / 'test'} holds no images that are read and is not used"


@pytest.mark.parametrize("name", ["1_mask", "1 mask 2", "1-GT", "1.seg"])
def test_masks_by_the_names_of_files_are_doubtful(tmp_path: Path, name: str) -> None:
    """A mask in the folder of its image would be learnt as one more image of the class."""
    write_classes(tmp_path, EIGHT)
    for stem in ("1", name):
        picture(0).save(tmp_path / "cat" / f"{stem}.png")
    (warning,) = find_layout(tmp_path).warnings
    assert f"as {tmp_path / 'cat' / name}.png of 1.png" in warning
    assert warning.startswith("1 image is named as a mask of another one")


@pytest.mark.parametrize("name", ["test", "Valid"])
def test_a_class_named_as_a_part_is_doubtful(tmp_path: Path, name: str) -> None:
    """Images without labels beside the classes would be learnt as one more class."""
    write_classes(tmp_path, {**EIGHT, name: 8})
    (warning,) = find_layout(tmp_path).warnings
    assert warning.startswith(f"{name!r} is taken as a class, for it has no folder for each class")


def test_folders_of_images_and_marks_are_doubtful(tmp_path: Path) -> None:
    """The folders of Pascal VOC are no classes."""
    write_classes(tmp_path, {"JPEGImages": 8, "SegmentationClass": 8, "Segmented": 8})
    (warning,) = find_layout(tmp_path).warnings
    assert "what is marked in them ('SegmentationClass')" in warning


def test_one_shared_subfolder_beside_others_is_doubtful(tmp_path: Path) -> None:
    """Two sites that share one species may be sites, and not classes."""
    sites = {"site1": {"cat": 8, "dog": 8}, "site2": {"cat": 8, "fox": 8}}
    write_parts(tmp_path, sites)
    (warning,) = find_layout(tmp_path).warnings
    assert "site1/, site2/ are taken as classes, and each has a folder cat/ inside" in warning


def test_classes_of_nearly_one_name_are_doubtful(tmp_path: Path) -> None:
    """Two people who sorted images may have written one class in two ways."""
    write_classes(tmp_path, {"Cat": 8, "dog": 8})
    if (tmp_path / "cat").exists():
        pytest.skip("this file system does not tell capitals from small letters")
    write_classes(tmp_path, {"cat": 8})
    (warning,) = find_layout(tmp_path).warnings
    assert warning == "the classes 'Cat' and 'cat' have nearly the same name"


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    """Who names a file is told what to do with it."""
    (tmp_path / "flowers.zip").write_bytes(b"PK")
    message = failure(f"folder:{tmp_path / 'flowers.zip'}")
    assert "is not a folder; unpack it, and name a folder" in message


def test_a_table_of_labels_is_pointed_at(tmp_path: Path) -> None:
    """Images in no folder of a class, beside a table, have labels that are not read."""
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        picture(1).save(tmp_path / part / "1.png")
    (tmp_path / "labels.csv").write_text("1,cat")
    message = failure(f"folder:{tmp_path}")
    assert "test/ and train/ have no folder for each class" in message
    assert "(labels in labels.csv are not read)" in message


def test_a_class_inside_another_is_refused(tmp_path: Path) -> None:
    """An archive that was unpacked in the wrong place gives images two labels."""
    write_classes(tmp_path, EIGHT)
    write_classes(tmp_path / "dog", {"Cat": 3})
    assert "images of the class 'dog' by its place and of 'Cat' by" in failure(f"folder:{tmp_path}")


def test_names_are_composed(tmp_path: Path) -> None:
    """Archives of Macs take letters apart; the class is the same."""
    apart = unicodedata.normalize("NFD", "Äpfel")
    write_parts(tmp_path, {"train": {"Äpfel": 8, "猫": 8}, "test": {apart: 2, "猫": 1}})
    data = opened(tmp_path)
    assert data.info.classes == ("Äpfel", "猫")
    assert data.test().labels.tolist() == [0, 0, 1]
    write_classes(tmp_path / "train", {apart: 8})
    assert "have one name in two spellings" in failure(f"folder:{tmp_path}")
