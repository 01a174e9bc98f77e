"""Fetch a named data set once, whatever the number of processes that ask for it."""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import shutil
import socket
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from trainer.data.datasets import SOURCES, Part, Source
from trainer.errors import DataError

__all__ = ["ensure_available"]

_TIMEOUT_SECONDS = 30.0
_FAILURES = (
    OSError,
    RuntimeError,
    EOFError,
    http.client.HTTPException,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

_log = logging.getLogger(__name__)


def ensure_available(name: str, root: Path, *, part: Part = "training") -> None:
    """Download the data set `name` into `root` unless the files of `part` are there.

    Files that are there are used as found. New ones appear whole or not at all, and processes
    that start together wait for the first one's download. Data sets that need no files
    (`digits`, `folder:PATH`) are always available.

    Raises:
        DataError: Files are missing and cannot be downloaded.
    """
    source = SOURCES.get(name)
    if source is None or not _missing(source, root, part):
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _one_process_at_a_time(root / ".download.lock"):
            if _missing(source, root, part):
                _log.info("downloading %s into %s", name, root)
                _download(source, root)
    except _FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        files = ", ".join(_missing(source, root, part))
        raise DataError(
            f"{name}: {root / source.folder} lacks {files} and the download failed ({reason}); "
            "put the files there or pass --data"
        ) from error


def _missing(source: Source, root: Path, part: Part) -> list[str]:
    folder = root / source.folder
    return [file for file in source.files(part) if not (folder / file).is_file()]


def _download(source: Source, root: Path) -> None:
    """Have torchvision fetch everything beside its place, then move what is missing into it."""
    import torchvision.datasets

    options = {"split": "digits"} if source.reader == "EMNIST" else {}
    with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as scratch:
        for archive in source.archives:
            if (root / archive).is_file():
                (Path(scratch) / archive).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / archive, Path(scratch) / archive)
        with _quiet():
            getattr(torchvision.datasets, source.reader)(scratch, download=True, **options)
        (root / source.folder).mkdir(parents=True, exist_ok=True)
        for file in (*source.training, *source.test):
            if not (root / source.folder / file).is_file():
                (Path(scratch) / source.folder / file).replace(root / source.folder / file)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars in our output, and no waiting for ever on a silent server."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _one_process_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("a") as stream:
        if sys.platform != "win32":  # there, two downloads at once are only a waste
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
