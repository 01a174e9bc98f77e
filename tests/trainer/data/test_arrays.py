from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.trainer.datafiles import failure
from trainer.data import (
    Dataset,
    Images,
    Reading,
    ReadOptions,
    find_dataset,
    inspect_dataset,
    open_dataset,
)
from trainer.data import memory as memory_module
from trainer.data.arrays import pixels_of
from trainer.data.entry import PathDataset

KERAS = ("x_{}", "y_{}", "train", "val", "test")
MEDMNIST = ("{}_images", "{}_labels", "train", "val", "test")
SKLEARN = ("X_{}", "y_{}", "train", "valid", "test")


def drawn(count: int, seed: int = 0, shape: tuple[int, ...] = (5, 7)) -> NDArray[np.uint8]:
    """Random images."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def turns(count: int, classes: int = 3) -> NDArray[np.uint8]:
    """Labels from 0, in turn."""
    return (np.arange(count) % classes).astype(np.uint8)


def save(folder: Path, **arrays: Any) -> Path:
    """The path of a file with these arrays."""
    np.savez(folder / "some.npz", **arrays)
    return folder / "some.npz"


def opened(path: Path) -> Dataset:
    """The file as a data set."""
    return open_dataset(f"npz:{path}")


@pytest.mark.parametrize("style", [KERAS, MEDMNIST, SKLEARN])
@pytest.mark.parametrize("parts", [("train", "val", "test"), ("train", "test"), ("train",)])
def test_the_keys_of_others_are_known(
    tmp_path: Path, style: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    """Keras's and MedMNIST's arrays are parts; what is missing is set aside."""
    images, labels, *names = style
    arrays = {}
    for seed, part in enumerate(parts):
        name = names[("train", "val", "test").index(part)]
        arrays[images.format(name)] = drawn(60 - 15 * seed, seed)
        arrays[labels.format(name)] = turns(60 - 15 * seed).reshape(-1, 1)
    data = opened(save(tmp_path, **arrays))
    assert data.info.classes == ("0", "1", "2")
    assert data.info.input_shape == (1, 5, 7)
    training, validation = data.search_split()
    sizes = len(training), len(validation), len(data.test())
    assert sizes == {3: (60, 45, 30), 2: (50, 10, 45), 1: (40, 8, 12)}[len(parts)]
    whole = torch.cat([part.pixels for part in (training, validation, data.test())])
    wanted = np.concatenate([arrays[images.format(n)] for n in names if images.format(n) in arrays])
    assert sorted(map(bytes, whole.numpy().reshape(-1, 35))) == sorted(
        map(bytes, wanted.reshape(-1, 35))
    )


@settings(max_examples=60)
@given(st.data())
def test_every_shape_and_type_gives_the_same_pixels(data: st.DataObject) -> None:
    """Channels first or last, bytes, wider numbers or floats: the pixels are those drawn."""
    channels = data.draw(st.sampled_from((1, 3)))
    height, width = data.draw(st.integers(5, 9)), data.draw(st.integers(5, 9))
    seed = data.draw(st.integers(0, 1000))
    wanted = drawn(4, seed, (channels, height, width))
    shapes = ["first", "last"] + (["none"] if channels == 1 else [])
    images: NDArray[Any] = {
        "first": wanted,
        "last": wanted.transpose(0, 2, 3, 1),
        "none": wanted[:, 0],
    }[data.draw(st.sampled_from(shapes))]
    kind = data.draw(st.sampled_from((np.uint8, np.int64, np.uint16, np.float32, np.float64)))
    images = images.astype(kind) / kind(255) if np.dtype(kind).kind == "f" else images.astype(kind)
    assert np.array_equal(pixels_of(images, "x").numpy(), wanted)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (drawn(24).astype(np.float32), "floats from 0 to 255; scale them to go from 0 to 1"),
        (drawn(24) / 255 * (1 + 1e-9), "floats from 0 to 1.000000001; scale"),
        (drawn(24, 0, (0, 7)), "x_train has images without a pixel, of the shape (1, 0, 7)"),
        (drawn(24) / 127.5 - 1, "floats from -1 to 1; scale"),
        (np.where(drawn(24) == 0, np.nan, 0.5), "values that are not finite"),
        (drawn(24).astype(np.int32) * 16, "whole numbers from 0 to 4080; give 0 to 255, or"),
        (drawn(24).astype(np.complex64), "is of type complex64"),
        (drawn(24).reshape(24, -1), "has the shape (24, 35); give (n, h, w)"),
        (drawn(24, 0, (3, 8, 3)), "in which the channels cannot be told"),
        (drawn(24, 0, (8, 8, 5)), "in which the channels cannot be told"),
        (drawn(23), "x_train has 23 images, but y_train has 24 labels"),
        (drawn(0), "has 0 images, but y_train has 24 labels"),
        (np.array([{"a": 1}] * 24, dtype=object), "it holds Python objects, which are never load"),
    ],
)
def test_images_that_cannot_be_used(tmp_path: Path, images: NDArray[Any], message: str) -> None:
    """Each is refused with what it is and what to give; no object is ever unpickled."""
    path = save(tmp_path, x_train=images, y_train=turns(24))
    assert message in failure(f"npz:{path}")
    assert str(path) in failure(f"npz:{path}")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.eye(3)[turns(24)], "for one-hot rows that is labels.argmax(1)"),
        (np.zeros(24, int), "has only the class 0"),
        (np.linspace(0, 1, 24), "which is no whole number"),
        (np.where(np.arange(24) < 8, np.inf, 1.0), "has inf, which is no whole number"),
        (np.where(np.arange(24) < 8, 1e300, 1.0), "has 1e+300, which is no whole number"),
        (np.array([b"a", b"b", b"\xff"] * 8), "has texts that are not UTF-8"),
        (np.where(np.arange(24) < 3, 1, 0), "class '1' has 3 images, but splitting needs"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path: Path, labels: NDArray[Any], message: str) -> None:
    """Each is refused with what it is and what to give."""
    assert message in failure(f"npz:{save(tmp_path, x_train=drawn(24), y_train=labels)}")


def test_labels_may_be_texts_or_have_names(tmp_path: Path) -> None:
    """Values are sorted into classes; names stand for labels from 0."""
    names = np.array(["dog", "cat", "cow"])
    data = opened(save(tmp_path, x=drawn(30), y=names[turns(30)]))
    assert data.info.classes == ("cat", "cow", "dog")
    truth = {image.tobytes(): str(names[i % 3]) for i, image in enumerate(drawn(30))}
    for part in (data.training(), data.test()):
        for image, label in zip(part.pixels, part.labels, strict=True):
            assert data.info.classes[label] == truth[image.numpy().tobytes()]
    for spelling in (names, names.astype("S")):
        named = opened(save(tmp_path, x=drawn(30), y=turns(30), class_names=spelling))
        assert named.info.classes == ("dog", "cat", "cow")
    assert named.training().labels.bincount().tolist() == [8, 8, 8]
    path = save(tmp_path, x=drawn(30), y=turns(30) + 1, class_names=names)
    assert "labels go from 1 to 3, but class_names has 3 names" in failure(f"npz:{path}")


def test_a_label_that_training_lacks_is_refused(tmp_path: Path) -> None:
    """It cannot be right, and is named when the test part is read."""
    arrays = {"x_train": drawn(30), "y_train": turns(30), "x_test": drawn(8)}
    path = save(tmp_path, **arrays, y_test=turns(8, 4))
    with pytest.raises(Exception, match="y_test has the label 3, which is no class of"):
        opened(path).test()
    odd = save(tmp_path, **{**arrays, "x_test": drawn(9, 1, (5, 6))}, y_test=turns(9))
    with pytest.raises(Exception, match="images of 1x5x6 and not of 1x5x7 as those for training"):
        opened(odd).test()


def test_files_that_are_something_else(tmp_path: Path) -> None:
    """A missing file, one array, a text, a pickle and other keys are told apart."""
    assert "does not exist; name an .npz file" in failure(f"npz:{tmp_path / 'absent.npz'}")
    assert "is not a file" in failure(f"npz:{tmp_path}")
    np.save(tmp_path / "one.npy", drawn(3))
    assert "is one array; save images and labels" in failure(f"npz:{tmp_path / 'one.npy'}")
    for content in (b"text", b"", b"\x80\x04N.", save(tmp_path, x=drawn(24)).read_bytes()[:90]):
        (tmp_path / "bad.npz").write_bytes(content)
        assert "bad.npz cannot be read" in failure(f"npz:{tmp_path / 'bad.npz'}")
    (tmp_path / "bad.npz").write_bytes(b"text")
    assert "cannot be read (it is no file of numpy's)" in failure(f"npz:{tmp_path / 'bad.npz'}")
    message = failure(f"npz:{save(tmp_path, pictures=drawn(3))}")
    assert "has pictures; it needs x_train, y_train" in message
    path = save(tmp_path, x=drawn(24), y=turns(24))
    assert "image_size cannot be used with arrays" in failure(f"npz:{path}", image_size=8)


def test_more_than_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size in the header is enough to know."""
    path = save(tmp_path, x=drawn(24), y=turns(24))
    monkeypatch.setattr(memory_module, "memory_bytes", lambda: 800)
    assert "x needs 0.0 GiB, but there are" in failure(f"npz:{path}")
    path = save(tmp_path, x=drawn(24), y=turns(24).astype("U20"))
    monkeypatch.setattr(memory_module, "memory_bytes", lambda: 1_000)
    assert "y needs 0.0 GiB, but there are" in failure(f"npz:{path}")


