from __future__ import annotations

import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from search.errors import ResumeError
from search.spec.study_file import StudyFile
from search.study.study import begin_study, refuse_changes
from search.workers import data as data_module
from search.workers.data import open_data, reopen_data, show_reading
from tests.search.small_studies import SKELETON, reopened, url_in, write_study
from tests.trainer.datafiles import write_classes
from trainer.data import RULES, DataInfo


def _file(folder: Path) -> StudyFile:
    """A study of images with transparency, which the rules of reading treat differently."""
    images = folder / "images"
    if not images.exists():
        write_classes(images, {"a": 10, "b": 10}, mode="RGBA")
    space = SKELETON.replace("linear 10", "linear 2")
    return StudyFile.load(write_study(folder, dataset=f"folder:{images}", space=space))


def _begin(folder: Path, file: StudyFile, info: DataInfo, *, older: bool) -> None:
    stored = begin_study(file, url_in(folder), None, info)
    if older:  # a study of version 0.1.0 has no word on how its files were read
        kept: dict[str, Any] = stored.study.user_attrs["flyweight"]
        data = {key: value for key, value in kept["data"].items() if key != "reading"}
        stored.study.set_user_attr("flyweight", {**kept, "data": data})
    stored.storage.engine.dispose()


@pytest.mark.parametrize("rules", [1, RULES])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_study_keeps_its_rules(tmp_path: Path, rules: int) -> None:
    """Whoever resumes or confirms a study reads its files as when it began."""
    file = _file(tmp_path)
    new = open_data(file, tmp_path).info
    older = open_data(file, tmp_path, new.reading.from_dict(None)).info
    info = older if rules == 1 else new
    assert older.fingerprint != new.fingerprint
    _begin(tmp_path, file, info, older=rules == 1)
    begun = refuse_changes(file, url_in(tmp_path))
    assert begun is not None
    assert begun.data.reading.rules == rules
    assert open_data(file, tmp_path, begun.data.reading).info == info
    assert reopen_data(reopened(tmp_path), tmp_path).info == info


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_other_images_are_refused(tmp_path: Path) -> None:
    """A file more than when the study began ends the resuming."""
    file = _file(tmp_path)
    _begin(tmp_path, file, open_data(file, tmp_path).info, older=False)
    first = tmp_path / "images" / "a" / "000.png"
    (tmp_path / "images" / "a" / "more.png").write_bytes(first.read_bytes())
    with pytest.raises(ResumeError, match="are not those with which the study 'tiny' began"):
        reopen_data(reopened(tmp_path), tmp_path)


@pytest.mark.parametrize("terminal", [True, False])
def test_reading_is_not_silent(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal has a bar; elsewhere one line is printed if it takes long, and no more."""
    monkeypatch.setattr(data_module, "_SILENT_SECONDS", 0.05)
    screen = StringIO()
    console = Console(file=screen, force_terminal=terminal, width=80)
    with show_reading(console, "folder:shapes") as progress:
        for done in range(1, 1501):
            progress(done, 1500)
        time.sleep(0.3)
    if terminal:
        assert "1500/1500" in screen.getvalue()
        assert "folder:shapes" not in screen.getvalue()
    else:
        assert screen.getvalue() == "reading the images of folder:shapes\n"


def test_a_download_is_not_silent_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no files are counted there is no bar, so the line is printed."""
    monkeypatch.setattr(data_module, "_SILENT_SECONDS", 0.05)
    screen = StringIO()
    with show_reading(Console(file=screen, force_terminal=True, width=80), "mnist"):
        time.sleep(0.3)
    assert "reading the images of mnist" in screen.getvalue()
