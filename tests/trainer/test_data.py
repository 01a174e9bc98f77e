from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.datasets import CIFAR10, EMNIST, MNIST

from trainer.data import DATASET_NAMES, Dataset, Images, known_shape, normalisation, open_dataset
from trainer.datasets import SOURCES, Part, read_part
from trainer.download import ensure_available
from trainer.errors import DataError, Diverged
from trainer.splits import (
    LEAST_WITHOUT_TEST,
    TEST_PARTS,
    VALIDATION_PARTS,
    require_images,
    stratified_split,
)

DATA = os.environ.get("FLYWEIGHT_DATA")
needs_mnist = pytest.mark.skipif(DATA is None, reason="FLYWEIGHT_DATA is not set")


def write_idx(path: Path, array: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """Write an array of bytes as MNIST's files are written."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def write_part(name: str, root: Path, part: Part, count: int = 120) -> None:
    """Random 28x28 images of ten classes in turn, as files of `name` below `root`."""
    random = np.random.default_rng(count)
    pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images, labels = (root / SOURCES[name].folder / file for file in SOURCES[name].files(part))
    write_idx(images, pixels)
    write_idx(labels, (np.arange(count) % 10).astype(np.uint8))


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches in place of CIFAR-10's, and their checksums in place of its own."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(0)
    for attribute, files in (("train_list", CIFAR10.train_list), ("test_list", CIFAR10.test_list)):
        checksums = []
        for file, _ in files:
            data = random.integers(0, 256, (20, 3072), dtype=np.uint8)
            content = pickle.dumps({"data": data, "labels": [i % 10 for i in range(20)]})
            (folder / file).write_bytes(content)
            checksums.append([file, hashlib.md5(content).hexdigest()])
        monkeypatch.setattr(CIFAR10, attribute, checksums)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads go to a port of this machine on which nothing listens."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:1/"])


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A mirror of a small MNIST on this machine; the names of the files that were fetched."""
    write_part("mnist", tmp_path / "mirror", "training")
    write_part("mnist", tmp_path / "mirror", "test", 30)
    raw = tmp_path / "mirror" / "MNIST" / "raw"
    resources = []
    for file in sorted(raw.iterdir()):
        content = gzip.compress(file.read_bytes())
        (raw / f"{file.name}.gz").write_bytes(content)
        resources.append((f"{file.name}.gz", hashlib.md5(content).hexdigest()))
    fetched: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            if self.command == "GET":
                fetched.append(self.path.lstrip("/"))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(raw)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(MNIST, "resources", resources)
    yield fetched
    server.shutdown()
    thread.join()
    server.server_close()


def failure(name: str, root: Path) -> str:
    """The one line of the error with which opening ends."""
    with pytest.raises(DataError) as caught:
        open_dataset(name, root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_digits_need_no_files(tmp_path: Path) -> None:
    """The digits come from scikit-learn, scaled to 0..255, with a stratified fifth as test."""
    digits = open_dataset("digits", tmp_path / "absent")
    training, test = digits.training(), digits.test()
    assert (len(training), len(test)) == (1437, 360)
    assert digits.info.input_shape == (1, 8, 8)
    assert (int(training.pixels.min()), int(training.pixels.max())) == (0, 255)
    shares = test.labels.bincount() / (test.labels.bincount() + training.labels.bincount())
    assert bool(((shares - 0.2).abs() < 0.01).all())
    assert not (tmp_path / "absent").exists()


def test_a_data_set_opens_alike_every_time(tmp_path: Path) -> None:
    """Two openings have the same parts, splits and fingerprint: no seed comes from outside."""
    first, second = (open_dataset("digits", tmp_path) for _ in range(2))
    torch.manual_seed(7)
    np.random.seed(7)
    assert first.info == second.info
    for one, other in zip(first.search_split(), second.search_split(), strict=True):
        assert torch.equal(one.pixels, other.pixels)
    assert torch.equal(first.test().pixels, second.test().pixels)


@needs_mnist
def test_mnist() -> None:
    """The real MNIST has its known size, mean and deviation, and 10,000 validation images."""
    mnist = open_dataset("mnist", Path(str(DATA)))
    learn, validate = mnist.search_split()
    assert (len(learn), len(validate), len(mnist.test())) == (50_000, 10_000, 10_000)
    scale = normalisation(mnist.training())
    assert scale.mean == pytest.approx([0.1307], abs=5e-5)
    assert scale.std == pytest.approx([0.3081], abs=5e-5)


def test_a_search_opens_no_test_file(tmp_path: Path, no_network: None) -> None:
    """Without its test files a data set still opens, splits and trains; only `test` fails."""
    write_part("mnist", tmp_path, "training")
    mnist = open_dataset("mnist", tmp_path)
    learn, validate = mnist.search_split()
    assert (len(mnist.training()), len(learn), len(validate)) == (120, 100, 20)
    with pytest.raises(DataError, match=r"MNIST/raw lacks t10k-images-idx3-ubyte, t10k-labels"):
        mnist.test()


def test_the_test_part_is_read_when_asked_for(tmp_path: Path) -> None:
    """`test` reads the files as they are at its first call."""
    write_part("mnist", tmp_path, "training")
    write_part("mnist", tmp_path, "test", 10)
    mnist = open_dataset("mnist", tmp_path)
    write_part("mnist", tmp_path, "test", 20)
    assert len(mnist.test()) == 20
    assert mnist.test() is mnist.test()


def test_missing_files_are_named(tmp_path: Path, no_network: None) -> None:
    """Where nothing can be downloaded the error says which files belong where."""
    message = failure("mnist", tmp_path / "new")
    assert str(tmp_path / "new" / "MNIST" / "raw") in message
    assert "train-images-idx3-ubyte, train-labels-idx1-ubyte" in message
    assert "--data" in message
    assert "refused" in message


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    """A data folder that cannot be made is an error of one line, as a failed download is."""
    (tmp_path / "file").write_text("")
    assert "file" in failure("mnist", tmp_path / "file")


def test_download(tmp_path: Path, mirror: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever starts at once fetches no more than one alone, silently, and leaves no scratch."""
    ensure_available("mnist", tmp_path / "alone")
    alone, root = sorted(mirror), tmp_path / "data"
    mirror.clear()
    threads = [threading.Thread(target=ensure_available, args=("mnist", root)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mnist = open_dataset("mnist", root)
    assert (len(mnist.training()), len(mnist.test())) == (120, 30)
    assert sorted(mirror) == alone
    assert capfd.readouterr() == ("", "")
    assert sorted(file.name for file in root.iterdir()) == [".download.lock", "MNIST"]


def test_a_download_replaces_nothing(tmp_path: Path, mirror: list[str]) -> None:
    """Files that are there are used as found, also when others have to be fetched."""
    write_part("mnist", tmp_path, "training", 60)
    mnist = open_dataset("mnist", tmp_path)
    assert mirror == []
    assert len(mnist.test()) == 30
    assert len(open_dataset("mnist", tmp_path).training()) == 60


def test_archives_in_place_are_unpacked(tmp_path: Path, mirror: list[str]) -> None:
    """Archives that somebody laid down are unpacked without a network, and kept."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file, _ in MNIST.resources:
        (tmp_path / "mirror" / "MNIST" / "raw" / file).rename(raw / file)
    assert len(open_dataset("mnist", tmp_path).training()) == 120
    assert mirror == []
    assert all((raw / file).is_file() for file, _ in MNIST.resources)


def test_the_archive_of_emnist_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of EMNIST's six splits in one archive only the files of the digits are kept."""
    source, scratch = SOURCES["emnist-digits"], tmp_path / "scratch"
    write_part("emnist-digits", scratch, "training")
    write_part("emnist-digits", scratch, "test", 30)
    archive = tmp_path / source.archives[0]
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for file in (*source.training, *source.test):
            content = (scratch / source.folder / file).read_bytes()
            packed.writestr(f"gzip/{file}.gz", gzip.compress(content))
        packed.writestr("gzip/emnist-letters-test-labels-idx1-ubyte.gz", gzip.compress(b""))
    monkeypatch.setattr(EMNIST, "md5", hashlib.md5(archive.read_bytes()).hexdigest())
    emnist = open_dataset("emnist-digits", tmp_path)
    assert (len(emnist.training()), len(emnist.test())) == (120, 30)
    assert len(list(archive.parent.iterdir())) == 5


def test_the_archive_of_cifar_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10's archive, in place or downloaded, becomes its folder of batches."""
    write_cifar(tmp_path, monkeypatch)
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    shutil.rmtree(tmp_path / "cifar-10-batches-py")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    cifar = open_dataset("cifar10", tmp_path)
    assert (len(cifar.training()), len(cifar.test())) == (100, 20)


def test_emnist_stands_upright(tmp_path: Path) -> None:
    """EMNIST's files hold columns as rows; its images come out the right way round."""
    write_part("emnist-digits", tmp_path, "training")
    write_part("mnist", tmp_path, "training")
    emnist, mnist = (open_dataset(name, tmp_path).training() for name in ("emnist-digits", "mnist"))
    assert torch.equal(emnist.pixels, mnist.pixels.transpose(2, 3))


def test_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10 is read in colour from its batches, without a look at the test batch."""
    write_cifar(tmp_path, monkeypatch)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"not looked at")
    cifar = open_dataset("cifar10", tmp_path)
    assert cifar.info.input_shape == (3, 32, 32)
    assert (len(cifar.info.classes), len(cifar.training())) == (10, 100)
    with pytest.raises(DataError, match="test_batch is damaged"):
        cifar.test()


def test_cifar_batches_are_not_unpickled_unless_genuine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch with another checksum is refused before its pickle can run anything."""
    write_cifar(tmp_path, monkeypatch)

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps(Trap()))
    assert "data_batch_3 is damaged" in failure("cifar10", tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("file", SOURCES["mnist"].training)
def test_truncated_files_are_named(tmp_path: Path, file: str) -> None:
    """A file that ends early is an error with its name."""
    write_part("mnist", tmp_path, "training")
    path = tmp_path / "MNIST" / "raw" / file
    path.write_bytes(path.read_bytes()[:-3])
    assert f"{path} is damaged" in failure("mnist", tmp_path)


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    """Images and labels of different number, size or range are refused."""
    images, labels = (tmp_path / "MNIST" / "raw" / f for f in SOURCES["mnist"].training)
    write_part("mnist", tmp_path, "training")
    write_idx(labels, np.zeros(60, np.uint8))
    assert "120 images and train-labels-idx1-ubyte 60 labels" in failure("mnist", tmp_path)
    write_idx(labels, np.full(120, 10, np.uint8))
    assert "label 10; there are 10 classes" in failure("mnist", tmp_path)
    write_idx(images, np.zeros((120, 27, 28), np.uint8))
    assert "images of 1x28x28, found 1x27x28" in failure("mnist", tmp_path)
    write_idx(images, np.zeros((0, 28, 28), np.uint8))
    write_idx(labels, np.zeros(0, np.uint8))
    assert "damaged" in failure("mnist", tmp_path)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_damage_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes the files hold, reading gives images or a DataError and nothing else."""
    root = tmp_path_factory.getbasetemp() / "damaged-idx"
    write_part("mnist", root, "training", 10)
    path = root / "MNIST" / "raw" / data.draw(st.sampled_from(SOURCES["mnist"].training))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, 15), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, 40) | st.just(len(content)))])
    with contextlib.suppress(DataError):
        assert read_part("mnist", root, "training").pixels.shape[1:] == (1, 28, 28)


def test_names_are_checked(tmp_path: Path) -> None:
    """An unknown name is answered with the known ones, and folder options elsewhere refused."""
    assert all(name in failure("mnits", tmp_path) for name in (*DATASET_NAMES, "folder:PATH"))
    assert "unknown data set 'folder:'" in failure("folder:", tmp_path)
    with pytest.raises(DataError, match="digits: image_size and colour are for folder:PATH"):
        open_dataset("digits", tmp_path, image_size=8)


def test_known_shapes_are_true(tmp_path: Path) -> None:
    """What is said of a data set before it is read holds when it is."""
    digits = open_dataset("digits", tmp_path).info
    assert known_shape("digits") == (digits.input_shape, len(digits.classes))
    assert known_shape("cifar10") == ((3, 32, 32), 10)
    assert known_shape("folder:somewhere") is None
    with pytest.raises(DataError, match="unknown data set 'imagenet'"):
        known_shape("imagenet")


@settings(deadline=None, max_examples=60)
@given(counts=st.lists(st.integers(LEAST_WITHOUT_TEST, 40), min_size=2, max_size=12))
def test_splits_are_stratified(counts: list[int]) -> None:
    """Both sides of each split have every class in its share, no image twice, none lost."""
    classes = [str(i) for i in range(len(counts))]
    labels = torch.tensor([i for i, count in enumerate(counts) for _ in range(count)])
    for parts in (TEST_PARTS, VALIDATION_PARTS):
        keep, aside = stratified_split(labels, parts, classes)
        assert torch.equal(torch.cat((keep, aside)).sort().values, torch.arange(len(labels)))
        assert len(aside) == -(-len(labels) // parts)
        before, after = labels.bincount(), labels[aside].bincount(minlength=len(counts))
        assert bool(((after - before * len(aside) / len(labels)).abs() < 1).all())
        assert bool((after > 0).all())
        assert bool((after < before).all())
        labels = labels[keep]
        require_images(labels, 1, classes)


def test_a_class_too_small_to_split_is_named() -> None:
    """A class with fewer images than parts is refused by its name and number."""
    labels = torch.tensor([0] * 20 + [1] * 5)
    with pytest.raises(DataError, match="class 'dog' has 5 images and splitting needs at least 6"):
        stratified_split(labels, VALIDATION_PARTS, ("cat", "dog"))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 20))
def test_normalisation(seed: int, channels: int, count: int) -> None:
    """Mean and deviation are those of the pixels scaled to [0, 1], per channel."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, channels, 3, 4), generator=generator).to(torch.uint8)
    scale = normalisation(Images(pixels, torch.zeros(count, dtype=torch.int64)))
    exact = pixels.to(torch.float64) / 255
    assert scale.mean == pytest.approx(exact.mean(dim=(0, 2, 3)).tolist(), rel=1e-12)
    assert scale.std == pytest.approx(exact.std(dim=(0, 2, 3), correction=0).tolist(), rel=1e-9)


def test_normalisation_without_contrast() -> None:
    """A channel of one value has a deviation that can be divided by; no images are an error."""
    flat = Images(torch.full((4, 1, 2, 2), 9, dtype=torch.uint8), torch.zeros(4).long())
    assert normalisation(flat).std == (1 / 255,)
    with pytest.raises(DataError, match="no images"):
        normalisation(flat.subset(torch.tensor([], dtype=torch.int64)))


def test_images_are_checked() -> None:
    """Tensors of the wrong type, shape or number are refused."""
    pixels, labels = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.arange(3)
    bad: list[tuple[torch.Tensor, torch.Tensor, str]] = [
        (pixels.float(), labels, "pixels must be uint8"),
        (pixels[0], labels, "not uint8 of shape"),
        (pixels, labels.int(), "labels must be int64"),
        (pixels, labels[:2], "3 images have 2 labels"),
        (pixels, labels.to("meta"), "labels on meta"),
    ]
    for pixel, label, message in bad:
        with pytest.raises(DataError, match=message):
            Images(pixel, label)


def test_a_subset_keeps_images_and_labels_together() -> None:
    """A subset has the images at the indices, in their order, and is a copy."""
    pixels = torch.arange(5, dtype=torch.uint8).reshape(5, 1, 1, 1)
    images = Images(pixels, torch.arange(5))
    chosen = images.subset(torch.tensor([3, 0])).to("cpu")
    assert (len(chosen), chosen.pixels.flatten().tolist(), chosen.labels.tolist()) == (
        *(2, [3, 0], [3, 0]),
    )
    chosen.pixels.zero_()
    assert int(images.pixels[3]) == 3


def test_the_fingerprint_sees_every_change() -> None:
    """One pixel, one label or one class name more or less changes the fingerprint."""

    def fingerprint(pixels: torch.Tensor, labels: torch.Tensor, *classes: str) -> str:
        images = Images(pixels, labels)
        return Dataset("any", classes, images, lambda: images).info.fingerprint

    pixels, labels = torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 0, 1])
    other = pixels.clone()
    other[3, 0, 1, 1] = 1
    seen = [
        fingerprint(pixels, labels, "a", "b"),
        fingerprint(other, labels, "a", "b"),
        fingerprint(pixels, labels.flip(0), "a", "b"),
        fingerprint(pixels, labels, "a", "c"),
        fingerprint(pixels.reshape(4, 1, 1, 4), labels, "a", "b"),
    ]
    assert len(set(seen)) == len(seen)
    assert fingerprint(pixels.clone(), labels.clone(), "a", "b") == seen[0]


def test_errors_travel_between_processes() -> None:
    """An error with an attribute survives pickling, so that a worker can hand it on."""
    error = pickle.loads(pickle.dumps(Diverged(3)))
    assert (type(error), error.epoch, str(error)) == (Diverged, 3, str(Diverged(3)))


def test_the_package_is_light() -> None:
    """Importing the package loads no torch, and its data module nothing but torch and numpy."""
    check = (
        "import sys, trainer; assert 'torch' not in sys.modules; trainer.open_dataset;"
        "heavy = {'optuna', 'torchvision', 'sklearn', 'PIL', 'space', 'search'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert all(hasattr(trainer, name) for name in trainer.__all__)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
