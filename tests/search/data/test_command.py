from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from search.cli.app import app, main
from search.data import data
from search.errors import InputError
from tests.search.small_studies import SKELETON, begun, url_in, write_study
from tests.trainer.datafiles import picture, write_parts

MANY = {"cat": 30, "dog": 30}


def told(*arguments: str) -> Result:
    """The end of ``flyweight data``."""
    return CliRunner().invoke(app, ["data", *arguments])


def test_a_folder_is_shown(tmp_path: Path) -> None:
    """Parts, classes and what is doubtful are lines; the exit code is 0."""
    write_parts(tmp_path, {"train": MANY, "test": {"cat": 5, "dog": 7}})
    (tmp_path / "notes.txt").write_text("")
    result = told(f"folder:{tmp_path}")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "2 classes of 1x8x8, grey, pixels from 0 to 255" in lines
    assert "training 50 train/" in lines
    assert "validation 10 a sixth of train/, set aside" in lines
    assert "dog 25 5 7" in lines
    assert f"passed over, no image (.txt): 1, such as {tmp_path / 'notes.txt'}" in lines


def test_json_has_all_of_it(tmp_path: Path) -> None:
    """A program reads the same, and problems end with exit code 2."""
    write_parts(tmp_path, {"train": MANY, "test": MANY})
    (tmp_path / "test" / "cat" / "000.png").write_bytes(b"")
    result = CliRunner().invoke(app, ["data", f"folder:{tmp_path}", "--json"])
    assert result.exit_code == 2
    plain = json.loads(result.stdout)
    assert plain["parts"][2] == {
        "name": "test",
        "origin": "test/",
        "counts": [29, 30],
        "images": 59,
    }
    assert plain["rules"] == 3
    assert "is empty" in plain["broken"][0]
    assert "1 file that cannot be read" in plain["problems"][0]
    assert "1 file that cannot be read" in result.stderr


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_study_is_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study file, or the name of a study that has begun, stands for its data set."""
    stored = begun(tmp_path)
    stored.storage.engine.dispose()
    file = write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    for what in (str(file), "tiny"):
        findings = data(what, storage=url_in(tmp_path))
        assert findings.name == "digits"
        assert findings.parts[0].images == 1197


def test_what_is_none_of_these_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong name is answered with what is known, a bare folder with what to say."""
    monkeypatch.chdir(tmp_path)
    assert main(["data", "mnits"]) == 2
    assert main(["data", f"folder:{tmp_path / 'absent'}"]) == 2
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="for its images say folder:mine"):
        data("mine")
    (tmp_path / "mine.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"for its images say npz:mine\.npz"):
        data("mine.npz")


def test_names_may_hold_anything(tmp_path: Path) -> None:
    """Names of other alphabets are shown; what drives a terminal or is no text is escaped."""
    write_parts(tmp_path, {"train": {"猫": 30, "esc\x1b[31m": 30}})
    try:
        (Path(str(tmp_path)) / "bad\udce9.txt").write_text("")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such names")
    result = told(f"folder:{tmp_path}")
    assert result.exit_code == 0
    assert "猫" in result.output
    assert "\x1b" not in result.output
    assert "\\x1b[31m" in result.output
    assert "\\udce9" in result.output
    plain = json.loads(told(f"folder:{tmp_path}", "--json").output)
    assert plain["classes"][0] == "esc\x1b[31m"
    (example,) = plain["passed_over"]["no image (.txt)"]["examples"]
    assert example.endswith(r"bad\udce9.txt")


def test_photographs_of_any_size_are_no_problem_without_a_study(tmp_path: Path) -> None:
    """What size is meant is the study's to say, and where it does not that is an error."""
    write_parts(tmp_path / "images", {"train": MANY, "test": MANY})
    picture(1, (9, 7)).save(tmp_path / "images" / "train" / "cat" / "odd.png")
    dataset = f"folder:{tmp_path / 'images'}"
    result = told(dataset)
    assert result.exit_code == 0
    assert "images of several sizes" in result.output
    assert "set image_size to resize all" in result.output
    space = SKELETON.replace("linear 10", "linear 2")
    file = write_study(tmp_path, dataset=dataset, space=space)
    (problem,) = data(file, storage=url_in(tmp_path)).problems
    assert "images differ in size (60 of 8x8, 1 of 9x7; " in problem


def test_a_run_names_the_broken_files_of_all_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends before a study is made, with one message; the test part is no exception."""
    write_parts(tmp_path / "images", {"train": MANY, "val": MANY, "test": MANY})
    broken = [tmp_path / "images" / part / "dog" / "003.png" for part in ("train", "val", "test")]
    for file in broken:
        file.write_bytes(file.read_bytes()[:-30])
    space = SKELETON.replace("linear 10", "linear 2")
    study = write_study(tmp_path, dataset=f"folder:{tmp_path / 'images'}", space=space)
    assert main(["run", str(study), "--storage", url_in(tmp_path), "--device", "cpu"]) == 2
    printed = capsys.readouterr()
    assert "59 training, 59 validation, 59 test images" in printed.out
    (line,) = printed.err.splitlines()
    assert "has 3 files that cannot be read" in line
    assert all(str(file) in line for file in broken)
    assert not (tmp_path / "studies").exists()
