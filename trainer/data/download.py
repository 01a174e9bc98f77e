"""Fetch a named data set once, whatever the number of processes that ask for it."""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import shutil
import socket
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from filelock import FileLock

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


class Downloadable(Protocol):
    """The attributes of a data set that a download by a class of torchvision needs."""

    @property
    def name(self) -> str: ...
    @property
    def reader(self) -> str: ...
    @property
    def split(self) -> str | None: ...
    @property
    def folder(self) -> str: ...
    @property
    def archives(self) -> tuple[str, ...]: ...
    @property
    def training(self) -> tuple[str, ...]: ...
    @property
    def test(self) -> tuple[str, ...]: ...


def ensure_available(source: Downloadable, root: Path, files: Sequence[str]) -> None:
    """Download a data set unless the files that are needed are there.

    Existing files are used as they are. A new file appears only when it is complete. Processes
    that start together wait for the first one's download.

    Args:
        source: the data set.
        root: the folder of all downloaded data sets.
        files: the names of the files that are needed.

    Raises:
        DataError: if files are missing and cannot be downloaded.
    """
    if not _missing(source, root, files):
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".download.lock"):
            if _missing(source, root, files):
                _log.info("downloading %s into %s", source.name, root)
                _download(source, root)
    except _FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        missing = ", ".join(_missing(source, root, files))
        raise DataError(
            f"{source.name}: {root / source.folder} lacks {missing} and the download failed "
            f"({reason}); put the files there or give the folder that has them with --data"
        ) from error


def _missing(source: Downloadable, root: Path, files: Sequence[str]) -> list[str]:
    folder = root / source.folder
    return [file for file in files if not (folder / file).is_file()]


def _download(source: Downloadable, root: Path) -> None:
    """Let torchvision download into a temporary folder, then move the missing files into place."""
    import torchvision.datasets

    options = {} if source.split is None else {"split": source.split}
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
    """Suppress progress bars, and do not wait for ever on a silent server."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
