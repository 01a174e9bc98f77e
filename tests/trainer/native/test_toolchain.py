from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainer.errors import NoKernels
from trainer.native import toolchain
from trainer.native.toolchain import build_library
from trainer.user_cache import cache_folder

SOURCE = """
#include "answer.h"
extern "C" int answer() { return ANSWER; }
"""


@dataclass
class Toolbox:
    """A C++ file, a place for builds, and a compiler that says how often it was called."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def source(self) -> Path:
        """The file."""
        return self.folder / "source" / "tiny.cpp"

    @property
    def cache(self) -> Path:
        """Where builds are kept."""
        return self.folder / "cache" / "flyweight"

    def write(self, answer: int) -> None:
        """Writes the file again."""
        self.source.parent.mkdir(exist_ok=True)
        self.source.write_text(SOURCE)
        self.source.with_name("answer.h").write_text(f"#define ANSWER {answer}\n")

    def use_compiler(self, script: str, version: str = "tiny 1.0") -> None:
        """Makes a shell script the compiler; $REAL is the machine's."""
        compiler = self.folder / "compiler"
        real = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
        compiler.write_text(
            f"#!/bin/sh\nREAL={real}\n"
            f'case "$*" in *--version) echo {version}; exit 0;; esac\n'
            f"echo build >> {self.folder}/calls\n{script}\n"
        )
        compiler.chmod(0o755)
        self.monkeypatch.setenv("CXX", str(compiler))

    def calls(self) -> int:
        """How often the compiler was to build."""
        calls = self.folder / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def answer(self) -> int:
        """What the library answers, built first where it must be."""
        return int(ctypes.CDLL(str(build_library(self.source))).answer())

    def kept(self) -> list[Path]:
        """All libraries of the place for builds; each has its checksum beside it."""
        files = set(self.cache.iterdir())
        libraries = [path for path in files if path.suffix == ".so"]
        assert files == {*libraries, *(path.with_suffix(".sha256") for path in libraries)}
        return libraries


@pytest.fixture
def toolbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toolbox]:
    """A toolbox whose compiler works, in a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Toolbox(tmp_path, monkeypatch)
    made.write(41)
    made.use_compiler('exec $REAL "$@"')
    return made


def test_a_library_is_built_once(toolbox: Toolbox) -> None:
    """The first call must build and keep, the second find what was kept."""
    assert toolbox.answer() == 41
    (kept,) = toolbox.kept()
    assert toolbox.answer() == 41
    assert toolbox.calls() == 1
    assert toolbox.kept() == [kept] == [build_library(toolbox.source)]
    assert stat.S_IMODE(toolbox.cache.stat().st_mode) == 0o700


def test_a_named_folder_keeps_the_builds(toolbox: Toolbox, tmp_path: Path) -> None:
    """Where a folder is given builds must be kept there and nowhere else."""
    library = build_library(toolbox.source, tmp_path / "elsewhere" / "deep")
    assert library.parent == tmp_path / "elsewhere" / "deep"
    assert not toolbox.cache.exists()


def test_changed_sources_are_built_again(toolbox: Toolbox) -> None:
    """A change of the file or of another of its folder must never meet an old build."""
    assert toolbox.answer() == 41
    toolbox.write(42)
    assert toolbox.answer() == 42
    toolbox.source.write_text(SOURCE.replace("ANSWER;", "ANSWER + 1;"))
    assert toolbox.answer() == 43
    toolbox.write(41)
    assert toolbox.answer() == 41
    assert toolbox.calls() == len(toolbox.kept()) == 3


def test_files_that_are_no_source_change_nothing(toolbox: Toolbox) -> None:
    """What an editor or git leaves beside the sources must be no reason to build."""
    toolbox.answer()
    toolbox.source.with_name("notes.txt").write_text("none of a compiler's business")
    toolbox.answer()
    assert toolbox.calls() == 1


def test_another_compiler_builds_again(toolbox: Toolbox) -> None:
    """A newer compiler must not take the build of an older one for its own."""
    toolbox.answer()
    toolbox.use_compiler('exec $REAL "$@"', version="tiny 2.0")
    toolbox.answer()
    assert toolbox.calls() == len(toolbox.kept()) == 2


@pytest.mark.parametrize("what", ["_FLAGS", "_native_flag", "_processor"])
def test_other_flags_and_processors_build_again(toolbox: Toolbox, what: str) -> None:
    """What was built for one processor or with other flags must not be run by another."""
    toolbox.answer()
    values = {
        "_FLAGS": (*toolchain._FLAGS, "-DMORE"),
        "_native_flag": lambda: "-O1",
        "_processor": lambda: "another",
    }
    toolbox.monkeypatch.setattr(toolchain, what, values[what])
    assert toolbox.answer() == 41
    assert toolbox.calls() == len(toolbox.kept()) == 2


def test_the_flags_reach_the_compiler(toolbox: Toolbox) -> None:
    """The build must be optimised, for this processor and with threads."""
    toolbox.use_compiler(f'echo "$@" > {toolbox.folder}/words\nexec $REAL "$@"')
    toolbox.answer()
    words = (toolbox.folder / "words").read_text().split()
    assert {"-O3", "-shared", "-fPIC", "-pthread"} < set(words)
    assert any(word in words for word in ("-march=native", "-mcpu=native"))
    assert "-ffast-math" not in words


@pytest.mark.parametrize("damage", ["half", "nothing", "without checksum"])
def test_a_damaged_build_is_built_again(toolbox: Toolbox, damage: str) -> None:
    """Half a library would end the process that loads it, so it must never be loaded."""
    library = build_library(toolbox.source)
    content = library.read_bytes()
    if damage == "without checksum":
        library.with_suffix(".sha256").unlink()
    library.write_bytes({"half": content[: len(content) // 2], "nothing": b""}.get(damage, content))
    assert toolbox.answer() == 41
    assert toolbox.calls() == 2
    assert library.stat().st_size == len(content)


def test_a_compiler_may_have_arguments(toolbox: Toolbox) -> None:
    """``$CXX`` may be a command such as ``ccache g++``, and other arguments build again."""
    assert toolbox.answer() == 41
    toolbox.monkeypatch.setenv("CXX", f"{toolbox.folder / 'compiler'} -DUNUSED -g0")
    assert toolbox.answer() == 41
    assert toolbox.calls() == len(toolbox.kept()) == 2


def test_a_compiler_that_gives_nothing_is_refused(toolbox: Toolbox) -> None:
    """An empty file must not be kept as a library."""
    toolbox.use_compiler("exit 0")
    with pytest.raises(NoKernels, match="empty library"):
        build_library(toolbox.source)
    assert toolbox.kept() == []


@pytest.mark.parametrize("missing", ["named", "unnamed"])
def test_no_compiler_says_what_to_do(toolbox: Toolbox, missing: str) -> None:
    """Without a compiler the reason must name what was looked for and the way out."""
    if missing == "named":
        toolbox.monkeypatch.setenv("CXX", "/nonexistent/c++")
    else:
        toolbox.monkeypatch.delenv("CXX")
        toolbox.monkeypatch.setenv("PATH", str(toolbox.folder))
    wanted = "/nonexistent/c" if missing == "named" else r"c\+\+, g\+\+, clang\+\+"
    with pytest.raises(NoKernels, match=f"no C.. compiler was found .{wanted}.*install one"):
        build_library(toolbox.source)


def test_a_failing_compiler_is_quoted(toolbox: Toolbox) -> None:
    """The reason must be the compiler's first line, and nothing be kept."""
    toolbox.use_compiler("echo 'tiny.cpp:3: what is this' >&2\necho more >&2\nexit 1")
    with pytest.raises(NoKernels, match=r"failed: tiny\.cpp:3: what is this$"):
        build_library(toolbox.source)
    assert toolbox.kept() == []


