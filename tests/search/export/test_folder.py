from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import ExportError
from search.export.folder import whole_folder

FILES = ("weights", "layers")


def write(out: Path, text: str = "new") -> None:
    """An export of two files."""
    with whole_folder(out, FILES) as folder:
        assert folder.name == out.name
        for name in FILES:
            (folder / name).write_text(text)


def test_an_export_replaces_an_export(tmp_path: Path) -> None:
    """A folder with all files of the format is replaced, and nothing is left beside it."""
    out = tmp_path / "made" / "net"
    write(out, "old")
    write(out)
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(FILES, "new")
    assert [path.name for path in out.parent.iterdir()] == ["net"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ((), "not an exported network"),
        (("weights",), "not an exported network"),
        ((*FILES, "notes.txt"), r"has 'notes\.txt'"),
    ],
)
def test_what_no_export_wrote_stays(tmp_path: Path, files: tuple[str, ...], reason: str) -> None:
    """A folder that lacks a file of the format, or has another, is refused and left as it is."""
    out = tmp_path / "net"
    out.mkdir()
    for name in files:
        (out / name).write_text("mine")
    with pytest.raises(ExportError, match=reason):
        write(out)
    assert {path.name for path in out.iterdir()} == set(files)
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


@pytest.mark.parametrize("error", [RuntimeError("why"), OSError(28, "No space left on device")])
def test_a_failure_leaves_the_older_export(tmp_path: Path, error: Exception) -> None:
    """Whatever ends the writing, nothing half written is left; the disk's errors are explained."""
    out = tmp_path / "net"
    write(out, "old")
    raised = ExportError if isinstance(error, OSError) else RuntimeError
    with pytest.raises(raised, match=r"No space left on device\); choose another|why"):  # noqa: SIM117
        with whole_folder(out, FILES) as folder:
            (folder / "weights").write_text("new")
            raise error
    assert {path.read_text() for path in out.iterdir()} == {"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["net"]
