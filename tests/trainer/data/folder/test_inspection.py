from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trainer.datafiles import picture, write_classes, write_part, write_parts
from trainer.data import Findings, Inspection, ReadOptions, inspect_dataset

MANY = {"cat": 30, "dog": 30}


def look(folder: Path, **options: Any) -> Inspection:
    """The inspection of a folder."""
    return inspect_dataset(f"folder:{folder}", options=ReadOptions(**options))


def found(folder: Path, **options: Any) -> Findings:
    """What is found in a folder."""
    return look(folder, **options).findings


def test_a_good_folder_has_nothing_to_warn_of(tmp_path: Path) -> None:
    """Parts, classes, counts, sizes and values are said, and nothing else."""
    write_parts(tmp_path, {"train": MANY, "test": MANY}, size=(6, 4))
    findings = found(tmp_path)
    assert findings.classes == ("cat", "dog")
    assert findings.input_shape == (1, 4, 6)
    assert [(part.name, part.images, part.counts) for part in findings.parts] == [
        ("training", 50, (25, 25)),
        ("validation", 10, (5, 5)),
        ("test", 60, (30, 30)),
    ]
    origins = [part.origin for part in findings.parts]
    assert origins == ["train/", "a sixth of train/, set aside", "test/"]
    assert findings.values == (0, 255)
    assert findings.sizes == {"6x4": 60}
    nothing = (findings.passed_over, findings.copies, findings.broken, findings.problems)
    assert not any((*nothing, findings.warnings, findings.one_colour.count))
    assert json.loads(json.dumps(findings.to_dict()))["parts"][0]["images"] == 50


def _copy(folder: Path, first: str, second: str) -> None:
    (folder / second).parent.mkdir(parents=True, exist_ok=True)
    Image.open(folder / first).save(folder / second)


@pytest.mark.parametrize(
    ("second", "kind", "warning"),
    [
        ("train/cat/x.bmp", "within", "1 image is there more than once in one class and part"),
        ("train/dog/x.bmp", "two classes", "1 image is in two classes"),
        ("test/cat/x.bmp", "training and test", "1 image is both in the training and in the te"),
        (
            "val/cat/x.bmp",
            "training and validation",
            "1 image is both in the training and in ",
        ),
    ],
)
def test_copies_are_found_wherever_they_lie(
    tmp_path: Path, second: str, kind: str, warning: str
) -> None:
    """An image with the same pixels, in a file of another kind, is a copy; both files are named."""
    write_parts(tmp_path, {"train": MANY, "val": MANY, "test": MANY})
    _copy(tmp_path, "train/cat/007.png", second)
    findings = found(tmp_path)
    assert list(findings.copies) == [kind]
    pair = {"train/cat/007.png", second}
    assert set(findings.copies[kind].examples[0].split(" = ")) == pair
    (said,) = findings.warnings
    assert said.startswith(warning)
    assert all(name in said for name in pair)
    assert look(tmp_path).dataset is not None


def test_images_of_one_colour_are_named(tmp_path: Path) -> None:
    """Black pictures, as cameras and exports leave them, teach nothing."""
    write_classes(tmp_path, MANY)
    for i in range(5):
        Image.new("L", (8, 8), i).save(tmp_path / "cat" / f"black{i}.png")
    findings = found(tmp_path)
    assert findings.one_colour.count == 5
    assert len(findings.one_colour.examples) == 3
    assert findings.warnings[0].startswith("5 images are of one colour all over: cat/black")


def test_small_and_uneven_classes_are_doubtful(tmp_path: Path) -> None:
    """Few images, or ten times as many as another class has, are said."""
    write_parts(tmp_path, {"train": {"cat": 12, "dog": 130}, "test": {"cat": 2, "dog": 2}})
    small, uneven = found(tmp_path).warnings
    assert small == "1 class has fewer than 20 training images: 'cat' (10)"
    assert uneven.startswith("class 'dog' has 11 times as many training images as 'cat'")