def test_a_silent_failure_is_one_too(toolbox: Toolbox) -> None:
    """A compiler that fails without a word must be refused all the same."""
    toolbox.use_compiler("exit 3")
    with pytest.raises(NoKernels, match="without a message"):
        build_library(toolbox.source)
    assert toolbox.kept() == []


def test_a_broken_source_leaves_nothing(toolbox: Toolbox) -> None:
    """After a failure the same call must try again and find what was mended."""
    toolbox.source.write_text("int answer() { return")
    with pytest.raises(NoKernels, match="failed"):
        build_library(toolbox.source)
    assert toolbox.kept() == []
    toolbox.write(41)
    assert toolbox.answer() == 41


def test_a_compiler_that_cannot_start_is_refused(toolbox: Toolbox) -> None:
    """A file that is not a program must be a reason, not a crash."""
    compiler = toolbox.folder / "compiler"
    compiler.write_bytes(b"\x7fELF no program")
    with pytest.raises(NoKernels, match="did not run"):
        build_library(toolbox.source)


def test_a_compiler_that_hangs_is_refused(toolbox: Toolbox) -> None:
    """A compiler that does not end must not hold a training up for ever."""
    toolbox.monkeypatch.setattr(toolchain, "_LONGEST_BUILD_SECONDS", 0.3)
    toolbox.use_compiler("exec sleep 60")
    with pytest.raises(NoKernels, match="did not run"):
        build_library(toolbox.source)
    assert toolbox.kept() == []


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777], ids=oct)
def test_a_folder_of_others_is_refused(toolbox: Toolbox, mode: int) -> None:
    """Nothing must be loaded from where another user may leave a library."""
    toolbox.answer()
    toolbox.cache.chmod(mode)
    with pytest.raises(NoKernels, match=r"other users may write .*chmod 700"):
        build_library(toolbox.source)
    toolbox.cache.chmod(0o700)
    assert toolbox.answer() == 41


def test_a_folder_of_another_owner_is_refused(toolbox: Toolbox) -> None:
    """A folder that another user made must not be trusted, whatever its mode."""
    toolbox.answer()
    toolbox.monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(NoKernels, match="other users may write"):
        build_library(toolbox.source)


def test_the_cache_lies_where_others_keep_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """XDG_CACHE_HOME must be followed, and without it, or empty, the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_folder() == tmp_path / "caches" / "flyweight"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == tmp_path / ".cache" / "flyweight"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "flyweight"


@pytest.mark.parametrize("home", ["no home", "a home that is not there"])
def test_users_without_a_home_have_a_cache_too(
    home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Builds are kept among the temporary files, in a folder of the user's own."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home == "no home":
        monkeypatch.setattr(Path, "home", no_home)
    else:
        monkeypatch.setenv("HOME", str(tmp_path / "nothing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cache_folder() == tmp_path / f"flyweight-{os.getuid()}"


def test_a_cache_that_cannot_be_made_is_refused(toolbox: Toolbox) -> None:
    """Where no folder can be made the reason must say which and the way out."""
    file = toolbox.folder / "file"
    file.touch()
    toolbox.monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(NoKernels, match=r"cannot be kept.*file.*set XDG_CACHE_HOME"):
        build_library(toolbox.source)


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_full_disk_is_refused(toolbox: Toolbox, step: str) -> None:
    """A folder that is there but takes nothing must be a reason, not a crash."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "before":
        toolbox.monkeypatch.setattr(tempfile, "mkstemp", fail)
    else:
        toolbox.monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(NoKernels, match=r"cannot be kept.*No space left"):
        build_library(toolbox.source)
    assert toolbox.kept() == []
