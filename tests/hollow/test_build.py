"""Where the hollow device can be built, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.hollow import build as building
from tests.hollow.__main__ import main
from tests.hollow.build import BuildFailed, NotHere, build

pytestmark = pytest.mark.hollow


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _empty_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the device be built from files of the same names with nothing in them."""
    empty = folder / "device"
    empty.mkdir()
    for source in building._SOURCES.glob("*.cpp"):
        (empty / source.name).touch()
    monkeypatch.setattr(building, "_SOURCES", empty)
    return empty


@pytest.mark.parametrize(
    ("version", "reason"), [(None, "built without CUDA"), ("12.8", "stands in for CUDA 13")]
)
def test_another_torch_is_a_reason(
    version: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A torch without CUDA, or for another version of it, has no hollow device."""
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(NotHere, match=reason):
        build()


def test_what_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a compiler the tests are skipped with the reason, and nothing fails."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert main([]) == 0
    assert "no-such-compiler" in capsys.readouterr().out


def test_headers_are_of_the_right_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers of another version of CUDA are passed over, and named where there are no others."""
    include = tmp_path / "cuda" / "include"
    include.mkdir(parents=True)
    (include / "cuda_runtime_api.h").write_text("#define CUDART_VERSION  12080\n")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    assert building._headers() != include
    monkeypatch.setattr(building, "_places", lambda: iter([include]))
    with pytest.raises(NotHere, match=str(include)):
        build()


def test_sources_that_are_wrong_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sources that do not compile are an error with the compiler's words, and leave no library."""
    (_empty_sources(tmp_path, monkeypatch) / "memory.cpp").write_text("int main( {\n")
    with pytest.raises(BuildFailed, match=r"memory\.cpp"):
        build()
    assert main([]) == 1
    assert "does not compile" in capsys.readouterr().err
    assert not list((tmp_path / "cache").rglob("*.so"))


def test_builds_are_kept_for_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build is kept, and another one is made for other sources."""
    sources = _empty_sources(tmp_path, monkeypatch)
    first = build()
    made = first.stat().st_mtime_ns
    assert build() == first
    assert first.stat().st_mtime_ns == made
    (sources / "memory.cpp").write_text("// other")
    assert build() != first
