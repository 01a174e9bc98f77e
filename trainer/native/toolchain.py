"""Build the C++ of this package once, with the machine's compiler and for its processor."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from trainer.errors import NoKernels
from trainer.user_cache import NotOwn, cache_folder, own_folder

__all__ = ["build_library", "find_compiler"]

_COMPILERS = ("c++", "g++", "clang++")
_FLAGS = (
    "-O3",
    "-std=c++17",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-pthread",
    "-fPIC",
    "-shared",
)
_LONGEST_BUILD_SECONDS = 600.0


def build_library(source: Path, folder: Path | None = None) -> Path:
    """Return the shared library of a C++ file; build it unless an earlier build is kept.

    The name of a build depends on all that its content depends on: the sources of the folder, the
    compiler, the flags and the processor. So several machines may share a home folder.

    Args:
        source: the file; it may include others of its folder and of those below.
        folder: where builds are kept; by default :func:`trainer.user_cache.cache_folder`.

    Raises:
        NoKernels: if there is no compiler, it fails, or its output cannot be stored.
    """
    if os.name != "posix":
        raise NoKernels(f"kernels can be built on Linux and macOS only, not on {platform.system()}")
    compiler = find_compiler()
    flags = (*_FLAGS, _native_flag())
    folder = _kept_safely(folder)
    target = folder / f"{source.stem}-{_fingerprint(source.parent, compiler, flags)}.so"
    if not _is_whole(target):
        _build(compiler, flags, source, target)
    return target


def find_compiler() -> tuple[str, ...]:
    """Return the compiler's command; ``$CXX`` may have arguments, such as ``ccache g++``.

    Raises:
        NoKernels: if there is no compiler.
    """
    wanted = os.environ.get("CXX", "").strip()
    for command in (wanted,) if wanted else _COMPILERS:
        name, *arguments = _words_of(command)
        if path := shutil.which(name):
            return (path, *arguments)
    names = wanted or ", ".join(_COMPILERS)
    raise NoKernels(f"no C++ compiler was found ({names}); install one to train faster")


def _words_of(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an unclosed quotation mark
        return [command]


def _native_flag() -> str:
    return "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"


def _kept_safely(folder: Path | None) -> Path:
    """Make the folder; refuse one in which another user could put a library that is then loaded."""
    try:
        folder = folder or cache_folder()
        return own_folder(folder)
    except NotOwn as error:
        raise NoKernels(str(error)) from None
    except OSError as error:
        raise _not_kept(folder, error) from None


def _not_kept(folder: Path | None, error: Exception) -> NoKernels:
    return NoKernels(f"builds cannot be kept in {folder or '~'}: {error}; set XDG_CACHE_HOME")


def _fingerprint(folder: Path, compiler: tuple[str, ...], flags: tuple[str, ...]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".h", ".cpp"):
            name = path.relative_to(folder).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    for part in (_version(compiler), *compiler[1:], *flags, _processor()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _version(compiler: tuple[str, ...]) -> str:
    return _run([*compiler, "--version"])


def _processor() -> str:
    """Return a description of what ``-march=native`` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    kinds = ("model name", "flags", "CPU part", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(kinds)}))


def _checksum(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _is_whole(target: Path) -> bool:
    """Return whether a kept build is complete: loading half a library would end the process."""
    try:
        return _checksum(target).read_text() == hashlib.sha256(target.read_bytes()).hexdigest()
    except (OSError, UnicodeDecodeError):
        return False


def _build(compiler: tuple[str, ...], flags: tuple[str, ...], source: Path, target: Path) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".so")
        os.close(handle)
        try:
            _run([*compiler, *flags, "-I", str(source.parent), str(source), "-o", name])
            content = Path(name).read_bytes()
            if not content:
                raise NoKernels(
                    f"the C++ compiler {compiler[0]} wrote an empty library; name another in CXX"
                )
            # Another process that builds the same now writes the same to both files.
            Path(name).replace(target)
            _checksum(target).write_text(hashlib.sha256(content).hexdigest())
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise _not_kept(target.parent, error) from None


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_BUILD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoKernels(
            f"the C++ compiler {command[0]} did not run: {error}; name another in CXX"
        ) from None
    if done.returncode:
        message = (done.stderr.strip() or "without a message").splitlines()[0]
        raise NoKernels(f"the C++ compiler {command[0]} failed: {message}")
    return done.stdout
