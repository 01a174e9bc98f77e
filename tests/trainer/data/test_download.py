from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision.datasets import CIFAR10, EMNIST, MNIST

from tests.trainer.datafiles import failure, files_of, write_cifar, write_part
from trainer.data import open_dataset
from trainer.errors import DataError


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
    files_of("mnist").make_available(tmp_path / "alone", "training")
    alone, root = sorted(mirror), tmp_path / "data"
    mirror.clear()
    make_available = files_of("mnist").make_available
    threads = [threading.Thread(target=make_available, args=(root, "training")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mnist = open_dataset("mnist", root)
    assert (len(mnist.training()), len(mnist.test())) == (120, 30)
    assert sorted(mirror) == alone
    assert capfd.readouterr() == ("", "")
    assert {file.name for file in root.iterdir()} - {".download.lock"} == {"MNIST"}


def test_a_download_replaces_nothing(tmp_path: Path, mirror: list[str]) -> None:
    """Files that are there are used as found, also when others have to be fetched."""
    write_part("mnist", tmp_path, "training", 60)
    mnist = open_dataset("mnist", tmp_path)
    assert mirror == []
    assert len(mnist.test()) == 30
    assert len(open_dataset("mnist", tmp_path).training()) == 60


def test_archives_in_place_are_unpacked(tmp_path: Path, mirror: list[str]) -> None:
    """Archives that are there already are unpacked without a network, and kept."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file, _ in MNIST.resources:
        (tmp_path / "mirror" / "MNIST" / "raw" / file).rename(raw / file)
    assert len(open_dataset("mnist", tmp_path).training()) == 120
    assert mirror == []
    assert all((raw / file).is_file() for file, _ in MNIST.resources)


def test_the_archive_of_emnist_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of EMNIST's six splits in one archive only the files of the digits are kept."""
    source, scratch = files_of("emnist-digits"), tmp_path / "scratch"
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


def test_a_search_opens_no_test_file(tmp_path: Path, no_network: None) -> None:
    """Without its test files a data set still opens, splits and trains; only `test` fails."""
    write_part("mnist", tmp_path, "training")
    mnist = open_dataset("mnist", tmp_path)
    learn, validate = mnist.search_split()
    assert (len(mnist.training()), len(learn), len(validate)) == (120, 100, 20)
    with pytest.raises(DataError, match=r"MNIST/raw lacks t10k-images-idx3-ubyte, t10k-labels"):
        mnist.test()