def test_one_coloured_file_among_grey_ones_is_named(tmp_path: Path) -> None:
    """It makes all images coloured, which is three times the input."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    picture(5, mode="RGB").save(tmp_path / "train" / "dog" / "005.png")
    (warning,) = found(tmp_path).warnings
    assert warning.startswith("1 of 60 training images has colour")
    assert "train/dog/005.png" in warning
    assert found(tmp_path, colour=False).warnings == []


def test_two_depths_in_one_set_are_doubtful(tmp_path: Path) -> None:
    """Values of 16 bits beside values of 8 may mean something else."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    wide = np.random.default_rng(0).integers(0, 4096, (8, 8), dtype=np.uint16)
    Image.fromarray(wide).save(tmp_path / "train" / "dog" / "005.png")
    findings = found(tmp_path)
    assert findings.scale == (wide.min(), wide.max())
    assert findings.warnings[0].startswith("1 of 60 training images has grey values of more than")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("train", "60 of 60 test images have 8 bits, the training images more"),
        ("test", "60 test images have grey values of more than 8 bits, the training images 8"),
    ],
)
def test_parts_of_two_depths_are_doubtful(tmp_path: Path, part: str, message: str) -> None:
    """The scale of one part says nothing of another part that has 8 bits, or more than 8."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    random = np.random.default_rng(0)
    for file in (tmp_path / part).rglob("*.png"):
        Image.fromarray(random.integers(0, 200, (8, 8), dtype=np.uint16)).save(file)
    assert any(message in warning for warning in found(tmp_path).warnings)


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    """Reasons have counts and examples; what may have been meant is a warning too."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    for i in range(5):
        (tmp_path / "train" / "cat" / f"notes{i}.txt").write_text("")
    (tmp_path / "train" / "cat" / "a.CR2").write_bytes(b"raw")
    findings = found(tmp_path)
    counts = {reason: group.count for reason, group in findings.passed_over.items()}
    assert counts == {"no image (.txt)": 5, ".cr2 cannot be read here": 1}
    assert len(findings.passed_over["no image (.txt)"].examples) == 3
    (warning,) = findings.warnings
    assert warning.startswith("1 file not used, .cr2 cannot be read here, such as")


def test_broken_files_of_all_parts_are_one_problem(tmp_path: Path) -> None:
    """Files of the test part are decoded too, and all are in one message."""
    write_parts(tmp_path, {"train": MANY, "val": MANY, "test": MANY})
    broken = [tmp_path / part / "cat" / "003.png" for part in ("train", "val", "test")]
    for file in broken:
        file.write_bytes(file.read_bytes()[:-30])
    result = look(tmp_path)
    assert result.dataset is None
    (problem,) = result.findings.problems
    assert "3 files that cannot be read" in problem
    assert all(str(file) in problem for file in broken)
    skipped = look(tmp_path, skip_broken=True)
    assert skipped.dataset is not None
    assert skipped.findings.problems == []
    assert skipped.findings.warnings[0].startswith("3 files left out as unreadable: ")
    assert [part.images for part in skipped.findings.parts] == [59, 59, 59]


def test_differing_sizes_are_a_problem_among_others(tmp_path: Path) -> None:
    """The look goes on, so that copies and broken files are found in the same call."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    picture(1, (9, 7)).save(tmp_path / "train" / "cat" / "odd.png")
    (tmp_path / "test" / "dog" / "000.png").write_bytes(b"")
    shutil.copy(tmp_path / "train" / "cat" / "000.png", tmp_path / "test" / "cat" / "x.png")
    findings = found(tmp_path)
    sizes, broken = findings.problems
    assert "60 of 8x8, 1 of 9x7; " in sizes
    assert "1 file that cannot be read" in broken
    assert findings.input_shape is None
    assert findings.sizes == {"8x8": 60, "9x7": 1}
    (group,) = findings.copies.values()
    assert group.examples == ("train/cat/000.png = test/cat/x.png",)
    assert look(tmp_path, image_size=8, skip_broken=True).dataset is not None


def test_a_look_at_the_test_part_changes_nothing(tmp_path: Path) -> None:
    """What is opened after a look is what is opened without one."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    first = look(tmp_path).dataset
    for file in (tmp_path / "test").rglob("*.png"):
        Image.new("RGB", (8, 8), (250, 0, 0)).save(file)
    second = look(tmp_path).dataset
    assert first is not None
    assert second is not None
    assert first.info == second.info