def test_arrays_are_looked_at(tmp_path: Path) -> None:
    """Copies between the parts and pixels that are nearly black are said."""
    images = drawn(60) // 128
    test = drawn(20, 1) // 128
    test[3] = images[7]
    path = save(tmp_path, x_train=images, y_train=turns(60, 2), x_test=test, y_test=turns(20, 2))
    findings = inspect_dataset(f"npz:{path}").findings
    assert [(part.name, part.images, part.origin) for part in findings.parts] == [
        ("training", 50, "x_train"),
        ("validation", 10, "a sixth of x_train, set aside"),
        ("test", 20, "x_test"),
    ]
    assert any("no pixel is brighter than 1 of 255" in warning for warning in findings.warnings)
    assert findings.copies["training and test"].examples[0].endswith(" = test 3")


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (3, 5, 7)])
@pytest.mark.parametrize("floats", [False, True])
def test_a_card_reads_the_first_test_image(
    tmp_path: Path, shape: tuple[int, ...], floats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines give the pixels of the study."""
    monkeypatch.chdir(tmp_path)
    images = drawn(36, 0, shape) / (255 if floats else 1)
    images = images.astype(np.float32 if floats else np.uint8)
    arrays = {"x_train": images, "y_train": turns(36), "x_test": images[:6], "y_test": turns(6)}
    data = opened(save(tmp_path, **arrays))
    entry = find_dataset("npz:some.npz")
    assert isinstance(entry, PathDataset)
    names: dict[str, Any] = {}
    exec("\n".join(entry.image_lines(data.info.input_shape, Reading())), names)
    torch.testing.assert_close(names["image"], data.test().pixels[0] / 255, rtol=0, atol=0)
    assert isinstance(data.test(), Images)


PAIRS = {"x_train": drawn(30), "y_train": turns(30), "x_test": drawn(6, 1), "y_test": turns(6)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({**PAIRS, "y_test": None}, "x_test has no labels (y_test)"),
        ({**PAIRS, "x_test": None}, "y_test has no images (x_test)"),
        ({**PAIRS, "val_images": drawn(3)}, "val_images has no labels (val_labels)"),
        ({**PAIRS, "y_train": None}, "x_train has no labels (y_train)"),
        ({"images": drawn(30)}, "images has no labels (labels)"),
        (
            {**PAIRS, "test_images": drawn(3), "test_labels": turns(3)},
            "the test part is there as x_test with y_test and as test_images with test_labels",
        ),
        (
            {"x": drawn(30), "y": turns(30), "data": drawn(30), "target": turns(30)},
            "the training part is there as x with y and as data with target",
        ),
        ({**PAIRS, "X_train": drawn(30)}, "x_train and X_train are one key in two spellings"),
    ],
)
def test_keys_that_nobody_can_mean_so(
    tmp_path: Path, arrays: dict[str, NDArray[Any] | None], message: str
) -> None:
    """Half a pair, or two pairs for one part, are refused by the names of their keys."""
    path = save(tmp_path, **{key: array for key, array in arrays.items() if array is not None})
    assert message in failure(f"npz:{path}")


def test_a_study_of_older_rules_keeps_its_arrays(tmp_path: Path) -> None:
    """What it began with without a word is a warning when it goes on, and its pixels stay."""
    path = save(tmp_path, **{key: PAIRS[key] for key in ("x_train", "y_train", "x_test")})
    found = inspect_dataset(f"npz:{path}", options=ReadOptions(rules=2))
    assert found.dataset is not None
    assert found.dataset.info.reading.rules == 2
    assert any("x_test has no labels" in warning for warning in found.findings.warnings)


def test_other_keys_are_passed_over_and_said(tmp_path: Path) -> None:
    """An array under another name is counted, and so is a second kind of keys."""
    path = save(
        tmp_path, **PAIRS, weights=np.ones(3), x=drawn(3), class_names=np.array(list("abc"))
    )
    group = inspect_dataset(f"npz:{path}").findings.passed_over["in no part"]
    assert (group.count, group.examples) == (2, ("weights", "x"))


def test_a_class_that_an_array_lacks_is_a_warning(tmp_path: Path) -> None:
    """Accuracies can be measured without it, but that should be known, as with folders."""
    path = save(tmp_path, **{**PAIRS, "y_test": turns(6, 2)})
    (warning,) = (
        text for text in inspect_dataset(f"npz:{path}").findings.warnings if "x_test" in text
    )
    assert warning == "x_test has no images of '2'"


@pytest.mark.parametrize(
    ("training", "test", "problem", "warning"),
    [
        (drawn(30), drawn(6, 1) // 255, "up to 1 in the test part, but to 255 in the tr", None),
        (drawn(30) // 128, drawn(6, 1), "up to 1 in the training and the validation part", None),
        (drawn(30), drawn(6, 1) // 4, None, "up to 63 in the test part, but to 255 in the train"),
        (drawn(30), drawn(6, 1) // 2, None, None),
        (drawn(30) // 16, drawn(6, 1) // 16, None, "no pixel is brighter than 15 of 255"),
        (drawn(30) // 10, drawn(6, 1) // 16, None, "no pixel of the test part is brighter than 15"),
        (drawn(30), drawn(6, 1) * 0, None, "up to 0 in the test part, but to 255 in the training"),
        (drawn(30) / 255, drawn(6, 1), None, None),
    ],
)
def test_parts_of_different_scales_are_told(
    tmp_path: Path,
    training: NDArray[Any],
    test: NDArray[Any],
    problem: str | None,
    warning: str | None,
) -> None:
    """Nearly black parts are said; 0 to 1 beside 0 to 255 is refused, a fainter part doubtful."""
    arrays = {**PAIRS, "x_train": training, "x_test": test}
    found = inspect_dataset(f"npz:{save(tmp_path, **arrays)}")
    said = [w for w in found.findings.warnings if "pixel" in w]
    assert (found.dataset is None) == (problem is not None)
    for wanted, texts in ((problem, found.findings.problems), (warning, said)):
        assert len(texts) == (wanted is not None)
        assert all(wanted is not None and wanted in text for text in texts)