def test_the_test_part_of_a_named_set_is_not_read(tmp_path: Path) -> None:
    """Only its training files are there, and the look succeeds."""
    write_part("mnist", tmp_path, "training")
    findings = inspect_dataset("mnist", tmp_path).findings
    assert findings.parts[-1].counts is None
    assert [part.images for part in findings.parts] == [100, 20, None]
    assert findings.to_dict()["parts"][2]["images"] is None


@pytest.mark.parametrize("part", ["val", "test"])
def test_colour_in_one_part_alone_is_named(tmp_path: Path, part: str) -> None:
    """Test images that lose their colour, and validation images that decide, are not silent."""
    write_parts(tmp_path, {"train": MANY, "val": MANY, "test": MANY})
    for i in range(10):
        picture(900 + i, mode="RGB").save(tmp_path / part / "dog" / f"{i:03}.png")
    (warning,) = found(tmp_path).warnings
    assert f"{part}/dog/000.png" in warning
    said = {
        "test": "10 of 60 test images have colour and will be grey, for the training images have",
        "val": "10 of 60 validation images have colour and no training image has, so all are read",
    }
    assert warning.startswith(said[part])
    for colour in (True, False):
        assert found(tmp_path, colour=colour).warnings == []


def test_grey_in_colour_files_of_the_test_part_is_no_colour(tmp_path: Path) -> None:
    """Pixels decide, not the kind of file."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    for file in (tmp_path / "test").rglob("*.png"):
        Image.open(file).convert("RGB").save(file)
    assert found(tmp_path).warnings == []


def test_a_grey_test_part_beside_colour_is_doubtful(tmp_path: Path) -> None:
    """What was trained on colours is measured on greys."""
    write_parts(tmp_path, {"train": MANY}, mode="RGB")
    write_parts(tmp_path, {"test": MANY})
    assert "no test image has colour, but 50 of 50 training images have" in found(tmp_path).warnings


def _same_classes(folder: Path) -> None:
    write_parts(folder, {"train": {"cat": 30, "cow": 30}})
    shutil.copytree(folder / "train" / "cat", folder / "train" / "dog")


def _all_alike(folder: Path) -> None:
    write_parts(folder, {"train": MANY})
    for file in folder.rglob("*.png"):
        picture(1).save(file)


def _all_black(folder: Path) -> None:
    write_parts(folder, {"train": MANY})
    for file in folder.rglob("*.png"):
        Image.new("L", (8, 8), 0).save(file)


def _white_on_nothing(folder: Path) -> None:
    write_parts(folder, {"train": MANY})
    for file in folder.rglob("*.png"):
        drawing = Image.new("LA", (8, 8), (255, 0))
        drawing.putalpha(Image.open(file))
        drawing.save(file)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (_same_classes, "the classes 'cat', 'dog' hold the same images, so nothing can tell them"),
        (_all_alike, "all 60 images are the same, so nothing can be learnt"),
        (_all_black, "all 60 images are of one and the same colour all over, so nothing can be le"),
        (_white_on_nothing, 'which is white, so set background = "black" if drawings vanish in it'),
    ],
)
def test_what_can_teach_nothing_is_refused(
    tmp_path: Path, write: Callable[[Path], None], problem: str
) -> None:
    """A new study is refused with the reason; one of older rules goes on with a warning."""
    write(tmp_path)
    inspection = look(tmp_path)
    assert inspection.dataset is None
    assert len(inspection.findings.problems) == 1
    assert problem in inspection.findings.problems[0]
    older = look(tmp_path, rules=2)
    assert older.dataset is not None
    assert any(problem in warning for warning in older.findings.warnings)


def test_white_drawings_are_seen_on_black(tmp_path: Path) -> None:
    """The way out that is named is one."""
    _white_on_nothing(tmp_path)
    inspection = look(tmp_path, background="black")
    assert inspection.findings.problems == inspection.findings.warnings == []
